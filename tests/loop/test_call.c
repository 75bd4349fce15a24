/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that block. Meant to be run under ThreadSanitizer too. */
#include "check.h"

#include <pthread.h>
#include <sched.h>

#include "loop/loop.h"

struct job {
	struct loop *loop;
	pthread_t caller;
	pthread_mutex_t gate; /* held: the work cannot end */
	pthread_mutex_t told;
	int worked, dropped; /* under `told` */
	int done;
};

static void on_work(void *arg)
{
	struct job *j = arg;

	assert_false(pthread_equal(pthread_self(), j->caller));
	pthread_mutex_lock(&j->gate);
	pthread_mutex_unlock(&j->gate);
	pthread_mutex_lock(&j->told);
	j->worked++;
	pthread_mutex_unlock(&j->told);
}

static void on_done(void *arg)
{
	struct job *j = arg;

	assert_true(pthread_equal(pthread_self(), j->caller));
	j->done++;
	loop_stop(j->loop);
}

static void on_drop(void *arg)
{
	struct job *j = arg;

	pthread_mutex_lock(&j->told);
	j->dropped++;
	pthread_mutex_unlock(&j->told);
}

static const struct loop_call_ops ops = { on_work, on_done, on_drop };

static struct job job_of(struct loop *loop)
{
	struct job j = { .loop = loop, .caller = pthread_self() };

	pthread_mutex_init(&j.gate, NULL);
	pthread_mutex_init(&j.told, NULL);
	return j;
}

static int dropped(struct job *j)
{
	int n;

	pthread_mutex_lock(&j->told);
	n = j->dropped;
	pthread_mutex_unlock(&j->told);
	return n;
}

static void the_end_comes_back(void **state)
{
	struct loop_call *call;
	struct loop *loop;
	struct job j;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	j = job_of(loop);
	assert_int_equal(loop_call_start(&call, loop, &ops, &j), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(j.worked, 1);
	assert_int_equal(j.done, 1);
	assert_int_equal(j.dropped, 0);
	loop_free(loop);
}

/* The loop can go while the work is still stuck. */
static void nobody_waits_for_an_abandoned_one(void **state)
{
	struct loop_call *call;
	struct loop *loop;
	struct job j;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	j = job_of(loop);
	pthread_mutex_lock(&j.gate);
	assert_int_equal(loop_call_start(&call, loop, &ops, &j), 0);
	loop_call_abandon(call);
	loop_free(loop);
	assert_int_equal(dropped(&j), 0);
	pthread_mutex_unlock(&j.gate);
	while (!dropped(&j))
		sched_yield();
	assert_int_equal(j.done, 0);
}

/* Whatever side is first, exactly one of both ends is called. */
static void a_race_has_one_winner(void **state)
{
	struct loop_call *call;
	struct loop *loop;
	struct job j;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	for (int i = 0; i < 200; i++) {
		j = job_of(loop);
		assert_int_equal(loop_call_start(&call, loop, &ops, &j), 0);
		for (int k = 0; k < i % 20; k++)
			sched_yield();
		loop_call_abandon(call);
		while (!dropped(&j))
			assert_int_equal(loop_run_once(loop, 0), 0);
		assert_int_equal(j.done, 0);
	}
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_comes_back),
		cmocka_unit_test(nobody_waits_for_an_abandoned_one),
		cmocka_unit_test(a_race_has_one_winner),
	};

	return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
