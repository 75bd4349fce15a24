/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * OCSP staples (RFC 6066, 8; RFC 6960). A staple is signed by the CA itself or by a responder whose
 * certificate that CA issued for OCSP signing (4.2.2.2); it carries no nonce, so its dates alone
 * keep it from being replayed: one without nextUpdate is not relied on.
 */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

#define SKEW_S 300 /* how far ahead of our clock a responder's may be (P) */

static void judge(struct trust_staple *ret, enum trust_reason reason, const char *why)
{
	ret->reason = reason;
	(void)snprintf(ret->text, sizeof(ret->text), "the OCSP staple %s", why);
}

static bool dates_hold(X509 *cert, int64_t now_s)
{
	time_t now = (time_t)now_s;

	return X509_cmp_time(X509_get0_notBefore(cert), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(cert), &now) > 0;
}

/*
 * RFC 6960, 4.2.2.2: "issued directly by the CA that is identified in the request". A responder
 * without id-pkix-ocsp-nocheck has to be checked itself (4.2.2.2.1).
 */
static bool responder_authorised(const struct trust_store *store, X509 *signer, X509 *issuer,
                                 int64_t now_s)
{
	struct trust_revocation status;

	if (!X509_cmp(signer, issuer))
		return true;
	if (X509_get_ext_by_NID(signer, NID_ext_key_usage, -1) < 0 ||
	    !(X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) ||
	    !(X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE) ||
	    X509_check_issued(issuer, signer) != X509_V_OK ||
	    X509_verify(signer, X509_get0_pubkey(issuer)) != 1 || !dates_hold(signer, now_s))
		return false;
	if (X509_get_ext_by_NID(signer, NID_id_pkix_OCSP_noCheck, -1) >= 0)
		return true;
	trust_revocation_find(store, signer, issuer, now_s, &status);
	return status.status == TRUST_STATUS_GOOD;
}

static bool signature_holds(const struct trust_store *store, OCSP_BASICRESP *basic, X509 *issuer,
                            int64_t now_s)
{
	STACK_OF(X509) *extra = sk_X509_new_null();
	X509 *signer = NULL;
	bool ok = extra && sk_X509_push(extra, issuer) &&
	          OCSP_resp_get0_signer(basic, &signer, extra) == 1 &&
	          responder_authorised(store, signer, issuer, now_s) &&
	          OCSP_basic_verify(basic, extra, NULL, OCSP_NOVERIFY) == 1;

	sk_X509_free(extra);
	return ok;
}

/* The answer about our certificate; its CertID may use any hash we know. */
static OCSP_SINGLERESP *single_find(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);
		const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(one);
		ASN1_OBJECT *hash = NULL;
		const EVP_MD *md;
		OCSP_CERTID *own;
		bool same;

		(void)OCSP_id_get0_info(NULL, &hash, NULL, NULL, (OCSP_CERTID *)id);
		md = hash ? EVP_get_digestbyobj(hash) : NULL;
		own = md ? OCSP_cert_to_id(md, cert, issuer) : NULL;
		same = own && !OCSP_id_cmp(own, id);
		OCSP_CERTID_free(own);
		if (same)
			return one;
	}
	return NULL;
}

static void single_judge(OCSP_SINGLERESP *one, int64_t now_s, struct trust_staple *ret)
{
	ASN1_GENERALIZEDTIME *from = NULL, *to = NULL;
	time_t now = (time_t)now_s, ahead = (time_t)(now_s + SKEW_S);
	int why = -1, status = OCSP_single_get0_status(one, &why, NULL, &from, &to);

	if (!from || !to || X509_cmp_time(from, &ahead) >= 0 || X509_cmp_time(to, &now) <= 0) {
		judge(ret, TRUST_CRL_STALE, "is not fresh (RFC 6960, 3.2)");
	} else if (status == V_OCSP_CERTSTATUS_REVOKED) {
		ret->status = TRUST_STATUS_REVOKED;
		judge(ret, TRUST_REVOKED, "says revoked (RFC 6960, 2.2)");
	} else if (status == V_OCSP_CERTSTATUS_GOOD) {
		ret->status = TRUST_STATUS_GOOD;
		judge(ret, TRUST_OK, "says good (RFC 6960, 2.2)");
	} else {
		judge(ret, TRUST_CRL_MISSING, "does not know the certificate (RFC 6960, 2.2)");
	}
}

void trust_staple_judge(const struct trust_store *store, const struct trust_question *question,
                        X509 *cert, X509 *issuer, struct trust_staple *ret)
{
	const unsigned char *at = (const unsigned char *)question->staple.ptr;
	int64_t now_s = question->now_s ? question->now_s : (int64_t)time(NULL);
	size_t len = question->staple.len;
	OCSP_RESPONSE *response = len <= INT32_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)len) : NULL;
	OCSP_BASICRESP *basic = NULL;
	OCSP_SINGLERESP *one = NULL;

	*ret = (struct trust_staple){ 0 };
	if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	if (basic)
		one = single_find(basic, cert, issuer);
	if (!basic)
		judge(ret, TRUST_CRL_MISSING, "cannot be read (RFC 6960, 4.2)");
	else if (!one)
		judge(ret, TRUST_CRL_MISSING, "is about another certificate (RFC 6960, 3.2)");
	else if (!signature_holds(store, basic, issuer, now_s))
		judge(ret, TRUST_CRL_MISSING,
		      "is not signed by whom it must be (RFC 6960, 4.2.2.2)");
	else
		single_judge(one, now_s, ret);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
}
