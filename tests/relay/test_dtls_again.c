/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS endpoints beyond their first handshake: sessions that resume, handshakes that wait for a
 * CRL. The far end is a session of ours on the same or the other engine. */
#include "check.h"

#include <unistd.h>

#include "../tls/crls.h"
#include "../tls/pairs.h"
#include "call.h"

#define URL "http://crl.example/1.crl"

static const struct relay_dgram_spec any = { 0 };
static struct pki ca, entity;
static struct x509_identity *identity;

/* ---- resumption ---- */

/** The next call between the same two is a short one, in both roles of the endpoint. */
static void the_next_call_resumes(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct call call;

		call_make(&call, *state, (enum tls_role)role, &any, &any);
		for (int round = 0; round < 3; round++) {
			if (round)
				call_again(&call, (enum tls_role)role, &any, &any);
			dtls_make(&call, 1 - (enum tls_role)role, NULL, 0);
			dtls_shake(&call);
			stage_expect(&call.stage, &call.front, RELAY_TLS_UP);
			assert_int_equal(call.front.last[RELAY_TLS_UP].tls.resumed, round > 0);
			assert_int_equal(endpoint_stats(call.front.endpoint).resumptions,
			                 round > 0);
			talk(&call);
			call_over(&call);
		}
		call_done(&call);
	}
}

/* ---- waiting for a CRL ---- */

struct asking {
	struct call call;
	struct crls crls;
	struct relay_fetch *fetch;
	unsigned fetches;
};

static void on_fetch(void *arg, struct relay_fetch *fetch)
{
	struct asking *a = arg;

	assert_string_equal(relay_fetch_url(fetch), URL);
	a->fetch = fetch;
	a->fetches++;
}

static void asking_make(struct asking *a, void *state, enum tls_role role, unsigned limit_ms)
{
	const struct relay_pool_spec pool = {
		.workers = 1, .fetch = on_fetch, .fetch_arg = a, .fetch_limit_ms = limit_ms
	};
	struct lab_sides *sides = state;
	struct tls_domain_spec ours = lab_spec(sides, role, "dtls12");
	struct tls_domain_spec theirs = lab_spec(sides, 1 - role, "dtls12");

	*a = (struct asking){ 0 };
	crls_begin(&a->crls, &ca);
	ours.trust = a->crls.store;
	ours.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	ours.client_methods = ours.server_methods = TRUST_CA;
	theirs.identity = identity;
	call_make_as(&a->call, state, role, &any, &any, &ours, &pool);
	dtls_make_as(&a->call, 1 - role, NULL, 0, &theirs);
}

static void asking_done(struct asking *a)
{
	call_done(&a->call);
	crls_end(&a->crls);
}

static bool asked(void *arg)
{
	struct asking *a = arg;

	if (!a->fetches) {
		a->call.now_ms += 5;
		(void)dtls_step(&a->call);
	}
	return a->fetches > 0;
}

/** It waits; the peer repeats its flight three times, and that neither asks again nor ends it. */
static void until_asked(struct asking *a)
{
	stage_wait(&a->call.stage, asked, a);
	for (int i = 0; i < 3; i++) {
		a->call.now_ms += 1000;
		(void)dtls_step(&a->call);
		assert_int_equal(loop_run_once(a->call.stage.control, 5), 0);
	}
	assert_int_equal(a->fetches, 1);
	assert_int_equal(a->call.front.count[RELAY_TLS_UP], 0);
	assert_int_equal(a->call.front.count[RELAY_TLS_FAILED], 0);
}

static void a_handshake_waits_for_a_crl(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct asking a;

		asking_make(&a, *state, (enum tls_role)role, 60000);
		until_asked(&a);
		crls_come(&a.crls, NULL);
		relay_fetched(a.fetch, NULL);
		dtls_shake(&a.call);
		stage_expect(&a.call.stage, &a.call.front, RELAY_TLS_UP);
		assert_string_equal(trust_reason_name(a.call.front.last[RELAY_TLS_UP].tls.reason),
		                    trust_reason_name(TRUST_OK));
		talk(&a.call);
		asking_done(&a);
	}
}

static void what_it_waited_for_may_refuse(void **state)
{
	for (int role = 0; role < 2; role++)
		for (int comes = 0; comes < 2; comes++) {
			struct asking a;
			struct relay_event *event = &a.call.front.last[RELAY_TLS_FAILED];

			asking_make(&a, *state, (enum tls_role)role, 60000);
			until_asked(&a);
			if (comes)
				crls_come(&a.crls, entity.cert);
			relay_fetched(a.fetch, comes ? NULL : "gone");
			stage_expect(&a.call.stage, &a.call.front, RELAY_TLS_FAILED);
			assert_non_null(strstr(event->tls.text, comes ? "revoked" : "gone"));
			asking_done(&a);
		}
}

/** Nobody answers: the limit of all fetches ends it, and a late answer finds nobody. */
static void nobody_gets_it(void **state)
{
	struct asking a;

	asking_make(&a, *state, TLS_ROLE_SERVER, 50);
	stage_wait(&a.call.stage, asked, &a);
	stage_expect(&a.call.stage, &a.call.front, RELAY_TLS_FAILED);
	assert_non_null(strstr(a.call.front.last[RELAY_TLS_FAILED].tls.text, "no answer within"));
	relay_fetched(a.fetch, NULL);
	asking_done(&a);
}

/** The endpoint goes while it waits. */
static void it_is_removed_meanwhile(void **state)
{
	struct asking a;

	asking_make(&a, *state, TLS_ROLE_SERVER, 60000);
	until_asked(&a);
	call_over(&a.call);
	relay_fetched(a.fetch, NULL);
	asking_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_call_resumes),
		cmocka_unit_test(a_handshake_waits_for_a_crl),
		cmocka_unit_test(what_it_waited_for_may_refuse),
		cmocka_unit_test(nobody_gets_it),
		cmocka_unit_test(it_is_removed_meanwhile),
	};
	int failed;

	ca = pki_ca("CA");
	entity = pki_make(&(struct pki_spec){ .cn = "gw.example",
	                                      .issuer = &ca,
	                                      .ext_nid = NID_crl_distribution_points,
	                                      .ext = "URI:" URL });
	identity = pki_identity(&entity, (const struct pki *const[]){ NULL });
	failed = pairs_run(tests, BASE_COUNT(tests));
	pki_free(&ca);
	pki_free(&entity);
	x509_identity_unref(identity);
	return failed;
}
