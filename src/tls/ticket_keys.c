/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tls/ticket_keys.h"

#define RETRY_MS 1000U /**< when the kernel had no random octets */

struct tls_ticket_ring {
	atomic_uint refs;
	uint64_t life_ms, rotate_ms;
	pthread_mutex_t lock; /**< of all below */
	struct tls_ticket_key key[TLS_TICKET_KEYS];
	unsigned count;
	unsigned current;
	uint32_t serials; /**< given so far */
	bool started;     /**< the first turn told the time */
	bool datagram;    /**< of DTLS */
	struct tls_bars *bars;
};

/* -- one key --------------------------------------------------------------------------------- */

static bool derive(const uint8_t *secret, const char *label, uint8_t *ret, size_t len)
{
	uint8_t full[64];
	unsigned got = sizeof(full);
	bool ok = HMAC(EVP_sha512(), secret, TLS_TICKET_SECRET, (const unsigned char *)label,
	               strlen(label), full, &got) != NULL;

	if (ok)
		memcpy(ret, full, len);
	base_wipe(full, sizeof(full));
	return ok;
}

static bool key_fill(struct tls_ticket_key *key, const uint8_t *secret)
{
	*key = (struct tls_ticket_key){ .until_ms = UINT64_MAX };
	return derive(secret, "gatehouse ticket name", key->name, sizeof(key->name)) &&
	       derive(secret, "gatehouse ticket cipher", key->cipher, sizeof(key->cipher)) &&
	       derive(secret, "gatehouse ticket mac", key->mac, sizeof(key->mac)) &&
	       derive(secret, "gatehouse ticket gnutls", key->gnutls, sizeof(key->gnutls));
}

/** A pool's secret is the domain's: of it TLS and DTLS have keys of their own. */
static bool key_make(const struct tls_ticket_ring *ring, struct tls_ticket_key *key,
                     const uint8_t *secret)
{
	uint8_t own[TLS_TICKET_SECRET];
	bool ok;

	if (!ring->datagram)
		return key_fill(key, secret);
	ok = derive(secret, "gatehouse ticket datagram", own, sizeof(own)) && key_fill(key, own);
	base_wipe(own, sizeof(own));
	return ok;
}

/** One key of both. */
static bool bind(uint8_t *key, size_t len, const uint8_t *called)
{
	uint8_t full[64];
	unsigned got = sizeof(full);
	bool ok = HMAC(EVP_sha512(), key, (int)len, called, TLS_CALLED, full, &got) != NULL;

	if (ok)
		memcpy(key, full, len);
	base_wipe(full, sizeof(full));
	return ok;
}

bool tls_ticket_key_bind(struct tls_ticket_key *key, const uint8_t *called)
{
	return !called || (bind(key->mac, sizeof(key->mac), called) &&
	                   bind(key->gnutls, sizeof(key->gnutls), called));
}

static bool key_random(const struct tls_ticket_ring *ring, struct tls_ticket_key *key)
{
	uint8_t secret[TLS_TICKET_SECRET];
	bool ok = base_random(secret, sizeof(secret)) == 0 && key_make(ring, key, secret);

	base_wipe(secret, sizeof(secret));
	return ok;
}

/* -- under the lock -------------------------------------------------------------------------- */

static void ring_remove(struct tls_ticket_ring *ring, unsigned i)
{
	ring->key[i] = ring->key[--ring->count];
	base_wipe(&ring->key[ring->count], sizeof(ring->key[0]));
}

/** Is it time for this one, and not yet for the next? */
static bool key_in_turn(const struct tls_ticket_ring *ring, const struct tls_ticket_key *key,
                        uint64_t now_ms)
{
	int64_t age_ms = (int64_t)now_ms - key->from_ms;

	return age_ms >= 0 && age_ms < (int64_t)ring->rotate_ms;
}

/** A pool's before our own, the newer before the older. */
static bool key_before(const struct tls_ticket_key *a, const struct tls_ticket_key *b)
{
	return a->pooled != b->pooled ? a->pooled : a->from_ms > b->from_ms;
}

/** @return whether one is in turn */
static bool ring_choose(struct tls_ticket_ring *ring, uint64_t now_ms)
{
	unsigned best = ring->count;

	for (unsigned i = 0; i < ring->count; i++)
		if (key_in_turn(ring, &ring->key[i], now_ms) &&
		    (best == ring->count || key_before(&ring->key[i], &ring->key[best])))
			best = i;
	if (best == ring->count)
		return false;
	ring->current = best;
	return true;
}

/** Room is made by the one that dies first. */
static struct tls_ticket_key *ring_room(struct tls_ticket_ring *ring)
{
	unsigned first = 0;

	if (ring->count == TLS_TICKET_KEYS) {
		for (unsigned i = 1; i < ring->count; i++)
			if (ring->key[i].until_ms < ring->key[first].until_ms)
				first = i;
		ring_remove(ring, first);
	}
	return &ring->key[ring->count];
}

static void ring_take(struct tls_ticket_ring *ring, struct tls_ticket_key *made, int64_t from_ms)
{
	made->from_ms = from_ms;
	made->until_ms = (uint64_t)(from_ms + (int64_t)ring->life_ms);
	made->serial = ++ring->serials;
	*ring_room(ring) = *made;
	ring->count++;
	base_wipe(made, sizeof(*made));
}

static void ring_age(struct tls_ticket_ring *ring, uint64_t now_ms)
{
	for (unsigned i = ring->count; i > 0; i--)
		if (now_ms >= ring->key[i - 1].until_ms)
			ring_remove(ring, i - 1);
}

/** When something happens next. */
static uint64_t ring_next(const struct tls_ticket_ring *ring, uint64_t now_ms)
{
	uint64_t next = now_ms + ring->rotate_ms;

	for (unsigned i = 0; i < ring->count; i++) {
		const struct tls_ticket_key *key = &ring->key[i];
		int64_t over = key->from_ms + (int64_t)ring->rotate_ms;

		next = BASE_MIN(next, key->until_ms);
		if (key->from_ms > (int64_t)now_ms)
			next = BASE_MIN(next, (uint64_t)key->from_ms);
		else if (over > (int64_t)now_ms && i == ring->current)
			next = BASE_MIN(next, (uint64_t)over);
	}
	return next - now_ms;
}

uint64_t tls_ticket_ring_turn(struct tls_ticket_ring *ring, uint64_t now_ms)
{
	struct tls_ticket_key fresh;
	uint64_t next;
	bool ok;

	(void)pthread_mutex_lock(&ring->lock); /* an ordinary one: cannot fail */
	if (!ring->started) {
		ring->started = true;
		ring->key[0].from_ms = (int64_t)now_ms;
		ring->key[0].until_ms = now_ms + ring->life_ms;
	}
	ring_age(ring, now_ms);
	ok = ring_choose(ring, now_ms);
	if (!ok && key_random(ring, &fresh)) {
		ring_take(ring, &fresh, (int64_t)now_ms);
		ok = ring_choose(ring, now_ms);
	}
	next = ok ? ring_next(ring, now_ms) : RETRY_MS;
	(void)pthread_mutex_unlock(&ring->lock);
	return next;
}

static bool ring_has(const struct tls_ticket_ring *ring, const uint8_t *name)
{
	for (unsigned i = 0; i < ring->count; i++)
		if (memcmp(ring->key[i].name, name, TLS_TICKET_NAME) == 0)
			return true;
	return false;
}

int tls_ticket_ring_put(struct tls_ticket_ring *ring, const uint8_t *secret, int64_t from_ms,
                        uint64_t now_ms)
{
	struct tls_ticket_key made;
	int64_t until_ms;

	if (!key_make(ring, &made, secret))
		return BASE_ERR(BASE_LOCAL, 0);
	made.pooled = true;
	(void)tls_ticket_ring_turn(ring, now_ms);
	(void)pthread_mutex_lock(&ring->lock);
	until_ms = from_ms + (int64_t)ring->life_ms;
	if (until_ms > (int64_t)now_ms && !ring_has(ring, made.name)) {
		ring_take(ring, &made, from_ms);
		(void)ring_choose(ring, now_ms);
	}
	(void)pthread_mutex_unlock(&ring->lock);
	base_wipe(&made, sizeof(made));
	return 0;
}

/* -- life ------------------------------------------------------------------------------------ */

int tls_ticket_ring_new(struct tls_ticket_ring **ret, uint32_t lifetime_s, bool datagram)
{
	struct tls_ticket_ring *ring = calloc(1, sizeof(*ring));

	if (ring)
		ring->datagram = datagram;
	if (!ring || !key_random(ring, &ring->key[0]) ||
	    tls_bars_new(&ring->bars, BASE_MAX(lifetime_s, 4))) {
		if (ring)
			base_wipe(ring, sizeof(*ring));
		free(ring);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	atomic_init(&ring->refs, 1);
	(void)pthread_mutex_init(&ring->lock, NULL); /* an ordinary one: cannot fail */
	ring->life_ms = (uint64_t)BASE_MAX(lifetime_s, 4) * 1000;
	ring->rotate_ms = ring->life_ms / TLS_TICKET_TURNS;
	ring->key[0].serial = ring->serials = 1;
	ring->count = 1;
	*ret = ring;
	return 0;
}

struct tls_ticket_ring *tls_ticket_ring_ref(struct tls_ticket_ring *ring)
{
	atomic_fetch_add_explicit(&ring->refs, 1, memory_order_relaxed);
	return ring;
}

void tls_ticket_ring_unref(struct tls_ticket_ring *ring)
{
	if (!ring || atomic_fetch_sub_explicit(&ring->refs, 1, memory_order_acq_rel) != 1)
		return;
	tls_bars_free(ring->bars);
	(void)pthread_mutex_destroy(&ring->lock);
	base_wipe(ring, sizeof(*ring));
	free(ring);
}

/* -- what engines ask ------------------------------------------------------------------------ */

bool tls_ticket_key_give(struct tls_ticket_ring *ring, uint32_t serial, uint64_t now_ms,
                         struct tls_ticket_key *ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&ring->lock);
	if (!serial && ring->count)
		serial = ring->key[ring->current].serial;
	for (unsigned i = 0; i < ring->count && !found; i++) {
		found = ring->key[i].serial == serial && now_ms < ring->key[i].until_ms;
		if (found)
			*ret = ring->key[i];
	}
	(void)pthread_mutex_unlock(&ring->lock);
	return found;
}

bool tls_ticket_key_named(struct tls_ticket_ring *ring, const uint8_t *name, uint64_t now_ms,
                          struct tls_ticket_key *ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&ring->lock);
	for (unsigned i = 0; i < ring->count && !found; i++) {
		found = memcmp(ring->key[i].name, name, TLS_TICKET_NAME) == 0 &&
		        now_ms < ring->key[i].until_ms;
		if (found)
			*ret = ring->key[i];
	}
	(void)pthread_mutex_unlock(&ring->lock);
	return found;
}

unsigned tls_ticket_keys_all(struct tls_ticket_ring *ring, uint64_t now_ms,
                             struct tls_ticket_key ret[TLS_TICKET_KEYS])
{
	unsigned count = 0;

	(void)pthread_mutex_lock(&ring->lock);
	for (unsigned i = 0; i < ring->count; i++)
		if (now_ms < ring->key[i].until_ms)
			ret[count++] = ring->key[i];
	(void)pthread_mutex_unlock(&ring->lock);
	return count;
}

struct tls_bars *tls_ticket_ring_bars(const struct tls_ticket_ring *ring)
{
	return ring->bars;
}
