/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * CRLs of any size, written as DER by hand in one pass: a million entries take about a second.
 * For tests and measurements; aborts where libcrypto or memory fails.
 */
#ifndef GH_TESTS_CRL_FORGE_H
#define GH_TESTS_CRL_FORGE_H

#include <openssl/x509.h>

#include "base/base.h"

struct crl_forge {
	const X509 *issuer;
	EVP_PKEY *key;
	size_t count; /**< entries; entry i has the serial number of crl_forge_serial(i) */
	const char *from,
	        *to;     /**< UTCTime; NULL = 260101000000Z and 491231235959Z; `to` "" = none */
	uint32_t number; /**< CRL number; 0 = no such extension */
	uint32_t base;   /**< BaseCRLNumber of a delta; 0 = complete */
	struct base_str scope; /**< issuingDistributionPoint, DER; empty = none */
	struct base_str more;  /**< further Extension DER for the CRL */
	struct base_str entry; /**< one more entry, DER, put first */
};

/** Entries at places divisible by this carry a reason: 1 (keyCompromise). */
#define CRL_FORGE_REASONED 4

/** The DER of the CRL; freed by the caller. */
struct base_writer crl_forge(const struct crl_forge *spec);
/** 16 octets, positive, as different as random ones. */
void crl_forge_serial(uint64_t i, uint8_t ret[16]);

#endif
