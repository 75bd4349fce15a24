/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gatehouse_msrp and gatehouse_bfcp: what is said of a stream's application beside SDP (P;
 * docs/mg.md). The values are kept as set; app.c makes of them what they mean.
 */
#include "mg/app.h"
#include "mg/app_sdp.h"
#include "mg/pkg.h"
#include "msrp/msrp.h"

#define USERS_MAX 8

static int users_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                       const struct h248_parm *parm)
{
	unsigned count = 0;

	(void)plan;
	for (const struct h248_value *v = &parm->value; v; v = v->next)
		if (++count > USERS_MAX)
			return mg_fail(run, H248_E_VALUE,
			               "Stream %u, LocalControl gatehouse_msrp/user: more than %u",
			               s->id, USERS_MAX);
	return 0;
}

static bool alternatives(struct mg_run *run, struct h248_parm **list, const char *name,
                         const char *const *words)
{
	struct h248_parm *p = NULL;

	for (; *words; words++) {
		if (!p)
			p = h248_parm_set(run->arena, list, h248_name_of(name), base_str_of(*words),
			                  false);
		else if (h248_value_add(run->arena, p, base_str_of(*words), false))
			p->form = H248_FORM_OR;
		else
			return false;
		if (!p)
			return false;
	}
	return true;
}

static bool msrp_can(struct mg_run *run, struct h248_parm **list)
{
	static const char *const words[] = { "agnostic", "b2b", "room", NULL };

	return alternatives(run, list, H248_PACKAGE_MSRP "/mode", words);
}

static bool bfcp_can(struct mg_run *run, struct h248_parm **list)
{
	static const char *const words[] = { "agnostic", "server", NULL };

	return alternatives(run, list, H248_PACKAGE_BFCP "/mode", words);
}

static const struct mg_equipment_property msrp_properties[] = {
	{ .name = "mode" },
	{ .name = "room" },
	{ .name = "user", .check = users_check },
	{ 0 },
};
static const struct mg_equipment_property bfcp_properties[] = {
	{ .name = "mode" },    { .name = "uri" },     { .name = "name" },  { .name = "chair" },
	{ .name = "holders" }, { .name = "maxprio" }, { .name = "third" }, { 0 },
};

const struct mg_equipment mg_pkg_msrp = {
	.package = H248_PACKAGE_MSRP,
	.on = MG_ON_TERM,
	.properties = msrp_properties,
	.statistics = mg_statistics_msrp,
	.can = msrp_can,
};
const struct mg_equipment mg_pkg_bfcp = {
	.package = H248_PACKAGE_BFCP,
	.on = MG_ON_TERM,
	.properties = bfcp_properties,
	.statistics = mg_statistics_bfcp,
	.can = bfcp_can,
};
