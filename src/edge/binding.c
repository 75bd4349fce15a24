/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow of a UE: the table's actions (docs/state-binding.md), its deadlines, and where its binding
 * is found: by IMPI, by session.
 */
#include <assert.h>
#include <stdlib.h>

#include "edge/private.h"

#define PROVING_MS 64000

/* -- deadlines -- */

static void on_timer(void *arg);

void edge_flow_arm(struct edge_flow *flow)
{
	struct edge_core *core = flow->core;
	uint64_t due = BASE_MIN(flow->late_ms, BASE_MIN(flow->expires_ms, flow->aged_ms));

	if (due == EDGE_NEVER)
		loop_timers_stop(&core->timers, &flow->timer);
	else
		loop_timers_start(&core->timers, &flow->timer,
		                  due > core->timers.now_ms ? due - core->timers.now_ms : 0,
		                  on_timer, flow);
}

static uint64_t lifetime_end(const struct edge_flow *flow)
{
	return flow->born_ms + flow->core->rules->p.lifetime_ms;
}

/* A call may outlive the time to register. */
static bool calls(const struct edge_flow *flow)
{
	return flow->emergency || flow->emergencies;
}

/* What a state waits for, once it has come to it. */
static void deadlines(struct edge_flow *flow)
{
	const struct edge_policy *p = &flow->core->rules->p;
	uint64_t now = flow->core->timers.now_ms;

	flow->late_ms = flow->aged_ms = EDGE_NEVER;
	if (!edge_bind_bound(flow->state))
		flow->expires_ms = EDGE_NEVER;
	switch (flow->state) {
	case BIND_NEW:
		flow->late_ms = calls(flow) ? EDGE_NEVER : now + p->unregistered_ms;
		break;
	case BIND_CHALLENGED:
		flow->late_ms = calls(flow) ? EDGE_NEVER : now + p->challenge_ms;
		break;
	case BIND_BOUND:
		flow->aged_ms = lifetime_end(flow) - p->renew_before_ms;
		break;
	case BIND_RENEWING:
		flow->aged_ms = now + p->renew_timeout_ms;
		break;
	case BIND_TOLERATED:
		flow->aged_ms = flow->born_ms + EDGE_OLD_MS;
		break;
	case BIND_PROVING: /* the core answers, or timer F does, within 32 s */
		flow->late_ms = calls(flow) ? EDGE_NEVER : now + PROVING_MS;
		break;
	default:
		break;
	}
}

void edge_flow_emergency(struct edge_flow *flow)
{
	flow->emergencies += flow->emergencies < UINT8_MAX;
	flow->late_ms = EDGE_NEVER;
	edge_flow_arm(flow);
}

void edge_flow_emergency_answered(struct edge_flow *flow, bool accepted)
{
	flow->emergencies -= flow->emergencies > 0;
	flow->emergency |= accepted;
	if (calls(flow) || edge_bind_bound(flow->state))
		return;
	deadlines(flow);
	edge_flow_arm(flow);
}

void edge_core_not_rekeyed(struct edge_core *core, uint64_t id)
{
	struct edge_flow *flow;

	edge_core_begin(core);
	flow = edge_flow_find(core, id);
	if (flow && (flow->state == BIND_RENEWING || (flow->half && flow->state == BIND_BOUND))) {
		uint64_t now = core->timers.now_ms;
		enum bind_event event = BIND_EV_IGNORED;

		flow->half = false;
		flow->born_ms = flow->whole_ms;
		if (core->rules->p.tolerate_ignored)
			event = BIND_EV_TOLERATED;
		else if (now + core->rules->p.renew_before_ms < lifetime_end(flow))
			event = BIND_EV_SPARED;
		if (event == BIND_EV_IGNORED && now < lifetime_end(flow) &&
		    flow->state == BIND_RENEWING) {
			flow->aged_ms = lifetime_end(flow); /* it may still do it */
			edge_flow_arm(flow);
		} else {
			core->count.ignored++;
			(void)edge_flow_event(flow, event, EDGE_END_IGNORED,
			                      "it did not renegotiate", NULL);
		}
	}
	edge_core_done(core);
}

static void on_aged(struct edge_flow *flow)
{
	if (flow->state == BIND_BOUND)
		(void)edge_flow_event(flow, BIND_EV_AGED, EDGE_END_IGNORED, "", NULL);
	else if (flow->state == BIND_TOLERATED)
		(void)edge_flow_event(flow, BIND_EV_OLD, EDGE_END_IGNORED,
		                      "its session is 24 hours old", NULL);
	else
		edge_core_not_rekeyed(flow->core, flow->id);
}

static void on_timer(void *arg)
{
	struct edge_flow *flow = arg;
	uint64_t now = flow->core->timers.now_ms;

	if (flow->expires_ms <= now &&
	    edge_flow_less(flow, EDGE_SET_NONE, "other identities did not register again in time"))
		return;
	if (flow->expires_ms <= now)
		(void)edge_flow_event(flow, BIND_EV_EXPIRED, EDGE_END_EXPIRED,
		                      "it did not register again in time", NULL);
	else if (flow->late_ms <= now)
		(void)edge_flow_event(flow, BIND_EV_LATE, EDGE_END_EXPIRED,
		                      "nobody registered on it in time", NULL);
	else if (flow->aged_ms <= now)
		on_aged(flow);
	else
		edge_flow_arm(flow);
}

/* -- who is told -- */

void edge_flow_view(const struct edge_flow *flow, struct edge_binding *ret)
{
	const struct edge_bound *b = flow->bound;

	*ret = (struct edge_binding){
		.flow = flow->id,
		.address = { flow->address, flow->address_len },
		.port = flow->port,
		.session = { (const char *)flow->session, flow->session_len },
		.impi = base_str_of(b->user->impi),
		.impus = b->impus,
		.impu_count = b->impu_count,
		.impus_left_out = b->left_out,
		.routes = b->routes,
		.route_count = b->route_count,
		.contact = b->contact,
		.expires_ms = flow->expires_ms,
		.flow_key = { flow->key, EDGE_FLOW_KEY },
	};
}

static void tell(struct edge_flow *flow, enum edge_told what, enum edge_end end, const char *why)
{
	struct edge_binding view;

	edge_flow_view(flow, &view);
	flow->core->ops.told(
	        flow->core->ops.arg,
	        &(struct edge_event){
	                .what = what, .end = end, .flow = flow->id, .binding = &view, .why = why });
}

void edge_flow_note(struct edge_core *core, uint64_t id, const char *why)
{
	const struct edge_flow *flow = edge_flow_find(core, id);
	struct edge_event event = { .what = EDGE_TOLD_NOTE, .flow = id, .why = why };
	struct edge_binding view = { 0 };

	if (flow && flow->bound) {
		edge_flow_view(flow, &view);
		event.binding = &view;
	}
	core->ops.told(core->ops.arg, &event);
}

/* Take back what the registrar still has. */
void edge_part(struct edge_core *core, uint64_t id, const struct edge_bound *b,
               struct base_str impi)
{
	struct edge_parting parting;
	struct base_writer w = { 0 };
	char token[EDGE_TOKEN_MAX];

	if (!core->rules->p.deregister || !core->ops.part)
		return;
	edge_token_path(core, id, token);
	edge_uri_write(core, EDGE_CORE, false, token, false, &w);
	parting = (struct edge_parting){
		.registrar = b->registrar,
		.next = base_str_of(core->rules->p.registrar),
		.aor = b->aor,
		.impi = impi,
		.realm = b->realm,
		.path = base_writer_view(&w),
	};
	for (size_t i = 0; i < b->contact_count && !w.failed; i++) {
		parting.contact = b->contacts[i];
		core->ops.part(core->ops.arg, &parting);
	}
	base_writer_done(&w);
}

/* Does the registrar still have it when it ends so? */
static bool parts(enum edge_end end)
{
	return end != EDGE_END_UNREGISTERED && end != EDGE_END_EXPIRED &&
	       end != EDGE_END_REPLACED && end != EDGE_END_NETWORK;
}

/* -- where it is found -- */

/* Found by IMPI, an octet of value 0, which is in none (credentials.c), and realm. */
static struct edge_user *user_of(struct edge_core *core, struct base_str impi,
                                 struct base_str realm)
{
	struct base_str key = { NULL, impi.len + 1 + realm.len };
	struct edge_user *user = calloc(1, sizeof(*user) + key.len);
	struct base_map_node *node;

	if (!user)
		return NULL;
	memcpy(user->impi, impi.ptr, impi.len);
	if (realm.len)
		memcpy(user->impi + impi.len + 1, realm.ptr, realm.len);
	key.ptr = user->impi;
	node = base_map_find(&core->users, key);
	if (!node && !base_map_insert(&core->users, key, &user->node)) {
		base_list_init(&user->bounds);
		return user;
	}
	free(user);
	return node ? BASE_CONTAINER_OF(node, struct edge_user, node) : NULL;
}

static void user_drop(struct edge_core *core, struct edge_user *user)
{
	if (user->count)
		return;
	base_map_remove(&core->users, &user->node);
	free(user);
}

void edge_flow_unlist(struct edge_flow *flow)
{
	if (flow->in_session)
		base_map_remove(&flow->core->sessions, &flow->by_session);
	flow->in_session = false;
}

static void session_in(struct edge_flow *flow)
{
	struct base_str key = { (const char *)flow->session, flow->session_len };

	edge_flow_unlist(flow);
	/* one that two bound flows share is found at the first alone, to be noted, not to decide */
	if (!base_map_find(&flow->core->sessions, key) &&
	    !base_map_insert(&flow->core->sessions, key, &flow->by_session))
		flow->in_session = true;
}

static void detach(struct edge_flow *flow)
{
	struct edge_bound *b = flow->bound;
	struct edge_user *user = b->user;

	edge_flow_unlist(flow);
	base_list_remove(&b->of_user);
	user->count--;
	user_drop(flow->core, user);
	edge_bound_free(b);
	flow->bound = NULL;
	flow->core->bound--;
}

/* The same UE again replaces what it had; too many of one IMPI: the oldest goes. */
static void make_room(struct edge_flow *flow)
{
	const struct edge_core *core = flow->core;
	const struct edge_bound *b = flow->bound;
	struct edge_user *user = b->user;

	BASE_LIST_EACH(&user->bounds, n, after)
	{
		struct edge_bound *other = BASE_CONTAINER_OF(n, struct edge_bound, of_user);
		bool same = other != b && edge_bound_same_contact(other->contact, b->contact);

		if (same)
			(void)edge_flow_event(other->flow, BIND_EV_DROP, EDGE_END_REPLACED,
			                      "the same contact registered on another flow", NULL);
		else if (other != b && user->count > core->rules->p.bindings_max)
			(void)edge_flow_event(other->flow, BIND_EV_DROP, EDGE_END_CROWD,
			                      "too many flows of one IMPI", NULL);
	}
}

/* -- actions -- */

static void attach(struct edge_flow *flow, struct edge_bound *fresh, struct edge_user *user)
{
	fresh->flow = flow;
	if (flow->bound) { /* a refresh keeps its place; IMPIs of one flow are the same */
		fresh->user = flow->bound->user;
		base_list_insert(&flow->bound->of_user, &fresh->of_user);
		base_list_remove(&flow->bound->of_user);
		edge_bound_free(flow->bound);
		flow->bound = fresh;
		return;
	}
	fresh->user = user;
	base_list_append(&user->bounds, &fresh->of_user);
	user->count++;
	flow->bound = fresh;
	flow->core->bound++;
	session_in(flow);
}

bool edge_flow_less(struct edge_flow *flow, uint32_t set, const char *why)
{
	if (!flow->bound || !edge_bound_less(flow->bound, set, flow->core->timers.now_ms))
		return false;
	flow->expires_ms = edge_bound_until(flow->bound);
	edge_flow_arm(flow);
	tell(flow, EDGE_TOLD_REFRESHED, EDGE_ENDS, why);
	return true;
}

void edge_flow_until(struct edge_flow *flow, uint64_t expires_ms)
{
	edge_bound_shorten(flow->bound, expires_ms);
	flow->expires_ms = expires_ms;
	edge_flow_arm(flow);
	tell(flow, EDGE_TOLD_REFRESHED, EDGE_ENDS, "shortened by the network");
}

static void bind(struct edge_flow *flow, const struct edge_made *made, bool again)
{
	struct edge_core *core = flow->core;
	struct edge_bound *fresh;
	struct edge_user *user;

	assert(made); /* whoever says yes says what to */
	fresh = edge_bound_new(core->rules, made);
	user = again ? flow->bound->user : fresh ? user_of(core, made->impi, made->realm) : NULL;
	if (!fresh || !user) { /* memory: the registration stands where it stood */
		edge_bound_free(fresh);
		if (!again)
			flow->state = BIND_NEW;
		edge_flow_note(core, flow->id, "memory is short: nothing is bound");
		return;
	}
	attach(flow, fresh, user);
	flow->expires_ms = edge_bound_until(fresh);
	flow->refused = flow->challenges = 0;
	if (again)
		core->count.refreshed++;
	else
		core->count.bound++;
	tell(flow, again ? EDGE_TOLD_REFRESHED : EDGE_TOLD_BOUND, EDGE_ENDS, "");
	if (!again)
		make_room(flow);
}

static void unbind(struct edge_flow *flow, enum edge_end end, const char *why)
{
	if (!flow->bound)
		return;
	flow->core->count.unbound++;
	tell(flow, EDGE_TOLD_UNBOUND, end, why);
	if (parts(end))
		edge_part(flow->core, flow->id, flow->bound, base_str_of(flow->bound->user->impi));
	detach(flow);
}

static void close_flow(struct edge_flow *flow, bool forget, const char *why)
{
	struct edge_core *core = flow->core;

	if (core->passing && core->passing_flow == flow->id)
		*core->passing =
		        (struct edge_passing){ .close = true, .forget = forget, .why = why };
	else
		core->ops.close(core->ops.arg, flow->id, forget, why);
}

void edge_flow_free(struct edge_flow *flow)
{
	if (flow->bound)
		detach(flow);
	loop_timers_stop(&flow->core->timers, &flow->timer);
	base_map_remove(&flow->core->flows, &flow->by_id);
	free(flow);
}

/* @return false: it is freed */
static bool act(struct edge_flow *flow, enum bind_action action, enum edge_end end, const char *why,
                const struct edge_made *made)
{
	struct edge_core *core = flow->core;

	switch (action) {
	case BIND_DO_BIND:
		bind(flow, made, false);
		break;
	case BIND_DO_REFRESH:
		bind(flow, made, true);
		return true; /* its session goes on as it went: no other deadline */
	case BIND_DO_UNBIND:
		unbind(flow, end, why);
		break;
	case BIND_DO_RENEW:
		core->ops.renew(core->ops.arg, flow->id);
		break;
	case BIND_DO_REKEY:
		flow->born_ms = core->timers.now_ms;
		if (!flow->half)
			flow->whole_ms = flow->born_ms;
		if (!flow->bound)
			return true;
		core->count.rekeyed++;
		session_in(flow);
		tell(flow, EDGE_TOLD_REKEYED, EDGE_ENDS, "");
		break;
	case BIND_DO_CLOSE:
	case BIND_DO_FORGET:
		close_flow(flow, action == BIND_DO_FORGET, why);
		unbind(flow, end, why);
		edge_flow_free(flow);
		return false;
	case BIND_DO_BURY:
		unbind(flow, end, why);
		edge_flow_free(flow);
		return false;
	case BIND_DO_NOTHING:
	case BIND_DO_WAIT:
	case BIND_DO_GO_ON:
	case BIND_DO_PART: /* of no flow that is there: register.c */
	case BIND_ACTIONS:
		break;
	}
	if (flow->state == BIND_CLOSED) { /* one without TLS that is lost */
		edge_flow_free(flow);
		return false;
	}
	deadlines(flow);
	return true;
}

bool edge_flow_event(struct edge_flow *flow, enum bind_event event, enum edge_end end,
                     const char *why, const struct edge_made *made)
{
	struct bind_step step = edge_bind_step(flow->state, event);

	if (!step.legal)
		return true;
	flow->state = (enum bind_state)step.next;
	if (!act(flow, (enum bind_action)step.action, end, why, made))
		return false;
	edge_flow_arm(flow);
	return true;
}

bool edge_flow_challenged(struct edge_flow *flow)
{
	if (edge_bind_bound(flow->state) || ++flow->challenges <= flow->core->rules->p.refused_max)
		return false;
	return !edge_flow_event(flow, BIND_EV_CROSSED, EDGE_END_LOST,
	                        "too many REGISTERs that came to nothing", NULL);
}
