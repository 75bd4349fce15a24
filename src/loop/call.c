/* SPDX-License-Identifier: Apache-2.0 */
/* A call that may block for long, on a thread that nobody waits for. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "loop/private.h"

struct loop_call {
	struct loop *loop;
	struct loop_call_ops ops;
	void *arg;
	struct loop_msg msg;
	pthread_mutex_t lock;
	bool abandoned; /* under the lock */
};

static void call_free(struct loop_call *call)
{
	pthread_mutex_destroy(&call->lock);
	free(call);
}

static void call_drop(struct loop_call *call)
{
	if (call->ops.drop)
		call->ops.drop(call->arg);
	call_free(call);
}

/* On the loop, as is abandoning. The lock waits for the thread to have let go of the call. */
static void deliver(void *arg)
{
	struct loop_call *call = arg;
	bool abandoned;

	pthread_mutex_lock(&call->lock);
	abandoned = call->abandoned;
	pthread_mutex_unlock(&call->lock);
	if (abandoned) {
		call_drop(call);
		return;
	}
	call->ops.done(call->arg);
	call_free(call);
}

static void *work(void *arg)
{
	struct loop_call *call = arg;
	bool abandoned;

	call->ops.work(call->arg);
	/* Under the lock, so that the loop cannot be freed meanwhile. */
	pthread_mutex_lock(&call->lock);
	abandoned = call->abandoned;
	if (!abandoned)
		loop_post(call->loop, &call->msg, deliver, call);
	pthread_mutex_unlock(&call->lock);
	if (abandoned)
		call_drop(call);
	return NULL;
}

int loop_call_start(struct loop_call **ret, struct loop *loop, const struct loop_call_ops *ops,
                    void *arg)
{
	struct loop_call *call = calloc(1, sizeof(*call));
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t id;
	int rc;

	if (!call)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	call->loop = loop;
	call->ops = *ops;
	call->arg = arg;
	pthread_mutex_init(&call->lock, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	*ret = call; /* before the thread can say anything */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&id, &attr, work, call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (rc) {
		*ret = NULL;
		call_free(call);
		return BASE_ERR(BASE_LOCAL, rc);
	}
	return 0;
}

void loop_call_abandon(struct loop_call *call)
{
	if (!call)
		return;
	pthread_mutex_lock(&call->lock);
	call->abandoned = true;
	pthread_mutex_unlock(&call->lock);
}
