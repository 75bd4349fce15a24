/* SPDX-License-Identifier: Apache-2.0 */
/** @file Records of sessions: sealed by one side, opened by the other, and by nobody else. */
#include "check.h"

#include "check/check.h"
#include "check/keys.h"

static const uint8_t master[48] = "0123456789abcdef0123456789abcdef0123456789abcde";
static const uint8_t one[32] = "client client client client cli", two[32] = "server server";

static void pair_make(struct check_keys *a, struct check_keys *b, uint16_t version, uint16_t suite)
{
	*a = (struct check_keys){ .version = version, .dtls = version >> 8 == 0xfe };
	assert_true(check_shape_of(suite, &a->shape));
	assert_true(check_keys_make(a, master, one, two));
	a->ours = a->ours_next;
	a->theirs = a->theirs_next;
	*b = *a;
	b->ours = a->theirs;
	b->theirs = a->ours;
}

static struct check_bytes text_of(const struct base_writer *record)
{
	size_t head = record->data[1] == 0xfe ? 13 : 5;

	return (struct check_bytes){ record->data + head, record->len - head };
}

static void there_and_back(void **state)
{
	static const struct {
		uint16_t version, suite;
	} cases[] = {
		{ 0x0301, 0x002f }, { 0x0301, 0x0035 }, { 0x0302, 0x002f }, { 0x0303, 0x003d },
		{ 0x0303, 0xc028 }, { 0x0303, 0x009c }, { 0x0303, 0xc030 }, { 0x0303, 0x008c },
		{ 0xfeff, 0x002f }, { 0xfefd, 0x003d }, { 0xfefd, 0xc02f },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct check_keys a, b;
		struct base_writer record = { 0 }, clear = { 0 };

		pair_make(&a, &b, cases[i].version, cases[i].suite);
		for (size_t len = 0; len < 100; len += 7) {
			base_writer_reset(&record);
			base_writer_reset(&clear);
			assert_true(check_keys_seal(&a, CHECK_RECORD_HANDSHAKE, one, len % 32,
			                            &record));
			assert_int_equal(record.data[0], CHECK_RECORD_HANDSHAKE);
			assert_true(check_keys_open(&b, record.data[0], text_of(&record), &clear));
			assert_int_equal(clear.len, len % 32);
			assert_memory_equal(clear.data ? clear.data : one, one, clear.len);
		}
		/* a bit is turned, another type is claimed, the same comes twice */
		base_writer_reset(&record);
		assert_true(check_keys_seal(&a, CHECK_RECORD_DATA, "text", 4, &record));
		record.data[record.len - 20] ^= 1;
		assert_false(check_keys_open(&b, CHECK_RECORD_DATA, text_of(&record), &clear));
		pair_make(&a, &b, cases[i].version, cases[i].suite);
		base_writer_reset(&record);
		assert_true(check_keys_seal(&a, CHECK_RECORD_DATA, "text", 4, &record));
		assert_false(check_keys_open(&b, CHECK_RECORD_ALERT, text_of(&record), &clear));
		base_writer_done(&record);
		base_writer_done(&clear);
	}
}

static void nothing_too_short(void **state)
{
	static const uint16_t suites[] = { 0x009c, 0x002f };
	static const uint8_t zeros[64];
	struct base_writer clear = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(suites); i++) {
		struct check_keys a, b;

		for (size_t len = 0; len < sizeof(zeros); len++) {
			pair_make(&a, &b, 0x0303, suites[i]);
			assert_false(check_keys_open(&b, CHECK_RECORD_DATA,
			                             (struct check_bytes){ zeros, len }, &clear));
		}
	}
	base_writer_done(&clear);
}

static void shapes(void **state)
{
	struct check_shape s;

	(void)state;
	assert_true(check_shape_of(0xc02c, &s)); /* ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 */
	assert_true(s.gcm && s.key_len == 32 && s.exchange == CHECK_BY_ECDH && !s.psk);
	assert_string_equal(s.hash, "SHA384");
	assert_true(check_shape_of(0xc035, &s)); /* ECDHE_PSK_WITH_AES_128_CBC_SHA */
	assert_true(!s.gcm && s.key_len == 16 && s.mac_len == 20 && s.psk);
	assert_false(check_shape_of(0x0005, &s)); /* RC4 */
	assert_false(check_shape_of(0x1301, &s));
	assert_false(check_shape_of(0x0034, &s)); /* DH_anon */
}

/** P_SHA256 as its test vector has it (posted to the TLS list in 2009, in many libraries since). */
static void prf(void **state)
{
	static const uint8_t secret[] = { 0x9b, 0xbe, 0x43, 0x6b, 0xa9, 0x40, 0xf0, 0x17,
		                          0xb1, 0x76, 0x52, 0x84, 0x9a, 0x71, 0xdb, 0x35 };
	static const uint8_t seed[] = { 0xa0, 0xba, 0x9f, 0x93, 0x6c, 0xda, 0x31, 0x18,
		                        0x27, 0xa6, 0xf7, 0x96, 0xff, 0xd5, 0x19, 0x8c };
	static const uint8_t want[] = { 0xe3, 0xf2, 0x29, 0xba, 0x72, 0x7b, 0xe1, 0x7b,
		                        0x8d, 0x12, 0x26, 0x20, 0x55, 0x7c, 0xd4, 0x53 };
	uint8_t out[16];

	(void)state;
	assert_true(check_prf(0x0303, "SHA256", (struct check_bytes){ secret, 16 }, "test label",
	                      (struct check_bytes){ seed, 16 }, (struct check_bytes){ NULL, 0 },
	                      out, sizeof(out)));
	assert_memory_equal(out, want, sizeof(want));
}

/** RFC 8448, 3: "derive secret for handshake", of an early secret without PSK. */
static void expand_label(void **state)
{
	static const uint8_t early[32] = { 0x33, 0xad, 0x0a, 0x1c, 0x60, 0x7e, 0xc0, 0x3b,
		                           0x09, 0xe6, 0xcd, 0x98, 0x93, 0x68, 0x0c, 0xe2,
		                           0x10, 0xad, 0xf3, 0x00, 0xaa, 0x1f, 0x26, 0x60,
		                           0xe1, 0xb2, 0x2e, 0x10, 0xf1, 0x70, 0xf9, 0x2a };
	static const uint8_t want[32] = { 0x6f, 0x26, 0x15, 0xa1, 0x08, 0xc7, 0x02, 0xc5,
		                          0x67, 0x8f, 0x54, 0xfc, 0x9d, 0xba, 0xb6, 0x97,
		                          0x16, 0xc0, 0x76, 0x18, 0x9c, 0x48, 0x25, 0x0c,
		                          0xeb, 0xea, 0xc3, 0x57, 0x6c, 0x36, 0x11, 0xba };
	static const struct base_writer none;
	uint8_t hash[64], out[32];

	(void)state;
	assert_int_equal(check_transcript_hash(0x0304, "SHA256", &none, hash), 32);
	assert_true(check_expand_label("SHA256", early, "derived", (struct check_bytes){ hash, 32 },
	                               out, sizeof(out)));
	assert_memory_equal(out, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(nothing_too_short),
		cmocka_unit_test(shapes),         cmocka_unit_test(prf),
		cmocka_unit_test(expand_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
