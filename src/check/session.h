/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sessions that the checker makes itself, TLS 1.0 to 1.2 and DTLS 1.0 and 1.2, for what a hello
 * alone does not show. It judges nobody's certificate: no data follows.
 */
#ifndef GH_CHECK_SESSION_H
#define GH_CHECK_SESSION_H

#include "check/datagrams.h"
#include "check/exchange.h"
#include "check/session13.h"
#include "check/wire.h"

/** What lasts beyond a connection, to be taken up again. */
struct check_resume {
	uint16_t version, suite;
	bool ems;
	uint8_t master[48];
	uint8_t id[32];
	size_t id_len;
	struct base_writer ticket;
	uint32_t lifetime_s; /**< claimed for the ticket */
};

struct check_session {
	struct check_wire wire;
	size_t read; /**< of `wire.in` */
	struct check_keys keys;
	struct check_datagrams datagrams; /**< of DTLS, in place of a stream */
	uint8_t cookie[255];              /**< of DTLS: the one that the server gave last */
	size_t cookie_len;
	uint16_t heard;           /**< of DTLS: their messages in the transcript */
	bool gone;                /**< of DTLS: it answers others, and nothing here */
	bool ticket_due;          /**< its hello promised one (RFC 5077, 3.2) */
	struct base_writer clear; /**< this handshake's records, opened: of the flight at hand */
	struct base_writer first; /**< of its first flight */
	struct check_answer answer;
	struct base_writer transcript; /**< messages of this handshake */
	struct check_resume resume;    /**< of this session */
	uint8_t client_random[32], server_random[32];
	struct base_writer verify_client,
	        verify_server; /**< of the last handshake (RFC 5746, 3.1) */
	const struct check_psk *psk;
	bool up, resumed, first_hello; /**< `first_hello`: a ServerHello came in this handshake */
	int alert;                     /**< a fatal one, or the warning no_renegotiation; -1 */
	char why[160];                 /**< why it is not up */
};

/**
 * Connect and shake hands.
 * @param offer   as for a probe; its version and suites are the only ones
 * @param resume  to be taken up, NULL = a full handshake
 * @param probe   evidence: the ClientHello, and what was said, opened; may be NULL
 * @return what became of it; CHECK_ANSWERED: it is up
 */
enum check_outcome check_session_open(struct check_session *session, struct check_target *target,
                                      const struct check_offer *offer,
                                      const struct check_resume *resume,
                                      const struct check_psk *psk, struct check_probe *probe);
/**
 * Another ClientHello inside. @return CHECK_ANSWERED: it came through; CHECK_REFUSED by an alert or
 * the end; CHECK_STALLED where nothing came
 */
enum check_outcome check_session_again(struct check_session *session,
                                       const struct check_offer *offer, struct check_probe *probe);
/** Say close_notify and let the connection go; what can be taken up again stays. */
void check_session_part(struct check_session *session);
void check_session_close(struct check_session *session);

/* -- what is done with them (sessions.c) ----------------------------------------------------- */

/** One thing that was tried. */
struct check_trial {
	struct check_probe probe; /**< evidence; its outcome is the trial's */
	bool tried, yes;
	char text[200];
};

enum check_trial_of {
	CHECK_TRY_FULL,      /**< a handshake at all */
	CHECK_TRY_SECURED,   /**< the client renegotiates as RFC 5746 wants it */
	CHECK_TRY_LEGACY,    /**< a client without RFC 5746 renegotiates */
	CHECK_TRY_SPLICED,   /**< a first hello inside of another's session */
	CHECK_TRY_TICKET,    /**< taken up by ticket */
	CHECK_TRY_ID,        /**< by session id */
	CHECK_TRY_13,        /**< a handshake of TLS 1.3 */
	CHECK_TRY_13_TICKET, /**< taken up by its ticket */
	CHECK_TRY_IDENTITY,  /**< a PSK identity that nobody knows; yes = alert 115 */
	/* external pre-shared keys of TLS 1.3 (RFC 8446, 4.2.11), with psk_dhe_ke but for one */
	CHECK_TRY_13_PSK,      /**< the right one is taken */
	CHECK_TRY_13_KEY,      /**< another key with its name is refused */
	CHECK_TRY_13_IDENTITY, /**< a name that nobody has; yes = alert 115 */
	CHECK_TRY_13_PSK_KE,   /**< the right one is taken with psk_ke alone */
	CHECK_TRY_13_EARLY,    /**< early_data with the right one is accepted */
	CHECK_TRIALS
};

struct check_sessions {
	struct check_trial trial[CHECK_TRIALS];
	bool ticket;         /**< one came */
	uint32_t lifetime_s; /**< claimed for it */
	struct check_session13 tls13;
	uint16_t psk13_suite,
	        psk13_group; /**< of the session by external pre-shared key; 0 = none */
};

struct check_survey;
/** Try all. `psk` may be NULL. */
void check_sessions_run(struct check_sessions *sessions, const struct check_survey *survey,
                        const struct check_psk *psk);
void check_sessions_done(struct check_sessions *sessions);

#endif
