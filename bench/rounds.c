/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A controller that sets up and takes down contexts as fast as a gateway can, over UDP; or makes
 * many and leaves them standing. A round is two transactions: Add and Add in a new context, then
 * Subtract of all of it. Replies are acknowledged with the next request (RFC 3525, D.1.2.2).
 *
 *   rounds --what bare|stream|port --count N [--window N] [--standing] [--server-pid PID]
 *
 * It prints "port=N" and waits for the gateway to register; with --server-pid 0 the id is then read
 * from standard input. One line of JSON at the end.
 *
 *   bare     terminations without a Media descriptor
 *   stream   with a stream whose Mode and ReservedValue are set
 *   port     with a TCP stream: the gateway binds a port of its choice for each
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bodies.h"
#include "load.h"

#define MOST_WINDOW 1024
#define AGAIN_S     0.5 /* a request unanswered for so long is sent again */
#define PATIENCE_S  10.0

/* One of the things under way. */
struct slot {
	unsigned id;      /* transaction waited for; 0: none */
	unsigned context; /* to be subtracted; 0: being made */
	unsigned ack;     /* transaction whose reply came last; 0: none */
	double sent;      /* when */
	char text[1024];
	size_t len;
};

struct run {
	int fd;
	struct sockaddr_in gateway;
	const char *body;
	bool standing;
	unsigned count, begun, done, failed, again, next_id;
	unsigned window;
	struct slot slots[MOST_WINDOW];
};

void load_die(const char *what)
{
	(void)fprintf(stderr, "rounds: %s\n", what);
	exit(1);
}

static void send_slot(struct run *r, struct slot *s)
{
	s->sent = load_now_s();
	(void)sendto(r->fd, s->text, s->len, 0, (struct sockaddr *)&r->gateway,
	             sizeof(r->gateway)); /* lost ones are sent again */
}

static void request(struct run *r, struct slot *s, const char *actions)
{
	char acks[32] = "";

	if (s->ack)
		(void)snprintf(acks, sizeof(acks), "K{%u}", s->ack);
	/* the id tells the slot: id = k * window + slot */
	s->id = (r->next_id++) * r->window + (unsigned)(s - r->slots) + r->window;
	s->len = (size_t)snprintf(s->text, sizeof(s->text), "!/1 mgc %sT=%u{%s}", acks, s->id,
	                          actions);
	send_slot(r, s);
}

static void begin(struct run *r, struct slot *s)
{
	char actions[900];

	if (r->begun == r->count) {
		s->id = 0;
		return;
	}
	r->begun++;
	s->context = 0;
	(void)snprintf(actions, sizeof(actions), "C=${A=$%s,A=$%s}", r->body, r->body);
	request(r, s, actions);
}

static void end(struct run *r, struct slot *s)
{
	char actions[64];

	(void)snprintf(actions, sizeof(actions), "C=%u{W-S=*{AT{}}}", s->context);
	request(r, s, actions);
}

/* What a reply says: enough of it to go on. */
static void replied(struct run *r, const char *text)
{
	const char *at = strstr(text, "P="), *context, *error;
	unsigned id = at ? (unsigned)strtoul(at + 2, NULL, 10) : 0;
	struct slot *s = &r->slots[id % r->window];

	if (!id || s->id != id)
		return; /* an answer that came twice */
	s->ack = id;
	error = strstr(text, "ER=");
	context = strstr(text, "C=");
	if (error || !context) {
		if (!r->failed++)
			(void)fprintf(stderr, "rounds: %.300s\n", text);
		r->done++;
		begin(r, s);
	} else if (s->context || r->standing) {
		r->done++;
		begin(r, s);
	} else {
		s->context = (unsigned)strtoul(context + 2, NULL, 10);
		end(r, s);
	}
}

static void overdue(struct run *r)
{
	double now = load_now_s();

	for (unsigned i = 0; i < r->window; i++) {
		if (r->slots[i].id && now - r->slots[i].sent > AGAIN_S) {
			r->again++;
			send_slot(r, &r->slots[i]);
		}
	}
}

static void work(struct run *r)
{
	char text[65536];
	double heard = load_now_s();

	for (unsigned i = 0; i < r->window; i++)
		begin(r, &r->slots[i]);
	while (r->done < r->count) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };
		ssize_t len = recv(r->fd, text, sizeof(text) - 1, MSG_DONTWAIT);

		if (len > 0) {
			text[len] = '\0';
			replied(r, text);
			heard = 0;
			continue;
		}
		if (heard == 0)
			heard = load_now_s();
		if (poll(&p, 1, 100) == 0)
			overdue(r);
		if (load_now_s() - heard > PATIENCE_S)
			load_die("the gateway is silent");
	}
}

/* Answer the gateway's ServiceChange; what else comes is not looked at. */
static void registration(struct run *r)
{
	char text[65536], answer[256];
	socklen_t len = sizeof(r->gateway);
	const char *id;
	ssize_t n;

	do {
		n = recvfrom(r->fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&r->gateway,
		             &len);
		if (n <= 0)
			load_die("no gateway");
		text[n] = '\0';
		id = strstr(text, "T=");
	} while (!id || !strstr(text, "SC=ROOT"));
	n = snprintf(answer, sizeof(answer), "!/1 mgc P=%lu{C=-{SC=ROOT{SV{V=1}}}}",
	             strtoul(id + 2, NULL, 10));
	(void)sendto(r->fd, answer, (size_t)n, 0, (struct sockaddr *)&r->gateway,
	             len); /* it would ask again */
}

static int listen_udp(void)
{
	struct sockaddr_in self = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(self);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
	struct timeval patience = { .tv_sec = (time_t)PATIENCE_S };

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, len) ||
	    getsockname(fd, (struct sockaddr *)&self, &len))
		load_die("no socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)); /* only a wish */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		load_die("no time limit");
	printf("port=%d\n", ntohs(self.sin_port));
	(void)fflush(stdout); /* a closed pipe shows at the next write */
	return fd;
}

static void options(struct run *r, int argc, char **argv, const char **pid)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--standing") == 0)
			r->standing = true;
		else if (i + 1 == argc)
			load_die("an option without its value");
		else if (strcmp(argv[i], "--what") == 0)
			r->body = bench_body(argv[++i]);
		else if (strcmp(argv[i], "--count") == 0)
			r->count = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--window") == 0)
			r->window = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--server-pid") == 0)
			*pid = argv[++i];
	}
	if (!r->body)
		load_die("--what bare, stream or port");
	if (!r->count || !r->window || r->window > MOST_WINDOW)
		load_die("--count and --window");
}

static const char *read_pid(char *line, int cap)
{
	if (!fgets(line, cap, stdin))
		load_die("no process on standard input");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

int main(int argc, char **argv)
{
	static struct run r = { .window = 64, .count = 100000, .body = "", .next_id = 1 };
	const char *pid = "";
	char line[32];
	double cpu, kernel, memory, start;

	options(&r, argc, argv, &pid);
	r.fd = listen_udp();
	registration(&r);
	if (strcmp(pid, "0") == 0)
		pid = read_pid(line, sizeof(line));
	(void)usleep(200000); /* what registering leaves to do is not what is measured */
	memory = load_memory_kib(pid);
	cpu = load_cpu_s(pid);
	kernel = load_kernel_s(pid);
	start = load_now_s();
	work(&r);
	start = load_now_s() - start;
	cpu = load_cpu_s(pid) - cpu;
	kernel = load_kernel_s(pid) - kernel;
	printf("{\"rounds\": %u, \"failed\": %u, \"again\": %u, \"seconds\": %.3f, \"per_s\": "
	       "%.0f, "
	       "\"server_cpu_us\": %.2f, \"kernel_us\": %.2f, \"kib_each\": %.3f}\n",
	       r.count, r.failed, r.again, start, r.count / start, cpu * 1e6 / r.count,
	       kernel * 1e6 / r.count, (load_memory_kib(pid) - memory) / r.count);
	return 0;
}
