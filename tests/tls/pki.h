/* SPDX-License-Identifier: Apache-2.0 */
/** @file Certificates for the laboratory. */
#ifndef GH_TESTS_TLS_PKI_H
#define GH_TESTS_TLS_PKI_H

#include "x509/x509.h"

#define PKI_PATH 128

struct pki_ca {
	X509 *cert;
	EVP_PKEY *key;
};

/** A root, written to `dir`/ca.pem. */
void pki_ca_make(struct pki_ca *ca, const char *dir);
/** The same with a name of its own, and an RSA key. */
void pki_ca_make_as(struct pki_ca *ca, const char *dir, const char *name, bool rsa);
void pki_ca_done(struct pki_ca *ca);
/** A certificate for both roles, valid from and until so many seconds from now. */
struct x509_identity *pki_issue(const struct pki_ca *ca, const char *dir, const char *name,
                                bool rsa, long from_s, long until_s, bool sha1);

#endif
