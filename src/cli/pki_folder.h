/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The folder of a certification authority:
 *
 *   ca.key      its private key, PEM, readable by the owner alone; or
 *   ca.uri      the PKCS#11 URI of its private key, which is in a token
 *   ca.pem      its certificate
 *   index.txt   every certificate it ever issued, and which are revoked
 *   crl-number  number of the last CRL
 *   ca.crl      the last complete CRL
 *   delta.crl   the last delta CRL, if any was made (pki_delta.h)
 *   delta-urls  where the delta CRL is published, if that was told
 *   certs/      every certificate, by its serial number
 *   lock        held while one process writes
 *
 * Invariants, on which a crash between any two steps rests:
 * 1. A file is replaced as a whole: written under another name, synced, renamed, folder synced.
 * 2. A certificate is in the index before it exists anywhere else, so that each can be revoked. An
 *    entry without a certificate is one whose making was interrupted: it harms nobody.
 * 3. A CRL's number is counted up before the CRL is written, so that no two have the same one.
 */
#ifndef GH_CLI_PKI_FOLDER_H
#define GH_CLI_PKI_FOLDER_H

#include "cli/pki.h"
#include "x509/x509.h"

/** An issued certificate. */
struct pki_row {
	char serial[X509_SERIAL_TEXT]; /**< 40 upper-case hex digits */
	char kind[16];                 /**< "server", "client", "cross" */
	char subject[256];
	int64_t until_s;
	bool revoked;
	int64_t revoked_s;
	int reason;
};

/** An open authority: nobody else writes to its folder meanwhile. All zero is a closed one. */
struct pki_ca {
	char *dir;
	int lock; /**< descriptor + 1 */
	struct x509_identity *id;
	struct pki_row *row;
	size_t count, cap;
};

/** Open the authority `name` of the operator's folder `dir`. @return 0; BASE_CONFIG, BASE_LOCAL. */
int pki_ca_open(struct pki_ca *ca, const char *dir, const char *name, struct base_error *err);
/** Its index alone: no key, no lock, nothing may be written. @return as pki_ca_open() */
int pki_ca_index(struct pki_ca *ca, const char *dir, const char *name, struct base_error *err);
/** All zero is fine. */
void pki_ca_close(struct pki_ca *ca);

/** What an authority does: number the certificate, note it in the index, sign and keep it.
 * `what` has all but issuer, its key, the serial and, where it is NULL, `crl_urls`: those of the
 * authority's own certificate. A validity beyond the authority's own is shortened to it.
 * @return 0, the certificate is the caller's */
int pki_ca_sign(struct pki_ca *ca, struct x509_make *what, const char *kind, const char *subject,
                X509 **ret, struct base_error *err);
/** By its serial number in hex; NULL = never issued. Borrowed until the next one is signed. */
struct pki_row *pki_ca_find(struct pki_ca *ca, const char *serial);
/** Write the index. */
int pki_ca_save(const struct pki_ca *ca, struct base_error *err);
/** Make the next CRL, valid from now for that long, and write it to the folder; *ret_number is its
 * number. */
int pki_ca_crl(struct pki_ca *ca, int64_t valid_s, uint64_t *ret_number, struct base_error *err);
/** Count the number of CRLs up, on disk first (invariant 3). */
int pki_ca_number_next(const struct pki_ca *ca, uint64_t *ret, struct base_error *err);
/** Write a CRL to the folder under that name. */
int pki_ca_crl_write(const struct pki_ca *ca, const char *name, const X509_CRL *crl,
                     struct base_error *err);

/** `dir/name`, owned by the caller; NULL when memory is short. */
char *pki_join(const char *dir, const char *name);
/**
 * Replace a file as a whole (invariant 1); `mode` are its permissions.
 * @return 0, or BASE_CONFIG with file and reason
 */
int pki_file_write(const char *path, const void *data, size_t len, unsigned mode,
                   struct base_error *err);
/** Sync a folder, so that what was renamed in it stays so. */
int pki_dir_sync(const char *dir, struct base_error *err);
/** Write a certificate as PEM, readable by all; a key, readable by the owner alone. */
int pki_cert_write(const char *path, const X509 *cert, struct base_error *err);
int pki_key_write(const char *path, const EVP_PKEY *key, struct base_error *err);

/** Fill a new authority's folder: certificate, key (its URI, when that is not NULL), an empty
 * index, CRL number 0. */
int pki_folder_fill(const char *dir, const X509 *cert, const EVP_PKEY *key, const char *uri,
                    struct base_error *err);
/** Remove a half-made folder with all in it. */
void pki_tree_remove(const char *dir);
/** The kind of key that a word names; complains and returns false for another. */
bool pki_key_kind(const char *name, enum x509_key_kind *ret);
/** Is this the name of an authority, with `old` also of one that was rolled over ("tls-server.1")?
 * Complains when not. */
bool pki_ca_name_ok(const char *name, bool old);

#endif
