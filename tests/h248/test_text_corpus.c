/* SPDX-License-Identifier: Apache-2.0 */
/* Messages written by others, and what becomes of them when they are cut and bent. */
#include "check.h"
#include "h248/h248.h"
#include "shared.h"

/* Decode, encode in both styles, decode again: the same message. */
static void same_again(const char *name, struct base_arena *arena, const struct h248_message *msg)
{
	for (int style = H248_TEXT_COMPACT; style <= H248_TEXT_PRETTY; style++) {
		struct base_writer w = { 0 };
		struct h248_message *again = NULL;
		struct base_error err = { 0 };
		char *copy;

		assert_int_equal(h248_text_encode(&w, msg, style), 0);
		copy = malloc(w.len); /* of its exact size, so that reading past it shows */
		memcpy(copy, w.data, w.len);
		if (h248_text_decode(arena, copy, w.len, NULL, &again, &err))
			fail_msg("%s: %u:%u: %s", name, err.line, err.column, err.text);
		if (!h248_message_equal(msg, again))
			fail_msg("%s: not the same after encoding:\n%.*s", name, (int)w.len,
			         (const char *)w.data);
		free(copy);
		base_writer_done(&w);
	}
}

static void examples_mean_the_same_in_both_styles(void **state)
{
	struct shared_file *files = NULL;
	size_t count = shared_folder("spec/h248-examples", &files);

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i + 1 < count; i += 2) {
		struct base_arena arena = { 0 };
		struct h248_message *compact = NULL, *pretty = NULL;
		struct base_writer w = { 0 };

		assert_int_equal(
		        h248_text_decode(&arena, files[i].text, files[i].len, NULL, &compact, NULL),
		        0);
		assert_int_equal(h248_text_decode(&arena, files[i + 1].text, files[i + 1].len, NULL,
		                                  &pretty, NULL),
		                 0);
		if (!h248_message_equal(compact, pretty))
			fail_msg("%s and %s differ", files[i].name, files[i + 1].name);
		same_again(files[i].name, &arena, compact);
		same_again(files[i + 1].name, &arena, pretty);
		base_writer_done(&w);
		base_arena_done(&arena);
	}
	shared_free(files, count);
}

/* Where the examples keep our order of parameters and have no comments, every octet is theirs. */
static void examples_are_written_as_they_are(void **state)
{
	static const char *const names[] = { "01-", "02-", "04-", "05-", "06-",
		                             "07-", "08-", "10-", "11-" };
	struct shared_file *files = NULL;
	size_t count = shared_folder("spec/h248-examples", &files), same = 0;

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i < count; i++) {
		bool pretty = strstr(files[i].name, "pretty") != NULL;
		struct base_arena arena = { 0 };
		struct base_writer w = { 0 };
		struct h248_message *msg = NULL;

		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
			if (strncmp(files[i].name, names[n], 3) != 0)
				continue;
			assert_int_equal(h248_text_decode(&arena, files[i].text, files[i].len, NULL,
			                                  &msg, NULL),
			                 0);
			assert_int_equal(
			        h248_text_encode(&w, msg,
			                         pretty ? H248_TEXT_PRETTY : H248_TEXT_COMPACT),
			        0);
			if (w.len == files[i].len && memcmp(w.data, files[i].text, w.len) == 0)
				same++;
		}
		base_writer_done(&w);
		base_arena_done(&arena);
	}
	/* not: 02 and 10 pretty, 04 (upper-case IPv6) and 06 (lower case) compact */
	assert_int_equal(same, 14);
	shared_free(files, count);
}

static void live_traffic_is_read_and_written_back(void **state)
{
	struct shared_file *files = NULL;
	size_t count = shared_folder("h248-live/accept", &files);

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i < count; i++) {
		struct base_arena arena = { 0 };
		struct h248_message *msg = NULL;
		struct base_error err = { 0 };

		if (h248_text_decode(&arena, files[i].text, files[i].len, NULL, &msg, &err))
			fail_msg("%s: %u:%u: %s", files[i].name, err.line, err.column, err.text);
		same_again(files[i].name, &arena, msg);
		base_arena_done(&arena);
	}
	shared_free(files, count);
}

static void wrong_messages_are_refused_with_a_place(void **state)
{
	struct shared_file *files = NULL;
	size_t count = shared_folder("h248-live/reject", &files);

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i < count; i++) {
		struct base_arena arena = { 0 };
		struct h248_message *msg = NULL;
		struct base_error err = { 0 };
		int rc = h248_text_decode(&arena, files[i].text, files[i].len, NULL, &msg, &err);

		if (!rc || base_err_class(rc) != BASE_PEER || base_err_detail(rc) < 400 ||
		    !err.line || !err.column || !err.text[0] || msg)
			fail_msg("%s: %d %s", files[i].name, rc, err.text);
		base_arena_done(&arena);
	}
	shared_free(files, count);
}

/* Whatever the octets: no crash, a place on error, and what is accepted can be written. */
static void any_octets(struct base_arena *arena, const char *text, size_t len, bool contain)
{
	struct h248_text_options options = { .contain = contain };
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	char *copy = malloc(len ? len : 1);
	int rc;

	memcpy(copy, text, len);
	rc = h248_text_decode(arena, copy, len, &options, &msg, &err);
	if (rc) {
		assert_false(contain);
		assert_true(err.line && err.column && err.text[0]);
		assert_true(err.column <= len + 1);
	} else if (!msg->faults) {
		same_again("bent", arena, msg);
	}
	for (const struct h248_fault *f = msg ? msg->faults : NULL; f; f = f->next) {
		assert_true(f->line && f->column && f->code >= 400 && f->offset <= len);
		assert_null(strchr(f->text, '"'));
	}
	free(copy);
	base_arena_reset(arena);
}

static void odd_ones_do_no_harm(void **state)
{
	struct shared_file *files = NULL;
	size_t count = shared_folder("h248-live/either", &files);
	struct base_arena arena = { 0 };

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i < count; i++) {
		any_octets(&arena, files[i].text, files[i].len, false);
		any_octets(&arena, files[i].text, files[i].len, true);
	}
	base_arena_done(&arena);
	shared_free(files, count);
}

static void examples_cut_at_every_octet(void **state)
{
	struct shared_file *files = NULL;
	size_t count = shared_folder("spec/h248-examples", &files);
	struct base_arena arena = { 0 };

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i < count; i++) {
		for (size_t len = 0; len < files[i].len; len++) {
			any_octets(&arena, files[i].text, len, false);
			any_octets(&arena, files[i].text, len, true);
		}
	}
	base_arena_done(&arena);
	shared_free(files, count);
}

/* A small generator of our own, so that every machine bends the same octets. */
static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static void examples_bent(void **state)
{
	static const char octets[] = "{}[]()<>=,:;\"\\/-*$#|.&!0AaZz \t\r\n\0\x80\xff";
	struct shared_file *files = NULL;
	size_t count = shared_folder("spec/h248-examples", &files);
	struct base_arena arena = { 0 };
	uint32_t seed = 248;

	(void)state;
	if (!count)
		skip();
	for (unsigned round = 0; round < 12000; round++) {
		const struct shared_file *f = &files[round % count];
		char *copy = malloc(f->len + 8);
		size_t len = f->len;

		memcpy(copy, f->text, len);
		for (unsigned edits = 1 + next(&seed) % 3; edits; edits--) {
			size_t at = next(&seed) % len;
			char c = octets[next(&seed) % (sizeof(octets) - 1)];

			switch (next(&seed) % 3) {
			case 0:
				copy[at] = c;
				break;
			case 1: /* leave one out */
				memmove(copy + at, copy + at + 1, len - at - 1);
				len--;
				break;
			default: /* put one in */
				memmove(copy + at + 1, copy + at, len - at);
				copy[at] = c;
				len++;
			}
		}
		any_octets(&arena, copy, len, round & 1);
		free(copy);
	}
	base_arena_done(&arena);
	shared_free(files, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_mean_the_same_in_both_styles),
		cmocka_unit_test(examples_are_written_as_they_are),
		cmocka_unit_test(live_traffic_is_read_and_written_back),
		cmocka_unit_test(wrong_messages_are_refused_with_a_place),
		cmocka_unit_test(odd_ones_do_no_harm),
		cmocka_unit_test(examples_cut_at_every_octet),
		cmocka_unit_test(examples_bent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
