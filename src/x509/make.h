/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Certificates and CRLs made and signed: what a certification authority does, without its folder.
 * Extensions follow the 3GPP certificate profile (TS 33.310, 6.1; marks beside each).
 */
#ifndef GH_X509_MAKE_H
#define GH_X509_MAKE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/base.h"

#define X509_SERIAL_OCTETS 20
#define X509_SERIAL_TEXT   (2 * X509_SERIAL_OCTETS + 1)

enum x509_make_kind {
	X509_MAKE_CA,     /**< an authority; self-signed, or a link between two of its keys */
	X509_MAKE_CROSS,  /**< for another operator's authority (TS 33.310, 6.1.4) */
	X509_MAKE_ENTITY, /**< for a TLS client or server (TS 33.310, 6.1.3a) */
};

/** What to make. Everything is borrowed; lists are NULL-terminated and may be NULL. */
struct x509_make {
	enum x509_make_kind kind;
	const char *organization, *common_name; /**< subject O (optional) and CN, UTF-8 */
	const X509 *subject_of; /**< instead: subject and key identifier of this certificate */
	EVP_PKEY *key;          /**< the subject's; its public half is used */
	const X509 *issuer;     /**< NULL = self-signed */
	EVP_PKEY *issuer_key;   /**< signs; with SHA-384 where it is a P-384 key, else SHA-256 */
	int path_len;           /**< of an authority; always written */
	bool client, server;    /**< extendedKeyUsage; an authority of kind CA gets none */
	/** Entity: dNSNames of the subjectAltName. Cross: permitted dNSName subtrees, critical. */
	const char *const *dns;
	const char *const *crl_urls; /**< where the ISSUER's CRL lies; one distribution point */
	int64_t from_s, until_s;     /**< validity, UNIX time */
	uint8_t serial[X509_SERIAL_OCTETS];
};

/** A serial number of 20 octets: positive, random (RFC 5280, 4.1.2.2). @return 0 or BASE_LOCAL. */
int x509_serial_make(uint8_t serial[X509_SERIAL_OCTETS]);

/**
 * Make and sign. keyUsage is critical: keyCertSign and cRLSign of an authority, digitalSignature
 * of an entity (a server with an RSA key: also keyEncipherment; mark R).
 * @return 0, the certificate is the caller's; BASE_CONFIG with words for names, addresses, keys or
 *         times that cannot be; BASE_LOCAL
 */
int x509_make_cert(X509 **ret, const struct x509_make *what, struct base_error *err);

#define X509_REASON_HOLD   6 /* certificateHold */
#define X509_REASON_REMOVE 8 /* removeFromCRL, in a delta */

/** One revoked certificate. */
struct x509_revoked {
	uint8_t serial[X509_SERIAL_OCTETS];
	int64_t when_s;
	int reason; /**< CRLReason (RFC 5280, 5.3.1); 0 = unspecified, not written */
};

/** What CRL to make. Everything is borrowed. */
struct x509_make_crl {
	const X509 *issuer;
	EVP_PKEY *issuer_key;
	const struct x509_revoked *revoked;
	size_t count;
	uint64_t number;
	uint64_t base; /**< a delta since the complete CRL of that number (5.2.4); 0 = complete */
	/** Where the delta of a complete CRL lies (freshestCRL, 5.2.6); NULL-terminated or NULL. */
	const char *const *delta_urls;
	int64_t this_s, next_s; /**< UNIX time */
};

/**
 * Make and sign a CRL, v2, with its number and the issuer's key identifier (RFC 5280, 5).
 * @return 0, the CRL is the caller's; BASE_LOCAL
 */
int x509_make_crl(X509_CRL **ret, const struct x509_make_crl *what, struct base_error *err);

/** CRLReason by its name in RFC 5280 ("keyCompromise"); -1 for one that a complete CRL cannot
 * have. Pure. */
int x509_reason_parse(const char *name);
/** Its name; pure. */
const char *x509_reason_name(int reason);

/** A host name as a dNSName may hold it: letters, digits, hyphens, dots; no wildcard. Pure. */
bool x509_dns_ok(const char *name);
/** An address as a CRL distribution point may hold it: http or ldap, visible ASCII. Pure. */
bool x509_crl_url_ok(const char *url);
/**
 * May this public key be certified? RSA of 2048 bits or more, P-256, P-384 (TS 33.310, 6.1.1,
 * mark R). @return 0, or BASE_CONFIG with words
 */
int x509_key_check(const EVP_PKEY *key, struct base_error *err);

/**
 * The public key of a PKCS#10 request whose signature proves possession of the private one; the
 * names in the request are the requester's wish and not returned. The key is the caller's.
 * @return 0; BASE_CONFIG with file and words; BASE_LOCAL
 */
int x509_request_key(EVP_PKEY **ret, const char *file, struct base_error *err);

/** Append PEM; a writer that gets a key must have `wipe` set. @return 0 or BASE_LOCAL. */
int x509_cert_write(const X509 *cert, struct base_writer *w);
int x509_crl_write(const X509_CRL *crl, bool pem, struct base_writer *w);
int x509_key_write(const EVP_PKEY *key, struct base_writer *w);

#endif
