/* SPDX-License-Identifier: Apache-2.0 */
/* Packages: the tables keep the rules for packages, and lookups and value checks answer with the
 * right error codes. */
#include "check.h"

#include "h248/h248.h"

static struct h248_name name(const char *package, const char *item)
{
	return (struct h248_name){ base_str_of(package), base_str_of(item) };
}

static const struct h248_package_item *item(enum h248_package_kind kind, const char *package,
                                            const char *id)
{
	const struct h248_package_item *row = NULL;

	assert_int_equal(h248_package_lookup(kind, name(package, id), NULL, &row, NULL), 0);
	assert_non_null(row);
	return row;
}

/* RFC 3525, 12.4: up to 64 characters, a letter first, then letters, digits, underscore. */
static void check_identifier(const char *id)
{
	size_t len = strlen(id);

	assert_in_range(len, 1, 64);
	assert_true((id[0] | 32) >= 'a' && (id[0] | 32) <= 'z');
	for (size_t i = 0; i < len; i++)
		assert_non_null(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		                       "0123456789_",
		                       id[i]));
}

static void check_values(const struct h248_package_values *values)
{
	if (values->bounded)
		assert_true(values->min <= values->max);
	assert_int_equal(values->type == H248_TYPE_ENUM, values->name_count > 0);
	for (size_t i = 0; i < values->name_count; i++) {
		for (size_t j = i + 1; j < values->name_count; j++) {
			assert_int_not_equal(values->names[i].number, values->names[j].number);
			assert_string_not_equal(values->names[i].name, values->names[j].name);
		}
	}
	if (values->initial) {
		struct h248_value v = { base_str_of(values->initial), NULL, false };

		assert_int_equal(h248_package_value_check(values, H248_FORM_EQUAL, &v, 1, NULL), 0);
	}
}

static void check_mark(uint8_t mark)
{
	assert_non_null(strchr("VDRP", mark));
	assert_int_not_equal(mark, 0);
}

/* Names that a parameter of an event or signal may not have (RFC 3525, 12.2). */
static bool reserved(const char *id)
{
	static const char *const words[] = { "ST", "Stream",     "SY", "SignalType",
		                             "DR", "Duration",   "NC", "NotifyCompletion",
		                             "KA", "Keepactive", "EB", "Embed",
		                             "DM", "DigitMap" };

	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (base_str_ieq(base_str_of(words[i]), base_str_of(id)))
			return true;
	}
	return !strncasecmp(id, "EPA", 3) || !strncasecmp(id, "SPA", 3);
}

static void check_params(const struct h248_package_param *params, size_t count)
{
	assert_true(count <= 64);
	for (size_t i = 0; i < count; i++) {
		check_identifier(params[i].name);
		check_mark(params[i].mark);
		check_values(&params[i].values);
		assert_false(reserved(params[i].name));
		assert_non_null(params[i].about);
		assert_int_not_equal(params[i].id, 0);
		for (size_t j = i + 1; j < count; j++) {
			assert_int_not_equal(params[i].id, params[j].id);
			assert_false(base_str_ieq(base_str_of(params[i].name),
			                          base_str_of(params[j].name)));
		}
	}
}

static void check_item(const struct h248_package_item *row)
{
	check_identifier(row->name);
	check_mark(row->mark);
	check_values(&row->values);
	check_params(row->params, row->param_count);
	check_params(row->observed, row->observed_count);
	assert_non_null(row->source);
	assert_non_null(row->about);
	assert_int_equal(row->kind == H248_PROPERTY, row->where != 0);
	assert_int_equal(row->kind == H248_PROPERTY, row->access != 0);
	assert_int_equal(row->kind == H248_PROPERTY || row->kind == H248_STATISTIC,
	                 row->values.type != H248_TYPE_NONE);
	assert_true(row->kind == H248_EVENT || !row->observed_count);
}

static void tables_keep_the_rules(void **state)
{
	const struct h248_package *p, *before = NULL;

	(void)state;
	for (size_t i = 0; (p = h248_package_at(i)); before = p, i++) {
		check_identifier(p->name);
		check_mark(p->mark);
		assert_in_range(p->version, 1, 99);
		assert_non_null(p->title);
		assert_non_null(p->source);
		assert_true(!before || before->id < p->id);
		assert_ptr_equal(h248_package_find(base_str_of(p->name)), p);
		assert_ptr_equal(h248_package_by_id(p->id), p);
		assert_true(p->id < 0x8000 || strlen(p->name) >= 8); /* 13.1 */
		for (size_t j = 0; j < p->item_count; j++) {
			const struct h248_package_item *row = &p->items[j];
			enum h248_package_kind kind = (enum h248_package_kind)row->kind;

			check_item(row);
			/* found by both ids means: neither is there twice */
			assert_ptr_equal(h248_package_item_find(p, kind, base_str_of(row->name)),
			                 row);
			assert_ptr_equal(h248_package_item_by_id(p, kind, row->id), row);
		}
	}
	assert_null(h248_package_at(1000));
}

/* Numbers that are certain: the IANA registry and RFC 3525, Annex E. */
static void registered_numbers(void **state)
{
	static const struct {
		const char *name;
		uint16_t id;
		uint8_t version;
	} want[] = { { "g", 0x0001, 2 },
		     { "root", 0x0002, 2 },
		     { "nt", 0x000b, 1 },
		     { "rtp", 0x000c, 1 },
		     { "chp", 0x0029, 1 },
		     { "it", 0x0045, 1 },
		     { "ocp", 0x0051, 1 },
		     { "ds", 0x008b, 2 },
		     { "gm", 0x008c, 2 },
		     { "tman", 0x008d, 1 },
		     { "hangterm", 0x0098, 1 },
		     { "ipnapt", 0x0099, 1 },
		     { "nb", 0x009a, 1 },
		     { "adid", 0x009c, 1 },
		     { "ipdc", 0x009d, 2 },
		     { "seg", 0x00a3, 1 },
		     { "rtcph", 0x00b5, 1 },
		     { "sdpr", 0x00bb, 1 },
		     { "sdpc", 0x00bc, 1 },
		     { "ipra", 0x00e0, 1 },
		     { "tcptv", 0x010f, 1 },
		     { "tcpbcc", 0x0115, 1 },
		     { "tcprm", 0x0116, 1 },
		     { "tlsbsc", 0x0117, 1 },
		     { "tlscn", 0x0118, 1 },
		     { "tlsm", 0x0119, 1 },
		     { "tlstv", 0x011a, 1 },
		     { "seplink", 0x011b, 1 },
		     { "dtlscn", 0x011e, 1 },
		     { "gatehouse", 0x9A7E, 1 },
		     { "gatehouse_msrp", 0x9A7F, 1 },
		     { "gatehouse_bfcp", 0x9A80, 1 } };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(want); i++) {
		const struct h248_package *p = h248_package_find(base_str_of(want[i].name));

		assert_non_null(p);
		assert_int_equal(p->id, want[i].id);
		assert_int_equal(p->version, want[i].version);
	}
	assert_null(h248_package_at(BASE_COUNT(want)));
	assert_int_equal(item(H248_PROPERTY, "nt", "jit")->id, 7);
	assert_int_equal(item(H248_EVENT, "g", "SC")->id, 2);
	assert_int_equal(item(H248_STATISTIC, "NT", "Or")->id, 3);
}

static int lookup(enum h248_package_kind kind, const char *package, const char *id)
{
	struct base_error err = { 0 };
	int rc = h248_package_lookup(kind, name(package, id), NULL, NULL, &err);

	assert_int_equal(err.rc, rc);
	assert_null(strchr(err.text, '"'));
	return rc ? (int)base_err_detail(rc) : 0;
}

static void unknown_names(void **state)
{
	(void)state;
	assert_int_equal(lookup(H248_PROPERTY, "nosuch", "jit"), 440);
	assert_int_equal(lookup(H248_PROPERTY, "nt", "os"), 450);
	assert_int_equal(lookup(H248_EVENT, "nt", "\"jit\n"), 451);
	assert_int_equal(lookup(H248_SIGNAL, "tcpbcc", "BNCChange"), 452);
	assert_int_equal(lookup(H248_STATISTIC, "nt", "jit"), 453);
	assert_int_equal(lookup(H248_SIGNAL, "TCPBCC", "estbnc"), 0);
	assert_null(h248_package_by_id(0));
	assert_null(h248_package_item_by_id(h248_package_find(BASE_STR("nt")), H248_EVENT, 1));
}

static size_t count(enum h248_package_kind kind, const char *package, const char *id)
{
	struct h248_package_walk walk;
	const struct h248_package_item *row;
	size_t n = 0;

	h248_package_walk_start(&walk, kind, name(package, id));
	while ((row = h248_package_walk_next(&walk))) {
		assert_int_equal(row->kind, kind);
		assert_ptr_equal(h248_package_item_find(walk.of, kind, base_str_of(row->name)),
		                 row);
		n++;
	}
	assert_null(h248_package_walk_next(&walk));
	return n;
}

static void wildcards(void **state)
{
	(void)state;
	assert_int_equal(count(H248_STATISTIC, "nt", "*"), 3);
	assert_int_equal(count(H248_STATISTIC, "*", "OIN"), 2);
	assert_int_equal(count(H248_STATISTIC, "*", "*"), 3 + 5 + 1 + 2 + 1 + 4 + 9 + 2 + 2);
	assert_int_equal(count(H248_EVENT, "*", "BNCChange"), 2);
	assert_int_equal(count(H248_PROPERTY, "root", "*"), 8);
	assert_int_equal(count(H248_PROPERTY, "root", "nosuch"), 0);
	assert_int_equal(count(H248_PROPERTY, "nosuch", "*"), 0);
}

static int set(const char *package, const char *id, enum h248_package_where where,
               enum h248_form form, const char *a, const char *b, bool quoted)
{
	struct h248_value second = { base_str_of(b), NULL, quoted };
	struct h248_value first = { base_str_of(a), b ? &second : NULL, quoted };
	struct base_error err = { 0 };
	int rc = h248_package_property_check(item(H248_PROPERTY, package, id), where, form, &first,
	                                     &err);

	assert_int_equal(err.rc, rc);
	assert_null(strstr(err.text, "c0ffeX")); /* see secrets_stay_out_of_texts */
	return rc ? (int)base_err_detail(rc) : 0;
}

#define LC H248_IN_LOCAL_CONTROL
#define TS H248_IN_TERMINATION_STATE
#define EQ H248_FORM_EQUAL

static void properties(void **state)
{
	(void)state;
	assert_int_equal(set("nt", "jit", LC, EQ, "40", NULL, false), 0);
	assert_int_equal(set("nt", "jit", LC, EQ, "0x28", NULL, false), 0);
	assert_int_equal(set("nt", "jit", LC, EQ, "$", NULL, false), 0);
	assert_int_equal(set("nt", "jit", LC, EQ, "$", NULL, true), 449);
	assert_int_equal(set("nt", "jit", LC, EQ, "40", NULL, true), 449);
	assert_int_equal(set("nt", "jit", LC, EQ, "-1", NULL, false), 449);
	assert_int_equal(set("nt", "jit", LC, EQ, "2147483648", NULL, false), 449);
	assert_int_equal(set("nt", "jit", LC, EQ, "99999999999999999999", NULL, false), 449);
	assert_int_equal(set("nt", "jit", LC, EQ, "", NULL, false), 449);
	assert_int_equal(set("nt", "jit", LC, EQ, "4 0", NULL, false), 449);
	assert_int_equal(set("nt", "jit", LC, H248_FORM_NONE, "", NULL, false), 449);
	assert_int_equal(set("nt", "jit", LC, H248_FORM_RANGE, "10", "40", false), 0);
	assert_int_equal(set("nt", "jit", LC, H248_FORM_RANGE, "40", "10", false), 449);
	assert_int_equal(set("nt", "jit", LC, H248_FORM_RANGE, "40", NULL, false), 449);
	assert_int_equal(set("seplink", "link", LC, H248_FORM_RANGE, "off", "tcp", false), 449);
	assert_int_equal(set("nt", "jit", LC, H248_FORM_OR, "10", "40", false), 0);
	assert_int_equal(set("nt", "jit", LC, H248_FORM_AND, "10", "40", false), 449);
	assert_int_equal(set("nt", "jit", LC, H248_FORM_LESS, "10", NULL, false), 0);
	assert_int_equal(set("nt", "jit", LC, EQ, "10", "40", false), 449);
	assert_int_equal(set("nt", "jit", TS, EQ, "40", NULL, false), 455);
	assert_int_equal(set("root", "maxNumberOfContexts", TS, EQ, "40", NULL, false), 534);
	assert_int_equal(set("gatehouse", "ver", LC, EQ, "x", NULL, true), 534);
	assert_int_equal(set("seplink", "link", LC, EQ, "TCP+TLS", NULL, false), 0);
	assert_int_equal(set("seplink", "link", LC, EQ, "udp", NULL, false), 449);
	assert_int_equal(set("seplink", "link", LC, H248_FORM_GREATER, "tcp", NULL, false), 449);
	assert_int_equal(set("gatehouse", "dom", LC, EQ, "core net", NULL, true), 0);
	assert_int_equal(set("gatehouse", "dom", LC, EQ, "core", NULL, false), 0);
	assert_int_equal(set("gatehouse", "dom", LC, EQ, "", NULL, true), 449);
	assert_int_equal(set("gatehouse", "psk", LC, EQ, "C0ffee", NULL, false), 0);
	assert_int_equal(set("gatehouse", "psk", LC, H248_FORM_AND, "00", "11", true), 0);
}

/* The key's text, right or wrong, never gets into an error that is sent or logged. */
static void secrets_stay_out_of_texts(void **state)
{
	const struct h248_package_item *psk = item(H248_PROPERTY, "gatehouse", "psk");

	(void)state;
	assert_int_equal(psk->access, H248_WRITE);
	assert_int_equal(set("gatehouse", "psk", LC, EQ, "c0ffeX", NULL, false), 449);
	assert_int_equal(set("gatehouse", "psk", LC, EQ, "c0ffeX", NULL, true), 449);
	assert_int_equal(set("gatehouse", "psk", LC, EQ, "c0f", NULL, false), 449);
	assert_int_equal(set("gatehouse", "psk", TS, EQ, "c0ffeX", NULL, false), 455);
}

static int params(const struct h248_package_item *row, const char *a, const char *a_value,
                  const char *b, const char *b_value)
{
	struct h248_parm second = { NULL, name("", b), { base_str_of(b_value), NULL, false }, EQ };
	struct h248_parm first = {
		b ? &second : NULL, name("", a), { base_str_of(a_value), NULL, false }, EQ
	};
	struct base_error err = { 0 };
	int rc = h248_package_params_check(row, a ? &first : NULL, &err);

	assert_int_equal(err.rc, rc);
	return rc ? (int)base_err_detail(rc) : 0;
}

static void parameters(void **state)
{
	const struct h248_package_item *ito = item(H248_EVENT, "it", "ito");
	const struct h248_package_item *rel = item(H248_SIGNAL, "tlsbsc", "RelBNC");
	const struct h248_package_item *change = item(H248_EVENT, "tlsbsc", "BNCChange");

	(void)state;
	assert_int_equal(params(ito, "MIT", "2100", NULL, NULL), 0);
	assert_int_equal(params(ito, NULL, NULL, NULL, NULL), 457);
	assert_int_equal(params(ito, "mit", "soon", NULL, NULL), 454);
	assert_int_equal(params(ito, "mit", "1", "tim", "1"), 446);
	assert_int_equal(params(ito, "mit", "1", "mit", "1"), 456);
	assert_int_equal(params(rel, NULL, NULL, NULL, NULL), 0);
	assert_int_equal(params(rel, "GenCause", "nr", "Reset", "ON"), 0);
	assert_int_equal(params(rel, "Reset", "yes", NULL, NULL), 454);
	assert_int_equal(params(change, "Type", "Est", NULL, NULL), 0);
	assert_int_equal(params(change, "Alert", "40", NULL, NULL), 446); /* observed only */
	assert_int_equal(h248_package_param_find(change, H248_OBSERVED, BASE_STR("alert"))->id, 2);
	assert_ptr_equal(h248_package_param_by_id(change, H248_OBSERVED, 2),
	                 h248_package_param_find(change, H248_OBSERVED, BASE_STR("Alert")));
	assert_null(h248_package_param_by_id(change, H248_PARAMS, 2));
}

static void numbers_and_letters(void **state)
{
	static const struct h248_package_values wide = { .type = H248_TYPE_DOUBLE };
	static const struct h248_package_values letter = { .type = H248_TYPE_CHARACTER };
	static const struct {
		const struct h248_package_values *values;
		const char *text;
		bool ok;
		int64_t number;
	} rows[] = {
		{ &wide, "9223372036854775807", true, INT64_MAX },
		{ &wide, "9223372036854775808", false, 0 },
		{ &wide, "-9223372036854775808", true, INT64_MIN },
		{ &wide, "-9223372036854775809", false, 0 },
		{ &wide, "0x7FFFFFFFFFFFFFFF", true, INT64_MAX },
		{ &wide, "0x8000000000000000", false, 0 },
		{ &wide, "-0x1", false, 0 },
		{ &wide, "0x", false, 0 },
		{ &wide, "-", false, 0 },
		{ &wide, "+1", false, 0 },
		{ &wide, "1a", false, 0 },
		{ &letter, "a", true, 0 },
		{ &letter, "\xc3\xa9", true, 0 },
		{ &letter, "\xf0\x9f\x94\x92", true, 0 },
		{ &letter, "ab", false, 0 },
		{ &letter, "\xc3", false, 0 },
		{ &letter, "\xc3z", false, 0 },
		{ &letter, "\xa9", false, 0 },
		{ &letter, "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct h248_value v = { base_str_of(rows[i].text), NULL, false };
		struct h248_package_value got = { 0 };
		int rc = h248_package_value_parse(rows[i].values, &v, 449, &got, NULL);

		assert_int_equal(rc == 0, rows[i].ok);
		if (rc == 0)
			assert_true(got.number == rows[i].number);
	}
}

static void enums_and_octets(void **state)
{
	const struct h248_package_item *link = item(H248_PROPERTY, "seplink", "link");
	uint8_t octets[4];
	size_t len = 0;

	(void)state;
	assert_string_equal(h248_package_enum_name(&link->values, H248_LINK_TCP_TLS), "tcp+tls");
	assert_null(h248_package_enum_name(&link->values, 99));
	/* RFC 3525, B.3: the nibble with bit 7 first, so the usual notation. */
	assert_int_equal(h248_package_octets(BASE_STR("D827"), octets, sizeof(octets), &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(octets[0], 0xd8);
	assert_int_not_equal(h248_package_octets(BASE_STR("D8271"), octets, sizeof(octets), &len),
	                     0);
	assert_true(h248_package_type_quoted(H248_TYPE_STRING));
	assert_false(h248_package_type_quoted(H248_TYPE_ENUM));
	assert_string_equal(h248_package_type_name(H248_TYPE_ENUM), "enumeration");
	assert_string_equal(h248_package_kind_name(H248_SIGNAL), "signal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_keep_the_rules),
		cmocka_unit_test(registered_numbers),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(wildcards),
		cmocka_unit_test(properties),
		cmocka_unit_test(parameters),
		cmocka_unit_test(secrets_stay_out_of_texts),
		cmocka_unit_test(numbers_and_letters),
		cmocka_unit_test(enums_and_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
