/* SPDX-License-Identifier: Apache-2.0 */
/** @file A real Redis for one test, which can be killed, stalled and come back; and one that is
 * none. */
#ifndef GH_TESTS_REDIS_SERVER_H
#define GH_TESTS_REDIS_SERVER_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

struct server {
	pid_t pid;
	int port;
	char address[32];
	const char *password;
};

/** One that nobody has, and that the kernel gives to no connection of others while the server is
 * away: below what it gives (ip_local_port_range). */
static inline int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	int low = 32768, port = 0, rc = -1;
	unsigned chance;

	if (range) {
		if (fscanf(range, "%d", &low) != 1)
			low = 32768;
		(void)fclose(range);
	}
	while (rc) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		assert_true(fd >= 0);
		assert_int_equal(getrandom(&chance, sizeof(chance), 0), sizeof(chance));
		port = 10000 + (int)(chance % (unsigned)(low - 10000));
		at.sin_port = htons((uint16_t)port);
		rc = bind(fd, (struct sockaddr *)&at, sizeof(at));
		close(fd);
	}
	return port;
}

static inline void server_start(struct server *s)
{
	char port[8];

	if (!s->port)
		s->port = free_port();
	(void)snprintf(port, sizeof(port), "%d", s->port);
	(void)snprintf(s->address, sizeof(s->address), "127.0.0.1:%d", s->port);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* where a test fails */
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1",
		       "--save", "", "--appendonly", "no", "--dir", "/tmp",
		       s->password ? "--requirepass" : "--loglevel",
		       s->password ? s->password : "warning", (char *)NULL);
		_exit(127);
	}
}

static inline void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
}

static inline bool have_redis(void)
{
	return system("command -v redis-server >/dev/null 2>&1") == 0;
}

/* -- one that is none -------- */

struct impostor {
	int listens, fd;
	char address[32];
};

static inline void impostor_open(struct impostor *x)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*x = (struct impostor){ socket(AF_INET, SOCK_STREAM, 0), -1, "" };
	assert_int_equal(bind(x->listens, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(x->listens, 4), 0);
	assert_int_equal(getsockname(x->listens, (struct sockaddr *)&at, &len), 0);
	(void)snprintf(x->address, sizeof(x->address), "127.0.0.1:%d", ntohs(at.sin_port));
}

#endif
