/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a KMS keeps is there after a kill, sealed, and nobody else's. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "folder.h"
#include "kms/seen.h"
#include "kms/store.h"

static const uint8_t master[KMS_MASTER_KEY] = "master key of the test, 32 octs";
static const uint8_t other_master[KMS_MASTER_KEY] = "another key";

static struct mikey_id uri(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static struct kms_user user_of(const char *name, const char *psk, const char *psk_id)
{
	return (struct kms_user){ .id = uri(name),
		                  .psk = mikey_octets_text(psk),
		                  .psk_id = { MIKEY_BYTE_STRING, mikey_octets_text(psk_id) } };
}

static struct kms_store *opened(const char *path)
{
	struct base_error err = { 0 };
	struct kms_store *store = NULL;

	if (kms_store_open(&store, path, master, &err))
		fail_msg("%s", err.text);
	return store;
}

static void is(struct mikey_octets octets, const char *text)
{
	assert_true(mikey_octets_eq(octets, mikey_octets_text(text)));
}

static bool in_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "rb");
	char buf[65536];
	size_t len = f ? fread(buf, 1, sizeof(buf), f) : 0;

	if (f)
		(void)fclose(f);
	return len && memmem(buf, len, text, strlen(text));
}

static void users(void **state)
{
	struct kms_user alice = user_of("sip:alice@example.com", "alice's secret key", "a"), got;
	struct base_arena arena = { .wipe = true };
	struct base_error err = { 0 };
	struct kms_store *store;
	struct folder f;
	struct stat st;
	char wal[128];

	(void)state;
	folder_make(&f);
	store = opened(f.store);
	alice.cert = mikey_octets_text("certificate");
	alice.tpk = mikey_octets_text("alice's tickets");
	alice.tpk_id = uri("tpk of alice");
	assert_int_equal(kms_store_user_put(store, &alice, &err), 0);
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &alice.id, &arena, &got), 1);
	is(got.psk, "alice's secret key");
	is(got.cert, "certificate");
	assert_int_equal(kms_store_user(store, KMS_BY_PSK_ID, &alice.psk_id, &arena, &got), 1);
	is(got.id.data, "sip:alice@example.com");
	assert_int_equal(kms_store_user(store, KMS_BY_TPK_ID, &alice.tpk_id, &arena, &got), 1);
	is(got.tpk, "alice's tickets");
	kms_store_close(store);
	assert_int_equal(stat(f.store, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	(void)snprintf(wal, sizeof(wal), "%s-wal", f.store);
	assert_true(in_file(f.store, "sip:alice@example.com") ||
	            in_file(wal, "sip:alice@example.com"));
	assert_false(in_file(f.store, "secret key") || in_file(wal, "secret key"));
	assert_false(in_file(f.store, "alice's tickets") || in_file(wal, "alice's tickets"));
	store = opened(f.store);
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &alice.id, &arena, &got), 1);
	is(got.psk, "alice's secret key");
	assert_int_equal(kms_store_user_remove(store, &alice.id, &err), 0);
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &alice.id, &arena, &got), 0);
	assert_int_equal(base_err_class(kms_store_user_remove(store, &alice.id, &err)),
	                 BASE_CONFIG);
	kms_store_close(store);
	base_arena_done(&arena);
	folder_remove(&f);
}

static int count(void *arg, const struct kms_user *user)
{
	assert_int_equal(user->psk.len, 0);
	++*(unsigned *)arg;
	return 0;
}

/** A name of a key is one user's; taking it from another would lose him. */
static void names_of_keys(void **state)
{
	struct kms_user alice = user_of("sip:alice@example.com", "key", "a");
	struct kms_user bob = user_of("sip:bob@example.com", "key", "a");
	struct base_arena arena = { .wipe = true };
	struct base_error err = { 0 };
	struct kms_user got;
	struct kms_store *store;
	struct folder f;
	unsigned n = 0;

	(void)state;
	folder_make(&f);
	store = opened(f.store);
	assert_int_equal(kms_store_user_put(store, &alice, &err), 0);
	assert_int_equal(base_err_class(kms_store_user_put(store, &bob, &err)), BASE_CONFIG);
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &alice.id, &arena, &got), 1);
	bob.psk_id = (struct mikey_id){ MIKEY_URI, mikey_octets_text("a") }; /* of another type */
	assert_int_equal(kms_store_user_put(store, &bob, &err), 0);
	assert_int_equal(kms_store_user(store, KMS_BY_PSK_ID, &alice.psk_id, &arena, &got), 1);
	is(got.id.data, "sip:alice@example.com");
	bob.psk_id = (struct mikey_id){ 0 };
	assert_int_equal(kms_store_user_put(store, &bob, &err), 0);
	alice.psk = mikey_octets_text("new key");
	assert_int_equal(kms_store_user_put(store, &alice, &err), 0);
	assert_int_equal(kms_store_user(store, KMS_BY_PSK_ID, &alice.psk_id, &arena, &got), 1);
	is(got.psk, "new key");
	assert_int_equal(kms_store_users(store, count, &n), 0);
	assert_int_equal(n, 2);
	kms_store_close(store);
	base_arena_done(&arena);
	folder_remove(&f);
}

/** A child stores, says so, and is killed: all that it said is there. */
static void after_a_kill(void **state)
{
	struct base_arena arena = { .wipe = true };
	struct base_error err = { 0 };
	struct kms_store *store;
	struct folder f;
	char name[64], c;
	int ends[2], said = 0;
	pid_t child;

	(void)state;
	folder_make(&f);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		uint8_t digest[32] = { 0 };

		store = opened(f.store);
		for (unsigned i = 0;; i++) {
			struct kms_user user;

			(void)snprintf(name, sizeof(name), "sip:user%u@example.com", i);
			user = user_of(name, name, name);
			memcpy(digest, &i, sizeof(i));
			if (kms_store_user_put(store, &user, &err) ||
			    kms_store_seen(store, digest, 1000, 2000) ||
			    write(ends[1], "x", 1) != 1)
				_exit(1);
		}
	}
	for (; said < 20; said++)
		assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(ends[1]);
	while (read(ends[0], &c, 1) == 1)
		said++;
	(void)close(ends[0]);
	store = opened(f.store);
	for (int i = 0; i < said; i++) {
		uint8_t digest[32] = { 0 };
		struct kms_user got;
		struct mikey_id id;

		(void)snprintf(name, sizeof(name), "sip:user%d@example.com", i);
		id = uri(name);
		assert_int_equal(kms_store_user(store, KMS_BY_ID, &id, &arena, &got), 1);
		is(got.psk, name);
		memcpy(digest, &i, sizeof(i));
		assert_int_equal(kms_store_seen(store, digest, 1000, 2000), 1);
	}
	kms_store_close(store);
	base_arena_done(&arena);
	folder_remove(&f);
}

static void whose_file_it_is(void **state)
{
	struct base_error err = { 0 };
	struct kms_store *store = NULL;
	struct folder f;
	char path[128];
	FILE *file;

	(void)state;
	folder_make(&f);
	kms_store_close(opened(f.store));
	assert_int_equal(base_err_class(kms_store_open(&store, f.store, other_master, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(err.text, "master key"));
	(void)snprintf(path, sizeof(path), "%s/none/store", f.path);
	assert_int_equal(base_err_class(kms_store_open(&store, path, master, &err)), BASE_CONFIG);
	(void)snprintf(path, sizeof(path), "%s/text", f.path);
	file = fopen(path, "w");
	for (int i = 0; i < 200; i++)
		assert_true(fputs("this is no database\n", file) >= 0);
	(void)fclose(file);
	assert_int_equal(base_err_class(kms_store_open(&store, path, master, &err)), BASE_CONFIG);
	assert_true(in_file(path, "this is no database"));
	(void)snprintf(path, sizeof(path), "%s/link", f.path);
	assert_int_equal(symlink(f.store, path), 0);
	assert_int_equal(base_err_class(kms_store_open(&store, path, master, &err)), BASE_CONFIG);
	folder_remove(&f);
}

static const struct kms_tpk *tpk_of(struct kms_store *store, uint64_t generation, uint64_t now_s)
{
	const struct kms_tpk *tpk = NULL;

	assert_true(kms_store_tpk_of(store, generation, now_s, &tpk) == (tpk ? 1 : 0));
	return tpk;
}

/** Keys turn by the clock, old ones stay as long as their tickets, numbers are never used again. */
static void ticket_keys(void **state)
{
	const struct kms_tpk *tpk;
	struct base_error err = { 0 };
	struct kms_store *store;
	struct folder f;
	uint8_t first[32];

	(void)state;
	folder_make(&f);
	store = opened(f.store);
	assert_int_equal(kms_store_tpk(store, 1000, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 1);
	memcpy(first, tpk->key.data, sizeof(first));
	assert_int_equal(kms_store_tpk(store, 1099, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 1);
	kms_store_close(store);
	store = opened(f.store);
	assert_int_equal(kms_store_tpk(store, 1100, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 2);
	assert_memory_not_equal(tpk->key.data, first, sizeof(first));
	tpk = tpk_of(store, 1, 1150);
	assert_non_null(tpk);
	assert_memory_equal(tpk->key.data, first, sizeof(first));
	assert_null(tpk_of(store, 1, 1151));
	assert_null(tpk_of(store, 3, 1100));
	assert_int_equal(kms_store_tpk(store, 5000, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 3);
	kms_store_close(store);
	store = opened(f.store);
	assert_null(tpk_of(store, 2, 1100)); /* erased */
	assert_int_equal(kms_store_tpk(store, 9000, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 4);
	kms_store_close(store);
	folder_remove(&f);
}

/** A key that a clock far ahead has made is not used for years, and keeps no other from its end. */
static void keys_of_the_future(void **state)
{
	const struct kms_tpk *tpk;
	struct base_error err = { 0 };
	struct kms_store *store;
	struct folder f;

	(void)state;
	folder_make(&f);
	store = opened(f.store);
	assert_int_equal(kms_store_tpk(store, 1000000, 100, 50, &tpk, &err), 0);
	assert_int_equal(kms_store_tpk(store, 999950, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 1); /* set back a little: no reason for a new one */
	assert_int_equal(kms_store_tpk(store, 1000, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 2);
	assert_int_equal(kms_store_tpk(store, 1099, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 2);
	assert_int_equal(kms_store_tpk(store, 1200, 100, 50, &tpk, &err), 0);
	assert_int_equal(tpk->generation, 3);
	assert_null(tpk_of(store, 2, 1000)); /* erased */
	assert_non_null(tpk_of(store, 1, 1200));
	kms_store_close(store);
	folder_remove(&f);
}

static void digest_of(unsigned n, uint8_t out[32])
{
	memset(out, 0, 32);
	memcpy(out, &n, sizeof(n));
}

/** Journals take turns, and what still counts is always in one of them. */
static void seen(void **state)
{
	struct base_error err = { 0 };
	struct kms_seen *s;
	struct folder f;
	uint8_t digest[32];
	char path[128];
	struct stat st;
	int fd;

	(void)state;
	folder_make(&f);
	assert_int_equal(kms_seen_open(&s, f.store, &err), 0);
	for (unsigned now = 1000; now < 3000; now++) {
		digest_of(now, digest);
		assert_int_equal(kms_seen(s, digest, now, now + 100), 0);
		assert_int_equal(kms_seen(s, digest, now, now + 100), 1);
		if (now % 700 == 0) {
			kms_seen_close(s);
			assert_int_equal(kms_seen_open(&s, f.store, &err), 0);
		}
		digest_of(BASE_MAX(now - 100, 1000U), digest);
		assert_int_equal(kms_seen(s, digest, now, now + 100), 1);
	}
	kms_seen_close(s);
	for (int c = 'a'; c <= 'b'; c++) {
		(void)snprintf(path, sizeof(path), "%s.%c", f.store, c);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size < (off_t)400 * 40); /* of 2000 records */
	}
	/* half a record at the end, as a kill leaves it */
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "half", 4), 4);
	(void)close(fd);
	assert_int_equal(kms_seen_open(&s, f.store, &err), 0);
	digest_of(2999, digest);
	assert_int_equal(kms_seen(s, digest, 3000, 3100), 1);
	digest_of(7, digest);
	assert_int_equal(kms_seen(s, digest, 3000, 3100), 0);
	kms_seen_close(s);
	assert_int_equal(kms_seen_open(&s, f.store, &err), 0);
	assert_int_equal(kms_seen(s, digest, 3000, 3100), 1);
	kms_seen_close(s);
	folder_remove(&f);
}

/** What was erased when its time was over does not count as new when the clock goes back. */
static void clock_goes_back(void **state)
{
	struct base_error err = { 0 };
	uint8_t first[32], other[32];
	struct kms_seen *s;
	struct folder f;

	(void)state;
	folder_make(&f);
	digest_of(1, first);
	assert_int_equal(kms_seen_open(&s, f.store, &err), 0);
	assert_int_equal(kms_seen(s, first, 1000, 1100), 0);
	for (uint64_t i = 2; i < 6; i++) { /* both journals are erased meanwhile */
		digest_of((unsigned)i, other);
		assert_int_equal(kms_seen(s, other, 1000 * i, 1000 * i + 100), 0);
	}
	for (unsigned again = 0; again < 2; again++) {
		assert_int_equal(base_err_class(kms_seen(s, first, 1000, 1100)), BASE_LOCAL);
		assert_int_equal(base_err_class(kms_seen(s, first, 1100, 1200)), BASE_LOCAL);
		kms_seen_close(s);
		assert_int_equal(kms_seen_open(&s, f.store, &err), 0);
	}
	/* not for longer than such a message could have counted */
	assert_int_equal(kms_seen(s, first, 4900, 5000), 0);
	kms_seen_close(s);
	folder_remove(&f);
}

/** Two at one store would write over each other's journals, and take what the other took. */
static void one_at_a_time(void **state)
{
	struct base_error err = { 0 };
	struct kms_store *store, *second = NULL;
	struct folder f;

	(void)state;
	folder_make(&f);
	store = opened(f.store);
	assert_int_equal(base_err_class(kms_store_open(&second, f.store, master, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(err.text, "another process"));
	kms_store_close(store);
	kms_store_close(opened(f.store));
	folder_remove(&f);
}

/* No file of this process grows beyond that; RLIM_INFINITY takes it back. */
static void files_end_at(rlim_t octets)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = BASE_MIN(octets, limit.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/** On a full disk nothing is taken, enrolled or made that would be forgotten; then all goes on. */
static void full_disk(void **state)
{
	struct kms_user alice = user_of("sip:alice@example.com", "alice's secret key", "a"),
	                bob = user_of("sip:bob@example.com", "bob's secret key..", "b"), got;
	struct base_arena arena = { .wipe = true };
	struct base_error err = { 0 };
	const struct kms_tpk *tpk = NULL;
	struct kms_store *store;
	uint8_t digest[32];
	struct folder f;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	folder_make(&f);
	store = opened(f.store);
	assert_int_equal(kms_store_user_put(store, &alice, &err), 0);
	files_end_at(0);
	digest_of(1, digest);
	assert_int_equal(base_err_class(kms_store_seen(store, digest, 1000, 2000)), BASE_LOCAL);
	assert_int_equal(base_err_class(kms_store_user_put(store, &bob, &err)), BASE_LOCAL);
	assert_true(err.text[0] != '\0');
	assert_int_equal(base_err_class(kms_store_tpk(store, 1000, 100, 100, &tpk, &err)),
	                 BASE_LOCAL);
	assert_null(tpk);
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &alice.id, &arena, &got), 1);
	files_end_at(RLIM_INFINITY);
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &bob.id, &arena, &got), 0);
	assert_int_equal(kms_store_seen(store, digest, 1000, 2000), 0); /* it was not taken */
	assert_int_equal(kms_store_seen(store, digest, 1000, 2000), 1);
	assert_int_equal(kms_store_user_put(store, &bob, &err), 0);
	assert_int_equal(kms_store_tpk(store, 1000, 100, 100, &tpk, &err), 0);
	kms_store_close(store);
	store = opened(f.store); /* and the files are whole */
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &bob.id, &arena, &got), 1);
	assert_int_equal(kms_store_seen(store, digest, 1000, 2000), 1);
	kms_store_close(store);
	base_arena_done(&arena);
	folder_remove(&f);
}

/** Somebody holds the file (a backup by hand): what need not be written goes on, the rest fails. */
static void locked(void **state)
{
	struct kms_user alice = user_of("sip:alice@example.com", "alice's secret key", "a"),
	                bob = user_of("sip:bob@example.com", "bob's secret key..", "b"), got;
	struct base_arena arena = { .wipe = true };
	const struct kms_tpk *tpk = NULL, *again = NULL;
	struct base_error err = { 0 };
	struct kms_store *store;
	uint8_t digest[32];
	sqlite3 *other = NULL;
	struct folder f;

	(void)state;
	folder_make(&f);
	store = opened(f.store);
	assert_int_equal(kms_store_user_put(store, &alice, &err), 0);
	assert_int_equal(kms_store_tpk(store, 1000, 100, 100, &tpk, &err), 0);
	assert_int_equal(sqlite3_open(f.store, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	digest_of(1, digest);
	assert_int_equal(kms_store_user(store, KMS_BY_ID, &alice.id, &arena, &got), 1);
	assert_int_equal(kms_store_tpk(store, 1001, 100, 100, &again, &err), 0);
	assert_ptr_equal(tpk, again);
	assert_int_equal(kms_store_seen(store, digest, 1000, 2000), 0);
	assert_int_equal(base_err_class(kms_store_user_put(store, &bob, &err)), BASE_LOCAL);
	assert_non_null(strstr(err.text, "locked"));
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(kms_store_user_put(store, &bob, &err), 0);
	(void)sqlite3_close(other);
	kms_store_close(store);
	base_arena_done(&arena);
	folder_remove(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(users),
		cmocka_unit_test(names_of_keys),
		cmocka_unit_test(after_a_kill),
		cmocka_unit_test(whose_file_it_is),
		cmocka_unit_test(ticket_keys),
		cmocka_unit_test(seen),
		cmocka_unit_test(clock_goes_back),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(locked),
		cmocka_unit_test(keys_of_the_future),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
