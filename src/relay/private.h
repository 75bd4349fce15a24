/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/relay: workers, legs, endpoints and the pool.
 *
 * Invariants:
 * 1. A `relay_leg` is its worker's; a `relay_endpoint` is the control thread's and holds a leg in
 *    its storage. The two talk by messages only; the counters of a leg are atomics with one writer.
 * 2. The storage of an endpoint is freed by the control thread, after the worker's last letter
 *    about it, posted once the order to remove has come and the leg is gone. A leg of a listener
 *    has no endpoint; its worker frees it. No leg goes while one of its functions may be on the
 *    stack: the worker's reaper frees it or posts that letter at the end of the iteration.
 * 3. `state` changes in relay_leg_input() alone.
 * 4. Source bytes are read only when their destination takes them: its pending queue is empty. So
 *    what an endpoint holds is bounded by one read and what TLS makes of it.
 * 5. The worker's buffers belong to nobody between two events.
 */
#ifndef GH_RELAY_PRIVATE_H
#define GH_RELAY_PRIVATE_H

#include "relay/counters.h"
#include "relay/gate.h"
#include "relay/mailbox.h"
#include "relay/queue.h"
#include "relay/relay.h"
#include "relay/setup.h"
#include "relay/socket.h"
#include "relay/state.h"

struct relay_batch;
struct relay_dgram;
struct relay_seat;

/* ---- workers (worker.c) ---- */

/** One engine context per domain, made on first use. */
struct relay_tls_slot {
	struct base_node node;
	struct tls_domain *domain; /**< referenced */
	struct tls_context *context;
	struct relay_own_meter *meter; /**< NULL when there was no memory for it */
	unsigned sessions;
	bool stale; /**< the domain was dropped: free with the last session */
};

struct relay_leg;
struct relay_worker {
	struct relay_pool *pool;
	struct loop_thread *thread;
	struct loop *loop;
	struct base_node legs;                    /**< all that are not gone */
	struct base_node slots;                   /**< struct relay_tls_slot */
	_Atomic(struct relay_own_meter *) meters; /**< meter.c; only ever added to */
	struct base_node dead;                    /**< legs to free */
	struct base_node doors;                   /**< of listeners */
	struct loop_task reaper;
	struct loop_task slice;     /**< of a sweep, rejudge.c */
	uint32_t sweep;             /**< its number; legs that bear it have been looked at */
	struct relay_judge *judges; /**< NULL between sweeps */
	size_t judge_count;
	uint8_t *in, *clear;       /**< RELAY_IN_SIZE and RELAY_CLEAR_SIZE, shared by all legs */
	struct base_writer out;    /**< ciphertext to send */
	struct relay_batch *batch; /**< of datagrams in `in`, dgram.c */
	uint8_t *late; /**< where what overtook a handshake's end may be put: a slot of `clear` */
	size_t read_size; /**< at most so much per read */
	int spare_fd;     /**< given up when accept finds none left */
	unsigned planned; /**< control's: endpoints placed here */
	bool ordered;     /**< control's: it has orders and was not woken for them */
};

/** Measured with bulk through relayd, CPU seconds per GB in and out: 32 KiB 0.57 and 0.64, 64 KiB
 * 0.48 and 0.68, 128 KiB 0.45 and 0.61, 256 KiB 0.43 and 0.62. */
#define RELAY_READ_SIZE ((size_t)128 * 1024)
/** What a session may have kept of a record that was not complete (RFC 5246, 6.2.3). */
#define RELAY_RECORD_MAX ((size_t)16384 + 2048)
/** A read, a kept part, and one record's room so that none is ever cut in two. */
#define RELAY_CLEAR_SIZE (RELAY_READ_SIZE + 2 * RELAY_RECORD_MAX)
/** What one wake-up may read before the others get their turn. */
#define RELAY_QUOTA ((size_t)256 * 1024)

/** A closing endpoint lives on while its peer takes at least so much in each drain timeout. */
#define RELAY_DRAIN_STEP 65536

int relay_worker_init(struct relay_worker *worker, struct relay_pool *pool);
/** Abort all legs; on the worker, after its loop has stopped. */
void relay_worker_abort(struct relay_worker *worker);
/** After the join. */
void relay_worker_done(struct relay_worker *worker);
/** The slot of a domain with `sessions` counted up; NULL when none could be made (logged). */
struct relay_tls_slot *relay_worker_slot(struct relay_worker *worker, struct tls_domain *domain);
void relay_slot_release(struct relay_tls_slot *slot);
/** dgram.c: after `in`; freed with free(). @return 0 or BASE_LOCAL ENOMEM */
int relay_batch_init(struct relay_worker *worker);
void relay_worker_drop(struct relay_worker *worker, struct tls_domain *domain);
/** accept4; when descriptors are short, in the place of the spare one. -1 and errno. */
int relay_worker_accept(struct relay_worker *worker, int fd, union relay_address *ret_peer);
/** Try to have a spare descriptor again, after one was given up or may have become free. */
void relay_worker_spare(struct relay_worker *worker);
/** rejudge.c: what a sweep holds. */
void relay_judges_free(struct relay_worker *worker);
/** At the end of this iteration free the leg, or tell control that its endpoint can be. */
void relay_worker_bury(struct relay_worker *worker, struct relay_leg *leg);

/* ---- legs ---- */

struct relay_leg {
	struct relay_worker *worker;
	struct relay_endpoint *owner; /**< NULL: made by a listener */
	struct relay_leg *partner;
	struct relay_setup *setup; /**< NULL once nothing in it is needed any more */
	struct relay_door *door;   /**< NULL: everybody may come, as fast as they like */
	struct relay_dgram *dgram; /**< NULL: TCP */
	struct relay_seat *seat;   /**< in a hub, in the place of a partner; NULL = in none */
	struct relay_tls_slot *slot;
	struct tls_session *session;
	struct loop_fd watch;
	struct loop_timer timer;
	struct loop_task turn;           /**< goes on reading when its quota was used up */
	struct relay_queue pending;      /**< for our peer, as it goes on the wire */
	struct relay_queue held;         /**< from our peer, clear, waiting for the partner */
	struct base_node node;           /**< in worker->legs, then dead */
	struct relay_fetch *fetch;       /**< what its handshake waits for; NULL = nothing */
	uint64_t fetch_until_ms;         /**< its handshake waits no longer; 0 = has not yet */
	struct relay_sentence *sentence; /**< its peer is revoked, and it goes on; NULL = no */
	uint64_t progress_mark;  /**< octets counted when a timer was started that they prolong */
	uint32_t handshake_ms;   /**< how long a handshake may take, a renegotiation's too */
	uint32_t shake_ms;       /**< when its handshake began, the lower bits */
	uint32_t renegotiations; /**< told */
	uint32_t mark;           /**< of the TLS set-up that its session is judged by */
	uint32_t judged;         /**< worker->sweep when it was looked at last */
	uint32_t idle_ms;        /**< open and without traffic so long, it ends; 0 = never */
	uint16_t error;          /**< errno of the failure, 0 = none */
	uint8_t state;           /**< enum relay_state */
	uint8_t cause;           /**< enum relay_cause; the first one stays */
	uint8_t role;            /**< enum tls_role */

	bool may_send : 1, may_receive : 1;
	bool removed : 1;       /**< no event is told any more */
	bool watched : 1;       /**< in the loop */
	bool readable : 1;      /**< bytes may wait in the socket */
	bool hangup : 1;        /**< a read will reach the end */
	bool urgent : 1;        /**< a read may stop short of what there is */
	bool tls : 1;           /**< has or will have TLS */
	bool tls_wanted : 1;    /**< ordered to start */
	bool tcp_up : 1;        /**< told */
	bool shaking : 1;       /**< handshake begun, result not told */
	bool proving : 1;       /**< and done: the peer's fingerprint is waited for */
	bool renegotiating : 1; /**< nothing can be written, and a timer runs */
	bool asked : 1;         /**< we wait for a client to renegotiate; the same timer */
	bool ignored : 1;       /**< we have waited long enough */
	bool ordered : 1;       /**< control waits for what comes of its order */
	bool tls_up : 1;        /**< told */
	bool end_wanted : 1;    /**< end our direction after what is pending */
	bool ended : 1;         /**< close_notify written, or nothing to say */
	bool shut : 1;          /**< FIN sent */
	bool peer_ended : 1;    /**< the peer has ended its direction */
	bool end_carried : 1;   /**< the partner knows */
	bool abortive : 1;      /**< close with RST */
	bool broke_alone : 1;   /**< failed while it had no partner to tell */
	bool parted : 1;        /**< it ends, and not for what the peers have said */
	bool lone_asked : 1;    /**< control is asked whether a partner is to come */
	bool lone : 1;          /**< control's answer: none is, until the next link */
	bool cause_firm : 1;    /**< the end has begun: later causes are its consequences */

	struct relay_counters counters;
};

/** A leg in the caller's zeroed storage. Takes over the reference to `setup`. */
void relay_leg_init(struct relay_leg *leg, struct relay_worker *worker,
                    struct relay_endpoint *owner, struct relay_setup *setup);
/** The one way to change state. `cause` and `error` are kept when they are the first. */
void relay_leg_input(struct relay_leg *leg, enum relay_input input, enum relay_cause cause,
                     int error);
/** Take up work with the socket in `watch.fd`: listening, or a client's. */
void relay_leg_begin(struct relay_leg *leg);
/** Go on with a socket that is connected. */
void relay_leg_adopt(struct relay_leg *leg);
/** Register with the loop. false: the leg has been failed. */
bool relay_leg_watch(struct relay_leg *leg);
/** Link, or with NULL unlink. One that is gone is not linked, but a failure of its is told. */
void relay_leg_link(struct relay_leg *leg, struct relay_leg *partner);
/** Order to remove: close in order, then the last letter or the reaper. */
void relay_leg_remove(struct relay_leg *leg);
/**
 * Something has opened the way for bytes: have both directions looked at, later in this iteration.
 * Never at once: the worker's buffers may be in use below us on the stack.
 */
void relay_leg_resume(struct relay_leg *leg);
/** rejudge.c: no longer, or it ends. */
void relay_sentence_free(struct relay_leg *leg);
/** Start the timer that state and renegotiation ask for, or stop it. */
void relay_leg_time(struct relay_leg *leg);
/** Take a leg that has no endpoint, or whose endpoint is removed, to its end. It must be gone. */
void relay_leg_end(struct relay_leg *leg);
/** Tell control. */
void relay_leg_tell(struct relay_leg *leg, enum relay_event_kind kind);
static inline bool relay_leg_gone(const struct relay_leg *leg)
{
	return leg->state == RELAY_GONE;
}

/* connect.c: listening and connecting */
/** What an errno means to control. Pure. */
enum relay_cause relay_cause_of(int error);
void relay_leg_accept(struct relay_leg *leg);
/** Judge who waits for it, in a later part of the iteration than it came. */
void relay_leg_judge(struct relay_leg *leg);
void relay_leg_connect(struct relay_leg *leg);

/* flow.c: bytes */
/** Read and move on while bytes, the partner and the quota allow. */
void relay_flow_run(struct relay_leg *leg);
/** Decrypt `io->in`, move the clear text on. */
void relay_flow_records(struct relay_leg *leg, struct tls_io *io);
/** Clear text to our peer: encrypted where there is TLS. A failure ends the leg. */
void relay_flow_give(struct relay_leg *leg, const uint8_t *data, size_t len);
/** Send to our peer, or queue. Fails the leg when the socket does. false: it has failed. */
bool relay_flow_send(struct relay_leg *leg, const uint8_t *data, size_t len);
/** The socket takes bytes again. */
void relay_flow_writable(struct relay_leg *leg);
/** When all that our peer ever sent is with the partner, let the partner's sending end too. */
void relay_flow_carry_end(struct relay_leg *leg);
/** close_notify, if it can still be said. */
void relay_flow_say_close(struct relay_leg *leg);
/** Once nothing is pending say FIN or close_notify, if that is wanted, or close, if all is said. */
void relay_flow_end(struct relay_leg *leg);

/* shake.c: TLS */
void relay_shake_start(struct relay_leg *leg);
/** Carry it on with what came; `len` 0 is a client's first step. */
void relay_shake_step(struct relay_leg *leg, const uint8_t *data, size_t len);
/** A session is over or has failed: cause by what it says. */
enum relay_cause relay_shake_cause(const struct tls_info *info, int rc);
void relay_shake_result(const struct relay_leg *leg, struct relay_tls_result *ret);
/** It has failed: count, log, end; or wait for the next one (room.h). */
void relay_shake_fail(struct relay_leg *leg, enum relay_cause cause);
/** Our peer is the wrong one: the alert, and that. */
void relay_shake_refuse(struct relay_leg *leg, uint8_t alert);
/** Control has another TLS set-up while there is a session: is its peer still the right one? */
void relay_shake_changed(struct relay_leg *leg, const struct relay_tls_setup *now);
/** The one line of a finished handshake; RELAY_CAUSE_NONE = it succeeded. */
void relay_shake_log(const struct relay_leg *leg, enum relay_cause cause);
/** Order: renegotiate. */
void relay_shake_order(struct relay_leg *leg);
/** The client has had time enough to begin what we asked for. */
void relay_shake_ignored(struct relay_leg *leg);
/** After records were read: has a renegotiation begun or ended? */
void relay_shake_again(struct relay_leg *leg);
/** The session ends; if that was in the midst of a renegotiation, tell. Nothing else calls for it.
 */
void relay_shake_again_failed(struct relay_leg *leg);
/** Take over the session's count of records. */
void relay_shake_count(struct relay_leg *leg);

/* meter.c: the counters of endpoint and domain, told once for both */
/** The worker's own for a domain; NULL when memory is short. */
struct relay_own_meter *relay_meter_of(struct relay_worker *worker,
                                       const struct tls_domain *domain);
/** The engine context that it was got for is gone. */
void relay_meter_leave(struct relay_own_meter *own);
void relay_meters_free(struct relay_worker *worker);
/** A handshake is done. */
void relay_meter_up(struct relay_leg *leg);
/** It has failed, or was given up. */
void relay_meter_failed(struct relay_leg *leg, enum relay_cause cause);
void relay_meter_again(struct relay_leg *leg, bool done, uint32_t count);
/** Clear text. */
void relay_meter_octets(struct relay_leg *leg, bool in, size_t len);
/** What the session has counted until now. */
void relay_meter_records(struct relay_leg *leg, uint64_t in, uint64_t out);
void relay_meter_condemned(struct relay_leg *leg);
/** The session goes: which alert ended it? */
void relay_meter_end(struct relay_leg *leg);

/* wait.c */
/** Does the handshake wait now? Then `io->in` is kept, and the CRL asked for; or the leg failed. */
bool relay_wait_begin(struct relay_leg *leg, const struct tls_io *io);
/** The leg ends. */
void relay_wait_end(struct relay_leg *leg);

/* ---- endpoints and pool (control thread) ---- */

struct relay_pool {
	struct loop *control;
	struct relay_mailbox mailbox;
	struct relay_ports ports;
	struct base_node contexts, listeners;
	struct base_node removed; /**< endpoints whose legs go on to their end */
	struct base_node hubs;    /**< struct relay_hub, until their worker has let go of them */
	struct base_map claims;   /**< struct relay_claim, by port and peer */
	struct base_map rooms;    /**< struct relay_room, by port */
	struct base_node room_list;
	struct base_node holders; /**< endpoints with orders that wait */
	struct base_node askers;  /**< endpoints whose leg waits for word that it is alone */
	struct loop_task waker;   /**< in the control loop: wakes workers for their orders */
	atomic_bool closing;      /**< nobody goes to another worker any more */
	atomic_uint departing;    /**< who is about to */
	atomic_uint open;         /**< endpoints, and legs of listeners */
	unsigned limit;
	size_t buffer_limit;
	unsigned half_timeout_ms, drain_timeout_ms, fetch_limit_ms;
	relay_fetch_fn *fetch;
	void *fetch_arg;
	struct relay_trust_counters trust;
	unsigned worker_count;
	struct relay_worker worker[];
};

struct relay_context {
	struct base_node node;
	struct relay_pool *pool;
	struct relay_worker *worker;
	struct base_node endpoints;
};

/** An order on its way to a worker, or held back by control (migrate.c). */
struct relay_held {
	struct loop_msg msg;
	struct relay_held *next;
	struct relay_endpoint *other; /**< it speaks of this one too; NULL = of none */
};

struct relay_endpoint {
	struct base_node node; /**< in its context; once removed, in pool->removed */
	struct relay_pool *pool;
	relay_event_fn *fn;
	void *arg;
	bool removed;
	union relay_address local;
	struct relay_claim *claim; /**< of a shared port; NULL = none */
	struct relay_claim *kept;  /**< for the next order of dgram_set; NULL = none */
	struct relay_room *room;   /**< likewise, its peer is not named */
	bool tls, linked, settled; /**< has TLS; was linked; who came to its room is known */
	struct relay_worker *home; /**< control's: where orders go */
	bool moving;               /**< it is on its way there */
	struct relay_held *held;   /**< orders that wait for that, in order */
	struct base_node holder;   /**< in pool->holders while there are any */
	struct loop_msg begin;     /**< and to arrive, which comes later */
	union {
		struct loop_msg depart;
		struct relay_letter arrived; /**< that is over */
	};
	struct relay_held remove;
	union {
		struct relay_letter asks;
		struct relay_held lone; /**< the answer */
	};
	struct base_node asker;   /**< in pool->askers until all orders about it have been given */
	struct relay_letter down; /**< the final event, which needs no memory */
	struct relay_letter last; /**< the worker is done with the endpoint */
	uint16_t down_error;
	uint8_t down_kind, down_cause; /**< the worker's until `down` is posted, then control's */
	struct relay_setup setup;      /**< the leg's, as long as it points here */
	struct relay_leg leg;
};

/**
 * pool.c, control thread: send to a worker, which is woken at the end of the control loop's
 * iteration: the orders of a whole transaction, or of several, are one wake-up.
 */
void relay_worker_order(struct relay_worker *worker, struct loop_msg *msg, loop_fn *fn, void *arg);

/* migrate.c: control thread */
/** Post an order, or hold it back. Orders for one endpoint keep their order. */
void relay_order_post(struct relay_endpoint *endpoint, struct relay_held *order, loop_fn *fn,
                      void *arg);
/** endpoint.c: what it speaks of is removed: it becomes an order to unlink. */
void relay_order_unlink(struct relay_held *order);
/**
 * Worker: may a leg that has no partner end in order? Control may have ordered a link, or a Move,
 * that is on its way. So it is asked, and when there is none the leg is resumed with `lone` set.
 */
bool relay_leg_may_end_alone(struct relay_leg *leg);
/** No order that waits shall speak of it. */
void relay_orders_forget(const struct relay_endpoint *gone);
/** At the end of the pool, after the workers'. */
void relay_orders_discard(struct relay_endpoint *endpoint);
/** Before the workers are ended, one after the other. */
void relay_pool_close(struct relay_pool *pool);

/** Worker: done with the endpoint. Control frees it. */
void relay_endpoint_last(struct relay_endpoint *endpoint);
/** Worker: tell control. */
void relay_endpoint_post(struct relay_endpoint *endpoint, const struct relay_event *event);
/** Control: the storage, at the end of the pool or after the last letter. */
void relay_endpoint_free(struct relay_endpoint *endpoint);
void relay_listener_discard(struct base_node *node);

#endif
