/* SPDX-License-Identifier: Apache-2.0 */
/** @file REQUEST_INIT and RESOLVE_INIT, and their answers, at those who ask a KMS. */
#include "mikey/exchange_private.h"
#include "mikey/session.h"

void mikey_asking_done(struct mikey_asking *asking)
{
	base_writer_done(&asking->sent);
	base_secret_done(&asking->key);
	base_secret_done(&asking->rand);
	base_secret_done(&asking->kms);
}

void mikey_grant_done(struct mikey_grant *grant)
{
	mikey_keys_done(&grant->keys);
}

void mikey_resolved_done(struct mikey_resolved *resolved)
{
	mikey_keys_done(&resolved->keys);
	base_secret_done(&resolved->owned);
}

static struct mikey_guard guard_of(const struct mikey_env *env, const struct mikey_asking *a,
                                   bool response)
{
	struct mikey_guard g = { .kept = env->kept,
		                 .prf = a->prf,
		                 .key = mikey_secret(&a->key),
		                 .response = response,
		                 .csb_id = a->csb_id };

	if (a->resolve)
		g.rands.responder = mikey_secret(&a->rand);
	else
		g.rands.initiator = mikey_secret(&a->rand);
	return g;
}

static int fresh(const struct mikey_env *env, struct base_secret *ret, size_t len)
{
	uint8_t octets[64];
	int rc = mikey_random(env, octets, len);

	if (!rc)
		rc = base_secret_set(ret, octets, len);
	base_wipe(octets, sizeof(octets));
	return rc;
}

/* The pre-shared key, or an envelope key made for it. */
static int begin(const struct mikey_env *env, const struct mikey_ask *ask, bool resolve,
                 struct mikey_asking *a)
{
	const struct mikey_cred *cred = ask->cred;
	int rc = fresh(env, &a->rand, MIKEY_RAND_LEN);

	a->prf = ask->suite.prf;
	a->csb_id = ask->csb_id;
	a->resolve = resolve;
	if (!rc)
		rc = base_secret_set(&a->kms, ask->kms.data.at, ask->kms.data.len);
	if (rc)
		return rc;
	return cred->psk.len ? base_secret_set(&a->key, cred->psk.at, cred->psk.len)
	                     : fresh(env, &a->key, 32);
}

/* HDR, T, RANDR, [IDR], {CERT}, [IDRkms], TP or TICKET (4.2.1.1, 4.2.3.1) */
static void common(struct mikey_draft *d, const struct mikey_env *env, const struct mikey_ask *ask,
                   const struct mikey_asking *a, const struct mikey_payload *about)
{
	bool psk = ask->cred->psk.len;
	uint8_t psk_type = a->resolve ? MIKEY_RESOLVE_INIT_PSK : MIKEY_REQUEST_INIT_PSK;

	/* The V flag is 1 in 4.2.1.1 and 4.2.3.1, and 0 in 6.1; nobody may heed it. */
	d->msg.hdr = (struct mikey_hdr){ .data_type = psk ? psk_type : (uint8_t)(psk_type + 1),
		                         .v = true,
		                         .prf = a->prf,
		                         .map_type = MIKEY_MAP_EMPTY,
		                         .csb_id = a->csb_id };
	mikey_draft_time(d, env->now);
	mikey_draft_rand(d, a->resolve ? MIKEY_RAND_RESPONDER : MIKEY_RAND_INITIATOR,
	                 mikey_secret(&a->rand));
	mikey_draft_id(d, a->resolve ? MIKEY_ID_RESPONDER : MIKEY_ID_INITIATOR, &ask->own);
	for (size_t i = 0; !psk && i < ask->cred->cert_count; i++) {
		struct mikey_payload *p = mikey_draft_add(d, MIKEY_CERT);

		if (p)
			p->cert = (struct mikey_cert){ MIKEY_X509, ask->cred->certs[i] };
	}
	mikey_draft_id(d, MIKEY_ID_KMS, &ask->kms);
	mikey_draft_copy(d, about);
}

static int with_psk(struct mikey_draft *d, const struct mikey_env *env, const struct mikey_ask *ask,
                    struct mikey_asking *a)
{
	const struct mikey_octets ids[] = { ask->own.data, ask->kms.data };
	struct mikey_guard g = guard_of(env, a, false);

	mikey_draft_id(d, MIKEY_ID_PSK, &ask->cred->psk_id);
	return mikey_draft_seal(d, &g, ask->suite.mac, ids, 2, &a->sent);
}

/* [CHASH], PKE */
static int envelope(struct mikey_draft *d, const struct mikey_env *env, const struct mikey_ask *ask,
                    struct mikey_asking *a, struct base_writer *sealed)
{
	const struct mikey_cred *cred = ask->cred;
	struct mikey_payload *p;
	uint8_t *digest = base_arena_alloc(&d->arena, MIKEY_TAG_MAX);
	int rc = mikey_rsa_seal(env, cred->peer, mikey_secret(&a->key), sealed);

	if (rc)
		return rc;
	if (cred->peer_cert.len) {
		p = digest ? mikey_draft_add(d, MIKEY_CHASH) : NULL;
		if (!p || mikey_digest(env->kept, mikey_sign_hash(a->prf), cred->peer_cert, digest))
			return BASE_ERR(BASE_LOCAL, 0);
		p->chash.hash = mikey_sign_hash(a->prf);
		p->chash.data =
		        mikey_octets_of(digest, (size_t)mikey_hash_len(mikey_sign_hash(a->prf)));
	}
	p = mikey_draft_add(d, MIKEY_PKE);
	if (p)
		p->pke.data = mikey_octets_of(sealed->data, sealed->len);
	return 0;
}

/* SIGN over all of the message but its signature, and the identities (5.5). The length of the
 * signature is inside what is signed, so one of the right length stands in for it. */
static int sign(struct mikey_draft *d, const struct mikey_ask *ask, struct mikey_asking *a)
{
	const struct mikey_octets ids[] = { ask->own.data, ask->kms.data };
	struct mikey_payload *p = mikey_draft_add(d, MIKEY_SIGN);
	struct base_writer covered = { 0 };
	static const uint8_t zero[MIKEY_RSA_MAX];
	size_t len = mikey_rsa_len(ask->cred->own);
	int rc = len ? 0 : BASE_ERR(BASE_CONFIG, 0);

	if (d->failed)
		rc = BASE_ERR(BASE_LOCAL, 0);
	if (!rc) {
		p->sign = (struct mikey_sign){ ask->cred->sign_type, mikey_octets_of(zero, len) };
		rc = mikey_encode(&a->sent, &d->msg);
	}
	if (!rc) {
		a->sent.len -= len;
		base_writer_put(&covered, a->sent.data, a->sent.len);
		rc = mikey_join(&covered, ids, 2);
	}
	if (!rc)
		rc = mikey_rsa_sign(ask->cred->own, ask->cred->sign_type, mikey_sign_hash(a->prf),
		                    mikey_octets_of(covered.data, covered.len), &a->sent);
	base_writer_done(&covered);
	return rc;
}

static int write_init(const struct mikey_env *env, const struct mikey_ask *ask,
                      const struct mikey_payload *about, struct mikey_asking *a)
{
	struct mikey_draft d = { .failed = false };
	struct base_writer sealed = { 0 };
	int rc;

	common(&d, env, ask, a, about);
	if (ask->cred->psk.len) {
		rc = with_psk(&d, env, ask, a);
	} else {
		rc = envelope(&d, env, ask, a, &sealed);
		if (!rc)
			rc = sign(&d, ask, a);
	}
	base_writer_done(&sealed);
	mikey_draft_done(&d);
	return rc;
}

static int ask_kms(const struct mikey_env *env, const struct mikey_ask *ask,
                   const struct mikey_payload *about, bool resolve, struct mikey_asking *ret,
                   struct base_error *err)
{
	struct mikey_asking a = { .flags = about->ticket.flags };
	int rc = begin(env, ask, resolve, &a);

	if (!rc)
		rc = write_init(env, ask, about, &a);
	if (rc) {
		mikey_asking_done(&a);
		return mikey_own_fault(err, rc, "cannot ask the KMS");
	}
	*ret = a;
	return 0;
}

int mikey_request_init(const struct mikey_env *env, const struct mikey_ask *ask,
                       const struct mikey_policy *wanted, struct mikey_asking *ret,
                       struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct mikey_payload *tp = NULL;
	int rc = mikey_policy_check(wanted, err);

	if (!rc && (rc = mikey_policy_write(&arena, wanted, MIKEY_TP, &tp)) != 0)
		(void)mikey_own_fault(err, rc, "cannot ask the KMS");
	if (!rc) {
		tp->ticket.flags &= ~(uint32_t)MIKEY_FLAG_K; /* the KMS's alone (6.10) */
		rc = ask_kms(env, ask, tp, false, ret, err);
	}
	base_arena_done(&arena);
	return rc;
}

int mikey_resolve_init(const struct mikey_env *env, const struct mikey_ask *ask,
                       const struct mikey_payload *ticket, struct mikey_asking *ret,
                       struct base_error *err)
{
	struct mikey_payload one = *ticket;
	uint8_t digest[MIKEY_TAG_MAX];
	int rc;

	one.next = NULL;
	rc = mikey_ticket_digest(env->kept, ticket, digest);
	if (rc)
		return mikey_own_fault(err, rc, "cannot ask the KMS");
	rc = ask_kms(env, ask, &one, true, ret, err);
	if (!rc)
		memcpy(ret->ticket, digest, sizeof(digest));
	return rc;
}

/* Read an answer, prove it, open its keys; in the order of RFC 3830, 5.3. */
static int finish(struct base_arena *arena, const struct mikey_env *env,
                  const struct mikey_asking *a, struct mikey_octets data, uint8_t type,
                  struct mikey_message **ret, struct mikey_keys *ret_keys, struct base_error *err)
{
	struct mikey_guard asked = guard_of(env, a, false), g = guard_of(env, a, true);
	const struct mikey_payload *kemac = NULL, *id;
	uint64_t t = 0;
	int rc = mikey_answer_read(arena, env, data, type, &asked, ret, err);

	if (!rc)
		rc = mikey_time_check(env, *ret, &t, err);
	if (!rc)
		rc = mikey_answer_check(env, *ret, &g, mikey_octets_of(a->sent.data, a->sent.len),
		                        err);
	if (rc)
		return rc;
	id = mikey_find_role((*ret)->first, MIKEY_IDR, MIKEY_ID_KMS);
	if (id && a->kms.len && !mikey_octets_eq(id->idr.id.data, mikey_secret(&a->kms)))
		return mikey_blame(err, MIKEY_BAD_ID, "another KMS answers than was asked");
	rc = mikey_need(*ret, MIKEY_KEMAC, &kemac, err);
	if (!rc)
		rc = mikey_guard_open(env, &g, &kemac->kemac, t, ret_keys, err);
	return rc;
}

static int mpks_check(const struct mikey_keys *keys, uint32_t flags, struct base_error *err)
{
	bool two = flags & MIKEY_FLAG_I;

	if (!mikey_keys_mpk(keys, 0).len || (mikey_keys_mpk(keys, 1).len > 0) != two)
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "the KEMAC has not the MPKs that the I flag wants "
		                   "(RFC 6043, 4.2.1.5 and 4.2.3.5)");
	return 0;
}

int mikey_request_finish(struct base_arena *arena, const struct mikey_env *env,
                         const struct mikey_asking *asking, struct mikey_octets data,
                         struct mikey_grant *ret, struct base_error *err)
{
	struct mikey_grant grant = { 0 };
	const struct mikey_payload *ticket = NULL;
	struct mikey_message *msg = NULL;
	struct mikey_payload *copy = BASE_NEW(arena, struct mikey_payload);
	int rc = finish(arena, env, asking, data, MIKEY_REQUEST_RESP, &msg, &grant.keys, err);

	if (!rc)
		rc = mikey_need(msg, MIKEY_TICKET, &ticket, err);
	if (!rc)
		rc = mikey_policy_read(ticket, &grant.policy, err);
	if (!rc)
		rc = mikey_policy_check(&grant.policy, err);
	if (!rc)
		rc = mikey_policy_usable(&grant.policy, env, err);
	if (!rc && !copy)
		rc = mikey_own_fault(err, BASE_ERR(BASE_LOCAL, 0), "ticket");
	if (!rc)
		rc = mpks_check(&grant.keys, grant.policy.flags, err);
	if (rc) {
		mikey_grant_done(&grant);
		return rc;
	}
	*copy = *ticket;
	copy->next = NULL;
	grant.ticket = copy;
	*ret = grant;
	return 0;
}

/* IDRr and RANDRkms, which outlive the message. */
static int modifier(const struct mikey_message *msg, uint32_t flags, struct mikey_resolved *ret,
                    struct base_error *err)
{
	const struct mikey_payload *id = mikey_find_role(msg->first, MIKEY_IDR, MIKEY_ID_RESPONDER);
	const struct mikey_payload *rand = mikey_find_role(msg->first, MIKEY_RANDR, MIKEY_RAND_KMS);
	struct mikey_octets part[] = { id ? id->idr.id.data : mikey_octets_of(NULL, 0),
		                       rand ? rand->rand.data : mikey_octets_of(NULL, 0) };
	struct base_writer w = { 0 };
	int rc;

	if ((flags & MIKEY_FLAG_I) && (!id || part[1].len < MIKEY_RAND_LEN))
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "keys are forked without IDRr and RANDRkms (RFC 6043, 4.2.3.5)");
	rc = mikey_join(&w, part, 2);
	if (!rc)
		rc = base_secret_set(&ret->owned, w.data, w.len);
	base_writer_done(&w);
	if (rc)
		return mikey_own_fault(err, rc, "RESOLVE_RESP");
	ret->responder = (struct mikey_id){ id ? id->idr.id.type : 0,
		                            mikey_octets_of(ret->owned.data, part[0].len) };
	ret->rand_kms = mikey_octets_of(ret->owned.data ? ret->owned.data + part[0].len : NULL,
	                                part[1].len);
	return 0;
}

int mikey_resolve_finish(const struct mikey_env *env, const struct mikey_asking *asking,
                         struct mikey_octets data, struct mikey_resolved *ret,
                         struct base_error *err)
{
	struct mikey_resolved resolved = { 0 };
	struct base_arena arena = { 0 };
	struct mikey_message *msg = NULL;
	int rc = finish(&arena, env, asking, data, MIKEY_RESOLVE_RESP, &msg, &resolved.keys, err);

	if (!rc)
		rc = mpks_check(&resolved.keys, asking->flags, err);
	if (!rc)
		rc = modifier(msg, asking->flags, &resolved, err);
	base_arena_done(&arena);
	memcpy(resolved.ticket, asking->ticket, sizeof(resolved.ticket));
	if (rc)
		mikey_resolved_done(&resolved);
	else
		*ret = resolved;
	return rc;
}
