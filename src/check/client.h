/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A client that is waited for: its ClientHello is read, and each time it comes it gets another
 * answer: some that it has to refuse, then sessions, where the caller has a key for them.
 */
#ifndef GH_CHECK_CLIENT_H
#define GH_CHECK_CLIENT_H

#include "check/host.h"
#include "check/judge.h"
#include "check/offered.h"
#include "check/served13.h"

/** Answers, in the order in which they are given. */
enum check_lure {
	CHECK_LURE_STRANGER,  /**< a certificate by nobody it can know */
	CHECK_LURE_NO_RI,     /**< no word of RFC 5746 */
	CHECK_LURE_DEFLATE,   /**< compression, offered or not */
	CHECK_LURE_UNOFFERED, /**< a suite that was not offered */
	CHECK_LURE_SSL_3_0,   /**< versions; by the bit number from here on */
	CHECK_LURE_TLS_1_0,
	CHECK_LURE_TLS_1_1,
	CHECK_LURES
};

struct check_lured {
	struct check_probe probe; /**< `seen`: what it said to our answer; `sent`: that */
	bool tried;               /**< it came, and such an answer could be given */
	bool went_on;             /**< it answered with a message of the handshake */
	bool about_certificate;   /**< its alert is one about the certificate: it got so far */
};

/** Sessions, in the order in which they are given: one a visit. */
enum check_visit {
	CHECK_VISIT_FULL,         /**< a session at all */
	CHECK_VISIT_BEGUN,        /**< in it: a renegotiation that it begins by itself */
	CHECK_VISIT_ID,           /**< it offers its session id again */
	CHECK_VISIT_ASKED,        /**< it answers a HelloRequest */
	CHECK_VISIT_UNSECURED,    /**< it renegotiates with a server without RFC 5746 */
	CHECK_VISIT_SPOILT,       /**< it refuses a renegotiation_info that is not empty */
	CHECK_VISIT_SPOILT_AGAIN, /**< and, renegotiating, one of another session */
	CHECK_VISIT_CERTIFICATE,  /**< asked for a certificate, it shows one */
	CHECK_VISIT_FINISHED,     /**< it refuses a wrong Finished */
	CHECK_VISIT_NO_EMS,       /**< it refuses a server without RFC 7627 */
	CHECK_VISIT_TICKET,       /**< it gets a ticket */
	CHECK_VISIT_TICKET_AGAIN, /**< it offers it */
	/* of TLS 1.3 */
	CHECK_VISIT_13_STRANGER,    /**< it refuses a certificate by nobody it can know */
	CHECK_VISIT_13_FULL,        /**< a session, with a ticket */
	CHECK_VISIT_13_TICKET,      /**< it offers that */
	CHECK_VISIT_13_CERTIFICATE, /**< asked for a certificate, it shows one */
	CHECK_VISIT_13_FINISHED,    /**< it refuses a wrong Finished */
	CHECK_VISIT_13_SIGNATURE,   /**< and a wrong CertificateVerify */
	CHECK_VISIT_13_UPDATE,      /**< it answers a KeyUpdate that asks for its own */
	CHECK_VISITS
};

struct check_client {
	struct check_host host;   /**< given: for sessions; all zero = none */
	struct check_probe hello; /**< `seen`: the first ClientHello */
	struct base_writer text;
	struct check_offered offered; /**< into `text` */
	struct check_lured lured[CHECK_LURES];
	unsigned came; /**< how often */
	enum check_visit next;
	struct check_trial trial[CHECK_VISITS];
	struct check_resume by_id, by_ticket; /**< what it may take up */
	struct check_ticket13 by_ticket13;
	const struct x509_identity *nobody; /**< by nobody it can know */
	bool unbound; /**< it renegotiated unsecured, in a session that could have secured it */
	struct base_writer certificate; /**< the first that it showed, DER */
	bool proved;                    /**< and it has the key */
};

/**
 * Listen at the target's address and wait: `wait_ms` for the first time, the target's timeout for
 * each further one.
 * @return 0, or BASE_PEER / BASE_CONFIG with words: nobody came, no TLS, no such address
 */
int check_client_run(struct check_client *client, struct check_target *target, unsigned wait_ms,
                     check_progress_fn *progress, void *arg, struct base_error *err);
void check_client_done(struct check_client *client);

/** Of its first hello the last version before TLS 1.3, as a bit; 0 = none that is named. */
unsigned check_client_version(const struct check_offered *offered);

/* visits.c */
/** Is there a session left to be had with a client whose hello `text` and `offered` are? */
bool check_client_sessions_left(struct check_client *client, const struct check_answer *text,
                                const struct check_offered *offered);
/** The next one; `text` is its ClientHello as it was read out of `wire->in`. */
void check_client_session(struct check_client *client, struct check_wire *wire,
                          const struct check_answer *text, const struct check_offered *offered);
void check_client_sessions_done(struct check_client *client);

/** One verdict for each rule of a profile, of TLS or of certificates. */
int check_client_judge(struct check_report *report, const struct check_client *client,
                       const struct profile *profile, const struct check_terms *terms,
                       struct base_error *err);
/** The same with a profile of certificates: by the one that it showed when it was asked. */
int check_client_certificate_judge(struct check_report *report, const struct check_client *client,
                                   const struct profile *profile, struct base_error *err);

#endif
