/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mg/bearer.h"
#include "mg/part.h"

/* Parts live long and are small: a hundred thousand contexts have each some of them. */
#define MG_PART_CHUNK  128
#define MG_MEDIA_CHUNK sizeof(struct mg_stream) /* without Local and Remote, and properties */

/* ---- copies ---- */

bool mg_copy_str(struct base_arena *arena, struct base_str from, struct base_str *ret)
{
	char *copy;

	ret->ptr = NULL;
	ret->len = 0;
	if (!from.len)
		return true;
	copy = base_arena_dup(arena, from);
	if (!copy)
		return false;
	ret->ptr = copy;
	ret->len = from.len;
	return true;
}

const char *mg_copy_text(struct base_arena *arena, struct base_str from)
{
	return base_arena_dup(arena, from);
}

static bool copy_name(struct base_arena *arena, struct h248_name *name)
{
	return mg_copy_str(arena, name->package, &name->package) &&
	       mg_copy_str(arena, name->item, &name->item);
}

static bool copy_values(struct base_arena *arena, struct h248_value *value)
{
	for (;;) {
		struct h248_value *next;

		if (!mg_copy_str(arena, value->text, &value->text))
			return false;
		if (!value->next)
			return true;
		next = BASE_NEW(arena, struct h248_value);
		if (!next)
			return false;
		*next = *value->next;
		value->next = next;
		value = next;
	}
}

bool mg_copy_parms(struct base_arena *arena, const struct h248_parm *from, struct h248_parm **ret)
{
	for (*ret = NULL; from; from = from->next) {
		struct h248_parm *p = BASE_NEW(arena, struct h248_parm);

		if (!p)
			return false;
		*p = *from;
		p->next = NULL;
		if (!copy_name(arena, &p->name) || !copy_values(arena, &p->value))
			return false;
		*ret = p;
		ret = &p->next;
	}
	return true;
}

static struct h248_digit_map *copy_digit_map(struct base_arena *arena,
                                             const struct h248_digit_map *from)
{
	struct h248_digit_map *dm = BASE_NEW(arena, struct h248_digit_map);

	if (!dm)
		return NULL;
	*dm = *from;
	dm->d.next = NULL;
	return mg_copy_str(arena, dm->name, &dm->name) && mg_copy_str(arena, dm->body, &dm->body)
	               ? dm
	               : NULL;
}

static bool copy_signal(struct base_arena *arena, struct h248_signal *s)
{
	s->next = NULL;
	s->extensions = NULL;
	return copy_name(arena, &s->name) && mg_copy_parms(arena, s->parms, &s->parms);
}

bool mg_copy_signals(struct base_arena *arena, const struct h248_signal *from,
                     struct h248_signal **ret)
{
	for (*ret = NULL; from; from = from->next) {
		struct h248_signal *s = BASE_NEW(arena, struct h248_signal), **at;

		if (!s)
			return false;
		*s = *from;
		s->list = NULL;
		if (!copy_signal(arena, s))
			return false;
		*ret = s;
		ret = &s->next;
		at = &s->list;
		for (const struct h248_signal *i = from->list; i; i = i->next) {
			*at = BASE_NEW(arena, struct h248_signal);
			if (!*at)
				return false;
			**at = *i;
			(*at)->list = NULL;
			if (!copy_signal(arena, *at))
				return false;
			at = &(*at)->next;
		}
	}
	return true;
}

static bool copy_embed(struct base_arena *arena, const struct h248_embed *from, bool inner,
                       struct h248_embed **ret);

/* @param inner  of an embedded Events descriptor, which embeds no further one */
static bool copy_event(struct base_arena *arena, const struct h248_event *from, bool inner,
                       struct h248_event *e)
{
	*e = *from;
	e->next = NULL;
	e->extensions = NULL;
	e->embed = e->regulated = NULL;
	if (from->digit_map && !(e->digit_map = copy_digit_map(arena, from->digit_map)))
		return false;
	return copy_name(arena, &e->name) && mg_copy_parms(arena, from->parms, &e->parms) &&
	       copy_embed(arena, from->embed, inner, &e->embed) &&
	       copy_embed(arena, from->regulated, inner, &e->regulated);
}

/* NOLINTNEXTLINE(misc-no-recursion): two levels */
static bool copy_event_list(struct base_arena *arena, const struct h248_event *from, bool inner,
                            struct h248_event **ret)
{
	for (*ret = NULL; from; from = from->next) {
		struct h248_event *e = BASE_NEW(arena, struct h248_event);

		if (!e || !copy_event(arena, from, inner, e))
			return false;
		*ret = e;
		ret = &e->next;
	}
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): two levels */
static bool copy_embed(struct base_arena *arena, const struct h248_embed *from, bool inner,
                       struct h248_embed **ret)
{
	struct h248_embed *to;

	*ret = NULL;
	if (!from)
		return true;
	to = *ret = BASE_NEW(arena, struct h248_embed);
	if (!to)
		return false;
	if (from->signals) {
		to->signals = BASE_NEW(arena, struct h248_signals);
		if (!to->signals)
			return false;
		to->signals->d.kind = H248_SIGNALS;
		if (!mg_copy_signals(arena, from->signals->signals, &to->signals->signals))
			return false;
	}
	if (from->events && !inner) {
		to->events = BASE_NEW(arena, struct h248_events);
		if (!to->events)
			return false;
		*to->events = *from->events;
		to->events->d.next = NULL;
		return copy_event_list(arena, from->events->events, true, &to->events->events);
	}
	return true;
}

bool mg_copy_events(struct base_arena *arena, const struct h248_event *from,
                    struct h248_event **ret)
{
	return copy_event_list(arena, from, false, ret);
}

/* ---- keys ---- */

struct mg_keys *mg_keys_new(void)
{
	struct mg_keys *keys = calloc(1, sizeof(*keys));

	if (keys)
		keys->refs = 1;
	return keys;
}

struct mg_keys *mg_keys_ref(struct mg_keys *keys)
{
	if (keys)
		keys->refs++;
	return keys;
}

void mg_keys_unref(struct mg_keys *keys)
{
	if (!keys || --keys->refs)
		return;
	for (size_t i = 0; i < keys->count; i++)
		base_secret_done(&keys->psk[i].key);
	base_wipe(keys, sizeof(*keys));
	free(keys);
}

bool mg_keys_equal(const struct mg_keys *a, const struct mg_keys *b)
{
	if (!a || !b)
		return a == b;
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!base_str_eq(a->psk[i].identity, b->psk[i].identity) ||
		    !base_secret_equal(a->psk[i].key.data, a->psk[i].key.len, b->psk[i].key.data,
		                       b->psk[i].key.len))
			return false;
	return true;
}

/* ---- media ---- */

struct mg_stream *mg_media_stream(const struct mg_media *media, uint16_t id)
{
	struct mg_stream *s = media ? media->streams : NULL;

	while (s && s->id != id)
		s = s->next;
	return s;
}

struct mg_stream *mg_media_stream_add(struct mg_media *media, uint16_t id)
{
	struct mg_stream **at = &media->streams;
	struct mg_stream *s = BASE_NEW(&media->arena, struct mg_stream);

	if (!s)
		return NULL;
	while (*at && (*at)->id < id)
		at = &(*at)->next;
	s->next = *at;
	s->id = id;
	s->mode = H248_INACTIVE; /* 7.1.7: the default */
	s->reserved_value = s->reserved_group = H248_OFF;
	s->domain_name = s->realm = "";
	*at = s;
	return s;
}

static bool copy_optional(struct base_arena *arena, const char **text)
{
	if (*text)
		*text = mg_copy_text(arena, base_str_of(*text));
	else
		return true;
	return *text != NULL;
}

static bool copy_choice(struct base_arena *arena, const struct mg_choice **choice)
{
	if (*choice)
		*choice = mg_choice_copy(arena, *choice);
	else
		return true;
	return *choice != NULL;
}

static bool stream_copy(struct base_arena *arena, struct mg_stream *to,
                        const struct mg_stream *from)
{
	struct mg_stream *next = to->next;

	*to = *from;
	to->next = next;
	to->fresh = to->new_local = to->new_remote = to->est_tcp = to->est_tls = false;
	to->again = false;
	to->tell_local = to->tell_remote = to->tell_control = to->new_control = false;
	to->keys = mg_keys_ref(from->keys);
	to->domain_name = mg_copy_text(arena, base_str_of(from->domain_name));
	to->realm = mg_copy_text(arena, base_str_of(from->realm));
	return to->domain_name && to->realm && copy_optional(arena, &to->psk_hint) &&
	       copy_optional(arena, &to->peer_name) && copy_optional(arena, &to->server_name) &&
	       mg_copy_parms(arena, from->parms, &to->parms) && copy_choice(arena, &to->choice) &&
	       mg_copy_str(arena, from->local_text, &to->local_text) &&
	       mg_copy_str(arena, from->remote_text, &to->remote_text) &&
	       h248_sdp_parse(arena, to->local_text, &to->local, NULL) == 0 &&
	       h248_sdp_parse(arena, to->remote_text, &to->remote, NULL) == 0;
}

/* The legs of an unfinished copy are still the original's. */
static void media_disown(struct mg_media *media)
{
	for (struct mg_stream *s = media->streams; s; s = s->next)
		s->leg = NULL;
}

struct mg_media *mg_media_new(const struct mg_media *from)
{
	struct mg_media *media = calloc(1, sizeof(*media));

	if (!media)
		return NULL;
	media->arena.chunk_size =
	        from ? BASE_MAX(from->arena.used, MG_MEDIA_CHUNK) : MG_MEDIA_CHUNK;
	for (const struct mg_stream *s = from ? from->streams : NULL; s; s = s->next) {
		struct mg_stream *to = mg_media_stream_add(media, s->id);

		if (!to || !stream_copy(&media->arena, to, s)) {
			media_disown(media);
			mg_media_free(NULL, media);
			return NULL;
		}
	}
	return media;
}

void mg_media_free(struct mg *mg, struct mg_media *media)
{
	if (!media)
		return;
	for (struct mg_stream *s = media->streams; s; s = s->next) {
		if (s->leg)
			mg_leg_free(mg, s->leg);
		mg_keys_unref(s->keys);
	}
	base_arena_done(&media->arena);
	free(media);
}

/* ---- events and statistics ---- */

struct mg_events *mg_events_new(const struct h248_events *from)
{
	struct mg_events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->arena.chunk_size = MG_PART_CHUNK;
	events->request_id = from->request_id;
	events->has_request_id = from->has_request_id;
	if (!mg_copy_events(&events->arena, from->events, &events->list)) {
		mg_events_free(events);
		return NULL;
	}
	return events;
}

void mg_events_free(struct mg_events *events)
{
	if (!events)
		return;
	if (events->origin) { /* which has none itself */
		base_arena_done(&events->origin->arena);
		free(events->origin);
	}
	base_arena_done(&events->arena);
	free(events);
}

struct mg_state *mg_state_new(const struct mg_state *from)
{
	struct mg_state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	state->arena.chunk_size = MG_PART_CHUNK;
	if (from && !mg_copy_parms(&state->arena, from->parms, &state->parms)) {
		mg_state_free(state);
		return NULL;
	}
	return state;
}

void mg_state_free(struct mg_state *state)
{
	if (!state)
		return;
	base_arena_done(&state->arena);
	free(state);
}
