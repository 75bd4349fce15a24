/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ua.h"

#include <errno.h>
#include <stdlib.h>

#include "flow/flow.h"

#define OWN_ID (1ULL << 63) /* of ways that nobody but the owner wants; sip_ua counts from 1 */

struct dropped {
	struct base_node node;
	uint64_t flow;
};

struct flow_ua {
	struct loop *loop;
	struct sip_ua *sip;
	struct flows *flows;
	struct flow_ua_ops ops;
	struct loop_timer timer;
	uint64_t opened; /* the last own way; 0 = none is open */
	uint64_t opens;
	unsigned attempts;
	bool bound; /* flow_ua_only */
	struct sip_flow only;
	struct base_node drops; /* that sip_ua has still to hear of */
	struct loop_task drop;
};

/* ---- what the user agent wants of the network ---- */

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct flow_ua *ua = arg;

	if (ua->ops.trace)
		ua->ops.trace(ua->ops.arg, flow.id, true, octets);
	return flows_send(ua->flows, flow, octets);
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	flows_local(((struct flow_ua *)arg)->flows, flow, ret);
}

static void on_way_wanted(void *arg, const struct sip_way *way)
{
	struct flow_ua *ua = arg;

	if (!ua->bound)
		flows_seek(ua->flows, way->id, way->uri, way->octets, way->attempt, way->last);
	else if (ua->only.id && !way->attempt)
		sip_ua_way(ua->sip, way->id, ua->only);
	else
		sip_ua_no_way(ua->sip, way->id, 503);
}

static void on_time(void *arg)
{
	sip_ua_advance(((struct flow_ua *)arg)->sip);
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	struct flow_ua *ua = arg;
	uint64_t now = loop_now_ms(ua->loop);

	if (deadline_ms == UINT64_MAX)
		loop_timer_stop(ua->loop, &ua->timer);
	else
		loop_timer_start(ua->loop, &ua->timer, deadline_ms > now ? deadline_ms - now : 0,
		                 on_time, ua);
}

static uint64_t on_now(void *arg)
{
	return loop_now_ms(((struct flow_ua *)arg)->loop);
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	if (base_random(out, len)) /* a kernel without randomness: nothing would be safe */
		abort();
}

static void on_call(void *arg, const struct sip_call_event *event)
{
	struct flow_ua *ua = arg;

	ua->ops.on_call(ua->ops.arg, event);
}

static bool on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_call *call)
{
	struct flow_ua *ua = arg;

	return ua->ops.on_request(ua->ops.arg, txn, msg, call);
}

/* ---- what the network says to the user agent ---- */

static void on_message(void *arg, struct sip_flow from, const struct sip_source *source,
                       struct base_str octets)
{
	struct flow_ua *ua = arg;

	if (ua->ops.trace)
		ua->ops.trace(ua->ops.arg, from.id, false, octets);
	sip_ua_input(ua->sip, from, source, octets);
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	struct flow_ua *ua = arg;

	if (ua->only.id == flow)
		ua->only = (struct sip_flow){ 0 };
	sip_ua_lost(ua->sip, flow);
	if (ua->ops.on_lost)
		ua->ops.on_lost(ua->ops.arg, flow, why);
}

static void on_up(void *arg, uint64_t flow, const struct flow_info *info)
{
	struct flow_ua *ua = arg;

	ua->ops.on_up(ua->ops.arg, flow, info);
}

static void on_rekeyed(void *arg, uint64_t flow, enum stream_again what)
{
	struct flow_ua *ua = arg;

	ua->ops.on_rekeyed(ua->ops.arg, flow, what);
}

static void on_way(void *arg, uint64_t id, struct sip_flow flow, unsigned status)
{
	struct flow_ua *ua = arg;

	if (id & OWN_ID) {
		if (id != ua->opened)
			return;
		ua->opened = 0;
		ua->ops.on_opened(ua->ops.arg, flow, status);
	} else if (flow.id) {
		sip_ua_way(ua->sip, id, flow);
	} else {
		sip_ua_no_way(ua->sip, id, status);
	}
}

/* ---- one flow for all (RFC 5626) ---- */

void flow_ua_open(struct flow_ua *ua, struct base_str uri, bool next)
{
	ua->opened = 0;
	if (!uri.len)
		return;
	ua->attempts = next ? ua->attempts + 1 : 0;
	ua->opens += !next;
	ua->opened = OWN_ID | ua->opens;
	flows_seek(ua->flows, ua->opened, uri, 0, ua->attempts, (struct sip_flow){ 0 });
}

void flow_ua_only(struct flow_ua *ua, struct sip_flow flow)
{
	ua->bound = true;
	ua->only = flow;
}

static void on_drop(void *arg)
{
	struct flow_ua *ua = arg;
	struct base_node *node;

	while ((node = base_list_shift(&ua->drops))) {
		struct dropped *d = BASE_CONTAINER_OF(node, struct dropped, node);

		sip_ua_lost(ua->sip, d->flow);
		free(d);
	}
}

void flow_ua_drop(struct flow_ua *ua, uint64_t flow)
{
	struct dropped *d = calloc(1, sizeof(*d));

	if (ua->only.id == flow)
		ua->only = (struct sip_flow){ 0 };
	flows_close(ua->flows, flow);
	if (!d) /* then each request hears of it by its time */
		return;
	d->flow = flow;
	base_list_append(&ua->drops, &d->node);
	loop_defer(ua->loop, &ua->drop, on_drop, ua);
}

/* ---- life ---- */

int flow_ua_new(struct flow_ua **ret, struct streams *streams, const struct flow_config *config,
                const struct sip_ua_config *sip, const struct flow_ua_ops *ops,
                struct base_error *err)
{
	struct flow_ua *ua = calloc(1, sizeof(*ua));
	const struct flow_ops flow_ops = {
		.on_message = on_message,
		.on_lost = on_lost,
		.on_way = on_way,
		.on_up = ops->on_up ? on_up : NULL,
		.on_rekeyed = ops->on_rekeyed ? on_rekeyed : NULL,
		.arg = ua,
	};
	const struct sip_ua_ops sip_ops = {
		.send = on_send,
		.local = on_local,
		.on_way = on_way_wanted,
		.on_call = ops->on_call ? on_call : NULL,
		.on_request = ops->on_request ? on_request : NULL,
		.rearm = on_rearm,
		.now_ms = on_now,
		.random = on_random,
		.arg = ua,
	};
	int rc;

	if (!ua)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	ua->loop = streams_loop(streams);
	ua->ops = *ops;
	base_list_init(&ua->drops);
	rc = flows_new(&ua->flows, streams, config, &flow_ops, err);
	if (!rc && sip_ua_new(&ua->sip, sip, &sip_ops))
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	if (rc)
		flow_ua_free(ua);
	else
		*ret = ua;
	return rc;
}

void flow_ua_free(struct flow_ua *ua)
{
	if (!ua)
		return;
	BASE_LIST_EACH(&ua->drops, node, after)
	free(BASE_CONTAINER_OF(node, struct dropped, node));
	loop_defer_stop(ua->loop, &ua->drop);
	flows_free(ua->flows);
	sip_ua_free(ua->sip);
	loop_timer_stop(ua->loop, &ua->timer);
	free(ua);
}

struct sip_ua *flow_ua_sip(const struct flow_ua *ua)
{
	return ua->sip;
}

struct flows *flow_ua_flows(const struct flow_ua *ua)
{
	return ua->flows;
}
