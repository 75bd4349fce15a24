/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/guard.h"
#include "mikey/ticket.h"

/* RFC 6043, 6.10: "the flags are not independent". */
static const struct {
	uint32_t if_set, if_clear, then_set;
	const char *rule;
} flag_rules[] = {
	{ 0, MIKEY_FLAG_D, MIKEY_FLAG_L, "NOT D implies L" },
	{ MIKEY_FLAG_G, 0, MIKEY_FLAG_F, "G implies F" },
	{ 0, MIKEY_FLAG_G, MIKEY_FLAG_H, "NOT G implies H" },
	{ 0, MIKEY_FLAG_H, MIKEY_FLAG_G, "NOT H implies G" },
	{ MIKEY_FLAG_I, 0, MIKEY_FLAG_E, "I implies E" },
	{ MIKEY_FLAG_K, 0, MIKEY_FLAG_D, "K implies D" },
	{ MIKEY_FLAG_M, 0, MIKEY_FLAG_F, "M implies F" },
};

static int bad_param(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TP_PARAM),
	                      "ticket policy: %s (RFC 6043, 6.10)", why);
}

int mikey_policy_check(const struct mikey_policy *policy, struct base_error *err)
{
	for (size_t i = 0; i < BASE_COUNT(flag_rules); i++) {
		if ((policy->flags & flag_rules[i].if_set) == flag_rules[i].if_set &&
		    !(policy->flags & flag_rules[i].if_clear) &&
		    !(policy->flags & flag_rules[i].then_set))
			return bad_param(err, flag_rules[i].rule);
	}
	if (!policy->responders)
		return bad_param(err, "nobody is allowed to resolve it: no IDRr");
	if (policy->start && policy->end && policy->start > policy->end)
		return bad_param(err, "its validity ends before it starts");
	if (policy->prf > MIKEY_PRF_HMAC_SHA_256)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_PRF),
		                      "ticket policy: PRF %u is not known (RFC 6043, 6.1)",
		                      policy->prf);
	return 0;
}

static int bad_ticket(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET), "ticket: %s", why);
}

int mikey_policy_usable(const struct mikey_policy *policy, const struct mikey_env *env,
                        struct base_error *err)
{
	uint64_t now = mikey_ntp_seconds((uint32_t)(env->now >> 32));

	if (policy->type == MIKEY_TICKET_BASE ? policy->subtype != 1 || policy->version != 1
	                                      : policy->type != MIKEY_TICKET_3GPP)
		return bad_ticket(err, "its type is not known (RFC 6043, 6.10)");
	if (policy->start && now < policy->start)
		return bad_ticket(err, "it is not valid yet (RFC 6043, 6.10, TRs)");
	if (policy->end && now > policy->end)
		return bad_ticket(err, "it has expired (RFC 6043, 6.10, TRe)");
	return 0;
}

bool mikey_policy_lists(const struct mikey_policy *policy, const struct mikey_id *id)
{
	for (size_t i = 0; i < policy->responders; i++) {
		if (mikey_id_eq(&policy->responder[i], id))
			return true;
	}
	return false;
}

static int id_read(const struct mikey_idr *idr, struct mikey_policy *ret, struct base_error *err)
{
	switch (idr->role) {
	case MIKEY_ID_KMS:
		ret->kms = idr->id;
		return 0;
	case MIKEY_ID_INITIATOR:
		ret->initiator = idr->id;
		return 0;
	case MIKEY_ID_APP:
		if (ret->apps == MIKEY_IDS_MAX)
			return bad_param(err, "too many application identities");
		ret->app[ret->apps++] = idr->id;
		return 0;
	case MIKEY_ID_RESPONDER:
		if (ret->responders == MIKEY_IDS_MAX)
			return bad_param(err, "too many responders");
		ret->responder[ret->responders++] = idr->id;
		return 0;
	default:
		return 0; /* not expected: ignored */
	}
}

static int time_read(const struct mikey_ts *ts, struct mikey_policy *ret, struct base_error *err)
{
	uint32_t s = (uint32_t)(ts->type == MIKEY_NTP_UTC_32 ? ts->value : ts->value >> 32);

	if (ts->type == MIKEY_COUNTER)
		return bad_param(err, "a counter bounds its validity");
	if (ts->role == MIKEY_TS_START)
		ret->start = mikey_ntp_seconds(s);
	else if (ts->role == MIKEY_TS_END)
		ret->end = mikey_ntp_seconds(s);
	else if (ts->role == MIKEY_TS_REKEY && ts->type != MIKEY_NTP_UTC_32)
		return bad_param(err, "TRr is no NTP-UTC-32");
	else if (ts->role == MIKEY_TS_REKEY)
		ret->rekey_s = s;
	return 0;
}

static int wants_read(const struct mikey_kemac *kemac, struct mikey_policy *ret,
                      struct base_error *err)
{
	if (kemac->encr != MIKEY_ENCR_NULL || kemac->mac != MIKEY_MAC_NULL)
		return bad_param(err, "its KEMAC is not in the clear");
	for (const struct mikey_payload *p = kemac->keys; p; p = p->next) {
		if (ret->wants == MIKEY_KEYS_MAX)
			return bad_param(err, "it asks for too many keys");
		ret->want[ret->wants++] =
		        (struct mikey_want){ p->key.type, (uint16_t)p->key.key.len };
	}
	return 0;
}

int mikey_policy_read(const struct mikey_payload *ticket, struct mikey_policy *ret,
                      struct base_error *err)
{
	const struct mikey_ticket *t = &ticket->ticket;
	int rc = 0;

	*ret = (struct mikey_policy){ .type = t->type,
		                      .subtype = t->subtype,
		                      .version = t->version,
		                      .prf = t->prf,
		                      .flags = t->flags };
	for (const struct mikey_payload *p = t->policy; p && !rc; p = p->next) {
		if (p->type == MIKEY_IDR)
			rc = id_read(&p->idr, ret, err);
		else if (p->type == MIKEY_TR)
			rc = time_read(&p->ts, ret, err);
		else if (p->type == MIKEY_KEMAC && ticket->type == MIKEY_TP)
			rc = wants_read(&p->kemac, ret, err);
	}
	return rc;
}

static bool id_write(struct base_arena *arena, struct mikey_payload **chain, uint8_t role,
                     const struct mikey_id *id)
{
	struct mikey_payload *p;

	if (!id->data.len)
		return true;
	p = mikey_append(arena, chain, MIKEY_IDR);
	if (p)
		p->idr = (struct mikey_idr){ role, *id };
	return p;
}

static bool time_write(struct base_arena *arena, struct mikey_payload **chain, uint8_t role,
                       uint64_t s)
{
	struct mikey_payload *p;

	if (!s)
		return true;
	p = mikey_append(arena, chain, MIKEY_TR);
	if (p)
		p->ts = (struct mikey_ts){ role, MIKEY_NTP_UTC_32, (uint32_t)s };
	return p;
}

/* Key Data of zeroes: only their lengths say something (RFC 6043, 6.10). */
static bool wants_write(struct base_arena *arena, struct mikey_payload **chain,
                        const struct mikey_policy *policy)
{
	struct mikey_payload *kemac, *p;

	if (!policy->wants)
		return true;
	kemac = mikey_append(arena, chain, MIKEY_KEMAC);
	for (size_t i = 0; kemac && i < policy->wants; i++) {
		const void *zero = base_arena_alloc(arena, policy->want[i].len + 1U);

		p = zero ? mikey_append(arena, &kemac->kemac.keys, MIKEY_KEY_DATA) : NULL;
		if (!p)
			return false;
		p->key.type = policy->want[i].type;
		p->key.key = mikey_octets_of(zero, policy->want[i].len);
	}
	return kemac;
}

int mikey_policy_write(struct base_arena *arena, const struct mikey_policy *policy, uint8_t type,
                       struct mikey_payload **ret)
{
	struct mikey_payload *p = BASE_NEW(arena, struct mikey_payload), **chain;
	bool ok;

	if (!p)
		return BASE_ERR(BASE_LOCAL, 0);
	p->type = type;
	p->ticket = (struct mikey_ticket){ .type = policy->type,
		                           .subtype = policy->subtype,
		                           .version = policy->version,
		                           .prf = policy->prf,
		                           .flags = policy->flags };
	chain = &p->ticket.policy;
	ok = id_write(arena, chain, MIKEY_ID_KMS, &policy->kms) &&
	     id_write(arena, chain, MIKEY_ID_INITIATOR, &policy->initiator) &&
	     time_write(arena, chain, MIKEY_TS_START, policy->start) &&
	     time_write(arena, chain, MIKEY_TS_END, policy->end) &&
	     time_write(arena, chain, MIKEY_TS_REKEY, policy->rekey_s) &&
	     (type != MIKEY_TP || wants_write(arena, chain, policy));
	for (size_t i = 0; ok && i < policy->apps; i++)
		ok = id_write(arena, chain, MIKEY_ID_APP, &policy->app[i]);
	for (size_t i = 0; ok && i < policy->responders; i++)
		ok = id_write(arena, chain, MIKEY_ID_RESPONDER, &policy->responder[i]);
	if (!ok)
		return BASE_ERR(BASE_LOCAL, 0);
	*ret = p;
	return 0;
}
