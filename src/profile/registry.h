/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Code points and their names in the documents and in the two engines, one table each (IANA TLS
 * parameters). All lookups are pure; all pointers are to constant tables.
 */
#ifndef GH_PROFILE_REGISTRY_H
#define GH_PROFILE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/** Protocol versions as bits, oldest first, so that a set of them is an unsigned. */
enum profile_version {
	PROFILE_SSL_2_0 = 1 << 0,
	PROFILE_SSL_3_0 = 1 << 1,
	PROFILE_TLS_1_0 = 1 << 2,
	PROFILE_TLS_1_1 = 1 << 3,
	PROFILE_TLS_1_2 = 1 << 4,
	PROFILE_TLS_1_3 = 1 << 5,
	PROFILE_DTLS_1_0 = 1 << 6,
	PROFILE_DTLS_1_2 = 1 << 7,
	PROFILE_DTLS_1_3 = 1 << 8,
};

#define PROFILE_TLS_ALL  (PROFILE_TLS_1_0 | PROFILE_TLS_1_1 | PROFILE_TLS_1_2 | PROFILE_TLS_1_3)
#define PROFILE_DTLS_ALL (PROFILE_DTLS_1_0 | PROFILE_DTLS_1_2 | PROFILE_DTLS_1_3)

/** "TLS1.2", "DTLS1.0", "SSL3.0"; "?" for anything but exactly one version. */
const char *profile_version_name(unsigned version);
/** The version of that name, or 0. */
unsigned profile_version_find(struct base_str name);
/** The number on the wire (RFC 8446, 4.1.2; RFC 9147, 5.3), 0x0303 for TLS 1.2; 0 when unknown. */
uint16_t profile_version_wire(unsigned version);

/** Properties of a suite; a rule may speak of all suites with one (`class`). */
enum profile_suite_flag {
	PROFILE_SUITE_AEAD = 1 << 0,
	PROFILE_SUITE_CBC = 1 << 1,
	PROFILE_SUITE_PFS = 1 << 2, /**< (EC)DHE key exchange, or any TLS 1.3 suite */
	PROFILE_SUITE_PSK = 1 << 3,
	PROFILE_SUITE_NULL = 1 << 4, /**< no encryption */
	PROFILE_SUITE_RC4 = 1 << 5,
	PROFILE_SUITE_3DES = 1 << 6,
	PROFILE_SUITE_ANON = 1 << 7,
	PROFILE_SUITE_EXPORT = 1 << 8,
	PROFILE_SUITE_MD5 = 1 << 9, /**< HMAC-MD5 */
	PROFILE_SUITE_RSA_KX = 1 << 10,
	PROFILE_SUITE_ECDSA = 1 << 11,
	PROFILE_SUITE_RSA_AUTH = 1 << 12, /**< an RSA certificate, whatever the key exchange */
	PROFILE_SUITE_DES = 1 << 13,      /**< single DES, also the 40-bit one */
	PROFILE_SUITE_NO_MAC = 1 << 14,   /**< NULL integrity */
	PROFILE_SUITE_DSS = 1 << 15,
};

struct profile_suite {
	uint16_t code;
	const char *name;    /**< IANA: "TLS_RSA_WITH_AES_128_CBC_SHA" */
	const char *openssl; /**< OpenSSL's name, NULL where OpenSSL 3.0 has none */
	/** GnuTLS priority words, each without its sign; NULL where GnuTLS 3.7 has none. */
	const char *gnutls_kx, *gnutls_cipher, *gnutls_mac;
	unsigned min, max; /**< one version bit each; no `min` above a profile's means unusable */
	unsigned flags;    /**< enum profile_suite_flag */
	bool dtls;         /**< usable with DTLS (no RC4: RFC 6347, 4.1.2.2) */
};

/** The suite of a code point, or NULL. */
const struct profile_suite *profile_suite_find(uint16_t code);
/** The suite of an IANA name, with or without "TLS_" in front, any case; or NULL. */
const struct profile_suite *profile_suite_named(struct base_str name);
/** Every suite of the table, in the order of code points. */
const struct profile_suite *profile_suite_all(size_t *ret_count);
static inline bool profile_suite_tls13(uint16_t code)
{
	return code >> 8 == 0x13;
}

/** A set of code points in its owner's storage. */
struct profile_codes {
	const uint16_t *code;
	size_t count;
};

/** A code point that is only a number and names: groups, signature schemes, extensions. */
struct profile_code {
	uint16_t code;
	const char *name; /**< IANA */
	const char *
	        openssl; /**< for SSL_CTX_set1_groups_list / _sigalgs_list; NULL when it has none */
	/** GnuTLS priority word without its sign ("GROUP-SECP256R1"); two of them joined by ":+"
	 *  where GnuTLS tells TLS 1.2's use of the code from TLS 1.3's; NULL when it has none. */
	const char *gnutls;
};

const struct profile_code *profile_group_find(uint16_t code);
const struct profile_code *profile_group_named(struct base_str name);
const struct profile_code *profile_group_all(size_t *ret_count);
const struct profile_code *profile_signature_find(uint16_t code);
const struct profile_code *profile_signature_named(struct base_str name);
const struct profile_code *profile_signature_all(size_t *ret_count);
const struct profile_code *profile_extension_find(uint16_t code);
/** Why this project never offers nor takes that extension, in a few words; NULL = it may. */
const char *profile_extension_never(uint16_t code);
const struct profile_code *profile_extension_named(struct base_str name);
const struct profile_code *profile_extension_all(size_t *ret_count);

#endif
