/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_out.h"

static void context_id(struct text_out *o, uint32_t id)
{
	if (id == H248_CONTEXT_NULL)
		out_char(o, '-');
	else if (id == H248_CONTEXT_CHOOSE)
		out_char(o, '$');
	else if (id == H248_CONTEXT_ALL)
		out_char(o, '*');
	else
		out_number(o, id);
}

static void topology(struct text_out *o, const void *what)
{
	static const uint8_t directions[] = {
		[H248_BOTHWAY] = TOK_BOTHWAY,         [H248_ISOLATE] = TOK_ISOLATE,
		[H248_ONEWAY] = TOK_ONEWAY,           [H248_ONEWAY_EXTERNAL] = TOK_ONEWAY_EXTERNAL,
		[H248_ONEWAY_BOTH] = TOK_ONEWAY_BOTH,
	};
	bool first = true;

	for (const struct h248_topology *t = what; t; t = t->next) {
		out_comma(o, &first);
		out_term(o, &t->from);
		out_put(o, ", ", o->pretty ? 2 : 1);
		out_term(o, &t->to);
		out_put(o, ", ", o->pretty ? 2 : 1);
		if (t->direction < sizeof(directions))
			out_token(o, directions[t->direction]);
		else
			o->bad = true;
		if (t->has_stream) {
			out_put(o, ", ", o->pretty ? 2 : 1);
			out_key(o, TOK_STREAM);
			out_number(o, t->stream);
		}
	}
}

static void context_list(struct text_out *o, const struct h248_context_id *id)
{
	bool first = true;

	out_key(o, TOK_CONTEXT_LIST);
	out_put(o, "{ ", o->pretty ? 2 : 1);
	for (; id; id = id->next) {
		if (!first)
			out_put(o, ", ", o->pretty ? 2 : 1);
		first = false;
		context_id(o, id->id);
	}
	if (o->pretty)
		out_char(o, ' ');
	out_char(o, '}');
}

static void context_attr_body(struct text_out *o, const void *what)
{
	const struct h248_context_attr *attr = what;
	bool first = true;

	if (attr->list) {
		out_comma(o, &first);
		context_list(o, attr->list);
	}
	out_parms(o, &first, attr->parms);
}

static void context_attr(struct text_out *o, bool *first, const struct h248_context_attr *attr)
{
	if (attr->ieps) {
		out_comma(o, first);
		out_key(o, TOK_IEPSCALL);
		out_on_off(o, attr->ieps);
	}
	if (attr->emergency) {
		out_comma(o, first);
		out_token(o, attr->emergency == H248_ON ? TOK_EMERGENCY : TOK_EMERGENCY_OFF);
	}
	if (attr->has_priority) {
		out_comma(o, first);
		out_key(o, TOK_PRIORITY);
		out_number(o, attr->priority);
	}
	if (attr->parms || attr->list) {
		out_comma(o, first);
		out_token(o, TOK_CONTEXT_ATTR);
		out_block(o, false, context_attr_body, attr);
	}
	if (attr->topology) {
		out_comma(o, first);
		out_token(o, TOK_TOPOLOGY);
		out_block(o, false, topology, attr->topology);
	}
}

/* ContextList and values that select, inside ContextAttr. */
static void audit_select(struct text_out *o, const void *what)
{
	const struct h248_context_audit *audit = what;
	bool first = true;

	if (audit->list) {
		out_comma(o, &first);
		context_list(o, audit->list);
	}
	for (const struct h248_parm *parm = audit->parms; parm; parm = parm->next) {
		if (parm->form != H248_FORM_NONE) {
			out_comma(o, &first);
			out_parm(o, parm);
		}
	}
}

static void audit_token(struct text_out *o, bool *first, bool there, enum h248_token token)
{
	if (there) {
		out_comma(o, first);
		out_token(o, token);
	}
}

static void context_audit(struct text_out *o, const void *what)
{
	const struct h248_context_audit *audit = what;
	bool first = true, select = audit->list;

	audit_token(o, &first, audit->items & H248_CONTEXT_IEPS, TOK_IEPSCALL);
	audit_token(o, &first, audit->items & H248_CONTEXT_TOPOLOGY, TOK_TOPOLOGY);
	audit_token(o, &first, audit->items & H248_CONTEXT_EMERGENCY, TOK_EMERGENCY);
	audit_token(o, &first, audit->items & H248_CONTEXT_PRIORITY, TOK_PRIORITY);
	for (const struct h248_parm *parm = audit->parms; parm; parm = parm->next) {
		if (parm->form == H248_FORM_NONE) {
			out_comma(o, &first);
			out_pkgd(o, parm->name);
		} else {
			select = true;
		}
	}
	if (audit->has_select_priority) {
		out_comma(o, &first);
		out_key(o, TOK_PRIORITY);
		out_number(o, audit->select_priority);
	}
	if (audit->select_emergency) {
		out_comma(o, &first);
		out_key(o, TOK_EMERGENCY_VALUE);
		out_token(o,
		          audit->select_emergency == H248_ON ? TOK_EMERGENCY : TOK_EMERGENCY_OFF);
	}
	if (audit->select_ieps) {
		out_comma(o, &first);
		out_key(o, TOK_IEPSCALL);
		out_on_off(o, audit->select_ieps);
	}
	if (select) {
		out_comma(o, &first);
		out_token(o, TOK_CONTEXT_ATTR);
		out_block(o, false, audit_select, audit);
	}
	if (audit->has_logic) {
		out_comma(o, &first);
		out_token(o, audit->logic_or ? TOK_ORLGC : TOK_ANDLGC);
	}
	if (first) /* ContextAudit{} is not to be emitted (trap 7.19) */
		o->bad = true;
}

static const uint8_t command_tokens[] = {
	[H248_ADD] = TOK_ADD,
	[H248_MOVE] = TOK_MOVE,
	[H248_MODIFY] = TOK_MODIFY,
	[H248_SUBTRACT] = TOK_SUBTRACT,
	[H248_AUDIT_CAPABILITY] = TOK_AUDIT_CAPABILITY,
	[H248_AUDIT_VALUE] = TOK_AUDIT_VALUE,
	[H248_NOTIFY] = TOK_NOTIFY,
	[H248_SERVICE_CHANGE] = TOK_SERVICE_CHANGE,
};

static void descriptors(struct text_out *o, const void *what)
{
	bool first = true;

	for (const struct h248_descriptor *d = what; d; d = d->next) {
		out_comma(o, &first);
		out_descriptor(o, d, false);
	}
}

static bool is_wide(const struct h248_descriptor *d)
{
	for (; d; d = d->next) {
		if ((d->kind == H248_MEDIA && out_media_is_wide((const struct h248_media *)d)) ||
		    d->kind == H248_SERVICES || d->kind == H248_OBSERVED_EVENTS)
			return true;
	}
	return false;
}

static void term_list(struct text_out *o, const struct h248_term *term)
{
	if (!term->next) {
		out_term(o, term);
		return;
	}
	out_char(o, '[');
	for (; term; term = term->next) {
		out_term(o, term);
		if (term->next)
			out_put(o, ", ", o->pretty ? 2 : 1);
	}
	out_char(o, ']');
}

static void command(struct text_out *o, const struct h248_command *c)
{
	if (c->kind >= sizeof(command_tokens)) {
		o->bad = true;
		return;
	}
	if (c->optional && !o->reply)
		OUT_LITERAL(o, "O-");
	if (c->wildcarded_response && !o->reply) /* never in a reply (fact sheet 5.3) */
		OUT_LITERAL(o, "W-");
	out_key(o, command_tokens[c->kind]);
	if (c->context_audit) {
		out_token(o, TOK_CONTEXT);
		if (c->term.name.len)
			out_block(o, false, out_terms, &c->term);
		else
			out_block(o, false, descriptors, c->descriptors);
		return;
	}
	term_list(o, &c->term);
	if (c->descriptors)
		out_block(o, o->pretty && is_wide(c->descriptors), descriptors, c->descriptors);
}

static void action_body(struct text_out *o, const void *what)
{
	const struct h248_action *action = what;
	bool first = true;

	if (action->attr)
		context_attr(o, &first, action->attr);
	if (action->audit) {
		out_comma(o, &first);
		out_token(o, TOK_CONTEXT_AUDIT);
		out_block(o, false, context_audit, action->audit);
	}
	for (const struct h248_command *c = action->commands; c; c = c->next) {
		out_comma(o, &first);
		command(o, c);
	}
	if (action->error) {
		out_comma(o, &first);
		out_error(o, action->error);
	}
}

static bool has_attr(const struct h248_context_attr *attr)
{
	return attr && (attr->ieps || attr->emergency || attr->has_priority || attr->parms ||
	                attr->list || attr->topology);
}

void out_action(struct text_out *o, const struct h248_action *action)
{
	out_key(o, TOK_CONTEXT);
	context_id(o, action->context);
	if (has_attr(action->attr) || action->audit || action->commands || action->error)
		out_block(o, action->commands != NULL, action_body, action);
	else if (!o->reply) /* a reply may be bare (v3); nothing fits better in v1 and v2 */
		o->bad = true;
}
