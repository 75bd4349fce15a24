/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What one side of TLS shows: a certificate, the chain above it, and the private key.
 */
#ifndef GH_X509_IDENTITY_H
#define GH_X509_IDENTITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/base.h"

/** A certificate with its chain and its private key. Immutable, shared, reference counted. */
struct x509_identity {
	X509 *cert;             /**< the entity's own certificate */
	STACK_OF(X509) * chain; /**< the CA certificates to send after it; may be empty */
	EVP_PKEY *key;          /**< never printed, never given to an engine that can do without */
	const struct base_str *der; /**< DER of `cert`, then of `chain`, in sending order */
	size_t der_count;           /**< at least 1 */
};

/**
 * Read certificate chain and key from PEM files (they may be the same file). The first certificate
 * is the entity's own, the others are sent after it in the file's order. Checks that the key
 * belongs to the certificate. An encrypted key is refused (there is nobody to ask at start-up).
 * `key` may also be the URI of a key in a token, with its pin-source (key.h).
 * @return 0, or BASE_CONFIG with file and reason in `err`, or BASE_LOCAL.
 */
int x509_identity_load(struct x509_identity **ret, const char *cert_file, const char *key,
                       struct base_error *err);

/**
 * Who else can read a key file? It is the operator's to decide, so this only warns.
 * @return false when all is well (or the file cannot be looked at, which loading will tell); true
 *         with one sentence in `buf` for the log when group or others may read or write it.
 */
bool x509_key_file_check(const char *key_file, char *buf, size_t cap);

enum x509_key_kind { X509_KEY_EC_P256, X509_KEY_EC_P384, X509_KEY_RSA_2048, X509_KEY_RSA_3072 };

/** A new private key; free with EVP_PKEY_free(). @return 0 or BASE_LOCAL. */
int x509_key_make(enum x509_key_kind kind, EVP_PKEY **ret);

/**
 * Make a self-signed certificate (v3, random positive serial, SHA-256, critical keyUsage
 * digitalSignature (+ keyEncipherment for RSA), EKU serverAuth + clientAuth).
 * @param common_name  subject CN and SAN dNSName; 1 to 64 octets (RFC 5280, A.1 ub-common-name)
 * @param valid_s      seconds of validity from now (backdated by a day against clock skew)
 * @return 0; BASE_CONFIG for a name or validity that cannot be, BASE_LOCAL
 */
int x509_identity_self_signed(struct x509_identity **ret, enum x509_key_kind kind,
                              const char *common_name, long valid_s, struct base_error *err);
struct x509_identity *x509_identity_ref(struct x509_identity *id);
/** NULL is fine. Wipes the key with the last reference. */
void x509_identity_unref(struct x509_identity *id);

#endif
