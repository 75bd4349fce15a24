/* SPDX-License-Identifier: Apache-2.0 */
/** @file A KMS and its users: who gets a ticket, who may resolve it, who is told what. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "folder.h"
#include "kms/kms.h"

#define NOW 1800000000U /* unix time */

static const struct kms_rule rules[] = {
	{ .from = "sip:*@example.com", .to = "sip:enemy@example.com", .deny = true },
	{ .from = "sip:*@example.com", .to = "sip:*@example.com" },
	{ .from = "sip:alice@example.com", .to = "sip:*@partner.example", .lifetime_s = 60 },
};
static const char *const members[] = { "sip:bob@example.com", "sip:carol*" };
static const struct kms_group groups[] = {
	{ .name = "sip:room@example.com", .members = members, .count = 2 },
};
static const struct kms_config config = { .identity = "sip:kms.example.com",
	                                  .rules = rules,
	                                  .rule_count = BASE_COUNT(rules),
	                                  .groups = groups,
	                                  .group_count = BASE_COUNT(groups) };
static const struct mikey_suite suite = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128,
	                                  MIKEY_HMAC_SHA_256_256 };
static const uint8_t master[KMS_MASTER_KEY] = "master";

struct stage {
	struct folder folder;
	struct kms_store *store;
	struct kms *kms;
	uint64_t now_s;
	struct mikey_cred cred;
	struct mikey_id kms_id;
	struct base_arena arena;
	struct base_error err;
	struct kms_outcome outcome;
	struct base_writer answer;
};

static struct mikey_id uri(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static void enroll(struct stage *s, const char *name, const char *tpk)
{
	struct kms_user user = { .id = uri(name),
		                 .psk = mikey_octets_text(name),
		                 .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(name) },
		                 .tpk = mikey_octets_text(tpk),
		                 .tpk_id = uri(tpk ? tpk : "") };

	assert_int_equal(kms_store_user_put(s->store, &user, &s->err), 0);
}

static void stage_open(struct stage *s)
{
	*s = (struct stage){ .now_s = NOW, .kms_id = uri(config.identity) };
	folder_make(&s->folder);
	assert_int_equal(kms_store_open(&s->store, s->folder.store, master, &s->err), 0);
	assert_int_equal(kms_new(&s->kms, &config, s->store, &s->err), 0);
	enroll(s, "sip:alice@example.com", "tickets of alice");
	enroll(s, "sip:bob@example.com", NULL);
	enroll(s, "sip:carol2@example.com", NULL);
	enroll(s, "sip:mallory@example.com", "tickets of mallory");
}

static void stage_close(struct stage *s)
{
	base_writer_done(&s->answer);
	base_arena_done(&s->arena);
	kms_free(s->kms);
	kms_store_close(s->store);
	folder_remove(&s->folder);
}

static struct mikey_env env_of(const struct stage *s)
{
	return (struct mikey_env){ .now = mikey_ntp(s->now_s, 0) };
}

static struct mikey_ask ask_of(struct stage *s, const char *who, const char *key)
{
	s->cred = (struct mikey_cred){ .psk = mikey_octets_text(key),
		                       .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(who) } };
	return (struct mikey_ask){
		.suite = suite, .csb_id = 7, .own = uri(who), .kms = s->kms_id, .cred = &s->cred
	};
}

static uint64_t ntp_s(const struct stage *s)
{
	return mikey_ntp_seconds((uint32_t)(mikey_ntp(s->now_s, 0) >> 32));
}

static struct mikey_policy policy_for(const char *responder)
{
	return (struct mikey_policy){ .type = MIKEY_TICKET_BASE,
		                      .subtype = 1,
		                      .version = 1,
		                      .prf = MIKEY_PRF_HMAC_SHA_256,
		                      .flags = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_F |
		                               MIKEY_FLAG_G | MIKEY_FLAG_H | MIKEY_FLAG_N |
		                               MIKEY_FLAG_O,
		                      .responder = { uri(responder) },
		                      .responders = 1,
		                      .want = { { MIKEY_TGK, 32 } },
		                      .wants = 1 };
}

static int answered(struct stage *s, enum kms_kind kind, struct mikey_octets question)
{
	base_writer_reset(&s->answer);
	return kms_answer(s->kms, s->now_s, 0, kind, question, &s->answer, &s->outcome);
}

static struct mikey_octets octets(const struct base_writer *w)
{
	return mikey_octets_of(w->data, w->len);
}

/* Ask, and take the answer: what the user has then. */
static int request(struct stage *s, const char *who, const char *key,
                   const struct mikey_policy *policy, struct mikey_grant *ret)
{
	struct mikey_env env = env_of(s);
	struct mikey_ask ask = ask_of(s, who, key);
	struct mikey_asking asking = { 0 };
	int rc;

	assert_int_equal(mikey_request_init(&env, &ask, policy, &asking, &s->err), 0);
	assert_int_equal(answered(s, KMS_REQUEST, octets(&asking.sent)), 0);
	rc = mikey_request_finish(&s->arena, &env, &asking, octets(&s->answer), ret, &s->err);
	mikey_asking_done(&asking);
	return rc;
}

static int resolve(struct stage *s, const char *who, const struct mikey_payload *ticket,
                   struct mikey_resolved *ret)
{
	struct mikey_env env = env_of(s);
	struct mikey_ask ask = ask_of(s, who, who);
	struct mikey_asking asking = { 0 };
	int rc;

	assert_int_equal(mikey_resolve_init(&env, &ask, ticket, &asking, &s->err), 0);
	assert_int_equal(answered(s, KMS_RESOLVE, octets(&asking.sent)), 0);
	rc = mikey_resolve_finish(&env, &asking, octets(&s->answer), ret, &s->err);
	mikey_asking_done(&asking);
	return rc;
}

/* A ticket for that responder, read as the responder reads it. */
static const struct mikey_payload *ticket_for(struct stage *s, const char *responder)
{
	struct mikey_policy policy = policy_for(responder);
	struct mikey_grant grant = { 0 };

	if (request(s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant))
		fail_msg("%s; %s", s->err.text, s->outcome.text);
	assert_int_equal(s->outcome.result, KMS_GRANTED);
	mikey_keys_done(&grant.keys);
	return grant.ticket;
}

static void granted_and_resolved(void **state)
{
	struct mikey_policy policy = policy_for("sip:bob@example.com");
	struct mikey_grant grant = { 0 };
	struct mikey_resolved resolved = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_int_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_string_equal(s.outcome.asker, "sip:alice@example.com");
	assert_string_equal(s.outcome.about, "sip:bob@example.com");
	assert_true(grant.policy.flags & MIKEY_FLAG_K); /* it was given an end, and an initiator */
	assert_int_equal(grant.policy.end - grant.policy.start, 3600);
	assert_true(mikey_id_eq(
	        &grant.policy.initiator,
	        &(struct mikey_id){ MIKEY_URI, mikey_octets_text("sip:alice@example.com") }));
	assert_int_equal(resolve(&s, "sip:bob@example.com", grant.ticket, &resolved), 0);
	assert_int_equal(s.outcome.result, KMS_RESOLVED);
	assert_string_equal(s.outcome.about, "sip:alice@example.com");
	/* both have the same TGK */
	assert_true(mikey_octets_eq(mikey_secret(&grant.keys.key[grant.keys.count - 1].key),
	                            mikey_secret(&resolved.keys.key[resolved.keys.count - 1].key)));
	mikey_grant_done(&grant);
	mikey_resolved_done(&resolved);
	stage_close(&s);
}

/* The ticket as it comes along with a transfer, Initiator Data and all. */
static const struct mikey_payload *transferred(struct stage *s, const struct mikey_grant *grant,
                                               const char *responder)
{
	static const uint8_t policy_no[1], prots[] = { MIKEY_PROT_TLS };
	struct mikey_cs cs = { .id = 1,
		               .prot = MIKEY_PROT_TLS,
		               .policies = mikey_octets_of(policy_no, 1) };
	struct mikey_payload sp = { .type = MIKEY_SP, .sp = { .prot = MIKEY_PROT_TLS } };
	struct mikey_env env = env_of(s);
	struct mikey_offer offer = { .suite = suite,
		                     .csb_id = 9,
		                     .initiator = uri("sip:alice@example.com"),
		                     .responder = uri(responder),
		                     .cs = &cs,
		                     .cs_count = 1,
		                     .sp = &sp };
	struct mikey_transfer transfer = { 0 };
	struct mikey_received received = { 0 };
	struct mikey_message *msg = NULL;
	char *copy;

	if (mikey_transfer_init(&env, &offer, grant, &transfer, &s->err))
		fail_msg("%s", s->err.text);
	copy = base_arena_dup(&s->arena, base_writer_view(&transfer.sent));
	assert_int_equal(mikey_decode(&s->arena, copy, transfer.sent.len, &msg, &s->err), 0);
	assert_int_equal(mikey_received_read(&env, msg, NULL, prots, 1, &received, &s->err), 0);
	mikey_transfer_done(&transfer);
	return received.ticket;
}

/** Each member of a group gets keys of his own (RFC 6043, 5.1.1), and nobody else any. */
static void groups_fork(void **state)
{
	struct mikey_policy policy = policy_for("sip:room@example.com");
	struct mikey_resolved bob = { 0 }, carol = { 0 }, mallory = { 0 };
	struct mikey_grant grant = { 0 };
	const struct mikey_payload *ticket;
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_int_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_true(grant.policy.flags & MIKEY_FLAG_I);
	assert_int_not_equal(resolve(&s, "sip:bob@example.com", grant.ticket, &bob), 0);
	assert_int_equal(s.outcome.result,
	                 KMS_REFUSED); /* no Initiator Data: it was not transferred */
	ticket = transferred(&s, &grant, "sip:room@example.com");
	assert_int_equal(resolve(&s, "sip:bob@example.com", ticket, &bob), 0);
	assert_int_equal(resolve(&s, "sip:carol2@example.com", ticket, &carol), 0);
	assert_int_equal(bob.keys.count, carol.keys.count);
	assert_false(mikey_octets_eq(mikey_secret(&bob.keys.key[bob.keys.count - 1].key),
	                             mikey_secret(&carol.keys.key[carol.keys.count - 1].key)));
	assert_int_not_equal(resolve(&s, "sip:mallory@example.com", ticket, &mallory), 0);
	assert_string_equal(s.outcome.text, "the ticket is not for it");
	assert_int_equal(s.outcome.result, KMS_REFUSED);
	assert_int_equal(mallory.keys.count, 0);
	mikey_grant_done(&grant);
	mikey_resolved_done(&bob);
	mikey_resolved_done(&carol);
	stage_close(&s);
}

static void refused(void **state)
{
	static const struct {
		const char *who, *to;
		unsigned error_no;
	} rows[] = {
		{ "sip:alice@example.com", "sip:enemy@example.com", MIKEY_BAD_AUTH },
		{ "sip:bob@example.com", "sip:x@partner.example", MIKEY_BAD_AUTH },
		{ "sip:alice@example.com", "sip:x@elsewhere.example", MIKEY_BAD_AUTH },
		{ "sip:alice@example.com", "tel:+1", MIKEY_BAD_AUTH },
	};
	struct stage s;

	(void)state;
	stage_open(&s);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct mikey_policy policy = policy_for(rows[i].to);
		struct mikey_grant grant = { 0 };

		assert_int_equal(
		        base_err_class(request(&s, rows[i].who, rows[i].who, &policy, &grant)),
		        BASE_PEER);
		assert_int_equal(s.outcome.result, KMS_REFUSED);
		assert_int_equal(s.outcome.error_no, rows[i].error_no);
		assert_int_equal(grant.keys.count, 0);
	}
	stage_close(&s);
}

/** Lifetimes are cut to what the rule allows; what makes no sense is refused. */
static void lifetimes(void **state)
{
	static const struct {
		const char *to;
		int64_t start, end; /* from now; 0 = not asked for */
		int64_t granted;    /* 0 = refused */
	} rows[] = {
		{ "sip:bob@example.com", 0, 0, 3600 },
		{ "sip:bob@example.com", 0, 10, 10 },
		{ "sip:bob@example.com", 0, 1000000, 86400 },
		{ "sip:bob@example.com", -500, 20, 20 },
		{ "sip:bob@example.com", 100, 200, 200 },
		{ "sip:bob@example.com", 0, -1, 0 },
		{ "sip:bob@example.com", 86401, 86500, 0 },
		{ "sip:x@partner.example", 0, 0, 60 },
		{ "sip:x@partner.example", 0, 7200, 60 },
	};
	struct stage s;

	(void)state;
	stage_open(&s);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct mikey_policy policy = policy_for(rows[i].to);
		struct mikey_grant grant = { 0 };
		int rc;

		policy.start = rows[i].start ? (uint64_t)((int64_t)ntp_s(&s) + rows[i].start) : 0;
		policy.end = rows[i].end ? (uint64_t)((int64_t)ntp_s(&s) + rows[i].end) : 0;
		rc = request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant);
		if ((s.outcome.result == KMS_GRANTED) != (rows[i].granted != 0))
			fail_msg("row %zu: %d, %s", i, rc, s.outcome.text);
		if (!rows[i].granted)
			assert_int_equal(s.outcome.error_no, MIKEY_BAD_TP_PARAM);
		else if (!rc) /* the library takes none that is not valid yet */
			assert_int_equal(grant.policy.end, ntp_s(&s) + (uint64_t)rows[i].granted);
		mikey_grant_done(&grant);
	}
	stage_close(&s);
}

/** A ticket in another's name is not to be had, nor keys that are none. */
static void what_is_asked(void **state)
{
	struct mikey_policy policy = policy_for("sip:bob@example.com");
	struct mikey_grant grant = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	policy.initiator = uri("sip:bob@example.com");
	assert_int_not_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_AUTH);
	policy = policy_for("sip:bob@example.com");
	policy.want[0].len = 8;
	assert_int_not_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TP_PARAM);
	policy = policy_for("sip:bob@example.com");
	policy.subtype = 2; /* whose rules nobody here knows */
	assert_int_not_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TICKET);
	policy = policy_for("sip:bob@example.com");
	policy.wants = 0; /* a TGK where nothing is asked for */
	assert_int_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_int_equal(grant.keys.key[grant.keys.count - 1].type, MIKEY_TGK);
	mikey_grant_done(&grant);
	stage_close(&s);
}

/** Whom nobody knows looks like who has a wrong key, in every octet but time and chance. */
static void strangers(void **state)
{
	struct mikey_policy policy = policy_for("sip:bob@example.com");
	struct mikey_grant grant = { 0 };
	struct stage s;
	size_t len;

	(void)state;
	stage_open(&s);
	assert_int_not_equal(request(&s, "sip:alice@example.com", "wrong key", &policy, &grant), 0);
	assert_int_equal(s.outcome.result, KMS_UNPROVED);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_AUTH);
	assert_string_equal(s.outcome.asker, "");
	len = s.answer.len;
	assert_int_not_equal(request(&s, "sip:nobody@example.com", "wrong key", &policy, &grant),
	                     0);
	assert_int_equal(s.outcome.result, KMS_UNPROVED);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_AUTH);
	assert_int_equal(s.answer.len, len);
	stage_close(&s);
}

/** Once, and also not after a restart; in time. */
static void replayed(void **state)
{
	struct mikey_policy policy = policy_for("sip:bob@example.com");
	struct mikey_asking asking = { 0 };
	struct mikey_env env;
	struct mikey_ask ask;
	struct stage s;

	(void)state;
	stage_open(&s);
	env = env_of(&s);
	ask = ask_of(&s, "sip:alice@example.com", "sip:alice@example.com");
	assert_int_equal(mikey_request_init(&env, &ask, &policy, &asking, &s.err), 0);
	assert_int_equal(answered(&s, KMS_REQUEST, octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.result, KMS_GRANTED);
	assert_int_equal(answered(&s, KMS_REQUEST, octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.result, KMS_UNPROVED);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TS);
	kms_free(s.kms);
	kms_store_close(s.store);
	assert_int_equal(kms_store_open(&s.store, s.folder.store, master, &s.err), 0);
	assert_int_equal(kms_new(&s.kms, &config, s.store, &s.err), 0);
	assert_int_equal(answered(&s, KMS_REQUEST, octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TS);
	mikey_asking_done(&asking);
	assert_int_equal(mikey_request_init(&env, &ask, &policy, &asking, &s.err), 0);
	s.now_s += 301;
	assert_int_equal(answered(&s, KMS_REQUEST, octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TS);
	mikey_asking_done(&asking);
	stage_close(&s);
}

/** Not what the request says it is, not MIKEY, cut anywhere: an Error or nothing, never a key. */
static void malformed(void **state)
{
	struct mikey_policy policy = policy_for("sip:bob@example.com");
	struct mikey_asking asking = { 0 };
	struct mikey_env env;
	struct mikey_ask ask;
	struct stage s;

	(void)state;
	stage_open(&s);
	env = env_of(&s);
	ask = ask_of(&s, "sip:alice@example.com", "sip:alice@example.com");
	assert_int_equal(mikey_request_init(&env, &ask, &policy, &asking, &s.err), 0);
	assert_int_equal(answered(&s, KMS_RESOLVE, octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_DATA_TYPE);
	for (size_t len = 0; len < asking.sent.len; len++) {
		(void)answered(&s, KMS_ANY, mikey_octets_of(asking.sent.data, len));
		assert_in_range(s.outcome.result, KMS_UNPROVED, KMS_MALFORMED);
	}
	for (size_t i = 0; i < asking.sent.len; i++) {
		asking.sent.data[i] ^= 1;
		(void)answered(&s, KMS_ANY, octets(&asking.sent));
		assert_in_range(s.outcome.result, KMS_UNPROVED, KMS_MALFORMED);
		asking.sent.data[i] ^= 1;
	}
	assert_int_equal(base_err_class(answered(&s, KMS_ANY, mikey_octets_text("hello"))),
	                 BASE_PEER);
	assert_int_equal(s.answer.len, 0);
	assert_int_equal(answered(&s, KMS_ANY, octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.result, KMS_GRANTED);
	mikey_asking_done(&asking);
	stage_close(&s);
}

/* A ticket that somebody made with the TPK of that name, in the name of `initiator`. */
static const struct mikey_payload *made_by(struct stage *s, struct mikey_policy *policy,
                                           const char *initiator, const char *tpk, uint32_t flags)
{
	struct mikey_env env = env_of(s);
	struct mikey_tpk with = { .key = mikey_octets_text(tpk), .id = uri(tpk) };
	struct mikey_keys raw = { .count = 0 }, granted = { .count = 0 };
	struct mikey_payload *ticket = NULL;

	policy->kms = s->kms_id;
	policy->initiator = uri(initiator);
	policy->flags = (policy->flags & ~(uint32_t)MIKEY_FLAG_D) | MIKEY_FLAG_L | flags;
	policy->start = ntp_s(s) - 1;
	policy->wants = 0;
	assert_int_equal(mikey_keys_add(&raw, MIKEY_MPK,
	                                mikey_octets_text("0123456789abcdef0123456789abcdef"),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("m")),
	                 0);
	assert_int_equal(mikey_keys_add(&raw, MIKEY_TGK,
	                                mikey_octets_text("0123456789abcdef0123456789ABCDEF"),
	                                mikey_octets_of(NULL, 0), mikey_octets_text("t")),
	                 0);
	assert_int_equal(mikey_ticket_make(&s->arena, &env, policy, &with, suite,
	                                   mikey_octets_of(NULL, 0), &raw, &ticket, &granted,
	                                   &s->err),
	                 0);
	mikey_keys_done(&raw);
	mikey_keys_done(&granted);
	return ticket;
}

/** Mode 3: who makes tickets makes them in his own name. */
static void tickets_of_users(void **state)
{
	static const struct {
		const char *initiator, *tpk;
		uint32_t flags;
		int error_no; /* -1: taken */
	} rows[] = {
		{ "sip:alice@example.com", "tickets of alice", 0, -1 },
		{ "sip:alice@example.com", "tickets of mallory", 0, MIKEY_BAD_ID },
		{ "sip:alice@example.com", "tickets of nobody", 0, MIKEY_BAD_TICKET },
		{ "sip:alice@example.com", "tickets of alice", MIKEY_FLAG_D, MIKEY_BAD_TICKET },
		{ "sip:bob@example.com", "tickets of alice", 0, MIKEY_BAD_ID },
	};
	struct stage s;

	(void)state;
	stage_open(&s);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct mikey_policy policy = policy_for("sip:bob@example.com");
		struct mikey_resolved resolved = { 0 };
		int rc;

		policy.end = ntp_s(&s) + 100;
		rc = resolve(&s, "sip:bob@example.com",
		             made_by(&s, &policy, rows[i].initiator, rows[i].tpk, rows[i].flags),
		             &resolved);
		if ((rc == 0) != (rows[i].error_no < 0))
			fail_msg("row %zu: %s; %s", i, s.err.text, s.outcome.text);
		if (rc)
			assert_int_equal(s.outcome.error_no, rows[i].error_no);
		mikey_resolved_done(&resolved);
	}
	stage_close(&s);
}

/** After its TRe a ticket is worth nothing, and the TPK outlives it. */
static void tickets_expire(void **state)
{
	struct mikey_resolved resolved = { 0 };
	const struct mikey_payload *ticket;
	struct stage s;

	(void)state;
	stage_open(&s);
	ticket = ticket_for(&s, "sip:bob@example.com");
	s.now_s += 3599;
	assert_int_equal(resolve(&s, "sip:bob@example.com", ticket, &resolved), 0);
	mikey_resolved_done(&resolved);
	s.now_s += 700000; /* a new TPK meanwhile, and the old one gone */
	(void)ticket_for(&s, "sip:bob@example.com");
	assert_int_not_equal(resolve(&s, "sip:bob@example.com", ticket, &resolved), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TICKET);
	stage_close(&s);
}

/** A ticket for a group is not resolved unforked, nor one that lives longer than its maker may say.
 */
static void bounds_of_users_tickets(void **state)
{
	static const struct {
		const char *to;
		int64_t end; /* from now; 0 = never */
		bool taken;
	} rows[] = {
		{ "sip:bob@example.com", 86400, true },
		{ "sip:bob@example.com", 86401, false },
		{ "sip:bob@example.com", 0, false },
		{ "sip:room@example.com", 100, false },
	};
	struct stage s;

	(void)state;
	stage_open(&s);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct mikey_resolved resolved = { 0 };
		struct mikey_policy policy = policy_for(rows[i].to);
		int rc;

		policy.end = rows[i].end ? ntp_s(&s) + (uint64_t)rows[i].end : 0;
		rc = resolve(&s, "sip:bob@example.com",
		             made_by(&s, &policy, "sip:alice@example.com", "tickets of alice", 0),
		             &resolved);
		if ((rc == 0) != rows[i].taken)
			fail_msg("row %zu: %s; %s", i, s.err.text, s.outcome.text);
		if (rc)
			assert_int_equal(s.outcome.error_no, MIKEY_BAD_TICKET);
		mikey_resolved_done(&resolved);
	}
	stage_close(&s);
}

/** RFC 6043, 6.10: with forked TGKs F has to be there; K of whoever asks is passed over. */
static void forking_needs_an_answer(void **state)
{
	struct mikey_policy policy = policy_for("sip:room@example.com");
	struct mikey_grant grant = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	policy.flags = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_H | MIKEY_FLAG_N | MIKEY_FLAG_O;
	assert_int_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_true(grant.policy.flags & MIKEY_FLAG_I);
	assert_true(grant.policy.flags & MIKEY_FLAG_F);
	mikey_grant_done(&grant);
	policy = policy_for("sip:bob@example.com");
	policy.kms = s.kms_id;
	policy.initiator = uri("sip:alice@example.com");
	policy.start = ntp_s(&s);
	policy.end = ntp_s(&s) + 100;
	policy.flags |= MIKEY_FLAG_K;
	assert_int_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_false(grant.policy.flags & MIKEY_FLAG_K);
	mikey_grant_done(&grant);
	stage_close(&s);
}

/** What a user has chosen goes into one line of a log. */
static void words_are_printable(void **state)
{
	struct mikey_policy policy = policy_for("sip:x\r\nATTACK\x1b[2J@elsewhere.example");
	struct mikey_grant grant = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_int_not_equal(
	        request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant), 0);
	assert_non_null(strstr(s.outcome.text, "ticket for sip:x??ATTACK?[2J@"));
	stage_close(&s);
}

/* A certificate that says nothing but its key. */
static size_t certificate(EVP_PKEY *key, uint8_t *out)
{
	X509 *cert = X509_new();
	int len;

	assert_non_null(cert);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	len = i2d_X509(cert, &out);
	assert_true(len > 0);
	X509_free(cert);
	return (size_t)len;
}

/** Who asks by public key and is unknown hears what is heard of a wrong key, whatever else is
 * wrong. */
static void strangers_with_public_keys(void **state)
{
	static const char *const whos[] = { "sip:alice@example.com", "sip:nobody@example.com" };
	EVP_PKEY *kms_key = EVP_RSA_gen(2048), *alice = EVP_RSA_gen(2048),
	         *wrong = EVP_RSA_gen(2048);
	struct kms_config by_key = config;
	struct mikey_policy policy = policy_for("sip:bob@example.com");
	uint8_t cert[2048];
	struct kms_user user = { .id = uri(whos[0]) };
	struct stage s;

	(void)state;
	stage_open(&s);
	kms_free(s.kms);
	by_key.key = kms_key;
	assert_int_equal(kms_new(&s.kms, &by_key, s.store, &s.err), 0);
	user.cert = mikey_octets_of(cert, certificate(alice, cert));
	assert_int_equal(kms_store_user_put(s.store, &user, &s.err), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct mikey_asking asking = { 0 };
		struct mikey_env env = env_of(&s);
		struct mikey_ask ask = ask_of(&s, whos[i & 1], "");

		if (i >= 2 && i < 4)
			env.now = mikey_ntp(s.now_s - 1000, 0);
		s.cred = (struct mikey_cred){ .own = i == 4 ? alice : wrong, .peer = kms_key };
		if (mikey_request_init(&env, &ask, &policy, &asking, &s.err))
			fail_msg("%s", s.err.text);
		assert_int_equal(answered(&s, KMS_REQUEST, octets(&asking.sent)), 0);
		assert_int_equal(s.outcome.result, i == 4 ? KMS_GRANTED : KMS_UNPROVED);
		if (i < 4)
			assert_int_equal(s.outcome.error_no, i < 2 ? MIKEY_BAD_AUTH : MIKEY_BAD_TS);
		mikey_asking_done(&asking);
	}
	EVP_PKEY_free(kms_key);
	EVP_PKEY_free(alice);
	EVP_PKEY_free(wrong);
	stage_close(&s);
}

static void names(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} rows[] = {
		{ "a", "a", true },        { "a", "ab", false },  { "a*", "a", true },
		{ "a*", "abc", true },     { "*c", "abc", true }, { "a*c", "ac", true },
		{ "aa*aa", "aaa", false }, { "*", "", true },     { "a*c", "abd", false },
		{ "", "", true },
	};
	static const char *const many[] = { "b", "a*c*" };
	struct kms_group group = { .name = "g", .members = many, .count = 2 };
	struct kms_rule two = { .from = "a**", .to = "b" };
	struct kms_config bad = { .identity = "sip:kms", .rules = &two, .rule_count = 1 };
	struct base_error err = { 0 };
	struct kms *kms = NULL;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		if (kms_name_fits(rows[i].pattern, mikey_octets_text(rows[i].name)) != rows[i].fits)
			fail_msg("%s, %s", rows[i].pattern, rows[i].name);
	}
	assert_int_equal(base_err_class(kms_new(&kms, &bad, NULL, &err)), BASE_CONFIG);
	bad = (struct kms_config){ .identity = "sip:kms", .groups = &group, .group_count = 1 };
	assert_int_equal(base_err_class(kms_new(&kms, &bad, NULL, &err)), BASE_CONFIG);
	bad = (struct kms_config){ 0 };
	assert_int_equal(base_err_class(kms_new(&kms, &bad, NULL, &err)), BASE_CONFIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(granted_and_resolved),
		cmocka_unit_test(groups_fork),
		cmocka_unit_test(refused),
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(strangers),
		cmocka_unit_test(replayed),
		cmocka_unit_test(malformed),
		cmocka_unit_test(tickets_of_users),
		cmocka_unit_test(tickets_expire),
		cmocka_unit_test(names),
		cmocka_unit_test(bounds_of_users_tickets),
		cmocka_unit_test(forking_needs_an_answer),
		cmocka_unit_test(words_are_printable),
		cmocka_unit_test(strangers_with_public_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
