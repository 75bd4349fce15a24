/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An index file into its reader, then looked up in. The first octet chooses: whether the
 * checksum, the length and the flag "verified" are put right, so that what is behind them is
 * reached.
 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "x509/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_SUM = 1, MODE_LENGTH = 2, MODE_VERIFIED = 4 };
enum { AT_LENGTH = 16, AT_FLAGS = 75, SUM = 32 };

static void repair(uint8_t *file, size_t len, uint8_t mode)
{
	if (mode & MODE_LENGTH)
		for (size_t i = 0; i < 8; i++)
			file[AT_LENGTH + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	if (mode & MODE_VERIFIED)
		file[AT_FLAGS] |= X509_CRL_VERIFIED;
	if (mode & MODE_SUM &&
	    EVP_Digest(file, len - SUM, file + len - SUM, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

static void look(const struct x509_crl_index *index, const uint8_t *data, size_t size)
{
	const struct x509_crl_info *info = x509_crl_index_info(index);
	struct x509_crl_entry entry = { 0 };

	if (!(info->flags & X509_CRL_VERIFIED) || !info->issuer.len ||
	    !x509_crl_index_issued_by(index, info->issuer))
		abort();
	for (size_t i = 0; i + 8 < size && i < 64; i += 8)
		if (x509_crl_index_find(index, info->issuer,
		                        (struct base_str){ (const char *)data + i, 8 },
		                        &entry) == X509_CRL_REVOKED &&
		    entry.reason > 10)
			abort();
	(void)x509_crl_index_find(index, info->scope, info->number, &entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x509_crl_index *index = NULL;
	struct base_error err = { 0 };
	uint8_t mode = size ? data[0] : 0;
	size_t len = size ? size - 1 : 0;
	uint8_t *file = malloc(len + 1);

	if (!file)
		return 0;
	if (len)
		memcpy(file, data + 1, len);
	if (len > 128)
		repair(file, len, mode);
	if (x509_crl_index_parse(&index, "fuzz", file, len, &err) == 0) {
		look(index, data, size);
		x509_crl_index_unref(index);
	}
	free(file);
	return 0;
}
