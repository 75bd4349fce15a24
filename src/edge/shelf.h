/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a shelf of records does, whichever it is. Questions are those of src/pool. */
#ifndef GH_EDGE_SHELF_H
#define GH_EDGE_SHELF_H

#include "edge/store.h"
#include "pool/pool.h"

struct edge_shelf_ops {
	void (*get)(struct edge_shelf *shelf, struct pool_query *query, struct base_str name);
	/** `query` may be NULL. */
	void (*set)(struct edge_shelf *shelf, struct pool_query *query, struct base_str name,
	            struct base_str value, uint64_t life_ms);
	void (*drop)(struct edge_shelf *shelf, struct base_str name);
	bool (*up)(const struct edge_shelf *shelf);
	/** Told whenever it comes or goes; NULL: it is always there. */
	void (*watch)(struct edge_shelf *shelf, struct pool_watch *watch);
	int (*token_key)(struct edge_shelf *shelf, uint64_t epoch, uint8_t ret[32]);
	void (*free)(struct edge_shelf *shelf);
};

/** The first member of each. */
struct edge_shelf {
	const struct edge_shelf_ops *ops;
};

#endif
