/* SPDX-License-Identifier: Apache-2.0 */
/* TLS endpoints whose session fails or ends badly, and what is told and logged of it. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "scene.h"

static void test_truncation_is_told_and_not_carried_as_an_end(void **state)
{
	struct scene scene;
	struct far far;

	scene_up(&scene, *state, &far);
	far_put(&far, "half of it");
	far_flush(&far);
	peer_expect(&scene.stage, scene.far, "half of it");
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	assert_int_equal(peer_end(&scene.stage, scene.far), ECONNRESET);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_DOWN)->cause,
	                 RELAY_CAUSE_TRUNCATED);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TCP_DOWN)->cause,
	                 RELAY_CAUSE_TRUNCATED);
	assert_int_equal(scene_down(&scene, &scene.back, RELAY_TCP_DOWN)->cause,
	                 RELAY_CAUSE_PARTNER);
	far_done(&far);
	scene_end(&scene);
}

static void test_fatal_alert_from_the_peer(void **state)
{
	struct scene scene;
	struct far far;
	struct tls_io io = { .out = &far.out };
	const struct relay_event *event;

	scene_up(&scene, *state, &far);
	tls_session_abort(far.session, &io, 80);
	far_flush(&far);
	event = scene_down(&scene, &scene.front, RELAY_TLS_DOWN);
	assert_int_equal(event->cause, RELAY_CAUSE_PEER_ALERT);
	assert_true(event->tls.alert > 0);
	assert_int_equal(event->tls.alert_side, TLS_SIDE_REMOTE);
	assert_int_equal(peer_end(&scene.stage, scene.far), ECONNRESET);
	far_done(&far);
	scene_end(&scene);
}

static void test_broken_record_after_the_handshake(void **state)
{
	struct scene scene;
	struct far far;
	const struct relay_event *event;

	scene_up(&scene, *state, &far);
	far_put(&far, "to be spoilt");
	far.out.data[far.out.len - 1] ^= 1;
	far_flush(&far);
	event = scene_down(&scene, &scene.front, RELAY_TLS_DOWN);
	assert_int_equal(event->cause, RELAY_CAUSE_LOCAL_ALERT);
	assert_int_equal(event->tls.alert, 20);
	assert_int_equal(event->tls.alert_side, TLS_SIDE_LOCAL);
	assert_int_equal(peer_end(&scene.stage, scene.far), ECONNRESET);
	assert_int_not_equal(far_read_end(&far), 0);
	far_done(&far);
	scene_end(&scene);
}

static void test_garbage_on_a_tls_port(void **state)
{
	struct scene scene;
	uint8_t alert[64];
	ssize_t n;
	int fd;
	const struct relay_event *event;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	scene_pair(&scene);
	fd = peer_connect(&scene.stage, endpoint_port(scene.front.endpoint));
	peer_send(&scene.stage, fd, "GET / HTTP/1.0\r\n\r\n");
	event = scene_down(&scene, &scene.front, RELAY_TLS_FAILED);
	assert_int_equal(event->cause, RELAY_CAUSE_LOCAL_ALERT);
	assert_int_equal(event->tls.alert_side, TLS_SIDE_LOCAL);
	while ((n = recv(fd, alert, sizeof(alert), 0)) < 0) {
		assert_int_equal(errno, EAGAIN);
		loop_run_once(scene.stage.control, 2);
	}
	assert_int_equal(n, 7);
	assert_int_equal(alert[0], 21); /* ContentType alert (RFC 5246, 6.2.1) */
	assert_int_equal(alert[5], 2);  /* fatal */
	assert_int_equal(alert[6], event->tls.alert);
	close(fd);
	/* TCP goes with TLS; the endpoint stays known. */
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_DOWN);
	assert_int_equal(endpoint_stats(scene.front.endpoint).handshake_failures, 1);
	assert_int_equal(endpoint_stats(scene.front.endpoint).handshakes, 0);
	scene_end(&scene);
}

static void test_handshake_times_out(void **state)
{
	struct scene scene;
	struct relay_endpoint_spec spec;
	int fd;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	spec.handshake_timeout_ms = 30;
	stage_add(&scene.stage, &spec);
	fd = peer_connect(&scene.stage, endpoint_port(scene.front.endpoint));
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_FAILED)->cause,
	                 RELAY_CAUSE_TIMEOUT);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TCP_DOWN)->cause,
	                 RELAY_CAUSE_TIMEOUT);
	assert_int_equal(peer_end(&scene.stage, fd), ECONNRESET);
	close(fd);
	scene_end(&scene);
}

static void test_peer_leaves_in_the_handshake(void **state)
{
	struct scene scene;
	struct relay_endpoint_spec spec;
	int fd;

	scene_begin(&scene, *state, TLS_ROLE_SERVER, "modern");
	spec = stage_server(&scene.front);
	spec.tls = &scene.tls;
	stage_add(&scene.stage, &spec);
	fd = peer_connect(&scene.stage, endpoint_port(scene.front.endpoint));
	peer_send(&scene.stage, fd, "\x16\x03\x01");
	close(fd);
	assert_int_equal(scene_down(&scene, &scene.front, RELAY_TLS_FAILED)->cause,
	                 RELAY_CAUSE_PEER_CLOSE);
	stage_expect(&scene.stage, &scene.front, RELAY_TCP_DOWN);
	scene_end(&scene);
}

/* What is logged, kept under a lock: workers log, the test reads. */
static struct {
	pthread_mutex_t lock;
	char text[8192];
} log_kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void keep_line(void *arg, enum base_level level, const char *line)
{
	size_t used;

	(void)arg;
	(void)level;
	pthread_mutex_lock(&log_kept.lock);
	used = strlen(log_kept.text);
	(void)snprintf(log_kept.text + used, sizeof(log_kept.text) - used, "%s\n", line);
	pthread_mutex_unlock(&log_kept.lock);
}

static void assert_logged(const char *const words[])
{
	pthread_mutex_lock(&log_kept.lock);
	for (; *words; words++) {
		if (!strstr(log_kept.text, *words))
			fail_msg("no \"%s\" in: %s", *words, log_kept.text);
	}
	pthread_mutex_unlock(&log_kept.lock);
}

static void test_peer_is_not_authenticated(void **state)
{
	static const char *const words[] = { "tls failed",
		                             "peer=127.0.0.1:",
		                             "side=client",
		                             "domain=client",
		                             "cause=not-authenticated",
		                             "auth=unknown-ca",
		                             NULL };
	struct scene scene;
	struct far far;
	struct lab_sides *sides = *state;
	struct tls_domain_spec domain;
	struct tls_session_spec session = { .role = TLS_ROLE_SERVER };
	struct relay_endpoint_spec spec;
	const struct relay_event *event;

	log_kept.text[0] = '\0';
	scene_begin(&scene, *state, TLS_ROLE_CLIENT, "modern");
	tls_domain_unref(scene.domain);
	domain = lab_spec(sides, TLS_ROLE_CLIENT, "modern");
	domain.server_methods = TRUST_CA;
	assert_int_equal(tls_domain_new(&scene.domain, &domain, NULL), 0);
	scene.tls.domain = scene.domain;
	spec = stage_client(&scene.front, scene.port);
	spec.tls = &scene.tls;
	stage_add(&scene.stage, &spec);
	domain = lab_spec(sides, TLS_ROLE_SERVER, "modern");
	domain.identity = sides->lab->stranger;
	far_open(&far, &scene.stage, peer_accept(&scene.stage, scene.listener), &domain, &session);
	assert_int_not_equal(far_shake(&far) == 0 ? far_read_end(&far) : -1, 0);
	event = scene_down(&scene, &scene.front, RELAY_TLS_FAILED);
	assert_int_equal(event->cause, RELAY_CAUSE_AUTH);
	assert_int_equal(event->tls.reason, TRUST_UNKNOWN_CA);
	assert_int_equal(event->tls.alert, 48);
	assert_false(event->tls.authenticated);
	assert_int_equal(event->tls.method, 0);
	assert_logged(words);
	far_done(&far);
	scene_end(&scene);
}

static void test_log_line_of_success(void **state)
{
	static const char *const words[] = { "tls up",
		                             "peer=127.0.0.1:",
		                             "side=server",
		                             "domain=server",
		                             "suite=TLS_AES_128_GCM_SHA256",
		                             "version=",
		                             "auth=not-asked",
		                             NULL };
	struct scene scene;
	struct far far;

	log_kept.text[0] = '\0';
	scene_up(&scene, *state, &far);
	assert_logged(words);
	far_done(&far);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncation_is_told_and_not_carried_as_an_end),
		cmocka_unit_test(test_fatal_alert_from_the_peer),
		cmocka_unit_test(test_broken_record_after_the_handshake),
		cmocka_unit_test(test_garbage_on_a_tls_port),
		cmocka_unit_test(test_handshake_times_out),
		cmocka_unit_test(test_peer_leaves_in_the_handshake),
		cmocka_unit_test(test_peer_is_not_authenticated),
		cmocka_unit_test(test_log_line_of_success),
	};

	base_log_sink_set(keep_line, NULL);
	return pairs_run(tests, BASE_COUNT(tests));
}
