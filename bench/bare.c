/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare TCP relay, the least a relay can do: accept, connect, read and write what comes, close.
 * One thread, edge-triggered, one shared buffer; it stops reading from a side whose other side is
 * full. Its CPU time plus the TLS library's is the limit the bench compares with.
 *
 *   bare --listen PORT --backend PORT
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER ((size_t)64 * 1024)

struct side {
	int fd;
	struct side *other;
	char *held; /* what this side could not take yet */
	size_t held_len, held_at;
	int ended; /* its peer has said FIN */
};

static char buffer[BUFFER];
static struct side *grave[1024];
static unsigned graves;

static void die(const char *what)
{
	(void)fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void bury(struct side *s)
{
	for (int i = 0; i < 2; i++, s = s->other) {
		if (s->fd < 0)
			continue;
		close(s->fd);
		s->fd = -1;
		if (graves < 1024)
			grave[graves++] = s;
	}
}

/* @return 0 when all went out or is held, -1 when the connection is gone */
static int push(struct side *to, const char *data, size_t len)
{
	ssize_t n = send(to->fd, data, len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
		return -1;
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return 0;
	to->held_len = len - (size_t)n;
	to->held_at = 0;
	to->held = malloc(to->held_len);
	if (!to->held)
		die("memory");
	memcpy(to->held, data + n, to->held_len);
	return 0;
}

static int flush_held(struct side *to)
{
	ssize_t n;

	if (!to->held)
		return 0;
	n = send(to->fd, to->held + to->held_at, to->held_len - to->held_at, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == ENOTCONN ? 0 : -1;
	to->held_at += (size_t)n;
	if (to->held_at == to->held_len) {
		free(to->held);
		to->held = NULL;
	}
	return 0;
}

static int pump(struct side *from)
{
	struct side *to = from->other;

	while (!to->held && !from->ended) {
		ssize_t n = recv(from->fd, buffer, BUFFER, 0);

		if (n < 0)
			return errno == EAGAIN || errno == ENOTCONN ? 0 : -1;
		if (n == 0) {
			from->ended = 1;
			return -1; /* the measured peers close both ways, and so does it */
		}
		if (push(to, buffer, (size_t)n) < 0)
			return -1;
		if ((size_t)n < BUFFER)
			return 0; /* a short read: nothing more is there */
	}
	return 0;
}

static void watch(int epfd, struct side *s)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	int one = 1;

	ev.data.ptr = s;
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, s->fd, &ev) < 0)
		die("epoll");
}

static void welcome(int epfd, int listener, const struct sockaddr_in *backend)
{
	for (;;) {
		struct side *front, *back;
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

		if (fd < 0)
			return;
		front = calloc(1, sizeof(*front));
		back = calloc(1, sizeof(*back));
		if (!front || !back)
			die("memory");
		front->other = back;
		back->other = front;
		front->fd = fd;
		back->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (back->fd < 0)
			die("socket");
		if (connect(back->fd, (const struct sockaddr *)backend, sizeof(*backend)) < 0 &&
		    errno != EINPROGRESS)
			die("connect");
		watch(epfd, front);
		watch(epfd, back);
	}
}

static void serve(struct side *s, unsigned events)
{
	if (s->fd < 0)
		return; /* went with its partner in this batch */
	if (((events & EPOLLOUT) && (flush_held(s) < 0 || pump(s->other) < 0)) ||
	    ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && pump(s) < 0))
		bury(s);
}

static struct sockaddr_in loopback(const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return in;
}

static int listen_on(const char *port)
{
	struct sockaddr_in in = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, SOMAXCONN) < 0)
		die("listen");
	return fd;
}

int main(int argc, char **argv)
{
	struct epoll_event batch[256], ev = { .events = EPOLLIN };
	struct sockaddr_in backend;
	int listener, epfd = epoll_create1(0);

	if (argc != 5 || strcmp(argv[1], "--listen") != 0 || strcmp(argv[3], "--backend") != 0) {
		(void)fprintf(stderr, "bare --listen PORT --backend PORT\n");
		return 2;
	}
	listener = listen_on(argv[2]);
	backend = loopback(argv[4]);
	if (epfd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, listener, &ev) < 0)
		die("epoll");
	for (;;) {
		int n = epoll_wait(epfd, batch, 256, -1);

		for (int i = 0; i < n; i++) {
			if (batch[i].data.ptr)
				serve(batch[i].data.ptr, batch[i].events);
			else
				welcome(epfd, listener, &backend);
		}
		while (graves) {
			free(grave[--graves]->held);
			free(grave[graves]);
		}
	}
}
