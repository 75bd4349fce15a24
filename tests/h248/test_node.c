/* SPDX-License-Identifier: Apache-2.0 */
/* Node, gateway and association over real loopback sockets: the shells around the tested cores. */
#include "check.h"

#include "h248/h248.h"

struct mgc {
	struct h248_node *node;
	struct h248_addr local;
	struct h248_peer *mg;
	unsigned changes, notifies, lost, traced_in, traced_out, replies;
	uint8_t method;
	char reason[128];
};

static void mgc_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                        const struct h248_transaction *req)
{
	struct mgc *m = user;
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, 0);
	struct h248_action *action = h248_action_add(&arena, reply, H248_CONTEXT_NULL);
	const struct h248_command *c = req->actions->commands;

	(void)msg;
	m->mg = h248_incoming_peer(in);
	if (c->kind == H248_SERVICE_CHANGE) {
		struct h248_services *s = h248_services_add(
		        &arena,
		        h248_command_add(&arena, action, H248_SERVICE_CHANGE, BASE_STR("ROOT")));

		m->changes++;
		m->method = h248_command_services(c)->method;
		h248_peer_addr_set(m->mg, h248_incoming_from(in));
		s->has_version = true;
		s->version = 2;
	} else {
		m->notifies++;
		h248_command_add(&arena, action, H248_NOTIFY, BASE_STR("ROOT"));
	}
	assert_int_equal(h248_txn_reply(in, reply), 0);
	base_arena_done(&arena);
}

static bool mgc_stranger(void *user, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)user;
	(void)from;
	(void)msg;
	return true;
}

static void mgc_lost(void *user, struct h248_peer *peer, const char *reason)
{
	struct mgc *m = user;

	(void)peer;
	m->lost++;
	snprintf(m->reason, sizeof(m->reason), "%s", reason);
}

static void mgc_trace(void *user, bool out, const struct h248_addr *peer, const void *data,
                      size_t len)
{
	struct mgc *m = user;

	(void)peer;
	assert_true(len > 10 && memcmp(data, "!/", 2) == 0);
	m->traced_out += out;
	m->traced_in += !out;
}

static const struct h248_user_ops mgc_ops = { .on_request = mgc_request,
	                                      .on_stranger = mgc_stranger,
	                                      .on_lost = mgc_lost,
	                                      .on_trace = mgc_trace };

static void mgc_start(struct mgc *m, struct loop *loop, const struct h248_addr *where)
{
	struct h248_node_config config = { .txn.mid = { .kind = H248_MID_DOMAIN,
		                                        .name = BASE_STR("mgc.example.net") } };
	struct base_error err = { 0 };

	*m = (struct mgc){ .local = *where };
	assert_int_equal(h248_node_new(&m->node, loop, &config, &mgc_ops, m), 0);
	if (h248_node_listen(m->node, &m->local, &err) != 0)
		fail_msg("%s", err.text);
	m->local.conn = 0;
}

struct mg {
	struct h248_gateway *gw;
	unsigned ups, downs, gone, requests;
};

static void mg_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct mg *g = user;

	(void)msg;
	(void)req;
	g->requests++;
	h248_txn_reply_error(in, H248_E_NOT_IMPLEMENTED, NULL);
}

static void mg_up(void *user, struct h248_peer *peer)
{
	(void)peer;
	((struct mg *)user)->ups++;
}

static void mg_down(void *user, struct h248_peer *peer, enum h248_assoc_cause cause)
{
	(void)peer;
	(void)cause;
	((struct mg *)user)->downs++;
}

static void mg_gone(void *user)
{
	((struct mg *)user)->gone++;
}

static void mg_start(struct mg *g, struct loop *loop, const struct h248_addr *mgc,
                     uint32_t inactivity_ms)
{
	struct h248_node_config node = { .txn.mid = { .kind = H248_MID_DEVICE,
		                                      .name = BASE_STR("mg7") } };
	const struct h248_controller controller = { .addr = *mgc };
	struct h248_assoc_config assoc = { .controllers = &controller,
		                           .controllers_count = 1,
		                           .inactivity_ms = inactivity_ms,
		                           .retry_ms = 10 };
	static const struct h248_assoc_ops ops = {
		.on_request = mg_request, .on_up = mg_up, .on_down = mg_down, .on_gone = mg_gone
	};
	struct h248_addr local = *mgc;

	*g = (struct mg){ 0 };
	assert_int_equal(h248_gateway_new(&g->gw, loop, &node, &assoc, &ops, g), 0);
	local.port = 0;
	if (mgc->transport == H248_UDP)
		assert_int_equal(h248_node_listen(h248_gateway_node(g->gw), &local, NULL), 0);
	h248_assoc_start(h248_gateway_assoc(g->gw));
}

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	struct mgc *m = arg;

	(void)msg;
	assert_int_equal(outcome, H248_OUTCOME_REPLY);
	assert_int_equal(reply->error->code, H248_E_NOT_IMPLEMENTED);
	m->replies++;
}

static void mgc_ask(struct mgc *m)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	struct h248_action *action = h248_action_add(&arena, req, H248_CONTEXT_NULL);
	struct h248_command *c =
	        h248_command_add(&arena, action, H248_AUDIT_VALUE, BASE_STR("ROOT"));

	h248_audit_add(&arena, c, 0);
	assert_int_equal(h248_txn_request(m->mg, req, 0, on_reply, m, NULL), 0);
	base_arena_done(&arena);
}

#define UNTIL(loop, condition)                                                                     \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(loop, 5000), 0);                            \
	} while (0)

static int setup(void **state)
{
	return loop_new((struct loop **)state);
}

static int teardown(void **state)
{
	loop_free(*state);
	return 0;
}

static struct h248_addr loopback(enum h248_transport_kind kind)
{
	struct h248_addr a;

	assert_int_equal(h248_addr_parse(kind, BASE_STR("127.0.0.1"), 0, &a), 0);
	return a;
}

static void whole_life(struct loop *loop, enum h248_transport_kind kind)
{
	struct h248_addr where = loopback(kind);
	struct mgc m;
	struct mg g;

	mgc_start(&m, loop, &where);
	mg_start(&g, loop, &m.local, 20);
	UNTIL(loop, g.ups == 1);
	assert_int_equal(m.method, H248_RESTART);
	mgc_ask(&m);
	UNTIL(loop, m.replies == 1);
	assert_int_equal(g.requests, 1);
	UNTIL(loop, m.notifies >= 2); /* keep-alive */
	h248_assoc_stop(h248_gateway_assoc(g.gw), H248_FORCED, H248_R_OUT_OF_SERVICE);
	UNTIL(loop, g.gone == 1);
	assert_int_equal(m.method, H248_FORCED);
	assert_int_equal(g.downs, 1);
	assert_true(m.traced_in >= 4 && m.traced_out >= 4);
	if (kind == H248_TCP) { /* who has left has closed its connection */
		UNTIL(loop, m.lost == 1);
		assert_int_equal(h248_transport_conns(h248_node_transport(m.node)), 0);
	}
	h248_gateway_free(g.gw);
	h248_node_free(m.node);
}

static void over_udp(void **state)
{
	whole_life(*state, H248_UDP);
}

static void over_tcp(void **state)
{
	whole_life(*state, H248_TCP);
}

/* The controller is not there yet, comes, dies, and comes again at the same place. */
static void controller_that_comes_and_goes(void **state)
{
	struct loop *loop = *state;
	struct h248_addr where = loopback(H248_TCP);
	struct mgc m;
	struct mg g;

	mgc_start(&m, loop, &where);
	where = m.local;
	h248_node_free(m.node);

	mg_start(&g, loop, &where, 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(loop_run_once(loop, 5), 0);
	assert_int_equal(g.ups, 0);
	mgc_start(&m, loop, &where);
	UNTIL(loop, g.ups == 1);
	assert_int_equal(m.method, H248_RESTART);

	h248_node_free(m.node);
	UNTIL(loop, g.downs == 1);
	mgc_start(&m, loop, &where);
	UNTIL(loop, g.ups == 2);
	assert_int_equal(m.method, H248_DISCONNECTED);

	h248_gateway_free(g.gw);
	UNTIL(loop, m.lost == 1);
	assert_string_equal(m.reason, "closed by the peer");
	h248_node_free(m.node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(over_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(over_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(controller_that_comes_and_goes, setup, teardown),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
