/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hanging terminations (package hangterm, H.248.36): where the controller asks for the event thb,
 * it is told when nothing has been said about a termination for timerx seconds, again and again
 * (RFC 3525, 7.2.7). A controller that has forgotten the termination then answers with an error or
 * subtracts it. Said about it is: a command that means it, and a Notify that was answered.
 */
#include <stdlib.h>

#include "mg/equip.h"
#include "mg/happen.h"
#include "mg/service.h"

/* Made when the event is first watched for. */
struct mg_hang {
	struct mg *mg;
	struct mg_term *term;
	struct loop_timer timer;
	uint64_t after_ms;   /* 0 = off */
	uint64_t touched_ms; /* when something was said last */
};

static const struct mg_equipment_event hang_events[] = { { .name = "thb" }, { 0 } };
const struct mg_equipment mg_equipment_hangterm = { .package = "hangterm",
	                                            .on = MG_ON_TERM,
	                                            .events = hang_events };

static uint64_t after_of(const struct mg *mg, const struct mg_term *term)
{
	for (const struct h248_event *e = term->events ? term->events->list : NULL; e;
	     e = e->next) {
		const struct h248_parm *p;
		struct base_str text;
		uint64_t seconds;

		if (!base_str_ieq(e->name.package, BASE_STR("hangterm")) ||
		    (!base_str_ieq(e->name.item, BASE_STR("thb")) &&
		     !base_str_eq(e->name.item, BASE_STR("*"))))
			continue;
		p = h248_parm_find(e->parms, "", "timerx");
		if (p && h248_parm_text(p, &text) && !base_str_u64(text, UINT32_MAX, &seconds))
			return seconds * 1000;
		return mg->set.hanging_ms;
	}
	return 0;
}

static void on_time(void *arg);

static void wait_again(struct mg_hang *h, uint64_t now)
{
	mg_timer_start(h->mg, &h->timer, h->touched_ms + h->after_ms - now, on_time, h);
}

static void on_time(void *arg)
{
	struct mg_hang *h = arg;
	struct mg *mg = h->mg;
	uint64_t now = mg->ops.now_ms(mg->ops.arg);

	if (now < h->touched_ms + h->after_ms) { /* something was said meanwhile */
		wait_again(h, now);
		return;
	}
	h->touched_ms = now;
	wait_again(h, now);
	if (!base_list_empty(&h->term->notices))
		return; /* what is under way asks the same */
	mg->counts.hanging++;
	base_log(BASE_LOG_INFO, "mg", "context=%u term=%s: not spoken of for %llu s",
	         h->term->context->id, h->term->name, (unsigned long long)h->after_ms / 1000);
	mg_happening_tell(mg, mg_happening_new(mg, h->term, 0, "hangterm", "thb"));
	mg_happenings_run(mg); /* an embedded order may end all of this */
}

/* Comes when the command is done: without memory nobody watches, and the log says so. */
static void hang_make(struct mg *mg, struct mg_term *term)
{
	term->hang = calloc(1, sizeof(*term->hang));
	if (!term->hang) {
		mg->counts.notifies_lost++;
		base_log(BASE_LOG_WARN, "mg", "term=%s: no memory to watch for hanging",
		         term->name);
		return;
	}
	term->hang->mg = mg;
	term->hang->term = term;
}

void mg_hang_set(struct mg *mg, struct mg_term *term)
{
	uint64_t after_ms = after_of(mg, term);
	struct mg_hang *h;

	if (after_ms && !term->hang)
		hang_make(mg, term);
	h = term->hang;
	if (!h)
		return;
	h->after_ms = after_ms;
	h->touched_ms = mg->ops.now_ms(mg->ops.arg);
	if (after_ms)
		wait_again(h, h->touched_ms);
	else
		mg_timer_stop(mg, &h->timer);
}

void mg_hang_touch(struct mg *mg, struct mg_term *term)
{
	if (term && term->hang)
		term->hang->touched_ms = mg->ops.now_ms(mg->ops.arg);
}

void mg_hang_free(struct mg *mg, struct mg_term *term)
{
	if (!term->hang)
		return;
	mg_timer_stop(mg, &term->hang->timer);
	free(term->hang);
	term->hang = NULL;
}
