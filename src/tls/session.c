/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One TLS endpoint, the part that is the same for every engine: lends the bytes of a step to the
 * engine, keeps what the session came to, and guards the invariants of engine.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tls/dtls_session.h"
#include "tls/engine.h"
#include "tls/hand.h"
#include "tls/prints.h"
#include "tls/renegotiate.h"
#include "tls/tickets.h"
#include "tls/wait.h"

/* -- life ------------------------------------------------------------------------------------ */

/**
 * Resumption skips what the full handshake proved. A client's certificate goes with the session and
 * is judged again (tls_resume_judge); what a stream brought, a PSK or a fingerprint, is not there
 * again. So only sessions whose whole policy is the domain's may use tickets and session ids.
 */
static bool session_resumes(const struct tls_session *session)
{
	return session->role == TLS_ROLE_SERVER && !tls_dtls_once(session) &&
	       !session->prints_later &&
	       (!session->hand ||
	        (session->hand->psk_count == 0 && session->hand->fingerprint_count == 0));
}

int tls_session_new(struct tls_session **ret, struct tls_context *context,
                    const struct tls_session_spec *spec)
{
	struct tls_session *session;
	int rc;

	if (!tls_spec_valid(spec))
		return BASE_ERR(BASE_CONFIG, 0);
	rc = spec->datagram ? tls_context_datagram(context, &context) : 0;
	if (rc == 0)
		rc = tls_context_role(context, spec->role, &context, NULL);
	if (rc)
		return rc;
	session = calloc(1, sizeof(*session));
	if (!session)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	session->context = context;
	session->role = (uint8_t)spec->role;
	session->alert = -1;
	session->once = spec->once;
	tls_renegotiation_say(session, spec->renegotiate);
	session->may_wait = spec->may_wait;
	session->prints_later = spec->prints_later &&
	                        (tls_session_question(session).methods & TRUST_FINGERPRINT) != 0;
	context->sessions++;
	rc = tls_context_identity(context, NULL);
	if (rc == 0)
		rc = tls_hand_new(&session->hand, spec);
	if (rc == 0 && spec->datagram)
		rc = tls_dtls_new(session, spec->datagram);
	session->tickets = context->domain->tickets && session_resumes(session);
	session->ids = context->domain->ids && session_resumes(session);
	if (rc == 0 && !tls_dtls_once(session))
		rc = tls_resume_new(session, spec);
	if (rc == 0)
		rc = context->ops->session_new(session);
	if (rc == 0) {
		*ret = session;
		session = NULL;
	}
	tls_session_free(session);
	return rc;
}

void tls_session_free(struct tls_session *session)
{
	if (!session)
		return;
	session->context->ops->session_free(session);
	session->context->sessions--;
	tls_hand_free(session);
	tls_dtls_free(session);
	tls_resume_free(session);
	tls_renegotiation_done(session);
	tls_wait_free(session);
	tls_prints_free(session);
	trust_standing_unref(session->standing);
	free(session->verdict);
	free(session->psk_identity);
	free(session->failure);
	free(session->sip_domains);
	free(session);
}

const char *tls_session_sip_domains(const struct tls_session *session)
{
	const struct trust_verdict *verdict = session->verdict;

	return session->established && verdict && verdict->authenticated &&
	                       verdict->method == TRUST_CA
	               ? session->sip_domains
	               : NULL;
}

/* -- failures -------------------------------------------------------------------------------- */

int tls_session_fail(struct tls_session *session, int alert, enum tls_side side, const char *fmt,
                     ...)
{
	va_list ap;

	if (session->rc)
		return session->rc;
	session->alert = (int16_t)alert;
	session->side = (uint8_t)side;
	va_start(ap, fmt);
	if (!session->failure && vasprintf(&session->failure, fmt, ap) < 0)
		session->failure = NULL;
	va_end(ap);
	session->rc = side == TLS_SIDE_NONE ? BASE_ERR(BASE_LOCAL, 0)
	                                    : BASE_ERR(BASE_PEER, alert < 0 ? 0 : alert);
	return session->rc;
}

int tls_session_ended(struct tls_session *session, int rc)
{
	bool told = rc && base_err_class(rc) != BASE_AGAIN;

	if (told && !session->rc)
		session->rc = rc;
	/* Also where data came beside the failure: they go first, and the next call tells. */
	if (session->rc) {
		tls_resume_forget(session);
		tls_hand_free(session);
	}
	return told ? session->rc : rc;
}

/** close_notify: who said it first is told, until a fatal alert comes after all. */
static void session_closed(struct tls_session *session, enum tls_side side)
{
	if (session->alert >= 0)
		return;
	session->alert = TLS_ALERT_CLOSE_NOTIFY;
	session->side = (uint8_t)side;
}

bool tls_session_asks(struct tls_session *session)
{
	return ++session->asked > (session->role == TLS_ROLE_SERVER ? 1 : 8);
}

/* -- steps ----------------------------------------------------------------------------------- */

/**
 * A client that shows a key, to a server that shows a certificate instead (RFC 8446, 4.2.11), which
 * nobody judges: then nobody has been authenticated.
 */
static bool psk_ignored(const struct tls_session *session)
{
	const struct tls_hand *hand = session->hand;

	return session->role == TLS_ROLE_CLIENT && !tls_session_judges(session) &&
	       !session->resumed &&
	       ((hand && hand->psk_count) || session->context->domain->psk_count);
}

/**
 * The engine is done. A peer that was to be judged and was not (it sent no certificate, in a
 * version where the engine then asks nobody) is judged now, unless a PSK proved it (RFC 4279), or
 * it resumes a session in which it was. Who may renegotiate needs once more what the stream
 * brought.
 */
static int handshake_finish(struct tls_session *session)
{
	int rc = 0;

	tls_resume_finish(session);
	session->judged |= session->resumed && session->rests;
	if (session->rests && !session->judged)
		tls_resume_unjudge(session);
	if (!session->psk && !session->judged && psk_ignored(session)) {
		if (!session->failure) /* without memory the words are lost, no more */
			session->failure = strdup("the server took no pre-shared key, and its "
			                          "certificate is judged by nobody");
		tls_session_abort(session, session->io, TLS_ALERT_HANDSHAKE_FAILURE);
		return session->rc;
	}
	if (!session->psk && !session->judged)
		rc = tls_session_judge(session, NULL, 0);
	if (rc) {
		uint8_t alert = (uint8_t)base_err_detail(rc);

		/* RFC 8446, 4.4.2.4 has an alert of its own for what RFC 5246, 7.4.6 lacks. */
		if (alert == TLS_ALERT_HANDSHAKE_FAILURE && session->version == 0x0304)
			alert = TLS_ALERT_CERTIFICATE_REQUIRED;
		tls_session_abort(session, session->io, alert);
		return session->rc;
	}
	if (session->dtls && !tls_dtls_agreed(session))
		return session->rc;
	session->established = true;
	tls_wait_free(session);
	tls_renegotiation_init(session);
	if (!session->renegotiable && !session->orderable)
		tls_hand_free(session);
	return 0;
}

int tls_session_handshake(struct tls_session *session, struct tls_io *io)
{
	int rc;

	if (session->rc)
		return session->rc;
	if (session->established)
		return 0;
	if (tls_session_waits(session)) {
		if (session->dtls)
			tls_dtls_meanwhile(session, io);
		return BASE_ERR(BASE_AGAIN, 0);
	}
	session->io = io;
	if (!session->begun)
		tls_resume_offer(session);
	session->begun = true;
	rc = session->dtls ? tls_dtls_handshake(session)
	                   : session->context->ops->handshake(session);
	if (rc == 0)
		rc = handshake_finish(session);
	session->io = NULL;
	return tls_session_ended(session, rc);
}

int tls_session_read(struct tls_session *session, struct tls_io *io, uint8_t *clear, size_t cap,
                     size_t *ret_len)
{
	int rc;

	*ret_len = 0;
	if (session->rc)
		return session->rc;
	if (session->closed_in && !session->renegotiating)
		return 0;
	if (!session->established || cap == 0)
		return BASE_ERR(BASE_AGAIN, 0);
	session->io = io;
	rc = session->dtls ? tls_dtls_read(session, clear, cap, ret_len)
	                   : session->context->ops->read(session, clear, cap, ret_len);
	session->io = NULL;
	if (session->closed_in && session->renegotiating && !*ret_len)
		rc = tls_session_fail(session, TLS_ALERT_CLOSE_NOTIFY, TLS_SIDE_REMOTE,
		                      "the peer closed during a renegotiation");
	else if (session->closed_in)
		session_closed(session, TLS_SIDE_REMOTE);
	return tls_session_ended(session, rc);
}

int tls_session_write(struct tls_session *session, struct tls_io *io, const uint8_t *clear,
                      size_t len)
{
	int rc;

	if (session->rc)
		return session->rc;
	if (!session->established || session->closed_out)
		return BASE_ERR(BASE_BUG, 0);
	if (len == 0)
		return 0;
	if (session->renegotiating)
		return BASE_ERR(BASE_AGAIN, 0);
	if (session->dtls && len > tls_session_room(session))
		return BASE_ERR(BASE_LOCAL, EMSGSIZE);
	session->io = io;
	rc = session->context->ops->write(session, clear, len);
	session->io = NULL;
	return tls_session_ended(session, rc);
}

int tls_session_close(struct tls_session *session, struct tls_io *io)
{
	int rc;

	if (session->rc || session->closed_out)
		return session->rc;
	if (session->renegotiating)
		return BASE_ERR(BASE_AGAIN, 0);
	session->closed_out = true;
	session_closed(session, TLS_SIDE_LOCAL);
	session->io = io;
	rc = session->established ? session->context->ops->close(session) : 0;
	session->io = NULL;
	return tls_session_ended(session, rc);
}

void tls_session_abort(struct tls_session *session, struct tls_io *io, uint8_t alert)
{
	struct tls_io *outer = session->io;
	int sent = -1;

	if (session->rc)
		return;
	session->io = io;
	if (!session->closed_out)
		sent = session->context->ops->abort(session, alert);
	session->io = outer;
	(void)tls_session_fail(session, sent, TLS_SIDE_LOCAL, "aborted here: %s",
	                       session->verdict && session->verdict->reason != TRUST_OK
	                               ? session->verdict->text
	                               : tls_alert_name(alert));
	tls_resume_forget(session);
	tls_hand_free(session);
}

/* -- what comes later ------------------------------------------------------------------------ */

const struct trust_standing *tls_session_standing(const struct tls_session *session)
{
	return session->standing;
}

void tls_session_condemn(struct tls_session *session, const char *text)
{
	char *copy = strdup(text); /* without memory the words are lost, no more */

	tls_resume_forget(session);
	if (copy) {
		free(session->failure);
		session->failure = copy;
	}
	if (session->verdict) {
		session->verdict->authenticated = false;
		session->verdict->reason = TRUST_REVOKED;
		session->verdict->failures |= 1U << TRUST_REVOKED;
		(void)snprintf(session->verdict->text, sizeof(session->verdict->text), "%s", text);
	}
}

/* -- what it came to ------------------------------------------------------------------------- */

/* The profiles' names, so that what Notify says and what an audit says can be compared. */
static const char *version_name(uint16_t version)
{
	for (unsigned v = PROFILE_TLS_1_0; v <= PROFILE_DTLS_1_2; v <<= 1) {
		if (profile_version_wire(v) == version)
			return profile_version_name(v);
	}
	return "";
}

void tls_session_info(const struct tls_session *session, struct tls_info *ret)
{
	const struct profile_suite *suite = profile_suite_find(session->suite);

	*ret = (struct tls_info){
		.established = session->established,
		.resumed = session->resumed,
		.version = session->version,
		.version_name = version_name(session->version),
		.suite = session->suite,
		.suite_name = session->suite && suite ? suite->name : "",
		.psk = session->psk,
		.psk_identity = session->psk_identity,
		.has_verdict = session->verdict != NULL,
		.alert = session->alert,
		.alert_side = (enum tls_side)session->side,
		.failure = session->failure ? session->failure : "",
		.records_in = session->records_in,
		.records_out = session->records_out,
		.renegotiations = session->renegotiations,
		.renegotiating = session->renegotiating,
		.secured = session->secured || session->version == 0x0304,
		.peer_may_renegotiate = session->renegotiable,
		.we_may_renegotiate = session->orderable || session->version == 0x0304,
		.cannot_renegotiate = tls_renegotiation_unable(session),
		.key_updates = session->key_updates,
	};
	if (session->verdict)
		ret->verdict = *session->verdict;
	if (session->dtls) {
		ret->lost = session->dtls->lost;
		ret->repeated = session->dtls->repeated;
	}
}
