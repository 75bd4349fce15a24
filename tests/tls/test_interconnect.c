/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Two operators shake hands (TS 33.310, 5.2.2.2): each judges the other by cross-certificates and
 * both CRLs. Over every pair of engines, TLS 1.2 and 1.3, and from both ends: what one refuses, the
 * other hears as the fitting alert.
 */
#include "../pki.h"
#include "lab.h"
#include "pairs.h"

#define LONG (30 * PKI_DAY)

/* One operator: `serves` is the role it plays. */
struct operator_pki {
	struct pki ica, ca, cross, entity; /* cross: made by the OTHER's ica for `ca` */
	struct x509_identity *identity;
};

static struct operator_pki home, away;

static void operator_make(struct operator_pki *op, const char *name)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s Interconnection CA", name);
	op->ica = pki_ca(text);
	(void)snprintf(text, sizeof(text), "%s TLS CA", name);
	op->ca = pki_ca(text);
	op->entity = pki_leaf("gw.example", &op->ca);
	op->identity = pki_identity(&op->entity, (const struct pki *const[]){ &op->ca, NULL });
}

static void operator_cross(struct operator_pki *op, const char *name, const struct pki *by)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s TLS CA", name);
	op->cross = pki_make(
	        &(struct pki_spec){ .cn = text, .issuer = by, .key = op->ca.key, .ca = true });
}

static void operator_free(struct operator_pki *op)
{
	pki_free(&op->ica);
	pki_free(&op->ca);
	pki_free(&op->cross);
	pki_free(&op->entity);
	x509_identity_unref(op->identity);
}

/* What is wrong with the peer, as the judging side sees it. */
enum wrong {
	NOTHING,
	ENTITY_REVOKED,
	CROSS_REVOKED,
	ENTITY_NO_CRL,
	CROSS_NO_CRL,
	ENTITY_OLD_CRL,
	CROSS_OLD_CRL,
	NO_CROSS,
	OTHER_ROLE,
	WRONGS
};

static const struct {
	int alert; /* -1 = none */
	enum trust_reason reason;
} outcome[WRONGS] = {
	[NOTHING] = { -1, TRUST_OK },
	[ENTITY_REVOKED] = { 44, TRUST_REVOKED },
	[CROSS_REVOKED] = { 44, TRUST_REVOKED },
	[ENTITY_NO_CRL] = { 46, TRUST_CRL_MISSING },
	[CROSS_NO_CRL] = { 46, TRUST_CRL_MISSING },
	[ENTITY_OLD_CRL] = { 46, TRUST_CRL_STALE },
	[CROSS_OLD_CRL] = { 46, TRUST_CRL_STALE },
	[NO_CROSS] = { 48, TRUST_UNKNOWN_CA },
	[OTHER_ROLE] = { 43, TRUST_WRONG_PURPOSE },
};

static char *crl_file(const char *dir, const char *name, const struct pki *by, X509 *listed,
                      bool old, bool none)
{
	X509_CRL *crl = pki_crl(by, listed ? (X509 *[]){ listed, NULL } : NULL,
	                        old ? -LONG : -PKI_DAY, old ? -60 : LONG);
	char *path = none ? NULL : pki_write_crl(dir, name, crl, true);

	X509_CRL_free(crl);
	return path;
}

/* The store of `own`, which judges `peer` in the role it plays. */
static struct trust_store *store_of(const struct operator_pki *own, const struct operator_pki *peer,
                                    bool peer_is_server, enum wrong wrong)
{
	char *dir = pki_dir_new(),
	     *ica = pki_write_certs(dir, "ica", (X509 *[]){ own->ica.cert, NULL }),
	     *ca = pki_write_certs(dir, "ca", (X509 *[]){ own->ca.cert, NULL }),
	     *cross = pki_write_certs(dir, "cross", (X509 *[]){ peer->cross.cert, NULL }),
	     *crl[2] = { crl_file(dir, "0", &own->ica,
		                  wrong == CROSS_REVOKED ? peer->cross.cert : NULL,
		                  wrong == CROSS_OLD_CRL, wrong == CROSS_NO_CRL),
		         crl_file(dir, "1", &peer->ca,
		                  wrong == ENTITY_REVOKED ? peer->entity.cert : NULL,
		                  wrong == ENTITY_OLD_CRL, wrong == ENTITY_NO_CRL) };
	const char *crosses[] = { cross, NULL };
	struct trust_store_files files = {
		.interconnect = true,
		.interconnection = (const char *[]){ ica, NULL },
		.client_cas = (const char *[]){ ca, NULL },
		.crls = (const char *[]){ crl[0] ? crl[0] : crl[1], crl[0] ? crl[1] : NULL, NULL },
	};
	struct trust_store *store = NULL;

	if (wrong == NO_CROSS)
		;
	else if (peer_is_server == (wrong != OTHER_ROLE))
		files.cross_servers = crosses;
	else
		files.cross_clients = crosses;
	assert_int_equal(trust_store_load(&store, &files, NULL), 0);
	free(ica);
	free(ca);
	free(cross);
	free(crl[0]);
	free(crl[1]);
	pki_dir_remove(dir);
	return store;
}

/* `judge` finds `wrong` in the other, who finds nothing wrong in it. */
static void one(struct lab_sides *sides, const char *profile, enum tls_role judge, enum wrong wrong)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile),
	                       c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	enum tls_role other = judge == TLS_ROLE_SERVER ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
	struct lab_pair pair;
	struct tls_info info;

	s.identity = home.identity;
	s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	s.client_methods = TRUST_CA;
	s.trust = store_of(&home, &away, false, judge == TLS_ROLE_SERVER ? wrong : NOTHING);
	c.identity = away.identity;
	c.server_methods = TRUST_CA;
	c.trust = store_of(&away, &home, true, judge == TLS_ROLE_CLIENT ? wrong : NOTHING);
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	info = lab_info(&pair, judge);
	assert_true(info.has_verdict);
	assert_int_equal(info.verdict.reason, outcome[wrong].reason);
	if (wrong == NOTHING) {
		lab_assert_up(&pair);
		assert_true(lab_info(&pair, other).verdict.authenticated);
	} else {
		int alert = outcome[wrong].alert;

		assert_int_equal(pair.result[judge], BASE_ERR(BASE_PEER, alert));
		assert_int_equal(info.alert, alert);
		assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
		assert_string_equal(info.failure, info.verdict.text);
		assert_int_equal(pair.result[other], BASE_ERR(BASE_PEER, alert));
		assert_int_equal(lab_info(&pair, other).alert_side, TLS_SIDE_REMOTE);
	}
	lab_pair_close(&pair);
	trust_store_unref(s.trust);
	trust_store_unref(c.trust);
}

static void all(void **state, enum tls_role judge)
{
	for (int wrong = 0; wrong < WRONGS; wrong++) {
		one(*state, "tls12", judge, (enum wrong)wrong);
		one(*state, "tls13", judge, (enum wrong)wrong);
	}
}

static void servers_judge_clients(void **state)
{
	all(state, TLS_ROLE_SERVER);
}

static void clients_judge_servers(void **state)
{
	all(state, TLS_ROLE_CLIENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(servers_judge_clients),
		                            cmocka_unit_test(clients_judge_servers) };
	int failed;

	operator_make(&home, "Home");
	operator_make(&away, "Away");
	operator_cross(&home, "Home", &away.ica);
	operator_cross(&away, "Away", &home.ica);
	failed = pairs_run(tests, BASE_COUNT(tests));
	operator_free(&home);
	operator_free(&away);
	return failed;
}
