/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a peer that was let in rests on, kept with its session as long as that lives, so that a CRL
 * which comes later is held against it: by whom each certificate of its path was issued, and its
 * serial number. About a hundred octets; paths are not validated again.
 */
#ifndef GH_TRUST_STANDING_H
#define GH_TRUST_STANDING_H

#include "base/base.h"

struct trust_store;

/** Immutable, reference counted, any thread. */
struct trust_standing;

struct trust_standing *trust_standing_ref(struct trust_standing *standing);
/** NULL is fine. */
void trust_standing_unref(struct trust_standing *standing);

/** What a store says of many standings, as it knows at one time. One thread's. */
struct trust_sweep;

/**
 * Take what the store's files and the latest view of its cache say now.
 * @param store  referenced; may be another than the one that judged
 * @param now_s  UNIX time; 0 = the clock
 * @return 0 or BASE_LOCAL
 */
int trust_sweep_new(struct trust_sweep **ret, struct trust_store *store, int64_t now_s);
/** NULL is fine. */
void trust_sweep_free(struct trust_sweep *sweep);

struct trust_condemned {
	int depth;      /**< of the certificate that is revoked, 0 = the peer's own */
	char text[256]; /**< one sentence: serial number, reason, CRL */
};

/**
 * Is a certificate that it rests on revoked? Said by a CRL whose signature the issuer's key made,
 * that is not past its nextUpdate, and by no delta taken back (RFC 5280, 6.3.3). A CRL that is
 * missing or stale condemns nobody, nor does an indirect one: those are looked at in handshakes.
 * After the first of an issuer no allocation.
 */
bool trust_sweep_condemns(struct trust_sweep *sweep, const struct trust_standing *standing,
                          struct trust_condemned *ret);

#endif
