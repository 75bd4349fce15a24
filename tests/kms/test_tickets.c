/* SPDX-License-Identifier: Apache-2.0 */
/** @file Tickets that users make, and ones that end: what a KMS resolves of them. */
#include "stage.h"

static uint64_t ntp_s(const struct stage *s)
{
	return mikey_ntp_seconds((uint32_t)(mikey_ntp(s->now_s, 0) >> 32));
}

/* A ticket for that responder, read as the responder reads it. */
static const struct mikey_payload *ticket_for(struct stage *s, const char *responder)
{
	struct mikey_policy policy = stage_policy(responder);
	struct mikey_grant grant = { 0 };

	if (stage_request(s, "sip:alice@example.com", "sip:alice@example.com", &policy, &grant))
		fail_msg("%s; %s", s->err.text, s->outcome.text);
	assert_int_equal(s->outcome.result, KMS_GRANTED);
	mikey_keys_done(&grant.keys);
	return grant.ticket;
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
		struct mikey_policy policy = stage_policy(rows[i].to);
		struct mikey_grant grant = { 0 };
		int rc;

		policy.start = rows[i].start ? (uint64_t)((int64_t)ntp_s(&s) + rows[i].start) : 0;
		policy.end = rows[i].end ? (uint64_t)((int64_t)ntp_s(&s) + rows[i].end) : 0;
		rc = stage_request(&s, "sip:alice@example.com", "sip:alice@example.com", &policy,
		                   &grant);
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

/* A ticket that somebody made with the TPK of that name, in the name of `initiator`. */
static const struct mikey_payload *made_by(struct stage *s, struct mikey_policy *policy,
                                           const char *initiator, const char *tpk, uint32_t flags)
{
	struct mikey_env env = stage_env(s);
	struct mikey_tpk with = { .key = mikey_octets_text(tpk), .id = stage_uri(tpk) };
	struct mikey_keys raw = { .count = 0 }, granted = { .count = 0 };
	struct mikey_payload *ticket = NULL;

	policy->kms = s->kms_id;
	policy->initiator = stage_uri(initiator);
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
		struct mikey_policy policy = stage_policy("sip:bob@example.com");
		struct mikey_resolved resolved = { 0 };
		int rc;

		policy.end = ntp_s(&s) + 100;
		rc = stage_resolve(
		        &s, "sip:bob@example.com",
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
	assert_int_equal(stage_resolve(&s, "sip:bob@example.com", ticket, &resolved), 0);
	mikey_resolved_done(&resolved);
	s.now_s += 700000; /* a new TPK meanwhile, and the old one gone */
	(void)ticket_for(&s, "sip:bob@example.com");
	assert_int_not_equal(stage_resolve(&s, "sip:bob@example.com", ticket, &resolved), 0);
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
		struct mikey_policy policy = stage_policy(rows[i].to);
		int rc;

		policy.end = rows[i].end ? ntp_s(&s) + (uint64_t)rows[i].end : 0;
		rc = stage_resolve(
		        &s, "sip:bob@example.com",
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
	struct mikey_policy policy = stage_policy("sip:room@example.com");
	struct mikey_grant grant = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s);
	policy.flags = MIKEY_FLAG_D | MIKEY_FLAG_E | MIKEY_FLAG_H | MIKEY_FLAG_N | MIKEY_FLAG_O;
	assert_int_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                               &policy, &grant),
	                 0);
	assert_true(grant.policy.flags & MIKEY_FLAG_I);
	assert_true(grant.policy.flags & MIKEY_FLAG_F);
	mikey_grant_done(&grant);
	policy = stage_policy("sip:bob@example.com");
	policy.kms = s.kms_id;
	policy.initiator = stage_uri("sip:alice@example.com");
	policy.start = ntp_s(&s);
	policy.end = ntp_s(&s) + 100;
	policy.flags |= MIKEY_FLAG_K;
	assert_int_equal(stage_request(&s, "sip:alice@example.com", "sip:alice@example.com",
	                               &policy, &grant),
	                 0);
	assert_false(grant.policy.flags & MIKEY_FLAG_K);
	mikey_grant_done(&grant);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(tickets_of_users),
		cmocka_unit_test(tickets_expire),
		cmocka_unit_test(bounds_of_users_tickets),
		cmocka_unit_test(forking_needs_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
