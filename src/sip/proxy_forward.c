/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a request (RFC 3261, 16.6): how each is made, finds its way, and what becomes of it. */
#include "sip/proxy_private.h"

#define VIA_OCTETS 160 /* of ours, about: the way is asked for before it is known */

/* -- one copy ---------------------------------------------------------------------------------- */

/* A URI as a Request-URI may have it: without headers and method (19.1.1, table 1). ptr NULL: it is
 * none, or memory is short. */
static struct base_str request_uri(struct sip_context *ctx, struct base_str text)
{
	static const char *const drop[] = { "method", NULL };
	struct base_str none = { NULL, 0 };
	struct base_writer w = { 0 };
	struct sip_uri uri;
	const char *copy;

	if (sip_uri_parse(text, &uri))
		return none;
	if ((uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS) ||
	    (!uri.headers.ptr && !sip_uri_param(&uri, "method", NULL)))
		return text;
	sip_uri_without(&w, &uri, true, drop);
	copy = w.failed ? NULL : base_arena_dup(&ctx->arena, base_writer_view(&w));
	text = copy ? (struct base_str){ copy, w.len } : none;
	base_writer_done(&w);
	return text;
}

static void hops(const struct sip_context *ctx, struct sip_edit *edit)
{
	const struct sip_header *h = sip_header(ctx->msg, SIP_H_MAX_FORWARDS);
	size_t len = 0;
	char *text;

	if (!h) {
		sip_edit_push(edit, "Max-Forwards", BASE_STR("70"));
		return;
	}
	text = base_arena_alloc(edit->arena, 3);
	if (!text) {
		edit->failed = true;
		return;
	}
	for (unsigned left = ctx->msg->max_forwards - 1U, first = 1; left || first; first = 0) {
		text[2 - len++] = (char)('0' + left % 10);
		left /= 10;
	}
	sip_edit_value(edit, h, (struct base_str){ text + 3 - len, len });
}

/* What 16.4 has taken off. */
static void routes(const struct sip_context *ctx, struct sip_edit *edit)
{
	struct sip_values values = { .msg = ctx->msg, .id = SIP_H_ROUTE };
	struct base_str one, none = { NULL, 0 };

	if (!ctx->route_drops && !ctx->strict)
		return;
	for (size_t i = 0; sip_values_next(&values, &one); i++) {
		if (i < ctx->route_drops || (ctx->strict && i + 1 == ctx->route_total))
			sip_edit_element(edit, values.header, one, none);
	}
}

/* Where it came from, for who gets the response without us (18.2.1). */
static void source(struct sip_context *ctx, struct sip_edit *edit)
{
	struct base_writer *w = &ctx->proxy->wire;
	const struct sip_via *via = &ctx->msg->via;

	base_writer_reset(w);
	if (!ctx->via.ptr && sip_via_received(w, via, sip_context_source(ctx))) {
		ctx->via.len = w->len;
		ctx->via.ptr = w->failed ? NULL : base_arena_dup(&ctx->arena, base_writer_view(w));
		edit->failed |= !ctx->via.ptr;
	}
	if (ctx->via.ptr)
		sip_edit_element(edit, sip_header(ctx->msg, SIP_H_VIA), via->text, ctx->via);
}

/* 16.6, 6: whose first Route is a strict router, wants itself as Request-URI. */
static bool first_route(struct sip_leg *leg, struct sip_edit *edit, struct base_str *target)
{
	struct sip_context *ctx = leg->ctx;
	struct base_str one;
	struct sip_addr addr;
	struct sip_uri uri;

	if (!sip_edit_first(edit, "Route", &one))
		return true;
	if (sip_addr_parse(one, &addr) || sip_uri_parse(addr.uri, &uri)) {
		leg->status = 400;
		return false;
	}
	leg->hop = addr.uri;
	if (leg->target.hop.ptr || sip_uri_param(&uri, "lr", NULL))
		return true;
	sip_edit_appendf(edit, "Route", "<%.*s>", BASE_FMT(*target));
	(void)sip_edit_shift(edit, "Route", &one);
	*target = leg->hop = request_uri(ctx, addr.uri);
	sip_edit_target(edit, *target);
	return target->ptr != NULL;
}

/* 16.6, 7: a sips Request-URI is looked for by a sips URI. */
static bool next_hop(struct sip_leg *leg, struct base_str target)
{
	struct sip_uri uri, hop;
	char *text;

	if (leg->target.hop.ptr)
		leg->hop = leg->target.hop;
	else if (!leg->hop.ptr)
		leg->hop = target;
	if (sip_uri_parse(target, &uri) || sip_uri_parse(leg->hop, &hop))
		return false;
	if (uri.scheme != SIP_SCHEME_SIPS || hop.scheme != SIP_SCHEME_SIP)
		return true;
	text = base_arena_printf(&leg->ctx->arena, "sips:%.*s",
	                         BASE_FMT(sip_from(leg->hop, hop.name.len + 1)));
	leg->hop = base_str_of(text);
	return text != NULL;
}

/* The copy without our Via, in proxy->request. @return false: leg->status says why, if anything */
static bool copy_make(struct sip_leg *leg)
{
	struct sip_context *ctx = leg->ctx;
	struct sip_proxy *proxy = ctx->proxy;
	struct base_str target = request_uri(ctx, leg->target.uri.ptr ? leg->target.uri : ctx->uri);
	struct sip_edit edit;

	if (!target.ptr)
		return false;
	sip_edit_begin(&edit, ctx->msg, &ctx->arena);
	if (target.ptr != ctx->msg->target.ptr)
		sip_edit_target(&edit, target);
	hops(ctx, &edit);
	routes(ctx, &edit);
	source(ctx, &edit);
	if (proxy->ops.on_forward)
		proxy->ops.on_forward(proxy->ops.arg, ctx, &leg->target, &edit);
	if (edit.target.ptr)
		target = edit.target;
	if (!sip_edit_has(&edit, "Content-Length"))
		sip_edit_appendf(&edit, "Content-Length", "%zu", ctx->msg->body.len);
	if (!first_route(leg, &edit, &target) || !next_hop(leg, target))
		return false;
	base_writer_reset(&proxy->request);
	sip_edit_write(&edit, &proxy->request);
	return !proxy->request.failed;
}

/* -- its way ----------------------------------------------------------------------------------- */

static void on_timer_c(void *arg)
{
	struct sip_leg *leg = arg;

	sip_leg_step(leg, LEG_TIMER_C, NULL);
}

static void timer_c(struct sip_leg *leg)
{
	sip_proxy_timer(leg->ctx->proxy, &leg->timer_c, leg->ctx->proxy->config.timer_c_ms,
	                on_timer_c, leg);
}

/* With our Via on top, its branch another for each attempt (16.6, 7 and 8), in proxy->wire. */
static struct base_str with_via(struct sip_leg *leg, struct base_str copy)
{
	struct sip_proxy *proxy = leg->ctx->proxy;
	struct base_writer *w = &proxy->wire;
	const char *loop = sip_context_loop(leg->ctx);
	const char *end = memmem(copy.ptr, copy.len, "\r\n", 2);
	size_t first = (size_t)(end - copy.ptr) + 2;
	struct sip_local local = { 0 };
	char branch[SIP_BRANCH_MAX];

	proxy->ops.local(proxy->ops.arg, leg->target.flow, &local);
	sip_branch(proxy->txns, branch);
	base_writer_reset(w);
	if (!base_writer_reserve(w, copy.len + VIA_OCTETS))
		return (struct base_str){ NULL, 0 };
	base_writer_put(w, copy.ptr, first);
	base_writer_text(w, "Via: SIP/2.0/");
	base_writer_text(w, local.transport);
	base_writer_u8(w, ' ');
	base_writer_text(w, local.sent_by);
	base_writer_text(w, ";branch=");
	base_writer_text(w, branch);
	base_writer_u8(w, '.');
	base_writer_text(w, loop);
	base_writer_text(w, "\r\n");
	base_writer_str(w, sip_from(copy, first));
	return w->failed ? (struct base_str){ NULL, 0 } : base_writer_view(w);
}

/* On the flow that is in its target now. */
static void copy_send(struct sip_leg *leg)
{
	struct sip_context *ctx = leg->ctx;
	struct sip_proxy *proxy = ctx->proxy;
	struct base_str octets =
	        with_via(leg, leg->octets.ptr ? leg->octets : base_writer_view(&proxy->request));
	int rc;

	if (!octets.ptr)
		rc = BASE_ERR(BASE_LOCAL, 500);
	else if (ctx->stateless)
		rc = proxy->ops.send(proxy->ops.arg, leg->target.flow, octets);
	else
		rc = sip_request_send(proxy->txns, leg->target.flow, octets, leg, &leg->txn);
	if (rc && base_err_class(rc) == BASE_BUG) /* it would be no better another time */
		leg->attempt = SIP_PROXY_ATTEMPTS_MAX;
	if (rc)
		sip_leg_step(leg, LEG_BROKEN, NULL);
	else if (ctx->stateless)
		sip_leg_step(leg, LEG_END, NULL);
	else if (ctx->invite)
		timer_c(leg);
}

static void seek(struct sip_leg *leg)
{
	struct sip_proxy *proxy = leg->ctx->proxy;
	struct sip_way way = { .id = leg->id,
		               .uri = leg->hop,
		               .octets = leg->octets.len + VIA_OCTETS,
		               .attempt = leg->attempt++,
		               .last = leg->target.flow };

	leg->target.flow = (struct sip_flow){ 0 };
	proxy->ops.on_way(proxy->ops.arg, &way);
}

/* After a failure. */
static void next(struct sip_leg *leg, enum leg_event why)
{
	const struct sip_context *ctx = leg->ctx;
	/* who asked for anything but an INVITE has given up with us, after 64 T1 */
	bool late = why == LEG_TIMEOUT && !ctx->invite && !ctx->own;

	if (leg->txn)
		sip_txn_user_set(leg->txn, NULL);
	leg->txn = NULL;
	if (!leg->octets.ptr || late || !ctx->msg || ctx->answered ||
	    leg->attempt >= SIP_PROXY_ATTEMPTS_MAX)
		sip_leg_step(leg, LEG_NO_WAY, NULL);
	else
		seek(leg);
}

void sip_leg_unmap(struct sip_leg *leg)
{
	if (leg->mapped)
		base_map_remove(&leg->ctx->proxy->by_id, &leg->by_id);
	leg->mapped = false;
}

static bool keep_for_later(struct sip_leg *leg, struct base_str octets)
{
	struct sip_context *ctx = leg->ctx;
	char *copy = base_arena_dup(&ctx->arena, octets);
	char *hop = base_arena_dup(&ctx->arena, leg->hop);

	if (!copy || !hop)
		return false;
	leg->octets = (struct base_str){ copy, octets.len };
	leg->hop.ptr = hop;
	leg->id = ++ctx->proxy->next_id;
	leg->mapped = !base_map_insert(&ctx->proxy->by_id,
	                               (struct base_str){ (const char *)&leg->id, sizeof(leg->id) },
	                               &leg->by_id);
	return leg->mapped;
}

static void leg_begin(struct sip_leg *leg)
{
	if (!copy_make(leg)) {
		if (!leg->status)
			leg->status = 500;
		sip_leg_step(leg, LEG_NO_WAY, NULL);
	} else if (leg->target.flow.id) {
		sip_leg_step(leg, LEG_WAY, NULL);
	} else if (!keep_for_later(leg, base_writer_view(&leg->ctx->proxy->request))) {
		leg->status = 500;
		sip_leg_step(leg, LEG_NO_WAY, NULL);
	} else {
		seek(leg);
	}
}

static struct sip_leg *leg_find(const struct sip_proxy *proxy, uint64_t id)
{
	struct base_map_node *node =
	        base_map_find(&proxy->by_id, (struct base_str){ (const char *)&id, sizeof(id) });
	struct sip_leg *leg = node ? BASE_CONTAINER_OF(node, struct sip_leg, by_id) : NULL;

	return leg && leg->state == LEG_SEEKING ? leg : NULL;
}

void sip_proxy_way(struct sip_proxy *proxy, uint64_t id, struct sip_flow flow)
{
	struct sip_leg *leg = leg_find(proxy, id);

	if (!leg)
		return;
	leg->target.flow = flow;
	sip_leg_step(leg, LEG_WAY, NULL);
}

void sip_proxy_no_way(struct sip_proxy *proxy, uint64_t id, unsigned status)
{
	struct sip_leg *leg = leg_find(proxy, id);

	if (!leg)
		return;
	if (!leg->status) /* what an earlier way has come to says more */
		leg->status = status;
	sip_leg_step(leg, LEG_NO_WAY, NULL);
}

/* -- what becomes of it ------------------------------------------------------------------------ */

static void count_as(struct sip_leg *leg, unsigned actions, const struct sip_message *msg)
{
	if (actions & LEG_DO_MISSED)
		leg->status = 408;
	if (actions & LEG_DO_LOST)
		leg->status = leg->target.lost_status ? leg->target.lost_status : 503;
	if (actions & LEG_DO_NONE)
		leg->status = 487;
	if (msg && (actions & LEG_DO_KEEP))
		leg->status = msg->status;
}

void sip_leg_step(struct sip_leg *leg, enum leg_event event, const struct sip_message *msg)
{
	struct leg_step step = sip_leg_step_of((enum leg_state)leg->state, event);
	struct sip_context *ctx = leg->ctx;

	if (!step.legal)
		return;
	leg->state = step.next;
	count_as(leg, step.actions, msg);
	if (!(step.actions & LEG_DO_C))
		sip_proxy_timer_stop(ctx->proxy, &leg->timer_c);
	else if (ctx->invite && msg && msg->status > 100) /* 16.7, 2 */
		timer_c(leg);
	if (step.actions & LEG_DO_CANCEL) /* what cannot be sent is waited for no longer, either */
		(void)sip_request_cancel(leg->txn, ctx->cancel_lines, NULL, NULL);
	if ((step.actions & LEG_DO_PASS) && msg)
		sip_leg_pass(leg, msg);
	if (step.actions & LEG_DO_SEND) {
		copy_send(leg);
	} else if (step.actions & LEG_DO_NEXT) {
		next(leg, event);
	} else {
		sip_context_settle(ctx, leg, msg);
		sip_context_check(ctx);
	}
}

/* -- by the owner ------------------------------------------------------------------------------ */

static struct base_str kept(struct sip_context *ctx, struct base_str s, bool *ok)
{
	char *copy = s.ptr ? base_arena_dup(&ctx->arena, s) : NULL;

	*ok &= !s.ptr || copy;
	return (struct base_str){ copy, s.len };
}

static struct sip_leg *leg_new(struct sip_context *ctx, const struct sip_target *target)
{
	struct sip_leg *leg = BASE_NEW(&ctx->arena, struct sip_leg);
	bool ok = leg != NULL;

	if (!ok)
		return NULL;
	leg->ctx = ctx;
	leg->target = *target;
	leg->target.uri = kept(ctx, target->uri, &ok);
	leg->target.hop = kept(ctx, target->hop, &ok);
	return ok ? leg : NULL;
}

int sip_proxy_forward(struct sip_context *ctx, const struct sip_target *targets, size_t count)
{
	struct sip_leg *legs = NULL, **end = &legs;

	if (!count || ctx->own ||
	    ctx->leg_count + count > (ctx->stateless ? 1U : SIP_PROXY_TARGETS_MAX))
		return BASE_ERR(BASE_BUG, 0);
	if (ctx->answered || ctx->cancelled || !ctx->msg)
		return 0;
	for (size_t i = 0; i < count; i++) {
		*end = leg_new(ctx, &targets[i]);
		if (!*end)
			return BASE_ERR(BASE_LOCAL, 500);
		end = &(*end)->next;
	}
	for (end = &ctx->legs; *end;)
		end = &(*end)->next;
	*end = legs;
	ctx->leg_count += (unsigned)count;
	ctx->decided = true;
	ctx->forwarding = true; /* none is the best before all have begun */
	for (struct sip_leg *leg = legs; leg; leg = leg->next)
		leg_begin(leg);
	ctx->forwarding = false;
	sip_context_settle(ctx, NULL, NULL);
	sip_context_check(ctx);
	return 0;
}

/* -- of our own -------------------------------------------------------------------------------- */

static void on_own(void *arg)
{
	struct sip_context *ctx = arg;

	ctx->forwarding = false;
	if (ctx->legs->target.flow.id)
		sip_leg_step(ctx->legs, LEG_WAY, NULL);
	else
		seek(ctx->legs);
}

/* Its octets with a Via that stands for ours, so that it can be read. */
static int own_read(struct sip_context *ctx, struct base_str octets)
{
	struct sip_message *msg = BASE_NEW(&ctx->arena, struct sip_message);
	const char *end = memmem(octets.ptr, octets.len, "\r\n", 2);
	size_t first = end ? (size_t)(end - octets.ptr) + 2 : 0;
	struct base_writer w = { 0 };
	const char *text;
	int rc;

	base_writer_put(&w, octets.ptr, first);
	base_writer_text(&w, "Via: SIP/2.0/UDP invalid.invalid\r\n");
	base_writer_str(&w, sip_from(octets, first));
	text = w.failed ? NULL : base_arena_dup(&ctx->arena, base_writer_view(&w));
	octets.len = w.len;
	base_writer_done(&w);
	if (!msg || !text)
		return BASE_ERR(BASE_LOCAL, 500);
	rc = sip_message_parse(msg, &ctx->arena, (struct base_str){ text, octets.len }, true);
	if (rc || msg->fault || !msg->request || msg->method == SIP_INVITE ||
	    msg->method == SIP_ACK || msg->method == SIP_CANCEL)
		return BASE_ERR(BASE_BUG, rc ? 0 : msg->fault);
	ctx->msg = msg;
	ctx->uri = msg->target;
	return 0;
}

static bool own_leg(struct sip_context *ctx, struct base_str octets,
                    const struct sip_target *target)
{
	struct sip_leg *leg = leg_new(ctx, target);
	struct base_str one;
	struct sip_addr addr;
	struct sip_values routes = { .msg = ctx->msg, .id = SIP_H_ROUTE };

	if (!leg)
		return false;
	ctx->legs = leg;
	if (sip_values_next(&routes, &one) && !sip_addr_parse(one, &addr))
		leg->hop = addr.uri;
	return next_hop(leg, ctx->uri) && keep_for_later(leg, octets);
}

int sip_proxy_ask(struct sip_proxy *proxy, struct base_str octets, const struct sip_target *target,
                  sip_proxy_asked_fn *fn, void *user, struct sip_context **ret)
{
	struct sip_context *ctx;
	int rc = sip_context_new(&ctx, proxy, (struct sip_flow){ 0 });

	if (rc)
		return rc;
	ctx->own = true;
	ctx->leg_count = 1;
	ctx->forwarding = true;
	rc = own_read(ctx, octets);
	if (!rc && !own_leg(ctx, octets, target))
		rc = BASE_ERR(BASE_LOCAL, 500);
	if (rc) {
		sip_context_free(ctx);
		return rc;
	}
	if (target->flow.id) /* this or none */
		ctx->legs->attempt = SIP_PROXY_ATTEMPTS_MAX;
	ctx->fn = fn;
	ctx->user = user;
	if (ret)
		*ret = ctx;
	sip_proxy_timer(proxy, &ctx->over, 0, on_own, ctx);
	return 0;
}

void sip_proxy_forget(struct sip_context *asked)
{
	asked->fn = NULL;
}
