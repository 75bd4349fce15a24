/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Once more with GnuTLS: renegotiation, which it leaves to us to carry on, and the tickets of a
 * client.
 */
#include "tls/gnutls_engine.h"
#include "tls/renegotiate.h"
#include "tls/tickets.h"

#define CONTENT_DATA 23 /**< application_data (RFC 5246, 6.2.1) */

/* -- renegotiation --------------------------------------------------------------------------- */

/**
 * The peer wants to renegotiate: it is told no, and goes on or leaves (RFC 5246, 7.2.2). A
 * ClientHello stays in GnuTLS's way until a handshake reads it; ours ends there, in the hook, with
 * nothing begun. GnuTLS waits for its next message from then on: a client that asks a second time
 * gets unexpected_message, and no more work out of us.
 */
static int renegotiation_refuse(struct tls_session *session, struct tls_gnutls_session *gs)
{
	int rc = session->role == TLS_ROLE_SERVER ? gnutls_handshake(gs->tls) : GNUTLS_E_AGAIN;

	if (!tls_gnutls_again(rc))
		return rc < 0 ? rc : GNUTLS_E_INTERNAL_ERROR;
	if (tls_session_asks(session))
		return tls_gnutls_refuse(session, TLS_ALERT_UNEXPECTED_MESSAGE,
		                         "renegotiation was refused already");
	rc = gnutls_alert_send(gs->tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
	return rc < 0 ? rc : GNUTLS_E_AGAIN;
}

/**
 * Data in the midst of a renegotiation makes GnuTLS begin it anew (a client that waits for the
 * ServerHello) or end the session (a server), where RFC 5246, 7.4.1.1 only says that it may come.
 * The type of a record is in the clear: data we give to gnutls_record_recv() at once.
 */
bool tls_gnutls_data_next(const struct tls_session *session, const struct tls_gnutls_session *gs)
{
	const struct base_reader *in = &session->io->in;

	if (gnutls_record_check_pending(gs->tls))
		return true;
	if (gs->watch.got)
		return gs->watch.head[0] == CONTENT_DATA;
	return in->at != in->end && in->at[0] == CONTENT_DATA;
}

/** Of a datagram GnuTLS keeps what it has not looked at. */
static bool more(const struct tls_session *session, const struct tls_gnutls_session *gs)
{
	return session->dtls ? gs->given && !gs->dry : base_reader_left(&session->io->in) > 0;
}

int tls_gnutls_reshake(struct tls_session *session, struct tls_gnutls_session *gs)
{
	uint16_t version = session->version;
	int rc;

	gs->shaking = true; /* on_pull() stops before data */
	do {
		rc = gnutls_handshake(gs->tls);
		if (rc == GNUTLS_E_WARNING_ALERT_RECEIVED)
			tls_gnutls_warned(session, gs);
	} while (session->renegotiating && (rc == GNUTLS_E_WARNING_ALERT_RECEIVED ||
	                                    (tls_gnutls_again(rc) && more(session, gs) &&
	                                     !tls_gnutls_data_next(session, gs))));
	gs->shaking = false;
	if (!session->renegotiating)
		return 0; /* refused: GnuTLS waits for the rest, and takes data meanwhile */
	if (tls_gnutls_again(rc))
		return tls_gnutls_data_next(session, gs) ? 0 : BASE_ERR(BASE_AGAIN, 0);
	if (rc == GNUTLS_E_SESSION_EOF) {
		session->closed_in = true;
		session->io->in.at = session->io->in.end;
		return 0;
	}
	if (rc < 0)
		return tls_gnutls_failed(session, gs, rc);
	tls_gnutls_shaken(session, gs->tls);
	if (session->version != version)
		return tls_gnutls_failed(session, gs,
		                         tls_gnutls_refuse(session, TLS_ALERT_PROTOCOL_VERSION,
		                                           "another version in a renegotiation"));
	gs->empty = 0;
	tls_gnutls_ticket_keep(session, gs);
	return tls_renegotiation_finish(session);
}

/**
 * A client that came by a ticket would show it once more, and prove nothing. What it was is not
 * kept from the server: the session id, which without the ticket says nothing. And a server that is
 * shown one (libssl's client does, upon a HelloRequest) fails when it is to give another; not to
 * give one at all does not do either, for GnuTLS's client waits for it.
 */
void tls_gnutls_tickets_stop(struct tls_session *session)
{
	struct tls_gnutls_context *gc = tls_gnutls_context_of(session);
	struct tls_gnutls_session *gs = session->engine;

	/* If it cannot be made, tls_renegotiation_finish() refuses what comes of it. */
	if (gc->bare || tls_gnutls_priority_bare(session->context->domain, &gc->bare) >= 0)
		(void)gnutls_priority_set(gs->tls, gc->bare);
}

int tls_gnutls_rehandshake(struct tls_session *session, struct tls_gnutls_session *gs)
{
	int rc;

	if (tls_renegotiation_due(session)) {
		tls_renegotiation_begin(session);
		gs->watch = (struct tls_gnutls_watch){ 0 };
		if (session->role == TLS_ROLE_CLIENT && session->resumed)
			tls_gnutls_tickets_stop(session);
		rc = tls_gnutls_reshake(session, gs);
		return rc ? rc : BASE_ERR(BASE_AGAIN, 0);
	}
	rc = renegotiation_refuse(session, gs);
	return tls_gnutls_again(rc) ? BASE_ERR(BASE_AGAIN, 0) : tls_gnutls_failed(session, gs, rc);
}

void tls_gnutls_warned(struct tls_session *session, const struct tls_gnutls_session *gs)
{
	if (gnutls_alert_get(gs->tls) == GNUTLS_A_NO_RENEGOTIATION)
		tls_renegotiation_denied(session);
}

int tls_gnutls_restart(struct tls_session *session)
{
	struct tls_gnutls_session *gs = tls_gnutls_step(session);
	int rc;

	if (session->version != 0x0304 && session->role == TLS_ROLE_CLIENT) {
		if (session->resumed)
			tls_gnutls_tickets_stop(session);
		rc = tls_gnutls_reshake(session, gs);
		return rc && base_err_class(rc) == BASE_AGAIN ? 0 : rc;
	}
	rc = session->version != 0x0304 ? gnutls_rehandshake(gs->tls)
	                                : gnutls_session_key_update(gs->tls, GNUTLS_KU_PEER);
	return rc < 0 ? tls_gnutls_failed(session, gs, rc) : 0;
}

/* -- tickets --------------------------------------------------------------------------------- */

void tls_gnutls_ticket_keep(struct tls_session *session, struct tls_gnutls_session *gs)
{
	gnutls_datum_t data = { 0 };

	/* The flag first: in TLS 1.3 GnuTLS would wait for a ticket. */
	if (!session->resume ||
	    (!(gnutls_session_get_flags(gs->tls) & GNUTLS_SFLAGS_SESSION_TICKET) &&
	     !tls_gnutls_has_id(session, gs->tls)))
		return;
	if (gnutls_session_get_data2(gs->tls, &data) < 0)
		return;
	gs->kept = true;
	/* What a server says about its age GnuTLS sees to itself (RFC 8446, 4.6.1). */
	tls_tickets_keep(session, data.data, data.size, 0, gnutls_session_is_resumed(gs->tls) != 0);
	base_wipe(data.data, data.size);
	gnutls_free(data.data);
}

void tls_gnutls_offer(struct tls_session *session, const uint8_t *ticket, size_t len)
{
	struct tls_gnutls_session *gs = session->engine;

	(void)gnutls_session_set_data(gs->tls, ticket, len); /* else a full handshake */
}
