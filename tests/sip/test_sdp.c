/* SPDX-License-Identifier: Apache-2.0 */
/** @file Session descriptions as SIP carries them. */
#include <sys/socket.h>

#include "check.h"
#include "sip/sip.h"

static struct base_arena arena;

static void is(struct base_str s, const char *text)
{
	if (!base_str_eq(s, base_str_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BASE_FMT(s), text);
}

static const char conference[] =
        "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 "
        "0\r\na=setup:passive\r\n"
        "m=message 2855 TCP/TLS/MSRP *\r\nc=IN IP6 2001:db8::1\r\na=setup:actpass\r\na=inactive\r\n"
        "a=key-mgmt:mikey AQ==\r\na=path:msrps://a;tcp\r\na=path:msrps://b;tcp\r\n"
        "m=application 0/2 TCP/TLS/BFCP * x\r\na=floorid:1 mstrm:10\r\na=floorid:2\r\n\r\n";

static void whole(void **state)
{
	struct base_str value;
	struct sip_sdp sdp;
	size_t index = 0;

	(void)state;
	assert_int_equal(sip_sdp_parse(&sdp, &arena, base_str_of(conference), NULL), 0);
	is(sdp.origin, "- 1 2 IN IP4 192.0.2.1");
	assert_int_equal(sdp.media_count, 2);
	is(sdp.media[0].type, "message");
	is(sdp.media[0].proto, "TCP/TLS/MSRP");
	is(sdp.media[0].formats, "*");
	assert_int_equal(sdp.media[0].port, 2855);
	assert_int_equal(sdp.media[0].ports, 1);
	assert_int_equal(sdp.media[1].port, 0);
	assert_int_equal(sdp.media[1].ports, 2);
	is(sdp.media[1].formats, "* x");
	assert_true(sip_sdp_attribute(&sdp, &sdp.media[0], "setup", &value));
	is(value, "actpass");
	assert_true(sip_sdp_attribute(&sdp, &sdp.media[1], "setup", &value));
	is(value, "passive"); /* the session's */
	assert_true(sip_sdp_attribute(&sdp, &sdp.media[0], "inactive", &value));
	assert_int_equal(value.len, 0);
	assert_false(sip_sdp_attribute(&sdp, &sdp.media[0], "in", &value));
	assert_false(sip_sdp_attribute(&sdp, NULL, "path", &value));
	assert_true(sip_sdp_attribute_next(sdp.media[0].lines, sdp.media[0].line_count, &index,
	                                   "path", &value));
	is(value, "msrps://a;tcp");
	assert_true(sip_sdp_attribute_next(sdp.media[0].lines, sdp.media[0].line_count, &index,
	                                   "path", &value));
	is(value, "msrps://b;tcp");
	assert_false(sip_sdp_attribute_next(sdp.media[0].lines, sdp.media[0].line_count, &index,
	                                    "path", &value));
	assert_int_equal(sip_sdp_address(&sdp, &sdp.media[0], &value), AF_INET6);
	is(value, "2001:db8::1");
	assert_int_equal(sip_sdp_address(&sdp, &sdp.media[1], &value), AF_INET);
	is(value, "192.0.2.1");
}

static void none(void **state)
{
#define START "v=0\no=x\n"
	static const struct {
		unsigned line;
		const char *text;
	} rows[] = {
		{ 1, "" },
		{ 1, "v=0\r\n" },
		{ 1, "o=x\nv=0\n" },
		{ 1, "v=1\no=x\n" },
		{ 1, "v=0\no=\n" },
		{ 3, START "s\n" },
		{ 3, START "S=x\n" },
		{ 3, START "\ns=x\n" },
		{ 3, START "s=a\rb\n" },
		{ 3, START "m=audio\n" },
		{ 3, START "m=audio 1 RTP/AVP\n" },
		{ 3, START "m=audio x RTP/AVP 0\n" },
		{ 3, START "m=audio 65536 RTP/AVP 0\n" },
		{ 3, START "m=audio 1/0 RTP/AVP 0\n" },
		{ 3, START "m=audio 1/ RTP/AVP 0\n" },
		{ 3, START "m= 1 RTP/AVP 0\n" },
		{ 4, START "s=-\nm=audio 1  0\n" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct base_error err = { 0 };
		struct sip_sdp sdp;

		if (sip_sdp_parse(&sdp, &arena, base_str_of(rows[i].text), &err) !=
		    BASE_ERR(BASE_PEER, 400))
			fail_msg("row %zu is taken", i);
		if (err.line != rows[i].line)
			fail_msg("row %zu: line %u, %s", i, err.line, err.text);
	}
}

static void limits(void **state)
{
	struct base_writer w = { 0 };
	struct sip_sdp sdp;

	(void)state;
	base_writer_text(&w, "v=0\no=x\n");
	for (int i = 0; i < SIP_SDP_MEDIA_MAX; i++)
		base_writer_text(&w, "m=a 1 b c\n");
	assert_int_equal(sip_sdp_parse(&sdp, &arena, base_writer_view(&w), NULL), 0);
	base_writer_text(&w, "m=a 1 b c\n");
	assert_int_equal(sip_sdp_parse(&sdp, &arena, base_writer_view(&w), NULL),
	                 BASE_ERR(BASE_PEER, 400));
	w.len = strlen("v=0\no=x\n");
	for (int i = 2; i < SIP_SDP_LINES_MAX; i++)
		base_writer_text(&w, "a=b\n");
	assert_int_equal(sip_sdp_parse(&sdp, &arena, base_writer_view(&w), NULL), 0);
	base_writer_text(&w, "a=b\n");
	assert_int_equal(sip_sdp_parse(&sdp, &arena, base_writer_view(&w), NULL),
	                 BASE_ERR(BASE_PEER, 400));
	base_writer_done(&w);
}

/** c= of other networks, or with words behind it, is no address. */
static void no_address(void **state)
{
	static const char *const rows[] = { "v=0\no=x\n", "v=0\no=x\nc=ATM NSAP 1\n",
		                            "v=0\no=x\nc=IN IP4\n", "v=0\no=x\nc=IN IP4 a b\n",
		                            "v=0\no=x\nc=IN IP5 a\n" };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct base_str value;
		struct sip_sdp sdp;

		assert_int_equal(sip_sdp_parse(&sdp, &arena, base_str_of(rows[i]), NULL), 0);
		assert_int_equal(sip_sdp_address(&sdp, NULL, &value), 0);
	}
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
		cmocka_unit_test(whole),
		cmocka_unit_test(none),
		cmocka_unit_test(limits),
		cmocka_unit_test(no_address),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
