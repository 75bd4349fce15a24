/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Revocation by the cache folder (cache.h): CRLs whose signatures gatehouse-fetch verified, mapped.
 * Which of them applies to a certificate is judged here, by RFC 5280, 6.3.3; what does not apply
 * for certain is not used.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

static bool names_meet(GENERAL_NAMES *a, GENERAL_NAMES *b)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(a); i++)
		for (int j = 0; j < sk_GENERAL_NAME_num(b); j++)
			if (!GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i),
			                      sk_GENERAL_NAME_value(b, j)))
				return true;
	return false;
}

/* RFC 5280, 6.3.3 (b)(2)(i): a name of the CRL's distribution point is one of the certificate's. */
static bool points_meet(const DIST_POINT_NAME *crl, X509 *cert)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	bool met = false;

	for (int i = 0; !met && i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *one = sk_DIST_POINT_value(points, i);

		/* full names only; one with its own issuer is an indirect CRL's */
		met = one->distpoint && !one->distpoint->type && !one->CRLissuer &&
		      names_meet(one->distpoint->name.fullname, crl->name.fullname);
	}
	CRL_DIST_POINTS_free(points);
	return met;
}

/* RFC 5280, 6.3.3 (b)(2). */
static bool scope_holds(const struct x509_crl_info *info, X509 *cert)
{
	const unsigned char *at = (const unsigned char *)info->scope.ptr;
	ISSUING_DIST_POINT *idp;
	bool ca = X509_check_ca(cert) != 0, holds;

	if ((info->flags & (X509_CRL_DELTA | X509_CRL_INDIRECT | X509_CRL_ONLY_ATTRIBUTES)) ||
	    ((info->flags & X509_CRL_ONLY_USERS) && ca) ||
	    ((info->flags & X509_CRL_ONLY_CAS) && !ca) || info->reasons != X509_CRL_ALL_REASONS)
		return false;
	if (!info->scope.len)
		return true;
	idp = d2i_ISSUING_DIST_POINT(NULL, &at, (long)info->scope.len);
	holds = idp &&
	        (!idp->distpoint || (!idp->distpoint->type && points_meet(idp->distpoint, cert)));
	ISSUING_DIST_POINT_free(idp);
	return holds;
}

static bool in_date(const struct x509_crl_info *info, int64_t now_s)
{
	return info->this_update_s <= now_s && now_s < info->next_update_s;
}

/* One complete CRL and its delta. */
static void pair_ask(struct trust_cache_pair pair, X509 *cert, const uint8_t *signer, int64_t now_s,
                     struct trust_revocation *ret)
{
	const struct x509_crl_info *info = x509_crl_index_info(pair.complete);
	struct x509_crl_entry entry = { 0 };

	if (!(info->flags & X509_CRL_VERIFIED) || memcmp(info->signer, signer, 32) ||
	    !scope_holds(info, cert))
		return;
	if (!in_date(info, now_s)) {
		ret->stale = true;
		return;
	}
	if (pair.delta && (!in_date(x509_crl_index_info(pair.delta), now_s) ||
	                   memcmp(x509_crl_index_info(pair.delta)->signer, signer, 32)))
		pair.delta = NULL;
	switch (trust_cache_pair_find(&pair, cert, &entry)) {
	case X509_CRL_REVOKED:
		ret->status = TRUST_STATUS_REVOKED;
		ret->reason = entry.reason ? x509_crl_reason_name(entry.reason) : "";
		break;
	case X509_CRL_GOOD:
		if (ret->status == TRUST_STATUS_UNKNOWN)
			ret->status = TRUST_STATUS_GOOD;
		break;
	default:
		break;
	}
}

void trust_revocation_cached(const struct trust_store *store, X509 *cert, X509 *issuer,
                             int64_t now_s, struct trust_revocation *ret)
{
	struct trust_cache_view *view = trust_cache_view_get(store->cache);
	struct trust_cache_pair pair;
	const unsigned char *der = NULL;
	size_t len = 0, at = 0;
	uint8_t signer[32];
	char name[100];

	/* RFC 5280, 6.3.3 (f): keyUsage of the CA that stands in THIS path */
	if (X509_NAME_get0_der(X509_get_subject_name(issuer), &der, &len) == 1 &&
	    (X509_get_key_usage(issuer) & KU_CRL_SIGN) &&
	    !x509_key_sha256(X509_get0_pubkey(issuer), signer)) {
		struct base_str whose = { (const char *)der, len };

		while (ret->status != TRUST_STATUS_REVOKED &&
		       trust_cache_view_next(view, whose, &at, &pair))
			pair_ask(pair, cert, signer, now_s, ret);
	}
	trust_cache_view_unref(view);
	(void)snprintf(ret->source, sizeof(ret->source), "cached CRL of %s",
	               x509_name_format(X509_get_subject_name(issuer), name, sizeof(name)));
	ERR_clear_error();
}
