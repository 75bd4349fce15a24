/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the parts of the pool's store share: where things lie (redis.c), and their sealed records.
 * Private to this folder.
 */
#ifndef GH_KMS_REDIS_PRIVATE_H
#define GH_KMS_REDIS_PRIVATE_H

#include "kms/redis_link.h"

enum kms_place {
	KMS_MASTER,
	KMS_USERS,
	KMS_PSK_NAMES,
	KMS_TPK_NAMES,
	KMS_TPKS,
	KMS_LAST,
	KMS_PLACES
};

struct kms_shared {
	struct kms_backend backend;
	struct kms_link link;
	char place[KMS_PLACES][KMS_PREFIX_MAX + 16];
	uint8_t master[KMS_MASTER_KEY];
	uint64_t newest_s; /* the latest time that was told */
};

static inline struct kms_shared *kms_redis_of(struct kms_backend *b)
{
	return BASE_CONTAINER_OF(b, struct kms_shared, backend);
}

static inline struct base_str kms_redis_at(const struct kms_shared *s, enum kms_place place)
{
	return base_str_of(s->place[place]);
}

/** As kms_link_ask. */
struct redisReply *kms_redis_ask(struct kms_shared *s, int count, const struct base_str *words);
/** The number that it answers with; frees it. @return -1: none */
long long kms_redis_number(struct kms_shared *s, struct redisReply *reply);
/** @return a sealed copy, for free(); at NULL: no memory */
struct mikey_octets kms_redis_seal(const struct kms_shared *s, enum kms_place place,
                                   struct base_str field, const struct base_writer *clear);
/** Into the arena. @return 0; BASE_CONFIG: not ours, or not from there; BASE_LOCAL */
int kms_redis_unseal(struct kms_shared *s, enum kms_place place, struct base_str field,
                     struct base_str sealed, struct base_arena *arena, struct base_reader *ret);

/* redis_users.c: of struct kms_backend_ops */
int kms_redis_user(struct kms_backend *b, enum kms_by by, const struct mikey_id *name,
                   struct base_arena *arena, struct kms_user *ret);
int kms_redis_users(struct kms_backend *b, int (*each)(void *arg, const struct kms_user *user),
                    void *arg);
int kms_redis_user_put(struct kms_backend *b, const struct kms_user *user);
int kms_redis_user_remove(struct kms_backend *b, const struct mikey_id *id);

#endif
