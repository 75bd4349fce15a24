/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What goes out on one connection: responses and reports first, then messages in turns, cut into
 * chunks so that none stops the others (RFC 4975, 5.1 and 7.1.1). The receiver's pace is the
 * caller's credit: msrp_out_take is asked for as many octets as the connection takes. Transactions
 * that want an answer are remembered with their time (7.1.1: 30 s).
 */
#ifndef GH_MSRP_OUT_H
#define GH_MSRP_OUT_H

#include "msrp/message.h"
#include "msrp/pool.h"

#define MSRP_NEVER          UINT64_MAX
#define MSRP_ANSWER_MS      30000 /**< RFC 4975, 7.1.1 */
#define MSRP_SLICE_OCTETS   16384 /**< a message's turn when others wait; at least MSRP_CHUNK_MIN */
#define MSRP_URGENT_MAX     65536 /**< answers and reports that wait for a peer who does not read */
#define MSRP_KEPT_MAX       (2U << 20) /**< octets of memory for what waits, however small it is */
#define MSRP_UNANSWERED_MAX 4096       /**< transactions remembered; then the oldest is forgotten */

struct msrp_sending;

struct msrp_out {
	struct msrp_pool *pool;
	struct msrp_ids *ids;
	size_t slice;  /**< 0 = MSRP_SLICE_OCTETS */
	bool unheard;  /**< answers are nobody's: those to messages that are over are not awaited */
	size_t queued; /**< body octets that wait, of all messages */
	size_t kept;   /**< memory that these messages hold: heads and whole blocks */
	uint64_t sends; /**< SEND requests begun */

	/* its own */
	struct base_writer urgent, stage;
	size_t staged;            /* how much of stage is gone */
	struct base_node ring;    /* messages, the next one's turn first */
	struct base_node spare;   /* for the next messages */
	struct msrp_sending *now; /* whose chunk is open */
	char tid[17];
	uint64_t chunk_start, chunk_len;
	bool whole;   /* the chunk's end is told in its header, so it is not interrupted */
	bool broken;  /* memory was short in the midst of a line */
	size_t guard; /* octets of "-------tid" that the body has just had */
	struct base_map by_tid;
	struct base_node waiting; /* unanswered, oldest first */
	struct base_node idle;    /* for the next ones */
	size_t unanswered;
};

void msrp_out_init(struct msrp_out *out, struct msrp_pool *pool, struct msrp_ids *ids);
/** Owners of messages under way get NULL. */
void msrp_out_done(struct msrp_out *out);

/**
 * Begin a message: paths, Message-ID, reports, type, other fields and the total are taken from
 * `head`, and where it begins (Byte-Range's start, else 1). Texts are copied.
 * @param owner  gets the message; set to NULL when it has gone: all is sent, or it was given up
 * @return 0, or BASE_LOCAL
 */
int msrp_out_begin(struct msrp_out *out, const struct msrp_head *head, struct msrp_sending **owner);
/** More of its body, right behind what came before. @return 0, or BASE_LOCAL */
int msrp_sending_put(struct msrp_sending *s, struct msrp_block *block, uint32_t at, uint32_t len);
/** Nothing more comes: '$', '#' (what waits is dropped, the peer told), '+' (others go on). The
 * owner is told NULL at once, and does not look at it any more. */
void msrp_sending_end(struct msrp_sending *s, char flag);
/** Where its next octet goes in the message, from 1. */
uint64_t msrp_sending_position(const struct msrp_sending *s);

/**
 * A request or response that is not SEND, whole. `body` may be empty.
 * @return 0, or BASE_PEER when too much waits already: the peer does not read, end the stream
 */
int msrp_out_put(struct msrp_out *out, const struct msrp_head *head, struct base_str body);
/** Is there room for what others want to say? The rest is kept for answers to the peer itself, who
 * is let go when they find none. */
bool msrp_out_has_room(const struct msrp_out *out);
/** As msrp_out_put with a transaction id of ours, whose answer is awaited; `note` comes back with
 * it. */
int msrp_out_ask(struct msrp_out *out, const struct msrp_head *head, struct base_str body,
                 struct base_str note, uint64_t now_ms);

/** Fill `buf` with what goes next. @return octets; less than `cap` when nothing more can go now */
size_t msrp_out_take(struct msrp_out *out, void *buf, size_t cap, uint64_t now_ms);
/** Does more wait than `window` body octets, or more memory than MSRP_KEPT_MAX? Then whoever sends
 * to this connection is to be held. */
bool msrp_out_is_full(const struct msrp_out *out, size_t window);
/** Has msrp_out_take anything to give? */
bool msrp_out_ready(const struct msrp_out *out);

/** What has become of a transaction of ours. */
struct msrp_answer {
	bool is_send;
	char note[MSRP_ID_OCTETS + 1]; /**< of a SEND its Message-ID */
	struct msrp_range range;       /**< of a SEND: what the chunk really had */
	bool report;                   /**< Failure-Report was yes */
	unsigned status;
};
/**
 * A response has come. What is refused is given up: no more of that message goes out (7.3.2, 10.5).
 * @return false when nobody waits for it
 */
bool msrp_out_answered(struct msrp_out *out, const struct msrp_head *head, struct msrp_answer *ret);
/** One transaction that was not answered in time: status is 408. @return false when there is none
 */
bool msrp_out_expired(struct msrp_out *out, uint64_t now_ms, struct msrp_answer *ret);
/** When the next one is overdue, or MSRP_NEVER. */
uint64_t msrp_out_due(const struct msrp_out *out);
/** Stop sending all messages that are under way. */
void msrp_out_give_up_all(struct msrp_out *out);
/** Stop sending the message of this id, if it is under way. */
void msrp_out_give_up(struct msrp_out *out, struct base_str message_id);

#endif
