/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a KMS must not lose: its users, its Ticket Protection Keys, and which messages it has taken.
 * One SQLite file and one journal beside it, for one process; or a Redis that a pool of them
 * shares. Keys there are sealed with a master key that is not there. Whatever a call has said it
 * did, is there after a kill.
 */
#ifndef GH_KMS_STORE_H
#define GH_KMS_STORE_H

#include "mikey/mikey.h"

#define KMS_MASTER_KEY 32 /**< octets */

struct kms_store;

/** A user. All borrowed; of a user that was found: from the arena, wiped with it. */
struct kms_user {
	struct mikey_id id;
	struct mikey_octets psk;  /**< shared with the KMS; empty = none */
	struct mikey_id psk_id;   /**< IDRpsk; no data = none */
	struct mikey_octets cert; /**< DER; empty = none */
	struct mikey_octets tpk;  /**< for tickets that it makes itself (mode 3); empty = none */
	struct mikey_id tpk_id;   /**< names it in those tickets */
};

/** A generation of the KMS's own TPK. */
struct kms_tpk {
	uint64_t generation; /**< from 1 on */
	struct base_secret key;
	uint64_t made_s, until_s; /**< unix time; no ticket under it is valid later */
};

/**
 * Open it, or make it (mode 0600). `master` has KMS_MASTER_KEY octets and is copied.
 * @return 0; BASE_CONFIG: no such folder, another program's file, another master key, another
 * process that has it open; BASE_LOCAL
 */
int kms_store_open(struct kms_store **ret, const char *path, const uint8_t *master,
                   struct base_error *err);

#define KMS_REDIS_MS                                                                               \
	300 /**< how long Redis may take for an answer, or to be reached, where nothing is said */

/** A Redis for several KMSs. All is copied. */
struct kms_redis {
	const char *address; /**< as it is shown */
	const char *host;    /**< an IP address; NULL = `path` */
	uint16_t port;
	const char *path;                   /**< of a Unix socket */
	const char *user;                   /**< of its access list; NULL = its default user */
	const struct base_secret *password; /**< NULL = none */
	const char *prefix;                 /**< of all keys in it: one pool has one */
	uint32_t patience_ms;               /**< 0 = KMS_REDIS_MS */
};

/**
 * The same in Redis, for all KMSs of a pool: they have one master key and one prefix. It blocks for
 * `patience_ms` at most for each thing it asks; after a failure nothing is asked for a while, and
 * each call fails with BASE_LOCAL at once.
 * @return 0; BASE_CONFIG: another master key; BASE_LOCAL: Redis is not there, or refuses
 */
int kms_store_open_redis(struct kms_store **ret, const struct kms_redis *redis,
                         const uint8_t *master, struct base_error *err);
/** NULL is fine. */
void kms_store_close(struct kms_store *store);

/** Add or replace a user. @return 0; BASE_CONFIG when another has that IDRpsk; BASE_LOCAL */
int kms_store_user_put(struct kms_store *store, const struct kms_user *user,
                       struct base_error *err);
/** @return 0; BASE_CONFIG when there is none; BASE_LOCAL */
int kms_store_user_remove(struct kms_store *store, const struct mikey_id *id,
                          struct base_error *err);
/** By which name a user is looked up. */
enum kms_by { KMS_BY_ID, KMS_BY_PSK_ID, KMS_BY_TPK_ID };
/** @param arena  with `wipe` set. @return 1, 0 when there is none, BASE_LOCAL */
int kms_store_user(struct kms_store *store, enum kms_by by, const struct mikey_id *name,
                   struct base_arena *arena, struct kms_user *ret);
/** Call for each user, in the order of their names, without their keys. @return 0, BASE_LOCAL, or
 * what `each` says */
int kms_store_users(struct kms_store *store, int (*each)(void *arg, const struct kms_user *user),
                    void *arg);

/**
 * The TPK to make tickets with: the newest, or a new one when that is older than `turn_s` or has
 * been called back. It is stored before it is given out. @param keep_s  how long tickets may live
 */
int kms_store_tpk(struct kms_store *store, uint64_t now_s, uint32_t turn_s, uint32_t keep_s,
                  const struct kms_tpk **ret, struct base_error *err);
/** The TPK of that generation. @return 1; 0 when it is unknown or over; BASE_LOCAL: nobody can tell
 */
int kms_store_tpk_of(struct kms_store *store, uint64_t generation, uint64_t now_s,
                     const struct kms_tpk **ret);

/**
 * Has this message been taken before? Remembers it until `until_s`, also over a kill.
 * @return 0 it is new, 1 it is not; BASE_LOCAL: nobody can tell, so do not take it: the disk is
 * full, or the clock has gone back to where messages counted that are forgotten by now
 */
int kms_store_seen(struct kms_store *store, const uint8_t digest[32], uint64_t now_s,
                   uint64_t until_s);

#endif
