/* SPDX-License-Identifier: Apache-2.0 */
/** @file Delta CRLs of an authority (RFC 5280, 5.2.4). */
#ifndef GH_CLI_PKI_DELTA_H
#define GH_CLI_PKI_DELTA_H

#include "cli/pki_folder.h"

/** Where an authority's delta CRL is published; NULL-terminated, at most four. */
struct pki_delta_urls {
	const char *item[5];
	char text[4 * 2100];
};
/** Read `delta-urls`; none where there is no such file. */
int pki_delta_urls_load(const struct pki_ca *ca, struct pki_delta_urls *ret,
                        struct base_error *err);
/** Write it: from now on complete CRLs name these addresses (freshestCRL, 5.2.6). */
int pki_delta_urls_save(const struct pki_ca *ca, const struct pki_list *urls,
                        struct base_error *err);

/** What was made. */
struct pki_delta {
	uint64_t number, base;
	size_t count; /**< entries */
};
/**
 * Make the next delta CRL, of what has changed since the complete one in `ca.crl`, and write it to
 * `delta.crl`. It takes a number of the same sequence (5.2.4).
 * @return 0; BASE_CONFIG where there is no complete CRL of this authority that has not ended
 */
int pki_ca_delta(struct pki_ca *ca, int64_t valid_s, struct pki_delta *ret, struct base_error *err);

#endif
