/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in a pairing heap of the callers' own storage: starting one can not fail, costs no memory
 * and constant time, and the loop knows the earliest at once. */
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

static void take_out(struct loop *loop, struct loop_timer *t)
{
	struct loop_timer *rest = meld_list(t->child);

	t->child = NULL;
	if (t == loop->timers) {
		loop->timers = rest;
		return;
	}
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->prev = t->next = NULL;
	loop->timers = meld(loop->timers, rest);
}

void loop_timer_start(struct loop *loop, struct loop_timer *t, uint64_t delay_ms, loop_fn *fn,
                      void *arg)
{
	loop_timer_stop(loop, t);
	*t = (struct loop_timer){ .fn = fn, .arg = arg, .on = true };
	t->due_ms = delay_ms > UINT64_MAX - loop->now_ms ? UINT64_MAX : loop->now_ms + delay_ms;
	t->order = loop->timer_order++;
	loop->timers = meld(loop->timers, t);
}

void loop_timer_stop(struct loop *loop, struct loop_timer *t)
{
	if (!t->on)
		return;
	take_out(loop, t);
	t->on = false;
}

void loop_timer_run(struct loop *loop)
{
	/* Those that start themselves again with no delay get their turn in the next iteration. */
	uint64_t newest = loop->timer_order;

	while (loop->timers && loop->timers->due_ms <= loop->now_ms &&
	       loop->timers->order < newest) {
		struct loop_timer *t = loop->timers;

		loop_timer_stop(loop, t);
		t->fn(t->arg);
	}
}
