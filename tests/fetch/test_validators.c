/* SPDX-License-Identifier: Apache-2.0 */
/** @file What may be given back to a server as a condition (RFC 9110, 8.8). */
#include "check.h"
#include "fetch/validators.h"

static struct fetch_validators of(const char *const *lines)
{
	struct fetch_validators v = { .seen = 0 };

	for (; *lines; lines++)
		fetch_validators_line(&v, base_str_of(*lines));
	return v;
}

static void as_it_came(void **state)
{
	const struct fetch_validators v =
	        of((const char *const[]){ "HTTP/1.1 200 OK\r\n", "eTaG:\t\"6500-x\" \r\n",
	                                  "Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT\r\n",
	                                  "ETags: \"no\"\r\n", "\r\n", NULL });

	(void)state;
	assert_string_equal(v.etag, "\"6500-x\"");
	assert_string_equal(v.modified, "Sat, 21 Nov 2026 10:00:00 GMT");
	assert_true(fetch_validators_any(&v));
	assert_string_equal(of((const char *const[]){ "ETag: W/\"\"\r\n", NULL }).etag, "W/\"\"");
}

static void what_makes_no_condition(void **state)
{
	static const char *const rows[] = {
		"ETag: x\r\n",
		"ETag: \"\r\n",
		"ETag:\r\n",
		"ETag: w/\"x\"\r\n",
		"ETag: \"a b\"\r\n",
		"ETag: \"a\"b\"\r\n",
		"ETag: \"a\rX: y\"\r\n",
		"ETag: \"\xc3\xa4\"\r\n",
		"ETag : \"a\"\r\n",
		"Last-Modified: Saturday, 21-Nov-26 10:00:00 GMT\r\n",
		"Last-Modified: Sat, 21 Nov 2026 10:00:00 UTC\r\n",
		"Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT x\r\n",
		"Last-Modified: 0\r\n",
	};
	char lengthy[300] = "ETag: \"";

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		const struct fetch_validators v = of((const char *const[]){ rows[i], NULL });

		if (fetch_validators_any(&v))
			fail_msg("row %zu", i);
	}
	memset(lengthy + 7, 'x', 200);
	lengthy[207] = '"';
	assert_string_equal(of((const char *const[]){ lengthy, NULL }).etag, "");
}

static void two_of_a_kind_are_none(void **state)
{
	(void)state;
	for (size_t count = 2; count < 5; count++) {
		const char *lines[6] = { "ETag: \"a\"", "ETag: \"b\"", "ETag: \"c\"",
			                 "ETag: \"d\"" };

		lines[count] = NULL;
		assert_string_equal(of(lines).etag, "");
	}
}

/* 103 Early Hints, then the response. */
static void each_response_for_itself(void **state)
{
	const struct fetch_validators v =
	        of((const char *const[]){ "HTTP/1.1 103 Early Hints\r\n", "ETag: \"a\"\r\n", "\r\n",
	                                  "HTTP/1.1 200 OK\r\n", "\r\n", NULL });

	(void)state;
	assert_false(fetch_validators_any(&v));
}

/* Another version may come within the same second, and look the same. */
static void too_young(void **state)
{
	const char *lines[] = { "Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT", "ETag: \"a\"",
		                "Date: Sat, 21 Nov 2026 10:00:00 GMT", NULL };
	struct fetch_validators v = of(lines);

	(void)state;
	assert_false(fetch_validators_any(&v));
	lines[2] = "Date: Sat, 21 Nov 2026 10:00:01 GMT";
	v = of(lines);
	assert_true(fetch_validators_any(&v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_came),
		cmocka_unit_test(what_makes_no_condition),
		cmocka_unit_test(two_of_a_kind_are_none),
		cmocka_unit_test(each_response_for_itself),
		cmocka_unit_test(too_young),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
