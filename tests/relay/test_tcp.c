/* SPDX-License-Identifier: Apache-2.0 */
/* TCP endpoints with real sockets on loopback: what flows, how it ends, how they go. */
#include "check.h"

#include <errno.h>
#include <unistd.h>

#include "stage.h"

#define MIB ((size_t)1024 * 1024)

static int begin_hasty(void **state)
{
	static struct stage stage;
	struct relay_pool_spec spec = {
		.workers = 1,
		.half_timeout_ms = 50,
		.drain_timeout_ms = 50,
		.buffer_limit = 65536,
	};

	stage_begin(&stage, &spec);
	*state = &stage;
	return 0;
}

static void test_relays_both_ways(void **state)
{
	struct pair pair;
	struct relay_stats stats;

	pair_make(*state, &pair);
	peers_exchange(*state, pair.near, pair.far, 8 * MIB);
	stats = endpoint_stats(pair.front.endpoint);
	assert_int_equal(stats.octets_in, 8 * MIB);
	assert_int_equal(stats.octets_out, 8 * MIB);
	assert_int_equal(stats.wire_in, 8 * MIB);
	assert_true(stats.buffered_peak <= 256 * 1024);
	pair_done(&pair);
	stage_empty(*state);
}

/* The reader stops: what we hold stays below the limit, the rest waits in the kernel's buffers. */
static void test_slow_reader_bounds_memory(void **state)
{
	struct pair pair;
	char block[65536] = { 0 };
	unsigned idle = 0;
	size_t sent = 0, got = 0;
	ssize_t n;

	pair_make(*state, &pair);
	while (idle < 20) {
		n = send(pair.near, block, sizeof(block), MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		idle = n > 0 ? 0 : idle + 1;
		loop_run_once(((struct stage *)*state)->control, 2);
	}
	assert_true(endpoint_stats(pair.back.endpoint).buffered_peak > 0);
	assert_true(endpoint_stats(pair.back.endpoint).buffered_peak <= 65536);
	while (got < sent) {
		n = recv(pair.far, block, sizeof(block), 0);
		if (n > 0)
			got += (size_t)n;
		else
			loop_run_once(((struct stage *)*state)->control, 2);
	}
	assert_int_equal(endpoint_stats(pair.back.endpoint).octets_out, sent);
	peers_exchange(*state, pair.near, pair.far, MIB);
	pair_done(&pair);
	stage_empty(*state);
}

static void test_half_close_goes_across(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	peer_send(*state, pair.near, "question");
	assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
	peer_expect(*state, pair.far, "question");
	assert_int_equal(peer_end(*state, pair.far), 0);
	peer_send(*state, pair.far, "answer");
	peer_expect(*state, pair.near, "answer");
	assert_int_equal(pair.front.count[RELAY_TCP_DOWN], 0);
	assert_int_equal(shutdown(pair.far, SHUT_WR), 0);
	assert_int_equal(peer_end(*state, pair.near), 0);
	stage_expect(*state, &pair.front, RELAY_TCP_DOWN);
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	assert_int_equal(pair.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(pair.back.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PARTNER);
	pair_done(&pair);
}

static void test_half_close_from_the_far_side(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	assert_int_equal(shutdown(pair.far, SHUT_WR), 0);
	assert_int_equal(peer_end(*state, pair.near), 0);
	peer_send(*state, pair.near, "still here");
	peer_expect(*state, pair.far, "still here");
	close(pair.near);
	pair.near = -1;
	assert_int_equal(peer_end(*state, pair.far), 0);
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	stage_expect(*state, &pair.front, RELAY_TCP_DOWN);
	assert_int_equal(pair.back.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(pair.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PARTNER);
	pair_done(&pair);
}

static void test_reset_goes_across(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	peer_send(*state, pair.near, "x");
	peer_expect(*state, pair.far, "x");
	peer_reset(pair.near);
	pair.near = -1;
	assert_int_equal(peer_end(*state, pair.far), ECONNRESET);
	stage_expect(*state, &pair.front, RELAY_TCP_DOWN);
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	assert_int_equal(pair.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_RESET);
	assert_int_equal(pair.front.last[RELAY_TCP_DOWN].error, ECONNRESET);
	assert_int_equal(pair.back.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PARTNER);
	pair_done(&pair);
}

static void test_unlink_holds_and_relink_goes_on(void **state)
{
	struct pair pair;
	struct record other = { 0 };
	struct relay_endpoint_spec spec;
	int port, listener = peer_listen(&port), fd;

	pair_make(*state, &pair);
	peer_send(*state, pair.near, "one");
	peer_expect(*state, pair.far, "one");
	assert_int_equal(relay_endpoint_link(pair.front.endpoint, NULL), 0);
	spec = stage_client(&other, port);
	stage_add(*state, &spec);
	stage_expect(*state, &other, RELAY_TCP_UP); /* so the unlink has been carried out, too */
	peer_send(*state, pair.near, "two");
	fd = peer_accept(*state, listener);
	assert_int_equal(relay_endpoint_link(pair.front.endpoint, other.endpoint), 0);
	peer_expect(*state, fd, "two");
	peer_send(*state, fd, "back");
	peer_expect(*state, pair.near, "back");
	/* The former partner lives on and hears nothing. */
	assert_int_equal(pair.back.count[RELAY_TCP_DOWN], 0);
	assert_int_equal(recv(pair.far, &port, 1, 0), -1);
	close(fd);
	close(listener);
	relay_endpoint_remove(other.endpoint);
	pair_done(&pair);
}

/* Without a partner nothing is read, yet the peer's leaving is told. */
static void test_end_is_seen_without_partner(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);
	int fd;

	stage_add(*state, &spec);
	fd = peer_connect(*state, endpoint_port(record.endpoint));
	stage_expect(*state, &record, RELAY_TCP_UP);
	close(fd);
	stage_expect(*state, &record, RELAY_TCP_DOWN);
	assert_int_equal(record.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	relay_endpoint_remove(record.endpoint);
}

static void test_last_words_wait_for_a_partner(void **state)
{
	struct record front = { 0 }, back = { 0 };
	struct relay_endpoint_spec spec = stage_server(&front);
	int port, listener = peer_listen(&port), near, far;

	stage_add(*state, &spec);
	near = peer_connect(*state, endpoint_port(front.endpoint));
	stage_expect(*state, &front, RELAY_TCP_UP);
	peer_send(*state, near, "last words");
	assert_int_equal(shutdown(near, SHUT_WR), 0);
	spec = stage_client(&back, port);
	stage_add(*state, &spec);
	stage_expect(*state, &back, RELAY_TCP_UP);
	assert_int_equal(relay_endpoint_link(front.endpoint, back.endpoint), 0);
	far = peer_accept(*state, listener);
	peer_expect(*state, far, "last words");
	assert_int_equal(peer_end(*state, far), 0);
	close(near);
	close(far);
	close(listener);
	relay_endpoint_remove(front.endpoint);
	relay_endpoint_remove(back.endpoint);
}

/* LocalControl Mode as seen from the context. */
static void test_mode_gates_the_flow(void **state)
{
	struct pair pair;
	char c;

	pair_make(*state, &pair);
	/* SendOnly at the front: from the far peer to the near one, not back. */
	assert_int_equal(relay_endpoint_mode_set(pair.front.endpoint, true, false), 0);
	peer_send(*state, pair.far, "down");
	peer_expect(*state, pair.near, "down");
	peer_send(*state, pair.near, "up");
	peer_send(*state, pair.far, "more");
	peer_expect(*state, pair.near, "more");
	assert_int_equal(recv(pair.far, &c, 1, 0), -1);
	/* ReceiveOnly: the other way round; what waited comes now. */
	assert_int_equal(relay_endpoint_mode_set(pair.front.endpoint, false, true), 0);
	peer_expect(*state, pair.far, "up");
	peer_send(*state, pair.far, "held");
	peer_send(*state, pair.near, "on");
	peer_expect(*state, pair.far, "on");
	assert_int_equal(recv(pair.near, &c, 1, 0), -1);
	/* Inactive at the back is a gate as well. */
	assert_int_equal(relay_endpoint_mode_set(pair.back.endpoint, false, false), 0);
	assert_int_equal(relay_endpoint_mode_set(pair.front.endpoint, true, true), 0);
	assert_int_equal(relay_endpoint_mode_set(pair.back.endpoint, true, true), 0);
	peer_expect(*state, pair.near, "held");
	peer_send(*state, pair.near, "bye");
	peer_expect(*state, pair.far, "bye");
	pair_done(&pair);
}

static void test_release_ends_both_in_order(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	assert_int_equal(relay_endpoint_release(pair.front.endpoint, false), 0);
	assert_int_equal(peer_end(*state, pair.near), 0);
	assert_int_equal(peer_end(*state, pair.far), 0);
	close(pair.near);
	close(pair.far);
	pair.near = pair.far = -1;
	stage_expect(*state, &pair.front, RELAY_TCP_DOWN);
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	assert_int_equal(pair.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	assert_int_equal(pair.back.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PARTNER);
	pair_done(&pair);
	stage_empty(*state);
}

static void test_abort_resets_both(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	assert_int_equal(relay_endpoint_release(pair.back.endpoint, true), 0);
	assert_int_equal(peer_end(*state, pair.far), ECONNRESET);
	assert_int_equal(peer_end(*state, pair.near), ECONNRESET);
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	pair_done(&pair);
}

static void test_half_closed_without_traffic_ends(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
	stage_expect(*state, &pair.front, RELAY_TCP_DOWN);
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	assert_true(pair.front.last[RELAY_TCP_DOWN].cause == RELAY_CAUSE_TIMEOUT ||
	            pair.back.last[RELAY_TCP_DOWN].cause == RELAY_CAUSE_TIMEOUT);
	pair_done(&pair);
}

/* A peer that never closes its side cannot hold an endpoint that was released. */
static void test_drain_has_an_end(void **state)
{
	struct pair pair;

	pair_make(*state, &pair);
	assert_int_equal(relay_endpoint_release(pair.front.endpoint, false), 0);
	stage_expect(*state, &pair.front, RELAY_TCP_DOWN);
	stage_expect(*state, &pair.back, RELAY_TCP_DOWN);
	assert_int_equal(pair.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	pair_done(&pair);
}

/* ---- removing ---- */

static void test_remove_in_every_state(void **state)
{
	struct stage *stage = *state;
	struct record record[8] = { 0 };
	struct relay_endpoint_spec spec;
	struct pair pair;
	int port, listener = peer_listen(&port), fd;

	spec = stage_server(&record[0]); /* listening */
	stage_add(stage, &spec);
	relay_endpoint_remove(record[0].endpoint);

	spec = stage_client(&record[1], port); /* idle */
	spec.connect_now = false;
	stage_add(stage, &spec);
	relay_endpoint_remove(record[1].endpoint);

	spec = stage_client(&record[2], port); /* connecting, or just open */
	stage_add(stage, &spec);
	relay_endpoint_remove(record[2].endpoint);

	pair_make(stage, &pair); /* open, both */
	pair_done(&pair);

	pair_make(stage, &pair); /* half closed */
	assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
	assert_int_equal(peer_end(stage, pair.far), 0);
	pair_done(&pair);

	pair_make(stage, &pair); /* draining */
	assert_int_equal(relay_endpoint_release(pair.front.endpoint, false), 0);
	assert_int_equal(peer_end(stage, pair.near), 0);
	pair_done(&pair);

	pair_make(stage, &pair); /* gone */
	peer_reset(pair.near);
	pair.near = -1;
	stage_expect(stage, &pair.front, RELAY_TCP_DOWN);
	stage_expect(stage, &pair.back, RELAY_TCP_DOWN);
	pair_done(&pair);

	record[3].remove_on_up = true; /* in its own callback */
	spec = stage_server(&record[3]);
	stage_add(stage, &spec);
	fd = peer_connect(stage, endpoint_port(record[3].endpoint));
	stage_expect(stage, &record[3], RELAY_TCP_UP);
	assert_int_equal(peer_end(stage, fd), 0);
	close(fd);

	stage_empty(stage);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
		        record[i].count[RELAY_TCP_DOWN] + record[i].count[RELAY_TCP_FAILED], 0);
	close(listener);
}

static void test_pool_ends_with_all_open(void **state)
{
	struct pair pair;
	struct record listening = { 0 };
	struct relay_endpoint_spec spec = stage_server(&listening);

	pair_make(*state, &pair);
	stage_add(*state, &spec);
	relay_pool_free(((struct stage *)*state)->pool);
	((struct stage *)*state)->pool = NULL;
	assert_int_equal(peer_end(*state, pair.near), ECONNRESET);
	assert_int_equal(peer_end(*state, pair.far), ECONNRESET);
	assert_int_equal(pair.front.count[RELAY_TCP_DOWN], 0);
	close(pair.near);
	close(pair.far);
}

static void test_churn(void **state)
{
	struct stage *stage = *state;
	enum { ROUNDS = 25, WIDTH = 10 };

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct relay_context *context;
		struct pair pair[WIDTH];

		assert_int_equal(relay_context_new(&context, stage->pool), 0);
		relay_context_free(stage->context);
		stage->context = context;
		for (unsigned i = 0; i < WIDTH; i++) {
			pair_make(stage, &pair[i]);
			peer_send(stage, pair[i].near, "ping");
		}
		for (unsigned i = 0; i < WIDTH; i++) {
			peer_expect(stage, pair[i].far, "ping");
			if (i % 3 == 0)
				relay_endpoint_release(pair[i].back.endpoint, i % 2);
			pair_done(&pair[i]);
		}
	}
	stage_empty(stage);
}

int main(void)
{
#define TEST(fn)  cmocka_unit_test_setup_teardown(fn, stage_setup, stage_teardown)
#define HASTY(fn) cmocka_unit_test_setup_teardown(fn, begin_hasty, stage_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_relays_both_ways),
		HASTY(test_slow_reader_bounds_memory),
		TEST(test_half_close_goes_across),
		TEST(test_half_close_from_the_far_side),
		TEST(test_reset_goes_across),
		TEST(test_unlink_holds_and_relink_goes_on),
		TEST(test_end_is_seen_without_partner),
		TEST(test_last_words_wait_for_a_partner),
		TEST(test_mode_gates_the_flow),
		TEST(test_release_ends_both_in_order),
		TEST(test_abort_resets_both),
		HASTY(test_half_closed_without_traffic_ends),
		HASTY(test_drain_has_an_end),
		TEST(test_remove_in_every_state),
		TEST(test_pool_ends_with_all_open),
		TEST(test_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
