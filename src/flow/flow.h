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

struct flow_ops {
	/** One message: hand it to sip_ua_input or sip_txns_input. All borrowed. */
	void (*on_message)(void *arg, struct sip_flow from, const struct sip_source *source,
	                   struct base_str octets);
	/** It has failed: sip_ua_lost, sip_txns_lost. Not called for those nobody has heard of. */
	void (*on_lost)(void *arg, uint64_t flow, const char *why);
	/** The answer to flows_seek, once: a flow (that may still be connecting), or `flow.id` 0
	 * and the status that fits: 503, or 404 and 416 where the URI leads nowhere. */
	void (*on_way)(void *arg, uint64_t id, struct sip_flow flow, unsigned status);
	void *arg;
};

/** 0 and NULL take the defaults. Strings are copied. */
struct flow_config {
	/** Our name in Via and Contact. NULL: the address that a flow leaves from. */
	const char *host;
	const char *user;    /**< of Contact; NULL = none */
	size_t flows_max;    /**< peers of datagrams that are known at a time: 65536 */
	size_t conns_max;    /**< connections of a listener: 4096 */
	size_t source_max;   /**< of one source at a listener: 256 */
	uint32_t message_ms; /**< for one message, once it has begun, and for the first: 10000 */
	uint32_t connect_ms; /**< 4000: others are tried then, while timer B runs */
	uint32_t idle_ms;    /**< a connection that carries nothing goes: 3600000 */
	uint32_t stall_ms;   /**< a peer that takes nothing of what waits for it goes: 30000 */
	uint32_t ping_ms;    /**< CRLF CRLF on connections of ours (RFC 5626, 4.4.1); 0 = none */
	uint32_t avoid_ms;   /**< an address that failed comes last for so long: 30000 */
	size_t datagram_max; /**< octets of a request by UDP (RFC 3261, 18.1.1): 1300 */
	/**
	 * TLS: what is asked of peers. Client: they prove the URI's host as SIP domain (RFC 5922).
	 * Server: those without certificate come in with `anybody`.
	 */
	struct tls_domain *domain; /**< referenced; NULL = no TLS */
	bool anybody;
	/** Connection reuse (RFC 5923): what we connect by TLS may bring requests back, and who
	 * asks for it and has shown a certificate is called by its own connection. */
	bool alias;
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
/** End it when what waits has been sent. An id that is over is passed over. */
void flows_close(struct flows *flows, uint64_t flow);

#define FLOW_COUNTERS(X)                                                                           \
	X(messages_in, "messages received")                                                        \
	X(messages_out, "messages sent, or kept for a connection")                                 \
	X(broken, "connections ended because what came was no SIP, or was not finished in time")   \
	X(strays, "datagrams that were no SIP")                                                    \
	X(lost, "flows that failed")                                                               \
	X(pings, "CRLF CRLF answered")                                                             \
	X(lookups, "URIs whose addresses were looked for")                                         \
	X(lookups_failed, "URIs that had none")
struct flow_counters {
#define FLOW_COUNTER_FIELD(name, text) uint64_t name;
	FLOW_COUNTERS(FLOW_COUNTER_FIELD)
#undef FLOW_COUNTER_FIELD
};
const struct flow_counters *flows_count(const struct flows *flows);

#endif
