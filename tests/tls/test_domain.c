/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a domain decides at start-up: engine, gaps, offers, and what it refuses. */
#include "lab.h"

static struct tls_domain *made(const struct tls_domain_spec *spec)
{
	struct tls_domain *domain;
	struct base_error err = { 0 };

	if (tls_domain_new(&domain, spec, &err))
		fail_msg("%s", err.text);
	return domain;
}

static void refused(const struct tls_domain_spec *spec, const char *word)
{
	struct tls_domain *domain = NULL;
	struct base_error err = { 0 };

	assert_int_equal(base_err_class(tls_domain_new(&domain, spec, &err)), BASE_CONFIG);
	assert_null(domain);
	if (!strstr(err.text, word))
		fail_msg("'%s' is not told in: %s", word, err.text);
}

/** 3DES is a "shall" that only GnuTLS meets (TS 33.203, O.2.1); OpenSSL, if forced, says so. */
static void engine_by_profile(void **state)
{
	struct lab_sides sides = { *state, TLS_ENGINE_AUTO, TLS_ENGINE_AUTO };
	struct tls_domain_spec spec = lab_spec(&sides, TLS_ROLE_SERVER, "triple");
	const struct tls_gap *gap;
	struct tls_domain *domain;
	size_t count;

	spec.identity = sides.lab->server_rsa;
	spec.engine = TLS_ENGINE_OPENSSL;
	domain = made(&spec);
	assert_int_equal(tls_domain_engine(domain), TLS_ENGINE_OPENSSL);
	gap = tls_domain_gaps(domain, &count);
	assert_true(count >= 1);
	assert_int_equal(gap[0].strength, PROFILE_SHALL);
	assert_non_null(strstr(gap[0].text, "3DES"));
	assert_non_null(gap[0].rule);
	assert_int_equal(tls_domain_suites(domain, &count)[0], 0x002f);
	assert_int_equal(count, 1);
	tls_domain_unref(domain);
	if (!tls_engine_caps(TLS_ENGINE_GNUTLS)) {
		print_message("left out: this build has no gnutls\n");
		return;
	}
	spec.engine = TLS_ENGINE_AUTO;
	domain = made(&spec);
	assert_int_equal(tls_domain_engine(domain), TLS_ENGINE_GNUTLS);
	(void)tls_domain_gaps(domain, &count);
	assert_int_equal(count, 0);
	tls_domain_unref(domain);
	/* Where both can, the cheaper one. */
	spec.profile = lab_profile(sides.lab, "modern");
	domain = made(&spec);
	assert_int_equal(tls_domain_engine(domain), TLS_ENGINE_GNUTLS);
	tls_domain_unref(domain);
}

/** The suites of a client's first flight, the signalling one of RFC 5746 left out. */
static size_t hello_suites(struct tls_domain *domain, uint16_t *ret, size_t cap)
{
	const struct tls_session_spec spec = { .role = TLS_ROLE_CLIENT };
	struct base_writer out = { 0 };
	struct tls_io io = { .out = &out };
	struct tls_context *context;
	struct tls_session *session;
	struct base_reader r, list;
	size_t count = 0;

	assert_int_equal(tls_context_new(&context, domain, NULL), 0);
	assert_int_equal(tls_session_new(&session, context, &spec), 0);
	assert_int_equal(base_err_class(tls_session_handshake(session, &io)), BASE_AGAIN);
	r = base_reader_of(out.data, out.len);
	(void)base_reader_take(&r, 5 + 4 + 2 + 32); /* record, message, version, random */
	(void)base_reader_take(&r, base_reader_u8(&r));
	list = base_reader_sub(&r, base_reader_u16(&r));
	assert_false(r.failed);
	while (base_reader_left(&list)) {
		uint16_t suite = base_reader_u16(&list);

		assert_true(count < cap);
		if (suite != 0x00ff)
			ret[count++] = suite;
	}
	tls_session_free(session);
	tls_context_free(context);
	base_writer_done(&out);
	return count;
}

/** GnuTLS's client offers every product of what it is given; where that is more than the profile
 * lists, `auto` gives clients to the engine that offers the list. */
static void clients_offer_the_list(void **state)
{
	static const struct {
		const char *profile;
		enum tls_engine client;
	} cases[] = {
		{ "modern", TLS_ENGINE_OPENSSL },
		{ "again", TLS_ENGINE_GNUTLS },
		{ "mixed", TLS_ENGINE_OPENSSL },
		{ "crossed", TLS_ENGINE_OPENSSL },
		/* only GnuTLS has 3DES, and offers nothing besides the list */
		{ "triple", TLS_ENGINE_GNUTLS },
	};

	if (!tls_engine_caps(TLS_ENGINE_GNUTLS))
		return;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct lab_sides sides = { *state, TLS_ENGINE_AUTO, TLS_ENGINE_AUTO };
		struct tls_domain_spec spec = lab_spec(&sides, TLS_ROLE_CLIENT, cases[i].profile);
		struct tls_domain *domain = made(&spec);
		const uint16_t *suites;
		uint16_t offered[64];
		size_t count, got;

		assert_int_equal(tls_domain_engine(domain), TLS_ENGINE_GNUTLS);
		assert_int_equal(tls_domain_client_engine(domain), cases[i].client);
		suites = tls_domain_suites(domain, &count);
		got = hello_suites(domain, offered, BASE_COUNT(offered));
		assert_int_equal(got, count);
		for (size_t k = 0; k < got; k++) {
			bool listed = false;

			for (size_t n = 0; n < count; n++)
				listed |= suites[n] == offered[k];
			if (!listed)
				fail_msg("%s: 0x%04x is offered", cases[i].profile, offered[k]);
		}
		tls_domain_unref(domain);
		/* Whoever names an engine has it. */
		spec.engine = TLS_ENGINE_GNUTLS;
		domain = made(&spec);
		assert_int_equal(tls_domain_client_engine(domain), TLS_ENGINE_GNUTLS);
		tls_domain_unref(domain);
	}
}

static void offers(void **state)
{
	struct lab_sides sides = { *state, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL };
	struct tls_domain_spec spec = lab_spec(&sides, TLS_ROLE_SERVER, "modern");
	struct tls_domain *domain = made(&spec);
	static const uint16_t expected[] = { 0x1301, 0x1302, 0xc02b, 0xc02f };
	const uint16_t *suites;
	uint16_t min, max;
	size_t count;

	suites = tls_domain_suites(domain, &count);
	assert_int_equal(count, BASE_COUNT(expected));
	assert_memory_equal(suites, expected, sizeof(expected));
	tls_domain_versions(domain, &min, &max);
	assert_int_equal(min, 0x0303);
	assert_int_equal(max, 0x0304);
	assert_string_equal(tls_domain_name(domain), "server");
	assert_string_equal(tls_domain_profile(domain)->name, "modern");
	assert_ptr_equal(tls_domain_settings(domain)->profile, tls_domain_profile(domain));
	tls_domain_unref(domain);
}

static void refusals(void **state)
{
	struct lab_sides sides = { *state, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL };
	struct tls_domain_spec spec = lab_spec(&sides, TLS_ROLE_SERVER, "never-ask");
	char longest[130];
	struct tls_psk psk;

	spec.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	spec.client_methods = TRUST_CA;
	refused(&spec, "X6");
	spec.client_auth = TLS_CLIENT_AUTH_NONE;
	spec.profile = lab_profile(sides.lab, "only-triple");
	refused(&spec, "3DES");
	spec.profile = lab_profile(sides.lab, "psk");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	psk = lab_psk(longest, "0123456789abcdef");
	spec.psks = &psk;
	spec.psk_count = 1;
	refused(&spec, "4279");
	psk = lab_psk("name", "");
	refused(&spec, "4279");
	psk = lab_psk("name", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX");
	refused(&spec, "4279");
	psk = lab_psk("name", "0123456789abcdef");
	spec.psk_hint = longest;
	refused(&spec, "hint");
}

/** A domain without a certificate makes one when its fingerprint is asked for, and shows it. */
static void fingerprint_on_demand(void **state)
{
	struct lab_sides sides = { *state, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL };
	struct tls_domain_spec s = lab_spec(&sides, TLS_ROLE_SERVER, "modern");
	struct tls_domain_spec c = lab_spec(&sides, TLS_ROLE_CLIENT, "modern");
	struct x509_fingerprint first, again;
	struct tls_session_spec cs = { .role = TLS_ROLE_CLIENT,
		                       .fingerprints = &first,
		                       .fingerprint_count = 1 };
	struct lab_pair pair;

	s.identity = NULL;
	c.server_methods = TRUST_FINGERPRINT;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	assert_int_not_equal(pair.result[TLS_ROLE_SERVER], 0);
	assert_int_equal(tls_domain_fingerprint(pair.domain[TLS_ROLE_SERVER], &first), 0);
	assert_int_equal(tls_domain_fingerprint(pair.domain[TLS_ROLE_SERVER], &again), 0);
	assert_true(x509_fingerprint_equal(&first, &again));
	assert_int_equal(first.hash, X509_HASH_SHA256);
	lab_pair_again(&pair, NULL, &cs); /* the same contexts */
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_true(lab_info(&pair, TLS_ROLE_CLIENT).verdict.authenticated);
	lab_pair_close(&pair);
}

static void session_specs(void **state)
{
	struct lab_sides sides = { *state, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL };
	struct tls_domain_spec spec = lab_spec(&sides, TLS_ROLE_SERVER, "psk");
	const struct tls_psk bad = { .identity = { "a\0b", 3 },
		                     .key = { (uint8_t *)(uintptr_t) "key", 3 } };
	struct tls_session_spec session_spec = { .role = TLS_ROLE_SERVER,
		                                 .psks = &bad,
		                                 .psk_count = 1 };
	struct tls_domain *domain = made(&spec);
	struct tls_session *session = NULL;
	struct tls_context *context;

	assert_int_equal(tls_context_new(&context, domain, NULL), 0);
	assert_int_equal(base_err_class(tls_session_new(&session, context, &session_spec)),
	                 BASE_CONFIG);
	assert_null(session);
	tls_context_free(context);
	tls_domain_unref(domain);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(tls_alert_name(0), "close_notify");
	assert_string_equal(tls_alert_name(40), "handshake_failure");
	assert_string_equal(tls_alert_name(115), "unknown_psk_identity");
	assert_string_equal(tls_alert_name(255), "unknown");
	assert_string_equal(tls_alert_name(-1), "unknown");
	assert_string_equal(tls_engine_name(TLS_ENGINE_OPENSSL), "openssl");
	assert_null(tls_engine_caps(TLS_ENGINE_AUTO));
}

static bool tells(const struct tls_domain *domain, const char *words)
{
	size_t count;
	const struct tls_gap *gap = tls_domain_gaps(domain, &count);

	for (size_t i = 0; i < count; i++)
		if (strstr(gap[i].text, words))
			return true;
	return false;
}

/** GnuTLS's servers cannot ask for a renegotiation of datagrams, and say so where one is wanted. */
static void who_cannot_ask_over_datagrams(void **state)
{
	static const char words[] = "as server, asked for over DTLS (RFC 6347, 4.2.4)";
	static const struct {
		const char *profile;
		enum profile_choice by_server;
		bool told; /* by GnuTLS */
	} cases[] = {
		{ "dtls12", PROFILE_CHOICE_YES, true },
		{ "dtls12", PROFILE_CHOICE_NO, false },
		{ "tls12", PROFILE_CHOICE_YES, false },
	};
	struct lab_sides sides = { *state, TLS_ENGINE_AUTO, TLS_ENGINE_AUTO };

	if (!tls_engine_caps(TLS_ENGINE_GNUTLS)) {
		print_message("left out: this build has no gnutls\n");
		return;
	}
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct tls_domain_spec spec = lab_spec(&sides, TLS_ROLE_SERVER, cases[i].profile);
		struct tls_domain *domain;

		spec.by_server = cases[i].by_server;
		spec.engine = TLS_ENGINE_GNUTLS;
		domain = made(&spec);
		assert_int_equal(tells(domain, words), cases[i].told);
		tls_domain_unref(domain);
		spec.engine = TLS_ENGINE_OPENSSL;
		domain = made(&spec);
		assert_false(tells(domain, words));
		tls_domain_unref(domain);
	}
}

/**
 * Where clients may renegotiate, `auto` takes the engine whose servers take data meanwhile; unless
 * a "shall" needs the other one, which then tells what it lacks, by clause (RFC 5246, 7.4.1.1).
 */
static void engine_by_renegotiation(void **state)
{
	static const char words[] = "with data in its midst (RFC 5246, 7.4.1.1)";
	static const struct {
		const char *profile;
		enum profile_choice by_client, by_server;
		const char *told; /* by OpenSSL; NULL = nothing */
	} cases[] = {
		{ "again", 0, 0, "(laboratory 1 [X8, P])" },
		{ "only-ours", 0, 0, "(laboratory 1 [X8, P])" },
		{ "tls12", PROFILE_CHOICE_YES, 0, "(the TLS domain's own choice)" },
		{ "tls12", 0, PROFILE_CHOICE_YES, "(the TLS domain's own choice)" },
		{ "tls12", 0, 0, NULL },
		{ "both", PROFILE_CHOICE_NO, PROFILE_CHOICE_NO, NULL },
		{ "tls13", PROFILE_CHOICE_YES, 0, NULL },
	};
	struct lab_sides sides = { *state, TLS_ENGINE_AUTO, TLS_ENGINE_AUTO };
	struct tls_domain_spec spec;
	struct tls_domain *domain;

	if (!tls_engine_caps(TLS_ENGINE_GNUTLS)) {
		print_message("left out: this build has no gnutls\n");
		return;
	}
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		spec = lab_spec(&sides, TLS_ROLE_SERVER, cases[i].profile);
		spec.by_client = cases[i].by_client;
		spec.by_server = cases[i].by_server;
		spec.engine = TLS_ENGINE_OPENSSL;
		domain = made(&spec);
		assert_int_equal(tells(domain, words), cases[i].told != NULL);
		if (cases[i].told)
			assert_true(tells(domain, cases[i].told));
		tls_domain_unref(domain);
		spec.engine = TLS_ENGINE_AUTO;
		domain = made(&spec);
		assert_int_equal(tls_domain_engine(domain), TLS_ENGINE_GNUTLS);
		assert_false(tells(domain, words));
		tls_domain_unref(domain);
	}
	spec = lab_spec(&sides, TLS_ROLE_SERVER, "both-brainpool");
	spec.engine = TLS_ENGINE_AUTO;
	domain = made(&spec);
	assert_int_equal(tls_domain_engine(domain), TLS_ENGINE_OPENSSL);
	assert_true(tells(domain, words));
	tls_domain_unref(domain);
}

int main(void)
{
	struct lab *lab = lab_new();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(engine_by_profile, lab),
		cmocka_unit_test_prestate(engine_by_renegotiation, lab),
		cmocka_unit_test_prestate(who_cannot_ask_over_datagrams, lab),
		cmocka_unit_test_prestate(clients_offer_the_list, lab),
		cmocka_unit_test_prestate(offers, lab),
		cmocka_unit_test_prestate(refusals, lab),
		cmocka_unit_test_prestate(fingerprint_on_demand, lab),
		cmocka_unit_test_prestate(session_specs, lab),
		cmocka_unit_test(names),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	lab_free(lab);
	return failed;
}
