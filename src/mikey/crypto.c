/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "mikey/codec.h"

static const EVP_MD *md_of_mac(uint8_t mac)
{
	return mac == MIKEY_HMAC_SHA_1_160 ? EVP_sha1() : EVP_sha256();
}

int mikey_hmac(uint8_t mac, struct mikey_octets key, struct mikey_octets data,
               uint8_t ret[MIKEY_TAG_MAX])
{
	unsigned len = 0;
	static const uint8_t none[1];

	return HMAC(md_of_mac(mac), key.len ? key.at : none, (int)key.len,
	            data.len ? data.at : none, data.len, ret, &len)
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

int mikey_digest(uint8_t hash, struct mikey_octets data, uint8_t ret[MIKEY_TAG_MAX])
{
	const EVP_MD *md = hash == MIKEY_SHA_256 ? EVP_sha256()
	                   : hash == MIKEY_SHA_1 ? EVP_sha1()
	                                         : EVP_md5();

	return EVP_Digest(data.at, data.len, ret, NULL, md, NULL) == 1 ? 0
	                                                               : BASE_ERR(BASE_LOCAL, 0);
}

size_t mikey_encr_key_len(uint8_t encr)
{
	static const uint8_t len[] = { 0, 16, 16, 32 };

	return encr < BASE_COUNT(len) ? len[encr] : 0;
}

size_t mikey_salt_key_len(uint8_t encr)
{
	static const uint8_t len[] = { 0, 14, 8, 14 };

	return encr < BASE_COUNT(len) ? len[encr] : 0;
}

/* IV = (S XOR (0x0000 || CSB ID || T)) || 0x0000 (RFC 3830, 4.2.3) */
static void make_iv(struct mikey_octets salt, uint32_t csb_id, uint64_t t, uint8_t iv[16])
{
	struct base_writer w = base_writer_over(iv, 16);

	base_writer_u16(&w, 0);
	base_writer_u32(&w, csb_id);
	base_writer_u32(&w, (uint32_t)(t >> 32));
	base_writer_u32(&w, (uint32_t)t);
	base_writer_u16(&w, 0);
	for (size_t i = 0; i < salt.len && i < 14; i++)
		iv[i] ^= salt.at[i];
}

/* Run a cipher over `in`; key wrap needs room for eight octets more. */
static int run(const EVP_CIPHER *cipher, bool encrypt, const uint8_t *key, const uint8_t *iv,
               struct mikey_octets in, struct base_writer *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	bool ok = ctx && base_writer_reserve(out, in.len + 16);

	if (ok) {
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
		ok = EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, encrypt) == 1 &&
		     EVP_CipherUpdate(ctx, out->data + out->len, &n, in.at, (int)in.len) == 1 &&
		     EVP_CipherFinal_ex(ctx, out->data + out->len + n, &last) == 1;
	}
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		return out->failed ? BASE_ERR(BASE_LOCAL, 0) : BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH);
	out->len += (size_t)n + (size_t)last;
	return 0;
}

static int wrap(bool encrypt, struct mikey_octets key, struct mikey_octets salt,
                struct mikey_octets in, struct base_writer *out)
{
	struct base_writer padded = { .wipe = true };
	int rc;

	base_writer_put(&padded, in.at, in.len);
	while (encrypt && (padded.len < 16 || padded.len % 8) && !padded.failed)
		base_writer_u8(&padded, 0);
	rc = padded.failed ? BASE_ERR(BASE_LOCAL, 0)
	                   : run(EVP_aes_128_wrap(), encrypt, key.at, salt.at,
	                         mikey_octets_of(padded.data, padded.len), out);
	base_writer_done(&padded);
	return rc;
}

int mikey_cipher(uint8_t encr, bool encrypt, struct mikey_octets key, struct mikey_octets salt,
                 uint32_t csb_id, uint64_t t, struct mikey_octets in, struct base_writer *out)
{
	uint8_t iv[16];

	if (!in.len)
		return 0;
	if (encr == MIKEY_AES_KW_128)
		return wrap(encrypt, key, salt, in, out);
	make_iv(salt, csb_id, t, iv);
	return run(encr == MIKEY_AES_CM_256 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), encrypt,
	           key.at, iv, in, out);
}
