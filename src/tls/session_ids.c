/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tls/session_ids.h"

/** One session. In the map by its id, in the list by its age. */
struct one {
	struct base_map_node map;
	struct base_node age;
	uint64_t until_ms;
	size_t len;
	uint8_t id[TLS_ID_MAX];
	uint8_t called[TLS_CALLED]; /**< zeros = no name */
	uint8_t data[];             /**< a secret */
};

struct tls_ids {
	atomic_uint refs;
	uint64_t life_ms;
	pthread_mutex_t lock; /**< of all below */
	struct base_map map;
	struct base_node ages; /**< the oldest first */
	size_t octets;
};

static void lock(struct tls_ids *ids)
{
	(void)pthread_mutex_lock(&ids->lock); /* an ordinary one: cannot fail */
}

static void unlock(struct tls_ids *ids)
{
	(void)pthread_mutex_unlock(&ids->lock);
}

static struct one *find(const struct tls_ids *ids, struct base_str id)
{
	struct base_map_node *node = base_map_find(&ids->map, id);

	return node ? BASE_CONTAINER_OF(node, struct one, map) : NULL;
}

static void forget(struct tls_ids *ids, struct one *one)
{
	base_map_remove(&ids->map, &one->map);
	base_list_remove(&one->age);
	ids->octets -= one->len;
	base_wipe(one, sizeof(*one) + one->len);
	free(one);
}

static struct one *oldest(const struct tls_ids *ids)
{
	return base_list_empty(&ids->ages) ? NULL
	                                   : BASE_CONTAINER_OF(ids->ages.next, struct one, age);
}

/** All live equally long, so the list is in the order of their ends. */
static void age(struct tls_ids *ids, uint64_t now_ms)
{
	for (struct one *one = oldest(ids); one && now_ms >= one->until_ms; one = oldest(ids))
		forget(ids, one);
}

static struct one *one_make(struct base_str id, const void *data, size_t len, uint64_t until_ms)
{
	struct one *one = malloc(sizeof(*one) + len);

	if (!one)
		return NULL;
	*one = (struct one){ .until_ms = until_ms, .len = len };
	memcpy(one->id, id.ptr, id.len);
	memcpy(one->data, data, len);
	base_list_init(&one->age);
	return one;
}

void tls_ids_put(struct tls_ids *ids, struct base_str id, const uint8_t *called, const void *data,
                 size_t len, uint64_t now_ms)
{
	struct one *one, *old;

	if (!id.len || id.len > TLS_ID_MAX || len > TLS_IDS_ONE)
		return;
	one = one_make(id, data, len, now_ms + ids->life_ms);
	if (!one)
		return;
	if (called)
		memcpy(one->called, called, sizeof(one->called));
	lock(ids);
	age(ids, now_ms);
	old = find(ids, id);
	if (!old) {
		while (ids->map.count >= TLS_IDS_MAX || ids->octets + len > TLS_IDS_OCTETS)
			forget(ids, oldest(ids));
		if (base_map_insert(&ids->map, (struct base_str){ (const char *)one->id, id.len },
		                    &one->map) == 0) {
			base_list_append(&ids->ages, &one->age);
			ids->octets += len;
			one = NULL;
		}
	}
	unlock(ids);
	if (one)
		base_wipe(one, sizeof(*one) + len);
	free(one);
}

bool tls_ids_get(struct tls_ids *ids, struct base_str id, const uint8_t *called, uint64_t now_ms,
                 struct base_secret *ret)
{
	static const uint8_t none[TLS_CALLED];
	const struct one *one;
	bool found;

	lock(ids);
	one = find(ids, id);
	found = one && now_ms < one->until_ms &&
	        memcmp(one->called, called ? called : none, sizeof(one->called)) == 0 &&
	        base_secret_set(ret, one->data, one->len) == 0;
	unlock(ids);
	return found;
}

void tls_ids_remove(struct tls_ids *ids, struct base_str id)
{
	struct one *one;

	lock(ids);
	one = find(ids, id);
	if (one)
		forget(ids, one);
	unlock(ids);
}

void tls_ids_age(struct tls_ids *ids, uint64_t now_ms)
{
	lock(ids);
	age(ids, now_ms);
	unlock(ids);
}

size_t tls_ids_count(struct tls_ids *ids, size_t *ret_octets)
{
	size_t count;

	lock(ids);
	count = ids->map.count;
	*ret_octets = ids->octets;
	unlock(ids);
	return count;
}

int tls_ids_new(struct tls_ids **ret, uint32_t lifetime_s)
{
	struct tls_ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return BASE_ERR(BASE_LOCAL, 0);
	atomic_init(&ids->refs, 1);
	ids->life_ms = (uint64_t)lifetime_s * 1000;
	(void)pthread_mutex_init(&ids->lock, NULL); /* an ordinary one: cannot fail */
	base_list_init(&ids->ages);
	*ret = ids;
	return 0;
}

struct tls_ids *tls_ids_ref(struct tls_ids *ids)
{
	atomic_fetch_add_explicit(&ids->refs, 1, memory_order_relaxed);
	return ids;
}

void tls_ids_unref(struct tls_ids *ids)
{
	if (!ids || atomic_fetch_sub_explicit(&ids->refs, 1, memory_order_acq_rel) != 1)
		return;
	age(ids, UINT64_MAX);
	base_map_done(&ids->map);
	(void)pthread_mutex_destroy(&ids->lock);
	free(ids);
}
