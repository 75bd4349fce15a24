/* SPDX-License-Identifier: Apache-2.0 */
/** @file The exchange at its Responder: TRANSFER_INIT judged, its ticket resolved, the answer. */
#include "offer/exchange.h"

static int blame(struct base_error *err, unsigned no, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, no), "%s", why);
}

/* RFC 4567, 7: the list in the message is the list in the description, or somebody has taken an
 * offer away. */
static int list_check(const struct offer_exchange *x, const struct mikey_message *msg,
                      struct base_str listed, struct base_error *err)
{
	const struct mikey_payload *p = mikey_find(msg->first, MIKEY_GENERAL_EXT);

	while (p && p->ext.type != MIKEY_EXT_SDP_IDS)
		p = mikey_find(p->next, MIKEY_GENERAL_EXT);
	if (!p)
		return x->party->unsafe_no_sdp_ids
		               ? 0
		               : blame(err, MIKEY_UNSPECIFIED,
		                       "the message does not list the key-mgmt protocols it was "
		                       "offered with (RFC 4567, 7)");
	if (!mikey_octets_eq(p->ext.data, mikey_octets_of(listed.ptr, listed.len)))
		return blame(err, MIKEY_UNSPECIFIED,
		             "other key-mgmt protocols were offered than arrived: bidding down? "
		             "(RFC 4567, 4.1.4)");
	return 0;
}

/* What is ours to judge before anybody is asked (TS 23.333; RFC 6043, 4.2.2.2). */
static int early_check(struct offer_exchange *x, const struct mikey_message *msg,
                       struct base_str listed, struct base_error *err)
{
	const struct mikey_received *r = &x->received;

	if (msg->hdr.cs_count != 1)
		return blame(err, MIKEY_BAD_SP, "not exactly one crypto session (TS 33.328, H.3)");
	if (!mikey_policy_lists(&r->policy, &x->party->id))
		return blame(err, MIKEY_BAD_ID, "the ticket is for somebody else");
	if (!(r->policy.flags & MIKEY_FLAG_F))
		return blame(err, MIKEY_BAD_TICKET,
		             "the ticket wants no answer, so nobody would know who has the key");
	return list_check(x, msg, listed, err);
}

/* Time, MAC, replay; the answer and the key. */
static int answer(struct offer_exchange *x, uint64_t now, const struct mikey_resolved *resolved,
                  struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	const struct mikey_answer how = { .suite = offer_suite(x->party) };
	struct mikey_session session = { 0 };
	int rc =
	        mikey_transfer_resp(&env, &x->received, resolved, &how, &x->message, &session, err);

	if (rc)
		return rc;
	rc = offer_exchange_who(x, &x->received.initiator, err);
	if (!rc)
		rc = offer_exchange_keys(x, &session, err);
	mikey_session_done(&session);
	if (rc)
		base_writer_done(&x->message);
	return rc;
}

/* A ticket that needs no KMS (modes 2 and 4), if we have its key. NULL: the KMS is to be asked. */
static const struct mikey_tpk *tpk_of(const struct offer_exchange *x)
{
	const struct mikey_received *r = &x->received;
	const struct offer_party *p = x->party;
	struct mikey_id name = { 0 };

	if ((r->policy.flags & MIKEY_FLAG_E) || r->policy.type != MIKEY_TICKET_BASE)
		return NULL;
	if (!mikey_ticket_psk_id(r->ticket, &name))
		return p->open_count == 1 ? &p->opens[0] : NULL;
	for (size_t i = 0; i < p->open_count; i++) {
		if (mikey_id_eq(&p->opens[i].id, &name))
			return &p->opens[i];
	}
	return NULL;
}

static int open_it(struct offer_exchange *x, const struct mikey_tpk *tpk, uint64_t now,
                   struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_resolved resolved = { .rand_kms = { NULL, 0 } };
	int rc = mikey_received_open(&env, &x->received, tpk, &resolved, err);

	if (!rc)
		rc = answer(x, now, &resolved, err);
	mikey_resolved_done(&resolved);
	return rc;
}

static int ask(struct offer_exchange *x, uint64_t now, struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	const struct offer_party *p = x->party;
	struct mikey_ask how = { .suite = offer_suite(p),
		                 .own = p->user.data.len ? p->user : p->id,
		                 .kms = p->kms,
		                 .cred = &p->cred };
	int rc;

	if (base_random(&how.csb_id, sizeof(how.csb_id)))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no random octets");
	rc = mikey_resolve_init(&env, &how, x->received.ticket, &x->asked, err);
	x->asking = !rc;
	return rc;
}

int offer_exchange_receive(struct offer_exchange *x, uint64_t now, struct mikey_octets init,
                           struct base_str listed, struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_octets kept;
	struct mikey_message *msg = NULL;
	const struct mikey_tpk *tpk;
	const uint8_t *prots;
	size_t count;
	int rc;

	x->error_no = 255;
	x->arena.wipe = true;
	kept = offer_keep(&x->arena, init);
	if (!kept.at)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	prots = offer_prots(x->party, &count);
	rc = mikey_decode(&x->arena, kept.at, kept.len, &msg, err);
	if (!rc)
		rc = mikey_received_read(&env, msg, &x->party->id, prots, count, &x->received, err);
	if (!rc)
		rc = early_check(x, msg, listed, err);
	if (rc)
		return rc;
	tpk = tpk_of(x);
	return tpk ? open_it(x, tpk, now, err) : ask(x, now, err);
}

int offer_resolved(struct offer_exchange *x, uint64_t now, struct mikey_octets told,
                   struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_resolved resolved = { .rand_kms = { NULL, 0 } };
	int rc = mikey_resolve_finish(&env, &x->asked, told, &resolved, err);

	if (!rc)
		rc = answer(x, now, &resolved, err);
	mikey_resolved_done(&resolved);
	return rc;
}
