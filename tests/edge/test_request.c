/* SPDX-License-Identifier: Apache-2.0 */
/** @file Requests through the edge, up and down: whose identity, whose flow (RFC 5626, 5.3). */
#include "check.h"
#include "request_stage.h"

#define MIRROR                                                                                     \
	"Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: "                   \
	"<sip:alice@example>;tag=2\nCall-ID: c2\nCSeq: 1 INVITE\n"

static void strangers_are_refused(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:alice@example", "")), 403);
		assert_false(s->d.close);
	}
	/* who registers begins anew, should it be over */
	stage_register(s, 1, "alice", 600);
	assert_true(edge_core_ended(s->core, 1));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:alice@example", "")), 403);
	assert_int_equal(stage_in(s, 1, UP("ACK", "sip:alice@example", "")), 1);
	assert_false(s->d.close);
	assert_int_equal(stage_in(s, 1, UP("OPTIONS", "sip:alice@example", "")), 403);
	assert_true(s->d.close);
	assert_int_equal(edge_core_counters(s->core)->strangers, 11);
	/* one who says nothing goes, too */
	stage_up(s, 2, "SID2");
	stage_until(s, s->now_ms + 32000);
	assert_true(stage_told(s, "close 2 forget: nobody registered"));
}

static void the_default_identity_is_asserted(void **state)
{
	struct stage *s = *state;

	(void)registered(s);
	assert_int_equal(stage_in(s, 1,
	                          UP("MESSAGE", "sip:alice@example",
	                             "Route: <sip:pcscf.example:5061;transport=tls;lr>\n"
	                             "Route: <sip:evil.example;lr>\n"
	                             "P-Asserted-Identity: <sip:eve@example>\n"
	                             "Remote-Party-ID: <sip:eve@example>\n"
	                             "p-asserted-identity: \"x\" <tel:+1>\n"
	                             "P-Access-Network-Info: 3GPP-GERAN;cgi-3gpp=1;np\n"
	                             "Path: <sip:x@evil.example>\n")),
	                 0);
	assert_true(stage_has(s, "P-Asserted-Identity: <sip:alice@example>\r\n"));
	assert_true(stage_has(s, "Route: <sip:orig@scscf.example;lr>\r\n"));
	assert_false(stage_has(s, "evil"));
	assert_false(stage_has(s, "eve"));
	assert_false(stage_has(s, "tel:+1>"));
	assert_false(stage_has(s, "pcscf.example"));
	assert_false(stage_has(s, "P-Access-Network-Info"));
	assert_false(stage_has(s, "Record-Route"));
	assert_true(stage_has(s, "P-Charging-Vector: "));
	assert_int_equal(s->d.to, EDGE_CORE);
	assert_null(s->d.hop.ptr);
}

static void a_preferred_identity_of_the_binding_is(void **state)
{
	struct stage *s = *state;

	(void)registered(s);
	assert_int_equal(stage_in(s, 1,
	                          UP("MESSAGE", "sip:alice@example",
	                             "P-Preferred-Identity: \"A\" <tel:+4911>\n")),
	                 0);
	assert_true(stage_has(s, "P-Asserted-Identity: <tel:+4911>\r\n"));
	assert_false(stage_has(s, "P-Preferred-Identity"));
	assert_int_equal(
	        stage_in(s, 1, UP("MESSAGE", "sip:anonymous@anonymous.invalid", "Privacy: id\n")),
	        0);
	assert_true(stage_has(s, "P-Asserted-Identity: <sip:alice@example>\r\n"));
	assert_true(stage_has(s, "Privacy: id\r\n"));
}

/** The attacker: an identity of another UE on its own flow. */
static void another_identity_is_refused(void **state)
{
	struct stage *s = *state;

	(void)registered(s);
	stage_up(s, 2, "SID2");
	stage_register(s, 2, "bob", 600);
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:bob@example", "")), 403);
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@evil.example", "")), 403);
	assert_int_equal(stage_in(s, 1,
	                          UP("MESSAGE", "sip:alice@example",
	                             "P-Preferred-Identity: <sip:bob@example>\n")),
	                 403);
	assert_int_equal(stage_in(s, 1,
	                          UP("MESSAGE", "sip:alice@example",
	                             "P-Preferred-Identity: <sip:alice@example>, <tel:+4912>\n")),
	                 403);
	assert_int_equal(
	        stage_in(s, 1, UP("MESSAGE", "sip:alice@example", "P-Preferred-Identity: %\n")),
	        403);
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "tel:+4911;ext=9", "")), 403);
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "tel:4911;phone-context=+1", "")), 403);
	assert_int_equal(edge_core_counters(s->core)->impostors, 7);
	/* the same is written in several ways */
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "tel:+49-(11)", "")), 0);
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:%61lice@EXAMPLE;user=phone", "")), 0);
	assert_int_equal(edge_core_count(s->core), 2);
}

/** Numbers that are no global ones alone: RFC 3966, 4 (R). */
static void numbers_have_several_texts(void **state)
{
	static const struct {
		const char *from;
		unsigned status;
	} asked[] = {
		{ "tel:70-42;phone-context=home.example", 0 },
		{ "TEL:7042;Phone-Context=HOME.example", 0 },
		{ "tel:+49-30;ext=7", 0 },
		{ "tel:+4930;EXT=7", 0 },
		{ "tel:7042;phone-context=other.example", 403 },
		{ "tel:7043;phone-context=home.example", 403 },
		{ "tel:+7042;phone-context=home.example", 403 },
		{ "tel:7042", 403 },
		{ "tel:+4930", 403 },
		{ "tel:+4930;ext=8", 403 },
		{ "tel:+4930;ext=7;isub=1", 403 },
	};
	struct stage *s = *state;
	char text[512];

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(
	        stage_ask(s, 1, "alice", 600, "username=\"a\", nonce=\"n1\", response=\"0\"", NULL),
	        0);
	stage_yes(s, "alice", 600,
	          "P-Associated-URI: <tel:7042;phone-context=Home.example>, <tel:+4930;ext=7>\n");
	for (size_t i = 0; i < BASE_COUNT(asked); i++) {
		(void)snprintf(text, sizeof(text), UP("MESSAGE", "%s", ""), asked[i].from);
		if (stage_in(s, 1, text) != asked[i].status)
			fail_msg("%s", asked[i].from);
	}
}

static void service_routes_are_kept_to(void **state)
{
	struct stage *s = *state;

	s->policy.proxy = "sip:scscf2.example;lr";
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600,
	                           "username=\"alice@home\", nonce=\"n1\", response=\"1\"", NULL),
	                 0);
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:alice@example", "")), 0);
	assert_true(base_str_eq(s->d.hop, BASE_STR("sip:scscf2.example;lr")));
	assert_false(stage_has(s, "Route"));
	assert_int_equal(stage_ask(s, 1, "alice", 600,
	                           "username=\"alice@home\", nonce=\"n1\", response=\"2\"", NULL),
	                 0);
	stage_yes(s, "alice", 600,
	          "Service-Route: <sip:a.example;lr>, <sip:b.example;lr>\n"
	          "Service-Route: <sip:c.example;lr>\n");
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:alice@example", "")), 0);
	assert_true(stage_has(s, "Route: <sip:a.example;lr>\r\nRoute: <sip:b.example;lr>\r\n"
	                         "Route: <sip:c.example;lr>\r\n"));
	assert_null(s->d.hop.ptr);
}

/* -- down -- */

static void a_token_leads_to_its_flow(void **state)
{
	struct stage *s = *state;
	const char *path = registered(s);

	assert_int_equal(stage_inf(s, 0,
	                           DOWN("MESSAGE", "%s",
	                                "P-Charging-Vector: icid-value=1\n"
	                                "P-Asserted-Identity: <sip:bob@example>\n"),
	                           path),
	                 0);
	assert_int_equal(s->d.to, EDGE_ACCESS);
	assert_int_equal(s->d.flow, 1);
	assert_int_equal(s->d.lost_status, 430);
	assert_false(stage_has(s, "Route:"));
	assert_false(stage_has(s, "P-Charging"));
	assert_true(stage_has(s, "P-Asserted-Identity: <sip:bob@example>"));
	/* who wants to be nobody is nobody */
	assert_int_equal(stage_inf(s, 0,
	                           DOWN("MESSAGE", "%s",
	                                "Privacy: user;id\n"
	                                "P-Asserted-Identity: <sip:bob@example>\n"),
	                           path),
	                 0);
	assert_false(stage_has(s, "P-Asserted-Identity"));
}

/** RFC 5626, 5.3.1: 403 for one that was tampered with, 430 for one whose flow is gone. */
static void tokens_that_are_none(void **state)
{
	struct stage *s = *state;
	char route[512];
	const char *path;

	path = registered(s);
	(void)snprintf(route, sizeof(route), "%s", path);
	route[10] = route[10] == 'A' ? 'B' : 'A'; /* of another epoch, which nobody made */
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), route), 430);
	for (size_t i = 0; i < 12; i++) { /* the mac is at its end */
		char *at = strchr(path, '@') - 2 - i;

		(void)snprintf(route, sizeof(route), "%s", path);
		route[at - path] = *at == 'x' ? 'y' : 'x';
		assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), route), 403);
	}
	assert_int_equal(edge_core_counters(s->core)->forged, 12);
	assert_int_equal(stage_in(s, 0, DOWN("MESSAGE", "sip:192.0.2.1:5070;lr", "")), 404);
	assert_int_equal(stage_in(s, 0, DOWN("ACK", "sip:192.0.2.1:5070;lr", "")), 1);
	edge_core_lost(s->core, 1);
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 430);
	assert_true(stage_told(s, "unbound 1 (connection lost)"));
	/* a new flow of the same UE is another flow */
	stage_up(s, 2, "SID1");
	stage_register(s, 2, "alice", 600);
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 430);
}

/** One text for one token: the bits that its last digit has too many are nought. */
static void tokens_have_one_text(void **state)
{
	struct stage *s = *state;
	char route[512];
	char *last;

	(void)registered(s);
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	(void)snprintf(route, sizeof(route), "%s", stage_between(s, 0, "Record-Route: <", ">"));
	last = strchr(route, '@') - 1;
	assert_int_equal(
	        stage_inf(s, 0,
	                  IN_DIALOG("BYE", "sip:bob@example", "sip:alice@example", "Route: <%s>\n"),
	                  route),
	        0);
	*last = (char)(*last + 1);
	assert_int_equal(
	        stage_inf(s, 0,
	                  IN_DIALOG("BYE", "sip:bob@example", "sip:alice@example", "Route: <%s>\n"),
	                  route),
	        404);
}

static void an_unbound_flow_gets_nothing(void **state)
{
	struct stage *s = *state;
	const char *path;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	path = stage_between(s, 0, "Path: <", ">");
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 430);
}

static void are_you_there(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	assert_int_equal(stage_in(s, 0,
	                          "OPTIONS sip:192.0.2.1:5070 SIP/2.0\n"
	                          "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                          "From: <sip:k@x>;tag=7\nTo: <sip:192.0.2.1:5070>\nCall-ID: c2\n"
	                          "CSeq: 1 OPTIONS\n"),
	                 200);
	assert_int_equal(stage_in(s, 0,
	                          "OPTIONS sip:bob@elsewhere.example SIP/2.0\n"
	                          "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                          "From: <sip:k@x>;tag=7\nTo: <sip:x>\nCall-ID: c2\n"
	                          "CSeq: 1 OPTIONS\n"),
	                 404);
}

/* -- responses -- */

static void answers_say_who_answers(void **state)
{
	struct stage *s = *state;
	const char *path = registered(s);

	assert_int_equal(stage_inf(s, 0,
	                           DOWN("INVITE", "%s",
	                                "P-Charging-Vector: icid-value=1\n"
	                                "P-Called-Party-ID: <tel:+4911>\n"),
	                           path),
	                 0);
	stage_answer(s, "SIP/2.0 180 Ringing\n" MIRROR "P-Asserted-Identity: <sip:eve@example>\n"
	                "P-Charging-Vector: icid-value=2\n");
	assert_true(stage_has(s, "P-Asserted-Identity: <tel:+4911>\r\n"));
	assert_true(stage_has(s, "P-Charging-Vector: icid-value=1\r\n"));
	assert_false(stage_has(s, "eve"));
	assert_false(stage_has(s, "icid-value=2"));
	stage_answer(s, "SIP/2.0 200 OK\n" MIRROR "P-Preferred-Identity: <sip:alice@example>\n");
	assert_true(stage_has(s, "P-Asserted-Identity: <sip:alice@example>\r\n"));
	assert_false(stage_has(s, "Preferred"));
	stage_answer(s, "SIP/2.0 200 OK\n" MIRROR "P-Preferred-Identity: <sip:bob@example>\n");
	assert_true(stage_has(s, "P-Asserted-Identity: <tel:+4911>\r\n"));
	/* and those of the core down */
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	stage_answer(s, "SIP/2.0 200 OK\n" MIRROR "Privacy: id\nP-Asserted-Identity: <sip:b@c>\n"
	                "P-Charging-Vector: icid-value=3\n");
	assert_false(stage_has(s, "P-"));
}

/* -- a pool -- */

static void a_token_of_another_edge_is_asked_for(void **state)
{
	struct stage *s = *state;
	struct edge_owner owner = { .known = true, .uri = BASE_STR("sip:192.0.2.2:5070") };
	static struct stage other;
	char path[512];

	other = (struct stage){ .epoch = 99 }; /* started apart, keys of the same pool */
	stage_open(s);
	stage_open(&other);
	stage_up(&other, 1, "SID1");
	assert_int_equal(stage_ask(&other, 1, "alice", 600, NULL, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s", stage_between(&other, 0, "Path: <", ">"));

	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 2);
	assert_int_equal(s->d.key.len, EDGE_FLOW_KEY);
	s->owner = &owner;
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 0);
	assert_int_equal(s->d.way, EDGE_WAY_OWNER);
	assert_string_equal(stage_between(s, 0, "Route: <", ">"), "sip:192.0.2.2:5070;lr;gh-hop");
	assert_string_equal(stage_between(s, 1, "Route: <", ">"), path);
	owner.known = false;
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 503);
	assert_true(stage_has(s, "Retry-After: 10\r\n"));
	owner = (struct edge_owner){ .known = true };
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 430);
	s->owner = NULL;
	/* one that was handed on is not handed on again */
	assert_int_equal(stage_inf(s, 0,
	                           DOWN("MESSAGE", "sip:192.0.2.1:5070;lr;gh-hop", "Route: <%s>\n"),
	                           path),
	                 430);
	/* the owner itself takes it off */
	assert_int_equal(stage_inf(&other, 0,
	                           DOWN("MESSAGE", "sip:192.0.2.1:5070;lr;gh-hop", "Route: <%s>\n"),
	                           path),
	                 430); /* not bound yet */
	stage_register(&other, 1, "alice", 600);
	assert_int_equal(stage_inf(&other, 0,
	                           DOWN("MESSAGE", "sip:192.0.2.1:5070;lr;gh-hop", "Route: <%s>\n"),
	                           path),
	                 0);
	assert_false(stage_has(&other, "Route"));
	/* a tag that is wrong is worth no question, nor is one where there is no pool */
	s->no_foreign_key = true;
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 430);
	stage_close(&other);
}

/* -- emergency -- */

/* Who has not registered calls on this flow. */
static unsigned calls(struct stage *s, uint64_t flow, const char *target, const char *to,
                      const char *lines)
{
	return stage_inf(s, flow,
	                 "INVITE %s SIP/2.0\n"
	                 "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                 "From: <sip:anybody@example>;tag=1\nTo: <%s>\n"
	                 "Call-ID: c1\nCSeq: 1 INVITE\n%s",
	                 target, to, lines);
}

static void emergency_passes(void **state)
{
	static const char *const numbers[] = { "urn:service:sos", "tel:112" };
	struct stage *s = *state;
	const char *rr, *set[2];

	s->policy.emergency = numbers;
	s->policy.emergency_count = 2;
	s->policy.emergency_proxy = "sip:ecscf.example;lr";
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(calls(s, 1, "urn:service:sos.police", "urn:service:sos",
	                       "P-Asserted-Identity: <sip:x@y>\n"),
	                 0);
	assert_true(base_str_eq(s->d.hop, BASE_STR("sip:ecscf.example;lr")));
	assert_false(stage_has(s, "P-Asserted"));
	answered(s, 0, "", set);
	rr = set[0];
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:anybody@example", "urn:service:sos",
	                                     "Route: <%s>\n"),
	                           rr),
	                 0);
	assert_int_equal(stage_inf(s, 0,
	                           IN_DIALOG("BYE", "urn:service:sos", "sip:anybody@example",
	                                     "Route: <%s>\n"),
	                           rr),
	                 0);
	assert_int_equal(s->d.flow, 1);
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	stage_until(s, s->now_ms + 3600000); /* nobody hangs up on it */
	assert_int_equal(edge_core_flow_count(s->core), 1);
	stage_up(s, 2, "SID2");
	assert_int_equal(calls(s, 2, "sip:112@example;user=phone", "sip:112@example", ""), 0);
	assert_int_equal(calls(s, 2, "urn:service:sosx", "urn:service:sosx", ""), 403);
	assert_int_equal(edge_core_counters(s->core)->emergency, 2);
	/* the same token does nothing on another flow */
	assert_int_equal(stage_inf(s, 2,
	                           IN_DIALOG("BYE", "sip:anybody@example", "urn:service:sos",
	                                     "Route: <%s>\n"),
	                           rr),
	                 403);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(strangers_are_refused),
		CASE(the_default_identity_is_asserted),
		CASE(a_preferred_identity_of_the_binding_is),
		CASE(another_identity_is_refused),
		CASE(numbers_have_several_texts),
		CASE(service_routes_are_kept_to),
		CASE(a_token_leads_to_its_flow),
		CASE(tokens_that_are_none),
		CASE(tokens_have_one_text),
		CASE(an_unbound_flow_gets_nothing),
		CASE(are_you_there),
		CASE(answers_say_who_answers),
		CASE(a_token_of_another_edge_is_asked_for),
		CASE(emergency_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
