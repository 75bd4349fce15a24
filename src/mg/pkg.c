/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "mg/pkg.h"

/* ---- kept properties ---- */

bool mg_pkg_text(const struct mg_stream *s, const char *package, const char *item,
                 struct base_str *ret)
{
	const struct h248_parm *p = h248_parm_find(s->parms, package, item);

	return p && h248_parm_text(p, ret);
}

static bool number_of(const struct h248_parm *list, const char *package, const char *item,
                      int64_t *ret)
{
	const struct h248_parm *p = h248_parm_find(list, package, item);
	const struct h248_package_item *row = NULL;
	struct h248_package_value v = { 0 };

	if (!p || h248_package_lookup(H248_PROPERTY, p->name, NULL, &row, NULL) ||
	    h248_package_value_parse(&row->values, &p->value, H248_E_VALUE, &v, NULL) || v.choose)
		return false;
	*ret = v.number;
	return true;
}

bool mg_pkg_number(const struct mg_stream *s, const char *package, const char *item, int64_t *ret)
{
	return number_of(s->parms, package, item, ret);
}

bool mg_pkg_root_number(const struct mg *mg, const char *package, const char *item, int64_t *ret)
{
	return mg->root.state && number_of(mg->root.state->parms, package, item, ret);
}

bool mg_pkg_on(const struct mg_stream *s, const char *package, const char *item)
{
	int64_t n = 0;

	return mg_pkg_number(s, package, item, &n) && n;
}

int mg_pkg_off_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                     const struct h248_parm *parm)
{
	(void)plan;
	if (base_str_ieq(parm->value.text, BASE_STR("off")))
		return 0;
	return mg_fail(run, H248_E_VALUE, "Stream %u, LocalControl %.*s/%.*s: can only be off",
	               s->id, BASE_FMT(parm->name.package), BASE_FMT(parm->name.item));
}

/* ---- telling ---- */

bool mg_pkg_names_tell(struct mg_run *run, struct h248_parm **list, const char *name,
                       const char *const *words, enum h248_form form)
{
	struct h248_parm *p = NULL;

	for (; *words; words++) {
		if (!p)
			p = h248_parm_set(run->arena, list, h248_name_of(name), base_str_of(*words),
			                  true);
		else if (h248_value_add(run->arena, p, base_str_of(*words), true))
			p->form = (uint8_t)form;
		else
			return false;
		if (!p)
			return false;
	}
	return true;
}

bool mg_pkg_range_tell(struct mg_run *run, struct h248_parm **list, const char *name)
{
	const struct h248_package_item *item = NULL;
	const char *min, *max;
	struct h248_parm *p;

	if (h248_package_lookup(H248_PROPERTY, h248_name_of(name), NULL, &item, NULL))
		return true;
	min = base_arena_printf(run->arena, "%" PRId64, item->values.min);
	max = base_arena_printf(run->arena, "%" PRId64, item->values.max);
	p = min && max
	            ? h248_parm_set(run->arena, list, h248_name_of(name), base_str_of(min), false)
	            : NULL;
	if (!p || !h248_value_add(run->arena, p, base_str_of(max), false))
		return false;
	p->form = H248_FORM_RANGE;
	return true;
}

bool mg_pkg_words_tell(struct mg_run *run, struct h248_parm **list, const char *name, const char *a,
                       const char *b)
{
	struct h248_parm *p =
	        h248_parm_set(run->arena, list, h248_name_of(name), base_str_of(a), false);

	if (!p || (b && !h248_value_add(run->arena, p, base_str_of(b), false)))
		return false;
	if (b)
		p->form = H248_FORM_OR;
	return true;
}

/* ---- the gate ---- */

void mg_stream_gate(const struct mg_stream *stream, struct relay_gate *ret)
{
	memset(ret, 0, sizeof(*ret));
	mg_gm_fill(stream, ret);
	mg_tman_fill(stream, ret);
	mg_ds_fill(stream, ret);
}

static bool rate_equal(const struct relay_rate *a, const struct relay_rate *b)
{
	return a->octets_per_s == b->octets_per_s && a->burst == b->burst;
}

static bool gate_equal(const struct relay_gate *a, const struct relay_gate *b)
{
	return a->sources_only == b->sources_only && a->dscp == b->dscp &&
	       a->source_count == b->source_count &&
	       !memcmp(a->source, b->source, a->source_count * sizeof(a->source[0])) &&
	       a->port_min == b->port_min && a->port_max == b->port_max &&
	       rate_equal(&a->sustained, &b->sustained) && rate_equal(&a->peak, &b->peak);
}

int mg_leg_gate(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream)
{
	static const struct relay_gate open;
	struct relay_gate now, *copy = NULL;
	int rc;

	mg_stream_gate(stream, &now);
	if (gate_equal(leg->gate ? leg->gate : &open, &now))
		return 0;
	if (!gate_equal(&open, &now)) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
		*copy = now;
	}
	/* A leg that is being made gets its gate with its specification. */
	rc = leg->endpoint ? mg->bearer->endpoint_gate_set(leg->endpoint, &now) : 0;
	if (rc) {
		free(copy);
		return rc;
	}
	free(leg->gate);
	leg->gate = copy;
	return 0;
}

int mg_pkg_judge(struct mg_run *run, const struct mg_stream *stream)
{
	int rc = mg_gm_judge(run, stream);

	return rc ? rc : mg_tman_judge(run, stream);
}
