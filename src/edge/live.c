/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/live.h"

#include <stdlib.h>

#include "trust/trust.h"

#define LOOK_MS 10000U /* for what no folder tells, and where it can tell nothing (cache.h) */

struct edge_live_watch {
	struct loop_fd fd;
	struct edge_live *live;
	struct trust_cache *cache;
};

/* ---- CRLs ---- */

/* Sessions of domains that were replaced, too: the core's are judged by what is known now. */
static void rejudge(struct edge_live *live)
{
	struct tls_domain *core = edge_config_domain(live->config, live->config->core_domain);
	struct trust_store *store = core ? tls_domain_trust(core) : NULL;

	if (store)
		streams_rejudge(live->streams, store);
}

/* Cross-certificates and CA certificates are read when a store is loaded. */
static unsigned certs_changes(const struct edge_live *live)
{
	unsigned sum = 0;

	for (size_t i = 0; i < live->watch_count; i++)
		sum += trust_cache_certs_changes(live->watches[i].cache);
	return sum;
}

static void look(struct edge_live *live)
{
	bool changed = false;
	unsigned changes;

	for (size_t i = 0; i < live->watch_count; i++)
		if (trust_cache_refresh(live->watches[i].cache) > 0) {
			base_log(BASE_LOG_INFO, "edge", "cache: %s has changed",
			         trust_cache_folder(live->watches[i].cache));
			changed = true;
		}
	if (changed)
		rejudge(live);
	changes = certs_changes(live);
	if (changes != live->changes) {
		live->changes = changes; /* once, even where it fails */
		live->renew(live->arg);  /* stops us */
	}
}

static void on_change(void *arg, unsigned events)
{
	(void)events; /* refreshing reads all that there is to read */
	look(arg);
}

static void on_look(void *arg)
{
	struct edge_live *live = arg;

	loop_timer_start(live->loop, &live->look, LOOK_MS, on_look, live);
	look(live);
}

/* Without a descriptor, or memory for it, the timer finds the changes. */
static void watches_start(struct edge_live *live)
{
	size_t count = live->config->domain_count;

	live->watches = count ? calloc(count, sizeof(*live->watches)) : NULL;
	for (size_t i = 0; live->watches && i < count; i++) {
		struct trust_store *store = tls_domain_trust(live->config->domains[i].tls);
		struct trust_cache *cache = store ? trust_store_cache(store) : NULL;
		struct edge_live_watch *w = &live->watches[live->watch_count];

		if (!cache)
			continue;
		*w = (struct edge_live_watch){ { trust_cache_fd(cache), on_change, live },
			                       live,
			                       cache };
		if (w->fd.fd >= 0 && loop_fd_start(live->loop, &w->fd))
			w->fd.fd = -1;
		live->watch_count++;
	}
	if (!live->watches)
		return;
	live->changes = certs_changes(live);
	if (live->watch_count)
		loop_timer_start(live->loop, &live->look, LOOK_MS, on_look, live);
}

/* ---- life ---- */

static void all_stop(struct edge_live *live)
{
	for (size_t i = 0; i < live->watch_count; i++)
		if (live->watches[i].fd.fd >= 0)
			loop_fd_stop(live->loop, &live->watches[i].fd);
	free(live->watches);
	live->watches = NULL;
	live->watch_count = 0;
	loop_timer_stop(live->loop, &live->look);
}

void edge_live_start(struct edge_live *live, struct streams *streams,
                     const struct edge_config *config, loop_fn *renew, void *arg)
{
	live->loop = streams_loop(streams);
	live->streams = streams;
	live->renew = renew;
	live->arg = arg;
	edge_live_config(live, config);
}

void edge_live_config(struct edge_live *live, const struct edge_config *config)
{
	all_stop(live);
	live->config = config;
	watches_start(live);
	rejudge(live);
}

void edge_live_stop(struct edge_live *live)
{
	if (live->loop)
		all_stop(live);
}
