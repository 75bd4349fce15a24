/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/metrics.h"

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

static void core_write(const struct edge_net *net, struct base_writer *w)
{
	const struct edge_core *core = edge_net_core(net);
	const struct edge_counters *c = edge_core_counters(core);
	const struct edge_net_counters *n = edge_net_counters(net);
	const struct sip_proxy *proxy = edge_net_proxy(net);

	gauge(w, NAME "bindings", "Registrations bound to a TLS session", edge_core_count(core));
	gauge(w, NAME "flows", "Flows of UEs", edge_core_flow_count(core));
	gauge(w, NAME "transactions", "SIP transactions, those that linger included",
	      sip_proxy_transactions(proxy));
	gauge(w, NAME "requests", "Requests that are being forwarded", sip_proxy_contexts(proxy));
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
