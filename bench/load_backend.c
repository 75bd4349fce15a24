/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define BLOCK ((size_t)256 * 1024)

struct guest {
	int fd;
	unsigned header; /* octets of it read */
	char op;
	uint64_t left; /* to swallow or give */
	size_t owed;   /* echo: octets in `kept` */
	char kept[16384];
};

static char block[BLOCK];

/* @return false when the connection has ended */
static bool read_header(struct guest *g)
{
	unsigned char buf[LOAD_HEADER];
	ssize_t n;

	/* The header comes in one piece: it is the first thing a client writes. */
	n = recv(g->fd, buf, sizeof(buf), 0);
	if (n < 0)
		return errno == EAGAIN;
	if (n != LOAD_HEADER)
		return false;
	g->header = LOAD_HEADER;
	g->op = (char)buf[0];
	for (unsigned i = 1; i < LOAD_HEADER; i++)
		g->left = g->left << 8 | buf[i];
	return true;
}

static bool swallow(struct guest *g)
{
	for (;;) {
		ssize_t n = recv(g->fd, block, BLOCK, 0);

		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		g->left -= (uint64_t)n < g->left ? (uint64_t)n : g->left;
		if (g->left == 0)
			return send(g->fd, "K", 1, MSG_NOSIGNAL) == 1;
	}
}

static bool give(struct guest *g)
{
	while (g->left) {
		size_t want = g->left < BLOCK ? (size_t)g->left : BLOCK;
		ssize_t n = send(g->fd, block, want, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN;
		g->left -= (uint64_t)n;
	}
	return recv(g->fd, block, BLOCK, 0) != 0;
}

static bool echo(struct guest *g)
{
	for (;;) {
		ssize_t n;

		if (!g->owed) {
			n = recv(g->fd, g->kept, sizeof(g->kept), 0);
			if (n <= 0)
				return n < 0 && errno == EAGAIN;
			g->owed = (size_t)n;
		}
		n = send(g->fd, g->kept, g->owed, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		memmove(g->kept, g->kept + n, g->owed - (size_t)n);
		g->owed -= (size_t)n;
		if (!g->owed && (size_t)n < sizeof(g->kept))
			return true; /* a short read: nothing more is there */
	}
}

static void serve(struct guest *g)
{
	bool alive = g->header || read_header(g);

	if (alive && g->header)
		alive = g->op == 'S' ? swallow(g) : g->op == 'G' ? give(g) : echo(g);
	if (!alive) {
		close(g->fd);
		free(g);
	}
}

static void welcome(int epfd, int listener)
{
	for (;;) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
		struct guest *g;
		int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

		if (fd < 0)
			return;
		g = calloc(1, sizeof(*g));
		if (!g)
			load_die("backend: out of memory");
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		g->fd = fd;
		ev.data.ptr = g;
		if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
			load_die("backend: epoll");
	}
}

int load_backend(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t len = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	int epfd = epoll_create1(0);
	struct epoll_event batch[256], ev = { .events = EPOLLIN };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (listener < 0 || bind(listener, (struct sockaddr *)&in, sizeof(in)) < 0 ||
	    listen(listener, SOMAXCONN) < 0 ||
	    getsockname(listener, (struct sockaddr *)&in, &len) < 0)
		load_die("backend: cannot listen");
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, listener, &ev) < 0)
		load_die("backend: epoll");
	printf("listening port=%u\n", ntohs(in.sin_port));
	(void)fflush(stdout);
	for (;;) {
		int n = epoll_wait(epfd, batch, 256, -1);

		for (int i = 0; i < n; i++) {
			if (batch[i].data.ptr)
				serve(batch[i].data.ptr);
			else
				welcome(epfd, listener);
		}
	}
}
