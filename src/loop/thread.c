/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: a thread and its loop. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "loop/private.h"

struct loop_thread {
	struct loop *loop;
	pthread_t id;
	char name[16];
	struct loop_thread_ops ops;
	void *arg;
	struct loop_msg stop;
};

static void *work(void *arg)
{
	struct loop_thread *thread = arg;

	(void)pthread_setname_np(pthread_self(), thread->name); /* a name only helps to look */
	if (thread->ops.start)
		thread->ops.start(thread->loop, thread->arg);
	if (loop_run(thread->loop) != 0)
		base_log(BASE_LOG_ERROR, "loop", "%s: the event loop failed", thread->name);
	if (thread->ops.done)
		thread->ops.done(thread->loop, thread->arg);
	return NULL;
}

int loop_thread_start(struct loop_thread **ret, const char *name, const struct loop_thread_ops *ops,
                      void *arg)
{
	struct loop_thread *thread = calloc(1, sizeof(*thread));
	sigset_t all, before;
	int rc;

	if (!thread)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	(void)snprintf(thread->name, sizeof(thread->name), "%s", name); /* shortening is fine */
	thread->ops = *ops;
	thread->arg = arg;
	rc = loop_new(&thread->loop);
	if (rc)
		goto out;

	/* The new thread inherits the mask: signals go to the thread that asked for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread->id, NULL, work, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		rc = BASE_ERR(BASE_LOCAL, rc);
		goto out;
	}
	*ret = thread;
	return 0;
out:
	loop_free(thread->loop);
	free(thread);
	return rc;
}

struct loop *loop_thread_loop(struct loop_thread *thread)
{
	return thread->loop;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

void loop_thread_join(struct loop_thread *thread)
{
	if (!thread)
		return;
	loop_post(thread->loop, &thread->stop, stop, thread->loop);
	pthread_join(thread->id, NULL);
	loop_free(thread->loop);
	free(thread);
}
