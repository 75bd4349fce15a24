/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The Events and EventBuffer descriptors (RFC 3525, 7.1.9 and 7.1.10): what a controller may ask
 * for. What becomes of it when something happens: happen.c.
 */
#include "mg/equip.h"
#include "mg/happen.h"
#include "mg/part.h"
#include "mg/plan.h"

/* it/ito: silence in units of 10 ms (mark R in the table). */
static int inactivity_read(struct mg_run *run, struct mg_plan *plan, const struct h248_event *e)
{
	const struct h248_parm *p = h248_parm_find(e->parms, "", "mit");
	struct base_str v;
	uint64_t n;

	if (!p || !base_str_ieq(e->name.package, BASE_STR("it")))
		return 0; /* a wildcard, or another event */
	if (!h248_parm_text(p, &v) || base_str_u64(v, UINT32_MAX / 10, &n))
		return mg_fail(run, H248_E_NO_VALUE, "Events it/ito: mit is no number of 10 ms");
	plan->inactivity_ms = (uint32_t)n * 10;
	return 0;
}

/* Known, of right parameters, and something this gateway can detect there. */
static int event_check(struct mg_run *run, struct mg_plan *plan, const char *which,
                       const struct h248_event *e)
{
	bool all = base_str_eq(e->name.item, BASE_STR("*"));
	const struct h248_package_item *item = NULL;
	const struct h248_package *package = h248_package_find(e->name.package);
	const struct mg_equipment_event *row = NULL;
	const struct mg_equipment *equipment;
	struct base_error err = { 0 };
	int rc = 0;

	if (!all) {
		rc = mg_package_lookup(H248_EVENT, e->name, &package, &item, &err);
		if (!rc)
			rc = h248_package_params_check(item, e->parms, &err);
	} else if (!package || !mg_equipment_find(package)) {
		return mg_fail(run, H248_E_PACKAGE, "%s %.*s/*: no package of this gateway", which,
		               BASE_FMT(e->name.package));
	}
	if (rc)
		return mg_fail_error(run, rc, &err, "%s %.*s/%.*s", which,
		                     BASE_FMT(e->name.package), BASE_FMT(e->name.item));
	equipment = mg_package_on(run, plan->term, package) ? mg_equipment_find(package) : NULL;
	if (equipment && item)
		row = mg_equipment_event(equipment, item->name);
	if (!equipment || !equipment->events || (item && !row))
		return mg_fail(run, H248_E_EVENT_UNEQUIPPED, "%s %s/%s: not equipped%s", which,
		               package->name, item ? item->name : "*",
		               plan->term == &run->mg->root ? " on ROOT" : "");
	return row && row->check ? row->check(run, plan, e) : 0;
}

static int events_check(struct mg_run *run, struct mg_plan *plan, const struct h248_events *events,
                        bool inner);

/* What is to happen with it can happen (8.2.2). NOLINTNEXTLINE(misc-no-recursion): two levels */
static int embed_check(struct mg_run *run, struct mg_plan *plan, const struct h248_event *e,
                       const struct h248_embed *embed, bool inner)
{
	int rc = 0;

	if (!embed)
		return 0;
	if (e->keep_active && embed->signals)
		return mg_fail(run, H248_E_CONFLICT,
		               "Events %.*s/%.*s: KeepActive and an embedded Signals descriptor",
		               BASE_FMT(e->name.package), BASE_FMT(e->name.item));
	if (inner && embed->events)
		return mg_fail(run, H248_E_PROTOCOL,
		               "Events %.*s/%.*s: only one level of embedding (7.1.9)",
		               BASE_FMT(e->name.package), BASE_FMT(e->name.item));
	if (embed->signals)
		rc = mg_signals_check(run, plan, embed->signals);
	if (!rc && embed->events)
		rc = events_check(run, plan, embed->events, true);
	return rc;
}

/* NOLINTNEXTLINE(misc-no-recursion): two levels */
static int events_check(struct mg_run *run, struct mg_plan *plan, const struct h248_events *events,
                        bool inner)
{
	int rc = 0;

	if (events->events && !events->has_request_id)
		return mg_fail(run, H248_E_PARAMETER_MISSING, "Events: no RequestID");
	for (const struct h248_event *e = events->events; e && !rc; e = e->next) {
		rc = event_check(run, plan, "Events", e);
		/* No package of a TCP and TLS gateway has digits (7.1.14). */
		if (!rc && e->digit_map)
			rc = mg_fail(run, H248_E_PARAMETER,
			             "Events %.*s/%.*s: DigitMap: it is no digit map completion "
			             "event",
			             BASE_FMT(e->name.package), BASE_FMT(e->name.item));
		if (!rc)
			rc = embed_check(run, plan, e, e->embed, inner);
		if (!rc)
			rc = embed_check(run, plan, e, e->regulated, inner);
		if (!rc && !inner && plan->term == &run->mg->root)
			rc = inactivity_read(run, plan, e);
	}
	return rc;
}

int mg_events_read(struct mg_run *run, struct mg_plan *plan, const struct h248_events *events)
{
	int rc = events_check(run, plan, events, false);

	if (rc)
		return rc;
	plan->clear_events = true;
	if (!events->events)
		return 0;
	plan->events = mg_events_new(events);
	return plan->events ? 0 : mg_fail_memory(run);
}

int mg_buffer_read(struct mg_run *run, struct mg_plan *plan, const struct h248_event_buffer *buffer)
{
	int rc = 0;

	for (const struct h248_event *e = buffer->events; e && !rc; e = e->next)
		rc = event_check(run, plan, "EventBuffer", e);
	if (rc)
		return rc;
	plan->new_buffer = true;
	if (!buffer->events)
		return 0;
	plan->buffer = mg_buffer_new(buffer->events);
	return plan->buffer ? 0 : mg_fail_memory(run);
}
