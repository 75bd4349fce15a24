/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/private.h"

int relay_worker_init(struct relay_worker *worker, struct relay_pool *pool)
{
	worker->pool = pool;
	base_list_init(&worker->legs);
	base_list_init(&worker->slots);
	base_list_init(&worker->dead);
	worker->spare_fd = -1;
	/* A read and what TLS makes of it must fit what an endpoint may hold. */
	worker->read_size = BASE_MIN(RELAY_READ_SIZE, pool->buffer_limit / 2);
	worker->in = malloc(RELAY_READ_SIZE);
	worker->clear = malloc(RELAY_CLEAR_SIZE);
	if (!worker->in || !worker->clear ||
	    !base_writer_reserve(&worker->out, RELAY_CLEAR_SIZE + 8192))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	relay_worker_spare(worker);
	return relay_batch_init(worker);
}

void relay_worker_abort(struct relay_worker *worker)
{
	while (!base_list_empty(&worker->legs)) {
		struct relay_leg *leg =
		        BASE_CONTAINER_OF(worker->legs.next, struct relay_leg, node);

		/* Whoever ends the pool hears nothing more. Each may take its partner along. */
		leg->removed = true;
		relay_leg_input(leg, RELAY_ON_ABORT, RELAY_CAUSE_LOCAL_CLOSE, 0);
	}
}

static void reap(void *arg)
{
	struct relay_worker *worker = arg;
	struct base_node *node;

	while ((node = base_list_shift(&worker->dead))) {
		struct relay_leg *leg = BASE_CONTAINER_OF(node, struct relay_leg, node);

		if (leg->owner) {
			relay_endpoint_last(leg->owner);
			continue;
		}
		atomic_fetch_sub_explicit(&worker->pool->open, 1, memory_order_relaxed);
		free(leg);
	}
}

void relay_worker_bury(struct relay_worker *worker, struct relay_leg *leg)
{
	base_list_append(&worker->dead, &leg->node);
	loop_defer(worker->loop, &worker->reaper, reap, worker);
}

static void free_slot(struct relay_tls_slot *slot)
{
	base_list_remove(&slot->node);
	relay_meter_leave(slot->meter);
	tls_context_free(slot->context);
	tls_domain_unref(slot->domain);
	free(slot);
}

void relay_worker_done(struct relay_worker *worker)
{
	reap(worker);
	relay_judges_free(worker);
	BASE_LIST_EACH(&worker->slots, node, after)
	{
		free_slot(BASE_CONTAINER_OF(node, struct relay_tls_slot, node));
	}
	relay_meters_free(worker);
	base_writer_done(&worker->out);
	free(worker->in);
	free(worker->clear);
	free(worker->batch);
	if (worker->spare_fd >= 0)
		close(worker->spare_fd);
}

/* ---- engine contexts ---- */

static struct relay_tls_slot *make_slot(struct relay_worker *worker, struct tls_domain *domain)
{
	struct relay_tls_slot *slot = calloc(1, sizeof(*slot));
	struct base_error err = { 0 };

	if (!slot)
		return NULL;
	if (tls_context_new(&slot->context, domain, &err) != 0) {
		base_log(BASE_LOG_ERROR, "relay", "domain=%s: no engine context: %s",
		         tls_domain_name(domain), err.text);
		free(slot);
		return NULL;
	}
	slot->domain = tls_domain_ref(domain);
	slot->meter = relay_meter_of(worker, domain);
	base_list_append(&worker->slots, &slot->node);
	return slot;
}

struct relay_tls_slot *relay_worker_slot(struct relay_worker *worker, struct tls_domain *domain)
{
	struct relay_tls_slot *slot = NULL;

	BASE_LIST_EACH(&worker->slots, node, after)
	{
		slot = BASE_CONTAINER_OF(node, struct relay_tls_slot, node);
		if (slot->domain == domain && !slot->stale)
			break;
		slot = NULL;
	}
	if (!slot)
		slot = make_slot(worker, domain);
	if (slot)
		slot->sessions++;
	return slot;
}

void relay_slot_release(struct relay_tls_slot *slot)
{
	if (--slot->sessions == 0 && slot->stale)
		free_slot(slot);
}

void relay_worker_drop(struct relay_worker *worker, struct tls_domain *domain)
{
	BASE_LIST_EACH(&worker->slots, node, after)
	{
		struct relay_tls_slot *slot = BASE_CONTAINER_OF(node, struct relay_tls_slot, node);

		if (slot->domain != domain)
			continue;
		slot->stale = true;
		if (!slot->sessions)
			free_slot(slot);
	}
}

/* ---- when descriptors are short ---- */

void relay_worker_spare(struct relay_worker *worker)
{
	if (worker->spare_fd < 0)
		worker->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int relay_worker_accept(struct relay_worker *worker, int fd, union relay_address *ret_peer)
{
	socklen_t len = sizeof(*ret_peer);
	int got = accept4(fd, &ret_peer->sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (got >= 0 || (errno != EMFILE && errno != ENFILE) || worker->spare_fd < 0)
		return got;
	close(worker->spare_fd);
	worker->spare_fd = -1;
	len = sizeof(*ret_peer);
	return accept4(fd, &ret_peer->sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
