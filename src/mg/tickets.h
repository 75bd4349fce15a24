/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The clock of ticket keys: turns those of all TLS domains, replaced ones too, whose listeners may
 * still be there; and those of the newest table it has in common with the gateways of its pool.
 * Control thread only.
 */
#ifndef GH_MG_TICKETS_H
#define GH_MG_TICKETS_H

#include "loop/loop.h"
#include "mg/config.h"

struct mg_ticket_share;

/** In the caller's storage; all zero before the start. The fields are this module's. */
struct mg_tickets {
	struct loop *loop;
	const struct mg_domain_table *table; /**< the newest */
	struct loop_timer timer;
	struct pool *pool; /**< NULL = none */
	struct mg_ticket_share *shares;
	size_t share_count;
};

/** `pool`: as configured. @return 0; BASE_LOCAL with words */
int mg_tickets_start(struct mg_tickets *t, struct loop *loop, const struct mg_domain_table *table,
                     const struct pool_spec *pool, struct base_error *err);
/** A reload has put another table in front. */
void mg_tickets_reload(struct mg_tickets *t, const struct mg_domain_table *table);
void mg_tickets_stop(struct mg_tickets *t);

#endif
