/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "crl_forge.h"
#include "pki.h"
#include "trust/trust.h"

struct stage {
	struct pki ca, renamed, other;
	char *dir;
	struct trust_cache *cache;
	unsigned told;
	char last[600];
};

static void told(void *arg, const struct base_error *err)
{
	struct stage *stage = arg;

	stage->told++;
	(void)snprintf(stage->last, sizeof(stage->last), "%s", err->text);
}

static struct x509_crl_index *forged(const struct pki *by, struct crl_forge spec)
{
	struct x509_crl_index *index = NULL;
	struct base_writer w;

	spec.issuer = by->cert;
	spec.key = by->key;
	w = crl_forge(&spec);
	assert_int_equal(x509_crl_index_make(&index, w.data, w.len, by->key, NULL), 0);
	base_writer_done(&w);
	return index;
}

/* Write one; return its path. */
static char *put(struct stage *stage, const struct pki *by, struct crl_forge spec)
{
	struct x509_crl_index *index = forged(by, spec);
	char name[TRUST_CACHE_NAME_MAX];

	assert_int_equal(trust_cache_name(index, name), 0);
	assert_int_equal(trust_cache_write(stage->dir, index, NULL), 0);
	x509_crl_index_unref(index);
	return pki_path(stage->dir, name);
}

static void put_only(struct stage *stage, const struct pki *by, struct crl_forge spec)
{
	free(put(stage, by, spec));
}

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->ca = pki_ca("issuer");
	stage->other = pki_ca("other");
	stage->renamed = pki_ca("issuer");
	stage->dir = pki_dir_new();
	assert_int_equal(trust_cache_open(&stage->cache, stage->dir, told, stage, NULL), 0);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	trust_cache_close(stage->cache);
	trust_cache_close(NULL);
	pki_free(&stage->ca);
	pki_free(&stage->other);
	pki_free(&stage->renamed);
	pki_dir_remove(stage->dir);
	free(stage);
	return 0;
}

static struct base_str name_of(const struct pki *pki)
{
	const unsigned char *der;
	size_t len;

	assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(pki->cert), &der, &len), 1);
	return (struct base_str){ (const char *)der, len };
}

static enum x509_crl_status look(const struct x509_crl_index *index, const struct pki *by,
                                 uint64_t i)
{
	uint8_t serial[16];

	crl_forge_serial(i, serial);
	return x509_crl_index_find(index, name_of(by),
	                           (struct base_str){ (const char *)serial, 16 }, NULL);
}

/* Entries of the complete CRL in the latest view; -1 = there is none. */
static long entries_in_use(struct stage *stage)
{
	struct trust_cache_view *view = trust_cache_view_get(stage->cache);
	struct trust_cache_pair pair;
	long count = -1;

	if (trust_cache_view_find(view, name_of(&stage->ca), (struct base_str){ 0 }, NULL, &pair))
		count = (long)x509_crl_index_info(pair.complete)->count;
	trust_cache_view_unref(view);
	return count;
}

static void changes_are_seen(void **state)
{
	struct stage *stage = *state;
	struct pollfd poll_fd = { trust_cache_fd(stage->cache), POLLIN, 0 };
	struct trust_cache_view *old;
	char *file;

	assert_int_equal(entries_in_use(stage), -1);
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	file = put(stage, &stage->ca, (struct crl_forge){ .count = 2, .number = 1 });
	if (poll_fd.fd >= 0)
		assert_int_equal(poll(&poll_fd, 1, 0), 1);
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_int_equal(poll(&poll_fd, 1, 0), 0);
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	assert_int_equal(entries_in_use(stage), 2);
	/* a view that was taken does not change */
	old = trust_cache_view_get(stage->cache);
	put_only(stage, &stage->ca, (struct crl_forge){ .count = 3, .number = 2 });
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_int_equal(entries_in_use(stage), 3);
	assert_int_equal(trust_cache_view_count(old), 1);
	assert_int_equal(x509_crl_index_info(trust_cache_view_at(old, 0))->count, 2);
	assert_int_equal(look(trust_cache_view_at(old, 0), &stage->ca, 1), X509_CRL_REVOKED);
	trust_cache_view_unref(old);
	/* gone is gone */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_int_equal(entries_in_use(stage), -1);
	assert_int_equal(stage->told, 0);
	free(file);
}

static void older_ones_are_refused(void **state)
{
	struct stage *stage = *state;
	struct x509_crl_index *old = forged(&stage->ca, (struct crl_forge){ .number = 1 });
	struct x509_crl_index *later = forged(
	        &stage->ca, (struct crl_forge){ .number = 2, .count = 7, .from = "260301000000Z" });
	struct x509_crl_index *bare = NULL;
	struct base_writer w =
	        crl_forge(&(struct crl_forge){ .issuer = stage->ca.cert, .key = stage->ca.key });
	struct base_error err = { 0 };

	put_only(stage, &stage->ca, (struct crl_forge){ .number = 3, .count = 1 });
	assert_int_equal(base_err_class(trust_cache_write(stage->dir, old, &err)), BASE_PEER);
	assert_non_null(strstr(err.text, "older"));
	/* what its CA dated later is newer, even if the CA lost count */
	assert_int_equal(trust_cache_write(stage->dir, later, NULL), 0);
	assert_int_equal(trust_cache_write(stage->dir, later, NULL), 0); /* and again */
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_int_equal(entries_in_use(stage), 7);
	/* nobody verified it */
	assert_int_equal(x509_crl_index_make(&bare, w.data, w.len, NULL, NULL), 0);
	assert_int_equal(base_err_class(trust_cache_write(stage->dir, bare, &err)), BASE_PEER);
	base_writer_done(&w);
	x509_crl_index_unref(bare);
	x509_crl_index_unref(old);
	x509_crl_index_unref(later);
}

/* As a writer does that is not ours: a new file under the name. */
static void replace(const char *file, const void *data, size_t len)
{
	char *temporary = NULL;
	FILE *f;

	assert_true(asprintf(&temporary, "%s.x", file) > 0);
	f = fopen(temporary, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(temporary, file), 0);
	free(temporary);
}

static void a_bad_file_changes_nothing(void **state)
{
	struct stage *stage = *state;
	char *file = put(stage, &stage->ca, (struct crl_forge){ .count = 2, .number = 1 });
	struct x509_crl_index *wrong = forged(&stage->other, (struct crl_forge){ .count = 9 });
	struct base_str octets = x509_crl_index_octets(wrong);

	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	replace(file, "junk", 4);
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	assert_int_equal(stage->told, 1);
	assert_non_null(strstr(stage->last, "stays in use"));
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	assert_int_equal(stage->told, 1); /* once */
	assert_int_equal(entries_in_use(stage), 2);
	/* a good one that belongs to another name */
	replace(file, octets.ptr, octets.len);
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	assert_int_equal(stage->told, 2);
	assert_non_null(strstr(stage->last, "another name"));
	assert_int_equal(entries_in_use(stage), 2);
	/* the next good one takes its place */
	put_only(stage, &stage->ca, (struct crl_forge){ .count = 5, .number = 2 });
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_int_equal(entries_in_use(stage), 5);
	assert_int_equal(stage->told, 2);
	x509_crl_index_unref(wrong);
	free(file);
}

/* Nobody should write to a file in place. Who does takes it out of use; nothing crashes. */
static void written_to_in_place(void **state)
{
	struct stage *stage = *state;
	char *file = put(stage, &stage->ca, (struct crl_forge){ .count = 2, .number = 1 });
	struct trust_cache_pair pair;
	struct trust_cache_view *view;
	struct pki leaf = pki_leaf("mg.example", &stage->ca);

	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	view = trust_cache_view_get(stage->cache);
	assert_true(trust_cache_view_find(view, name_of(&stage->ca), (struct base_str){ 0 }, NULL,
	                                  &pair));
	assert_int_equal(trust_cache_pair_find(&pair, leaf.cert, NULL), X509_CRL_GOOD);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(truncate(file, 0), 0);
	/* at once, also in the view that was taken */
	assert_int_equal(trust_cache_pair_find(&pair, leaf.cert, NULL), X509_CRL_OTHER);
	assert_int_equal(entries_in_use(stage), -1);
	trust_cache_view_unref(view);
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_non_null(strstr(stage->last, "none in its place"));
	assert_int_equal(entries_in_use(stage), -1);
	pki_free(&leaf);
	free(file);
}

static void the_folder_goes_and_comes(void **state)
{
	struct stage *stage = *state;
	char *away = NULL;
	struct trust_cache *none = NULL;
	struct base_error err = { 0 };

	put_only(stage, &stage->ca, (struct crl_forge){ .count = 2, .number = 1 });
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_true(asprintf(&away, "%s.away", stage->dir) > 0);
	assert_int_equal(rename(stage->dir, away), 0);
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	assert_int_equal(stage->told, 1);
	assert_int_equal(entries_in_use(stage), 2);
	assert_int_equal(base_err_class(trust_cache_open(&none, stage->dir, NULL, NULL, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(rename(away, stage->dir), 0);
	assert_int_equal(trust_cache_refresh(stage->cache), 0);
	assert_int_equal(entries_in_use(stage), 2);
	free(away);
}

/* A file that may not grow stands for a disk that is full: the write says no in the middle. */
static void a_full_disk(void **state)
{
	struct stage *stage = *state;
	char *file = put(stage, &stage->ca, (struct crl_forge){ .count = 2, .number = 1 });
	struct x509_crl_index *large =
	        forged(&stage->ca, (struct crl_forge){ .count = 1000, .number = 2 });
	struct rlimit before, low;
	struct base_error err = { 0 };
	struct trust_cache *fresh = NULL;
	char leftover[300];
	int rc;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	low = before;
	low.rlim_cur = 4096;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	rc = trust_cache_write(stage->dir, large, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, BASE_ERR(BASE_LOCAL, EFBIG));
	assert_non_null(strstr(err.text, "write to the cache"));
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	assert_int_equal(entries_in_use(stage), 2);
	/* nothing lies about; what a killed writer left is tidied, and no reader looks at it */
	(void)snprintf(leftover, sizeof(leftover), "%s/.new-1-abc", stage->dir);
	assert_int_not_equal(access(leftover, F_OK), 0);
	free(pki_write(stage->dir, ".new-1-abc", "x", 1));
	assert_int_equal(trust_cache_open(&fresh, stage->dir, told, stage, NULL), 0);
	trust_cache_close(fresh);
	assert_int_equal(stage->told, 0);
	trust_cache_tidy(stage->dir);
	assert_int_not_equal(access(leftover, F_OK), 0);
	assert_int_equal(access(file, R_OK), 0);
	x509_crl_index_unref(large);
	free(file);
}

static void by_scope_and_signer(void **state)
{
	struct stage *stage = *state;
	struct base_str users = BASE_STR("\x30\x03\x81\x01\xff"), none = { 0 };
	struct trust_cache_pair pair;
	struct trust_cache_view *view;
	uint8_t key[32];
	size_t at = 0, seen = 0;

	put_only(stage, &stage->ca, (struct crl_forge){ .count = 1, .number = 5 });
	put_only(stage, &stage->ca, (struct crl_forge){ .count = 2, .number = 5, .scope = users });
	put_only(stage, &stage->renamed, (struct crl_forge){ .count = 3, .from = "251231000000Z" });
	put_only(stage, &stage->other, (struct crl_forge){ .count = 4 });
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	view = trust_cache_view_get(stage->cache);
	assert_int_equal(trust_cache_view_count(view), 4);
	assert_true(trust_cache_view_find(view, name_of(&stage->ca), users, NULL, &pair));
	assert_int_equal(x509_crl_index_info(pair.complete)->count, 2);
	assert_null(pair.delta);
	assert_true(trust_cache_view_find(view, name_of(&stage->ca), none, NULL, &pair));
	assert_int_equal(x509_crl_index_info(pair.complete)->count, 1); /* the later one */
	assert_int_equal(x509_key_sha256(stage->renamed.key, key), 0);
	assert_true(trust_cache_view_find(view, name_of(&stage->ca), none, key, &pair));
	assert_int_equal(x509_crl_index_info(pair.complete)->count, 3);
	assert_false(trust_cache_view_find(view, name_of(&stage->ca), users, key, &pair));
	assert_false(trust_cache_view_find(view, name_of(&stage->other), users, NULL, &pair));
	while (trust_cache_view_next(view, name_of(&stage->ca), &at, &pair))
		seen++;
	assert_int_equal(seen, 3);
	trust_cache_view_unref(view);
}

static enum x509_crl_status status_of(struct stage *stage, const struct pki *leaf, bool *ret_delta)
{
	struct trust_cache_view *view;
	struct trust_cache_pair pair;
	enum x509_crl_status status;

	(void)trust_cache_refresh(stage->cache); /* what matters is what is found now */
	view = trust_cache_view_get(stage->cache);
	assert_true(trust_cache_view_find(view, name_of(&stage->ca), (struct base_str){ 0 }, NULL,
	                                  &pair));
	*ret_delta = pair.delta != NULL;
	status = trust_cache_pair_find(&pair, leaf->cert, NULL);
	trust_cache_view_unref(view);
	return status;
}

/* RFC 5280, 5.2.4: a delta counts when its base is not above, and its number is above, the complete
 * one's. */
static void deltas(void **state)
{
	struct stage *stage = *state;
	struct pki leaf =
	        pki_make(&(struct pki_spec){ .cn = "mg", .issuer = &stage->ca, .serial = 5 });
	struct base_str revoke = BASE_STR("\x30\x12\x02\x01\x05\x17\x0d"
	                                  "260101000000Z");
	struct base_str remove = BASE_STR("\x30\x20\x02\x01\x05\x17\x0d"
	                                  "260101000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15"
	                                  "\x04\x03\x0a\x01\x08");
	bool delta;

	put_only(stage, &stage->ca, (struct crl_forge){ .number = 5 });
	assert_int_equal(status_of(stage, &leaf, &delta), X509_CRL_GOOD);
	assert_false(delta);
	/* based on a later one than we have: does not fit */
	put_only(stage, &stage->ca, (struct crl_forge){ .number = 7, .base = 6, .entry = revoke });
	assert_int_equal(status_of(stage, &leaf, &delta), X509_CRL_GOOD);
	assert_false(delta);
	put_only(stage, &stage->ca, (struct crl_forge){ .number = 8, .base = 5, .entry = revoke });
	assert_int_equal(status_of(stage, &leaf, &delta), X509_CRL_REVOKED);
	assert_true(delta);
	/* a complete one that lists it, and a delta that takes it off */
	put_only(stage, &stage->ca, (struct crl_forge){ .number = 8, .entry = revoke });
	assert_int_equal(status_of(stage, &leaf, &delta), X509_CRL_REVOKED);
	assert_false(delta);
	put_only(stage, &stage->ca, (struct crl_forge){ .number = 9, .base = 8, .entry = remove });
	assert_int_equal(status_of(stage, &leaf, &delta), X509_CRL_GOOD);
	assert_true(delta);
	pki_free(&leaf);
}

static void certificates_of_the_folder(void **state)
{
	struct stage *stage = *state;
	STACK_OF(X509) *certs = sk_X509_new_null();
	char *sub, *bad;

	assert_int_equal(trust_cache_certs(stage->dir, TRUST_CACHE_CA, certs, told, stage), 0);
	assert_int_equal(sk_X509_num(certs), 0);
	assert_int_equal(
	        trust_cache_write_cert(stage->dir, TRUST_CACHE_CROSS, stage->ca.cert, NULL), 0);
	assert_int_equal(
	        trust_cache_write_cert(stage->dir, TRUST_CACHE_CROSS, stage->other.cert, NULL), 0);
	assert_int_equal(
	        trust_cache_write_cert(stage->dir, TRUST_CACHE_CROSS, stage->other.cert, NULL), 0);
	sub = pki_path(stage->dir, "cross");
	bad = pki_write(sub, "bad.der", "junk", 4);
	assert_int_equal(trust_cache_certs(stage->dir, TRUST_CACHE_CROSS, certs, told, stage), 0);
	assert_int_equal(sk_X509_num(certs), 2);
	assert_int_equal(stage->told, 1);
	sk_X509_pop_free(certs, X509_free);
	pki_dir_remove(sub);
	free(bad);
}

#define READERS 4
#define WRITES  60

struct race {
	struct stage *stage;
	atomic_bool over;
	atomic_ulong looks;
};

/* In every CRL of the race entry 0 is listed, and entry `count` is the first that is not. */
static void *reader(void *arg)
{
	struct race *race = arg;
	uintptr_t wrong = 0;

	while (!atomic_load(&race->over)) {
		struct trust_cache_view *view = trust_cache_view_get(race->stage->cache);
		struct trust_cache_pair pair;

		if (trust_cache_view_find(view, name_of(&race->stage->ca), (struct base_str){ 0 },
		                          NULL, &pair)) {
			size_t count = x509_crl_index_info(pair.complete)->count;

			wrong += look(pair.complete, &race->stage->ca, 0) != X509_CRL_REVOKED ||
			         look(pair.complete, &race->stage->ca, count) != X509_CRL_GOOD;
			atomic_fetch_add(&race->looks, 1);
		} else {
			wrong++;
		}
		trust_cache_view_unref(view);
	}
	return (void *)wrong;
}

static void readers_while_files_are_replaced(void **state)
{
	struct stage *stage = *state;
	struct race race = { .stage = stage };
	pthread_t threads[READERS];
	void *wrong;

	put_only(stage, &stage->ca, (struct crl_forge){ .count = 1, .number = 1 });
	assert_int_equal(trust_cache_refresh(stage->cache), 1);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &race), 0);
	for (uint32_t i = 2; i < WRITES || atomic_load(&race.looks) < 100; i++) {
		char *file = put(stage, &stage->ca,
		                 (struct crl_forge){ .count = i % 50 + 1, .number = i });

		if (i % 7 == 0)
			replace(file, "junk", 4);
		assert_int_equal(trust_cache_refresh(stage->cache), i % 7 != 0);
		free(file);
	}
	atomic_store(&race.over, true);
	for (int i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_are_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(older_ones_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_file_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(written_to_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(the_folder_goes_and_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(by_scope_and_signer, setup, teardown),
		cmocka_unit_test_setup_teardown(deltas, setup, teardown),
		cmocka_unit_test_setup_teardown(certificates_of_the_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_while_files_are_replaced, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
