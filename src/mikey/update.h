/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * CSB updating (RFC 6043, 5.2): the Ticket Transfer exchange once more, without ticket and RANDs,
 * begun by either end, for new keys and for new or changed crypto sessions. Both messages are
 * protected with the keys of the last message of the first exchange, which the session keeps.
 *
 * The session changes when an answer is written, or read; where none is wanted, when the message
 * is. A failed call leaves it as it was. Results and errors are those of mikey/exchange.h.
 */
#ifndef GH_MIKEY_UPDATE_H
#define GH_MIKEY_UPDATE_H

#include "mikey/exchange.h"

/** Who speaks with whom: the roles of the first exchange stay, whoever begins (D). */
struct mikey_ends {
	struct mikey_id initiator, responder; /**< left out without data */
	bool own_is_initiator;
};

/** What one wants changed. */
struct mikey_change {
	struct mikey_suite suite;  /**< encryption and MAC; the PRF stays */
	const struct mikey_cs *cs; /**< new ones, or those of whose ID there is one */
	uint8_t cs_count;          /**< without an answer each has a policy and an SPI */
	const struct mikey_payload *sp;
	const struct mikey_keys *keys; /**< as the ticket's L or M flag lets; NULL = none */
	bool answer;                   /**< V flag: is one wanted? */
};

/** An update under way at the end that began it; all zero before, mikey_updating_done after. */
struct mikey_updating {
	struct base_writer sent; /**< TRANSFER_INIT */
	struct mikey_keys keys;  /**< that went along */
	uint64_t t;
};
void mikey_updating_done(struct mikey_updating *updating);

/** Begin: TRANSFER_INIT, into ret->sent. Without an answer the session is changed already. */
int mikey_update_init(const struct mikey_env *env, struct mikey_session *session,
                      const struct mikey_ends *ends, const struct mikey_change *change,
                      struct mikey_updating *ret, struct base_error *err);
/** The answer, and with it the session changed. */
int mikey_update_finish(const struct mikey_env *env, struct mikey_session *session,
                        const struct mikey_ends *ends, const struct mikey_updating *updating,
                        struct mikey_octets data, struct base_error *err);
/**
 * The other end: prove a TRANSFER_INIT that has no ticket, change the session, and answer where the
 * V flag wants it.
 * @param prots  Prot types that are taken
 * @param out    TRANSFER_RESP; left empty when none is wanted
 */
int mikey_update_resp(const struct mikey_env *env, struct mikey_session *session,
                      const struct mikey_ends *ends, const struct mikey_message *msg,
                      const uint8_t *prots, size_t prot_count, const struct mikey_answer *answer,
                      struct base_writer *out, struct base_error *err);

#endif
