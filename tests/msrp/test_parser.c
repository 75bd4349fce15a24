/* SPDX-License-Identifier: Apache-2.0 */
/* Framing, whatever the cuts: RFC 4975, 5.1, 7.1, 7.3.1 and 9, with its examples (11). */
#include "dump.h"
#include "check.h"

#define PATHS                                                                                      \
	"To-Path: msrp://bob.example.com:8888/9di4eae923wzd;tcp\r\n"                               \
	"From-Path: msrp://alicepc.example.com:7777/iau39soe2843z;tcp\r\n"
#define SEND PATHS "Message-ID: 12339sdqwer\r\n"
#define TYPE "Content-Type: text/plain\r\n\r\n"

static const char basic[] = /* 11.1, 11.4, 11.6; 7.1: without a body */
        "MSRP d93kswow SEND\r\n" SEND "Byte-Range: 1-16/16\r\n" TYPE "Hi, I'm Alice!\r\n"
        "-------d93kswow$\r\n"
        "MSRP d93kswow 200 OK\r\n" PATHS "-------d93kswow$\r\n"
        "MSRP dkei38sd SEND\r\n" SEND "Byte-Range: 1-137/148\r\n"
        "Content-Type: message/cpim\r\n\r\nTo: Bob <sip:bob@example.com>\r\n\r\n"
        "Content-Type: text/plain\r\n\r\nABCD\r\n-------dkei38sd+\r\n"
        "MSRP op2nc9a SEND\r\n" SEND TYPE "1234567890\r\n-------op2nc9a#\r\n"
        "MSRP empty1 SEND\r\n" SEND "-------empty1$\r\n"
        "MSRP empty2 SEND\r\n" SEND "Byte-Range: 1-0/0\r\n" TYPE "\r\n-------empty2$\r\n"
        "MSRP dkei38sd REPORT\r\n" SEND "Byte-Range: 1-106/106\r\nStatus: 000 200 OK\r\n"
        "-------dkei38sd$\r\n"
        "MSRP nick00 NICKNAME\r\n" PATHS "Use-Nickname: \"Alice\"\r\n-------nick00$\r\n";

/* Bodies that look like end-lines for a while. */
static const char almost[] =
        "MSRP abcd SEND\r\n" SEND TYPE "\r\r\n\r\n\r\r\n------abcd$\r\n-------abcx$\r\n"
        "-------abcd!\r\n-------abcd$x\r\n-------abcd$\rx-------abcd$\r\n\r\n-------abcd$\r\r\n"
        "-------abcd\r\n--------abcd$\n-------abcd$\r\n"
        "\r\n-------abcd+\r\n";

static struct base_str expect(const char *text, size_t len)
{
	return (struct base_str){ text, len };
}

static void check_cuts(const char *text, size_t len)
{
	struct base_writer w = { 0 };
	struct msrp_parser p = { 0 };

	for (size_t i = 0; i <= len; i++) { /* in two parts, at each place */
		assert_int_equal(dump(&p, expect(text, i), &w), 0);
		assert_int_equal(dump(&p, expect(text + i, len - i), &w), 0);
		assert_true(msrp_parser_idle(&p));
		assert_int_equal(w.len, len);
		assert_memory_equal(w.data, text, len);
		base_writer_reset(&w);
	}
	for (size_t step = 1; step < 40; step++) {
		for (size_t i = 0; i < len; i += step)
			assert_int_equal(dump(&p, expect(text + i, BASE_MIN(step, len - i)), &w),
			                 0);
		assert_int_equal(w.len, len);
		assert_memory_equal(w.data, text, len);
		base_writer_reset(&w);
	}
	base_writer_done(&w);
	msrp_parser_done(&p);
}

static void every_cut(void **state)
{
	(void)state;
	check_cuts(basic, sizeof(basic) - 1);
}

static void almost_an_end(void **state)
{
	(void)state;
	check_cuts(almost, sizeof(almost) - 1);
}

static void any_octets(void **state)
{
	struct base_writer w = { 0 };

	(void)state;
	base_writer_text(&w, "MSRP a012345678901234567890123456789x SEND\r\n" SEND TYPE);
	for (int i = 0; i < 512; i++)
		base_writer_u8(&w, (uint8_t)(i * 7));
	base_writer_text(&w, "\r\n-------a012345678901234567890123456789x$\r\n");
	check_cuts((const char *)w.data, w.len);
	base_writer_done(&w);
}

/** Some write an empty body without a CRLF of its own. */
static void end_line_right_behind_the_header(void **state)
{
	static const char text[] = "MSRP abcd SEND\r\n" SEND TYPE "-------abcd$\r\n";
	struct base_writer w = { 0 };
	struct msrp_parser p = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		assert_int_equal(dump(&p, expect(text, i), &w), 0);
		assert_int_equal(dump(&p, expect(text + i, sizeof(text) - 1 - i), &w), 0);
		assert_true(msrp_parser_idle(&p));
		assert_true(p.has_body);
	}
	base_writer_done(&w);
	msrp_parser_done(&p);
}

/** Body octets are handed on as they come, and as views of the input. */
static void bodies_are_not_kept(void **state)
{
	static const char head[] = "MSRP abcd SEND\r\n" SEND TYPE;
	struct base_str in = expect(head, sizeof(head) - 1);
	struct msrp_parser p = { 0 };
	enum msrp_event event;
	static char some[65536];
	size_t cap;

	(void)state;
	memset(some, '-', sizeof(some));
	assert_int_equal(msrp_parser_next(&p, &in, &event, NULL), 0);
	assert_int_equal(event, MSRP_HEAD);
	cap = p.text.cap;
	for (int i = 0; i < 64; i++) {
		in = expect(some, sizeof(some));
		assert_int_equal(msrp_parser_next(&p, &in, &event, NULL), 0);
		assert_int_equal(event, MSRP_BODY);
		assert_true(p.piece.ptr == some || i == 0);
	}
	assert_int_equal(p.text.cap, cap);
	msrp_parser_done(&p);
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"MSRP abcd SEND\n" SEND "-------abcd$\r\n",
		"MSRP abcd SEND\r\n" SEND "-------abce$\r\n",
		"MSRP abcd SEND\r\n" SEND "-------abcd!\r\n",
		"MSRP abcd SEND\r\n" SEND "-------abcd$ \r\n",
		"MSRP abcd SEND\r\n" SEND "------abcd$\r\n",
		"MSRP abcd 200 OK\r\n" PATHS "-------abcd+\r\n",
		"MSRP abcd 200 OK\r\n" PATHS TYPE "x\r\n-------abcd$\r\n",
	};
	struct base_writer w = { 0 };
	struct msrp_parser p = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		if (dump(&p, base_str_of(bad[i]), &w) != BASE_ERR(BASE_PEER, 400))
			fail_msg("%s", bad[i]);
		assert_int_not_equal(dump(&p, base_str_of(basic), &w), 0); /* for good */
		msrp_parser_done(&p);
	}
	base_writer_done(&w);
}

static void limits(void **state)
{
	struct base_writer w = { 0 }, out = { 0 };
	struct msrp_parser p = { .limit = 300 };

	(void)state;
	base_writer_text(&w, "MSRP abcd SEND\r\n" SEND "X: ");
	while (w.len < 299)
		base_writer_u8(&w, 'x');
	assert_int_equal(dump(&p, base_writer_view(&w), &out), 0);
	assert_int_not_equal(dump(&p, BASE_STR("xx"), &out), 0);
	msrp_parser_done(&p);
	base_writer_reset(&w);
	base_writer_text(&w, "MSRP abcd REPORT\r\n" SEND "Status: 000 200\r\n" TYPE);
	for (int i = 0; i < MSRP_BODY_MAX; i++)
		base_writer_u8(&w, 'x');
	assert_int_equal(dump(&p, base_writer_view(&w), &out), 0);
	assert_int_not_equal(dump(&p, BASE_STR("xx"), &out), 0); /* 7.1 */
	msrp_parser_done(&p);
	base_writer_done(&w);
	base_writer_done(&out);
}

static void body_and_type(void **state)
{
	static const char *const text[] = {
		"MSRP abcd SEND\r\n" SEND "\r\nx\r\n-------abcd$\r\n",
		"MSRP abcd SEND\r\n" SEND "Content-Type: text/plain\r\n-------abcd$\r\n",
	};
	struct base_str in;
	struct msrp_parser p = { 0 };
	enum msrp_event event;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(text); i++) {
		in = base_str_of(text[i]);
		assert_int_equal(msrp_parser_next(&p, &in, &event, NULL), 0);
		assert_int_equal(p.head.fault, 400);
		msrp_parser_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut),
		cmocka_unit_test(almost_an_end),
		cmocka_unit_test(any_octets),
		cmocka_unit_test(end_line_right_behind_the_header),
		cmocka_unit_test(bodies_are_not_kept),
		cmocka_unit_test(refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(body_and_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
