/* SPDX-License-Identifier: Apache-2.0 */
/** @file Orders for MRFPs as H.248 transactions, one command each, and what is answered. */
#include <stdlib.h>

#include "mgc/mp_private.h"

/* An order that is out. */
struct sent {
	struct base_node node;
	struct mgc_mrfp *mrfp;
	mgc_done_fn *fn; /* NULL: nobody waits */
	void *arg;
};

void mgc_mrfp_forget(struct mgc_mrfp *mrfp, bool all)
{
	BASE_LIST_EACH(&mrfp->sent, node, next)
	{
		struct sent *sent = BASE_CONTAINER_OF(node, struct sent, node);

		sent->fn = NULL;
		if (all)
			free(sent);
	}
}

/* ---- writing ---- */

/* `before`: NULL, or the property in front of it. */
static bool prop_put(struct base_arena *arena, struct h248_parm **list, const struct mgc_prop *p,
                     const struct mgc_prop *before)
{
	struct h248_parm *last = *list;

	while (last && last->next)
		last = last->next;
	if (last && before && !strcmp(before->name, p->name)) {
		last->form = H248_FORM_AND;
		return h248_value_add(arena, last, p->value, p->quoted) != NULL;
	}
	return h248_parm_set(arena, list, h248_name_of(p->name), p->value, p->quoted) != NULL;
}

static bool psk_put(struct base_arena *arena, struct h248_parm **list, const struct mgc_stream *s)
{
	char *hex = base_arena_alloc(arena, 3 * s->psk_len + 1);

	if (!hex)
		return false;
	base_hex_encode(s->psk, s->psk_len, 0, false, hex);
	return h248_parm_set(arena, list, h248_name_of("gatehouse/pskid"), base_str_of(s->psk_id),
	                     true) &&
	       h248_parm_set(arena, list, h248_name_of("gatehouse/psk"), base_str_of(hex), false);
}

static bool stream_put(struct base_arena *arena, struct h248_media *media,
                       const struct mgc_stream *s)
{
	struct h248_stream *to = h248_stream_add(arena, media, s->id);
	bool ok = to != NULL;

	if (ok && (s->control || s->prop_count || s->psk_id)) {
		to->control = BASE_NEW(arena, struct h248_local_control);
		ok = to->control != NULL;
		if (ok)
			to->control->mode = H248_SEND_RECEIVE;
		for (size_t i = 0; ok && i < s->prop_count; i++)
			ok = prop_put(arena, &to->control->parms, &s->props[i],
			              i ? &s->props[i - 1] : NULL);
		if (ok && s->psk_id)
			ok = psk_put(arena, &to->control->parms, s);
	}
	if (ok) {
		to->local = s->local;
		to->has_local = s->local.len || s->release;
		to->remote = s->remote;
		to->has_remote = s->remote.len || s->release;
	}
	return ok;
}

static bool signal_put(struct base_arena *arena, struct h248_signals *signals, const char *name,
                       uint16_t stream)
{
	struct h248_signal *s = BASE_NEW(arena, struct h248_signal), **at = &signals->signals;

	if (!s)
		return false;
	s->name = h248_name_of(name);
	s->stream = stream;
	s->has_stream = true;
	while (*at)
		at = &(*at)->next;
	*at = s;
	return true;
}

/* TCP first, TLS behind it (TS 23.333, 5.20.2): TLS starts as soon as TCP is up. */
static bool signals_put(struct base_arena *arena, struct h248_command *c,
                        const struct mgc_order *order)
{
	struct h248_signals *signals = NULL;
	bool ok = true;

	for (size_t i = 0; ok && i < order->stream_count; i++) {
		const struct mgc_stream *s = &order->streams[i];

		if (!signals && (s->tcp_start || s->tls_start)) {
			signals = h248_signals_add(arena, c);
			ok = signals != NULL;
		}
		if (ok && s->tcp_start)
			ok = signal_put(arena, signals, "tcpbcc/EstBNC", s->id);
		if (ok && s->tls_start)
			ok = signal_put(arena, signals, "tlsbsc/EstBNC", s->id);
	}
	return ok;
}

/* "Notify TCP connection establishment Failure Event", "Notify TLS session establishment Failure
 * Event" (TS 23.333, 5.20.2), and the ends of both. */
static bool events_put(struct base_arena *arena, struct h248_command *c, uint32_t request_id)
{
	struct h248_events *events = h248_events_add(arena, c, request_id);

	return events && h248_event_add(arena, events, h248_name_of("tcpbcc/BNCChange")) &&
	       h248_event_add(arena, events, h248_name_of("tlsbsc/BNCChange"));
}

static bool attrs_put(struct base_arena *arena, struct h248_action *a,
                      const struct mgc_order *order)
{
	struct h248_context_attr *attr = order->attr_count ? h248_action_attr(arena, a) : NULL;
	bool ok = !order->attr_count || attr;

	for (size_t i = 0; ok && i < order->attr_count; i++)
		ok = prop_put(arena, &attr->parms, &order->attrs[i], NULL);
	return ok;
}

static struct h248_transaction *request_of(struct base_arena *arena, const struct mgc_order *order)
{
	struct h248_transaction *t = h248_request_new(arena);
	struct h248_action *a = t ? h248_action_add(arena, t, order->context) : NULL;
	struct h248_command *c;
	struct h248_media *media = NULL;
	bool ok = a && attrs_put(arena, a, order);

	c = ok ? h248_command_add(arena, a, order->kind, order->term) : NULL;
	ok = c != NULL;
	if (ok && order->stream_count) {
		media = h248_media_add(arena, c);
		ok = media != NULL;
	}
	for (size_t i = 0; ok && i < order->stream_count; i++)
		ok = stream_put(arena, media, &order->streams[i]);
	if (ok && order->events)
		ok = events_put(arena, c, order->events);
	ok = ok && signals_put(arena, c, order);
	/* what is subtracted need not tell its statistics; what is asked for need tell nothing */
	if (ok && (order->kind == H248_SUBTRACT || order->kind == H248_AUDIT_VALUE))
		ok = h248_audit_add(arena, c, 0) != NULL;
	return ok ? t : NULL;
}

/* ---- reading ---- */

static void fail(struct mgc_done *done, const struct h248_error *e)
{
	done->code = e->code ? e->code : H248_E_INTERNAL;
	done->text = e->text;
}

static void read_reply(struct mgc_done *done, const struct h248_transaction *reply)
{
	const struct h248_action *a = reply->actions;
	const struct h248_command *c = a ? a->commands : NULL;

	if (a)
		done->context = a->context;
	if (c) {
		done->term = c->term.name;
		done->media = h248_command_media(c);
	}
	if (reply->error)
		fail(done, reply->error);
	else if (a && a->error)
		fail(done, a->error);
	else if (c && h248_command_error(c))
		fail(done, h248_command_error(c));
	else if (!c)
		done->code = H248_E_INTERNAL; /* neither answered nor refused */
}

static void answered(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	struct sent *sent = arg;
	struct mgc_mrfp *mrfp = sent->mrfp;
	struct mgc_done done = { 0 };
	mgc_done_fn *fn = sent->fn;
	void *user = sent->arg;

	(void)msg;
	base_list_remove(&sent->node);
	free(sent);
	if (outcome == H248_OUTCOME_TIMEOUT && mrfp->state != MRFP_DEAD) { /* D.1.5 */
		mgc_mrfp_down(mrfp, "a request was not answered", true);
		return;
	}
	if (outcome == H248_OUTCOME_REPLY)
		read_reply(&done, reply);
	else
		done.code = H248_E_PENDINGS;
	mrfp->mp->counters.failed += fn && done.code;
	if (fn)
		fn(user, &done);
}

/* ---- sending ---- */

static bool has_key(const struct mgc_order *order)
{
	for (size_t i = 0; i < order->stream_count; i++)
		if (order->streams[i].psk_id)
			return true;
	return false;
}

static int send_order(struct mgc_mrfp *mrfp, const struct mgc_order *order, struct sent *sent)
{
	struct base_arena arena = { .wipe = true };
	struct h248_transaction *t = request_of(&arena, order);
	/* properties of a context came with version 3 */
	unsigned version = order->attr_count ? 3 : 0;
	int rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);

	if (t)
		rc = h248_txn_request(mrfp->peer, t, version, answered, sent, NULL);
	base_arena_done(&arena);
	return rc;
}

int mgc_mrfp_order(struct mgc_mrfp *mrfp, const struct mgc_order *order, mgc_done_fn *fn, void *arg,
                   struct base_error *err)
{
	struct mgc_mp *mp = mrfp->mp;
	struct sent *sent;
	int rc;

	if (has_key(order) && !mp->config.unprotected_keys &&
	    !h248_addr_protected(h248_peer_addr(mrfp->peer)))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, H248_E_UNAUTHORIZED),
		                      "the way to %s is not protected: keys go by "
		                      "h248.transport tls, or with h248.unsafe-unprotected-keys",
		                      mrfp->name);
	sent = calloc(1, sizeof(*sent));
	if (!sent)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES), "no memory");
	sent->mrfp = mrfp;
	sent->fn = fn;
	sent->arg = arg;
	base_list_append(&mrfp->sent, &sent->node);
	rc = send_order(mrfp, order, sent);
	if (rc) {
		base_list_remove(&sent->node);
		free(sent);
		return base_error_set(err, rc, "the order cannot be sent (%u)",
		                      base_err_detail(rc));
	}
	mp->counters.orders++;
	return 0;
}

/* ---- leaving ---- */

/* 11.5: they go to another controller, with their contexts. */
static void hand_off(struct mgc_mrfp *mrfp, const struct h248_addr *to)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *t = h248_request_new(&arena);
	struct h248_action *a = t ? h248_action_add(&arena, t, H248_CONTEXT_NULL) : NULL;
	struct h248_command *c =
	        a ? h248_command_add(&arena, a, H248_SERVICE_CHANGE, BASE_STR("ROOT")) : NULL;
	struct h248_services *s = c ? h248_services_add(&arena, c) : NULL;
	struct h248_mid mid = h248_addr_mid(to);

	if (s) {
		mid.has_port = true;
		s->method = H248_HAND_OFF;
		s->reason = base_str_of(h248_reason_text(H248_R_MGC_DIRECTED));
		s->reason_code = H248_R_MGC_DIRECTED;
		s->has_reason = true;
		s->mgc_id = &mid;
		(void)h248_txn_request(mrfp->peer, t, 0, NULL, NULL, NULL); /* we go anyway */
	}
	base_arena_done(&arena);
}

void mgc_mp_leave(struct mgc_mp *mp)
{
	mp->leaving = true;
	BASE_LIST_EACH(&mp->mrfps, node, next)
	{
		struct mgc_mrfp *mrfp = BASE_CONTAINER_OF(node, struct mgc_mrfp, node);

		if (mp->config.handoff && mrfp->state == MRFP_UP)
			hand_off(mrfp, mp->config.handoff);
	}
}
