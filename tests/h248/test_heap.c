/* SPDX-License-Identifier: Apache-2.0 */
/* A message costs no heap beyond its arena: every call of malloc and its kin is counted. */
#include "check.h"
#include "generate.h"

#define CORPUS 6000

/* ---- counting, by the linker's --wrap ---- */

static unsigned long asked;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	asked++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	asked++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	asked++;
	return __real_realloc(p, size);
}

/* ---- all forms of all messages ---- */

static const enum h248_codec forms[] = { H248_CODEC_COMPACT, H248_CODEC_PRETTY, H248_CODEC_BER };

/* The octets of message `number` in that form. */
static void write_message(struct generator *g, uint32_t number, enum h248_codec form,
                          struct base_writer *w)
{
	struct h248_message *msg;

	g->tables_only = form == H248_CODEC_BER;
	msg = generate_message(g, number);
	assert_non_null(msg);
	base_writer_reset(w);
	assert_int_equal(h248_codec_encode(w, msg, form), 0);
}

/* Where arena and writer have had room before, nothing is asked for at all. */
static void warm_ones_ask_for_nothing(void **state)
{
	struct base_arena made = { .chunk_size = 65536 }, arena = { .chunk_size = 1 << 20 };
	struct generator g = { .arena = &made, .seed = 1 };
	struct base_writer w = { 0 }, again = { 0 };

	(void)state;
	assert_true(base_writer_reserve(&w, 1 << 20));
	assert_true(base_writer_reserve(&again, 1 << 20));
	assert_non_null(base_arena_alloc(&arena, 1));
	for (uint32_t n = 0; n < CORPUS; n++) {
		struct h248_message *msg = NULL;
		enum h248_codec form = forms[n % BASE_COUNT(forms)];
		unsigned long before;

		write_message(&g, n / BASE_COUNT(forms), form, &w);
		base_arena_reset(&arena);
		base_writer_reset(&again);
		before = asked;
		assert_int_equal(h248_codec_decode(&arena, w.data, w.len, NULL, &msg, NULL, NULL),
		                 0);
		if (asked != before)
			fail_msg("message %u, %s: decoding asked %lu times", n,
			         h248_codec_name(form), asked - before);
		assert_int_equal(h248_codec_encode(&again, msg, form), 0);
		if (asked != before)
			fail_msg("message %u, %s: encoding asked %lu times", n,
			         h248_codec_name(form), asked - before);
		base_arena_reset(&made);
	}
	base_writer_done(&w);
	base_writer_done(&again);
	base_arena_done(&arena);
	base_arena_done(&made);
}

/* A cold one asks for the chunks of the arena, here one. */
static void a_cold_arena_is_asked_for_once(void **state)
{
	struct base_arena made = { .chunk_size = 65536 };
	struct generator g = { .arena = &made, .seed = 2 };
	struct base_writer w = { 0 };

	(void)state;
	for (uint32_t n = 0; n < CORPUS / 10; n++) {
		struct base_arena arena = { .chunk_size = 1 << 20 };
		struct h248_message *msg = NULL;
		unsigned long before;

		write_message(&g, n, forms[n % BASE_COUNT(forms)], &w);
		before = asked;
		assert_int_equal(h248_codec_decode(&arena, w.data, w.len, NULL, &msg, NULL, NULL),
		                 0);
		assert_int_equal(asked - before, 1);
		base_arena_done(&arena);
		base_arena_reset(&made);
	}
	base_writer_done(&w);
	base_arena_done(&made);
}

/* Nor does a refusal: a flood of nonsense is no way to the heap. */
static void what_is_refused_asks_for_nothing(void **state)
{
	struct base_arena made = { .chunk_size = 65536 }, arena = { .chunk_size = 1 << 20 };
	struct generator g = { .arena = &made, .seed = 3 };
	struct base_writer w = { 0 };
	unsigned refused = 0;

	(void)state;
	assert_non_null(base_arena_alloc(&arena, 1));
	for (uint32_t n = 0; n < CORPUS / 10; n++) {
		struct h248_text_options options = { .contain = n % 2 };
		struct h248_message *msg = NULL;
		struct base_error err;
		unsigned long before;

		write_message(&g, n, forms[n % BASE_COUNT(forms)], &w);
		base_arena_reset(&arena);
		before = asked;
		refused += h248_codec_decode(&arena, w.data, w.len * 2 / 3, &options, &msg, NULL,
		                             &err) != 0;
		assert_int_equal(asked, before);
		base_arena_reset(&made);
	}
	assert_true(refused > CORPUS / 40);
	base_writer_done(&w);
	base_arena_done(&arena);
	base_arena_done(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warm_ones_ask_for_nothing),
		cmocka_unit_test(a_cold_arena_is_asked_for_once),
		cmocka_unit_test(what_is_refused_asks_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
