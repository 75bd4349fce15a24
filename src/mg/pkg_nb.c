/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nb, notification behaviour (H.248.1 version 3, E.15), on ROOT: of the Notify requests of events
 * with RegulatedNotify, notreg per cent are sent, evenly, over the whole gateway (P); without it,
 * all. An event that is left out takes the Embed inside its RegulatedNotify (sheet 5.7).
 */
#include "mg/pkg.h"

static const struct mg_equipment_property properties[] = { { .name = "notreg" }, { 0 } };

static bool suppress(struct mg *mg, const struct mg_term *term, const struct h248_event *event)
{
	int64_t percent;

	(void)term;
	(void)event;
	if (!mg_pkg_root_number(mg, "nb", "notreg", &percent))
		return false;
	mg->regulated += (unsigned)percent;
	if (mg->regulated < 100)
		return true;
	mg->regulated -= 100;
	return false;
}

const struct mg_equipment mg_pkg_nb = {
	.package = "nb",
	.on = MG_ON_ROOT,
	.properties = properties,
	.suppress = suppress,
};
