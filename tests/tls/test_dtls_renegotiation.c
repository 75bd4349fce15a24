/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Renegotiation over datagrams (RFC 5246, 7.4.1.1; RFC 6347, 4.2.4), begun by either side: what TLS
 * does in test_again.c and test_renegotiation.c, and what a path may do to it.
 */
#include "dnet.h"
#include "pairs.h"
#include "tls/engine.h"

static const char *const profiles[] = { "dtls-both", "dtls10-both" };

/** Each with a certificate; both are judged. */
static void open_mutual(struct dnet *net, struct lab_sides *sides, const char *profile,
                        const struct tls_session_spec *both)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);

	s.client_methods = c.server_methods = TRUST_CA;
	s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	c.identity = sides->lab->client;
	dnet_open(net, &s, &c, both, both);
	dnet_shake(net);
	dnet_assert_up(net);
}

static void assert_renegotiated(struct dnet *net, unsigned count)
{
	dnet_assert_up(net);
	for (int role = 0; role < 2; role++) {
		struct tls_info info = dnet_info(net, (enum tls_role)role);

		if (info.renegotiations != count || info.renegotiating)
			print_message("%s: %u renegotiations, %d goes on, wish %d\n",
			              role ? "server" : "client", info.renegotiations,
			              info.renegotiating, tls_session_wish(net->session[role]));
		assert_int_equal(info.renegotiations, count);
		assert_false(info.renegotiating);
		assert_int_equal(tls_session_wish(net->session[role]), TLS_WISH_NONE);
		assert_int_equal(tls_session_deadline(net->session[role]), UINT64_MAX);
		assert_true(info.verdict.authenticated);
	}
}

/** GnuTLS 3.7 takes no answer to a HelloRequest of its own over datagrams. */
static bool can(const struct lab_sides *sides, int by)
{
	return by == TLS_ROLE_CLIENT || sides->server == TLS_ENGINE_OPENSSL;
}

/** Each profile and beginner that there is. */
#define EACH_WAY(net, path)                                                                        \
	for (size_t i_ = 0; i_ < BASE_COUNT(profiles); i_++)                                       \
		for (int by = 0; by < 2; by++)                                                     \
			if (can(*state, by))                                                       \
				for (int once_ =                                                   \
				             (open_mutual(&(net), *state, profiles[i_], path), 0); \
				     !once_; once_++, (net).rule = NULL, dnet_close(&(net)))

static void begun_by_either(void **state)
{
	struct dnet net;

	EACH_WAY(net, NULL)
	{
		for (unsigned round = 1; round <= 3; round++) {
			assert_int_equal(dnet_renegotiate(&net, (enum tls_role)by),
			                 TLS_AGAIN_BEGUN);
			dnet_settle(&net);
			assert_renegotiated(&net, round);
			dnet_assert_talk(&net);
			assert_int_equal(dnet_info(&net, TLS_ROLE_CLIENT).repeated, 0);
			assert_int_equal(dnet_info(&net, TLS_ROLE_SERVER).repeated, 0);
		}
		/* Three at once, and one more each minute. */
		assert_int_equal(dnet_renegotiate(&net, (enum tls_role)by), TLS_AGAIN_TOO_OFTEN);
		net.now_ms += 60000;
		assert_int_equal(dnet_renegotiate(&net, (enum tls_role)by), TLS_AGAIN_BEGUN);
		dnet_settle(&net);
		assert_renegotiated(&net, 4);
	}
}

static void what_an_engine_cannot_is_told(void **state)
{
	const struct lab_sides *sides = *state;
	struct dnet net;

	open_mutual(&net, *state, "dtls-both", NULL);
	assert_int_equal(dnet_info(&net, TLS_ROLE_SERVER).we_may_renegotiate,
	                 can(sides, TLS_ROLE_SERVER));
	assert_int_equal(dnet_info(&net, TLS_ROLE_SERVER).cannot_renegotiate,
	                 !can(sides, TLS_ROLE_SERVER));
	assert_false(dnet_info(&net, TLS_ROLE_CLIENT).cannot_renegotiate);
	if (!can(sides, TLS_ROLE_SERVER))
		assert_int_equal(dnet_renegotiate(&net, TLS_ROLE_SERVER), TLS_AGAIN_UNABLE);
	dnet_close(&net);
}

/** By profile, or by the stream. */
static void not_where_it_may_not_be(void **state)
{
	const struct tls_session_spec once = { .once = true };
	struct dnet net;

	for (int stream = 0; stream < 2; stream++) {
		open_mutual(&net, *state, stream ? "dtls-both" : "dtls12", stream ? &once : NULL);
		for (int by = 0; by < 2; by++) {
			enum tls_again again = dnet_renegotiate(&net, (enum tls_role)by);

			assert_true(again == TLS_AGAIN_FORBIDDEN || again == TLS_AGAIN_UNSECURED ||
			            again == TLS_AGAIN_UNABLE);
		}
		assert_renegotiated(&net, 0);
		dnet_close(&net);
	}
}

/** Messages that are under way when it begins arrive, and none is written in its midst. */
static void data_around_it(void **state)
{
	struct dnet net;

	EACH_WAY(net, NULL)
	{
		dnet_write(&net, 1 - (enum tls_role)by, "before", 6);
		assert_int_equal(dnet_renegotiate(&net, (enum tls_role)by), TLS_AGAIN_BEGUN);
		dnet_settle(&net);
		assert_renegotiated(&net, 1);
		assert_int_equal(net.messages[by], 1);
		dnet_assert_talk(&net);
	}
}

/** New keys for others, too. */
static void exported_keys_change(void **state)
{
	struct base_secret key[2][2] = { 0 };
	struct dnet net;

	EACH_WAY(net, NULL)
	{
		for (int round = 0; round < 2; round++) {
			for (int role = 0; role < 2; role++)
				assert_int_equal(tls_session_export(net.session[role],
				                                    "EXPERIMENTAL", NULL, 32,
				                                    &key[round][role]),
				                 0);
			assert_memory_equal(key[round][0].data, key[round][1].data, 32);
			if (round)
				break;
			(void)dnet_renegotiate(&net, (enum tls_role)by);
			dnet_settle(&net);
			assert_renegotiated(&net, 1);
		}
		assert_memory_not_equal(key[0][0].data, key[1][0].data, 32);
	}
	for (int i = 0; i < 4; i++)
		base_secret_done(&key[i / 2][i % 2]);
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

static void loss_at_every_datagram(void **state)
{
	unsigned count = 1;

	for (uintptr_t lost = 0; lost < count; lost++) {
		struct dnet net;

		EACH_WAY(net, NULL)
		{
			net.sent[0] = net.sent[1] = 0;
			net.rule = lose_one;
			net.param = lost;
			(void)dnet_renegotiate(&net, (enum tls_role)by);
			dnet_settle(&net);
			assert_renegotiated(&net, 1);
			count = BASE_MAX(count, net.sent[0] + net.sent[1]);
			net.rule = NULL;
			dnet_assert_talk(&net);
			assert_in_range(count, 3, 40);
		}
	}
}

static void loss_order_and_copies(void **state)
{
	const struct tls_datagram_spec path = { .rto_ms = 700, .patience_ms = 600000 };
	const struct tls_session_spec session = { .datagram = &path };

	for (uintptr_t seed = 1; seed <= 12; seed++) {
		struct dnet net;

		EACH_WAY(net, &session)
		{
			net.rule = dnet_storm;
			net.param = seed;
			net.way_ms = 150;
			(void)dnet_renegotiate(&net, (enum tls_role)by);
			dnet_settle(&net);
			assert_renegotiated(&net, 1);
			net.rule = NULL;
			dnet_assert_talk(&net);
		}
	}
}

static struct dnet_fate nothing(struct dnet *net, enum tls_role from, unsigned index,
                                struct base_str datagram)
{
	(void)net;
	(void)from;
	(void)index;
	(void)datagram;
	return (struct dnet_fate){ 0, 0 };
}

/** A client that gets no answer gives up; a server that is ignored goes on as before. */
static void nobody_answers(void **state)
{
	struct dnet net;

	EACH_WAY(net, NULL)
	{
		struct tls_info info;

		net.rule = nothing;
		(void)dnet_renegotiate(&net, (enum tls_role)by);
		dnet_settle(&net);
		info = dnet_info(&net, (enum tls_role)by);
		assert_in_range(info.repeated, 4, 8);
		assert_in_range(net.now_ms, 1060000, 1062000);
		assert_int_equal(info.lost, by == TLS_ROLE_CLIENT);
		net.rule = NULL;
		if (by == TLS_ROLE_SERVER) {
			assert_int_equal(tls_session_wish(net.session[by]), TLS_WISH_OPEN);
			dnet_assert_talk(&net);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begun_by_either),
		cmocka_unit_test(what_an_engine_cannot_is_told),
		cmocka_unit_test(not_where_it_may_not_be),
		cmocka_unit_test(data_around_it),
		cmocka_unit_test(exported_keys_change),
		cmocka_unit_test(loss_at_every_datagram),
		cmocka_unit_test(loss_order_and_copies),
		cmocka_unit_test(nobody_answers),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
