/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints that go to another worker (H.248 Move), with real sockets on loopback. */
#include "check.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "relay/private.h"
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

/* ---- an end that comes while there is no partner, forced ---- */

static void on_passed(void *arg)
{
	(void)sem_post(arg);
}

/* Whatever the endpoint's worker has in its sockets and messages is done. Control does not run. */
static void worker_settles(const struct relay_worker *worker)
{
	sem_t passed;

	assert_int_equal(sem_init(&passed, 0, 0), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct loop_msg msg = { 0 };

		loop_post(worker->loop, &msg, on_passed, &passed);
		assert_int_equal(sem_wait(&passed), 0);
	}
	sem_destroy(&passed);
}

/* The peer's FIN is in our socket. */
static void peer_shuts(int fd)
{
	struct tcp_info info;
	socklen_t len;

	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	do {
		len = sizeof(info);
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	} while (info.tcpi_state == TCP_FIN_WAIT1);
}

static void unlink_both(const struct pair *pair)
{
	assert_int_equal(relay_endpoint_link(pair->front.endpoint, NULL), 0);
	worker_settles(pair->front.endpoint->home);
}

static void move_both(const struct pair *pair, struct relay_context *there)
{
	const struct relay_worker *here = pair->front.endpoint->home;

	relay_endpoint_move(pair->front.endpoint, there);
	relay_endpoint_move(pair->back.endpoint, there);
	worker_settles(here);
	worker_settles(pair->front.endpoint->home);
}

/* Either is told to link with the other; order `i` decides. */
static void link_both(const struct pair *pair, unsigned i)
{
	struct relay_endpoint *front = pair->front.endpoint, *back = pair->back.endpoint;

	assert_int_equal(
	        i % 2 ? relay_endpoint_link(back, front) : relay_endpoint_link(front, back), 0);
}

/* What its peer gets after the end came while the two were apart. */
static void answer_comes_back(struct stage *stage, struct pair *pair)
{
	assert_int_equal(peer_end(stage, pair->far), 0);
	peer_send(stage, pair->far, "answer");
	assert_int_equal(shutdown(pair->far, SHUT_WR), 0);
	peer_expect(stage, pair->near, "answer");
	assert_int_equal(peer_end(stage, pair->near), 0);
	stage_expect(stage, &pair->front, RELAY_TCP_DOWN);
	stage_expect(stage, &pair->back, RELAY_TCP_DOWN);
	assert_int_equal(pair->front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(pair->back.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PARTNER);
}

/* Bit 1: to another worker; bits 2 and 4: the end comes before that, or behind it. */
static void an_end_in_between(unsigned how)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	begin(&stage);
	pair_make(&stage, &pair);
	peer_send(&stage, pair.near, "all there is to say");
	peer_expect(&stage, pair.far, "all there is to say");
	there = far_context(&stage, pair.front.endpoint);
	unlink_both(&pair);
	if (how & 2)
		peer_shuts(pair.near);
	worker_settles(pair.front.endpoint->home);
	if (how & 1)
		move_both(&pair, there);
	if (!(how & 2))
		peer_shuts(pair.near);
	worker_settles(pair.front.endpoint->home);
	link_both(&pair, how >> 2);
	answer_comes_back(&stage, &pair);
	pair_done(&pair);
	stage_empty(&stage);
	relay_context_free(there);
	stage_end(&stage);
}

static void an_end_between_unlink_and_link_is_carried(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 8; how++)
		an_end_in_between(how);
}

/* The one direction has ended already; last words and the end of the other come in between. */
static void last_words_of_the_other_direction_are_carried(void **state)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		begin(&stage);
		pair_make(&stage, &pair);
		assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
		assert_int_equal(peer_end(&stage, pair.far), 0);
		there = far_context(&stage, pair.front.endpoint);
		unlink_both(&pair);
		peer_send(&stage, pair.far, "last words");
		peer_shuts(pair.far);
		worker_settles(pair.front.endpoint->home);
		if (i & 2)
			move_both(&pair, there);
		link_both(&pair, i);
		peer_expect(&stage, pair.near, "last words");
		assert_int_equal(peer_end(&stage, pair.near), 0);
		stage_expect(&stage, &pair.front, RELAY_TCP_DOWN);
		stage_expect(&stage, &pair.back, RELAY_TCP_DOWN);
		pair_done(&pair);
		stage_empty(&stage);
		relay_context_free(there);
		stage_end(&stage);
	}
}

/* One direction has ended, and its end is known; the other one goes on and ends after the Move. */
static void half_closed_ones_end_in_order_there(void **state)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	begin(&stage);
	pair_make(&stage, &pair);
	assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
	assert_int_equal(peer_end(&stage, pair.far), 0);
	there = far_context(&stage, pair.front.endpoint);
	unlink_both(&pair);
	move_both(&pair, there);
	link_both(&pair, 0);
	answer_comes_back(&stage, &pair);
	pair_done(&pair);
	stage_empty(&stage);
	relay_context_free(there);
	stage_end(&stage);
}

/* Both ask whether they are alone while both are on their way. */
static void both_ends_in_between_are_carried(void **state)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&stage);
		pair_make(&stage, &pair);
		there = far_context(&stage, pair.front.endpoint);
		unlink_both(&pair);
		peer_shuts(pair.near);
		peer_shuts(pair.far);
		worker_settles(pair.front.endpoint->home);
		relay_endpoint_move(pair.front.endpoint, there);
		relay_endpoint_move(pair.back.endpoint, there);
		link_both(&pair, i);
		assert_int_equal(peer_end(&stage, pair.near), 0);
		assert_int_equal(peer_end(&stage, pair.far), 0);
		stage_expect(&stage, &pair.front, RELAY_TCP_DOWN);
		stage_expect(&stage, &pair.back, RELAY_TCP_DOWN);
		pair_done(&pair);
		stage_empty(&stage);
		relay_context_free(there);
		stage_end(&stage);
	}
}

/* Nothing is read of one whose TLS is held back. That its peer has left is its partner's end. */
static void one_that_waits_for_tls_takes_its_partner_along(void **state)
{
	struct relay_endpoint_spec spec;
	struct scene scene;
	struct pair pair;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	spec.tls_hold = true;
	stage_add(&scene.stage, &spec);
	spec = stage_client(&scene.back, scene.port);
	stage_add(&scene.stage, &spec);
	assert_int_equal(relay_endpoint_link(scene.front.endpoint, scene.back.endpoint), 0);
	pair = (struct pair){ .front = scene.front, .back = scene.back };
	pair.near = peer_connect(&scene.stage, endpoint_port(scene.front.endpoint));
	scene.far = peer_accept(&scene.stage, scene.listener);
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_UP);
	stage_expect(&scene.stage, &scene.back, RELAY_TCP_UP);
	unlink_both(&pair);
	peer_shuts(pair.near);
	worker_settles(scene.front.endpoint->home);
	link_both(&pair, 0);
	assert_int_equal(peer_end(&scene.stage, scene.far), 0);
	assert_int_equal(scene_down(&scene, &scene.back, RELAY_TCP_DOWN)->cause,
	                 RELAY_CAUSE_PARTNER);
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_DOWN);
	close(pair.near);
	scene_end(&scene);
}

/* Nobody links them again: then it ends alone, and the other one stays. */
static void who_stays_alone_ends_alone(void **state)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	begin(&stage);
	pair_make(&stage, &pair);
	there = far_context(&stage, pair.front.endpoint);
	unlink_both(&pair);
	peer_shuts(pair.near);
	move_both(&pair, there);
	stage_expect(&stage, &pair.front, RELAY_TCP_DOWN);
	assert_int_equal(pair.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(peer_end(&stage, pair.near), 0);
	assert_int_equal(pair.back.count[RELAY_TCP_DOWN], 0);
	pair_done(&pair);
	stage_empty(&stage);
	relay_context_free(there);
	stage_end(&stage);
}

/* The one is still on its way here when the other, which waits for it with a link, goes there. */
static void a_link_that_waits_does_not_span_workers(void **state)
{
	struct stage stage;
	struct relay_context *there;
	struct pair pair;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		begin(&stage);
		pair_make(&stage, &pair);
		there = far_context(&stage, pair.front.endpoint);
		unlink_both(&pair);
		relay_endpoint_move(pair.back.endpoint, there);
		arrives(&stage, pair.back.endpoint, stage.context);
		relay_endpoint_move(pair.back.endpoint, stage.context);
		link_both(&pair, i);
		if (i & 2)
			assert_int_equal(relay_endpoint_link(pair.front.endpoint, NULL), 0);
		relay_endpoint_move(pair.front.endpoint, there);
		arrives(&stage, pair.front.endpoint, stage.context);
		arrives(&stage, pair.back.endpoint, there);
		worker_settles(pair.front.endpoint->home);
		worker_settles(pair.back.endpoint->home);
		relay_endpoint_move(pair.front.endpoint, stage.context);
		link_both(&pair, i);
		peers_exchange(&stage, pair.near, pair.far, 1000);
		pair_done(&pair);
		stage_empty(&stage);
		relay_context_free(there);
		stage_end(&stage);
	}
}

/* A link that waits for an arrival ends the earlier one at once, whichever end is told of it. */
static void nothing_goes_the_old_way_meanwhile(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct stage stage;
		struct relay_context *there;
		struct pair pair, other;
		struct relay_endpoint *ends[2];
		char c;

		begin(&stage);
		pair_make(&stage, &pair);
		pair_make(&stage, &other);
		ends[0] = pair.front.endpoint;
		ends[1] = other.back.endpoint;
		there = far_context(&stage, pair.front.endpoint);
		unlink_both(&other);
		relay_endpoint_move(other.back.endpoint, there);
		arrives(&stage, other.back.endpoint, stage.context);
		relay_endpoint_move(other.back.endpoint, stage.context);
		assert_int_equal(relay_endpoint_link(ends[i], ends[1 - i]), 0);
		worker_settles(pair.front.endpoint->home);
		assert_int_equal(send(pair.near, "for the new one", 15, MSG_NOSIGNAL), 15);
		worker_settles(pair.front.endpoint->home);
		assert_int_equal(recv(pair.far, &c, 1, 0), -1);
		peer_expect(&stage, other.far, "for the new one");
		pair_done(&pair);
		pair_done(&other);
		stage_empty(&stage);
		relay_context_free(there);
		stage_end(&stage);
	}
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
		cmocka_unit_test(an_end_between_unlink_and_link_is_carried),
		cmocka_unit_test(last_words_of_the_other_direction_are_carried),
		cmocka_unit_test(half_closed_ones_end_in_order_there),
		cmocka_unit_test(both_ends_in_between_are_carried),
		cmocka_unit_test(one_that_waits_for_tls_takes_its_partner_along),
		cmocka_unit_test(who_stays_alone_ends_alone),
		cmocka_unit_test(a_link_that_waits_does_not_span_workers),
		cmocka_unit_test(nothing_goes_the_old_way_meanwhile),
		cmocka_unit_test(one_on_its_way_can_be_removed),
		cmocka_unit_test(a_session_does_not_travel),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
