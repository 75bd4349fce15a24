/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Signals (RFC 3525, 7.1.11): this gateway's are orders to the bearer (tcpbcc, tlsbsc), all of type
 * brief, so none is ever active when an audit asks.
 */
#include "mg/plan.h"

static bool supported(const struct h248_package *package)
{
	return !strcmp(package->name, "tcpbcc") || !strcmp(package->name, "tlsbsc");
}

static bool reset_given(const struct h248_signal *signal)
{
	const struct h248_parm *p = h248_parm_find(signal->parms, "", "Reset");
	struct base_str v;

	return p && h248_parm_text(p, &v) && base_str_ieq(v, BASE_STR("on"));
}

static int signal_read(struct mg_run *run, struct mg_plan *plan, const struct h248_signal *signal)
{
	const struct h248_package *package;
	const struct h248_package_item *item;
	struct base_error err = { 0 };
	struct mg_order *order;
	int rc;

	if (signal->is_list)
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "Signals: SignalList %u is not supported", signal->list_id);
	rc = h248_package_lookup(H248_SIGNAL, signal->name, &package, &item, &err);
	if (!rc)
		rc = h248_package_params_check(item, signal->parms, &err);
	if (rc)
		return mg_fail_error(run, rc, &err, "Signals %.*s/%.*s",
		                     BASE_FMT(signal->name.package), BASE_FMT(signal->name.item));
	if (!supported(package))
		return mg_fail(run, H248_E_SIGNAL_UNEQUIPPED, "Signals %s/%s: not equipped",
		               package->name, item->name);
	if (signal->type > H248_BRIEF)
		return mg_fail(run, H248_E_VALUE, "Signals %s/%s: SignalType can only be Brief",
		               package->name, item->name);
	if (signal->direction == H248_INTERNAL || signal->direction == H248_BOTH)
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "Signals %s/%s: direction can only be External", package->name,
		               item->name);
	/* 7.1.11: KeepActive with a signal that is not playing is ignored; brief ones never are. */
	if (signal->keep_active)
		return 0;
	if (plan->order_count == MG_ORDERS_MAX)
		return mg_fail(run, H248_E_RESOURCES, "Signals: more than %u", MG_ORDERS_MAX);
	order = &plan->order[plan->order_count++];
	order->stream = signal->has_stream ? signal->stream : 0;
	order->tls = !strcmp(package->name, "tlsbsc");
	order->release = !strcmp(item->name, "RelBNC");
	order->abort = order->release && reset_given(signal);
	return 0;
}

int mg_signals_read(struct mg_run *run, struct mg_plan *plan, const struct h248_signals *signals)
{
	int rc = 0;

	if (signals->signals && plan->term == &run->mg->root)
		return mg_fail(run, H248_E_COMMAND_ILLEGAL, "Signals: ROOT has none");
	for (const struct h248_signal *s = signals->signals; s && !rc; s = s->next)
		rc = signal_read(run, plan, s);
	return rc;
}

static bool order_means(const struct mg_order *o, const struct mg_stream *s)
{
	if (o->stream)
		return o->stream == s->id;
	return !o->tls || (s->local.groups && s->local.groups->media.security == H248_SDP_TLS);
}

int mg_signals_apply(struct mg_run *run, struct mg_plan *plan)
{
	struct mg_media *media = mg_plan_media(plan);

	if (!media)
		return mg_fail_memory(run);
	for (size_t i = 0; i < plan->order_count; i++) {
		const struct mg_order *o = &plan->order[i];
		unsigned found = 0;

		for (struct mg_stream *s = media->streams; s; s = s->next) {
			if (!order_means(o, s))
				continue;
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
