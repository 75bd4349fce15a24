/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over real loopback sockets, UDP and TCP. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport_side.h"

static void round_trip(struct loop *loop, enum h248_transport_kind kind, const char *ip)
{
	struct side a, b;
	struct h248_addr to;

	side_new(&a, loop, NULL);
	side_new(&b, loop, NULL);
	b.echo = true;
	if (!side_listen(&b, kind, ip) || (kind == H248_UDP && !side_listen(&a, kind, ip))) {
		h248_transport_free(a.t);
		h248_transport_free(b.t);
		print_message("no %s here\n", ip);
		skip();
	}
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "one", 3), 0);
	assert_int_equal(h248_transport_send(a.t, &to, "two", 3), 0);
	UNTIL(loop, a.count == 2);
	assert_string_equal(a.got, "one|two|");
	assert_true(h248_addr_equal(&a.from, &to));
	if (kind == H248_UDP) /* keys come in messages: none stays in the buffer */
		assert_memory_equal(a.where, "\0\0\0", 3);
	if (kind == H248_TCP) {
		assert_int_equal(h248_transport_conns(a.t), 1); /* one for both */
		assert_int_equal(a.opened, 1);
		assert_int_equal(b.opened, 1);
		h248_transport_close(a.t, &to);
		assert_int_equal(h248_transport_conns(a.t), 0);
		UNTIL(loop, b.closed == 1);
		assert_string_equal(b.reason, "closed by the peer");
		assert_int_not_equal(h248_transport_send(b.t, &b.from, "x", 1), 0);
	}
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

static void udp4(void **state)
{
	round_trip(*state, H248_UDP, "127.0.0.1");
}
static void udp6(void **state)
{
	round_trip(*state, H248_UDP, "::1");
}
static void tcp4(void **state)
{
	round_trip(*state, H248_TCP, "127.0.0.1");
}
static void tcp6(void **state)
{
	round_trip(*state, H248_TCP, "::1");
}

static void tcp_splits_at_every_byte(void **state)
{
	static const char stream[] = "\3\0\0\7abc\3\0\0\5d\3\0\0\6ef";
	size_t len = sizeof(stream) - 1;
	struct loop *loop = *state;

	for (size_t cut = 0; cut <= len; cut++) {
		struct side s;
		int fd;

		side_new(&s, loop, NULL);
		assert_true(side_listen(&s, H248_TCP, "127.0.0.1"));
		fd = raw_connect(&s);
		assert_int_equal(write(fd, stream, cut), cut);
		UNTIL(loop, s.count == (size_t)(cut >= 7) + (cut >= 12) + (cut >= 18) && s.opened);
		assert_int_equal(write(fd, stream + cut, len - cut), len - cut);
		if (cut < len)
			UNTIL(loop, s.count == 3);
		assert_string_equal(s.got, "abc|d|ef|");
		close(fd);
		UNTIL(loop, s.closed == 1);
		h248_transport_free(s.t);
	}
}

static void tcp_largest_message(void **state)
{
	struct loop *loop = *state;
	struct side a, b;
	char *big = malloc(H248_TPKT_MAX + 1);
	struct h248_addr to;

	assert_non_null(big);
	memset(big, 'x', H248_TPKT_MAX + 1);
	side_new(&a, loop, NULL);
	side_new(&b, loop, NULL);
	assert_true(side_listen(&b, H248_TCP, "127.0.0.1"));
	b.echo = true;
	to = target_of(&b);
	assert_int_not_equal(h248_transport_send(a.t, &to, big, H248_TPKT_MAX + 1), 0);
	for (int i = 0; i < 5; i++)
		assert_true(taken(h248_transport_send(a.t, &to, big, H248_TPKT_MAX)));
	UNTIL(loop, a.count == 5);
	assert_int_equal(a.total, 5 * (size_t)H248_TPKT_MAX);
	h248_transport_free(a.t);
	h248_transport_free(b.t);
	free(big);
}

static void tcp_garbage_is_closed_with_its_reason(void **state)
{
	struct loop *loop = *state;
	struct side s;
	char c;
	int fd;

	side_new(&s, loop, NULL);
	assert_true(side_listen(&s, H248_TCP, "127.0.0.1"));
	fd = raw_connect(&s);
	assert_int_equal(write(fd, "\3\0\0\5aMEGACO/1", 13), 13);
	UNTIL(loop, s.closed == 1);
	assert_string_equal(s.got, "a|"); /* what came before it counts */
	assert_string_equal(s.reason, "not a TPKT (RFC 1006): 4d 45 ...");
	assert_true(read(fd, &c, 1) <= 0);
	close(fd);

	fd = raw_connect(&s);
	assert_int_equal(write(fd, "\3\0\0\11ab", 6), 6);
	UNTIL(loop, s.opened == 2);
	close(fd);
	UNTIL(loop, s.closed == 2);
	assert_string_equal(s.reason, "closed by the peer inside a message");
	assert_int_equal(h248_transport_conns(s.t), 0);
	h248_transport_free(s.t);
}

static void tcp_unfinished_message_has_a_limit(void **state)
{
	static const struct h248_transport_config config = { .partial_ms = 1 };
	struct loop *loop = *state;
	struct side s;
	int fd;

	side_new(&s, loop, &config);
	assert_true(side_listen(&s, H248_TCP, "127.0.0.1"));
	fd = raw_connect(&s);
	UNTIL(loop, s.closed == 1);
	assert_string_equal(s.reason, "the peer did not finish a message in time");
	close(fd);
	h248_transport_free(s.t);
}

static void tcp_refused_is_told_later(void **state)
{
	struct loop *loop = *state;
	struct side a, gone;
	struct h248_addr to;

	side_new(&gone, loop, NULL);
	assert_true(side_listen(&gone, H248_TCP, "127.0.0.1"));
	to = target_of(&gone);
	h248_transport_free(gone.t);

	side_new(&a, loop, NULL);
	(void)h248_transport_send(a.t, &to, "x", 1);
	assert_int_equal(a.closed, 0); /* never inside the call */
	UNTIL(loop, a.closed == 1);
	assert_int_equal(a.opened, 0);
	assert_int_equal(h248_transport_conns(a.t), 0);
	h248_transport_free(a.t);
}

static void tcp_output_is_bounded(void **state)
{
	static const struct h248_transport_config config = { .max_output = 100000 };
	struct loop *loop = *state;
	struct side s;
	static const char data[4096] = { 0 };
	int fd, rc = 0;

	side_new(&s, loop, &config);
	assert_true(side_listen(&s, H248_TCP, "127.0.0.1"));
	fd = raw_connect(&s);
	assert_int_equal(write(fd, "\3\0\0\5a", 5), 5);
	UNTIL(loop, s.count == 1);
	for (int i = 0; i < 10000 && taken(rc); i++) /* the peer never reads */
		rc = h248_transport_send(s.t, &s.from, data, sizeof(data));
	assert_int_equal(base_err_class(rc), BASE_LOCAL);
	assert_int_equal(s.closed, 0);
	UNTIL(loop, s.closed == 1);
	assert_string_equal(s.reason, "the peer does not read what it is sent");
	close(fd);
	h248_transport_free(s.t);
}

static void tcp_slow_reader_gets_everything(void **state)
{
	static const struct h248_transport_config config = { .max_output = 32 << 20 };
	struct loop *loop = *state;
	struct side s;
	static const char data[50000] = { 0 };
	size_t want = 0, got = 0;
	char buf[65536];
	int fd, rc = 0;

	side_new(&s, loop, &config);
	assert_true(side_listen(&s, H248_TCP, "127.0.0.1"));
	fd = raw_connect(&s);
	assert_int_equal(write(fd, "\3\0\0\5a", 5), 5);
	UNTIL(loop, s.count == 1);
	/* More than the sockets take: the rest waits here and leaves when there is room. */
	for (int i = 0; i < 300; i++) {
		rc = h248_transport_send(s.t, &s.from, data, sizeof(data));
		assert_true(taken(rc));
		want += sizeof(data) + H248_TPKT_HEADER;
	}
	assert_int_equal(base_err_class(rc), BASE_AGAIN);
	assert_true(h248_transport_full(s.t, &s.from));
	assert_int_equal(s.drained, 0);
	while (got < want) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n > 0)
			got += (size_t)n;
		else
			assert_int_equal(loop_run_once(loop, 1), 0);
	}
	assert_int_equal(got, want);
	UNTIL(loop, s.drained == 1);
	assert_int_equal(h248_transport_send(s.t, &s.from, "x", 1), 0);
	close(fd);
	h248_transport_free(s.t);
}

/* Every message and every connection is counted, for its kind and for itself. */
static void counters_add_up(void **state)
{
	static const enum h248_transport_kind kinds[] = { H248_UDP, H248_TCP };
	struct loop *loop = *state;

	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		bool tcp = kinds[i] == H248_TCP;
		struct h248_transport_counters c, all, none = { 0 };
		struct h248_addr to;
		struct side a, b;

		side_new(&a, loop, NULL);
		side_new(&b, loop, NULL);
		b.echo = true;
		assert_true(side_listen(&b, kinds[i], "127.0.0.1"));
		assert_true(tcp || side_listen(&a, kinds[i], "127.0.0.1"));
		to = target_of(&b);
		assert_int_equal(h248_transport_send(a.t, &to, "one", 3), 0);
		assert_int_equal(h248_transport_send(a.t, &to, "seven", 5), 0);
		UNTIL(loop, a.count == 2);
		to.conn = 77777;
		assert_false(taken(h248_transport_send(a.t, &to, "x", 1)));
		assert_false(h248_transport_conn_counters(a.t, &to, &c));

		assert_true(h248_transport_conn_counters(a.t, &a.from, &c));
		assert_int_equal(c.messages_in, 2);
		assert_int_equal(c.messages_out, 2);
		assert_int_equal(c.octets_in, 8);
		assert_int_equal(c.octets_out, 8);
		assert_int_equal(c.connects, tcp);
		h248_transport_counters(a.t, kinds[i], &all);
		assert_int_equal(all.errors_out, 1);
		all.errors_out = 0;
		assert_memory_equal(&all, &c, sizeof(c));
		h248_transport_counters(a.t, tcp ? H248_UDP : H248_TCP, &all);
		assert_memory_equal(&all, &none, sizeof(none));

		h248_transport_close(a.t, &a.from);
		if (tcp)
			UNTIL(loop, b.closed == 1);
		h248_transport_counters(a.t, kinds[i], &all);
		assert_int_equal(all.closes, tcp);
		h248_transport_counters(b.t, kinds[i], &all);
		assert_int_equal(all.accepts, tcp);
		assert_int_equal(all.failures, tcp);
		assert_int_equal(all.octets_in, 8);
		h248_transport_free(a.t);
		h248_transport_free(b.t);
	}
}

static void tcp_closing_inside_the_callback(void **state)
{
	struct loop *loop = *state;
	struct side s;
	int fd;

	side_new(&s, loop, NULL);
	s.close_at_once = true;
	assert_true(side_listen(&s, H248_TCP, "127.0.0.1"));
	fd = raw_connect(&s);
	assert_int_equal(write(fd, "\3\0\0\5a\3\0\0\5b\3\0\0\5c", 15), 15);
	UNTIL(loop, s.count >= 1);
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_string_equal(s.got, "a|"); /* nothing after the close */
	assert_int_equal(s.closed, 0);    /* we did it ourselves */
	close(fd);
	h248_transport_free(s.t);
}

static void tcp_connections_are_limited(void **state)
{
	static const struct h248_transport_config config = { .max_conns = 2 };
	struct loop *loop = *state;
	struct h248_addr to;
	struct side s;
	int fd[3];
	char c;

	side_new(&s, loop, &config);
	assert_true(side_listen(&s, H248_TCP, "127.0.0.1"));
	for (int i = 0; i < 3; i++)
		fd[i] = raw_connect(&s);
	UNTIL(loop, s.opened == 2);
	assert_int_equal(loop_run_once(loop, 0), 0);
	assert_int_equal(read(fd[2], &c, 1), 0);
	assert_int_equal(h248_transport_conns(s.t), 2);
	/* They do not keep us from calling somebody. */
	to = target_of(&s);
	assert_int_equal(h248_transport_send(s.t, &to, "x", 1), 0);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	h248_transport_free(s.t);
}

static void listen_says_why_not(void **state)
{
	struct loop *loop = *state;
	struct side a, b;
	struct base_error err = { 0 };
	struct h248_addr same;

	side_new(&a, loop, NULL);
	side_new(&b, loop, NULL);
	assert_true(side_listen(&a, H248_UDP, "127.0.0.1"));
	same = target_of(&a);
	assert_int_equal(base_err_class(h248_transport_listen(b.t, &same, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "Address already in use"));
	assert_non_null(strstr(err.text, "udp:127.0.0.1:"));
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, side_setup, side_teardown)
	const struct CMUnitTest tests[] = {
		CASE(udp4),
		CASE(udp6),
		CASE(tcp4),
		CASE(tcp6),
		CASE(tcp_splits_at_every_byte),
		CASE(tcp_largest_message),
		CASE(tcp_garbage_is_closed_with_its_reason),
		CASE(tcp_unfinished_message_has_a_limit),
		CASE(tcp_refused_is_told_later),
		CASE(tcp_output_is_bounded),
		CASE(tcp_slow_reader_gets_everything),
		CASE(tcp_closing_inside_the_callback),
		CASE(counters_add_up),
		CASE(tcp_connections_are_limited),
		CASE(listen_says_why_not),
	};

	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
