/* SPDX-License-Identifier: Apache-2.0 */
/** @file The grammar's parts: quoted strings, parameters, lists, addresses, Via. */
#include "check.h"
#include "sip/sip.h"

static void is(struct base_str s, const char *text)
{
	if (!base_str_eq(s, base_str_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BASE_FMT(s), text);
}

static void quoted(void **state)
{
	char out[8];
	size_t len;

	(void)state;
	assert_int_equal(sip_quoted_len(BASE_STR("\"a\\\"b\" c")), 6);
	assert_int_equal(sip_quoted_len(BASE_STR("\"\"")), 2);
	assert_int_equal(sip_quoted_len(BASE_STR("\"a")), 0);
	assert_int_equal(sip_quoted_len(BASE_STR("\"a\\")), 0);
	assert_int_equal(sip_quoted_len(BASE_STR("\"\\\r\"")), 0);
	assert_int_equal(sip_quoted_len(BASE_STR("a\"b\"")), 0);
	assert_true(sip_unquote(BASE_STR("\"a\\\"b\\\\\""), out, sizeof(out), &len));
	is((struct base_str){ out, len }, "a\"b\\");
	assert_true(sip_unquote(BASE_STR("plain"), out, sizeof(out), &len));
	is((struct base_str){ out, len }, "plain");
	assert_false(sip_unquote(BASE_STR("\"123456789\""), out, sizeof(out), &len));
}

static void params(void **state)
{
	struct base_str rest = BASE_STR(" ;lr;q = 0.5 ; x=\"a;b\\\"\" ;ip=[2001:db8::1]"), value;
	struct sip_param param;

	(void)state;
	assert_int_equal(sip_param_next(&rest, &param), 1);
	is(param.name, "lr");
	assert_null(param.value.ptr);
	assert_int_equal(sip_param_next(&rest, &param), 1);
	is(param.value, "0.5");
	assert_int_equal(sip_param_next(&rest, &param), 1);
	is(param.value, "\"a;b\\\"\"");
	assert_int_equal(sip_param_next(&rest, &param), 1);
	is(param.value, "[2001:db8::1]");
	assert_int_equal(sip_param_next(&rest, &param), 0);
	assert_true(sip_param_find(BASE_STR(";Tag=x;tag=y"), "tag", &value));
	is(value, "x");
	assert_false(sip_param_find(BASE_STR(";tagx=1"), "tag", &value));
	for (const char *const *bad =
	             (const char *const[]){ ";", ";=x", ";a=", ";a=\"x", "; <", NULL };
	     *bad; bad++) {
		rest = base_str_of(*bad);
		assert_int_equal(sip_param_next(&rest, &param), BASE_ERR(BASE_PEER, 400));
	}
}

static void lists(void **state)
{
	struct base_str rest = BASE_STR("\"a,b\" <sip:x@y;p=1,2>;z , <sip:c>,, d"), one;

	(void)state;
	assert_true(sip_list_next(&rest, &one));
	is(one, "\"a,b\" <sip:x@y;p=1,2>;z");
	assert_true(sip_list_next(&rest, &one));
	is(one, "<sip:c>");
	assert_true(sip_list_next(&rest, &one));
	is(one, "");
	assert_true(sip_list_next(&rest, &one));
	is(one, "d");
	assert_false(sip_list_next(&rest, &one));
}

static void addresses(void **state)
{
	static const struct {
		const char *text, *display, *uri, *params;
	} rows[] = {
		{ "sip:a@b", "", "sip:a@b", "" },
		{ "sip:a@b;tag=1", "", "sip:a@b", ";tag=1" },
		{ "sip:a@b ; tag=1", "", "sip:a@b", " ; tag=1" },
		{ "<sip:a@b;lr>;tag=1", "", "sip:a@b;lr", ";tag=1" },
		{ "Bob T. <sip:a@b>", "Bob T.", "sip:a@b", "" },
		{ "caller<sip:a@b>", "caller", "sip:a@b", "" },
		{ "\"<x>, ;\" <sip:a@b?c=d>", "\"<x>, ;\"", "sip:a@b?c=d", "" },
		{ "\r\n <sip:a@b>\r\n\t;x", "", "sip:a@b", "\r\n\t;x" },
	};
	static const char *const bad[] = { "",           "<sip:a@b",          "sip:a@b?x=y",
		                           "<>",         "< sip:a@b>",        "\"x <sip:a@b>",
		                           "a@b, c",     "Bell, A <sip:a@b>", "<sip:a@b> x",
		                           "<sip:a@b>;", "<<sip:a@b>>",       "sip:a b" };
	struct sip_addr addr;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		assert_int_equal(sip_addr_parse(base_str_of(rows[i].text), &addr), 0);
		is(addr.display, rows[i].display);
		is(addr.uri, rows[i].uri);
		is(addr.params, rows[i].params);
	}
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		if (sip_addr_parse(base_str_of(bad[i]), &addr) != BASE_ERR(BASE_PEER, 400))
			fail_msg("\"%s\" is taken", bad[i]);
	}
}

static void vias(void **state)
{
	static const struct {
		const char *text, *transport, *host, *branch;
		unsigned port;
	} rows[] = {
		{ "SIP/2.0/TLS a.example:5061;branch=z9hG4bKx", "TLS", "a.example", "z9hG4bKx",
		  5061 },
		{ "sip / 2.0 / UDP 192.0.2.1 : 5060 ;rport", "UDP", "192.0.2.1", "", 5060 },
		{ "SIP/2.0/TCP [2001:db8::1];branch=1", "TCP", "[2001:db8::1]", "1", 0 },
		{ "SIP  /\r\n 2.0\t/ UNKNOWN h", "UNKNOWN", "h", "", 0 },
	};
	static const char *const bad[] = { "",
		                           "SIP/2.0/TLS",
		                           "SIP/3.0/TLS a",
		                           "HTTP/2.0/TLS a",
		                           "SIP/2.0 TLS a",
		                           "SIP/2.0/TLS a:0",
		                           "SIP/2.0/TLS a:x",
		                           "SIP/2.0/TLS a:5060:5061",
		                           "SIP/2.0/TLS a b",
		                           "SIP/2.0/TLS a;branch=",
		                           "SIP/2.0/TLS [::1" };
	struct sip_via via;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		if (sip_via_parse(base_str_of(rows[i].text), &via))
			fail_msg("\"%s\" is refused", rows[i].text);
		is(via.transport, rows[i].transport);
		is(via.host, rows[i].host);
		is(via.branch, rows[i].branch);
		assert_int_equal(via.port, rows[i].port);
	}
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		if (sip_via_parse(base_str_of(bad[i]), &via) != BASE_ERR(BASE_PEER, 400))
			fail_msg("\"%s\" is taken", bad[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(quoted),    cmocka_unit_test(params), cmocka_unit_test(lists),
		cmocka_unit_test(addresses), cmocka_unit_test(vias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
