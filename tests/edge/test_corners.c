/* SPDX-License-Identifier: Apache-2.0 */
/** @file Corners of what passes the edge: each was free to be otherwise before it stood here. */
#include "check.h"
#include "request_stage.h"

#define PROOF                                                                                      \
	"username=\"alice@home\", realm=\"example\", nonce=\"n1\", uri=\"sip:example\", "          \
	"response=\"0123456789abcdef0123456789abcdef\""
#define REGISTER(contacts)                                                                         \
	"REGISTER sip:example SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1\n"           \
	"From: <sip:alice@example>;tag=1\nTo: <sip:alice@example>\nCall-ID: r\n"                   \
	"CSeq: 1 REGISTER\nMax-Forwards: 70\nAuthorization: Digest " PROOF "\n" contacts
#define YES(lines)                                                                                 \
	"SIP/2.0 200 OK\nVia: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1\n"                         \
	"From: <sip:alice@example>;tag=1\nTo: <sip:alice@example>;tag=2\nCall-ID: r\n"             \
	"CSeq: 1 REGISTER\n" lines

/* -- REGISTER -- */

/** Where a Contact says no time, the answer does, else the request (RFC 3261, 10.2.4). */
static void expiry_of_the_message(void **state)
{
	static const struct {
		const char *asked, *answer;
		unsigned expires_s;
	} cases[] = {
		{ "Contact: <sip:a@10.0.0.1>\nExpires: 600\n", "Contact: <sip:a@10.0.0.1>\n", 600 },
		{ "Contact: <sip:a@10.0.0.1>;expires=70\nExpires: 600\n",
		  "Contact: <sip:a@10.0.0.1>\n", 70 },
		{ "Contact: <sip:a@10.0.0.1>\nExpires: 600\n",
		  "Contact: <sip:a@10.0.0.1>\nExpires: 90\n", 90 },
		{ "Contact: <sip:a@10.0.0.1>\nExpires: 600\n",
		  "Contact: <sip:a@10.0.0.1>;expires=80\nExpires: 90\n", 80 },
		{ "Contact: <sip:a@10.0.0.1>\n", "Contact: <sip:a@10.0.0.1>\n", 3600 },
		{ "Contact: <sip:b@10.0.0.1>;expires=50, <sip:a@10.0.0.1>\nExpires: 600\n",
		  "Contact: <sip:x@10.0.0.9>;expires=9000,\n <sip:a@10.0.0.1>;expires=60\n"
		  "m: <sip:b@10.0.0.1>;expires=50\n",
		  60 },
	};
	struct stage *s = *state;
	struct edge_binding b;

	s->policy.minimum_s = 50;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		assert_int_equal(stage_inf(s, 1, REGISTER("%s"), cases[i].asked), 0);
		stage_answerf(s, YES("%s"), cases[i].answer);
		assert_true(edge_core_binding(s->core, 1, &b));
		assert_int_equal(b.expires_ms, s->now_ms + 1000ULL * cases[i].expires_s);
	}
	assert_int_equal(stage_in(s, 1, REGISTER("Contact: <sip:a@10.0.0.1>\nExpires: 49\n")), 423);
	assert_int_equal(edge_core_counters(s->core)->refused, 1);
}

static void so_many_contacts(void **state)
{
	struct stage *s = *state;
	char contacts[1024] = "Contact: <sip:a@10.0.0.1>";

	stage_open(s);
	stage_up(s, 1, "SID1");
	for (unsigned i = 1; i < 16; i++)
		(void)snprintf(contacts + strlen(contacts), sizeof(contacts) - strlen(contacts),
		               ", <sip:a%u@10.0.0.1>", i);
	assert_int_equal(stage_inf(s, 1, REGISTER("%s\n"), contacts), 0);
	assert_int_equal(stage_inf(s, 1, REGISTER("%s\nm: <sip:b@10.0.0.1>\n"), contacts), 400);
}

/** A proof that nobody has judged: the time to register begins anew, not that of its answer. */
static void a_proof_in_vain(void **state)
{
	struct stage *s = *state;

	s->policy.unregistered_ms = 20000;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	s->now_ms += 10000;
	stage_own_answer(s, 500);
	stage_until(s, s->now_ms + 19999);
	assert_false(stage_told(s, "close"));
	stage_until(s, s->now_ms + 1);
	assert_true(stage_told(s, "close 1 forget: nobody registered on it in time"));
}

/** A proxy's challenge is one, too; behind a proof it says nothing about that. */
static void asked_by_a_proxy(void **state)
{
	static const char refused[] =
	        "SIP/2.0 407 x\nVia: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1\n"
	        "From: <sip:alice@example>;tag=1\nTo: <sip:alice@example>;tag=2\nCall-ID: r\n"
	        "CSeq: 1 REGISTER\nProxy-Authenticate: Digest realm=\"p\", nonce=\"p\"\n";
	struct stage *s = *state;

	s->policy.challenge_ms = 5000;
	s->policy.unregistered_ms = 20000;
	s->policy.refused_max = 2;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_answer(s, refused);
	stage_until(s, s->now_ms + 5000);
	assert_true(stage_told(s, "close 1 forget"));
	stage_up(s, 2, "SID2");
	assert_int_equal(stage_ask(s, 2, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 2, "alice", 600, PROOF, NULL), 0);
	stage_answer(s, refused);
	assert_false(s->pass.close);
	stage_until(s, s->now_ms + 5000);
	assert_false(stage_told(s, "close 2"));
	assert_int_equal(stage_ask(s, 2, "alice", 600, NULL, NULL), 0);
	stage_answer(s, refused); /* the third that came to nothing */
	assert_true(s->pass.close);
}

/** What the edge speaks of is its own, whatever stands behind it. */
static void whose_list_it_is(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, "Security-Client: tls\n"), 0);
	stage_challenge(s, "n1", "\nSecurity-Server: ipsec-3gpp;q=0.9\nSecurity-Server: tls;q=1.0");
	assert_string_equal(stage_between(s, 0, "Security-Server: ", "\r\n"), "tls;q=0.5");
	assert_false(stage_has(s, "ipsec"));
	assert_false(stage_has(s, "q=1.0"));
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 494);
	assert_int_equal(edge_core_counters(s->core)->disagreed, 1);
	assert_int_equal(edge_core_counters(s->core)->refused, 1);
}

/** Who said `expires` in his Contact is not taken back for as long. */
static void taken_back_once(void **state)
{
	struct stage *s = *state;

	s->policy.deregister = true;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(
	        stage_in(s, 1,
	                 REGISTER("m: \"A, B\" <sip:a@10.0.0.1;transport=tls>;q=0.5;Expires=77;"
	                          "+sip.instance=\"<urn:x>\";reg-id=1\n")),
	        0);
	stage_answer(s, YES("m: <sip:a@10.0.0.1;transport=tls>;expires=77\n"));
	edge_core_lost(s->core, 1);
	assert_true(stage_told(s,
	                       "\r\nContact: <sip:a@10.0.0.1;transport=tls>;q=0.5;"
	                       "+sip.instance=\"<urn:x>\";reg-id=1;expires=0\r\nExpires: 0\r\n"));
	assert_true(stage_told(s, "\r\nPath: <sip:AQE"));
}

/** One session on two flows is seen, whichever id it has by now. */
static void a_session_twice(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_up(s, 2, "SID1");
	assert_int_equal(edge_core_counters(s->core)->shared_sessions, 0);
	stage_register(s, 1, "alice", 600);
	stage_up(s, 3, "SID1");
	assert_int_equal(edge_core_counters(s->core)->shared_sessions, 1);
	assert_true(stage_told(s, "note 3 its TLS session is bound to another flow"));
	edge_core_rekeyed(s->core, 1, BASE_STR("SID9"));
	stage_up(s, 4, "SID1");
	assert_int_equal(edge_core_counters(s->core)->shared_sessions, 1);
	stage_up(s, 5, "SID9");
	assert_int_equal(edge_core_counters(s->core)->shared_sessions, 2);
	edge_core_lost(s->core, 1);
	stage_up(s, 6, "SID9");
	assert_int_equal(edge_core_counters(s->core)->shared_sessions, 2);
}

/** Eight challenges back, and what is no Digest is nobody's proof. */
static void so_many_challenges(void **state)
{
	struct stage *s = *state;
	char auth[128];

	s->policy.refused_max = 100;
	stage_open(s);
	stage_up(s, 1, "SID1");
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, "Authorization: Basic eA==\n"),
		                 0);
		assert_true(stage_has(s, "Authorization: Basic eA==\r\n"));
		(void)snprintf(auth, sizeof(auth), "n%u", i);
		stage_challenge(s, auth, NULL);
		stage_challenge(s, auth, NULL); /* again, which pushes none out */
	}
	for (unsigned i = 0; i < 9; i++) {
		(void)snprintf(auth, sizeof(auth), "username=\"a\", nonce=\"n%u\", response=\"0\"",
		               i);
		assert_int_equal(stage_ask(s, 1, "alice", 600, auth, NULL), 0);
		assert_int_equal(stage_has(s, "Authorization"), i > 0);
		stage_own_answer(s, 500);
	}
	assert_int_equal(edge_core_counters(s->core)->replays, 1);
}

/** What has been bound and is no more has as long to register as who comes new (O.4.1). */
static void after_the_binding(void **state)
{
	struct stage *s = *state;

	s->policy.unregistered_ms = 20000;
	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	stage_until(s, s->now_ms + 600000);
	assert_true(stage_told(s, "unbound 1 (expired)"));
	stage_until(s, s->now_ms + 19999);
	assert_false(stage_told(s, "close"));
	stage_until(s, s->now_ms + 1);
	assert_true(stage_told(s, "close 1 forget: nobody registered on it in time"));
}

/** A UE may have two contacts on its flow: the binding ends with the last of them, and each is
 * taken back. */
static void two_contacts(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	s->policy.deregister = true;
	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_in(s, 1, REGISTER("Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>\n")),
	                 0);
	stage_answer(s, YES("Contact: <sip:a@10.0.0.1>;expires=600, <sip:b@10.0.0.1>;expires=300, "
	                    "<sip:c@10.0.0.9>;expires=9000\n"));
	assert_int_equal(stage_in(s, 1, REGISTER("Contact: <sip:a@10.0.0.1>;expires=0\n")), 0);
	stage_answer(s,
	             YES("Contact: <sip:b@10.0.0.1>;expires=300, <sip:c@10.0.0.9>;expires=9000\n"));
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_true(base_str_eq(b.contact, BASE_STR("<sip:b@10.0.0.1>")));
	assert_int_equal(b.expires_ms, s->now_ms + 300000);
	/* one more, for less long: the other's time counts */
	assert_int_equal(stage_in(s, 1, REGISTER("Contact: <sip:a@10.0.0.1>\n")), 0);
	stage_answer(s,
	             YES("Contact: <sip:b@10.0.0.1>;expires=300, <sip:a@10.0.0.1>;expires=60\n"));
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.expires_ms, s->now_ms + 300000);
	assert_int_equal(stage_in(s, 1, REGISTER("Contact: <sip:c@10.0.0.9>;expires=0\n")), 0);
	stage_answer(s,
	             YES("Contact: <sip:b@10.0.0.1>;expires=300, <sip:a@10.0.0.1>;expires=60\n"));
	assert_int_equal(edge_core_count(s->core), 1);
	edge_core_lost(s->core, 1);
	assert_true(stage_told(s, "\r\nContact: <sip:a@10.0.0.1>;expires=0\r\n"));
	assert_true(stage_told(s, "\r\nContact: <sip:b@10.0.0.1>;expires=0\r\n"));
	assert_false(stage_told(s, "sip:c@"));
}

/** The last of two, and both at once. */
static void the_last_contact(void **state)
{
	static const char *const last[] = { "Contact: <sip:b@10.0.0.1>;expires=0\n",
		                            "Contact: *\nExpires: 0\n" };
	struct stage *s = *state;

	stage_open(s);
	for (uint64_t i = 0; i < BASE_COUNT(last); i++) {
		stage_up(s, i + 1, i ? "SID2" : "SID1");
		assert_int_equal(stage_ask(s, i + 1, "alice", 600, NULL, NULL), 0);
		stage_challenge(s, "n1", NULL);
		assert_int_equal(
		        stage_in(s, i + 1,
		                 REGISTER("Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>\n")),
		        0);
		stage_answer(s, YES("Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>\n"));
		assert_int_equal(edge_core_count(s->core), 1);
		assert_int_equal(
		        stage_in(s, i + 1, REGISTER("Contact: <sip:a@10.0.0.1>;expires=0\n")), 0);
		stage_answer(s, YES("Contact: <sip:b@10.0.0.1>\n"));
		assert_int_equal(edge_core_count(s->core), 1);
		assert_int_equal(stage_inf(s, i + 1, REGISTER("%s"), last[i]), 0);
		stage_answer(s, YES(""));
		assert_int_equal(edge_core_count(s->core), 0);
	}
}

/* -- who is who -- */

/** Its names, with or without ports; user parts are ours behind `lr` alone. */
static void what_names_us(void **state)
{
	static const char *const names[] = { "alias.example", "[2001:db8::1]:5061",
		                             "192.0.2.7:5060" };
	static const struct {
		const char *uri;
		bool mine;
	} cases[] = {
		{ "sip:pcscf.example:5061;lr", true },
		{ "sips:PCSCF.example", true }, /* its port by the scheme */
		{ "sip:pcscf.example", false },
		{ "sip:pcscf.example:5060", false },
		{ "sip:192.0.2.1:5070", true },
		{ "sip:192.0.2.1", false },
		{ "sip:alias.example", true },
		{ "sip:alias.example:4711;transport=udp", true },
		{ "sip:alias.example.org", false },
		{ "sip:[2001:DB8::1]:5061", true },
		{ "sips:[2001:db8::1]", true },
		{ "sip:[2001:db8::1]", false },
		{ "sip:[2001:db8::2]:5061", false },
		{ "sip:192.0.2.7", true },
		{ "sips:192.0.2.7", false },
		{ "sip:alice@alias.example", false },
		{ "sip:alice@alias.example;lr", true },
		{ "sip:alice@other.example;lr", false },
	};
	struct stage *s = *state;

	s->policy.names = names;
	s->policy.name_count = BASE_COUNT(names);
	stage_open(s);
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct sip_uri uri;

		assert_int_equal(sip_uri_parse(base_str_of(cases[i].uri), &uri), 0);
		if (edge_core_mine(s->core, &uri) != cases[i].mine)
			fail_msg("%s", cases[i].uri);
	}
}

/** A token is ours by its epoch at any host, another's at one of ours. */
static void whose_tokens(void **state)
{
	struct stage *s = *state;
	const char *path = registered(s);
	char text[512];
	struct sip_uri uri;

	(void)snprintf(text, sizeof(text), "%.*s@elsewhere.example;lr",
	               (int)(strchr(path, '@') - path), path);
	assert_int_equal(sip_uri_parse(base_str_of(text), &uri), 0);
	assert_true(edge_core_mine(s->core, &uri));
	text[10] = text[10] == 'A' ? 'B' : 'A';
	assert_int_equal(sip_uri_parse(base_str_of(text), &uri), 0);
	assert_false(edge_core_mine(s->core, &uri));
	(void)snprintf(text, sizeof(text), "%s", path);
	text[10] = text[10] == 'A' ? 'B' : 'A';
	assert_int_equal(sip_uri_parse(base_str_of(text), &uri), 0);
	assert_true(edge_core_mine(s->core, &uri));
}

static void asked_of_the_edge_itself(void **state)
{
	static const char *const methods[] = { "MESSAGE", "INVITE", "SUBSCRIBE", "PUBLISH" };
	struct stage *s = *state;

	(void)registered(s);
	for (size_t i = 0; i < BASE_COUNT(methods); i++)
		assert_int_equal(stage_inf(s, 1,
		                           "%s sip:pcscf.example:5061 SIP/2.0\n"
		                           "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
		                           "From: <sip:alice@example>;tag=1\nTo: <sip:p>\n"
		                           "Call-ID: c1\nCSeq: 1 %s\nMax-Forwards: 70\n",
		                           methods[i], methods[i]),
		                 404);
	assert_int_equal(edge_core_counters(s->core)->refused, BASE_COUNT(methods));
}

/** Who wants something else hidden is still named; what nobody knows passes. */
static void what_passes_down(void **state)
{
	static const char *const privacy[] = { "none", "user;header", "session; critical",
		                               "ident" };
	struct stage *s = *state;
	const char *path = registered(s);

	for (size_t i = 0; i < BASE_COUNT(privacy); i++) {
		assert_int_equal(
		        stage_inf(s, 0,
		                  DOWN("MESSAGE", "%s",
		                       "Privacy: %s\nP-Asserted-Identity: <sip:bob@example>\n"
		                       "P-Called-Party-ID: <sip:alice@example>\nX-New: 1\n"
		                       "p-charging-vector: icid-value=1\n"),
		                  path, privacy[i]),
		        0);
		assert_true(stage_has(s, "P-Asserted-Identity: <sip:bob@example>\r\n"));
		assert_true(stage_has(s, "P-Called-Party-ID: <sip:alice@example>\r\n"));
		assert_true(stage_has(s, "X-New: 1\r\n"));
		assert_false(stage_has(s, "icid-value"));
	}
	assert_int_equal(stage_inf(s, 0,
	                           DOWN("MESSAGE", "%s",
	                                "Privacy: user\nPrivacy:header ;ID\n"
	                                "P-Asserted-Identity: <sip:bob@example>\n"),
	                           path),
	                 0);
	assert_false(stage_has(s, "P-Asserted-Identity"));
}

/* -- dialogs -- */

/** RFC 3261, 16.6, 4: by the Request-URI, and what the callee was shown is what it repeats. */
static void a_sips_call(void **state)
{
	struct stage *s = *state;
	const char *rr[2], *path = registered(s);

	assert_int_equal(stage_in(s, 1,
	                          "INVITE sips:bob@example SIP/2.0\n"
	                          "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                          "From: <sips:alice@example>;tag=1\nTo: <sips:bob@example>\n"
	                          "Call-ID: c1\nCSeq: 1 INVITE\nMax-Forwards: 70\n"),
	                 0);
	assert_int_equal(strncmp(stage_between(s, 0, "Record-Route: <", ">"), "sips:", 5), 0);
	assert_int_equal(strncmp(stage_between(s, 1, "Record-Route: <", ">"), "sips:", 5), 0);
	assert_int_equal(stage_inf(s, 0,
	                           "INVITE sips:alice@10.0.0.1 SIP/2.0\n"
	                           "Via: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK9\n"
	                           "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>\n"
	                           "Call-ID: c2\nCSeq: 1 INVITE\nRoute: <%s>\n",
	                           path),
	                 0);
	rr[0] = stage_between(s, 0, "Record-Route: <", ">");
	rr[1] = stage_between(s, 1, "Record-Route: <", ">");
	assert_int_equal(strncmp(rr[0], "sips:", 5), 0);
	stage_answerf(s,
	              "SIP/2.0 200 OK\nVia: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK9\n"
	              "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>;tag=3\nCall-ID: c2\n"
	              "CSeq: 1 INVITE\nRecord-Route: <%s>, <%s>\n",
	              rr[0], rr[1]);
	assert_int_equal(edge_core_counters(s->core)->rerouted, 0);
}

/** More routes than a token can tell of: none fits, not even what begins as they do. */
static void called_by_too_many(void **state)
{
	struct stage *s = *state;
	const char *rr, *path = registered(s);
	char routes[2048] = "";

	for (unsigned i = 0; i < 33; i++)
		(void)snprintf(routes + strlen(routes), sizeof(routes) - strlen(routes),
		               "%s<sip:p%u.example;lr>", i ? ", " : "", i);
	assert_int_equal(stage_inf(s, 0,
	                           "INVITE sip:alice@10.0.0.1 SIP/2.0\n"
	                           "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                           "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>\n"
	                           "Call-ID: c1\nCSeq: 1 INVITE\nRoute: <%s>\nRecord-Route: %s\n",
	                           path, routes),
	                 0);
	rr = stage_between(s, 0, "Record-Route: <", ">");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(stage_inf(s, 1,
		                           IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
		                                     "Route: <%s>, %s\n"),
		                           rr, routes),
		                 403);
		*strrchr(routes, ',') = '\0';
	}
	assert_int_equal(edge_core_counters(s->core)->rerouted, 2);
}

/** A UE's dialog of an earlier start of the edge. */
static void a_dialog_of_before(void **state)
{
	struct stage *s = *state;
	const char *rr[2];
	char old[512];

	(void)registered(s);
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	answered(s, 0, "", rr);
	(void)snprintf(old, sizeof(old), "%s", rr[1]);
	old[10] = old[10] == 'A' ? 'B' : 'A';
	assert_int_equal(
	        stage_inf(s, 1,
	                  IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example", "Route: <%s>\n"),
	                  old),
	        430);
	assert_int_equal(edge_core_counters(s->core)->failed, 1);
}

/** Who answers within a dialog is known there; what opens none has no routes. */
static void answers_that_say_less(void **state)
{
	struct stage *s = *state;
	const char *rr, *path = registered(s);

	assert_int_equal(stage_inf(s, 0, DOWN("INVITE", "%s", ""), path), 0);
	rr = stage_between(s, 0, "Record-Route: <", ">");
	stage_answer(s, "SIP/2.0 302 x\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>;tag=3\n"
	                "Call-ID: c2\nCSeq: 1 INVITE\nContact: <sip:x@y.example>\n");
	assert_false(stage_has(s, "Record-Route"));
	assert_true(stage_has(s, "P-Asserted-Identity: <sip:alice@example>\r\n"));
	stage_answer(s, "SIP/2.0 180 x\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>\n"
	                "Call-ID: c2\nCSeq: 1 INVITE\n");
	assert_false(stage_has(s, "Record-Route"));
	assert_int_equal(stage_inf(s, 0,
	                           "INFO sip:alice@10.0.0.1 SIP/2.0\n"
	                           "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                           "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>;tag=3\n"
	                           "Call-ID: c2\nCSeq: 2 INFO\nRoute: <%s>\n",
	                           rr),
	                 0);
	stage_answer(s, "SIP/2.0 200 x\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>;tag=3\n"
	                "Call-ID: c2\nCSeq: 2 INFO\nP-Asserted-Identity: <sip:eve@example>\n");
	assert_false(stage_has(s, "P-Asserted-Identity"));
	assert_false(stage_has(s, "Record-Route"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(expiry_of_the_message), CASE(so_many_contacts),
		CASE(a_proof_in_vain),       CASE(asked_by_a_proxy),
		CASE(whose_list_it_is),      CASE(taken_back_once),
		CASE(a_session_twice),       CASE(so_many_challenges),
		CASE(after_the_binding),     CASE(two_contacts),
		CASE(the_last_contact),      CASE(what_names_us),
		CASE(whose_tokens),          CASE(asked_of_the_edge_itself),
		CASE(what_passes_down),      CASE(a_sips_call),
		CASE(called_by_too_many),    CASE(a_dialog_of_before),
		CASE(answers_that_say_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
