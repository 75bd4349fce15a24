/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between threads, worker threads. Meant to be run under ThreadSanitizer too. */
#include "check.h"

#include <pthread.h>
#include <sched.h>

#include "loop/loop.h"

enum { SENDERS = 4, EACH = 5000 };

struct item {
	struct loop_msg msg;
	struct inbox *inbox;
	int sender, number;
};

/* Touched by the loop's thread only, but for `loop`. */
struct inbox {
	struct loop *loop;
	int next[SENDERS];
	int total;
};

struct sender {
	pthread_t id;
	struct inbox *inbox;
	int number;
	struct item *items;
};

static void on_item(void *arg)
{
	struct item *it = arg;
	struct inbox *in = it->inbox;

	assert_int_equal(it->number, in->next[it->sender]); /* each sender's order is kept */
	in->next[it->sender]++;
	if (++in->total == SENDERS * EACH)
		loop_stop(in->loop);
}

static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (int i = 0; i < EACH; i++) {
		s->items[i] = (struct item){ .inbox = s->inbox, .sender = s->number, .number = i };
		loop_post(s->inbox->loop, &s->items[i].msg, on_item, &s->items[i]);
		if (i % 64 == 0)
			sched_yield(); /* let the loop fall asleep now and then */
	}
	return NULL;
}

static void many_senders_lose_nothing(void **state)
{
	struct inbox in = { 0 };
	struct sender s[SENDERS];

	(void)state;
	assert_int_equal(loop_new(&in.loop), 0);
	for (int i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){ .inbox = &in, .number = i };
		s[i].items = calloc(EACH, sizeof(struct item));
		assert_non_null(s[i].items);
		assert_int_equal(pthread_create(&s[i].id, NULL, send_all, &s[i]), 0);
	}
	assert_int_equal(loop_run(in.loop), 0);
	assert_int_equal(in.total, SENDERS * EACH);
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(s[i].id, NULL);
		free(s[i].items);
	}
	loop_free(in.loop);
}

/* A ball between two loops: each side reuses its own message for every throw. */
struct player {
	struct loop *loop;
	struct loop_msg msg;
	struct player *other;
	int left;
};

static void on_ball(void *arg)
{
	struct player *me = arg;

	if (me->left-- == 0)
		loop_stop(me->loop);
	else
		loop_post(me->other->loop, &me->other->msg, on_ball, me->other);
}

static void worker_done(struct loop *loop, void *arg)
{
	struct player *p = arg;

	(void)loop;
	p->left = -1000;
}

static void two_loops_play(void **state)
{
	static const struct loop_thread_ops ops = { NULL, worker_done };
	struct loop_thread *thread;
	struct player here = { .left = 2000 }, there = { .left = 1 << 30 };

	(void)state;
	assert_int_equal(loop_new(&here.loop), 0);
	assert_int_equal(loop_thread_start(&thread, "worker-with-a-long-name", &ops, &there), 0);
	there.loop = loop_thread_loop(thread);
	here.other = &there;
	there.other = &here;
	loop_post(there.loop, &there.msg, on_ball, &there);
	assert_int_equal(loop_run(here.loop), 0);
	loop_thread_join(thread);
	assert_int_equal(there.left, -1000);
	loop_free(here.loop);
}

static void count_up(void *arg)
{
	++*(int *)arg;
}

static void join_delivers_what_was_posted_before(void **state)
{
	static const struct loop_thread_ops ops = { 0 };
	struct loop_thread *thread;
	struct loop_msg msg[50];
	int count = 0;

	(void)state;
	assert_int_equal(loop_thread_start(&thread, "w", &ops, NULL), 0);
	for (int i = 0; i < 50; i++)
		loop_post(loop_thread_loop(thread), &msg[i], count_up, &count);
	loop_thread_join(thread);
	assert_int_equal(count, 50);
	loop_thread_join(NULL);
	loop_free(NULL);
}

/* Many pushes, one wake-up; in order with what is posted. */
static void pushed_ones_come_with_the_wake_up(void **state)
{
	struct item items[3];
	struct inbox in = { 0 };

	(void)state;
	assert_int_equal(loop_new(&in.loop), 0);
	loop_wake(in.loop); /* for nothing */
	for (int i = 0; i < 3; i++)
		items[i] = (struct item){ .inbox = &in, .number = i };
	loop_push(in.loop, &items[0].msg, on_item, &items[0]);
	loop_post(in.loop, &items[1].msg, on_item, &items[1]);
	loop_push(in.loop, &items[2].msg, on_item, &items[2]);
	assert_int_equal(loop_run_once(in.loop, -1), 0); /* never sleeps on them */
	assert_int_equal(in.total, 3);
	loop_free(in.loop);
}

static void on_push(void *arg)
{
	struct player *there = arg;

	loop_post(there->other->loop, &there->other->msg, on_ball, there->other);
}

/* A loop that sleeps is woken for them. */
static void a_sleeper_is_woken(void **state)
{
	static const struct loop_thread_ops ops = { 0 };
	struct loop_thread *thread;
	struct player here = { 0 }, there = { .other = &here };

	(void)state;
	assert_int_equal(loop_new(&here.loop), 0);
	assert_int_equal(loop_thread_start(&thread, "w", &ops, NULL), 0);
	for (int i = 0; i < 100; i++) {
		here.left = 0; /* the ball's first coming stops the loop */
		loop_push(loop_thread_loop(thread), &there.msg, on_push, &there);
		loop_wake(loop_thread_loop(thread));
		assert_int_equal(loop_run(here.loop), 0);
	}
	loop_thread_join(thread);
	loop_free(here.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_senders_lose_nothing),
		cmocka_unit_test(two_loops_play),
		cmocka_unit_test(join_delivers_what_was_posted_before),
		cmocka_unit_test(pushed_ones_come_with_the_wake_up),
		cmocka_unit_test(a_sleeper_is_woken),
	};

	return cmocka_run_group_tests_name("post", tests, NULL, NULL);
}
