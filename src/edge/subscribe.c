/* SPDX-License-Identifier: Apache-2.0 */
/* The reg event package (regevent.h) on the network. */
#include <stdio.h>

#include "edge/net_private.h"

static void on_asked(void *user, const struct sip_message *response, unsigned status)
{
	edge_regevent_answered(user, response, status);
}

static int on_ask(void *arg, struct edge_regsub *sub, struct base_str octets, struct base_str hop)
{
	const struct sip_target target = { .hop = hop };

	return sip_proxy_ask(((struct edge_net *)arg)->proxy, octets, &target, on_asked, sub, NULL);
}

static void on_ended(void *arg, uint64_t flow, const char *why)
{
	base_log(BASE_LOG_INFO, "edge", "event=note flow=%llu why=\"%s\"", (unsigned long long)flow,
	         why);
	(void)edge_core_ended(((struct edge_net *)arg)->core,
	                      flow); /* it may have ended by itself */
}

static void on_shortened(void *arg, uint64_t flow, uint32_t expires_s)
{
	(void)edge_core_shortened(((struct edge_net *)arg)->core, flow, expires_s);
}

static void on_time(void *arg)
{
	edge_regevent_advance(((struct edge_net *)arg)->events);
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	struct edge_net *net = arg;
	uint64_t now = loop_now_ms(net->loop);

	if (deadline_ms == UINT64_MAX)
		loop_timer_stop(net->loop, &net->events_timer);
	else
		loop_timer_start(net->loop, &net->events_timer,
		                 deadline_ms > now ? deadline_ms - now : 0, on_time, net);
}

static uint64_t on_now(void *arg)
{
	return loop_now_ms(((struct edge_net *)arg)->loop);
}

int edge_net_subscribe_new(struct edge_net *net, struct base_error *err)
{
	char identity[EDGE_HOST_TEXT + 8], contact[EDGE_HOST_TEXT + 32];
	const struct edge_regevent_spec spec = { .identity = identity,
		                                 .contact = contact,
		                                 .hop = net->config->registrar };
	const struct edge_regevent_ops ops = { .ask = on_ask,
		                               .ended = on_ended,
		                               .shortened = on_shortened,
		                               .random = edge_net_random,
		                               .now_ms = on_now,
		                               .rearm = on_rearm,
		                               .arg = net };

	if (!net->config->reg_event)
		return 0;
	(void)snprintf(identity, sizeof(identity), "sip:%s", net->config->host);
	(void)snprintf(contact, sizeof(contact), "sip:%s", net->core_at);
	return edge_regevent_new(&net->events, &spec, &ops)
	               ? base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory")
	               : 0;
}

bool edge_net_notify(struct edge_net *net, struct sip_context *ctx, const struct sip_message *msg)
{
	unsigned status;

	if (!net->events || msg->method != SIP_NOTIFY || sip_context_flow(ctx).id < EDGE_CORE_FLOWS)
		return false;
	status = edge_regevent_notify(net->events, msg);
	if (status)
		(void)sip_proxy_reply(ctx, status, NULL); /* else it comes again */
	return status != 0;
}
