/* SPDX-License-Identifier: Apache-2.0 */
/* The association on a stage: host 1 is the gateway, hosts 2 to 4 are controllers. */
#include "check.h"

#include "net.h"

/* ---- a controller ---- */

struct mgc {
	struct net *net;
	unsigned number;
	unsigned refuse;   /* with this error code */
	unsigned redirect; /* to that host */
	const char *name;  /* or to that name */
	unsigned version;  /* to choose; 0 = says none */
	uint16_t port;     /* ServiceChangeAddress */
	bool silent;       /* executes, but never answers */
	bool ask_first;    /* sends a request before its reply */
	unsigned changes, notifies;
	uint8_t method;
	uint16_t reason;
	unsigned offered, header;
	char profile[32];
	bool timed;
	struct h248_peer *mg;
	unsigned replies, code;
};

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

static void mgc_ask(struct mgc *m)
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
	if (m->redirect) {
		struct h248_addr to = net_addr(m->redirect, H248_UDP);

		mid = h248_addr_mid(&to);
		s->mgc_id = &mid;
	} else if (m->name) {
		mid = (struct h248_mid){ .kind = H248_MID_DOMAIN, .name = base_str_of(m->name) };
		s->mgc_id = &mid;
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
	if (m->refuse) {
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

struct mg {
	struct net *net;
	struct h248_assoc *assoc;
	unsigned ups, downs, gone, requests;
	enum h248_assoc_cause cause;
	struct h248_peer *peer;
	char refused[128];                /* why the last controller did not take us */
	unsigned seen[H248_ASSOC_STATES]; /* times entered */
};

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

static struct h248_time mg_time(void *arg)
{
	(void)arg;
	return h248_time_of(1772961173, 42);
}

struct stage {
	struct net net;
	struct mgc mgc[NET_HOSTS];
	struct mg mg;
};

static void mgc_new(struct stage *s, unsigned n, enum h248_transport_kind kind)
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
	struct h248_addr list[3];
	struct h248_assoc_ops ops = { .on_request = mg_request,
		                      .on_up = mg_up,
		                      .on_down = mg_down,
		                      .on_gone = mg_gone,
		                      .on_refused = mg_refused,
		                      .on_state = mg_state,
		                      .wall_time = mg_time };
	struct h248_txn_ops txn_ops = { 0 };

	net_init(&s->net);
	for (unsigned i = 0; i < 3; i++) {
		list[i] = net_addr(2 + i, kind);
		mgc_new(s, 2 + i, kind);
	}
	config.controllers = list;
	config.controllers_count = controllers;
	s->mg = (struct mg){ .net = &s->net };
	assert_int_equal(h248_assoc_new(&s->mg.assoc, &config, &ops, &s->mg), 0);
	h248_assoc_txn_ops(&txn_ops);
	txn_ops.arg = s->mg.assoc;
	net_host_new(&s->net, 1, kind, NULL, &txn_ops);
	h248_assoc_attach(s->mg.assoc, s->net.host[1].txn);
}

static int setup(void **state)
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

static int teardown(void **state)
{
	stage_done(*state);
	free(*state);
	return 0;
}

static void restart(struct stage *s, enum h248_transport_kind kind, size_t controllers,
                    struct h248_assoc_config config)
{
	stage_done(s);
	stage_with(s, kind, controllers, config);
}

static enum h248_assoc_state state_of(const struct stage *s)
{
	return h248_assoc_state(s->mg.assoc);
}

static void start(struct stage *s)
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

static void mg_asks(struct stage *s)
{
	struct base_arena arena = { 0 };

	assert_int_equal(h248_txn_request(s->mg.peer, net_audit(&arena), 0, ignore, NULL, NULL), 0);
	base_arena_done(&arena);
}

/* ---- registration ---- */

static void restart_on_root_to_the_primary(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 3,
	        (struct h248_assoc_config){ .profile = BASE_STR("ResGW"), .profile_version = 1 });
	s->mgc[2].version = 2;
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mg.ups, 1);
	assert_int_equal(s->mgc[2].changes, 1);
	assert_int_equal(s->mgc[2].method, H248_RESTART);
	assert_int_equal(s->mgc[2].reason, 901);
	assert_int_equal(s->mgc[2].offered, 3);
	assert_int_equal(s->mgc[2].header, 1); /* the offer itself is version 1 */
	assert_string_equal(s->mgc[2].profile, "ResGW/1");
	assert_true(s->mgc[2].timed);
	assert_int_equal(s->mgc[3].changes, 0);

	mg_asks(s); /* from now on all is in the agreed version */
	assert_memory_equal(s->net.host[1].last, "!/2 ", 4);
}

static void nothing_to_do_after_registration(void **state)
{
	struct stage *s = *state;

	start(s);
	net_run(&s->net, 600000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->net.host[1].sent, 1); /* no keep-alive unless asked for */
}

static void service_change_address_is_used(void **state)
{
	struct stage *s = *state;

	s->mgc[2].port = 55944;
	start(s);
	assert_int_equal(h248_peer_addr(s->mg.peer)->port, 55944);
}

static void version_we_do_not_speak_is_refused(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .version = 2 });
	s->mgc[2].version = 3; /* more than we offered */
	s->mgc[3].version = 1;
	start(s);
	assert_int_equal(s->mgc[2].offered, 2);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(h248_peer_version(s->mg.peer), 1);
	assert_int_equal(s->mgc[3].changes, 1);
}

static void refusal_leads_to_the_next(void **state)
{
	struct stage *s = *state;

	s->mgc[2].refuse = H248_E_VERSION;
	s->mgc[3].refuse = H248_E_UNAVAILABLE;
	start(s);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(s->mgc[4].method, H248_RESTART);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void silence_leads_to_the_next(void **state)
{
	struct stage *s = *state;

	net_host_free(&s->net, 2);
	start(s);
	net_run(&s->net, 24800);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERING);
	net_run(&s->net, 300);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void registration_has_its_own_limit(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 3, (struct h248_assoc_config){ .register_ms = 3000 });
	s->mgc[2].silent = true; /* says Pending for ever */
	start(s);
	net_run(&s->net, 3100);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void lost_messages_do_not_matter(void **state)
{
	struct stage *s = *state;

	s->net.loss = 40;
	s->net.dup = 40;
	h248_assoc_start(s->mg.assoc);
	net_run(&s->net, 120000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].changes, 1);
}

static void mgc_id_to_try_is_followed(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	s->mgc[2].redirect = 4;
	start(s);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(s->mgc[4].method, H248_RESTART);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void a_name_to_try_is_told_and_passed_over(void **state)
{
	struct stage *s = *state;

	s->mgc[2].name = "mgc.example.net";
	start(s);
	assert_string_equal(s->mg.refused, "2 0 MgcIdToTry is a name, and names are not resolved: "
	                                   "mgc.example.net");
	assert_int_equal(s->mg.peer == NULL, 0);
	assert_int_equal(s->mgc[3].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void redirects_in_a_circle_end(void **state)
{
	struct stage *s = *state;

	s->mgc[2].redirect = 3;
	s->mgc[3].redirect = 2;
	start(s);
	net_run(&s->net, 1000);
	assert_true(s->mgc[2].changes + s->mgc[3].changes <= 12);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void rounds_wait_longer_and_longer(void **state)
{
	struct stage *s = *state;
	uint64_t began = 0, gap, last_gap = 0;

	s->mgc[2].refuse = s->mgc[3].refuse = s->mgc[4].refuse = H248_E_BUSY;
	start(s);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	for (unsigned round = 2; round < 12; round++) {
		began = s->net.now_ms;
		while (s->mgc[4].changes < round)
			assert_true(net_step(&s->net, s->net.now_ms + 100000));
		gap = s->net.now_ms - began;
		assert_true(gap <= 61000);
		assert_int_equal(s->mgc[2].changes, round);
		last_gap = gap;
	}
	assert_true(last_gap >= 30000);
	s->mgc[3].refuse = 0;
	net_run(&s->net, 100000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[3].method, H248_RESTART); /* it was never registered */
}

static void empty_list_waits(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 0, (struct h248_assoc_config){ 0 });
	start(s);
	net_run(&s->net, 10000);
	assert_int_equal(s->net.host[1].sent, 0);
	assert_true(s->mg.seen[H248_ASSOC_WAITING] >= 2);
}

static void mwd_delays_the_first_attempt(void **state)
{
	struct stage *s = *state;
	unsigned later = 0;

	for (int i = 0; i < 20; i++) {
		restart(s, H248_UDP, 1, (struct h248_assoc_config){ .mwd_ms = 600000 });
		start(s);
		later += s->mgc[2].changes == 0;
		net_run(&s->net, 600000);
		assert_int_equal(s->mgc[2].changes, 1);
	}
	assert_true(later >= 15); /* one in six thousand would come within the first 100 ms */
}

static void request_before_the_reply_gets_505(void **state)
{
	struct stage *s = *state;

	s->mgc[2].ask_first = true;
	start(s);
	assert_int_equal(s->mgc[2].code, H248_E_BEFORE_REPLY);
	assert_int_equal(s->mg.requests, 0);
	mgc_ask(&s->mgc[2]);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].code, 0);
	assert_int_equal(s->mg.requests, 1);
}

static void another_controller_gets_504(void **state)
{
	struct stage *s = *state;
	struct h248_addr to = net_addr(1, H248_UDP);

	start(s);
	assert_int_equal(h248_peer_new(&s->mgc[3].mg, s->net.host[3].txn, &to), 0);
	mgc_ask(&s->mgc[3]);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[3].code, H248_E_UNAUTHORIZED_ENTITY);
	assert_int_equal(s->mg.requests, 0);
}

static void a_borrowed_mid_gets_504(void **state)
{
	static const char audit[] = "!/3 [10.0.0.2]:2944 T=%u{C=-{AV=ROOT{AT{}}}}";
	struct h248_addr from = net_addr(4, H248_UDP);
	struct stage *s = *state;
	char text[100];

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .inactivity_ms = 10000 });
	start(s);
	snprintf(text, sizeof(text), audit, 71);
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 0);
	assert_non_null(strstr(s->net.host[1].last, "504"));
	/* Another port of the same host, and another controller of the list, are what they may be:
	 * a controller's requests need not come from where ours go (9). */
	from = net_addr(2, H248_UDP);
	from.port = 50000;
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 1);
	from = net_addr(3, H248_UDP);
	snprintf(text, sizeof(text), audit, 72);
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 2);
	/* It does not count as a sign of life either. */
	net_host_free(&s->net, 2);
	from = net_addr(4, H248_UDP);
	for (unsigned i = 0; i < 12; i++) {
		net_run(&s->net, 1000);
		net_inject(&s->net, &from, 1, text);
	}
	assert_int_equal(state_of(s), H248_ASSOC_PROBING);

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .any_source = true });
	start(s);
	net_inject(&s->net, &from, 1, text);
	assert_int_equal(s->mg.requests, 1);
}

static void a_borrowed_mid_does_not_answer(void **state)
{
	struct h248_addr from = net_addr(4, H248_UDP);
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	s->mgc[2].silent = true;
	start(s);
	net_inject(&s->net, &from, 1, "!/1 [10.0.0.4]:2944 P=1001{C=-{SC=ROOT{SV{V=3}}}}");
	assert_int_equal(s->mg.ups, 0);
	from = net_addr(2, H248_UDP);
	net_inject(&s->net, &from, 1, "!/1 [10.0.0.2]:2944 P=1001{C=-{SC=ROOT{SV{V=3}}}}");
	assert_int_equal(s->mg.ups, 1);
}

static void message_error_refuses_the_registration(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(2, H248_UDP);

	s->mgc[2].silent = true;
	start(s);
	net_inject(&s->net, &from, 1, "!/1 [10.0.0.2]:2944 ER=406{\"Version Not Supported\"}");
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[3].changes, 1);
}

/* ---- keeping it ---- */

static void inactivity_asks_and_stays(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .inactivity_ms = 10000 });
	start(s);
	net_run(&s->net, 9000);
	mgc_ask(&s->mgc[2]); /* a sign of life restarts the timer */
	net_run(&s->net, 9000);
	assert_int_equal(s->mgc[2].notifies, 0);
	net_run(&s->net, 1200);
	assert_int_equal(s->mgc[2].notifies, 1);
	assert_non_null(strstr(s->net.host[1].last, "it/ito"));
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	net_run(&s->net, 100000);
	assert_in_range(s->mgc[2].notifies, 9, 11);
	assert_int_equal(s->mg.downs, 0);

	h248_assoc_inactivity_set(s->mg.assoc, 0, 0);
	net_run(&s->net, 100000);
	assert_in_range(s->mgc[2].notifies, 9, 11);
	h248_assoc_inactivity_set(s->mg.assoc, 1000, 77);
	net_run(&s->net, 1500);
	assert_non_null(strstr(s->net.host[1].last, "OE=77{"));
}

static void dead_controller_is_replaced(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .inactivity_ms = 10000 });
	start(s);
	net_host_free(&s->net, 2);
	net_run(&s->net, 12000);
	assert_int_equal(state_of(s), H248_ASSOC_PROBING);
	net_run(&s->net, 25000);
	assert_int_equal(s->mg.downs, 1);
	assert_int_equal(s->mg.cause, H248_CAUSE_SILENT);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER); /* 11.5 */
	assert_int_equal(s->mgc[3].reason, 909);
	assert_int_equal(s->mgc[3].header, 1);
	assert_int_equal(s->mg.ups, 2);

	/* Now the second one dies and the first is back. */
	mgc_new(s, 2, H248_UDP);
	net_host_free(&s->net, 3);
	net_run(&s->net, 50000);
	assert_int_equal(s->mgc[2].method, H248_FAILOVER);
	assert_int_equal(s->mg.ups, 3);
}

static void only_controller_gets_disconnected(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	s->mgc[2].version = 2;
	start(s);
	h248_assoc_failed(s->mg.assoc); /* a request of the user's has run into T-MAX */
	assert_int_equal(s->mg.downs, 1);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	net_run(&s->net, 5000);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED);
	assert_int_equal(s->mgc[2].offered, 0); /* no registration: nothing to negotiate */
	assert_int_equal(s->mgc[2].header, 2);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void lost_connection_reconnects_at_once(void **state)
{
	struct stage *s = *state;
	struct h248_addr conn = net_addr(2, H248_TCP);

	restart(s, H248_TCP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	h248_txn_lost(s->net.host[1].txn, &conn, "closed by the peer");
	assert_int_equal(s->mg.cause, H248_CAUSE_LOST);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED);
	assert_int_equal(s->mg.ups, 2);

	s->mgc[2].refuse = H248_E_UNAVAILABLE;
	h248_txn_lost(s->net.host[1].txn, &conn, "closed by the peer");
	h248_txn_lost(s->net.host[1].txn, &conn, "Connection refused");
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER);
	assert_int_equal(s->mg.ups, 3);
}

/* D.1.1 and D.2: what was asked before the connection broke is repeated after it. */
static void lost_connection_does_not_execute_twice(void **state)
{
	static const char audit[] = "!/3 [10.0.0.2]:2944 T=71{C=-{AV=ROOT{AT{}}}}";
	struct stage *s = *state;
	struct h248_addr conn = net_addr(2, H248_TCP);

	restart(s, H248_TCP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	net_inject(&s->net, &conn, 1, audit);
	assert_int_equal(s->mg.requests, 1);
	s->mgc[2].silent = true; /* it gets our request, but its answer does not get here */
	mg_asks(s);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].notifies, 1);
	net_clear(&s->net);
	s->mgc[2].silent = false;
	h248_txn_lost(s->net.host[1].txn, &conn, "closed by the peer");
	net_run(&s->net, 100);
	assert_int_equal(s->mg.ups, 2);
	net_inject(&s->net, &conn, 1, audit);
	assert_int_equal(s->mg.requests, 1);
	assert_non_null(strstr(s->net.host[1].last, "P=71{"));
	/* The request has gone there again with its old TransactionID. */
	assert_int_equal(h248_txn_counters(s->net.host[2].txn)->rx_repeated, 1);
	assert_int_equal(s->mgc[2].notifies, 1);
}

static void hand_off(struct stage *s, unsigned to)
{
	char text[200];

	snprintf(text, sizeof(text),
	         "!/1 [10.0.0.2]:2944 T=%u{C=-{SC=ROOT{SV{MT=HO,RE=\"903\",MG=[10.0.0.%u]:2944}}}}",
	         90 + to, to);
	net_inject(&s->net, &s->net.host[2].addr, 1, text);
	assert_non_null(strstr(s->net.host[1].last, "P=9")); /* the reply leaves first */
	net_run(&s->net, 100);
}

static void handoff_is_followed(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	hand_off(s, 4); /* not in our list */
	assert_int_equal(s->mg.cause, H248_CAUSE_HANDOFF);
	assert_int_equal(s->mgc[4].method, H248_HAND_OFF);
	assert_int_equal(s->mgc[4].reason, 903);
	assert_int_equal(s->mg.ups, 2);
}

static void failed_handoff_goes_on_with_the_list(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	s->mgc[4].refuse = H248_E_UNAVAILABLE;
	start(s);
	hand_off(s, 4);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

/* ---- leaving ---- */

static void leaving_says_so(void **state)
{
	struct stage *s = *state;

	start(s);
	h248_assoc_stop(s->mg.assoc, H248_FORCED, H248_R_OUT_OF_SERVICE);
	assert_int_equal(s->mg.gone, 0);
	mgc_ask(&s->mgc[2]); /* still served */
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_FORCED);
	assert_int_equal(s->mgc[2].reason, 905);
	assert_int_equal(s->mgc[2].code, 0);
	assert_int_equal(s->mg.gone, 1);
	assert_int_equal(s->mg.cause, H248_CAUSE_LEFT);
	assert_int_equal(state_of(s), H248_ASSOC_GONE);
	net_run(&s->net, 100000);
	assert_int_equal(s->mgc[2].changes, 2);

	start(s); /* and it can begin again */
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void leaving_does_not_wait_for_ever(void **state)
{
	struct stage *s = *state;

	start(s);
	net_host_free(&s->net, 2);
	h248_assoc_stop(s->mg.assoc, H248_GRACEFUL, H248_R_MG_FAILURE);
	h248_assoc_stop(s->mg.assoc, H248_GRACEFUL, H248_R_MG_FAILURE);
	net_run(&s->net, 2999);
	assert_int_equal(s->mg.gone, 0);
	net_run(&s->net, 2);
	assert_int_equal(s->mg.gone, 1);
}

static void stop_works_in_every_state(void **state)
{
	struct stage *s = *state;

	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905); /* idle */
	assert_int_equal(s->mg.gone, 1);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ .mwd_ms = 1 });
	h248_assoc_start(s->mg.assoc); /* waiting */
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	assert_int_equal(s->mg.gone, 1);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	net_host_free(&s->net, 2);
	start(s); /* registering */
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	assert_int_equal(s->mg.gone, 1);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ .inactivity_ms = 1000 });
	start(s);
	net_host_free(&s->net, 2);
	net_run(&s->net, 2000);
	assert_int_equal(state_of(s), H248_ASSOC_PROBING);
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	net_run(&s->net, 4000);
	assert_int_equal(s->mg.gone, 1);
}

/* ---- the table ---- */

static void every_state_can_be_reached_and_left(void **state)
{
	bool reached[H248_ASSOC_STATES] = { [H248_ASSOC_IDLE] = true };
	bool left[H248_ASSOC_STATES] = { false };
	struct h248_assoc_row row;

	(void)state;
	for (int pass = 0; pass < H248_ASSOC_STATES; pass++) {
		for (size_t i = 0; h248_assoc_row(i, &row); i++) {
			if (reached[row.state])
				reached[row.next] = true;
			if (row.state != row.next)
				left[row.state] = true;
		}
	}
	for (int i = 0; i < H248_ASSOC_STATES; i++) {
		assert_true(reached[i]);
		assert_true(left[i]);
	}
}

static void every_waiting_state_has_a_timer(void **state)
{
	static const uint8_t waiting[] = { H248_ASSOC_WAITING, H248_ASSOC_REGISTERING,
		                           H248_ASSOC_PROBING, H248_ASSOC_LEAVING };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(waiting); i++)
		assert_true(h248_assoc_state_timed(waiting[i]));
}

static void no_event_has_two_rows(void **state)
{
	struct h248_assoc_row a, b;

	(void)state;
	for (size_t i = 0; h248_assoc_row(i, &a); i++) {
		for (size_t j = 0; j < i; j++) {
			(void)h248_assoc_row(j, &b);
			assert_false(a.state == b.state && strcmp(a.event, b.event) == 0);
		}
	}
}

static void draw(struct base_writer *w)
{
	struct h248_assoc_row row;

	base_writer_text(w, "# The control association, state by state\n"
	                    "\n"
	                    "Printed from the table in `src/h248/assoc.c` by "
	                    "`tests/h248/test_assoc.c`, which fails\n"
	                    "when the two differ (`GATEHOUSE_UPDATE_DOCS=1` writes it anew). "
	                    "Clauses: RFC 3525, 9.2,\n"
	                    "11.2 to 11.5, D.1.5. Events without a row are ignored.\n"
	                    "\n"
	                    "```mermaid\n"
	                    "stateDiagram-v2\n"
	                    "    [*] --> idle\n");
	for (size_t i = 0; h248_assoc_row(i, &row); i++)
		base_writer_printf(w, "    %s --> %s: %s / %s\n", h248_assoc_state_name(row.state),
		                   h248_assoc_state_name(row.next), row.event, row.action);
	base_writer_text(w, "    gone --> [*]\n"
	                    "```\n"
	                    "\n"
	                    "| State | Event | Action | Next |\n"
	                    "|---|---|---|---|\n");
	for (size_t i = 0; h248_assoc_row(i, &row); i++)
		base_writer_printf(w, "| %s | %s | %s | %s |\n", h248_assoc_state_name(row.state),
		                   row.event, row.action, h248_assoc_state_name(row.next));
}

static void the_picture_is_up_to_date(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer want = { 0 };
	char path[1024], have[16384];
	size_t len;
	FILE *f;

	(void)state;
	if (!root) {
		print_message("GATEHOUSE_SOURCE_ROOT is not set\n");
		skip();
	}
	draw(&want);
	snprintf(path, sizeof(path), "%s/docs/state-association.md", root);
	if (getenv("GATEHOUSE_UPDATE_DOCS")) {
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(want.data, 1, want.len, f), want.len);
		fclose(f);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(have, 1, sizeof(have) - 1, f);
	have[len] = '\0';
	fclose(f);
	assert_string_equal(have, base_writer_cstr(&want));
	base_writer_done(&want);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(restart_on_root_to_the_primary),
		CASE(nothing_to_do_after_registration),
		CASE(service_change_address_is_used),
		CASE(version_we_do_not_speak_is_refused),
		CASE(refusal_leads_to_the_next),
		CASE(silence_leads_to_the_next),
		CASE(registration_has_its_own_limit),
		CASE(lost_messages_do_not_matter),
		CASE(mgc_id_to_try_is_followed),
		CASE(a_name_to_try_is_told_and_passed_over),
		CASE(redirects_in_a_circle_end),
		CASE(rounds_wait_longer_and_longer),
		CASE(empty_list_waits),
		CASE(mwd_delays_the_first_attempt),
		CASE(request_before_the_reply_gets_505),
		CASE(another_controller_gets_504),
		CASE(a_borrowed_mid_gets_504),
		CASE(a_borrowed_mid_does_not_answer),
		CASE(message_error_refuses_the_registration),
		CASE(inactivity_asks_and_stays),
		CASE(dead_controller_is_replaced),
		CASE(only_controller_gets_disconnected),
		CASE(lost_connection_reconnects_at_once),
		CASE(lost_connection_does_not_execute_twice),
		CASE(handoff_is_followed),
		CASE(failed_handoff_goes_on_with_the_list),
		CASE(leaving_says_so),
		CASE(leaving_does_not_wait_for_ever),
		CASE(stop_works_in_every_state),
		cmocka_unit_test(every_state_can_be_reached_and_left),
		cmocka_unit_test(every_waiting_state_has_a_timer),
		cmocka_unit_test(no_event_has_two_rows),
		cmocka_unit_test(the_picture_is_up_to_date),
	};

	return cmocka_run_group_tests_name("assoc", tests, NULL, NULL);
}
