/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "x509/crl_internal.h"

/* An entry of the least octets: SEQUENCE, INTEGER of one octet, UTCTime. */
#define ENTRY_LEAST (2 + 3 + 15)

/* Names of certificate issuers in an indirect CRL, as they first stand in it. */
struct name {
	struct base_map_node node; /* by DER */
	X509_NAME *parsed;
	uint32_t number; /* its own, or that of the first that is the same name */
};

struct maker {
	struct crl_parts parts;
	uint64_t seed[2];
	uint8_t *entries;
	size_t count;
	struct base_map by_der;
	struct name *names[CRLX_NAMES_MAX];
	size_t name_count;
	X509_NAME *issuer;
};

int crlx_sha256(const void *data, size_t len, uint8_t ret[32])
{
	return EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL) == 1 ? 0
	                                                                 : BASE_ERR(BASE_LOCAL, 0);
}

int x509_key_sha256(EVP_PKEY *key, uint8_t ret[32])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	int rc = len > 0 ? crlx_sha256(der, (size_t)len, ret) : BASE_ERR(BASE_LOCAL, 0);

	OPENSSL_free(der);
	ERR_clear_error();
	return rc;
}

static int refuse(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "the CRL cannot be used: %s", why);
}

/*
 * RFC 5280, 6.3.3 (g). libcrypto encodes what it verifies; an ANY that holds the octets as they
 * came makes it take exactly those.
 */
static int signature_check(const struct crl_parts *parts, EVP_PKEY *key, struct base_error *err)
{
	const unsigned char *at = (const unsigned char *)parts->signature_alg.ptr;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &at, (long)parts->signature_alg.len);
	ASN1_BIT_STRING *sig = ASN1_BIT_STRING_new();
	ASN1_TYPE *any = ASN1_TYPE_new();
	ASN1_STRING *tbs = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	int rc = BASE_ERR(BASE_LOCAL, 0);

	if (!sig || !any || !tbs || parts->tbs.len > INT32_MAX ||
	    !ASN1_BIT_STRING_set(sig, (unsigned char *)parts->signature.ptr,
	                         (int)parts->signature.len))
		goto out;
	if (!alg) {
		rc = refuse(err, "its signature algorithm is malformed (RFC 5280, 5.1.1.2)");
		goto out;
	}
	sig->flags = (sig->flags & ~0x0fL) | ASN1_STRING_FLAG_BITS_LEFT;    /* no bits left over */
	ASN1_STRING_set0(tbs, (void *)parts->tbs.ptr, (int)parts->tbs.len); /* borrowed */
	ASN1_TYPE_set(any, V_ASN1_SEQUENCE, tbs);
	rc = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), alg, sig, any, key) == 1
	             ? 0
	             : refuse(err, "its issuer's key did not sign it (RFC 5280, 6.3.3 (g))");
	tbs->data = NULL; /* it is not `any`'s to free */
	tbs->length = 0;
	tbs = NULL; /* `any` has it */
out:
	ASN1_TYPE_free(any);
	ASN1_STRING_free(tbs);
	ASN1_BIT_STRING_free(sig);
	X509_ALGOR_free(alg);
	ERR_clear_error();
	return rc;
}

static X509_NAME *name_parse(struct base_str der)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);

	if (name && at != (const unsigned char *)der.ptr + der.len) {
		X509_NAME_free(name);
		name = NULL;
	}
	return name;
}

/* The number of a name that was met before under another encoding, or a new one. */
static uint32_t name_number(const struct maker *m, const X509_NAME *parsed)
{
	if (!X509_NAME_cmp(parsed, m->issuer))
		return 0;
	for (size_t i = 0; i < m->name_count; i++)
		if (!X509_NAME_cmp(parsed, m->names[i]->parsed))
			return m->names[i]->number;
	return (uint32_t)m->name_count + 1;
}

static const char *name_find(struct maker *m, struct base_str der, uint32_t *ret)
{
	struct base_map_node *node;
	struct name *name;

	if (base_str_eq(der, m->parts.issuer)) {
		*ret = 0;
		return NULL;
	}
	node = base_map_find(&m->by_der, der);
	if (node) {
		*ret = BASE_CONTAINER_OF(node, struct name, node)->number;
		return NULL;
	}
	if (m->name_count == CRLX_NAMES_MAX)
		return "it speaks for more than 1024 certificate issuers";
	name = calloc(1, sizeof(*name));
	if (name)
		name->parsed = name_parse(der);
	if (!name || !name->parsed || base_map_insert(&m->by_der, der, &name->node)) {
		if (name)
			X509_NAME_free(name->parsed);
		free(name);
		return "a certificateIssuer is malformed (RFC 5280, 5.3.3)";
	}
	name->number = name_number(m, name->parsed);
	m->names[m->name_count++] = name;
	*ret = name->number;
	return NULL;
}

static void entry_put(struct maker *m, uint32_t name, const struct crl_revoked *revoked)
{
	uint8_t *at = m->entries + m->count++ * CRLX_ENTRY;
	int64_t date = revoked->date_s;
	uint32_t be;

	date = date < 0 ? 0 : date > UINT32_MAX ? UINT32_MAX : date;
	be = __builtin_bswap32((uint32_t)date);
	crlx_key(m->seed, name, revoked->serial, at);
	at[CRLX_KEY] = (uint8_t)revoked->reason;
	memcpy(at + CRLX_KEY + 1, &be, sizeof(be));
}

static int entries_read(struct maker *m, struct base_error *err)
{
	struct base_reader in = m->parts.entries;
	size_t most = base_reader_left(&in) / ENTRY_LEAST;
	uint32_t name = 0;

	m->entries = malloc(most * CRLX_ENTRY + 1);
	if (!m->entries)
		return BASE_ERR(BASE_LOCAL, 0);
	while (base_reader_left(&in)) {
		struct crl_revoked revoked;
		const char *why =
		        crl_revoked_next(&in, m->parts.flags & X509_CRL_INDIRECT, &revoked);

		if (!why && revoked.issuer.len)
			why = name_find(m, revoked.issuer, &name);
		if (why)
			return refuse(err, why);
		entry_put(m, name, &revoked);
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return crlx_key_compare(a, b);
}

/* Of two about one certificate the stricter: revoked before removed, then the earlier date. */
static bool stricter(const uint8_t *a, const uint8_t *b)
{
	bool a_out = a[CRLX_KEY] == 8, b_out = b[CRLX_KEY] == 8;

	if (a_out != b_out)
		return b_out;
	return crlx_u32(a + CRLX_KEY + 1) < crlx_u32(b + CRLX_KEY + 1);
}

static void entries_sort(struct maker *m)
{
	size_t kept = 0;

	qsort(m->entries, m->count, CRLX_ENTRY, by_key);
	for (size_t i = 0; i < m->count; i++) {
		const uint8_t *one = m->entries + i * CRLX_ENTRY;
		uint8_t *last = kept ? m->entries + (kept - 1) * CRLX_ENTRY : NULL;

		if (!last || crlx_key_compare(last, one) != 0)
			memmove(m->entries + kept++ * CRLX_ENTRY, one, CRLX_ENTRY);
		else if (stricter(one, last))
			memcpy(last, one, CRLX_ENTRY);
	}
	m->count = kept;
}

static void u64_put(struct base_writer *w, uint64_t v)
{
	base_writer_u32(w, (uint32_t)(v >> 32));
	base_writer_u32(w, (uint32_t)v);
}

/* The further names and the header; `w` has room. */
static void names_write(const struct maker *m, struct base_writer *w)
{
	for (size_t i = 0; i < m->name_count; i++) {
		base_writer_u32(w, m->names[i]->number);
		base_writer_u32(w, (uint32_t)m->names[i]->node.key.len);
		base_writer_str(w, m->names[i]->node.key);
	}
}

static size_t names_size(const struct maker *m)
{
	size_t size = 0;

	for (size_t i = 0; i < m->name_count; i++)
		size += 8 + m->names[i]->node.key.len;
	return size;
}

static void header_write(const struct maker *m, const struct x509_crl_info *info, size_t header,
                         size_t length, struct base_writer *w)
{
	base_writer_put(w, CRLX_MAGIC, 8);
	base_writer_u32(w, CRLX_VERSION);
	base_writer_u32(w, (uint32_t)header);
	u64_put(w, length);
	u64_put(w, m->count);
	base_writer_u32(w, (uint32_t)names_size(m));
	base_writer_u32(w, (uint32_t)m->name_count);
	u64_put(w, m->seed[0]);
	u64_put(w, m->seed[1]);
	u64_put(w, (uint64_t)info->this_update_s);
	u64_put(w, (uint64_t)info->next_update_s);
	base_writer_u32(w, info->flags);
	base_writer_u32(w, info->reasons);
	base_writer_put(w, info->signer, 32);
	base_writer_put(w, info->tbs_sha256, 32);
	for (size_t i = 0; i < CRLX_FIELDS; i++) {
		const struct base_str *field = crlx_field((struct x509_crl_info *)info, i);

		base_writer_u32(w, field ? (uint32_t)field->len : 0);
	}
	for (size_t i = 0; i < CRLX_FIELDS; i++) {
		const struct base_str *field = crlx_field((struct x509_crl_info *)info, i);

		if (field)
			base_writer_str(w, *field);
	}
	while (w->len < header)
		base_writer_u8(w, 0);
}

static int image_write(const struct maker *m, const struct x509_crl_info *info,
                       struct x509_crl_index **ret, struct base_error *err)
{
	size_t header = CRLX_FIXED, length;
	struct base_writer w = { 0 };
	uint8_t sum[CRLX_SUM];

	for (size_t i = 0; i < CRLX_FIELDS; i++) {
		const struct base_str *field = crlx_field((struct x509_crl_info *)info, i);

		header += field ? field->len : 0;
		if (header > CRLX_HEADER_MAX - CRLX_ENTRY)
			return refuse(err, "its names and extensions are longer than 64 KiB");
	}
	header = (header + CRLX_ENTRY - 1) / CRLX_ENTRY * CRLX_ENTRY;
	length = header + m->count * CRLX_ENTRY + names_size(m) + CRLX_SUM;
	if (!base_writer_reserve(&w, length))
		return BASE_ERR(BASE_LOCAL, 0);
	header_write(m, info, header, length, &w);
	base_writer_put(&w, m->entries, m->count * CRLX_ENTRY);
	names_write(m, &w);
	if (crlx_sha256(w.data, w.len, sum))
		w.failed = true;
	base_writer_put(&w, sum, sizeof(sum));
	if (w.failed) {
		base_writer_done(&w);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	return crlx_adopt(ret, "the CRL", w.data, w.len, true, err);
}

static void maker_done(struct maker *m)
{
	for (size_t i = 0; i < m->name_count; i++) {
		X509_NAME_free(m->names[i]->parsed);
		free(m->names[i]);
	}
	base_map_done(&m->by_der);
	X509_NAME_free(m->issuer);
	free(m->entries);
	free(m);
	ERR_clear_error();
}

static int index_make(struct maker *m, EVP_PKEY *signer, struct x509_crl_index **ret,
                      struct base_error *err)
{
	const struct crl_parts *parts = &m->parts;
	uint8_t key[32] = { 0 }, tbs[32];
	struct x509_crl_info info = { .this_update_s = parts->this_update_s,
		                      .next_update_s = parts->next_update_s,
		                      .flags = parts->flags | (signer ? X509_CRL_VERIFIED : 0U),
		                      .reasons = parts->reasons,
		                      .issuer = parts->issuer,
		                      .number = parts->number,
		                      .base_number = parts->base_number,
		                      .scope = parts->scope,
		                      .authority_key = parts->authority_key,
		                      .signature_alg = parts->signature_alg,
		                      .signature = parts->signature,
		                      .signer = key,
		                      .tbs_sha256 = tbs };
	int rc;

	m->issuer = name_parse(parts->issuer);
	if (!m->issuer)
		return refuse(err, "its issuer's name is malformed (RFC 5280, 5.1.2.3)");
	rc = signer ? signature_check(parts, signer, err) : 0;
	if (!rc && signer)
		rc = x509_key_sha256(signer, key);
	if (!rc)
		rc = crlx_sha256(parts->tbs.ptr, parts->tbs.len, tbs);
	if (!rc)
		rc = base_random(m->seed, sizeof(m->seed));
	if (!rc)
		rc = entries_read(m, err);
	if (rc)
		return rc;
	entries_sort(m);
	return image_write(m, &info, ret, err);
}

int x509_crl_index_make(struct x509_crl_index **ret, const void *der, size_t len, EVP_PKEY *signer,
                        struct base_error *err)
{
	struct maker *m = calloc(1, sizeof(*m));
	int rc = m ? crl_parse(der, len, &m->parts, err) : BASE_ERR(BASE_LOCAL, 0);

	if (!rc)
		rc = index_make(m, signer, ret, err);
	if (m)
		maker_done(m);
	return rc;
}
