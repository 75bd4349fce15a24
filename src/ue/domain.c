/* SPDX-License-Identifier: Apache-2.0 */
/* TLS domains: of media, by keys in common; of SIP and the KMS, by certificates. */
#include "ue/app.h"

static void on_key_log(void *arg, const char *line)
{
	const struct ue_app *app = arg;

	fprintf(app->key_log, "%s\n", line);
	(void)fflush(app->key_log);
}

int ue_app_domain(struct ue_app *app, struct tls_domain **ret, struct base_error *err)
{
	struct tls_domain_spec spec = { .name = "media",
		                        .unsafe_key_log = app->key_log ? on_key_log : NULL,
		                        .unsafe_key_log_arg = app };
	int rc = 0;

	if (!app->media_domain) {
		rc = profile_store_find(app->profiles, app->config.media_profile, &spec.profile,
		                        err);
		if (!rc)
			rc = tls_domain_new(&app->media_domain, &spec, err);
	}
	if (!rc)
		*ret = app->media_domain;
	return rc;
}

/** The files' paths, as they are relative to the configuration's. */
static const char *const *paths(struct ue_config *config, const struct ue_yaml_tls *tls)
{
	const char **list = base_arena_array(&config->arena, tls->anchors_count + 1, sizeof(*list));

	for (unsigned i = 0; list && i < tls->anchors_count; i++)
		list[i] = ue_config_path(config, tls->anchors[i]);
	return list;
}

int ue_app_domain_files(struct ue_app *app, const char *name, const struct ue_yaml_tls *tls,
                        struct tls_domain **ret, struct base_error *err)
{
	struct tls_domain_spec spec = { .name = name,
		                        .server_methods = TRUST_CA,
		                        .client_methods = TRUST_CA,
		                        .client_auth = TLS_CLIENT_AUTH_REQUEST };
	struct trust_store_files anchors = { 0 };
	const char *profile = tls && tls->profile ? tls->profile : "ts33210-rel17", *key;
	int rc;

	if (!tls)
		return 0;
	anchors.anchors = paths(&app->config, tls);
	if (!anchors.anchors)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	rc = profile_store_find(app->profiles, profile, &spec.profile, err);
	if (!rc && tls->certificate) {
		key = tls->key ? tls->key : tls->certificate;
		rc = x509_identity_load(&spec.identity,
		                        ue_config_path(&app->config, tls->certificate),
		                        ue_config_path(&app->config, key), err);
	}
	if (!rc)
		rc = trust_store_load(&spec.trust, &anchors, err);
	if (!rc)
		rc = tls_domain_new(ret, &spec, err);
	x509_identity_unref(spec.identity);
	trust_store_unref(spec.trust);
	return rc;
}
