/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A handshake waits for a CRL whose address a certificate tells; and a ticket of a peer that was
 * revoked meanwhile. Over every pair of engines, TLS 1.2 and 1.3, and from both ends.
 */
#include <dirent.h>
#include <unistd.h>

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "crls.h"
#include "foreign.h"
#include "lab.h"
#include "pairs.h"

#define URL "http://crl.example/1.crl"

static struct pki ca, entity, hostile;
static struct x509_identity *identity, *injected;

struct stage {
	struct crls crls;
	struct tls_domain_spec spec[2];
	struct lab_pair pair;
	enum tls_role judge;
};

static void stage_begin(struct stage *s, struct lab_sides *sides, const char *profile,
                        enum tls_role judge)
{
	*s = (struct stage){ .judge = judge };
	crls_begin(&s->crls, &ca);
	for (int role = 0; role < 2; role++) {
		s->spec[role] = lab_spec(sides, (enum tls_role)role, profile);
		s->spec[role].identity = identity;
		s->spec[role].trust = s->crls.store;
	}
	if (judge == TLS_ROLE_SERVER) {
		s->spec[TLS_ROLE_SERVER].client_auth = TLS_CLIENT_AUTH_REQUIRE;
		s->spec[TLS_ROLE_SERVER].client_methods = TRUST_CA;
	} else {
		s->spec[TLS_ROLE_CLIENT].server_methods = TRUST_CA;
	}
}

static void stage_open(struct stage *s, bool may_wait)
{
	const struct tls_session_spec session[2] = {
		{ .role = TLS_ROLE_CLIENT,
		  .may_wait = may_wait,
		  .resume_key = s->judge == TLS_ROLE_CLIENT ? "peer" : NULL },
		{ .role = TLS_ROLE_SERVER, .may_wait = may_wait },
	};

	if (s->pair.domain[0])
		lab_pair_again(&s->pair, &session[TLS_ROLE_SERVER], &session[TLS_ROLE_CLIENT]);
	else
		lab_pair_open(&s->pair, &s->spec[TLS_ROLE_SERVER], &s->spec[TLS_ROLE_CLIENT],
		              &session[TLS_ROLE_SERVER], &session[TLS_ROLE_CLIENT]);
	lab_pair_shake(&s->pair);
}

static void stage_end(struct stage *s)
{
	if (s->pair.domain[0])
		lab_pair_close(&s->pair);
	crls_end(&s->crls);
}

/* The judge waits, and the other one has not been told that all is well. */
static void waits(struct stage *s)
{
	struct tls_session *judge = s->pair.session[s->judge];

	if (!tls_session_waits(judge))
		print_message("%s\n", lab_info(&s->pair, s->judge).failure);
	assert_non_null(tls_session_waits(judge));
	assert_string_equal(tls_session_waits(judge), URL);
	assert_int_equal(base_err_class(s->pair.result[s->judge]), BASE_AGAIN);
	assert_false(lab_info(&s->pair, s->judge).established);
	if (s->judge == TLS_ROLE_CLIENT)
		assert_false(lab_info(&s->pair, TLS_ROLE_SERVER).established);
}

static void refused(struct stage *s, int alert, enum trust_reason reason, const char *words)
{
	struct tls_info info = lab_info(&s->pair, s->judge);

	assert_null(tls_session_waits(s->pair.session[s->judge]));
	if (info.verdict.reason != reason || !strstr(info.failure, words))
		print_message("%s: %s\n", trust_reason_name(info.verdict.reason), info.failure);
	assert_int_equal(s->pair.result[s->judge], BASE_ERR(BASE_PEER, alert));
	assert_int_equal(info.verdict.reason, reason);
	assert_non_null(strstr(info.failure, words));
	assert_int_equal(info.alert, alert);
	assert_int_equal(s->pair.result[1 - s->judge], BASE_ERR(BASE_PEER, alert));
	assert_int_equal(lab_info(&s->pair, 1 - s->judge).alert_side, TLS_SIDE_REMOTE);
}

static void arrives(struct stage *s, const char *why, bool last)
{
	tls_session_arrived(s->pair.session[s->judge], why, last);
	lab_pair_shake(&s->pair);
}

static const struct {
	const char *profile;
	enum tls_role judge;
} ways[] = { { "tls12", TLS_ROLE_SERVER },
	     { "tls12", TLS_ROLE_CLIENT },
	     { "tls13", TLS_ROLE_SERVER },
	     { "tls13", TLS_ROLE_CLIENT } };

#define EACH_WAY(s)                                                                                \
	for (size_t way_ = 0;                                                                      \
	     way_ < BASE_COUNT(ways) &&                                                            \
	     (stage_begin(&(s), *state, ways[way_].profile, ways[way_].judge), 1);                 \
	     way_++, stage_end(&(s)))

static void it_comes_and_is_good(void **state)
{
	struct stage s;

	EACH_WAY(s)
	{
		stage_open(&s, true);
		waits(&s);
		lab_pair_shake(&s.pair); /* whatever moves, it waits */
		waits(&s);
		crls_come(&s.crls, NULL);
		arrives(&s, NULL, false);
		lab_assert_up(&s.pair);
		assert_true(lab_info(&s.pair, s.judge).verdict.authenticated);
		lab_pair_send(&s.pair, TLS_ROLE_CLIENT, "to and", 6);
		lab_pair_send(&s.pair, TLS_ROLE_SERVER, "fro", 3);
	}
}

static void it_comes_and_condemns(void **state)
{
	struct stage s;

	EACH_WAY(s)
	{
		stage_open(&s, true);
		waits(&s);
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
		stage_open(&s, true);
		waits(&s);
		arrives(&s, "nobody there", false);
		refused(&s, 46, TRUST_CRL_MISSING, "not fetched: nobody there");
	}
}

/* As before: whose caller does not wait, and what nothing that comes could make good. */
static void who_does_not_wait(void **state)
{
	struct stage s;

	EACH_WAY(s)
	{
		stage_open(&s, false);
		refused(&s, 46, TRUST_CRL_MISSING, "no CRL");
	}
	EACH_WAY(s)
	{
		s.spec[1 - s.judge].identity = injected;
		stage_open(&s, true);
		refused(&s, 46, TRUST_CRL_MISSING, "no CRL");
	}
	EACH_WAY(s)
	{
		struct lab_sides *sides = *state;

		s.spec[s.judge].trust = sides->lab->trust; /* another CA: not even asked for */
		stage_open(&s, true);
		refused(&s, 48, TRUST_UNKNOWN_CA, "no trusted issuer");
	}
}

/* The flight in which it begins to wait comes octet by octet. */
static void in_pieces(void **state)
{
	struct stage s;

	EACH_WAY(s)
	{
		for (int good = 1; good >= 0; good--) {
			struct tls_session_spec spec[2] = {
				{ .role = TLS_ROLE_CLIENT, .may_wait = true },
				{ .role = TLS_ROLE_SERVER, .may_wait = true }
			};

			if (!s.pair.domain[0])
				lab_pair_open(&s.pair, &s.spec[TLS_ROLE_SERVER],
				              &s.spec[TLS_ROLE_CLIENT], &spec[1], &spec[0]);
			else
				lab_pair_again(&s.pair, &spec[1], &spec[0]);
			s.pair.chunk = 1;
			if (good) {
				lab_pair_shake(&s.pair);
				waits(&s);
				crls_come(&s.crls, NULL);
				arrives(&s, NULL, false);
				lab_assert_up(&s.pair);
			} else {
				char *name = pki_path(s.crls.cache, "none");
				DIR *d = opendir(s.crls.cache);

				for (struct dirent *e = readdir(d); e; e = readdir(d))
					if (strstr(e->d_name, ".crlx"))
						(void)unlinkat(dirfd(d), e->d_name, 0);
				(void)closedir(d);
				free(name);
				assert_int_equal(
				        trust_cache_refresh(trust_store_cache(s.crls.store)), 1);
				lab_pair_shake(&s.pair);
				waits(&s);
				arrives(&s, "too late", true);
				refused(&s, 46, TRUST_CRL_MISSING, "too late");
			}
		}
	}
}

/* A ticket rests on what its session did. */
static void tickets_of_the_revoked(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };
	struct stage s;
	uint8_t scrap[64];
	size_t n;

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		stage_begin(&s, *state, profiles[i], TLS_ROLE_CLIENT);
		crls_come(&s.crls, NULL);
		for (int round = 0; round < 3; round++) {
			if (round == 2)
				crls_come(&s.crls, entity.cert);
			stage_open(&s, true);
			if (round == 2) {
				refused(&s, 44, TRUST_REVOKED, "revoked");
				break;
			}
			lab_assert_up(&s.pair);
			(void)lab_pair_read(&s.pair, TLS_ROLE_CLIENT, scrap, sizeof(scrap), &n);
			assert_int_equal(lab_info(&s.pair, TLS_ROLE_CLIENT).resumed, round == 1);
			assert_non_null(tls_session_standing(s.pair.session[TLS_ROLE_CLIENT]));
		}
		stage_end(&s);
	}
}

/* ---- what a client staples ---- */

static gnutls_datum_t staple_make(int status)
{
	struct base_str der = pki_staple(&ca, &ca, entity.cert, status, -3600, PKI_DAY);

	return (gnutls_datum_t){ (unsigned char *)der.ptr, (unsigned)der.len };
}

/* @return why our server refused it, TRUST_OK = it is in */
static enum trust_reason visit(struct lab_sides *sides, int status)
{
	const struct tls_session_spec session = { .role = TLS_ROLE_SERVER };
	struct foreign far;
	struct stage s;
	enum trust_reason reason;
	gnutls_datum_t staple = staple_make(status);
	char scrap[16];

	stage_begin(&s, sides, "tls13", TLS_ROLE_SERVER);
	trust_store_unref(s.crls.store);
	assert_int_equal(
	        trust_store_load(&s.crls.store,
	                         &(struct trust_store_files){
	                                 .anchors = (const char *[]){ s.crls.anchor, NULL },
	                                 .crl_required = true,
	                                 .ocsp_staples = true },
	                         NULL),
	        0);
	s.spec[TLS_ROLE_SERVER].trust = s.crls.store;
	foreign_open(&far, TLS_ENGINE_GNUTLS, identity, &s.spec[TLS_ROLE_SERVER], &session, true);
	assert_int_equal(gnutls_priority_set_direct(far.tls, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL),
	                 0);
	gnutls_certificate_set_flags(far.cred, GNUTLS_CERTIFICATE_SKIP_OCSP_RESPONSE_CHECK);
	if (status >= 0)
		assert_int_equal(gnutls_certificate_set_ocsp_status_request_mem(
		                         far.cred, &staple, 0, GNUTLS_X509_FMT_DER),
		                 0);
	for (int turn = 0; turn < 8; turn++) {
		(void)foreign_step(&far);
		(void)foreign_ours(&far, scrap, sizeof(scrap));
	}
	reason = foreign_info(&far).verdict.reason;
	assert_int_equal(foreign_info(&far).established, reason == TRUST_OK);
	foreign_close(&far);
	OPENSSL_free(staple.data);
	stage_end(&s);
	return reason;
}

/* In TLS 1.3 (RFC 8446, 4.4.2.1); OpenSSL 3.0 as server does not ask for it. */
static void a_clients_staple(void **state)
{
	struct lab_sides *sides = *state;
	bool asks = sides->server == TLS_ENGINE_GNUTLS;

	assert_int_equal(visit(sides, V_OCSP_CERTSTATUS_GOOD), asks ? TRUST_OK : TRUST_CRL_MISSING);
	assert_int_equal(visit(sides, V_OCSP_CERTSTATUS_REVOKED),
	                 asks ? TRUST_REVOKED : TRUST_CRL_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_and_is_good),
		cmocka_unit_test(it_comes_and_condemns),
		cmocka_unit_test(it_does_not_come),
		cmocka_unit_test(who_does_not_wait),
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(tickets_of_the_revoked),
		cmocka_unit_test(a_clients_staple),
	};
	int failed;

	ca = pki_ca("CA");
	entity = pki_make(&(struct pki_spec){ .cn = "gw.example",
	                                      .issuer = &ca,
	                                      .ext_nid = NID_crl_distribution_points,
	                                      .ext = "URI:" URL });
	/* an address that would be two lines */
	hostile = pki_make(&(struct pki_spec){ .cn = "gw.example",
	                                       .issuer = &ca,
	                                       .ext_nid = NID_crl_distribution_points,
	                                       .ext = "URI:http://a/\ncrl http://b/" });
	identity = pki_identity(&entity, (const struct pki *const[]){ NULL });
	injected = pki_identity(&hostile, (const struct pki *const[]){ NULL });
	failed = pairs_run(tests, BASE_COUNT(tests));
	pki_free(&ca);
	pki_free(&entity);
	pki_free(&hostile);
	x509_identity_unref(identity);
	x509_identity_unref(injected);
	return failed;
}
