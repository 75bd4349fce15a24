/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * MSRP URIs (RFC 4975, 6 and 9) and paths of them.
 */
#ifndef GH_MSRP_URI_H
#define GH_MSRP_URI_H

#include "base/base.h"

/** The parts of a URI, borrowed from its text. What a URI does not have is empty. */
struct msrp_uri {
	bool secure;             /**< msrps */
	struct base_str user;    /**< without the "@"; plays no part in comparisons */
	struct base_str host;    /**< an IPv6 address in its brackets */
	bool has_port;           /**< the recommended port 2855 is no default (6) */
	uint16_t port;           /**< 0 when has_port is false */
	struct base_str session; /**< without the first "/" */
	struct base_str transport;
	struct base_str params; /**< what follows the transport, from its ";" on */
};

/** Read all of `text`. @return 0, or BASE_PEER with detail 400 when it is no MSRP URI. */
int msrp_uri_parse(struct base_str text, struct msrp_uri *ret);

/** The rules of RFC 4975, 6.1. */
bool msrp_uri_equal(const struct msrp_uri *a, const struct msrp_uri *b);
/** As msrp_uri_equal, of texts; what is no URI equals nothing. */
bool msrp_uri_same(struct base_str a, struct base_str b);

/** The next URI of a path ("URI *(SP URI)"), taken off `path`; empty at its end. */
struct base_str msrp_path_next(struct base_str *path);
/** How many URIs a path has. @return 0 when one of them is none. */
size_t msrp_path_count(struct base_str path);

#endif
