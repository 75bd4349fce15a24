/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * CertificatePair, a value of the attribute crossCertificatePair (RFC 4523, 4.3; X.509, 11.2.3).
 */
#ifndef GH_X509_CROSS_PAIR_H
#define GH_X509_CROSS_PAIR_H

#include <openssl/x509.h>

#include "base/base.h"

/** The longest value that is looked at, in octets. */
#define X509_CROSS_PAIR_MAX ((size_t)128 << 10)

/** Both owned; one of them may be NULL. All zero is the empty one. */
struct x509_cross_pair {
	X509 *to_this; /**< issuedToThisCA, once "forward": by another CA, for the entry's CA */
	X509 *by_this; /**< issuedByThisCA, once "reverse": by the entry's CA, for another CA */
};

/**
 * Read one CertificatePair in DER. Any bytes are safe input. Where both certificates are there
 * each must be issued by the subject of the other and be signed with its key (X.509, 11.2.3, mark
 * R). Not judged: whether either is valid, or of a CA.
 * @return 0, the certificates are the caller's; BASE_PEER with the reason; BASE_LOCAL
 */
int x509_cross_pair_parse(const void *data, size_t len, struct x509_cross_pair *ret,
                          struct base_error *err);
/** Append one in DER; at least one certificate must be there. @return 0 or BASE_LOCAL */
int x509_cross_pair_write(const struct x509_cross_pair *pair, struct base_writer *w);
/** All zero is fine. */
void x509_cross_pair_done(struct x509_cross_pair *pair);

#endif
