/* SPDX-License-Identifier: Apache-2.0 */
/** @file A session of TLS 1.3 that the checker makes itself, for what is encrypted there (RFC
 * 8446). */
#ifndef GH_CHECK_SESSION13_H
#define GH_CHECK_SESSION13_H

#include "check/exchange.h"
#include "check/tls13.h"
#include "check/wire.h"

/** What the server said under encryption, and what can be taken up again. */
struct check_session13 {
	bool up;                        /**< its Finished was right */
	char why[160];                  /**< why it is not */
	struct base_writer messages;    /**< EncryptedExtensions to Finished, opened */
	struct check_bytes certificate; /**< the first, DER; into `messages` */
	bool certificate_request, status, server_name;
	bool psk_taken; /**< pre_shared_key is in its hello */
	bool dhe;       /**< and a key_share */
	bool early;     /**< early_data is in its EncryptedExtensions */
	int alert;      /**< that it sent, or -1 */
	unsigned tickets;
	bool early_ticket;   /**< one of them takes early_data (RFC 8446, 4.6.1) */
	uint32_t lifetime_s; /**< the longest that a ticket claims */
	/* the first ticket */
	uint16_t suite;
	uint32_t age_add;
	struct base_writer ticket;
	uint8_t psk[CHECK_HASH_MAX];
};

/**
 * A full handshake in a group that the server takes, and its tickets.
 * @param probe  evidence; `seen` is opened
 */
enum check_outcome check_session13_open(struct check_session13 *session,
                                        struct check_target *target, uint16_t group,
                                        struct profile_codes suites, struct check_probe *probe);
/**
 * The same with an external pre-shared key (RFC 8446, 4.2.11), whose hash is SHA-256, and a
 * key_share of that group beside which others are offered.
 * @param with  CHECK_WITH_PSK_KE, CHECK_WITH_EARLY
 */
enum check_outcome check_session13_psk(struct check_session13 *session, struct check_target *target,
                                       uint16_t group, const struct check_psk *psk, unsigned with,
                                       struct check_probe *probe);
/** Offer its ticket. @return true when the server's hello takes it (pre_shared_key is in it) */
bool check_session13_again(const struct check_session13 *session, struct check_target *target,
                           uint16_t group, struct check_probe *probe);
void check_session13_done(struct check_session13 *session);

/**
 * Read what came so far of `messages`. Pure; any octets are safe.
 * @return true when Finished is among them: its body, and where it begins
 */
bool check_session13_read(struct check_session13 *session, struct check_bytes *ret_finished,
                          size_t *ret_before);

#endif
