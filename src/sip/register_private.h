/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a registrar's answer says; shared by register.c and access.c. */
#ifndef GH_SIP_REGISTER_PRIVATE_H
#define GH_SIP_REGISTER_PRIVATE_H

#include "sip/register.h"
#include "sip/ua_private.h"

/* Service-Route (RFC 3608), copied. */
struct sip_service_routes {
	struct base_arena arena;
	struct base_str *uri;
	size_t count;
};
void sip_routes_take(struct sip_service_routes *routes, const struct sip_message *msg);

/*
 * Seconds that it holds: of the contact with this +sip.instance; where there is none the shortest
 * of all there are, for other contacts of ours end, too. `asked` where nothing is said.
 */
uint32_t sip_granted(const struct sip_message *msg, uint32_t asked, const char *instance);
/* When to refresh it, as TS 24.229 has it (R): 600 s before its end, or at half of a short one. */
uint64_t sip_refresh_s(uint32_t expires_s);
/* Of an answer, or NULL; 0 = it says none. */
uint64_t sip_retry_after(const struct sip_message *msg, uint64_t max_s);
/* What a 423 asks for, if that is more; 0 (RFC 3261, 10.3, step 7). */
uint32_t sip_min_expires(const struct sip_message *msg, uint32_t asked);

#endif
