/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A queue of timers without a clock: whoever owns it says what time it is. The loop has one inside;
 * a protocol's pure core can have its own and be tested with a virtual clock. Times are
 * milliseconds of any one monotonic clock. One thread per queue.
 */
#ifndef GH_LOOP_TIMERS_H
#define GH_LOOP_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/** A timer in the caller's storage. All zero is a valid stopped one. The fields are the queue's. */
struct loop_timer {
	struct loop_timer *child, *next, *prev; /* a pairing heap; prev of a first child = parent */
	uint64_t due_ms;
	uint64_t order;
	void (*fn)(void *arg);
	void *arg;
	bool on;
};

/** All zero is a valid empty queue, which needs no clean-up. */
struct loop_timers {
	struct loop_timer *root; /* the earliest */
	uint64_t order;          /* timers due in the same millisecond keep their order */
	uint64_t now_ms;         /* the owner sets it, or loop_timers_run does */
};

/** Call `fn` once, not before `delay_ms` from now_ms. Restarts one that is running. Cannot fail. */
void loop_timers_start(struct loop_timers *q, struct loop_timer *t, uint64_t delay_ms,
                       void (*fn)(void *arg), void *arg);
/** Stopping one that is not running is fine. The storage is the caller's again. */
void loop_timers_stop(struct loop_timers *q, struct loop_timer *t);
static inline bool loop_timer_active(const struct loop_timer *t)
{
	return t->on;
}
/** When loop_timers_run has something to do next; UINT64_MAX = never. */
static inline uint64_t loop_timers_deadline(const struct loop_timers *q)
{
	return q->root ? q->root->due_ms : UINT64_MAX;
}
/**
 * Set the time (which does not go back) and call all that is due, the earliest first, but none that
 * is started meanwhile with no delay left: that one is due in the next run.
 */
void loop_timers_run(struct loop_timers *q, uint64_t now_ms);

#endif
