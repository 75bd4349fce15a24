/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed SDP: error 474 with the place, in a text that an error descriptor can carry. */
#include "check.h"

#include "h248/h248.h"

#define M       "m=message 7 TCP/TLS/MSRP *\n"
#define SHA1_19 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22"

struct bad {
	const char *text;
	unsigned line, column;
};

static const struct bad malformed[] = {
	{ "v=1\n", 1, 3 },
	{ "v=\n", 1, 3 },
	{ "v=00\n", 1, 3 },
	{ "v= 0\n", 1, 3 },
	{ "\t v=1\n", 1, 5 },
	{ "v =0\n", 1, 1 },
	{ "v0\n", 1, 1 },
	{ "V=0\n", 1, 1 },
	{ "v\n", 1, 1 },
	{ "y=1\n", 1, 1 },
	{ "=1\n", 1, 1 },
	{ "hello\n", 1, 1 },
	{ "v=0\r\n\r\nfoo", 3, 1 },
	/* groups and order */
	{ M M, 2, 1 },
	{ M "v=0\n" M, 2, 1 },
	{ M "s=-\n", 2, 1 },
	{ M "o=- 0 0 IN IP4 192.0.2.1\n", 2, 1 },
	{ M "t=0 0\n", 2, 1 },
	{ "s=-\ns=-\n", 2, 1 },
	{ "o=- 0 0 IN IP4 a\no=- 0 0 IN IP4 a\n", 2, 1 },
	{ "i=\n", 1, 1 },
	{ "a=\n", 1, 1 },
	/* o=, t=, b= */
	{ "o=- 0 0 IN IP4\n", 1, 3 },
	{ "o=- 0 0 IN IP4 a b\n", 1, 18 },
	{ "o=-  0 IN IP4 a\n", 1, 3 },
	{ "t=0\n", 1, 3 },
	{ "t=0 x\n", 1, 3 },
	{ "t=0 0 0\n", 1, 7 },
	{ "b=64\n", 1, 3 },
	{ "b=AS:x\n", 1, 3 },
	{ "b=:64\n", 1, 3 },
	{ "b=AS:\n", 1, 3 },
	/* c= */
	{ "c=IN IP4\n", 1, 9 },
	{ "c=IN IP4 \n", 1, 10 },
	{ "c=ATM IP4 192.0.2.1\n", 1, 3 },
	{ "c=IN IP5 192.0.2.1\n", 1, 6 },
	{ "c=IN IP4 192.0.2\n", 1, 10 },
	{ "c=IN IP4 192.0.2.256\n", 1, 10 },
	{ "c=IN IP4 2001:db8::1\n", 1, 10 },
	{ "c=IN IP6 192.0.2.1\n", 1, 10 },
	{ "c=IN IP6 2001:db8:::1\n", 1, 10 },
	{ "c=IN IP4 192.0.2.1 \n", 1, 10 },
	{ "c=IN IP4 192.0.2.1/\n", 1, 19 },
	{ "c=IN IP4 192.0.2.1/x\n", 1, 19 },
	{ "c=IN IP4 192.0.2.1/1/2/3\n", 1, 19 },
	{ "c=IN IP4 bad_name.example\n", 1, 10 },
	{ "c=IN IP4 $$\n", 1, 10 },
	{ "c=IN IP4 192.0.2.1\nc=IN IP4 192.0.2.2\n", 2, 1 },
	/* m= */
	{ "m=message\n", 1, 10 },
	{ "m=message 7\n", 1, 12 },
	{ "m=message 7 TCP\n", 1, 16 },
	{ "m=message 7 TCP \n", 1, 17 },
	{ "m=message  TCP *\n", 1, 11 },
	{ "m=message 65536 TCP *\n", 1, 11 },
	{ "m=message -1 TCP *\n", 1, 11 },
	{ "m=message - TCP *\n", 1, 11 },
	{ "m=message 7/ TCP *\n", 1, 11 },
	{ "m=message 7/0 TCP *\n", 1, 11 },
	{ "m=message 7/x TCP *\n", 1, 11 },
	{ "m=mess:age 7 TCP *\n", 1, 3 },
	{ "m=message 7 TCP//MSRP *\n", 1, 13 },
	{ "m=message 7 /TCP *\n", 1, 13 },
	{ "m=message 7 TCP/ *\n", 1, 13 },
	{ "m=message 7 TCP *  *\n", 1, 19 },
	{ "m=message 7 TCP \xc3\xa9\n", 1, 17 },
	/* attributes */
	{ M "a=setup\n", 2, 3 },
	{ M "a=setup:\n", 2, 3 },
	{ M "a=setup:both\n", 2, 9 },
	{ M "a=setup: active\n", 2, 9 },
	{ M "a=setup:active\na=setup:active\n", 3, 1 },
	{ M "a=connection:old\n", 2, 14 },
	{ M "a=connection:new\na=connection:existing\n", 3, 1 },
	{ M "a=sendrecv\na=inactive\n", 3, 1 },
	{ M "a=inactive:1\n", 2, 3 },
	{ M "a=msrp-cema:1\n", 2, 3 },
	{ M "a=tls-id:tooshort\n", 2, 10 },
	{ M "a=tls-id:abc3de65cddef001be8.\n", 2, 10 },
	{ M "a=:x\n", 2, 3 },
	{ M "a=x y\n", 2, 3 },
	/* fingerprints */
	{ M "a=fingerprint:sha-1\n", 2, 20 },
	{ M "a=fingerprint:sha-1 \n", 2, 21 },
	{ M "a=fingerprint: 00\n", 2, 15 },
	{ M "a=fingerprint:sha-1 " SHA1_19 "\n", 2, 21 },
	{ M "a=fingerprint:sha-1 " SHA1_19 ":33:44\n", 2, 21 },
	{ M "a=fingerprint:sha-1 " SHA1_19 ":3\n", 2, 21 },
	{ M "a=fingerprint:sha-1 " SHA1_19 ":3g\n", 2, 21 },
	{ M "a=fingerprint:sha-1 " SHA1_19 ":33:\n", 2, 21 },
	{ M "a=fingerprint:sha-1 " SHA1_19 "-33\n", 2, 21 },
	{ M "a=fingerprint:sha-1 " SHA1_19 ":33 \n", 2, 21 },
	{ M "a=fingerprint:sha-1  " SHA1_19 ":33\n", 2, 21 },
	{ M "a=fingerprint:md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\na=x\n", 2, 1 },
	{ M "a=fingerprint:MD2 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\n", 2, 1 },
	{ M "a=fingerprint:md5 $\n", 2, 15 },
	{ M "a=fingerprint:sha3-256 00\n", 2, 1 },
	{ M "a=fingerprint:sha3-256 $\n", 2, 15 },
};

static int parse(struct base_str text, struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct h248_sdp sdp = { .count = 77 };
	int rc = h248_sdp_parse(&arena, text, &sdp, err);

	if (rc)
		assert_int_equal(sdp.count, 77); /* untouched on failure */
	base_arena_done(&arena);
	return rc;
}

/* Fit for an error descriptor: printable, no double quote. */
static void check_text(const char *text)
{
	for (; *text; text++) {
		assert_in_range(*text, 0x20, 0x7e);
		assert_int_not_equal(*text, '"');
	}
}

static void refused_with_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(malformed); i++) {
		struct base_error err = { 0 };
		int rc = parse(base_str_of(malformed[i].text), &err);

		if (rc != BASE_ERR(BASE_PEER, 474) || err.line != malformed[i].line ||
		    err.column != malformed[i].column)
			fail_msg("%s: rc %d, %u:%u, %s", malformed[i].text, rc, err.line,
			         err.column, err.text);
		check_text(err.text);
	}
}

static void text_names_the_place(void **state)
{
	struct base_error err = { 0 };

	(void)state;
	assert_int_not_equal(parse(BASE_STR("v=0\r\nc=IN IP4 \"\x01\xff\r\n"), &err), 0);
	assert_string_equal(err.text, "SDP line 2 column 10: not an address of this type: ''?\?'");
}

static void octet_zero(void **state)
{
	struct base_error err = { 0 };

	(void)state;
	assert_int_equal(parse((struct base_str){ "s=a\0b\n", 6 }, &err), BASE_ERR(BASE_PEER, 474));
	assert_int_equal(parse((struct base_str){ "\0=x\n", 4 }, &err), BASE_ERR(BASE_PEER, 474));
	assert_int_equal(parse((struct base_str){ NULL, 0 }, &err), 0);
}

/* After `head`, `count` times `before`, a running number and `after`. */
static int parse_many(const char *head, const char *before, const char *after, size_t count,
                      struct base_error *err)
{
	struct base_writer w = { 0 };
	int rc;

	base_writer_text(&w, head);
	for (size_t i = 0; i < count; i++)
		base_writer_printf(&w, "%s%06u%s", before, (unsigned)i, after);
	assert_false(w.failed);
	rc = parse(base_writer_view(&w), err);
	base_writer_done(&w);
	return rc;
}

static void limits(void **state)
{
	struct base_error err = { 0 };

	(void)state;
	assert_int_equal(parse_many("", "a=x", "\n", H248_SDP_LINES_MAX, &err), 0);
	assert_int_not_equal(parse_many("", "a=x", "\n", H248_SDP_LINES_MAX + 1, &err), 0);
	assert_int_equal(err.line, H248_SDP_LINES_MAX + 1);
	assert_int_equal(parse_many("", "v=0\na=", "\n", H248_SDP_GROUPS_MAX, &err), 0);
	assert_int_not_equal(parse_many("", "v=0\na=", "\n", H248_SDP_GROUPS_MAX + 1, &err), 0);
	assert_int_equal(parse_many(M "a=tls-id:", "", "", 42, &err), 0); /* 252 characters */
	assert_int_not_equal(parse_many(M "a=tls-id:", "", "", 43, &err), 0);
	assert_int_equal(parse_many("s=", "abc", "", (H248_SDP_OCTETS_MAX - 2) / 9, &err), 0);
	assert_int_not_equal(parse_many("s=", "abc", "", H248_SDP_OCTETS_MAX / 9 + 1, &err), 0);
	assert_int_equal(parse_many(M "a=fingerprint:sha-1 " SHA1_19 ":00\n", "a=fingerprint:x",
	                            " 00\n", H248_SDP_FINGERPRINTS_MAX - 1, &err),
	                 0);
	assert_int_not_equal(parse_many(M "a=fingerprint:sha-1 " SHA1_19 ":00\n", "a=fingerprint:x",
	                                " 00\n", H248_SDP_FINGERPRINTS_MAX, &err),
	                     0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_with_place),
		cmocka_unit_test(text_names_the_place),
		cmocka_unit_test(octet_zero),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
