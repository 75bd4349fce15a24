/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adid, application data inactivity detection (H.248.40): the event ipstop is told when no
 * application data (octets above TLS) has passed for dt seconds, once for each silence. The
 * bearer's counters are looked at four times in dt, so it is told between dt and a quarter more
 * after the last octet (P). Nobody on the media path knows of it.
 */
#include <stdlib.h>

#include "mg/happen.h"
#include "mg/pkg.h"

#define DEFAULT_S UINT64_C(60) /* P: without dt, or when it is ours to choose */

enum direction { IN = 1, OUT = 2, BOTH = 3 }; /* as numbered in the table */

/* One ipstop that was asked for. */
struct watch {
	uint16_t stream; /* 0 = the termination's streams together */
	uint8_t direction;
	bool told;
	uint64_t after_ms;
	uint64_t octets;   /* when looked at last */
	uint64_t since_ms; /* they stand at that */
};

struct mg_idle {
	struct mg *mg;
	struct mg_term *term;
	struct loop_timer timer;
	size_t count;
	struct watch watch[];
};

static uint64_t octets_of(const struct mg *mg, const struct mg_term *term, const struct watch *w)
{
	uint64_t sum = 0;

	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s;
	     s = s->next) {
		struct relay_stats one;

		if (!s->leg || (w->stream && w->stream != s->id))
			continue;
		mg_leg_stats(mg, s->leg, &one);
		sum += (w->direction & IN ? one.octets_in : 0) +
		       (w->direction & OUT ? one.octets_out : 0);
	}
	return sum;
}

/* @return when to look again */
static uint64_t look(struct mg_idle *idle, struct watch *w, uint64_t now)
{
	uint64_t octets = octets_of(idle->mg, idle->term, w);
	uint64_t step = BASE_MAX(w->after_ms / 4, 1);

	if (octets != w->octets) {
		w->octets = octets;
		w->since_ms = now;
		w->told = false;
	}
	if (!w->told && now >= w->since_ms + w->after_ms) {
		w->told = true;
		mg_happening_tell(idle->mg, mg_happening_new(idle->mg, idle->term, w->stream,
		                                             "adid", "ipstop"));
	}
	return w->told ? now + step : BASE_MIN(now + step, w->since_ms + w->after_ms);
}

static void on_time(void *arg)
{
	struct mg_idle *idle = arg;
	struct mg *mg = idle->mg;
	uint64_t now = mg->ops.now_ms(mg->ops.arg), next = UINT64_MAX;

	for (size_t i = 0; i < idle->count; i++)
		next = BASE_MIN(next, look(idle, &idle->watch[i], now));
	mg_timer_start(mg, &idle->timer, next - now, on_time, idle);
	mg_happenings_run(mg); /* an embedded order may end all of this */
}

/* ---- asking ---- */

static bool asks(const struct h248_event *e)
{
	return base_str_ieq(e->name.package, BASE_STR("adid")) &&
	       (base_str_ieq(e->name.item, BASE_STR("ipstop")) ||
	        base_str_eq(e->name.item, BASE_STR("*")));
}

static void watch_read(struct watch *w, const struct h248_event *e)
{
	const struct h248_parm *dt = h248_parm_find(e->parms, "", "dt");
	const struct h248_parm *dir = h248_parm_find(e->parms, "", "dir");
	struct base_str text;
	uint64_t seconds;

	w->stream = e->has_stream ? e->stream : 0;
	w->after_ms = DEFAULT_S * 1000;
	if (dt && h248_parm_text(dt, &text) && !base_str_u64(text, INT32_MAX, &seconds))
		w->after_ms = seconds * 1000;
	w->direction = BOTH;
	if (dir && h248_parm_text(dir, &text) && !base_str_ieq(text, BASE_STR("BOTH")))
		w->direction = base_str_ieq(text, BASE_STR("IN")) ? IN : OUT;
}

void mg_idle_set(struct mg *mg, struct mg_term *term)
{
	const struct h248_event *list = term->events ? term->events->list : NULL;
	uint64_t now = mg->ops.now_ms(mg->ops.arg);
	struct mg_idle *idle;
	size_t count = 0;

	mg_idle_free(mg, term);
	for (const struct h248_event *e = list; e; e = e->next)
		count += asks(e);
	if (!count)
		return;
	idle = calloc(1, sizeof(*idle) + count * sizeof(idle->watch[0]));
	if (!idle) { /* the command is done: without memory nobody watches */
		mg->counts.notifies_lost++;
		base_log(BASE_LOG_WARN, "mg", "term=%s: no memory to watch for silence",
		         term->name);
		return;
	}
	idle->mg = mg;
	idle->term = term;
	for (const struct h248_event *e = list; e; e = e->next) {
		struct watch *w = &idle->watch[idle->count];

		if (!asks(e))
			continue;
		watch_read(w, e);
		w->octets = octets_of(mg, term, w);
		w->since_ms = now;
		idle->count++;
	}
	term->idle = idle;
	mg_timer_start(mg, &idle->timer, 0, on_time, idle);
}

void mg_idle_free(struct mg *mg, struct mg_term *term)
{
	if (!term->idle)
		return;
	mg_timer_stop(mg, &term->idle->timer);
	free(term->idle);
	term->idle = NULL;
}

static const struct mg_equipment_event events[] = {
	{ .name = "ipstop" },
	{ 0 },
};
const struct mg_equipment mg_pkg_adid = {
	.package = "adid",
	.on = MG_ON_TERM,
	.events = events,
};
