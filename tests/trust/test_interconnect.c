/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which way leads from a peer to an own anchor (TS 33.310, 5.2.2.2, I1 to I3, I5, I7): each refusal
 * is its own case.
 */
#include <openssl/x509v3.h>

#include "operators.h"

/* ---- who is let in ---- */

static void both_roles_are_let_in(void **state)
{
	struct setting set = good();

	(void)state;
	expect(ask(&set, false, client.cert), TRUST_OK, 0, 0, "valid");
	assert_true(crl_told);
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	assert_true(crl_told);
	done(&set);
}

static void own_peers_need_no_cross_certificate(void **state)
{
	struct setting set = good();

	(void)state;
	expect(ask(&set, true, home_server.cert), TRUST_OK, 0, 0, "valid");
	/* a server CA vouches for no client */
	expect(ask(&set, false, home_server.cert), TRUST_WRONG_PURPOSE, 43, 1, "servers only");
	X509_CRL_free(set.crls[CRL_HOME]);
	set.crls[CRL_HOME] = pki_crl(&home_servers, ONE(home_server.cert), -PKI_DAY, LONG);
	expect(ask(&set, true, home_server.cert), TRUST_REVOKED, 44, 0, "revoked");
	done(&set);
	set = good();
	X509_CRL_free(set.crls[CRL_HOME]);
	set.crls[CRL_HOME] = NULL;
	expect(ask(&set, true, home_server.cert), TRUST_CRL_MISSING, 46, 0, "no CRL");
	done(&set);
}

static void what_else_the_peer_sends_changes_nothing(void **state)
{
	struct pki forged = pki_ca("Home Interconnection CA"),
	           forged_cross = cross_of(&away_servers, "Away TLS server CA", &forged);
	X509 *const more[][4] = {
		{ server.cert, away_servers.cert, away_root.cert },
		{ server.cert, away_root.cert },
		{ server.cert, forged_cross.cert, forged.cert },
		{ server.cert, client.cert, server.cert },
	};
	struct setting set = good(), none = good();

	(void)state;
	none.cross_servers = NULL;
	for (size_t i = 0; i < BASE_COUNT(more); i++) {
		expect(ask_with(&set, true, more[i], (struct base_str){ 0 }), TRUST_OK, 0, 0,
		       "valid");
		expect(ask_with(&none, true, more[i], (struct base_str){ 0 }), TRUST_UNKNOWN_CA, 48,
		       0, "Away TLS server CA");
	}
	done(&set);
	done(&none);
	pki_free(&forged);
	pki_free(&forged_cross);
}

/* ---- roles ---- */

static void cross_certificates_keep_to_their_role(void **state)
{
	struct setting set = good();

	(void)state;
	expect(ask(&set, true, client.cert), TRUST_WRONG_PURPOSE, 43, 1, "for TLS clients only");
	expect(ask(&set, false, server.cert), TRUST_WRONG_PURPOSE, 43, 1, "for TLS servers only");
	done(&set);
}

static void a_cross_certificate_may_tell_its_role(void **state)
{
	struct pki told = pki_make(&(struct pki_spec){ .cn = "Away TLS server CA",
	                                               .issuer = &ica,
	                                               .key = away_servers.key,
	                                               .ca = true,
	                                               .eku = "serverAuth" });
	struct setting set = good();

	(void)state;
	set.cross_servers = set.cross_clients = NULL;
	set.cross = (X509 *[]){ told.cert, cross_clients.cert, NULL };
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	expect(ask(&set, false, server.cert), TRUST_WRONG_PURPOSE, 43, 1, "servers only");
	expect(ask(&set, false, client.cert), TRUST_UNKNOWN_CA, 48, 1, "says no role");
	done(&set);
	/* listed for servers, made for clients: what is in it counts too */
	set = good();
	set.cross_clients = ONE(told.cert);
	expect(ask(&set, false, server.cert), TRUST_WRONG_PURPOSE, 43, 1, "usage");
	done(&set);
	pki_free(&told);
}

/* ---- where the cross-certificate comes from ---- */

static void another_cas_cross_certificate_vouches_for_nobody(void **state)
{
	struct pki twin = pki_ca("Home Interconnection CA"),
	           by_twin = cross_of(&away_servers, "Away TLS server CA", &twin),
	           by_home = cross_of(&away_servers, "Away TLS server CA", &home_servers);
	struct setting set = good();

	(void)state;
	set.cross_servers = ONE(by_twin.cert);
	expect(ask(&set, true, server.cert), TRUST_UNKNOWN_CA, 48, 1, "own Interconnection CA");
	set.cross_servers = ONE(by_home.cert);
	expect(ask(&set, true, server.cert), TRUST_UNKNOWN_CA, 48, 1, "own Interconnection CA");
	/* one that is good beside it is found */
	set.cross_servers = (X509 *[]){ by_twin.cert, cross_servers.cert, NULL };
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	done(&set);
	pki_free(&twin);
	pki_free(&by_twin);
	pki_free(&by_home);
}

static void a_key_of_another_is_not_vouched_for(void **state)
{
	struct pki twin = pki_ca("Away TLS server CA"), liar;
	struct setting set = good();

	(void)state;
	liar = pki_make(&(struct pki_spec){ .cn = "mg.away.example", .issuer = &twin });
	expect(ask(&set, true, liar.cert), TRUST_UNKNOWN_CA, 48, 0, "Away TLS server CA");
	done(&set);
	pki_free(&liar);
	pki_free(&twin);
}

static void dates_of_the_cross_certificate(void **state)
{
	struct pki old = pki_make(&(struct pki_spec){ .cn = "Away TLS server CA",
	                                              .issuer = &ica,
	                                              .key = away_servers.key,
	                                              .ca = true,
	                                              .from_s = -LONG,
	                                              .to_s = -PKI_DAY }),
	           early = pki_make(&(struct pki_spec){ .cn = "Away TLS server CA",
	                                                .issuer = &ica,
	                                                .key = away_servers.key,
	                                                .ca = true,
	                                                .from_s = PKI_DAY,
	                                                .to_s = LONG });
	struct setting set = good();

	(void)state;
	set.cross_servers = ONE(old.cert);
	expect(ask(&set, true, server.cert), TRUST_EXPIRED, 45, 1, "Away TLS server CA");
	set.cross_servers = ONE(early.cert);
	expect(ask(&set, true, server.cert), TRUST_NOT_YET_VALID, 45, 1, "Away TLS server CA");
	/* a rollover: the new one beside the old */
	set.cross_servers = (X509 *[]){ old.cert, cross_servers.cert, NULL };
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	done(&set);
	pki_free(&old);
	pki_free(&early);
}

static void the_interconnection_ca_may_have_parents(void **state)
{
	struct pki top = pki_ca("Home Root"),
	           mid = pki_make(
	                   &(struct pki_spec){ .cn = "Home ICA 2", .issuer = &top, .ca = true }),
	           cross = cross_of(&away_servers, "Away TLS server CA", &mid);
	struct setting set = good();

	(void)state;
	set.interconnection = mid.cert;
	set.cross_servers = ONE(cross.cert);
	expect(ask(&set, true, server.cert), TRUST_UNKNOWN_CA, 48, 1, "no anchor");
	set.anchor = top.cert;
	set.crls[4] = pki_crl(&mid, NULL, -PKI_DAY, LONG);
	expect(ask(&set, true, server.cert), TRUST_CRL_MISSING, 46, 2, "Home ICA 2");
	set.crls[5] = pki_crl(&top, NULL, -PKI_DAY, LONG);
	expect(ask(&set, true, server.cert), TRUST_OK, 0, 0, "valid");
	X509_CRL_free(set.crls[5]);
	set.crls[5] = pki_crl(&top, ONE(mid.cert), -PKI_DAY, LONG);
	expect(ask(&set, true, server.cert), TRUST_REVOKED, 44, 2, "revoked");
	done(&set);
	pki_free(&top);
	pki_free(&mid);
	pki_free(&cross);
}

static void constraints_of_the_cross_certificate(void **state)
{
	struct pki narrow = pki_make(
	                   &(struct pki_spec){ .cn = "Away TLS server CA",
	                                       .issuer = &ica,
	                                       .key = away_servers.key,
	                                       .ca = true,
	                                       .ext_nid = NID_name_constraints,
	                                       .ext = "critical,permitted;DNS:b.example" }),
	           deep = pki_make(
	                   &(struct pki_spec){ .cn = "Deep", .issuer = &away_servers, .ca = true }),
	           below = pki_leaf("mg.away.example", &deep);
	struct setting set = good();

	(void)state;
	/* "issued directly" (6.1.3a): a CA below Away's TLS CA is not on any way */
	expect(ask_with(&set, true, (X509 *[]){ below.cert, deep.cert, NULL },
	                (struct base_str){ 0 }),
	       TRUST_UNKNOWN_CA, 48, 0, "Deep");
	set.cross_servers = ONE(narrow.cert);
	expect(ask(&set, true, server.cert), TRUST_PATH, 46, 0, "permitted");
	done(&set);
	pki_free(&narrow);
	pki_free(&deep);
	pki_free(&below);
}

static void folders_are_read(void **state)
{
	char *dir = pki_dir_new(), *crl_dir = pki_dir_new(), *ca;
	struct setting set = good();
	struct trust_store *store = NULL;
	struct trust_verdict v;
	struct base_str der = pki_der(server.cert);
	struct base_error err = { 0 };

	(void)state;
	free(pki_write_certs(dir, "1.pem", ONE(cross_servers.cert)));
	free(pki_write_certs(dir, "2.pem", ONE(cross_clients.cert)));
	free(pki_write(dir, ".part", "not yet", 7));
	free(pki_write_crl(crl_dir, "a.crl", set.crls[CRL_SERVERS], false));
	free(pki_write_crl(crl_dir, "b.crl", set.crls[CRL_ICA], true));
	ca = pki_write_certs(dir, ".ica", ONE(ica.cert));
	struct trust_store_files files = { .interconnect = true,
		                           .interconnection = (const char *[]){ ca, NULL },
		                           .cross_servers = (const char *[]){ dir, NULL },
		                           .crls = (const char *[]){ crl_dir, NULL } };
	assert_int_equal(trust_store_load(&store, &files, NULL), 0);
	assert_int_equal(sk_X509_num(trust_store_anchors(store)), 0); /* none vouches for clients */
	assert_int_equal(trust_decide(store,
	                              &(struct trust_question){ .methods = TRUST_CA,
	                                                        .peer_is_server = true },
	                              &der, 1, &v),
	                 0);
	expect(v, TRUST_OK, 0, 0, "valid");
	trust_store_unref(store);
	/* what is in a folder has to be readable, and something has to be there */
	free(pki_write(dir, "3.pem", "nonsense", 8));
	assert_int_not_equal(trust_store_load(&store, &files, &err), 0);
	assert_non_null(strstr(err.file, "3.pem"));
	files.cross_servers = NULL;
	assert_int_not_equal(trust_store_load(&store, &files, &err), 0);
	assert_non_null(strstr(err.text, "refuse everybody"));
	files.cross_servers = (const char *[]){ "/nowhere/cross", NULL };
	assert_int_not_equal(trust_store_load(&store, &files, &err), 0);
	pki_der_free(&der);
	free(ca);
	pki_dir_remove(dir);
	pki_dir_remove(crl_dir);
	done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_roles_are_let_in),
		cmocka_unit_test(own_peers_need_no_cross_certificate),
		cmocka_unit_test(what_else_the_peer_sends_changes_nothing),
		cmocka_unit_test(cross_certificates_keep_to_their_role),
		cmocka_unit_test(a_cross_certificate_may_tell_its_role),
		cmocka_unit_test(another_cas_cross_certificate_vouches_for_nobody),
		cmocka_unit_test(a_key_of_another_is_not_vouched_for),
		cmocka_unit_test(dates_of_the_cross_certificate),
		cmocka_unit_test(the_interconnection_ca_may_have_parents),
		cmocka_unit_test(constraints_of_the_cross_certificate),
		cmocka_unit_test(folders_are_read),
	};

	return cmocka_run_group_tests(tests, operators_make, operators_free);
}
