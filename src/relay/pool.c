/* SPDX-License-Identifier: Apache-2.0 */
/* Workers and contexts, on the control thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "relay/seat.h"

#define BUFFER_LIMIT ((size_t)256 * 1024)
#define BUFFER_MIN   ((size_t)64 * 1024)
#define HALF_MS      240000
#define DRAIN_MS     5000
#define FETCH_MS     5000
/** Descriptors for everything else of the process. */
#define FD_RESERVE 64

static unsigned default_limit(unsigned workers)
{
	struct rlimit lim;
	rlim_t reserve = FD_RESERVE + 4 * (rlim_t)workers;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur == RLIM_INFINITY ||
	    lim.rlim_cur > 1U << 30)
		return 1U << 30;
	return lim.rlim_cur > reserve ? (unsigned)(lim.rlim_cur - reserve) : 1;
}

static void work_done(struct loop *loop, void *arg)
{
	(void)loop; /* the worker knows it */
	relay_worker_abort(arg);
}

static int start_worker(struct relay_worker *worker, unsigned number, struct base_error *err)
{
	static const struct loop_thread_ops ops = { .done = work_done };
	char name[32];
	int rc;

	rc = relay_worker_init(worker, worker->pool);
	if (rc == 0) {
		(void)snprintf(name, sizeof(name), "relay-%u", number);
		rc = loop_thread_start(&worker->thread, name, &ops, worker);
	}
	if (rc)
		return base_error_set(err, rc, "worker %u cannot be started: %s", number,
		                      strerror((int)base_err_detail(rc)));
	worker->loop = loop_thread_loop(worker->thread);
	return 0;
}

static unsigned core_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 0 && cores < 1024 ? (unsigned)cores : 1;
}

int relay_pool_new(struct relay_pool **ret, struct loop *control,
                   const struct relay_pool_spec *spec, struct base_error *err)
{
	unsigned workers = spec->workers ? spec->workers : core_count();
	struct relay_pool *pool = calloc(1, sizeof(*pool) + workers * sizeof(struct relay_worker));
	size_t families;
	int rc;

	if (!pool)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	base_list_init(&pool->contexts);
	base_list_init(&pool->removed);
	base_list_init(&pool->hubs);
	base_list_init(&pool->listeners);
	base_list_init(&pool->holders);
	base_list_init(&pool->askers);
	base_list_init(&pool->room_list);
	pool->control = control;
	(void)relay_families(&families); /* placed before there are workers */
	relay_ports_init(&pool->ports);
	pool->limit = spec->endpoint_limit ? spec->endpoint_limit : default_limit(workers);
	pool->buffer_limit =
	        spec->buffer_limit ? BASE_MAX(spec->buffer_limit, BUFFER_MIN) : BUFFER_LIMIT;
	pool->half_timeout_ms = spec->half_timeout_ms ? spec->half_timeout_ms : HALF_MS;
	pool->fetch = spec->fetch;
	pool->fetch_arg = spec->fetch_arg;
	pool->fetch_limit_ms = spec->fetch_limit_ms ? spec->fetch_limit_ms : FETCH_MS;
	pool->drain_timeout_ms = spec->drain_timeout_ms ? spec->drain_timeout_ms : DRAIN_MS;
	rc = relay_mailbox_init(&pool->mailbox, control);
	if (rc) {
		base_error_set(err, rc, "no event descriptor: %s",
		               strerror((int)base_err_detail(rc)));
		goto out;
	}
	for (unsigned i = 0; i < workers && rc == 0; i++) {
		pool->worker[i].pool = pool;
		pool->worker_count++;
		rc = start_worker(&pool->worker[i], i, err);
	}
	if (rc)
		goto out;
	*ret = pool;
	pool = NULL;
out:
	relay_pool_free(pool);
	return rc;
}

static void endpoints_free(struct base_node *list)
{
	BASE_LIST_EACH(list, node, after)
	{
		relay_endpoint_free(BASE_CONTAINER_OF(node, struct relay_endpoint, node));
	}
}

void relay_pool_free(struct relay_pool *pool)
{
	if (!pool)
		return;
	relay_pool_close(pool);
	loop_defer_stop(pool->control, &pool->waker); /* the join wakes them */
	for (unsigned i = 0; i < pool->worker_count; i++)
		loop_thread_join(pool->worker[i].thread);
	for (unsigned i = 0; i < pool->worker_count; i++)
		relay_worker_done(&pool->worker[i]);
	relay_mailbox_done(&pool->mailbox);
	BASE_LIST_EACH(&pool->holders, waiting, then)
	{
		relay_orders_discard(BASE_CONTAINER_OF(waiting, struct relay_endpoint, holder));
	}
	relay_hubs_discard(&pool->hubs);
	endpoints_free(&pool->removed);
	BASE_LIST_EACH(&pool->listeners, listener, next)
	{
		relay_listener_discard(listener);
	}
	BASE_LIST_EACH(&pool->contexts, context, behind)
	{
		struct relay_context *c = BASE_CONTAINER_OF(context, struct relay_context, node);

		endpoints_free(&c->endpoints);
		free(c);
	}
	base_map_done(&pool->claims);
	base_map_done(&pool->rooms);
	free(pool);
}

void relay_pool_usage(const struct relay_pool *pool, unsigned *ret_open, unsigned *ret_limit)
{
	*ret_open = atomic_load_explicit(&pool->open, memory_order_relaxed);
	*ret_limit = pool->limit;
}

void relay_pool_trust_counts(const struct relay_pool *pool, struct relay_trust_counts *ret)
{
#define X(name) ret->name = relay_count_get(&pool->trust.name);
	RELAY_TRUST_COUNTERS(X)
#undef X
}

/* ---- a domain is replaced ---- */

struct drop {
	struct loop_msg msg;
	struct relay_worker *worker;
	struct tls_domain *domain; /**< referenced, so that no new one has its address */
};

static void on_drop(void *arg)
{
	struct drop *drop = arg;

	relay_worker_drop(drop->worker, drop->domain);
	tls_domain_unref(drop->domain);
	free(drop);
}

int relay_pool_domain_drop(struct relay_pool *pool, struct tls_domain *domain)
{
	for (unsigned i = 0; i < pool->worker_count; i++) {
		struct drop *drop = malloc(sizeof(*drop));

		if (!drop)
			return BASE_ERR(BASE_LOCAL, ENOMEM);
		drop->worker = &pool->worker[i];
		drop->domain = tls_domain_ref(domain);
		loop_post(drop->worker->loop, &drop->msg, on_drop, drop);
	}
	return 0;
}

/* ---- orders ---- */

static void wake_workers(void *arg)
{
	struct relay_pool *pool = arg;

	for (unsigned i = 0; i < pool->worker_count; i++) {
		if (pool->worker[i].ordered)
			loop_wake(pool->worker[i].loop);
		pool->worker[i].ordered = false;
	}
}

void relay_worker_order(struct relay_worker *worker, struct loop_msg *msg, loop_fn *fn, void *arg)
{
	struct relay_pool *pool = worker->pool;

	loop_push(worker->loop, msg, fn, arg);
	worker->ordered = true;
	loop_defer(pool->control, &pool->waker, wake_workers, pool);
}

/* ---- contexts ---- */

int relay_context_new(struct relay_context **ret, struct relay_pool *pool)
{
	struct relay_context *context = calloc(1, sizeof(*context));
	struct relay_worker *least = &pool->worker[0];

	if (!context)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	for (unsigned i = 1; i < pool->worker_count; i++) {
		if (pool->worker[i].planned < least->planned)
			least = &pool->worker[i];
	}
	context->pool = pool;
	context->worker = least;
	base_list_init(&context->endpoints);
	base_list_append(&pool->contexts, &context->node);
	*ret = context;
	return 0;
}

void relay_context_free(struct relay_context *context)
{
	if (!context)
		return;
	BASE_LIST_EACH(&context->endpoints, node, after)
	{
		relay_endpoint_remove(BASE_CONTAINER_OF(node, struct relay_endpoint, node));
	}
	base_list_remove(&context->node);
	free(context);
}
