/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What RFC 6066 wants that GnuTLS 3.7 does not do by itself: of a server the empty server_name in
 * answer, and max_fragment_length from the first octet of the answer on; of a client
 * trusted_ca_keys, and certificate_authorities of TLS 1.3.
 */
#include "tls/gnutls_engine.h"
#include "tls/hello.h"

/* -- server_name (RFC 6066, 3) ---------------------------------------------------------------- */

#define SERVER_NAME 0

static int no_recv(gnutls_session_t tls, const unsigned char *data, size_t len)
{
	(void)tls;
	(void)data;
	(void)len;
	return 0; /* on_client_hello() has read it */
}

/** Empty, where it was of use. GnuTLS does not ask when it resumes a session of TLS 1.2, where the
 * server MUST NOT say so. */
static int name_send(gnutls_session_t tls, gnutls_buffer_t into)
{
	const struct tls_session *session = gnutls_session_get_ptr(tls);

	(void)into;
	return session->named ? GNUTLS_E_INT_RET_0 : 0;
}

/**
 * GnuTLS lets nobody register an extension that it reads itself, even where it has no answer to
 * it. It compares the whole number and then keeps 16 bits of it, so this number gets through.
 * Where a release looks closer nothing is registered, and nothing answered: a gap, and no harm. It
 * is done when the ClientHello has been read, for GnuTLS is to read the name, too.
 */
int tls_gnutls_name_answer(struct tls_session *session)
{
	struct tls_gnutls_session *gs = session->engine;

	if (!session->named || gs->answers)
		return 0;
	gs->answers = true;
	(void)gnutls_session_ext_register(
	        gs->tls, "server_name", 1 << 16 | SERVER_NAME, GNUTLS_EXT_TLS, no_recv, name_send,
	        NULL, NULL, NULL,
	        GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS12_SERVER_HELLO |
	                GNUTLS_EXT_FLAG_EE | GNUTLS_EXT_FLAG_IGNORE_CLIENT_REQUEST);
	return 0;
}

/* -- max_fragment_length (RFC 6066, 4) -------------------------------------------------------- */

/** A ClientHello as it may have come. */
static bool hello_records(struct base_writer *w, const gnutls_datum_t *msg)
{
	struct base_writer whole = { 0 };
	struct base_reader left;

	base_writer_u8(&whole, GNUTLS_HANDSHAKE_CLIENT_HELLO);
	base_writer_u8(&whole, (uint8_t)(msg->size >> 16));
	base_writer_u16(&whole, (uint16_t)msg->size);
	base_writer_put(&whole, msg->data, msg->size);
	left = base_reader_of(whole.data, whole.len);
	while (base_reader_left(&left)) {
		size_t n = BASE_MIN(base_reader_left(&left), (size_t)TLS_RECORD_MAX);

		base_writer_put(w, (const uint8_t[]){ 22, 3, 1 }, 3);
		base_writer_u16(w, (uint16_t)n);
		base_writer_put(w, base_reader_take(&left, n), n);
	}
	w->failed |= whole.failed;
	base_writer_done(&whole);
	return !w->failed;
}

/**
 * GnuTLS agrees to a limit, forgets it when it begins to encrypt (TLS 1.2), and lets us set one
 * only before the handshake has begun. So it begins once more: the hook keeps the ClientHello,
 * ends that handshake, and tls_gnutls_limit() shows it to a new session.
 */
int tls_gnutls_limit_due(struct tls_session *session, const struct tls_hello_view *hello,
                         const gnutls_datum_t *msg)
{
	struct tls_gnutls_session *gs = session->engine;

	/* GnuTLS prefers RFC 8449's, and keeps that. */
	if (!hello->fragment || hello->present & TLS_HELLO_RECORD_SIZE || gs->limited ||
	    session->dtls || session->established)
		return 0;
	gs->limited = true;
	gs->fragment = hello->fragment;
	if (hello_records(&gs->first, msg))
		return GNUTLS_E_INTERRUPTED;
	base_writer_done(&gs->first);
	return GNUTLS_E_MEMORY_ERROR;
}

int tls_gnutls_limit(struct tls_session *session, struct tls_gnutls_session *gs)
{
	struct base_reader rest = session->io->in;
	int rc = tls_gnutls_session_anew(session, gs);

	if (rc >= 0)
		rc = (int)gnutls_record_set_max_size(gs->tls, (size_t)256 << gs->fragment);
	if (rc >= 0) {
		session->io->in = base_reader_of(gs->first.data, gs->first.len);
		do
			rc = gnutls_handshake(gs->tls);
		while (tls_gnutls_again(rc) && base_reader_left(&session->io->in));
		session->io->in = rest;
	}
	base_writer_done(&gs->first);
	return rc;
}

/* -- authorities (RFC 6066, 6; RFC 8446, 4.2.4), as client ------------------------------------ */

static int empty_recv(gnutls_session_t tls, const unsigned char *data, size_t len)
{
	(void)tls;
	(void)data;
	return len ? GNUTLS_E_UNEXPECTED_PACKET_LENGTH : 0;
}

static int put(gnutls_buffer_t into, struct base_str body)
{
	return body.len ? gnutls_buffer_append_data(into, body.ptr, body.len) : 0;
}

static int authorities_send(gnutls_session_t tls, gnutls_buffer_t into)
{
	const struct tls_session *session = gnutls_session_get_ptr(tls);

	return put(into, session->context->domain->told);
}

static int names_send(gnutls_session_t tls, gnutls_buffer_t into)
{
	const struct tls_session *session = gnutls_session_get_ptr(tls);
	const struct tls_domain *domain = session->context->domain;

	return domain->versions & PROFILE_TLS_1_3 && !session->dtls ? put(into, domain->told_names)
	                                                            : 0;
}

int tls_gnutls_authorities_tell(struct tls_session *session, struct tls_gnutls_session *gs)
{
	int rc;

	if (!session->context->domain->told.len)
		return 0;
	rc = gnutls_session_ext_register(
	        gs->tls, "trusted_ca_keys", 3, GNUTLS_EXT_TLS, empty_recv, authorities_send, NULL,
	        NULL, NULL, GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS12_SERVER_HELLO);
	if (rc < 0)
		return rc;
	return gnutls_session_ext_register(gs->tls, "certificate_authorities", 47, GNUTLS_EXT_TLS,
	                                   NULL, names_send, NULL, NULL, NULL,
	                                   GNUTLS_EXT_FLAG_CLIENT_HELLO);
}
