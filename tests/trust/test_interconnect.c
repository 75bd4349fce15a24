/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Two operators (TS 33.310, 5.2.2.2): Home asks whether a peer of Away is let in. Each refusal is
 * its own case.
 */
#include <openssl/x509v3.h>

#include "check.h"
#include "pki.h"
#include "trust/trust.h"

#define LONG (30 * PKI_DAY)

/* What both operators have, made once. */
static struct pki ica, home_clients, home_servers;                       /* Home */
static struct pki away_root, away_clients, away_servers, client, server; /* Away */
static struct pki cross_clients, cross_servers; /* made by ica; keys of Away's CAs */
static struct pki home_server;

static struct pki cross_of(const struct pki *ca, const char *cn, const struct pki *by)
{
	return pki_make(&(struct pki_spec){
	        .cn = cn, .issuer = by, .key = ca->key, .ca = true, .path_len = 1 });
}

static int group_setup(void **state)
{
	(void)state;
	ica = pki_ca("Home Interconnection CA");
	home_clients = pki_ca("Home TLS client CA");
	home_servers = pki_ca("Home TLS server CA");
	home_server = pki_leaf("mg.home.example", &home_servers);
	away_root = pki_ca("Away Root");
	away_clients = pki_make(
	        &(struct pki_spec){ .cn = "Away TLS client CA", .issuer = &away_root, .ca = true });
	away_servers = pki_make(
	        &(struct pki_spec){ .cn = "Away TLS server CA", .issuer = &away_root, .ca = true });
	client = pki_leaf("mg.away.example", &away_clients);
	server = pki_leaf("mg.away.example", &away_servers);
	cross_clients = cross_of(&away_clients, "Away TLS client CA", &ica);
	cross_servers = cross_of(&away_servers, "Away TLS server CA", &ica);
	return 0;
}

static int group_teardown(void **state)
{
	struct pki *all[] = { &ica,       &home_clients,  &home_servers, &home_server,
		              &away_root, &away_clients,  &away_servers, &client,
		              &server,    &cross_clients, &cross_servers };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(all); i++)
		pki_free(all[i]);
	return 0;
}

/* ---- a configuration to ask ---- */

struct setting {
	X509 *interconnection, *anchor;                                   /* NULL = ica, none */
	X509 *const *cross_clients, *const *cross_servers, *const *cross; /* NULL = none */
	X509_CRL *crls[6];
	bool staples;
};

static struct trust_store *store_of(const struct setting *set)
{
	char *dir = pki_dir_new(), *file[16] = { 0 };
	struct trust_store *store = NULL;
	struct base_error err = { 0 };
	size_t n = 0;
	const char *lists[7][2] = { 0 }, *crls[8] = { 0 };
	X509 *const one[6][2] = { { set->interconnection ? set->interconnection : ica.cert },
		                  { home_clients.cert },
		                  { home_servers.cert },
		                  { set->anchor } };
	X509 *const *certs[7] = { one[0],
		                  one[1],
		                  one[2],
		                  set->anchor ? one[3] : NULL,
		                  set->cross_clients,
		                  set->cross_servers,
		                  set->cross };

	for (size_t i = 0; i < BASE_COUNT(certs); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%zu.pem", i);
		if (certs[i])
			lists[i][0] = file[n++] = pki_write_certs(dir, name, certs[i]);
	}
	for (size_t i = 0; i < BASE_COUNT(set->crls) && set->crls[i]; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%zu.crl", i);
		crls[i] = file[n++] = pki_write_crl(dir, name, set->crls[i], i % 2);
	}
	if (trust_store_load(&store,
	                     &(struct trust_store_files){ .interconnect = true,
	                                                  .ocsp_staples = set->staples,
	                                                  .interconnection = lists[0],
	                                                  .client_cas = lists[1],
	                                                  .server_cas = lists[2],
	                                                  .anchors = lists[3],
	                                                  .cross_clients = lists[4],
	                                                  .cross_servers = lists[5],
	                                                  .cross = lists[6],
	                                                  .crls = crls },
	                     &err))
		print_message("%s\n", err.text);
	assert_non_null(store);
	while (n)
		free(file[--n]);
	pki_dir_remove(dir);
	return store;
}

static bool crl_told; /* of the last explanation: a CRL step per certificate below the anchor */

static void on_step(void *arg, const struct trust_step *step)
{
	unsigned *depths = arg;

	if (step->ok && (step->look == TRUST_LOOK_CRL || step->look == TRUST_LOOK_OCSP))
		*depths |= 1U << step->depth;
}

static struct trust_verdict ask_with(const struct setting *set, bool peer_is_server,
                                     X509 *const *certs, struct base_str staple)
{
	struct trust_store *store = store_of(set);
	struct base_str chain[16] = { 0 };
	struct trust_verdict verdict, again;
	struct trust_question question = { .methods = TRUST_CA,
		                           .peer_is_server = peer_is_server,
		                           .staple = staple };
	unsigned depths = 0;
	size_t count = 0;

	for (; certs[count]; count++)
		chain[count] = pki_der(certs[count]);
	assert_int_equal(trust_decide(store, &question, chain, count, &verdict), 0);
	assert_int_equal(trust_explain(store, &question, chain, count, on_step, &depths, &again),
	                 0);
	assert_memory_equal(&verdict, &again, sizeof(verdict));
	crl_told = (depths & 1) && (depths & 2);
	for (size_t i = 0; i < count; i++)
		pki_der_free(&chain[i]);
	trust_store_unref(store);
	return verdict;
}

static struct trust_verdict ask(const struct setting *set, bool peer_is_server, X509 *cert)
{
	return ask_with(set, peer_is_server, (X509 *[]){ cert, NULL }, (struct base_str){ 0 });
}

static void expect(struct trust_verdict v, enum trust_reason reason, unsigned alert, int depth,
                   const char *words)
{
	if (v.reason != reason || v.alert != alert || v.depth != depth || !strstr(v.text, words))
		print_message("got %s, alert %u, depth %d: %s\n", trust_reason_name(v.reason),
		              v.alert, v.depth, v.text);
	assert_int_equal(v.reason, reason);
	assert_int_equal(v.authenticated, reason == TRUST_OK);
	assert_int_equal(v.alert, alert);
	assert_int_equal(v.depth, depth);
	assert_non_null(strstr(v.text, words));
}

#define ONE(cert) ((X509 *[]){ cert, NULL })

/* Good CRLs of everybody; the caller replaces what the case is about. Both roles are known. */
static struct setting good(void)
{
	static X509 *clients[2], *servers[2];

	clients[0] = cross_clients.cert;
	servers[0] = cross_servers.cert;
	return (struct setting){ .cross_clients = clients,
		                 .cross_servers = servers,
		                 .crls = { pki_crl(&away_clients, NULL, -PKI_DAY, LONG),
		                           pki_crl(&away_servers, NULL, -PKI_DAY, LONG),
		                           pki_crl(&ica, NULL, -PKI_DAY, LONG),
		                           pki_crl(&home_servers, NULL, -PKI_DAY, LONG) } };
}

enum { CRL_CLIENTS, CRL_SERVERS, CRL_ICA, CRL_HOME };

static void done(struct setting *set)
{
	for (size_t i = 0; i < BASE_COUNT(set->crls); i++)
		X509_CRL_free(set->crls[i]);
}

/* Ask both ways, with one CRL changed: `of` away's CA (false) or Home's Interconnection CA. */
static void with_crl(bool cross, struct pki *client_by, struct pki *server_by, X509 *revoked_client,
                     X509 *revoked_server, long from_s, long to_s, enum trust_reason reason,
                     unsigned alert, const char *words)
{
	for (int peer_is_server = 0; peer_is_server < 2; peer_is_server++) {
		struct setting set = good();
		X509_CRL **at = &set.crls[cross            ? CRL_ICA
		                          : peer_is_server ? CRL_SERVERS
		                                           : CRL_CLIENTS];
		X509 *revoked = peer_is_server ? revoked_server : revoked_client;

		X509_CRL_free(*at);
		*at = pki_crl(peer_is_server ? server_by : client_by, revoked ? ONE(revoked) : NULL,
		              from_s, to_s);
		expect(ask(&set, peer_is_server, peer_is_server ? server.cert : client.cert),
		       reason, alert, cross, words);
		done(&set);
	}
}

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
		cmocka_unit_test(a_crl_of_another_key_is_no_crl),
		cmocka_unit_test(a_cross_certificate_says_who_may_sign_crls),
		cmocka_unit_test(folders_are_read),
		cmocka_unit_test(peer_revoked),
		cmocka_unit_test(peer_crl_missing_or_of_another),
		cmocka_unit_test(peer_crl_expired),
		cmocka_unit_test(peer_crl_not_yet_valid),
		cmocka_unit_test(peer_crl_badly_signed),
		cmocka_unit_test(peer_crl_of_another_scope),
		cmocka_unit_test(cross_revoked),
		cmocka_unit_test(cross_crl_missing_or_of_another),
		cmocka_unit_test(cross_crl_expired),
		cmocka_unit_test(cross_crl_not_yet_valid),
		cmocka_unit_test(cross_crl_badly_signed),
		cmocka_unit_test(cross_crl_of_another_scope),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
