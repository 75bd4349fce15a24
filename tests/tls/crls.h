/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A trust store that wants CRLs, and the cache folder that they come to.
 */
#ifndef GH_TESTS_TLS_CRLS_H
#define GH_TESTS_TLS_CRLS_H

#include "../pki.h"
#include "trust/trust.h"

struct crls {
	const struct pki *ca; /**< the one anchor; whose CRLs come */
	char *cache, *anchor;
	struct trust_store *store;
	long number;
};

void crls_begin(struct crls *crls, const struct pki *ca);
void crls_end(struct crls *crls);
/** The next CRL comes into the cache; `revoked` NULL: it is empty. */
void crls_come(struct crls *crls, X509 *revoked);

#endif
