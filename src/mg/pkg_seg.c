/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg, segmentation (H.248.1 version 3, E.14; sheet 5.2), on ROOT. What the MG does by it is in the
 * transaction layer: its own replies are cut to MGCMaxPDUSize, and for segments of the MGC it waits
 * MGCSegmentationTimerValue. The other two tell the MGC what to do; they are kept and told.
 */
#include "mg/pkg.h"

static const struct mg_equipment_property properties[] = {
	{ .name = "MGSegmentationTimerValue" },
	{ .name = "MGCSegmentationTimerValue" },
	{ .name = "MGMaxPDUSize" },
	{ .name = "MGCMaxPDUSize" },
	{ 0 },
};

static void apply(struct mg *mg, struct mg_term *term, struct mg_stream *s)
{
	int64_t octets = 0, ms = 0;

	if (s || term != &mg->root || !mg->ops.segments)
		return;
	(void)mg_pkg_root_number(mg, "seg", "MGCMaxPDUSize", &octets); /* not set: the default */
	(void)mg_pkg_root_number(mg, "seg", "MGCSegmentationTimerValue", &ms);
	mg->ops.segments(mg->ops.arg, (uint32_t)octets, (uint32_t)ms);
}

const struct mg_equipment mg_pkg_seg = {
	.package = "seg",
	.on = MG_ON_ROOT,
	.properties = properties,
	.apply = apply,
};
