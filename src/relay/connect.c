/* SPDX-License-Identifier: Apache-2.0 */
/* From an address to a connection: the one peer that is let in, or the one that is called. */
#include <errno.h>
#include <unistd.h>

#include "relay/dgram.h"

enum relay_cause relay_cause_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return RELAY_CAUSE_REFUSED;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return RELAY_CAUSE_PEER_RESET;
	case ETIMEDOUT:
		return RELAY_CAUSE_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EAGAIN:        /* connect(): no free local port */
	case EADDRNOTAVAIL: /* likewise */
		return RELAY_CAUSE_RESOURCES;
	default:
		return RELAY_CAUSE_UNREACHABLE;
	}
}

/* The listening socket has done its work: whoever still waits in its queue is reset. */
static void take_over(struct relay_leg *leg, int fd, const union relay_address *peer)
{
	loop_fd_close(leg->worker->loop, &leg->watch);
	leg->watched = false;
	leg->watch.fd = fd;
	leg->setup->remote = *peer;
	(void)relay_socket_prompt(fd); /* without it bytes may come later, but they come */
	relay_worker_spare(leg->worker);
	if (relay_leg_watch(leg))
		relay_leg_input(leg, RELAY_ON_UP, RELAY_CAUSE_NONE, 0);
}

/* The next one: who came before and waits, or who is in the queue. */
static int next_peer(struct relay_leg *leg, union relay_address *ret_peer)
{
	socklen_t len = sizeof(*ret_peer);
	int fd = leg->setup->arrived;

	if (fd < 0)
		return relay_worker_accept(leg->worker, leg->watch.fd, ret_peer);
	leg->setup->arrived = -1;
	/* One that has gone meanwhile has no name: a filter does not know it, a read tells. */
	memset(ret_peer, 0, sizeof(*ret_peer));
	(void)getpeername(fd, &ret_peer->sa, &len);
	return fd;
}

/*
 * Who comes is judged by all orders that were given before. One may have been given, and its peer
 * told to come, since we last looked; then it lies unread now that the peer is here.
 */
static bool judge_later(struct relay_leg *leg, int fd)
{
	if (!loop_posted(leg->worker->loop))
		return false;
	leg->setup->arrived = fd;
	relay_leg_resume(leg);
	return true;
}

void relay_leg_judge(struct relay_leg *leg)
{
	if (leg->setup->arrived >= 0)
		relay_leg_accept(leg);
}

void relay_leg_accept(struct relay_leg *leg)
{
	for (;;) {
		union relay_address peer;
		int fd = next_peer(leg, &peer);

		if (fd >= 0 && judge_later(leg, fd))
			return;
		if (fd >= 0 && relay_address_admits(&leg->setup->remote, &peer) &&
		    relay_door_admits(leg->door, &peer)) {
			take_over(leg, fd, &peer);
			return;
		}
		if (fd >= 0) {
			char text[RELAY_ADDRESS_TEXT];

			base_log(BASE_LOG_INFO, "relay", "refused peer=%s: not the one expected",
			         relay_address_format(&peer, text, sizeof(text)));
			relay_count_add(&leg->counters.refused, 1);
			relay_socket_abortive(fd);
			close(fd);
			relay_worker_spare(leg->worker);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			relay_leg_input(leg, RELAY_ON_FAILED, RELAY_CAUSE_RESOURCES, errno);
			return;
		}
		/* Anything else is the new connection's own failure (accept(2)): the next one. */
	}
}

static int open_socket(struct relay_leg *leg)
{
	union relay_address any = { .family = AF_UNSPEC };
	int rc;

	if (leg->watch.fd >= 0)
		return 0;
	rc = relay_socket_client(leg->setup->remote.family, &any, NULL, &leg->watch.fd);
	if (rc == 0 && leg->door && leg->door->gate.dscp)
		rc = relay_socket_mark(leg->watch.fd, leg->setup->remote.family,
		                       leg->door->gate.dscp);
	return rc ? (int)base_err_detail(rc) : 0;
}

void relay_leg_connect(struct relay_leg *leg)
{
	const union relay_address *remote = &leg->setup->remote;
	/* connect(2) takes "no address" for an order to disconnect, and succeeds. */
	int error;

	if (leg->dgram) { /* it has come as far as a datagram socket can */
		if (relay_leg_watch(leg))
			relay_leg_input(leg, RELAY_ON_UP, RELAY_CAUSE_NONE, 0);
		return;
	}
	error = remote->family == AF_UNSPEC ? EDESTADDRREQ : open_socket(leg);
	if (!error && connect(leg->watch.fd, &remote->sa, relay_address_len(remote)) < 0)
		error = errno;
	if (error && error != EINPROGRESS) {
		relay_leg_input(leg, RELAY_ON_FAILED, relay_cause_of(error), error);
		return;
	}
	if (relay_leg_watch(leg) && !error)
		relay_leg_input(leg, RELAY_ON_UP, RELAY_CAUSE_NONE, 0);
}
