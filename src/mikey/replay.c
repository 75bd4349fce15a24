/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A heap by timestamp, the oldest on top, and a map by digest over the same entries. Invariants: an
 * entry is in both or in neither; every message with a timestamp not after `floor` is refused; what
 * was ever added is in the cache or not after `floor`.
 */
#include "mikey/replay.h"

#include <stdlib.h>

struct entry {
	struct base_map_node node;
	uint64_t t;
	uint8_t digest[MIKEY_REPLAY_DIGEST];
};

struct slot {
	struct entry *e;
};

struct mikey_replay {
	struct base_map map;
	struct slot *heap;
	size_t count, max;
	uint64_t floor;
	bool has_floor;
};

/* Timestamps go round in 2036; they are never far apart. */
static bool before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

struct mikey_replay *mikey_replay_new(size_t max)
{
	struct mikey_replay *r = calloc(1, sizeof(*r));

	if (r && max)
		r->heap = calloc(max, sizeof(*r->heap));
	if (!r || !r->heap) {
		free(r);
		return NULL;
	}
	r->max = max;
	return r;
}

void mikey_replay_free(struct mikey_replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->heap[i].e);
	free(r->heap);
	base_map_done(&r->map);
	free(r);
}

size_t mikey_replay_count(const struct mikey_replay *r)
{
	return r->count;
}

static struct base_str key_of(const uint8_t *digest)
{
	return (struct base_str){ (const char *)digest, MIKEY_REPLAY_DIGEST };
}

bool mikey_replay_seen(const struct mikey_replay *r, uint64_t t,
                       const uint8_t digest[MIKEY_REPLAY_DIGEST])
{
	if (!r)
		return false;
	return (r->has_floor && !before(r->floor, t)) || base_map_find(&r->map, key_of(digest));
}

static void swap(struct mikey_replay *r, size_t a, size_t b)
{
	struct slot s = r->heap[a];

	r->heap[a] = r->heap[b];
	r->heap[b] = s;
}

static void sift_down(struct mikey_replay *r)
{
	for (size_t i = 0;;) {
		size_t least = i, left = 2 * i + 1;

		for (size_t k = left; k < r->count && k < left + 2; k++) {
			if (before(r->heap[k].e->t, r->heap[least].e->t))
				least = k;
		}
		if (least == i)
			return;
		swap(r, i, least);
		i = least;
	}
}

static void forget_oldest(struct mikey_replay *r)
{
	struct entry *e = r->heap[0].e;

	base_map_remove(&r->map, &e->node);
	if (!r->has_floor || before(r->floor, e->t))
		r->floor = e->t;
	r->has_floor = true;
	r->heap[0] = r->heap[--r->count];
	sift_down(r);
	free(e);
}

int mikey_replay_add(struct mikey_replay *r, uint64_t t, uint64_t oldest,
                     const uint8_t digest[MIKEY_REPLAY_DIGEST])
{
	struct entry *e;

	if (!r)
		return 0;
	while (r->count && (r->count == r->max || before(r->heap[0].e->t, oldest)))
		forget_oldest(r);
	e = calloc(1, sizeof(*e));
	if (!e)
		return BASE_ERR(BASE_LOCAL, 0);
	e->t = t;
	memcpy(e->digest, digest, sizeof(e->digest));
	e->node.key = key_of(e->digest);
	if (base_map_insert(&r->map, e->node.key, &e->node)) {
		free(e);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	r->heap[r->count].e = e;
	for (size_t i = r->count++; i && before(r->heap[i].e->t, r->heap[(i - 1) / 2].e->t);
	     i = (i - 1) / 2)
		swap(r, i, (i - 1) / 2);
	return 0;
}
