/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in a pairing heap of the callers' own storage: starting one can not fail, costs no memory
 * and constant time, and the loop knows the earliest at once. */
#include "loop/timers.h"

#include <stddef.h>

#include "loop/private.h"

static bool earlier(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

/* Two heaps into one; either may be NULL. Roots have neither `prev` nor `next`. */
static struct loop_timer *meld(struct loop_timer *a, struct loop_timer *b)
{
	struct loop_timer *low;

	if (!a || !b)
		return a ? a : b;
	if (earlier(b, a)) {
		low = b;
		b = a;
	} else {
		low = a;
	}
	b->prev = low;
	b->next = low->child;
	if (low->child)
		low->child->prev = b;
	low->child = b;
	return low;
}

/* A list of siblings into one heap: pairs from left to right, then the pairs from right to left. */
static struct loop_timer *meld_list(struct loop_timer *first)
{
	struct loop_timer *pairs = NULL, *root = NULL;

	while (first) {
		struct loop_timer *a = first, *b = a->next, *pair;

		first = b ? b->next : NULL;
		a->prev = a->next = NULL;
		if (b)
			b->prev = b->next = NULL;
		pair = meld(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct loop_timer *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		root = meld(root, pair);
	}
	return root;
}

static void take_out(struct loop_timers *q, struct loop_timer *t)
{
	struct loop_timer *rest = meld_list(t->child);

	t->child = NULL;
	if (t == q->root) {
		q->root = rest;
		return;
	}
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->prev = t->next = NULL;
	q->root = meld(q->root, rest);
}

void loop_timers_start(struct loop_timers *q, struct loop_timer *t, uint64_t delay_ms,
                       void (*fn)(void *arg), void *arg)
{
	loop_timers_stop(q, t);
	*t = (struct loop_timer){ .fn = fn, .arg = arg, .on = true };
	t->due_ms = delay_ms > UINT64_MAX - q->now_ms ? UINT64_MAX : q->now_ms + delay_ms;
	t->order = q->order++;
	q->root = meld(q->root, t);
}

void loop_timers_stop(struct loop_timers *q, struct loop_timer *t)
{
	if (!t->on)
		return;
	take_out(q, t);
	t->on = false;
}

void loop_timers_run(struct loop_timers *q, uint64_t now_ms)
{
	uint64_t newest = q->order;

	q->now_ms = BASE_MAX(q->now_ms, now_ms);
	while (q->root && q->root->due_ms <= q->now_ms && q->root->order < newest) {
		struct loop_timer *t = q->root;

		loop_timers_stop(q, t);
		t->fn(t->arg);
	}
}

void loop_timer_start(struct loop *loop, struct loop_timer *t, uint64_t delay_ms, loop_fn *fn,
                      void *arg)
{
	loop_timers_start(&loop->timers, t, delay_ms, fn, arg);
}

void loop_timer_stop(struct loop *loop, struct loop_timer *t)
{
	loop_timers_stop(&loop->timers, t);
}
