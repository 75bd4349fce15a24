/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "mg/app.h"
#include "mg/bearer.h"
#include "mg/happen.h"
#include "mg/notify.h"
#include "mg/part.h"
#include "mg/pkg.h"
#include "mg/play.h"
#include "mg/service.h"
#include "mg/world.h"

#define DEFAULT_CONTEXTS 65536U

/* ---- contexts (RFC 3525, 6.1) ---- */

static struct base_str context_key(const uint32_t *id)
{
	return (struct base_str){ (const char *)id, sizeof(*id) };
}

struct mg_context *mg_context_find(const struct mg *mg, uint32_t id)
{
	struct base_map_node *n = base_map_find(&mg->contexts, context_key(&id));

	return n ? BASE_CONTAINER_OF(n, struct mg_context, map_node) : NULL;
}

static uint32_t context_id_next(struct mg *mg)
{
	do {
		mg->last_context++;
		if (mg->last_context >= H248_CONTEXT_CHOOSE)
			mg->last_context = 1;
	} while (mg_context_find(mg, mg->last_context));
	return mg->last_context;
}

struct mg_context *mg_context_new(struct mg *mg, unsigned *ret_code)
{
	uint32_t max = mg->set.max_contexts ? mg->set.max_contexts : DEFAULT_CONTEXTS;
	struct mg_context *context;

	*ret_code = H248_E_CONTEXT_NONE;
	if (mg->counts.contexts >= max)
		return NULL;
	*ret_code = H248_E_RESOURCES;
	context = calloc(1, sizeof(*context));
	if (!context)
		return NULL;
	base_list_init(&context->terms);
	base_list_init(&context->topology);
	base_list_init(&context->hubs);
	context->id = context_id_next(mg);
	if (base_map_insert(&mg->contexts, context_key(&context->id), &context->map_node)) {
		free(context);
		return NULL;
	}
	base_list_append(&mg->context_list, &context->node);
	mg->counts.contexts++;
	return context;
}

void mg_context_free(struct mg *mg, struct mg_context *context)
{
	BASE_LIST_EACH(&context->terms, n, after)
	{
		struct mg_term *term = BASE_CONTAINER_OF(n, struct mg_term, node);

		mg_term_leave(mg, term);
		mg_term_free(mg, term);
	}
	BASE_LIST_EACH(&context->topology, n, after)
	{
		base_list_remove(n);
		free(BASE_CONTAINER_OF(n, struct mg_topology, node));
	}
	base_map_remove(&mg->contexts, &context->map_node);
	base_list_remove(&context->node);
	mg->counts.contexts--;
	mg_app_end(mg, context);
	mg_bearer_unref(mg, context->bearer);
	free(context);
}

bool mg_context_has(const struct mg_context *context, const struct mg_term *term)
{
	return term && term->context == context;
}

struct mg_term *mg_context_term_next(const struct mg_context *context, const struct mg_term *term)
{
	const struct base_node *n = term ? term->node.next : context->terms.next;

	if (n == &context->terms)
		return NULL;
	return BASE_CONTAINER_OF(n, struct mg_term, node);
}

struct mg_term *mg_context_term_first(const struct mg_context *context)
{
	return mg_context_term_next(context, NULL);
}

/* ---- terminations (6.2) ---- */

struct mg_term *mg_term_find(const struct mg *mg, struct base_str name)
{
	char key[MG_NAME_MAX];
	struct base_map_node *n;

	if (name.len >= sizeof(key))
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		key[i] = (char)base_lower(name.ptr[i]);
	n = base_map_find(&mg->terms, (struct base_str){ key, name.len });
	return n ? BASE_CONTAINER_OF(n, struct mg_term, map_node) : NULL;
}

void mg_term_name_next(struct mg *mg, char ret[MG_NAME_MAX])
{
	snprintf(ret, MG_NAME_MAX, "ip/1/%llu", (unsigned long long)++mg->last_term);
}

struct mg_term *mg_term_new(struct mg *mg, const char *name)
{
	struct mg_term *term = calloc(1, sizeof(*term));

	if (!term)
		return NULL;
	base_list_init(&term->node);
	base_list_init(&term->notices);
	base_list_init(&term->plays);
	snprintf(term->name, sizeof(term->name), "%s", name);
	term->service_state = H248_STATE_IN_SERVICE;
	term->born_ms = mg->ops.now_ms(mg->ops.arg);
	return term;
}

int mg_term_enter(struct mg *mg, struct mg_term *term, struct mg_context *context)
{
	int rc = base_map_insert(&mg->terms, base_str_of(term->name), &term->map_node);

	if (rc)
		return rc;
	base_list_append(&context->terms, &term->node);
	context->term_count++;
	term->context = context;
	mg->counts.terminations++;
	return 0;
}

static void topology_forget(struct mg_context *context, const struct mg_term *term)
{
	BASE_LIST_EACH(&context->topology, n, after)
	{
		struct mg_topology *t = BASE_CONTAINER_OF(n, struct mg_topology, node);

		if (t->from != term && t->to != term)
			continue;
		base_list_remove(n);
		free(t);
	}
}

void mg_term_leave(struct mg *mg, struct mg_term *term)
{
	topology_forget(term->context, term);
	base_map_remove(&mg->terms, &term->map_node);
	base_list_remove(&term->node);
	term->context->term_count--;
	term->context = NULL;
	mg->counts.terminations--;
}

void mg_term_shift(struct mg_term *term, struct mg_context *context)
{
	topology_forget(term->context, term);
	base_list_remove(&term->node);
	term->context->term_count--;
	base_list_append(&context->terms, &term->node);
	context->term_count++;
	term->context = context;
}

void mg_term_free(struct mg *mg, struct mg_term *term)
{
	if (!term)
		return;
	if (term->delay)
		mg_timer_stop(mg, &term->delay->timer);
	free(term->delay);
	mg_hang_free(mg, term);
	mg_idle_free(mg, term);
	mg_plays_stop(mg, term, MG_ENDED_SIGNALS);
	mg_happenings_forget(mg, term);
	mg_notices_forget(term);
	mg_media_free(mg, term->media);
	mg_events_free(term->events);
	mg_choice_free(term->choice);
	mg_state_free(term->state);
	mg_buffer_free(term->buffer);
	mg_maps_free(term->maps);
	if (term != &mg->root)
		free(term);
}

struct mg_stream *mg_term_stream(const struct mg_term *term, uint16_t id)
{
	return mg_media_stream(term->media, id);
}

bool mg_term_matches(const struct mg_term *term, const struct h248_term *pattern)
{
	return h248_term_match(pattern->name, base_str_of(term->name));
}
