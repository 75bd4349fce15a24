/* SPDX-License-Identifier: Apache-2.0 */
/** @file What connections share: the domain, its context, and who the far ends must be. */
#include <stdlib.h>

#include "link/private.h"

void link_slot_unref(struct link_slot *slot)
{
	if (!slot || --slot->users)
		return;
	tls_context_free(slot->context);
	tls_domain_unref(slot->domain);
	free(slot);
}

static int slot_new(struct link_slot **ret, struct tls_domain *domain, struct base_error *err)
{
	struct link_slot *slot = calloc(1, sizeof(*slot));
	int rc;

	if (!slot)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	slot->users = 1;
	slot->domain = tls_domain_ref(domain);
	rc = tls_context_new(&slot->context, domain, err);
	if (rc)
		link_slot_unref(slot);
	else
		*ret = slot;
	return rc;
}

static int spec_copy(struct link *link, const struct link_spec *spec)
{
	size_t n = spec->fingerprint_count;
	struct x509_fingerprint *list = n ? calloc(n, sizeof(*list)) : NULL;

	link->spec = *spec;
	link->spec.fingerprints = list;
	link->spec.peer_name = spec->peer_name ? strdup(spec->peer_name) : NULL;
	if ((n && !list) || (spec->peer_name && !link->spec.peer_name))
		return BASE_ERR(BASE_LOCAL, 0);
	for (size_t i = 0; i < n; i++)
		list[i] = spec->fingerprints[i];
	return 0;
}

int link_new(struct link **ret, struct tls_domain *domain, const struct link_spec *spec,
             struct base_error *err)
{
	struct link *link = calloc(1, sizeof(*link));
	int rc = BASE_ERR(BASE_LOCAL, 0);

	if (link)
		base_list_init(&link->conns);
	if (!link || spec_copy(link, spec)) {
		(void)base_error_set(err, rc, "no memory");
		goto out;
	}
	rc = slot_new(&link->slot, domain, err);
	if (rc)
		goto out;
	*ret = link;
	link = NULL;
out:
	link_free(link);
	return rc;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	link_slot_unref(link->slot);
	profile_store_free(link->profiles);
	free((void *)link->spec.fingerprints);
	free((void *)link->spec.peer_name);
	free(link);
}

int link_domain_set(struct link *link, struct tls_domain *domain, struct base_error *err)
{
	struct link_slot *slot = NULL;
	int rc = slot_new(&slot, domain, err);

	if (rc)
		return rc;
	link_slot_unref(link->slot);
	link->slot = slot;
	return 0;
}

void link_rejudge(struct link *link)
{
	struct trust_store *store = tls_domain_trust(link->slot->domain);
	struct trust_sweep *sweep = NULL;

	if (!store || base_list_empty(&link->conns))
		return;
	if (trust_sweep_new(&sweep, store, 0)) {
		base_log(BASE_LOG_ERROR, "link", "domain=%s: no memory to judge its sessions",
		         tls_domain_name(link->slot->domain));
		return;
	}
	link_conns_judge(link, sweep);
	trust_sweep_free(sweep);
}

/* ---- from files ---- */

static int domain_from_files(const struct link_files *files, struct profile_store *store,
                             const struct link_spec *link, struct tls_domain **ret,
                             struct base_error *err)
{
	unsigned methods = TRUST_CA | (link->fingerprint_count ? TRUST_FINGERPRINT : 0);
	struct tls_domain_spec spec = { .name = "h248",
		                        .server_methods = methods,
		                        .client_methods = methods,
		                        .client_auth = TLS_CLIENT_AUTH_REQUIRE };
	const struct trust_store_files anchors = { .anchors = files->anchors };
	int rc = profile_store_find(store, files->profile ? files->profile : "ts33210-rel17",
	                            &spec.profile, err);

	if (!rc)
		rc = x509_identity_load(&spec.identity, files->certificate,
		                        files->key ? files->key : files->certificate, err);
	if (!rc && files->anchors)
		rc = trust_store_load(&spec.trust, &anchors, err);
	if (!rc)
		rc = tls_domain_new(ret, &spec, err);
	x509_identity_unref(spec.identity);
	trust_store_unref(spec.trust);
	return rc;
}

int link_new_files(struct link **ret, const struct link_files *files, const struct link_spec *spec,
                   struct base_error *err)
{
	struct profile_store *store = NULL;
	struct tls_domain *domain = NULL;
	int rc;

	if (!files->certificate)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "TLS needs a certificate");
	rc = profile_store_new(&store);
	for (size_t i = 0; !rc && files->profile_dirs && files->profile_dirs[i]; i++)
		rc = profile_store_dir(store, files->profile_dirs[i]);
	if (!rc)
		rc = domain_from_files(files, store, spec, &domain, err);
	if (!rc)
		rc = link_new(ret, domain, spec, err);
	tls_domain_unref(domain);
	if (rc)
		profile_store_free(store);
	else
		(*ret)->profiles = store; /* the domain stands on it */
	return rc;
}
