/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Signals that are active (RFC 3525, 7.1.11): single ones and lists played one after the other, on
 * the gateway's clock. A brief signal is over once it has begun; a time-out one lasts its Duration;
 * an on-off one until it is stopped. The end of each is told as g/sc, where NotifyCompletion and
 * the active Events descriptor ask for it.
 */
#ifndef GH_MG_PLAY_H
#define GH_MG_PLAY_H

#include "mg/plan.h"

/* How one ended: g/sc parameter Meth (E.1.2). */
enum mg_ended {
	MG_ENDED_ITSELF,  /* TO: timed out or completed */
	MG_ENDED_EVENT,   /* EV */
	MG_ENDED_SIGNALS, /* SD: a new Signals descriptor */
	MG_ENDED_OTHER,   /* NC: never begun, or stopped for another reason */
};

struct mg_play {
	struct base_node node; /* in the plan, then in its termination */
	struct base_arena arena;
	struct mg *mg;
	struct mg_term *term;
	struct h248_signal *top;      /* a signal or a list, as ordered */
	const struct h248_signal *at; /* the one that is on, or was last */
	struct loop_timer timer;
	bool on;    /* `at` has begun and not ended */
	bool given; /* the plan itself has given the order of the first one */
	bool keep;  /* the running command lets it go on */
};

/* Not begun, in no list. NULL when memory is short. */
struct mg_play *mg_play_new(struct mg *mg, struct mg_term *term, const struct h248_signal *signal);
/* Not one that is on. NULL is fine. */
void mg_play_free(struct mg_play *play);
/* Begin it: it is in its termination, and may be gone afterwards. */
void mg_play_begin(struct mg_play *play);
/* Stop all, in this manner. */
void mg_plays_stop(struct mg *mg, struct mg_term *term, enum mg_ended how);
/* Those that the running command does not keep. */
void mg_plays_replace(struct mg *mg, struct mg_term *term);
/* The active one that goes on under this order: the same list, or the same signal; or NULL. */
struct mg_play *mg_play_find(const struct mg_term *term, const struct h248_signal *signal);

/* signals.c: an embedded Signals descriptor becomes the active one. Failures are told as NC. */
void mg_signals_activate(struct mg *mg, struct mg_term *term, const struct h248_signals *signals);
/* signals.c: the next signal of a list begins. @return 0, or what it failed of */
int mg_signal_order(struct mg *mg, struct mg_term *term, const struct h248_signal *signal);
/* signals.c: what a signal is played as; never ABSENT. */
enum h248_signal_type mg_signal_type(const struct h248_signal *signal);

#endif
