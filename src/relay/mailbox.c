/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "relay/mailbox.h"

/* Take all letters, oldest first; those of one sender keep their order. */
static struct relay_letter *take(struct relay_mailbox *mailbox)
{
	struct relay_letter *taken = atomic_exchange(&mailbox->top, NULL), *in_order = NULL;

	while (taken) {
		struct relay_letter *letter = taken;

		taken = letter->next;
		letter->next = in_order;
		in_order = letter;
	}
	return in_order;
}

static void open_all(struct relay_mailbox *mailbox, bool discard)
{
	struct relay_letter *letter = take(mailbox);

	while (letter) {
		struct relay_letter *next = letter->next; /* opening frees it */

		letter->open(letter, discard);
		letter = next;
	}
}

static void on_bell(void *arg, unsigned events)
{
	struct relay_mailbox *mailbox = arg;

	/* Watched by its edges, so each stroke is told and none need be read. */
	if (events & LOOP_READABLE)
		open_all(mailbox, false);
}

int relay_mailbox_init(struct relay_mailbox *mailbox, struct loop *loop)
{
	int rc;

	atomic_init(&mailbox->top, NULL);
	mailbox->loop = loop;
	mailbox->bell = (struct loop_fd){ .fn = on_bell, .arg = mailbox };
	mailbox->bell.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (mailbox->bell.fd < 0)
		return BASE_ERR(BASE_LOCAL, errno);
	rc = loop_fd_start(loop, &mailbox->bell);
	if (rc) {
		close(mailbox->bell.fd);
		mailbox->bell.fd = -1;
	}
	return rc;
}

void relay_mailbox_done(struct relay_mailbox *mailbox)
{
	if (mailbox->bell.fd < 0)
		return;
	loop_fd_close(mailbox->loop, &mailbox->bell);
	open_all(mailbox, true);
}

void relay_mailbox_post(struct relay_mailbox *mailbox, struct relay_letter *letter)
{
	struct relay_letter *top = atomic_load(&mailbox->top);
	uint64_t one = 1;

	do
		letter->next = top;
	while (!atomic_compare_exchange_weak(&mailbox->top, &top, letter));
	/* Only the first letter rings: whoever opens takes all. The letter is not ours any more. */
	if (!top && write(mailbox->bell.fd, &one, sizeof(one)) < 0)
		base_log(BASE_LOG_ERROR, "relay", "event descriptor: %s", strerror(errno));
}
