/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare fan-out, the least a chat room can do: what one connection says goes to all others as it
 * is, whatever it is, as much at once as a read brings. Its CPU time is what a room's is held
 * against. One thread; TLS by OpenSSL, the suite and key of the load.
 *
 *   fan --members N [--tls]
 *
 * It prints "port=N", serves N connections and ends with the first of them.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "room_tls.h"

#define MOST_MEMBERS 1024

struct member {
	int fd;
	SSL *ssl;
};

static struct member members[MOST_MEMBERS];
static unsigned count;

static void die(const char *what)
{
	(void)fprintf(stderr, "fan: %s\n", what);
	exit(1);
}

static int listen_any(void)
{
	struct sockaddr_in self = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(self);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, len) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&self, &len))
		die("no socket");
	printf("port=%d\n", ntohs(self.sin_port));
	(void)fflush(stdout); /* a closed pipe shows at the next write */
	return fd;
}

static void admit(struct member *m, int listener, SSL_CTX *ctx, int epfd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = m };
	int on = 1;

	m->fd = accept(listener, NULL, NULL);
	if (m->fd < 0 || setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("no connection");
	if (ctx) {
		m->ssl = SSL_new(ctx);
		if (!m->ssl || !SSL_set_fd(m->ssl, m->fd) || SSL_accept(m->ssl) != 1)
			die("no handshake");
	}
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, m->fd, &event))
		die("epoll");
}

static void give(struct member *to, const char *data, int len)
{
	int n = to->ssl ? SSL_write(to->ssl, data, len)
	                : (int)send(to->fd, data, (size_t)len, MSG_NOSIGNAL);

	if (n != len)
		exit(0); /* the load has gone */
}

/* @return false: there is no more */
static bool carry(struct member *from)
{
	static char buf[65536];
	int room = (int)sizeof(buf), len = 0, n;

	do { /* TLS gives a record at a time */
		n = from->ssl ? SSL_read(from->ssl, buf + len, room - len)
		              : (int)recv(from->fd, buf, sizeof(buf), 0);
		if (n <= 0)
			return false;
		len += n;
	} while (from->ssl && SSL_has_pending(from->ssl) && len < room);
	for (unsigned i = 0; i < count; i++)
		if (&members[i] != from)
			give(&members[i], buf, len);
	return true;
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = NULL;
	int listener, epfd = epoll_create1(0);
	unsigned want = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

	if (!want || want > MOST_MEMBERS || epfd < 0 || strcmp(argv[1], "--members") != 0)
		die("--members N [--tls]");
	if (argc > 3) {
		ctx = room_tls(true);
		if (!ctx)
			die("no TLS");
		SSL_CTX_set_read_ahead(ctx, 1);
	}
	listener = listen_any();
	for (; count < want; count++)
		admit(&members[count], listener, ctx, epfd);
	for (;;) {
		struct epoll_event event[64];
		int n = epoll_wait(epfd, event, 64, -1);

		for (int i = 0; i < n; i++)
			if (!carry(event[i].data.ptr))
				return 0;
	}
}
