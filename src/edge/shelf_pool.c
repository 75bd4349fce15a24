/* SPDX-License-Identifier: Apache-2.0 */
/** @file A shelf in Redis: the records of src/pool. */
#include <stdlib.h>

#include "edge/shelf.h"

struct pooled {
	struct edge_shelf shelf;
	struct pool *pool;
};

static struct pool *pool_of(const struct edge_shelf *shelf)
{
	return BASE_CONTAINER_OF(shelf, const struct pooled, shelf)->pool;
}

static void pooled_get(struct edge_shelf *shelf, struct pool_query *query, struct base_str name)
{
	pool_record_get(pool_of(shelf), query, name);
}

static void pooled_set(struct edge_shelf *shelf, struct pool_query *query, struct base_str name,
                       struct base_str value, uint64_t life_ms)
{
	pool_record_set(pool_of(shelf), query, name, value, life_ms);
}

static void pooled_drop(struct edge_shelf *shelf, struct base_str name)
{
	pool_record_drop(pool_of(shelf), name);
}

static bool pooled_up(const struct edge_shelf *shelf)
{
	return pool_connected(pool_of(shelf));
}

static void pooled_watch(struct edge_shelf *shelf, struct pool_watch *watch)
{
	pool_watch_start(pool_of(shelf), watch);
}

static int pooled_token_key(struct edge_shelf *shelf, uint64_t epoch, uint8_t ret[32])
{
	return pool_derive(pool_of(shelf), "edge flow token", epoch, ret);
}

static void pooled_free(struct edge_shelf *shelf)
{
	free(BASE_CONTAINER_OF(shelf, struct pooled, shelf));
}

int edge_shelf_pool(struct edge_shelf **ret, struct pool *pool)
{
	static const struct edge_shelf_ops ops = {
		.get = pooled_get,
		.set = pooled_set,
		.drop = pooled_drop,
		.up = pooled_up,
		.watch = pooled_watch,
		.token_key = pooled_token_key,
		.free = pooled_free,
	};
	struct pooled *p = calloc(1, sizeof(*p));

	if (!p)
		return BASE_ERR(BASE_LOCAL, 0);
	p->shelf.ops = &ops;
	p->pool = pool;
	*ret = &p->shelf;
	return 0;
}
