/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "pool/private.h"

#define VERSION 1

int pool_seal_key(const struct base_secret *secret, const char *name, uint8_t ret[32])
{
	char text[64 + POOL_NAME_MAX];
	unsigned len = 32;
	int n = snprintf(text, sizeof(text), "gatehouse pool seal %s", name);

	return HMAC(EVP_sha256(), secret->data, (int)secret->len, (const unsigned char *)text,
	            (size_t)n, ret, &len)
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
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
