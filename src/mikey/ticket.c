/* SPDX-License-Identifier: Apache-2.0 */
/** @file The MIKEY base ticket (RFC 6043, appendix A). */
#include "mikey/ticket.h"

#include "mikey/codec_private.h"
#include "mikey/guard.h"

#define RAND_LEN 16

static struct mikey_guard guard_of(const struct mikey_env *env, uint8_t prf,
                                   const struct mikey_tpk *tpk, struct mikey_octets rand)
{
	return (struct mikey_guard){ .kept = env->kept,
		                     .prf = prf,
		                     .key = tpk->key,
		                     .ticket = true,
		                     .csb_id = 0xffffffff,
		                     .rands = { .initiator = rand } };
}

/* MPKi, MPKr and the session keys, of an MPK and the session keys (A.2.2). */
static int expand(struct mikey_kept *kept, uint8_t prf, const struct mikey_keys *keys,
                  struct mikey_octets rand, struct mikey_keys *ret, struct base_error *err)
{
	struct mikey_octets mpk = mikey_keys_mpk(keys, 0), none = { NULL, 0 };
	uint8_t derived[64];
	int rc = 0;

	if (!mpk.len || mpk.len > sizeof(derived) || mikey_keys_mpk(keys, 1).len)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET),
		                      "a base ticket holds one MPK of at most 64 octets "
		                      "(RFC 6043, A.1)");
	for (unsigned i = 0; i < 2 && !rc; i++) {
		rc = mikey_derive_mpk(kept, prf, mpk, i, rand, derived);
		if (!rc)
			rc = mikey_keys_add(ret, MIKEY_MPK, mikey_octets_of(derived, mpk.len), none,
			                    mikey_octets_of(&"ir"[i], 1));
	}
	for (size_t i = 0; i < keys->count && !rc; i++) {
		const struct mikey_key *k = &keys->key[i];

		if (k->type != MIKEY_MPK)
			rc = mikey_keys_add(ret, k->type, mikey_secret(&k->key),
			                    mikey_secret(&k->salt), mikey_secret(&k->spi));
	}
	base_wipe(derived, sizeof(derived));
	if (rc) {
		mikey_keys_done(ret);
		return base_error_set(err, rc, "ticket: too many keys, or out of memory");
	}
	return 0;
}

/* THDR, T, RAND, KEMAC, [IDRpsk], V without its MAC. */
static int data_build(struct base_arena *arena, const struct mikey_env *env,
                      const struct mikey_guard *g, const struct mikey_tpk *tpk,
                      struct mikey_suite suite, const struct mikey_keys *keys,
                      struct mikey_payload **chain)
{
	static const uint8_t zero[MIKEY_TAG_MAX];
	struct mikey_payload *t = mikey_append(arena, chain, MIKEY_T);
	struct mikey_payload *rand = mikey_append(arena, chain, MIKEY_RAND);
	struct mikey_payload *kemac = mikey_append(arena, chain, MIKEY_KEMAC), *id = NULL, *v;
	bool named = tpk->id.data.len;

	if (named)
		id = mikey_append(arena, chain, MIKEY_IDR);
	v = mikey_append(arena, chain, MIKEY_V);
	if (!t || !rand || !kemac || !v || (named && !id))
		return BASE_ERR(BASE_LOCAL, 0);
	t->ts = (struct mikey_ts){ .type = MIKEY_NTP_UTC, .value = env->now };
	rand->rand.data = g->rands.initiator;
	if (named)
		id->idr = (struct mikey_idr){ MIKEY_ID_PSK, tpk->id };
	v->v = (struct mikey_v){ suite.mac,
		                 mikey_octets_of(zero, (size_t)mikey_mac_len(suite.mac)) };
	return mikey_guard_seal(arena, g, suite.encr, env->now, keys, 1, kemac);
}

/* The MAC goes over the payload without its next-payload octet and its MAC; what is behind the
 * ticket data, the two octets of an empty Initiator Data, is left out too (A.1). */
static int data_protect(const struct mikey_guard *g, struct mikey_suite suite,
                        struct mikey_payload *p, uint8_t *data)
{
	size_t mac_len = (size_t)mikey_mac_len(suite.mac);
	struct base_writer w = { 0 };
	uint8_t tag[MIKEY_TAG_MAX];
	int rc = mikey_chain_encode(&w, p);

	if (!rc)
		rc = mikey_guard_tag(g, suite.mac,
		                     mikey_octets_of(w.data + 1, w.len - 1 - 2 - mac_len), tag);
	if (!rc)
		memcpy(data + p->ticket.data.len - mac_len, tag, mac_len);
	base_writer_done(&w);
	return rc;
}

static int make(struct base_arena *arena, const struct mikey_env *env, const struct mikey_guard *g,
                const struct mikey_tpk *tpk, struct mikey_suite suite, struct mikey_octets thdr,
                const struct mikey_keys *keys, struct mikey_payload *p)
{
	struct mikey_payload *chain = NULL;
	struct base_writer w = { 0 };
	uint8_t *data = NULL;
	int rc = data_build(arena, env, g, tpk, suite, keys, &chain);

	if (!rc)
		rc = mikey_ticket_data_encode(&w, thdr, chain);
	if (!rc) {
		data = base_arena_alloc(arena, w.len);
		rc = data ? 0 : BASE_ERR(BASE_LOCAL, 0);
	}
	if (!rc) {
		memcpy(data, w.data, w.len);
		p->ticket.data = mikey_octets_of(data, w.len);
		rc = data_protect(g, suite, p, data);
	}
	base_writer_done(&w);
	return rc;
}

int mikey_ticket_make(struct base_arena *arena, const struct mikey_env *env,
                      const struct mikey_policy *policy, const struct mikey_tpk *tpk,
                      struct mikey_suite suite, struct mikey_octets thdr,
                      const struct mikey_keys *keys, struct mikey_payload **ret,
                      struct mikey_keys *ret_keys, struct base_error *err)
{
	uint8_t *rand = base_arena_alloc(arena, RAND_LEN);
	struct mikey_keys all = { .count = 0 };
	struct mikey_payload *p = NULL;
	struct mikey_guard g;
	int rc = mikey_policy_check(policy, err);

	if (rc)
		return rc;
	if (!mikey_takes_encr(env, suite.encr) || !mikey_takes_mac(env, suite.mac))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a ticket is encrypted and has a MAC (RFC 6043, A.1)");
	if (!rand || mikey_random(env, rand, RAND_LEN))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no random octets");
	g = guard_of(env, policy->prf, tpk, mikey_octets_of(rand, RAND_LEN));
	rc = expand(env->kept, policy->prf, keys, g.rands.initiator, &all, err);
	if (rc)
		return rc;
	rc = mikey_policy_write(arena, policy, MIKEY_TICKET, &p);
	if (!rc)
		rc = make(arena, env, &g, tpk, suite, thdr, keys, p);
	if (rc) {
		mikey_keys_done(&all);
		return base_error_set(err, rc, "cannot make a ticket");
	}
	*ret = p;
	*ret_keys = all;
	return 0;
}

struct parts {
	const struct mikey_payload *t, *rand, *kemac, *v;
	struct mikey_id psk;
};

static int parts_find(struct base_arena *arena, const struct mikey_payload *ticket,
                      struct parts *ret, struct base_error *err)
{
	struct mikey_payload *chain = NULL;
	const struct mikey_payload *id;
	struct mikey_octets thdr;
	int rc;

	if (ticket->ticket.type != MIKEY_TICKET_BASE || ticket->ticket.subtype != 1 ||
	    ticket->ticket.version != 1)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET),
		                      "ticket type %u is not one that can be opened here "
		                      "(RFC 6043, 6.10)",
		                      ticket->ticket.type);
	rc = mikey_ticket_data_decode(arena, ticket->ticket.data, &thdr, &chain, NULL);
	if (rc && base_err_class(rc) != BASE_PEER)
		return mikey_no_memory(err);
	if (rc)
		chain = NULL;
	id = mikey_find_role(chain, MIKEY_IDR, MIKEY_ID_PSK);
	*ret = (struct parts){ mikey_find(chain, MIKEY_T), mikey_find(chain, MIKEY_RAND),
		               mikey_find(chain, MIKEY_KEMAC), mikey_final(chain) };
	if (id)
		ret->psk = id->idr.id;
	if (!ret->t || !ret->rand || !ret->kemac || !ret->v || ret->v->type != MIKEY_V)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET),
		                      "the ticket's data are not THDR, T, RAND, KEMAC, V "
		                      "(RFC 6043, A.1)");
	return 0;
}

bool mikey_ticket_psk_id(const struct mikey_payload *ticket, struct mikey_id *ret)
{
	struct base_arena arena = { 0 };
	struct parts parts = { 0 };
	int rc = parts_find(&arena, ticket, &parts, NULL);

	base_arena_done(&arena);
	if (rc || !parts.psk.data.len)
		return false;
	*ret = parts.psk;
	return true;
}

uint64_t mikey_ts_64(const struct mikey_ts *ts)
{
	return ts->type == MIKEY_NTP_UTC_32 ? ts->value << 32 : ts->value;
}

static int open_parts(const struct mikey_env *env, const struct mikey_payload *ticket,
                      const struct mikey_tpk *tpk, const struct parts *parts,
                      struct mikey_keys *ret, struct base_error *err)
{
	uint8_t prf = ticket->ticket.prf;
	struct mikey_guard g = guard_of(env, prf, tpk, parts->rand->rand.data);
	const uint8_t *from = ticket->span.at + 1;
	struct mikey_keys keys = { .count = 0 };
	size_t len = (size_t)(ticket->ticket.initiator_span.at - from) - parts->v->v.tag.len;
	int rc;

	if (!mikey_takes_prf(env, prf))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_PRF),
		                      "the ticket's PRF %u is not taken", prf);
	rc = mikey_guard_check(env, &g, &parts->v->v, mikey_octets_of(from, len), err);
	if (!rc)
		rc = mikey_guard_open(env, &g, &parts->kemac->kemac, mikey_ts_64(&parts->t->ts),
		                      &keys, err);
	if (!rc)
		rc = expand(env->kept, prf, &keys, parts->rand->rand.data, ret, err);
	mikey_keys_done(&keys);
	return rc;
}

/* Who made it (D flag), and in whose name (IDRi): as the key's owner may. */
static int owner_check(const struct mikey_payload *ticket, const struct mikey_tpk *tpk,
                       struct base_error *err)
{
	const struct mikey_payload *by =
	        mikey_find_role(ticket->ticket.policy, MIKEY_IDR, MIKEY_ID_INITIATOR);
	bool owned = tpk->owner.data.len;

	if (owned == !(ticket->ticket.flags & MIKEY_FLAG_D) &&
	    (!owned || (by && mikey_id_eq(&by->idr.id, &tpk->owner))))
		return 0;
	return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_ID),
	                      "the ticket is not by the owner of its key (RFC 6043, 6.10: D flag, "
	                      "IDRi)");
}

int mikey_ticket_open(const struct mikey_env *env, const struct mikey_payload *ticket,
                      const struct mikey_tpk *tpk, struct mikey_keys *ret_keys,
                      struct base_error *err)
{
	struct base_arena arena = { 0 };
	struct mikey_keys keys = { .count = 0 };
	struct parts parts = { 0 };
	int rc = parts_find(&arena, ticket, &parts, err);

	if (!rc && (!parts.t || !parts.rand)) /* it says that they are there */
		rc = BASE_ERR(BASE_BUG, 0);
	if (!rc)
		rc = open_parts(env, ticket, tpk, &parts, &keys, err);
	if (!rc && (rc = owner_check(ticket, tpk, err)) != 0)
		mikey_keys_done(&keys);
	base_arena_done(&arena);
	if (!rc)
		*ret_keys = keys;
	return rc;
}
