/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/metrics.h"

#include "edge/regevent.h"
#include "edge/share.h"
#include "http/http.h"

#define NAME "gatehouse_edge_"

static void gauge(struct base_writer *w, const char *name, const char *help, uint64_t value)
{
	http_metrics_number(w, name, "gauge", help, value);
}

static void counter(struct base_writer *w, const char *name, const char *help, uint64_t value)
{
	http_metrics_number(w, name, "counter", help, value);
}

static void regevent_write(const struct edge_net *net, struct base_writer *w)
{
	const struct edge_regevent *events = edge_net_events(net);
	struct edge_regevent_counts c;

	if (!events)
		return;
	c = edge_regevent_counts(events);
	gauge(w, NAME "subscriptions", "Subscriptions to the reg event package", c.subscriptions);
	counter(w, NAME "notified_total", "NOTIFYs that were read", c.notified);
	counter(w, NAME "notified_bad_total", "NOTIFYs that could not be read", c.bad);
	counter(w, NAME "notified_ended_total", "registrations that the network has ended",
	        c.ended);
}

static void store_write(const struct edge_net *net, struct base_writer *w)
{
	struct edge_store_counts c = edge_store_counts(edge_share_store(edge_net_share(net)));

	gauge(w, NAME "pool_up", "Is the pool's Redis there? 1 without a pool",
	      edge_share_up(edge_net_share(net)));
	gauge(w, NAME "pool_records", "Bindings that the pool is told of", c.records);
	gauge(w, NAME "pool_waiting", "Of those, not there yet", c.waiting);
	counter(w, NAME "pool_others_total", "Flow tokens of other edges found", c.others);
	counter(w, NAME "pool_nobody_total", "Flow tokens that no living edge has", c.nobody);
	counter(w, NAME "pool_unknown_total", "Flow tokens of which the store said nothing",
	        c.unknown);
}

static void core_write(const struct edge_net *net, struct base_writer *w)
{
	const struct edge_core *core = edge_net_core(net);
	const struct edge_counters *c = edge_core_counters(core);
	const struct edge_net_counters *n = edge_net_counters(net);
	const struct sip_proxy *proxy = edge_net_proxy(net);

	gauge(w, NAME "bindings", "Registrations bound to a TLS session", edge_core_count(core));
	gauge(w, NAME "flows", "Flows of UEs", edge_core_flow_count(core));
	gauge(w, NAME "transactions", "SIP transactions under way", sip_proxy_busy(proxy));
	gauge(w, NAME "lingering", "SIP transactions that are kept for repetitions alone",
	      sip_proxy_lingering(proxy));
	gauge(w, NAME "requests", "Requests that have had no final answer", edge_net_busy(net));
	regevent_write(net, w);
	store_write(net, w);
#define TELL(name, text) counter(w, NAME #name "_total", text, c->name);
	EDGE_COUNTERS(TELL)
#undef TELL
#define TELL(name, text) counter(w, NAME #name "_total", text, n->name);
	EDGE_NET_COUNTERS(TELL)
#undef TELL
}

static void flows_write(const struct edge_net *net, struct base_writer *w)
{
	const struct flow_counters *a = flows_count(edge_net_flows(net, EDGE_ACCESS));
	const struct flow_counters *c = flows_count(edge_net_flows(net, EDGE_CORE));

#define TELL(name, text) counter(w, NAME "access_" #name "_total", "access: " text, a->name);
	FLOW_COUNTERS(TELL)
#undef TELL
#define TELL(name, text) counter(w, NAME "core_" #name "_total", "core: " text, c->name);
	FLOW_COUNTERS(TELL)
#undef TELL
}

void edge_metrics_write(void *arg, struct base_writer *w)
{
	const struct edge_metrics *metrics = arg;
	const struct streams_counters *s = streams_count(metrics->streams);

	gauge(w, NAME "connections", "Stream connections of all kinds",
	      streams_conns(metrics->streams));
	core_write(metrics->net, w);
	flows_write(metrics->net, w);
#define TELL(name, text) counter(w, NAME "stream_" #name "_total", text, s->name);
	STREAM_COUNTERS(TELL)
#undef TELL
}
