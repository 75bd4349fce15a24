/* SPDX-License-Identifier: Apache-2.0 */
/* gatehouse_msrp and gatehouse_bfcp: what is kept of them, and what they count. */
#include "mg/app.h"
#include "mg/pkg.h"

static int uris_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                      const struct h248_parm *parm)
{
	unsigned count = 0;

	(void)plan;
	for (const struct h248_value *v = &parm->value; v; v = v->next)
		count++;
	return count <= 8
	               ? 0
	               : mg_fail(run, H248_E_VALUE,
	                         "Stream %u, LocalControl gatehouse_msrp/user: more than 8", s->id);
}

static bool of_kind(const struct mg_stream *s, bool bfcp)
{
	enum mg_app app = mg_stream_app(s);

	return s->leg && app != MG_APP_NONE && (app == MG_APP_FLOOR) == bfcp;
}

static bool has_kind(const struct mg_term *term, bool bfcp)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (of_kind(s, bfcp))
			return true;
	return false;
}

static bool has_msrp(const struct mg_term *term)
{
	return has_kind(term, false);
}

static bool has_bfcp(const struct mg_term *term)
{
	return has_kind(term, true);
}

static uint64_t sum(const struct mg *mg, const struct mg_term *term, const struct mg_stream *only,
                    bool bfcp, bool in)
{
	struct relay_stats stats;
	uint64_t all = 0;

	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s;
	     s = s->next) {
		if ((only && s != only) || !of_kind(s, bfcp))
			continue;
		mg_leg_stats(mg, s->leg, &stats);
		all += in ? stats.messages_in : stats.messages_out;
	}
	return all;
}

#define VALUE(name, bfcp, in)                                                                      \
	static uint64_t name(const struct mg *mg, const struct mg_term *term,                      \
	                     const struct mg_stream *s)                                            \
	{                                                                                          \
		return sum(mg, term, s, bfcp, in);                                                 \
	}
VALUE(msrp_in, false, true)
VALUE(msrp_out, false, false)
VALUE(bfcp_in, true, true)
VALUE(bfcp_out, true, false)

static const struct mg_equipment_property msrp_properties[] = {
	{ .name = "mode" },
	{ .name = "room" },
	{ .name = "user", .check = uris_check },
	{ 0 },
};
static const struct mg_equipment_statistic msrp_statistics[] = {
	{ .name = "min", .value = msrp_in, .useful = has_msrp },
	{ .name = "mout", .value = msrp_out, .useful = has_msrp },
	{ 0 },
};
const struct mg_equipment mg_pkg_msrp = {
	.package = H248_PACKAGE_MSRP,
	.on = MG_ON_TERM,
	.properties = msrp_properties,
	.statistics = msrp_statistics,
};

static const struct mg_equipment_property bfcp_properties[] = {
	{ .name = "mode" },    { .name = "uri" },     { .name = "name" },  { .name = "chair" },
	{ .name = "holders" }, { .name = "maxprio" }, { .name = "third" }, { 0 },
};
static const struct mg_equipment_statistic bfcp_statistics[] = {
	{ .name = "min", .value = bfcp_in, .useful = has_bfcp },
	{ .name = "mout", .value = bfcp_out, .useful = has_bfcp },
	{ 0 },
};
const struct mg_equipment mg_pkg_bfcp = {
	.package = H248_PACKAGE_BFCP,
	.on = MG_ON_TERM,
	.properties = bfcp_properties,
	.statistics = bfcp_statistics,
};
