/* SPDX-License-Identifier: Apache-2.0 */
/** @file Who the peer is: certificates and pre-shared keys, over every pair of engines. */
#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"

/* -- who the peer is ------------------------------------------------------------------------- */

/** The client checks the server; `alert` < 0 = it is content. */
static void server_case(struct lab_sides *sides, struct tls_domain_spec *c,
                        struct x509_identity *identity, const struct tls_session_spec *client_s,
                        int alert, enum trust_reason reason)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profiles[i]);
		struct tls_info info;
		struct lab_pair pair;

		c->profile = lab_profile(sides->lab, profiles[i]);
		s.identity = identity;
		lab_pair_open(&pair, &s, c, NULL, client_s);
		lab_pair_shake(&pair);
		info = lab_info(&pair, TLS_ROLE_CLIENT);
		assert_true(info.has_verdict);
		assert_int_equal(info.verdict.reason, reason);
		assert_int_equal(info.verdict.authenticated, reason == TRUST_OK);
		if (alert < 0) {
			lab_assert_up(&pair);
			assert_int_equal(info.verdict.tolerated, reason != TRUST_OK);
		} else {
			assert_int_equal(pair.result[TLS_ROLE_CLIENT], BASE_ERR(BASE_PEER, alert));
			assert_int_equal(info.alert, alert);
			assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
			assert_string_equal(info.failure, info.verdict.text);
			info = lab_info(&pair, TLS_ROLE_SERVER);
			assert_int_equal(info.alert, alert);
			assert_int_equal(info.alert_side, TLS_SIDE_REMOTE);
			assert_int_equal(pair.result[TLS_ROLE_SERVER], BASE_ERR(BASE_PEER, alert));
		}
		lab_pair_close(&pair);
	}
}

static void server_by_ca(void **state)
{
	struct lab_sides *sides = *state;
	struct lab *lab = sides->lab;
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "tls12");
	struct tls_session_spec named = { .role = TLS_ROLE_CLIENT, .peer_name = "server.test" };
	struct tls_session_spec other = { .role = TLS_ROLE_CLIENT, .peer_name = "other.test" };

	c.server_methods = TRUST_CA;
	server_case(sides, &c, lab->server_ec, &named, -1, TRUST_OK);
	server_case(sides, &c, lab->server_ec, &other, 46, TRUST_WRONG_NAME);
	server_case(sides, &c, lab->stranger, NULL, 48, TRUST_UNKNOWN_CA);
	server_case(sides, &c, lab->expired, NULL, 45, TRUST_EXPIRED);
	c.continue_on = 1U << TRUST_EXPIRED;
	server_case(sides, &c, lab->expired, NULL, -1, TRUST_EXPIRED);
	server_case(sides, &c, lab->stranger, NULL, 48, TRUST_UNKNOWN_CA);
}

/** SHA-1 in certificates is weak unless the profile turns such schemes on. */
static void server_sha1(void **state)
{
	static const char *const profiles[] = { "tls12", "old" };
	struct lab_sides *sides = *state;
	const struct base_str chain = sides->lab->sha1->der[0];

	for (int i = 0; i < 2; i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "old");
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profiles[i]);
		struct lab_pair pair;
		int rc;

		c.server_methods = TRUST_CA;
		lab_pair_open(&pair, &s, &c, NULL, NULL);
		rc = tls_session_judge(pair.session[TLS_ROLE_CLIENT], &chain, 1);
		assert_int_equal(rc == 0, i);
		assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).verdict.reason,
		                 i ? TRUST_OK : TRUST_WEAK);
		lab_pair_close(&pair);
	}
}

static void server_by_fingerprint(void **state)
{
	struct lab_sides *sides = *state;
	struct lab *lab = sides->lab;
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "tls12");
	struct x509_fingerprint right = lab_fingerprint(lab->stranger);
	struct x509_fingerprint wrong = lab_fingerprint(lab->server_ec);
	struct tls_session_spec spec = { .role = TLS_ROLE_CLIENT,
		                         .fingerprints = &right,
		                         .fingerprint_count = 1 };

	c.server_methods = TRUST_FINGERPRINT;
	server_case(sides, &c, lab->stranger, &spec, -1, TRUST_OK);
	spec.fingerprints = &wrong;
	server_case(sides, &c, lab->stranger, &spec, 42, TRUST_FINGERPRINT_MISMATCH);
	/* The method is the only one and nobody gave a fingerprint (H.248.TLSPROF 8.3.2.2.1). */
	server_case(sides, &c, lab->stranger, NULL, 46, TRUST_NO_FINGERPRINT);
}

struct client_case {
	enum tls_client_auth auth;
	unsigned methods, continue_on;
	struct x509_identity *identity;
	const struct x509_fingerprint *fingerprint;
	int alert12, alert13; /**< -1 = up */
	bool has_verdict;
	enum trust_reason reason;
};

static void client_run(struct lab_sides *sides, const struct client_case *t, const char *profile,
                       int alert)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	struct tls_session_spec spec = { .role = TLS_ROLE_SERVER,
		                         .fingerprints = t->fingerprint,
		                         .fingerprint_count = t->fingerprint != NULL };
	struct tls_info info;
	struct lab_pair pair;

	s.client_auth = t->auth;
	s.client_methods = t->methods;
	s.continue_on = t->continue_on;
	c.identity = t->identity;
	lab_pair_open(&pair, &s, &c, &spec, NULL);
	lab_pair_shake(&pair);
	info = lab_info(&pair, TLS_ROLE_SERVER);
	assert_int_equal(info.has_verdict, t->has_verdict);
	if (t->has_verdict)
		assert_int_equal(info.verdict.reason, t->reason);
	if (alert < 0) {
		lab_assert_up(&pair);
	} else {
		assert_int_equal(pair.result[TLS_ROLE_SERVER], BASE_ERR(BASE_PEER, alert));
		assert_int_equal(info.alert, alert);
		assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
		assert_false(info.established);
		assert_int_equal(pair.result[TLS_ROLE_CLIENT], BASE_ERR(BASE_PEER, alert));
		assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert_side, TLS_SIDE_REMOTE);
	}
	lab_pair_close(&pair);
}

static void client_certificates(void **state)
{
	struct lab_sides *sides = *state;
	struct lab *lab = sides->lab;
	const struct x509_fingerprint own = lab_fingerprint(lab->client);
	const struct x509_fingerprint strange = lab_fingerprint(lab->stranger);
	const struct client_case cases[] = {
		{ TLS_CLIENT_AUTH_NONE, TRUST_CA, 0, lab->client, NULL, -1, -1, false },
		{ TLS_CLIENT_AUTH_REQUEST, TRUST_CA, 0, lab->client, NULL, -1, -1, true, TRUST_OK },
		{ TLS_CLIENT_AUTH_REQUEST, TRUST_CA, 0, NULL, NULL, -1, -1, true,
		  TRUST_NO_CERTIFICATE },
		{ TLS_CLIENT_AUTH_REQUEST, TRUST_CA, 0, lab->expired, NULL, 45, 45, true,
		  TRUST_EXPIRED },
		{ TLS_CLIENT_AUTH_REQUIRE, TRUST_CA, 0, lab->client, NULL, -1, -1, true, TRUST_OK },
		{ TLS_CLIENT_AUTH_REQUIRE, TRUST_CA, 0, NULL, NULL, 40, 116, true,
		  TRUST_NO_CERTIFICATE },
		{ TLS_CLIENT_AUTH_REQUIRE, TRUST_CA, 1U << TRUST_NO_CERTIFICATE, NULL, NULL, -1, -1,
		  true, TRUST_NO_CERTIFICATE },
		{ TLS_CLIENT_AUTH_REQUIRE, TRUST_CA, 1U << TRUST_EXPIRED, lab->expired, NULL, -1,
		  -1, true, TRUST_EXPIRED },
		/* The fingerprint method asks for a certificate by itself. */
		{ TLS_CLIENT_AUTH_NONE, TRUST_FINGERPRINT, 0, lab->client, &own, -1, -1, true,
		  TRUST_OK },
		{ TLS_CLIENT_AUTH_NONE, TRUST_FINGERPRINT, 0, lab->client, &strange, 42, 42, true,
		  TRUST_FINGERPRINT_MISMATCH },
		{ TLS_CLIENT_AUTH_NONE, TRUST_FINGERPRINT, 0, lab->client, NULL, 46, 46, true,
		  TRUST_NO_FINGERPRINT },
		/* RFC 8122, 6.2 */
		{ TLS_CLIENT_AUTH_NONE, TRUST_FINGERPRINT, 0, NULL, &own, 42, 42, true,
		  TRUST_NO_CERTIFICATE },
		{ TLS_CLIENT_AUTH_REQUIRE, TRUST_FINGERPRINT | TRUST_CA, 0, NULL, NULL, 40, 116,
		  true, TRUST_NO_CERTIFICATE },
		{ TLS_CLIENT_AUTH_NONE, TRUST_FINGERPRINT, 1U << TRUST_NO_CERTIFICATE, NULL, &own,
		  -1, -1, true, TRUST_NO_CERTIFICATE },
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		client_run(sides, &cases[i], "tls12", cases[i].alert12);
		client_run(sides, &cases[i], "tls13", cases[i].alert13);
	}
}

/* -- pre-shared keys ------------------------------------------------------------------------- */

static void psk_up(const struct lab_sides *sides, const char *profile, bool rsa)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	const struct tls_psk psks[] = { lab_psk("first", "0123456789abcdef"),
		                        lab_psk("second", "fedcba9876543210") };
	const struct tls_session_spec cs = { .role = TLS_ROLE_CLIENT,
		                             .psks = &psks[1],
		                             .psk_count = 1 };
	struct lab_pair pair;

	s.identity = rsa ? sides->lab->server_rsa : NULL;
	s.psks = psks;
	s.psk_count = 2;
	lab_pair_open(&pair, &s, &c, NULL, &cs);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	for (int role = 0; role < 2; role++) {
		struct tls_info info = lab_info(&pair, (enum tls_role)role);

		assert_true(info.psk);
		assert_false(info.resumed);
		assert_string_equal(info.psk_identity, "second");
	}
	lab_pair_send(&pair, TLS_ROLE_CLIENT, "hello", 5);
	lab_pair_send(&pair, TLS_ROLE_SERVER, "world", 5);
	lab_pair_close(&pair);
}

static bool offers(enum tls_engine engine, uint16_t suite)
{
	const struct profile_codes *suites = &tls_engine_caps(engine)->suites;

	for (size_t i = 0; i < suites->count; i++)
		if (suites->code[i] == suite)
			return true;
	return false;
}

static void psk_suites(void **state)
{
	const struct lab_sides *sides = *state;

	psk_up(sides, "psk", false);
	psk_up(sides, "psk-cbc", false);
	psk_up(sides, "psk-dhe", false);
	psk_up(sides, "psk-ecdhe", false);
	psk_up(sides, "psk13", false);
	if (offers(sides->server, 0x00ac) && offers(sides->client, 0x00ac))
		psk_up(sides, "psk-rsa", true);
}

/** The hint picks the identity; without one, the first serves; the stream's come first. */
static void psk_hints(void **state)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "psk");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "psk");
	const struct tls_psk psks[] = { lab_psk("first", "0123456789abcdef"),
		                        lab_psk("second", "fedcba9876543210") };
	const struct tls_psk own = lab_psk("own", "streamstreamstre");
	const struct tls_session_spec cs = { .role = TLS_ROLE_CLIENT,
		                             .psks = &own,
		                             .psk_count = 1 };
	struct tls_session_spec ss = { .role = TLS_ROLE_SERVER, .psk_hint = "first" };
	struct lab_pair pair;

	s.identity = NULL;
	s.psks = c.psks = psks;
	s.psk_count = c.psk_count = 2;
	s.psk_hint = "second";
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_string_equal(lab_info(&pair, TLS_ROLE_SERVER).psk_identity, "second");
	lab_pair_again(&pair, &ss, NULL);
	lab_pair_shake(&pair);
	assert_string_equal(lab_info(&pair, TLS_ROLE_SERVER).psk_identity, "first");
	ss.psk_hint = "nobody";
	ss.psks = &own;
	ss.psk_count = 1;
	lab_pair_again(&pair, &ss, &cs);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_string_equal(lab_info(&pair, TLS_ROLE_SERVER).psk_identity, "own");
	lab_pair_close(&pair);
}

/** What a client hears that has this identity and key; the server knows "alice". */
static int psk_refused(const struct lab_sides *sides, const char *profile, const char *identity,
                       const char *key)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	const struct tls_psk known = lab_psk("alice", "0123456789abcdef");
	const struct tls_psk used = lab_psk(identity, key);
	struct lab_pair pair;
	int alert;

	s.identity = NULL;
	s.psks = &known;
	c.psks = &used;
	s.psk_count = c.psk_count = 1;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	assert_int_equal(base_err_class(pair.result[TLS_ROLE_SERVER]), BASE_PEER);
	assert_int_equal(base_err_class(pair.result[TLS_ROLE_CLIENT]), BASE_PEER);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert_side, TLS_SIDE_LOCAL);
	assert_false(lab_info(&pair, TLS_ROLE_SERVER).established);
	alert = lab_info(&pair, TLS_ROLE_CLIENT).alert;
	assert_int_equal(alert, lab_info(&pair, TLS_ROLE_SERVER).alert);
	lab_pair_close(&pair);
	return alert;
}

/** An unknown identity is told (115), or looks exactly like a wrong key (RFC 4279, 2). */
static void psk_unknown(void **state)
{
	int wrong = psk_refused(*state, "psk", "alice", "not the right ke");

	assert_int_equal(psk_refused(*state, "psk-told", "mallory", "0123456789abcdef"), 115);
	assert_int_equal(psk_refused(*state, "psk", "mallory", "0123456789abcdef"), wrong);
	assert_int_not_equal(wrong, 115);
	(void)psk_refused(*state, "psk13", "mallory", "0123456789abcdef");
}

/**
 * In TLS 1.3 a server may show a certificate though it was shown a key (RFC 8446, 4.2.11). Where
 * nobody judges certificates, that is nobody we know.
 */
static void psk_ignored(void **state)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "tls13");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "psk13");
	const struct tls_psk psk = lab_psk("alice", "0123456789abcdef");
	struct lab_pair pair;

	c.psks = &psk;
	c.psk_count = 1;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	assert_int_equal(base_err_class(pair.result[TLS_ROLE_CLIENT]), BASE_PEER);
	assert_false(lab_info(&pair, TLS_ROLE_CLIENT).established);
	assert_non_null(strstr(lab_info(&pair, TLS_ROLE_CLIENT).failure, "pre-shared key"));
	lab_pair_close(&pair);
	c.server_methods = TRUST_CA;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_false(lab_info(&pair, TLS_ROLE_CLIENT).psk);
	lab_pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(server_by_ca), cmocka_unit_test(server_by_fingerprint),
	cmocka_unit_test(server_sha1),  cmocka_unit_test(client_certificates),
	cmocka_unit_test(psk_suites),   cmocka_unit_test(psk_hints),
	cmocka_unit_test(psk_unknown),  cmocka_unit_test(psk_ignored),
};

int main(void)
{
	return pairs_run(tests, BASE_COUNT(tests));
}
