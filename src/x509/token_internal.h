/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the token files, which alone know p11-kit. */
#ifndef GH_X509_TOKEN_INTERNAL_H
#define GH_X509_TOKEN_INTERNAL_H

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "x509/internal.h"
#include "x509/token.h"

/** A session with one token. All zero is a closed one. */
struct token {
	CK_FUNCTION_LIST **modules; /**< all that p11-kit is configured with; NULL-terminated, */
	CK_FUNCTION_LIST *own;      /**< or the URI's module-path */
	CK_FUNCTION_LIST *f;        /**< the token's, one of the above */
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	bool open;
	char label[33];
};

/** Find the token, open a session, log in. @return 0; BASE_CONFIG with words; BASE_LOCAL */
int token_open(struct token *t, P11KitUri *uri, bool write, x509_pin_ask *ask, void *arg,
               struct base_error *err);
void token_close(struct token *t);

/** "WHAT in token 'LABEL': what PKCS#11 says". */
int token_error(const struct token *t, CK_RV rv, const char *what, struct base_error *err);

/**
 * The one object of this class with the URI's name and id. `*ret_count` are those found (at most
 * 2); the handle is set when there is one.
 */
int token_find(const struct token *t, P11KitUri *uri, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *ret,
               unsigned *ret_count, struct base_error *err);

/** Make the pair under the URI's name. */
int token_generate(const struct token *t, P11KitUri *uri, enum x509_key_kind kind,
                   struct base_error *err);

/**
 * An EVP_PKEY that signs in the token. On success the session is its own and `t` is closed;
 * `public` may be the private object itself where that tells its public half.
 */
int token_key_wrap(EVP_PKEY **ret, struct token *t, CK_OBJECT_HANDLE private,
                   CK_OBJECT_HANDLE public, struct base_error *err);

#endif
