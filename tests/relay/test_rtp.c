/* SPDX-License-Identifier: Apache-2.0 */
/* RTP and RTCP through datagram endpoints in the clear: ports, and what gets through. */
#include "check.h"

#include <unistd.h>

#include "relay/dgram.h"
#include "udp_peer.h"

static const struct relay_dgram_spec any = { 0 };
static const struct relay_dgram_spec rtp = { .rtp = true, .rtcp_port = true };
static const struct relay_dgram_spec muxed = { .rtp = true, .rtcp_mux = true };

static void rtcp_has_the_next_port_or_the_same(void **state)
{
	static const uint8_t report[] = { 0x81, 200, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct stage *stage = *state;
	struct udp_pair call;
	uint8_t data[172];
	int from;

	udp_pair_make(stage, &call, &rtp, &muxed);
	assert_int_equal(udp_pair_port(&call, 0) % 2, 0);
	/* From its own port to the one port of the other end, and back. */
	udp_send(call.peer[0][1], udp_pair_port(&call, 0) + 1, report, sizeof(report));
	assert_int_equal(udp_receive(stage, call.peer[1][0], data, sizeof(data), &from),
	                 sizeof(report));
	assert_int_equal(from, udp_pair_port(&call, 1));
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), report, sizeof(report));
	assert_int_equal(udp_receive(stage, call.peer[0][1], data, sizeof(data), &from),
	                 sizeof(report));
	assert_int_equal(from, udp_pair_port(&call, 0) + 1);
	/* Media is not taken for it, though it has a marker bit. */
	rtp_packet(data, 1, sizeof(data));
	data[1] = 0x80 | 96;
	udp_send(call.peer[1][0], udp_pair_port(&call, 1), data, sizeof(data));
	udp_expect(stage, call.peer[0][0], data, sizeof(data));
	STAGE_COUNT(stage, call.end[1].endpoint, packets_in, 1);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_out, 1);
	udp_pair_done(&call);
}

static void rtcp_goes_with_the_media_once_both_sides_say_so(void **state)
{
	static const struct relay_dgram_spec offered = { .rtp = true,
		                                         .rtcp_port = true,
		                                         .rtcp_mux = true };
	static const uint8_t report[] = { 0x81, 200, 0, 1, 1, 2, 3, 4 };
	struct stage *stage = *state;
	struct relay_dgram_spec agreed = offered;
	struct udp_pair call;
	uint8_t data[40];
	int from;

	udp_pair_make(stage, &call, &offered, &rtp);
	/* Before the answer it may come either way (RFC 5761, 5.1.1). */
	udp_send(call.peer[0][1], udp_pair_port(&call, 0) + 1, report, sizeof(report));
	udp_expect(stage, call.peer[1][1], report, sizeof(report));
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), report, sizeof(report));
	udp_expect(stage, call.peer[1][1], report, sizeof(report));
	agreed.rtcp_remote = stage_client(&call.end[0], call.port[0]).remote;
	agreed.latch = true;
	assert_int_equal(
	        relay_endpoint_dgram_set(call.end[0].endpoint, &agreed.rtcp_remote, &agreed), 0);
	udp_send(call.peer[1][1], udp_pair_port(&call, 1) + 1, report, sizeof(report));
	assert_int_equal(udp_receive(stage, call.peer[0][0], data, sizeof(data), &from),
	                 sizeof(report));
	assert_int_equal(from, udp_pair_port(&call, 0)); /* one port means one port */
	/* Latching keeps that. */
	rtp_packet(data, 1, sizeof(data));
	udp_send(call.peer[0][1], udp_pair_port(&call, 0), data, sizeof(data));
	udp_expect(stage, call.peer[1][0], data, sizeof(data));
	udp_send(call.peer[1][1], udp_pair_port(&call, 1) + 1, report, sizeof(report));
	udp_expect(stage, call.peer[0][1], report, sizeof(report));
	udp_pair_done(&call);
}

static void rtcp_may_be_declined(void **state)
{
	static const struct relay_dgram_spec declined = { .rtp = true };
	static const uint8_t report[] = { 0x81, 200, 0, 1, 1, 2, 3, 4 };
	struct stage *stage = *state;
	struct udp_pair call;

	udp_pair_make(stage, &call, &rtp, &declined);
	udp_send(call.peer[0][1], udp_pair_port(&call, 0) + 1, report, sizeof(report));
	STAGE_COUNT(stage, call.end[0].endpoint, packets_lost, 1);
	udp_pair_done(&call);
}

static void rtcp_goes_where_the_controller_says(void **state)
{
	static const uint8_t report[] = { 0x80, 201, 0, 1, 1, 2, 3, 4 };
	struct stage *stage = *state;
	struct relay_dgram_spec elsewhere = { .rtp = true, .rtcp_port = true };
	struct sockaddr_storage remote = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&elsewhere.rtcp_remote;
	struct udp_pair call;
	int port, fd = udp_peer(&port);

	udp_pair_make(stage, &call, &rtp, &rtp);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&remote, in, sizeof(*in));
	in->sin_port = htons((uint16_t)port);
	((struct sockaddr_in *)&remote)->sin_port = htons((uint16_t)call.port[1]);
	assert_int_equal(relay_endpoint_dgram_set(call.end[1].endpoint, &remote, &elsewhere), 0);
	udp_send(call.peer[0][1], udp_pair_port(&call, 0) + 1, report, sizeof(report));
	udp_expect(stage, fd, report, sizeof(report));
	close(fd);
	udp_pair_done(&call);
}

static void only_rtp_gets_through_where_rtp_is_meant(void **state)
{
	static const uint8_t first[] = { 0, 3, 4, 19, 20, 63, 64, 127, 192, 255 };
	struct stage *stage = *state;
	struct udp_pair call;
	uint8_t data[60];

	udp_pair_make(stage, &call, &muxed, &rtp);
	for (size_t i = 0; i < sizeof(first); i++) { /* STUN, DTLS and unknowns */
		rtp_packet(data, 1, sizeof(data));
		data[0] = first[i];
		udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, sizeof(data));
	}
	rtp_packet(data, 1, sizeof(data));
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, 11); /* too short for RTP */
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), "\x80\xc8\0\0\0\0",
	         7); /* and for RTCP */
	udp_send(call.peer[0][0], udp_pair_port(&call, 0), data, 12);
	udp_expect(stage, call.peer[1][0], data, 12);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_lost, sizeof(first) + 2);
	STAGE_COUNT(stage, call.end[0].endpoint, packets_in, 1);
	udp_nothing(call.peer[1][1]);
	udp_pair_done(&call);
}

static bool is_marked(void *arg)
{
	const struct relay_leg *leg = arg;
	int media = -1, rtcp = -1;
	socklen_t len = sizeof(int);

	assert_int_equal(getsockopt(leg->watch.fd, IPPROTO_IP, IP_TOS, &media, &len), 0);
	assert_int_equal(getsockopt(leg->dgram->rtcp.fd, IPPROTO_IP, IP_TOS, &rtcp, &len), 0);
	return media == 46 << 2 && rtcp == media;
}

/* A mark that comes later is RTCP's, too. */
static void rtcp_is_marked_as_its_media(void **state)
{
	struct relay_gate gate = { .dscp = 46 };
	struct stage *stage = *state;
	struct udp_pair call;

	udp_pair_make(stage, &call, &rtp, &any);
	assert_int_equal(relay_endpoint_gate_set(call.end[0].endpoint, &gate), 0);
	stage_wait(stage, is_marked, &call.end[0].endpoint->leg);
	udp_pair_done(&call);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(rtcp_has_the_next_port_or_the_same),
		TEST(rtcp_goes_with_the_media_once_both_sides_say_so),
		TEST(rtcp_may_be_declined),
		TEST(rtcp_goes_where_the_controller_says),
		TEST(only_rtp_gets_through_where_rtp_is_meant),
		TEST(rtcp_is_marked_as_its_media),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
