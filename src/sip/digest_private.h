/* SPDX-License-Identifier: Apache-2.0 */
/** @file Parameters of Digest and its hashes; private to this folder. */
#ifndef GH_SIP_DIGEST_PRIVATE_H
#define GH_SIP_DIGEST_PRIVATE_H

#include "sip/digest.h"

/* What stands behind "Digest", unquoted, in an arena; ptr NULL = it is not there. */
struct digest_params {
	struct base_str realm, nonce, opaque, algorithm, qop, stale, userhash;
	struct base_str username, uri, response, cnonce, nc;
};

/* Does the value begin with "Digest"? */
bool digest_scheme(struct base_str value);
/* @return 0; BASE_PEER 400: another scheme, a parameter twice, no parameters; BASE_LOCAL */
int digest_params_read(struct base_str value, struct base_arena *arena, struct digest_params *ret);
/* The name of an algorithm. @return false when it is not known */
bool digest_algorithm(struct base_str name, enum sip_hash *ret_hash, bool *ret_sess);
const char *digest_algorithm_name(enum sip_hash hash, bool sess);
/* H(a:b:c) as text; parts with ptr NULL are left out. */
int digest_hash(enum sip_hash hash, const struct base_str *parts, size_t count,
                char out[SIP_DIGEST_MAX]);
/* `name="value"`, escaped. */
void digest_quote(struct base_writer *w, const char *name, struct base_str value);

#endif
