/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "fetch/url.h"

static void read_as_written(void **state)
{
	static const struct {
		const char *text, *host;
		enum fetch_scheme scheme;
		uint16_t port;
		bool v6;
	} rows[] = {
		{ "http://crl.example/a.crl", "crl.example", FETCH_HTTP, 80, false },
		{ "HTTPS://CRL.Example:8443", "crl.example", FETCH_HTTPS, 8443, false },
		{ "http://127.0.0.1:1?x=%20", "127.0.0.1", FETCH_HTTP, 1, false },
		{ "ldap://[2001:DB8::1]:65535/cn=x?certificateRevocationList;binary", "2001:db8::1",
		  FETCH_LDAP, 65535, true },
		{ "ldaps://d/", "d", FETCH_LDAPS, 636, false },
		{ "http://crl.example/http://evil.example/@", "crl.example", FETCH_HTTP, 80,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct fetch_url url;

		assert_int_equal(fetch_url_parse(base_str_of(rows[i].text), &url, NULL), 0);
		assert_string_equal(url.host, rows[i].host);
		assert_int_equal(url.scheme, rows[i].scheme);
		assert_int_equal(url.port, rows[i].port);
		assert_int_equal(url.v6, rows[i].v6);
	}
}

/* What two parsers might read differently is no URL here. */
static void refused(void **state)
{
	static const char *const rows[] = {
		"",
		"http:",
		"http://",
		"http:///a",
		"ftp://crl.example/a",
		"file:///etc/passwd",
		"//crl.example/a",
		"crl.example/a",
		"http:/crl.example/a",
		"http://user@crl.example/a",
		"http://user:pass@crl.example/a",
		"http://crl.example@evil.example/a",
		"http://crl.example\\@evil.example/a",
		"http://crl.example#@evil.example/a",
		"http://crl.example:80@evil.example/",
		"http://crl.example:0/a",
		"http://crl.example:65536/a",
		"http://crl.example:000080/a",
		"http://crl.example:/a",
		"http://crl.example:8x/a",
		"http://crl.example a",
		"http://crl.example/a b",
		"http://crl.example/a\r\nX: y",
		"http://crl.example/\"",
		"http://crl.ex\xc3\xa4mple/a",
		"http://crl%2eexample/a",
		"http://[::1/a",
		"http://[::1]x/a",
		"http://[fe80::1%25eth0]/a",
		"http://[]/a",
		" http://crl.example/a",
		"http://crl_.example/a",
	};
	char *lengthy = malloc(2000);

	(void)state;
	assert_non_null(lengthy);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct base_error err = { 0 };
		struct fetch_url url;
		int rc = fetch_url_parse(base_str_of(rows[i]), &url, &err);

		if (!rc)
			print_error("%s\n", rows[i]);
		assert_int_equal(base_err_class(rc), BASE_PEER);
		assert_true(err.text[0]);
	}
	memset(lengthy, 'a', 2000);
	memcpy(lengthy, "http://a/", 9);
	assert_int_equal(fetch_url_parse((struct base_str){ lengthy, FETCH_URL_MAX },
	                                 &(struct fetch_url){ 0 }, NULL),
	                 0);
	assert_true(fetch_url_parse((struct base_str){ lengthy, FETCH_URL_MAX + 1 },
	                            &(struct fetch_url){ 0 }, NULL));
	free(lengthy);
}

static const char *hosts[] = { "crl.a.example", "*.b.example", "192.0.2.1:8080", "[2001:db8::1]",
	                       "lab.example:*" };
static const struct fetch_allow allow = { hosts, BASE_COUNT(hosts),
	                                  1U << FETCH_HTTP | 1U << FETCH_HTTPS };

static bool allowed(const char *text)
{
	struct fetch_url url;

	assert_int_equal(fetch_url_parse(base_str_of(text), &url, NULL), 0);
	return fetch_allow_url(&allow, &url, NULL) == 0;
}

static void hosts_that_are_allowed(void **state)
{
	static const struct {
		const char *url;
		bool yes;
	} rows[] = {
		{ "http://crl.a.example/x", true },
		{ "http://CRL.A.EXAMPLE/x", true },
		{ "https://crl.a.example/x", true },
		{ "https://crl.a.example:443/x", true },
		{ "http://crl.a.example:443/x", false },
		{ "http://crl.a.example:81/x", false },
		{ "http://crl.a.example./x", false },
		{ "http://a.example/x", false },
		{ "http://xcrl.a.example/x", false },
		{ "http://x.crl.a.example/x", false },
		{ "ldap://crl.a.example/x", false },
		{ "http://x.b.example/", true },
		{ "http://x.y.b.example/", true },
		{ "http://b.example/", false },
		{ "http://.b.example/", false },
		{ "http://xb.example/", false },
		{ "http://x.b.example.evil.example/", false },
		{ "http://192.0.2.1:8080/", true },
		{ "http://192.0.2.1/", false },
		{ "http://[2001:db8::1]/", true },
		{ "http://[2001:db8::2]/", false },
		{ "http://lab.example:1/", true },
		{ "http://lab.example/", true },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		if (allowed(rows[i].url) != rows[i].yes)
			fail_msg("%s", rows[i].url);
}

static void entries(void **state)
{
	static const char *const good[] = { "a", "a.b:1", "*.a", "[::1]:*", "10.0.0.1" };
	static const char *const bad[] = { "",     "*",    "*.",   "http://a", "a/",  "a:0",
		                           "a:1x", "a*.b", "[::1", "*.[::1]",  "a b", "a:**" };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(good); i++)
		assert_int_equal(fetch_allow_check(good[i], NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		if (fetch_allow_check(bad[i], NULL) == 0)
			fail_msg("'%s'", bad[i]);
}

static bool redirected(const char *from, const char *to)
{
	struct fetch_url a, b;

	assert_int_equal(fetch_url_parse(base_str_of(from), &a, NULL), 0);
	assert_int_equal(fetch_url_parse(base_str_of(to), &b, NULL), 0);
	return fetch_allow_redirect(&allow, &a, &b, NULL) == 0;
}

static void redirects_keep_to_the_list(void **state)
{
	(void)state;
	assert_true(redirected("http://crl.a.example/", "http://x.b.example/"));
	assert_true(redirected("http://crl.a.example/", "https://crl.a.example/"));
	assert_false(redirected("https://crl.a.example/", "http://crl.a.example/"));
	assert_false(redirected("http://crl.a.example/", "http://evil.example/"));
	assert_false(redirected("http://crl.a.example/", "http://crl.a.example:22/"));
	assert_false(redirected("http://crl.a.example/", "ldap://crl.a.example/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_as_written),
		cmocka_unit_test(refused),
		cmocka_unit_test(hosts_that_are_allowed),
		cmocka_unit_test(entries),
		cmocka_unit_test(redirects_keep_to_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
