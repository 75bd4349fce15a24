/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

/* CA certificates between anchor and peer; deeper paths cost more work than any PKI needs. */
#define PATH_DEPTH_MAX   10
#define MIN_RSA_BITS     2048 /* TS 33.310, 6.1.1 (mark R) */
#define MIN_SECURITY     112  /* bits; what RSA-2048 gives, for every other kind of key */
#define SUBJECT_TEXT_MAX 112

/* One validation, as the callback sees it. */
struct walk {
	const struct trust_store *store;
	struct trust_finding *finding;
};

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
	       X509_STORE_CTX_get_error_depth(ctx) + 1 ==
	               sk_X509_num(X509_STORE_CTX_get0_chain(ctx));
}

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
	if (crl_excused(walk, ctx, row->reason))
		return 1;
	cert = X509_STORE_CTX_get_current_cert(ctx);
	trust_finding_add(
	        walk->finding, row->reason, row->alert, X509_STORE_CTX_get_error_depth(ctx),
	        "%s %s (%s)", row->text ? row->text : X509_verify_cert_error_string(error),
	        cert ? x509_name_format(X509_get_subject_name(cert), subject, sizeof(subject))
	             : "the peer's certificate",
	        row->clause);
	return 1;
}

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
	rsa = EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
	weak = rsa ? EVP_PKEY_get_bits(key) < min_rsa
	           : EVP_PKEY_get_security_bits(key) < MIN_SECURITY;
	if (weak)
		trust_finding_add(
		        finding, TRUST_WEAK, 0, depth,
		        "the key has only %d bits in %s (TS 33.310, 6.1.1)", EVP_PKEY_get_bits(key),
		        x509_name_format(X509_get_subject_name(cert), subject, sizeof(subject)));
}

static bool hash_weak(const struct trust_question *question, X509 *cert)
{
	int md = NID_undef;

	if (X509_get_signature_info(cert, &md, NULL, NULL, NULL) != 1)
		return false; /* no signature we know: the path check has told */
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

static void name_check(const struct trust_question *question, X509 *cert,
                       struct trust_finding *finding)
{
	unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	char subject[SUBJECT_TEXT_MAX];

	if (!question->peer_name)
		return;
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

static void walk_configure(X509_STORE_CTX *ctx, const struct trust_store *store,
                           const struct trust_question *question)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	unsigned long flags = X509_V_FLAG_POLICY_CHECK; /* RFC 5280, 6.1.3 (d) to (f) */

	/* CRL_CHECK_ALL, for a check of the leaf alone accepts a revoked CA certificate */
	if (store && (store->crl_required || sk_X509_CRL_num(store->crls) > 0))
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
		         X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
	(void)X509_VERIFY_PARAM_set_flags(param, flags); /* fails for NULL only */
	X509_VERIFY_PARAM_set_depth(param, PATH_DEPTH_MAX);
	if (question->now_s)
		X509_VERIFY_PARAM_set_time(param, (time_t)question->now_s);
	(void)X509_STORE_CTX_set_purpose(ctx, question->peer_is_server ? X509_PURPOSE_SSL_SERVER
	                                                               : X509_PURPOSE_SSL_CLIENT);
	if (store)
		X509_STORE_CTX_set0_crls(ctx, store->crls);
	X509_STORE_CTX_set_verify_cb(ctx, on_step);
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

int trust_path_check(const struct trust_store *store, const struct trust_question *question,
                     X509 *cert, STACK_OF(X509) * peer, struct trust_finding *finding)
{
	struct walk walk = { store, finding };
	X509_STORE *empty = store ? NULL : X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *untrusted = untrusted_join(store, peer);
	int rc = BASE_ERR(BASE_LOCAL, 0), ok;

	if (!ctx || !untrusted || (!store && !empty) ||
	    X509_STORE_CTX_init(ctx, store ? store->store : empty, cert, untrusted) != 1)
		goto out;
	X509_STORE_CTX_set_app_data(ctx, &walk);
	walk_configure(ctx, store, question);
	ok = X509_verify_cert(ctx);
	if (ok <= 0 && X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM)
		goto out;
	if (ok <= 0) /* it gave up, which is never a yes */
		trust_finding_add(finding, TRUST_PATH, 0, X509_STORE_CTX_get_error_depth(ctx),
		                  "path validation failed: %s (RFC 5280, 6.1)",
		                  X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	strength_check(question, X509_STORE_CTX_get0_chain(ctx), cert, finding);
	name_check(question, cert, finding);
	rc = 0;
out:
	ERR_clear_error();
	sk_X509_free(untrusted);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(empty);
	return rc;
}
