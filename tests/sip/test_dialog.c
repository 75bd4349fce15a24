/* SPDX-License-Identifier: Apache-2.0 */
/** @file Dialogs from both ends: RFC 3261, 12 with its examples of routes (16.12.1). */
#include "check.h"
#include "sip/sip.h"

#define INVITE(extra)                                                                              \
	"INVITE sip:callee@domain.com SIP/2.0\r\nVia: SIP/2.0/TLS u;branch=z9hG4bK1\r\n"           \
	"From: \"C\" <sip:caller@u1.example.com>;tag=1\r\nTo: <sip:callee@domain.com>\r\n"         \
	"Call-ID: x@u1\r\nCSeq: 7 INVITE\r\n" extra "\r\n"
#define RESPONSE(status, tag, extra)                                                               \
	"SIP/2.0 " status " x\r\nVia: SIP/2.0/TLS u;branch=z9hG4bK1\r\n"                           \
	"From: \"C\" <sip:caller@u1.example.com>;tag=1\r\nTo: <sip:callee@domain.com>" tag "\r\n"  \
	"Call-ID: x@u1\r\nCSeq: 7 INVITE\r\n" extra "\r\n"
#define ROUTES                                                                                     \
	"Record-Route: <sip:p3.middle.com;lr>\r\n"                                                 \
	"Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r\n"

static struct base_arena arena;

static const struct sip_local local = { .transport = "TLS",
	                                .sent_by = "me:5061",
	                                .branch = "z9hG4bK2" };

static struct sip_message parse(const char *text)
{
	struct sip_message msg;

	assert_int_equal(sip_message_parse(&msg, &arena, base_str_of(text), false), 0);
	assert_int_equal(msg.fault, 0);
	return msg;
}

static void writes(struct sip_dialog *d, const char *method, const struct sip_local *by,
                   const char *expected)
{
	struct base_writer w = { 0 };

	(void)sip_dialog_request(d, &w, method, by);
	assert_string_equal(base_writer_cstr(&w), expected);
	base_writer_done(&w);
}

static void is(struct base_str s, const char *text)
{
	if (!base_str_eq(s, base_str_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BASE_FMT(s), text);
}

/** 12.1.1: who is asked keeps the order of Record-Route. */
static void served(void **state)
{
	struct sip_message invite =
	        parse(INVITE(ROUTES "Contact: <sip:caller@u1.example.com>\r\n"));
	struct sip_dialog *d;

	(void)state;
	assert_int_equal(sip_dialog_served(&d, &invite, BASE_STR("2")), 0);
	is(sip_dialog_next_hop(d), "sip:p3.middle.com;lr");
	writes(d, "BYE", &local,
	       "BYE sip:caller@u1.example.com SIP/2.0\r\nVia: SIP/2.0/TLS "
	       "me:5061;branch=z9hG4bK2\r\n"
	       "Max-Forwards: 70\r\nRoute: <sip:p3.middle.com;lr>\r\nRoute: "
	       "<sip:p2.example.com;lr>\r\n"
	       "Route: <sip:p1.example.com;lr>\r\nFrom: <sip:callee@domain.com>;tag=2\r\n"
	       "To: \"C\" <sip:caller@u1.example.com>;tag=1\r\nCall-ID: x@u1\r\nCSeq: 1 BYE\r\n");
	sip_dialog_free(d);
}

/** 12.1.2: who asks turns it round; ACK has the INVITE's number (13.2.2.4), others the next. */
static void begun(void **state)
{
	static const struct sip_local with = { .transport = "UDP",
		                               .sent_by = "me",
		                               .branch = "z9hG4bK3",
		                               .contact = "sips:me@me:5061" };
	struct sip_message invite = parse(INVITE("")), ok;
	struct sip_dialog *d;

	(void)state;
	ok = parse(RESPONSE("200", ";tag=2", ROUTES "Contact: <sip:callee@u2.domain.com>\r\n"));
	assert_int_equal(sip_dialog_begun(&d, &invite, &ok), 0);
	is(sip_dialog_next_hop(d), "sip:p1.example.com;lr");
	is(sip_dialog_call_id(d), "x@u1");
	writes(d, "ACK", &local,
	       "ACK sip:callee@u2.domain.com SIP/2.0\r\nVia: SIP/2.0/TLS "
	       "me:5061;branch=z9hG4bK2\r\n"
	       "Max-Forwards: 70\r\nRoute: <sip:p1.example.com;lr>\r\nRoute: "
	       "<sip:p2.example.com;lr>\r\n"
	       "Route: <sip:p3.middle.com;lr>\r\nFrom: \"C\" <sip:caller@u1.example.com>;tag=1\r\n"
	       "To: <sip:callee@domain.com>;tag=2\r\nCall-ID: x@u1\r\nCSeq: 7 ACK\r\n");
	writes(d, "INVITE", &with,
	       "INVITE sip:callee@u2.domain.com SIP/2.0\r\nVia: SIP/2.0/UDP me;branch=z9hG4bK3\r\n"
	       "Max-Forwards: 70\r\nRoute: <sip:p1.example.com;lr>\r\nRoute: "
	       "<sip:p2.example.com;lr>\r\n"
	       "Route: <sip:p3.middle.com;lr>\r\nFrom: \"C\" <sip:caller@u1.example.com>;tag=1\r\n"
	       "To: <sip:callee@domain.com>;tag=2\r\nCall-ID: x@u1\r\nCSeq: 8 INVITE\r\n"
	       "Contact: <sips:me@me:5061>\r\n");
	sip_dialog_free(d);
}

/** 12.2.1.1: a first route without lr is the Request-URI, and the target goes last. */
static void strict_routes(void **state)
{
	struct sip_message invite =
	        parse(INVITE("Record-Route: <sip:p1>\r\nRecord-Route: <sip:p2;lr>\r\n"
	                     "Contact: sip:caller@u1\r\n"));
	struct sip_dialog *d;

	(void)state;
	assert_int_equal(sip_dialog_served(&d, &invite, BASE_STR("2")), 0);
	writes(d, "BYE", &local,
	       "BYE sip:p1 SIP/2.0\r\nVia: SIP/2.0/TLS me:5061;branch=z9hG4bK2\r\nMax-Forwards: "
	       "70\r\n"
	       "Route: <sip:p2;lr>\r\nRoute: <sip:caller@u1>\r\nFrom: "
	       "<sip:callee@domain.com>;tag=2\r\n"
	       "To: \"C\" <sip:caller@u1.example.com>;tag=1\r\nCall-ID: x@u1\r\nCSeq: 1 BYE\r\n");
	sip_dialog_free(d);
}

static void no_dialog(void **state)
{
	static const char *const invites[] = {
		INVITE(""),
		INVITE("Contact: *\r\n"),
		INVITE("Contact: <tel:+1>\r\n"),
		INVITE("Contact: <sip:a>, <sip:b>\r\n"),
		INVITE("Contact: <sip:a?b=c>\r\n"), /* 19.1.1, table 1 */
		INVITE("Contact: <sip:a>\r\nRecord-Route: <sip:p?b=c>\r\n"),
		INVITE("Contact: <sip:a>\r\nRecord-Route: <p>\r\n"),
		INVITE("Contact: <sip:a>\r\nRecord-Route: <\r\n")
	};
	static const char *const responses[] = { RESPONSE("100", ";tag=2", "Contact: <sip:a>\r\n"),
		                                 RESPONSE("302", ";tag=2", "Contact: <sip:a>\r\n"),
		                                 RESPONSE("200", ";tag=2", "") };
	struct sip_message invite = parse(INVITE("")), msg;
	struct sip_dialog *d;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(invites); i++) {
		msg = parse(invites[i]);
		assert_int_equal(sip_dialog_served(&d, &msg, BASE_STR("2")),
		                 BASE_ERR(BASE_PEER, 400));
	}
	for (size_t i = 0; i < BASE_COUNT(responses); i++) {
		msg = parse(responses[i]);
		assert_int_equal(sip_dialog_begun(&d, &invite, &msg), BASE_ERR(BASE_PEER, 400));
	}
}

#define INSIDE(method, seq, from, to, extra)                                                       \
	method " sip:callee@domain.com SIP/2.0\r\nVia: SIP/2.0/TLS u;branch=z9hG4bK9\r\n"          \
	       "From: <sip:caller@u1.example.com>" from "\r\nTo: <sip:callee@domain.com>" to       \
	       "\r\n"                                                                              \
	       "Call-ID: x@u1\r\nCSeq: " seq " " method "\r\n" extra "\r\n"

/** 12.2.2 */
static void requests_inside(void **state)
{
	struct sip_message invite = parse(INVITE("Contact: <sip:a@old>\r\n")), msg;
	struct sip_dialog *d;

	(void)state;
	assert_int_equal(sip_dialog_served(&d, &invite, BASE_STR("2")), 0);
	msg = parse(INSIDE("INFO", "8", ";tag=1", ";tag=2", "Contact: <sip:a@new>\r\n"));
	assert_true(sip_dialog_has(d, &msg));
	assert_int_equal(sip_dialog_request_in(d, &msg), 0);
	assert_int_equal(sip_dialog_request_in(d, &msg), BASE_ERR(BASE_PEER, 500)); /* again */
	is(sip_dialog_target(d), "sip:a@old"); /* INFO refreshes nothing */
	msg = parse(INSIDE("INVITE", "20", ";tag=1", ";tag=2", "Contact: <sip:a@new>\r\n"));
	assert_int_equal(sip_dialog_request_in(d, &msg), 0);
	is(sip_dialog_target(d), "sip:a@new");
	msg = parse(INSIDE("BYE", "19", ";tag=1", ";tag=2", ""));
	assert_int_equal(sip_dialog_request_in(d, &msg), BASE_ERR(BASE_PEER, 500));
	msg = parse(INSIDE("BYE", "21", ";tag=1", "", ""));
	assert_false(sip_dialog_has(d, &msg));
	msg = parse(INSIDE("BYE", "21", ";tag=3", ";tag=2", ""));
	assert_false(sip_dialog_has(d, &msg));
	msg = parse(INSIDE("BYE", "21", ";tag=2", ";tag=1", "")); /* the other way round */
	assert_false(sip_dialog_has(d, &msg));
	sip_dialog_free(d);
}

/** 13.2.2.4: an early dialog takes its route set anew from the 2xx, a confirmed one does not. */
static void early_then_confirmed(void **state)
{
	struct sip_message invite = parse(INVITE("")), msg;
	struct sip_dialog *d;

	(void)state;
	msg = parse(RESPONSE("180", ";tag=2",
	                     "Record-Route: <sip:early;lr>\r\nContact: <sip:b@1>\r\n"));
	assert_int_equal(sip_dialog_begun(&d, &invite, &msg), 0);
	assert_true(sip_dialog_has(d, &msg));
	is(sip_dialog_next_hop(d), "sip:early;lr");
	msg = parse(
	        RESPONSE("200", ";tag=2", "Record-Route: <sip:late;lr>\r\nContact: <sip:b@2>\r\n"));
	assert_int_equal(sip_dialog_response_in(d, &msg), 0);
	is(sip_dialog_next_hop(d), "sip:late;lr");
	is(sip_dialog_target(d), "sip:b@2");
	msg = parse(RESPONSE("200", ";tag=2",
	                     "Record-Route: <sip:later;lr>\r\nContact: <sip:b@3>\r\n"));
	assert_int_equal(sip_dialog_response_in(d, &msg), 0);
	is(sip_dialog_next_hop(d), "sip:late;lr");
	is(sip_dialog_target(d), "sip:b@3");
	sip_dialog_free(d);
}

/** RFC 3311: an UPDATE moves the target of an early dialog, and its 2xx confirms nothing. */
static void updated_while_early(void **state)
{
	struct sip_message invite = parse(INVITE("")), msg;
	struct sip_dialog *d;

	(void)state;
	msg = parse(RESPONSE("183", ";tag=2",
	                     "Record-Route: <sip:early;lr>\r\nContact: <sip:b@1>\r\n"));
	assert_int_equal(sip_dialog_begun(&d, &invite, &msg), 0);
	msg = parse(
	        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS u;branch=z9hG4bK5\r\n"
	        "From: <sip:caller@u1.example.com>;tag=1\r\nTo: <sip:callee@domain.com>;tag=2\r\n"
	        "Call-ID: x@u1\r\nCSeq: 8 UPDATE\r\nContact: <sip:b@2>\r\n\r\n");
	assert_int_equal(sip_dialog_response_in(d, &msg), 0);
	is(sip_dialog_target(d), "sip:b@2");
	is(sip_dialog_next_hop(d), "sip:early;lr");
	msg = parse(
	        RESPONSE("200", ";tag=2", "Record-Route: <sip:late;lr>\r\nContact: <sip:b@2>\r\n"));
	assert_int_equal(sip_dialog_response_in(d, &msg), 0);
	is(sip_dialog_next_hop(d), "sip:late;lr");
	sip_dialog_free(d);
}

/** An octet of value 0 in a name (RFC 4475, 3.1.1.2) cuts no line of our requests short. */
static void octets_of_zero(void **state)
{
	static const char text[] =
	        "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/TLS u;branch=z9hG4bK1\r\n"
	        "From: <sip:a@b>;tag=1\r\nTo: \"\\\0x\" <sip:b@c>\r\nCall-ID: x\r\n"
	        "CSeq: 7 INVITE\r\nContact: <sip:a@b>\r\nRecord-Route: \"\\\0y\" "
	        "<sip:p;lr>\r\n\r\n";
	static const char from[] = "From: \"\\\0x\" <sip:b@c>;tag=2\r\n";
	static const char route[] = "Route: \"\\\0y\" <sip:p;lr>\r\n";
	struct base_writer w = { 0 };
	struct sip_message msg;
	struct sip_dialog *d;

	(void)state;
	assert_int_equal(sip_message_parse(&msg, &arena, BASE_STR(text), false), 0);
	assert_int_equal(msg.fault, 0);
	assert_int_equal(sip_dialog_served(&d, &msg, BASE_STR("2")), 0);
	(void)sip_dialog_request(d, &w, "BYE", &local);
	assert_non_null(memmem(w.data, w.len, from, sizeof(from) - 1));
	assert_non_null(memmem(w.data, w.len, route, sizeof(route) - 1));
	base_writer_done(&w);
	sip_dialog_free(d);
}

/** A peer that refreshes its target again and again is followed, and costs no memory. */
static void restless_peer(void **state)
{
	struct sip_message invite = parse(INVITE("Contact: <sip:a@old>\r\n"));
	struct base_writer w = { 0 };
	struct sip_dialog *d;

	(void)state;
	assert_int_equal(sip_dialog_served(&d, &invite, BASE_STR("2")), 0);
	for (unsigned i = 8; i < 20000; i++) {
		struct sip_message msg;

		base_writer_reset(&w);
		base_arena_reset(&arena);
		base_writer_printf(
		        &w,
		        "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/TLS u;branch=z9hG4bK9\r\n"
		        "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: x@u1\r\n"
		        "CSeq: %u INVITE\r\nContact: <sip:%u-%0200u@new>\r\n\r\n",
		        i, i, 0);
		assert_int_equal(sip_message_parse(&msg, &arena, base_writer_view(&w), false), 0);
		assert_int_equal(sip_dialog_request_in(d, &msg), 0);
	}
	assert_int_equal(strncmp(sip_dialog_target(d).ptr, "sip:19999-", 10), 0);
	base_writer_done(&w);
	sip_dialog_free(d);
}

static int done(void **state)
{
	(void)state;
	base_arena_done(&arena);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(served),          cmocka_unit_test(begun),
		cmocka_unit_test(strict_routes),   cmocka_unit_test(no_dialog),
		cmocka_unit_test(requests_inside), cmocka_unit_test(early_then_confirmed),
		cmocka_unit_test(restless_peer),   cmocka_unit_test(updated_while_early),
		cmocka_unit_test(octets_of_zero),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
