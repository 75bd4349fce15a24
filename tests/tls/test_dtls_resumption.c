/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Resumption over datagrams (RFC 5077, RFC 5246 7.3, RFC 6347 4.2), by ticket and by session id:
 * what TLS does in test_resumption.c and test_client_tickets.c, and what a path may do to it.
 */
#include "dnet.h"
#include "pairs.h"
#include "tls/engine.h"

static const char *const profiles[] = { "dtls12", "dtls10", "dtls-ids", "dtls10-ids" };
static const struct tls_session_spec home = { .resume_key = "192.0.2.1:443" };

/** Each with a certificate; both are judged. */
static void open_mutual(struct dnet *net, struct lab_sides *sides, const char *profile,
                        const struct tls_session_spec *client)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);

	s.client_methods = c.server_methods = TRUST_CA;
	s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	c.identity = sides->lab->client;
	dnet_open(net, &s, &c, NULL, client);
}

/** @return whether both sides say that it was resumed; they must agree */
static bool shake(struct dnet *net)
{
	dnet_shake(net);
	dnet_assert_up(net);
	dnet_assert_talk(net);
	assert_int_equal(dnet_info(net, TLS_ROLE_CLIENT).resumed,
	                 dnet_info(net, TLS_ROLE_SERVER).resumed);
	return dnet_info(net, TLS_ROLE_CLIENT).resumed;
}

static void bye(struct dnet *net)
{
	net->rule = NULL;
	dnet_close(net);
}

static void again_and_again(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_info full[2], info;
		struct dnet net;

		open_mutual(&net, *state, profiles[i], &home);
		assert_false(shake(&net));
		for (int role = 0; role < 2; role++)
			full[role] = dnet_info(&net, (enum tls_role)role);
		for (int round = 0; round < 3; round++) {
			dnet_again(&net, NULL, &home);
			assert_true(shake(&net));
			for (int role = 0; role < 2; role++) {
				info = dnet_info(&net, (enum tls_role)role);
				assert_true(info.has_verdict && info.verdict.authenticated);
				assert_string_equal(info.verdict.subject,
				                    full[role].verdict.subject);
				assert_int_equal(info.version, full[role].version);
				assert_int_equal(info.suite, full[role].suite);
				assert_non_null(tls_session_standing(net.session[role]));
			}
		}
		bye(&net);
	}
}

/** The second ClientHello of the cookie exchange shows what the first did (RFC 6347, 4.2.1). */
static void behind_a_cookie(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct dnet net;

		open_mutual(&net, *state, profiles[i], &home);
		assert_false(shake(&net));
		for (int round = 0; round < 2; round++) {
			dnet_again_with_cookies(&net, &home);
			assert_true(shake(&net));
			assert_true(dnet_info(&net, TLS_ROLE_SERVER).verdict.authenticated);
		}
		bye(&net);
	}
}

/** An SDP fingerprint is of one association (RFC 8122, 5; RFC 5763, 5): it is proved each time. */
static void not_where_a_fingerprint_proves(void **state)
{
	struct lab_sides *sides = *state;
	const struct x509_fingerprint fp[2] = { lab_fingerprint(sides->lab->client),
		                                lab_fingerprint(sides->lab->server_ec) };
	const struct tls_session_spec own[2] = {
		{ .fingerprints = &fp[1], .fingerprint_count = 1, .resume_key = home.resume_key },
		{ .fingerprints = &fp[0], .fingerprint_count = 1 }
	};

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profiles[i]);
		struct dnet net;

		s.client_methods = c.server_methods = TRUST_FINGERPRINT | TRUST_CA;
		s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
		c.identity = sides->lab->client;
		dnet_open(&net, &s, &c, &own[1], &own[0]);
		assert_false(shake(&net));
		dnet_again(&net, &own[1], &own[0]);
		assert_false(shake(&net));
		dnet_again(&net, NULL, &home); /* nothing was left behind */
		assert_false(shake(&net));
		dnet_again(&net, &own[1], &home); /* shown a ticket that it gave to others */
		assert_false(shake(&net));
		assert_int_equal(dnet_info(&net, TLS_ROLE_SERVER).verdict.method,
		                 TRUST_FINGERPRINT);
		dnet_again(&net, NULL, &own[0]);
		assert_false(shake(&net));
		bye(&net);
	}
}

/** Who is trusted no more does not come in by what he was. */
static void not_with_what_is_trusted_no_more(void **state)
{
	const struct trust_store_files none = { 0 };
	struct trust_store *nobody;

	assert_int_equal(trust_store_load(&nobody, &none, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct trust_store *before;
		struct tls_info info;
		struct dnet net;

		open_mutual(&net, *state, profiles[i], &home);
		assert_false(shake(&net));
		before = net.domain[TLS_ROLE_SERVER]->datagram->trust;
		net.domain[TLS_ROLE_SERVER]->datagram->trust = nobody;
		dnet_again(&net, NULL, &home);
		dnet_shake(&net);
		info = dnet_info(&net, TLS_ROLE_SERVER);
		assert_false(info.established);
		assert_int_equal(info.verdict.reason, TRUST_UNKNOWN_CA);
		net.domain[TLS_ROLE_SERVER]->datagram->trust = before;
		bye(&net);
	}
	trust_store_unref(nobody);
}

/** Another worker's context of the same domain, one of its next generation, another domain. */
static void at_other_workers_and_generations(void **state)
{
	struct lab_sides *sides = *state;

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profiles[i]);
		struct tls_domain *first, *next[2];
		struct tls_context *home_context, *context[3];
		struct dnet net;

		dnet_open(&net, &s, &c, NULL, &home);
		assert_false(shake(&net));
		first = net.domain[TLS_ROLE_SERVER];
		home_context = net.context[TLS_ROLE_SERVER];
		assert_int_equal(tls_domain_new(&next[1], &s, NULL), 0);
		s.before = first;
		assert_int_equal(tls_domain_new(&next[0], &s, NULL), 0);
		assert_int_equal(tls_context_new(&context[0], first, NULL), 0);
		assert_int_equal(tls_context_new(&context[1], next[0], NULL), 0);
		assert_int_equal(tls_context_new(&context[2], next[1], NULL), 0);
		for (int k = 0; k < 3; k++) {
			net.context[TLS_ROLE_SERVER] = context[k];
			dnet_again(&net, NULL, &home);
			assert_int_equal(shake(&net), k < 2);
		}
		net.context[TLS_ROLE_SERVER] = home_context;
		dnet_again(&net, NULL, &home);
		for (int k = 0; k < 3; k++)
			tls_context_free(context[k]);
		for (int k = 0; k < 2; k++)
			tls_domain_unref(next[k]);
		bye(&net);
	}
}

#define LIFE_MS 3600000ULL

/** As long as the profile says, counted from the full handshake. */
static void for_so_long(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct dnet net;
		uint64_t begin;

		open_mutual(&net, *state, profiles[i], &home);
		begin = net.now_ms;
		for (unsigned quarter = 0; quarter <= 4; quarter++) {
			net.now_ms = begin + quarter * (LIFE_MS / 4) + (quarter == 4 ? 1000 : 0);
			(void)tls_domain_tickets_turn(net.domain[TLS_ROLE_SERVER], net.now_ms);
			if (quarter)
				dnet_again(&net, NULL, &home);
			assert_int_equal(shake(&net), quarter > 0 && quarter < 4);
		}
		bye(&net);
	}
}

/* -- SRTP (RFC 5764) --------------------------------------------------------------------------- */

struct srtp {
	struct tls_datagram_spec path[2];
	struct tls_session_spec session[2];
};

static void srtp_spec(struct srtp *srtp, const uint16_t *server, const uint16_t *client)
{
	const uint16_t *codes[2] = { client, server };

	for (int role = 0; role < 2; role++) {
		srtp->path[role] = (struct tls_datagram_spec){ .srtp = codes[role],
			                                       .srtp_count = 1,
			                                       .srtp_required = true };
		srtp->session[role] = (struct tls_session_spec){ .datagram = &srtp->path[role] };
	}
	srtp->session[TLS_ROLE_CLIENT].resume_key = home.resume_key;
}

/** Both have the same, for opposite directions. The client's own key goes to `ret`. */
static void keys_match(struct dnet *net, uint16_t profile, uint8_t ret[30])
{
	struct tls_srtp_keys keys[2] = { 0 };

	for (int role = 0; role < 2; role++) {
		assert_int_equal(tls_session_srtp(net->session[role]), profile);
		assert_int_equal(tls_session_srtp_keys(net->session[role], &keys[role]), 0);
		assert_int_equal(keys[role].profile, profile);
		assert_int_equal(keys[role].ours.len, 30);
	}
	assert_memory_equal(keys[0].ours.data, keys[1].theirs.data, 30);
	assert_memory_equal(keys[1].ours.data, keys[0].theirs.data, 30);
	memcpy(ret, keys[0].ours.data, 30);
	for (int role = 0; role < 2; role++)
		tls_srtp_keys_done(&keys[role]);
}

/** use_srtp is agreed on anew, and so are the keys: they are of the randoms of now (4.1, 4.2).
 * GnuTLS 3.7 would write beyond its memory: such a session of its is not resumed. */
static void srtp_is_agreed_on_again(void **state)
{
	static const uint16_t codes[] = { TLS_SRTP_AES128_CM_SHA1_80, TLS_SRTP_AES128_CM_SHA1_32 };
	const struct lab_sides *sides = *state;
	bool can = sides->server == TLS_ENGINE_OPENSSL && sides->client == TLS_ENGINE_OPENSSL;

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profiles[i]);
		uint8_t key[3][30];
		struct srtp srtp;
		struct dnet net;

		srtp_spec(&srtp, &codes[0], &codes[0]);
		dnet_open(&net, &s, &c, &srtp.session[1], &srtp.session[0]);
		assert_false(shake(&net));
		keys_match(&net, codes[0], key[0]);
		for (int round = 0; round < 2; round++) {
			srtp_spec(&srtp, &codes[round], &codes[round]);
			dnet_again(&net, &srtp.session[1], &srtp.session[0]);
			assert_int_equal(shake(&net), can);
			keys_match(&net, codes[round], key[1 + round]);
			assert_memory_not_equal(key[round], key[1 + round], 30);
		}
		assert_memory_not_equal(key[0], key[2], 30);
		/* Nothing in common: what was resumed does not stand in for it. */
		srtp_spec(&srtp, &codes[0], &codes[1]);
		dnet_again(&net, &srtp.session[1], &srtp.session[0]);
		dnet_shake(&net);
		for (int role = 0; role < 2; role++)
			assert_int_not_equal(net.result[role], 0);
		bye(&net);
	}
}

/* -- a bad path -------------------------------------------------------------------------------- */

/** The datagram whose number is `param`, of both sides together, is lost. */
static struct dnet_fate lose_one(struct dnet *net, enum tls_role from, unsigned index,
                                 struct base_str datagram)
{
	(void)from;
	(void)index;
	(void)datagram;
	return (struct dnet_fate){ net->sent[0] + net->sent[1] == net->param ? 0 : 1, 0 };
}

/** Here it is the client who sends the last flight, and has to repeat it (RFC 6347, 4.2.4). */
static void loss_at_every_datagram(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct dnet net;
		unsigned count = 1;

		open_mutual(&net, *state, profiles[i], &home);
		assert_false(shake(&net));
		for (uintptr_t lost = 0; lost < count; lost++) {
			dnet_again(&net, NULL, &home);
			net.rule = lose_one;
			net.param = lost;
			dnet_shake(&net);
			dnet_assert_up(&net);
			count = BASE_MAX(count, net.sent[0] + net.sent[1]);
			net.rule = NULL;
			assert_true(shake(&net));
			assert_in_range(count, 3, 20);
		}
		bye(&net);
	}
}

static void loss_order_and_copies(void **state)
{
	const struct tls_datagram_spec path = { .mtu = 500, .rto_ms = 700, .patience_ms = 600000 };
	const struct tls_session_spec session[2] = {
		{ .datagram = &path, .resume_key = home.resume_key }, { .datagram = &path }
	};

	for (size_t i = 0; i < BASE_COUNT(profiles); i += 2) {
		struct dnet net;

		open_mutual(&net, *state, profiles[i], &home);
		assert_false(shake(&net));
		for (uintptr_t seed = 1; seed <= 25; seed++) {
			dnet_again(&net, &session[1], &session[0]);
			net.rule = dnet_storm;
			net.param = seed;
			net.way_ms = 150;
			dnet_shake(&net);
			dnet_assert_up(&net);
			net.rule = NULL;
			assert_true(shake(&net));
		}
		bye(&net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(behind_a_cookie),
		cmocka_unit_test(not_where_a_fingerprint_proves),
		cmocka_unit_test(not_with_what_is_trusted_no_more),
		cmocka_unit_test(at_other_workers_and_generations),
		cmocka_unit_test(for_so_long),
		cmocka_unit_test(srtp_is_agreed_on_again),
		cmocka_unit_test(loss_at_every_datagram),
		cmocka_unit_test(loss_order_and_copies),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
