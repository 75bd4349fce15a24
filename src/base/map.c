/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/secret.h"

static uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static uint64_t load_le(const uint8_t *p, size_t len)
{
	uint64_t x = 0;

	for (size_t i = 0; i < len; i++)
		x |= (uint64_t)p[i] << (8 * i);
	return x;
}

uint64_t base_hash(const uint64_t seed[2], const void *data, size_t len)
{
	uint64_t v[4] = { seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
		          seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573 };
	const uint8_t *p = data;
	size_t left = len;
	uint64_t m;

	for (; left >= 8; left -= 8, p += 8) {
		m = load_le(p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	m = load_le(p, left) | (uint64_t)len << 56;
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void base_map_done(struct base_map *map)
{
	free(map->slot);
	*map = (struct base_map){ 0 };
}

struct base_map_node *base_map_find(const struct base_map *map, struct base_str key)
{
	uint64_t hash;

	if (map->count == 0)
		return NULL;
	hash = base_hash(map->seed, key.ptr, key.len);
	for (struct base_map_node *n = map->slot[hash & (map->slots - 1)]; n; n = n->next) {
		if (n->hash == hash && base_str_eq(n->key, key))
			return n;
	}
	return NULL;
}

static int grow(struct base_map *map)
{
	size_t slots = map->slots ? map->slots * 2 : 16;
	struct base_map_node **slot;

	if (!map->slots && base_random(map->seed, sizeof(map->seed)) != 0)
		return BASE_ERR(BASE_LOCAL, EIO);
	slot = calloc(slots, sizeof(struct base_map_node *));
	if (!slot)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	for (size_t i = 0; i < map->slots; i++) {
		for (struct base_map_node *n = map->slot[i], *next; n; n = next) {
			next = n->next;
			n->next = slot[n->hash & (slots - 1)];
			slot[n->hash & (slots - 1)] = n;
		}
	}
	free(map->slot);
	map->slot = slot;
	map->slots = slots;
	return 0;
}

int base_map_insert(struct base_map *map, struct base_str key, struct base_map_node *node)
{
	struct base_map_node **at;

	if (map->count >= map->slots) {
		int rc = grow(map);

		if (rc)
			return rc;
	}
	node->key = key;
	node->hash = base_hash(map->seed, key.ptr, key.len);
	at = &map->slot[node->hash & (map->slots - 1)];
	node->next = *at;
	*at = node;
	map->count++;
	return 0;
}

void base_map_remove(struct base_map *map, struct base_map_node *node)
{
	struct base_map_node **at = &map->slot[node->hash & (map->slots - 1)];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	map->count--;
}

struct base_map_node *base_map_next(const struct base_map *map, struct base_map_node *node)
{
	size_t i = 0;

	if (node && node->next)
		return node->next;
	if (node)
		i = (node->hash & (map->slots - 1)) + 1;
	for (; i < map->slots; i++) {
		if (map->slot[i])
			return map->slot[i];
	}
	return NULL;
}
