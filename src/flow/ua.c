/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ua.h"

#include <errno.h>
#include <stdlib.h>

#include "flow/flow.h"

struct flow_ua {
	struct loop *loop;
	struct sip_ua *sip;
	struct flows *flows;
	struct flow_ua_ops ops;
	struct loop_timer timer;
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
	flows_seek(((struct flow_ua *)arg)->flows, way->id, way->uri, way->octets, way->attempt,
	           way->last);
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

	if (flow.id)
		sip_ua_way(ua->sip, id, flow);
	else
		sip_ua_no_way(ua->sip, id, status);
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
