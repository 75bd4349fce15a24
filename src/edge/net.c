/* SPDX-License-Identifier: Apache-2.0 */
/* Flows of UEs and of the core; what the edge is called. */
#include "edge/net.h"

#include <stdio.h>
#include <stdlib.h>

#include "edge/measure.h"

#include "edge/net_private.h"

#define PART_AT_ONCE 256
#define RESUMED_US   150 /* of a core, about: one key exchange and no signature */

/* ---- flows of UEs ---- */

static void peer_of(const struct flow_info *info, char host[STREAM_ADDR_TEXT],
                    struct edge_peer *ret)
{
	*ret = (struct edge_peer){ .address = base_str_of(
		                           stream_addr_host(&info->remote, host, STREAM_ADDR_TEXT)),
		                   .port = stream_addr_port(&info->remote),
		                   .tls = info->tls };
}

static bool session_of(const struct edge_net *net, uint64_t flow, uint8_t id[TLS_BINDING_MAX],
                       struct base_str *ret)
{
	size_t len = 0;

	if (flows_binding(net->access, flow, id, &len))
		return false;
	*ret = (struct base_str){ (const char *)id, len };
	return true;
}

static void on_up(void *arg, uint64_t flow, const struct flow_info *info)
{
	struct edge_net *net = arg;
	uint8_t id[TLS_BINDING_MAX];
	char host[STREAM_ADDR_TEXT];
	struct edge_peer peer;

	peer_of(info, host, &peer);
	if (info->tls && !session_of(net, flow, id, &peer.session))
		peer.session = (struct base_str){ 0 };
	if (edge_core_up(net->core, flow, &peer))
		edge_net_order(net, flow, EDGE_ORDER_CLOSE, "no memory");
	else
		(void)flows_user_set(net->access, flow, net);
}

/* The peer of datagrams is up with the first of them. */
static void up_by_message(struct edge_net *net, uint64_t flow)
{
	struct flow_info info;

	if (flows_user(net->access, flow) || !flows_info(net->access, flow, &info))
		return;
	on_up(net, flow, &info);
}

static void on_rekeyed(void *arg, uint64_t flow, enum stream_again what)
{
	struct edge_net *net = arg;
	uint8_t id[TLS_BINDING_MAX];
	struct base_str session;

	if (what == STREAM_KEYS_BOTH)
		edge_core_answered(net->core, flow);
	else if (what == STREAM_REKEYED && session_of(net, flow, id, &session))
		edge_core_rekeyed(net->core, flow, session);
	else if (what == STREAM_KEYS && session_of(net, flow, id, &session))
		edge_core_keys(net->core, flow, session);
	else
		edge_core_not_rekeyed(net->core, flow);
}

/* ---- admission ---- */

static void admit(struct edge_net *net);

static void on_admit_time(void *arg)
{
	admit(arg);
}

static void admit(struct edge_net *net)
{
	uint64_t wait_ms = edge_admit_wait(&net->admit, loop_now_ms(net->loop));
	bool waiting = wait_ms || net->leaving;

	if (waiting != net->waiting)
		flows_pause(net->access, FLOW_TLS, waiting);
	net->count.pauses += waiting && !net->waiting;
	net->waiting = waiting;
	if (wait_ms && !net->leaving)
		loop_timer_start(net->loop, &net->admit_timer, wait_ms, on_admit_time, net);
}

/* What a full handshake costs is measured by the certificate's key. */
static void admit_set(struct edge_net *net)
{
	const struct edge_config *c = net->config;
	struct tls_domain *domain = edge_config_domain(c, c->access_domain);
	uint64_t full_us = c->handshakes ? edge_measure_full(domain) : 0;

	edge_admit_set(&net->admit, full_us ? c->handshakes : 0, full_us, RESUMED_US,
	               loop_now_ms(net->loop));
	if (c->handshakes)
		base_log(full_us ? BASE_LOG_INFO : BASE_LOG_WARN, "edge",
		         "tls domain=%s a full handshake takes %llu us of a core%s",
		         c->access_domain, (unsigned long long)full_us,
		         full_us ? "" : ": it could not be measured, nobody waits");
	admit(net);
}

static void on_shake(void *arg, uint64_t flow, enum flow_shake what)
{
	struct edge_net *net = arg;
	uint64_t now = loop_now_ms(net->loop);

	(void)flow;
	if (what == FLOW_SHAKE_BEGUN)
		edge_admit_begun(&net->admit, now);
	else if (what == FLOW_SHAKE_RESUMED)
		edge_admit_resumed(&net->admit, now);
	admit(net);
	net->count.admitted += what == FLOW_SHAKE_FULL;
	net->count.resumed += what == FLOW_SHAKE_RESUMED;
	net->count.shake_failed += what == FLOW_SHAKE_FAILED;
}

/* ---- both ---- */

static void on_message(void *arg, struct sip_flow from, const struct sip_source *source,
                       struct base_str octets)
{
	struct edge_net *net = arg;

	if (net->config->messages)
		base_log(BASE_LOG_DEBUG, "edge", "from flow=%llu: %.*s",
		         (unsigned long long)from.id, BASE_FMT(octets));
	if (from.id < EDGE_CORE_FLOWS && !from.reliable)
		up_by_message(net, from.id);
	sip_proxy_input(net->proxy, from, source, octets);
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	struct edge_net *net = arg;

	(void)why; /* flows have told it */
	sip_proxy_lost(net->proxy, flow);
	if (flow < EDGE_CORE_FLOWS)
		edge_core_lost(net->core, flow);
}

/* Datagrams come from anybody: what is kept of their peers ends with their flows. */
static void on_forgotten(void *arg, uint64_t flow)
{
	edge_core_lost(((struct edge_net *)arg)->core, flow);
}

static void on_way(void *arg, uint64_t id, struct sip_flow flow, unsigned status)
{
	const struct edge_net *net = arg;

	if (flow.id)
		sip_proxy_way(net->proxy, id, flow);
	else
		sip_proxy_no_way(net->proxy, id, status);
}

/* ---- where ---- */

static void name_add(struct edge_net *net, const char *name)
{
	if (net->name_count == EDGE_NAMES_MAX)
		return;
	(void)snprintf(net->names[net->name_count], EDGE_HOST_TEXT, "%s", name);
	net->name_list[net->name_count] = net->names[net->name_count];
	net->name_count++;
}

static int listen_one(struct edge_net *net, enum edge_side side, const struct edge_listen *where,
                      union stream_addr *ret, struct base_error *err)
{
	char at[STREAM_ADDR_TEXT];
	int rc;

	*ret = where->addr;
	rc = flows_listen(edge_net_flows(net, side), where->transport, ret, err);
	if (rc)
		return rc;
	(void)stream_addr_format(ret, at, sizeof(at));
	base_log(BASE_LOG_INFO, "edge", "%s on %s:%s", side == EDGE_ACCESS ? "access" : "core",
	         flow_transport_name(where->transport), at);
	if (!edge_address_any(ret))
		name_add(net, at);
	return 0;
}

static int access_start(struct edge_net *net, struct base_error *err)
{
	const struct edge_config *c = net->config;
	const struct flow_ops ops = { .on_message = on_message,
		                      .on_lost = on_lost,
		                      .on_forgotten = on_forgotten,
		                      .on_way = on_way,
		                      .on_up = on_up,
		                      .on_rekeyed = on_rekeyed,
		                      .on_shake = on_shake,
		                      .arg = net };
	const struct flow_config flows = { .host = c->host,
		                           .conns_max = c->connections,
		                           .source_max = c->per_source,
		                           .message_ms = c->message_ms,
		                           .handshake_ms = c->handshake_ms,
		                           .idle_ms = c->idle_ms,
		                           .domain = edge_config_domain(c, c->access_domain),
		                           .anybody = true,
		                           .renegotiable = true,
		                           .reopen = false,
		                           .stun = c->stun,
		                           .first_id = 1 };
	union stream_addr at;
	int rc = flows_new(&net->access, net->streams, &flows, &ops, err);

	for (size_t i = 0; i < c->access_count && !rc; i++) {
		rc = listen_one(net, EDGE_ACCESS, &c->access[i], &at, err);
		if (!rc && !i)
			(void)snprintf(net->access_host, sizeof(net->access_host), "%s:%u", c->host,
			               stream_addr_port(&at));
	}
	return rc;
}

static const char *transport_word(enum flow_transport transport)
{
	static const char *const words[] = { "udp", "tcp", "tls" };

	return words[transport];
}

/* Where the others of a pool reach this edge, and the registrar its NOTIFYs: no name that several
 * edges share. */
static void pool_address(struct edge_net *net)
{
	struct base_str text = base_str_of(net->config->pool_address);
	char host[EDGE_HOST_TEXT];
	struct sip_uri uri;

	if (!text.len || sip_uri_parse(text, &uri))
		return; /* it was checked */
	(void)snprintf(net->core_at, sizeof(net->core_at), "%.*s",
	               (int)(text.ptr + text.len - uri.host.ptr), uri.host.ptr);
	(void)snprintf(host, sizeof(host), uri.port ? "%.*s:%u" : "%.*s", BASE_FMT(uri.host),
	               uri.port);
	name_add(net, host);
}

static int core_start(struct edge_net *net, struct base_error *err)
{
	const struct edge_config *c = net->config;
	const struct flow_ops ops = {
		.on_message = on_message, .on_lost = on_lost, .on_way = on_way, .arg = net
	};
	const struct flow_config flows = { .host = c->core_host,
		                           .ping_ms = c->ping_ms,
		                           .avoid_ms = c->avoid_ms,
		                           .domain = edge_config_domain(c, c->core_domain),
		                           .alias = true,
		                           .reopen = true,
		                           .resolver = { .servers = c->dns },
		                           .first_id = EDGE_CORE_FLOWS };
	char text[STREAM_ADDR_TEXT];
	union stream_addr at;
	int rc = flows_new(&net->core_flows, net->streams, &flows, &ops, err);

	net->core_transport = c->core[0].transport;
	for (size_t i = 0; i < c->core_count && !rc; i++) {
		rc = listen_one(net, EDGE_CORE, &c->core[i], &at, err);
		if (rc || i)
			continue;
		if (!edge_address_any(&at))
			(void)snprintf(net->core_at, sizeof(net->core_at), "%s;transport=%s",
			               stream_addr_format(&at, text, sizeof(text)),
			               transport_word(c->core[0].transport));
		if (c->core_host)
			(void)snprintf(net->core_host, sizeof(net->core_host), "%s:%u",
			               c->core_host, stream_addr_port(&at));
		else
			(void)snprintf(net->core_host, sizeof(net->core_host), "%s",
			               stream_addr_format(&at, text, sizeof(text)));
	}
	if (!rc)
		pool_address(net);
	return rc;
}

/* ---- life ---- */

int edge_net_new(struct edge_net **ret, struct streams *streams, const struct edge_config *config,
                 struct base_error *err)
{
	struct edge_net *net = calloc(1, sizeof(*net));
	int rc;

	if (!net)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	net->config = config;
	net->streams = streams;
	net->loop = streams_loop(streams);
	base_list_init(&net->orders);
	base_list_init(&net->passing);
	edge_net_random(net, (uint8_t *)&net->epoch, sizeof(net->epoch));
	net->epoch |= 1;
	name_add(net, config->host);
	if (config->core_host)
		name_add(net, config->core_host);
	rc = access_start(net, err);
	if (!rc)
		rc = core_start(net, err);
	if (!rc)
		rc = edge_share_new(&net->share, net->loop, config, net->core_at, net->epoch, err);
	if (!rc)
		rc = edge_net_core_new(net, err);
	if (!rc)
		rc = edge_net_proxy_new(net);
	if (!rc)
		rc = edge_net_subscribe_new(net, err);
	if (rc) {
		edge_net_free(net);
		return rc;
	}
	admit_set(net);
	*ret = net;
	return 0;
}

void edge_net_free(struct edge_net *net)
{
	if (!net)
		return;
	edge_net_orders_free(net);
	flows_free(net->access);
	flows_free(net->core_flows);
	edge_net_proxy_free(net);
	edge_regevent_free(net->events);
	edge_share_free(net->share);
	edge_core_free(net->core);
	loop_timer_stop(net->loop, &net->proxy_timer);
	loop_timer_stop(net->loop, &net->core_timer);
	loop_timer_stop(net->loop, &net->admit_timer);
	loop_timer_stop(net->loop, &net->events_timer);
	free(net);
}

int edge_net_config(struct edge_net *net, const struct edge_config *config, struct base_error *err)
{
	struct edge_policy policy;
	int rc;

	edge_net_policy(net, config, &policy);
	rc = edge_core_policy(net->core, &policy, err);
	if (rc)
		return rc;
	net->config = config;
	edge_share_config(net->share, config);
	if (net->events)
		edge_regevent_hop(net->events, config->registrar);
	flows_domain_set(net->access, edge_config_domain(config, config->access_domain));
	if (config->core_domain)
		flows_domain_set(net->core_flows, edge_config_domain(config, config->core_domain));
	admit_set(net);
	return 0;
}

void edge_net_leave(struct edge_net *net)
{
	net->leaving = true;
	admit(net);
	flows_pause(net->access, FLOW_TCP, true);
}

struct flock {
	uint64_t flows[PART_AT_ONCE];
	size_t count;
};

static void on_each(void *arg, const struct edge_binding *binding)
{
	struct flock *flock = arg;

	if (flock->count < PART_AT_ONCE)
		flock->flows[flock->count++] = binding->flow;
}

bool edge_net_part(struct edge_net *net)
{
	struct flock flock = { .count = 0 };

	if (!net->config->deregister)
		return true;
	if (net->parting < PART_AT_ONCE)
		edge_core_each(net->core, on_each, &flock);
	for (size_t i = 0; i < flock.count; i++)
		(void)edge_core_drop(net->core, flock.flows[i]);
	return !net->parting && !edge_core_count(net->core);
}

size_t edge_net_busy(const struct edge_net *net)
{
	return net->open;
}

struct edge_core *edge_net_core(const struct edge_net *net)
{
	return net->core;
}

struct sip_proxy *edge_net_proxy(const struct edge_net *net)
{
	return net->proxy;
}

struct flows *edge_net_flows(const struct edge_net *net, enum edge_side side)
{
	return side == EDGE_ACCESS ? net->access : net->core_flows;
}

const struct edge_net_counters *edge_net_counters(const struct edge_net *net)
{
	return &net->count;
}

struct edge_share *edge_net_share(const struct edge_net *net)
{
	return net->share;
}

struct edge_regevent *edge_net_events(const struct edge_net *net)
{
	return net->events;
}
