/* SPDX-License-Identifier: Apache-2.0 */
/* Is it a request that can be forwarded (RFC 3261, 16.3), and what of its routes is ours (16.4)? */
#include "sip/proxy_private.h"

static bool refuse(struct sip_context *ctx, unsigned status, const char *lines)
{
	struct sip_content content = { .lines = lines };

	if (sip_context_answer(ctx, status, &content))
		sip_proxy_drop(ctx); /* who asked asks again */
	return false;
}

/* -- loops (16.3, 4; 16.6, 8) ------------------------------------------------------------------ */

static void part(struct base_writer *w, struct base_str s)
{
	base_writer_str(w, s);
	base_writer_u8(w, '\n');
}

static void parts(struct base_writer *w, const struct sip_message *msg, enum sip_header_id id)
{
	for (const struct sip_header *h = sip_header(msg, id); h; h = sip_header_after(msg, h))
		part(w, h->value);
}

/*
 * What decides where it goes, and which flow it came by. Not the topmost Via, which the RFC names
 * too: who comes back has another one (RFC 5393, 4.2.1: R).
 */
const char *sip_context_loop(struct sip_context *ctx)
{
	const struct sip_message *msg = ctx->msg;
	struct base_writer *w = &ctx->proxy->wire;
	uint64_t hash;

	if (ctx->hashed)
		return ctx->loop;
	base_writer_reset(w);
	base_writer_put(w, &ctx->from.id, sizeof(ctx->from.id));
	base_writer_u32(w, msg->cseq);
	part(w, msg->target);
	part(w, msg->call_id);
	part(w, msg->from_tag);
	part(w, msg->to_tag);
	parts(w, msg, SIP_H_ROUTE);
	parts(w, msg, SIP_H_PROXY_REQUIRE);
	parts(w, msg, SIP_H_PROXY_AUTHORIZATION);
	hash = base_hash(ctx->proxy->seed, w->data, w->len);
	base_hex_encode((const uint8_t *)&hash, sizeof(hash), 0, false, ctx->loop);
	ctx->hashed = true;
	return ctx->loop;
}

/* Nobody else can have written that: the hash is keyed. */
static bool looped(struct sip_context *ctx)
{
	const char *loop = sip_context_loop(ctx);

	for (const struct sip_header *h = sip_header(ctx->msg, SIP_H_VIA); h;
	     h = sip_header_after(ctx->msg, h)) {
		if (memmem(h->value.ptr, h->value.len, loop, LOOP_HEX))
			return true;
	}
	return false;
}

/* -- schemes and extensions -------------------------------------------------------------------- */

static bool listed(const char *const *list, struct base_str word)
{
	for (; list && *list; list++) {
		if (base_str_ieq(word, base_str_of(*list)))
			return true;
	}
	return false;
}

/* 16.3, 5: those that nobody here understands, as lines; NULL = none */
static const char *unsupported(struct sip_context *ctx)
{
	struct sip_values values = { .msg = ctx->msg, .id = SIP_H_PROXY_REQUIRE };
	struct base_writer w = { 0 };
	const char *lines = NULL;
	struct base_str one;

	while (sip_values_next(&values, &one)) {
		if (!one.len || listed(ctx->proxy->config.supported, one))
			continue;
		one.len = sip_span(one, SIP_CH_TOKEN); /* of what is none, what is one */
		base_writer_text(&w, "Unsupported: ");
		base_writer_str(&w, one);
		base_writer_text(&w, "\r\n");
	}
	if (w.len)
		lines = base_arena_dup(&ctx->arena, base_writer_view(&w));
	base_writer_done(&w);
	return lines;
}

/* -- routes (16.4) ----------------------------------------------------------------------------- */

static bool mine(struct sip_context *ctx, const struct sip_uri *uri)
{
	const struct sip_proxy_ops *ops = &ctx->proxy->ops;

	return (uri->scheme == SIP_SCHEME_SIP || uri->scheme == SIP_SCHEME_SIPS) &&
	       ops->mine(ops->arg, uri, ctx->from);
}

static void own_route(struct sip_context *ctx, struct base_str uri)
{
	if (ctx->route_count < CONTEXT_ROUTES_MAX)
		ctx->routes[ctx->route_count++] = uri;
}

/* A strict router has put our URI, of a Record-Route, in the place of the last Route. */
static bool from_strict_router(struct sip_context *ctx)
{
	struct sip_values values = { .msg = ctx->msg, .id = SIP_H_ROUTE };
	struct base_str last = { NULL, 0 }, one;
	struct sip_addr addr;
	struct sip_uri uri;

	while (sip_values_next(&values, &one)) {
		last = one;
		ctx->route_total++;
	}
	if (!ctx->route_total || !sip_uri_param(&ctx->msg->uri, "lr", NULL) ||
	    !mine(ctx, &ctx->msg->uri))
		return true;
	if (sip_addr_parse(last, &addr) || sip_uri_parse(addr.uri, &uri))
		return refuse(ctx, 400, NULL);
	own_route(ctx, ctx->msg->target);
	ctx->strict = true;
	ctx->uri = addr.uri;
	return true;
}

/* All at the start that are ours: a request that has passed us twice has both (P: the RFC takes one
 * and would have us send it to ourselves). */
static bool own_routes(struct sip_context *ctx)
{
	struct sip_values values = { .msg = ctx->msg, .id = SIP_H_ROUTE };
	size_t others = ctx->route_total - ctx->strict;
	struct base_str one;

	while (ctx->route_drops < others && sip_values_next(&values, &one)) {
		struct sip_addr addr;
		struct sip_uri uri;

		if (sip_addr_parse(one, &addr) || sip_uri_parse(addr.uri, &uri))
			return refuse(ctx, 400, NULL);
		if (ctx->route_count == CONTEXT_ROUTES_MAX || !mine(ctx, &uri))
			break;
		own_route(ctx, addr.uri);
		ctx->route_drops++;
	}
	return true;
}

static bool among(const char *const *list, struct base_str param)
{
	size_t n = 0;

	while (n < param.len && param.ptr[n] != '=')
		n++;
	param.len = n;
	return listed(list, param);
}

void sip_uri_without(struct base_writer *w, const struct sip_uri *uri, bool port,
                     const char *const *drop)
{
	struct base_str rest = uri->params;
	const char *host = uri->host.ptr + uri->host.len;

	base_writer_put(w, uri->text.ptr, (size_t)(host - uri->text.ptr));
	if (port && uri->port)
		base_writer_printf(w, ":%u", uri->port);
	while (rest.len) { /* each begins at its `;` */
		const char *end = memchr(rest.ptr + 1, ';', rest.len - 1);
		struct base_str one = { rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len };

		if (!among(drop, sip_from(one, 1)))
			base_writer_str(w, one);
		rest = sip_from(rest, one.len);
	}
}

/* A maddr that names us goes, and with it the port and transport that it was reached by. */
static void own_maddr(struct sip_context *ctx)
{
	static const char *const drop[] = { "maddr", "transport", NULL };
	struct base_writer w = { 0 };
	struct sip_uri uri, named;
	struct base_str maddr;
	char *text;

	if (sip_uri_parse(ctx->uri, &uri) || !sip_uri_param(&uri, "maddr", &maddr) || !maddr.ptr)
		return;
	base_writer_printf(&w, "%.*s:%.*s", BASE_FMT(uri.name), BASE_FMT(maddr));
	if (uri.port)
		base_writer_printf(&w, ":%u", uri.port);
	if (w.failed || sip_uri_parse(base_writer_view(&w), &named) || !mine(ctx, &named)) {
		base_writer_done(&w);
		return;
	}
	base_writer_reset(&w);
	sip_uri_without(&w, &uri, false, drop);
	text = w.failed ? NULL : base_arena_dup(&ctx->arena, base_writer_view(&w));
	if (text)
		ctx->uri = (struct base_str){ text, w.len };
	base_writer_done(&w);
}

bool sip_context_validate(struct sip_context *ctx)
{
	const struct sip_message *msg = ctx->msg;
	const char *lines;

	if (!msg->uri.scheme && !listed(ctx->proxy->config.schemes, msg->uri.name))
		return refuse(ctx, 416, NULL);
	if (!msg->max_forwards) /* OPTIONS too, which we might answer (11) */
		return refuse(ctx, 483, NULL);
	if (looped(ctx))
		return refuse(ctx, 482, NULL);
	lines = ctx->stateless ? NULL : unsupported(ctx);
	if (lines)
		return refuse(ctx, 420, lines);
	if (!from_strict_router(ctx) || !own_routes(ctx))
		return false;
	own_maddr(ctx);
	return true;
}
