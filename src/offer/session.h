/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: a session. What is agreed stands in one view, what an exchange would make of
 * it in another; the second takes the first one's place when the exchange succeeds, and is dropped
 * when it fails. An exchange of keys belongs to a stream of either view, or of both.
 */
#ifndef GH_OFFER_SESSION_H
#define GH_OFFER_SESSION_H

#include "offer/exchange.h"
#include "offer/sdp.h"

struct offer_line {
	bool ours;
	size_t media;
	enum offer_verdict verdict;
	char why[160];
	struct base_str type, proto, formats; /**< of a foreign one, to be echoed */
	bool placed, renew, closed;
	char address[48];
	uint16_t port;
	char path[OFFER_PATH_MAX];
	enum offer_setup setup;     /**< what our description says */
	bool existing;              /**< a=connection of our description */
	bool cema;                  /**< of our description */
	struct offer_stream agreed; /**< without what the keys have */
	struct offer_exchange *keys;
};
struct offer_view {
	struct base_arena arena; /**< strings of the lines */
	struct offer_line *line; /**< owned */
	size_t count;
	bool offerer;          /**< we made the offer */
	struct base_str times; /**< t= of the offer, which the answer repeats (RFC 3264, 6) */
};

struct offer_session {
	const struct offer_party *party;
	struct mikey_id peer;
	struct base_arena arena; /**< media and peer, for good */
	struct offer_media *media;
	size_t media_count;
	enum offer_state state;
	bool open; /**< an exchange is: `next` is what it makes */
	struct offer_view now, next;
	uint64_t id, version;       /**< of o= */
	struct base_writer heard;   /**< the peer's last description that was agreed upon */
	struct base_writer offered; /**< its description, offered or answered, in `next` */
	bool same;                  /**< it came again: nothing changes (RFC 3264, 8) */
	bool answered;              /**< `last` was an answer */
	struct base_writer last;    /**< our last description, from the line behind o= */
	struct offer_failure failure;
};

/** The view of an exchange begins as a copy of what stands, with room for so many lines. */
int offer_view_open(struct offer_session *s, size_t room, struct base_error *err);
void offer_view_commit(struct offer_session *s);
void offer_view_drop(struct offer_session *s);
/** A new exchange of keys for a line of `next`. @return NULL when memory is short */
struct offer_exchange *offer_line_keys(struct offer_session *s, struct offer_line *line);
/** OFFER_ASKING while a line of `next` waits for the KMS, else `ready`. */
void offer_settle(struct offer_session *s, enum offer_state ready);
/** The set-up is over: state and failure from `rc`. @return rc */
int offer_fail(struct offer_session *s, int rc, bool key_mgmt, const struct base_error *err);
/** Remember why a line is refused. */
void offer_refuse(struct offer_line *line, const char *why);
/** Roles of a line of which both setups are known. @param offerer  we made this offer */
void offer_roles(struct offer_line *line, enum offer_app app, bool active, bool offerer);

#endif
