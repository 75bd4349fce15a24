/* SPDX-License-Identifier: Apache-2.0 */
/** @file A message, its transactions, actions and commands in words (RFC 3525, 7.2 and 8). */
#include "cli/explain.h"

#include <stdarg.h>
#include <stdio.h>

void explain_line(struct explain *e, const char *fmt, ...)
{
	char line[2048];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (unsigned i = 0; i < e->depth; i++)
		base_writer_text(e->out, "  ");
	base_writer_text(e->out, line);
	base_writer_text(e->out, "\n");
}

static void fault(struct explain *e, const struct h248_fault *f, const char *what)
{
	const char *known = f ? h248_error_text(f->code) : NULL;

	if (f)
		explain_line(e, "This %s breaks a rule; a gateway answers error %u (%s): %s", what,
		             f->code, known ? known : "?", f->text);
}

/* ---- commands ---- */

/** Indexed by enum h248_command_kind. */
static const struct {
	const char *asked, *done;
} commands[] = {
	[H248_ADD] = { "Add to the context", "Added" },
	[H248_MOVE] = { "Move into this context", "Moved here" },
	[H248_MODIFY] = { "Modify", "Modified" },
	[H248_SUBTRACT] = { "Subtract from the context", "Subtracted" },
	[H248_AUDIT_CAPABILITY] = { "AuditCapability, tell what could be set on",
	                            "Capabilities of" },
	[H248_AUDIT_VALUE] = { "AuditValue, tell how it stands with", "State of" },
	[H248_NOTIFY] = { "Notify, something happened on", "Noted for" },
	[H248_SERVICE_CHANGE] = { "ServiceChange, the service changes of",
	                          "Service change accepted for" },
	[H248_COMMAND_UNKNOWN] = { "A command that could not be read",
	                           "A reply that could not be read" },
};

static void context_audited(struct explain *e, const struct h248_command *c)
{
	explain_line(e, "Audit of the context: its terminations");
	explain_in(e);
	for (const struct h248_term *t = &c->term; t && t->name.len; t = t->next) {
		char text[EXPLAIN_SHOWN];

		explain_line(e, "%s", explain_term(t, text));
	}
	explain_out(e);
}

static void command(struct explain *e, const struct h248_command *c, bool reply)
{
	unsigned kind = BASE_MIN(c->kind, (unsigned)H248_COMMAND_UNKNOWN);
	char text[EXPLAIN_SHOWN];

	if (c->context_audit)
		context_audited(e, c);
	else
		explain_line(e, "%s %s%s%s", reply ? commands[kind].done : commands[kind].asked,
		             explain_term(&c->term, text),
		             c->optional ? " (optional: its failure does not stop the others)" : "",
		             c->wildcarded_response ? " (one answer for all)" : "");
	explain_in(e);
	if (!c->context_audit) {
		for (const struct h248_term *t = c->term.next; t; t = t->next)
			explain_line(e, "and %s", explain_term(t, text));
	}
	fault(e, c->fault, "command");
	for (const struct h248_descriptor *d = c->descriptors; d; d = d->next)
		explain_descriptor(e, d);
	explain_out(e);
}

/* ---- contexts ---- */

static void context_line(struct explain *e, const struct h248_action *a)
{
	if (!a->has_context)
		explain_line(e, "In a context whose id could not be read:");
	else if (a->context == H248_CONTEXT_NULL)
		explain_line(e, "Outside of any context (the NULL context):");
	else if (a->context == H248_CONTEXT_CHOOSE)
		explain_line(e, "In a new context that the gateway makes:");
	else if (a->context == H248_CONTEXT_ALL)
		explain_line(e, "In every context:");
	else
		explain_line(e, "In context %u:", a->context);
}

static void tri(struct explain *e, const char *name, unsigned value)
{
	if (value != H248_ABSENT)
		explain_line(e, "%s: %s", name, value == H248_ON ? "yes" : "no");
}

static void context_list(struct explain *e, const struct h248_context_id *list)
{
	for (; list; list = list->next)
		explain_line(e, "Context %u is meant", list->id);
}

static void attributes(struct explain *e, const struct h248_context_attr *attr)
{
	char from[EXPLAIN_SHOWN], to[EXPLAIN_SHOWN];

	if (attr->has_priority)
		explain_line(e, "Priority: %u", attr->priority);
	tri(e, "Emergency call", attr->emergency);
	tri(e, "IEPS call", attr->ieps);
	for (const struct h248_topology *t = attr->topology; t; t = t->next) {
		char stream[24] = "";

		if (t->has_stream)
			(void)snprintf(stream, sizeof(stream), ", stream %u", t->stream);
		explain_line(e, "Topology: media %s (%s, %s%s)",
		             explain_word(explain_topologies, t->direction),
		             explain_term(&t->from, from), explain_term(&t->to, to), stream);
	}
	explain_parms(e, H248_PROPERTY, attr->parms);
	context_list(e, attr->list);
}

static void context_audit(struct explain *e, const struct h248_context_audit *audit)
{
	static const char *const names[] = { "topology", "emergency", "priority", "IEPS" };

	explain_line(e, "Tell of the context:");
	explain_in(e);
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		if (audit->items & 1U << i)
			explain_line(e, "%s", names[i]);
	}
	explain_parms(e, H248_PROPERTY, audit->parms);
	if (audit->has_select_priority)
		explain_line(e, "of those with priority %u", audit->select_priority);
	tri(e, "of those for an emergency", audit->select_emergency);
	tri(e, "of those with IEPS", audit->select_ieps);
	if (audit->has_logic)
		explain_line(e, "%s condition suffices", audit->logic_or ? "any" : "no single");
	context_list(e, audit->list);
	explain_out(e);
}

static void action(struct explain *e, const struct h248_action *a, bool reply)
{
	context_line(e, a);
	explain_in(e);
	fault(e, a->fault, "action");
	if (a->attr)
		attributes(e, a->attr);
	if (a->audit)
		context_audit(e, a->audit);
	for (const struct h248_command *c = a->commands; c; c = c->next)
		command(e, c, reply);
	if (a->error)
		explain_error(e, a->error);
	explain_out(e);
}

/* ---- transactions ---- */

static void segment(char *buf, size_t cap, const struct h248_transaction *t)
{
	buf[0] = '\0';
	if (t->has_segment)
		(void)snprintf(buf, cap, ", segment %u%s", t->segment,
		               t->segment_end ? " (the last)" : "");
}

static void acks(struct explain *e, const struct h248_transaction *t)
{
	explain_line(e, "These replies were received:");
	explain_in(e);
	for (const struct h248_ack *a = t->acks; a; a = a->next) {
		if (a->first == a->last)
			explain_line(e, "to transaction %u", a->first);
		else
			explain_line(e, "to transactions %u to %u", a->first, a->last);
	}
	explain_out(e);
}

static void transaction(struct explain *e, const struct h248_transaction *t)
{
	char part[40];

	segment(part, sizeof(part), t);
	switch (t->kind) {
	case H248_REQUEST:
		explain_line(e, "Transaction %u asks:", t->id);
		break;
	case H248_REPLY:
		explain_line(e, "Reply to transaction %u%s%s:", t->id, part,
		             t->ack_required ? ", to be acknowledged at once" : "");
		break;
	case H248_PENDING:
		explain_line(e, "Transaction %u was received and is still being executed.", t->id);
		break;
	case H248_SEGMENT:
		explain_line(e, "Of the reply to transaction %u%s was received.", t->id, part);
		break;
	case H248_ACK:
		acks(e, t);
		break;
	default:
		explain_line(e, "Something that could not be read:");
		break;
	}
	explain_in(e);
	fault(e, t->fault, "transaction");
	if (t->error)
		explain_error(e, t->error);
	for (const struct h248_action *a = t->actions; a; a = a->next)
		action(e, a, t->kind == H248_REPLY);
	explain_out(e);
}

void explain_message(struct explain *e, const struct h248_message *msg)
{
	char text[EXPLAIN_SHOWN];

	explain_line(e, "Message of H.248 version %u from %s%s", msg->version,
	             explain_mid(&msg->mid, text),
	             msg->auth ? ", with an authentication header (not checked here)" : "");
	explain_in(e);
	for (const struct h248_fault *f = msg->faults; f; f = f->next) {
		if (f->level == H248_FAULT_MESSAGE)
			fault(e, f, "message");
	}
	if (msg->error)
		explain_error(e, msg->error);
	for (const struct h248_transaction *t = msg->transactions; t; t = t->next)
		transaction(e, t);
	explain_out(e);
}
