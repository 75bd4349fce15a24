/* SPDX-License-Identifier: Apache-2.0 */
/* Datagram endpoints in the clear, with real sockets on loopback (docs/datagrams.md). */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "relay/dgram.h"
#include "udp_peer.h"

static const struct relay_dgram_spec any = { 0 };
static const struct relay_dgram_spec rtp = { .rtp = true, .rtcp_port = true };

static void datagrams_go_both_ways_and_stay_what_they_are(void **state)
{
	struct stage *stage = *state;
	uint8_t data[200 + RELAY_SLOT_SIZE];
	struct relay_stats stats;
	struct udp_pair call;
	size_t octets = 0;

	udp_pair_make(stage, &call, &any, &any);
	for (size_t i = 1; i <= 100; i++) { /* more than a batch, of every length */
		octets += i * 7;
		memset(data, (int)i, i * 7);
		udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, i * 7);
	}
	for (size_t i = 1; i <= 100; i++) {
		memset(data, (int)i, i * 7);
		udp_expect(stage, call.peer[1][0], data, i * 7);
	}
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), "back", 4);
	udp_expect(stage, call.peer[0][0], "back", 4);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_in, 100);
	STAGE_COUNT(stage, call.end[1].endpoint, packets_out, 100);
	stats = endpoint_stats(call.end[0].endpoint);
	assert_int_equal(stats.octets_in, octets);
	assert_int_equal(stats.wire_in, octets);
	STAGE_COUNT(stage, call.end[0].endpoint, octets_out, 4);
	assert_int_equal(stats.packets_lost, 0);
	assert_int_equal(call.end[0].count[RELAY_TCP_UP], 0);
	udp_pair_done(&call);
	stage_empty(stage);
}

static void what_does_not_fit_a_slot_is_lost(void **state)
{
	struct stage *stage = *state;
	uint8_t data[RELAY_SLOT_SIZE] = { 0 };
	struct udp_pair call;

	udp_pair_make(stage, &call, &any, &any);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, RELAY_DGRAM_MAX + 1);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, 0);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, RELAY_DGRAM_MAX);
	udp_expect(stage, call.peer[1][0], data, RELAY_DGRAM_MAX);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_lost, 2);
	udp_pair_done(&call);
}

static void modes_drop_and_keep_nothing(void **state)
{
	struct stage *stage = *state;
	struct udp_pair call;

	udp_pair_make(stage, &call, &any, &any);
	assert_int_equal(relay_endpoint_mode_set(call.end[0].endpoint, true, false), 0);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "one", 3);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_lost, 1);
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), "two", 3);
	udp_expect(stage, call.peer[0][0], "two", 3);
	assert_int_equal(relay_endpoint_mode_set(call.end[0].endpoint, false, true), 0);
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), "three", 5);
	STAGE_COUNT(stage, call.end[1].endpoint, packets_lost, 1);
	assert_int_equal(relay_endpoint_mode_set(call.end[0].endpoint, true, true), 0);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "four", 4);
	udp_expect(stage, call.peer[1][0], "four", 4);
	udp_nothing(call.peer[0][0]);
	udp_pair_done(&call);
}

static void latching_makes_the_first_source_the_remote_side(void **state)
{
	static const struct relay_dgram_spec latch = { .latch = true };
	struct stage *stage = *state;
	struct udp_pair call;
	int port, fd = udp_peer(&port);

	udp_pair_make(stage, &call, &latch, &any);
	udp_send(fd, udp_pair_port(&call, 0), "mine", 4); /* not whom Remote names */
	udp_expect(stage, call.peer[1][0], "mine", 4);
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), "yours", 5);
	udp_expect(stage, fd, "yours", 5);
	/* Another one may still send, and changes nothing. */
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "other", 5);
	udp_expect(stage, call.peer[1][0], "other", 5);
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), "still", 5);
	udp_expect(stage, fd, "still", 5);
	udp_nothing(call.peer[0][0]);
	close(fd);
	udp_pair_done(&call);
}

struct turn {
	int from, port, to;
};

/* Send until it comes there: an order is on its way to the worker. */
static bool has_turned(void *arg)
{
	const struct turn *t = arg;
	char buf[8];

	udp_send(t->from, t->port, "turn", 4);
	return recv(t->to, buf, sizeof(buf), MSG_DONTWAIT) == 4;
}

/* Who has latched and is kept out later is not sent to any more; the next one may latch. */
static void who_is_kept_out_has_not_latched(void **state)
{
	static const struct relay_dgram_spec latch = { .latch = true };
	struct stage *stage = *state;
	struct relay_gate gate = { 0 };
	struct udp_pair call;
	int port, fd = udp_peer(&port), next_port, next = udp_peer(&next_port);

	udp_pair_make(stage, &call, &latch, &any);
	udp_send(fd, udp_pair_port(&call, 0), "mine", 4);
	udp_expect(stage, call.peer[1][0], "mine", 4);
	gate.port_min = gate.port_max = (uint16_t)port; /* it may */
	assert_int_equal(relay_endpoint_gate_set(call.end[0].endpoint, &gate), 0);
	udp_send(next, udp_pair_port(&call, 0), "?", 1);
	STAGE_COUNT(stage, call.end[0].endpoint, refused, 1);
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), "still", 5);
	udp_expect(stage, fd, "still", 5);
	gate.port_min = gate.port_max = (uint16_t)next_port; /* it may not */
	assert_int_equal(relay_endpoint_gate_set(call.end[0].endpoint, &gate), 0);
	stage_wait(stage, has_turned,
	           &(struct turn){ call.peer[1][0], udp_pair_port(&call, 1), call.peer[0][0] });
	udp_send(next, udp_pair_port(&call, 0), "me", 2);
	udp_expect(stage, call.peer[1][0], "me", 2);
	stage_wait(stage, has_turned,
	           &(struct turn){ call.peer[1][0], udp_pair_port(&call, 1), next });
	close(fd);
	close(next);
	udp_pair_done(&call);
}

static void nobody_is_sent_anything_before_remote_is_known(void **state)
{
	struct stage *stage = *state;
	struct relay_endpoint_spec spec;
	struct udp_pair call;
	struct record late = { 0 };

	udp_pair_make(stage, &call, &any, &any);
	spec = stage_datagrams(&late, 0, &any);
	stage_add(stage, &spec);
	assert_int_equal(relay_endpoint_link(call.end[0].endpoint, late.endpoint), 0);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "lost", 4);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_lost, 1);
	spec = stage_client(&late, call.port[1]);
	assert_int_equal(relay_endpoint_dgram_set(late.endpoint, &spec.remote, &any), 0);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "found", 5);
	udp_expect(stage, call.peer[1][0], "found", 5);
	relay_endpoint_remove(late.endpoint);
	udp_pair_done(&call);
}

static void the_gate_keeps_out_and_drops_what_is_too_fast(void **state)
{
	struct stage *stage = *state;
	struct relay_gate gate = { .sources_only = true };
	struct udp_pair call;
	uint8_t data[600] = { 0 };

	udp_pair_make(stage, &call, &any, &any);
	assert_int_equal(relay_endpoint_gate_set(call.end[0].endpoint, &gate), 0);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "no", 2);
	STAGE_COUNT(stage, call.end[0].endpoint, refused, 1);
	gate.source_count = 1;
	gate.source[0] = (struct relay_source){ .family = AF_INET, .prefix = 8, .octets = { 127 } };
	gate.port_min = gate.port_max = (uint16_t)call.port[0];
	gate.sustained = (struct relay_rate){ 1, 1000 };
	assert_int_equal(relay_endpoint_gate_set(call.end[0].endpoint, &gate), 0);
	udp_send(call.peer[0][1], udp_pair_port(&call, 0), "no", 2); /* another port */
	STAGE_COUNT(stage, call.end[0].endpoint, refused, 2);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, sizeof(data));
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data,
	         sizeof(data)); /* beyond the burst */
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, 300);
	udp_expect(stage, call.peer[1][0], data, sizeof(data));
	udp_expect(stage, call.peer[1][0], data, 300);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_lost, 1);
	udp_pair_done(&call);
}

static void it_outlives_its_partner_and_its_peer(void **state)
{
	struct stage *stage = *state;
	struct relay_endpoint_spec spec;
	struct record next = { 0 };
	struct udp_pair call;
	int port, fd = udp_peer(&port);

	udp_pair_make(stage, &call, &any, &any);
	/* Nobody is there: ICMP says so, again and again. */
	close(call.peer[1][0]);
	for (unsigned i = 0; i < 3; i++) {
		udp_send(call.peer[0][0], udp_pair_port(&call, 0), "gone", 4);
		STAGE_COUNT(stage, call.end[1].endpoint, packets_out, i + 1);
	}
	call.peer[1][0] = udp_peer(&call.port[1]);
	assert_int_equal(relay_endpoint_release(call.end[1].endpoint, true), 0);
	stage_expect(stage, &call.end[1], RELAY_TCP_DOWN);
	assert_int_equal(call.end[1].last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	spec = stage_datagrams(&next, port, &any);
	stage_add(stage, &spec);
	assert_int_equal(relay_endpoint_link(call.end[0].endpoint, next.endpoint), 0);
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "next", 4);
	udp_expect(stage, fd, "next", 4);
	assert_int_equal(call.end[0].count[RELAY_TCP_DOWN], 0);
	relay_endpoint_remove(next.endpoint);
	udp_pair_done(&call);
	close(fd);
	stage_empty(stage);
}

static void a_port_has_one_owner_and_is_free_again(void **state)
{
	struct stage *stage = *state;
	struct record one = { 0 }, two = { 0 };
	struct relay_endpoint_spec spec = stage_datagrams(&one, 0, &rtp);
	struct base_error err = { 0 };

	stage_add(stage, &spec);
	spec = stage_datagrams(&two, 0, &rtp);
	relay_endpoint_local(one.endpoint, &spec.local);
	assert_int_equal(
	        base_err_detail(relay_endpoint_add(&two.endpoint, stage->context, &spec, &err)),
	        EADDRINUSE);
	/* Its RTCP port is taken, too. */
	((struct sockaddr_in *)&spec.local)->sin_port =
	        htons((uint16_t)(endpoint_port(one.endpoint) + 1));
	spec.dgram = &any;
	assert_int_equal(
	        base_err_detail(relay_endpoint_add(&two.endpoint, stage->context, &spec, &err)),
	        EADDRINUSE);
	relay_endpoint_local(one.endpoint, &spec.local);
	relay_endpoint_remove(one.endpoint);
	stage_empty(stage);
	spec.dgram = &rtp;
	stage_add(stage, &spec);
	relay_endpoint_remove(two.endpoint);
	stage_empty(stage);
}

struct knock {
	int fd, port;
	const struct relay_endpoint *endpoint;
};

/* Until the worker has turned the socket to it the kernel has nobody for it. */
static bool is_heard(void *arg)
{
	const struct knock *k = arg;

	udp_send(k->fd, k->port, "now", 3);
	return endpoint_stats(k->endpoint).packets_in > 1;
}

/* Five peers and one port; endpoints on both workers. */
static void a_shared_port_tells_its_peers_apart(void **state)
{
	static const struct relay_dgram_spec shared = { .shared = true };
	struct stage *stage = *state;
	struct record end[5] = { 0 }, back = { 0 };
	struct relay_context *context[5];
	struct relay_endpoint_spec spec;
	struct base_error err = { 0 };
	int peer[5], port[5], to = 0, stranger, far_port, far = udp_peer(&far_port);

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(relay_context_new(&context[i], stage->pool), 0);
		peer[i] = udp_peer(&port[i]);
		spec = stage_datagrams(&end[i], port[i], &shared);
		((struct sockaddr_in *)&spec.local)->sin_port = htons((uint16_t)to);
		assert_int_equal(relay_endpoint_add(&end[i].endpoint, context[i], &spec, &err), 0);
		to = endpoint_port(end[i].endpoint);
	}
	/* One peer is one endpoint's, and without a peer there is none. */
	assert_int_equal(
	        base_err_detail(relay_endpoint_add(&back.endpoint, stage->context, &spec, &err)),
	        EADDRINUSE);
	memset(&spec.remote, 0, sizeof(spec.remote));
	assert_int_equal(
	        base_err_detail(relay_endpoint_add(&back.endpoint, stage->context, &spec, &err)),
	        EDESTADDRREQ);
	/* Nor is it anybody's who is not of that kind. */
	spec.dgram = &any;
	assert_int_equal(
	        base_err_detail(relay_endpoint_add(&back.endpoint, stage->context, &spec, &err)),
	        EADDRINUSE);
	stranger = udp_peer(&port[0]);
	for (unsigned i = 0; i < 5; i++) {
		spec = stage_datagrams(&back, far_port, &any);
		assert_int_equal(relay_endpoint_add(&back.endpoint, context[i], &spec, &err), 0);
		assert_int_equal(relay_endpoint_link(end[i].endpoint, back.endpoint), 0);
		udp_send(stranger, to, "?", 1); /* goes nowhere: all sockets have their peer */
		udp_send(peer[i], to, &"abcde"[i], 1);
		udp_expect(stage, far, &"abcde"[i], 1);
		udp_send(far, endpoint_port(back.endpoint), "back", 4);
		udp_expect(stage, peer[i], "back", 4);
		relay_endpoint_remove(back.endpoint);
	}
	/* Its peer may change, but not for one that another has. */
	spec = stage_client(&back, port[1]);
	assert_int_equal(
	        base_err_detail(relay_endpoint_dgram_set(end[0].endpoint, &spec.remote, &shared)),
	        EADDRINUSE);
	/* One that is planned is nobody else's until it is given, or forgotten. */
	assert_int_equal(base_err_detail(relay_endpoint_peer_keep(end[0].endpoint, &spec.remote)),
	                 EADDRINUSE);
	spec = stage_client(&back, port[0]);
	assert_int_equal(relay_endpoint_peer_keep(end[0].endpoint, &spec.remote), 0);
	assert_int_equal(base_err_detail(relay_endpoint_peer_keep(end[1].endpoint, &spec.remote)),
	                 EADDRINUSE);
	assert_int_equal(relay_endpoint_peer_keep(end[0].endpoint, NULL), 0);
	assert_int_equal(relay_endpoint_peer_keep(end[1].endpoint, &spec.remote), 0);
	assert_int_equal(relay_endpoint_peer_keep(end[1].endpoint, NULL), 0);
	assert_int_equal(relay_endpoint_peer_keep(end[0].endpoint, &spec.remote), 0);
	assert_int_equal(relay_endpoint_dgram_set(end[0].endpoint, &spec.remote, &shared), 0);
	assert_null(end[0].endpoint->kept);
	stage_wait(stage, is_heard, &(struct knock){ stranger, to, end[0].endpoint });
	udp_nothing(far);
	for (unsigned i = 0; i < 5; i++) {
		if (i)
			assert_int_equal(endpoint_stats(end[i].endpoint).packets_in, 1);
		relay_endpoint_remove(end[i].endpoint);
		close(peer[i]);
	}
	stage_empty(stage);
	close(stranger);
	close(far);
	for (unsigned i = 0; i < 5; i++)
		relay_context_free(context[i]);
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

static void it_goes_to_another_worker_with_its_ports(void **state)
{
	static const uint8_t report[] = { 0x80, 201, 0, 1, 1, 2, 3, 4 };
	struct stage *stage = *state;
	struct relay_context *there = NULL;
	struct arrival a;
	struct udp_pair call;
	uint8_t data[40];

	udp_pair_make(stage, &call, &rtp, &rtp);
	assert_int_equal(relay_context_new(&there, stage->pool), 0);
	for (unsigned i = 0; i < 2; i++) {
		a = (struct arrival){ call.end[i].endpoint, stage->context };
		assert_int_equal(relay_endpoint_link(a.endpoint, NULL), 0);
		relay_endpoint_move(a.endpoint, there);
		stage_wait(stage, has_arrived, &a);
	}
	assert_int_equal(relay_endpoint_link(call.end[0].endpoint, call.end[1].endpoint), 0);
	rtp_packet(data, 7, sizeof(data));
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, sizeof(data));
	udp_expect(stage, call.peer[1][0], data, sizeof(data));
	udp_send(call.peer[1][1], udp_pair_port(&call, 1) + 1, report, sizeof(report));
	udp_expect(stage, call.peer[0][1], report, sizeof(report));
	udp_pair_done(&call);
	stage_empty(stage);
	relay_context_free(there);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(datagrams_go_both_ways_and_stay_what_they_are),
		TEST(what_does_not_fit_a_slot_is_lost),
		TEST(modes_drop_and_keep_nothing),
		TEST(latching_makes_the_first_source_the_remote_side),
		TEST(who_is_kept_out_has_not_latched),
		TEST(nobody_is_sent_anything_before_remote_is_known),
		TEST(the_gate_keeps_out_and_drops_what_is_too_fast),
		TEST(it_outlives_its_partner_and_its_peer),
		TEST(a_port_has_one_owner_and_is_free_again),
		TEST(a_shared_port_tells_its_peers_apart),
		TEST(it_goes_to_another_worker_with_its_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
