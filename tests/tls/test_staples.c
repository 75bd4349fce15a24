/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What our servers staple (RFC 6066, 8; RFC 8446, 4.4.2.1), over every pair of engines, TLS 1.2 and
 * 1.3: the client has no CRL and asks for one, so nothing but the staple lets the server in.
 */
#include <openssl/ocsp.h>
#include <time.h>

#include "../pki.h"
#include "dnet.h"
#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"

#define FIRST  "first.example"
#define SECOND "second.example"

static struct pki ca, entity[2];
static struct x509_identity *identity[2];
static struct base_str der[2]; /* good, of each */
static struct trust_store *asking, *lenient;

static const char *const profiles[] = { "tls12", "tls13" };

static struct trust_store *store_make(const char *anchor, bool staples)
{
	const struct trust_store_files files = { .anchors = (const char *[]){ anchor, NULL },
		                                 .crl_required = staples,
		                                 .ocsp_staples = staples };
	struct trust_store *store;

	assert_int_equal(trust_store_load(&store, &files, NULL), 0);
	return store;
}

static void world_open(void)
{
	static const char *const names[] = { FIRST, SECOND };
	char *dir = pki_dir_new(), *anchor;

	ca = pki_ca("CA");
	for (int i = 0; i < 2; i++) {
		entity[i] = pki_make(
		        &(struct pki_spec){ .cn = names[i], .dns = names[i], .issuer = &ca });
		identity[i] = pki_identity(&entity[i], (const struct pki *const[]){ NULL });
		der[i] = pki_staple(&ca, &ca, entity[i].cert, V_OCSP_CERTSTATUS_GOOD, -3600,
		                    PKI_DAY);
	}
	anchor = pki_write_certs(dir, "ca", (X509 *[]){ ca.cert, NULL });
	asking = store_make(anchor, true);
	lenient = store_make(anchor, false);
	free(anchor);
	pki_dir_remove(dir);
}

static void world_close(void)
{
	for (int i = 0; i < 2; i++) {
		pki_free(&entity[i]);
		x509_identity_unref(identity[i]);
		pki_der_free(&der[i]);
	}
	pki_free(&ca);
	trust_store_unref(asking);
	trust_store_unref(lenient);
}

static struct tls_staple staple_of(int i, long from_now_s)
{
	return (struct tls_staple){ .der = der[i], .until_s = (int64_t)time(NULL) + from_now_s };
}

/* A client that asks for the name, at a server with both certificates; @return what it finds. */
static enum trust_reason visit(const struct lab_sides *sides, const char *profile,
                               const struct tls_staple *staples, const char *name,
                               struct trust_store *trust)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile),
	                       c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	const struct tls_session_spec server = { .role = TLS_ROLE_SERVER };
	const struct tls_session_spec client = { .role = TLS_ROLE_CLIENT,
		                                 .server_name = name,
		                                 .peer_name = name };
	struct lab_pair pair;
	struct tls_info info;

	s.identity = identity[0];
	s.more = &identity[1];
	s.more_count = name ? 1 : 0; /* without names a domain of one certificate */
	s.staples = staples;
	c.identity = NULL;
	c.trust = trust;
	c.server_methods = TRUST_CA;
	lab_pair_open(&pair, &s, &c, &server, &client);
	lab_pair_shake(&pair);
	info = lab_info(&pair, TLS_ROLE_CLIENT);
	if (info.verdict.reason == TRUST_OK)
		lab_assert_up(&pair);
	else
		assert_false(info.established);
	lab_pair_close(&pair);
	return info.verdict.reason;
}

static void it_stands_in_for_a_crl(void **state)
{
	const struct tls_staple staples[2] = { staple_of(0, 60), staple_of(1, 60) },
	                        none[2] = { 0 };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		assert_int_equal(visit(*state, profiles[i], staples, NULL, asking), TRUST_OK);
		assert_int_equal(visit(*state, profiles[i], none, NULL, asking), TRUST_CRL_MISSING);
		assert_int_equal(visit(*state, profiles[i], NULL, NULL, asking), TRUST_CRL_MISSING);
	}
}

static void each_certificate_has_its_own(void **state)
{
	const struct tls_staple staples[2] = { staple_of(0, 60), staple_of(1, 60) },
	                        second[2] = { { { 0 } }, staple_of(1, 60) };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		assert_int_equal(visit(*state, profiles[i], staples, FIRST, asking), TRUST_OK);
		assert_int_equal(visit(*state, profiles[i], staples, SECOND, asking), TRUST_OK);
		assert_int_equal(visit(*state, profiles[i], second, FIRST, asking),
		                 TRUST_CRL_MISSING);
		assert_int_equal(visit(*state, profiles[i], second, SECOND, asking), TRUST_OK);
	}
}

/* A client that has not asked would end the handshake over an extension that it does not know of
 * (RFC 5246, 7.4.1.4; RFC 8446, 4.2). */
static void who_does_not_ask_gets_none(void **state)
{
	const struct tls_staple staples[2] = { staple_of(0, 60), staple_of(1, 60) };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		assert_int_equal(visit(*state, profiles[i], staples, NULL, lenient), TRUST_OK);
		assert_int_equal(visit(*state, profiles[i], staples, SECOND, lenient), TRUST_OK);
	}
}

static void past_its_date_it_is_not_sent(void **state)
{
	const struct tls_staple staples[2] = { staple_of(0, -1), staple_of(1, 60) };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		assert_int_equal(visit(*state, profiles[i], staples, FIRST, lenient), TRUST_OK);
		assert_int_equal(visit(*state, profiles[i], staples, FIRST, asking),
		                 TRUST_CRL_MISSING);
		assert_int_equal(visit(*state, profiles[i], staples, NULL, asking),
		                 TRUST_CRL_MISSING);
		assert_int_equal(visit(*state, profiles[i], staples, SECOND, asking), TRUST_OK);
	}
}

static void of_datagrams(void **state)
{
	for (int sent = 0; sent < 2; sent++) {
		const struct tls_staple staple = staple_of(0, sent ? 60 : -1);
		struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "dtls12"),
		                       c = lab_spec(*state, TLS_ROLE_CLIENT, "dtls12");
		struct dnet net;

		s.identity = identity[0];
		s.staples = &staple;
		c.trust = asking;
		c.server_methods = TRUST_CA;
		dnet_open(&net, &s, &c, NULL, NULL);
		dnet_shake(&net);
		assert_int_equal(dnet_info(&net, TLS_ROLE_CLIENT).verdict.reason,
		                 sent ? TRUST_OK : TRUST_CRL_MISSING);
		if (sent)
			dnet_assert_up(&net);
		dnet_close(&net);
	}
}

static void until_its_date(void **state)
{
	const struct tls_staple staples[2] = { { .der = der[0], .until_s = 1000 },
		                               { .der = der[1], .until_s = 2000 } };
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "tls12");
	struct tls_domain *domain;
	struct base_error err = { 0 };
	int64_t until_s;

	spec.identity = identity[0];
	spec.more = &identity[1];
	spec.more_count = 1;
	spec.staples = staples;
	if (tls_domain_new(&domain, &spec, &err))
		fail_msg("%s", err.text);
	assert_int_equal(tls_staple_find(domain, identity[0]->cert, 999).len, der[0].len);
	assert_int_equal(tls_staple_find(domain, identity[0]->cert, 1000).len, 0);
	assert_int_equal(tls_staple_find(domain, identity[1]->cert, 1000).len, der[1].len);
	assert_int_equal(tls_staple_find(domain, identity[1]->cert, 2000).len, 0);
	assert_int_equal(tls_staple_find(domain, ca.cert, 0).len, 0);
	assert_int_equal(tls_staple_find(domain, NULL, 0).len, 0);
	assert_true(tls_domain_staple_until(domain, 1, &until_s));
	assert_int_equal(until_s, 2000);
	assert_false(tls_domain_staple_until(domain, 2, &until_s));
	tls_domain_unref(domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_stands_in_for_a_crl),
		cmocka_unit_test(each_certificate_has_its_own),
		cmocka_unit_test(who_does_not_ask_gets_none),
		cmocka_unit_test(past_its_date_it_is_not_sent),
		cmocka_unit_test(of_datagrams),
		cmocka_unit_test(until_its_date),
	};
	int failed;

	world_open();
	failed = pairs_run(tests, BASE_COUNT(tests));
	world_close();
	return failed;
}
