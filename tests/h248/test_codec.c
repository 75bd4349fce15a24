/* SPDX-License-Identifier: Apache-2.0 */
/* One door over text and binary. */
#include "check.h"
#include "h248/codec.h"

static enum h248_codec detect(const char *text)
{
	return h248_codec_detect(text, strlen(text));
}

static void forms_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(detect("!/1 [192.0.2.1] PN=1{}"), H248_CODEC_COMPACT);
	assert_int_equal(detect("MEGACO/1 [192.0.2.1] Pending=1{}"), H248_CODEC_PRETTY);
	assert_int_equal(detect("; MEGACO ] }\r\n \tmegaco/1"), H248_CODEC_PRETTY);
	assert_int_equal(detect("Authentication = 0x"), H248_CODEC_PRETTY);
	assert_int_equal(detect("au=0x"), H248_CODEC_COMPACT);
	assert_int_equal(detect("\x30\x05"), H248_CODEC_BER);
	assert_int_equal(detect(""), H248_CODEC_COMPACT);
	assert_int_equal(detect(";"), H248_CODEC_COMPACT);
	assert_int_equal(h248_codec_detect(NULL, 0), H248_CODEC_COMPACT);
}

static void names_go_both_ways(void **state)
{
	enum h248_codec codec = H248_CODEC_COMPACT;

	(void)state;
	for (int i = H248_CODEC_COMPACT; i <= H248_CODEC_BER; i++) {
		assert_int_equal(h248_codec_by_name(
		                         base_str_of(h248_codec_name((enum h248_codec)i)), &codec),
		                 0);
		assert_int_equal(codec, i);
	}
	assert_int_equal(base_err_class(h248_codec_by_name(BASE_STR("xml"), &codec)), BASE_CONFIG);
}

static void text_goes_through(void **state)
{
	static const char text[] = "MEGACO/1 [192.0.2.1]\nPending = 7 { }\n";
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct h248_message *msg = NULL;
	enum h248_codec codec = H248_CODEC_BER;

	(void)state;
	assert_int_equal(
	        h248_codec_decode(&arena, text, sizeof(text) - 1, NULL, &msg, &codec, NULL), 0);
	assert_int_equal(codec, H248_CODEC_PRETTY);
	assert_int_equal(h248_codec_encode(&w, msg, codec), 0);
	assert_int_equal(w.len, sizeof(text) - 1);
	assert_memory_equal(w.data, text, w.len);
	base_writer_reset(&w);
	assert_int_equal(
	        h248_codec_encode_transaction(&w, msg->transactions, 1, H248_CODEC_COMPACT), 0);
	assert_string_equal(base_writer_cstr(&w), "PN=7{}");
	base_writer_done(&w);
	base_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_are_told_apart),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(text_goes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
