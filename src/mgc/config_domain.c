/* SPDX-License-Identifier: Apache-2.0 */
/** @file TLS domains of the controller: both ends prove who they are by certificates. */
#include <stdio.h>

#include "mgc/yaml.h"
#include "profile/profile.h"
#include "trust/trust.h"
#include "x509/x509.h"

#define PROFILE "ts33210-rel17"

static const char *const *files_of(struct mgc_config *c, const char **names, unsigned count)
{
	const char **list = base_arena_array(&c->arena, (size_t)count + 1, sizeof(*list));

	for (unsigned i = 0; list && i < count; i++) {
		list[i] = config_doc_path(c->doc, names[i], &c->arena);
		if (!list[i])
			return NULL;
	}
	return list;
}

static int parts_load(struct mgc_config *c, const struct mgc_yaml_domain *y,
                      struct tls_domain_spec *spec, struct base_error *err)
{
	const struct trust_store_files files = {
		.anchors = files_of(c, y->anchors, y->anchors_count),
		.crls = files_of(c, y->crls, y->crls_count),
		.crl_required = y->crl_required,
	};
	const char *cert =
	        y->certificate ? config_doc_path(c->doc, y->certificate, &c->arena) : NULL;
	const char *key = y->key ? config_doc_path(c->doc, y->key, &c->arena) : cert;
	int rc = profile_store_find(c->profiles, y->profile ? y->profile : PROFILE, &spec->profile,
	                            err);

	if (!rc && cert)
		rc = x509_identity_load(&spec->identity, cert, key, err);
	if (!rc && y->anchors_count)
		rc = trust_store_load(&spec->trust, &files, err);
	return rc;
}

static int domain_read(struct mgc_config *c, unsigned i, struct base_error *err)
{
	const struct mgc_yaml_domain *y = &c->yaml->domains[i];
	struct tls_domain_spec spec = { .name = y->name,
		                        .server_methods = TRUST_CA,
		                        .client_methods = TRUST_CA,
		                        .client_auth = TLS_CLIENT_AUTH_REQUIRE };
	struct mgc_domain *d = &c->domains[i];
	struct base_error why = { 0 };
	char where[MGC_WHERE], text[900];
	int rc;

	(void)snprintf(where, sizeof(where), "tls-domains[%u]", i);
	if (!y->anchors_count)
		return config_refuse(c->doc, err, where,
		                     "TLS domain '%s' has no anchors: whom shall it believe?",
		                     y->name);
	rc = parts_load(c, y, &spec, &why);
	if (!rc)
		rc = tls_domain_new(&d->tls, &spec, &why);
	x509_identity_unref(spec.identity);
	trust_store_unref(spec.trust);
	if (rc)
		return config_refuse(c->doc, err, where, "%.380s",
		                     base_error_format(&why, text, sizeof(text)));
	d->name = y->name;
	c->domain_count = i + 1;
	return 0;
}

int mgc_domains_read(struct mgc_config *c, struct base_error *err)
{
	int rc = profile_store_new(&c->profiles);

	if (c->yaml->domains_count > MGC_DOMAINS_MAX)
		return config_refuse(c->doc, err, "tls-domains", "more than %d", MGC_DOMAINS_MAX);
	for (unsigned i = 0; !rc && i < c->yaml->profile_dirs_count; i++) {
		const char *dir = config_doc_path(c->doc, c->yaml->profile_dirs[i], &c->arena);

		rc = dir ? profile_store_dir(c->profiles, dir) : BASE_ERR(BASE_LOCAL, 0);
	}
	for (unsigned i = 0; !rc && i < c->yaml->domains_count; i++)
		rc = domain_read(c, i, err);
	return rc;
}

struct tls_domain *mgc_config_domain(const struct mgc_config *c, const char *name)
{
	for (size_t i = 0; name && i < c->domain_count; i++)
		if (!strcmp(c->domains[i].name, name))
			return c->domains[i].tls;
	return NULL;
}

int mgc_domain_check(const struct mgc_config *c, const char *where, const char *name,
                     struct base_error *err)
{
	if (!name || mgc_config_domain(c, name))
		return 0;
	return config_refuse(c->doc, err, where, "there is no TLS domain '%s' in tls-domains",
	                     name);
}
