/* SPDX-License-Identifier: Apache-2.0 */
/* TLS endpoints with TLS on both sides, with PSK, and as client of other people's servers. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "../tls/pairs.h"
#include "scene.h"

/* The partner's TLS comes up first (H.248.92 seplink); held until then, no octet goes out. */
static void test_linked_tls(void **state)
{
	struct scene scene;
	struct far near, far;
	struct tls_domain *domain;
	struct relay_tls_spec tls = { .session = { .role = TLS_ROLE_CLIENT } };
	struct relay_endpoint_spec spec;
	struct tls_domain_spec client, server;
	struct tls_session_spec session = { .role = TLS_ROLE_SERVER };
	char c;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	client = lab_spec(scene.sides, TLS_ROLE_CLIENT, "modern");
	server = lab_spec(scene.sides, TLS_ROLE_SERVER, "modern");
	assert_int_equal(tls_domain_new(&domain, &client, NULL), 0);
	tls.domain = domain;
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	stage_add(&scene.stage, &spec);
	spec = stage_client(&scene.back, scene.port);
	spec.tls = &tls;
	spec.tls_hold = spec.linked_tls = true;
	stage_add(&scene.stage, &spec);
	assert_int_equal(relay_endpoint_link(scene.front.endpoint, scene.back.endpoint), 0);

	far_open(&far, &scene.stage, peer_accept(&scene.stage, scene.listener), &server, &session);
	stage_expect(&scene.stage, &scene.back, RELAY_TCP_UP);
	scene_visit(&scene, &near, TLS_ROLE_CLIENT, "modern");
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_UP);
	assert_int_equal(recv(far.fd, &c, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(far_shake(&near), 0);
	assert_int_equal(far_shake(&far), 0);
	stage_expect(&scene.stage, &scene.back, RELAY_TLS_UP);
	assert_int_equal(scene.front.count[RELAY_TLS_UP], 1);
	far_put(&near, "across");
	far_flush(&near);
	far_expect(&far, "across");
	far_done(&near);
	far_done(&far);
	scene_end(&scene);
	tls_domain_unref(domain);
}

static bool six_came(void *listener)
{
	struct relay_listener_stats stats;

	relay_listener_stats(listener, &stats);
	return stats.accepted == 6;
}

/* The backend is never called for a front that fails, and nothing of the pair stays behind. */
static void test_listener_and_a_failed_front(void **state)
{
	struct scene scene;
	struct relay_listener *listener;
	struct relay_listener_spec spec = { 0 };
	struct record unused = { 0 };
	struct sockaddr_storage local;
	struct sockaddr_in in;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec.local = stage_server(&unused).local;
	spec.backend = stage_client(&unused, scene.port).remote;
	spec.tls = &scene.tls;
	assert_int_equal(relay_listener_new(&listener, scene.stage.pool, &spec, NULL), 0);
	relay_listener_local(listener, &local);
	memcpy(&in, &local, sizeof(in));
	for (unsigned i = 0; i < 6; i++) {
		int fd = peer_connect(&scene.stage, ntohs(in.sin_port));

		peer_send(&scene.stage, fd, "GET / HTTP/1.0\r\n\r\n");
		close(fd);
	}
	stage_wait(&scene.stage, six_came, listener);
	stage_empty(&scene.stage);
	assert_int_equal(accept(scene.listener, NULL, NULL), -1);
	relay_listener_free(listener);
	scene_end(&scene);
}

/* ---- other people's far ends ---- */

static void start_or_skip(struct scene *scene, struct program *program, const char *const argv[])
{
	if (program_start(program, argv))
		return;
	scene_end(scene);
	print_message("skipped: %s is not installed\n", argv[0]);
	skip();
}

static void psk_scene(struct scene *scene, void *state, struct program *program, const char *key)
{
	const struct tls_psk psk = lab_psk("caller", "0123456789abcdef");
	char to[32];
	const char *argv[] = {
		"openssl",       "s_client", "-quiet", "-no_ign_eof", "-nocommands", "-tls1_2",
		"-psk_identity", "caller",   "-psk",   key,           "-cipher",     "PSK",
		"-connect",      to,         NULL
	};

	scene_begin(scene, state, TLS_ROLE_SERVER, "psk");
	scene->tls.session.psks = &psk;
	scene->tls.session.psk_count = 1;
	scene_pair(scene);
	scene->tls.session.psks = NULL;
	(void)snprintf(to, sizeof(to), "127.0.0.1:%d", endpoint_port(scene->front.endpoint));
	start_or_skip(scene, program, argv);
}

/* "0123456789abcdef" in hex */
#define KEY "30313233343536373839616263646566"

static void test_openssl_client_with_psk(void **state)
{
	struct scene scene;
	struct program program;
	const struct relay_tls_result *tls;

	psk_scene(&scene, *state, &program, KEY);
	tls = &scene_down(&scene, &scene.front, RELAY_TLS_UP)->tls;
	assert_true(tls->psk);
	assert_true(tls->authenticated);
	assert_string_equal(tls->suite_name, "TLS_PSK_WITH_AES_128_GCM_SHA256");
	peers_exchange(&scene.stage, program.fd, scene.far, 200000);
	program_end(&program);
	scene_end(&scene);
}

static void test_openssl_client_with_a_wrong_psk(void **state)
{
	struct scene scene;
	struct program program;

	psk_scene(&scene, *state, &program, "ffffffffffffffffffffffffffffffff");
	(void)scene_down(&scene, &scene.front, RELAY_TLS_FAILED);
	assert_int_equal(scene.front.count[RELAY_TLS_UP], 0);
	assert_int_equal(endpoint_stats(scene.front.endpoint).handshake_failures, 1);
	program_end(&program);
	scene_end(&scene);
}

/* Into a file of its own, named by the template. */
static void save(char *path, const struct x509_identity *identity)
{
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, identity->cert), 1);
	assert_int_equal(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
}

/* The port s_server says it listens on. */
static int port_told(struct stage *stage, struct program *program)
{
	char text[4096] = "";
	size_t len = 0;

	for (unsigned i = 0; i < 4000; i++) {
		struct pollfd p = { .fd = program->fd, .events = POLLIN };
		ssize_t n = recv(program->fd, text + len, sizeof(text) - 1 - len, 0);
		const char *at;

		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
		at = strstr(text, "ACCEPT 127.0.0.1:");
		if (at && strchr(at, '\n'))
			return (int)strtol(at + 17, NULL, 10);
		assert_int_equal(loop_run_once(stage->control, 0), 0);
		(void)poll(&p, 1, 5);
	}
	fail_msg("openssl s_server named no port: %s", text);
	return 0;
}

/* Our endpoint as TLS client; the server reverses each line. */
static void test_client_of_openssl_server(void **state)
{
	struct scene scene;
	struct program program;
	struct relay_endpoint_spec spec;
	char path[] = "/tmp/gatehouse-peer-XXXXXX";
	const char *argv[] = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1",
		               "-cert",   path,       "-key",    path,          "-rev",     NULL };
	int near, inside;

	scene_begin(&scene, *state, TLS_ROLE_CLIENT, "modern");
	save(path, scene.sides->lab->server_ec);
	start_or_skip(&scene, &program, argv);
	spec = stage_client(&scene.front, port_told(&scene.stage, &program));
	spec.tls = &scene.tls;
	stage_add(&scene.stage, &spec);
	spec = stage_server(&scene.back);
	stage_add(&scene.stage, &spec);
	inside = endpoint_port(scene.back.endpoint);
	assert_int_equal(relay_endpoint_link(scene.front.endpoint, scene.back.endpoint), 0);
	near = peer_connect(&scene.stage, inside);
	stage_expect(&scene.stage, &scene.front, RELAY_TLS_UP);
	peer_send(&scene.stage, near, "stressed desserts are\n");
	peer_expect(&scene.stage, near, "era stressed desserts\n");
	/* Our FIN becomes close_notify; the server's answer ends both. */
	assert_int_equal(shutdown(near, SHUT_WR), 0);
	(void)scene_down(&scene, &scene.front, RELAY_TLS_DOWN);
	close(near);
	program_end(&program);
	assert_int_equal(unlink(path), 0);
	scene_end(&scene);
}

/* A TLS endpoint that fails before it is linked: who is linked with it then hears of it. */
static void test_failure_before_the_link(void **state)
{
	struct relay_endpoint_spec spec;
	struct scene scene;
	int fd;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	stage_add(&scene.stage, &spec);
	fd = peer_connect(&scene.stage, endpoint_port(scene.front.endpoint));
	peer_send(&scene.stage, fd, "GET / HTTP/1.0\r\n\r\n");
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_DOWN);
	close(fd);
	spec = stage_client(&scene.back, scene.port);
	stage_add(&scene.stage, &spec);
	scene.far = peer_accept(&scene.stage, scene.listener);
	stage_expect(&scene.stage, &scene.back, RELAY_TCP_UP);
	assert_int_equal(relay_endpoint_link(scene.front.endpoint, scene.back.endpoint), 0);
	stage_expect(&scene.stage, &scene.back, RELAY_TCP_DOWN);
	assert_int_equal(scene.back.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PARTNER);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failure_before_the_link),
		cmocka_unit_test(test_linked_tls),
		cmocka_unit_test(test_listener_and_a_failed_front),
		cmocka_unit_test(test_openssl_client_with_psk),
		cmocka_unit_test(test_openssl_client_with_a_wrong_psk),
		cmocka_unit_test(test_client_of_openssl_server),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
