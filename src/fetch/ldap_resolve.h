/* SPDX-License-Identifier: Apache-2.0 */
/** @file A host's addresses, with a deadline of ours. */
#ifndef GH_FETCH_LDAP_RESOLVE_H
#define GH_FETCH_LDAP_RESOLVE_H

#include <netdb.h>

#include "fetch/url.h"

/**
 * The system's resolver has deadlines of its own and cannot be stopped, so a thread asks it; who
 * does not want to wait any longer leaves that thread behind, which ends when the resolver does.
 *
 * @param deadline_ms  of fetch_ldap_clock_ms()
 * @param ret          freeaddrinfo()
 * @return 0; BASE_PEER with the reason; BASE_LOCAL
 */
int fetch_ldap_resolve(const struct fetch_url *at, int64_t deadline_ms, struct addrinfo **ret,
                       struct base_error *err);

#endif
