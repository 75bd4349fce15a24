/* SPDX-License-Identifier: Apache-2.0 */
#include "operators.h"

struct pki ica, home_clients, home_servers;                       /* Home */
struct pki away_root, away_clients, away_servers, client, server; /* Away */
struct pki cross_clients, cross_servers; /* made by ica; keys of Away's CAs */
struct pki home_server;

struct pki cross_of(const struct pki *ca, const char *cn, const struct pki *by)
{
	return pki_make(&(struct pki_spec){
	        .cn = cn, .issuer = by, .key = ca->key, .ca = true, .path_len = 1 });
}

int operators_make(void **state)
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

int operators_free(void **state)
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

struct trust_store *store_of(const struct setting *set)
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

bool crl_told;

static void on_step(void *arg, const struct trust_step *step)
{
	unsigned *depths = arg;

	if (step->ok && (step->look == TRUST_LOOK_CRL || step->look == TRUST_LOOK_OCSP))
		*depths |= 1U << step->depth;
}

struct trust_verdict ask_with(const struct setting *set, bool peer_is_server, X509 *const *certs,
                              struct base_str staple)
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

struct trust_verdict ask(const struct setting *set, bool peer_is_server, X509 *cert)
{
	return ask_with(set, peer_is_server, (X509 *[]){ cert, NULL }, (struct base_str){ 0 });
}

void expect(struct trust_verdict v, enum trust_reason reason, unsigned alert, int depth,
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

struct setting good(void)
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

void done(struct setting *set)
{
	for (size_t i = 0; i < BASE_COUNT(set->crls); i++)
		X509_CRL_free(set->crls[i]);
}

void with_crl(bool cross, struct pki *client_by, struct pki *server_by, X509 *revoked_client,
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
