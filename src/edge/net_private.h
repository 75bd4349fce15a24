/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GH_EDGE_NET_PRIVATE_H
#define GH_EDGE_NET_PRIVATE_H

#include "edge/admit.h"
#include "edge/net.h"
#include "edge/regevent.h"
#include "edge/share.h"
#include "edge/store.h"

/* Octets of "HOST:PORT". */
#define EDGE_HOST_TEXT 300
#define EDGE_NAMES_MAX 32

struct edge_net {
	const struct edge_config *config;
	struct loop *loop;
	struct streams *streams;
	struct flows *access, *core_flows;
	struct sip_proxy *proxy;
	struct edge_core *core;
	struct loop_timer proxy_timer, core_timer;

	char access_host[EDGE_HOST_TEXT], core_host[EDGE_HOST_TEXT];
	enum flow_transport core_transport;
	char names[EDGE_NAMES_MAX][EDGE_HOST_TEXT]; /* us, in URIs */
	const char *name_list[EDGE_NAMES_MAX];
	size_t name_count;

	uint64_t epoch;
	struct edge_share *share;
	struct edge_regevent *events; /* NULL: not wanted */
	struct loop_timer events_timer;
	char core_at[EDGE_HOST_TEXT]; /* of us alone: "HOST:PORT;transport=..."; empty = unknown */

	struct base_node passing; /* requests on their way, or answered and lingering */
	size_t parting;           /* REGISTERs of ours that are not answered */
	size_t open;              /* of them not answered */
	size_t open_more;         /* what large ones of those count for beyond one each */
	struct base_node orders;  /* struct edge_order: what must wait until callbacks are over */
	struct loop_task later;
	struct edge_admit admit;
	struct loop_timer admit_timer;
	bool waiting; /* who comes waits in the kernel */
	bool leaving;

	struct edge_net_counters count;
	uint64_t told_s; /* refusals of this second */
	unsigned told, untold;
	bool told_life; /* that session.lifetime is short */
};

/* ---- later (order.c) ---- */

enum edge_order_kind {
	EDGE_ORDER_CLOSE,
	EDGE_ORDER_FORGET, /* and its session */
	EDGE_ORDER_NOT_REKEYED,
};
void edge_net_order(struct edge_net *net, uint64_t flow, enum edge_order_kind kind,
                    const char *why);
void edge_net_orders_free(struct edge_net *net);

/* ---- what the core of the edge wants (told.c) ---- */

int edge_net_core_new(struct edge_net *net, struct base_error *err);
void edge_net_policy(const struct edge_net *net, const struct edge_config *config,
                     struct edge_policy *ret);
/* A refusal of ours, told at most ten times a second. */
void edge_net_refused(struct edge_net *net, uint64_t flow, unsigned status, struct base_str method,
                      const char *why);
/* "192.0.2.1:40000" of a flow. */
const char *edge_net_peer(const struct edge_net *net, uint64_t flow, char *buf, size_t cap);

/* ---- the reg event package (subscribe.c) ---- */

int edge_net_subscribe_new(struct edge_net *net, struct base_error *err);
/* @return true: it was a NOTIFY for us, and has been answered */
bool edge_net_notify(struct edge_net *net, struct sip_context *ctx, const struct sip_message *msg);

/* ---- requests and responses (pass.c) ---- */

int edge_net_proxy_new(struct edge_net *net);
void edge_net_proxy_free(struct edge_net *net);

static inline struct flows *edge_net_flows_of(const struct edge_net *net, uint64_t flow)
{
	return flow >= EDGE_CORE_FLOWS ? net->core_flows : net->access;
}

static inline void edge_net_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	if (base_random(out, len)) /* a kernel without randomness: nothing would be safe */
		__builtin_trap();
}

#endif
