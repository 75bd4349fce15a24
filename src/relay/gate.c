/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: source filter, token buckets on what is read, DSCP. A leg without one pays a branch. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>

#include "relay/dgram.h"

/** Reading goes on after at least so long, so that a slow stream does not wake us for each octet.
 */
#define PAUSE_MS 10

bool relay_gate_is_open(const struct relay_gate *gate)
{
	return !gate->sources_only && !gate->dscp && !gate->port_max &&
	       !gate->sustained.octets_per_s && !gate->peak.octets_per_s;
}

static void bucket_init(struct relay_bucket *bucket, const struct relay_rate *rate)
{
	bucket->rate = *rate;
	bucket->level = (uint64_t)rate->burst * 1000;
}

int relay_door_new(struct relay_door **ret, const struct relay_gate *gate)
{
	struct relay_door *door;

	*ret = NULL;
	if (!gate || relay_gate_is_open(gate))
		return 0;
	door = calloc(1, sizeof(*door));
	if (!door)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	door->gate = *gate;
	bucket_init(&door->bucket[0], &gate->sustained);
	bucket_init(&door->bucket[1], &gate->peak);
	*ret = door;
	return 0;
}

int relay_socket_mark(int fd, sa_family_t family, uint8_t dscp)
{
	int value = dscp << 2; /* the other two bits are ECN's (RFC 3168, 5) */
	int rc = family == AF_INET6
	                 ? setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value))
	                 : setsockopt(fd, IPPROTO_IP, IP_TOS, &value, sizeof(value));

	return rc < 0 ? BASE_ERR(BASE_LOCAL, errno) : 0;
}

/* ---- who may come in ---- */

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned octets = bits / 8, rest = bits % 8;

	if (memcmp(a, b, octets) != 0)
		return false;
	return !rest || (a[octets] >> (8 - rest)) == (b[octets] >> (8 - rest));
}

static bool source_admits(const struct relay_source *source, const union relay_address *peer)
{
	if (source->family != peer->family)
		return false;
	return prefix_equal(source->octets,
	                    peer->family == AF_INET6 ? (const uint8_t *)&peer->in6.sin6_addr
	                                             : (const uint8_t *)&peer->in.sin_addr,
	                    source->prefix);
}

static bool port_admitted(const struct relay_gate *gate, const union relay_address *peer)
{
	uint16_t port = ntohs(peer->family == AF_INET6 ? peer->in6.sin6_port : peer->in.sin_port);

	return !gate->port_max || (port >= gate->port_min && port <= gate->port_max);
}

bool relay_door_admits(const struct relay_door *door, const union relay_address *peer)
{
	const struct relay_gate *gate = door ? &door->gate : NULL;

	return !gate || (port_admitted(gate, peer) && relay_door_admits_host(door, peer));
}

bool relay_door_admits_host(const struct relay_door *door, const union relay_address *peer)
{
	const struct relay_gate *gate = door ? &door->gate : NULL;

	if (!gate || !gate->sources_only)
		return true;
	for (unsigned i = 0; i < gate->source_count; i++)
		if (source_admits(&gate->source[i], peer))
			return true;
	return false;
}

/* ---- how fast ---- */

static void bucket_fill(struct relay_bucket *bucket, uint64_t now_ms)
{
	uint64_t full = (uint64_t)bucket->rate.burst * 1000, add;

	if (now_ms <= bucket->filled_ms)
		return;
	/* After so long it is full whatever it held; and the product fits. */
	add = BASE_MIN(now_ms - bucket->filled_ms, full / bucket->rate.octets_per_s + 1) *
	      bucket->rate.octets_per_s;
	bucket->level = BASE_MIN(bucket->level + add, full);
	bucket->filled_ms = now_ms;
}

size_t relay_bucket_quota(struct relay_bucket *bucket, uint64_t now_ms, size_t want,
                          uint64_t *pause_ms)
{
	uint64_t rate = bucket->rate.octets_per_s, full = (uint64_t)bucket->rate.burst * 1000;
	uint64_t to_one, to_full;

	if (!rate)
		return want;
	bucket_fill(bucket, now_ms);
	if (bucket->level >= 1000)
		return BASE_MIN(want, (size_t)(bucket->level / 1000));
	to_one = (1000 - bucket->level + rate - 1) / rate;
	to_full = (full - bucket->level + rate - 1) / rate;
	*pause_ms = BASE_MAX(*pause_ms, BASE_MAX(to_one, BASE_MIN(to_full, PAUSE_MS)));
	return 0;
}

static void on_pause_over(void *arg)
{
	relay_leg_resume(arg);
}

size_t relay_door_quota(struct relay_leg *leg, size_t want)
{
	struct relay_door *door = leg->door;
	uint64_t now_ms = loop_now_ms(leg->worker->loop), pause = 0;

	for (size_t i = 0; i < BASE_COUNT(door->bucket); i++)
		want = relay_bucket_quota(&door->bucket[i], now_ms, want, &pause);
	if (!want && !loop_timer_active(&door->timer))
		loop_timer_start(leg->worker->loop, &door->timer, pause, on_pause_over, leg);
	return want;
}

void relay_door_charge(struct relay_door *door, size_t len)
{
	for (size_t i = 0; i < BASE_COUNT(door->bucket); i++)
		if (door->bucket[i].rate.octets_per_s)
			door->bucket[i].level -=
			        BASE_MIN(door->bucket[i].level, (uint64_t)len * 1000);
}

bool relay_door_passes(struct relay_door *door, uint64_t now_ms, size_t len)
{
	uint64_t pause = 0;

	for (size_t i = 0; i < BASE_COUNT(door->bucket); i++)
		if (relay_bucket_quota(&door->bucket[i], now_ms, len, &pause) < len)
			return false;
	relay_door_charge(door, len);
	return true;
}

/* ---- putting it in place ---- */

/* A bucket of the same rate goes on where it was: an order that repeats is no fresh burst. */
static void bucket_keep(struct relay_bucket *to, const struct relay_bucket *from)
{
	if (to->rate.octets_per_s != from->rate.octets_per_s)
		return;
	to->level = BASE_MIN(from->level, to->level);
	to->filled_ms = from->filled_ms;
}

static sa_family_t family_of(int fd)
{
	union relay_address local;

	return relay_socket_name(fd, &local) ? AF_UNSPEC : local.family;
}

/* The socket is there already: mark it anew. */
static void mark_again(const struct relay_leg *leg, uint8_t dscp)
{
	sa_family_t family = leg->watch.fd >= 0 ? family_of(leg->watch.fd) : AF_UNSPEC;
	int rc = family ? relay_socket_mark(leg->watch.fd, family, dscp) : 0;

	if (family && !rc && leg->dgram && leg->dgram->rtcp.fd >= 0)
		rc = relay_socket_mark(leg->dgram->rtcp.fd, family, dscp);
	if (rc)
		base_log(BASE_LOG_WARN, "relay", "DSCP %u cannot be set: %s", dscp,
		         strerror((int)base_err_detail(rc)));
}

void relay_door_hang(struct relay_leg *leg, struct relay_door *door)
{
	struct relay_door *was = leg->door;
	uint8_t dscp_was = was ? was->gate.dscp : 0, dscp = door ? door->gate.dscp : 0;

	if (was)
		loop_timer_stop(leg->worker->loop, &was->timer);
	for (size_t i = 0; was && door && i < BASE_COUNT(door->bucket); i++)
		bucket_keep(&door->bucket[i], &was->bucket[i]);
	leg->door = door;
	free(was);
	if (dscp != dscp_was)
		mark_again(leg, dscp);
}
