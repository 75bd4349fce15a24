/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private keys, from a PEM file or in a PKCS#11 token (RFC 7512). What is in a token stays there:
 * the EVP_PKEY signs by asking it, and that is all it can do.
 *
 * A URI names one token and one key ("pkcs11:token=operator-a;object=tls-server"). Its query may
 * have `module-path` or `module-name`, else the modules that p11-kit is configured with are asked,
 * and `pin-source`, a file. A PIN in the URI itself (`pin-value`) is refused: it would stand in
 * process lists and configurations.
 */
#ifndef GH_X509_KEY_H
#define GH_X509_KEY_H

#include <openssl/evp.h>

#include "base/base.h"
#include "x509/identity.h"

/**
 * Who is asked for a token's PIN where the URI has no `pin-source`. Fills `ret`, which is wiped by
 * the caller. @return 0, or negative when nobody answers
 */
typedef int x509_pin_ask(void *arg, const char *token, struct base_secret *ret);

/** Is this the URI of a key in a token, not the name of a file? Pure. */
bool x509_key_is_uri(const char *name);

/**
 * The private key that `name` is: a PEM file or a URI. `ask` may be NULL: then a URI needs a
 * pin-source. A wrong PIN is tried once only, because tokens lock.
 *
 * The key of a token keeps a session open until it is freed; its operations may be called from any
 * thread and wait for each other.
 * @return 0, free with EVP_PKEY_free(); BASE_CONFIG with words; BASE_LOCAL
 */
int x509_key_load(EVP_PKEY **ret, const char *name, x509_pin_ask *ask, void *arg,
                  struct base_error *err);

/**
 * Make a key pair in the token under the URI's object name (and id, where it has one), as
 * x509_key_load() then gives it: sensitive, not extractable. Refused when the token has such an
 * object already.
 */
int x509_key_make_in_token(EVP_PKEY **ret, enum x509_key_kind kind, const char *uri,
                           x509_pin_ask *ask, void *arg, struct base_error *err);

/** As x509_identity_load(), where `key` may be a URI too; `ask` as above. */
int x509_identity_load_asking(struct x509_identity **ret, const char *cert_file, const char *key,
                              x509_pin_ask *ask, void *arg, struct base_error *err);

#endif
