/* SPDX-License-Identifier: Apache-2.0 */
/* The loop itself: our own epoll set, in which libuv's is one descriptor among others (libuv's
 * documentation, "uv_backend_fd", tells how to embed it). */
#include "loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "loop/private.h"

static void update_time(struct loop *loop)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts); /* answered without entering the kernel */
	loop->timers.now_ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 + 1;
}

static int watch_internal(struct loop *loop, int fd, uint32_t events, void *tag)
{
	struct epoll_event ev = { .events = events, .data.ptr = tag };

	return epoll_ctl(loop->epfd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : BASE_ERR(BASE_LOCAL, errno);
}

int loop_new(struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int rc;

	if (!loop)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_list_init(&loop->tasks);
	base_list_init(&loop->signals);
	rc = uv_loop_init(&loop->uv);
	if (rc) {
		free(loop);
		return BASE_ERR(BASE_LOCAL, -rc);
	}
	loop->uv_dirty = true;
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->epfd < 0 || loop->wake_fd < 0) {
		rc = BASE_ERR(BASE_LOCAL, errno);
		goto out;
	}
	rc = watch_internal(loop, loop->wake_fd, EPOLLIN | EPOLLET, &loop->wake_fd);
	if (rc)
		goto out;
	rc = watch_internal(loop, uv_backend_fd(&loop->uv), EPOLLIN, &loop->uv);
	if (rc)
		goto out;
	update_time(loop);
	*ret = loop;
	loop = NULL;
out:
	loop_free(loop);
	return rc;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	loop_signal_done(loop);
	while (uv_loop_close(&loop->uv) == UV_EBUSY)
		uv_run(&loop->uv, UV_RUN_NOWAIT); /* lets the closing handles finish */
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->epfd >= 0)
		close(loop->epfd);
	free(loop);
}

/* ---- descriptors ---- */

int loop_fd_start(struct loop *loop, struct loop_fd *w)
{
	return watch_internal(loop, w->fd, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET, w);
}

static void drop_fetched(struct loop *loop, const struct loop_fd *w)
{
	for (int i = loop->batch_at; i < loop->batch_len; i++) {
		if (loop->batch[i].data.ptr == w)
			loop->batch[i].data.ptr = NULL;
	}
}

void loop_fd_stop(struct loop *loop, struct loop_fd *w)
{
	struct epoll_event unused = { 0 };

	drop_fetched(loop, w);
	/* Fails only for a descriptor that is closed already, which has left the set by that. */
	(void)epoll_ctl(loop->epfd, EPOLL_CTL_DEL, w->fd, &unused);
}

void loop_fd_close(struct loop *loop, struct loop_fd *w)
{
	if (w->fd < 0)
		return;
	drop_fetched(loop, w);
	close(w->fd);
	w->fd = -1;
}

static unsigned events_of(uint32_t e)
{
	unsigned events = 0;

	if (e & EPOLLIN)
		events |= LOOP_READABLE;
	if (e & EPOLLPRI)
		events |= LOOP_READABLE | LOOP_URGENT;
	if (e & EPOLLOUT)
		events |= LOOP_WRITABLE;
	if (e & EPOLLRDHUP)
		events |= LOOP_READABLE | LOOP_HANGUP;
	if (e & EPOLLHUP)
		events |= LOOP_READABLE | LOOP_WRITABLE | LOOP_HANGUP;
	if (e & EPOLLERR)
		events |= LOOP_READABLE | LOOP_WRITABLE | LOOP_ERROR;
	return events;
}

static void deliver_fds(struct loop *loop)
{
	while (loop->batch_at < loop->batch_len) {
		const struct epoll_event *ev;
		void *tag;
		unsigned events;

		/* What was ordered before these octets came holds for them. It may stop watches. */
		loop_post_run(loop);
		ev = &loop->batch[loop->batch_at++];
		tag = ev->data.ptr;
		events = events_of(ev->events);
		if (tag == &loop->uv) {
			loop->uv_ready = true;
		} else if (tag && tag != &loop->wake_fd) {
			struct loop_fd *w = tag;

			w->fn(w->arg, events);
		}
	}
	loop->batch_at = loop->batch_len = 0;
}

/* ---- deferred tasks ---- */

void loop_defer(struct loop *loop, struct loop_task *task, loop_fn *fn, void *arg)
{
	task->fn = fn;
	task->arg = arg;
	if (task->on)
		return;
	task->on = true;
	base_list_append(&loop->tasks, &task->node);
}

void loop_defer_stop(struct loop *loop, struct loop_task *task)
{
	(void)loop; /* a parameter so that the call says whose thread this is */
	if (!task->on)
		return;
	task->on = false;
	base_list_remove(&task->node);
}

static void run_tasks(struct loop *loop)
{
	struct base_node now;

	if (base_list_empty(&loop->tasks))
		return;
	/* Those that come meanwhile wait for the next iteration: move the present ones aside. */
	base_list_insert(&loop->tasks, &now);
	base_list_remove(&loop->tasks);
	while (!base_list_empty(&now)) {
		struct loop_task *task = BASE_CONTAINER_OF(now.next, struct loop_task, node);

		loop_defer_stop(loop, task);
		task->fn(task->arg);
	}
}

/* ---- running ---- */

static bool uv_due(struct loop *loop)
{
	return loop->uv_ready || loop->uv_dirty ||
	       (uv_loop_alive(&loop->uv) && uv_backend_timeout(&loop->uv) == 0);
}

static void run_uv(struct loop *loop)
{
	if (!uv_due(loop))
		return;
	loop->uv_ready = false;
	loop->uv_dirty = false;
	uv_run(&loop->uv, UV_RUN_NOWAIT);
}

/* How long may we sleep? `most` is the caller's own bound, -1 for none. */
static int wait_ms(struct loop *loop, int most)
{
	uint64_t wait = most < 0 ? INT_MAX : (uint64_t)most;
	uint64_t due = loop_timers_deadline(&loop->timers);

	if (!base_list_empty(&loop->tasks) || loop_post_pending(loop) || uv_due(loop))
		return 0;
	if (due <= loop->timers.now_ms)
		return 0;
	wait = BASE_MIN(due - loop->timers.now_ms, wait);
	if (uv_loop_alive(&loop->uv)) {
		int uv = uv_backend_timeout(&loop->uv);

		if (uv >= 0)
			wait = BASE_MIN((uint64_t)uv, wait);
	}
	return wait == INT_MAX ? -1 : (int)wait;
}

static int wait_events(struct loop *loop, int timeout_ms)
{
	int n;

	if (timeout_ms != 0) {
		/* First say that we sleep, then look once more: who posts in between sees it. */
		atomic_store(&loop->asleep, 1);
		if (loop_post_pending(loop))
			timeout_ms = 0;
	}
	n = epoll_wait(loop->epfd, loop->batch, LOOP_BATCH, timeout_ms);
	atomic_store_explicit(&loop->asleep, 0, memory_order_relaxed);
	if (n < 0 && errno != EINTR)
		return BASE_ERR(BASE_LOCAL, errno);
	loop->batch_at = 0;
	loop->batch_len = n > 0 ? n : 0;
	return 0;
}

int loop_run_once(struct loop *loop, int timeout_ms)
{
	int rc;

	/* Callbacks may have taken their time; a timer must not wait for that on top. */
	update_time(loop);
	uv_update_time(&loop->uv);
	rc = wait_events(loop, wait_ms(loop, timeout_ms));
	if (rc)
		return rc;
	update_time(loop);
	deliver_fds(loop);
	run_uv(loop);
	loop_post_run(loop);
	loop_timers_run(&loop->timers, loop->timers.now_ms);
	run_tasks(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int rc = 0;

	while (rc == 0 && !loop->stopping)
		rc = loop_run_once(loop, -1);
	if (rc == 0)
		loop_post_run(loop);
	loop->stopping = false;
	return rc;
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->timers.now_ms;
}
