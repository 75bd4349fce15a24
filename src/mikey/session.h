/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside this folder: what both ends of a transfer do alike. */
#ifndef GH_MIKEY_SESSION_H
#define GH_MIKEY_SESSION_H

#include "mikey/exchange_private.h"

/** The octets of a TRANSFER_INIT that its MAC covers (RFC 6043, 5.5). */
int mikey_transfer_covered(const struct mikey_message *msg, const struct mikey_payload *ticket,
                           struct base_writer *w);
int mikey_keys_copy(const struct mikey_keys *from, struct mikey_keys *ret);
/**
 * The session that a TRANSFER_RESP makes.
 * @param g     the guard of that answer, with both RANDs
 * @param keys  of the ticket, forked; the MPKs are left out
 * @param more  of the Initiator's own; may be NULL
 */
int mikey_session_fill(const struct mikey_env *env, const struct mikey_message *resp,
                       const struct mikey_policy *policy, const struct mikey_guard *g, uint64_t t,
                       const struct mikey_keys *keys, const struct mikey_keys *more,
                       struct mikey_session *ret, struct base_error *err);

/** The crypto sessions of a TRANSFER_INIT: protocols that are taken, policies that are there. */
int mikey_sessions_check(const struct mikey_message *msg, const uint8_t *prots, size_t count,
                         struct base_error *err);
/** The SPI of the first session key of several lists, of which some may be NULL. */
struct mikey_octets mikey_first_spi(const struct mikey_keys *const list[], size_t count);
/** ret->cs, each crypto session with one policy and an SPI: as it was asked for, else `spi`. */
int mikey_sessions_answer(struct base_arena *arena, struct mikey_hdr *ret,
                          const struct mikey_hdr *asked, struct mikey_octets spi,
                          const struct mikey_payload *sp);

/** What keys are kept for when a ticket is used again: all of it but its Initiator Data, which is
 * of one message (RFC 6043, 5.3). */
int mikey_ticket_digest(struct mikey_kept *kept, const struct mikey_payload *ticket,
                        uint8_t ret[MIKEY_TAG_MAX]);

#endif
