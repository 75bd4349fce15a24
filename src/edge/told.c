/* SPDX-License-Identifier: Apache-2.0 */
/* What the core of the edge wants of the network and the log. */
#include <stdio.h>
#include <stdlib.h>

#include "edge/net_private.h"
#include "edge/word.h"

#define REFUSALS_A_SECOND 10

const char *edge_net_peer(const struct edge_net *net, uint64_t flow, char *buf, size_t cap)
{
	struct flow_info info;

	if (flows_info(edge_net_flows_of(net, flow), flow, &info))
		return stream_addr_format(&info.remote, buf, cap);
	(void)snprintf(buf, cap, "-");
	return buf;
}

/* ---- log ---- */

static void hex_write(char out[17], struct base_str octets)
{
	size_t len = BASE_MIN(octets.len, (size_t)8);

	out[0] = 0;
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", (unsigned char)octets.ptr[i]);
}

static void bound_tell(struct edge_net *net, const struct edge_binding *b)
{
	const struct base_str none = { "-", 1 }, *impu = b->impu_count ? b->impus : &none;
	uint64_t now = loop_now_ms(net->loop);
	char session[17], peer[STREAM_ADDR_TEXT], impi[EDGE_WORD_MAX], word[EDGE_WORD_MAX];

	hex_write(session, b->session);
	base_log(BASE_LOG_INFO, "edge",
	         "event=registered flow=%llu peer=%s impi=%s impu=%s identities=%zu "
	         "expires=%llu session=%s",
	         (unsigned long long)b->flow, edge_net_peer(net, b->flow, peer, sizeof(peer)),
	         edge_word(b->impi, impi), edge_word(*impu, word), b->impu_count,
	         (unsigned long long)(b->expires_ms > now ? (b->expires_ms - now + 999) / 1000 : 0),
	         session);
	if (b->impus_left_out)
		base_log(BASE_LOG_WARN, "edge",
		         "flow=%llu: %u identities are not kept (registration.identities-max)",
		         (unsigned long long)b->flow, b->impus_left_out);
	if (b->expires_ms > now && b->expires_ms - now > net->config->lifetime_ms &&
	    !net->told_life) {
		net->told_life = true; /* one of them says it all */
		base_log(BASE_LOG_WARN, "edge",
		         "flow=%llu: registered for longer than session.lifetime, which should be "
		         "longer than registrations (TS 33.203, O.2.1)",
		         (unsigned long long)b->flow);
	}
}

static void on_told(void *arg, const struct edge_event *event)
{
	struct edge_net *net = arg;
	const struct edge_binding *b = event->binding;
	char session[17] = "", impi[EDGE_WORD_MAX];
	unsigned long long flow = event->flow;
	const char *why = event->why ? event->why : "";
	uint64_t now = loop_now_ms(net->loop);

	(void)edge_word(b ? b->impi : (struct base_str){ "-", 1 }, impi);
	edge_share_told(net->share, event);
	if (net->events)
		edge_regevent_told(net->events, event);
	if (b)
		hex_write(session, b->session);
	switch (event->what) {
	case EDGE_TOLD_BOUND:
		if (b)
			bound_tell(net, b);
		break;
	case EDGE_TOLD_REFRESHED:
		base_log(BASE_LOG_INFO, "edge", "event=refreshed flow=%llu impi=%s expires=%llu",
		         flow, impi,
		         (unsigned long long)(b && b->expires_ms > now
		                                      ? (b->expires_ms - now + 999) / 1000
		                                      : 0));
		break;
	case EDGE_TOLD_REKEYED:
		base_log(BASE_LOG_INFO, "edge", "event=rekeyed flow=%llu impi=%s session=%s", flow,
		         impi, session);
		break;
	case EDGE_TOLD_UNBOUND:
		base_log(BASE_LOG_INFO, "edge",
		         "event=unregistered flow=%llu impi=%s end=\"%s\" why=\"%s\"", flow, impi,
		         edge_end_name(event->end), why);
		break;
	case EDGE_TOLD_NOTE:
		base_log(BASE_LOG_INFO, "edge", "event=note flow=%llu impi=%s why=\"%s\"", flow,
		         impi, why);
		break;
	}
}

void edge_net_refused(struct edge_net *net, uint64_t flow, unsigned status, struct base_str method,
                      const char *why)
{
	uint64_t second = loop_now_ms(net->loop) / 1000;
	char peer[STREAM_ADDR_TEXT];

	if (second != net->told_s) {
		if (net->untold)
			base_log(BASE_LOG_WARN, "edge", "event=refused more=%u", net->untold);
		net->told_s = second;
		net->told = net->untold = 0;
	}
	if (net->told++ >= REFUSALS_A_SECOND) {
		net->untold++;
		return;
	}
	base_log(BASE_LOG_WARN, "edge",
	         "event=refused flow=%llu peer=%s status=%u method=%.*s why=\"%s\"",
	         (unsigned long long)flow, edge_net_peer(net, flow, peer, sizeof(peer)), status,
	         (int)BASE_MIN(method.len, (size_t)32), method.ptr ? method.ptr : "",
	         why ? why : "");
}

/* ---- flows ---- */

static void on_close(void *arg, uint64_t flow, bool forget, const char *why)
{
	edge_net_order(arg, flow, forget ? EDGE_ORDER_FORGET : EDGE_ORDER_CLOSE, why);
}

static void on_renew(void *arg, uint64_t flow)
{
	struct edge_net *net = arg;
	enum tls_again again = flows_renegotiate(net->access, flow);

	if (again == TLS_AGAIN_BEGUN || again == TLS_AGAIN_KEYS || again == TLS_AGAIN_BUSY)
		return; /* flows tell what comes of it */
	base_log(BASE_LOG_INFO, "edge", "event=note flow=%llu why=\"no new keys: %s\"",
	         (unsigned long long)flow, tls_again_text(again));
	edge_net_order(net, flow, EDGE_ORDER_NOT_REKEYED, NULL);
}

static void on_ping(void *arg, uint64_t flow, uint32_t within_ms)
{
	(void)flows_ping_expected(((struct edge_net *)arg)->access, flow, within_ms);
}

static int on_token_key(void *arg, uint64_t epoch, uint8_t ret[32])
{
	return edge_share_token_key(((const struct edge_net *)arg)->share, epoch, ret);
}

/* ---- a REGISTER of ours for who was lost ---- */

static void on_parted(void *user, const struct sip_message *response, unsigned status)
{
	struct edge_net *net = user;

	(void)response;
	net->parting--;
	if (status / 100 != 2)
		base_log(BASE_LOG_WARN, "edge",
		         "event=note why=\"the registrar has answered %u to the end of a "
		         "registration\"",
		         status);
}

static void on_part(void *arg, const struct edge_parting *parting)
{
	struct edge_net *net = arg;
	struct base_writer w = { 0 };
	const struct sip_target target = { .hop = parting->next };
	uint8_t random[12];
	char call_id[2 * sizeof(random) + 1], impi[EDGE_WORD_MAX];

	edge_net_random(net, random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(call_id + 2 * i, 3, "%02x", random[i]);
	edge_parting_write(parting, NULL, call_id, &w);
	if (!w.failed &&
	    !sip_proxy_ask(net->proxy, base_writer_view(&w), &target, on_parted, net, NULL))
		net->parting++;
	else
		base_log(BASE_LOG_ERROR, "edge",
		         "event=note impi=%s why=\"its registration could not be ended\"",
		         edge_word(parting->impi, impi));
	base_writer_done(&w);
}

/* ---- time ---- */

static void on_time(void *arg)
{
	edge_core_advance(((struct edge_net *)arg)->core);
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	struct edge_net *net = arg;
	uint64_t now = loop_now_ms(net->loop);

	if (deadline_ms == UINT64_MAX)
		loop_timer_stop(net->loop, &net->core_timer);
	else
		loop_timer_start(net->loop, &net->core_timer,
		                 deadline_ms > now ? deadline_ms - now : 0, on_time, net);
}

static uint64_t on_now(void *arg)
{
	return loop_now_ms(((struct edge_net *)arg)->loop);
}

/* ---- life ---- */

void edge_net_policy(const struct edge_net *net, const struct edge_config *c,
                     struct edge_policy *ret)
{
	static const char *const params[] = { NULL, ";transport=tcp", ";transport=tls" };

	*ret = (struct edge_policy){
		.access_host = net->access_host,
		.access_params = ";transport=tls",
		.core_host = net->core_host,
		.core_params = params[net->core_transport],
		.names = net->name_list,
		.name_count = net->name_count,
		.network = c->network,
		.registrar = c->registrar,
		.proxy = c->proxy,
		.lifetime_ms = c->lifetime_ms,
		.renew_before_ms = c->renew_before_ms,
		.renew_timeout_ms = c->renew_timeout_ms,
		.tolerate_ignored = !c->end_ignored,
		.agreement = c->agreement ? EDGE_AGREE_REQUIRED : EDGE_AGREE_OPTIONAL,
		.mechanisms = c->mechanisms,
		.mechanism_count = c->mechanism_count,
		.challenge_ms = c->challenge_ms,
		.minimum_s = c->minimum_s,
		.flow_timer_s = c->keep_alive_ms / 1000,
		.deregister = c->deregister,
		.identities_max = c->identities_max,
		.bindings_max = c->bindings,
		.refused_max = c->refused_max,
		.unregistered_ms = c->unregistered_ms,
		.emergency = c->emergency,
		.emergency_count = c->emergency_count,
		.emergency_proxy = c->emergency_proxy,
		.retry_after_s = c->retry_after_s,
	};
}

int edge_net_core_new(struct edge_net *net, struct base_error *err)
{
	const struct edge_core_ops ops = {
		.close = on_close,
		.renew = on_renew,
		.told = on_told,
		.part = on_part,
		.ping = on_ping,
		.token_key = on_token_key,
		.rearm = on_rearm,
		.now_ms = on_now,
		.random = edge_net_random,
		.arg = net,
	};
	struct edge_policy policy;

	edge_net_policy(net, net->config, &policy);
	return edge_core_new(&net->core, &policy, &ops, net->epoch, err);
}
