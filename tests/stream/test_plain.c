/* SPDX-License-Identifier: Apache-2.0 */
/* Streams without TLS: octets, back-pressure, deadlines, ends. */
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

static const struct stream_spec plain = { 0 };

/* ---- octets ---- */

static void octets_both_ways_and_an_end_in_order(void **state)
{
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();

	p->end.echo = true;
	come(e, streams, p, plain);
	assert_int_equal(stream_write(e->stream, "early ", 6), 0); /* waits until it is up */
	assert_int_equal(stream_waiting(e->stream), 6);
	UNTIL(streams, e->got_len == 6);
	assert_int_equal(stream_write(e->stream, "late", 4), 0);
	UNTIL(streams, e->got_len == 10);
	assert_memory_equal(e->got, "early late", 10);
	assert_int_equal(e->up, 1);
	assert_int_equal(p->end.up, 1);
	assert_true(stream_addr_equal(stream_remote(e->stream), &p->at));
	assert_true(stream_addr_equal(stream_local(e->stream), stream_remote(p->end.stream)));
	stream_end(e->stream);
	UNTIL(streams, e->ended && p->end.ended);
	assert_int_equal(e->cause, STREAM_DONE);
	assert_int_equal(p->end.cause, STREAM_DONE);
	assert_true(e->was_up && p->end.was_up);
	assert_int_equal(streams_conns(streams), 0);
	assert_int_equal(streams_count(streams)->connects, 1);
	assert_int_equal(streams_count(streams)->accepts, 1);
	assert_int_equal(streams_count(streams)->up, 2);
	assert_int_equal(streams_count(streams)->octets_in, 20);
	assert_int_equal(log_lines, 0);
	free(e);
	free(p);
}

static void what_is_not_taken_is_shown_again(void **state)
{
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();

	p->end.take = 3;
	come(e, streams, p, plain);
	assert_int_equal(stream_write(e->stream, "abcde", 5), 0);
	UNTIL(streams, p->end.got_len == 3);
	assert_int_equal(stream_write(e->stream, "fg", 2), 0);
	UNTIL(streams, p->end.got_len == 6); /* "defg" was shown */
	assert_int_equal(p->end.shown, 4);
	stream_resume(p->end.stream);
	UNTIL(streams, p->end.got_len == 7);
	assert_memory_equal(p->end.got, "abcdefg", 7);
	stream_free(e->stream);
	UNTIL(streams, p->end.ended);
	free(e);
	free(p);
}

/* Who takes nothing makes the peer wait, and the peer's owner hears of it. */
static void back_pressure(void **state)
{
	static const struct stream_spec roomy = { .output_max = 64U << 20, .input_max = 100000 };
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();
	static char block[65536];
	size_t written = 0;
	int rc = 0;

	p->spec.input_max = 100000;
	come(e, streams, p, roomy);
	UNTIL(streams, p->end.up);
	stream_pause(p->end.stream);
	while (written < 40000000) {
		rc = stream_write(e->stream, block, sizeof(block));
		assert_true(!rc || base_err_class(rc) == BASE_AGAIN);
		written += sizeof(block);
		assert_int_equal(loop_run_once(streams_loop(streams), 0), 0);
	}
	assert_int_equal(base_err_class(rc), BASE_AGAIN);
	assert_int_equal(p->end.total, 0);
	assert_int_equal(e->writable, 0);
	assert_true(stream_waiting(e->stream) > 20000000);
	assert_true(streams_count(streams)->octets_in < 1000000); /* the rest is not in memory */
	stream_resume(p->end.stream);
	UNTIL(streams, p->end.total == written && e->writable);
	assert_int_equal(e->writable, 1);
	assert_int_equal(stream_waiting(e->stream), 0);
	stream_free(e->stream);
	stream_free(p->end.stream);
	free(e);
	free(p);
}

static void more_than_may_wait_ends_it(void **state)
{
	static const struct stream_spec narrow = { .output_max = 1000 };
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();
	char block[600] = { 0 };

	come(e, streams, p, narrow);
	assert_int_equal(stream_write(e->stream, block, sizeof(block)), 0);
	assert_int_equal(base_err_class(stream_write(e->stream, block, sizeof(block))), BASE_LOCAL);
	assert_int_equal(e->ended, 0); /* never from inside */
	UNTIL(streams, e->ended);
	assert_int_equal(e->cause, STREAM_FULL);
	free(e);
	stream_listener_free(p->listener);
	free(p);
}

/* ---- ends ---- */

static void half_a_connection_goes_on(void **state)
{
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();

	p->end.hold_open = true;
	come(e, streams, p, plain);
	assert_int_equal(stream_write(e->stream, "question", 8), 0);
	stream_end(e->stream);
	assert_int_equal(base_err_class(stream_write(e->stream, "x", 1)), BASE_LOCAL);
	UNTIL(streams, p->end.peer_end);
	assert_int_equal(p->end.got_len, 8);
	assert_int_equal(stream_write(p->end.stream, "answer", 6), 0);
	stream_end(p->end.stream);
	UNTIL(streams, e->ended && p->end.ended);
	assert_int_equal(e->got_len, 6);
	assert_int_equal(e->cause, STREAM_DONE);
	assert_int_equal(p->end.cause, STREAM_DONE);
	free(e);
	free(p);
}

static void peers_that_never_end(void **state)
{
	static const struct stream_spec hasty = { .linger_ms = 20 };
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();

	p->end.hold_open = true;
	come(e, streams, p, hasty);
	UNTIL(streams, e->up && p->end.up);
	stream_end(e->stream);
	UNTIL(streams, e->ended);
	assert_int_equal(e->cause, STREAM_LATE);
	stream_free(p->end.stream);
	free(e);
	free(p);
}

static void released_ones_send_what_waits(void **state)
{
	static const struct stream_spec roomy = { .output_max = 64U << 20 };
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();
	static char block[1 << 20];
	size_t written = 0;

	come(e, streams, p, roomy);
	for (; written < 20U << 20; written += sizeof(block)) {
		int rc = stream_write(e->stream, block, sizeof(block));

		assert_true(!rc || base_err_class(rc) == BASE_AGAIN);
	}
	stream_release(e->stream);
	UNTIL(streams, p->end.ended);
	assert_int_equal(p->end.total, written);
	assert_int_equal(p->end.cause, STREAM_DONE);
	UNTIL(streams, !streams_conns(streams));
	assert_int_equal(e->up + e->ended + e->writable, 0);
	free(e);
	free(p);
}

static void freed_inside_its_own_callback(void **state)
{
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();

	p->end.free_on_data = true;
	come(e, streams, p, plain);
	assert_int_equal(stream_write(e->stream, "x", 1), 0);
	UNTIL(streams, e->ended);
	assert_int_equal(p->end.ended, 0);
	assert_int_equal(streams_conns(streams), 0);
	free(e);
	free(p);
}

/* The peer's last word is heard although it takes nothing any more. */
static void last_words_of_who_resets(void **state)
{
	struct streams *streams = *state;
	struct base_error err;
	struct end *e = end_new();
	struct stream_spec spec = { 0 };
	int pair[2];

	e->take = SIZE_MAX;
	spec.ops = end_ops(e);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(stream_adopt(&e->stream, streams, pair[0], &spec, &err), 0);
	assert_int_equal(write(pair[1], "413", 3), 3);
	close(pair[1]);
	assert_int_equal(stream_write(e->stream, "long request", 12), 0);
	UNTIL(streams, e->ended);
	assert_int_equal(e->got_len, 3);
	assert_int_equal(e->cause, STREAM_RESET);
	free(e);
}

/* ---- deadlines ---- */

static void deadlines(void **state)
{
	static const struct stream_spec short_idle = { .idle_ms = 30 };
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new(), *f = end_new();

	come(e, streams, p, short_idle);
	UNTIL(streams, e->ended && p->end.ended);
	assert_int_equal(e->cause, STREAM_LATE);
	come(f, streams, p, plain);
	UNTIL(streams, f->up);
	stream_deadline(f->stream, 60000, "far away");
	stream_deadline(f->stream, 20, "the message was not finished in time");
	UNTIL(streams, f->ended);
	assert_int_equal(f->cause, STREAM_LATE);
	assert_string_equal(f->text, "the message was not finished in time");
	free(e);
	free(f);
	free(p);
}

/* ---- odd peers, odd moments ---- */

/* A read stops at urgent data; what stands behind it is read all the same. */
static void urgent_data(void **state)
{
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, &p->at.sa, sizeof(p->at.in)), 0);
	assert_int_equal(send(fd, "abc", 3, 0), 3);
	assert_int_equal(send(fd, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(fd, "def", 3, 0), 3);
	UNTIL(streams, p->end.got_len == 6);
	assert_memory_equal(p->end.got, "abcdef", 6);
	close(fd);
	UNTIL(streams, p->end.ended);
	free(p);
}

static void on_later(void *arg)
{
	++*(unsigned *)arg;
}

/* Who reads nothing, however much it says, does not keep what waits for it. */
static void readers_that_have_stopped(void **state)
{
	struct streams *streams = *state;
	struct place *p = place_new(streams);
	struct end *e = end_new();
	static char block[65536];

	p->spec.stall_ms = 50;
	p->spec.output_max = 64U << 20;
	come(e, streams, p, plain);
	UNTIL(streams, p->end.up);
	stream_pause(e->stream);
	while (stream_waiting(p->end.stream) < sizeof(block))
		(void)stream_write(p->end.stream, block, sizeof(block)); /* AGAIN at last */
	while (!p->end.ended) {
		(void)stream_write(e->stream, "x", 1); /* it goes on talking */
		assert_int_equal(loop_run_once(streams_loop(streams), 10), 0);
	}
	assert_int_equal(p->end.cause, STREAM_LATE);
	assert_non_null(strstr(p->end.text, "takes nothing"));
	assert_true(p->end.total > 0);
	stream_resume(e->stream);
	UNTIL(streams, e->ended);
	free(e);
	free(p);
}

/* It is to end, and its first octets fail: no timer of it outlives it. */
static void over_in_its_first_breath(void **state)
{
	static const struct stream_spec brief = { .linger_ms = 1 };
	struct streams *streams = *state;
	struct stream_spec spec = brief;
	struct loop_timer later = { 0 };
	struct end *e = end_new();
	unsigned over = 0;

	spec.ops = end_ops(e);
	assert_int_equal(stream_adopt(&e->stream, streams,
	                              socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &spec, NULL),
	                 0);
	assert_int_equal(stream_write(e->stream, "x", 1), 0);
	stream_end(e->stream);
	UNTIL(streams, e->ended);
	assert_int_equal(e->cause, STREAM_RESET); /* it was never connected */
	loop_timer_start(streams_loop(streams), &later, 20, on_later, &over);
	UNTIL(streams, over);
	free(e);
}

/* What is written in one turn arrives as one piece, in order; and nothing is kept for ever. */
static void gathered(void **state)
{
	static char big[200000];
	struct place p = { 0 };
	struct end e = { 0 };
	static const struct stream_spec spec = { .gather = true };

	memset(big, 'b', sizeof(big));
	place_open(&p, *state, NULL);
	come(&e, *state, &p, spec);
	UNTIL(*state, e.up);
	for (int i = 0; i < 10; i++)
		assert_int_equal(stream_write(e.stream, "0123456789", 10), 0);
	assert_int_equal(stream_waiting(e.stream), 100);
	UNTIL(*state, p.end.total);
	assert_int_equal(p.end.shown, 100);
	assert_int_equal(stream_waiting(e.stream), 0);
	/* more than may wait goes as far as the socket takes it */
	assert_int_equal(stream_write(e.stream, "x", 1), 0);
	(void)stream_write(e.stream, big, sizeof(big)); /* BASE_AGAIN, perhaps */
	stream_end(e.stream);
	UNTIL(*state, p.end.ended && e.ended);
	assert_int_equal(p.end.total, 101 + sizeof(big));
	assert_int_equal(p.end.cause, STREAM_DONE);
	/* who is freed in the same turn has said it all the same */
	memset(&e, 0, sizeof(e));
	memset(&p.end, 0, sizeof(p.end));
	p.end.take = SIZE_MAX;
	come(&e, *state, &p, spec);
	UNTIL(*state, e.up && p.end.up);
	assert_int_equal(stream_write(e.stream, "last", 4), 0);
	stream_free(e.stream);
	UNTIL(*state, p.end.ended);
	assert_int_equal(p.end.total, 4);
	stream_listener_free(p.listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(gathered),
		CASE(octets_both_ways_and_an_end_in_order),
		CASE(what_is_not_taken_is_shown_again),
		CASE(back_pressure),
		CASE(more_than_may_wait_ends_it),
		CASE(half_a_connection_goes_on),
		CASE(peers_that_never_end),
		CASE(released_ones_send_what_waits),
		CASE(freed_inside_its_own_callback),
		CASE(last_words_of_who_resets),
		CASE(deadlines),
		CASE(urgent_data),
		CASE(over_in_its_first_breath),
		CASE(readers_that_have_stopped),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
