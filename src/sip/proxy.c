/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: what came, what its owner decides, CANCEL (RFC 3261, 16.10), and when all of it is
 * over. One is freed by its last timer alone, so that a caller's pointer lives until on_over.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sip/proxy_private.h"

#define TIMER_C_MS       181000
#define TIMER_C_MIN_MS   180001 /* larger than 3 minutes (16.6, 11) */
#define ARENA_CHUNK      2048
#define TRANSACTIONS_MAX 65536 /* as txn.h has it */

/* -- time -------------------------------------------------------------------------------------- */

uint64_t sip_proxy_deadline(const struct sip_proxy *proxy)
{
	return BASE_MIN(loop_timers_deadline(&proxy->timers), proxy->txns_ms);
}

static void rearm(struct sip_proxy *proxy)
{
	uint64_t deadline = sip_proxy_deadline(proxy);

	if (deadline == proxy->told_ms)
		return;
	proxy->told_ms = deadline;
	proxy->ops.rearm(proxy->ops.arg, deadline);
}

void sip_proxy_timer(struct sip_proxy *proxy, struct loop_timer *timer, uint64_t delay_ms,
                     void (*fn)(void *arg), void *arg)
{
	proxy->timers.now_ms = proxy->ops.now_ms(proxy->ops.arg);
	loop_timers_start(&proxy->timers, timer, delay_ms, fn, arg);
	rearm(proxy);
}

void sip_proxy_timer_stop(struct sip_proxy *proxy, struct loop_timer *timer)
{
	loop_timers_stop(&proxy->timers, timer);
}

void sip_proxy_advance(struct sip_proxy *proxy)
{
	sip_txns_advance(proxy->txns);
	loop_timers_run(&proxy->timers, proxy->ops.now_ms(proxy->ops.arg));
	proxy->told_ms = sip_proxy_deadline(proxy);
	proxy->ops.rearm(proxy->ops.arg, proxy->told_ms); /* always, as sip_txns_advance does */
}

/* -- contexts ---------------------------------------------------------------------------------- */

int sip_context_new(struct sip_context **ret, struct sip_proxy *proxy, struct sip_flow from)
{
	struct sip_context *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return BASE_ERR(BASE_LOCAL, 500);
	ctx->proxy = proxy;
	ctx->from = from;
	ctx->arena.chunk_size = ARENA_CHUNK;
	base_list_append(&proxy->contexts, &ctx->node);
	proxy->count++;
	*ret = ctx;
	return 0;
}

void sip_context_free(struct sip_context *ctx)
{
	struct sip_proxy *proxy = ctx->proxy;

	loop_timers_stop(&proxy->timers, &ctx->over);
	for (struct sip_leg *leg = ctx->legs; leg; leg = leg->next) {
		loop_timers_stop(&proxy->timers, &leg->timer_c);
		sip_leg_unmap(leg);
	}
	base_list_remove(&ctx->node);
	proxy->count--;
	proxy->acks -= ctx->stateless;
	base_arena_done(&ctx->arena);
	free(ctx);
}

static void on_context_over(void *arg)
{
	struct sip_context *ctx = arg;
	struct sip_proxy *proxy = ctx->proxy;

	if (ctx->seen && proxy->ops.on_over)
		proxy->ops.on_over(proxy->ops.arg, ctx);
	sip_context_free(ctx);
}

void sip_context_check(struct sip_context *ctx)
{
	if (ctx->server || (ctx->stateless && !ctx->decided) || loop_timer_active(&ctx->over))
		return;
	for (const struct sip_leg *leg = ctx->legs; leg; leg = leg->next) {
		if (leg->state != LEG_OVER)
			return;
	}
	sip_proxy_timer(ctx->proxy, &ctx->over, 0, on_context_over, ctx);
}

void sip_context_cancel(struct sip_context *ctx, const struct sip_leg *but)
{
	ctx->cancelled = true;
	for (struct sip_leg *leg = ctx->legs; leg; leg = leg->next) {
		if (leg != but)
			sip_leg_step(leg, LEG_CANCEL, NULL);
	}
}

/* -- answers of ours --------------------------------------------------------------------------- */

void sip_context_told(struct sip_context *ctx, unsigned status)
{
	struct sip_proxy *proxy = ctx->proxy;

	if (ctx->answered)
		return;
	ctx->answered = true;
	sip_context_cancel(ctx, NULL);
	if (ctx->seen && proxy->ops.on_answered)
		proxy->ops.on_answered(proxy->ops.arg, ctx, status);
}

static void answer_write(struct sip_context *ctx, struct base_writer *w, unsigned status,
                         const struct sip_content *content)
{
	struct sip_proxy *proxy = ctx->proxy;

	if (!ctx->tag[0]) {
		uint8_t octets[8];

		proxy->ops.random(proxy->ops.arg, octets, sizeof(octets));
		base_hex_encode(octets, sizeof(octets), 0, false, ctx->tag);
	}
	sip_reply_begin(w, ctx->msg, sip_txn_source(ctx->server), status, content->reason,
	                base_str_of(ctx->tag));
	if (proxy->config.lines)
		base_writer_text(w, proxy->config.lines);
	if (content->lines)
		base_writer_text(w, content->lines);
	sip_body_end(w, content->type, content->body);
}

int sip_context_answer(struct sip_context *ctx, unsigned status, const struct sip_content *content)
{
	static const struct sip_content nothing;
	struct base_writer *w = &ctx->proxy->answer;
	int rc;

	if (!ctx->server) {
		ctx->decided = true;
		sip_context_check(ctx);
		return 0;
	}
	base_writer_reset(w);
	answer_write(ctx, w, status, content ? content : &nothing);
	rc = w->failed ? BASE_ERR(BASE_LOCAL, 500)
	               : sip_txn_reply_known(ctx->server, status, base_writer_view(w));
	if (!rc && status >= 200)
		sip_context_told(ctx, status);
	return rc;
}

int sip_proxy_reply(struct sip_context *ctx, unsigned status, const struct sip_content *content)
{
	return sip_context_answer(ctx, status, content);
}

void sip_proxy_drop(struct sip_context *ctx)
{
	bool answered = ctx->answered;

	ctx->decided = ctx->answered = true;
	if (ctx->server && !answered) {
		sip_context_cancel(ctx, NULL);
		sip_txn_drop(ctx->server);
	}
	sip_context_check(ctx);
}

void sip_proxy_cancel(struct sip_context *ctx)
{
	if (!ctx->answered)
		sip_context_cancel(ctx, NULL);
}

/* -- what comes -------------------------------------------------------------------------------- */

/* Whose copies a CANCEL ends: who has sent the request. Its branch alone is known to others. */
static bool same_origin(const struct sip_context *ctx, const struct sip_txn *cancel)
{
	const struct sip_source *a = sip_txn_source(ctx->server), *b = sip_txn_source(cancel);

	return ctx->from.id == sip_txn_flow(cancel).id ||
	       (a && b && !strcmp(a->address, b->address));
}

static const char *reasons_of(struct sip_context *ctx, const struct sip_message *cancel)
{
	struct base_writer w = { 0 };
	const char *lines = NULL;

	for (const struct sip_header *h = sip_header(cancel, SIP_H_REASON); h;
	     h = sip_header_after(cancel, h)) {
		if (!memchr(h->whole.ptr, 0, h->whole.len)) /* it becomes a text that ends there */
			base_writer_str(&w, h->whole);
	}
	if (w.len && !w.failed)
		lines = base_arena_dup(&ctx->arena, base_writer_view(&w));
	base_writer_done(&w);
	return lines;
}

static void cancel_answer(struct sip_proxy *proxy, struct sip_txn *txn, unsigned status)
{
	struct base_writer *w = &proxy->answer;
	uint8_t octets[8];
	char tag[17];

	proxy->ops.random(proxy->ops.arg, octets, sizeof(octets));
	base_hex_encode(octets, sizeof(octets), 0, false, tag);
	base_writer_reset(w);
	sip_reply_begin(w, sip_txn_request(txn), sip_txn_source(txn), status, NULL,
	                base_str_of(tag));
	if (proxy->config.lines)
		base_writer_text(w, proxy->config.lines);
	sip_body_end(w, NULL, (struct base_str){ NULL, 0 });
	if (w->failed || sip_txn_reply_known(txn, status, base_writer_view(w)))
		sip_txn_drop(txn);
}

/* 16.10. An INVITE that nobody knows was not forwarded without state either, so there is nobody to
 * forward its CANCEL to: 481 (9.2). */
static void cancel_in(struct sip_proxy *proxy, struct sip_txn *txn, const struct sip_message *msg)
{
	struct sip_txn *invite = sip_txn_cancelled(txn);
	struct sip_context *ctx = invite ? sip_txn_user(invite) : NULL;

	if (!ctx || !same_origin(ctx, txn)) {
		cancel_answer(proxy, txn, 481);
		return;
	}
	cancel_answer(proxy, txn, 200);
	if (ctx->answered)
		return;
	ctx->cancel_lines = reasons_of(ctx, msg);
	if (!ctx->legs && sip_context_answer(ctx, 487, NULL))
		sip_txn_drop(ctx->server);
	sip_context_cancel(ctx, NULL);
}

/* An ACK is borrowed while its way may be asked for. */
static int keep_ack(struct sip_context *ctx, const struct sip_message *msg)
{
	struct sip_message *copy = BASE_NEW(&ctx->arena, struct sip_message);
	char *octets = base_arena_dup(&ctx->arena, msg->octets);

	ctx->stateless = true;
	ctx->proxy->acks++;
	ctx->msg = copy;
	if (!copy || !octets)
		return BASE_ERR(BASE_LOCAL, 500);
	return sip_message_parse(copy, &ctx->arena, (struct base_str){ octets, msg->octets.len },
	                         false);
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct sip_proxy *proxy = arg;
	struct sip_context *ctx;

	if (txn && msg->method == SIP_CANCEL) {
		cancel_in(proxy, txn, msg);
		return;
	}
	/* ACKs are no transactions, but as many can wait for their ways */
	if ((!txn && proxy->acks >= proxy->config.txns.count_max) ||
	    sip_context_new(&ctx, proxy, from)) {
		if (txn)
			sip_txn_drop(txn);
		return;
	}
	ctx->server = txn;
	ctx->invite = msg->method == SIP_INVITE;
	ctx->msg = msg;
	if (txn) {
		sip_txn_user_set(txn, ctx);
	} else if (keep_ack(ctx, msg)) {
		sip_context_free(ctx);
		return;
	}
	ctx->uri = ctx->msg->target;
	ctx->seen = proxy->ops.admit != NULL;
	if (proxy->ops.admit && !proxy->ops.admit(proxy->ops.arg, ctx, ctx->msg, from))
		return;
	if (!sip_context_validate(ctx))
		return;
	ctx->seen = true;
	proxy->ops.on_request(proxy->ops.arg, ctx, ctx->msg, from);
}

/* Is ours the only Via? Then nobody is to get it (16.7, 3). */
static bool lone(const struct sip_message *msg)
{
	struct sip_values vias = { .msg = msg, .id = SIP_H_VIA };
	struct base_str one;
	unsigned count = 0;

	while (count < 2 && sip_values_next(&vias, &one))
		count++;
	return count < 2;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_message *msg)
{
	struct sip_leg *leg = sip_txn_user(txn);
	enum leg_event event = msg->status < 200    ? LEG_1XX
	                       : msg->status < 300  ? LEG_2XX
	                       : msg->status == 503 ? LEG_503
	                                            : LEG_FINAL;

	(void)arg;
	if (!leg || leg->txn != txn)
		return;
	if (!leg->ctx->own && lone(msg)) {
		leg->status = msg->status < 200 ? leg->status : 502;
		sip_leg_step(leg, msg->status < 200 ? LEG_1XX : LEG_FINAL, NULL);
		return;
	}
	sip_leg_step(leg, event, msg);
}

static bool on_answers(void *arg, struct sip_flow sent, struct sip_flow from)
{
	const struct sip_proxy *proxy = arg;

	return !proxy->ops.answers || proxy->ops.answers(proxy->ops.arg, sent, from);
}

static void on_orphan(void *arg, struct sip_txn *txn)
{
	struct sip_proxy *proxy = arg;
	struct sip_context *ctx = sip_txn_user(txn);

	if (ctx && ctx->seen && proxy->ops.on_orphan)
		proxy->ops.on_orphan(proxy->ops.arg, ctx);
}

static void server_end(struct sip_context *ctx)
{
	ctx->server = NULL;
	ctx->msg = NULL;
	for (struct sip_leg *leg = ctx->legs; leg; leg = leg->next) {
		if (leg->state == LEG_SEEKING) /* nothing is left to make a copy of */
			sip_leg_step(leg, LEG_CANCEL, NULL);
	}
	sip_context_check(ctx);
}

static void on_end(void *arg, struct sip_txn *txn, enum sip_end why)
{
	struct sip_leg *leg;

	(void)arg;
	if (!sip_txn_user(txn))
		return;
	if (!sip_txn_is_client(txn)) {
		server_end(sip_txn_user(txn));
		return;
	}
	leg = sip_txn_user(txn);
	if (leg->txn != txn)
		return;
	leg->txn = NULL;
	sip_leg_step(leg,
	             why == SIP_END_TIMEOUT ? LEG_TIMEOUT
	             : why == SIP_END_FLOW  ? LEG_BROKEN
	                                    : LEG_END,
	             NULL);
}

/* -- life -------------------------------------------------------------------------------------- */

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct sip_proxy *proxy = arg;

	return proxy->ops.send(proxy->ops.arg, flow, octets);
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	struct sip_proxy *proxy = arg;

	proxy->txns_ms = deadline_ms;
	rearm(proxy);
}

static uint64_t on_now(void *arg)
{
	struct sip_proxy *proxy = arg;

	return proxy->ops.now_ms(proxy->ops.arg);
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	struct sip_proxy *proxy = arg;

	proxy->ops.random(proxy->ops.arg, out, len);
}

int sip_proxy_new(struct sip_proxy **ret, const struct sip_proxy_config *config,
                  const struct sip_proxy_ops *ops)
{
	struct sip_proxy *proxy = calloc(1, sizeof(*proxy));
	int rc;

	if (!proxy)
		return BASE_ERR(BASE_LOCAL, 500);
	proxy->ops = *ops;
	proxy->config = *config;
	proxy->txns_ms = proxy->told_ms = UINT64_MAX;
	if (proxy->config.timer_c_ms < TIMER_C_MIN_MS)
		proxy->config.timer_c_ms = TIMER_C_MS;
	ops->random(ops->arg, (uint8_t *)proxy->seed, sizeof(proxy->seed));
	base_list_init(&proxy->contexts);
	proxy->config.txns.answers_outlive = true;
	if (!proxy->config.txns.count_max)
		proxy->config.txns.count_max = TRANSACTIONS_MAX;
	rc = sip_txns_new(&proxy->txns, &proxy->config.txns,
	                  &(struct sip_txn_ops){ .send = on_send,
	                                         .on_request = on_request,
	                                         .on_response = on_response,
	                                         .answers = on_answers,
	                                         .on_end = on_end,
	                                         .on_orphan = on_orphan,
	                                         .rearm = on_rearm,
	                                         .now_ms = on_now,
	                                         .random = on_random,
	                                         .arg = proxy });
	if (rc) {
		sip_proxy_free(proxy);
		return rc;
	}
	*ret = proxy;
	return 0;
}

void sip_proxy_free(struct sip_proxy *proxy)
{
	if (!proxy)
		return;
	sip_txns_free(proxy->txns);
	BASE_LIST_EACH(&proxy->contexts, node, after)
	{
		sip_context_free(BASE_CONTAINER_OF(node, struct sip_context, node));
	}
	base_map_done(&proxy->by_id);
	base_arena_done(&proxy->scratch);
	base_writer_done(&proxy->request);
	base_writer_done(&proxy->wire);
	base_writer_done(&proxy->response);
	base_writer_done(&proxy->answer);
	free(proxy);
}

void sip_proxy_input(struct sip_proxy *proxy, struct sip_flow from, const struct sip_source *source,
                     struct base_str octets)
{
	sip_txns_input(proxy->txns, from, source, octets);
}

void sip_proxy_lost(struct sip_proxy *proxy, uint64_t flow)
{
	sip_txns_lost(proxy->txns, flow);
}

/* -- what others may know ---------------------------------------------------------------------- */

size_t sip_proxy_contexts(const struct sip_proxy *proxy)
{
	return proxy->count;
}

size_t sip_proxy_transactions(const struct sip_proxy *proxy)
{
	return sip_txns_count(proxy->txns);
}

size_t sip_proxy_busy(const struct sip_proxy *proxy)
{
	return sip_txns_busy(proxy->txns);
}

size_t sip_proxy_lingering(const struct sip_proxy *proxy)
{
	return sip_txns_lingering(proxy->txns);
}

void *sip_context_user(const struct sip_context *ctx)
{
	return ctx->user;
}

void sip_context_user_set(struct sip_context *ctx, void *user)
{
	ctx->user = user;
}

const struct sip_message *sip_context_request(const struct sip_context *ctx)
{
	return ctx->msg;
}

struct base_str sip_context_uri(const struct sip_context *ctx)
{
	return ctx->uri;
}

size_t sip_context_routes(const struct sip_context *ctx, const struct base_str **ret)
{
	*ret = ctx->routes;
	return ctx->route_count;
}

struct sip_flow sip_context_flow(const struct sip_context *ctx)
{
	return ctx->from;
}

const struct sip_source *sip_context_source(const struct sip_context *ctx)
{
	return ctx->server ? sip_txn_source(ctx->server) : NULL;
}

bool sip_context_answered(const struct sip_context *ctx)
{
	return ctx->answered;
}
