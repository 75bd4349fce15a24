/* SPDX-License-Identifier: Apache-2.0 */
#include "config/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/** How much of a wrong value is shown. */
#define SHOWN 64

struct checking {
	const struct config_doc *doc;
	struct base_error *err;
};

static int check_value(struct checking *c, const cyaml_schema_value_t *schema,
                       const struct config_node *node, const char *key);

static const char *kind_name(const struct config_node *node)
{
	switch (node->kind) {
	case CONFIG_SEQUENCE:
		return "a list";
	case CONFIG_MAPPING:
		return "a mapping";
	default:
		return node->text.len ? "a plain value" : "nothing";
	}
}

static int refuse_kind(struct checking *c, const struct config_node *node, const char *key,
                       const char *expected)
{
	if (!*key)
		return config_refuse_at(c->doc, c->err, node->line, node->column,
		                        "the file must be %s, found %s", expected, kind_name(node));
	return config_refuse_at(c->doc, c->err, node->line, node->column,
	                        "'%s' must be %s, found %s", key, expected, kind_name(node));
}

static int refuse_text(struct checking *c, const struct config_node *node, const char *key,
                       const char *expected)
{
	return config_refuse_at(c->doc, c->err, node->line, node->column,
	                        "'%s' must be %s, found '%.*s'", key, expected,
	                        (int)BASE_MIN(node->text.len, (size_t)SHOWN), node->text.ptr);
}

static bool key_matches(const cyaml_schema_value_t *mapping, const char *key, struct base_str word)
{
	if (mapping->flags & CYAML_FLAG_CASE_INSENSITIVE)
		return base_str_ieq(base_str_of(key), word);
	return base_str_eq(base_str_of(key), word);
}

static int refuse_key(struct checking *c, const cyaml_schema_value_t *schema,
                      const struct config_node *node)
{
	struct config_guess guess = { .word = node->key };
	char text[sizeof(c->err->text)];
	struct base_writer w = base_writer_over(text, sizeof(text));

	for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key; f++)
		config_guess_offer(&guess, f->key);
	base_writer_printf(&w, "unknown key '%.*s'", (int)BASE_MIN(node->key.len, (size_t)SHOWN),
	                   node->key.ptr);
	config_guess_print(&guess, &w);
	if (!guess.best) {
		const char *sep = "; known here: ";

		for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key; f++) {
			base_writer_printf(&w, "%s%s", sep, f->key);
			sep = ", ";
		}
	}
	return config_refuse_at(c->doc, c->err, node->key_line, node->key_column, "%.*s",
	                        (int)w.len, text);
}

static int check_mapping(struct checking *c, const cyaml_schema_value_t *schema,
                         const struct config_node *node, const char *key)
{
	const cyaml_schema_field_t *f;
	const struct config_node *n;
	int rc;

	if (node->kind != CONFIG_MAPPING)
		return refuse_kind(c, node, key, "a mapping of keys and values");
	for (n = node->child; n; n = n->next) {
		for (f = schema->mapping.fields; f->key; f++) {
			if (key_matches(schema, f->key, n->key))
				break;
		}
		if (!f->key)
			return refuse_key(c, schema, n);
		rc = check_value(c, &f->value, n, f->key);
		if (rc)
			return rc;
	}
	for (f = schema->mapping.fields; f->key; f++) {
		if (f->value.flags & CYAML_FLAG_OPTIONAL)
			continue;
		for (n = node->child; n && !key_matches(schema, f->key, n->key); n = n->next)
			;
		if (!n)
			return config_refuse_at(c->doc, c->err, node->line, node->column,
			                        "key '%s' is missing%s%s%s", f->key,
			                        *key ? " in '" : "", key, *key ? "'" : "");
	}
	return 0;
}

static int check_sequence(struct checking *c, const cyaml_schema_value_t *schema,
                          const struct config_node *node, const char *key)
{
	uint32_t min = schema->sequence.min, max = schema->sequence.max;
	int rc;

	if (node->kind != CONFIG_SEQUENCE)
		return refuse_kind(c, node, key, "a list");
	if (node->count < min || node->count > max) {
		if (max == CYAML_UNLIMITED)
			return config_refuse_at(c->doc, c->err, node->line, node->column,
			                        "'%s' must have at least %u entries, found %zu",
			                        key, min, node->count);
		return config_refuse_at(c->doc, c->err, node->line, node->column,
		                        "'%s' must have %u to %u entries, found %zu", key, min, max,
		                        node->count);
	}
	for (const struct config_node *n = node->child; n; n = n->next) {
		rc = check_value(c, schema->sequence.entry, n, key);
		if (rc)
			return rc;
	}
	return 0;
}

/** Decimal without a leading zero, or 0x and hex digits; a sign where `is_signed`. */
static bool number_looks_right(struct base_str text, bool is_signed)
{
	const char *p = text.ptr, *end = text.ptr + text.len;

	if (is_signed && p < end && *p == '-')
		p++;
	if (end - p > 2 && p[0] == '0' && p[1] == 'x')
		return strspn(p + 2, "0123456789abcdefABCDEF") == (size_t)(end - p - 2);
	if (p == end || (end - p > 1 && *p == '0'))
		return false;
	return strspn(p, "0123456789") == (size_t)(end - p);
}

static int check_int(struct checking *c, const cyaml_schema_value_t *schema,
                     const struct config_node *node, const char *key)
{
	unsigned bits = 8 * BASE_MIN(schema->data_size, 8U);
	int64_t max = INT64_MAX >> (64 - bits), min = -max - 1;
	char expected[80];
	long long v;

	(void)snprintf(expected, sizeof(expected), "a whole number from %lld to %lld",
	               (long long)min, (long long)max);
	if (!number_looks_right(node->text, true))
		return refuse_text(c, node, key, expected);
	errno = 0;
	v = strtoll(node->text.ptr, NULL, 0);
	return errno || v < min || v > max ? refuse_text(c, node, key, expected) : 0;
}

static int check_uint(struct checking *c, const cyaml_schema_value_t *schema,
                      const struct config_node *node, const char *key)
{
	unsigned bits = 8 * BASE_MIN(schema->data_size, 8U);
	uint64_t max = UINT64_MAX >> (64 - bits);
	char expected[80];
	unsigned long long v;

	(void)snprintf(expected, sizeof(expected), "a whole number from 0 to %llu",
	               (unsigned long long)max);
	if (!number_looks_right(node->text, false))
		return refuse_text(c, node, key, expected);
	errno = 0;
	v = strtoull(node->text.ptr, NULL, 0);
	return errno || v > max ? refuse_text(c, node, key, expected) : 0;
}

static int check_bool(struct checking *c, const struct config_node *node, const char *key)
{
	static const char *const word[] = { "true", "false", "yes", "no", "on", "off" };

	for (size_t i = 0; i < BASE_COUNT(word); i++) {
		if (base_str_ieq(node->text, base_str_of(word[i])))
			return 0;
	}
	return refuse_text(c, node, key, "true or false");
}

static int check_float(struct checking *c, const struct config_node *node, const char *key)
{
	char *end;

	(void)strtod(node->text.ptr, &end);
	return node->text.len && !*end ? 0 : refuse_text(c, node, key, "a number");
}

static int check_word(struct checking *c, const cyaml_schema_value_t *schema,
                      const struct config_node *node, const char *key)
{
	const cyaml_strval_t *table = schema->enumeration.strings;
	struct config_guess guess = { .word = node->text };
	char text[sizeof(c->err->text)];
	struct base_writer w = base_writer_over(text, sizeof(text));

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		if (base_str_eq(node->text, base_str_of(table[i].str)))
			return 0;
		config_guess_offer(&guess, table[i].str);
	}
	base_writer_printf(&w, "'%s' must be one of ", key);
	for (uint32_t i = 0; i < schema->enumeration.count; i++)
		base_writer_printf(&w, "%s%s", i ? ", " : "", table[i].str);
	base_writer_printf(&w, "; found '%.*s'", (int)BASE_MIN(node->text.len, (size_t)SHOWN),
	                   node->text.ptr);
	config_guess_print(&guess, &w);
	return config_refuse_at(c->doc, c->err, node->line, node->column, "%.*s", (int)w.len, text);
}

static int check_flags(struct checking *c, const cyaml_schema_value_t *schema,
                       const struct config_node *node, const char *key)
{
	int rc;

	if (node->kind != CONFIG_SEQUENCE)
		return refuse_kind(c, node, key, "a list of words");
	for (const struct config_node *n = node->child; n; n = n->next) {
		if (n->kind != CONFIG_SCALAR)
			return refuse_kind(c, n, key, "a list of words");
		rc = check_word(c, schema, n, key);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_string(struct checking *c, const cyaml_schema_value_t *schema,
                        const struct config_node *node, const char *key)
{
	if (node->text.len < schema->string.min)
		return config_refuse_at(c->doc, c->err, node->line, node->column,
		                        "'%s' must have at least %u characters", key,
		                        schema->string.min);
	if (node->text.len > schema->string.max)
		return config_refuse_at(c->doc, c->err, node->line, node->column,
		                        "'%s' must have at most %u characters, found %zu", key,
		                        schema->string.max, node->text.len);
	return 0;
}

static int check_scalar(struct checking *c, const cyaml_schema_value_t *schema,
                        const struct config_node *node, const char *key)
{
	if (node->kind != CONFIG_SCALAR)
		return refuse_kind(c, node, key, "a plain value");
	switch (schema->type) {
	case CYAML_INT:
		return check_int(c, schema, node, key);
	case CYAML_UINT:
		return check_uint(c, schema, node, key);
	case CYAML_BOOL:
		return check_bool(c, node, key);
	case CYAML_ENUM:
		return check_word(c, schema, node, key);
	case CYAML_FLOAT:
		return check_float(c, node, key);
	case CYAML_STRING:
		return check_string(c, schema, node, key);
	default:
		return 0; /* libcyaml decides */
	}
}

static int check_value(struct checking *c, const cyaml_schema_value_t *schema,
                       const struct config_node *node, const char *key)
{
	bool null_is_fine = (schema->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL;

	if (null_is_fine && node->kind == CONFIG_SCALAR && !node->text.len && !node->quoted)
		return 0;
	switch (schema->type) {
	case CYAML_MAPPING:
		return check_mapping(c, schema, node, key);
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return check_sequence(c, schema, node, key);
	case CYAML_FLAGS:
		return check_flags(c, schema, node, key);
	case CYAML_IGNORE:
	case CYAML_BITFIELD:
		return 0; /* libcyaml decides */
	default:
		return check_scalar(c, schema, node, key);
	}
}

int config_schema_check(const struct config_doc *doc, const cyaml_schema_value_t *schema,
                        struct base_error *err)
{
	static const struct config_node nothing = { .kind = CONFIG_MAPPING,
		                                    .line = 1,
		                                    .column = 1 };
	struct checking c = { doc, err };

	return check_value(&c, schema, doc->root ? doc->root : &nothing, "");
}
