/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer that floods its handshake with records that mean nothing (change_cipher_spec in TLS 1.3,
 * which RFC 8446, 5 says to drop): it is shown out, and the others of its worker lose nothing.
 * Both engines end it themselves, OpenSSL at the second, GnuTLS after some.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "scene.h"

struct flood {
	int fd;
	atomic_bool stop;
	uint8_t records[6 * 8192];
};

static void *pour(void *arg)
{
	struct flood *flood = arg;

	while (!atomic_load(&flood->stop))
		if (send(flood->fd, flood->records, sizeof(flood->records), MSG_NOSIGNAL) < 0)
			break;
	return NULL;
}

static void others_have_their_turn(void **state)
{
	static const uint8_t nothing[6] = { 20, 3, 3, 0, 1, 1 };
	static struct flood flood;
	struct relay_endpoint_spec spec;
	struct scene scene;
	struct tls_io io = { 0 };
	struct pair pair;
	struct far far;
	pthread_t thread;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	spec.handshake_timeout_ms = 60000;
	stage_add(&scene.stage, &spec);
	pair_make(&scene.stage, &pair); /* of the same context, so of the same worker */
	for (size_t i = 0; i < sizeof(flood.records); i++)
		flood.records[i] = nothing[i % sizeof(nothing)];
	scene_visit(&scene, &far, TLS_ROLE_CLIENT, "tls13");
	io.out = &far.out;
	assert_int_equal(base_err_class(tls_session_handshake(far.session, &io)), BASE_AGAIN);
	far_flush(&far); /* the ClientHello, and nothing of what should follow */
	flood.fd = far.fd;
	assert_int_equal(fcntl(flood.fd, F_SETFL, 0), 0);
	atomic_store(&flood.stop, false);
	assert_int_equal(pthread_create(&thread, NULL, pour, &flood), 0);
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_UP);
	for (int round = 0; round < 5; round++)
		peers_exchange(&scene.stage, pair.near, pair.far, 200000);
	stage_expect(&scene.stage, &scene.front, RELAY_TLS_FAILED);
	assert_int_equal(scene.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_LOCAL_ALERT);
	atomic_store(&flood.stop, true);
	assert_int_equal(shutdown(flood.fd, SHUT_RDWR), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	far_done(&far);
	pair_done(&pair);
	scene_end(&scene);
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(others_have_their_turn) };

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
