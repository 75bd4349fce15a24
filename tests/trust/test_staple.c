/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * OCSP staples in place of a CRL (RFC 6960; RFC 6066, 8): an own TLS server CA, one server, no CRL
 * but those a case brings.
 */
#include <time.h>

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "check.h"
#include "pki.h"
#include "trust/trust.h"

#define ALERT_BAD_STATUS 113

static struct pki ca, server, other;

static int group_setup(void **state)
{
	(void)state;
	ca = pki_ca("TLS server CA");
	server = pki_leaf("mg.example", &ca);
	other = pki_leaf("mg2.example", &ca);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	pki_free(&ca);
	pki_free(&server);
	pki_free(&other);
	return 0;
}

struct staple {
	const struct pki *signer; /* NULL = ca */
	X509 *about;              /* NULL = server */
	int status;               /* V_OCSP_CERTSTATUS_... */
	long from_s, to_s;        /* both 0: an hour ago to in a day; to_s 0: no nextUpdate */
	const EVP_MD *id_hash;    /* NULL = SHA-1 */
	bool break_signature;
};

static struct base_str staple_make(const struct staple *spec)
{
	const struct pki *signer = spec->signer ? spec->signer : &ca;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(spec->id_hash ? spec->id_hash : EVP_sha1(),
	                                  spec->about ? spec->about : server.cert, ca.cert);
	bool usual = !spec->from_s && !spec->to_s;
	ASN1_TIME *from = X509_gmtime_adj(NULL, usual ? -3600 : spec->from_s),
	          *to = usual || spec->to_s ? X509_gmtime_adj(NULL, usual ? PKI_DAY : spec->to_s)
	                                    : NULL,
	          *at = spec->status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL;
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int len;

	assert_non_null(OCSP_basic_add1_status(basic, id, spec->status, 0, at, from, to));
	assert_int_equal(OCSP_basic_sign(basic, signer->cert, signer->key, EVP_sha256(), NULL, 0),
	                 1);
	if (spec->break_signature)
		((ASN1_OCTET_STRING *)OCSP_resp_get0_signature(basic))->data[12] ^= 1;
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	assert_true(len > 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return (struct base_str){ (const char *)der, (size_t)len };
}

static struct trust_verdict judge(struct base_str staple, X509_CRL *crl, bool staples)
{
	char *dir = pki_dir_new(),
	     *file = pki_write_certs(dir, "ca.pem", (X509 *[]){ ca.cert, NULL }),
	     *crl_file = crl ? pki_write_crl(dir, "ca.crl", crl, true) : NULL;
	struct trust_store *store = NULL;
	struct base_str der = pki_der(server.cert);
	struct trust_verdict v;

	assert_int_equal(trust_store_load(&store,
	                                  &(struct trust_store_files){
	                                          .interconnect = true,
	                                          .ocsp_staples = staples,
	                                          .server_cas = (const char *[]){ file, NULL },
	                                          .crls = (const char *[]){ crl_file, NULL } },
	                                  NULL),
	                 0);
	assert_int_equal(trust_decide(store,
	                              &(struct trust_question){ .methods = TRUST_CA,
	                                                        .peer_is_server = true,
	                                                        .staple = staple },
	                              &der, 1, &v),
	                 0);
	trust_store_unref(store);
	pki_der_free(&der);
	free(file);
	free(crl_file);
	pki_dir_remove(dir);
	return v;
}

static void expect(struct trust_verdict v, enum trust_reason reason, unsigned alert,
                   const char *words)
{
	if (v.reason != reason || v.alert != alert || !strstr(v.text, words))
		print_message("got %s, alert %u: %s\n", trust_reason_name(v.reason), v.alert,
		              v.text);
	assert_int_equal(v.reason, reason);
	assert_int_equal(v.authenticated, reason == TRUST_OK);
	assert_int_equal(v.alert, alert);
	assert_non_null(strstr(v.text, words));
}

static struct trust_verdict with(const struct staple *spec)
{
	struct base_str staple = staple_make(spec);
	struct trust_verdict v = judge(staple, NULL, true);

	pki_der_free(&staple);
	return v;
}

static void a_staple_stands_in_for_a_crl(void **state)
{
	struct base_str staple = staple_make(&(struct staple){ 0 });

	(void)state;
	expect(judge(staple, NULL, true), TRUST_OK, 0, "valid");
	expect(judge((struct base_str){ 0 }, NULL, true), TRUST_CRL_MISSING, 46, "no CRL");
	/* only where the domain takes staples */
	expect(judge(staple, NULL, false), TRUST_CRL_MISSING, 46, "no CRL");
	pki_der_free(&staple);
	expect(with(&(struct staple){ .id_hash = EVP_sha256() }), TRUST_OK, 0, "valid");
}

static void revocation_is_heard_from_either(void **state)
{
	struct base_str good = staple_make(&(struct staple){ 0 }),
	                bad = staple_make(&(struct staple){ .status = V_OCSP_CERTSTATUS_REVOKED });
	X509_CRL *clean = pki_crl(&ca, NULL, -PKI_DAY, PKI_DAY),
	         *lists = pki_crl(&ca, (X509 *[]){ server.cert, NULL }, -PKI_DAY, PKI_DAY);

	(void)state;
	expect(judge(bad, NULL, true), TRUST_REVOKED, 44, "staple says revoked");
	expect(judge(bad, clean, true), TRUST_REVOKED, 44, "staple says revoked");
	expect(judge(good, lists, true), TRUST_REVOKED, 44, "CRL of");
	expect(judge(good, clean, true), TRUST_OK, 0, "valid");
	X509_CRL_free(clean);
	X509_CRL_free(lists);
	pki_der_free(&good);
	pki_der_free(&bad);
}

static void unsatisfactory_staples_refuse(void **state)
{
	X509_CRL *clean = pki_crl(&ca, NULL, -PKI_DAY, PKI_DAY);
	struct base_str other_one = staple_make(&(struct staple){ .about = other.cert });

	(void)state;
	expect(with(&(struct staple){ .status = V_OCSP_CERTSTATUS_UNKNOWN }), TRUST_CRL_MISSING,
	       ALERT_BAD_STATUS, "does not know");
	expect(with(&(struct staple){ .about = other.cert }), TRUST_CRL_MISSING, ALERT_BAD_STATUS,
	       "another certificate");
	expect(with(&(struct staple){ .break_signature = true }), TRUST_CRL_MISSING,
	       ALERT_BAD_STATUS, "signed");
	expect(judge(base_str_of("nonsense"), NULL, true), TRUST_CRL_MISSING, ALERT_BAD_STATUS,
	       "read");
	/* "MUST abort the handshake if the response is not satisfactory" (RFC 6066, 8) */
	expect(judge(other_one, clean, true), TRUST_CRL_MISSING, ALERT_BAD_STATUS,
	       "another certificate");
	pki_der_free(&other_one);
	X509_CRL_free(clean);
}

static void stale_staples_refuse(void **state)
{
	(void)state;
	expect(with(&(struct staple){ .from_s = -PKI_DAY, .to_s = -60 }), TRUST_CRL_STALE,
	       ALERT_BAD_STATUS, "fresh");
	expect(with(&(struct staple){ .from_s = 3600, .to_s = PKI_DAY }), TRUST_CRL_STALE,
	       ALERT_BAD_STATUS, "fresh");
	expect(with(&(struct staple){ .from_s = -60 }), TRUST_CRL_STALE, ALERT_BAD_STATUS, "fresh");
	/* a clock a little ahead of ours */
	expect(with(&(struct staple){ .from_s = 60, .to_s = PKI_DAY }), TRUST_OK, 0, "valid");
}

static struct pki responder(const struct pki *by, const char *eku, const char *usage, bool nocheck,
                            long to_s)
{
	return pki_make(&(struct pki_spec){ .cn = "OCSP responder",
	                                    .issuer = by,
	                                    .eku = eku,
	                                    .usage = usage,
	                                    .from_s = -PKI_DAY,
	                                    .to_s = to_s,
	                                    .ext_nid = nocheck ? NID_id_pkix_OCSP_noCheck : 0,
	                                    .ext = "ignored" });
}

static void responders_need_to_be_authorised(void **state)
{
	struct pki twin = pki_ca("TLS server CA");
	const struct {
		const struct pki *by;
		const char *eku, *usage;
		bool nocheck, good;
		long to_s;
	} rows[] = {
		{ &ca, "OCSPSigning", NULL, true, true, PKI_DAY },
		{ &ca, "serverAuth", NULL, true, false, PKI_DAY },
		{ &ca, "", NULL, true, false, PKI_DAY },
		{ &ca, "OCSPSigning", "critical,keyAgreement", true, false, PKI_DAY },
		{ &ca, "OCSPSigning", NULL, true, false, -60 },
		{ &twin, "OCSPSigning", NULL, true, false, PKI_DAY },
		{ NULL, "OCSPSigning", NULL, true, false, PKI_DAY },
		/* has to be checked itself, and there is no CRL */
		{ &ca, "OCSPSigning", NULL, false, false, PKI_DAY },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct pki by = responder(rows[i].by, rows[i].eku, rows[i].usage, rows[i].nocheck,
		                          rows[i].to_s);
		struct trust_verdict v = with(&(struct staple){ .signer = &by });

		if (rows[i].good)
			expect(v, TRUST_OK, 0, "valid");
		else
			expect(v, TRUST_CRL_MISSING, ALERT_BAD_STATUS, "signed");
		pki_free(&by);
	}
	pki_free(&twin);
}

static void a_revoked_responder_says_nothing(void **state)
{
	struct pki by = responder(&ca, "OCSPSigning", NULL, false, PKI_DAY);
	struct base_str staple = staple_make(&(struct staple){ .signer = &by });
	X509_CRL *clean = pki_crl(&ca, NULL, -PKI_DAY, PKI_DAY),
	         *lists = pki_crl(&ca, (X509 *[]){ by.cert, NULL }, -PKI_DAY, PKI_DAY);

	(void)state;
	expect(judge(staple, clean, true), TRUST_OK, 0, "valid");
	expect(judge(staple, lists, true), TRUST_CRL_MISSING, ALERT_BAD_STATUS, "signed");
	X509_CRL_free(clean);
	X509_CRL_free(lists);
	pki_der_free(&staple);
	pki_free(&by);
}

/* -- our own --------------------------------------------------------------------------------- */

static enum trust_reason own(struct base_str der, const struct pki *const *chain, int64_t *until_s,
                             const char *words)
{
	struct x509_identity *identity = pki_identity(&server, chain);
	char text[200];
	enum trust_reason reason = trust_staple_own(NULL, identity, der, (int64_t)time(NULL),
	                                            until_s, text, sizeof(text));

	if (!strstr(text, words))
		fail_msg("no '%s' in: %s", words, text);
	assert_int_equal(reason == TRUST_OK, *until_s > 0);
	x509_identity_unref(identity);
	return reason;
}

static void own_staples_are_judged_as_others(void **state)
{
	struct pki twin = pki_ca("TLS server CA"); /* of that name, with another key */
	const struct pki *const chain[] = { &ca, NULL }, *const none[] = { NULL },
	                        *const wrong[] = { &twin, NULL };
	const struct {
		struct staple spec;
		enum trust_reason reason;
		const char *words;
	} rows[] = {
		{ { 0 }, TRUST_OK, "good" },
		{ { .status = V_OCSP_CERTSTATUS_REVOKED }, TRUST_REVOKED, "revoked" },
		{ { .status = V_OCSP_CERTSTATUS_UNKNOWN }, TRUST_CRL_MISSING, "does not know" },
		{ { .about = other.cert }, TRUST_CRL_MISSING, "another certificate" },
		{ { .break_signature = true }, TRUST_CRL_MISSING, "signed" },
		{ { .signer = &twin }, TRUST_CRL_MISSING, "signed" },
		{ { .from_s = -PKI_DAY, .to_s = -60 }, TRUST_CRL_STALE, "fresh" },
		{ { .from_s = -60 }, TRUST_CRL_STALE, "fresh" },
	};
	int64_t until_s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct base_str der = staple_make(&rows[i].spec), more = der;
		char *longer = calloc(1, der.len + 1);

		assert_int_equal(own(der, chain, &until_s, rows[i].words), rows[i].reason);
		assert_int_equal(own(der, none, &until_s, "not known"), TRUST_UNKNOWN_CA);
		assert_int_equal(own(der, wrong, &until_s, "not known"), TRUST_UNKNOWN_CA);
		memcpy(longer, der.ptr, der.len);
		more = (struct base_str){ longer, der.len + 1 };
		assert_int_equal(own(more, chain, &until_s, "read"), TRUST_CRL_MISSING);
		more.len = der.len - 1;
		assert_int_equal(own(more, chain, &until_s, "read"), TRUST_CRL_MISSING);
		free(longer);
		pki_der_free(&der);
	}
	assert_int_equal(own((struct base_str){ "", 0 }, chain, &until_s, "read"),
	                 TRUST_CRL_MISSING);
	pki_free(&twin);
}

/* No longer than its responder's certificate, and than its own date. */
static void own_staples_end(void **state)
{
	const struct pki *const chain[] = { &ca, NULL };
	struct pki by = responder(&ca, "OCSPSigning", NULL, true, 600);
	struct base_str short_one = staple_make(&(struct staple){ .signer = &by }),
	                long_one = staple_make(&(struct staple){ 0 });
	int64_t now_s = (int64_t)time(NULL), until_s;

	(void)state;
	assert_int_equal(own(short_one, chain, &until_s, "good"), TRUST_OK);
	assert_true(until_s > now_s + 300 && until_s <= now_s + 600);
	assert_int_equal(own(long_one, chain, &until_s, "good"), TRUST_OK);
	assert_true(until_s > now_s + 600);
	pki_free(&by);
	pki_der_free(&short_one);
	pki_der_free(&long_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_staples_are_judged_as_others),
		cmocka_unit_test(own_staples_end),
		cmocka_unit_test(a_staple_stands_in_for_a_crl),
		cmocka_unit_test(revocation_is_heard_from_either),
		cmocka_unit_test(unsatisfactory_staples_refuse),
		cmocka_unit_test(stale_staples_refuse),
		cmocka_unit_test(responders_need_to_be_authorised),
		cmocka_unit_test(a_revoked_responder_says_nothing),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
