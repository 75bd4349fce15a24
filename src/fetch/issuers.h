/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Whose signature counts: the CA certificates of the file, and what these vouch for. Dates and
 * revocation are the decision's business (trust), which asks again.
 */
#ifndef GH_FETCH_ISSUERS_H
#define GH_FETCH_ISSUERS_H

#include "trust/trust.h"

struct fetch_issuer_files {
	/* Files or folders, NULL-terminated; each may be NULL. */
	const char *const *issuers;         /**< vouch for CRLs and for CA certificates */
	const char *const *interconnection; /**< own Interconnection CAs; also issuers */
	const char *const *cross; /**< cross-certificates; count where an Interconnection CA
	                               signed them */
	const char *cache;        /**< its `cross/` and `ca/` are read likewise; NULL = none */
};

struct fetch_issuers {
	STACK_OF(X509) * all, *interconnection;
};

/** Read them. A file of the cache that is bad is left out. @return 0, BASE_CONFIG or BASE_LOCAL */
int fetch_issuers_load(struct fetch_issuers *ret, const struct fetch_issuer_files *files,
                       struct base_error *err);
/** All zero is fine. */
void fetch_issuers_done(struct fetch_issuers *issuers);

/**
 * Take a certificate in that came from a repository.
 * @return 0, also where it was there; BASE_PEER with the reason why it does not count; BASE_LOCAL
 */
int fetch_issuers_add(struct fetch_issuers *issuers, enum trust_cache_kind kind, X509 *cert,
                      struct base_error *err);

/**
 * Who may have signed a CRL of that issuer (Name, DER): subject equal by RFC 5280, 7.1, cRLSign
 * where there is a keyUsage (6.3.3 (f)), each key once. `*at` is 0 at first.
 * @return borrowed; NULL at the end
 */
X509 *fetch_issuers_next(const struct fetch_issuers *issuers, const X509_NAME *name, int *at);

#endif
