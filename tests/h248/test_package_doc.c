/* SPDX-License-Identifier: Apache-2.0 */
/* docs/packages.md is printed from the tables. UPDATE=1 in the environment rewrites it. */
#include "check.h"

#include "h248/h248.h"

static void put_values(struct base_writer *w, const struct h248_package_values *values)
{
	if (values->sublist)
		base_writer_text(w, "list of ");
	base_writer_text(w, h248_package_type_name((enum h248_package_type)values->type));
	for (size_t i = 0; i < values->name_count; i++)
		base_writer_printf(w, "%s`%s` %u", i ? ", " : ": ", values->names[i].name,
		                   (unsigned)values->names[i].number);
	if (values->bounded) {
		bool length = values->type == H248_TYPE_STRING || values->type == H248_TYPE_OCTETS;

		base_writer_printf(w, ", %lld", (long long)values->min);
		if (values->max == INT64_MAX || values->max == INT32_MAX)
			base_writer_text(w, " and up");
		else
			base_writer_printf(w, " to %lld%s", (long long)values->max,
			                   length ? " octets" : "");
	}
	if (values->initial)
		base_writer_printf(w, "; default `%s`", values->initial);
}

static void put_where(struct base_writer *w, const struct h248_package_item *item)
{
	static const struct {
		unsigned bit;
		const char *text;
	} places[] = {
		{ H248_IN_TERMINATION_STATE, "TerminationState" },
		{ H248_IN_LOCAL_CONTROL, "LocalControl" },
		{ H248_IN_CONTEXT_ATTR, "ContextAttr" },
		{ H248_IN_LOCAL_REMOTE, "Local, Remote" },
	};
	const char *sep = "";

	for (size_t i = 0; i < BASE_COUNT(places); i++) {
		if (!(item->where & places[i].bit))
			continue;
		base_writer_printf(w, "%s%s", sep, places[i].text);
		sep = ", ";
	}
	base_writer_text(w, item->access == H248_READ    ? "; read only. "
	                    : item->access == H248_WRITE ? "; write only. "
	                                                 : "; read, write. ");
}

static void put_params(struct base_writer *w, const char *kind,
                       const struct h248_package_param *params, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		base_writer_printf(w, "| %s | `%s` | 0x%04x | ", kind, params[i].name,
		                   params[i].id);
		put_values(w, &params[i].values);
		base_writer_printf(w, " | %s%s | %c | |\n", params[i].about,
		                   params[i].required ? " Required." : "", params[i].mark);
	}
}

static void put_item(struct base_writer *w, const struct h248_package_item *item)
{
	static const char *const signal_types[] = { "brief", "on/off", "timeout" };

	base_writer_printf(w, "| %s | `%s` | 0x%04x | ",
	                   h248_package_kind_name((enum h248_package_kind)item->kind), item->name,
	                   item->id);
	if (item->kind == H248_SIGNAL)
		base_writer_text(w, signal_types[item->signal_type]);
	put_values(w, &item->values);
	base_writer_text(w, " | ");
	if (item->kind == H248_PROPERTY)
		put_where(w, item);
	base_writer_printf(w, "%s | %c | %s |\n", item->about, item->mark, item->source);
	put_params(w, item->kind == H248_EVENT ? "– in Events" : "– parameter", item->params,
	           item->param_count);
	put_params(w, "– in ObservedEvents", item->observed, item->observed_count);
}

static void put_document(struct base_writer *w)
{
	const struct h248_package *p;

	base_writer_text(
	        w,
	        "# H.248 packages\n\n"
	        "Printed from the tables in `src/h248/package_published.c` and "
	        "`src/h248/package_unpublished*.c` by the test `h248/package_doc`;\n"
	        "after a change of a table run it with `UPDATE=1` in the environment.\n\n"
	        "The mark of a row tells how sure it is: **V** seen verbatim in a source, **D** "
	        "derived from what was seen,\n"
	        "**R** recalled and not found, **P** not found and defined by this project. A row "
	        "whose name was seen and whose number\n"
	        "was not is R. The text of most Recommendations below is not public: names, "
	        "numbers and versions of their packages are\n"
	        "registered, what is inside is ours until somebody puts the true identifiers "
	        "into `package_unpublished*.c`.\n"
	        "Which packages the gateway realizes, and where, is in [mg.md](mg.md); the "
	        "others are refused.\n");
	for (size_t i = 0; (p = h248_package_at(i)); i++) {
		base_writer_printf(w, "\n## %s: %s\n\n0x%04x, version %u. Mark %c. %s.%s%s\n\n",
		                   p->name, p->title, p->id, p->version, p->mark, p->source,
		                   p->extends ? " Extends " : "", p->extends ? p->extends : "");
		base_writer_text(w,
		                 "| Kind | Name | Id | Type, values | Meaning | Mark | Source |\n"
		                 "|---|---|---|---|---|---|---|\n");
		for (size_t j = 0; j < p->item_count; j++)
			put_item(w, &p->items[j]);
	}
}

static void document_is_up_to_date(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer want = { 0 }, have = { 0 };
	char path[4096];
	size_t n;
	FILE *f;

	(void)state;
	if (!root) {
		print_message("GATEHOUSE_SOURCE_ROOT is not set\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/docs/packages.md", root);
	put_document(&want);
	assert_false(want.failed);
	f = fopen(path, getenv("UPDATE") ? "w+" : "r");
	assert_non_null(f);
	if (getenv("UPDATE")) {
		assert_int_equal(fwrite(want.data, 1, want.len, f), want.len);
		rewind(f);
	}
	do {
		assert_true(base_writer_reserve(&have, 4096));
		n = fread(have.data + have.len, 1, 4096, f);
		have.len += n;
	} while (n > 0);
	fclose(f);
	assert_string_equal(base_writer_cstr(&have), base_writer_cstr(&want));
	base_writer_done(&want);
	base_writer_done(&have);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(document_is_up_to_date) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
