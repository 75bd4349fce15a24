/* SPDX-License-Identifier: Apache-2.0 */
/** @file Package items in words, from the tables of h248/package.h. */
#include "cli/explain.h"

#include <stdio.h>

#define VALUES_MAX 600 /**< octets of all the values of one parameter that are shown */

/** The row of a name, or NULL; its package too, where that is known. */
static const struct h248_package_item *item_of(enum h248_package_kind kind, struct h248_name name,
                                               const struct h248_package **ret_package)
{
	*ret_package = h248_package_find(name.package);
	return *ret_package ? h248_package_item_find(*ret_package, kind, name.item) : NULL;
}

static const char *name_text(struct h248_name name, char buf[EXPLAIN_SHOWN])
{
	char package[EXPLAIN_SHOWN], item[EXPLAIN_SHOWN];

	return explain_put(buf, "%s%s%s", explain_shown(name.package, package),
	                   name.package.len ? "/" : "", explain_shown(name.item, item));
}

/** Packages of RFC 3525, Annex E, that a TLS gateway has no table of: their titles, for people. */
static const struct {
	const char *name, *title;
} others[] = {
	{ "tonegen", "Tone Generator, E.3" },
	{ "tonedet", "Tone Detection, E.4" },
	{ "dg", "Basic DTMF Generator, E.5" },
	{ "dd", "DTMF Detection, E.6" },
	{ "cg", "Call Progress Tones Generator, E.7" },
	{ "cd", "Call Progress Tones Detection, E.8" },
	{ "al", "Analog Line Supervision, E.9" },
	{ "ct", "Basic Continuity, E.10" },
	{ "rtp", "RTP, E.12" },
	{ "tdmc", "TDM Circuit, E.13" },
};

const char *explain_package(struct base_str name)
{
	const struct h248_package *package = h248_package_find(name);

	if (package)
		return package->title;
	for (size_t i = 0; i < BASE_COUNT(others); i++) {
		if (base_str_ieq(name, base_str_of(others[i].name)))
			return others[i].title;
	}
	return NULL;
}

/** What the tables say of a name, for behind a colon; never NULL. */
static void about(char *buf, size_t cap, const struct h248_package *package,
                  const struct h248_package_item *item, struct h248_name name)
{
	const char *title = explain_package(name.package);

	if (item)
		(void)snprintf(buf, cap, "%s [%s, %s]", item->about, package->title, item->source);
	else if (base_str_eq(name.package, BASE_STR("*")))
		(void)snprintf(buf, cap, "of every package");
	else if (!title)
		(void)snprintf(buf, cap, "of a package that is unknown here");
	else if (base_str_eq(name.item, BASE_STR("*")))
		(void)snprintf(buf, cap, "everything [%s]", title);
	else
		(void)snprintf(buf, cap, "%s[%s]",
		               package ? "an item that this package does not have " : "", title);
}

void explain_name(struct explain *e, enum h248_package_kind kind, struct h248_name name,
                  const char *lead, const char *tail)
{
	const struct h248_package *package;
	const struct h248_package_item *item = item_of(kind, name, &package);
	char text[EXPLAIN_SHOWN], words[400];

	about(words, sizeof(words), package, item, name);
	explain_line(e, "%s%s%s: %s", lead, name_text(name, text), tail, words);
}

/* ---- values ---- */

static void one_value(struct base_writer *w, const struct h248_value *value)
{
	char text[EXPLAIN_SHOWN];

	if (!value->quoted && base_str_eq(value->text, BASE_STR("$"))) {
		base_writer_text(w, "what the gateway chooses ($)");
		return;
	}
	base_writer_printf(w, value->quoted ? "\"%s\"" : "%s", explain_shown(value->text, text));
}

/** `= value`, `one of a, b` ...; "" for a bare name. */
static void values_text(const struct h248_parm *parm, struct base_writer *w)
{
	static const char *const leads[] = {
		[H248_FORM_NONE] = "",
		[H248_FORM_EQUAL] = " = ",
		[H248_FORM_GREATER] = " > ",
		[H248_FORM_LESS] = " < ",
		[H248_FORM_UNEQUAL] = " is not ",
		[H248_FORM_AND] = " = all of ",
		[H248_FORM_OR] = " = one of ",
		[H248_FORM_RANGE] = " = from ",
	};
	const char *sep = "";

	if (parm->form == H248_FORM_NONE || parm->form >= BASE_COUNT(leads))
		return;
	base_writer_text(w, leads[parm->form]);
	for (const struct h248_value *v = &parm->value; v; v = v->next) {
		base_writer_text(w, sep);
		one_value(w, v);
		sep = parm->form == H248_FORM_RANGE ? " to " : ", ";
	}
}

/** One parameter; `secret` ones without their value. */
static void parm_line(struct explain *e, const struct h248_parm *parm, bool secret,
                      const char *words)
{
	char text[EXPLAIN_SHOWN], room[VALUES_MAX];
	struct base_writer w = base_writer_over(room, sizeof(room) - 1);

	if (secret && parm->form != H248_FORM_NONE)
		base_writer_text(&w, " = (a secret, not shown)");
	else
		values_text(parm, &w);
	room[w.len] = '\0';
	explain_line(e, "%s%s%s%s%s", name_text(parm->name, text), room, w.failed ? " ..." : "",
	             words[0] ? ": " : "", words);
}

void explain_parms(struct explain *e, enum h248_package_kind kind, const struct h248_parm *list)
{
	for (const struct h248_parm *p = list; p; p = p->next) {
		const struct h248_package *package;
		const struct h248_package_item *item = item_of(kind, p->name, &package);
		bool secret = item && kind == H248_PROPERTY && item->access == H248_WRITE;
		char words[400];

		about(words, sizeof(words), package, item, p->name);
		parm_line(e, p, secret, words);
	}
}

void explain_params(struct explain *e, enum h248_package_kind kind, struct h248_name of,
                    enum h248_package_list which, const struct h248_parm *list)
{
	const struct h248_package *package;
	const struct h248_package_item *item = item_of(kind, of, &package);

	for (const struct h248_parm *p = list; p; p = p->next) {
		const struct h248_package_param *param =
		        item ? h248_package_param_find(item, which, p->name.item) : NULL;

		parm_line(e, p, false,
		          param  ? param->about
		          : item ? "a parameter that this item does not have"
		                 : "");
	}
}
