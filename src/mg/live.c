/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "mg/live.h"
#include "trust/trust.h"

#define LOOK_MS 10000U /* for what no folder tells, and where it can tell nothing (cache.h) */

struct mg_live_watch {
	struct loop_fd fd;
	struct mg_live *live;
};

/* Is it one of a newer table's too? */
static bool looked_at(const struct mg_domain_table *newest, const struct mg_domain_table *table,
                      const struct trust_cache *cache)
{
	for (; newest != table; newest = newest->older)
		for (size_t i = 0; i < newest->cache_count; i++)
			if (newest->caches[i] == cache)
				return true;
	return false;
}

static size_t crl_count(struct trust_cache *cache)
{
	struct trust_cache_view *view = trust_cache_view_get(cache);
	size_t count = trust_cache_view_count(view);

	trust_cache_view_unref(view);
	return count;
}

/* Sessions of a domain that is no longer in the file are held against nothing any more. */
static void rejudge(struct mg_live *live)
{
	const struct mg_domain_table *t = live->table;
	struct tls_domain **domains =
	        t->count ? calloc(t->count, sizeof(struct tls_domain *)) : NULL;

	for (size_t i = 0; domains && i < t->count; i++)
		domains[i] = t->domains[i].tls;
	live->due = t->count && (!domains || relay_pool_rejudge(live->pool, domains, t->count));
	free(domains);
	if (live->link)
		link_rejudge(live->link);
}

/* Cross-certificates and CA certificates are read when a store is loaded. */
static unsigned certs_changes(const struct mg_live *live)
{
	unsigned sum = 0;

	for (size_t i = 0; i < live->table->cache_count; i++)
		sum += trust_cache_certs_changes(live->table->caches[i]);
	return sum;
}

/* Domains that a reload has replaced still judge: endpoints that wait were made with them. */
void mg_live_look(void *arg)
{
	struct mg_live *live = arg;

	for (const struct mg_domain_table *t = live->table; t; t = t->older)
		for (size_t i = 0; i < t->cache_count; i++) {
			struct trust_cache *cache = t->caches[i];

			if (looked_at(live->table, t, cache) || trust_cache_refresh(cache) <= 0)
				continue;
			base_log(BASE_LOG_INFO, "mg", "cache: %s has changed: crls=%zu",
			         trust_cache_folder(cache), crl_count(cache));
			live->due = true;
		}
	if (live->due)
		rejudge(live);
	if (live->table && certs_changes(live) != live->changes) {
		live->changes = certs_changes(live); /* once, even where it fails */
		live->renew(live->arg);
	}
}

static void on_change(void *arg, unsigned events)
{
	struct mg_live_watch *w = arg;

	(void)events; /* refreshing reads all that there is to read */
	mg_live_look(w->live);
}

/* At most each LOOK_MS, and only what has changed. */
static void counts_tell(struct mg_live *live)
{
	struct relay_trust_counts now;

	relay_pool_trust_counts(live->pool, &now);
	if (!memcmp(&now, &live->told, sizeof(now)))
		return;
	live->told = now;
	base_log(BASE_LOG_INFO, "mg",
	         "trust counts revoked=%llu crl-missing=%llu crl-stale=%llu condemned=%llu "
	         "waits=%llu waits-lost=%llu",
	         (unsigned long long)now.revoked, (unsigned long long)now.crl_missing,
	         (unsigned long long)now.crl_stale, (unsigned long long)now.condemned,
	         (unsigned long long)now.waits, (unsigned long long)now.waits_lost);
}

static void on_time(void *arg)
{
	struct mg_live *live = arg;

	counts_tell(live);
	mg_live_look(live);
	loop_timer_start(live->loop, &live->timer, LOOK_MS, on_time, live);
}

/* Without a descriptor, or memory for it, the timer finds the changes. */
static void watches_start(struct mg_live *live)
{
	const struct mg_domain_table *t = live->table;

	live->watches = t->cache_count ? calloc(t->cache_count, sizeof(*live->watches)) : NULL;
	for (size_t i = 0; live->watches && i < t->cache_count; i++) {
		struct mg_live_watch *w = &live->watches[live->watch_count];

		w->live = live;
		w->fd = (struct loop_fd){ trust_cache_fd(t->caches[i]), on_change, w };
		if (w->fd.fd >= 0 && loop_fd_start(live->loop, &w->fd) == 0)
			live->watch_count++;
	}
}

static void watches_stop(struct mg_live *live)
{
	for (size_t i = 0; i < live->watch_count; i++)
		loop_fd_stop(live->loop, &live->watches[i].fd);
	free(live->watches);
	live->watches = NULL;
	live->watch_count = 0;
}

void mg_live_start(struct mg_live *live, struct loop *loop, struct relay_pool *pool,
                   const struct mg_domain_table *table, loop_fn *renew, void *arg)
{
	live->renew = renew;
	live->arg = arg;
	live->loop = loop;
	live->pool = pool;
	live->table = table;
	live->changes = certs_changes(live);
	watches_start(live);
	on_time(live);
}

void mg_live_reload(struct mg_live *live, const struct mg_domain_table *table)
{
	watches_stop(live);
	live->table = table;
	live->changes = certs_changes(live); /* as the stores have read them, or more of them */
	watches_start(live);
	live->due = true;
	mg_live_look(live); /* what came between may have been told to the old watch */
}

void mg_live_stop(struct mg_live *live)
{
	if (!live->loop)
		return;
	counts_tell(live);
	watches_stop(live);
	loop_timer_stop(live->loop, &live->timer);
}
