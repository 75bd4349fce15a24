/* SPDX-License-Identifier: Apache-2.0 */
/* The loop on its own thread: descriptors, timers, tasks, signals. Real sockets and pipes. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

/* A socket pair with a watch at each end that remembers what it was told. */
struct end {
	struct loop *loop;
	struct loop_fd w;
	unsigned events, calls;
	struct end *victim; /* stopped by the callback of this one */
};

static void on_end(void *arg, unsigned events)
{
	struct end *e = arg;

	e->events |= events;
	e->calls++;
	if (e->victim) {
		loop_fd_close(e->loop, &e->victim->w);
		memset(e->victim, 0xee, sizeof(*e->victim)); /* its owner reuses the storage */
		e->victim = NULL;
	}
}

static void pair_open(struct loop *loop, struct end e[2])
{
	int fd[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	for (int i = 0; i < 2; i++) {
		e[i] = (struct end){ .loop = loop, .w = { fd[i], on_end, &e[i] } };
		assert_int_equal(loop_fd_start(loop, &e[i].w), 0);
	}
}

static void pair_close(struct loop *loop, struct end e[2])
{
	loop_fd_close(loop, &e[0].w);
	loop_fd_close(loop, &e[1].w);
}

static int setup(void **state)
{
	return loop_new((struct loop **)state);
}

static int teardown(void **state)
{
	loop_free(*state);
	return 0;
}

static void fd_tells_each_edge_once(void **state)
{
	struct loop *loop = *state;
	struct end e[2];
	char buf[8];

	pair_open(loop, e);
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_int_equal(e[0].events, LOOP_WRITABLE);
	assert_int_equal(e[0].calls, 1);

	e[0].events = e[1].events = 0;
	assert_int_equal(write(e[0].w.fd, "x", 1), 1);
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_true(e[1].events & LOOP_READABLE);
	assert_false(e[1].events & LOOP_HANGUP);

	/* Unread, but told already: an edge is told once. */
	e[1].calls = 0;
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_int_equal(e[1].calls, 0);

	assert_int_equal(read(e[1].w.fd, buf, sizeof(buf)), 1);
	assert_int_equal(write(e[0].w.fd, "y", 1), 1);
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_int_equal(e[1].calls, 1);
	pair_close(loop, e);
}

static void fd_tells_hangup(void **state)
{
	struct loop *loop = *state;
	struct end e[2];

	pair_open(loop, e);
	assert_int_equal(loop_run_once(loop, 0), 0);
	e[1].events = 0;
	shutdown(e[0].w.fd, SHUT_WR);
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_true(e[1].events & LOOP_HANGUP);
	assert_true(e[1].events & LOOP_READABLE);
	pair_close(loop, e);
}

static void fd_stopped_in_the_same_batch_is_not_called(void **state)
{
	struct loop *loop = *state;
	struct end a[2], *b = calloc(2, sizeof(*b));

	assert_non_null(b);
	pair_open(loop, a);
	pair_open(loop, b);
	assert_int_equal(loop_run_once(loop, 0), 0);

	/* Both are in one batch now; the first to run closes the other and reuses its storage. */
	a[1].calls = b[1].calls = 0;
	a[1].victim = &b[1];
	b[1].victim = &a[1];
	assert_int_equal(write(a[0].w.fd, "x", 1), 1);
	assert_int_equal(write(b[0].w.fd, "x", 1), 1);
	assert_int_equal(loop_run_once(loop, 0), 0);
	if (a[1].calls == 1) {
		loop_fd_close(loop, &a[1].w);
	} else {
		assert_int_equal(b[1].calls, 1);
		loop_fd_close(loop, &b[1].w);
	}
	loop_fd_close(loop, &a[0].w);
	loop_fd_close(loop, &b[0].w);
	free(b);
	assert_int_equal(loop_run_once(loop, 0), 0);
}

static void fd_stop_keeps_it_open(void **state)
{
	struct loop *loop = *state;
	struct end e[2];

	pair_open(loop, e);
	assert_int_equal(loop_run_once(loop, 0), 0);
	loop_fd_stop(loop, &e[1].w);
	e[1].calls = 0;
	assert_int_equal(write(e[0].w.fd, "x", 1), 1);
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_int_equal(e[1].calls, 0);
	assert_true(fcntl(e[1].w.fd, F_GETFD) >= 0);

	assert_int_equal(loop_fd_start(loop, &e[1].w), 0); /* what is true already is told */
	e[1].events = 0;
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_true(e[1].events & LOOP_READABLE);
	pair_close(loop, e);
	loop_fd_close(loop, &e[0].w); /* a second time is harmless */
}

/* ---- timers ---- */

struct tick {
	struct loop *loop;
	struct loop_timer timer;
	uint64_t want_ms;
	struct tick *stops;
	int calls;
	uint64_t *last_due;
	bool ends;
};

static void on_tick(void *arg)
{
	struct tick *t = arg;

	t->calls++;
	assert_true(loop_now_ms(t->loop) >= t->want_ms);
	if (t->last_due) {
		assert_true(*t->last_due <= t->want_ms);
		*t->last_due = t->want_ms;
	}
	if (t->stops)
		loop_timer_stop(t->loop, &t->stops->timer);
	if (t->ends)
		loop_stop(t->loop);
}

static void tick_start(struct loop *loop, struct tick *t, uint64_t delay_ms)
{
	t->loop = loop;
	t->want_ms = loop_now_ms(loop) + delay_ms;
	loop_timer_start(loop, &t->timer, delay_ms, on_tick, t);
}

static void timers_run_in_order_and_not_early(void **state)
{
	enum { N = 400 };
	struct loop *loop = *state;
	struct tick *t = calloc(N, sizeof(*t)), end = { .ends = true };
	uint64_t last = 0;
	unsigned x = 7;

	assert_non_null(t);
	for (int i = 0; i < N; i++) {
		x = x * 1103515245 + 12345;
		t[i].last_due = &last;
		tick_start(loop, &t[i], (x >> 16) % 40);
	}
	for (int i = 0; i < N; i += 3) /* out of the middle of the heap */
		loop_timer_stop(loop, &t[i].timer);
	for (int i = 1; i < N; i += 3) /* restarted: runs once, at its later time */
		tick_start(loop, &t[i], 20);
	tick_start(loop, &end, 41);
	assert_int_equal(loop_run(loop), 0);
	for (int i = 0; i < N; i++) {
		assert_int_equal(t[i].calls, i % 3 ? 1 : 0);
		assert_false(loop_timer_active(&t[i].timer));
	}
	free(t);
}

static void timer_may_stop_another_that_is_due(void **state)
{
	struct loop *loop = *state;
	struct tick a = { 0 }, b = { 0 }, end = { .ends = true };

	a.stops = &b;
	tick_start(loop, &a, 0);
	tick_start(loop, &b, 0);
	tick_start(loop, &end, 1);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 0);
	loop_timer_stop(loop, &b.timer); /* not running: fine */
}

static void again(void *arg)
{
	struct tick *t = arg;

	t->calls++;
	loop_timer_start(t->loop, &t->timer, 0, again, t);
}

static void timer_that_restarts_itself_leaves_the_rest_its_turn(void **state)
{
	struct loop *loop = *state;
	struct tick t = { .loop = loop };

	loop_timer_start(loop, &t.timer, 0, again, &t);
	assert_int_equal(loop_run_once(loop, -1), 0);
	assert_int_equal(t.calls, 1);
	assert_int_equal(loop_run_once(loop, -1), 0);
	assert_int_equal(t.calls, 2);
	loop_timer_stop(loop, &t.timer);
}

/* ---- tasks ---- */

struct job {
	struct loop *loop;
	struct loop_task task;
	int calls, again;
	struct job *stops;
};

static void on_job(void *arg)
{
	struct job *j = arg;

	j->calls++;
	if (j->stops)
		loop_defer_stop(j->loop, &j->stops->task);
	if (j->again-- > 0)
		loop_defer(j->loop, &j->task, on_job, j);
}

static void tasks_run_once_at_the_end(void **state)
{
	struct loop *loop = *state;
	struct job a = { .loop = loop, .again = 1 }, b = { .loop = loop }, c = { .loop = loop };

	a.stops = &c;
	loop_defer(loop, &a.task, on_job, &a);
	loop_defer(loop, &b.task, on_job, &b);
	loop_defer(loop, &b.task, on_job, &b);
	loop_defer(loop, &c.task, on_job, &c);
	assert_int_equal(loop_run_once(loop, -1), 0); /* does not sleep: there is work */
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(c.calls, 0);
	assert_int_equal(loop_run_once(loop, -1), 0);
	assert_int_equal(a.calls, 2);
	assert_int_equal(b.calls, 1);
}

/* ---- messages before octets ---- */

struct order {
	struct loop *loop;
	struct loop_fd w;
	struct loop_msg msg;
	int *done, seen;
};

static void on_order(void *arg)
{
	++*(int *)arg;
}

static void on_octets(void *arg, unsigned events)
{
	struct order *o = arg;

	(void)events;
	o->seen = *o->done;
	loop_post(o->loop, &o->msg, on_order, o->done);
}

/* Who acts upon what another thread has said must find it done, in the same iteration too. */
static void messages_come_before_the_next_descriptor(void **state)
{
	struct loop *loop = *state;
	struct order o[2];
	int fd[2], done = 0;

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	for (int i = 0; i < 2; i++) {
		o[i] = (struct order){ .loop = loop,
			               .w = { fd[i], on_octets, &o[i] },
			               .done = &done };
		assert_int_equal(loop_fd_start(loop, &o[i].w), 0);
	}
	assert_int_equal(loop_run_once(loop, -1), 0); /* both can be written to */
	assert_int_equal(o[0].seen + o[1].seen, 1);
	assert_int_equal(done, 2);
	for (int i = 0; i < 2; i++)
		loop_fd_close(loop, &o[i].w);
}

/* ---- signals ---- */

struct sig {
	struct loop *loop;
	int seen;
};

static void on_signal(void *arg, int signum)
{
	struct sig *s = arg;

	s->seen = signum;
	loop_stop(s->loop);
}

static void signals_reach_the_loop(void **state)
{
	struct loop *loop = *state;
	struct sig first = { loop, 0 }, s = { loop, 0 };

	assert_int_equal(loop_signal_start(loop, SIGHUP, on_signal, &first), 0);
	assert_int_equal(loop_signal_start(loop, SIGHUP, on_signal, &s), 0);
	assert_int_equal(loop_signal_start(loop, SIGTERM, on_signal, &s), 0);
	kill(getpid(), SIGHUP);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(s.seen, SIGHUP);
	assert_int_equal(first.seen, 0);
	kill(getpid(), SIGTERM);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(s.seen, SIGTERM);
	loop_signal_stop(loop, SIGHUP);
	loop_signal_stop(loop, SIGHUP);
	/* SIGTERM is left to loop_free */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(fd_tells_each_edge_once),
		CASE(fd_tells_hangup),
		CASE(fd_stopped_in_the_same_batch_is_not_called),
		CASE(fd_stop_keeps_it_open),
		CASE(timers_run_in_order_and_not_early),
		CASE(timer_may_stop_another_that_is_due),
		CASE(timer_that_restarts_itself_leaves_the_rest_its_turn),
		CASE(tasks_run_once_at_the_end),
		CASE(messages_come_before_the_next_descriptor),
		CASE(signals_reach_the_loop),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
