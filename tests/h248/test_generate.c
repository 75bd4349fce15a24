/* SPDX-License-Identifier: Apache-2.0 */
/* The generated corpus: it has everything, it is the same each time, and it survives our codec. */
#include "check.h"
#include "generate.h"

#define CORPUS 6000

static void every_feature_comes(void **state)
{
	struct base_arena arena = { .chunk_size = 65536 };
	struct generator g = { .arena = &arena, .seed = 1 };

	(void)state;
	for (uint32_t n = 0; n < 4 * CORPUS; n++) { /* rare ones have room to be rare */
		g.tables_only = n & 1;
		assert_non_null(generate_message(&g, n / 2));
		base_arena_reset(&arena);
	}
	for (unsigned i = 0; i < GEN_COUNT; i++) {
		if (g.seen[i] < 5)
			fail_msg("%s came %lu times", generate_feature_name(i), g.seen[i]);
	}
	base_arena_done(&arena);
}

static void a_message_depends_on_seed_and_number_only(void **state)
{
	struct base_arena arena = { .chunk_size = 65536 };
	struct generator a = { .arena = &arena, .seed = 7 }, b = a,
	                 c = { .arena = &arena, .seed = 8 };
	unsigned different = 0;

	(void)state;
	for (uint32_t n = 0; n < 100; n++)
		assert_non_null(generate_message(&a, n));
	for (uint32_t n = 0; n < 100; n++) {
		struct h248_message *one = generate_message(&a, n), *same = generate_message(&b, n);

		assert_true(h248_message_equal(one, same));
		different += !h248_message_equal(one, generate_message(&c, n));
	}
	assert_true(different > 90);
	base_arena_done(&arena);
}

/* Encode, decode, compare; and what is written from what was read has the same octets. */
static void our_codec_keeps_all_of_it(void **state)
{
	struct base_arena arena = { .chunk_size = 65536 };
	struct generator g = { .arena = &arena, .seed = 1 };
	struct base_writer w = { 0 }, again = { 0 };

	(void)state;
	for (uint32_t n = 0; n < 2 * CORPUS; n++) {
		enum h248_text_style style = n < CORPUS ? H248_TEXT_COMPACT : H248_TEXT_PRETTY;
		struct h248_message *msg = generate_message(&g, n % CORPUS), *read = NULL;
		struct base_error err = { 0 };
		int rc;

		base_writer_reset(&w);
		base_writer_reset(&again);
		rc = h248_text_encode(&w, msg, style);
		if (rc)
			fail_msg("%u: encode %d: %.*s", n, rc, (int)w.len, (const char *)w.data);
		if (h248_text_decode(&arena, (const char *)w.data, w.len, NULL, &read, &err))
			fail_msg("%u: %u:%u: %s\n%.*s", n, err.line, err.column, err.text,
			         (int)w.len, (const char *)w.data);
		if (!h248_message_equal(msg, read))
			fail_msg("%u: not the same:\n%.*s", n, (int)w.len, (const char *)w.data);
		assert_int_equal(h248_text_encode(&again, read, style), 0);
		if (again.len != w.len || memcmp(again.data, w.data, w.len) != 0)
			fail_msg("%u: other octets:\n%.*s", n, (int)w.len, (const char *)w.data);
		base_arena_reset(&arena);
	}
	base_writer_done(&w);
	base_writer_done(&again);
	base_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_feature_comes),
		cmocka_unit_test(a_message_depends_on_seed_and_number_only),
		cmocka_unit_test(our_codec_keeps_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
