/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the edges of one pool know of each other: whose a flow token is. An edge puts its bindings
 * on a shelf, which is its own memory or Redis (src/pool, sealed there), and says every few seconds
 * that it lives, with the epoch of its start. A binding counts only while its owner lives in the
 * very epoch that made it: so none outlives a killed edge, nor one that has started again.
 *
 * The owner alone decides what its tokens are worth. An edge never asks the shelf for its own: with
 * one that it does not know any more the answer is 430, so nothing goes in a circle. What the shelf
 * tells is where to send a request, and without the shelf all flows of one's own go on.
 *
 * One thread; nothing here waits.
 */
#ifndef GH_EDGE_STORE_H
#define GH_EDGE_STORE_H

#include "base/base.h"
#include "loop/loop.h"
#include "pool/pool.h"

#define EDGE_STORE_ID_MAX      63  /**< octets of an edge's name */
#define EDGE_STORE_URI_MAX     255 /**< of its address among the others */
#define EDGE_STORE_TOKEN_MAX   127
#define EDGE_STORE_IMPI_MAX    255
#define EDGE_STORE_SESSION_MAX 64 /**< octets of a binding id */

#define EDGE_STORE_ALIVE_MS    10000U  /**< who has not said so for this long is dead */
#define EDGE_STORE_SEARCH_MS   1000U   /**< patience of a search */
#define EDGE_STORE_RECORD_MS   900000U /**< longest that a record lies there unless it is renewed */
#define EDGE_STORE_SEARCHES    4096U   /**< at once */

/* -- shelf: where records lie ---------------------------------------------------------------- */

struct edge_shelf;

/** In memory: of one edge, or of several in one process (tests). The clock is the loop's. */
int edge_shelf_memory(struct edge_shelf **ret, struct loop *loop);
/** In Redis. `pool` is borrowed and outlives the shelf. */
int edge_shelf_pool(struct edge_shelf **ret, struct pool *pool);
/** NULL is fine. After the stores that stand on it. */
void edge_shelf_free(struct edge_shelf *shelf);
/** Is it there now? Memory always is. */
bool edge_shelf_up(const struct edge_shelf *shelf);

/* -- store ----------------------------------------------------------------------------------- */

struct edge_store;

struct edge_store_spec {
	const char
	        *id; /**< of this edge, unlike all others' of the pool; letters, digits, "-_.:[]" */
	const char
	        *uri;   /**< SIP URI where the other edges reach it, as it is to stand in a Route */
	uint64_t epoch; /**< random, of this start; not 0 */
	struct edge_shelf *shelf; /**< borrowed */
	uint64_t alive_ms;        /**< 0 = EDGE_STORE_ALIVE_MS */
};

/**
 * Begin to live on the shelf. All but the shelf is copied.
 * @return 0; BASE_CONFIG in words of the configuration's keys; BASE_LOCAL
 */
int edge_store_new(struct edge_store **ret, struct loop *loop, const struct edge_store_spec *spec,
                   struct base_error *err);
/** Say that we are gone, as far as that goes without waiting. NULL is fine. Searches end untold. */
void edge_store_free(struct edge_store *store);

/** What is known of a binding. Borrowed. */
struct edge_record {
	struct base_str token; /**< flow token; what the record is found by */
	struct base_str impi;
	struct base_str session; /**< id of the binding, octets (may be empty) */
};

/** A binding of ours on the shelf, in its owner's storage; all zero is none. The fields are the
 * store's. */
struct edge_stored {
	struct base_node node;
	struct edge_store *store;
	struct edge_record record; /**< borrowed until edge_store_drop() */
	uint64_t until_ms, put_ms;
	struct pool_query query;
	bool writing, again;
};

/**
 * Put a binding there for `life_ms`, or say it anew: another expiry, another session. What `record`
 * points to stays until edge_store_drop(). Where the shelf is gone it goes there when it is back.
 */
void edge_store_put(struct edge_store *store, struct edge_stored *stored,
                    const struct edge_record *record, uint64_t life_ms);
/** The binding has ended. One that was never put is fine. */
void edge_store_drop(struct edge_stored *stored);

/* -- search ---------------------------------------------------------------------------------- */

enum edge_whose {
	EDGE_WHOSE_OTHER,   /**< another edge has it and lives: on to `uri` */
	EDGE_WHOSE_NOBODY,  /**< no living edge has it: 430 (RFC 5626, 5.3) */
	EDGE_WHOSE_UNKNOWN, /**< the shelf does not say: 503 with Retry-After */
};

/** Borrowed while it is told. Only EDGE_WHOSE_OTHER fills more than `whose`. */
struct edge_found {
	enum edge_whose whose;
	const char *id;  /**< of the owner */
	const char *uri; /**< SIP URI for a Route */
	uint64_t epoch;
	struct edge_record record;
};

typedef void edge_found_fn(void *arg, const struct edge_found *found);

/** A search, in the caller's storage; all zero is none. The fields are the store's. */
struct edge_search {
	struct edge_question *question;
	struct edge_store *store;
	edge_found_fn *fn;
	void *arg;
};

/**
 * Whose is that token? `fn` is told once, perhaps before this returns (memory, no shelf), and
 * within EDGE_STORE_SEARCH_MS. Check a token's tag first (edge_store_token_key()): strangers' words
 * are not worth a question.
 */
void edge_store_find(struct edge_store *store, struct edge_search *search, struct base_str token,
                     edge_found_fn *fn, void *arg);
/** It will not be told. One that has ended, or never began, is fine. */
void edge_store_find_stop(struct edge_search *search);

/**
 * The key of flow tokens that an edge gives in `epoch`: in a pool all members can derive it (from
 * the pool's secret), so that a token is known for genuine before anybody is asked; in memory it is
 * of this process alone.
 */
int edge_store_token_key(struct edge_store *store, uint64_t epoch, uint8_t ret[32]);

/** Numbers for metrics. */
struct edge_store_counts {
	uint64_t records;                 /**< of ours, now */
	uint64_t waiting;                 /**< of those, not on the shelf yet */
	uint64_t others, nobody, unknown; /**< searches by their end */
};

struct edge_store_counts edge_store_counts(const struct edge_store *store);

#endif
