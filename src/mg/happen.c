/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mg/equip.h"
#include "mg/happen.h"
#include "mg/notify.h"
#include "mg/part.h"
#include "mg/play.h"
#include "mg/pkg.h"
#include "mg/service.h"

/* Most are smaller than this. */
#define CHUNK 512

/* ---- describing ---- */

static void lost(struct mg *mg, const struct mg_term *term)
{
	mg->counts.notifies_lost++;
	base_log(BASE_LOG_WARN, "mg", "context=%u term=%s: no memory for a Notify",
	         term->context ? term->context->id : 0, term->name);
}

struct mg_happening *mg_happening_new(struct mg *mg, struct mg_term *term, uint16_t stream,
                                      const char *package, const char *item)
{
	struct mg_happening *h;

	if (!term->events && !term->suspended)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h) {
		lost(mg, term);
		return NULL;
	}
	base_list_init(&h->node);
	h->arena.chunk_size = CHUNK;
	h->term = term;
	h->stream = stream;
	h->package = package;
	h->item = item;
	h->wall_ms = mg->ops.wall_ms(mg->ops.arg);
	return h;
}

static void happening_free(struct mg_happening *h)
{
	base_list_remove(&h->node);
	base_arena_done(&h->arena);
	free(h);
}

/* A parameter's name has no package in front. */
static struct h248_name parm_name(const char *name)
{
	return (struct h248_name){ { NULL, 0 }, base_str_of(name) };
}

void mg_happening_word(struct mg_happening *h, const char *name, const char *word)
{
	const char *copy = h ? base_arena_dup(&h->arena, base_str_of(word)) : NULL;

	if (h && (!copy ||
	          !h248_parm_set(&h->arena, &h->parms, parm_name(name), base_str_of(copy), false)))
		h->failed = true;
}

void mg_happening_type(struct mg_happening *h, const char *type)
{
	if (h)
		h->type = type;
	mg_happening_word(h, "Type", type);
}

void mg_happening_number(struct mg_happening *h, const char *name, uint64_t number)
{
	if (h && !h248_parm_set_u64(&h->arena, &h->parms, parm_name(name), number))
		h->failed = true;
}

size_t mg_quotable(char *to, size_t cap, const char *from)
{
	size_t len = 0;

	for (; *from && len + 1 < cap; from++)
		if ((unsigned char)*from >= 0x20 && (unsigned char)*from < 0x7f && *from != '"')
			to[len++] = *from;
	to[len] = '\0';
	return len;
}

void mg_happening_text(struct mg_happening *h, const char *name, const char *text)
{
	size_t cap = strlen(text) + 1, len;
	char *copy;

	if (!h || !*text)
		return;
	copy = base_arena_alloc(&h->arena, cap);
	len = copy ? mg_quotable(copy, cap, text) : 0;
	if (!copy || !h248_parm_set(&h->arena, &h->parms, parm_name(name),
	                            (struct base_str){ copy, len }, true))
		h->failed = true;
}

/* Those of a circle are lost. */
static bool may_follow(struct mg *mg, struct mg_happening *h)
{
	if (!mg->telling)
		return true;
	h->caused = true;
	if (mg->causes) {
		mg->causes--;
		return true;
	}
	mg->counts.notifies_lost++;
	base_log(BASE_LOG_WARN, "mg",
	         "context=%u term=%s: embedded signals and events go round in a circle, "
	         "which ends at %s/%s",
	         h->term->context ? h->term->context->id : 0, h->term->name, h->package, h->item);
	return false;
}

void mg_happening_tell(struct mg *mg, struct mg_happening *h)
{
	if (!h)
		return;
	if (h->failed) {
		lost(mg, h->term);
		happening_free(h);
		return;
	}
	if (!may_follow(mg, h)) {
		happening_free(h);
		return;
	}
	base_list_append(&mg->happened, &h->node);
}

/* ---- is it asked for? ---- */

static bool name_asked(const struct h248_event *asked, const struct mg_happening *h)
{
	return base_str_ieq(asked->name.package, base_str_of(h->package)) &&
	       (base_str_eq(asked->name.item, BASE_STR("*")) ||
	        base_str_ieq(asked->name.item, base_str_of(h->item)));
}

/* Parameter Type of the request: which changes to report; all when left out. */
static bool type_asked(const struct h248_event *asked, const struct mg_happening *h)
{
	const struct h248_parm *p = h248_parm_find(asked->parms, "", "Type");

	if (!p || !h->type)
		return true;
	for (const struct h248_value *v = &p->value; v; v = v->next)
		if (base_str_ieq(v->text, base_str_of(h->type)))
			return true;
	return false;
}

static const struct h248_event *asked_for(const struct h248_event *list,
                                          const struct mg_happening *h)
{
	for (const struct h248_event *e = list; e; e = e->next)
		if (name_asked(e, h) && type_asked(e, h) &&
		    (!e->has_stream || !e->stream || e->stream == h->stream))
			return e;
	return NULL;
}

/* ---- one Notify ---- */

struct batch {
	struct mg *mg;
	struct mg_notice *notice; /* NULL = none begun */
	struct h248_command *command;
	struct h248_observed_events *observed;
};

static void batch_flush(struct batch *b)
{
	if (b->notice)
		mg_notice_send(b->mg, b->notice);
	b->notice = NULL;
}

static bool batch_begin(struct batch *b, struct mg_term *term, uint32_t request_id)
{
	struct mg_notice *n = mg_notice_new(b->mg, term);
	struct base_arena *arena = n ? &n->arena : NULL;
	struct h248_action *action;
	char *name;

	if (!n)
		return false;
	n->request = h248_request_new(arena);
	action = n->request ? h248_action_add(arena, n->request,
	                                      term->context ? term->context->id : H248_CONTEXT_NULL)
	                    : NULL;
	name = base_arena_dup(arena, base_str_of(term->name));
	b->command = action && name
	                     ? h248_command_add(arena, action, H248_NOTIFY, base_str_of(name))
	                     : NULL;
	b->observed = b->command ? h248_observed_add(arena, b->command, request_id) : NULL;
	if (!b->observed) {
		mg_notice_free(n);
		return false;
	}
	b->notice = n;
	return true;
}

bool mg_happening_observed(struct base_arena *arena, struct h248_observed_events *into,
                           const struct mg_happening *h)
{
	struct h248_name name = { base_str_of(h->package), base_str_of(h->item) };
	struct h248_observed_event *o = h248_observed_event_add(arena, into, name);

	if (!o)
		return false;
	o->time = h248_time_of((int64_t)(h->wall_ms / 1000), (unsigned)(h->wall_ms % 1000 / 10));
	o->stream = h->stream;
	o->has_stream = h->stream != 0;
	return mg_copy_parms(arena, h->parms, &o->parms);
}

/* Into the Notify that is begun when it is of the same termination and request. */
static bool batch_add(struct batch *b, const struct mg_happening *h, uint32_t request_id)
{
	if (b->notice && (b->notice->term != h->term || b->observed->request_id != request_id))
		batch_flush(b);
	if (!b->notice && !batch_begin(b, h->term, request_id)) {
		lost(b->mg, h->term);
		return false;
	}
	if (mg_happening_observed(&b->notice->arena, b->observed, h))
		return true;
	mg_notice_free(b->notice);
	b->notice = NULL;
	lost(b->mg, h->term);
	return false;
}

/* ---- recognized: told, and what follows from it ---- */

static bool suppressed(struct mg *mg, const struct mg_term *term, const struct h248_event *e)
{
	const struct mg_equipment *row;

	if (e->notify != H248_NOTIFY_REGULATED)
		return false;
	for (size_t i = 0; (row = mg_equipment_at(i)); i++)
		if (row->suppress && row->suppress(mg, term, e))
			return true;
	return false;
}

/* The embedded Events descriptor takes the place of the active one. */
static void events_embed(struct mg *mg, struct mg_term *term, const struct h248_events *events)
{
	struct mg_events *old = term->events, *now = mg_events_new(events);

	if (!now) {
		lost(mg, term);
		return;
	}
	now->origin = old->origin ? old->origin : old;
	if (old->origin) {
		old->origin = NULL;
		mg_events_free(old);
	}
	term->events = now;
	mg_events_loaded(mg, term);
}

/* ResetEventsDescriptor (v3): back to what the controller has set. */
static void events_reset(struct mg *mg, struct mg_term *term)
{
	struct mg_events *old = term->events;

	if (!old->origin)
		return;
	term->events = old->origin;
	old->origin = NULL;
	mg_events_free(old);
	mg_events_loaded(mg, term);
}

static void recognize(struct batch *b, struct mg_happening *h, const struct h248_event *e)
{
	struct mg *mg = b->mg;
	struct mg_term *term = h->term;
	bool quiet = suppressed(mg, term, e);
	const struct h248_embed *embed = quiet && e->regulated ? e->regulated : e->embed;

	if (e->notify != H248_NOTIFY_NEVER && !quiet)
		(void)batch_add(b, h, term->events->request_id);
	/* 7.1.9: LockStep waits for a new descriptor, of which an embedded one is one. */
	term->suspended = term->lock_step;
	if (embed && embed->signals)
		mg_signals_activate(mg, term, embed->signals);
	else if (!e->keep_active)
		mg_plays_stop(mg, term, MG_ENDED_EVENT);
	if (embed && embed->events)
		events_embed(mg, term, embed->events); /* `e` may be gone with it */
	else if (e->reset_events)
		events_reset(mg, term);
}

/* The EventBuffer is full: the controller is told once, with the event that is lost for it. */
static void buffer_full(struct batch *b, struct mg_happening *h)
{
	struct mg_buffer *buffer = h->term->buffer;
	uint32_t id = h->term->events ? h->term->events->request_id : 0;

	if (buffer->full)
		return;
	buffer->full = true;
	batch_flush(b);
	if (batch_add(b, h, id) &&
	    !h248_error_add(&b->notice->arena, b->command, H248_E_EVENT_BUFFER_FULL, NULL)) {
		mg_notice_free(b->notice);
		b->notice = NULL;
		lost(b->mg, h->term);
	}
	batch_flush(b);
}

static void look(struct batch *b, struct mg_happening *h)
{
	struct mg_term *term = h->term;
	struct mg_buffer *buffer = term->buffer;
	const struct h248_event *e;

	if (!h->caused)
		b->mg->causes += MG_CAUSED_MAX;
	if (term->suspended) {
		if (buffer && asked_for(buffer->list, h)) {
			if (buffer->count < MG_BUFFERED_MAX) {
				base_list_append(&buffer->queue, &h->node);
				buffer->count++;
				return;
			}
			buffer_full(b, h);
		}
		happening_free(h);
		return;
	}
	e = asked_for(term->events ? term->events->list : NULL, h);
	if (e)
		recognize(b, h, e);
	happening_free(h);
}

void mg_happenings_run(struct mg *mg)
{
	struct batch b = { .mg = mg };
	struct base_node *n;

	if (mg->executing || mg->telling)
		return;
	mg->telling = true;
	while ((n = base_list_shift(&mg->happened)))
		look(&b, BASE_CONTAINER_OF(n, struct mg_happening, node));
	batch_flush(&b);
	mg->causes = 0;
	mg->telling = false;
}

/* ---- the buffer ---- */

struct mg_buffer *mg_buffer_new(const struct h248_event *list)
{
	struct mg_buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		return NULL;
	base_list_init(&buffer->queue);
	buffer->arena.chunk_size = CHUNK;
	if (!mg_copy_events(&buffer->arena, list, &buffer->list)) {
		mg_buffer_free(buffer);
		return NULL;
	}
	return buffer;
}

static void queue_clear(struct mg_buffer *buffer)
{
	struct base_node *n;

	while ((n = base_list_shift(&buffer->queue)))
		happening_free(BASE_CONTAINER_OF(n, struct mg_happening, node));
	buffer->count = 0;
	buffer->full = false;
}

void mg_buffer_free(struct mg_buffer *buffer)
{
	if (!buffer)
		return;
	queue_clear(buffer);
	base_arena_done(&buffer->arena);
	free(buffer);
}

void mg_buffer_clear(struct mg_term *term)
{
	if (term->buffer)
		queue_clear(term->buffer);
}

/*
 * 7.1.9, case 1: what waits in the buffer is looked at before anything new, the first one that the
 * new descriptor asks for suspends again. It is put in front of what has just happened.
 */
void mg_events_loaded(struct mg *mg, struct mg_term *term)
{
	struct mg_buffer *buffer = term->buffer;
	struct base_node *n;

	mg_hang_set(mg, term);
	mg_idle_set(mg, term);
	term->suspended = false;
	if (!buffer)
		return;
	if (!term->events || !term->lock_step) {
		queue_clear(buffer);
		return;
	}
	buffer->full = false;
	while ((n = base_list_shift(&buffer->queue))) {
		struct mg_happening *h = BASE_CONTAINER_OF(n, struct mg_happening, node);
		bool asked = asked_for(term->events->list, h) != NULL;

		buffer->count--;
		if (!asked) {
			happening_free(h);
			continue;
		}
		h->caused &= mg->telling;
		base_list_insert(&mg->happened, n);
		return;
	}
}

void mg_happenings_forget(struct mg *mg, struct mg_term *term)
{
	if (!mg->happened.next)
		return;
	BASE_LIST_EACH(&mg->happened, n, after)
	{
		struct mg_happening *h = BASE_CONTAINER_OF(n, struct mg_happening, node);

		if (h->term == term)
			happening_free(h);
	}
}
