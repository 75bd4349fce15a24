/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki lint`: certificates and CRLs held against a profile of certificates. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>

#include "cli/pki_lint.h"

static const char usage[] =
        "usage: gatehouse pki lint [OPTION ...] FILE ...\n"
        "\n"
        "Holds every certificate and CRL in the files (PEM or DER) against a certificate profile.\n"
        "One line for each rule that is not kept: what it asks, what was found, its clause and "
        "mark.\n"
        "\"FAIL\" is a shall whose source was seen (V), \"warn\" is every other "
        "(docs/certificates.md).\n"
        "\n"
        "  --profile NAME     cert-ts33310 (default), or another whose name begins with cert-\n"
        "  --profile-dir DIR  look for profiles in DIR first (may repeat)\n"
        "  --role ROLE        client, server, client-ca, server-ca, interconnection-ca or cross;\n"
        "                     without it as the certificate says; a TLS client and server is both\n"
        "  --strict           warnings count for the exit status\n"
        "  --json             machine-readable\n"
        "  --help             this text\n"
        "\n"
        "Exit status: 0 nothing fails, 1 something does, 2 wrong usage, unreadable file.\n";

struct linting {
	struct profile_store *store;
	struct profile_checks *checks;
	const char *profile;
	unsigned role;
	bool strict, json;
	json_t *all, *findings; /* of everything; of the certificate at hand */
	char what[600];         /* "gw.pem#1" */
	const char *role_name;
	struct profile_tally tally;
	bool out_of_memory;
};

/* -- for the other subcommands ----------------------------------------------------------------- */

static void on_finding_print(void *arg, const struct profile_finding *finding)
{
	char text[900];

	fprintf(stderr, "%s  %s: %s\n", finding->fails ? "FAIL" : "warn", (const char *)arg,
	        profile_finding_format(finding, text, sizeof(text)));
}

int pki_lint_show(const char *what, X509 *cert, enum profile_role role, struct profile_tally *ret)
{
	const struct profile *profile;
	struct profile_checks *checks = NULL;
	struct profile_store *store = NULL;
	struct base_error err = { .rc = 0 };
	struct x509_facts facts;
	int rc = profile_store_new(&store);

	*ret = (struct profile_tally){ 0, 0 };
	if (!rc)
		rc = profile_store_find(store, PKI_LINT_PROFILE, &profile, &err);
	if (!rc)
		rc = profile_checks_new(&checks, profile, &err);
	if (!rc) {
		x509_facts_cert(cert, &facts);
		*ret = profile_check(checks, role, &facts, on_finding_print, (void *)what);
	} else {
		(void)pki_complain(&err);
	}
	profile_checks_unref(checks);
	profile_store_free(store);
	return rc;
}

/* -- one certificate --------------------------------------------------------------------------- */

static json_t *json_finding(const struct profile_finding *f)
{
	const char mark[2] = { (char)f->rule->mark, '\0' };

	return json_pack("{s:b, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s}", "fails",
	                 f->fails, "rule", f->rule->id, "strength",
	                 profile_strength_name(f->rule->strength), "subject",
	                 profile_subject_name(f->rule->subject), "item", f->rule->item, "value",
	                 f->rule->value ? json_string(f->rule->value) : json_null(), "found",
	                 f->text, "document", f->rule->document, "clause", f->rule->clause,
	                 "release", f->rule->release, "mark", mark, "text", f->rule->text);
}

static void on_finding(void *arg, const struct profile_finding *finding)
{
	struct linting *l = arg;
	char text[900];

	if (l->json)
		l->out_of_memory |= json_array_append_new(l->findings, json_finding(finding)) != 0;
	else
		printf("%s  %s as %s: %s\n", finding->fails ? "FAIL" : "warn", l->what,
		       l->role_name, profile_finding_format(finding, text, sizeof(text)));
}

static void judge_as(struct linting *l, const struct x509_facts *facts, enum profile_role role)
{
	struct profile_tally tally;

	l->role_name = profile_role_name(role);
	l->findings = l->json ? json_array() : NULL;
	tally = profile_check(l->checks, role, facts, on_finding, l);
	l->tally.fails += tally.fails;
	l->tally.warns += tally.warns;
	if (!l->json && !tally.fails && !tally.warns)
		printf("ok    %s as %s: %s\n", l->what, l->role_name, facts->subject);
	if (l->json)
		l->out_of_memory |=
		        json_array_append_new(
		                l->all, json_pack("{s:s, s:s, s:s, s:i, s:i, s:o}", "what", l->what,
		                                  "subject", facts->subject, "role", l->role_name,
		                                  "fails", (int)tally.fails, "warns",
		                                  (int)tally.warns, "findings", l->findings)) != 0;
}

/* As what? As was asked; else as it says; one that says nothing may be either TLS entity. */
static void judge(struct linting *l, const struct x509_facts *facts)
{
	unsigned roles = facts->crl ? PROFILE_ROLE_CRL : l->role;

	if (!roles)
		roles = profile_roles_guess(facts);
	if (!roles)
		roles = PROFILE_ROLES_ENTITIES;
	for (unsigned role = 1; role <= PROFILE_ROLE_CRL; role <<= 1)
		if (roles & role)
			judge_as(l, facts, (enum profile_role)role);
}

static void each(struct linting *l, const char *file, const STACK_OF(X509) * certs,
                 const STACK_OF(X509_CRL) * crls)
{
	int count = sk_X509_num(certs), all = count + sk_X509_CRL_num(crls);
	struct x509_facts facts;

	for (int i = 0; i < all; i++) {
		(void)snprintf(l->what, sizeof(l->what), all > 1 ? "%s#%d" : "%s", file, i + 1);
		if (i < count)
			x509_facts_cert(sk_X509_value(certs, i), &facts);
		else
			x509_facts_crl(sk_X509_CRL_value(crls, i - count), &facts);
		judge(l, &facts);
	}
}

static int file_lint(struct linting *l, const char *file)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	struct base_error err = { .rc = 0 };
	int rc = BASE_ERR(BASE_LOCAL, ENOMEM);

	if (certs && crls) {
		/* a file holds either, or both; it is told of the certificates' loader */
		rc = x509_crls_load(file, crls, NULL);
		if (!x509_certs_load(file, certs, &err))
			rc = 0;
	}
	if (rc)
		(void)pki_complain(&err);
	else
		each(l, file, certs, crls);
	sk_X509_pop_free(certs, X509_free);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return rc;
}

/* -- words ------------------------------------------------------------------------------------- */

static int run(struct linting *l, char **files)
{
	struct base_error err = { .rc = 0 };
	const struct profile *profile;
	bool unread = false;

	if (profile_store_find(l->store, l->profile, &profile, &err) ||
	    profile_checks_new(&l->checks, profile, &err)) {
		(void)pki_complain(&err);
		return PKI_MISUSED;
	}
	l->all = l->json ? json_array() : NULL;
	for (; *files; files++)
		unread |= file_lint(l, *files) != 0;
	if (l->json && !l->out_of_memory) {
		l->out_of_memory = json_dumpf(l->all, stdout, JSON_INDENT(2)) != 0;
		printf("\n");
	}
	json_decref(l->all);
	if (l->out_of_memory)
		(void)pki_refuse("out of memory");
	if (unread || l->out_of_memory)
		return PKI_MISUSED;
	return l->tally.fails || (l->strict && l->tally.warns) ? PKI_REFUSED : PKI_DONE;
}

static bool take(void *arg, int c, const char *word)
{
	struct linting *l = arg;

	switch (c) {
	case 'p':
		l->profile = word;
		return true;
	case 'd':
		return !profile_store_dir(l->store, word);
	case 'r':
		l->role = profile_role_find(base_str_of(word));
		if (l->role && l->role != PROFILE_ROLE_CRL)
			return true;
		(void)pki_refuse("--role is client, server, client-ca, server-ca, "
		                 "interconnection-ca or cross, not '%s'",
		                 word);
		return false;
	case 's':
		return l->strict = true;
	case 'j':
		return l->json = true;
	default:
		return false;
	}
}

/** @return -1 to go on, else the exit status */
static int options_take(int argc, char **argv, struct linting *l)
{
	static const struct option option[] = {
		{ "profile", required_argument, NULL, 'p' },
		{ "profile-dir", required_argument, NULL, 'd' },
		{ "role", required_argument, NULL, 'r' },
		{ "strict", no_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int status = pki_options(argc, argv, option, usage, take, l);

	if (status >= 0)
		return status;
	return optind == argc ? pki_usage(usage) : -1;
}

int pki_lint_main(int argc, char **argv)
{
	struct linting l = { .profile = PKI_LINT_PROFILE };
	int status;

	if (profile_store_new(&l.store)) {
		(void)pki_refuse("out of memory");
		return PKI_MISUSED;
	}
	status = options_take(argc, argv, &l);
	if (status < 0)
		status = run(&l, argv + optind);
	profile_checks_unref(l.checks);
	profile_store_free(l.store);
	return status;
}
