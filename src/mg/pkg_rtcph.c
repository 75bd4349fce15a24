/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtcph, RTCP handling (H.248.57): mandatory in the Iq profile. Whether RTP has a port for RTCP
 * beside its own: it has, unless it is declined or muxed (P: what absence means). Where there is no
 * RTP, it can only be declined (mg_dgram_judge).
 */
#include "mg/pkg.h"

static bool can(struct mg_run *run, struct h248_parm **list)
{
	return mg_pkg_words_tell(run, list, "rtcph/rsb", "off", "on");
}

static const struct mg_equipment_property properties[] = {
	{ .name = "rsb" },
	{ 0 },
};
const struct mg_equipment mg_pkg_rtcph = {
	.package = "rtcph",
	.on = MG_ON_TERM,
	.properties = properties,
	.can = can,
};
