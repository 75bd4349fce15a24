/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "tls/ticket_bars.h"

struct bar {
	struct base_map_node map;
	struct base_node age;
	uint64_t until_ms;
	uint8_t mark[TLS_MARK];
};

struct tls_bars {
	uint64_t life_ms;
	pthread_mutex_t lock; /* of all below */
	struct base_map map;
	struct base_node ages; /* the oldest first */
	uint64_t now_ms;       /* the latest anybody has said */
};

static struct base_str key_of(const uint8_t *mark)
{
	return (struct base_str){ (const char *)mark, TLS_MARK };
}

int tls_bars_new(struct tls_bars **ret, uint32_t lifetime_s)
{
	struct tls_bars *bars = calloc(1, sizeof(*bars));

	if (!bars)
		return BASE_ERR(BASE_LOCAL, 0);
	bars->life_ms = (uint64_t)lifetime_s * 1000;
	(void)pthread_mutex_init(&bars->lock, NULL); /* an ordinary one: cannot fail */
	base_list_init(&bars->ages);
	*ret = bars;
	return 0;
}

static struct bar *oldest(const struct tls_bars *bars)
{
	return base_list_empty(&bars->ages) ? NULL
	                                    : BASE_CONTAINER_OF(bars->ages.next, struct bar, age);
}

static void lift(struct tls_bars *bars, struct bar *bar)
{
	base_map_remove(&bars->map, &bar->map);
	base_list_remove(&bar->age);
	free(bar);
}

void tls_bars_free(struct tls_bars *bars)
{
	if (!bars)
		return;
	for (struct bar *bar = oldest(bars); bar; bar = oldest(bars))
		lift(bars, bar);
	base_map_done(&bars->map);
	(void)pthread_mutex_destroy(&bars->lock);
	free(bars);
}

/* Under the lock. A clock that stands still at 0 lifts none by age. */
static void make_room(struct tls_bars *bars)
{
	for (struct bar *bar = oldest(bars); bar; bar = oldest(bars)) {
		if (bar->until_ms > bars->now_ms && bars->map.count < TLS_BARS_MAX)
			return;
		lift(bars, bar);
	}
}

bool tls_bars_add(struct tls_bars *bars, const uint8_t mark[TLS_MARK], uint64_t now_ms)
{
	struct bar *bar = calloc(1, sizeof(*bar));
	bool there;

	if (!bar)
		return false;
	memcpy(bar->mark, mark, TLS_MARK);
	(void)pthread_mutex_lock(&bars->lock); /* an ordinary one: cannot fail */
	bars->now_ms = BASE_MAX(bars->now_ms, now_ms);
	bar->until_ms = bars->now_ms + bars->life_ms;
	make_room(bars);
	there = base_map_find(&bars->map, key_of(mark)) != NULL;
	if (!there && base_map_insert(&bars->map, key_of(bar->mark), &bar->map) == 0) {
		base_list_append(&bars->ages, &bar->age);
		there = true;
		bar = NULL;
	}
	(void)pthread_mutex_unlock(&bars->lock);
	free(bar);
	return there;
}

bool tls_bars_has(struct tls_bars *bars, const uint8_t mark[TLS_MARK])
{
	bool has;

	(void)pthread_mutex_lock(&bars->lock);
	has = base_map_find(&bars->map, key_of(mark)) != NULL;
	(void)pthread_mutex_unlock(&bars->lock);
	return has;
}

static bool among(const struct tls_marks *marks, const uint8_t *mark)
{
	for (unsigned i = 0; marks && i < marks->count; i++)
		if (memcmp(marks->mark[i], mark, TLS_MARK) == 0)
			return true;
	return false;
}

bool tls_bars_add_all(struct tls_bars *bars, const struct tls_marks *marks,
                      const struct tls_marks *others, uint64_t now_ms)
{
	bool all = true;

	for (unsigned i = 0; i < marks->count; i++)
		if (!among(others, marks->mark[i]))
			all &= tls_bars_add(bars, marks->mark[i], now_ms);
	return all;
}
