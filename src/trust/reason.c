/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509_vfy.h>

#include "trust/internal.h"

/* Alerts of RFC 5246, 7.2.2 */
enum {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_REVOKED = 44,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
};

static const struct {
	const char *name;
	uint8_t alert;
} reasons[TRUST_REASON_COUNT] = {
	[TRUST_OK] = { "ok", 0 },
	/* RFC 5246, 7.4.6; with fingerprints bad_certificate instead (RFC 8122, 6.2) */
	[TRUST_NO_CERTIFICATE] = { "no-certificate", ALERT_HANDSHAKE_FAILURE },
	[TRUST_NO_FINGERPRINT] = { "no-fingerprint", ALERT_CERTIFICATE_UNKNOWN },
	[TRUST_FINGERPRINT_MISMATCH] = { "fingerprint-mismatch", ALERT_BAD_CERTIFICATE },
	[TRUST_MALFORMED] = { "malformed", ALERT_BAD_CERTIFICATE },
	[TRUST_UNKNOWN_CA] = { "unknown-ca", ALERT_UNKNOWN_CA },
	/* "has expired or is not currently valid" */
	[TRUST_EXPIRED] = { "expired", ALERT_CERTIFICATE_EXPIRED },
	[TRUST_NOT_YET_VALID] = { "not-yet-valid", ALERT_CERTIFICATE_EXPIRED },
	[TRUST_REVOKED] = { "revoked", ALERT_CERTIFICATE_REVOKED },
	[TRUST_CRL_MISSING] = { "crl-missing", ALERT_CERTIFICATE_UNKNOWN },
	[TRUST_CRL_STALE] = { "crl-stale", ALERT_CERTIFICATE_UNKNOWN },
	[TRUST_WRONG_PURPOSE] = { "wrong-purpose", ALERT_UNSUPPORTED_CERTIFICATE },
	[TRUST_WRONG_NAME] = { "wrong-name", ALERT_CERTIFICATE_UNKNOWN },
	/* as RFC 8446, 4.4.2.4 says of MD5 and SHA-1 */
	[TRUST_WEAK] = { "weak", ALERT_BAD_CERTIFICATE },
	[TRUST_PROFILE] = { "profile", ALERT_CERTIFICATE_UNKNOWN },
	[TRUST_PATH] = { "path", ALERT_CERTIFICATE_UNKNOWN },
};

uint8_t trust_reason_alert(enum trust_reason reason)
{
	return (unsigned)reason < TRUST_REASON_COUNT ? reasons[reason].alert : 0;
}

const char *trust_reason_name(enum trust_reason reason)
{
	return (unsigned)reason < TRUST_REASON_COUNT ? reasons[reason].name : "?";
}

const char *trust_look_name(enum trust_look look)
{
	static const char *const names[TRUST_LOOK_COUNT] = {
		[TRUST_LOOK_CERTIFICATE] = "certificate",
		[TRUST_LOOK_CRL] = "crl",
		[TRUST_LOOK_OCSP] = "ocsp",
		[TRUST_LOOK_STRENGTH] = "strength",
		[TRUST_LOOK_NAME] = "name",
		[TRUST_LOOK_FINGERPRINT] = "fingerprint",
		[TRUST_LOOK_PATH] = "path",
		[TRUST_LOOK_PROFILE] = "profile",
	};

	return (unsigned)look < TRUST_LOOK_COUNT ? names[look] : "?";
}

int trust_reason_parse(struct base_str name, enum trust_reason *ret)
{
	for (unsigned i = TRUST_OK + 1; i < TRUST_REASON_COUNT; i++) {
		if (base_str_eq(name, base_str_of(reasons[i].name))) {
			*ret = (enum trust_reason)i;
			return 0;
		}
	}
	return BASE_ERR(BASE_CONFIG, 0);
}

const char *trust_verdict_fields(const struct trust_verdict *verdict, char *buf, size_t cap)
{
	const struct trust_culprit *c = &verdict->culprit;
	bool told = !verdict->authenticated && *c->serial;
	int n = snprintf(buf, cap, "%s%s", *verdict->rules ? " rules=" : "", verdict->rules);

	if (told && n >= 0 && (size_t)n < cap)
		(void)snprintf(buf + n, cap - (size_t)n,
		               " serial=%s crl=%s culprit=\"%s\" issuer=\"%s\"", c->serial,
		               *c->crl ? c->crl : "-", c->subject, c->issuer);
	return buf;
}

/* clang-format off: a table to be read beside RFC 5280, 6.1 and 6.3 */
static const struct trust_row rows[] = {
	/* no way to an anchor */
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TRUST_UNKNOWN_CA, "RFC 5280, 6.1.3 (a)(4)",
	  "no trusted issuer is known for", 0 },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TRUST_UNKNOWN_CA, "RFC 5280, 6.1.3 (a)(4)",
	  "no trusted issuer is known for", 0 },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TRUST_UNKNOWN_CA, "RFC 5280, 6.1.3 (a)(1)",
	  "no issuer is known to check the signature of", 0 },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TRUST_UNKNOWN_CA, "RFC 5280, 6.1.1 (d)",
	  "self-signed and no trust anchor:", 0 },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TRUST_UNKNOWN_CA, "RFC 5280, 6.1.1 (d)",
	  "the path ends in a root that is no trust anchor:", 0 },
	{ X509_V_ERR_CERT_UNTRUSTED, TRUST_UNKNOWN_CA, "RFC 5280, 6.1.1 (d)", "not trusted:", 0 },
	{ X509_V_ERR_SUBJECT_ISSUER_MISMATCH, TRUST_UNKNOWN_CA, "RFC 5280, 6.1.3 (a)(4)",
	  "names do not chain at", 0 },
	{ X509_V_ERR_AKID_SKID_MISMATCH, TRUST_UNKNOWN_CA, "RFC 5280, 4.2.1.1",
	  "key identifiers do not chain at", 0 },
	{ X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, TRUST_UNKNOWN_CA, "RFC 5280, 4.2.1.1",
	  "issuer and serial number do not chain at", 0 },
	/* dates */
	{ X509_V_ERR_CERT_HAS_EXPIRED, TRUST_EXPIRED, "RFC 5280, 6.1.3 (a)(2)", "expired:", 0 },
	{ X509_V_ERR_CERT_NOT_YET_VALID, TRUST_NOT_YET_VALID, "RFC 5280, 6.1.3 (a)(2)",
	  "not yet valid:", 0 },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, TRUST_MALFORMED, "RFC 5280, 4.1.2.5",
	  "notBefore is malformed in", 0 },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, TRUST_MALFORMED, "RFC 5280, 4.1.2.5",
	  "notAfter is malformed in", 0 },
	/* revocation */
	{ X509_V_ERR_CERT_REVOKED, TRUST_REVOKED, "RFC 5280, 6.1.3 (a)(3)", "revoked:", 0 },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, TRUST_CRL_MISSING, "RFC 5280, 6.3.3", "there is no CRL for",
	  0 },
	{ X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, TRUST_CRL_MISSING, "RFC 5280, 6.3.3 (f)",
	  "the CRL's issuer is unknown for", 0 },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, TRUST_CRL_MISSING, "RFC 5280, 6.3.3 (g)",
	  "the CRL's signature is wrong for", 0 },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE, TRUST_CRL_MISSING, "RFC 5280, 6.3.3 (g)",
	  "the CRL's signature is wrong for", 0 },
	{ X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, TRUST_CRL_MISSING, "RFC 5280, 6.3.3 (f)",
	  "the CRL's issuer may not sign CRLs for", 0 },
	{ X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, TRUST_CRL_MISSING, "RFC 5280, 5.2",
	  "the CRL has a critical extension we do not know, for", 0 },
	{ X509_V_ERR_DIFFERENT_CRL_SCOPE, TRUST_CRL_MISSING, "RFC 5280, 6.3.3 (b)",
	  "the CRL has another scope than needed for", 0 },
	{ X509_V_ERR_CRL_PATH_VALIDATION_ERROR, TRUST_CRL_MISSING, "RFC 5280, 6.3.3 (f)",
	  "the CRL's own path is not valid for", 0 },
	{ X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, TRUST_CRL_MISSING, "RFC 5280, 5.1.2.4",
	  "the CRL's thisUpdate is malformed for", 0 },
	{ X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, TRUST_CRL_MISSING, "RFC 5280, 5.1.2.5",
	  "the CRL's nextUpdate is malformed for", 0 },
	{ X509_V_ERR_CRL_NOT_YET_VALID, TRUST_CRL_STALE, "RFC 5280, 5.1.2.4",
	  "the CRL is not yet valid for", 0 },
	{ X509_V_ERR_CRL_HAS_EXPIRED, TRUST_CRL_STALE, "RFC 5280, 5.1.2.5",
	  "the CRL is past its nextUpdate for", 0 },
	/* purpose and name */
	{ X509_V_ERR_INVALID_PURPOSE, TRUST_WRONG_PURPOSE, "RFC 5280, 4.2.1.12",
	  "key usage or extended key usage does not allow the role of", 0 },
	{ X509_V_ERR_CERT_REJECTED, TRUST_WRONG_PURPOSE, "RFC 5280, 4.2.1.12",
	  "rejected for this purpose:", 0 },
	{ X509_V_ERR_HOSTNAME_MISMATCH, TRUST_WRONG_NAME, "RFC 6125, 6.4",
	  "the name asked for is not in", 0 },
	/* strength */
	{ X509_V_ERR_EE_KEY_TOO_SMALL, TRUST_WEAK, "TS 33.310, 6.1.1", "the key is too small in",
	  0 },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, TRUST_WEAK, "TS 33.310, 6.1.1", "the key is too small in",
	  0 },
	{ X509_V_ERR_CA_MD_TOO_WEAK, TRUST_WEAK, "TS 33.310, 6.1.1",
	  "the signature's hash is too weak in", 0 },
	/* the rest of the path */
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, TRUST_PATH, "RFC 5280, 6.1.3 (a)(1)",
	  "the signature is wrong on", 42 },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, TRUST_PATH, "RFC 5280, 6.1.3 (a)(1)",
	  "the signature is wrong on", 42 },
	{ X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, TRUST_PATH, "RFC 5280, 6.1.3 (a)(1)",
	  "the issuer's key cannot be read for", 42 },
	{ X509_V_ERR_NO_ISSUER_PUBLIC_KEY, TRUST_PATH, "RFC 5280, 6.1.3 (a)(1)",
	  "the issuer's key cannot be read for", 42 },
	{ X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, TRUST_PATH, "RFC 5280, 6.1.3 (a)(1)",
	  "signature and issuer's key do not fit on", 42 },
	{ X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, TRUST_PATH, "RFC 5280, 4.1.1.2",
	  "two signature algorithms are named in", 42 },
	{ X509_V_ERR_PERMITTED_VIOLATION, TRUST_PATH, "RFC 5280, 6.1.3 (b)",
	  "not within the permitted names:", 0 },
	{ X509_V_ERR_EXCLUDED_VIOLATION, TRUST_PATH, "RFC 5280, 6.1.3 (c)",
	  "within the excluded names:", 0 },
	{ X509_V_ERR_SUBTREE_MINMAX, TRUST_PATH, "RFC 5280, 4.2.1.10",
	  "name constraints with minimum or maximum at", 0 },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, TRUST_PATH, "RFC 5280, 4.2.1.10",
	  "a name constraint we cannot judge at", 0 },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, TRUST_PATH, "RFC 5280, 4.2.1.10",
	  "a name constraint we cannot judge at", 0 },
	{ X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, TRUST_PATH, "RFC 5280, 4.2.1.10",
	  "a name we cannot hold against constraints at", 0 },
	{ X509_V_ERR_INVALID_CA, TRUST_PATH, "RFC 5280, 6.1.4 (k)", "not a CA certificate:", 0 },
	{ X509_V_ERR_INVALID_NON_CA, TRUST_PATH, "RFC 5280, 4.2.1.9",
	  "a CA certificate where none may be:", 0 },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, TRUST_PATH, "RFC 5280, 6.1.4 (l)",
	  "the path is longer than its CA allows at", 0 },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, TRUST_PATH, "RFC 5280, 6.1", "the path is too long at",
	  0 },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, TRUST_PATH, "RFC 5280, 6.1.4 (n)",
	  "may not sign certificates:", 0 },
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, TRUST_PATH, "RFC 5280, 6.1.4 (o) and 6.1.5 (f)",
	  "a critical extension we do not know in", 43 },
	{ X509_V_ERR_INVALID_EXTENSION, TRUST_PATH, "RFC 5280, 4.2",
	  "an extension is malformed or inconsistent in", 42 },
	{ X509_V_ERR_INVALID_POLICY_EXTENSION, TRUST_PATH, "RFC 5280, 4.2.1.4",
	  "a policy extension is malformed in", 42 },
	{ X509_V_ERR_NO_EXPLICIT_POLICY, TRUST_PATH, "RFC 5280, 6.1.5 (g)",
	  "no acceptable policy for", 0 },
	{ X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, TRUST_PATH, "RFC 5480, 2.1.1",
	  "curve parameters instead of a named curve in", 43 },
};
/* clang-format on */

static const struct trust_row row_other = { X509_V_ERR_UNSPECIFIED, TRUST_PATH, "RFC 5280, 6.1",
	                                    NULL, 0 };

const struct trust_row *trust_row_find(int error)
{
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		if (rows[i].error == error)
			return &rows[i];
	return &row_other;
}
