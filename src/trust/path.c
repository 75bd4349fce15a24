/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

/* CA certificates between anchor and peer; deeper paths cost more work than any PKI needs. */
#define PATH_DEPTH_MAX       10
#define MIN_RSA_BITS         2048 /* TS 33.310, 6.1.1 (mark R) */
#define MIN_SECURITY         112  /* bits; what RSA-2048 gives, for every other kind of key */
#define SUBJECT_TEXT_MAX     112
#define ALERT_INTERNAL_ERROR 80  /* RFC 5246, 7.2.2 */
#define ALERT_BAD_STATUS     113 /* bad_certificate_status_response (RFC 6066, 9) */

/* One validation, as the callbacks see it. Bit n of a set is the certificate of depth n. */
struct walk {
	const struct trust_store *store;
	const struct trust_question *question;
	struct trust_finding *finding;
	unsigned covered; /* a staple or a CRL was judged: what libcrypto lacks does not count */
	unsigned known;   /* a CRL was: libcrypto need not look */
	unsigned stale;   /* the cache has a CRL, and it is out of date */
	unsigned bad_certs, bad_crls;
};

static unsigned bit_of(int depth)
{
	return depth >= 0 && depth < 32 ? 1U << depth : 0;
}

/*
 * A CRL that is missing or cannot be used counts only where the domain asks for CRLs, and never
 * against the anchor itself: it is trusted by configuration (RFC 5280, 6.1: the anchor is not part
 * of the path).
 */
static bool crl_excused(const struct walk *walk, X509_STORE_CTX *ctx, enum trust_reason reason)
{
	if (reason != TRUST_CRL_MISSING && reason != TRUST_CRL_STALE)
		return false;
	return (walk->store && !walk->store->crl_required) ||
	       (walk->covered & bit_of(X509_STORE_CTX_get_error_depth(ctx))) ||
	       X509_STORE_CTX_get_error_depth(ctx) + 1 ==
	               sk_X509_num(X509_STORE_CTX_get0_chain(ctx));
}

/* Who lacks a CRL, and where it says that it is. */
static void urls_note(struct walk *walk, X509 *cert)
{
	char **urls;

	if (!walk->finding->seek || !walk->store || !walk->store->cache || !cert)
		return;
	urls = x509_crl_urls(cert);
	walk->finding->hopeless |= !urls;
	if (walk->finding->urls)
		x509_urls_free(urls);
	else
		walk->finding->urls = urls;
}

/* libcrypto knows no CRL, and the cache one that is out of date. */
static const struct trust_row row_cached_stale = {
	.reason = TRUST_CRL_STALE,
	.clause = "RFC 5280, 5.1.2.5",
	.text = "the cached CRL is not yet valid or past its nextUpdate for",
};

/*
 * Called by libcrypto for every failure; returning 1 makes it look for more. The verdict is ours.
 */
static int on_step(int ok, X509_STORE_CTX *ctx)
{
	struct walk *walk = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_STORE_CTX_get_error(ctx);
	const struct trust_row *row;
	char subject[SUBJECT_TEXT_MAX];
	X509 *cert;

	if (ok)
		return 1;
	/* The path of an indirect CRL's issuer: any failure makes that CRL unusable and is told as
	 * such by the outer path. Its purpose is to sign CRLs, not to be a TLS peer. */
	if (X509_STORE_CTX_get0_parent_ctx(ctx))
		return error == X509_V_ERR_INVALID_PURPOSE;
	row = trust_row_find(error);
	if (row->reason == TRUST_REVOKED || row->reason == TRUST_CRL_MISSING ||
	    row->reason == TRUST_CRL_STALE)
		walk->bad_crls |= bit_of(X509_STORE_CTX_get_error_depth(ctx));
	else
		walk->bad_certs |= bit_of(X509_STORE_CTX_get_error_depth(ctx));
	if (crl_excused(walk, ctx, row->reason))
		return 1;
	if (row->reason == TRUST_CRL_MISSING &&
	    (walk->stale & bit_of(X509_STORE_CTX_get_error_depth(ctx))))
		row = &row_cached_stale;
	cert = X509_STORE_CTX_get_current_cert(ctx);
	if (row->reason == TRUST_CRL_MISSING)
		urls_note(walk, cert);
	walk->finding->about = cert;
	trust_finding_add(
	        walk->finding, row->reason, row->alert, X509_STORE_CTX_get_error_depth(ctx),
	        "%s %s (%s)", row->text ? row->text : X509_verify_cert_error_string(error),
	        cert ? x509_name_format(X509_get_subject_name(cert), subject, sizeof(subject))
	             : "the peer's certificate",
	        row->clause);
	return 1;
}

/* ---- revocation ---- */

static X509_STORE_CTX_check_revocation_fn default_revocation;
static X509_STORE_CTX_cert_crl_fn default_cert_crl;

static int64_t now_of(const struct trust_question *question)
{
	return question->now_s ? question->now_s : (int64_t)time(NULL);
}

/* The simple CRLs, then the staple. */
static void status_check(struct walk *walk, X509 *cert, X509 *issuer, int depth)
{
	struct trust_revocation found;
	struct trust_staple staple = { 0 };

	trust_revocation_find(walk->store, cert, issuer, now_of(walk->question), &found);
	walk->finding->about = cert;
	if (found.status == TRUST_STATUS_REVOKED)
		trust_finding_add(walk->finding, TRUST_REVOKED, 0, depth,
		                  "revoked%s%s by the %s (RFC 5280, 6.1.3 (a)(3))",
		                  *found.reason ? " for " : "", found.reason, found.source);
	else if (found.status == TRUST_STATUS_GOOD)
		trust_finding_good(walk->finding, TRUST_LOOK_CRL, depth,
		                   "not on the %s (RFC 5280, 6.3.3)", found.source);
	if (found.status != TRUST_STATUS_UNKNOWN)
		walk->known |= bit_of(depth);
	walk->covered |= walk->known;
	if (found.stale && found.status == TRUST_STATUS_UNKNOWN)
		walk->stale |= bit_of(depth);
	if (depth || !walk->store->ocsp_staples || !walk->question->staple.len)
		return;
	walk->covered |= bit_of(depth);
	trust_staple_judge(walk->store, walk->question->staple, now_of(walk->question), cert,
	                   issuer, &staple);
	if (staple.status == TRUST_STATUS_GOOD) {
		trust_finding_good(walk->finding, TRUST_LOOK_OCSP, depth, "%s", staple.text);
	} else {
		/* RFC 6066, 8: bad_certificate_status_response */
		trust_finding_add(walk->finding, staple.reason,
		                  staple.reason == TRUST_REVOKED ? 0 : ALERT_BAD_STATUS, depth,
		                  "%s", staple.text);
	}
}

/* An anchor is trusted by configuration, unless its own CRL lists it. */
static void anchor_check(struct walk *walk, X509 *anchor, int depth)
{
	struct trust_revocation found;

	trust_revocation_find(walk->store, anchor, anchor, now_of(walk->question), &found);
	if (found.status != TRUST_STATUS_REVOKED)
		return;
	walk->finding->about = anchor;
	trust_finding_add(walk->finding, TRUST_REVOKED, 0, depth,
	                  "revoked by its own %s (RFC 5280, 6.1.3 (a)(3))", found.source);
}

static int on_revocation(X509_STORE_CTX *ctx)
{
	struct walk *walk = X509_STORE_CTX_get_app_data(ctx);
	STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
	int last = sk_X509_num(path) - 1;

	if (X509_STORE_CTX_get0_parent_ctx(ctx) ||
	    !(X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(ctx)) & X509_V_FLAG_CRL_CHECK))
		return default_revocation(ctx);
	for (int i = 0; i < last; i++)
		status_check(walk, sk_X509_value(path, i), sk_X509_value(path, i + 1), i);
	if (walk->known + 1 == 1U << last) {
		anchor_check(walk, sk_X509_value(path, last), last);
		return 1;
	}
	return default_revocation(ctx);
}

/* libcrypto has found the CRL for a certificate. */
static int on_cert_crl(X509_STORE_CTX *ctx, X509_CRL *crl, X509 *cert)
{
	struct walk *walk = X509_STORE_CTX_get_app_data(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx), rc = default_cert_crl(ctx, crl, cert);
	char name[100];

	if (X509_STORE_CTX_get0_parent_ctx(ctx) ||
	    ((walk->bad_crls | walk->covered) & bit_of(depth)))
		return rc;
	walk->finding->about = cert;
	trust_finding_good(walk->finding, TRUST_LOOK_CRL, depth,
	                   "not on the CRL of %s (RFC 5280, 6.3.3)",
	                   x509_name_format(X509_CRL_get_issuer(crl), name, sizeof(name)));
	return rc;
}

static void defaults_find(void)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (store && ctx && X509_STORE_CTX_init(ctx, store, NULL, NULL) == 1) {
		default_revocation = X509_STORE_CTX_get_check_revocation(ctx);
		default_cert_crl = X509_STORE_CTX_get_cert_crl(ctx);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

int trust_path_hook(X509_STORE *store)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, defaults_find) || !default_revocation || !default_cert_crl)
		return BASE_ERR(BASE_LOCAL, 0);
	X509_STORE_set_check_revocation(store, on_revocation);
	X509_STORE_set_cert_crl(store, on_cert_crl);
	return 0;
}

/* ---- strength and name ---- */

void trust_key_check(const struct trust_question *question, X509 *cert, int depth,
                     struct trust_finding *finding)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	int min_rsa = question->min_rsa_bits ? (int)question->min_rsa_bits : MIN_RSA_BITS;
	char subject[SUBJECT_TEXT_MAX];
	bool rsa, weak;

	if (!key) {
		ERR_clear_error();
		trust_finding_add(finding, TRUST_MALFORMED, 0, depth,
		                  "the public key cannot be read (RFC 5280, 4.1.2.7)");
		return;
	}
	if (question->any_strength)
		return;
	rsa = EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
	weak = rsa ? EVP_PKEY_get_bits(key) < min_rsa
	           : EVP_PKEY_get_security_bits(key) < MIN_SECURITY;
	if (!weak)
		return;
	finding->about = cert;
	trust_finding_add(finding, TRUST_WEAK, 0, depth,
	                  "the key has only %d bits in %s (TS 33.310, 6.1.1)",
	                  EVP_PKEY_get_bits(key),
	                  x509_name_format(X509_get_subject_name(cert), subject, sizeof(subject)));
}

static bool hash_weak(const struct trust_question *question, X509 *cert)
{
	int md = NID_undef;

	if (X509_get_signature_info(cert, &md, NULL, NULL, NULL) != 1)
		return false; /* no signature we know: the path check has told */
	if (question->any_strength)
		return false;
	return md == NID_md2 || md == NID_md4 || md == NID_md5 ||
	       (md == NID_sha1 && !question->allow_sha1);
}

/* TS 33.310, 6.1.1: SHA-1 and MD5 shall not be used in certificates (mark V). */
static void strength_check(const struct trust_question *question, STACK_OF(X509) * path, X509 *cert,
                           struct trust_finding *finding)
{
	int count = sk_X509_num(path);
	char subject[SUBJECT_TEXT_MAX];

	for (int i = 0; i < BASE_MAX(count, 1); i++) {
		X509 *one = count > 0 ? sk_X509_value(path, i) : cert;

		trust_key_check(question, one, i, finding);
		/* nobody relies on the signature of a root on itself */
		if (i > 0 && i + 1 == count && X509_self_signed(one, 0) == 1)
			continue;
		if (hash_weak(question, one))
			trust_finding_add(finding, TRUST_WEAK, 0, i,
			                  "the signature's hash is too weak on %s "
			                  "(TS 33.310, 6.1.1)",
			                  x509_name_format(X509_get_subject_name(one), subject,
			                                   sizeof(subject)));
	}
}

static void sip_check(const char *domain, X509 *cert, struct trust_finding *finding)
{
	char subject[SUBJECT_TEXT_MAX];

	if (!*domain || trust_sip_proves(cert, domain))
		return;
	trust_finding_add(finding, TRUST_WRONG_NAME, 0, 0,
	                  "the SIP domain %.100s is not in the certificate of %s (RFC 5922, 7.2)",
	                  domain,
	                  x509_name_format(X509_get_subject_name(cert), subject, sizeof(subject)));
}

static void name_check(const struct trust_question *question, X509 *cert,
                       struct trust_finding *finding)
{
	unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	char subject[SUBJECT_TEXT_MAX];

	if (!question->peer_name)
		return;
	if (strncmp(question->peer_name, "sip:", 4) == 0) {
		sip_check(question->peer_name + 4, cert, finding);
		return;
	}
	/* RFC 6125, 6.4.4: the CN is a last resort where no identifier is presented */
	if (X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) >= 0)
		flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	if (*question->peer_name && X509_check_host(cert, question->peer_name, 0, flags, NULL) == 1)
		return;
	trust_finding_add(finding, TRUST_WRONG_NAME, 0, 0,
	                  "the name %.100s is not in the certificate of %s (RFC 6125, 6.4)",
	                  question->peer_name,
	                  x509_name_format(X509_get_subject_name(cert), subject, sizeof(subject)));
}

/* RFC 5280, 6.1.1 (c) and (e) to (g). */
static int policies_set(X509_VERIFY_PARAM *param, const struct trust_question *question)
{
	STACK_OF(ASN1_OBJECT) *list = NULL;
	int rc = 0;

	if (!question->policies)
		return 0;
	list = sk_ASN1_OBJECT_new_null();
	for (const char *const *p = question->policies; list && !rc && *p; p++) {
		ASN1_OBJECT *one = OBJ_txt2obj(*p, 1);

		if (!one || !sk_ASN1_OBJECT_push(list, one)) {
			ASN1_OBJECT_free(one);
			rc = BASE_ERR(BASE_LOCAL, 0);
		}
	}
	if (!list || (!rc && X509_VERIFY_PARAM_set1_policies(param, list) != 1))
		rc = BASE_ERR(BASE_LOCAL, 0);
	sk_ASN1_OBJECT_pop_free(list, ASN1_OBJECT_free);
	return rc;
}

static unsigned long flags_of(const struct trust_store *store,
                              const struct trust_question *question, const struct trust_path *path)
{
	unsigned long flags = X509_V_FLAG_POLICY_CHECK; /* RFC 5280, 6.1.3 (d) to (f) */

	if (question->require_explicit_policy)
		flags |= X509_V_FLAG_EXPLICIT_POLICY;
	if (question->inhibit_policy_mapping)
		flags |= X509_V_FLAG_INHIBIT_MAP;
	if (question->inhibit_any_policy)
		flags |= X509_V_FLAG_INHIBIT_ANY;
	if (path->exact) /* the anchor may be a TLS CA below the operator's root */
		flags |= X509_V_FLAG_PARTIAL_CHAIN;
	/* CRL_CHECK_ALL, for a check of the leaf alone accepts a revoked CA certificate */
	if (store && (store->crl_required || store->cache || sk_X509_CRL_num(store->crls) > 0))
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
		         X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
	return flags;
}

static int walk_configure(X509_STORE_CTX *ctx, struct walk *walk, const struct trust_path *path)
{
	const struct trust_question *question = walk->question;
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_STORE_CTX_set_app_data(ctx, walk);
	/* fails for NULL only */
	(void)X509_VERIFY_PARAM_set_flags(param, flags_of(walk->store, question, path));
	X509_VERIFY_PARAM_set_depth(param, PATH_DEPTH_MAX);
	if (question->now_s)
		X509_VERIFY_PARAM_set_time(param, (time_t)question->now_s);
	(void)X509_STORE_CTX_set_purpose(ctx, question->peer_is_server ? X509_PURPOSE_SSL_SERVER
	                                                               : X509_PURPOSE_SSL_CLIENT);
	if (walk->store)
		X509_STORE_CTX_set0_crls(ctx, walk->store->crls);
	if (path->anchors)
		X509_STORE_CTX_set0_trusted_stack(ctx, path->anchors);
	X509_STORE_CTX_set_verify_cb(ctx, on_step);
	return policies_set(param, question);
}

/* What the peer sent comes first: it is the likelier to lead to the anchor. */
static STACK_OF(X509) * untrusted_join(const struct trust_store *store, STACK_OF(X509) * peer)
{
	STACK_OF(X509) *all = sk_X509_dup(peer);

	for (int i = 0; all && store && i < sk_X509_num(store->untrusted); i++) {
		if (!sk_X509_push(all, sk_X509_value(store->untrusted, i))) {
			sk_X509_free(all);
			return NULL;
		}
	}
	return all;
}

/* Did libcrypto walk the way it was to walk? */
static bool walked_exactly(STACK_OF(X509) * chain, X509 *cert, const struct trust_path *path)
{
	int between = sk_X509_num(path->between);

	if (sk_X509_num(chain) != between + 2 || X509_cmp(sk_X509_value(chain, 0), cert) != 0 ||
	    X509_cmp(sk_X509_value(chain, between + 1), sk_X509_value(path->anchors, 0)) != 0)
		return false;
	for (int i = 0; i < between; i++)
		if (X509_cmp(sk_X509_value(chain, i + 1), sk_X509_value(path->between, i)) != 0)
			return false;
	return true;
}

/* What libcrypto had nothing to say against. */
static void good_tell(const struct walk *walk, STACK_OF(X509) * chain)
{
	char name[112];

	for (int i = 0; walk->finding->teller && i < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);
		bool anchor = i + 1 == sk_X509_num(chain);

		if (walk->bad_certs & bit_of(i))
			continue;
		walk->finding->about = cert;
		(void)x509_name_format(X509_get_issuer_name(cert), name, sizeof(name));
		trust_finding_good(walk->finding, TRUST_LOOK_CERTIFICATE, i,
		                   anchor ? "the path ends here%.0s (RFC 5280, 6.1.1 (d))"
		                          : "signed by %s, dates, constraints and usage fit "
		                            "(RFC 5280, 6.1.3)",
		                   name);
	}
}

/* Whom a CRL that comes later could not end is not let in. */
static void standing_keep(struct walk *walk, STACK_OF(X509) * chain)
{
	walk->finding->standing = trust_standing_new(walk->store, chain);
	if (!walk->finding->standing && sk_X509_num(chain) > 1)
		trust_finding_add(walk->finding, TRUST_PATH, ALERT_INTERNAL_ERROR, 0,
		                  "no memory to keep what the peer rests on");
}

static void walk_judge(X509_STORE_CTX *ctx, int ok, struct walk *walk, X509 *cert,
                       const struct trust_path *path)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

	if (ok <= 0) /* it gave up, which is never a yes */
		trust_finding_add(walk->finding, TRUST_PATH, 0, X509_STORE_CTX_get_error_depth(ctx),
		                  "path validation failed: %s (RFC 5280, 6.1)",
		                  X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	else if (path->exact && !walk->finding->failures && !walked_exactly(chain, cert, path))
		trust_finding_add(walk->finding, TRUST_PATH, 0, 0,
		                  "the path goes another way than it should "
		                  "(TS 33.310, 5.2.2.2)");
	good_tell(walk, chain);
	strength_check(walk->question, chain, cert, walk->finding);
	walk->finding->about = cert;
	name_check(walk->question, cert, walk->finding);
	if (walk->finding->keep &&
	    (!walk->finding->failures ||
	     trust_finding_tolerated(walk->finding, walk->question->continue_on)))
		standing_keep(walk, chain);
}

int trust_path_walk(const struct trust_store *store, const struct trust_question *question,
                    X509 *cert, const struct trust_path *path, struct trust_finding *finding)
{
	struct walk walk = { .store = store, .question = question, .finding = finding };
	X509_STORE *empty = store ? NULL : X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc = BASE_ERR(BASE_LOCAL, 0), ok;

	if (!ctx || (!store && !empty) ||
	    X509_STORE_CTX_init(ctx, store ? store->store : empty, cert, path->between) != 1)
		goto out;
	rc = walk_configure(ctx, &walk, path);
	if (rc)
		goto out;
	ok = X509_verify_cert(ctx);
	if (ok <= 0 && X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM)
		rc = BASE_ERR(BASE_LOCAL, 0);
	else
		walk_judge(ctx, ok, &walk, cert, path);
out:
	ERR_clear_error();
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(empty);
	return rc;
}

int trust_path_check(const struct trust_store *store, const struct trust_question *question,
                     X509 *cert, STACK_OF(X509) * peer, struct trust_finding *finding)
{
	struct trust_path path = { 0 };
	int rc;

	if (store && store->interconnect)
		return trust_interconnect_check(store, question, cert, finding);
	path.between = untrusted_join(store, peer);
	if (!path.between)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = trust_path_walk(store, question, cert, &path, finding);
	sk_X509_free(path.between);
	return rc;
}
