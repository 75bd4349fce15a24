/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An LDAP URL out of somebody's certificate. What is taken is no longer than it came, names known
 * attributes only, and leads where the parser of hosts says.
 */
#include <stdlib.h>
#include <string.h>

#include "fetch/ldap_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_str text = { (const char *)data, size };
	struct fetch_ldap_url url;
	struct base_error err = { 0 };
	struct fetch_url at;

	if (fetch_ldap_url_parse(text, &url, &err))
		return 0;
	if (fetch_url_parse(text, &at, &err) ||
	    (at.scheme != FETCH_LDAP && at.scheme != FETCH_LDAPS))
		abort();
	if (strlen(url.dn) + strlen(url.filter) > size || url.attributes >= FETCH_LDAP_CROSS * 2 ||
	    url.scope > FETCH_LDAP_SUB || url.has_dn != (*url.dn != '\0'))
		abort();
	return 0;
}
