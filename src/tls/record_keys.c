/* SPDX-License-Identifier: Apache-2.0 */
/** @file Keys of the record layer: from a master secret, from a traffic secret, the next ones. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "tls/record.h"

int tls_record_kit_init(struct tls_record_kit *kit)
{
	kit->aes128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	kit->aes256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	kit->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	kit->prf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	kit->expand = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	return kit->aes128 && kit->aes256 && kit->chacha && kit->prf && kit->expand
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

void tls_record_kit_done(struct tls_record_kit *kit)
{
	EVP_CIPHER_free(kit->aes128);
	EVP_CIPHER_free(kit->aes256);
	EVP_CIPHER_free(kit->chacha);
	EVP_KDF_free(kit->prf);
	EVP_KDF_free(kit->expand);
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

const char *tls_record_digest(const struct tls_session *session)
{
	const char *name = profile_suite_find(session->suite)->name;
	size_t len = strlen(name);

	return len > 6 && !strcmp(name + len - 6, "SHA384") ? "SHA384" : "SHA256";
}

static size_t secret_len(const struct tls_session *session)
{
	return strcmp(tls_record_digest(session), "SHA384") ? 32 : 48;
}

int tls_record_expand(const struct tls_session *session, const uint8_t master[48],
                      const uint8_t client_random[32], const uint8_t server_random[32],
                      struct tls_record_keys *ret)
{
	static const char label[] = "key expansion";
	const EVP_CIPHER *cipher = suite_cipher(session);
	size_t key_len = (size_t)EVP_CIPHER_get_key_length(cipher);
	size_t iv_len = cipher == session->context->kit->chacha ? 12 : 4;
	uint8_t block[2 * TLS_KEY_MAX + 2 * TLS_IV_LEN], *at = block;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
		                                 (char *)(uintptr_t)tls_record_digest(session), 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)(uintptr_t)master,
		                                  48),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)(uintptr_t)label,
		                                  sizeof(label) - 1),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED,
		                                  (void *)(uintptr_t)server_random, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED,
		                                  (void *)(uintptr_t)client_random, 32),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(session->context->kit->prf);
	int ok = kdf && EVP_KDF_derive(kdf, block, 2 * (key_len + iv_len), params) == 1;

	EVP_KDF_CTX_free(kdf);
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

/** HKDF-Expand-Label(secret, label, "", len) (RFC 8446, 7.1). */
static bool expand_label(const struct tls_session *session, const uint8_t *secret,
                         const char *label, uint8_t *ret, size_t len)
{
	static const char prefix[] = "tls13 ";
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
		                                 (char *)(uintptr_t)tls_record_digest(session), 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
		                                  secret_len(session)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, (void *)(uintptr_t)prefix,
		                                  sizeof(prefix) - 1),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, (void *)(uintptr_t)label,
		                                  strlen(label)),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(session->context->kit->expand);
	bool ok = kdf && EVP_KDF_derive(kdf, ret, len, params) == 1;

	EVP_KDF_CTX_free(kdf);
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
	bool ok = expand_label(session, side->secret, "traffic upd", next, secret_len(session));

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
