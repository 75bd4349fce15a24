/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root, base root (RFC 3525, E.2, and the pending limits of version 2; sheet 5.9): limits that are
 * the gateway's, and times and limits of transactions, which the controller sets and the
 * transaction layer follows at once. normalMGCExecutionTime is kept and told: nothing of ours waits
 * for it by the texts.
 */
#include "mg/audit.h"
#include "mg/pkg.h"

static int above_zero_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                            const struct h248_parm *parm)
{
	const struct h248_package_item *item = NULL;
	struct h248_package_value v = { 0 };

	(void)plan;
	(void)s;
	if (!h248_package_lookup(H248_PROPERTY, parm->name, NULL, &item, NULL) &&
	    !h248_package_value_parse(&item->values, &parm->value, H248_E_VALUE, &v, NULL) &&
	    v.number)
		return 0;
	return mg_fail(run, H248_E_VALUE, "TerminationState %.*s/%.*s: not 0",
	               BASE_FMT(parm->name.package), BASE_FMT(parm->name.item));
}

static const struct mg_equipment_property properties[] = {
	{ .name = "normalMGExecutionTime", .check = above_zero_check },
	{ .name = "normalMGCExecutionTime", .check = above_zero_check },
	{ .name = "MGProvisionalResponseTimerValue", .check = above_zero_check },
	{ .name = "MGCProvisionalResponseTimerValue", .check = above_zero_check },
	{ .name = "MGCOriginatedPendingLimit" },
	{ .name = "MGOriginatedPendingLimit" },
	{ 0 },
};

/* As set, else `otherwise`. */
static uint32_t value_of(const struct mg *mg, const char *item, uint32_t otherwise)
{
	int64_t n;

	return mg_pkg_root_number(mg, "root", item, &n) ? (uint32_t)n : otherwise;
}

static void apply(struct mg *mg, struct mg_term *term, struct mg_stream *s)
{
	const struct mg_settings *set = &mg->set;
	const struct h248_txn_root root = {
		.execution_ms = value_of(mg, "normalMGExecutionTime", set->execution_ms),
		.provisional_ms = value_of(mg, "MGProvisionalResponseTimerValue", 0),
		.pending_limit = value_of(mg, "MGOriginatedPendingLimit", set->pending_limit),
		.peer_provisional_ms = value_of(mg, "MGCProvisionalResponseTimerValue", 0),
		.peer_pending_limit =
		        value_of(mg, "MGCOriginatedPendingLimit", set->peer_pending_limit),
	};

	if (!s && term == &mg->root && mg->ops.limits)
		mg->ops.limits(mg->ops.arg, &root);
}

/* What is not set has a value too. */
static bool tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                 struct h248_parm **list)
{
	const struct mg_settings *set = &run->mg->set;
	const struct {
		const char *item;
		uint32_t value;
	} all[] = {
		{ "maxNumberOfContexts",
		  set->max_contexts ? set->max_contexts : MG_DEFAULT_CONTEXTS },
		{ "maxTerminationsPerContext",
		  set->max_terminations ? set->max_terminations : MG_DEFAULT_TERMINATIONS },
		{ "normalMGExecutionTime", set->execution_ms ? set->execution_ms : 500 },
		{ "normalMGCExecutionTime", set->execution_mgc_ms ? set->execution_mgc_ms : 500 },
		{ "MGProvisionalResponseTimerValue",
		  set->provisional_ms ? set->provisional_ms : 1000 },
		{ "MGCProvisionalResponseTimerValue",
		  set->provisional_mgc_ms ? set->provisional_mgc_ms : 5000 },
		{ "MGCOriginatedPendingLimit", set->peer_pending_limit },
		{ "MGOriginatedPendingLimit", set->pending_limit },
	};
	const struct h248_parm *kept = term->state ? term->state->parms : NULL;

	for (size_t i = 0; !s && i < BASE_COUNT(all); i++) {
		struct h248_name name = { BASE_STR("root"), base_str_of(all[i].item) };

		if (!h248_parm_find(kept, "root", all[i].item) &&
		    !h248_parm_set_u64(run->arena, list, name, all[i].value))
			return false;
	}
	return true;
}

const struct mg_equipment mg_pkg_root = {
	.package = "root",
	.on = MG_ON_ROOT,
	.properties = properties,
	.apply = apply,
	.tell = tell,
};
