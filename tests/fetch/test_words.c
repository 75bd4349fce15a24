/* SPDX-License-Identifier: Apache-2.0 */
/** @file What others write that we read: requests, the file of sources; and who may ask. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fetch/demand.h"
#include "fetch/request.h"
#include "fetch/state.h"

static void requests(void **state)
{
	struct fetch_request r;

	(void)state;
	assert_int_equal(fetch_request_parse(BASE_STR("crl http://a/b\n"), &r), 0);
	assert_int_equal(r.what, FETCH_ASKED_CRL);
	assert_true(base_str_eq(r.url, BASE_STR("http://a/b")));
	assert_int_equal(fetch_request_parse(BASE_STR("status\n"), &r), 0);
	assert_int_equal(r.what, FETCH_ASKED_STATUS);
	assert_false(r.json);
	assert_int_equal(fetch_request_parse(BASE_STR("status json\n"), &r), 0);
	assert_true(r.json);
	assert_int_equal(fetch_request_parse(BASE_STR("refresh\n"), &r), 0);
	assert_int_equal(r.what, FETCH_ASKED_REFRESH);
}

static void no_requests(void **state)
{
	static const char *const rows[] = {
		"",
		"\n",
		"crl\n",
		"crl \n",
		"crl http://a/b",
		"CRL x\n",
		"crl a b\n",
		"crl a\nb\n",
		"crl a\n\n",
		"crl  a\n",
		"crl a\r\n",
		"crl \xc3\xa4\n",
		"status \n",
		"status json json\n",
		" status\n",
		"crl a\t\n",
	};
	char *lengthy = malloc(3000);
	struct fetch_request r;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		if (!fetch_request_parse(base_str_of(rows[i]), &r))
			fail_msg("row %zu", i);
	assert_true(fetch_request_parse((struct base_str){ "crl a\0b\n", 8 }, &r));
	memset(lengthy, 'a', 3000);
	memcpy(lengthy, "crl ", 4);
	lengthy[4 + 1023] = '\n';
	assert_int_equal(fetch_request_parse((struct base_str){ lengthy, 4 + 1024 }, &r), 0);
	lengthy[4 + 1023] = 'a';
	lengthy[4 + 1024] = '\n';
	assert_true(fetch_request_parse((struct base_str){ lengthy, 4 + 1025 }, &r));
	free(lengthy);
}

static void who_may_ask(void **state)
{
	uid_t users[] = { 1000, 1001 };
	gid_t groups[] = { 50 };
	const struct fetch_demand_config config = {
		.users = users, .user_count = 2, .groups = groups, .group_count = 1
	};
	const gid_t theirs[] = { 7, 50 }, others[] = { 7, 51 };

	(void)state;
	assert_true(fetch_demand_may(&config, 5, 5, others, 2)); /* ourselves */
	assert_true(fetch_demand_may(&config, 5, 1001, others, 2));
	assert_true(fetch_demand_may(&config, 5, 1002, theirs, 2));
	assert_false(fetch_demand_may(&config, 5, 1002, others, 2));
	assert_false(fetch_demand_may(&config, 5, 0, others, 2)); /* not even root, unasked */
	assert_false(fetch_demand_may(&config, 5, 1002, NULL, 0));
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void sources_file(void **state)
{
	const struct base_str text =
	        BASE_STR(HEX ".crlx set http://a/b\n"
	                     "damaged\n"
	                     "\n" HEX ".crlx other http://a/b\n"
	                     "../" HEX ".crlx set http://a/b\n" HEX ".crlx set \n" HEX
	                     ".crlx set a b\n" HEX ".crlx learnt ldap://c/d");
	struct fetch_state_line line;
	struct base_writer w = { 0 };
	size_t at = 0;

	(void)state;
	assert_true(fetch_state_next(text, &at, &line));
	assert_true(base_str_eq(line.url, BASE_STR("http://a/b")));
	assert_true(base_str_eq(line.file, BASE_STR(HEX ".crlx")));
	assert_false(line.learnt);
	fetch_state_line_put(&w, &line);
	assert_true(base_str_eq(base_writer_view(&w), BASE_STR(HEX ".crlx set http://a/b\n")));
	assert_true(fetch_state_next(text, &at, &line));
	assert_true(base_str_eq(line.url, BASE_STR("ldap://c/d")));
	assert_true(line.learnt);
	assert_false(fetch_state_next(text, &at, &line));
	base_writer_done(&w);
}

static void replaced_or_as_it_was(void **state)
{
	char dir[] = "/tmp/gatehouse-fetch-XXXXXX", path[64], got[16] = { 0 };
	struct base_error err = { 0 };
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/m", dir);
	assert_int_equal(fetch_file_replace(path, BASE_STR("one"), &err), 0);
	assert_int_equal(fetch_file_replace(path, BASE_STR("two"), &err), 0);
	assert_int_equal(fetch_file_replace("/nowhere/at/all", BASE_STR("x"), &err),
	                 BASE_ERR(BASE_LOCAL, ENOENT));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, sizeof(got), f), 3);
	assert_string_equal(got, "two");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0); /* nothing else is left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(no_requests),
		cmocka_unit_test(who_may_ask),
		cmocka_unit_test(sources_file),
		cmocka_unit_test(replaced_or_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
