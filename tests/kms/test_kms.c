/* SPDX-License-Identifier: Apache-2.0 */
/** @file A KMS and its users: who gets a ticket, who may resolve it, who is told what. */
#include "stage.h"

static void granted_and_resolved(void **state)
{
	struct mikey_policy policy = stage_policy("sip:bob@example.com");
	struct mikey_grant grant = { 0 };
	struct mikey_resolved resolved = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_int_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                               &policy, &grant),
	                 0);
	assert_string_equal(s.outcome.asker, "sip:alice@example.com");
	assert_string_equal(s.outcome.about, "sip:bob@example.com");
	assert_true(grant.policy.flags & MIKEY_FLAG_K); /* it was given an end, and an initiator */
	assert_int_equal(grant.policy.end - grant.policy.start, 3600);
	assert_true(mikey_id_eq(
	        &grant.policy.initiator,
	        &(struct mikey_id){ MIKEY_URI, mikey_octets_text("sip:alice@example.com") }));
	assert_int_equal(stage_resolve(&s, "sip:bob@example.com", grant.ticket, &resolved), 0);
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
	struct mikey_env env = stage_env(s);
	struct mikey_offer offer = { .suite = suite,
		                     .csb_id = 9,
		                     .initiator = stage_uri("sip:alice@example.com"),
		                     .responder = stage_uri(responder),
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
	struct mikey_policy policy = stage_policy("sip:room@example.com");
	struct mikey_resolved bob = { 0 }, carol = { 0 }, mallory = { 0 };
	struct mikey_grant grant = { 0 };
	const struct mikey_payload *ticket;
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_int_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                               &policy, &grant),
	                 0);
	assert_true(grant.policy.flags & MIKEY_FLAG_I);
	assert_int_not_equal(stage_resolve(&s, "sip:bob@example.com", grant.ticket, &bob), 0);
	assert_int_equal(s.outcome.result,
	                 KMS_REFUSED); /* no Initiator Data: it was not transferred */
	ticket = transferred(&s, &grant, "sip:room@example.com");
	assert_int_equal(stage_resolve(&s, "sip:bob@example.com", ticket, &bob), 0);
	assert_int_equal(stage_resolve(&s, "sip:carol2@example.com", ticket, &carol), 0);
	assert_int_equal(bob.keys.count, carol.keys.count);
	assert_false(mikey_octets_eq(mikey_secret(&bob.keys.key[bob.keys.count - 1].key),
	                             mikey_secret(&carol.keys.key[carol.keys.count - 1].key)));
	assert_int_not_equal(stage_resolve(&s, "sip:mallory@example.com", ticket, &mallory), 0);
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
		struct mikey_policy policy = stage_policy(rows[i].to);
		struct mikey_grant grant = { 0 };

		assert_int_equal(base_err_class(stage_request(&s, rows[i].who, rows[i].who, &policy,
		                                              &grant)),
		                 BASE_PEER);
		assert_int_equal(s.outcome.result, KMS_REFUSED);
		assert_int_equal(s.outcome.error_no, rows[i].error_no);
		assert_int_equal(grant.keys.count, 0);
	}
	stage_close(&s);
}

/** A ticket in another's name is not to be had, nor keys that are none. */
static void what_is_asked(void **state)
{
	struct mikey_policy policy = stage_policy("sip:bob@example.com");
	struct mikey_grant grant = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	policy.initiator = stage_uri("sip:bob@example.com");
	assert_int_not_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                                   &policy, &grant),
	                     0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_AUTH);
	policy = stage_policy("sip:bob@example.com");
	policy.want[0].len = 8;
	assert_int_not_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                                   &policy, &grant),
	                     0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TP_PARAM);
	policy = stage_policy("sip:bob@example.com");
	policy.subtype = 2; /* whose rules nobody here knows */
	assert_int_not_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                                   &policy, &grant),
	                     0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TICKET);
	policy = stage_policy("sip:bob@example.com");
	policy.wants = 0; /* a TGK where nothing is asked for */
	assert_int_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                               &policy, &grant),
	                 0);
	assert_int_equal(grant.keys.key[grant.keys.count - 1].type, MIKEY_TGK);
	mikey_grant_done(&grant);
	stage_close(&s);
}

/** Whom nobody knows looks like who has a wrong key, in every octet but time and chance. */
static void strangers(void **state)
{
	struct mikey_policy policy = stage_policy("sip:bob@example.com");
	struct mikey_grant grant = { 0 };
	struct stage s;
	size_t len;

	(void)state;
	stage_open(&s);
	assert_int_not_equal(
	        stage_request(&s, "sip:alice@example.com", "wrong key", &policy, &grant), 0);
	assert_int_equal(s.outcome.result, KMS_UNPROVED);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_AUTH);
	assert_string_equal(s.outcome.asker, "");
	len = s.answer.len;
	assert_int_not_equal(
	        stage_request(&s, "sip:nobody@example.com", "wrong key", &policy, &grant), 0);
	assert_int_equal(s.outcome.result, KMS_UNPROVED);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_AUTH);
	assert_int_equal(s.answer.len, len);
	stage_close(&s);
}

/** Once, and also not after a restart; in time. */
static void replayed(void **state)
{
	struct mikey_policy policy = stage_policy("sip:bob@example.com");
	struct mikey_asking asking = { 0 };
	struct mikey_env env;
	struct mikey_ask ask;
	struct stage s;

	(void)state;
	stage_open(&s);
	env = stage_env(&s);
	ask = stage_ask(&s, "sip:alice@example.com", "sip:alice@example.com");
	assert_int_equal(mikey_request_init(&env, &ask, &policy, &asking, &s.err), 0);
	assert_int_equal(stage_answered(&s, KMS_REQUEST, stage_octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.result, KMS_GRANTED);
	assert_int_equal(stage_answered(&s, KMS_REQUEST, stage_octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.result, KMS_UNPROVED);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TS);
	kms_free(s.kms);
	kms_store_close(s.store);
	assert_int_equal(kms_store_open(&s.store, s.folder.store, master, &s.err), 0);
	assert_int_equal(kms_new(&s.kms, &config, s.store, &s.err), 0);
	assert_int_equal(stage_answered(&s, KMS_REQUEST, stage_octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TS);
	mikey_asking_done(&asking);
	assert_int_equal(mikey_request_init(&env, &ask, &policy, &asking, &s.err), 0);
	s.now_s += 301;
	assert_int_equal(stage_answered(&s, KMS_REQUEST, stage_octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_TS);
	mikey_asking_done(&asking);
	stage_close(&s);
}

/** Not what the request says it is, not MIKEY, cut anywhere: an Error or nothing, never a key. */
static void malformed(void **state)
{
	struct mikey_policy policy = stage_policy("sip:bob@example.com");
	struct mikey_asking asking = { 0 };
	struct mikey_env env;
	struct mikey_ask ask;
	struct stage s;

	(void)state;
	stage_open(&s);
	env = stage_env(&s);
	ask = stage_ask(&s, "sip:alice@example.com", "sip:alice@example.com");
	assert_int_equal(mikey_request_init(&env, &ask, &policy, &asking, &s.err), 0);
	assert_int_equal(stage_answered(&s, KMS_RESOLVE, stage_octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.error_no, MIKEY_BAD_DATA_TYPE);
	for (size_t len = 0; len < asking.sent.len; len++) {
		(void)stage_answered(&s, KMS_ANY, mikey_octets_of(asking.sent.data, len));
		assert_in_range(s.outcome.result, KMS_UNPROVED, KMS_MALFORMED);
	}
	for (size_t i = 0; i < asking.sent.len; i++) {
		asking.sent.data[i] ^= 1;
		(void)stage_answered(&s, KMS_ANY, stage_octets(&asking.sent));
		assert_in_range(s.outcome.result, KMS_UNPROVED, KMS_MALFORMED);
		asking.sent.data[i] ^= 1;
	}
	assert_int_equal(base_err_class(stage_answered(&s, KMS_ANY, mikey_octets_text("hello"))),
	                 BASE_PEER);
	assert_int_equal(s.answer.len, 0);
	assert_int_equal(stage_answered(&s, KMS_ANY, stage_octets(&asking.sent)), 0);
	assert_int_equal(s.outcome.result, KMS_GRANTED);
	mikey_asking_done(&asking);
	stage_close(&s);
}

/** What a user has chosen goes into one line of a log. */
static void words_are_printable(void **state)
{
	struct mikey_policy policy = stage_policy("sip:x\r\nATTACK\x1b[2J@elsewhere.example");
	struct mikey_grant grant = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	assert_int_not_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                                   &policy, &grant),
	                     0);
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
	struct mikey_policy policy = stage_policy("sip:bob@example.com");
	uint8_t cert[2048];
	struct kms_user user = { .id = stage_uri(whos[0]) };
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
		struct mikey_env env = stage_env(&s);
		struct mikey_ask ask = stage_ask(&s, whos[i & 1], "");

		if (i >= 2 && i < 4)
			env.now = mikey_ntp(s.now_s - 1000, 0);
		s.cred = (struct mikey_cred){ .own = i == 4 ? alice : wrong, .peer = kms_key };
		if (mikey_request_init(&env, &ask, &policy, &asking, &s.err))
			fail_msg("%s", s.err.text);
		assert_int_equal(stage_answered(&s, KMS_REQUEST, stage_octets(&asking.sent)), 0);
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(granted_and_resolved),
		cmocka_unit_test(groups_fork),
		cmocka_unit_test(refused),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(strangers),
		cmocka_unit_test(replayed),
		cmocka_unit_test(malformed),
		cmocka_unit_test(names),
		cmocka_unit_test(words_are_printable),
		cmocka_unit_test(strangers_with_public_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
