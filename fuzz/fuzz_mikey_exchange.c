/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MIKEY-TICKET messages and tickets of somebody who has all the keys: tags are put right before a
 * message is taken, so that what is behind them is reached. The first octet chooses who gets it.
 */
#include <stdlib.h>

#include "mikey/codec.h"
#include "mikey/guard.h"
#include "mikey/mikey.h"
#include "mikey/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t prots[] = { MIKEY_PROT_TLS, MIKEY_PROT_SRTP };
static const struct mikey_suite suite = { 1, MIKEY_AES_CM_128, MIKEY_HMAC_SHA_256_256 };

static int no_random(void *arg, void *out, size_t len)
{
	(void)arg;
	memset(out, 0x5a, len);
	return 0;
}

static struct mikey_octets psk(void)
{
	return mikey_octets_text("a key that is known to everybody");
}

/* Put a tag right, wherever it lies in the message. */
static void tag_right(const struct mikey_guard *g, const struct mikey_v *v, const void *covered,
                      size_t len)
{
	uint8_t tag[MIKEY_TAG_MAX];

	if (v->mac == MIKEY_MAC_NULL ||
	    mikey_guard_tag(g, v->mac, mikey_octets_of(covered, len), tag))
		return;
	memcpy((uint8_t *)v->tag.at, tag, v->tag.len); /* the input is our own copy */
}

static void ticket_right(const struct mikey_payload *p, const struct mikey_tpk *tpk)
{
	struct base_arena arena = { 0 };
	struct mikey_payload *chain = NULL;
	const struct mikey_payload *rand, *v;
	struct mikey_octets thdr;

	if (mikey_ticket_data_decode(&arena, p->ticket.data, &thdr, &chain, NULL) == 0) {
		rand = mikey_find(chain, MIKEY_RAND);
		v = mikey_final(chain);
		if (rand && v->type == MIKEY_V) {
			struct mikey_guard g = { .prf = p->ticket.prf,
				                 .key = tpk->key,
				                 .ticket = true,
				                 .csb_id = 0xffffffff,
				                 .rands = { .initiator = rand->rand.data } };

			tag_right(&g, &v->v, p->span.at + 1,
			          (size_t)(p->ticket.initiator_span.at - p->span.at) - 1 -
			                  v->v.tag.len);
		}
	}
	base_arena_done(&arena);
}

static struct mikey_octets rand_of(const struct mikey_message *msg, uint8_t role)
{
	const struct mikey_payload *p = mikey_find_role(msg->first, MIKEY_RANDR, role);

	return p ? p->rand.data : mikey_octets_of(NULL, 0);
}

/* All the keys that came out are of the sizes that they say. */
static void look(const struct mikey_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->key[i].key.len && !keys->key[i].key.data)
			abort();
	}
}

static void resolve(const struct mikey_env *env, const struct mikey_asked *asked,
                    const struct mikey_id *kms, const struct mikey_tpk *tpk)
{
	struct base_writer out = { 0 };
	struct base_error err = { 0 };
	int rc = mikey_resolve_resp(env, asked, suite, kms, tpk, &asked->policy.responder[0],
	                            &asked->asker, &out, &err);

	if ((rc == 0) != (out.len > 0) || (rc && !err.text[0]))
		abort();
	base_writer_done(&out);
}

static void grant(struct base_arena *arena, const struct mikey_env *env,
                  const struct mikey_asked *asked, const struct mikey_id *kms,
                  const struct mikey_tpk *tpk)
{
	struct mikey_keys raw = { .count = 0 }, keys = { .count = 0 };
	struct mikey_payload *ticket = NULL;
	struct base_writer out = { 0 };

	if (mikey_keys_add(&raw, MIKEY_MPK, psk(), mikey_octets_of(NULL, 0), psk()) == 0 &&
	    mikey_ticket_make(arena, env, &asked->policy, tpk, suite, psk(), &raw, &ticket, &keys,
	                      NULL) == 0)
		(void)mikey_request_resp(env, asked, suite, kms, ticket, &keys, &out, NULL);
	look(&keys);
	mikey_keys_done(&raw);
	mikey_keys_done(&keys);
	base_writer_done(&out);
}

static void as_kms(struct base_arena *arena, const struct mikey_env *env,
                   const struct mikey_message *msg, const struct mikey_tpk *tpk)
{
	const struct mikey_payload *to = mikey_find_role(msg->first, MIKEY_IDR, MIKEY_ID_KMS);
	const struct mikey_payload *t = mikey_find(msg->first, MIKEY_TICKET);
	const struct mikey_payload *v = mikey_final(msg->first);
	const struct mikey_cred cred = { .psk = psk() };
	struct mikey_id kms = { MIKEY_URI, psk() }, asker = { MIKEY_URI, psk() };
	bool resolves = msg->hdr.data_type == MIKEY_RESOLVE_INIT_PSK;
	struct mikey_guard g = { .prf = msg->hdr.prf, .key = psk(), .csb_id = msg->hdr.csb_id };
	const struct mikey_payload *from;
	struct mikey_asked asked = { 0 };
	struct base_writer w = { 0 };

	from = mikey_find_role(msg->first, MIKEY_IDR,
	                       resolves ? MIKEY_ID_RESPONDER : MIKEY_ID_INITIATOR);
	kms = to ? to->idr.id : kms;
	asker = from ? from->idr.id : asker;
	*(resolves ? &g.rands.responder : &g.rands.initiator) =
	        rand_of(msg, resolves ? MIKEY_RAND_RESPONDER : MIKEY_RAND_INITIATOR);
	if (t)
		ticket_right(t, tpk);
	if (v && v->type == MIKEY_V) {
		base_writer_put(&w, msg->octets.at, msg->octets.len - v->v.tag.len);
		base_writer_put(&w, asker.data.at, asker.data.len);
		base_writer_put(&w, kms.data.at, kms.data.len);
		tag_right(&g, &v->v, w.data, w.len);
	}
	base_writer_done(&w);
	if (mikey_asked_read(env, msg, &kms, &asker, &cred, &asked, NULL) == 0) {
		if (asked.resolve)
			resolve(env, &asked, &kms, tpk);
		else
			grant(arena, env, &asked, &kms, tpk);
	}
	mikey_asked_done(&asked);
}

static void answer(const struct mikey_env *env, const struct mikey_received *r,
                   const struct mikey_resolved *resolved)
{
	const struct mikey_v *v = &mikey_final(r->msg->first)->v;
	struct mikey_guard g = { .prf = r->msg->hdr.prf,
		                 .key = mikey_keys_mpk(&resolved->keys, 0),
		                 .csb_id = r->msg->hdr.csb_id,
		                 .rands = { .initiator = rand_of(r->msg, MIKEY_RAND_INITIATOR) } };
	struct base_writer w = { 0 }, out = { 0 };
	const struct mikey_answer how = { .suite = suite };
	struct mikey_session session = { 0 };
	uint8_t tek[32];

	if (mikey_transfer_covered(r->msg, r->ticket, &w) == 0) {
		base_writer_put(&w, r->initiator.data.at, r->initiator.data.len);
		base_writer_put(&w, r->responder.data.at, r->responder.data.len);
		tag_right(&g, v, w.data, w.len);
	}
	if (mikey_transfer_resp(env, r, resolved, &how, &out, &session, NULL) == 0) {
		for (size_t i = 0; i < session.cs_count; i++)
			(void)mikey_session_tek(env, &session, session.cs[i].id, tek, sizeof(tek),
			                        NULL);
	}
	look(&session.keys);
	mikey_session_done(&session);
	base_writer_done(&w);
	base_writer_done(&out);
}

static void as_responder(const struct mikey_env *env, const struct mikey_message *msg,
                         const struct mikey_tpk *tpk)
{
	const struct mikey_payload *t = mikey_find(msg->first, MIKEY_TICKET);
	struct mikey_received received = { 0 };
	struct mikey_resolved resolved = { .responder = { 0 } };

	if (t)
		ticket_right(t, tpk);
	if (mikey_received_read(env, msg, NULL, prots, sizeof(prots), &received, NULL))
		return;
	if (mikey_received_open(env, &received, tpk, &resolved, NULL) == 0)
		answer(env, &received, &resolved);
	look(&resolved.keys);
	mikey_resolved_done(&resolved);
}

/* A bundle that is updated: whoever the message's is. Bit 1: as the Initiator. */
static void as_bundle(const struct mikey_env *env, const struct mikey_message *msg, bool initiator)
{
	static const uint8_t tgk[32];
	const struct mikey_answer how = { .suite = suite };
	const struct mikey_ends ends = { .own_is_initiator = initiator };
	const struct mikey_payload *v = mikey_final(msg->first);
	struct mikey_session s = { .csb_id = msg->hdr.csb_id,
		                   .prf = msg->hdr.prf,
		                   .flags = MIKEY_FLAG_L | MIKEY_FLAG_M };
	struct mikey_guard g = { .prf = s.prf, .key = psk(), .csb_id = s.csb_id };
	struct base_writer out = { 0 };

	if (base_secret_set(&s.last_key, psk().at, psk().len) == 0 &&
	    mikey_keys_add(&s.keys, MIKEY_TGK, mikey_octets_of(tgk, sizeof(tgk)),
	                   mikey_octets_of(NULL, 0), mikey_octets_text("tgk1")) == 0) {
		if (v && v->type == MIKEY_V)
			tag_right(&g, &v->v, msg->octets.at, msg->octets.len - v->v.tag.len);
		if (mikey_update_resp(env, &s, &ends, msg, prots, sizeof(prots), &how, &out,
		                      NULL) &&
		    (s.cs_count || s.keys.count != 1))
			abort();
		look(&s.keys);
	}
	mikey_session_done(&s);
	base_writer_done(&out);
}

/* The key's owner is who the ticket says, and nobody where the KMS made it. */
static void own(struct mikey_tpk *tpk, const struct mikey_payload *ticket)
{
	const struct mikey_payload *by =
	        ticket ? mikey_find_role(ticket->ticket.policy, MIKEY_IDR, MIKEY_ID_INITIATOR)
	               : NULL;

	if (by && !(ticket->ticket.flags & MIKEY_FLAG_D))
		tpk->owner = by->idr.id;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mikey_tpk tpk = { psk(), { MIKEY_BYTE_STRING, mikey_octets_text("tpk") } };
	struct mikey_env env = { .random = no_random };
	struct base_arena arena = { 0 };
	struct mikey_message *msg = NULL;
	const struct mikey_payload *t;
	uint8_t *copy = size ? malloc(size) : NULL;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (mikey_decode(&arena, copy + 1, size - 1, &msg, NULL) == 0) {
		t = mikey_find(msg->first, MIKEY_T);
		own(&tpk, mikey_find(msg->first, MIKEY_TICKET));
		env.now = t ? mikey_ts_64(&t->ts) : 0;
		if (data[0] & 2)
			as_bundle(&env, msg, data[0] & 4);
		else if (data[0] & 1)
			as_kms(&arena, &env, msg, &tpk);
		else
			as_responder(&env, msg, &tpk);
	}
	base_arena_done(&arena);
	free(copy);
	return 0;
}
