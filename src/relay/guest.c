/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests of a DTLS server (room.h). Whoever shows a cookie is taken up, for nobody can be told from
 * the peer before the handshake. So a failure is not the endpoint's end; and as a failure is cheap
 * for who wants it, a host that fails again and again is not taken up for longer and longer, and
 * all together cost only so much.
 */
#include <stdlib.h>

#include "relay/dgram.h"
#include "relay/room.h"

#define LONGEST_MS 64000U

/* ---- how often ---- */

static union relay_address host_of(const union relay_address *peer)
{
	union relay_address host;

	memset(&host, 0, sizeof(host));
	memcpy(&host, peer, relay_address_len(peer));
	relay_address_port_set(&host, 0);
	return host;
}

bool relay_guests_may(struct relay_guests *guests, const union relay_address *host, uint64_t now_ms)
{
	uint64_t pause = 0;

	if (guests->all.rate.octets_per_s && !relay_bucket_quota(&guests->all, now_ms, 1, &pause))
		return false;
	for (size_t i = 0; i < BASE_COUNT(guests->seen); i++)
		if (guests->seen[i].until_ms > now_ms &&
		    relay_address_admits(&guests->seen[i].host, host))
			return false;
	return true;
}

/* The host's place; else a free one, or that of who is let in again first. */
static size_t place_of(const struct relay_guests *guests, const union relay_address *host)
{
	size_t oldest = 0;

	for (size_t i = 0; i < BASE_COUNT(guests->seen); i++) {
		if (guests->seen[i].host.family &&
		    relay_address_admits(&guests->seen[i].host, host))
			return i;
		if (guests->seen[i].until_ms < guests->seen[oldest].until_ms)
			oldest = i;
	}
	return oldest;
}

uint64_t relay_guests_failed(struct relay_guests *guests, const union relay_address *peer,
                             uint64_t now_ms)
{
	union relay_address host = host_of(peer);
	size_t at = place_of(guests, &host);
	uint64_t wait_ms = 0;
	uint64_t pause = 0;

	if (!guests->all.rate.octets_per_s)
		guests->all = (struct relay_bucket){
			.rate = { RELAY_GUEST_RATE, RELAY_GUEST_BURST },
			.level = (uint64_t)RELAY_GUEST_BURST * 1000,
			.filled_ms = now_ms,
		};
	if (relay_bucket_quota(&guests->all, now_ms, 1, &pause))
		guests->all.level -= 1000;
	/* Another host's place, or its own of long ago. */
	if (!guests->seen[at].host.family || !relay_address_admits(&guests->seen[at].host, &host) ||
	    now_ms > guests->seen[at].until_ms + LONGEST_MS)
		guests->seen[at].fails = 0;
	guests->seen[at].host = host;
	guests->seen[at].fails++;
	if (guests->seen[at].fails >= RELAY_GUEST_TRIES)
		wait_ms = BASE_MIN(
		        1000ULL << BASE_MIN(guests->seen[at].fails - RELAY_GUEST_TRIES, 16U),
		        LONGEST_MS);
	guests->seen[at].until_ms = now_ms + wait_ms;
	return wait_ms;
}

/* ---- coming and going ---- */

bool relay_guest_is(const struct relay_leg *leg)
{
	return leg->dgram && leg->role == TLS_ROLE_SERVER && leg->setup;
}

static struct relay_guests *guests_of(const struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	return d->room ? relay_room_guests(d->room) : d->guests;
}

bool relay_guest_come(struct relay_leg *leg, const union relay_address *from)
{
	struct relay_guests *guests = guests_of(leg);

	if ((guests && !relay_guests_may(guests, from, loop_now_ms(leg->worker->loop))) ||
	    (leg->dgram->room && relay_dgram_unnamed(leg) && !relay_room_host(leg, from))) {
		relay_count_add(&leg->counters.refused, 1);
		return false;
	}
	relay_dgram_latch(leg, from);
	return true;
}

/* Without memory for the list it is not bounded; then there is more to worry about. */
static void note_failure(struct relay_leg *leg)
{
	const union relay_address *peer = &leg->dgram->remote[RELAY_WAY_MEDIA];
	struct relay_guests *guests = guests_of(leg);
	char text[RELAY_ADDRESS_TEXT];
	uint64_t wait_ms;

	if (!guests)
		guests = leg->dgram->guests = calloc(1, sizeof(*guests));
	if (!guests)
		return;
	wait_ms = relay_guests_failed(guests, peer, loop_now_ms(leg->worker->loop));
	if (wait_ms)
		base_log(BASE_LOG_INFO, "relay",
		         "tls peer=%s: has failed again, no handshake with its host for %u s",
		         relay_address_format(peer, text, sizeof(text)),
		         (unsigned)(wait_ms / 1000));
}

void relay_guest_gone(struct relay_leg *leg)
{
	const struct relay_dgram *d = leg->dgram;

	if (!d)
		return;
	note_failure(leg);
	relay_room_vacate(leg);
	relay_dgram_point(leg, &d->wanted[RELAY_WAY_MEDIA], &d->wanted[RELAY_WAY_RTCP]);
	relay_leg_resume(leg);
}

struct tls_psk *relay_guest_spec(const struct relay_leg *leg, struct tls_session_spec *spec)
{
	struct tls_psk *keys;

	spec->prints_later = !spec->fingerprint_count && !spec->psk_count;
	if (!leg->dgram->hosting)
		return NULL;
	spec->prints_later = true;
	spec->fingerprint_count = 0;
	keys = relay_room_keys(leg->dgram->room, &spec->psk_count);
	spec->psks = keys;
	return keys;
}

/* ---- who it is ---- */

static void wait_for_print(struct relay_leg *leg)
{
	char text[RELAY_ADDRESS_TEXT];

	if (leg->proving)
		return;
	leg->proving = true;
	relay_leg_time(leg);
	relay_dtls_time(leg);
	base_log(BASE_LOG_INFO, "relay",
	         "tls peer=%s: waits for the fingerprint (RFC 5763, 6.2), nothing is passed on",
	         relay_address_format(&leg->dgram->remote[RELAY_WAY_MEDIA], text, sizeof(text)));
	relay_dtls_late(leg);
}

struct relay_leg *relay_guest_proved(struct relay_leg *leg)
{
	if (leg->dgram->room && leg->dgram->hosting)
		return relay_room_choose(leg);
	if (!tls_session_unproved(leg->session)) {
		leg->proving = false;
		return leg;
	}
	wait_for_print(leg);
	return NULL;
}
