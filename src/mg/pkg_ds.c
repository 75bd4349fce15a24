/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ds, differentiated services (H.248.52): the DSCP of the packets that an endpoint sends, set on
 * its socket before its first packet and again by each Modify. Without ds/dscp it is 0. Tagging can
 * only be "mark": this gateway ends TCP on both sides, so there is no packet to copy a mark from.
 */
#include "mg/pkg.h"

#define DSCP_MAX 0x3f

static bool dscp_of(struct base_str hex, uint8_t *ret)
{
	size_t len = 0;

	return !h248_package_octets(hex, ret, 1, &len) && len == 1 && *ret <= DSCP_MAX;
}

static int dscp_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                      const struct h248_parm *parm)
{
	uint8_t dscp;

	(void)plan;
	if (dscp_of(parm->value.text, &dscp))
		return 0;
	return mg_fail(run, H248_E_VALUE, "Stream %u, LocalControl ds/dscp: not 00 to 3F", s->id);
}

static int tagging_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                         const struct h248_parm *parm)
{
	(void)plan;
	if (base_str_ieq(parm->value.text, BASE_STR("mark")))
		return 0;
	return mg_fail(run, H248_E_VALUE,
	               "Stream %u, LocalControl ds/tb: a TCP endpoint has no mark to copy", s->id);
}

void mg_ds_fill(const struct mg_stream *s, struct relay_gate *gate)
{
	struct base_str hex;

	if (mg_pkg_text(s, "ds", "dscp", &hex))
		(void)dscp_of(hex, &gate->dscp); /* it was checked when it was set */
}

static bool can(struct mg_run *run, struct h248_parm **list)
{
	return mg_pkg_words_tell(run, list, "ds/tb", "mark", NULL);
}

static const struct mg_equipment_property properties[] = {
	{ .name = "dscp", .check = dscp_check },
	{ .name = "tb", .check = tagging_check },
	{ 0 },
};
const struct mg_equipment mg_pkg_ds = {
	.package = "ds",
	.on = MG_ON_TERM,
	.properties = properties,
	.can = can,
};
