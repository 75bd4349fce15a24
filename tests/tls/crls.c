/* SPDX-License-Identifier: Apache-2.0 */
#include "crls.h"

#include <dirent.h>
#include <unistd.h>

#include "check.h"

#define LONG (30 * PKI_DAY)

void crls_begin(struct crls *crls, const struct pki *ca)
{
	*crls = (struct crls){ .ca = ca, .cache = pki_dir_new() };
	crls->anchor = pki_write_certs(crls->cache, ".ca", (X509 *[]){ ca->cert, NULL });
	assert_int_equal(trust_store_load(&crls->store,
	                                  &(struct trust_store_files){
	                                          .anchors = (const char *[]){ crls->anchor, NULL },
	                                          .crl_required = true,
	                                          .cache = crls->cache },
	                                  NULL),
	                 0);
}

void crls_end(struct crls *crls)
{
	DIR *d = opendir(crls->cache);

	trust_store_unref(crls->store);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		(void)closedir(d);
	(void)rmdir(crls->cache);
	free(crls->cache);
	free(crls->anchor);
}

void crls_come(struct crls *crls, X509 *revoked)
{
	X509_CRL *crl = pki_crl(crls->ca, revoked ? (X509 *[]){ revoked, NULL } : NULL,
	                        -PKI_DAY + ++crls->number, LONG);
	struct x509_crl_index *index = NULL;
	unsigned char *der = NULL;
	int len = i2d_X509_CRL(crl, &der);

	assert_int_equal(x509_crl_index_make(&index, der, (size_t)len, crls->ca->key, NULL), 0);
	assert_int_equal(trust_cache_write(crls->cache, index, NULL), 0);
	assert_int_equal(trust_cache_refresh(trust_store_cache(crls->store)), 1);
	x509_crl_index_unref(index);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}
