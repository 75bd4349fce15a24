/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Fingerprints that come when a handshake has begun, or is over. Who waits for an answer to its
 * offer has to take the handshake up before the answer says whose certificate is to come (RFC 5763,
 * 6.2; 6.7.1): so the certificate is kept, and held against them when they are there.
 */
#include <stdlib.h>

#include "tls/engine.h"
#include "tls/prints.h"

static bool by_print(const struct tls_session *session)
{
	return tls_session_judges(session) &&
	       (tls_session_question(session).methods & TRUST_FINGERPRINT);
}

void tls_prints_shown(struct tls_session *session, const struct base_str *chain, size_t count)
{
	char *copy = NULL;

	free(session->shown);
	session->shown = NULL;
	if (count && by_print(session))
		copy = malloc(chain[0].len);
	if (!copy)
		return; /* who asks for it later is told that memory was short */
	memcpy(copy, chain[0].ptr, chain[0].len);
	session->shown = copy;
	session->shown_len = chain[0].len;
}

bool tls_prints_wait(struct tls_session *session)
{
	session->unproved = session->prints_later && session->shown &&
	                    !tls_session_question(session).fingerprint_count;
	return session->unproved;
}

void tls_prints_free(struct tls_session *session)
{
	free(session->shown);
	free(session->prints);
}

bool tls_session_unproved(const struct tls_session *session)
{
	return session->unproved;
}

static int hold_against(struct tls_session *session)
{
	struct trust_question question = tls_session_question(session);
	struct trust_verdict *verdict = session->verdict;
	struct base_str shown = { session->shown, session->shown_len };
	int rc;

	if (!session->shown || !verdict)
		return BASE_ERR(BASE_LOCAL, TLS_ALERT_INTERNAL_ERROR);
	/* What a path has to say it has said already. */
	question.methods = TRUST_FINGERPRINT;
	rc = trust_decide(session->context->domain->trust, &question, &shown, 1, verdict);
	if (rc)
		return BASE_ERR(BASE_LOCAL, TLS_ALERT_INTERNAL_ERROR);
	if (!verdict->authenticated && !verdict->tolerated)
		return BASE_ERR(BASE_PEER, verdict->alert);
	session->unproved = false;
	return 0;
}

int tls_session_prints(struct tls_session *session, const struct x509_fingerprint *fingerprints,
                       size_t count)
{
	struct tls_prints *prints;

	if (!count || !by_print(session) || session->psk)
		return 0;
	prints = malloc(sizeof(*prints) + count * sizeof(*fingerprints));
	if (!prints)
		return BASE_ERR(BASE_LOCAL, TLS_ALERT_INTERNAL_ERROR);
	prints->count = count;
	memcpy(prints->print, fingerprints, count * sizeof(*fingerprints));
	free(session->prints);
	session->prints = prints;
	if (!session->judged)
		return 0;
	/* A path that has proved it is as good (trust.h), where the domain takes either. */
	if (session->verdict && session->verdict->authenticated &&
	    session->verdict->method == TRUST_CA)
		return 0;
	return hold_against(session);
}
