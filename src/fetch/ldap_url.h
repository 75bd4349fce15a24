/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an LDAP URL asks for (RFC 4516), behind its host. Pure. Only what a repository of CRLs and
 * certificates needs: unknown attributes are refused, since certificates of others carry such URLs.
 */
#ifndef GH_FETCH_LDAP_URL_H
#define GH_FETCH_LDAP_URL_H

#include "fetch/url.h"

/** Attributes of RFC 4523, 4, a bit set. */
enum fetch_ldap_attribute {
	FETCH_LDAP_CRL = 1,   /**< certificateRevocationList */
	FETCH_LDAP_ARL = 2,   /**< authorityRevocationList */
	FETCH_LDAP_DELTA = 4, /**< deltaRevocationList */
	FETCH_LDAP_CA = 8,    /**< cACertificate */
	FETCH_LDAP_CROSS = 16 /**< crossCertificatePair */
};
#define FETCH_LDAP_CRLS       (FETCH_LDAP_CRL | FETCH_LDAP_ARL | FETCH_LDAP_DELTA)
#define FETCH_LDAP_ATTRIBUTES 5

enum fetch_ldap_scope { FETCH_LDAP_BASE, FETCH_LDAP_ONE, FETCH_LDAP_SUB };

/** Decoded, and defaults put in; bounded by FETCH_URL_MAX. */
struct fetch_ldap_url {
	char dn[FETCH_URL_MAX + 1];     /**< "" is possible */
	bool has_dn;                    /**< it was written (RFC 4511, 4.1.10 asks for this) */
	unsigned attributes;            /**< 0 = none were named */
	bool has_scope;                 /**< it was written */
	enum fetch_ldap_scope scope;    /**< FETCH_LDAP_BASE where none was */
	char filter[FETCH_URL_MAX + 1]; /**< "" = none was written: (objectClass=*) */
};

/**
 * Read an ldap or ldaps URL. Refused: what fetch_url_parse() refuses, bad percent-encoding, an
 * octet 0 in it, attributes that are not those above, an extension marked critical (RFC 4516, 2).
 * @return 0, or BASE_PEER with the reason
 */
int fetch_ldap_url_parse(struct base_str text, struct fetch_ldap_url *ret, struct base_error *err);

/** "certificateRevocationList" of one bit. Pure. */
const char *fetch_ldap_attribute_name(enum fetch_ldap_attribute attribute);
/**
 * The bit of an attribute description, whatever its case, without options or with "binary" alone
 * (RFC 4522); 0 for any other. Pure.
 */
unsigned fetch_ldap_attribute_of(struct base_str description);

#endif
