/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong is answered as far as it can be, and never twice. */
#include "check.h"

#include "txn_stage.h"

/* ---- faults ---- */

static void garbage_gets_a_message_error(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(1, H248_UDP);

	net_inject(&s->net, &from, 2, "hello");
	assert_true(stage_sent_has(s, 2, "ER=400{"));
	net_inject(&s->net, &from, 2, "");
	net_inject(&s->net, &from, 2, "!/9 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}");
	assert_true(stage_sent_has(s, 2, "ER=406{"));
	assert_int_equal(stage_count(s, 2)->tx_message_errors, 3);
	assert_int_equal(s->server.executed, 0);
	net_run(&s->net, 1000);
	assert_int_equal(s->client.errors, 3); /* and no answer to an error: no ping-pong */
	assert_int_equal(s->net.host[1].sent, 0);
	assert_int_equal(s->net.host[2].sent, 3);
}

static void message_error_is_never_answered(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 ER=403{\"x\"}");
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 ER=403{\"x\"} rubbish");
	assert_int_equal(s->server.error_code, 403);
	assert_int_equal(s->net.host[2].sent, 0);
}

static void broken_transaction_gets_403_and_the_next_is_done(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 T=x{C=-{}}T=8{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(stage_count(s, 2)->rx_faulty, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->net.host[2].sent, 2);
}

static void stranger_gets_504(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	s->server.strangers = false;
	net_inject(&s->net, &from, 2, stage_request_7);
	assert_true(stage_sent_has(s, 2, "P=7{ER=504{"));
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 P=7{C=-{AV=ROOT}}");
	assert_int_equal(s->server.executed, 0);
	assert_int_equal(stage_count(s, 2)->rx_refused, 1);
	assert_int_equal(stage_count(s, 2)->rx_replies_stray, 1);
	assert_null(h248_peer_next(s->net.host[2].txn, NULL));
	/* By TCP its connection ends with that, so that strangers cannot take all there are. */
	assert_int_equal(s->net.host[2].closed, 0);
	from = net_addr(3, H248_TCP);
	from.conn = 77;
	net_inject(&s->net, &from, 2, stage_request_7);
	assert_int_equal(s->net.host[2].closed, 1);
	assert_int_equal(s->net.host[2].last_closed.conn, 77);
}

static void too_big_a_reply_is_533(void **state)
{
	static const struct h248_txn_config small = { .max_udp = 600 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, NULL, &small);
	s->server.reply_octets = 1000;
	stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.code, H248_E_PDU_SIZE);
	s->server.reply_octets = 200;
	stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(garbage_gets_a_message_error),
		STAGE(message_error_is_never_answered),
		STAGE(broken_transaction_gets_403_and_the_next_is_done),
		STAGE(stranger_gets_504),
		STAGE(too_big_a_reply_is_533),
	};

	return cmocka_run_group_tests_name("txn_bad", tests, NULL, NULL);
}
