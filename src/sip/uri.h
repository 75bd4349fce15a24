/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * URIs (RFC 3261, 19.1 and 25.1; RFC 3966 for tel): taken apart, compared, made the key of a
 * subscriber. Parts are borrowed from the text. All pure.
 */
#ifndef GH_SIP_URI_H
#define GH_SIP_URI_H

#include "base/base.h"

enum sip_scheme { SIP_SCHEME_OTHER = 0, SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL };

/** Octets that sip_uri_key writes at most. */
#define SIP_URI_KEY_MAX     512
#define SIP_URI_PARAMS_MAX  32  /**< of one URI; more are refused */
#define SIP_URI_HEADERS_MAX 32  /**< likewise: comparing takes each with each */
#define SIP_URI_TEL_MAX     128 /**< octets of a number; longer ones are refused */

struct sip_uri {
	enum sip_scheme scheme;
	struct base_str name;     /**< the scheme as spelled */
	struct base_str text;     /**< all of it */
	struct base_str user;     /**< escapes as they stand; ptr NULL = no `@`. tel: the number */
	struct base_str password; /**< ptr NULL = none */
	struct base_str host;     /**< an IPv6 address with its brackets */
	uint16_t port;            /**< 0 = none */
	struct base_str params;   /**< from the first `;`, for sip_uri_param */
	struct base_str headers;  /**< after the `?`; ptr NULL = none */
};

/**
 * Take a URI apart. Of other schemes than sip, sips and tel only `name` and `text` are filled.
 * @return 0, or BASE_PEER when it is none: a character that may not be there, a bad `%` or port,
 *         a parameter twice
 */
int sip_uri_parse(struct base_str text, struct sip_uri *ret);
/** Is there a URI parameter of this name? `ret` (may be NULL) is its value, ptr NULL if it has
 * none. */
bool sip_uri_param(const struct sip_uri *uri, const char *name, struct base_str *ret);
/** Equal by the rules of RFC 3261, 19.1.4, and RFC 3966, 4; other schemes octet by octet (scheme
 * without case). */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);
/**
 * The address of record that a sip or sips URI names, for looking it up: user with unneeded escapes
 * resolved, `@`, host in lower case, `:port` if it has one; no scheme, parameters or headers
 * (RFC 3261, 10.3, step 5). A tel URI: `+` and digits, no visual separators.
 * @return its length, 0 when it names nobody or does not fit `cap`
 */
size_t sip_uri_key(const struct sip_uri *uri, char *out, size_t cap);

/** Is it a host (RFC 3261, 25.1): name, IPv4 address, or IPv6 address in brackets? */
bool sip_host_ok(struct base_str host);

#endif
