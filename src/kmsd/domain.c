/* SPDX-License-Identifier: Apache-2.0 */
/** @file The TLS domain of `https`: who may ask by it is the profile's and the anchors' business.
 */
#include "kmsd/config.h"
#include "profile/profile.h"
#include "trust/trust.h"
#include "x509/x509.h"

static int refuse_for(const struct kmsd_config *c, const char *where, const struct base_error *why,
                      struct base_error *err)
{
	char text[900];

	return config_refuse(c->doc, err, where, "%.400s",
	                     base_error_format(why, text, sizeof(text)));
}

static int files_of(struct kmsd_config *c, const char **names, unsigned count,
                    const char *const **ret)
{
	const char **list = base_arena_array(&c->arena, count + 1, sizeof(*list));
	int rc = list ? 0 : BASE_ERR(BASE_LOCAL, 0);

	for (unsigned i = 0; i < count && !rc; i++)
		rc = kmsd_path(c, names[i], &list[i]);
	*ret = count ? list : NULL;
	return rc;
}

static int trust_load(struct kmsd_config *c, const struct kmsd_yaml_tls *y,
                      struct tls_domain_spec *spec, struct base_error *err)
{
	struct trust_store_files files = { .crl_required = y->crl_required };
	struct base_error why = { 0 };
	int rc = files_of(c, y->anchors, y->anchors_count, &files.anchors);

	if (!rc)
		rc = files_of(c, y->untrusted, y->untrusted_count, &files.untrusted);
	if (!rc)
		rc = files_of(c, y->crls, y->crls_count, &files.crls);
	if (rc || !files.anchors)
		return rc;
	return trust_store_load(&spec->trust, &files, &why)
	               ? refuse_for(c, "tls.anchors", &why, err)
	               : 0;
}

static int clients_read(struct kmsd_config *c, const struct kmsd_yaml_tls *y,
                        struct tls_domain_spec *spec, struct base_error *err)
{
	const char *word = y->clients ? y->clients : "anybody";

	if (!strcmp(word, "anybody")) {
		spec->client_auth = TLS_CLIENT_AUTH_NONE;
		c->anybody = true;
	} else if (!strcmp(word, "certificate")) {
		spec->client_auth = TLS_CLIENT_AUTH_REQUIRE;
		spec->client_methods = TRUST_CA;
		if (!spec->trust)
			return config_refuse(c->doc, err, "tls.clients",
			                     "certificates of clients need anchors to judge them");
	} else {
		return config_refuse(c->doc, err, "tls.clients",
		                     "'%s' is none of: anybody, certificate", word);
	}
	return 0;
}

static int engine_read(const struct kmsd_config *c, const char *word, enum tls_engine *ret,
                       struct base_error *err)
{
	for (enum tls_engine e = TLS_ENGINE_AUTO; word && e <= TLS_ENGINE_GNUTLS; e++)
		if (!strcmp(word, tls_engine_name(e))) {
			*ret = e;
			return 0;
		}
	return word ? config_refuse(c->doc, err, "tls.engine",
	                            "'%s' is none of: auto, openssl, gnutls", word)
	            : 0;
}

static int identity_load(struct kmsd_config *c, const struct kmsd_yaml_tls *y,
                         struct tls_domain_spec *spec, struct base_error *err)
{
	const char *cert = NULL, *key = NULL;
	struct base_error why = { 0 };
	int rc = kmsd_path(c, y->certificate, &cert);

	if (!rc)
		rc = kmsd_path(c, y->key ? y->key : y->certificate, &key);
	if (!rc && x509_identity_load(&spec->identity, cert, key, &why))
		rc = refuse_for(c, "tls.certificate", &why, err);
	return rc;
}

static int profile_load(struct kmsd_config *c, const struct kmsd_yaml_tls *y,
                        struct tls_domain_spec *spec, struct base_error *err)
{
	struct base_error why = { 0 };
	int rc = profile_store_new(&c->profiles);

	for (unsigned i = 0; i < c->yaml->profile_dirs_count && !rc; i++) {
		const char *dir = NULL;

		rc = kmsd_path(c, c->yaml->profile_dirs[i], &dir);
		if (!rc)
			rc = profile_store_dir(c->profiles, dir);
	}
	if (!rc && profile_store_find(c->profiles, y->profile ? y->profile : "ts33210-rel17",
	                              &spec->profile, &why))
		rc = refuse_for(c, "tls.profile", &why, err);
	return rc;
}

int kmsd_domain_load(struct kmsd_config *c, struct base_error *err)
{
	const struct kmsd_yaml_tls *y = c->yaml->tls;
	struct tls_domain_spec spec = { .name = "kms" };
	struct base_error why = { 0 };
	int rc;

	if (!y)
		return 0;
	rc = profile_load(c, y, &spec, err);
	if (!rc)
		rc = engine_read(c, y->engine, &spec.engine, err);
	if (!rc)
		rc = identity_load(c, y, &spec, err);
	if (!rc)
		rc = trust_load(c, y, &spec, err);
	if (!rc)
		rc = clients_read(c, y, &spec, err);
	if (!rc && tls_domain_new(&c->domain, &spec, &why))
		rc = refuse_for(c, "tls", &why, err);
	x509_identity_unref(spec.identity);
	trust_store_unref(spec.trust);
	return rc;
}
