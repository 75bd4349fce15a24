/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the txn_*.c files share, and nobody else. Invariants:
 *
 *  1. The id of a peer's request is in `peer->incoming` from its arrival until LONG-TIMER after its
 *     reply was issued; while it is there, the user never sees that id of that peer again.
 *  2. A request of ours is in `txn->outgoing` and in its peer's list, or its `fn` has been called.
 *  3. An h248_incoming is the user's from on_request until its answer: state EXECUTING, or EXPIRED
 *     or ORPHAN when the answer has nowhere to go any more. Nobody else frees it meanwhile.
 *  4. Inside h248_txn_input and h248_txn_advance (depth > 0), a freed peer stays readable, with
 *     `dead` set, until the outermost call ends.
 */
#ifndef GH_H248_TXN_PRIVATE_H
#define GH_H248_TXN_PRIVATE_H

#include "h248/txn.h"

/** How a message is written. */
struct txn_form {
	uint8_t version; /* of the header; 0 = the highest */
	uint8_t codec;   /* enum h248_codec */
};

/** A decoded message and its memory, shared by the requests that keep it. */
struct txn_input {
	struct base_arena arena;
	unsigned refs;
	uint8_t codec;        /* enum h248_codec: its own form */
	struct txn_form form; /* of what answers it */
};

#define TXN_ACK_RANGES 32
/** Segments of one reply, either way. */
#define TXN_SEGMENTS 256

struct txn_range {
	uint32_t first, last;
};

struct h248_txn {
	struct h248_txn_config config;
	struct h248_txn_ops ops;
	char *mid_name;
	struct loop_timers timers;
	uint64_t told_ms; /* the deadline that rearm has heard */
	uint64_t random;
	uint32_t next_id;
	unsigned depth;
	uint32_t round; /* of h248_txn_lost */

	struct base_map by_mid;
	struct base_node peers, dead_peers;
	size_t peers_count;

	struct base_map outgoing; /* by TransactionID */
	struct txn_late *late;    /* ring of those given up lately; NULL before the first */
	size_t late_at, late_count;
	struct base_node orphans; /* h248_incoming whose peer is gone, waiting for their answer */
	size_t remembered, reply_bytes;

	struct txn_input *spare; /* warm memory for the next message */
	struct txn_input *current;
	struct h248_incoming *asking; /* in on_request; NULL again once it is answered */
	struct base_writer out;
	struct h248_txn_counters count, strangers;
};

struct h248_peer {
	struct base_node node;
	struct h248_txn *txn;
	struct base_map_node by_mid;
	char *mid_key; /* NULL: not named yet; owns the key and the name in `mid` */
	struct h248_mid mid;
	struct h248_addr addr;
	void *user;
	uint8_t version; /* 0: not agreed */
	uint8_t codec;   /* enum h248_codec: set, or last heard */
	bool codec_set, codec_heard;
	bool dead;
	uint32_t round; /* told in this one */

	struct base_map incoming;    /* by TransactionID: struct txn_seen */
	struct base_node unanswered; /* of them */
	struct base_node answered;   /* likewise, the first answered first */
	struct loop_timer expiry;    /* LONG-TIMER of the first one */
	size_t executing;

	struct base_node outgoing; /* sent and unanswered */
	struct base_node queue;    /* not sent yet, the oldest first */
	size_t outgoing_count;     /* in both */
	size_t queued_count;
	bool blocked; /* by the user */
	bool full;    /* says the transport */
	struct h248_txn_timers timers;

	uint32_t aad_x8, adev_x4; /* ms, as D.1.3's AAD and ADEV; 0 before the first sample */
	uint32_t
	        backed_off_ms; /* AAD as doubled by the last repetitions; 0 = none since a sample */
	struct txn_range acks[TXN_ACK_RANGES]; /* replies received and not acknowledged yet */
	unsigned acks_count;                   /* ranges */
	uint32_t acks_ids;                     /* ids in them */
	struct loop_timer ack_timer;
	struct txn_bundle *bundle; /* NULL before the first */
	struct h248_txn_counters count;
};

/** The counters of a peer; of strangers together, where there is none. */
static inline struct h248_txn_counters *txn_counters_of(struct h248_txn *txn,
                                                        struct h248_peer *peer)
{
	return peer ? &peer->count : &txn->strangers;
}

/** Count for the entity and its peer. */
#define TXN_COUNT_BY(txn, peer, field, n)                                                          \
	do {                                                                                       \
		(txn)->count.field += (n);                                                         \
		txn_counters_of(txn, peer)->field += (n);                                          \
	} while (0)
#define TXN_COUNT(txn, peer, field) TXN_COUNT_BY(txn, peer, field, 1)

/** A TransactionID of a peer's that must not be executed again. Many are kept, so it is small. */
struct txn_seen {
	struct base_map_node by_id; /* the key is `id` */
	struct base_node node;      /* in one of the peer's lists */
	struct h248_incoming *in;   /* NULL: its reply has been acknowledged */
	uint64_t until_ms;          /* forgotten then; set by the reply */
	uint32_t id;
};

enum incoming_state {
	IN_EXECUTING, /* the user has it */
	IN_EXPIRED,   /* the user has it, but the peer was told 506: its answer is thrown away */
	IN_ORPHAN,    /* the user has it, the peer is gone */
	IN_REPLIED,   /* the reply is kept */
};

struct h248_incoming {
	struct base_node node; /* of orphans */
	struct h248_txn *txn;
	struct h248_peer *peer; /* NULL for orphans */
	struct txn_seen *seen;  /* likewise */
	struct h248_addr from;
	uint32_t id;
	uint8_t state;   /* enum incoming_state */
	uint8_t version; /* of the request's header */
	uint8_t codec;   /* the form of its answer */
	uint32_t pendings;
	struct txn_input *input; /* kept for the user, or NULL */
	char *reply;
	size_t reply_len;
	struct txn_parts *parts; /* of a reply in segments; NULL: `reply` is whole */
	uint64_t replied_ms;
	uint32_t pending_ms;     /* to the next Pending, by its rule */
	unsigned repeats;        /* of the reply by its timer */
	uint32_t repeat_ms;      /* of an unconfirmed reply with ImmAckRequired */
	struct loop_timer timer; /* executing: the next Pending; replied: the next repetition */
};

/* ---- txn.c ---- */

static inline uint32_t txn_or(uint32_t value, uint32_t standard)
{
	return value ? value : standard;
}
static inline struct base_str txn_key(const uint32_t *id)
{
	return (struct base_str){ (const char *)id, sizeof(*id) };
}
/** Uniform in [low, high]. */
uint32_t txn_random(struct h248_txn *txn, uint32_t low, uint32_t high);
/** Tell `rearm` if the deadline has changed. At the end of each public function that may. */
void txn_tell(struct h248_txn *txn);
/** Around whatever may call back: a peer freed meanwhile stays readable until the last leave. */
void txn_enter(struct h248_txn *txn);
void txn_leave(struct h248_txn *txn);

/* ---- txn_timer.c ---- */

/** The time after `last_ms` by a rule that has one; 0 for the first. */
uint32_t txn_rule_next(const struct h248_timer_rule *rule, uint32_t last_ms);
/** A round trip has been seen (D.1.3). */
void txn_rtt_measured(struct h248_peer *peer, uint64_t rtt_ms);
/** The average as it is to be used for a new request. */
uint32_t txn_rtt_aad(const struct h248_peer *peer);
/** After a repetition (D.1.3): doubles *aad_ms. @return the time to the next one */
uint32_t txn_rtt_back_off(struct h248_peer *peer, uint32_t *aad_ms);

/* ---- txn_send.c ---- */

/** Largest message to that address. */
size_t txn_limit(const struct h248_txn *txn, const struct h248_addr *to);
/** Send octets and count them. `peer` may be NULL: a stranger. */
void txn_put(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
             const void *data, size_t len);
/** The same for the first sending of a message of ours, which may wait for company (bundle_ms). */
void txn_put_first(struct h248_peer *peer, const struct h248_addr *to, const void *data,
                   size_t len);
/** The form of our answer to something in the form `heard`. */
uint8_t txn_codec_for(const struct h248_txn *txn, uint8_t heard);
/** How requests of ours to this peer are written; `version` 0 = the peer's. */
struct txn_form txn_form_of(const struct h248_peer *peer, unsigned version);

/**
 * Encode one message with that transaction into txn->out; with `peer`, what it is owed of
 * acknowledgements goes along when there is room.
 * @return 0; BASE_LOCAL 533 when it is too big for `to`; else the encoder's error
 */
int txn_encode(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
               struct txn_form form, struct h248_transaction *t);
/** The same with another limit; `peer` NULL: without acknowledgements. */
int txn_encode_within(struct h248_txn *txn, struct h248_peer *peer, struct txn_form form,
                      struct h248_transaction *t, size_t limit);
/** Encode and send, keeping nothing; failures are as good as lost. `peer` may be NULL. */
void txn_send(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
              struct txn_form form, struct h248_transaction *t);
/** Send a reply that consists of one error. */
void txn_send_error(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
                    struct txn_form form, uint32_t id, unsigned code, const char *text);
/** RFC 3525, 7.1.19: an error descriptor instead of transactions. */
void txn_send_message_error(struct h248_txn *txn, const struct h248_addr *to, struct txn_form form,
                            unsigned code, const char *text);
/** An error descriptor on the stack. NULL text takes the registered one. */
struct h248_error txn_error(unsigned code, const char *text);

/* ---- txn_input.c ---- */

void txn_input_unref(struct h248_txn *txn, struct txn_input *input);
void txn_input_free(struct txn_input *input);

/* ---- txn_bundle.c ---- */

/** Keep a message of ours for company. False: it has to go by itself, now. */
bool txn_bundle_add(struct h248_peer *peer, const struct h248_addr *to, const void *data,
                    size_t len);
/** Send what waits, with the acknowledgements owed by now. */
void txn_bundle_flush(struct h248_peer *peer);
void txn_bundle_free(struct h248_peer *peer);

/* ---- txn_ack.c ---- */

/** One more id to acknowledge with the next message; ranges grow where they can. */
void txn_ack_owe(struct h248_peer *peer, uint32_t id);
/** Acknowledge that one now, whatever else is owed. */
void txn_ack_now(struct h248_peer *peer, const struct h248_addr *to, uint32_t id);
/** Send all that is owed. */
void txn_ack_flush(struct h248_peer *peer);
/** All that is owed as a list in `range`, which has TXN_ACK_RANGES. NULL when nothing is. */
struct h248_ack *txn_ack_list(const struct h248_peer *peer, struct h248_ack *range);
/** It has been sent. */
void txn_ack_sent(struct h248_peer *peer);

/* ---- txn_peer.c ---- */

/** Whose message is this? Learns the mId of a peer known by its address. NULL: a stranger's. */
struct h248_peer *txn_peer_of(struct h248_txn *txn, const struct h248_addr *from,
                              const struct h248_mid *mid);
/** Learn or replace the mId. @return 0, or BASE_LOCAL. */
int txn_peer_name(struct h248_peer *peer, const struct h248_mid *mid);
/** Free those that were freed inside callbacks. */
void txn_peer_reap(struct h248_txn *txn);
/** Free without callbacks. */
void txn_peer_destroy(struct h248_peer *peer);

/* ---- txn_in.c ---- */

void txn_in_request(struct h248_peer *peer, const struct h248_addr *from,
                    const struct h248_message *msg, const struct h248_transaction *req);
void txn_in_ack(struct h248_peer *peer, const struct h248_transaction *ack);
/** A SegmentReply: the peer has got that part of a reply of ours. */
void txn_in_segment(struct h248_peer *peer, const struct h248_transaction *t);
/** The peer goes: forget what is finished, orphan what executes. */
void txn_in_drop(struct h248_peer *peer);
/** Free, wherever it is. */
void txn_in_destroy(struct h248_incoming *in);

/* ---- txn_parts.c: replies of ours in segments ---- */

struct txn_parts;

/**
 * Cut `reply`, which has turned out too big, into segments no larger than `limit`.
 * @return 0; BASE_LOCAL 533 when one command alone is too big; else the encoder's or memory's error
 */
int txn_parts_new(struct txn_parts **ret, struct h248_incoming *in, struct h248_transaction *reply,
                  struct txn_form form, size_t limit);
void txn_parts_free(struct txn_parts *parts);
size_t txn_parts_bytes(const struct txn_parts *parts);
/** Send what the window allows and has not been sent. */
void txn_parts_send(struct txn_parts *parts);
/** Send again what is under way. */
void txn_parts_repeat(struct txn_parts *parts);
/** Segment `number` has arrived; the window moves. @return true when all have */
bool txn_parts_confirmed(struct txn_parts *parts, unsigned number);

/* ---- txn_segment.c: segments received ---- */

struct txn_segments;

/** Keep one more segment (of the message being handled); makes the set when there is none. False
 * when it cannot be kept: number 0, too many, no memory. */
bool txn_segments_add(struct h248_txn *txn, struct txn_segments **s,
                      const struct h248_transaction *reply);
/** The whole reply, when it is complete; alive as long as the set. */
bool txn_segments_join(const struct txn_segments *s, struct h248_transaction *ret);
void txn_segments_free(struct h248_txn *txn, struct txn_segments *s);

/* ---- txn_out.c ---- */

void txn_out_reply(struct h248_peer *peer, const struct h248_addr *from,
                   const struct h248_message *msg, const struct h248_transaction *reply);
void txn_out_pending(struct h248_peer *peer, const struct h248_transaction *pending);
/** The peer that the request with that id went to, when it has no name yet; else NULL. */
struct h248_peer *txn_out_unnamed(struct h248_txn *txn, uint32_t id);
/** End all of them with that outcome, or silently when `tell` is false. */
void txn_out_drop(struct h248_peer *peer, bool tell);
/** Send what may go now of what waits. */
void txn_out_pump(struct h248_peer *peer);

/* ---- txn_late.c ---- */

/** A request has been given up: its reply would be late. */
void txn_late_expect(const struct h248_peer *peer, uint32_t id);
/** Was this one given up within LONG-TIMER? Once true for each. */
bool txn_late_take(const struct h248_peer *peer, uint32_t id);
/** The peer goes: its late replies are nobody's (RFC 3525, 11.5). */
void txn_late_drop(const struct h248_peer *peer);

#endif
