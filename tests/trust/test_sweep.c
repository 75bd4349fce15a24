/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A peer that was let in, held against what comes later: exactly the revoked one is condemned, by
 * the cache folder and by files, at each place of its path.
 */
#include <dirent.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "check.h"
#include "pki.h"
#include "trust/trust.h"

#define LONG (30 * PKI_DAY)

static struct pki ica, away, cross, server, other;

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
	server = pki_make(&(struct pki_spec){ .cn = "mg.away.example", .issuer = &away });
	other = pki_make(&(struct pki_spec){ .cn = "mg2.away.example", .issuer = &away });
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	pki_free(&ica);
	pki_free(&away);
	pki_free(&cross);
	pki_free(&server);
	pki_free(&other);
	return 0;
}

/* ---- where CRLs lie ---- */

struct stage {
	char *dir, *cache, *ica_file, *cross_file;
	struct trust_store *store;       /* what judges first */
	struct trust_standing *standing; /* of `server` */
};

static void folder_remove(char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		(void)closedir(d);
	(void)rmdir(dir);
	free(dir);
}

/* A CRL with that number, or a delta on `base`. */
static X509_CRL *crl_make(const struct pki *by, X509 *revoked, long from_s, long to_s, long number,
                          long base, int reason)
{
	X509_CRL *crl = pki_crl(by, revoked ? (X509 *[]){ revoked, NULL } : NULL, from_s, to_s);
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	assert_true(ASN1_INTEGER_set(n, number));
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0), 1);
	if (base) {
		assert_true(ASN1_INTEGER_set(n, base));
		assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
	}
	if (reason) {
		ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
		X509_REVOKED *one = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);

		assert_true(ASN1_ENUMERATED_set(code, reason));
		assert_int_equal(X509_REVOKED_add1_ext_i2d(one, NID_crl_reason, code, 0, 0), 1);
		ASN1_ENUMERATED_free(code);
	}
	ASN1_INTEGER_free(n);
	assert_true(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
	return crl;
}

/* As crl_make(), in force and without reason. */
static X509_CRL *plain(const struct pki *by, X509 *revoked, long number)
{
	return crl_make(by, revoked, -PKI_DAY + number, LONG, number, 0, 0);
}

static void put(struct stage *s, X509_CRL *crl, EVP_PKEY *signer)
{
	struct x509_crl_index *index = NULL;
	struct base_error err = { 0 };
	unsigned char *der = NULL;
	int len = i2d_X509_CRL(crl, &der);

	assert_int_equal(x509_crl_index_make(&index, der, (size_t)len, signer, &err), 0);
	assert_int_equal(trust_cache_write(s->cache, index, &err), 0);
	x509_crl_index_unref(index);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

/* A store with the cache folder, or with these files (freed here). */
static struct trust_store *store_new(struct stage *s, X509_CRL *const *crls)
{
	struct trust_store_files files = {
		.interconnect = true,
		.interconnection = (const char *[]){ s->ica_file, NULL },
		.cross_servers = (const char *[]){ s->cross_file, NULL },
		.cache = crls ? NULL : s->cache,
	};
	const char *paths[4] = { NULL };
	struct trust_store *store = NULL;

	for (size_t i = 0; crls && crls[i]; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "%zu.crl", i);
		paths[i] = pki_write_crl(s->dir, name, crls[i], true);
		X509_CRL_free(crls[i]);
	}
	files.crls = paths;
	assert_int_equal(trust_store_load(&store, &files, NULL), 0);
	for (size_t i = 0; paths[i]; i++) {
		(void)unlink(paths[i]);
		free((char *)paths[i]);
	}
	return store;
}

static struct trust_standing *ask(struct trust_store *store, X509 *cert, enum trust_reason reason)
{
	struct trust_standing *standing = NULL;
	struct base_str der = pki_der(cert);
	struct trust_verdict v;

	assert_int_equal(trust_decide(store,
	                              &(struct trust_question){ .methods = TRUST_CA,
	                                                        .peer_is_server = true,
	                                                        .ret_standing = &standing },
	                              &der, 1, &v),
	                 0);
	assert_int_equal(v.reason, reason);
	pki_der_free(&der);
	return standing;
}

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	s->dir = pki_dir_new();
	s->cache = pki_dir_new();
	s->ica_file = pki_write_certs(s->dir, "ica.pem", (X509 *[]){ ica.cert, NULL });
	s->cross_file = pki_write_certs(s->dir, "cross.pem", (X509 *[]){ cross.cert, NULL });
	put(s, plain(&away, NULL, 1), away.key);
	put(s, plain(&ica, NULL, 1), ica.key);
	s->store = store_new(s, NULL);
	s->standing = ask(s->store, server.cert, TRUST_OK);
	assert_non_null(s->standing);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	trust_standing_unref(s->standing);
	trust_store_unref(s->store);
	folder_remove(s->cache);
	folder_remove(s->dir);
	free(s->ica_file);
	free(s->cross_file);
	free(s);
	return 0;
}

/* ---- what is said ---- */

/* `words` NULL: nobody is condemned. */
static void expect(struct trust_store *store, const struct trust_standing *standing, int depth,
                   const char *words)
{
	struct trust_condemned why = { 0 };
	struct trust_sweep *sweep = NULL;
	bool condemned;

	assert_int_equal(trust_sweep_new(&sweep, store, 0), 0);
	condemned = trust_sweep_condemns(sweep, standing, &why);
	if (condemned != (words != NULL) || (words && !strstr(why.text, words)))
		print_message("got: %s\n", why.text);
	assert_int_equal(condemned, words != NULL);
	/* asked again: what was found for its issuers is kept */
	assert_int_equal(trust_sweep_condemns(sweep, standing, &why), condemned);
	if (words) {
		assert_int_equal(why.depth, depth);
		assert_non_null(strstr(why.text, words));
	}
	trust_sweep_free(sweep);
}

static void look(struct stage *s, int depth, const char *words)
{
	assert_true(trust_cache_refresh(trust_store_cache(s->store)) >= 0);
	expect(s->store, s->standing, depth, words);
}

static void by_files(struct stage *s, X509_CRL *const *crls, int depth, const char *words)
{
	struct trust_store *store = store_new(s, crls);

	expect(store, s->standing, depth, words);
	trust_store_unref(store);
}

/* ---- cases ---- */

static void the_peers_own_certificate(void **state)
{
	struct stage *s = *state;

	look(s, 0, NULL);
	put(s, crl_make(&away, server.cert, -PKI_DAY + 2, LONG, 2, 0, 1), away.key);
	look(s, 0, "revoked for keyCompromise by the cached CRL of CN=Away TLS server CA");
	by_files(s, (X509_CRL *[]){ plain(&ica, NULL, 2), plain(&away, server.cert, 2), NULL }, 0,
	         "revoked by the CRL of CN=Away TLS server CA");
}

static void the_cross_certificate(void **state)
{
	struct stage *s = *state;

	put(s, plain(&ica, cross.cert, 2), ica.key);
	look(s, 1, "by the cached CRL of CN=Home Interconnection CA");
	by_files(s, (X509_CRL *[]){ plain(&ica, cross.cert, 2), NULL }, 1,
	         "by the CRL of CN=Home Interconnection CA");
}

static void the_anchor_by_its_own_crl(void **state)
{
	struct stage *s = *state;

	put(s, plain(&ica, ica.cert, 2), ica.key);
	look(s, 2, "by the cached CRL of CN=Home Interconnection CA");
}

/* Others of the same issuer, and the same serial number of another issuer, are others. */
static void nobody_else(void **state)
{
	struct stage *s = *state;
	struct trust_standing *its = ask(s->store, other.cert, TRUST_OK);

	put(s, plain(&away, other.cert, 2), away.key);
	put(s, plain(&ica, server.cert, 2), ica.key);
	look(s, 0, NULL);
	expect(s->store, its, 0, "cached CRL of CN=Away TLS server CA");
	by_files(s,
	         (X509_CRL *[]){ plain(&ica, server.cert, 2), plain(&away, other.cert, 2), NULL },
	         0, NULL);
	trust_standing_unref(its);
}

/* Nothing is known for certain: that refuses who comes, and ends nobody. */
static void what_cannot_be_checked_ends_nobody(void **state)
{
	struct stage *s = *state;
	struct pki forger = { .cert = away.cert, .key = ica.key };

	by_files(s, (X509_CRL *[]){ NULL }, 0, NULL);
	by_files(s, (X509_CRL *[]){ crl_make(&away, server.cert, -LONG, -60, 2, 0, 0), NULL }, 0,
	         NULL);
	by_files(s, (X509_CRL *[]){ plain(&forger, server.cert, 2), NULL }, 0, NULL);
	put(s, plain(&forger, server.cert, 2), ica.key); /* well signed, by another key */
	look(s, 0, NULL);
	put(s, crl_make(&away, server.cert, -PKI_DAY + 2, -60, 2, 0, 0), away.key);
	look(s, 0, NULL);
}

/* RFC 5280, 5.2.4: a delta adds, and takes a hold back. */
static void deltas(void **state)
{
	struct stage *s = *state;

	put(s, crl_make(&away, server.cert, -PKI_DAY + 2, LONG, 2, 1, 1), away.key);
	look(s, 0, "revoked for keyCompromise");
	put(s, crl_make(&away, server.cert, -PKI_DAY + 3, LONG, 3, 0, 6), away.key);
	look(s, 0, "revoked for certificateHold");
	put(s, crl_make(&away, server.cert, -PKI_DAY + 4, LONG, 4, 3, 8), away.key);
	look(s, 0, NULL);
	by_files(s,
	         (X509_CRL *[]){ crl_make(&away, server.cert, -PKI_DAY, LONG, 3, 0, 6),
	                         crl_make(&away, server.cert, -PKI_DAY, LONG, 4, 3, 8), NULL },
	         0, NULL);
	by_files(s,
	         (X509_CRL *[]){ crl_make(&away, NULL, -PKI_DAY, LONG, 3, 0, 0),
	                         crl_make(&away, server.cert, -PKI_DAY, LONG, 4, 3, 1), NULL },
	         0, "revoked for keyCompromise");
}

static bool condemned_at(struct stage *s, int64_t now_s)
{
	struct trust_sweep *sweep = NULL;
	struct trust_condemned why;
	bool condemned;

	assert_int_equal(trust_sweep_new(&sweep, s->store, now_s), 0);
	condemned = trust_sweep_condemns(sweep, s->standing, &why);
	trust_sweep_free(sweep);
	return condemned;
}

/* A clock that is wrong ends nobody whom no CRL lists, and lets a revocation not go by that is
 * known. */
static void a_clock_that_is_wrong(void **state)
{
	struct stage *s = *state;
	int64_t now_s = (int64_t)time(NULL);

	assert_false(condemned_at(s, now_s - 10 * LONG));
	assert_false(condemned_at(s, now_s + 10 * LONG));
	put(s, plain(&away, server.cert, 2), away.key);
	assert_true(trust_cache_refresh(trust_store_cache(s->store)) == 1);
	assert_true(condemned_at(s, now_s - 10 * LONG)); /* a CRL of the future */
	assert_true(condemned_at(s, now_s + LONG - 60));
	assert_false(condemned_at(s, now_s + LONG + 60)); /* past nextUpdate it says nothing */
}

/* A fingerprint vouches for the certificate as it is; and who was refused rests on nothing. */
static void only_who_came_by_a_path(void **state)
{
	struct stage *s = *state;
	struct trust_standing *standing = NULL;
	struct base_str der = pki_der(server.cert);
	struct x509_fingerprint print;
	struct trust_verdict v;

	assert_int_equal(
	        x509_fingerprint_make(X509_HASH_SHA256, (const uint8_t *)der.ptr, der.len, &print),
	        0);
	assert_int_equal(
	        trust_decide(s->store,
	                     &(struct trust_question){ .methods = TRUST_CA | TRUST_FINGERPRINT,
	                                               .fingerprints = &print,
	                                               .fingerprint_count = 1,
	                                               .peer_is_server = true,
	                                               .ret_standing = &standing },
	                     &der, 1, &v),
	        0);
	assert_true(v.authenticated);
	assert_null(standing);
	pki_der_free(&der);
	put(s, plain(&away, server.cert, 2), away.key);
	assert_true(trust_cache_refresh(trust_store_cache(s->store)) == 1);
	assert_null(ask(s->store, server.cert, TRUST_REVOKED));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_peers_own_certificate),
		CASE(the_cross_certificate),
		CASE(the_anchor_by_its_own_crl),
		CASE(nobody_else),
		CASE(what_cannot_be_checked_ends_nobody),
		CASE(deltas),
		CASE(a_clock_that_is_wrong),
		CASE(only_who_came_by_a_path),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
