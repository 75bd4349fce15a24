/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/hash.h"

#include <openssl/evp.h>

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)

int ue_hash_init(struct ue_hash *hash)
{
	hash->md = EVP_MD_CTX_new();
	return hash->md && EVP_DigestInit_ex(hash->md, EVP_sha256(), NULL) ? 0 : NO_MEMORY;
}

void ue_hash_done(struct ue_hash *hash)
{
	EVP_MD_CTX_free(hash->md);
	hash->md = NULL;
}

int ue_hash_put(struct ue_hash *hash, const void *data, size_t len)
{
	return EVP_DigestUpdate(hash->md, data, len) ? 0 : NO_MEMORY;
}

int ue_hash_text(struct ue_hash *hash, char ret[UE_SHA256_TEXT])
{
	uint8_t octets[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char text[3 * EVP_MAX_MD_SIZE + 1];

	if (!EVP_DigestFinal_ex(hash->md, octets, &len) || len != 32)
		return NO_MEMORY;
	base_hex_encode(octets, len, 0, false, text);
	memcpy(ret, text, UE_SHA256_TEXT);
	return 0;
}
