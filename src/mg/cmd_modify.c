/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Modify (RFC 3525, 7.2.2).
 */
#include "mg/audit.h"

int mg_plan_commit(struct mg_run *run, struct mg_plan *plan, uint32_t context)
{
	struct h248_command *reply = mg_run_reply(run, context, base_str_of(plan->term->name));
	int rc;

	if (!reply)
		return mg_fail_memory(run);
	mg_plan_swap(plan);
	rc = mg_plan_reply(run, plan, reply);
	if (rc)
		mg_plan_drop(run->mg, plan);
	return rc;
}

int mg_cmd_modify(struct mg_run *run, struct mg_term *term)
{
	struct mg_plan plan = { 0 };
	int rc = mg_plan_make(run, &plan, term, term->context);

	if (!rc)
		rc = mg_plan_commit(run, &plan,
		                    term->context ? term->context->id : H248_CONTEXT_NULL);
	if (rc)
		mg_plan_drop(run->mg, &plan);
	else
		mg_plan_settle(run->mg, &plan);
	return rc;
}
