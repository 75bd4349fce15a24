/* SPDX-License-Identifier: Apache-2.0 */
/** @file What an LDAP URL asks for (RFC 4516): its own examples, defaults, and what is refused. */
#include "check.h"

#include "fetch/ldap_url.h"

static struct fetch_ldap_url good(const char *text)
{
	struct fetch_ldap_url url;
	struct base_error err = { 0 };

	if (fetch_ldap_url_parse(base_str_of(text), &url, &err))
		fail_msg("%s: %s", text, err.text);
	return url;
}

static void bad(const char *text, const char *words)
{
	struct fetch_ldap_url url;
	struct base_error err = { 0 };
	int rc = fetch_ldap_url_parse(base_str_of(text), &url, &err);

	assert_int_equal(base_err_class(rc), BASE_PEER);
	if (!strstr(err.text, words))
		fail_msg("%s: %s", text, err.text);
}

/* RFC 4516, 4, with attributes that a repository has. */
static void examples(void **state)
{
	struct fetch_ldap_url url;

	(void)state;
	url = good("ldap://ldap1.example.net/o=University%20of%20Michigan,c=US");
	assert_string_equal(url.dn, "o=University of Michigan,c=US");
	assert_true(url.has_dn);
	assert_int_equal(url.attributes, 0);
	assert_int_equal(url.scope, FETCH_LDAP_BASE);
	assert_false(url.has_scope);
	assert_string_equal(url.filter, "");
	url = good("ldap://ldap1.example.net:6666/o=University%20of%20Michigan,"
	           "c=US??sub?(cn=Babs%20Jensen)");
	assert_int_equal(url.scope, FETCH_LDAP_SUB);
	assert_true(url.has_scope);
	assert_string_equal(url.filter, "(cn=Babs Jensen)");
	url = good("LDAP://ldap1.example.com/c=GB?cACertificate?ONE");
	assert_int_equal(url.attributes, FETCH_LDAP_CA);
	assert_int_equal(url.scope, FETCH_LDAP_ONE);
	url = good("ldap://ldap2.example.com/o=Question%3f,c=US?deltaRevocationList");
	assert_string_equal(url.dn, "o=Question?,c=US");
	url = good("ldap://ldap3.example.com/o=Babsco,c=US\?\?\?(four-octet=%5c00%5c00%5c00%5c04)");
	assert_string_equal(url.filter, "(four-octet=\\00\\00\\00\\04)");
	url = good("ldap://ldap.example.com/o=An%20Example%5C2C%20Inc.,c=US");
	assert_string_equal(url.dn, "o=An Example\\2C Inc.,c=US");
	for (size_t i = 0; i < 3; i++) {
		static const char *const same[] = { "ldap://ldap.example.net",
			                            "ldap://ldap.example.net/",
			                            "ldap://ldap.example.net/?" };

		url = good(same[i]);
		assert_string_equal(url.dn, "");
		assert_false(url.has_dn);
		assert_int_equal(url.attributes, 0);
	}
	/* an extension that is not critical is ignored, a critical one forbids the URL (clause 2)
	 */
	(void)good("ldap://h/??sub??e-bindname=cn=Manager%2cdc=example%2cdc=com");
	bad("ldap://h/??sub\?\?!e-bindname=cn=Manager%2cdc=example%2cdc=com", "critical");
	bad("ldap://h/??sub??a=b,!c", "critical");
}

static void attributes(void **state)
{
	struct fetch_ldap_url url;

	(void)state;
	url = good("ldaps://h/cn=x?certificateRevocationList;binary,DELTArevocationlist,"
	           "authorityRevocationList;BINARY,crossCertificatePair?base?objectClass=x");
	assert_int_equal(url.attributes, FETCH_LDAP_CRLS | FETCH_LDAP_CROSS);
	assert_string_equal(url.filter, "objectClass=x"); /* as certificates have it in the field */
	for (unsigned bit = 1; bit <= FETCH_LDAP_CROSS; bit <<= 1)
		assert_int_equal(
		        fetch_ldap_attribute_of(base_str_of(fetch_ldap_attribute_name(bit))), bit);
	assert_string_equal(fetch_ldap_attribute_name(3), "");
	assert_int_equal(fetch_ldap_attribute_of(BASE_STR("cACertificate;binary;x")), 0);
	assert_int_equal(fetch_ldap_attribute_of(BASE_STR(";binary")), 0);
	bad("ldap://h/cn=x?userPassword", "an attribute");
	bad("ldap://h/cn=x?cACertificate,*", "an attribute");
	bad("ldap://h/cn=x?cACertificate;lang-en", "an attribute");
	bad("ldap://h/cn=x?,cACertificate", "an attribute");
}

static void refused(void **state)
{
	char text[FETCH_URL_MAX + 8] = "ldap://h/";

	(void)state;
	bad("http://h/cn=x", "scheme");
	bad("ldap:///cn=x", "no host");
	bad("ldap://h?cACertificate", "no slash");
	bad("ldap://h/cn=%", "percent-encoding in its DN");
	bad("ldap://h/cn=%4", "percent-encoding in its DN");
	bad("ldap://h/cn=%zz", "percent-encoding in its DN");
	bad("ldap://h/cn=%00", "percent-encoding in its DN");
	bad("ldap://h/?cACertificate%", "percent-encoding in its attributes");
	bad("ldap://h/???%4", "percent-encoding in its filter");
	bad("ldap://h/??tree", "scope");
	bad("ldap://h/????a?b", "question marks");
	/* as long as may be, and one octet more */
	memset(text + 9, 'x', sizeof(text) - 9);
	text[FETCH_URL_MAX] = '\0';
	assert_int_equal(strlen(good(text).dn), FETCH_URL_MAX - 9);
	text[FETCH_URL_MAX] = 'x';
	text[FETCH_URL_MAX + 1] = '\0';
	bad(text, "1023");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(attributes),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
