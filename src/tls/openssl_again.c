/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Once more with OpenSSL: renegotiation, which SSL_read carries on by itself, and the tickets of a
 * client.
 */
#include <openssl/err.h>

#include "tls/openssl_engine.h"
#include "tls/renegotiate.h"
#include "tls/tickets.h"

void openssl_renegotiation_let(struct tls_session *session, struct openssl_context *oc)
{
	oc->may = session->renegotiating || session->wish == TLS_WISH_OPEN;
	if (!session->renegotiable || oc->may)
		return;
	oc->may = tls_renegotiation_due(session);
	if (oc->may)
		(void)SSL_clear_options(session->engine, SSL_OP_NO_RENEGOTIATION);
	else
		(void)SSL_set_options(session->engine, SSL_OP_NO_RENEGOTIATION);
}

void openssl_renegotiates(struct openssl_context *oc, int where)
{
	struct tls_session *session = oc->session;
	SSL *ssl = session->engine;

	if (where & SSL_CB_HANDSHAKE_START && !session->renegotiating)
		tls_renegotiation_begin(session);
	/* At a HelloRequest OpenSSL would resume the session that it renegotiates. */
	if (where == SSL_CB_CONNECT_LOOP && SSL_get_state(ssl) == TLS_ST_CR_HELLO_REQ)
		(void)SSL_renegotiate(ssl);
	if (where & SSL_CB_HANDSHAKE_DONE)
		oc->done = true;
}

static int begin(struct tls_session *session, struct openssl_context *oc)
{
	SSL *ssl = session->engine;
	int n;

	oc->may = false;
	(void)SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
	n = SSL_renegotiate(ssl);
	if (n == 1)
		n = SSL_do_handshake(ssl);
	/* What the client then begins is the answer to our request, whatever this says. */
	if (session->role == TLS_ROLE_SERVER)
		(void)SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
	if (n == 1 || (session->renegotiating && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ))
		return 0;
	return openssl_step_result(session, oc, n);
}

/** In the midst of a record that has come in part OpenSSL would put it off, and not tell when. */
int openssl_again(struct tls_session *session)
{
	struct openssl_context *oc = openssl_step(session);
	SSL *ssl = session->engine;
	int n;

	if (session->version != TLS1_3_VERSION) {
		session->later = SSL_has_pending(ssl) == 1;
		return session->later ? 0 : begin(session, oc);
	}
	SSL_set_msg_callback(ssl, openssl_on_message); /* until the peer's has come */
	n = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
	if (n == 1)
		n = SSL_do_handshake(ssl);
	return n == 1 ? 0 : openssl_step_result(session, oc, n);
}

int openssl_again_later(struct tls_session *session, struct openssl_context *oc)
{
	/* A client that has begun meanwhile has answered before it was asked. */
	session->later &= session->role == TLS_ROLE_CLIENT || !session->renegotiating;
	if (!session->later || SSL_has_pending(session->engine) == 1)
		return 0;
	session->later = false;
	return begin(session, oc);
}

int openssl_on_session(SSL *ssl, SSL_SESSION *given)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(given);
	unsigned id_len = 0;
	const unsigned char *id = SSL_SESSION_get_id(given, &id_len);
	bool by_id = SSL_version(ssl) != TLS1_3_VERSION && !SSL_SESSION_has_ticket(given);
	unsigned char *data = NULL;
	int len;

	if (by_id ? !session->ids && !(session->resume && id_len)
	          : !session->resume || !SSL_SESSION_has_ticket(given))
		return 0;
	if (by_id && session->ids && openssl_chain_put(ssl, NULL) != 1)
		return 0;
	len = i2d_SSL_SESSION(given, &data);
	if (len <= 0)
		return 0;
	if (session->role == TLS_ROLE_SERVER)
		tls_ids_remember(session, id, id_len, data, (size_t)len);
	else
		tls_tickets_keep(session, data, (size_t)len, (uint32_t)BASE_MIN(hint, UINT32_MAX),
		                 SSL_session_reused(ssl) == 1);
	OPENSSL_clear_free(data, (size_t)len);
	return 0;
}

size_t openssl_id(const struct tls_session *session, uint8_t ret[TLS_ID_MAX])
{
	const SSL_SESSION *sess = SSL_get_session(session->engine);
	const unsigned char *id;
	unsigned len = 0;

	if (!sess || SSL_SESSION_has_ticket(sess))
		return 0;
	id = SSL_SESSION_get_id(sess, &len);
	len = BASE_MIN(len, (unsigned)TLS_ID_MAX);
	memcpy(ret, id, len);
	return len;
}

SSL_SESSION *openssl_on_id(SSL *ssl, const unsigned char *id, int len, int *copy)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	struct base_secret data = { 0 };
	const unsigned char *at;
	SSL_SESSION *kept = NULL;

	*copy = 0;
	if (SSL_version(ssl) == TLS1_3_VERSION || !tls_ids_recall(session, id, (size_t)len, &data))
		return NULL;
	at = data.data;
	kept = d2i_SSL_SESSION(NULL, &at, (long)data.len);
	base_secret_done(&data);
	if (kept && !openssl_chain_judge(ssl, kept)) {
		SSL_SESSION_free(kept);
		kept = NULL;
	}
	return kept;
}

int openssl_not_resumable(SSL *ssl, int forward_secure)
{
	const struct tls_session *session = openssl_context_of(ssl)->session;

	(void)forward_secure;
	return !session->tickets && !session->ids;
}

void openssl_offer(struct tls_session *session, const uint8_t *ticket, size_t len)
{
	const unsigned char *at = ticket;
	SSL_SESSION *kept;

	ERR_clear_error();
	kept = d2i_SSL_SESSION(NULL, &at, (long)len);
	if (kept)
		(void)SSL_set_session(session->engine, kept); /* else a full handshake */
	SSL_SESSION_free(kept);
}
