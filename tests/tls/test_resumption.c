/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tickets (RFC 5077; RFC 8446, 4.6.1): whoever earned one may use it, at any worker of the domain,
 * and nowhere else. The client is libssl itself, since ours does not resume.
 */
#include "pairs.h"
#include "visit.h"

/** Earned at one worker, used at another. */
static void across_workers(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = visit_client_new(&kept);
		struct shop shop;
		struct visit v;

		shop_open(&shop, &spec);
		v = visit(ctx, NULL, shop.context[0], NULL);
		assert_true(v.up);
		assert_false(v.resumed);
		assert_non_null(kept);
		for (int round = 0; round < 2; round++) {
			v = visit(ctx, kept, shop.context[1], NULL);
			assert_true(v.up);
			assert_true(v.resumed);
		}
		SSL_SESSION_free(kept);
		SSL_CTX_free(ctx);
		shop_close(&shop);
	}
}

/** Another domain, be its policy the same, does not honour it; a full handshake follows. */
static void not_across_domains(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = visit_client_new(&kept);
		struct shop home, away;
		struct visit v;

		shop_open(&home, &spec);
		shop_open(&away, &spec);
		(void)visit(ctx, NULL, home.context[0], NULL);
		assert_non_null(kept);
		v = visit(ctx, kept, away.context[0], NULL);
		assert_true(v.up);
		assert_false(v.resumed);
		SSL_SESSION_free(kept);
		SSL_CTX_free(ctx);
		shop_close(&home);
		shop_close(&away);
	}
}

/** A stream with credentials of its own neither gives tickets nor honours the domain's. */
static void not_for_own_credentials(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };
	const struct lab_sides *sides = *state;
	const struct x509_fingerprint fp = lab_fingerprint(sides->lab->client);
	const struct tls_session_spec own = { .role = TLS_ROLE_SERVER,
		                              .fingerprints = &fp,
		                              .fingerprint_count = 1 };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, profiles[i]);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = visit_client_new(&kept);
		struct shop shop;
		struct visit v;

		shop_open(&shop, &spec);
		v = visit(ctx, NULL, shop.context[0], &own);
		assert_true(v.up);
		assert_false(kept && SSL_SESSION_has_ticket(kept));
		(void)visit(ctx, NULL, shop.context[0], NULL);
		assert_true(SSL_SESSION_has_ticket(kept));
		v = visit(ctx, kept, shop.context[0], &own);
		assert_true(v.up);
		assert_false(v.resumed);
		SSL_SESSION_free(kept);
		SSL_CTX_free(ctx);
		shop_close(&shop);
	}
}

/** What a certificate proved must be proved again: no tickets where clients are asked for one. */
static void not_with_client_certificates(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };
	const struct lab_sides *sides = *state;

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, profiles[i]);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = visit_client_new(&kept);
		struct shop shop;
		struct visit v;

		spec.client_auth = TLS_CLIENT_AUTH_REQUEST;
		spec.client_methods = TRUST_CA;
		shop_open(&shop, &spec);
		v = visit(ctx, NULL, shop.context[0], NULL);
		assert_true(v.up);
		assert_false(kept && SSL_SESSION_has_ticket(kept));
		SSL_SESSION_free(kept);
		SSL_CTX_free(ctx);
		shop_close(&shop);
	}
}

/** A profile without resumption gives none. */
static void not_by_profile(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "ems");
	SSL_SESSION *kept = NULL;
	SSL_CTX *ctx = visit_client_new(&kept);
	struct shop shop;

	shop_open(&shop, &spec);
	assert_true(visit(ctx, NULL, shop.context[0], NULL).up);
	assert_false(kept && SSL_SESSION_has_ticket(kept));
	SSL_SESSION_free(kept);
	SSL_CTX_free(ctx);
	shop_close(&shop);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(across_workers),          cmocka_unit_test(not_across_domains),
	cmocka_unit_test(not_for_own_credentials), cmocka_unit_test(not_with_client_certificates),
	cmocka_unit_test(not_by_profile),
};

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
