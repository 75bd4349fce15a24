/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4975, 6.1 and 9. */
#include "msrp/msrp.h"
#include "check.h"

static struct msrp_uri read(const char *text)
{
	struct msrp_uri uri;

	if (msrp_uri_parse(base_str_of(text), &uri))
		fail_msg("%s", text);
	return uri;
}

static void parts(void **state)
{
	struct msrp_uri uri = read("msrps://al;ice@[2001:db8::1]:8493/asfd34/+=~;TCP;a=b;c");

	(void)state;
	assert_true(uri.secure);
	assert_true(base_str_eq(uri.user, BASE_STR("al;ice")));
	assert_true(base_str_eq(uri.host, BASE_STR("[2001:db8::1]")));
	assert_true(uri.has_port);
	assert_int_equal(uri.port, 8493);
	assert_true(base_str_eq(uri.session, BASE_STR("asfd34/+=~")));
	assert_true(base_str_eq(uri.transport, BASE_STR("TCP")));
	assert_true(base_str_eq(uri.params, BASE_STR(";a=b;c")));
	uri = read("MSRP://relay.example.com;tcp");
	assert_false(uri.secure || uri.has_port || uri.session.len);
}

static void no_uris(void **state)
{
	static const char *const bad[] = {
		"",
		"msrp:",
		"msrp://",
		"http://a:1/b;tcp",
		"msrp://a:1/b",
		"msrp://a:1/;tcp",
		"msrp://a:65536/b;tcp",
		"msrp://a:/b;tcp",
		"msrp://a:x/b;tcp",
		"msrp://[::1/b;tcp",
		"msrp://[::1]9/b;tcp",
		"msrp://a b:1/c;tcp",
		"msrp://a:1/b;",
		"msrp://a:1/b;t/p",
		"msrp://a:1/b;tcp;",
		"msrp://a:1/b;tcp;x=",
		"msrp://:1/b;tcp",
		"msrp://a<b:1/c;tcp",
		"msrp://[]:1/b;tcp",
		"msrp://a:1/b@c;tcp",
	};
	struct msrp_uri uri;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		if (msrp_uri_parse(base_str_of(bad[i]), &uri) != BASE_ERR(BASE_PEER, 400))
			fail_msg("%s", bad[i]);
	assert_int_not_equal(msrp_uri_parse((struct base_str){ "msrp://a\0:1/b;tcp", 17 }, &uri),
	                     0);
}

static void compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} row[] = {
		{ "msrp://Host.example.com:1/a;tcp", "MSRP://host.EXAMPLE.com:1/a;TCP", true },
		{ "msrp://a:1/b;tcp", "msrps://a:1/b;tcp", false },          /* rule 1 */
		{ "msrp://bob@a:1/b;tcp", "msrp://alice@a:1/b;tcp", true },  /* rule 2 */
		{ "msrp://%61b:1/b;tcp", "msrp://ab:1/b;tcp", true },        /* rule 2 */
		{ "msrp://a%2Bb:1/b;tcp", "msrp://a+b:1/b;tcp", false },     /* rule 2 */
		{ "msrp://a%2bb:1/b;tcp", "msrp://a%2Bb:1/b;tcp", true },    /* rule 2 */
		{ "msrp://[::1]:1/b;tcp", "msrp://[0:0::1]:1/b;tcp", true }, /* rule 2 */
		{ "msrp://[::1]:1/b;tcp", "msrp://[::2]:1/b;tcp", false },   /* rule 2 */
		{ "msrp://10.0.0.1:1/b;tcp", "msrp://10.0.0.2:1/b;tcp", false },
		{ "msrp://a:1/b;tcp", "msrp://a:2/b;tcp", false },  /* rule 3 */
		{ "msrp://a:0/b;tcp", "msrp://a/b;tcp", false },    /* rule 3 */
		{ "msrp://a:1/b;tcp", "msrp://a:1/B;tcp", false },  /* rule 4 */
		{ "msrp://a:1;tcp", "msrp://a:1/b;tcp", false },    /* rule 4 */
		{ "msrp://a:1/b;tcp", "msrp://a:1/b;sctp", false }, /* rule 5 */
		{ "msrp://a:1/b;tcp;x=1", "msrp://a:1/b;tcp", true },
		{ "msrp://ab:1/b;tcp", "msrp://a:1/b;tcp", false },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		if (msrp_uri_same(base_str_of(row[i].a), base_str_of(row[i].b)) != row[i].same)
			fail_msg("%s and %s", row[i].a, row[i].b);
		if (msrp_uri_same(base_str_of(row[i].b), base_str_of(row[i].a)) != row[i].same)
			fail_msg("%s and %s", row[i].b, row[i].a);
	}
	assert_false(msrp_uri_same(BASE_STR("x"), BASE_STR("x")));
}

static void paths(void **state)
{
	struct base_str path = BASE_STR("msrp://a:1/b;tcp msrp://c:2/d;tcp");

	(void)state;
	assert_int_equal(msrp_path_count(path), 2);
	assert_true(base_str_eq(msrp_path_next(&path), BASE_STR("msrp://a:1/b;tcp")));
	assert_true(base_str_eq(msrp_path_next(&path), BASE_STR("msrp://c:2/d;tcp")));
	assert_int_equal(msrp_path_next(&path).len, 0);
	assert_int_equal(msrp_path_count(BASE_STR("msrp://a:1/b;tcp x")), 0);
	assert_int_equal(msrp_path_count(BASE_STR("")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(no_uris),
		cmocka_unit_test(compared),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
