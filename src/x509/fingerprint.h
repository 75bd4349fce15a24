/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Fingerprints of certificates and their text form in SDP (RFC 8122, 5). Pure functions.
 */
#ifndef GH_X509_FINGERPRINT_H
#define GH_X509_FINGERPRINT_H

#include "base/base.h"

/** Hash functions a fingerprint may use (RFC 8122, 5), by their names in SDP. */
enum x509_hash {
	X509_HASH_SHA1,
	X509_HASH_SHA224,
	X509_HASH_SHA256,
	X509_HASH_SHA384,
	X509_HASH_SHA512
};
#define X509_HASH_COUNT      5

#define X509_FINGERPRINT_MAX 64
/** Room for the longest text form, "AA:BB:...", terminated. */
#define X509_FINGERPRINT_TEXT (3 * X509_FINGERPRINT_MAX + 1)

/** A certificate's fingerprint: hash of its DER encoding (RFC 8122, 5). */
struct x509_fingerprint {
	enum x509_hash hash;
	uint8_t octets[X509_FINGERPRINT_MAX];
	size_t len;
};

/** Compute the fingerprint of a DER certificate. @return 0 or BASE_LOCAL. */
int x509_fingerprint_make(enum x509_hash hash, const uint8_t *der, size_t len,
                          struct x509_fingerprint *ret);
/** Same hash and same octets. */
bool x509_fingerprint_equal(const struct x509_fingerprint *a, const struct x509_fingerprint *b);
/**
 * The value of an SDP fingerprint attribute without the hash's name: upper-case hexadecimal octets
 * separated by colons. `out` holds at least X509_FINGERPRINT_TEXT octets. @return `out`.
 */
const char *x509_fingerprint_format(const struct x509_fingerprint *fp, char *out);
/**
 * Read hash name and value as they stand in SDP: `sha-256`, `12:DF:...`. The name is compared
 * without regard to case; the value is exactly the grammar's, upper case and of the hash's length.
 * @return 0, or BASE_PEER
 */
int x509_fingerprint_parse(struct base_str hash, struct base_str value,
                           struct x509_fingerprint *ret);

/** SDP name ("sha-256"); pure. */
const char *x509_hash_name(enum x509_hash hash);
/** Octets of a digest; pure. */
size_t x509_hash_len(enum x509_hash hash);
/** By SDP name, case-insensitive; BASE_PEER for an unknown or too weak one (md2, md5: RFC 8122, 5).
 */
int x509_hash_parse(struct base_str name, enum x509_hash *ret);

#endif
