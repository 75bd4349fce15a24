/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions on who the peer is: certificates, fingerprints, names, dates, tolerance. */
#include <pthread.h>

#include "decide_stage.h"

static void good_chain(void **state)
{
	struct stage *s = *state;
	struct trust_store *store = store_of(s, s->root.cert, NULL, false);
	struct trust_question server = { .methods = TRUST_CA,
		                         .peer_is_server = true,
		                         .peer_name = "mg.example" };
	struct trust_verdict v = ask(store, &server, (X509 *[]){ s->leaf.cert, s->sub.cert, NULL });

	assert_true(v.authenticated);
	assert_int_equal(v.method, TRUST_CA);
	assert_string_equal(v.subject, "CN=mg.example");
	assert_int_equal(v.fingerprint.len, 32);
	/* order and surplus do not matter, a root in the chain neither */
	v = ask(store, &by_ca,
	        (X509 *[]){ s->leaf.cert, s->other_root.cert, s->root.cert, s->sub.cert, NULL });
	assert_true(v.authenticated);
	assert_int_equal(sk_X509_num(trust_store_anchors(store)), 1);
	trust_store_unref(store);
}

static void unknown_authorities(void **state)
{
	struct stage *s = *state;
	struct trust_store *store = store_of(s, s->other_root.cert, NULL, false);
	struct pki self = pki_make(&(struct pki_spec){ .cn = "self" });
	struct trust_verdict v =
	        ask(store, &by_ca, (X509 *[]){ s->leaf.cert, s->sub.cert, s->root.cert, NULL });

	expect(&v, TRUST_UNKNOWN_CA, 48, 2, "CN=Root");
	v = ask(store, &by_ca, (X509 *[]){ s->leaf.cert, NULL });
	expect(&v, TRUST_UNKNOWN_CA, 48, 0, "CN=mg.example");
	v = ask(store, &by_ca, (X509 *[]){ self.cert, NULL });
	expect(&v, TRUST_UNKNOWN_CA, 48, 0, "self-signed");
	v = ask(NULL, &by_ca, (X509 *[]){ self.cert, NULL });
	expect(&v, TRUST_UNKNOWN_CA, 48, 0, "RFC 5280");
	trust_store_unref(store);
	/* unless it is an anchor itself */
	store = store_of(s, self.cert, NULL, false);
	v = ask(store, &by_ca, (X509 *[]){ self.cert, NULL });
	assert_true(v.authenticated);
	trust_store_unref(store);
	pki_free(&self);
}

static void nothing_sent(void **state)
{
	struct trust_question print = { .methods = TRUST_FINGERPRINT };
	struct trust_verdict v = ask(NULL, &by_ca, NULL);

	(void)state;
	expect(&v, TRUST_NO_CERTIFICATE, 40, 0, "no certificate"); /* RFC 5246, 7.4.6 */
	v = ask(NULL, &print, NULL);
	expect(&v, TRUST_NO_CERTIFICATE, 42, 0, "no certificate"); /* RFC 8122, 6.2 */
}

static void no_method_is_no_proof(void **state)
{
	struct stage *s = *state;
	struct trust_question none = { .methods = 0 };
	struct trust_verdict v = ask(NULL, &none, (X509 *[]){ s->leaf.cert, NULL });

	assert_false(v.authenticated || v.tolerated);
	assert_int_equal(v.reason, TRUST_PATH);
}

static void dates(void **state)
{
	struct stage *s = *state;
	const struct pki_spec old = { .cn = "old", .from_s = -9 * PKI_DAY, .to_s = -PKI_DAY },
	                      young = { .cn = "young", .from_s = PKI_DAY, .to_s = 9 * PKI_DAY },
	                      fine = { .cn = "fine" };
	struct trust_question later = { .methods = TRUST_CA, .now_s = time(NULL) + 300 * PKI_DAY };
	struct trust_verdict v = ask_leaf(*state, &old, &by_ca);

	expect(&v, TRUST_EXPIRED, 45, 0, "6.1.3 (a)(2)");
	assert_non_null(strstr(v.text, "CN=old"));
	v = ask_leaf(s, &young, &by_ca);
	expect(&v, TRUST_NOT_YET_VALID, 45, 0, "CN=young");
	/* the clock is the question's */
	v = ask_leaf(s, &fine, &later);
	assert_true(v.authenticated);
	later.now_s += 100 * PKI_DAY;
	v = ask_leaf(s, &fine, &later);
	assert_int_equal(v.reason, TRUST_EXPIRED);
}

static void tolerance_needs_all_else_right(void **state)
{
	struct stage *s = *state;
	struct trust_question q = { .methods = TRUST_CA, .continue_on = BIT(TRUST_EXPIRED) };
	const struct pki_spec old = { .cn = "old", .from_s = -9 * PKI_DAY, .to_s = -PKI_DAY },
	                      worse = { .cn = "worse",
		                        .from_s = -9 * PKI_DAY,
		                        .to_s = -PKI_DAY,
		                        .eku = "codeSigning" };
	struct pki foreign = pki_make(&(struct pki_spec){ .cn = "foreign",
	                                                  .issuer = &s->other_root,
	                                                  .from_s = -9 * PKI_DAY,
	                                                  .to_s = -PKI_DAY });
	struct trust_store *store = store_of(s, s->root.cert, NULL, false);
	struct trust_verdict v = ask_leaf(s, &old, &q);

	assert_true(v.tolerated);
	assert_int_equal(v.failures, BIT(TRUST_EXPIRED));
	v = ask_leaf(s, &worse, &q);
	assert_false(v.tolerated);
	assert_int_equal(v.failures, BIT(TRUST_EXPIRED) | BIT(TRUST_WRONG_PURPOSE));
	v = ask(store, &q, (X509 *[]){ foreign.cert, s->other_root.cert, NULL });
	assert_false(v.tolerated);
	expect(&v, TRUST_UNKNOWN_CA, 48, 1, "CN=Other");
	assert_true(v.failures & BIT(TRUST_EXPIRED));
	q.continue_on |= BIT(TRUST_UNKNOWN_CA);
	v = ask(store, &q, (X509 *[]){ foreign.cert, s->other_root.cert, NULL });
	assert_true(v.tolerated);
	trust_store_unref(store);
	pki_free(&foreign);
}

static void forged_signature_is_never_tolerated_as_expired(void **state)
{
	struct stage *s = *state;
	struct trust_question q = { .methods = TRUST_CA,
		                    .continue_on = BIT(TRUST_EXPIRED) | BIT(TRUST_UNKNOWN_CA) };
	struct trust_store *store = store_of(s, s->root.cert, NULL, false);
	struct pki fake_sub = pki_make(&(struct pki_spec){ .cn = "Sub", .ca = true });
	struct pki forged = pki_leaf("mg.example", &fake_sub);
	struct base_str chain[2] = { pki_der(s->leaf.cert), pki_der(s->sub.cert) };
	struct trust_verdict v;

	/* the issuer's name is right, its key is not */
	v = ask(store, &by_ca, (X509 *[]){ forged.cert, s->sub.cert, NULL });
	assert_false(v.authenticated);
	((char *)chain[0].ptr)[chain[0].len - 1] ^= 1;
	assert_int_equal(trust_decide(store, &q, chain, 2, &v), 0);
	assert_false(v.authenticated || v.tolerated);
	expect(&v, TRUST_PATH, 42, 0, "6.1.3 (a)(1)");
	pki_der_free(&chain[0]);
	pki_der_free(&chain[1]);
	pki_free(&forged);
	pki_free(&fake_sub);
	trust_store_unref(store);
}

static void malformed(void **state)
{
	struct stage *s = *state;
	struct trust_store *store = store_of(s, s->root.cert, NULL, false);
	struct base_str good = pki_der(s->leaf.cert);
	struct base_str chain[2] = { { good.ptr, good.len - 1 }, BASE_STR("\x30\x03\x02\x01") };
	struct trust_verdict v;

	assert_int_equal(trust_decide(store, &by_ca, chain, 1, &v), 0);
	expect(&v, TRUST_MALFORMED, 42, 0, "malformed");
	chain[0] = good;
	assert_int_equal(trust_decide(store, &by_ca, chain, 2, &v), 0);
	expect(&v, TRUST_MALFORMED, 42, 1, "malformed");
	chain[0] = BASE_STR("");
	assert_int_equal(trust_decide(store, &by_ca, chain, 1, &v), 0);
	assert_int_equal(v.reason, TRUST_MALFORMED);
	pki_der_free(&good);
	trust_store_unref(store);
}

static void fingerprints(void **state)
{
	struct stage *s = *state;
	struct pki self = pki_make(
	        &(struct pki_spec){ .cn = "self", .from_s = -9 * PKI_DAY, .to_s = -PKI_DAY });
	struct base_str der = pki_der(self.cert);
	struct x509_fingerprint fp[2];
	struct trust_question q = { .methods = TRUST_FINGERPRINT };
	struct trust_verdict v = ask(NULL, &q, (X509 *[]){ self.cert, NULL });

	expect(&v, TRUST_NO_FINGERPRINT, 46, 0, "8.3.2.2.1");
	q.fingerprints = fp;
	for (unsigned i = 0; i < X509_HASH_COUNT; i++) {
		assert_int_equal(x509_fingerprint_make((enum x509_hash)i, (const uint8_t *)der.ptr,
		                                       der.len, fp),
		                 0);
		q.fingerprint_count = 1;
		v = ask(NULL, &q, (X509 *[]){ self.cert, NULL });
		assert_true(v.authenticated);
		assert_int_equal(v.method, TRUST_FINGERPRINT);
	}
	fp[0].octets[3] ^= 1;
	v = ask(NULL, &q, (X509 *[]){ self.cert, NULL });
	expect(&v, TRUST_FINGERPRINT_MISMATCH, 42, 0, "RFC 8122, 6.2");
	/* one of several certificates (RFC 8122, 5.1) */
	fp[1] = fp[0];
	fp[1].octets[3] ^= 1;
	q.fingerprint_count = 2;
	v = ask(NULL, &q, (X509 *[]){ self.cert, NULL });
	assert_true(v.authenticated);
	/* the most preferred hash decides: a matching SHA-1 does not help a wrong SHA-256 */
	assert_int_equal(
	        x509_fingerprint_make(X509_HASH_SHA1, (const uint8_t *)der.ptr, der.len, &fp[0]),
	        0);
	assert_int_equal(x509_fingerprint_make(X509_HASH_SHA256, (const uint8_t *)"x", 1, &fp[1]),
	                 0);
	v = ask(NULL, &q, (X509 *[]){ self.cert, NULL });
	assert_int_equal(v.reason, TRUST_FINGERPRINT_MISMATCH);
	/* what counts is the certificate, not the peer's chain */
	v = ask(NULL, &q, (X509 *[]){ s->leaf.cert, self.cert, NULL });
	assert_int_equal(v.reason, TRUST_FINGERPRINT_MISMATCH);
	pki_der_free(&der);
	pki_free(&self);
}

static void either_method_suffices(void **state)
{
	struct stage *s = *state;
	struct trust_store *store = store_of(s, s->root.cert, NULL, false);
	struct trust_question q = { .methods = TRUST_CA | TRUST_FINGERPRINT };
	struct pki self = pki_make(&(struct pki_spec){ .cn = "self" });
	struct base_str der = pki_der(self.cert);
	struct x509_fingerprint fp;
	struct trust_verdict v;

	assert_int_equal(
	        x509_fingerprint_make(X509_HASH_SHA256, (const uint8_t *)der.ptr, der.len, &fp), 0);
	v = ask(store, &q, (X509 *[]){ s->leaf.cert, s->sub.cert, NULL });
	assert_true(v.authenticated);
	v = ask(store, &q, (X509 *[]){ self.cert, NULL });
	assert_int_equal(v.reason, TRUST_UNKNOWN_CA); /* no fingerprint given: the path decides */
	q.fingerprints = &fp;
	q.fingerprint_count = 1;
	v = ask(store, &q, (X509 *[]){ self.cert, NULL });
	assert_true(v.authenticated);
	assert_int_equal(v.method, TRUST_FINGERPRINT);
	v = ask(store, &q, (X509 *[]){ s->leaf.cert, s->sub.cert, NULL });
	assert_true(v.authenticated);
	assert_int_equal(v.method, TRUST_CA);
	v = ask(store, &q, (X509 *[]){ s->other_root.cert, NULL });
	assert_int_equal(v.reason, TRUST_FINGERPRINT_MISMATCH);
	pki_der_free(&der);
	pki_free(&self);
	trust_store_unref(store);
}

static void purposes(void **state)
{
	const struct pki_spec server = { .cn = "s", .eku = "serverAuth" },
	                      client = { .cn = "c", .eku = "clientAuth" },
	                      any = { .cn = "a", .eku = "" },
	                      usage = { .cn = "u", .usage = "critical,dataEncipherment" };
	struct trust_question as_server = { .methods = TRUST_CA, .peer_is_server = true };
	struct trust_verdict v = ask_leaf(*state, &server, &by_ca);

	expect(&v, TRUST_WRONG_PURPOSE, 43, 0, "CN=s");
	v = ask_leaf(*state, &server, &as_server);
	assert_true(v.authenticated);
	v = ask_leaf(*state, &client, &as_server);
	expect(&v, TRUST_WRONG_PURPOSE, 43, 0, "CN=c");
	v = ask_leaf(*state, &client, &by_ca);
	assert_true(v.authenticated);
	v = ask_leaf(*state, &any, &as_server);
	assert_true(v.authenticated);
	v = ask_leaf(*state, &usage, &as_server);
	expect(&v, TRUST_WRONG_PURPOSE, 43, 0, "CN=u");
}

static void names(void **state)
{
	static const struct {
		const char *cn, *dns, *asked;
		bool ok;
	} rows[] = {
		{ "x", "mg.example", "mg.example", true },
		{ "x", "mg.example", "MG.Example", true },
		{ "x", "mg.example", "g.example", false },
		{ "x", "mg.example", "x.mg.example", false },
		{ "x", "*.home.example", "mg.home.example", true },
		{ "x", "*.home.example", "a.mg.home.example", false },
		{ "x", "m*.home.example", "mg.home.example", false },
		{ "cn.example", NULL, "cn.example", true }, /* RFC 6125, 6.4.4: last resort */
		{ "cn.example", "mg.example", "cn.example", false },
		{ "x", "mg.example", "", false },
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct pki_spec spec = { .cn = rows[i].cn, .dns = rows[i].dns };
		struct trust_question q = { .methods = TRUST_CA, .peer_name = rows[i].asked };
		struct trust_verdict v = ask_leaf(*state, &spec, &q);

		assert_int_equal(v.authenticated, rows[i].ok);
		if (!rows[i].ok)
			expect(&v, TRUST_WRONG_NAME, 46, 0, "RFC 6125, 6.4");
	}
}

/* RFC 5922, 7.1 and 7.2 */
static void sip_domains(void **state)
{
	static const struct {
		const char *cn, *dns, *san, *asked, *domains;
		bool ok;
	} rows[] = {
		{ "x", "sip.example", NULL, "sip:sip.example", "sip.example", true },
		{ "x", "sip.example", NULL, "sip:SIP.Example", "sip.example", true },
		{ "x", "sip.example", NULL, "sip:example", "sip.example", false },
		{ "x", "sip.example", NULL, "sip:a.sip.example", "sip.example", false },
		{ "x", "sip.example", NULL, "sip:", "sip.example", true },
		{ "x", "*.example", NULL, "sip:a.example", "*.example", false },
		{ "cn.example", NULL, NULL, "sip:cn.example", NULL, true },
		{ "*.example", NULL, NULL, "sip:cn.example", NULL, false },
		/* a sip URI makes dNSNames count for nothing */
		{ "x", NULL, "URI:SIP:core.example,DNS:other.example", "sip:core.example",
		  "core.example", true },
		{ "x", NULL, "URI:sip:core.example,DNS:other.example", "sip:other.example",
		  "core.example", false },
		{ "x", NULL, "URI:sip:a.example;transport=tls,URI:sip:b.example:5061",
		  "sip:b.example", "a.example b.example", true },
		/* those identify no domain */
		{ "x", NULL, "URI:sip:bob@core.example,DNS:other.example", "sip:core.example",
		  "other.example", false },
		{ "x", NULL, "URI:sips:core.example,DNS:other.example", "sip:other.example",
		  "other.example", true },
		{ "core.example", NULL, "URI:http://core.example/", "sip:core.example", NULL,
		  false },
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct pki_spec spec = { .cn = rows[i].cn,
			                 .dns = rows[i].dns,
			                 .ext_nid = rows[i].san ? NID_subject_alt_name : 0,
			                 .ext = rows[i].san };
		char *domains = NULL;
		struct trust_question q = { .methods = TRUST_CA,
			                    .peer_name = rows[i].asked,
			                    .ret_sip_domains = &domains };
		struct trust_verdict v = ask_leaf(*state, &spec, &q);

		if (v.authenticated != rows[i].ok)
			fail_msg("row %zu: %s", i, v.text);
		if (!rows[i].ok)
			expect(&v, TRUST_WRONG_NAME, 46, 0, "RFC 5922, 7.2");
		assert_string_equal(domains ? domains : "-",
		                    rows[i].domains ? rows[i].domains : "-");
		free(domains);
	}
	assert_true(trust_sip_domain_in("a.example b.example", BASE_STR("B.example")));
	assert_false(trust_sip_domain_in("a.example b.example", BASE_STR("a.example b.example")));
	assert_false(trust_sip_domain_in(NULL, BASE_STR("a")));
	assert_false(trust_sip_domain_in("a.example", BASE_STR("")));
}

static void san_without_dns_closes_the_cn(void **state)
{
	struct pki_spec spec = { .cn = "cn.example",
		                 .ext_nid = NID_subject_alt_name,
		                 .ext = "URI:sip:cn.example" };
	struct trust_question q = { .methods = TRUST_CA, .peer_name = "cn.example" };
	struct trust_verdict v = ask_leaf(*state, &spec, &q);

	assert_int_equal(v.reason, TRUST_WRONG_NAME);
}

static void bad_files_are_named(void **state)
{
	struct stage *s = *state;
	char *junk = pki_write(s->dir, "junk.crl", "junk", 4);
	struct trust_store *store = NULL;
	struct base_error err = { 0 };

	assert_int_equal(
	        base_err_class(trust_store_load(
	                &store,
	                &(struct trust_store_files){ .crls = (const char *const[]){ junk, NULL } },
	                &err)),
	        BASE_CONFIG);
	assert_null(store);
	assert_string_equal(err.file, junk);
	assert_non_null(strstr(err.text, "neither PEM nor one DER CRL"));
	free(junk);
}

static void reason_names(void **state)
{
	enum trust_reason back;

	(void)state;
	for (unsigned i = 1; i < TRUST_REASON_COUNT; i++) {
		assert_int_equal(
		        trust_reason_parse(base_str_of(trust_reason_name((enum trust_reason)i)),
		                           &back),
		        0);
		assert_int_equal(back, i);
	}
	assert_int_not_equal(trust_reason_parse(BASE_STR("ok"), &back), 0);
}

struct thread_work {
	struct trust_store *store;
	struct base_str chain[2];
	unsigned good;
};

static void *thread_main(void *arg)
{
	struct thread_work *work = arg;

	for (int i = 0; i < 50; i++) {
		struct trust_verdict v;

		if (trust_decide(work->store, &by_ca, work->chain, 2, &v) == 0)
			work->good += v.authenticated;
	}
	return NULL;
}

static void many_threads_share_a_store(void **state)
{
	struct stage *s = *state;
	X509_CRL *crls[] = { pki_crl(&s->root, NULL, -PKI_DAY, PKI_DAY),
		             pki_crl(&s->sub, NULL, -PKI_DAY, PKI_DAY), NULL };
	struct thread_work work[4];
	pthread_t thread[4];

	work[0] = (struct thread_work){ store_of(s, s->root.cert, crls, true),
		                        { pki_der(s->leaf.cert), pki_der(s->sub.cert) },
		                        0 };
	for (int i = 0; i < 4; i++) {
		work[i] = work[0];
		work[i].good = 0;
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, thread_main, &work[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(work[i].good, 50);
	}
	trust_store_unref(work[0].store);
	pki_der_free(&work[0].chain[0]);
	pki_der_free(&work[0].chain[1]);
	X509_CRL_free(crls[0]);
	X509_CRL_free(crls[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_chain),
		cmocka_unit_test(unknown_authorities),
		cmocka_unit_test(nothing_sent),
		cmocka_unit_test(no_method_is_no_proof),
		cmocka_unit_test(dates),
		cmocka_unit_test(tolerance_needs_all_else_right),
		cmocka_unit_test(forged_signature_is_never_tolerated_as_expired),
		cmocka_unit_test(malformed),
		cmocka_unit_test(fingerprints),
		cmocka_unit_test(either_method_suffices),
		cmocka_unit_test(purposes),
		cmocka_unit_test(names),
		cmocka_unit_test(sip_domains),
		cmocka_unit_test(san_without_dns_closes_the_cn),
		cmocka_unit_test(bad_files_are_named),
		cmocka_unit_test(reason_names),
		cmocka_unit_test(many_threads_share_a_store),
	};

	return cmocka_run_group_tests(tests, decide_setup, decide_teardown);
}
