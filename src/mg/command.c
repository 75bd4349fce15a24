/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From a transaction to its commands (RFC 3525, 8.2): actions in order, commands in order, each for
 * every termination its TerminationID means; the first failure that is not optional ends it all.
 */
#include "mg/happen.h"
#include "mg/run.h"

/* Terminations that a command means, as a snapshot: commands may end them. */
struct targets {
	struct mg_term **term;
	size_t count;
};

static bool audits(unsigned kind)
{
	return kind == H248_AUDIT_VALUE || kind == H248_AUDIT_CAPABILITY;
}

/* Context of a termination's reply. */
static uint32_t context_of(const struct mg_run *run, const struct mg_term *term)
{
	if (run->context)
		return run->context->id;
	return term && term->context ? term->context->id : run->action->context;
}

/* ---- errors into the reply ---- */

static int reply_failure(struct mg_run *run, uint32_t context, struct base_str term)
{
	struct h248_error *error = mg_fail_descriptor(run, term);
	struct h248_command *reply = mg_run_reply(run, context, term);

	run->mg->counts.failed++;
	if (!error || !reply)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	h248_descriptor_append(reply, &error->d);
	if (!run->command->optional)
		run->failed = true;
	return 0;
}

/* An action that cannot be executed ends with an error of its own (8.2.2). */
static int action_failure(struct mg_run *run, uint32_t context)
{
	struct h248_action *out = mg_run_out(run, context);

	run->command = NULL;
	run->failed = true;
	if (!out)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	out->error = mg_fail_descriptor(run, BASE_STR(""));
	return out->error ? 0 : BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
}

/* ---- which terminations ---- */

static bool target_take(struct mg_run *run, struct targets *t, size_t cap, struct mg_term *term)
{
	if (!t->term) /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
		t->term = base_arena_array(run->arena, cap ? cap : 1, sizeof(*t->term));
	if (!t->term || t->count == cap)
		return false;
	t->term[t->count++] = term;
	return true;
}

static int targets_of_context(struct mg_run *run, const struct mg_context *context,
                              const struct h248_term *name, struct targets *t)
{
	for (struct mg_term *term = mg_context_term_first(context); term;
	     term = mg_context_term_next(context, term))
		if (mg_term_matches(term, name) &&
		    !target_take(run, t, run->mg->counts.terminations, term))
			return mg_fail_memory(run);
	return 0;
}

/* Move names terminations of other contexts (7.2.4); ALL means every context (6.1). */
static int targets_wild(struct mg_run *run, const struct h248_term *name, struct targets *t)
{
	bool move = run->command->kind == H248_MOVE;
	int rc = 0;

	if (!move && run->context) {
		rc = targets_of_context(run, run->context, name, t);
	} else if (move || run->action->context == H248_CONTEXT_ALL) {
		struct base_node *head = &run->mg->context_list;

		for (struct base_node *n = head->next; !rc && n != head; n = n->next) {
			struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

			if (!move || c != run->context)
				rc = targets_of_context(run, c, name, t);
		}
	}
	if (!rc && !t->count)
		return mg_fail(run, H248_E_TERM_NO_MATCH, "no termination matches");
	return rc;
}

static int target_named(struct mg_run *run, const struct h248_term *name, struct targets *t)
{
	struct mg_term *term = mg_term_find(run->mg, name->name);
	bool move = run->command->kind == H248_MOVE;

	if (!term)
		return mg_fail(run, H248_E_TERM_UNKNOWN, "there is no such termination");
	if (!move && run->action->context != H248_CONTEXT_ALL && term->context != run->context)
		return mg_fail(run, H248_E_TERM_NOT_IN_CONTEXT, "it is in context %u",
		               term->context->id);
	return target_take(run, t, 1, term) ? 0 : mg_fail_memory(run);
}

static int targets_find(struct mg_run *run, const struct h248_term *name, struct targets *t)
{
	unsigned kind = run->command->kind;

	memset(t, 0, sizeof(*t));
	if (name->kind == H248_TERM_ROOT) {
		/* 6.2.5: any other use of ROOT is error 410 */
		if (kind == H248_MOVE || kind == H248_SUBTRACT)
			return mg_fail(run, H248_E_IDENTIFIER, "not possible with ROOT");
		if (run->action->context != H248_CONTEXT_NULL &&
		    !(audits(kind) && run->action->context == H248_CONTEXT_ALL))
			return mg_fail(run, H248_E_TERM_NOT_IN_CONTEXT,
			               "ROOT is in the null context");
		return target_take(run, t, 1, &run->mg->root) ? 0 : mg_fail_memory(run);
	}
	if (name->kind == H248_TERM_CHOOSE || memchr(name->name.ptr, '$', name->name.len))
		return mg_fail(run, H248_E_IDENTIFIER, "CHOOSE needs an Add");
	return h248_term_is_wild(name) ? targets_wild(run, name, t) : target_named(run, name, t);
}

/* ---- one command for one termination ---- */

static int command_one(struct mg_run *run, struct mg_term *term)
{
	struct h248_command *reply;
	char name[MG_NAME_MAX];

	switch (run->command->kind) {
	case H248_MODIFY:
		return mg_cmd_modify(run, term);
	case H248_MOVE:
		return mg_cmd_move(run, term);
	case H248_SERVICE_CHANGE:
		return mg_cmd_change(run, term);
	case H248_SUBTRACT:
	case H248_AUDIT_VALUE:
	case H248_AUDIT_CAPABILITY:
		snprintf(name, sizeof(name), "%s", term->name);
		reply = mg_run_reply(run, context_of(run, term), base_str_of(name));
		if (!reply)
			return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
		if (run->command->kind == H248_SUBTRACT)
			return mg_cmd_subtract(run, term, reply);
		return mg_cmd_audit(run, term, reply);
	default:
		return mg_fail(run, H248_E_COMMAND, "a gateway does not execute this command");
	}
}

/* A reply that was begun before its command failed is taken back. */
static void reply_undo(struct h248_action *action, struct h248_command *last)
{
	if (!action || action->last_command == last)
		return;
	action->last_command = last;
	if (last)
		last->next = NULL;
	else
		action->commands = NULL;
}

static int command_at(struct mg_run *run, struct mg_term *term, struct base_str name)
{
	uint32_t context = context_of(run, term);
	struct h248_action *out = mg_run_out(run, context);
	struct h248_command *last = out ? out->last_command : NULL;
	char own[MG_NAME_MAX];
	int rc;

	if (!out)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	if (term) {
		snprintf(own, sizeof(own), "%s", term->name);
		name = base_str_of(own);
	}
	run->mg->counts.commands++;
	rc = command_one(run, term);
	if (rc && base_err_class(rc) != BASE_PEER)
		(void)mg_fail_memory(run);
	if (rc) {
		reply_undo(out, last);
		return reply_failure(run, context, name);
	}
	return 0;
}

/* ---- wildcarded response: one reply with the union (6.2.2) ---- */

static bool union_has(const struct h248_command *into, const struct h248_descriptor *d)
{
	for (const struct h248_descriptor *i = into->descriptors; i; i = i->next)
		if (h248_descriptor_equal(i, d))
			return true;
	return false;
}

static void union_merge(struct h248_command *into, struct h248_command *from)
{
	struct h248_descriptor *next;

	for (struct h248_descriptor *d = from->descriptors; d; d = next) {
		next = d->next;
		d->next = NULL;
		if (!union_has(into, d))
			h248_descriptor_append(into, d);
	}
}

static int command_union(struct mg_run *run, const struct h248_term *name, struct targets *t)
{
	uint32_t context = run->context ? run->context->id : run->action->context;
	struct h248_command *into = mg_run_reply(run, context, name->name);
	struct h248_action *keep = run->out;

	if (!into)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	for (size_t i = 0; i < t->count; i++) {
		struct h248_transaction aside = { 0 };
		struct h248_transaction *reply = run->reply;
		int rc;

		/* Each one answers into a reply of its own, whose content is then merged. */
		run->reply = &aside;
		run->out = NULL;
		rc = command_at(run, t->term[i], name->name);
		run->reply = reply;
		run->out = keep;
		if (rc)
			return rc;
		for (struct h248_action *a = aside.actions; a; a = a->next)
			for (struct h248_command *c = a->commands; c; c = c->next)
				union_merge(into, c);
		if (run->failed)
			break;
	}
	return 0;
}

/* ---- one command ---- */

/* AuditValue of ROOT in all contexts: the list of ContextIDs (7.2.5, spec 5.3). */
static int command_list_contexts(struct mg_run *run)
{
	struct base_node *head = &run->mg->context_list;

	run->mg->counts.commands++;
	if (base_list_empty(head))
		return mg_run_reply(run, H248_CONTEXT_ALL, BASE_STR("ROOT"))
		               ? 0
		               : BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	for (struct base_node *n = head->next; n != head; n = n->next) {
		uint32_t id = BASE_CONTAINER_OF(n, struct mg_context, node)->id;
		struct h248_action *out = mg_run_out(run, id);

		if (!out)
			return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
		if (run->version >= 3)
			out->bare = true;
		else if (!mg_run_reply(run, id, BASE_STR("ROOT")))
			return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	}
	run->out = NULL;
	return 0;
}

static int command_term(struct mg_run *run, const struct h248_term *name)
{
	uint32_t context = run->context ? run->context->id : run->action->context;
	struct targets t;
	int rc;

	if (run->command->kind == H248_ADD) {
		struct h248_action *out = mg_run_out(run, context);
		struct h248_command *last = out ? out->last_command : NULL;

		run->mg->counts.commands++;
		rc = mg_cmd_add(run, name);
		if (!rc)
			return 0;
		if (base_err_class(rc) != BASE_PEER)
			(void)mg_fail_memory(run);
		reply_undo(out, last);
		return reply_failure(run, context, name->name);
	}
	if (audits(run->command->kind) && name->kind == H248_TERM_ROOT &&
	    run->action->context == H248_CONTEXT_ALL)
		return command_list_contexts(run);
	rc = targets_find(run, name, &t);
	if (rc) {
		run->mg->counts.commands++;
		return reply_failure(run, context, name->name);
	}
	if (run->command->wildcarded_response && h248_term_is_wild(name))
		return command_union(run, name, &t);
	for (size_t i = 0; i < t.count && !rc; i++)
		rc = command_at(run, t.term[i], name->name);
	return rc;
}

/*
 * A command that could not be read. One of which not even the name or the termination is known has
 * no reply of its own: the error is the action's.
 */
static int command_unread(struct mg_run *run, const struct h248_command *command, uint32_t context)
{
	const struct h248_fault *f = command->fault;
	struct h248_command *reply;

	if (command->kind == H248_COMMAND_UNKNOWN || !command->term.name.len) {
		run->command = NULL;
		(void)mg_fail(run, f->code, "%s", f->text);
		return action_failure(run, context);
	}
	run->mg->counts.commands++;
	run->mg->counts.failed++;
	if (!command->optional)
		run->failed = true;
	reply = mg_run_reply(run, context, command->term.name);
	return reply && h248_error_add(run->arena, reply, f->code, f->text)
	               ? 0
	               : BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
}

static int command_run(struct mg_run *run, const struct h248_command *command)
{
	uint32_t context = run->context ? run->context->id : run->action->context;
	int rc = 0;

	run->command = command;
	if (command->fault)
		return command_unread(run, command, context);
	for (const struct h248_term *t = &command->term; t && !rc && !run->failed; t = t->next)
		rc = command_term(run, t);
	run->command = NULL;
	return rc;
}

/* ---- actions ---- */

/* A context that the action made and that nothing came into is none (6.1.2). */
static void action_clean(struct mg_run *run)
{
	if (run->fresh_context && run->context && !run->context->term_count) {
		if (run->out && run->out->context == run->context->id)
			run->out->context = H248_CONTEXT_CHOOSE;
		mg_context_free(run->mg, run->context);
	}
	run->context = NULL;
	run->fresh_context = false;
}

static int action_context(struct mg_run *run)
{
	const struct h248_action *a = run->action;
	const struct h248_command *first = a->commands;
	unsigned code;

	switch (a->context) {
	case H248_CONTEXT_NULL:
		if (a->attr || a->audit)
			return mg_fail(run, H248_E_ACTION, "the null context has no attributes");
		return 0;
	case H248_CONTEXT_ALL:
		return 0;
	case H248_CONTEXT_CHOOSE:
		if (!first || (first->kind != H248_ADD && first->kind != H248_MOVE))
			return mg_fail(run, H248_E_ACTION,
			               "a new context begins with an Add or a Move");
		if (run->mg->door_closed)
			return mg_fail(run, H248_E_UNAVAILABLE,
			               "the gateway is going out of service");
		run->context = mg_context_new(run->mg, &code);
		if (!run->context)
			return mg_fail(run, code, "no further context is possible");
		run->fresh_context = true;
		return 0;
	default:
		run->context = mg_context_find(run->mg, a->context);
		if (!run->context)
			return mg_fail(run, H248_E_CONTEXT_UNKNOWN, "there is no such context");
		return 0;
	}
}

static bool topology_waits(const struct h248_context_attr *attr)
{
	for (const struct h248_topology *t = attr ? attr->topology : NULL; t; t = t->next)
		if (t->from.kind == H248_TERM_CHOOSE || t->to.kind == H248_TERM_CHOOSE)
			return true;
	return false;
}

/* Conditions of a ContextAudit hold for the action's commands too (version 3, spec 5.4): a command
 * for every context would then do more than it was asked. */
static int selection_check(struct mg_run *run, const struct h248_action *a)
{
	const struct h248_context_audit *c = a->audit;

	if (c && a->commands &&
	    (c->has_select_priority || c->select_emergency || c->select_ieps || c->list))
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "ContextAudit: commands cannot be selected by a value");
	return 0;
}

/* Attributes of one context, or of all of them. */
static int attributes_set(struct mg_run *run, const struct h248_context_attr *attr)
{
	struct base_node *head = &run->mg->context_list;
	int rc = 0;

	if (run->context)
		return mg_context_attr_set(run, run->context, attr);
	for (struct base_node *n = head->next; !rc && n != head; n = n->next)
		rc = mg_context_attr_set(run, BASE_CONTAINER_OF(n, struct mg_context, node), attr);
	return rc;
}

static int attributes_audit(struct mg_run *run, const struct h248_context_audit *audit)
{
	struct base_node *head = &run->mg->context_list;
	int rc = 0;

	if (run->context)
		return mg_context_attr_audit(run, run->context, audit);
	for (struct base_node *n = head->next; !rc && n != head; n = n->next) {
		struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

		if (mg_context_selected(c, audit))
			rc = mg_context_attr_audit(run, c, audit);
	}
	return rc;
}

static int action_commands(struct mg_run *run)
{
	int rc = 0;

	for (const struct h248_command *c = run->action->commands; c && !rc && !run->failed;
	     c = c->next) {
		if (run->ended) {
			/* 6.1.2: without terminations there is no context any more. */
			run->command = NULL;
			(void)mg_fail(run, H248_E_CONTEXT_UNKNOWN, "the context has ended");
			return action_failure(run,
			                      run->out ? run->out->context : run->action->context);
		}
		rc = command_run(run, c);
	}
	return rc;
}

static int action_run(struct mg_run *run, const struct h248_action *action)
{
	struct h248_action *before = run->reply->last_action;
	bool late = topology_waits(action->attr);
	int rc;

	run->action = action;
	run->out = NULL;
	run->ended = false;
	run->command = NULL;
	run->chosen = NULL;
	if (action->fault) {
		(void)mg_fail(run, action->fault->code, "%s", action->fault->text);
		return action_failure(run, action->context);
	}
	rc = selection_check(run, action);
	if (!rc)
		rc = action_context(run);
	if (rc)
		return action_failure(run, action->context);
	if (action->attr && !late)
		rc = attributes_set(run, action->attr);
	if (!rc) {
		rc = action_commands(run);
		if (rc)
			goto out;
		if (late && !run->failed && run->context)
			rc = attributes_set(run, action->attr);
	}
	run->command = NULL;
	if (!rc && action->audit && !run->failed && !run->ended)
		rc = attributes_audit(run, action->audit);
	if (rc && base_err_class(rc) != BASE_PEER)
		goto out;
	if (rc)
		rc = action_failure(run, run->context ? run->context->id : action->context);
	else if (run->reply->last_action == before &&
	         !mg_run_out(run, run->context ? run->context->id : action->context))
		rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
out:
	action_clean(run);
	return rc;
}

int mg_execute(struct mg *mg, const struct h248_transaction *request, unsigned version,
               bool guarded, struct base_arena *arena, struct h248_transaction **ret)
{
	struct mg_run run = { .mg = mg, .arena = arena, .version = version, .guarded = guarded };
	int rc = 0;

	run.reply = h248_reply_new(arena, request->id);
	if (!run.reply)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	if (request->fault) {
		run.reply->error =
		        h248_error_new(arena, request->fault->code, request->fault->text);
		if (!run.reply->error)
			return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
		*ret = run.reply;
		return 0;
	}
	mg->executing++;
	for (const struct h248_action *a = request->actions; a && !rc && !run.failed; a = a->next)
		rc = action_run(&run, a);
	mg->executing--;
	mg_happenings_run(mg);
	if (rc)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	*ret = run.reply;
	return 0;
}
