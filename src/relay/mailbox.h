/* SPDX-License-Identifier: Apache-2.0 */
/** @file Letters to the control thread. */
#ifndef GH_RELAY_MAILBOX_H
#define GH_RELAY_MAILBOX_H

#include <stdatomic.h>

#include "loop/loop.h"

/** In the sender's storage until opened. */
struct relay_letter {
	struct relay_letter *next;
	/** On the control thread. `discard`: the pool ends, only free. */
	void (*open)(struct relay_letter *letter, bool discard);
};

/**
 * Any number of workers post, the control thread opens. It has a descriptor of its own in the
 * control loop instead of using loop_post, so that it can be taken out of there: after
 * relay_mailbox_done nothing of the pool is left in somebody else's loop.
 */
struct relay_mailbox {
	struct loop *loop;
	struct loop_fd bell;
	_Atomic(struct relay_letter *) top;
};
int relay_mailbox_init(struct relay_mailbox *mailbox, struct loop *loop);
/** Discard what is in it. Nobody may post any more. */
void relay_mailbox_done(struct relay_mailbox *mailbox);
void relay_mailbox_post(struct relay_mailbox *mailbox, struct relay_letter *letter);

#endif
