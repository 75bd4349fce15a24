/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The clock of ticket keys: turns those of all TLS domains, replaced ones too, whose listeners may
 * still be there. Control thread only.
 */
#ifndef GH_MG_TICKETS_H
#define GH_MG_TICKETS_H

#include "loop/loop.h"
#include "mg/config.h"

/** In the caller's storage; all zero before the start. The fields are this module's. */
struct mg_tickets {
	struct loop *loop;
	const struct mg_domain_table *table; /**< the newest */
	struct loop_timer timer;
};

void mg_tickets_start(struct mg_tickets *t, struct loop *loop, const struct mg_domain_table *table);
/** A reload has put another table in front. */
void mg_tickets_reload(struct mg_tickets *t, const struct mg_domain_table *table);
void mg_tickets_stop(struct mg_tickets *t);

#endif
