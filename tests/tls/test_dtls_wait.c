/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A DTLS handshake waits for a CRL (as test_wait.c has it of TLS), while its peer repeats what is
 * not answered (RFC 6347, 4.2.4). Over every pair of engines, both versions, and from both ends.
 */
#include "crls.h"
#include "dnet.h"
#include "pairs.h"
#include "tls/dtls_session.h"
#include "tls/engine.h"

#define URL "http://crl.example/1.crl"

static struct pki ca, entity;
static struct x509_identity *identity;

struct stage {
	struct crls crls;
	struct dnet net;
	struct tls_datagram_spec path;
	enum tls_role judge;
};

static void stage_begin(struct stage *s, struct lab_sides *sides, const char *profile,
                        enum tls_role judge)
{
	struct tls_domain_spec spec[2];
	struct tls_session_spec session = { .may_wait = true, .datagram = &s->path };

	*s = (struct stage){ .judge = judge, .path = { .patience_ms = 90000 } };
	crls_begin(&s->crls, &ca);
	for (int role = 0; role < 2; role++) {
		spec[role] = lab_spec(sides, (enum tls_role)role, profile);
		spec[role].identity = identity;
		spec[role].trust = s->crls.store;
	}
	if (judge == TLS_ROLE_SERVER) {
		spec[TLS_ROLE_SERVER].client_auth = TLS_CLIENT_AUTH_REQUIRE;
		spec[TLS_ROLE_SERVER].client_methods = TRUST_CA;
	} else {
		spec[TLS_ROLE_CLIENT].server_methods = TRUST_CA;
	}
	dnet_open(&s->net, &spec[TLS_ROLE_SERVER], &spec[TLS_ROLE_CLIENT], &session, &session);
}

static void stage_end(struct stage *s)
{
	s->net.rule = NULL;
	dnet_close(&s->net);
	crls_end(&s->crls);
}

/** Until it waits; then for so long. It says nothing, whatever the peer repeats. */
static void waits(struct stage *s, uint64_t for_ms)
{
	struct tls_session *judge = s->net.session[s->judge];
	uint32_t repeated;
	unsigned sent;

	while (!tls_session_waits(judge) && s->net.result[s->judge] != 0 &&
	       base_err_class(s->net.result[s->judge]) == BASE_AGAIN)
		dnet_run(&s->net, s->net.now_ms + 5);
	if (!tls_session_waits(judge))
		fail_msg("%s", dnet_info(&s->net, s->judge).failure);
	assert_string_equal(tls_session_waits(judge), URL);
	assert_int_equal(tls_session_deadline(judge), UINT64_MAX);
	sent = s->net.sent[s->judge];
	repeated = dnet_info(&s->net, s->judge).repeated;
	dnet_run(&s->net, s->net.now_ms + for_ms);
	assert_int_equal(s->net.sent[s->judge], sent);
	assert_int_equal(dnet_info(&s->net, s->judge).repeated, repeated);
	assert_non_null(tls_session_waits(judge));
	assert_false(dnet_info(&s->net, s->judge).established);
	assert_int_equal(base_err_class(s->net.result[1 - s->judge]), BASE_AGAIN);
}

static void arrives(struct stage *s, const char *why, bool last)
{
	tls_session_arrived(s->net.session[s->judge], why, last);
	assert_int_equal(tls_session_deadline(s->net.session[s->judge]), 0);
	dnet_settle(&s->net);
}

static void refused(struct stage *s, int alert, enum trust_reason reason, const char *words)
{
	struct tls_info info = dnet_info(&s->net, s->judge);

	assert_int_equal(info.verdict.reason, reason);
	assert_non_null(strstr(info.failure, words));
	assert_int_equal(info.alert, alert);
	assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
	assert_false(info.lost);
	info = dnet_info(&s->net, 1 - s->judge);
	assert_false(info.established);
	assert_int_equal(info.alert, alert);
	assert_int_equal(info.alert_side, TLS_SIDE_REMOTE);
}

static const struct {
	const char *profile;
	enum tls_role judge;
} ways[] = { { "dtls12", TLS_ROLE_SERVER },
	     { "dtls12", TLS_ROLE_CLIENT },
	     { "dtls10", TLS_ROLE_SERVER },
	     { "dtls10", TLS_ROLE_CLIENT } };

#define EACH_WAY(s)                                                                                \
	for (size_t way_ = 0;                                                                      \
	     way_ < BASE_COUNT(ways) &&                                                            \
	     (stage_begin(&(s), *state, ways[way_].profile, ways[way_].judge), 1);                 \
	     way_++, stage_end(&(s)))

/** At once, and after the peer has repeated itself five times: it is up in no more than the flights
 * that were to come take. */
static void it_comes_and_is_good(void **state)
{
	static const uint64_t after_ms[] = { 0, 500, 40000 };
	struct stage s;

	for (size_t i = 0; i < BASE_COUNT(after_ms); i++)
		EACH_WAY(s)
		{
			uint64_t came_ms;

			waits(&s, after_ms[i]);
			crls_come(&s.crls, NULL);
			came_ms = s.net.now_ms;
			arrives(&s, NULL, false);
			dnet_assert_up(&s.net);
			assert_in_range(s.net.now_ms - came_ms, 0, 4 * s.net.way_ms);
			assert_true(dnet_info(&s.net, s.judge).verdict.authenticated);
			assert_int_equal(dnet_info(&s.net, s.judge).repeated, 0);
			dnet_assert_talk(&s.net);
		}
}

static void it_comes_and_condemns(void **state)
{
	struct stage s;

	EACH_WAY(s)
	{
		waits(&s, 4000);
		crls_come(&s.crls, entity.cert);
		arrives(&s, NULL, false);
		refused(&s, 44, TRUST_REVOKED, "revoked");
	}
}

static void it_does_not_come(void **state)
{
	struct stage s;

	EACH_WAY(s)
	{
		waits(&s, 4000);
		arrives(&s, "nobody there", true);
		refused(&s, 46, TRUST_CRL_MISSING, "not fetched: nobody there");
	}
}

/** All is lost until then. */
static struct dnet_fate nothing_until(struct dnet *net, enum tls_role from, unsigned index,
                                      struct base_str datagram)
{
	(void)from;
	(void)datagram;
	(void)index;
	return (struct dnet_fate){ net->now_ms < net->param ? 0 : 1, 0 };
}

/** Time stands still for the one that waits: it waits for longer than it has patience, and then
 * still repeats what got lost. */
static void our_patience_stands_still(void **state)
{
	struct stage s;

	EACH_WAY(s)
	{
		s.net.session[s.judge]->dtls->patience_ms = 5000;
		waits(&s, 40000);
		crls_come(&s.crls, NULL);
		s.net.rule = nothing_until;
		s.net.param = s.net.now_ms + 500;
		arrives(&s, NULL, false);
		dnet_assert_up(&s.net);
		dnet_assert_talk(&s.net);
	}
}

static void on_a_bad_path(void **state)
{
	struct stage s;

	for (uintptr_t seed = 1; seed <= 12; seed++)
		EACH_WAY(s)
		{
			s.net.rule = dnet_storm;
			s.net.param = seed;
			s.net.way_ms = 50;
			while (!tls_session_waits(s.net.session[s.judge]))
				dnet_run(&s.net, s.net.now_ms + 5);
			dnet_run(&s.net, s.net.now_ms + 3000);
			crls_come(&s.crls, NULL);
			arrives(&s, NULL, false);
			dnet_assert_up(&s.net);
			s.net.rule = NULL;
			dnet_assert_talk(&s.net);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_and_is_good), cmocka_unit_test(it_comes_and_condemns),
		cmocka_unit_test(it_does_not_come),     cmocka_unit_test(our_patience_stands_still),
		cmocka_unit_test(on_a_bad_path),
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
