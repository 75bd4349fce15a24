/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

/* ContextID: 0, FFFFFFFE and FFFFFFFF are reserved in text (trap 7.16). */
static bool context_id(struct text_parser *p, uint32_t *ret)
{
	const char *from = p->at;

	switch (text_peek(p)) {
	case '-':
		*ret = H248_CONTEXT_NULL;
		break;
	case '$':
		*ret = H248_CONTEXT_CHOOSE;
		break;
	case '*':
		*ret = H248_CONTEXT_ALL;
		break;
	default:
		if (!text_number(p, 10, UINT32_MAX, ret))
			return false;
		if (*ret == 0 || *ret >= H248_CONTEXT_CHOOSE)
			return text_fail(p, p->syntax_code, from,
			                 "a ContextID that is not reserved");
		return true;
	}
	p->at++;
	return true;
}

static bool context_list(struct text_parser *p, struct h248_context_id **ret)
{
	struct h248_context_id **tail = ret;

	if (*ret)
		return text_expected(p, "ContextList once");
	if (!text_equal(p) || !text_open(p))
		return false;
	do {
		struct h248_context_id *id = TEXT_NEW(p, struct h248_context_id);

		if (!id || !context_id(p, &id->id))
			return false;
		TEXT_APPEND(tail, id);
	} while (text_more(p));
	return text_close(p);
}

/* The published alternation allows either a ContextList or properties. */
static bool context_attr(struct text_parser *p, struct h248_context_attr *attr)
{
	struct h248_parm **tail = &attr->parms;
	unsigned count = 0;

	if (attr->parms || attr->list)
		return text_expected(p, "ContextAttr once");
	if (!text_open(p))
		return false;
	do {
		struct h248_parm *parm;
		struct base_str word;

		if (text_keyword(p, &word) == TOK_CONTEXT_LIST && text_peek(p) != '/') {
			if (!context_list(p, &attr->list))
				return false;
			continue;
		}
		parm = TEXT_NEW(p, struct h248_parm);
		if (!parm || !text_pkgd_after(p, word, &parm->name) || !text_parm_value(p, parm) ||
		    !text_parm_append(p, &attr->parms, &tail, &count, parm))
			return false;
	} while (text_more(p));
	return text_close(p);
}

static bool direction(struct text_parser *p, uint8_t *ret)
{
	struct base_str word;

	switch (text_keyword(p, &word)) {
	case TOK_BOTHWAY:
		*ret = H248_BOTHWAY;
		return true;
	case TOK_ISOLATE:
		*ret = H248_ISOLATE;
		return true;
	case TOK_ONEWAY:
		*ret = H248_ONEWAY;
		return true;
	case TOK_ONEWAY_EXTERNAL:
		*ret = H248_ONEWAY_EXTERNAL;
		return true;
	case TOK_ONEWAY_BOTH:
		*ret = H248_ONEWAY_BOTH;
		return true;
	default:
		return text_fail(p, p->syntax_code, word.ptr, "a topology direction");
	}
}

static bool is_direction(enum h248_token token)
{
	return token == TOK_BOTHWAY || token == TOK_ISOLATE || token == TOK_ONEWAY ||
	       token == TOK_ONEWAY_EXTERNAL || token == TOK_ONEWAY_BOTH;
}

/*
 * Is the number that follows a stream without its keyword, as Erlang/OTP writes it in version 3
 * (fact sheet, 8)? A termination of that name is not grammatical, but sent (trap 7.10): it is one
 * when another termination and a direction follow. Moves nothing.
 */
static bool bare_stream(const struct text_parser *p)
{
	struct text_parser ahead = *p;
	struct base_str word = text_run(&ahead, CH_PATH);

	for (size_t i = 0; i < word.len; i++) {
		if (!text_is(word.ptr[i], CH_DIGIT))
			return false;
	}
	if (word.len == 0)
		return false;
	if (!text_more(&ahead))
		return text_peek(&ahead) == '}';
	(void)text_run(&ahead, CH_PATH); /* B of this triple, or A of the next one: skipped */
	return text_more(&ahead) && !is_direction(text_keyword(&ahead, &word));
}

/*
 * Flat triples A,B,direction[,Stream=n]: behind a comma either the stream of this one or the next
 * triple, whose termination may be called Stream (fact sheet 5.5). *more tells that a comma has
 * been read and a triple follows.
 */
static bool topology_stream(struct text_parser *p, struct h248_topology *triple, bool *more)
{
	const char *from;
	struct base_str word;

	*more = text_more(p);
	if (!*more)
		return !p->code;
	from = p->at;
	if (p->version >= 3 && bare_stream(p)) {
		triple->has_stream = true;
		if (!text_u16(p, &triple->stream))
			return false;
		*more = text_more(p);
		return !p->code;
	}
	if (p->version >= 2 && text_keyword(p, &word) == TOK_STREAM && text_try(p, '=')) {
		triple->has_stream = true;
		if (!text_u16(p, &triple->stream))
			return false;
		*more = text_more(p);
		return !p->code;
	}
	p->at = from;
	return !p->code;
}

static bool topology(struct text_parser *p, struct h248_context_attr *attr)
{
	struct h248_topology **tail = &attr->topology;
	bool more = true;

	if (attr->topology)
		return text_expected(p, "Topology once");
	if (!text_open(p))
		return false;
	while (more) {
		struct h248_topology *triple = TEXT_NEW(p, struct h248_topology);

		if (!triple || !text_term(p, &triple->from) || !text_punct(p, ',', "','") ||
		    !text_term(p, &triple->to) || !text_punct(p, ',', "','") ||
		    !direction(p, &triple->direction) || !topology_stream(p, triple, &more))
			return false;
		TEXT_APPEND(tail, triple);
	}
	return text_close(p);
}

static bool once(struct text_parser *p, bool there, const char *at)
{
	return !there || text_fail(p, p->syntax_code, at, "each context property once");
}

bool text_context_property(struct text_parser *p, enum h248_token token, const char *at,
                           struct h248_action *action, bool *ret)
{
	struct h248_context_attr *attr = action->attr;

	*ret = token == TOK_TOPOLOGY || token == TOK_PRIORITY || token == TOK_EMERGENCY ||
	       token == TOK_EMERGENCY_OFF || token == TOK_IEPSCALL || token == TOK_CONTEXT_ATTR;
	if (!*ret)
		return true;
	if (!attr)
		attr = action->attr = TEXT_NEW(p, struct h248_context_attr);
	if (!attr)
		return false;
	switch (token) {
	case TOK_TOPOLOGY:
		return topology(p, attr);
	case TOK_PRIORITY:
		if (!once(p, attr->has_priority, at))
			return false;
		attr->has_priority = true;
		return text_equal(p) && text_u16(p, &attr->priority);
	case TOK_IEPSCALL:
		return once(p, attr->ieps, at) && text_equal(p) && text_on_off(p, &attr->ieps);
	case TOK_CONTEXT_ATTR:
		return context_attr(p, attr);
	default: /* at most one of Emergency and EmergencyOff */
		if (!once(p, attr->emergency, at))
			return false;
		attr->emergency = token == TOK_EMERGENCY ? H248_ON : H248_OFF;
		return true;
	}
}

static bool audit_item(struct text_parser *p, struct h248_context_audit *audit, uint8_t bit,
                       const char *at)
{
	if (audit->items & bit)
		return text_fail(p, p->syntax_code, at, "each audited property once");
	audit->items |= bit;
	return true;
}

/* EmergencyValue = Emergency | EmergencyOff: a selector only (v3). */
static bool emergency_value(struct text_parser *p, uint8_t *ret)
{
	struct base_str word;

	if (!text_equal(p))
		return false;
	switch (text_keyword(p, &word)) {
	case TOK_EMERGENCY:
		*ret = H248_ON;
		return true;
	case TOK_EMERGENCY_OFF:
		*ret = H248_OFF;
		return true;
	default:
		return text_fail(p, p->syntax_code, word.ptr, "Emergency or EmergencyOff");
	}
}

static bool audit_list(struct text_parser *p, struct h248_context_audit *audit, bool nested);

/* A package property: audited when bare, a condition when it has a value (fact sheet 5.4). */
static bool audit_property(struct text_parser *p, struct base_str word,
                           struct h248_context_audit *audit)
{
	struct h248_parm *parm = TEXT_NEW(p, struct h248_parm), **tail = &audit->parms;
	unsigned count = 0;

	if (!parm || !text_pkgd_after(p, word, &parm->name))
		return false;
	if (text_parm_follows(p) && !text_parm_value(p, parm))
		return false;
	for (; *tail; tail = &(*tail)->next)
		count++;
	return !p->code && text_parm_append(p, &audit->parms, &tail, &count, parm);
}

static bool audit_one(struct text_parser *p, struct h248_context_audit *audit, bool nested)
{
	const char *at = p->at;
	struct base_str word;
	enum h248_token token = text_keyword(p, &word);

	if (p->version < 3 && token != TOK_TOPOLOGY && token != TOK_EMERGENCY &&
	    token != TOK_PRIORITY)
		return text_fail(p, p->syntax_code, at, "Topology, Emergency or Priority");
	if (p->version >= 3 && text_peek(p) == '/')
		return audit_property(p, word, audit);
	switch (token) {
	case TOK_TOPOLOGY:
		return audit_item(p, audit, H248_CONTEXT_TOPOLOGY, at);
	case TOK_EMERGENCY:
		return audit_item(p, audit, H248_CONTEXT_EMERGENCY, at);
	case TOK_PRIORITY:
		if (p->version < 3 || !text_parm_follows(p))
			return !p->code && audit_item(p, audit, H248_CONTEXT_PRIORITY, at);
		audit->has_select_priority = true;
		return text_equal(p) && text_u16(p, &audit->select_priority);
	case TOK_IEPSCALL:
		if (!text_parm_follows(p))
			return !p->code && audit_item(p, audit, H248_CONTEXT_IEPS, at);
		return text_equal(p) && text_on_off(p, &audit->select_ieps);
	case TOK_EMERGENCY_VALUE:
		return emergency_value(p, &audit->select_emergency);
	case TOK_ANDLGC:
	case TOK_ORLGC:
		audit->has_logic = true;
		audit->logic_or = token == TOK_ORLGC;
		return true;
	case TOK_CONTEXT_ATTR:
		if (nested)
			return text_fail(p, p->syntax_code, at, "no ContextAttr inside another");
		return audit_list(p, audit, true);
	case TOK_CONTEXT_LIST:
		return context_list(p, &audit->list);
	default:
		return audit_property(p, word, audit);
	}
}

/*
 * The v3 alternation is mis-bracketed in print; properties, selectors and ContextAttr are taken in
 * any mixture. ContextAttr inside holds the same things (indAudcontextAttrDescriptor).
 */
static bool audit_list(struct text_parser *p, struct h248_context_audit *audit, bool nested)
{
	if (!text_open(p))
		return false;
	do {
		if (!audit_one(p, audit, nested))
			return false;
	} while (text_more(p));
	return text_close(p);
}

bool text_context_audit(struct text_parser *p, struct h248_action *action)
{
	if (action->audit)
		return text_expected(p, "ContextAudit once");
	action->audit = TEXT_NEW(p, struct h248_context_audit);
	return action->audit && audit_list(p, action->audit, false);
}

static void command_append(struct h248_action *action, struct h248_command *command)
{
	if (action->last_command)
		action->last_command->next = command;
	else
		action->commands = command;
	action->last_command = command;
}

/* A broken command is marked, and the next one tried. Else the fault goes to the action. */
static bool command_contain(struct text_parser *p, struct h248_message *msg,
                            struct h248_transaction *txn, struct h248_action *action,
                            struct h248_command *command, const char *from)
{
	if (!p->contain || p->out_of_memory || !text_resync(p, from, false)) {
		if (p->contain && !p->out_of_memory)
			p->code = H248_E_SYNTAX_ACTION;
		return false;
	}
	command->fault = text_fault_new(p, H248_FAULT_COMMAND);
	if (!command->fault)
		return false;
	command->descriptors = command->last = NULL;
	text_fault_hang(msg, txn, action, command, command->fault);
	command_append(action, command);
	return true;
}

static bool command(struct text_parser *p, struct h248_message *msg, struct h248_transaction *txn,
                    struct h248_action *action)
{
	const char *from = p->at;
	struct h248_command *cmd = TEXT_NEW(p, struct h248_command);
	bool ok;

	if (!cmd)
		return false;
	p->syntax_code = H248_E_SYNTAX_COMMAND;
	ok = text_command(p, cmd);
	if (ok)
		command_append(action, cmd);
	else
		ok = command_contain(p, msg, txn, action, cmd, from);
	p->syntax_code = H248_E_SYNTAX_ACTION;
	return ok;
}

/* Erlang/OTP writes the name of the token where others write the token (v2, fact sheet 8). */
static enum h248_token property_token(struct text_parser *p, struct base_str *word)
{
	enum h248_token token = text_keyword(p, word);

	if (token == TOK_NONE && p->version >= 2 &&
	    base_str_ieq(*word, BASE_STR("EmergencyOffToken")))
		return TOK_EMERGENCY_OFF;
	return token;
}

/*
 * Context properties, then ContextAudit, then commands; in a reply at last an error (trap 7.15).
 * ContextAudit before properties is let pass in version 2: Erlang/OTP writes it so there.
 */
static bool items(struct text_parser *p, struct h248_message *msg, struct h248_transaction *txn,
                  struct h248_action *action)
{
	do {
		const char *at = p->at;
		struct base_str word;
		enum h248_token token = property_token(p, &word);
		bool before = !action->commands && (!action->audit || p->version == 2);
		bool property = false;

		if (token == TOK_ERROR && p->reply) {
			if (!text_error(p, &action->error))
				return false;
			break;
		}
		if (token == TOK_CONTEXT_AUDIT && !p->reply && !action->commands) {
			if (!text_context_audit(p, action))
				return false;
			continue;
		}
		if (before && !text_context_property(p, token, at, action, &property))
			return false;
		if (property)
			continue;
		if (token == TOK_CONTEXT_AUDIT || token == TOK_TOPOLOGY || token == TOK_PRIORITY ||
		    token == TOK_EMERGENCY || token == TOK_IEPSCALL || token == TOK_EMERGENCY_OFF ||
		    token == TOK_CONTEXT_ATTR)
			return text_fail(p, p->syntax_code, at,
			                 "context properties before ContextAudit and commands");
		p->at = at;
		if (text_peek(p) == '}' && !action->commands)
			return text_expected(p, "a context property or a command");
		if (!command(p, msg, txn, action))
			return false;
	} while (text_more(p));
	return !p->code && text_close(p);
}

static bool action_body(struct text_parser *p, struct h248_message *msg,
                        struct h248_transaction *txn, struct h248_action *action)
{
	const char *from = p->at;
	struct base_str word;

	if (text_keyword(p, &word) != TOK_CONTEXT)
		return text_fail(p, p->syntax_code, from, "Context");
	if (!text_equal(p) || !context_id(p, &action->context))
		return false;
	action->has_context = true;
	if (p->reply && p->version >= 3 && text_lwsp(p) && text_peek(p) != '{') {
		action->bare = true;
		return true;
	}
	return text_open(p) && items(p, msg, txn, action);
}

bool text_action(struct text_parser *p, struct h248_message *msg, struct h248_transaction *txn)
{
	const char *from = p->at;
	struct h248_action *action = TEXT_NEW(p, struct h248_action);

	if (!action)
		return false;
	p->syntax_code = H248_E_SYNTAX_ACTION;
	if (!action_body(p, msg, txn, action)) {
		if (!p->contain || p->out_of_memory)
			return false;
		if (!text_resync(p, from, false)) {
			p->code = H248_E_SYNTAX_TRANSACTION;
			return false;
		}
		action->fault = text_fault_new(p, H248_FAULT_ACTION);
		if (!action->fault)
			return false;
		action->commands = action->last_command = NULL;
		action->attr = NULL;
		action->audit = NULL;
		text_fault_hang(msg, txn, action, NULL, action->fault);
	}
	if (txn->last_action)
		txn->last_action->next = action;
	else
		txn->actions = action;
	txn->last_action = action;
	return true;
}
