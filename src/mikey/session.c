/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a transfer leaves at both ends, and the TEKs out of it (RFC 6043, 5.1.3). */
#include "mikey/session.h"

void mikey_session_done(struct mikey_session *session)
{
	base_secret_done(&session->rand_i);
	base_secret_done(&session->rand_r);
	base_secret_done(&session->responder);
	base_secret_done(&session->last_key);
	base_secret_done(&session->last_rand_i);
	base_secret_done(&session->last_rand_r);
	mikey_keys_done(&session->keys);
}

int mikey_transfer_covered(const struct mikey_message *msg, const struct mikey_payload *ticket,
                           struct base_writer *w)
{
	const struct mikey_octets out = ticket->ticket.initiator_span;
	const uint8_t *end = msg->octets.at + msg->octets.len - mikey_final(msg->first)->v.tag.len;

	(void)base_writer_reserve(w, msg->octets.len + MIKEY_IDS_LEN); /* what fails fails below */
	base_writer_put(w, msg->octets.at, (size_t)(out.at - msg->octets.at));
	base_writer_put(w, out.at + out.len, (size_t)(end - (out.at + out.len)));
	return w->failed ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

int mikey_ticket_digest(struct mikey_kept *kept, const struct mikey_payload *ticket,
                        uint8_t ret[MIKEY_TAG_MAX])
{
	const uint8_t *from;

	memset(ret, 0, MIKEY_TAG_MAX);
	if (!ticket->span.at)
		return 0;           /* made, not read: nobody's TRANSFER_INIT brought it */
	from = ticket->span.at + 1; /* without "next payload", which is the message's */
	return mikey_digest(
	        kept, MIKEY_SHA_256,
	        mikey_octets_of(from, (size_t)(ticket->ticket.initiator_span.at - from)), ret);
}

static int copy_some(const struct mikey_keys *from, bool mpks, struct mikey_keys *ret)
{
	int rc = 0;

	for (size_t i = 0; i < from->count && !rc; i++) {
		const struct mikey_key *k = &from->key[i];

		if (mpks || k->type != MIKEY_MPK)
			rc = mikey_keys_add(ret, k->type, mikey_secret(&k->key),
			                    mikey_secret(&k->salt), mikey_secret(&k->spi));
	}
	return rc;
}

int mikey_keys_copy(const struct mikey_keys *from, struct mikey_keys *ret)
{
	return copy_some(from, true, ret);
}

static int sessions_fill(const struct mikey_message *resp, struct mikey_session *ret,
                         struct base_error *err)
{
	const struct mikey_hdr *hdr = &resp->hdr;

	if (hdr->map_type != MIKEY_MAP_GENERIC_ID || hdr->cs_count > BASE_COUNT(ret->cs))
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "no GENERIC-ID map of at most 16 crypto sessions "
		                   "(RFC 6043, 6.1.1)");
	for (unsigned i = 0; i < hdr->cs_count; i++) {
		const struct mikey_cs *cs = &hdr->cs[i];
		struct mikey_session_cs *to = &ret->cs[ret->cs_count++];

		if (cs->policies.len != 1 || !cs->spi.len)
			return mikey_blame(err, MIKEY_BAD_SP,
			                   "an answer names one policy and an SPI for each crypto "
			                   "session (RFC 6043, 6.1.1)");
		*to = (struct mikey_session_cs){ .id = cs->id,
			                         .prot = cs->prot,
			                         .spi_len = (uint8_t)cs->spi.len };
		memcpy(to->spi, cs->spi.at, cs->spi.len);
	}
	return 0;
}

/* Keys that came with the answer itself; the M flag has to allow them. They are not forked. */
static int own_keys(const struct mikey_env *env, const struct mikey_message *resp,
                    const struct mikey_policy *policy, const struct mikey_guard *g, uint64_t t,
                    struct mikey_session *ret, struct base_error *err)
{
	const struct mikey_payload *kemac = mikey_find(resp->first, MIKEY_KEMAC);

	if (!kemac || resp->hdr.data_type != MIKEY_TRANSFER_RESP)
		return 0;
	if (!(policy->flags & MIKEY_FLAG_M))
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "the Responder supplies keys against the M flag "
		                   "(RFC 6043, 4.2.2.3)");
	return mikey_guard_open(env, g, &kemac->kemac, t, &ret->keys, err);
}

static int copies(const struct mikey_message *resp, const struct mikey_policy *policy,
                  const struct mikey_guard *g, const struct mikey_keys *keys,
                  const struct mikey_keys *more, struct mikey_session *ret)
{
	const struct mikey_payload *id =
	        mikey_find_role(resp->first, MIKEY_IDR, MIKEY_ID_RESPONDER);
	int rc = copy_some(keys, false, &ret->keys);

	if (!rc && more)
		rc = copy_some(more, false, &ret->keys);
	if (!rc && (policy->flags & MIKEY_FLAG_H))
		rc = base_secret_set(&ret->rand_i, g->rands.initiator.at, g->rands.initiator.len);
	if (!rc && (policy->flags & MIKEY_FLAG_G))
		rc = base_secret_set(&ret->rand_r, g->rands.responder.at, g->rands.responder.len);
	if (!rc)
		rc = base_secret_set(&ret->last_key, g->key.at, g->key.len);
	if (!rc)
		rc = base_secret_set(&ret->last_rand_i, g->rands.initiator.at,
		                     g->rands.initiator.len);
	if (!rc)
		rc = base_secret_set(&ret->last_rand_r, g->rands.responder.at,
		                     g->rands.responder.len);
	if (!rc && id) {
		ret->responder_type = id->idr.id.type;
		rc = base_secret_set(&ret->responder, id->idr.id.data.at, id->idr.id.data.len);
	}
	return rc;
}

int mikey_session_fill(const struct mikey_env *env, const struct mikey_message *resp,
                       const struct mikey_policy *policy, const struct mikey_guard *g, uint64_t t,
                       const struct mikey_keys *keys, const struct mikey_keys *more,
                       struct mikey_session *ret, struct base_error *err)
{
	int rc = sessions_fill(resp, ret, err);

	if (rc)
		return rc;
	ret->csb_id = g->csb_id;
	ret->prf = g->prf;
	ret->end = policy->end;
	ret->flags = policy->flags;
	ret->last_response = g->response;
	ret->last_t = t;
	rc = copies(resp, policy, g, keys, more, ret);
	if (rc)
		return mikey_own_fault(err, rc, "session");
	return own_keys(env, resp, policy, g, t, ret, err);
}

static const struct mikey_key *key_of(const struct mikey_session *s,
                                      const struct mikey_session_cs *cs)
{
	const struct mikey_octets spi = mikey_octets_of(cs->spi, cs->spi_len);

	for (size_t i = 0; i < s->keys.count; i++) {
		if (mikey_octets_eq(mikey_secret(&s->keys.key[i].spi), spi))
			return &s->keys.key[i];
	}
	return s->keys.count == 1 && !s->keys.key[0].spi.len ? &s->keys.key[0] : NULL;
}

int mikey_session_tek(const struct mikey_env *env, const struct mikey_session *session,
                      uint8_t cs_id, uint8_t *out, size_t len, struct base_error *err)
{
	const struct mikey_rands rands = { mikey_secret(&session->rand_i),
		                           mikey_secret(&session->rand_r) };
	const struct mikey_key *k = NULL;
	int rc;

	for (size_t i = 0; i < session->cs_count; i++) {
		if (session->cs[i].id == cs_id)
			k = key_of(session, &session->cs[i]);
	}
	if (!k)
		return mikey_blame(err, MIKEY_UNSPECIFIED,
		                   "no key has the SPI of that crypto session (RFC 6043, 6.1.1)");
	if (k->type != MIKEY_TEK && k->type != MIKEY_TEK_SALT) {
		rc = mikey_derive_session(env->kept, session->prf, mikey_secret(&k->key),
		                          MIKEY_SESSION_TEK, cs_id, &rands, out, len);
		return rc ? mikey_own_fault(err, rc, "TEK") : 0;
	}
	if (k->key.len != len)
		return mikey_blame(err, MIKEY_UNSPECIFIED, "the TEK has another length");
	memcpy(out, k->key.data, len);
	return 0;
}
