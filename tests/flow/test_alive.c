/* SPDX-License-Identifier: Apache-2.0 */
/* Keep-alives (RFC 5626, 4.4, 5.4 and 8): CRLF and STUN, asked, answered and missed. */
#include <sys/socket.h>
#include <unistd.h>

#include "flow/stun.h"
#include "station.h"

#define ALL (1U << FLOW_UDP | 1U << FLOW_TCP | 1U << FLOW_TLS)

static struct station near, far;

static const struct flow_config stun = { .stun = true };

static void asked_of_one_flow(void **state)
{
	struct sip_flow flow;

	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, NULL, ALL);
	flow = call(&near, 1, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&far, far.count == 1);
	assert_true(flows_ping(near.flows, flow.id, 20));
	UNTIL(&far, flows_count(far.flows)->pings >= 3);
	/* the other way, too, and only where it is asked for */
	assert_true(flows_ping(near.flows, flow.id, 0));
	assert_true(flows_ping(far.flows, far.from.id, 20));
	UNTIL(&far, flows_count(near.flows)->pings >= 3);
	assert_int_equal(near.lost + far.lost, 0);
	assert_false(flows_ping(near.flows, 999, 20));
	station_close(&near);
	station_close(&far);
}

static void who_keeps_silent(void **state)
{
	struct sip_flow flow;

	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, NULL, ALL);
	flow = call(&near, 1, uri_of(&far, FLOW_TLS), 0);
	UNTIL(&far, far.count == 1);
	/* taken back */
	assert_true(flows_ping_expected(far.flows, far.from.id, 20));
	assert_true(flows_ping_expected(far.flows, far.from.id, 0));
	assert_true(flows_ping(near.flows, flow.id, 10));
	UNTIL(&far, flows_count(far.flows)->pings >= 5);
	assert_int_equal(far.lost, 0);
	assert_true(flows_ping(near.flows, flow.id, 0));
	assert_true(flows_ping_expected(far.flows, far.from.id, 30));
	UNTIL(&far, far.lost == 1);
	assert_non_null(strstr(far.why, "RFC 5626, 5.4"));
	assert_int_equal(flows_count(far.flows)->silent, 1);
	UNTIL(&near, near.lost == 1);
	assert_false(flows_ping_expected(far.flows, far.from.id, 30));
	station_close(&near);
	station_close(&far);
}

/* RFC 5626, 4.4.1 and 4.4.2: who does not answer is gone. */
static void who_does_not_answer(void **state)
{
	static const struct flow_config often = { .ping_ms = 20, .pong_ms = 30, .stun_rto_ms = 1 };
	static const char *const why[] = {
		[FLOW_UDP] = "RFC 5626, 4.4.2", [FLOW_TCP] = "RFC 5626, 4.4.1"
	};

	for (unsigned i = FLOW_UDP; i <= FLOW_TCP; i++) {
		struct flow_target to = { .transport = (enum flow_transport)i };
		int fd = socket(AF_INET, i == FLOW_UDP ? SOCK_DGRAM : SOCK_STREAM, 0);
		socklen_t len = sizeof(to.addr);
		struct sip_flow flow;

		assert_int_equal(stream_addr_parse(&to.addr, BASE_STR("127.0.0.1:0"), NULL), 0);
		assert_int_equal(bind(fd, &to.addr.sa, stream_addr_len(&to.addr)), 0);
		assert_int_equal(getsockname(fd, &to.addr.sa, &len), 0);
		if (i == FLOW_TCP) /* the kernel takes it, and nobody else */
			assert_int_equal(listen(fd, 1), 0);
		station_open(&near, *state, &often, 0);
		assert_int_equal(flows_to(near.flows, &to, NULL, &flow), 0);
		assert_int_equal(
		        flows_send(near.flows, flow, BASE_STR("OPTIONS sip:x SIP/2.0\r\n\r\n")), 0);
		assert_true(flows_ping(near.flows, flow.id, 20));
		UNTIL(&near, near.lost == 1);
		assert_non_null(strstr(near.why, why[i]));
		assert_int_equal(flows_count(near.flows)->silent, 1);
		close(fd);
		station_close(&near);
	}
}

/* A socket that is connected to where `far` takes datagrams. */
static int stranger(void)
{
	const union stream_addr *at = &far.at[FLOW_UDP];
	int fd = socket(at->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &at->sa, stream_addr_len(at)), 0);
	return fd;
}

/* Numbers as they stand in the RFC, not as ours does them (R). */
static void stun_is_answered(void **state)
{
	static const uint8_t ask[] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,  2,
		                       3, 4, 5, 6, 7,    8,    9,    10,   11, 12 };
	static const uint8_t attribute[8] = { 0x7f, 0x01, 0, 1, 'x' };
	uint8_t got[100], unknown[sizeof(ask) + sizeof(attribute)];
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	int fd;

	station_open(&far, *state, &stun, ALL);
	fd = stranger();
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	assert_int_equal(send(fd, ask, sizeof(ask), 0), sizeof(ask));
	UNTIL(&far, flows_count(far.flows)->stuns == 1);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 32);
	assert_memory_equal(got, "\x01\x01\x00\x0c\x21\x12\xa4\x42", 8);
	assert_memory_equal(got + 8, ask + 8, 12);
	assert_memory_equal(got + 20, "\x00\x20\x00\x08\x00\x01", 6);
	assert_int_equal(got[26] << 8 | got[27], ntohs(own.sin_port) ^ 0x2112);
	assert_memory_equal(got + 28, "\x5e\x12\xa4\x43", 4); /* 127.0.0.1 */
	/* an attribute that has to be known and is not: 420, with its number */
	memcpy(unknown, ask, sizeof(ask));
	memcpy(unknown + sizeof(ask), attribute, sizeof(attribute));
	unknown[3] = 8;
	assert_int_equal(send(fd, unknown, sizeof(unknown), 0), sizeof(unknown));
	UNTIL(&far, flows_count(far.flows)->stuns == 2);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 36);
	assert_memory_equal(got, "\x01\x11\x00\x10", 4);
	assert_memory_equal(got + 20, "\x00\x09\x00\x04\x00\x00\x04\x14\x00\x0a\x00\x02\x7f\x01",
	                    14);
	assert_int_equal(flows_count(far.flows)->strays + far.count, 0);
	close(fd);
	station_close(&far);
}

static void stun_is_not_answered_unless_asked_for(void **state)
{
	static const uint8_t ask[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	int fd;

	station_open(&far, *state, NULL, ALL);
	fd = stranger();
	assert_int_equal(send(fd, ask, sizeof(ask), 0), sizeof(ask));
	assert_int_equal(send(fd, "OPTIONS sip:x SIP/2.0\r\n\r\n", 25, 0), 25);
	UNTIL(&far, far.count == 1);
	assert_int_equal(flows_count(far.flows)->stuns, 0);
	close(fd);
	station_close(&far);
}

static void stun_keeps_a_flow(void **state)
{
	struct sip_flow flow;

	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, &stun, ALL);
	flow = call(&near, 1, uri_of(&far, FLOW_UDP), 0);
	UNTIL(&far, far.count == 1);
	assert_true(flows_ping(near.flows, flow.id, 20));
	UNTIL(&far, flows_count(far.flows)->stuns >= 3);
	assert_int_equal(near.lost, 0);
	station_close(&near);
	station_close(&far);
}

/* Who has been silent longest is forgotten first, and who keeps alive is not silent. */
static void stun_is_heard(void **state)
{
	static const struct flow_config few = { .stun = true, .flows_max = 2 };
	static const uint8_t ask[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	struct flow_info info;
	uint64_t id[3];
	int fd[3];

	station_open(&far, *state, &few, ALL);
	for (unsigned i = 0; i < 3; i++) {
		fd[i] = stranger();
		if (i == 2) {
			assert_int_equal(send(fd[0], ask, sizeof(ask), 0), sizeof(ask));
			UNTIL(&far, flows_count(far.flows)->stuns == 1);
		}
		assert_int_equal(send(fd[i], "OPTIONS sip:x SIP/2.0\r\n\r\n", 25, 0), 25);
		UNTIL(&far, far.count == i + 1);
		id[i] = far.from.id;
	}
	assert_true(flows_info(far.flows, id[0], &info));
	assert_false(flows_info(far.flows, id[1], &info));
	assert_true(flows_info(far.flows, id[2], &info));
	for (unsigned i = 0; i < 3; i++)
		close(fd[i]);
	station_close(&far);
}

/* A server that has seen us elsewhere the second time. */
static void seen_elsewhere(void **state)
{
	struct flow_target to = { .transport = FLOW_UDP };
	socklen_t len = sizeof(to.addr);
	uint8_t first[STUN_ID];
	struct sip_flow flow;
	bool asked = false;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(stream_addr_parse(&to.addr, BASE_STR("127.0.0.1:0"), NULL), 0);
	assert_int_equal(bind(fd, &to.addr.sa, stream_addr_len(&to.addr)), 0);
	assert_int_equal(getsockname(fd, &to.addr.sa, &len), 0);
	station_open(&near, *state, NULL, 0);
	assert_int_equal(flows_to(near.flows, &to, NULL, &flow), 0);
	assert_int_equal(flows_send(near.flows, flow, BASE_STR("OPTIONS sip:x SIP/2.0\r\n\r\n")),
	                 0);
	assert_true(flows_ping(near.flows, flow.id, 10));
	while (!near.lost) {
		struct stun_message m;
		uint8_t octets[100], out[STUN_ANSWER_MAX];
		struct base_writer w = base_writer_over(out, sizeof(out));
		union stream_addr from;
		ssize_t n;

		len = sizeof(from);
		n = recvfrom(fd, octets, sizeof(octets), 0, &from.sa, &len);
		if (n < 0) {
			assert_int_equal(loop_run_once(streams_loop(*state), 50), 0);
			continue;
		}
		if (stun_parse(&m, (struct base_str){ (char *)octets, (size_t)n }) != STUN_REQUEST)
			continue;
		if (!asked)
			memcpy(first, m.id, STUN_ID);
		asked = true; /* a repetition has the same id */
		if (memcmp(first, m.id, STUN_ID) != 0) {
			union stream_addr other = from;

			other.in.sin_port ^= htons(1);
			stun_answer(&m, &other, &w);
		} else {
			stun_answer(&m, &from, &w);
		}
		assert_true(sendto(fd, w.data, w.len, 0, &from.sa, len) > 0);
	}
	assert_non_null(strstr(near.why, "another address"));
	close(fd);
	station_close(&near);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(asked_of_one_flow),   CASE(who_keeps_silent),
		CASE(stun_is_answered),    CASE(stun_is_not_answered_unless_asked_for),
		CASE(stun_keeps_a_flow),   CASE(stun_is_heard),
		CASE(who_does_not_answer), CASE(seen_elsewhere),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
