/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Included by flow.h. From a SIP URI to addresses in the order in which they are to be tried
 * (RFC 3263): NAPTR, SRV, A and AAAA, by c-ares on our loop. Nothing blocks.
 */
#ifndef GH_FLOW_RESOLVE_H
#define GH_FLOW_RESOLVE_H

#include "loop/loop.h"
#include "stream/stream.h"

enum flow_transport { FLOW_UDP, FLOW_TCP, FLOW_TLS };
/** "UDP", "TCP", "TLS": as in Via; pure. */
const char *flow_transport_name(enum flow_transport transport);
/** In either case. @return 0, or BASE_CONFIG */
int flow_transport_parse(struct base_str name, enum flow_transport *ret);

struct flow_target {
	enum flow_transport transport;
	union stream_addr addr;
};
/** Targets of one URI at most; others are left out. */
#define FLOW_TARGETS_MAX 32

/** 0 and NULL take the defaults. */
struct flow_resolver_config {
	const char *servers; /**< "192.0.2.53,[2001:db8::53]:5353"; NULL = the system's */
	uint32_t timeout_ms; /**< of one try: 2000 */
	unsigned tries;      /**< 2 */
	bool no_hosts;       /**< /etc/hosts is not looked at */
};

struct flow_resolver;
int flow_resolver_new(struct flow_resolver **ret, struct loop *loop,
                      const struct flow_resolver_config *config, struct base_error *err);
/** Lookups under way are forgotten. Not inside a callback. NULL is fine. */
void flow_resolver_free(struct flow_resolver *resolver);

struct flow_question {
	struct base_str uri; /**< sip or sips; copied */
	/** Bits 1 << enum flow_transport: those that we have. */
	unsigned transports;
	bool long_request; /**< TCP instead of UDP, then UDP all the same (RFC 3261, 18.1.1) */
};
/**
 * @param targets  in their order; borrowed; none: see `status`, `why`
 * @param status   what a request there is due: 503; 416 (no sip URI), 404 (no such host)
 * @param host     whose name a certificate has to prove (RFC 5922, 4): the URI's host
 */
typedef void flow_resolved_fn(void *arg, const struct flow_target *targets, size_t count,
                              const char *host, unsigned status, const char *why);

struct flow_lookup;
/**
 * Begin. `fn` is called once, from the loop, never from inside; also for a URI that needs no DNS.
 * @param ret  valid until then, or flow_lookup_cancel
 * @return 0, or BASE_LOCAL
 */
int flow_lookup_start(struct flow_lookup **ret, struct flow_resolver *resolver,
                      const struct flow_question *question, flow_resolved_fn *fn, void *arg);
/** `fn` is not called. NULL is fine. */
void flow_lookup_cancel(struct flow_lookup *lookup);

#endif
