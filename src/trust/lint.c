/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The certificate profile as a step of the decision (TS 33.310, 6.1.1: "all entities check peer
 * certificates against the profile"). What is our own is looked at once, when the store is loaded.
 */
#include "trust/internal.h"

struct lint {
	struct trust_finding *finding;
	bool refuses;
};

/* "C5,E8": for the log. The list ends early where it does not fit. */
static void rule_note(struct trust_finding *finding, const char *id)
{
	size_t len = strlen(finding->rules), more = strlen(id) + 1;
	const char *last = strrchr(finding->rules, ',');

	if (len + more >= sizeof(finding->rules) ||
	    !strcmp(last ? last + 1 : finding->rules, id)) /* of one rule several items */
		return;
	(void)snprintf(finding->rules + len, sizeof(finding->rules) - len, "%s%s", len ? "," : "",
	               id);
}

static void on_finding(void *arg, const struct profile_finding *found)
{
	struct lint *lint = arg;
	char text[sizeof(lint->finding->text)];

	rule_note(lint->finding, found->rule->id);
	if (found->fails && lint->refuses)
		trust_finding_add(lint->finding, TRUST_PROFILE, 0, 0,
		                  "the certificate does not keep its profile: %s",
		                  profile_finding_format(found, text, sizeof(text) - 48));
	else if (lint->finding->teller)
		trust_finding_good(lint->finding, TRUST_LOOK_PROFILE, 0, "only warned of: %s",
		                   profile_finding_format(found, text, sizeof(text) - 16));
}

void trust_lint_peer(const struct trust_store *store, const struct trust_question *question,
                     X509 *cert, struct trust_finding *finding)
{
	enum profile_role role =
	        question->peer_is_server ? PROFILE_ROLE_SERVER : PROFILE_ROLE_CLIENT;
	struct lint lint = { finding, true };
	struct profile_tally tally;
	struct x509_facts facts;

	if (!store || !store->checks)
		return;
	lint.refuses = !store->checks_warn;
	finding->about = cert;
	x509_facts_cert(cert, &facts);
	tally = profile_check(store->checks, role, &facts, on_finding, &lint);
	if (!tally.fails && !tally.warns)
		trust_finding_good(finding, TRUST_LOOK_PROFILE, 0,
		                   "keeps the certificate profile %s",
		                   profile_checks_profile(store->checks)->name);
}

/* -- our own -------------------------------------------------------------------------------- */

static enum profile_role way_role(const struct trust_way *way)
{
	return way->cross                       ? PROFILE_ROLE_CROSS
	       : way->roles & TRUST_ROLE_SERVER ? PROFILE_ROLE_SERVER_CA
	                                        : PROFILE_ROLE_CLIENT_CA;
}

void trust_lint_ways(struct trust_store *store)
{
	for (size_t i = 0; store->checks && !store->checks_warn && i < store->way_count; i++) {
		struct trust_way *way = &store->ways[i];
		struct x509_facts facts;

		x509_facts_cert(way->issuer, &facts);
		if (!way->flaw &&
		    profile_check(store->checks, way_role(way), &facts, NULL, NULL).fails)
			way->flaw = "does not keep the certificate profile";
	}
}

static enum profile_role own_role(const struct trust_store *store, const X509 *cert)
{
	for (size_t i = 0; i < store->way_count; i++)
		if (store->ways[i].issuer == cert)
			return way_role(&store->ways[i]);
	return PROFILE_ROLE_INTERCONNECTION;
}

struct telling {
	trust_lint_fn *fn;
	void *arg;
	const char *subject;
	enum profile_role role;
};

static void on_own(void *arg, const struct profile_finding *finding)
{
	const struct telling *t = arg;

	t->fn(t->arg, t->subject, t->role, finding);
}

void trust_store_lint(const struct trust_store *store, trust_lint_fn *fn, void *arg)
{
	struct x509_facts facts;
	struct telling t = { fn, arg, facts.subject, PROFILE_ROLE_CRL };

	if (!store || !store->checks)
		return;
	for (int i = 0; i < sk_X509_num(store->own); i++) {
		X509 *cert = sk_X509_value(store->own, i);

		t.role = own_role(store, cert);
		x509_facts_cert(cert, &facts);
		(void)profile_check(store->checks, t.role, &facts, on_own, &t);
	}
	t.role = PROFILE_ROLE_CRL;
	for (int i = 0; i < sk_X509_CRL_num(store->crls); i++) {
		x509_facts_crl(sk_X509_CRL_value(store->crls, i), &facts);
		(void)profile_check(store->checks, t.role, &facts, on_own, &t);
	}
}
