/* SPDX-License-Identifier: Apache-2.0 */
/* A standing listener's pairs have an idle time: without it a peer that says nothing stays for
 * ever. */
#include "check.h"

#include <unistd.h>

#include "stage.h"

static int visit(struct stage *stage, unsigned idle_ms, int backend, int backend_port, int *ret_far,
                 struct relay_listener **ret)
{
	struct relay_listener_spec spec = { .idle_timeout_ms = idle_ms };
	struct record unused = { 0 };
	struct sockaddr_storage local;
	struct sockaddr_in in;
	int near;

	spec.local = stage_server(&unused).local;
	spec.backend = stage_client(&unused, backend_port).remote;
	assert_int_equal(relay_listener_new(ret, stage->pool, &spec, NULL), 0);
	relay_listener_local(*ret, &local);
	memcpy(&in, &local, sizeof(in));
	near = peer_connect(stage, ntohs(in.sin_port));
	assert_true(near >= 0);
	*ret_far = peer_accept(stage, backend);
	return near;
}

/* In order, towards both. */
static void test_the_idle_are_shown_out(void **unused)
{
	const struct relay_pool_spec pool = { .workers = 1, .drain_timeout_ms = 300 };
	struct relay_listener *listener;
	struct stage stage;
	int port, backend = peer_listen(&port), near, far;

	(void)unused;
	stage_begin(&stage, &pool);
	near = visit(&stage, 400, backend, port, &far, &listener);
	peers_exchange(&stage, near, far, 300000);
	assert_int_equal(peer_end(&stage, near), 0);
	assert_int_equal(peer_end(&stage, far), 0);
	close(near);
	close(far);
	stage_empty(&stage);
	relay_listener_free(listener);
	close(backend);
	stage_end(&stage);
}

static bool passed(void *arg)
{
	return ++*(unsigned *)arg > 40; /* turns of a few milliseconds */
}

static void test_who_is_given_no_time_stays(void **unused)
{
	const struct relay_pool_spec pool = { .workers = 1, .drain_timeout_ms = 300 };
	struct relay_listener *listener;
	struct stage stage;
	unsigned turns = 0;
	int port, backend = peer_listen(&port), near, far;

	(void)unused;
	stage_begin(&stage, &pool);
	near = visit(&stage, 0, backend, port, &far, &listener);
	stage_wait(&stage, passed, &turns);
	peers_exchange(&stage, near, far, 1000);
	close(near);
	close(far);
	stage_empty(&stage);
	relay_listener_free(listener);
	close(backend);
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_idle_are_shown_out),
		cmocka_unit_test(test_who_is_given_no_time_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
