/* SPDX-License-Identifier: Apache-2.0 */
/* What callbacks ask for and may not do themselves: it is done at the end of the iteration. */
#include <stdlib.h>

#include "edge/net_private.h"

struct edge_order {
	struct base_node node;
	uint64_t flow;
	enum edge_order_kind kind;
	const char *why;
};

static void flow_end(struct edge_net *net, const struct edge_order *order)
{
	if (order->kind == EDGE_ORDER_FORGET)
		(void)flows_forget_session(net->access,
		                           order->flow); /* else its ticket's life ends it */
	base_log(BASE_LOG_DEBUG, "edge", "event=closed flow=%llu why=\"%s\"",
	         (unsigned long long)order->flow, order->why ? order->why : "");
	net->count.closed++;
	flows_close(net->access, order->flow);
	sip_proxy_lost(net->proxy, order->flow);
	edge_core_lost(net->core, order->flow);
}

static void on_later(void *arg)
{
	struct edge_net *net = arg;
	struct base_node *node;

	while ((node = base_list_shift(&net->orders))) {
		struct edge_order *order = BASE_CONTAINER_OF(node, struct edge_order, node);

		if (order->kind == EDGE_ORDER_NOT_REKEYED)
			edge_core_not_rekeyed(net->core, order->flow);
		else
			flow_end(net, order);
		free(order);
	}
}

void edge_net_order(struct edge_net *net, uint64_t flow, enum edge_order_kind kind, const char *why)
{
	struct edge_order *order = calloc(1, sizeof(*order));

	if (!order) { /* rather than a flow that goes on which must not */
		flows_close(edge_net_flows_of(net, flow), flow);
		return;
	}
	*order = (struct edge_order){ .flow = flow, .kind = kind, .why = why };
	base_list_append(&net->orders, &order->node);
	loop_defer(net->loop, &net->later, on_later, net);
}

void edge_net_orders_free(struct edge_net *net)
{
	struct base_node *node;

	loop_defer_stop(net->loop, &net->later);
	while ((node = base_list_shift(&net->orders)))
		free(BASE_CONTAINER_OF(node, struct edge_order, node));
}
