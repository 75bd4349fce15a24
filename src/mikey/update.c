/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/update.h"

#include "mikey/session.h"

void mikey_updating_done(struct mikey_updating *updating)
{
	base_writer_done(&updating->sent);
	mikey_keys_done(&updating->keys);
}

/* "The same keys that protected the last message in the initial exchange" (5.2), both ways. */
static struct mikey_guard guard_of(const struct mikey_env *env, const struct mikey_session *s)
{
	return (struct mikey_guard){ .kept = env->kept,
		                     .prf = s->prf,
		                     .key = mikey_secret(&s->last_key),
		                     .response = s->last_response,
		                     .csb_id = s->csb_id,
		                     .rands = { mikey_secret(&s->last_rand_i),
		                                mikey_secret(&s->last_rand_r) } };
}

/* A timestamp that no message under these keys had: it goes into the IV, and both ends encrypt with
 * the same keys. Later than the last one, and even for the Initiator, odd for the Responder (P). */
static uint64_t stamp(const struct mikey_env *env, const struct mikey_session *s,
                      const struct mikey_ends *ends)
{
	uint64_t t = env->now;

	if ((int64_t)(t - s->last_t) < 2)
		t = s->last_t + 2;
	return (t & ~(uint64_t)1) | !ends->own_is_initiator;
}

static void stamped(struct mikey_session *s, uint64_t t)
{
	if ((int64_t)(t - s->last_t) > 0)
		s->last_t = t;
}

/* May this end supply keys (L and M flags)? */
static bool may_supply(const struct mikey_session *s, bool initiator)
{
	return s->flags & (initiator ? MIKEY_FLAG_L : MIKEY_FLAG_M);
}

/* HDR, T, [IDR of who sends], [IDR of the other], {SP}, [KEMAC] */
static int build(struct mikey_draft *d, const struct mikey_guard *g, const struct mikey_ends *ends,
                 bool both, uint64_t t, const struct mikey_payload *sp, uint8_t encr,
                 const struct mikey_keys *keys)
{
	const struct mikey_id *id[] = { &ends->initiator, &ends->responder };
	bool first = !ends->own_is_initiator;
	struct mikey_payload *kemac;

	d->msg.hdr.prf = g->prf;
	d->msg.hdr.map_type = MIKEY_MAP_GENERIC_ID;
	d->msg.hdr.csb_id = g->csb_id;
	mikey_draft_time(d, t);
	mikey_draft_id(d, first ? MIKEY_ID_RESPONDER : MIKEY_ID_INITIATOR, id[first]);
	if (both)
		mikey_draft_id(d, first ? MIKEY_ID_INITIATOR : MIKEY_ID_RESPONDER, id[!first]);
	mikey_draft_copy(d, sp);
	if (!keys || !keys->count)
		return 0;
	kemac = mikey_draft_add(d, MIKEY_KEMAC);
	return kemac ? mikey_guard_seal(&d->arena, g, encr, t, keys, 0, kemac)
	             : BASE_ERR(BASE_LOCAL, 0);
}

/* Ours: is the suite one that is taken, and are the keys let? */
static int ours_check(const struct mikey_env *env, const struct mikey_session *s,
                      const struct mikey_ends *ends, struct mikey_suite suite,
                      const struct mikey_keys *keys, struct base_error *err)
{
	bool supplies = keys && keys->count;

	if (!s->last_key.len)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no session to update");
	if (!mikey_takes_mac(env, suite.mac) || (supplies && !mikey_takes_encr(env, suite.encr)))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "an update has a MAC, and its keys are encrypted");
	if (supplies && !may_supply(s, ends->own_is_initiator))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "the ticket lets this end supply no keys (RFC 6043, 5.2)");
	return 0;
}

/* All but crypto sessions that `msg` changes, and those; each with one policy and a key. */
static int cs_merge(const struct mikey_session *s, const struct mikey_hdr *hdr,
                    const struct mikey_keys *keys, struct mikey_session_cs ret[16],
                    size_t *ret_count, struct base_error *err)
{
	size_t count = s->cs_count;

	memcpy(ret, s->cs, sizeof(s->cs));
	for (unsigned i = 0; i < hdr->cs_count; i++) {
		const struct mikey_cs *cs = &hdr->cs[i];
		size_t at = 0, k = 0;

		while (at < count && ret[at].id != cs->id)
			at++;
		while (k < keys->count &&
		       !mikey_octets_eq(mikey_secret(&keys->key[k].spi), cs->spi))
			k++;
		if (at == BASE_COUNT(s->cs) || cs->policies.len != 1 || !cs->spi.len ||
		    k == keys->count)
			return mikey_blame(err, MIKEY_BAD_SP,
			                   "at most 16 crypto sessions, each with a policy and a "
			                   "key (RFC 6043, 5.2)");
		ret[at] = (struct mikey_session_cs){ .id = cs->id,
			                             .prot = cs->prot,
			                             .spi_len = (uint8_t)cs->spi.len };
		memcpy(ret[at].spi, cs->spi.at, cs->spi.len);
		count += at == count;
	}
	*ret_count = count;
	return 0;
}

static bool has_spi(const struct mikey_keys *keys, const struct mikey_key *of)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (of->spi.len &&
		    mikey_octets_eq(mikey_secret(&keys->key[i].spi), mikey_secret(&of->spi)))
			return true;
	}
	return false;
}

/* New keys before old ones, of which those go whose SPI comes again (P). */
static int keys_merge(const struct mikey_keys *const list[], size_t count, struct mikey_keys *ret)
{
	int rc = 0;

	for (size_t n = 0; n < count; n++) {
		for (size_t i = 0; list[n] && i < list[n]->count && !rc; i++) {
			const struct mikey_key *k = &list[n]->key[i];

			if (k->type != MIKEY_MPK && !has_spi(ret, k))
				rc = mikey_keys_add(ret, k->type, mikey_secret(&k->key),
				                    mikey_secret(&k->salt), mikey_secret(&k->spi));
		}
	}
	return rc;
}

/* The session as `hdr` has it, with more keys. */
static int merge(struct mikey_session *s, const struct mikey_hdr *hdr, const struct mikey_keys *one,
                 const struct mikey_keys *other, struct base_error *err)
{
	const struct mikey_keys *const list[] = { one, other, &s->keys };
	struct mikey_keys keys = { .count = 0 };
	struct mikey_session_cs cs[BASE_COUNT(s->cs)];
	size_t count = 0;
	int rc = keys_merge(list, BASE_COUNT(list), &keys);

	if (rc)
		(void)base_error_set(err, rc, "too many keys, or out of memory");
	else
		rc = cs_merge(s, hdr, &keys, cs, &count, err);
	if (rc) {
		mikey_keys_done(&keys);
		return rc;
	}
	mikey_keys_done(&s->keys);
	s->keys = keys;
	memcpy(s->cs, cs, sizeof(cs));
	s->cs_count = count;
	return 0;
}

/* What both messages have to be: of this bundle, of now, without ticket or new RANDs. */
static int shape_check(const struct mikey_env *env, const struct mikey_session *s,
                       const struct mikey_message *msg, uint64_t *ret_t, struct base_error *err)
{
	int rc = mikey_time_check(env, msg, ret_t, err);

	if (rc)
		return rc;
	if (msg->hdr.csb_id != s->csb_id || msg->hdr.prf != s->prf ||
	    msg->hdr.map_type != MIKEY_MAP_GENERIC_ID)
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "an update keeps CSB ID, PRF and kind of map (RFC 6043, 5.2)");
	for (const struct mikey_payload *p = msg->first; p; p = p->next) {
		if (p->type == MIKEY_TICKET || p->type == MIKEY_RANDR)
			return mikey_blame(err, MIKEY_UNSPECIFIED,
			                   "an update has no ticket and no RAND (RFC 6043, 5.2)");
	}
	return 0;
}

static int keys_open(const struct mikey_env *env, const struct mikey_session *s,
                     const struct mikey_ends *ends, const struct mikey_guard *g,
                     const struct mikey_message *msg, uint64_t t, struct mikey_keys *ret,
                     struct base_error *err)
{
	const struct mikey_payload *kemac = mikey_find(msg->first, MIKEY_KEMAC);

	if (!kemac)
		return 0;
	if (!may_supply(s, !ends->own_is_initiator))
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "the far end supplies keys against the ticket's L or M flag "
		                   "(RFC 6043, 5.2)");
	return mikey_guard_open(env, g, &kemac->kemac, t, ret, err);
}

/* What the MAC of TRANSFER_INIT covers: itself, and the identities (5.5). */
static int covered(const uint8_t *at, size_t len, const struct mikey_ends *ends,
                   struct base_writer *w)
{
	const struct mikey_octets part[] = { { at, len },
		                             ends->initiator.data,
		                             ends->responder.data };

	return mikey_join(w, part, BASE_COUNT(part));
}

/* One's own message is remembered as if it had come: keys are the same both ways, and nobody is to
 * send it back. */
static int remember(const struct mikey_env *env, const struct mikey_ends *ends, uint8_t mac,
                    const struct mikey_updating *u, struct base_error *err)
{
	struct base_writer w = { 0 };
	uint8_t digest[MIKEY_TAG_MAX];
	int rc = covered(u->sent.data, u->sent.len - (size_t)mikey_mac_len(mac), ends, &w);

	if (!rc)
		rc = mikey_replay_check(env, u->t, mikey_octets_of(w.data, w.len), digest, err);
	if (!rc)
		rc = mikey_replay_keep(env, u->t, digest, err);
	base_writer_done(&w);
	return rc;
}

static int init_write(struct base_arena *arena, const struct mikey_env *env,
                      const struct mikey_session *s, const struct mikey_ends *ends,
                      const struct mikey_change *change, struct mikey_updating *u,
                      struct mikey_hdr *ret_hdr)
{
	const struct mikey_octets ids[] = { ends->initiator.data, ends->responder.data };
	struct mikey_guard g = guard_of(env, s);
	struct mikey_draft d = { .failed = false };
	int rc;

	d.msg.hdr = (struct mikey_hdr){ .data_type = MIKEY_TRANSFER_INIT,
		                        .v = change->answer,
		                        .cs_count = change->cs_count };
	d.msg.hdr.cs = base_arena_array(arena, change->cs_count + 1U, sizeof(*change->cs));
	if (!d.msg.hdr.cs)
		return BASE_ERR(BASE_LOCAL, 0);
	if (change->cs_count)
		memcpy(d.msg.hdr.cs, change->cs, change->cs_count * sizeof(*change->cs));
	rc = build(&d, &g, ends, true, u->t, change->sp, change->suite.encr, change->keys);
	if (!rc)
		rc = mikey_draft_seal(&d, &g, change->suite.mac, ids, 2, &u->sent);
	*ret_hdr = d.msg.hdr;
	mikey_draft_done(&d);
	return rc;
}

int mikey_update_init(const struct mikey_env *env, struct mikey_session *session,
                      const struct mikey_ends *ends, const struct mikey_change *change,
                      struct mikey_updating *ret, struct base_error *err)
{
	struct mikey_updating u = { .t = stamp(env, session, ends) };
	struct mikey_hdr hdr = { .cs_count = 0 };
	struct base_arena arena = { 0 };
	int rc = ours_check(env, session, ends, change->suite, change->keys, err);

	if (rc)
		return rc;
	if (change->keys)
		rc = mikey_keys_copy(change->keys, &u.keys);
	if (!rc)
		rc = init_write(&arena, env, session, ends, change, &u, &hdr);
	if (rc)
		(void)mikey_own_fault(err, rc, "update");
	else
		rc = remember(env, ends, change->suite.mac, &u, err);
	if (!rc && !change->answer)
		rc = merge(session, &hdr, &u.keys, NULL, err);
	stamped(session, u.t);
	base_arena_done(&arena);
	if (rc)
		mikey_updating_done(&u);
	else
		*ret = u;
	return rc;
}

int mikey_update_finish(const struct mikey_env *env, struct mikey_session *session,
                        const struct mikey_ends *ends, const struct mikey_updating *updating,
                        struct mikey_octets data, struct base_error *err)
{
	struct mikey_guard g = guard_of(env, session);
	struct base_arena arena = { 0 };
	struct mikey_keys keys = { .count = 0 };
	struct mikey_message *msg = NULL;
	uint64_t t = 0;
	int rc = mikey_answer_read(&arena, env, data, MIKEY_TRANSFER_RESP, &g, &msg, err);

	if (!rc)
		rc = shape_check(env, session, msg, &t, err);
	if (!rc)
		rc = mikey_answer_check(env, msg, &g,
		                        mikey_octets_of(updating->sent.data, updating->sent.len),
		                        err);
	if (!rc)
		rc = keys_open(env, session, ends, &g, msg, t, &keys, err);
	if (!rc)
		rc = merge(session, &msg->hdr, &keys, &updating->keys, err);
	if (!rc)
		stamped(session, t);
	mikey_keys_done(&keys);
	base_arena_done(&arena);
	return rc;
}

/* Time, replay, MAC, keys: as in the first exchange (RFC 3830, 5.3). */
static int prove(const struct mikey_env *env, const struct mikey_session *s,
                 const struct mikey_ends *ends, const struct mikey_message *msg, uint64_t *ret_t,
                 struct mikey_keys *ret, struct base_error *err)
{
	const struct mikey_payload *v = mikey_final(msg->first);
	struct mikey_guard g = guard_of(env, s);
	struct base_writer w = { 0 };
	uint8_t digest[MIKEY_TAG_MAX];
	int rc = shape_check(env, s, msg, ret_t, err);

	if (rc)
		return rc;
	if (!v || v->type != MIKEY_V)
		return mikey_blame(err, MIKEY_BAD_AUTH,
		                   "the last payload is not V (RFC 6043, 4.2.2.1)");
	rc = covered(msg->octets.at, msg->octets.len - v->v.tag.len, ends, &w);
	if (rc)
		(void)mikey_own_fault(err, rc, "update");
	else
		rc = mikey_replay_check(env, *ret_t, mikey_octets_of(w.data, w.len), digest, err);
	if (!rc)
		rc = mikey_guard_check(env, &g, &v->v, mikey_octets_of(w.data, w.len), err);
	base_writer_done(&w);
	if (!rc && s->peer_t && (int64_t)(*ret_t - s->peer_t) <= 0)
		rc = mikey_blame(err, MIKEY_BAD_TS,
		                 "older than an update that has been taken: it was held back");
	if (!rc)
		rc = keys_open(env, s, ends, &g, msg, *ret_t, ret, err);
	return rc ? rc : mikey_replay_keep(env, *ret_t, digest, err);
}

/* The answer, in `out`. */
static int answer_write(const struct mikey_session *s, const struct mikey_guard *g,
                        const struct mikey_ends *ends, const struct mikey_message *msg, uint64_t t,
                        const struct mikey_answer *answer, const struct mikey_keys *theirs,
                        struct base_arena *arena, struct mikey_hdr *ret, struct base_writer *out)
{
	const struct mikey_keys *const list[] = { answer->keys, theirs, &s->keys };
	struct mikey_draft d = { .failed = false };
	int rc = build(&d, g, ends, false, t, answer->sp, answer->suite.encr, answer->keys);

	d.msg.hdr.data_type = MIKEY_TRANSFER_RESP;
	d.msg.hdr.cs_count = msg->hdr.cs_count;
	if (!rc)
		rc = mikey_sessions_answer(arena, &d.msg.hdr, &msg->hdr,
		                           mikey_first_spi(list, BASE_COUNT(list)), answer->sp);
	if (!rc)
		rc = mikey_draft_seal(&d, g, answer->suite.mac, &msg->octets, 1, out);
	*ret = d.msg.hdr;
	mikey_draft_done(&d);
	return rc;
}

/* With an answer it is the answer's crypto sessions that hold, else those that were offered. */
static int respond(const struct mikey_env *env, struct mikey_session *s,
                   const struct mikey_ends *ends, const struct mikey_message *msg,
                   const struct mikey_answer *answer, const struct mikey_keys *theirs,
                   struct base_writer *out, struct base_error *err)
{
	struct mikey_guard g = guard_of(env, s);
	struct base_arena arena = { 0 };
	struct mikey_hdr hdr = msg->hdr;
	uint64_t t = stamp(env, s, ends);
	int rc = 0;

	if (msg->hdr.v) {
		rc = answer_write(s, &g, ends, msg, t, answer, theirs, &arena, &hdr, out);
		if (base_err_class(rc) == BASE_PEER)
			(void)mikey_blame(err, base_err_detail(rc),
			                  "a crypto session has no policy, or no key has an SPI");
		else if (rc)
			(void)mikey_own_fault(err, rc, "TRANSFER_RESP");
		else
			stamped(s, t);
	}
	if (!rc)
		rc = merge(s, &hdr, msg->hdr.v ? answer->keys : NULL, theirs, err);
	if (rc)
		base_writer_reset(out);
	base_arena_done(&arena);
	return rc;
}

int mikey_update_resp(const struct mikey_env *env, struct mikey_session *session,
                      const struct mikey_ends *ends, const struct mikey_message *msg,
                      const uint8_t *prots, size_t prot_count, const struct mikey_answer *answer,
                      struct base_writer *out, struct base_error *err)
{
	struct mikey_keys theirs = { .count = 0 };
	uint64_t t = 0;
	int rc = ours_check(env, session, ends, answer->suite, answer->keys, err);

	if (rc)
		return rc;
	if (msg->hdr.data_type != MIKEY_TRANSFER_INIT)
		return mikey_blame(err, MIKEY_BAD_DATA_TYPE, "no TRANSFER_INIT (RFC 6043, 5.2)");
	rc = prove(env, session, ends, msg, &t, &theirs, err);
	if (!rc)
		rc = mikey_sessions_check(msg, prots, prot_count, err);
	if (!rc) {
		stamped(session, t);
		rc = respond(env, session, ends, msg, answer, &theirs, out, err);
		if (!rc)
			session->peer_t = t;
	}
	mikey_keys_done(&theirs);
	return rc;
}
