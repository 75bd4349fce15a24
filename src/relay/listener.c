/* SPDX-License-Identifier: Apache-2.0 */
/* The standing listener: a door on each worker, and a pair of legs for each who comes in. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/private.h"

/** So many are let in before those inside get their turn. */
#define ACCEPT_QUOTA 32
/** When descriptors or memory are short, look again after so many milliseconds. */
#define AGAIN_MS 100

struct door {
	unsigned idle_ms; /**< 0 = never */
	struct relay_listener *listener;
	struct relay_worker *worker;
	struct loop_fd watch;
	struct relay_setup *front, *back; /**< shared by all legs of this worker */
	struct loop_msg begin, end;
	struct loop_task turn;   /**< goes on accepting when its quota was used up */
	struct loop_timer again; /**< when something was short: nothing else would tell */
	struct relay_letter letter;
	_Atomic uint64_t accepted, refused;
};

struct relay_listener {
	struct base_node node; /**< in the pool */
	struct relay_pool *pool;
	union relay_address local;
	unsigned count, ended;
	struct door door[];
};

/* ---- on the worker ---- */

static struct relay_leg *make_leg(struct relay_worker *worker, struct relay_setup *setup)
{
	struct relay_leg *leg = calloc(1, sizeof(*leg));

	if (!leg)
		return NULL;
	setup->refs++;
	relay_leg_init(leg, worker, NULL, setup);
	return leg;
}

static bool has_room(struct relay_pool *pool)
{
	unsigned before = atomic_fetch_add_explicit(&pool->open, 2, memory_order_relaxed);

	if (before + 2 <= pool->limit)
		return true;
	atomic_fetch_sub_explicit(&pool->open, 2, memory_order_relaxed);
	return false;
}

static bool make_pair(struct door *door, int fd)
{
	struct relay_pool *pool = door->worker->pool;
	struct relay_leg *front, *back;

	if (!has_room(pool))
		return false;
	front = make_leg(door->worker, door->front);
	back = make_leg(door->worker, door->back);
	if (!front || !back) {
		atomic_fetch_sub_explicit(&pool->open, 2, memory_order_relaxed);
		if (front)
			relay_setup_unref(front->setup);
		if (back)
			relay_setup_unref(back->setup);
		free(front);
		free(back);
		return false;
	}
	front->idle_ms = back->idle_ms = door->idle_ms;
	front->partner = back;
	back->partner = front;
	front->watch.fd = fd;
	relay_leg_begin(back);
	relay_leg_adopt(front);
	return true;
}

static void refuse(struct door *door, int fd)
{
	relay_count_add(&door->refused, 1);
	relay_socket_abortive(fd);
	close(fd);
}

static void welcome(struct door *door, int fd)
{
	struct relay_worker *worker = door->worker;

	relay_count_add(&door->accepted, 1);
	/* The spare descriptor may have had to go: if there is none again, this one goes in its
	 * place. */
	relay_worker_spare(worker);
	if (worker->spare_fd < 0) {
		refuse(door, fd);
		relay_worker_spare(worker);
	} else if (!make_pair(door, fd)) {
		refuse(door, fd);
	}
}

static void accept_some(void *arg)
{
	struct door *door = arg;
	struct relay_worker *worker = door->worker;

	for (unsigned i = 0; i < ACCEPT_QUOTA; i++) {
		union relay_address peer;
		int fd = relay_worker_accept(worker, door->watch.fd, &peer);

		if (fd >= 0) {
			welcome(door, fd);
		} else if (errno == EAGAIN) {
			relay_worker_spare(worker);
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		           errno == ENOBUFS) {
			relay_worker_spare(worker);
			loop_timer_start(worker->loop, &door->again, AGAIN_MS, accept_some, door);
			return;
		} /* else the connection's own failure (accept(2)): the next one */
	}
	loop_defer(worker->loop, &door->turn, accept_some, door);
}

static void on_door(void *arg, unsigned events)
{
	(void)events; /* whatever it is, accept says what became of it */
	accept_some(arg);
}

static void on_begin(void *arg)
{
	struct door *door = arg;
	int rc = loop_fd_start(door->worker->loop, &door->watch);

	if (rc)
		base_log(BASE_LOG_ERROR, "relay", "a listener cannot be watched: %s",
		         strerror((int)base_err_detail(rc)));
}

static void open_ended(struct relay_letter *letter, bool discard);

static void on_end(void *arg)
{
	struct door *door = arg;

	loop_fd_close(door->worker->loop, &door->watch);
	loop_defer_stop(door->worker->loop, &door->turn);
	loop_timer_stop(door->worker->loop, &door->again);
	relay_setup_unref(door->front);
	relay_setup_unref(door->back);
	door->front = door->back = NULL;
	door->letter.open = open_ended;
	relay_mailbox_post(&door->worker->pool->mailbox, &door->letter);
}

/* ---- on the control thread ---- */

static void free_listener(struct relay_listener *listener)
{
	base_list_remove(&listener->node);
	for (unsigned i = 0; i < listener->count; i++) {
		struct door *door = &listener->door[i];

		if (door->watch.fd >= 0)
			close(door->watch.fd);
		relay_setup_unref(door->front);
		relay_setup_unref(door->back);
	}
	free(listener);
}

static void open_ended(struct relay_letter *letter, bool discard)
{
	struct relay_listener *listener = BASE_CONTAINER_OF(letter, struct door, letter)->listener;

	if (++listener->ended == listener->count && !discard)
		free_listener(listener);
}

void relay_listener_discard(struct base_node *node)
{
	free_listener(BASE_CONTAINER_OF(node, struct relay_listener, node));
}

static int make_door(struct relay_listener *listener, const struct relay_listener_spec *spec)
{
	struct door *door = &listener->door[listener->count];
	struct relay_endpoint_spec front = {
		.tcp_role = RELAY_TCP_SERVER,
		.tls = spec->tls,
		.handshake_timeout_ms = spec->handshake_timeout_ms,
	};
	struct relay_endpoint_spec back = {
		.tcp_role = RELAY_TCP_CLIENT,
		.remote = spec->backend,
		.tls = spec->backend_tls,
		.connect_timeout_ms = spec->connect_timeout_ms,
		.handshake_timeout_ms = spec->handshake_timeout_ms,
	};
	int rc, wait_s = 10;

	door->listener = listener;
	door->worker = &listener->pool->worker[listener->count++];
	door->watch = (struct loop_fd){ .fd = -1, .fn = on_door, .arg = door };
	rc = relay_setup_new(&door->front, &front);
	if (rc == 0)
		rc = relay_setup_new(&door->back, &back);
	if (rc)
		return rc;
	door->back->on_partner_open = true;
	door->idle_ms = spec->idle_timeout_ms;
	rc = relay_socket_listen(&listener->local, NULL, SOMAXCONN, true, &door->watch.fd);
	if (rc)
		return rc;
	/* Who is to speak first need not be let in before. If that fails nothing but a wake-up
	 * is lost. */
	if (spec->tls && spec->tls->session.role == TLS_ROLE_SERVER)
		(void)setsockopt(door->watch.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait_s,
		                 sizeof(wait_s));
	/* The first door may have found a port for all. */
	return relay_socket_name(door->watch.fd, &listener->local);
}

int relay_listener_new(struct relay_listener **ret, struct relay_pool *pool,
                       const struct relay_listener_spec *spec, struct base_error *err)
{
	struct relay_listener *listener =
	        calloc(1, sizeof(*listener) + pool->worker_count * sizeof(struct door));
	int rc;

	if (!listener)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	listener->pool = pool;
	base_list_append(&pool->listeners, &listener->node);
	rc = relay_address_set(&listener->local, &spec->local);
	for (unsigned i = 0; i < pool->worker_count && rc == 0; i++)
		rc = make_door(listener, spec);
	if (rc) {
		free_listener(listener);
		return base_error_set(err, rc, "cannot listen: %s",
		                      strerror((int)base_err_detail(rc)));
	}
	for (unsigned i = 0; i < listener->count; i++) {
		struct door *door = &listener->door[i];

		loop_post(door->worker->loop, &door->begin, on_begin, door);
	}
	*ret = listener;
	return 0;
}

void relay_listener_local(const struct relay_listener *listener, struct sockaddr_storage *ret)
{
	relay_address_get(&listener->local, ret);
}

void relay_listener_stats(const struct relay_listener *listener, struct relay_listener_stats *ret)
{
	*ret = (struct relay_listener_stats){ 0 };
	for (unsigned i = 0; i < listener->count; i++) {
		ret->accepted += relay_count_get(&listener->door[i].accepted);
		ret->refused += relay_count_get(&listener->door[i].refused);
	}
}

void relay_listener_free(struct relay_listener *listener)
{
	if (!listener)
		return;
	for (unsigned i = 0; i < listener->count; i++) {
		struct door *door = &listener->door[i];

		loop_post(door->worker->loop, &door->end, on_end, door);
	}
}
