/* SPDX-License-Identifier: Apache-2.0 */
/** @file Transactions on a virtual clock: RFC 3261, 17, timer by timer. */
#include "check.h"
#include "stage.h"

/* -- client ------------------------------------------------------------------------------------ */

/** Timers A and B. */
static void invite_is_repeated(void **state)
{
	static const uint64_t due[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)stage_begin(&s, udp, REQUEST("INVITE", B));
	stage_until(&s, 31999);
	stage_sent_at(&s, 0, due, BASE_COUNT(due));
	assert_int_equal(s.ends, 0);
	stage_until(&s, 32001);
	assert_int_equal(s.ends, 1);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	assert_int_equal(sip_txns_count(s.txns), 0);
	assert_int_equal(s.deadline_ms, UINT64_MAX);
	stage_close(&s);
}

/** 17.1.1.3: ACK in the same branch, with the response's To, the request's Route; again for each.
 */
static void refusal_is_acked(void **state)
{
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	txn = stage_begin(&s, udp, REQUEST("INVITE", B));
	stage_in(&s, udp, RESPONSE("180", "INVITE", B));
	stage_until(&s, 40000); /* no timer B once it has been heard */
	assert_int_equal(s.sent_count, 1);
	assert_false(sip_txn_answered(txn));
	stage_in(&s, udp, RESPONSE("486", "INVITE", B));
	assert_true(sip_txn_answered(txn));
	assert_int_equal(s.responses, 2);
	assert_int_equal(s.sent_count, 2);
	assert_true(stage_has(stage_sent(&s, 1),
	                      "ACK sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
	                      "ue.example:5061;branch=" B "\r\n"));
	assert_true(stage_has(stage_sent(&s, 1), "Route: <sip:p.example;lr>\r\n"));
	assert_true(stage_has(stage_sent(&s, 1), "To: <sip:b@example.com>;tag=2\r\n"));
	assert_true(stage_has(stage_sent(&s, 1), "CSeq: 7 ACK\r\n"));
	stage_in(&s, udp, RESPONSE("486", "INVITE", B));
	assert_int_equal(s.responses, 2);
	assert_int_equal(s.sent_count, 3);
	stage_until(&s, 40000 + 31999);
	assert_int_equal(s.ends, 0);
	stage_until(&s, 40000 + 32001);
	assert_int_equal(s.why, SIP_END_DONE);
	assert_int_equal(s.ends, 1);
	stage_close(&s);
}

/** RFC 6026, 7.2: each 2xx goes up, and the owner acknowledges it. */
static void each_2xx_goes_up(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)stage_begin(&s, tls, REQUEST("INVITE", B));
	stage_in(&s, tls, RESPONSE("200", "INVITE", B));
	stage_in(&s, tls, RESPONSE("200", "INVITE", B));
	assert_int_equal(s.responses, 2);
	assert_int_equal(s.sent_count, 1);
	stage_in(&s, tls, RESPONSE("486", "INVITE", B)); /* too late */
	assert_int_equal(s.responses, 2);
	stage_until(&s, 32001);
	assert_int_equal(s.ends, 1);
	stage_in(&s, tls, RESPONSE("200", "INVITE", B));
	assert_int_equal(s.strays, 1);
	stage_close(&s);
}

/** Timers E, F and K. */
static void others_are_repeated(void **state)
{
	static const uint64_t due[] = { 0,     500,   1500,  3500,  7500, 11500,
		                        15500, 19500, 23500, 27500, 31500 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)stage_begin(&s, udp, REQUEST("MESSAGE", B));
	stage_until(&s, 32001);
	stage_sent_at(&s, 0, due, BASE_COUNT(due));
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	(void)stage_begin(&s, udp, REQUEST("MESSAGE", "z9hG4bKtwo"));
	stage_in(&s, udp, RESPONSE("100", "MESSAGE", "z9hG4bKtwo"));
	stage_until(&s, 32001 + 4000);
	assert_int_equal(s.sent_count, BASE_COUNT(due) + 2); /* T2 from then on */
	stage_in(&s, udp, RESPONSE("200", "MESSAGE", "z9hG4bKtwo"));
	stage_in(&s, udp, RESPONSE("200", "MESSAGE", "z9hG4bKtwo"));
	assert_int_equal(s.responses, 2);
	stage_until(&s, 32001 + 4000 + 4999);
	assert_int_equal(s.ends, 1);
	stage_until(&s, 32001 + 4000 + 5001);
	assert_int_equal(s.ends, 2);
	assert_int_equal(s.why, SIP_END_DONE);
	stage_close(&s);
}

static void reliable_is_not_repeated(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)stage_begin(&s, tls, REQUEST("MESSAGE", B));
	stage_until(&s, 32001);
	assert_int_equal(s.sent_count, 1);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	(void)stage_begin(&s, tls, REQUEST("MESSAGE", B));
	stage_in(&s, tls, RESPONSE("404", "MESSAGE", B));
	stage_until(&s, s.now_ms + 1);
	assert_int_equal(s.ends, 2); /* no linger either */
	stage_close(&s);
}

static void whose_response_it_is(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	(void)stage_begin(&s, tls, REQUEST("MESSAGE", B));
	stage_in(&s, tls, RESPONSE("200", "MESSAGE", "z9hG4bKother"));
	stage_in(&s, tls, RESPONSE("200", "OPTIONS", B));
	stage_in(&s, tls, "SIP/2.0 200 OK\r\n\r\n"); /* at fault: thrown away */
	assert_int_equal(s.responses, 0);
	assert_int_equal(s.strays, 2);
	stage_close(&s);
}

/** 9.1: not before a provisional response, not after a final one. */
static void cancel(void **state)
{
	struct stage s;
	struct sip_txn *txn, *second = NULL;

	(void)state;
	stage_open(&s, 0);
	txn = stage_begin(&s, tls, REQUEST("INVITE", B));
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, &second), BASE_ERR(BASE_BUG, 0));
	stage_in(&s, tls, RESPONSE("180", "INVITE", B));
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, &second), 0);
	assert_true(stage_has(stage_sent(&s, 1), "CANCEL sip:b@example.com SIP/2.0\r\n"));
	assert_true(stage_has(stage_sent(&s, 1), ";branch=" B "\r\n"));
	assert_true(stage_has(stage_sent(&s, 1), "CSeq: 7 CANCEL\r\n"));
	stage_in(&s, tls, RESPONSE("200", "CANCEL", B));
	assert_int_equal(s.status, 200);
	stage_in(&s, tls, RESPONSE("487", "INVITE", B));
	assert_int_equal(s.status, 487);
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, &second), BASE_ERR(BASE_BUG, 0));
	stage_close(&s);
}

/** 9.1: who does not answer after a CANCEL is waited for no longer than 64 T1. */
static void cancelled_in_vain(void **state)
{
	struct stage s;
	struct sip_txn *txn;

	(void)state;
	stage_open(&s, 0);
	txn = stage_begin(&s, tls, REQUEST("INVITE", B));
	stage_in(&s, tls, RESPONSE("180", "INVITE", B));
	stage_until(&s, 100000); /* rings for long */
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, NULL), 0);
	stage_in(&s, tls, RESPONSE("200", "CANCEL", B));
	stage_in(&s, tls, RESPONSE("183", "INVITE", B));
	stage_until(&s, 131999);
	assert_int_equal(sip_txns_count(s.txns), 1);
	stage_until(&s, 132001);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	assert_int_equal(sip_txns_count(s.txns), 0);
	/* nor where the CANCEL cannot be sent */
	txn = stage_begin(&s, tls, REQUEST("INVITE", B));
	stage_in(&s, tls, RESPONSE("180", "INVITE", B));
	s.send_rc = BASE_ERR(BASE_LOCAL, 0);
	assert_int_equal(sip_request_cancel(txn, NULL, NULL, NULL), s.send_rc);
	stage_until(&s, 132001 + 32001);
	assert_int_equal(sip_txns_count(s.txns), 0);
	stage_close(&s);
}

/* -- server ------------------------------------------------------------------------------------ */

/** 17.2.1: 100 after 200 ms, and the last response for each repetition. */
static void invite_served(void **state)
{
	static const uint64_t due[] = { 1000, 1500, 2500, 4500, 8500, 12500 };
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_in(&s, udp, REQUEST("INVITE", B));
	stage_in(&s, udp, REQUEST("INVITE", B));
	stage_until(&s, 199);
	assert_int_equal(s.sent_count, 0);
	stage_until(&s, 200);
	assert_true(stage_has(stage_sent(&s, 0), "SIP/2.0 100 Trying\r\n"));
	assert_true(
	        stage_has(stage_sent(&s, 0), "To: <sip:b@example.com>\r\n")); /* no tag in a 100 */
	stage_in(&s, udp, REQUEST("INVITE", B));
	assert_int_equal(s.sent_count, 2);
	stage_answer(&s, 180);
	stage_until(&s, 1000);
	stage_answer(&s, 486);
	stage_until(&s, 12600);
	assert_int_equal(s.requests, 1);
	stage_sent_at(&s, 3, due, BASE_COUNT(due));
	stage_in(&s, udp, REQUEST("ACK", B));
	stage_until(&s, 17599);
	assert_int_equal(s.sent_count, 3 + BASE_COUNT(due));
	assert_int_equal(s.ends, 0);
	stage_in(&s, udp, REQUEST("INVITE", B)); /* a late one is absorbed */
	assert_int_equal(s.requests, 1);
	stage_until(&s, 17601);
	assert_int_equal(s.why, SIP_END_DONE);
	assert_int_equal(s.stray_acks, 0);
	stage_close(&s);
}

/** Timer H. */
static void no_ack_comes(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_in(&s, tls, REQUEST("INVITE", B));
	stage_answer(&s, 486);
	stage_until(&s, 31999);
	assert_int_equal(s.sent_count, 1);
	stage_until(&s, 32001);
	assert_int_equal(s.why, SIP_END_TIMEOUT);
	stage_close(&s);
}

/** RFC 6026, 7.1: the INVITE again is absorbed; the owner repeats the 2xx; its ACK is another's. */
static void invite_accepted(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_in(&s, udp, REQUEST("INVITE", B));
	stage_answer(&s, 200);
	stage_in(&s, udp, REQUEST("INVITE", B));
	stage_until(&s, 5000);
	assert_int_equal(s.sent_count, 1);
	stage_answer(&s, 200);
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(sip_txn_reply(s.request, BASE_STR(RESPONSE("486", "INVITE", B))),
	                 BASE_ERR(BASE_BUG, 0));
	stage_in(&s, udp, REQUEST("ACK", "z9hG4bKtwo"));
	stage_in(&s, udp, REQUEST("ACK", B)); /* 2543 puts it there */
	assert_int_equal(s.stray_acks, 2);
	stage_until(&s, 32001);
	assert_int_equal(s.why, SIP_END_DONE);
	assert_int_equal(s.requests, 1);
	stage_close(&s);
}

/** 17.2.2 */
static void other_served(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_in(&s, udp, REQUEST("MESSAGE", B));
	stage_in(&s, udp, REQUEST("MESSAGE", B));
	stage_until(&s, 1000);
	assert_int_equal(s.sent_count, 0); /* no 100 of its own accord */
	stage_answer(&s, 200);
	stage_in(&s, udp, REQUEST("MESSAGE", B));
	assert_int_equal(s.sent_count, 2);
	assert_int_equal(sip_txn_reply(s.request, BASE_STR(RESPONSE("404", "MESSAGE", B))),
	                 BASE_ERR(BASE_BUG, 0));
	stage_until(&s, 32999);
	assert_int_equal(s.ends, 0);
	stage_until(&s, 33001);
	assert_int_equal(s.why, SIP_END_DONE);
	stage_in(&s, udp, REQUEST("MESSAGE", B));
	assert_int_equal(s.requests, 2); /* forgotten */
	stage_close(&s);
}

/** 17.2.3: sent-by counts, the method counts, and without the cookie all that RFC 2543 had. */
static void whose_request_it_is(void **state)
{
	static const char other_host[] =
	        "MESSAGE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP other.example;branch=" B
	        "\r\n"
	        "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: x\r\n"
	        "CSeq: 7 MESSAGE\r\n\r\n";
	struct stage s;

	(void)state;
	stage_open(&s, 0);
	stage_in(&s, udp, REQUEST("MESSAGE", B));
	stage_in(&s, udp, other_host);
	stage_in(&s, udp, REQUEST("OPTIONS", B));
	assert_int_equal(s.requests, 3);
	stage_in(&s, udp, REQUEST("INVITE", "1"));
	stage_in(&s, udp, REQUEST("INVITE", "1"));
	assert_int_equal(s.requests, 4);
	stage_answer(&s, 486);
	stage_in(&s, udp, REQUEST("ACK", "1"));
	assert_int_equal(s.stray_acks, 0);
	stage_in(
	        &s, udp,
	        "MESSAGE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP ue.example:5061;branch=1\r\n"
	        "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: y\r\n"
	        "CSeq: 7 MESSAGE\r\n\r\n");
	assert_int_equal(s.requests, 5);
	stage_close(&s);
}

/** 9.2 */
static void cancelled(void **state)
{
	struct stage s;
	struct sip_txn *invite;

	(void)state;
	stage_open(&s, 0);
	stage_in(&s, udp, REQUEST("INVITE", B));
	invite = s.request;
	stage_in(&s, udp, REQUEST("CANCEL", B));
	assert_int_equal(s.requests, 2);
	assert_ptr_equal(sip_txn_cancelled(s.request), invite);
	stage_in(&s, udp, REQUEST("CANCEL", "z9hG4bKtwo"));
	assert_null(sip_txn_cancelled(s.request));
	stage_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(invite_is_repeated),
		cmocka_unit_test(refusal_is_acked),
		cmocka_unit_test(each_2xx_goes_up),
		cmocka_unit_test(others_are_repeated),
		cmocka_unit_test(reliable_is_not_repeated),
		cmocka_unit_test(whose_response_it_is),
		cmocka_unit_test(cancel),
		cmocka_unit_test(invite_served),
		cmocka_unit_test(no_ack_comes),
		cmocka_unit_test(invite_accepted),
		cmocka_unit_test(other_served),
		cmocka_unit_test(whose_request_it_is),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(cancelled_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
