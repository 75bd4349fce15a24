/* SPDX-License-Identifier: Apache-2.0 */
/* What a busy entity needs: acknowledgements in batches, company in messages, windows, blocks, a
 * transport that is full, replies that come late, counters by peer, and no wish for an answer. */
#include "check.h"

#include "txn_stage.h"

/* ---- acknowledgements ---- */

static void acknowledgement_leaves_by_its_timer(void **state)
{
	static const struct h248_txn_config c = { .ack_ms = 300 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, NULL);
	stage_ask(s);
	stage_ask(s);
	net_run(&s->net, 20 + 299);
	assert_int_equal(s->net.host[1].sent, 2);
	net_run(&s->net, 1);
	assert_int_equal(s->net.host[1].sent, 3);
	assert_true(stage_sent_has(s, 1, "K{1001-1002}"));
	net_run(&s->net, 60000);
	assert_int_equal(s->net.host[1].sent, 3);
	assert_int_equal(stage_count(s, 2)->rx_acks, 2);
	assert_int_equal(stage_count(s, 1)->tx_acks, 1);
}

static void acknowledgements_leave_in_batches(void **state)
{
	static const struct h248_txn_config c = { .ack_ms = 5000, .ack_max = 4 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, NULL);
	for (int i = 0; i < 5; i++)
		stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->net.host[1].sent, 6);
	assert_int_equal(stage_count(s, 2)->rx_acks, 4);
	net_run(&s->net, 5000);
	assert_int_equal(stage_count(s, 2)->rx_acks, 5);
}

/* More ranges than can be kept: sent, not forgotten. */
static void no_acknowledgement_is_forgotten(void **state)
{
	struct stage *s = *state;
	struct server third;
	struct h248_txn_ops ops = stage_server(&third, &s->net);
	struct h248_addr addr = net_addr(3, H248_UDP);
	struct h248_peer *second = s->peer, *other;

	net_host_new(&s->net, 3, H248_UDP, NULL, &ops);
	assert_int_equal(h248_peer_new(&other, s->net.host[1].txn, &addr), 0);
	for (int i = 0; i < 200; i++) { /* every second number is another peer's */
		s->peer = i % 2 ? other : second;
		stage_ask(s);
	}
	s->peer = second;
	net_run(&s->net, 100);
	assert_int_equal(stage_count(s, 2)->rx_acks, 96); /* three times all that can be kept */
	stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(stage_count(s, 2)->rx_acks, 100);
}

/* ---- company ---- */

static void requests_share_a_message(void **state)
{
	static const struct h248_txn_config c = { .bundle_ms = 5, .ack_ms = 20 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, &c);
	for (int i = 0; i < 3; i++)
		stage_ask(s);
	assert_int_equal(s->net.host[1].sent, 0);
	net_run(&s->net, 5);
	assert_int_equal(s->net.host[1].sent, 1);
	assert_true(stage_sent_has(s, 1, "T=1001{"));
	assert_true(stage_sent_has(s, 1, "T=1003{"));
	net_run(&s->net, 27); /* there, wait, and back */
	assert_int_equal(s->net.host[2].sent, 1);
	assert_int_equal(s->answers.replies, 3);
	assert_int_equal(stage_count(s, 1)->tx_bundled, 2);
	stage_ask(s);
	net_run(&s->net, 5);
	assert_true(stage_sent_has(s, 1, "K{1001-1003}")); /* a request, and what was owed */
	net_run(&s->net, 60000);
	assert_int_equal(s->answers.replies, 4);
	assert_int_equal(stage_count(s, 1)->tx_retransmissions, 0);
}

/* A bundle that waits takes along what has come to be owed meanwhile. */
static void acknowledgements_join_what_waits(void **state)
{
	static const struct h248_txn_config c = { .bundle_ms = 15 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, NULL);
	stage_ask(s);
	net_run(&s->net, 15 + 15);
	stage_ask(s); /* at 30; the reply to the first is there at 35 */
	net_run(&s->net, 15);
	assert_int_equal(s->net.host[1].sent, 2);
	assert_true(stage_sent_has(s, 1, "T=1002{"));
	assert_true(stage_sent_has(s, 1, "K{1001}"));
}

static void bundles_respect_their_size(void **state)
{
	static const struct h248_txn_config c = { .bundle_ms = 1000, .bundle_bytes = 120 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, NULL);
	for (int i = 0; i < 10; i++)
		stage_ask(s);
	assert_true(s->net.host[1].sent >= 2); /* full ones did not wait */
	assert_true(strlen(s->net.host[1].last) <= 120);
	net_run(&s->net, 2000);
	assert_int_equal(s->answers.replies, 10);
	assert_int_equal(s->server.executed, 10);
}

static void repetitions_go_alone_and_at_once(void **state)
{
	static const struct h248_txn_config c = { .bundle_ms = 5 };
	struct stage *s = *state;
	unsigned who = 1;

	stage_restart(s, H248_UDP, &c, NULL);
	s->net.drop = stage_drop_first;
	s->net.arg = &who;
	stage_ask(s);
	stage_ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->net.host[1].sent, 3);
	assert_int_equal(s->server.executed, 2);
	assert_int_equal(s->answers.replies, 2);
}

/* What is answered by a peer that is then parted with still leaves. */
static void a_freed_peer_gets_what_waited(void **state)
{
	static const struct h248_txn_config c = { .bundle_ms = 50 };
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	stage_restart(s, H248_UDP, NULL, &c);
	net_inject(&s->net, &from, 2, stage_request_7);
	assert_int_equal(s->net.host[2].sent, 0);
	h248_peer_free(h248_peer_next(s->net.host[2].txn, NULL));
	assert_true(stage_sent_has(s, 2, "P=7{"));
	net_run(&s->net, 1000);
	assert_int_equal(s->net.host[2].sent, 1);
}

/* ---- windows, blocks, full transports ---- */

static void window_holds_requests_back(void **state)
{
	static const struct h248_txn_config c = { .window = 2, .max_queued = 3 };
	struct stage *s = *state;
	struct base_arena arena = { 0 };

	stage_restart(s, H248_UDP, &c, NULL);
	for (int i = 0; i < 5; i++)
		stage_ask(s);
	assert_int_equal(s->net.host[1].sent, 2);
	assert_int_equal(h248_peer_outgoing(s->peer), 5);
	assert_int_equal(h248_peer_queued(s->peer), 3);
	assert_int_equal(stage_count(s, 1)->tx_queued, 3);
	assert_int_equal(base_err_detail(h248_txn_request(s->peer, net_audit(&arena), 0,
	                                                  stage_on_answer, &s->answers, NULL)),
	                 H248_E_RESOURCES);
	base_arena_done(&arena);
	net_run(&s->net, 20);
	assert_int_equal(s->answers.replies, 2);
	assert_int_equal(s->net.host[1].sent, 4);
	net_run(&s->net, 40);
	assert_int_equal(s->answers.replies, 5);
	assert_int_equal(h248_peer_queued(s->peer), 0);
	assert_int_equal(s->server.executed, 5);
}

static void blocked_peer_waits(void **state)
{
	struct stage *s = *state;
	uint32_t id;

	h248_peer_block(s->peer);
	assert_true(h248_peer_blocked(s->peer));
	stage_ask(s);
	id = stage_ask(s);
	stage_ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->net.host[1].sent, 0);
	h248_txn_cancel(s->net.host[1].txn, id);
	assert_int_equal(s->answers.cancelled, 1);
	h248_peer_unblock(s->peer);
	assert_int_equal(s->net.host[1].sent, 2);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 2);
	assert_int_equal(h248_peer_rtt_ms(s->peer), 20); /* waiting is not travelling */
}

static void blocked_requests_end_too(void **state)
{
	struct stage *s = *state;

	h248_peer_block(s->peer);
	stage_ask(s);
	net_run(&s->net, 24999);
	assert_int_equal(s->answers.timeouts, 0);
	net_run(&s->net, 1);
	assert_int_equal(s->answers.timeouts, 1);
	stage_ask(s);
	h248_peer_free(s->peer);
	assert_int_equal(s->answers.cancelled, 1);
}

static void full_transport_is_waited_for(void **state)
{
	struct stage *s = *state;
	struct h248_addr conn = net_addr(2, H248_TCP);

	stage_restart(s, H248_TCP, NULL, NULL);
	s->net.host[1].full = true;
	for (int i = 0; i < 3; i++)
		stage_ask(s);
	assert_int_equal(s->net.host[1].sent, 1); /* which went, with the word to wait */
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->net.host[1].sent, 1);
	s->net.host[1].full = false;
	conn.conn = 5;
	h248_txn_drained(s->net.host[1].txn, &conn);
	assert_int_equal(s->net.host[1].sent, 3);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 3);
}

static void waiting_requests_move_too(void **state)
{
	struct stage *s = *state;
	struct server third;
	struct h248_txn_ops ops = stage_server(&third, &s->net);
	struct h248_addr addr = net_addr(3, H248_UDP);
	struct h248_peer *to;

	net_host_new(&s->net, 3, H248_UDP, NULL, &ops);
	h248_peer_block(s->peer);
	stage_ask(s);
	assert_int_equal(h248_peer_new(&to, s->net.host[1].txn, &addr), 0);
	h248_peer_move(s->peer, to);
	assert_int_equal(h248_peer_queued(s->peer), 0);
	h248_peer_free(s->peer);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(third.executed, 1);
}

/* ---- late replies, and none wanted ---- */

static void late_reply_is_delivered_once(void **state)
{
	struct stage *s = *state;
	unsigned who = 2;
	uint32_t id;

	s->net.drop = stage_drop_all;
	s->net.arg = &who;
	id = stage_ask(s);
	net_run(&s->net, 26000);
	assert_int_equal(s->answers.timeouts, 1);
	s->net.drop = NULL;
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 P=1001{C=-{AV=ROOT}}");
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 P=1001{C=-{AV=ROOT}}");
	assert_int_equal(id, 1001);
	assert_int_equal(s->client.late, 1);
	assert_int_equal(stage_count(s, 1)->rx_replies_late, 1);
	assert_int_equal(stage_count(s, 1)->rx_replies_stray, 1);

	stage_ask(s);
	assert_true(stage_sent_has(s, 1, "K{1001}"));
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 1);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 P=1002{C=-{AV=ROOT}}");
	assert_int_equal(s->client.late, 1); /* a repetition of what has come in time */
}

static void cancelled_one_is_late_too_but_not_for_ever(void **state)
{
	struct stage *s = *state;
	uint32_t id;

	stage_ask(s);
	net_run(&s->net, 100); /* now it has a name */
	id = stage_ask(s);
	h248_txn_cancel(s->net.host[1].txn, id);
	net_run(&s->net, 100);
	assert_int_equal(s->client.late, 1);
	id = stage_ask(s);
	net_clear(&s->net);
	h248_txn_cancel(s->net.host[1].txn, id);
	net_run(&s->net, 30001);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 P=1003{C=-{AV=ROOT}}");
	assert_int_equal(s->client.late, 1);
}

/* Several given up are several late ones. */
static void each_late_reply_is_delivered(void **state)
{
	struct stage *s = *state;
	uint32_t id[3];

	stage_ask(s);
	net_run(&s->net, 100);
	for (size_t i = 0; i < BASE_COUNT(id); i++)
		id[i] = stage_ask(s);
	for (size_t i = 0; i < BASE_COUNT(id); i++)
		h248_txn_cancel(s->net.host[1].txn, id[i]);
	net_run(&s->net, 100);
	assert_int_equal(s->client.late, BASE_COUNT(id));
}

/* A peer that is gone leaves nothing to one that has its place in memory. */
static void a_new_peer_has_no_late_replies(void **state)
{
	struct stage *s = *state;
	struct h248_addr addr = net_addr(2, H248_UDP);
	uint32_t id;

	stage_ask(s);
	net_run(&s->net, 100);
	id = stage_ask(s);
	net_clear(&s->net);
	h248_txn_cancel(s->net.host[1].txn, id);
	h248_peer_free(s->peer);
	net_run(&s->net, 1);
	assert_int_equal(h248_peer_new(&s->peer, s->net.host[1].txn, &addr), 0);
	stage_ask(s); /* now it has a name */
	net_run(&s->net, 100);
	net_inject(&s->net, &addr, 1, "!/1 [10.0.0.2]:2944 P=1002{C=-{AV=ROOT}}");
	assert_int_equal(s->client.late, 0);
	assert_int_equal(stage_count(s, 1)->rx_replies_stray, 1);
}

static void nobody_wants_the_answer(void **state)
{
	struct stage *s = *state;
	struct base_arena arena = { 0 };
	unsigned who = 1;

	s->net.drop = stage_drop_first;
	s->net.arg = &who;
	assert_int_equal(h248_txn_request(s->peer, net_audit(&arena), 0, NULL, NULL, NULL), 0);
	base_arena_done(&arena);
	net_run(&s->net, 1000);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->net.host[1].sent, 2);
	assert_int_equal(h248_peer_outgoing(s->peer), 0);
	stage_ask(s);
	assert_true(stage_sent_has(s, 1, "K{1001}"));
}

/* ---- counters ---- */

static void counters_by_peer(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);
	const struct h248_txn_counters *all = stage_count(s, 2), *one;

	stage_ask(s);
	net_run(&s->net, 100);
	net_inject(&s->net, &from, 2, stage_request_7);
	net_inject(&s->net, &from, 2, stage_request_7);
	net_inject(&s->net, &from, 2, "rubbish");
	one = h248_peer_counters(
	        h248_peer_find(s->net.host[2].txn, &(struct h248_mid){ .kind = H248_MID_IP4,
	                                                               .address = { 10, 0, 0, 3 },
	                                                               .address_len = 4,
	                                                               .has_port = true,
	                                                               .port = 2944 }));
	assert_int_equal(one->rx_messages, 2);
	assert_int_equal(one->rx_octets, 2 * strlen(stage_request_7));
	assert_int_equal(one->rx_requests, 2);
	assert_int_equal(one->rx_executed, 1);
	assert_int_equal(one->rx_repeated, 1);
	assert_int_equal(one->tx_messages, 2);
	assert_int_equal(one->tx_replies, 1);
	assert_int_equal(one->tx_replies_repeated, 1);
	assert_int_equal(all->rx_messages, 4);
	assert_int_equal(all->rx_undecodable, 1);
	assert_int_equal(all->tx_messages, 4);
	assert_int_equal(all->rx_executed, 2);
	one = h248_peer_counters(s->peer);
	assert_int_equal(one->tx_requests, 1);
	assert_int_equal(one->rx_replies, 1);
	assert_int_equal(one->tx_octets,
	                 stage_count(s, 1)->tx_octets - 0); /* rubbish came from 3 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(acknowledgement_leaves_by_its_timer),
		STAGE(acknowledgements_leave_in_batches),
		STAGE(no_acknowledgement_is_forgotten),
		STAGE(requests_share_a_message),
		STAGE(acknowledgements_join_what_waits),
		STAGE(bundles_respect_their_size),
		STAGE(repetitions_go_alone_and_at_once),
		STAGE(a_freed_peer_gets_what_waited),
		STAGE(window_holds_requests_back),
		STAGE(blocked_peer_waits),
		STAGE(blocked_requests_end_too),
		STAGE(full_transport_is_waited_for),
		STAGE(waiting_requests_move_too),
		STAGE(late_reply_is_delivered_once),
		STAGE(cancelled_one_is_late_too_but_not_for_ever),
		STAGE(each_late_reply_is_delivered),
		STAGE(a_new_peer_has_no_late_replies),
		STAGE(nobody_wants_the_answer),
		STAGE(counters_by_peer),
	};

	return cmocka_run_group_tests_name("txn_flow", tests, NULL, NULL);
}
