/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages and keep-alives cut out of a stream. */
#include "check.h"
#include "sip/sip.h"

static int frame(struct sip_framer *framer, const char *text, enum sip_frame_kind *kind,
                 size_t *len)
{
	return sip_frame(framer, base_str_of(text), kind, len);
}

static void whole(void **state)
{
	static const char two[] = "A b SIP/2.0\r\nL : 3\r\n\r\nxyzNEXT";
	struct sip_framer framer = { 0 };
	enum sip_frame_kind kind;
	size_t len;

	(void)state;
	assert_int_equal(frame(&framer, two, &kind, &len), 0);
	assert_int_equal(kind, SIP_FRAME_MESSAGE);
	assert_int_equal(len, strlen(two) - 4);
	assert_int_equal(frame(&framer, two + len, &kind, &len), 0);
	assert_int_equal(kind, SIP_FRAME_MORE);
}

static void lengths(void **state)
{
	static const struct {
		const char *head;
		int rc;
		size_t body;
	} rows[] = {
		{ "x\r\n\r\n", 0, 0 }, /* none: RFC 2543 */
		{ "x\r\nContent-Length:\r\n 007\r\n\r\n", 0, 7 },
		{ "x\r\nX-Content-Length: 9\r\nl:1\r\n\r\n", 0, 1 },
		{ "x\r\nX: y\r\n l: 9\r\n\r\n", 0, 0 }, /* folded: X's value */
		{ "x\r\nl: 1\r\nContent-Length: 1\r\n\r\n", 0, 1 },
		{ "x\r\nl: 1\r\nContent-Length: 2\r\n\r\n", 400, 0 },
		{ "x\r\nl: -1\r\n\r\n", 400, 0 },
		{ "x\r\nl: 1,1\r\n\r\n", 400, 0 },
		{ "x\r\nl:\r\n\r\n", 400, 0 },
		{ "x\r\nl: 4294967296\r\n\r\n", 400, 0 },
		{ "x\r\nl: 65536\r\n\r\n", 413, 0 },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct sip_framer framer = { 0 };
		enum sip_frame_kind kind;
		size_t len;
		int rc = frame(&framer, rows[i].head, &kind, &len);

		assert_int_equal(rc, rows[i].rc ? BASE_ERR(BASE_PEER, rows[i].rc) : 0);
		if (rc)
			continue;
		assert_int_equal(kind, rows[i].body ? SIP_FRAME_MORE : SIP_FRAME_MESSAGE);
		if (rows[i].body)
			assert_int_equal(framer.need, strlen(rows[i].head) + rows[i].body);
	}
}

/** RFC 5626, 3.5.1; RFC 3261, 7.5 */
static void keep_alives(void **state)
{
	static const struct {
		const char *text;
		bool pings;
		enum sip_frame_kind kind;
		size_t len;
	} rows[] = {
		{ "", false, SIP_FRAME_MORE, 0 },
		{ "\r", false, SIP_FRAME_MORE, 0 },
		{ "\r\n", false, SIP_FRAME_MORE, 0 },
		{ "\r\n\r", false, SIP_FRAME_MORE, 0 },
		{ "\r\n\r\n", false, SIP_FRAME_PING, 4 },
		{ "\r\nA b SIP/2.0", false, SIP_FRAME_PONG, 2 },
		{ "\r\n", true, SIP_FRAME_PONG, 2 },
		{ "\r", true, SIP_FRAME_MORE, 0 },
	};
	struct sip_framer framer = { 0 };
	enum sip_frame_kind kind;
	size_t len;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		framer.pings = rows[i].pings;
		assert_int_equal(frame(&framer, rows[i].text, &kind, &len), 0);
		assert_int_equal(kind, rows[i].kind);
		assert_int_equal(len, rows[i].len);
	}
	assert_int_equal(frame(&framer, "\rx", &kind, &len), BASE_ERR(BASE_PEER, 400));
}

/** A head that never ends is given up at the limit, and no octet is looked at twice. */
static void endless(void **state)
{
	static char text[SIP_MESSAGE_OCTETS_MAX + 2];
	struct sip_framer framer = { 0 };
	enum sip_frame_kind kind;
	size_t len, scanned = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t n = 1; n <= SIP_MESSAGE_OCTETS_MAX; n++) {
		assert_int_equal(sip_frame(&framer, (struct base_str){ text, n }, &kind, &len), 0);
		assert_int_equal(kind, SIP_FRAME_MORE);
		assert_true(framer.scanned >= scanned && framer.scanned + 3 >= n);
		scanned = framer.scanned;
	}
	assert_int_equal(
	        sip_frame(&framer, (struct base_str){ text, sizeof(text) - 1 }, &kind, &len),
	        BASE_ERR(BASE_PEER, 413));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(lengths),
		cmocka_unit_test(keep_alives),
		cmocka_unit_test(endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
