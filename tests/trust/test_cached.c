/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Decisions between operators on what lies in the cache folder: CRLs, deltas, partitions, and the
 * cross-certificate itself.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "check.h"
#include "pki.h"
#include "trust/trust.h"

#define LONG  (30 * PKI_DAY)
#define POINT "http://crl.away.example/1.crl"

static struct pki ica, away, cross, server;

static int group_setup(void **state)
{
	(void)state;
	ica = pki_ca("Home Interconnection CA");
	away = pki_ca("Away TLS server CA");
	cross = pki_make(&(struct pki_spec){ .cn = "Away TLS server CA",
	                                     .issuer = &ica,
	                                     .key = away.key,
	                                     .ca = true,
	                                     .eku = "serverAuth" });
	server = pki_make(&(struct pki_spec){ .cn = "mg.away.example",
	                                      .issuer = &away,
	                                      .ext_nid = NID_crl_distribution_points,
	                                      .ext = "URI:" POINT });
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	pki_free(&ica);
	pki_free(&away);
	pki_free(&cross);
	pki_free(&server);
	return 0;
}

/* ---- a folder and a store on it ---- */

struct stage {
	char *dir, *ica_file;
	struct trust_store *store;
};

static void folder_remove(const char *dir)
{
	static const char *const subs[] = { "cross", "ca", "" };

	for (size_t i = 0; i < BASE_COUNT(subs); i++) {
		char *path = pki_path(dir, subs[i]);
		DIR *d = opendir(path);

		for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
			(void)unlinkat(dirfd(d), e->d_name, 0);
		if (d)
			(void)closedir(d);
		(void)rmdir(path);
		free(path);
	}
}

static void put(struct stage *s, X509_CRL *crl, EVP_PKEY *signer)
{
	unsigned char *der = NULL;
	int len = i2d_X509_CRL(crl, &der);
	struct x509_crl_index *index = NULL;
	struct base_error err = { 0 };

	assert_true(len > 0);
	if (x509_crl_index_make(&index, der, (size_t)len, signer, &err))
		print_message("%s\n", err.text);
	assert_non_null(index);
	assert_int_equal(trust_cache_write(s->dir, index, &err), 0);
	x509_crl_index_unref(index);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	s->dir = pki_dir_new();
	s->ica_file = pki_write_certs(s->dir, ".ica.pem", (X509 *[]){ ica.cert, NULL });
	assert_int_equal(trust_cache_write_cert(s->dir, TRUST_CACHE_CROSS, cross.cert, NULL), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	trust_store_unref(s->store);
	folder_remove(s->dir);
	free(s->dir);
	free(s->ica_file);
	free(s);
	return 0;
}

static struct trust_verdict ask(struct stage *s)
{
	struct base_str der = pki_der(server.cert);
	struct trust_verdict v;

	if (!s->store)
		assert_int_equal(
		        trust_store_load(
		                &s->store,
		                &(struct trust_store_files){
		                        .interconnect = true,
		                        .cache = s->dir,
		                        .interconnection = (const char *[]){ s->ica_file, NULL } },
		                NULL),
		        0);
	assert_true(trust_cache_refresh(trust_store_cache(s->store)) >= 0);
	assert_int_equal(trust_decide(s->store,
	                              &(struct trust_question){ .methods = TRUST_CA,
	                                                        .peer_is_server = true },
	                              &der, 1, &v),
	                 0);
	pki_der_free(&der);
	return v;
}

#define expect(v, reason, depth, words) expect_at(__LINE__, v, reason, depth, words)
static void expect_at(int line, struct trust_verdict v, enum trust_reason reason, int depth,
                      const char *words)
{
	if (v.reason != reason || v.depth != depth || !strstr(v.text, words))
		print_message("line %d: got %s, depth %d: %s\n", line, trust_reason_name(v.reason),
		              v.depth, v.text);
	assert_int_equal(v.reason, reason);
	assert_int_equal(v.authenticated, reason == TRUST_OK);
	assert_int_equal(v.depth, depth);
	assert_non_null(strstr(v.text, words));
}

/* A CRL with an issuing distribution point and a number. */
static X509_CRL *crl_make(const struct pki *by, X509 *revoked, long from_s, long to_s, long number,
                          long base, const char *point, bool cas)
{
	X509_CRL *crl = pki_crl(by, revoked ? (X509 *[]){ revoked, NULL } : NULL, from_s, to_s);
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	assert_true(ASN1_INTEGER_set(n, number));
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0), 1);
	if (base) {
		assert_true(ASN1_INTEGER_set(n, base));
		assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
	}
	ASN1_INTEGER_free(n);
	if (point || cas) {
		ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

		if (cas)
			idp->onlyCA = 0xff;
		if (point) {
			GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_URI, point, 0);

			idp->distpoint = DIST_POINT_NAME_new();
			idp->distpoint->type = 0; /* fullName */
			idp->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
			assert_true(sk_GENERAL_NAME_push(idp->distpoint->name.fullname, name));
		}
		assert_int_equal(
		        X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1, 0), 1);
		ISSUING_DIST_POINT_free(idp);
	}
	assert_true(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
	return crl;
}

static X509_CRL *plain(const struct pki *by, X509 *revoked, long number)
{
	return crl_make(by, revoked, -PKI_DAY + number, LONG, number, 0, NULL, false);
}

/* ---- cases ---- */

static void a_new_crl_is_seen_without_a_reload(void **state)
{
	struct stage *s = *state;

	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	put(s, plain(&away, NULL, 1), away.key);
	expect(ask(s), TRUST_CRL_MISSING, 1, "no CRL");
	put(s, plain(&ica, NULL, 1), ica.key);
	expect(ask(s), TRUST_OK, 0, "valid");
	put(s, plain(&ica, cross.cert, 2), ica.key);
	expect(ask(s), TRUST_REVOKED, 1, "cached CRL of CN=Home Interconnection CA");
	put(s, plain(&ica, NULL, 3), ica.key);
	expect(ask(s), TRUST_OK, 0, "valid");
	put(s, plain(&away, server.cert, 2), away.key);
	expect(ask(s), TRUST_REVOKED, 0, "cached CRL of CN=Away TLS server CA");
}

static void out_of_date(void **state)
{
	struct stage *s = *state;

	put(s, plain(&ica, NULL, 1), ica.key);
	put(s, crl_make(&away, NULL, -LONG, -60, 1, 0, NULL, false), away.key);
	expect(ask(s), TRUST_CRL_STALE, 0, "cached CRL");
	put(s, crl_make(&away, NULL, PKI_DAY, LONG, 2, 0, NULL, false), away.key);
	expect(ask(s), TRUST_CRL_STALE, 0, "cached CRL");
}

static void another_key_of_that_name(void **state)
{
	struct stage *s = *state;
	struct pki twin = pki_ca("Away TLS server CA");

	put(s, plain(&ica, NULL, 1), ica.key);
	put(s, plain(&twin, NULL, 1), twin.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	pki_free(&twin);
}

static void scopes(void **state)
{
	struct stage *s = *state;

	put(s, crl_make(&ica, NULL, -PKI_DAY, LONG, 1, 0, NULL, true), ica.key);
	put(s, crl_make(&away, NULL, -PKI_DAY, LONG, 1, 0, NULL, true), away.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	put(s, crl_make(&away, NULL, -PKI_DAY, LONG, 1, 0, "http://crl.away.example/2.crl", false),
	    away.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	put(s, crl_make(&away, NULL, -PKI_DAY, LONG, 1, 0, POINT, false), away.key);
	expect(ask(s), TRUST_OK, 0, "valid");
	put(s, crl_make(&away, server.cert, -PKI_DAY + 1, LONG, 2, 0, POINT, false), away.key);
	expect(ask(s), TRUST_REVOKED, 0, "cached CRL");
}

static void deltas(void **state)
{
	struct stage *s = *state;

	put(s, plain(&ica, NULL, 1), ica.key);
	put(s, plain(&away, NULL, 1), away.key);
	put(s, crl_make(&away, server.cert, -3600, LONG, 2, 1, NULL, false), away.key);
	expect(ask(s), TRUST_REVOKED, 0, "cached CRL");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_new_crl_is_seen_without_a_reload),
		CASE(out_of_date),
		CASE(another_key_of_that_name),
		CASE(scopes),
		CASE(deltas),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
