/* SPDX-License-Identifier: Apache-2.0 */
/** @file A UE that writes what two parsers read in two ways, or says what others alone may. */
#include "check.h"
#include "stage.h"

#define UP(method, lines)                                                                          \
	method " sip:bob@example SIP/2.0\n"                                                        \
	       "Via: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1\n"                                  \
	       "From: <sip:alice@example>;tag=1\nTo: <sip:bob@example>\nCall-ID: c1\nCSeq: "       \
	       "1 " method "\nMax-Forwards: 70\n" lines
#define SOS(uri)                                                                                   \
	"INVITE " uri " SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"                      \
	"From: <sip:anybody@example>;tag=1\nTo: <urn:service:sos>\nCall-ID: c1\nCSeq: 1 INVITE\n"
#define ANSWER                                                                                     \
	"Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\n"                       \
	"To: <sip:alice@example>;tag=2\nCall-ID: c1\nCSeq: 1 INVITE\n"
#define PROOF ", nonce=\"n1\", uri=\"sip:example\", response=\"0123456789abcdef\""

/* Alice on flow 1, its path. */
static const char *registered(struct stage *s)
{
	const char *path;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	path = stage_between(s, 0, "Path: <", ">");
	stage_register(s, 1, "alice", 600);
	return path;
}

/* -- Authorization -- */

/** The name in the binding is the one that the registrar has proven. */
static void one_name_for_all_who_read(void **state)
{
	static const char *const bad[] = {
		"username=\"alice@home\", username*=UTF-8''eve%40home, realm=\"example\"" PROOF,
		"username=\"eve@home\", username=\"alice@home\", realm=\"example\"" PROOF,
		"username=alice@home username=eve@home, realm=\"example\"" PROOF,
		"username=\"alice@home\"username=\"eve@home\", realm=\"example\"" PROOF,
		"username=\"alice@home\n eve\", realm=\"example\"" PROOF,
		"username=\"alice@home\x01\", realm=\"example\"" PROOF,
		"username=\"alice@home\", realm=\"example\t\"" PROOF,
		"username=\"alice@home\", realm=example integrity-protected=tls-yes" PROOF,
		"username=\"alice@home\", realm=\"example\", x=a\"b" PROOF,
	};
	struct stage *s = *state;

	(void)registered(s);
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		if (stage_ask(s, 1, "alice", 600, bad[i], NULL) != 400)
			fail_msg("%s", bad[i]);
}

/** What says integrity-protected says it nowhere, whatever else the field is. */
static void no_mark_in_any_disguise(void **state)
{
	static const char *const disguised[] = {
		"Proxy-Authorization: Digest username=x integrity-protected=\"tls-yes\"\n",
		"Proxy-Authorization: Digest username=\"x\";Integrity-Protected=tls-yes\n",
		"Proxy-Authorization: Digest username=x,\n ,\tINTEGRITY-PROTECTED =tls-yes\n",
		"Authorization: Other a=\"b\" integrity-protected=tls-yes\n",
		"Authorization: integrity-protected=tls-yes\n",
		"authorization : Digest integrity-protected=tls-yes\n",
	};
	struct stage *s = *state;

	(void)registered(s);
	for (size_t i = 0; i < BASE_COUNT(disguised); i++) {
		assert_int_equal(
		        stage_inf(s, 1, UP("MESSAGE", "%sSubject: a tls-less one\n"), disguised[i]),
		        0);
		if (stage_has(s, "tls-yes"))
			fail_msg("%s", disguised[i]);
	}
}

/** The REGISTER of the edge's own says tls-yes: nothing in it is the UE's to write. */
static void a_realm_stays_a_realm(void **state)
{
	struct stage *s = *state;

	s->policy.deregister = true;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600,
	                           "username=\"alice@home\", realm=\"x\\\", username=\\\"eve\", "
	                           "nonce=\"n1\", uri=\"sip:example\", response=\"0\"",
	                           NULL),
	                 0);
	stage_yes(s, "alice", 600, NULL);
	/* nor what it says later, without a proof */
	assert_int_equal(stage_ask(s, 1, "alice", 600,
	                           "username=\"alice@home\", realm=\"y\", nonce=\"\", "
	                           "uri=\"sip:example\", response=\"\"",
	                           NULL),
	                 0);
	assert_true(stage_has(s, "tls-yes"));
	stage_yes(s, "alice", 600, NULL);
	edge_core_lost(s->core, 1);
	assert_true(stage_told(s, "realm=\"x\\\", username=\\\"eve\", nonce=\"\""));
}

/* -- what a network says -- */

static void a_ue_provides_no_network(void **state)
{
	static const char *const said[] = {
		"3GPP-GERAN;np",
		"3GPP-GERAN ; np",
		"3GPP-GERAN;a=b c;np",
		"3GPP-GERAN;=;np",
		"3GPP-GERAN;;np",
		"3GPP-GERAN<;np",
		"3GPP-GERAN;a=\"x\" ;\n\tNETWORK-provided",
		"x, 3GPP-GERAN;np",
	};
	struct stage *s = *state;

	(void)registered(s);
	for (size_t i = 0; i < BASE_COUNT(said); i++) {
		assert_int_equal(
		        stage_inf(s, 1, UP("MESSAGE", "P-Access-Network-Info: %s\n"), said[i]), 0);
		if (stage_has(s, "GERAN"))
			fail_msg("%s", said[i]);
	}
	assert_int_equal(stage_in(s, 1,
	                          UP("MESSAGE", "P-Access-Network-Info: 3GPP-GERAN; "
	                                        "cgi-3gpp=\"1,np\";a=np\n")),
	                 0);
	assert_true(stage_has(s, "GERAN"));
}

/* Bob calls alice by these routes. */
static void called(struct stage *s, const char *path, const char *routes)
{
	assert_int_equal(stage_inf(s, 0,
	                           "INVITE sip:alice@10.0.0.1 SIP/2.0\n"
	                           "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                           "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>\n"
	                           "Call-ID: c1\nCSeq: 1 INVITE\nRoute: <%s>\n"
	                           "Record-Route: %s\n",
	                           path, routes),
	                 0);
}

/* As Record-Route, <1> and <2> being ours. */
static void said(char *out, size_t cap, const char *routes, const char *const mine[2])
{
	size_t n = 0;

	out[0] = '\0';
	if (routes)
		n = (size_t)snprintf(out, cap, "Record-Route: ");
	for (; routes && *routes; routes++) {
		if (*routes == '1' || *routes == '2')
			n += (size_t)snprintf(out + n, cap - n, "%s", mine[*routes - '1']);
		else
			n += (size_t)snprintf(out + n, cap - n, "%c", *routes);
		assert_true(n < cap - 2);
	}
	(void)snprintf(out + n, cap - n, "%s", n ? "\n" : "");
}

/** Who is called does not say which way the caller's requests go (TS 24.229, 5.2.6, R). */
static void a_callee_changes_no_routes(void **state)
{
	static const char *const evil[] = {
		"<sip:evil.example;lr>, <1>, <2>, <sip:s.example;lr>, <sip:t;lr>",
		"<1>, <2>, <sip:s.example;lr>, <sip:t;lr>, <sip:evil.example;lr>",
		"<1>, <2>, <sip:evil.example;lr>, <sip:t;lr>",
		"<1>, <2>, <sip:s.example;lr>",
		"<2>, <1>, <sip:s.example;lr>, <sip:t;lr>",
		"<sip:evil.example;lr>",
		"evil",
		NULL,
	};
	struct stage *s = *state;
	const char *mine[2], *path = registered(s);
	char due[1024], text[1024];

	called(s, path, "<sip:s.example;lr>, <sip:t;lr>");
	mine[0] = stage_between(s, 0, "Record-Route: <", ">");
	mine[1] = stage_between(s, 1, "Record-Route: <", ">");
	(void)snprintf(due, sizeof(due),
	               "Record-Route: <%s>\r\nRecord-Route: <%s>\r\n"
	               "Record-Route: <sip:s.example;lr>, <sip:t;lr>\r\n",
	               mine[0], mine[1]);
	for (size_t i = 0; i < BASE_COUNT(evil); i++) {
		said(text, sizeof(text), evil[i], mine);
		called(s, path, "<sip:s.example;lr>, <sip:t;lr>");
		stage_answerf(s, "SIP/2.0 %s\n" ANSWER "%s", i % 2 ? "200 OK" : "180 Ringing",
		              text);
		assert_true(stage_has(s, due));
		assert_false(stage_has(s, "evil"));
	}
	assert_int_equal(edge_core_counters(s->core)->rerouted, BASE_COUNT(evil));
	/* one that is true passes as it came */
	said(text, sizeof(text),
	     "<1>,<2>\nRecord-Route:  <sip:s.example;lr>\nRecord-Route: <sip:t;lr>", mine);
	called(s, path, "<sip:s.example;lr>, <sip:t;lr>");
	stage_answerf(s, "SIP/2.0 200 OK\n" ANSWER "%s", text);
	assert_true(stage_has(s, "Record-Route:  <sip:s.example;lr>\r\n"));
	assert_int_equal(edge_core_counters(s->core)->rerouted, BASE_COUNT(evil));
}

/** A digest of routes knows where each part of a URI ends. */
static void a_route_is_not_cut_elsewhere(void **state)
{
	struct stage *s = *state;
	const char *path = registered(s), *rr;

	called(s, path, "<sip:ab@c.example;lr>");
	rr = stage_between(s, 0, "Record-Route: <", ">");
#define BYE                                                                                        \
	"BYE sip:x@core.example SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"              \
	"From: <sip:alice@example>;tag=1\nTo: <sip:bob@example>;tag=2\nCall-ID: c1\nCSeq: 2 BYE\n" \
	"Route: <%s>, <sip:%s;lr>\n"
	assert_int_equal(stage_inf(s, 1, BYE, rr, "a@bc.example"), 403);
	assert_int_equal(stage_inf(s, 1, BYE, rr, "abc.example"), 403);
	assert_int_equal(stage_inf(s, 1, BYE, rr, "ab@c.example"), 0);
}

/* -- emergency -- */

/** A number of this name at a host of the UE's choice is nobody's emergency. */
static void no_way_out_by_a_number(void **state)
{
	static const char *const numbers[] = { "urn:service:sos", "tel:112" };
	struct stage *s = *state;

	s->policy.emergency = numbers;
	s->policy.emergency_count = 2;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_in(s, 1, SOS("sip:112@evil.example;user=phone")), 403);
	assert_int_equal(stage_in(s, 1, SOS("tel:112")), 0);
}

/** A call that came to nothing holds no flow; so many at once are enough. */
static void an_emergency_holds_no_flow(void **state)
{
	static const char *const numbers[] = { "urn:service:sos" };
	struct stage *s = *state;

	s->policy.emergency = numbers;
	s->policy.emergency_count = 1;
	s->policy.emergency_proxy = "sip:ecscf.example;lr";
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_in(s, 1, SOS("urn:service:sos")), 0);
	stage_until(s, s->now_ms + 100000); /* it rings */
	assert_int_equal(edge_core_flow_count(s->core), 1);
	stage_answer(s, "SIP/2.0 180 Ringing\n" ANSWER);
	stage_until(s, s->now_ms + 100000);
	assert_int_equal(edge_core_flow_count(s->core), 1);
	stage_answer(s, "SIP/2.0 480 Nobody\n" ANSWER);
	stage_until(s, s->now_ms + 32000);
	assert_int_equal(edge_core_flow_count(s->core), 0);
	assert_true(stage_told(s, "close 1 forget: nobody registered"));
	/* nor one that nobody answers, but for the proxy */
	stage_up(s, 2, "SID2");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(stage_in(s, 2, SOS("urn:service:sos")), 0);
	assert_int_equal(stage_in(s, 2, SOS("urn:service:sos")), 503);
	assert_true(stage_has(s, "Retry-After"));
	assert_int_equal(edge_core_counters(s->core)->emergency, 5);
	for (unsigned i = 0; i < 4; i++) {
		stage_until(s, s->now_ms + 100000);
		assert_int_equal(edge_core_flow_count(s->core), 1);
		s->d = (struct edge_decision){ .way = EDGE_WAY_EMERGENCY, .flow = 2 };
		stage_own_answer(s, 408);
		stage_own_answer(s, 408); /* it counts once */
	}
	stage_until(s, s->now_ms + 32000);
	assert_int_equal(edge_core_flow_count(s->core), 0);
}

/** Who has called for help writes to nobody as somebody else in that dialog. */
static void help_is_called_by_one(void **state)
{
	static const char *const numbers[] = { "urn:service:sos" };
	struct stage *s = *state;
	const char *core, *access, *rr;

	s->policy.emergency = numbers;
	s->policy.emergency_count = 1;
	s->policy.emergency_proxy = "sip:ecscf.example;lr";
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_in(s, 1, SOS("urn:service:sos")), 0);
	core = stage_between(s, 0, "Record-Route: <", ">");
	access = stage_between(s, 1, "Record-Route: <", ">");
	stage_answerf(s, "SIP/2.0 200 OK\n" ANSWER "Record-Route: <%s>, <%s>\n", core, access);
	rr = stage_between(s, 0, "Record-Route: <", ">");
#define WITHIN(from)                                                                               \
	"INFO sip:x@core.example SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"             \
	"From: <" from ">;tag=1\nTo: <urn:service:sos>;tag=2\nCall-ID: c1\nCSeq: 2 INFO\n"         \
	"Route: <%s>\n"
	assert_int_equal(stage_inf(s, 1, WITHIN("sip:alice@example"), rr), 403);
	assert_int_equal(edge_core_counters(s->core)->impostors, 1);
	assert_int_equal(stage_inf(s, 1, WITHIN("sip:anybody@example"), rr), 0);
}

/** A proof that nobody judges prolongs nothing for ever: 423, 404 and their like count. */
static void a_proof_holds_no_flow(void **state)
{
	struct stage *s = *state;
	unsigned i;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	for (i = 0; edge_core_flow_count(s->core) && i < 100; i++) {
		stage_until(s, s->now_ms + 30000);
		assert_int_equal(edge_core_flow_count(s->core), 1);
		assert_int_equal(stage_ask(s, 1, "alice", 1,
		                           "username=\"alice@home\", realm=\"example\"" PROOF,
		                           NULL),
		                 0);
		if (i % 2)
			stage_own_answer(s, 408);
		else
			stage_answer(s, "SIP/2.0 423 Interval Too Brief\n" ANSWER);
	}
	assert_int_equal(i, 5); /* and the challenge */
	assert_true(s->pass.close);
}

/* -- reload -- */

/** Identities beyond a lower limit are not added to those that are there. */
static void a_lower_limit_counts(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	(void)registered(s);
	s->policy.identities_max = 1;
	assert_int_equal(edge_core_policy(s->core, &s->policy, NULL), 0);
	assert_int_equal(stage_ask(s, 1, "work", 600,
	                           "username=\"alice@home\", realm=\"example\"" PROOF, NULL),
	                 0);
	stage_yes(s, "work", 600, "P-Associated-URI: <sip:work@example>, <sip:more@example>\n");
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.impu_count, 2);
	assert_int_equal(b.impus_left_out, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(one_name_for_all_who_read),  CASE(no_mark_in_any_disguise),
		CASE(a_realm_stays_a_realm),      CASE(a_ue_provides_no_network),
		CASE(a_callee_changes_no_routes), CASE(a_route_is_not_cut_elsewhere),
		CASE(no_way_out_by_a_number),     CASE(an_emergency_holds_no_flow),
		CASE(help_is_called_by_one),      CASE(a_proof_holds_no_flow),
		CASE(a_lower_limit_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
