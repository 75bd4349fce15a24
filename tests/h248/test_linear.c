/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decoding takes is linear in the size of the input, for text and binary, right or wrong.
 * Memory is counted here; time, which a test must not look at, in bench/linear.c on the same
 * messages.
 */
#include "check.h"
#include "shapes.h"

#define MARGIN 1.25

static size_t decode(const struct base_writer *w, bool contain)
{
	struct h248_text_options options = { .contain = contain, .max_transactions = 100000 };
	struct base_arena arena = { .chunk_size = 1 << 22 };
	struct h248_message *msg = NULL;
	size_t used;

	(void)h248_codec_decode(&arena, w->data, w->len, &options, &msg, NULL,
	                        NULL); /* both are fine */
	used = arena.used;
	base_arena_done(&arena);
	return used;
}

static void memory_is_linear(void **state)
{
	struct base_writer small = { 0 }, large = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(shapes); i++) {
		for (int contain = 0; contain < 2; contain++) {
			size_t a, b;

			shape_build(&shapes[i], 4000, &small);
			shape_build(&shapes[i], 16000, &large);
			a = decode(&small, contain);
			b = decode(&large, contain);
			if ((double)b > (double)a * large.len / small.len * MARGIN + 4096)
				fail_msg("%s: %zu octets take %zu, %zu take %zu", shapes[i].name,
				         small.len, a, large.len, b);
		}
	}
	base_writer_done(&small);
	base_writer_done(&large);
}

/* Limits come first: what is over them is refused, and costs no more than was read by then. */
static void limits_bound_the_memory(void **state)
{
	struct base_arena arena = { .chunk_size = 1 << 16, .limit = 1 << 16 };
	struct base_writer w = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(shapes); i++) {
		struct h248_message *msg = NULL;
		int rc;

		shape_build(&shapes[i], 100000, &w);
		rc = h248_codec_decode(&arena, w.data, w.len, NULL, &msg, NULL, NULL);
		assert_true(arena.used <= arena.limit);
		if (rc)
			assert_true(base_err_class(rc) == BASE_PEER ||
			            base_err_class(rc) == BASE_LOCAL);
		base_arena_reset(&arena);
	}
	base_writer_done(&w);
	base_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_linear),
		cmocka_unit_test(limits_bound_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
