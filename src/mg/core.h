/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The gateway's picture of the world and the execution of commands over it. One thread: the control
 * thread. No sockets, no clock, no files.
 */
#ifndef GH_MG_CORE_H
#define GH_MG_CORE_H

#include "base/base.h"
#include "h248/h248.h"
#include "relay/relay.h"

struct mg;
struct mg_notice;

/* ---- bearers ---- */

/**
 * What the core needs of the relay; each has the contract of relay_ and its name. Tests put a fake
 * behind it.
 */
struct mg_bearer_ops {
	int (*context_new)(struct relay_context **ret, struct relay_pool *pool);
	void (*context_free)(struct relay_context *context);
	int (*endpoint_add)(struct relay_endpoint **ret, struct relay_context *context,
	                    const struct relay_endpoint_spec *spec, struct base_error *err);
	void (*endpoint_local)(const struct relay_endpoint *endpoint, struct sockaddr_storage *ret);
	int (*endpoint_remote_set)(struct relay_endpoint *endpoint,
	                           const struct sockaddr_storage *remote);
	int (*endpoint_dgram_set)(struct relay_endpoint *endpoint,
	                          const struct sockaddr_storage *remote,
	                          const struct relay_dgram_spec *spec);
	int (*endpoint_peer_keep)(struct relay_endpoint *endpoint,
	                          const struct sockaddr_storage *remote);
	int (*endpoint_tls_set)(struct relay_endpoint *endpoint, const struct relay_tls_spec *tls);
	int (*endpoint_connect)(struct relay_endpoint *endpoint);
	int (*endpoint_start_tls)(struct relay_endpoint *endpoint, enum tls_role role);
	int (*endpoint_renegotiate)(struct relay_endpoint *endpoint);
	int (*endpoint_release)(struct relay_endpoint *endpoint, bool abort);
	int (*endpoint_mode_set)(struct relay_endpoint *endpoint, bool may_send, bool may_receive);
	int (*endpoint_gate_set)(struct relay_endpoint *endpoint, const struct relay_gate *gate);
	int (*endpoint_link)(struct relay_endpoint *endpoint, struct relay_endpoint *partner);
	enum relay_reach (*endpoint_reach)(const struct relay_endpoint *endpoint,
	                                   const struct relay_context *context);
	void (*endpoint_move)(struct relay_endpoint *endpoint, struct relay_context *context);
	void (*endpoint_remove)(struct relay_endpoint *endpoint);
	void (*endpoint_stats)(const struct relay_endpoint *endpoint, struct relay_stats *ret);
	int (*endpoint_seat)(struct relay_endpoint *endpoint, struct relay_hub *hub,
	                     const struct relay_seat_spec *spec, struct base_error *err);
	int (*hub_new)(struct relay_hub **ret, struct relay_context *context,
	               const struct relay_hub_spec *spec, struct base_error *err);
	void (*hub_free)(struct relay_hub *hub);
	int (*hub_conference)(struct relay_hub *hub, const struct relay_floor *floor, size_t floors,
	                      const struct relay_user *user, size_t users);
};

/** The real one. */
extern const struct mg_bearer_ops mg_bearer_relay;

/* ---- TLS domains as the core sees them ---- */

/**
 * A TLS domain (H.248.TLSPROF 8.1): what the controller can choose, and what an audit tells of it.
 * Strings and arrays belong to whoever made it and outlive the core or the next mg_domains_set.
 */
struct mg_domain {
	const char *name;
	struct tls_domain *tls; /**< handed to the bearer, which takes a reference */
	/**
	 * Has suites with a certificate: then our fingerprint goes into the reply's Local
	 * (8.3.2.2.2).
	 */
	bool certificate;
	/** Our certificate's fingerprint; NULL takes tls_domain_fingerprint. */
	int (*fingerprint)(const struct mg_domain *domain, struct x509_fingerprint *ret);
	const char *const *versions; /**< "TLS1.2" ..., NULL-terminated (8.9) */
	const char *const *suites;   /**< IANA names in order of precedence, NULL-terminated */
	const char *const *gaps;     /**< what the engine cannot meet, by clause; may be NULL */
	const char *const *findings; /**< what of our own breaks the certificate profile; or NULL */
	bool datagrams;              /**< can do DTLS (tls_domain_datagrams) */
	/** Can it agree on that SRTP profile? NULL takes tls_domain_srtp. */
	bool (*srtp)(const struct mg_domain *domain, enum tls_role role, uint16_t profile);
	bool compression, resumption, renegotiation;
	const char *const *maintenance; /**< tlsm/can, NULL-terminated; may be NULL */
	/** By TLS role and enum tls_renegotiate: what of the profile is against it; NULL = nothing.
	 */
	const char *no_renegotiation[2][5];
};

/* ---- settings ---- */

/** Borrowed; must outlive the core. All zero takes every default. */
struct mg_settings {
	const struct sockaddr_storage *addresses; /**< local media addresses, ports ignored */
	size_t address_count;
	/** The IP realm of each address (ipdc/realm); NULL or a NULL name: of none. */
	const char *const *address_realms;
	uint16_t port_min, port_max; /**< range of local ports; 0, 0 = the kernel's choice */

	uint32_t max_contexts;       /**< 0 = 65536 */
	uint32_t max_terminations;   /**< in one context; 0 = 8 */
	uint32_t max_streams;        /**< of one termination; 0 = 16 */
	uint32_t first_context;      /**< ContextID of the first one; 0 = 1. For tests */
	uint32_t handshake_ms;       /**< TLS handshake; 0 = the bearer's default, 10 s */
	uint32_t connect_ms;         /**< TCP set-up as client; 0 = the bearer's default, 10 s */
	uint32_t execution_ms;       /**< root/normalMGExecutionTime as told to an audit; 0 = 500 */
	uint32_t execution_mgc_ms;   /**< root/normalMGCExecutionTime; 0 = 500 */
	uint32_t provisional_ms;     /**< root/MG...ProvisionalResponseTimerValue; 0 = 1000 */
	uint32_t provisional_mgc_ms; /**< root/MGCProvisionalResponseTimerValue; 0 = 5000 */
	uint32_t pending_limit;      /**< root/MGOriginatedPendingLimit; 0 = none */
	uint32_t peer_pending_limit; /**< root/MGCOriginatedPendingLimit; 0 = none */
	bool unprotected_keys;       /**< unsafe: take keys from whatever transport */

	uint32_t hanging_ms; /**< hangterm/thb whose timerx is left out; 0 = off */

	/** Overload begins at either; 0 = never by that. It ends below nine tenths of both. */
	uint32_t overload_contexts;
	uint32_t overload_busy;      /**< per cent, of what mg_busy_tell says */
	uint32_t overload_priority;  /**< contexts of this priority pass; 0 = none by priority */
	uint32_t overload_reduction; /**< per cent, told by chp/MGCon; 0 = 50 */
};

/** What a local media address is good for. */
enum mg_address_state {
	MG_ADDRESS_GOOD = 0,
	MG_ADDRESS_WITHDRAWN, /**< nothing new there; what is may end by itself */
	MG_ADDRESS_FAILED,    /**< nothing new there, and what is is lost */
};

/* ---- what the core tells ---- */

struct mg_ops {
	/** Monotonic and wall clock, milliseconds. */
	uint64_t (*now_ms)(void *arg);
	uint64_t (*wall_ms)(void *arg);
	/**
	 * A Notify to send. On 0, `request` is borrowed and mg_request_done has to be called with
	 * `notice` once it has ended, whichever way, and never inside this call.
	 * @return 0; BASE_LOCAL 502 without a controller: it waits for mg_resume; else what
	 *         h248_txn_request said: it is then lost
	 */
	int (*request)(void *arg, struct h248_transaction *request, struct mg_notice *notice);
	/**
	 * ServiceChange HandOff on ROOT (RFC 3525, 11.5): go there after the reply.
	 * @return 0, or BASE_PEER and the error code for the reply: it cannot be reached
	 */
	int (*handoff)(void *arg, const struct h248_mid *mgc);
	/** it/ito was requested on ROOT (0 = no longer). May be NULL. */
	void (*inactivity)(void *arg, uint32_t inactivity_ms, uint32_t request_id);
	/** The controller has set these properties of ROOT (E.2; 0 = default, none). May be NULL.
	 */
	void (*limits)(void *arg, const struct h248_txn_root *root);
	/** Likewise package seg (sheet 5.2): octets of a message to the controller, and how long to
	 * wait for its segments; 0 = default. May be NULL. */
	void (*segments)(void *arg, uint32_t octets, uint32_t wait_ms);
	/** The last context has ended. May be NULL. */
	void (*idle)(void *arg);
	/** mg_deadline may have changed. May be NULL. */
	void (*rearm)(void *arg);
	void *arg;
};

/* ---- life ---- */

/**
 * @param pool  handed to `bearer->context_new`
 * @param ops   copied
 * @return 0, or BASE_LOCAL
 */
int mg_new(struct mg **ret, const struct mg_settings *settings, const struct mg_bearer_ops *bearer,
           struct relay_pool *pool, const struct mg_ops *ops);
/** Ends every context without a word to the controller. NULL is fine. */
void mg_free(struct mg *mg);

/**
 * Put other TLS domains in place: those of streams to come. Streams that exist keep theirs.
 * @param domains         borrowed until the next call or mg_free
 * @param default_domain  taken where the controller names none; NULL = it has to
 */
void mg_domains_set(struct mg *mg, const struct mg_domain *domains, size_t count,
                    const struct mg_domain *default_domain);

/**
 * Execute one TransactionRequest (RFC 3525, 8.2). Commands are executed in order, each completely
 * or not at all; the first that fails and is not optional ends the transaction.
 *
 * @param version  of the protocol, of the message (1 to 3)
 * @param guarded  nobody on the way could read it (h248_addr_protected): else keys in it are
 *                 refused with 402, unless the settings say otherwise (P)
 * @param arena    takes the reply, which borrows from `request` too
 * @return 0; BASE_LOCAL 510 when there was no memory for the reply (answer with that error; what
 *         was executed before that stays executed)
 */
int mg_execute(struct mg *mg, const struct h248_transaction *request, unsigned version,
               bool guarded, struct base_arena *arena, struct h248_transaction **ret);

/**
 * The end of a request that `ops->request` has sent; the termination's next one may follow.
 * @param answered  else it is sent again, to whoever is the controller then (RFC 3525, 11.5)
 */
void mg_request_done(struct mg *mg, struct mg_notice *notice, bool answered);
/** There is a controller: send what waits. */
void mg_resume(struct mg *mg);

/**
 * No new contexts and terminations from now on: error 503 (RFC 3525, 7.2.8, Graceful). This is the
 * gateway's own door: what the controller does to ROOT neither opens nor closes it.
 */
void mg_close_door(struct mg *mg, bool closed);
/**
 * A local media address has changed (index into the settings' addresses): the controller is told of
 * its terminations by ServiceChange (7.2.8): Graceful 905 when it is withdrawn, Forced 906 when it
 * has failed, Restart 900 when it is good again.
 */
void mg_address_set(struct mg *mg, size_t index, enum mg_address_state state);
/** How busy the control thread has been of late, in per cent: for load control. */
void mg_busy_tell(struct mg *mg, unsigned percent);
/**
 * The controller has been gone for too long: end every context without a word to anybody; ROOT is
 * in service and watches for nothing, as after a start.
 */
void mg_give_up(struct mg *mg);

/** When mg_advance has to be called by the monotonic clock; UINT64_MAX = never. */
uint64_t mg_deadline(const struct mg *mg);
/** Do what is due: delays of ServiceChange. */
void mg_advance(struct mg *mg);

/** How much there is. */
struct mg_counts {
	size_t contexts, terminations;    /**< now; ROOT not counted */
	uint64_t commands, failed;        /**< since the start: executed, and of those refused */
	uint64_t notifies, notifies_lost; /**< handed over; lost for lack of memory or controller */
	uint64_t overload_refused;        /**< new contexts refused with 511 */
	uint64_t hanging;                 /**< terminations found not to be spoken of */
};
void mg_counts(const struct mg *mg, struct mg_counts *ret);

/** Every promise that the data structures keep between commands, for tests. */
bool mg_check(const struct mg *mg, char *text, size_t cap);

#endif
