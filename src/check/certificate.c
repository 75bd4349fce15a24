/* SPDX-License-Identifier: Apache-2.0 */
/** @file The certificate that a server showed. */
#include <openssl/x509.h>

#include "check/judge.h"
#include "x509/x509.h"

static bool facts_of(struct check_bytes der, struct x509_facts *ret)
{
	const unsigned char *at = der.data;
	X509 *cert = der.len ? d2i_X509(NULL, &at, (long)der.len) : NULL;

	if (!cert)
		return false;
	x509_facts_cert(cert, ret);
	X509_free(cert);
	return true;
}

uint16_t check_certificate_curve(const struct check_answer *answer)
{
	struct x509_facts facts;

	if (!facts_of(check_answer_certificate(answer), &facts))
		return 0;
	return !strcmp(facts.curve, "P-256")   ? 23
	       : !strcmp(facts.curve, "P-384") ? 24
	       : !strcmp(facts.curve, "P-521") ? 25
	                                       : 0;
}

struct linting {
	struct check_report *report;
	const struct check_probe *probe;
};

static void on_finding(void *arg, const struct profile_finding *finding)
{
	const struct linting *l = arg;

	check_report_add(l->report, finding->rule, finding->fails ? CHECK_FAIL : CHECK_WARN,
	                 l->probe, "the certificate: %s", finding->text);
}

/** Did a rule get its verdict already? */
static bool told(const struct check_report *report, const struct profile_rule *rule)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->verdict[i].rule == rule)
			return true;
	return false;
}

static const struct check_probe *shown_by(const struct check_survey *s)
{
	for (unsigned i = CHECK_VERSIONS; i > 0; i--)
		if (s->version[i - 1].answer.certificates.len)
			return &s->version[i - 1];
	return NULL;
}

int check_certificate_judge(struct check_report *report, const struct check_survey *s,
                            const struct check_sessions *sessions, const struct profile *profile,
                            struct base_error *err)
{
	const struct check_probe *probe = shown_by(s);
	struct linting l = { report, probe };
	struct profile_checks *checks;
	struct x509_facts facts;
	bool read = probe && facts_of(check_answer_certificate(&probe->answer), &facts);
	int rc;

	if (!read && sessions && sessions->tls13.certificate.len) {
		read = facts_of(sessions->tls13.certificate, &facts);
		l.probe = probe = &sessions->trial[CHECK_TRY_13].probe;
	}
	rc = profile_checks_new(&checks, profile, err);

	if (rc)
		return rc;
	if (read)
		(void)profile_check(checks, PROFILE_ROLE_SERVER, &facts, on_finding, &l);
	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct profile_rule *rule = &profile->rule[i];

		if (told(report, rule))
			continue;
		if (!(rule->roles & PROFILE_ROLE_SERVER))
			check_report_add(report, rule, CHECK_NOT_TESTABLE, NULL,
			                 "it binds what a server does not show");
		else if (!read)
			check_report_add(report, rule, CHECK_NOT_TESTABLE, NULL,
			                 s->psk_only ? "no certificate: pre-shared keys only"
			                             : "no certificate was seen in the clear");
		else
			check_report_add(report, rule, CHECK_PASS, probe, "the certificate of %s",
			                 facts.subject);
	}
	profile_checks_unref(checks);
	return 0;
}
