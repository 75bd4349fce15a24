/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "stage.h"

#define DEADLINE_S 20

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void stage_begin(struct stage *stage, const struct relay_pool_spec *spec)
{
	struct base_error err = { 0 };

	memset(stage, 0, sizeof(*stage));
	assert_int_equal(loop_new(&stage->control), 0);
	assert_int_equal(relay_pool_new(&stage->pool, stage->control, spec, &err), 0);
	assert_int_equal(relay_context_new(&stage->context, stage->pool), 0);
}

void stage_end(struct stage *stage)
{
	relay_pool_free(stage->pool);
	loop_free(stage->control);
}

void stage_wait(struct stage *stage, bool (*done)(void *arg), void *arg)
{
	double end = now_s() + DEADLINE_S;

	while (!done(arg)) {
		assert_int_equal(loop_run_once(stage->control, 5), 0);
		if (now_s() > end)
			fail_msg("nothing came in %d s", DEADLINE_S);
	}
}

struct expectation {
	struct record *record;
	enum relay_event_kind kind;
};

static bool has_come(void *arg)
{
	struct expectation *e = arg;

	return e->record->count[e->kind] > 0;
}

void stage_expect(struct stage *stage, struct record *record, enum relay_event_kind kind)
{
	struct expectation e = { record, kind };

	stage_wait(stage, has_come, &e);
}

static bool is_empty(void *arg)
{
	struct stage *stage = arg;
	unsigned open, limit;

	relay_pool_usage(stage->pool, &open, &limit);
	return open == 0;
}

void stage_empty(struct stage *stage)
{
	stage_wait(stage, is_empty, stage);
}

/* ---- endpoints ---- */

static void on_event(void *arg, struct relay_endpoint *endpoint, const struct relay_event *event)
{
	struct record *record = arg;

	assert_ptr_equal(endpoint, record->endpoint);
	/* After the final event there is none (relay.h). */
	assert_int_equal(record->count[RELAY_TCP_DOWN] + record->count[RELAY_TCP_FAILED], 0);
	record->count[event->kind]++;
	record->last[event->kind] = *event;
	if (record->remove_on_up && event->kind == RELAY_TCP_UP) {
		relay_endpoint_remove(endpoint);
		record->endpoint = NULL;
	}
}

static struct sockaddr_storage loopback(int port)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&ss, &in, sizeof(in));
	return ss;
}

struct relay_endpoint_spec stage_server(struct record *record)
{
	return (struct relay_endpoint_spec){
		.tcp_role = RELAY_TCP_SERVER,
		.local = loopback(0),
		.fn = on_event,
		.arg = record,
	};
}

struct relay_endpoint_spec stage_client(struct record *record, int port)
{
	return (struct relay_endpoint_spec){
		.tcp_role = RELAY_TCP_CLIENT,
		.local = loopback(0),
		.remote = loopback(port),
		.connect_now = true,
		.fn = on_event,
		.arg = record,
	};
}

void stage_add(struct stage *stage, const struct relay_endpoint_spec *spec)
{
	struct record *record = spec->arg;
	struct base_error err = { 0 };

	if (relay_endpoint_add(&record->endpoint, stage->context, spec, &err) != 0)
		fail_msg("%s", err.text);
}

int endpoint_port(const struct relay_endpoint *endpoint)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in;

	relay_endpoint_local(endpoint, &ss);
	memcpy(&in, &ss, sizeof(in));
	return ntohs(in.sin_port);
}

struct relay_stats endpoint_stats(const struct relay_endpoint *endpoint)
{
	struct relay_stats stats;

	relay_endpoint_stats(endpoint, &stats);
	return stats;
}

/* ---- peers ---- */

int peer_listen(int *ret_port)
{
	struct sockaddr_storage any = loopback(0);
	socklen_t len = sizeof(struct sockaddr_in);
	struct sockaddr_in in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, len), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*ret_port = ntohs(in.sin_port);
	return fd;
}

/* Let the control loop run while a peer's socket has nothing yet. */
static void wait_fd(struct stage *stage, int fd, short events, double end)
{
	struct pollfd p = { .fd = fd, .events = events };

	assert_int_equal(loop_run_once(stage->control, 0), 0);
	(void)poll(&p, 1, 5);
	if (now_s() > end)
		fail_msg("a peer waited %d s", DEADLINE_S);
}

int peer_accept(struct stage *stage, int listener)
{
	double end = now_s() + DEADLINE_S;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) {
		assert_int_equal(errno, EAGAIN);
		wait_fd(stage, listener, POLLIN, end);
	}
	return fd;
}

int peer_connect(struct stage *stage, int port)
{
	struct sockaddr_storage to = loopback(port);
	double end = now_s() + DEADLINE_S;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t len = sizeof(error);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in)) < 0) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		assert_int_equal(errno, EINPROGRESS);
		while (poll(&p, 1, 0) == 0)
			wait_fd(stage, fd, POLLOUT, end);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
		if (error) {
			close(fd);
			errno = error;
			return -1;
		}
	}
	return fd;
}

void peer_send(struct stage *stage, int fd, const char *text)
{
	size_t len = strlen(text);
	double end = now_s() + DEADLINE_S;

	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			wait_fd(stage, fd, POLLOUT, end);
			continue;
		}
		text += n;
		len -= (size_t)n;
	}
}

void peer_expect(struct stage *stage, int fd, const char *text)
{
	double end = now_s() + DEADLINE_S;
	size_t len = strlen(text), got = 0;
	char buf[4096];

	assert_true(len < sizeof(buf));
	while (got < len) {
		ssize_t n = recv(fd, buf + got, len - got, 0);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			wait_fd(stage, fd, POLLIN, end);
			continue;
		}
		assert_true(n > 0);
		got += (size_t)n;
	}
	buf[got] = '\0';
	assert_string_equal(buf, text);
}

int peer_end(struct stage *stage, int fd)
{
	double end = now_s() + DEADLINE_S;
	char c;

	for (;;) {
		ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EAGAIN)
			return errno;
		assert_true(n < 0);
		wait_fd(stage, fd, POLLIN, end);
	}
}

void peer_reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
}

uint8_t stream_octet(unsigned seed, size_t at)
{
	uint64_t x = (uint64_t)at * 0x9e3779b97f4a7c15U + seed;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9U;
	return (uint8_t)(x >> 56);
}

static bool give(int fd, unsigned seed, size_t *at, size_t len)
{
	uint8_t buf[65536];
	size_t n = BASE_MIN(sizeof(buf), len - *at);
	ssize_t sent;

	for (size_t i = 0; i < n; i++)
		buf[i] = stream_octet(seed, *at + i);
	sent = n ? send(fd, buf, n, MSG_NOSIGNAL) : -1;
	if (sent > 0)
		*at += (size_t)sent;
	return sent > 0;
}

static bool get(int fd, unsigned seed, size_t *at)
{
	uint8_t buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != stream_octet(seed, *at + (size_t)i))
			fail_msg("octet %zu is wrong", *at + (size_t)i);
	}
	if (n > 0)
		*at += (size_t)n;
	return n > 0;
}

void peers_exchange(struct stage *stage, int a, int b, size_t len)
{
	size_t sent[2] = { 0 }, got[2] = { 0 };
	double end = now_s() + DEADLINE_S * 5;

	while (got[0] < len || got[1] < len) {
		bool moved = give(a, 1, &sent[0], len);

		moved |= give(b, 2, &sent[1], len);
		moved |= get(b, 1, &got[0]);
		moved |= get(a, 2, &got[1]);
		if (!moved)
			wait_fd(stage, a, POLLIN, end);
	}
}

/* ---- pairs ---- */

void pair_make(struct stage *stage, struct pair *pair)
{
	struct relay_endpoint_spec spec;
	int port, listener = peer_listen(&port);

	memset(pair, 0, sizeof(*pair));
	spec = stage_server(&pair->front);
	stage_add(stage, &spec);
	spec = stage_client(&pair->back, port);
	stage_add(stage, &spec);
	assert_int_equal(relay_endpoint_link(pair->front.endpoint, pair->back.endpoint), 0);
	pair->near = peer_connect(stage, endpoint_port(pair->front.endpoint));
	assert_true(pair->near >= 0);
	pair->far = peer_accept(stage, listener);
	close(listener);
	stage_expect(stage, &pair->front, RELAY_TCP_UP);
	stage_expect(stage, &pair->back, RELAY_TCP_UP);
}

void pair_done(struct pair *pair)
{
	if (pair->near >= 0)
		close(pair->near);
	if (pair->far >= 0)
		close(pair->far);
	relay_endpoint_remove(pair->front.endpoint);
	relay_endpoint_remove(pair->back.endpoint);
	pair->front.endpoint = pair->back.endpoint = NULL;
}

int stage_setup(void **state)
{
	static struct stage stage;
	struct relay_pool_spec spec = { .workers = 2 };

	stage_begin(&stage, &spec);
	*state = &stage;
	return 0;
}

int stage_teardown(void **state)
{
	stage_end(*state);
	return 0;
}
