/* SPDX-License-Identifier: Apache-2.0 */
/** @file ClientHellos: their octets as the RFCs lay them out. */
#include "check.h"

#include "check/check.h"

static const uint8_t random_32[32] = "0123456789abcdef0123456789abcde";

/** Head and body of a message in one record; the reader is then at the suites. */
static struct base_reader open_hello(struct base_writer *w, const struct check_offer *o,
                                     uint16_t record, uint16_t version)
{
	struct base_reader r;
	size_t len;

	check_hello_wire(o, w);
	assert_false(w->failed);
	r = base_reader_of(w->data, w->len);
	assert_int_equal(base_reader_u8(&r), CHECK_RECORD_HANDSHAKE);
	assert_int_equal(base_reader_u16(&r), record);
	len = base_reader_u16(&r);
	assert_int_equal(len, base_reader_left(&r));
	assert_int_equal(base_reader_u8(&r), CHECK_CLIENT_HELLO);
	len = base_reader_u24(&r);
	assert_int_equal(len, base_reader_left(&r));
	assert_int_equal(base_reader_u16(&r), version);
	(void)base_reader_take(&r, 32);
	(void)base_reader_take(&r, base_reader_u8(&r));
	return r;
}

/** Does the ClientHello's list of extensions hold that type? Its data then. */
static bool extension(struct base_reader r, uint16_t type, struct base_reader *ret)
{
	(void)base_reader_take(&r, base_reader_u16(&r));
	(void)base_reader_take(&r, base_reader_u8(&r));
	if (!base_reader_left(&r))
		return false;
	r = base_reader_sub(&r, base_reader_u16(&r));
	while (base_reader_left(&r)) {
		uint16_t one = base_reader_u16(&r);
		struct base_reader data = base_reader_sub(&r, base_reader_u16(&r));

		assert_false(r.failed);
		if (one == type) {
			*ret = data;
			return true;
		}
	}
	return false;
}

static void one_suite_alone(void **state)
{
	static const uint16_t suite = 0x0005;
	const struct check_offer o = { .version = PROFILE_TLS_1_0, .suites = { &suite, 1 } };
	struct base_writer w = { 0 };
	struct base_reader r = open_hello(&w, &o, 0x0301, 0x0301), unused;

	(void)state;
	assert_false(extension(r, 13, &unused)); /* before TLS 1.2 it has no signatures */
	assert_int_equal(base_reader_u16(&r), 2);
	assert_int_equal(base_reader_u16(&r), 0x0005);
	assert_int_equal(base_reader_u16(&r), 0x0100); /* one method: null */
	base_writer_done(&w);
}

static void signals_and_compression(void **state)
{
	static const uint16_t suite = 0x002f;
	const struct check_offer o = { .version = PROFILE_TLS_1_2,
		                       .suites = { &suite, 1 },
		                       .with = CHECK_WITH_RENEGOTIATION_SCSV |
		                               CHECK_WITH_FALLBACK_SCSV | CHECK_WITH_DEFLATE };
	struct base_writer w = { 0 };
	struct base_reader r = open_hello(&w, &o, 0x0301, 0x0303);

	(void)state;
	assert_int_equal(base_reader_u16(&r), 6);
	assert_int_equal(base_reader_u16(&r), 0x002f);
	assert_int_equal(base_reader_u16(&r), 0x00ff);
	assert_int_equal(base_reader_u16(&r), 0x5600);
	assert_int_equal(base_reader_u24(&r), 0x020100);
	base_writer_done(&w);
}

static void ssl_has_no_extensions(void **state)
{
	const struct check_offer v3 = { .version = PROFILE_SSL_3_0 }, v2 = { PROFILE_SSL_2_0 };
	struct base_writer w = { 0 };
	struct base_reader r = open_hello(&w, &v3, 0x0300, 0x0300);
	size_t len;

	(void)state;
	(void)base_reader_take(&r, base_reader_u16(&r));
	assert_int_equal(base_reader_u16(&r), 0x0100);
	assert_true(base_reader_done(&r));
	base_writer_reset(&w);
	check_hello_wire(&v2, &w);
	r = base_reader_of(w.data, w.len);
	len = base_reader_u16(&r);
	assert_int_equal(len, 0x8000 | base_reader_left(&r));
	assert_int_equal(base_reader_u8(&r), 1);
	assert_int_equal(base_reader_u16(&r), 2);
	base_writer_done(&w);
}

static void version_13_is_an_extension(void **state)
{
	const struct check_offer o = { .version = PROFILE_TLS_1_3 };
	struct check_offer no_share = o;
	struct base_writer w = { 0 };
	struct base_reader r = open_hello(&w, &o, 0x0301, 0x0303), data;

	(void)state;
	assert_true(extension(r, 43, &data));
	assert_int_equal(base_reader_u24(&data), 0x020304);
	assert_true(extension(r, 51, &data));
	assert_int_equal(base_reader_u16(&data), 36);
	assert_int_equal(base_reader_u16(&data), 29);
	no_share.with = CHECK_WITH_NO_SHARE;
	base_writer_reset(&w);
	r = open_hello(&w, &no_share, 0x0301, 0x0303);
	assert_true(extension(r, 51, &data));
	assert_int_equal(base_reader_u16(&data), 0);
	assert_true(base_reader_done(&data));
	base_writer_done(&w);
}

static void extensions_as_asked(void **state)
{
	static const struct {
		unsigned with;
		uint16_t type;
		size_t len;
	} cases[] = {
		{ CHECK_WITH_RENEGOTIATION_INFO, 0xff01, 1 },
		{ CHECK_WITH_EMS, 23, 0 },
		{ CHECK_WITH_ETM, 22, 0 },
		{ CHECK_WITH_MAX_FRAGMENT, 1, 1 },
		{ CHECK_WITH_STATUS, 5, 5 },
		{ CHECK_WITH_TICKET, 35, 0 },
		{ CHECK_WITH_TRUNCATED_HMAC, 4, 0 },
	};
	struct base_writer w = { 0 };
	struct base_reader data = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct check_offer o = { .version = PROFILE_TLS_1_2, .with = cases[i].with };

		base_writer_reset(&w);
		assert_true(extension(open_hello(&w, &o, 0x0301, 0x0303), cases[i].type, &data));
		assert_int_equal(base_reader_left(&data), cases[i].len);
		o.with = 0;
		base_writer_reset(&w);
		assert_false(extension(open_hello(&w, &o, 0x0301, 0x0303), cases[i].type, &data));
		o.with = cases[i].with | CHECK_WITH_NO_EXTENSIONS;
		base_writer_reset(&w);
		assert_false(extension(open_hello(&w, &o, 0x0301, 0x0303), cases[i].type, &data));
	}
	base_writer_done(&w);
}

/** RFC 6347, 4.2.1: the second hello is the first one with the cookie in it. */
static void datagrams(void **state)
{
	struct check_offer o = { .version = PROFILE_DTLS_1_2, .random = random_32 };
	struct base_writer one = { 0 }, two = { 0 };
	struct base_reader r;
	size_t len;

	(void)state;
	check_hello_datagram(&o, false, 0, &one);
	o.cookie = (struct check_bytes){ (const uint8_t *)"cookie", 6 };
	check_hello_datagram(&o, true, 1, &two);
	assert_false(one.failed || two.failed);
	assert_int_equal(two.len, one.len + 6);
	r = base_reader_of(two.data, two.len);
	assert_int_equal(base_reader_u8(&r), CHECK_RECORD_HANDSHAKE);
	assert_int_equal(base_reader_u16(&r), 0xfefd);
	assert_int_equal(base_reader_u64(&r), 1);
	len = base_reader_u16(&r);
	assert_int_equal(len, base_reader_left(&r));
	(void)base_reader_take(&r, 12 + 2 + 32 + 1);
	assert_int_equal(base_reader_u8(&r), 6);
	assert_memory_equal(base_reader_take(&r, 6), "cookie", 6);
	assert_memory_equal(two.data + (r.at - two.data), one.data + (r.at - two.data - 6),
	                    base_reader_left(&r));
	base_writer_done(&one);
	base_writer_done(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_suite_alone),
		cmocka_unit_test(signals_and_compression),
		cmocka_unit_test(ssl_has_no_extensions),
		cmocka_unit_test(version_13_is_an_extension),
		cmocka_unit_test(extensions_as_asked),
		cmocka_unit_test(datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
