/* SPDX-License-Identifier: Apache-2.0 */
/** @file Who may come in, and how fast. */
#ifndef GH_RELAY_GATE_H
#define GH_RELAY_GATE_H

#include "relay/socket.h"

struct relay_leg;

/** A token bucket in thousandths of an octet, so that octets/s times milliseconds is exact. */
struct relay_bucket {
	struct relay_rate rate;
	uint64_t level; /**< at most rate.burst * 1000 */
	uint64_t filled_ms;
};

/**
 * How much of `want` may be read at `now_ms`. When nothing, `*pause_ms` becomes at least the time
 * to wait, never 0. Pure but for the bucket.
 */
size_t relay_bucket_quota(struct relay_bucket *bucket, uint64_t now_ms, size_t want,
                          uint64_t *pause_ms);

/** Only a leg with a gate has one; the worker's once the leg has begun. */
struct relay_door {
	struct relay_gate gate;
	struct relay_bucket bucket[2];
	struct loop_timer timer; /**< reads go on */
};

/** @return 0 with NULL for a gate that lets all through, or BASE_LOCAL ENOMEM */
int relay_door_new(struct relay_door **ret, const struct relay_gate *gate);
bool relay_gate_is_open(const struct relay_gate *gate);
/** Set the DSCP of a socket. @return 0 or BASE_LOCAL errno */
int relay_socket_mark(int fd, sa_family_t family, uint8_t dscp);
/** May this peer come in? Pure. */
bool relay_door_admits(const struct relay_door *door, const union relay_address *peer);
/** On the worker: from now on this one; takes it over. NULL = none. */
void relay_door_hang(struct relay_leg *leg, struct relay_door *door);
/** How much of `want` may be read now; 0 = nothing, and the leg is resumed when it may. */
size_t relay_door_quota(struct relay_leg *leg, size_t want);
void relay_door_charge(struct relay_door *door, size_t len);
/** A datagram of `len` octets: charged, or beyond the rate. */
bool relay_door_passes(struct relay_door *door, uint64_t now_ms, size_t len);
/** May this host come in, whatever its port? Pure. */
bool relay_door_admits_host(const struct relay_door *door, const union relay_address *peer);

#endif
