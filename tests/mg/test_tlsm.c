/* SPDX-License-Identifier: Apache-2.0 */
/* tlsm: the controller's order to renegotiate (H.248.TLSPROF 8.4). */
#include "scene.h"

#define TLS_ADD(events) "C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=\"access\"}," TLS_ANY "}}" events "}}"
#define WATCH           ",E=77{tlsbsc/*,tlsm/*}"
#define ORDER_IT        "C=1{MF=ip/1/1{SG{tlsm/Reneg}}}"

static struct relay_tls_result session_of(const char *version, bool secured, bool orderable)
{
	struct relay_tls_result tls = { .alert = -1, .secured = secured, .orderable = orderable };

	snprintf(tls.version_name, sizeof(tls.version_name), "%s", version);
	snprintf(tls.suite_name, sizeof(tls.suite_name), "TLS_RSA_WITH_AES_128_CBC_SHA");
	return tls;
}

static void up(const char *version, bool secured, bool orderable)
{
	struct relay_tls_result tls = session_of(version, secured, orderable);

	scene_start();
	accepted(TLS_ADD(WATCH));
	ordered("add 0 server tls-server");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &tls);
	notified("tlsbsc/BNCChange{ST=1,Type=Est");
	stage_answer(&st);
}

static void answered(enum relay_event_kind kind, enum relay_cause cause,
                     const struct relay_tls_result *tls)
{
	stage_event_tls(&st, 0, kind, cause, tls);
}

static void an_order_is_given_and_told(void **state)
{
	struct relay_tls_result tls = session_of("TLS1.2", true, true);

	(void)state;
	up("TLS1.2", true, true);
	for (int i = 0; i < 2; i++) {
		accepted(ORDER_IT);
		ordered("renegotiate 0");
		answered(RELAY_TLS_RENEGOTIATED, RELAY_CAUSE_NONE, &tls);
		notified("tlsbsc/BNCChange{ST=1,Type=Mod");
		notified("tlsm/RenegDone{ST=1,Result=done,Version=\"TLS1.2\",Suite=\"TLS_RSA");
		stage_answer(&st);
	}
	/* One of the peer's is no answer. */
	answered(RELAY_TLS_RENEGOTIATED, RELAY_CAUSE_NONE, &tls);
	notified("Type=Mod");
	assert_null(strstr(st.request, "RenegDone"));
	stage_answer(&st);
	accepted("C=1{MF=ip/1/1{SG{tlsm/Reneg{ST=1}}}}");
	ordered("renegotiate 0");
	scene_end();
}

static void what_cannot_be_is_refused(void **state)
{
	struct relay_tls_result tls = session_of("TLS1.2", true, true);

	(void)state;
	scene_start();
	accepted(TLS_ADD(""));
	ordered("add 0 server tls-server");
	refused(ORDER_IT, 502, "Signals tlsm/Reneg: no TLS session is up");
	refused("C=1{MF=ip/1/1{SG{tlsm/Reneg{ST=1}}}}", 502, "Stream 1, Signals tlsm/Reneg");
	scene_end();
	up("TLS1.2", false, false);
	refused(ORDER_IT, 513, "RFC 5746");
	scene_end();
	up("TLS1.2", true, false);
	refused(ORDER_IT, 513, "TLS domain access: the profile or the domain does not let us");
	tls.orderable = false;
	tls.unable = true;
	answered(RELAY_TLS_RENEGOTIATED, RELAY_CAUSE_NONE, &tls);
	stage_answer(&st);
	refused(ORDER_IT, 513, "TLS domain access: as a server of DTLS its engine, GnuTLS, cannot");
	tls = session_of("TLS1.2", true, true);
	scene_end();
	up("TLS1.2", true, true);
	accepted(ORDER_IT);
	ordered("renegotiate 0");
	refused(ORDER_IT, 511, "the last one is not over");
	ordered("");
	answered(RELAY_TLS_RENEGOTIATED, RELAY_CAUSE_NONE, &tls);
	stage_answer(&st);
	answered(RELAY_TLS_DOWN, RELAY_CAUSE_PEER_CLOSE, &tls);
	refused(ORDER_IT, 502, "no TLS session is up");
	scene_end();
}

/** Nothing came of it, and the session goes on. */
static void refusals_of_the_peer_are_told(void **state)
{
	static const struct {
		enum relay_cause cause;
		const char *result;
	} cases[] = {
		{ RELAY_CAUSE_PEER_ALERT, "Result=refused,Cause=\"peer-alert\"" },
		{ RELAY_CAUSE_TIMEOUT, "Result=ignored,Cause=\"timeout\"" },
		{ RELAY_CAUSE_NONE, "Result=not-begun,Cause=\"none\"" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct relay_tls_result tls = session_of("TLS1.2", true, true);

		up("TLS1.2", true, true);
		accepted(ORDER_IT);
		ordered("renegotiate 0");
		tls.reason = TRUST_EXPIRED; /* tolerated: no news */
		snprintf(tls.text, sizeof(tls.text), "why not");
		answered(RELAY_TLS_UNCHANGED, cases[i].cause, &tls);
		notified("tlsbsc/BNCChange{ST=1,Type=Mfail");
		notified(cases[i].result);
		notified("Reason=\"why not\"");
		assert_null(strstr(st.request, "Auth="));
		stage_answer(&st);
		accepted(ORDER_IT);
		ordered("renegotiate 0");
		scene_end();
	}
}

/** Whoever does not prove himself is out, and the order is answered (8.4-3, 8.4-4). */
static void failures_are_told(void **state)
{
	struct relay_tls_result no = session_of("TLS1.2", true, true);

	(void)state;
	no.alert = 46;
	no.alert_side = TLS_SIDE_LOCAL;
	no.reason = TRUST_EXPIRED;
	up("TLS1.2", true, true);
	accepted(ORDER_IT);
	ordered("renegotiate 0");
	answered(RELAY_TLS_RENEGOTIATE_FAILED, RELAY_CAUSE_AUTH, &no);
	notified("Type=Mfail,Alert=46,Side=local,Cause=\"not-authenticated\",Auth=\"expired\"");
	notified("tlsm/RenegDone{ST=1,Result=failed,Cause=\"not-authenticated\"");
	stage_answer(&st);
	answered(RELAY_TLS_DOWN, RELAY_CAUSE_AUTH, &no);
	notified("Type=Rel");
	assert_null(strstr(st.request, "RenegDone"));
	scene_end();
	/* The session ends before it is answered: that is an answer. */
	up("TLS1.2", true, true);
	accepted(ORDER_IT);
	ordered("renegotiate 0");
	answered(RELAY_TLS_DOWN, RELAY_CAUSE_PEER_CLOSE, &no);
	notified("Result=failed,Cause=\"peer-close\"");
	scene_end();
	/* An order that finds no memory. */
	up("TLS1.2", true, true);
	st.endpoint[0].dull = true;
	accepted(ORDER_IT);
	notified("Result=not-begun,Cause=\"resources\"");
	scene_end();
}

static void new_keys_are_told(void **state)
{
	struct relay_tls_result tls = session_of("TLS1.3", true, true);

	(void)state;
	up("TLS1.3", true, true);
	accepted(ORDER_IT);
	ordered("renegotiate 0");
	answered(RELAY_TLS_REKEYED, RELAY_CAUSE_NONE, &tls);
	notified("tlsbsc/BNCChange{ST=1,Type=Mod,Version=\"TLS1.3\"");
	notified("tlsm/RenegDone{ST=1,Result=keys,Version=\"TLS1.3\"");
	scene_end();
}

static void the_session_tells_what_can_be(void **state)
{
	static const struct {
		const char *version;
		bool secured, orderable;
		const char *words;
	} cases[] = {
		{ "TLS1.2", true, true, "tlsm/can=[\"secured\",\"renegotiation\"]" },
		{ "TLS1.2", true, false, "tlsm/can=\"secured\"" },
		{ "TLS1.2", false, false, "tlsm/can=\"unsecured\"" },
		{ "TLS1.3", true, true, "tlsm/can=[\"secured\",\"key-update\"]" },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		up(cases[i].version, cases[i].secured, cases[i].orderable);
		accepted("C=1{AV=ip/1/1{AT{M}}}");
		contains(cases[i].words);
		scene_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_given_and_told),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(refusals_of_the_peer_are_told),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(new_keys_are_told),
		cmocka_unit_test(the_session_tells_what_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
