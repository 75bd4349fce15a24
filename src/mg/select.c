/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which contexts and terminations an action of version 3 means (sheet 5.4): a ContextList, and
 * values that stand as conditions in ContextAudit and in the Audit descriptor of its commands,
 * joined by AND or, with ORLgc, by OR. What does not meet them is passed over in silence (P: no
 * text at hand says what else to answer).
 */
#include "mg/audit.h"
#include "mg/part.h"

struct verdict {
	bool any, all, asked;
};

static void judge(struct verdict *v, bool true_here)
{
	v->asked = true;
	v->any |= true_here;
	v->all &= true_here;
}

/* ---- contexts ---- */

static bool listed(const struct h248_context_id *list, const struct mg_context *context)
{
	if (!list)
		return true;
	for (; list; list = list->next)
		if (list->id == context->id)
			return true;
	return false;
}

static void judge_context(struct verdict *v, const struct mg_context *context,
                          const struct h248_context_audit *audit)
{
	if (!audit)
		return;
	if (audit->has_select_priority)
		judge(v, context->priority == audit->select_priority);
	if (audit->select_emergency)
		judge(v, context->emergency == (audit->select_emergency == H248_ON));
	if (audit->select_ieps)
		judge(v, context->ieps == (audit->select_ieps == H248_ON));
}

/* ---- values of terminations ---- */

/* -1, 0, 1 by size for numbers, 0 or 1 by equality for all else. */
static int compare(const struct h248_value *is, const struct h248_value *asked)
{
	uint64_t a, b;

	if (!is->quoted && !asked->quoted && !base_str_u64(is->text, UINT64_MAX, &a) &&
	    !base_str_u64(asked->text, UINT64_MAX, &b))
		return a < b ? -1 : a > b;
	return is->quoted ? !base_str_eq(is->text, asked->text)
	                  : !base_str_ieq(is->text, asked->text);
}

static bool number(const struct h248_value *v)
{
	uint64_t n;

	return !v->quoted && !base_str_u64(v->text, UINT64_MAX, &n);
}

static bool held(const struct h248_value *is, const struct h248_parm *asked)
{
	const struct h248_value *first = &asked->value;

	switch (asked->form) {
	case H248_FORM_EQUAL:
		return !compare(is, first);
	case H248_FORM_UNEQUAL:
		return compare(is, first) != 0;
	case H248_FORM_GREATER:
		return number(is) && number(first) && compare(is, first) > 0;
	case H248_FORM_LESS:
		return number(is) && number(first) && compare(is, first) < 0;
	case H248_FORM_RANGE:
		return first->next && number(is) && number(first) && compare(is, first) >= 0 &&
		       compare(is, first->next) <= 0;
	default:
		for (const struct h248_value *v = first; v; v = v->next)
			if (!compare(is, v))
				return true;
		return false;
	}
}

/* A list of values: one that holds is enough; `#` means none is the value. */
static bool parm_held(const struct h248_parm *is, const struct h248_parm *asked)
{
	bool unequal = asked->form == H248_FORM_UNEQUAL;

	for (const struct h248_value *v = &is->value; v; v = v->next)
		if (held(v, asked) != unequal)
			return !unequal;
	return unequal;
}

static int judge_parms(struct mg_run *run, struct verdict *v, const struct h248_parm *is,
                       const struct h248_parm *asked)
{
	int rc;

	for (; asked; asked = asked->next) {
		const struct h248_parm *p = is;

		if (asked->form == H248_FORM_NONE)
			continue;
		rc = mg_audit_readable(run, asked);
		if (rc)
			return rc;
		while (p && !h248_name_equal(p->name, asked->name))
			p = p->next;
		judge(v, p && parm_held(p, asked));
	}
	return 0;
}

static bool enum_held(unsigned is, unsigned asked, unsigned form)
{
	return (is == asked) != (form == H248_FORM_UNEQUAL);
}

static bool conditions(const struct h248_local_control *c)
{
	if (c->mode)
		return true;
	for (const struct h248_parm *p = c->parms; p; p = p->next)
		if (p->form != H248_FORM_NONE)
			return true;
	return false;
}

/* Without a StreamID any stream will do. */
static int judge_stream(struct mg_run *run, struct verdict *v, const struct mg_term *term,
                        const struct h248_stream *asked)
{
	const struct h248_local_control *c = asked->control;
	struct verdict best = { 0 };

	if (!c || !conditions(c))
		return 0;
	best.asked = true;
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s;
	     s = s->next) {
		struct verdict one = { .all = true };
		struct h248_media told = { 0 };

		int rc;

		if (!asked->implied && s->id != asked->id)
			continue;
		if (mg_stream_tell(run, term, s, MG_TELL_CONTROL, &told))
			return mg_fail_memory(run);
		if (c->mode)
			judge(&one, enum_held(s->mode, c->mode, c->mode_form));
		rc = judge_parms(run, &one, told.streams->control->parms, c->parms);
		if (rc)
			return rc;
		best.any |= one.any;
		best.all |= one.all;
	}
	v->asked = true;
	v->any |= best.any;
	v->all &= best.all;
	return 0;
}

static int judge_state(struct mg_run *run, struct verdict *v, const struct mg_term *term,
                       const struct h248_term_state *asked)
{
	struct h248_term_state *is;

	if (asked->service_state)
		judge(v, enum_held(term->service_state, asked->service_state, asked->state_form));
	if (asked->buffer)
		judge(v, term->lock_step == (asked->buffer == H248_BUFFER_LOCK_STEP));
	if (!asked->parms)
		return 0;
	is = mg_state_tell(run, term);
	if (!is)
		return mg_fail_memory(run);
	return judge_parms(run, v, is->parms, asked->parms);
}

static int judge_term(struct mg_run *run, struct verdict *v, const struct mg_term *term)
{
	const struct h248_audit *audit = h248_command_audit(run->command);
	int rc = 0;

	for (const struct h248_descriptor *d = audit ? audit->individual : NULL; d && !rc;
	     d = d->next) {
		const struct h248_media *m = (const struct h248_media *)d;

		if (d->kind != H248_MEDIA)
			continue;
		if (m->state)
			rc = judge_state(run, v, term, m->state);
		for (const struct h248_stream *s = m->streams; s && !rc; s = s->next)
			rc = judge_stream(run, v, term, s);
	}
	return rc;
}

/* ---- both ---- */

bool mg_selects(const struct h248_action *action)
{
	const struct h248_context_audit *a = action->audit;

	return (action->attr && action->attr->list) ||
	       (a && (a->list || a->has_select_priority || a->select_emergency || a->select_ieps));
}

int mg_select(struct mg_run *run, const struct mg_context *context, const struct mg_term *term,
              bool *ret)
{
	const struct h248_action *action = run->action;
	struct verdict v = { .all = true };
	int rc = 0;

	*ret = false;
	if (context && ((action->attr && !listed(action->attr->list, context)) ||
	                (action->audit && !listed(action->audit->list, context))))
		return 0;
	if (context)
		judge_context(&v, context, action->audit);
	if (term && run->command &&
	    (run->command->kind == H248_AUDIT_VALUE || run->command->kind == H248_AUDIT_CAPABILITY))
		rc = judge_term(run, &v, term);
	*ret = !v.asked || (action->audit && action->audit->logic_or ? v.any : v.all);
	return rc;
}
