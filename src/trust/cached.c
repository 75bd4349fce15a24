/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Revocation by the cache folder (cache.h): CRLs whose signatures gatehouse-fetch verified, mapped.
 * Which of them applies to a certificate is judged here, by RFC 5280, 6.3.3; what does not apply
 * for certain is not used. A certificate is good when CRLs that do not list it cover all reasons
 * together; one that lists it condemns.
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

/* A certificate that is asked about, and what has been found. */
struct asked {
	const struct trust_store *store;
	const struct trust_cache_view *view;
	X509 *cert, *issuer;
	CRL_DIST_POINTS *points; /* of `cert`; NULL = none */
	int64_t now_s;
	unsigned covered; /* reasons, as in x509_crl_info */
	struct trust_revocation *ret;
};

/* Who signed a CRL. */
struct voice {
	const X509_NAME *name;
	uint8_t spki[32]; /* SHA-256 of its key */
	bool own;         /* the certificate's issuer itself */
};

/* ---- what a CRL covers ---- */

static bool names_have(const GENERAL_NAMES *names, const X509_NAME *name)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);

		if (one->type == GEN_DIRNAME && !X509_NAME_cmp(one->d.directoryName, name))
			return true;
	}
	return false;
}

/* RFC 5280, 6.3.3 (b)(1). */
static bool point_is_of(const DIST_POINT *point, const struct voice *voice, bool indirect)
{
	if (!point->CRLissuer)
		return voice->own;
	return indirect && names_have(point->CRLissuer, voice->name);
}

/* (b)(2)(i); full names only. */
static bool point_meets(const DIST_POINT *point, const DIST_POINT_NAME *crl)
{
	if (!crl)
		return true;
	if (crl->type || (point->distpoint && point->distpoint->type))
		return false;
	return names_meet(point->distpoint ? point->distpoint->name.fullname : point->CRLissuer,
	                  crl->name.fullname);
}

/* ReasonFlags (4.2.1.13): bits 1 to 8. */
static unsigned point_reasons(const DIST_POINT *point)
{
	unsigned reasons = 0;

	if (!point->reasons)
		return X509_CRL_ALL_REASONS;
	for (int bit = 1; bit <= 8; bit++)
		if (ASN1_BIT_STRING_get_bit(point->reasons, bit))
			reasons |= 1U << bit;
	return reasons;
}

static bool kind_holds(const struct x509_crl_info *info, X509 *cert)
{
	bool ca = X509_check_ca(cert) != 0;

	return !(info->flags & (X509_CRL_DELTA | X509_CRL_ONLY_ATTRIBUTES)) &&
	       !((info->flags & X509_CRL_ONLY_USERS) && ca) &&
	       !((info->flags & X509_CRL_ONLY_CAS) && !ca);
}

/* (b)(2) and (d): the reasons for which it speaks about the certificate; 0 = it does not apply. */
static unsigned reasons_covered(const struct asked *a, const struct voice *voice,
                                const struct x509_crl_info *info)
{
	const unsigned char *at = (const unsigned char *)info->scope.ptr;
	ISSUING_DIST_POINT *idp = NULL;
	bool indirect = info->flags & X509_CRL_INDIRECT;
	unsigned covered = 0;

	if (!kind_holds(info, a->cert))
		return 0;
	if (info->scope.len && !(idp = d2i_ISSUING_DIST_POINT(NULL, &at, (long)info->scope.len)))
		return 0;
	/* its own issuer's, whatever the certificate says ("repeat the process above") */
	if (voice->own && !(idp && idp->distpoint))
		covered = X509_CRL_ALL_REASONS;
	for (int i = 0; i < sk_DIST_POINT_num(a->points); i++) {
		const DIST_POINT *point = sk_DIST_POINT_value(a->points, i);

		if (point_is_of(point, voice, indirect) &&
		    point_meets(point, idp ? idp->distpoint : NULL))
			covered |= point_reasons(point);
	}
	ISSUING_DIST_POINT_free(idp);
	return covered & info->reasons;
}

/* ---- what it says ---- */

static bool in_date(const struct x509_crl_info *info, int64_t now_s)
{
	return info->this_update_s <= now_s && now_s < info->next_update_s;
}

/* One complete CRL and its delta. */
static void pair_ask(struct asked *a, const struct voice *voice, struct trust_cache_pair pair)
{
	const struct x509_crl_info *info = x509_crl_index_info(pair.complete);
	struct x509_crl_entry entry = { 0 };
	unsigned covered;

	if (!(info->flags & X509_CRL_VERIFIED) || memcmp(info->signer, voice->spki, 32))
		return;
	covered = reasons_covered(a, voice, info);
	if (!covered)
		return;
	if (!in_date(info, a->now_s)) {
		a->ret->stale = true;
		return;
	}
	if (pair.delta && (!in_date(x509_crl_index_info(pair.delta), a->now_s) ||
	                   memcmp(x509_crl_index_info(pair.delta)->signer, voice->spki, 32)))
		pair.delta = NULL;
	switch (trust_cache_pair_find(&pair, a->cert, &entry)) {
	case X509_CRL_REVOKED:
		a->ret->status = TRUST_STATUS_REVOKED;
		a->ret->reason = entry.reason ? x509_crl_reason_name(entry.reason) : "";
		break;
	case X509_CRL_GOOD:
		a->covered |= covered;
		if (a->covered == X509_CRL_ALL_REASONS)
			a->ret->status = TRUST_STATUS_GOOD;
		break;
	default:
		break;
	}
}

/* All CRLs of a name. */
static void voice_ask(struct asked *a, const struct voice *voice)
{
	struct trust_cache_pair pair;
	const unsigned char *der = NULL;
	size_t len = 0, at = 0;
	struct base_str whose;

	if (X509_NAME_get0_der(voice->name, &der, &len) != 1)
		return;
	whose = (struct base_str){ (const char *)der, len };
	while (a->ret->status != TRUST_STATUS_REVOKED &&
	       trust_cache_view_next(a->view, whose, &at, &pair))
		pair_ask(a, voice, pair);
}

/* RFC 5280, 6.3.3 (f): keyUsage of the CA that stands in THIS path */
static void own_ask(struct asked *a)
{
	struct voice voice = { .name = X509_get_subject_name(a->issuer), .own = true };

	if ((X509_get_key_usage(a->issuer) & KU_CRL_SIGN) &&
	    !x509_key_sha256(X509_get0_pubkey(a->issuer), voice.spki))
		voice_ask(a, &voice);
}

/* ---- others that speak for the issuer ---- */

static bool dates_hold(X509 *cert, int64_t now_s)
{
	time_t now = (time_t)now_s;

	return X509_cmp_time(X509_get0_notBefore(cert), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(cert), &now) > 0;
}

static bool names_permitted(X509 *cert, X509 *issuer)
{
	NAME_CONSTRAINTS *limits = X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL);
	bool ok = !limits || NAME_CONSTRAINTS_check(cert, limits) == X509_V_OK;

	NAME_CONSTRAINTS_free(limits);
	return ok;
}

/* On the issuer's own CRLs; what rests on an indirect one again would lead in circles. */
static bool status_good(const struct asked *a, X509 *cert)
{
	struct trust_revocation found = { .reason = "" };
	struct asked own = { .store = a->store,
		             .view = a->view,
		             .cert = cert,
		             .issuer = a->issuer,
		             .now_s = a->now_s,
		             .ret = &found };

	own.points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	own_ask(&own);
	CRL_DIST_POINTS_free(own.points);
	return found.status == TRUST_STATUS_GOOD;
}

/*
 * 6.3.3 (f): the path of a CRL issuer, with the same anchor. The one path that is walked here is
 * the certificate's own, with the CRL issuer in its place: issued by the same CA.
 */
static bool is_vouched(const struct asked *a, X509 *cert)
{
	return (X509_get_key_usage(cert) & KU_CRL_SIGN) &&
	       !(X509_get_extension_flags(cert) & (EXFLAG_CRITICAL | EXFLAG_INVALID)) &&
	       X509_check_issued(a->issuer, cert) == X509_V_OK &&
	       X509_verify(cert, X509_get0_pubkey(a->issuer)) == 1 && dates_hold(cert, a->now_s) &&
	       names_permitted(cert, a->issuer) && status_good(a, cert);
}

static void name_ask(struct asked *a, const X509_NAME *name)
{
	STACK_OF(X509) * all[] = { a->store->untrusted, a->store->own };
	struct voice voice = { .name = name };

	for (size_t i = 0; i < BASE_COUNT(all); i++)
		for (int j = 0; j < sk_X509_num(all[i]); j++) {
			X509 *cert = sk_X509_value(all[i], j);

			if (!X509_NAME_cmp(X509_get_subject_name(cert), name) &&
			    is_vouched(a, cert) &&
			    !x509_key_sha256(X509_get0_pubkey(cert), voice.spki))
				voice_ask(a, &voice);
		}
}

/* cRLIssuer of the certificate's distribution points (4.2.1.13). */
static void others_ask(struct asked *a)
{
	for (int i = 0; i < sk_DIST_POINT_num(a->points); i++) {
		const GENERAL_NAMES *names = sk_DIST_POINT_value(a->points, i)->CRLissuer;

		for (int j = 0; j < sk_GENERAL_NAME_num(names); j++) {
			const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, j);

			if (one->type == GEN_DIRNAME)
				name_ask(a, one->d.directoryName);
		}
	}
}

void trust_revocation_cached(const struct trust_store *store, X509 *cert, X509 *issuer,
                             int64_t now_s, struct trust_revocation *ret)
{
	struct trust_cache_view *view = trust_cache_view_get(store->cache);
	struct asked a = { .store = store,
		           .view = view,
		           .cert = cert,
		           .issuer = issuer,
		           .now_s = now_s,
		           .ret = ret };
	char name[100];

	a.points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	own_ask(&a);
	others_ask(&a);
	CRL_DIST_POINTS_free(a.points);
	trust_cache_view_unref(view);
	(void)snprintf(ret->source, sizeof(ret->source), "cached CRL of %s",
	               x509_name_format(X509_get_subject_name(issuer), name, sizeof(name)));
	ERR_clear_error();
}
