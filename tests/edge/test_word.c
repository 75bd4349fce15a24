/* SPDX-License-Identifier: Apache-2.0 */
/** @file Names of others in log lines. */
#include "check.h"
#include "edge/word.h"

static void no_field_of_its_own(void **state)
{
	char out[EDGE_WORD_MAX];

	(void)state;
	assert_string_equal(edge_word(BASE_STR("alice@home"), out), "alice@home");
	assert_string_equal(edge_word(BASE_STR(""), out), "");
	assert_string_equal(edge_word(BASE_STR("a end=\"dropped\" impi=eve"), out),
	                    "a\\x20end=\\x22dropped\\x22\\x20impi=eve");
	assert_string_equal(edge_word(BASE_STR("a\\x20b"), out), "a\\x5cx20b");
	assert_string_equal(edge_word(BASE_STR("\r\n\0\t\x7f\xc3\xbc"), out),
	                    "\\x0d\\x0a\\x00\\x09\\x7f\\xc3\\xbc");
}

/** A long one leaves room for the fields behind it. */
static void long_ones_end(void **state)
{
	char out[EDGE_WORD_MAX], text[400];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		(void)edge_word((struct base_str){ text, len }, out);
		assert_int_equal(strstr(out, "...") != NULL, len > 154);
		assert_true(strlen(out) < EDGE_WORD_MAX);
		memset(text, '"', sizeof(text));
		(void)edge_word((struct base_str){ text, len }, out);
		assert_int_equal(strstr(out, "...") != NULL, 4 * len > 156);
		assert_true(strlen(out) < EDGE_WORD_MAX);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_field_of_its_own),
		cmocka_unit_test(long_ones_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
