/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The compact index of a CRL (RFC 5280, 5): who signed it, what it covers, and 16 octets a revoked
 * certificate, sorted. In memory and on disk it is the same octets, so a file is mapped and shared
 * by all threads and processes. Format: docs/crl-index.md.
 *
 * An index is immutable; references are atomic; any thread may read. An entry is found by a keyed
 * hash of 88 bits: one that is listed is always found; one that is not is taken for listed once in
 * 2^68 at a million entries, which refuses a peer and never accepts one.
 */
#ifndef GH_X509_CRL_INDEX_H
#define GH_X509_CRL_INDEX_H

#include <openssl/x509.h>

#include "base/base.h"

struct x509_crl_index;

/** What the CRL covers and is, a bit set. */
enum x509_crl_flag {
	X509_CRL_DELTA = 1,      /**< deltaCRLIndicator (RFC 5280, 5.2.4) */
	X509_CRL_INDIRECT = 2,   /**< indirectCRL of the IDP (5.2.5): other issuers' entries */
	X509_CRL_ONLY_USERS = 4, /**< onlyContainsUserCerts */
	X509_CRL_ONLY_CAS = 8,   /**< onlyContainsCACerts */
	X509_CRL_ONLY_ATTRIBUTES = 16, /**< onlyContainsAttributeCerts */
	X509_CRL_VERIFIED = 32,        /**< the signature was verified when the index was made */
};

/** `reasons` of a CRL without onlySomeReasons: bits 1 to 8 of ReasonFlags (RFC 5280, 4.2.1.13). */
#define X509_CRL_ALL_REASONS 0x1feU

/** About the CRL. The strings are borrowed from the index and live as long as it does. */
struct x509_crl_info {
	unsigned flags;         /**< enum x509_crl_flag bits */
	unsigned reasons;       /**< 1 << bit number in ReasonFlags */
	int64_t this_update_s;  /**< UNIX time */
	int64_t next_update_s;  /**< UNIX time; 0 = none was given */
	size_t count;           /**< entries */
	struct base_str issuer; /**< Name, DER */
	struct base_str number; /**< CRL number, big-endian, no leading zeros; ptr NULL = none */
	struct base_str base_number; /**< BaseCRLNumber of a delta, as `number` */
	struct base_str scope; /**< issuingDistributionPoint, DER of the value; empty = none */
	struct base_str
	        authority_key; /**< authorityKeyIdentifier, DER of the value; empty = none */
	struct base_str signature_alg; /**< AlgorithmIdentifier, DER */
	struct base_str signature;     /**< the verified signature's octets */
	const uint8_t *signer;         /**< 32: SHA-256 of the signer's SubjectPublicKeyInfo, DER */
	const uint8_t *tbs_sha256;     /**< 32: SHA-256 of the DER of tbsCertList */
};

enum x509_crl_status {
	X509_CRL_GOOD,    /**< this CRL is about that issuer and does not list the certificate */
	X509_CRL_REVOKED, /**< listed */
	X509_CRL_REMOVED, /**< removeFromCRL in a delta: no longer revoked (RFC 5280, 5.3.1) */
	X509_CRL_OTHER, /**< the CRL is not indirect and that issuer is not the CRL's: no answer */
};

struct x509_crl_entry {
	unsigned reason; /**< CRLReason, 0 = unspecified or none given (RFC 5280, 5.3.1) */
	int64_t date_s;  /**< revocationDate, UNIX time, within 1970 to 2106 */
};

/**
 * Make the index of a DER CRL. Any bytes are safe input; linear in them but for the sort; memory
 * is at most 16 octets for each 20 of the CRL, taken at once.
 *
 * Refused: what is not DER by RFC 5280, 5.1; signature algorithms that differ (5.1.1.2); critical
 * extensions of CRL or entry that are not known here (5.2, 5.3); certificateIssuer in a CRL that
 * is not indirect; a signature that `signer` did not make. Not judged: whether the signer may sign
 * this CRL, times, strength.
 *
 * @param signer  public key of the CRL's issuer; NULL = the signature is not verified and the
 *                index has no X509_CRL_VERIFIED (it cannot be mapped again)
 * @return 0; BASE_PEER with the reason in `err`; BASE_LOCAL
 */
int x509_crl_index_make(struct x509_crl_index **ret, const void *der, size_t len, EVP_PKEY *signer,
                        struct base_error *err);

/**
 * Map an index file, read-only and shared, after checking everything that can be: magic, version,
 * sizes, checksum, order, X509_CRL_VERIFIED. The signature itself is not verified again.
 * @return 0; BASE_CONFIG with file and reason; BASE_LOCAL
 */
int x509_crl_index_map(struct x509_crl_index **ret, const char *file, struct base_error *err);
/** The same of octets, which are copied. `name` stands for the file in errors. */
int x509_crl_index_parse(struct x509_crl_index **ret, const char *name, const void *data,
                         size_t len, struct base_error *err);
/**
 * Was the mapped file written to since? One system call. false: its pages can no longer be
 * relied on, and must not be looked at (a file cut short raises SIGBUS). Files of the cache are
 * only ever replaced, which does not touch the old one. Always true for one that is in memory.
 */
bool x509_crl_index_intact(const struct x509_crl_index *index);

struct x509_crl_index *x509_crl_index_ref(struct x509_crl_index *index);
/** NULL is fine. */
void x509_crl_index_unref(struct x509_crl_index *index);

/** Borrowed from the index. */
const struct x509_crl_info *x509_crl_index_info(const struct x509_crl_index *index);
/** The file's octets, to be written as they are; borrowed from the index. */
struct base_str x509_crl_index_octets(const struct x509_crl_index *index);

/**
 * Is a certificate listed? No allocation when `issuer` is octet by octet what the CRL has;
 * otherwise names are compared by RFC 5280, 7.1.
 * @param issuer  the certificate's issuer, Name in DER
 * @param serial  content octets of its serialNumber INTEGER
 * @param ret     filled for REVOKED and REMOVED; may be NULL
 */
enum x509_crl_status x509_crl_index_find(const struct x509_crl_index *index, struct base_str issuer,
                                         struct base_str serial, struct x509_crl_entry *ret);
/** The same of a certificate. */
enum x509_crl_status x509_crl_index_find_cert(const struct x509_crl_index *index, const X509 *cert,
                                              struct x509_crl_entry *ret);

/** Is that the CRL's issuer? By octets, or else by RFC 5280, 7.1. `name` is a Name in DER. */
bool x509_crl_index_issued_by(const struct x509_crl_index *index, struct base_str name);

/** Order of two CRL numbers as in `info`: below, at or above 0. Absent is before all. Pure. */
int x509_crl_number_compare(struct base_str a, struct base_str b);
/** Name of a CRLReason ("keyCompromise"), never NULL. Pure. */
const char *x509_crl_reason_name(unsigned reason);
/** SHA-256 of a public key's SubjectPublicKeyInfo, as `signer`. @return 0 or BASE_LOCAL */
int x509_key_sha256(EVP_PKEY *key, uint8_t ret[32]);

#endif
