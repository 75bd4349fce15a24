/* SPDX-License-Identifier: Apache-2.0 */
/** @file The controller's side of Mp against a gateway's association, over UDP on the loopback. */
#include "check.h"
#include "mgc/mgc.h"

#define STEPS 4000

/* A gateway that answers what the test says, and what its controller heard of it. */
struct stage {
	struct loop *loop;
	struct mgc_mp *mp;
	struct h248_gateway *gw;
	struct mgc_mrfp *mrfp;
	char asked[2048]; /* the last request, as text */
	unsigned refuse;  /* error code for the next request; 0 = done */
	bool mute;
	unsigned ups, downs, told, done;
	bool fresh;
	char why[128], type[16], name[32], term[32], local[256];
	uint32_t context;
	uint16_t stream;
	unsigned code;
};

/* ---- the gateway ---- */

static void media_answer(struct base_arena *arena, struct h248_command *c)
{
	struct h248_media *media = h248_media_add(arena, c);
	struct h248_stream *s = h248_stream_add(arena, media, 1);

	s->local = BASE_STR("v=0\r\nc=IN IP4 127.0.0.1\r\nm=message 4711 TCP/TLS/MSRP *\r\n");
	s->has_local = true;
}

static void gw_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct stage *st = user;
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, h248_incoming_id(in));
	struct h248_action *a;
	struct h248_command *c;
	const struct h248_command *asked = req->actions->commands;

	(void)msg;
	if (st->mute) {
		base_arena_done(&arena);
		return;
	}
	assert_int_equal(h248_text_encode_transaction(&w, req, 3, H248_TEXT_PRETTY), 0);
	(void)snprintf(st->asked, sizeof(st->asked), "%s", base_writer_cstr(&w));
	base_writer_done(&w);
	a = h248_action_add(&arena, reply,
	                    req->actions->context == H248_CONTEXT_CHOOSE ? 7
	                                                                 : req->actions->context);
	c = h248_command_add(&arena, a, (enum h248_command_kind)asked->kind,
	                     asked->kind == H248_ADD ? BASE_STR("ip/1/1") : asked->term.name);
	if (st->refuse)
		(void)h248_error_add(&arena, c, st->refuse, NULL);
	else if (asked->kind == H248_ADD)
		media_answer(&arena, c);
	assert_int_equal(h248_txn_reply(in, reply), 0);
	base_arena_done(&arena);
}

static void gw_up(void *user, struct h248_peer *peer)
{
	(void)user;
	(void)peer;
}

static void gw_down(void *user, struct h248_peer *peer, enum h248_assoc_cause cause)
{
	(void)user;
	(void)peer;
	(void)cause;
}

static void gw_gone(void *user)
{
	(void)user;
}

static void gateway_start(struct stage *st)
{
	const struct h248_assoc_ops ops = {
		.on_request = gw_request, .on_up = gw_up, .on_down = gw_down, .on_gone = gw_gone
	};
	struct h248_controller to = { .addr = *mgc_mp_local(st->mp) };
	const struct h248_assoc_config assoc = { .controllers = &to, .controllers_count = 1 };
	struct h248_node_config node = { 0 };
	struct h248_addr local;
	struct base_error err = { 0 };

	to.addr.conn = 0;
	node.txn.mid = (struct h248_mid){ .kind = H248_MID_DEVICE, .name = BASE_STR("mrfp1") };
	assert_int_equal(h248_gateway_new(&st->gw, st->loop, &node, &assoc, &ops, st), 0);
	assert_int_equal(h248_addr_parse(H248_UDP, BASE_STR("127.0.0.1"), 0, &local), 0);
	local.port = 0;
	assert_int_equal(h248_node_listen(h248_gateway_node(st->gw), &local, &err), 0);
	h248_assoc_start(h248_gateway_assoc(st->gw));
}

/* ---- its controller ---- */

static void on_up(void *arg, struct mgc_mrfp *mrfp, bool fresh)
{
	struct stage *st = arg;

	st->ups++;
	st->mrfp = mrfp;
	st->fresh = fresh;
}

static void on_down(void *arg, struct mgc_mrfp *mrfp, const char *why)
{
	struct stage *st = arg;

	assert_ptr_equal(mrfp, st->mrfp);
	st->downs++;
	(void)snprintf(st->why, sizeof(st->why), "%s", why);
}

static void on_told(void *arg, struct mgc_mrfp *mrfp, const struct mgc_told *told)
{
	struct stage *st = arg;

	(void)mrfp;
	st->told++;
	st->context = told->context;
	st->stream = told->stream;
	(void)snprintf(st->term, sizeof(st->term), "%.*s", BASE_FMT(told->term));
	(void)snprintf(st->type, sizeof(st->type), "%.*s", BASE_FMT(told->type));
	(void)snprintf(st->name, sizeof(st->name), "%.*s/%.*s", BASE_FMT(told->name.package),
	               BASE_FMT(told->name.item));
}

static void on_done(void *arg, const struct mgc_done *done)
{
	struct stage *st = arg;
	const struct h248_stream *s = h248_media_stream(done->media, 1);

	st->done++;
	st->code = done->code;
	st->context = done->context;
	(void)snprintf(st->term, sizeof(st->term), "%.*s", BASE_FMT(done->term));
	(void)snprintf(st->local, sizeof(st->local), "%.*s", s ? (int)s->local.len : 0,
	               s && s->local.ptr ? s->local.ptr : "");
}

static const struct mgc_mp_config plain = { .version = 3, .lost_ms = 1000 };

static struct stage *stage_new(const struct mgc_mp_config *from)
{
	struct stage *st = calloc(1, sizeof(*st));
	struct mgc_mp_config config = *from;
	const struct mgc_mp_ops ops = { on_up, on_down, on_told, NULL, st };
	struct base_error err = { 0 };

	assert_non_null(st);
	assert_int_equal(loop_new(&st->loop), 0);
	assert_int_equal(h248_addr_parse(H248_UDP, BASE_STR("127.0.0.1"), 0, &config.listen), 0);
	config.listen.port = 0;
	config.node.txn.mid =
	        (struct h248_mid){ .kind = H248_MID_DEVICE, .name = BASE_STR("mrfc") };
	assert_int_equal(mgc_mp_new(&st->mp, st->loop, &config, &ops, &err), 0);
	return st;
}

static void stage_free(struct stage *st)
{
	h248_gateway_free(st->gw);
	mgc_mp_free(st->mp);
	loop_free(st->loop);
	free(st);
}

static void run_until(struct stage *st, const unsigned *count, unsigned least)
{
	for (unsigned i = 0; i < STEPS && *count < least; i++)
		assert_int_equal(loop_run_once(st->loop, 10), 0);
	assert_true(*count >= least);
}

static struct stage *stage_up(const struct mgc_mp_config *config)
{
	struct stage *st = stage_new(config);

	gateway_start(st);
	run_until(st, &st->ups, 1);
	return st;
}

/* ---- tests ---- */

static void a_gateway_registers(void **state)
{
	struct stage *st = stage_up(&plain);

	(void)state;
	assert_true(st->fresh);
	assert_int_equal(mgc_mp_count(st->mp), 1);
	assert_ptr_equal(mgc_mp_pick(st->mp), st->mrfp);
	for (unsigned i = 0; i < STEPS && !h248_assoc_peer(h248_gateway_assoc(st->gw)); i++)
		assert_int_equal(loop_run_once(st->loop, 10), 0);
	assert_int_equal(h248_peer_version(h248_assoc_peer(h248_gateway_assoc(st->gw))), 3);
	stage_free(st);
}

static const uint8_t key[] = { 0xaa, 0xbb, 0xcc, 0xdd };

static struct mgc_order add_order(void)
{
	struct mgc_order order = { .kind = H248_ADD,
		                   .context = H248_CONTEXT_CHOOSE,
		                   .term = BASE_STR("$"),
		                   .stream_count = 1,
		                   .events = 1 };
	struct mgc_stream *s = &order.streams[0];

	s->id = 1;
	s->local = BASE_STR("v=0\r\nc=IN IP4 $\r\nm=message $ TCP/TLS/MSRP *\r\n");
	s->props[0] = (struct mgc_prop){ "gatehouse/dom", BASE_STR("conference"), true };
	s->prop_count = 1;
	s->psk_id = "alice";
	s->psk = key;
	s->psk_len = sizeof(key);
	s->tcp_start = s->tls_start = true;
	return order;
}

/** Address, key, role and events go in one command; context, termination and address come back. */
static void an_add_is_answered(void **state)
{
	struct stage *st = stage_up(&plain);
	struct mgc_order order = add_order();
	struct base_error err = { 0 };

	(void)state;
	assert_int_equal(mgc_mrfp_order(st->mrfp, &order, on_done, st, &err), 0);
	run_until(st, &st->done, 1);
	assert_int_equal(st->code, 0);
	assert_int_equal(st->context, 7);
	assert_string_equal(st->term, "ip/1/1");
	assert_non_null(strstr(st->local, "m=message 4711"));
	assert_non_null(strstr(st->asked, "gatehouse/psk = aabbccdd"));
	assert_non_null(strstr(st->asked, "gatehouse/pskid = \"alice\""));
	assert_non_null(strstr(st->asked, "tcpbcc/BNCChange"));
	assert_non_null(strstr(st->asked, "tlsbsc/BNCChange"));
	/* TCP before TLS */
	assert_non_null(strstr(st->asked, "tcpbcc/EstBNC"));
	assert_non_null(strstr(strstr(st->asked, "tcpbcc/EstBNC"), "tlsbsc/EstBNC"));
	stage_free(st);
}

static void a_refusal_is_told(void **state)
{
	struct stage *st = stage_up(&plain);
	const struct mgc_order order = add_order();

	(void)state;
	st->refuse = H248_E_RESOURCES;
	assert_int_equal(mgc_mrfp_order(st->mrfp, &order, on_done, st, NULL), 0);
	run_until(st, &st->done, 1);
	assert_int_equal(st->code, H248_E_RESOURCES);
	assert_int_equal(mgc_mp_counters(st->mp)->failed, 1);
	stage_free(st);
}

/* One Notify, or ServiceChange, of the gateway's. */
static void gw_send(struct stage *st, const char *actions)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg;
	struct base_error err = { 0 };
	char text[1024];

	(void)snprintf(text, sizeof(text), "MEGACO/3 mrfp1\nTransaction = 1 { %s }\n", actions);
	assert_int_equal(h248_text_decode(&arena, text, strlen(text), NULL, &msg, &err), 0);
	assert_int_equal(h248_txn_request(h248_assoc_peer(h248_gateway_assoc(st->gw)),
	                                  msg->transactions, 0, NULL, NULL, NULL),
	                 0);
	base_arena_done(&arena);
}

static void gw_registered(struct stage *st)
{
	for (unsigned i = 0; i < STEPS && !h248_assoc_peer(h248_gateway_assoc(st->gw)); i++)
		assert_int_equal(loop_run_once(st->loop, 10), 0);
}

static void failures_are_told(void **state)
{
	struct stage *st = stage_up(&plain);

	(void)state;
	gw_registered(st);
	gw_send(st, "Context = 7 { Notify = ip/1/1 { ObservedEvents = 1 { 20261122T04000000 : "
	            "tlsbsc/BNCChange { Stream = 2, Type = EstFail, Alert = 51, Cause = "
	            "\"peer-alert\" } } } }");
	run_until(st, &st->told, 1);
	assert_int_equal(st->context, 7);
	assert_int_equal(st->stream, 2);
	assert_string_equal(st->term, "ip/1/1");
	assert_string_equal(st->type, "EstFail");
	assert_string_equal(st->name, "tlsbsc/BNCChange");
	stage_free(st);
}

/** Forced of a termination is its end; Graceful of ROOT lets no new context in, Forced is a loss.
 */
static void service_changes_are_heard(void **state)
{
	struct stage *st = stage_up(&plain);

	(void)state;
	gw_registered(st);
	gw_send(st, "Context = 7 { ServiceChange = ip/1/1 { Services { Method = Forced, Reason = "
	            "\"906 Loss of lower layer connectivity\" } } }");
	run_until(st, &st->told, 1);
	assert_string_equal(st->term, "ip/1/1");
	assert_string_equal(st->name, "/");
	gw_send(st, "Context = - { ServiceChange = ROOT { Services { Method = Graceful, Reason = "
	            "\"905 Termination taken out of service\", Delay = 30 } } }");
	for (unsigned i = 0; i < STEPS && mgc_mp_pick(st->mp); i++)
		assert_int_equal(loop_run_once(st->loop, 10), 0);
	assert_null(mgc_mp_pick(st->mp));
	assert_int_equal(mgc_mp_count(st->mp), 1);
	gw_send(st, "Context = - { ServiceChange = ROOT { Services { Method = Forced, Reason = "
	            "\"905 Termination taken out of service\" } } }");
	run_until(st, &st->downs, 1);
	assert_int_equal(mgc_mp_count(st->mp), 0);
	/* who has left does not come in again by leaving once more */
	gw_send(st, "Context = - { ServiceChange = ROOT { Services { Method = Graceful, Reason = "
	            "\"905 Termination taken out of service\", Delay = 30 } } }");
	gw_send(st, "Context = - { ServiceChange = ROOT { Services { Method = Disconnected, "
	            "Reason = \"900 Service Restored\" } } }");
	run_until(st, &st->ups, 2);
	assert_true(st->fresh);
	stage_free(st);
}

/** 901, 902: whatever it had is gone. */
static void a_restart_is_a_loss(void **state)
{
	struct stage *st = stage_up(&plain);

	(void)state;
	gw_registered(st);
	gw_send(st, "Context = - { ServiceChange = ROOT { Services { Method = Restart, Reason = "
	            "\"901 Cold Boot\" } } }");
	run_until(st, &st->ups, 2);
	assert_int_equal(st->downs, 1);
	assert_true(st->fresh);
	assert_ptr_equal(mgc_mp_pick(st->mp), st->mrfp);
	stage_free(st);
}

/** A silent one is asked whether it lives; nobody answers: it is lost, and orders go unanswered. */
static void silence_is_a_loss(void **state)
{
	struct mgc_mp_config config = plain;
	const struct mgc_order order = add_order();
	struct stage *st;

	(void)state;
	config.audit_ms = 20;
	config.node.txn.t_max_ms = 100;
	st = stage_up(&config);
	st->mute = true;
	assert_int_equal(mgc_mrfp_order(st->mrfp, &order, on_done, st, NULL), 0);
	run_until(st, &st->downs, 1);
	assert_int_equal(st->done, 0);
	assert_string_equal(st->why, "a request was not answered");
	assert_null(mgc_mp_pick(st->mp));
	stage_free(st);
}

/** The owner of an order may have gone before: freeing tells nobody. */
static void the_end_tells_nobody(void **state)
{
	const struct mgc_order order = add_order();
	struct stage *st = stage_up(&plain);

	(void)state;
	st->mute = true;
	assert_int_equal(mgc_mrfp_order(st->mrfp, &order, on_done, st, NULL), 0);
	mgc_mp_free(st->mp);
	st->mp = NULL;
	assert_int_equal(st->done, 0);
	assert_int_equal(st->downs, 0);
	stage_free(st);
}

/** Without a list only this machine and TLS may register; with one, who is in it. */
static void strangers_are_refused(void **state)
{
	static const char *const others[] = { "<other.example>" };
	struct mgc_mp_config config = plain;
	struct stage *st;

	(void)state;
	config.gateways = others;
	config.gateways_count = 1;
	st = stage_new(&config);
	gateway_start(st);
	for (unsigned i = 0; i < STEPS && !mgc_mp_counters(st->mp)->refused; i++)
		assert_int_equal(loop_run_once(st->loop, 10), 0);
	assert_true(mgc_mp_counters(st->mp)->refused > 0);
	assert_int_equal(mgc_mp_count(st->mp), 0);
	stage_free(st);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gateway_registers),       cmocka_unit_test(an_add_is_answered),
		cmocka_unit_test(a_refusal_is_told),         cmocka_unit_test(failures_are_told),
		cmocka_unit_test(service_changes_are_heard), cmocka_unit_test(a_restart_is_a_loss),
		cmocka_unit_test(silence_is_a_loss),         cmocka_unit_test(the_end_tells_nobody),
		cmocka_unit_test(strangers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
