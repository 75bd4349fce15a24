/* SPDX-License-Identifier: Apache-2.0 */
/* Events and Notify (RFC 3525, 7.1.9 and 7.2.7; H.248.TLSPROF 6-3, 8.5, 8.6), ServiceChange. */
#include "scene.h"

#define TLS_ADD(events) "C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=\"access\"}," TLS_ANY "}}" events "}}"

static void up_and_down_are_told(void **state)
{
	struct relay_tls_result up = { .alert = -1, .authenticated = true, .resumed = true };
	struct relay_tls_result down = { .alert = 40, .alert_side = TLS_SIDE_REMOTE };

	(void)state;
	scene_start();
	snprintf(up.version_name, sizeof(up.version_name), "TLS1.2");
	snprintf(up.suite_name, sizeof(up.suite_name), "TLS_PSK_WITH_AES_128_CBC_SHA256");
	snprintf(up.peer_subject, sizeof(up.peer_subject), "CN=\"peer\"");
	snprintf(down.text, sizeof(down.text), "the peer said no");
	accepted(TLS_ADD(",E=77{tcpbcc/BNCChange,tlsbsc/*}"));
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	notified("C=1{N=ip/1/1{OE=77{20260314T09200000:tcpbcc/BNCChange{ST=1,Type=Est,"
	         "Peer=\"198.51.100.7:50000\"}}}}");
	stage_answer(&st);
	stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &up);
	notified("tlsbsc/BNCChange{ST=1,Type=Est,Version=\"TLS1.2\","
	         "Suite=\"TLS_PSK_WITH_AES_128_CBC_SHA256\",Resumed=on,Peer=\"CN=peer\"");
	stage_answer(&st);
	accepted("C=1{AV=ip/1/1{AT{M{ST=1{O{gatehouse/ver}}}}}}");
	contains("gatehouse/ver=\"TLS1.2\"");
	/* What the peer calls itself does not spoil the reply. */
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("gatehouse/peer=\"CN=peer\"");
	stage_event_tls(&st, 0, RELAY_TLS_DOWN, RELAY_CAUSE_PEER_ALERT, &down);
	notified("Type=Rel,Alert=40,Side=remote,Cause=\"peer-alert\",Reason=\"the peer said no\"");
	stage_answer(&st);
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_ALERT);
	notified("tcpbcc/BNCChange{ST=1,Type=Rel,Cause=\"peer-alert\",Side=remote");
	scene_end();
}

static void a_peer_of_ipv6_is_told(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR},L{\nv=0\nc=IN IP6 $\nm=message $ TCP/MSRP *\n}}},"
	         "E=5{tcpbcc/BNCChange}}}");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	notified("Type=Est,Peer=\"[2001:db8::7]:50000\"");
	scene_end();
}

/** H.248.TLSPROF 7-5: a renegotiation modifies the session; one that fails ends it. */
static void renegotiations_are_told(void **state)
{
	struct relay_tls_result up = { .alert = -1 }, again = { .alert = -1 };
	struct relay_tls_result no = { .alert = 46,
		                       .alert_side = TLS_SIDE_LOCAL,
		                       .reason = TRUST_EXPIRED };

	(void)state;
	scene_start();
	snprintf(up.suite_name, sizeof(up.suite_name), "TLS_RSA_WITH_AES_128_CBC_SHA");
	snprintf(again.version_name, sizeof(again.version_name), "TLS1.2");
	snprintf(again.suite_name, sizeof(again.suite_name), "TLS_RSA_WITH_AES_256_CBC_SHA");
	again.method = TRUST_CA;
	accepted(TLS_ADD(",E=77{tlsbsc/*}"));
	stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &up);
	notified("Type=Est");
	stage_answer(&st);
	stage_event_tls(&st, 0, RELAY_TLS_RENEGOTIATED, RELAY_CAUSE_NONE, &again);
	notified("tlsbsc/BNCChange{ST=1,Type=Mod,Version=\"TLS1.2\","
	         "Suite=\"TLS_RSA_WITH_AES_256_CBC_SHA\",Resumed=off,Auth=\"ca\"");
	stage_answer(&st);
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("gatehouse/suite=\"TLS_RSA_WITH_AES_256_CBC_SHA\"");
	stage_event_tls(&st, 0, RELAY_TLS_RENEGOTIATE_FAILED, RELAY_CAUSE_AUTH, &no);
	notified("Type=Mfail,Alert=46,Side=local,Cause=\"not-authenticated\",Auth=\"expired\"");
	stage_answer(&st);
	stage_event_tls(&st, 0, RELAY_TLS_DOWN, RELAY_CAUSE_AUTH, &no);
	notified("Type=Rel,Alert=46,Side=local");
	stage_answer(&st);
	scene_end();
}

/** How the peer was authenticated, or why not (docs/packages.md). */
static void authentication_has_a_word(void **state)
{
	static const struct {
		struct relay_tls_result tls;
		const char *word;
	} cases[] = {
		{ { .authenticated = true, .method = TRUST_CA }, "Auth=\"ca\"" },
		{ { .authenticated = true, .method = TRUST_FINGERPRINT }, "Auth=\"fingerprint\"" },
		{ { .authenticated = true, .psk = true }, "Auth=\"psk\"" },
		{ { .tolerated = true, .reason = TRUST_EXPIRED }, "Auth=\"expired\"" },
		{ { .reason = TRUST_NO_CERTIFICATE }, "Auth=\"no-certificate\"" },
		{ { .resumed = true }, "Auth=\"none\"" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct relay_tls_result tls = cases[i].tls;

		tls.alert = -1;
		scene_start();
		accepted(TLS_ADD(",E=77{tlsbsc/*}"));
		stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
		stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &tls);
		notified(cases[i].word);
		stage_answer(&st);
		scene_end();
	}
}

static void a_failed_handshake_is_told(void **state)
{
	struct relay_tls_result no = { .alert = 46,
		                       .alert_side = TLS_SIDE_LOCAL,
		                       .reason = TRUST_NO_FINGERPRINT };

	(void)state;
	scene_start();
	accepted(TLS_ADD(",E=5{tlsbsc/BNCChange,g/cause}"));
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	assert_string_equal(st.request, ""); /* not asked for */
	stage_event_tls(&st, 0, RELAY_TLS_FAILED, RELAY_CAUSE_AUTH, &no);
	notified("Type=EstFail,Alert=46,Side=local");
	notified("Auth=\"no-fingerprint\"");
	notified("g/cause{ST=1,Generalcause=FP}");
	/* The termination stays controllable. */
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_AUTH);
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=IN}}}}}");
	/* A new Local makes a new bearer for the stream. */
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{" TLS_ANY "}}}}");
	ordered("add 1 server tls-server remove 0 mode 1");
	scene_end();
}

static void only_what_was_asked_for(void **state)
{
	(void)state;
	scene_start();
	accepted(TLS_ADD(",E=5{tcpbcc/BNCChange{Type=[Rel,EstFail]}}"));
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	assert_int_equal(st.requests, 0);
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_RESET);
	notified("Type=Rel,Cause=\"peer-reset\"");
	accepted(TLS_ADD(",E=6{tcpbcc/*{ST=2}}"));
	stage_forget(&st);
	stage_event(&st, 1, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	assert_int_equal(st.requests, 0);
	accepted("C=2{MF=ip/1/2{E=8{tcpbcc/*{ST=1}}}}");
	stage_event(&st, 1, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_CLOSE);
	notified("OE=8{");
	/* The empty descriptor ends it (7.1.9). */
	accepted(TLS_ADD(",E=9{tcpbcc/*}"));
	accepted("C=3{MF=ip/1/3{E}}");
	stage_forget(&st);
	stage_event(&st, 2, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	assert_int_equal(st.requests, 0);
	refused_v(3, "C=3{MF=ip/1/3{SG{tcpbcc/EstBNC{SPADI=IT}}}}", 501, "direction");
	scene_end();
}

static void notifies_keep_their_order(void **state)
{
	(void)state;
	scene_start();
	accepted(TLS_ADD(",E=5{tcpbcc/*,tlsbsc/*}"));
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE);
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(st.requests, 1); /* one at a time (9.1) */
	notified("Type=Est,Peer");
	stage_answer(&st);
	notified("tlsbsc/BNCChange");
	stage_answer(&st);
	notified("Type=Rel");
	/* What waits ends with the termination. */
	accepted("C=1{MF=ip/1/1{M{ST=1{" TLS_ANY "}}}}");
	stage_event(&st, 1, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	assert_int_equal(st.requests, 3);
	accepted("C=1{S=*}");
	stage_answer(&st);
	assert_int_equal(st.requests, 3);
	scene_end();
}

static void without_memory_a_notify_is_lost(void **state)
{
	struct mg_counts counts;

	(void)state;
	scene_start();
	accepted(TLS_ADD(",E=5{tcpbcc/*}"));
	st.refuses = true;
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	mg_counts(st.mg, &counts);
	assert_int_equal(counts.notifies_lost, 1);
	assert_non_null(strstr(st.log, "a Notify is lost"));
	scene_end();
}

static void without_a_controller_a_notify_waits(void **state)
{
	struct mg_counts counts;

	(void)state;
	scene_start();
	accepted(TLS_ADD(",E=5{tcpbcc/*,tlsbsc/*}"));
	st.unreachable = true;
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE);
	assert_int_equal(st.requests, 0);
	st.unreachable = false;
	mg_resume(st.mg);
	assert_int_equal(st.requests, 1);
	notified("tcpbcc/BNCChange{ST=1,Type=Est");
	mg_resume(st.mg); /* nothing is sent twice */
	assert_int_equal(st.requests, 1);
	/* The controller fails with it: its successor gets it (11.5). */
	st.unreachable = true;
	stage_silence(&st);
	assert_int_equal(st.requests, 1);
	stage_forget(&st);
	st.unreachable = false;
	mg_resume(st.mg);
	notified("tcpbcc/BNCChange{ST=1,Type=Est");
	stage_answer(&st);
	notified("tlsbsc/BNCChange{ST=1,Type=Est");
	/* One that is out when its termination goes is not sent again. */
	accepted("C=1{S=*}");
	stage_silence(&st);
	assert_int_equal(st.requests, 2);
	/* There is an end to waiting. */
	accepted(TLS_ADD(",E=5{tlsbsc/*}"));
	st.unreachable = true;
	for (unsigned i = 0; i < 40; i++)
		stage_event(&st, 1, RELAY_TLS_UP, RELAY_CAUSE_NONE);
	mg_counts(st.mg, &counts);
	assert_int_equal(counts.notifies_lost, 8);
	scene_end();
}

static void an_order_without_memory_is_told(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" TCP_ANY "," TCP_PEER "}},E=5{tcpbcc/*,g/cause}}}");
	accepted("C=1{MF=ip/1/1{SG{tcpbcc/EstBNC}}}"); /* another socket, one that connects */
	assert_int_equal(st.requests, 0);
	st.endpoint[1].dull = true;
	accepted("C=1{MF=ip/1/1{SG{tcpbcc/EstBNC}}}");
	notified("Type=EstFail,Cause=\"resources\",Side=local");
	notified("g/cause{ST=1,Generalcause=UR}");
	/* New fingerprints that do not get through end the session to be, not its check. */
	accepted(TLS_ADD(",E=6{tlsbsc/*}"));
	st.endpoint[st.endpoints - 1].dull = true;
	stage_forget(&st);
	accepted("C=2{MF=ip/1/2{M{ST=1{" TLS_PEER "}}}}");
	notified("tlsbsc/BNCChange{ST=1,Type=EstFail");
	assert_non_null(strstr(st.orders, "abort"));
	scene_end();
}

static void every_event_is_one_line_of_log(void **state)
{
	(void)state;
	scene_start();
	accepted(TLS_ADD(""));
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE);
	assert_non_null(strstr(st.log, "tcp-up context=1 term=ip/1/1 stream=1 "
	                               "peer=198.51.100.7:50000"));
	assert_non_null(strstr(st.log, "tls-up context=1 term=ip/1/1 stream=1 domain=access"));
	scene_end();
}

/* ---- ROOT and ServiceChange ---- */

static void root_watches_the_controller(void **state)
{
	(void)state;
	scene_start();
	says("C=-{MF=ROOT{E=3{it/ito{mit=500}}}}", "C=-{MF=ROOT}");
	assert_int_equal(st.inactivity_ms, 5000);
	says("C=-{MF=ROOT{E}}", "C=-{MF=ROOT}");
	assert_int_equal(st.inactivity_ms, 0);
	refused("C=-{MF=ROOT{E=3{tcpbcc/*}}}", 512, "not equipped on ROOT");
	refused("C=-{MF=ROOT{M{ST=1{O{MO=SR}}}}}", 542, "ROOT has no streams");
	accepted("C=-{MF=ROOT{M{TS{root/normalMGCExecutionTime=700}}}}");
	accepted("C=-{AV=ROOT{AT{M{TS{root/normalMGCExecutionTime}}}}}");
	contains("root/normalMGCExecutionTime=700");
	refused("C=-{MF=ROOT{M{TS{root/maxNumberOfContexts=7}}}}", 534, "maxNumberOfContexts");
	/* Both reach the transaction layer; one alone leaves the other. */
	accepted("C=-{MF=ROOT{M{TS{root/MGOriginatedPendingLimit=4}}}}");
	accepted("C=-{MF=ROOT{M{TS{root/normalMGExecutionTime=900}}}}");
	assert_int_equal(st.execution_ms, 900);
	assert_int_equal(st.pending_limit, 4);
	accepted("C=-{AV=ROOT{AT{M{TS{root/MGOriginatedPendingLimit}}}}}");
	contains("root/MGOriginatedPendingLimit=4");
	refused("C=-{MF=ROOT{M{TS{root/normalMGExecutionTime=0}}}}", 449, "not 0");
	scene_end();
}

#define CHANGE(term, method, more)                                                                 \
	"SC=" term "{SV{MT=" method ",RE=\"903 MGC Directed Change\"" more "}}"

static void service_states_change(void **state)
{
	(void)state;
	scene_start();
	accepted(TLS_ADD(""));
	stage_forget(&st);
	says("C=1{" CHANGE("ip/1/1", "FO", "") "}", "C=1{SC=ip/1/1}");
	ordered("release 0 abort");
	accepted("C=1{AV=ip/1/1{AT{M{TS{SI}}}}}");
	contains("SI=OS");
	refused("C=${MV=ip/1/1}", 503, "out of service");
	accepted("C=1{" CHANGE("ip/1/1", "RS", ",DL=10") "}");
	assert_int_equal(mg_deadline(st.mg), st.now_ms + 10000);
	mg_advance(st.mg);
	accepted("C=1{AV=ip/1/1{AT{M{TS{SI}}}}}");
	contains("SI=OS");
	st.now_ms += 10000;
	mg_advance(st.mg);
	accepted("C=1{AV=ip/1/1{AT{M{TS{SI}}}}}");
	contains("SI=IV");
	assert_true(mg_deadline(st.mg) == UINT64_MAX);
	refused("C=1{" CHANGE("ip/1/1", "HO", "") "}", 449, "HandOff is for ROOT");
	scene_end();
}

static void root_changes(void **state)
{
	(void)state;
	scene_start();
	accepted(TLS_ADD(""));
	says("C=-{" CHANGE("ROOT", "GR", "") "}", "C=-{SC=ROOT}");
	refused("C=${A=$}", 503, "going out of service");
	accepted("C=1{AV=ip/1/1{AT{}}}"); /* what is goes on */
	accepted("C=-{" CHANGE("ROOT", "FO", "") "}");
	refused("C=1{AV=ip/1/1{AT{}}}", 411, "");
	assert_int_equal(st.contexts, 0);
	accepted("C=-{" CHANGE("ROOT", "RS", "") "}");
	accepted("C=${A=$}");
	accepted("C=-{" CHANGE("ROOT", "HO", ",MG=<other.example>:2944") "}");
	assert_string_equal(st.handoff, "other.example");
	refused("C=-{" CHANGE("ROOT", "HO", "") "}", 472, "MgcIdToTry");
	refused("C=-{" CHANGE("ROOT", "HO", ",MG=<unknown.example>") "}", 449,
	        "an address or a domain name");
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_and_down_are_told),
		cmocka_unit_test(a_peer_of_ipv6_is_told),
		cmocka_unit_test(renegotiations_are_told),
		cmocka_unit_test(authentication_has_a_word),
		cmocka_unit_test(a_failed_handshake_is_told),
		cmocka_unit_test(only_what_was_asked_for),
		cmocka_unit_test(notifies_keep_their_order),
		cmocka_unit_test(without_memory_a_notify_is_lost),
		cmocka_unit_test(without_a_controller_a_notify_waits),
		cmocka_unit_test(an_order_without_memory_is_told),
		cmocka_unit_test(every_event_is_one_line_of_log),
		cmocka_unit_test(root_watches_the_controller),
		cmocka_unit_test(service_states_change),
		cmocka_unit_test(root_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
