/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3525, Annex D, on a stage with a virtual clock: at most once, and surely. */
#include "check.h"

#include "txn_stage.h"

/* ---- the plain way ---- */

static void request_and_reply(void **state)
{
	struct stage *s = *state;
	uint32_t id = stage_ask(s);

	assert_int_equal(h248_peer_outgoing(s->peer), 1);
	assert_int_equal(s->answers.replies, 0);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->net.host[1].sent, 1);
	assert_int_equal(s->net.host[2].sent, 1);
	assert_int_equal(h248_peer_mid(s->peer)->kind, H248_MID_IP4); /* learned */
	assert_int_equal(h248_peer_rtt_ms(s->peer), 20);
	assert_int_equal(id, 1001);
	assert_int_equal(stage_ask(s), 1002); /* unique, growing */
	net_run(&s->net, 60000);
	assert_int_equal(h248_txn_deadline(s->net.host[1].txn), UINT64_MAX);
	assert_int_equal(h248_txn_deadline(s->net.host[2].txn), UINT64_MAX);
}

/* D.1.2.2: the acknowledgement rides on the next message; the reply is then forgotten. */
static void acknowledgement_rides_along(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < 3; i++)
		stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(stage_count(s, 2)->rx_acks, 0);
	stage_ask(s);
	assert_true(stage_sent_has(s, 1, "K{1001-1003}"));
	net_run(&s->net, 100);
	assert_int_equal(stage_count(s, 2)->rx_acks, 3);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 4); /* the ids stay */
}

/* ---- losses ---- */

static void lost_request_is_repeated(void **state)
{
	struct stage *s = *state;
	unsigned who = 1;

	s->net.drop = stage_drop_first;
	s->net.arg = &who;
	stage_ask(s);
	net_run(&s->net, 199);
	assert_int_equal(s->net.host[1].sent, 1);
	net_run(&s->net, 1000);
	assert_int_equal(s->net.host[1].sent, 2);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(stage_count(s, 1)->tx_retransmissions, 1);
	assert_int_equal(h248_peer_rtt_ms(s->peer), 0); /* nobody knows which one was answered */
}

static void lost_reply_is_repeated_from_memory(void **state)
{
	struct stage *s = *state;
	unsigned who = 2;

	s->net.drop = stage_drop_first;
	s->net.arg = &who;
	stage_ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(stage_count(s, 2)->rx_repeated, 1);
	assert_int_equal(stage_count(s, 2)->tx_replies_repeated, 1);
}

static void duplicates_execute_once(void **state)
{
	struct stage *s = *state;

	s->net.dup = 100;
	stage_ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(stage_count(s, 2)->rx_repeated, 1);
	assert_true(stage_count(s, 1)->rx_replies_stray > 0);
}

/* D.1.3: the pauses grow; D.1.5: T-MAX ends it. */
static void silence_is_given_up_after_t_max(void **state)
{
	struct stage *s = *state;
	unsigned who = 1, sent = 1;
	uint64_t start = s->net.now_ms, last = start, gap = 0, first_gap = 0;

	s->net.drop = stage_drop_all;
	s->net.arg = &who;
	stage_ask(s);
	while (!s->answers.timeouts && net_step(&s->net, UINT64_MAX - 1)) {
		if (s->net.host[1].sent == sent)
			continue;
		sent = s->net.host[1].sent;
		gap = s->net.now_ms - last;
		last = s->net.now_ms;
		first_gap = first_gap ? first_gap : gap;
		assert_true(gap <= 4000);
	}
	assert_int_equal(s->answers.timeouts, 1);
	assert_int_equal(s->answers.at_ms - start, 25000);
	assert_int_equal(first_gap, 200);
	assert_true(gap >= 2000); /* between half of the bound and the bound */
	assert_in_range(sent, 8, 20);
	assert_int_equal(h248_peer_outgoing(s->peer), 0);
	assert_int_equal(s->server.executed, 0);
}

static void timer_follows_the_round_trip(void **state)
{
	struct stage *s = *state;

	s->net.delay_ms = 300;
	for (int i = 0; i < 40; i++) {
		stage_ask(s);
		net_run(&s->net, 5000);
	}
	assert_int_equal(s->answers.replies, 40);
	assert_in_range(h248_peer_rtt_ms(s->peer), 595, 700);
	assert_in_range(h248_peer_rto_ms(s->peer), 600, 1500);
	assert_true(stage_count(s, 1)->tx_retransmissions < 10); /* only until it was learned */
}

/* ---- at most once ---- */

static void long_timer_purges(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, stage_request_7);
	net_run(&s->net, 29999);
	net_inject(&s->net, &from, 2, stage_request_7);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 1);
	net_run(&s->net, 1);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
	net_inject(&s->net, &from, 2, stage_request_7); /* a new transaction by the same number */
	assert_int_equal(s->server.executed, 2);
	/* Each has its own time, though one timer serves all of a peer. */
	net_run(&s->net, 20000);
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 T=8{C=-{AV=ROOT{AT{}}}}");
	net_run(&s->net, 10000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 1);
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 T=8{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 3);
	net_run(&s->net, 20000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
}

static void acknowledged_stays_known(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);
	unsigned sent;

	net_inject(&s->net, &from, 2, stage_request_7);
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 K{0-4294967295,9-3}");
	assert_int_equal(stage_count(s, 2)->rx_acks, 1);
	sent = s->net.host[2].sent;
	net_inject(&s->net, &from, 2, stage_request_7);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->net.host[2].sent, sent); /* D.1.2.2: silently discarded */
}

static void same_id_of_another_peer_is_another(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, stage_request_7);
	net_inject(&s->net, &from, 2, "!/1 <mgc.example.net> T=7{C=-{AV=ROOT{AT{}}}}");
	net_inject(&s->net, &from, 2, "!/1 <MGC.Example.NET> T=7{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 2);
}

static void several_transactions_in_a_message(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2,
	           "!/1 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}T=8{C=-{AV=ROOT{AT{}}}}"
	           "T=7{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 2);
	assert_int_equal(stage_count(s, 2)->rx_repeated, 1);
}

static void full_table_refuses_and_forgets_nothing(void **state)
{
	static const struct h248_txn_config small = { .max_incoming = 2 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, NULL, &small);
	for (int i = 0; i < 3; i++)
		stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->server.executed, 2);
	assert_int_equal(s->answers.replies, 3);
	assert_int_equal(s->answers.code, H248_E_BUSY);
	assert_int_equal(stage_count(s, 2)->rx_refused, 1);
	net_run(&s->net, 31000);
	stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.code, 0);
}

/* ---- peers that come and go ---- */

static void freed_peer_cancels_and_discards(void **state)
{
	struct stage *s = *state;
	struct h248_peer *client;
	uint32_t id;

	s->server.hold = true;
	id = stage_ask(s);
	stage_ask(s);
	net_run(&s->net, 100);
	h248_txn_cancel(s->net.host[1].txn, id);
	h248_txn_cancel(s->net.host[1].txn, id);
	assert_int_equal(s->answers.cancelled, 1);
	h248_peer_free(s->peer);
	assert_int_equal(s->answers.cancelled, 2);

	client = h248_peer_next(s->net.host[2].txn, NULL);
	assert_int_equal(h248_peer_executing(client), 2);
	h248_peer_free(client);
	assert_null(h248_incoming_peer(s->server.held[0]));
	(void)stage_answer(&s->server, s->server.held[0]);
	assert_int_equal(s->net.host[2].sent, 0);
	assert_int_equal(stage_count(s, 2)->late_replies, 1);
	/* the other one is freed with its entity */
}

static void requests_move_to_another_peer(void **state)
{
	struct stage *s = *state;
	struct server third;
	struct h248_txn_ops ops = stage_server(&third, &s->net);
	struct h248_addr addr = net_addr(3, H248_UDP);
	struct h248_peer *to;

	net_host_new(&s->net, 3, H248_UDP, NULL, &ops);
	net_host_free(&s->net, 2);
	stage_ask(s);
	stage_ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(h248_peer_new(&to, s->net.host[1].txn, &addr), 0);
	h248_peer_move(s->peer, to);
	assert_int_equal(h248_peer_outgoing(s->peer), 0);
	assert_int_equal(h248_peer_outgoing(to), 2);
	h248_peer_free(s->peer);
	assert_int_equal(s->answers.cancelled, 0);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 2);
	assert_int_equal(third.executed, 2);
}

static void kept_model_outlives_the_callback(void **state)
{
	struct stage *s = *state;

	s->server.hold = s->server.keep_model = true;
	stage_ask(s);
	net_run(&s->net, 50);
	s->server.keep_model = false;
	s->server.hold = false;
	for (int i = 0; i < 5; i++) {
		stage_ask(s);
		net_run(&s->net, 50);
	}
	assert_int_equal(s->server.req->id, 1001);
	assert_true(base_str_eq(s->server.req->actions->commands->term.name, BASE_STR("ROOT")));
	(void)stage_answer(&s->server, s->server.held[0]);
}

static void two_entities_share_nothing(void **state)
{
	struct stage *s = *state;
	struct server third;
	struct h248_txn_ops ops = stage_server(&third, &s->net);

	net_host_new(&s->net, 3, H248_UDP, NULL, &ops);
	stage_ask(s);
	net_run(&s->net, 100);
	net_inject(&s->net, &s->net.host[1].addr, 3,
	           "!/1 [10.0.0.1]:2944 T=1001{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(third.executed, 1);
}

/* ---- TCP ---- */

static void tcp_repeats_nothing(void **state)
{
	struct stage *s = *state;
	unsigned who = 1;

	stage_restart(s, H248_TCP, NULL, NULL);
	s->net.drop = stage_drop_all;
	s->net.arg = &who;
	stage_ask(s);
	net_run(&s->net, 10000);
	assert_int_equal(s->net.host[1].sent, 1);
	s->net.drop = NULL; /* the connection is there again */
	h248_peer_resend(s->peer);
	h248_peer_resend(s->peer);
	net_run(&s->net, 100);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->answers.replies, 1);

	s->net.drop = stage_drop_all;
	stage_ask(s);
	net_run(&s->net, 24999);
	assert_int_equal(s->answers.timeouts, 0);
	net_run(&s->net, 2);
	assert_int_equal(s->answers.timeouts, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(request_and_reply),
		STAGE(acknowledgement_rides_along),
		STAGE(lost_request_is_repeated),
		STAGE(lost_reply_is_repeated_from_memory),
		STAGE(duplicates_execute_once),
		STAGE(silence_is_given_up_after_t_max),
		STAGE(timer_follows_the_round_trip),
		STAGE(long_timer_purges),
		STAGE(acknowledged_stays_known),
		STAGE(same_id_of_another_peer_is_another),
		STAGE(several_transactions_in_a_message),
		STAGE(full_table_refuses_and_forgets_nothing),
		STAGE(freed_peer_cancels_and_discards),
		STAGE(requests_move_to_another_peer),
		STAGE(kept_model_outlives_the_callback),
		STAGE(two_entities_share_nothing),
		STAGE(tcp_repeats_nothing),
	};

	return cmocka_run_group_tests_name("txn", tests, NULL, NULL);
}
