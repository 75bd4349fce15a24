/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a standing context of two terminations takes: the gateway's core with the real relay below,
 * in this process, so that the heap can be asked exactly.
 *
 *   standing --what bare|stream|port --count N [--no-sockets]
 *
 * Prints a line of JSON: octets of the heap of one context (in use, by malloc's own count, with its
 * headers), what the process has resident for it, and what the kernel's slabs have grown by for
 * each socket (of the whole machine: look twice). --no-sockets puts nothing behind the socket
 * calls of media, for more contexts than there may be descriptors.
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bodies.h"
#include "mg/core.h"

#define FAKE_FD 0x10000000
#define BATCH   50 /* transactions in an iteration of the control loop */

static bool no_sockets;
static int fakes;

static void die(const char *what)
{
	(void)fprintf(stderr, "standing: %s\n", what);
	exit(1);
}

/* ---- nothing behind a socket ---- */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
	return no_sockets ? FAKE_FD + fakes++ : __real_socket(family, type, protocol);
}

int __real_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return fd >= FAKE_FD ? 0 : __real_bind(fd, addr, len);
}

int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog)
{
	return fd >= FAKE_FD ? 0 : __real_listen(fd, backlog);
}

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return fd >= FAKE_FD ? 0 : __real_setsockopt(fd, level, name, value, len);
}

int __real_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)addr;

	if (fd < FAKE_FD)
		return __real_getsockname(fd, addr, len);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons((uint16_t)(10000 + fd % 50000)); /* five digits, as most have */
	return 0;
}

int __real_epoll_ctl(int ep, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int ep, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int ep, int op, int fd, struct epoll_event *event)
{
	return fd >= FAKE_FD ? 0 : __real_epoll_ctl(ep, op, fd, event);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	return fd >= FAKE_FD ? 0 : __real_close(fd);
}

/* ---- what is measured ---- */

struct measure {
	double heap;     /* octets */
	double rss_kib;  /* of this process */
	double slab_kib; /* of the machine */
};

static double kib_of(const char *path, const char *key)
{
	char line[256];
	double kib = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtod(line + strlen(key), NULL);
	}
	if (f)
		(void)fclose(f);
	return kib;
}

static struct measure measure(void)
{
	struct mallinfo2 info = mallinfo2();

	return (struct measure){ .heap = (double)info.uordblks + (double)info.hblkhd,
		                 .rss_kib = kib_of("/proc/self/smaps_rollup", "Rss:"),
		                 .slab_kib = kib_of("/proc/meminfo", "Slab:") };
}

/* ---- the gateway ---- */

struct gateway {
	struct loop *loop;
	struct relay_pool *pool;
	struct mg *mg;
	struct sockaddr_storage address;
	struct mg_settings settings;
};

static uint64_t now_ms(void *arg)
{
	return loop_now_ms(((struct gateway *)arg)->loop);
}

static int request(void *arg, struct h248_transaction *transaction, struct mg_notice *notice)
{
	(void)arg;
	(void)transaction;
	(void)notice;
	die("the gateway has something to say");
	return 0;
}

static int handoff(void *arg, const struct h248_mid *mgc)
{
	(void)arg;
	(void)mgc;
	return BASE_ERR(BASE_PEER, H248_E_VALUE);
}

static void gateway_start(struct gateway *g, unsigned contexts)
{
	struct mg_ops ops = { .now_ms = now_ms,
		              .wall_ms = now_ms,
		              .request = request,
		              .handoff = handoff,
		              .arg = g };
	struct relay_pool_spec spec = { .workers = 1 };
	struct sockaddr_in *in = (struct sockaddr_in *)&g->address;
	struct base_error err = { 0 };

	if (no_sockets)
		spec.endpoint_limit = contexts * 2;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g->settings = (struct mg_settings){ .addresses = &g->address,
		                            .address_count = 1,
		                            .max_contexts = contexts };
	if (loop_new(&g->loop) || relay_pool_new(&g->pool, g->loop, &spec, &err) ||
	    mg_new(&g->mg, &g->settings, &mg_bearer_relay, g->pool, &ops))
		die("no gateway");
}

static void add(struct gateway *g, const char *message)
{
	static struct base_arena in, out;
	struct h248_text_options options = { 0 };
	struct h248_transaction *reply = NULL;
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	struct mg_counts counts;

	if (h248_text_decode(&in, message, strlen(message), &options, &msg, &err) ||
	    mg_execute(g->mg, msg->transactions, 1, true, &out, &reply))
		die("a request that is none");
	mg_counts(g->mg, &counts);
	if (counts.failed)
		die("a command failed: are there descriptors and ports enough?");
	base_arena_reset(&in);
	base_arena_reset(&out);
}

static void settle(struct gateway *g)
{
	/* The worker has taken up what it was told when its heap no longer moves. */
	for (size_t before = 0, same = 0; same < 10; same++) {
		size_t now = mallinfo2().uordblks;

		if (loop_run_once(g->loop, 10))
			die("the loop ends");
		if (now != before)
			same = 0;
		before = now;
	}
}

static void contexts_add(struct gateway *g, const char *message, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		add(g, message);
		if (i % BATCH == 0 && loop_run_once(g->loop, 0))
			die("the loop ends");
	}
	settle(g);
}

int main(int argc, char **argv)
{
	const char *body = "";
	unsigned count = 100000;
	struct gateway g = { 0 };
	struct measure before, after;
	char message[1024];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--no-sockets") == 0)
			no_sockets = true;
		else if (i + 1 < argc && strcmp(argv[i], "--what") == 0)
			body = bench_body(argv[++i]);
		else if (i + 1 < argc && strcmp(argv[i], "--count") == 0)
			count = (unsigned)strtoul(argv[++i], NULL, 10);
	}
	if (!body || !count)
		die("--what bare, stream or port; --count");
	(void)snprintf(message, sizeof(message), "!/1 mgc T=1{C=${A=$%s,A=$%s}}", body, body);
	gateway_start(&g, count + 1);
	contexts_add(&g, message, 1); /* what the first one of a kind makes for all */
	before = measure();
	contexts_add(&g, message, count);
	after = measure();
	printf("{\"contexts\": %u, \"heap_each\": %.1f, \"rss_each\": %.1f, \"slab_each\": %.1f}\n",
	       count, (after.heap - before.heap) / count,
	       (after.rss_kib - before.rss_kib) * 1024 / count,
	       (after.slab_kib - before.slab_kib) * 1024 / count);
	mg_free(g.mg);
	relay_pool_free(g.pool);
	loop_free(g.loop);
	return 0;
}
