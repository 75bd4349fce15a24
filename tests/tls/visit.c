/* SPDX-License-Identifier: Apache-2.0 */
#include "visit.h"

uint64_t visit_now_ms;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(*kept);
	*kept = session;
	return 1;
}

SSL_CTX *visit_client_new(SSL_SESSION **kept)
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
	struct tls_io io = { .out = &v->out, .now_ms = visit_now_ms };
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

struct visit visit(SSL_CTX *ctx, SSL_SESSION *session, struct tls_context *context,
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
	v.resumed = v.up && info.resumed;
	v.info = info;
	v.info.failure = v.info.psk_identity = NULL;
	v.stands = tls_session_standing(v.server) != NULL;
	/* To libssl an external PSK of TLS 1.3 is a session that it had. */
	assert_int_equal(v.up && SSL_session_reused(v.ssl),
	                 v.resumed || (v.up && info.psk && info.version == TLS1_3_VERSION));
	(void)SSL_shutdown(v.ssl);
	SSL_free(v.ssl);
	tls_session_free(v.server);
	base_writer_done(&v.out);
	return v;
}

void shop_open(struct shop *shop, const struct tls_domain_spec *spec)
{
	struct base_error err = { 0 };

	if (tls_domain_new(&shop->domain, spec, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < 2; i++)
		assert_int_equal(tls_context_new(&shop->context[i], shop->domain, &err), 0);
}

void shop_close(struct shop *shop)
{
	for (int i = 0; i < 2; i++)
		tls_context_free(shop->context[i]);
	tls_domain_unref(shop->domain);
}
