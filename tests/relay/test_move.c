/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints that go to another worker (H.248 Move), with real sockets on loopback. */
#include "check.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "scene.h"

/* A context on the worker that the stage's is not on. */
static struct relay_context *far_context(struct stage *stage, const struct relay_endpoint *near)
{
	struct relay_context *context = NULL;

	assert_int_equal(relay_context_new(&context, stage->pool), 0);
	assert_int_equal(relay_endpoint_reach(near, context), RELAY_FAR);
	return context;
}

struct arrival {
	struct relay_endpoint *endpoint;
	struct relay_context *elsewhere;
};

static bool has_arrived(void *arg)
{
	struct arrival *a = arg;

	return relay_endpoint_reach(a->endpoint, a->elsewhere) != RELAY_BUSY;
}

static void arrives(struct stage *stage, struct relay_endpoint *endpoint,
                    struct relay_context *elsewhere)
{
	struct arrival a = { endpoint, elsewhere };

	stage_wait(stage, has_arrived, &a);
}

static void begin(struct stage *stage)
{
	struct relay_pool_spec spec = { .workers = 2 };

	stage_begin(stage, &spec);
}

static void one_that_listens_is_called_upon_there(void **state)
{
	struct stage stage;
	struct record front = { 0 }, back = { 0 };
	struct relay_endpoint_spec spec = stage_server(&front);
	struct relay_context *there, *here;
	int listener, port, near, far;

	(void)state;
	begin(&stage);
	here = stage.context;
	stage_add(&stage, &spec);
	there = far_context(&stage, front.endpoint);
	relay_endpoint_move(front.endpoint, there);
	assert_int_equal(relay_endpoint_reach(front.endpoint, there), RELAY_NEAR);
	/* A link that is ordered at once waits for the arrival. */
	listener = peer_listen(&port);
	spec = stage_client(&back, port);
	stage.context = there;
	stage_add(&stage, &spec);
	assert_int_equal(relay_endpoint_link(front.endpoint, back.endpoint), 0);
	near = peer_connect(&stage, endpoint_port(front.endpoint));
	far = peer_accept(&stage, listener);
	stage_expect(&stage, &front, RELAY_TCP_UP);
	peers_exchange(&stage, near, far, 1 << 20);
	close(near);
	close(far);
	close(listener);
	stage_expect(&stage, &front, RELAY_TCP_DOWN);
	stage_expect(&stage, &back, RELAY_TCP_DOWN);
	relay_endpoint_remove(front.endpoint);
	relay_endpoint_remove(back.endpoint);
	stage_empty(&stage);
	relay_context_free(there);
	stage.context = here;
	stage_end(&stage);
}

/* Back and forth with bytes under way: none is lost, doubled or out of order. */
static void bytes_come_along(void **state)
{
	struct stage stage;
	struct relay_context *context[2];
	struct pair pair;
	char text[64];

	(void)state;
	begin(&stage);
	pair_make(&stage, &pair);
	context[0] = stage.context;
	context[1] = far_context(&stage, pair.front.endpoint);
	for (unsigned i = 0; i < 30; i++) {
		struct relay_context *to = context[(i + 1) % 2];

		snprintf(text, sizeof(text), "before %u, ", i);
		peer_send(&stage, pair.near, text);
		assert_int_equal(relay_endpoint_link(pair.front.endpoint, NULL), 0);
		relay_endpoint_move(pair.front.endpoint, to);
		peer_send(&stage, pair.near, "meanwhile, ");
		relay_endpoint_move(pair.back.endpoint, to);
		assert_int_equal(relay_endpoint_link(pair.back.endpoint, pair.front.endpoint), 0);
		peer_send(&stage, pair.near, "after");
		snprintf(text, sizeof(text), "before %u, meanwhile, after", i);
		peer_expect(&stage, pair.far, text);
		peer_send(&stage, pair.far, "answer");
		peer_expect(&stage, pair.near, "answer");
		arrives(&stage, pair.front.endpoint, context[i % 2]);
		arrives(&stage, pair.back.endpoint, context[i % 2]);
	}
	peers_exchange(&stage, pair.near, pair.far, 4 << 20);
	pair_done(&pair);
	stage_empty(&stage);
	relay_context_free(context[1]);
	stage_end(&stage);
}

/* A peer that is slowed stays so, and what the gate's timer was for goes on there. */
static void a_gate_comes_along(void **state)
{
	struct relay_gate gate = { .sustained = { 1, 10 } };
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	begin(&stage);
	pair_make(&stage, &pair);
	assert_int_equal(relay_endpoint_gate_set(pair.front.endpoint, &gate), 0);
	peer_send(&stage, pair.far, "the order is carried out");
	peer_expect(&stage, pair.near, "the order is carried out");
	peer_send(&stage, pair.near, "ten octets, and what has to wait");
	there = far_context(&stage, pair.front.endpoint);
	assert_int_equal(relay_endpoint_link(pair.front.endpoint, NULL), 0);
	relay_endpoint_move(pair.front.endpoint, there);
	relay_endpoint_move(pair.back.endpoint, there);
	assert_int_equal(relay_endpoint_link(pair.front.endpoint, pair.back.endpoint), 0);
	peer_expect(&stage, pair.far, "ten octets");
	/* whoever is slower than twenty seconds here may fail */
	assert_true(endpoint_stats(pair.front.endpoint).wire_in < 30);
	gate.sustained.octets_per_s = 1000;
	assert_int_equal(relay_endpoint_gate_set(pair.front.endpoint, &gate), 0);
	peer_expect(&stage, pair.far, ", and what has to wait");
	pair_done(&pair);
	stage_empty(&stage);
	relay_context_free(there);
	stage_end(&stage);
}

static void the_peers_end_is_seen_there(void **state)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	begin(&stage);
	pair_make(&stage, &pair);
	there = far_context(&stage, pair.front.endpoint);
	assert_int_equal(relay_endpoint_link(pair.front.endpoint, NULL), 0);
	relay_endpoint_move(pair.front.endpoint, there);
	/* An end that comes without bytes before it, while nobody is linked, is nobody's. */
	arrives(&stage, pair.front.endpoint, stage.context);
	peer_send(&stage, pair.near, "last words");
	assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
	relay_endpoint_move(pair.back.endpoint, there);
	assert_int_equal(relay_endpoint_link(pair.front.endpoint, pair.back.endpoint), 0);
	peer_expect(&stage, pair.far, "last words");
	assert_int_equal(peer_end(&stage, pair.far), 0);
	pair_done(&pair);
	stage_empty(&stage);
	relay_context_free(there);
	stage_end(&stage);
}

static void one_on_its_way_can_be_removed(void **state)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		begin(&stage);
		pair_make(&stage, &pair);
		there = far_context(&stage, pair.front.endpoint);
		assert_int_equal(relay_endpoint_link(pair.front.endpoint, NULL), 0);
		relay_endpoint_move(pair.front.endpoint, there);
		relay_endpoint_move(pair.back.endpoint, there);
		assert_int_equal(relay_endpoint_link(pair.front.endpoint, pair.back.endpoint), 0);
		assert_int_equal(relay_endpoint_mode_set(pair.front.endpoint, true, false), 0);
		/* The one it shall be linked with goes first. */
		relay_endpoint_remove(pair.back.endpoint);
		if (i % 2)
			relay_endpoint_remove(pair.front.endpoint);
		pair.back.endpoint = NULL;
		if (i % 2)
			pair.front.endpoint = NULL;
		if (i % 4 == 2) /* else the pool ends on the way */
			arrives(&stage, pair.front.endpoint, stage.context);
		relay_context_free(there);
		close(pair.near);
		close(pair.far);
		stage_end(&stage);
	}
}

static void a_session_does_not_travel(void **state)
{
	struct relay_context *there;
	struct scene scene;
	struct far far;

	scene_up(&scene, *state, &far);
	there = far_context(&scene.stage, scene.front.endpoint);
	assert_int_equal(relay_endpoint_link(scene.front.endpoint, NULL), 0);
	relay_endpoint_move(scene.front.endpoint, there);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_RESOURCES);
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_DOWN);
	far_done(&far);
	relay_endpoint_remove(scene.front.endpoint);
	scene.front.endpoint = NULL;
	relay_context_free(there);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_listens_is_called_upon_there),
		cmocka_unit_test(a_gate_comes_along),
		cmocka_unit_test(bytes_come_along),
		cmocka_unit_test(the_peers_end_is_seen_there),
		cmocka_unit_test(one_on_its_way_can_be_removed),
		cmocka_unit_test(a_session_does_not_travel),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
