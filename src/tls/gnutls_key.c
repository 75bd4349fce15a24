/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * GnuTLS's private-key operations, done by libcrypto: one library holds the keys, and its RSA is
 * several times faster.
 */
#include <gnutls/crypto.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "tls/gnutls_engine.h"

#define PREMASTER_LEN 48 /* RFC 5246, 7.4.7.1 */

gnutls_pk_algorithm_t tls_gnutls_pk(EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return GNUTLS_PK_RSA;
	case EVP_PKEY_RSA_PSS:
		return GNUTLS_PK_RSA_PSS;
	case EVP_PKEY_EC:
		return GNUTLS_PK_ECDSA;
	case EVP_PKEY_ED25519:
		return GNUTLS_PK_EDDSA_ED25519;
	case EVP_PKEY_ED448:
		return GNUTLS_PK_EDDSA_ED448;
	default:
		return GNUTLS_PK_UNKNOWN;
	}
}

static const EVP_MD *hash_of(gnutls_sign_algorithm_t algo)
{
	switch (gnutls_sign_get_hash_algorithm(algo)) {
	case GNUTLS_DIG_SHA1:
		return EVP_sha1();
	case GNUTLS_DIG_SHA224:
		return EVP_sha224();
	case GNUTLS_DIG_SHA256:
		return EVP_sha256();
	case GNUTLS_DIG_SHA384:
		return EVP_sha384();
	case GNUTLS_DIG_SHA512:
		return EVP_sha512();
	default:
		return NULL; /* RSA-RAW: what is signed is formatted already */
	}
}

static bool is_pss(gnutls_sign_algorithm_t algo)
{
	switch (algo) {
	case GNUTLS_SIGN_RSA_PSS_SHA256:
	case GNUTLS_SIGN_RSA_PSS_SHA384:
	case GNUTLS_SIGN_RSA_PSS_SHA512:
	case GNUTLS_SIGN_RSA_PSS_RSAE_SHA256:
	case GNUTLS_SIGN_RSA_PSS_RSAE_SHA384:
	case GNUTLS_SIGN_RSA_PSS_RSAE_SHA512:
		return true;
	default:
		return false;
	}
}

/** RFC 8446, 4.2.3: the salt is as long as the digest. */
static bool padding_set(EVP_PKEY_CTX *ctx, gnutls_sign_algorithm_t algo)
{
	if (is_pss(algo))
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
}

static bool is_rsa(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
}

/** Room for a signature; libcrypto tells how much of it is used. No context, no room. */
static bool signature_new(const void *ctx, EVP_PKEY *key, gnutls_datum_t *ret)
{
	*ret = (gnutls_datum_t){ NULL, 0 };
	if (!ctx)
		return false;
	ret->size = (unsigned)EVP_PKEY_get_size(key);
	ret->data = gnutls_malloc(ret->size);
	return ret->data != NULL;
}

static int signature_done(gnutls_datum_t *signature, size_t len, bool ok)
{
	ERR_clear_error();
	if (ok) {
		signature->size = (unsigned)len;
		return 0;
	}
	gnutls_free(signature->data);
	*signature = (gnutls_datum_t){ NULL, 0 };
	return GNUTLS_E_PK_SIGN_FAILED;
}

/**
 * libcrypto looks its algorithms up anew, under locks, for each EVP_PKEY_CTX; so one that is set up
 * stays until another scheme is wanted. NULL when libcrypto refuses the scheme.
 */
static EVP_PKEY_CTX *sign_context(struct tls_gnutls_key *own, gnutls_sign_algorithm_t algo)
{
	EVP_PKEY *key = own->identity->key;
	const EVP_MD *md = hash_of(algo);
	EVP_PKEY_CTX *ctx;

	if (own->sign && own->sign_algo == algo)
		return own->sign;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	EVP_PKEY_CTX_free(own->sign);
	own->sign = NULL;
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1 || (is_rsa(key) && !padding_set(ctx, algo)) ||
	    (md && EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)) {
		EVP_PKEY_CTX_free(ctx);
		return NULL;
	}
	own->sign = ctx;
	own->sign_algo = algo;
	return ctx;
}

static int on_sign_hash(gnutls_privkey_t unused, gnutls_sign_algorithm_t algo, void *arg,
                        unsigned flags, const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	struct tls_gnutls_key *own = arg;
	EVP_PKEY_CTX *ctx = sign_context(own, algo);
	bool ok = signature_new(ctx, own->identity->key, signature);
	size_t len = signature->size;

	(void)unused;
	(void)flags;
	ok = ok && EVP_PKEY_sign(ctx, signature->data, &len, hash->data, hash->size) == 1;
	return signature_done(signature, len, ok);
}

/** EdDSA signs the data themselves. */
static int eddsa_sign(EVP_PKEY *key, const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = signature_new(ctx, key, signature) &&
	          EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1;
	size_t len = signature->size;

	ok = ok && EVP_DigestSign(ctx, signature->data, &len, data->data, data->size) == 1;
	EVP_MD_CTX_free(ctx);
	return signature_done(signature, len, ok);
}

static int on_sign_data(gnutls_privkey_t unused, gnutls_sign_algorithm_t algo, void *arg,
                        unsigned flags, const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	struct tls_gnutls_key *own = arg;
	gnutls_digest_algorithm_t digest = gnutls_sign_get_hash_algorithm(algo);
	unsigned char octets[64];
	gnutls_datum_t hash = { octets, gnutls_hash_get_len(digest) };

	if (own->pk == GNUTLS_PK_EDDSA_ED25519 || own->pk == GNUTLS_PK_EDDSA_ED448)
		return eddsa_sign(own->identity->key, data, signature);
	if (!hash_of(algo) || hash.size > sizeof(octets) ||
	    gnutls_hash_fast(digest, data->data, data->size, octets) < 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	return on_sign_hash(unused, algo, arg, flags, &hash, signature);
}

/**
 * RSA key transport (RFC 5246, 7.4.7.1). Whatever is wrong with the ciphertext, libcrypto gives 48
 * octets in the same time: the secret, or random ones that make the handshake fail at Finished. It
 * checks the version inside, which must be that of the ClientHello.
 */
static bool premaster_decrypt(struct tls_gnutls_key *own, const gnutls_datum_t *in,
                              unsigned char *out)
{
	const struct tls_gnutls_session *gs = own->gc->session->engine;
	unsigned hello = gs->hello_version;
	OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION,
		                                          &hello),
		                OSSL_PARAM_construct_end() };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own->identity->key, NULL);
	size_t len = PREMASTER_LEN;
	bool ok = ctx && EVP_PKEY_decrypt_init(ctx) == 1 &&
	          EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_WITH_TLS_PADDING) == 1 &&
	          EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
	          EVP_PKEY_decrypt(ctx, out, &len, in->data, in->size) == 1 && len == PREMASTER_LEN;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static int on_decrypt(gnutls_privkey_t unused, void *arg, const gnutls_datum_t *in,
                      gnutls_datum_t *out)
{
	struct tls_gnutls_key *own = arg;
	unsigned char *secret = gnutls_malloc(PREMASTER_LEN + 1);

	(void)unused;
	if (!secret)
		return GNUTLS_E_MEMORY_ERROR;
	/* A ciphertext of the wrong length fails for all to see; the rest does not. */
	if (!premaster_decrypt(own, in, secret) && base_random(secret, PREMASTER_LEN)) {
		gnutls_free(secret);
		return GNUTLS_E_RANDOM_FAILED;
	}
	*out = (gnutls_datum_t){ secret, PREMASTER_LEN };
	return 0;
}

static int on_info(gnutls_privkey_t unused, unsigned flags, void *arg)
{
	const struct tls_gnutls_key *own = arg;

	(void)unused;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)own->pk;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return EVP_PKEY_get_bits(own->identity->key);
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) {
		gnutls_sign_algorithm_t algo = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);

		if (own->pk == GNUTLS_PK_RSA && algo == GNUTLS_SIGN_RSA_RAW)
			return 1;
		return gnutls_sign_supports_pk_algorithm(algo, own->pk) ? 1 : 0;
	}
	return -1;
}

int tls_gnutls_key_new(struct tls_gnutls_key *own, gnutls_privkey_t *ret)
{
	gnutls_privkey_t key;
	int rc = gnutls_privkey_init(&key);

	if (rc < 0)
		return rc;
	rc = gnutls_privkey_import_ext4(key, own, on_sign_data, on_sign_hash,
	                                own->pk == GNUTLS_PK_RSA ? on_decrypt : NULL, NULL, on_info,
	                                0);
	if (rc < 0) {
		gnutls_privkey_deinit(key);
		return rc;
	}
	*ret = key;
	return 0;
}
