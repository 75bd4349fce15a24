/* SPDX-License-Identifier: Apache-2.0 */
/** @file Calls from both ends, on a virtual clock: RFC 3261, 13 and 15. */
#include "check.h"
#include "sip/pair.h"

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

/** Whoever hangs up, both hear of it, and why. */
static void there_and_back(void **state)
{
	static const struct sip_cause cause = { "SIP", 200, "Call completed elsewhere" };

	(void)state;
	for (int caller = 0; caller < 2; caller++) {
		struct pair_end *one = caller ? &p.alice : &p.bob;
		struct pair_end *two = caller ? &p.bob : &p.alice;
		struct pair_event *e;

		pair_up(&p);
		sip_call_end(one->call, 0, &cause);
		sip_call_end(one->call, 0, NULL); /* once is enough */
		pair_silence(one);                /* it is told later */
		soon();
		over(one, SIP_WHY_OURS);
		e = pair_expect(two, SIP_CALL_OVER);
		assert_int_equal(e->why, SIP_WHY_BYE);
		assert_string_equal(e->reason, "SIP 200 Call completed elsewhere");
	}
	assert_int_equal(pair_sent(&p, &p.alice, "ACK"), 2);
	assert_int_equal(pair_sent(&p, &p.alice, "BYE"), 1);
	assert_int_equal(pair_sent(&p, &p.bob, "BYE"), 1);
}

/** 180 and a body before the answer. */
static void progress(void **state)
{
	struct sip_content early = pair_body("early"), answer = pair_body("a1");
	struct pair_event *e;

	(void)state;
	(void)pair_call(&p, "o1");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_progress(p.bob.call, 180, NULL), 0);
	assert_int_equal(sip_call_progress(p.bob.call, 183, &early), 0);
	pair_run(&p);
	assert_int_equal(pair_expect(&p.alice, SIP_CALL_PROGRESS)->status, 180);
	e = pair_expect(&p.alice, SIP_CALL_PROGRESS);
	assert_int_equal(e->status, 183);
	assert_string_equal(e->body, "early");
	assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
	assert_int_equal(base_err_class(sip_call_progress(p.bob.call, 180, NULL)), BASE_BUG);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
	sip_call_end(p.alice.call, 0, NULL);
	soon();
}

/** The offer comes with the 2xx, the answer with the ACK. */
static void offer_in_the_answer(void **state)
{
	struct sip_content offer = pair_body("o2"), answer = pair_body("a2");

	(void)state;
	(void)pair_call(&p, NULL);
	pair_run(&p);
	assert_string_equal(pair_expect(&p.bob, SIP_CALL_INCOMING)->body, "");
	assert_int_equal(sip_call_accept(p.bob.call, &offer), 0);
	pair_run(&p);
	assert_string_equal(pair_expect(&p.alice, SIP_CALL_ASKED)->body, "o2");
	pair_until(&p, p.now_ms + 3000); /* the 2xx comes again meanwhile */
	pair_silence(&p.alice);
	assert_int_equal(pair_sent(&p, &p.alice, "ACK"), 0);
	assert_int_equal(sip_call_accept(p.alice.call, &answer), 0);
	pair_run(&p);
	assert_string_equal(pair_expect(&p.bob, SIP_CALL_CONFIRMED)->body, "a2");
	sip_call_end(p.bob.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_BYE);
	/* one that is not to anybody's liking */
	(void)pair_call(&p, NULL);
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_OVER);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_accept(p.bob.call, &offer), 0);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_ASKED);
	sip_call_end(p.alice.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_OURS);
}

/** Refusals, by the peer and by who was asked for a way. */
static void refused(void **state)
{
	struct pair_event *e;

	(void)state;
	(void)pair_call(&p, "o1");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	sip_call_end(p.bob.call, 486, NULL);
	soon();
	over(&p.bob, SIP_WHY_OURS);
	e = pair_expect(&p.alice, SIP_CALL_OVER);
	assert_int_equal(e->why, SIP_WHY_REFUSED);
	assert_int_equal(e->status, 486);
	p.alice.hold_ways = true;
	(void)pair_call(&p, "o1");
	sip_ua_no_way(p.alice.ua, p.alice.way, 404);
	pair_silence(&p.alice);
	soon();
	e = pair_expect(&p.alice, SIP_CALL_OVER);
	assert_int_equal(e->status, 404);
	sip_ua_way(p.alice.ua, p.alice.way, (struct sip_flow){ .id = 1 }); /* too late */
	/* ended while its way is looked for: nothing goes out */
	(void)pair_call(&p, "o1");
	sip_call_end(p.alice.call, 0, NULL);
	sip_ua_way(p.alice.ua, p.alice.way, (struct sip_flow){ .id = 1 });
	soon();
	over(&p.alice, SIP_WHY_OURS);
	assert_int_equal(pair_sent(&p, &p.alice, "INVITE"), 1);
	p.alice.hold_ways = false;
}

/** The next way where the first does not work, and an end of that. */
static void another_way(void **state)
{
	struct pair_event *e;

	(void)state;
	p.alice.ways_max = 2;
	p.alice.broken = true;
	(void)pair_call(&p, "o1");
	soon();
	e = pair_expect(&p.alice, SIP_CALL_OVER);
	assert_int_equal(e->why, SIP_WHY_REFUSED);
	assert_int_equal(e->status, 503);
	assert_int_equal(p.alice.ways, 4); /* the last said that there is none */
	p.alice.broken = false;
	p.alice.ways_max = 100;
	p.drop = "INVITE";
	(void)pair_call(&p, "o1");
	pair_until(&p, p.now_ms + 40000);
	assert_int_equal(p.alice.ways, 6);
	p.drop = NULL;
	pair_until(&p, p.now_ms + 20000);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	sip_call_end(p.bob.call, 503, NULL); /* says nothing of the next server */
	soon();
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	(void)pair_expect(&p.bob, SIP_CALL_OVER);
	assert_int_equal(p.alice.ways, 7);
	sip_call_end(p.bob.call, 486, NULL);
	soon();
	assert_int_equal(pair_expect(&p.alice, SIP_CALL_OVER)->status, 486);
	p.alice.broken = true; /* no end of ways, but of patience */
	(void)pair_call(&p, "o1");
	soon();
	assert_int_equal(pair_expect(&p.alice, SIP_CALL_OVER)->status, 503);
	assert_int_equal(p.alice.ways, 7 + 8);
	p.alice.broken = false;
}

/** CANCEL, when it may be sent and when not. */
static void cancelled(void **state)
{
	static const struct sip_cause cause = { "SIP", 488, "Wrong identity" };
	struct pair_event *e;

	(void)state;
	(void)pair_call(&p, "o1");
	sip_call_end(p.alice.call, 0, &cause); /* nobody has said anything yet */
	pair_silence(&p.alice);
	assert_int_equal(pair_sent(&p, &p.alice, "CANCEL"), 0);
	pair_until(&p, p.now_ms + 300); /* 100 */
	assert_int_equal(pair_sent(&p, &p.alice, "CANCEL"), 1);
	assert_int_equal(pair_sent(&p, &p.bob, "487"), 1);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	e = pair_expect(&p.bob, SIP_CALL_OVER);
	assert_int_equal(e->why, SIP_WHY_CANCELLED);
	assert_string_equal(e->reason, "SIP 488 Wrong identity");
	over(&p.alice, SIP_WHY_OURS);
	(void)pair_call(&p, "o1");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_progress(p.bob.call, 180, NULL), 0);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_PROGRESS);
	sip_call_end(p.alice.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_OURS);
	over(&p.bob, SIP_WHY_CANCELLED);
}

/** It crosses the answer: the call is hung up. */
static void cancelled_too_late(void **state)
{
	struct sip_content answer = pair_body("a1");

	(void)state;
	(void)pair_call(&p, "o1");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_progress(p.bob.call, 180, NULL), 0);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_PROGRESS);
	assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
	sip_call_end(p.alice.call, 0, NULL);
	soon();
	assert_int_equal(pair_sent(&p, &p.alice, "CANCEL"), 1);
	assert_int_equal(pair_sent(&p, &p.alice, "ACK"), 1);
	assert_int_equal(pair_sent(&p, &p.alice, "BYE"), 1);
	over(&p.alice, SIP_WHY_OURS);
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
	over(&p.bob, SIP_WHY_BYE);
}

/** A 2xx is repeated until its ACK comes, also where nothing else is (13.3.1.4). */
static void repeated_until_acked(void **state)
{
	struct sip_content answer = pair_body("a1");

	(void)state;
	for (int reliable = 0; reliable < 2; reliable++) {
		unsigned before = pair_sent(&p, &p.bob, "SIP/2.0 200 OK");

		p.reliable = reliable;
		p.drop = "ACK";
		p.drops = 2;
		p.dropped = 0;
		(void)pair_call(&p, "o1");
		pair_run(&p);
		(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
		assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
		pair_until(&p, p.now_ms + 1499);
		assert_int_equal(pair_sent(&p, &p.bob, "SIP/2.0 200 OK"), before + 2);
		pair_until(&p, p.now_ms + 10000);
		assert_int_equal(pair_sent(&p, &p.bob, "SIP/2.0 200 OK"), before + 3);
		(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
		(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
		pair_silence(&p.alice);
		sip_call_end(p.alice.call, 0, NULL);
		soon();
		over(&p.bob, SIP_WHY_BYE);
		over(&p.alice, SIP_WHY_OURS);
	}
}

/** It never comes: BYE after 64 T1. Hung up meanwhile: the BYE waits for the ACK (15). */
static void never_acked(void **state)
{
	struct sip_content answer = pair_body("a1");
	uint64_t began;

	(void)state;
	p.drop = "ACK";
	(void)pair_call(&p, "o1");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	began = p.now_ms;
	assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
	pair_until(&p, began + 31999);
	pair_silence(&p.bob);
	assert_int_equal(pair_sent(&p, &p.bob, "BYE"), 0);
	pair_until(&p, began + 32001);
	assert_int_equal(pair_sent(&p, &p.bob, "BYE"), 1);
	over(&p.bob, SIP_WHY_NO_ACK);
	(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
	over(&p.alice, SIP_WHY_BYE);
	p.drops = 1;
	p.dropped = 0;
	(void)pair_call(&p, "o1");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
	pair_run(&p);
	sip_call_end(p.bob.call, 0, NULL);
	pair_until(&p, p.now_ms + 499);
	assert_int_equal(pair_sent(&p, &p.bob, "BYE"), 1);
	pair_until(&p, p.now_ms + 2);
	assert_int_equal(pair_sent(&p, &p.bob, "BYE"), 2);
	over(&p.bob, SIP_WHY_OURS);
}

/** Both hang up at once; nobody answers a BYE. */
static void hung_up_twice(void **state)
{
	(void)state;
	pair_up(&p);
	sip_call_end(p.alice.call, 0, NULL);
	sip_call_end(p.bob.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_OURS);
	over(&p.bob, SIP_WHY_OURS);
	pair_up(&p);
	p.drop = "BYE";
	sip_call_end(p.alice.call, 0, NULL);
	pair_until(&p, p.now_ms + 31000);
	pair_silence(&p.alice);
	pair_until(&p, p.now_ms + 2000);
	over(&p.alice, SIP_WHY_OURS);
	p.drop = NULL;
	sip_call_end(p.bob.call, 0, NULL); /* 481: well, then */
	soon();
	over(&p.bob, SIP_WHY_OURS);
}

/** Those in it and those on their way there, when a connection fails. */
static void flows_fail(void **state)
{
	struct sip_content answer = pair_body("a1");
	struct pair_event *e;

	(void)state;
	pair_up(&p); /* it outlives them: the BYE looks for a way */
	sip_ua_lost(p.alice.ua, 1);
	sip_ua_lost(p.bob.ua, 1);
	pair_until(&p, p.now_ms + 1);
	pair_silence(&p.alice);
	p.alice.ways = 0;
	sip_call_end(p.alice.call, 0, NULL);
	assert_int_equal(p.alice.ways, 1);
	soon();
	over(&p.alice, SIP_WHY_OURS);
	over(&p.bob, SIP_WHY_BYE);
	(void)pair_call(&p, "o1"); /* unanswered, from both ends */
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_progress(p.bob.call, 180, NULL), 0);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_PROGRESS);
	sip_ua_lost(p.bob.ua, 1);
	sip_ua_lost(p.alice.ua, 1);
	soon();
	over(&p.bob, SIP_WHY_GONE);
	e = pair_expect(&p.alice, SIP_CALL_OVER);
	assert_int_equal(e->why, SIP_WHY_REFUSED);
	assert_int_equal(e->status, 503);
	(void)pair_call(&p, "o1"); /* accepted, and it cannot be sent */
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	p.bob.broken = true;
	assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
	pair_until(&p, p.now_ms + 1000);
	p.bob.broken = false; /* the next one goes */
	pair_until(&p, p.now_ms + 4000);
	(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
	sip_call_end(p.bob.call, 0, NULL);
	soon();
	over(&p.alice, SIP_WHY_BYE);
}

static void answered(void *user, const struct sip_message *response, unsigned status, uint32_t cseq)
{
	(void)cseq;
	*(unsigned *)user = response ? status : 0;
}

/** Requests outside of calls, and more calls than there may be. */
static void others(void **state)
{
	static const struct sip_ua_config few = { .calls_max = 1 };
	struct sip_draft draft = { .method = "OPTIONS",
		                   .target = BASE_STR("sip:bob@example.com"),
		                   .from = BASE_STR("<sip:alice@example.com>"),
		                   .to = BASE_STR("<sip:bob@example.com>") };
	struct sip_call_setup setup = { .target = draft.target, .from = draft.from };
	static const struct {
		const char *method;
		unsigned status;
	} rows[] = { { "OPTIONS", 200 }, { "MESSAGE", 202 }, { "PUBLISH", 405 }, { "BYE", 481 } };
	struct sip_content moved = { .lines = "Contact: <sip:carol@example.com>\r\n" };
	struct sip_call *call;
	unsigned status = 0;
	uint64_t id;

	(void)state;
	pair_close(&p);
	pair_open(&p, &few, &few);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		draft.method = rows[i].method;
		assert_int_equal(sip_ua_ask(p.alice.ua, &draft, answered, &status, NULL), 0);
		pair_run(&p);
		assert_int_equal(status, rows[i].status);
	}
	status = 7;
	assert_int_equal(sip_ua_ask(p.alice.ua, &draft, answered, &status, &id), 0);
	sip_ua_ask_forget(p.alice.ua, id);
	sip_ua_ask_forget(p.alice.ua, id + 1);
	pair_until(&p, p.now_ms + 40000);
	assert_int_equal(status, 7);
	p.drop = "sip:";
	assert_int_equal(sip_ua_ask(p.alice.ua, &draft, answered, &status, NULL), 0);
	pair_until(&p, p.now_ms + 40000);
	assert_int_equal(status, 0);
	p.drop = NULL;
	(void)pair_call(&p, "o1");
	assert_int_equal(sip_call_start(&call, p.alice.ua, &setup, NULL),
	                 BASE_ERR(BASE_LOCAL, 503));
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	pair_in(&p, &p.bob,
	        "INVITE sip:bob@bob.example SIP/2.0\r\n"
	        "Via: SIP/2.0/UDP y.example;branch=z9hG4bKy\r\nMax-Forwards: 70\r\n"
	        "From: <sip:x@example.com>;tag=x\r\nTo: <sip:bob@example.com>\r\nCall-ID: y\r\n"
	        "Contact: <sip:x@x.example>\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(pair_sent(&p, &p.bob, "503"), 1);
	assert_int_equal(sip_call_decline(p.bob.call, 302, &moved), 0);
	assert_non_null(memmem(p.queue[(p.tail - 1) % PAIR_QUEUE].octets,
	                       p.queue[(p.tail - 1) % PAIR_QUEUE].len, moved.lines,
	                       strlen(moved.lines)));
	soon();
	over(&p.bob, SIP_WHY_OURS);
	assert_int_equal(pair_expect(&p.alice, SIP_CALL_OVER)->status, 302);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(there_and_back),      TEST(progress),
		TEST(offer_in_the_answer), TEST(refused),
		TEST(another_way),         TEST(cancelled),
		TEST(cancelled_too_late),  TEST(repeated_until_acked),
		TEST(never_acked),         TEST(hung_up_twice),
		TEST(flows_fail),          TEST(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
