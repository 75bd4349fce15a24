/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to a DTLS server before it is known who it is: strangers, and fingerprints that come
 * later. */
#include "check.h"

#include "../tls/pairs.h"
#include "guests.h"
#include "relay/room.h"

static const struct relay_dgram_spec any = { 0 };

/* ---- strangers ---- */

static void a_stranger_does_not_end_it(void **state)
{
	struct guest stranger, expected;
	struct end e = { 0 };
	struct guests s;

	guests_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &any, 0);
	guest_make(&stranger, &s, s.sides->lab->stranger, endpoint_port(e.front.endpoint));
	guest_until(&s, &stranger, &e.front, RELAY_TLS_FAILED, 1);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_AUTH);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].tls.reason, TRUST_FINGERPRINT_MISMATCH);
	guest_make(&expected, &s, s.sides->lab->client, stranger.to);
	guest_until(&s, &expected, &e.front, RELAY_TLS_UP, 1);
	end_hears(&s, &e, &expected, "it is me");
	assert_int_equal(e.front.count[RELAY_TCP_DOWN], 0);
	assert_int_equal(endpoint_stats(e.front.endpoint).handshake_failures, 1);
	assert_int_equal(endpoint_stats(e.front.endpoint).handshakes, 1);
	end_done(&e);
	guest_done(&stranger);
	guest_done(&expected);
	guests_end(&s);
}

/* The end of the endpoint is told as ever, and why, whoever was there before. */
static void its_end_is_its_own(void **state)
{
	struct guest stranger;
	struct end e = { 0 };
	struct guests s;

	guests_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &any, 0);
	guest_make(&stranger, &s, s.sides->lab->stranger, endpoint_port(e.front.endpoint));
	guest_until(&s, &stranger, &e.front, RELAY_TLS_FAILED, 1);
	assert_int_equal(relay_endpoint_release(e.front.endpoint, false), 0);
	stage_expect(&s.stage, &e.front, RELAY_TCP_DOWN);
	assert_int_equal(e.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	end_done(&e);
	guest_done(&stranger);
	guests_end(&s);
}

static union relay_address host(unsigned n, unsigned port)
{
	union relay_address a;

	memset(&a, 0, sizeof(a));
	a.in.sin_family = AF_INET;
	a.in.sin_addr.s_addr = htonl(0x0a000000 + n);
	a.in.sin_port = htons((uint16_t)port);
	return a;
}

/* Three times nothing; then 1 s, 2 s, ... a minute. Another port is the same host. */
static void who_fails_again_and_again_waits_longer(void **state)
{
	static const unsigned seconds[] = { 0, 0, 1, 2, 4, 8, 16, 32, 64, 64 };
	struct relay_guests guests = { 0 };
	union relay_address first = host(1, 1);
	uint64_t now = 1000;

	(void)state;
	for (unsigned i = 0; i < BASE_COUNT(seconds); i++) {
		union relay_address a = host(1, 1000 + i), b = host(1, 2000 + i);
		union relay_address other = host(2, 7);

		assert_true(relay_guests_may(&guests, &a, now));
		assert_int_equal(relay_guests_failed(&guests, &a, now), seconds[i] * 1000);
		now += (uint64_t)seconds[i] * 1000;
		if (seconds[i])
			assert_false(relay_guests_may(&guests, &b, now - 1));
		assert_true(relay_guests_may(&guests, &other, now));
		assert_true(relay_guests_may(&guests, &b, now));
	}
	/* Long ago is forgotten. */
	now += 1000000;
	assert_int_equal(relay_guests_failed(&guests, &first, now), 0);
}

/* However many hosts there are: so many at once, and then so many in a second. */
static void all_together_are_bounded(void **state)
{
	struct relay_guests guests = { 0 };
	union relay_address last = host(1000, 5);
	unsigned taken = 0;

	(void)state;
	for (unsigned n = 0; n < 10 * RELAY_GUEST_BURST; n++) {
		union relay_address a = host(n, 5);

		if (!relay_guests_may(&guests, &a, 5000))
			continue;
		taken++;
		(void)relay_guests_failed(&guests, &a, 5000);
	}
	assert_int_equal(taken, RELAY_GUEST_BURST);
	assert_true(relay_guests_may(&guests, &last, 5000 + 1000 / RELAY_GUEST_RATE));
}

/* ---- fingerprints that come later ---- */

static void the_fingerprint_may_come_after_the_handshake(void **state)
{
	struct guest g;
	struct end e = { 0 };
	struct guests s;

	guests_begin(&s, *state);
	end_make(&s, &e, NULL, &any, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	guest_until(&s, &g, NULL, 0, 0);
	assert_int_equal(g.rc, 0);
	guest_say(&g, "too early");
	udp_send(e.peer, endpoint_port(e.back.endpoint), "nor this", 8);
	STAGE_COUNT(&s.stage, e.back.endpoint, packets_lost, 1);
	assert_int_equal(e.front.count[RELAY_TLS_UP], 0);
	end_expect(&e, s.sides->lab->client);
	guest_until(&s, &g, &e.front, RELAY_TLS_UP, 1);
	assert_int_equal(e.front.last[RELAY_TLS_UP].mark, 2);
	assert_true(e.front.last[RELAY_TLS_UP].tls.authenticated);
	assert_int_equal(e.front.last[RELAY_TLS_UP].tls.method, TRUST_FINGERPRINT);
	end_hears(&s, &e, &g, "now"); /* and nothing that was said before */
	end_done(&e);
	guest_done(&g);
	guests_end(&s);
}

static void and_may_be_another_ones(void **state)
{
	struct guest g, right;
	struct end e = { 0 };
	struct guests s;

	guests_begin(&s, *state);
	end_make(&s, &e, NULL, &any, 0);
	guest_make(&g, &s, s.sides->lab->stranger, endpoint_port(e.front.endpoint));
	guest_until(&s, &g, NULL, 0, 0);
	assert_int_equal(g.rc, 0);
	end_expect(&e, s.sides->lab->client);
	guest_until(&s, &g, &e.front, RELAY_TLS_FAILED, 1);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_AUTH);
	guest_make(&right, &s, s.sides->lab->client, g.to);
	guest_until(&s, &right, &e.front, RELAY_TLS_UP, 1);
	end_hears(&s, &e, &right, "me");
	end_done(&e);
	guest_done(&g);
	guest_done(&right);
	guests_end(&s);
}

/* Whoever leaves before it is known who it was is nobody's end. */
static void who_leaves_before_is_forgotten(void **state)
{
	struct guest g, right;
	struct end e = { 0 };
	struct guests s;
	struct tls_io io = { 0 };

	guests_begin(&s, *state);
	end_make(&s, &e, NULL, &any, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	guest_until(&s, &g, NULL, 0, 0);
	io.out = &g.out;
	assert_int_equal(tls_session_close(g.session, &io), 0);
	guest_flush(&g);
	stage_expect(&s.stage, &e.front, RELAY_TLS_FAILED);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_PEER_CLOSE);
	guest_make(&right, &s, s.sides->lab->client, g.to);
	guest_until(&s, &right, NULL, 0, 0);
	end_expect(&e, s.sides->lab->client);
	guest_until(&s, &right, &e.front, RELAY_TLS_UP, 1);
	end_done(&e);
	guest_done(&g);
	guest_done(&right);
	guests_end(&s);
}

/* A session that is up and does not fit what is ordered then does not go on. */
static void a_session_is_held_against_new_fingerprints(void **state)
{
	struct guest g;
	struct end e = { 0 };
	struct guests s;

	guests_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &any, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	guest_until(&s, &g, &e.front, RELAY_TLS_UP, 1);
	assert_int_equal(e.front.last[RELAY_TLS_UP].mark, 1);
	end_expect(&e, s.sides->lab->client); /* said again */
	end_hears(&s, &e, &g, "still");
	end_expect(&e, s.sides->lab->stranger);
	stage_expect(&s.stage, &e.front, RELAY_TCP_DOWN);
	assert_int_equal(e.front.last[RELAY_TLS_DOWN].cause, RELAY_CAUSE_AUTH);
	end_done(&e);
	guest_done(&g);
	guests_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_does_not_end_it),
		cmocka_unit_test(its_end_is_its_own),
		cmocka_unit_test(who_fails_again_and_again_waits_longer),
		cmocka_unit_test(all_together_are_bounded),
		cmocka_unit_test(the_fingerprint_may_come_after_the_handshake),
		cmocka_unit_test(and_may_be_another_ones),
		cmocka_unit_test(who_leaves_before_is_forgotten),
		cmocka_unit_test(a_session_is_held_against_new_fingerprints),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
