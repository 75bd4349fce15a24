/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A TCP connection under libldap, with a deadline for everything and a limit of octets: libldap
 * itself has neither for a TLS handshake. Above TLS another layer watches where messages begin. One
 * thread.
 */
#ifndef GH_FETCH_LDAP_IO_H
#define GH_FETCH_LDAP_IO_H

#include <lber.h>

#include "fetch/ldap_frame.h"
#include "fetch/url.h"

struct fetch_ldap_io {
	int fd;
	int64_t deadline_ms; /**< of fetch_ldap_clock_ms() */
	size_t left;         /**< octets that may still come */
	const char *why;     /**< what ended it: constant text, NULL = nothing here did */
	struct fetch_ldap_frame frame;
};

/** Milliseconds of a clock that only goes forward. */
int64_t fetch_ldap_clock_ms(void);

/**
 * Connect to any address of the host. `deadline_ms` and `left` are set by the caller.
 * @return 0; BASE_PEER with the reason; BASE_LOCAL
 */
int fetch_ldap_io_connect(struct fetch_ldap_io *io, const struct fetch_url *at,
                          struct base_error *err);
/** All zero or fd -1 is fine. */
void fetch_ldap_io_done(struct fetch_ldap_io *io);
/** Until there is something to read. @return false when time is up */
bool fetch_ldap_io_wait(struct fetch_ldap_io *io);
/** Put the connection under a libldap session, and the watch above it. @return 0 or -1 */
int fetch_ldap_io_attach(struct fetch_ldap_io *io, Sockbuf *sb);

#endif
