/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Renegotiation (RFC 5246, 7.4.1.1), up to TLS 1.2, begun by the peer or by us. Invariants:
 * 1. It is taken up, or begun, only where profile and domain let it and RFC 5746 secured the first
 *    handshake; else the peer is told no_renegotiation, and the session goes on.
 * 2. It proves everything anew: certificates are judged again by the same policy, who had something
 *    to prove may not resume instead, and whoever comes out of it is who went in.
 * 3. Each costs us what a handshake costs, so there is a limit: CREDIT at once, and one more each
 *    CREDIT_MS of the caller's clock, whoever begins; KeyUpdates that we ask for count too.
 * 4. A HelloRequest is not repeated before it is answered (RFC 5246, 7.4.1.1), and who has refused
 *    is not asked again: an engine that has been refused waits for the rest of a handshake.
 */
#include <stdlib.h>

#include "tls/dtls_session.h"
#include "tls/engine.h"
#include "tls/renegotiate.h"

#define CREDIT    3     /**< renegotiations at once */
#define CREDIT_MS 60000 /**< one more after this long */

/* -- who may begin one ----------------------------------------------------------------------- */

/** The rules about one that the peer begins, and about one of ours. */
static void rules_of(const struct tls_domain *domain, enum tls_role role,
                     const struct profile_rule **ret_peer, const struct profile_rule **ret_ours)
{
	const struct profile_settings *s = domain->settings;
	bool server = role == TLS_ROLE_SERVER;

	*ret_peer = server ? s->renegotiation_client_rule : s->renegotiation_answer.rule;
	*ret_ours = server ? s->renegotiation_server.rule : s->renegotiation_client_rule;
}

static bool accepts(enum tls_renegotiate what)
{
	return what == TLS_RENEGOTIATE_ACCEPT || what == TLS_RENEGOTIATE_BOTH;
}

static bool initiates(enum tls_renegotiate what)
{
	return what == TLS_RENEGOTIATE_INITIATE || what == TLS_RENEGOTIATE_BOTH;
}

static bool against(const struct profile_rule *rule, bool wanted)
{
	return rule && rule->strength == (wanted ? PROFILE_SHALL_NOT : PROFILE_SHALL);
}

const struct profile_rule *tls_domain_renegotiate_rule(const struct tls_domain *domain,
                                                       enum tls_role role,
                                                       enum tls_renegotiate what)
{
	const struct profile_settings *s = domain->settings;
	const struct profile_rule *peer, *ours;

	rules_of(domain, role, &peer, &ours);
	if (what == TLS_RENEGOTIATE_DOMAIN)
		return NULL;
	if (what != TLS_RENEGOTIATE_REFUSE && !s->renegotiation_info.value)
		return s->renegotiation_info.rule;
	if (against(peer, accepts(what)))
		return peer;
	return against(ours, initiates(what)) ? ours : NULL;
}

void tls_renegotiation_say(struct tls_session *session, enum tls_renegotiate what)
{
	const struct tls_domain *domain = session->context->domain;
	const struct profile_rule *peer, *ours;
	bool secured = domain->settings->renegotiation_info.value;
	bool able = session->role == TLS_ROLE_CLIENT ||
	            session->context->ops->caps->features & PROFILE_FEATURE_RENEGOTIATION_CLIENT;

	rules_of(domain, session->role, &peer, &ours);
	session->accepts = domain->renegotiate[session->role];
	session->initiates = domain->begin[session->role];
	if (what == TLS_RENEGOTIATE_DOMAIN)
		return;
	/* A "shall not" holds whatever the stream says. */
	session->accepts = accepts(what) && secured && able && !against(peer, true);
	session->initiates = initiates(what) && secured && !against(ours, true);
}

/** GnuTLS 3.7 sends a HelloRequest in a datagram, and does not take what answers it. */
static bool again_unable(const struct tls_session *session)
{
	return session->dtls && session->role == TLS_ROLE_SERVER &&
	       !session->context->ops->requests;
}

bool tls_renegotiation_unable(const struct tls_session *session)
{
	return session->established && session->version != 0x0304 && session->secured &&
	       !session->once && session->initiates && again_unable(session);
}

void tls_renegotiation_init(struct tls_session *session)
{
	bool possible = session->version != 0x0304 && session->secured && !session->once;

	session->renegotiable = possible && session->accepts;
	session->orderable = possible && session->initiates && !again_unable(session);
	session->credit = CREDIT;
	session->credit_ms = session->io->now_ms;
}

static bool credit_left(struct tls_session *session)
{
	uint64_t now = session->io->now_ms, back;

	back = now > session->credit_ms ? (now - session->credit_ms) / CREDIT_MS : 0;
	session->credit_ms += back * CREDIT_MS;
	session->credit = (uint8_t)BASE_MIN(session->credit + back, (uint64_t)CREDIT);
	return session->credit > 0;
}

bool tls_renegotiation_due(struct tls_session *session)
{
	if (session->renegotiating)
		return false;
	if (session->wish == TLS_WISH_OPEN)
		return true;
	if (!session->renegotiable || session->asked || session->closed_out ||
	    (session->wish == TLS_WISH_REFUSED && session->role == TLS_ROLE_CLIENT))
		return false;
	return credit_left(session);
}

void tls_renegotiation_begin(struct tls_session *session)
{
	if (session->wish != TLS_WISH_OPEN) /* paid for when we asked */
		session->credit--;
	session->renegotiating = true;
	session->judged = session->extms = false;
	session->before = (struct tls_before){ .verdict = session->verdict,
		                               .psk_identity = session->psk_identity,
		                               .psk = session->psk,
		                               .suite = session->suite,
		                               .resumed = session->resumed,
		                               .id_len = session->id_len,
		                               .marks = session->marks };
	memcpy(session->before.id, session->id, sizeof(session->id));
	session->id_len = 0;
	session->marks.count = 0;
	session->verdict = NULL;
	session->psk_identity = NULL;
	session->psk = false;
}

void tls_renegotiation_denied(struct tls_session *session)
{
	bool ours = session->role == TLS_ROLE_CLIENT && session->renegotiating;

	if (!ours && session->wish != TLS_WISH_OPEN)
		return;
	session->wish = TLS_WISH_REFUSED;
	if (!ours || session->judged)
		return;
	session->verdict = session->before.verdict;
	session->psk_identity = session->before.psk_identity;
	session->psk = session->before.psk;
	session->suite = session->before.suite;
	session->resumed = session->before.resumed;
	session->id_len = session->before.id_len;
	memcpy(session->id, session->before.id, sizeof(session->id));
	session->marks = session->before.marks;
	session->before = (struct tls_before){ 0 };
	session->judged = true;
	session->renegotiating = false;
}

bool tls_renegotiation_forget(struct tls_session *session, uint64_t now_ms)
{
	const struct tls_before *before = &session->before;
	bool all = true;

	if (before->id_len)
		tls_ids_remove(session->context->domain->ids,
		               (struct base_str){ (const char *)before->id, before->id_len });
	session->before.id_len = 0;
	/* Where it was resumed by such a ticket it is the same. */
	if (session->context->domain->ring)
		all = tls_bars_add_all(tls_ticket_ring_bars(session->context->domain->ring),
		                       &before->marks, &session->marks, now_ms);
	session->before.marks.count = 0;
	return all;
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
	if (session->dtls && !tls_dtls_agreed(session))
		return session->rc;
	/* For whom memory is short they stay good. */
	(void)tls_renegotiation_forget(session, session->io->now_ms);
	tls_renegotiation_done(session);
	session->renegotiating = false;
	session->wish = TLS_WISH_NONE;
	session->renegotiations++;
	return 0;
}

bool tls_session_renegotiating(const struct tls_session *session, uint32_t *ret_count)
{
	if (ret_count)
		*ret_count = session->renegotiations;
	return session->renegotiating;
}

/* -- by our own wish ------------------------------------------------------------------------- */

const char *tls_again_text(enum tls_again again)
{
	static const char *const texts[] = {
		[TLS_AGAIN_BEGUN] = "begun",
		[TLS_AGAIN_KEYS] =
		        "TLS 1.3 has no renegotiation: new keys instead (RFC 8446, 4.6.3)",
		[TLS_AGAIN_BUSY] = "one goes on, or the peer has not answered the last request "
		                   "(RFC 5246, 7.4.1.1)",
		[TLS_AGAIN_CLOSED] = "there is no TLS session, or it ends",
		[TLS_AGAIN_FORBIDDEN] = "the profile or the domain does not let us begin one "
		                        "(H.248.TLSPROF 7-5, 8.4)",
		[TLS_AGAIN_UNSECURED] =
		        "the peer does not know RFC 5746, so none is begun (4.2, 4.4)",
		[TLS_AGAIN_REFUSED] = "one was refused before (RFC 5246, 7.2.2)",
		[TLS_AGAIN_UNABLE] = "as a server of DTLS its engine, GnuTLS, cannot ask for one "
		                     "(RFC 6347, 4.2.4); name OpenSSL for it",
		[TLS_AGAIN_TOO_OFTEN] = "too many: three at once, and one more each minute",
	};

	return (size_t)again < BASE_COUNT(texts) ? texts[again] : "?";
}

/** What can be known without trying; AGAIN_BEGUN or _KEYS = go on. */
static enum tls_again again_may(struct tls_session *session)
{
	bool keys = session->version == 0x0304;

	if (!session->established || session->rc || session->closed_in || session->closed_out)
		return TLS_AGAIN_CLOSED;
	if (session->renegotiating || session->wish == TLS_WISH_OPEN)
		return TLS_AGAIN_BUSY;
	if (!keys && !session->secured)
		return TLS_AGAIN_UNSECURED;
	if (!keys && session->initiates && again_unable(session))
		return TLS_AGAIN_UNABLE;
	if (!keys && !session->orderable)
		return TLS_AGAIN_FORBIDDEN;
	if (!keys && (session->asked || session->wish == TLS_WISH_REFUSED))
		return TLS_AGAIN_REFUSED;
	if (!credit_left(session))
		return TLS_AGAIN_TOO_OFTEN;
	return keys ? TLS_AGAIN_KEYS : TLS_AGAIN_BEGUN;
}

/** Put aside, or noted, before the engine is asked: its callbacks look. */
static void again_note(struct tls_session *session, enum tls_again how)
{
	if (how == TLS_AGAIN_BEGUN && session->role == TLS_ROLE_CLIENT) {
		tls_renegotiation_begin(session);
		return;
	}
	session->credit--;
	if (how == TLS_AGAIN_KEYS) {
		session->key_updates++;
		session->keys_due = true;
	}
}

int tls_session_renegotiate(struct tls_session *session, struct tls_io *io, enum tls_again *ret)
{
	int rc = 0;

	session->io = io;
	*ret = again_may(session);
	if (*ret == TLS_AGAIN_BEGUN || *ret == TLS_AGAIN_KEYS) {
		again_note(session, *ret);
		rc = session->dtls ? tls_dtls_again(session)
		                   : session->context->ops->again(session);
		if (rc == 0 && io->out->failed)
			rc = tls_session_fail(session, -1, TLS_SIDE_NONE,
			                      "no memory for what is to be sent");
		if (rc == 0 && *ret == TLS_AGAIN_BEGUN && session->role == TLS_ROLE_SERVER)
			session->wish = TLS_WISH_OPEN;
	}
	session->io = NULL;
	return tls_session_ended(session, rc);
}

enum tls_wish tls_session_wish(const struct tls_session *session)
{
	return (enum tls_wish)session->wish;
}

void tls_renegotiation_keys(struct tls_session *session)
{
	session->keys_due = false;
}

bool tls_session_keys_due(const struct tls_session *session)
{
	return session->keys_due;
}
