/* SPDX-License-Identifier: Apache-2.0 */
/** @file The client's part of a key exchange (RFC 5246, 7.4.7; RFC 4279; RFC 8422). */
#ifndef GH_CHECK_EXCHANGE_H
#define GH_CHECK_EXCHANGE_H

#include "check/keys.h"

/** A pre-shared key for suites that need one; all zero = none. */
struct check_psk {
	const char *identity;
	struct check_bytes key;
};

/**
 * Body of a ClientKeyExchange and the premaster secret, to a server's first flight.
 * @return false where the flight does not bring what the suite needs
 */
bool check_exchange_make(const struct check_answer *answer, const struct check_shape *shape,
                         uint16_t client_version, const struct check_psk *psk,
                         struct base_writer *body, struct base_writer *premaster);

/** RFC 4279, 2: the other secret, or where the key is `alone` as many zeros as it has; then the
 *  key. */
void check_psk_mix(struct base_writer *secret, const struct check_psk *psk, bool alone);

/** One's own side of an elliptic curve group; opaque (an EVP_PKEY). NULL where there is none. */
void *check_share_new(uint16_t group, struct base_writer *ret_public);
bool check_share_agree(void *share, uint16_t group, struct check_bytes theirs,
                       struct base_writer *secret);
void check_share_free(void *share);

#endif
