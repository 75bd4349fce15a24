/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Certificate Repositories and CRLs over LDAP (RFC 4511, 4516, 4523). The only user of libldap.
 * Nothing here judges what comes: octets out of attributes, within limits.
 */
#ifndef GH_FETCH_LDAP_H
#define GH_FETCH_LDAP_H

#include "fetch/blob.h"
#include "fetch/url.h"

/** How a directory is spoken to. Immutable, borrowed, read by several threads. */
struct fetch_ldap_settings {
	const char *anchors; /**< PEM file that vouches for the directory; NULL = none: then neither
	                          ldaps nor StartTLS can be used */
	bool start_tls;      /**< RFC 4511, 4.14: required, not tried */
	const char *bind_dn; /**< NULL = anonymous */
	struct base_secret password; /**< of a simple bind; only inside TLS */
	bool unsafe_clear_bind;      /**< the operator wants the password outside TLS */
};

/** Values and referrals that were left out, while others of the same answer were used. */
struct fetch_ldap_left_out {
	size_t count;
	struct base_error first; /**< why, of the first of them */
};

struct fetch_ldap_order {
	const char *url; /**< `at` is where it leads; the allow-list has been asked already */
	const struct fetch_url *at;
	/**
	 * Hosts that a referral (RFC 4511, 4.1.10, 4.5.3) may lead to, with the scheme it has now
	 * and anonymously; NULL = none. A search that is referred elsewhere fails; a part of a
	 * repository that is elsewhere is left out.
	 */
	const struct fetch_allow *allow;
	unsigned referrals;                         /**< followed at most, in all */
	struct fetch_ldap_left_out *left_out;       /**< filled on success; may be NULL */
	const struct fetch_ldap_settings *settings; /**< never NULL */
	/**
	 * false: the URL is that of one CRL (RFC 4516): its attributes (certificateRevocationList
	 * and deltaRevocationList where it names none), its scope (base), its filter.
	 * true: a Certificate Repository: below the URL's DN everything that has cACertificate,
	 * crossCertificatePair, certificateRevocationList, authorityRevocationList,
	 * deltaRevocationList (RFC 4523, 2).
	 */
	bool repository;
	uint64_t connect_ms; /**< until the connection and its TLS stand */
	uint64_t total_ms;   /**< for everything */
	size_t max_octets;   /**< of all values together, refused while they come */
	size_t max_values;
};

/**
 * Once, at the program's start, before its threads and its sandbox: libldap loads what it needs
 * and is told to read neither ldap.conf nor .ldaprc nor the environment (it sets LDAPNOINIT there).
 * @return 0 or BASE_LOCAL
 */
int fetch_ldap_init(struct base_error *err);

/**
 * Ask, and wait: blocks for at most about `total_ms`, so it is called on a thread of its own
 * (loop_call_start); touches no state of the process.
 *
 * @param ret  what came, the caller's to end with fetch_blobs_done() in either case
 * @return 0, also where nothing was found; BASE_PEER with the reason (unreachable, too slow, too
 *         large, refused by the directory); BASE_CONFIG (URL, anchors, password); BASE_LOCAL
 */
int fetch_ldap_get(const struct fetch_ldap_order *order, struct fetch_blobs *ret,
                   struct base_error *err);

#endif
