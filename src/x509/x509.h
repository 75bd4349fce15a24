/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Certificates, keys, CRLs and fingerprints, on OpenSSL's libcrypto. No TLS, no trust decisions.
 * Objects are immutable once made, so any thread may read them; references are atomic.
 */
#ifndef GH_X509_H
#define GH_X509_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/base.h"

/** Hash functions a fingerprint may use (RFC 8122, 5), by their names in SDP. */
enum x509_hash {
	X509_HASH_SHA1,
	X509_HASH_SHA224,
	X509_HASH_SHA256,
	X509_HASH_SHA384,
	X509_HASH_SHA512
};

#define X509_FINGERPRINT_MAX 64

/** A certificate's fingerprint: hash of its DER encoding (RFC 8122, 5). */
struct x509_fingerprint {
	enum x509_hash hash;
	uint8_t octets[X509_FINGERPRINT_MAX];
	size_t len;
};

/** Compute the fingerprint of a DER certificate. @return 0 or BASE_LOCAL. */
int x509_fingerprint_make(enum x509_hash hash, const uint8_t *der, size_t len,
                          struct x509_fingerprint *ret);
/** Same hash and same octets. */
bool x509_fingerprint_equal(const struct x509_fingerprint *a, const struct x509_fingerprint *b);
/** SDP name ("sha-256"); pure. */
const char *x509_hash_name(enum x509_hash hash);
/** By SDP name, case-insensitive; BASE_PEER for an unknown or too weak one (md2, md5: RFC 8122, 5).
 */
int x509_hash_parse(struct base_str name, enum x509_hash *ret);

/** A certificate with its chain and, perhaps, its private key: what one side of TLS shows. */
struct x509_identity {
	X509 *cert;             /**< the entity's own certificate */
	STACK_OF(X509) * chain; /**< the CA certificates to send after it; may be empty */
	EVP_PKEY *key;          /**< never printed, never given to an engine that can do without */
};

/**
 * Read certificate chain and key from PEM files (they may be the same file). Checks that the key
 * belongs to the certificate.
 * @return 0, or BASE_CONFIG with file and reason in `err`.
 */
int x509_identity_load(struct x509_identity **ret, const char *cert_file, const char *key_file,
                       struct base_error *err);

enum x509_key_kind { X509_KEY_EC_P256, X509_KEY_EC_P384, X509_KEY_RSA_2048, X509_KEY_RSA_3072 };

/**
 * Make a self-signed certificate (v3, random positive serial, SHA-256, critical keyUsage
 * digitalSignature (+ keyEncipherment for RSA), EKU serverAuth + clientAuth).
 * @param common_name  subject CN and SAN dNSName
 * @param valid_s      seconds of validity from now (backdated by a day against clock skew)
 */
int x509_identity_self_signed(struct x509_identity **ret, enum x509_key_kind kind,
                              const char *common_name, long valid_s, struct base_error *err);
struct x509_identity *x509_identity_ref(struct x509_identity *id);
/** NULL is fine. Wipes the key with the last reference. */
void x509_identity_unref(struct x509_identity *id);

#endif
