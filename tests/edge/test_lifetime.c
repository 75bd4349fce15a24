/* SPDX-License-Identifier: Apache-2.0 */
/** @file TLS sessions of UEs: lifetimes, new keys, new ids (TS 33.203, O.2.1, O.2.2). */
#include "check.h"
#include "stage.h"

#define PROOF                                                                                      \
	"username=\"alice@home\", realm=\"example\", nonce=\"n1\", uri=\"sip:example\", "          \
	"response=\"01\""
#define HOUR 3600000ULL

static void a_session_is_renewed_before_its_end(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 60001);
	assert_false(stage_told(s, "renew"));
	stage_until(s, 1000 + HOUR - 60000);
	assert_true(stage_told(s, "renew 1\n"));
	assert_false(edge_core_renew(s->core, 1)); /* it does */
	edge_core_rekeyed(s->core, 1, BASE_STR("SID2"));
	assert_true(stage_told(s, "rekeyed 1 198.51.100.7:40001 alice@home"));
	assert_true(stage_told(s, "session=SID2"));
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_true(base_str_eq(b.session, BASE_STR("SID2")));
	/* another lifetime from then on */
	s->log[0] = '\0';
	stage_until(s, 1000 + 2 * HOUR - 120001);
	assert_false(stage_told(s, "renew"));
	stage_until(s, 1000 + 2 * HOUR - 120000);
	assert_true(stage_told(s, "renew 1\n"));
	assert_int_equal(edge_core_counters(s->core)->rekeyed, 1);
}

/** O.2.2: the new id in the place of the old one everywhere: who comes with the old one is nobody.
 */
static void an_old_id_is_nobodys(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	edge_core_rekeyed(s->core, 1, BASE_STR("SID2"));
	stage_up(s, 2, "SID1");
	assert_false(stage_told(s, "note 2"));
	stage_up(s, 3, "SID2");
	assert_true(stage_told(s, "note 3 its TLS session is bound to another flow"));
	assert_int_equal(edge_core_counters(s->core)->shared_sessions, 1);
}

/** The attacker: a session id stolen, at another address. It is nobody until it registers. */
static void a_stolen_session_has_no_binding(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_long_ago(s);
	stage_up(s, 2, "SID1");
	assert_false(edge_core_binding(s->core, 2, &b));
	assert_int_equal(stage_in(s, 2,
	                          "MESSAGE sip:bob@example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:alice@example>;tag=1\nTo: <sip:bob@example>\n"
	                          "Call-ID: c1\nCSeq: 1 MESSAGE\n"),
	                 403);
	assert_int_equal(stage_ask(s, 2, "alice", 600, PROOF, NULL), 0);
	assert_false(stage_has(s, "tls-yes"));
	assert_int_equal(edge_core_count(s->core), 1);
}

static void who_ignores_it_ends_with_the_lifetime(void **state)
{
	struct stage *s = *state;

	s->policy.deregister = true;
	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 50000); /* the patience of renew-timeout */
	assert_int_equal(edge_core_count(s->core), 1);
	stage_until(s, 1000 + HOUR - 1);
	assert_int_equal(edge_core_count(s->core), 1);
	stage_until(s, 1000 + HOUR);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_int_equal(edge_core_flow_count(s->core), 0);
	assert_true(stage_told(s, "close 1 forget: it did not renegotiate"));
	assert_true(stage_told(s, "unbound 1 (not renegotiated)"));
	assert_true(stage_told(s, "part next=sip:icscf.example;lr\nREGISTER sip:example SIP/2.0"));
	assert_int_equal(edge_core_counters(s->core)->ignored, 1);
}

/** One that is late is in time while its session lives. */
static void who_is_late_goes_on(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 60000);
	edge_core_not_rekeyed(s->core, 1);
	stage_until(s, 1000 + HOUR - 1000);
	edge_core_rekeyed(s->core, 1, BASE_STR("SID2"));
	stage_until(s, 1000 + HOUR + 1000);
	assert_int_equal(edge_core_count(s->core), 1);
}

static void who_may_ignore_it_has_a_day(void **state)
{
	struct stage *s = *state;

	s->policy.tolerate_ignored = true;
	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 60000);
	assert_true(stage_told(s, "renew 1\n"));
	edge_core_not_rekeyed(s->core, 1);
	stage_until(s, 1000 + 24 * HOUR - 1);
	assert_int_equal(edge_core_count(s->core), 1);
	stage_until(s, 1000 + 24 * HOUR);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_true(stage_told(s, "close 1 forget: its session is 24 hours old"));
}

/** TLS 1.3: our keys are new at once, the UE's with its next word. */
static void keys_of_tls13(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 60000);
	edge_core_keys(s->core, 1, BASE_STR("SID2"));
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_true(base_str_eq(b.session, BASE_STR("SID2")));
	edge_core_answered(s->core, 1);
	edge_core_not_rekeyed(s->core, 1); /* of another matter */
	/* who says nothing for hours is not blamed */
	stage_until(s, 1000 + 2 * HOUR - 120000);
	edge_core_keys(s->core, 1, BASE_STR("SID3"));
	s->log[0] = '\0';
	stage_until(s, 1000 + 3 * HOUR - 180000);
	assert_true(stage_told(s, "renew 1\n"));
	assert_int_equal(edge_core_counters(s->core)->ignored, 0);
}

static void who_talks_on_without_keys_ends(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 60000);
	edge_core_keys(s->core, 1, BASE_STR("SID2"));
	stage_until(s, 1000 + HOUR - 40000);
	edge_core_not_rekeyed(s->core, 1);
	assert_int_equal(edge_core_flow_count(s->core), 0);
	assert_true(stage_told(s, "close 1 forget: it did not renegotiate"));
	assert_int_equal(edge_core_counters(s->core)->ignored, 1);
}

/** The operator's wish in the midst of a lifetime costs nobody his session, and gives him no new
 * one. */
static void who_talks_on_early_is_asked_again(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	stage_until(s, 1000 + HOUR / 2);
	assert_true(edge_core_renew(s->core, 1));
	edge_core_keys(s->core, 1, BASE_STR("SID2"));
	edge_core_not_rekeyed(s->core, 1);
	s->log[0] = '\0';
	stage_until(s, 1000 + HOUR - 60001);
	assert_false(stage_told(s, "renew"));
	stage_until(s, 1000 + HOUR - 60000);
	assert_true(stage_told(s, "renew 1\n"));
}

static void who_may_talk_on_has_a_day(void **state)
{
	struct stage *s = *state;

	s->policy.tolerate_ignored = true;
	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 60000);
	edge_core_keys(s->core, 1, BASE_STR("SID2"));
	edge_core_not_rekeyed(s->core, 1);
	stage_until(s, 1000 + 23 * HOUR);
	assert_int_equal(edge_core_count(s->core), 1);
	/* late, and in time for another life */
	s->log[0] = '\0';
	edge_core_answered(s->core, 1);
	assert_true(stage_told(s, "rekeyed 1"));
	stage_until(s, 1000 + 24 * HOUR - 60000);
	assert_true(stage_told(s, "renew 1\n"));
	edge_core_keys(s->core, 1, BASE_STR("SID3"));
	edge_core_not_rekeyed(s->core, 1);
	stage_until(s, 1000 + 47 * HOUR - 1);
	assert_int_equal(edge_core_count(s->core), 1);
	stage_until(s, 1000 + 47 * HOUR);
	assert_int_equal(edge_core_count(s->core), 0);
}

/** O.2.1: whatever is configured, 24 hours is the most. */
static void a_lifetime_is_cut_to_a_day(void **state)
{
	struct stage *s = *state;

	s->policy.lifetime_ms = 172800000;
	stage_long_ago(s);
	stage_until(s, 1000 + 24 * HOUR - 60000);
	assert_true(stage_told(s, "renew 1\n"));
	stage_until(s, 1000 + 24 * HOUR);
	assert_int_equal(edge_core_count(s->core), 0);
}

static void by_the_operator_at_any_time(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	assert_true(edge_core_renew(s->core, 1));
	assert_true(stage_told(s, "renew 1\n"));
	edge_core_not_rekeyed(s->core, 1); /* it is asked again when it has to be */
	assert_int_equal(edge_core_count(s->core), 1);
	s->log[0] = '\0';
	stage_until(s, 1000 + HOUR - 60000);
	assert_true(stage_told(s, "renew 1\n"));
	assert_false(edge_core_renew(s->core, 7));
}

/** A re-REGISTER in the midst of it goes on as if nothing went on, and ends no lifetime. */
static void registering_again_prolongs_no_session(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	stage_until(s, 1000 + HOUR - 60000);
	assert_int_equal(stage_ask(s, 1, "alice", 259200, PROOF, NULL), 0);
	assert_true(stage_has(s, "tls-yes"));
	stage_yes(s, "alice", 259200, NULL);
	stage_until(s, 1000 + HOUR);
	assert_int_equal(edge_core_count(s->core), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(a_session_is_renewed_before_its_end),
		CASE(an_old_id_is_nobodys),
		CASE(a_stolen_session_has_no_binding),
		CASE(who_ignores_it_ends_with_the_lifetime),
		CASE(who_is_late_goes_on),
		CASE(who_may_ignore_it_has_a_day),
		CASE(keys_of_tls13),
		CASE(who_talks_on_without_keys_ends),
		CASE(who_talks_on_early_is_asked_again),
		CASE(who_may_talk_on_has_a_day),
		CASE(a_lifetime_is_cut_to_a_day),
		CASE(by_the_operator_at_any_time),
		CASE(registering_again_prolongs_no_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
