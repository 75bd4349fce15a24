/* SPDX-License-Identifier: Apache-2.0 */
/* Where streams come from: addresses, listeners and their limits, sockets that have a path. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../pki.h"
#include "stage.h"

static const struct stream_spec plain = { 0 };

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

static void nobody_listens(void **state)
{
	struct streams *streams = *state;
	struct place *p = place_new(streams);
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
		struct place *p = place_new(streams);
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
	struct place *p = place_new(streams);
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

/* ---- paths ---- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(addresses_as_text),
		CASE(nobody_listens),
		CASE(limits_of_a_listener),
		CASE(a_listener_that_ends_when_somebody_comes),
		CASE(descriptors_are_short),
		CASE(unix_sockets),
		CASE(files_are_not_taken_for_sockets),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
