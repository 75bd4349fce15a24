/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * MSRP out of a stream of octets that is cut anywhere (RFC 4975, 5.1, 7.1, 9). A header is
 * gathered, within a limit; a body is never: its octets are handed on as they come, as views.
 * Linear in the input, whatever it is.
 */
#ifndef GH_MSRP_PARSER_H
#define GH_MSRP_PARSER_H

#include "msrp/message.h"

#define MSRP_HEAD_OCTETS_MAX 8192 /**< default limit of start line and header together */

enum msrp_event {
	MSRP_MORE, /**< the input is used up */
	MSRP_HEAD, /**< `head` is filled; its texts live until the call that follows MSRP_END */
	MSRP_BODY, /**< `piece` is some of the body: borrowed from the input or from the parser */
	MSRP_END,  /**< the request or response is over; `flag` says how */
};

/** All zero is a parser at the start of a stream. */
struct msrp_parser {
	struct msrp_head head;
	struct base_str piece;
	bool has_body; /**< the current head has a body, be it empty */
	char flag;     /**< '$' complete, '+' to be continued, '#' given up */
	size_t limit;  /**< of a header, in octets; 0 = MSRP_HEAD_OCTETS_MAX */
	int failed;    /**< sticky: the stream makes no sense any more */

	/* its own */
	int state;
	struct base_writer text;
	size_t line;               /* where the line being read begins in text */
	uint64_t body;             /* octets of it so far */
	char stop[2 + 7 + 32 + 3]; /* CR LF ------- transact-id flag CR LF, flag open */
	size_t stop_len, held;     /* of the end-line: octets that may be its beginning */
	size_t virtual;            /* of those held, how many never came: the body's own CRLF */
};

void msrp_parser_done(struct msrp_parser *p);

/**
 * Go on by one event; what was read is taken off `in`. Call until MSRP_MORE, then come with more.
 * @return 0, or BASE_PEER with detail 400 (no MSRP; the stream has to end), or BASE_LOCAL
 */
int msrp_parser_next(struct msrp_parser *p, struct base_str *in, enum msrp_event *ret,
                     struct base_error *err);

/** The next event is MSRP_END, which needs no input: a message without a body. */
bool msrp_parser_at_end(const struct msrp_parser *p);
/** Between two messages: a stream may end here. */
bool msrp_parser_idle(const struct msrp_parser *p);

#endif
