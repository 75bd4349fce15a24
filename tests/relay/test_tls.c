/* SPDX-License-Identifier: Apache-2.0 */
/* TLS endpoints with real sockets on loopback, over every pair of engines. */
#include "check.h"

#include <errno.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "scene.h"

#define MIB ((size_t)1024 * 1024)

/* ---- the ordinary ---- */

static void test_up_is_told(void **state)
{
	struct scene scene;
	struct far far;
	const struct relay_event *up;

	scene_up(&scene, *state, &far);
	up = &scene.front.last[RELAY_TLS_UP];
	assert_int_equal(up->tls.version, 0x0304);
	assert_int_equal(up->tls.suite, 0x1301);
	assert_string_equal(up->tls.suite_name, "TLS_AES_128_GCM_SHA256");
	assert_int_equal(up->tls.alert, -1);
	assert_int_equal(scene.front.count[RELAY_TCP_UP], 1);
	far_put(&far, "hello");
	far_flush(&far);
	peer_expect(&scene.stage, scene.far, "hello");
	peer_send(&scene.stage, scene.far, "hello yourself");
	far_expect(&far, "hello yourself");
	assert_int_equal(endpoint_stats(scene.front.endpoint).handshakes, 1);
	assert_int_equal(endpoint_stats(scene.front.endpoint).octets_in, 5);
	assert_int_equal(endpoint_stats(scene.front.endpoint).octets_out, 14);
	far_done(&far);
	scene_end(&scene);
}

/* A gate meters handshakes too: flights come in pieces, and nothing is lost (package tman). */
static void test_a_metered_handshake_succeeds(void **state)
{
	struct relay_gate gate = { .sustained = { 20000, 100 } };
	struct scene scene;
	struct far far;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	scene_pair(&scene);
	assert_int_equal(relay_endpoint_gate_set(scene.front.endpoint, &gate), 0);
	assert_int_equal(relay_endpoint_gate_set(scene.back.endpoint, &gate), 0);
	peer_send(&scene.stage, scene.far,
	          "z"); /* both orders are carried out before this is read */
	scene_visit(&scene, &far, TLS_ROLE_CLIENT, "modern");
	assert_int_equal(far_shake(&far), 0);
	stage_expect(&scene.stage, &scene.front, RELAY_TLS_UP);
	far_put(&far, "metered");
	far_flush(&far);
	peer_expect(&scene.stage, scene.far, "metered");
	far_expect(&far, "z");
	far_done(&far);
	scene_end(&scene);
}

/* near peer - TCP - endpoint - TLS client ... TLS server - endpoint - TCP - far peer */
struct chain {
	struct scene a, b;
	int near, far;
};

static void chain_make(struct chain *chain, void *state)
{
	struct relay_endpoint_spec spec;
	struct scene *a = &chain->a, *b = &chain->b;

	scene_begin(b, state, TLS_ROLE_SERVER, "modern");
	scene_pair(b);
	scene_begin(a, state, TLS_ROLE_CLIENT, "modern");
	spec = stage_server(&a->back); /* plain, towards the near peer */
	stage_add(&a->stage, &spec);
	spec = stage_client(&a->front, endpoint_port(b->front.endpoint));
	spec.tls = &a->tls;
	spec.connect_now = false;
	spec.linked_setup = true;
	stage_add(&a->stage, &spec);
	assert_int_equal(relay_endpoint_link(a->front.endpoint, a->back.endpoint), 0);
	chain->near = peer_connect(&a->stage, endpoint_port(a->back.endpoint));
	stage_expect(&a->stage, &a->front, RELAY_TLS_UP);
	stage_expect(&b->stage, &b->front, RELAY_TLS_UP);
	chain->far = b->far;
}

static void chain_end(struct chain *chain)
{
	if (chain->near >= 0)
		close(chain->near);
	scene_end(&chain->a);
	scene_end(&chain->b);
}

/* What the last send carried is counted behind it, so its peer may be first. */
static bool last_is_counted(void *arg)
{
	struct relay_stats stats = endpoint_stats(arg);

	return stats.wire_out > 8 * MIB && stats.records_out >= 8 * MIB / 16384;
}

static void test_relays_both_ways(void **state)
{
	struct chain chain;
	struct relay_stats stats;

	chain_make(&chain, *state);
	peers_exchange(&chain.b.stage, chain.near, chain.far, 8 * MIB);
	stage_wait(&chain.b.stage, last_is_counted, chain.b.front.endpoint);
	stats = endpoint_stats(chain.b.front.endpoint);
	assert_int_equal(stats.octets_in, 8 * MIB);
	assert_int_equal(stats.octets_out, 8 * MIB);
	assert_true(stats.wire_in > 8 * MIB);
	assert_true(stats.records_in >= 8 * MIB / 16384);
	assert_true(stats.buffered_peak <= 256 * 1024);
	chain_end(&chain);
}

static void test_half_close_goes_across(void **state)
{
	struct chain chain;
	struct scene *a = &chain.a, *b = &chain.b;

	chain_make(&chain, *state);
	peer_send(&b->stage, chain.near, "question");
	assert_int_equal(shutdown(chain.near, SHUT_WR), 0);
	peer_expect(&b->stage, chain.far, "question");
	assert_int_equal(peer_end(&b->stage, chain.far), 0);
	peer_send(&b->stage, chain.far, "answer");
	peer_expect(&a->stage, chain.near, "answer");
	assert_int_equal(shutdown(chain.far, SHUT_WR), 0);
	assert_int_equal(peer_end(&a->stage, chain.near), 0);
	assert_int_equal(scene_down(a, &a->front, RELAY_TLS_DOWN)->cause, RELAY_CAUSE_PARTNER);
	assert_int_equal(scene_down(a, &a->front, RELAY_TCP_DOWN)->cause, RELAY_CAUSE_PARTNER);
	assert_int_equal(scene_down(a, &a->back, RELAY_TCP_DOWN)->cause, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(scene_down(b, &b->front, RELAY_TLS_DOWN)->cause, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(scene_down(b, &b->back, RELAY_TCP_DOWN)->cause, RELAY_CAUSE_PARTNER);
	chain_end(&chain);
}

static void test_reset_goes_across(void **state)
{
	struct chain chain;

	chain_make(&chain, *state);
	peer_send(&chain.b.stage, chain.far, "x");
	peer_expect(&chain.a.stage, chain.near, "x");
	peer_reset(chain.far);
	chain.b.far = -1;
	assert_int_equal(peer_end(&chain.a.stage, chain.near), ECONNRESET);
	assert_int_equal(scene_down(&chain.b, &chain.b.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_PARTNER);
	assert_int_equal(scene_down(&chain.a, &chain.a.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_PEER_RESET);
	chain_end(&chain);
}

static void test_slow_reader_bounds_memory(void **state)
{
	struct chain chain;
	char block[65536] = { 0 };
	unsigned idle = 0;
	size_t sent = 0, got = 0;
	ssize_t n;

	chain_make(&chain, *state);
	while (idle < 20) {
		n = send(chain.near, block, sizeof(block), MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		idle = n > 0 ? 0 : idle + 1;
		loop_run_once(chain.a.stage.control, 2);
	}
	assert_true(endpoint_stats(chain.a.front.endpoint).buffered_peak > 0);
	assert_true(endpoint_stats(chain.a.front.endpoint).buffered_peak <= 256 * 1024);
	assert_true(endpoint_stats(chain.b.back.endpoint).buffered_peak <= 256 * 1024);
	while (got < sent) {
		n = recv(chain.far, block, sizeof(block), 0);
		if (n > 0)
			got += (size_t)n;
		else
			loop_run_once(chain.a.stage.control, 2);
	}
	peers_exchange(&chain.a.stage, chain.near, chain.far, MIB);
	chain_end(&chain);
}

/* The TLS role has nothing to do with the TCP role; TLS waits for the order. */
static void test_listens_and_is_tls_client_on_order(void **state)
{
	struct scene scene;
	struct far far;
	struct relay_endpoint_spec spec;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	tls_domain_unref(scene.domain);
	{
		struct tls_domain_spec domain = lab_spec(*state, TLS_ROLE_CLIENT, "modern");

		assert_int_equal(tls_domain_new(&scene.domain, &domain, NULL), 0);
		scene.tls.domain = scene.domain;
	}
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	spec.tls_hold = true;
	stage_add(&scene.stage, &spec);
	spec = stage_client(&scene.back, scene.port);
	stage_add(&scene.stage, &spec);
	assert_int_equal(relay_endpoint_link(scene.front.endpoint, scene.back.endpoint), 0);
	scene.far = peer_accept(&scene.stage, scene.listener);
	scene_visit(&scene, &far, TLS_ROLE_SERVER, "modern");
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_UP);
	assert_int_equal(scene.front.count[RELAY_TLS_UP], 0);
	assert_int_equal(relay_endpoint_start_tls(scene.front.endpoint, TLS_ROLE_CLIENT), 0);
	assert_int_equal(far_shake(&far), 0);
	stage_expect(&scene.stage, &scene.front, RELAY_TLS_UP);
	far_put(&far, "from the server");
	far_flush(&far);
	peer_expect(&scene.stage, scene.far, "from the server");
	far_done(&far);
	scene_end(&scene);
}

/* The client's last flight and its first data in one segment, before there is a partner. */
static void test_data_with_the_last_flight_waits(void **state)
{
	struct scene scene;
	struct far far;
	struct relay_endpoint_spec spec;
	struct tls_io io;
	uint8_t buf[16384];
	ssize_t n;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "tls13");
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	stage_add(&scene.stage, &spec);
	scene_visit(&scene, &far, TLS_ROLE_CLIENT, "tls13");
	io = (struct tls_io){ .out = &far.out };
	assert_int_equal(base_err_class(tls_session_handshake(far.session, &io)), BASE_AGAIN);
	far_flush(&far);
	for (int rc = -1; rc;) {
		while ((n = recv(far.fd, buf, sizeof(buf), 0)) < 0)
			loop_run_once(scene.stage.control, 2);
		assert_true(n > 0);
		io.in = base_reader_of(buf, (size_t)n);
		rc = tls_session_handshake(far.session, &io);
	}
	far_put(&far, "impatient");
	far_flush(&far);
	stage_expect(&scene.stage, &scene.front, RELAY_TLS_UP);
	spec = stage_client(&scene.back, scene.port);
	stage_add(&scene.stage, &spec);
	assert_int_equal(relay_endpoint_link(scene.front.endpoint, scene.back.endpoint), 0);
	scene.far = peer_accept(&scene.stage, scene.listener);
	peer_expect(&scene.stage, scene.far, "impatient");
	far_done(&far);
	scene_end(&scene);
}

/* RFC 5246, 7.2.1: close_notify ends one direction; ours answers when the partner has ended. */
static void test_close_notify(void **state)
{
	struct scene scene;
	struct far far;
	struct tls_io io = { .out = &far.out };

	scene_up(&scene, *state, &far);
	far_put(&far, "bye");
	assert_int_equal(tls_session_close(far.session, &io), 0);
	far_flush(&far);
	peer_expect(&scene.stage, scene.far, "bye");
	assert_int_equal(peer_end(&scene.stage, scene.far), 0);
	peer_send(&scene.stage, scene.far, "and you");
	far_expect(&far, "and you");
	close(scene.far);
	scene.far = -1;
	assert_int_equal(far_read_end(&far), 0);
	assert_true(far.closed);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TCP_DOWN)->cause,
	                 RELAY_CAUSE_PEER_CLOSE);
	far_done(&far);
	scene_end(&scene);
}

/* Nobody reads on, and yet the controller learns that the peer has left. */
static void test_close_notify_without_partner(void **state)
{
	struct scene scene;
	struct far far;
	struct relay_endpoint_spec spec;
	struct tls_io io = { .out = &far.out };

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	stage_add(&scene.stage, &spec);
	scene_visit(&scene, &far, TLS_ROLE_CLIENT, "modern");
	assert_int_equal(far_shake(&far), 0);
	stage_expect(&scene.stage, &scene.front, RELAY_TLS_UP);
	assert_int_equal(tls_session_close(far.session, &io), 0);
	far_flush(&far);
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(far_read_end(&far), 0);
	far_done(&far);
	scene_end(&scene);
}

static void test_release_says_close_notify(void **state)
{
	struct scene scene;
	struct far far;

	scene_up(&scene, *state, &far);
	assert_int_equal(relay_endpoint_release(scene.front.endpoint, false), 0);
	assert_int_equal(far_read_end(&far), 0);
	assert_true(far.closed);
	/* TCP is released with TLS (TS 23.333, 5.20.2). */
	assert_int_equal(far_read_end(&far), BASE_ERR(BASE_LOCAL, 0));
	assert_true(far.fin);
	assert_int_equal(peer_end(&scene.stage, scene.far), 0);
	close(far.fd);
	far.fd = -1;
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_LOCAL_CLOSE);
	far_done(&far);
	scene_end(&scene);
}

/* ---- life ---- */

static void test_remove_in_every_state(void **state)
{
	struct scene scene;
	struct far far;
	struct record record = { 0 };
	struct relay_endpoint_spec spec;
	int fd;

	scene_up(&scene, *state, &far); /* open */
	relay_endpoint_remove(scene.front.endpoint);
	scene.front.endpoint = NULL;
	assert_int_equal(far_read_end(&far), 0);
	far_done(&far);

	for (int hold = 0; hold < 2; hold++) { /* handshake; tcp-ready */
		memset(&record, 0, sizeof(record));
		spec = stage_server(&record);
		spec.tls = &scene.tls;
		spec.tls_hold = hold;
		stage_add(&scene.stage, &spec);
		fd = peer_connect(&scene.stage, endpoint_port(record.endpoint));
		stage_expect(&scene.stage, &record, RELAY_TCP_UP);
		relay_endpoint_remove(record.endpoint);
		assert_int_equal(peer_end(&scene.stage, fd), hold ? 0 : ECONNRESET);
		close(fd);
	}
	scene_end(&scene);
}

static void test_domain_is_dropped_under_a_session(void **state)
{
	struct scene scene;
	struct far far;

	scene_up(&scene, *state, &far);
	assert_int_equal(relay_pool_domain_drop(scene.stage.pool, scene.domain), 0);
	far_put(&far, "still");
	far_flush(&far);
	peer_expect(&scene.stage, scene.far, "still");
	far_done(&far);
	scene_end(&scene);
}

static void test_churn(void **state)
{
	struct scene scene;
	struct far far;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	for (unsigned i = 0; i < 30; i++) {
		scene_pair(&scene);
		scene_visit(&scene, &far, TLS_ROLE_CLIENT, "modern");
		if (i % 3) {
			assert_int_equal(far_shake(&far), 0);
			far_put(&far, "ping");
			far_flush(&far);
			peer_expect(&scene.stage, scene.far, "ping");
		}
		if (i % 2)
			far_done(&far);
		relay_endpoint_remove(scene.front.endpoint);
		relay_endpoint_remove(scene.back.endpoint);
		if (i % 2 == 0)
			far_done(&far);
		close(scene.far);
		memset(&scene.front, 0, sizeof(scene.front));
		memset(&scene.back, 0, sizeof(scene.back));
		scene.far = -1;
	}
	scene_end(&scene);
}

static void test_listener(void **state)
{
	struct scene scene;
	struct far far;
	struct relay_listener *listener;
	struct relay_listener_spec spec = { 0 };
	struct record unused = { 0 };
	struct sockaddr_storage local;
	struct sockaddr_in in;
	struct tls_domain_spec domain;
	struct tls_session_spec session = { .role = TLS_ROLE_CLIENT };

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec.local = stage_server(&unused).local;
	spec.backend = stage_client(&unused, scene.port).remote;
	spec.tls = &scene.tls;
	assert_int_equal(relay_listener_new(&listener, scene.stage.pool, &spec, NULL), 0);
	relay_listener_local(listener, &local);
	memcpy(&in, &local, sizeof(in));
	domain = lab_spec(*state, TLS_ROLE_CLIENT, "modern");
	for (unsigned i = 0; i < 10; i++) {
		struct tls_io io = { .out = &far.out };

		far_open(&far, &scene.stage, peer_connect(&scene.stage, ntohs(in.sin_port)),
		         &domain, &session);
		assert_int_equal(far_shake(&far), 0);
		scene.far = peer_accept(&scene.stage, scene.listener);
		far_put(&far, "through the door");
		assert_int_equal(tls_session_close(far.session, &io), 0);
		far_flush(&far);
		peer_expect(&scene.stage, scene.far, "through the door");
		assert_int_equal(peer_end(&scene.stage, scene.far), 0);
		close(scene.far);
		assert_int_equal(far_read_end(&far), 0);
		far_done(&far);
	}
	scene.far = -1;
	relay_listener_free(listener);
	scene_end(&scene);
}

/* ---- other people's far ends ---- */

static void run_client(void **state, const char *const argv[], size_t octets)
{
	struct scene scene;
	struct program program;
	char port[16], to[32];
	const char *words[16] = { 0 };

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	scene_pair(&scene);
	(void)snprintf(port, sizeof(port), "%d", endpoint_port(scene.front.endpoint));
	(void)snprintf(to, sizeof(to), "127.0.0.1:%s", port);
	for (unsigned i = 0; argv[i]; i++)
		words[i] = strcmp(argv[i], "TO") == 0     ? to
		           : strcmp(argv[i], "PORT") == 0 ? port
		                                          : argv[i];
	if (!program_start(&program, words)) {
		scene_end(&scene);
		print_message("skipped: %s is not installed\n", argv[0]);
		skip();
	}
	stage_expect(&scene.stage, &scene.front, RELAY_TLS_UP);
	peers_exchange(&scene.stage, program.fd, scene.far, octets);
	/* The end of its input makes it say close_notify. */
	assert_int_equal(shutdown(program.fd, SHUT_WR), 0);
	assert_int_equal(peer_end(&scene.stage, scene.far), 0);
	close(scene.far);
	scene.far = -1;
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(scene_down(&scene, &scene.back, RELAY_TCP_DOWN)->cause,
	                 RELAY_CAUSE_PARTNER);
	program_end(&program);
	scene_end(&scene);
}

static void test_openssl_client(void **state)
{
	static const char *const argv[] = { "openssl",     "s_client", "-quiet", "-no_ign_eof",
		                            "-nocommands", "-connect", "TO",     NULL };

	run_client(state, argv, MIB);
}

static void test_gnutls_client(void **state)
{
	static const char *const argv[] = { "gnutls-cli", "--insecure", "--logfile=/dev/null",
		                            "-p",         "PORT",       "127.0.0.1",
		                            NULL };

	run_client(state, argv, MIB / 32); /* it writes what comes octet by octet */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_is_told),
		cmocka_unit_test(test_a_metered_handshake_succeeds),
		cmocka_unit_test(test_relays_both_ways),
		cmocka_unit_test(test_half_close_goes_across),
		cmocka_unit_test(test_reset_goes_across),
		cmocka_unit_test(test_slow_reader_bounds_memory),
		cmocka_unit_test(test_listens_and_is_tls_client_on_order),
		cmocka_unit_test(test_data_with_the_last_flight_waits),
		cmocka_unit_test(test_close_notify),
		cmocka_unit_test(test_close_notify_without_partner),
		cmocka_unit_test(test_release_says_close_notify),
		cmocka_unit_test(test_remove_in_every_state),
		cmocka_unit_test(test_domain_is_dropped_under_a_session),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_openssl_client),
		cmocka_unit_test(test_gnutls_client),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
