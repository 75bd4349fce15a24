/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Add (RFC 3525, 7.2.1): all terminations but ROOT are ephemeral, made here with a name of ours.
 */
#include "mg/audit.h"
#include "mg/service.h"

/* Does the name that comes next fit what the controller left open (`$`, `ip/$`)? */
static bool name_fits(struct mg_run *run, const struct h248_term *asked, const char *name)
{
	char *pattern = base_arena_dup(run->arena, asked->name);

	for (size_t i = 0; pattern && i < asked->name.len; i++)
		if (pattern[i] == '$')
			pattern[i] = '*';
	return pattern &&
	       h248_term_match((struct base_str){ pattern, asked->name.len }, base_str_of(name));
}

static bool has_choose(const struct h248_term *asked)
{
	return memchr(asked->name.ptr, '$', asked->name.len) != NULL;
}

static int name_make(struct mg_run *run, const struct h248_term *asked, char ret[MG_NAME_MAX])
{
	struct mg_term *there;

	if (asked->kind == H248_TERM_ROOT)
		return mg_fail(run, H248_E_IDENTIFIER, "ROOT cannot be added");
	if (!has_choose(asked)) {
		there = mg_term_find(run->mg, asked->name);
		if (there)
			return mg_fail(run, H248_E_TERM_IN_CONTEXT, "it is in context %u",
			               there->context->id);
		if (h248_term_is_wild(asked))
			return mg_fail(run, H248_E_TERM_NO_MATCH,
			               "no termination is in the null context");
		return mg_fail(run, H248_E_TERM_UNKNOWN, "there is no such termination");
	}
	mg_term_name_next(run->mg, ret);
	if (!name_fits(run, asked, ret))
		return mg_fail(run, H248_E_TERM_NONE, "no name of this gateway is like that");
	return 0;
}

static int room_check(struct mg_run *run)
{
	unsigned max = run->mg->set.max_terminations ? run->mg->set.max_terminations
	                                             : MG_DEFAULT_TERMINATIONS;

	if (!run->context)
		return mg_fail(run, H248_E_ACTION, "Add needs a context of its own");
	if (run->context->term_count >= max)
		return mg_fail(run, H248_E_TERM_TOO_MANY, "the context holds %u terminations", max);
	return 0;
}

/* Put in force: into the context first, for only that can still fail. */
static int add_commit(struct mg_run *run, struct mg_plan *plan, struct mg_term *term)
{
	struct h248_command *reply = mg_run_reply(run, run->context->id, base_str_of(term->name));
	int rc;

	if (!reply || mg_term_enter(run->mg, term, run->context))
		return mg_fail_memory(run);
	mg_plan_swap(plan);
	rc = mg_plan_reply(run, plan, reply);
	if (rc) {
		mg_plan_drop(run->mg, plan);
		mg_term_leave(run->mg, term);
		return rc;
	}
	mg_plan_settle(run->mg, plan);
	return 0;
}

int mg_cmd_add(struct mg_run *run, const struct h248_term *asked)
{
	struct mg_plan plan = { 0 };
	char name[MG_NAME_MAX];
	struct mg_term *term;
	int rc = room_check(run);

	if (!rc)
		rc = mg_admit_term(run);
	if (!rc)
		rc = name_make(run, asked, name);
	if (rc)
		return rc;
	term = mg_term_new(run->mg, name);
	if (!term)
		return mg_fail_memory(run);
	rc = mg_plan_make(run, &plan, term, run->context);
	if (!rc)
		rc = add_commit(run, &plan, term);
	if (rc) {
		mg_plan_drop(run->mg, &plan);
		mg_term_free(run->mg, term);
		return rc;
	}
	if (!run->chosen)
		run->chosen = term;
	return 0;
}
