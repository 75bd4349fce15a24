/* SPDX-License-Identifier: Apache-2.0 */
/* TCP endpoints that come to be: who connects, who is let in, and when there is not enough. */
#include "check.h"

#include <errno.h>
#include <arpa/inet.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stage.h"

static void test_connect_is_refused(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec;
	int port, listener = peer_listen(&port);

	close(listener);
	spec = stage_client(&record, port);
	stage_add(*state, &spec);
	stage_expect(*state, &record, RELAY_TCP_FAILED);
	assert_int_equal(record.last[RELAY_TCP_FAILED].cause, RELAY_CAUSE_REFUSED);
	assert_int_equal(record.last[RELAY_TCP_FAILED].error, ECONNREFUSED);
	relay_endpoint_remove(record.endpoint);
	stage_empty(*state);
}

/* A queue of one that is full: the kernel drops further SYNs. */
static void test_connect_times_out(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec;
	int port, listener = peer_listen(&port), waiting[3];

	assert_int_equal(listen(listener, 0), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct sockaddr_in to = { .sin_family = AF_INET,
			                  .sin_port = htons((uint16_t)port),
			                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(waiting[i], (struct sockaddr *)&to, sizeof(to));
	}
	spec = stage_client(&record, port);
	spec.connect_timeout_ms = 30;
	stage_add(*state, &spec);
	stage_expect(*state, &record, RELAY_TCP_FAILED);
	assert_int_equal(record.last[RELAY_TCP_FAILED].cause, RELAY_CAUSE_TIMEOUT);
	relay_endpoint_remove(record.endpoint);
	for (unsigned i = 0; i < 3; i++)
		close(waiting[i]);
	close(listener);
}

static void test_nobody_comes(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);

	spec.connect_timeout_ms = 20;
	stage_add(*state, &spec);
	stage_expect(*state, &record, RELAY_TCP_FAILED);
	assert_int_equal(record.last[RELAY_TCP_FAILED].cause, RELAY_CAUSE_TIMEOUT);
	relay_endpoint_remove(record.endpoint);
	stage_empty(*state);
}

static void test_accepts_one_only(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);
	int port, first;

	stage_add(*state, &spec);
	port = endpoint_port(record.endpoint);
	first = peer_connect(*state, port);
	assert_true(first >= 0);
	stage_expect(*state, &record, RELAY_TCP_UP);
	assert_int_equal(record.last[RELAY_TCP_UP].peer.ss_family, AF_INET);
	assert_int_equal(peer_connect(*state, port), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(first);
	stage_expect(*state, &record, RELAY_TCP_DOWN);
	assert_int_equal(record.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	relay_endpoint_remove(record.endpoint);
}

/* Connect from a given local address. */
static int connect_from(struct stage *stage, const char *from, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)stage;
	assert_int_equal(inet_pton(AF_INET, from, &in.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	in.sin_port = htons((uint16_t)port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void test_lets_only_the_expected_peer_in(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);
	struct sockaddr_in expected = { .sin_family = AF_INET };
	int stranger, friend;

	assert_int_equal(inet_pton(AF_INET, "127.0.0.7", &expected.sin_addr), 1);
	memcpy(&spec.remote, &expected, sizeof(expected));
	stage_add(*state, &spec);
	stranger = connect_from(*state, "127.0.0.8", endpoint_port(record.endpoint));
	assert_int_equal(peer_end(*state, stranger), ECONNRESET);
	assert_int_equal(record.count[RELAY_TCP_UP], 0);
	friend = connect_from(*state, "127.0.0.7", endpoint_port(record.endpoint));
	stage_expect(*state, &record, RELAY_TCP_UP);
	close(stranger);
	close(friend);
	relay_endpoint_remove(record.endpoint);
}

static void test_connects_when_told(void **state)
{
	struct record record = { 0 };
	struct relay_endpoint_spec spec;
	int port, listener = peer_listen(&port), fd;

	spec = stage_client(&record, 1);
	spec.connect_now = false;
	stage_add(*state, &spec);
	spec = stage_client(&record, port);
	assert_int_equal(relay_endpoint_remote_set(record.endpoint, &spec.remote), 0);
	assert_int_equal(record.count[RELAY_TCP_UP], 0);
	assert_int_equal(relay_endpoint_connect(record.endpoint), 0);
	stage_expect(*state, &record, RELAY_TCP_UP);
	fd = peer_accept(*state, listener);
	assert_int_equal(relay_endpoint_release(record.endpoint, false), 0);
	assert_int_equal(peer_end(*state, fd), 0);
	close(fd);
	stage_expect(*state, &record, RELAY_TCP_DOWN);
	assert_int_equal(record.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	relay_endpoint_remove(record.endpoint);
	close(listener);
}

/* H.248.92 seplink: the peer's coming sends our SYN. What it says early waits. */
static void test_linked_setup(void **state)
{
	struct record front = { 0 }, back = { 0 };
	struct relay_endpoint_spec spec = stage_server(&front);
	int port, listener = peer_listen(&port), near, far;

	stage_add(*state, &spec);
	spec = stage_client(&back, port);
	spec.connect_now = false;
	spec.linked_setup = true;
	stage_add(*state, &spec);
	assert_int_equal(relay_endpoint_link(back.endpoint, front.endpoint), 0);
	near = peer_connect(*state, endpoint_port(front.endpoint));
	peer_send(*state, near, "early");
	stage_expect(*state, &back, RELAY_TCP_UP);
	assert_int_equal(front.count[RELAY_TCP_UP], 1);
	far = peer_accept(*state, listener);
	peer_expect(*state, far, "early");
	close(near);
	close(far);
	close(listener);
	relay_endpoint_remove(front.endpoint);
	relay_endpoint_remove(back.endpoint);
}

static void test_backend_refuses_linked_setup(void **state)
{
	struct record front = { 0 }, back = { 0 };
	struct relay_endpoint_spec spec = stage_server(&front);
	int port, listener = peer_listen(&port), near, error;

	close(listener);
	stage_add(*state, &spec);
	spec = stage_client(&back, port);
	spec.connect_now = false;
	spec.linked_setup = true;
	stage_add(*state, &spec);
	assert_int_equal(relay_endpoint_link(back.endpoint, front.endpoint), 0);
	near = peer_connect(*state, endpoint_port(front.endpoint));
	error = errno;
	stage_expect(*state, &back, RELAY_TCP_FAILED);
	stage_expect(*state, &front, RELAY_TCP_DOWN);
	assert_int_equal(back.last[RELAY_TCP_FAILED].cause, RELAY_CAUSE_REFUSED);
	assert_int_equal(front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PARTNER);
	if (near < 0) {
		assert_int_equal(error, ECONNRESET); /* it was quicker than we could look */
	} else {
		assert_int_equal(peer_end(*state, near), ECONNRESET);
		close(near);
	}
	relay_endpoint_remove(front.endpoint);
	relay_endpoint_remove(back.endpoint);
}

/* ---- when there is not enough ---- */

static void test_limit_of_endpoints(void **state)
{
	struct stage stage;
	struct relay_pool_spec pool = { .workers = 1, .endpoint_limit = 2 };
	struct record record[3] = { 0 };
	struct relay_endpoint_spec spec;
	struct base_error err = { 0 };
	unsigned open, limit;

	(void)state;
	stage_begin(&stage, &pool);
	for (unsigned i = 0; i < 2; i++) {
		spec = stage_server(&record[i]);
		stage_add(&stage, &spec);
	}
	spec = stage_server(&record[2]);
	assert_int_equal(relay_endpoint_add(&record[2].endpoint, stage.context, &spec, &err),
	                 BASE_ERR(BASE_LOCAL, EMFILE));
	relay_pool_usage(stage.pool, &open, &limit);
	assert_int_equal(open, 2);
	assert_int_equal(limit, 2);
	relay_endpoint_remove(record[0].endpoint);
	relay_endpoint_remove(record[1].endpoint);
	stage_empty(&stage);
	stage_add(&stage, &spec);
	stage_end(&stage);
}

/* No descriptor is left when the peer comes: the listening one's place is enough. */
static void test_accepts_with_no_descriptor_left(void **state)
{
	struct record record = { 0 }, none = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);
	struct base_error err = { 0 };
	struct rlimit was, now;
	int fd, port, rc;

	stage_add(*state, &spec);
	port = endpoint_port(record.endpoint);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = (rlim_t)fd; /* below what is open: nothing more can be had */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	spec = stage_server(&none);
	rc = relay_endpoint_add(&none.endpoint, ((struct stage *)*state)->context, &spec, &err);
	{
		struct sockaddr_in to = { .sin_family = AF_INET,
			                  .sin_port = htons((uint16_t)port),
			                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	}
	stage_expect(*state, &record, RELAY_TCP_UP);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(rc, BASE_ERR(BASE_LOCAL, EMFILE));
	close(fd);
	relay_endpoint_remove(record.endpoint);
	stage_empty(*state);
}

static void test_local_port_in_use(void **state)
{
	struct record first = { 0 }, second = { 0 };
	struct relay_endpoint_spec spec = stage_server(&first);
	struct base_error err = { 0 };

	stage_add(*state, &spec);
	spec = stage_server(&second);
	relay_endpoint_local(first.endpoint, &spec.local);
	assert_int_equal(relay_endpoint_add(&second.endpoint, ((struct stage *)*state)->context,
	                                    &spec, &err),
	                 BASE_ERR(BASE_LOCAL, EADDRINUSE));
	assert_non_null(strstr(err.text, "in use"));
	relay_endpoint_remove(first.endpoint);
}

/* ---- the standing listener ---- */

static void test_listener(void **state)
{
	struct stage *stage = *state;
	struct relay_listener *listener;
	struct relay_listener_spec spec = { 0 };
	struct relay_listener_stats stats;
	struct record unused = { 0 };
	struct sockaddr_storage local;
	struct sockaddr_in in;
	int port, backend = peer_listen(&port), near[10], far[10];

	spec.local = stage_server(&unused).local;
	spec.backend = stage_client(&unused, port).remote;
	assert_int_equal(relay_listener_new(&listener, stage->pool, &spec, NULL), 0);
	relay_listener_local(listener, &local);
	memcpy(&in, &local, sizeof(in));
	for (unsigned i = 0; i < BASE_COUNT(near); i++) {
		near[i] = peer_connect(stage, ntohs(in.sin_port));
		assert_true(near[i] >= 0);
		far[i] = peer_accept(stage, backend);
		peers_exchange(stage, near[i], far[i], 100000);
	}
	relay_listener_stats(listener, &stats);
	assert_int_equal(stats.accepted, BASE_COUNT(near));
	assert_int_equal(stats.refused, 0);
	relay_listener_free(listener);
	for (unsigned i = 0; i < BASE_COUNT(near); i++) {
		peers_exchange(stage, near[i], far[i], 1000); /* they live on */
		if (i % 2)
			peer_reset(near[i]);
		else
			close(near[i]);
		assert_int_equal(peer_end(stage, far[i]), i % 2 ? ECONNRESET : 0);
		close(far[i]);
	}
	stage_empty(stage);
	close(backend);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, stage_setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_connect_is_refused),
		TEST(test_connect_times_out),
		TEST(test_nobody_comes),
		TEST(test_accepts_one_only),
		TEST(test_lets_only_the_expected_peer_in),
		TEST(test_connects_when_told),
		TEST(test_linked_setup),
		TEST(test_backend_refuses_linked_setup),
		TEST(test_limit_of_endpoints),
		TEST(test_accepts_with_no_descriptor_left),
		TEST(test_local_port_in_use),
		TEST(test_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
