/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "pool/private.h"

#define VERSION 1

static int key_of_secret(const struct base_secret *secret, const char *purpose, const char *name,
                         uint8_t ret[32])
{
	char text[64 + POOL_NAME_MAX];
	unsigned len = 32;
	int n = snprintf(text, sizeof(text), "gatehouse pool %s %s", purpose, name);

	return HMAC(EVP_sha256(), secret->data, (int)secret->len, (const unsigned char *)text,
	            (size_t)n, ret, &len)
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

int pool_seal_key(const struct base_secret *secret, const char *name, uint8_t ret[32])
{
	return key_of_secret(secret, "seal", name, ret);
}

int pool_root_key(const struct base_secret *secret, const char *name, uint8_t ret[32])
{
	return key_of_secret(secret, "root", name, ret);
}

int pool_seal(const uint8_t key[32], const char *place, const uint8_t secret[POOL_SECRET],
              uint8_t ret[POOL_SEALED])
{
	uint8_t *nonce = ret + 1, *text = nonce + POOL_NONCE, *tag = text + POOL_SECRET;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = ctx && base_random(nonce, POOL_NONCE) == 0 &&
	          EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	          EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)place,
	                            (int)strlen(place)) == 1 &&
	          EVP_EncryptUpdate(ctx, text, &n, secret, POOL_SECRET) == 1 &&
	          EVP_EncryptFinal_ex(ctx, text + n, &n) == 1 &&
	          EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, POOL_TAG, tag) == 1;

	ret[0] = VERSION;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

int pool_unseal(const uint8_t key[32], const char *place, struct base_str sealed,
                uint8_t ret[POOL_SECRET])
{
	const uint8_t *all = (const uint8_t *)sealed.ptr;
	uint8_t tag[POOL_TAG], text[POOL_SECRET];
	EVP_CIPHER_CTX *ctx;
	int n = 0;
	bool ok;

	if (sealed.len != POOL_SEALED || all[0] != VERSION)
		return BASE_ERR(BASE_PEER, 0);
	memcpy(tag, all + 1 + POOL_NONCE + POOL_SECRET, sizeof(tag));
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, all + 1) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)place, (int)strlen(place)) ==
	             1 &&
	     EVP_DecryptUpdate(ctx, text, &n, all + 1 + POOL_NONCE, POOL_SECRET) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, POOL_TAG, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, text + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (ok)
		memcpy(ret, text, POOL_SECRET);
	base_wipe(text, sizeof(text));
	return ok ? 0 : BASE_ERR(BASE_PEER, 0);
}

/* -- records --------------------------------------------------------------------------------- */

int pool_key_of(const uint8_t key[32], const char *purpose, struct base_str part, uint8_t ret[32])
{
	uint8_t text[64 + POOL_PART_MAX];
	size_t len = strlen(purpose) + 1;
	unsigned n = 32;

	if (len > 64 || part.len > POOL_PART_MAX)
		return BASE_ERR(BASE_LOCAL, 0);
	memcpy(text, purpose, len); /* its end, too: no purpose is the begin of another */
	if (part.len)
		memcpy(text + len, part.ptr, part.len);
	return HMAC(EVP_sha256(), key, 32, text, len + part.len, ret, &n) ? 0
	                                                                  : BASE_ERR(BASE_LOCAL, 0);
}

/** `key` is of one place: a place is written far less often than GCM's nonces allow. */
static bool gcm(bool seal, const uint8_t key[32], const char *place, const uint8_t *nonce,
                const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[POOL_TAG])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, way = seal ? 1 : 0;
	bool ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, way) == 1 &&
	          EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)place,
	                           (int)strlen(place)) == 1 &&
	          EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
	          (seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, POOL_TAG, tag) == 1) &&
	          EVP_CipherFinal_ex(ctx, out + n, &n) == 1 &&
	          (!seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, POOL_TAG, tag) == 1);

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

size_t pool_seal_record(const uint8_t key[32], const char *place, struct base_str value,
                        uint64_t until_ms, uint8_t ret[POOL_RECORD_SEALED])
{
	uint8_t of_place[32], clear[8 + POOL_RECORD_MAX];
	uint8_t *nonce = ret + 1, *text = nonce + POOL_NONCE;
	size_t len = 8 + value.len;
	bool ok = value.len <= POOL_RECORD_MAX && base_random(nonce, POOL_NONCE) == 0 &&
	          pool_key_of(key, "record", base_str_of(place), of_place) == 0;

	if (!ok)
		return 0;
	ret[0] = VERSION;
	for (int i = 0; i < 8; i++)
		clear[i] = (uint8_t)(until_ms >> (56 - 8 * i));
	if (value.len)
		memcpy(clear + 8, value.ptr, value.len);
	ok = gcm(true, of_place, place, nonce, clear, len, text, text + len);
	base_wipe(of_place, sizeof(of_place));
	base_wipe(clear, len);
	return ok ? 1 + POOL_NONCE + len + POOL_TAG : 0;
}

int pool_unseal_record(const uint8_t key[32], const char *place, struct base_str sealed,
                       uint8_t ret[POOL_RECORD_MAX], struct base_str *ret_value,
                       uint64_t *ret_until_ms)
{
	const uint8_t *all = (const uint8_t *)sealed.ptr;
	uint8_t of_place[32], clear[8 + POOL_RECORD_MAX], tag[POOL_TAG];
	struct base_reader r = base_reader_of(clear, 8);
	size_t len;
	bool ok;

	if (sealed.len < 1 + POOL_NONCE + 8 + POOL_TAG || sealed.len > POOL_RECORD_SEALED ||
	    all[0] != VERSION)
		return BASE_ERR(BASE_PEER, 0);
	len = sealed.len - (1 + POOL_NONCE + POOL_TAG);
	memcpy(tag, all + sealed.len - POOL_TAG, POOL_TAG);
	ok = pool_key_of(key, "record", base_str_of(place), of_place) == 0 &&
	     gcm(false, of_place, place, all + 1, all + 1 + POOL_NONCE, len, clear, tag);
	if (ok) {
		*ret_until_ms = base_reader_u64(&r);
		memcpy(ret, clear + 8, len - 8);
		*ret_value = (struct base_str){ (const char *)ret, len - 8 };
	}
	base_wipe(of_place, sizeof(of_place));
	base_wipe(clear, len);
	return ok ? 0 : BASE_ERR(BASE_PEER, 0);
}
