/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests but REGISTER (RFC 5626, 5.3; TS 33.203, O.2.2 and O.4; TS 24.229, 5.2.6, R): from a UE
 * up to the core under the identity of its binding, from the core down the flow that a token names.
 */
#include "edge/private.h"

#define HOP "gh-hop" /* of a Route by which another edge of the pool hands on */

int edge_refuse(struct edge_decision *ret, unsigned status, const char *why)
{
	ret->what = EDGE_REPLY;
	ret->status = status;
	ret->why = why;
	return 0;
}

static int again_later(struct edge_core *core, struct base_arena *arena, struct edge_decision *ret,
                       const char *why)
{
	ret->lines = base_str_of(
	        base_arena_printf(arena, "Retry-After: %u\r\n", core->rules->p.retry_after_s));
	return edge_refuse(ret, 503, why);
}

int edge_overload(struct edge_core *core, struct base_arena *arena, struct edge_decision *ret)
{
	core->count.overload++;
	return again_later(core, arena, ret, "overload");
}

/* -- what names us -- */

static bool host_is(const struct sip_uri *uri, struct base_str name)
{
	uint16_t usual = uri->scheme == SIP_SCHEME_SIPS ? 5061 : 5060;
	struct base_str host = name;
	uint64_t port = 0;

	for (size_t i = name.len; i > 0 && name.ptr[i - 1] != ']'; i--)
		if (name.ptr[i - 1] == ':') {
			(void)base_str_u64(sip_from(name, i), 65535, &port);
			host.len = i - 1;
			break;
		}
	if (!base_str_ieq(uri->host, host))
		return false;
	return !port || port == (uri->port ? uri->port : usual);
}

static bool is_us(const struct edge_core *core, const struct sip_uri *uri)
{
	const struct edge_rules *r = core->rules;

	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return false;
	if (host_is(uri, r->access_host) || host_is(uri, r->core_host))
		return true;
	for (size_t i = 0; i < r->p.name_count; i++)
		if (host_is(uri, base_str_of(r->p.names[i])))
			return true;
	return false;
}

bool edge_core_mine(const struct edge_core *core, const struct sip_uri *uri)
{
	struct edge_token token;
	bool ours = is_us(core, uri);

	if (edge_token_read(uri->text, &token))
		return ours || token.epoch == core->epoch;
	return ours && (!uri->user.ptr || sip_uri_param(uri, "lr", NULL));
}

void edge_uri_write(const struct edge_core *core, enum edge_side side, bool sips, const char *token,
                    bool ob, struct base_writer *w)
{
	const struct edge_rules *r = core->rules;
	const char *params = side == EDGE_ACCESS ? r->p.access_params : r->p.core_params;

	base_writer_printf(w, "<sip%s:%s@%.*s%s;lr%s>", sips ? "s" : "", token,
	                   BASE_FMT(side == EDGE_ACCESS ? r->access_host : r->core_host),
	                   sips ? "" : params, ob ? ";ob" : "");
}

bool edge_is_emergency(const struct edge_rules *rules, struct base_str uri)
{
	struct sip_uri u;

	if (sip_uri_parse(uri, &u))
		return false;
	for (size_t i = 0; i < rules->p.emergency_count; i++) {
		struct base_str one = base_str_of(rules->p.emergency[i]), head = uri;
		struct sip_uri wanted;

		head.len = BASE_MIN(head.len, one.len);
		if (base_str_ieq(head, one) &&
		    (uri.len == one.len ||
		     (u.scheme == SIP_SCHEME_OTHER && uri.ptr[one.len] == '.')))
			return true; /* urn:service:sos.police (RFC 5031, R) */
		if (rules->p.emergency_proxy && !sip_uri_parse(one, &wanted) &&
		    wanted.scheme == SIP_SCHEME_TEL && u.scheme != SIP_SCHEME_OTHER &&
		    base_str_eq(u.user, wanted.user))
			return true; /* dialled as sip:112@example;user=phone: not to whoever that
			                is */
	}
	return false;
}

/* -- up -- */

static bool in_dialog(const struct sip_message *msg)
{
	return msg->to_tag.len > 0;
}

bool edge_forms_dialog(const struct sip_message *msg)
{
	return !in_dialog(msg) && (msg->method == SIP_INVITE || msg->method == SIP_SUBSCRIBE ||
	                           msg->method == SIP_REFER);
}

/* The first token among the Routes of ours. */
static bool first_token(const struct edge_request *request, struct edge_token *ret, size_t *ret_at)
{
	for (size_t i = 0; i < request->route_count; i++)
		if (edge_token_read(request->routes[i], ret)) {
			*ret_at = i;
			return true;
		}
	return false;
}

/* What comes behind the two of this flow are our own of another: the core does not stand between
 * its two sides of a call. They go out, and come back as any request from the core. */
static unsigned rest_of(const struct edge_request *request)
{
	struct edge_token first, other;
	size_t i;

	if (!first_token(request, &first, &i))
		return 0;
	while (i < request->route_count && edge_token_read(request->routes[i], &other) &&
	       edge_token_same(&other, &first))
		i++;
	return (unsigned)i;
}

/* The token of a request in a dialog. @return false: it has been refused */
static bool judge_token(struct edge_core *core, const struct edge_request *request,
                        struct edge_decision *ret, struct edge_token *token)
{
	size_t at;

	if (!first_token(request, token, &at) || token->kind == EDGE_TOKEN_PATH) {
		(void)edge_refuse(ret, 403, "in a dialog without our Record-Route");
		return false;
	}
	if (token->epoch != core->epoch) {
		core->count.failed++;
		(void)edge_refuse(ret, 430, "its flow token is of another edge or start");
		return false;
	}
	if (!edge_token_genuine(token, core->token_key, request->msg->call_id)) {
		core->count.forged++;
		(void)edge_refuse(ret, 403, "its flow token is forged, or of another dialog");
		return false;
	}
	if (token->flow == request->flow) {
		if (edge_routes_fit(request->msg, token))
			return true;
		core->count.rerouted++;
		(void)edge_refuse(ret, 403, "its Route is not that of its dialog");
		return false;
	}
	if (edge_flow_find(core, token->flow)) {
		core->count.forged++;
		(void)edge_refuse(ret, 403, "its flow token is of another flow");
	} else {
		core->count.failed++;
		(void)edge_refuse(ret, 430, "its dialog is on a flow that is gone");
	}
	return false;
}

static int go_up(const struct edge_core *core, const struct edge_request *request,
                 enum edge_way way, struct edge_decision *ret)
{
	const struct edge_flow *flow = edge_flow_find(core, request->flow);
	const struct edge_policy *p = &core->rules->p;

	ret->what = EDGE_FORWARD;
	ret->way = way;
	ret->to = EDGE_CORE;
	ret->flow = request->flow;
	if (way == EDGE_WAY_EMERGENCY)
		ret->hop = base_str_of(p->emergency_proxy);
	else if (way == EDGE_WAY_UP && !flow->bound->route_count)
		ret->hop = base_str_of(p->proxy);
	if (way == EDGE_WAY_UP_DIALOG)
		ret->rest = rest_of(request);
	return 0;
}

/* Nobody has registered there. */
static int stranger(struct edge_core *core, struct edge_flow *flow,
                    const struct edge_request *request, struct edge_decision *ret)
{
	struct edge_token token;
	size_t at;

	if (in_dialog(request->msg) && first_token(request, &token, &at) &&
	    token.kind == EDGE_TOKEN_EMERGENCY) {
		if (!judge_token(core, request, ret, &token))
			return 0;
		if (edge_identity_dialogs(&token, request->msg->from.uri))
			return go_up(core, request, EDGE_WAY_UP_DIALOG, ret);
		core->count.impostors++;
		return edge_refuse(ret, 403, "From is not that of the dialog");
	}
	core->count.strangers++;
	(void)edge_refuse(ret, 403, "nobody has registered on this flow");
	if (edge_bind_step(flow->state, BIND_EV_CROSSED).legal &&
	    ++flow->refused > core->rules->p.refused_max)
		ret->close = true;
	return 0;
}

static int judge_bound(struct edge_core *core, const struct edge_flow *flow,
                       const struct edge_request *request, struct base_arena *arena,
                       struct edge_decision *ret)
{
	const struct sip_message *msg = request->msg;
	bool dialog = in_dialog(msg);
	struct edge_token token = { 0 };
	unsigned status = edge_agree_judge(core, flow, msg, false, arena, &ret->lines);
	const char *why;

	if (status) {
		core->count.disagreed++;
		return edge_refuse(ret, status, "no security agreement (RFC 3329)");
	}
	if (request->load >= EDGE_LOAD_ALL && !dialog && msg->method != SIP_ACK)
		return edge_overload(core, arena, ret);
	if (dialog && !judge_token(core, request, ret, &token))
		return 0;
	why = edge_identity_judge(flow->bound, msg, dialog, dialog ? &token : NULL);
	if (why) {
		core->count.impostors++;
		return edge_refuse(ret, 403, why);
	}
	return go_up(core, request, dialog ? EDGE_WAY_UP_DIALOG : EDGE_WAY_UP, ret);
}

static int emergency(struct edge_core *core, struct edge_flow *flow,
                     const struct edge_request *request, struct base_arena *arena,
                     struct edge_decision *ret)
{
	if (!edge_bind_bound(flow->state)) {
		if (flow->emergencies >= EDGE_EMERGENCIES_MAX)
			return again_later(core, arena, ret, "too many emergency calls at once");
		core->count.emergency++;
	}
	edge_flow_emergency(flow);
	return go_up(core, request, EDGE_WAY_EMERGENCY, ret);
}

/* Asked of ourselves: are you there? */
static bool asks_us(const struct edge_core *core, const struct edge_request *request)
{
	struct sip_uri uri;

	return !sip_uri_parse(request->uri, &uri) && is_us(core, &uri) && !uri.user.ptr;
}

static int answer_for_us(const struct edge_request *request, struct edge_decision *ret)
{
	if (request->msg->method != SIP_OPTIONS)
		return edge_refuse(ret, 404, "it is for the edge itself");
	ret->what = EDGE_REPLY;
	ret->status = 200;
	return 0;
}

int edge_up_judge(struct edge_core *core, const struct edge_request *request,
                  struct base_arena *arena, struct edge_decision *ret)
{
	struct edge_flow *flow = edge_flow_find(core, request->flow);
	const struct sip_message *msg = request->msg;
	int rc;

	if (!flow) { /* it is being closed */
		ret->close = true;
		return edge_refuse(ret, 403, "its flow is over");
	}
	if (msg->method == SIP_REGISTER) {
		rc = edge_register_judge(core, request, arena, ret);
	} else if (msg->method == SIP_INVITE && !in_dialog(msg) &&
	           edge_is_emergency(core->rules, request->uri)) {
		rc = emergency(core, flow, request, arena, ret);
	} else if (!edge_bind_bound(flow->state)) {
		rc = stranger(core, flow, request, ret);
	} else if (asks_us(core, request)) {
		rc = answer_for_us(request, ret);
	} else {
		rc = judge_bound(core, flow, request, arena, ret);
	}
	if (!rc && ret->what == EDGE_REPLY && ret->status >= 400)
		core->count.refused++;
	return rc;
}

/* -- down -- */

static int ask_or_fail(struct edge_core *core, const struct edge_request *request,
                       const struct edge_token *token, size_t at, struct base_arena *arena,
                       struct edge_decision *ret)
{
	const struct edge_owner *owner = request->owner;
	uint8_t key[32];
	struct sip_uri first;
	char *text;
	bool handed, genuine;

	handed = !sip_uri_parse(request->routes[0], &first) && sip_uri_param(&first, HOP, NULL);
	genuine = !handed && !core->ops.token_key(core->ops.arg, token->epoch, key) &&
	          edge_token_genuine(token, key, request->msg->call_id);
	base_wipe(key, sizeof(key));
	if (!genuine || (owner && owner->known && !owner->uri.len)) {
		core->count.failed++;
		return edge_refuse(ret, 430, "the flow of its token is gone");
	}
	if (owner && !owner->known)
		return again_later(core, arena, ret, "the store does not say whose its token is");
	ret->what = owner ? EDGE_FORWARD : EDGE_ASK;
	ret->way = EDGE_WAY_OWNER;
	ret->to = EDGE_CORE;
	ret->lost_status = 430;
	text = base_arena_alloc(arena, EDGE_FLOW_KEY);
	if (!text)
		return BASE_ERR(BASE_LOCAL, 500);
	edge_flow_key(token->epoch, token->flow, text);
	ret->key = (struct base_str){ text, EDGE_FLOW_KEY };
	ret->route = request->routes[at];
	if (owner)
		ret->owner = base_str_of(base_arena_dup(arena, owner->uri));
	return 0;
}

static int judge_down(struct edge_core *core, const struct edge_request *request,
                      const struct edge_token *token, struct base_arena *arena,
                      struct edge_decision *ret)
{
	const struct sip_message *msg = request->msg;
	const struct edge_flow *flow = edge_flow_find(core, token->flow);
	bool dialog = in_dialog(msg);

	if (!edge_token_ours(core, token, flow, msg->call_id)) {
		core->count.forged++;
		return edge_refuse(ret, 403, "its flow token is forged"); /* RFC 5626, 5.3.1 */
	}
	if (!flow || (!edge_bind_bound(flow->state) && token->kind != EDGE_TOKEN_EMERGENCY &&
	              !(dialog && token->kind == EDGE_TOKEN_DIALOG && flow->state != BIND_PLAIN))) {
		core->count.failed++;
		return edge_refuse(ret, 430, "its flow is gone, or bound no more");
	}
	if (request->load >= EDGE_LOAD_ALL && !dialog && msg->method != SIP_ACK)
		return edge_overload(core, arena, ret);
	ret->what = EDGE_FORWARD;
	ret->way = dialog ? EDGE_WAY_DOWN_DIALOG : EDGE_WAY_DOWN;
	ret->to = EDGE_ACCESS;
	ret->flow = token->flow;
	ret->lost_status = 430;
	return 0;
}

int edge_down_judge(struct edge_core *core, const struct edge_request *request,
                    struct base_arena *arena, struct edge_decision *ret)
{
	struct edge_token token;
	size_t at;

	if (!first_token(request, &token, &at)) {
		if (asks_us(core, request))
			return answer_for_us(request, ret);
		return edge_refuse(ret, 404, "no flow token in its Route");
	}
	if (token.epoch != core->epoch)
		return ask_or_fail(core, request, &token, at, arena, ret);
	return judge_down(core, request, &token, arena, ret);
}

/* -- the changes -- */

static void put_routes(struct sip_edit *edit, const struct base_str *routes, size_t count)
{
	for (size_t i = count; i > 0; i--)
		sip_edit_pushf(edit, "Route", "<%.*s>", BASE_FMT(routes[i - 1]));
}

/* Strings of the binding may go before the message is written: a copy. */
static struct base_str copy(struct sip_edit *edit, struct base_str s)
{
	char *text = base_arena_dup(edit->arena, s);

	if (!text)
		edit->failed = true;
	return base_str_of(text);
}

/* A subscription's dialog may begin with it, and of a forked SUBSCRIBE all do but one (RFC 3265,
 * 3.3.4, R; RFC 3261, 16.6, 4: SHOULD). */
static bool is_notify(const struct edge_decision *d, const struct sip_message *msg)
{
	return msg->method == SIP_NOTIFY &&
	       (d->way == EDGE_WAY_UP_DIALOG || d->way == EDGE_WAY_DOWN_DIALOG);
}

static void forward_up(struct edge_core *core, const struct edge_request *request,
                       const struct edge_decision *d, struct sip_edit *edit)
{
	const struct edge_flow *flow = edge_flow_find(core, d->flow);
	const struct sip_message *msg = request->msg;
	const struct edge_bound *bound = flow ? flow->bound : NULL;

	if (!flow || (d->way == EDGE_WAY_UP && !bound)) {
		edit->failed = true;
		return;
	}
	edge_strip_up(edit);
	if (d->way == EDGE_WAY_UP_DIALOG) {
		put_routes(edit, request->routes + d->rest, request->route_count - d->rest);
		if (is_notify(d, msg))
			edge_routes_record(core, msg, d->flow, EDGE_TOKEN_DIALOG, true, edit);
		return;
	}
	sip_edit_drop_all(edit, "Route");
	if (d->way == EDGE_WAY_UP)
		for (size_t i = bound->route_count; i > 0; i--)
			sip_edit_push(edit, "Route", copy(edit, bound->routes[i - 1]));
	if (bound && edge_identity_judge(bound, msg, false, NULL) == NULL)
		sip_edit_pushf(edit, "P-Asserted-Identity", "<%.*s>",
		               BASE_FMT(edge_identity_assert(bound, msg)));
	edge_charge(core, edit);
	if (edge_forms_dialog(msg))
		edge_routes_record(core, msg, d->flow,
		                   d->way == EDGE_WAY_EMERGENCY ? EDGE_TOKEN_EMERGENCY
		                                                : EDGE_TOKEN_DIALOG,
		                   true, edit);
}

static void forward_down(struct edge_core *core, const struct edge_request *request,
                         const struct edge_decision *d, struct sip_edit *edit)
{
	if (!edge_flow_find(core, d->flow)) {
		edit->failed = true;
		return;
	}
	edge_strip_down(edit);
	if (edge_forms_dialog(request->msg) || is_notify(d, request->msg))
		edge_routes_record(core, request->msg, d->flow, EDGE_TOKEN_DIALOG, false, edit);
}

/* To the edge that has the flow: its own Route with the token, and a mark that it is not to hand it
 * on again. */
static void forward_owner(const struct edge_decision *d, struct sip_edit *edit)
{
	struct sip_uri uri;
	bool lr = !sip_uri_parse(d->owner, &uri) && sip_uri_param(&uri, "lr", NULL);

	sip_edit_pushf(edit, "Route", "<%.*s>", BASE_FMT(d->route));
	sip_edit_pushf(edit, "Route", "<%.*s%s;" HOP ">", BASE_FMT(d->owner), lr ? "" : ";lr");
}

void edge_core_forward(struct edge_core *core, const struct edge_request *request,
                       const struct edge_decision *decision, struct sip_edit *edit)
{
	switch (decision->way) {
	case EDGE_WAY_REGISTER:
		edge_register_forward(core, request, decision, edit);
		break;
	case EDGE_WAY_UP:
	case EDGE_WAY_UP_DIALOG:
	case EDGE_WAY_EMERGENCY:
		forward_up(core, request, decision, edit);
		break;
	case EDGE_WAY_DOWN:
	case EDGE_WAY_DOWN_DIALOG:
		forward_down(core, request, decision, edit);
		break;
	case EDGE_WAY_OWNER:
		forward_owner(decision, edit);
		break;
	}
}
