/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "trust/internal.h"

/* More certificates than any peer needs, and each costs us work (TS 33.310 sends at most four). */
#define CHAIN_MAX        16

#define SUBJECT_TEXT_MAX 128

static enum trust_look look_of(enum trust_reason reason)
{
	switch (reason) {
	case TRUST_REVOKED:
	case TRUST_CRL_MISSING:
	case TRUST_CRL_STALE:
		return TRUST_LOOK_CRL;
	case TRUST_NO_FINGERPRINT:
	case TRUST_FINGERPRINT_MISMATCH:
		return TRUST_LOOK_FINGERPRINT;
	case TRUST_WEAK:
		return TRUST_LOOK_STRENGTH;
	case TRUST_WRONG_NAME:
		return TRUST_LOOK_NAME;
	case TRUST_PROFILE:
		return TRUST_LOOK_PROFILE;
	default:
		return TRUST_LOOK_CERTIFICATE;
	}
}

static void step_tell(const struct trust_finding *finding, struct trust_step step)
{
	char subject[SUBJECT_TEXT_MAX] = "";

	if (finding->about)
		(void)x509_name_format(X509_get_subject_name(finding->about), subject,
		                       sizeof(subject));
	step.subject = subject;
	finding->teller->step(finding->teller->arg, &step);
}

void trust_finding_good(const struct trust_finding *finding, enum trust_look look, int depth,
                        const char *fmt, ...)
{
	char text[sizeof(finding->text)];
	va_list args;

	if (!finding->teller)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	step_tell(finding,
	          (struct trust_step){ .look = look, .ok = true, .depth = depth, .text = text });
}

static void culprit_note(const X509 *cert, struct trust_culprit *ret)
{
	struct x509_about about;
	char **urls;

	*ret = (struct trust_culprit){ "" };
	if (!cert || x509_about_cert((X509 *)cert, &about))
		return;
	(void)x509_name_format(X509_get_subject_name(cert), ret->subject, sizeof(ret->subject));
	(void)x509_name_format(X509_get_issuer_name(cert), ret->issuer, sizeof(ret->issuer));
	(void)snprintf(ret->serial, sizeof(ret->serial), "%s", about.serial);
	urls = x509_crl_urls((X509 *)cert);
	for (char **url = urls; url && *url && !*ret->crl; url++)
		if (x509_crl_url_ok(*url)) /* it goes into a log line */
			(void)snprintf(ret->crl, sizeof(ret->crl), "%s", *url);
	x509_urls_free(urls);
}

void trust_finding_add(struct trust_finding *finding, enum trust_reason reason, uint8_t alert,
                       int depth, const char *fmt, ...)
{
	bool told = finding->failures && finding->reason <= reason;
	char text[sizeof(finding->text)];
	va_list args;

	finding->failures |= 1U << reason;
	if (told && !finding->teller)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (finding->teller)
		step_tell(finding, (struct trust_step){ .look = look_of(reason),
		                                        .depth = depth,
		                                        .reason = reason,
		                                        .text = text });
	if (told)
		return;
	finding->reason = reason;
	finding->depth = depth;
	finding->alert = alert ? alert : trust_reason_alert(reason);
	memcpy(finding->text, text, sizeof(text));
	culprit_note(finding->about, &finding->culprit);
}

static X509 *cert_parse(struct base_str der)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	X509 *cert = der.len <= INT32_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;

	if (cert && at != (const unsigned char *)der.ptr + der.len) {
		X509_free(cert);
		cert = NULL;
	}
	ERR_clear_error();
	return cert;
}

/* "its most preferred hash function (out of those offered by the peer)" (RFC 8122, 5.1); SHA-256
 * is the one the RFC prefers (5), then by strength. */
static const enum x509_hash preference[] = { X509_HASH_SHA256, X509_HASH_SHA512, X509_HASH_SHA384,
	                                     X509_HASH_SHA224, X509_HASH_SHA1 };

static bool hash_preferred(const struct trust_question *question, enum x509_hash *ret)
{
	for (size_t i = 0; i < BASE_COUNT(preference); i++) {
		for (size_t j = 0; j < question->fingerprint_count; j++) {
			if (question->fingerprints[j].hash == preference[i]) {
				*ret = preference[i];
				return true;
			}
		}
	}
	return false;
}

static int fingerprint_check(const struct trust_question *question, struct base_str der, X509 *cert,
                             struct trust_finding *finding)
{
	enum x509_hash hash = X509_HASH_SHA256;
	struct x509_fingerprint own;
	bool match = false;
	int rc;

	if (!hash_preferred(question, &hash)) {
		trust_finding_add(finding, TRUST_NO_FINGERPRINT, 0, 0,
		                  "a fingerprint is needed and none was given "
		                  "(H.248.TLSPROF, 8.3.2.2.1)");
		return 0;
	}
	rc = x509_fingerprint_make(hash, (const uint8_t *)der.ptr, der.len, &own);
	if (rc)
		return rc;
	for (size_t i = 0; i < question->fingerprint_count; i++)
		match |= x509_fingerprint_equal(&question->fingerprints[i], &own);
	if (match) {
		trust_finding_good(finding, TRUST_LOOK_FINGERPRINT, 0,
		                   "the %s fingerprint matches (RFC 8122, 5)",
		                   x509_hash_name(hash));
		trust_key_check(question, cert, 0, finding);
	} else {
		trust_finding_add(finding, TRUST_FINGERPRINT_MISMATCH, 0, 0,
		                  "the certificate matches no %s fingerprint that was given "
		                  "(RFC 8122, 6.2)",
		                  x509_hash_name(hash));
	}
	return 0;
}

static int chain_check(struct trust_store *store, const struct trust_question *question,
                       const struct base_str *chain, size_t count, X509 *cert,
                       struct trust_finding *finding)
{
	STACK_OF(X509) *peer = sk_X509_new_null();
	int rc = peer ? 0 : BASE_ERR(BASE_LOCAL, 0);

	if (count > CHAIN_MAX) {
		trust_finding_add(finding, TRUST_PATH, 0, CHAIN_MAX,
		                  "%zu certificates were sent, we read at most %d", count,
		                  CHAIN_MAX);
		goto out;
	}
	for (size_t i = 1; !rc && i < count; i++) {
		X509 *one = cert_parse(chain[i]);

		if (!one) {
			trust_finding_add(finding, TRUST_MALFORMED, 0, (int)i,
			                  "certificate %zu of the chain is malformed "
			                  "(RFC 5280, 4.1)",
			                  i);
			goto out;
		}
		if (!sk_X509_push(peer, one)) {
			X509_free(one);
			rc = BASE_ERR(BASE_LOCAL, 0);
		}
	}
	if (!rc)
		rc = trust_path_check(store, question, cert, peer, finding);
	if (!rc)
		trust_lint_peer(store, question, cert, finding);
out:
	sk_X509_pop_free(peer, X509_free);
	return rc;
}

void trust_finding_done(struct trust_finding *finding)
{
	trust_standing_unref(finding->standing);
	x509_urls_free(finding->urls);
	finding->standing = NULL;
	finding->urls = NULL;
}

bool trust_finding_better(const struct trust_finding *a, const struct trust_finding *b,
                          unsigned continue_on)
{
	bool a_go = trust_finding_tolerated(a, continue_on),
	     b_go = trust_finding_tolerated(b, continue_on);

	if (!a->failures || !b->failures)
		return !a->failures;
	if (a_go != b_go)
		return a_go;
	return a->reason <= b->reason;
}

static void verdict_take(struct trust_verdict *verdict, const struct trust_question *question,
                         enum trust_method method, const struct trust_finding *finding)
{
	verdict->method = method;
	verdict->failures = finding->failures;
	verdict->authenticated = !finding->failures;
	verdict->tolerated = trust_finding_tolerated(finding, question->continue_on);
	verdict->reason = finding->failures ? finding->reason : TRUST_OK;
	verdict->depth = finding->failures ? finding->depth : 0;
	verdict->alert = finding->failures ? finding->alert : 0;
	memcpy(verdict->rules, finding->rules, sizeof(verdict->rules));
	verdict->culprit = finding->culprit;
	(void)snprintf(verdict->text, sizeof(verdict->text), "%s",
	               finding->failures             ? finding->text
	               : method == TRUST_FINGERPRINT ? "the fingerprint matches (RFC 8122, 5)"
	                                             : "the path is valid (RFC 5280, 6.1)");
}

/* What the question wants to have of it. */
static void finding_give(struct trust_finding *finding, const struct trust_question *question)
{
	unsigned fatal = finding->failures & ~question->continue_on;

	if (question->ret_standing) {
		*question->ret_standing = finding->standing;
		finding->standing = NULL;
	}
	if (question->ret_urls && fatal == 1U << TRUST_CRL_MISSING && !finding->hopeless) {
		*question->ret_urls = finding->urls;
		finding->urls = NULL;
	}
}

static int cert_decide(struct trust_store *store, const struct trust_question *question,
                       const struct base_str *chain, size_t count, X509 *cert,
                       const struct trust_teller *teller, struct trust_verdict *verdict)
{
	struct trust_finding by_print = { .teller = teller, .about = cert }, by_path = by_print;
	bool print = question->methods & TRUST_FINGERPRINT, path = question->methods & TRUST_CA;
	int rc = 0;

	if (print && path && !question->fingerprint_count)
		print = false;
	if (print)
		rc = fingerprint_check(question, chain[0], cert, &by_print);
	by_path.keep = question->ret_standing != NULL;
	by_path.seek = question->ret_urls != NULL;
	if (!rc && path && !(print && !by_print.failures))
		rc = chain_check(store, question, chain, count, cert, &by_path);
	if (rc)
		goto out;
	if (!print && !path)
		trust_finding_add(&by_path, TRUST_PATH, 0, 0,
		                  "the domain allows no method of authentication "
		                  "(H.248.TLSPROF, 8.3)");
	if (print && (!path || trust_finding_better(&by_print, &by_path, question->continue_on)))
		verdict_take(verdict, question, TRUST_FINGERPRINT, &by_print);
	else
		verdict_take(verdict, question, TRUST_CA, &by_path);
	if (verdict->method == TRUST_CA)
		finding_give(&by_path, question);
out:
	trust_finding_done(&by_path);
	return rc;
}

/* Nothing that could be judged was sent. */
static void refuse(struct trust_verdict *verdict, const struct trust_question *question,
                   enum trust_reason reason, uint8_t alert, const char *text,
                   const struct trust_teller *teller)
{
	struct trust_finding finding = { .teller = teller };

	trust_finding_add(&finding, reason, alert, 0, "%s", text);
	verdict_take(verdict, question, question->methods & TRUST_CA ? TRUST_CA : TRUST_FINGERPRINT,
	             &finding);
}

static int decide(struct trust_store *store, const struct trust_question *question,
                  const struct base_str *chain, size_t count, const struct trust_teller *teller,
                  struct trust_verdict *ret)
{
	struct trust_verdict verdict = { 0 };
	X509 *cert = NULL;
	int rc = 0;

	if (question->ret_standing)
		*question->ret_standing = NULL;
	if (question->ret_urls)
		*question->ret_urls = NULL;
	if (question->ret_sip_domains)
		*question->ret_sip_domains = NULL;
	if (!count) {
		/* RFC 8122, 6.2 asks for bad_certificate where fingerprints are the method */
		refuse(&verdict, question, TRUST_NO_CERTIFICATE,
		       question->methods & TRUST_CA
		               ? 0
		               : trust_reason_alert(TRUST_FINGERPRINT_MISMATCH),
		       "the peer sent no certificate", teller);
		*ret = verdict;
		return 0;
	}
	rc = x509_fingerprint_make(X509_HASH_SHA256, (const uint8_t *)chain[0].ptr, chain[0].len,
	                           &verdict.fingerprint);
	if (rc)
		return rc;
	cert = cert_parse(chain[0]);
	if (cert) {
		(void)x509_name_format(X509_get_subject_name(cert), verdict.subject,
		                       sizeof(verdict.subject));
		if (question->ret_sip_domains && question->peer_name &&
		    strncmp(question->peer_name, "sip:", 4) == 0)
			*question->ret_sip_domains = trust_sip_domains(cert);
		rc = cert_decide(store, question, chain, count, cert, teller, &verdict);
	} else {
		refuse(&verdict, question, TRUST_MALFORMED, 0,
		       "the peer's certificate is malformed (RFC 5280, 4.1)", teller);
	}
	X509_free(cert);
	if (!rc)
		*ret = verdict;
	return rc;
}

int trust_decide(struct trust_store *store, const struct trust_question *question,
                 const struct base_str *chain, size_t count, struct trust_verdict *ret)
{
	return decide(store, question, chain, count, NULL, ret);
}

int trust_explain(struct trust_store *store, const struct trust_question *question,
                  const struct base_str *chain, size_t count, trust_step_fn *step, void *arg,
                  struct trust_verdict *ret)
{
	return decide(store, question, chain, count, &(struct trust_teller){ step, arg }, ret);
}
