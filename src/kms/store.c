/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is decided about users and TPKs, wherever they are kept (backend.h). What is secret in them
 * is sealed with the master key and bound to its place.
 */
#include "kms/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "kms/backend.h"

#define KEY_MAX 256 /* octets of a key that is kept */
#define TRIES   8   /* as often may somebody else be faster */

struct kms_store {
	struct kms_backend *backend;
	struct kms_tpk *tpk; /* oldest first */
	size_t tpk_count;
	uint8_t master[KMS_MASTER_KEY];
};

/* -- users ------------------------------------------------------------------------------------- */

/* Which key it is, and whose: sealed with it, so that nobody moves one user's key to another. */
static struct base_str user_what(char out[600], const char *kind, const struct mikey_id *id)
{
	size_t len = BASE_MIN(id->data.len, (size_t)512);
	int n = snprintf(out, 80, "%s %u %zu ", kind, id->type, id->data.len);

	if (len)
		memcpy(out + n, id->data.at, len);
	return (struct base_str){ out, (size_t)n + len };
}

/* `key` becomes what is sealed into `room`. */
static int key_seal(const struct kms_store *store, const char *kind, const struct mikey_id *id,
                    struct mikey_octets *key, uint8_t room[KEY_MAX + KMS_SEAL_EXTRA])
{
	char what[600];

	if (!key->len)
		return 0;
	if (key->len > KEY_MAX)
		return BASE_ERR(BASE_CONFIG, 0);
	if (kms_seal(store->master, user_what(what, kind, id), *key, room))
		return BASE_ERR(BASE_LOCAL, 0);
	*key = mikey_octets_of(room, key->len + KMS_SEAL_EXTRA);
	return 0;
}

/* `key` becomes what was sealed in it. */
static int key_open(const struct kms_store *store, const char *kind, const struct mikey_id *id,
                    struct base_arena *arena, struct mikey_octets *key)
{
	char what[600];
	uint8_t *clear;

	if (!key->len)
		return 0;
	clear = base_arena_alloc(arena, key->len);
	if (!clear)
		return BASE_ERR(BASE_LOCAL, 0);
	if (kms_unseal(store->master, user_what(what, kind, id), *key, clear))
		return BASE_ERR(BASE_CONFIG, 0);
	*key = mikey_octets_of(clear, key->len - KMS_SEAL_EXTRA);
	return 0;
}

/* The work of opening a key, for those who have none: time is not to tell who is known. */
static void open_nothing(const struct kms_store *store, const struct mikey_id *id)
{
	static const uint8_t sealed[KMS_TPK_LEN + KMS_SEAL_EXTRA];
	uint8_t clear[KMS_TPK_LEN];
	char what[600];

	(void)kms_unseal(store->master, user_what(what, "psk", id),
	                 mikey_octets_of(sealed, sizeof(sealed)), clear); /* never opens */
}

/* Somebody else with that name for a key? Replacing him would lose a user. */
static int name_taken(struct kms_store *store, enum kms_by by, const struct mikey_id *name,
                      const struct mikey_id *id, struct base_error *err)
{
	struct base_arena arena = { .wipe = true };
	struct kms_user other;
	int rc = kms_store_user(store, by, name, &arena, &other);

	if (rc == 1)
		rc = mikey_id_eq(&other.id, id)
		             ? 0
		             : base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                              "another user has that name for a key");
	else if (rc)
		rc = base_error_set(err, rc, "%s", store->backend->ops->says(store->backend));
	base_arena_done(&arena);
	return rc;
}

int kms_store_user_put(struct kms_store *store, const struct kms_user *user, struct base_error *err)
{
	uint8_t psk[KEY_MAX + KMS_SEAL_EXTRA], tpk[KEY_MAX + KMS_SEAL_EXTRA];
	struct kms_user row = *user;
	int rc;

	if (!user->id.data.len || user->id.data.len > 512)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a user needs a name of 1 to 512 octets");
	rc = name_taken(store, KMS_BY_PSK_ID, &user->psk_id, &user->id, err);
	if (!rc)
		rc = name_taken(store, KMS_BY_TPK_ID, &user->tpk_id, &user->id, err);
	if (rc)
		return rc;
	rc = key_seal(store, "psk", &user->id, &row.psk, psk);
	if (!rc)
		rc = key_seal(store, "tpk", &user->id, &row.tpk, tpk);
	if (rc)
		return base_error_set(err, rc, "a key of more than %d octets", KEY_MAX);
	rc = store->backend->ops->put(store->backend, &row);
	return rc ? base_error_set(err, rc, "%s", store->backend->ops->says(store->backend)) : 0;
}

int kms_store_user_remove(struct kms_store *store, const struct mikey_id *id,
                          struct base_error *err)
{
	int rc = store->backend->ops->remove(store->backend, id);

	if (rc == 1)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no such user");
	return rc ? base_error_set(err, rc, "%s", store->backend->ops->says(store->backend)) : 0;
}

int kms_store_user(struct kms_store *store, enum kms_by by, const struct mikey_id *name,
                   struct base_arena *arena, struct kms_user *ret)
{
	struct kms_user user;
	int rc;

	if (!name->data.len)
		return 0;
	rc = store->backend->ops->user(store->backend, by, name, arena, &user);
	if (!rc)
		open_nothing(store, name);
	if (rc != 1)
		return rc;
	rc = key_open(store, "psk", &user.id, arena, &user.psk);
	if (!rc)
		rc = key_open(store, "tpk", &user.id, arena, &user.tpk);
	if (rc)
		return rc;
	*ret = user;
	return 1;
}

int kms_store_users(struct kms_store *store, int (*each)(void *arg, const struct kms_user *user),
                    void *arg)
{
	return store->backend->ops->users(store->backend, each, arg);
}

/* -- ticket protection keys -------------------------------------------------------------------- */

static struct base_str tpk_what(char out[32], uint64_t generation)
{
	(void)snprintf(out, 32, "tpk %llu", (unsigned long long)generation);
	return base_str_of(out);
}

static int tpk_add(struct kms_store *store, const struct kms_tpk_row *row,
                   const uint8_t key[KMS_TPK_LEN])
{
	struct kms_tpk *more = reallocarray(store->tpk, store->tpk_count + 1, sizeof(*more));
	struct kms_tpk fresh = { .generation = row->generation,
		                 .made_s = row->made_s,
		                 .until_s = row->until_s };
	size_t at = store->tpk_count;

	if (!more)
		return BASE_ERR(BASE_LOCAL, 0);
	store->tpk = more;
	if (base_secret_set(&fresh.key, key, KMS_TPK_LEN))
		return BASE_ERR(BASE_LOCAL, 0);
	for (; at && more[at - 1].generation > fresh.generation; at--)
		more[at] = more[at - 1];
	more[at] = fresh;
	store->tpk_count++;
	return 0;
}

static int tpk_known(void *arg, const struct kms_tpk_row *row)
{
	struct kms_store *store = arg;
	uint8_t key[KMS_TPK_LEN];
	char what[32];
	int rc;

	for (size_t i = 0; i < store->tpk_count; i++)
		if (store->tpk[i].generation == row->generation)
			return 0;
	rc = kms_unseal(store->master, tpk_what(what, row->generation),
	                mikey_octets_of(row->sealed, sizeof(row->sealed)), key);
	if (!rc)
		rc = tpk_add(store, row, key);
	explicit_bzero(key, sizeof(key));
	return rc;
}

/* What others have made meanwhile, or we before. */
static int tpk_load(struct kms_store *store)
{
	return store->backend->ops->tpks(store->backend, tpk_known, store);
}

/* Those that no valid ticket can be under any more. */
static void tpk_expire(struct kms_store *store, uint64_t now_s)
{
	size_t kept = 0, count = store->tpk ? store->tpk_count : 0;

	for (size_t n = 0; n < count; n++) {
		if (store->tpk[n].until_s < now_s) {
			store->backend->ops->tpk_remove(store->backend, store->tpk[n].generation);
			base_secret_done(&store->tpk[n].key);
		} else {
			store->tpk[kept++] = store->tpk[n];
		}
	}
	store->tpk_count = kept;
}

/* The newest, where its turn is now; one that is made a whole turn from now on was made by a wrong
 * clock. */
static const struct kms_tpk *tpk_now(const struct kms_store *store, uint64_t now_s, uint32_t turn_s,
                                     uint32_t keep_s)
{
	const struct kms_tpk *last = store->tpk_count ? &store->tpk[store->tpk_count - 1] : NULL;

	return last && now_s < last->made_s + turn_s && last->made_s <= now_s + turn_s &&
	                       last->until_s >= now_s + keep_s
	               ? last
	               : NULL;
}

/* @return also 1: somebody else was faster */
static int tpk_make(struct kms_store *store, uint64_t generation, uint64_t now_s, uint64_t until_s)
{
	struct kms_tpk_row row = { .generation = generation, .made_s = now_s, .until_s = until_s };
	uint8_t key[KMS_TPK_LEN];
	char what[32];
	int rc = base_random(key, sizeof(key));

	if (!rc)
		rc = kms_seal(store->master, tpk_what(what, generation),
		              mikey_octets_of(key, sizeof(key)), row.sealed);
	if (!rc)
		rc = store->backend->ops->tpk_put(store->backend, &row);
	if (!rc)
		rc = tpk_add(store, &row, key);
	explicit_bzero(key, sizeof(key));
	return rc;
}

/*
 * A number that was used once is not used again, whatever has been erased. Which was the last is
 * asked before all are loaded: so what others make meanwhile is loaded, or takes that number first.
 */
static int tpk_turn(struct kms_store *store, uint64_t now_s, uint32_t turn_s, uint32_t keep_s,
                    const struct kms_tpk **ret)
{
	uint64_t last = 0;
	int rc = store->backend->ops->tpk_last(store->backend, &last);

	if (!rc && store->backend->ops->shared)
		rc = tpk_load(store);
	*ret = rc ? NULL : tpk_now(store, now_s, turn_s, keep_s);
	if (rc || *ret)
		return rc;
	tpk_expire(store, now_s);
	rc = tpk_make(store, last + 1, now_s, now_s + turn_s + keep_s);
	if (!rc)
		*ret = &store->tpk[store->tpk_count - 1];
	return rc == 1 ? 0 : rc;
}

int kms_store_tpk(struct kms_store *store, uint64_t now_s, uint32_t turn_s, uint32_t keep_s,
                  const struct kms_tpk **ret, struct base_error *err)
{
	const struct kms_tpk *tpk = tpk_now(store, now_s, turn_s, keep_s);
	int rc = 0;

	for (unsigned i = 0; !tpk && !rc && i < TRIES; i++)
		rc = tpk_turn(store, now_s, turn_s, keep_s, &tpk);
	if (!tpk)
		return base_error_set(err, rc ? rc : BASE_ERR(BASE_LOCAL, 0),
		                      "no new ticket protection key: %s",
		                      store->backend->ops->says(store->backend));
	*ret = tpk;
	return 0;
}

static const struct kms_tpk *tpk_find(const struct kms_store *store, uint64_t generation)
{
	for (size_t i = 0; i < store->tpk_count; i++)
		if (store->tpk[i].generation == generation)
			return &store->tpk[i];
	return NULL;
}

int kms_store_tpk_of(struct kms_store *store, uint64_t generation, uint64_t now_s,
                     const struct kms_tpk **ret)
{
	const struct kms_tpk *tpk = tpk_find(store, generation);
	int rc = 0;

	if (!tpk && store->backend->ops->shared) { /* another's, perhaps */
		rc = tpk_load(store);
		tpk = tpk_find(store, generation);
	}
	*ret = tpk && tpk->until_s >= now_s ? tpk : NULL;
	return *ret ? 1 : rc;
}

/* -- life -------------------------------------------------------------------------------------- */

int kms_store_seen(struct kms_store *store, const uint8_t digest[32], uint64_t now_s,
                   uint64_t until_s)
{
	return store->backend->ops->seen(store->backend, digest, now_s, until_s);
}

/* The master key proves itself by what it sealed when the store was made. */
static int master_check(struct kms_store *store, const char *where, struct base_error *err)
{
	static const uint8_t clear[KMS_PROOF - KMS_SEAL_EXTRA];
	uint8_t mine[KMS_PROOF], theirs[KMS_PROOF], opened[sizeof(clear)];
	int rc = kms_seal(store->master, BASE_STR("master"), mikey_octets_of(clear, sizeof(clear)),
	                  mine);

	if (rc)
		return rc;
	rc = store->backend->ops->proof(store->backend, mine, theirs);
	if (rc)
		return base_error_set(err, rc, "%s: %s", where,
		                      store->backend->ops->says(store->backend));
	rc = kms_unseal(store->master, BASE_STR("master"), mikey_octets_of(theirs, sizeof(theirs)),
	                opened);
	return rc ? base_error_set(
	                    err, rc,
	                    "%s: the master key is not the one that this store was made with",
	                    where)
	          : 0;
}

static struct kms_store *store_new(const uint8_t *master)
{
	struct kms_store *store = calloc(1, sizeof(*store));

	if (store)
		memcpy(store->master, master, sizeof(store->master));
	return store;
}

/* With a backend, or why there is none. */
static int store_begin(struct kms_store **ret, struct kms_store *store, const char *where, int rc,
                       struct base_error *err)
{
	if (!rc)
		rc = master_check(store, where, err);
	if (!rc && (rc = tpk_load(store)) != 0)
		rc = base_error_set(err, rc, "%s: a ticket protection key is damaged", where);
	if (rc)
		kms_store_close(store);
	else
		*ret = store;
	return rc;
}

int kms_store_open(struct kms_store **ret, const char *path, const uint8_t *master,
                   struct base_error *err)
{
	struct kms_store *store = store_new(master);

	return store ? store_begin(ret, store, path, kms_sqlite_open(&store->backend, path, err),
	                           err)
	             : BASE_ERR(BASE_LOCAL, 0);
}

int kms_store_open_redis(struct kms_store **ret, const struct kms_redis *redis,
                         const uint8_t *master, struct base_error *err)
{
	struct kms_store *store = store_new(master);

	return store ? store_begin(ret, store, redis->address,
	                           kms_redis_open(&store->backend, redis, master, err), err)
	             : BASE_ERR(BASE_LOCAL, 0);
}

void kms_store_close(struct kms_store *store)
{
	if (!store)
		return;
	if (store->backend)
		store->backend->ops->close(store->backend);
	for (size_t i = 0; i < store->tpk_count; i++)
		base_secret_done(&store->tpk[i].key);
	free(store->tpk);
	explicit_bzero(store->master, sizeof(store->master));
	free(store);
}
