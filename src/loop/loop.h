/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The event loop: one per thread. Everything here is called on the loop's own thread, except
 * loop_post, loop_push and loop_wake, which any thread may call.
 *
 * Order of one iteration, which callers may rely on:
 *   1. wait for events (one epoll_wait; none other is made on the way of a descriptor's event)
 *   2. descriptors, each with all it has to say in one call; before each, messages from other
 *      threads, so that who acts on what another thread said finds it done
 *   3. signals (libuv)
 *   4. messages from other threads, in the order each thread posted them
 *   5. timers that are due, earliest first
 *   6. deferred tasks
 *
 * Watches, timers, tasks and messages live in the caller's storage: starting and stopping them
 * allocates nothing, and after a stop the storage is the caller's again at once, even inside a
 * callback, even its own.
 */
#ifndef GH_LOOP_H
#define GH_LOOP_H

#include "base/base.h"
#include "loop/timers.h"

struct loop;

typedef void loop_fn(void *arg);

/* ---- the loop ---- */

/** A new loop. @return 0, or BASE_LOCAL with an errno (descriptors or memory are short). */
int loop_new(struct loop **ret);

/**
 * Free the loop. NULL is fine. Nothing is called back any more: what is still started or posted
 * is forgotten, its storage is its owner's business, descriptors stay open. Not inside a callback.
 */
void loop_free(struct loop *loop);

/**
 * Run until loop_stop. What was posted before the stop is still delivered before this returns.
 * May be called again afterwards. @return 0, or BASE_LOCAL when the kernel refused to wait.
 */
int loop_run(struct loop *loop);

/**
 * One iteration, waiting at most `timeout_ms` (-1 = until something happens, 0 = not at all).
 * For tests and tools. @return as loop_run.
 */
int loop_run_once(struct loop *loop, int timeout_ms);

/** Make loop_run return at the end of this iteration, or at once when it is called next. */
void loop_stop(struct loop *loop);

/** Monotonic milliseconds, as of the last wake-up. Never 0. */
uint64_t loop_now_ms(const struct loop *loop);

/* ---- descriptors, edge triggered ---- */

/** What a descriptor can do now. After an error or a full hang-up, all of them. */
enum loop_event {
	LOOP_READABLE = 1, /**< read until EAGAIN or, unless urgent, a short read: no further event
	                      comes before */
	LOOP_WRITABLE = 2, /**< likewise for writing */
	LOOP_HANGUP = 4,   /**< the peer has ended its direction: a read will reach end of file */
	LOOP_ERROR = 8,    /**< the socket failed: the next read or write says why */
	LOOP_URGENT = 16,  /**< urgent data: a read stops there, short of what is behind it */
};

/** `events` is a set of enum loop_event. */
typedef void loop_fd_fn(void *arg, unsigned events);

/** A watched descriptor, in the caller's storage, at rest until stopped. */
struct loop_fd {
	int fd;         /**< the caller's; never closed here but by loop_fd_close */
	loop_fd_fn *fn; /**< may be changed while watched */
	void *arg;      /**< likewise */
};

/**
 * Watch `w->fd` for everything, registered once (EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLRDHUP, EPOLLET).
 * What is true already is told in the next iteration.
 * @return 0, or BASE_LOCAL with the errno of epoll_ctl
 */
int loop_fd_start(struct loop *loop, struct loop_fd *w);

/** Stop watching. No event that has already been fetched for `w` is delivered any more. */
void loop_fd_stop(struct loop *loop, struct loop_fd *w);

/**
 * Stop watching and close, in one system call (the kernel forgets a closed descriptor). Only for
 * a descriptor that was not duplicated or inherited. Sets `w->fd` to -1; does nothing when it is.
 */
void loop_fd_close(struct loop *loop, struct loop_fd *w);

/* ---- timers ---- */

/** As loop_timers_start, at loop_now_ms. */
void loop_timer_start(struct loop *loop, struct loop_timer *t, uint64_t delay_ms, loop_fn *fn,
                      void *arg);
/** As loop_timers_stop. */
void loop_timer_stop(struct loop *loop, struct loop_timer *t);

/* ---- later in this iteration ---- */

/** A deferred task in the caller's storage. All zero is a valid idle one. */
struct loop_task {
	struct base_node node;
	loop_fn *fn;
	void *arg;
	bool on;
};

/**
 * Call `fn` once at the end of this iteration, or of the next one when asked for by a task that
 * runs there itself (so that descriptors get their turn). Asking twice means once, the later call's
 * `fn` and `arg`.
 */
void loop_defer(struct loop *loop, struct loop_task *task, loop_fn *fn, void *arg);
/** Stopping an idle one is fine. */
void loop_defer_stop(struct loop *loop, struct loop_task *task);

/* ---- between threads ---- */

/** Do messages wait that the loop has not delivered yet? Any thread. */
bool loop_posted(struct loop *loop);

/** A message in the sender's storage, which belongs to the loop from loop_post until `fn` runs. */
struct loop_msg {
	struct loop_msg *next;
	loop_fn *fn;
	void *arg;
};

/**
 * Have `fn(arg)` called on the loop's thread. Any thread; never blocks, never allocates, never
 * fails; costs a system call only when the loop sleeps. Messages of one thread keep their order.
 * `fn` may free or post `msg` again. The loop must outlive the call.
 */
void loop_post(struct loop *loop, struct loop_msg *msg, loop_fn *fn, void *arg);
/**
 * As loop_post, but a loop that sleeps sleeps on: the caller owes it a loop_wake, or a loop_post,
 * soon. For many messages at the price of one wake-up.
 */
void loop_push(struct loop *loop, struct loop_msg *msg, loop_fn *fn, void *arg);
/** Wake a loop that sleeps on what was pushed. Any thread, as loop_post. */
void loop_wake(struct loop *loop);

/* ---- signals ---- */

typedef void loop_signal_fn(void *arg, int signum);

/**
 * Call `fn` on this loop whenever the process gets `signum`; replaces an earlier one of the same
 * loop. @return 0, or BASE_LOCAL.
 */
int loop_signal_start(struct loop *loop, int signum, loop_signal_fn *fn, void *arg);
/** Back to the default action, unless another loop watches it too. Not started is fine. */
void loop_signal_stop(struct loop *loop, int signum);

/* ---- calls that block ---- */

/** A call that may block for long (a name lookup), on a thread of its own. */
struct loop_call;

struct loop_call_ops {
	loop_fn *work; /**< on that thread; touches nothing but what `arg` brings along */
	loop_fn *done; /**< on the loop's thread, after `work`; `arg` is the caller's again */
	loop_fn *
	        drop; /**< instead of `done` when it was abandoned, on either thread; may be NULL */
};

/**
 * Start one. All signals are blocked in its thread, which nobody waits for.
 * @param ret  valid until `done` returns, or loop_call_abandon
 * @return 0, or BASE_LOCAL with an errno
 */
int loop_call_start(struct loop_call **ret, struct loop *loop, const struct loop_call_ops *ops,
                    void *arg);
/**
 * Its result is of no interest any more: `done` will not be called. On the loop's thread, before
 * the loop is freed. Does not block. NULL is fine.
 */
void loop_call_abandon(struct loop_call *call);

/* ---- worker threads ---- */

struct loop_thread;

/** What a worker does around its loop_run; either may be NULL. Both run on the worker. */
struct loop_thread_ops {
	void (*start)(struct loop *loop, void *arg);
	void (*done)(struct loop *loop, void *arg);
};

/**
 * A thread with a loop of its own, which can be posted to at once. All signals are blocked in it.
 *
 * @param name  shown by ps and debuggers, at most 15 octets are kept
 * @return 0, or BASE_LOCAL with an errno
 */
int loop_thread_start(struct loop_thread **ret, const char *name, const struct loop_thread_ops *ops,
                      void *arg);
/** Its loop, for loop_post. Valid until the join. */
struct loop *loop_thread_loop(struct loop_thread *thread);
/** Stop the loop (after what was posted before), join the thread, free both. NULL is fine. */
void loop_thread_join(struct loop_thread *thread);

#endif
