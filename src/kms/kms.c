/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/kms.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "kms/policy.h"

#define KEY_MIN  16 /* octets of a session key that one may ask for */
#define KEY_MAX  128
#define SALT_LEN 14 /* of SRTP (RFC 3711, 8.2) */
#define SPI_LEN  4
#define TPK_NAME "tpk-" /* and the generation, in decimal: IDRpsk of our tickets */

struct kms {
	const struct kms_config *config;
	struct kms_store *store;
	struct mikey_id id;
	struct mikey_suite suite;
	struct mikey_kept *kept; /* NULL: answers take longer */
	uint8_t nobody[32];      /* the key of those whom nobody knows */
};

/* One question on its way. */
struct answering {
	struct kms *kms;
	struct mikey_env env;
	struct base_arena arena;
	struct mikey_message *msg;
	struct kms_user user;
	bool known;
	struct mikey_cred cred;
	struct mikey_asked asked;
	uint64_t unix_s;
	struct base_writer *out;
	struct kms_outcome *outcome;
	struct base_error err;
};

static unsigned stars(const char *pattern)
{
	unsigned n = 0;

	for (; *pattern; pattern++)
		n += *pattern == '*';
	return n;
}

int kms_new(struct kms **ret, const struct kms_config *config, struct kms_store *store,
            struct base_error *err)
{
	static const struct mikey_suite ours = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128,
		                                 MIKEY_HMAC_SHA_256_256 };
	struct kms *kms;

	if (!config->identity || !*config->identity)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "a KMS needs an identity");
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct kms_rule *rule = &config->rules[i];

		if (!rule->from || !rule->to || stars(rule->from) > 1 || stars(rule->to) > 1)
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "rule %zu: a name may have one * only", i + 1);
	}
	for (size_t i = 0; i < config->group_count; i++) {
		const struct kms_group *group = &config->groups[i];

		for (size_t m = 0; m <= group->count; m++) { /* its name, then its members */
			const char *name = m ? group->members[m - 1] : group->name;

			if (!name || stars(name) > 1)
				return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
				                      "group %zu: a name may have one * only",
				                      i + 1);
		}
	}
	kms = calloc(1, sizeof(*kms));
	if (!kms)
		return BASE_ERR(BASE_LOCAL, 0);
	kms->config = config;
	kms->store = store;
	kms->id = (struct mikey_id){ MIKEY_URI, mikey_octets_text(config->identity) };
	kms->suite = config->suite.mac ? config->suite : ours;
	kms->kept = mikey_kept_new();
	if (base_random(kms->nobody, sizeof(kms->nobody))) {
		kms_free(kms);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	*ret = kms;
	return 0;
}

void kms_free(struct kms *kms)
{
	if (!kms)
		return;
	explicit_bzero(kms->nobody, sizeof(kms->nobody));
	mikey_kept_free(kms->kept);
	free(kms);
}

/* -- who asks ---------------------------------------------------------------------------------- */

static void printable(char *out, size_t cap, struct mikey_octets from, bool spaces)
{
	size_t n = BASE_MIN(from.len, cap - 1);

	for (size_t i = 0; i < n; i++)
		out[i] = from.at[i] >= (spaces ? ' ' : '!') && from.at[i] < 0x7f ? (char)from.at[i]
		                                                                 : '?';
	out[n] = 0;
}

static bool is_resolve(const struct mikey_message *msg)
{
	return msg->hdr.data_type == MIKEY_RESOLVE_INIT_PSK ||
	       msg->hdr.data_type == MIKEY_RESOLVE_INIT_PK;
}

static bool is_pk(const struct mikey_message *msg)
{
	return msg->hdr.data_type == MIKEY_REQUEST_INIT_PK ||
	       msg->hdr.data_type == MIKEY_RESOLVE_INIT_PK;
}

/*
 * His key out of the certificate that he was enrolled with; whatever he sends along is not asked.
 * Whom nobody knows is held against our own key, which nobody else has: he hears what they hear
 * whose signature is wrong.
 */
static void cred_pk(struct answering *a)
{
	const uint8_t *at = a->user.cert.at;
	X509 *cert = at ? d2i_X509(NULL, &at, (long)a->user.cert.len) : NULL;

	a->cred.own = a->kms->config->key;
	a->cred.peer_cert = a->kms->config->cert;
	a->cred.peer = a->known && cert ? X509_get_pubkey(cert) : NULL;
	X509_free(cert);
	if (a->cred.peer || !a->cred.own)
		return;
	a->known = false;
	if (EVP_PKEY_up_ref(a->kms->config->key) == 1)
		a->cred.peer = a->kms->config->key;
}

/*
 * Find who asks by IDRpsk, or by IDRi or IDRr. Whom nobody knows, and whose names do not belong
 * together, is held against a key that nobody has: same work, same answer.
 */
static int find_user(struct answering *a, const struct mikey_id **ret_asker)
{
	uint8_t role = is_resolve(a->msg) ? MIKEY_ID_RESPONDER : MIKEY_ID_INITIATOR;
	const struct mikey_payload *own = mikey_find_role(a->msg->first, MIKEY_IDR, role);
	const struct mikey_payload *psk = mikey_find_role(a->msg->first, MIKEY_IDR, MIKEY_ID_PSK);
	const struct mikey_payload *name = psk && !is_pk(a->msg) ? psk : own;
	int found;

	*ret_asker = name ? &name->idr.id : NULL;
	if (!name)
		return 0;
	found = kms_store_user(a->kms->store, name == psk ? KMS_BY_PSK_ID : KMS_BY_ID,
	                       &name->idr.id, &a->arena, &a->user);
	if (found < 0)
		return found;
	a->known = found && (!own || mikey_id_eq(&own->idr.id, &a->user.id)) &&
	           (is_pk(a->msg) ? a->user.cert.len : a->user.psk.len);
	if (a->known)
		*ret_asker = &a->user.id;
	else if (own)
		*ret_asker = &own->idr.id;
	return 0;
}

/* Proved, in time, and never seen before. */
static int prove(struct answering *a)
{
	const struct mikey_id *asker = NULL;
	uint32_t skew = a->env.skew_s ? a->env.skew_s : 300;
	uint8_t digest[32];
	int rc = find_user(a, &asker);

	if (rc)
		return base_error_set(&a->err, rc, "the store does not answer");
	a->cred.psk =
	        a->known ? a->user.psk : mikey_octets_of(a->kms->nobody, sizeof(a->kms->nobody));
	if (is_pk(a->msg))
		cred_pk(a);
	rc = mikey_asked_read(&a->env, a->msg, &a->kms->id, asker, &a->cred, &a->asked, &a->err);
	if (rc)
		return rc;
	if (!a->known) /* never: nobody has that key */
		return base_error_set(&a->err, BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH),
		                      "nobody knows it");
	printable(a->outcome->asker, sizeof(a->outcome->asker), a->asked.asker.data, false);
	if (EVP_Digest(a->msg->octets.at, a->msg->octets.len, digest, NULL, EVP_sha256(), NULL) !=
	    1)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = kms_store_seen(a->kms->store, digest, a->unix_s, a->unix_s + 2 * (uint64_t)skew + 1);
	if (rc < 0)
		return base_error_set(&a->err, rc, "what was taken cannot be remembered");
	return rc ? base_error_set(&a->err, BASE_ERR(BASE_PEER, MIKEY_BAD_TS),
	                           "it was taken before (RFC 3830, 5.4)")
	          : 0;
}

/* -- a ticket ---------------------------------------------------------------------------------- */

static int key_add(struct mikey_keys *keys, uint8_t type, size_t len)
{
	bool salted = type == MIKEY_TGK_SALT || type == MIKEY_TEK_SALT || type == MIKEY_GTGK_SALT;
	uint8_t key[KEY_MAX], salt[SALT_LEN], spi[SPI_LEN];
	int rc = base_random(key, len);

	if (!rc)
		rc = base_random(salt, sizeof(salt));
	if (!rc)
		rc = base_random(spi, sizeof(spi));
	if (!rc)
		rc = mikey_keys_add(keys, type, mikey_octets_of(key, len),
		                    mikey_octets_of(salt, salted ? sizeof(salt) : 0),
		                    mikey_octets_of(spi, sizeof(spi)));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(salt, sizeof(salt));
	return rc;
}

/* An MPK, and the keys that were asked for; a TGK where none was (RFC 6043, 4.2.1.5). */
static int keys_make(struct answering *a, struct mikey_keys *keys)
{
	const struct mikey_policy *policy = &a->asked.policy;
	int rc = key_add(keys, MIKEY_MPK, 32);

	for (size_t i = 0; i < policy->wants && !rc; i++) {
		const struct mikey_want *want = &policy->want[i];

		if (want->type > MIKEY_GTGK_SALT || want->len < KEY_MIN || want->len > KEY_MAX)
			return base_error_set(&a->err, BASE_ERR(BASE_PEER, MIKEY_BAD_TP_PARAM),
			                      "a key of type %u with %u octets is not to be had",
			                      want->type, want->len);
		rc = key_add(keys, want->type, want->len);
	}
	if (!rc && !policy->wants)
		rc = key_add(keys, MIKEY_TGK, 32);
	return rc;
}

static int ticket_make(struct answering *a, struct mikey_payload **ret, struct mikey_keys *granted)
{
	const struct kms_config *c = a->kms->config;
	const struct kms_tpk *tpk;
	struct mikey_keys raw = { .count = 0 };
	struct mikey_tpk with;
	char name[32];
	int rc = kms_store_tpk(a->kms->store, a->unix_s, c->turn_s ? c->turn_s : 604800,
	                       2 * (c->lifetime_max_s ? c->lifetime_max_s : 86400), &tpk, &a->err);

	if (rc)
		return rc;
	(void)snprintf(name, sizeof(name), TPK_NAME "%llu", (unsigned long long)tpk->generation);
	with = (struct mikey_tpk){ mikey_secret(&tpk->key),
		                   { MIKEY_BYTE_STRING, mikey_octets_text(name) } };
	rc = keys_make(a, &raw);
	if (!rc)
		rc = mikey_ticket_make(&a->arena, &a->env, &a->asked.policy, &with, a->kms->suite,
		                       mikey_octets_of(NULL, 0), &raw, ret, granted, &a->err);
	mikey_keys_done(&raw);
	return rc;
}

static int grant(struct answering *a)
{
	struct mikey_payload *ticket = NULL;
	struct mikey_keys granted = { .count = 0 };
	uint64_t now = mikey_ntp_seconds((uint32_t)(a->env.now >> 32));
	int rc;

	if (a->asked.policy.responders)
		printable(a->outcome->about, sizeof(a->outcome->about),
		          a->asked.policy.responder[0].data, false);
	rc = kms_policy_grant(a->kms->config, &a->asked.asker, now, &a->asked.policy, &a->err);
	if (!rc)
		rc = ticket_make(a, &ticket, &granted);
	if (!rc)
		rc = mikey_request_resp(&a->env, &a->asked, a->kms->suite, &a->kms->id, ticket,
		                        &granted, a->out, &a->err);
	mikey_keys_done(&granted);
	a->outcome->result = KMS_GRANTED;
	return rc;
}

/* -- a resolution ------------------------------------------------------------------------------ */

static int bad_ticket(struct answering *a, const char *why)
{
	return base_error_set(&a->err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET), "%s", why);
}

/* The generation that its IDRpsk names; 0 = it is none of ours. */
static uint64_t generation_of(const struct mikey_id *id)
{
	struct base_str digits = { (const char *)id->data.at, id->data.len };
	const size_t len = strlen(TPK_NAME);
	uint64_t generation;

	if (id->type != MIKEY_BYTE_STRING || digits.len <= len ||
	    memcmp(digits.ptr, TPK_NAME, len) != 0)
		return 0;
	digits.ptr += len;
	digits.len -= len;
	return base_str_u64(digits, INT64_MAX, &generation) ? 0 : generation;
}

/*
 * The key that opens it: ours, or one that a user makes tickets with (mode 3). Its owner must be
 * who the ticket says made it, or every such user could forge tickets of all others; mikey sees to
 * that.
 */
static int tpk_of(struct answering *a, struct mikey_tpk *ret)
{
	const struct mikey_policy *policy = &a->asked.policy;
	bool ours = (policy->flags & MIKEY_FLAG_D) != 0;
	struct kms_user maker;
	uint64_t generation;
	int found;

	if (!mikey_ticket_psk_id(a->asked.ticket, &ret->id))
		return bad_ticket(a, "the ticket does not say by which key it was made");
	generation = generation_of(&ret->id);
	if (ours) {
		const struct kms_tpk *tpk = NULL;

		found = generation ? kms_store_tpk_of(a->kms->store, generation, a->unix_s, &tpk)
		                   : 0;
		if (found < 0)
			return base_error_set(&a->err, found, "the store does not answer");
		if (!tpk || !mikey_id_eq(&policy->kms, &a->kms->id))
			return bad_ticket(a, "no such ticket was made here, or long ago");
		ret->key = mikey_secret(&tpk->key);
		return 0;
	}
	found = kms_store_user(a->kms->store, KMS_BY_TPK_ID, &ret->id, &a->arena, &maker);
	if (found < 0)
		return base_error_set(&a->err, found, "the store does not answer");
	if (!found || !maker.tpk.len)
		return bad_ticket(a, "nobody has the key that it was made with");
	ret->key = maker.tpk;
	ret->owner = maker.id;
	return 0;
}

static int resolve(struct answering *a)
{
	const struct mikey_policy *policy = &a->asked.policy;
	const struct mikey_id *listed = kms_policy_listed(a->kms->config, policy, &a->asked.asker);
	const struct kms_rule *rule;
	struct mikey_tpk tpk = { 0 };
	int rc;

	printable(a->outcome->about, sizeof(a->outcome->about), policy->initiator.data, false);
	if (!listed)
		return base_error_set(&a->err, BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH),
		                      "the ticket is not for it");
	rule = kms_rule_for(a->kms->config, policy->initiator.data, listed->data);
	if (!rule)
		return base_error_set(&a->err, BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH),
		                      "no rule lets its initiator have a ticket for it (any more)");
	rc = kms_policy_bounds(a->kms->config, rule, policy, !mikey_id_eq(listed, &a->asked.asker),
	                       mikey_ntp_seconds((uint32_t)(a->env.now >> 32)), &a->err);
	if (!rc)
		rc = tpk_of(a, &tpk);
	if (!rc)
		rc = mikey_resolve_resp(&a->env, &a->asked, a->kms->suite, &a->kms->id, &tpk,
		                        listed, &a->asked.asker, a->out, &a->err);
	a->outcome->result = KMS_RESOLVED;
	return rc;
}

/* -- an answer --------------------------------------------------------------------------------- */

/* Our own faults are nobody's business: Unspecified. */
static unsigned error_no_of(int rc)
{
	return base_err_class(rc) == BASE_PEER ? base_err_detail(rc) : MIKEY_UNSPECIFIED;
}

static int refuse(struct answering *a, struct mikey_octets question, int rc, enum kms_result result)
{
	a->outcome->result = base_err_class(rc) == BASE_PEER ? result : KMS_FAILED;
	a->outcome->error_no = error_no_of(rc);
	printable(a->outcome->text, sizeof(a->outcome->text),
	          mikey_octets_text(a->err.text[0] ? a->err.text : "out of memory"), true);
	base_writer_reset(a->out);
	if (result == KMS_REFUSED)
		return mikey_asked_refuse(&a->env, &a->asked, a->kms->suite.mac,
		                          a->outcome->error_no, a->out);
	return mikey_error_write(&a->env, question, a->outcome->error_no, NULL, a->out);
}

static int answer(struct answering *a, enum kms_kind kind, struct mikey_octets question)
{
	int rc = mikey_decode(&a->arena, question.at, question.len, &a->msg, &a->err);

	if (rc)
		return refuse(a, question, rc, KMS_MALFORMED);
	if (kind != KMS_ANY && (kind == KMS_RESOLVE) != is_resolve(a->msg)) {
		rc = base_error_set(&a->err, BASE_ERR(BASE_PEER, MIKEY_BAD_DATA_TYPE),
		                    "the message is not what the request says it is");
		return refuse(a, question, rc, KMS_MALFORMED);
	}
	rc = prove(a);
	if (rc)
		return refuse(a, question, rc, KMS_UNPROVED);
	rc = a->asked.resolve ? resolve(a) : grant(a);
	return rc ? refuse(a, question, rc, KMS_REFUSED) : 0;
}

int kms_answer(struct kms *kms, uint64_t unix_s, uint32_t ns, enum kms_kind kind,
               struct mikey_octets question, struct base_writer *out, struct kms_outcome *ret)
{
	struct answering a = { .kms = kms,
		               .env = { .now = mikey_ntp(unix_s, ns),
		                        .kept = kms->kept,
		                        .skew_s = kms->config->skew_s },
		               .arena = { .wipe = true },
		               .unix_s = unix_s,
		               .out = out,
		               .outcome = ret };
	int rc;

	*ret = (struct kms_outcome){ 0 };
	rc = answer(&a, kind, question);
	EVP_PKEY_free(a.cred.peer);
	mikey_asked_done(&a.asked);
	base_arena_done(&a.arena);
	return rc;
}
