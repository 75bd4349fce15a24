/* SPDX-License-Identifier: Apache-2.0 */
/* Streams without TLS: addresses, octets, back-pressure, deadlines, ends, limits. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../pki.h"
#include "stage.h"

static const struct stream_spec plain = { 0 };

static struct place *place(struct streams *streams)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	place_open(p, streams, NULL);
	return p;
}

static struct end *end_new(void)
{
	struct end *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	return e;
}

/* ---- addresses ---- */

static void addresses_as_text(void **state)
{
	static const char *const good_ones[] = { "192.0.2.1:5060", "[2001:db8::1]:5061",
		                                 "unix:/run/x", "[::]:0" };
	static const char *const bad[] = { "",
		                           "192.0.2.1",
		                           "192.0.2.1:",
		                           "1.2.3:5",
		                           "192.0.2.1:65536",
		                           "2001:db8::1:5060",
		                           "unix:",
		                           "[::1]5060",
		                           "host:1",
		                           "192.0.2.1:-1" };
	union stream_addr a, b;
	char text[STREAM_ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(good_ones); i++) {
		assert_int_equal(stream_addr_parse(&a, base_str_of(good_ones[i]), NULL), 0);
		assert_string_equal(stream_addr_format(&a, text, sizeof(text)), good_ones[i]);
		assert_int_equal(stream_addr_parse(&b, base_str_of(good_ones[i]), NULL), 0);
		assert_true(stream_addr_equal(&a, &b));
	}
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_not_equal(stream_addr_parse(&a, base_str_of(bad[i]), NULL), 0);
	assert_int_equal(stream_addr_ip(&a, BASE_STR("[::1]"), 7), 0);
	assert_int_equal(stream_addr_ip(&b, BASE_STR("::1"), 7), 0);
	assert_true(stream_addr_equal(&a, &b));
	assert_int_equal(stream_addr_port(&a), 7);
	assert_string_equal(stream_addr_host(&a, text, sizeof(text)), "::1");
	memset(&a, 0, sizeof(a));
	assert_string_equal(stream_addr_format(&a, text, sizeof(text)), "-");
}

/* ---- octets ---- */

static void octets_both_ways_and_an_end_in_order(void **state)
{
	struct streams *streams = *state;
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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

static void nobody_listens(void **state)
{
	struct streams *streams = *state;
	struct place *p = place(streams);
	struct end *e = end_new();

	stream_listener_free(p->listener);
	come(e, streams, p, plain);
	assert_int_equal(stream_write(e->stream, "x", 1), 0);
	UNTIL(streams, e->ended);
	assert_int_equal(e->cause, STREAM_REFUSED);
	assert_false(e->was_up);
	assert_int_equal(e->up, 0);
	assert_int_equal(streams_count(streams)->failed, 1);
	free(e);
	free(p);
}

/* ---- deadlines ---- */

static void deadlines(void **state)
{
	static const struct stream_spec short_idle = { .idle_ms = 30 };
	struct streams *streams = *state;
	struct place *p = place(streams);
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

/* ---- limits ---- */

static void limits_of(struct streams *streams, const struct stream_listen_spec *two)
{
	struct place *p = calloc(1, sizeof(*p));
	unsigned before = (unsigned)streams_count(streams)->turned_away;
	struct end *ends[3];

	assert_non_null(p);
	place_open(p, streams, two);
	p->end.hold_open = true;
	for (size_t i = 0; i < 2; i++) {
		ends[i] = end_new();
		come(ends[i], streams, p, plain);
		UNTIL(streams, p->came == i + 1);
	}
	ends[2] = end_new();
	come(ends[2], streams, p, plain);
	UNTIL(streams, ends[2]->ended);
	assert_int_equal(p->came, 2);
	assert_int_equal(streams_count(streams)->turned_away, before + 1);
	/* one who leaves makes room */
	stream_free(p->end.stream);
	UNTIL(streams, ends[0]->ended || ends[1]->ended);
	come(ends[2], streams, p, plain);
	UNTIL(streams, p->came == 3);
	/* and who is not wanted goes */
	p->closed = true;
	stream_free(p->end.stream);
	ends[2]->ended = 0;
	UNTIL(streams, ends[2]->ended);
	ends[2]->ended = 0;
	come(ends[2], streams, p, plain);
	UNTIL(streams, ends[2]->ended);
	assert_int_equal(streams_count(streams)->turned_away, before + 2);
	stream_listener_free(p->listener);
	for (size_t i = 0; i < 3; i++)
		if (ends[i]->stream)
			stream_free(ends[i]->stream);
	assert_int_equal(loop_run_once(streams_loop(streams), 0), 0);
	for (size_t i = 0; i < 3; i++)
		free(ends[i]);
	free(p);
}

static void limits_of_a_listener(void **state)
{
	static const struct stream_listen_spec source = { .source_max = 2 },
	                                       all = { .conns_max = 2 };

	limits_of(*state, &source);
	limits_of(*state, &all);
}

/* Those who wait behind him find nobody; he is let in, or is not. */
static void a_listener_that_ends_when_somebody_comes(void **state)
{
	struct streams *streams = *state;

	for (int wanted = 0; wanted < 2; wanted++) {
		struct place *p = place(streams);
		struct end *ends[3];

		p->leave = true;
		p->closed = !wanted;
		for (size_t i = 0; i < 3; i++) {
			ends[i] = end_new();
			come(ends[i], streams, p, plain);
		}
		if (wanted)
			UNTIL(streams, p->end.up);
		UNTIL(streams, ends[0]->ended + ends[1]->ended + ends[2]->ended == 3U - wanted);
		assert_int_equal(p->came, wanted);
		if (wanted)
			stream_free(p->end.stream);
		UNTIL(streams, !streams_conns(streams));
		for (size_t i = 0; i < 3; i++)
			free(ends[i]);
		free(p);
	}
}

/* Who comes when descriptors are short waits, and is let in when there are some. */
static void descriptors_are_short(void **state)
{
	struct streams *streams = *state;
	struct place *p = place(streams);
	struct end *e = end_new();
	struct rlimit limit, none;
	int fd;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	come(e, streams, p, plain);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); /* the next that is free */
	none = limit;
	none.rlim_cur = (rlim_t)fd;
	close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	UNTIL(streams, e->up);
	assert_int_equal(loop_run_once(streams_loop(streams), 0), 0);
	assert_int_equal(p->came, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	UNTIL(streams, p->end.up);
	stream_free(e->stream);
	UNTIL(streams, p->end.ended);
	free(e);
	free(p);
}

/* A read stops at urgent data; what stands behind it is read all the same. */
static void urgent_data(void **state)
{
	struct streams *streams = *state;
	struct place *p = place(streams);
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
	struct place *p = place(streams);
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

/* A path is private, and one that was left behind is in nobody's way. */
static void unix_sockets(void **state)
{
	struct streams *streams = *state;
	struct place *p = calloc(1, sizeof(*p));
	struct end *e = end_new();
	char path[160], *dir = pki_dir_new();
	int fd;

	assert_non_null(p);
	snprintf(path, sizeof(path), "unix:%s/socket", dir);
	assert_int_equal(stream_addr_parse(&p->at, base_str_of(path), NULL), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, &p->at.sa, sizeof(p->at.un)), 0);
	close(fd); /* as kill -9 leaves it */
	place_open(p, streams, NULL);
	p->end.echo = true;
	come(e, streams, p, plain);
	assert_int_equal(stream_write(e->stream, "hello", 5), 0);
	UNTIL(streams, e->got_len == 5);
	stream_free(e->stream);
	UNTIL(streams, p->end.ended);
	stream_listener_free(p->listener);
	assert_int_not_equal(access(path + 5, F_OK), 0);
	pki_dir_remove(dir);
	free(e);
	free(p);
}

/* What is no socket is nobody's leftover. */
static void files_are_not_taken_for_sockets(void **state)
{
	const struct stream_listen_spec spec = { 0 };
	struct stream_listener *listener = NULL;
	char path[160], *dir = pki_dir_new();
	union stream_addr at;
	FILE *file;

	snprintf(path, sizeof(path), "unix:%s/precious", dir);
	file = fopen(path + 5, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(stream_addr_parse(&at, base_str_of(path), NULL), 0);
	assert_int_equal(base_err_class(stream_listen(&listener, *state, &at, &spec, NULL)),
	                 BASE_CONFIG);
	assert_int_equal(access(path + 5, F_OK), 0);
	pki_dir_remove(dir);
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
		CASE(addresses_as_text),
		CASE(octets_both_ways_and_an_end_in_order),
		CASE(what_is_not_taken_is_shown_again),
		CASE(back_pressure),
		CASE(more_than_may_wait_ends_it),
		CASE(half_a_connection_goes_on),
		CASE(peers_that_never_end),
		CASE(released_ones_send_what_waits),
		CASE(freed_inside_its_own_callback),
		CASE(last_words_of_who_resets),
		CASE(nobody_listens),
		CASE(deadlines),
		CASE(limits_of_a_listener),
		CASE(a_listener_that_ends_when_somebody_comes),
		CASE(descriptors_are_short),
		CASE(urgent_data),
		CASE(unix_sockets),
		CASE(files_are_not_taken_for_sockets),
		CASE(over_in_its_first_breath),
		CASE(readers_that_have_stopped),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
