/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: users and TPKs in SQLite, with a full sync at each change, for they are few. Messages
 * that were taken are many, and go to the journal (seen.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kms/backend.h"
#include "kms/seen.h"

#define APPLICATION 0x47484b4d /* "GHKM": whose file it is */

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

struct file {
	struct kms_backend backend;
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENTS];
	struct kms_seen *seen;
};

static struct file *file_of(struct kms_backend *b)
{
	return BASE_CONTAINER_OF(b, struct file, backend);
}

/* -- opening ----------------------------------------------------------------------------------- */

static int sql_error(struct file *store, const char *path, struct base_error *err)
{
	int code = sqlite3_errcode(store->db);

	return base_error_set(err, BASE_ERR(code == SQLITE_NOMEM ? BASE_LOCAL : BASE_CONFIG, code),
	                      "%s: %s", path, sqlite3_errmsg(store->db));
}

static int64_t number(struct file *store, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st); /* says again what step said */
	return n;
}

/* Ours, new or as it was; other programs' files are left alone. */
static int identify(struct file *store, const char *path, struct base_error *err)
{
	bool fresh = number(store, "SELECT count(*) FROM sqlite_master") == 0;

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
	    (fresh && sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK) ||
	    sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(store, path, err);
	return 0;
}

/* -- users ------------------------------------------------------------------------------------- */

static int bind_id(sqlite3_stmt *st, int at, const struct mikey_id *id)
{
	if (!id->data.len)
		return sqlite3_bind_null(st, at + 1);
	if (sqlite3_bind_int(st, at, id->type) != SQLITE_OK)
		return SQLITE_ERROR;
	return sqlite3_bind_blob(st, at + 1, id->data.at, (int)id->data.len, SQLITE_STATIC);
}

static int bind_octets(sqlite3_stmt *st, int at, struct mikey_octets octets)
{
	return octets.len ? sqlite3_bind_blob(st, at, octets.at, (int)octets.len, SQLITE_STATIC)
	                  : SQLITE_OK;
}

static int failed(void)
{
	return BASE_ERR(BASE_LOCAL, 0);
}

static int user_put(struct kms_backend *b, const struct kms_user *user)
{
	sqlite3_stmt *st = file_of(b)->statement[PUT];
	int rc = 0;

	(void)sqlite3_clear_bindings(st); /* cannot fail */
	if (bind_id(st, 1, &user->id) != SQLITE_OK || bind_octets(st, 3, user->psk) != SQLITE_OK ||
	    bind_id(st, 4, &user->psk_id) != SQLITE_OK ||
	    bind_octets(st, 6, user->cert) != SQLITE_OK ||
	    bind_octets(st, 7, user->tpk) != SQLITE_OK ||
	    bind_id(st, 8, &user->tpk_id) != SQLITE_OK || sqlite3_step(st) != SQLITE_DONE)
		rc = failed();
	(void)sqlite3_reset(st); /* says again what step said */
	return rc;
}

static int user_remove(struct kms_backend *b, const struct mikey_id *id)
{
	struct file *store = file_of(b);
	sqlite3_stmt *st = store->statement[REMOVE];
	int rc = 0;

	if (bind_id(st, 1, id) != SQLITE_OK || sqlite3_step(st) != SQLITE_DONE)
		rc = failed();
	else if (!sqlite3_changes(store->db))
		rc = 1;
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

static bool user_row(sqlite3_stmt *st, struct base_arena *arena, struct kms_user *ret)
{
	return id_column(st, 0, arena, &ret->id) && blob(st, 2, arena, &ret->psk) &&
	       id_column(st, 3, arena, &ret->psk_id) && blob(st, 5, arena, &ret->cert) &&
	       blob(st, 6, arena, &ret->tpk) && id_column(st, 7, arena, &ret->tpk_id);
}

static int user_find(struct kms_backend *b, enum kms_by by, const struct mikey_id *name,
                     struct base_arena *arena, struct kms_user *ret)
{
	static const enum statement which[] = { BY_ID, BY_PSK_ID, BY_TPK_ID };
	sqlite3_stmt *st = file_of(b)->statement[which[by]];
	int rc = failed(), step;

	if (bind_id(st, 1, name) == SQLITE_OK) {
		step = sqlite3_step(st);
		if (step == SQLITE_DONE)
			rc = 0;
		else if (step == SQLITE_ROW && user_row(st, arena, ret))
			rc = 1;
	}
	(void)sqlite3_reset(st); /* says again what step said */
	return rc;
}

static int users(struct kms_backend *b, int (*each)(void *arg, const struct kms_user *user),
                 void *arg)
{
	sqlite3_stmt *st = file_of(b)->statement[ALL];
	struct base_arena arena = { 0 };
	struct kms_user user;
	int rc = 0, step = SQLITE_DONE;

	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		base_arena_reset(&arena);
		rc = user_row(st, &arena, &user) ? each(arg, &user) : failed();
	}
	(void)sqlite3_reset(st); /* says again what step said */
	base_arena_done(&arena);
	return rc ? rc : step == SQLITE_DONE ? 0 : failed();
}

/* -- ticket protection keys -------------------------------------------------------------------- */

static int tpks(struct kms_backend *b, int (*each)(void *arg, const struct kms_tpk_row *row),
                void *arg)
{
	struct kms_tpk_row row;
	sqlite3_stmt *st = NULL;
	int rc = 0, step = SQLITE_ERROR;

	if (sqlite3_prepare_v2(file_of(b)->db, "SELECT generation,key,made,until FROM tpk", -1, &st,
	                       NULL) == SQLITE_OK) {
		while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
			row = (struct kms_tpk_row){
				.generation = (uint64_t)sqlite3_column_int64(st, 0),
				.made_s = (uint64_t)sqlite3_column_int64(st, 2),
				.until_s = (uint64_t)sqlite3_column_int64(st, 3),
			};
			if (sqlite3_column_bytes(st, 1) != (int)sizeof(row.sealed)) {
				rc = BASE_ERR(BASE_CONFIG, 0);
				break;
			}
			memcpy(row.sealed, sqlite3_column_blob(st, 1), sizeof(row.sealed));
			rc = each(arg, &row);
		}
	}
	(void)sqlite3_finalize(st); /* says again what step said */
	return rc ? rc : step == SQLITE_DONE ? 0 : failed();
}

static int tpk_last(struct kms_backend *b, uint64_t *ret)
{
	int64_t used = number(file_of(b), "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE "
	                                  "name='tpk'),0)");

	*ret = (uint64_t)used;
	return used < 0 ? failed() : 0;
}

static int tpk_put(struct kms_backend *b, const struct kms_tpk_row *row)
{
	sqlite3_stmt *st = NULL;
	int rc = failed();

	if (sqlite3_prepare_v2(file_of(b)->db, "INSERT INTO tpk VALUES(?1,?2,?3,?4)", -1, &st,
	                       NULL) == SQLITE_OK &&
	    sqlite3_bind_int64(st, 1, (int64_t)row->generation) == SQLITE_OK &&
	    sqlite3_bind_blob(st, 2, row->sealed, sizeof(row->sealed), SQLITE_STATIC) ==
	            SQLITE_OK &&
	    sqlite3_bind_int64(st, 3, (int64_t)row->made_s) == SQLITE_OK &&
	    sqlite3_bind_int64(st, 4, (int64_t)row->until_s) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_DONE)
		rc = 0;
	(void)sqlite3_finalize(st); /* says again what step said */
	return rc;
}

static void tpk_remove(struct kms_backend *b, uint64_t generation)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "DELETE FROM tpk WHERE generation=%llu",
	               (unsigned long long)generation);
	(void)sqlite3_exec(file_of(b)->db, sql, NULL, NULL, NULL); /* best effort */
}

/* -- the rest ---------------------------------------------------------------------------------- */

static int proof(struct kms_backend *b, const uint8_t mine[KMS_PROOF], uint8_t ret[KMS_PROOF])
{
	struct file *store = file_of(b);
	sqlite3_stmt *st = NULL;
	int rc = failed();

	if (sqlite3_prepare_v2(
	            store->db,
	            "INSERT INTO master SELECT ?1 WHERE NOT EXISTS(SELECT 1 FROM master)", -1, &st,
	            NULL) == SQLITE_OK &&
	    sqlite3_bind_blob(st, 1, mine, KMS_PROOF, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_DONE)
		rc = 0;
	(void)sqlite3_finalize(st); /* says again what step said */
	st = NULL;
	if (!rc &&
	    sqlite3_prepare_v2(store->db, "SELECT proof FROM master", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW && sqlite3_column_bytes(st, 0) == KMS_PROOF)
		memcpy(ret, sqlite3_column_blob(st, 0), KMS_PROOF);
	else
		rc = failed();
	(void)sqlite3_finalize(st); /* says again what step said */
	return rc;
}

static int seen(struct kms_backend *b, const uint8_t digest[32], uint64_t now_s, uint64_t until_s)
{
	return kms_seen(file_of(b)->seen, digest, now_s, until_s);
}

static const char *says(struct kms_backend *b)
{
	return sqlite3_errmsg(file_of(b)->db);
}

static void close_file(struct kms_backend *b)
{
	struct file *store = file_of(b);

	for (unsigned i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(store->statement[i]); /* says again what step said */
	(void)sqlite3_close(store->db);                      /* nothing is open any more */
	kms_seen_close(store->seen);
	free(store);
}

static const struct kms_backend_ops ops = {
	.close = close_file,
	.says = says,
	.proof = proof,
	.user = user_find,
	.users = users,
	.put = user_put,
	.remove = user_remove,
	.tpks = tpks,
	.tpk_last = tpk_last,
	.tpk_put = tpk_put,
	.tpk_remove = tpk_remove,
	.seen = seen,
};

int kms_sqlite_open(struct kms_backend **ret, const char *path, struct base_error *err)
{
	struct file *store = calloc(1, sizeof(*store));
	char journal[4096];
	int fd, rc = 0;

	if (!store)
		return BASE_ERR(BASE_LOCAL, 0);
	store->backend.ops = &ops;
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
	if (rc)
		close_file(&store->backend);
	else
		*ret = &store->backend;
	return rc;
}
