/* SPDX-License-Identifier: Apache-2.0 */
/** @file The exchange at its Initiator: a ticket, TRANSFER_INIT, and what comes back. */
#include "offer/exchange.h"

#include <stdio.h>

#define KEY_LEN  32
#define SPI_LEN  8
#define NO_ERROR 255

void offer_exchange_done(struct offer_exchange *x)
{
	mikey_asking_done(&x->asked);
	mikey_grant_done(&x->grant);
	mikey_transfer_done(&x->transfer);
	base_writer_done(&x->message);
	base_secret_done(&x->psk);
	base_arena_done(&x->arena);
	*x = (struct offer_exchange){ .party = NULL };
}

struct mikey_env offer_env(const struct offer_party *party, uint64_t now)
{
	return (struct mikey_env){
		.now = now, .skew_s = party->skew_s, .replay = party->replay, .kept = party->kept
	};
}

struct mikey_suite offer_suite(const struct offer_party *party)
{
	const struct mikey_suite *s = &party->suite;

	if (s->prf || s->encr || s->mac)
		return *s;
	return (struct mikey_suite){ MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128,
		                     MIKEY_HMAC_SHA_256_256 };
}

const uint8_t *offer_prots(const struct offer_party *party, size_t *ret_count)
{
	static const uint8_t usual[] = { MIKEY_PROT_TLS };

	*ret_count = party->prot_count ? party->prot_count : 1;
	return party->prot_count ? party->prots : usual;
}

struct mikey_octets offer_keep(struct base_arena *arena, struct mikey_octets octets)
{
	uint8_t *copy = base_arena_alloc(arena, octets.len + 1);

	if (!copy)
		return mikey_octets_of(NULL, 0);
	if (octets.len)
		memcpy(copy, octets.at, octets.len);
	return mikey_octets_of(copy, octets.len);
}

static int no_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
}

/* Flags of RFC 6043, 6.10 (P: docs/offer.md): an answer is always wanted, both RANDs go into the
 * key, and where the KMS resolves it forks, so that IDRr of the answer is proved. */
static uint32_t flags_of(unsigned mode)
{
	uint32_t flags = MIKEY_FLAG_F | MIKEY_FLAG_G | MIKEY_FLAG_H | MIKEY_FLAG_N | MIKEY_FLAG_O;

	flags |= mode <= 2 ? MIKEY_FLAG_D : MIKEY_FLAG_L;
	return flags | (mode % 2 ? MIKEY_FLAG_E | MIKEY_FLAG_I : 0);
}

static struct mikey_policy policy_of(const struct offer_exchange *x, uint64_t now)
{
	const struct offer_party *p = x->party;
	uint64_t now_s = mikey_ntp_seconds((uint32_t)(now >> 32));
	unsigned mode = p->mode ? p->mode : 1;
	struct mikey_policy policy = { .type = MIKEY_TICKET_BASE,
		                       .subtype = 1,
		                       .version = 1,
		                       .prf = offer_suite(p).prf,
		                       .flags = flags_of(mode),
		                       .kms = p->kms,
		                       .initiator = p->id,
		                       .end = now_s + (p->lifetime_s ? p->lifetime_s : 3600),
		                       .responder = { x->peer },
		                       .responders = 1 };

	if (mode <= 2)
		policy.want[policy.wants++] = (struct mikey_want){ MIKEY_TGK, KEY_LEN };
	else
		policy.start = now_s - (p->skew_s ? p->skew_s : 300);
	return policy;
}

/* MPK and TGK of a ticket of one's own. */
static int fresh_keys(struct mikey_keys *keys)
{
	static const uint8_t types[] = { MIKEY_MPK, MIKEY_TGK };
	uint8_t key[KEY_LEN], spi[SPI_LEN];
	int rc = 0;

	for (size_t i = 0; i < BASE_COUNT(types) && !rc; i++) {
		rc = base_random(key, sizeof(key));
		if (!rc)
			rc = base_random(spi, sizeof(spi));
		if (!rc)
			rc = mikey_keys_add(keys, types[i], mikey_octets_of(key, sizeof(key)),
			                    mikey_octets_of(NULL, 0),
			                    mikey_octets_of(spi, sizeof(spi)));
	}
	base_wipe(key, sizeof(key));
	return rc;
}

static int own_ticket(struct offer_exchange *x, const struct mikey_policy *policy, uint64_t now,
                      struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_keys keys = { .count = 0 };
	int rc = fresh_keys(&keys);

	if (rc)
		rc = no_memory(err);
	x->grant.policy = *policy;
	if (!rc)
		rc = mikey_ticket_make(&x->arena, &env, policy, &x->party->tpk,
		                       offer_suite(x->party), mikey_octets_of(NULL, 0), &keys,
		                       &x->grant.ticket, &x->grant.keys, err);
	mikey_keys_done(&keys);
	return rc;
}

/* One crypto session of TLS (TS 33.328, H.3), its policy empty (P); the list of protocols that RFC
 * 4567, 7 wants. */
static int transfer_init(struct offer_exchange *x, uint64_t now, struct base_error *err)
{
	static const uint8_t policy_no[1] = { 0 };
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_payload list = { .type = MIKEY_GENERAL_EXT,
		                      .ext = { MIKEY_EXT_SDP_IDS,
		                               mikey_octets_text(MIKEY_SDP_ID) } };
	struct mikey_payload sp = { .next = &list, .type = MIKEY_SP };
	struct mikey_cs cs = { .id = 1, .policies = mikey_octets_of(policy_no, 1) };
	struct mikey_offer offer = { .suite = offer_suite(x->party),
		                     .initiator = x->party->id,
		                     .responder = x->peer,
		                     .cs = &cs,
		                     .cs_count = 1,
		                     .sp = &sp };
	size_t count;

	cs.prot = sp.sp.prot = offer_prots(x->party, &count)[0];
	if (base_random(&offer.csb_id, sizeof(offer.csb_id)))
		return no_memory(err);
	return mikey_transfer_init(&env, &offer, &x->grant, &x->transfer, err);
}

int offer_exchange_begin(struct offer_exchange *x, uint64_t now, struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_policy policy = policy_of(x, now);
	struct mikey_ask ask = { .suite = offer_suite(x->party),
		                 .own = x->party->id,
		                 .kms = x->party->kms,
		                 .cred = &x->party->cred };
	int rc;

	x->initiator = true;
	x->error_no = NO_ERROR;
	x->arena.wipe = true;
	if (x->party->mode > 2) {
		rc = own_ticket(x, &policy, now, err);
		return rc ? rc : transfer_init(x, now, err);
	}
	if (base_random(&ask.csb_id, sizeof(ask.csb_id)))
		return no_memory(err);
	rc = mikey_request_init(&env, &ask, &policy, &x->asked, err);
	x->asking = !rc;
	return rc;
}

/* Is the granted policy what we can use (RFC 6043, 4.2.1.6)? */
static int granted_check(const struct offer_exchange *x, struct base_error *err)
{
	const struct mikey_policy *p = &x->grant.policy;
	uint32_t wanted = flags_of(x->party->mode ? x->party->mode : 1) &
	                  (MIKEY_FLAG_F | MIKEY_FLAG_I | MIKEY_FLAG_N);

	if ((p->flags & wanted) != wanted || !mikey_policy_lists(p, &x->peer))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TP_PARAM),
		                      "the KMS granted a ticket that is not for who is called, or "
		                      "without an answer or forking (RFC 6043, 4.2.1.6)");
	return 0;
}

static int granted(struct offer_exchange *x, uint64_t now, struct mikey_octets answer,
                   struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_octets kept = offer_keep(&x->arena, answer);
	int rc = kept.at ? mikey_request_finish(&x->arena, &env, &x->asked, kept, &x->grant, err)
	                 : no_memory(err);

	if (!rc)
		rc = granted_check(x, err);
	return rc ? rc : transfer_init(x, now, err);
}

int offer_exchange_told(struct offer_exchange *x, uint64_t now, struct mikey_octets answer,
                        struct base_error *err)
{
	int rc;

	if (!x->asking)
		return base_error_set(err, BASE_ERR(BASE_BUG, 0), "nothing was asked");
	x->asking = false;
	rc = x->initiator ? granted(x, now, answer, err) : offer_resolved(x, now, answer, err);
	mikey_asking_done(&x->asked);
	x->asked = (struct mikey_asking){ .prf = 0 };
	return rc;
}

struct mikey_octets offer_exchange_message(const struct offer_exchange *x)
{
	const struct base_writer *w = x->initiator ? &x->transfer.sent : &x->message;

	return mikey_octets_of(w->data, w->len);
}

/* P: the SPI in hexadecimal, or the two numbers of the crypto session. */
static void identity_of(struct offer_exchange *x, const struct mikey_session *session)
{
	const struct mikey_session_cs *cs = &session->cs[0];
	char hex[3 * sizeof(cs->spi) + 1];

	if (!cs->spi_len) {
		(void)snprintf(x->psk_identity, sizeof(x->psk_identity), "%08x.%02x",
		               (unsigned)session->csb_id, cs->id);
		return;
	}
	base_hex_encode(cs->spi, cs->spi_len, 0, false, hex);
	(void)snprintf(x->psk_identity, sizeof(x->psk_identity), "%.*s", 2 * cs->spi_len, hex);
}

int offer_exchange_keys(struct offer_exchange *x, const struct mikey_session *session,
                        struct base_error *err)
{
	const uint64_t to_1970 = mikey_ntp(0, 0) >> 32;
	const struct mikey_env env = offer_env(x->party, 0);
	uint8_t psk[OFFER_PSK];
	size_t count;
	const uint8_t *prots = offer_prots(x->party, &count);
	int rc;

	if (session->cs_count != 1 || !memchr(prots, session->cs[0].prot, count))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_SP),
		                      "not exactly one crypto session of TLS (TS 33.328, H.3)");
	rc = mikey_session_tek(&env, session, session->cs[0].id, psk, sizeof(psk), err);
	if (!rc && base_secret_set(&x->psk, psk, sizeof(psk)))
		rc = no_memory(err);
	base_wipe(psk, sizeof(psk));
	if (rc)
		return rc;
	identity_of(x, session);
	x->end_s = session->end > to_1970 ? session->end - to_1970 : 0;
	return 0;
}

static bool printable(struct mikey_octets text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '"')
			return false;
	}
	return text.len > 0;
}

int offer_exchange_who(struct offer_exchange *x, const struct mikey_id *who, struct base_error *err)
{
	if (!printable(who->data) || who->data.len >= sizeof(x->name))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_ID),
		                      "MIKEY does not say who is there, or not in print");
	if (x->peer.data.len && !offer_stands_for(x->party, &x->peer, who))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_ID),
		                      "%.*s is there instead of %.*s", (int)who->data.len,
		                      (const char *)who->data.at,
		                      (int)BASE_MIN(x->peer.data.len, (size_t)200),
		                      (const char *)x->peer.data.at);
	memcpy(x->name, who->data.at, who->data.len);
	x->name[who->data.len] = '\0';
	return 0;
}

int offer_exchange_finish(struct offer_exchange *x, uint64_t now, struct mikey_octets answer,
                          struct base_error *err)
{
	const struct mikey_env env = offer_env(x->party, now);
	struct mikey_session session = { 0 };
	struct mikey_id who;
	int rc = mikey_transfer_finish(&env, &x->transfer, &x->grant, answer, &session, err);

	if (rc)
		return rc;
	who = (struct mikey_id){ session.responder_type,
		                 mikey_octets_of(session.responder.data, session.responder.len) };
	rc = offer_exchange_who(x, &who, err);
	if (!rc)
		rc = offer_exchange_keys(x, &session, err);
	mikey_session_done(&session);
	return rc;
}
