/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A log line of gatehouse-mg about a handshake, read back: `tls failed peer=... auth=...: words`
 * (docs/certificates.md tells the keys). Names in it come from peers, so any octets are safe.
 */
#ifndef GH_CLI_LOG_LINE_H
#define GH_CLI_LOG_LINE_H

#include "base/base.h"

/** Borrowed from the line; a value that is not there is empty. */
struct log_line {
	struct base_str time;       /**< what stands at the line's beginning */
	bool failed, renegotiation; /**< else it is up */
	/** A session ended by the peer's alert: with TLS 1.3 a client is up before it is refused.
	 */
	bool down;
	bool from_peer; /**< the alert is the peer's: it refused us */
	bool tolerated;
	struct base_str peer, side, domain, version, suite, cause, auth, depth, alert;
	struct base_str subject, rules, serial, culprit, issuer, crl;
	struct base_str words; /**< after the colon */
};

/** @return false where the line is about no handshake */
bool log_line_read(struct base_str line, struct log_line *ret);

#endif
