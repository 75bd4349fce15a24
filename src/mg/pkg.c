/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mg/pkg.h"

/* ---- kept properties ---- */

bool mg_pkg_text(const struct mg_stream *s, const char *package, const char *item,
                 struct base_str *ret)
{
	const struct h248_parm *p = h248_parm_find(s->parms, package, item);

	return p && h248_parm_text(p, ret);
}

bool mg_pkg_number(const struct mg_stream *s, const char *package, const char *item, int64_t *ret)
{
	const struct h248_parm *p = h248_parm_find(s->parms, package, item);
	const struct h248_package_item *row = NULL;
	struct h248_package_value v = { 0 };

	if (!p || h248_package_lookup(H248_PROPERTY, p->name, NULL, &row, NULL) ||
	    h248_package_value_parse(&row->values, &p->value, H248_E_VALUE, &v, NULL) || v.choose)
		return false;
	*ret = v.number;
	return true;
}

bool mg_pkg_on(const struct mg_stream *s, const char *package, const char *item)
{
	int64_t n = 0;

	return mg_pkg_number(s, package, item, &n) && n;
}

/* ---- the gate ---- */

void mg_stream_gate(const struct mg_stream *stream, struct relay_gate *ret)
{
	memset(ret, 0, sizeof(*ret));
	mg_gm_fill(stream, ret);
	mg_tman_fill(stream, ret);
	mg_ds_fill(stream, ret);
}

static bool gate_is_open(const struct relay_gate *gate)
{
	static const struct relay_gate open;

	return !memcmp(gate, &open, sizeof(open));
}

int mg_leg_gate(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream)
{
	struct relay_gate now, *copy = NULL;
	int rc;

	mg_stream_gate(stream, &now);
	if (leg->gate ? !memcmp(leg->gate, &now, sizeof(now)) : gate_is_open(&now))
		return 0;
	if (!gate_is_open(&now)) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
		memcpy(copy, &now, sizeof(now)); /* padding too: they are compared */
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
