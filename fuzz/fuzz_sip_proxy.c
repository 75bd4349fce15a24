/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proxy under a script: an octet says what happens, the next two how long the message is that
 * follows. What it sends has to be messages without fault; what is edited likewise. Peers answer
 * what was sent to them. It must end with nothing left once all time has passed.
 */
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PENDING 8

struct world {
	struct sip_proxy *proxy;
	uint64_t now_ms;
	struct sip_context *held; /* the owner thinks about it */
	uint64_t way;
	uint8_t mood; /* bits of what the owner does */
	size_t begun, over;
	bool broken;
	struct base_writer sent[PENDING]; /* requests that nobody has answered yet */
	unsigned next;
};

static struct sip_flow flow_of(unsigned n)
{
	return (struct sip_flow){ .id = 1 + (n & 3U), .reliable = (n & 1U) != 0 };
}

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct world *w = arg;
	struct base_arena arena = { 0 };
	struct sip_message msg;

	if (!flow.id || sip_message_parse(&msg, &arena, octets, true))
		abort();
	if (msg.request && msg.fault)
		abort(); /* what we forward is good */
	if (msg.request && msg.method != SIP_ACK) {
		struct base_writer *slot = &w->sent[w->next++ % PENDING];

		base_writer_reset(slot);
		base_writer_str(slot, octets);
	}
	base_arena_done(&arena);
	return w->broken ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	(void)arg;
	ret->transport = flow.reliable ? "TLS" : "UDP";
	ret->sent_by = flow.reliable ? "edge:5061" : "edge;rport";
}

static void on_way(void *arg, const struct sip_way *way)
{
	struct world *w = arg;

	w->way = way->id;
	if (w->mood & 1U)
		return;
	if (way->attempt > 1)
		sip_proxy_no_way(w->proxy, way->id, 404);
	else
		sip_proxy_way(w->proxy, way->id, flow_of(w->mood));
}

static bool on_mine(void *arg, const struct sip_uri *uri, struct sip_flow from)
{
	(void)arg;
	(void)from;
	return base_str_ieq(uri->host, BASE_STR("edge"));
}

static bool on_admit(void *arg, struct sip_context *ctx, const struct sip_message *msg,
                     struct sip_flow from)
{
	struct world *w = arg;

	(void)ctx;
	(void)from;
	if (msg->fault)
		abort();
	w->begun++;
	return true;
}

static void forward(struct world *w, struct sip_context *ctx)
{
	struct sip_target targets[2] = { { .flow = flow_of(w->mood >> 1) },
		                         { .uri = BASE_STR("sip:u@h;method=X?a=b") } };

	if (w->mood & 4U)
		targets[0].flow.id = 0;
	if (sip_proxy_forward(ctx, targets, w->mood & 8U ? 2 : 1))
		sip_proxy_drop(ctx);
}

static void on_request(void *arg, struct sip_context *ctx, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct world *w = arg;
	const struct base_str *routes;

	(void)msg;
	(void)from;
	for (size_t i = sip_context_routes(ctx, &routes); i--;) {
		if (!routes[i].len)
			abort();
	}
	if (w->held)
		sip_proxy_drop(w->held);
	w->held = NULL;
	if (w->mood & 16U)
		w->held = ctx;
	else
		forward(w, ctx);
}

/* All that an owner may do to what passes. */
static void edit_all(struct world *w, struct sip_edit *edit)
{
	struct base_str one;

	if (w->mood & 32U) {
		sip_edit_push(edit, "Route", BASE_STR("<sip:p;lr>, <sip:q>"));
		(void)sip_edit_shift(edit, "Route", &one);
		sip_edit_drop_token(edit, "Supported", "path");
	}
	if (w->mood & 64U) {
		while (sip_edit_shift(edit, "Record-Route", &one)) {
		}
		if (sip_edit_has(edit, "Record-Route") && !edit->failed)
			abort();
		sip_edit_set(edit, "P-Asserted-Identity", BASE_STR("<sip:a@b>"));
		sip_edit_drop_all(edit, "Contact");
	}
}

static void on_forward(void *arg, struct sip_context *ctx, const struct sip_target *target,
                       struct sip_edit *edit)
{
	(void)ctx;
	(void)target;
	edit_all(arg, edit);
}

static unsigned on_response(void *arg, struct sip_context *ctx, const struct sip_target *target,
                            const struct sip_message *msg, struct sip_edit *edit)
{
	struct world *w = arg;

	(void)ctx;
	if (!target->flow.id || msg->fault)
		abort();
	edit_all(w, edit);
	return w->mood & 128U ? 488 : 0;
}

static void on_orphan(void *arg, struct sip_context *ctx)
{
	struct world *w = arg;

	if (sip_context_answered(ctx))
		abort();
	if (w->mood & 2U)
		sip_proxy_cancel(ctx);
}

static void on_over(void *arg, struct sip_context *ctx)
{
	struct world *w = arg;

	if (w->held == ctx)
		w->held = NULL;
	w->over++;
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	(void)arg;
	(void)deadline_ms;
}

static uint64_t on_now(void *arg)
{
	return ((struct world *)arg)->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)((size_t)((struct world *)arg)->next * 7 + i);
	((struct world *)arg)->next++;
}

/* One of those that were sent to a peer is answered by it. */
static void respond(struct world *w, unsigned which, unsigned status)
{
	struct base_writer *sent = &w->sent[which % PENDING], out = { 0 };
	struct base_arena arena = { 0 };
	struct sip_message msg;

	if (sent->len && !sip_message_parse(&msg, &arena, base_writer_view(sent), true)) {
		sip_reply_begin(&out, &msg, NULL, status, NULL, BASE_STR("t"));
		sip_body_end(&out, NULL, (struct base_str){ NULL, 0 });
		if (!out.failed)
			sip_proxy_input(w->proxy, flow_of(which), NULL, base_writer_view(&out));
	}
	base_writer_done(&out);
	base_arena_done(&arena);
}

static void act(struct world *w, uint8_t what, struct base_str octets)
{
	static const unsigned statuses[] = { 100, 180, 200, 404, 401, 503, 603, 302 };
	static const struct sip_source source = { .address = "2001:db8::1", .port = 5061 };

	switch (what >> 4) {
	case 0:
		w->now_ms += (uint64_t)(what & 15U) * 20000;
		sip_proxy_advance(w->proxy);
		break;
	case 1:
	case 2:
		respond(w, what & 1U, statuses[what >> 1 & 7U]);
		break;
	case 3:
		sip_proxy_lost(w->proxy, 1 + (what & 3U));
		break;
	case 4:
		w->broken = what & 1U;
		if (w->held)
			forward(w, w->held);
		w->held = NULL;
		break;
	case 5:
		sip_proxy_way(w->proxy, w->way, flow_of(what));
		break;
	case 6:
		w->mood = octets.len ? (uint8_t)octets.ptr[0] : what;
		break;
	default:
		sip_proxy_input(w->proxy, flow_of(what), &source, octets);
	}
}

static void end(struct world *w)
{
	w->broken = false;
	if (w->held)
		sip_proxy_drop(w->held);
	w->held = NULL;
	for (int i = 0; i < 600 && sip_proxy_contexts(w->proxy); i++) {
		sip_proxy_no_way(w->proxy, w->way, 404);
		for (uint64_t flow = 1; flow <= 4; flow++)
			sip_proxy_lost(w->proxy, flow);
		w->now_ms += 1000;
		sip_proxy_advance(w->proxy);
	}
	if (w->begun != w->over + sip_proxy_contexts(w->proxy))
		abort();
	sip_proxy_free(w->proxy);
	for (size_t i = 0; i < PENDING; i++)
		base_writer_done(&w->sent[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const supported[] = { "sec-agree", NULL };
	struct world w = { .now_ms = 1 };
	struct sip_proxy_ops ops = { .send = on_send,
		                     .local = on_local,
		                     .on_way = on_way,
		                     .mine = on_mine,
		                     .admit = on_admit,
		                     .on_request = on_request,
		                     .on_forward = on_forward,
		                     .on_response = on_response,
		                     .on_orphan = on_orphan,
		                     .on_over = on_over,
		                     .rearm = on_rearm,
		                     .now_ms = on_now,
		                     .random = on_random,
		                     .arg = &w };
	struct sip_proxy_config config = { .supported = supported,
		                           .txns = { .count_max = 32, .lingering_max = 8 } };
	struct base_reader in = base_reader_of(data, size);

	if (sip_proxy_new(&w.proxy, &config, &ops))
		return 0;
	while (base_reader_left(&in)) {
		uint8_t what = base_reader_u8(&in);
		size_t len = what >> 4 >= 6 ? base_reader_u16(&in) : 0;

		len = BASE_MIN(len, base_reader_left(&in));
		act(&w, what, (struct base_str){ (const char *)base_reader_take(&in, len), len });
	}
	end(&w);
	return 0;
}
