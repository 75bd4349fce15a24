/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * SIP on the network (RFC 3261, 18): messages over UDP, TCP and TLS as numbered flows, which is all
 * that sip_txns and sip_ua know of transports; and the way to a URI (RFC 3263). A flow is a
 * connection, or the peer of datagrams at a socket. Who wants a whole user agent on the network
 * takes ua.h. One thread: the loop's.
 *
 * No callback is called from inside a call of this header, but on_way, which may be.
 */
#ifndef GH_FLOW_H
#define GH_FLOW_H

#include "flow/resolve.h"
#include "flow/ua.h"
#include "sip/sip.h"
#include "stream/stream.h"

struct flows;

struct flow_info;

/** A connection that comes in, and what its TLS handshake costs: for who admits so many at a time.
 */
enum flow_shake {
	FLOW_SHAKE_BEGUN,   /**< accepted; nothing has been computed yet */
	FLOW_SHAKE_FULL,    /**< done, with a signature of ours */
	FLOW_SHAKE_RESUMED, /**< done, without */
	FLOW_SHAKE_FAILED,  /**< ended before that, at any cost */
};

/** What is called. on_message, on_lost and on_way are needed. */
struct flow_ops {
	/** One message: hand it to sip_ua_input or sip_txns_input. All borrowed. */
	void (*on_message)(void *arg, struct sip_flow from, const struct sip_source *source,
	                   struct base_str octets);
	/** It has failed: sip_ua_lost, sip_txns_lost. Not called for those nobody has heard of. */
	void (*on_lost)(void *arg, uint64_t flow, const char *why);
	/** A peer of datagrams that was heard of makes room for another (flows_max): its number
	 * leads nowhere any more. Not an end: what was asked of it may still be answered. In the
	 * midst of flows_seek, too. May be NULL. */
	void (*on_forgotten)(void *arg, uint64_t flow);
	/** The answer to flows_seek, once: a flow (that may still be connecting), or `flow.id` 0
	 * and the status that fits: 503, or 404 and 416 where the URI leads nowhere. */
	void (*on_way)(void *arg, uint64_t id, struct sip_flow flow, unsigned status);
	/** A connection, theirs or ours, can be used; from now on its end is told by on_lost. Never
	 * of datagrams. */
	void (*on_up)(void *arg, uint64_t flow, const struct flow_info *info);
	/** A renegotiation or change of keys is over, whoever began it (stream.h); flows_binding()
	 * is another after STREAM_REKEYED and STREAM_KEYS. One that fails ends the flow. */
	void (*on_rekeyed)(void *arg, uint64_t flow, enum stream_again what);
	/** Of TLS connections that come in: BEGUN once, then one of the others once, before on_up;
	 * none where the owner has closed it meanwhile.
	 */
	void (*on_shake)(void *arg, uint64_t flow, enum flow_shake what);
	void *arg;
};

/** 0 and NULL take the defaults. Strings are copied. */
struct flow_config {
	/** Our name in Via and Contact. NULL: the address that a flow leaves from. */
	const char *host;
	const char *user; /**< of Contact; NULL = none */
	/** Via and Contact name the port that a connection leaves from, not where we listen:
	 * requests come back by it (RFC 5626). */
	bool leaving;
	size_t flows_max;      /**< peers of datagrams that are known at a time: 65536 */
	size_t conns_max;      /**< connections of a listener: 4096 */
	size_t source_max;     /**< of one source at a listener: 256 */
	uint32_t message_ms;   /**< for one message, once it has begun, and for the first: 10000 */
	uint32_t handshake_ms; /**< TLS, of those who come; 0 = message_ms */
	uint32_t connect_ms;   /**< 4000: others are tried then, while timer B runs */
	uint32_t idle_ms;      /**< a connection that carries nothing goes: 3600000 */
	uint32_t stall_ms;     /**< a peer that takes nothing of what waits for it goes: 30000 */
	uint32_t ping_ms;      /**< CRLF CRLF on connections of ours (RFC 5626, 4.4.1); 0 = none */
	uint32_t stun_rto_ms;  /**< until a STUN request is repeated first (RFC 5389, 7.2.1: R): 500
	                        */
	uint32_t pong_ms;      /**< for the answer: 10000 */
	uint32_t avoid_ms;     /**< an address that failed comes last for so long: 30000 */
	size_t datagram_max;   /**< octets of a request by UDP (RFC 3261, 18.1.1): 1300 */
	/**
	 * TLS: what is asked of peers. Client: they prove the URI's host as SIP domain (RFC 5922).
	 * Server: those without certificate come in with `anybody`.
	 */
	struct tls_domain *domain; /**< referenced; NULL = no TLS */
	bool anybody;
	/** Client: what they prove instead, for who has been told an address; NULL = that host. */
	const char *peer;
	/** Connection reuse (RFC 5923): what we connect by TLS may bring requests back, and who
	 * asks for it and has shown a certificate is called by its own connection. */
	bool alias;
	/** Peers and we may renegotiate, as profile and domain have it (stream.h). */
	bool renegotiable;
	/** A response whose connection has gone goes by a new one (RFC 3261, 18.2.2): to where that
	 * came from, at the port of its Via. */
	bool reopen;
	/** STUN Binding requests at sockets for datagrams are answered (RFC 5626, 8). */
	bool stun;
	/** The first flow's number; 1. Of several `struct flows` in one program, far from each
	 * other's. */
	uint64_t first_id;
	struct flow_resolver_config resolver;
};

/** @return 0, or BASE_LOCAL or BASE_CONFIG with words */
int flows_new(struct flows **ret, struct streams *streams, const struct flow_config *config,
              const struct flow_ops *ops, struct base_error *err);
/** Closes all; nothing is called back. Not inside a callback. NULL is fine. */
void flows_free(struct flows *flows);
/** Another domain for connections to come. */
void flows_domain_set(struct flows *flows, struct tls_domain *domain);

/**
 * Receive there. UDP: requests of ours leave from the first such socket of the family.
 * @param local  in: where; port 0 takes any; out: with the true port
 * @return 0; BASE_CONFIG when the address cannot be had, or TLS has no domain; BASE_LOCAL
 */
int flows_listen(struct flows *flows, enum flow_transport transport, union stream_addr *local,
                 struct base_error *err);

/**
 * Send one message. A response over UDP goes where its topmost Via says (18.2.2).
 * @return 0; BASE_LOCAL when the flow is no more, too much waits, or the socket says no
 */
int flows_send(struct flows *flows, struct sip_flow flow, struct base_str octets);
/** For sip_ua_ops.local: what Via and Contact of a request on this flow say. The strings live until
 * the next call; `branch` is left alone. */
void flows_local(struct flows *flows, struct sip_flow flow, struct sip_local *ret);

/**
 * A way to a URI (RFC 3263): its addresses are found and the first is taken; a connection that is
 * there already is used again. Once more with the same id and a higher `attempt` takes the next.
 *
 * @param id       the caller's, not 0; of one that is not over yet
 * @param octets   the length of the request, about: 18.1.1 takes TCP for long ones
 * @param last     a flow to prefer where it leads to the same host; id 0 = none
 */
void flows_seek(struct flows *flows, uint64_t id, struct base_str uri, size_t octets,
                unsigned attempt, struct sip_flow last);
/** The flow to that address by that transport, made if it is not there. @return 0; BASE_LOCAL */
int flows_to(struct flows *flows, const struct flow_target *target, const char *name,
             struct sip_flow *ret);

/** What is known of a flow. Borrowed until the next call. */
struct flow_info {
	enum flow_transport transport;
	union stream_addr remote, local;
	bool accepted; /**< the peer has connected to us */
	bool up;
	bool tls; /**< `session` is filled */
	struct tls_info session;
};
/** @return false: there is no such flow any more */
bool flows_info(const struct flows *flows, uint64_t flow, struct flow_info *ret);
/** As of struct sip_flow: false for datagrams. A flow that is over is taken for a connection. */
bool flows_reliable(const struct flows *flows, uint64_t flow);
/** A pointer of the owner's, found by the flow's number; NULL at first, and of a flow that is over.
 * @return flows_user_set: false: there is no such flow */
void *flows_user(const struct flows *flows, uint64_t flow);
bool flows_user_set(struct flows *flows, uint64_t flow, void *user);

/** What stands for its TLS session as it is now: stream_binding(). @return 0; BASE_BUG where the
 * flow is over, not up or has no TLS; as there */
int flows_binding(struct flows *flows, uint64_t flow, uint8_t ret[TLS_BINDING_MAX],
                  size_t *ret_len);
/** Renegotiate or change keys: stream_renegotiate(); TLS_AGAIN_CLOSED where the flow is over. */
enum tls_again flows_renegotiate(struct flows *flows, uint64_t flow);
/** Nobody resumes its TLS session: stream_forget_session(). @return false: its peer has
 * a ticket that stays good */
bool flows_forget_session(struct flows *flows, uint64_t flow);
/** As long as it is, that is done when the flow is lost, too. @return false: there is no such flow
 */
bool flows_provisional(struct flows *flows, uint64_t flow, bool is);

/** Pause, or go on with, taking connections of this transport: who comes meanwhile waits in the
 * kernel's queue. */
void flows_pause(struct flows *flows, enum flow_transport transport, bool paused);

/**
 * We keep the flow alive: CRLF CRLF (RFC 5626, 4.4.1), on datagrams STUN (4.4.2), each time after
 * 80 to 100 percent of so many ms. It is lost when no answer comes, or when STUN says that we are
 * seen elsewhere. 0 = no more. @return false: there is no such flow
 */
bool flows_ping(struct flows *flows, uint64_t flow, uint32_t ms);
/** The peer does: the flow is lost once nothing has come from it for so many ms (RFC 5626, 5.4:
 * what Flow-Timer said, and some time more). 0 = no more. @return false: there is no such flow */
bool flows_ping_expected(struct flows *flows, uint64_t flow, uint32_t ms);

/** End it when what waits has been sent. An id that is over is passed over. */
void flows_close(struct flows *flows, uint64_t flow);

#define FLOW_COUNTERS(X)                                                                           \
	X(messages_in, "messages received")                                                        \
	X(messages_out, "messages sent, or kept for a connection")                                 \
	X(broken, "connections ended because what came was no SIP, or was not finished in time")   \
	X(strays, "datagrams that were no SIP")                                                    \
	X(lost, "flows that failed")                                                               \
	X(pings, "CRLF CRLF answered")                                                             \
	X(stuns, "STUN Binding requests answered")                                                 \
	X(silent, "flows ended because no keep-alive, or no answer to one, came")                  \
	X(reopened, "responses sent by a new connection")                                          \
	X(lookups, "URIs whose addresses were looked for")                                         \
	X(lookups_failed, "URIs that had none")
struct flow_counters {
#define FLOW_COUNTER_FIELD(name, text) uint64_t name;
	FLOW_COUNTERS(FLOW_COUNTER_FIELD)
#undef FLOW_COUNTER_FIELD
};
const struct flow_counters *flows_count(const struct flows *flows);

#endif
