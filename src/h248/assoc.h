/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The control association as a gateway sees it (RFC 3525, 11; the fact sheet 5.1): registration
 * with the first controller that takes us, keep-alive, failover, hand-off, leaving. A state machine
 * as a table (docs/state-association.md is printed from it), on the transaction layer, so it too
 * has neither sockets nor a clock.
 *
 * The association is the user of its h248_txn: give h248_assoc_txn_ops to h248_txn_new, or use
 * h248_gateway_new below, which makes node and association in one go.
 */
#ifndef GH_H248_ASSOC_H
#define GH_H248_ASSOC_H

#include "h248/node.h"

struct h248_assoc;

enum h248_assoc_state {
	H248_ASSOC_IDLE = 0,  /**< not started */
	H248_ASSOC_WAITING,   /**< for a random time before (re)starting at the first controller */
	H248_ASSOC_RESOLVING, /**< the next controller has a name whose address is looked up */
	H248_ASSOC_REGISTERING, /**< a ServiceChange is out */
	H248_ASSOC_LOCATING,    /**< accepted; its ServiceChangeAddress is a name, looked up */
	H248_ASSOC_REGISTERED,
	H248_ASSOC_PROBING, /**< silence for the inactivity time: asked whether it is still there */
	H248_ASSOC_LEAVING, /**< the last ServiceChange is out */
	H248_ASSOC_GONE,
};
#define H248_ASSOC_STATES 9

/** Why an association went down. */
enum h248_assoc_cause {
	H248_CAUSE_SILENT = 1, /**< a request or the keep-alive got no answer */
	H248_CAUSE_LOST,       /**< the connection ended */
	H248_CAUSE_HANDOFF,    /**< the controller sent us to another */
	H248_CAUSE_LEFT,       /**< we have left */
};

/** Longest name of a controller (H.248.1, domainName: 64 octets). */
#define H248_NAME_MAX 64

/** A controller of the list: an address, or a name that is looked up each time it is needed. */
struct h248_controller {
	struct h248_addr addr; /**< with a name: only transport, port and, where not 0, family */
	char name[H248_NAME_MAX + 1]; /**< "" = `addr` is complete */
	/** As good as the one before it: such a pool is tried in random order, anew each round. */
	bool alternative;
};

/** A profile (H.248.18), `NAME/version`. The controller's "none" is NoProfile/1. */
struct h248_profile {
	struct base_str name;
	uint8_t version;
};

/** Times in milliseconds. */
struct h248_assoc_config {
	const struct h248_controller *controllers; /**< in order, the primary first; copied */
	size_t controllers_count;

	uint8_t version; /**< highest version to offer; 0 = H248_VERSION_MAX */
	/**
	 * In order of preference; copied. The first is offered; a controller may choose another
	 * one of them, or make us offer it by error 461. None: no Profile parameter.
	 */
	const struct h248_profile *profiles;
	size_t profiles_count;
	uint16_t restart_reason;                 /**< 0 = 901 Cold Boot */
	const struct h248_addr *service_address; /**< sent as ServiceChangeAddress; NULL: not */

	uint32_t mwd_ms;   /**< maximum waiting delay before the first attempt (9.2); 0 = none */
	uint32_t retry_ms; /**< wait after a round of failures: first upper bound, doubled
	                        each round up to retry_max_ms; 0 = 2000 */
	uint32_t retry_max_ms;  /**< 0 = 60000 */
	uint32_t register_ms;   /**< longest wait for one controller's answer; 0 = T-MAX alone */
	uint32_t inactivity_ms; /**< keep-alive after so much silence; 0 = off */
	uint32_t leave_ms; /**< longest wait for the answer to the last ServiceChange; 0 = 3000 */
	uint32_t max_redirects; /**< MgcIdToTry in a row; 0 = 5 */
	uint32_t resolve_ms;    /**< longest wait for the address of a name; 0 = 10000 */
	/**
	 * Unsafe: take messages that bear the controller's mId from any host, not only from those
	 * of the list, of ServiceChangeAddress and of MgcIdToTry.
	 */
	bool any_source;
};

struct h248_assoc_ops {
	/** A request of the controller, once registered (505 is answered before, 504 to others). */
	void (*on_request)(void *user, struct h248_incoming *in, const struct h248_message *msg,
	                   const struct h248_transaction *req);
	/** Registered with `peer`, whose version and request address are set. */
	void (*on_up)(void *user, struct h248_peer *peer);
	/**
	 * No longer. `peer` is about to be freed, and requests to it end CANCELLED; after
	 * H248_CAUSE_LOST they go on, and are repeated if the same controller takes us back.
	 */
	void (*on_down)(void *user, struct h248_peer *peer, enum h248_assoc_cause cause);
	/**
	 * A controller does not take us; the next one is tried. May be NULL.
	 * @param controller  family 0 when its name has no address
	 * @param code  of its error descriptor, 0 = none; `text` is its text, or the name it gave
	 */
	void (*on_refused)(void *user, const struct h248_addr *controller, unsigned code,
	                   const char *why, struct base_str text);
	/** Left, as h248_assoc_stop asked: the association can be freed (later, not here). */
	void (*on_gone)(void *user);
	/** Each change of state, for logs. May be NULL. */
	void (*on_state)(void *user, enum h248_assoc_state from, enum h248_assoc_state to,
	                 const char *event);
	/** As in struct h248_txn_ops. May be NULL. */
	void (*on_message_error)(void *user, struct h248_peer *peer, const struct h248_addr *from,
	                         unsigned code, struct base_str text);
	/** The TimeStamp for a registration. NULL: none is sent. */
	struct h248_time (*wall_time)(void *user);
	/**
	 * Look up the address of a controller and tell it by h248_assoc_resolved, never inside
	 * this call. One at a time: a new lookup replaces the former one. May be NULL: names are
	 * passed over, and told by on_refused.
	 * @param lookup  its number
	 * @param family  4 or 6; 0 = any
	 */
	void (*resolve)(void *arg, uint32_t lookup, const char *name, unsigned family);
	void *resolve_arg; /**< its `arg`; NULL = `user` */
	/** As in struct h248_user_ops. May be NULL. */
	void (*on_trace)(void *user, bool out, const struct h248_addr *peer, const void *data,
	                 size_t len);
};

/** `config` and `ops` are copied. Call h248_assoc_attach before the start. */
int h248_assoc_new(struct h248_assoc **ret, const struct h248_assoc_config *config,
                   const struct h248_assoc_ops *ops, void *user);
/** Free it; the h248_txn has to be freed before. NULL is fine. */
void h248_assoc_free(struct h248_assoc *assoc);
/** Fill the callbacks of `ops` that are the association's; its `arg` must be `assoc`. */
void h248_assoc_txn_ops(struct h248_txn_ops *ops);
/** The same for a node, whose `user` must be the association. */
void h248_assoc_user_ops(struct h248_user_ops *ops);
/** Name the entity that the association lives on. Once. */
void h248_assoc_attach(struct h248_assoc *assoc, struct h248_txn *txn);

/** Begin (RFC 3525, 11.2): wait up to MWD, then ServiceChange Restart on ROOT. */
void h248_assoc_start(struct h248_assoc *assoc);
/**
 * Leave: ServiceChange on ROOT, then on_gone. In any state.
 * @param method  H248_FORCED or H248_GRACEFUL
 * @param reason  905 or 908
 */
void h248_assoc_stop(struct h248_assoc *assoc, enum h248_method method, unsigned reason);
/**
 * The user has executed a ServiceChange HandOff on ROOT (RFC 3525, 11.5): go to that controller.
 * Happens after the current call chain, so that its reply leaves first.
 * @return 0, or BASE_PEER 449 when that mId cannot be reached (a device name, or a domain name
 *         when names are not looked up), or nobody is up
 */
int h248_assoc_handoff(struct h248_assoc *assoc, const struct h248_mid *mgc);
/**
 * The controller has set (or cleared, 0) the inactivity time, as with package `it`.
 * @param request_id  RequestID of the Events descriptor that asked for it
 */
void h248_assoc_inactivity_set(struct h248_assoc *assoc, uint32_t inactivity_ms,
                               uint32_t request_id);
/**
 * The end of a lookup. Late and repeated answers are ignored.
 * @param found  its family, ip and scope are taken; NULL = that name has no address
 */
void h248_assoc_resolved(struct h248_assoc *assoc, uint32_t lookup, const struct h248_addr *found);
/**
 * Contexts and terminations have been given up while no controller was there: what comes next is a
 * Restart with reason 902, not Failover or Disconnected, which would promise that they live.
 */
void h248_assoc_forget(struct h248_assoc *assoc);
/** A request of the user's own got H248_OUTCOME_TIMEOUT: the controller has failed (D.1.5). */
void h248_assoc_failed(struct h248_assoc *assoc);

enum h248_assoc_state h248_assoc_state(const struct h248_assoc *assoc);
/** The controller we are registered with, else NULL. */
struct h248_peer *h248_assoc_peer(const struct h248_assoc *assoc);
/** The profile that was agreed upon at the last registration; NULL = none was spoken of. */
const struct h248_profile *h248_assoc_profile(const struct h248_assoc *assoc);
const char *h248_assoc_state_name(enum h248_assoc_state state);

/* ---- counters ---- */

/** attempts = accepted + redirected + refused + unanswered + the one that is out + given up */
#define H248_ASSOC_COUNTERS(X)                                                                     \
	X(attempts, "registrations tried, each ServiceChange counted once")                        \
	X(accepted, "controllers that took us")                                                    \
	X(redirected, "answers with MgcIdToTry")                                                   \
	X(refused, "controllers that did not take us, lower offers included")                      \
	X(unanswered, "controllers that did not answer")                                           \
	X(lookups, "names looked up")                                                              \
	X(unresolved, "names without an address")                                                  \
	X(probes, "silent controllers asked whether they live")                                    \
	X(downs, "registrations that ended")

struct h248_assoc_counters {
#define H248_COUNTER_FIELD(name, text) uint64_t name;
	H248_ASSOC_COUNTERS(H248_COUNTER_FIELD)
#undef H248_COUNTER_FIELD
};
const struct h248_assoc_counters *h248_assoc_counters(const struct h248_assoc *assoc);

/* ---- the table itself, for the test that draws it ---- */

/** One row: in `state`, `event` does `action` and leads to `next`. */
struct h248_assoc_row {
	uint8_t state, next;
	const char *event, *action; /**< names */
};
/** The row with that index, in order; events without a row are ignored. @return false past the end.
 */
bool h248_assoc_row(size_t index, struct h248_assoc_row *ret);
/** Does `state` react to a timer? */
bool h248_assoc_state_timed(enum h248_assoc_state state);

/* ---- node and association together ---- */

struct h248_gateway;

/**
 * A gateway's side of H.248 on a loop: node, sockets by h248_gateway_listen, association. The
 * node's addresses of its own for UDP come from listening; over TCP none is needed. Names are
 * looked up by threads of its own when `ops->resolve` is NULL.
 */
int h248_gateway_new(struct h248_gateway **ret, struct loop *loop,
                     const struct h248_node_config *node, const struct h248_assoc_config *assoc,
                     const struct h248_assoc_ops *ops, void *user);
/** Not inside a callback. NULL is fine. */
void h248_gateway_free(struct h248_gateway *gw);
struct h248_node *h248_gateway_node(struct h248_gateway *gw);
struct h248_assoc *h248_gateway_assoc(struct h248_gateway *gw);

#endif
