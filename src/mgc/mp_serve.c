/* SPDX-License-Identifier: Apache-2.0 */
/** @file What MRFPs ask of their controller: ServiceChange (RFC 3525, 7.2.8, 11) and Notify. */
#include <stdio.h>
#include <time.h>

#include "mgc/mp_private.h"

/* ---- who may come ---- */

static bool listed(const struct mgc_mp *mp, const struct h248_mid *mid)
{
	for (size_t i = 0; i < mp->config.gateways_count; i++) {
		struct h248_mid one;

		if (!h248_mid_parse(base_str_of(mp->config.gateways[i]), &one) &&
		    h248_mid_equal(&one, mid))
			return true;
	}
	return false;
}

bool mgc_mp_stranger(void *user, const struct h248_addr *from, const struct h248_message *msg)
{
	struct mgc_mp *mp = user;
	char addr[H248_ADDR_TEXT];
	bool taken = mp->config.gateways_count ? listed(mp, &msg->mid) : h248_addr_protected(from);

	if (mp->leaving)
		taken = false;
	if (taken)
		return true;
	mp->counters.refused++;
	base_log(BASE_LOG_WARN, "mgc", "stranger refused from=%s: %s", h248_addr_format(from, addr),
	         mp->leaving ? "we are leaving" : "its mId is not in h248.gateways");
	return false;
}

/* ---- ServiceChange ---- */

static struct h248_time now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return h248_time_of(t.tv_sec, (unsigned)(t.tv_nsec / 10000000));
}

/* 7.2.8, 11.3: our version or less, and the time. */
static void services_answer(struct base_arena *arena, struct h248_command *reply,
                            const struct mgc_mp *mp, const struct h248_services *asked)
{
	struct h248_services *s;

	if (!asked || !asked->has_version)
		return; /* an empty descriptor is not grammatical */
	s = h248_services_add(arena, reply);
	if (!s)
		return;
	s->has_version = true;
	s->version = (uint8_t)BASE_MIN((unsigned)asked->version, mp->config.version);
	s->time = now();
}

/* How to speak to it from now on. */
static void peer_tune(struct mgc_mrfp *mrfp, const struct h248_services *s)
{
	struct h248_addr at;

	if (s->has_version)
		h248_peer_version_set(mrfp->peer,
		                      BASE_MIN((unsigned)s->version, mrfp->mp->config.version));
	if (s->address && !h248_addr_of_mid(s->address, h248_peer_addr(mrfp->peer), &at))
		h248_peer_addr_set(mrfp->peer, &at);
}

/* Of the MRFP as a whole (11.2, 11.4, 11.5). */
static void root_changed(struct mgc_mrfp *mrfp, const struct h248_services *s)
{
	char why[64];

	peer_tune(mrfp, s);
	switch (s->method) {
	case H248_RESTART: /* 902 and 901 alike: nothing is left of what was */
		if (mrfp->state != MRFP_NEW)
			mgc_mrfp_down(mrfp, "it has restarted", false);
		mgc_mrfp_up(mrfp, true);
		break;
	case H248_FORCED:
		(void)snprintf(why, sizeof(why), "it has left (%u)", s->reason_code);
		mgc_mrfp_down(mrfp, why, false);
		break;
	case H248_GRACEFUL:
		base_log(BASE_LOG_INFO, "mgc", "mrfp=%s leaves; it is given nothing new",
		         mrfp->name);
		if (mrfp->state != MRFP_NEW)
			mrfp->state = MRFP_FULL;
		break;
	default: /* Disconnected, Failover, HandOff: its contexts live */
		mgc_mrfp_up(mrfp, mrfp->state == MRFP_NEW);
		h248_peer_resend(mrfp->peer);
		break;
	}
}

static void services_take(struct mgc_mrfp *mrfp, const struct h248_action *a,
                          const struct h248_command *c)
{
	const struct h248_services *s = h248_command_services(c);
	struct mgc_mp *mp = mrfp->mp;
	struct mgc_told told = { .context = a->context, .term = c->term.name, .alert = -1 };

	if (!s)
		return;
	if (c->term.kind == H248_TERM_ROOT)
		root_changed(mrfp, s);
	else if (s->method == H248_FORCED)
		mp->ops.on_told(mp->ops.arg, mrfp, &told);
}

/* ---- Notify ---- */

static struct base_str text_of(const struct h248_parm *parms, const char *name)
{
	struct base_str text = { NULL, 0 };

	(void)h248_parm_text(h248_parm_find(parms, "", name), &text);
	return text;
}

static void event_take(struct mgc_mrfp *mrfp, const struct h248_action *a,
                       const struct h248_command *c, const struct h248_observed_event *e)
{
	struct base_str alert = text_of(e->parms, "Alert");
	struct mgc_mp *mp = mrfp->mp;
	struct mgc_told told = {
		.context = a->context,
		.term = c->term.name,
		.stream = e->has_stream ? e->stream : 0,
		.name = e->name,
		.type = text_of(e->parms, "Type"),
		.cause = text_of(e->parms, "Cause"),
		.suite = text_of(e->parms, "Suite"),
		.alert = -1,
	};
	uint64_t number;

	if (!base_str_u64(alert, 255, &number))
		told.alert = (int)number;
	mp->counters.events++;
	mp->ops.on_told(mp->ops.arg, mrfp, &told);
}

/* ---- requests ---- */

static void command_take(struct mgc_mrfp *mrfp, const struct h248_action *a,
                         const struct h248_command *c)
{
	const struct h248_observed_events *observed = h248_command_observed(c);

	if (c->kind == H248_SERVICE_CHANGE)
		services_take(mrfp, a, c);
	if (c->kind != H248_NOTIFY || mrfp->state == MRFP_NEW)
		return;
	for (const struct h248_observed_event *e = observed ? observed->events : NULL; e;
	     e = e->next)
		event_take(mrfp, a, c, e);
}

static struct h248_transaction *answer(struct base_arena *arena, const struct mgc_mp *mp,
                                       const struct mgc_mrfp *mrfp, uint32_t id,
                                       const struct h248_transaction *req)
{
	struct h248_transaction *reply = h248_reply_new(arena, id);

	for (const struct h248_action *a = req->actions; reply && a; a = a->next) {
		struct h248_action *action = h248_action_add(arena, reply, a->context);

		for (const struct h248_command *c = a->commands; c; c = c->next) {
			struct h248_command *done = h248_command_add(
			        arena, action, (enum h248_command_kind)c->kind, c->term.name);

			if (c->kind == H248_SERVICE_CHANGE)
				services_answer(arena, done, mp, h248_command_services(c));
			else if (c->kind != H248_NOTIFY)
				(void)h248_error_add(arena, done, H248_E_COMMAND, NULL);
			else if (mrfp->state == MRFP_NEW) /* register first (11.2) */
				(void)h248_error_add(arena, done, H248_E_UNAUTHORIZED_ENTITY, NULL);
		}
	}
	return reply;
}

void mgc_mp_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                    const struct h248_transaction *req)
{
	struct mgc_mp *mp = user;
	struct h248_peer *peer = h248_incoming_peer(in);
	struct mgc_mrfp *mrfp = peer ? mgc_mrfp_of(mp, peer) : NULL;
	struct base_arena arena = { 0 };
	struct h248_transaction *reply;

	(void)msg;
	if (!mrfp || req->faulty) {
		h248_txn_reply_error(in, mrfp ? H248_E_SYNTAX_TRANSACTION : H248_E_RESOURCES, NULL);
		return;
	}
	reply = answer(&arena, mp, mrfp, h248_incoming_id(in), req);
	if (reply)
		(void)h248_txn_reply(in, reply); /* it has been told in any case */
	else
		h248_txn_reply_error(in, H248_E_RESOURCES, NULL);
	base_arena_done(&arena);
	for (const struct h248_action *a = req->actions; a; a = a->next)
		for (const struct h248_command *c = a->commands; c; c = c->next)
			command_take(mrfp, a, c);
}
