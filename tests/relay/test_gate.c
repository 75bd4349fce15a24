/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: who may come in, how fast they may send, how our packets are marked. */
#include "check.h"

#include <errno.h>
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <semaphore.h>
#include <unistd.h>

#include "relay/private.h"
#include "stage.h"

static int begin(void **state)
{
	static struct stage stage;
	struct relay_pool_spec spec = { .workers = 1 };

	stage_begin(&stage, &spec);
	*state = &stage;
	return 0;
}

static int end(void **state)
{
	stage_end(*state);
	return 0;
}

static struct relay_source source(const char *text, uint8_t prefix)
{
	struct relay_source s = { .family = strchr(text, ':') ? AF_INET6 : AF_INET,
		                  .prefix = prefix };

	assert_int_equal(inet_pton(s.family, text, s.octets), 1);
	return s;
}

static union relay_address address(const char *text, uint16_t port)
{
	union relay_address a = { .family = AF_INET };

	if (strchr(text, ':')) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
	} else {
		a.in.sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &a.in.sin_addr), 1);
	}
	return a;
}

static bool admits(const struct relay_gate *gate, const char *text, uint16_t port)
{
	union relay_address peer = address(text, port);
	struct relay_door *door = NULL;
	bool yes;

	assert_int_equal(relay_door_new(&door, gate), 0);
	yes = relay_door_admits(door, &peer);
	free(door);
	return yes;
}

static void prefixes_and_ports(void **state)
{
	struct relay_gate gate = { .sources_only = true };

	(void)state;
	assert_false(admits(&gate, "192.0.2.1", 1)); /* nobody is known yet */
	gate.source_count = 2;
	gate.source[0] = source("192.0.2.128", 25);
	gate.source[1] = source("2001:db8::", 33);
	assert_true(admits(&gate, "192.0.2.128", 1));
	assert_true(admits(&gate, "192.0.2.255", 65535));
	assert_false(admits(&gate, "192.0.2.127", 1));
	assert_false(admits(&gate, "193.0.2.128", 1));
	assert_true(admits(&gate, "2001:db8:7fff::1", 1));
	assert_false(admits(&gate, "2001:db8:8000::1", 1));
	gate.source[0].prefix = 0;
	assert_true(admits(&gate, "203.0.113.9", 1));
	gate.port_min = 5000;
	gate.port_max = 5001;
	assert_true(admits(&gate, "203.0.113.9", 5000));
	assert_true(admits(&gate, "203.0.113.9", 5001));
	assert_false(admits(&gate, "203.0.113.9", 4999));
	assert_false(admits(&gate, "203.0.113.9", 5002));
	gate.sources_only = false;
	assert_true(admits(&gate, "198.51.100.1", 5001));
	assert_true(admits(&(struct relay_gate){ 0 }, "198.51.100.1", 1));
}

static void buckets_keep_the_rate(void **state)
{
	struct relay_bucket b = { .rate = { 1000, 500 }, .level = 500000, .filled_ms = 1000 };
	uint64_t pause = 0;

	(void)state;
	assert_int_equal(relay_bucket_quota(&b, 1000, 65536, &pause), 500); /* the burst */
	b.level = 0;
	assert_int_equal(relay_bucket_quota(&b, 1000, 65536, &pause), 0);
	assert_int_equal(pause, 10); /* not for one octet */
	assert_int_equal(relay_bucket_quota(&b, 1010, 65536, &pause), 10);
	assert_int_equal(relay_bucket_quota(&b, 1010, 3, &pause), 3);
	b.level = 0;
	assert_int_equal(relay_bucket_quota(&b, UINT64_MAX, 65536, &pause), 500); /* never more */
	b = (struct relay_bucket){ .rate = { 1, 1 } }; /* an octet a second */
	pause = 0;
	assert_int_equal(relay_bucket_quota(&b, 1, 65536, &pause), 0);
	assert_int_equal(pause, 999);
	b = (struct relay_bucket){ .rate = { UINT32_MAX, 100 } };
	pause = 0;
	assert_int_equal(relay_bucket_quota(&b, 0, 65536, &pause), 0);
	assert_int_equal(pause, 1); /* full again by then */
	assert_int_equal(relay_bucket_quota(&b, 1, 65536, &pause), 100);
	assert_int_equal(relay_bucket_quota(&(struct relay_bucket){ 0 }, 5, 65536, &pause), 65536);
}

/* A listening endpoint, its partner, and the partner's peer. */
struct guarded {
	struct record front, back;
	int listener, far;
};

static void guarded_make(struct stage *stage, struct guarded *g, const struct relay_gate *gate)
{
	struct relay_endpoint_spec spec;
	int port;

	memset(g, 0, sizeof(*g));
	spec = stage_server(&g->front);
	spec.gate = gate;
	stage_add(stage, &spec);
	g->listener = peer_listen(&port);
	spec = stage_client(&g->back, port);
	stage_add(stage, &spec);
	assert_int_equal(relay_endpoint_link(g->front.endpoint, g->back.endpoint), 0);
	g->far = peer_accept(stage, g->listener);
}

static void guarded_done(struct stage *stage, struct guarded *g)
{
	relay_endpoint_remove(g->front.endpoint);
	relay_endpoint_remove(g->back.endpoint);
	close(g->far);
	close(g->listener);
	stage_empty(stage);
}

/* Come again until the worker has heard that we may. */
static int insist(struct stage *stage, struct guarded *g)
{
	for (unsigned i = 0; i < 10000; i++) {
		int fd = peer_connect(stage, endpoint_port(g->front.endpoint));
		struct pollfd p = { .fd = fd, .events = POLLIN };

		while (fd >= 0 && !g->front.count[RELAY_TCP_UP] && poll(&p, 1, 1) == 0)
			assert_int_equal(loop_run_once(stage->control, 0), 0);
		if (g->front.count[RELAY_TCP_UP])
			return fd;
		close(fd);
	}
	fail_msg("never let in");
	return -1;
}

static void a_stranger_is_refused_and_the_wait_goes_on(void **state)
{
	struct relay_gate gate = { .sources_only = true, .source_count = 1 };
	struct guarded g;
	int fd;

	gate.source[0] = source("192.0.2.0", 24);
	guarded_make(*state, &g, &gate);
	for (unsigned i = 1; i <= 3; i++) {
		fd = peer_connect(*state, endpoint_port(g.front.endpoint));
		if (fd >= 0) { /* the reset may be here before us */
			assert_int_equal(peer_end(*state, fd), ECONNRESET);
			close(fd);
		}
	}
	assert_int_equal(endpoint_stats(g.front.endpoint).refused, 3);
	assert_int_equal(g.front.count[RELAY_TCP_UP], 0);
	assert_int_equal(g.front.count[RELAY_TCP_FAILED], 0);

	/* the controller says who may */
	gate.source[0] = source("127.0.0.0", 8);
	assert_int_equal(relay_endpoint_gate_set(g.front.endpoint, &gate), 0);
	fd = insist(*state, &g);
	peer_send(*state, fd, "hello");
	peer_expect(*state, g.far, "hello");

	/* who is in stays in */
	gate.source[0] = source("192.0.2.0", 24);
	assert_int_equal(relay_endpoint_gate_set(g.front.endpoint, &gate), 0);
	peer_send(*state, fd, "still here");
	peer_expect(*state, g.far, "still here");
	close(fd);
	guarded_done(*state, &g);
}

static void a_fast_peer_is_slowed_and_loses_nothing(void **state)
{
	struct relay_gate gate = { .sustained = { 1, 1000 } };
	char text[3001], rest[2001];
	struct guarded g;
	int fd;

	memset(text, 'x', 3000);
	text[3000] = '\0';
	memset(rest, 'x', 2000);
	rest[2000] = '\0';
	guarded_make(*state, &g, &gate);
	fd = peer_connect(*state, endpoint_port(g.front.endpoint));
	peer_send(*state, fd, text);
	text[1000] = '\0';
	peer_expect(*state, g.far, text);
	/* one octet a second: whoever runs this slower than half an hour may fail */
	assert_true(endpoint_stats(g.front.endpoint).wire_in < 2800);
	assert_int_equal(relay_endpoint_gate_set(g.front.endpoint, &(struct relay_gate){ 0 }), 0);
	peer_expect(*state, g.far, rest);
	close(fd);
	guarded_done(*state, &g);
}

/* The smaller bucket rules, and time fills it: all comes, and so does the end. */
static void time_lets_the_rest_through(void **state)
{
	struct relay_gate gate = { .sustained = { 1000000, 4000 }, .peak = { 500000, 100 } };
	char text[4001];
	struct guarded g;
	int fd;

	memset(text, 'y', 4000);
	text[4000] = '\0';
	guarded_make(*state, &g, &gate);
	fd = peer_connect(*state, endpoint_port(g.front.endpoint));
	peer_send(*state, fd, text);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	peer_expect(*state, g.far, text);
	assert_int_equal(peer_end(*state, g.far), 0);
	/* the other way is not policed */
	peer_send(*state, g.far, "answer");
	peer_expect(*state, fd, "answer");
	close(fd);
	guarded_done(*state, &g);
}

/* The worker is held where it tells of a stranger whom it refuses. */
static struct {
	sem_t told, go;
} pause_at;

static void hold_the_worker(void *arg, enum base_level level, const char *line)
{
	(void)arg;
	(void)level;
	if (!strstr(line, "refused peer="))
		return;
	(void)sem_post(&pause_at.told);
	while (sem_wait(&pause_at.go) < 0 && errno == EINTR)
		;
}

/* An order holds for whoever comes after it was given, though the worker is busy with one who came
 * before. */
static void an_order_holds_for_who_comes_after_it(void **state)
{
	struct relay_gate gate = { .sources_only = true };
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);
	int stranger, peer;

	assert_int_equal(sem_init(&pause_at.told, 0, 0) | sem_init(&pause_at.go, 0, 0), 0);
	spec.gate = &gate;
	stage_add(*state, &spec);
	base_log_sink_set(hold_the_worker, NULL);
	stranger = peer_connect(*state, endpoint_port(record.endpoint));
	while (sem_trywait(&pause_at.told) < 0)
		assert_int_equal(loop_run_once(((struct stage *)*state)->control, 1), 0);
	assert_int_equal(relay_endpoint_gate_set(record.endpoint, &(struct relay_gate){ 0 }), 0);
	peer = peer_connect(*state, endpoint_port(record.endpoint));
	(void)sem_post(&pause_at.go);
	(void)sem_post(&pause_at.go); /* should it refuse that one too */
	stage_expect(*state, &record, RELAY_TCP_UP);
	base_log_sink_set(NULL, NULL);
	peer_send(*state, peer, "here");
	close(stranger);
	close(peer);
	relay_endpoint_remove(record.endpoint);
	stage_empty(*state);
}

/* One that waits to be judged is nobody's when its endpoint goes. */
static void who_waits_to_be_judged_goes_with_the_endpoint(void **state)
{
	struct relay_gate gate = { .sources_only = true };
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);
	int stranger, peer;

	assert_int_equal(sem_init(&pause_at.told, 0, 0) | sem_init(&pause_at.go, 0, 0), 0);
	spec.gate = &gate;
	stage_add(*state, &spec);
	base_log_sink_set(hold_the_worker, NULL);
	stranger = peer_connect(*state, endpoint_port(record.endpoint));
	while (sem_trywait(&pause_at.told) < 0)
		assert_int_equal(loop_run_once(((struct stage *)*state)->control, 1), 0);
	peer = peer_connect(*state, endpoint_port(record.endpoint));
	relay_endpoint_remove(record.endpoint);
	(void)sem_post(&pause_at.go);
	(void)sem_post(&pause_at.go);
	assert_int_equal(peer_end(*state, peer), ECONNRESET);
	base_log_sink_set(NULL, NULL);
	assert_int_equal(record.count[RELAY_TCP_UP], 0);
	close(stranger);
	close(peer);
	stage_empty(*state);
}

/** Address of one side of a socket, as a number to compare; 0 when there is none. */
static uint64_t side(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in in = { 0 };
	socklen_t len = sizeof(in);

	if (name(fd, (struct sockaddr *)&in, &len) != 0 || in.sin_family != AF_INET)
		return 0;
	return (uint64_t)in.sin_addr.s_addr << 16 | in.sin_port;
}

/** The mark of the socket at the other end of our `fd`; it is in this process too. */
static int tos_at(int fd)
{
	uint64_t here = side(fd, getsockname), there = side(fd, getpeername);
	socklen_t len = sizeof(int);
	int tos = -1;

	for (int s = 3; s < 1024; s++) {
		if (side(s, getpeername) == here && side(s, getsockname) == there)
			assert_int_equal(getsockopt(s, IPPROTO_IP, IP_TOS, &tos, &len), 0);
	}
	assert_int_not_equal(tos, -1);
	return tos;
}

static void packets_are_marked(void **state)
{
	struct relay_gate gate = { .dscp = 46 };
	struct relay_endpoint_spec spec;
	struct guarded g;
	struct record third = { 0 };
	uint8_t syn[128];
	socklen_t len = sizeof(syn);
	int fd, port, on = 1;

	guarded_make(*state, &g, &gate);
	fd = peer_connect(*state, endpoint_port(g.front.endpoint));
	stage_expect(*state, &g.front, RELAY_TCP_UP);
	assert_int_equal(tos_at(fd), 46 << 2);
	stage_expect(*state, &g.back, RELAY_TCP_UP);
	assert_int_equal(tos_at(g.far), 0);

	gate.dscp = 10;
	assert_int_equal(relay_endpoint_gate_set(g.front.endpoint, &gate), 0);
	assert_int_equal(relay_endpoint_gate_set(g.back.endpoint, &gate), 0);
	peer_send(*state, fd, "a");
	peer_expect(*state, g.far, "a"); /* the orders came before it, on the same worker */
	while (tos_at(fd) != 10 << 2 || tos_at(g.far) != 10 << 2)
		assert_int_equal(loop_run_once(((struct stage *)*state)->control, 1), 0);
	assert_int_equal(relay_endpoint_gate_set(g.front.endpoint, &(struct relay_gate){ 0 }), 0);
	while (tos_at(fd))
		assert_int_equal(loop_run_once(((struct stage *)*state)->control, 1), 0);
	close(fd);
	guarded_done(*state, &g);

	/* a client's SYN has it already, as its peer sees */
	fd = peer_listen(&port);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof(on)), 0);
	spec = stage_client(&third, port);
	gate.dscp = 63;
	spec.gate = &gate;
	stage_add(*state, &spec);
	port = peer_accept(*state, fd);
	assert_int_equal(getsockopt(port, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len), 0);
	assert_true(len >= 20);
	assert_int_equal(syn[1] >> 2, 63);
	relay_endpoint_remove(third.endpoint);
	close(port);
	close(fd);
	stage_empty(*state);
}

static void six_is_marked_too(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct relay_gate gate = { .dscp = 34 };
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);
	struct base_error err = { 0 };
	socklen_t len = sizeof(int);
	int value = -1;

	memset(&spec.local, 0, sizeof(spec.local));
	memcpy(&spec.local, &in6, sizeof(in6));
	spec.gate = &gate;
	if (relay_endpoint_add(&record.endpoint, ((struct stage *)*state)->context, &spec, &err)) {
		print_message("no IPv6 here: %s\n", err.text);
		skip();
	}
	assert_int_equal(
	        getsockopt(record.endpoint->leg.watch.fd, IPPROTO_IPV6, IPV6_TCLASS, &value, &len),
	        0);
	assert_int_equal(value, 34 << 2);
	relay_endpoint_remove(record.endpoint);
	stage_empty(*state);
}

/* A gate that is ordered for one that has ended, and one whose endpoint never began. */
static void gates_are_freed(void **state)
{
	struct relay_gate gate = { .dscp = 1, .sustained = { 1, 1 } };
	struct record record = { 0 };
	struct relay_endpoint_spec spec = stage_server(&record);

	spec.gate = &gate;
	stage_add(*state, &spec);
	assert_int_equal(relay_endpoint_release(record.endpoint, true), 0);
	stage_expect(*state, &record, RELAY_TCP_DOWN);
	assert_int_equal(relay_endpoint_gate_set(record.endpoint, &gate), 0);
	relay_endpoint_remove(record.endpoint);
	stage_empty(*state);
	memset(&record, 0, sizeof(record));
	stage_add(*state, &spec);
	assert_int_equal(relay_endpoint_gate_set(record.endpoint, &gate), 0);
}

#define GATE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_and_ports),
		cmocka_unit_test(buckets_keep_the_rate),
		GATE(a_stranger_is_refused_and_the_wait_goes_on),
		GATE(a_fast_peer_is_slowed_and_loses_nothing),
		GATE(time_lets_the_rest_through),
		GATE(an_order_holds_for_who_comes_after_it),
		GATE(who_waits_to_be_judged_goes_with_the_endpoint),
		GATE(packets_are_marked),
		GATE(six_is_marked_too),
		GATE(gates_are_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
