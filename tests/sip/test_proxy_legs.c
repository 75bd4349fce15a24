/* SPDX-License-Identifier: Apache-2.0 */
/** @file What becomes of a proxy's copies: other ways, CANCEL, timer C: RFC 3261, 16.8 to 16.10. */
#include "proxy_stage.h"
#include "sip/proxy_table.h"

static const uint64_t bob[] = { BOB };
static const uint64_t three[] = { BOB, CAROL, DAVE };

/* -- other ways (16.6, 7; 16.9) ---------------------------------------------------------------- */

/** 503, a failure to send, a flow that fails, nobody there: the next way, with a new branch. */
static void another_way(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	memcpy(s.ways, (uint64_t[]){ CORE, CORE2, CORE3, BOB, CAROL }, 5 * sizeof(s.ways[0]));
	s.broken = CORE2;
	proxy_in(&s, ALICE, ASK("INVITE", B, "Route: <sip:core.example;lr>\r\n"));
	assert_string_equal(s.hop, "sip:core.example;lr");
	i = proxy_expect(&s, CORE, "INVITE ");
	proxy_has(&s, i, "Via: SIP/2.0/UDP edge.example:5060;rport;", 1);
	proxy_answer(&s, i, 503, "b", NULL);
	(void)proxy_expect(&s, CORE, "ACK ");
	(void)proxy_expect(&s, CORE3, "INVITE "); /* what cannot be sent was passed over */
	proxy_until(&s, 31600);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 100 ");
	for (int n = 0; n < 6; n++)
		(void)proxy_expect(&s, CORE3, "INVITE ");
	proxy_until(&s, 33000); /* timer B */
	i = proxy_expect(&s, BOB, "INVITE ");
	proxy_has(&s, i, "Via: SIP/2.0/TLS edge.example:5061;", 1);
	proxy_has(&s, i, "Max-Forwards: 69\r\n", 1);
	sip_proxy_lost(s.proxy, BOB);
	proxy_until(&s, 33001);
	i = proxy_expect(&s, CAROL, "INVITE ");
	assert_int_equal(s.way_count, 5);
	proxy_answer(&s, i, 200, "c", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_silence(&s);
	sip_proxy_lost(s.proxy, CORE);
	sip_proxy_lost(s.proxy, CORE3);
	proxy_close(&s);
}

/** A copy that was given up lingers on, when its request is over and forgotten. */
static void given_up_lingers(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	s.ways[0] = CORE;
	s.ways[1] = BOB;
	proxy_in(&s, ALICE, ASK("MESSAGE", B, ""));
	proxy_answer(&s, proxy_expect(&s, CORE, "MESSAGE "), 503, "b", NULL);
	proxy_answer(&s, proxy_expect(&s, BOB, "MESSAGE "), 200, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_until(&s, s.now_ms + 1);
	assert_int_equal(sip_proxy_contexts(s.proxy), 0);
	assert_int_equal(sip_proxy_transactions(s.proxy), 1);
	proxy_answer(&s, 0, 503, "b", NULL); /* again */
	proxy_silence(&s);
	proxy_close(&s);
}

/** No way; no other way. */
static void no_way(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	proxy_in(&s, ALICE, ASK("MESSAGE", B, ""));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 404 ");
	for (i = 0; i < BASE_COUNT(s.ways); i++)
		s.ways[i] = BOB;
	s.broken = BOB;
	s.way_count = 0;
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK2", ""));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 500 "); /* 503 is for us alone (16.7, 6) */
	assert_int_equal(s.way_count, SIP_PROXY_ATTEMPTS_MAX);
	proxy_to(&s, 1, bob); /* this flow or none */
	s.targets[0].lost_status = 430;
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK3", ""));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 430 Flow Failed\r\n");
	s.broken = 0;
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK4", ""));
	(void)proxy_expect(&s, BOB, "MESSAGE ");
	sip_proxy_lost(s.proxy, BOB);
	proxy_until(&s, s.now_ms + 1);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 430 ");
	s.target_count = 1; /* its way is looked for when its owner drops it */
	s.targets[0] = (struct sip_target){ .lost_status = 0 };
	s.hold_ways = true;
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK5", ""));
	sip_proxy_drop(s.ctx);
	proxy_until(&s, s.now_ms + 1);
	sip_proxy_way(s.proxy, s.way, proxy_flow(BOB));
	sip_proxy_no_way(s.proxy, s.way, 404);
	proxy_silence(&s);
	proxy_close(&s);
}

/** 16.7, 6: nobody has answered. */
static void nobody_answers(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	proxy_in(&s, ALICE, ASK("MESSAGE", B, ""));
	(void)proxy_expect(&s, BOB, "MESSAGE ");
	proxy_until(&s, 31999);
	proxy_silence(&s);
	proxy_until(&s, 32002);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 408 ");
	s.target_count = 1;
	s.targets[0] = (struct sip_target){ .lost_status = 0 };
	s.ways[0] = s.ways[1] = BOB;
	proxy_in(&s, ALICE, ASK("MESSAGE", "z9hG4bK2", ""));
	(void)proxy_expect(&s, BOB, "MESSAGE ");
	proxy_until(&s, 65000); /* who asked has given up, too: no other way */
	(void)proxy_expect(&s, ALICE, "SIP/2.0 408 ");
	assert_int_equal(s.way_count, 1);
	proxy_silence(&s);
	proxy_close(&s);
}

/** Several targets that cannot be reached: one answer, when the last has been tried. */
static void none_can_be_reached(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 3;
	s.ways[0] = BOB;
	s.broken = BOB;
	s.targets[2].flow = proxy_flow(CAROL);
	proxy_in(&s, ALICE, ASK("INVITE", B, ""));
	(void)proxy_expect(&s, CAROL, "INVITE ");
	proxy_silence(&s);
	proxy_answer(&s, 0, 486, "c", NULL);
	(void)proxy_expect(&s, CAROL, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 486 ");
	proxy_close(&s);
}

/* -- CANCEL (16.10) and timer C (16.8) --------------------------------------------------------- */

/** Who rings is cancelled, who has said nothing yet when he does; Reason goes along (RFC 3326). */
static void cancelled(void **state)
{
	struct proxy_stage s;
	size_t i;

	(void)state;
	proxy_call(&s, 3, three);
	proxy_answer(&s, 0, 180, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	proxy_in(&s, CAROL, ASK("CANCEL", B, "")); /* not his */
	(void)proxy_expect(&s, CAROL, "SIP/2.0 481 ");
	proxy_in(&s, ALICE, ASK("CANCEL", "z9hG4bKother", ""));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 481 ");
	proxy_in(&s, ALICE, ASK("CANCEL", B, "Reason: SIP;cause=200\r\n"));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	i = proxy_expect(&s, BOB, "CANCEL sip:bob@example.com SIP/2.0\r\n");
	proxy_has(&s, i, "Reason: SIP;cause=200\r\n", 1);
	proxy_has(&s, i, "CSeq: 7 CANCEL\r\n", 1);
	proxy_silence(&s);
	proxy_answer(&s, 1, 180, "c", NULL);
	(void)proxy_expect(&s, CAROL, "CANCEL ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	proxy_answer(&s, 2, 486, "d", NULL); /* at once */
	(void)proxy_expect(&s, DAVE, "ACK ");
	proxy_answer(&s, i, 200, "b", NULL); /* of the CANCEL */
	proxy_answer(&s, 0, 487, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	proxy_silence(&s);
	proxy_answer(&s, 1, 487, "c", NULL);
	(void)proxy_expect(&s, CAROL, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 486 ");
	proxy_until(&s, s.now_ms + 1);
	proxy_in(&s, ALICE, ASK("CANCEL", B, "")); /* there is nothing left to cancel */
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_silence(&s);
	proxy_close(&s);
}

/** A 2xx that crosses the CANCEL passes all the same. */
static void accepted_and_cancelled(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 1, bob);
	proxy_answer(&s, 0, 183, "b", NULL);
	proxy_in(&s, ALICE, ASK("CANCEL", B, ""));
	proxy_answer(&s, 0, 200, "b", NULL);
	s.seen = 3;
	(void)proxy_expect(&s, BOB, "CANCEL ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 OK");
	proxy_silence(&s);
	assert_int_equal(s.answered, 200);
	proxy_close(&s);
	proxy_call(&s, 1, bob); /* too late for him who has answered */
	proxy_answer(&s, 0, 200, "b", NULL);
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_in(&s, ALICE, ASK("CANCEL", B, ""));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	proxy_silence(&s);
	proxy_close(&s);
}

/** By datagrams who knows the Via is told by where he is. */
static void cancelled_by_another(void **state)
{
	static const struct sip_source source = { .address = "192.0.2.1", .port = 5060 };
	static const struct sip_source other = { .address = "192.0.2.2", .port = 5060 };
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	sip_proxy_input(s.proxy, proxy_flow(CORE), &source, BASE_STR(ASK("INVITE", B, "")));
	(void)proxy_expect(&s, BOB, "INVITE ");
	sip_proxy_input(s.proxy, proxy_flow(CORE2), &other, BASE_STR(ASK("CANCEL", B, "")));
	(void)proxy_expect(&s, CORE2, "SIP/2.0 481 ");
	proxy_answer(&s, 0, 486, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	(void)proxy_expect(&s, CORE, "SIP/2.0 486 ");
	proxy_silence(&s);
	sip_proxy_lost(s.proxy, CORE);
	sip_proxy_lost(s.proxy, CORE2);
	s.broken = CORE;
	proxy_close(&s);
	proxy_open(&s, NULL);
	proxy_to(&s, 1, bob);
	sip_proxy_input(s.proxy, proxy_flow(CORE), &source, BASE_STR(ASK("INVITE", B, "")));
	proxy_answer(&s, proxy_expect(&s, BOB, "INVITE "), 180, "b", NULL);
	(void)proxy_expect(&s, CORE, "SIP/2.0 180 ");
	/* from another port of the same host: by a flow of its own, and his all the same */
	sip_proxy_input(s.proxy, proxy_flow(CORE2), &source, BASE_STR(ASK("CANCEL", B, "")));
	(void)proxy_expect(&s, CORE2, "SIP/2.0 200 ");
	(void)proxy_expect(&s, BOB, "CANCEL ");
	proxy_close(&s);
}

/** While the owner thinks, and while ways are looked for. */
static void cancelled_early(void **state)
{
	struct proxy_stage s;
	struct sip_target target = { .flow = proxy_flow(BOB) };

	(void)state;
	proxy_open(&s, NULL);
	proxy_in(&s, ALICE, ASK("INVITE", B, ""));
	proxy_in(&s, ALICE, ASK("CANCEL", B, ""));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 487 ");
	assert_int_equal(sip_proxy_forward(s.ctx, &target, 1), 0);
	proxy_silence(&s);
	proxy_in(&s, ALICE, ASK("ACK", B, "")); /* of the 487 */
	s.target_count = 1;
	s.hold_ways = true;
	proxy_in(&s, ALICE, ASK("INVITE", "z9hG4bK2", ""));
	proxy_in(&s, ALICE, ASK("CANCEL", "z9hG4bK2", ""));
	(void)proxy_expect(&s, ALICE, "SIP/2.0 200 ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 487 ");
	sip_proxy_way(s.proxy, s.way, proxy_flow(BOB));
	proxy_silence(&s);
	proxy_close(&s);
}

/** Who does not react to CANCEL is waited for no longer than 64 T1; nobody is asked instead. */
static void cancelled_in_vain(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_open(&s, NULL);
	s.target_count = 1;
	s.ways[0] = s.ways[1] = BOB;
	proxy_in(&s, ALICE, ASK("INVITE", B, ""));
	proxy_answer(&s, 0, 180, "b", NULL);
	proxy_until(&s, 100000);
	proxy_in(&s, ALICE, ASK("CANCEL", B, ""));
	proxy_until(&s, 132002);
	s.seen = 4;
	(void)proxy_expect(&s, ALICE, "SIP/2.0 408 ");
	proxy_silence(&s);
	assert_int_equal(s.way_count, 1);
	proxy_close(&s);
}

/** 16.6, 11; 16.7, 2; 16.8 */
static void timer_c(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 1, bob);
	proxy_answer(&s, 0, 100, "", NULL);
	proxy_until(&s, 100000);
	proxy_answer(&s, 0, 180, "b", NULL);           /* from now on */
	(void)proxy_expect(&s, ALICE, "SIP/2.0 100 "); /* the 200 ms of 17.2.1 */
	(void)proxy_expect(&s, ALICE, "SIP/2.0 180 ");
	proxy_until(&s, 150000);
	proxy_answer(&s, 0, 100, "", NULL); /* but not by that */
	proxy_until(&s, 280999);
	proxy_silence(&s);
	proxy_until(&s, 281000);
	(void)proxy_expect(&s, BOB, "CANCEL ");
	proxy_answer(&s, 0, 487, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 487 ");
	proxy_silence(&s);
	proxy_close(&s);
}

/** By the owner, as by a CANCEL. */
static void given_up(void **state)
{
	struct proxy_stage s;

	(void)state;
	proxy_call(&s, 1, bob);
	proxy_answer(&s, 0, 180, "b", NULL);
	sip_proxy_cancel(s.ctx);
	s.seen++;
	(void)proxy_expect(&s, BOB, "CANCEL ");
	proxy_answer(&s, 0, 487, "b", NULL);
	(void)proxy_expect(&s, BOB, "ACK ");
	(void)proxy_expect(&s, ALICE, "SIP/2.0 487 ");
	proxy_close(&s);
}

/* -- of our own -------------------------------------------------------------------------------- */

#define OWN                                                                                        \
	"REGISTER sip:home.example SIP/2.0\r\nMax-Forwards: 70\r\nRoute: <sip:s.example;lr>\r\n"   \
	"From: <sip:a@home.example>;tag=1\r\nTo: <sip:a@home.example>\r\nCall-ID: own\r\n"         \
	"CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"

struct own {
	unsigned count, status;
	bool whole;
};

static void on_own(void *user, const struct sip_message *response, unsigned status)
{
	struct own *own = user;

	own->count++;
	own->status = status;
	own->whole = response != NULL;
}

/** The owner's own requests find their way, and another one. */
static void own_requests(void **state)
{
	struct proxy_stage s;
	struct sip_target target = { 0 }, flow = { .flow = proxy_flow(BOB), .lost_status = 430 };
	struct own own = { 0 };
	struct sip_context *asked;
	size_t i;

	(void)state;
	proxy_open(&s, NULL);
	s.ways[0] = BOB;
	s.ways[1] = CORE;
	assert_int_equal(sip_proxy_ask(s.proxy, BASE_STR(OWN), &target, on_own, &own, &asked), 0);
	proxy_silence(&s);
	proxy_until(&s, s.now_ms);
	assert_string_equal(s.hop, "sip:s.example;lr");
	i = proxy_expect(&s, BOB, "REGISTER sip:home.example SIP/2.0\r\nVia: SIP/2.0/TLS edge.");
	proxy_has(&s, i, "Via: ", 1);
	proxy_answer(&s, i, 503, "x", NULL);
	i = proxy_expect(&s, CORE, "REGISTER ");
	proxy_answer(&s, i, 100, "x", NULL);
	assert_int_equal(own.count, 0);
	proxy_answer(&s, i, 200, "x", NULL);
	assert_int_equal(own.status, 200);
	assert_true(own.whole);
	assert_int_equal(sip_proxy_ask(s.proxy, BASE_STR(OWN), &flow, on_own, &own, &asked), 0);
	s.broken = BOB;
	proxy_until(&s, s.now_ms);
	assert_int_equal(own.count, 2);
	assert_int_equal(own.status, 430);
	assert_false(own.whole);
	s.broken = 0;
	assert_int_equal(sip_proxy_ask(s.proxy, BASE_STR(OWN), &flow, on_own, &own, &asked), 0);
	proxy_until(&s, s.now_ms);
	i = proxy_expect(&s, BOB, "REGISTER ");
	sip_proxy_forget(asked);
	proxy_answer(&s, i, 401, "x", NULL);
	assert_int_equal(own.count, 2);
	assert_int_equal(sip_proxy_ask(s.proxy, BASE_STR("REGISTER sip:x SIP/2.0\r\n\r\n"), &flow,
	                               on_own, &own, &asked),
	                 BASE_ERR(BASE_BUG, 400));
	assert_int_equal(s.admits, 0);
	proxy_close(&s);
}

/* -- the table --------------------------------------------------------------------------------- */

static void walk(enum leg_state state, bool seen[LEG_STATES])
{
	if (seen[state])
		return;
	seen[state] = true;
	for (unsigned e = 0; e < LEG_EVENTS; e++) {
		struct leg_step step = sip_leg_step_of(state, (enum leg_event)e);

		if (step.legal)
			walk((enum leg_state)step.next, seen);
	}
}

/** Each state can be come to, and left; each that waits for somebody has an end by time or flow. */
static void states(void **state)
{
	bool seen[LEG_STATES] = { false };

	(void)state;
	walk(LEG_SEEKING, seen);
	for (unsigned n = 0; n < LEG_OVER; n++) {
		bool from[LEG_STATES] = { false };

		assert_true(seen[n]);
		walk((enum leg_state)n, from);
		assert_true(from[LEG_OVER]);
		if (n == LEG_SEEKING)
			continue;
		assert_true(sip_leg_step_of((enum leg_state)n, LEG_TIMEOUT).legal);
		assert_true(sip_leg_step_of((enum leg_state)n, LEG_BROKEN).legal);
	}
	for (unsigned e = 0; e < LEG_EVENTS; e++)
		assert_false(sip_leg_step_of(LEG_OVER, (enum leg_event)e).legal);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_way),
		cmocka_unit_test(given_up_lingers),
		cmocka_unit_test(no_way),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(none_can_be_reached),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(accepted_and_cancelled),
		cmocka_unit_test(cancelled_by_another),
		cmocka_unit_test(cancelled_early),
		cmocka_unit_test(cancelled_in_vain),
		cmocka_unit_test(timer_c),
		cmocka_unit_test(given_up),
		cmocka_unit_test(own_requests),
		cmocka_unit_test(states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
