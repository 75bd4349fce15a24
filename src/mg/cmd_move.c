/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Move (RFC 3525, 7.2.4). Bytes go between two endpoints of one worker only, and a TLS session
 * stays on the worker where it began. So who comes together may first have to go together: the
 * termination's bearers to those of the context, or those of the context to the termination's. Only
 * where both sides have a session, on two workers, it is refused.
 */
#include "mg/app.h"
#include "mg/audit.h"
#include "mg/pkg.h"
#include "mg/service.h"

/* All legs of a context, or of one termination (`only`). */
struct legs {
	const struct mg_context *context;
	struct mg_term *term, *only;
	struct mg_stream *s;
};

static struct mg_leg *legs_next(struct legs *w)
{
	for (;;) {
		if (w->s) {
			w->s = w->s->next;
		} else {
			w->term = w->only   ? w->term ? NULL : w->only
			          : w->term ? mg_context_term_next(w->context, w->term)
			                    : mg_context_term_first(w->context);
			if (!w->term)
				return NULL;
			w->s = w->term->media ? w->term->media->streams : NULL;
		}
		if (w->s && w->s->leg)
			return w->s->leg;
		if (!w->s && w->only)
			return NULL;
	}
}

static struct legs legs_of(const struct mg_context *context)
{
	return (struct legs){ .context = context };
}

static struct legs legs_of_term(const struct mg_term *term)
{
	return (struct legs){ .only = (struct mg_term *)term };
}

static bool any(struct legs w)
{
	return legs_next(&w) != NULL;
}

/* A session that has begun, or may at any moment. */
static bool in_session(const struct mg_leg *leg)
{
	return leg->tls &&
	       (leg->unnamed || leg->state == MG_LEG_TCP_UP || leg->state == MG_LEG_TLS_UP);
}

/* Can all of them go there? `*busy` when it is only a matter of time. */
static bool can_go(const struct mg *mg, struct legs w, const struct mg_bearer *to, bool *busy)
{
	const struct mg_leg *leg;

	while ((leg = legs_next(&w))) {
		enum relay_reach reach = mg->bearer->endpoint_reach(leg->endpoint, to->relay);

		*busy |= reach == RELAY_BUSY;
		if (reach == RELAY_BUSY || (reach == RELAY_FAR && in_session(leg)))
			return false;
	}
	return true;
}

/* Let them go. Links are made anew when the context is settled. */
static void go(struct mg *mg, struct legs w, const struct mg_bearer *to)
{
	struct mg_leg *leg;

	while ((leg = legs_next(&w))) {
		if (leg->partner) {
			/* Without memory for the order the relay does it by itself. */
			(void)mg->bearer->endpoint_link(leg->endpoint, NULL);
			mg_leg_part(leg);
		}
		mg->bearer->endpoint_move(leg->endpoint, to->relay);
	}
}

static void bearer_take(struct mg *mg, struct mg_context *context, struct mg_bearer *bearer)
{
	if (context->bearer == bearer)
		return;
	bearer->refs++;
	mg_bearer_unref(mg, context->bearer);
	context->bearer = bearer;
}

/*
 * Make it possible that the termination's bearers meet those of the context.
 * @param ret_goes  they have to go to the context's, once the command is in force
 */
static int meet(struct mg_run *run, const struct mg_term *term, bool *ret_goes)
{
	struct mg_context *to = run->context;
	struct mg_bearer *theirs = term->context->bearer;
	bool busy = false;

	*ret_goes = false;
	if (!any(legs_of_term(term)) || to->bearer == theirs)
		return 0;
	if (!any(legs_of(to))) {
		bearer_take(run->mg, to, theirs);
		return 0;
	}
	*ret_goes = can_go(run->mg, legs_of_term(term), to->bearer, &busy);
	if (*ret_goes)
		return 0;
	if (can_go(run->mg, legs_of(to), theirs, &busy)) {
		go(run->mg, legs_of(to), theirs);
		bearer_take(run->mg, to, theirs);
		mg_context_settle(run->mg, to);
		return 0;
	}
	if (busy)
		return mg_fail(run, H248_E_BUSY, "a bearer is on its way to another worker");
	return mg_fail(run, H248_E_NOT_IMPLEMENTED,
	               "its TLS session lives on another worker than one of this context");
}

/* Streams that two others of the target have already (as for Add). */
static int streams_check(struct mg_run *run, const struct mg_term *term)
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

/* Datagrams meet datagrams: what the plan asks of streams that it changes. */
static int kinds_check(struct mg_run *run, const struct mg_term *term)
{
	int rc = 0;

	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s && !rc;
	     s = s->next)
		for (struct mg_term *t = mg_context_term_first(run->context); t && !rc;
		     t = mg_context_term_next(run->context, t)) {
			const struct mg_stream *o = mg_term_stream(t, s->id);

			if (o)
				rc = mg_dgram_judge(run, s, o);
		}
	return rc;
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
	if (mg_term_has_app(term))
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "it has a stream whose application is known, which stays where it "
		               "is");
	if (run->context->term_count >= max)
		return mg_fail(run, H248_E_TERM_TOO_MANY, "the context holds %u terminations", max);
	return streams_check(run, term);
}

int mg_cmd_move(struct mg_run *run, struct mg_term *term)
{
	struct mg_context *from = term->context;
	struct mg_plan plan = { 0 };
	bool goes = false;
	int rc = move_check(run, term);

	if (!rc)
		rc = meet(run, term, &goes);
	if (rc)
		return rc;
	rc = mg_plan_make(run, &plan, term, run->context);
	if (!rc && !plan.media)
		rc = kinds_check(run, term);
	if (!rc)
		rc = mg_plan_commit(run, &plan, run->context->id);
	if (rc) {
		mg_plan_drop(run->mg, &plan);
		return rc;
	}
	if (goes)
		go(run->mg, legs_of_term(term), run->context->bearer);
	mg_term_shift(term, run->context);
	mg_plan_settle(run->mg, &plan);
	mg_context_settle(run->mg, from);
	if (!from->term_count) {
		mg_context_free(run->mg, from);
		mg_context_went(run->mg);
	}
	return 0;
}
