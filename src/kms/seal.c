/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define NONCE 12
#define TAG   16

int kms_seal(const uint8_t *master, struct base_str what, struct mikey_octets clear, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, rc = BASE_ERR(BASE_LOCAL, 0);

	if (ctx && !base_random(out, NONCE) &&
	    EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, master, out) == 1 &&
	    EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)what.ptr, (int)what.len) == 1 &&
	    EVP_EncryptUpdate(ctx, out + NONCE, &n, clear.at, (int)clear.len) == 1 &&
	    EVP_EncryptFinal_ex(ctx, out + NONCE + clear.len, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + clear.len) == 1)
		rc = 0;
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

int kms_unseal(const uint8_t *master, struct base_str what, struct mikey_octets sealed,
               uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t tag[TAG];
	size_t len;
	int n, rc = BASE_ERR(BASE_CONFIG, 0);

	if (!ctx || sealed.len < KMS_SEAL_EXTRA) {
		EVP_CIPHER_CTX_free(ctx);
		return ctx ? rc : BASE_ERR(BASE_LOCAL, 0);
	}
	len = sealed.len - KMS_SEAL_EXTRA;
	memcpy(tag, sealed.at + NONCE + len, TAG);
	if (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, master, sealed.at) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)what.ptr, (int)what.len) == 1 &&
	    EVP_DecryptUpdate(ctx, out, &n, sealed.at + NONCE, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	    EVP_DecryptFinal_ex(ctx, out + len, &n) == 1)
		rc = 0;
	else
		OPENSSL_cleanse(out, len);
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}
