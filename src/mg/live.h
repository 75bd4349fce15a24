/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What changes under a gateway that runs: the cache folders that gatehouse-fetch writes. Control
 * thread only.
 */
#ifndef GH_MG_LIVE_H
#define GH_MG_LIVE_H

#include "loop/loop.h"
#include "mg/config.h"

struct mg_live_watch;

/** In the caller's storage; all zero before the start. The fields are this module's. */
struct mg_live {
	struct loop *loop;
	struct relay_pool *pool;
	struct link *link;                   /**< NULL = H.248 goes without TLS */
	const struct mg_domain_table *table; /**< the newest */
	struct mg_live_watch *watches;       /**< one for each of its folders */
	size_t watch_count;
	struct loop_timer timer;
	struct relay_trust_counts told; /**< in the log */
	loop_fn *renew;   /**< certificates of a folder have changed: make the domains anew */
	void *arg;        /**< of `renew` */
	unsigned changes; /**< of all folders, when the table was made */
	bool due; /**< a change that sessions are to be held against, for which memory was short */
};

/** Look for changes from now on: when a folder says so, and every ten seconds. */
void mg_live_start(struct mg_live *live, struct loop *loop, struct relay_pool *pool,
                   const struct mg_domain_table *table, loop_fn *renew, void *arg);
/** A reload has put another table in front: sessions are held against it. */
void mg_live_reload(struct mg_live *live, const struct mg_domain_table *table);
/** Look now. `arg` is the struct mg_live. */
void mg_live_look(void *arg);
void mg_live_stop(struct mg_live *live);

#endif
