/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Body octets on their way to one or many receivers: kept once, in blocks that count their users.
 * One pool for all that one thread does; nothing is allocated once it is warm.
 */
#ifndef GH_MSRP_POOL_H
#define GH_MSRP_POOL_H

#include "base/base.h"

#define MSRP_BLOCK_OCTETS 4072

struct msrp_block {
	struct msrp_block *next; /**< of the free ones */
	unsigned users;
	uint32_t len;
	char data[MSRP_BLOCK_OCTETS];
};

/** Some octets of a block, in one receiver's queue. */
struct msrp_piece {
	struct msrp_piece *next;
	struct msrp_block *block;
	uint32_t at, len;
};

struct msrp_pool {
	size_t limit;       /**< blocks in use at a time */
	size_t used;        /**< blocks in use */
	size_t keep;        /**< blocks kept for the next use; 0 = 64 */
	size_t free_blocks; /**< its own from here */
	struct msrp_block *block;
	struct msrp_piece *piece;
};

/** All is back: free what is kept. */
void msrp_pool_done(struct msrp_pool *pool);

/** Where one message's octets are put, one after the other. All but `pool` zero is empty. */
struct msrp_feed {
	struct msrp_pool *pool;
	struct msrp_block *tail;
};

/**
 * Keep octets of `data` as far as one block has room, taking them off; call until it is empty.
 * The feed holds the block until it needs another.
 * @return the block, with `*ret_at` and `*ret_len` in it; NULL when pool or memory are at their end
 */
struct msrp_block *msrp_feed_put(struct msrp_feed *feed, struct base_str *data, uint32_t *ret_at,
                                 uint32_t *ret_len);
void msrp_feed_done(struct msrp_feed *feed);

/** A piece that uses octets of `block`. @return NULL when memory is short */
struct msrp_piece *msrp_piece_new(struct msrp_pool *pool, struct msrp_block *block, uint32_t at,
                                  uint32_t len);
void msrp_piece_free(struct msrp_pool *pool, struct msrp_piece *piece);

#endif
