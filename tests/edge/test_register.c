/* SPDX-License-Identifier: Apache-2.0 */
/** @file REGISTER through the edge: how a binding begins, goes on and ends (TS 33.203, O.2 to O.4).
 */
#include "check.h"
#include "stage.h"

#define PROOF                                                                                      \
	"username=\"alice@home\", realm=\"example\", nonce=\"n1\", uri=\"sip:example\", "          \
	"response=\"0123456789abcdef0123456789abcdef\""

static void first_register_is_pending(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600,
	                           "username=\"alice@home\", realm=\"example\", nonce=\"\", "
	                           "uri=\"sip:example\", response=\"\"",
	                           "Route: <sip:evil.example;lr>\nPath: <sip:evil.example;lr>\n"
	                           "P-Asserted-Identity: <sip:eve@example>\n"
	                           "P-Charging-Vector: icid-value=1\n"),
	                 0);
	assert_int_equal(s->d.to, EDGE_CORE);
	assert_true(base_str_eq(s->d.hop, BASE_STR("sip:icscf.example;lr")));
	assert_true(stage_has(s, "response=\"\", integrity-protected=\"tls-pending\"\r\n"));
	assert_false(stage_has(s, "evil"));
	assert_false(stage_has(s, "eve@"));
	assert_false(stage_has(s, "icid-value=1\r"));
	assert_true(stage_has(s, "\r\nPath: <sip:AQE"));
	assert_true(stage_has(s, "@192.0.2.1:5070;lr>\r\n"));
	assert_false(stage_has(s, ";ob"));
	assert_true(stage_has(s, "Require: path\r\n"));
	assert_true(stage_has(s, "P-Visited-Network-ID: \"pcscf.example\"\r\n"));
	assert_true(stage_has(s, "P-Charging-Vector: icid-value=\""));
	assert_true(stage_has(s, ";icid-generated-at=192.0.2.1\r\n"));
}

/** RFC 5626, 5.1: `ob` where the Contact has reg-id and the UE knows outbound. */
static void outbound_is_told_in_path(void **state)
{
	struct stage *s = *state;

	s->policy.flow_timer_s = 120;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_in(s, 1,
	                          "REGISTER sip:example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:a@example>;tag=1\nTo: <sip:a@example>\nCall-ID: r\n"
	                          "CSeq: 1 REGISTER\nSupported: path, outbound\n"
	                          "Contact: <sip:a@10.0.0.1>;reg-id=1;+sip.instance=\"<urn:x>\"\n"),
	                 0);
	assert_true(stage_has(s, "@192.0.2.1:5070;lr;ob>\r\n"));
	assert_int_equal(stage_in(s, 1,
	                          "REGISTER sip:example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:a@example>;tag=1\nTo: <sip:a@example>\nCall-ID: r\n"
	                          "CSeq: 1 REGISTER\nSupported: path\n"
	                          "Contact: <sip:a@10.0.0.1>;reg-id=1;+sip.instance=\"<urn:x>\"\n"),
	                 0);
	assert_false(stage_has(s, ";ob"));
	/* not the first hop: neither (5.1) */
	assert_int_equal(stage_in(s, 1,
	                          "REGISTER sip:example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.2;branch=z9hG4bK2\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:a@example>;tag=1\nTo: <sip:a@example>\nCall-ID: r\n"
	                          "CSeq: 1 REGISTER\nSupported: path, outbound\n"
	                          "Contact: <sip:a@10.0.0.1>;reg-id=1;+sip.instance=\"<urn:x>\"\n"),
	                 502);
}

static void a_proof_that_is_answered_binds(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	assert_true(stage_has(s, "integrity-protected=\"tls-pending\""));
	assert_false(edge_core_binding(s->core, 1, &b));
	stage_yes(s, "alice", 300,
	          "P-Associated-URI: <sip:alice@example>, <tel:+4911>\n"
	          "Service-Route: <sip:orig@scscf.example;lr>\n"
	          "P-Charging-Function-Addresses: ccf=1.2.3.4\n");
	assert_false(stage_has(s, "P-Charging"));
	assert_true(stage_has(s, "Service-Route: <sip:orig@scscf.example;lr>\r\n"));
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_true(base_str_eq(b.address, BASE_STR("198.51.100.7")));
	assert_int_equal(b.port, 40001);
	assert_true(base_str_eq(b.session, BASE_STR("SID1")));
	assert_true(base_str_eq(b.impi, BASE_STR("alice@home")));
	assert_int_equal(b.impu_count, 2);
	assert_true(base_str_eq(b.impus[0], BASE_STR("sip:alice@example")));
	assert_true(base_str_eq(b.impus[1], BASE_STR("tel:+4911")));
	assert_int_equal(b.route_count, 1);
	assert_int_equal(b.expires_ms, s->now_ms + 300000);
	assert_true(stage_told(s, "bound 1 198.51.100.7:40001 alice@home"));
}

/** O.4.3: again on the live session, which is told to the core as bound. */
static void again_is_tls_yes(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	s->now_ms += 200000;
	assert_int_equal(stage_ask(s, 1, "alice", 600,
	                           PROOF ", integrity-protected=\"tls-yes\", "
	                                 "Integrity-Protected=\"ip-assoc-yes\"",
	                           NULL),
	                 0);
	assert_true(stage_has(s, ", integrity-protected=\"tls-yes\"\r\n"));
	assert_false(stage_has(s, "ip-assoc-yes"));
	stage_yes(s, "alice", 600, "P-Associated-URI: <sip:alice@example>\n");
	assert_true(stage_told(s, "refreshed 1"));
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.expires_ms, s->now_ms + 600000);
	assert_int_equal(b.impu_count, 1);
	assert_int_equal(edge_core_count(s->core), 1);
	/* an IMPU that is not one of the binding's yet: the core may ask for a proof */
	assert_int_equal(stage_ask(s, 1, "al", 600, PROOF, NULL), 0);
	assert_true(stage_has(s, "integrity-protected=\"tls-pending\""));
	stage_yes(s, "al", 900, "P-Associated-URI: <sip:al@example>\n");
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.impu_count, 2);
	assert_int_equal(b.expires_ms, s->now_ms + 600000); /* the earlier one */
}

static void without_associated_uris_it_is_who_registered(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_yes(s, "alice", 600, NULL);
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.impu_count, 1);
	assert_true(base_str_eq(b.impus[0], BASE_STR("sip:alice@example")));
}

static void without_proof_nothing_is_bound(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_yes(s, "alice", 600, "P-Associated-URI: <sip:alice@example>\n");
	assert_int_equal(edge_core_count(s->core), 0);
	assert_true(stage_told(s, "registered without Digest"));
}

static void without_tls_nothing_is_bound(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF ", integrity-protected=yes", NULL), 0);
	assert_false(stage_has(s, "integrity-protected"));
	stage_yes(s, "alice", 600, "P-Associated-URI: <sip:alice@example>\n");
	assert_int_equal(edge_core_count(s->core), 0);
}

static void expiry_zero_ends_it(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_ask(s, 1, "alice", 0, PROOF, NULL), 0);
	assert_int_equal(edge_core_count(s->core), 1);
	stage_yes(s, "alice", 0, NULL);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_true(stage_told(s, "unbound 1 (unregistered)"));
	assert_false(s->pass.close);
	/* the flow serves a registration, or goes */
	stage_until(s, s->now_ms + 32000);
	assert_true(stage_told(s, "close 1 forget: nobody registered on it in time"));
	assert_int_equal(edge_core_flow_count(s->core), 0);
}

/** Another contact of the same UE taken back: what is bound here stays. */
static void anothers_zero_does_not(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_in(s, 1,
	                          "REGISTER sip:example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:alice@example>;tag=1\nTo: <sip:alice@example>\n"
	                          "Call-ID: r\nCSeq: 1 REGISTER\n"
	                          "Contact: <sip:alice@10.0.0.99>;expires=0\n"
	                          "Authorization: Digest " PROOF "\n"),
	                 0);
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(edge_core_count(s->core), 1);
	/* a star is all of them */
	assert_int_equal(stage_in(s, 1,
	                          "REGISTER sip:example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:alice@example>;tag=1\nTo: <sip:alice@example>\n"
	                          "Call-ID: r\nCSeq: 1 REGISTER\nContact: *\nExpires: 0\n"
	                          "Authorization: Digest " PROOF "\n"),
	                 0);
	stage_yes(s, "alice", 0, NULL);
	assert_int_equal(edge_core_count(s->core), 0);
}

static void it_expires(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	stage_until(s, s->now_ms + 599999);
	assert_int_equal(edge_core_count(s->core), 1);
	stage_until(s, s->now_ms + 1);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_true(stage_told(s, "unbound 1 (expired)"));
}

/* -- O.3: what Digest says -- */

static void a_refused_proof_ends_the_session(void **state)
{
	static const char *const answers[] = {
		"SIP/2.0 401 Unauthorized\nWWW-Authenticate: Digest realm=\"example\", "
		"nonce=\"n2\"\n",
		"SIP/2.0 403 Forbidden\n",
	};

	for (size_t i = 0; i < BASE_COUNT(answers); i++) {
		struct stage *s = *state;

		memset(s, 0, sizeof(*s));
		stage_open(s);
		stage_up(s, 1, "SID1");
		assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
		stage_challenge(s, "n1", NULL);
		assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
		stage_answerf(s,
		              "%sVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\n"
		              "To: <sip:a@b>;tag=2\nCall-ID: r\nCSeq: 1 REGISTER\n",
		              answers[i]);
		assert_true(s->pass.close);
		assert_true(s->pass.forget);
		assert_int_equal(edge_core_flow_count(s->core), 0);
		assert_int_equal(edge_core_counters(s->core)->digest_failed, 1);
		/* what comes before the connection is closed leads nowhere */
		assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 403);
		assert_true(s->d.close);
		if (!i)
			stage_close(s);
	}
}

/** Also one of a UE that is bound: its binding is over, and the registrar told as configured. */
static void a_refused_proof_ends_the_binding(void **state)
{
	struct stage *s = *state;

	s->policy.deregister = true;
	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_challenge(s, "n2", NULL);
	assert_true(s->pass.close && s->pass.forget);
	assert_int_equal(edge_core_count(s->core), 0);
	assert_true(stage_told(s, "unbound 1 (Digest refused)"));
	assert_true(stage_told(s, "part next="));
}

static void a_stale_proof_goes_on(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_challenge(s, "n2", ", stale=TRUE");
	assert_false(s->pass.close);
	assert_int_equal(edge_core_count(s->core), 1);
	assert_int_equal(stage_ask(s, 1, "alice", 600,
	                           "username=\"alice@home\", realm=\"example\", nonce=\"n2\", "
	                           "uri=\"sip:example\", response=\"00\"",
	                           NULL),
	                 0);
	stage_yes(s, "alice", 600, NULL);
	assert_true(stage_told(s, "refreshed 1"));
}

static void a_challenge_that_is_not_answered_closes(void **state)
{
	struct stage *s = *state;

	s->policy.challenge_ms = 10000;
	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_until(s, 20000);
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	stage_until(s, 29999);
	assert_int_equal(edge_core_flow_count(s->core), 1);
	stage_until(s, 30000);
	assert_int_equal(edge_core_flow_count(s->core), 0);
	assert_true(stage_told(s, "close 1 forget"));
}

static void challenges_are_not_for_ever(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	for (unsigned i = 0; i < 6; i++) {
		assert_false(s->pass.close);
		assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
		stage_challenge(s, "n1", NULL);
	}
	assert_true(s->pass.close);
	assert_int_equal(edge_core_flow_count(s->core), 0);
}

static void other_answers_change_nothing(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_own_answer(s, 408);
	assert_false(s->pass.close);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(edge_core_count(s->core), 1);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_own_answer(s, 503);
	assert_int_equal(edge_core_count(s->core), 1);
}

/* -- whose -- */

/** Replayed: the proof was to a challenge of another flow. The core never sees it. */
static void a_replayed_proof_is_taken_out(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_up(s, 2, "SID2");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_ask(s, 2, "alice", 600, PROOF, NULL), 0);
	assert_false(stage_has(s, "Authorization"));
	assert_int_equal(edge_core_counters(s->core)->replays, 1);
	stage_yes(s, "alice", 600, NULL); /* were the core to say yes all the same */
	assert_int_equal(edge_core_count(s->core), 1);
	/* who means well tries again with a challenge of its own */
	assert_int_equal(stage_ask(s, 2, "alice", 600, PROOF, NULL), 0);
	stage_challenge(s, "n7", NULL);
	assert_true(stage_has(s, "nonce=\"n7\", stale=true\r\n"));
	assert_false(s->pass.close);
}

static void another_impi_is_refused(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_ask(s, 1, "bob", 600,
	                           "username=\"bob@home\", realm=\"example\", nonce=\"n1\", "
	                           "uri=\"sip:example\", response=\"00\"",
	                           NULL),
	                 403);
	assert_int_equal(edge_core_counters(s->core)->impostors, 1);
	assert_int_equal(edge_core_count(s->core), 1);
}

/** A registrar that asks for no proof of a name that is not the binding's makes it none. */
static void a_name_more_wants_a_proof(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_ask(s, 1, "bob", 600,
	                           "username=\"alice@home\", nonce=\"old\", "
	                           "response=\"1\"",
	                           NULL),
	                 0);
	stage_yes(s, "bob", 600, "P-Associated-URI: <sip:bob@example>\n");
	assert_int_equal(stage_ask(s, 1, "bob", 600, NULL, NULL), 0);
	stage_yes(s, "bob", 600, "P-Associated-URI: <sip:bob@example>\n");
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.impu_count, 2);
	assert_true(base_str_eq(b.impus[1], BASE_STR("tel:+4911")));
}

/** A core that never says anything about a proof. */
static void an_answer_that_never_comes(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_until(s, s->now_ms + 63999);
	assert_int_equal(edge_core_flow_count(s->core), 1);
	stage_until(s, s->now_ms + 1);
	assert_int_equal(edge_core_flow_count(s->core), 0);
}

/** Two at once on one flow: the first that is answered has it. */
static void two_at_once(void **state)
{
	struct stage *s = *state;
	struct edge_decision first;
	struct sip_message *request;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	first = s->d;
	request = s->request;
	assert_int_equal(stage_ask(s, 1, "bob", 600,
	                           "username=\"bob@home\", realm=\"example\", nonce=\"n1\", "
	                           "uri=\"sip:example\", response=\"00\"",
	                           NULL),
	                 0);
	stage_yes(s, "bob", 600, NULL);
	s->d = first;
	s->request = request;
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(edge_core_count(s->core), 1);
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_true(base_str_eq(b.impi, BASE_STR("bob@home")));
	assert_int_equal(b.impu_count, 1);
}

static void malformed_ones(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	/* two Authorizations: whom would the registrar believe? */
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF,
	                           "Authorization: Digest username=\"bob@home\", nonce=\"n\"\n"),
	                 400);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF ", username=\"bob@home\"", NULL), 400);
	assert_int_equal(stage_ask(s, 1, "alice", 600, "nonce=\"n1\", response=\"1\"", NULL), 400);
	/* of somebody else (TS 24.229: From and To are one) */
	assert_int_equal(stage_in(s, 1,
	                          "REGISTER sip:example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sip:alice@example>;tag=1\nTo: <sip:bob@example>\n"
	                          "Call-ID: r\nCSeq: 1 REGISTER\n"
	                          "Contact: <sip:alice@10.0.0.99>\n"),
	                 403);
}

static void too_brief_an_expiry(void **state)
{
	struct stage *s = *state;

	s->policy.minimum_s = 60;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 59, NULL, NULL), 423);
	assert_true(stage_has(s, "Min-Expires: 60\r\n"));
	assert_int_equal(stage_ask(s, 1, "alice", 60, NULL, NULL), 0);
	assert_int_equal(stage_ask(s, 1, "alice", 0, NULL, NULL), 0);
}

static void overload_refuses_new_ones_first(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_up(s, 2, "SID2");
	stage_register(s, 1, "alice", 600);
	s->load = EDGE_LOAD_NEW;
	assert_int_equal(stage_ask(s, 2, "bob", 600, NULL, NULL), 503);
	assert_true(stage_has(s, "Retry-After: 10\r\n"));
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	s->load = EDGE_LOAD_ALL;
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 503);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(first_register_is_pending),
		CASE(outbound_is_told_in_path),
		CASE(a_proof_that_is_answered_binds),
		CASE(again_is_tls_yes),
		CASE(without_associated_uris_it_is_who_registered),
		CASE(without_proof_nothing_is_bound),
		CASE(without_tls_nothing_is_bound),
		CASE(expiry_zero_ends_it),
		CASE(anothers_zero_does_not),
		CASE(it_expires),
		CASE(a_refused_proof_ends_the_session),
		CASE(a_refused_proof_ends_the_binding),
		CASE(a_stale_proof_goes_on),
		CASE(a_challenge_that_is_not_answered_closes),
		CASE(challenges_are_not_for_ever),
		CASE(other_answers_change_nothing),
		CASE(a_replayed_proof_is_taken_out),
		CASE(another_impi_is_refused),
		CASE(a_name_more_wants_a_proof),
		CASE(an_answer_that_never_comes),
		CASE(two_at_once),
		CASE(malformed_ones),
		CASE(too_brief_an_expiry),
		CASE(overload_refuses_new_ones_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
