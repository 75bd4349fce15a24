/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What gateways of one pool have in common, through Redis: secrets that change with the time, one
 * for each turn of a scope. Whoever is first makes it, the others take it. In Redis they are sealed
 * under the pool's own secret (AES-256-GCM, bound to pool, scope and turn), so that neither who
 * reads Redis nor who writes it has or chooses a key. Redis is no condition for anything: while it
 * is gone nothing is delivered, that is told once, and it is looked for again with growing pauses.
 * And records: what one member puts there for a time, the others find. They are sealed likewise,
 * each under a key of its own place, with the end of its time; the place tells nothing of its name.
 * One thread; nothing here waits.
 */
#ifndef GH_POOL_H
#define GH_POOL_H

#include "base/base.h"
#include "loop/loop.h"

#define POOL_SECRET     32 /**< octets of what is shared */
#define POOL_SECRET_MIN 32 /**< least octets of the pool's own secret */
#define POOL_NAME_MAX   63
#define POOL_RECORD_MAX 768   /**< octets of a record */
#define POOL_QUERIES    4096U /**< without an answer, at once */

struct pool;

struct pool_spec {
	const char *name; /**< of the pool: letters, digits, '-', '_', '.' */
	const char
	        *redis; /**< address and port ("127.0.0.1:6379", "[::1]:6379"), or "unix:/path" */
	struct base_secret secret; /**< POOL_SECRET_MIN octets or more, the same for all members */
	struct base_secret password;    /**< of Redis (AUTH); empty = none */
	uint64_t (*wall_ms)(void *arg); /**< UNIX time; NULL = the clock */
	void *arg;                      /**< of `wall_ms` */
};

/**
 * A secret of a scope: `secret` is of POOL_SECRET octets and wiped after the call, `from_ms` (UNIX
 * time, perhaps to come) the begin of its turn. Each turn at most once.
 */
typedef void pool_key_fn(void *arg, const uint8_t *secret, uint64_t from_ms);

/** A scope that is shared; in the caller's storage. The fields are this module's. */
struct pool_share {
	struct base_node node;
	struct pool *pool;
	char scope[65]; /**< hex */
	uint64_t turn_ms, life_ms;
	uint64_t had[16]; /**< turns that were delivered, or are known to be nobody's */
	unsigned had_next;
	bool complained;
	pool_key_fn *fn;
	void *arg;
};

/** Is it what pool_new() takes? @return 0; BASE_CONFIG in words of the configuration's keys */
int pool_check(const struct pool_spec *spec, struct base_error *err);
/**
 * Begin to look for Redis. All is copied.
 * @return 0; BASE_CONFIG in words of the configuration's keys; BASE_LOCAL
 */
int pool_new(struct pool **ret, struct loop *loop, const struct pool_spec *spec,
             struct base_error *err);
/** NULL is fine. Its shares are over. */
void pool_free(struct pool *pool);
/** Is Redis there? */
bool pool_connected(const struct pool *pool);

/**
 * Share a scope: what decides whether two members mean the same. A turn takes `turn_ms`, and its
 * secret is of use for `life_ms` from its begin: younger ones of turns that are over come, too, and
 * the next one in the second half of a turn.
 */
void pool_share_start(struct pool *pool, struct pool_share *share, const uint8_t scope[32],
                      uint64_t turn_ms, uint64_t life_ms, pool_key_fn *fn, void *arg);
/** One that never started, or whose pool is gone, is fine. */
void pool_share_stop(struct pool_share *share);

/* -- records --------------------------------------------------------------------------------- */

enum pool_said {
	POOL_SAID_DONE,    /**< found (with its value), or written */
	POOL_SAID_NONE,    /**< nothing lies there, or nothing of ours */
	POOL_SAID_NOTHING, /**< no answer: Redis is gone, refuses, or has too much to do */
};

/** `value` is borrowed while it is told. */
typedef void pool_said_fn(void *arg, enum pool_said said, struct base_str value);

struct pool_question;

/** Who waits for an answer, in the caller's storage; all zero is nobody. */
struct pool_query {
	struct pool_question *question; /**< this module's */
	pool_said_fn *fn;
	void *arg;
};

/**
 * Ask for the record of `name` (any octets). `query->fn` is called once, perhaps before this
 * returns: at the latest when Redis was silent for 5 s, or pool_free(). Questions go out one after
 * another without waiting for answers.
 */
void pool_record_get(struct pool *pool, struct pool_query *query, struct base_str name);
/**
 * Put a record there for `life_ms` in place of any other. `query` as above; NULL where nobody
 * wants to know.
 */
void pool_record_set(struct pool *pool, struct pool_query *query, struct base_str name,
                     struct base_str value, uint64_t life_ms);
/** Take it away. */
void pool_record_drop(struct pool *pool, struct base_str name);
/** It will not be told. One that has been, or never asked, is fine. */
void pool_query_stop(struct pool_query *query);

/** Told whenever Redis has come or gone; in the caller's storage. */
struct pool_watch {
	struct base_node node;
	void (*fn)(void *arg, bool up);
	void *arg;
};

void pool_watch_start(struct pool *pool, struct pool_watch *watch);
/** Before pool_free(). */
void pool_watch_stop(struct pool_watch *watch);

/**
 * A key that all members have and nobody else: of the pool's secret and name, `purpose` and `part`.
 * @return 0 or BASE_LOCAL
 */
int pool_derive(const struct pool *pool, const char *purpose, uint64_t part, uint8_t ret[32]);

#endif
