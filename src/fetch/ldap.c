/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap.h"

int fetch_ldap_get(const struct fetch_ldap_order *order, struct fetch_blobs *ret,
                   struct base_error *err)
{
	(void)ret;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s: LDAP is not built in yet",
	                      order->url);
}
