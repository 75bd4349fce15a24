/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions on paths: keys, hashes, revocation, the rules of RFC 5280. */
#include <openssl/x509v3.h>

#include "decide_stage.h"

static void weak_keys_and_hashes(void **state)
{
	struct pki_spec small = { .cn = "small", .rsa_bits = 1024 },
	                sha1 = { .cn = "sha1", .md = "SHA1" },
	                good = { .cn = "good", .rsa_bits = 2048 };
	struct trust_question q = { .methods = TRUST_CA };
	struct trust_store *store;
	struct pki ca, md5;
	struct trust_verdict v = ask_leaf(*state, &small, &q);

	expect(&v, TRUST_WEAK, 42, 0, "1024 bits");
	v = ask_leaf(*state, &good, &q);
	assert_true(v.authenticated);
	q.min_rsa_bits = 3072;
	v = ask_leaf(*state, &good, &q);
	assert_int_equal(v.reason, TRUST_WEAK);
	q.min_rsa_bits = 1024;
	v = ask_leaf(*state, &small, &q);
	assert_true(v.authenticated);
	v = ask_leaf(*state, &sha1, &q);
	expect(&v, TRUST_WEAK, 42, 0, "TS 33.310, 6.1.1");
	q.allow_sha1 = true;
	v = ask_leaf(*state, &sha1, &q);
	assert_true(v.authenticated);
	ca = pki_make(&(struct pki_spec){ .cn = "RSA CA", .ca = true, .rsa_bits = 2048 });
	md5 = pki_make(&(struct pki_spec){ .cn = "md5", .issuer = &ca, .md = "MD5" });
	store = store_of(*state, ca.cert, NULL, false);
	v = ask(store, &q, (X509 *[]){ md5.cert, NULL });
	assert_int_equal(v.reason, TRUST_WEAK);
	trust_store_unref(store);
	pki_free(&md5);
	pki_free(&ca);
}

static void fingerprint_does_not_excuse_a_weak_key(void **state)
{
	struct pki small = pki_make(&(struct pki_spec){ .cn = "small", .rsa_bits = 1024 });
	struct base_str der = pki_der(small.cert);
	struct x509_fingerprint fp;
	struct trust_question q = { .methods = TRUST_FINGERPRINT,
		                    .fingerprints = &fp,
		                    .fingerprint_count = 1 };
	struct trust_verdict v;

	(void)state;
	assert_int_equal(
	        x509_fingerprint_make(X509_HASH_SHA256, (const uint8_t *)der.ptr, der.len, &fp), 0);
	v = ask(NULL, &q, (X509 *[]){ small.cert, NULL });
	assert_int_equal(v.reason, TRUST_WEAK);
	pki_der_free(&der);
	pki_free(&small);
}

static void revocation(void **state)
{
	struct stage *s = *state;
	X509 *list[] = { s->leaf.cert, NULL }, *sub_list[] = { s->sub.cert, NULL };
	X509_CRL *root_crl = pki_crl(&s->root, NULL, -PKI_DAY, PKI_DAY),
	         *root_bad = pki_crl(&s->root, sub_list, -PKI_DAY, PKI_DAY),
	         *sub_crl = pki_crl(&s->sub, NULL, -PKI_DAY, PKI_DAY),
	         *sub_bad = pki_crl(&s->sub, list, -PKI_DAY, PKI_DAY),
	         *sub_old = pki_crl(&s->sub, NULL, -9 * PKI_DAY, -PKI_DAY),
	         *sub_bad_old = pki_crl(&s->sub, list, -9 * PKI_DAY, -PKI_DAY),
	         *sub_young = pki_crl(&s->sub, NULL, PKI_DAY, 2 * PKI_DAY);
	struct pki imposter = pki_make(&(struct pki_spec){ .cn = "Sub", .ca = true });
	X509_CRL *forged = pki_crl(&imposter, NULL, -PKI_DAY, PKI_DAY);
	const struct {
		X509_CRL *crls[3];
		bool required;
		enum trust_reason reason;
		unsigned alert;
		int depth;
	} rows[] = {
		{ { root_crl, sub_crl }, true, TRUST_OK, 0, 0 },
		{ { root_crl, sub_bad }, true, TRUST_REVOKED, 44, 0 },
		{ { root_bad, sub_crl }, true, TRUST_REVOKED, 44, 1 },
		{ { root_bad, sub_crl }, false, TRUST_REVOKED, 44, 1 },
		{ { root_crl }, true, TRUST_CRL_MISSING, 46, 0 },
		{ { sub_crl }, true, TRUST_CRL_MISSING, 46, 1 },
		{ { NULL }, true, TRUST_CRL_MISSING, 46, 0 },
		{ { root_crl, sub_old }, true, TRUST_CRL_STALE, 46, 0 },
		{ { root_crl, sub_young }, true, TRUST_CRL_STALE, 46, 0 },
		{ { root_crl, forged }, true, TRUST_CRL_MISSING, 46, 0 },
		/* not required: only what is known refuses */
		{ { NULL }, false, TRUST_OK, 0, 0 },
		{ { root_crl }, false, TRUST_OK, 0, 0 },
		{ { sub_crl }, false, TRUST_OK, 0, 0 },
		{ { sub_old }, false, TRUST_OK, 0, 0 },
		{ { sub_bad }, false, TRUST_REVOKED, 44, 0 },
		{ { sub_bad_old }, false, TRUST_REVOKED, 44, 0 },
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct trust_store *store =
		        store_of(s, s->root.cert, rows[i].crls, rows[i].required);
		struct trust_verdict v =
		        ask(store, &by_ca, (X509 *[]){ s->leaf.cert, s->sub.cert, NULL });

		if (v.reason != rows[i].reason)
			print_message("row %zu\n", i);
		expect(&v, rows[i].reason, rows[i].alert, rows[i].depth, "RFC 5280");
		trust_store_unref(store);
	}
	X509_CRL_free(root_crl);
	X509_CRL_free(root_bad);
	X509_CRL_free(sub_crl);
	X509_CRL_free(sub_bad);
	X509_CRL_free(sub_old);
	X509_CRL_free(sub_bad_old);
	X509_CRL_free(sub_young);
	X509_CRL_free(forged);
	pki_free(&imposter);
}

static void missing_crl_hides_no_revocation(void **state)
{
	struct stage *s = *state;
	X509 *list[] = { s->leaf.cert, NULL };
	X509_CRL *sub_bad = pki_crl(&s->sub, list, -PKI_DAY, PKI_DAY);
	struct trust_store *store =
	        store_of(s, s->root.cert, (X509_CRL *[]){ sub_bad, NULL }, true);
	struct trust_question q = { .methods = TRUST_CA, .continue_on = BIT(TRUST_CRL_MISSING) };
	struct trust_verdict v = ask(store, &q, (X509 *[]){ s->leaf.cert, s->sub.cert, NULL });

	assert_false(v.tolerated);
	assert_int_equal(v.reason, TRUST_REVOKED);
	assert_int_equal(v.failures, BIT(TRUST_REVOKED) | BIT(TRUST_CRL_MISSING));
	X509_CRL_free(sub_bad);
	trust_store_unref(store);
}

static void path_rules(void **state)
{
	struct stage *s = *state;
	struct trust_store *store = store_of(s, s->root.cert, NULL, false);
	struct pki not_ca = pki_leaf("not-a-ca", &s->root), below = pki_leaf("x", &not_ca);
	struct pki third =
	        pki_make(&(struct pki_spec){ .cn = "Third", .issuer = &s->sub, .ca = true });
	struct pki deep = pki_leaf("deep", &third);
	struct pki critical = pki_make(&(struct pki_spec){ .cn = "odd",
	                                                   .issuer = &s->root,
	                                                   .ext_nid = NID_netscape_comment,
	                                                   .ext = "critical,what is this" });
	struct pki fenced = pki_make(&(struct pki_spec){ .cn = "Fenced",
	                                                 .issuer = &s->root,
	                                                 .ca = true,
	                                                 .ext_nid = NID_name_constraints,
	                                                 .ext = "critical,permitted;DNS:home" });
	struct pki outside = pki_leaf("mg.example", &fenced), inside = pki_leaf("mg.home", &fenced);
	struct trust_verdict v = ask(store, &by_ca, (X509 *[]){ below.cert, not_ca.cert, NULL });

	assert_false(v.authenticated);
	v = ask(store, &by_ca, (X509 *[]){ deep.cert, third.cert, s->sub.cert, NULL });
	expect(&v, TRUST_PATH, 46, 2, "6.1.4 (l)");
	v = ask(store, &by_ca, (X509 *[]){ critical.cert, NULL });
	expect(&v, TRUST_PATH, 43, 0, "critical extension");
	v = ask(store, &by_ca, (X509 *[]){ outside.cert, fenced.cert, NULL });
	expect(&v, TRUST_PATH, 46, 0, "6.1.3 (b)");
	v = ask(store, &by_ca, (X509 *[]){ inside.cert, fenced.cert, NULL });
	assert_true(v.authenticated);
	pki_free(&not_ca);
	pki_free(&below);
	pki_free(&third);
	pki_free(&deep);
	pki_free(&critical);
	pki_free(&fenced);
	pki_free(&outside);
	pki_free(&inside);
	trust_store_unref(store);
}

static void long_chains_cost_nothing(void **state)
{
	struct stage *s = *state;
	X509 *certs[20] = { s->leaf.cert };
	struct trust_verdict v;

	for (size_t i = 1; i < 18; i++)
		certs[i] = s->sub.cert;
	v = ask(NULL, &by_ca, certs);
	expect(&v, TRUST_PATH, 46, 16, "18 certificates");
}

static void untrusted_files_complete_the_path(void **state)
{
	struct stage *s = *state;
	char *anchor = pki_write_certs(s->dir, "anchor.pem", (X509 *[]){ s->root.cert, NULL });
	char *extra = pki_write_certs(s->dir, "sub.pem", (X509 *[]){ s->sub.cert, NULL });
	struct trust_store *store = NULL;
	struct trust_verdict v;

	assert_int_equal(
	        trust_store_load(&store,
	                         &(struct trust_store_files){
	                                 .anchors = (const char *const[]){ anchor, NULL },
	                                 .untrusted = (const char *const[]){ extra, NULL } },
	                         NULL),
	        0);
	v = ask(store, &by_ca, (X509 *[]){ s->leaf.cert, NULL });
	assert_true(v.authenticated);
	assert_ptr_equal(trust_store_ref(store), store);
	trust_store_unref(store);
	trust_store_unref(store);
	free(anchor);
	free(extra);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weak_keys_and_hashes),
		cmocka_unit_test(fingerprint_does_not_excuse_a_weak_key),
		cmocka_unit_test(revocation),
		cmocka_unit_test(missing_crl_hides_no_revocation),
		cmocka_unit_test(path_rules),
		cmocka_unit_test(long_chains_cost_nothing),
		cmocka_unit_test(untrusted_files_complete_the_path),
	};

	return cmocka_run_group_tests(tests, decide_setup, decide_teardown);
}
