/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Both checks or nobody comes in (TS 33.310, 5.2.2.2, I4): what is wrong with which CRL, each its
 * own case.
 */
#include <openssl/x509v3.h>

#include "operators.h"

/* ---- both checks, hard fail: the peer's certificate ---- */

static void peer_revoked(void **state)
{
	(void)state;
	with_crl(false, &away_clients, &away_servers, client.cert, server.cert, -PKI_DAY, LONG,
	         TRUST_REVOKED, 44, "revoked");
}

static void peer_crl_missing_or_of_another(void **state)
{
	(void)state;
	with_crl(false, &away_root, &away_root, NULL, NULL, -PKI_DAY, LONG, TRUST_CRL_MISSING, 46,
	         "no CRL");
}

static void peer_crl_expired(void **state)
{
	(void)state;
	with_crl(false, &away_clients, &away_servers, NULL, NULL, -LONG, -60, TRUST_CRL_STALE, 46,
	         "nextUpdate");
}

static void peer_crl_not_yet_valid(void **state)
{
	(void)state;
	with_crl(false, &away_clients, &away_servers, NULL, NULL, PKI_DAY, LONG, TRUST_CRL_STALE,
	         46, "not yet valid");
}

static void peer_crl_badly_signed(void **state)
{
	struct pki twins[] = { pki_ca("Away TLS client CA"), pki_ca("Away TLS server CA") };

	(void)state;
	with_crl(false, &twins[0], &twins[1], NULL, NULL, -PKI_DAY, LONG, TRUST_CRL_MISSING, 46,
	         "signature");
	pki_free(&twins[0]);
	pki_free(&twins[1]);
}

/* ---- both checks, hard fail: the cross-certificate ---- */

static void cross_revoked(void **state)
{
	(void)state;
	with_crl(true, &ica, &ica, cross_clients.cert, cross_servers.cert, -PKI_DAY, LONG,
	         TRUST_REVOKED, 44, "revoked");
}

static void cross_crl_missing_or_of_another(void **state)
{
	(void)state;
	with_crl(true, &away_root, &away_root, NULL, NULL, -PKI_DAY, LONG, TRUST_CRL_MISSING, 46,
	         "no CRL");
}

static void cross_crl_expired(void **state)
{
	(void)state;
	with_crl(true, &ica, &ica, NULL, NULL, -LONG, -60, TRUST_CRL_STALE, 46, "nextUpdate");
}

static void cross_crl_not_yet_valid(void **state)
{
	(void)state;
	with_crl(true, &ica, &ica, NULL, NULL, PKI_DAY, LONG, TRUST_CRL_STALE, 46, "not yet valid");
}

static void cross_crl_badly_signed(void **state)
{
	struct pki twin = pki_ca("Home Interconnection CA");

	(void)state;
	with_crl(true, &twin, &twin, NULL, NULL, -PKI_DAY, LONG, TRUST_CRL_MISSING, 46,
	         "signature");
	pki_free(&twin);
}

/* A way that was withdrawn says less than the one that took its place. */
static void a_withdrawn_way_does_not_hide_what_can_be_cured(void **state)
{
	struct pki next = cross_of(&away_servers, "Away TLS server CA", &ica);
	struct setting set = good();

	(void)state;
	set.cross_servers = (X509 *[]){ cross_servers.cert, next.cert, NULL };
	X509_CRL_free(set.crls[CRL_ICA]);
	set.crls[CRL_ICA] = pki_crl(&ica, ONE(cross_servers.cert), -PKI_DAY, LONG);
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	X509_CRL_free(set.crls[CRL_SERVERS]);
	set.crls[CRL_SERVERS] = pki_crl(&away_servers, NULL, -LONG, -60);
	expect(ask(&set, true, server.cert), TRUST_CRL_STALE, 46, 0, "CRL");
	set.cross_servers = (X509 *[]){ next.cert, cross_servers.cert, NULL };
	expect(ask(&set, true, server.cert), TRUST_CRL_STALE, 46, 0, "CRL");
	set.cross_servers = ONE(cross_servers.cert);
	expect(ask(&set, true, server.cert), TRUST_REVOKED, 44, 1, "revoked");
	done(&set);
	pki_free(&next);
}

/* ---- scope ---- */

/* A CRL for certificates of users or of CAs only (RFC 5280, 5.2.5). */
static X509_CRL *crl_scoped(const struct pki *by, bool users)
{
	X509_CRL *crl = pki_crl(by, NULL, -PKI_DAY, LONG);
	ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

	assert_non_null(idp);
	*(users ? &idp->onlyuser : &idp->onlyCA) = 0xff;
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1, 0), 1);
	ISSUING_DIST_POINT_free(idp);
	assert_true(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
	return crl;
}

static void with_scope(bool cross, bool users, enum trust_reason reason)
{
	struct setting set = good();
	X509_CRL **at = &set.crls[cross ? CRL_ICA : CRL_SERVERS];

	X509_CRL_free(*at);
	*at = crl_scoped(cross ? &ica : &away_servers, users);
	if (reason == TRUST_OK)
		expect(ask(&set, true, server.cert), reason, 0, 0, "valid");
	else
		expect(ask(&set, true, server.cert), reason, 46, cross, "scope");
	assert_int_equal(crl_told, reason == TRUST_OK);
	done(&set);
}

static void peer_crl_of_another_scope(void **state)
{
	(void)state;
	with_scope(false, false, TRUST_CRL_MISSING);
	with_scope(false, true, TRUST_OK);
}

static void cross_crl_of_another_scope(void **state)
{
	(void)state;
	with_scope(true, true, TRUST_CRL_MISSING);
	with_scope(true, false, TRUST_OK);
}

/* Away has a new key for the name: the old key's CRL says nothing about what the new one issued. */
static void a_crl_of_another_key_is_no_crl(void **state)
{
	struct pki next = pki_ca("Away TLS server CA"),
	           cross = cross_of(&next, "Away TLS server CA", &ica),
	           peer = pki_leaf("mg.away.example", &next);
	struct setting set = good();

	(void)state;
	set.cross_servers = (X509 *[]){ cross_servers.cert, cross.cert, NULL };
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	expect(ask(&set, true, peer.cert), TRUST_CRL_MISSING, 46, 0, "CRL");
	set.crls[4] = pki_crl(&next, NULL, -PKI_DAY, LONG);
	expect(ask(&set, true, peer.cert), TRUST_OK, 0, 0, "valid");
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	X509_CRL_free(set.crls[4]);
	set.crls[4] = pki_crl(&next, ONE(peer.cert), -PKI_DAY, LONG);
	expect(ask(&set, true, peer.cert), TRUST_REVOKED, 44, 0, "revoked");
	done(&set);
	pki_free(&next);
	pki_free(&cross);
	pki_free(&peer);
}

static void a_cross_certificate_says_who_may_sign_crls(void **state)
{
	struct pki mute = pki_make(&(struct pki_spec){ .cn = "Away TLS server CA",
	                                               .issuer = &ica,
	                                               .key = away_servers.key,
	                                               .ca = true,
	                                               .usage = "critical,keyCertSign" });
	struct setting set = good();

	(void)state;
	set.cross_servers = ONE(mute.cert);
	expect(ask(&set, true, server.cert), TRUST_CRL_MISSING, 46, 0, "may not sign CRLs");
	done(&set);
	pki_free(&mute);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_revoked),
		cmocka_unit_test(peer_crl_missing_or_of_another),
		cmocka_unit_test(peer_crl_expired),
		cmocka_unit_test(peer_crl_not_yet_valid),
		cmocka_unit_test(peer_crl_badly_signed),
		cmocka_unit_test(cross_revoked),
		cmocka_unit_test(cross_crl_missing_or_of_another),
		cmocka_unit_test(cross_crl_expired),
		cmocka_unit_test(cross_crl_not_yet_valid),
		cmocka_unit_test(cross_crl_badly_signed),
		cmocka_unit_test(a_withdrawn_way_does_not_hide_what_can_be_cured),
		cmocka_unit_test(peer_crl_of_another_scope),
		cmocka_unit_test(cross_crl_of_another_scope),
		cmocka_unit_test(a_crl_of_another_key_is_no_crl),
		cmocka_unit_test(a_cross_certificate_says_who_may_sign_crls),
	};

	return cmocka_run_group_tests(tests, operators_make, operators_free);
}
