/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The edge on the network: flows of UEs and of the core, the proxy between them, and the core of
 * the edge (core.h) that decides. Private to this folder.
 */
#ifndef GH_EDGE_NET_H
#define GH_EDGE_NET_H

#include "edge/config.h"
#include "edge/core.h"
#include "flow/flow.h"
#include "sip/sip.h"

/** Numbers of flows of the core begin here. */
#define EDGE_CORE_FLOWS (1ULL << 48)

struct edge_net;
struct edge_share;
struct edge_regevent;

/** @return 0; BASE_CONFIG, BASE_LOCAL. `config` is borrowed until edge_net_config or the end. */
int edge_net_new(struct edge_net **ret, struct streams *streams, const struct edge_config *config,
                 struct base_error *err);
/** Before the streams. NULL is fine. */
void edge_net_free(struct edge_net *net);
/** Another configuration, for what comes. Call edge_net_fits first. @return 0; BASE_LOCAL,
 * BASE_CONFIG: nothing has changed */
int edge_net_config(struct edge_net *net, const struct edge_config *config, struct base_error *err);
/** Take nobody new: neither connections nor registrations; bindings end as lost ones do. */
void edge_net_leave(struct edge_net *net);
/**
 * While we leave: tell the core of some registrations that they are over, where
 * `registration.on-loss` wants that; once more for the next ones.
 * @return true: all has been told and answered
 */
bool edge_net_part(struct edge_net *net);
/** Requests that have had no final answer. */
size_t edge_net_busy(const struct edge_net *net);

struct edge_core *edge_net_core(const struct edge_net *net);
struct sip_proxy *edge_net_proxy(const struct edge_net *net);
struct edge_share *edge_net_share(const struct edge_net *net);
/** NULL: reg-event is off. */
struct edge_regevent *edge_net_events(const struct edge_net *net);
struct flows *edge_net_flows(const struct edge_net *net, enum edge_side side);

/** What the core does not count. */
#define EDGE_NET_COUNTERS(X)                                                                       \
	X(answered_2xx, "requests answered by 2xx")                                                \
	X(answered_3xx, "requests answered by 3xx")                                                \
	X(answered_4xx, "requests answered by 4xx")                                                \
	X(answered_5xx, "requests answered by 5xx")                                                \
	X(answered_6xx, "requests answered by 6xx")                                                \
	X(greedy, "requests of UEs refused because too many of the same were unanswered")          \
	X(closed, "flows of UEs that the edge has ended")                                          \
	X(foreign, "requests of the core's side from nobody known (core.from)")                    \
	X(admitted, "TLS handshakes of UEs, full")                                                 \
	X(resumed, "TLS handshakes of UEs, resumed")                                               \
	X(shake_failed, "TLS handshakes of UEs that failed")                                       \
	X(pauses, "times that new connections were left to wait (limits.handshakes)")
struct edge_net_counters {
#define EDGE_NET_COUNTER_FIELD(name, text) uint64_t name;
	EDGE_NET_COUNTERS(EDGE_NET_COUNTER_FIELD)
#undef EDGE_NET_COUNTER_FIELD
};
const struct edge_net_counters *edge_net_counters(const struct edge_net *net);

#endif
