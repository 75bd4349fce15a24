/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: the MIKEY-TICKET exchange of one media description, from the ticket to the
 * pre-shared key, at either end. Questions to the KMS are octets that somebody else carries.
 */
#ifndef GH_OFFER_EXCHANGE_H
#define GH_OFFER_EXCHANGE_H

#include "offer/offer.h"

#define OFFER_PSK_IDENTITY_MAX 512 /**< octets of an identity with its NUL: an SPI in hex */

struct offer_exchange {
	const struct offer_party *party;
	struct mikey_id peer; /**< borrowed from the session */
	bool initiator;
	bool asking;             /**< a question to the KMS is open, `asked.sent` */
	bool handed;             /**< it has been handed out */
	struct base_arena arena; /**< what grant and message borrow from */
	struct mikey_asking asked;
	struct mikey_grant grant;       /**< Initiator */
	struct mikey_transfer transfer; /**< Initiator */
	struct mikey_received received; /**< Responder */
	struct base_writer message;     /**< Responder: TRANSFER_RESP */
	unsigned error_no;              /**< of the peer's, 255 = none */
	/* what comes out */
	struct base_secret psk;
	char psk_identity[OFFER_PSK_IDENTITY_MAX];
	char name[OFFER_NAME_MAX]; /**< the peer, as MIKEY proved it */
	uint64_t end_s;            /**< unix time */
};

/** All wiped. The exchange is then all zero. */
void offer_exchange_done(struct offer_exchange *x);

/** Initiator: a ticket of one's own, with TRANSFER_INIT written; or a question to the KMS. */
int offer_exchange_begin(struct offer_exchange *x, uint64_t now, struct base_error *err);
/** Initiator: the TRANSFER_RESP. @return 0 with the key; BASE_PEER */
int offer_exchange_finish(struct offer_exchange *x, uint64_t now, struct mikey_octets answer,
                          struct base_error *err);
/**
 * Responder: a TRANSFER_INIT, judged before anybody is asked; then opened, or a question to the
 * KMS.
 * @param listed  the key-mgmt protocols of the offer, "mikey;other" (RFC 4567, 4.1.4)
 */
int offer_exchange_receive(struct offer_exchange *x, uint64_t now, struct mikey_octets init,
                           struct base_str listed, struct base_error *err);
/** The KMS's answer, at either end. */
int offer_exchange_told(struct offer_exchange *x, uint64_t now, struct mikey_octets answer,
                        struct base_error *err);
/** Responder: the ticket was resolved (of offer_exchange_told). */
int offer_resolved(struct offer_exchange *x, uint64_t now, struct mikey_octets told,
                   struct base_error *err);
/** The message for a=key-mgmt. */
struct mikey_octets offer_exchange_message(const struct offer_exchange *x);

/* shared by both ends */
struct mikey_env offer_env(const struct offer_party *party, uint64_t now);
struct mikey_suite offer_suite(const struct offer_party *party);
/** Prot types that are taken for TLS. */
const uint8_t *offer_prots(const struct offer_party *party, size_t *ret_count);
/** Key, identity and time out of a session with its one crypto session. */
int offer_exchange_keys(struct offer_exchange *x, const struct mikey_session *session,
                        struct base_error *err);
/** Remember the name of who is there, if it may be who was meant. BASE_PEER, MIKEY_BAD_ID */
int offer_exchange_who(struct offer_exchange *x, const struct mikey_id *who,
                       struct base_error *err);
/** May `who` stand for `meant`? Pure. */
bool offer_stands_for(const struct offer_party *party, const struct mikey_id *meant,
                      const struct mikey_id *who);
struct mikey_octets offer_keep(struct base_arena *arena, struct mikey_octets octets);

#endif
