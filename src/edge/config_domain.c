/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * TLS domains of the edge: of `access`, which shows a certificate and asks for none (TS 33.203,
 * O.5), and of `core`, where both ends prove who they are, also between operators (TS 33.310).
 */
#include <stdio.h>

#include "edge/yaml.h"
#include "profile/profile.h"
#include "trust/trust.h"
#include "x509/x509.h"

#define PROFILE_ACCESS      "ts33203-annex-o-rel17"
#define PROFILE_CORE        "ts33210-rel17"
#define CERTIFICATES_ACCESS "cert-ts33203-o5-rel17"
#define CERTIFICATES_CORE   "cert-ts33310"

struct making {
	struct edge_config *c;
	const struct edge_yaml_domain *y;
	unsigned index;
	bool access;
	struct edge_domain *domain;
	struct tls_domain_spec spec;
	struct base_error *err;
};

static int refuse(const struct making *m, const char *key, const char *text)
{
	char where[EDGE_WHERE];

	(void)snprintf(where, sizeof(where), "tls-domains[%u]%s%s", m->index, *key ? "." : "", key);
	return config_refuse(m->c->doc, m->err, where, "%.420s", text);
}

static int refuse_for(const struct making *m, const char *key, const struct base_error *why)
{
	char text[900];

	return refuse(m, key, base_error_format(why, text, sizeof(text)));
}

/* ---- certificate ---- */

static void on_finding(void *arg, const struct profile_finding *finding)
{
	struct making *m = arg;
	char text[700];

	m->domain->faults++;
	base_log(finding->fails ? BASE_LOG_ERROR : BASE_LOG_WARN, "edge",
	         "tls domain=%s own certificate: %s", m->y->name,
	         profile_finding_format(finding, text, sizeof(text)));
}

/* As server: that is what UEs see, and what most others do. */
static int certificate_lint(struct making *m)
{
	bool warn = m->y->faults && !strcmp(m->y->faults, "warn");
	struct profile_tally tally = { 0 };
	struct x509_facts facts;

	if (m->y->faults && !warn && strcmp(m->y->faults, "refuse") != 0)
		return refuse(m, "certificate-faults", "it is one of: refuse, warn");
	x509_facts_cert(m->spec.identity->cert, &facts);
	if (m->domain->checks)
		tally = profile_check(m->domain->checks, PROFILE_ROLE_SERVER, &facts, on_finding,
		                      m);
	if (tally.fails && !warn)
		return refuse(m, "certificate",
		              "it does not keep its profile, as logged; UEs may refuse it "
		              "(certificate-faults: warn lets it pass)");
	if (!m->access || base_str_ieq(base_str_of(facts.cn), base_str_of(m->c->host)))
		return 0;
	if (!warn)
		return refuse(m, "certificate",
		              "its CN is not edge.host, the name that UEs know (TS 33.203, O.5; "
		              "certificate-faults: warn lets it pass)");
	base_log(BASE_LOG_WARN, "edge", "tls domain=%s own certificate: its CN is not edge.host",
	         m->y->name);
	return 0;
}

static int certificate_load(struct making *m)
{
	const struct edge_yaml_domain *y = m->y;
	struct edge_config *c = m->c;
	const char *cert, *key;
	struct base_error why = { 0 };

	if (!y->certificate)
		return refuse(m, "", "it needs a certificate (TS 33.203, O.5.1)");
	cert = config_doc_path(c->doc, y->certificate, &c->arena);
	key = y->key ? config_doc_path(c->doc, y->key, &c->arena) : cert;
	if (!cert || !key)
		return BASE_ERR(BASE_LOCAL, 0);
	if (x509_identity_load(&m->spec.identity, cert, key, &why))
		return refuse_for(m, "certificate", &why);
	return 0;
}

static int checks_make(struct making *m)
{
	const char *name = m->y->certificate_profile;
	const struct profile *profile;
	struct base_error why = { 0 };
	int rc;

	if (!name)
		name = m->access            ? CERTIFICATES_ACCESS
		       : m->y->interconnect ? CERTIFICATES_CORE
		                            : "none";
	if (!strcmp(name, "none"))
		return 0;
	rc = profile_store_find(m->c->profiles, name, &profile, &why);
	if (!rc)
		rc = profile_checks_new(&m->domain->checks, profile, &why);
	return rc ? refuse_for(m, "certificate-profile", &why) : 0;
}

/* ---- trust ---- */

static int names_list(const struct making *m, const char *const *names, unsigned count,
                      const char *const **ret)
{
	const char **list = base_arena_array(&m->c->arena, (size_t)count + 1, sizeof(*list));

	for (unsigned i = 0; list && i < count; i++) {
		list[i] = config_doc_path(m->c->doc, names[i], &m->c->arena);
		if (!list[i])
			return BASE_ERR(BASE_LOCAL, 0);
	}
	*ret = count ? list : NULL;
	return list ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

static int files_fill(const struct making *m, struct trust_store_files *files)
{
	const struct edge_yaml_domain *y = m->y;
	const struct {
		const char *const *names;
		unsigned count;
		const char *const **list;
	} all[] = {
		{ y->anchors, y->anchors_count, &files->anchors },
		{ y->untrusted, y->untrusted_count, &files->untrusted },
		{ y->crls, y->crls_count, &files->crls },
		{ y->interconnection, y->interconnection_count, &files->interconnection },
		{ y->client_cas, y->client_cas_count, &files->client_cas },
		{ y->server_cas, y->server_cas_count, &files->server_cas },
		{ y->cross, y->cross_count, &files->cross },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < BASE_COUNT(all); i++)
		rc = names_list(m, all[i].names, all[i].count, all[i].list);
	files->crl_required = y->crl_required;
	files->interconnect = y->interconnect;
	files->checks = m->domain->checks;
	files->checks_warn = y->faults && !strcmp(y->faults, "warn");
	if (!rc && y->cache) {
		files->cache = config_doc_path(m->c->doc, y->cache, &m->c->arena);
		rc = files->cache ? 0 : BASE_ERR(BASE_LOCAL, 0);
	}
	return rc;
}

static int trust_make(struct making *m)
{
	struct trust_store_files files = { 0 };
	struct base_error why = { 0 };
	int rc;

	if (m->access)
		return m->y->anchors_count || m->y->crls_count || m->y->interconnect
		               ? refuse(m, "",
		                        "access.domain asks nobody for a certificate, so it needs "
		                        "no anchors (TS 33.203, O.5.1)")
		               : 0;
	if (!m->y->anchors_count && !m->y->interconnect)
		return refuse(m, "", "it has no anchors: whom shall it believe?");
	rc = files_fill(m, &files);
	if (!rc && trust_store_load(&m->spec.trust, &files, &why))
		rc = refuse_for(m, "anchors", &why);
	if (!rc && !trust_store_vouches(m->spec.trust))
		base_log(BASE_LOG_WARN, "edge",
		         "tls domain=%s has no own TLS CA and no cross-certificate yet: everybody "
		         "is refused (TS 33.310, 5.2.2.2)",
		         m->y->name);
	return rc;
}

/* ---- policy ---- */

static int engine_read(struct making *m)
{
	for (enum tls_engine e = TLS_ENGINE_AUTO; e <= TLS_ENGINE_GNUTLS; e++)
		if (!m->y->engine || !strcmp(m->y->engine, tls_engine_name(e))) {
			m->spec.engine = e;
			return 0;
		}
	return refuse(m, "engine", "it is one of: auto, openssl, gnutls");
}

static int renegotiation_read(struct making *m)
{
	static const char *const who[] = { "none", "client", "server", "both" };
	static const enum profile_choice choices[] = { PROFILE_CHOICE_NO, PROFILE_CHOICE_YES };

	if (!m->y->renegotiation)
		return 0;
	for (unsigned i = 0; i < BASE_COUNT(who); i++)
		if (!strcmp(m->y->renegotiation, who[i])) {
			m->spec.by_client = choices[i & 1];
			m->spec.by_server = choices[i >> 1];
			return 0;
		}
	return refuse(m, "renegotiation", "it is one of: none, client, server, both");
}

static int revocation_read(struct making *m)
{
	const char *word = m->y->on_revocation;

	m->spec.on_revocation = TLS_REVOKED_END;
	if (word && !strcmp(word, "report"))
		m->spec.on_revocation = TLS_REVOKED_REPORT;
	else if (word && strcmp(word, "end") != 0)
		return refuse(m, "on-revocation", "it is one of: end, report");
	return 0;
}

/* UEs have no certificate; on the core's side everybody has one. */
static void methods_set(struct making *m)
{
	if (m->access) {
		m->spec.client_auth = TLS_CLIENT_AUTH_NONE;
		return;
	}
	m->spec.server_methods = m->spec.client_methods = TRUST_CA;
	m->spec.client_auth = TLS_CLIENT_AUTH_REQUIRE;
}

/* ---- one and all ---- */

static int profile_find(struct making *m)
{
	const char *name = m->y->profile;
	struct base_error why = { 0 };

	if (!name)
		name = m->access ? PROFILE_ACCESS : PROFILE_CORE;
	return profile_store_find(m->c->profiles, name, &m->spec.profile, &why)
	               ? refuse_for(m, "profile", &why)
	               : 0;
}

static int domain_make(struct making *m, const struct edge_config *before)
{
	static int (*const steps[])(struct making *) = {
		profile_find, engine_read,      checks_make,        certificate_load,
		trust_make,   certificate_lint, renegotiation_read, revocation_read,
	};
	struct base_error why = { 0 };
	int rc = 0;

	m->spec.name = m->y->name;
	m->spec.null_encryption = m->y->null_encryption;
	m->spec.before = before ? edge_config_domain(before, m->y->name) : NULL;
	methods_set(m);
	for (size_t i = 0; i < BASE_COUNT(steps) && !rc; i++)
		rc = steps[i](m);
	if (!rc && tls_domain_new(&m->domain->tls, &m->spec, &why))
		rc = refuse_for(m, "", &why);
	x509_identity_unref(m->spec.identity);
	trust_store_unref(m->spec.trust);
	return rc;
}

static int name_check(const struct making *m)
{
	for (unsigned i = 0; i < m->index; i++)
		if (!strcmp(m->c->domains[i].name, m->y->name))
			return refuse(m, "name", "another has that name already");
	return 0;
}

/* What is asked of a domain depends on who uses it: before it is made. */
static int user_check(const struct edge_config *c, const char *where, const char *name,
                      struct base_error *err)
{
	for (unsigned i = 0; name && i < c->yaml->domains_count; i++)
		if (!strcmp(c->yaml->domains[i].name, name))
			return 0;
	return !name ? 0
	             : config_refuse(c->doc, err, where,
	                             "there is no TLS domain '%s' in tls-domains", name);
}

int edge_domains_read(struct edge_config *c, const struct edge_config *before,
                      struct base_error *err)
{
	const struct edge_yaml *y = c->yaml;
	const char *access = y->access ? y->access->domain : NULL;
	int rc = profile_store_new(&c->profiles);

	if (y->domains_count > EDGE_DOMAINS_MAX)
		return config_refuse(c->doc, err, "tls-domains", "more than %d", EDGE_DOMAINS_MAX);
	if (!rc)
		rc = user_check(c, "access.domain", access, err);
	if (!rc)
		rc = user_check(c, "core.domain", y->core ? y->core->domain : NULL, err);
	if (!rc && access && y->core && y->core->domain && !strcmp(access, y->core->domain))
		return config_refuse(c->doc, err, "core.domain",
		                     "access.domain asks for no certificates, this one must: they "
		                     "cannot be the same");
	for (unsigned i = 0; !rc && i < y->profile_dirs_count; i++) {
		const char *dir = config_doc_path(c->doc, y->profile_dirs[i], &c->arena);

		rc = dir ? profile_store_dir(c->profiles, dir) : BASE_ERR(BASE_LOCAL, 0);
	}
	for (unsigned i = 0; !rc && i < y->domains_count; i++) {
		struct making m = { .c = c,
			            .y = &y->domains[i],
			            .index = i,
			            .access = access && !strcmp(access, y->domains[i].name),
			            .domain = &c->domains[i],
			            .err = err };

		rc = name_check(&m);
		c->domains[i].name = y->domains[i].name;
		c->domain_count = i + 1;
		if (!rc)
			rc = domain_make(&m, before);
	}
	return rc;
}

struct tls_domain *edge_config_domain(const struct edge_config *c, const char *name)
{
	for (size_t i = 0; name && i < c->domain_count; i++)
		if (!strcmp(c->domains[i].name, name))
			return c->domains[i].tls;
	return NULL;
}
