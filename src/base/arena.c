/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"

#define DEFAULT_CHUNK 8192
#define ALIGN         alignof(max_align_t)

struct base_arena_chunk {
	struct base_arena_chunk *older;
	size_t size; /* octets of `data` */
	alignas(max_align_t) char data[];
};

/* Of the newest chunk what was handed out, of the others all. Leaves the next older as newest. */
static void pop(struct base_arena *arena)
{
	struct base_arena_chunk *chunk = arena->chunk;

	if (arena->wipe)
		base_wipe(chunk->data, (size_t)(arena->at - chunk->data));
	arena->chunk = chunk->older;
	arena->at = arena->end = arena->chunk ? arena->chunk->data + arena->chunk->size : NULL;
	free(chunk);
}

void base_arena_done(struct base_arena *arena)
{
	while (arena->chunk)
		pop(arena);
	arena->used = 0;
}

void base_arena_reset(struct base_arena *arena)
{
	if (!arena->chunk)
		return;
	while (arena->chunk->older) /* the oldest has the standard size; newer may be giants */
		pop(arena);
	if (arena->wipe)
		base_wipe(arena->chunk->data, (size_t)(arena->at - arena->chunk->data));
	arena->at = arena->chunk->data;
	arena->end = arena->at + arena->chunk->size;
	arena->used = 0;
}

static bool grow(struct base_arena *arena, size_t size)
{
	size_t want = arena->chunk_size ? arena->chunk_size : DEFAULT_CHUNK;
	struct base_arena_chunk *chunk;

	if (want < size)
		want = size;
	chunk = malloc(sizeof(*chunk) + want);
	if (!chunk)
		return false;
	chunk->size = want;
	chunk->older = arena->chunk;
	arena->chunk = chunk;
	arena->at = chunk->data;
	arena->end = chunk->data + want;
	return true;
}

void *base_arena_alloc(struct base_arena *arena, size_t size)
{
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (arena->limit && (size > arena->limit || arena->used > arena->limit - size))
		return NULL;
	if ((size_t)(arena->end - arena->at) < size && !grow(arena, size))
		return NULL;
	p = arena->at;
	arena->at += size;
	arena->used += size;
	return size ? memset(p, 0, size) : p;
}

void *base_arena_array(struct base_arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 2 / size)
		return NULL;
	return base_arena_alloc(arena, count * size);
}

char *base_arena_dup(struct base_arena *arena, struct base_str s)
{
	char *copy = base_arena_alloc(arena, s.len + 1);

	if (copy && s.len)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

char *base_arena_printf(struct base_arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text = NULL;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0)
		text = base_arena_alloc(arena, (size_t)len + 1);
	if (text)
		(void)vsnprintf(text, (size_t)len + 1, fmt, again); /* measured just above */
	va_end(again);
	va_end(ap);
	return text;
}
