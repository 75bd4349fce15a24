/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an edge has in common with the others of its pool: ticket keys, the key of flow tokens, and
 * whose each token is. Without a pool it only turns the ticket keys of its TLS domains. Private to
 * this folder.
 */
#ifndef GH_EDGE_SHARE_H
#define GH_EDGE_SHARE_H

#include "edge/config.h"
#include "edge/core.h"
#include "edge/store.h"

struct edge_share;

/**
 * Begin to look for the others. `config` is borrowed until edge_share_config or the end.
 * @param at     "HOST:PORT;transport=..." where this edge alone is reached: what stands in for
 *               pool.id and pool.address; empty = that is not known
 * @param epoch  of this start, as the core of the edge has it
 * @return 0; BASE_CONFIG, BASE_LOCAL
 */
int edge_share_new(struct edge_share **ret, struct loop *loop, const struct edge_config *config,
                   const char *at, uint64_t epoch, struct base_error *err);
/** Another configuration: its domains. Settings of `pool` need a restart. */
void edge_share_config(struct edge_share *share, const struct edge_config *config);
/** NULL is fine. */
void edge_share_free(struct edge_share *share);

/** As edge_core_ops.token_key, with the share as `arg`. */
int edge_share_token_key(void *share, uint64_t epoch, uint8_t ret[32]);
/** What the core of the edge has told: bindings go to the store, and out of it. */
void edge_share_told(struct edge_share *share, const struct edge_event *event);
/** Is the pool's Redis there? Without a pool: true. */
bool edge_share_up(const struct edge_share *share);
/** For edge_store_find. */
struct edge_store *edge_share_store(const struct edge_share *share);

#endif
