/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Records of a pool. A record's place is a keyed hash of its name, so that who reads Redis learns
 * no identities; its value is sealed with the time until which it counts, so that who writes there
 * cannot bring back what is over.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pool/private.h"

#define PLACE_MAX (sizeof("gatehouse::record:") + POOL_NAME_MAX + 64)
#define LATE_MS   30000U /**< for clocks that differ */

struct pool_question {
	struct pool *pool;
	struct pool_query *query; /**< NULL: nobody waits */
	char place[PLACE_MAX];
};

static void query_end(struct pool_query *query, enum pool_said said, struct base_str value)
{
	query->question = NULL;
	query->fn(query->arg, said, value);
}

static void query_fails(struct pool_query *query)
{
	if (query)
		query_end(query, POOL_SAID_NOTHING, (struct base_str){ NULL, 0 });
}

static int place_of(const struct pool *pool, struct base_str name, char ret[PLACE_MAX])
{
	uint8_t hash[32];
	int rc = pool_key_of(pool->root, "place", name, hash);
	int n = snprintf(ret, PLACE_MAX, "gatehouse:%s:record:", pool->name);

	base_hex_encode(hash, sizeof(hash), 0, false, ret + n);
	return rc;
}

/** @return NULL where nothing is asked; `query` has been told */
static struct pool_question *question_new(struct pool *pool, struct pool_query *query,
                                          struct base_str name)
{
	struct pool_question *q = NULL;

	if (query)
		query->question = NULL;
	if (pool->link.up && pool->link.open < POOL_QUERIES)
		q = calloc(1, sizeof(*q));
	if (!q || place_of(pool, name, q->place)) {
		free(q);
		query_fails(query);
		return NULL;
	}
	q->pool = pool;
	q->query = query;
	if (query)
		query->question = q;
	return q;
}

static void question_end(struct pool_question *q, enum pool_said said, struct base_str value)
{
	struct pool_query *query = q->query;

	free(q);
	if (query)
		query_end(query, said, value);
}

/** Redis takes away what is over by its own clock, so this is told. */
static void tell_late(struct pool *pool, const char *place, uint64_t ms)
{
	if (!pool->late)
		base_log(BASE_LOG_WARN, "pool",
		         "%s in Redis is over since %llu s: the clocks of this pool's members "
		         "differ "
		         "(at most %u s may be), or somebody has put it back",
		         place, (unsigned long long)ms / 1000, LATE_MS / 1000);
	pool->late = true;
}

static void on_record(void *arg, struct base_str value, bool failed)
{
	struct pool_question *q = arg;
	struct pool *pool = q->pool;
	uint8_t clear[POOL_RECORD_MAX];
	struct base_str record = { NULL, 0 };
	uint64_t until_ms = 0, now_ms = pool->wall_ms(pool->arg);
	bool ours = !failed && value.len &&
	            pool_unseal_record(pool->root, q->place, value, clear, &record, &until_ms) == 0;

	if (failed) {
		question_end(q, POOL_SAID_NOTHING, record);
	} else if (ours && now_ms <= until_ms + LATE_MS) {
		question_end(q, POOL_SAID_DONE, record);
	} else {
		if (ours)
			tell_late(pool, q->place, now_ms - until_ms);
		question_end(q, POOL_SAID_NONE, (struct base_str){ NULL, 0 });
	}
	base_wipe(clear, sizeof(clear));
}

static void on_written(void *arg, struct base_str value, bool failed)
{
	(void)value;
	question_end(arg, failed ? POOL_SAID_NOTHING : POOL_SAID_DONE,
	             (struct base_str){ NULL, 0 });
}

void pool_record_get(struct pool *pool, struct pool_query *query, struct base_str name)
{
	struct pool_question *q = question_new(pool, query, name);

	if (q)
		pool_link_say(&pool->link,
		              (struct base_str[]){ BASE_STR("GET"), base_str_of(q->place) }, 2,
		              on_record, q);
}

void pool_record_set(struct pool *pool, struct pool_query *query, struct base_str name,
                     struct base_str value, uint64_t life_ms)
{
	struct pool_question *q = question_new(pool, query, name);
	uint8_t sealed[POOL_RECORD_SEALED];
	char life[24];
	size_t len;

	if (!q)
		return;
	life_ms = BASE_MAX(life_ms, 1);
	(void)snprintf(life, sizeof(life), "%llu", (unsigned long long)life_ms);
	len = pool_seal_record(pool->root, q->place, value, pool->wall_ms(pool->arg) + life_ms,
	                       sealed);
	if (!len) {
		on_written(q, value, true);
		return;
	}
	pool_link_say(&pool->link,
	              (struct base_str[]){ BASE_STR("SET"),
	                                   base_str_of(q->place),
	                                   { (const char *)sealed, len },
	                                   BASE_STR("PX"),
	                                   base_str_of(life) },
	              5, on_written, q);
}

void pool_record_drop(struct pool *pool, struct base_str name)
{
	struct pool_question *q = question_new(pool, NULL, name);

	if (q)
		pool_link_say(&pool->link,
		              (struct base_str[]){ BASE_STR("DEL"), base_str_of(q->place) }, 2,
		              on_written, q);
}

void pool_query_stop(struct pool_query *query)
{
	if (query->question)
		query->question->query = NULL;
	query->question = NULL;
}

int pool_derive(const struct pool *pool, const char *purpose, uint64_t part, uint8_t ret[32])
{
	uint8_t octets[8];

	for (int i = 0; i < 8; i++)
		octets[i] = (uint8_t)(part >> (56 - 8 * i));
	return pool_key_of(pool->root, purpose, (struct base_str){ (const char *)octets, 8 }, ret);
}
