/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/bearer.h"
#include "mg/equip.h"
#include "mg/happen.h"
#include "mg/part.h"
#include "mg/pkg.h"
#include "mg/play.h"
#include "mg/service.h"

struct mg_media *mg_plan_media(struct mg_plan *plan)
{
	if (!plan->media)
		plan->media = mg_media_new(plan->term->media);
	plan->new_media = plan->media != NULL;
	return plan->media;
}

static const char *const descriptor_names[] = {
	[H248_MEDIA] = "Media",
	[H248_MODEM] = "Modem",
	[H248_MUX] = "Mux",
	[H248_EVENTS] = "Events",
	[H248_SIGNALS] = "Signals",
	[H248_DIGIT_MAP] = "DigitMap",
	[H248_STATISTICS] = "Statistics",
	[H248_OBSERVED_EVENTS] = "ObservedEvents",
	[H248_PACKAGES] = "Packages",
	[H248_EVENT_BUFFER] = "EventBuffer",
	[H248_AUDIT] = "Audit",
	[H248_ERROR] = "Error",
	[H248_SERVICES] = "Services",
	[H248_ITEM] = "item",
};

static int descriptor_read(struct mg_run *run, struct mg_plan *plan,
                           const struct h248_descriptor *d)
{
	switch (d->kind) {
	case H248_MEDIA:
		return mg_plan_media_read(run, plan, (const struct h248_media *)d);
	case H248_EVENTS:
		return mg_events_read(run, plan, (const struct h248_events *)d);
	case H248_SIGNALS:
		return mg_signals_read(run, plan, (const struct h248_signals *)d);
	case H248_STATISTICS:
		return mg_choice_read(run, plan, (const struct h248_statistics *)d);
	case H248_AUDIT:
		plan->audit = (const struct h248_audit *)d;
		return 0;
	case H248_EVENT_BUFFER:
		return mg_buffer_read(run, plan, (const struct h248_event_buffer *)d);
	case H248_DIGIT_MAP:
		return mg_digit_map_read(run, plan, (const struct h248_digit_map *)d);
	case H248_MODEM:
	case H248_MUX:
		return mg_fail(run, H248_E_DESCRIPTOR, "%s: this gateway has none",
		               descriptor_names[d->kind]);
	default:
		return mg_fail(run, H248_E_DESCRIPTOR_ILLEGAL, "%s: not legal in this command",
		               d->kind < BASE_COUNT(descriptor_names) ? descriptor_names[d->kind]
		                                                      : "descriptor");
	}
}

void mg_plan_begin(struct mg_plan *plan, struct mg_term *term, struct mg_context *context)
{
	memset(plan, 0, sizeof(*plan));
	base_list_init(&plan->plays);
	plan->term = term;
	plan->context = context;
	plan->bearer = context ? context->bearer : NULL;
}

int mg_plan_make(struct mg_run *run, struct mg_plan *plan, struct mg_term *term,
                 struct mg_context *context)
{
	unsigned seen = 0;
	int rc = 0;

	mg_plan_begin(plan, term, context);
	/* 7.2: processed in the order in which they appear */
	for (const struct h248_descriptor *d = run->command->descriptors; d && !rc; d = d->next) {
		if (d->kind <= H248_SERVICES && (seen & 1U << d->kind))
			return mg_fail(run, H248_E_DESCRIPTOR_TWICE, "%s: appears twice",
			               descriptor_names[d->kind]);
		seen |= 1U << d->kind;
		rc = descriptor_read(run, plan, d);
	}
	if (!rc)
		rc = mg_service_check(run, plan);
	if (!rc && plan->order_count)
		rc = mg_signals_apply(run, plan);
	return rc || !plan->media ? rc : mg_plan_streams(run, plan);
}

#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) swap = (a);                                                          \
		(a) = (b);                                                                         \
		(b) = swap;                                                                        \
	} while (0)

void mg_plan_swap(struct mg_plan *plan)
{
	struct mg_term *t = plan->term;

	if (plan->new_media)
		SWAP(t->media, plan->media);
	if (plan->events || plan->clear_events)
		SWAP(t->events, plan->events);
	if (plan->choice)
		SWAP(t->choice, plan->choice);
	if (plan->service_state)
		SWAP(t->service_state, plan->service_state);
	if (plan->new_state)
		SWAP(t->state, plan->state);
	if (plan->new_maps)
		SWAP(t->maps, plan->maps);
	if (plan->new_buffer)
		SWAP(t->buffer, plan->buffer);
	plan->swapped = !plan->swapped;
}

int mg_plan_reply(struct mg_run *run, struct mg_plan *plan, struct h248_command *reply)
{
	const struct mg_media *m = plan->new_media ? plan->term->media : NULL;
	struct h248_media *media = NULL;
	int rc = 0;

	for (const struct mg_stream *s = m ? m->streams : NULL; s && !rc; s = s->next) {
		unsigned what = (s->tell_local ? MG_TELL_LOCAL : 0) |
		                (s->tell_remote ? MG_TELL_REMOTE : 0) |
		                (s->tell_control ? MG_TELL_CONTROL : 0);

		if (!what || (plan->audit && (plan->audit->items & H248_AUDIT_BIT(H248_MEDIA))))
			continue;
		if (!media)
			media = h248_media_add(run->arena, reply);
		if (!media)
			return mg_fail_memory(run);
		rc = mg_stream_tell(run, plan->term, s, what, media);
	}
	if (!rc && plan->tell_state &&
	    !(plan->audit && (plan->audit->items & H248_AUDIT_BIT(H248_MEDIA))))
		rc = mg_state_add(run, plan->term, media, reply);
	if (!rc && plan->audit)
		rc = mg_audit_items(run, plan->term, plan->audit, reply);
	return rc;
}

/* Legs that both generations name stay with the one that is in force. */
static void legs_disown(struct mg_media *from, const struct mg_media *keep)
{
	for (struct mg_stream *s = from ? from->streams : NULL; s; s = s->next) {
		const struct mg_stream *k = mg_media_stream(keep, s->id);

		if (k && k->leg == s->leg)
			s->leg = NULL;
	}
}

static void release(struct mg *mg, const struct mg_plan *plan, struct mg_stream *s)
{
	for (size_t i = 0; i < plan->order_count; i++) {
		const struct mg_order *r = &plan->order[i];

		if (r->release && s->leg && (!r->stream || r->stream == s->id) &&
		    (r->tls ? s->leg->tls : !s->leg->udp))
			(void)mg->bearer->endpoint_release(s->leg->endpoint, r->abort);
	}
}

static void stream_settle(struct mg *mg, struct mg_plan *plan, struct mg_stream *s)
{
	const struct mg_stream *old = mg_media_stream(plan->media, s->id);

	if (s->fresh && old && old->leg && s->leg->carried)
		mg_leg_stats(mg, old->leg, s->leg->carried);
	if (s->leg && !s->fresh && mg_leg_update(mg, s->leg, s, mg_stream_domain(mg, s)))
		mg_leg_unable(s->leg, s->leg->tls ? RELAY_TLS_FAILED : RELAY_TCP_FAILED);
	mg_leg_peer_forget(mg, s);
}

/*
 * The bearers' orders. One that finds no memory comes after its reply's content is settled: so it
 * is told as a failure to establish.
 */
static void stream_orders(struct mg *mg, const struct mg_plan *plan, struct mg_stream *s)
{
	bool answered = s->leg && s->leg->reserved && s->remote.groups;

	if (s->leg && (s->est_tls || answered) && s->leg->tls && !s->fresh &&
	    mg->bearer->endpoint_start_tls(s->leg->endpoint, mg_stream_tls_role(s)))
		mg_leg_unable(s->leg, RELAY_TLS_FAILED);
	if (answered)
		s->leg->reserved = false;
	if (s->leg && s->est_tcp && mg->bearer->endpoint_connect(s->leg->endpoint))
		mg_leg_unable(s->leg, RELAY_TCP_FAILED);
	mg_tlsm_give(mg, s);
	release(mg, plan, s);
	if (s->new_control)
		mg_property_apply(mg, plan->term, s);
	s->fresh = s->est_tcp = s->est_tls = s->new_control = false;
}

/* What is buffered stays when only the list of what to buffer changes. */
static void buffer_settle(struct mg_plan *plan)
{
	struct mg_term *t = plan->term;
	struct base_node *n;

	if (plan->lock_step)
		t->lock_step = plan->lock_step == H248_ON;
	if (!t->lock_step) {
		t->suspended = false;
		mg_buffer_clear(t);
	}
	while (t->lock_step && plan->buffer && t->buffer &&
	       (n = base_list_shift(&plan->buffer->queue))) {
		base_list_append(&t->buffer->queue, n);
		t->buffer->count++;
	}
	mg_buffer_free(plan->buffer);
	plan->buffer = NULL;
}

/* The signals of this command begin, those of former ones end. */
static void plays_settle(struct mg *mg, struct mg_plan *plan)
{
	struct base_node *n;

	if (plan->new_signals)
		mg_plays_replace(mg, plan->term);
	while ((n = base_list_shift(&plan->plays))) {
		base_list_append(&plan->term->plays, n);
		mg_play_begin(BASE_CONTAINER_OF(n, struct mg_play, node));
	}
}

static void events_settle(struct mg *mg, struct mg_plan *plan)
{
	struct mg_term *t = plan->term;

	buffer_settle(plan);
	if (!plan->events && !plan->clear_events)
		return;
	if (t == &mg->root && mg->ops.inactivity)
		mg->ops.inactivity(mg->ops.arg, plan->inactivity_ms,
		                   t->events ? t->events->request_id : 0);
	mg_events_free(plan->events);
	mg_events_loaded(mg, t);
}

void mg_plan_settle(struct mg *mg, struct mg_plan *plan)
{
	struct mg_term *t = plan->term;
	struct mg_media *m = plan->new_media ? t->media : NULL;

	if (plan->own_bearer && plan->context && !plan->context->bearer) {
		plan->context->bearer = plan->bearer;
		plan->own_bearer = false;
	}
	for (struct mg_stream *s = m ? m->streams : NULL; s; s = s->next)
		stream_settle(mg, plan, s);
	if (plan->new_media)
		legs_disown(plan->media, t->media);
	mg_media_free(mg, plan->media);
	if (plan->service_state)
		mg_service_modified(mg, t);
	events_settle(mg, plan);
	mg_choice_free(plan->choice);
	mg_state_free(plan->state);
	mg_maps_free(plan->maps);
	if (plan->new_state)
		mg_property_apply(mg, t, NULL);
	if (plan->context)
		mg_context_settle(mg, plan->context);
	for (struct mg_stream *s = m ? m->streams : NULL; s; s = s->next)
		stream_orders(mg, plan, s);
	plays_settle(mg, plan);
	memset(plan, 0, sizeof(*plan));
}

static void plays_drop(struct mg_plan *plan)
{
	struct base_node *n;

	while (plan->plays.next && (n = base_list_shift(&plan->plays)))
		mg_play_free(BASE_CONTAINER_OF(n, struct mg_play, node));
	for (n = plan->new_signals ? plan->term->plays.next : &plan->term->plays;
	     n != &plan->term->plays; n = n->next)
		BASE_CONTAINER_OF(n, struct mg_play, node)->keep = false;
}

void mg_plan_drop(struct mg *mg, struct mg_plan *plan)
{
	if (plan->swapped)
		mg_plan_swap(plan);
	if (plan->term)
		plays_drop(plan);
	for (struct mg_stream *s = plan->media ? plan->media->streams : NULL; s; s = s->next)
		mg_leg_peer_forget(mg, s);
	if (plan->term && plan->media)
		legs_disown(plan->media, plan->term->media);
	mg_media_free(mg, plan->media);
	mg_events_free(plan->events);
	mg_choice_free(plan->choice);
	mg_state_free(plan->state);
	mg_maps_free(plan->maps);
	mg_buffer_free(plan->buffer);
	if (plan->own_bearer)
		mg_bearer_unref(mg, plan->bearer);
	memset(plan, 0, sizeof(*plan));
}
