/* SPDX-License-Identifier: Apache-2.0 */
/** @file Offers within calls (RFC 3261, 14; RFC 3311), session timers (RFC 4028), forks. */
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

static void hang_up(struct pair_end *end)
{
	sip_call_end(end->call, 0, NULL);
	pair_until(&p, p.now_ms + 1);
}

static int offer(struct pair_end *end, const char *text)
{
	struct sip_content content = pair_body(text);

	return sip_call_offer(end->call, &content);
}

static int accept_it(struct pair_end *end, const char *text)
{
	struct sip_content content = pair_body(text);

	return sip_call_accept(end->call, &content);
}

/** From both sides, accepted and declined. */
static void again(void **state)
{
	struct pair_end *ends[] = { &p.alice, &p.bob };

	(void)state;
	pair_up(&p);
	for (int i = 0; i < 2; i++) {
		struct pair_end *one = ends[i], *two = ends[!i];

		assert_int_equal(offer(one, "o2"), 0);
		assert_int_equal(base_err_class(offer(one, "o3")), BASE_AGAIN);
		pair_run(&p);
		assert_string_equal(pair_expect(two, SIP_CALL_OFFERED)->body, "o2");
		assert_int_equal(base_err_class(offer(two, "o3")), BASE_AGAIN);
		assert_int_equal(accept_it(two, "a2"), 0);
		assert_int_equal(base_err_class(accept_it(two, "a2")), BASE_BUG);
		pair_run(&p);
		assert_string_equal(pair_expect(one, SIP_CALL_AGREED)->body, "a2");
		(void)pair_expect(two, SIP_CALL_CONFIRMED);
		assert_int_equal(offer(one, "o4"), 0);
		pair_run(&p);
		(void)pair_expect(two, SIP_CALL_OFFERED);
		assert_int_equal(sip_call_decline(two->call, 488, NULL), 0);
		pair_run(&p);
		assert_int_equal(pair_expect(one, SIP_CALL_DECLINED)->status, 488);
	}
	hang_up(&p.alice);
	over(&p.bob, SIP_WHY_BYE);
}

/** The ACK of a re-INVITE is lost, then found; lost for good, it ends the call. */
static void unacked(void **state)
{
	char *second;

	(void)state;
	pair_up(&p);
	p.drop = "ACK";
	p.drops = 2;
	assert_int_equal(offer(&p.alice, "o2"), 0);
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_OFFERED);
	assert_int_equal(accept_it(&p.bob, "a2"), 0);
	second = strndup(pair_last(&p).ptr, pair_last(&p).len);
	pair_until(&p, p.now_ms + 4000);
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
	(void)pair_expect(&p.alice, SIP_CALL_AGREED);
	pair_silence(&p.alice);
	assert_int_equal(pair_sent(&p, &p.alice, "ACK"), 4);
	pair_in(&p, &p.alice, second); /* and once more: the ACK of this INVITE, and that alone */
	assert_int_equal(pair_has(pair_last(&p), "ACK sip:"), 1);
	assert_int_equal(pair_has(pair_last(&p), "CSeq: 2 ACK"), 1);
	free(second);
	pair_run(&p);
	p.drops = UINT32_MAX;
	assert_int_equal(offer(&p.alice, "o3"), 0);
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_OFFERED);
	assert_int_equal(accept_it(&p.bob, "a3"), 0);
	pair_until(&p, p.now_ms + 31999);
	pair_silence(&p.bob);
	pair_until(&p, p.now_ms + 2);
	over(&p.bob, SIP_WHY_NO_ACK);
	(void)pair_expect(&p.alice, SIP_CALL_AGREED);
	over(&p.alice, SIP_WHY_BYE);
}

/** Both offer: 491 for both, and another time by chance, the caller's later (14.1). */
static void glare(void **state)
{
	uint64_t began;

	(void)state;
	pair_up(&p);
	p.alice.random = 0xa0; /* 2.1 s and more; Bob: soon */
	p.bob.random = 0;
	assert_int_equal(offer(&p.alice, "oa"), 0);
	assert_int_equal(offer(&p.bob, "ob"), 0);
	pair_run(&p);
	began = p.now_ms;
	assert_int_equal(pair_sent(&p, &p.alice, "491"), 1);
	assert_int_equal(pair_sent(&p, &p.bob, "491"), 1);
	pair_silence(&p.alice);
	pair_until(&p, began + 2000);
	/* Bob's has come, so Alice's gives way */
	(void)pair_expect(&p.alice, SIP_CALL_DECLINED);
	assert_string_equal(pair_expect(&p.alice, SIP_CALL_OFFERED)->body, "ob");
	assert_int_equal(accept_it(&p.alice, "ab"), 0);
	pair_run(&p);
	assert_string_equal(pair_expect(&p.bob, SIP_CALL_AGREED)->body, "ab");
	(void)pair_expect(&p.alice, SIP_CALL_CONFIRMED);
	assert_int_equal(offer(&p.alice, "oa"), 0);
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_OFFERED);
	assert_int_equal(accept_it(&p.bob, "aa"), 0);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_AGREED);
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
	hang_up(&p.bob);
}

/** Who says 491 for ever is not offered to for ever. */
static void no_end_of_glare(void **state)
{
	unsigned offers = 0;

	(void)state;
	pair_up(&p);
	p.drop = "ACK"; /* of a 491: it has been taken on the way */
	assert_int_equal(offer(&p.alice, "o2"), 0);
	while (p.alice.seen == p.alice.count && offers < 20) {
		if (p.tail > p.head) {
			offers++;
			pair_answer(&p, &p.alice, 491, "");
			continue;
		}
		p.now_ms = p.alice.deadline_ms;
		p.alice.deadline_ms = UINT64_MAX;
		sip_ua_advance(p.alice.ua);
	}
	p.drop = NULL;
	assert_int_equal(offers, 5);
	assert_int_equal(pair_expect(&p.alice, SIP_CALL_DECLINED)->status, 491);
	hang_up(&p.alice);
	over(&p.bob, SIP_WHY_BYE);
}

/* A request of somebody who writes his own; `tag` = of Bob's side, "" = none. */
static void from_x(const char *method, unsigned cseq, const char *tag, const char *lines,
                   const char *body)
{
	struct base_writer w = { 0 };

	base_writer_printf(&w, "%s sip:bob@bob.example SIP/2.0\r\n", method);
	base_writer_printf(&w, "Via: SIP/2.0/UDP x.example;branch=z9hG4bK%s%u\r\n",
	                   strcmp(method, "CANCEL") != 0 ? method : "INVITE", cseq);
	base_writer_printf(&w,
	                   "Max-Forwards: 70\r\nFrom: <sip:x@example.com>;tag=x\r\n"
	                   "To: <sip:bob@example.com>%s%s\r\n",
	                   *tag ? ";tag=" : "", tag);
	base_writer_printf(&w, "Call-ID: call-x\r\nContact: <sip:x@x.example>\r\nCSeq: %u %s\r\n",
	                   cseq, method);
	base_writer_printf(&w, "%s%sContent-Length: %zu\r\n\r\n%s", lines,
	                   *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	pair_in(&p, &p.bob, base_writer_cstr(&w));
	base_writer_done(&w);
	pair_run(&p);
}

/* Bob's tag in the call of x. */
static char bob_tag[64];

static void x_is_up_but(const char *lines, unsigned early)
{
	/* the first random octets are Bob's tag: 01, 'b', 01 ... */
	(void)snprintf(bob_tag, sizeof(bob_tag), "%02x62%02x%02x%02x%02x%02x%02x", p.bob.random + 1,
	               p.bob.random + 1, p.bob.random + 1, p.bob.random + 1, p.bob.random + 1,
	               p.bob.random + 1, p.bob.random + 1);
	from_x("INVITE", 1, "", lines, "o1");
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(accept_it(&p.bob, "a1"), 0);
	if (early)
		from_x("INVITE", early, bob_tag, "", "o2");
	from_x("ACK", 1, bob_tag, "", "");
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
}

static void x_is_up(const char *lines)
{
	x_is_up_but(lines, 0);
}

static void x_hangs_up(unsigned cseq)
{
	from_x("BYE", cseq, bob_tag, "", "");
	pair_until(&p, p.now_ms + 1);
	over(&p.bob, SIP_WHY_BYE);
}

/** Requests that come too early, in the wrong order, twice, or into nothing. */
static void out_of_turn(void **state)
{
	(void)state;
	x_is_up_but("", 2); /* before the ACK */
	assert_int_equal(pair_sent(&p, &p.bob, "491"), 1);
	from_x("INVITE", 3, bob_tag, "", "o3");
	(void)pair_expect(&p.bob, SIP_CALL_OFFERED);
	from_x("UPDATE", 4, bob_tag, "", "o4"); /* before the answer: 500 (RFC 3311, 5.2) */
	assert_int_equal(pair_sent(&p, &p.bob, "500"), 1);
	from_x("UPDATE", 2, bob_tag, "", "o2"); /* behind its time (12.2.2) */
	assert_int_equal(pair_sent(&p, &p.bob, "500"), 2);
	from_x("CANCEL", 3, bob_tag, "", "");
	(void)pair_expect(&p.bob, SIP_CALL_WITHDRAWN);
	assert_int_equal(pair_sent(&p, &p.bob, "487"), 1);
	from_x("UPDATE", 5, bob_tag, "", "o5");
	assert_string_equal(pair_expect(&p.bob, SIP_CALL_OFFERED)->body, "o5");
	assert_int_equal(accept_it(&p.bob, "a5"), 0); /* no ACK will come */
	from_x("INVITE", 6, bob_tag, "", "");
	assert_string_equal(pair_expect(&p.bob, SIP_CALL_OFFERED)->body, "");
	assert_int_equal(accept_it(&p.bob, "o6"), 0);
	from_x("INVITE", 7, bob_tag, "", "o7"); /* ours in the 2xx has no answer yet */
	assert_int_equal(pair_sent(&p, &p.bob, "491"), 2);
	from_x("ACK", 6, bob_tag, "", "a6");
	assert_string_equal(pair_expect(&p.bob, SIP_CALL_CONFIRMED)->body, "a6");
	from_x("INVITE", 8, "nobody", "", "o8");
	assert_int_equal(pair_sent(&p, &p.bob, "481"), 1);
	from_x("MESSAGE", 9, bob_tag, "", "");
	from_x("MESSAGE", 7, bob_tag, "", ""); /* behind its time */
	assert_int_equal(pair_sent(&p, &p.bob, "202"), 1);
	assert_int_equal(pair_sent(&p, &p.bob, "500"), 3);
	from_x("OPTIONS", 10, bob_tag, "", "");
	from_x("SUBSCRIBE", 11, bob_tag, "", "");
	assert_int_equal(pair_sent(&p, &p.bob, "405"), 1);
	from_x("INFO", 12, bob_tag, "Require: timer, 100rel\r\n", "");
	assert_int_equal(pair_sent(&p, &p.bob, "420"), 1);
	from_x("INVITE", 13, bob_tag, "", "o13"); /* unanswered when the call ends: 487 (15.1.2) */
	(void)pair_expect(&p.bob, SIP_CALL_OFFERED);
	x_hangs_up(14);
	assert_int_equal(pair_sent(&p, &p.bob, "487"), 2);
	from_x("BYE", 15, bob_tag, "", "");
	assert_int_equal(pair_sent(&p, &p.bob, "481"), 2);
}

/** Before it is answered: a second INVITE, a BYE; one that has come by two ways (8.2.2.2). */
static void early(void **state)
{
	(void)state;
	(void)snprintf(bob_tag, sizeof(bob_tag), "0262020202020202");
	from_x("INVITE", 1, "", "", "o1");
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	pair_in(&p, &p.bob,
	        "INVITE sip:bob@bob.example SIP/2.0\r\n"
	        "Via: SIP/2.0/UDP y.example;branch=z9hG4bKother\r\nMax-Forwards: 70\r\n"
	        "From: <sip:x@example.com>;tag=x\r\nTo: <sip:bob@example.com>\r\nCall-ID: "
	        "call-x\r\n"
	        "Contact: <sip:x@x.example>\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
	pair_run(&p);
	assert_int_equal(pair_sent(&p, &p.bob, "482"), 1);
	from_x("INVITE", 2, bob_tag, "", "o2");
	assert_int_equal(pair_sent(&p, &p.bob, "500"), 1);
	from_x("BYE", 3, bob_tag, "", "");
	assert_int_equal(pair_sent(&p, &p.bob, "487"), 1);
	assert_int_equal(pair_sent(&p, &p.bob, "200"), 1);
	pair_until(&p, p.now_ms + 1);
	over(&p.bob, SIP_WHY_BYE);
	/* no Contact, so no dialog */
	pair_in(&p, &p.bob,
	        "INVITE sip:bob@bob.example SIP/2.0\r\n"
	        "Via: SIP/2.0/UDP y.example;branch=z9hG4bKnone\r\nMax-Forwards: 70\r\n"
	        "From: <sip:x@example.com>;tag=x\r\nTo: <sip:bob@example.com>\r\nCall-ID: "
	        "call-y\r\n"
	        "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
	pair_run(&p);
	assert_int_equal(pair_sent(&p, &p.bob, "400"), 1);
	pair_silence(&p.bob);
}

/* -- session timers ------------------------------------------------------------------------------
 */

/** The caller refreshes, at half of the time, by an UPDATE; nobody hears of it. */
static void refreshed(void **state)
{
	uint64_t began;

	(void)state;
	pair_up(&p);
	began = p.now_ms;
	pair_until(&p, began + 899999);
	assert_int_equal(pair_sent(&p, &p.alice, "UPDATE"), 0);
	pair_until(&p, began + 4 * 3600 * 1000);
	assert_int_equal(pair_sent(&p, &p.alice, "UPDATE"), 16);
	assert_int_equal(pair_sent(&p, &p.bob, "UPDATE"), 0);
	pair_silence(&p.alice);
	pair_silence(&p.bob);
	hang_up(&p.bob);
	over(&p.alice, SIP_WHY_BYE);
}

/** An answer that names nobody (7.2 has it do so): we do it. */
static void nobody_named(void **state)
{
	uint64_t began = p.now_ms;

	(void)state;
	(void)pair_call(&p, "o1");
	pair_answer(&p, &p.alice, 200,
	            "Contact: <sip:x@x.example>\r\nAllow: UPDATE\r\nSession-Expires: 100\r\n");
	(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
	p.drop = "sip:x@";
	pair_until(&p, began + 49999);
	assert_int_equal(pair_sent(&p, &p.alice, "UPDATE"), 0);
	pair_until(&p, began + 50001);
	assert_int_equal(pair_sent(&p, &p.alice, "UPDATE"), 1);
	hang_up(&p.alice);
}

/** Nobody answers: the caller finds out by his refresh, the other by its absence. */
static void expired(void **state)
{
	uint64_t began;

	(void)state;
	pair_up(&p);
	began = p.now_ms;
	p.drop = "sip:";
	pair_until(&p, began + 900000 + 31999);
	pair_silence(&p.alice);
	pair_until(&p, began + 900000 + 32001);
	assert_string_equal(sip_call_state(p.alice.call), "ending");
	pair_silence(&p.bob);
	pair_until(&p, began + 1800000 - 32001);
	pair_silence(&p.bob);
	pair_until(&p, began + 1800000 + 1000);
	over(&p.bob, SIP_WHY_EXPIRED);
	over(&p.alice, SIP_WHY_GONE);
}

/** Who knows no UPDATE is refreshed by a re-INVITE with what was agreed upon, and who knows no
 * timers either, not at all. */
static void refreshed_by_invite(void **state)
{
	(void)state;
	x_is_up("");
	pair_until(&p, p.now_ms + 86400000);
	x_hangs_up(2);
	assert_int_equal(pair_sent(&p, &p.bob, "sip:x@"), 0);
	x_is_up("Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n");
	p.drop = "sip:x@"; /* Alice is not x */
	pair_until(&p, p.now_ms + 901000);
	assert_int_equal(pair_sent(&p, &p.bob, "INVITE sip:x@x.example"), 2); /* and once more */
	assert_int_equal(pair_sent(&p, &p.bob, "UPDATE"), 0);
	x_hangs_up(2);
	p.drop = NULL;
	x_is_up("Allow: INVITE, UPDATE\r\n"); /* who knows no timers may know that */
	p.drop = "sip:x@";
	pair_until(&p, p.now_ms + 900001);
	assert_int_equal(pair_sent(&p, &p.bob, "UPDATE"), 1);
	from_x("INVITE", 2, bob_tag, "Supported: timer\r\nSession-Expires: 89\r\n", "o2");
	assert_int_equal(pair_sent(&p, &p.bob, "422"), 1);
	x_hangs_up(3);
}

/** A refresh that is refused is tried again, while there is time. */
static void refresh_refused(void **state)
{
	(void)state;
	x_is_up("Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n");
	p.drop = NULL;
	for (int i = 0; i < 2; i++) {
		while (p.head == p.tail) { /* until Bob says something of his own */
			p.now_ms = p.bob.deadline_ms;
			sip_ua_advance(p.bob.ua);
		}
		assert_int_equal(pair_has(pair_last(&p), "INVITE sip:x@"), 1);
		assert_int_equal(
		        pair_has(pair_last(&p), "\r\nSession-Expires: 100;refresher=uac\r\n"), 1);
		assert_int_equal(pair_has(pair_last(&p), "\r\n\r\na1"), 1);
		pair_answer(&p, &p.bob, 500, "");
		assert_int_equal(pair_has(pair_last(&p), "ACK sip:x@"), 1);
		pair_run(&p);
	}
	assert_int_equal(p.now_ms, 1000 + 55000);
	pair_silence(&p.bob);
	p.drop = "sip:x@"; /* nobody answers any more */
	pair_until(&p, p.now_ms + 60000);
	over(&p.bob, SIP_WHY_EXPIRED);
}

/** 422, to us and from us. */
static void too_short(void **state)
{
	static const struct sip_ua_config quick = { .session_s = 100 },
	                                  slow = { .session_min = 300 };

	(void)state;
	pair_close(&p);
	pair_open(&p, &quick, &slow);
	pair_up(&p); /* Alice asks for more */
	assert_int_equal(pair_sent(&p, &p.bob, "422"), 1);
	assert_int_equal(pair_sent(&p, &p.alice, "INVITE"), 2);
	pair_until(&p, p.now_ms + 150001);
	assert_int_equal(pair_sent(&p, &p.alice, "UPDATE"), 1);
	hang_up(&p.alice);
	over(&p.bob, SIP_WHY_BYE);
}

/** Somebody on the way who wants ever longer: in the end it is a refusal. */
static void ever_longer(void **state)
{
	char lines[40];

	(void)state;
	(void)pair_call(&p, "o1");
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(lines, sizeof(lines), "Min-SE: %u\r\n", 2000 + i);
		pair_answer(&p, &p.alice, 422, lines);
	}
	pair_until(&p, p.now_ms + 1);
	assert_int_equal(pair_expect(&p.alice, SIP_CALL_OVER)->status, 422);
	assert_int_equal(pair_sent(&p, &p.alice, "INVITE sip"), 5);
}

/* -- forks ---------------------------------------------------------------------------------------
 */

/* Bob's 2xx, as another phone of his would have sent it. */
static char *other_phone(const struct base_writer *from)
{
	char *text = strndup((const char *)from->data, from->len), *tag;

	assert_non_null(text);
	tag = strstr(strstr(text, "\r\nTo: "), ";tag=");
	assert_non_null(tag);
	tag[5] = tag[5] == '9' ? '8' : '9';
	return text;
}

/** Others that answer, too, are ACKed and hung up, each once; a 2xx that comes again has its ACK.
 */
static void forks(void **state)
{
	char *second;
	struct sip_content answer = pair_body("a1");
	struct base_writer copy = { 0 };

	(void)state;
	(void)pair_call(&p, "o1");
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
	base_writer_str(&copy, (struct base_str){ p.queue[p.head].octets, p.queue[p.head].len });
	second = other_phone(&copy);
	base_writer_done(&copy);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
	(void)pair_expect(&p.bob, SIP_CALL_CONFIRMED);
	p.drop = "BYE"; /* Bob knows nothing of them */
	for (int i = 0; i < 3; i++)
		pair_in(&p, &p.alice, second);
	assert_int_equal(pair_sent(&p, &p.alice, "ACK"), 4);
	assert_int_equal(pair_sent(&p, &p.alice, "BYE"), 1);
	pair_silence(&p.alice);
	assert_string_equal(sip_call_state(p.alice.call), "up");
	p.drop = NULL;
	hang_up(&p.alice);
	over(&p.bob, SIP_WHY_BYE);
	pair_in(&p, &p.alice, second); /* after the call */
	assert_int_equal(pair_sent(&p, &p.alice, "ACK"), 5);
	free(second);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(again),           TEST(unacked),
		TEST(glare),           TEST(no_end_of_glare),
		TEST(out_of_turn),     TEST(early),
		TEST(refreshed),       TEST(expired),
		TEST(nobody_named),    TEST(refreshed_by_invite),
		TEST(refresh_refused), TEST(too_short),
		TEST(ever_longer),     TEST(forks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
