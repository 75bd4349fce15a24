/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Names of controllers looked up without holding up the loop (RFC 3525, 9: "a name or address (such
 * as DNS name or IP address)"). Whatever the system asks is asked: /etc/hosts, DNS.
 */
#ifndef GH_H248_RESOLVE_H
#define GH_H248_RESOLVE_H

#include "h248/addr.h"
#include "loop/loop.h"

struct h248_resolver;

/**
 * The end of a lookup, on the loop.
 * @param found  family, ip, scope; NULL = the name has no address of that family
 */
typedef void h248_resolved_fn(void *arg, uint32_t lookup, const struct h248_addr *found);

/** @return 0, or BASE_LOCAL. */
int h248_resolver_new(struct h248_resolver **ret, struct loop *loop, h248_resolved_fn *fn,
                      void *arg);
/** What is under way is forgotten; nobody waits for it. NULL is fine. */
void h248_resolver_free(struct h248_resolver *resolver);
/**
 * Look a name up; `fn` is called once with `lookup`, never inside this call, unless another lookup
 * replaces this one before.
 * @param family  4, 6, or 0 for any: then the one that the system prefers
 */
void h248_resolver_ask(struct h248_resolver *resolver, uint32_t lookup, const char *name,
                       unsigned family);

#endif
