/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the files crl_*.c only: the parts of a CRL, the file's layout. */
#ifndef GH_X509_CRL_INTERNAL_H
#define GH_X509_CRL_INTERNAL_H

#include "x509/der.h"
#include "x509/internal.h"

/** id-ce numbers (RFC 5280, 5.2 and 5.3). */
enum {
	CE_CRL_NUMBER = 20,
	CE_REASON_CODE = 21,
	CE_INVALIDITY_DATE = 24,
	CE_DELTA_INDICATOR = 27,
	CE_IDP = 28,
	CE_CERTIFICATE_ISSUER = 29,
	CE_AUTHORITY_KEY = 35,
	CE_FRESHEST_CRL = 46,
};

/** A CRL taken apart; all borrowed from its octets. */
struct crl_parts {
	struct base_str tbs, signature_alg, signature;
	struct base_str issuer, number, base_number, scope, authority_key;
	struct base_str freshest; /**< freshestCRL, DER of the value; empty = none */
	int64_t this_update_s, next_update_s;
	unsigned flags, reasons;
	struct base_reader entries; /**< inside revokedCertificates */
};
/** @return 0, or BASE_PEER with the reason */
int crl_parse(const void *der, size_t len, struct crl_parts *ret, struct base_error *err);

/** One entry of revokedCertificates. */
struct crl_revoked {
	struct base_str serial; /**< shortest form */
	int64_t date_s;
	unsigned reason;
	struct base_str issuer; /**< certificateIssuer, DER; empty = as the entry before */
};
/** Read one entry and step past it; NULL, or why it cannot be. */
const char *crl_revoked_next(struct base_reader *r, bool indirect, struct crl_revoked *ret);

/* The file: docs/crl-index.md. All numbers are big-endian. */
#define CRLX_MAGIC   "GH-CRLX\n"
#define CRLX_VERSION 1U
enum {
	CRLX_AT_VERSION = 8,
	CRLX_AT_HEADER = 12,
	CRLX_AT_LENGTH = 16,
	CRLX_AT_COUNT = 24,
	CRLX_AT_NAMES = 32, /* octets, then number of further names */
	CRLX_AT_SEED = 40,
	CRLX_AT_UPDATES = 56,
	CRLX_AT_FLAGS = 72,
	CRLX_AT_SIGNER = 80,
	CRLX_AT_TBS = 112,
	CRLX_AT_FIELDS = 144,
	CRLX_FIELDS = 8, /* the last is empty */
	CRLX_FIXED = CRLX_AT_FIELDS + 4 * CRLX_FIELDS,
	CRLX_SUM = 32, /* SHA-256 over all before it */
	CRLX_ENTRY = 16,
	CRLX_KEY = 11, /* of an entry: hash; then reason; then date */
	CRLX_HEADER_MAX = 1 << 16,
	CRLX_NAMES_MAX = 1024,
	CRLX_SERIAL_MAX = 64, /* RFC 5280, 4.1.2.2 allows 20 */
};

/** Where a header has its strings, in the file's order. */
struct base_str *crlx_field(struct x509_crl_info *info, size_t i);

/** Key of an entry: `name` is 0 for the CRL's issuer, else 1 + the number of the further name. */
void crlx_key(const uint64_t seed[2], uint32_t name, struct base_str serial, uint8_t ret[CRLX_KEY]);

static inline uint64_t crlx_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}
static inline uint32_t crlx_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}
static inline int crlx_key_compare(const uint8_t *a, const uint8_t *b)
{
	uint64_t x = crlx_u64(a), y = crlx_u64(b);

	if (x != y)
		return x < y ? -1 : 1;
	return memcmp(a + 8, b + 8, CRLX_KEY - 8);
}

/**
 * Make an index of octets in memory, which are taken over (free) also on failure. `checked`: they
 * were just made here.
 */
int crlx_adopt(struct x509_crl_index **ret, const char *name, uint8_t *octets, size_t len,
               bool checked, struct base_error *err);
/** @return 0 or BASE_LOCAL */
int crlx_sha256(const void *data, size_t len, uint8_t ret[32]);

#endif
