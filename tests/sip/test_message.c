/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages taken apart, and each way in which one can be at fault (RFC 3261,
 * 7, 8.1.1, 18.3). */
#include "check.h"
#include "sip/sip.h"

#define VIA  "Via: SIP/2.0/TLS ue.example:5061;branch=z9hG4bK1\r\n"
#define FROM "From: Alice <sip:alice@example.com>;tag=a\r\n"
#define TO   "To: sip:bob@example.com\r\n"
#define ID   "Call-ID: 1@ue\r\n"
#define CSEQ "CSeq: 1 MESSAGE\r\n"
#define LINE "MESSAGE sip:bob@example.com SIP/2.0\r\n"
#define ALL  VIA FROM TO ID CSEQ

static void is(struct base_str s, const char *text)
{
	if (!base_str_eq(s, base_str_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BASE_FMT(s), text);
}

static void whole(void **state)
{
	static const char text[] = "\r\n\r\n" LINE ALL "l: 00005\r\nX-Odd : a\r\n b\r\nx-odd:\r\n"
	                           "Supported: path, outbound\r\nk: gruu\r\n\r\nhello more";
	struct base_arena arena = { 0 };
	struct sip_message msg;

	(void)state;
	assert_int_equal(sip_message_parse(&msg, &arena, base_str_of(text), false), 0);
	assert_int_equal(msg.fault, 0);
	assert_true(msg.request);
	assert_int_equal(msg.method, SIP_MESSAGE);
	is(msg.target, "sip:bob@example.com");
	is(msg.uri.user, "bob");
	is(msg.from.display, "Alice");
	is(msg.from_tag, "a");
	assert_null(msg.to_tag.ptr);
	is(msg.call_id, "1@ue");
	assert_int_equal(msg.cseq, 1);
	assert_int_equal(msg.max_forwards, 70);
	is(msg.via.branch, "z9hG4bK1");
	is(msg.body, "hello");
	assert_ptr_equal(msg.octets.ptr, text + 4);
	assert_int_equal(msg.octets.len, sizeof(text) - 1 - 4 - strlen(" more"));
	is(sip_header_named(&msg, "X-ODD")->value, "a\r\n b");
	is(sip_header_named(&msg, "X-ODD")->whole, "X-Odd : a\r\n b\r\n");
	is(sip_header_after(&msg, sip_header_named(&msg, "X-ODD"))->value, "");
	assert_true(sip_header_has(&msg, SIP_H_SUPPORTED, "outbound"));
	assert_true(sip_header_has(&msg, SIP_H_SUPPORTED, "GRUU"));
	assert_false(sip_header_has(&msg, SIP_H_SUPPORTED, "out"));
	base_arena_done(&arena);
}

static void response(void **state)
{
	struct base_arena arena = { 0 };
	struct sip_message msg;

	(void)state;
	assert_int_equal(
	        sip_message_parse(&msg, &arena, BASE_STR("SIP/2.0 180 \r\n" ALL "\r\n"), false), 0);
	assert_int_equal(msg.fault, 0);
	assert_false(msg.request);
	assert_int_equal(msg.status, 180);
	is(msg.reason, "");
	assert_int_equal(msg.method, SIP_MESSAGE);
	base_arena_done(&arena);
}

static void faults(void **state)
{
	static const struct {
		unsigned fault;
		const char *text;
	} rows[] = {
		{ 0, LINE ALL "\r\n" },
		{ 0, LINE ALL "\r\n a body that begins with a blank\r\n" },
		{ 0, LINE ALL "\r\n\t" },
		{ 400, LINE FROM TO ID CSEQ "\r\n" },
		{ 400, LINE VIA TO ID CSEQ "\r\n" },
		{ 400, LINE VIA FROM ID CSEQ "\r\n" },
		{ 400, LINE VIA FROM TO CSEQ "\r\n" },
		{ 400, LINE VIA FROM TO ID "\r\n" },
		{ 400, LINE ALL FROM "\r\n" },
		{ 400, LINE ALL TO "\r\n" },
		{ 400, LINE ALL ID "\r\n" },
		{ 400, LINE ALL CSEQ "\r\n" },
		{ 400, LINE ALL "Max-Forwards: 256\r\n\r\n" },
		{ 400, LINE ALL "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n" },
		{ 400, LINE ALL "Expires: 1\r\nExpires: 1\r\n\r\n" },
		{ 400, LINE ALL "Content-Length: 1\r\n\r\n" },
		{ 400, LINE ALL "Content-Length: -0\r\n\r\n" },
		{ 400, LINE ALL "Content-Length: 0\r\nl: 0\r\n\r\n" },
		{ 400, LINE ALL },                    /* no end of the head */
		{ 400, LINE ALL "Broken\r\n\r\n" },   /* no colon */
		{ 400, LINE ALL ": x\r\n\r\n" },      /* no name */
		{ 400, LINE ALL "Na me: x\r\n\r\n" }, /* no token */
		{ 400, LINE ALL "X: a\rb\r\n\r\n" },  /* a lone CR */
		{ 400, LINE ALL "X: a\n b\r\n\r\n" }, /* a lone LF, though it looks folded */
		{ 400, "MESSAGE  sip:bob@example.com SIP/2.0\r\n" ALL "\r\n" },
		{ 400, "MESSAGE sip:bob@example.com SIP/2.0 \r\n" ALL "\r\n" },
		{ 400, " MESSAGE sip:bob@example.com SIP/2.0\r\n" ALL "\r\n" },
		{ 400, "MESSAGE bob SIP/2.0\r\n" ALL "\r\n" },
		{ 400, "MESSAGE sip:bob@example.com?a=b SIP/2.0\r\n" ALL "\r\n" },
		{ 505, "MESSAGE sip:bob@example.com SIP/3.0\r\n" ALL "\r\n" },
		{ 400, "OPTIONS sip:bob@example.com SIP/2.0\r\n" ALL "\r\n" }, /* CSeq's method */
		{ 400, LINE VIA FROM TO ID "CSeq: 2147483648 MESSAGE\r\n\r\n" },
		{ 400, LINE VIA FROM TO ID "CSeq: 1\r\n\r\n" },
		{ 400, LINE VIA FROM TO ID "CSeq: MESSAGE\r\n\r\n" },
		{ 400, LINE VIA FROM TO ID "CSeq: 1MESSAGE\r\n\r\n" },
		{ 400, LINE VIA FROM TO "Call-ID: a@b@c\r\n" CSEQ "\r\n" },
		{ 400, LINE VIA FROM TO "Call-ID: a b\r\n" CSEQ "\r\n" },
		{ 400, LINE VIA "From: <sip:>;tag=a\r\n" TO ID CSEQ "\r\n" },
		{ 400, LINE VIA "From: <sip:alice@example.com>;tag=\r\n" TO ID CSEQ "\r\n" },
		{ 400, LINE VIA "Via: nonsense\r\n" FROM TO ID CSEQ "\r\n" },
		{ 505, "SIP/2.1 200 OK\r\n" ALL "\r\n" },
		{ 400, "SIP/2.0 99 Low\r\n" ALL "\r\n" },
		{ 400, "SIP/2.0 099 Low\r\n" ALL "\r\n" },
		{ 400, "SIP/2.0 700 High\r\n" ALL "\r\n" },
		{ 400, "SIP/2.0 200\r\n" ALL "\r\n" },
		{ 400, "SIP/2.0 2000 OK\r\n" ALL "\r\n" },
		{ 400, "SIP/2.0 200 O\rK\r\n" ALL "\r\n" },
		{ 400, LINE VIA "From: <sip:alice@example.com>;tag=a;TAG=b\r\n" TO ID CSEQ "\r\n" },
		{ 400, LINE VIA FROM "To: <sip:bob@example.com>;tag\r\n" ID CSEQ "\r\n" },
		{ 400, LINE "Via: SIP/2.0/UDP a;branch=z9hG4bKa;Branch=z9hG4bKb\r\n" FROM TO ID CSEQ
		            "\r\n" },
		{ 400, LINE "Via: SIP/2.0/UDP a;branch\r\n" FROM TO ID CSEQ "\r\n" },
	};
	struct base_arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct sip_message msg;

		if (sip_message_parse(&msg, &arena, base_str_of(rows[i].text), false))
			fail_msg("row %zu is no message", i);
		if (msg.fault != rows[i].fault)
			fail_msg("row %zu: %u %s", i, msg.fault, msg.fault ? msg.fault_text : "");
		assert_int_equal(msg.fault != 0, msg.fault_text != NULL);
		base_arena_reset(&arena);
	}
	base_arena_done(&arena);
}

/** No first line of SIP, too long, too many: nothing can be answered. */
static void no_message(void **state)
{
	static const char *const rows[] = { "",
		                            "\r\n",
		                            "\r\n\r\n",
		                            "x",
		                            "GET / HTTP/1.1\r\n\r\n",
		                            "MESSAGE sip:bob@example.com\r\n\r\n",
		                            "MESSAGE SIP/2.0\r\n\r\n",
		                            "SIP/2.0\n\n",
		                            "SIP/x 200 OK\r\n",
		                            "\x16\x03\x01\x02\r\n" };
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_message msg;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		assert_int_equal(base_err_class(sip_message_parse(&msg, &arena,
		                                                  base_str_of(rows[i]), false)),
		                 BASE_PEER);
	base_writer_text(&w, LINE ALL);
	for (size_t i = 5; i < SIP_HEADERS_MAX; i++)
		base_writer_text(&w, "X: y\r\n");
	base_writer_text(&w, "\r\n");
	assert_int_equal(sip_message_parse(&msg, &arena, base_writer_view(&w), false), 0);
	assert_int_equal(msg.header_count, SIP_HEADERS_MAX);
	w.len -= 2;
	base_writer_text(&w, "X: y\r\n\r\n");
	assert_int_equal(
	        base_err_class(sip_message_parse(&msg, &arena, base_writer_view(&w), false)),
	        BASE_PEER);
	w.len = 0;
	base_writer_text(&w, LINE ALL "X: ");
	while (w.len < SIP_MESSAGE_OCTETS_MAX)
		base_writer_text(&w, "y");
	base_writer_text(&w, "\r\n\r\n");
	assert_int_equal(
	        base_err_class(sip_message_parse(&msg, &arena, base_writer_view(&w), false)),
	        BASE_PEER);
	base_writer_done(&w);
	base_arena_done(&arena);
}

/** 18.3: in a stream Content-Length is the body's length exactly; a datagram may go on behind it.
 */
static void lengths(void **state)
{
	static const char exact[] = LINE ALL "Content-Length: 2\r\n\r\nhi";
	static const char more[] = LINE ALL "Content-Length: 2\r\n\r\nhi!";
	static const char none[] = LINE ALL "\r\nhi";
	struct base_arena arena = { 0 };
	struct sip_message msg;

	(void)state;
	assert_int_equal(sip_message_parse(&msg, &arena, base_str_of(exact), true), 0);
	assert_int_equal(msg.fault, 0);
	assert_int_equal(sip_message_parse(&msg, &arena, base_str_of(more), true), 0);
	assert_int_equal(msg.fault, 400);
	assert_int_equal(sip_message_parse(&msg, &arena, base_str_of(more), false), 0);
	assert_int_equal(msg.fault, 0);
	is(msg.body, "hi");
	assert_int_equal(sip_message_parse(&msg, &arena, base_str_of(none), false), 0);
	assert_int_equal(msg.fault, 0);
	is(msg.body, "hi");
	base_arena_done(&arena);
}

/** Cut at every octet: no crash, and never a message without fault before the head's end. */
static void cut(void **state)
{
	static const char text[] = LINE ALL "Content-Length: 2\r\n\r\nhi";
	struct base_arena arena = { 0 };
	struct sip_message msg;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *copy = malloc(len ? len : 1);

		memcpy(copy, text, len);
		if (!sip_message_parse(&msg, &arena, (struct base_str){ copy, len }, false))
			assert_int_equal(msg.fault, 400);
		free(copy);
		base_arena_reset(&arena);
	}
	base_arena_done(&arena);
}

static void names(void **state)
{
	(void)state;
	for (unsigned id = 1; id < SIP_H_COUNT; id++)
		assert_int_equal(
		        sip_header_id_of(base_str_of(sip_header_name((enum sip_header_id)id))), id);
	for (unsigned m = 1; m <= SIP_PUBLISH; m++)
		assert_int_equal(sip_method_of(base_str_of(sip_method_name((enum sip_method)m))),
		                 m);
	assert_int_equal(sip_header_id_of(BASE_STR("V")), SIP_H_VIA);
	assert_int_equal(sip_header_id_of(BASE_STR("x")), SIP_H_OTHER);
	assert_int_equal(sip_method_of(BASE_STR("invite")), SIP_OTHER); /* case counts (7.1) */
	assert_string_equal(sip_reason(430), "Flow Failed");
	assert_string_equal(sip_reason(499), "Unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),      cmocka_unit_test(response), cmocka_unit_test(faults),
		cmocka_unit_test(no_message), cmocka_unit_test(lengths),  cmocka_unit_test(cut),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
