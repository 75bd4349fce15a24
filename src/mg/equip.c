/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "mg/equip.h"
#include "mg/part.h"
#include "mg/pkg.h"

/* ---- the rows of what core and relay do themselves ---- */

static const struct mg_equipment_event g_events[] = { { .name = "cause" },
	                                              { .name = "sc" },
	                                              { 0 } };
static const struct mg_equipment generic = { .package = "g", .on = MG_ON_TERM, .events = g_events };

static const struct mg_equipment_event it_events[] = { { .name = "ito" }, { 0 } };
static const struct mg_equipment inactivity = { .package = "it",
	                                        .on = MG_ON_ROOT,
	                                        .events = it_events };

/* EstBNC and RelBNC are orders to the bearer: signals.c carries them out. */
static const struct mg_equipment_event bearer_events[] = { { .name = "BNCChange" }, { 0 } };
static const struct mg_equipment_signal bearer_signals[] = {
	{ .name = "EstBNC" },
	{ .name = "RelBNC" },
	{ 0 },
};
static const struct mg_equipment tcp = {
	.package = "tcpbcc", .on = MG_ON_TERM, .events = bearer_events, .signals = bearer_signals
};
static const struct mg_equipment tls = { .package = "tlsbsc",
	                                 .on = MG_ON_TERM,
	                                 .events = bearer_events,
	                                 .signals = bearer_signals,
	                                 .statistics = mg_statistics_tlsbsc };

/* Properties of seplink and our own are read by control.c and told by audit.c. */
static const struct mg_equipment network = { .package = "nt",
	                                     .on = MG_ON_TERM,
	                                     .statistics = mg_statistics_nt };
static const struct mg_equipment rtp = { .package = "rtp",
	                                 .on = MG_ON_TERM,
	                                 .statistics = mg_statistics_rtp };
static const struct mg_equipment volume = { .package = "tcptv",
	                                    .on = MG_ON_TERM,
	                                    .statistics = mg_statistics_tcptv };
static const struct mg_equipment retransmission = { .package = "tcprm",
	                                            .on = MG_ON_TERM,
	                                            .statistics = mg_statistics_tcprm };
static const struct mg_equipment tls_can = { .package = "tlscn", .on = MG_ON_ROOT | MG_ON_TERM };
static const struct mg_equipment tls_volume = { .package = "tlstv",
	                                        .on = MG_ON_TERM,
	                                        .statistics = mg_statistics_tlstv };
static const struct mg_equipment linkage = { .package = "seplink", .on = MG_ON_TERM };
static const struct mg_equipment_property own_kept[] = { { .name = "share" }, { 0 } };
static const struct mg_equipment own = { .package = H248_PACKAGE_PRIVATE,
	                                 .on = MG_ON_TERM,
	                                 .properties = own_kept };

/* In the order of their numbers, one a line, so that two can be added at once. */
/* clang-format off */
static const struct mg_equipment *const built_in[] = {
	&generic,
	&mg_pkg_root,
	&network,
	&rtp,
	&mg_equipment_chp,
	&inactivity,
	&mg_equipment_ocp,
	&mg_pkg_ds,
	&mg_pkg_gm,
	&mg_pkg_tman,
	&mg_equipment_hangterm,
	&mg_pkg_ipnapt,
	&mg_pkg_nb,
	&mg_pkg_adid,
	&mg_pkg_ipdc,
	&mg_pkg_seg,
	&mg_pkg_rtcph,
	&mg_pkg_sdpr,
	&mg_pkg_sdpc,
	&mg_pkg_ipra,
	&volume,
	&tcp,
	&retransmission,
	&tls,
	&tls_can,
	&mg_pkg_tlsm,
	&tls_volume,
	&linkage,
	&mg_pkg_dtlscn,
	&own,
	&mg_pkg_msrp,
	&mg_pkg_bfcp,
	NULL,
};
/* clang-format on */

static const struct mg_equipment *const *table = built_in;

/* ---- finding ---- */

void mg_equipment_swap(const struct mg_equipment *const *rows)
{
	table = rows ? rows : built_in;
}

const struct mg_equipment *mg_equipment_at(size_t index)
{
	return table[index];
}

const struct mg_equipment *mg_equipment_find(const struct h248_package *package)
{
	for (const struct mg_equipment *const *e = table; *e; e++)
		if (!strcmp((*e)->package, package->name))
			return *e;
	return NULL;
}

int mg_package_lookup(enum h248_package_kind kind, struct h248_name name,
                      const struct h248_package **ret_package,
                      const struct h248_package_item **ret_item, struct base_error *err)
{
	const struct h248_package *package = h248_package_find(name.package);

	if (package && !mg_equipment_find(package))
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_PACKAGE),
		                      "package %s is not realized by this gateway", package->name);
	return h248_package_lookup(kind, name, ret_package, ret_item, err);
}

bool mg_package_on(const struct mg_run *run, const struct mg_term *term,
                   const struct h248_package *package)
{
	const struct mg_equipment *e = mg_equipment_find(package);

	return e && (e->on & (term == &run->mg->root ? MG_ON_ROOT : MG_ON_TERM));
}

/* The arrays of a row end with a name that is NULL. */
#define FIND(row, name)                                                                            \
	while ((row) && (row)->name && !base_str_ieq(base_str_of((row)->name), base_str_of(name))) \
		(row)++;                                                                           \
	return (row) && (row)->name ? (row) : NULL

const struct mg_equipment_property *mg_equipment_property(const struct mg_equipment *e,
                                                          const char *name)
{
	const struct mg_equipment_property *row = e->properties;

	FIND(row, name);
}

const struct mg_equipment_event *mg_equipment_event(const struct mg_equipment *e, const char *name)
{
	const struct mg_equipment_event *row = e->events;

	FIND(row, name);
}

const struct mg_equipment_signal *mg_equipment_signal(const struct mg_equipment *e,
                                                      const char *name)
{
	const struct mg_equipment_signal *row = e->signals;

	FIND(row, name);
}

/* ---- properties that are kept ---- */

/* The next number to a border; the table's bounds hold. */
static bool number_beside(const struct h248_package_item *item, const struct h248_value *border,
                          int step, struct base_arena *arena, struct h248_value *ret)
{
	struct h248_package_value v = { 0 };
	struct h248_value found = { 0 };
	char *text;

	if (h248_package_value_parse(&item->values, border, H248_E_VALUE, &v, NULL) || v.choose)
		return false;
	text = base_arena_printf(arena, "%" PRId64, v.number + step);
	if (!text)
		return false;
	found.text = base_str_of(text);
	*ret = found;
	return !h248_package_value_parse(&item->values, &found, H248_E_VALUE, &v, NULL);
}

/* One value out of what was given (7.1.1). false: there is none to choose. */
static bool value_choose(const struct h248_package_item *item, struct h248_parm *p,
                         struct base_arena *arena, bool *tell)
{
	bool open = p->form == H248_FORM_EQUAL && !p->value.quoted &&
	            base_str_eq(p->value.text, BASE_STR("$"));

	if (p->form == H248_FORM_AND || (p->form == H248_FORM_EQUAL && !open))
		return true;
	*tell = true;
	if (open && !item->values.initial)
		return false;
	if (open) {
		p->value.text = base_str_of(item->values.initial);
		p->value.quoted =
		        h248_package_type_quoted((enum h248_package_type)item->values.type);
	} else if (p->form == H248_FORM_GREATER || p->form == H248_FORM_LESS) {
		if (!number_beside(item, &p->value, p->form == H248_FORM_GREATER ? 1 : -1, arena,
		                   &p->value))
			return false;
	} else if (p->form != H248_FORM_OR && p->form != H248_FORM_RANGE) {
		return false;
	}
	p->form = H248_FORM_EQUAL;
	p->value.next = NULL;
	return true;
}

static void parm_forget(struct h248_parm **list, struct h248_name name)
{
	for (; *list; list = &(*list)->next)
		if (h248_name_equal((*list)->name, name)) {
			*list = (*list)->next;
			return;
		}
}

int mg_property_keep(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                     const struct mg_equipment_property *row, const struct h248_package_item *item,
                     const struct h248_parm *parm, struct base_arena *arena,
                     struct h248_parm **list, bool *tell)
{
	struct h248_parm one = *parm, *kept = NULL;
	int rc;

	one.next = NULL;
	if (!value_choose(item, &one, run->arena, tell))
		return mg_fail(run, H248_E_VALUE, "%.*s/%.*s: nothing to choose from",
		               BASE_FMT(parm->name.package), BASE_FMT(parm->name.item));
	rc = row->check ? row->check(run, plan, s, &one) : 0;
	if (rc)
		return rc;
	if (!mg_copy_parms(arena, &one, &kept))
		return mg_fail_memory(run);
	parm_forget(list, one.name);
	while (*list)
		list = &(*list)->next;
	*list = kept;
	return 0;
}

bool mg_property_text(const struct h248_parm *list, const char *name, struct base_str *ret)
{
	struct h248_name asked = h248_name_of(name);

	for (; list; list = list->next)
		if (h248_name_equal(list->name, asked))
			return h248_parm_text(list, ret);
	return false;
}

bool mg_property_number(const struct h248_parm *list, const char *name, uint64_t *ret)
{
	struct base_str text;

	return mg_property_text(list, name, &text) && !base_str_u64(text, INT64_MAX, ret);
}

void mg_property_apply(struct mg *mg, struct mg_term *term, struct mg_stream *s)
{
	for (size_t i = 0; table[i]; i++)
		if (table[i]->apply)
			table[i]->apply(mg, term, s);
}
