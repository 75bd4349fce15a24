/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets that the pair's buffer has no room for stay with the stream, those that the stream would
 * have to hoard stay in the pair: whoever is slow makes the other side wait.
 */
#include "http/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PART 16384

struct http_bridge {
	struct base_node node;
	struct loop *loop;
	struct loop_fd fd;    /* our end; -1 before and after */
	struct loop_fd await; /* what it comes from, where it does; else -1 */
	struct stream *stream;
	struct http_bridge_ops ops;
	void *arg;
	bool left;  /* of what the peer has sent, there is more than there is room for */
	bool ended; /* the peer has said all */
	bool full;  /* the stream: nothing more is taken from the library */
};

static void discard(struct http_bridge *b)
{
	loop_fd_close(b->loop, &b->await);
	loop_fd_close(b->loop, &b->fd); /* the library sees the end */
	base_list_remove(&b->node);
	free(b);
}

void http_bridge_free(struct http_bridge *b)
{
	if (!b)
		return;
	stream_free(b->stream);
	discard(b);
}

void http_bridges_free(struct base_node *list)
{
	BASE_LIST_EACH(list, node, after)
	{
		http_bridge_free(BASE_CONTAINER_OF(node, struct http_bridge, node));
	}
}

/* ---- from the library ---- */

/* It has closed its end: what waits is sent still. */
static void closed(struct http_bridge *b)
{
	stream_release(b->stream);
	b->stream = NULL;
	if (b->ops.down)
		b->ops.down(b->arg, b, NULL);
	discard(b);
}

static void pump(struct http_bridge *b)
{
	char part[PART];
	ssize_t n;
	int rc = 0;

	while (!rc) {
		n = recv(b->fd.fd, part, sizeof(part), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			closed(b);
			return;
		}
		rc = stream_write(b->stream, part, (size_t)n);
	}
	b->full = true; /* on_writable goes on, or on_end comes */
}

static void on_fd(void *arg, unsigned events)
{
	struct http_bridge *b = arg;

	if ((events & LOOP_WRITABLE) && b->left)
		stream_resume(b->stream);
	if ((events & ~(unsigned)LOOP_WRITABLE) && !b->full)
		pump(b);
}

/* ---- from the network ---- */

static size_t on_data(void *arg, struct stream *stream, struct base_str data)
{
	struct http_bridge *b = arg;
	size_t taken = 0;

	(void)stream;
	if (b->fd.fd < 0) {
		b->left = true; /* there is nobody yet */
		return 0;
	}
	while (taken < data.len) {
		ssize_t n = send(b->fd.fd, data.ptr + taken, data.len - taken,
		                 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			n = (ssize_t)(data.len - taken); /* nobody reads it; our end will tell */
		if (n < 0)
			break;
		taken += (size_t)n;
	}
	b->left = taken < data.len;
	if (b->ended && !b->left)
		(void)shutdown(b->fd.fd, SHUT_WR); /* closed already: fine */
	return taken;
}

static void on_peer_end(void *arg, struct stream *stream)
{
	struct http_bridge *b = arg;

	(void)stream;
	b->ended = true;
	if (!b->left && b->fd.fd >= 0)
		(void)shutdown(b->fd.fd, SHUT_WR); /* closed already: fine */
}

static void on_up(void *arg, struct stream *stream)
{
	struct http_bridge *b = arg;

	(void)stream;
	if (b->ops.up)
		b->ops.up(b->arg, b);
}

static void on_writable(void *arg, struct stream *stream)
{
	struct http_bridge *b = arg;

	(void)stream;
	b->full = false;
	if (b->fd.fd >= 0)
		pump(b);
}

static void on_end(void *arg, struct stream *stream, const struct stream_end *end)
{
	struct http_bridge *b = arg;

	if (b->ops.down)
		b->ops.down(b->arg, b, end);
	stream_free(stream);
	discard(b);
}

/* ---- its making ---- */

struct http_bridge *http_bridge_new(struct base_node *list, struct loop *loop,
                                    const struct http_bridge_ops *ops, void *arg)
{
	struct http_bridge *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->loop = loop;
	b->ops = *ops;
	b->arg = arg;
	b->fd.fd = b->await.fd = -1;
	base_list_append(list, &b->node);
	return b;
}

struct stream_ops http_bridge_stream_ops(struct http_bridge *bridge)
{
	return (struct stream_ops){ .on_up = on_up,
		                    .on_data = on_data,
		                    .on_writable = on_writable,
		                    .on_peer_end = on_peer_end,
		                    .on_end = on_end,
		                    .arg = bridge };
}

void http_bridge_stream_set(struct http_bridge *bridge, struct stream *stream)
{
	bridge->stream = stream;
}

struct stream *http_bridge_stream(const struct http_bridge *bridge)
{
	return bridge->stream;
}

int http_bridge_open(struct http_bridge *bridge)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
		return -1;
	bridge->fd = (struct loop_fd){ pair[0], on_fd, bridge };
	if (!loop_fd_start(bridge->loop, &bridge->fd))
		return pair[1];
	bridge->fd.fd = -1;
	(void)close(pair[0]); /* nothing was in it */
	(void)close(pair[1]);
	return -1;
}

/* Somebody has connected. It is this process, or nobody that we know. */
static void on_await(void *arg, unsigned events)
{
	struct http_bridge *b = arg;
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	int fd;

	(void)events;
	while ((fd = accept4(b->await.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) && who.pid == getpid())
			break;
		(void)close(fd); /* nothing was said */
	}
	if (fd < 0)
		return;
	loop_fd_close(b->loop, &b->await);
	b->fd = (struct loop_fd){ fd, on_fd, b };
	if (loop_fd_start(b->loop, &b->fd)) {
		(void)close(fd); /* the library sees the end */
		b->fd.fd = -1;
	} else if (b->ended && !b->left) {
		(void)shutdown(fd, SHUT_WR); /* closed already: fine */
	}
}

int http_bridge_await(struct http_bridge *bridge, struct sockaddr_un *ret, socklen_t *ret_len)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), theirs = -1;

	*ret_len = sizeof(*ret);
	/* The kernel chooses the name (unix(7), autobind). */
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof(any.sun_family)) &&
	    !listen(fd, 4) && !getsockname(fd, (struct sockaddr *)ret, ret_len))
		theirs = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bridge->await = (struct loop_fd){ fd, on_await, bridge };
	if (theirs >= 0 && !loop_fd_start(bridge->loop, &bridge->await))
		return theirs;
	bridge->await.fd = -1;
	if (theirs >= 0)
		(void)close(theirs);
	if (fd >= 0)
		(void)close(fd); /* nobody was there */
	return -1;
}
