/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One end of one session on its connection: what comes is checked and answered as its
 * Failure-Report says (RFC 4975, 7.2 and 7.3), what is said about it is the owner's: an end, a
 * relay or a chat room.
 */
#ifndef GH_MSRP_LINK_H
#define GH_MSRP_LINK_H

#include "msrp/out.h"
#include "msrp/parser.h"
#include "msrp/uri.h"

/** What the owner does. A status of 0 means that all is well; any other is answered at once, and
 * the rest of that request is not shown. Heads are borrowed for the call. */
struct msrp_link_ops {
	/** May more be read? False stops msrp_link_input where it is. NULL: always. */
	bool (*ready)(void *arg);
	/** A request other than REPORT begins. */
	unsigned (*begin)(void *arg, const struct msrp_head *head, uint64_t now_ms);
	/** Some of its body. */
	unsigned (*body)(void *arg, const struct msrp_head *head, struct base_str piece);
	/** It is over. 0 is answered with 200; MSRP_LATER: the owner answers himself. */
	unsigned (*end)(void *arg, const struct msrp_head *head, char flag, uint64_t now_ms);
	/** A REPORT (its body, if any, is not kept). May be NULL. */
	void (*report)(void *arg, const struct msrp_head *head);
	/** A transaction of ours was answered, or (`head` is NULL) was not in time. May be NULL. */
	void (*answer)(void *arg, const struct msrp_answer *what, const struct msrp_head *head);
};

#define MSRP_LATER 1U

struct msrp_link {
	struct msrp_parser parser;
	struct msrp_out out;
	struct base_str own;  /**< our URI in this session */
	struct base_str peer; /**< the path to the other end, of its SDP */
	const struct msrp_link_ops *ops;
	void *arg;
	struct base_arena arena;
	struct msrp_uri own_parts;
	bool refused;   /**< the request being read has been answered */
	uint64_t sends; /**< SEND requests that have come */
};

/**
 * @param own,peer  copied. `own` is a URI, `peer` a path (RFC 4975, 8.2)
 * @return 0, BASE_CONFIG when they are none, BASE_LOCAL
 */
int msrp_link_init(struct msrp_link *link, const struct msrp_link_ops *ops, void *arg,
                   struct msrp_pool *pool, struct msrp_ids *ids, struct base_str own,
                   struct base_str peer, struct base_error *err);
void msrp_link_done(struct msrp_link *link);

/**
 * Octets from the connection; what was read is taken off `in`. What is left when `ready` says no is
 * to come again, before anything newer.
 * @return 0, or an error: the connection has to end
 */
int msrp_link_input(struct msrp_link *link, struct base_str *in, uint64_t now_ms,
                    struct base_error *err);
/** Time has passed: transactions that are overdue are told. */
void msrp_link_tick(struct msrp_link *link, uint64_t now_ms);

/** Answer a request, if its Failure-Report wants that (7.2). @return as msrp_out_put */
int msrp_link_respond(struct msrp_link *link, const struct msrp_head *head, unsigned status);
/** Send a REPORT about a range of a message (7.1.2 to 7.1.4). @return as msrp_out_put */
int msrp_link_report(struct msrp_link *link, struct base_str message_id,
                     const struct msrp_range *range, unsigned status);

#endif
