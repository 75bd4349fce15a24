/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * trust_decide() beside `openssl verify` and GnuTLS' `certtool --verify`, over more than 2,000
 * generated chains root -> sub -> leaf: each defect alone and in pairs, for a client and a server.
 * Every disagreement is explained by a row of `explained`, or the test fails; so does a row that
 * explains nothing. The same chains go through the decision between operators, sub as the
 * cross-certificate, and both outcomes have to agree.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "check.h"
#include "compare_plan.h"
#include "trust/trust.h"

/* ---- why others may say something else ---- */

enum peer { OPENSSL, CERTTOOL, PEERS };
static const char *const peer_names[] = { "openssl verify", "certtool --verify" };

static struct row {
	enum peer peer;
	enum defect defect;
	bool accepts;        /* the peer accepts and we refuse; else the other way */
	const char *because; /* why; printed with how often it was needed */
	unsigned used;
} explained[] = {
	/* openssl verify with the same checks asked for says the same of every chain. certtool: */
	{ CERTTOOL, D_sub_no_crlsign, true, "a CRL's issuer needs no cRLSign (RFC 5280, 6.3.3 (f))",
	  0 },
	{ CERTTOOL, D_leaf_usage_certsign, true,
	  "keyUsage of a TLS peer is looked at in the handshake, not in the path", 0 },
	{ CERTTOOL, D_leaf_eku_any, true,
	  "anyExtendedKeyUsage counts for TLS; it may be refused (RFC 5280, 4.2.1.12)", 0 },
	{ CERTTOOL, D_crl_none, true, "no CRL is no failure", 0 },
	{ CERTTOOL, D_crl_old, true, "a CRL that is not used is no failure", 0 },
	{ CERTTOOL, D_crl_early, true, "a CRL that is not used is no failure", 0 },
	{ CERTTOOL, D_crl_forged, true, "a CRL that is not used is no failure", 0 },
	{ CERTTOOL, D_crl_cas, true, "the scope of a CRL is not looked at (RFC 5280, 5.2.5)", 0 },
	{ CERTTOOL, D_crl_strange, true,
	  "critical extensions of a CRL are not looked at (RFC 5280, 5.2)", 0 },
	{ CERTTOOL, D_root_no_crl, true, "no CRL is no failure", 0 },
	{ CERTTOOL, D_root_old_crl, true, "a CRL that is not used is no failure", 0 },
	{ CERTTOOL, D_root_early_crl, true, "a CRL that is not used is no failure", 0 },
	{ CERTTOOL, D_root_forged_crl, true, "a CRL that is not used is no failure", 0 },
	{ CERTTOOL, D_root_users_crl, true, "the scope of a CRL is not looked at (RFC 5280, 5.2.5)",
	  0 },
};

/* ---- chains on disk ---- */

struct made {
	enum defect a, b;
	bool server;
	enum root_state root;
	struct pki sub, leaf;
	X509_CRL *crl;
	bool sub_unsent, sub_revoked;
	bool ours, peer[PEERS];
	char text[256];
};

static struct {
	char *dir;
	struct pki root[ROOTS], twin;
	X509_CRL *root_crl[ROOTS];
	struct made *made;
	size_t count;
} all;

static void part_more(struct pki *pki, const struct part *part, const struct pki *issuer)
{
	const struct pki *by = part->forged ? &all.twin : issuer;

	if (!part->more_count && !part->forged)
		return;
	for (size_t i = 0; i < part->more_count; i++) {
		X509V3_CTX ctx;
		X509_EXTENSION *ext;

		X509V3_set_ctx(&ctx, issuer->cert, pki->cert, NULL, NULL, 0);
		if (part->more[i].nid) {
			CONF *conf = NCONF_new(NULL); /* certificatePolicies asks for one */

			X509V3_set_nconf(&ctx, conf);
			ext = X509V3_EXT_nconf_nid(conf, &ctx, part->more[i].nid,
			                           part->more[i].value);
			NCONF_free(conf);
		} else {
			ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4.5.6", 1);
			ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

			assert_true(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\5", 2));
			ext = X509_EXTENSION_create_by_OBJ(NULL, oid, *part->more[i].value != 0,
			                                   value);
			ASN1_OCTET_STRING_free(value);
			ASN1_OBJECT_free(oid);
		}
		assert_non_null(ext);
		assert_true(X509_add_ext(pki->cert, ext, -1));
		X509_EXTENSION_free(ext);
	}
	assert_true(X509_sign(pki->cert, by->key,
	                      EVP_get_digestbyname(part->spec.md ? part->spec.md : "SHA256")) > 0);
}

static X509_CRL *crl_scoped(const struct pki *by, X509 *const *revoked, bool users, bool strange)
{
	X509_CRL *crl = pki_crl(by, revoked, -PKI_DAY, LONG);

	if (strange) {
		ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4.5.7", 1);
		ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
		X509_EXTENSION *ext;

		assert_true(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\5", 2));
		ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
		assert_true(X509_CRL_add_ext(crl, ext, -1));
		X509_EXTENSION_free(ext);
		ASN1_OCTET_STRING_free(value);
		ASN1_OBJECT_free(oid);
	} else {
		ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

		*(users ? &idp->onlyuser : &idp->onlyCA) = 0xff;
		assert_int_equal(
		        X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1, 0), 1);
		ISSUING_DIST_POINT_free(idp);
	}
	assert_true(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
	return crl;
}

static X509_CRL *crl_make(const struct plan *plan, const struct made *m)
{
	X509 *const list[] = { plan->leaf_revoked ? m->leaf.cert : NULL, NULL };
	struct pki by = { m->sub.cert, plan->crl_forged ? all.twin.key : m->sub.key };

	if (plan->crl_none)
		return NULL;
	if (plan->crl_cas || plan->crl_strange)
		return crl_scoped(&by, list, false, plan->crl_strange);
	return pki_crl(&by, list, plan->crl_to_s ? plan->crl_from_s : -PKI_DAY,
	               plan->crl_to_s ? plan->crl_to_s : LONG);
}

static void chain_make(enum defect a, enum defect b, bool server)
{
	struct made *m = &all.made[all.count];
	static char names[2][40];
	struct plan plan = { .sub.spec = { .ca = true, .cn = names[0] },
		             .leaf.spec = { .dns = "mg.example", .cn = names[1] } };

	defects[a](&plan);
	defects[b](&plan);
	(void)snprintf(names[0], sizeof(names[0]), "Sub %zu", all.count);
	(void)snprintf(names[1], sizeof(names[1]), "leaf %zu", all.count);
	*m = (struct made){ .a = a,
		            .b = b,
		            .server = server,
		            .root = plan.root,
		            .sub_unsent = plan.sub_unsent,
		            .sub_revoked = plan.sub_revoked };
	plan.sub.spec.issuer = &all.root[plan.root];
	m->sub = pki_make(&plan.sub.spec);
	part_more(&m->sub, &plan.sub, &all.root[plan.root]);
	plan.leaf.spec.issuer = &m->sub;
	m->leaf = pki_make(&plan.leaf.spec);
	part_more(&m->leaf, &plan.leaf, &m->sub);
	m->crl = crl_make(&plan, m);
	all.count++;
}

static X509_CRL *root_crl(enum root_state state, X509 *const *revoked)
{
	const struct pki *root = &all.root[state];
	struct pki forged = { root->cert, all.twin.key };

	switch (state) {
	case NO_CRL:
		return NULL;
	case OLD_CRL:
		return pki_crl(root, revoked, -LONG, -60);
	case EARLY_CRL:
		return pki_crl(root, revoked, PKI_DAY, LONG);
	case FORGED_CRL:
		return pki_crl(&forged, revoked, -PKI_DAY, LONG);
	case USERS_CRL:
		return crl_scoped(root, revoked, true, false);
	default:
		return pki_crl(root, revoked, -PKI_DAY, LONG);
	}
}

/* What each root's CRL lists is known when all chains are made. */
static void root_crls_make(void)
{
	X509 **list = calloc(all.count + 1, sizeof(*list));

	for (int r = 0; r < ROOTS; r++) {
		size_t n = 0;

		for (size_t i = 0; i < all.count; i++)
			if ((int)all.made[i].root == r && all.made[i].sub_revoked)
				list[n++] = all.made[i].sub.cert;
		list[n] = NULL;
		all.root_crl[r] = root_crl((enum root_state)r, list);
	}
	free(list);
}

/* ---- ours ---- */

static bool decide(const struct made *m, struct trust_store *store, char *text)
{
	struct base_str chain[] = { pki_der(m->leaf.cert), pki_der(m->sub.cert) };
	struct trust_question question = { .methods = TRUST_CA, .peer_is_server = m->server };
	struct trust_verdict v;

	assert_int_equal(trust_decide(store, &question, chain, m->sub_unsent ? 1 : 2, &v), 0);
	pki_der_free(&chain[0]);
	pki_der_free(&chain[1]);
	(void)snprintf(text, 256, "%s", v.text);
	return v.authenticated;
}

static struct trust_store *store_of(const char *const *root, const char *const *sub,
                                    const char *const *crls, bool interconnect, bool known)
{
	struct trust_store_files files = { .crls = crls,
		                           .crl_required = true,
		                           .interconnect = interconnect };
	struct trust_store *store = NULL;

	if (interconnect) {
		files.interconnection = root;
		files.cross_clients = files.cross_servers = sub;
	} else {
		files.anchors = root;
		files.untrusted = known ? sub : NULL;
	}
	assert_int_equal(trust_store_load(&store, &files, NULL), 0);
	return store;
}

/* Plain, with the sub sent or at hand, and between operators. */
static void ours_ask(struct made *m)
{
	enum root_state anchor = m->root == ROOT_UNKNOWN ? ROOT_GOOD : m->root;
	char *root = pki_write_certs(all.dir, "a.pem", (X509 *[]){ all.root[anchor].cert, NULL }),
	     *sub = pki_write_certs(all.dir, "s.pem", (X509 *[]){ m->sub.cert, NULL }),
	     *crl[2] = { 0 };
	const char *crls[3] = { 0 };
	size_t n = 0;
	char text[256];

	if (all.root_crl[m->root])
		crls[n] = crl[n] = pki_write_crl(all.dir, "r.crl", all.root_crl[m->root], false),
		n++;
	if (m->crl)
		crls[n] = crl[n] = pki_write_crl(all.dir, "s.crl", m->crl, false), n++;
	for (int i = 0; i < 3; i++) {
		bool interconnect = i == 2, known = i == 1;
		struct trust_store *store;
		bool yes;

		if (i && m->sub_unsent)
			break;
		store = store_of((const char *[]){ root, NULL }, (const char *[]){ sub, NULL },
		                 crls, interconnect, known);
		yes = decide(m, store, text);
		trust_store_unref(store);
		if (!i) {
			m->ours = yes;
			memcpy(m->text, text, sizeof(text));
		}
		if (yes != m->ours)
			print_message("%s + %s: way %d says: %s; else: %s\n", defect_names[m->a],
			              defect_names[m->b], i, text, m->text);
		assert_int_equal(yes, m->ours);
	}
	free(root);
	free(sub);
	free(crl[0]);
	free(crl[1]);
}

/* ---- the others ---- */

extern char **environ;

static pid_t start(const char *const *argv, const char *out)
{
	posix_spawn_file_actions_t files;
	pid_t pid = 0;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)argv, environ))
		pid = 0;
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

static int finish(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* All chains of one role in one process. */
static void openssl_ask(bool server)
{
	char *cas = pki_path(all.dir, "cas.pem"), *subs = pki_path(all.dir, "subs.pem"),
	     *crls = pki_path(all.dir, "crls.pem"), *out = pki_path(all.dir, "out"), line[512];
	const char **argv = calloc(all.count + 32, sizeof(*argv));
	const char *const fixed[] = { "openssl",
		                      "verify",
		                      "-no-CApath",
		                      "-no-CAstore",
		                      "-CAfile",
		                      cas,
		                      "-untrusted",
		                      subs,
		                      "-CRLfile",
		                      crls,
		                      "-crl_check_all",
		                      "-extended_crl",
		                      "-policy_check",
		                      "-auth_level",
		                      "2",
		                      "-purpose",
		                      server ? "sslserver" : "sslclient" };
	FILE *f[] = { fopen(cas, "w"), fopen(subs, "w"), fopen(crls, "w") };
	size_t n = 0;

	for (; n < BASE_COUNT(fixed); n++)
		argv[n] = fixed[n];
	for (int r = 0; r < ROOTS; r++) {
		if (r != ROOT_UNKNOWN)
			PEM_write_X509(f[0], all.root[r].cert);
		if (all.root_crl[r])
			PEM_write_X509_CRL(f[2], all.root_crl[r]);
	}
	for (size_t i = 0; i < all.count; i++) {
		struct made *m = &all.made[i];
		char name[32];

		if (m->server != server)
			continue;
		(void)snprintf(name, sizeof(name), "leaf%zu.pem", i);
		argv[n++] = pki_write_certs(all.dir, name, (X509 *[]){ m->leaf.cert, NULL });
		if (!m->sub_unsent)
			PEM_write_X509(f[1], m->sub.cert);
		if (m->crl)
			PEM_write_X509_CRL(f[2], m->crl);
	}
	for (size_t i = 0; i < BASE_COUNT(f); i++)
		(void)fclose(f[i]);
	(void)finish(start(argv, out));
	f[0] = fopen(out, "r");
	while (fgets(line, sizeof(line), f[0])) {
		const char *at = strstr(line, "/leaf");

		if (at && strstr(at, ".pem: OK"))
			all.made[strtoul(at + 5, NULL, 10)].peer[OPENSSL] = true;
	}
	(void)fclose(f[0]);
	while (n > BASE_COUNT(fixed))
		free((char *)argv[--n]);
	free(argv);
	free(cas);
	free(subs);
	free(crls);
	free(out);
}

/* One process per chain: certtool takes no more. */
#define JOBS 4

static pid_t certtool_start(const struct made *m, size_t slot)
{
	enum root_state anchor = m->root == ROOT_UNKNOWN ? ROOT_GOOD : m->root;
	bool crls = m->crl || all.root_crl[m->root];
	char name[3][32], *file[3];
	FILE *f;
	pid_t pid;

	(void)snprintf(name[0], sizeof(name[0]), "chain%zu.pem", slot);
	(void)snprintf(name[1], sizeof(name[1]), "root%zu.pem", slot);
	(void)snprintf(name[2], sizeof(name[2]), "crls%zu.pem", slot);
	file[0] = pki_write_certs(
	        all.dir, name[0],
	        (X509 *[]){ m->leaf.cert, m->sub_unsent ? NULL : m->sub.cert, NULL });
	file[1] = pki_write_certs(all.dir, name[1], (X509 *[]){ all.root[anchor].cert, NULL });
	file[2] = pki_path(all.dir, name[2]);
	f = fopen(file[2], "w");
	if (all.root_crl[m->root])
		PEM_write_X509_CRL(f, all.root_crl[m->root]);
	if (m->crl)
		PEM_write_X509_CRL(f, m->crl);
	(void)fclose(f);
	pid = start((const char *[]){ "certtool", "--verify", "--load-ca-certificate", file[1],
	                              "--infile", file[0], "--verify-profile", "medium",
	                              "--verify-purpose",
	                              m->server ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2",
	                              crls ? "--load-crl" : NULL, file[2], NULL },
	            "/dev/null");
	for (size_t i = 0; i < BASE_COUNT(file); i++)
		free(file[i]);
	return pid;
}

static void certtool_ask(void)
{
	for (size_t i = 0; i < all.count; i += JOBS) {
		pid_t pid[JOBS];
		size_t n = BASE_MIN(JOBS, all.count - i);

		for (size_t j = 0; j < n; j++)
			pid[j] = certtool_start(&all.made[i + j], j);
		for (size_t j = 0; j < n; j++)
			all.made[i + j].peer[CERTTOOL] = finish(pid[j]) == 0;
	}
}

/* ---- the comparison ---- */

static bool explain(const struct made *m, enum peer peer)
{
	bool found = false;

	for (size_t i = 0; i < BASE_COUNT(explained); i++) {
		struct row *row = &explained[i];

		if (row->peer == peer && row->accepts == m->peer[peer] &&
		    (row->defect == m->a || row->defect == m->b)) {
			row->used++;
			found = true;
		}
	}
	return found;
}

static void compare(void **state)
{
	unsigned differ[PEERS] = { 0 }, unexplained = 0, accepted = 0;

	(void)state;
	for (size_t i = 0; i < all.count; i++) {
		struct made *m = &all.made[i];

		accepted += m->ours;
		for (int p = 0; p < PEERS; p++) {
			if (m->peer[p] == m->ours)
				continue;
			differ[p]++;
			if (explain(m, (enum peer)p))
				continue;
			if (unexplained++ < 60)
				print_message("%s + %s, %s: %s %s, we: %s\n", defect_names[m->a],
				              defect_names[m->b], m->server ? "server" : "client",
				              peer_names[p], m->peer[p] ? "accepts" : "refuses",
				              m->text);
		}
	}
	print_message("%zu chains, %u accepted; %u otherwise with %s, %u with %s; %u unexplained\n",
	              all.count, accepted, differ[0], peer_names[0], differ[1], peer_names[1],
	              unexplained);
	assert_true(all.count > 2000);
	assert_true(accepted > 20);
	assert_int_equal(unexplained, 0);
	for (size_t i = 0; i < BASE_COUNT(explained); i++) {
		print_message("%3u %s, %s: %s\n", explained[i].used, peer_names[explained[i].peer],
		              defect_names[explained[i].defect], explained[i].because);
		assert_true(explained[i].used);
	}
}

static bool is_there(const char *program)
{
	const char *word = strcmp(program, "openssl") ? "--version" : "version";
	pid_t pid = start((const char *[]){ program, word, NULL }, "/dev/null");

	return pid > 0 && finish(pid) == 0;
}

static int group_setup(void **state)
{
	(void)state;
	if (!is_there("openssl") || !is_there("certtool")) {
		print_message("skipped: openssl or certtool is not installed\n");
		exit(77);
	}
	all.dir = pki_dir_new();
	all.made = calloc(2 * (size_t)DEFECT_COUNT * DEFECT_COUNT, sizeof(*all.made));
	all.twin = pki_ca("Twin");
	for (int r = 0; r < ROOTS; r++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "Root %d", r);
		all.root[r] = pki_ca(name);
	}
	for (int server = 0; server < 2; server++)
		for (int a = 0; a < DEFECT_COUNT; a++)
			for (int b = a ? a + 1 : 0; b < DEFECT_COUNT; b++)
				chain_make((enum defect)a, (enum defect)b, server);
	root_crls_make();
	for (size_t i = 0; i < all.count; i++)
		ours_ask(&all.made[i]);
	openssl_ask(false);
	openssl_ask(true);
	certtool_ask();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < all.count; i++) {
		pki_free(&all.made[i].sub);
		pki_free(&all.made[i].leaf);
		X509_CRL_free(all.made[i].crl);
	}
	for (int r = 0; r < ROOTS; r++) {
		pki_free(&all.root[r]);
		X509_CRL_free(all.root_crl[r]);
	}
	pki_free(&all.twin);
	free(all.made);
	pki_dir_remove(all.dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(compare) };

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
