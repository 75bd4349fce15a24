/* SPDX-License-Identifier: Apache-2.0 */
/* Process signals, through libuv, which shares them out among loops. */
#include <errno.h>
#include <stdlib.h>

#include "loop/private.h"

struct watch {
	struct base_node node;
	uv_signal_t uv;
	loop_signal_fn *fn;
	void *arg;
};

static void on_signal(uv_signal_t *uv, int signum)
{
	struct watch *w = BASE_CONTAINER_OF(uv, struct watch, uv);

	w->fn(w->arg, signum);
}

static void on_closed(uv_handle_t *handle)
{
	free(BASE_CONTAINER_OF((uv_signal_t *)(void *)handle, struct watch, uv));
}

static void watch_close(struct loop *loop, struct watch *w)
{
	base_list_remove(&w->node);
	uv_close((uv_handle_t *)&w->uv, on_closed); /* freed when libuv has let go */
	loop->uv_dirty = true;
}

static struct watch *watch_of(struct loop *loop, int signum)
{
	BASE_LIST_EACH(&loop->signals, node, after)
	{
		struct watch *w = BASE_CONTAINER_OF(node, struct watch, node);

		if (w->uv.signum == signum)
			return w;
	}
	return NULL;
}

int loop_signal_start(struct loop *loop, int signum, loop_signal_fn *fn, void *arg)
{
	struct watch *w = watch_of(loop, signum);
	int rc;

	if (w) {
		w->fn = fn;
		w->arg = arg;
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	w->fn = fn;
	w->arg = arg;
	rc = uv_signal_init(&loop->uv, &w->uv);
	if (rc) {
		free(w);
		return BASE_ERR(BASE_LOCAL, -rc);
	}
	base_list_append(&loop->signals, &w->node);
	rc = uv_signal_start(&w->uv, on_signal, signum);
	loop->uv_dirty = true;
	if (rc) {
		watch_close(loop, w);
		return BASE_ERR(BASE_LOCAL, -rc);
	}
	return 0;
}

void loop_signal_stop(struct loop *loop, int signum)
{
	struct watch *w = watch_of(loop, signum);

	if (w)
		watch_close(loop, w);
}

void loop_signal_done(struct loop *loop)
{
	BASE_LIST_EACH(&loop->signals, node, after)
	watch_close(loop, BASE_CONTAINER_OF(node, struct watch, node));
}
