/* SPDX-License-Identifier: Apache-2.0 */
/** @file Envelope keys and signatures by RSA (RFC 3830, 4.2.5 and 4.2.6). */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "mikey/crypto.h"

#define KEY_MIN 16
#define KEY_MAX 64

/* RSA as such, block in and block out. */
static int raw(struct evp_pkey_st *pkey, bool encrypt, const uint8_t *in, uint8_t *out, size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t n = len;
	bool ok = ctx && (encrypt ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) == 1 &&
	          EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
	          (encrypt ? EVP_PKEY_encrypt(ctx, out, &n, in, len)
	                   : EVP_PKEY_decrypt(ctx, out, &n, in, len)) == 1 &&
	          n == len;

	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

size_t mikey_rsa_len(struct evp_pkey_st *pkey)
{
	int len = pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA ? EVP_PKEY_get_size(pkey) : 0;

	return len >= 128 && len <= MIKEY_RSA_MAX ? (size_t)len : 0;
}

/* 00 02 || at least eight octets, none of them 0 || 00 || key (PKCS #1 v1.5) */
static int pad(const struct mikey_env *env, struct mikey_octets key, uint8_t *block, size_t len)
{
	size_t ps = len - 3 - key.len;
	int rc = mikey_random(env, block + 2, ps);

	for (size_t i = 2; !rc && i < 2 + ps; i++) {
		while (!rc && block[i] == 0)
			rc = mikey_random(env, block + i, 1);
	}
	block[0] = 0;
	block[1] = 2;
	block[2 + ps] = 0;
	memcpy(block + 3 + ps, key.at, key.len);
	return rc;
}

int mikey_rsa_seal(const struct mikey_env *env, struct evp_pkey_st *to, struct mikey_octets key,
                   struct base_writer *out)
{
	uint8_t block[MIKEY_RSA_MAX];
	size_t len = mikey_rsa_len(to);
	int rc;

	if (!len || key.len < KEY_MIN || key.len > KEY_MAX)
		return BASE_ERR(BASE_CONFIG, 0);
	rc = pad(env, key, block, len);
	if (!rc && !base_writer_reserve(out, len))
		rc = BASE_ERR(BASE_LOCAL, 0);
	if (!rc)
		rc = raw(to, true, block, out->data + out->len, len);
	if (!rc)
		out->len += len;
	base_wipe(block, sizeof(block));
	return rc;
}

/* All ones when `a` is zero, and all ones when a < b (both below 2^31); no branch. */
static uint32_t is_zero(uint32_t a)
{
	return 0 - ((~a & (a - 1)) >> 31);
}
static uint32_t is_less(uint32_t a, uint32_t b)
{
	return 0 - ((a - b) >> 31);
}

/* The key out of a padded block, or `other` of 32 octets; which of them takes no other time. */
static int unpad(const uint8_t *block, size_t len, const uint8_t other[KEY_MAX],
                 struct base_secret *ret)
{
	uint8_t key[KEY_MAX];
	uint32_t zero_at = 0, found = 0, good, n;
	int rc;

	for (uint32_t i = 2; i < len; i++) {
		uint32_t here = is_zero(block[i]) & ~found;

		zero_at |= here & i;
		found |= here;
	}
	n = (uint32_t)len - 1 - zero_at;
	good = is_zero(block[0]) & is_zero(block[1] ^ 2U) & found & ~is_less(zero_at, 10) &
	       ~is_less(n, KEY_MIN) & is_less(n, KEY_MAX + 1);
	n = (n & good) | (32U & ~good);
	for (size_t i = 0; i < n; i++)
		key[i] = (uint8_t)((block[len - n + i] & good) | (other[i] & ~good));
	rc = base_secret_set(ret, key, n);
	base_wipe(key, sizeof(key));
	return rc;
}

int mikey_rsa_open(const struct mikey_env *env, struct evp_pkey_st *own, struct mikey_octets sealed,
                   struct base_secret *ret)
{
	uint8_t block[MIKEY_RSA_MAX], other[KEY_MAX] = { 0 };
	size_t len = mikey_rsa_len(own);
	int rc = 0;

	if (!len)
		return BASE_ERR(BASE_CONFIG, 0);
	if (sealed.len != len)
		return BASE_ERR(BASE_PEER, MIKEY_BAD_CERT); /* it is for another key */
	rc = mikey_random(env, other, 32);
	if (!rc && raw(own, false, sealed.at, block, len))
		memset(block, 0xff, len); /* larger than the modulus: as badly padded as can be */
	if (!rc)
		rc = unpad(block, len, other, ret);
	base_wipe(block, sizeof(block));
	base_wipe(other, sizeof(other));
	return rc;
}

static bool padding(EVP_PKEY_CTX *ctx, uint8_t type, int salt)
{
	return type == MIKEY_RSA_PKCS1 ||
	       (type == MIKEY_RSA_PSS &&
	        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) == 1);
}

int mikey_rsa_sign(struct evp_pkey_st *own, uint8_t type, uint8_t hash, struct mikey_octets data,
                   struct base_writer *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	const EVP_MD *md = hash == MIKEY_SHA_256 ? EVP_sha256() : EVP_sha1();
	size_t len = mikey_rsa_len(own);
	bool ok = ctx && len && base_writer_reserve(out, len) &&
	          EVP_DigestSignInit(ctx, &pctx, md, NULL, own) == 1 &&
	          padding(pctx, type, RSA_PSS_SALTLEN_DIGEST) &&
	          EVP_DigestSign(ctx, out->data + out->len, &len, data.at, data.len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return BASE_ERR(BASE_LOCAL, 0);
	out->len += len;
	return 0;
}

bool mikey_rsa_verify(struct evp_pkey_st *peer, uint8_t type, uint8_t hash,
                      struct mikey_octets data, struct mikey_octets signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	const EVP_MD *md = hash == MIKEY_SHA_256 ? EVP_sha256() : EVP_sha1();
	bool ok = ctx && mikey_rsa_len(peer) &&
	          EVP_DigestVerifyInit(ctx, &pctx, md, NULL, peer) == 1 &&
	          padding(pctx, type, RSA_PSS_SALTLEN_AUTO) &&
	          EVP_DigestVerify(ctx, signature.at, signature.len, data.at, data.len) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}
