/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "mikey/codec.h"

struct mikey_kept {
	EVP_MAC_CTX *sha1, *sha256; /* HMAC */
	EVP_MD_CTX *hash;
	EVP_MD *md[MIKEY_SHA_256 + 1];
	EVP_CIPHER_CTX *cipher;
	EVP_CIPHER *ctr[MIKEY_AES_CM_256 + 1];
};

static const char *hash_name(unsigned hash)
{
	return hash == MIKEY_SHA_256 ? "SHA2-256" : hash == MIKEY_SHA_1 ? "SHA1" : "MD5";
}

static const char *ctr_name(unsigned encr)
{
	return encr == MIKEY_AES_CM_256 ? "AES-256-CTR" : "AES-128-CTR";
}

static EVP_MAC_CTX *hmac_new(uint8_t mac)
{
	char sha1[] = "SHA1",
	     sha256[] = "SHA2-256"; /* libcrypto asks for what could be written to */
	const OSSL_PARAM param[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		                                 mac == MIKEY_HMAC_SHA_1_160 ? sha1 : sha256, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);

	EVP_MAC_free(hmac); /* the context has a reference */
	if (ctx && EVP_MAC_CTX_set_params(ctx, param) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

struct mikey_kept *mikey_kept_new(void)
{
	struct mikey_kept *kept = calloc(1, sizeof(*kept));
	bool ok = kept;

	if (!ok)
		return NULL;
	kept->sha1 = hmac_new(MIKEY_HMAC_SHA_1_160);
	kept->sha256 = hmac_new(MIKEY_HMAC_SHA_256_256);
	kept->hash = EVP_MD_CTX_new();
	kept->cipher = EVP_CIPHER_CTX_new();
	ok = kept->sha1 && kept->sha256 && kept->hash && kept->cipher;
	for (unsigned i = MIKEY_SHA_1; i <= MIKEY_SHA_256; i++)
		kept->md[i] = EVP_MD_fetch(NULL, hash_name(i), NULL); /* MD5 may be forbidden */
	for (unsigned i = MIKEY_AES_CM_128; i <= MIKEY_AES_CM_256; i++)
		ok = (kept->ctr[i] = EVP_CIPHER_fetch(NULL, ctr_name(i), NULL)) && ok;
	if (ok)
		return kept;
	mikey_kept_free(kept);
	return NULL;
}

void mikey_kept_free(struct mikey_kept *kept)
{
	if (!kept)
		return;
	EVP_MAC_CTX_free(kept->sha1);
	EVP_MAC_CTX_free(kept->sha256);
	EVP_MD_CTX_free(kept->hash);
	EVP_CIPHER_CTX_free(kept->cipher);
	for (size_t i = 0; i < BASE_COUNT(kept->md); i++)
		EVP_MD_free(kept->md[i]);
	for (size_t i = 0; i < BASE_COUNT(kept->ctr); i++)
		EVP_CIPHER_free(kept->ctr[i]);
	free(kept);
}

int mikey_mac_begin(struct mikey_mac_run *run, struct mikey_kept *kept, uint8_t mac,
                    struct mikey_octets key)
{
	static const uint8_t none[1];

	*run = (struct mikey_mac_run){ .own = !kept };
	run->ctx = !kept ? hmac_new(mac) : mac == MIKEY_HMAC_SHA_1_160 ? kept->sha1 : kept->sha256;
	return run->ctx && EVP_MAC_init(run->ctx, key.len ? key.at : none, key.len, NULL) == 1
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

int mikey_mac_tag(struct mikey_mac_run *run, const struct mikey_octets *part, size_t count,
                  uint8_t ret[MIKEY_TAG_MAX])
{
	bool ok = !run->used || EVP_MAC_init(run->ctx, NULL, 0, NULL) == 1; /* the key stays */
	size_t len = 0;

	run->used = true;
	for (size_t i = 0; ok && i < count; i++)
		ok = !part[i].len || EVP_MAC_update(run->ctx, part[i].at, part[i].len) == 1;
	return ok && EVP_MAC_final(run->ctx, ret, &len, MIKEY_TAG_MAX) == 1
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

void mikey_mac_end(struct mikey_mac_run *run)
{
	if (run->own)
		EVP_MAC_CTX_free(run->ctx);
}

int mikey_hmac(struct mikey_kept *kept, uint8_t mac, struct mikey_octets key,
               struct mikey_octets data, uint8_t ret[MIKEY_TAG_MAX])
{
	struct mikey_mac_run run;
	int rc = mikey_mac_begin(&run, kept, mac, key);

	if (!rc)
		rc = mikey_mac_tag(&run, &data, 1, ret);
	mikey_mac_end(&run);
	return rc;
}

int mikey_digest(struct mikey_kept *kept, uint8_t hash, struct mikey_octets data,
                 uint8_t ret[MIKEY_TAG_MAX])
{
	const EVP_MD *md = kept                    ? kept->md[hash]
	                   : hash == MIKEY_SHA_256 ? EVP_sha256()
	                   : hash == MIKEY_SHA_1   ? EVP_sha1()
	                                           : EVP_md5();
	bool ok = !kept ? EVP_Digest(data.at, data.len, ret, NULL, md, NULL) == 1
	                : md && EVP_DigestInit_ex(kept->hash, md, NULL) == 1 &&
	                          EVP_DigestUpdate(kept->hash, data.at, data.len) == 1 &&
	                          EVP_DigestFinal_ex(kept->hash, ret, NULL) == 1;

	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
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
static int run_with(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, bool encrypt, const uint8_t *key,
                    const uint8_t *iv, struct mikey_octets in, struct base_writer *out)
{
	int n = 0, last = 0;
	bool ok = ctx && base_writer_reserve(out, in.len + 16) &&
	          EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, encrypt) == 1 &&
	          EVP_CipherUpdate(ctx, out->data + out->len, &n, in.at, (int)in.len) == 1 &&
	          EVP_CipherFinal_ex(ctx, out->data + out->len + n, &last) == 1;

	if (!ok)
		return out->failed ? BASE_ERR(BASE_LOCAL, 0) : BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH);
	out->len += (size_t)n + (size_t)last;
	return 0;
}

static int run(const EVP_CIPHER *cipher, bool encrypt, const uint8_t *key, const uint8_t *iv,
               struct mikey_octets in, struct base_writer *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int rc;

	if (ctx)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	rc = run_with(ctx, cipher, encrypt, key, iv, in, out);
	EVP_CIPHER_CTX_free(ctx);
	return rc;
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

int mikey_cipher(struct mikey_kept *kept, uint8_t encr, bool encrypt, struct mikey_octets key,
                 struct mikey_octets salt, uint32_t csb_id, uint64_t t, struct mikey_octets in,
                 struct base_writer *out)
{
	uint8_t iv[16];

	if (!in.len)
		return 0;
	if (encr == MIKEY_AES_KW_128)
		return wrap(encrypt, key, salt, in, out);
	make_iv(salt, csb_id, t, iv);
	if (kept)
		return run_with(kept->cipher, kept->ctr[encr], encrypt, key.at, iv, in, out);
	return run(encr == MIKEY_AES_CM_256 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), encrypt,
	           key.at, iv, in, out);
}
