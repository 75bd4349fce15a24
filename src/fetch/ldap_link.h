/* SPDX-License-Identifier: Apache-2.0 */
/** @file A session with a directory: connection, TLS, bind, and the wait for answers. */
#ifndef GH_FETCH_LDAP_LINK_H
#define GH_FETCH_LDAP_LINK_H

#include <ldap.h>

#include "fetch/ldap.h"
#include "fetch/ldap_io.h"

struct fetch_ldap_link {
	LDAP *ld;
	struct fetch_ldap_io io;
	char where[300]; /**< "ldap://host:port" */
};

struct fetch_ldap_bounds {
	uint64_t connect_ms;
	int64_t deadline_ms; /**< of all, by fetch_ldap_clock_ms() */
	size_t max_octets;   /**< that may come; a message that announces more is not begun */
};

/**
 * Connect, bring TLS up where `at` or the settings want it, bind where they name somebody.
 * @return 0; BASE_PEER; BASE_CONFIG; BASE_LOCAL; close it in any case
 */
int fetch_ldap_link_open(struct fetch_ldap_link *link, const struct fetch_url *at,
                         const struct fetch_ldap_settings *settings,
                         const struct fetch_ldap_bounds *bounds, struct base_error *err);
/** All zero is fine. */
void fetch_ldap_link_close(struct fetch_ldap_link *link);

/**
 * The next message that answers `id`, which the caller frees.
 * @return its type (LDAP_RES_...), or BASE_PEER
 */
int fetch_ldap_link_next(struct fetch_ldap_link *link, int id, LDAPMessage **ret,
                         struct base_error *err);
/**
 * Wait for the one answer of an operation that has no other.
 * @return 0; BASE_PEER with what the directory says; *ret_code is its result code in either case,
 *         -1 where there was none
 */
int fetch_ldap_link_answer(struct fetch_ldap_link *link, int id, const char *doing, int *ret_code,
                           struct base_error *err);
/** Tell why an operation failed, by a result code or else by how the connection ended. */
int fetch_ldap_link_fail(struct fetch_ldap_link *link, int code, const char *doing,
                         const char *diagnostic, struct base_error *err);

#endif
