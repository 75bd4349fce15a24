/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/focus_private.h"

#include <stdlib.h>

/* ---- calls that come in ---- */

static struct conf *conf_by_uri(struct mgc_focus *focus, struct base_str uri)
{
	char identity[OFFER_NAME_MAX];

	if (!offer_identity(uri, identity, sizeof(identity)))
		return NULL;
	for (size_t i = 0; i < focus->conf_count; i++)
		if (!focus->confs[i]->over && !strcmp(focus->confs[i]->room->identity, identity))
			return focus->confs[i];
	return NULL;
}

/* Who it is to conferences: P-Asserted-Identity where it is trusted (RFC 3325), else From. */
static bool admitted(const struct mgc_focus *focus, const struct mgc_room *room,
                     const struct sip_message *msg, const char *from)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_P_ASSERTED_IDENTITY };
	char identity[OFFER_NAME_MAX];
	struct base_str one;
	struct sip_addr addr;

	if (!focus->config->trust_asserted)
		return mgc_room_admits(room, from);
	while (sip_values_next(&values, &one))
		if (!sip_addr_parse(one, &addr) &&
		    offer_identity(addr.uri, identity, sizeof(identity)) &&
		    mgc_room_admits(room, identity))
			return true;
	return false;
}

static void turn_away(struct mgc_focus *focus, const struct sip_call_event *event, unsigned status,
                      const char *text)
{
	const struct sip_cause cause = { "SIP", status, text };

	focus->counters.turned_away++;
	base_log(BASE_LOG_INFO, "mgc", "turned away from=%.*s to=%.*s: %u %s",
	         BASE_FMT(event->msg->from.uri), BASE_FMT(event->msg->target), status, text);
	sip_call_end(event->call, status, &cause);
}

static size_t legs_count(const struct conf *conf)
{
	size_t count = 0;

	BASE_LIST_EACH(&conf->legs, node, next)
	count++;
	return count;
}

static void call_comes(struct mgc_focus *focus, const struct sip_call_event *event)
{
	const struct sip_message *msg = event->msg;
	struct conf *conf = conf_by_uri(focus, msg->target);
	char identity[OFFER_NAME_MAX];
	struct leg *leg;

	focus->counters.incoming++;
	if (focus->leaving)
		turn_away(focus, event, 503, "we are leaving");
	else if (!conf)
		turn_away(focus, event, 404, "no such conference");
	else if (!offer_identity(msg->from.uri, identity, sizeof(identity)) ||
	         !admitted(focus, conf->room, msg, identity))
		turn_away(focus, event, 403, "not a member");
	else if (legs_count(conf) >= conf->room->member_max)
		turn_away(focus, event, 486, "the conference is full");
	else if (!(leg = conf_leg_new(conf, identity)))
		turn_away(focus, event, 503, "no memory");
	else {
		leg->call = event->call;
		sip_call_user_set(event->call, leg);
		(void)sip_call_contact_set(event->call, NULL, ";isfocus"); /* a hint alone */
		leg_call_event(leg, event);
	}
}

void mgc_focus_call(void *arg, const struct sip_call_event *event)
{
	if (event->user)
		leg_call_event(event->user, event);
	else if (event->what == SIP_CALL_INCOMING)
		call_comes(arg, event);
}

/* ---- MRFPs ---- */

void mgc_focus_mrfp_up(void *arg, struct mgc_mrfp *mrfp, bool fresh)
{
	const struct mgc_order clear = { .kind = H248_SUBTRACT,
		                         .context = H248_CONTEXT_ALL,
		                         .term = BASE_STR("*") };
	struct mgc_focus *focus = arg;
	bool ours = false;

	for (size_t i = 0; i < focus->conf_count; i++)
		ours |= focus->confs[i]->mrfp == mrfp && focus->confs[i]->terms;
	/* What it has of a controller before us is nobody's (RFC 3525, 11.5). */
	if (fresh && !ours)
		(void)mgc_mrfp_order(mrfp, &clear, NULL, NULL, NULL);
	for (size_t i = 0; i < focus->conf_count; i++)
		if (focus->confs[i]->room->dial_at_start)
			conf_dial(focus->confs[i]);
}

void mgc_focus_mrfp_down(void *arg, struct mgc_mrfp *mrfp, const char *why)
{
	struct mgc_focus *focus = arg;

	for (size_t i = 0; i < focus->conf_count; i++)
		if (focus->confs[i]->mrfp == mrfp)
			conf_lost(focus->confs[i], why);
}

void mgc_focus_told(void *arg, struct mgc_mrfp *mrfp, const struct mgc_told *told)
{
	struct mgc_focus *focus = arg;

	for (size_t i = 0; i < focus->conf_count; i++)
		if (focus->confs[i]->mrfp == mrfp && focus->confs[i]->context == told->context)
			conf_told(focus->confs[i], told);
}

/* ---- for the owner ---- */

int mgc_focus_dial(struct mgc_focus *focus, const char *room, const char *uri)
{
	struct conf *conf = conf_by_uri(focus, base_str_of(room));

	if (!conf || focus->leaving)
		return BASE_ERR(BASE_CONFIG, 0);
	return conf_dial_one(conf, uri);
}

void mgc_focus_leave(struct mgc_focus *focus)
{
	focus->leaving = true;
	for (size_t i = 0; i < focus->conf_count; i++)
		BASE_LIST_EACH(&focus->confs[i]->legs, node, next)
	leg_fail(BASE_CONTAINER_OF(node, struct leg, node), LEG_EV_END, 503,
	         "the focus is leaving");
}

size_t mgc_focus_members(const struct mgc_focus *focus)
{
	return focus->members;
}

const struct mgc_focus_counters *mgc_focus_counters(const struct mgc_focus *focus)
{
	return &focus->counters;
}

/* ---- life ---- */

int mgc_focus_new(struct mgc_focus **ret, struct loop *loop, const struct mgc_config *config,
                  const struct mgc_focus_ops *ops)
{
	struct mgc_focus *focus = calloc(1, sizeof(*focus));
	struct mgc_focus_plan *plan;
	int rc;

	if (!focus)
		return BASE_ERR(BASE_LOCAL, 0);
	focus->loop = loop;
	focus->ops = *ops;
	rc = mgc_focus_prepare(focus, config, &plan);
	if (rc) {
		free(focus);
		return rc;
	}
	mgc_focus_commit(focus, plan);
	*ret = focus;
	return 0;
}

void mgc_focus_attach(struct mgc_focus *focus, struct mgc_mp *mp, struct sip_ua *ua)
{
	focus->mp = mp;
	focus->ua = ua;
}

void mgc_focus_free(struct mgc_focus *focus)
{
	if (!focus)
		return;
	for (size_t i = 0; i < focus->conf_count; i++) {
		loop_defer_stop(focus->loop, &focus->confs[i]->pump);
		BASE_LIST_EACH(&focus->confs[i]->legs, node, next)
		leg_free(BASE_CONTAINER_OF(node, struct leg, node));
		free(focus->confs[i]);
	}
	free(focus->confs);
	free(focus);
}
