/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record-Route and what it comes to: a UE's requests in a dialog go by the route set that the
 * dialog found (TS 24.229, 5.2.6, R), which no state here remembers: a digest of it is in the token
 * of our Record-Route, and so under its MAC.
 *
 * A UE that is called finds it in the INVITE, so it is known when that goes down. One that calls
 * finds it in the response: its token is written anew in each that passes (RFC 3261, 16.7, 8).
 */
#include <openssl/evp.h>

#include "edge/private.h"

#define SET_MAX 32 /* of a route set; one that is longer fits no token */

struct route_set {
	struct base_str uris[SET_MAX];
	size_t count;
	bool whole;
};

/* In lower case, with an end that no other part has. */
static bool add_part(EVP_MD_CTX *ctx, struct base_str part, uint8_t name)
{
	const uint8_t end[] = { '\n', name };
	bool ok = true;

	for (size_t i = 0; i < part.len && ok; i++) {
		uint8_t c = (uint8_t)base_lower((unsigned char)part.ptr[i]);

		ok = EVP_DigestUpdate(ctx, &c, 1) == 1;
	}
	return ok && EVP_DigestUpdate(ctx, end, sizeof(end)) == 1;
}

/* What leads elsewhere when it is another: scheme, user, host, port, transport and maddr. What else
 * a UE writes in its own way is no matter. */
static bool add_uri(EVP_MD_CTX *ctx, struct base_str text)
{
	struct base_str value;
	struct sip_uri uri;
	uint8_t port[2];

	if (sip_uri_parse(text, &uri) || uri.scheme == SIP_SCHEME_OTHER)
		return add_part(ctx, text, 't');
	port[0] = (uint8_t)(uri.port >> 8);
	port[1] = (uint8_t)uri.port;
	return add_part(ctx, uri.name, 's') &&
	       EVP_DigestUpdate(ctx, uri.user.ptr, uri.user.len) == 1 &&
	       EVP_DigestUpdate(ctx, "\nu", 2) == 1 && /* its case counts */
	       add_part(ctx, uri.host, 'h') && EVP_DigestUpdate(ctx, port, sizeof(port)) == 1 &&
	       (!sip_uri_param(&uri, "transport", &value) || add_part(ctx, value, 't')) &&
	       (!sip_uri_param(&uri, "maddr", &value) || add_part(ctx, value, 'm'));
}

/* Zeros where it cannot be told: nothing matches them. */
static void digest(const struct route_set *set, bool backwards, uint8_t out[EDGE_DIGEST])
{
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = set->whole && ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; i < set->count && ok; i++)
		ok = add_uri(ctx, set->uris[backwards ? set->count - 1 - i : i]);
	ok = ok && EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	memset(out, 0, EDGE_DIGEST);
	if (ok)
		memcpy(out, hash, EDGE_DIGEST);
}

static void put(struct route_set *set, struct base_str uri)
{
	if (set->count == SET_MAX)
		set->whole = false;
	else
		set->uris[set->count++] = uri;
}

static bool is_known(const uint8_t route[EDGE_DIGEST])
{
	static const uint8_t none[EDGE_DIGEST];

	return !base_secret_equal(route, EDGE_DIGEST, none, EDGE_DIGEST);
}

bool edge_routes_fit(const struct sip_message *msg, const struct edge_token *token)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_ROUTE };
	struct route_set set = { .whole = true };
	uint8_t route[EDGE_DIGEST];
	struct base_str one;

	while (sip_values_next(&values, &one)) {
		struct edge_token other;
		struct sip_addr addr;

		if (sip_addr_parse(one, &addr))
			return false;
		if (!edge_token_read(addr.uri, &other) || !edge_token_same(&other, token))
			put(&set, addr.uri);
	}
	digest(&set, false, route);
	return is_known(route) && base_secret_equal(route, EDGE_DIGEST, token->route, EDGE_DIGEST);
}

/* -- a request that may make a dialog -- */

/* Its address for this side; empty, and the edit has failed: memory is short. */
static struct base_str ours(struct edge_core *core, enum edge_side side, bool sips,
                            const char *token, struct sip_edit *edit)
{
	struct base_writer w = { 0 };
	char *uri;

	edge_uri_write(core, side, sips, token, false, &w);
	uri = w.failed || !token[0] ? NULL : base_arena_dup(edit->arena, base_writer_view(&w));
	base_writer_done(&w);
	edit->failed |= !uri;
	return base_str_of(uri);
}

/* Its text, of a request that goes down (`up`: of one that comes up). */
static void token_of(struct edge_core *core, const struct sip_message *msg, uint64_t flow,
                     enum edge_token_kind kind, bool up, char text[EDGE_TOKEN_MAX])
{
	struct sip_values values = { .msg = msg, .id = SIP_H_RECORD_ROUTE };
	struct edge_token token = { .kind = kind, .epoch = core->epoch, .flow = flow };
	struct route_set set = { .whole = true };
	struct sip_addr addr;
	struct base_str one;

	edge_token_self(up ? msg->from.uri : msg->to.uri, token.self);
	while (!up && sip_values_next(&values, &one))
		put(&set, sip_addr_parse(one, &addr) ? one : addr.uri);
	if (!up)
		digest(&set, false, token.route);
	edge_token_write(&token, core->token_key, msg->call_id, text);
}

/* Goes it to who is named by sips (RFC 3261, 16.6, 4)? A UE is reached by its flow, whatever Route
 * is left. */
static bool is_sips(const struct sip_message *msg, const struct sip_edit *edit, bool up)
{
	struct base_str one;
	struct sip_addr addr;
	struct sip_uri uri;

	if (msg->uri.scheme == SIP_SCHEME_SIPS)
		return true;
	return up && sip_edit_first(edit, "Route", &one) && !sip_addr_parse(one, &addr) &&
	       !sip_uri_parse(addr.uri, &uri) && uri.scheme == SIP_SCHEME_SIPS;
}

void edge_routes_record(struct edge_core *core, const struct sip_message *msg, uint64_t flow,
                        enum edge_token_kind kind, bool up, struct sip_edit *edit)
{
	bool sips = is_sips(msg, edit, up);
	enum edge_side first = up ? EDGE_CORE : EDGE_ACCESS;
	enum edge_side second = up ? EDGE_ACCESS : EDGE_CORE;
	char text[EDGE_TOKEN_MAX];

	token_of(core, msg, flow, kind, up, text);
	/* both sides of us, each by the address that it can reach (RFC 5658, R) */
	sip_edit_push(edit, "Record-Route", ours(core, second, sips, text, edit));
	sip_edit_push(edit, "Record-Route", ours(core, first, sips, text, edit));
}

/* -- its responses -- */

/* Ours, of this flow, and not settled yet. */
static bool is_open(const struct edge_core *core, const struct sip_message *msg, uint64_t flow,
                    struct base_str uri, struct edge_token *ret)
{
	return edge_token_read(uri, ret) && ret->kind != EDGE_TOKEN_PATH &&
	       ret->epoch == core->epoch && ret->flow == flow && !is_known(ret->route) &&
	       edge_token_genuine(ret, core->token_key, msg->call_id);
}

static void rewrite(struct sip_edit *edit, const struct sip_header *header, struct base_str element,
                    struct base_str uri, const char *token)
{
	struct sip_uri u;
	size_t before;
	char *text;

	if (sip_uri_parse(uri, &u) || !u.user.ptr)
		return;
	before = (size_t)(u.user.ptr - element.ptr);
	text = base_arena_printf(edit->arena, "%.*s%s%.*s", (int)before, element.ptr, token,
	                         BASE_FMT(sip_from(element, before + u.user.len)));
	if (text)
		sip_edit_element(edit, header, element, base_str_of(text));
	else
		edit->failed = true;
}

void edge_routes_settle(struct edge_core *core, uint64_t flow, struct sip_edit *edit)
{
	const struct sip_message *msg = edit->msg;
	struct sip_values values = { .msg = msg, .id = SIP_H_RECORD_ROUTE };
	struct route_set set = { .whole = true };
	struct edge_token token, mine = { 0 };
	char text[EDGE_TOKEN_MAX] = "";
	struct sip_addr addr;
	struct base_str one;

	while (sip_values_next(&values, &one)) {
		if (sip_addr_parse(one, &addr))
			return;
		if (is_open(core, msg, flow, addr.uri, &token))
			mine = token;
		else
			put(&set, addr.uri);
	}
	if (!mine.kind)
		return;
	digest(&set, true, mine.route);
	edge_token_write(&mine, core->token_key, msg->call_id, text);
	values = (struct sip_values){ .msg = msg, .id = SIP_H_RECORD_ROUTE };
	while (sip_values_next(&values, &one))
		if (!sip_addr_parse(one, &addr) && is_open(core, msg, flow, addr.uri, &token))
			rewrite(edit, values.header, one, addr.uri, text);
}

/* Is what a UE says the route set that it was shown? */
static bool as_shown(const struct sip_message *msg, const struct sip_message *request,
                     const struct base_str mine[2])
{
	struct sip_values come = { .msg = msg, .id = SIP_H_RECORD_ROUTE };
	struct sip_values shown = { .msg = request, .id = SIP_H_RECORD_ROUTE };
	struct base_str one, other;
	bool more;

	for (size_t i = 0; i < 2; i++)
		if (!sip_values_next(&come, &one) || !base_str_eq(one, mine[i]))
			return false;
	while ((more = sip_values_next(&shown, &other)) == sip_values_next(&come, &one))
		if (!more || !base_str_eq(one, other))
			return !more;
	return false;
}

void edge_routes_restore(struct edge_core *core, const struct sip_message *request, uint64_t flow,
                         struct sip_edit *edit)
{
	bool sips = request->uri.scheme == SIP_SCHEME_SIPS;
	char text[EDGE_TOKEN_MAX];
	struct base_str mine[2];

	token_of(core, request, flow, EDGE_TOKEN_DIALOG, false, text);
	mine[0] = ours(core, EDGE_ACCESS, sips, text, edit);
	mine[1] = ours(core, EDGE_CORE, sips, text, edit);
	if (edit->failed || as_shown(edit->msg, request, mine))
		return;
	core->count.rerouted++;
	sip_edit_drop_all(edit, "Record-Route");
	sip_edit_append(edit, "Record-Route", mine[0]);
	sip_edit_append(edit, "Record-Route", mine[1]);
	for (const struct sip_header *h = sip_header(request, SIP_H_RECORD_ROUTE); h;
	     h = sip_header_after(request, h))
		sip_edit_append(edit, "Record-Route", h->value);
}
