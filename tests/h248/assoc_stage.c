/* SPDX-License-Identifier: Apache-2.0 */
#include "assoc_stage.h"

/* ---- a controller ---- */

static void mgc_reply_fn(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                         const struct h248_transaction *reply)
{
	struct mgc *m = arg;

	(void)msg;
	if (outcome != H248_OUTCOME_REPLY)
		return;
	m->replies++;
	m->code = reply->error ? reply->error->code : 0;
}

void mgc_ask(struct mgc *m)
{
	struct base_arena arena = { 0 };

	assert_int_equal(h248_txn_request(m->mg, net_audit(&arena), 0, mgc_reply_fn, m, NULL), 0);
	base_arena_done(&arena);
}

static void mgc_accept(struct mgc *m, struct h248_incoming *in)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, 0);
	struct h248_action *action = h248_action_add(&arena, reply, H248_CONTEXT_NULL);
	struct h248_command *c =
	        h248_command_add(&arena, action, H248_SERVICE_CHANGE, BASE_STR("ROOT"));
	struct h248_services *s = h248_services_add(&arena, c);
	struct h248_mid mid;

	assert_non_null(s);
	if (m->version) {
		s->has_version = true;
		s->version = (uint8_t)m->version;
	}
	if (m->wants.name.len) {
		s->has_profile = true;
		s->profile = m->wants.name;
		s->profile_version = m->wants.version;
	}
	if (m->redirect) {
		struct h248_addr to = net_addr(m->redirect, H248_UDP);

		mid = h248_addr_mid(&to);
		s->mgc_id = &mid;
	} else if (m->name) {
		mid = (struct h248_mid){ .kind = H248_MID_DOMAIN, .name = base_str_of(m->name) };
		s->mgc_id = &mid;
	} else if (m->device) {
		mid = (struct h248_mid){ .kind = H248_MID_DEVICE, .name = base_str_of(m->device) };
		s->mgc_id = &mid;
	} else if (m->at) {
		mid = (struct h248_mid){ .kind = H248_MID_DOMAIN,
			                 .name = base_str_of(m->at),
			                 .port = 2955,
			                 .has_port = true };
		s->address = &mid;
	} else if (m->port) {
		mid = (struct h248_mid){ .kind = H248_MID_PORT, .port = m->port, .has_port = true };
		s->address = &mid;
	}
	assert_int_equal(h248_txn_reply(in, reply), 0);
	if (m->version)
		h248_peer_version_set(m->mg, m->version);
	base_arena_done(&arena);
}

static void mgc_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                        const struct h248_transaction *req)
{
	struct mgc *m = arg;
	const struct h248_command *c = req->actions->commands;
	struct base_arena arena = { 0 };

	m->mg = h248_incoming_peer(in);
	h248_peer_addr_set(m->mg, h248_incoming_from(in));
	if (c->kind == H248_SERVICE_CHANGE) {
		const struct h248_services *s = h248_command_services(c);

		m->changes++;
		m->method = s->method;
		m->reason = s->reason_code;
		m->offered = s->has_version ? s->version : 0;
		m->header = msg->version;
		m->timed = s->time.digits[0] != 0;
		snprintf(m->profile, sizeof(m->profile), "%.*s/%u", BASE_FMT(s->profile),
		         s->profile_version);
	} else {
		m->notifies++;
	}
	if (m->ask_first)
		mgc_ask(m);
	if (m->silent)
		return;
	if (m->forgetful && m->method == H248_DISCONNECTED && c->kind == H248_SERVICE_CHANGE) {
		h248_txn_reply_error(in, m->forgetful, NULL);
	} else if (m->refuse_above && m->offered > m->refuse_above &&
	           c->kind == H248_SERVICE_CHANGE) {
		h248_txn_reply_error(in, H248_E_VERSION, NULL);
	} else if (m->insists && c->kind == H248_SERVICE_CHANGE && strcmp(m->profile, m->insists)) {
		h248_txn_reply_error(in, H248_E_PROFILE, NULL);
	} else if (m->refuse) {
		h248_txn_reply_error(in, m->refuse, NULL);
	} else if (c->kind == H248_SERVICE_CHANGE) {
		mgc_accept(m, in);
	} else {
		(void)h248_txn_reply(in, net_audit_reply(&arena, 0));
		base_arena_done(&arena);
	}
}

static bool mgc_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)arg;
	(void)from;
	(void)msg;
	return true;
}

/* ---- the gateway ---- */

static void mg_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct mg *g = arg;
	struct base_arena arena = { 0 };
	const struct h248_command *c = req->actions->commands;

	(void)msg;
	g->requests++;
	if (c->kind == H248_SERVICE_CHANGE) {
		const struct h248_services *s = h248_command_services(c);

		assert_int_equal(s->method, H248_HAND_OFF);
		assert_int_equal(h248_assoc_handoff(g->assoc, s->mgc_id), 0);
	}
	(void)h248_txn_reply(in, net_audit_reply(&arena, 0));
	base_arena_done(&arena);
}

static void mg_up(void *arg, struct h248_peer *peer)
{
	struct mg *g = arg;

	g->ups++;
	g->peer = peer;
	assert_ptr_equal(h248_assoc_peer(g->assoc), peer);
}

static void mg_down(void *arg, struct h248_peer *peer, enum h248_assoc_cause cause)
{
	struct mg *g = arg;

	assert_ptr_equal(peer, g->peer);
	g->peer = NULL;
	g->downs++;
	g->cause = cause;
}

static void mg_refused(void *arg, const struct h248_addr *controller, unsigned code,
                       const char *why, struct base_str text)
{
	struct mg *g = arg;

	snprintf(g->refused, sizeof(g->refused), "%u %u %s: %.*s", controller->ip[3], code, why,
	         BASE_FMT(text));
}

static void mg_gone(void *arg)
{
	((struct mg *)arg)->gone++;
}

static void mg_state(void *arg, enum h248_assoc_state from, enum h248_assoc_state to,
                     const char *event)
{
	assert_int_not_equal(from, to);
	assert_non_null(event);
	((struct mg *)arg)->seen[to]++;
}

static void mg_resolve(void *arg, uint32_t lookup, const char *name, unsigned family)
{
	struct mg *g = arg;

	g->lookup = lookup;
	g->lookups++;
	g->family = family;
	snprintf(g->looked, sizeof(g->looked), "%s", name);
}

void mg_answer(struct stage *s, unsigned host)
{
	struct h248_addr found = net_addr(host, H248_UDP);

	found.port = 0; /* is not what a name tells */
	h248_assoc_resolved(s->mg.assoc, s->mg.lookup, host ? &found : NULL);
}

static struct h248_time mg_time(void *arg)
{
	(void)arg;
	return h248_time_of(1772961173, 42);
}

void mgc_new(struct stage *s, unsigned n, enum h248_transport_kind kind)
{
	struct h248_txn_ops ops = { .on_request = mgc_request,
		                    .on_stranger = mgc_stranger,
		                    .arg = &s->mgc[n] };

	s->mgc[n] = (struct mgc){ .net = &s->net, .number = n, .version = 3 };
	net_host_new(&s->net, n, kind, NULL, &ops);
}

/* `count` controllers in the list: hosts 2, 3, 4. */
static void stage_with(struct stage *s, enum h248_transport_kind kind, size_t controllers,
                       struct h248_assoc_config config)
{
	struct h248_controller list[3] = { 0 };
	struct h248_assoc_ops ops = { .on_request = mg_request,
		                      .on_up = mg_up,
		                      .on_down = mg_down,
		                      .on_gone = mg_gone,
		                      .on_refused = mg_refused,
		                      .on_state = mg_state,
		                      .resolve = mg_resolve,
		                      .wall_time = mg_time };
	struct h248_txn_ops txn_ops = { 0 };

	net_init(&s->net);
	for (unsigned i = 0; i < 3; i++) {
		list[i].addr = net_addr(2 + i, kind);
		mgc_new(s, 2 + i, kind);
	}
	if (!config.controllers) {
		config.controllers = list;
		config.controllers_count = controllers;
	}
	if (s->no_names)
		ops.resolve = NULL;
	s->mg = (struct mg){ .net = &s->net };
	assert_int_equal(h248_assoc_new(&s->mg.assoc, &config, &ops, &s->mg), 0);
	h248_assoc_txn_ops(&txn_ops);
	txn_ops.arg = s->mg.assoc;
	net_host_new(&s->net, 1, kind, NULL, &txn_ops);
	h248_assoc_attach(s->mg.assoc, s->net.host[1].txn);
}

int setup(void **state)
{
	*state = calloc(1, sizeof(struct stage));
	assert_non_null(*state);
	stage_with(*state, H248_UDP, 3, (struct h248_assoc_config){ 0 });
	return 0;
}

static void stage_done(struct stage *s)
{
	net_done(&s->net);
	h248_assoc_free(s->mg.assoc);
}

int teardown(void **state)
{
	stage_done(*state);
	free(*state);
	return 0;
}

void restart(struct stage *s, enum h248_transport_kind kind, size_t controllers,
             struct h248_assoc_config config)
{
	stage_done(s);
	stage_with(s, kind, controllers, config);
}

enum h248_assoc_state state_of(const struct stage *s)
{
	return h248_assoc_state(s->mg.assoc);
}

void start(struct stage *s)
{
	h248_assoc_start(s->mg.assoc);
	net_run(&s->net, 100);
}

static void ignore(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                   const struct h248_transaction *reply)
{
	(void)arg;
	(void)outcome;
	(void)msg;
	(void)reply;
}

void mg_asks(struct stage *s)
{
	struct base_arena arena = { 0 };

	assert_int_equal(h248_txn_request(s->mg.peer, net_audit(&arena), 0, ignore, NULL, NULL), 0);
	base_arena_done(&arena);
}
