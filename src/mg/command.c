/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From a transaction to its commands (RFC 3525, 8.2): actions in order, commands in order, each for
 * every termination its TerminationID means; the first failure that is not optional ends it all.
 */
#include "mg/happen.h"
#include "mg/part.h"
#include "mg/run.h"
#include "mg/service.h"

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

/* The matching ones that are selected (version 3); `*matched` when there is any. */
static int targets_of_context(struct mg_run *run, const struct mg_context *context,
                              const struct h248_term *name, struct targets *t, bool *matched)
{
	size_t cap = run->context ? run->context->term_count : run->mg->counts.terminations;

	if (run->command->kind == H248_MOVE)
		cap = run->mg->counts.terminations;
	for (struct mg_term *term = mg_context_term_first(context); term;
	     term = mg_context_term_next(context, term)) {
		bool selected;
		int rc;

		if (!mg_term_matches(term, name))
			continue;
		*matched = true;
		rc = mg_select(run, run->command->kind == H248_MOVE ? run->context : context, term,
		               &selected);
		if (!rc && selected && !target_take(run, t, cap, term))
			rc = mg_fail_memory(run);
		if (rc)
			return rc;
	}
	return 0;
}

/* Move names terminations of other contexts (7.2.4); ALL means every context (6.1). */
static int targets_wild(struct mg_run *run, const struct h248_term *name, struct targets *t)
{
	bool move = run->command->kind == H248_MOVE, matched = false;
	int rc = 0;

	if (!move && run->context) {
		rc = targets_of_context(run, run->context, name, t, &matched);
	} else if (move || run->action->context == H248_CONTEXT_ALL) {
		struct base_node *head = &run->mg->context_list;

		/* A ring has no end that is NULL.
		 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		for (struct base_node *n = head->next; !rc && n != head; n = n->next) {
			struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

			if (!move || c != run->context)
				rc = targets_of_context(run, c, name, t, &matched);
		}
	}
	if (!rc && !matched)
		return mg_fail(run, H248_E_TERM_NO_MATCH, "no termination matches");
	return rc;
}

static int target_named(struct mg_run *run, const struct h248_term *name, struct targets *t)
{
	struct mg_term *term = mg_term_find(run->mg, name->name);
	bool move = run->command->kind == H248_MOVE, selected;
	int rc;

	if (!term)
		return mg_fail(run, H248_E_TERM_UNKNOWN, "there is no such termination");
	if (!move && run->action->context != H248_CONTEXT_ALL && term->context != run->context)
		return mg_fail(run, H248_E_TERM_NOT_IN_CONTEXT, "it is in context %u",
		               term->context->id);
	rc = mg_select(run, move ? run->context : term->context, term, &selected);
	if (!rc && selected && !target_take(run, t, 1, term))
		rc = mg_fail_memory(run);
	return rc;
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
	mg_hang_touch(run->mg, term);
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

/* A descriptor that is in the union already, by its text. */
struct known {
	struct base_map_node node;
};

/* @return 0 with `*ret` true for a new one */
static int union_note(struct mg_run *run, struct base_map *seen, struct h248_descriptor *d,
                      bool *ret)
{
	struct h248_transaction txn = { .kind = H248_REPLY };
	struct h248_command command = { .descriptors = d, .last = d, .kind = H248_AUDIT_VALUE };
	struct h248_action action = { .commands = &command, .last_command = &command };
	struct base_writer w = { 0 };
	struct base_str text = { 0 };
	struct known *known;
	int rc;

	command.term = h248_term_of(BASE_STR("*"));
	txn.actions = txn.last_action = &action;
	rc = h248_text_encode_transaction(&w, &txn, run->version, H248_TEXT_COMPACT);
	*ret = !rc && !base_map_find(seen, base_writer_view(&w));
	if (*ret) {
		known = BASE_NEW(run->arena, struct known);
		if (!known || !mg_copy_str(run->arena, base_writer_view(&w), &text) ||
		    base_map_insert(seen, text, &known->node))
			rc = mg_fail_memory(run);
	}
	base_writer_done(&w);
	return rc;
}

static int union_merge(struct mg_run *run, struct base_map *seen, struct h248_command *into,
                       struct h248_command *from)
{
	struct h248_descriptor *next;
	int rc = 0;

	for (struct h248_descriptor *d = from->descriptors; d && !rc; d = next) {
		bool fresh;

		next = d->next;
		d->next = NULL;
		rc = union_note(run, seen, d, &fresh);
		if (!rc && fresh)
			h248_descriptor_append(into, d);
	}
	return rc;
}

/* One termination answers into a reply of its own, whose content is then merged. */
static int union_one(struct mg_run *run, struct base_map *seen, struct h248_command *into,
                     struct mg_term *term, struct base_str name)
{
	struct h248_transaction aside = { 0 };
	struct h248_transaction *reply = run->reply;
	struct h248_action *keep = run->out;
	int rc;

	run->reply = &aside;
	run->out = NULL;
	rc = command_at(run, term, name);
	run->reply = reply;
	run->out = keep;
	for (struct h248_action *a = aside.actions; a && !rc; a = a->next)
		for (struct h248_command *c = a->commands; c && !rc; c = c->next)
			rc = union_merge(run, seen, into, c);
	return rc;
}

/* All matches are attempted, also after one that fails (clause 8). */
static int command_union(struct mg_run *run, const struct h248_term *name, struct targets *t)
{
	uint32_t context = run->context ? run->context->id : run->action->context;
	struct h248_command *into = mg_run_reply(run, context, name->name);
	struct base_map seen = { 0 };
	int rc = into ? 0 : BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);

	for (size_t i = 0; i < t->count && !rc; i++)
		rc = union_one(run, &seen, into, t->term[i], name->name);
	base_map_done(&seen);
	return rc;
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
	/* A list (version 3) is one command for all that it names: each is attempted. */
	for (const struct h248_term *t = &command->term; t && !rc; t = t->next)
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
		if (mg_admit_context(run))
			return BASE_ERR(BASE_PEER, run->code);
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

/* A selection means contexts of those that there are; a list, ones that there are. */
static int selection_check(struct mg_run *run, const struct h248_action *a)
{
	const struct h248_context_id *lists[] = { a->attr ? a->attr->list : NULL,
		                                  a->audit ? a->audit->list : NULL };

	if (a->attr && a->attr->list && a->context != H248_CONTEXT_ALL)
		return mg_fail(run, H248_E_ACTION, "ContextList: only with ContextID ALL");
	if (mg_selects(a) && a->context == H248_CONTEXT_CHOOSE)
		return mg_fail(run, H248_E_ACTION, "a new context cannot be selected");
	for (size_t i = 0; i < BASE_COUNT(lists); i++)
		for (const struct h248_context_id *id = lists[i]; id; id = id->next)
			if (!mg_context_find(run->mg, id->id))
				return mg_fail(run, H248_E_CONTEXT_UNKNOWN,
				               "ContextList: there is no context %u", id->id);
	return 0;
}

/* Attributes of one context, or of all that are selected: set, or audited. */
static int attributes_of(struct mg_run *run, struct mg_context *context)
{
	bool selected = false;
	int rc = mg_select(run, context, NULL, &selected);

	if (rc || !selected)
		return rc;
	return run->setting ? mg_context_attr_set(run, context, run->action->attr)
	                    : mg_context_attr_audit(run, context, run->action->audit);
}

static int attributes_do(struct mg_run *run, bool set)
{
	struct base_node *head = &run->mg->context_list;
	int rc = 0;

	run->setting = set;
	if (run->context || run->action->context != H248_CONTEXT_ALL)
		return run->context ? attributes_of(run, run->context) : 0;
	for (struct base_node *n = head->next; !rc && n != head; n = n->next)
		rc = attributes_of(run, BASE_CONTAINER_OF(n, struct mg_context, node));
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
		rc = attributes_do(run, true);
	if (!rc) {
		rc = action_commands(run);
		if (rc)
			goto out;
		if (late && !run->failed && run->context)
			rc = attributes_do(run, true);
	}
	run->command = NULL;
	if (!rc && action->audit && !run->failed && !run->ended)
		rc = attributes_do(run, false);
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
