/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * H.248 inside TLS as the configuration has it: which domain, and who controllers must prove to be.
 */
#include <stdio.h>

#include "mg/yaml.h"

static const struct mg_yaml_domain *domain_yaml(const struct mg_config *c, const char *name)
{
	for (unsigned i = 0; i < c->yaml->domains_count; i++)
		if (!strcmp(c->yaml->domains[i].name, name))
			return &c->yaml->domains[i];
	return NULL;
}

/* "sha-256 12:DF:..." */
static int print_read(struct mg_config *c, unsigned i, const char *text, struct base_error *err)
{
	struct base_str all = base_str_trim(base_str_of(text));
	const char *blank = memchr(all.ptr, ' ', all.len);
	char where[MG_WHERE];
	size_t n = blank ? (size_t)(blank - all.ptr) : 0;

	if (blank && !x509_fingerprint_parse((struct base_str){ all.ptr, n },
	                                     base_str_trim((struct base_str){ blank, all.len - n }),
	                                     &c->link.prints[i]))
		return 0;
	snprintf(where, sizeof(where), "h248.peer-fingerprints[%u]", i);
	return config_refuse(c->doc, err, where,
	                     "'%s' is no fingerprint: expected sha-256 12:DF:...", text);
}

static int prints_read(struct mg_config *c, const struct mg_yaml_h248 *y, struct base_error *err)
{
	int rc = 0;

	if (y->peer_prints_count > MG_PRINTS_MAX)
		return config_refuse(c->doc, err, "h248.peer-fingerprints", "more than %d",
		                     MG_PRINTS_MAX);
	for (unsigned i = 0; i < y->peer_prints_count && !rc; i++)
		rc = print_read(c, i, y->peer_prints[i], err);
	c->link.spec.fingerprints = c->link.prints;
	c->link.spec.fingerprint_count = y->peer_prints_count;
	return rc;
}

/* Both ends have to prove who they are, unless the file says otherwise in words. */
static int domain_check(struct mg_config *c, const struct mg_yaml_h248 *y, struct base_error *err)
{
	const struct mg_yaml_domain *d = domain_yaml(c, y->domain);

	if (!d)
		return config_refuse(c->doc, err, "h248.domain",
		                     "there is no TLS domain '%s' in tls-domains", y->domain);
	if (!y->anonymous && d->client_auth && strcmp(d->client_auth, "require") != 0)
		return config_refuse(c->doc, err, "h248.domain",
		                     "TLS domain '%s' does not require certificates of clients; "
		                     "set its client-auth to require",
		                     y->domain);
	if (d->trust && !c->link.spec.peer_name && !y->peer_prints_count && !y->any_peer_name)
		return config_refuse(c->doc, err, "h248.domain",
		                     "whom to expect? Set h248.peer-name to the name in the "
		                     "controllers' certificates, or h248.peer-fingerprints");
	return 0;
}

/* The name by which all controllers are reached; NULL when they have none, or several. */
static const char *only_name(const struct mg_config *c)
{
	for (size_t i = 0; i < c->controller_count; i++)
		if (strcmp(c->controllers[i].name, c->controllers[0].name) != 0)
			return NULL;
	return c->controllers[0].name[0] ? c->controllers[0].name : NULL;
}

int mg_link_read(struct mg_config *c, struct base_error *err)
{
	static const struct mg_yaml_h248 none;
	const struct mg_yaml_h248 *y = c->yaml->h248 ? c->yaml->h248 : &none;
	bool tls = c->controllers[0].addr.transport == H248_TLS;
	int rc;

	c->core.unprotected_keys = y->unprotected_keys;
	if (!tls && (y->domain || y->peer_name || y->peer_prints_count))
		return config_refuse(c->doc, err, y->domain ? "h248.domain" : "h248.transport",
		                     "only for h248.transport tls");
	if (!tls)
		return 0;
	if (!y->domain)
		return config_refuse(c->doc, err, "h248.transport",
		                     "tls needs h248.domain: the name of a TLS domain");
	rc = prints_read(c, y, err);
	c->link.spec.peer_name = y->peer_name ? y->peer_name : only_name(c);
	if (!rc)
		rc = domain_check(c, y, err);
	c->link.domain = y->domain;
	c->link.spec.anybody = y->anonymous;
	return rc;
}

static struct tls_domain *domain_find(const struct mg_domain_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->domains[i].name, name))
			return table->domains[i].tls;
	return NULL;
}

int mg_link_start(struct link **ret, const struct mg_config *config,
                  const struct mg_domain_table *table, struct base_error *err)
{
	struct tls_domain *domain;

	*ret = NULL;
	if (!config->link.domain)
		return 0;
	domain = domain_find(table, config->link.domain);
	if (!domain) /* mg_link_read has seen it */
		return base_error_set(err, BASE_ERR(BASE_BUG, 0), "no TLS domain %s",
		                      config->link.domain);
	return link_new(ret, domain, &config->link.spec, err);
}

void mg_link_reload(struct link *link, const struct mg_config *config,
                    const struct mg_domain_table *table)
{
	struct tls_domain *domain;
	struct base_error err = { 0 };

	if (!link)
		return;
	domain = domain_find(table, config->link.domain);
	if (!domain)
		base_log(BASE_LOG_WARN, "mg",
		         "the new file has no TLS domain %s: H.248 goes on with the old one",
		         config->link.domain);
	else if (link_domain_set(link, domain, &err))
		base_log(BASE_LOG_ERROR, "mg", "H.248 goes on with the old TLS domain %s: %s",
		         config->link.domain, err.text);
}
