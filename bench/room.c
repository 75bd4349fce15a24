/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a chat room: the first one talks, the others listen. So many messages are under
 * way at a time that nobody's socket is ever full; one has arrived when all listeners have it.
 *
 *   room --count N [--window N] [--tls]
 *
 * Standard input: the server's process id; then a line "PORT TO-PATH FROM-PATH" for each member;
 * then its end. One line of JSON comes back. A message is told by its '$', which is nowhere else
 * in it (RFC 4975, 7.1).
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load.h"
#include "room_tls.h"

#define MOST_MEMBERS 1024
#define TEXT_OCTETS  200
#define PATIENCE_MS  10000

struct member {
	int fd;
	SSL *ssl;
	char to[256], from[256];
	uint64_t heard; /* messages */
};

struct run {
	struct member member[MOST_MEMBERS];
	unsigned members, count, window;
	uint64_t sent, octets;
	uint64_t heard; /* by all listeners */
	int epfd;
	SSL_CTX *ctx;
	char pid[32];
};

void load_die(const char *what)
{
	(void)fprintf(stderr, "room: %s\n", what);
	exit(1);
}

static void come(struct run *r, struct member *m, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		                  .sin_port = htons((uint16_t)port) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = m };
	int on = 1;

	m->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (m->fd < 0 || connect(m->fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		load_die("no connection");
	if (r->ctx) {
		m->ssl = SSL_new(r->ctx);
		if (!m->ssl || !SSL_set_fd(m->ssl, m->fd) || SSL_connect(m->ssl) != 1)
			load_die("no handshake");
	}
	if (epoll_ctl(r->epfd, EPOLL_CTL_ADD, m->fd, &event))
		load_die("epoll");
}

static void read_members(struct run *r)
{
	char line[600];
	int port;

	if (!fgets(r->pid, sizeof(r->pid), stdin))
		load_die("no process on standard input");
	r->pid[strcspn(r->pid, "\n")] = '\0';
	while (r->members < MOST_MEMBERS && fgets(line, sizeof(line), stdin)) {
		struct member *m = &r->member[r->members++];

		if (sscanf(line, "%d %255s %255s", &port, m->to, m->from) != 3)
			load_die("PORT TO-PATH FROM-PATH");
		come(r, m, port);
	}
	if (r->members < 2)
		load_die("two members at least");
}

static void say(struct run *r)
{
	static char body[512], text[2048];
	const struct member *m = &r->member[0];
	int len, n,
	        octets = snprintf(body, sizeof(body),
	                          "From: <sip:m0@bench.example>\r\nTo: <sip:room@bench.example>"
	                          "\r\n\r\nContent-Type: text/plain\r\n\r\n%0*d",
	                          TEXT_OCTETS, (int)(r->sent % 1000000));

	len = snprintf(text, sizeof(text),
	               "MSRP t%08x SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\nMessage-ID: m%08x\r\n"
	               "Byte-Range: 1-%d/%d\r\nContent-Type: message/cpim\r\n\r\n%s\r\n"
	               "-------t%08x$\r\n",
	               (unsigned)r->sent, m->to, m->from, (unsigned)r->sent, octets, octets, body,
	               (unsigned)r->sent);
	n = m->ssl ? SSL_write(m->ssl, text, len)
	           : (int)send(m->fd, text, (size_t)len, MSG_NOSIGNAL);
	if (n != len)
		load_die("a message did not go");
	r->octets += (uint64_t)len;
	r->sent++;
}

static void hear(struct run *r, struct member *m)
{
	static char buf[65536];
	const char *at = buf, *end;
	int n;

	do {
		n = m->ssl ? SSL_read(m->ssl, buf, (int)sizeof(buf))
		           : (int)recv(m->fd, buf, sizeof(buf), 0);
		if (n <= 0)
			load_die("a member was sent away");
		end = buf + n;
		for (at = buf; m != &r->member[0] && (at = memchr(at, '$', (size_t)(end - at)));
		     at++)
			r->heard++;
	} while (m->ssl && SSL_pending(m->ssl));
}

static void work(struct run *r, uint64_t count)
{
	uint64_t listeners = r->members - 1, until = r->sent + count;
	struct epoll_event event[64];
	int n;

	while (r->heard < until * listeners) {
		while (r->sent < until && r->sent - r->heard / listeners < r->window)
			say(r);
		n = epoll_wait(r->epfd, event, 64, PATIENCE_MS);
		if (n <= 0)
			load_die("the room is silent");
		for (int i = 0; i < n; i++)
			hear(r, event[i].data.ptr);
	}
}

static void options(struct run *r, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--tls") == 0)
			r->ctx = room_tls(false);
		else if (i + 1 < argc && strcmp(argv[i], "--count") == 0)
			r->count = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--window") == 0)
			r->window = (unsigned)strtoul(argv[++i], NULL, 10);
		else
			load_die("--count N [--window N] [--tls]");
	}
	if (!r->count || !r->window)
		load_die("--count and --window");
}

int main(int argc, char **argv)
{
	static struct run r = { .window = 16 };
	double cpu, kernel, start;
	uint64_t octets;

	r.epfd = epoll_create1(0);
	options(&r, argc, argv);
	read_members(&r);
	(void)usleep(300000); /* all are to be in the room */
	work(&r, r.count / 10 + 1);
	octets = r.octets;
	cpu = load_settled_s(r.pid);
	kernel = load_kernel_s(r.pid);
	start = load_now_s();
	work(&r, r.count);
	start = load_now_s() - start;
	cpu = load_settled_s(r.pid) - cpu;
	kernel = load_kernel_s(r.pid) - kernel;
	printf("{\"messages\": %u, \"per_s\": %.0f, \"octets\": %.0f, \"server_cpu_us\": %.3f, "
	       "\"kernel_us\": %.3f}\n",
	       r.count, r.count / start, (double)(r.octets - octets) / r.count, cpu * 1e6 / r.count,
	       kernel * 1e6 / r.count);
	return 0;
}
