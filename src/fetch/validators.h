/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a server says to tell one version of a resource from another (RFC 9110, 8.8), to be given
 * back to it as a condition (13.1). Pure.
 */
#ifndef GH_FETCH_VALIDATORS_H
#define GH_FETCH_VALIDATORS_H

#include "base/base.h"

/** All zero: there are none. */
struct fetch_validators {
	char etag[136];    /**< entity-tag, weak or strong, with its quotes; "" = none */
	char modified[40]; /**< Last-Modified as it came; "" = none */
	char date[40];     /**< Date of the response; "" = none */
	unsigned seen;     /**< fields that were there, a bit each */
};

/**
 * Note what a line of the response's header tells; any octets are safe. A status line begins anew;
 * what is malformed, too long or there twice counts as none.
 */
void fetch_validators_line(struct fetch_validators *v, struct base_str line);

/** A version of the very second of its response may have a sister: RFC 9110, 8.8.2.2. */
static inline bool fetch_validators_any(const struct fetch_validators *v)
{
	if (v->modified[0] && !strcmp(v->modified, v->date))
		return false;
	return v->etag[0] || v->modified[0];
}

#endif
