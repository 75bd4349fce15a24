/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "crl_forge.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void head(struct base_writer *w, uint8_t tag, size_t len)
{
	base_writer_u8(w, tag);
	if (len >= 0x1000000)
		base_writer_u8(w, 0x84), base_writer_u32(w, (uint32_t)len);
	else if (len >= 0x10000)
		base_writer_u8(w, 0x83), base_writer_u8(w, (uint8_t)(len >> 16)),
		        base_writer_u16(w, (uint16_t)len);
	else if (len >= 0x100)
		base_writer_u8(w, 0x82), base_writer_u16(w, (uint16_t)len);
	else if (len >= 0x80)
		base_writer_u8(w, 0x81), base_writer_u8(w, (uint8_t)len);
	else
		base_writer_u8(w, (uint8_t)len);
}

static void wrap(struct base_writer *w, uint8_t tag, struct base_writer *body)
{
	need(!body->failed);
	head(w, tag, body->len);
	base_writer_put(w, body->data, body->len);
	base_writer_done(body);
}

void crl_forge_serial(uint64_t i, uint8_t ret[16])
{
	for (unsigned half = 0; half < 2; half++) {
		uint64_t z = (2 * i + half + 1) * 0x9e3779b97f4a7c15U; /* SplitMix64 */

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
		z ^= z >> 31;
		memcpy(ret + (size_t)8 * half, &z, 8);
	}
	ret[0] = (uint8_t)((ret[0] & 0x7f) | 0x40);
}

static void entries(struct base_writer *w, const struct crl_forge *spec)
{
	static const uint8_t date[] = "\x17\x0d"
	                              "260102030405Z";
	static const uint8_t reason[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
		                          0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0x01 };
	uint8_t serial[16];

	base_writer_str(w, spec->entry);
	for (size_t i = 0; i < spec->count; i++) {
		bool reasoned = i % CRL_FORGE_REASONED == 0;

		crl_forge_serial(i, serial);
		head(w, 0x30, 18 + 15 + (reasoned ? sizeof(reason) : 0));
		head(w, 0x02, sizeof(serial));
		base_writer_put(w, serial, sizeof(serial));
		base_writer_put(w, date, 15);
		if (reasoned)
			base_writer_put(w, reason, sizeof(reason));
	}
}

static void extension(struct base_writer *w, uint8_t ce, bool critical, const void *der, size_t len)
{
	struct base_writer ext = { 0 };

	base_writer_put(&ext, "\x06\x03\x55\x1d", 4);
	base_writer_u8(&ext, ce);
	if (critical)
		base_writer_put(&ext, "\x01\x01\xff", 3);
	head(&ext, 0x04, len);
	base_writer_put(&ext, der, len);
	wrap(w, 0x30, &ext);
}

static void number(struct base_writer *w, uint8_t ce, bool critical, uint32_t v)
{
	const uint8_t der[] = {
		2, 5, 0, (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v
	};

	/* the shortest form: no more than one octet that says nothing */
	for (size_t skip = 0; skip < 5; skip++) {
		uint8_t shorter[7] = { 2, (uint8_t)(5 - skip) };

		memcpy(shorter + 2, der + 2 + skip, 5 - skip);
		if (skip == 4 || shorter[2] || (shorter[3] & 0x80)) {
			extension(w, ce, critical, shorter, 7 - skip);
			return;
		}
	}
}

static void extensions(struct base_writer *w, const struct crl_forge *spec)
{
	struct base_writer list = { 0 }, outer = { 0 };

	if (spec->number)
		number(&list, 20, false, spec->number);
	if (spec->base)
		number(&list, 27, true, spec->base);
	if (spec->scope.len)
		extension(&list, 28, true, spec->scope.ptr, spec->scope.len);
	base_writer_str(&list, spec->more);
	if (!list.len)
		return;
	wrap(&outer, 0x30, &list);
	wrap(w, 0xa0, &outer);
}

/* ecdsa-with-SHA256 */
static const uint8_t algorithm[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	                             0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

static void sign(struct base_writer *crl, const struct crl_forge *spec)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[256];
	size_t len = sizeof(sig);
	struct base_writer bits = { 0 };

	need(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, spec->key) == 1 &&
	     EVP_DigestSign(ctx, sig, &len, crl->data, crl->len) == 1);
	EVP_MD_CTX_free(ctx);
	base_writer_put(crl, algorithm, sizeof(algorithm));
	base_writer_u8(&bits, 0);
	base_writer_put(&bits, sig, len);
	wrap(crl, 0x03, &bits);
}

struct base_writer crl_forge(const struct crl_forge *spec)
{
	const char *from = spec->from ? spec->from : "260101000000Z";
	const char *to = spec->to ? spec->to : "491231235959Z";
	struct base_writer tbs = { 0 }, list = { 0 }, body = { 0 }, crl = { 0 };
	const unsigned char *name;
	size_t name_len;

	need(X509_NAME_get0_der(X509_get_subject_name(spec->issuer), &name, &name_len) == 1);
	base_writer_put(&tbs, "\x02\x01\x01", 3);
	base_writer_put(&tbs, algorithm, sizeof(algorithm));
	base_writer_put(&tbs, name, name_len);
	head(&tbs, 0x17, strlen(from));
	base_writer_text(&tbs, from);
	if (*to) {
		head(&tbs, 0x17, strlen(to));
		base_writer_text(&tbs, to);
	}
	entries(&list, spec);
	if (list.len)
		wrap(&tbs, 0x30, &list);
	extensions(&tbs, spec);
	wrap(&body, 0x30, &tbs);
	sign(&body, spec);
	wrap(&crl, 0x30, &body);
	need(!crl.failed);
	return crl;
}
