/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sessions of TLS 1.3 in which the checker is the server (RFC 8446, 2 to 4), with answers as no
 * library would give them. The client has connected, and its ClientHello was read.
 */
#ifndef GH_CHECK_SERVED13_H
#define GH_CHECK_SERVED13_H

#include "check/host.h"
#include "check/served.h"
#include "check/tls13.h"

/** What can be taken up again. */
struct check_ticket13 {
	uint16_t suite;
	uint8_t name[32]; /**< the ticket itself: random octets */
	size_t name_len;  /**< 0 = none */
	uint8_t psk[CHECK_HASH_MAX];
};

struct check_served13 {
	struct check_wire *wire; /**< the caller's */
	const struct check_host *host;
	size_t read; /**< of `wire->in` */
	struct check_tls13 k;
	struct base_writer inbox; /**< messages of the client's, opened, from `taken` on unread */
	size_t taken;
	struct base_writer hold, hello;
	struct check_offered offered; /**< into `hello` */
	uint16_t group;
	bool up, asked, proved, resumed;
	bool keyed;              /**< by the external pre-shared key */
	bool updated;            /**< a KeyUpdate of its own came */
	struct base_writer cert; /**< the first that it showed, DER */
	int alert;               /**< a fatal one or close_notify; -1 = none */
	char why[160];
	struct base_writer sent, seen; /**< evidence: records, opened */
};

/** As check_served_begin(). */
bool check_served13_begin(struct check_served13 *session, struct check_wire *wire,
                          const struct check_host *host, const struct check_answer *text);
/** Is there a suite, a group and a key for a client that offers so? */
bool check_served13_able(const struct check_host *host, const struct check_offered *offered,
                         struct check_bytes hello);
/**
 * Shake hands.
 * @param how     CHECK_SERVE_CERTIFICATE, CHECK_SERVE_SPOILT_FINISHED,
 * CHECK_SERVE_SPOILT_SIGNATURE, CHECK_SERVE_TICKET; CHECK_SERVE_REQUEST: a KeyUpdate that asks for
 * the client's
 * @param resume  to be taken up where it offers that, or NULL
 * @param ret     the ticket that was given, or NULL
 */
enum check_outcome check_served13_shake(struct check_served13 *session, unsigned how,
                                        const struct check_ticket13 *resume,
                                        struct check_ticket13 *ret);
/** Does its hello offer that ticket? */
bool check_served13_offers(const struct check_offered *offered, struct check_bytes hello,
                           const struct check_ticket13 *ticket);
/** Wait for its KeyUpdate, an alert or the end; data is passed over. CHECK_HEARD_HELLO: KeyUpdate
 */
enum check_heard check_served13_hear(struct check_served13 *session);
/** Say close_notify, and read what it still says, so that it has read what it was told. */
void check_served13_part(struct check_served13 *session);
void check_served13_done(struct check_served13 *session);

#endif
