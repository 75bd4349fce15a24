/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Ticket keys by a clock that is lent: when they are made, who follows, when what was given under
 * them is worth nothing any more, and which change of a domain ends them.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "pairs.h"
#include "tls/engine.h"
#include "visit.h"

#define LIFE_S  3600U
#define LIFE_MS (LIFE_S * 1000ULL)
#define TURN_MS (LIFE_MS / 4)

static const char *const profiles[] = { "tls12", "tls13" };

/* -- the ring alone -------------------------------------------------------------------------- */

static struct tls_ticket_key key_at(struct tls_ticket_ring *ring, uint64_t now_ms)
{
	struct tls_ticket_key key;

	assert_true(tls_ticket_key_give(ring, 0, now_ms, &key));
	return key;
}

static bool known(struct tls_ticket_ring *ring, const struct tls_ticket_key *key, uint64_t now_ms)
{
	struct tls_ticket_key found;

	return tls_ticket_key_named(ring, key->name, now_ms, &found);
}

static void a_key_has_its_time(void **state)
{
	struct tls_ticket_ring *ring;
	struct tls_ticket_key first, second;
	uint64_t start = 77777;

	(void)state;
	assert_int_equal(tls_ticket_ring_new(&ring, LIFE_S, false), 0);
	assert_int_equal(tls_ticket_ring_turn(ring, start), TURN_MS);
	first = key_at(ring, start);
	assert_int_equal(tls_ticket_ring_turn(ring, start + TURN_MS - 1), 1);
	second = key_at(ring, start + TURN_MS - 1);
	assert_memory_equal(first.name, second.name, sizeof(first.name));
	(void)tls_ticket_ring_turn(ring, start + TURN_MS);
	second = key_at(ring, start + TURN_MS);
	assert_memory_not_equal(first.name, second.name, sizeof(first.name));
	assert_memory_not_equal(first.cipher, second.cipher, sizeof(first.cipher));
	assert_memory_not_equal(first.gnutls, second.gnutls, sizeof(first.gnutls));
	/* Known until its end, and not a millisecond longer, turned or not. */
	assert_true(known(ring, &first, start + LIFE_MS - 1));
	assert_false(known(ring, &first, start + LIFE_MS));
	assert_false(tls_ticket_key_give(ring, first.serial, start + LIFE_MS, &second));
	tls_ticket_ring_unref(ring);
}

/** What is dead is not only refused, it is no longer there. */
static void the_dead_are_wiped(void **state)
{
	struct tls_ticket_key all[TLS_TICKET_KEYS];
	struct tls_ticket_ring *ring;
	uint64_t now = 0, wait;

	(void)state;
	assert_int_equal(tls_ticket_ring_new(&ring, LIFE_S, false), 0);
	for (int round = 0; round < 40; round++, now += wait) {
		wait = tls_ticket_ring_turn(ring, now);
		assert_true(wait > 0 && wait <= TURN_MS);
		/* asked as if no time had passed, which shows the wiped ones */
		assert_true(tls_ticket_keys_all(ring, 0, all) <= 5);
	}
	assert_true(now >= 9 * LIFE_MS);
	/* A machine that slept for a day. */
	wait = tls_ticket_ring_turn(ring, now + 24 * LIFE_MS);
	assert_int_equal(wait, TURN_MS);
	assert_int_equal(tls_ticket_keys_all(ring, 0, all), 1);
	tls_ticket_ring_unref(ring);
}

static void a_pool_comes_first(void **state)
{
	const uint8_t now_on[TLS_TICKET_SECRET] = { 1 }, next[TLS_TICKET_SECRET] = { 2 };
	struct tls_ticket_ring *ring[2];
	struct tls_ticket_key own, key[2];
	uint64_t at = 10 * LIFE_MS;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tls_ticket_ring_new(&ring[i], LIFE_S, false), 0);
		(void)tls_ticket_ring_turn(ring[i], at);
	}
	own = key_at(ring[0], at);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tls_ticket_ring_put(ring[i], now_on, (int64_t)at - 5, at), 0);
		assert_int_equal(tls_ticket_ring_put(ring[i], now_on, (int64_t)at - 5, at), 0);
		assert_int_equal(
		        tls_ticket_ring_put(ring[i], next, (int64_t)(at - 5 + TURN_MS), at), 0);
		key[i] = key_at(ring[i], at);
	}
	assert_memory_equal(key[0].name, key[1].name, sizeof(key[0].name));
	assert_memory_equal(key[0].cipher, key[1].cipher, sizeof(key[0].cipher));
	assert_memory_equal(key[0].gnutls, key[1].gnutls, sizeof(key[0].gnutls));
	assert_true(known(ring[0], &own, at));
	/* The next one is known before its turn: others may be a little ahead. */
	(void)tls_ticket_ring_turn(ring[1], at - 5 + TURN_MS);
	key[1] = key_at(ring[1], at - 5 + TURN_MS);
	assert_memory_not_equal(key[0].name, key[1].name, sizeof(key[0].name));
	assert_true(known(ring[0], &key[1], at));
	/* The pool is silent: own ones again. */
	(void)tls_ticket_ring_turn(ring[1], at - 5 + 2 * TURN_MS);
	assert_false(key_at(ring[1], at - 5 + 2 * TURN_MS).pooled);
	/* One that is over is no news. */
	assert_int_equal(tls_ticket_ring_put(ring[0], (const uint8_t[TLS_TICKET_SECRET]){ 3 },
	                                     (int64_t)(at - LIFE_MS), at),
	                 0);
	assert_int_equal(key_at(ring[0], at).serial, key[0].serial);
	for (int i = 0; i < 2; i++)
		tls_ticket_ring_unref(ring[i]);
}

/** Of a pool's secret TLS and DTLS have keys of their own, the same in all gateways. */
static void datagrams_have_keys_of_their_own(void **state)
{
	const uint8_t secret[TLS_TICKET_SECRET] = { 1 };
	struct tls_ticket_ring *ring[3];
	struct tls_ticket_key key[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tls_ticket_ring_new(&ring[i], LIFE_S, i > 0), 0);
		assert_int_equal(tls_ticket_ring_put(ring[i], secret, 0, 0), 0);
		key[i] = key_at(ring[i], 0);
		assert_true(key[i].pooled);
	}
	assert_memory_equal(key[1].name, key[2].name, sizeof(key[1].name));
	assert_memory_equal(key[1].mac, key[2].mac, sizeof(key[1].mac));
	assert_memory_not_equal(key[0].name, key[1].name, sizeof(key[0].name));
	assert_memory_not_equal(key[0].cipher, key[1].cipher, sizeof(key[0].cipher));
	assert_memory_not_equal(key[0].mac, key[1].mac, sizeof(key[0].mac));
	assert_memory_not_equal(key[0].gnutls, key[1].gnutls, sizeof(key[0].gnutls));
	assert_false(known(ring[0], &key[1], 0));
	assert_false(known(ring[1], &key[0], 0));
	assert_true(known(ring[1], &key[2], 0));
	for (int i = 0; i < 3; i++)
		tls_ticket_ring_unref(ring[i]);
}

static void a_ring_has_an_end(void **state)
{
	struct tls_ticket_key all[TLS_TICKET_KEYS];
	struct tls_ticket_ring *ring;

	(void)state;
	assert_int_equal(tls_ticket_ring_new(&ring, LIFE_S, false), 0);
	for (uint8_t i = 1; i < 100; i++) {
		const uint8_t secret[TLS_TICKET_SECRET] = { i };

		assert_int_equal(tls_ticket_ring_put(ring, secret, i, i), 0);
	}
	assert_int_equal(tls_ticket_keys_all(ring, 0, all), TLS_TICKET_KEYS);
	assert_int_equal(key_at(ring, 99).from_ms, 99);
	tls_ticket_ring_unref(ring);
}

/* -- many at once ----------------------------------------------------------------------------- */

struct crowd {
	struct tls_ticket_ring *ring;
	struct tls_ids *ids;
	atomic_bool over;
	uint32_t number;
};

static void *worker(void *arg)
{
	struct crowd *crowd = arg;
	struct base_secret got = { 0 };
	struct tls_bars *bars = tls_ticket_ring_bars(crowd->ring);
	struct tls_ticket_key key, again;
	uint8_t mark[TLS_MARK] = { 0 };

	while (!atomic_load(&crowd->over)) {
		uint32_t number = 7;
		struct base_str id = { (const char *)&number, sizeof(number) };

		if (tls_ticket_key_give(crowd->ring, 0, 0, &key) &&
		    tls_ticket_key_named(crowd->ring, key.name, 0, &again))
			/* whole, or not at all */
			assert(key.serial == again.serial &&
			       base_secret_equal(key.gnutls, sizeof(key.gnutls), again.gnutls,
			                         sizeof(again.gnutls)));
		tls_ids_put(crowd->ids, id, NULL, "data", 4, 0);
		if (tls_ids_get(crowd->ids, id, NULL, 0, &got))
			assert(got.len == 4);
		tls_ids_remove(crowd->ids, id);
		mark[0]++;
		if (tls_bars_add(bars, mark, mark[0]))
			(void)tls_bars_has(bars, mark); /* another's clock may have lifted it */
	}
	base_secret_done(&got);
	return NULL;
}

/** Workers shake hands while the control thread turns; ThreadSanitizer listens. */
static void turned_under_way(void **state)
{
	struct crowd crowd = { 0 };
	pthread_t thread[3];

	(void)state;
	assert_int_equal(tls_ticket_ring_new(&crowd.ring, LIFE_S, false), 0);
	assert_int_equal(tls_ids_new(&crowd.ids, LIFE_S), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, worker, &crowd), 0);
	for (uint32_t i = 1; i < 2000; i++) {
		uint8_t secret[TLS_TICKET_SECRET] = { (uint8_t)i, (uint8_t)(i >> 8) };

		(void)tls_ticket_ring_turn(crowd.ring, i * TURN_MS);
		(void)tls_ticket_ring_put(crowd.ring, secret, (int64_t)(i * TURN_MS), i * TURN_MS);
		tls_ids_age(crowd.ids, i);
	}
	atomic_store(&crowd.over, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	tls_ticket_ring_unref(crowd.ring);
	tls_ids_unref(crowd.ids);
}

/* -- sessions by the clock ------------------------------------------------------------------- */

struct guest {
	SSL_SESSION *kept;
	SSL_CTX *ctx;
	struct shop shop;
};

static void guest_open(struct guest *g, const struct tls_domain_spec *spec)
{
	*g = (struct guest){ 0 };
	visit_now_ms = 0;
	g->ctx = visit_client_new(&g->kept);
	shop_open(&g->shop, spec);
	(void)tls_domain_tickets_turn(g->shop.domain, 0);
}

static void guest_close(struct guest *g)
{
	SSL_SESSION_free(g->kept);
	SSL_CTX_free(g->ctx);
	shop_close(&g->shop);
	visit_now_ms = 0;
}

/** The control thread's timer, up to this time. */
static void time_passes(struct guest *g, uint64_t until_ms)
{
	while (visit_now_ms < until_ms) {
		uint64_t wait = tls_domain_tickets_turn(g->shop.domain, visit_now_ms);

		assert_true(wait > 0);
		visit_now_ms = BASE_MIN(visit_now_ms + wait, until_ms);
	}
	(void)tls_domain_tickets_turn(g->shop.domain, visit_now_ms);
}

static bool resumes(struct guest *g, int worker)
{
	struct visit v = visit(g->ctx, g->kept, g->shop.context[worker], NULL);

	assert_true(v.up);
	return v.resumed;
}

/** Rotation is nothing that a client notices, at any worker. */
static void rotation_is_not_felt(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct guest g;

		guest_open(&g, &spec);
		assert_false(resumes(&g, 0));
		time_passes(&g, TURN_MS + 1);
		assert_true(resumes(&g, 1));
		time_passes(&g, LIFE_MS - 1);
		assert_true(resumes(&g, 0));
		guest_close(&g);
	}
}

/** However often it is resumed: a lifetime after the full handshake it is over (O8). */
static void lifetime_counts_from_the_full_handshake(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct guest g;

		guest_open(&g, &spec);
		assert_false(resumes(&g, 0));
		for (uint64_t at = LIFE_MS / 10; at < LIFE_MS; at += LIFE_MS / 10) {
			time_passes(&g, at);
			assert_true(resumes(&g, (int)(at / TURN_MS) % 2));
		}
		time_passes(&g, LIFE_MS);
		assert_false(resumes(&g, 0));
		assert_true(resumes(&g, 1)); /* a new one was given */
		guest_close(&g);
	}
}

/** The client is told no more than that (OpenSSL; GnuTLS names the profile's lifetime). */
static void hint_is_what_is_left(void **state)
{
	const struct lab_sides *sides = *state;

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		unsigned long hint;
		struct guest g;

		guest_open(&g, &spec);
		time_passes(&g, TURN_MS - 1000);
		assert_false(resumes(&g, 0));
		hint = SSL_SESSION_get_ticket_lifetime_hint(g.kept);
		if (sides->server == TLS_ENGINE_OPENSSL)
			assert_int_equal(hint, (LIFE_MS - TURN_MS) / 1000 + 1);
		else
			assert_true(hint <= LIFE_S);
		guest_close(&g);
	}
}

/* -- generations of a domain ----------------------------------------------------------------- */

/** As a reload does: a new domain in the place of the old one. */
static void generation(struct guest *g, const struct tls_domain_spec *spec)
{
	struct tls_domain_spec next = *spec;
	struct shop old = g->shop;

	next.before = old.domain;
	shop_open(&g->shop, &next);
	shop_close(&old);
	(void)tls_domain_tickets_turn(g->shop.domain, visit_now_ms);
}

static void unchanged_goes_on(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct guest g;

		guest_open(&g, &spec);
		assert_false(resumes(&g, 0));
		generation(&g, &spec);
		assert_true(resumes(&g, 1));
		time_passes(&g, 2 * TURN_MS); /* the time of its keys goes on, too */
		generation(&g, &spec);
		assert_true(resumes(&g, 0));
		time_passes(&g, LIFE_MS);
		generation(&g, &spec);
		assert_false(resumes(&g, 0));
		guest_close(&g);
	}
}

/** Each thing that decides about peers ends it. */
static void changed_begins_anew(void **state)
{
	const struct lab_sides *sides = *state;
	struct tls_domain_spec base = lab_spec(sides, TLS_ROLE_SERVER, "tls12");
	const struct tls_psk psk = lab_psk("one", "abcdefgh"), other = lab_psk("one", "abcdefgi");
	struct tls_domain_spec changed[8], keyed = base;
	struct guest g;

	base.trust = NULL;
	for (size_t i = 0; i < BASE_COUNT(changed); i++)
		changed[i] = base;
	keyed.psks = &psk;
	keyed.psk_count = 1;
	changed[0].name = "another";
	changed[1].profile = lab_profile(sides->lab, "tls12-reverse");
	changed[2].identity = sides->lab->server_rsa;
	changed[3].trust = sides->lab->trust;
	changed[4].continue_on = 1U << TRUST_EXPIRED;
	changed[5].server_methods = TRUST_CA;
	changed[6].psks = &psk;
	changed[6].psk_count = 1;
	changed[7].psk_hint = "hint";
	for (size_t i = 0; i < BASE_COUNT(changed); i++) {
		guest_open(&g, &base);
		assert_false(resumes(&g, 0));
		generation(&g, &changed[i]);
		if (resumes(&g, 0))
			fail_msg("change %zu did not end it", i);
		guest_close(&g);
	}
	guest_open(&g, &keyed);
	assert_false(resumes(&g, 0));
	generation(&g, &keyed);
	assert_true(resumes(&g, 0));
	keyed.psks = &other;
	generation(&g, &keyed);
	assert_false(resumes(&g, 0));
	guest_close(&g);
}

/* -- who is refused -------------------------------------------------------------------------- */

static const uint8_t *mark_of(uint32_t n)
{
	static uint8_t mark[TLS_MARK];

	memcpy(mark, &n, sizeof(n));
	return mark;
}

static void bars_are_bounded(void **state)
{
	struct tls_bars *bars;

	(void)state;
	assert_int_equal(tls_bars_new(&bars, LIFE_S), 0);
	for (uint32_t i = 0; i < TLS_BARS_MAX + 10; i++)
		assert_true(tls_bars_add(bars, mark_of(i), 1000));
	assert_false(tls_bars_has(bars, mark_of(9))); /* the first went */
	assert_true(tls_bars_has(bars, mark_of(10)));
	assert_true(tls_bars_add(bars, mark_of(10), 2000)); /* it is there */
	assert_false(tls_bars_has(bars, mark_of(TLS_BARS_MAX + 10)));
	/* no ticket bears them any more */
	assert_true(tls_bars_add(bars, mark_of(1), 1000 + LIFE_MS));
	assert_false(tls_bars_has(bars, mark_of(20)));
	assert_true(tls_bars_has(bars, mark_of(1)));
	tls_bars_free(bars);
	tls_bars_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bars_are_bounded),
	cmocka_unit_test(a_key_has_its_time),
	cmocka_unit_test(the_dead_are_wiped),
	cmocka_unit_test(a_pool_comes_first),
	cmocka_unit_test(datagrams_have_keys_of_their_own),
	cmocka_unit_test(a_ring_has_an_end),
	cmocka_unit_test(turned_under_way),
	cmocka_unit_test(rotation_is_not_felt),
	cmocka_unit_test(lifetime_counts_from_the_full_handshake),
	cmocka_unit_test(hint_is_what_is_left),
	cmocka_unit_test(unchanged_goes_on),
	cmocka_unit_test(changed_begins_anew),
};

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
