/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a certificate or a CRL is made of, as plain values that rules can be held against (TS
 * 33.310, 6; RFC 5280, 4 and 5). Nothing is judged here. No memory is kept: copy as you like.
 */
#ifndef GH_X509_FACTS_H
#define GH_X509_FACTS_H

#include <openssl/x509.h>

#include "base/base.h"

/** Extensions that rules speak of, as bits of `present` and `critical`. */
enum x509_fact_ext {
	X509_FACT_AUTHORITY_KEY = 1 << 0,
	X509_FACT_SUBJECT_KEY = 1 << 1,
	X509_FACT_KEY_USAGE = 1 << 2,
	X509_FACT_PURPOSES = 1 << 3, /**< extendedKeyUsage */
	X509_FACT_NAMES = 1 << 4,    /**< subjectAltName */
	X509_FACT_BASIC = 1 << 5,    /**< basicConstraints */
	X509_FACT_CONSTRAINTS = 1 << 6,
	X509_FACT_POINTS = 1 << 7,   /**< cRLDistributionPoints */
	X509_FACT_NF_TYPES = 1 << 8, /**< NFTypes of 5GC network functions */
	X509_FACT_NUMBER = 1 << 9,   /**< CRL: cRLNumber */
	X509_FACT_DELTA = 1 << 10,   /**< CRL: deltaCRLIndicator */
	X509_FACT_SCOPE = 1 << 11,   /**< CRL: issuingDistributionPoint */
};

/** keyUsage: bit n of RFC 5280, 4.2.1.3 is 1 << n. */
enum x509_fact_usage {
	X509_USAGE_DIGITAL_SIGNATURE = 1 << 0,
	X509_USAGE_KEY_ENCIPHERMENT = 1 << 2,
	X509_USAGE_CERT_SIGN = 1 << 5,
	X509_USAGE_CRL_SIGN = 1 << 6,
};

/** extendedKeyUsage, those that matter to TLS. */
enum x509_fact_purpose {
	X509_PURPOSE_BIT_SERVER = 1 << 0,
	X509_PURPOSE_BIT_CLIENT = 1 << 1,
	X509_PURPOSE_BIT_ANY = 1 << 2,
};

/** Kinds of names in subject and issuer. */
enum x509_fact_attribute {
	X509_ATTRIBUTE_C = 1 << 0,
	X509_ATTRIBUTE_O = 1 << 1,
	X509_ATTRIBUTE_CN = 1 << 2,
	X509_ATTRIBUTE_OTHER = 1 << 3,
};

#define X509_FACTS_CN 72 /**< ub-common-name is 64 characters; what is longer is cut short */

struct x509_facts {
	bool crl;
	unsigned version;    /**< as people count: 1, 2, 3 */
	char subject[96];    /**< of a CRL its issuer; RFC 2253 form, shortened */
	const char *hash;    /**< "sha-256"; "none" (EdDSA), "unknown"; constant */
	const char *signing; /**< "rsa-pkcs1", "rsa-pss", "ecdsa", "eddsa", "dsa" ... */
	/** Certificate: inside and outside of what is signed (RFC 5280, 4.1.1.2). */
	bool algorithms_differ;
	unsigned present, critical;       /**< enum x509_fact_ext */
	bool extension_twice;             /**< RFC 5280, 4.2 */
	bool unknown_critical, malformed; /**< an extension: not known, not readable */
	/* certificates */
	const char *key;     /**< "rsa", "ec", "ed25519", "dsa", "unknown" */
	const char *curve;   /**< "P-256", "P-384", "P-521"; "other"; "" where not EC */
	bool curve_explicit; /**< parameters instead of a name */
	unsigned key_bits;
	uint64_t exponent;      /**< RSA; UINT64_MAX where it is greater */
	unsigned serial_octets; /**< of the content, leading sign octet not counted */
	bool serial_positive;
	bool self_issued; /**< subject and issuer are the same name */
	bool subject_empty, issuer_empty;
	unsigned subject_has, issuer_has; /**< enum x509_fact_attribute */
	unsigned cn_count;
	char cn[X509_FACTS_CN];  /**< the last CN */
	bool cn_is_host;         /**< it is a host name of two labels or more */
	int64_t from_s, until_s; /**< UNIX time; of a CRL thisUpdate and nextUpdate, 0 = none */
	unsigned usage, purposes;
	bool ca;
	int path_len; /**< -1 = not limited */
	unsigned dns_count, other_names;
	bool wildcard;    /**< a dNSName with an asterisk */
	bool cn_in_names; /**< the CN is one of the dNSNames */
	unsigned point_count, http_count,
	        ldap_count; /**< distribution points; addresses by scheme */
	/* CRLs */
	unsigned number_octets;
};

/** Collect. Any certificate that libcrypto parsed is fine. Pure but for its caches: one thread. */
void x509_facts_cert(X509 *cert, struct x509_facts *ret);
void x509_facts_crl(X509_CRL *crl, struct x509_facts *ret);

#endif
