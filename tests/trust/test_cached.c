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

/* Of an issuing distribution point, for crl_scoped(). */
struct scope {
	const char *point;
	bool cas, indirect;
	unsigned reasons; /* bits of ReasonFlags; 0 = all */
};
static X509_CRL *crl_scoped(const struct pki *by, X509 *revoked, long from_s, long to_s,
                            long number, long base, const struct scope *scope);

/* A CRL with an issuing distribution point and a number. */
static X509_CRL *crl_make(const struct pki *by, X509 *revoked, long from_s, long to_s, long number,
                          long base, const char *point, bool cas)
{
	return crl_scoped(by, revoked, from_s, to_s, number, base,
	                  &(struct scope){ .point = point, .cas = cas });
}

static DIST_POINT_NAME *point_name(const char *url)
{
	DIST_POINT_NAME *name = DIST_POINT_NAME_new();

	name->type = 0; /* fullName */
	name->name.fullname = sk_GENERAL_NAME_new_null();
	assert_true(sk_GENERAL_NAME_push(name->name.fullname,
	                                 a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_URI, url, 0)));
	return name;
}

static ASN1_BIT_STRING *reason_flags(unsigned reasons)
{
	ASN1_BIT_STRING *flags = ASN1_BIT_STRING_new();

	for (int bit = 1; bit <= 8; bit++)
		if (reasons >> bit & 1)
			assert_true(ASN1_BIT_STRING_set_bit(flags, bit, 1));
	return flags;
}

static void scope_add(X509_CRL *crl, const struct scope *scope)
{
	ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

	if (scope->cas)
		idp->onlyCA = 0xff;
	if (scope->indirect)
		idp->indirectCRL = 0xff;
	if (scope->reasons)
		idp->onlysomereasons = reason_flags(scope->reasons);
	if (scope->point)
		idp->distpoint = point_name(scope->point);
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1, 0), 1);
	ISSUING_DIST_POINT_free(idp);
}

/* Entries of another CA's certificates (RFC 5280, 5.3.3). */
static void entries_mark(X509_CRL *crl, const X509_NAME *issuer)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();

	GENERAL_NAME_set0_value(name, GEN_DIRNAME, X509_NAME_dup(issuer));
	assert_true(sk_GENERAL_NAME_push(names, name));
	for (int i = 0; i < sk_X509_REVOKED_num(all); i++)
		assert_int_equal(X509_REVOKED_add1_ext_i2d(sk_X509_REVOKED_value(all, i),
		                                           NID_certificate_issuer, names, 1, 0),
		                 1);
	GENERAL_NAMES_free(names);
}

static X509_CRL *crl_scoped(const struct pki *by, X509 *revoked, long from_s, long to_s,
                            long number, long base, const struct scope *scope)
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
	if (scope->point || scope->cas || scope->indirect || scope->reasons)
		scope_add(crl, scope);
	if (revoked && X509_NAME_cmp(X509_get_issuer_name(revoked), X509_CRL_get_issuer(crl)))
		entries_mark(crl, X509_get_issuer_name(revoked));
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

/* ---- CRLs for some reasons, and by others ---- */

#define REASON(bit) (1U << (bit))
#define ALL_REASONS 0x1feU

static void some(struct stage *s, X509 *revoked, long number, const char *point, unsigned reasons)
{
	put(s,
	    crl_scoped(&away, revoked, -PKI_DAY + number, LONG, number, 0,
	               &(struct scope){ .point = point, .reasons = reasons }),
	    away.key);
}

static void some_reasons(void **state)
{
	struct stage *s = *state;

	put(s, plain(&ica, NULL, 1), ica.key);
	some(s, NULL, 1, NULL, REASON(1) | REASON(2));
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	some(s, NULL, 1, POINT, ALL_REASONS & ~(REASON(1) | REASON(2) | REASON(8)));
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL"); /* one is wanting */
	some(s, NULL, 1, "http://crl.away.example/2.crl", REASON(8));
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL"); /* of another scope */
	some(s, NULL, 1, NULL, REASON(8));
	expect(ask(s), TRUST_OK, 0, "valid");
	some(s, server.cert, 2, NULL, REASON(8));
	expect(ask(s), TRUST_REVOKED, 0, "cached CRL");
}

static void one_of_them_condemns(void **state)
{
	struct stage *s = *state;

	put(s, plain(&ica, NULL, 1), ica.key);
	put(s, plain(&away, NULL, 1), away.key);
	some(s, server.cert, 1, NULL, REASON(1));
	expect(ask(s), TRUST_REVOKED, 0, "cached CRL");
}

/* A point: an address, reasons, an issuer; each may be left out. */
static DIST_POINT *point_make(const char *url, unsigned reasons, const X509_NAME *issuer)
{
	DIST_POINT *point = DIST_POINT_new();

	if (url)
		point->distpoint = point_name(url);
	if (reasons)
		point->reasons = reason_flags(reasons);
	if (issuer) {
		GENERAL_NAME *name = GENERAL_NAME_new();

		GENERAL_NAME_set0_value(name, GEN_DIRNAME, X509_NAME_dup(issuer));
		point->CRLissuer = sk_GENERAL_NAME_new_null();
		assert_true(sk_GENERAL_NAME_push(point->CRLissuer, name));
	}
	return point;
}

static void points_set(DIST_POINT *one, DIST_POINT *two)
{
	CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();

	assert_true(sk_DIST_POINT_push(points, one));
	if (two)
		assert_true(sk_DIST_POINT_push(points, two));
	assert_int_equal(X509_add1_ext_i2d(server.cert, NID_crl_distribution_points, points, 0,
	                                   X509V3_ADD_REPLACE),
	                 1);
	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	assert_true(X509_sign(server.cert, away.key, EVP_sha256()) > 0);
}

static void point_set(const char *url, unsigned reasons, const X509_NAME *issuer)
{
	points_set(point_make(url, reasons, issuer), NULL);
}

static void reasons_of_the_point(void **state)
{
	struct stage *s = *state;

	put(s, plain(&ica, NULL, 1), ica.key);
	point_set(POINT, REASON(1), NULL);
	put(s, crl_make(&away, NULL, -PKI_DAY, LONG, 1, 0, POINT, false), away.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	some(s, NULL, 1, NULL, ALL_REASONS & ~REASON(1));
	expect(ask(s), TRUST_OK, 0, "valid");
	point_set(POINT, 0, NULL);
}

static void indirect_by_the_issuer_itself(void **state)
{
	struct stage *s = *state;
	const struct scope scope = { .indirect = true };

	put(s, plain(&ica, NULL, 1), ica.key);
	put(s, crl_scoped(&away, NULL, -PKI_DAY, LONG, 1, 0, &scope), away.key);
	expect(ask(s), TRUST_OK, 0, "valid");
	put(s, crl_scoped(&away, server.cert, -PKI_DAY + 1, LONG, 2, 0, &scope), away.key);
	expect(ask(s), TRUST_REVOKED, 0, "cached CRL");
}

static void put_ca(struct stage *s, X509 *cert)
{
	assert_int_equal(trust_cache_write_cert(s->dir, TRUST_CACHE_CA, cert, NULL), 0);
	trust_store_unref(s->store); /* such certificates are read at load */
	s->store = NULL;
}

/* The CA's own CRL speaks for CAs alone: of the CRL issuer, and not of the peer. */
static void stage_indirect(struct stage *s, const X509_NAME *name)
{
	put(s, plain(&ica, NULL, 1), ica.key);
	put(s, crl_make(&away, NULL, -PKI_DAY, LONG, 1, 0, NULL, true), away.key);
	point_set(POINT, 0, name);
}

static void indirect_by_another(void **state)
{
	struct stage *s = *state;
	struct pki other = pki_make(
	        &(struct pki_spec){ .cn = "Away CRL issuer", .issuer = &away, .ca = true });
	const struct scope scope = { .point = POINT, .indirect = true };

	stage_indirect(s, X509_get_subject_name(other.cert));
	put(s, crl_scoped(&other, NULL, -PKI_DAY, LONG, 1, 0, &scope), other.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL"); /* who is that? */
	put_ca(s, other.cert);
	expect(ask(s), TRUST_OK, 0, "valid");
	put(s, crl_scoped(&other, server.cert, -PKI_DAY + 1, LONG, 2, 0, &scope), other.key);
	expect(ask(s), TRUST_REVOKED, 0, "cached CRL");
	put(s, crl_scoped(&other, NULL, -PKI_DAY + 2, LONG, 3, 0, &scope), other.key);
	expect(ask(s), TRUST_OK, 0, "valid");
	/* its own status counts, and is needed */
	put(s, crl_make(&away, other.cert, -PKI_DAY + 3, LONG, 2, 0, NULL, true), away.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	put(s, crl_make(&away, NULL, -PKI_DAY + 4, -60, 3, 0, NULL, true), away.key);
	assert_int_not_equal(ask(s).reason, TRUST_OK);
	pki_free(&other);
	point_set(POINT, 0, NULL);
}

static void indirect_by_nobodys_child(void **state)
{
	struct stage *s = *state;
	struct pki stranger = pki_ca("Stranger"), twin = pki_ca("Away TLS server CA");
	struct pki child = pki_make(
	        &(struct pki_spec){ .cn = "Away CRL issuer", .issuer = &stranger, .ca = true });
	struct pki twins = pki_make(
	        &(struct pki_spec){ .cn = "Away CRL issuer", .issuer = &twin, .ca = true });
	const struct scope scope = { .point = POINT, .indirect = true };

	stage_indirect(s, X509_get_subject_name(child.cert));
	put_ca(s, child.cert);
	put_ca(s, twins.cert);
	put(s, crl_scoped(&child, NULL, -PKI_DAY, LONG, 1, 0, &scope), child.key);
	put(s, crl_scoped(&twins, NULL, -PKI_DAY, LONG, 1, 0, &scope), twins.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	pki_free(&stranger);
	pki_free(&twin);
	pki_free(&child);
	pki_free(&twins);
	point_set(POINT, 0, NULL);
}

static void not_indirect_by_another(void **state)
{
	struct stage *s = *state;
	struct pki other = pki_make(
	        &(struct pki_spec){ .cn = "Away CRL issuer", .issuer = &away, .ca = true });

	stage_indirect(s, X509_get_subject_name(other.cert));
	put_ca(s, other.cert);
	put(s, crl_make(&other, NULL, -PKI_DAY, LONG, 1, 0, POINT, false), other.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	/* indirect, and the certificate names its issuer at another point (6.3.3 (b)(1)) */
	points_set(point_make(POINT, 0, NULL), point_make("http://crl.away.example/2.crl", 0,
	                                                  X509_get_subject_name(other.cert)));
	put(s,
	    crl_scoped(&other, NULL, -PKI_DAY, LONG, 1, 0,
	               &(struct scope){ .point = POINT, .indirect = true }),
	    other.key);
	expect(ask(s), TRUST_CRL_MISSING, 0, "no CRL");
	point_set(POINT, 0, NULL);
	pki_free(&other);
}

static void an_empty_folder_refuses_everybody_until_it_is_filled(void **state)
{
	struct stage *s = *state;
	struct trust_verdict v;

	folder_remove(s->dir);
	assert_int_equal(mkdir(s->dir, 0700), 0);
	free(s->ica_file);
	s->ica_file = pki_write_certs(s->dir, ".ica.pem", (X509 *[]){ ica.cert, NULL });
	v = ask(s);
	assert_int_equal(v.reason, TRUST_UNKNOWN_CA);
	assert_false(trust_store_vouches(s->store));
	trust_store_unref(s->store);
	s->store = NULL;
	assert_int_equal(trust_cache_write_cert(s->dir, TRUST_CACHE_CROSS, cross.cert, NULL), 0);
	v = ask(s);
	assert_int_equal(v.reason, TRUST_CRL_MISSING);
	assert_true(trust_store_vouches(s->store));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_new_crl_is_seen_without_a_reload),
		CASE(an_empty_folder_refuses_everybody_until_it_is_filled),
		CASE(out_of_date),
		CASE(another_key_of_that_name),
		CASE(scopes),
		CASE(deltas),
		CASE(some_reasons),
		CASE(one_of_them_condemns),
		CASE(reasons_of_the_point),
		CASE(indirect_by_the_issuer_itself),
		CASE(indirect_by_another),
		CASE(indirect_by_nobodys_child),
		CASE(not_indirect_by_another),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
