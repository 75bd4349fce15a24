/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the files of this folder only. */
#ifndef GH_X509_INTERNAL_H
#define GH_X509_INTERNAL_H

#include <openssl/x509v3.h>

#include "x509/x509.h"

/**
 * All of a file, wiped and freed by the caller through base_secret_done() since it may hold a key.
 * @return 0, BASE_CONFIG with file and reason, or BASE_LOCAL
 */
int x509_file_read(const char *file, struct base_secret *ret, struct base_error *err);

/**
 * Take over a certificate, a chain and a key, and check that key and certificate belong together.
 * All three are owned by the callee from here on, also on failure. `chain` may be NULL.
 */
int x509_identity_wrap(struct x509_identity **ret, X509 *cert, STACK_OF(X509) * chain,
                       EVP_PKEY *key, struct base_error *err);

/**
 * Why libcrypto failed: the reason of the last error in this thread's queue, which is emptied.
 * Constant text.
 */
const char *x509_crypto_reason(void);

/** SHA-384 for a P-384 key, else SHA-256 (TS 33.310, 6.1.1). Pure. */
const EVP_MD *x509_digest_for(const EVP_PKEY *key);
/** One distribution point with these addresses, NULL-terminated. NULL when memory is short. */
CRL_DIST_POINTS *x509_points_make(const char *const *urls);
/** @return 0 or -1 */
int x509_serial_set(ASN1_INTEGER *into, const uint8_t serial[X509_SERIAL_OCTETS]);

#endif
