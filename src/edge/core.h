/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The edge of a P-CSCF (TS 33.203, Annex O; RFC 5626, 5) without network, files and clock: what
 * becomes of each request and response between UEs and the core, and which TLS session says who
 * its UE is. Invariants:
 * 1. A binding belongs to one flow and dies with it. Another flow with the same TLS session has
 *    none before it has registered.
 * 2. It is made by a 2xx to a REGISTER on that flow which carried a Digest response to a challenge
 *    that had come down the same flow, and by nothing else.
 * 3. A flow token leads to its flow as long as both live; from a UE it counts on its own flow only.
 * 4. What a UE says about its identity reaches the core only as far as the binding bears it out.
 *
 * The owner moves messages: each request goes through edge_core_request before it is forwarded,
 * each response through edge_core_response before it passes, and both are changed by what these
 * note in a sip_edit. It says what becomes of flows of UEs; flows of the core are not known here.
 * Callbacks come from inside of calls of this header and may call none of it but the read-only
 * ones. One thread.
 */
#ifndef GH_EDGE_CORE_H
#define GH_EDGE_CORE_H

#include "base/base.h"
#include "sip/sip.h"

struct edge_core;
struct sip_edit; /* sip/edit.h */

/** Octets of a TLS session's binding id, and of text that names a flow on the store's shelf. */
#define EDGE_SESSION_MAX 64
#define EDGE_FLOW_KEY    22

/* -- what the operator wants ------------------------------------------------------------------ */

enum edge_agreement { EDGE_AGREE_OPTIONAL, EDGE_AGREE_REQUIRED };

/** Strings are copied. 0 and NULL take the defaults of packaging/gatehouse-edge.yaml. */
struct edge_policy {
	const char *access_host;   /**< for URIs that UEs use: "pcscf.example:5061"; needed */
	const char *access_params; /**< ";transport=tls", the default */
	const char *core_host;     /**< for URIs that the core uses: "192.0.2.1:5070"; needed */
	const char *core_params;   /**< ";transport=tcp"; default none */
	/** Hosts, with or without `:port`, that are us as well when a Route or Request-URI has
	 * them. */
	const char *const *names;
	size_t name_count;
	const char *network;   /**< P-Visited-Network-ID; NULL = the host of access_host */
	const char *registrar; /**< URI; NULL = by the Request-URI */
	const char *proxy; /**< URI, where there is no Service-Route; NULL = by the Request-URI */

	uint32_t lifetime_ms;      /**< of a TLS session: 1 h; cut to 24 h (O.2.1) */
	uint32_t renew_before_ms;  /**< 60 s */
	uint32_t renew_timeout_ms; /**< 10 s */
	bool tolerate_ignored;     /**< who does not renegotiate goes on until 24 h are over */

	enum edge_agreement agreement;
	const char *const *mechanisms; /**< of Security-Server; default "tls;q=0.5" */
	size_t mechanism_count;
	uint32_t challenge_ms;   /**< 32 s */
	uint32_t minimum_s;      /**< least expiry that we let pass upwards */
	uint32_t flow_timer_s;   /**< Flow-Timer for UEs with outbound (RFC 5626, 5.4); 0 = none */
	bool deregister;         /**< tell the registrar of lost connections */
	unsigned identities_max; /**< 32 */
	unsigned bindings_max;   /**< flows of one IMPI: 16 */

	unsigned refused_max;         /**< 5 */
	uint32_t unregistered_ms;     /**< 32 s */
	const char *const *emergency; /**< Request-URIs; urn:service:sos with what is below it */
	size_t emergency_count;
	const char *emergency_proxy; /**< URI; NULL = by the Request-URI */

	uint32_t retry_after_s; /**< 10 */
};

/* -- what it tells ---------------------------------------------------------------------------- */

/** A binding as it stands. Borrowed. */
struct edge_binding {
	uint64_t flow;
	struct base_str address; /**< of the UE */
	uint16_t port;
	struct base_str session; /**< octets of the binding id */
	struct base_str impi;
	const struct base_str *impus; /**< URIs; the first is the default one */
	size_t impu_count;
	unsigned impus_left_out;       /**< beyond identities_max */
	const struct base_str *routes; /**< of Service-Route, elements */
	size_t route_count;
	struct base_str contact;  /**< as registered, an element */
	uint64_t expires_ms;      /**< on the owner's clock */
	struct base_str flow_key; /**< what the store finds it by, EDGE_FLOW_KEY octets */
};

enum edge_told {
	EDGE_TOLD_BOUND,
	EDGE_TOLD_REFRESHED,
	EDGE_TOLD_REKEYED, /**< the new session id has taken the old one's place */
	EDGE_TOLD_UNBOUND, /**< it is over after this call: `why` */
	EDGE_TOLD_NOTE,    /**< nothing has changed, but a person might want to know `why` */
};

/** Why a binding is over: for logs and metrics. */
enum edge_end {
	EDGE_END_UNREGISTERED, /**< by the UE: expiry 0 */
	EDGE_END_EXPIRED,
	EDGE_END_LOST,     /**< the connection */
	EDGE_END_DIGEST,   /**< a Digest response was refused */
	EDGE_END_IGNORED,  /**< no renegotiation */
	EDGE_END_REPLACED, /**< the same UE registered on another flow */
	EDGE_END_CROWD,    /**< too many flows of one IMPI; the oldest goes */
	EDGE_END_NETWORK,  /**< reg event */
	EDGE_END_OPERATOR,
	EDGE_ENDS,
};
const char *edge_end_name(enum edge_end end);

struct edge_event {
	enum edge_told what;
	enum edge_end end; /**< UNBOUND */
	uint64_t flow;
	const struct edge_binding *binding; /**< NULL: a NOTE about a flow without one */
	const char *why;
};

/** A REGISTER that takes back what a lost connection leaves at the registrar. Borrowed. */
struct edge_parting {
	struct base_str registrar; /**< Request-URI */
	struct base_str next;      /**< URI of the next hop; ptr NULL = by the Request-URI */
	struct base_str aor, impi, realm, contact, path;
};

struct edge_core_ops {
	/** End this flow of a UE once what waits has been sent. `forget`: its TLS session, too, so
	 * that it cannot be resumed (O.3). edge_core_lost for it may follow, and need not. */
	void (*close)(void *arg, uint64_t flow, bool forget, const char *why);
	/** New keys for this flow's session, by the edge (O.2.1): edge_core_rekeyed,
	 * edge_core_keys or edge_core_not_rekeyed follows. */
	void (*renew)(void *arg, uint64_t flow);
	void (*told)(void *arg, const struct edge_event *event);
	/** Send what edge_parting_write makes of it. May be NULL where policy.deregister is not
	 * set. */
	void (*part)(void *arg, const struct edge_parting *parting);
	/** This UE was told to ping at least so often (Flow-Timer). May be NULL. */
	void (*ping)(void *arg, uint64_t flow, uint32_t within_ms);
	/** The key of flow tokens of an epoch (store.h). @return 0, or negative: nobody's */
	int (*token_key)(void *arg, uint64_t epoch, uint8_t ret[32]);
	/** edge_core_deadline has changed to this. May be NULL. */
	void (*rearm)(void *arg, uint64_t deadline_ms);
	uint64_t (*now_ms)(void *arg);
	void (*random)(void *arg, uint8_t *out, size_t len);
	void *arg;
};

/* -- life ------------------------------------------------------------------------------------- */

/** @param epoch  of this start, by chance, not 0; the store's. @return 0; BASE_CONFIG, BASE_LOCAL
 */
int edge_core_new(struct edge_core **ret, const struct edge_policy *policy,
                  const struct edge_core_ops *ops, uint64_t epoch, struct base_error *err);
/** Nothing is called back. NULL is fine. */
void edge_core_free(struct edge_core *core);
/** Another policy for all that comes; deadlines that run stay. @return as edge_core_new */
int edge_core_policy(struct edge_core *core, const struct edge_policy *policy,
                     struct base_error *err);
uint64_t edge_core_deadline(const struct edge_core *core);
void edge_core_advance(struct edge_core *core);

/* -- flows of UEs ------------------------------------------------------------------------------ */

/** Copied. */
struct edge_peer {
	struct base_str address; /**< as text */
	uint16_t port;
	bool tls;                /**< false: it can never be bound */
	struct base_str session; /**< TLS: the binding id; empty = it has none: never bound */
};
/** A UE has connected (TLS: the handshake is done). @return 0; BASE_LOCAL: close it */
int edge_core_up(struct edge_core *core, uint64_t flow, const struct edge_peer *peer);
/** Its session has another id by a renegotiation, whoever began it. */
void edge_core_rekeyed(struct edge_core *core, uint64_t flow, struct base_str session);
/** Likewise by our KeyUpdate (TLS 1.3), to which the UE owes one: edge_core_answered follows when
 * it comes, edge_core_not_rekeyed where the UE talks on without it. Who says nothing is not blamed.
 */
void edge_core_keys(struct edge_core *core, uint64_t flow, struct base_str session);
void edge_core_answered(struct edge_core *core, uint64_t flow);
/** The UE has ignored, refused or failed what `renew` began. */
void edge_core_not_rekeyed(struct edge_core *core, uint64_t flow);
/** It is gone. One that is not known is fine. */
void edge_core_lost(struct edge_core *core, uint64_t flow);

/**
 * Requests of this UE that the owner has not answered: so many more, or fewer.
 * @return how many there are now; 0: it is not known
 */
unsigned edge_core_asks(struct edge_core *core, uint64_t flow, int more);

/* -- messages ---------------------------------------------------------------------------------- */

enum edge_side { EDGE_ACCESS, EDGE_CORE };

/** How much the program has to do (limits.transactions): what is refused by 503, with more each
 * time. */
enum edge_load {
	EDGE_LOAD_NONE,
	EDGE_LOAD_NEW, /**< REGISTERs of flows that are not bound */
	EDGE_LOAD_ALL, /**< all requests outside of dialogs */
};

/** What the store says of a token of another edge. */
struct edge_owner {
	bool known;          /**< false: the store could not say (503) */
	struct base_str uri; /**< of the edge that has it; empty = nobody: 430 */
};

struct edge_request {
	enum edge_side side; /**< where it came from */
	uint64_t flow;       /**< ACCESS: whose */
	const struct sip_message *msg;
	struct base_str uri;           /**< its Request-URI after 16.4: sip_context_uri */
	const struct base_str *routes; /**< what 16.4 has taken off: sip_context_routes */
	size_t route_count;
	const struct edge_owner *owner; /**< the answer to EDGE_ASK, else NULL */
	enum edge_load load;
};

enum edge_what {
	EDGE_FORWARD, /**< by edge_core_forward */
	EDGE_REPLY,
	EDGE_DROP, /**< an ACK that leads nowhere */
	EDGE_ASK,  /**< ask the store for `key`, then call again with `owner` */
};

/** What edge_core_forward has to know; of this folder. */
enum edge_way {
	EDGE_WAY_REGISTER,  /**< up */
	EDGE_WAY_UP,        /**< a request of a bound UE outside of dialogs */
	EDGE_WAY_UP_DIALOG, /**< in one */
	EDGE_WAY_EMERGENCY, /**< up, of whom nobody knows */
	EDGE_WAY_DOWN,      /**< to a UE */
	EDGE_WAY_DOWN_DIALOG,
	EDGE_WAY_OWNER, /**< to the edge that has the flow */
};

/** Texts are static or live in the arena. It may be copied and kept as long as that. */
struct edge_decision {
	enum edge_what what;
	/* FORWARD */
	enum edge_way way;
	enum edge_side to;
	uint64_t flow;        /**< of the UE it is from (to the core) or for (ACCESS); OWNER: 0 */
	struct base_str hop;  /**< CORE: sip_target.hop; ptr NULL = by Route, else Request-URI */
	unsigned lost_status; /**< sip_target.lost_status */
	bool proven;          /**< REGISTER: integrity-protected is tls-yes, else tls-pending */
	bool unproven;        /**< REGISTER: its Digest response goes not up */
	unsigned rest;        /**< UP_DIALOG: request.routes from here on go back into its Route */
	/* REPLY */
	unsigned status;
	const char *reason;    /**< NULL = sip_reason */
	struct base_str lines; /**< header lines more, each with its end; ptr NULL = none */
	/* ASK; OWNER: for edge_core_forward */
	struct base_str key;   /**< EDGE_FLOW_KEY octets */
	struct base_str route; /**< the Route element that has the token */
	struct base_str owner;
	/* REPLY: once it has been answered (sip_proxy_ops.on_answered), end the UE's flow. */
	bool close;
	const char *why; /**< of REPLY, for the log; static */
	bool seen;       /**< of this folder: its final response has been judged */
};

/** Is that URI ours (sip_proxy_ops.mine): one of policy.names or our hosts, or a token of ours? */
bool edge_core_mine(const struct edge_core *core, const struct sip_uri *uri);

/**
 * What becomes of a request (sip_proxy_ops.on_request), CANCEL excepted, which follows its INVITE.
 * ACKs that belong to no transaction, too.
 * @return 0; BASE_LOCAL: 500
 */
int edge_core_request(struct edge_core *core, const struct edge_request *request,
                      struct base_arena *arena, struct edge_decision *ret);
/** Note the changes of a request that goes on (sip_proxy_ops.on_forward). Fails the edit where the
 * flow has gone meanwhile. */
void edge_core_forward(struct edge_core *core, const struct edge_request *request,
                       const struct edge_decision *decision, struct sip_edit *edit);

struct edge_response {
	const struct sip_message *request; /**< as it came to us; NULL: its transaction is over */
	struct edge_decision *decision; /**< by which it was forwarded; noted there what was seen */
	unsigned status;
	const struct sip_message *msg; /**< NULL: one of our own (408, 503) */
};

/** What else is to be done. */
struct edge_passing {
	bool close,
	        forget; /**< end the UE's flow once the response has been sent; its session too */
	const char *why;
};

/**
 * A response is about to pass (sip_proxy_ops.on_response): each 1xx, each 2xx, the final one that
 * was chosen. Also (with `msg` NULL) from on_answered: the core knows which it has seen.
 * @param edit  begun on response->msg; NULL where that is
 * @return 0; BASE_LOCAL: pass 500 instead
 */
int edge_core_response(struct edge_core *core, const struct edge_response *response,
                       struct sip_edit *edit, struct edge_passing *ret);

/** The whole REGISTER. `via`: value of our Via, its branch included; NULL = sip_proxy_ask
 * puts it there. */
void edge_parting_write(const struct edge_parting *parting, const char *via, const char *call_id,
                        struct base_writer *w);

/* -- who is there -------------------------------------------------------------------------------
 */

size_t edge_core_count(const struct edge_core *core);      /**< bindings */
size_t edge_core_flow_count(const struct edge_core *core); /**< flows of UEs */
/** @return false: it has none. Borrowed until the next call. */
bool edge_core_binding(const struct edge_core *core, uint64_t flow, struct edge_binding *ret);
/** Each of them. */
void edge_core_each(const struct edge_core *core,
                    void (*fn)(void *arg, const struct edge_binding *binding), void *arg);
/** End a flow of a UE, bound or not, and its session (drop FLOW). @return false: there is none */
bool edge_core_drop(struct edge_core *core, uint64_t flow);
/** New keys for it now (renegotiate FLOW). @return false: it is not bound, or renews already */
bool edge_core_renew(struct edge_core *core, uint64_t flow);
/** The network has ended it (reg event): this flow's binding; the flow goes on, unbound. */
bool edge_core_ended(struct edge_core *core, uint64_t flow);
/** The network has shortened it to this from now on (reg event); told as REFRESHED. @return false:
 * it is not bound, or ends earlier */
bool edge_core_shortened(struct edge_core *core, uint64_t flow, uint32_t expires_s);

#define EDGE_COUNTERS(X)                                                                           \
	X(bound, "bindings made")                                                                  \
	X(refreshed, "bindings refreshed")                                                         \
	X(rekeyed, "session ids replaced in bindings")                                             \
	X(unbound, "bindings that are over")                                                       \
	X(refused, "requests of UEs refused")                                                      \
	X(strangers, "requests refused on flows without binding")                                  \
	X(impostors, "requests refused for an identity of somebody else")                          \
	X(forged, "flow tokens that were not ours, or another flow's")                             \
	X(rerouted, "messages of UEs whose Route or Record-Route is not that of the dialog")       \
	X(failed, "requests for flows that are gone (430)")                                        \
	X(replays, "Digest responses to challenges of other flows taken out")                      \
	X(disagreed, "security agreements refused")                                                \
	X(digest_failed, "flows ended because Digest failed")                                      \
	X(ignored, "renegotiations that a UE ignored or failed")                                   \
	X(shared_sessions, "TLS sessions seen on a second flow while bound to the first")          \
	X(emergency, "emergency requests of flows without binding")                                \
	X(overload, "requests answered 503")
struct edge_counters {
#define EDGE_COUNTER_FIELD(name, text) uint64_t name;
	EDGE_COUNTERS(EDGE_COUNTER_FIELD)
#undef EDGE_COUNTER_FIELD
};
const struct edge_counters *edge_core_counters(const struct edge_core *core);

/** The state table as text, for docs/state-binding.md. */
void edge_core_print(struct base_writer *w);

#endif
