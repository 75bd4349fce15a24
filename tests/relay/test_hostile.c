/* SPDX-License-Identifier: Apache-2.0 */
/* Peers and orders at bad moments: what no event will ever tell must not be waited for. */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stage.h"

#define KIB ((size_t)1024)

static int begin(void **state)
{
	static struct stage stage;
	struct relay_pool_spec spec = {
		.workers = 1,
		.half_timeout_ms = 50,
		.drain_timeout_ms = 300,
		.buffer_limit = 16 * KIB * KIB,
	};

	stage_begin(&stage, &spec);
	*state = &stage;
	return 0;
}

static int end(void **state)
{
	stage_end(*state);
	return 0;
}

/* connect(2) with no address succeeds; it is no connection. */
static void test_connect_without_remote_address(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_client(&record, 9);

	memset(&spec.remote, 0, sizeof(spec.remote));
	stage_add(*state, &spec);
	stage_expect(*state, &record, RELAY_TCP_FAILED);
	assert_int_equal(record.count[RELAY_TCP_UP], 0);
	assert_int_equal(record.last[RELAY_TCP_FAILED].error, EDESTADDRREQ);
	relay_endpoint_remove(record.endpoint);
	stage_empty(*state);
}

/* A read stops at urgent data and has then not emptied the socket. */
static void test_data_behind_urgent_data(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	assert_int_equal(relay_endpoint_mode_set(pair.front.endpoint, true, false), 0);
	peer_send(*state, pair.near, "before");
	assert_int_equal(send(pair.near, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
	peer_send(*state, pair.near, "behind");
	assert_int_equal(relay_endpoint_mode_set(pair.front.endpoint, true, true), 0);
	peer_expect(*state, pair.far, "beforebehind");
	pair_done(&pair);
	stage_empty(*state);
}

/* The peer leaves while nobody has come to the partner: its end is seen, and ends in its time. */
static void test_peer_leaves_while_partner_listens(void **state)
{
	struct record front = { 0 }, back = { 0 };
	struct relay_endpoint_spec spec = stage_server(&front);
	int near;

	stage_add(*state, &spec);
	spec = stage_server(&back);
	stage_add(*state, &spec);
	assert_int_equal(relay_endpoint_link(front.endpoint, back.endpoint), 0);
	near = peer_connect(*state, endpoint_port(front.endpoint));
	peer_send(*state, near, "is anybody there");
	close(near);
	stage_expect(*state, &front, RELAY_TCP_DOWN);
	assert_int_equal(endpoint_stats(front.endpoint).octets_in, 16);
	assert_int_equal(back.count[RELAY_TCP_FAILED], 0);
	relay_endpoint_remove(front.endpoint);
	relay_endpoint_remove(back.endpoint);
	stage_empty(*state);
}

/* Send until nothing more goes in. @return octets sent */
static size_t stuff(struct stage *stage, int fd)
{
	static const uint8_t octets[65536];
	size_t sent = 0;

	for (unsigned idle = 0; idle < 20;) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t n = send(fd, octets, sizeof(octets), MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		assert_int_equal(loop_run_once(stage->control, 0), 0);
		(void)poll(&p, 1, 5);
	}
	return sent;
}

/* Feed the pair until its far peer's buffers are full, so little at a time that an end still fits.
 */
static void stall(struct stage *stage, const struct pair *pair)
{
	static const uint8_t octets[32768];
	size_t sent = 0;
	unsigned waits = 0;

	while (waits < 40) {
		assert_int_equal(send(pair->near, octets, sizeof(octets), MSG_NOSIGNAL),
		                 sizeof(octets));
		sent += sizeof(octets);
		for (waits = 0; waits < 40; waits++) {
			if (endpoint_stats(pair->front.endpoint).octets_in == sent)
				break;
			assert_int_equal(loop_run_once(stage->control, 5), 0);
		}
	}
}

/* The partner's peer reads nothing; unlinking sets the other free to see its own peer's end. */
static void test_unlink_from_a_stalled_partner(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	stall(*state, &pair);
	close(pair.near);
	pair.near = -1;
	assert_int_equal(relay_endpoint_link(pair.front.endpoint, NULL), 0);
	stage_expect(*state, &pair.front, RELAY_TCP_DOWN);
	pair_done(&pair);
	stage_empty(*state);
}

/* Released with much still to deliver: a peer that takes it slowly gets all of it, and FIN. */
static void test_slow_reader_gets_the_rest(void **state)
{
	struct stage *stage = *state;
	struct pair pair;
	static uint8_t buf[10 * KIB];
	size_t got = 0;
	ssize_t n = 1;

	pair_make(*state, &pair);
	(void)stuff(*state, pair.near);
	assert_int_equal(relay_endpoint_release(pair.back.endpoint, false), 0);
	while (n) {
		n = recv(pair.far, buf, sizeof(buf), 0);
		assert_true(n >= 0 || errno == EAGAIN);
		got += n > 0 ? (size_t)n : 0;
		assert_int_equal(loop_run_once(stage->control, 5), 0);
	}
	close(pair.far);
	pair.far = -1;
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	assert_int_equal(pair.back.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	assert_true(got == endpoint_stats(pair.back.endpoint).octets_out);
	pair_done(&pair);
	stage_empty(*state);
}

/* ---- the listener with no descriptor left ---- */

struct queue {
	struct relay_listener *listener;
	uint64_t refused;
};

static bool has_refused(void *arg)
{
	struct queue *queue = arg;
	struct relay_listener_stats stats;

	relay_listener_stats(queue->listener, &stats);
	return stats.refused == queue->refused;
}

static int connect_blocking(int fd, const struct sockaddr_in *to)
{
	return connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ? errno : 0;
}

static void limit_set(rlim_t count)
{
	struct rlimit lim;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &lim), 0);
	lim.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lim), 0);
}

/* The spare descriptor's place serves to say no; where even that is gone the queue is not
 * forgotten, and more than one turn's worth is let in when there is room again. */
static void test_listener_out_of_descriptors(void **state)
{
	struct stage *stage = *state;
	struct relay_listener_spec spec = { 0 };
	struct record unused = { 0 };
	struct queue queue = { .refused = 1 };
	struct sockaddr_storage local;
	struct sockaddr_in to;
	struct rlimit was;
	int port, backend = peer_listen(&port), near[50], lowest;

	spec.local = stage_server(&unused).local;
	spec.backend = stage_client(&unused, port).remote;
	assert_int_equal(relay_listener_new(&queue.listener, stage->pool, &spec, NULL), 0);
	relay_listener_local(queue.listener, &local);
	memcpy(&to, &local, sizeof(to));
	for (unsigned i = 0; i < BASE_COUNT(near); i++)
		near[i] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	lowest = dup(backend);
	close(lowest);

	limit_set((rlim_t)lowest);
	assert_int_equal(connect_blocking(near[0], &to), 0);
	stage_wait(stage, has_refused, &queue);
	assert_int_equal(peer_end(stage, near[0]), ECONNRESET);

	limit_set(3); /* below the spare one's number: its place is of no use */
	for (unsigned i = 1; i < BASE_COUNT(near); i++)
		assert_int_equal(connect_blocking(near[i], &to), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(loop_run_once(stage->control, 5), 0);
	limit_set(was.rlim_cur);
	for (unsigned i = 1; i < BASE_COUNT(near); i++)
		close(peer_accept(stage, backend));
	for (unsigned i = 1; i < BASE_COUNT(near); i++)
		assert_int_equal(peer_end(stage, near[i]), 0);
	for (unsigned i = 0; i < BASE_COUNT(near); i++)
		close(near[i]);
	assert_true(has_refused(&queue));
	relay_listener_free(queue.listener);
	stage_empty(stage);
	close(backend);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_connect_without_remote_address),
		TEST(test_data_behind_urgent_data),
		TEST(test_peer_leaves_while_partner_listens),
		TEST(test_unlink_from_a_stalled_partner),
		TEST(test_slow_reader_gets_the_rest),
		TEST(test_listener_out_of_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
