/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

struct trust_store *trust_store_ref(struct trust_store *store)
{
	atomic_fetch_add_explicit(&store->refs, 1, memory_order_relaxed);
	return store;
}

void trust_store_unref(struct trust_store *store)
{
	if (!store || atomic_fetch_sub_explicit(&store->refs, 1, memory_order_acq_rel) != 1)
		return;
	trust_ways_free(store);
	trust_issuers_free(store);
	profile_checks_unref(store->checks);
	trust_cache_close(store->cache);
	free(store->plain);
	X509_STORE_free(store->store);
	sk_X509_pop_free(store->anchors, X509_free);
	sk_X509_pop_free(store->untrusted, X509_free);
	sk_X509_pop_free(store->own, X509_free);
	sk_X509_free(store->hints);
	sk_X509_CRL_pop_free(store->crls, X509_CRL_free);
	free(store);
}

const STACK_OF(X509) * trust_store_anchors(const struct trust_store *store)
{
	if (!store)
		return NULL;
	return store->interconnect ? store->hints : store->anchors;
}

struct trust_cache *trust_store_cache(const struct trust_store *store)
{
	return store ? store->cache : NULL;
}

bool trust_store_staples(const struct trust_store *store)
{
	return store && store->ocsp_staples;
}

/* ---- files and folders ---- */

typedef int load_fn(const char *file, void *into, struct base_error *err);

static int certs_one(const char *file, void *into, struct base_error *err)
{
	return x509_certs_load(file, into, err);
}

static int crls_one(const char *file, void *into, struct base_error *err)
{
	return x509_crls_load(file, into, err);
}

static int seen(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int folder_load(const char *name, load_fn *load, void *into, struct base_error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(name, &entries, seen, alphasort), rc = 0;

	if (count < 0)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno),
		                      "cannot read the folder %s: %s", name, strerror(errno));
	for (int i = 0; i < count; i++) {
		char path[1024];

		if (!rc && snprintf(path, sizeof(path), "%s/%s", name, entries[i]->d_name) <
		                   (int)sizeof(path))
			rc = load(path, into, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int list_load(const char *const *names, load_fn *load, void *into, struct base_error *err)
{
	int rc = 0;

	for (; !rc && names && *names; names++) {
		struct stat st;

		if (!stat(*names, &st) && S_ISDIR(st.st_mode))
			rc = folder_load(*names, load, into, err);
		else
			rc = load(*names, into, err);
	}
	return rc;
}

/* ---- what is made of them ---- */

static int anchors_add(struct trust_store *store)
{
	STACK_OF(X509) * all[] = { store->anchors, store->untrusted, store->own };

	for (size_t i = 0; i < BASE_COUNT(all); i++)
		/* fill libcrypto's caches now: later many threads read the same object */
		for (int j = 0; j < sk_X509_num(all[i]); j++)
			(void)X509_check_purpose(sk_X509_value(all[i], j), -1, 0);
	for (int i = 0; i < sk_X509_num(store->anchors); i++)
		if (X509_STORE_add_cert(store->store, sk_X509_value(store->anchors, i)) != 1)
			return BASE_ERR(BASE_LOCAL, 0);
	return 0;
}

/* RFC 5280, 6.1.1 (c): any policy will do, unless a CA on the path asks for one. */
static int policy_set(X509_STORE *store)
{
	ASN1_OBJECT *any = OBJ_nid2obj(NID_any_policy);

	return X509_VERIFY_PARAM_add0_policy(X509_STORE_get0_param(store), any) == 1
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

/* Move a list's certificates to the store, which owns them; the list borrows them from then on. */
static int own_load(struct trust_store *store, const char *const *names, const char *cache,
                    STACK_OF(X509) * *ret, struct base_error *err)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	int rc = list ? list_load(names, certs_one, list, err) : BASE_ERR(BASE_LOCAL, 0);

	if (!rc && cache)
		rc = trust_cache_certs(cache, TRUST_CACHE_CROSS, list, NULL, NULL);
	for (int i = 0; i < sk_X509_num(list); i++) {
		X509 *cert = sk_X509_value(list, i);

		if (!rc && sk_X509_push(store->own, cert))
			continue;
		X509_free(cert);
		if (!rc)
			rc = BASE_ERR(BASE_LOCAL, 0);
	}
	*ret = list;
	return rc;
}

static int interconnect_load(struct trust_store *store, const struct trust_store_files *files,
                             struct base_error *err)
{
	struct trust_lists lists = { 0 };
	const struct {
		const char *const *names;
		STACK_OF(X509) * *list;
	} all[] = {
		{ files->interconnection, &lists.interconnection },
		{ files->client_cas, &lists.client_cas },
		{ files->server_cas, &lists.server_cas },
		{ files->cross_clients, &lists.cross_clients },
		{ files->cross_servers, &lists.cross_servers },
		{ files->cross, &lists.cross },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < BASE_COUNT(all); i++)
		rc = own_load(store, all[i].names,
		              all[i].list == &lists.cross ? files->cache : NULL, all[i].list, err);
	if (!rc)
		rc = trust_ways_make(store, &lists);
	if (!rc)
		trust_lint_ways(store);
	/* A folder may be empty today and bring a cross-certificate tomorrow. */
	if (!rc && !store->way_count && !files->cache)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "interconnect without an own TLS CA or a cross-certificate "
		                    "would refuse everybody (TS 33.310, 5.2.2.2)");
	for (size_t i = 0; i < BASE_COUNT(all); i++)
		sk_X509_free(*all[i].list);
	return rc;
}

/* A CRL that never ends could not be told from one that is withheld (RFC 5280, 5.1.2.5). */
static void endless_drop(STACK_OF(X509_CRL) * crls)
{
	for (int i = sk_X509_CRL_num(crls) - 1; i >= 0; i--)
		if (!X509_CRL_get0_nextUpdate(sk_X509_CRL_value(crls, i)))
			X509_CRL_free(sk_X509_CRL_delete(crls, i));
}

static int load_all(struct trust_store *store, const struct trust_store_files *files,
                    struct base_error *err)
{
	int rc = policy_set(store->store);

	if (!rc)
		rc = list_load(files->anchors, certs_one, store->anchors, err);
	if (!rc)
		rc = list_load(files->untrusted, certs_one, store->untrusted, err);
	if (!rc && files->cache && files->open_cache)
		store->cache = trust_cache_ref(files->open_cache);
	else if (!rc && files->cache)
		rc = trust_cache_open(&store->cache, files->cache, NULL, NULL, err);
	if (!rc && files->cache)
		rc = trust_cache_certs(files->cache, TRUST_CACHE_CA, store->untrusted, NULL, NULL);
	if (!rc && files->interconnect)
		rc = interconnect_load(store, files, err);
	if (!rc)
		rc = anchors_add(store);
	if (!rc)
		rc = trust_issuers_make(store);
	if (!rc)
		rc = list_load(files->crls, crls_one, store->crls, err);
	if (!rc && files->interconnect)
		endless_drop(store->crls);
	if (!rc)
		rc = trust_revocation_prepare(store);
	return rc;
}

int trust_store_load(struct trust_store **ret, const struct trust_store_files *files,
                     struct base_error *err)
{
	struct trust_store *store = calloc(1, sizeof(*store));
	int rc = BASE_ERR(BASE_LOCAL, 0);

	if (!store)
		return rc;
	atomic_init(&store->refs, 1);
	store->interconnect = files->interconnect;
	store->ocsp_staples = files->ocsp_staples;
	store->checks = files->checks ? profile_checks_ref(files->checks) : NULL;
	store->checks_warn = files->checks_warn;
	store->crl_required = files->crl_required || files->interconnect;
	store->store = X509_STORE_new();
	store->anchors = sk_X509_new_null();
	store->untrusted = sk_X509_new_null();
	store->own = sk_X509_new_null();
	store->hints = sk_X509_new_null();
	store->crls = sk_X509_CRL_new_null();
	if (store->store && store->anchors && store->untrusted && store->own && store->hints &&
	    store->crls) {
		rc = trust_path_hook(store->store);
		if (!rc)
			rc = load_all(store, files, err);
	}
	if (!rc) {
		*ret = store;
		store = NULL;
	}
	ERR_clear_error();
	trust_store_unref(store);
	return rc;
}
