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
/** `place` is authenticated with it: the name under which it lies in Redis. */
int pool_seal(const uint8_t key[32], const char *place, const uint8_t secret[POOL_SECRET],
              uint8_t ret[POOL_SEALED]);
/** Any octets are safe input. @return 0, BASE_PEER when it is not ours or lies elsewhere */
int pool_unseal(const uint8_t key[32], const char *place, struct base_str sealed,
                uint8_t ret[POOL_SECRET]);

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
	loop_fn *on_up;
	void *arg;
	unsigned open; /**< questions without an answer */
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
void pool_link_start(struct pool_link *link, loop_fn *on_up, void *arg);
void pool_link_done(struct pool_link *link);

/** `value` len 0: there is none, or (`failed`) no answer at all. */
typedef void pool_answer_fn(void *arg, struct base_str value, bool failed);
/**
 * Put `value` there for `ttl_ms` unless something is (len 0: do not), and tell what is there then.
 * `fn` is called once, perhaps before this returns.
 */
void pool_link_ask(struct pool_link *link, const char *place, struct base_str value,
                   uint64_t ttl_ms, pool_answer_fn *fn, void *arg);

#endif
