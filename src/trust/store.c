/* SPDX-License-Identifier: Apache-2.0 */
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
	X509_STORE_free(store->store);
	sk_X509_pop_free(store->anchors, X509_free);
	sk_X509_pop_free(store->untrusted, X509_free);
	sk_X509_CRL_pop_free(store->crls, X509_CRL_free);
	free(store);
}

const STACK_OF(X509) * trust_store_anchors(const struct trust_store *store)
{
	return store ? store->anchors : NULL;
}

static int certs_load(const char *const *files, STACK_OF(X509) * into, struct base_error *err)
{
	int rc = 0;

	for (; !rc && files && *files; files++)
		rc = x509_certs_load(*files, into, err);
	return rc;
}

static int anchors_add(struct trust_store *store)
{
	for (int i = 0; i < sk_X509_num(store->anchors); i++) {
		X509 *cert = sk_X509_value(store->anchors, i);

		/* fill libcrypto's caches now: later many threads read the same object */
		(void)X509_check_purpose(cert, -1, 0);
		if (X509_STORE_add_cert(store->store, cert) != 1)
			return BASE_ERR(BASE_LOCAL, 0);
	}
	for (int i = 0; i < sk_X509_num(store->untrusted); i++)
		(void)X509_check_purpose(sk_X509_value(store->untrusted, i), -1, 0);
	return 0;
}

static int crls_load(const char *const *files, STACK_OF(X509_CRL) * into, struct base_error *err)
{
	int rc = 0;

	for (; !rc && files && *files; files++)
		rc = x509_crls_load(*files, into, err);
	return rc;
}

/* RFC 5280, 6.1.1 (c): any policy will do, unless a CA on the path asks for one. */
static int policy_set(X509_STORE *store)
{
	ASN1_OBJECT *any = OBJ_nid2obj(NID_any_policy);

	return X509_VERIFY_PARAM_add0_policy(X509_STORE_get0_param(store), any) == 1
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

int trust_store_load(struct trust_store **ret, const struct trust_store_files *files,
                     struct base_error *err)
{
	struct trust_store *store = calloc(1, sizeof(*store));
	int rc = BASE_ERR(BASE_LOCAL, 0);

	if (!store)
		return rc;
	atomic_init(&store->refs, 1);
	store->crl_required = files->crl_required;
	store->store = X509_STORE_new();
	store->anchors = sk_X509_new_null();
	store->untrusted = sk_X509_new_null();
	store->crls = sk_X509_CRL_new_null();
	if (!store->store || !store->anchors || !store->untrusted || !store->crls)
		goto out;
	rc = policy_set(store->store);
	if (!rc)
		rc = certs_load(files->anchors, store->anchors, err);
	if (!rc)
		rc = certs_load(files->untrusted, store->untrusted, err);
	if (!rc)
		rc = anchors_add(store);
	if (!rc)
		rc = crls_load(files->crls, store->crls, err);
	if (rc)
		goto out;
	*ret = store;
	store = NULL;
out:
	ERR_clear_error();
	trust_store_unref(store);
	return rc;
}
