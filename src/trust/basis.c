/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>

#include "trust/internal.h"

static bool cert_put(EVP_MD_CTX *md, const X509 *cert)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!cert)
		return EVP_DigestUpdate(md, "-", 1) == 1;
	return X509_digest(cert, EVP_sha256(), hash, &len) == 1 &&
	       EVP_DigestUpdate(md, hash, len) == 1;
}

static bool list_put(EVP_MD_CTX *md, const STACK_OF(X509) * list)
{
	uint32_t count = (uint32_t)BASE_MAX(sk_X509_num(list), 0);
	bool ok = EVP_DigestUpdate(md, &count, sizeof(count)) == 1;

	for (int i = 0; ok && i < sk_X509_num(list); i++)
		ok = cert_put(md, sk_X509_value(list, i));
	return ok;
}

static bool ways_put(EVP_MD_CTX *md, const struct trust_store *store)
{
	bool ok = true;

	for (size_t i = 0; ok && i < store->way_count; i++) {
		const struct trust_way *way = &store->ways[i];
		uint8_t words[] = { (uint8_t)way->roles, way->flaw != NULL, way->cross };

		ok = cert_put(md, way->issuer) && list_put(md, way->between) &&
		     cert_put(md, way->anchor) && EVP_DigestUpdate(md, words, sizeof(words)) == 1;
	}
	return ok;
}

static bool store_put(EVP_MD_CTX *md, const struct trust_store *store)
{
	uint8_t flags[] = { store->interconnect, store->ocsp_staples, store->crl_required,
		            store->checks != NULL, store->checks_warn };

	const char *checks = store->checks ? profile_checks_profile(store->checks)->name : "";

	return EVP_DigestUpdate(md, flags, sizeof(flags)) == 1 &&
	       EVP_DigestUpdate(md, checks, strlen(checks)) == 1 && list_put(md, store->anchors) &&
	       list_put(md, store->untrusted) && list_put(md, store->own) && ways_put(md, store);
}

int trust_store_basis(const struct trust_store *store, uint8_t ret[32])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	          (!store || store_put(md, store)) && EVP_DigestFinal_ex(md, ret, NULL) == 1;

	EVP_MD_CTX_free(md);
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
}
