/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mg/equip.h"
#include "mg/happen.h"
#include "mg/part.h"
#include "mg/play.h"

#define CHUNK   512
#define UNIT_MS 10U /* Duration (7.1.11); Intersignal, whose unit no text states, likewise (P) */

struct mg_play *mg_play_new(struct mg *mg, struct mg_term *term, const struct h248_signal *signal)
{
	struct mg_play *play = calloc(1, sizeof(*play));
	struct h248_signal one = *signal;

	if (!play)
		return NULL;
	base_list_init(&play->node);
	play->arena.chunk_size = CHUNK;
	play->mg = mg;
	play->term = term;
	one.next = NULL;
	if (!mg_copy_signals(&play->arena, &one, &play->top)) {
		mg_play_free(play);
		return NULL;
	}
	return play;
}

void mg_play_free(struct mg_play *play)
{
	if (!play)
		return;
	mg_timer_stop(play->mg, &play->timer);
	base_list_remove(&play->node);
	base_arena_done(&play->arena);
	free(play);
}

static const struct mg_equipment_signal *row_of(const struct h248_signal *s)
{
	const struct h248_package *package = NULL;
	const struct mg_equipment *e;
	char name[64];

	if (h248_package_lookup(H248_SIGNAL, s->name, &package, NULL, NULL))
		return NULL;
	e = mg_equipment_find(package);
	snprintf(name, sizeof(name), "%.*s", BASE_FMT(s->name.item));
	return e ? mg_equipment_signal(e, name) : NULL;
}

/* ---- the end of one signal is told (E.1.2) ---- */

/* 7.1.11: without NotifyCompletion only an end for other reasons is told. */
static bool told(const struct h248_signal *s, enum mg_ended how)
{
	static const uint8_t bits[] = {
		[MG_ENDED_ITSELF] = H248_ON_TIME_OUT,
		[MG_ENDED_EVENT] = H248_ON_EVENT,
		[MG_ENDED_SIGNALS] = H248_ON_SIGNALS,
		[MG_ENDED_OTHER] = H248_ON_OTHER,
	};

	return s->has_completion ? s->completion & bits[how] : how == MG_ENDED_OTHER;
}

static void tell(struct mg_play *play, enum mg_ended how)
{
	static const char *const words[] = {
		[MG_ENDED_ITSELF] = "TO",
		[MG_ENDED_EVENT] = "EV",
		[MG_ENDED_SIGNALS] = "SD",
		[MG_ENDED_OTHER] = "NC",
	};
	const struct h248_signal *s = play->at;
	struct mg_happening *h;
	char name[160];

	if (!told(s, how))
		return;
	h = mg_happening_new(play->mg, play->term, s->has_stream ? s->stream : 0, "g", "sc");
	snprintf(name, sizeof(name), "%.*s/%.*s", BASE_FMT(s->name.package),
	         BASE_FMT(s->name.item));
	mg_happening_text(h, "SigID", name);
	mg_happening_word(h, "Meth", words[how]);
	if (play->top->is_list)
		mg_happening_number(h, "SLID", play->top->list_id);
	if (s->has_request_id)
		mg_happening_number(h, "RID", s->request_id);
	mg_happening_tell(play->mg, h);
}

static void end(struct mg_play *play, enum mg_ended how)
{
	const struct mg_equipment_signal *row = row_of(play->at);

	if (play->on && row && row->stop && mg_signal_type(play->at) != H248_BRIEF)
		row->stop(play->mg, play->term, play->at);
	play->on = false;
	mg_timer_stop(play->mg, &play->timer);
	tell(play, how);
}

/* ---- one after the other ---- */

static void on_timer(void *arg);

static uint32_t duration_ms(const struct h248_signal *s)
{
	const struct mg_equipment_signal *row = row_of(s);
	unsigned duration = s->has_duration ? s->duration : row ? row->duration : 0;

	return duration * UNIT_MS;
}

/* Begin `at`. @return true when it is on and stays so for a while */
static bool begin_one(struct mg_play *play)
{
	const struct h248_signal *s = play->at;
	const struct mg_equipment_signal *row = row_of(s);
	int rc = 0;

	if (!play->given)
		rc = row && row->start ? row->start(play->mg, play->term, s)
		                       : mg_signal_order(play->mg, play->term, s);
	play->given = false;
	if (rc) {
		end(play, MG_ENDED_OTHER);
		return false;
	}
	play->on = true;
	switch (mg_signal_type(s)) {
	case H248_ON_OFF:
		return true;
	case H248_TIME_OUT:
		mg_timer_start(play->mg, &play->timer, duration_ms(s), on_timer, play);
		return true;
	default:
		end(play, MG_ENDED_ITSELF);
		return false;
	}
}

/* To the next of the list. @return true when it is to begin now; else the play may be gone */
static bool step(struct mg_play *play)
{
	const struct h248_signal *was = play->at;

	if (!play->top->is_list || !was->next) {
		mg_play_free(play);
		return false;
	}
	play->at = was->next;
	if (!was->has_intersignal || !was->intersignal)
		return true;
	mg_timer_start(play->mg, &play->timer, (uint64_t)was->intersignal * UNIT_MS, on_timer,
	               play);
	return false;
}

/* From `at` on, as far as it goes now. The play may be gone afterwards. */
static void go_on(struct mg_play *play)
{
	do {
		if (begin_one(play))
			return;
	} while (step(play));
}

/* Its time is up, or the pause between two. */
static void on_timer(void *arg)
{
	struct mg_play *play = arg;
	struct mg *mg = play->mg;

	if (!play->on) {
		go_on(play);
	} else {
		end(play, MG_ENDED_ITSELF);
		if (step(play))
			go_on(play);
	}
	mg_happenings_run(mg);
}

void mg_play_begin(struct mg_play *play)
{
	play->at = play->top->is_list ? play->top->list : play->top;
	go_on(play);
}

/* ---- stopping ---- */

static void stop(struct mg_play *play, enum mg_ended how)
{
	end(play, how);
	mg_play_free(play);
}

void mg_plays_stop(struct mg *mg, struct mg_term *term, enum mg_ended how)
{
	(void)mg;
	if (!term->plays.next)
		return;
	BASE_LIST_EACH(&term->plays, n, after)
	{
		stop(BASE_CONTAINER_OF(n, struct mg_play, node), how);
	}
}

void mg_plays_replace(struct mg *mg, struct mg_term *term)
{
	(void)mg;
	BASE_LIST_EACH(&term->plays, n, after)
	{
		struct mg_play *play = BASE_CONTAINER_OF(n, struct mg_play, node);

		if (play->keep)
			play->keep = false;
		else
			stop(play, MG_ENDED_SIGNALS);
	}
}

struct mg_play *mg_play_find(const struct mg_term *term, const struct h248_signal *signal)
{
	for (struct base_node *n = term->plays.next; n != &term->plays; n = n->next) {
		struct mg_play *play = BASE_CONTAINER_OF(n, struct mg_play, node);
		const struct h248_signal *s = play->top;

		if (s->is_list != signal->is_list)
			continue;
		if (s->is_list ? s->list_id == signal->list_id
		               : h248_name_equal(s->name, signal->name) &&
		                         (s->has_stream ? s->stream : 0) ==
		                                 (signal->has_stream ? signal->stream : 0))
			return play;
	}
	return NULL;
}
