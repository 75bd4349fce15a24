/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where a store keeps its rows: SQLite or Redis. What is decided about them is in store.c, once;
 * keys come here sealed and leave so. Private to this folder.
 */
#ifndef GH_KMS_BACKEND_H
#define GH_KMS_BACKEND_H

#include "kms/seal.h"

#define KMS_TPK_LEN 32
#define KMS_PROOF   (16 + KMS_SEAL_EXTRA) /**< octets of what proves a master key */

/** A TPK as it is kept. */
struct kms_tpk_row {
	uint64_t generation, made_s, until_s;
	uint8_t sealed[KMS_TPK_LEN + KMS_SEAL_EXTRA];
};

struct kms_backend;

/** Where nothing else is said: 0, or BASE_LOCAL and `says`. `psk` and `tpk` of users are sealed. */
struct kms_backend_ops {
	bool shared; /**< others write there, too */
	void (*close)(struct kms_backend *b);
	/** Why the last one failed. */
	const char *(*says)(struct kms_backend *b);
	/** Keep `mine` unless there is one, and tell which is there then. */
	int (*proof)(struct kms_backend *b, const uint8_t mine[KMS_PROOF], uint8_t ret[KMS_PROOF]);
	/** As kms_store_user. */
	int (*user)(struct kms_backend *b, enum kms_by by, const struct mikey_id *name,
	            struct base_arena *arena, struct kms_user *ret);
	/** As kms_store_users. */
	int (*users)(struct kms_backend *b, int (*each)(void *arg, const struct kms_user *user),
	             void *arg);
	int (*put)(struct kms_backend *b, const struct kms_user *user);
	/** @return also 1: there is none */
	int (*remove)(struct kms_backend *b, const struct mikey_id *id);
	/** All of them, in any order. @return also BASE_CONFIG, and what `each` says */
	int (*tpks)(struct kms_backend *b, int (*each)(void *arg, const struct kms_tpk_row *row),
	            void *arg);
	/** The number that was used last, whether it is there still or not; 0 = none. */
	int (*tpk_last)(struct kms_backend *b, uint64_t *ret);
	/** @return also 1: somebody else has used that number meanwhile */
	int (*tpk_put)(struct kms_backend *b, const struct kms_tpk_row *row);
	/** Best effort: what stays is removed next time. */
	void (*tpk_remove)(struct kms_backend *b, uint64_t generation);
	/** As kms_store_seen. */
	int (*seen)(struct kms_backend *b, const uint8_t digest[32], uint64_t now_s,
	            uint64_t until_s);
};

struct kms_backend {
	const struct kms_backend_ops *ops;
};

/** sqlite.c. @return as kms_store_open */
int kms_sqlite_open(struct kms_backend **ret, const char *path, struct base_error *err);
/** redis.c: `master` seals its records as a whole. @return as kms_store_open_redis */
int kms_redis_open(struct kms_backend **ret, const struct kms_redis *spec, const uint8_t *master,
                   struct base_error *err);

#endif
