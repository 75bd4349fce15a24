/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The certificate profile of a TLS domain (docs/certificates.md): peers are held against it by the
 * decision, our own certificate and authorities when the file is loaded.
 */
#include "mg/yaml.h"
#include "trust/trust.h"

#define PROFILE_BETWEEN_OPERATORS "cert-ts33310"
#define FINDINGS_MAX              256

int mg_lint_start(const struct mg_yaml_domain *y, struct mg_domain_table *table,
                  struct mg_lint *ret, struct base_error *err)
{
	const char *name = y->certificate_profile;
	const struct profile *profile;
	int rc;

	if (!name)
		name = y->trust && y->trust->interconnect ? PROFILE_BETWEEN_OPERATORS : "none";
	ret->warn = y->certificate_faults && !strcmp(y->certificate_faults, "warn");
	if (y->certificate_faults && !ret->warn && strcmp(y->certificate_faults, "refuse") != 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "certificate-faults: '%.40s' is none of: refuse, warn",
		                      y->certificate_faults);
	if (!strcmp(name, "none"))
		return 0;
	rc = profile_store_find(table->profiles, name, &profile, err);
	return rc ? rc : profile_checks_new(&ret->checks, profile, err);
}

/* -- what was found ---------------------------------------------------------------------------- */

struct collecting {
	struct base_arena *arena;
	const char **line;
	size_t count;
	const char *what; /* "certificate as server" */
	const char *first_fail;
};

static void line_add(struct collecting *c, const char *what, const struct profile_finding *finding)
{
	char text[700];
	const char *line =
	        base_arena_printf(c->arena, "%s %s: %s", finding->fails ? "FAIL" : "warn", what,
	                          profile_finding_format(finding, text, sizeof(text)));

	if (!line || c->count == FINDINGS_MAX)
		return; /* what cannot be told here is told of the peer's side */
	c->line[c->count++] = line;
	if (finding->fails && !c->first_fail)
		c->first_fail = line;
}

static void on_certificate(void *arg, const struct profile_finding *finding)
{
	struct collecting *c = arg;

	line_add(c, c->what, finding);
}

static void on_authority(void *arg, const char *subject, enum profile_role role,
                         const struct profile_finding *finding)
{
	struct collecting *c = arg;
	char what[160];

	(void)snprintf(what, sizeof(what), "%s as %s", subject, profile_role_name(role));
	line_add(c, what, finding);
}

/* As what it says it is; as both where it does not say. */
static void certificate_check(struct collecting *c, const struct mg_lint *lint, X509 *cert)
{
	struct x509_facts facts;
	unsigned roles;

	x509_facts_cert(cert, &facts);
	roles = profile_roles_guess(&facts) & PROFILE_ROLES_ENTITIES;
	if (!roles)
		roles = PROFILE_ROLES_ENTITIES;
	c->what = "own certificate as client";
	if (roles & PROFILE_ROLE_CLIENT)
		(void)profile_check(lint->checks, PROFILE_ROLE_CLIENT, &facts, on_certificate, c);
	c->what = "own certificate as server";
	if (roles & PROFILE_ROLE_SERVER)
		(void)profile_check(lint->checks, PROFILE_ROLE_SERVER, &facts, on_certificate, c);
}

int mg_lint_own(const struct mg_lint *lint, const struct tls_domain_spec *spec,
                struct base_arena *arena, const char *const **ret, struct base_error *err)
{
	struct collecting c = { .arena = arena };

	if (!lint->checks)
		return 0;
	c.line = base_arena_array(arena, FINDINGS_MAX + 1, sizeof(*c.line));
	if (!c.line)
		return BASE_ERR(BASE_LOCAL, 0);
	if (spec->identity)
		certificate_check(&c, lint, spec->identity->cert);
	for (size_t i = 0; i < spec->more_count; i++)
		certificate_check(&c, lint, spec->more[i]->cert);
	if (c.first_fail && !lint->warn)
		return base_error_set(
		        err, BASE_ERR(BASE_CONFIG, 0),
		        "%.300s; peers would refuse it (certificate-faults: warn lets "
		        "it pass)",
		        c.first_fail);
	trust_store_lint(spec->trust, on_authority, &c);
	*ret = c.line;
	return 0;
}

void mg_lint_done(struct mg_lint *lint)
{
	profile_checks_unref(lint->checks);
}
