/* SPDX-License-Identifier: Apache-2.0 */
/* The core's life and that of flows; who is there; where messages go in. */
#include <stdlib.h>

#include "edge/private.h"

void edge_core_begin(struct edge_core *core)
{
	core->timers.now_ms = core->ops.now_ms(core->ops.arg);
}

void edge_core_done(struct edge_core *core)
{
	uint64_t due = loop_timers_deadline(&core->timers);

	if (due == core->told_ms)
		return;
	core->told_ms = due;
	if (core->ops.rearm)
		core->ops.rearm(core->ops.arg, due);
}

int edge_core_new(struct edge_core **ret, const struct edge_policy *policy,
                  const struct edge_core_ops *ops, uint64_t epoch, struct base_error *err)
{
	struct edge_core *core = calloc(1, sizeof(*core));
	int rc;

	if (!core)
		return BASE_ERR(BASE_LOCAL, 0);
	core->ops = *ops;
	core->epoch = epoch;
	core->told_ms = EDGE_NEVER;
	rc = edge_rules_make(&core->rules, policy, err);
	rc = rc ? rc : ops->token_key(ops->arg, epoch, core->token_key);
	if (rc) {
		edge_core_free(core);
		return rc;
	}
	ops->random(ops->arg, (uint8_t *)core->seed, sizeof(core->seed));
	edge_core_begin(core);
	*ret = core;
	return 0;
}

void edge_core_free(struct edge_core *core)
{
	struct base_map_node *node;

	if (!core)
		return;
	while ((node = base_map_next(&core->flows, NULL))) {
		struct edge_flow *flow = BASE_CONTAINER_OF(node, struct edge_flow, by_id);

		edge_flow_free(flow);
	}
	base_map_done(&core->flows);
	base_map_done(&core->users);
	base_map_done(&core->sessions);
	edge_rules_free(core->rules);
	base_wipe(core->token_key, sizeof(core->token_key));
	free(core);
}

int edge_core_policy(struct edge_core *core, const struct edge_policy *policy,
                     struct base_error *err)
{
	struct edge_rules *fresh = NULL;
	int rc = edge_rules_make(&fresh, policy, err);

	if (rc)
		return rc;
	edge_rules_free(core->rules);
	core->rules = fresh;
	return 0;
}

uint64_t edge_core_deadline(const struct edge_core *core)
{
	return loop_timers_deadline(&core->timers);
}

void edge_core_advance(struct edge_core *core)
{
	loop_timers_run(&core->timers, core->ops.now_ms(core->ops.arg));
	core->told_ms = 0; /* an owner's timer has fired: say it again */
	edge_core_done(core);
}

/* -- flows of UEs -- */

static struct base_str id_key(const uint64_t *id)
{
	return (struct base_str){ (const char *)id, sizeof(*id) };
}

struct edge_flow *edge_flow_find(const struct edge_core *core, uint64_t id)
{
	struct base_map_node *node = base_map_find(&core->flows, id_key(&id));

	return node ? BASE_CONTAINER_OF(node, struct edge_flow, by_id) : NULL;
}

static void session_set(struct edge_flow *flow, struct base_str session)
{
	flow->session_len = (uint8_t)BASE_MIN(session.len, (size_t)EDGE_SESSION_MAX);
	if (flow->session_len)
		memcpy(flow->session, session.ptr, flow->session_len);
}

static int add(struct edge_core *core, uint64_t id, const struct edge_peer *peer)
{
	size_t len = BASE_MIN(peer->address.len, (size_t)UINT8_MAX);
	struct edge_flow *flow = calloc(1, sizeof(*flow) + len);

	if (!flow)
		return BASE_ERR(BASE_LOCAL, 0);
	flow->core = core;
	flow->id = id;
	flow->port = peer->port;
	flow->address_len = (uint8_t)len;
	if (len)
		memcpy(flow->address, peer->address.ptr, len);
	session_set(flow, peer->session);
	flow->born_ms = core->timers.now_ms;
	flow->whole_ms = flow->born_ms;
	flow->late_ms = flow->born_ms + core->rules->p.unregistered_ms;
	flow->expires_ms = flow->aged_ms = EDGE_NEVER;
	edge_flow_key(core->epoch, id, flow->key);
	if (!edge_token_keep(flow) ||
	    base_map_insert(&core->flows, id_key(&flow->id), &flow->by_id)) {
		free(flow);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	if (!peer->tls || !flow->session_len)
		(void)edge_flow_event(flow, BIND_EV_PLAIN, EDGE_ENDS, "", NULL);
	else if (base_map_find(&core->sessions,
	                       (struct base_str){ (char *)flow->session, flow->session_len })) {
		/* a resumed session at another address or port: its binding stays where it is */
		core->count.shared_sessions++;
		edge_flow_note(core, id, "its TLS session is bound to another flow");
	}
	edge_flow_arm(flow);
	return 0;
}

int edge_core_up(struct edge_core *core, uint64_t id, const struct edge_peer *peer)
{
	int rc;

	edge_core_begin(core);
	rc = edge_flow_find(core, id) ? 0 : add(core, id, peer);
	edge_core_done(core);
	return rc;
}

static void named(struct edge_core *core, uint64_t id, struct base_str session, bool half)
{
	struct edge_flow *flow;

	edge_core_begin(core);
	flow = edge_flow_find(core, id);
	if (flow && session.len && flow->state != BIND_PLAIN) {
		flow->half = half;
		edge_flow_unlist(flow); /* before its key changes */
		session_set(flow, session);
		(void)edge_flow_event(flow, BIND_EV_REKEYED, EDGE_ENDS, "", NULL);
	}
	edge_core_done(core);
}

void edge_core_rekeyed(struct edge_core *core, uint64_t id, struct base_str session)
{
	named(core, id, session, false);
}

void edge_core_keys(struct edge_core *core, uint64_t id, struct base_str session)
{
	named(core, id, session, true);
}

void edge_core_answered(struct edge_core *core, uint64_t id)
{
	struct edge_flow *flow = edge_flow_find(core, id);

	if (flow && flow->state == BIND_TOLERATED) {
		uint8_t session[EDGE_SESSION_MAX];

		memcpy(session, flow->session, flow->session_len);
		named(core, id, (struct base_str){ (const char *)session, flow->session_len },
		      false);
	} else if (flow) {
		edge_core_begin(core);
		flow->half = false;
		flow->whole_ms = core->timers.now_ms;
		edge_core_done(core);
	}
}

void edge_core_lost(struct edge_core *core, uint64_t id)
{
	struct edge_flow *flow;

	edge_core_begin(core);
	flow = edge_flow_find(core, id);
	if (flow)
		(void)edge_flow_event(flow, BIND_EV_LOST, EDGE_END_LOST, "the connection is lost",
		                      NULL);
	edge_core_done(core);
}

unsigned edge_core_asks(struct edge_core *core, uint64_t id, int more)
{
	struct edge_flow *flow = edge_flow_find(core, id);

	if (!flow)
		return 0;
	flow->asked += (unsigned)more;
	return flow->asked;
}

/* -- messages -- */

int edge_core_request(struct edge_core *core, const struct edge_request *request,
                      struct base_arena *arena, struct edge_decision *ret)
{
	int rc;

	*ret = (struct edge_decision){ 0 };
	edge_core_begin(core);
	rc = request->side == EDGE_ACCESS ? edge_up_judge(core, request, arena, ret)
	                                  : edge_down_judge(core, request, arena, ret);
	if (!rc && ret->what == EDGE_REPLY && request->msg->method == SIP_ACK)
		ret->what = EDGE_DROP; /* nothing answers an ACK (RFC 3261, 17) */
	edge_core_done(core);
	return rc;
}

static void first_final(const struct edge_core *core, struct edge_decision *d, unsigned status)
{
	struct edge_flow *flow =
	        d->way == EDGE_WAY_EMERGENCY ? edge_flow_find(core, d->flow) : NULL;

	d->seen = true;
	if (flow)
		edge_flow_emergency_answered(flow, status < 300);
}

int edge_core_response(struct edge_core *core, const struct edge_response *response,
                       struct sip_edit *edit, struct edge_passing *ret)
{
	struct edge_decision *d = response->decision;

	*ret = (struct edge_passing){ 0 };
	if (d->seen && !response->msg)
		return 0;
	edge_core_begin(core);
	if (!d->seen && response->status >= 200)
		first_final(core, d, response->status);
	core->passing = ret;
	core->passing_flow = d->flow;
	edge_response_pass(core, response, edit);
	core->passing = NULL;
	edge_core_done(core);
	return edit && edit->failed ? BASE_ERR(BASE_LOCAL, 500) : 0;
}

/* -- who is there -- */

size_t edge_core_count(const struct edge_core *core)
{
	return core->bound;
}

size_t edge_core_flow_count(const struct edge_core *core)
{
	return core->flows.count;
}

bool edge_core_binding(const struct edge_core *core, uint64_t id, struct edge_binding *ret)
{
	const struct edge_flow *flow = edge_flow_find(core, id);

	if (!flow || !flow->bound)
		return false;
	edge_flow_view(flow, ret);
	return true;
}

void edge_core_each(const struct edge_core *core,
                    void (*fn)(void *arg, const struct edge_binding *binding), void *arg)
{
	for (struct base_map_node *n = base_map_next(&core->flows, NULL); n;
	     n = base_map_next(&core->flows, n)) {
		const struct edge_flow *flow = BASE_CONTAINER_OF(n, struct edge_flow, by_id);
		struct edge_binding view;

		if (!flow->bound)
			continue;
		edge_flow_view(flow, &view);
		fn(arg, &view);
	}
}

/* @return false: there is no such flow, or the event means nothing to it */
static bool order(struct edge_core *core, uint64_t id, enum bind_event event, enum edge_end end,
                  const char *why)
{
	struct edge_flow *flow;
	bool legal;

	edge_core_begin(core);
	flow = edge_flow_find(core, id);
	legal = flow && edge_bind_step(flow->state, event).legal;
	if (legal)
		(void)edge_flow_event(flow, event, end, why, NULL);
	edge_core_done(core);
	return legal;
}

bool edge_core_drop(struct edge_core *core, uint64_t flow)
{
	return order(core, flow, BIND_EV_DROP, EDGE_END_OPERATOR, "dropped");
}

bool edge_core_renew(struct edge_core *core, uint64_t flow)
{
	return order(core, flow, BIND_EV_AGED, EDGE_END_IGNORED, "");
}

bool edge_core_ended(struct edge_core *core, uint64_t flow)
{
	return order(core, flow, BIND_EV_NETWORK, EDGE_END_NETWORK,
	             "the network has ended the registration");
}

bool edge_core_shortened(struct edge_core *core, uint64_t id, uint32_t expires_s)
{
	struct edge_flow *flow;
	uint64_t until_ms;
	bool shorter;

	edge_core_begin(core);
	until_ms = core->timers.now_ms + 1000ULL * expires_s;
	flow = edge_flow_find(core, id);
	shorter = flow && flow->bound && until_ms < flow->expires_ms;
	if (shorter)
		edge_flow_until(flow, until_ms);
	edge_core_done(core);
	return shorter;
}

const struct edge_counters *edge_core_counters(const struct edge_core *core)
{
	return &core->count;
}
