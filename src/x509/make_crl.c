/* SPDX-License-Identifier: Apache-2.0 */
/** @file A CRL, complete or delta, from a list (RFC 5280, 5). */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "x509/internal.h"

/* RFC 5280, 5.3.1. */
static const struct {
	const char *name;
	int code;
} reasons[] = {
	{ "unspecified", 0 },        { "keyCompromise", 1 }, { "cACompromise", 2 },
	{ "affiliationChanged", 3 }, { "superseded", 4 },    { "cessationOfOperation", 5 },
	{ "privilegeWithdrawn", 9 }, { "aACompromise", 10 }, { "certificateHold", 6 },
};

int x509_reason_parse(const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(reasons); i++)
		if (base_str_ieq(base_str_of(name), base_str_of(reasons[i].name)))
			return reasons[i].code;
	return -1;
}

const char *x509_reason_name(int reason)
{
	for (size_t i = 0; i < BASE_COUNT(reasons); i++)
		if (reasons[i].code == reason)
			return reasons[i].name;
	return "unknown";
}

static int reason_add(X509_REVOKED *entry, int reason)
{
	ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
	int ok = code && ASN1_ENUMERATED_set(code, reason) == 1 &&
	         X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0) == 1;

	ASN1_ENUMERATED_free(code);
	return ok ? 0 : -1;
}

static int entry_add(X509_CRL *crl, const struct x509_revoked *revoked)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_TIME *when = ASN1_TIME_adj(NULL, (time_t)revoked->when_s, 0, 0);
	int ok = entry && serial && when && !x509_serial_set(serial, revoked->serial) &&
	         X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
	         X509_REVOKED_set_revocationDate(entry, when) == 1 &&
	         (!revoked->reason || !reason_add(entry, revoked->reason)) &&
	         X509_CRL_add0_revoked(crl, entry) == 1;

	if (!ok)
		X509_REVOKED_free(entry);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(when);
	return ok ? 0 : -1;
}

static int number_add(X509_CRL *crl, int nid, uint64_t number, bool critical)
{
	ASN1_INTEGER *value = ASN1_INTEGER_new();
	int ok = value && ASN1_INTEGER_set_uint64(value, number) == 1 &&
	         X509_CRL_add1_ext_i2d(crl, nid, value, critical, 0) == 1;

	ASN1_INTEGER_free(value);
	return ok ? 0 : -1;
}

/* RFC 5280, 5.2.6: never in a delta. */
static int freshest_add(X509_CRL *crl, const char *const *urls)
{
	CRL_DIST_POINTS *points = x509_points_make(urls);
	int ok = points && X509_CRL_add1_ext_i2d(crl, NID_freshest_crl, points, 0, 0) == 1;

	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	return ok ? 0 : -1;
}

static int numbers_add(X509_CRL *crl, const struct x509_make_crl *what)
{
	if (number_add(crl, NID_crl_number, what->number, false))
		return -1;
	if (what->base)
		return number_add(crl, NID_delta_crl, what->base, true);
	return what->delta_urls && *what->delta_urls ? freshest_add(crl, what->delta_urls) : 0;
}

static int issuer_add(X509_CRL *crl, const X509 *issuer)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, (X509 *)issuer, NULL, NULL, crl, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	ok = ext && X509_CRL_add_ext(crl, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? 0 : -1;
}

static int times_set(X509_CRL *crl, int64_t this_s, int64_t next_s)
{
	ASN1_TIME *from = ASN1_TIME_adj(NULL, (time_t)this_s, 0, 0);
	ASN1_TIME *next = ASN1_TIME_adj(NULL, (time_t)next_s, 0, 0);
	int ok = from && next && X509_CRL_set1_lastUpdate(crl, from) == 1 &&
	         X509_CRL_set1_nextUpdate(crl, next) == 1;

	ASN1_TIME_free(from);
	ASN1_TIME_free(next);
	return ok ? 0 : -1;
}

int x509_make_crl(X509_CRL **ret, const struct x509_make_crl *what, struct base_error *err)
{
	X509_CRL *crl = X509_CRL_new();
	bool ok = crl && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	          X509_CRL_set_issuer_name(crl, X509_get_subject_name(what->issuer)) == 1 &&
	          !times_set(crl, what->this_s, what->next_s);

	for (size_t i = 0; ok && i < what->count; i++)
		ok = !entry_add(crl, &what->revoked[i]);
	ok = ok && !issuer_add(crl, what->issuer) && !numbers_add(crl, what) &&
	     X509_CRL_sort(crl) == 1 &&
	     X509_CRL_sign(crl, what->issuer_key, x509_digest_for(what->issuer_key)) > 0;
	if (!ok) {
		X509_CRL_free(crl);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "cannot make a CRL: %s",
		                      x509_crypto_reason());
	}
	*ret = crl;
	return 0;
}
