/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Modify and Move (RFC 3525, 7.2.2 and 7.2.4).
 */
#include "mg/audit.h"

static int modify_commit(struct mg_run *run, struct mg_plan *plan, uint32_t context)
{
	struct h248_command *reply = mg_run_reply(run, context, base_str_of(plan->term->name));
	int rc;

	if (!reply)
		return mg_fail_memory(run);
	mg_plan_swap(plan);
	rc = mg_plan_reply(run, plan, reply);
	if (rc)
		mg_plan_drop(run->mg, plan);
	return rc;
}

int mg_cmd_modify(struct mg_run *run, struct mg_term *term)
{
	struct mg_plan plan = { 0 };
	int rc = mg_plan_make(run, &plan, term, term->context);

	if (!rc)
		rc = modify_commit(run, &plan,
		                   term->context ? term->context->id : H248_CONTEXT_NULL);
	if (rc)
		mg_plan_drop(run->mg, &plan);
	else
		mg_plan_settle(run->mg, &plan);
	return rc;
}

/* ---- Move ---- */

static bool has_legs(const struct mg_context *context)
{
	for (struct mg_term *t = mg_context_term_first(context); t;
	     t = mg_context_term_next(context, t))
		for (const struct mg_stream *s = t->media ? t->media->streams : NULL; s;
		     s = s->next)
			if (s->leg)
				return true;
	return false;
}

static bool term_has_legs(const struct mg_term *term)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (s->leg)
			return true;
	return false;
}

/* Streams that two others of the target have already (as for Add). */
static int move_streams_check(struct mg_run *run, const struct mg_term *term)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s;
	     s = s->next) {
		unsigned others = 0;

		for (struct mg_term *t = mg_context_term_first(run->context); t;
		     t = mg_context_term_next(run->context, t)) {
			const struct mg_stream *o = mg_term_stream(t, s->id);

			others += o && o->local.groups;
		}
		if (s->local.groups && others > 1)
			return mg_fail(run, H248_E_TERM_TOO_MANY,
			               "Stream %u: two terminations of the context have it already",
			               s->id);
	}
	return 0;
}

static int move_check(struct mg_run *run, const struct mg_term *term)
{
	unsigned max = run->mg->set.max_terminations ? run->mg->set.max_terminations
	                                             : MG_DEFAULT_TERMINATIONS;

	if (!run->context)
		return mg_fail(run, H248_E_ACTION, "Move needs a context of its own");
	if (term->context == run->context)
		return mg_fail(run, H248_E_TERM_IN_CONTEXT, "it is in this context already");
	if (term->service_state == H248_STATE_OUT_OF_SERVICE)
		return mg_fail(run, H248_E_UNAVAILABLE, "it is out of service");
	if (run->context->term_count >= max)
		return mg_fail(run, H248_E_TERM_TOO_MANY, "the context holds %u terminations", max);
	/* Sockets live on one worker: they go along only to a context that has none yet. */
	if (term_has_legs(term) && run->context->bearer != term->context->bearer &&
	    has_legs(run->context))
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "its bearer lives on another worker than those of this context");
	return move_streams_check(run, term);
}

/* The target takes the source's relay context over, where it has no bearer of its own. */
static void bearer_share(struct mg_run *run, const struct mg_term *term)
{
	struct mg_bearer *theirs = term->context->bearer;

	if (!theirs || run->context->bearer == theirs || has_legs(run->context))
		return;
	mg_bearer_unref(run->mg, run->context->bearer);
	theirs->refs++;
	run->context->bearer = theirs;
}

int mg_cmd_move(struct mg_run *run, struct mg_term *term)
{
	struct mg_context *from = term->context;
	struct mg_plan plan = { 0 };
	int rc = move_check(run, term);

	if (rc)
		return rc;
	bearer_share(run, term);
	rc = mg_plan_make(run, &plan, term, run->context);
	if (!rc)
		rc = modify_commit(run, &plan, run->context->id);
	if (rc) {
		mg_plan_drop(run->mg, &plan);
		return rc;
	}
	mg_term_shift(term, run->context);
	mg_plan_settle(run->mg, &plan);
	mg_context_settle(run->mg, from);
	if (!from->term_count)
		mg_context_free(run->mg, from);
	return 0;
}
