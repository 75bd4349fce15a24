/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One BFCP connection, server's or client's end. Over TCP and TLS messages are cut out of a stream
 * (version 1); over UDP and DTLS (version 2) they are put together from fragments, and requests are
 * repeated until they are answered, one at a time (RFC 8855, 6 and 8).
 */
#ifndef GH_BFCP_LINK_H
#define GH_BFCP_LINK_H

#include "bfcp/message.h"

#define BFCP_NEVER       UINT64_MAX
#define BFCP_T1_MS       500   /**< 8.3.1: first, and least */
#define BFCP_MESSAGE_MAX 16384 /**< octets of a message that we take */
#define BFCP_QUEUE_MAX   65536 /**< octets that wait for a peer who does not take or answer them */
#define BFCP_REMEMBERED  64    /**< transactions answered, for requests that come late and again */
#define BFCP_MTU         1200  /**< octets of a datagram of ours, DTLS not counted */

struct bfcp_link {
	bool reliable;
	bool client; /**< its requests are answered over TCP, too */
	uint32_t conference;
	size_t mtu; /**< 0 = BFCP_MTU */
	/** A message; `msg` is borrowed. Ends of transactions are known by `answers` and not 0. */
	void (*message)(void *arg, const struct bfcp_message *msg, unsigned answers,
	                uint64_t now_ms);
	/** What came could not be read: `msg` has a header, `error` is the code. */
	void (*fault)(void *arg, const struct bfcp_message *msg, unsigned error, uint64_t now_ms);
	void *arg;

	/* its own */
	bool broken;           /* a request was not answered (8.3.1): the connection is over */
	uint64_t came, went;   /* whole messages */
	struct base_writer in; /* part of a stream, or fragments */
	struct base_arena arena;
	struct base_writer out; /* of a stream; of datagrams, each behind its length */
	size_t out_at;
	struct base_writer queue; /* requests that wait for their turn, each behind its length */
	size_t queue_at;
	uint16_t last_tid;
	/* the request under way */
	bool waiting;
	uint8_t primitive;
	uint16_t tid;
	struct base_writer request;
	unsigned tries;
	uint64_t sent_ms, due_ms;
	/* 8.3.1: the times of RFC 6298 */
	bool measured;
	uint64_t srtt, rttvar, t1;
	/* the last answer given, until T2 (8.3.2) */
	bool answered;
	uint16_t answered_tid;
	struct base_writer answer;
	uint64_t answer_until;
	/* those before it, until T2: nothing is done twice */
	struct bfcp_link_done {
		uint16_t tid;
		uint8_t primitive;
		uint64_t until;
	} done[BFCP_REMEMBERED];
	size_t done_next;
	/* fragments of one message (6.2.3) */
	bool gathering;
	uint8_t frag_head[BFCP_HEADER_OCTETS];
	struct base_writer have; /* a flag for each 4 octets */
	size_t missing;
	uint64_t gather_until;
};

void bfcp_link_done(struct bfcp_link *l);

/**
 * Octets of the connection: a part of a stream, or one datagram.
 * @return 0, or BASE_PEER when a stream makes no sense any more, or BASE_LOCAL: the connection has
 * to end
 */
int bfcp_link_input(struct bfcp_link *l, struct base_str octets, uint64_t now_ms);
/** What goes out: some of a stream, or one datagram, for which `cap` has to be at least the MTU.
 * @return octets */
size_t bfcp_link_take(struct bfcp_link *l, void *buf, size_t cap);

/**
 * Begin a transaction. Version, conference and transaction id are set here. It waits while another
 * is under way; notifications of a server on a stream wait for nothing (8).
 * @return 0, BASE_BUG (does not fit), BASE_LOCAL (too much waits)
 */
int bfcp_link_ask(struct bfcp_link *l, const struct bfcp_message *msg, uint64_t now_ms);
/** Answer `to`: its conference, transaction and user are copied (8.2). @return as bfcp_link_ask */
int bfcp_link_answer(struct bfcp_link *l, const struct bfcp_message *to,
                     const struct bfcp_message *msg, uint64_t now_ms);

void bfcp_link_tick(struct bfcp_link *l, uint64_t now_ms);
uint64_t bfcp_link_due(const struct bfcp_link *l);

#endif
