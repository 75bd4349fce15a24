/* SPDX-License-Identifier: Apache-2.0 */
/** @file URIs: the examples of RFC 3261, 19.1.3 and 19.1.4, and what is none. */
#include "check.h"
#include "sip/sip.h"

static void is(struct base_str s, const char *text)
{
	if (!base_str_eq(s, base_str_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BASE_FMT(s), text);
}

static struct sip_uri uri_of(const char *text)
{
	struct sip_uri uri;

	if (sip_uri_parse(base_str_of(text), &uri))
		fail_msg("%s is refused", text);
	return uri;
}

/** 19.1.3 */
static void examples(void **state)
{
	struct sip_uri uri;
	struct base_str value;

	(void)state;
	uri = uri_of("sip:alice:secretword@atlanta.com;transport=tcp");
	is(uri.user, "alice");
	is(uri.password, "secretword");
	is(uri.host, "atlanta.com");
	assert_true(sip_uri_param(&uri, "transport", &value));
	is(value, "tcp");
	uri = uri_of("sips:alice@atlanta.com?subject=project%20x&priority=urgent");
	assert_int_equal(uri.scheme, SIP_SCHEME_SIPS);
	is(uri.headers, "subject=project%20x&priority=urgent");
	uri = uri_of("sip:+1-212-555-1212:1234@gateway.com;user=phone");
	is(uri.user, "+1-212-555-1212");
	uri = uri_of("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com");
	assert_null(uri.user.ptr);
	uri = uri_of("sip:alice;day=tuesday@atlanta.com");
	is(uri.user, "alice;day=tuesday");
	uri = uri_of("sip:[2001:db8::9:1]:5061;lr");
	is(uri.host, "[2001:db8::9:1]");
	assert_int_equal(uri.port, 5061);
	assert_true(sip_uri_param(&uri, "LR", &value));
	assert_null(value.ptr);
	uri = uri_of("tel:+1-201-555-0123;phone-context=example.com");
	assert_int_equal(uri.scheme, SIP_SCHEME_TEL);
	is(uri.user, "+1-201-555-0123");
}

static void none(void **state)
{
	char number[4 + SIP_URI_TEL_MAX + 2] = "tel:";
	char headers[6 + 4 * (SIP_URI_HEADERS_MAX + 1) + 1] = { 0 };
	static const char *const rows[] = {
		"",
		"alice",
		":alice",
		"1sip:alice@example.com",
		"sip:",
		"sip:@example.com",
		"sip:alice@",
		"sip:alice@exa mple.com",
		"sip:alice@example.com:",
		"sip:alice@example.com:0",
		"sip:alice@example.com:65536",
		"sip:alice@example.com:5060x",
		"sip:al%4ice@example.com",
		"sip:alice%@example.com",
		"sip:alice@bob@example.com",
		"sip:alice@[2001:db8::1",
		"sip:alice@[]",
		"sip:alice@-example.com",
		"sip:alice@example..com",
		"sip:alice@example.com;",
		"sip:alice@example.com;=x",
		"sip:alice@example.com;a=<b>",
		"sip:al\xc3\xa9@example.com",
		"sip:alice@example.com;a=1;b;%41=2", /* found by the fuzzer: unequal to itself */
		"tel:",
		"tel:+",
		"tel:12+3",
		"tel:alice",
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct sip_uri uri;

		if (sip_uri_parse(base_str_of(rows[i]), &uri) != BASE_ERR(BASE_PEER, 400))
			fail_msg("\"%s\" is taken", rows[i]);
	}
	memcpy(headers, "sip:b?", 6);
	for (size_t i = 0; i <= SIP_URI_HEADERS_MAX; i++)
		memcpy(headers + 6 + 4 * i, "a=b&", 4);
	headers[6 + 4 * SIP_URI_HEADERS_MAX - 1] = 0; /* as many as there may be */
	(void)uri_of(headers);
	headers[6 + 4 * SIP_URI_HEADERS_MAX - 1] = '&';
	assert_int_equal(sip_uri_parse(base_str_of(headers), &(struct sip_uri){ 0 }),
	                 BASE_ERR(BASE_PEER, 400));
	memset(number + 4, '1', SIP_URI_TEL_MAX);
	(void)uri_of(number);
	number[4 + SIP_URI_TEL_MAX] = '1';
	assert_int_equal(sip_uri_parse(base_str_of(number), &(struct sip_uri){ 0 }),
	                 BASE_ERR(BASE_PEER, 400));
}

/** 19.1.4 with its examples */
static void comparison(void **state)
{
	static const struct {
		bool equal;
		const char *a, *b;
	} rows[] = {
		{ true, "sip:%61lice@atlanta.com;transport=TCP",
		  "sip:alice@AtLanTa.CoM;Transport=tcp" },
		{ true, "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5" },
		{ true, "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on" },
		{ true, "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
		  "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com" },
		{ true, "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		  "sip:alice@atlanta.com?priority=urgent&subject=project%20x" },
		{ false, "SIP:ALICE@AtLanTa.CoM;Transport=udp",
		  "sip:alice@AtLanTa.CoM;Transport=UDP" },
		{ false, "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060" },
		{ false, "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp" },
		{ false, "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp" },
		{ false, "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting" },
		{ false, "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4" },
		{ false, "sip:alice@atlanta.com", "sips:alice@atlanta.com" },
		{ false, "sip:carol@chicago.com;security=off",
		  "sip:carol@chicago.com;security=on" },
		{ false, "sip:alice@atlanta.com", "sip:alice:x@atlanta.com" },
		{ false, "sip:a%3Bb@atlanta.com", "sip:a;b@atlanta.com" },
		{ false, "sip:atlanta.com", "sip:atlanta.com;maddr=192.0.2.1" },
		{ true, "tel:+1-201-555-0123", "TEL:+12015550123" },
		{ false, "tel:+12015550123", "tel:12015550123" },
		{ false, "tel:0123;phone-context=+44", "tel:0123;phone-context=+49" },
		{ false, "tel:0123;phone-context=+44", "tel:0123" }, /* RFC 3966, 4 */
		{ false, "tel:+1201555;ext=7", "tel:+1201555" },
		{ true, "tel:+1201555;ext=7;a", "tel:+1201555;A;ext=7" },
		{ true, "urn:service:sos", "URN:service:sos" },
		{ false, "urn:service:sos", "urn:service:SOS" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct sip_uri a = uri_of(rows[i].a), b = uri_of(rows[i].b);

		if (sip_uri_equal(&a, &b) != rows[i].equal ||
		    sip_uri_equal(&b, &a) != rows[i].equal)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
		assert_true(sip_uri_equal(&a, &a));
	}
}

/** 10.3, step 5: one key for all spellings of a subscriber, others for others. */
static void keys(void **state)
{
	static const struct {
		const char *uri, *key;
	} rows[] = {
		{ "sip:alice@Example.COM", "alice@example.com" },
		{ "sips:%61l%69ce:pw@example.com;user=phone?Subject=x", "alice@example.com" },
		{ "sip:a%40b@example.com", "a%40b@example.com" },
		{ "sip:a%c3%a9@example.com", "a%C3%A9@example.com" },
		{ "sip:%00@example.com", "%00@example.com" },
		{ "sip:+1%2b2@example.com", "+1%2B2@example.com" },
		{ "sip:alice@example.com:5070", "alice@example.com:5070" },
		{ "sip:example.com", "example.com" },
		{ "tel:+1-201(555).0123;x=y", "+12015550123" },
		{ "http://example.com", "" },
	};
	char key[SIP_URI_KEY_MAX];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct sip_uri uri = uri_of(rows[i].uri);
		size_t len = sip_uri_key(&uri, key, sizeof(key));

		is((struct base_str){ key, len }, rows[i].key);
		for (size_t cap = 0; cap < len; cap++) /* too small a place holds none */
			assert_int_equal(sip_uri_key(&uri, key, cap), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(none),
		cmocka_unit_test(comparison),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
