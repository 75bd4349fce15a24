/* SPDX-License-Identifier: Apache-2.0 */
/** @file Transactions and what goes wrong: faults, flows that fail, callbacks that call back;
 * messages that are built. */
#include "check.h"
#include "stage.h"

/* -- trouble ----------------------------------------------------------------------------------- */

static void faults_are_answered_once(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 2);
	stage_in(&s, udp,
	         "MESSAGE sip:b@example.com SIP/7.0\r\n" HEAD(B) "CSeq: 7 MESSAGE\r\n\r\n");
	assert_true(stage_has(stage_sent(&s, 0), "SIP/2.0 505 Version Not Supported\r\n"));
	assert_true(stage_has(stage_sent(&s, 0), "To: <sip:b@example.com>;tag="));
	stage_in(&s, udp, "MESSAGE sip:b@example.com SIP/2.0\r\n" HEAD(B) "\r\n");
	assert_true(stage_has(stage_sent(&s, 1), "SIP/2.0 400 A header field is missing\r\n"));
	stage_in(&s, udp,
	         "MESSAGE sip:b@example.com SIP/2.0\r\n" HEAD(B) "\r\n"); /* the same tag (8.2.7) */
	assert_true(base_str_eq(stage_sent(&s, 1), stage_sent(&s, 2)));
	base_writer_reset(&s.sent[--s.sent_count]);
	stage_in(&s, udp, "ACK sip:b@example.com SIP/2.0\r\n" HEAD(B) "\r\n"); /* never answered */
	stage_in(&s, udp, "MESSAGE sip:b@example.com SIP/2.0\r\nTo: x\r\n\r\n"); /* from nowhere */
	stage_in(&s, udp, "\x16\x03\x01");
	stage_in(&s, udp, "");
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(s.requests + s.stray_acks, 0);
	assert_int_equal(sip_txns_count(s.txns), 0);
	stage_in(&s, udp, REQUEST("MESSAGE", B));
	stage_in(&s, udp, REQUEST("MESSAGE", "z9hG4bKtwo"));
	stage_in(&s, udp, REQUEST("MESSAGE", "z9hG4bKthree"));
	assert_int_equal(s.requests, 2);
	assert_true(stage_has(stage_sent(&s, 2), "SIP/2.0 503 Service Unavailable\r\n"));
	assert_true(stage_has(stage_sent(&s, 2), "Retry-After: "));
	stage_close(&s);
}

/** Who has been answered keeps nobody out; who has waited longest for repetitions is forgotten. */
static void answered_ones_make_room(void **state)
{
	static const char *const three[] = { REQUEST("MESSAGE", "z9hG4bK1"),
		                             REQUEST("MESSAGE", "z9hG4bK2"),
		                             REQUEST("MESSAGE", "z9hG4bK3") };
	struct stage s;

	(void)state;
	stage_open_short(&s, 1, 2);
	for (size_t i = 0; i < BASE_COUNT(three); i++) {
		stage_in(&s, udp, three[i]);
		assert_int_equal(s.requests, i + 1);
		assert_int_equal(sip_txns_busy(s.txns), 1);
		stage_answer(&s, 200);
		assert_int_equal(sip_txns_busy(s.txns), 0);
	}
	assert_int_equal(sip_txns_lingering(s.txns), 2);
	assert_int_equal(s.ends, 0); /* told by the clock, not in the call */
	stage_until(&s, 1);
	assert_int_equal(s.ends, 1);
	assert_int_equal(s.why, SIP_END_DONE);
	stage_in(&s, udp, three[1]);
	stage_in(&s, udp, three[2]);
	assert_int_equal(s.requests, 3);
	assert_int_equal(s.sent_count, 5);
	stage_in(&s, udp, three[0]); /* it is a new one */
	assert_int_equal(s.requests, 4);
	stage_in(&s, tls, REQUEST("MESSAGE", "z9hG4bK4"));
	assert_true(stage_has(stage_sent(&s, 5), "SIP/2.0 503 Service Unavailable\r\n"));
	stage_answer(&s, 200);
	stage_until(&s, 32002);
	assert_int_equal(sip_txns_lingering(s.txns) + sip_txns_count(s.txns), 0);
	stage_close(&s);
}

/** Neither a refused INVITE nor a call that was taken keeps anybody out: who sends no ACK has no
 * more room than others. */
static void invites_that_linger(void **state)
{
	struct stage s;

	(void)state;
	stage_open_short(&s, 2, 1);
	stage_in(&s, udp, REQUEST("INVITE", "z9hG4bK1"));
	stage_answer(&s, 486);
	assert_int_equal(sip_txns_busy(s.txns), 0);
	assert_int_equal(sip_txns_lingering(s.txns), 1);
	stage_in(&s, udp, REQUEST("ACK", "z9hG4bK1"));
	assert_int_equal(sip_txns_lingering(s.txns), 1); /* timer I */
	stage_in(&s, udp, REQUEST("INVITE", "z9hG4bK2"));
	stage_answer(&s, 200);
	assert_int_equal(sip_txns_busy(s.txns), 0);
	assert_int_equal(sip_txns_lingering(s.txns), 1); /* the refused one is forgotten */
	stage_in(&s, udp, REQUEST("INVITE", "z9hG4bK2"));
	assert_int_equal(s.requests, 2);
	stage_until(&s, 32001);
	assert_int_equal(sip_txns_count(s.txns), 0);
	stage_close(&s);
}

/** On a stream nothing is repeated, and the ACK is waited for all the same (timer H). */
static void refusals_without_ack(void **state)
{
	static const char *const three[] = { REQUEST("INVITE", "z9hG4bK1"),
		                             REQUEST("INVITE", "z9hG4bK2"),
		                             REQUEST("INVITE", "z9hG4bK3") };
	struct stage s;

	(void)state;
	stage_open_short(&s, 1, 2);
	for (size_t i = 0; i < BASE_COUNT(three); i++) {
		stage_in(&s, tls, three[i]);
		assert_int_equal(s.requests, i + 1);
		stage_answer(&s, 403);
	}
	assert_int_equal(sip_txns_lingering(s.txns), 2);
	stage_in(&s, tls, REQUEST("ACK", "z9hG4bK2"));
	assert_int_equal(s.stray_acks, 0);
	assert_int_equal(sip_txns_lingering(s.txns), 1);
	stage_in(&s, tls, REQUEST("ACK", "z9hG4bK1"));
	assert_int_equal(s.stray_acks, 1); /* of one that is forgotten */
	stage_until(&s, 31999);
	assert_int_equal(sip_txns_count(s.txns), 1);
	stage_until(&s, 32001);
	assert_int_equal(sip_txns_count(s.txns), 0);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	stage_close(&s);
}

/** What a large one keeps goes by its octets. */
static void large_ones_weigh_more(void **state)
{
	static const char request[] = REQUEST("MESSAGE", "z9hG4bKlarge");
	const size_t head = sizeof(request) - 3; /* without the blank line */
	char large[13000];
	struct stage s;

	(void)state;
	memset(large, 'x', sizeof(large));
	memcpy(large, request, head);
	memcpy(large + head, "X: ", 3);
	memcpy(large + sizeof(large) - 5, "\r\n\r\n", 5);
	stage_open_short(&s, 1, 5);
	stage_in(&s, udp, REQUEST("MESSAGE", "z9hG4bK1"));
	stage_answer(&s, 200);
	stage_in(&s, udp, large);
	assert_int_equal(s.requests, 2);
	stage_answer(&s, 200);
	assert_int_equal(sip_txns_lingering(s.txns), 2);
	stage_in(&s, udp, REQUEST("MESSAGE", "z9hG4bK2"));
	stage_answer(&s, 200);
	assert_int_equal(sip_txns_lingering(s.txns), 2); /* without the first, 5 are there */
	stage_in(&s, udp, REQUEST("MESSAGE", "z9hG4bK3"));
	stage_answer(&s, 200);
	assert_int_equal(sip_txns_lingering(s.txns), 2); /* without the large one */
	stage_close(&s);
}

static void flows_fail(void **state)
{
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	(void)stage_begin(&s, tls, REQUEST("MESSAGE", B));
	(void)stage_begin(&s, udp, REQUEST("MESSAGE", "z9hG4bKtwo"));
	sip_txns_lost(s.txns, tls.id);
	assert_int_equal(s.ends, 0); /* told by the clock, not in the call */
	stage_until(&s, 1);
	assert_int_equal(s.ends, 1);
	assert_int_equal(s.why, SIP_END_FLOW);
	assert_int_equal(sip_txns_count(s.txns), 1);
	s.send_rc = BASE_ERR(BASE_PEER, 0);
	assert_int_equal(sip_request_send(s.txns, tls, BASE_STR(REQUEST("MESSAGE", B)), NULL, &txn),
	                 s.send_rc);
	assert_int_equal(sip_txns_count(s.txns), 1);
	stage_until(&s, 600); /* the repetition fails */
	assert_int_equal(s.ends, 2);
	s.send_rc = 0;
	stage_in(&s, udp, REQUEST("INVITE", B));
	s.send_rc = BASE_ERR(BASE_PEER, 0);
	stage_answer(&s, 180); /* taken, and the end comes by the clock */
	assert_int_equal(s.ends, 2);
	stage_until(&s, 601);
	assert_int_equal(s.ends, 3);
	assert_int_equal(s.why, SIP_END_FLOW);
	stage_close(&s);
}

static void no_request_of_ours(void **state)
{
	static const char *const rows[] = { "", "nonsense", RESPONSE("200", "MESSAGE", B),
		                            REQUEST("ACK", B),
		                            "MESSAGE sip:b@example.com SIP/2.0\r\n\r\n" };
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		assert_int_not_equal(
		        sip_request_send(s.txns, udp, base_str_of(rows[i]), NULL, &txn), 0);
	(void)stage_begin(&s, udp, REQUEST("MESSAGE", B));
	assert_int_equal(sip_request_send(s.txns, udp, BASE_STR(REQUEST("MESSAGE", B)), NULL, &txn),
	                 BASE_ERR(BASE_BUG, 0)); /* that branch is in use */
	assert_int_equal(s.sent_count, 1);
	stage_close(&s);
}

/** Callbacks that reply, send and cancel, with a flow that carries, and with one that fails. */
static void callbacks_call_back(void **state)
{
	(void)state;
	for (unsigned broken = 0; broken < 2; broken++) {
		struct stage s;

		stage_open(&s, 0);
		(void)stage_begin(&s, tls, REQUEST("INVITE", B));
		s.eager = true;
		s.send_rc = broken ? BASE_ERR(BASE_PEER, 0) : 0;
		stage_in(&s, tls, RESPONSE("180", "INVITE", B));
		stage_in(&s, tls, RESPONSE("180", "INVITE", B));
		stage_in(&s, tls, REQUEST("MESSAGE", "z9hG4bKtwo"));
		stage_in(&s, udp, REQUEST("INVITE", "z9hG4bKthree"));
		stage_in(&s, tls, RESPONSE("486", "INVITE", B));
		sip_txns_lost(s.txns, tls.id);
		stage_until(&s, 200000);
		assert_true(s.ends > (broken ? 2U : 8U)); /* failed requests never began */
		assert_int_equal(sip_txns_count(s.txns), 0);
		stage_close(&s);
	}
}

/* -- built messages ---------------------------------------------------------------------------- */

/** 18.2.1 and RFC 3581, 4. */
static void where_it_came_from(void **state)
{
	static const struct {
		const char *via, *expected;
	} rows[] = {
		{ "Via: SIP/2.0/UDP 192.0.2.9;branch=" B "\r\n",
		  "Via: SIP/2.0/UDP 192.0.2.9;branch=" B "\r\n" },
		{ "v: SIP/2.0/UDP ue.example;branch=" B "\r\n",
		  "Via: SIP/2.0/UDP ue.example;branch=" B ";received=192.0.2.9\r\n" },
		{ "Via: SIP/2.0/UDP 192.0.2.9:5062;rport;branch=" B " , SIP/2.0/TCP p\r\n",
		  "Via: SIP/2.0/UDP 192.0.2.9:5062;branch=" B
		  ";received=192.0.2.9;rport=4711 , SIP/2.0/TCP p\r\n" },
		{ "Via: SIP/2.0/UDP ue.example;received=6.6.6.6;branch=" B
		  "\r\nVia: SIP/2.0/TCP q\r\n",
		  "Via: SIP/2.0/UDP ue.example;branch=" B
		  ";received=192.0.2.9\r\nVia: SIP/2.0/TCP q\r\n" },
	};
	const struct sip_source source = { .address = "192.0.2.9", .port = 4711 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct stage s;
		struct base_writer w = { 0 };

		stage_open(&s, 0);
		base_writer_printf(&w,
		                   "INVITE sip:b@example.com SIP/2.0\r\n%sFrom: <sip:a@b>;tag=1\r\n"
		                   "To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
		                   "Record-Route: <sip:p;lr>\r\nTimestamp: 5\r\n\r\n",
		                   rows[i].via);
		sip_txns_input(s.txns, udp, &source, base_writer_view(&w));
		stage_until(&s, 200);
		assert_true(stage_has(stage_sent(&s, 0), rows[i].expected));
		assert_true(stage_has(stage_sent(&s, 0), "Timestamp: 5\r\n"));
		assert_false(stage_has(stage_sent(&s, 0), "Record-Route"));
		base_writer_reset(&w);
		sip_reply_begin(&w, sip_txn_request(s.request), sip_txn_source(s.request), 200,
		                "Fine", BASE_STR("t"));
		sip_body_end(&w, "text/plain", BASE_STR("hello"));
		assert_int_equal(sip_txn_reply(s.request, base_writer_view(&w)), 0);
		assert_true(stage_has(stage_sent(&s, 1), rows[i].expected));
		assert_true(stage_has(stage_sent(&s, 1), "SIP/2.0 200 Fine\r\n"));
		assert_true(stage_has(stage_sent(&s, 1), "To: <sip:c@d>;tag=t\r\n"));
		assert_true(stage_has(stage_sent(&s, 1), "Record-Route: <sip:p;lr>\r\n"));
		assert_true(stage_has(stage_sent(&s, 1), "Content-Length: 5\r\n\r\nhello"));
		base_writer_done(&w);
		stage_close(&s);
	}
}

/** An octet of value 0 in a quoted string cuts no line of an answer short (RFC 4475, 3.1.1.2). */
static void octets_of_zero(void **state)
{
	static const char request[] =
	        "MESSAGE sip:b@example.com SIP/2.0\r\n"
	        "Via: SIP/2.0/UDP ue.example;a=\"\\\0b\";branch=" B "\r\n"
	        "From: <sip:a@example.com>;tag=1\r\nTo: \"NUL:\\\0 \" <sip:b@example.com>\r\n"
	        "Call-ID: x\r\nCSeq: 7 MESSAGE\r\n\r\n";
	static const char to[] = "To: \"NUL:\\\0 \" <sip:b@example.com>;tag=2\r\n";
	static const char via[] =
	        "Via: SIP/2.0/UDP ue.example;a=\"\\\0b\";branch=" B ";received=192.0.2.9\r\n";
	const struct sip_source source = { .address = "192.0.2.9", .port = 4711 };
	struct base_writer w = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	sip_txns_input(s.txns, udp, &source, BASE_STR(request));
	assert_int_equal(s.requests, 1);
	sip_reply_begin(&w, sip_txn_request(s.request), sip_txn_source(s.request), 200, NULL,
	                BASE_STR("2"));
	sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
	assert_int_equal(sip_txn_reply(s.request, base_writer_view(&w)), 0);
	assert_non_null(memmem(w.data, w.len, to, sizeof(to) - 1));
	assert_non_null(memmem(w.data, w.len, via, sizeof(via) - 1));
	base_writer_done(&w);
	stage_close(&s);
}

/** What the caller says cannot become a line of its own. */
static void no_lines_are_smuggled(void **state)
{
	static const struct {
		const char *reason, *tag, *type;
	} rows[] = {
		{ "OK\r\nX: y", "t", NULL }, { "OK\rX", "t", NULL }, { "OK\nX", "t", NULL },
		{ NULL, "t\r\nX: y", NULL }, { NULL, "t;x", NULL },  { NULL, "t", "a/b\r\nX: y" },
	};
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_in(&s, udp, REQUEST("MESSAGE", B));
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct base_writer w = { 0 };

		sip_reply_begin(&w, sip_txn_request(s.request), NULL, 200, rows[i].reason,
		                base_str_of(rows[i].tag));
		sip_body_end(&w, rows[i].type, BASE_STR(""));
		if (!w.failed)
			fail_msg("row %zu", i);
		base_writer_done(&w);
	}
	stage_close(&s);
}

static void branches(void **state)
{
	struct stage s;
	char one[SIP_BRANCH_MAX], two[SIP_BRANCH_MAX];

	(void)state;
	stage_open(&s, 0);
	sip_branch(s.txns, one);
	sip_branch(s.txns, two);
	assert_int_equal(strncmp(one, SIP_BRANCH_COOKIE, strlen(SIP_BRANCH_COOKIE)), 0);
	assert_string_not_equal(one, two);
	stage_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_answered_once),
		cmocka_unit_test(answered_ones_make_room),
		cmocka_unit_test(invites_that_linger),
		cmocka_unit_test(refusals_without_ack),
		cmocka_unit_test(large_ones_weigh_more),
		cmocka_unit_test(flows_fail),
		cmocka_unit_test(no_request_of_ours),
		cmocka_unit_test(where_it_came_from),
		cmocka_unit_test(branches),
		cmocka_unit_test(callbacks_call_back),
		cmocka_unit_test(octets_of_zero),
		cmocka_unit_test(no_lines_are_smuggled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
