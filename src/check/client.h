/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A client that is waited for: its ClientHello is read, and each time it comes it gets another
 * answer that it has to refuse.
 */
#ifndef GH_CHECK_CLIENT_H
#define GH_CHECK_CLIENT_H

#include "check/judge.h"
#include "check/offered.h"

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

struct check_client {
	struct check_probe hello; /**< `seen`: the first ClientHello */
	struct check_answer text;
	struct check_offered offered; /**< into `text` */
	struct check_lured lured[CHECK_LURES];
	unsigned came; /**< how often */
};

/**
 * Listen at the target's address and wait: `wait_ms` for the first time, the target's timeout for
 * each further one.
 * @return 0, or BASE_PEER / BASE_CONFIG with words: nobody came, no TLS, no such address
 */
int check_client_run(struct check_client *client, struct check_target *target, unsigned wait_ms,
                     check_progress_fn *progress, void *arg, struct base_error *err);
void check_client_done(struct check_client *client);

/** One verdict for each rule of a profile, of TLS or of certificates. */
int check_client_judge(struct check_report *report, const struct check_client *client,
                       const struct profile *profile, const struct check_terms *terms);

#endif
