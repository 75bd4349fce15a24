/* SPDX-License-Identifier: Apache-2.0 */
/** @file Durations, sizes, addresses, words, and the word a person may have meant. */
#include "check.h"

#include "config/config.h"

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		int fine;
		uint64_t ms;
	} row[] = {
		{ "250ms", 1, 250 },
		{ "10s", 1, 10000 },
		{ "5m", 1, 300000 },
		{ "1h", 1, 3600000 },
		{ "7d", 1, 604800000 },
		{ "0", 1, 0 },
		{ "0s", 1, 0 },
		{ "10", 0, 0 },
		{ "s", 0, 0 },
		{ "", 0, 0 },
		{ "10 s", 0, 0 },
		{ "-1s", 0, 0 },
		{ "1.5s", 0, 0 },
		{ "10S", 0, 0 },
		{ "213503982335d", 0, 0 },
		{ "213503982334d", 1, UINT64_C(213503982334) * 86400000 },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		uint64_t ms = 1;
		int rc = config_duration_parse(base_str_of(row[i].text), &ms);

		assert_int_equal(rc == 0, row[i].fine);
		assert_int_equal(ms, row[i].fine ? row[i].ms : 1);
	}
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		int fine;
		uint64_t octets;
	} row[] = {
		{ "65536", 1, 65536 },    { "64KiB", 1, 65536 },
		{ "16MiB", 1, 16777216 }, { "1GiB", 1, 1u << 30 },
		{ "64KB", 0, 0 },         { "64k", 0, 0 },
		{ "KiB", 0, 0 },          { "18446744073709551615KiB", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		uint64_t octets = 1;
		int rc = config_size_parse(base_str_of(row[i].text), &octets);

		assert_int_equal(rc == 0, row[i].fine);
		assert_int_equal(octets, row[i].fine ? row[i].octets : 1);
	}
}

static void test_address(void **state)
{
	static const struct {
		const char *text;
		uint16_t default_port;
		const char *host; /**< NULL = refused */
		uint16_t port;
		const char *transport;
	} row[] = {
		{ "127.0.0.1:2944", 0, "127.0.0.1", 2944, "" },
		{ "[::1]:2944", 0, "::1", 2944, "" },
		{ "[fe80::1%eth0]:1", 0, "fe80::1%eth0", 1, "" },
		{ "mgc.example:2944", 0, "mgc.example", 2944, "" },
		{ "mgc:2944", 0, "mgc", 2944, "" },
		{ "mgc", 2944, "mgc", 2944, "" },
		{ "[::1]", 2944, "::1", 2944, "" },
		{ "udp:127.0.0.1:2944", 0, "127.0.0.1", 2944, "udp" },
		{ "udp:127.0.0.1", 2944, "127.0.0.1", 2944, "udp" },
		{ "tcp:[::1]:5", 0, "::1", 5, "tcp" },
		{ "0.0.0.0:0", 0, "0.0.0.0", 0, "" },
		{ "mgc", 0, NULL, 0, "" },
		{ "", 2944, NULL, 0, "" },
		{ ":2944", 0, NULL, 0, "" },
		{ "::1", 2944, NULL, 0, "" },
		{ "[::1", 2944, NULL, 0, "" },
		{ "[::1]x:2", 2944, NULL, 0, "" },
		{ "a:", 2944, NULL, 0, "" },
		{ "a:65536", 0, NULL, 0, "" },
		{ "a b:1", 0, NULL, 0, "" },
		{ "a:1x", 0, NULL, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		struct config_address address;
		int rc = config_address_parse(base_str_of(row[i].text), row[i].default_port,
		                              &address);

		assert_int_equal(rc == 0, row[i].host != NULL);
		if (!row[i].host)
			continue;
		assert_string_equal(address.host, row[i].host);
		assert_int_equal(address.port, row[i].port);
		assert_string_equal(address.transport, row[i].transport);
	}
}

struct top {
	char *timeout;
};

static const cyaml_schema_field_t top_fields[] = {
	CYAML_FIELD_STRING_PTR("timeout", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct top,
	                       timeout, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t top_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct top,
	                                                             top_fields) };

static void test_in_place(void **state)
{
	static const char text[] = "# comment\ntimeout: 10 s\n";
	struct config_address address;
	struct config_doc *doc;
	struct base_error err = { .rc = 0 };
	char told[800];
	uint64_t n = 1;
	void *ptr;

	(void)state;
	assert_int_equal(
	        config_load_text("t.yaml", text, strlen(text), &top_schema, &ptr, &doc, &err), 0);
	assert_int_equal(config_duration(doc, "timeout", NULL, 77, &n, &err), 0);
	assert_int_equal(n, 77);
	assert_int_equal(config_duration(doc, "timeout", "2s", 77, &n, &err), 0);
	assert_int_equal(n, 2000);
	assert_int_not_equal(
	        config_duration(doc, "timeout", ((struct top *)ptr)->timeout, 77, &n, &err), 0);
	assert_string_equal(base_error_format(&err, told, sizeof(told)),
	                    "t.yaml:2:10: '10 s' is no duration; write a whole number and ms, s, "
	                    "m, h or d, as in 250ms or 10s");
	assert_int_equal(config_size(doc, "timeout", NULL, 5, &n, &err), 0);
	assert_int_equal(n, 5);
	assert_int_not_equal(config_size(doc, "timeout", "10 s", 5, &n, &err), 0);
	assert_non_null(strstr(err.text, "'10 s' is no size"));
	assert_int_not_equal(config_address(doc, "timeout", "10 s", 5, &address, &err), 0);
	assert_non_null(strstr(err.text, "'10 s' is no address; write host:port"));
	assert_int_not_equal(config_address(doc, "timeout", NULL, 5, &address, &err), 0);
	config_free(&top_schema, ptr);
	config_doc_free(doc);
}

static void test_words(void **state)
{
	static const cyaml_strval_t table[] = { { "one", 1 }, { "two", 2 } };
	int64_t v = 0;

	(void)state;
	assert_int_equal(config_enum_find(table, 2, BASE_STR("two"), &v), 0);
	assert_int_equal(v, 2);
	assert_int_not_equal(config_enum_find(table, 2, BASE_STR("tw"), &v), 0);
	assert_string_equal(config_enum_name(table, 2, 1), "one");
	assert_string_equal(config_enum_name(table, 2, 9), "?");
}

static void test_guess(void **state)
{
	static const char *const known[] = { "listen", "profile", "tls-domains", "log" };
	static const struct {
		const char *word, *best;
	} row[] = {
		{ "lisen", "listen" },
		{ "lsiten", "listen" },
		{ "Listen", "listen" },
		{ "profiles", "profile" },
		{ "tls_domain", "tls-domains" },
		{ "logg", "log" },
		{ "xyz", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		struct config_guess guess = { .word = base_str_of(row[i].word) };

		for (size_t k = 0; k < BASE_COUNT(known); k++)
			config_guess_offer(&guess, known[k]);
		if (row[i].best)
			assert_string_equal(guess.best, row[i].best);
		else
			assert_null(guess.best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration), cmocka_unit_test(test_size),
		cmocka_unit_test(test_address),  cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_words),    cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
