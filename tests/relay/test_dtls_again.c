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

/* ---- renegotiation ---- */

static const struct relay_dgram_spec rtp = { .rtp = true, .rtcp_port = true };
static const struct relay_dgram_spec srtp = { .rtp = true, .rtcp_mux = true, .srtp = true };
static const uint16_t offered[] = { TLS_SRTP_AES128_CM_SHA1_80 };

static void again_make(struct call *call, void *state, enum tls_role role, bool media,
                       const char *profile)
{
	struct tls_domain_spec ours = lab_spec(state, role, profile);
	struct tls_domain_spec theirs = lab_spec(state, 1 - role, profile);

	call_make_as(call, state, role, media ? &srtp : &any, media ? &rtp : &any, &ours, NULL);
	dtls_make_as(call, 1 - role, offered, media, &theirs);
	dtls_shake(call);
	stage_expect(&call->stage, &call->front, RELAY_TLS_UP);
	if (media)
		dtls_keys(call);
}

static bool renegotiated(void *arg)
{
	struct call *call = arg;
	uint8_t buf[4096], clear[4096];
	ssize_t n = recv(call->fd, buf, sizeof(buf), MSG_DONTWAIT);
	struct tls_io io = { .in = base_reader_of(buf, (size_t)BASE_MAX(n, 0)),
		             .out = &call->out,
		             .now_ms = call->now_ms += 5 };
	uint32_t count;
	size_t got;
	int rc = tls_session_read(call->session, &io, clear, sizeof(clear), &got);

	assert_int_equal(base_err_class(rc), BASE_AGAIN);
	dtls_flush(call);
	(void)tls_session_renegotiating(call->session, &count);
	return count > 0 && call->front.count[RELAY_TLS_RENEGOTIATED] > 0;
}

/** By the peer, and by the controller's order. */
static bool begin(struct call *call, bool ordered)
{
	struct tls_io io = { .out = &call->out, .now_ms = call->now_ms };
	enum tls_again again;

	if (ordered) {
		assert_int_equal(relay_endpoint_renegotiate(call->front.endpoint), 0);
		return true;
	}
	assert_int_equal(tls_session_renegotiate(call->session, &io, &again), 0);
	dtls_flush(call);
	return again == TLS_AGAIN_BEGUN;
}

/** GnuTLS as a server cannot ask over datagrams. */
static bool unable(struct call *call, enum tls_role role, bool ordered)
{
	enum tls_role by = ordered ? role : 1 - role;

	return by == TLS_ROLE_SERVER && call->sides->server == TLS_ENGINE_GNUTLS;
}

static void renegotiation_by_either(void **state)
{
	for (int role = 0; role < 2; role++)
		for (int ordered = 0; ordered < 2; ordered++) {
			struct call call;

			again_make(&call, *state, (enum tls_role)role, false, "dtls-both");
			if (unable(&call, (enum tls_role)role, ordered)) {
				if (begin(&call, ordered)) {
					stage_expect(&call.stage, &call.front, RELAY_TLS_UNCHANGED);
					assert_int_equal(call.front.last[RELAY_TLS_UNCHANGED].again,
					                 TLS_AGAIN_UNABLE);
				}
				talk(&call);
				call_done(&call);
				continue;
			}
			call.lose = 1; /* the far end's first datagram: it has to be repeated */
			call.sent = 0;
			assert_true(begin(&call, ordered));
			stage_wait(&call.stage, renegotiated, &call);
			assert_int_equal(call.front.last[RELAY_TLS_RENEGOTIATED].ordered, ordered);
			assert_int_equal(endpoint_stats(call.front.endpoint).renegotiations, 1);
			talk(&call);
			call_done(&call);
		}
}

struct packet {
	size_t len;
	uint8_t data[64] __attribute__((aligned(8)));
};

static struct packet packet_rtp(uint8_t number)
{
	return (struct packet){ .len = 40, .data = { 0x80, 0, 0, number, 0, 0, 0, 1, 1, 2, 3, 4 } };
}

/** RTP from the endpoint's partner to the far end. */
static void media_out(struct call *call, struct relay_srtp *keys, struct packet p)
{
	uint8_t buf[4096] __attribute__((aligned(8)));
	size_t n;

	udp_send(call->peer[0], endpoint_port(call->back.endpoint), p.data, p.len);
	n = udp_receive(&call->stage, call->fd, buf, sizeof(buf), NULL);
	assert_int_equal(relay_srtp_unprotect(keys, buf, &n, false), RELAY_SRTP_OK);
	assert_int_equal(n, p.len);
	assert_memory_equal(buf, p.data, n);
}

/** And the other way, under those keys. */
static void media_in(struct call *call, struct relay_srtp *keys, struct packet p, bool arrives)
{
	uint8_t buf[4096] __attribute__((aligned(8)));
	size_t n = p.len;

	memcpy(buf, p.data, n);
	assert_int_equal(relay_srtp_protect(keys, buf, &n, false), RELAY_SRTP_OK);
	udp_send(call->fd, call->to, buf, n);
	if (arrives)
		udp_expect(&call->stage, call->peer[0], p.data, p.len);
}

/** Keys change for all that is sent; what is late still comes in under those of before (5.2). */
static void srtp_gets_new_keys(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct relay_srtp *before;
		struct call call;

		again_make(&call, *state, (enum tls_role)role, true, "dtls-both");
		before = call.srtp;
		call.srtp = NULL;
		media_out(&call, before, packet_rtp(1));
		media_in(&call, before, packet_rtp(1), true);
		if (!begin(&call, role == TLS_ROLE_CLIENT))
			fail();
		stage_wait(&call.stage, renegotiated, &call);
		dtls_keys(&call);
		media_out(&call, call.srtp, packet_rtp(2));
		media_in(&call, call.srtp, packet_rtp(3), true);
		media_in(&call, before, packet_rtp(2), true);
		media_in(&call, call.srtp, packet_rtp(4), true);
		relay_srtp_free(before);
		call_done(&call);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_call_resumes),
		cmocka_unit_test(a_handshake_waits_for_a_crl),
		cmocka_unit_test(what_it_waited_for_may_refuse),
		cmocka_unit_test(nobody_gets_it),
		cmocka_unit_test(it_is_removed_meanwhile),
		cmocka_unit_test(renegotiation_by_either),
		cmocka_unit_test(srtp_gets_new_keys),
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
