/* SPDX-License-Identifier: Apache-2.0 */
#include "check/exchange.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const char *curve_name(uint16_t group)
{
	switch (group) {
	case 23:
		return "P-256";
	case 24:
		return "P-384";
	case 25:
		return "P-521";
	case 29:
		return "X25519";
	default:
		return NULL;
	}
}

static void vector_16(struct base_writer *w, const void *data, size_t len)
{
	base_writer_u16(w, (uint16_t)len);
	base_writer_put(w, data, len);
}

/* -- elliptic curves --------------------------------------------------------------------------- */

void *check_share_new(uint16_t group, struct base_writer *ret_public)
{
	const char *name = curve_name(group);
	EVP_PKEY *key = !name         ? NULL
	                : group == 29 ? EVP_PKEY_Q_keygen(NULL, NULL, "X25519")
	                              : EVP_PKEY_Q_keygen(NULL, NULL, "EC", name);
	unsigned char *point = NULL;
	size_t len = key ? EVP_PKEY_get1_encoded_public_key(key, &point) : 0;

	base_writer_put(ret_public, point, len);
	OPENSSL_free(point);
	if (len)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

void check_share_free(void *share)
{
	EVP_PKEY_free(share);
}

bool check_share_agree(void *share, uint16_t group, struct check_bytes theirs,
                       struct base_writer *secret)
{
	EVP_PKEY *key = share, *peer = EVP_PKEY_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t out[128];
	size_t len = sizeof(out);
	bool good = peer && ctx && curve_name(group) && EVP_PKEY_copy_parameters(peer, key) == 1 &&
	            EVP_PKEY_set1_encoded_public_key(peer, theirs.data, theirs.len) == 1 &&
	            EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	            EVP_PKEY_derive(ctx, out, &len) == 1;

	if (good)
		base_writer_put(secret, out, len);
	base_wipe(out, sizeof(out));
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return good;
}

static bool by_ecdh(const struct check_key_exchange *ske, struct base_writer *body,
                    struct base_writer *secret)
{
	struct base_writer point = { 0 };
	void *share = check_share_new(ske->group, &point);
	bool good = share && check_share_agree(share, ske->group, ske->point, secret);

	base_writer_u8(body, (uint8_t)point.len);
	base_writer_put(body, point.data, point.len);
	base_writer_done(&point);
	check_share_free(share);
	return good;
}

/* -- finite fields ----------------------------------------------------------------------------- */

/** RFC 5246, 8.1.2: leading zeros of the secret are taken away. */
static bool by_dh(const struct check_key_exchange *ske, struct base_writer *body,
                  struct base_writer *secret)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_bin2bn(ske->dh_p.data, (int)ske->dh_p.len, NULL);
	BIGNUM *g = BN_bin2bn(ske->dh_g.data, (int)ske->dh_g.len, NULL);
	BIGNUM *theirs = BN_bin2bn(ske->point.data, (int)ske->point.len, NULL);
	BIGNUM *x = BN_new(), *ours = BN_new(), *shared = BN_new();
	uint8_t out[2048];
	bool good = ctx && p && g && theirs && x && ours && shared && ske->dh_bits >= 64 &&
	            ske->dh_bits <= 8192 && BN_is_odd(p) && BN_rand(x, 256, -1, 0) == 1 &&
	            BN_mod_exp(ours, g, x, p, ctx) == 1 &&
	            BN_mod_exp(shared, theirs, x, p, ctx) == 1;

	if (good) {
		vector_16(body, out, (size_t)BN_bn2bin(ours, out));
		base_writer_put(secret, out, (size_t)BN_bn2bin(shared, out));
	}
	base_wipe(out, sizeof(out));
	BN_free(p);
	BN_free(g);
	BN_free(theirs);
	BN_clear_free(x);
	BN_free(ours);
	BN_clear_free(shared);
	BN_CTX_free(ctx);
	return good;
}

/* -- RSA --------------------------------------------------------------------------------------- */

static bool by_rsa(const struct check_answer *a, uint16_t client_version, struct base_writer *body,
                   struct base_writer *secret)
{
	struct check_bytes der = check_answer_certificate(a);
	const unsigned char *at = der.data;
	X509 *cert = der.len ? d2i_X509(NULL, &at, (long)der.len) : NULL;
	EVP_PKEY_CTX *ctx = cert ? EVP_PKEY_CTX_new(X509_get0_pubkey(cert), NULL) : NULL;
	uint8_t premaster[48], out[2048];
	size_t len = sizeof(out);
	bool good = ctx && !base_random(premaster, sizeof(premaster));

	premaster[0] = (uint8_t)(client_version >> 8);
	premaster[1] = (uint8_t)client_version;
	good = good && EVP_PKEY_encrypt_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_encrypt(ctx, out, &len, premaster, sizeof(premaster)) == 1;
	if (good) {
		vector_16(body, out, len);
		base_writer_put(secret, premaster, sizeof(premaster));
	}
	base_wipe(premaster, sizeof(premaster));
	EVP_PKEY_CTX_free(ctx);
	X509_free(cert);
	return good;
}

/* -- all --------------------------------------------------------------------------------------- */

void check_psk_mix(struct base_writer *secret, const struct check_psk *psk, bool alone)
{
	struct base_writer mixed = { .wipe = true };
	static const uint8_t zeros[128]; /* as long as a key can be here */
	size_t len = alone ? BASE_MIN(psk->key.len, sizeof(zeros)) : secret->len;

	vector_16(&mixed, alone ? zeros : secret->data, len);
	vector_16(&mixed, psk->key.data, psk->key.len);
	base_writer_reset(secret);
	base_writer_put(secret, mixed.data, mixed.len);
	base_writer_done(&mixed);
}

bool check_exchange_make(const struct check_answer *a, const struct check_shape *shape,
                         uint16_t client_version, const struct check_psk *psk,
                         struct base_writer *body, struct base_writer *premaster)
{
	struct check_key_exchange ske = { .group = 0 };
	bool good = true;

	if (shape->psk) {
		if (!psk || !psk->identity)
			return false;
		vector_16(body, psk->identity, strlen(psk->identity));
	}
	if (shape->exchange == CHECK_BY_ECDH || shape->exchange == CHECK_BY_DH)
		good = check_key_exchange_read(a, &ske);
	if (shape->exchange == CHECK_BY_ECDH)
		good = good && by_ecdh(&ske, body, premaster);
	else if (shape->exchange == CHECK_BY_DH)
		good = good && by_dh(&ske, body, premaster);
	else if (shape->exchange == CHECK_BY_RSA)
		good = by_rsa(a, client_version, body, premaster);
	if (good && shape->psk)
		check_psk_mix(premaster, psk, shape->exchange == CHECK_BY_PSK);
	return good && !body->failed && !premaster->failed;
}
