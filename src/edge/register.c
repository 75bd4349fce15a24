/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REGISTER up and its answer down (TS 33.203, O.3 and O.4; TS 24.229, 5.2.2, R; RFC 5626, 5.1;
 * RFC 3327; RFC 3608): here bindings begin and end.
 */
#include "edge/private.h"

#define EXPIRES_DEFAULT 3600 /* RFC 3261, 10.2.1.1 speaks of an hour */

/* What a Contact's own parameter says, else the message. @return false: nothing */
static bool expires_of(const struct sip_message *msg, const struct sip_addr *contact, uint64_t *ret)
{
	const struct sip_header *header = sip_header(msg, SIP_H_EXPIRES);
	struct base_str text;

	if (contact && sip_param_find(contact->params, "expires", &text))
		return !base_str_u64(text, UINT32_MAX, ret);
	return header && !sip_header_number(header, UINT32_MAX, ret);
}

static bool too_brief(const struct edge_core *core, const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_CONTACT };
	struct sip_addr addr;
	struct base_str one;
	uint64_t s;

	while (sip_values_next(&values, &one))
		if (!sip_addr_parse(one, &addr) && expires_of(msg, &addr, &s) && s &&
		    s < core->rules->p.minimum_s)
			return true;
	return false;
}

/* Each is held against each of the answer. */
static bool crowded(const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_CONTACT };
	struct base_str one;
	unsigned count = 0;

	while (sip_values_next(&values, &one))
		count++;
	return count > EDGE_CONTACTS_MAX;
}

static bool same_identity(struct base_str a, struct base_str b)
{
	char buf_a[SIP_URI_KEY_MAX], buf_b[SIP_URI_KEY_MAX];

	return base_str_eq(edge_identity_key(a, buf_a), edge_identity_key(b, buf_b));
}

/* IMPIs name their realm (TS 23.003, 13.3, R); what others use as such need not. */
static bool same_realm(const struct edge_flow *flow, const struct edge_credentials *c)
{
	return !c->c.realm.len || base_str_eq(c->c.realm, flow->bound->realm);
}

/* May this UE say that on this flow? */
static int judge_identity(struct edge_core *core, const struct edge_flow *flow,
                          const struct sip_message *msg, const struct edge_credentials *c,
                          struct edge_decision *ret)
{
	if (c->proof && !c->c.user.len)
		return edge_refuse(ret, 400, "Digest without username");
	if (flow->bound && c->header && c->c.user.len &&
	    (!base_str_eq(c->c.user, base_str_of(flow->bound->user->impi)) ||
	     (c->proof && !same_realm(flow, c)))) {
		core->count.impostors++;
		return edge_refuse(ret, 403, "its TLS session is bound to another IMPI");
	}
	if (!same_identity(msg->from.uri, msg->to.uri)) {
		core->count.impostors++;
		return edge_refuse(ret, 403, "it registers somebody else");
	}
	return 0;
}

static void pass_up(struct edge_core *core, struct edge_flow *flow, const struct sip_message *msg,
                    const struct edge_credentials *c, struct edge_decision *ret)
{
	bool known = c->proof && edge_nonce_known(flow, c->c.nonce);

	ret->what = EDGE_FORWARD;
	ret->way = EDGE_WAY_REGISTER;
	ret->to = EDGE_CORE;
	ret->flow = flow->id;
	ret->hop = base_str_of(core->rules->p.registrar);
	ret->unproven = c->proof && !known;
	ret->proven = flow->bound && c->header && c->c.user.len && !ret->unproven &&
	              edge_identity_find(flow->bound, msg->to.uri);
	if (ret->unproven) {
		/* an answer to somebody else's challenge: seen elsewhere, or from before this
		 * connection. The registrar may ask anew, and then here (P) */
		core->count.replays++;
		edge_flow_note(core, flow->id,
		               "a Digest response to a challenge of another flow was taken out");
	}
	if (known)
		(void)edge_flow_event(flow, BIND_EV_PROOF, EDGE_ENDS, "", NULL);
}

int edge_register_judge(struct edge_core *core, const struct edge_request *request,
                        struct base_arena *arena, struct edge_decision *ret)
{
	struct edge_flow *flow = edge_flow_find(core, request->flow);
	const struct sip_message *msg = request->msg;
	struct edge_credentials c;
	unsigned status;
	int rc;

	if (request->load >= EDGE_LOAD_NEW && (!flow->bound || request->load >= EDGE_LOAD_ALL))
		return edge_overload(core, arena, ret);
	if (edge_vias(msg) > 1)
		return edge_refuse(ret, 502, "a REGISTER that came by a proxy"); /* RFC 5626, 5.1 */
	if (crowded(msg))
		return edge_refuse(ret, 400, "too many contacts");
	rc = edge_credentials_read(msg, arena, &c);
	if (rc)
		return base_err_class(rc) == BASE_PEER
		               ? edge_refuse(ret, 400, "Authorization is malformed, or twice there")
		               : rc;
	status = edge_agree_judge(core, flow, msg, c.proof, arena, &ret->lines);
	if (status) {
		core->count.disagreed++;
		return edge_refuse(ret, status, "no security agreement (RFC 3329)");
	}
	rc = judge_identity(core, flow, msg, &c, ret);
	if (rc || ret->status)
		return rc;
	if (too_brief(core, msg)) {
		ret->lines = base_str_of(
		        base_arena_printf(arena, "Min-Expires: %u\r\n", core->rules->p.minimum_s));
		return edge_refuse(ret, 423, "its expiry is too brief");
	}
	pass_up(core, flow, msg, &c, ret);
	return 0;
}

static bool wants_outbound(const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_CONTACT };
	struct sip_addr addr;
	struct base_str one;

	if (!sip_header_has(msg, SIP_H_SUPPORTED, "outbound"))
		return false;
	while (sip_values_next(&values, &one))
		if (!sip_addr_parse(one, &addr) && sip_param_find(addr.params, "reg-id", NULL))
			return true;
	return false;
}

static void drop_digest(struct sip_edit *edit)
{
	for (const struct sip_header *h = sip_header(edit->msg, SIP_H_AUTHORIZATION); h;
	     h = sip_header_after(edit->msg, h))
		sip_edit_drop(edit, h);
}

void edge_register_forward(struct edge_core *core, const struct edge_request *request,
                           const struct edge_decision *decision, struct sip_edit *edit)
{
	const struct edge_flow *flow = edge_flow_find(core, decision->flow);
	struct base_writer w = { 0 };
	char token[EDGE_TOKEN_MAX], *path;

	if (!flow) {
		edit->failed = true;
		return;
	}
	sip_edit_drop_all(edit, "Route");
	edge_strip_up(edit);
	if (decision->unproven)
		drop_digest(edit);
	else if (flow->state != BIND_PLAIN)
		edge_credentials_mark(edit,
		                      decision->proven && flow->bound ? "tls-yes" : "tls-pending");
	edge_token_path(core, flow->id, token);
	edge_uri_write(core, EDGE_CORE, false, token, wants_outbound(request->msg), &w);
	path = w.failed ? NULL : base_arena_dup(edit->arena, base_writer_view(&w));
	base_writer_done(&w);
	if (!path || !token[0]) {
		edit->failed = true;
		return;
	}
	sip_edit_push(edit, "Path", base_str_of(path));
	if (!sip_header_has(request->msg, SIP_H_REQUIRE, "path"))
		sip_edit_append(edit, "Require", BASE_STR("path"));
	sip_edit_pushf(edit, "P-Visited-Network-ID", "\"%s\"", core->rules->p.network);
	edge_charge(core, edit);
}

/* -- the answer -- */

/* For how long the answer has this contact; 0: not at all. */
static uint64_t left_s(const struct sip_message *request, const struct sip_message *response,
                       struct base_str contact)
{
	struct sip_values there = { .msg = response, .id = SIP_H_CONTACT };
	uint64_t longest = 0;
	struct base_str one;

	while (sip_values_next(&there, &one)) {
		struct sip_addr addr, own;
		uint64_t s = EXPIRES_DEFAULT;

		if (!edge_bound_same_contact(contact, one) || sip_addr_parse(one, &addr))
			continue;
		if (!expires_of(response, &addr, &s))
			(void)expires_of(request, sip_addr_parse(contact, &own) ? NULL : &own, &s);
		longest = BASE_MAX(longest, s);
	}
	return longest;
}

static void still_there(struct edge_made *made, struct base_str contact, uint64_t *ret_s)
{
	uint64_t s = left_s(made->request, made->response, contact);

	for (size_t i = 0; i < made->contact_count; i++)
		if (edge_bound_same_contact(made->contacts[i], contact))
			return;
	if (!s || made->contact_count == EDGE_CONTACTS_MAX)
		return;
	if (s > *ret_s) {
		*ret_s = s;
		made->contact = contact;
	}
	made->contacts[made->contact_count++] = contact;
}

/* The contacts of the request, and those of this flow that it is not about, as far as the answer
 * still has them, and for how long it has one. */
static bool registered(struct edge_made *made, const struct edge_flow *flow, uint64_t *ret_s)
{
	struct sip_values asked = { .msg = made->request, .id = SIP_H_CONTACT };
	struct base_str one;

	*ret_s = 0;
	if (!sip_header(made->request, SIP_H_CONTACT))
		return false;
	while (sip_values_next(&asked, &one))
		still_there(made, one, ret_s);
	for (size_t i = 0; flow && flow->bound && i < flow->bound->contact_count; i++)
		still_there(made, flow->bound->contacts[i], ret_s);
	return made->contact_count > 0;
}

static bool is_bound(const struct edge_flow *flow, struct base_str contact)
{
	for (size_t i = 0; flow->bound && i < flow->bound->contact_count; i++)
		if (edge_bound_same_contact(contact, flow->bound->contacts[i]))
			return true;
	return false;
}

/* A REGISTER that was answered by 2xx and left nothing: did it mean what is bound here? */
static bool meant_ours(const struct edge_flow *flow, const struct sip_message *request)
{
	struct sip_values asked = { .msg = request, .id = SIP_H_CONTACT };
	struct base_str one;
	bool any = false;

	while (sip_values_next(&asked, &one)) {
		any = true;
		if (base_str_eq(one, BASE_STR("*")) || is_bound(flow, one))
			return true;
	}
	return any && !flow->bound;
}

/* Who pings knows of a lost flow early (RFC 5626, 5.4). */
static void flow_timer(struct edge_core *core, const struct edge_flow *flow,
                       const struct sip_message *msg, struct sip_edit *edit)
{
	uint32_t s = core->rules->p.flow_timer_s;

	if (!s || !sip_header_has(msg, SIP_H_REQUIRE, "outbound"))
		return;
	sip_edit_drop_all(edit, "Flow-Timer");
	sip_edit_appendf(edit, "Flow-Timer", "%u", s);
	if (core->ops.ping)
		core->ops.ping(core->ops.arg, flow->id, 1000 * s + EDGE_OUTBOUND_GRACE_MS);
}

/* It came too late: the flow is gone, but the registrar has it. */
static void registered_nowhere(struct edge_core *core, uint64_t id, const struct edge_made *made)
{
	struct edge_bound *bound;

	if (edge_bind_step(BIND_CLOSED, BIND_EV_YES).action != BIND_DO_PART)
		return;
	bound = edge_bound_new(core->rules, made);
	if (bound)
		edge_part(core, id, bound, made->impi);
	edge_bound_free(bound);
}

/* Nothing is left of it, or of the one set of identities that its To names. */
static void on_gone(struct edge_flow *flow, const struct sip_message *request)
{
	const struct edge_identity *own =
	        flow->bound ? edge_identity_find(flow->bound, request->to.uri) : NULL;
	bool ours = meant_ours(flow, request);

	if (ours && own && edge_flow_less(flow, own->set, "other identities were taken back"))
		return;
	(void)edge_flow_event(flow, ours ? BIND_EV_ZERO : BIND_EV_OTHER, EDGE_END_UNREGISTERED,
	                      "it took its registration back", NULL);
}

static void on_yes(struct edge_core *core, const struct edge_response *r, struct edge_flow *flow,
                   const struct edge_credentials *c, struct sip_edit *edit)
{
	struct edge_made made = {
		.request = r->request, .response = r->msg, .impi = c->c.user, .realm = c->c.realm
	};
	bool proof = c->proof && !r->decision->unproven;
	uint64_t s;

	if (!registered(&made, flow, &s)) {
		if (flow && sip_header(r->request, SIP_H_CONTACT))
			on_gone(flow, r->request);
		return;
	}
	made.until_ms = core->timers.now_ms + 1000 * s;
	if (!flow) {
		if (proof)
			registered_nowhere(core, r->decision->flow, &made);
		return;
	}
	if (flow->bound ? !base_str_eq(made.impi, base_str_of(flow->bound->user->impi)) ||
	                          !(proof || r->decision->proven)
	                : !proof) {
		edge_flow_note(core, flow->id, "registered without Digest: nothing is bound");
		(void)edge_flow_event(flow, BIND_EV_OTHER, EDGE_ENDS, "", NULL);
		return;
	}
	if (flow->bound) /* that of the proof, not what is said without one */
		made.realm = flow->bound->realm;
	made.keep = flow->bound;
	flow_timer(core, flow, r->msg, edit);
	(void)edge_flow_event(flow, BIND_EV_YES, EDGE_ENDS, "", &made);
}

/* The UE's answer was not to this challenge; that is what stale means (RFC 7616, 3.3): try again
 * with this one. */
static void say_stale(struct sip_edit *edit)
{
	for (const struct sip_header *h = sip_header(edit->msg, SIP_H_WWW_AUTHENTICATE); h;
	     h = sip_header_after(edit->msg, h)) {
		struct sip_credentials c;

		if (!sip_credentials_read(h->value, edit->arena, &c) &&
		    !base_str_ieq(c.stale, BASE_STR("true")))
			edge_challenge_stale(edit, h);
	}
}

static void on_challenge(struct edge_core *core, const struct edge_response *r,
                         struct edge_flow *flow, bool proof, struct sip_edit *edit)
{
	bool stale = edge_challenges_note(flow, r->msg, edit->arena);

	if (flow->state != BIND_PLAIN && edge_agree_wanted(core->rules, r->request)) {
		sip_edit_drop_all(edit, "Security-Server");
		sip_edit_append(edit, "Security-Server", core->rules->server_list);
		flow->agreed = true;
	}
	if (r->decision->unproven)
		say_stale(edit);
	if (proof && !stale) {
		core->count.digest_failed++;
		(void)edge_flow_event(flow, BIND_EV_REFUSED, EDGE_END_DIGEST, "Digest was refused",
		                      NULL);
		return;
	}
	if (!edge_flow_challenged(flow))
		(void)edge_flow_event(flow, BIND_EV_CHALLENGE, EDGE_ENDS, "", NULL);
}

/* Nobody has judged it: the time to register begins anew, but not for ever. */
static void on_other(struct edge_flow *flow)
{
	if (flow->state != BIND_PROVING || !edge_flow_challenged(flow))
		(void)edge_flow_event(flow, BIND_EV_OTHER, EDGE_ENDS, "", NULL);
}

void edge_register_response(struct edge_core *core, const struct edge_response *r,
                            struct sip_edit *edit)
{
	struct edge_flow *flow = edge_flow_find(core, r->decision->flow);
	struct edge_credentials c = { 0 };
	bool proof;

	if (r->status < 200)
		return;
	if (!r->msg || !r->request) {
		if (flow)
			on_other(flow);
		return;
	}
	if (edge_credentials_read(r->request, edit->arena, &c))
		return;
	proof = c.proof && !r->decision->unproven;
	if (r->status < 300) {
		if (flow)
			edge_next_nonce(flow, r->msg, edit->arena);
		on_yes(core, r, flow, &c, edit);
	} else if (!flow) {
		return;
	} else if (r->status == 401) {
		on_challenge(core, r, flow, proof, edit);
	} else if (r->status == 403 && proof) {
		core->count.digest_failed++;
		(void)edge_flow_event(flow, BIND_EV_REFUSED, EDGE_END_DIGEST, "Digest was refused",
		                      NULL);
	} else if (r->status == 407 && !proof) {
		if (!edge_flow_challenged(flow))
			(void)edge_flow_event(flow, BIND_EV_CHALLENGE, EDGE_ENDS, "", NULL);
	} else {
		on_other(flow);
	}
}
