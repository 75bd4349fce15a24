/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tickets (RFC 5077; RFC 8446, 4.6.1): whoever earned one may use it, at any worker of the domain,
 * and nowhere else. The client is libssl itself, since ours does not resume.
 */
#include <openssl/ssl.h>

#include "lab.h"
#include "pairs.h"

/** A client of libssl over memory, and our server session. */
struct visit {
	SSL *ssl;
	struct tls_session *server;
	struct base_writer out;
	bool resumed, up;
	bool alert; /**< the server refused */
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(*kept);
	*kept = session;
	return 1;
}

static SSL_CTX *client_new(SSL_SESSION **kept)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	SSL_CTX_set_session_cache_mode(ctx,
	                               SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	SSL_CTX_set_app_data(ctx, kept);
	return ctx;
}

/** Carry everything there is to the server, and its answer back. */
static bool visit_step(struct visit *v)
{
	char data[20000];
	struct tls_io io = { .out = &v->out };
	struct tls_info info;
	uint8_t clear[64];
	size_t n;
	int len, rc;

	len = BIO_read(SSL_get_wbio(v->ssl), data, sizeof(data));
	io.in = base_reader_of(data, len > 0 ? (size_t)len : 0);
	tls_session_info(v->server, &info);
	rc = info.established ? tls_session_read(v->server, &io, clear, sizeof(clear), &n)
	                      : tls_session_handshake(v->server, &io);
	v->alert = rc < 0 && base_err_class(rc) != BASE_AGAIN;
	if (v->out.len) {
		assert_int_equal(BIO_write(SSL_get_rbio(v->ssl), v->out.data, (int)v->out.len),
		                 (int)v->out.len);
		base_writer_reset(&v->out);
		return true;
	}
	return len > 0 && !v->alert;
}

/** One connection, perhaps with a kept session; the client takes whatever certificate. */
static struct visit visit(SSL_CTX *ctx, SSL_SESSION *session, struct tls_context *context,
                          const struct tls_session_spec *spec)
{
	const struct tls_session_spec plain = { .role = TLS_ROLE_SERVER };
	struct visit v = { .ssl = SSL_new(ctx) };
	struct tls_info info;
	bool moved = true;
	char byte;

	assert_non_null(v.ssl);
	SSL_set_bio(v.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(v.ssl);
	if (session)
		assert_int_equal(SSL_set_session(v.ssl, session), 1);
	assert_int_equal(tls_session_new(&v.server, context, spec ? spec : &plain), 0);
	while (moved) {
		if (SSL_do_handshake(v.ssl) == 1)
			(void)SSL_read(v.ssl, &byte, 1); /* TLS 1.3 tickets come after */
		moved = visit_step(&v);
	}
	tls_session_info(v.server, &info);
	v.up = info.established && SSL_is_init_finished(v.ssl);
	v.resumed = info.resumed;
	assert_int_equal(v.up && SSL_session_reused(v.ssl), v.resumed);
	(void)SSL_shutdown(v.ssl);
	SSL_free(v.ssl);
	tls_session_free(v.server);
	base_writer_done(&v.out);
	return v;
}

struct shop {
	struct tls_domain *domain;
	struct tls_context *context[2];
};

static void shop_open(struct shop *shop, const struct tls_domain_spec *spec)
{
	struct base_error err = { 0 };

	if (tls_domain_new(&shop->domain, spec, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < 2; i++)
		assert_int_equal(tls_context_new(&shop->context[i], shop->domain, &err), 0);
}

static void shop_close(struct shop *shop)
{
	for (int i = 0; i < 2; i++)
		tls_context_free(shop->context[i]);
	tls_domain_unref(shop->domain);
}

/** Earned at one worker, used at another. */
static void across_workers(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = client_new(&kept);
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
		SSL_CTX *ctx = client_new(&kept);
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
		SSL_CTX *ctx = client_new(&kept);
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
		SSL_CTX *ctx = client_new(&kept);
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
	SSL_CTX *ctx = client_new(&kept);
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
