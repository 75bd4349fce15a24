/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Renegotiation (RFC 5246, 7.4.1.1), up to TLS 1.2, begun by the peer. Invariants:
 * 1. It is taken up only where the profile lets it and RFC 5746 secured the first handshake; else
 *    the peer is told no_renegotiation, and the session goes on.
 * 2. It proves everything anew: certificates are judged again by the same policy, who had something
 *    to prove may not resume instead, and whoever comes out of it is who went in.
 * 3. Each costs us what a handshake costs, so there is a limit: CREDIT at once, and one more each
 *    CREDIT_MS of the caller's clock.
 */
#include <stdlib.h>

#include "tls/engine.h"

#define CREDIT    3     /**< renegotiations at once */
#define CREDIT_MS 60000 /**< one more after this long */

void tls_renegotiation_init(struct tls_session *session)
{
	session->renegotiable = session->version != 0x0304 && session->secured && !session->once &&
	                        session->context->domain->renegotiate[session->role];
	session->credit = CREDIT;
	session->credit_ms = session->io->now_ms;
}

bool tls_renegotiation_due(struct tls_session *session)
{
	uint64_t now = session->io->now_ms, back;

	if (!session->renegotiable || session->renegotiating || session->asked ||
	    session->closed_out)
		return false;
	back = now > session->credit_ms ? (now - session->credit_ms) / CREDIT_MS : 0;
	session->credit_ms += back * CREDIT_MS;
	session->credit = (uint8_t)BASE_MIN(session->credit + back, (uint64_t)CREDIT);
	return session->credit > 0;
}

void tls_renegotiation_begin(struct tls_session *session)
{
	session->credit--;
	session->renegotiating = true;
	session->judged = session->extms = false;
	session->before = (struct tls_before){ .verdict = session->verdict,
		                               .psk_identity = session->psk_identity,
		                               .psk = session->psk };
	session->verdict = NULL;
	session->psk_identity = NULL;
	session->psk = false;
}

void tls_renegotiation_done(struct tls_session *session)
{
	free(session->before.verdict);
	free(session->before.psk_identity);
	session->before = (struct tls_before){ 0 };
}

static bool same_certificate(const struct trust_verdict *a, const struct trust_verdict *b)
{
	if (!a || !b)
		return a == b;
	return a->fingerprint.len == b->fingerprint.len &&
	       memcmp(a->fingerprint.octets, b->fingerprint.octets, a->fingerprint.len) == 0;
}

static bool same_peer(const struct tls_session *session)
{
	const struct tls_before *before = &session->before;
	const char *was = before->psk_identity, *is = session->psk_identity;

	if (before->psk != session->psk)
		return false;
	if (session->psk)
		return was && is && strcmp(was, is) == 0;
	return same_certificate(before->verdict, session->verdict);
}

static int refuse(struct tls_session *session, uint8_t alert, const char *why)
{
	if (!session->failure)
		session->failure = strdup(why);
	tls_session_abort(session, session->io, alert);
	return session->rc;
}

int tls_renegotiation_finish(struct tls_session *session)
{
	int rc = 0;

	if (!session->psk && !session->judged)
		rc = tls_session_judge(session, NULL, 0);
	if (rc)
		return refuse(session, (uint8_t)base_err_detail(rc),
		              session->verdict ? session->verdict->text : "no memory");
	/* Who has nothing to prove may save himself the trouble. */
	if (session->resumed && (tls_session_judges(session) || session->before.psk))
		return refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		              "the peer was to prove itself again, and resumed a session");
	if (!same_peer(session))
		return refuse(session, TLS_ALERT_ACCESS_DENIED,
		              "the peer became another one in a renegotiation");
	tls_renegotiation_done(session);
	session->renegotiating = false;
	session->renegotiations++;
	return 0;
}

bool tls_session_renegotiating(const struct tls_session *session, uint32_t *ret_count)
{
	if (ret_count)
		*ret_count = session->renegotiations;
	return session->renegotiating;
}
