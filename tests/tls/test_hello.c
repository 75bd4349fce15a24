/* SPDX-License-Identifier: Apache-2.0 */
/** @file What we read of hellos ourselves: every extension of RFC 6066 and its neighbours. */
#include "check.h"
#include "tls/hello.h"

/** A ClientHello around these extensions; `methods` of compression. */
static size_t hello_put(uint8_t *to, size_t cap, struct base_str methods,
                        struct base_str extensions)
{
	struct base_writer w = base_writer_over(to, cap);

	base_writer_u16(&w, 0x0303);
	for (int i = 0; i < 32; i++)
		base_writer_u8(&w, (uint8_t)i);
	base_writer_u8(&w, 0);
	base_writer_u16(&w, 4);
	base_writer_u16(&w, 0x002f);
	base_writer_u16(&w, 0x00ff);
	base_writer_u8(&w, (uint8_t)methods.len);
	base_writer_str(&w, methods);
	base_writer_u16(&w, (uint16_t)extensions.len);
	base_writer_str(&w, extensions);
	assert_false(w.failed);
	return w.len;
}

#define BYTES(text) ((struct base_str){ text, sizeof(text) - 1 })

static struct tls_hello_view hello_of(uint8_t *octets, size_t cap, struct base_str extensions)
{
	struct tls_hello_view hello;
	size_t len = hello_put(octets, cap, BYTES("\0"), extensions);

	assert_true(tls_hello_read(&hello, octets, len, true));
	return hello;
}

static void names(void **state)
{
	const struct {
		struct base_str extension;
		const char *name;
	} row[] = {
		{ BYTES("\0\0\0\x09\0\x07\0\0\4a.de"), "a.de" },
		{ BYTES("\0\0\0\x0c\0\x0a\0\0\4a.de\0\0\0"), "a.de" },  /* an empty one after it */
		{ BYTES("\0\0\0\x0d\0\x0b\7\0\1x\0\0\4b.de"), "b.de" }, /* of another kind first */
		{ BYTES("\0\0\0\x09\0\x07\0\0\4a\0de"), "" },           /* a NUL in it */
		{ BYTES("\0\0\0\x09\0\x08\0\0\4a.de"), "" },            /* longer than it is */
		{ BYTES("\0\0\0\x09\0\x07\0\0\5a.de"), "" },            /* likewise */
		{ BYTES("\0\0\0\0"), "" },                              /* a server's answer */
	};
	uint8_t octets[256];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		struct tls_hello_view hello = hello_of(octets, sizeof(octets), row[i].extension);

		assert_true(hello.present & TLS_HELLO_NAME);
		assert_int_equal(hello.name.len, strlen(row[i].name));
		assert_memory_equal(row[i].name, hello.name.len ? hello.name.ptr : "",
		                    hello.name.len);
	}
}

static void sizes(void **state)
{
	uint8_t octets[256];
	struct tls_hello_view hello =
	        hello_of(octets, sizeof(octets), BYTES("\0\1\0\1\2\0\x1c\0\2\4\0"));

	(void)state;
	assert_int_equal(hello.fragment, 2);
	assert_int_equal(hello.record_size, 1024);
	hello = hello_of(octets, sizeof(octets), BYTES("\0\1\0\1\5"));
	assert_int_equal(hello.fragment, 0); /* RFC 6066, 4: illegal, the engine says so */
	assert_true(hello.present & TLS_HELLO_FRAGMENT);
}

static void others(void **state)
{
	uint8_t octets[256];
	struct tls_hello_view hello = hello_of(
	        octets, sizeof(octets),
	        BYTES("\0\2\0\0\0\4\0\0\0\5\0\5\1\0\0\0\0\0\x16\0\0\0\x17\0\0\xff\1\0\1\0"));

	(void)state;
	assert_int_equal(hello.present, TLS_HELLO_URL | TLS_HELLO_TRUNCATED | TLS_HELLO_STATUS |
	                                        TLS_HELLO_ETM | TLS_HELLO_MASTER_SECRET |
	                                        TLS_HELLO_RENEGOTIATION);
	assert_true(tls_numbers_have(hello.suites, 0x002f));
	assert_false(tls_numbers_have(hello.suites, 0x2f00));
}

/** RFC 6066, 6: each kind, and what ends the list. */
static void authorities(void **state)
{
	uint8_t octets[256];
	struct tls_hello_view hello = hello_of(octets, sizeof(octets),
	                                       BYTES("\0\3\0\x34\0\x32\0\1"
	                                             "KKKKKKKKKKKKKKKKKKKK\2\0\3abc\3"
	                                             "CCCCCCCCCCCCCCCCCCCC\4"));
	struct tls_authority a;

	(void)state;
	/* 1 + 21 + 6 + 21 + 1 = 50 */
	assert_true(tls_authority_next(&hello.authorities, &a));
	assert_int_equal(a.kind, TLS_AUTHORITY_AGREED);
	assert_int_equal(a.value.len, 0);
	assert_true(tls_authority_next(&hello.authorities, &a));
	assert_int_equal(a.kind, TLS_AUTHORITY_KEY_HASH);
	assert_memory_equal(a.value.ptr, "KKKKKKKKKKKKKKKKKKKK", 20);
	assert_true(tls_authority_next(&hello.authorities, &a));
	assert_int_equal(a.kind, TLS_AUTHORITY_NAME);
	assert_int_equal(a.value.len, 3);
	assert_memory_equal(a.value.ptr, "abc", 3);
	assert_true(tls_authority_next(&hello.authorities, &a));
	assert_int_equal(a.kind, TLS_AUTHORITY_CERT_HASH);
	assert_false(tls_authority_next(&hello.authorities, &a)); /* kind 4 is none */
	hello = hello_of(octets, sizeof(octets), BYTES("\0\3\0\5\0\3\1KK"));
	assert_false(tls_authority_next(&hello.authorities, &a)); /* cut */
	hello = hello_of(octets, sizeof(octets), BYTES("\0\3\0\6\0\3\2\0\0x"));
	assert_false(tls_authority_next(&hello.authorities, &a)); /* octets after the list */
}

/** RFC 8446, 4.2.4. */
static void names_of_authorities(void **state)
{
	uint8_t octets[256];
	struct tls_hello_view hello =
	        hello_of(octets, sizeof(octets), BYTES("\0\x2f\0\x0b\0\x09\0\3abc\0\2de"));
	struct base_str name;

	(void)state;
	assert_true(hello.present & TLS_HELLO_CA_NAMES);
	assert_true(tls_ca_name_next(&hello.ca_names, &name));
	assert_int_equal(name.len, 3);
	assert_memory_equal(name.ptr, "abc", 3);
	assert_true(tls_ca_name_next(&hello.ca_names, &name));
	assert_memory_equal(name.ptr, "de", 2);
	assert_false(tls_ca_name_next(&hello.ca_names, &name));
	hello = hello_of(octets, sizeof(octets), BYTES("\0\x2f\0\6\0\4\0\3ab"));
	assert_false(tls_ca_name_next(&hello.ca_names, &name)); /* cut */
	hello = hello_of(octets, sizeof(octets), BYTES("\0\x2f\0\4\0\2\0\0"));
	assert_false(tls_ca_name_next(&hello.ca_names, &name)); /* empty */
}

static void compression(void **state)
{
	uint8_t octets[256];
	struct tls_hello_view hello;
	size_t len = hello_put(octets, sizeof(octets), BYTES("\1\0"), BYTES(""));

	(void)state;
	assert_true(tls_hello_read(&hello, octets, len, true));
	assert_true(hello.compression);
	len = hello_put(octets, sizeof(octets), BYTES("\0"), BYTES(""));
	assert_true(tls_hello_read(&hello, octets, len, true));
	assert_false(hello.compression);
}

/** Cut anywhere it is refused or told without what is missing; nothing is read past its end. */
static void cut(void **state)
{
	uint8_t octets[256], *exact;
	size_t len = hello_put(octets, sizeof(octets), BYTES("\0"),
	                       BYTES("\0\0\0\x09\0\x07\0\0\4a.de\0\x0a\0\4\0\2\0\x17"));

	(void)state;
	for (size_t i = 0; i < len; i++) {
		struct tls_hello_view hello;

		exact = malloc(i ? i : 1); /* so that a sanitizer sees a step too far */
		assert_non_null(exact);
		memcpy(exact, octets, i);
		/* 2 + 32 + 1 + 2 + 4 + 1 + 1 octets are a hello without extensions */
		assert_int_equal(tls_hello_read(&hello, exact, i, true), i == 43);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(sizes),
		cmocka_unit_test(others),
		cmocka_unit_test(authorities),
		cmocka_unit_test(names_of_authorities),
		cmocka_unit_test(compression),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
