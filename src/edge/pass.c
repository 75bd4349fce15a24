/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses between the proxy, which moves them, and the core, which judges. */
#include <stdio.h>
#include <stdlib.h>

#include "edge/net_private.h"

#define WEIGHT_OCTETS 4096U /* larger requests count for as many as they have of these */

/* One request that came. It goes to one target. */
struct passing {
	struct base_node node;
	struct edge_net *net;
	struct sip_context *ctx;
	struct base_arena arena; /* of what the decision tells */
	struct edge_decision decision;
	struct edge_search search;
	enum sip_method method;
	unsigned more;  /* it counts for one, and so many more */
	uint64_t flow;  /* of the UE, from or to; 0 = none */
	uint64_t asker; /* of the UE that asks; 0 = the core does */
	bool forwarded;
	bool heard; /* of who it was forwarded to, a final response */
	bool open;  /* it has had no final answer */
	bool done;  /* and nothing passes any more */
	bool busy;  /* it is being judged */
	bool close, forget;
	const char *why;
};

static void settled(struct passing *p)
{
	if (!p->open)
		return;
	p->net->open--;
	p->net->open_more -= p->more;
	if (p->asker)
		(void)edge_core_asks(p->net->core, p->asker, -1 - (int)p->more);
	p->open = false;
}

static void passing_free(struct passing *p)
{
	settled(p);
	base_list_remove(&p->node);
	edge_store_find_stop(&p->search);
	base_arena_done(&p->arena);
	free(p);
}

/* Of a request that is answered, and no INVITE, nothing passes any more: its context may linger for
 * seconds without us. */
static void let_go(struct passing *p)
{
	if (!p->done || p->busy)
		return;
	sip_context_user_set(p->ctx, NULL);
	passing_free(p);
}

/* ---- requests ---- */

static enum edge_load load_of(const struct edge_net *net)
{
	size_t now = sip_proxy_busy(net->proxy) + 2 * net->open_more; /* two for each request */
	size_t most = net->config->transactions;

	if (now >= most)
		return EDGE_LOAD_ALL;
	return now >= most - most / 10 || net->leaving ? EDGE_LOAD_NEW : EDGE_LOAD_NONE;
}

static void reply(struct passing *p, const struct sip_message *msg, const struct edge_decision *d)
{
	const struct sip_content content = { .lines = d->lines.len
		                                              ? base_arena_dup(&p->arena, d->lines)
		                                              : NULL,
		                             .reason = d->reason };

	if (d->status >= 300 && d->why)
		edge_net_refused(p->net, sip_context_flow(p->ctx).id, d->status, msg->method_name,
		                 d->why);
	(void)sip_proxy_reply(p->ctx, d->status, &content); /* else its peer asks again */
}

static void forward(struct passing *p, const struct sip_message *msg)
{
	const struct edge_decision failed = { .status = 500, .why = "no memory" };
	const struct edge_decision *d = &p->decision;
	struct sip_target target = { .hop = d->hop, .lost_status = d->lost_status };

	if (d->flow)
		p->flow = d->flow;
	if (d->to == EDGE_ACCESS)
		target.flow = (struct sip_flow){ d->flow, flows_reliable(p->net->access, d->flow) };
	p->forwarded = true;
	if (sip_proxy_forward(p->ctx, &target, 1)) {
		p->forwarded = false;
		reply(p, msg, &failed);
	}
}

static void judge(struct passing *p, const struct sip_message *msg, const struct edge_owner *owner);

static void on_found(void *arg, const struct edge_found *found)
{
	struct passing *p = arg;
	const struct sip_message *msg = sip_context_request(p->ctx);
	struct edge_owner owner = { .known = found->whose != EDGE_WHOSE_UNKNOWN };
	bool busy = p->busy;

	if (found->whose == EDGE_WHOSE_OTHER)
		owner.uri = base_str_of(base_arena_printf(&p->arena, "%s", found->uri));
	p->busy = true;
	if (msg)
		judge(p, msg, &owner);
	else
		sip_proxy_drop(p->ctx);
	p->busy = busy;
	let_go(p);
}

static void ask(struct passing *p, const struct sip_message *msg)
{
	const struct edge_owner nobody = { .known = true };

	if (p->net->config->pool.name)
		edge_store_find(edge_share_store(p->net->share), &p->search, p->decision.key,
		                on_found, p);
	else
		judge(p, msg, &nobody);
}

static void request_of(const struct passing *p, const struct sip_message *msg,
                       struct edge_request *ret)
{
	struct sip_flow from = sip_context_flow(p->ctx);

	*ret = (struct edge_request){ .side = from.id >= EDGE_CORE_FLOWS ? EDGE_CORE : EDGE_ACCESS,
		                      .flow = from.id,
		                      .msg = msg,
		                      .uri = sip_context_uri(p->ctx),
		                      .load = load_of(p->net) };
	ret->route_count = sip_context_routes(p->ctx, &ret->routes);
}

static void judge(struct passing *p, const struct sip_message *msg, const struct edge_owner *owner)
{
	struct edge_decision *d = &p->decision;
	struct edge_request request;

	request_of(p, msg, &request);
	request.owner = owner;
	memset(d, 0, sizeof(*d));
	if (edge_core_request(p->net->core, &request, &p->arena, d))
		*d = (struct edge_decision){ .what = EDGE_REPLY,
			                     .status = 500,
			                     .why = "no memory" };
	switch (d->what) {
	case EDGE_FORWARD:
		forward(p, msg);
		break;
	case EDGE_REPLY:
		p->close = d->close;
		p->why = d->why;
		reply(p, msg, d);
		break;
	case EDGE_DROP:
		sip_proxy_drop(p->ctx);
		break;
	case EDGE_ASK:
		if (owner)
			sip_proxy_drop(p->ctx); /* it asks once */
		else
			ask(p, msg);
		break;
	}
}

/* One UE has too much unanswered: it alone is told to wait. */
static bool greedy(struct edge_net *net, struct sip_context *ctx, const struct sip_message *msg,
                   struct sip_flow from)
{
	char lines[40];

	if (from.id >= EDGE_CORE_FLOWS || msg->method == SIP_ACK ||
	    edge_core_asks(net->core, from.id, 0) < net->config->per_flow)
		return false;
	net->count.greedy++;
	edge_net_refused(net, from.id, 503, msg->method_name, "limits.per-flow");
	(void)snprintf(lines, sizeof(lines), "Retry-After: %u\r\n", net->config->retry_after_s);
	(void)sip_proxy_reply(ctx, 503, &(struct sip_content){ .lines = lines });
	return true;
}

static void on_request(void *arg, struct sip_context *ctx, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct passing *p;

	if (edge_net_notify(arg, ctx, msg) || greedy(arg, ctx, msg, from))
		return;
	p = calloc(1, sizeof(*p));
	if (!p) {
		sip_proxy_drop(ctx);
		return;
	}
	p->net = arg;
	base_list_append(&p->net->passing, &p->node);
	p->open = true;
	p->more = (unsigned)(msg->octets.len / WEIGHT_OCTETS);
	p->net->open++;
	p->net->open_more += p->more;
	p->ctx = ctx;
	p->method = msg->method;
	p->arena.chunk_size = 1024;
	p->flow = p->asker = from.id < EDGE_CORE_FLOWS ? from.id : 0;
	if (p->asker)
		(void)edge_core_asks(p->net->core, p->asker, 1 + (int)p->more);
	sip_context_user_set(ctx, p);
	p->busy = true;
	judge(p, msg, NULL);
	p->busy = false;
	let_go(p);
}

static void on_forward(void *arg, struct sip_context *ctx, const struct sip_target *target,
                       struct sip_edit *edit)
{
	struct edge_net *net = arg;
	const struct passing *p = sip_context_user(ctx);
	struct edge_request request;

	(void)target;
	if (!p)
		return;
	request_of(p, edit->msg, &request);
	edge_core_forward(net->core, &request, &p->decision, edit);
}

/* ---- responses ---- */

static void passed(struct passing *p, const struct edge_passing *passing)
{
	p->close = p->close || passing->close;
	p->forget = p->forget || passing->forget;
	if (passing->why)
		p->why = passing->why;
}

static unsigned on_response(void *arg, struct sip_context *ctx, const struct sip_target *target,
                            const struct sip_message *msg, struct sip_edit *edit)
{
	struct edge_net *net = arg;
	struct passing *p = sip_context_user(ctx);
	struct edge_response response = { .request = sip_context_request(ctx),
		                          .status = msg->status,
		                          .msg = msg };
	struct edge_passing passing = { 0 };

	(void)target;
	if (!p)
		return 500; /* it has been answered: nothing passes any more */
	p->heard |= msg->status >= 200;
	response.decision = &p->decision;
	if (edge_core_response(net->core, &response, edit, &passing))
		return 500;
	passed(p, &passing);
	return 0;
}

static void count(struct edge_net *net, unsigned status)
{
	uint64_t *const by_class[] = { &net->count.answered_2xx, &net->count.answered_3xx,
		                       &net->count.answered_4xx, &net->count.answered_5xx,
		                       &net->count.answered_6xx };

	if (status >= 200 && status < 700)
		++*by_class[status / 100 - 2];
}

/* A UE that has called and is gone cannot even say so: nobody is to ring on for it
 * (TS 24.229, 5.2.8: R). The core's connections come again. */
static void on_orphan(void *arg, struct sip_context *ctx)
{
	(void)arg;
	if (sip_context_flow(ctx).id < EDGE_CORE_FLOWS)
		sip_proxy_cancel(ctx);
}

static void on_answered(void *arg, struct sip_context *ctx, unsigned status)
{
	struct edge_net *net = arg;
	struct passing *p = sip_context_user(ctx);
	struct edge_passing passing = { 0 };

	count(net, status);
	if (!p)
		return;
	settled(p);
	if (p->forwarded) { /* the proxy's own, too: 408, 503 */
		const struct edge_response response = { .request = sip_context_request(ctx),
			                                .decision = &p->decision,
			                                .status = status };

		if (!edge_core_response(net->core, &response, NULL, &passing))
			passed(p, &passing);
	}
	if (p->forwarded && !p->heard && status >= 400)
		edge_net_refused(net, sip_context_flow(ctx).id, status,
		                 sip_context_request(ctx)->method_name,
		                 status == 408 ? "its next hop has not answered"
		                               : "there is no way to its next hop");
	if (p->close && p->flow)
		edge_net_order(net, p->flow, p->forget ? EDGE_ORDER_FORGET : EDGE_ORDER_CLOSE,
		               p->why);
	p->close = false;
	p->done = p->method != SIP_INVITE;
	let_go(p);
}

static void on_over(void *arg, struct sip_context *ctx)
{
	struct passing *p = sip_context_user(ctx);

	(void)arg;
	if (p)
		passing_free(p);
}

/* ---- what the proxy wants of the network ---- */

static void trace(const struct edge_net *net, const char *way, uint64_t flow,
                  struct base_str octets)
{
	if (net->config->messages)
		base_log(BASE_LOG_DEBUG, "edge", "%s flow=%llu: %.*s", way,
		         (unsigned long long)flow, BASE_FMT(octets));
}

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct edge_net *net = arg;

	trace(net, "to", flow.id, octets);
	return flows_send(edge_net_flows_of(net, flow.id), flow, octets);
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	flows_local(edge_net_flows_of(arg, flow.id), flow, ret);
}

static void on_way(void *arg, const struct sip_way *way)
{
	flows_seek(((struct edge_net *)arg)->core_flows, way->id, way->uri, way->octets,
	           way->attempt, way->last);
}

static bool on_mine(void *arg, const struct sip_uri *uri, struct sip_flow from)
{
	(void)from;
	return edge_core_mine(((struct edge_net *)arg)->core, uri);
}

static bool source_fits(const struct edge_net *net, struct sip_flow from)
{
	const struct edge_config *c = net->config;
	struct flow_info info;

	if (!c->from_count || from.id < EDGE_CORE_FLOWS ||
	    !flows_info(net->core_flows, from.id, &info) || info.transport == FLOW_TLS ||
	    (info.transport == FLOW_TCP && !info.accepted)) /* TLS has proven who it is */
		return true;
	for (size_t i = 0; i < c->from_count; i++)
		if (edge_network_has(&c->from[i], &info.remote))
			return true;
	return false;
}

/* A UE that is called sees the Vias of the caller's side: it answers for itself alone. The core may
 * answer by another connection (18.2.2), those of it who may ask. */
static bool on_answers(void *arg, struct sip_flow sent, struct sip_flow from)
{
	return sent.id == from.id ||
	       (sent.id >= EDGE_CORE_FLOWS && from.id >= EDGE_CORE_FLOWS && source_fits(arg, from));
}

static bool on_admit(void *arg, struct sip_context *ctx, const struct sip_message *msg,
                     struct sip_flow from)
{
	struct edge_net *net = arg;

	if (source_fits(net, from))
		return true;
	net->count.foreign++;
	edge_net_refused(net, from.id, 403, msg->method_name, "not of core.from");
	(void)sip_proxy_reply(ctx, 403, NULL);
	return false;
}

/* ---- time ---- */

static void on_time(void *arg)
{
	sip_proxy_advance(((struct edge_net *)arg)->proxy);
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	struct edge_net *net = arg;
	uint64_t now = loop_now_ms(net->loop);

	if (deadline_ms == UINT64_MAX)
		loop_timer_stop(net->loop, &net->proxy_timer);
	else
		loop_timer_start(net->loop, &net->proxy_timer,
		                 deadline_ms > now ? deadline_ms - now : 0, on_time, net);
}

static uint64_t on_now(void *arg)
{
	return loop_now_ms(((struct edge_net *)arg)->loop);
}

int edge_net_proxy_new(struct edge_net *net)
{
	static const char *const supported[] = { "path", "outbound", "sec-agree", "gruu", NULL };
	static const char *const schemes[] = { "urn", NULL };
	const struct sip_proxy_config config = {
		/* beyond what is refused politely, so that there is room for refusals */
		.txns = { .count_max = net->config->transactions + net->config->transactions / 2,
		          .lingering_max = net->config->lingering },
		.supported = supported,
		.schemes = schemes,
		.lines = "Server: gatehouse-edge\r\n",
	};
	const struct sip_proxy_ops ops = {
		.send = on_send,
		.local = on_local,
		.on_way = on_way,
		.answers = on_answers,
		.mine = on_mine,
		.admit = on_admit,
		.on_request = on_request,
		.on_forward = on_forward,
		.on_response = on_response,
		.on_orphan = on_orphan,
		.on_answered = on_answered,
		.on_over = on_over,
		.rearm = on_rearm,
		.now_ms = on_now,
		.random = edge_net_random,
		.arg = net,
	};

	return sip_proxy_new(&net->proxy, &config, &ops);
}

void edge_net_proxy_free(struct edge_net *net)
{
	BASE_LIST_EACH(&net->passing, node, after)
	passing_free(BASE_CONTAINER_OF(node, struct passing, node));
	sip_proxy_free(net->proxy);
}
