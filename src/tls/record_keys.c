/* SPDX-License-Identifier: Apache-2.0 */
/** @file Keys of the record layer: from a master secret, from a traffic secret, the next ones. */
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>

#include "tls/record.h"

static EVP_MAC_CTX *hmac_new(const char *digest)
{
	char name[8];
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		                OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	(void)snprintf(name, sizeof(name), "%s", digest);
	EVP_MAC_free(mac);
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

int tls_record_kit_init(struct tls_record_kit *kit)
{
	kit->aes128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	kit->aes256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	kit->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	kit->hmac256 = hmac_new("SHA256");
	kit->hmac384 = hmac_new("SHA384");
	return kit->aes128 && kit->aes256 && kit->chacha && kit->hmac256 && kit->hmac384
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

void tls_record_kit_done(struct tls_record_kit *kit)
{
	EVP_CIPHER_free(kit->aes128);
	EVP_CIPHER_free(kit->aes256);
	EVP_CIPHER_free(kit->chacha);
	EVP_MAC_CTX_free(kit->hmac256);
	EVP_MAC_CTX_free(kit->hmac384);
}

static const EVP_CIPHER *suite_cipher(const struct tls_session *session)
{
	const struct tls_record_kit *kit = session->context->kit;
	const struct profile_suite *suite = profile_suite_find(session->suite);

	if (!suite || !(suite->flags & PROFILE_SUITE_AEAD))
		return NULL;
	if (strstr(suite->name, "_AES_128_GCM_"))
		return kit->aes128;
	if (strstr(suite->name, "_AES_256_GCM_"))
		return kit->aes256;
	return strstr(suite->name, "_CHACHA20_POLY1305_") ? kit->chacha : NULL;
}

bool tls_record_can(const struct tls_session *session)
{
	return session->context->kit && session->version >= 0x0303 && suite_cipher(session);
}

/** The suite's hash: SHA-384 where its name says so. @return the HMAC to use */
static EVP_MAC_CTX *suite_hmac(const struct tls_session *session, size_t *ret_len)
{
	const char *name = profile_suite_find(session->suite)->name;
	size_t len = strlen(name);
	bool long_hash = len > 6 && !strcmp(name + len - 6, "SHA384");

	*ret_len = long_hash ? 48 : 32;
	return long_hash ? session->context->kit->hmac384 : session->context->kit->hmac256;
}

/** HMAC over up to two parts; `key` NULL = the same key as before. */
static bool hmac(EVP_MAC_CTX *ctx, const uint8_t *key, size_t key_len, struct base_str a,
                 struct base_str b, uint8_t ret[TLS_SECRET_MAX])
{
	size_t len;

	return EVP_MAC_init(ctx, key, key_len, NULL) == 1 &&
	       EVP_MAC_update(ctx, (const uint8_t *)a.ptr, a.len) == 1 &&
	       (!b.len || EVP_MAC_update(ctx, (const uint8_t *)b.ptr, b.len) == 1) &&
	       EVP_MAC_final(ctx, ret, &len, TLS_SECRET_MAX) == 1;
}

/** No secret stays behind in the kit. */
static void hmac_forget(EVP_MAC_CTX *ctx)
{
	static const uint8_t nothing[32];

	(void)EVP_MAC_init(ctx, nothing, sizeof(nothing), NULL);
}

static struct base_str view(const void *data, size_t len)
{
	return (struct base_str){ data, len };
}

/** P_hash(secret, seed) (RFC 5246, 5). */
static bool p_hash(const struct tls_session *session, const uint8_t secret[48],
                   struct base_str seed, uint8_t *ret, size_t ret_len)
{
	const uint8_t *key = secret;
	uint8_t a[TLS_SECRET_MAX], block[TLS_SECRET_MAX];
	struct base_str chain = seed;
	size_t len;
	EVP_MAC_CTX *ctx = suite_hmac(session, &len);
	bool ok = true;

	for (size_t done = 0; ok && done < ret_len; done += len) {
		ok = hmac(ctx, key, 48, chain, view(NULL, 0), a) &&
		     hmac(ctx, NULL, 0, view(a, len), seed, block);
		key = NULL;
		chain = view(a, len);
		if (ok)
			memcpy(ret + done, block, BASE_MIN(len, ret_len - done));
	}
	hmac_forget(ctx);
	base_wipe(a, sizeof(a));
	base_wipe(block, sizeof(block));
	return ok;
}

int tls_record_expand(const struct tls_session *session, const uint8_t master[48],
                      const uint8_t client_random[32], const uint8_t server_random[32],
                      struct tls_record_keys *ret)
{
	static const char label[] = "key expansion";
	const EVP_CIPHER *cipher = suite_cipher(session);
	size_t key_len = (size_t)EVP_CIPHER_get_key_length(cipher);
	size_t iv_len = cipher == session->context->kit->chacha ? 12 : 4;
	uint8_t block[2 * TLS_KEY_MAX + 2 * TLS_IV_LEN], seed[sizeof(label) - 1 + 64], *at = block;
	bool ok;

	memcpy(seed, label, sizeof(label) - 1);
	memcpy(seed + sizeof(label) - 1, server_random, 32);
	memcpy(seed + sizeof(label) - 1 + 32, client_random, 32);
	ok = p_hash(session, master, view(seed, sizeof(seed)), block, 2 * (key_len + iv_len));
	for (int role = 0; ok && role < 2; role++, at += key_len)
		memcpy(ret->of[role].key, at, key_len);
	for (int role = 0; ok && role < 2; role++, at += iv_len) {
		memcpy(ret->of[role].iv, at, iv_len);
		ret->of[role].seq = 1; /* Finished was the first */
	}
	ret->keyed = true;
	base_wipe(block, sizeof(block));
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

/**
 * HKDF-Expand-Label(secret, label, "", len) (RFC 8446, 7.1), for at most one block of the hash:
 * HMAC(secret, length | "tls13 " label | no context | 1) (RFC 5869, 2.3).
 */
static bool expand_label(const struct tls_session *session, const uint8_t *secret,
                         const char *label, uint8_t *ret, size_t len)
{
	uint8_t info[64], block[TLS_SECRET_MAX];
	struct base_writer w = base_writer_over(info, sizeof(info));
	size_t hash_len;
	EVP_MAC_CTX *ctx = suite_hmac(session, &hash_len);
	bool ok;

	base_writer_u16(&w, (uint16_t)len);
	base_writer_u8(&w, (uint8_t)(6 + strlen(label)));
	base_writer_text(&w, "tls13 ");
	base_writer_text(&w, label);
	base_writer_u16(&w, 1);
	ok = len <= hash_len &&
	     hmac(ctx, secret, hash_len, base_writer_view(&w), view(NULL, 0), block);
	if (ok)
		memcpy(ret, block, len);
	hmac_forget(ctx);
	base_wipe(block, sizeof(block));
	return ok;
}

/** Key one direction; `key` NULL = keep the cipher's algorithm and derive from `side->secret`. */
static bool side_key(const struct tls_session *session, struct tls_record_side *side,
                     const uint8_t *key, bool out)
{
	const EVP_CIPHER *cipher = suite_cipher(session);
	size_t key_len = (size_t)EVP_CIPHER_get_key_length(cipher);
	uint8_t own[TLS_KEY_MAX];
	bool ok = true;

	if (!key) {
		ok = expand_label(session, side->secret, "key", own, key_len) &&
		     expand_label(session, side->secret, "iv", side->iv, TLS_IV_LEN);
		key = own;
	}
	ok = ok && EVP_CipherInit_ex2(side->cipher, cipher, key, NULL, out, NULL) == 1;
	base_wipe(own, sizeof(own));
	return ok;
}

int tls_record_update(struct tls_session *session, struct tls_record_side *side)
{
	uint8_t next[TLS_SECRET_MAX] = { 0 };
	size_t len;
	bool ok;

	(void)suite_hmac(session, &len);
	ok = expand_label(session, side->secret, "traffic upd", next, len);
	if (ok)
		memcpy(side->secret, next, sizeof(next));
	base_wipe(next, sizeof(next));
	side->seq = 0;
	ok = ok && side_key(session, side, NULL, side == &session->record->out);
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

static bool side_init(const struct tls_session *session, struct tls_record_side *side,
                      const struct tls_record_key *from, bool keyed, bool out)
{
	side->seq = from->seq;
	memcpy(side->iv, from->iv, sizeof(side->iv));
	memcpy(side->secret, from->secret, sizeof(side->secret));
	side->cipher = EVP_CIPHER_CTX_new();
	return side->cipher && side_key(session, side, keyed ? from->key : NULL, out);
}

void tls_record_keys_free(struct tls_session *session)
{
	if (session->keys)
		base_wipe(session->keys, sizeof(*session->keys));
	free(session->keys);
	session->keys = NULL;
}

int tls_record_new(struct tls_session *session, const struct tls_record_keys *keys)
{
	struct tls_record *record = calloc(1, sizeof(*record));

	if (!record)
		return BASE_ERR(BASE_LOCAL, 0);
	record->tls13 = session->version >= 0x0304;
	record->salted = !record->tls13 && suite_cipher(session) != session->context->kit->chacha;
	session->record = record;
	if (side_init(session, &record->in, &keys->of[1 - session->role], keys->keyed, false) &&
	    side_init(session, &record->out, &keys->of[session->role], keys->keyed, true))
		return 0;
	tls_record_free(record);
	session->record = NULL;
	return BASE_ERR(BASE_LOCAL, 0);
}

void tls_record_free(struct tls_record *record)
{
	if (!record)
		return;
	EVP_CIPHER_CTX_free(record->in.cipher);
	EVP_CIPHER_CTX_free(record->out.cipher);
	if (record->rest)
		base_wipe(record->rest, record->rest_len);
	free(record->rest);
	free(record->part);
	base_wipe(record, sizeof(*record));
	free(record);
}
