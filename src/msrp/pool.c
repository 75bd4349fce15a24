/* SPDX-License-Identifier: Apache-2.0 */
#include "msrp/pool.h"

#include <assert.h>
#include <stdlib.h>

#define KEEP 64

void msrp_pool_done(struct msrp_pool *pool)
{
	struct msrp_block *block;
	struct msrp_piece *piece;

	assert(!pool->used);
	while ((block = pool->block)) {
		pool->block = block->next;
		free(block);
	}
	while ((piece = pool->piece)) {
		pool->piece = piece->next;
		free(piece);
	}
	pool->free_blocks = 0;
}

static struct msrp_block *block_new(struct msrp_pool *pool)
{
	struct msrp_block *block = pool->block;

	if (pool->limit && pool->used >= pool->limit)
		return NULL;
	if (block) {
		pool->block = block->next;
		pool->free_blocks--;
	} else {
		block = malloc(sizeof(*block));
		if (!block)
			return NULL;
	}
	block->next = NULL;
	block->users = 1;
	block->len = 0;
	pool->used++;
	return block;
}

static void block_unref(struct msrp_pool *pool, struct msrp_block *block)
{
	assert(block->users);
	if (--block->users)
		return;
	pool->used--;
	if (pool->free_blocks >= (pool->keep ? pool->keep : KEEP)) {
		free(block);
		return;
	}
	block->next = pool->block;
	pool->block = block;
	pool->free_blocks++;
}

void msrp_feed_done(struct msrp_feed *feed)
{
	if (feed->tail)
		block_unref(feed->pool, feed->tail);
	feed->tail = NULL;
}

struct msrp_block *msrp_feed_put(struct msrp_feed *feed, struct base_str *data, uint32_t *ret_at,
                                 uint32_t *ret_len)
{
	struct msrp_block *block = feed->tail;
	size_t n;

	if (!block || block->len == MSRP_BLOCK_OCTETS) {
		block = block_new(feed->pool);
		if (!block)
			return NULL;
		msrp_feed_done(feed);
		feed->tail = block;
	}
	n = BASE_MIN(data->len, (size_t)MSRP_BLOCK_OCTETS - block->len);
	memcpy(block->data + block->len, data->ptr, n);
	*ret_at = block->len;
	*ret_len = (uint32_t)n;
	block->len += (uint32_t)n;
	*data = (struct base_str){ data->ptr + n, data->len - n };
	return block;
}

struct msrp_piece *msrp_piece_new(struct msrp_pool *pool, struct msrp_block *block, uint32_t at,
                                  uint32_t len)
{
	struct msrp_piece *piece = pool->piece;

	if (piece)
		pool->piece = piece->next;
	else
		piece = malloc(sizeof(*piece));
	if (!piece)
		return NULL;
	*piece = (struct msrp_piece){ .block = block, .at = at, .len = len };
	block->users++;
	return piece;
}

void msrp_piece_free(struct msrp_pool *pool, struct msrp_piece *piece)
{
	block_unref(pool, piece->block);
	piece->next = pool->piece;
	pool->piece = piece;
}
