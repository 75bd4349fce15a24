/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Subtract (RFC 3525, 7.2.3): the termination ends with its bearers and keys; what it carried is
 * told, unless Audit says otherwise.
 */
#include "mg/audit.h"
#include "mg/service.h"

int mg_cmd_subtract(struct mg_run *run, struct mg_term *term, struct h248_command *reply)
{
	const struct h248_audit *audit = h248_command_audit(run->command);
	struct mg_context *context = term->context;
	int rc;

	for (const struct h248_descriptor *d = run->command->descriptors; d; d = d->next)
		if (d->kind != H248_AUDIT)
			return mg_fail(run, H248_E_DESCRIPTOR_ILLEGAL,
			               "only an Audit descriptor is legal in this command");
	rc = audit ? mg_audit_items(run, term, audit, reply)
	           : mg_statistics_tell(run, term, NULL, true, reply);
	if (!rc && !audit)
		rc = mg_streams_statistics_tell(run, term, reply);
	if (rc)
		return rc;
	if (run->chosen == term)
		run->chosen = NULL;
	mg_term_leave(run->mg, term);
	mg_term_free(run->mg, term);
	if (context->term_count) {
		mg_context_settle(run->mg, context);
		return 0;
	}
	if (run->context == context)
		mg_run_context_ended(run);
	mg_context_free(run->mg, context);
	mg_context_went(run->mg);
	return 0;
}
