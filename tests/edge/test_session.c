/* SPDX-License-Identifier: Apache-2.0 */
/** @file What hangs on a UE's connection: losses, several flows of one UE; and what was agreed upon
 * (RFC 3329). */
#include "check.h"
#include "stage.h"

#define PROOF                                                                                      \
	"username=\"alice@home\", realm=\"example\", nonce=\"n1\", uri=\"sip:example\", "          \
	"response=\"01\""

/* -- losses -- */

static void a_loss_ends_the_binding(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	edge_core_lost(s->core, 1);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_int_equal(edge_core_flow_count(s->core), 0);
	assert_true(stage_told(s, "unbound 1 (connection lost)"));
	assert_false(stage_told(s, "part"));
	assert_int_equal(s->deadline_ms, UINT64_MAX);
	edge_core_lost(s->core, 1);
}

static void the_core_is_told_where_wanted(void **state)
{
	struct stage *s = *state;
	struct sip_message msg;

	s->policy.deregister = true;
	stage_long_ago(s);
	edge_core_lost(s->core, 1);
	assert_true(stage_told(s, "REGISTER sip:example SIP/2.0\r\nVia: SIP/2.0/UDP edge"));
	assert_true(stage_told(s, "To: <sip:alice@example>\r\n"));
	assert_true(
	        stage_told(s, "Contact: <sip:alice@10.0.0.1:5061;transport=tls>;expires=0\r\n"));
	assert_true(stage_told(s, "Authorization: Digest username=\"alice@home\", "
	                          "realm=\"example\", nonce=\"\", uri=\"sip:example\", "
	                          "response=\"\", integrity-protected=\"tls-yes\"\r\n"));
	assert_int_equal(
	        sip_message_parse(&msg, &s->arena, base_str_of(strstr(s->log, "REGISTER")), false),
	        0);
	assert_int_equal(msg.fault, 0);
}

/** A yes that comes for a flow that has gone binds nothing, and is taken back. */
static void a_yes_too_late(void **state)
{
	struct stage *s = *state;

	s->policy.deregister = true;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	edge_core_lost(s->core, 1);
	assert_false(stage_told(s, "part"));
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_true(stage_told(s, "part next="));
	/* one without proof would have been nothing here */
	s->log[0] = '\0';
	stage_up(s, 2, "SID2");
	assert_int_equal(stage_ask(s, 2, "alice", 600, NULL, NULL), 0);
	edge_core_lost(s->core, 2);
	stage_yes(s, "alice", 600, NULL);
	assert_false(stage_told(s, "part"));
}

/* -- several flows -- */

static void the_same_contact_moves(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	s->policy.deregister = true;
	stage_long_ago(s);
	stage_up(s, 2, "SID2");
	stage_register(s, 2, "alice", 600);
	assert_int_equal(edge_core_count(s->core), 1);
	assert_true(edge_core_binding(s->core, 2, &b));
	assert_true(stage_told(s, "close 1 forget: the same contact registered on another flow"));
	assert_true(stage_told(s, "unbound 1 (registered on another flow)"));
	assert_false(stage_told(s, "part")); /* it would take back what is new */
}

static void flows_of_one_impi_are_limited(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	s->policy.bindings_max = 2;
	stage_open(s);
	for (uint64_t flow = 1; flow <= 3; flow++) {
		char session[8];

		(void)snprintf(session, sizeof(session), "S%u", (unsigned)flow);
		stage_up(s, flow, session);
		for (unsigned step = 0; step < 2; step++) {
			assert_int_equal(
			        stage_inf(s, flow,
			                  "REGISTER sip:example SIP/2.0\n"
			                  "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
			                  "From: <sip:a@b>;tag=1\nTo: <sip:a@b>\nCall-ID: r\n"
			                  "CSeq: 1 REGISTER\nSupported: outbound\n"
			                  "Contact: "
			                  "<sip:a@10.0.0.1>;+sip.instance=\"<urn:x>\";reg-id=%u\n"
			                  "%s",
			                  (unsigned)flow,
			                  step ? "Authorization: Digest username=\"a\", "
			                         "nonce=\"n1\", "
			                         "response=\"1\"\n"
			                       : ""),
			        0);
			if (!step)
				stage_challenge(s, "n1", NULL);
		}
		stage_answerf(
		        s,
		        "SIP/2.0 200 OK\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
		        "From: <sip:a@b>;tag=1\nTo: <sip:a@b>;tag=2\nCall-ID: r\n"
		        "CSeq: 1 REGISTER\nRequire: outbound\n"
		        "Contact: <sip:a@10.0.0.1>;+sip.instance=\"<urn:x>\";reg-id=1;expires=60\n"
		        "Contact: <sip:a@10.0.0.1>;+sip.instance=\"<urn:x>\";reg-id=2;expires=60\n"
		        "Contact: "
		        "<sip:a@10.0.0.1>;+sip.instance=\"<urn:x>\";reg-id=3;expires=60\n");
	}
	assert_int_equal(edge_core_count(s->core), 2);
	assert_false(edge_core_binding(s->core, 1, &b));
	assert_true(stage_told(s, "unbound 1 (too many flows of one IMPI)"));
}

static void who_pings_is_told_how_often(void **state)
{
	struct stage *s = *state;

	s->policy.flow_timer_s = 120;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_yes(s, "alice", 600, "Require: outbound\n");
	assert_true(stage_has(s, "Flow-Timer: 120\r\n"));
	assert_true(stage_told(s, "ping 1 150000"));
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_yes(s, "alice", 600, NULL);
	assert_false(stage_has(s, "Flow-Timer"));
}

static void dropped(void **state)
{
	struct stage *s = *state;

	stage_long_ago(s);
	assert_true(edge_core_drop(s->core, 1));
	assert_true(stage_told(s, "unbound 1 (dropped)"));
	assert_true(stage_told(s, "close 1 forget: dropped"));
	assert_false(edge_core_drop(s->core, 1));
	stage_up(s, 2, "SID2");
	assert_true(edge_core_drop(s->core, 2));
	assert_false(edge_core_ended(s->core, 2));
}

/** RFC 3680, 4.7.1: an administrator wants to see it registered again, soon. */
static void shortened(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_long_ago(s);
	assert_false(edge_core_shortened(s->core, 1, 259201));
	assert_true(edge_core_shortened(s->core, 1, 60));
	assert_true(stage_told(s, "refreshed 1"));
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.expires_ms, s->now_ms + 60000);
	assert_false(edge_core_shortened(s->core, 1, 60));
	stage_until(s, s->now_ms + 59999);
	assert_false(stage_told(s, "unbound"));
	stage_until(s, s->now_ms + 1);
	assert_true(stage_told(s, "unbound 1 (expired"));
	assert_false(edge_core_shortened(s->core, 1, 1));
	assert_false(edge_core_shortened(s->core, 2, 1));
}

/* -- RFC 3329 -- */

#define AGREE "Require: sec-agree\nProxy-Require: sec-agree, pref\nSecurity-Client: tls\n"

static void the_list_is_told_and_mirrored(void **state)
{
	static const char *const list[] = { "ipsec-3gpp;q=0.9;alg=hmac-sha-1-96", "tls;q=0.5" };
	struct stage *s = *state;

	s->policy.mechanisms = list;
	s->policy.mechanism_count = 2;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, AGREE), 0);
	assert_false(stage_has(s, "Security-Client"));
	assert_false(stage_has(s, "sec-agree"));
	assert_true(stage_has(s, "Proxy-Require: pref\r\n"));
	assert_true(stage_has(s, "Require: path\r\n"));
	stage_challenge(s, "n1", NULL);
	assert_true(
	        stage_has(s, "Security-Server: ipsec-3gpp;q=0.9;alg=hmac-sha-1-96, tls;q=0.5\r\n"));
	/* it forgets it, or somebody has taken it out */
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 494);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, AGREE), 494);
	assert_true(
	        stage_has(s, "Security-Server: ipsec-3gpp;q=0.9;alg=hmac-sha-1-96, tls;q=0.5\r\n"));
	/* bidding down: a list without the better one, in another order, with other values */
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, AGREE "Security-Verify: tls;q=0.5\n"),
	                 494);
	assert_int_equal(
	        stage_ask(s, 1, "alice", 600, PROOF,
	                  AGREE "Security-Verify: tls;q=0.5, ipsec-3gpp;q=0.9;alg=hmac-sha-1-96\n"),
	        494);
	assert_int_equal(
	        stage_ask(s, 1, "alice", 600, PROOF,
	                  AGREE "Security-Verify: ipsec-3gpp;q=0.1;alg=hmac-sha-1-96, tls;q=0.5\n"),
	        494);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF,
	                           AGREE "Security-Verify: ipsec-3gpp;q=0.9, tls;q=0.5\n"),
	                 494);
	assert_int_equal(
	        stage_ask(s, 1, "alice", 600, PROOF,
	                  AGREE
	                  "Security-Verify: ipsec-3gpp;q=0.9;alg=hmac-sha-1-96, tls;q=0.5, x\n"),
	        494);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF,
	                           AGREE "Security-Verify: ipsec-3gpp;q=0.9;alg=hmac-sha-1-96\n"),
	                 494);
	assert_int_equal(
	        stage_ask(s, 1, "alice", 600, PROOF,
	                  AGREE
	                  "Security-Verify: ipsec-3gpp;q=0.9;alg=hmac-sha-1-96, tls;q=0.5;x=1\n"),
	        494);
	assert_int_equal(edge_core_counters(s->core)->disagreed, 9);
	/* the same, as SIP compares: parameters in any order, white space, several fields */
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF,
	                           AGREE "Security-Verify: IPSEC-3GPP ; alg=HMAC-sha-1-96;q=0.9\n"
	                                 "Security-Verify: tls;q=0.5\n"),
	                 0);
	assert_false(stage_has(s, "Security-Verify"));
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(edge_core_count(s->core), 1);
	/* in later requests, too */
	assert_int_equal(stage_in(s, 1,
	                          "MESSAGE sip:bob@example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:alice@example>;tag=1\nTo: <sip:bob@example>\n"
	                          "Call-ID: c1\nCSeq: 1 MESSAGE\nSecurity-Verify: tls;q=0.5\n"),
	                 494);
}

static void who_knows_none_of_it_comes_in_unless_required(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(edge_core_count(s->core), 1);
}

static void required_of_all(void **state)
{
	struct stage *s = *state;

	s->policy.agreement = EDGE_AGREE_REQUIRED;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 421);
	assert_true(stage_has(s, "Require: sec-agree\r\nSecurity-Server: tls;q=0.5\r\n"));
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, "Supported: sec-agree\n"), 494);
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, AGREE), 0);
	stage_challenge(s, "n1", NULL);
	assert_true(stage_has(s, "Security-Server: tls;q=0.5\r\n"));
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, AGREE "Security-Verify: tls;q=0.5\n"),
	                 0);
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(stage_in(s, 1,
	                          "MESSAGE sip:bob@example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:alice@example>;tag=1\nTo: <sip:bob@example>\n"
	                          "Call-ID: c1\nCSeq: 1 MESSAGE\n"),
	                 494);
}

static void nothing_in_common(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL,
	                           "Require: sec-agree\nSecurity-Client: digest, ipsec-ike\n"),
	                 494);
	assert_true(stage_has(s, "Security-Server: tls;q=0.5\r\n"));
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, "Proxy-Require: sec-agree\n"), 494);
	/* not the first hop (2.3.2) */
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL,
	                           AGREE "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK0\n"),
	                 502);
	/* in the clear it is told where to go */
	stage_up(s, 2, NULL);
	assert_int_equal(stage_ask(s, 2, "alice", 600, NULL, AGREE), 494);
	assert_int_equal(stage_ask(s, 2, "alice", 600, NULL, AGREE "Security-Verify: tls;q=0.5\n"),
	                 494);
}

/* -- the operator's words -- */

static void words_that_are_none(void **state)
{
	static const char *const mechanisms[] = { "", "tls, digest", "tls;q=0.1;" };
	struct stage *s = *state;

	stage_open(s);
	for (size_t i = 0; i < BASE_COUNT(mechanisms); i++) {
		struct edge_policy p = { .access_host = "p",
			                 .core_host = "c",
			                 .mechanisms = &mechanisms[i],
			                 .mechanism_count = 1 };
		struct base_error err = { 0 };

		assert_int_equal(base_err_class(edge_core_policy(s->core, &p, &err)), BASE_CONFIG);
		assert_non_null(strstr(err.text, "RFC 3329"));
	}
	{
		struct edge_policy p = { .access_host = "p", .core_host = "c c" };
		struct base_error err = { 0 };

		assert_int_equal(base_err_class(edge_core_policy(s->core, &p, &err)), BASE_CONFIG);
		p.core_host = NULL;
		assert_int_equal(base_err_class(edge_core_policy(s->core, &p, &err)), BASE_CONFIG);
		p.core_host = "c";
		p.registrar = "tel:1";
		assert_int_equal(base_err_class(edge_core_policy(s->core, &p, &err)), BASE_CONFIG);
		p.registrar = NULL;
		assert_int_equal(edge_core_policy(s->core, &p, &err), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(a_loss_ends_the_binding),
		CASE(the_core_is_told_where_wanted),
		CASE(a_yes_too_late),
		CASE(the_same_contact_moves),
		CASE(flows_of_one_impi_are_limited),
		CASE(who_pings_is_told_how_often),
		CASE(dropped),
		CASE(shortened),
		CASE(the_list_is_told_and_mirrored),
		CASE(who_knows_none_of_it_comes_in_unless_required),
		CASE(required_of_all),
		CASE(nothing_in_common),
		CASE(words_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
