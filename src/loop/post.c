/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from other threads: a stack that senders push to and the loop takes whole. The loop says
 * when it is about to sleep, so that a sender pays a system call only then. */
#include <unistd.h>

#include "loop/private.h"

void loop_push(struct loop *loop, struct loop_msg *msg, loop_fn *fn, void *arg)
{
	struct loop_msg *top = atomic_load(&loop->posted);

	msg->fn = fn;
	msg->arg = arg;
	do
		msg->next = top;
	while (!atomic_compare_exchange_weak(&loop->posted, &top, msg));
}

bool loop_posted(struct loop *loop)
{
	return loop_post_pending(loop);
}

static void wake(struct loop *loop)
{
	if (atomic_exchange(&loop->asleep, 0)) {
		uint64_t one = 1;
		/* Cannot fail: 2^64 wake-ups would be needed to fill the counter. */
		ssize_t n = write(loop->wake_fd, &one, sizeof(one));

		(void)n;
	}
}

void loop_wake(struct loop *loop)
{
	/* None pending: it was awake and has taken them. */
	if (loop_post_pending(loop))
		wake(loop);
}

void loop_post(struct loop *loop, struct loop_msg *msg, loop_fn *fn, void *arg)
{
	loop_push(loop, msg, fn, arg);
	wake(loop);
}

void loop_post_run(struct loop *loop)
{
	struct loop_msg *taken, *in_order = NULL;

	if (!loop_post_pending(loop))
		return;
	taken = atomic_exchange(&loop->posted, NULL);
	while (taken) {
		struct loop_msg *msg = taken;

		taken = msg->next;
		msg->next = in_order;
		in_order = msg;
	}
	while (in_order) {
		struct loop_msg *msg = in_order;

		in_order = msg->next; /* before the call, which may free or reuse it */
		msg->fn(msg->arg);
	}
}
