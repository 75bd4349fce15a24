/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where a URL leads, and whether we go there. Pure. The grammar is so narrow that no two parsers
 * could read it differently: `scheme://host[:port]`, then nothing, or `/` or `?` and visible ASCII.
 * No user names, no fragments, no backslashes.
 */
#ifndef GH_FETCH_URL_H
#define GH_FETCH_URL_H

#include "base/base.h"

/** Octets of a URL, without its end. */
#define FETCH_URL_MAX 1023

enum fetch_scheme {
	FETCH_HTTP,
	FETCH_HTTPS,
	FETCH_LDAP,
	FETCH_LDAPS,
	FETCH_SCHEMES,
};

struct fetch_url {
	enum fetch_scheme scheme;
	char host[256]; /**< lower case, an IPv6 address without its brackets */
	bool v6;        /**< it stood in brackets */
	uint16_t port;  /**< the scheme's own where none is written */
};

/** "http". Pure. */
const char *fetch_scheme_name(enum fetch_scheme scheme);
/** 80, 443, 389, 636. Pure. */
uint16_t fetch_scheme_port(enum fetch_scheme scheme);

/** @return 0, or BASE_PEER with the reason */
int fetch_url_parse(struct base_str text, struct fetch_url *ret, struct base_error *err);

/** Hosts that may be asked, by configuration. */
struct fetch_allow {
	/**
	 * "crl.example", "*.crl.example" (all names below it), "192.0.2.1", "[2001:db8::1]", each
	 * with ":port" or ":*" (any); without one the scheme's own port is meant.
	 */
	const char **hosts;
	size_t host_count;
	unsigned schemes; /**< bits 1 << enum fetch_scheme */
};

/** Is an entry well formed? @return 0 or BASE_CONFIG with the reason */
int fetch_allow_check(const char *entry, struct base_error *err);
/** @return 0, or BASE_CONFIG naming the host that is not allowed, and the remedy */
int fetch_allow_url(const struct fetch_allow *allow, const struct fetch_url *url,
                    struct base_error *err);
/**
 * May a response at `from` send us to `to`? Both have to be allowed; http may become https, nothing
 * else changes its scheme.
 */
int fetch_allow_redirect(const struct fetch_allow *allow, const struct fetch_url *from,
                         const struct fetch_url *to, struct base_error *err);

#endif
