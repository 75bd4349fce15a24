/* SPDX-License-Identifier: Apache-2.0 */
/** @file The Ticket Transfer exchange at its Responder (RFC 6043, 4.2.2.2 and 4.2.2.3). */
#include "mikey/session.h"

static bool taken(uint8_t prot, const uint8_t *prots, size_t count)
{
	return memchr(prots, prot, count) != NULL;
}

/* Each policy number that a crypto session names is an SP of its protocol. */
static int policies_check(const struct mikey_message *msg, const struct mikey_cs *cs,
                          struct base_error *err)
{
	for (size_t i = 0; i < cs->policies.len; i++) {
		const struct mikey_payload *p = mikey_find(msg->first, MIKEY_SP);

		while (p && p->sp.policy_no != cs->policies.at[i])
			p = mikey_find(p->next, MIKEY_SP);
		if (!p || p->sp.prot != cs->prot)
			return mikey_blame(err, MIKEY_BAD_SP,
			                   "a crypto session names a policy that is not there "
			                   "(RFC 6043, 6.1.1)");
	}
	return 0;
}

int mikey_sessions_check(const struct mikey_message *msg, const uint8_t *prots, size_t count,
                         struct base_error *err)
{
	if (msg->hdr.map_type != MIKEY_MAP_GENERIC_ID)
		return mikey_blame(err, MIKEY_UNSPECIFIED, "no GENERIC-ID map (RFC 6043, 6.1)");
	for (unsigned i = 0; i < msg->hdr.cs_count; i++) {
		int rc = policies_check(msg, &msg->hdr.cs[i], err);

		if (rc)
			return rc;
		if (!taken(msg->hdr.cs[i].prot, prots, count))
			return mikey_blame(err, MIKEY_BAD_SP,
			                   "the security protocol is not taken (RFC 3830, 6.10)");
	}
	return 0;
}

/* The Initiator Data authenticates who sends it; Vi is the same as V (4.2.3.6). */
static int initiator_check(const struct mikey_message *msg, const struct mikey_payload *ticket,
                           struct base_error *err)
{
	const struct mikey_payload *v = mikey_final(msg->first);
	const struct mikey_payload *vi = mikey_find(ticket->ticket.initiator, MIKEY_V);

	if (!v || v->type != MIKEY_V)
		return mikey_blame(err, MIKEY_BAD_AUTH,
		                   "the last payload is not V (RFC 6043, 4.2.2.1)");
	if ((ticket->ticket.flags & MIKEY_FLAG_I) &&
	    (!vi || vi->v.mac != v->v.mac ||
	     !base_secret_equal(vi->v.tag.at, vi->v.tag.len, v->v.tag.at, v->v.tag.len)))
		return mikey_blame(err, MIKEY_BAD_AUTH,
		                   "Vi in the ticket is not this message's V (RFC 6043, 4.2.3.6)");
	return 0;
}

static int policy_check(const struct mikey_env *env, struct mikey_received *r,
                        struct base_error *err)
{
	int rc = mikey_policy_read(r->ticket, &r->policy, err);

	if (!rc)
		rc = mikey_policy_check(&r->policy, err);
	if (!rc)
		rc = mikey_policy_usable(&r->policy, env, err);
	if (!rc && !(r->policy.flags & MIKEY_FLAG_O))
		rc = mikey_blame(err, MIKEY_BAD_TICKET,
		                 "the ticket needs a Responder that does more than RFC 6043 "
		                 "(O flag)");
	if (!rc && !(r->policy.flags & MIKEY_FLAG_L) && mikey_find(r->msg->first, MIKEY_KEMAC))
		rc = mikey_blame(err, MIKEY_UNSPECIFIED,
		                 "the Initiator supplies keys against the L flag "
		                 "(RFC 6043, 4.2.2.1)");
	return rc;
}

static int identities(struct mikey_received *r, const struct mikey_id *own, struct base_error *err)
{
	const struct mikey_payload *from =
	        mikey_find_role(r->msg->first, MIKEY_IDR, MIKEY_ID_INITIATOR);
	const struct mikey_payload *to =
	        mikey_find_role(r->msg->first, MIKEY_IDR, MIKEY_ID_RESPONDER);

	if (to && own && !mikey_id_eq(&to->idr.id, own))
		return mikey_blame(err, MIKEY_BAD_ID, "the message is for somebody else");
	/* Identities that are left out go into the MAC as nothing, or as the caller fills in. */
	if (from)
		r->initiator = from->idr.id;
	if (to || own)
		r->responder = to ? to->idr.id : *own;
	return 0;
}

/* With forked keys nobody but who asked for the ticket can send this (5.3, 12.2), so in nobody
 * else's name. */
static int sender_check(struct mikey_received *r, struct base_error *err)
{
	if (!(r->policy.flags & MIKEY_FLAG_I) || !r->policy.initiator.data.len)
		return 0;
	if (r->initiator.data.len && !mikey_id_eq(&r->initiator, &r->policy.initiator))
		return mikey_blame(err, MIKEY_BAD_ID,
		                   "the ticket is another's than the message's (RFC 6043, 5.3)");
	r->initiator = r->policy.initiator;
	return 0;
}

int mikey_received_read(const struct mikey_env *env, const struct mikey_message *msg,
                        const struct mikey_id *own, const uint8_t *prots, size_t prot_count,
                        struct mikey_received *ret, struct base_error *err)
{
	struct mikey_received r = { .msg = msg };
	uint64_t t = 0;
	int rc;

	if (msg->hdr.data_type != MIKEY_TRANSFER_INIT)
		return mikey_blame(err, MIKEY_BAD_DATA_TYPE, "no TRANSFER_INIT (RFC 6043, 4.2.2)");
	if (!mikey_takes_prf(env, msg->hdr.prf))
		return mikey_blame(err, MIKEY_BAD_PRF, "the PRF is not taken (RFC 6043, 6.1)");
	rc = mikey_time_check(env, msg, &t, err);
	if (!rc)
		rc = mikey_need(msg, MIKEY_TICKET, &r.ticket, err);
	if (!rc)
		rc = identities(&r, own, err);
	if (!rc)
		rc = policy_check(env, &r, err);
	if (!rc)
		rc = sender_check(&r, err);
	if (!rc)
		rc = mikey_sessions_check(msg, prots, prot_count, err);
	if (!rc)
		rc = initiator_check(msg, r.ticket, err);
	if (!rc)
		*ret = r;
	return rc;
}

int mikey_received_open(const struct mikey_env *env, const struct mikey_received *received,
                        const struct mikey_tpk *tpk, struct mikey_resolved *ret,
                        struct base_error *err)
{
	int rc;

	if (received->policy.flags & MIKEY_FLAG_E)
		return mikey_blame(err, MIKEY_BAD_TICKET,
		                   "only the KMS may resolve the ticket (E flag)");
	*ret = (struct mikey_resolved){ .responder = { 0 } };
	rc = mikey_ticket_digest(env->kept, received->ticket, ret->ticket);
	if (rc)
		return mikey_own_fault(err, rc, "ticket");
	return mikey_ticket_open(env, received->ticket, tpk, &ret->keys, err);
}

/* Keys are kept for a ticket that is used again (5.3), and its policy is as little proved as it was
 * the first time: only the KMS's word, or the MAC, says that these keys belong to this policy. */
static int same_ticket(const struct mikey_env *env, const struct mikey_received *r,
                       const struct mikey_resolved *resolved, struct base_error *err)
{
	uint8_t digest[MIKEY_TAG_MAX];
	int rc = mikey_ticket_digest(env->kept, r->ticket, digest);

	if (rc)
		return mikey_own_fault(err, rc, "ticket");
	if (memcmp(digest, resolved->ticket, sizeof(digest)) != 0)
		return mikey_blame(err, MIKEY_BAD_TICKET,
		                   "the keys are of another ticket than the message's "
		                   "(RFC 6043, 5.3)");
	return 0;
}

/* Time, replay, MAC; and the Initiator's own keys, which only now can be opened. */
static int prove(const struct mikey_env *env, const struct mikey_received *r,
                 const struct mikey_guard *g, struct mikey_keys *own, struct base_error *err)
{
	const struct mikey_octets ids[] = { r->initiator.data, r->responder.data };
	const struct mikey_payload *kemac = mikey_find(r->msg->first, MIKEY_KEMAC);
	struct base_writer w = { 0 };
	uint8_t digest[MIKEY_TAG_MAX];
	uint64_t t = 0;
	int rc = mikey_time_check(env, r->msg, &t, err);

	if (!rc && (rc = mikey_transfer_covered(r->msg, r->ticket, &w)) == 0)
		rc = mikey_join(&w, ids, 2);
	if (!rc)
		rc = mikey_replay_check(env, t, mikey_octets_of(w.data, w.len), digest, err);
	if (!rc)
		rc = mikey_guard_check(env, g, &mikey_final(r->msg->first)->v,
		                       mikey_octets_of(w.data, w.len), err);
	base_writer_done(&w);
	if (!rc && kemac)
		rc = mikey_guard_open(env, g, &kemac->kemac, t, own, err);
	if (!rc)
		rc = mikey_replay_keep(env, t, digest, err);
	return rc;
}

struct mikey_octets mikey_first_spi(const struct mikey_keys *const list[], size_t count)
{
	for (size_t n = 0; n < count; n++) {
		for (size_t i = 0; list[n] && i < list[n]->count; i++) {
			if (list[n]->key[i].type != MIKEY_MPK && list[n]->key[i].spi.len)
				return mikey_secret(&list[n]->key[i].spi);
		}
	}
	return mikey_octets_of(NULL, 0);
}

/* Each crypto session with one policy and an SPI (4.2.2.3): the first that was offered, and the
 * first key there is. */
int mikey_sessions_answer(struct base_arena *arena, struct mikey_hdr *ret,
                          const struct mikey_hdr *asked, struct mikey_octets spi,
                          const struct mikey_payload *sp)
{
	const struct mikey_payload *first = mikey_find(sp, MIKEY_SP);

	ret->cs = base_arena_array(arena, asked->cs_count + 1U, sizeof(*asked->cs));
	if (!ret->cs)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned i = 0; i < asked->cs_count; i++) {
		struct mikey_cs *cs = &ret->cs[i];

		*cs = asked->cs[i];
		if (cs->policies.len)
			cs->policies.len = 1;
		else if (first)
			cs->policies = mikey_octets_of(&first->sp.policy_no, 1);
		if (!cs->spi.len)
			cs->spi = spi;
		if (!cs->spi.len || !cs->policies.len)
			return BASE_ERR(BASE_PEER, MIKEY_BAD_SP);
	}
	return 0;
}

static int own_kemac(struct mikey_draft *d, const struct mikey_env *env,
                     const struct mikey_guard *g, const struct mikey_answer *answer)
{
	struct mikey_payload *p;

	if (!answer->keys || !answer->keys->count)
		return 0;
	p = mikey_draft_add(d, MIKEY_KEMAC);
	return p ? mikey_guard_seal(&d->arena, g, answer->suite.encr, env->now, answer->keys, 0, p)
	         : BASE_ERR(BASE_LOCAL, 0);
}

static int answer_write(const struct mikey_env *env, const struct mikey_received *r,
                        const struct mikey_resolved *resolved, const struct mikey_keys *own,
                        const struct mikey_answer *answer, const struct mikey_guard *g,
                        struct base_writer *out)
{
	struct mikey_draft d = { .failed = false };
	const struct mikey_keys *const keys[] = { answer->keys, own, &resolved->keys };
	const struct mikey_octets asked = r->msg->octets;
	const struct mikey_id *id =
	        resolved->responder.data.len ? &resolved->responder : &r->responder;
	int rc;

	d.msg.hdr = r->msg->hdr;
	d.msg.hdr.data_type = MIKEY_TRANSFER_RESP;
	d.msg.hdr.v = false;
	mikey_draft_time(&d, env->now);
	if (g->rands.responder.len)
		mikey_draft_rand(&d, MIKEY_RAND_RESPONDER, g->rands.responder);
	mikey_draft_id(&d, MIKEY_ID_RESPONDER, id);
	if (resolved->rand_kms.len)
		mikey_draft_rand(&d, MIKEY_RAND_KMS, resolved->rand_kms);
	mikey_draft_copy(&d, answer->sp);
	rc = own_kemac(&d, env, g, answer);
	if (!rc)
		rc = mikey_sessions_answer(&d.arena, &d.msg.hdr, &r->msg->hdr,
		                           mikey_first_spi(keys, BASE_COUNT(keys)), answer->sp);
	if (!rc)
		rc = mikey_draft_seal(&d, g, answer->suite.mac, &asked, 1, out);
	mikey_draft_done(&d);
	return rc;
}

/* Read as the Initiator reads it, so that both ends make the session of the same octets. */
static int session_of(const struct mikey_env *env, const struct mikey_received *r,
                      const struct mikey_resolved *resolved, const struct mikey_keys *own,
                      const struct mikey_guard *g, const struct base_writer *answer,
                      struct mikey_session *ret, struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct mikey_message *msg = NULL;
	int rc = mikey_decode(&arena, answer->data, answer->len, &msg, err);

	if (!rc)
		rc = mikey_session_fill(env, msg, &r->policy, g, env->now, &resolved->keys, own,
		                        ret, err);
	base_arena_done(&arena);
	return rc;
}

static int respond(const struct mikey_env *env, const struct mikey_received *r,
                   const struct mikey_resolved *resolved, const struct mikey_keys *own,
                   const struct mikey_answer *answer, struct mikey_guard *g,
                   uint8_t rand[MIKEY_RAND_LEN], struct base_writer *out, struct mikey_session *ret,
                   struct base_error *err)
{
	int rc = 0;

	if (!(r->policy.flags & MIKEY_FLAG_F)) /* no answer (6.10): what was offered holds */
		return mikey_session_fill(env, r->msg, &r->policy, g, env->now, &resolved->keys,
		                          own, ret, err);
	g->response = true;
	g->key = mikey_keys_mpk(&resolved->keys, r->policy.flags & MIKEY_FLAG_I ? 1 : 0);
	if (r->policy.flags & MIKEY_FLAG_G) {
		rc = mikey_random(env, rand, MIKEY_RAND_LEN);
		g->rands.responder = mikey_octets_of(rand, MIKEY_RAND_LEN);
	}
	if (!rc)
		rc = answer_write(env, r, resolved, own, answer, g, out);
	if (rc)
		return base_err_class(rc) == BASE_PEER
		               ? mikey_blame(err, base_err_detail(rc),
		                             "a crypto session has no policy, or no key has an SPI")
		               : mikey_own_fault(err, rc, "TRANSFER_RESP");
	return session_of(env, r, resolved, own, g, out, ret, err);
}

int mikey_transfer_resp(const struct mikey_env *env, const struct mikey_received *received,
                        const struct mikey_resolved *resolved, const struct mikey_answer *answer,
                        struct base_writer *out, struct mikey_session *ret, struct base_error *err)
{
	struct mikey_guard g = { .kept = env->kept,
		                 .prf = received->msg->hdr.prf,
		                 .key = mikey_keys_mpk(&resolved->keys, 0),
		                 .csb_id = received->msg->hdr.csb_id };
	struct mikey_keys own = { .count = 0 };
	struct mikey_session session = { 0 };
	uint8_t rand[MIKEY_RAND_LEN];
	int rc;

	if (!mikey_takes_mac(env, answer->suite.mac) || !g.key.len)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "NULL MAC, one that is switched off, or no MPK");
	if (answer->keys && answer->keys->count &&
	    (!(received->policy.flags & MIKEY_FLAG_M) ||
	     !mikey_takes_encr(env, answer->suite.encr)))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "the ticket lets no Responder supply keys (M flag), or they "
		                      "are not encrypted");
	rc = same_ticket(env, received, resolved, err);
	if (!rc)
		rc = mikey_need_rand(received->msg, MIKEY_RAND_INITIATOR, &g.rands.initiator, err);
	if (!rc)
		rc = prove(env, received, &g, &own, err);
	if (!rc)
		rc = respond(env, received, resolved, &own, answer, &g, rand, out, &session, err);
	mikey_keys_done(&own);
	if (rc)
		mikey_session_done(&session);
	else
		*ret = session;
	return rc;
}
