/* SPDX-License-Identifier: Apache-2.0 */
/** @file The certificates that a server showed, or a client. */
#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "check/client.h"
#include "check/judge.h"
#include "check/words.h"
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

/** One of the server's certificates: it may have one for each kind of key. */
struct leaf {
	struct check_bytes der;
	const struct check_probe *probe; /**< that it was shown to first */
	struct x509_facts facts;
};

struct leaves {
	struct leaf leaf[4];
	size_t count;
};

struct linting {
	struct check_report *report;
	const struct leaf *leaf;
	bool alone;
};

static void on_finding(void *arg, const struct profile_finding *finding)
{
	const struct linting *l = arg;
	const struct check_probe *probe = l->leaf->probe;

	check_report_add(l->report, finding->rule, finding->fails ? CHECK_FAIL : CHECK_WARN, probe,
	                 "the certificate%s%s: %s", l->alone ? "" : " shown with ",
	                 l->alone ? "" : check_suite_name(probe->answer.suite), finding->text);
}

/** Did a rule get its verdict already? */
static bool told(const struct check_report *report, const struct profile_rule *rule)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->verdict[i].rule == rule)
			return true;
	return false;
}

static void leaf_take(struct leaves *all, struct check_bytes der, const struct check_probe *probe)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->leaf[i].der.len == der.len &&
		    !memcmp(all->leaf[i].der.data, der.data, der.len))
			return;
	if (all->count < BASE_COUNT(all->leaf) && facts_of(der, &all->leaf[all->count].facts)) {
		all->leaf[all->count].der = der;
		all->leaf[all->count++].probe = probe;
	}
}

static void leaves_take(struct leaves *all, const struct check_probe *probe, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (probe[i].answer.certificates.len)
			leaf_take(all, check_answer_certificate(&probe[i].answer), &probe[i]);
}

/** All that were shown, whatever was offered. */
static void leaves_find(struct leaves *all, const struct check_survey *s,
                        const struct check_sessions *sessions)
{
	all->count = 0;
	leaves_take(all, s->version, CHECK_VERSIONS);
	leaves_take(all, s->suite, CHECK_SUITES_MAX);
	leaves_take(all, s->suite_low, CHECK_SUITES_MAX);
	if (sessions && sessions->tls13.certificate.len)
		leaf_take(all, sessions->tls13.certificate, &sessions->trial[CHECK_TRY_13].probe);
}

static void rule_settle(struct check_report *report, const struct check_survey *s,
                        const struct leaves *all, const struct profile_rule *rule)
{
	if (told(report, rule))
		return;
	if (!(rule->roles & PROFILE_ROLE_SERVER))
		check_report_add(report, rule, CHECK_NOT_TESTABLE, NULL,
		                 "it binds what a server does not show");
	else if (!all->count)
		check_report_add(report, rule, CHECK_NOT_TESTABLE, NULL,
		                 s->psk_only ? "no certificate: pre-shared keys only"
		                             : "no certificate was seen in the clear");
	else if (all->count > 1)
		check_report_add(report, rule, CHECK_PASS, all->leaf->probe,
		                 "each of the %zu certificates that it shows", all->count);
	else
		check_report_add(report, rule, CHECK_PASS, all->leaf->probe,
		                 "the certificate of %s", all->leaf->facts.subject);
}

int check_certificate_judge(struct check_report *report, const struct check_survey *s,
                            const struct check_sessions *sessions, const struct profile *profile,
                            struct base_error *err)
{
	struct leaves *all = calloc(1, sizeof(*all)); /* facts are large */
	struct profile_checks *checks;
	int rc;

	if (!all)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	rc = profile_checks_new(&checks, profile, err);
	if (rc) {
		free(all);
		return rc;
	}
	leaves_find(all, s, sessions);
	for (size_t i = 0; i < all->count; i++) {
		struct linting l = { report, &all->leaf[i], all->count == 1 };

		(void)profile_check(checks, PROFILE_ROLE_SERVER, &l.leaf->facts, on_finding, &l);
	}
	for (size_t i = 0; i < profile->rule_count; i++)
		rule_settle(report, s, all, &profile->rule[i]);
	profile_checks_unref(checks);
	free(all);
	return 0;
}

/* -- a client's -------------------------------------------------------------------------------- */

/** Where it was asked for it. */
static const struct check_trial *shown_in(const struct check_client *c)
{
	const struct check_trial *old = &c->trial[CHECK_VISIT_CERTIFICATE],
	                         *in_13 = &c->trial[CHECK_VISIT_13_CERTIFICATE];

	return old->yes || !in_13->tried ? old : in_13;
}

/** Why there is none; NULL = there is one. */
static const char *none_because(const struct check_client *c)
{
	const struct check_trial *t = shown_in(c);

	if (c->certificate.len)
		return NULL;
	if (t->tried)
		return t->text;
	return !c->host.identity ? "no certificate of the client was asked for: that takes a "
	                           "session, by --cert and --key"
	                         : "it did not come again to be asked for its certificate";
}

static void client_rule_settle(struct check_report *report, const struct check_client *c,
                               const struct leaf *leaf, const struct profile_rule *rule)
{
	const char *none = none_because(c);

	if (told(report, rule))
		return;
	if (!(rule->roles & PROFILE_ROLE_CLIENT))
		check_report_add(report, rule, CHECK_NOT_TESTABLE, NULL,
		                 "it binds what a client does not show");
	else if (none)
		check_report_add(report, rule, CHECK_NOT_TESTABLE, NULL, "%s", none);
	else
		check_report_add(report, rule, CHECK_PASS, leaf->probe, "the certificate of %s",
		                 leaf->facts.subject);
}

int check_client_certificate_judge(struct check_report *report, const struct check_client *c,
                                   const struct profile *profile, struct base_error *err)
{
	struct leaf *leaf = calloc(1, sizeof(*leaf)); /* facts are large */
	struct linting l = { report, leaf, true };
	struct profile_checks *checks;
	int rc;

	if (!leaf)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	rc = profile_checks_new(&checks, profile, err);
	if (rc) {
		free(leaf);
		return rc;
	}
	report->profile = profile;
	leaf->probe = &shown_in(c)->probe;
	if (facts_of((struct check_bytes){ c->certificate.data, c->certificate.len }, &leaf->facts))
		(void)profile_check(checks, PROFILE_ROLE_CLIENT, &leaf->facts, on_finding, &l);
	else if (c->certificate.len)
		check_report_note(report, "certificate", CHECK_FAIL, leaf->probe,
		                  "what it shows is no certificate");
	for (size_t i = 0; i < profile->rule_count; i++)
		client_rule_settle(report, c, leaf, &profile->rule[i]);
	profile_checks_unref(checks);
	free(leaf);
	return report->failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}
