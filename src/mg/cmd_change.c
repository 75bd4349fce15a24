/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * ServiceChange from the controller (RFC 3525, 7.2.8): service states of terminations and of ROOT,
 * and the hand-off to another controller.
 */
#include <stdlib.h>

#include "mg/audit.h"
#include "mg/service.h"

static int method_check(struct mg_run *run, const struct mg_term *term,
                        const struct h248_services *s)
{
	bool root = term == &run->mg->root;

	switch (s->method) {
	case H248_FORCED:
	case H248_GRACEFUL:
	case H248_RESTART:
		return 0;
	case H248_HAND_OFF:
		if (!root)
			return mg_fail(run, H248_E_VALUE, "Services Method: HandOff is for ROOT");
		if (!s->mgc_id)
			return mg_fail(run, H248_E_REQUIRED_MISSING,
			               "Services: HandOff without MgcIdToTry");
		return 0;
	case H248_METHOD_ABSENT:
		return mg_fail(run, H248_E_REQUIRED_MISSING, "Services: no Method");
	default:
		return mg_fail(run, H248_E_VALUE, "Services Method: not from a controller");
	}
}

int mg_cmd_change(struct mg_run *run, struct mg_term *term)
{
	const struct h248_services *s = h248_command_services(run->command);
	struct mg *mg = run->mg;
	int rc;

	for (const struct h248_descriptor *d = run->command->descriptors; d; d = d->next)
		if (d->kind != H248_SERVICES)
			return mg_fail(run, H248_E_DESCRIPTOR_ILLEGAL,
			               "only a Services descriptor is legal in this command");
	if (!s)
		return mg_fail(run, H248_E_REQUIRED_MISSING, "no Services descriptor");
	rc = method_check(run, term, s);
	if (rc)
		return rc;
	if (s->has_delay && s->delay && !term->delay)
		term->delay = calloc(1, sizeof(*term->delay));
	if (s->has_delay && s->delay && !term->delay)
		return mg_fail_memory(run);
	if (!mg_run_reply(run, term->context ? term->context->id : H248_CONTEXT_NULL,
	                  base_str_of(term->name)))
		return mg_fail_memory(run);
	if (s->method == H248_HAND_OFF) {
		rc = mg->ops.handoff(mg->ops.arg, s->mgc_id);
		if (rc)
			return mg_fail(run, base_err_detail(rc),
			               "Services MgcIdToTry: needs to be an address or a domain "
			               "name");
	} else {
		mg_service_change(mg, term, s);
	}
	return 0;
}
