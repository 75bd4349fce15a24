/* SPDX-License-Identifier: Apache-2.0 */
/* TerminationIDs: text in octets and octets in text, each there and back (docs/h248-ber.md). */
#include "check.h"
#include "h248/ber.h"
#include "h248/ber_names.h"

static void packs(const char *name, const char *hex)
{
	uint8_t id[BER_TERM_ID], want[BER_TERM_ID];
	char text[BER_TERM_TEXT];
	size_t len = 0, want_len = 0;

	assert_true(ber_term_pack(base_str_of(name), id, &len));
	if (hex) {
		assert_int_equal(base_hex_decode(base_str_of(hex), want, sizeof(want), &want_len),
		                 0);
		assert_int_equal(len, want_len);
		assert_memory_equal(id, want, len);
	}
	assert_true(ber_term_unpack(id, len, text, &len));
	assert_true(base_str_ieq((struct base_str){ text, len }, base_str_of(name)));
}

static void names_go_there_and_back(void **state)
{
	static const char *const reversible[] = {
		"a",           "A1",          "tdm/2/14",    "line/*",
		"ip/rtp/77",   "mg7/slot2",   "ip/rtp/*",    "ip/$/rtp/1",
		"abcdefghijk", "99999999999", "ip/1/1",      "ip/1/999999",
		"ip/1/1000",   "ip/1/123456", "zzzzz429496", "a_b-c.d*e$/",
	};

	(void)state;
	packs("ROOT2", "524f4f5432");
	packs("ip/1/4294967295", NULL);
	packs("abcdefgh1", NULL);
	packs("abcde1234567", NULL);
	for (size_t i = 0; i < BASE_COUNT(reversible); i++)
		packs(reversible[i], NULL);
}

static void long_names_have_a_hash(void **state)
{
	uint8_t one[BER_TERM_ID], two[BER_TERM_ID];
	char text[BER_TERM_TEXT];
	size_t len = 0;

	(void)state;
	assert_false(ber_term_pack(BASE_STR("Media1/A/ROOT2"), one, &len));
	assert_int_equal(len, BER_TERM_ID);
	assert_int_equal(one[0] >> 4, 9);
	assert_false(ber_term_pack(BASE_STR("media1/a/root2"), two, &len)); /* case is nothing */
	assert_memory_equal(one, two, sizeof(one));
	assert_false(ber_term_pack(BASE_STR("Media1/A/ROOT3"), two, &len));
	assert_memory_not_equal(one, two, sizeof(one));
	assert_false(ber_term_unpack(one, BER_TERM_ID, text, &len));
	assert_false(ber_term_pack(BASE_STR("ip/1/4294967296"), two, &len));
	assert_false(ber_term_pack(BASE_STR("ip/1/0123456"), two, &len));
}

/* A message with this TerminationID, given as the octets of its SEQUENCE's content. */
static void spelled(const char *content_hex, const char *name, enum h248_term_kind kind)
{
	uint8_t content[64], octets[128];
	struct base_arena arena = { 0 };
	struct base_writer w = base_writer_over(octets, sizeof(octets)), again = { 0 };
	struct base_writer text = { 0 };
	struct h248_message *msg = NULL;
	size_t len = 0;

	assert_int_equal(base_hex_decode(base_str_of(content_hex), content, sizeof(content), &len),
	                 0);
	/* P=9, C=1, addReply of that termination */
	base_writer_put(&w, (uint8_t[]){ 0x30, (uint8_t)(len + 38), 0xA1, (uint8_t)(len + 36) }, 4);
	base_writer_put(&w, (uint8_t[]){ 0x80, 1, 1, 0xA1, 5, 0x83, 3, 'm', 'g', '1' }, 10);
	base_writer_put(&w, (uint8_t[]){ 0xA2, (uint8_t)(len + 24), 0xA1, (uint8_t)(len + 22) }, 4);
	base_writer_put(&w, (uint8_t[]){ 0xA2, (uint8_t)(len + 20), 0x80, 1, 9 }, 5);
	base_writer_put(&w, (uint8_t[]){ 0xA2, (uint8_t)(len + 15), 0xA1, (uint8_t)(len + 13) }, 4);
	base_writer_put(&w, (uint8_t[]){ 0x30, (uint8_t)(len + 11), 0x80, 1, 1 }, 5);
	base_writer_put(&w, (uint8_t[]){ 0xA3, (uint8_t)(len + 6), 0xA0, (uint8_t)(len + 4) }, 4);
	base_writer_put(&w, (uint8_t[]){ 0xA0, (uint8_t)(len + 2), 0x30, (uint8_t)len }, 4);
	base_writer_put(&w, content, len);
	octets[1] = (uint8_t)(w.len - 2);
	assert_int_equal(h248_ber_decode(&arena, octets, w.len, NULL, &msg, NULL), 0);
	if (!base_str_eq(msg->transactions->actions->commands->term.name, base_str_of(name)))
		fail_msg("%s: %.*s", name,
		         BASE_FMT(msg->transactions->actions->commands->term.name));
	assert_int_equal(msg->transactions->actions->commands->term.kind, kind);
	/* through text and back to the same octets */
	assert_int_equal(h248_text_encode(&text, msg, H248_TEXT_COMPACT), 0);
	assert_int_equal(h248_text_decode(&arena, (char *)text.data, text.len, NULL, &msg, NULL),
	                 0);
	assert_int_equal(h248_ber_encode(&again, msg), 0);
	assert_int_equal(again.len, w.len);
	assert_memory_equal(again.data, octets, w.len);
	base_writer_done(&again);
	base_writer_done(&text);
	base_arena_done(&arena);
}

static void octets_of_others_survive(void **state)
{
	(void)state;
	spelled("a0008108ffffffffffffffff", "ROOT", H248_TERM_ROOT);
	spelled("a0030401d78103000000", "*", H248_TERM_ALL);
	spelled("a0030401578103000000", "$", H248_TERM_CHOOSE);
	spelled("a0008103616263", "abc", H248_TERM_NAME);
	spelled("a0030401c78106"
	        "6c696e652f2a",
	        "line/*", H248_TERM_PARTIAL);
	/* the three examples of A.1 */
	spelled("a0030401878103011e00", "bin/*07/011e00", H248_TERM_PARTIAL);
	spelled("a00604011704010781030"
	        "01e00",
	        "bin/$17$07/001e00", H248_TERM_PARTIAL);
	spelled("a00304014f8103010000", "bin/$4f/010000", H248_TERM_PARTIAL);
	/* no text; looks like `*`, `$`, ROOT; nearly ROOT */
	spelled("a0008103000102", "bin/000102", H248_TERM_NAME);
	spelled("a00081012a", "bin/2a", H248_TERM_NAME);
	spelled("a0008104726f6f74", "bin/726f6f74", H248_TERM_NAME);
	spelled("a0008107ffffffffffffff", "bin/ffffffffffffff", H248_TERM_NAME);
	spelled("a00081089000000000000001", "bin/9000000000000001", H248_TERM_NAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_there_and_back),
		cmocka_unit_test(long_names_have_a_hash),
		cmocka_unit_test(octets_of_others_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
