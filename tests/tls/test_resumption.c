/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tickets (RFC 5077; RFC 8446, 4.6.1): whoever earned one may use it, at any worker of the domain,
 * and nowhere else. The client is libssl itself, since ours does not resume.
 */
#include "pairs.h"
#include "tls/engine.h"
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

/* -- clients with certificates ----------------------------------------------------------------- */

/** By ticket in both versions, and by session id. */
static const struct {
	const char *profile;
	bool by_id;
} ways[] = { { "tls12", false }, { "tls13", false }, { "tls12", true } };

static SSL_CTX *client_with(const struct lab_sides *sides, size_t way, bool certificate,
                            SSL_SESSION **kept)
{
	const struct x509_identity *me = sides->lab->client;
	SSL_CTX *ctx = visit_client_new(kept);

	if (certificate)
		assert_int_equal(SSL_CTX_use_cert_and_key(ctx, me->cert, me->key, me->chain, 1), 1);
	if (ways[way].by_id)
		(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	return ctx;
}

static struct tls_domain_spec asks(const struct lab_sides *sides, size_t way,
                                   enum tls_client_auth auth)
{
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, ways[way].profile);

	spec.client_auth = auth;
	spec.client_methods = TRUST_CA;
	spec.trust = sides->lab->trust;
	return spec;
}

/** Who resumes is who was judged, and is judged again. */
static void with_a_client_certificate(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		struct tls_domain_spec spec = asks(*state, i, TLS_CLIENT_AUTH_REQUIRE);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = client_with(*state, i, true, &kept);
		struct shop shop;
		struct visit v;

		shop_open(&shop, &spec);
		for (int round = 0; round < 4; round++) {
			v = visit(ctx, kept, shop.context[round % 2], NULL);
			assert_true(v.up);
			assert_int_equal(v.resumed, round > 0);
			assert_true(v.info.has_verdict && v.info.verdict.authenticated);
			assert_int_equal(v.info.verdict.method, TRUST_CA);
			assert_non_null(strstr(v.info.verdict.subject, "client.test"));
			assert_true(v.stands);
		}
		SSL_SESSION_free(kept);
		SSL_CTX_free(ctx);
		shop_close(&shop);
	}
}

/** Trust has changed since, as by a CRL: nobody comes in by what he was. */
static void not_with_what_is_trusted_no_more(void **state)
{
	const struct trust_store_files none = { 0 };
	struct base_error err = { 0 };
	struct trust_store *nobody;

	assert_int_equal(trust_store_load(&nobody, &none, &err), 0);
	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		struct tls_domain_spec spec = asks(*state, i, TLS_CLIENT_AUTH_REQUIRE);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = client_with(*state, i, true, &kept);
		struct trust_store *before;
		struct shop shop;
		struct visit v;

		shop_open(&shop, &spec);
		v = visit(ctx, NULL, shop.context[0], NULL);
		assert_true(v.up);
		before = shop.domain->trust;
		shop.domain->trust = nobody;
		v = visit(ctx, kept, shop.context[1], NULL);
		assert_false(v.info.established);
		assert_false(v.info.verdict.authenticated);
		assert_int_equal(v.info.verdict.reason, TRUST_UNKNOWN_CA);
		shop.domain->trust = before;
		SSL_SESSION_free(kept);
		SSL_CTX_free(ctx);
		shop_close(&shop);
	}
	trust_store_unref(nobody);
}

/** Asked and without one: resumes as nobody, and only where that is enough. */
static void as_nobody(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		struct tls_domain_spec spec = asks(*state, i, TLS_CLIENT_AUTH_REQUEST);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = client_with(*state, i, false, &kept);
		struct shop shop;
		struct visit v;

		shop_open(&shop, &spec);
		for (int round = 0; round < 3; round++) {
			v = visit(ctx, kept, shop.context[round % 2], NULL);
			assert_true(v.up);
			assert_int_equal(v.resumed, round > 0);
			assert_false(v.info.verdict.authenticated);
			assert_int_equal(v.info.verdict.reason, TRUST_NO_CERTIFICATE);
		}
		/* From now on one is required. */
		shop.domain->client_auth = TLS_CLIENT_AUTH_REQUIRE;
		v = visit(ctx, kept, shop.context[0], NULL);
		assert_false(v.info.established && v.info.resumed);
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
	cmocka_unit_test(across_workers),
	cmocka_unit_test(not_across_domains),
	cmocka_unit_test(not_for_own_credentials),
	cmocka_unit_test(with_a_client_certificate),
	cmocka_unit_test(not_with_what_is_trusted_no_more),
	cmocka_unit_test(as_nobody),
	cmocka_unit_test(not_by_profile),
};

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
