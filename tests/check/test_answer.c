/* SPDX-License-Identifier: Apache-2.0 */
/** @file Answers of servers, out of octets: whole, in pieces, broken. */
#include "check.h"

#include "check/check.h"

#define RANDOM "0123456789abcdef0123456789abcdef"
/* ServerHello of TLS 1.2 with a suite, compression method 1, renegotiation_info */
#define HELLO_BODY "\x03\x03" RANDOM "\x00\xc0\x2f\x01\x00\x05\xff\x01\x00\x01\x00"
#define HELLO      "\x02\x00\x00\x2d" HELLO_BODY
#define DONE       "\x0e\x00\x00\x00"

static struct check_answer read_all(const void *data, size_t len, bool ended)
{
	struct check_answer a = { .ended = ended };

	assert_int_equal(check_answer_read(&a, data, len), 0);
	return a;
}

static void a_flight(void **state)
{
	static const char wire[] = "\x16\x03\x03\x00\x35" HELLO DONE;
	struct check_answer a = read_all(wire, sizeof(wire) - 1, false);

	(void)state;
	assert_int_equal(a.outcome, CHECK_ANSWERED);
	assert_true(a.whole && a.done && !a.retry);
	assert_int_equal(check_answer_version(&a), PROFILE_TLS_1_2);
	assert_int_equal(a.suite, 0xc02f);
	assert_int_equal(a.compression, 1);
	assert_non_null(check_answer_extension(&a, 0xff01));
	assert_null(check_answer_extension(&a, 23));
	assert_int_equal(a.consumed, sizeof(wire) - 1);
	check_answer_done(&a);
}

/** A message over several records, a record in several pieces: at the end it is the same. */
static void in_pieces(void **state)
{
	struct base_writer wire = { 0 };
	struct check_answer a = { .ended = false };

	(void)state;
	check_record_put(&wire, CHECK_RECORD_HANDSHAKE, 0x0303, HELLO, 10);
	check_record_put(&wire, CHECK_RECORD_HANDSHAKE, 0x0303, &HELLO DONE[10],
	                 sizeof(HELLO DONE) - 11);
	for (size_t len = 0; len < wire.len; len++) {
		assert_int_equal(check_answer_read(&a, wire.data, len), 0);
		assert_false(a.whole);
		assert_int_not_equal(a.outcome, CHECK_GARBLED);
	}
	assert_int_equal(check_answer_read(&a, wire.data, wire.len), 0);
	assert_true(a.whole && a.done);
	assert_int_equal(a.suite, 0xc02f);
	check_answer_done(&a);
	base_writer_done(&wire);
}

static void ends(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		bool ended;
		enum check_outcome outcome;
		int alert;
		bool whole;
	} cases[] = {
		{ "\x15\x03\x03\x00\x02\x02\x28", 7, false, CHECK_REFUSED, 40, true },
		{ "\x15\x03\x03\x00\x02\x01\x70", 7, false, CHECK_NOTHING, 112, false },
		{ "\x15\x03\x03\x00\x02\x01\x00", 7, false, CHECK_REFUSED, 0, true },
		{ "", 0, true, CHECK_REFUSED, -1, true },
		{ "", 0, false, CHECK_NOTHING, -1, false },
		{ "HTTP/1.1 400 Bad Request", 24, false, CHECK_GARBLED, -1, true },
		{ "\x80\x20\x04\x00\x01\x00\x02\x00", 8, false, CHECK_ANSWERED, -1, true },
		/* a hello that is cut short inside */
		{ "\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03", 11, false, CHECK_GARBLED, -1,
		  true },
		/* what is protected is not looked into */
		{ "\x17\x03\x03\x00\x02xx", 7, false, CHECK_NOTHING, -1, false },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct check_answer a = read_all(cases[i].data, cases[i].len, cases[i].ended);

		if (a.outcome != cases[i].outcome || a.alert != cases[i].alert ||
		    a.whole != cases[i].whole)
			fail_msg("case %zu: outcome %d, alert %d, %s", i, (int)a.outcome, a.alert,
			         a.whole ? "whole" : "not whole");
		check_answer_done(&a);
	}
}

static void version_13(void **state)
{
	static const char wire[] =
	        "\x16\x03\x03\x00\x34\x02\x00\x00\x30\x03\x03"
	        "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
	        "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"
	        "\x00\x13\x01\x00\x00\x08\x00\x2b\x00\x02\x03\x04\x00\x2c";
	/* the last extension is cut short: the length of the list is mended here */
	char whole[sizeof(wire) + 2];
	struct check_answer a;

	(void)state;
	memcpy(whole, wire, sizeof(wire) - 1);
	memcpy(whole + sizeof(wire) - 1, "\x00\x00", 2);
	whole[4] += 2;
	whole[8] += 2;
	whole[sizeof(wire) - 1 - 9] += 2;
	a = read_all(whole, sizeof(wire) + 1, false);
	assert_int_equal(a.outcome, CHECK_ANSWERED);
	assert_true(a.retry && a.whole);
	assert_int_equal(check_answer_version(&a), PROFILE_TLS_1_3);
	check_answer_done(&a);
	a = read_all(wire, sizeof(wire) - 1, false);
	assert_int_equal(a.outcome, CHECK_GARBLED);
	check_answer_done(&a);
}

static void key_exchanges(void **state)
{
	static const struct {
		uint16_t suite;
		const char *body;
		size_t len;
		bool good;
		uint16_t group, signature;
		unsigned dh_bits;
	} cases[] = {
		{ 0xc02f, "\x03\x00\x17\x01x\x04\x01\x00\x00", 9, true, 23, 0x0401, 0 },
		{ 0xc02f, "\x03\x00\x17\x09x", 5, false, 23, 0, 0 },
		{ 0xc02f, "\x01\x00\x17\x01x", 5, false, 0, 0, 0 },
		{ 0x009e, "\x00\x02\x0f\xff\x00\x01\x02\x00\x01y\x08\x04\x00\x00", 14, true, 0,
		  0x0804, 12 },
		{ 0x008c, "\x00\x04hint", 6, true, 0, 0, 0 },
		{ 0xc035, "\x00\x00\x03\x00\x18\x01x", 7, true, 24, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		const struct check_answer a = { .version = 0x0303,
			                        .suite = cases[i].suite,
			                        .key_exchange = { (const uint8_t *)cases[i].body,
			                                          cases[i].len } };
		struct check_key_exchange ske;

		if (check_key_exchange_read(&a, &ske) != cases[i].good ||
		    ske.group != cases[i].group || ske.dh_bits != cases[i].dh_bits ||
		    (cases[i].good && ske.signature != cases[i].signature))
			fail_msg("case %zu: group %u, %u bits, signature %04x", i, ske.group,
			         ske.dh_bits, ske.signature);
	}
}

static void datagram_put(struct base_writer *w, uint8_t type, uint16_t number, const char *body,
                         size_t total, size_t from, size_t len)
{
	base_writer_put(w, "\x16\xfe\xfd\0\0\0\0\0\0\0\0", 11);
	base_writer_u16(w, (uint16_t)(12 + len));
	base_writer_u32(w, (uint32_t)type << 24 | (uint32_t)total);
	base_writer_u16(w, number);
	base_writer_u8(w, 0);
	base_writer_u16(w, (uint16_t)from);
	base_writer_u8(w, 0);
	base_writer_u16(w, (uint16_t)len);
	base_writer_put(w, body + from, len);
}

/** Fragments out of order, twice, overlapping (RFC 6347, 4.2.3). */
static void datagrams(void **state)
{
	struct base_writer w = { 0 };
	struct check_answer a = { .is_dtls = true };
	char body[] = HELLO_BODY;

	(void)state;
	body[0] = (char)0xfe;
	body[1] = (char)0xfd;
	datagram_put(&w, CHECK_HELLO_DONE, 2, "", 0, 0, 0);
	datagram_put(&w, CHECK_SERVER_HELLO, 1, body, 45, 20, 25);
	assert_int_equal(check_answer_read(&a, w.data, w.len), 0);
	assert_false(a.hello || a.whole);
	datagram_put(&w, CHECK_SERVER_HELLO, 1, body, 45, 0, 30);
	datagram_put(&w, CHECK_SERVER_HELLO, 1, body, 45, 0, 30);
	assert_int_equal(check_answer_read(&a, w.data, w.len), 0);
	assert_true(a.hello && a.done && a.whole);
	assert_int_equal(check_answer_version(&a), PROFILE_DTLS_1_2);
	base_writer_reset(&w);
	datagram_put(&w, CHECK_HELLO_VERIFY, 0,
	             "\xfe\xff\x03"
	             "abc",
	             6, 0, 6);
	assert_int_equal(check_answer_read(&a, w.data, w.len), 0);
	assert_true(a.whole && !a.hello);
	assert_int_equal(a.cookie.len, 3);
	check_answer_done(&a);
	base_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flight),      cmocka_unit_test(in_pieces),
		cmocka_unit_test(ends),          cmocka_unit_test(version_13),
		cmocka_unit_test(key_exchanges), cmocka_unit_test(datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
