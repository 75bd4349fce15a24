/* SPDX-License-Identifier: Apache-2.0 */
/** @file Judging the peer: what is asked of its certificate, and what the answer means. */
#include "tls/engine.h"
#include "tls/hand.h"
#include "tls/prints.h"
#include "tls/tickets.h"
#include "tls/wait.h"

bool tls_session_judges(const struct tls_session *session)
{
	const struct tls_domain *domain = session->context->domain;

	if (session->role == TLS_ROLE_CLIENT)
		return domain->server_methods != 0;
	return domain->client_auth != TLS_CLIENT_AUTH_NONE;
}

bool tls_session_requires(const struct tls_session *session)
{
	const struct tls_domain *domain = session->context->domain;

	return session->role == TLS_ROLE_SERVER && domain->client_auth == TLS_CLIENT_AUTH_REQUIRE &&
	       !(domain->continue_on & 1U << TRUST_NO_CERTIFICATE);
}

/**
 * A profile that turns SHA-1 signature schemes on lets certificates use them too (RFC 5246,
 * 7.4.1.4.1). No profile has a word about the size of RSA keys: trust's default holds.
 */
static bool sha1_allowed(const struct tls_domain *domain)
{
	const struct profile_list *signatures = &domain->settings->signatures;

	for (size_t i = 0; i < signatures->on; i++)
		if (signatures->item[i].code >> 8 == 2)
			return true;
	return false;
}

struct trust_question tls_session_question(const struct tls_session *session)
{
	const struct tls_domain *domain = session->context->domain;
	const struct tls_hand *hand = session->hand;
	const struct tls_prints *later = session->prints;
	bool client = session->role == TLS_ROLE_CLIENT;

	return (struct trust_question){
		.methods = client ? domain->server_methods : domain->client_methods,
		.fingerprints = later  ? later->print
		                : hand ? hand->fingerprints
		                       : NULL,
		.fingerprint_count = later  ? later->count
		                     : hand ? hand->fingerprint_count
		                            : 0,
		.peer_is_server = client,
		.peer_name = hand ? hand->peer_name : NULL,
		.continue_on = domain->continue_on,
		.allow_sha1 = sha1_allowed(domain),
		.staple = session->staple,
	};
}

/** A server that only requests a certificate lives with a client that has none. */
static bool verdict_refuses(const struct tls_session *session)
{
	const struct trust_verdict *verdict = session->verdict;

	if (verdict->authenticated || verdict->tolerated)
		return false;
	return !(verdict->reason == TRUST_NO_CERTIFICATE && session->role == TLS_ROLE_SERVER &&
	         session->context->domain->client_auth == TLS_CLIENT_AUTH_REQUEST);
}

int tls_session_judge(struct tls_session *session, const struct base_str *chain, size_t count)
{
	struct trust_question question = tls_session_question(session);
	char **urls = NULL;
	bool wait;
	int rc;

	if (!tls_session_judges(session))
		return 0;
	session->judged = true;
	if (!session->verdict)
		session->verdict = malloc(sizeof(*session->verdict));
	if (!session->verdict)
		return tls_session_fail(session, TLS_ALERT_INTERNAL_ERROR, TLS_SIDE_NONE,
		                        "no memory to judge the peer's certificate");
	*session->verdict = (struct trust_verdict){ 0 };
	trust_standing_unref(session->standing);
	session->standing = NULL;
	tls_prints_shown(session, chain, count);
	question.ret_standing = &session->standing;
	question.ret_urls = tls_wait_may(session) ? &urls : NULL;
	free(session->sip_domains);
	question.ret_sip_domains = &session->sip_domains;
	rc = trust_decide(session->context->domain->trust, &question, chain, count,
	                  session->verdict);
	if (rc)
		return tls_session_fail(session, TLS_ALERT_INTERNAL_ERROR, TLS_SIDE_NONE,
		                        "the peer's certificate could not be judged");
	if (session->resume && session->verdict->authenticated)
		tls_resume_proof(session, chain, count);
	wait = verdict_refuses(session) && tls_wait_begin(session, urls);
	x509_urls_free(urls);
	if (wait)
		return BASE_ERR(BASE_AGAIN, 0);
	if (!verdict_refuses(session) || tls_prints_wait(session))
		return 0;
	tls_wait_explain(session);
	return BASE_ERR(BASE_PEER, session->verdict->alert);
}
