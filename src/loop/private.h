/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the files of this folder share, and nobody else. Invariants:
 *
 *  1. `batch[batch_at .. batch_len)` are events fetched and not yet delivered. A stopped watch has
 *     none there, so delivery never touches storage that went back to its owner.
 *  2. A watch is in `epfd` exactly from its start to its stop.
 *  3. `asleep` is 1 only while this thread may be inside a waiting epoll_wait; who changes it from
 *     1 to 0 owes the loop one wake-up.
 *  4. `uv_dirty` is set whenever a uv handle was started since the last uv_run: libuv puts new
 *     descriptors into its own epoll set only inside uv_run.
 */
#ifndef GH_LOOP_PRIVATE_H
#define GH_LOOP_PRIVATE_H

#include <stdatomic.h>
#include <sys/epoll.h>
#include <uv.h>

#include "loop/loop.h"

#define LOOP_BATCH 256

struct loop {
	int epfd;    /* ours: descriptors, the wake-up, libuv's own epoll set */
	int wake_fd; /* eventfd, edge triggered, written by loop_post and never read */
	bool stopping;

	struct epoll_event batch[LOOP_BATCH];
	int batch_at, batch_len;

	struct loop_timers timers; /* its now_ms is the loop's time */

	struct base_node tasks;

	struct loop_msg *_Atomic posted; /* newest first */
	atomic_int asleep;

	uv_loop_t uv;
	bool uv_ready; /* libuv's epoll set has something */
	bool uv_dirty;
	struct base_node signals;
};

/** Deliver what was posted until now. */
void loop_post_run(struct loop *loop);
/** Anything posted? Any thread. */
static inline bool loop_post_pending(struct loop *loop)
{
	return atomic_load(&loop->posted) != NULL;
}
/** Close the uv handles of all signals. */
void loop_signal_done(struct loop *loop);

#endif
