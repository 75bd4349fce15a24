/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the files of this folder only. */
#ifndef GH_LINK_PRIVATE_H
#define GH_LINK_PRIVATE_H

#include "link/link.h"

/** A domain while connections use it. */
struct link_slot {
	size_t users; /**< connections, and the link whose current one it is */
	struct tls_domain *domain;
	struct tls_context *context;
};
void link_slot_unref(struct link_slot *slot);

struct link {
	struct link_spec spec;
	struct link_slot *slot;         /**< for connections to come */
	struct base_node conns;         /**< all there are */
	struct profile_store *profiles; /**< ours, when the domain came from files */
};

/* filter.c: hold the connections against it. */
void link_conns_judge(struct link *link, struct trust_sweep *sweep);

#endif
