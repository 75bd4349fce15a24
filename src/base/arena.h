/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Scratch memory of one message or transaction, freed in one go. Not thread safe; one owner.
 */
#ifndef GH_BASE_ARENA_H
#define GH_BASE_ARENA_H

#include "base/str.h"

struct base_arena_chunk;

/** An arena in the caller's storage. All zero is a valid empty arena with the default chunk size.
 */
struct base_arena {
	struct base_arena_chunk *chunk; /**< newest first */
	char *at, *end;                 /**< free space of the newest chunk */
	size_t chunk_size;              /**< octets asked of the heap at a time; 0 = 8 KiB */
	size_t used;                    /**< octets handed out since the last reset */
	size_t limit;                   /**< refuse beyond this many octets; 0 = no limit */
	bool wipe; /**< overwrite what was used before it is freed or used again: keys may be in it
	            */
};

/** Free everything. The arena is empty and usable afterwards. */
void base_arena_done(struct base_arena *arena);

/** Forget all allocations but keep one chunk for the next round, so a warm arena never mallocs. */
void base_arena_reset(struct base_arena *arena);

/**
 * `size` octets, zeroed, aligned for any object, alive until reset or done.
 * @return NULL when the heap or the arena's limit says no.
 */
void *base_arena_alloc(struct base_arena *arena, size_t size);

/** As base_arena_alloc for `count` items, checking the product. */
void *base_arena_array(struct base_arena *arena, size_t count, size_t size);

/** A terminated copy; NULL when memory is short. */
char *base_arena_dup(struct base_arena *arena, struct base_str s);

/** printf into the arena; NULL when memory is short. */
char *base_arena_printf(struct base_arena *arena, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));

/** Allocate one zeroed `type`. */
#define BASE_NEW(arena, type) ((type *)base_arena_alloc((arena), sizeof(type)))

#endif
