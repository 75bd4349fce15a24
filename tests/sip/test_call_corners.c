/* SPDX-License-Identifier: Apache-2.0 */
/** @file What crosses what at a call's beginning and end: the rare rows of its table. */
#include "check.h"
#include "pair.h"

static struct pair p;

static int set_up(void **state)
{
	(void)state;
	pair_open(&p, NULL, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pair_close(&p);
	return 0;
}

static void over(struct pair_end *end, enum sip_call_why why)
{
	assert_int_equal(pair_expect(end, SIP_CALL_OVER)->why, why);
	pair_silence(end);
}

static void soon(void)
{
	pair_until(&p, p.now_ms + 1);
}

/* Bob's telephone rings. */
static void ringing(const char *offer)
{
	(void)pair_call(&p, offer);
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_progress(p.bob.call, 180, NULL), 0);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_PROGRESS);
}

static void accept_with(const char *text)
{
	struct sip_content content = pair_body(text);

	assert_int_equal(sip_call_accept(p.bob.call, &content), 0);
}

static void ringing_then(void **state)
{
	(void)state;
	ringing(NULL);
	accept_with("o");
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_ASKED);
	sip_call_end(p.alice.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_OURS);
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
	over(&p.bob, SIP_WHY_BYE);
	ringing("o");
	sip_call_end(p.bob.call, 486, NULL);
	soon();
	over(&p.bob, SIP_WHY_OURS);
	over(&p.alice, SIP_WHY_REFUSED);
}

/** Another server is asked after the first has rung: no CANCEL before that one has said anything.
 */
static void rung_elsewhere(void **state)
{
	(void)state;
	p.alice.ways_max = 1;
	ringing("o");
	sip_call_end(p.bob.call, 503, NULL);
	soon();
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	(void)pair_expect(&p.bob, SIP_CALL_OVER);
	assert_int_equal(pair_sent(&p, &p.alice, "INVITE"), 2);
	sip_call_end(p.alice.call, 0, NULL);
	pair_run(&p);
	assert_int_equal(pair_sent(&p, &p.alice, "CANCEL"), 0);
	pair_until(&p, p.now_ms + 300);
	assert_int_equal(pair_sent(&p, &p.alice, "CANCEL"), 1);
	over(&p.alice, SIP_WHY_OURS);
	over(&p.bob, SIP_WHY_CANCELLED);
}

static void cancelled_and(void **state)
{
	(void)state;
	ringing(NULL); /* an offer comes all the same */
	accept_with("o");
	sip_call_end(p.alice.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_OURS);
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
	over(&p.bob, SIP_WHY_BYE);
	p.drop = "INVITE"; /* nobody ever says anything */
	(void)pair_call(&p, "o");
	sip_call_end(p.alice.call, 0, NULL);
	pair_until(&p, p.now_ms + 31000);
	pair_silence(&p.alice);
	pair_until(&p, p.now_ms + 2000);
	over(&p.alice, SIP_WHY_OURS);
}

/** Our answer to their offer is too late. */
static void answered_too_late(void **state)
{
	(void)state;
	(void)pair_call(&p, NULL);
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	accept_with("o");
	pair_until(&p, p.now_ms + 33000);
	over(&p.bob, SIP_WHY_NO_ACK);
	(void)pair_expect(&p.alice, SIP_CALL_ASKED);
	over(&p.alice, SIP_WHY_BYE);
	assert_int_equal(pair_sent(&p, &p.alice, "ACK"), 1);
}

/** The ACK is lost, and somebody hangs up. */
static void unacked(void **state)
{
	(void)state;
	for (int bob = 0; bob < 2; bob++) {
		p.drop = "ACK";
		(void)pair_call(&p, "o");
		pair_run(&p);
		(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
		accept_with("a");
		pair_run(&p);
		(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
		if (bob)
			sip_call_end(p.bob.call, 0, NULL); /* which waits for it */
		sip_call_end(p.alice.call, 0, NULL);
		soon();
		over(&p.alice, SIP_WHY_OURS);
		over(&p.bob, bob ? SIP_WHY_OURS : SIP_WHY_BYE);
	}
	(void)pair_call(&p, "o");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	accept_with("a");
	sip_call_end(p.bob.call, 0, NULL); /* in vain */
	pair_until(&p, p.now_ms + 33000);
	over(&p.bob, SIP_WHY_OURS);
	(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
	over(&p.alice, SIP_WHY_BYE);
	assert_int_equal(pair_sent(&p, &p.bob, "BYE"), 1);
}

/** BYEs that cross are answered with 200 (15.1.2). */
static void byes_cross(void **state)
{
	(void)state;
	pair_up(&p);
	sip_call_end(p.alice.call, 0, NULL);
	sip_call_end(p.bob.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_OURS);
	over(&p.bob, SIP_WHY_OURS);
	assert_int_equal(pair_sent(&p, &p.alice, "481"), 0);
	assert_int_equal(pair_sent(&p, &p.bob, "481"), 0);
}

/** An answer with no place to send an ACK to. */
static void nowhere(void **state)
{
	(void)state;
	(void)pair_call(&p, "o");
	assert_int_equal(pair_has(pair_last(&p), "\r\nAllow: "), 1);
	assert_int_equal(pair_has(pair_last(&p), "\r\nSession-Expires: 1800\r\n"), 1);
	pair_answer(&p, &p.alice, 200, "");
	soon();
	over(&p.alice, SIP_WHY_GONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(ringing_then),      TEST(rung_elsewhere), TEST(cancelled_and),
		TEST(answered_too_late), TEST(unacked),        TEST(byes_cross),
		TEST(nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
