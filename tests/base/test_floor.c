/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "check.h"

static void error_places(void **state)
{
	struct base_error err = { 0 };
	char buf[128];

	(void)state;
	assert_int_equal(base_error_set(&err, BASE_ERR(BASE_PEER, 403), "bad %s", "token"),
	                 BASE_ERR(BASE_PEER, 403));
	assert_int_equal(base_err_class(err.rc), BASE_PEER);
	assert_int_equal(base_err_detail(err.rc), 403);
	assert_string_equal(base_error_format(&err, buf, sizeof(buf)), "bad token");
	base_error_place(&err, "a.yaml", 3, 14);
	assert_string_equal(base_error_format(&err, buf, sizeof(buf)), "a.yaml:3:14: bad token");
}

static void numbers_are_checked(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(base_str_u64(BASE_STR("65535"), 65535, &v), 0);
	assert_int_equal(v, 65535);
	assert_int_not_equal(base_str_u64(BASE_STR("65536"), 65535, &v), 0);
	assert_int_not_equal(base_str_u64(BASE_STR(""), 9, &v), 0);
	assert_int_not_equal(base_str_u64(BASE_STR("1x"), 99, &v), 0);
	assert_int_not_equal(base_str_u64(BASE_STR("18446744073709551616"), UINT64_MAX, &v), 0);
	assert_int_equal(base_str_u64(BASE_STR("18446744073709551615"), UINT64_MAX, &v), 0);
	assert_int_not_equal(base_str_u64(BASE_STR("7"), 5, &v), 0);
	assert_int_equal(base_str_u64(BASE_STR("5"), 5, &v), 0);
}

static void hex_both_ways(void **state)
{
	uint8_t out[4];
	char text[16];
	size_t len;

	(void)state;
	assert_int_equal(base_hex_decode(BASE_STR("00fFa5"), out, sizeof(out), &len), 0);
	assert_int_equal(len, 3);
	base_hex_encode(out, len, ':', true, text);
	assert_string_equal(text, "00:FF:A5");
	assert_int_not_equal(base_hex_decode(BASE_STR("0"), out, sizeof(out), &len), 0);
	assert_int_not_equal(base_hex_decode(BASE_STR("0g"), out, sizeof(out), &len), 0);
	assert_int_not_equal(base_hex_decode(BASE_STR("0011223344"), out, sizeof(out), &len), 0);
}

static void reader_fails_once_and_for_all(void **state)
{
	const uint8_t data[] = { 1, 2, 3, 4, 5 };
	struct base_reader r = base_reader_of(data, sizeof(data)), sub;

	(void)state;
	assert_int_equal(base_reader_u16(&r), 0x0102);
	sub = base_reader_sub(&r, 2);
	assert_int_equal(base_reader_u8(&sub), 3);
	assert_false(base_reader_done(&sub));
	assert_int_equal(base_reader_u8(&sub), 4);
	assert_true(base_reader_done(&sub));
	assert_int_equal(base_reader_u32(&r), 0);
	assert_true(r.failed);
	assert_int_equal(base_reader_u8(&r), 0);
	assert_false(base_reader_done(&r));
}

static void reader_of_nothing(void **state)
{
	struct base_reader r = base_reader_of(NULL, 0);

	(void)state;
	assert_null(base_reader_take(&r, 0));
	assert_false(r.failed);
	assert_null(base_reader_take(&r, 1));
	assert_true(r.failed);
}

static void writer_keeps_its_limit(void **state)
{
	struct base_writer w = { .limit = 600 };
	char room[4];

	(void)state;
	for (int i = 0; i < 100; i++)
		base_writer_printf(&w, "%05d", i);
	assert_false(w.failed);
	assert_int_equal(w.len, 500);
	assert_memory_equal(w.data + 495, "00099", 5);
	base_writer_put(&w, w.data, 200);
	base_writer_put(&w, w.data, 200);
	assert_true(w.failed);
	base_writer_done(&w);
	w = base_writer_over(room, sizeof(room));
	base_writer_u32(&w, 0x01020304);
	assert_false(w.failed);
	base_writer_u8(&w, 5);
	assert_true(w.failed);
	assert_int_equal(room[3], 4);
}

static void arena_and_writer_wipe(void **state)
{
	struct base_arena arena = { .wipe = true };
	char room[64], *first = base_arena_dup(&arena, BASE_STR("0123456789abcdef"));
	struct base_writer w = base_writer_over(room, sizeof(room));

	(void)state;
	assert_non_null(base_arena_alloc(&arena, 100000)); /* another chunk */
	base_arena_reset(&arena);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(first[i], 0);
	/* The chunk that is kept, now the newest one. */
	assert_ptr_equal(base_arena_dup(&arena, BASE_STR("0123456789abcdef")), first);
	base_arena_reset(&arena);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(first[i], 0);
	base_arena_done(&arena);
	w.wipe = true;
	base_writer_text(&w, "0123456789abcdef");
	base_writer_done(&w);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(room[i], 0);
	/* It grows without losing anything. */
	for (unsigned i = 0; i < 2000; i++)
		base_writer_u8(&w, (uint8_t)i);
	assert_true(w.wipe && !w.failed && w.len == 2000);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(w.data[i], i & 255);
	base_writer_done(&w);
}

static void arena_reuses_its_chunk(void **state)
{
	struct base_arena arena = { .limit = 100000 };
	void *first = base_arena_alloc(&arena, 10);

	(void)state;
	assert_non_null(base_arena_alloc(&arena, 50000));
	assert_null(base_arena_alloc(&arena, 60000));
	base_arena_reset(&arena);
	assert_ptr_equal(base_arena_alloc(&arena, 10), first);
	assert_string_equal(base_arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
	assert_null(base_arena_array(&arena, SIZE_MAX, 2));
	base_arena_done(&arena);
}

struct item {
	char name[8];
	struct base_map_node node;
};

static void map_finds_what_it_holds(void **state)
{
	static struct item items[1000];
	struct base_map map = { 0 };
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(items[i].name, sizeof(items[i].name), "k%d", i);
		assert_int_equal(base_map_insert(&map, base_str_of(items[i].name), &items[i].node),
		                 0);
	}
	for (int i = 0; i < 1000; i += 2)
		base_map_remove(&map, &items[i].node);
	assert_null(base_map_find(&map, BASE_STR("k10")));
	assert_ptr_equal(base_map_find(&map, BASE_STR("k11")), &items[11].node);
	for (struct base_map_node *n = base_map_next(&map, NULL); n; n = base_map_next(&map, n))
		seen++;
	assert_int_equal(seen, 500);
	base_map_done(&map);
}

static void hash_depends_on_every_octet(void **state)
{

	const uint64_t seed[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t in[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof(in); i++)
		in[i] = i;
	assert_int_equal(base_hash(seed, in, sizeof(in)), base_hash(seed, in, sizeof(in)));
	assert_int_not_equal(base_hash(seed, in, sizeof(in)), base_hash(seed, in, 14));
}

static void list_gives_its_first(void **state)
{
	struct base_node head, one, two, three;

	(void)state;
	base_list_init(&head);
	assert_null(base_list_shift(&head));
	base_list_append(&head, &one);
	base_list_append(&head, &two);
	base_list_append(&head, &three);
	base_list_remove(&two);
	base_list_remove(&two); /* a list of its own by now */
	assert_ptr_equal(base_list_shift(&head), &one);
	base_list_remove(&one); /* unlinked already: the list is not touched */
	assert_ptr_equal(head.next, &three);
	assert_ptr_equal(head.prev, &three);
	assert_ptr_equal(base_list_shift(&head), &three);
	assert_true(base_list_empty(&head));
	assert_null(base_list_shift(&head));
}

static void secrets_compare(void **state)
{
	struct base_secret s = { 0 };

	(void)state;
	assert_int_equal(base_secret_set(&s, "abc", 3), 0);
	assert_true(base_secret_equal(s.data, s.len, "abc", 3));
	assert_false(base_secret_equal(s.data, s.len, "abd", 3));
	assert_false(base_secret_equal(s.data, s.len, "ab", 2));
	base_secret_done(&s);
	assert_null(s.data);
}

static void catch_line(void *arg, enum base_level level, const char *line)
{
	(void)level;
	(void)snprintf(arg, 256, "%s", line);
}

static void log_lines_cannot_be_forged(void **state)
{
	char line[256] = "";

	(void)state;
	base_log_sink_set(catch_line, line);
	base_log(BASE_LOG_DEBUG, "base", "not shown");
	assert_string_equal(line, "");
	base_log(BASE_LOG_WARN, "base", "peer said %s", "a\nb");
	base_log_sink_set(NULL, NULL);
	assert_non_null(strstr(line, "Z warn  base: peer said a\\x0ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_places),
		cmocka_unit_test(numbers_are_checked),
		cmocka_unit_test(hex_both_ways),
		cmocka_unit_test(reader_fails_once_and_for_all),
		cmocka_unit_test(reader_of_nothing),
		cmocka_unit_test(writer_keeps_its_limit),
		cmocka_unit_test(arena_and_writer_wipe),
		cmocka_unit_test(arena_reuses_its_chunk),
		cmocka_unit_test(map_finds_what_it_holds),
		cmocka_unit_test(hash_depends_on_every_octet),
		cmocka_unit_test(list_gives_its_first),
		cmocka_unit_test(secrets_compare),
		cmocka_unit_test(log_lines_cannot_be_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
