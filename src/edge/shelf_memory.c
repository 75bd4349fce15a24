/* SPDX-License-Identifier: Apache-2.0 */
/** @file A shelf in memory: of the one edge that is no pool, or of some in one process. */
#include <stdlib.h>

#include "edge/shelf.h"

struct memory_record {
	struct base_map_node node;
	uint64_t until_ms;
	size_t name_len, len;
	char octets[]; /**< name, then value */
};

struct memory {
	struct edge_shelf shelf;
	struct loop *loop;
	struct base_map map;
	uint8_t key[32];
};

static struct memory *memory_of(struct edge_shelf *shelf)
{
	return BASE_CONTAINER_OF(shelf, struct memory, shelf);
}

static struct memory_record *record_of(struct base_map_node *node)
{
	return BASE_CONTAINER_OF(node, struct memory_record, node);
}

static void tell(struct pool_query *query, enum pool_said said, struct base_str value)
{
	if (query)
		query->fn(query->arg, said, value);
}

static void memory_drop(struct edge_shelf *shelf, struct base_str name)
{
	struct memory *m = memory_of(shelf);
	struct base_map_node *node = base_map_find(&m->map, name);

	if (!node)
		return;
	base_map_remove(&m->map, node);
	free(record_of(node));
}

static void memory_get(struct edge_shelf *shelf, struct pool_query *query, struct base_str name)
{
	struct memory *m = memory_of(shelf);
	struct base_map_node *node = base_map_find(&m->map, name);
	struct memory_record *record = node ? record_of(node) : NULL;

	if (record && record->until_ms <= loop_now_ms(m->loop)) {
		memory_drop(shelf, name);
		record = NULL;
	}
	if (record)
		tell(query, POOL_SAID_DONE,
		     (struct base_str){ record->octets + record->name_len, record->len });
	else
		tell(query, POOL_SAID_NONE, (struct base_str){ NULL, 0 });
}

static void memory_set(struct edge_shelf *shelf, struct pool_query *query, struct base_str name,
                       struct base_str value, uint64_t life_ms)
{
	struct memory *m = memory_of(shelf);
	struct memory_record *record = malloc(sizeof(*record) + name.len + value.len);
	bool ok = record != NULL;

	if (ok) {
		record->until_ms = loop_now_ms(m->loop) + life_ms;
		record->name_len = name.len;
		record->len = value.len;
		memcpy(record->octets, name.ptr, name.len);
		if (value.len)
			memcpy(record->octets + name.len, value.ptr, value.len);
		memory_drop(shelf, name);
		ok = base_map_insert(&m->map, (struct base_str){ record->octets, name.len },
		                     &record->node) == 0;
		if (!ok)
			free(record);
	}
	tell(query, ok ? POOL_SAID_DONE : POOL_SAID_NOTHING, (struct base_str){ NULL, 0 });
}

static bool memory_up(const struct edge_shelf *shelf)
{
	(void)shelf;
	return true;
}

static int memory_token_key(struct edge_shelf *shelf, uint64_t epoch, uint8_t ret[32])
{
	struct memory *m = memory_of(shelf);

	(void)epoch;
	memcpy(ret, m->key, sizeof(m->key));
	return 0;
}

static void memory_free(struct edge_shelf *shelf)
{
	struct memory *m = memory_of(shelf);
	struct base_map_node *node;

	while ((node = base_map_next(&m->map, NULL))) {
		base_map_remove(&m->map, node);
		free(record_of(node));
	}
	base_map_done(&m->map);
	base_wipe(m->key, sizeof(m->key));
	free(m);
}

int edge_shelf_memory(struct edge_shelf **ret, struct loop *loop)
{
	static const struct edge_shelf_ops ops = {
		.get = memory_get,
		.set = memory_set,
		.drop = memory_drop,
		.up = memory_up,
		.token_key = memory_token_key,
		.free = memory_free,
	};
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return BASE_ERR(BASE_LOCAL, 0);
	m->shelf.ops = &ops;
	m->loop = loop;
	if (base_random(m->key, sizeof(m->key))) {
		free(m);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	*ret = &m->shelf;
	return 0;
}

void edge_shelf_free(struct edge_shelf *shelf)
{
	if (shelf)
		shelf->ops->free(shelf);
}

bool edge_shelf_up(const struct edge_shelf *shelf)
{
	return shelf->ops->up(shelf);
}
