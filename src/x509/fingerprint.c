/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>

#include "x509/x509.h"

/* RFC 8122, 5. MD5 and MD2 have no row: they MUST NOT be used. */
static const struct {
	const char *name;
	size_t len;
	const EVP_MD *(*md)(void);
} hashes[X509_HASH_COUNT] = {
	[X509_HASH_SHA1] = { "sha-1", 20, EVP_sha1 },
	[X509_HASH_SHA224] = { "sha-224", 28, EVP_sha224 },
	[X509_HASH_SHA256] = { "sha-256", 32, EVP_sha256 },
	[X509_HASH_SHA384] = { "sha-384", 48, EVP_sha384 },
	[X509_HASH_SHA512] = { "sha-512", 64, EVP_sha512 },
};

const char *x509_hash_name(enum x509_hash hash)
{
	return (unsigned)hash < X509_HASH_COUNT ? hashes[hash].name : "?";
}

size_t x509_hash_len(enum x509_hash hash)
{
	return (unsigned)hash < X509_HASH_COUNT ? hashes[hash].len : 0;
}

int x509_hash_parse(struct base_str name, enum x509_hash *ret)
{
	for (unsigned i = 0; i < X509_HASH_COUNT; i++) {
		if (base_str_ieq(name, base_str_of(hashes[i].name))) {
			*ret = (enum x509_hash)i;
			return 0;
		}
	}
	return BASE_ERR(BASE_PEER, 0);
}

int x509_fingerprint_make(enum x509_hash hash, const uint8_t *der, size_t len,
                          struct x509_fingerprint *ret)
{
	struct x509_fingerprint fp = { .hash = hash };
	unsigned written = 0;

	if ((unsigned)hash >= X509_HASH_COUNT ||
	    EVP_Digest(der, len, fp.octets, &written, hashes[hash].md(), NULL) != 1)
		return BASE_ERR(BASE_LOCAL, 0);
	fp.len = written;
	*ret = fp;
	return 0;
}

bool x509_fingerprint_equal(const struct x509_fingerprint *a, const struct x509_fingerprint *b)
{
	return a->hash == b->hash && a->len && a->len == b->len &&
	       a->len == x509_hash_len(a->hash) && memcmp(a->octets, b->octets, a->len) == 0;
}

const char *x509_fingerprint_format(const struct x509_fingerprint *fp, char *out)
{
	base_hex_encode(fp->octets, BASE_MIN(fp->len, sizeof(fp->octets)), ':', true, out);
	return out;
}

/* UHEX = DIGIT / %x41-46 (RFC 8122, 5, Figure 2) */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int x509_fingerprint_parse(struct base_str hash, struct base_str value,
                           struct x509_fingerprint *ret)
{
	struct x509_fingerprint fp = { .hash = X509_HASH_SHA256 };
	int rc = x509_hash_parse(hash, &fp.hash);

	if (rc)
		return rc;
	fp.len = hashes[fp.hash].len;
	if (value.len != 3 * fp.len - 1)
		return BASE_ERR(BASE_PEER, 0);
	for (size_t i = 0; i < fp.len; i++) {
		const char *at = value.ptr + 3 * i;
		int high = digit(at[0]), low = digit(at[1]);

		if (high < 0 || low < 0 || (i + 1 < fp.len && at[2] != ':'))
			return BASE_ERR(BASE_PEER, 0);
		fp.octets[i] = (uint8_t)(high << 4 | low);
	}
	*ret = fp;
	return 0;
}
