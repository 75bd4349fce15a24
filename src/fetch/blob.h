/* SPDX-License-Identifier: Apache-2.0 */
/** @file Octets that came from somewhere, not yet judged: what LDAP and files hand over. */
#ifndef GH_FETCH_BLOB_H
#define GH_FETCH_BLOB_H

#include "base/base.h"

/** What it is said to be; whether it is, is judged later (fetch/store.h). */
enum fetch_what {
	FETCH_CRL,   /**< a CRL, complete or delta: it says so itself */
	FETCH_CA,    /**< one CA certificate */
	FETCH_CROSS, /**< one cross-certificate, out of its crossCertificatePair */
	FETCH_WHATS
};

struct fetch_blob {
	enum fetch_what what;
	uint8_t *data; /**< owned */
	size_t len;
};

/** All zero is a valid empty list. */
struct fetch_blobs {
	struct fetch_blob *at;
	size_t count;
	size_t octets;     /**< of all */
	size_t max_octets; /**< refuse beyond; 0 = no limit */
	size_t max_count;  /**< likewise */
};

/** Append a copy. @return 0; BASE_PEER where a limit says no; BASE_LOCAL */
int fetch_blobs_add(struct fetch_blobs *blobs, enum fetch_what what, const void *data, size_t len);
/** Free everything; the limits stay. */
void fetch_blobs_done(struct fetch_blobs *blobs);

#endif
