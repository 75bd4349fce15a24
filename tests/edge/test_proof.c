/* SPDX-License-Identifier: Apache-2.0 */
/** @file Digest as registrars do it in their own ways, and whose name a proof is worth. */
#include "check.h"
#include "stage.h"

#define AUTH(user, realm, nonce)                                                                   \
	"username=\"" user "\", realm=\"" realm "\", nonce=\"" nonce "\", uri=\"sip:example\", "   \
	"response=\"0123456789abcdef0123456789abcdef\""
#define PROOF AUTH("alice@home", "example", "n1")

#define AS_WORK(lines)                                                                             \
	"REGISTER sip:example SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1;rport\n"     \
	"From: <sip:work@example>;tag=1\nTo: <sip:work@example>\nCall-ID: r\nCSeq: 1 REGISTER\n"   \
	"Max-Forwards: 70\nContact: <sip:alice@10.0.0.1:5061;transport=tls>\n" lines

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
	proven(s, 2, "elpmaxe");
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
	assert_int_equal(stage_ask(s, 2, "alice", 600, AUTH("alice", "ELPMAXE", "n1"), NULL), 403);
	assert_int_equal(stage_ask(s, 2, "alice", 600, AUTH("alice", "elpmaxe", "n1"), NULL), 0);
	assert_true(stage_has(s, "tls-yes"));
	assert_int_equal(stage_ask(s, 2, "alice", 600, "username=\"alice\"", NULL), 0);
}

/* A proof for `user`, by the IMPI of alice, and its answer. */
static void also(struct stage *s, const char *user, unsigned expires, const char *uris)
{
	assert_int_equal(stage_ask(s, 1, user, expires, PROOF, NULL), 0);
	stage_yes(s, user, expires, uris);
}

/* Those of the binding, in their order. */
static void has(const struct stage *s, const char *first, const char *second, const char *third)
{
	const char *const want[] = { first, second, third };
	struct edge_binding b;

	assert_true(edge_core_binding(s->core, 1, &b));
	for (size_t i = 0; i < b.impu_count && i < BASE_COUNT(want); i++)
		if (!want[i] || !base_str_eq(b.impus[i], base_str_of(want[i])))
			fail_msg("%.*s", BASE_FMT(b.impus[i]));
	assert_int_equal(b.impu_count, !first ? 0 : !second ? 1 : !third ? 2 : 3);
}

/** IMPUs of one IMPI that are registered apart, each with those it brings: a refresh of one is no
 * end of the other, whichever it is. */
static void sets_do_not_replace_each_other(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	also(s, "work", 600, "P-Associated-URI: <sip:work@example>\n");
	has(s, "sip:alice@example", "tel:+4911", "sip:work@example");
	s->now_ms += 300000;
	also(s, "alice", 600, "P-Associated-URI: <sip:alice@example>, <tel:+4911>\n");
	has(s, "sip:alice@example", "tel:+4911", "sip:work@example");
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.expires_ms, 1000 + 600000); /* what ends first has to come again */
	also(s, "work", 600, "P-Associated-URI: <sip:work@example>\n");
	has(s, "sip:alice@example", "tel:+4911", "sip:work@example");
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.expires_ms, s->now_ms + 600000);
	/* the network says what each of them is */
	also(s, "alice", 600, "P-Associated-URI: <sip:alice@example>\n");
	has(s, "sip:alice@example", "sip:work@example", NULL);
	also(s, "work", 600, "P-Associated-URI: <sip:job@example>, <sip:alice@example>\n");
	has(s, "sip:alice@example", "sip:job@example", NULL);
}

/** Who registers by a barred identity finds others in P-Associated-URI, and those last as long as
 * he goes on. */
static void a_barred_identity_prolongs_others(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	assert_int_equal(stage_ask(s, 1, "imsi", 600, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	for (unsigned i = 0; i < 2; i++, s->now_ms += 300000) {
		assert_int_equal(stage_ask(s, 1, "imsi", 600, PROOF, NULL), 0);
		stage_yes(s, "imsi", 600, "P-Associated-URI: <sip:alice@example>, <tel:+4911>\n");
		has(s, "sip:alice@example", "tel:+4911", NULL);
		assert_true(edge_core_binding(s->core, 1, &b));
		assert_int_equal(b.expires_ms, s->now_ms + 600000);
	}
}

/** Each ends by itself; the last one is the binding's end. */
static void sets_end_apart(void **state)
{
	struct stage *s = *state;
	struct edge_binding b;

	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 600);
	assert_int_equal(stage_in(s, 1, AS_WORK("Authorization: Digest " PROOF "\n")), 0);
	stage_yes(s, "alice", 100, "P-Associated-URI: <sip:work@example>\n");
	has(s, "sip:alice@example", "tel:+4911", "sip:work@example");
	stage_until(s, 101000);
	has(s, "sip:alice@example", "tel:+4911", NULL);
	assert_true(edge_core_binding(s->core, 1, &b));
	assert_int_equal(b.expires_ms, 601000);
	/* taken back by the UE */
	assert_int_equal(stage_in(s, 1, AS_WORK("Authorization: Digest " PROOF "\n")), 0);
	stage_yes(s, "alice", 400, "P-Associated-URI: <sip:work@example>\n");
	assert_int_equal(stage_in(s, 1, AS_WORK("Authorization: Digest " PROOF "\n")), 0);
	stage_yes(s, "alice", 0, NULL);
	has(s, "sip:alice@example", "tel:+4911", NULL);
	assert_false(stage_told(s, "unbound"));
	/* what the network has shortened is not prolonged by another's time */
	assert_int_equal(stage_in(s, 1, AS_WORK("Authorization: Digest " PROOF "\n")), 0);
	stage_yes(s, "alice", 900, "P-Associated-URI: <sip:work@example>\n");
	assert_true(edge_core_shortened(s->core, 1, 60));
	stage_until(s, s->now_ms + 60000);
	assert_false(edge_core_binding(s->core, 1, &b));
	assert_true(stage_told(s, "unbound 1 (expired)"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(stale_is_said_once),
		CASE(the_next_nonce_is_a_challenge),
		CASE(a_realm_has_its_own_users),
		CASE(sets_do_not_replace_each_other),
		CASE(sets_end_apart),
		CASE(a_barred_identity_prolongs_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
