/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Settings and counters of the transaction layer (h248/txn.h). All times are milliseconds.
 */
#ifndef GH_H248_TXN_CONFIG_H
#define GH_H248_TXN_CONFIG_H

#include "h248/codec.h"
#include "h248/message.h"

/* ---- timers ---- */

/**
 * A timer that changes with each repetition: the next one runs `factor` times the last one's time
 * plus `incr_ms`, and no less than 1 ms. Erlang's megaco calls this an incr_timer. All zero is "our
 * own way", which each use below tells.
 */
struct h248_timer_rule {
	uint32_t wait_ms; /**< the first time; 0 = our own way */
	uint32_t factor;  /**< 0 = 1 */
	int32_t incr_ms;  /**< may be negative */
	uint32_t limit;   /**< repetitions, after which the timer's thing ends; 0 = none of its own.
	                       Counts with our own way of timing too */
};

/** The timers of one entity or peer. */
struct h248_txn_timers {
	/**
	 * A request of ours without any sign from the peer is repeated. Own way: from the measured
	 * round trip (RFC 3525, D.1.3), over UDP only. A rule is followed over every transport
	 * (D.2: "application level timers"). Its end, or T-MAX if earlier, is
	 * H248_OUTCOME_TIMEOUT.
	 */
	struct h248_timer_rule request;
	/** Likewise after a TransactionPending (D.1.4); each further one starts it anew. Own way:
	 * every pending_rto_ms. */
	struct h248_timer_rule long_request;
	/** A reply that asks for its acknowledgement is repeated. Own way: as requests are, until
	 * T-MAX has passed; after its end it is kept for who asks. UDP only. */
	struct h248_timer_rule reply;
	/** Time to the first TransactionPending and to each further one (8.2.3). Own way: the
	 * smaller of execution_ms and provisional_ms. After `limit` no more are sent by time. */
	struct h248_timer_rule pending;
};

/* ---- settings ---- */

/** All zero takes every default. Times in milliseconds. */
struct h248_txn_config {
	struct h248_mid mid; /**< our own; its strings are copied */

	uint32_t long_timer_ms; /**< LONG-TIMER, D.1.1; 0 = 30000 */
	uint32_t t_max_ms;      /**< T-MAX, D.1.5: give up a request; 0 = 25000 */
	uint32_t rto_first_ms;  /**< first retransmission before anything is measured; 0 = 200 */
	uint32_t rto_min_ms;    /**< 0 = 100 */
	uint32_t rto_max_ms;    /**< D.1.3 suggests 4000; 0 = 4000 */
	uint32_t
	        pending_rto_ms; /**< repetition timer after a TransactionPending, D.1.4; 0 = 5000 */
	struct h248_txn_timers timers; /**< of peers that have none of their own */

	/** normalMGExecutionTime or normalMGCExecutionTime of ourselves: after this time, and each
	 * time again, an unanswered request gets a TransactionPending (8.2.3); 0 = 500. */
	uint32_t execution_ms;
	/** MGProvisionalResponseTimerValue or the MGC's, of ourselves (E.2.1): the peer wants the
	 * Pending within this time; 0 = execution_ms. */
	uint32_t provisional_ms;
	/** That of our peers: after a Pending, silence of that long and a retransmission time has
	 * the request repeated; 0 = pending_rto_ms. */
	uint32_t peer_provisional_ms;
	uint32_t pending_limit; /**< pendings of one request until error 506 ends it; 0 = none */
	/** Pendings of one request of ours that the peer may send; one more ends it with
	 * H248_OUTCOME_PENDINGS (sheet 5.9); 0 = any number. */
	uint32_t peer_pending_limit;

	uint32_t ack_ms;  /**< an acknowledgement that found no message to ride on for so long goes
	                       by itself; 0 = it waits for one */
	uint32_t ack_max; /**< so many ids to acknowledge go by themselves at once; 0 = when no
	                       more ranges can be kept */
	/** Over UDP, what leaves for a peer waits so long for company and goes in one message
	 * (8.3); repetitions do not wait. 0 = at once, alone. */
	uint32_t bundle_ms;
	uint32_t bundle_bytes; /**< octets of such a message; 0 = 1400 */
	uint32_t window;       /**< requests to one peer at a time, more wait; 0 = any number */
	uint32_t max_queued;   /**< requests that wait for one peer; 0 = 1024 */

	uint32_t max_peers;     /**< 0 = 64 */
	uint32_t max_incoming;  /**< remembered requests in all; 0 = 2097152. More get error 511 */
	size_t max_reply_bytes; /**< of replies kept for repetition; 0 = 64 MiB. More get 511 */
	uint32_t max_outgoing;  /**< unanswered requests of ours; 0 = 65536 */
	uint32_t max_udp;       /**< octets of a message over UDP; 0 = 65507 */

	/** Replies over UDP to peers of version 3 that outgrow this or max_udp go in segments
	 * (sheet 5.2; ours of package seg, octets); 0 = max_udp */
	uint32_t segment_bytes;
	uint32_t segment_window; /**< unacknowledged segments under way at a time; 0 = 8 */
	/** Segmentation timer (package seg): segments of a reply have come, others not; after so
	 * long our request is repeated; 0 = pending_rto_ms. */
	uint32_t segment_ms;
	bool no_segments; /**< never send any: 533 instead, as before version 3 */

	uint64_t seed;     /**< of the random part of timers; 0 = from the kernel */
	uint32_t first_id; /**< of our TransactionIDs; 0 = random */
	/** Form of our requests to peers that have not written yet and have none set
	 * (h248_peer_codec_set), and of message errors about what has no form. */
	enum h248_codec codec;
	bool pretty; /**< COMPACT is PRETTY: write text for people */
};

/** What package root (E.2.1; sheet 5.9) says about transactions. Names as in the settings. */
struct h248_txn_root {
	uint32_t execution_ms;
	uint32_t provisional_ms;
	uint32_t pending_limit;
	uint32_t peer_provisional_ms;
	uint32_t peer_pending_limit;
};

/* ---- counters ---- */

/**
 * Kept for each peer and for the entity as a whole, which also counts what strangers send and what
 * its freed peers have had. They never wrap (64 bits). How they add up:
 *   rx_messages = rx_undecodable + rx_errors + messages with transactions
 *   rx_requests = rx_executed + rx_repeated + rx_refused + rx_faulty
 *   tx_requests = rx_replies + tx_timeouts + tx_cancelled + tx_pended + those still waiting
 */
#define H248_TXN_COUNTERS(X)                                                                       \
	X(rx_messages, "messages received")                                                        \
	X(rx_octets, "octets of messages received")                                                \
	X(rx_undecodable, "messages refused as a whole, answered with a message error")            \
	X(rx_errors, "message errors received")                                                    \
	X(rx_requests, "requests received, repetitions included")                                  \
	X(rx_executed, "requests handed to the user")                                              \
	X(rx_repeated, "repetitions, answered from memory or with Pending, or ignored")            \
	X(rx_refused, "requests refused: stranger, no room")                                       \
	X(rx_faulty, "requests refused: syntax error in transaction")                              \
	X(rx_replies, "replies to requests that were waiting")                                     \
	X(rx_replies_late, "replies to requests that were given up")                               \
	X(rx_replies_stray, "replies to nothing")                                                  \
	X(rx_pendings, "TransactionPending received")                                              \
	X(rx_acks, "transactions acknowledged by the peer")                                        \
	X(rx_segments, "segments of replies received")                                             \
	X(tx_messages, "messages sent")                                                            \
	X(tx_octets, "octets of messages sent")                                                    \
	X(tx_requests, "requests, repetitions not included")                                       \
	X(tx_retransmissions, "requests repeated")                                                 \
	X(tx_timeouts, "requests given up after T-MAX")                                            \
	X(tx_cancelled, "requests given up by us")                                                 \
	X(tx_pended, "requests given up because of too many pendings")                             \
	X(tx_queued, "requests that had to wait before they could be sent")                        \
	X(tx_replies, "replies, repetitions not included")                                         \
	X(tx_replies_repeated, "replies repeated")                                                 \
	X(tx_pendings, "TransactionPending sent")                                                  \
	X(tx_acks, "messages with acknowledgements")                                               \
	X(tx_segments, "segments of replies sent, repetitions not included")                       \
	X(tx_segments_repeated, "segments of replies repeated")                                    \
	X(tx_bundled, "transactions that shared a message with earlier ones")                      \
	X(tx_message_errors, "message errors sent")                                                \
	X(late_replies, "answers of ours that came too late to be sent")

struct h248_txn_counters {
#define H248_COUNTER_FIELD(name, text) uint64_t name;
	H248_TXN_COUNTERS(H248_COUNTER_FIELD)
#undef H248_COUNTER_FIELD
};

#endif
