/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/relay: SRTP and SRTCP (RFC 3711; RFC 7714) of one peer, both directions, whatever
 * its SSRCs. The only user of libsrtp2.
 */
#ifndef GH_RELAY_SRTP_H
#define GH_RELAY_SRTP_H

#include "tls/tls.h"

struct relay_srtp;

/** SSRCs of one direction that are told apart; packets of more are dropped, for each costs memory
 * of its own until the end. */
#define RELAY_SRTP_SSRCS 32
/** Octets of what old keys are tried on. */
#define RELAY_SRTP_OLD_MAX 4096

/** Once in a process, before the first one is made; any thread. @return 0 or BASE_LOCAL */
int relay_srtp_ready(void);

/**
 * @param keys  what DTLS agreed on (RFC 5764, 4.2); copied into the library's storage, which wipes
 * @return 0; BASE_BUG for a profile that is none or keys that do not fit it; BASE_LOCAL
 */
int relay_srtp_new(struct relay_srtp **ret, const struct tls_srtp_keys *keys);
/**
 * New keys, of a renegotiation: for all that is sent, and for what comes; those of before are tried
 * where the new ones do not fit, until relay_srtp_forget() (RFC 5764, 5.2). Rollover counters and
 * SRTCP indices go on (RFC 3711, 3.3.1 and 3.4). @return 0, or BASE_LOCAL with all as it was
 */
int relay_srtp_rekey(struct relay_srtp *srtp, const struct tls_srtp_keys *keys);
void relay_srtp_forget(struct relay_srtp *srtp);
/** Wipes the keys. NULL is fine. */
void relay_srtp_free(struct relay_srtp *srtp);

enum relay_srtp_verdict {
	RELAY_SRTP_OK,
	RELAY_SRTP_BAD,      /**< not authentic, or no packet at all */
	RELAY_SRTP_REPLAYED, /**< came before, or too late to tell (RFC 3711, 3.3.2) */
	RELAY_SRTP_CROWDED,  /**< an SSRC too many */
	RELAY_SRTP_SPENT, /**< the keys have done what they may (RFC 3711, 9.2), or memory is short
	                   */
};

/**
 * In place; `data` is at a multiple of 4 and has room for RELAY_SRTP_ROOM octets behind `*len`. An
 * RTP packet whose number went out before is RELAY_SRTP_REPLAYED: its keystream is used up.
 */
#define RELAY_SRTP_ROOM 148
enum relay_srtp_verdict relay_srtp_protect(struct relay_srtp *srtp, uint8_t *data, size_t *len,
                                           bool rtcp);
/** In place. On any verdict but OK nothing of `data` may be used. */
enum relay_srtp_verdict relay_srtp_unprotect(struct relay_srtp *srtp, uint8_t *data, size_t *len,
                                             bool rtcp);

#endif
