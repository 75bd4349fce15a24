/* SPDX-License-Identifier: Apache-2.0 */
/** @file c-ares on our loop: the descriptors and the time of one channel; private to this folder.
 */
#ifndef GH_FLOW_DNS_H
#define GH_FLOW_DNS_H

#include <ares.h>

#include "flow/resolve.h"

struct dns;

int dns_new(struct dns **ret, struct loop *loop, const struct flow_resolver_config *config,
            struct base_error *err);
/** Callbacks of queries under way are called with ARES_EDESTRUCTION. NULL is fine. */
void dns_free(struct dns *dns);
/** Its queries; callbacks come from the loop or from inside. Call dns_asked afterwards. */
ares_channel dns_channel(const struct dns *dns);
/** A query has been begun: look at its time. */
void dns_asked(struct dns *dns);

#endif
