/* SPDX-License-Identifier: Apache-2.0 */
/** @file The Ticket Transfer exchange at its Initiator (RFC 6043, 4.2.2). */
#include "mikey/exchange_private.h"
#include "mikey/session.h"

void mikey_transfer_done(struct mikey_transfer *transfer)
{
	base_writer_done(&transfer->sent);
	base_secret_done(&transfer->rand);
	mikey_keys_done(&transfer->own);
}

static struct mikey_guard guard_of(const struct mikey_env *env, const struct mikey_transfer *t,
                                   const struct mikey_grant *grant)
{
	return (struct mikey_guard){ .kept = env->kept,
		                     .prf = t->prf,
		                     .key = mikey_keys_mpk(&grant->keys, 0),
		                     .csb_id = t->csb_id,
		                     .rands = { .initiator = mikey_secret(&t->rand) } };
}

/* HDR, T, RANDRi, [IDRi], [IDRr], {SP}, TICKET, [KEMAC] */
static int init_build(struct mikey_draft *d, const struct mikey_env *env,
                      const struct mikey_offer *offer, const struct mikey_grant *grant,
                      const struct mikey_guard *g, struct mikey_payload **ret_ticket)
{
	struct mikey_payload *ticket, *kemac;

	d->msg.hdr = (struct mikey_hdr){ .data_type = MIKEY_TRANSFER_INIT,
		                         .v = grant->ticket->ticket.flags & MIKEY_FLAG_F,
		                         .prf = offer->suite.prf,
		                         .map_type = MIKEY_MAP_GENERIC_ID,
		                         .cs_count = offer->cs_count,
		                         .csb_id = offer->csb_id };
	d->msg.hdr.cs = base_arena_array(&d->arena, offer->cs_count + 1U, sizeof(*d->msg.hdr.cs));
	if (!d->msg.hdr.cs)
		return BASE_ERR(BASE_LOCAL, 0);
	if (offer->cs_count)
		memcpy(d->msg.hdr.cs, offer->cs, offer->cs_count * sizeof(*offer->cs));
	mikey_draft_time(d, env->now);
	mikey_draft_rand(d, MIKEY_RAND_INITIATOR, g->rands.initiator);
	mikey_draft_id(d, MIKEY_ID_INITIATOR, &offer->initiator);
	mikey_draft_id(d, MIKEY_ID_RESPONDER, &offer->responder);
	mikey_draft_copy(d, offer->sp);
	ticket = mikey_draft_add(d, MIKEY_TICKET);
	if (!ticket)
		return BASE_ERR(BASE_LOCAL, 0);
	ticket->ticket = grant->ticket->ticket;
	ticket->ticket.initiator = NULL;
	*ret_ticket = ticket;
	if (!offer->keys || !offer->keys->count)
		return 0;
	kemac = mikey_draft_add(d, MIKEY_KEMAC);
	return kemac ? mikey_guard_seal(&d->arena, g, offer->suite.encr, env->now, offer->keys, 0,
	                                kemac)
	             : BASE_ERR(BASE_LOCAL, 0);
}

/* The MAC leaves out the Initiator Data and its length (5.5), so it comes first. */
static int init_tag(struct mikey_draft *d, const struct mikey_offer *offer,
                    const struct mikey_guard *g, uint8_t tag[MIKEY_TAG_MAX])
{
	const struct mikey_octets ids[] = { offer->initiator.data, offer->responder.data };
	const struct mikey_payload *ticket;
	struct mikey_message *msg = NULL;
	struct base_writer whole = { 0 }, covered = { 0 };
	int rc;

	(void)base_writer_reserve(&whole, MIKEY_USUAL_LEN); /* what fails fails below */
	rc = mikey_encode(&whole, &d->msg);
	if (!rc)
		rc = mikey_decode(&d->arena, whole.data, whole.len, &msg, NULL);
	if (!rc) {
		ticket = mikey_find(msg->first, MIKEY_TICKET);
		rc = mikey_transfer_covered(msg, ticket, &covered);
	}
	if (!rc)
		rc = mikey_join(&covered, ids, 2);
	if (!rc)
		rc = mikey_guard_tag(g, offer->suite.mac,
		                     mikey_octets_of(covered.data, covered.len), tag);
	base_writer_done(&whole);
	base_writer_done(&covered);
	return rc;
}

/* Vi is V, Vr is over all before its own MAC (6.10). */
static int initiator_data(struct mikey_draft *d, struct mikey_kept *kept,
                          const struct mikey_grant *grant, const struct mikey_v *v,
                          struct mikey_payload *ticket, uint8_t tag[MIKEY_TAG_MAX])
{
	struct mikey_octets mpkr = mikey_keys_mpk(&grant->keys, 1);
	struct mikey_payload *vi = mikey_append(&d->arena, &ticket->ticket.initiator, MIKEY_V);
	struct mikey_payload *vr = mikey_append(&d->arena, &ticket->ticket.initiator, MIKEY_V);
	struct base_writer w = { 0 };
	uint8_t key[MIKEY_TAG_MAX];
	int rc;

	if (!vi || !vr || !mpkr.len)
		return BASE_ERR(BASE_LOCAL, 0);
	vi->v = *v;
	vr->v = (struct mikey_v){ v->mac, mikey_octets_of(tag, v->tag.len) };
	base_writer_u8(&w, MIKEY_V);
	rc = mikey_chain_encode(&w, ticket->ticket.initiator);
	if (!rc)
		rc = mikey_derive_vr(kept, ticket->ticket.prf, mpkr, key, v->tag.len);
	if (!rc)
		rc = mikey_hmac(kept, v->mac, mikey_octets_of(key, v->tag.len),
		                mikey_octets_of(w.data, w.len - v->tag.len), tag);
	base_wipe(key, sizeof(key));
	base_writer_done(&w);
	return rc;
}

static int init_write(const struct mikey_env *env, const struct mikey_offer *offer,
                      const struct mikey_grant *grant, struct mikey_transfer *t)
{
	struct mikey_draft d = { .failed = false };
	struct mikey_guard g = guard_of(env, t, grant);
	struct mikey_payload *ticket = NULL, *v;
	uint8_t tag[MIKEY_TAG_MAX] = { 0 }, tag_r[MIKEY_TAG_MAX] = { 0 };
	int rc = init_build(&d, env, offer, grant, &g, &ticket);

	v = mikey_draft_add(&d, MIKEY_V);
	if (!rc && d.failed)
		rc = BASE_ERR(BASE_LOCAL, 0);
	if (!rc) {
		v->v = (struct mikey_v){ offer->suite.mac,
			                 mikey_octets_of(tag,
			                                 (size_t)mikey_mac_len(offer->suite.mac)) };
		rc = init_tag(&d, offer, &g, tag);
	}
	if (!rc && (ticket->ticket.flags & MIKEY_FLAG_I))
		rc = initiator_data(&d, env->kept, grant, &v->v, ticket, tag_r);
	if (!rc)
		rc = mikey_encode(&t->sent, &d.msg);
	mikey_draft_done(&d);
	return rc;
}

/* What the ticket and the library have no place for. */
static int offer_check(const struct mikey_env *env, const struct mikey_offer *offer,
                       const struct mikey_grant *grant, struct base_error *err)
{
	const char *why = NULL;

	if (offer->keys && offer->keys->count && !(grant->policy.flags & MIKEY_FLAG_L))
		why = "the ticket lets no Initiator supply keys (L flag)";
	else if (!mikey_takes_mac(env, offer->suite.mac) || offer->suite.prf > 1 ||
	         !mikey_takes_encr(env, offer->suite.encr))
		why = "NULL encryption or MAC, or an algorithm that is switched off";
	else if (offer->cs_count > BASE_COUNT(((struct mikey_session *)NULL)->cs))
		why = "too many crypto sessions";
	else if (!mikey_keys_mpk(&grant->keys, 0).len)
		why = "the grant has no MPKi";
	else if ((grant->policy.flags & MIKEY_FLAG_I) && !mikey_keys_mpk(&grant->keys, 1).len)
		why = "keys are forked and the grant has no MPKr";
	return why ? base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "TRANSFER_INIT: %s", why) : 0;
}

int mikey_transfer_init(const struct mikey_env *env, const struct mikey_offer *offer,
                        const struct mikey_grant *grant, struct mikey_transfer *ret,
                        struct base_error *err)
{
	struct mikey_transfer t = { .csb_id = offer->csb_id, .prf = offer->suite.prf };
	uint8_t rand[MIKEY_RAND_LEN];
	int rc = offer_check(env, offer, grant, err);

	if (rc)
		return rc;
	rc = mikey_policy_usable(&grant->policy, env, err);
	if (rc)
		return rc;
	rc = mikey_random(env, rand, sizeof(rand));
	if (!rc)
		rc = base_secret_set(&t.rand, rand, sizeof(rand));
	if (!rc && offer->keys)
		rc = mikey_keys_copy(offer->keys, &t.own);
	if (!rc)
		rc = init_write(env, offer, grant, &t);
	if (rc) {
		mikey_transfer_done(&t);
		return mikey_own_fault(err, rc, "TRANSFER_INIT");
	}
	*ret = t;
	return 0;
}

/* The keys of the answer: forked by what it says, if they are to be (5.1.1). */
static int forked_keys(const struct mikey_env *env, const struct mikey_message *msg,
                       const struct mikey_grant *grant, struct mikey_keys *ret,
                       struct base_error *err)
{
	const struct mikey_payload *id = mikey_find_role(msg->first, MIKEY_IDR, MIKEY_ID_RESPONDER);
	struct mikey_octets rand = { NULL, 0 };
	int rc = mikey_keys_copy(&grant->keys, ret);

	if (rc)
		return mikey_own_fault(err, rc, "keys");
	if (!(grant->policy.flags & MIKEY_FLAG_I))
		return 0;
	if (!id)
		return mikey_blame(err, MIKEY_BAD_ID,
		                   "keys are forked and nobody says for whom: no IDRr "
		                   "(RFC 6043, 4.2.2.3)");
	rc = mikey_need_rand(msg, MIKEY_RAND_KMS, &rand, err);
	if (rc)
		return rc;
	rc = mikey_fork(env->kept, grant->policy.prf, id->idr.id.data, rand, ret);
	return rc ? mikey_own_fault(err, rc, "forking") : 0;
}

static int finish(const struct mikey_env *env, const struct mikey_transfer *t,
                  const struct mikey_grant *grant, const struct mikey_message *msg,
                  struct mikey_keys *keys, struct mikey_session *ret, struct base_error *err)
{
	bool forked = grant->policy.flags & MIKEY_FLAG_I,
	     with_r = grant->policy.flags & MIKEY_FLAG_G;
	struct mikey_guard g = guard_of(env, t, grant);
	uint64_t at = 0;
	int rc = mikey_time_check(env, msg, &at, err);

	g.response = true;
	if (!rc && with_r)
		rc = mikey_need_rand(msg, MIKEY_RAND_RESPONDER, &g.rands.responder, err);
	if (!rc)
		rc = forked_keys(env, msg, grant, keys, err);
	g.key = mikey_keys_mpk(keys, forked ? 1 : 0);
	if (!rc)
		rc = mikey_answer_check(env, msg, &g, mikey_octets_of(t->sent.data, t->sent.len),
		                        err);
	if (!rc)
		rc = mikey_session_fill(env, msg, &grant->policy, &g, at, keys, &t->own, ret, err);
	return rc;
}

/* No answer comes (F flag): the session is what was offered. */
static int finish_alone(const struct mikey_env *env, const struct mikey_transfer *t,
                        const struct mikey_grant *grant, struct mikey_session *ret,
                        struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct mikey_guard g = guard_of(env, t, grant);
	struct mikey_message *msg = NULL;
	int rc = mikey_decode(&arena, t->sent.data, t->sent.len, &msg, err);

	if (!rc)
		rc = mikey_session_fill(env, msg, &grant->policy, &g, env->now, &grant->keys,
		                        &t->own, ret, err);
	base_arena_done(&arena);
	return rc;
}

int mikey_transfer_finish(const struct mikey_env *env, const struct mikey_transfer *transfer,
                          const struct mikey_grant *grant, struct mikey_octets data,
                          struct mikey_session *ret, struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct mikey_guard asked = guard_of(env, transfer, grant);
	struct mikey_keys keys = { .count = 0 };
	struct mikey_session session = { 0 };
	struct mikey_message *msg = NULL;
	int rc;

	if (!(grant->policy.flags & MIKEY_FLAG_F))
		return finish_alone(env, transfer, grant, ret, err);
	rc = mikey_answer_read(&arena, env, data, MIKEY_TRANSFER_RESP, &asked, &msg, err);
	if (!rc)
		rc = finish(env, transfer, grant, msg, &keys, &session, err);
	mikey_keys_done(&keys);
	base_arena_done(&arena);
	if (rc)
		mikey_session_done(&session);
	else
		*ret = session;
	return rc;
}
