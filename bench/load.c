/* SPDX-License-Identifier: Apache-2.0 */
#include "load_client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

void load_die(const char *what)
{
	(void)fprintf(stderr, "load: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
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

int main(int argc, char **argv)
{
	static struct load load;
	struct load_reading before, after;

	load.o = load_options(argc, argv);
	if (load.o.cpu >= 0)
		pin(load.o.cpu);
	make_context(&load);
	load.epfd = epoll_create1(EPOLL_CLOEXEC);
	load.latency = calloc(load.o.count, sizeof(*load.latency));
	if (load.epfd < 0 || !load.latency)
		load_die("out of memory");
	if (load.o.mode == M_RESUMED)
		prime(&load);
	before = load_read(&load.o);
	before.wall_s = load_now_s();
	if (load.o.mode == M_IDLE)
		fill(&load);
	else
		run(&load);
	after = load_read(&load.o);
	load_report(&load, &before, &after);
	free(load.latency);
	SSL_SESSION_free(load.session);
	SSL_CTX_free(load.ctx);
	return load.failed ? 1 : 0;
}
