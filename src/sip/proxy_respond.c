/* SPDX-License-Identifier: Apache-2.0 */
/* Responses (RFC 3261, 16.7): which of them pass, when, and what is done to them. */
#include "sip/proxy_private.h"

/* -- one response ------------------------------------------------------------------------------ */

/* Are the Vias below ours those that we have sent? */
static bool vias_are_ours(const struct sip_context *ctx, const struct sip_message *msg)
{
	struct sip_values sent = { .msg = ctx->msg, .id = SIP_H_VIA };
	struct sip_values come = { .msg = msg, .id = SIP_H_VIA };
	struct base_str one, other;
	bool first = true, more;

	(void)sip_values_next(&come, &other);
	while ((more = sip_values_next(&sent, &one)) == sip_values_next(&come, &other)) {
		if (!more)
			return true;
		if (!base_str_eq(first && ctx->via.ptr ? ctx->via : one, other))
			return false;
		first = false;
	}
	return false;
}

/* The first of these fields with the first Via as it was sent. */
static struct base_str first_via(const struct sip_context *ctx, struct sip_edit *edit,
                                 const struct sip_header *h)
{
	const struct base_str *text = &ctx->msg->via.text;
	struct base_writer *w = &ctx->proxy->wire;
	const char *copy;

	if (!ctx->via.ptr)
		return h->value;
	base_writer_reset(w);
	base_writer_str(w, ctx->via);
	base_writer_str(w, sip_from(h->value, (size_t)(text->ptr - h->value.ptr) + text->len));
	copy = w->failed ? NULL : base_arena_dup(edit->arena, base_writer_view(w));
	edit->failed |= !copy;
	return copy ? (struct base_str){ copy, w->len } : h->value;
}

/*
 * 16.7, 3. Whoever answers says by Vias which way others send the response: a UE might have it
 * sent anywhere by the core. So what it has changed is put right (P; TS 24.229 has it so: R).
 */
static void vias(const struct sip_context *ctx, struct sip_edit *edit)
{
	struct sip_values vias = { .msg = edit->msg, .id = SIP_H_VIA };
	struct base_str one;

	if (!ctx->msg || vias_are_ours(ctx, edit->msg)) {
		if (sip_values_next(&vias, &one))
			sip_edit_element(edit, vias.header, one, (struct base_str){ NULL, 0 });
		return;
	}
	sip_edit_drop_all(edit, "Via");
	for (const struct sip_header *h = sip_header(ctx->msg, SIP_H_VIA), *top = h; h;
	     h = sip_header_after(ctx->msg, h))
		sip_edit_append(edit, "Via", h == top ? first_via(ctx, edit, h) : h->value);
}

static void challenges_of(struct sip_edit *edit, const struct sip_message *from,
                          enum sip_header_id id)
{
	for (const struct sip_header *h = sip_header(from, id); h; h = sip_header_after(from, h))
		sip_edit_append(edit, sip_header_name(id), h->value);
}

/* 16.7, 7: who is challenged by several answers them all at once. */
static void challenges(struct sip_edit *edit, const struct sip_leg *best)
{
	for (const struct sip_leg *leg = best->ctx->legs; leg; leg = leg->next) {
		struct sip_message *other;

		if (leg == best || !leg->kept.ptr || (leg->status != 401 && leg->status != 407))
			continue;
		other = BASE_NEW(edit->arena, struct sip_message);
		if (!other || sip_message_parse(other, edit->arena, leg->kept, false))
			continue;
		challenges_of(edit, other, SIP_H_WWW_AUTHENTICATE);
		challenges_of(edit, other, SIP_H_PROXY_AUTHENTICATE);
	}
}

/* To who asked: by its transaction or, of a 2xx that comes when that is over, without (16.7, 9). */
static void to_server(struct sip_context *ctx, const struct sip_message *msg)
{
	struct sip_proxy *proxy = ctx->proxy;
	struct base_str octets = base_writer_view(&proxy->response);
	int rc = 0;

	if (ctx->server)
		rc = sip_txn_reply_known(ctx->server, msg->status, octets);
	else if (ctx->invite && msg->status >= 200 && msg->status < 300)
		(void)proxy->ops.send(proxy->ops.arg, ctx->from, octets); /* it comes again */
	if (rc && msg->status >= 200 && !ctx->answered && ctx->server)
		sip_txn_drop(ctx->server);
	if (msg->status >= 200)
		sip_context_told(ctx, msg->status);
}

static void respond(struct sip_leg *leg, const struct sip_message *msg, struct base_arena *arena)
{
	struct sip_context *ctx = leg->ctx;
	struct sip_proxy *proxy = ctx->proxy;
	bool answered = ctx->answered;
	struct sip_edit edit;
	unsigned instead = 0;

	sip_edit_begin(&edit, msg, arena);
	vias(ctx, &edit);
	if (msg->status == 401 || msg->status == 407)
		challenges(&edit, leg);
	if (proxy->ops.on_response)
		instead = proxy->ops.on_response(proxy->ops.arg, ctx, &leg->target, msg, &edit);
	if (ctx->answered != answered) /* by the owner, meanwhile */
		return;
	if (!sip_edit_has(&edit, "Content-Length")) /* it may go into a stream (18.3) */
		sip_edit_appendf(&edit, "Content-Length", "%zu", msg->body.len);
	base_writer_reset(&proxy->response);
	sip_edit_write(&edit, &proxy->response);
	if (proxy->response.failed)
		instead = 500;
	if (!instead || msg->status < 200)
		to_server(ctx, msg);
	else if (sip_context_answer(ctx, instead, NULL))
		sip_proxy_drop(ctx);
}

/* Notes of an edit are of no use behind it: a warm arena, unless it is in use further out. */
static void pass(struct sip_leg *leg, const struct sip_message *msg)
{
	struct sip_proxy *proxy = leg->ctx->proxy;

	if (proxy->scratch_used) {
		respond(leg, msg, &leg->ctx->arena);
		return;
	}
	proxy->scratch_used = true;
	respond(leg, msg, &proxy->scratch);
	base_arena_reset(&proxy->scratch);
	proxy->scratch_used = false;
}

/* 16.7, 5 */
void sip_leg_pass(struct sip_leg *leg, const struct sip_message *msg)
{
	const struct sip_context *ctx = leg->ctx;
	bool accepted = msg->status >= 200; /* none but 2xx come here */

	if (ctx->own || msg->status == 100)
		return;
	if (!ctx->answered || (accepted && ctx->invite))
		pass(leg, msg);
}

/* -- the best of them (16.7, 6) ---------------------------------------------------------------- */

/* The lower, the better: 6xx, then the lowest class; in it first what tells how to ask again. */
static unsigned rank(const struct sip_leg *leg)
{
	unsigned rank = leg->status >= 600 ? 0 : leg->status / 100 * 10;

	switch (leg->status) {
	case 401:
	case 407:
		return rank;
	case 415:
	case 420:
	case 484:
		return rank + 1;
	case 408:
	case 487:
		return rank + 6;
	case 503:
		return rank + 8;
	default:
		return rank + 4;
	}
}

static void keep(struct sip_leg *leg, const struct sip_message *msg)
{
	char *copy = leg->kept.ptr ? NULL : base_arena_dup(&leg->ctx->arena, msg->octets);

	if (copy) /* else its status alone is kept */
		leg->kept = (struct base_str){ copy, msg->octets.len };
}

static struct sip_leg *best_of(const struct sip_context *ctx)
{
	struct sip_leg *best = NULL;

	for (struct sip_leg *leg = ctx->legs; leg; leg = leg->next) {
		if (!best || rank(leg) < rank(best))
			best = leg;
	}
	return best;
}

static void tell_own(struct sip_context *ctx, unsigned status, const struct sip_message *msg)
{
	sip_proxy_asked_fn *fn = ctx->fn;

	ctx->answered = true;
	ctx->fn = NULL;
	if (fn)
		fn(ctx->user, msg, status);
}

static void answer_best(struct sip_context *ctx, struct sip_leg *best,
                        const struct sip_message *live)
{
	struct sip_message copy;
	unsigned status = best->status ? best->status : 408;

	if (!live && best->kept.ptr && !sip_message_parse(&copy, &ctx->arena, best->kept, false))
		live = &copy;
	if (ctx->own)
		tell_own(ctx, status, live);
	else if (live && status != 503)
		pass(best, live);
	else if (sip_context_answer(ctx, status == 503 ? 500 : status, NULL))
		sip_proxy_drop(ctx);
}

static bool pending(const struct sip_context *ctx)
{
	for (const struct sip_leg *leg = ctx->legs; leg; leg = leg->next) {
		if (leg->state < LEG_ANSWERED)
			return true;
	}
	return false;
}

void sip_context_settle(struct sip_context *ctx, struct sip_leg *leg,
                        const struct sip_message *live)
{
	bool final = live && live->status >= (ctx->own ? 200 : 300);
	struct sip_leg *best;

	if (ctx->answered || !ctx->legs)
		return;
	if (leg && final && pending(ctx)) {
		keep(leg, live);
		final = false;
		if (leg->status >= 600) /* nobody else is to ring on (16.7, 5) */
			sip_context_cancel(ctx, leg);
	}
	if (ctx->answered || ctx->forwarding || pending(ctx))
		return;
	best = best_of(ctx);
	if (leg && final && best != leg) /* its challenges count all the same */
		keep(leg, live);
	answer_best(ctx, best, best == leg && final ? live : NULL);
}
