/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tickets as a client keeps them (RFC 5077; RFC 8446, 4.6.1): for one context, so for one worker
 * and one generation of a domain, and within it for one peer. With a ticket goes what the peer had
 * proved: who resumes is who was judged. Invariants:
 * 1. Only a session whose whole policy is the domain's has tickets, and only of a peer that was
 *    authenticated, or that nobody asks who it is. What was merely tolerated is judged again.
 * 2. A ticket whose peer has been revoked since is not offered: it rests on what its session did.
 * 3. No ticket outlives the profile's lifetime since the full handshake that it goes back to, nor
 *    the certificate judged in it, nor what the server said.
 * 4. A ticket is in the context or offered by one session, never both: TLS 1.3 wants each used once
 *    (RFC 8446, C.4); one of TLS 1.2 comes back when it was good.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "tls/engine.h"
#include "tls/renegotiate.h"
#include "tls/tickets.h"

#define TICKET_MAX 16384 /**< octets of one, in the engine's form */

static void ticket_free(struct tls_ticket *ticket)
{
	if (!ticket)
		return;
	base_wipe(ticket->data, ticket->len);
	trust_standing_unref(ticket->standing);
	free(ticket->verdict);
	free(ticket);
}

static struct base_str peer_of(const struct tls_ticket *ticket)
{
	return (struct base_str){ (const char *)ticket->peer, sizeof(ticket->peer) };
}

static void context_remove(struct tls_context *context, struct tls_ticket *ticket)
{
	base_list_remove(&ticket->node);
	base_map_remove(&context->ticket_of, &ticket->by_peer);
	context->ticket_count--;
}

static struct tls_ticket *context_find(struct tls_context *context, const uint8_t *peer)
{
	struct base_map_node *node =
	        base_map_find(&context->ticket_of, (struct base_str){ (const char *)peer, 32 });

	return node ? BASE_CONTAINER_OF(node, struct tls_ticket, by_peer) : NULL;
}

static void context_put(struct tls_context *context, struct tls_ticket *ticket)
{
	struct tls_ticket *old = context_find(context, ticket->peer);

	if (!old && context->ticket_count >= context->domain->client_tickets)
		old = BASE_CONTAINER_OF(context->tickets.next, struct tls_ticket, node);
	if (old) {
		context_remove(context, old);
		ticket_free(old);
	}
	if (base_map_insert(&context->ticket_of, peer_of(ticket), &ticket->by_peer)) {
		ticket_free(ticket); /* the next handshake is a full one */
		return;
	}
	base_list_append(&context->tickets, &ticket->node);
	context->ticket_count++;
}

void tls_tickets_drop(struct tls_context *context)
{
	struct base_node *node;

	base_map_done(&context->ticket_of);
	while ((node = base_list_shift(&context->tickets)))
		ticket_free(BASE_CONTAINER_OF(node, struct tls_ticket, node));
	context->ticket_count = 0;
}

/* -- sessions -------------------------------------------------------------------------------- */

/** All that says who the peer is and must prove. */
static bool peer_digest(const struct tls_session_spec *spec, uint8_t peer[32])
{
	struct base_writer w = { 0 };
	unsigned len = 32;
	bool ok;

	base_writer_text(&w, spec->resume_key);
	base_writer_u8(&w, 0);
	base_writer_text(&w, spec->server_name ? spec->server_name : "");
	base_writer_u8(&w, 0);
	base_writer_text(&w, spec->peer_name ? spec->peer_name : "");
	ok = !w.failed && EVP_Digest(w.data, w.len, peer, &len, EVP_sha256(), NULL) == 1;
	base_writer_done(&w);
	return ok;
}

int tls_resume_new(struct tls_session *session, const struct tls_session_spec *spec)
{
	const struct tls_domain *domain = session->context->domain;

	if (session->role != TLS_ROLE_CLIENT || !(domain->tickets || domain->ids) ||
	    !spec->resume_key || spec->psk_count || spec->fingerprint_count || domain->psk_count)
		return 0;
	session->resume = calloc(1, sizeof(*session->resume));
	if (!session->resume || !peer_digest(spec, session->resume->peer))
		return BASE_ERR(BASE_LOCAL, 0);
	session->resume->proof_s = UINT32_MAX;
	session->tickets = domain->tickets;
	return 0;
}

/** Nobody knows in doubt: then it is not offered, and a full handshake judges. */
static bool ticket_condemned(const struct tls_domain *domain, const struct tls_ticket *ticket)
{
	struct trust_condemned why;
	struct trust_sweep *sweep;
	bool condemned;

	if (!ticket->standing || !domain->trust)
		return false;
	if (trust_sweep_new(&sweep, domain->trust, 0))
		return true;
	condemned = trust_sweep_condemns(sweep, ticket->standing, &why);
	trust_sweep_free(sweep);
	return condemned;
}

void tls_resume_offer(struct tls_session *session)
{
	struct tls_resume *resume = session->resume;
	struct tls_ticket *ticket;

	if (!resume)
		return;
	ticket = context_find(session->context, resume->peer);
	if (!ticket)
		return;
	context_remove(session->context, ticket);
	if (session->io->now_ms >= ticket->until_ms ||
	    ticket_condemned(session->context->domain, ticket)) {
		ticket_free(ticket);
		return;
	}
	resume->offered = ticket;
	session->context->ops->offer(session, ticket->data, ticket->len);
}

void tls_resume_finish(struct tls_session *session)
{
	struct tls_resume *resume = session->resume;
	struct tls_ticket *ticket = resume ? resume->offered : NULL;

	if (!ticket)
		return;
	if (session->resumed && ticket->verdict && !session->verdict) {
		session->verdict = malloc(sizeof(*session->verdict));
		if (session->verdict)
			*session->verdict = *ticket->verdict;
		session->judged = session->verdict != NULL;
		if (ticket->standing && !session->standing)
			session->standing = trust_standing_ref(ticket->standing);
	}
	/* In TLS 1.3 one more may come, of the same age: what it goes back to is kept for it. */
	if (session->resumed && session->version == 0x0304)
		return;
	resume->offered = NULL;
	if (session->resumed && !resume->renewed && !resume->forgotten)
		context_put(session->context, ticket);
	else
		ticket_free(ticket);
}

void tls_resume_unjudge(struct tls_session *session)
{
	free(session->verdict);
	session->verdict = NULL;
	trust_standing_unref(session->standing);
	session->standing = NULL;
}

bool tls_resume_judge(struct tls_session *session, const struct base_str *chain, size_t count)
{
	bool may_wait = session->may_wait, judged = session->judged;

	if (!tls_session_judges(session))
		return true;
	session->may_wait = false;
	session->rests = tls_session_judge(session, chain, count) == 0;
	session->may_wait = may_wait;
	if (!session->rests)
		tls_resume_unjudge(session);
	/* Not yet: the engine may still go on in full, and then it counts for nothing. */
	session->judged = judged;
	return session->rests;
}

void tls_session_call(struct tls_session *session, struct base_str name)
{
	char lower[256]; /* RFC 1035, 2.3.3: a name is the same in capitals */
	unsigned len = sizeof(session->called);

	session->has_called = false;
	if (!name.len)
		return;
	for (size_t i = 0; i < BASE_MIN(name.len, sizeof(lower)); i++)
		lower[i] = name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20)
		                                                    : name.ptr[i];
	session->has_called = true;
	if (name.len <= sizeof(lower) &&
	    EVP_Digest(lower, name.len, session->called, &len, EVP_sha256(), NULL) == 1)
		return;
	/* No name, or no memory: it is like no other. */
	if (base_random(session->called, sizeof(session->called)))
		session->tickets = session->ids = false;
}

const uint8_t *tls_session_called(const struct tls_session *session)
{
	return session->has_called ? session->called : NULL;
}

void tls_ids_remember(struct tls_session *session, const void *id, size_t id_len, const void *data,
                      size_t len)
{
	if (!session->ids || !id_len || id_len > sizeof(session->id))
		return;
	tls_ids_put(session->context->domain->ids, (struct base_str){ id, id_len },
	            tls_session_called(session), data, len, session->io->now_ms);
	memcpy(session->id, id, id_len);
	session->id_len = (uint8_t)id_len;
}

bool tls_ids_recall(struct tls_session *session, const void *id, size_t id_len,
                    struct base_secret *ret)
{
	/* What is proved in a renegotiation is proved anew. */
	if (!session->ids || session->renegotiating || !id_len || id_len > sizeof(session->id) ||
	    !tls_ids_get(session->context->domain->ids, (struct base_str){ id, id_len },
	                 tls_session_called(session), session->io->now_ms, ret))
		return false;
	memcpy(session->id, id, id_len);
	session->id_len = (uint8_t)id_len;
	return true;
}

void tls_resume_forget(struct tls_session *session)
{
	struct tls_ticket *ticket =
	        session->resume ? context_find(session->context, session->resume->peer) : NULL;

	if (session->id_len)
		tls_ids_remove(session->context->domain->ids,
		               (struct base_str){ (const char *)session->id, session->id_len });
	session->id_len = 0;
	/* What memory is short for stays good. */
	(void)tls_renegotiation_forget(session, session->io ? session->io->now_ms : 0);
	if (!ticket)
		return;
	context_remove(session->context, ticket);
	ticket_free(ticket);
}

const uint8_t *tls_session_mark(struct tls_session *session)
{
	struct tls_marks *marks = &session->marks;

	if (!marks->count && base_random(marks->mark[0], TLS_MARK))
		return NULL;
	marks->count = 1;
	return marks->mark[0];
}

bool tls_session_marked(struct tls_session *session, const uint8_t mark[TLS_MARK])
{
	const struct tls_ticket_ring *ring = session->context->domain->ring;

	if (ring && tls_bars_has(tls_ticket_ring_bars(ring), mark))
		return false;
	memcpy(session->marks.mark[0], mark, TLS_MARK);
	session->marks.count = 1;
	return true;
}

bool tls_ticket_hash(struct base_str ticket, uint8_t ret[TLS_MARK])
{
	uint8_t hash[32];
	unsigned len = sizeof(hash);

	if (EVP_Digest(ticket.ptr, ticket.len, hash, &len, EVP_sha256(), NULL) != 1)
		return false;
	memcpy(ret, hash, TLS_MARK);
	return true;
}

bool tls_session_hashed(struct tls_session *session, struct base_str ticket, bool given)
{
	struct tls_marks *marks = &session->marks;
	uint8_t mark[TLS_MARK];

	if (!tls_ticket_hash(ticket, mark))
		return false;
	if (!given)
		return tls_session_marked(session, mark);
	marks->count = (uint8_t)BASE_MIN(marks->count + 1, 2);
	memcpy(marks->mark[marks->count - 1], mark, TLS_MARK);
	return true;
}

void tls_resume_free(struct tls_session *session)
{
	if (!session->resume)
		return;
	ticket_free(session->resume->offered);
	free(session->resume);
	session->resume = NULL;
}

/* -- what the server gives ------------------------------------------------------------------- */

void tls_resume_proof(struct tls_session *session, const struct base_str *chain, size_t count)
{
	const unsigned char *at = count ? (const unsigned char *)chain[0].ptr : NULL;
	X509 *cert = at ? d2i_X509(NULL, &at, (long)chain[0].len) : NULL;
	int days = 0, seconds = 0;

	if (!cert || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)))
		days = seconds = 0;
	session->resume->proof_s = 0;
	if (days > 0)
		session->resume->proof_s = (uint32_t)BASE_MIN(days, 10000) * 86400U;
	else if (days == 0 && seconds > 0)
		session->resume->proof_s = (uint32_t)seconds;
	X509_free(cert);
}

static struct tls_ticket *ticket_make(const struct tls_session *session, const void *data,
                                      size_t len, uint64_t until_ms,
                                      const struct trust_verdict *verdict,
                                      struct trust_standing *standing)
{
	struct tls_ticket *ticket = malloc(sizeof(*ticket) + len);

	if (!ticket)
		return NULL;
	*ticket = (struct tls_ticket){ .until_ms = until_ms, .len = len };
	base_list_init(&ticket->node);
	memcpy(ticket->peer, session->resume->peer, sizeof(ticket->peer));
	memcpy(ticket->data, data, len);
	ticket->standing = standing ? trust_standing_ref(standing) : NULL;
	if (!verdict)
		return ticket;
	ticket->verdict = malloc(sizeof(*verdict));
	if (ticket->verdict) {
		*ticket->verdict = *verdict;
		return ticket;
	}
	ticket_free(ticket);
	return NULL;
}

void tls_tickets_keep(struct tls_session *session, const void *data, size_t len, uint32_t hint_s,
                      bool resumed)
{
	struct tls_resume *resume = session->resume;
	const struct tls_ticket *from = resume && resumed ? resume->offered : NULL;
	const struct trust_verdict *verdict = session->verdict;
	struct trust_standing *standing = session->standing;
	uint64_t good_s = session->context->domain->lifetime_s, until_ms;
	struct tls_ticket *ticket;

	if (!resume || resume->forgotten || !session->io || len == 0 || len > TICKET_MAX)
		return;
	if (!verdict && from)
		verdict = from->verdict; /* not handed on yet: tls_resume_finish() */
	if (!standing && from)
		standing = from->standing;
	if (tls_session_judges(session) && (!verdict || !verdict->authenticated))
		return;
	good_s = BASE_MIN(good_s, resume->proof_s);
	if (hint_s)
		good_s = BASE_MIN(good_s, hint_s);
	until_ms = session->io->now_ms + good_s * 1000;
	if (from)
		until_ms = BASE_MIN(until_ms, from->until_ms);
	ticket = ticket_make(session, data, len, until_ms, verdict, standing);
	if (!ticket)
		return;
	resume->renewed = true;
	context_put(session->context, ticket);
}
