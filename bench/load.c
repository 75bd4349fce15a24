/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define CHUNK ((size_t)64 * 1024)

enum mode { M_HANDSHAKE, M_RESUMED, M_UP, M_DOWN, M_PINGPONG, M_IDLE, M_TOUCH };
static const char *const mode_names[] = { "handshake", "resumed", "up",   "down",
	                                  "pingpong",  "idle",    "touch" };

struct options {
	enum mode mode;
	const char *version; /* "1.2", "1.3", "none" = plain TCP */
	const char *suites, *groups, *pids, *psk, *label;
	struct sockaddr_in to;
	unsigned count;       /* connections, or messages of pingpong */
	unsigned concurrency; /* at a time */
	unsigned size;        /* of a pingpong or touch message */
	unsigned mb;          /* bulk */
	int cpu;
};

enum step { S_CONNECT, S_SHAKE, S_HEADER, S_WORK, S_DONE };

struct conn {
	struct load *load;
	int fd;
	SSL *ssl;
	enum step step;
	uint64_t left;  /* octets of the current message or of the bulk */
	uint64_t reply; /* octets still to come back */
	double sent_at;
};

struct load {
	struct options o;
	SSL_CTX *ctx;
	SSL_SESSION *session;
	bool primed; /* has a session to resume */
	int epfd;
	unsigned started, open, done, failed, resumed;
	float *latency; /* pingpong, seconds each */
	unsigned latencies;
	const char *version, *suite;
	unsigned char psk[64];
	size_t psk_len;
	char identity[129];
	char chunk[CHUNK];
};

void load_die(const char *what)
{
	(void)fprintf(stderr, "load: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

/* ---- options ---- */

static void set_target(struct options *o, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "127.0.0.1";

	if (colon)
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	o->to.sin_family = AF_INET;
	o->to.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : text));
	if (inet_pton(AF_INET, host, &o->to.sin_addr) != 1)
		load_die("--connect wants an IPv4 address and port");
}

static enum mode mode_of(const char *name)
{
	for (unsigned i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (!strcmp(mode_names[i], name))
			return (enum mode)i;
	}
	load_die("--mode is handshake, resumed, up, down, pingpong, idle or touch");
	return M_HANDSHAKE;
}

static const struct option known[] = {
	{ "mode", required_argument, NULL, 'm' },
	{ "connect", required_argument, NULL, 'a' },
	{ "tls", required_argument, NULL, 't' },
	{ "suites", required_argument, NULL, 's' },
	{ "groups", required_argument, NULL, 'g' },
	{ "count", required_argument, NULL, 'n' },
	{ "concurrency", required_argument, NULL, 'c' },
	{ "size", required_argument, NULL, 'z' },
	{ "mb", required_argument, NULL, 'b' },
	{ "server-pids", required_argument, NULL, 'p' },
	{ "psk", required_argument, NULL, 'k' },
	{ "label", required_argument, NULL, 'l' },
	{ "cpu", required_argument, NULL, 'u' },
	{ "backend", required_argument, NULL, 'B' },
	{ 0 },
};

static void parse_one(struct options *o, int c)
{
	switch (c) {
	case 'm':
		o->mode = mode_of(optarg);
		break;
	case 'a':
		set_target(o, optarg);
		break;
	case 't':
		o->version = optarg;
		break;
	case 's':
		o->suites = optarg;
		break;
	case 'g':
		o->groups = optarg;
		break;
	case 'n':
		o->count = (unsigned)atoi(optarg);
		break;
	case 'c':
		o->concurrency = (unsigned)atoi(optarg);
		break;
	case 'z':
		o->size = (unsigned)atoi(optarg);
		break;
	case 'b':
		o->mb = (unsigned)atoi(optarg);
		break;
	case 'p':
		o->pids = optarg;
		break;
	case 'k':
		o->psk = optarg;
		break;
	case 'l':
		o->label = optarg;
		break;
	case 'u':
		o->cpu = atoi(optarg);
		break;
	case 'B':
		exit(load_backend(atoi(optarg)));
	default:
		load_die("see bench/load.c for the options");
	}
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .version = "1.2",
		             .pids = "",
		             .label = "",
		             .count = 1000,
		             .concurrency = 1,
		             .size = 1024,
		             .mb = 256,
		             .cpu = -1 };
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		parse_one(&o, c);
	if (!o.to.sin_port)
		load_die("--connect is needed");
	if (o.mode == M_UP || o.mode == M_DOWN)
		o.count = o.concurrency;
	if (o.mode == M_IDLE)
		o.concurrency = o.count;
	if (!strcmp(o.version, "none") && (o.mode == M_HANDSHAKE || o.mode == M_RESUMED))
		load_die("plain TCP shakes no hands");
	if (o.size < 1 || o.size > CHUNK)
		load_die("--size is 1 to 65536");
	return o;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		load_die("no such CPU");
}

/* ---- TLS ---- */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct load *load = SSL_get_ex_data(ssl, 0);

	if (load->o.mode != M_RESUMED || load->session)
		return 0;
	load->session = session; /* ours now */
	return 1;
}

static unsigned on_psk(SSL *ssl, const char *hint, char *identity, unsigned identity_cap,
                       unsigned char *key, unsigned key_cap)
{
	struct load *load = SSL_get_ex_data(ssl, 0);

	(void)hint; /* there is one key */
	if (load->psk_len > key_cap)
		return 0;
	(void)snprintf(identity, identity_cap, "%s", load->identity);
	memcpy(key, load->psk, load->psk_len);
	return (unsigned)load->psk_len;
}

static void set_psk(struct load *load)
{
	const char *colon = strchr(load->o.psk, ':');
	unsigned octet;

	if (!colon)
		load_die("--psk wants IDENTITY:HEX");
	(void)snprintf(load->identity, sizeof(load->identity), "%.*s", (int)(colon - load->o.psk),
	               load->o.psk);
	for (colon++; load->psk_len < sizeof(load->psk) && sscanf(colon, "%2x", &octet) == 1;
	     colon += 2)
		load->psk[load->psk_len++] = (unsigned char)octet;
	SSL_CTX_set_psk_client_callback(load->ctx, on_psk);
}

static bool plain(const struct load *load)
{
	return !strcmp(load->o.version, "none");
}

static void make_context(struct load *load)
{
	bool tls13 = !strcmp(load->o.version, "1.3");
	int version = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;

	load->ctx = SSL_CTX_new(TLS_client_method());
	if (!load->ctx || !SSL_CTX_set_min_proto_version(load->ctx, version) ||
	    !SSL_CTX_set_max_proto_version(load->ctx, version))
		load_die("no TLS context");
	if (load->o.suites && !(tls13 ? SSL_CTX_set_ciphersuites(load->ctx, load->o.suites)
	                              : SSL_CTX_set_cipher_list(load->ctx, load->o.suites)))
		load_die("unknown suites");
	if (load->o.groups && !SSL_CTX_set1_groups_list(load->ctx, load->o.groups))
		load_die("unknown groups");
	SSL_CTX_set_verify(load->ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(load->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                                    SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(load->ctx,
	                               SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(load->ctx, on_session);
	if (load->o.psk)
		set_psk(load);
}

/* ---- connections ---- */

/* A copy: OpenSSL's client takes a TLS 1.3 session for spent after its first use. */
static void offer_session(struct conn *c)
{
	SSL_SESSION *copy = SSL_SESSION_dup(c->load->session);

	if (!copy || !SSL_set_session(c->ssl, copy))
		load_die("cannot offer the session");
	SSL_SESSION_free(copy);
}

static void start_tls(struct conn *c)
{
	struct load *load = c->load;

	c->ssl = SSL_new(load->ctx);
	if (!c->ssl || !SSL_set_fd(c->ssl, c->fd) || !SSL_set_ex_data(c->ssl, 0, load))
		load_die("no TLS session");
	if (load->primed)
		offer_session(c);
	SSL_set_connect_state(c->ssl);
}

static void start(struct load *load)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	struct conn *c = calloc(1, sizeof(*c));
	int one = 1;

	if (!c)
		load_die("out of memory");
	c->load = load;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		load_die("no descriptor left");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (struct sockaddr *)&load->o.to, sizeof(load->o.to)) < 0 &&
	    errno != EINPROGRESS)
		load_die("cannot connect");
	if (plain(load))
		c->step = S_HEADER;
	else
		start_tls(c);
	ev.data.ptr = c;
	if (epoll_ctl(load->epfd, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		load_die("epoll");
	load->started++;
	load->open++;
}

static void finish(struct conn *c, bool ok)
{
	struct load *load = c->load;

	if (!ok) {
		load->failed++;
		if (load->failed == 1)
			ERR_print_errors_fp(stderr);
	}
	if (ok && c->ssl && SSL_session_reused(c->ssl))
		load->resumed++;
	if (ok && c->ssl)
		(void)SSL_shutdown(c->ssl); /* close_notify; the answer is not waited for */
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
	load->open--;
	load->done++;
}

/* @return octets, 0 = later, -1 = the connection has ended */
static int result(struct conn *c, int rc)
{
	int error;

	if (rc > 0)
		return rc;
	error = SSL_get_error(c->ssl, rc);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* Plain TCP: what result() is to TLS. */
static int plain_result(ssize_t n)
{
	if (n > 0)
		return (int)n;
	return n < 0 && (errno == EAGAIN || errno == ENOTCONN) ? 0 : -1;
}

static int put(struct conn *c, const void *data, size_t len)
{
	return c->ssl ? result(c, SSL_write(c->ssl, data, (int)len))
	              : plain_result(send(c->fd, data, len, MSG_NOSIGNAL));
}

static int get(struct conn *c, void *into, size_t cap)
{
	return c->ssl ? result(c, SSL_read(c->ssl, into, (int)cap))
	              : plain_result(recv(c->fd, into, cap, 0));
}

static bool has_messages(const struct load *load)
{
	return load->o.mode == M_PINGPONG || load->o.mode == M_TOUCH || load->o.mode == M_IDLE;
}

static int put_header(struct conn *c)
{
	static const char ops[] = { 'E', 'E', 'S', 'G', 'E', 'E', 'E' };
	unsigned char header[LOAD_HEADER];
	struct load *load = c->load;
	uint64_t len = (uint64_t)load->o.mb << 20;

	header[0] = (unsigned char)ops[load->o.mode];
	for (unsigned i = 1; i < LOAD_HEADER; i++)
		header[i] = (unsigned char)(len >> (8 * (LOAD_HEADER - 1 - i)));
	c->left = load->o.mode == M_UP ? len : has_messages(load) ? load->o.size : 0;
	c->reply = load->o.mode == M_DOWN ? len : has_messages(load) ? load->o.size : 1;
	return put(c, header, LOAD_HEADER);
}

/* One round of pingpong is over. @return whether there is another */
static bool next_round(struct conn *c)
{
	struct load *load = c->load;

	if (load->latencies < load->o.count)
		load->latency[load->latencies++] = (float)(load_now_s() - c->sent_at);
	c->left = c->reply = load->o.size;
	return load->latencies < load->o.count;
}

/* Write what is left, read what is to come. @return 1 = done, 0 = later, -1 = failed */
static int work(struct conn *c)
{
	struct load *load = c->load;
	int n;

	for (;;) {
		while (c->left) {
			size_t len = c->left < CHUNK ? (size_t)c->left : CHUNK;

			if (load->o.mode == M_PINGPONG && c->left == load->o.size)
				c->sent_at = load_now_s();
			n = put(c, load->chunk, len);
			if (n <= 0)
				return n;
			c->left -= (uint64_t)n;
		}
		while (c->reply) {
			n = get(c, load->chunk, CHUNK);
			if (n <= 0)
				return n;
			c->reply -= (uint64_t)n < c->reply ? (uint64_t)n : c->reply;
		}
		if (load->o.mode != M_PINGPONG || !next_round(c))
			return 1;
	}
}

/* @return true when that was all; the connection is gone then */
static bool shaken(struct conn *c)
{
	struct load *load = c->load;

	if (!load->version) {
		load->version = SSL_get_version(c->ssl);
		load->suite = SSL_CIPHER_standard_name(SSL_get_current_cipher(c->ssl));
	}
	/* The first connection of the resumed mode is there to get a ticket, for which TLS 1.3
	 * needs a read; those that only shake hands end here. */
	if (load->o.mode == M_HANDSHAKE || (load->o.mode == M_RESUMED && load->primed)) {
		finish(c, true);
		return true;
	}
	c->step = S_HEADER;
	return false;
}

/* It has carried a message each way, so whatever buffers a server takes for that it has taken. */
static void on_idle(struct conn *c)
{
	c->step = S_DONE;
	c->load->done++;
}

static void drive(struct conn *c)
{
	int n;

	if (c->step <= S_SHAKE) {
		n = result(c, SSL_do_handshake(c->ssl));
		if (n < 0)
			finish(c, false);
		if (n <= 0)
			return;
		if (shaken(c))
			return;
	}
	if (c->step == S_HEADER) {
		n = put_header(c);
		if (n < 0)
			finish(c, false);
		if (n <= 0)
			return;
		if (c->load->o.mode == M_RESUMED)
			c->left = 1;
		c->step = S_WORK;
	}
	if (c->step == S_WORK) {
		n = work(c);
		if (n > 0 && c->load->o.mode == M_IDLE)
			on_idle(c);
		else if (n)
			finish(c, n > 0);
	}
}

/* ---- the run ---- */

static bool enough(const struct load *load)
{
	if (load->o.mode == M_PINGPONG)
		return load->started >= load->o.concurrency;
	return load->started >= load->o.count;
}

static void run(struct load *load)
{
	struct epoll_event batch[256];

	while (!enough(load) || load->done < load->started) {
		int n;

		while (!enough(load) && load->started - load->done < load->o.concurrency)
			start(load);
		n = epoll_wait(load->epfd, batch, 256, 30000);
		if (n == 0)
			load_die("nothing happened in 30 s");
		for (int i = 0; i < n; i++)
			drive(batch[i].data.ptr);
	}
}

/* Get a ticket by a connection of its own. */
static void prime(struct load *load)
{
	unsigned count = load->o.count;

	load->o.count = 1;
	run(load);
	if (!load->session)
		load_die("the server gave no session to resume");
	load->primed = true;
	load->o.count = count;
	load->started = load->done = load->failed = load->resumed = 0;
}

/* Idle connections come in portions, so that no accept queue overflows. */
static void fill(struct load *load)
{
	unsigned count = load->o.count;

	while (load->done < count) {
		load->o.count =
		        load->started + (count - load->started < 64 ? count - load->started : 64);
		run(load);
	}
	load->o.count = count;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

struct reading {
	double wall_s, server_s, own_s, memory_kib;
};

/* The server may still be busy with the last connections' ends: wait until it sleeps. */
static double settled_cpu_s(const char *pids)
{
	struct timespec pause = { .tv_nsec = 20000000 };
	double before, now = load_cpu_s(pids);
	unsigned rounds = 0;

	do {
		before = now;
		(void)nanosleep(&pause, NULL);
		now = load_cpu_s(pids);
	} while (now - before > 0.0005 && ++rounds < 200);
	return now;
}

static struct reading read_all(const struct options *o)
{
	struct reading r;
	char self[32];

	(void)snprintf(self, sizeof(self), "%ld", (long)getpid());
	r.wall_s = load_now_s();
	r.server_s = settled_cpu_s(o->pids);
	r.own_s = load_cpu_s(self);
	r.memory_kib = o->mode == M_IDLE ? load_memory_kib(o->pids) : 0;
	return r;
}

static void report(struct load *load, const struct reading *a, const struct reading *b)
{
	const struct options *o = &load->o;
	double wall = b->wall_s - a->wall_s, server = b->server_s - a->server_s;
	double ops = o->mode == M_PINGPONG ? load->latencies : load->done - load->failed;
	double mb = (o->mode == M_UP || o->mode == M_DOWN) ? (double)o->mb * ops : 0;

	if (ops < 1)
		ops = 1;
	printf("{\"label\":\"%s\",\"mode\":\"%s\",\"version\":\"%s\",\"suite\":\"%s\","
	       "\"count\":%.0f,\"failed\":%u,\"resumed\":%u,\"wall_s\":%.4f,\"per_s\":%.1f,"
	       "\"server_cpu_s\":%.4f,\"server_cpu_us_per_op\":%.2f,\"client_cpu_s\":%.4f",
	       o->label, mode_names[o->mode], load->version ? load->version : "",
	       load->suite ? load->suite : "", ops, load->failed, load->resumed, wall, ops / wall,
	       server, server * 1e6 / ops, b->own_s - a->own_s);
	if (mb > 0)
		printf(",\"mb\":%.0f,\"mb_per_s\":%.1f,\"server_cpu_s_per_gb\":%.4f", mb, mb / wall,
		       server * 1000 / (mb * 1.048576));
	if (o->mode == M_PINGPONG && load->latencies) {
		qsort(load->latency, load->latencies, sizeof(*load->latency), by_value);
		printf(",\"p50_us\":%.1f,\"p99_us\":%.1f",
		       (double)load->latency[load->latencies / 2] * 1e6,
		       (double)load->latency[load->latencies - 1 - load->latencies / 100] * 1e6);
	}
	if (o->mode == M_IDLE)
		printf(",\"memory_kib\":%.0f,\"memory_kib_per_connection\":%.3f",
		       b->memory_kib - a->memory_kib, (b->memory_kib - a->memory_kib) / ops);
	printf("}\n");
}

int main(int argc, char **argv)
{
	static struct load load;
	struct reading before, after;

	load.o = parse(argc, argv);
	if (load.o.cpu >= 0)
		pin(load.o.cpu);
	make_context(&load);
	load.epfd = epoll_create1(EPOLL_CLOEXEC);
	load.latency = calloc(load.o.count, sizeof(*load.latency));
	if (load.epfd < 0 || !load.latency)
		load_die("out of memory");
	if (load.o.mode == M_RESUMED)
		prime(&load);
	before = read_all(&load.o);
	before.wall_s = load_now_s();
	if (load.o.mode == M_IDLE)
		fill(&load);
	else
		run(&load);
	after = read_all(&load.o);
	report(&load, &before, &after);
	free(load.latency);
	SSL_SESSION_free(load.session);
	SSL_CTX_free(load.ctx);
	return load.failed ? 1 : 0;
}
