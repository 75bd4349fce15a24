/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader's side. Invariants:
 *  1. A slot's index passed every check of x509_crl_index_map() under its file's name.
 *  2. A slot's index is dropped only when its file is gone, a good one took its place, or its own
 *     pages were written to.
 *  3. A view never changes; `lock` guards nothing but which view is the latest.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "trust/cache.h"

#define FILES_MAX 4096 /* each holds a descriptor */

/* What tells one state of a file from the next. */
struct identity {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec written;
};

struct slot {
	char name[TRUST_CACHE_NAME_MAX];
	struct identity seen;         /* the file as last looked at, good or bad */
	struct x509_crl_index *index; /* the last good one; NULL = none */
};

struct slots {
	struct slot *at; /* sorted by name */
	size_t count;
};

struct trust_cache_view {
	atomic_uint refs;
	size_t count;
	struct x509_crl_index *index[]; /* sorted by issuer */
};

struct trust_cache {
	atomic_uint refs;
	char *folder;
	trust_cache_told_fn *told;
	void *arg;
	int notify;
	bool unreadable; /* told already */
	struct slots slots;
	struct identity certs[2]; /* of the folders `cross` and `ca`; all zero = not there */
	unsigned certs_changes;
	pthread_mutex_t lock;
	struct trust_cache_view *view;
};

static void tell(const struct trust_cache *cache, const struct base_error *err)
{
	if (cache->told)
		cache->told(cache->arg, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct slot *)a)->name, ((const struct slot *)b)->name);
}

static void slots_done(struct slots *slots)
{
	for (size_t i = 0; i < slots->count; i++)
		x509_crl_index_unref(slots->at[i].index);
	free(slots->at);
	*slots = (struct slots){ 0 };
}

static bool name_fits(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && len < TRUST_CACHE_NAME_MAX && strcmp(name + len - 5, ".crlx") == 0;
}

static bool same(const struct identity *a, const struct identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec;
}

/* The names in the folder. @return 0, errno, or -1 for too many */
static int folder_list(const char *folder, struct slots *ret)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct slots all = { 0 };
	int failed = dir ? 0 : errno;

	if (!dir)
		return failed;
	errno = 0;
	while (!failed && (entry = readdir(dir))) {
		struct slot *more;
		struct stat st;

		if (!name_fits(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* not ours, or gone since */
		more = all.count < FILES_MAX ? realloc(all.at, (all.count + 1) * sizeof(*more))
		                             : NULL;
		if (!more) {
			failed = all.count < FILES_MAX ? ENOMEM : -1;
			break;
		}
		all.at = more;
		all.at[all.count] =
		        (struct slot){ .seen = { st.st_dev, st.st_ino, st.st_size, st.st_mtim } };
		(void)snprintf(all.at[all.count++].name, TRUST_CACHE_NAME_MAX, "%s", entry->d_name);
		errno = 0;
	}
	if (!failed)
		failed = errno;
	(void)closedir(dir); /* only read from */
	if (failed) {
		slots_done(&all);
		return failed;
	}
	if (all.count)
		qsort(all.at, all.count, sizeof(*all.at), by_name);
	*ret = all;
	return 0;
}

/* A file that says what another file's name promises is nobody's. */
static int index_load(const struct trust_cache *cache, const char *name,
                      struct x509_crl_index **ret, struct base_error *err)
{
	char proper[TRUST_CACHE_NAME_MAX], path[4096];
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", cache->folder, name) >= (int)sizeof(path))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "the path is too long");
	rc = x509_crl_index_map(ret, path, err);
	if (rc)
		return rc;
	rc = trust_cache_name(*ret, proper);
	if (!rc && strcmp(proper, name) != 0) {
		base_error_place(err, path, 0, 0);
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "the CRL index cannot be used: it belongs under another name");
	}
	if (rc) {
		x509_crl_index_unref(*ret);
		*ret = NULL;
	}
	return rc;
}

static void bad_tell(const struct trust_cache *cache, struct base_error *err,
                     const struct x509_crl_index *kept)
{
	size_t len = strlen(err->text);

	(void)snprintf(err->text + len, sizeof(err->text) - len, "; %s",
	               kept ? "the one before stays in use" : "there is none in its place");
	tell(cache, err);
}

/* `slot` is as the folder has it, `before` as it was (or NULL). true: something changed. */
static bool slot_update(const struct trust_cache *cache, struct slot *slot,
                        const struct slot *before)
{
	struct base_error err = { 0 };
	struct x509_crl_index *old = before ? before->index : NULL;

	if (before && same(&before->seen, &slot->seen)) {
		slot->index = old ? x509_crl_index_ref(old) : NULL;
		return false;
	}
	if (index_load(cache, slot->name, &slot->index, &err) == 0)
		return true;
	slot->index = old && x509_crl_index_intact(old) ? x509_crl_index_ref(old) : NULL;
	bad_tell(cache, &err, slot->index);
	return slot->index != old;
}

static int by_issuer(const void *a, const void *b)
{
	struct base_str x = x509_crl_index_info(*(struct x509_crl_index *const *)a)->issuer;
	struct base_str y = x509_crl_index_info(*(struct x509_crl_index *const *)b)->issuer;
	int order = memcmp(x.ptr, y.ptr, BASE_MIN(x.len, y.len));

	return order ? order : (x.len > y.len) - (x.len < y.len);
}

static struct trust_cache_view *view_new(const struct slots *slots)
{
	struct trust_cache_view *view =
	        calloc(1, sizeof(*view) + slots->count * sizeof(struct x509_crl_index *));

	if (!view)
		return NULL;
	atomic_init(&view->refs, 1);
	for (size_t i = 0; i < slots->count; i++)
		if (slots->at[i].index)
			view->index[view->count++] = x509_crl_index_ref(slots->at[i].index);
	if (view->count)
		qsort(view->index, view->count, sizeof(struct x509_crl_index *), by_issuer);
	return view;
}

#define NOTIFY_MASK                                                                                \
	(IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY | IN_DELETE_SELF |   \
	 IN_MOVE_SELF)

/* What is put into a folder, or taken out of it, changes the folder. */
static void certs_look(struct trust_cache *cache)
{
	static const char *const names[] = { "cross", "ca" };
	bool changed = false;

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		struct identity now = { 0 };
		char path[4096];
		struct stat st;

		if (snprintf(path, sizeof(path), "%s/%s", cache->folder, names[i]) >=
		    (int)sizeof(path))
			continue;
		if (cache->notify >= 0)
			(void)inotify_add_watch(cache->notify, path, NOTIFY_MASK);
		if (!stat(path, &st))
			now = (struct identity){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
		changed |= !same(&now, &cache->certs[i]);
		cache->certs[i] = now;
	}
	cache->certs_changes += changed;
}

static void notify_renew(struct trust_cache *cache)
{
	char events[4096];

	if (cache->notify < 0)
		return;
	while (read(cache->notify, events, sizeof(events)) > 0)
		continue;
	/* the same folder gives the same watch; a new one in its place a new one. Without: the
	 * caller's timer finds the changes */
	(void)inotify_add_watch(cache->notify, cache->folder, NOTIFY_MASK);
}

static int folder_tell(struct trust_cache *cache, int failed, struct base_error *err)
{
	base_error_place(err, cache->folder, 0, 0);
	return base_error_set(
	        err, BASE_ERR(failed == ENOMEM ? BASE_LOCAL : BASE_CONFIG, failed < 0 ? 0 : failed),
	        "the cache folder cannot be read: %s",
	        failed < 0 ? "it holds more than 4096 indexes" : strerror(failed));
}

/* @return 1 changed, 0 not; BASE_CONFIG for a folder that cannot be read; BASE_LOCAL */
static int folder_read(struct trust_cache *cache, struct base_error *err)
{
	struct slots now = { 0 };
	struct trust_cache_view *view, *last;
	bool changed = !cache->view;
	int failed;

	notify_renew(cache);
	failed = folder_list(cache->folder, &now);
	if (failed)
		return folder_tell(cache, failed, err);
	certs_look(cache);
	for (size_t i = 0; i < now.count; i++) {
		struct slot *before =
		        cache->slots.count ? bsearch(&now.at[i], cache->slots.at,
		                                     cache->slots.count, sizeof(*before), by_name)
		                           : NULL;

		changed |= slot_update(cache, &now.at[i], before);
		changed |= !before && now.at[i].index;
	}
	/* one that is gone: counted, since all that stayed or came were looked at */
	for (size_t i = 0; i < cache->slots.count; i++)
		changed |= cache->slots.at[i].index &&
		           !(now.count && bsearch(&cache->slots.at[i], now.at, now.count,
		                                  sizeof(*now.at), by_name));
	view = changed ? view_new(&now) : NULL;
	if (changed && !view) {
		slots_done(&now); /* the next refresh tries again */
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	slots_done(&cache->slots);
	cache->slots = now;
	cache->unreadable = false;
	if (!changed)
		return 0;
	(void)pthread_mutex_lock(&cache->lock); /* fails for a wrong use only */
	last = cache->view;
	cache->view = view;
	(void)pthread_mutex_unlock(&cache->lock);
	trust_cache_view_unref(last);
	return 1;
}

int trust_cache_refresh(struct trust_cache *cache)
{
	struct base_error err = { 0 };
	int rc = folder_read(cache, &err);

	if (rc >= 0 || base_err_class(rc) == BASE_LOCAL)
		return rc;
	if (!cache->unreadable)
		tell(cache, &err);
	cache->unreadable = true;
	return 0;
}

int trust_cache_open(struct trust_cache **ret, const char *folder, trust_cache_told_fn *told,
                     void *arg, struct base_error *err)
{
	struct trust_cache *cache = calloc(1, sizeof(*cache));
	int rc;

	if (!cache)
		return BASE_ERR(BASE_LOCAL, 0);
	atomic_init(&cache->refs, 1);
	cache->told = told;
	cache->arg = arg;
	cache->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	(void)pthread_mutex_init(&cache->lock, NULL); /* cannot fail for a plain one */
	cache->folder = strdup(folder);
	rc = cache->folder ? folder_read(cache, err) : BASE_ERR(BASE_LOCAL, 0);
	if (rc < 0) {
		trust_cache_close(cache);
		return rc;
	}
	*ret = cache;
	return 0;
}

struct trust_cache *trust_cache_ref(struct trust_cache *cache)
{
	atomic_fetch_add_explicit(&cache->refs, 1, memory_order_relaxed);
	return cache;
}

bool trust_cache_readable(const struct trust_cache *cache)
{
	return !cache->unreadable;
}

unsigned trust_cache_certs_changes(const struct trust_cache *cache)
{
	return cache->certs_changes;
}

const char *trust_cache_folder(const struct trust_cache *cache)
{
	return cache->folder;
}

void trust_cache_close(struct trust_cache *cache)
{
	if (!cache || atomic_fetch_sub_explicit(&cache->refs, 1, memory_order_acq_rel) != 1)
		return;
	trust_cache_view_unref(cache->view);
	slots_done(&cache->slots);
	if (cache->notify >= 0)
		(void)close(cache->notify); /* only read from */
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache->folder);
	free(cache);
}

int trust_cache_fd(const struct trust_cache *cache)
{
	return cache->notify;
}

struct trust_cache_view *trust_cache_view_get(struct trust_cache *cache)
{
	struct trust_cache_view *view;

	(void)pthread_mutex_lock(&cache->lock); /* fails for a wrong use only */
	view = cache->view;
	atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
	(void)pthread_mutex_unlock(&cache->lock);
	return view;
}

void trust_cache_view_unref(struct trust_cache_view *view)
{
	if (!view || atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < view->count; i++)
		x509_crl_index_unref(view->index[i]);
	free(view);
}

size_t trust_cache_view_count(const struct trust_cache_view *view)
{
	return view->count;
}

struct x509_crl_index *trust_cache_view_at(const struct trust_cache_view *view, size_t i)
{
	return view->index[i];
}

/* Does the delta bring the complete one up to date? RFC 5280, 5.2.4 and 6.3.3 (c). */
static bool delta_fits(const struct x509_crl_info *complete, const struct x509_crl_info *delta)
{
	return delta->flags & X509_CRL_DELTA && complete->number.ptr &&
	       base_str_eq(delta->issuer, complete->issuer) &&
	       base_str_eq(delta->scope, complete->scope) &&
	       memcmp(delta->signer, complete->signer, 32) == 0 &&
	       x509_crl_number_compare(delta->base_number, complete->number) <= 0 &&
	       x509_crl_number_compare(complete->number, delta->number) < 0;
}

static struct x509_crl_index *delta_find(const struct trust_cache_view *view,
                                         const struct x509_crl_index *complete)
{
	const struct x509_crl_info *info = x509_crl_index_info(complete);
	struct x509_crl_index *best = NULL;

	for (size_t i = 0; i < view->count; i++) {
		struct x509_crl_index *one = view->index[i];

		if (delta_fits(info, x509_crl_index_info(one)) && x509_crl_index_intact(one) &&
		    (!best || x509_crl_number_compare(x509_crl_index_info(best)->number,
		                                      x509_crl_index_info(one)->number) < 0))
			best = one;
	}
	return best;
}

/*
 * A CA writes its name one way (RFC 5280, 4.1.2.4), so where an index has the octets asked for,
 * none is compared by parts.
 */
static bool issuer_exact(const struct trust_cache_view *view, struct base_str issuer)
{
	for (size_t i = 0; i < view->count; i++)
		if (base_str_eq(x509_crl_index_info(view->index[i])->issuer, issuer))
			return true;
	return false;
}

bool trust_cache_view_next(const struct trust_cache_view *view, struct base_str issuer, size_t *at,
                           struct trust_cache_pair *ret)
{
	bool exact = issuer_exact(view, issuer);

	while (*at < view->count) {
		struct x509_crl_index *one = view->index[(*at)++];
		const struct x509_crl_info *info = x509_crl_index_info(one);
		bool its = exact ? base_str_eq(info->issuer, issuer)
		                 : x509_crl_index_issued_by(one, issuer);

		if (its && !(info->flags & X509_CRL_DELTA) && x509_crl_index_intact(one)) {
			*ret = (struct trust_cache_pair){ one, delta_find(view, one) };
			return true;
		}
	}
	return false;
}

bool trust_cache_view_find(const struct trust_cache_view *view, struct base_str issuer,
                           struct base_str scope, const uint8_t *signer,
                           struct trust_cache_pair *ret)
{
	struct trust_cache_pair pair, best = { 0 };
	size_t at = 0;

	while (trust_cache_view_next(view, issuer, &at, &pair)) {
		const struct x509_crl_info *info = x509_crl_index_info(pair.complete);

		if (base_str_eq(info->scope, scope) &&
		    (!signer || memcmp(info->signer, signer, 32) == 0) &&
		    (!best.complete ||
		     x509_crl_index_info(best.complete)->this_update_s < info->this_update_s))
			best = pair;
	}
	if (!best.complete)
		return false;
	*ret = best;
	return true;
}

static bool pair_intact(const struct trust_cache_pair *pair)
{
	return pair->complete && x509_crl_index_intact(pair->complete) &&
	       (!pair->delta || x509_crl_index_intact(pair->delta));
}

enum x509_crl_status trust_cache_pair_find(const struct trust_cache_pair *pair, const X509 *cert,
                                           struct x509_crl_entry *ret)
{
	enum x509_crl_status status = X509_CRL_OTHER;

	if (!pair_intact(pair))
		return X509_CRL_OTHER;
	if (pair->delta)
		status = x509_crl_index_find_cert(pair->delta, cert, ret);
	if (status == X509_CRL_REVOKED)
		return status;
	return status == X509_CRL_REMOVED ? X509_CRL_GOOD
	                                  : x509_crl_index_find_cert(pair->complete, cert, ret);
}

enum x509_crl_status trust_cache_pair_find_serial(const struct trust_cache_pair *pair,
                                                  struct base_str issuer, struct base_str serial,
                                                  struct x509_crl_entry *ret)
{
	enum x509_crl_status status = X509_CRL_OTHER;

	if (!pair_intact(pair))
		return X509_CRL_OTHER;
	if (pair->delta)
		status = x509_crl_index_find(pair->delta, issuer, serial, ret);
	if (status == X509_CRL_REVOKED)
		return status;
	return status == X509_CRL_REMOVED
	               ? X509_CRL_GOOD
	               : x509_crl_index_find(pair->complete, issuer, serial, ret);
}
