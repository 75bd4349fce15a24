/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Revocation by simple CRLs: complete, direct, of one issuer, and signed by a CA of the
 * configuration. Their signatures are checked once, when the store is loaded, and not in every
 * handshake; all other CRLs (indirect, partitioned, delta, of CAs only the peer knows) go to
 * libcrypto. The answer is never weaker than libcrypto's: what is not simple is unknown here.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;
	int days = 0, secs = 0;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool ok = epoch && time && ASN1_TIME_to_tm(time, &tm) == 1 &&
	          ASN1_TIME_diff(&days, &secs, epoch, time) == 1;

	ASN1_TIME_free(epoch);
	return ok ? days * INT64_C(86400) + secs : INT64_MIN;
}

static bool entries_simple(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);

	for (int i = 0; i < sk_X509_REVOKED_num(all); i++) {
		X509_REVOKED *one = sk_X509_REVOKED_value(all, i);
		int reason = X509_REVOKED_get_ext_by_NID(one, NID_crl_reason, -1);

		/* certificateIssuer is critical (RFC 5280, 5.3.3) */
		if (X509_REVOKED_get_ext_by_critical(one, 1, -1) >= 0)
			return false;
		if (reason >= 0) {
			ASN1_ENUMERATED *code =
			        X509_REVOKED_get_ext_d2i(one, NID_crl_reason, NULL, NULL);
			bool plain =
			        code && ASN1_ENUMERATED_get(code) != CRL_REASON_REMOVE_FROM_CRL;

			ASN1_ENUMERATED_free(code);
			if (!plain)
				return false;
		}
	}
	return true;
}

/* No critical extension: no distribution point, no delta (RFC 5280, 5.2). */
static bool crl_simple(X509_CRL *crl)
{
	return X509_CRL_get_ext_by_critical(crl, 1, -1) < 0 &&
	       X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) < 0 &&
	       X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0 &&
	       X509_CRL_get_ext_by_NID(crl, NID_freshest_crl, -1) < 0 && entries_simple(crl);
}

/* RFC 5280, 6.3.3 (f) and (g). */
static X509 *signer_find(STACK_OF(X509) * among, X509_CRL *crl)
{
	for (int i = 0; i < sk_X509_num(among); i++) {
		X509 *cert = sk_X509_value(among, i);
		EVP_PKEY *key = X509_get0_pubkey(cert);

		if (key && !X509_NAME_cmp(X509_get_subject_name(cert), X509_CRL_get_issuer(crl)) &&
		    X509_CRL_verify(crl, key) == 1)
			return cert;
	}
	return NULL;
}

static bool deltas_there(STACK_OF(X509_CRL) * crls)
{
	for (int i = 0; i < sk_X509_CRL_num(crls); i++)
		if (X509_CRL_get_ext_by_NID(sk_X509_CRL_value(crls, i), NID_delta_crl, -1) >= 0)
			return true;
	return false;
}

int trust_revocation_prepare(struct trust_store *store)
{
	int count = sk_X509_CRL_num(store->crls);

	store->plain = count > 0 ? calloc((size_t)count, sizeof(*store->plain)) : NULL;
	if (count > 0 && !store->plain)
		return BASE_ERR(BASE_LOCAL, 0);
	/* a delta may add to what a complete CRL says: then libcrypto judges them together */
	if (deltas_there(store->crls))
		return 0;
	for (int i = 0; i < count; i++) {
		struct trust_crl one = { .crl = sk_X509_CRL_value(store->crls, i) };

		one.from_s = seconds_of(X509_CRL_get0_lastUpdate(one.crl));
		one.to_s = seconds_of(X509_CRL_get0_nextUpdate(one.crl));
		if (one.from_s == INT64_MIN || one.to_s == INT64_MIN || !crl_simple(one.crl))
			continue;
		one.issuer = signer_find(store->own, one.crl);
		if (!one.issuer)
			one.issuer = signer_find(store->anchors, one.crl);
		if (!one.issuer)
			one.issuer = signer_find(store->untrusted, one.crl);
		/* sorted now: later many threads read the same object */
		if (one.issuer && X509_CRL_sort(one.crl) == 1)
			store->plain[store->plain_count++] = one;
	}
	ERR_clear_error();
	return 0;
}

static bool same_issuer(X509 *a, X509 *b)
{
	return a == b || (!X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) &&
	                  EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1);
}

/* The newest that is in date. */
static const struct trust_crl *crl_find(const struct trust_store *store, X509 *issuer,
                                        int64_t now_s)
{
	const struct trust_crl *best = NULL;

	for (size_t i = 0; i < store->plain_count; i++) {
		const struct trust_crl *one = &store->plain[i];

		if (one->from_s <= now_s && now_s < one->to_s &&
		    (!best || one->from_s > best->from_s) && same_issuer(one->issuer, issuer))
			best = one;
	}
	return best;
}

const char *trust_revoked_reason(X509_REVOKED *entry)
{
	static const char *const names[] = { "unspecified",
		                             "keyCompromise",
		                             "cACompromise",
		                             "affiliationChanged",
		                             "superseded",
		                             "cessationOfOperation",
		                             "certificateHold",
		                             "",
		                             "",
		                             "privilegeWithdrawn",
		                             "aACompromise" };
	ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	long value = code ? ASN1_ENUMERATED_get(code) : -1;

	ASN1_ENUMERATED_free(code);
	return value >= 0 && (size_t)value < BASE_COUNT(names) ? names[value] : "";
}

static void plain_ask(const struct trust_store *store, X509 *cert, X509 *issuer, int64_t now_s,
                      struct trust_revocation *ret)
{
	const struct trust_crl *found = crl_find(store, issuer, now_s);
	X509_REVOKED *entry = NULL;
	char name[100];

	/* RFC 5280, 6.3.3 (f): keyUsage of the CA that stands in THIS path */
	if (!found || !(X509_get_key_usage(issuer) & KU_CRL_SIGN) ||
	    X509_get_ext_by_NID(cert, NID_freshest_crl, -1) >= 0)
		return;
	ret->status = X509_CRL_get0_by_cert(found->crl, &entry, cert) ? TRUST_STATUS_REVOKED
	                                                              : TRUST_STATUS_GOOD;
	if (entry)
		ret->reason = trust_revoked_reason(entry);
	(void)snprintf(ret->source, sizeof(ret->source), "CRL of %s",
	               x509_name_format(X509_CRL_get_issuer(found->crl), name, sizeof(name)));
}

void trust_revocation_find(const struct trust_store *store, X509 *cert, X509 *issuer, int64_t now_s,
                           struct trust_revocation *ret)
{
	*ret = (struct trust_revocation){ .reason = "" };
	plain_ask(store, cert, issuer, now_s, ret);
	/* of two that are in date, the one that condemns is believed */
	if (store->cache && ret->status != TRUST_STATUS_REVOKED) {
		struct trust_revocation cached = { .reason = "" };

		trust_revocation_cached(store, cert, issuer, now_s, &cached);
		if (cached.status == TRUST_STATUS_REVOKED || ret->status == TRUST_STATUS_UNKNOWN)
			*ret = cached;
	}
}
