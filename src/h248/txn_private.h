/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the txn_*.c files share, and nobody else. Invariants:
 *
 *  1. A request of a peer is in `peer->incoming` from its arrival until LONG-TIMER after its reply
 *     was issued; while it is there, the user never sees that TransactionID of that peer again.
 *  2. A request of ours is in `txn->outgoing` and in its peer's list, or its `fn` has been called.
 *  3. An h248_incoming is the user's from on_request until its answer: state EXECUTING, or EXPIRED
 *     or ORPHAN when the answer has nowhere to go any more. Nobody else frees it meanwhile.
 *  4. Inside h248_txn_input and h248_txn_advance (depth > 0), a freed peer stays readable, with
 *     `dead` set, until the outermost call ends.
 */
#ifndef GH_H248_TXN_PRIVATE_H
#define GH_H248_TXN_PRIVATE_H

#include "h248/txn.h"

/** A decoded message and its memory, shared by the requests that keep it. */
struct txn_input {
	struct base_arena arena;
	unsigned refs;
};

#define TXN_ACK_RANGES 32

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
	struct base_node orphans; /* h248_incoming whose peer is gone, waiting for their answer */
	size_t remembered, reply_bytes;

	struct txn_input *spare; /* warm memory for the next message */
	struct txn_input *current;
	struct base_writer out;
	struct h248_txn_counters count;
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
	bool dead;
	uint32_t round; /* told in this one */

	struct base_map incoming; /* by TransactionID */
	struct base_node incoming_list;
	size_t executing;

	struct base_node outgoing;
	size_t outgoing_count;

	uint32_t aad_x8, adev_x4; /* ms, as D.1.3's AAD and ADEV; 0 before the first sample */
	uint32_t
	        backed_off_ms; /* AAD as doubled by the last repetitions; 0 = none since a sample */
	struct txn_range acks[TXN_ACK_RANGES]; /* replies received and not acknowledged yet */
	unsigned acks_count;
};

enum incoming_state {
	IN_EXECUTING, /* the user has it */
	IN_EXPIRED,   /* the user has it, but the peer was told 506: its answer is thrown away */
	IN_ORPHAN,    /* the user has it, the peer is gone */
	IN_REPLIED,   /* the reply is kept */
	IN_ACKED,     /* only the id is kept */
};

struct h248_incoming {
	struct base_map_node by_id; /* the key is `id` */
	struct base_node node;      /* in the peer's list, or the orphans */
	struct h248_txn *txn;
	struct h248_peer *peer; /* NULL for orphans */
	struct h248_addr from;
	uint32_t id;
	uint8_t state;   /* enum incoming_state */
	uint8_t version; /* of the request's header */
	uint32_t pendings;
	struct txn_input *input; /* kept for the user, or NULL */
	char *reply;
	size_t reply_len;
	uint64_t replied_ms;
	uint32_t repeat_ms;       /* of an unconfirmed reply with ImmAckRequired */
	struct loop_timer timer;  /* executing: the next Pending; replied: the next repetition */
	struct loop_timer expiry; /* LONG-TIMER */
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
/** Largest message to that address. */
size_t txn_limit(const struct h248_txn *txn, const struct h248_addr *to);
/** Send octets and count them. */
void txn_put(struct h248_txn *txn, const struct h248_addr *to, const void *data, size_t len);

/**
 * Encode one message with that transaction into txn->out; with `peer`, what it is owed of
 * acknowledgements goes along when there is room.
 * @return 0; BASE_LOCAL 533 when it is too big for `to`; else the encoder's error
 */
int txn_encode(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
               unsigned version, struct h248_transaction *t);
/** Encode and send, keeping nothing; failures are as good as lost. */
void txn_send(struct h248_txn *txn, const struct h248_addr *to, unsigned version,
              struct h248_transaction *t);
/** Send a reply that consists of one error. */
void txn_send_error(struct h248_txn *txn, const struct h248_addr *to, unsigned version, uint32_t id,
                    unsigned code, const char *text);
/** An error descriptor on the stack. NULL text takes the registered one. */
struct h248_error txn_error(unsigned code, const char *text);
void txn_input_unref(struct h248_txn *txn, struct txn_input *input);

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
/** The peer goes: forget what is finished, orphan what executes. */
void txn_in_drop(struct h248_peer *peer);
/** Free, wherever it is. */
void txn_in_destroy(struct h248_incoming *in);

/* ---- txn_segment.c ---- */

#define TXN_SEGMENTS 64

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

#endif
