/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service states of ROOT and of terminations as a table (RFC 3525, 7.1.5, 7.2.8);
 * docs/state-service.md is printed from it. Closing and returning are ours: what an audit tells
 * meanwhile is the state that still holds. What happens to ROOT happens to all terminations. An
 * event's action runs after the state has changed; it may raise one more event as the last thing it
 * does.
 */
#include "mg/service.h"

#include "mg/notify.h"
#include "mg/part.h"

static const char *const event_names[] = {
	[MG_SERVICE_FORCED] = "Forced",
	[MG_SERVICE_GRACEFUL] = "Graceful",
	[MG_SERVICE_GRACEFUL_LATER] = "Graceful with Delay",
	[MG_SERVICE_RESTART] = "Restart",
	[MG_SERVICE_RESTART_LATER] = "Restart with Delay",
	[MG_SERVICE_SET_IN] = "set InService",
	[MG_SERVICE_SET_OUT] = "set OutOfService",
	[MG_SERVICE_TIME] = "timer",
	[MG_SERVICE_EMPTY] = "last context ended",
};

struct row {
	uint8_t state, event;
	void (*action)(struct mg *mg, struct mg_term *term, uint32_t delay_s);
	const char *name;
	uint8_t next;
};

/* ---- actions ---- */

static void act_nothing(struct mg *mg, struct mg_term *term, uint32_t delay_s)
{
	(void)mg;
	(void)term;
	(void)delay_s;
}

static void all_fire(struct mg *mg, const struct mg_term *term, enum mg_service_event event)
{
	if (term != &mg->root)
		return;
	for (struct base_node *n = mg->context_list.next; n != &mg->context_list; n = n->next) {
		struct mg_context *c = BASE_CONTAINER_OF(n, struct mg_context, node);

		for (struct mg_term *t = mg_context_term_first(c); t;
		     t = mg_context_term_next(c, t))
			mg_service_fire(mg, t, event, 0);
	}
}

static void act_in(struct mg *mg, struct mg_term *term, uint32_t delay_s)
{
	(void)delay_s;
	term->service_state = H248_STATE_IN_SERVICE;
	all_fire(mg, term, MG_SERVICE_RESTART);
}

static void act_out(struct mg *mg, struct mg_term *term, uint32_t delay_s)
{
	(void)delay_s;
	term->service_state = H248_STATE_OUT_OF_SERVICE;
	all_fire(mg, term, MG_SERVICE_SET_OUT);
}

static void contexts_end(struct mg *mg)
{
	struct base_node *head = &mg->context_list;

	BASE_LIST_EACH(head, n, after)
	{
		mg_context_free(mg, BASE_CONTAINER_OF(n, struct mg_context, node));
	}
	mg_context_went(mg);
}

/* Forced ends the bearers at once; the termination stays until the controller subtracts it. On ROOT
 * all connections are lost, and all terminations count as subtracted. */
static void act_end(struct mg *mg, struct mg_term *term, uint32_t delay_s)
{
	(void)delay_s;
	term->service_state = H248_STATE_OUT_OF_SERVICE;
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (s->leg && s->leg->state != MG_LEG_ENDED)
			(void)mg->bearer->endpoint_release(s->leg->endpoint, true);
	if (term == &mg->root)
		contexts_end(mg);
}

/* A Graceful without delay waits for the natural end: of a termination, which then is all; of the
 * last context for ROOT. */
static void act_drain(struct mg *mg, struct mg_term *term, uint32_t delay_s)
{
	(void)delay_s;
	if (term == &mg->root && !mg->counts.contexts)
		mg_service_fire(mg, term, MG_SERVICE_EMPTY, 0);
}

static void on_time(void *arg)
{
	struct mg_delay *delay = arg;

	mg_service_fire(delay->mg, delay->term, MG_SERVICE_TIME, 0);
}

static void act_wait(struct mg *mg, struct mg_term *term, uint32_t delay_s)
{
	term->delay->mg = mg;
	term->delay->term = term;
	mg_timer_start(mg, &term->delay->timer, (uint64_t)delay_s * 1000, on_time, term->delay);
}

/* ---- the table ---- */

#define ROW(state, event, action, next)                                                            \
	{                                                                                          \
		MG_SERVICE_##state, MG_SERVICE_##event, act_##action, #action, MG_SERVICE_##next   \
	}

static const struct row rows[] = {
	ROW(IN, FORCED, end, OUT),
	ROW(IN, GRACEFUL, drain, CLOSING),
	ROW(IN, GRACEFUL_LATER, wait, CLOSING),
	ROW(IN, SET_OUT, out, OUT),

	ROW(CLOSING, FORCED, end, OUT),
	ROW(CLOSING, GRACEFUL, drain, CLOSING),
	ROW(CLOSING, GRACEFUL_LATER, wait, CLOSING),
	ROW(CLOSING, RESTART, in, IN),
	ROW(CLOSING, RESTART_LATER, in, IN), /* 918: what is in service stays so */
	ROW(CLOSING, SET_IN, in, IN),
	ROW(CLOSING, SET_OUT, out, OUT),
	ROW(CLOSING, TIME, out, OUT),
	ROW(CLOSING, EMPTY, out, OUT),

	ROW(OUT, FORCED, end, OUT),
	ROW(OUT, RESTART, in, IN),
	ROW(OUT, RESTART_LATER, wait, RETURNING),
	ROW(OUT, SET_IN, in, IN),

	ROW(RETURNING, FORCED, end, OUT),
	ROW(RETURNING, GRACEFUL, nothing, OUT),
	ROW(RETURNING, GRACEFUL_LATER, nothing, OUT),
	ROW(RETURNING, RESTART, in, IN),
	ROW(RETURNING, RESTART_LATER, wait, RETURNING),
	ROW(RETURNING, SET_IN, in, IN),
	ROW(RETURNING, SET_OUT, out, OUT),
	ROW(RETURNING, TIME, in, IN),
};

void mg_service_fire(struct mg *mg, struct mg_term *term, enum mg_service_event event,
                     uint32_t delay_s)
{
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		const struct row *row = &rows[i];

		if (row->state != term->service || row->event != event)
			continue;
		if (term->delay)
			mg_timer_stop(mg, &term->delay->timer);
		term->service = row->next;
		row->action(mg, term, delay_s);
		return;
	}
}

bool mg_service_row(size_t index, struct mg_service_row *ret)
{
	const struct row *row = &rows[index < BASE_COUNT(rows) ? index : 0];

	*ret = (struct mg_service_row){ row->state, row->next, event_names[row->event], row->name };
	return index < BASE_COUNT(rows);
}

const char *mg_service_name(enum mg_service state)
{
	static const char *const names[] = {
		[MG_SERVICE_IN] = "in",
		[MG_SERVICE_CLOSING] = "closing",
		[MG_SERVICE_OUT] = "out",
		[MG_SERVICE_RETURNING] = "returning",
	};

	return (unsigned)state < BASE_COUNT(names) ? names[state] : "?";
}

/* ---- what happens ---- */

void mg_service_change(struct mg *mg, struct mg_term *term, const struct h248_services *s)
{
	uint32_t delay_s = s->has_delay ? s->delay : 0;
	enum mg_service_event event = MG_SERVICE_FORCED;

	if (s->method == H248_GRACEFUL)
		event = delay_s ? MG_SERVICE_GRACEFUL_LATER : MG_SERVICE_GRACEFUL;
	else if (s->method == H248_RESTART)
		event = delay_s ? MG_SERVICE_RESTART_LATER : MG_SERVICE_RESTART;
	mg_service_fire(mg, term, event, delay_s);
}

void mg_service_modified(struct mg *mg, struct mg_term *term)
{
	mg_service_fire(mg, term,
	                term->service_state == H248_STATE_IN_SERVICE ? MG_SERVICE_SET_IN
	                                                             : MG_SERVICE_SET_OUT,
	                0);
}

void mg_context_went(struct mg *mg)
{
	mg_load_look(mg); /* an overload may have ended, which nothing else need bring to light */
	if (mg->counts.contexts)
		return;
	mg_service_fire(mg, &mg->root, MG_SERVICE_EMPTY, 0);
	if (mg->ops.idle)
		mg->ops.idle(mg->ops.arg);
}

/* As after a start: whoever comes next knows nothing of what the last one ordered. */
void mg_give_up(struct mg *mg)
{
	contexts_end(mg);
	mg_events_free(mg->root.events);
	mg->root.events = NULL;
	mg_notices_forget(&mg->root);
	mg_service_fire(mg, &mg->root, MG_SERVICE_SET_IN, 0);
}
