/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Resumption as client (RFC 5077; RFC 8446, 4.6.1; H.248.TLSPROF 7-6): tickets are kept by domain,
 * worker and peer, go no further, and what the peer had proved goes with them. Both engines, and
 * across them.
 */
#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"

static const char *const profiles[] = { "again", "tls13", "ids" };
static const struct tls_session_spec home = { .role = TLS_ROLE_CLIENT,
	                                      .resume_key = "192.0.2.1:443" };

/** One connection. @return whether both sides say that it was resumed; they must agree */
static bool visit(struct lab_pair *pair, const struct tls_session_spec *client)
{
	uint8_t scrap[64];
	size_t n;

	if (pair->session[0])
		lab_pair_again(pair, NULL, client);
	lab_pair_shake(pair);
	lab_assert_up(pair);
	lab_pair_send(pair, TLS_ROLE_CLIENT, "question", 8);
	lab_pair_send(pair, TLS_ROLE_SERVER, "answer", 6);
	(void)lab_pair_read(pair, TLS_ROLE_CLIENT, scrap, sizeof(scrap), &n);
	assert_int_equal(lab_info(pair, TLS_ROLE_CLIENT).resumed,
	                 lab_info(pair, TLS_ROLE_SERVER).resumed);
	return lab_info(pair, TLS_ROLE_CLIENT).resumed;
}

static void open_with(struct lab_pair *pair, void *const *state, const char *profile,
                      unsigned methods)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profile);

	c.server_methods = methods;
	lab_pair_open(pair, &s, &c, NULL, &home);
}

static void again_and_again(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		struct tls_info full, info;

		open_with(&pair, state, profiles[i], TRUST_CA);
		assert_false(visit(&pair, &home));
		full = lab_info(&pair, TLS_ROLE_CLIENT);
		assert_true(full.verdict.authenticated);
		for (int round = 0; round < 3; round++) {
			assert_true(visit(&pair, &home));
			info = lab_info(&pair, TLS_ROLE_CLIENT);
			assert_true(info.has_verdict && info.verdict.authenticated);
			assert_string_equal(info.verdict.subject, full.verdict.subject);
			assert_int_equal(info.suite, full.suite);
			assert_int_equal(info.version, full.version);
			assert_false(info.psk);
			assert_int_equal(pair.context[TLS_ROLE_CLIENT]->ticket_count, 1);
		}
		lab_pair_close(&pair);
	}
}

/** Another address, another name, or no key at all: a full handshake. */
static void of_one_peer(void **state)
{
	const struct tls_session_spec others[] = {
		{ .role = TLS_ROLE_CLIENT, .resume_key = "192.0.2.2:443" },
		{ .role = TLS_ROLE_CLIENT,
		  .resume_key = "192.0.2.1:443",
		  .server_name = "server.test" },
		{ .role = TLS_ROLE_CLIENT,
		  .resume_key = "192.0.2.1:443",
		  .peer_name = "server.test" },
		{ .role = TLS_ROLE_CLIENT },
	};

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;

		open_with(&pair, state, profiles[i], TRUST_CA);
		assert_false(visit(&pair, &home));
		for (size_t k = 0; k < BASE_COUNT(others); k++)
			assert_false(visit(&pair, &others[k]));
		assert_true(visit(&pair, &home));
		assert_true(visit(&pair, &others[0]));
		lab_pair_close(&pair);
	}
}

/** A stream with credentials of its own proves them each time, and leaves nothing behind. */
static void not_with_own_credentials(void **state)
{
	const struct lab_sides *sides = *state;
	const struct x509_fingerprint fp = lab_fingerprint(sides->lab->server_ec);
	const struct tls_session_spec own = { .role = TLS_ROLE_CLIENT,
		                              .resume_key = "192.0.2.1:443",
		                              .fingerprints = &fp,
		                              .fingerprint_count = 1 };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;

		open_with(&pair, state, profiles[i], TRUST_CA | TRUST_FINGERPRINT);
		assert_false(visit(&pair, &home));
		assert_false(visit(&pair, &own));
		assert_false(visit(&pair, &own));
		assert_true(visit(&pair, &home));
		lab_pair_close(&pair);
	}
}

/** The profile's lifetime is counted from the full handshake, however often it is resumed. */
static void for_so_long(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		uint64_t life_ms;

		open_with(&pair, state, profiles[i], TRUST_CA);
		life_ms = (uint64_t)pair.domain[TLS_ROLE_CLIENT]->lifetime_s * 1000;
		assert_false(visit(&pair, &home));
		pair.now_ms = life_ms / 2;
		assert_true(visit(&pair, &home));
		pair.now_ms = life_ms - 1;
		assert_true(visit(&pair, &home));
		pair.now_ms = life_ms;
		assert_false(visit(&pair, &home));
		assert_true(visit(&pair, &home));
		lab_pair_close(&pair);
	}
}

/** What was tolerated is judged, and told, each time. */
static void not_what_was_tolerated(void **state)
{
	const struct lab_sides *sides = *state;

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profiles[i]);
		struct lab_pair pair;

		s.identity = sides->lab->stranger;
		c.server_methods = TRUST_CA;
		c.continue_on = ~0U;
		lab_pair_open(&pair, &s, &c, NULL, &home);
		for (int round = 0; round < 2; round++) {
			assert_false(visit(&pair, &home));
			assert_true(lab_info(&pair, TLS_ROLE_CLIENT).verdict.tolerated);
		}
		assert_int_equal(pair.context[TLS_ROLE_CLIENT]->ticket_count, 0);
		lab_pair_close(&pair);
	}
}

/** A server that knows the ticket no more: a full handshake, judged as ever. */
static void unknown_to_the_server(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		struct tls_domain *server;
		struct tls_context *context;

		open_with(&pair, state, profiles[i], TRUST_CA);
		assert_false(visit(&pair, &home));
		server = pair.domain[TLS_ROLE_SERVER];
		for (int which = 0; which < 2; which++) {
			tls_session_free(pair.session[which]);
			pair.session[which] = NULL;
		}
		/* as a reload makes new keys */
		tls_ticket_ring_unref(server->ring);
		assert_int_equal(tls_ticket_ring_new(&server->ring, 3600, false), 0);
		tls_ids_unref(server->ids);
		assert_int_equal(tls_ids_new(&server->ids, 3600), 0);
		assert_int_equal(tls_context_new(&context, server, NULL), 0);
		tls_context_free(pair.context[TLS_ROLE_SERVER]);
		pair.context[TLS_ROLE_SERVER] = context;
		lab_pair_again(&pair, NULL, &home);
		assert_false(visit(&pair, &home));
		assert_true(lab_info(&pair, TLS_ROLE_CLIENT).verdict.authenticated);
		assert_true(visit(&pair, &home));
		lab_pair_close(&pair);
	}
}

/** A session that ended with an alert is not resumed (RFC 5246, 7.2.2). */
static void not_after_a_failure(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		struct tls_io io;

		open_with(&pair, state, profiles[i], 0);
		assert_false(visit(&pair, &home));
		io = (struct tls_io){ .out = &pair.wire[TLS_ROLE_CLIENT] };
		tls_session_abort(pair.session[TLS_ROLE_CLIENT], &io, TLS_ALERT_USER_CANCELED);
		assert_int_equal(pair.context[TLS_ROLE_CLIENT]->ticket_count, 0);
		assert_false(visit(&pair, &home));
		lab_pair_close(&pair);
	}
}

/** The cache is bounded; the oldest goes. */
static void bounded(void **state)
{
	struct lab_pair pair;
	char key[32];
	struct tls_session_spec spec = { .role = TLS_ROLE_CLIENT, .resume_key = key };

	open_with(&pair, state, "again", 0);
	for (int i = 0; i < 70; i++) {
		(void)snprintf(key, sizeof(key), "192.0.2.1:%d", i);
		assert_false(visit(&pair, &spec));
	}
	assert_int_equal(pair.context[TLS_ROLE_CLIENT]->ticket_count, 64);
	assert_true(visit(&pair, &spec));
	(void)snprintf(key, sizeof(key), "192.0.2.1:%d", 5);
	assert_false(visit(&pair, &spec));
	lab_pair_close(&pair);
}

/** More of them, where the domain says so: many user agents of one process. */
static void bounded_as_told(void **state)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "again");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "again");
	struct lab_pair pair;
	char key[32];
	struct tls_session_spec spec = { .role = TLS_ROLE_CLIENT, .resume_key = key };

	c.client_tickets = 100;
	lab_pair_open(&pair, &s, &c, NULL, &home);
	for (int i = 0; i < 101; i++) {
		(void)snprintf(key, sizeof(key), "192.0.2.1:%d", i);
		assert_false(visit(&pair, &spec));
	}
	assert_int_equal(pair.context[TLS_ROLE_CLIENT]->ticket_count, 100);
	for (int i = 100; i > 0; i--) {
		(void)snprintf(key, sizeof(key), "192.0.2.1:%d", i);
		assert_true(visit(&pair, &spec));
	}
	(void)snprintf(key, sizeof(key), "192.0.2.1:%d", 0);
	assert_false(visit(&pair, &spec));
	lab_pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(again_and_again),          cmocka_unit_test(of_one_peer),
	cmocka_unit_test(not_with_own_credentials), cmocka_unit_test(for_so_long),
	cmocka_unit_test(not_what_was_tolerated),   cmocka_unit_test(unknown_to_the_server),
	cmocka_unit_test(not_after_a_failure),      cmocka_unit_test(bounded),
	cmocka_unit_test(bounded_as_told),
};

int main(void)
{
	return pairs_run(tests, BASE_COUNT(tests));
}
