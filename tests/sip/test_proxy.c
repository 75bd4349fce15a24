/* SPDX-License-Identifier: Apache-2.0 */
/** @file A proxy's requests: RFC 3261, 16.3 to 16.6, step by step. */
#include "proxy_stage.h"

static const uint64_t bob[] = { BOB };

/** 16.6: what is not touched is forwarded as it came; Via, Max-Forwards, and back without. */
static void there_and_back(void **state)
{
	static const char request[] =
	        "MESSAGE sip:bob@example.com SIP/2.0\r\nvia:  SIP/2.0/TLS alice.example:5061 ;"
	        "branch=" B " , SIP/2.0/UDP far.example\r\nX-Odd:   ,,;\r\n folded\r\n"
	        "max-forwards: 010\r\n" ALICE_IDS "CSeq: 7 MESSAGE\r\nl: 5\r\n\r\na\r\n\nb";
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	s.line = "edge";
	proxy_in(&s, ALICE, request);
	i = proxy_expect(&s, BOB,
	                 "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS "
	                 "edge.example:5061;branch=z9hG4bK");
	proxy_has(&s, i,
	          "\r\nvia:  SIP/2.0/TLS alice.example:5061 ;branch=" B
	          " , SIP/2.0/UDP far.example\r\nX-Odd:   ,,;\r\n folded\r\n"
	          "max-forwards: 9\r\n" ALICE_IDS "CSeq: 7 MESSAGE\r\nl: 5\r\n\r\na\r\n\nb",
	          1);
	proxy_in(&s, ALICE, request); /* again: absorbed */
	proxy_silence(&s);
	proxy_answer(&s, i, 100, "b", NULL);
	proxy_silence(&s);
	proxy_answer(&s, i, 200, "b", "X-Back:  1 ,2\r\n");
	i = proxy_expect(&s, ALICE, "SIP/2.0 200 OK\r\nvia:  SIP/2.0/TLS alice.example:5061");
	proxy_has(&s, i, "edge.example", 0);
	proxy_has(&s, i, "X-Back:  1 ,2\r\n", 1);
	proxy_has(&s, i, "X-Passed: edge\r\n", 1);
	assert_int_equal(s.answers, 1);
	assert_int_equal(s.answered, 200);
	proxy_until(&s, s.now_ms + 1);
	assert_int_equal(s.overs, 1);
	proxy_close(&s);
}

/** 16.3, 2: schemes that lead somewhere, and those that do not. */
static void schemes(void **state)
{
	static const char *const urn[] = { "urn", NULL };
	struct sip_proxy_config config = { .schemes = urn };
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, &config);
	proxy_to(&s, 1, bob);
	proxy_in(&s, ALICE,
	         "INVITE soap.beep://192.0.2.103:3002 SIP/2.0\r\n" ALICE_VIA B "\r\n" ALICE_IDS
	         "CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n");
	i = proxy_expect(&s, ALICE, "SIP/2.0 416 ");
	proxy_has(&s, i, ";tag=", 2);
	assert_int_equal(s.requests, 0);
	proxy_in(&s, ALICE,
	         "INVITE urn:service:sos SIP/2.0\r\n" ALICE_VIA "z9hG4bK2\r\n" ALICE_IDS
	         "CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n");
	i = proxy_expect(&s, BOB, "INVITE urn:service:sos SIP/2.0\r\n");
	proxy_has(&s, i, "Max-Forwards: 70\r\n", 1); /* it had none (16.6, 3) */
	proxy_answer(&s, i, 486, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK urn:service:sos ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 486 ");
	proxy_close(&s);
}

/** 16.3, 3 */
static void hops(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	proxy_in(&s, ALICE,
	         "MESSAGE sip:bob@example.com SIP/2.0\r\n" ALICE_VIA B
	         "\r\nMax-Forwards: 0\r\n" ALICE_IDS
	         "CSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 483 Too Many Hops\r\n");
	proxy_in(&s, ALICE,
	         "OPTIONS sip:bob@example.com SIP/2.0\r\n" ALICE_VIA B
	         "\r\nMax-Forwards: 0\r\n" ALICE_IDS
	         "CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 483 ");
	proxy_in(&s, ALICE,
	         "ACK sip:bob@example.com SIP/2.0\r\n" ALICE_VIA B
	         "\r\nMax-Forwards: 0\r\n" ALICE_IDS "CSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n");
	proxy_in(&s, ALICE,
	         "MESSAGE sip:bob@example.com SIP/2.0\r\n" ALICE_VIA "z9hG4bK2\r\nMax-Forwards: 1"
	         "\r\n" ALICE_IDS "CSeq: 8 MESSAGE\r\nContent-Length: 0\r\n\r\n");
	proxy_has(&s, proxy_expect(&s, BOB, "MESSAGE "), "Max-Forwards: 0\r\n", 1);
	proxy_silence(&s);
	proxy_close(&s);
}

/** 16.3, 4: what comes back unchanged has looped; what comes back otherwise spirals. */
static void loops(void **state)
{
	struct proxy_stage s;
	char text[2048];
	char *uri;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, (uint64_t[]){ CORE });
	proxy_in(&s, CORE, ASK("MESSAGE", B, ""));
	(void)snprintf(text, sizeof(text), "%s",
	               proxy_text(&s, proxy_expect(&s, CORE, "MESSAGE ")));
	uri = strstr(text, "bob");
	*uri = 'B';
	proxy_in(&s, CORE, text); /* a spiral: to somebody else */
	(void)proxy_expect(&s, CORE, "MESSAGE sip:Bob@");
	*uri = 'b';
	strstr(text, "branch=")[8 + 7] = 'x'; /* by another element, our hash in it */
	proxy_in(&s, CORE, text);
	(void)proxy_expect(&s, CORE, "SIP/2.0 482 Loop Detected\r\n");
	strstr(text, "branch=")[8 + 7] = 'y';
	proxy_in(&s, CORE2, text); /* by another flow its way may be another */
	(void)proxy_expect(&s, CORE, "MESSAGE sip:bob@");
	proxy_silence(&s);
	sip_proxy_lost(s.proxy, CORE);
	sip_proxy_lost(s.proxy, CORE2);
	proxy_close(&s);
}

/* `text`, with `with` in the place of `what`, of another branch each time: no repetition. */
static void changed(char *out, size_t cap, char *text, const char *what, const char *with)
{
	char *branch = strstr(text, "branch=") + 8 + 7;
	const char *at = strstr(text, what);

	assert_non_null(at);
	*branch = (char)(*branch < 'g' ? 'g' : *branch + 1);
	(void)snprintf(out, cap, "%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
}

/** Whatever it goes by is looked at, not its Request-URI alone. */
static void spirals(void **state)
{
	static const char *const spiral[][2] = {
		{ "\r\n\r\n", "\r\nRoute: <sip:p.example;lr>\r\n\r\n" },
		{ "\r\n\r\n", "\r\nProxy-Require: path\r\n\r\n" },
		{ "\r\n\r\n", "\r\nProxy-Authorization: Digest realm=\"x\"\r\n\r\n" },
		{ "Call-ID: ", "Call-ID: x" },
		{ ";tag=", ";tag=x" },
		{ "CSeq: ", "CSeq: 1" },
		{ "bob@example.com>", "bob@example.com>;tag=x" },
	};
	static const char *const path[] = { "path", NULL };
	struct sip_proxy_config config = { .supported = path };
	char text[2048], again[2048 + 64];
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, &config);
	proxy_to(&s, 1, (uint64_t[]){ CORE });
	proxy_in(&s, CORE, ASK("MESSAGE", B, ""));
	(void)snprintf(text, sizeof(text), "%s",
	               proxy_text(&s, proxy_expect(&s, CORE, "MESSAGE ")));
	for (size_t i = 0; i < BASE_COUNT(spiral); i++) {
		changed(again, sizeof(again), text, spiral[i][0], spiral[i][1]);
		proxy_in(&s, CORE, again);
		(void)proxy_expect(&s, CORE, "MESSAGE ");
	}
	changed(again, sizeof(again), text, "\r\n\r\n", "\r\nSubject: x\r\n\r\n");
	proxy_in(&s, CORE, again);
	(void)proxy_expect(&s, CORE, "SIP/2.0 482 ");
	sip_proxy_lost(s.proxy, CORE);
	proxy_close(&s);
}

/** 16.3, 5 */
static void extensions(void **state)
{
	static const char *const known[] = { "sec-agree", NULL };
	struct sip_proxy_config config = { .supported = known, .lines = "Server: edge\r\n" };
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, &config);
	proxy_to(&s, 1, bob);
	proxy_in(&s, ALICE,
	         ASK("MESSAGE", B, "Proxy-Require: foo, Sec-Agree\r\nProxy-Require: b@r\r\n"));
	i = proxy_expect(&s, ALICE, "SIP/2.0 420 Bad Extension\r\n");
	proxy_has(&s, i, "Unsupported: foo\r\n", 1);
	proxy_has(&s, i, "Unsupported: ", 2);
	proxy_has(&s, i, "Server: edge\r\n", 1);
	proxy_in(&s, ALICE,
	         ASK("MESSAGE", "z9hG4bK2", "Proxy-Require: sec-agree\r\nRequire: foo\r\n"));
	(void)proxy_expect(&s, BOB, "MESSAGE ");
	proxy_close(&s);
}

/** The owner's first look comes before all checks. */
static void not_admitted(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	s.refuse = 403;
	proxy_in(&s, ALICE, ASK("MESSAGE", B, "Proxy-Require: foo\r\n"));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 403 ");
	assert_int_equal(s.requests, 0);
	assert_int_equal(s.answered, 403);
	proxy_in(&s, ALICE, ASK("ACK", B, "")); /* nobody answers that */
	proxy_silence(&s);
	proxy_close(&s);
}

/** 16.4: our own Routes go, the owner is told what they had. */
static void own_routes(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	proxy_in(&s, CORE,
	         ASK("MESSAGE", B,
	             "Route: <sip:token1@edge.example;lr>,\r\n <sip:token2@EDGE.example;lr>\r\n"
	             "Route:  <sip:next.example;lr> , <sip:edge.example;lr>\r\n"));
	i = proxy_expect(&s, BOB, "MESSAGE ");
	assert_string_equal(s.last_routes,
	                    "sip:token1@edge.example;lr sip:token2@EDGE.example;lr ");
	proxy_has(&s, i, "Route: ", 1);
	proxy_has(&s, i, "Route:  <sip:next.example;lr> , <sip:edge.example;lr>\r\n", 1);
	proxy_in(&s, CORE, ASK("MESSAGE", "z9hG4bK2", "Route: <sip:edge.example;lr>\r\n"));
	proxy_has(&s, proxy_expect(&s, BOB, "MESSAGE "), "Route:", 0);
	proxy_in(&s, CORE, ASK("MESSAGE", "z9hG4bK3", "Route: <sip:ed ge;lr>\r\n"));
	(void)proxy_expect(&s, CORE, "SIP/2.0 400 ");
	sip_proxy_lost(s.proxy, CORE);
	proxy_close(&s);
}

/** 16.4: a strict router has our URI in the Request-URI, and the true one in the last Route. */
static void from_a_strict_router(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1; /* by its routes */
	s.ways[0] = BOB;
	proxy_in(&s, ALICE,
	         "BYE sip:token@edge.example;lr SIP/2.0\r\n" ALICE_VIA B "\r\n" ALICE_IDS
	         "CSeq: 8 BYE\r\nRoute: <sip:p2.example;lr>, <sip:bob@192.0.2.4;ob?X=y>\r\n"
	         "Content-Length: 0\r\n\r\n");
	assert_string_equal(s.last_routes, "sip:token@edge.example;lr ");
	assert_string_equal(s.hop, "sip:p2.example;lr");
	i = proxy_expect(&s, BOB, "BYE sip:bob@192.0.2.4;ob SIP/2.0\r\n");
	proxy_has(&s, i, "Route: <sip:p2.example;lr>\r\n", 1);
	/* the only Route is the true Request-URI */
	proxy_in(&s, ALICE,
	         "BYE sip:token@edge.example;lr SIP/2.0\r\n" ALICE_VIA "z9hG4bK2\r\n" ALICE_IDS
	         "CSeq: 8 BYE\r\nRoute: <sip:bob@edge.example>\r\nContent-Length: 0\r\n\r\n");
	assert_string_equal(s.hop, "sip:bob@edge.example");
	i = proxy_expect(&s, BOB, "BYE sip:bob@edge.example SIP/2.0\r\n");
	proxy_has(&s, i, "Route:", 0);
	/* without Route, or without lr, the Request-URI is what it is */
	proxy_in(&s, ALICE,
	         "BYE sip:bob@edge.example SIP/2.0\r\n" ALICE_VIA "z9hG4bK3\r\n" ALICE_IDS
	         "CSeq: 8 BYE\r\nRoute: <sip:p2.example;lr>\r\nContent-Length: 0\r\n\r\n");
	i = proxy_expect(&s, BOB, "BYE sip:bob@edge.example SIP/2.0\r\n");
	proxy_has(&s, i, "Route: <sip:p2.example;lr>\r\n", 1);
	proxy_close(&s);
}

/** 16.6, 6: a strict router gets itself as Request-URI; wherever its Route came from. */
static void to_a_strict_router(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	s.ways[0] = BOB;
	proxy_in(&s, ALICE,
	         ASK("MESSAGE", B,
	             "Route: <sip:edge.example;lr>, <sip:old@strict.example;method=BYE?A=b>,"
	             " <sip:p3.example;lr>\r\n"));
	i = proxy_expect(&s, BOB, "MESSAGE sip:old@strict.example SIP/2.0\r\n");
	assert_string_equal(s.hop, "sip:old@strict.example");
	proxy_has(&s, i, "Route: <sip:p3.example;lr>\r\nRoute: <sip:bob@example.com>\r\n", 1);
	s.route = "<sip:strict.example>";
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK2", ""));
	i = proxy_expect(&s, BOB, "MESSAGE sip:strict.example SIP/2.0\r\n");
	proxy_has(&s, i, "Route: <sip:bob@example.com>\r\n", 1);
	proxy_has(&s, i, "Route:", 1);
	s.targets[0].hop = BASE_STR("sip:core.example;lr"); /* the owner knows who stands there */
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK3", ""));
	assert_string_equal(s.hop, "sip:core.example;lr");
	i = proxy_expect(&s, BOB, "MESSAGE sip:bob@example.com SIP/2.0\r\n");
	proxy_has(&s, i, "Route: <sip:strict.example>\r\n", 1);
	proxy_close(&s);
}

/** 16.6, 4 and 7: what the owner puts in; where the copy goes. */
static void targets(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	s.targets[0].uri = BASE_STR("sip:bob@192.0.2.4:5062;ob;method=INVITE?Subject=x");
	s.record = "<sip:token@edge.example;lr>";
	s.ways[0] = CORE;
	proxy_in(&s, ALICE, ASK("SUBSCRIBE", B, "Record-Route: <sip:p1.example;lr>\r\n"));
	assert_string_equal(s.hop, "sip:bob@192.0.2.4:5062;ob");
	i = proxy_expect(&s, CORE,
	                 "SUBSCRIBE sip:bob@192.0.2.4:5062;ob SIP/2.0\r\n"
	                 "Via: SIP/2.0/UDP edge.example:5060;rport;branch=z9hG4bK");
	proxy_has(&s, i,
	          "Record-Route: <sip:token@edge.example;lr>\r\nRecord-Route: "
	          "<sip:p1.example;lr>\r\n",
	          1);
	s.targets[0].uri = BASE_STR("sips:bob@example.com");
	s.route = "<sip:p2.example;lr>";
	proxy_in(&s, ALICE, ASK("SUBSCRIBE", "z9hG4bK2", ""));
	assert_string_equal(s.hop, "sips:p2.example;lr"); /* 16.6, 7 */
	s.targets[0].uri = BASE_STR("no uri");
	proxy_in(&s, ALICE, ASK("SUBSCRIBE", "z9hG4bK3", ""));
	s.seen++;
	(void)proxy_expect(&s, ALICE, "SIP/2.0 500 ");
	sip_proxy_lost(s.proxy, CORE);
	proxy_close(&s);
}

/** 18.2.1: where it came from stands in the Via of who sent it. */
static void received(void **state)
{
	static const struct sip_source source = { .address = "192.0.2.9", .port = 4711 };
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	sip_proxy_input(s.proxy, proxy_flow(ALICE), &source,
	                BASE_STR("MESSAGE sip:bob@example.com SIP/2.0\r\n" ALICE_VIA B ";rport, "
	                         "SIP/2.0/UDP b\r\n" ALICE_IDS
	                         "CSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n"));
	i = proxy_expect(&s, BOB, "MESSAGE ");
	proxy_has(&s, i,
	          "\r\nVia: SIP/2.0/TLS alice.example:5061;branch=" B
	          ";received=192.0.2.9;rport=4711, SIP/2.0/UDP b\r\n",
	          1);
	proxy_answer(&s, i, 200, "b", NULL);
	i = proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_has(&s, i, ";received=192.0.2.9;rport=4711, SIP/2.0/UDP b\r\n", 1);
	proxy_close(&s);
}

/** 13.2.2.4: the ACK of a 2xx goes without state, by its routes. */
static void acks(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	s.ways[0] = BOB;
	s.hold_ways = true;
	proxy_in(&s, ALICE, ASK("ACK", B, "Route: <sip:token@edge.example;lr>\r\n"));
	assert_string_equal(s.last_routes, "sip:token@edge.example;lr ");
	proxy_silence(&s);
	sip_proxy_way(s.proxy, s.way, proxy_flow(CORE));
	i = proxy_expect(&s, CORE, "ACK sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP edge.");
	proxy_has(&s, i, "Max-Forwards: 69\r\n", 1);
	proxy_has(&s, i, "Route:", 0);
	assert_int_equal(sip_proxy_transactions(s.proxy), 0);
	proxy_until(&s, 1000000);
	proxy_silence(&s);
	assert_int_equal(s.overs, 1);
	proxy_in(&s, ALICE, ASK("ACK", B, "")); /* its owner has it dropped */
	sip_proxy_no_way(s.proxy, s.way, 404);
	proxy_silence(&s);
	s.target_count = 0;
	proxy_in(&s, ALICE, ASK("ACK", "z9hG4bK2", ""));
	assert_int_equal(sip_proxy_forward(s.ctx, (struct sip_target[2]){ 0 }, 2),
	                 BASE_ERR(BASE_BUG, 0));
	sip_proxy_drop(s.ctx);
	proxy_close(&s);
}

/** ACKs that wait for their ways are as many as transactions may be; those that linger keep none
 * out. */
static void too_many_acks(void **state)
{
	static const struct sip_proxy_config config = { .txns = { .count_max = 2 } };
	static const char *const answered[] = { ASK("MESSAGE", "z9hG4bK4", ""),
		                                ASK("MESSAGE", "z9hG4bK5", ""),
		                                ASK("MESSAGE", "z9hG4bK6", "") };
	struct proxy_stage s;
	uint64_t first;

	(void)state;
	proxy_open(&s, &config);
	for (size_t i = 0; i < BASE_COUNT(answered); i++) {
		proxy_in(&s, CORE, answered[i]);
		assert_int_equal(sip_proxy_reply(s.ctx, 200, NULL), 0);
		(void)proxy_expect(&s, CORE, "SIP/2.0 200 ");
	}
	assert_int_equal(sip_proxy_lingering(s.proxy), 3);
	assert_int_equal(sip_proxy_busy(s.proxy), 0);
	s.target_count = 1;
	s.hold_ways = true;
	proxy_in(&s, ALICE, ASK("ACK", B, ""));
	first = s.way;
	proxy_in(&s, ALICE, ASK("ACK", "z9hG4bK2", ""));
	proxy_in(&s, ALICE, ASK("ACK", "z9hG4bK3", ""));
	assert_int_equal(sip_proxy_contexts(s.proxy), 3 + 2);
	sip_proxy_no_way(s.proxy, first, 404);
	sip_proxy_no_way(s.proxy, s.way, 404);
	proxy_silence(&s);
	proxy_close(&s);
}

/** 16.4: maddr that names us. */
static void maddr(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	s.ways[0] = BOB;
	proxy_in(
	        &s, ALICE,
	        "MESSAGE sip:bob:pw@example.com:5070;user=ip;maddr=edge.example;transport=tls;x=[] "
	        "SIP/2.0\r\n" ALICE_VIA B "\r\n" ALICE_IDS
	        "CSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n");
	(void)proxy_expect(&s, BOB, "MESSAGE sip:bob:pw@example.com;user=ip;x=[] SIP/2.0\r\n");
	proxy_in(&s, ALICE,
	         "MESSAGE sip:bob@example.com;maddr=other.example SIP/2.0\r\n" ALICE_VIA
	         "z9hG4bK2\r\n" ALICE_IDS "CSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n");
	(void)proxy_expect(&s, BOB, "MESSAGE sip:bob@example.com;maddr=other.example SIP/2.0\r\n");
	proxy_close(&s);
}

/** The owner may take its time, answer, or not. */
static void by_the_owner(void **state)
{
	struct proxy_stage s;
	struct sip_target target = { .flow = proxy_flow(BOB) };
	struct sip_content content = { .lines = "Retry-After: 9\r\n", .reason = "Full" };

	(void)state;
	proxy_open(&s, NULL);
	proxy_in(&s, ALICE, ASK("MESSAGE", B, ""));
	proxy_until(&s, 5000);
	proxy_silence(&s);
	assert_int_equal(sip_proxy_forward(s.ctx, &target, 1), 0);
	(void)proxy_expect(&s, BOB, "MESSAGE ");
	assert_int_equal(sip_proxy_reply(s.ctx, 503, &content), 0);
	proxy_has(&s, proxy_expect(&s, ALICE, "SIP/2.0 503 Full\r\n"), "Retry-After: 9\r\n", 1);
	proxy_answer(&s, 0, 200, "b", NULL); /* too late */
	proxy_silence(&s);
	assert_int_equal(s.answers, 1);
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK2", ""));
	sip_proxy_drop(s.ctx);
	assert_int_equal(sip_proxy_forward(s.ctx, &target, 1), 0);
	proxy_silence(&s);
	proxy_in(&s, ALICE, ASK("INVITE", "z9hG4bK3", "")); /* its flow goes while he thinks */
	sip_proxy_lost(s.proxy, ALICE);
	proxy_until(&s, s.now_ms + 1);
	assert_non_null(s.ctx); /* its answer may find another (18.2.2) */
	s.broken = ALICE;
	assert_int_equal(sip_proxy_reply(s.ctx, 480, NULL), 0);
	proxy_until(&s, s.now_ms + 1);
	assert_null(s.ctx);
	proxy_silence(&s);
	proxy_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(schemes),
		cmocka_unit_test(hops),
		cmocka_unit_test(loops),
		cmocka_unit_test(spirals),
		cmocka_unit_test(extensions),
		cmocka_unit_test(not_admitted),
		cmocka_unit_test(own_routes),
		cmocka_unit_test(from_a_strict_router),
		cmocka_unit_test(to_a_strict_router),
		cmocka_unit_test(targets),
		cmocka_unit_test(received),
		cmocka_unit_test(acks),
		cmocka_unit_test(too_many_acks),
		cmocka_unit_test(maddr),
		cmocka_unit_test(by_the_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
