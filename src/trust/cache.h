/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The cache folder: CRL indexes (x509/crl_index.h), cross-certificates and CA certificates that
 * gatehouse-fetch verified and wrote, and all others map. A file is replaced by a rename and never
 * written to, so what a reader has mapped stays as it is. Layout: docs/crl-index.md.
 */
#ifndef GH_TRUST_CACHE_H
#define GH_TRUST_CACHE_H

#include "base/base.h"
#include "x509/x509.h"

/** The folder as one process sees it. One thread refreshes; any thread takes views. */
struct trust_cache;
/** What was in the folder at one time: immutable, reference counted, read by any thread. */
struct trust_cache_view;

/**
 * Hears, once for each file and fault, that a file is bad and what stays in use; called within
 * trust_cache_refresh() and trust_cache_open().
 */
typedef void trust_cache_told_fn(void *arg, const struct base_error *err);

/**
 * Open a folder and read it. Bad files in it are told and left out.
 * @param told  may be NULL
 * @return 0; BASE_CONFIG with the reason where the folder cannot be read; BASE_LOCAL
 */
int trust_cache_open(struct trust_cache **ret, const char *folder, trust_cache_told_fn *told,
                     void *arg, struct base_error *err);
/** One more holder: stores of several domains, and of several generations, share one. */
struct trust_cache *trust_cache_ref(struct trust_cache *cache);
/** A holder less; the last one closes it. NULL is fine. Views that were taken live on. */
void trust_cache_close(struct trust_cache *cache);
/** Could the last refresh read the folder? Else the view is what it was before. */
bool trust_cache_readable(const struct trust_cache *cache);
/**
 * How often the folders of certificates (`cross/`, `ca/`) were found changed, by opening or a
 * refresh: a store that read them at another count is to be loaded anew.
 */
unsigned trust_cache_certs_changes(const struct trust_cache *cache);
/** The folder, as it was given. Borrowed. */
const char *trust_cache_folder(const struct trust_cache *cache);

/**
 * A descriptor that is readable when the folder may have changed (inotify); -1 where there is none:
 * then refresh by a timer. Borrowed. Refresh by a slow timer (10 s) in either case: files that are
 * written to in place, which nobody should, are found by that alone.
 */
int trust_cache_fd(const struct trust_cache *cache);

/**
 * Look for changes. A new file that is bad is told and the last good one stays, unless that was
 * itself written to. A file that is gone is gone from the next view. A folder that cannot be read
 * changes nothing and is told.
 * @return 1 when there is a new view, 0 when nothing changed, BASE_LOCAL
 */
int trust_cache_refresh(struct trust_cache *cache);

/** The latest view, referenced: unref it when the decision is made. Any thread, never NULL. */
struct trust_cache_view *trust_cache_view_get(struct trust_cache *cache);
/** NULL is fine. */
void trust_cache_view_unref(struct trust_cache_view *view);
/** Number of indexes, and each; borrowed from the view. */
size_t trust_cache_view_count(const struct trust_cache_view *view);
struct x509_crl_index *trust_cache_view_at(const struct trust_cache_view *view, size_t i);

/** A complete CRL and the delta that brings it up to date; both borrowed from the view. */
struct trust_cache_pair {
	struct x509_crl_index *complete; /**< NULL = none */
	struct x509_crl_index *delta;    /**< fits `complete` (RFC 5280, 5.2.4); NULL = none */
};

/**
 * The CRL of an issuer and scope.
 * @param issuer  Name of the CRL's issuer, DER
 * @param scope   issuingDistributionPoint of the complete CRL, DER of the value; empty = a CRL
 * without one
 * @param signer  SHA-256 of the key that must have signed both; NULL = any, of several the one
 *                with the latest thisUpdate
 * @return false when there is no complete CRL in use for it; one that x509_crl_index_intact()
 *         denies is not in use
 */
bool trust_cache_view_find(const struct trust_cache_view *view, struct base_str issuer,
                           struct base_str scope, const uint8_t *signer,
                           struct trust_cache_pair *ret);
/**
 * Walk all complete CRLs of an issuer, whatever their scope, each with its delta. `*at` is 0 at
 * first. @return false at the end
 */
bool trust_cache_view_next(const struct trust_cache_view *view, struct base_str issuer, size_t *at,
                           struct trust_cache_pair *ret);

/**
 * Is a certificate revoked by a pair? RFC 5280, 6.3.3 (i) and (j): the delta is asked first. The
 * pair must apply to it (scope, times, signer), which is the caller's to judge.
 * @return X509_CRL_REMOVED never
 */
enum x509_crl_status trust_cache_pair_find(const struct trust_cache_pair *pair, const X509 *cert,
                                           struct x509_crl_entry *ret);
/** The same of an issuer (Name, DER) and content octets of a serial number. */
enum x509_crl_status trust_cache_pair_find_serial(const struct trust_cache_pair *pair,
                                                  struct base_str issuer, struct base_str serial,
                                                  struct x509_crl_entry *ret);

/* What gatehouse-fetch uses: nobody else writes. */

/** Room for a file's name, terminated. */
#define TRUST_CACHE_NAME_MAX 80
/** The file name of an index: by issuer, scope, signer and whether it is a delta. Pure. */
int trust_cache_name(const struct x509_crl_index *index, char ret[TRUST_CACHE_NAME_MAX]);

/**
 * Put an index into a folder, atomically: readers see the old file or the new one. What is
 * there already stays when it is good and newer (by thisUpdate, then by CRL number), and when it is
 * the same.
 * @return 0; BASE_PEER when it is older than what is there, or not verified; BASE_LOCAL with errno
 *         as detail (a full disk: ENOSPC) and the old file as it was
 */
int trust_cache_write(const char *folder, const struct x509_crl_index *index,
                      struct base_error *err);

/** Certificates of the folder, by the subfolder they are in. */
enum trust_cache_kind {
	TRUST_CACHE_CROSS, /**< `cross/`: cross-certificates of the own Interconnection CA */
	TRUST_CACHE_CA,    /**< `ca/`: CA certificates */
};
/** Put one DER certificate into the folder, named by its SHA-256. Returns as trust_cache_write. */
int trust_cache_write_cert(const char *folder, enum trust_cache_kind kind, const X509 *cert,
                           struct base_error *err);
/**
 * Append all certificates of a kind. A bad file is told and left out.
 * @return 0 (also when there is no such folder) or BASE_LOCAL
 */
int trust_cache_certs(const char *folder, enum trust_cache_kind kind, STACK_OF(X509) * into,
                      trust_cache_told_fn *told, void *arg);
/** The file name of a certificate with that DER. @return 0 or BASE_LOCAL */
int trust_cache_cert_name(struct base_str der, char ret[TRUST_CACHE_NAME_MAX]);
/**
 * Remove the certificates of a kind that `keep` denies, one after the other.
 * @param keep  gets the file's name; what is not named as trust_cache_cert_name() does is left
 * alone
 * @return 0, also when there is no such folder; BASE_LOCAL with errno as detail, the others removed
 */
int trust_cache_certs_drop(const char *folder, enum trust_cache_kind kind,
                           bool (*keep)(void *arg, const char *name), void *arg,
                           struct base_error *err);
/** Remove what a writer that was killed left behind. Only the one writer calls it, at its start. */
void trust_cache_tidy(const char *folder);

#endif
