/* SPDX-License-Identifier: Apache-2.0 */
/* ActionRequest and ActionReply, context attributes and their audit. */
#include "h248/ber_in.h"
#include "h248/ber_private.h"

/* ---- ContextRequest ---- */

static bool direction(struct ber_parser *p, bool extension, uint8_t *ret)
{
	uint8_t v = 0;

	if (!ber_u8(p, extension ? 1 : 2, &v))
		return false;
	*ret = (uint8_t)(extension ? H248_ONEWAY_EXTERNAL + v : v);
	return true;
}

static bool triple(struct ber_parser *p, struct h248_topology *t)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = ber_term(p, &t->from);
			break;
		case 1:
			ok = ber_term(p, &t->to);
			break;
		case 2:
			ok = direction(p, false, &t->direction);
			break;
		case 3:
			t->has_stream = true;
			ok = ber_u16(p, &t->stream);
			break;
		case 4: /* then topologyDirection says nothing (sheet 4.2) */
			ok = direction(p, true, &t->direction);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 7, from);
}

static bool topology(struct ber_parser *p, struct h248_topology **tail)
{
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; ber_element(p, &box, BER_SEQUENCE); index++) {
		struct h248_topology *t = BER_NEW(p, struct h248_topology);

		if (!t || !triple(p, t))
			return ber_in(p, "topologyReq", index);
		BER_APPEND(tail, t);
	}
	return !p->code;
}

static bool context_list(struct ber_parser *p, struct h248_context_id **tail)
{
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_INTEGER)) {
		struct h248_context_id *id = BER_NEW(p, struct h248_context_id);

		if (!id || !ber_uint(p, UINT32_MAX, &id->id))
			return ber_in(p, "contextList", -1);
		BER_APPEND(tail, id);
	}
	return !p->code;
}

static bool priority(struct ber_parser *p, bool *has, uint16_t *ret)
{
	*has = true;
	return ber_u16(p, ret);
}

static bool context_attr(struct ber_parser *p, struct h248_action *action)
{
	struct h248_context_attr *attr = BER_NEW(p, struct h248_context_attr);
	struct ber_box box;
	int tag;

	if (!attr || !ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = BER_AT(p, "priority",
			            priority(p, &attr->has_priority, &attr->priority));
			break;
		case 1:
			ok = ber_tri(p, &attr->emergency);
			break;
		case 2:
			ok = topology(p, &attr->topology);
			break;
		case 3:
			ok = ber_tri(p, &attr->ieps);
			break;
		case 4:
			ok = ber_properties(p, &attr->parms);
			break;
		case 5:
			ok = context_list(p, &attr->list);
			break;
		default:
			ok = ber_extension(p, &action->extensions);
		}
		if (!ok)
			return false;
	}
	if (attr->has_priority || attr->emergency || attr->topology || attr->ieps || attr->parms ||
	    attr->list)
		action->attr = attr;
	return tag == BER_END;
}

/* ---- ContextAttrAuditRequest ---- */

static bool asked(struct ber_parser *p, struct h248_context_audit *audit, uint8_t bit)
{
	audit->items |= bit;
	return ber_null(p);
}

static bool logic(struct ber_parser *p, struct h248_context_audit *audit)
{
	struct ber_box box;
	int tag = ber_explicit(p, &box);

	if (tag == BER_FAIL)
		return false;
	if (tag > 1)
		return ber_expected(p, "andAUDITSelect or orAUDITSelect");
	audit->has_logic = true;
	audit->logic_or = tag == 1;
	return ber_null(p) && ber_done(p, &box);
}

static bool audit_field(struct ber_parser *p, int tag, struct h248_context_audit *audit)
{
	switch (tag) {
	case 0:
		return asked(p, audit, H248_CONTEXT_TOPOLOGY);
	case 1:
		return asked(p, audit, H248_CONTEXT_EMERGENCY);
	case 2:
		return asked(p, audit, H248_CONTEXT_PRIORITY);
	case 3:
		return asked(p, audit, H248_CONTEXT_IEPS);
	case 4:
		return ber_asked_properties(p, &audit->parms);
	case 5:
		return priority(p, &audit->has_select_priority, &audit->select_priority);
	case 6:
		return ber_tri(p, &audit->select_emergency);
	case 7:
		return ber_tri(p, &audit->select_ieps);
	case 8:
		return BER_AT(p, "selectLogic", logic(p, audit));
	case BER_OURS + BER_OURS_LIST:
		return context_list(p, &audit->list);
	default:
		return ber_extension(p, NULL);
	}
}

static bool context_audit(struct ber_parser *p, struct h248_action *action)
{
	struct h248_context_audit *audit = action->audit = BER_NEW(p, struct h248_context_audit);
	struct ber_box box;
	int tag;

	if (!audit || !ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (!audit_field(p, tag, audit))
			return false;
	}
	return tag == BER_END;
}

/* ---- commands ---- */

struct place {
	struct h248_message *msg;
	struct h248_transaction *txn;
	struct h248_action *action;
	int action_index;
};

static void append(struct h248_action *action, struct h248_command *command)
{
	if (action->last_command)
		action->last_command->next = command;
	else
		action->commands = command;
	action->last_command = command;
}

/* A broken command is marked and stepped over. Else the fault goes to the action. */
static bool contain(struct ber_parser *p, const struct place *at, struct h248_command *command,
                    const uint8_t *from, const uint8_t *limit)
{
	if (!p->contain || p->out_of_memory)
		return false;
	(void)ber_in(p, "actions", at->action_index);
	(void)ber_in(p, "transactions", p->transaction);
	command->fault = ber_fault_new(p, H248_FAULT_COMMAND);
	if (!command->fault)
		return false;
	command->descriptors = command->last = NULL;
	ber_fault_hang(at->msg, at->txn, at->action, command, command->fault);
	append(at->action, command);
	p->syntax_code = H248_E_SYNTAX_ACTION;
	return ber_resync(p, from, limit);
}

static bool commands(struct ber_parser *p, const struct place *at)
{
	const char *name = p->reply ? "commandReply" : "commandRequests";
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	for (;; index++) {
		const uint8_t *from, *limit = p->limit;
		struct h248_command *command;

		if (p->reply ? ber_choice(p, &box) < 0 : !ber_element(p, &box, BER_SEQUENCE))
			return !p->code || ber_in(p, name, index);
		from = p->h.from;
		command = BER_NEW(p, struct h248_command);
		if (!command)
			return false;
		p->syntax_code = H248_E_SYNTAX_COMMAND;
		if (ber_command(p, command))
			append(at->action, command);
		else if (!ber_in(p, name, index) && !contain(p, at, command, from, limit))
			return false;
		p->syntax_code = H248_E_SYNTAX_ACTION;
	}
}

/* ---- actions ---- */

static bool action_error(struct ber_parser *p, struct h248_action *action)
{
	return ber_error(p, &action->error);
}

/* ActionRequest: id, contextRequest, contextAttrAuditReq, commands. ActionReply: id, error,
 * contextReply, commands. Both closed. */
static bool action_fields(struct ber_parser *p, const struct place *at)
{
	struct h248_action *action = at->action;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = BER_AT(p, "contextId", ber_uint(p, UINT32_MAX, &action->context));
			action->has_context = ok;
			break;
		case 1:
			ok = p->reply ? action_error(p, action)
			              : BER_AT(p, "contextRequest", context_attr(p, action));
			break;
		case 2:
			ok = p->reply ? BER_AT(p, "contextReply", context_attr(p, action))
			              : BER_AT(p, "contextAttrAuditReq", context_audit(p, action));
			break;
		case 3:
			ok = commands(p, at);
			break;
		default:
			ok = ber_closed(p);
		}
		if (!ok)
			return false;
	}
	action->bare = p->reply && !action->error && !action->attr && !action->commands;
	return tag == BER_END && ber_need(p, &box, 9, from);
}

bool ber_action(struct ber_parser *p, struct h248_message *msg, struct h248_transaction *txn,
                int index)
{
	const uint8_t *from = p->h.from, *limit = p->limit;
	struct h248_action *action = BER_NEW(p, struct h248_action);
	struct place at = { msg, txn, action, index };

	if (!action)
		return false;
	p->syntax_code = H248_E_SYNTAX_ACTION;
	if (!action_fields(p, &at)) {
		(void)ber_in(p, "actions", index);
		if (!p->contain || p->out_of_memory)
			return false;
		(void)ber_in(p, "transactions", p->transaction);
		action->fault = ber_fault_new(p, H248_FAULT_ACTION);
		if (!action->fault)
			return false;
		action->commands = action->last_command = NULL;
		action->attr = NULL;
		action->audit = NULL;
		ber_fault_hang(msg, txn, action, NULL, action->fault);
		p->syntax_code = H248_E_SYNTAX_TRANSACTION;
		if (!ber_resync(p, from, limit))
			return false;
	}
	if (txn->last_action)
		txn->last_action->next = action;
	else
		txn->actions = action;
	txn->last_action = action;
	return true;
}
