/* SPDX-License-Identifier: Apache-2.0 */
/* TPKT by itself, and messages over real loopback sockets, UDP and TCP. */
#include "check.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "h248/transport.h"

/* ---- TPKT, pure ---- */

static void tpkt_every_split(void **state)
{
	static const char stream[] = "\3\0\0\7abc\3\377\0\4\3\0\0\6xy";
	static const struct base_str want[] = { { "abc", 3 }, { "", 0 }, { "xy", 2 } };
	size_t len = sizeof(stream) - 1;

	(void)state;
	for (size_t have = 0; have <= len; have++) {
		size_t at = 0, n = 0, used = 0;
		struct base_str message;
		int rc;

		while ((rc = h248_tpkt_next((struct base_str){ stream + at, have - at }, &message,
		                            &used)) == 0) {
			assert_true(n < BASE_COUNT(want));
			assert_true(base_str_eq(message, want[n]));
			at += used;
			n++;
		}
		assert_int_equal(base_err_class(rc), BASE_AGAIN);
		assert_int_equal(n, (have >= 7) + (have >= 11) + (have >= 17));
	}
}

static void tpkt_bad(void **state)
{
	static const struct base_str bad[] = { { "\2", 1 },
		                               { "\0\0\0\7abc", 7 },
		                               { "M", 1 },
		                               { "\3\0\0\3", 4 },
		                               { "\3\0\0\0\0", 5 } };
	uint8_t header[H248_TPKT_HEADER];
	struct base_str message;
	size_t used;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_equal(base_err_class(h248_tpkt_next(bad[i], &message, &used)),
		                 BASE_PEER);
	h248_tpkt_header(H248_TPKT_MAX, header);
	assert_memory_equal(header, "\3\0\377\377", 4);
}

/* ---- a side ---- */

struct side {
	struct loop *loop;
	struct h248_transport *t;
	struct h248_addr local;
	bool echo, close_at_once;
	struct h248_addr from; /* of the last message */
	char got[1024];        /* all messages, each with a '|' behind */
	size_t count, got_len, total;
	unsigned opened, closed, drained;
	const char *where; /* the last message was */
	char reason[128];
};

static void on_message(void *arg, const struct h248_addr *from, const void *data, size_t len)
{
	struct side *s = arg;

	s->from = *from;
	s->where = data;
	s->count++;
	s->total += len;
	if (s->got_len + len + 2 < sizeof(s->got)) {
		memcpy(s->got + s->got_len, data, len);
		s->got_len += len;
		s->got[s->got_len++] = '|';
	}
	if (s->echo)
		assert_int_equal(h248_transport_send(s->t, from, data, len), 0);
	if (s->close_at_once)
		h248_transport_close(s->t, from);
}

static void on_connected(void *arg, const struct h248_addr *conn)
{
	(void)conn;
	((struct side *)arg)->opened++;
}

static void on_closed(void *arg, const struct h248_addr *conn, const char *reason)
{
	struct side *s = arg;

	(void)conn;
	s->closed++;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static void on_drained(void *arg, const struct h248_addr *conn)
{
	struct side *s = arg;

	assert_false(h248_transport_full(s->t, conn));
	s->drained++;
}

static void side_new(struct side *s, struct loop *loop, const struct h248_transport_config *config)
{
	static const struct h248_transport_config none = { 0 };
	struct h248_transport_ops ops = { on_message, on_connected, on_closed, on_drained, s };

	*s = (struct side){ .loop = loop };
	assert_int_equal(h248_transport_new(&s->t, loop, config ? config : &none, &ops), 0);
}

/* False when this machine has no such address family. */
static bool side_listen(struct side *s, enum h248_transport_kind kind, const char *ip)
{
	struct base_error err = { 0 };

	assert_int_equal(h248_addr_parse(kind, base_str_of(ip), 0, &s->local), 0);
	if (h248_transport_listen(s->t, &s->local, &err) != 0) {
		print_message("%s\n", err.text);
		return false;
	}
	assert_int_not_equal(s->local.port, 0);
	return true;
}

#define UNTIL(loop, condition)                                                                     \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(loop, 5000), 0);                            \
	} while (0)

static int setup(void **state)
{
	return loop_new((struct loop **)state);
}

static int teardown(void **state)
{
	loop_free(*state);
	return 0;
}

static bool taken(int rc)
{
	return rc == 0 || base_err_class(rc) == BASE_AGAIN;
}

/* A peer that is only a socket. */
static int raw_connect(const struct side *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(s->local.port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(fd, errno);
	assert_return_code(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), errno);
	return fd;
}

static struct h248_addr target_of(const struct side *s)
{
	struct h248_addr to = s->local;

	to.conn = 0;
	return to;
}

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

/* A key may travel inside TLS, or within this machine. */
static void addresses_that_protect(void **state)
{
	static const struct {
		enum h248_transport_kind kind;
		const char *text;
		bool loopback, protects;
	} row[] = {
		{ H248_UDP, "127.0.0.1", true, true },
		{ H248_TCP, "127.255.0.9:1", true, true },
		{ H248_SCTP, "[::1]:2944", true, true },
		{ H248_UDP, "::ffff:127.0.0.1", true, true },
		{ H248_UDP, "::ffff:192.0.2.1", false, false },
		{ H248_TCP, "192.0.2.127", false, false },
		{ H248_UDP, "128.0.0.1", false, false },
		{ H248_SCTP, "7f00::1", false, false },
		{ H248_TCP, "::", false, false },
		{ H248_TLS, "192.0.2.1", false, true },
		{ H248_TLS, "[2001:db8::1]:1", false, true },
	};
	struct h248_addr a;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		assert_int_equal(h248_addr_parse(row[i].kind, base_str_of(row[i].text), 1, &a), 0);
		assert_int_equal(h248_addr_loopback(&a), row[i].loopback);
		assert_int_equal(h248_addr_protected(&a), row[i].protects);
		assert_int_equal(h248_transport_find(base_str_of(h248_transport_name(a.transport))),
		                 a.transport);
	}
	assert_int_equal(h248_transport_find(BASE_STR("tcp6")), 0);
	assert_int_equal(h248_transport_find(BASE_STR("")), 0);
	assert_string_equal(h248_transport_name(0), "?");
	assert_string_equal(h248_transport_name(250), "?");
}

/* ---- a filter: the first octet opens it, all others are one too high ---- */

struct thin {
	bool up;
};

static struct {
	bool leaks, refuses;
	unsigned freed;
	char why[128];
} thin_test;

static int thin_open(void *arg, const struct h248_addr *remote, bool server, void **ret,
                     struct base_error *err)
{
	struct thin *f = calloc(1, sizeof(*f));

	(void)arg;
	(void)server;
	assert_int_equal(remote->transport, H248_TLS);
	if (thin_test.refuses) {
		free(f);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no room");
	}
	*ret = f;
	return 0;
}

static int thin_input(void *filter, const void *data, size_t len, struct base_writer *clear,
                      struct base_writer *wire, struct base_error *err)
{
	struct thin *f = filter;
	const uint8_t *at = data;
	size_t i = 0;

	if (!len) /* a client begins */
		base_writer_u8(wire, '!');
	if (thin_test.leaks)
		base_writer_put(clear, "\3\0\0\6no", 6);
	if (!f->up && (!len || at[0] != '!'))
		return len ? base_error_set(err, BASE_ERR(BASE_PEER, 0), "not thin")
		           : BASE_ERR(BASE_AGAIN, 0);
	if (!f->up) {
		i = 1;
		if (thin_test.leaks)
			return BASE_ERR(BASE_AGAIN, 0);
		f->up = true;
		base_writer_u8(wire, '!');
	}
	for (; i < len; i++)
		if (at[i] != '!')
			base_writer_u8(clear, (uint8_t)(at[i] - 1));
	return 0;
}

static int thin_output(void *filter, const void *data, size_t len, struct base_writer *wire,
                       struct base_error *err)
{
	(void)err;
	assert_true(((struct thin *)filter)->up);
	for (size_t i = 0; i < len; i++)
		base_writer_u8(wire, (uint8_t)(((const uint8_t *)data)[i] + 1));
	return 0;
}

static void thin_close(void *filter, struct base_writer *wire)
{
	(void)filter;
	(void)wire;
}

static void thin_free(void *filter, const char *why)
{
	thin_test.freed++;
	snprintf(thin_test.why, sizeof(thin_test.why), "%s", why);
	free(filter);
}

static const struct h248_filter_ops thin_ops = { thin_open, thin_input, thin_output, thin_close,
	                                         thin_free };
static const struct h248_transport_config thin_config = { .filter = &thin_ops };

static void filter_stands_before_the_frames(void **state)
{
	struct loop *loop = *state;
	struct h248_addr to;
	struct side a, b;
	int fd;

	memset(&thin_test, 0, sizeof(thin_test));
	side_new(&b, loop, &thin_config);
	assert_true(side_listen(&b, H248_TLS, "127.0.0.1"));
	side_new(&a, loop, &thin_config);
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "abc", 3), 0);
	UNTIL(loop, b.count == 1);
	assert_string_equal(b.got, "abc|");
	h248_transport_close(a.t, &a.from);
	h248_transport_free(a.t);
	UNTIL(loop, b.closed == 1 && thin_test.freed == 2);

	fd = raw_connect(&b); /* in clear: it never was there */
	assert_int_equal(write(fd, "\3\0\0\5a", 5), 5);
	UNTIL(loop, thin_test.freed == 3);
	assert_string_equal(thin_test.why, "not thin");
	close(fd);

	thin_test.leaks = true; /* what a filter hands out before its time is thrown away */
	fd = raw_connect(&b);
	assert_int_equal(write(fd, "!\3\0\0\5a", 6), 6);
	close(fd);
	UNTIL(loop, thin_test.freed == 4);
	assert_string_equal(thin_test.why, "closed by the peer in the handshake");
	thin_test.leaks = false;
	thin_test.refuses = true;
	fd = raw_connect(&b);
	UNTIL(loop, h248_transport_conns(b.t) == 0);
	close(fd);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.opened, 1);
	assert_int_equal(b.closed, 1);
	h248_transport_free(b.t);

	side_new(&b, loop, NULL); /* without a filter there is no such transport */
	assert_int_equal(h248_addr_parse(H248_TLS, BASE_STR("127.0.0.1"), 0, &to), 0);
	assert_int_equal(base_err_class(h248_transport_listen(b.t, &to, NULL)), BASE_CONFIG);
	assert_false(taken(h248_transport_send(b.t, &to, "x", 1)));
	h248_transport_free(b.t);
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

/* ---- addresses ---- */

static void addr_forms(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "192.0.2.1", "udp:192.0.2.1:2944" },
		{ "192.0.2.1:5", "udp:192.0.2.1:5" },
		{ "2001:db8::1", "udp:[2001:db8::1]:2944" },
		{ "[2001:db8::1]", "udp:[2001:db8::1]:2944" },
		{ "[2001:db8::1]:7", "udp:[2001:db8::1]:7" },
	};
	static const char *const bad[] = {
		"",       "host",   "192.0.2.1:",  "192.0.2.1:65536", "[::1",
		"[::1]x", "[::1]:", "192.0.2.1:x", "1.2.3.4%lo",      "::1%no-such-interface"
	};
	char text[H248_ADDR_TEXT];
	struct h248_addr a, b;
	struct h248_mid mid;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(good); i++) {
		assert_int_equal(h248_addr_parse(H248_UDP, base_str_of(good[i].in), 2944, &a), 0);
		assert_string_equal(h248_addr_format(&a, text), good[i].out);
		mid = h248_addr_mid(&a);
		assert_int_equal(h248_addr_of_mid(&mid, &a, &b), 0);
		assert_true(h248_addr_equal(&a, &b));
	}
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_not_equal(h248_addr_parse(H248_UDP, base_str_of(bad[i]), 2944, &a), 0);

	mid = (struct h248_mid){ .kind = H248_MID_PORT, .port = 55944 };
	assert_int_equal(h248_addr_of_mid(&mid, &a, &b), 0);
	assert_string_equal(h248_addr_format(&b, text), "udp:[2001:db8::1]:55944");
	mid = (struct h248_mid){ .kind = H248_MID_DOMAIN, .name = BASE_STR("mgc.example.net") };
	assert_int_not_equal(h248_addr_of_mid(&mid, &a, &b), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tpkt_every_split),
		cmocka_unit_test(tpkt_bad),
		cmocka_unit_test(addr_forms),
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
		CASE(filter_stands_before_the_frames),
		CASE(addresses_that_protect),
		CASE(tcp_connections_are_limited),
		CASE(listen_says_why_not),
	};

	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
