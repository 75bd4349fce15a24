/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The clock of ticket keys of an edge's TLS domains, and their keys in common with its pool.
 * Private to this folder.
 */
#ifndef GH_EDGE_SHARE_TICKETS_H
#define GH_EDGE_SHARE_TICKETS_H

#include "edge/config.h"

struct edge_share_ticket;

/** In the caller's storage; all zero before the start. The fields are this module's. */
struct edge_share_tickets {
	struct loop *loop;
	struct pool *pool; /**< NULL = none */
	struct edge_share_ticket *shares;
	size_t count;
	struct loop_timer timer;
};

/** For the domains of this configuration, which takes the place of any other. */
void edge_share_tickets_start(struct edge_share_tickets *t, struct loop *loop, struct pool *pool,
                              const struct edge_config *config);
/** Before the pool's end and the domains'. One that was not started is fine. */
void edge_share_tickets_stop(struct edge_share_tickets *t);

#endif
