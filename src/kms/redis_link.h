/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One connection to Redis that waits for each answer, but not for long. Private to this folder.
 */
#ifndef GH_KMS_REDIS_LINK_H
#define GH_KMS_REDIS_LINK_H

#include "kms/backend.h"

struct redisContext;
struct redisReply;

#define KMS_PREFIX_MAX 63

struct kms_link {
	struct redisContext *redis; /**< NULL = none */
	char host[64];              /**< "" = `path` */
	char path[108];
	int port;
	uint32_t patience_ms;
	char user[64], shown[128], prefix[KMS_PREFIX_MAX + 1];
	struct base_secret password;
	uint64_t rest_until_ms; /**< nothing is tried before */
	bool told;              /**< that it is lost */
	bool proven;            /**< `proof` is set */
	uint8_t proof[KMS_PROOF];
	char why[200]; /**< the last failure */
};

/** @return 0, BASE_CONFIG, BASE_LOCAL */
int kms_link_init(struct kms_link *link, const struct kms_redis *spec, struct base_error *err);
void kms_link_done(struct kms_link *link);
/**
 * Ask, connecting where need be. A connection that has died meanwhile is made anew once and the
 * question repeated: so it must do no harm twice.
 * @return the answer, for kms_link_reply_free(), never an error; NULL: `why` says
 */
struct redisReply *kms_link_ask(struct kms_link *link, int count, const struct base_str *words);
/** From now on a Redis without this under PREFIX:master is not the one that it was. */
void kms_link_proven(struct kms_link *link, const uint8_t proof[KMS_PROOF]);
/** Say in `why` that an answer is not as it should be. @return BASE_LOCAL */
int kms_link_odd(struct kms_link *link);

#endif
