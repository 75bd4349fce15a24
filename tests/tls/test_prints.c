/* SPDX-License-Identifier: Apache-2.0 */
/** @file Fingerprints that come after the handshake has begun (RFC 5763, 6.2; RFC 8122, 6.2). */
#include "dnet.h"
#include "pairs.h"

/** A server by fingerprint that knows none, and a client with a certificate. */
static void open_late(struct dnet *net, struct lab_sides *sides, unsigned methods, bool later)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
	struct tls_session_spec session = { .prints_later = later };

	s.client_methods = methods;
	c.identity = sides->lab->stranger;
	dnet_open(net, &s, &c, &session, NULL);
}

static int prove(const struct dnet *net, const struct x509_identity *who)
{
	struct x509_fingerprint print = lab_fingerprint(who);

	return tls_session_prints(net->session[TLS_ROLE_SERVER], &print, 1);
}

static void the_handshake_does_not_wait_for_them(void **state)
{
	struct lab_sides *sides = *state;
	struct tls_info info;
	struct dnet net;

	open_late(&net, sides, TRUST_FINGERPRINT, true);
	dnet_shake(&net);
	dnet_assert_up(&net);
	info = dnet_info(&net, TLS_ROLE_SERVER);
	assert_true(tls_session_unproved(net.session[TLS_ROLE_SERVER]));
	assert_false(info.verdict.authenticated);
	assert_int_equal(info.verdict.reason, TRUST_NO_FINGERPRINT);
	assert_int_equal(prove(&net, sides->lab->client), BASE_ERR(BASE_PEER, 42));
	assert_true(tls_session_unproved(net.session[TLS_ROLE_SERVER]));
	info = dnet_info(&net, TLS_ROLE_SERVER);
	assert_int_equal(info.verdict.reason, TRUST_FINGERPRINT_MISMATCH);
	assert_int_equal(prove(&net, sides->lab->stranger), 0);
	assert_false(tls_session_unproved(net.session[TLS_ROLE_SERVER]));
	info = dnet_info(&net, TLS_ROLE_SERVER);
	assert_true(info.verdict.authenticated);
	assert_int_equal(info.verdict.method, TRUST_FINGERPRINT);
	dnet_assert_talk(&net);
	dnet_close(&net);
}

/** Who did not say that they come later is refused without them, as ever. */
static void only_who_says_so_waits(void **state)
{
	struct dnet net;

	open_late(&net, *state, TRUST_FINGERPRINT, false);
	dnet_settle(&net);
	assert_int_equal(base_err_class(net.result[TLS_ROLE_SERVER]), BASE_PEER);
	assert_false(tls_session_unproved(net.session[TLS_ROLE_SERVER]));
	dnet_close(&net);
}

static void before_the_certificate_they_take_the_old_ones_place(void **state)
{
	struct lab_sides *sides = *state;
	const struct x509_fingerprint old = lab_fingerprint(sides->lab->client);

	for (int right = 0; right < 2; right++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
		struct tls_session_spec session = { .fingerprints = &old, .fingerprint_count = 1 };
		struct dnet net;

		s.client_methods = TRUST_FINGERPRINT;
		c.identity = sides->lab->stranger;
		dnet_open(&net, &s, &c, &session, NULL);
		if (right)
			assert_int_equal(prove(&net, sides->lab->stranger), 0);
		dnet_settle(&net);
		if (right)
			dnet_assert_up(&net);
		else
			assert_int_equal(net.result[TLS_ROLE_SERVER], BASE_ERR(BASE_PEER, 42));
		dnet_close(&net);
	}
}

/** One that is up is told whether it is still the right one. */
static void one_that_is_up_is_held_against_them(void **state)
{
	struct lab_sides *sides = *state;
	const struct x509_fingerprint first = lab_fingerprint(sides->lab->stranger);
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
	struct tls_session_spec session = { .fingerprints = &first, .fingerprint_count = 1 };
	struct dnet net;

	s.client_methods = TRUST_FINGERPRINT;
	c.identity = sides->lab->stranger;
	dnet_open(&net, &s, &c, &session, NULL);
	dnet_shake(&net);
	dnet_assert_up(&net);
	assert_int_equal(prove(&net, sides->lab->stranger), 0);
	assert_int_equal(tls_session_prints(net.session[TLS_ROLE_SERVER], NULL, 0), 0);
	assert_int_equal(prove(&net, sides->lab->client), BASE_ERR(BASE_PEER, 42));
	dnet_close(&net);
}

/** A path is as good where the domain takes either; without one it is their turn. */
static void a_path_is_as_good(void **state)
{
	struct lab_sides *sides = *state;

	for (int stranger = 0; stranger < 2; stranger++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
		struct tls_session_spec session = { .prints_later = true };
		struct dnet net;

		s.client_methods = TRUST_FINGERPRINT | TRUST_CA;
		c.identity = stranger ? sides->lab->stranger : sides->lab->client;
		dnet_open(&net, &s, &c, &session, NULL);
		dnet_shake(&net);
		dnet_assert_up(&net);
		assert_int_equal(tls_session_unproved(net.session[TLS_ROLE_SERVER]), stranger);
		assert_int_equal(prove(&net, sides->lab->stranger), 0);
		assert_false(tls_session_unproved(net.session[TLS_ROLE_SERVER]));
		dnet_close(&net);
	}
}

/** A client that shows none has nothing that could be compared. */
static void no_certificate_is_no_certificate(void **state)
{
	struct lab_sides *sides = *state;
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
	struct tls_session_spec session = { .prints_later = true };
	struct dnet net;

	s.client_methods = TRUST_FINGERPRINT;
	s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	c.identity = NULL;
	dnet_open(&net, &s, &c, &session, NULL);
	dnet_settle(&net);
	assert_int_equal(base_err_class(net.result[TLS_ROLE_SERVER]), BASE_PEER);
	dnet_close(&net);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_handshake_does_not_wait_for_them),
		cmocka_unit_test(only_who_says_so_waits),
		cmocka_unit_test(before_the_certificate_they_take_the_old_ones_place),
		cmocka_unit_test(one_that_is_up_is_held_against_them),
		cmocka_unit_test(a_path_is_as_good),
		cmocka_unit_test(no_certificate_is_no_certificate),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
