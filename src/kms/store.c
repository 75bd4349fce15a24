/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: users and TPKs in SQLite, with a full sync at each change, for they are few. What is
 * secret in it is sealed with the master key and bound to its place. Messages that were taken are
 * many, and go to the journal (seen.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kms/seal.h"
#include "kms/seen.h"
#include "kms/store.h"

#define APPLICATION 0x47484b4d /* "GHKM": whose file it is */
#define KEY_MAX     256        /* octets of a key that is kept */
#define TPK_LEN     32

static const char schema[] =
        "PRAGMA application_id=1195920205;PRAGMA user_version=1;"
        "CREATE TABLE user(type INT,id BLOB,psk BLOB,psk_type INT,psk_id BLOB,cert BLOB,"
        "tpk BLOB,tpk_type INT,tpk_id BLOB,PRIMARY KEY(type,id),UNIQUE(psk_type,psk_id),"
        "UNIQUE(tpk_type,tpk_id)) WITHOUT ROWID;"
        "CREATE TABLE tpk(generation INTEGER PRIMARY KEY AUTOINCREMENT,key BLOB,made INT,"
        "until INT);"
        "CREATE TABLE master(proof BLOB);";

enum statement {
	BY_ID,
	BY_PSK_ID,
	BY_TPK_ID,
	ALL,
	PUT,
	REMOVE,
	STATEMENTS,
};

#define COLUMNS "SELECT type,id,psk,psk_type,psk_id,cert,tpk,tpk_type,tpk_id FROM user "
static const char *const statements[STATEMENTS] = {
	[BY_ID] = COLUMNS "WHERE type=?1 AND id=?2",
	[BY_PSK_ID] = COLUMNS "WHERE psk_id=?2 AND psk_type=?1",
	[BY_TPK_ID] = COLUMNS "WHERE tpk_id=?2 AND tpk_type=?1",
	[ALL] = "SELECT type,id,NULL,psk_type,psk_id,cert,NULL,tpk_type,tpk_id FROM user "
	        "ORDER BY type,id",
	[PUT] = "INSERT INTO user VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(type,id) DO "
	        "UPDATE "
	        "SET psk=?3,psk_type=?4,psk_id=?5,cert=?6,tpk=?7,tpk_type=?8,tpk_id=?9",
	[REMOVE] = "DELETE FROM user WHERE type=?1 AND id=?2",
};

struct kms_store {
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENTS];
	struct kms_seen *seen;
	struct kms_tpk *tpk; /* oldest first */
	size_t tpk_count;
	uint8_t master[KMS_MASTER_KEY];
};

/* -- opening ----------------------------------------------------------------------------------- */

static int sql_error(struct kms_store *store, const char *path, struct base_error *err)
{
	int code = sqlite3_errcode(store->db);

	return base_error_set(err, BASE_ERR(code == SQLITE_NOMEM ? BASE_LOCAL : BASE_CONFIG, code),
	                      "%s: %s", path, sqlite3_errmsg(store->db));
}

static int64_t number(struct kms_store *store, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st); /* says again what step said */
	return n;
}

/* Run one statement with a blob: ?1. */
static int run_blob(struct kms_store *store, const char *sql, const void *data, size_t len)
{
	sqlite3_stmt *st = NULL;
	int rc = BASE_ERR(BASE_LOCAL, 0);

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_bind_blob(st, 1, data, (int)len, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_DONE)
		rc = 0;
	(void)sqlite3_finalize(st); /* says again what step said */
	return rc;
}

/* The master key proves itself by what it sealed when the file was made. */
static int master_check(struct kms_store *store, const char *path, bool fresh,
                        struct base_error *err)
{
	static const uint8_t proof[16];
	uint8_t sealed[sizeof(proof) + KMS_SEAL_EXTRA], clear[sizeof(proof)];
	sqlite3_stmt *st = NULL;
	int rc;

	if (fresh) {
		rc = kms_seal(store->master, BASE_STR("master"),
		              mikey_octets_of(proof, sizeof(proof)), sealed);
		return rc ? rc
		          : run_blob(store, "INSERT INTO master VALUES(?1)", sealed,
		                     sizeof(sealed));
	}
	rc = BASE_ERR(BASE_CONFIG, 0);
	if (sqlite3_prepare_v2(store->db, "SELECT proof FROM master", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW && sqlite3_column_bytes(st, 0) == (int)sizeof(sealed))
		rc = kms_unseal(store->master, BASE_STR("master"),
		                mikey_octets_of(sqlite3_column_blob(st, 0), sizeof(sealed)), clear);
	(void)sqlite3_finalize(st); /* says again what step said */
	return rc ? base_error_set(
	                    err, rc,
	                    "%s: the master key is not the one that this store was made with", path)
	          : 0;
}

static void tpk_what(char out[32], uint64_t generation)
{
	(void)snprintf(out, 32, "tpk %llu", (unsigned long long)generation);
}

static int tpk_append(struct kms_store *store, uint64_t generation, const uint8_t key[TPK_LEN],
                      uint64_t made_s, uint64_t until_s)
{
	struct kms_tpk *more = reallocarray(store->tpk, store->tpk_count + 1, sizeof(*more));
	struct kms_tpk *t;

	if (!more)
		return BASE_ERR(BASE_LOCAL, 0);
	store->tpk = more;
	t = &more[store->tpk_count];
	*t = (struct kms_tpk){ .generation = generation, .made_s = made_s, .until_s = until_s };
	if (base_secret_set(&t->key, key, TPK_LEN))
		return BASE_ERR(BASE_LOCAL, 0);
	store->tpk_count++;
	return 0;
}

static int tpk_load(struct kms_store *store, const char *path, struct base_error *err)
{
	sqlite3_stmt *st = NULL;
	uint8_t key[TPK_LEN];
	char what[32];
	int rc = 0, step = SQLITE_ERROR;

	if (sqlite3_prepare_v2(store->db, "SELECT generation,key,made,until FROM tpk ORDER BY 1",
	                       -1, &st, NULL) == SQLITE_OK) {
		while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
			uint64_t generation = (uint64_t)sqlite3_column_int64(st, 0);

			tpk_what(what, generation);
			rc = sqlite3_column_bytes(st, 1) != TPK_LEN + KMS_SEAL_EXTRA
			             ? BASE_ERR(BASE_CONFIG, 0)
			             : kms_unseal(store->master, base_str_of(what),
			                          mikey_octets_of(sqlite3_column_blob(st, 1),
			                                          TPK_LEN + KMS_SEAL_EXTRA),
			                          key);
			if (!rc)
				rc = tpk_append(store, generation, key,
				                (uint64_t)sqlite3_column_int64(st, 2),
				                (uint64_t)sqlite3_column_int64(st, 3));
		}
	}
	explicit_bzero(key, sizeof(key));
	(void)sqlite3_finalize(st); /* says again what step said */
	if (rc)
		return base_error_set(err, rc, "%s: a ticket protection key is damaged", path);
	return step == SQLITE_DONE ? 0 : sql_error(store, path, err);
}

/* Ours, new or as it was; other programs' files are left alone. */
static int identify(struct kms_store *store, const char *path, struct base_error *err)
{
	bool fresh = number(store, "SELECT count(*) FROM sqlite_master") == 0;
	int rc;

	if (sqlite3_errcode(store->db) == SQLITE_NOTADB)
		return sql_error(store, path, err);
	if (!fresh && number(store, "PRAGMA application_id") != APPLICATION)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "%s: the file is another program's", path);
	if (!fresh && number(store, "PRAGMA user_version") != 1)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "%s: made by another version of this program", path);
	if (sqlite3_exec(store->db,
	                 "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;BEGIN IMMEDIATE", NULL,
	                 NULL, NULL) != SQLITE_OK ||
	    (fresh && sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK))
		return sql_error(store, path, err);
	rc = master_check(store, path, fresh, err);
	if (!rc && sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		rc = sql_error(store, path, err);
	return rc;
}

int kms_store_open(struct kms_store **ret, const char *path, const uint8_t *master,
                   struct base_error *err)
{
	struct kms_store *store = calloc(1, sizeof(*store));
	char journal[4096];
	int fd, rc = 0;

	if (!store)
		return BASE_ERR(BASE_LOCAL, 0);
	memcpy(store->master, master, sizeof(store->master));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	          0600); /* SQLite would say 0644 */
	if (fd < 0)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "%s: %s", path,
		                    strerror(errno));
	else
		(void)close(fd); /* nothing was written */
	if (!rc && sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                           NULL) != SQLITE_OK)
		rc = sql_error(store, path, err);
	if (!rc)
		(void)sqlite3_busy_timeout(store->db, 2000); /* cannot fail */
	if (!rc)
		rc = identify(store, path, err);
	(void)snprintf(journal, sizeof(journal), "%s-seen", path);
	if (!rc) /* they are locked: from here on it is ours alone */
		rc = kms_seen_open(&store->seen, journal, err);
	for (unsigned i = 0; i < STATEMENTS && !rc; i++) {
		if (sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
		                       &store->statement[i], NULL) != SQLITE_OK)
			rc = sql_error(store, path, err);
	}
	if (!rc)
		rc = tpk_load(store, path, err);
	if (rc)
		kms_store_close(store);
	else
		*ret = store;
	return rc;
}

void kms_store_close(struct kms_store *store)
{
	if (!store)
		return;
	for (unsigned i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(store->statement[i]); /* says again what step said */
	(void)sqlite3_close(store->db);                      /* nothing is open any more */
	kms_seen_close(store->seen);
	for (size_t i = 0; i < store->tpk_count; i++)
		base_secret_done(&store->tpk[i].key);
	free(store->tpk);
	explicit_bzero(store->master, sizeof(store->master));
	free(store);
}

int kms_store_seen(struct kms_store *store, const uint8_t digest[32], uint64_t now_s,
                   uint64_t until_s)
{
	return kms_seen(store->seen, digest, now_s, until_s);
}

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

static int bind_id(sqlite3_stmt *st, int at, const struct mikey_id *id)
{
	if (!id->data.len)
		return sqlite3_bind_null(st, at + 1);
	if (sqlite3_bind_int(st, at, id->type) != SQLITE_OK)
		return SQLITE_ERROR;
	return sqlite3_bind_blob(st, at + 1, id->data.at, (int)id->data.len, SQLITE_STATIC);
}

/* Sealed into `room`, which has to live until the statement has run. */
static int bind_key(struct kms_store *store, sqlite3_stmt *st, int at, const char *kind,
                    const struct mikey_id *id, struct mikey_octets key,
                    uint8_t room[KEY_MAX + KMS_SEAL_EXTRA])
{
	char what[600];

	if (!key.len)
		return 0;
	if (key.len > KEY_MAX)
		return BASE_ERR(BASE_CONFIG, 0);
	if (kms_seal(store->master, user_what(what, kind, id), key, room))
		return BASE_ERR(BASE_LOCAL, 0);
	return sqlite3_bind_blob(st, at, room, (int)(key.len + KMS_SEAL_EXTRA), SQLITE_STATIC) ==
	                       SQLITE_OK
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

/* The work of opening a key, for those who have none: time is not to tell who is known. */
static void open_nothing(struct kms_store *store, const struct mikey_id *id)
{
	static const uint8_t sealed[TPK_LEN + KMS_SEAL_EXTRA];
	uint8_t clear[TPK_LEN];
	char what[600];

	(void)kms_unseal(store->master, user_what(what, "psk", id),
	                 mikey_octets_of(sealed, sizeof(sealed)), clear); /* never opens */
}

/* Somebody else with that name for a key? Replacing him would lose a user. */
static bool name_taken(struct kms_store *store, enum kms_by by, const struct mikey_id *name,
                       const struct mikey_id *id)
{
	struct base_arena arena = { .wipe = true };
	struct kms_user other;
	bool taken = name->data.len && kms_store_user(store, by, name, &arena, &other) == 1 &&
	             !mikey_id_eq(&other.id, id);

	base_arena_done(&arena);
	return taken;
}

int kms_store_user_put(struct kms_store *store, const struct kms_user *user, struct base_error *err)
{
	sqlite3_stmt *st = store->statement[PUT];
	uint8_t psk[KEY_MAX + KMS_SEAL_EXTRA], tpk[KEY_MAX + KMS_SEAL_EXTRA];
	int rc;

	if (!user->id.data.len || user->id.data.len > 512)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a user needs a name of 1 to 512 octets");
	if (name_taken(store, KMS_BY_PSK_ID, &user->psk_id, &user->id) ||
	    name_taken(store, KMS_BY_TPK_ID, &user->tpk_id, &user->id))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "another user has that name for a key");
	(void)sqlite3_clear_bindings(st); /* cannot fail */
	rc = bind_key(store, st, 3, "psk", &user->id, user->psk, psk);
	if (!rc)
		rc = bind_key(store, st, 7, "tpk", &user->id, user->tpk, tpk);
	if (rc)
		return base_error_set(err, rc, "a key of more than %d octets", KEY_MAX);
	if (bind_id(st, 1, &user->id) != SQLITE_OK || bind_id(st, 4, &user->psk_id) != SQLITE_OK ||
	    bind_id(st, 8, &user->tpk_id) != SQLITE_OK ||
	    (user->cert.len && sqlite3_bind_blob(st, 6, user->cert.at, (int)user->cert.len,
	                                         SQLITE_STATIC) != SQLITE_OK) ||
	    sqlite3_step(st) != SQLITE_DONE)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "%s", sqlite3_errmsg(store->db));
	(void)sqlite3_reset(st); /* says again what step said */
	return rc;
}

int kms_store_user_remove(struct kms_store *store, const struct mikey_id *id,
                          struct base_error *err)
{
	sqlite3_stmt *st = store->statement[REMOVE];
	int rc = 0;

	if (bind_id(st, 1, id) != SQLITE_OK || sqlite3_step(st) != SQLITE_DONE)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "%s", sqlite3_errmsg(store->db));
	else if (!sqlite3_changes(store->db))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no such user");
	(void)sqlite3_reset(st); /* says again what step said */
	return rc;
}

/* A copy of a column. False when memory is short. */
static bool blob(sqlite3_stmt *st, int column, struct base_arena *arena, struct mikey_octets *ret)
{
	struct base_str s = { sqlite3_column_blob(st, column),
		              (size_t)sqlite3_column_bytes(st, column) };

	*ret = mikey_octets_of(s.len ? base_arena_dup(arena, s) : NULL, s.len);
	return !s.len || ret->at;
}

static bool id_column(sqlite3_stmt *st, int column, struct base_arena *arena, struct mikey_id *ret)
{
	ret->type = (uint8_t)sqlite3_column_int(st, column);
	return blob(st, column + 1, arena, &ret->data);
}

/* A sealed column, opened. */
static int key_column(struct kms_store *store, sqlite3_stmt *st, int column, const char *kind,
                      const struct mikey_id *id, struct base_arena *arena, struct mikey_octets *ret)
{
	struct mikey_octets sealed = mikey_octets_of(sqlite3_column_blob(st, column),
	                                             (size_t)sqlite3_column_bytes(st, column));
	char what[600];
	uint8_t *clear;

	*ret = mikey_octets_of(NULL, 0);
	if (!sealed.len)
		return 0;
	clear = base_arena_alloc(arena, sealed.len);
	if (!clear)
		return BASE_ERR(BASE_LOCAL, 0);
	if (kms_unseal(store->master, user_what(what, kind, id), sealed, clear))
		return BASE_ERR(BASE_CONFIG, 0);
	*ret = mikey_octets_of(clear, sealed.len - KMS_SEAL_EXTRA);
	return 0;
}

static int user_row(struct kms_store *store, sqlite3_stmt *st, struct base_arena *arena,
                    struct kms_user *ret)
{
	struct kms_user user;
	int rc = 0;

	if (!id_column(st, 0, arena, &user.id) || !id_column(st, 3, arena, &user.psk_id) ||
	    !blob(st, 5, arena, &user.cert) || !id_column(st, 7, arena, &user.tpk_id))
		return BASE_ERR(BASE_LOCAL, 0);
	rc = key_column(store, st, 2, "psk", &user.id, arena, &user.psk);
	if (!rc)
		rc = key_column(store, st, 6, "tpk", &user.id, arena, &user.tpk);
	if (!rc)
		*ret = user;
	return rc;
}

int kms_store_user(struct kms_store *store, enum kms_by by, const struct mikey_id *name,
                   struct base_arena *arena, struct kms_user *ret)
{
	static const enum statement which[] = { BY_ID, BY_PSK_ID, BY_TPK_ID };
	sqlite3_stmt *st = store->statement[which[by]];
	int rc = BASE_ERR(BASE_LOCAL, 0), step;

	if (!name->data.len)
		return 0;
	if (bind_id(st, 1, name) == SQLITE_OK) {
		step = sqlite3_step(st);
		if (step == SQLITE_DONE) {
			open_nothing(store, name);
			rc = 0;
		} else if (step == SQLITE_ROW)
			rc = user_row(store, st, arena, ret);
		if (step == SQLITE_ROW && !rc)
			rc = 1;
	}
	(void)sqlite3_reset(st); /* says again what step said */
	return rc;
}

int kms_store_users(struct kms_store *store, int (*each)(void *arg, const struct kms_user *user),
                    void *arg)
{
	sqlite3_stmt *st = store->statement[ALL];
	struct base_arena arena = { 0 };
	struct kms_user user;
	int rc = 0, step = SQLITE_DONE;

	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		base_arena_reset(&arena);
		rc = user_row(store, st, &arena, &user);
		if (!rc)
			rc = each(arg, &user);
	}
	(void)sqlite3_reset(st); /* says again what step said */
	base_arena_done(&arena);
	return rc ? rc : step == SQLITE_DONE ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

/* -- ticket protection keys -------------------------------------------------------------------- */

static int tpk_insert(struct kms_store *store, uint64_t generation, const uint8_t key[TPK_LEN],
                      uint64_t made_s, uint64_t until_s)
{
	sqlite3_stmt *st = NULL;
	uint8_t sealed[TPK_LEN + KMS_SEAL_EXTRA];
	int rc = BASE_ERR(BASE_LOCAL, 0);
	char what[32];

	tpk_what(what, generation);
	if (kms_seal(store->master, base_str_of(what), mikey_octets_of(key, TPK_LEN), sealed))
		return rc;
	if (sqlite3_prepare_v2(store->db, "INSERT INTO tpk VALUES(?1,?2,?3,?4)", -1, &st, NULL) ==
	            SQLITE_OK &&
	    sqlite3_bind_int64(st, 1, (int64_t)generation) == SQLITE_OK &&
	    sqlite3_bind_blob(st, 2, sealed, sizeof(sealed), SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int64(st, 3, (int64_t)made_s) == SQLITE_OK &&
	    sqlite3_bind_int64(st, 4, (int64_t)until_s) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_DONE)
		rc = 0;
	(void)sqlite3_finalize(st); /* says again what step said */
	return rc;
}

/* Those that no valid ticket can be under any more. */
static void tpk_expire(struct kms_store *store, uint64_t now_s)
{
	char sql[64];
	size_t kept = 0, count = store->tpk ? store->tpk_count : 0;

	for (size_t n = 0; n < count; n++) {
		if (store->tpk[n].until_s < now_s)
			base_secret_done(&store->tpk[n].key);
		else
			store->tpk[kept++] = store->tpk[n];
	}
	store->tpk_count = kept;
	if (kept == count)
		return;
	(void)snprintf(sql, sizeof(sql), "DELETE FROM tpk WHERE until<%llu",
	               (unsigned long long)now_s);
	(void)sqlite3_exec(store->db, sql, NULL, NULL, NULL); /* else they go next time */
}

int kms_store_tpk(struct kms_store *store, uint64_t now_s, uint32_t turn_s, uint32_t keep_s,
                  const struct kms_tpk **ret, struct base_error *err)
{
	const struct kms_tpk *last = store->tpk_count ? &store->tpk[store->tpk_count - 1] : NULL;
	uint8_t key[TPK_LEN];
	uint64_t generation, until_s = now_s + turn_s + keep_s;
	int64_t used;
	int rc;

	/* one that is made a whole turn from now on was made by a wrong clock */
	if (last && now_s < last->made_s + turn_s && last->made_s <= now_s + turn_s &&
	    last->until_s >= now_s + keep_s) {
		*ret = last;
		return 0;
	}
	tpk_expire(store, now_s);
	/* a number that was used once is not used again, whatever has been erased */
	used = number(store,
	              "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name='tpk'),0)");
	generation = (uint64_t)used + 1;
	rc = used < 0 || base_random(key, sizeof(key))
	             ? BASE_ERR(BASE_LOCAL, 0)
	             : tpk_insert(store, generation, key, now_s, until_s);
	if (!rc)
		rc = tpk_append(store, generation, key, now_s, until_s);
	explicit_bzero(key, sizeof(key));
	if (rc)
		return base_error_set(err, rc, "no new ticket protection key: %s",
		                      sqlite3_errmsg(store->db));
	*ret = &store->tpk[store->tpk_count - 1];
	return 0;
}

const struct kms_tpk *kms_store_tpk_of(struct kms_store *store, uint64_t generation, uint64_t now_s)
{
	for (size_t i = 0; i < store->tpk_count; i++) {
		if (store->tpk[i].generation == generation)
			return store->tpk[i].until_s >= now_s ? &store->tpk[i] : NULL;
	}
	return NULL;
}
