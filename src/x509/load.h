/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Certificates and CRLs from files and from memory, and their names as text.
 */
#ifndef GH_X509_LOAD_H
#define GH_X509_LOAD_H

#include <openssl/x509.h>

#include "base/base.h"

/**
 * Append every certificate of a file to `into`: PEM (any number, other PEM blocks are skipped) or
 * one DER certificate.
 * @return 0; BASE_CONFIG with file and reason (unreadable, malformed, none in it); BASE_LOCAL.
 *         `into` may have grown on failure.
 */
int x509_certs_load(const char *file, STACK_OF(X509) * into, struct base_error *err);
/** The same of memory; `name` stands for the file in errors. */
int x509_certs_parse(const char *name, const void *data, size_t len, STACK_OF(X509) * into,
                     struct base_error *err);
/** As x509_certs_load, for CRLs (RFC 5280, 5). */
int x509_crls_load(const char *file, STACK_OF(X509_CRL) * into, struct base_error *err);
int x509_crls_parse(const char *name, const void *data, size_t len, STACK_OF(X509_CRL) * into,
                    struct base_error *err);

/**
 * A name in the form of RFC 2253 ("CN=mg1,O=Home"), control characters escaped, shortened with
 * "..." where it does not fit, always terminated. @return `buf`.
 */
const char *x509_name_format(const X509_NAME *name, char *buf, size_t cap);

#endif
