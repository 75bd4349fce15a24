/* SPDX-License-Identifier: Apache-2.0 */
/** @file UDP sockets on loopback as peers of datagram endpoints. */
#ifndef GH_TESTS_RELAY_UDP_PEER_H
#define GH_TESTS_RELAY_UDP_PEER_H

#include "stage.h"

/** A bound, non-blocking one; `*ret_port` as the kernel chose it. */
int udp_peer(int *ret_port);
/** A pair: the first at an even port, the second at the next. */
void udp_peers(int ret_fd[2], int *ret_port);
void udp_send(int fd, int port, const void *data, size_t len);
/** The next datagram; its length. `*ret_port` (or NULL) whence it came. */
size_t udp_receive(struct stage *stage, int fd, void *buf, size_t cap, int *ret_port);
/** It is exactly that. */
void udp_expect(struct stage *stage, int fd, const void *data, size_t len);
/** Nothing has come. */
void udp_nothing(int fd);

/** An endpoint of datagrams to that port; 0 = to nobody yet. */
struct relay_endpoint_spec stage_datagrams(struct record *record, int port,
                                           const struct relay_dgram_spec *dgram);
/** Two endpoints of datagrams that are linked, and a peer of each, with its RTCP socket second. */
struct udp_pair {
	struct record end[2];
	int peer[2][2], port[2];
};
void udp_pair_make(struct stage *stage, struct udp_pair *pair, const struct relay_dgram_spec *one,
                   const struct relay_dgram_spec *other);
void udp_pair_done(struct udp_pair *pair);
/** Of that endpoint. */
int udp_pair_port(const struct udp_pair *pair, unsigned end);
/** An RTP packet of that number. */
size_t rtp_packet(uint8_t *to, uint16_t number, size_t len);

/** Until that counter of `endpoint` (an offset in struct relay_stats) has come to `value`. */
void stage_count(struct stage *stage, const struct relay_endpoint *endpoint, size_t offset,
                 uint64_t value);
#define STAGE_COUNT(stage, endpoint, field, value)                                                 \
	stage_count(stage, endpoint, offsetof(struct relay_stats, field), value)

#endif
