/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Once more with OpenSSL: renegotiation, which SSL_read carries on by itself, and the tickets of a
 * client.
 */
#include <openssl/err.h>

#include "tls/openssl_engine.h"

void openssl_renegotiation_let(struct tls_session *session, struct openssl_context *oc)
{
	oc->may = session->renegotiating;
	if (!session->renegotiable || session->renegotiating)
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

int openssl_on_session(SSL *ssl, SSL_SESSION *given)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(given);
	unsigned char *data = NULL;
	int len;

	if (!session->resume || !SSL_SESSION_has_ticket(given))
		return 0;
	len = i2d_SSL_SESSION(given, &data);
	if (len <= 0)
		return 0;
	tls_tickets_keep(session, data, (size_t)len, (uint32_t)BASE_MIN(hint, UINT32_MAX),
	                 SSL_session_reused(ssl) == 1);
	OPENSSL_clear_free(data, (size_t)len);
	return 0;
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
