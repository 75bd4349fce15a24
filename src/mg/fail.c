/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "mg/run.h"

const char *mg_command_name(unsigned kind)
{
	static const char *const names[] = {
		[H248_ADD] = "Add",
		[H248_MOVE] = "Move",
		[H248_MODIFY] = "Modify",
		[H248_SUBTRACT] = "Subtract",
		[H248_AUDIT_CAPABILITY] = "AuditCapability",
		[H248_AUDIT_VALUE] = "AuditValue",
		[H248_NOTIFY] = "Notify",
		[H248_SERVICE_CHANGE] = "ServiceChange",
		[H248_COMMAND_UNKNOWN] = "command",
	};

	return kind < BASE_COUNT(names) ? names[kind] : "command";
}

int mg_fail(struct mg_run *run, unsigned code, const char *fmt, ...)
{
	va_list ap;

	run->code = (uint16_t)code;
	va_start(ap, fmt);
	vsnprintf(run->text, sizeof(run->text), fmt, ap);
	va_end(ap);
	return BASE_ERR(BASE_PEER, code);
}

int mg_fail_memory(struct mg_run *run)
{
	return mg_fail(run, H248_E_RESOURCES, "memory is short");
}

int mg_fail_error(struct mg_run *run, int rc, const struct base_error *err, const char *fmt, ...)
{
	char where[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(where, sizeof(where), fmt, ap);
	va_end(ap);
	if (!err->text[0])
		return mg_fail(run, base_err_detail(rc), "%s", where);
	return mg_fail(run, base_err_detail(rc), "%s: %.100s", where, err->text);
}

static void context_word(const struct mg_run *run, char *buf, size_t cap)
{
	uint32_t id = run->action->context;

	if (run->context && (!run->fresh_context || run->context->term_count))
		snprintf(buf, cap, "%u", run->context->id);
	else if (id == H248_CONTEXT_NULL || id >= H248_CONTEXT_CHOOSE)
		snprintf(buf, cap, "%s",
		         id == H248_CONTEXT_NULL  ? "-"
		         : id == H248_CONTEXT_ALL ? "*"
		                                  : "$");
	else
		snprintf(buf, cap, "%u", id);
}

struct h248_error *mg_fail_descriptor(struct mg_run *run, struct base_str term)
{
	char text[512], context[16];

	context_word(run, context, sizeof(context));
	if (run->command)
		snprintf(text, sizeof(text), "Context %s, %s %.*s: %s", context,
		         mg_command_name(run->command->kind), BASE_FMT(term), run->text);
	else
		snprintf(text, sizeof(text), "Context %s: %s", context, run->text);
	return h248_error_new(run->arena, run->code, text);
}

struct h248_action *mg_run_out(struct mg_run *run, uint32_t context)
{
	if (!run->out || run->out->context != context)
		run->out = h248_action_add(run->arena, run->reply, context);
	return run->out;
}

void mg_run_context_ended(struct mg_run *run)
{
	run->context = NULL;
	run->fresh_context = false;
	run->ended = true;
}

struct h248_command *mg_run_reply(struct mg_run *run, uint32_t context, struct base_str term)
{
	struct h248_action *action = mg_run_out(run, context);
	char *name = base_arena_dup(run->arena, term);

	if (!action || !name)
		return NULL;
	return h248_command_add(run->arena, action, run->command->kind,
	                        (struct base_str){ name, term.len });
}
