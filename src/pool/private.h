/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the files of this folder only. */
#ifndef GH_POOL_PRIVATE_H
#define GH_POOL_PRIVATE_H

#include "pool/pool.h"

struct redisAsyncContext;
struct redisReplyObjectFunctions;

/* -- seal.c ---------------------------------------------------------------------------------- */

#define POOL_NONCE  12
#define POOL_TAG    16
#define POOL_SEALED (1 + POOL_NONCE + POOL_SECRET + POOL_TAG) /**< version 1, and GCM's parts */

/** The key of the seal: of this pool's name alone. @return 0 or BASE_LOCAL */
int pool_seal_key(const struct base_secret *secret, const char *name, uint8_t ret[32]);
/** What keys of records are derived from, likewise. */
int pool_root_key(const struct base_secret *secret, const char *name, uint8_t ret[32]);
/** `place` is authenticated with it: the name under which it lies in Redis. */
int pool_seal(const uint8_t key[32], const char *place, const uint8_t secret[POOL_SECRET],
              uint8_t ret[POOL_SEALED]);
/** Any octets are safe input. @return 0, BASE_PEER when it is not ours or lies elsewhere */
int pool_unseal(const uint8_t key[32], const char *place, struct base_str sealed,
                uint8_t ret[POOL_SECRET]);

#define POOL_PART_MAX 512 /**< octets of what a key is for */
/** Of records: under a key of its own place, `until_ms` (UNIX time) within. */
#define POOL_RECORD_SEALED (1 + POOL_NONCE + 8 + POOL_RECORD_MAX + POOL_TAG)
/** @return octets in `ret`, 0 where that fails */
size_t pool_seal_record(const uint8_t key[32], const char *place, struct base_str value,
                        uint64_t until_ms, uint8_t ret[POOL_RECORD_SEALED]);
/** As pool_unseal(); `ret_value` into `ret`. */
int pool_unseal_record(const uint8_t key[32], const char *place, struct base_str sealed,
                       uint8_t ret[POOL_RECORD_MAX], struct base_str *ret_value,
                       uint64_t *ret_until_ms);
/** A key of a key, for what `purpose` and `part` say. */
int pool_key_of(const uint8_t key[32], const char *purpose, struct base_str part, uint8_t ret[32]);

/* -- redis.c: the connection ----------------------------------------------------------------- */

struct pool_link {
	struct loop *loop;
	struct redisAsyncContext *redis;                /**< NULL = not even trying */
	const struct redisReplyObjectFunctions *makers; /**< hiredis's own: answers.c */
	struct loop_fd fd;
	struct loop_task flush;
	struct loop_timer again, patience;
	char host[64]; /**< "" = `path` */
	int port;
	char path[108];
	char shown[128]; /**< as configured */
	struct base_secret password;
	bool up, wants_write, ending;
	bool told;        /**< that it is lost */
	uint64_t wait_ms; /**< next pause */
	char why[160];
	loop_fn *on_up, *on_lost;
	void *arg;
	unsigned open; /**< questions without an answer */
	bool refused;  /**< it was told that Redis refuses something */
};

/* -- answers.c ------------------------------------------------------------------------------- */

/** From now on `link->redis` takes no answer that nobody asked for, no list and nothing long. */
void pool_answers_guard(struct pool_link *link);
/** Is what has come of an answer that is not whole too much already? */
bool pool_answers_long(const struct pool_link *link);

/* -- redis.c: what is done with it ----------------------------------------------------------- */

/** Is it an address? As pool_check(). */
int pool_link_check(const char *redis, struct base_error *err);
int pool_link_init(struct pool_link *link, struct loop *loop, const struct pool_spec *spec);
void pool_link_start(struct pool_link *link, loop_fn *on_up, loop_fn *on_lost, void *arg);
void pool_link_done(struct pool_link *link);

/** `value` len 0: there is none, or (`failed`) no answer at all. */
typedef void pool_answer_fn(void *arg, struct base_str value, bool failed);
/**
 * Put `value` there for `ttl_ms` unless something is (len 0: do not), and tell what is there then.
 * `fn` is called once, perhaps before this returns.
 */
void pool_link_ask(struct pool_link *link, const char *place, struct base_str value,
                   uint64_t ttl_ms, pool_answer_fn *fn, void *arg);
#define POOL_WORDS 5 /**< most of a command */
/** A command of `count` words, POOL_WORDS at most. An error does not end the connection, it is told
 * once and `failed`.
 */
void pool_link_say(struct pool_link *link, const struct base_str *word, size_t count,
                   pool_answer_fn *fn, void *arg);

/* -- pool.c ---------------------------------------------------------------------------------- */

struct pool {
	struct loop *loop;
	struct pool_link link;
	char name[POOL_NAME_MAX + 1];
	uint8_t key[32];  /**< of secrets' seal */
	uint8_t root[32]; /**< of all other keys */
	uint64_t (*wall_ms)(void *arg);
	void *arg;
	struct base_node shares, asks, watches;
	bool late; /**< it was told that a record is over */
	struct loop_timer timer;
};

#endif
