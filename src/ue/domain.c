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

/** Whoever speaks without encryption offers at least one suite with it (TS 33.203, O.2.1). */
static int encrypts(const struct tls_domain *domain, const char *profile, struct base_error *err)
{
	size_t count;
	const uint16_t *code = tls_domain_suites(domain, &count);

	for (size_t i = 0; i < count; i++) {
		const struct profile_suite *suite = profile_suite_find(code[i]);

		if (suite && !(suite->flags & PROFILE_SUITE_NULL))
			return 0;
	}
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "sip.tls.profile: %s has no suite that encrypts, and a UE always "
	                      "offers one (TS 33.203, O.2.1); take another profile",
	                      profile);
}

/** What the registration's own connection wants of its domain. */
static void for_access(const struct ue_app *app, const struct ue_yaml_tls *tls,
                       struct tls_domain_spec *spec)
{
	if (tls != app->config.sip->tls || (!app->config.outbound.yaml && !app->tickets))
		return;
	spec->by_server = spec->by_client = PROFILE_CHOICE_YES;
	spec->null_encryption = tls->null_encryption;
	spec->client_auth = TLS_CLIENT_AUTH_NONE;
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
		                        .client_tickets = app->tickets,
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
	if (app->config.sip)
		for_access(app, tls, &spec);
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
	if (!rc && (rc = encrypts(*ret, profile, err))) {
		tls_domain_unref(*ret);
		*ret = NULL;
	}
	x509_identity_unref(spec.identity);
	trust_store_unref(spec.trust);
	return rc;
}
