/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A CRL into the maker of indexes. Where libcrypto reads it too, the two argue: what it finds
 * listed we must find listed. What comes out must pass the reader of index files, once the flag
 * that it lacks (nobody verified it) is there or not.
 */
#include <stdlib.h>

#include <openssl/err.h>

#include "x509/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct base_str name_der(const X509_NAME *name)
{
	const unsigned char *der = NULL;
	size_t len = 0;

	if (!X509_NAME_get0_der(name, &der, &len))
		abort();
	return (struct base_str){ (const char *)der, len };
}

static void argue(const struct x509_crl_index *index, X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
	struct base_str issuer = name_der(X509_CRL_get_issuer(crl));

	if (x509_crl_index_info(index)->count > (size_t)BASE_MAX(sk_X509_REVOKED_num(all), 0))
		abort();
	/* an indirect CRL's entries have issuers that libcrypto keeps to itself */
	if (x509_crl_index_info(index)->flags & X509_CRL_INDIRECT)
		return;
	for (int i = 0; i < sk_X509_REVOKED_num(all); i++) {
		const ASN1_INTEGER *serial =
		        X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i));
		unsigned char *der = NULL;
		int len = i2d_ASN1_INTEGER(serial, &der);
		enum x509_crl_status status;

		if (len < 3)
			abort();
		status = x509_crl_index_find(
		        index, issuer, (struct base_str){ (const char *)der + 2, (size_t)len - 2 },
		        NULL);
		if (status != X509_CRL_REVOKED && status != X509_CRL_REMOVED)
			abort();
		OPENSSL_free(der);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x509_crl_index *index = NULL, *copy = NULL;
	char **urls = x509_crl_freshest(data, size);
	struct base_error err = { 0 };
	const unsigned char *at = data;
	struct base_str octets;
	X509_CRL *crl;

	for (size_t i = 0; urls && urls[i]; i++)
		if (strlen(urls[i]) > size)
			abort();
	x509_urls_free(urls);
	if (x509_crl_index_make(&index, data, size, NULL, &err))
		return 0;
	crl = d2i_X509_CRL(NULL, &at, (long)size);
	if (crl)
		argue(index, crl);
	X509_CRL_free(crl);
	ERR_clear_error();
	/* never a file: nobody verified it */
	octets = x509_crl_index_octets(index);
	if (x509_crl_index_parse(&copy, "fuzz", octets.ptr, octets.len, &err) == 0)
		abort();
	x509_crl_index_unref(index);
	return 0;
}
