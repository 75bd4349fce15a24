/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include <errno.h>
#include <openssl/err.h>

static ssize_t on_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct foreign *far = arg;

	base_writer_put(&far->out, data, len);
	return (ssize_t)len;
}

static ssize_t on_pull(gnutls_transport_ptr_t arg, void *into, size_t len)
{
	struct foreign *far = arg;

	len = BASE_MIN(len, far->in.len - far->read);
	if (!len) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(into, far->in.data + far->read, len);
	far->read += len;
	return (ssize_t)len;
}

static int yes(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct foreign *far = SSL_get_app_data(ssl);

	if (where == SSL_CB_READ_ALERT)
		far->warning = value & 0xff;
}

static void ssl_open(struct foreign *far)
{
	bool client = far->role == TLS_ROLE_CLIENT;

	far->ssl = SSL_new(far->ctx);
	assert_non_null(far->ssl);
	SSL_set_app_data(far->ssl, far);
	SSL_set_info_callback(far->ssl, on_info);
	SSL_set_bio(far->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_verify(far->ssl, client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, yes);
	if (client)
		SSL_set_connect_state(far->ssl);
	else
		SSL_set_accept_state(far->ssl);
}

static void openssl_open(struct foreign *far)
{
	bool client = far->role == TLS_ROLE_CLIENT;

	far->ctx = SSL_CTX_new(client ? TLS_client_method() : TLS_server_method());
	assert_non_null(far->ctx);
	SSL_CTX_set_max_proto_version(far->ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(far->ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	ssl_open(far);
}

static void gnutls_open(struct foreign *far, bool knows)
{
	char words[160];

	assert_int_equal(
	        gnutls_init(&far->tls, GNUTLS_NONBLOCK | GNUTLS_ALLOW_ID_CHANGE |
	                                       (far->role == TLS_ROLE_CLIENT
	                                                ? GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT
	                                                : GNUTLS_SERVER)),
	        0);
	(void)snprintf(words, sizeof(words), "NORMAL:-VERS-ALL:+VERS-TLS1.2%s",
	               knows ? "" : ":%DISABLE_SAFE_RENEGOTIATION");
	assert_int_equal(gnutls_priority_set_direct(far->tls, words, NULL), 0);
	gnutls_transport_set_ptr(far->tls, far);
	gnutls_transport_set_push_function(far->tls, on_push);
	gnutls_transport_set_pull_function(far->tls, on_pull);
}

static void gnutls_identity(struct foreign *far, const struct x509_identity *identity)
{
	gnutls_certificate_credentials_t old = far->cred;
	unsigned char *key = NULL;
	int len;

	assert_int_equal(gnutls_certificate_allocate_credentials(&far->cred), 0);
	if (identity) {
		gnutls_datum_t cert = { (unsigned char *)(uintptr_t)identity->der[0].ptr,
			                (unsigned)identity->der[0].len };
		gnutls_datum_t datum;

		len = i2d_PrivateKey(identity->key, &key);
		assert_true(len > 0);
		datum = (gnutls_datum_t){ key, (unsigned)len };
		assert_int_equal(gnutls_certificate_set_x509_key_mem(far->cred, &cert, &datum,
		                                                     GNUTLS_X509_FMT_DER),
		                 0);
		OPENSSL_free(key);
	}
	assert_int_equal(gnutls_credentials_set(far->tls, GNUTLS_CRD_CERTIFICATE, far->cred), 0);
	if (old)
		gnutls_certificate_free_credentials(old);
}

void foreign_identity(struct foreign *far, const struct x509_identity *identity)
{
	if (far->kind == TLS_ENGINE_GNUTLS) {
		gnutls_identity(far, identity);
		return;
	}
	SSL_certs_clear(far->ssl);
	if (identity)
		assert_int_equal(
		        SSL_use_cert_and_key(far->ssl, identity->cert, identity->key, NULL, 1), 1);
}

void foreign_open(struct foreign *far, enum tls_engine kind, const struct x509_identity *identity,
                  const struct tls_domain_spec *ours, const struct tls_session_spec *session,
                  bool knows)
{
	struct base_error err = { 0 };

	*far = (struct foreign){ .kind = kind, .role = 1 - session->role, .warning = -1 };
	if (tls_domain_new(&far->domain, ours, &err) ||
	    tls_context_new(&far->context, far->domain, &err))
		fail_msg("%s", err.text);
	assert_int_equal(tls_session_new(&far->session, far->context, session), 0);
	if (kind == TLS_ENGINE_GNUTLS)
		gnutls_open(far, knows);
	else
		openssl_open(far);
	foreign_identity(far, identity);
}

void foreign_again(struct foreign *far, const struct x509_identity *identity,
                   const struct tls_session_spec *session)
{
	assert_int_equal(far->kind, TLS_ENGINE_OPENSSL);
	SSL_free(far->ssl);
	ssl_open(far);
	foreign_identity(far, identity);
	tls_session_free(far->session);
	assert_int_equal(tls_session_new(&far->session, far->context, session), 0);
	base_writer_reset(&far->out);
	base_writer_reset(&far->in);
	far->read = 0;
}

void foreign_close(struct foreign *far)
{
	tls_session_free(far->session);
	tls_context_free(far->context);
	tls_domain_unref(far->domain);
	SSL_free(far->ssl);
	SSL_CTX_free(far->ctx);
	if (far->tls)
		gnutls_deinit(far->tls);
	if (far->cred)
		gnutls_certificate_free_credentials(far->cred);
	base_writer_done(&far->out);
	base_writer_done(&far->in);
}

/** libssl's memory BIOs, out of and into the common wire. */
static void fetch(struct foreign *far)
{
	char data[4096];
	int n;

	while (far->ssl && (n = BIO_read(SSL_get_wbio(far->ssl), data, sizeof(data))) > 0)
		base_writer_put(&far->out, data, (size_t)n);
}

static void lend(struct foreign *far)
{
	if (far->ssl && far->in.len)
		assert_int_equal(BIO_write(SSL_get_rbio(far->ssl), far->in.data, (int)far->in.len),
		                 (int)far->in.len);
	if (far->ssl)
		base_writer_reset(&far->in);
}

bool foreign_step(struct foreign *far)
{
	int rc;

	lend(far);
	if (far->ssl) {
		ERR_clear_error();
		rc = SSL_do_handshake(far->ssl) == 1;
		fetch(far);
		return rc;
	}
	rc = gnutls_handshake(far->tls);
	if (rc == GNUTLS_E_WARNING_ALERT_RECEIVED || rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
		far->warning = (int)gnutls_alert_get(far->tls);
	return rc == 0;
}

size_t foreign_ours(struct foreign *far, char *clear, size_t cap)
{
	struct tls_io io = { .in = base_reader_of(far->out.data, far->out.len),
		             .out = &far->in,
		             .now_ms = far->now_ms };
	size_t got = 0, n;

	if (!foreign_info(far).established) {
		far->result = tls_session_handshake(far->session, &io);
		if (far->result == 0)
			far->result = BASE_ERR(BASE_AGAIN, 0);
	} else {
		do {
			far->result = tls_session_read(far->session, &io, (uint8_t *)clear + got,
			                               cap - got, &n);
			got += n;
		} while (far->result == 0 && n);
	}
	base_writer_reset(&far->out);
	return got;
}

void foreign_shake(struct foreign *far)
{
	char scrap[16];
	bool up = false;

	for (int turn = 0; turn < 8; turn++) {
		if (!up)
			up = foreign_step(far);
		(void)foreign_ours(far, scrap, sizeof(scrap));
	}
	if (!up || !foreign_info(far).established)
		fail_msg("%s", foreign_info(far).failure);
}

void foreign_ask(struct foreign *far)
{
	far->warning = -1;
	if (far->ssl) {
		assert_int_equal(SSL_renegotiate(far->ssl), 1);
		(void)SSL_do_handshake(far->ssl);
		fetch(far);
	} else if (far->role == TLS_ROLE_SERVER) {
		assert_int_equal(gnutls_rehandshake(far->tls), 0);
	} else {
		assert_int_equal(gnutls_handshake(far->tls), GNUTLS_E_AGAIN);
	}
}

bool foreign_reshake(struct foreign *far)
{
	char scrap[16];
	bool done = false;

	/* A server of libssl has done its part with the HelloRequest, until the client comes. */
	for (int turn = 0; turn < 6; turn++) {
		assert_int_equal(foreign_ours(far, scrap, sizeof(scrap)), 0);
		if (far->warning == 100)
			break;
		if (far->ssl && far->role == TLS_ROLE_SERVER) {
			lend(far);
			(void)SSL_read(far->ssl, scrap, sizeof(scrap));
			fetch(far);
			done = !SSL_renegotiate_pending(far->ssl) && SSL_is_init_finished(far->ssl);
		} else if (!done) {
			done = foreign_step(far);
		}
	}
	return done;
}

/** libssl answers by itself; GnuTLS tells, and is then stepped. */
static bool go_along(struct foreign *far, bool *shaking)
{
	bool asked = false;
	char scrap[64];
	int rc = 0;

	lend(far);
	if (far->ssl) {
		ERR_clear_error();
		(void)SSL_read(far->ssl, scrap, sizeof(scrap));
		fetch(far);
		return SSL_is_init_finished(far->ssl);
	}
	while (!*shaking) { /* all data first: between two messages GnuTLS would not have it */
		rc = (int)gnutls_record_recv(far->tls, scrap, sizeof(scrap));
		asked |= rc == GNUTLS_E_REHANDSHAKE;
		if (rc <= 0 && (rc != GNUTLS_E_REHANDSHAKE || far->role == TLS_ROLE_SERVER))
			break;
	}
	*shaking |= asked;
	if (*shaking)
		rc = gnutls_handshake(far->tls);
	if (rc == GNUTLS_E_WARNING_ALERT_RECEIVED || rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
		far->warning = (int)gnutls_alert_get(far->tls);
	if (*shaking && rc == 0) {
		*shaking = false;
		return true;
	}
	return false;
}

bool foreign_answer(struct foreign *far)
{
	bool shaking = false, done = false;
	char scrap[16];

	for (int turn = 0; turn < 8; turn++) {
		done |= go_along(far, &shaking) && turn > 0;
		(void)foreign_ours(far, scrap, sizeof(scrap));
	}
	return done;
}

void foreign_refuse(struct foreign *far)
{
	char scrap[16];

	assert_int_equal(gnutls_record_recv(far->tls, scrap, sizeof(scrap)), GNUTLS_E_REHANDSHAKE);
	assert_int_equal(gnutls_alert_send(far->tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION),
	                 0);
	(void)foreign_ours(far, scrap, sizeof(scrap));
}

void foreign_send(struct foreign *far, const char *text)
{
	int len = (int)strlen(text);

	if (far->ssl) {
		assert_int_equal(SSL_write(far->ssl, text, len), len);
		fetch(far);
	} else {
		assert_int_equal(gnutls_record_send(far->tls, text, (size_t)len), len);
	}
}

void foreign_bye(struct foreign *far)
{
	if (far->ssl) {
		(void)SSL_shutdown(far->ssl);
		fetch(far);
	} else {
		assert_int_equal(gnutls_bye(far->tls, GNUTLS_SHUT_WR), 0);
	}
}

void foreign_expect(struct foreign *far, const char *text)
{
	struct tls_io io = { .out = &far->in, .now_ms = far->now_ms };
	char clear[64] = { 0 };
	int n;

	assert_int_equal(tls_session_write(far->session, &io, (const uint8_t *)text, strlen(text)),
	                 0);
	lend(far);
	do {
		n = far->ssl ? SSL_read(far->ssl, clear, sizeof(clear))
		             : (int)gnutls_record_recv(far->tls, clear, sizeof(clear));
		if (n == GNUTLS_E_WARNING_ALERT_RECEIVED)
			far->warning = (int)gnutls_alert_get(far->tls);
	} while (far->tls && n == GNUTLS_E_WARNING_ALERT_RECEIVED);
	assert_int_equal(n, strlen(text));
	assert_string_equal(clear, text);
}

struct tls_info foreign_info(const struct foreign *far)
{
	struct tls_info info;

	tls_session_info(far->session, &info);
	return info;
}

void foreign_talk(struct foreign *far)
{
	char clear[64] = { 0 };

	foreign_send(far, "still here");
	assert_int_equal(foreign_ours(far, clear, sizeof(clear)), 10);
	assert_string_equal(clear, "still here");
	assert_int_equal(far->result, BASE_ERR(BASE_AGAIN, 0));
	foreign_expect(far, "and so am I");
}

void foreign_assert_up(const struct foreign *far, unsigned count)
{
	struct tls_info info = foreign_info(far);

	if (info.renegotiations != count || info.renegotiating || info.alert != -1)
		fail_msg("%u of %u, alert %d: %s", info.renegotiations, count, info.alert,
		         info.failure);
}
