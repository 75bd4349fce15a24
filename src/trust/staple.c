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
	if (!store)
		return false;
	trust_revocation_find(store, signer, issuer, now_s, &status);
	return status.status == TRUST_STATUS_GOOD;
}

/* @return who signed it, borrowed; NULL = nobody who may */
static X509 *signer_of(const struct trust_store *store, OCSP_BASICRESP *basic, X509 *issuer,
                       int64_t now_s)
{
	STACK_OF(X509) *extra = sk_X509_new_null();
	X509 *signer = NULL;
	bool ok = extra && sk_X509_push(extra, issuer) &&
	          OCSP_resp_get0_signer(basic, &signer, extra) == 1 &&
	          responder_authorised(store, signer, issuer, now_s) &&
	          OCSP_basic_verify(basic, extra, NULL, OCSP_NOVERIFY) == 1;

	sk_X509_free(extra);
	return ok ? signer : NULL;
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

static int64_t seconds(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void single_judge(OCSP_SINGLERESP *one, X509 *signer, int64_t now_s,
                         struct trust_staple *ret)
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
		ret->until_s = BASE_MIN(seconds(to), seconds(X509_get0_notAfter(signer)));
		judge(ret, TRUST_OK, "says good (RFC 6960, 2.2)");
	} else {
		judge(ret, TRUST_CRL_MISSING, "does not know the certificate (RFC 6960, 2.2)");
	}
}

void trust_staple_judge(const struct trust_store *store, struct base_str der, int64_t now_s,
                        X509 *cert, X509 *issuer, struct trust_staple *ret)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	OCSP_RESPONSE *response =
	        der.len <= INT32_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)der.len) : NULL;
	OCSP_BASICRESP *basic = NULL;
	OCSP_SINGLERESP *one = NULL;
	X509 *signer = NULL;

	*ret = (struct trust_staple){ 0 };
	if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	if (basic)
		one = single_find(basic, cert, issuer);
	if (one)
		signer = signer_of(store, basic, issuer, now_s);
	if (!basic)
		judge(ret, TRUST_CRL_MISSING, "cannot be read (RFC 6960, 4.2)");
	else if (!one)
		judge(ret, TRUST_CRL_MISSING, "is about another certificate (RFC 6960, 3.2)");
	else if (!signer)
		judge(ret, TRUST_CRL_MISSING,
		      "is not signed by whom it must be (RFC 6960, 4.2.2.2)");
	else
		single_judge(one, signer, now_s, ret);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
}

/* ---- our own ---- */

static X509 *issuer_in(const STACK_OF(X509) * certs, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (x509_signed_by(cert, sk_X509_value(certs, i)))
			return sk_X509_value(certs, i);
	return NULL;
}

static X509 *issuer_find(const struct trust_store *store, const struct x509_identity *identity)
{
	const STACK_OF(X509) *const known[] = { identity->chain, store ? store->anchors : NULL,
		                                store ? store->untrusted : NULL,
		                                store ? store->own : NULL };
	X509 *issuer = NULL;

	for (size_t i = 0; i < BASE_COUNT(known) && !issuer; i++)
		issuer = issuer_in(known[i], identity->cert);
	return issuer;
}

/* d2i looks at what it needs; peers may look at what is behind it. */
static bool whole(struct base_str der)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	long len = 0;
	int tag, class;

	return der.len && der.len <= INT32_MAX &&
	       !(ASN1_get_object(&at, &len, &tag, &class, (long)der.len) & 0x81) &&
	       at + len == (const unsigned char *)der.ptr + der.len;
}

enum trust_reason trust_staple_own(const struct trust_store *store,
                                   const struct x509_identity *identity, struct base_str der,
                                   int64_t now_s, int64_t *ret_until_s, char *text, size_t cap)
{
	X509 *issuer = issuer_find(store, identity);
	struct trust_staple staple = { 0 };

	*ret_until_s = 0;
	if (!issuer)
		judge(&staple, TRUST_UNKNOWN_CA,
		      "cannot be checked: who issued the certificate is not known");
	else if (!whole(der))
		judge(&staple, TRUST_CRL_MISSING, "cannot be read (RFC 6960, 4.2)");
	else
		trust_staple_judge(store, der, now_s, identity->cert, issuer, &staple);
	if (staple.status == TRUST_STATUS_GOOD)
		*ret_until_s = staple.until_s;
	(void)snprintf(text, cap, "%s", staple.text);
	ERR_clear_error();
	return staple.reason;
}
