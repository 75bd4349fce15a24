/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From octets to the cache folder: a CRL is read, its issuer found, its signature verified, its
 * times and numbers held against the clock and against what is there; then it is written, or the
 * last good one stays. One thread; time is the caller's.
 */
#ifndef GH_FETCH_STORE_H
#define GH_FETCH_STORE_H

#include "fetch/blob.h"
#include "fetch/issuers.h"
#include "fetch/withdrawn.h"

struct fetch_store;

/**
 * @param files  `cache` is the folder that is written to; strings are borrowed while it is open
 * @return 0, BASE_CONFIG (a file of the configuration; the folder is not there, cannot be written
 * to or belongs to another gatehouse-fetch that runs), BASE_LOCAL
 */
int fetch_store_open(struct fetch_store **ret, const struct fetch_issuer_files *files,
                     struct base_error *err);
/** NULL is fine. */
void fetch_store_close(struct fetch_store *store);

/** A CRL as it is in the folder now. */
struct fetch_stored {
	char name[TRUST_CACHE_NAME_MAX]; /**< the file's */
	char issuer[128];                /**< RFC 2253 form, shortened */
	int64_t this_update_s, next_update_s;
	size_t entries;
	size_t octets; /**< of the CRL as it came; 0 = not known */
	/** Addresses of a complete CRL's delta (RFC 5280, 5.2.6), a line each; "" = none told. */
	char freshest[2048];
	bool delta;
	bool unchanged; /**< it was there already */
};

/** What a source promises. */
enum fetch_expect { FETCH_ANY, FETCH_ONLY_COMPLETE, FETCH_ONLY_DELTA };

struct fetch_crl_order {
	const void *data; /**< DER, or PEM with one CRL in it */
	size_t len;
	enum fetch_expect expect;
	const char *issuer; /**< file of the only certificate whose key counts; NULL = any issuer */
	int64_t now_s;
};

/**
 * Verify a CRL and write it. It is refused when it is malformed, of no known issuer, wrongly
 * signed, not yet valid, past its nextUpdate or without one (RFC 5280, 5.1.2.5), when its
 * thisUpdate or CRL number is before that of the one in the folder or of one that this process has
 * seen (5.2.3: numbers only grow), or is not what was promised.
 * @return 0; BASE_PEER with the reason; BASE_CONFIG (the issuer's file); BASE_LOCAL (ENOSPC: the
 *         disk is full). Whatever fails, the last good one stays.
 */
int fetch_store_crl(struct fetch_store *store, const struct fetch_crl_order *order,
                    struct fetch_stored *ret, struct base_error *err);

/** A certificate out of a repository: FETCH_CA or FETCH_CROSS, one, DER or PEM. @return likewise */
int fetch_store_cert(struct fetch_store *store, enum fetch_what what, const void *data, size_t len,
                     int64_t now_s, struct base_error *err);

/** A repository was read, whole: fetch_seen_note() (fetch/withdrawn.h). */
int fetch_store_whole(struct fetch_store *store, const void *which, size_t of,
                      const struct fetch_blobs *blobs, struct base_error *err);

/** What is in the folder under that name. @return false where nothing good is */
bool fetch_store_look(const struct fetch_store *store, const char *name, struct fetch_stored *ret);

#endif
