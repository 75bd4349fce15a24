/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/mikey.h"

static void object_print(FILE *to, const json_t *object, unsigned indent);

static void list_print(FILE *to, const char *name, const json_t *list, unsigned indent)
{
	if (json_array_size(list) == 0) {
		fprintf(to, "%*s%s: none\n", (int)indent, "", name);
		return;
	}
	fprintf(to, "%*s%s:\n", (int)indent, "", name);
	for (size_t i = 0; i < json_array_size(list); i++)
		object_print(to, json_array_get(list, i), indent + 2);
}

static void value_print(FILE *to, const char *name, const json_t *value, unsigned indent)
{
	if (json_is_array(value)) {
		list_print(to, name, value, indent);
		return;
	}
	fprintf(to, "%*s%s: ", (int)indent, "", name);
	if (json_is_string(value))
		fprintf(to, "%s\n", json_string_length(value) ? json_string_value(value) : "none");
	else if (json_is_integer(value))
		fprintf(to, "%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
	else
		fprintf(to, "%s\n", json_is_true(value) ? "yes" : "no");
}

/* The first field is what it is; the others are indented under it. */
static void object_print(FILE *to, const json_t *object, unsigned indent)
{
	/* jansson's iterators take what they do not change as changeable */
	void *at = json_object_iter((json_t *)object);
	bool first = true;

	for (; at; at = json_object_iter_next((json_t *)object, at)) {
		const char *name = json_object_iter_key(at);
		const json_t *value = json_object_iter_value(at);

		if (first && (strcmp(name, "payload") == 0 || strcmp(name, "message") == 0))
			fprintf(to, "%*s%s\n", (int)indent, "", json_string_value(value));
		else
			value_print(to, name, value, first ? indent : indent + 2);
		first = false;
	}
}

void mikey_words(FILE *to, const json_t *object)
{
	object_print(to, object, 0);
}
