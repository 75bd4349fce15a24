/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A PKI made while a test runs: certificates good and bad, CRLs, and the files that hold them.
 * Every function ends the test (cmocka) when libcrypto or the file system fails.
 */
#ifndef GH_TESTS_PKI_H
#define GH_TESTS_PKI_H

#include <openssl/x509.h>

#include "x509/x509.h"

/** A certificate with its key; free with pki_free(). */
struct pki {
	X509 *cert;
	EVP_PKEY *key;
};

#define PKI_DAY (24L * 3600)

/** What to make. All zero is a good leaf with an EC P-256 key. */
struct pki_spec {
	const char *cn;           /**< NULL = "leaf" */
	const struct pki *issuer; /**< NULL = self-signed */
	const EVP_PKEY *key;      /**< use this one (referenced); NULL = a new one */
	bool ca;
	int path_len;         /**< pathLenConstraint + 1; 0 = none */
	long from_s, to_s;    /**< validity from now; both 0 = yesterday to in a year */
	const char *dns;      /**< dNSName; NULL = no subjectAltName */
	const char *eku;      /**< NULL = serverAuth,clientAuth for a leaf; "" = none */
	const char *usage;    /**< keyUsage; NULL = as fits; "" = none */
	unsigned rsa_bits;    /**< 0 = EC */
	const char *md;       /**< signature hash; NULL = SHA256 */
	unsigned long serial; /**< 0 = random */
	int ext_nid;          /**< one more extension; 0 = none */
	const char *ext;      /**< its value in libcrypto's words */
};

struct pki pki_make(const struct pki_spec *spec);
/** Wipe and free; all zero is fine. */
void pki_free(struct pki *pki);

/** A CA "Test CA NAME" with a leaf's worth of defaults. */
struct pki pki_ca(const char *cn);
/** A good leaf of an issuer. */
struct pki pki_leaf(const char *cn, const struct pki *issuer);

/** A CRL by `issuer` that lists `revoked` (NULL-terminated, or NULL), valid from_s to to_s. */
X509_CRL *pki_crl(const struct pki *issuer, X509 *const *revoked, long from_s, long to_s);

/** An OCSP response (DER, pki_der_free()) by `by` about a certificate of `issuer`: `status` of
 * <openssl/ocsp.h>; valid from_s to to_s, 0 = it does not say until when. */
struct base_str pki_staple(const struct pki *by, const struct pki *issuer, X509 *about, int status,
                           long from_s, long to_s);

/** DER, owned by the caller (OPENSSL_free on ptr). */
struct base_str pki_der(X509 *cert);
void pki_der_free(struct base_str *der);

/** As the product's identity: loaded back through PEM files, so that the real loader is used. */
struct x509_identity *pki_identity(const struct pki *pki, const struct pki *const *chain);

/** A new empty folder; pki_dir_remove() removes it with its files and frees the name. */
char *pki_dir_new(void);
void pki_dir_remove(char *dir);
/** Path of a file in a folder, owned by the caller (free). */
char *pki_path(const char *dir, const char *name);
/** Write files; return the path (free). NULL-terminated lists of certificates. */
char *pki_write_certs(const char *dir, const char *name, X509 *const *certs);
char *pki_write_key(const char *dir, const char *name, EVP_PKEY *key);
char *pki_write_crl(const char *dir, const char *name, X509_CRL *crl, bool pem);
char *pki_write(const char *dir, const char *name, const void *data, size_t len);

#endif
