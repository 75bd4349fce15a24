/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a certificate or a CRL says, as plain values for people and for decisions of a hand tool.
 */
#ifndef GH_X509_ABOUT_H
#define GH_X509_ABOUT_H

#include <openssl/x509.h>

#include "base/base.h"
#include "x509/crl_index.h"
#include "x509/fingerprint.h"
#include "x509/make.h"

/** Certificate in words. */
struct x509_about {
	char subject[256], issuer[256];          /**< RFC 2253 form, shortened */
	char serial[2 * X509_SERIAL_OCTETS + 3]; /**< upper-case hex, even digits; "+" if longer */
	int64_t from_s, until_s;                 /**< UNIX time; 0 where it cannot be read */
	bool ca;          /**< basicConstraints cA and, where it is said, keyCertSign */
	bool self_signed; /**< by names AND by its signature */
	int path_len;     /**< -1 = no limit */
	char key[32];     /**< "EC P-256", "RSA 2048" */
	char sha256[X509_FINGERPRINT_TEXT];
};
/** @return 0 or BASE_LOCAL */
int x509_about_cert(X509 *cert, struct x509_about *ret);

/** Issuer name and signature say that `issuer` signed it; dates and the rest are not looked at. */
bool x509_signed_by(X509 *cert, X509 *issuer);

/** A certificate's DER encoding; x509_der_free(). @return 0 or BASE_LOCAL */
int x509_cert_der(const X509 *cert, struct base_str *ret);
void x509_der_free(struct base_str *der);

struct x509_about_crl {
	char issuer[256];
	char number[48];        /**< decimal, "" = none */
	int64_t this_s, next_s; /**< UNIX time; 0 = none */
	size_t count;           /**< entries */
};
void x509_about_crl(X509_CRL *crl, struct x509_about_crl *ret);
/** The same of an index. */
void x509_about_crl_index(const struct x509_crl_index *index, struct x509_about_crl *ret);

/**
 * The addresses of a certificate's CRL distribution points, NULL-terminated; x509_urls_free().
 * @return NULL where there are none or memory is short
 */
char **x509_crl_urls(X509 *cert);
/** The same of a CRL's freshestCRL (RFC 5280, 5.2.6), DER; any octets are safe. */
char **x509_crl_freshest(const void *der, size_t len);
void x509_urls_free(char **urls);

#endif
