/* SPDX-License-Identifier: Apache-2.0 */
#include "check/keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum { TAG = 16, BLOCK = 16, TEXT_MAX = 17408 };

/* -- suites ------------------------------------------------------------------------------------ */

static bool exchange_of(const char *name, struct check_shape *s)
{
	static const struct {
		const char *begin;
		enum check_exchange exchange;
		bool psk;
	} rows[] = {
		{ "TLS_RSA_WITH_", CHECK_BY_RSA, false },
		{ "TLS_DHE_RSA_", CHECK_BY_DH, false },
		{ "TLS_ECDHE_RSA_", CHECK_BY_ECDH, false },
		{ "TLS_ECDHE_ECDSA_", CHECK_BY_ECDH, false },
		{ "TLS_PSK_", CHECK_BY_PSK, true },
		{ "TLS_DHE_PSK_", CHECK_BY_DH, true },
		{ "TLS_ECDHE_PSK_", CHECK_BY_ECDH, true },
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		if (strncmp(name, rows[i].begin, strlen(rows[i].begin)) != 0)
			continue;
		s->exchange = rows[i].exchange;
		s->psk = rows[i].psk;
		return true;
	}
	return false;
}

bool check_shape_of(uint16_t code, struct check_shape *ret)
{
	const struct profile_suite *suite = profile_suite_find(code);
	const char *name = suite ? suite->name : "", *end;

	*ret = (struct check_shape){ .exchange = CHECK_BY_NOTHING };
	if (!exchange_of(name, ret) || !strstr(name, "_AES_") || strstr(name, "_CCM"))
		return false;
	end = strrchr(name, '_');
	ret->gcm = strstr(name, "_GCM_") != NULL;
	ret->key_len = strstr(name, "_AES_256_") ? 32 : 16;
	ret->mac = !strcmp(end, "_SHA384") ? "SHA384" : !strcmp(end, "_SHA256") ? "SHA256" : "SHA1";
	ret->mac_len = ret->gcm                      ? 0
	               : !strcmp(ret->mac, "SHA384") ? 48
	               : !strcmp(ret->mac, "SHA256") ? 32
	                                             : 20;
	ret->hash = !strcmp(ret->mac, "SHA384") ? "SHA384" : "SHA256";
	return true;
}

/* -- derivation -------------------------------------------------------------------------------- */

/** What TLS 1.2 brought holds for DTLS 1.2, whose numbers go down (RFC 6347, 4.1). */
static bool since_12(uint16_t version)
{
	return version >> 8 == 0xfe ? version <= 0xfefd : version >= 0x0303;
}

bool check_prf(uint16_t version, const char *hash, struct check_bytes secret, const char *label,
               struct check_bytes seed_1, struct check_bytes seed_2, uint8_t *out, size_t len)
{
	static const uint8_t none[1];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[16];
	bool good;
	OSSL_PARAM params[6], *p = params;

	(void)snprintf(digest, sizeof(digest), "%s", since_12(version) ? hash : "MD5-SHA1");
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	*p++ = OSSL_PARAM_construct_octet_string(
	        OSSL_KDF_PARAM_SECRET, (void *)(secret.len ? secret.data : none), secret.len);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)label, strlen(label));
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)seed_1.data,
	                                         seed_1.len);
	if (seed_2.len)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)seed_2.data,
		                                         seed_2.len);
	*p = OSSL_PARAM_construct_end();
	good = ctx && EVP_KDF_derive(ctx, out, len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

size_t check_transcript_hash(uint16_t version, const char *hash, const struct base_writer *messages,
                             uint8_t out[64])
{
	const EVP_MD *md = since_12(version) ? EVP_get_digestbyname(hash) : EVP_md5_sha1();
	unsigned len = 0;

	if (!md || EVP_Digest(messages->data, messages->len, out, &len, md, NULL) != 1)
		return 0;
	return len;
}

bool check_keys_make(struct check_keys *k, const uint8_t master[48], const uint8_t *client_random,
                     const uint8_t *server_random)
{
	const struct check_shape *s = &k->shape;
	size_t iv = s->gcm ? 4 : k->version == 0x0301 ? BLOCK : 0;
	uint8_t block[2 * (48 + 32 + 16)], *at = block;
	bool good = check_prf(k->version, s->hash, (struct check_bytes){ master, 48 },
	                      "key expansion", (struct check_bytes){ server_random, 32 },
	                      (struct check_bytes){ client_random, 32 }, block,
	                      2 * (s->mac_len + s->key_len + iv));

	k->ours_next = k->theirs_next = (struct check_direction){ .on = true, .shape = *s };
	memcpy(k->ours_next.mac, at, s->mac_len);
	memcpy(k->theirs_next.mac, at += s->mac_len, s->mac_len);
	memcpy(k->ours_next.key, at += s->mac_len, s->key_len);
	memcpy(k->theirs_next.key, at += s->key_len, s->key_len);
	memcpy(k->ours_next.iv, at += s->key_len, iv);
	memcpy(k->theirs_next.iv, at + iv, iv);
	base_wipe(block, sizeof(block));
	return good;
}

static void change(struct check_direction *now, const struct check_direction *next, bool dtls)
{
	uint64_t epoch = (now->number >> 48) + 1;

	*now = *next;
	now->number = dtls ? epoch << 48 : 0;
}

void check_keys_change_ours(struct check_keys *k)
{
	change(&k->ours, &k->ours_next, k->dtls);
}

void check_keys_change_theirs(struct check_keys *k)
{
	change(&k->theirs, &k->theirs_next, k->dtls);
}

void check_keys_wipe(struct check_keys *k)
{
	base_wipe(k, sizeof(*k));
}

/* -- AEAD -------------------------------------------------------------------------------------- */

bool check_aead_seal(const char *cipher, const uint8_t *key, const uint8_t nonce[12],
                     struct check_bytes aad, struct check_bytes text, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool good = ctx &&
	            EVP_EncryptInit_ex(ctx, EVP_get_cipherbyname(cipher), NULL, key, nonce) == 1 &&
	            EVP_EncryptUpdate(ctx, NULL, &n, aad.data, (int)aad.len) == 1 &&
	            EVP_EncryptUpdate(ctx, out, &n, text.data, (int)text.len) == 1 &&
	            EVP_EncryptFinal_ex(ctx, out + text.len, &n) == 1 &&
	            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + text.len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return good;
}

bool check_aead_open(const char *cipher, const uint8_t *key, const uint8_t nonce[12],
                     struct check_bytes aad, struct check_bytes sealed, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t len = sealed.len - TAG;
	int n;
	bool good = ctx && sealed.len >= TAG &&
	            EVP_DecryptInit_ex(ctx, EVP_get_cipherbyname(cipher), NULL, key, nonce) == 1 &&
	            EVP_DecryptUpdate(ctx, NULL, &n, aad.data, (int)aad.len) == 1 &&
	            EVP_DecryptUpdate(ctx, out, &n, sealed.data, (int)len) == 1 &&
	            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG,
	                                (void *)(sealed.data + len)) == 1 &&
	            EVP_DecryptFinal_ex(ctx, out + len, &n) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return good;
}

/* -- records ----------------------------------------------------------------------------------- */

static void put_u64(uint8_t *out, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (uint8_t)v;
}

/** The 13 octets in front of what is protected (RFC 5246, 6.2.3.1 and 6.2.3.3). */
static void head(const struct check_keys *k, uint64_t number, uint8_t type, size_t len,
                 uint8_t out[13])
{
	put_u64(out, number);
	out[8] = type;
	out[9] = (uint8_t)(k->version >> 8);
	out[10] = (uint8_t)k->version;
	out[11] = (uint8_t)(len >> 8);
	out[12] = (uint8_t)len;
}

static const char *gcm_name(const struct check_direction *d)
{
	return d->shape.key_len == 32 ? "AES-256-GCM" : "AES-128-GCM";
}

static bool gcm_seal(struct check_keys *k, uint8_t type, struct check_bytes text, uint8_t *out,
                     size_t *ret_len)
{
	uint8_t nonce[12], aad[13];

	memcpy(nonce, k->ours.iv, 4);
	put_u64(nonce + 4, k->ours.number);
	head(k, k->ours.number++, type, text.len, aad);
	memcpy(out, nonce + 4, 8);
	*ret_len = 8 + text.len + TAG;
	return check_aead_seal(gcm_name(&k->ours), k->ours.key, nonce,
	                       (struct check_bytes){ aad, sizeof(aad) }, text, out + 8);
}

static bool gcm_open(struct check_keys *k, uint8_t type, struct check_bytes text, uint8_t *out,
                     size_t *ret_len)
{
	uint8_t nonce[12], aad[13];

	if (text.len < 8 + TAG)
		return false;
	memcpy(nonce, k->theirs.iv, 4);
	memcpy(nonce + 4, text.data, 8);
	*ret_len = text.len - 8 - TAG;
	head(k, k->theirs.number++, type, *ret_len, aad);
	return check_aead_open(gcm_name(&k->theirs), k->theirs.key, nonce,
	                       (struct check_bytes){ aad, sizeof(aad) },
	                       (struct check_bytes){ text.data + 8, text.len - 8 }, out);
}

static bool mac_of(const struct check_keys *k, const struct check_direction *d, uint8_t type,
                   struct check_bytes text, uint8_t out[64])
{
	uint8_t all[13 + TEXT_MAX];
	unsigned len;

	head(k, d->number, type, text.len, all);
	memcpy(all + 13, text.data, text.len);
	return HMAC(EVP_get_digestbyname(d->shape.mac), d->mac, (int)d->shape.mac_len, all,
	            13 + text.len, out, &len) != NULL;
}

static bool cbc(const struct check_direction *d, bool seal, const uint8_t *iv, const uint8_t *in,
                size_t len, uint8_t *out)
{
	const EVP_CIPHER *cipher =
	        EVP_get_cipherbyname(d->shape.key_len == 32 ? "AES-256-CBC" : "AES-128-CBC");
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool good = ctx && EVP_CipherInit_ex(ctx, cipher, NULL, d->key, iv, seal) == 1 &&
	            EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	            EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return good;
}

static bool cbc_seal(struct check_keys *k, uint8_t type, struct check_bytes text, uint8_t *out,
                     size_t *ret_len)
{
	uint8_t clear[TEXT_MAX + 64 + BLOCK], mac[64];
	size_t len = text.len + k->ours.shape.mac_len, pad = BLOCK - len % BLOCK;
	size_t front = k->version >= 0x0302 ? BLOCK : 0;

	if (!mac_of(k, &k->ours, type, text, mac) ||
	    (front && base_random(k->ours.iv, sizeof(k->ours.iv))))
		return false;
	k->ours.number++;
	memcpy(clear, text.data, text.len);
	memcpy(clear + text.len, mac, k->ours.shape.mac_len);
	memset(clear + len, (int)(pad - 1), pad);
	len += pad;
	memcpy(out, k->ours.iv, front);
	if (!cbc(&k->ours, true, k->ours.iv, clear, len, out + front))
		return false;
	memcpy(k->ours.iv, out + front + len - BLOCK, BLOCK); /* TLS 1.0 goes on from there */
	*ret_len = front + len;
	return true;
}

static bool cbc_open(struct check_keys *k, uint8_t type, struct check_bytes text, uint8_t *out,
                     size_t *ret_len)
{
	size_t front = k->version >= 0x0302 ? BLOCK : 0, len = text.len - front, pad;
	uint8_t mac[64];

	if (text.len < front + BLOCK || len % BLOCK ||
	    !cbc(&k->theirs, false, front ? text.data : k->theirs.iv, text.data + front, len, out))
		return false;
	memcpy(k->theirs.iv, text.data + text.len - BLOCK, BLOCK);
	pad = (size_t)out[len - 1] + 1;
	if (pad + k->theirs.shape.mac_len > len)
		return false;
	len -= pad + k->theirs.shape.mac_len;
	if (!mac_of(k, &k->theirs, type, (struct check_bytes){ out, len }, mac))
		return false;
	k->theirs.number++;
	*ret_len = len;
	return base_secret_equal(mac, k->theirs.shape.mac_len, out + len, k->theirs.shape.mac_len);
}

bool check_keys_seal(struct check_keys *k, enum check_record type, const void *data, size_t len,
                     struct base_writer *out)
{
	uint8_t sealed[TEXT_MAX + 128];
	struct check_bytes text = { data, len };
	uint64_t number = k->ours.number;
	bool good = len <= 16384;

	if (good && k->ours.on)
		good = k->ours.shape.gcm ? gcm_seal(k, (uint8_t)type, text, sealed, &len)
		                         : cbc_seal(k, (uint8_t)type, text, sealed, &len);
	else if (good)
		k->ours.number++;
	if (good && k->dtls)
		check_record_put_dtls(out, type, k->version ? k->version : 0xfeff, number,
		                      k->ours.on ? sealed : data, len);
	else if (good)
		check_record_put(out, type, k->version ? k->version : 0x0301,
		                 k->ours.on ? sealed : data, len);
	return good && !out->failed;
}

bool check_keys_open(struct check_keys *k, uint8_t type, struct check_bytes text,
                     struct base_writer *out)
{
	uint8_t clear[TEXT_MAX + BLOCK];
	size_t len = text.len;

	if (len > TEXT_MAX)
		return false;
	if (!k->theirs.on) {
		base_writer_put(out, text.data, len);
		return true;
	}
	if (!(k->theirs.shape.gcm ? gcm_open(k, type, text, clear, &len)
	                          : cbc_open(k, type, text, clear, &len)))
		return false;
	base_writer_put(out, clear, len);
	return true;
}

bool check_verify_data(const struct check_keys *keys, const uint8_t master[48],
                       const struct base_writer *messages, const char *label,
                       uint8_t out[CHECK_VERIFY_DATA])
{
	uint8_t hash[64];
	size_t len = check_transcript_hash(keys->version, keys->shape.hash, messages, hash);

	return len && check_prf(keys->version, keys->shape.hash, (struct check_bytes){ master, 48 },
	                        label, (struct check_bytes){ hash, len },
	                        (struct check_bytes){ NULL, 0 }, out, CHECK_VERIFY_DATA);
}
