/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load control. New contexts are refused with 511 while contexts or the control thread are above
 * their thresholds; those of emergency, IEPS and high priority pass (RFC 3525, 6.1.1). A controller
 * that asked for them gets ocp/mg_overload for calls that were refused (H.248.11), one at a time,
 * and chp/MGCon with the reduction it is asked for when an overload begins, with 0 when it ends
 * (H.248.10).
 */
#include "mg/equip.h"
#include "mg/happen.h"
#include "mg/notify.h"
#include "mg/service.h"

#define REDUCTION_DEFAULT 50U

static const struct mg_equipment_event ocp_events[] = { { .name = "mg_overload" }, { 0 } };
const struct mg_equipment mg_equipment_ocp = { .package = "ocp",
	                                       .on = MG_ON_ROOT,
	                                       .events = ocp_events };
static const struct mg_equipment_event chp_events[] = { { .name = "MGCon" }, { 0 } };
const struct mg_equipment mg_equipment_chp = { .package = "chp",
	                                       .on = MG_ON_ROOT,
	                                       .events = chp_events };

/* At or above `per_cent` of one of the thresholds that are set. */
static bool above(const struct mg *mg, unsigned per_cent)
{
	const struct mg_settings *s = &mg->set;

	return (s->overload_contexts &&
	        (uint64_t)mg->counts.contexts * 100 >= (uint64_t)s->overload_contexts * per_cent) ||
	       (s->overload_busy && mg->busy * 100 >= s->overload_busy * per_cent);
}

static void reduction_tell(struct mg *mg, unsigned per_cent)
{
	struct mg_happening *h = mg_happening_new(mg, &mg->root, 0, "chp", "MGCon");

	mg_happening_number(h, "reduction", per_cent);
	mg_happening_tell(mg, h);
	mg_happenings_run(mg);
}

void mg_load_look(struct mg *mg)
{
	unsigned reduction =
	        mg->set.overload_reduction ? mg->set.overload_reduction : REDUCTION_DEFAULT;
	bool over = above(mg, mg->overloaded ? 90 : 100);

	if (over == mg->overloaded)
		return;
	mg->overloaded = over;
	base_log(over ? BASE_LOG_WARN : BASE_LOG_INFO, "mg",
	         "overload %s: %zu contexts, control thread %u %% busy", over ? "begins" : "ends",
	         mg->counts.contexts, mg->busy);
	reduction_tell(mg, over ? reduction : 0);
}

void mg_busy_tell(struct mg *mg, unsigned percent)
{
	mg->busy = percent;
	mg_load_look(mg);
}

bool mg_load_passes(const struct mg *mg, const struct h248_context_attr *attr)
{
	return attr && (attr->emergency == H248_ON || attr->ieps == H248_ON ||
	                (mg->set.overload_priority && attr->has_priority &&
	                 attr->priority >= mg->set.overload_priority));
}

void mg_load_refused(struct mg *mg)
{
	mg->counts.overload_refused++;
	if (!base_list_empty(&mg->root.notices))
		return; /* it has not answered the last one: more would only add to the load */
	mg_happening_tell(mg, mg_happening_new(mg, &mg->root, 0, "ocp", "mg_overload"));
	mg_happenings_run(mg);
}
