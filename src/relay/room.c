/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms (room.h). Nothing in a ClientHello says for which of several endpoints at one port it is
 * meant: what the SDP told of it, the fingerprint, is the certificate's, and that comes last. So a
 * session is begun by any leg that is free, for all of them, and goes to the one that expects this
 * certificate or key. For that they share a worker, whose engine contexts sessions cannot leave.
 *
 * The sockets of those that wait are interchangeable: the kernel gives a datagram to any of them
 * (SO_REUSEPORT), and whose it is is looked up here, by where it came from. A leg that has its peer
 * connects its socket to it, and is found by the kernel from then on.
 */
#include <errno.h>
#include <stdlib.h>

#include "relay/dgram.h"
#include "relay/room.h"

struct relay_room {
	struct base_map_node node; /**< control: in pool->rooms, by address */
	struct base_node listed;   /**< control: in pool->room_list */
	union relay_address local;
	unsigned refs; /**< control: endpoints */
	struct relay_worker *worker;
	struct tls_domain *domain; /**< referenced, for its name */
	/* The worker's: */
	struct base_node legs; /**< in the order of their beginning */
	struct base_map peers; /**< legs by the address of their peer */
	struct relay_guests guests;
};

struct relay_guests *relay_room_guests(struct relay_room *room)
{
	return &room->guests;
}

/* ---- control: where it is ---- */

static struct base_str key_of(const union relay_address *local)
{
	return (struct base_str){ (const char *)local, sizeof(*local) };
}

static bool same_name(const struct tls_domain *a, const struct tls_domain *b)
{
	return strcmp(tls_domain_name(a), tls_domain_name(b)) == 0;
}

/* Rooms of one domain are on one worker: a call may have a stream in each of two. */
static struct relay_worker *worker_for(const struct relay_pool *pool,
                                       const struct tls_domain *domain,
                                       struct relay_worker *otherwise)
{
	for (struct base_node *n = pool->room_list.next; n != &pool->room_list; n = n->next) {
		struct relay_room *room = BASE_CONTAINER_OF(n, struct relay_room, listed);

		if (same_name(room->domain, domain))
			return room->worker;
	}
	return otherwise;
}

static int room_make(struct relay_room **ret, struct relay_pool *pool,
                     const union relay_address *local, struct tls_domain *domain,
                     struct relay_worker *worker)
{
	struct relay_room *room = calloc(1, sizeof(*room));

	if (!room)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	room->local = *local;
	if (base_map_insert(&pool->rooms, key_of(&room->local), &room->node)) {
		free(room);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	base_list_init(&room->listed);
	base_list_append(&pool->room_list, &room->listed);
	base_list_init(&room->legs);
	room->domain = tls_domain_ref(domain);
	room->worker = worker;
	*ret = room;
	return 0;
}

/* Others of the context go along as long as nothing but a socket is theirs. */
static bool context_follows(struct relay_context *context, struct relay_worker *worker)
{
	if (context->worker == worker)
		return true;
	for (struct base_node *n = context->endpoints.next; n != &context->endpoints; n = n->next) {
		const struct relay_endpoint *e = BASE_CONTAINER_OF(n, struct relay_endpoint, node);

		if (e->tls || e->linked || e->moving)
			return false;
	}
	context->worker = worker;
	BASE_LIST_EACH(&context->endpoints, node, after)
	{
		relay_endpoint_move(BASE_CONTAINER_OF(node, struct relay_endpoint, node), context);
	}
	return true;
}

int relay_room_join(struct relay_endpoint *endpoint, struct relay_context *context,
                    struct tls_domain *domain)
{
	struct relay_pool *pool = endpoint->pool;
	struct base_map_node *found = base_map_find(&pool->rooms, key_of(&endpoint->local));
	struct relay_room *room = found ? BASE_CONTAINER_OF(found, struct relay_room, node) : NULL;
	int rc;

	if (room && !same_name(room->domain, domain))
		return BASE_ERR(BASE_LOCAL, EPROTOTYPE);
	if (!context_follows(context,
	                     room ? room->worker : worker_for(pool, domain, context->worker)))
		return BASE_ERR(BASE_LOCAL, EXDEV);
	rc = room ? 0 : room_make(&room, pool, &endpoint->local, domain, context->worker);
	if (rc)
		return rc;
	room->refs++;
	endpoint->room = room;
	endpoint->leg.worker = room->worker;
	endpoint->leg.dgram->room = room;
	return 0;
}

void relay_room_part(struct relay_endpoint *endpoint)
{
	struct relay_room *room = endpoint->room;

	endpoint->room = NULL;
	if (!room || --room->refs)
		return;
	base_map_remove(&endpoint->pool->rooms, &room->node);
	base_list_remove(&room->listed);
	tls_domain_unref(room->domain);
	base_map_done(&room->peers);
	free(room);
}

/* ---- worker: who is in it ---- */

void relay_room_enter(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	if (d && d->room)
		base_list_append(&d->room->legs, &d->room_node);
}

void relay_room_leave(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	relay_room_vacate(leg);
	if (d->room && d->room_node.next)
		base_list_remove(&d->room_node);
	d->room = NULL;
}

static void peer_key(const union relay_address *peer, uint8_t key[RELAY_PEER_KEY])
{
	in_port_t port = relay_address_port(peer);

	memset(key, 0, RELAY_PEER_KEY);
	memcpy(key, &port, sizeof(port));
	if (peer->family == AF_INET6)
		memcpy(key + 2, &peer->in6.sin6_addr, 16);
	else
		memcpy(key + 2, &peer->in.sin_addr, 4);
}

static struct base_str key_text(const uint8_t key[RELAY_PEER_KEY])
{
	return (struct base_str){ (const char *)key, RELAY_PEER_KEY };
}

bool relay_room_host(struct relay_leg *leg, const union relay_address *from)
{
	struct relay_dgram *d = leg->dgram;

	relay_room_vacate(leg);
	peer_key(from, d->peer_key);
	if (base_map_find(&d->room->peers, key_text(d->peer_key)) ||
	    base_map_insert(&d->room->peers, key_text(d->peer_key), &d->peer_node))
		return false;
	d->hosting = true;
	return true;
}

void relay_room_vacate(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	if (d->hosting)
		base_map_remove(&d->room->peers, &d->peer_node);
	d->hosting = false;
}

/* It waits for a peer that nobody named, and has none. */
static bool is_free(const struct relay_leg *leg)
{
	return leg->state == RELAY_TCP_READY && !leg->removed &&
	       !relay_address_port(&leg->dgram->wanted[RELAY_WAY_MEDIA]);
}

static struct relay_leg *leg_of(struct base_node *node)
{
	return BASE_CONTAINER_OF(node, struct relay_dgram, room_node)->leg;
}

struct relay_leg *relay_room_whose(struct relay_leg *leg, const union relay_address *from)
{
	struct relay_room *room = leg->dgram->room;
	uint8_t key[RELAY_PEER_KEY];
	struct base_map_node *found;

	if (relay_dgram_is(leg, RELAY_WAY_MEDIA, from))
		return leg;
	peer_key(from, key);
	found = base_map_find(&room->peers, key_text(key));
	if (found)
		return BASE_CONTAINER_OF(found, struct relay_dgram, peer_node)->leg;
	/* The last one that came has the domain as it is now. */
	for (struct base_node *n = room->legs.prev; n != &room->legs; n = n->prev)
		if (is_free(leg_of(n)) && relay_door_admits(leg_of(n)->door, from))
			return leg_of(n);
	return NULL;
}

/* ---- whose guest is it? ---- */

static bool key_is(const struct tls_session_spec *spec, const char *identity)
{
	for (size_t i = 0; identity && i < spec->psk_count; i++)
		if (base_str_eq(spec->psks[i].identity, base_str_of(identity)))
			return true;
	return false;
}

/* Most are not, and this tells without looking at the certificate again. */
static bool print_may_be(const struct tls_session_spec *spec, const struct x509_fingerprint *shown)
{
	bool others = false;

	for (size_t i = 0; i < spec->fingerprint_count; i++) {
		if (x509_fingerprint_equal(&spec->fingerprints[i], shown))
			return true;
		others |= spec->fingerprints[i].hash != shown->hash;
	}
	return others;
}

static bool expects(const struct relay_leg *leg, struct tls_session *session,
                    const struct tls_info *info)
{
	const struct tls_session_spec *spec = &leg->setup->tls->session;

	if (info->psk)
		return key_is(spec, info->psk_identity);
	return info->has_verdict && print_may_be(spec, &info->verdict.fingerprint) &&
	       tls_session_prints(session, spec->fingerprints, spec->fingerprint_count) == 0 &&
	       !tls_session_unproved(session);
}

struct tls_psk *relay_room_keys(const struct relay_room *room, size_t *ret_count)
{
	struct tls_psk *keys = NULL;
	size_t count = 0;

	*ret_count = 0;
	for (struct base_node *n = room->legs.next; n != &room->legs; n = n->next)
		if (leg_of(n)->setup && leg_of(n)->setup->tls)
			count += leg_of(n)->setup->tls->session.psk_count;
	if (count)
		keys = calloc(count, sizeof(*keys));
	for (struct base_node *n = room->legs.next; keys && n != &room->legs; n = n->next) {
		const struct relay_setup *setup = leg_of(n)->setup;

		for (size_t i = 0; setup && setup->tls && i < setup->tls->session.psk_count; i++)
			keys[(*ret_count)++] = setup->tls->session.psks[i];
	}
	return keys;
}

static bool takes_profile(const struct relay_dgram *d, uint16_t profile)
{
	for (unsigned i = 0; i < d->srtp_count; i++)
		if (d->srtp_profiles[i] == profile)
			return true;
	return !d->srtp_count;
}

/* The one that waits longest. */
static struct relay_leg *find(struct relay_leg *host)
{
	const union relay_address *from = &host->dgram->remote[RELAY_WAY_MEDIA];
	uint16_t profile = tls_session_srtp(host->session);
	struct tls_info info;

	tls_session_info(host->session, &info);
	for (struct base_node *n = host->dgram->room->legs.next; n != &host->dgram->room->legs;
	     n = n->next) {
		struct relay_leg *leg = leg_of(n);
		bool hosts = leg->state == RELAY_HANDSHAKE && leg->dgram->hosting && !leg->removed;

		if ((is_free(leg) || hosts) && leg->setup && leg->setup->tls &&
		    leg->dgram->secure == host->dgram->secure &&
		    (!profile || takes_profile(leg->dgram, profile)) &&
		    relay_door_admits(leg->door, from) && expects(leg, host->session, &info))
			return leg;
	}
	return NULL;
}

#define SWAP(type, a, b)                                                                           \
	do {                                                                                       \
		type swap = (a);                                                                   \
		(a) = (b);                                                                         \
		(b) = swap;                                                                        \
	} while (0)

/* `to` gets the guest of `host`, and `host` that of `to`, if it has one. */
static bool exchange(struct relay_leg *host, struct relay_leg *to)
{
	union relay_address first = host->dgram->remote[RELAY_WAY_MEDIA],
	                    second = to->dgram->remote[RELAY_WAY_MEDIA];
	bool both = to->state == RELAY_HANDSHAKE;

	relay_room_vacate(host);
	relay_room_vacate(to);
	relay_dgram_point(host, &host->dgram->wanted[0], &host->dgram->wanted[1]);
	if (!relay_room_host(to, &first) || (both && !relay_room_host(host, &second)))
		return false; /* it had the place before */
	relay_dgram_latch(to, &first);
	if (both)
		relay_dgram_latch(host, &second);
	SWAP(struct tls_session *, host->session, to->session);
	SWAP(struct relay_tls_slot *, host->slot, to->slot);
	SWAP(uint32_t, host->shake_ms, to->shake_ms);
	SWAP(uint32_t, host->mark, to->mark);
	to->handshake_ms = host->handshake_ms;
	if (!both) {
		relay_leg_input(to, RELAY_ON_GUEST_COMES, RELAY_CAUSE_NONE, 0);
		relay_leg_input(host, RELAY_ON_GUEST_GOES, RELAY_CAUSE_NONE, 0);
	}
	relay_dtls_time(host);
	relay_dtls_time(to);
	return true;
}

struct relay_leg *relay_room_choose(struct relay_leg *host)
{
	struct relay_leg *to = find(host);

	if (!to || host->sentence) {
		/* The verdict then says that it matches none, not that none was given. */
		(void)tls_session_prints(host->session, host->setup->tls->session.fingerprints,
		                         host->setup->tls->session.fingerprint_count);
		relay_shake_refuse(host, 42); /* bad_certificate (RFC 8122, 6.2) */
		return NULL;
	}
	if (to != host && to->sentence) /* revoked, with grace: not worth an exchange */
		relay_shake_refuse(to, 44);
	if (to != host && !exchange(host, to)) {
		relay_shake_fail(host, RELAY_CAUSE_RESOURCES);
		return NULL;
	}
	relay_dgram_for(to);
	if (relay_dgram_meet(to) != 0) {
		relay_shake_fail(to, RELAY_CAUSE_RESOURCES);
		return NULL;
	}
	to->mark = to->setup->tls->mark;
	return to;
}
