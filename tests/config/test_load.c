/* SPDX-License-Identifier: Apache-2.0 */
/** @file The loader: what fits the schema, and where and why the rest does not. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

enum colour { RED, GREEN };

struct item {
	char *name;
	char *profile;
	enum colour colour;
};

struct top {
	char *listen;
	char *timeout;
	int16_t offset;
	uint8_t workers;
	bool verbose;
	double ratio;
	uint32_t sides;
	struct item *item;
	unsigned item_count;
};

static const cyaml_strval_t colours[] = { { "red", RED }, { "green", GREEN } };
static const cyaml_strval_t sides[] = { { "left", 1 }, { "right", 2 } };
static const cyaml_schema_field_t item_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct item, name, 1, 8),
	CYAML_FIELD_STRING_PTR("profile", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct item,
	                       profile, 0, CYAML_UNLIMITED),
	CYAML_FIELD_ENUM("colour", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct item, colour,
	                 colours, CYAML_ARRAY_LEN(colours)),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t item_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT,
	                                                              struct item, item_fields) };
static const cyaml_schema_field_t top_fields[] = {
	CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct top,
	                       listen, 0, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("timeout", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct top,
	                       timeout, 0, CYAML_UNLIMITED),
	CYAML_FIELD_INT("offset", CYAML_FLAG_OPTIONAL, struct top, offset),
	CYAML_FIELD_UINT("workers", CYAML_FLAG_OPTIONAL, struct top, workers),
	CYAML_FIELD_BOOL("verbose", CYAML_FLAG_OPTIONAL, struct top, verbose),
	CYAML_FIELD_FLOAT("ratio", CYAML_FLAG_OPTIONAL, struct top, ratio),
	CYAML_FIELD_FLAGS("sides", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct top, sides,
	                  sides, CYAML_ARRAY_LEN(sides)),
	CYAML_FIELD_SEQUENCE("items", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct top, item,
	                     &item_schema, 1, 3),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t top_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct top,
	                                                             top_fields) };

static const cyaml_schema_field_t strict_fields[] = {
	CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER, struct top, listen, 0,
	                       CYAML_UNLIMITED),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t strict_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct top, strict_fields) };

static int load(const char *text, struct top **ret, struct config_doc **ret_doc,
                struct base_error *err)
{
	void *out = NULL;
	int rc = config_load_text("mg.yaml", text, strlen(text), &top_schema, &out, ret_doc, err);

	if (!rc)
		*ret = out;
	return rc;
}

static void test_fits(void **state)
{
	struct base_error err = { .rc = 0 };
	struct top *top = NULL;

	(void)state;
	assert_int_equal(load("listen: 127.0.0.1:2944\noffset: -7\nworkers: 0x10\nverbose: on\n"
	                      "ratio: 0.5\nsides: [left, right]\n"
	                      "items:\n  - name: one\n    colour: green\n  - {name: two}\n",
	                      &top, NULL, &err),
	                 0);
	assert_string_equal(top->listen, "127.0.0.1:2944");
	assert_int_equal(top->offset, -7);
	assert_int_equal(top->workers, 16);
	assert_true(top->verbose);
	assert_true(top->ratio > 0.4 && top->ratio < 0.6);
	assert_int_equal(top->sides, 3);
	assert_int_equal(top->item_count, 2);
	assert_string_equal(top->item[0].name, "one");
	assert_int_equal(top->item[0].colour, GREEN);
	assert_null(top->item[1].profile);
	config_free(&top_schema, top);
	config_free(&top_schema, NULL);
}

static void test_empty(void **state)
{
	static const char *const text[] = { "", "# nothing\n", "---\n", "{}" };
	struct base_error err = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(text); i++) {
		struct top *top = NULL;

		/* "---" holds an empty value, which is no mapping */
		if (i == 2) {
			assert_int_not_equal(load(text[i], &top, NULL, &err), 0);
			continue;
		}
		assert_int_equal(load(text[i], &top, NULL, &err), 0);
		assert_non_null(top);
		assert_null(top->listen);
		config_free(&top_schema, top);
	}
}

/** Each wrong text and the whole of what a person is told. */
static const struct {
	const char *text, *told;
} wrong[] = {
	{ "lisen: x\n", "mg.yaml:1:1: unknown key 'lisen'; did you mean 'listen'?" },
	{ "items:\n  - name: a\n    colur: red\n",
	  "mg.yaml:3:5: unknown key 'colur'; did you mean 'colour'?" },
	{ "items:\n  - name: a\n    zzzzz: 1\n",
	  "mg.yaml:3:5: unknown key 'zzzzz'; known here: name, profile, colour" },
	{ "items:\n  - colour: red\n", "mg.yaml:2:5: key 'name' is missing in 'items'" },
	{ "items:\n  - name: ''\n", "mg.yaml:2:11: 'name' must have at least 1 characters" },
	{ "items: [{name: ninecharx}]\n",
	  "mg.yaml:1:16: 'name' must have at most 8 characters, found 9" },
	{ "items: [{name: a, colour: gren}]\n",
	  "mg.yaml:1:27: 'colour' must be one of red, green; found 'gren'; did you mean 'green'?" },
	{ "items: []\n", "mg.yaml:1:8: 'items' must have 1 to 3 entries, found 0" },
	{ "items:\n", "mg.yaml:1:7: 'items' must be a list, found nothing" },
	{ "items: {name: a}\n", "mg.yaml:1:8: 'items' must be a list, found a mapping" },
	{ "items: [a]\n",
	  "mg.yaml:1:9: 'items' must be a mapping of keys and values, found a plain value" },
	{ "workers: 256\n",
	  "mg.yaml:1:10: 'workers' must be a whole number from 0 to 255, found '256'" },
	{ "workers: -1\n",
	  "mg.yaml:1:10: 'workers' must be a whole number from 0 to 255, found '-1'" },
	{ "workers: 010\n",
	  "mg.yaml:1:10: 'workers' must be a whole number from 0 to 255, found '010'" },
	{ "offset: 5x\n",
	  "mg.yaml:1:9: 'offset' must be a whole number from -32768 to 32767, found '5x'" },
	{ "offset: 99999999999999999999\n", "mg.yaml:1:9: 'offset' must be a whole number from "
	                                    "-32768 to 32767, found '99999999999999999999'" },
	{ "verbose: ture\n", "mg.yaml:1:10: 'verbose' must be true or false, found 'ture'" },
	{ "ratio: 1/2\n", "mg.yaml:1:8: 'ratio' must be a number, found '1/2'" },
	{ "sides: [left, up]\n", "mg.yaml:1:15: 'sides' must be one of left, right; found 'up'" },
	{ "sides: left\n", "mg.yaml:1:8: 'sides' must be a list of words, found a plain value" },
	{ "listen: [a]\n", "mg.yaml:1:9: 'listen' must be a plain value, found a list" },
	{ "- a\n", "mg.yaml:1:1: the file must be a mapping of keys and values, found a list" },
	{ "listen: a\nlisten: b\n", "mg.yaml:2:1: key 'listen' occurs twice here; keep one" },
	{ "listen: &x a\n", "mg.yaml:1:9: anchors (&name) are not accepted; write the value out" },
	{ "listen: *x\n", "mg.yaml:1:9: aliases (*name) are not accepted; write the value out" },
	{ "listen: a\n---\nlisten: b\n",
	  "mg.yaml:2:1: a second document begins here; one file, one" },
	{ "[a]: b\n", "mg.yaml:1:1: a key must be a word, not a list or a mapping" },
	{ "listen: \"a\\0b\"\n", "mg.yaml:1:9: a NUL character in a value" },
	{ "listen:\n\t- a\n",
	  "mg.yaml:2:1: found character that cannot start any token, while scanning for the next "
	  "token; indent with spaces, YAML takes no tab there" },
	{ "listen: [a\n", "mg.yaml:2:1: did not find expected ',' or ']', while parsing a flow "
	                  "sequence; look at the "
	                  "indentation here and at the brackets and quotes before" },
	{ "listen: a\nworkers: \xff\n", "mg.yaml:2:10: invalid leading UTF-8 octet" },
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		struct base_error err = { .rc = 0 };
		struct top *top = NULL;
		char told[800];
		int rc = load(wrong[i].text, &top, NULL, &err);

		assert_int_equal(base_err_class(rc), BASE_CONFIG);
		assert_int_equal(err.rc, rc);
		assert_null(top);
		assert_string_equal(base_error_format(&err, told, sizeof(told)), wrong[i].told);
		assert_int_equal(load(wrong[i].text, &top, NULL, NULL), rc); /* err may be NULL */
	}
}

static void test_missing_at_top(void **state)
{
	struct base_error err = { .rc = 0 };
	char told[800];
	void *top;

	(void)state;
	assert_int_not_equal(config_load_text("x.yaml", "", 0, &strict_schema, &top, NULL, &err),
	                     0);
	assert_string_equal(base_error_format(&err, told, sizeof(told)),
	                    "x.yaml:1:1: key 'listen' is missing");
}

static void test_limits(void **state)
{
	struct base_writer w = { .data = NULL };
	struct base_error err = { .rc = 0 };
	struct top *top = NULL;

	(void)state;
	for (int i = 0; i < 40; i++)
		base_writer_text(&w, "[");
	assert_int_not_equal(load(base_writer_cstr(&w), &top, NULL, &err), 0);
	assert_string_equal(err.text, "nested deeper than 32 levels");
	assert_int_equal(err.column, 33);

	base_writer_reset(&w);
	base_writer_text(&w, "[");
	for (int i = 0; i < 100001; i++)
		base_writer_text(&w, "1,");
	base_writer_text(&w, "]");
	assert_int_not_equal(load(base_writer_cstr(&w), &top, NULL, &err), 0);
	assert_string_equal(err.text, "more than 100000 values");

	base_writer_reset(&w);
	for (int i = 0; i < 4097; i++)
		base_writer_printf(&w, "k%d: 1\n", i);
	assert_int_not_equal(load(base_writer_cstr(&w), &top, NULL, &err), 0);
	assert_string_equal(err.text, "more than 4096 keys in one mapping");
	assert_int_equal(err.line, 4097);

	base_writer_reset(&w);
	for (int i = 0; i < 1 << 18; i++)
		base_writer_text(&w, "#234\n");
	assert_int_not_equal(load(base_writer_cstr(&w), &top, NULL, &err), 0);
	assert_string_equal(err.text, "larger than 1048576 octets");
	base_writer_done(&w);
}

static void test_places(void **state)
{
	static const struct {
		const char *where;
		int found;
		unsigned line, column;
	} place[] = {
		{ "", 1, 1, 1 },
		{ "listen", 1, 1, 9 },
		{ "items", 1, 3, 3 },
		{ "items[0]", 1, 3, 5 },
		{ "items[1].profile", 1, 6, 14 },
		{ "items[1].colour", 0, 5, 5 }, /* not there: the deepest part that is */
		{ "items[7].profile", 0, 3, 3 },
		{ "items.profile", 0, 3, 3 },
		{ "nothing", 0, 1, 1 },
		{ "listen[x", 0, 1, 9 },
	};
	struct config_doc *doc = NULL;
	struct top *top = NULL;
	struct base_error err = { .rc = 0 };
	char told[800];

	(void)state;
	assert_int_equal(load("listen: a\nitems:\n  - name: one\n    profile: p\n"
	                      "  - name: two\n    profile: q\n",
	                      &top, &doc, &err),
	                 0);
	for (size_t i = 0; i < BASE_COUNT(place); i++) {
		unsigned line, column;
		int rc = config_place(doc, place[i].where, &line, &column);

		assert_int_equal(rc == 0, place[i].found);
		assert_int_equal(line, place[i].line);
		assert_int_equal(column, place[i].column);
	}
	assert_int_equal(config_refuse(doc, &err, "items[1].profile", "no profile is named '%s'",
	                               top->item[1].profile),
	                 BASE_ERR(BASE_CONFIG, 0));
	assert_string_equal(base_error_format(&err, told, sizeof(told)),
	                    "mg.yaml:6:14: no profile is named 'q'");
	assert_string_equal(config_doc_file(doc), "mg.yaml");
	config_free(&top_schema, top);
	config_doc_free(doc);
	config_doc_free(NULL);
}

/** A file of the test's own, removed by the caller. */
static void write_file(char *path, const char *text, mode_t mode)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_file(void **state)
{
	char path[] = "/tmp/gatehouse-test-XXXXXX";
	struct base_error err = { .rc = 0 };
	struct base_arena arena = { .chunk = NULL };
	struct config_doc *doc;
	void *top;

	(void)state;
	write_file(path, "listen: here\n", 0600);
	assert_int_equal(config_load(path, &top_schema, &top, &doc, &err), 0);
	assert_string_equal(((struct top *)top)->listen, "here");
	assert_string_equal(config_doc_path(doc, "x.pem", &arena), "/tmp/x.pem");
	assert_string_equal(config_doc_path(doc, "/etc/x.pem", &arena), "/etc/x.pem");
	config_free(&top_schema, top);
	config_doc_free(doc);
	unlink(path);
	assert_int_not_equal(config_load(path, &top_schema, &top, NULL, &err), 0);
	assert_string_equal(err.text, "cannot open: No such file or directory");
	assert_string_equal(err.file, path);
	assert_int_equal(err.line, 0);
	assert_int_not_equal(config_load("/tmp", &top_schema, &top, NULL, &err), 0);
	assert_string_equal(err.text, "cannot read: Is a directory");
	base_arena_done(&arena);
}

typedef int read_fn(const char *path, struct base_secret *ret, struct base_error *err);

struct secret_file {
	const char *text;
	mode_t mode;
	const char *told; /**< NULL = fine */
	const char *want; /**< what is in `ret` then; where it failed: still */
};

static void secrets_read(read_fn *read, const struct secret_file *file, size_t count)
{
	struct base_secret secret = { .data = NULL };
	struct base_error err = { .rc = 0 };

	for (size_t i = 0; i < count; i++) {
		char path[] = "/tmp/gatehouse-test-XXXXXX";
		int rc;

		write_file(path, file[i].text, file[i].mode);
		rc = read(path, &secret, &err);
		unlink(path);
		assert_int_equal(base_err_class(rc), file[i].told ? BASE_CONFIG : 0);
		if (file[i].told) {
			assert_string_equal(err.text, file[i].told);
			assert_string_equal(err.file, path);
		}
		assert_int_equal(secret.len, strlen(file[i].want));
		assert_memory_equal(secret.data, file[i].want, secret.len);
	}
	base_secret_done(&secret);
}

static void test_secret(void **state)
{
	static const char open[] = "a secret that others can read or write; chmod o-rwx it";
	static const char odd[] = "must hold an even number of hex digits and nothing else";
	static const struct secret_file file[] = {
		{ " 61ffA5\n", 0600, NULL, "a\xff\xa5" },
		{ "62ff", 0640, NULL, "b\xff" },
		{ "00ff", 0644, open, "b\xff" },
		{ "00ff", 0602, open, "b\xff" },
		{ "00f", 0600, odd, "b\xff" },
		{ "00fg", 0600, odd, "b\xff" },
		{ "\n", 0600, "no hex digits in it", "b\xff" },
	};

	(void)state;
	secrets_read(config_secret_read, file, BASE_COUNT(file));
}

static void test_password(void **state)
{
	static const struct secret_file file[] = {
		{ " in two words \r\n\n", 0600, NULL, " in two words " },
		{ "x", 0640, NULL, "x" },
		{ "y", 0604, "a secret that others can read or write; chmod o-rwx it", "x" },
		{ "\n", 0600, NULL, "" },
	};

	(void)state;
	secrets_read(config_password_read, file, BASE_COUNT(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),     cmocka_unit_test(test_empty),
		cmocka_unit_test(test_wrong),    cmocka_unit_test(test_missing_at_top),
		cmocka_unit_test(test_limits),   cmocka_unit_test(test_places),
		cmocka_unit_test(test_file),     cmocka_unit_test(test_secret),
		cmocka_unit_test(test_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
