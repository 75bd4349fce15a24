/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/issuers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

static int folder_load(const char *path, STACK_OF(X509) * into, struct base_error *err)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);
	char file[4096];
	int rc = 0;

	if (!dir) {
		base_error_place(err, path, 0, 0);
		return base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "%s", strerror(errno));
	}
	while (!rc && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >= (int)sizeof(file))
			rc = BASE_ERR(BASE_CONFIG, ENAMETOOLONG);
		else
			rc = x509_certs_load(file, into, err);
	}
	(void)closedir(dir); /* only read from */
	return rc;
}

static int paths_load(const char *const *paths, STACK_OF(X509) * into, struct base_error *err)
{
	int rc = 0;

	for (; paths && *paths && !rc; paths++) {
		struct stat st;

		if (stat(*paths, &st) == 0 && S_ISDIR(st.st_mode))
			rc = folder_load(*paths, into, err);
		else
			rc = x509_certs_load(*paths, into, err);
	}
	return rc;
}

static bool has(const STACK_OF(X509) * stack, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(stack); i++)
		if (!X509_cmp(sk_X509_value(stack, i), cert))
			return true;
	return false;
}

static int push(STACK_OF(X509) * stack, X509 *cert)
{
	if (has(stack, cert))
		return 0;
	if (!X509_up_ref(cert))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!sk_X509_push(stack, cert)) {
		X509_free(cert);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	return 0;
}

static bool signed_by_one(const STACK_OF(X509) * issuers, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(issuers); i++)
		if (x509_signed_by(cert, sk_X509_value(issuers, i)))
			return true;
	return false;
}

int fetch_issuers_add(struct fetch_issuers *issuers, enum trust_cache_kind kind, X509 *cert,
                      struct base_error *err)
{
	bool cross = kind == TRUST_CACHE_CROSS;
	struct x509_about about;
	int rc = x509_about_cert(cert, &about);

	if (rc)
		return rc;
	if (!about.ca)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s is no CA certificate",
		                      about.subject);
	if (!signed_by_one(cross ? issuers->interconnection : issuers->all, cert))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "%s (by %s): no %s of the configuration signed it",
		                      about.subject, about.issuer,
		                      cross ? "Interconnection CA" : "issuer");
	return push(issuers->all, cert);
}

/* Those of `candidates` that count; one may vouch for the next, so as often as one more does. */
static int vouched_add(struct fetch_issuers *issuers, enum trust_cache_kind kind,
                       const STACK_OF(X509) * candidates)
{
	int before, rc = 0;

	do {
		before = sk_X509_num(issuers->all);
		for (int i = 0; i < sk_X509_num(candidates) && !rc; i++) {
			rc = fetch_issuers_add(issuers, kind, sk_X509_value(candidates, i), NULL);
			if (rc && base_err_class(rc) == BASE_PEER)
				rc = 0; /* nobody vouches for it: nor do we */
		}
	} while (!rc && sk_X509_num(issuers->all) > before);
	return rc;
}

static int cached_add(struct fetch_issuers *issuers, const char *cache, enum trust_cache_kind kind)
{
	STACK_OF(X509) *found = sk_X509_new_null();
	int rc = found ? trust_cache_certs(cache, kind, found, NULL, NULL)
	               : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = vouched_add(issuers, kind, found);
	sk_X509_pop_free(found, X509_free);
	return rc;
}

int fetch_issuers_load(struct fetch_issuers *ret, const struct fetch_issuer_files *files,
                       struct base_error *err)
{
	struct fetch_issuers made = { sk_X509_new_null(), sk_X509_new_null() };
	STACK_OF(X509) *cross = sk_X509_new_null();
	int rc = made.all && made.interconnection && cross ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = paths_load(files->issuers, made.all, err);
	if (!rc)
		rc = paths_load(files->interconnection, made.interconnection, err);
	for (int i = 0; !rc && i < sk_X509_num(made.interconnection); i++)
		rc = push(made.all, sk_X509_value(made.interconnection, i));
	if (!rc)
		rc = paths_load(files->cross, cross, err);
	if (!rc)
		rc = vouched_add(&made, TRUST_CACHE_CROSS, cross);
	if (!rc && files->cache)
		rc = cached_add(&made, files->cache, TRUST_CACHE_CROSS);
	if (!rc && files->cache)
		rc = cached_add(&made, files->cache, TRUST_CACHE_CA);
	if (!rc) {
		*ret = made;
		made = (struct fetch_issuers){ 0 };
	}
	sk_X509_pop_free(cross, X509_free);
	fetch_issuers_done(&made);
	ERR_clear_error();
	return rc;
}

void fetch_issuers_done(struct fetch_issuers *issuers)
{
	sk_X509_pop_free(issuers->all, X509_free);
	sk_X509_pop_free(issuers->interconnection, X509_free);
	*issuers = (struct fetch_issuers){ 0 };
}

static bool may_sign_crls(X509 *cert)
{
	/* UINT32_MAX where there is no keyUsage */
	return (X509_get_key_usage(cert) & KU_CRL_SIGN) != 0;
}

static bool key_seen(const struct fetch_issuers *issuers, const X509_NAME *name, int before)
{
	const EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(issuers->all, before));

	for (int i = 0; i < before; i++) {
		X509 *other = sk_X509_value(issuers->all, i);

		if (!X509_NAME_cmp(X509_get_subject_name(other), name) && may_sign_crls(other) &&
		    EVP_PKEY_eq(X509_get0_pubkey(other), key) == 1)
			return true;
	}
	return false;
}

X509 *fetch_issuers_next(const struct fetch_issuers *issuers, const X509_NAME *name, int *at)
{
	for (; *at < sk_X509_num(issuers->all); (*at)++) {
		X509 *cert = sk_X509_value(issuers->all, *at);

		if (X509_NAME_cmp(X509_get_subject_name(cert), name) != 0 || !may_sign_crls(cert) ||
		    !X509_get0_pubkey(cert) || key_seen(issuers, name, *at))
			continue;
		(*at)++;
		return cert;
	}
	return NULL;
}
