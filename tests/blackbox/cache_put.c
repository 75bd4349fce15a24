/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a CRL into a cache folder as gatehouse-fetch does: cache_put FOLDER ISSUER.pem CRL.pem */
#include <stdio.h>

#include <openssl/pem.h>

#include "trust/trust.h"

static int put(const char *folder, const char *issuer, const char *file)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	struct x509_crl_index *index = NULL;
	struct base_error err = { 0 };
	unsigned char *der = NULL;
	int rc = x509_certs_load(issuer, certs, &err), len = 0;

	if (!rc)
		rc = x509_crls_load(file, crls, &err);
	if (!rc)
		len = i2d_X509_CRL(sk_X509_CRL_value(crls, 0), &der);
	if (!rc)
		rc = x509_crl_index_make(&index, der, (size_t)len,
		                         X509_get0_pubkey(sk_X509_value(certs, 0)), &err);
	if (!rc)
		rc = trust_cache_write(folder, index, &err);
	if (rc)
		fprintf(stderr, "cache_put: %s\n", err.text);
	x509_crl_index_unref(index);
	OPENSSL_free(der);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	sk_X509_pop_free(certs, X509_free);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: cache_put FOLDER ISSUER.pem CRL.pem\n", stderr);
		return 2;
	}
	return put(argv[1], argv[2], argv[3]);
}
