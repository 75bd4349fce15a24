/* SPDX-License-Identifier: Apache-2.0 */
/** @file A proxy's responses: RFC 3261, 16.7. */
#include "proxy_stage.h"

static const uint64_t bob[] = { BOB };
static const uint64_t two[] = { BOB, CAROL };
static const uint64_t three[] = { BOB, CAROL, DAVE };

/* -- whose count (18.1.2) ---------------------------------------------------------------------- */

/** Who has seen a Via of ours further down answers nothing by it. */
static void by_another_flow(void **state)
{
	static const uint64_t core[] = { CORE };
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 1, core);
	s.strict_answers = true;
	proxy_answer_by(&s, BOB, 0, 180, "e", NULL);
	proxy_answer_by(&s, ALICE, 0, 200, "e", NULL);
	proxy_answer_by(&s, BOB, 0, 603, "e", NULL);
	proxy_silence(&s);
	proxy_answer_by(&s, CORE2, 0, 180, "b", NULL); /* another address of the same side */
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	proxy_answer(&s, 0, 486, "b", NULL);
	(void)proxy_expect(&s, CORE, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 486 ");
	proxy_close(&s);
	proxy_call(&s, 1, bob);
	s.strict_answers = true;
	proxy_answer_by(&s, CAROL, 0, 200, "e", NULL);
	proxy_answer_by(&s, CORE, 0, 200, "e", NULL);
	proxy_silence(&s);
	proxy_answer(&s, 0, 486, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 486 ");
	proxy_close(&s);
}

/* -- which pass (16.7, 5) ---------------------------------------------------------------------- */

/** Each provisional one but 100 and each 2xx passes, from whomever; who rings on is cancelled. */
static void forked(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 3, three);
	proxy_has(&s, 0, ";branch=", 2);
	assert_string_not_equal(strstr(proxy_text(&s, 0), "z9hG4bK"),
	                        strstr(proxy_text(&s, 1), "z9hG4bK"));
	for (size_t i = 0; i < 3; i++) {
		proxy_answer(&s, i, 100, "", NULL);
		proxy_silence(&s);
		proxy_answer(&s, i, 180, i ? "c" : "b", NULL);
		proxy_has(&s, proxy_expect(&s, ALICE, "SIP/2.0 180 Ringing\r\n"),
		          i ? ";tag=c" : ";tag=b", 1);
	}
	proxy_answer(&s, 0, 200, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 OK\r\n");
	(void)proxy_expect(&s, CAROL, "CANCEL sip:bob@example.com SIP/2.0\r\n");
	(void)proxy_expect(&s, DAVE, "CANCEL sip:bob@example.com SIP/2.0\r\n");
	proxy_answer(&s, 1, 200, "c", NULL); /* it has crossed its CANCEL */
	proxy_has(&s, proxy_expect(&s, ALICE, "SIP/2.0 200 OK\r\n"), ";tag=c", 1);
	proxy_answer(&s, 0, 200, "b", NULL); /* not acknowledged yet */
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 OK\r\n");
	proxy_answer(&s, 2, 487, "d", NULL);
	(void)proxy_expect(&s, DAVE, "ACK ");
	proxy_silence(&s);
	assert_int_equal(s.answers, 1);
	proxy_until(&s, 33000);
	assert_int_equal(s.overs, 1);
	proxy_close(&s);
}

/** 16.7, 5: after a 6xx nobody rings on; it is told when all have ended. A 2xx that crosses wins.
 */
static void declined_by_one_for_all(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 2, two);
	proxy_answer(&s, 1, 180, "c", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	proxy_answer(&s, 0, 603, "b", "X-Why: 1\r\n");
	(void)proxy_expect(&s, BOB, "ACK ");
	(void)proxy_expect(&s, CAROL, "CANCEL ");
	proxy_silence(&s);
	assert_int_equal(sip_proxy_forward(s.ctx, &s.targets[0], 1), 0); /* no new copies */
	proxy_silence(&s);
	proxy_answer(&s, 1, 487, "c", NULL);
	(void)proxy_expect(&s, CAROL, "ACK ");
	proxy_has(&s, proxy_expect(&s, ALICE, "SIP/2.0 603 "), "X-Why: 1\r\n", 1);
	proxy_silence(&s);
	proxy_close(&s);
	proxy_call(&s, 2, two);
	proxy_answer(&s, 0, 603, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	proxy_answer(&s, 1, 200, "c", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_silence(&s);
	proxy_close(&s);
}

/** 16.7, 6: the best of what has come, when the last has. */
static void the_best(void **state)
{
	static const struct {
		unsigned of[3], best;
	} rows[] = {
		{ { 404, 486, 500 }, 404 }, { { 486, 407, 404 }, 407 }, { { 503, 407, 501 }, 407 },
		{ { 486, 302, 404 }, 302 }, { { 487, 408, 486 }, 486 }, { { 503, 501, 503 }, 501 },
		{ { 503, 503, 503 }, 500 }, { { 404, 606, 401 }, 606 }, { { 404, 420, 486 }, 420 },
		{ { 484, 401, 486 }, 401 }, { { 500, 430, 503 }, 430 }, { { 481, 415, 404 }, 415 },
	};

	(void)state;
	for (size_t r = 0; r < BASE_COUNT(rows); r++) {
		struct proxy_stage s;
		char begins[32];

		proxy_call(&s, 3, three);
		(void)snprintf(begins, sizeof(begins), "SIP/2.0 %u ", rows[r].best);
		for (size_t i = 0; i < 3; i++) {
			proxy_silence(&s);
			proxy_answer(&s, i, rows[r].of[i], "b", NULL);
			(void)proxy_expect(&s, three[i], "ACK ");
		}
		(void)proxy_expect(&s, ALICE, begins);
		proxy_silence(&s);
		assert_int_equal(s.answered, rows[r].best);
		assert_int_equal(s.answers, 1);
		proxy_close(&s);
	}
}

/** 16.7, 7: who is challenged by several is told of all. */
static void challenged_by_several(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_call(&s, 3, three);
	proxy_answer(&s, 0, 407, "b", "Proxy-Authenticate: Digest realm=\"b, 1\"\r\n");
	proxy_answer(&s, 1, 404, "c", "Proxy-Authenticate: Digest realm=\"c\"\r\n");
	proxy_answer(&s, 2, 401, "d",
	             "WWW-Authenticate: Digest realm=\"d\"\r\nWWW-Authenticate: Digest realm=\"e\""
	             "\r\nProxy-Authenticate: Digest realm=\"f\"\r\n");
	s.seen += 3;
	i = proxy_expect(&s, ALICE, "SIP/2.0 407 ");
	proxy_has(&s, i, "Proxy-Authenticate: Digest realm=\"b, 1\"\r\n", 1);
	proxy_has(&s, i, "WWW-Authenticate: Digest realm=\"d\"\r\n", 1);
	proxy_has(&s, i, "WWW-Authenticate: Digest realm=\"e\"\r\n", 1);
	proxy_has(&s, i, "Proxy-Authenticate: Digest realm=\"f\"\r\n", 1);
	proxy_has(&s, i, "realm=\"c\"", 0);
	proxy_close(&s);
}

/** 16.7, 3: nobody else is to get it; 18.1.2: it is no answer to what we have sent. */
static void not_for_others(void **state)
{
	static const char *const changed[] = { "edge.exampl3", "Edge.example:5060" };
	struct proxy_stage s;
	char text[1024], response[2048], *at;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		proxy_call(&s, 1, bob);
		(void)snprintf(text, sizeof(text), "%s", strstr(proxy_text(&s, 0), "z9hG4bK"));
		*strstr(text, "\r\n") = 0;
		(void)snprintf(response, sizeof(response),
		               "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS %s;branch=%s\r\n" ALICE_VIA B
		               "\r\n" ALICE_IDS "CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n",
		               changed[i], text);
		proxy_in(&s, BOB, response);
		proxy_silence(&s);
		proxy_answer(&s, 0, 200, "b", NULL);
		(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
		proxy_close(&s);
	}
	proxy_call(&s, 1, bob);
	(void)snprintf(text, sizeof(text), "%s", strstr(proxy_text(&s, 0), "z9hG4bK"));
	*strstr(text, "\r\n") = 0;
	(void)snprintf(
	        response, sizeof(response),
	        "SIP/2.0 180 OK\r\nVia: SIP/2.0/TLS edge.example:5061;branch=%s\r\n" ALICE_IDS
	        "CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n",
	        text);
	proxy_in(&s, BOB, response);
	proxy_silence(&s);
	at = strstr(response, "180");
	*at = '4';
	proxy_in(&s, BOB, response);
	(void)proxy_expect(&s, BOB, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 502 ");
	proxy_close(&s);
}

/** 18.3: a datagram says by its end how long it is; a stream has to be told. */
static void lengths(void **state)
{
	static const struct {
		const char *come, *length;
	} cases[] = {
		{ "\r\n", "Content-Length: 0\r\n" },
		{ "\r\nhello", "Content-Length: 5\r\n" },
		{ "l: 2\r\n\r\nhello", "l: 2\r\n" },
	};
	struct proxy_stage s;
	char text[1024], response[2048];
	size_t at;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		proxy_open(&s, NULL);
		proxy_to(&s, 1, (uint64_t[]){ CORE });
		proxy_in(&s, ALICE, ASK("MESSAGE", B, ""));
		(void)snprintf(text, sizeof(text), "%s",
		               strstr(proxy_text(&s, proxy_expect(&s, CORE, "MESSAGE ")), "Via: "));
		*strstr(text, "\r\n") = 0;
		(void)snprintf(response, sizeof(response),
		               "SIP/2.0 200 OK\r\n%s\r\n" ALICE_VIA B "\r\n" ALICE_IDS
		               "CSeq: 7 MESSAGE\r\n%s",
		               text, cases[i].come);
		proxy_in(&s, CORE, response);
		at = proxy_expect(&s, ALICE, "SIP/2.0 200 ");
		proxy_has(&s, at, cases[i].length, 1);
		proxy_has(&s, at, "ength: ", i < 2);
		proxy_has(&s, at, "hello", i == 1);
		proxy_close(&s);
	}
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	proxy_in(&s, CORE,
	         "MESSAGE sip:bob@example.com SIP/2.0\r\n" ALICE_VIA B "\r\n" ALICE_IDS
	         "CSeq: 7 MESSAGE\r\n\r\nhello");
	proxy_has(&s, proxy_expect(&s, BOB, "MESSAGE "), "Content-Length: 5\r\n", 1);
	proxy_answer(&s, 0, 200, "b", NULL);
	(void)proxy_expect(&s, CORE, "SIP/2.0 200 ");
	proxy_close(&s);
}

/** Who answers cannot have the response sent elsewhere: the Vias are those of the request. */
static void vias_put_right(void **state)
{
	static const struct sip_source source = { .address = "192.0.2.9", .port = 4711 };
	static const char right[] =
	        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS alice.example:5061;branch=" B
	        ";received=192.0.2.9;rport=4711 , SIP/2.0/UDP p.example\r\n"
	        "Via: SIP/2.0/UDP q.example\r\nFrom:";
	static const char *const wrong[] = {
		"Via: SIP/2.0/UDP victim.example\r\n",
		"Via: SIP/2.0/TLS alice.example:5061;branch=" B ";received=192.0.2.9;rport=4711, "
		"SIP/2.0/UDP p.example, SIP/2.0/UDP q.example, SIP/2.0/UDP victim.example\r\n",
		"Via: SIP/2.0/TLS alice.example:5061;branch=" B ";received=192.0.2.9;rport=4711, "
		"SIP/2.0/UDP p.example\r\n",
		/* as many as were sent, and one of them another */
		"Via: SIP/2.0/TLS alice.example:5061;branch=" B ";received=192.0.2.1;rport=4711, "
		"SIP/2.0/UDP p.example, SIP/2.0/UDP q.example\r\n",
		"Via: SIP/2.0/TLS alice.example:5061;branch=" B ";received=192.0.2.9;rport=4711, "
		"SIP/2.0/UDP victim.example, SIP/2.0/UDP q.example\r\n",
		"Via: SIP/2.0/TLS alice.example:5061;branch=" B ";received=192.0.2.9;rport=4711, "
		"SIP/2.0/UDP p.example\r\nVia: SIP/2.0/UDP victim.example\r\n",
	};
	char text[1024], response[4096];
	struct proxy_stage s;

	(void)state;
	for (size_t i = 0; i <= BASE_COUNT(wrong); i++) {
		proxy_open(&s, NULL);
		proxy_to(&s, 1, bob);
		sip_proxy_input(s.proxy, proxy_flow(ALICE), &source,
		                BASE_STR("MESSAGE sip:bob@example.com SIP/2.0\r\n" ALICE_VIA B
		                         ";rport , SIP/2.0/UDP p.example\r\n"
		                         "Via: SIP/2.0/UDP q.example\r\n" ALICE_IDS
		                         "CSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n"));
		(void)snprintf(text, sizeof(text), "%s", strstr(proxy_text(&s, 0), "z9hG4bK"));
		*strstr(text, "\r\n") = 0;
		(void)snprintf(response, sizeof(response),
		               "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS "
		               "edge.example:5061;branch=%s\r\n%s" ALICE_IDS
		               "CSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n",
		               text, i < BASE_COUNT(wrong) ? wrong[i] : "");
		s.seen = 1;
		if (i < BASE_COUNT(wrong)) {
			proxy_in(&s, BOB, response);
		} else {
			proxy_answer(&s, 0, 200, "b", NULL);
		}
		(void)proxy_expect(&s, ALICE, right);
		proxy_close(&s);
	}
}

/** The owner may have another final response go instead. */
static void replaced(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 1, bob);
	s.instead = 480;
	proxy_answer(&s, 0, 180, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	proxy_answer(&s, 0, 486, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	proxy_has(&s, proxy_expect(&s, ALICE, "SIP/2.0 480 "), ";tag=b", 0);
	assert_int_equal(s.answered, 480);
	proxy_close(&s);
	proxy_call(&s, 2, two);
	s.reply = 403; /* at once, whatever was to pass */
	proxy_answer(&s, 0, 180, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 403 ");
	(void)proxy_expect(&s, BOB, "CANCEL ");
	proxy_silence(&s);
	assert_int_equal(s.answers, 1);
	proxy_close(&s);
}

/** 16.9, 18.2.2: the flow that asked has gone. Nobody is cancelled, and the answer goes by whatever
 * connection can be had. */
static void asked_by_a_flow_that_went(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 1, bob);
	proxy_answer(&s, 0, 180, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	sip_proxy_lost(s.proxy, ALICE);
	proxy_until(&s, s.now_ms + 1);
	proxy_silence(&s);
	proxy_answer(&s, 0, 486, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 486 ");
	proxy_silence(&s);
	assert_int_equal(s.orphans, 1);
	proxy_close(&s);
	proxy_call(&s, 2, two); /* its owner knows that nobody is there any more */
	s.cancel_orphans = true;
	proxy_answer(&s, 0, 180, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	proxy_answer(&s, 1, 404, "c", NULL);
	(void)proxy_expect(&s, CAROL, "ACK ");
	s.broken = ALICE;
	sip_proxy_lost(s.proxy, ALICE);
	(void)proxy_expect(&s, BOB, "CANCEL ");
	proxy_answer(&s, 0, 487, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	proxy_silence(&s);
	proxy_until(&s, s.now_ms + 1);
	assert_null(s.ctx);
	sip_proxy_lost(s.proxy, ALICE); /* once */
	assert_int_equal(s.orphans, 1);
	proxy_close(&s);
}

/** 16.7, 9: a 2xx that comes when nothing waits for it any more goes where the request came from.
 */
static void late_2xx(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 1, bob);
	proxy_answer(&s, 0, 180, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	s.broken = ALICE;
	proxy_answer(&s, 0, 183, "b", NULL); /* 16.9: others are not ended for that */
	proxy_until(&s, s.now_ms + 1);
	s.broken = 0;
	proxy_silence(&s);
	proxy_answer(&s, 0, 200, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_silence(&s);
	proxy_close(&s);
}

/* -- repetitions ------------------------------------------------------------------------------- */

/** By datagrams: what is repeated is absorbed, answered, and repeated on the other side. */
static void repeated(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, (uint64_t[]){ CORE2 });
	proxy_in(&s, CORE, ASK("INVITE", B, ""));
	(void)proxy_expect(&s, CORE2, "INVITE ");
	proxy_until(&s, 600);
	(void)proxy_expect(&s, CORE, "SIP/2.0 100 ");
	(void)proxy_expect(&s, CORE2, "INVITE ");
	proxy_answer(&s, 0, 180, "b", NULL);
	(void)proxy_expect(&s, CORE, "SIP/2.0 180 ");
	proxy_in(&s, CORE, ASK("INVITE", B, ""));
	(void)proxy_expect(&s, CORE, "SIP/2.0 180 ");
	proxy_answer(&s, 0, 404, "b", NULL);
	(void)proxy_expect(&s, CORE2, "ACK ");
	(void)proxy_expect(&s, CORE, "SIP/2.0 404 ");
	proxy_answer(&s, 0, 404, "b", NULL);
	(void)proxy_expect(&s, CORE2, "ACK ");
	proxy_until(&s, 1101);
	(void)proxy_expect(&s, CORE, "SIP/2.0 404 ");
	proxy_in(&s, CORE, ASK("ACK", B, "")); /* ours: it goes no further */
	proxy_until(&s, 40000);
	proxy_silence(&s);
	proxy_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_another_flow),
		cmocka_unit_test(forked),
		cmocka_unit_test(declined_by_one_for_all),
		cmocka_unit_test(the_best),
		cmocka_unit_test(challenged_by_several),
		cmocka_unit_test(not_for_others),
		cmocka_unit_test(lengths),
		cmocka_unit_test(vias_put_right),
		cmocka_unit_test(replaced),
		cmocka_unit_test(asked_by_a_flow_that_went),
		cmocka_unit_test(late_2xx),
		cmocka_unit_test(repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
