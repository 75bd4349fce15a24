/* SPDX-License-Identifier: Apache-2.0 */
/** @file Dialogs through the edge: their tokens, their routes, their names (RFC 5626, 5.3). */
#include "check.h"
#include "request_stage.h"

/** Each side finds us by the address it can reach; the token leads back to the flow. */
static void dialogs_have_both_sides(void **state)
{
	struct stage *s = *state;
	const char *up[2], *down[2];
	const char *path = registered(s);

	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	up[0] = stage_between(s, 0, "Record-Route: <", ">");
	up[1] = stage_between(s, 1, "Record-Route: <", ">");
	assert_non_null(strstr(up[0], "@192.0.2.1:5070;lr"));
	assert_non_null(strstr(up[1], "@pcscf.example:5061;transport=tls;lr"));
	assert_memory_equal(up[0], up[1], 4 + 62);
	assert_null(strstr(up[0], ";ob"));
	assert_int_equal(stage_inf(s, 0, DOWN("INVITE", "%s;ob", ""), path), 0);
	down[0] = stage_between(s, 0, "Record-Route: <", ">");
	down[1] = stage_between(s, 1, "Record-Route: <", ">");
	assert_non_null(strstr(down[0], "@pcscf.example:5061;transport=tls;lr"));
	assert_non_null(strstr(down[1], "@192.0.2.1:5070;lr"));
	assert_false(stage_has(s, ";ob"));
}

static void in_a_dialog_its_token_counts(void **state)
{
	struct stage *s = *state;
	const char *up[2], *path = registered(s);

	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	answered(s, 1, "Record-Route: <sip:s@scscf.example;lr;x=1>\n", up);
	assert_int_equal(
	        stage_inf(s, 1,
	                  IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
	                            "Route: <%s>\nRoute: <%s>, <sip:s@scscf.example;lr>\n"),
	                  up[1], up[0]),
	        0);
	assert_true(stage_has(s, "Route: <sip:s@scscf.example;lr>\r\n"));
	assert_false(stage_has(s, "pcscf"));
	assert_false(stage_has(s, "P-Asserted-Identity"));
	assert_int_equal(s->d.way, EDGE_WAY_UP_DIALOG);
	/* and down, which may follow the end of the binding */
	assert_int_equal(stage_inf(s, 0,
	                           IN_DIALOG("BYE", "sip:bob@example", "sip:alice@example",
	                                     "Route: <%s>\nRoute: <%s>\n"),
	                           up[0], up[1]),
	                 0);
	assert_int_equal(s->d.to, EDGE_ACCESS);
	assert_false(stage_has(s, "Route"));
	assert_true(edge_core_ended(s->core, 1));
	assert_int_equal(
	        stage_inf(s, 0,
	                  IN_DIALOG("BYE", "sip:bob@example", "sip:alice@example", "Route: <%s>\n"),
	                  up[0]),
	        0);
	assert_int_equal(
	        stage_inf(s, 0,
	                  IN_DIALOG("BYE", "sip:bob@example", "sip:alice@example", "Route: <%s>\n"),
	                  path),
	        430);
}

/* A call whose two sides are at one edge. */
struct loop_call {
	const char *a[2], *b[2]; /* Record-Routes of its way up and of its way down */
	struct edge_decision up;
	struct sip_message *invite;
};

/* Alice's INVITE goes up, and comes back down `path` to `user`. */
static void goes_round(struct stage *s, struct loop_call *c, const char *path, const char *user,
                       const char *host)
{
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	c->up = s->d;
	c->invite = s->request;
	c->a[0] = stage_between(s, 0, "Record-Route: <", ">");
	c->a[1] = stage_between(s, 1, "Record-Route: <", ">");
	assert_int_equal(stage_inf(s, 0,
	                           "INVITE sip:%s@%s SIP/2.0\n"
	                           "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                           "From: <sip:alice@example>;tag=1\nTo: <sip:%s@example>\n"
	                           "Call-ID: c1\nCSeq: 1 INVITE\nRoute: <%s>\n"
	                           "Record-Route: <%s>, <%s>\n",
	                           user, host, user, path, c->a[0], c->a[1]),
	                 0);
	c->b[1] = stage_between(s, 0, "Record-Route: <", ">");
	c->b[0] = stage_between(s, 1, "Record-Route: <", ">");
}

/* The answer of `user`, as it goes on to alice. */
static void comes_back(struct stage *s, const struct loop_call *c, const char *user)
{
	s->d = c->up;
	s->request = c->invite;
	stage_answerf(s,
	              "SIP/2.0 200 OK\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	              "From: <sip:alice@example>;tag=1\nTo: <sip:%s@example>;tag=2\n"
	              "Call-ID: c1\nCSeq: 1 INVITE\n"
	              "Record-Route: <%s>, <%s>\nRecord-Route: <%s>, <%s>\n",
	              user, c->b[1], c->b[0], c->a[0], c->a[1]);
}

/** The core does not stand between its two sides: the request goes out and comes back. */
static void both_sides_at_one_edge(void **state)
{
	struct stage *s = *state;
	struct loop_call c;
	const char *path;

	(void)registered(s);
	stage_up(s, 2, "SID2");
	assert_int_equal(stage_ask(s, 2, "bob", 600, NULL, NULL), 0);
	path = stage_between(s, 0, "Path: <", ">");
	stage_register(s, 2, "bob", 600);
	goes_round(s, &c, path, "bob", "10.0.0.2");
	/* bob hangs up by the routes of the INVITE */
	assert_int_equal(stage_inf(s, 2,
	                           IN_DIALOG("BYE", "sip:bob@example", "sip:alice@example",
	                                     "Route: <%s>, <%s>, <%s>, <%s>\n"),
	                           c.b[1], c.b[0], c.a[0], c.a[1]),
	                 0);
	assert_string_equal(stage_between(s, 0, "Route: <", ">"), c.a[0]);
	assert_string_equal(stage_between(s, 1, "Route: <", ">"), c.a[1]);
	/* alice by those of the answer */
	comes_back(s, &c, "bob");
	c.a[0] = stage_between(s, 1, "Record-Route: <", ">");
	c.a[1] = stage_between(s, 1, ">, <", ">");
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>, <%s>, <%s>, <%s>\n"),
	                           c.a[1], c.a[0], c.b[0], c.b[1]),
	                 0);
	assert_int_equal(s->d.to, EDGE_CORE);
	assert_int_equal(s->d.rest, 2);
	assert_string_equal(stage_between(s, 0, "Route: <", ">"), c.b[0]);
	assert_string_equal(stage_between(s, 1, "Route: <", ">"), c.b[1]);
	assert_int_equal(edge_core_counters(s->core)->rerouted, 0);
}

/* Who was called knows them from the beginning. */
static void the_called_keeps_them_too(struct stage *s, const char *path)
{
	const char *rr;

	assert_int_equal(stage_inf(s, 0,
	                           "INVITE sip:alice@10.0.0.1 SIP/2.0\n"
	                           "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                           "From: <sip:bob@example>;tag=7\nTo: <sip:alice@example>\n"
	                           "Call-ID: c1\nCSeq: 1 INVITE\nRoute: <%s>\n"
	                           "Record-Route: <sip:s@scscf.example;lr>, <sip:t.example;lr>\n",
	                           path),
	                 0);
	rr = stage_between(s, 0, "Record-Route: <", ">");
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>, <sip:s@scscf.example;lr>\n"),
	                           rr),
	                 403);
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>, <sip:s@scscf.example;lr>\nRoute: "
	                                     "<sip:t.example;lr>\n"),
	                           rr),
	                 0);
}

/** Who chose his routes in a dialog would reach whatever the edge can. */
static void a_dialog_keeps_its_routes(void **state)
{
	static const char *const others[] = {
		"",
		", <sip:evil.example;lr>",
		", <sip:evil.example;lr>, <sip:s@scscf.example;lr>",
		", <sip:s@scscf.example;lr>, <sip:evil.example;lr>",
		", <sip:s@scscf.example:5060;lr>",
		", <sips:s@scscf.example;lr>",
		", <sip:S@scscf.example;lr>",
		", <sip:s@scscf.example;lr;maddr=10.0.0.9>",
		", <sip:s@scscf.example;lr;transport=tcp>",
	};
	struct stage *s = *state;
	const char *rr[2], *early, *path = registered(s);

	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	early = stage_between(s, 0, "Record-Route: <", ">");
	answered(s, 1, "Record-Route: <sip:s@scscf.example;lr>\n", rr);
	/* what is not the answer's knows no routes */
	assert_int_equal(
	        stage_inf(s, 1,
	                  IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example", "Route: <%s>\n"),
	                  early),
	        403);
	for (size_t i = 0; i < BASE_COUNT(others); i++)
		assert_int_equal(stage_inf(s, 1,
		                           IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
		                                     "Route: <%s>%s\n"),
		                           rr[1], others[i]),
		                 403);
	assert_int_equal(edge_core_counters(s->core)->rerouted, 1 + BASE_COUNT(others));
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>, <sip:s@SCSCF.example;x=1;lr=on>\n"),
	                           rr[1]),
	                 0);
	the_called_keeps_them_too(s, path);
}

/** A NOTIFY may make the dialog of a subscription, the forked ones' always (RFC 3265, 3.3.4, R): it
 * says the routes as an INVITE does, both ways. */
static void a_notify_tells_its_routes(void **state)
{
	struct stage *s = *state;
	const char *rr[2], *core, *own;

	(void)registered(s);
	assert_int_equal(stage_in(s, 1, UP("SUBSCRIBE", "sip:alice@example", "")), 0);
	core = stage_between(s, 0, "Record-Route: <", ">");
	assert_int_equal(stage_inf(s, 0,
	                           IN_DIALOG("NOTIFY", "sip:bob@example", "sip:alice@example",
	                                     "Route: <%s>\nRecord-Route: <sip:s@scscf.example;lr>, "
	                                     "<sip:t.example;lr>\n"),
	                           core),
	                 0);
	rr[0] = stage_between(s, 0, "Record-Route: <", ">");
	rr[1] = stage_between(s, 1, "Record-Route: <", ">");
	assert_non_null(strstr(rr[0], "@pcscf.example:5061;transport=tls;lr"));
	assert_non_null(strstr(rr[1], "@192.0.2.1:5070;lr"));
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("SUBSCRIBE", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>, <%s>, <sip:s@scscf.example;lr>, "
	                                     "<sip:t.example;lr>\n"),
	                           rr[0], rr[1]),
	                 0);
	assert_string_equal(stage_between(s, 0, "\r\nRoute: ", "\r\n"),
	                    "<sip:s@scscf.example;lr>, <sip:t.example;lr>");
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("SUBSCRIBE", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>, <%s>, <sip:evil.example;lr>\n"),
	                           rr[0], rr[1]),
	                 403);
	/* the UE's own: who has subscribed to it finds us */
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("NOTIFY", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>, <%s>, <sip:s@scscf.example;lr>, "
	                                     "<sip:t.example;lr>\n"),
	                           rr[0], rr[1]),
	                 0);
	own = stage_between(s, 0, "Record-Route: <", ">");
	assert_non_null(strstr(own, "@192.0.2.1:5070;lr"));
	assert_non_null(strstr(stage_between(s, 1, "Record-Route: <", ">"), "@pcscf.example:5061"));
	assert_int_equal(stage_inf(s, 0,
	                           IN_DIALOG("SUBSCRIBE", "sip:bob@example", "sip:alice@example",
	                                     "Route: <%s>\n"),
	                           own),
	                 0);
	assert_int_equal(s->d.to, EDGE_ACCESS);
}

/** RFC 3261, 16.6, 4: a sips next Route wants a sips Record-Route, as a sips Request-URI does. */
static void sips_routes_are_recorded_as_such(void **state)
{
	struct stage *s = *state;
	const char *path;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	path = stage_between(s, 0, "Path: <", ">");
	stage_challenge(s, "n1", NULL);
	assert_int_equal(
	        stage_ask(s, 1, "alice", 600, "username=\"a\", nonce=\"n1\", response=\"0\"", NULL),
	        0);
	stage_yes(s, "alice", 600, "Service-Route: <sips:orig@scscf.example;lr>\n");
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	assert_int_equal(strncmp(stage_between(s, 0, "Record-Route: <", ">"), "sips:", 5), 0);
	assert_int_equal(strncmp(stage_between(s, 1, "Record-Route: <", ">"), "sips:", 5), 0);
	assert_int_equal(stage_inf(s, 0, DOWN("INVITE", "%s", ""), path), 0);
	assert_int_equal(strncmp(stage_between(s, 0, "Record-Route: <", ">"), "sip:", 4), 0);
}

/** One UE at both ends, by one flow: its two tokens are two. */
static void a_call_to_oneself(void **state)
{
	struct stage *s = *state;
	const char *path = registered(s);
	struct loop_call c;

	goes_round(s, &c, path, "alice", "10.0.0.1");
	comes_back(s, &c, "alice");
	assert_true(stage_has(s, c.b[1]));
	assert_true(stage_has(s, c.b[0]));
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:alice@example", "sip:alice@example",
	                                     "Route: <%s>, <%s>, <%s>, <%s>\n"),
	                           stage_between(s, 1, ">, <", ">"),
	                           stage_between(s, 1, "Record-Route: <", ">"), c.b[0], c.b[1]),
	                 0);
	assert_int_equal(s->d.rest, 2);
	assert_string_equal(stage_between(s, 0, "Route: <", ">"), c.b[0]);
}

/** What is not ours, or not of this dialog, is written anew for nobody who asks. */
static void only_our_own_tokens_are_settled(void **state)
{
	struct stage *s = *state;
	const char *rr[2], *other;
	char forged[512];

	(void)registered(s);
	stage_up(s, 2, "SID2");
	stage_register(s, 2, "bob", 600);
	assert_int_equal(stage_in(s, 2, UP("INVITE", "sip:bob@example", "")), 0);
	other = stage_between(s, 0, "Record-Route: <", ">");
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	rr[0] = stage_between(s, 0, "Record-Route: <", ">");
	(void)snprintf(forged, sizeof(forged), "%s", rr[0]);
	*(strchr(forged, '@') - 4) = strchr(forged, '@')[-4] == 'x' ? 'y' : 'x'; /* its MAC */
	stage_answerf(s,
	              "SIP/2.0 200 OK\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	              "From: <sip:a@b>;tag=1\nTo: <sip:alice@example>;tag=2\nCall-ID: c1\n"
	              "CSeq: 1 INVITE\nRecord-Route: <%s>, <%s>\n",
	              forged, other);
	assert_true(stage_has(s, forged));
	assert_true(stage_has(s, other));
}

/** A route set without end is one that nothing fits, not even a token that knows none. */
static void too_long_a_route_set(void **state)
{
	struct stage *s = *state;
	char routes[2048] = "";
	const char *open;

	(void)registered(s);
	for (unsigned i = 0; i < 33; i++)
		(void)snprintf(routes + strlen(routes), sizeof(routes) - strlen(routes),
		               ", <sip:p%u.example;lr>", i);
	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	open = stage_between(s, 0, "Record-Route: <", ">");
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example",
	                                     "Route: <%s>%s\n"),
	                           open, routes),
	                 403);
	assert_int_equal(edge_core_counters(s->core)->rerouted, 1);
}

/** A callee goes by what it was called by, which need not be its own name; nobody else may. */
static void a_callee_goes_by_its_name_in_the_dialog(void **state)
{
	struct stage *s = *state;
	const char *path = registered(s), *rr;

	assert_int_equal(stage_inf(s, 0,
	                           "INVITE sip:alice@10.0.0.1 SIP/2.0\n"
	                           "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\n"
	                           "From: <sip:bob@example>;tag=7\nTo: <sip:hotline@example>\n"
	                           "Call-ID: c1\nCSeq: 1 INVITE\nRoute: <%s>\n",
	                           path),
	                 0);
	rr = stage_between(s, 0, "Record-Route: <", ">");
	assert_int_equal(stage_inf(s, 1,
	                           IN_DIALOG("BYE", "sip:hotline@example", "sip:bob@example",
	                                     "Route: <%s>\n"),
	                           rr),
	                 0);
	assert_int_equal(
	        stage_inf(s, 1,
	                  IN_DIALOG("BYE", "sip:carol@example", "sip:bob@example", "Route: <%s>\n"),
	                  rr),
	        403);
	/* in another dialog it is nothing */
	assert_int_equal(
	        stage_inf(s, 1,
	                  "INVITE sip:x@core.example SIP/2.0\n"
	                  "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\n"
	                  "From: <sip:hotline@example>;tag=1\nTo: <sip:bob@example>;tag=2\n"
	                  "Call-ID: another\nCSeq: 2 INVITE\nRoute: <%s>\n",
	                  rr),
	        403);
	assert_int_equal(edge_core_counters(s->core)->forged, 1);
}

/** The attacker: tokens of others, old ones, none. */
static void a_token_counts_on_its_own_flow(void **state)
{
	struct stage *s = *state;
	const char *rr, *path = registered(s);

	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	rr = stage_between(s, 0, "Record-Route: <", ">");
	stage_up(s, 2, "SID2");
	stage_register(s, 2, "bob", 600);
	assert_int_equal(
	        stage_inf(s, 2,
	                  IN_DIALOG("BYE", "sip:bob@example", "sip:alice@example", "Route: <%s>\n"),
	                  rr),
	        403);
	assert_int_equal(
	        stage_inf(s, 1,
	                  IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example", "Route: <%s>\n"),
	                  path),
	        403);
	assert_int_equal(
	        stage_in(s, 1, IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example", "")), 403);
	assert_int_equal(
	        stage_in(s, 1, IN_DIALOG("ACK", "sip:alice@example", "sip:bob@example", "")), 1);
	edge_core_lost(s->core, 1);
	stage_up(s, 3, "SID3");
	stage_register(s, 3, "alice", 600);
	assert_int_equal(
	        stage_inf(s, 3,
	                  IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example", "Route: <%s>\n"),
	                  rr),
	        430);
	assert_int_equal(edge_core_counters(s->core)->forged, 1);
	assert_int_equal(edge_core_counters(s->core)->failed, 1);
}

static void overload_lets_dialogs_live(void **state)
{
	struct stage *s = *state;
	const char *rr, *set[2], *path = registered(s);

	assert_int_equal(stage_in(s, 1, UP("INVITE", "sip:alice@example", "")), 0);
	answered(s, 0, "", set);
	rr = set[0];
	s->load = EDGE_LOAD_NEW;
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:alice@example", "")), 0);
	s->load = EDGE_LOAD_ALL;
	assert_int_equal(stage_in(s, 1, UP("MESSAGE", "sip:alice@example", "")), 503);
	assert_int_equal(stage_inf(s, 0, DOWN("MESSAGE", "%s", ""), path), 503);
	assert_int_equal(
	        stage_inf(s, 1,
	                  IN_DIALOG("BYE", "sip:alice@example", "sip:bob@example", "Route: <%s>\n"),
	                  rr),
	        0);
	assert_int_equal(edge_core_counters(s->core)->overload, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(dialogs_have_both_sides),
		CASE(in_a_dialog_its_token_counts),
		CASE(both_sides_at_one_edge),
		CASE(a_dialog_keeps_its_routes),
		CASE(a_notify_tells_its_routes),
		CASE(sips_routes_are_recorded_as_such),
		CASE(a_call_to_oneself),
		CASE(only_our_own_tokens_are_settled),
		CASE(too_long_a_route_set),
		CASE(a_callee_goes_by_its_name_in_the_dialog),
		CASE(a_token_counts_on_its_own_flow),
		CASE(overload_lets_dialogs_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
