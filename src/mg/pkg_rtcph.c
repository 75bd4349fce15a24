/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtcph, RTCP handling (H.248.57): mandatory in the Iq profile, and of no meaning on a TCP stream,
 * which has no RTCP. So the port for RTCP can be declined and not be asked for.
 */
#include "mg/pkg.h"

static bool can(struct mg_run *run, struct h248_parm **list)
{
	return mg_pkg_words_tell(run, list, "rtcph/rsb", "off", NULL);
}

static const struct mg_equipment_property properties[] = {
	{ .name = "rsb", .check = mg_pkg_off_check },
	{ 0 },
};
const struct mg_equipment mg_pkg_rtcph = {
	.package = "rtcph",
	.on = MG_ON_TERM,
	.properties = properties,
	.can = can,
};
