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

/** What keys are kept for when a ticket is used again: all of it but its Initiator Data, which is
 * of one message (RFC 6043, 5.3). */
int mikey_ticket_digest(struct mikey_kept *kept, const struct mikey_payload *ticket,
                        uint8_t ret[MIKEY_TAG_MAX]);

#endif
