/* SPDX-License-Identifier: Apache-2.0 */
/** @file Keys in PKCS#11 tokens, for key.c; `token_none.c` stands in where they are not built. */
#ifndef GH_X509_TOKEN_H
#define GH_X509_TOKEN_H

#include "x509/key.h"

/** As x509_key_load() of a URI; where `make` is not NULL the pair is made first. */
int x509_token_key(EVP_PKEY **ret, const char *uri, const enum x509_key_kind *make,
                   x509_pin_ask *ask, void *arg, struct base_error *err);

/** The words of an error that token_key.c queued; NULL when it is not one of those. */
const char *x509_token_reason(unsigned long code);

#endif
