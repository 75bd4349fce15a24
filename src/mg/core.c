/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "mg/bearer.h"
#include "mg/part.h"
#include "mg/world.h"

int mg_new(struct mg **ret, const struct mg_settings *settings, const struct mg_bearer_ops *bearer,
           struct relay_pool *pool, const struct mg_ops *ops)
{
	struct mg *mg = calloc(1, sizeof(*mg));

	if (!mg)
		return BASE_ERR(BASE_LOCAL, 0);
	if (settings)
		mg->set = *settings;
	mg->bearer = bearer;
	mg->pool = pool;
	mg->ops = *ops;
	mg->address_states = calloc(mg->set.address_count + 1, sizeof(*mg->address_states));
	if (!mg->address_states) {
		free(mg);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	base_list_init(&mg->context_list);
	base_list_init(&mg->root.node);
	base_list_init(&mg->root.notices);
	base_list_init(&mg->root.plays);
	base_list_init(&mg->happened);
	snprintf(mg->root.name, sizeof(mg->root.name), "ROOT");
	mg->root.service_state = H248_STATE_IN_SERVICE;
	mg->last_context = mg->set.first_context ? mg->set.first_context - 1 : 0;
	/* So that the first address and the first port of the range are taken first. */
	mg->last_address = mg->set.address_count ? mg->set.address_count - 1 : 0;
	mg->last_port = mg->set.port_max ? mg->set.port_max - mg->set.port_min : 0;
	*ret = mg;
	return 0;
}

void mg_free(struct mg *mg)
{
	if (!mg)
		return;
	BASE_LIST_EACH(&mg->context_list, n, after)
	{
		mg_context_free(mg, BASE_CONTAINER_OF(n, struct mg_context, node));
	}
	mg_term_free(mg, &mg->root);
	base_map_done(&mg->terms);
	base_map_done(&mg->contexts);
	free(mg->address_states);
	free(mg);
}

void mg_domains_set(struct mg *mg, const struct mg_domain *domains, size_t count,
                    const struct mg_domain *default_domain)
{
	mg->domains = domains;
	mg->domain_count = count;
	mg->default_domain = default_domain;
}

/* ---- time ---- */

void mg_timer_start(struct mg *mg, struct loop_timer *timer, uint64_t delay_ms,
                    void (*fn)(void *arg), void *arg)
{
	mg->timers.now_ms = mg->ops.now_ms(mg->ops.arg);
	loop_timers_start(&mg->timers, timer, delay_ms, fn, arg);
	if (mg->ops.rearm)
		mg->ops.rearm(mg->ops.arg);
}

void mg_timer_stop(struct mg *mg, struct loop_timer *timer)
{
	loop_timers_stop(&mg->timers, timer);
}

uint64_t mg_deadline(const struct mg *mg)
{
	return loop_timers_deadline(&mg->timers);
}

void mg_advance(struct mg *mg)
{
	loop_timers_run(&mg->timers, mg->ops.now_ms(mg->ops.arg));
}

void mg_close_door(struct mg *mg, bool closed)
{
	mg->door_closed = closed;
}

void mg_counts(const struct mg *mg, struct mg_counts *ret)
{
	*ret = mg->counts;
}

/* ---- invariants ---- */

static bool say(char *text, size_t cap, const char *what, const char *name)
{
	snprintf(text, cap, "%s: %s", name, what);
	return false;
}

static bool stream_right(const struct mg_context *c, const struct mg_term *t,
                         const struct mg_stream *s, char *text, size_t cap)
{
	const struct mg_leg *leg = s->leg, *p = leg ? leg->partner : NULL;

	if (s->next && s->next->id <= s->id)
		return say(text, cap, "streams out of order", t->name);
	if (!leg)
		return s->local.groups ? say(text, cap, "Local without a bearer", t->name) : true;
	if (!s->local.groups)
		return say(text, cap, "a bearer without Local", t->name);
	if (leg->term != t || leg->stream != s->id || !leg->endpoint)
		return say(text, cap, "a leg that is not its own", t->name);
	if (!c->bearer)
		return say(text, cap, "a leg without a relay context", t->name);
	if (p && (p->partner != leg || p->term->context != c || p->stream != s->id))
		return say(text, cap, "a one-sided link", t->name);
	if (s->fresh || s->est_tcp || s->est_tls || s->again)
		return say(text, cap, "a command's mark was left behind", t->name);
	return true;
}

static bool context_right(const struct mg *mg, const struct mg_context *c, char *text, size_t cap)
{
	unsigned count = 0;
	char name[32];

	snprintf(name, sizeof(name), "context %u", c->id);
	if (mg_context_find(mg, c->id) != c)
		return say(text, cap, "not found by its id", name);
	for (struct mg_term *t = mg_context_term_first(c); t; t = mg_context_term_next(c, t)) {
		count++;
		if (t->context != c || mg_term_find(mg, base_str_of(t->name)) != t)
			return say(text, cap, "not in its context or map", t->name);
		for (const struct mg_stream *s = t->media ? t->media->streams : NULL; s;
		     s = s->next)
			if (!stream_right(c, t, s, text, cap))
				return false;
	}
	for (const struct base_node *n = c->topology.next; n != &c->topology; n = n->next) {
		const struct mg_topology *t = BASE_CONTAINER_OF(n, struct mg_topology, node);

		if (t->from->context != c || t->to->context != c)
			return say(text, cap, "a topology with strangers", name);
	}
	if (!count || count != c->term_count)
		return say(text, cap, count ? "miscounted" : "empty", name);
	return true;
}

bool mg_check(const struct mg *mg, char *text, size_t cap)
{
	size_t contexts = 0, terms = 0;

	text[0] = '\0';
	for (const struct base_node *n = mg->context_list.next; n != &mg->context_list;
	     n = n->next) {
		const struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

		if (!context_right(mg, c, text, cap))
			return false;
		contexts++;
		terms += c->term_count;
	}
	if (contexts != mg->counts.contexts || contexts != mg->contexts.count)
		return say(text, cap, "contexts miscounted", "mg");
	if (terms != mg->counts.terminations || terms != mg->terms.count)
		return say(text, cap, "terminations miscounted", "mg");
	return true;
}
