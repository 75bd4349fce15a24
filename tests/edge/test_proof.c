/* SPDX-License-Identifier: Apache-2.0 */
/** @file Digest as registrars do it in their own ways, and whose name a proof is worth. */
#include "check.h"
#include "stage.h"

#define AUTH(user, realm, nonce)                                                                   \
	"username=\"" user "\", realm=\"" realm "\", nonce=\"" nonce "\", uri=\"sip:example\", "   \
	"response=\"0123456789abcdef0123456789abcdef\""
#define PROOF AUTH("alice@home", "example", "n1")

static int opened(void **state)
{
	static struct stage s;

	memset(&s, 0, sizeof(s));
	*state = &s;
	return 0;
}

static int closed(void **state)
{
	stage_close(*state);
	return 0;
}

/** Many a registrar says `stale=FALSE` each time: what the UE hears is what was taken out. */
static void stale_is_said_once(void **state)
{
	static const char *const said[] = { ", stale=FALSE", ", stale=false, algorithm=MD5",
		                            ", Stale=\"false\",qop=\"auth,auth-int\"" };
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	for (size_t i = 0; i < BASE_COUNT(said); i++) {
		assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
		assert_false(stage_has(s, "Authorization"));
		stage_challenge(s, "n7", said[i]);
		assert_true(stage_has(s, "nonce=\"n7\""));
		assert_true(stage_has(s, "stale=true\r\n"));
		assert_false(stage_has(s, "FALSE"));
		assert_false(stage_has(s, "false"));
	}
	assert_true(stage_has(s, "qop=\"auth,auth-int\""));
	/* what it has told by itself stays as it is */
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_challenge(s, "n8", ", stale=TRUE");
	assert_true(stage_has(s, "nonce=\"n8\", stale=TRUE\r\n"));
}

/** RFC 7616, 3.5: the 200 says what is answered next, and that came down this flow. */
static void the_next_nonce_is_a_challenge(void **state)
{
	struct stage *s = *state;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_up(s, 2, "SID2");
	assert_int_equal(stage_ask(s, 1, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, 1, "alice", 600, PROOF, NULL), 0);
	stage_yes(s, "alice", 600,
	          "Authentication-Info: qop=auth, rspauth=\"00,nextnonce=x\",\n"
	          " NextNonce=\"n\\2\", cnonce=\"c\", nc=00000001\n");
	assert_int_equal(stage_ask(s, 1, "alice", 600, AUTH("alice@home", "example", "n2"), NULL),
	                 0);
	assert_true(stage_has(s, "integrity-protected=\"tls-yes\""));
	stage_yes(s, "alice", 600, NULL);
	assert_int_equal(edge_core_counters(s->core)->refreshed, 1);
	assert_int_equal(edge_core_counters(s->core)->replays, 0);
	/* of another flow it is not */
	assert_int_equal(stage_ask(s, 2, "alice", 600, AUTH("alice@home", "example", "n2"), NULL),
	                 0);
	assert_false(stage_has(s, "Authorization"));
	assert_int_equal(stage_ask(s, 1, "alice", 600, AUTH("alice@home", "example", "x"), NULL),
	                 0);
	assert_false(stage_has(s, "Authorization"));
}

/* On this flow, with the contact of alice. */
static void proven(struct stage *s, uint64_t flow, const char *realm)
{
	char auth[256];

	(void)snprintf(auth, sizeof(auth),
	               "username=\"alice\", realm=\"%s\", nonce=\"n1\", uri=\"sip:example\", "
	               "response=\"00\"",
	               realm);
	assert_int_equal(stage_ask(s, flow, "alice", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	assert_int_equal(stage_ask(s, flow, "alice", 600, auth, NULL), 0);
	stage_yes(s, "alice", 600, NULL);
}

/** A registrar of several domains has an alice in each: none of them throws another out, or goes
 * by her proof. */
static void a_realm_has_its_own_users(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	s->policy.bindings_max = 1;
	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_up(s, 2, "SID2");
	stage_up(s, 3, "SID3");
	proven(s, 1, "example");
	proven(s, 2, "other.example");
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_true(base_str_eq(b.impi, BASE_STR("alice")));
	assert_true(edge_core_binding(s->core, 2, &b));
	assert_true(base_str_eq(b.impi, BASE_STR("alice")));
	proven(s, 3, "example");
	assert_false(edge_core_binding(s->core, 1, &b));
	assert_true(edge_core_binding(s->core, 2, &b));
	/* what the session stands for is one realm's */
	assert_int_equal(stage_ask(s, 2, "alice", 600, AUTH("alice", "example", "n1"), NULL), 403);
	assert_int_equal(edge_core_counters(s->core)->impostors, 1);
	assert_int_equal(stage_ask(s, 2, "alice", 600, AUTH("alice", "OTHER.example", "n1"), NULL),
	                 403);
	assert_int_equal(stage_ask(s, 2, "alice", 600, AUTH("alice", "other.example", "n1"), NULL),
	                 0);
	assert_true(stage_has(s, "tls-yes"));
	assert_int_equal(stage_ask(s, 2, "alice", 600, "username=\"alice\"", NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stale_is_said_once, opened, closed),
		cmocka_unit_test_setup_teardown(the_next_nonce_is_a_challenge, opened, closed),
		cmocka_unit_test_setup_teardown(a_realm_has_its_own_users, opened, closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
