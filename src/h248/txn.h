/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Transactions (RFC 3525, 8 and Annex D): each request executed at most once, each request of ours
 * answered or given up. A pure core: bytes, time and addresses go in, bytes and calls come out;
 * h248/node.h puts sockets and a clock around it.
 *
 * One `struct h248_txn` is one local entity (an MG, a virtual MG, an MGC) with its mId; it has
 * peers. All state is inside, so any number of entities live side by side. One thread each.
 *
 * Callbacks may call everything here but h248_txn_input, h248_txn_advance, h248_txn_lost and
 * h248_txn_free.
 */
#ifndef GH_H248_TXN_H
#define GH_H248_TXN_H

#include "h248/addr.h"
#include "h248/build.h"
#include "h248/errors.h"
#include "h248/message.h"
#include "h248/txn_config.h"
#include "loop/loop.h"

struct h248_txn;
struct h248_peer;
struct h248_incoming;

/** What the core needs and tells. Needed are `send`, `now_ms` and `on_request`. */
struct h248_txn_ops {
	/**
	 * Hand a message to the network. Data is borrowed. @return 0; BASE_AGAIN when it went, but
	 * further requests for that address had better wait for h248_txn_drained; anything else is
	 * like being lost.
	 */
	int (*send)(void *arg, const struct h248_addr *to, const void *data, size_t len);
	/** A monotonic clock; may be a virtual one. */
	uint64_t (*now_ms)(void *arg);
	/** h248_txn_deadline has changed to this. */
	void (*rearm)(void *arg, uint64_t deadline_ms);

	/**
	 * A request to execute, once. Answer with h248_txn_reply, now or later; until then the
	 * peer gets TransactionPending. The model is borrowed until return, unless
	 * h248_incoming_keep. `req->faulty` says that actions or commands in it carry a `fault`:
	 * answer those with its code, in their place.
	 */
	void (*on_request)(void *arg, struct h248_incoming *in, const struct h248_message *msg,
	                   const struct h248_transaction *req);
	/**
	 * A sender that is no peer yet has sent requests. True makes it one (h248_peer, with its
	 * mId and this address); false, or no such function, answers them with error 504.
	 */
	bool (*on_stranger)(void *arg, const struct h248_addr *from,
	                    const struct h248_message *msg);
	/**
	 * A message bears this peer's mId, but comes from another host than the peer's address.
	 * False makes it a stranger's that stays one. NULL: taken.
	 */
	bool (*on_source)(void *arg, struct h248_peer *peer, const struct h248_addr *from);
	/**
	 * The peer has been told 506 instead of what you would answer (pending_limit): what is
	 * still to be done for this request may be left. Answer it all the same, so that it can be
	 * freed; the answer is thrown away. Not h248_txn_reply in here.
	 */
	void (*on_abort)(void *arg, struct h248_incoming *in);
	/**
	 * A reply has come to a request that had been given up (any outcome but
	 * H248_OUTCOME_REPLY) no more than LONG-TIMER ago. Once for each. Borrowed until return.
	 */
	void (*on_late_reply)(void *arg, struct h248_peer *peer, const struct h248_message *msg,
	                      const struct h248_transaction *reply);
	/**
	 * For tracing: a message as it came or goes, decoded. `msg` is NULL when it could not be
	 * decoded, and for repetitions and bundles of ours. Borrowed.
	 */
	void (*on_traced)(void *arg, bool out, const struct h248_addr *addr,
	                  const struct h248_message *msg, const void *data, size_t len);
	/** A message error from a peer (NULL: from a stranger). It is never answered. */
	void (*on_message_error)(void *arg, struct h248_peer *peer, const struct h248_addr *from,
	                         unsigned code, struct base_str text);
	/** Something valid came from this peer: it lives. Called before its content is handled. */
	void (*on_heard)(void *arg, struct h248_peer *peer);
	/** A peer is freed, or a stranger refused: this TCP connection is of no more use. */
	void (*close)(void *arg, const struct h248_addr *addr);
	/** h248_txn_lost has met the connection of this peer. */
	void (*on_lost)(void *arg, struct h248_peer *peer, const char *reason);

	void *arg;
};

/* ---- life ---- */

/** A new entity. `config` and `ops` are copied. @return 0, or BASE_LOCAL. */
int h248_txn_new(struct h248_txn **ret, const struct h248_txn_config *config,
                 const struct h248_txn_ops *ops);
/** Free it with its peers; no callback is called. NULL is fine. */
void h248_txn_free(struct h248_txn *txn);

/** Set execution_ms and pending_limit anew (package root, E.2), for requests to come. */
void h248_txn_limits_set(struct h248_txn *txn, uint32_t execution_ms, uint32_t pending_limit);

/** The same and more, as package root has it; all of it. */
void h248_txn_root_set(struct h248_txn *txn, const struct h248_txn_root *root);
void h248_txn_root(const struct h248_txn *txn, struct h248_txn_root *ret);
/** Set segment_bytes and segment_ms anew (package seg, sheet 5.2); 0 = the defaults. */
void h248_txn_segments_set(struct h248_txn *txn, uint32_t segment_bytes, uint32_t segment_ms);

/** A message from the network; any bytes are safe. `data` is borrowed. */
void h248_txn_input(struct h248_txn *txn, const struct h248_addr *from, const void *data,
                    size_t len);
/** A connection has ended: `on_lost` for each peer whose requests go by it. */
void h248_txn_lost(struct h248_txn *txn, const struct h248_addr *conn, const char *reason);
/** Is there a peer at this address or behind this connection? For who has several entities. */
bool h248_txn_knows(const struct h248_txn *txn, const struct h248_addr *from);
/** The transport takes more for this connection again, after `send` has said BASE_AGAIN. */
void h248_txn_drained(struct h248_txn *txn, const struct h248_addr *conn);
/** When h248_txn_advance has to be called; UINT64_MAX = never. */
uint64_t h248_txn_deadline(const struct h248_txn *txn);
/** Do what is due by now. */
void h248_txn_advance(struct h248_txn *txn);
/**
 * The timers of this entity, for those who build upon it (h248/assoc.h). Set its now_ms with
 * h248_txn_now before starting one.
 */
struct loop_timers *h248_txn_timers(struct h248_txn *txn);
/** Look at the clock; also updates the timers' time. */
uint64_t h248_txn_now(struct h248_txn *txn);
/** Our own mId. */
const struct h248_mid *h248_txn_mid(const struct h248_txn *txn);
/** Tell `rearm` after having started or stopped one of h248_txn_timers. */
void h248_txn_timers_changed(struct h248_txn *txn);

/* ---- peers ---- */

/**
 * A peer we know before it has spoken: its mId is learned from its first message that comes from
 * `addr` or answers a request of ours. @return 0, or BASE_LOCAL.
 */
int h248_peer_new(struct h248_peer **ret, struct h248_txn *txn, const struct h248_addr *addr);
/**
 * Forget a peer. Its unanswered requests of ours end with H248_OUTCOME_CANCELLED; replies to what
 * it asked are thrown away when they come (RFC 3525, 11.5). NULL is fine.
 */
void h248_peer_free(struct h248_peer *peer);

/** Where requests to it go: learned, or set by ServiceChangeAddress. */
const struct h248_addr *h248_peer_addr(const struct h248_peer *peer);
void h248_peer_addr_set(struct h248_peer *peer, const struct h248_addr *addr);
/** Its mId; kind H248_MID_NONE when not learned yet. */
const struct h248_mid *h248_peer_mid(const struct h248_peer *peer);
/** Protocol version of what we send to it; 1 until set (spec 5.1). */
unsigned h248_peer_version(const struct h248_peer *peer);
void h248_peer_version_set(struct h248_peer *peer, unsigned version);
/**
 * The form of our requests to it: as set, else as it has last written itself, else as the entity's
 * settings say. What answers a request has that request's form (text in our own style).
 */
void h248_peer_codec_set(struct h248_peer *peer, enum h248_codec codec);
enum h248_codec h248_peer_codec(const struct h248_peer *peer);
/** The caller's own. */
void h248_peer_user_set(struct h248_peer *peer, void *user);
void *h248_peer_user(const struct h248_peer *peer);
struct h248_txn *h248_peer_txn(const struct h248_peer *peer);
/** The peer with that mId, or NULL. */
struct h248_peer *h248_peer_find(const struct h248_txn *txn, const struct h248_mid *mid);
/** Walk the peers: NULL for the first; NULL at the end. */
struct h248_peer *h248_peer_next(const struct h248_txn *txn, const struct h248_peer *peer);
/** Unanswered requests of ours to this peer. */
size_t h248_peer_outgoing(const struct h248_peer *peer);
/** Requests of this peer that we have not answered. */
size_t h248_peer_executing(const struct h248_peer *peer);
/** Current estimate of the round trip (AAD) in ms, and the retransmission time it gives. */
uint32_t h248_peer_rtt_ms(const struct h248_peer *peer);
uint32_t h248_peer_rto_ms(const struct h248_peer *peer);

/** Timers of its own instead of the entity's, for what is sent from now on. */
void h248_peer_timers_set(struct h248_peer *peer, const struct h248_txn_timers *timers);
/**
 * Hold requests to it back, as while it is overloaded, until h248_peer_unblock: they wait in order,
 * max_queued at most, and T-MAX ends them too. Replies, pendings and acknowledgements go on, and so
 * do repetitions of what has been sent.
 */
void h248_peer_block(struct h248_peer *peer);
void h248_peer_unblock(struct h248_peer *peer);
bool h248_peer_blocked(const struct h248_peer *peer);
/** Of the unanswered requests to it, those that have not been sent yet. */
size_t h248_peer_queued(const struct h248_peer *peer);

/* ---- their requests ---- */

/** Who asked; NULL when that peer has been freed meanwhile. */
struct h248_peer *h248_incoming_peer(const struct h248_incoming *in);
uint32_t h248_incoming_id(const struct h248_incoming *in);
/** Where the request came from, and its reply will go to. */
const struct h248_addr *h248_incoming_from(const struct h248_incoming *in);
/** Keep the model (of on_request) alive until the reply. */
void h248_incoming_keep(struct h248_incoming *in);

/**
 * Answer. `reply` is a transaction with actions or an error (h248_reply_new); its id and
 * ImmAckRequired are set here. The model is the caller's again on return. `in` is gone, whatever
 * comes back.
 *
 * @return 0; or what stood in the way (BASE_LOCAL, BASE_BUG from the encoder), after the peer has
 *         been answered with error 533 (too big for its transport) or 500 instead
 */
int h248_txn_reply(struct h248_incoming *in, struct h248_transaction *reply);
/** Answer with one error descriptor; NULL text takes the registered one. */
void h248_txn_reply_error(struct h248_incoming *in, unsigned code, const char *text);

/* ---- our requests ---- */

enum h248_outcome {
	H248_OUTCOME_REPLY = 0, /**< `reply` is there */
	H248_OUTCOME_TIMEOUT,   /**< T-MAX has passed: the peer has failed (D.1.5) */
	H248_OUTCOME_CANCELLED, /**< h248_txn_cancel or h248_peer_free */
	/** More pendings than peer_pending_limit: the peer will say 506, or has lost its way. */
	H248_OUTCOME_PENDINGS,
};

/** The end of a request, called exactly once. `msg` and `reply` are borrowed until return. */
typedef void h248_reply_fn(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                           const struct h248_transaction *reply);

/** An empty request in `arena`; add actions to it. NULL when memory is short. */
static inline struct h248_transaction *h248_request_new(struct base_arena *arena)
{
	struct h248_transaction *req = BASE_NEW(arena, struct h248_transaction);

	if (req)
		req->kind = H248_REQUEST;
	return req;
}

/**
 * Send a request. Gives it its TransactionID, which is unique in this entity. The model is the
 * caller's again on return. `fn` comes later, never inside this call. It may be NULL where nobody
 * wants the answer; the request is repeated, and its reply acknowledged, all the same.
 *
 * What megaco names `call` and `cast` is this one function: `cast` with its reply function. A
 * library without I/O has no blocking call; run the loop until `fn` has come.
 *
 * @param version  header version of this request; 0 = the peer's
 * @param ret_id   may be NULL
 * @return 0; BASE_LOCAL 510 (too many unanswered or waiting, memory) or 533 (too big); BASE_BUG
 *         (encoder)
 */
int h248_txn_request(struct h248_peer *peer, struct h248_transaction *request, unsigned version,
                     h248_reply_fn *fn, void *arg, uint32_t *ret_id);
/** Give up waiting; `fn` is called with H248_OUTCOME_CANCELLED. Unknown ids are fine. */
void h248_txn_cancel(struct h248_txn *txn, uint32_t id);
/** Repeat now what `peer` has not answered, as after a reconnection or a failover (D.1.5). */
void h248_peer_resend(struct h248_peer *peer);
/**
 * Hand what `from` has not answered to `to` and send it there ("repeated transaction requests
 * shall be directed to the new MGC", RFC 3525, 11.5). Same entity.
 */
void h248_peer_move(struct h248_peer *from, struct h248_peer *to);

/* ---- counters ---- */

/** Of the entity as a whole, and of one peer. How they add up: h248/txn_config.h. */
const struct h248_txn_counters *h248_txn_counters(const struct h248_txn *txn);
const struct h248_txn_counters *h248_peer_counters(const struct h248_peer *peer);
/** Requests remembered (executing or finished within LONG-TIMER). */
size_t h248_txn_remembered(const struct h248_txn *txn);

#endif
