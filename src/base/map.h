/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Hash map from octet strings to pointers, keyed SipHash, so that peers who choose the keys cannot
 * choose the collisions. Intrusive: an item holds a `struct base_map_node` and owns its key's
 * memory.
 */
#ifndef GH_BASE_MAP_H
#define GH_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct base_map_node {
	struct base_map_node *next;
	uint64_t hash;
	struct base_str key; /**< borrowed from the item; must not change while it is in the map */
};

/** All zero is a valid empty map. Not thread safe. */
struct base_map {
	struct base_map_node **slot;
	size_t slots, count;
	uint64_t seed[2];
};

/** Free the table; the items are their owners' business. */
void base_map_done(struct base_map *map);
/** @return the node with that key, or NULL. */
struct base_map_node *base_map_find(const struct base_map *map, struct base_str key);
/**
 * Put `node` in under `key`. The caller has made sure that the key is not there yet.
 * @return 0, or BASE_LOCAL when memory is short (the map is as it was).
 */
int base_map_insert(struct base_map *map, struct base_str key, struct base_map_node *node);
/** Take `node` out; it must be in the map. */
void base_map_remove(struct base_map *map, struct base_map_node *node);
/** Walk: NULL for the first, then each; NULL at the end. The map must not change meanwhile. */
struct base_map_node *base_map_next(const struct base_map *map, struct base_map_node *node);

/** SipHash-1-3 of `data` under `seed`. */
uint64_t base_hash(const uint64_t seed[2], const void *data, size_t len);

#endif
