/* SPDX-License-Identifier: Apache-2.0 */
/** @file REQUEST_INIT and RESOLVE_INIT at the KMS, and its answers. */
#include "mikey/exchange_private.h"

void mikey_asked_done(struct mikey_asked *asked)
{
	base_secret_done(&asked->key);
}

static struct mikey_guard guard_of(const struct mikey_env *env, const struct mikey_asked *a,
                                   bool response)
{
	return (struct mikey_guard){ .kept = env->kept,
		                     .prf = a->msg->hdr.prf,
		                     .key = mikey_secret(&a->key),
		                     .response = response,
		                     .csb_id = a->msg->hdr.csb_id,
		                     .rands = a->rands };
}

/* Which of the four questions it is. */
static int kind(const struct mikey_env *env, const struct mikey_message *msg,
                const struct mikey_cred *cred, struct mikey_asked *ret, struct base_error *err)
{
	uint8_t type = msg->hdr.data_type;
	bool pk = type == MIKEY_REQUEST_INIT_PK || type == MIKEY_RESOLVE_INIT_PK;

	ret->msg = msg;
	ret->resolve = type == MIKEY_RESOLVE_INIT_PSK || type == MIKEY_RESOLVE_INIT_PK;
	if (!pk && type != MIKEY_REQUEST_INIT_PSK && type != MIKEY_RESOLVE_INIT_PSK)
		return mikey_blame(err, MIKEY_BAD_DATA_TYPE,
		                   "not a question for a KMS (RFC 6043, 4.2)");
	if (!mikey_takes_prf(env, msg->hdr.prf))
		return mikey_blame(err, MIKEY_BAD_PRF, "the PRF is not taken (RFC 6043, 6.1)");
	if (msg->hdr.cs_count || msg->hdr.map_type != MIKEY_MAP_EMPTY)
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "crypto sessions where none are handled (RFC 6043, 4.2.1.1)");
	if (pk ? !cred->own || !cred->peer : !cred->psk.len)
		return mikey_blame(err, MIKEY_BAD_AUTH,
		                   "nothing is shared with whoever asks in this way");
	return 0;
}

/* The identities that are there are the right ones; those that are left out are known. */
static int identities(const struct mikey_id *kms, const struct mikey_id *asker,
                      struct mikey_asked *a, struct mikey_octets ids[2], struct base_error *err)
{
	uint8_t role = a->resolve ? MIKEY_ID_RESPONDER : MIKEY_ID_INITIATOR;
	const struct mikey_payload *from = mikey_find_role(a->msg->first, MIKEY_IDR, role);
	const struct mikey_payload *to = mikey_find_role(a->msg->first, MIKEY_IDR, MIKEY_ID_KMS);

	if (to && !mikey_id_eq(&to->idr.id, kms))
		return mikey_blame(err, MIKEY_BAD_ID, "the message is for another KMS");
	if (from && asker && !mikey_id_eq(&from->idr.id, asker))
		return mikey_blame(err, MIKEY_BAD_ID, "somebody else asks than is known here");
	if (!from && !asker)
		return mikey_blame(err, MIKEY_BAD_ID, "nobody says who asks (RFC 6043, 4.2)");
	a->asker = asker ? *asker : from->idr.id;
	ids[0] = a->asker.data;
	/* who left IDRkms out expects one identity of the KMS: it is in the MAC all the same */
	ids[1] = kms->data;
	return 0;
}

static int randr(struct mikey_asked *a, struct base_error *err)
{
	return a->resolve ? mikey_need_rand(a->msg, MIKEY_RAND_RESPONDER, &a->rands.responder, err)
	                  : mikey_need_rand(a->msg, MIKEY_RAND_INITIATOR, &a->rands.initiator, err);
}

static int open_envelope(const struct mikey_env *env, const struct mikey_cred *cred,
                         struct mikey_asked *a, struct base_error *err)
{
	const struct mikey_payload *pke = NULL, *hash = mikey_find(a->msg->first, MIKEY_CHASH);
	uint8_t digest[MIKEY_TAG_MAX];
	int rc = mikey_need(a->msg, MIKEY_PKE, &pke, err);

	if (rc)
		return rc;
	if (hash && cred->peer_cert.len &&
	    (mikey_digest(env->kept, hash->chash.hash, cred->peer_cert, digest) ||
	     !mikey_octets_eq(hash->chash.data, mikey_octets_of(digest, hash->chash.data.len))))
		return mikey_blame(err, MIKEY_BAD_CERT,
		                   "CHASH is of another certificate (RFC 3830, 6.8)");
	rc = mikey_rsa_open(env, cred->own, pke->pke.data, &a->key);
	return rc ? base_error_set(err, rc, "the envelope key does not open (RFC 3830, 6.3)") : 0;
}

/* V by the pre-shared key, or SIGN; only then is an envelope opened. */
static int prove(const struct mikey_env *env, const struct mikey_cred *cred,
                 struct mikey_octets covered, struct mikey_asked *a, struct base_error *err)
{
	const struct mikey_payload *last = mikey_final(a->msg->first);
	struct mikey_guard g;
	int rc;

	if (last->type == MIKEY_SIGN) {
		if (!mikey_rsa_verify(cred->peer, last->sign.type, mikey_sign_hash(a->msg->hdr.prf),
		                      covered, last->sign.data))
			return mikey_blame(err, MIKEY_BAD_AUTH,
			                   "the signature is not right (RFC 3830, 5.3)");
		return open_envelope(env, cred, a, err);
	}
	rc = base_secret_set(&a->key, cred->psk.at, cred->psk.len);
	if (rc)
		return mikey_own_fault(err, rc, "pre-shared key");
	g = guard_of(env, a, false);
	return mikey_guard_check(env, &g, &last->v, covered, err);
}

/* What V or SIGN covers of the message: all but the MAC or signature itself (5.5). */
static int covered_of(const struct mikey_asked *a, const struct mikey_octets ids[2],
                      struct base_writer *w, struct base_error *err)
{
	const struct mikey_payload *last = mikey_final(a->msg->first);
	bool pk = a->msg->hdr.data_type == MIKEY_REQUEST_INIT_PK ||
	          a->msg->hdr.data_type == MIKEY_RESOLVE_INIT_PK;
	size_t tail;
	int rc;

	if (!last || last->type != (pk ? MIKEY_SIGN : MIKEY_V))
		return mikey_blame(err, MIKEY_BAD_AUTH,
		                   "the last payload is not V or SIGN (RFC 6043, 4.2)");
	tail = pk ? last->sign.data.len : last->v.tag.len;
	(void)base_writer_reserve(w,
	                          a->msg->octets.len + MIKEY_IDS_LEN); /* what fails fails below */
	base_writer_put(w, a->msg->octets.at, a->msg->octets.len - tail);
	rc = mikey_join(w, ids, 2);
	return rc ? mikey_own_fault(err, rc, "MAC") : 0;
}

static int prove_once(const struct mikey_env *env, const struct mikey_cred *cred, uint64_t t,
                      const struct mikey_octets ids[2], struct mikey_asked *a,
                      struct base_error *err)
{
	struct base_writer w = { 0 };
	struct mikey_octets covered;
	uint8_t digest[MIKEY_TAG_MAX];
	int rc = covered_of(a, ids, &w, err);

	covered = mikey_octets_of(w.data, w.len);
	if (!rc)
		rc = mikey_replay_check(env, t, covered, digest, err);
	if (!rc)
		rc = prove(env, cred, covered, a, err);
	if (!rc)
		rc = mikey_replay_keep(env, t, digest, err);
	base_writer_done(&w);
	return rc;
}

int mikey_asked_read(const struct mikey_env *env, const struct mikey_message *msg,
                     const struct mikey_id *kms, const struct mikey_id *asker,
                     const struct mikey_cred *cred, struct mikey_asked *ret, struct base_error *err)
{
	struct mikey_asked a = { 0 };
	struct mikey_octets ids[2];
	uint64_t t = 0;
	int rc = kind(env, msg, cred, &a, err);

	if (!rc)
		rc = mikey_time_check(env, msg, &t, err);
	if (!rc)
		rc = identities(kms, asker, &a, ids, err);
	if (!rc)
		rc = randr(&a, err);
	if (!rc)
		rc = prove_once(env, cred, t, ids, &a, err);
	if (!rc)
		rc = mikey_need(msg, a.resolve ? MIKEY_TICKET : MIKEY_TP, &a.ticket, err);
	if (!rc)
		rc = mikey_policy_read(a.ticket, &a.policy, err);
	if (!rc)
		rc = mikey_policy_check(&a.policy, err);
	if (rc)
		mikey_asked_done(&a);
	else
		*ret = a;
	return rc;
}

/* HDR, T, [IDRkms] of an answer: the header is the question's but for type and V flag. */
static void answer_begin(struct mikey_draft *d, const struct mikey_env *env,
                         const struct mikey_asked *asked, const struct mikey_id *kms)
{
	d->msg.hdr = asked->msg->hdr;
	d->msg.hdr.v = false;
	d->msg.hdr.data_type = asked->resolve ? MIKEY_RESOLVE_RESP : MIKEY_REQUEST_RESP;
	mikey_draft_time(d, env->now);
	mikey_draft_id(d, MIKEY_ID_KMS, kms);
}

static int kemac_add(struct mikey_draft *d, const struct mikey_env *env,
                     const struct mikey_guard *g, uint8_t encr, const struct mikey_keys *keys,
                     bool forked)
{
	struct mikey_payload *p = mikey_draft_add(d, MIKEY_KEMAC);

	if (!p)
		return BASE_ERR(BASE_LOCAL, 0);
	return mikey_guard_seal(&d->arena, g, encr, env->now, keys, forked ? 2 : 1, p);
}

static int suite_check(const struct mikey_env *env, struct mikey_suite suite,
                       struct base_error *err)
{
	if (mikey_takes_encr(env, suite.encr) && mikey_takes_mac(env, suite.mac))
		return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "NULL encryption or MAC, or one that is switched off "
	                      "(RFC 6043, 4.2)");
}

int mikey_request_resp(const struct mikey_env *env, const struct mikey_asked *asked,
                       struct mikey_suite suite, const struct mikey_id *kms,
                       const struct mikey_payload *ticket, const struct mikey_keys *keys,
                       struct base_writer *out, struct base_error *err)
{
	struct mikey_draft d = { .failed = false };
	struct mikey_guard g = guard_of(env, asked, true);
	const struct mikey_octets question = asked->msg->octets;
	struct mikey_payload one = *ticket;
	int rc = suite_check(env, suite, err);

	if (rc)
		return rc;
	one.next = NULL;
	answer_begin(&d, env, asked, kms);
	mikey_draft_copy(&d, &one);
	rc = kemac_add(&d, env, &g, suite.encr, keys, ticket->ticket.flags & MIKEY_FLAG_I);
	if (!rc)
		rc = mikey_draft_seal(&d, &g, suite.mac, &question, 1, out);
	mikey_draft_done(&d);
	return rc ? mikey_own_fault(err, rc, "REQUEST_RESP") : 0;
}

/* Initiator Data = First Payload, Vi, Vr: the MAC of Vr covers all of it but that MAC (6.10). */
static int initiator_check(const struct mikey_env *env, const struct mikey_payload *ticket,
                           struct mikey_octets mpkr, struct base_error *err)
{
	const struct mikey_ticket *t = &ticket->ticket;
	const struct mikey_payload *vi = mikey_find(t->initiator, MIKEY_V);
	const struct mikey_payload *vr = mikey_final(t->initiator);
	uint8_t key[MIKEY_TAG_MAX], tag[MIKEY_TAG_MAX];
	size_t len;
	int rc;

	if (!vi || vr == vi || vr->type != MIKEY_V || vr->v.mac != vi->v.mac)
		return mikey_blame(err, MIKEY_BAD_AUTH,
		                   "keys are forked and the ticket has no Initiator Data of Vi and "
		                   "Vr (RFC 6043, 6.10)");
	if (!mikey_takes_mac(env, vr->v.mac))
		return mikey_blame(err, MIKEY_BAD_MAC, "the MAC of Vr is not taken");
	len = vr->v.tag.len;
	rc = mikey_derive_vr(env->kept, t->prf, mpkr, key, len);
	if (!rc)
		rc = mikey_hmac(
		        env->kept, vr->v.mac, mikey_octets_of(key, len),
		        mikey_octets_of(t->initiator_span.at + 2, t->initiator_span.len - 2 - len),
		        tag);
	if (rc)
		(void)mikey_own_fault(err, rc, "Vr");
	else if (!base_secret_equal(tag, len, vr->v.tag.at, len))
		rc = mikey_blame(err, MIKEY_BAD_AUTH,
		                 "Vr is not right: whoever sent this has not asked for the ticket "
		                 "(RFC 6043, 4.2.3.4)");
	base_wipe(key, sizeof(key));
	base_wipe(tag, sizeof(tag));
	return rc;
}

/* May this asker have the keys of this ticket? */
static int authorize(const struct mikey_env *env, const struct mikey_asked *asked,
                     const struct mikey_id *listed, struct base_error *err)
{
	int rc;

	if (!asked->resolve)
		return mikey_blame(err, MIKEY_BAD_DATA_TYPE, "a request is not resolved");
	rc = mikey_policy_usable(&asked->policy, env, err);
	if (!rc && !mikey_policy_lists(&asked->policy, listed))
		rc = mikey_blame(err, MIKEY_BAD_ID,
		                 "the ticket's policy does not list this responder "
		                 "(RFC 6043, 4.2.3)");
	return rc;
}

static int resolve_write(const struct mikey_env *env, const struct mikey_asked *asked,
                         struct mikey_suite suite, const struct mikey_id *kms,
                         const struct mikey_id *responder, const uint8_t *rand,
                         const struct mikey_keys *keys, struct base_writer *out)
{
	struct mikey_draft d = { .failed = false };
	struct mikey_guard g = guard_of(env, asked, true);
	const struct mikey_octets question = asked->msg->octets;
	bool forked = asked->policy.flags & MIKEY_FLAG_I;
	int rc;

	answer_begin(&d, env, asked, kms);
	rc = kemac_add(&d, env, &g, suite.encr, keys, forked);
	mikey_draft_id(&d, MIKEY_ID_RESPONDER, responder);
	if (forked)
		mikey_draft_rand(&d, MIKEY_RAND_KMS, mikey_octets_of(rand, MIKEY_RAND_LEN));
	if (!rc)
		rc = mikey_draft_seal(&d, &g, suite.mac, &question, 1, out);
	mikey_draft_done(&d);
	return rc;
}

int mikey_resolve_resp(const struct mikey_env *env, const struct mikey_asked *asked,
                       struct mikey_suite suite, const struct mikey_id *kms,
                       const struct mikey_tpk *tpk, const struct mikey_id *listed,
                       const struct mikey_id *responder, struct base_writer *out,
                       struct base_error *err)
{
	bool forked = asked->policy.flags & MIKEY_FLAG_I;
	uint8_t rand[MIKEY_RAND_LEN] = { 0 };
	struct mikey_keys keys = { .count = 0 };
	int rc = suite_check(env, suite, err);

	if (!rc)
		rc = authorize(env, asked, listed, err);
	if (!rc)
		rc = mikey_ticket_open(env, asked->ticket, tpk, &keys, err);
	if (!rc && forked)
		rc = initiator_check(env, asked->ticket, mikey_keys_mpk(&keys, 1), err);
	if (rc) {
		mikey_keys_done(&keys);
		return rc;
	}
	if (forked)
		rc = mikey_random(env, rand, sizeof(rand));
	if (!rc && forked)
		rc = mikey_fork(env->kept, asked->policy.prf, responder->data,
		                mikey_octets_of(rand, sizeof(rand)), &keys);
	if (!rc)
		rc = resolve_write(env, asked, suite, kms, responder, rand, &keys, out);
	mikey_keys_done(&keys);
	return rc ? mikey_own_fault(err, rc, "RESOLVE_RESP") : 0;
}

int mikey_asked_refuse(const struct mikey_env *env, const struct mikey_asked *asked, uint8_t mac,
                       unsigned error_no, struct base_writer *out)
{
	struct mikey_draft d = { .failed = false };
	struct mikey_guard g = guard_of(env, asked, false); /* the auth_key of the question (5.4) */
	struct mikey_payload *p;
	int rc;

	d.msg.hdr = (struct mikey_hdr){ .data_type = MIKEY_ERROR,
		                        .prf = g.prf,
		                        .map_type = MIKEY_MAP_EMPTY,
		                        .csb_id = g.csb_id };
	mikey_draft_time(&d, env->now);
	p = mikey_draft_add(&d, MIKEY_ERR);
	if (p)
		p->error_no = (uint8_t)error_no;
	rc = mikey_draft_seal(&d, &g, mac, NULL, 0, out);
	mikey_draft_done(&d);
	return rc;
}

int mikey_error_write(const struct mikey_env *env, struct mikey_octets data, unsigned error_no,
                      const struct mikey_payload *sp, struct base_writer *out)
{
	struct mikey_draft d = { .failed = false };
	struct base_reader r = base_reader_of(data.at, data.len);
	uint32_t first = base_reader_u32(&r), csb_id = base_reader_u32(&r);
	struct mikey_payload *p;
	int rc;

	if (r.failed || first >> 24 != 1 || (first >> 16 & 0xff) == MIKEY_ERROR)
		return BASE_ERR(BASE_PEER, MIKEY_UNSPECIFIED);
	d.msg.hdr = (struct mikey_hdr){ .data_type = MIKEY_ERROR,
		                        .prf = first & 0x7f,
		                        .map_type = MIKEY_MAP_EMPTY,
		                        .csb_id = csb_id };
	mikey_draft_time(&d, env->now);
	p = mikey_draft_add(&d, MIKEY_ERR);
	if (p)
		p->error_no = (uint8_t)error_no;
	mikey_draft_copy(&d, sp);
	rc = d.failed ? BASE_ERR(BASE_LOCAL, 0) : mikey_encode(out, &d.msg);
	mikey_draft_done(&d);
	return rc;
}
