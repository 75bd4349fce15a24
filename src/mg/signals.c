/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The Signals descriptor (RFC 3525, 7.1.11): what may be asked for, and what of it is an order to
 * the bearer (tcpbcc, tlsbsc, tlsm), which is part of the command's plan. What lasts is played
 * (play.h).
 */
#include "mg/bearer.h"
#include "mg/equip.h"
#include "mg/happen.h"
#include "mg/pkg.h"
#include "mg/play.h"

enum h248_signal_type mg_signal_type(const struct h248_signal *signal)
{
	const struct h248_package_item *item = NULL;

	if (signal->type)
		return (enum h248_signal_type)signal->type;
	if (h248_package_lookup(H248_SIGNAL, signal->name, NULL, &item, NULL))
		return H248_BRIEF;
	return (enum h248_signal_type)(item->signal_type + 1U); /* Annex A counts from 0 */
}

/* ---- checking ---- */

static int type_check(struct mg_run *run, const struct mg_equipment_signal *row,
                      const struct h248_package *package, const struct h248_signal *s, bool last)
{
	unsigned types = row->types ? row->types : MG_TYPE(H248_BRIEF);
	enum h248_signal_type type = mg_signal_type(s);

	if (!(types & MG_TYPE(type)))
		return mg_fail(run, H248_E_VALUE, "Signals %s/%s: SignalType can only be %s",
		               package->name, row->name,
		               types == MG_TYPE(H248_BRIEF) ? "Brief" : "one of its own");
	if (type == H248_TIME_OUT && !s->has_duration && !row->duration)
		return mg_fail(run, H248_E_PARAMETER_MISSING,
		               "Signals %s/%s: TimeOut needs a Duration (7.1.11)", package->name,
		               row->name);
	if (type == H248_ON_OFF && !last)
		return mg_fail(run, H248_E_VALUE,
		               "Signals %s/%s: OnOff only as the last one of a list (7.1.11)",
		               package->name, row->name);
	return 0;
}

/* @param ret_row  of the signal */
static int signal_check(struct mg_run *run, struct mg_plan *plan, const struct h248_signal *s,
                        bool last, const struct mg_equipment_signal **ret_row)
{
	const struct h248_package *package;
	const struct h248_package_item *item;
	const struct mg_equipment *e;
	struct base_error err = { 0 };
	int rc = mg_package_lookup(H248_SIGNAL, s->name, &package, &item, &err);

	*ret_row = NULL;
	if (!rc)
		rc = h248_package_params_check(item, s->parms, &err);
	if (rc)
		return mg_fail_error(run, rc, &err, "Signals %.*s/%.*s", BASE_FMT(s->name.package),
		                     BASE_FMT(s->name.item));
	e = mg_package_on(run, plan->term, package) ? mg_equipment_find(package) : NULL;
	*ret_row = e ? mg_equipment_signal(e, item->name) : NULL;
	if (!*ret_row)
		return mg_fail(run, H248_E_SIGNAL_UNEQUIPPED, "Signals %s/%s: not equipped%s",
		               package->name, item->name,
		               plan->term == &run->mg->root ? " on ROOT" : "");
	rc = type_check(run, *ret_row, package, s, last);
	if (rc)
		return rc;
	if (s->direction == H248_INTERNAL || s->direction == H248_BOTH)
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "Signals %s/%s: direction can only be External", package->name,
		               item->name);
	return (*ret_row)->check ? (*ret_row)->check(run, plan, s) : 0;
}

/* ---- orders to the bearer ---- */

static bool reset_given(const struct h248_signal *signal)
{
	const struct h248_parm *p = h248_parm_find(signal->parms, "", "Reset");
	struct base_str v;

	return p && h248_parm_text(p, &v) && base_str_ieq(v, BASE_STR("on"));
}

static int order_add(struct mg_run *run, struct mg_plan *plan, const struct h248_signal *s)
{
	struct mg_order *order;

	if (plan->order_count == MG_ORDERS_MAX)
		return mg_fail(run, H248_E_RESOURCES, "Signals: more than %u", MG_ORDERS_MAX);
	order = &plan->order[plan->order_count++];
	order->stream = s->has_stream ? s->stream : 0;
	order->tls = base_str_ieq(s->name.package, BASE_STR("tlsbsc"));
	order->again = base_str_ieq(s->name.package, BASE_STR("tlsm"));
	order->release = base_str_ieq(s->name.item, BASE_STR("RelBNC"));
	order->abort = order->release && reset_given(s);
	return 0;
}

static bool order_means(const struct mg_order *o, const struct mg_stream *s)
{
	if (o->stream)
		return o->stream == s->id;
	if (!o->tls)
		return !mg_stream_udp(s);
	return mg_stream_tls(s);
}

int mg_signals_apply(struct mg_run *run, struct mg_plan *plan)
{
	struct mg_media *media = mg_plan_media(plan);

	if (!media)
		return mg_fail_memory(run);
	for (size_t i = 0; i < plan->order_count; i++) {
		const struct mg_order *o = &plan->order[i];
		unsigned found = 0;
		int rc = o->again ? mg_tlsm_order(run, media, o->stream) : 0;

		if (rc)
			return rc;
		if (o->again)
			continue;
		for (struct mg_stream *s = media->streams; s; s = s->next) {
			if (!order_means(o, s))
				continue;
			if (!o->tls && o->release && mg_stream_udp(s))
				return mg_fail(
				        run, H248_E_CONFLICT,
				        "Stream %u, Signals tcpbcc/RelBNC: the stream has no "
				        "TCP",
				        s->id);
			found++;
			s->est_tcp |= !o->tls && !o->release;
			s->est_tls |= o->tls && !o->release;
		}
		if (!found && o->stream)
			return mg_fail(run, H248_E_VALUE, "Signals: there is no stream %u",
			               o->stream);
		if (!found && !o->release)
			return mg_fail(run, H248_E_MISSING_REMOTE_LOCAL,
			               "Signals %s/EstBNC: there is no such stream",
			               o->tls ? "tlsbsc" : "tcpbcc");
	}
	return 0;
}

/* ---- reading ---- */

/* A brief order to the bearer whose end nobody waits for has nothing to play. */
static bool plays(const struct h248_signal *s, const struct mg_equipment_signal *row)
{
	return s->is_list || row->start || s->has_completion || mg_signal_type(s) != H248_BRIEF;
}

/* `first` begins with the command; `top` is it, or its list. */
static int signal_take(struct mg_run *run, struct mg_plan *plan, const struct h248_signal *top,
                       const struct h248_signal *first, const struct mg_equipment_signal *row)
{
	struct mg_play *going = mg_play_find(plan->term, top), *play;
	bool order = !row->start;

	/* 7.1.11: such a list goes on, and so does a signal with KeepActive; one that is not
	 * playing is ignored with it. */
	if (going && (top->is_list || top->keep_active)) {
		going->keep = true;
		return 0;
	}
	if (!top->is_list && top->keep_active)
		return 0;
	if (order) {
		int rc = order_add(run, plan, first);

		if (rc)
			return rc;
	}
	if (!plays(top, row))
		return 0;
	play = mg_play_new(run->mg, plan->term, top);
	if (!play)
		return mg_fail_memory(run);
	play->given = order;
	base_list_append(&plan->plays, &play->node);
	return 0;
}

static int list_read(struct mg_run *run, struct mg_plan *plan, const struct h248_signal *list)
{
	const struct mg_equipment_signal *first = NULL, *row;

	if (!list->list)
		return mg_fail(run, H248_E_PARAMETER_MISSING, "Signals: SignalList %u is empty",
		               list->list_id);
	for (const struct h248_signal *s = list->list; s; s = s->next) {
		int rc = signal_check(run, plan, s, !s->next, &row);

		if (rc)
			return rc;
		first = first ? first : row;
	}
	return signal_take(run, plan, list, list->list, first);
}

static bool named_before(const struct h248_signal *list, const struct h248_signal *s)
{
	for (; list != s; list = list->next)
		if (list->is_list && list->list_id == s->list_id)
			return true;
	return false;
}

int mg_signals_read(struct mg_run *run, struct mg_plan *plan, const struct h248_signals *signals)
{
	int rc = 0;

	plan->new_signals = true;
	for (const struct h248_signal *s = signals->signals; s && !rc; s = s->next) {
		const struct mg_equipment_signal *row;

		if (s->is_list && named_before(signals->signals, s))
			return mg_fail(run, H248_E_DESCRIPTOR_TWICE,
			               "Signals: SignalList %u appears twice", s->list_id);
		if (s->is_list) {
			rc = list_read(run, plan, s);
			continue;
		}
		rc = signal_check(run, plan, s, true, &row);
		if (!rc)
			rc = signal_take(run, plan, s, s, row);
	}
	return rc;
}

/* Could these be generated? Nothing is begun (8.2.2, of embedded signals). */
int mg_signals_check(struct mg_run *run, struct mg_plan *plan, const struct h248_signals *signals)
{
	const struct mg_equipment_signal *row;
	int rc = 0;

	for (const struct h248_signal *s = signals->signals; s && !rc; s = s->next) {
		const struct h248_signal *first = s->is_list ? s->list : s;

		for (const struct h248_signal *i = first; i && !rc; i = s->is_list ? i->next : NULL)
			rc = signal_check(run, plan, i, !s->is_list || !i->next, &row);
	}
	return rc;
}

/* ---- outside of commands ---- */

/* A command of our own on one termination. */
struct inner {
	struct base_arena arena;
	struct h248_transaction reply;
	struct h248_action action;
	struct h248_command command;
	struct mg_run run;
	struct mg_plan plan;
};

static void inner_begin(struct inner *in, struct mg *mg, struct mg_term *term)
{
	memset(in, 0, sizeof(*in));
	in->command.kind = H248_MODIFY;
	in->action.context = term->context ? term->context->id : H248_CONTEXT_NULL;
	in->run = (struct mg_run){ .mg = mg,
		                   .arena = &in->arena,
		                   .version = H248_VERSION_MAX,
		                   .reply = &in->reply,
		                   .action = &in->action,
		                   .command = &in->command,
		                   .context = term->context };
	mg->executing++;
}

static void inner_end(struct inner *in, struct mg_term *term, int rc)
{
	struct mg *mg = in->run.mg;

	if (rc) {
		base_log(BASE_LOG_WARN, "mg", "context=%u term=%s: a signal cannot begin: %s",
		         in->action.context, term->name, in->run.text);
		mg_plan_drop(mg, &in->plan);
	} else {
		mg_plan_swap(&in->plan);
		mg_plan_settle(mg, &in->plan);
	}
	base_arena_done(&in->arena);
	mg->executing--;
}

int mg_signal_order(struct mg *mg, struct mg_term *term, const struct h248_signal *signal)
{
	struct inner in;
	int rc;

	inner_begin(&in, mg, term);
	mg_plan_begin(&in.plan, term, term->context);
	rc = order_add(&in.run, &in.plan, signal);
	if (!rc)
		rc = mg_signals_apply(&in.run, &in.plan);
	if (!rc)
		rc = mg_plan_streams(&in.run, &in.plan);
	inner_end(&in, term, rc);
	return rc;
}

/* They never began: told without being asked (7.1.11). */
static void unable_tell(struct mg *mg, struct mg_term *term, const struct h248_signals *signals)
{
	for (const struct h248_signal *s = signals->signals; s; s = s->next) {
		const struct h248_signal *one = s->is_list ? s->list : s;
		struct mg_happening *h =
		        mg_happening_new(mg, term, one->has_stream ? one->stream : 0, "g", "sc");
		char name[160];

		snprintf(name, sizeof(name), "%.*s/%.*s", BASE_FMT(one->name.package),
		         BASE_FMT(one->name.item));
		mg_happening_text(h, "SigID", name);
		mg_happening_word(h, "Meth", "NC");
		if (s->is_list)
			mg_happening_number(h, "SLID", s->list_id);
		mg_happening_tell(mg, h);
	}
}

void mg_signals_activate(struct mg *mg, struct mg_term *term, const struct h248_signals *signals)
{
	struct h248_signals own = { .d.kind = H248_SIGNALS, .signals = signals->signals };
	struct inner in;
	int rc;

	inner_begin(&in, mg, term);
	in.command.descriptors = in.command.last = &own.d;
	rc = mg_plan_make(&in.run, &in.plan, term, term->context);
	inner_end(&in, term, rc);
	if (rc)
		unable_tell(mg, term, signals);
}
