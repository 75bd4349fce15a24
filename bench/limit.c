/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TLS library itself needs, without any socket: CPU of the server side of a handshake, of
 * a gigabyte decrypted or encrypted, of a message in and out. One line of JSON.
 */
#include "limit.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define CHUNK ((size_t)64 * 1024)

struct run {
	struct limit_options o;
	const struct limit_server *server;
	void *context;
	struct limit_psk psk;
	SSL_CTX *ctx;
	SSL_SESSION *ticket;
	struct limit_pipe up, down; /* to the server, to the client */
	double spent_s;             /* by the server */
	unsigned resumed;
	char suite[64];
	char chunk[CHUNK];
};

/* A connection of both sides. */
struct pair {
	void *server;
	SSL *ssl;
	BIO *in, *out;
};

void limit_die(const char *what)
{
	(void)fprintf(stderr, "limit: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

void limit_pipe_put(struct limit_pipe *pipe, const void *data, size_t len)
{
	if (pipe->at == pipe->len)
		pipe->at = pipe->len = 0;
	if (pipe->len + len > pipe->cap) {
		pipe->cap = (pipe->len + len) * 2;
		pipe->data = realloc(pipe->data, pipe->cap);
		if (!pipe->data)
			limit_die("out of memory");
	}
	memcpy(pipe->data + pipe->len, data, len);
	pipe->len += len;
}

size_t limit_pipe_take(struct limit_pipe *pipe, void *into, size_t cap)
{
	size_t n = pipe->len - pipe->at;

	if (n > cap)
		n = cap;
	memcpy(into, pipe->data + pipe->at, n);
	pipe->at += n;
	return n;
}

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- options ---- */

static void parse_psk(struct run *run)
{
	const char *at = strchr(run->o.psk, ':');
	unsigned octet;

	if (!at)
		limit_die("--psk wants IDENTITY:HEX");
	(void)snprintf(run->psk.identity, sizeof(run->psk.identity), "%.*s", (int)(at - run->o.psk),
	               run->o.psk);
	for (at++; run->psk.len < sizeof(run->psk.key) && sscanf(at, "%2x", &octet) == 1; at += 2)
		run->psk.key[run->psk.len++] = (unsigned char)octet;
}

static void parse(struct run *run, int argc, char **argv)
{
	static const struct option known[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "lib", required_argument, NULL, 'l' },
		{ "tls", required_argument, NULL, 't' },
		{ "suites", required_argument, NULL, 's' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "psk", required_argument, NULL, 'p' },
		{ "count", required_argument, NULL, 'n' },
		{ "mb", required_argument, NULL, 'b' },
		{ "size", required_argument, NULL, 'z' },
		{ 0 },
	};
	struct limit_options *o = &run->o;
	int c;

	*o = (struct limit_options){ "handshake", "openssl", "1.2", "", .count = 1000, .mb = 64 };
	o->size = 1024;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'm':
			o->mode = optarg;
			break;
		case 'l':
			o->lib = optarg;
			break;
		case 't':
			o->version = optarg;
			break;
		case 's':
			o->suites = optarg;
			break;
		case 'c':
			o->cert = optarg;
			break;
		case 'k':
			o->key = optarg;
			break;
		case 'p':
			o->psk = optarg;
			break;
		case 'n':
			o->count = (unsigned)atoi(optarg);
			break;
		case 'b':
			o->mb = (unsigned)atoi(optarg);
			break;
		case 'z':
			o->size = (unsigned)atoi(optarg);
			break;
		default:
			limit_die("--mode handshake|resumed|decrypt|encrypt|message "
			          "--lib openssl|gnutls --tls 1.2|1.3 --suites S "
			          "[--cert F --key F] [--psk ID:HEX] [--count N] [--mb N] "
			          "[--size N]");
		}
	}
	if (!o->size || o->size > CHUNK)
		limit_die("--size is 1 to 65536");
	o->resume = strcmp(o->mode, "resumed") == 0;
	if (o->psk)
		parse_psk(run);
}

/* ---- the client ---- */

static unsigned on_psk(SSL *ssl, const char *hint, char *identity, unsigned identity_cap,
                       unsigned char *key, unsigned key_cap)
{
	struct run *run = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0);

	(void)hint; /* there is one key */
	if (run->psk.len > key_cap)
		return 0;
	(void)snprintf(identity, identity_cap, "%s", run->psk.identity);
	memcpy(key, run->psk.key, run->psk.len);
	return (unsigned)run->psk.len;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct run *run = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0);

	if (!run->o.resume || run->ticket)
		return 0;
	run->ticket = session;
	return 1;
}

static void make_client(struct run *run)
{
	bool tls13 = strcmp(run->o.version, "1.3") == 0;
	int version = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;

	run->ctx = SSL_CTX_new(TLS_client_method());
	if (!run->ctx || !SSL_CTX_set_ex_data(run->ctx, 0, run) ||
	    !SSL_CTX_set_min_proto_version(run->ctx, version) ||
	    !SSL_CTX_set_max_proto_version(run->ctx, version) ||
	    !SSL_CTX_set1_groups_list(run->ctx, "P-256"))
		limit_die("no TLS context");
	if (tls13 ? SSL_CTX_set_ciphersuites(run->ctx, run->o.suites) != 1
	          : SSL_CTX_set_cipher_list(run->ctx, run->o.suites) != 1)
		limit_die("unknown suites");
	SSL_CTX_set_session_cache_mode(run->ctx,
	                               SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(run->ctx, on_session);
	if (run->o.psk)
		SSL_CTX_set_psk_client_callback(run->ctx, on_psk);
}

static void to_server(struct run *run, struct pair *p)
{
	char *data;
	long len = BIO_get_mem_data(p->out, &data);

	if (len > 0)
		limit_pipe_put(&run->up, data, (size_t)len);
	(void)BIO_reset(p->out);
}

static void to_client(struct run *run, struct pair *p)
{
	if (run->down.len > run->down.at)
		BIO_write(p->in, run->down.data + run->down.at,
		          (int)(run->down.len - run->down.at));
	run->down.at = run->down.len = 0;
}

static void offer(struct run *run, SSL *ssl)
{
	SSL_SESSION *copy = run->ticket ? SSL_SESSION_dup(run->ticket) : NULL;

	if (copy && !SSL_set_session(ssl, copy))
		limit_die("cannot offer the session");
	SSL_SESSION_free(copy);
}

static void drive_client(struct run *run, struct pair *p)
{
	int rc = SSL_do_handshake(p->ssl);

	if (rc != 1 && SSL_get_error(p->ssl, rc) != SSL_ERROR_WANT_READ)
		limit_die("the client's handshake failed");
	to_server(run, p);
}

/* ---- a handshake ---- */

static void open_pair(struct run *run, struct pair *p)
{
	bool done = false;
	double start;
	char octet;

	p->ssl = SSL_new(run->ctx);
	p->in = BIO_new(BIO_s_mem());
	p->out = BIO_new(BIO_s_mem());
	if (!p->ssl || !p->in || !p->out)
		limit_die("out of memory");
	SSL_set_bio(p->ssl, p->in, p->out);
	SSL_set_connect_state(p->ssl);
	offer(run, p->ssl);
	run->up.at = run->up.len = run->down.at = run->down.len = 0;
	drive_client(run, p);
	start = cpu_s();
	p->server = run->server->session_new(run->context, &run->up, &run->down);
	run->spent_s += cpu_s() - start;
	while (!done) {
		start = cpu_s();
		done = run->server->handshake(p->server);
		run->spent_s += cpu_s() - start;
		to_client(run, p);
		drive_client(run, p);
	}
	(void)SSL_read(p->ssl, &octet, 1); /* takes the tickets of TLS 1.3 */
	run->resumed += SSL_session_reused(p->ssl) != 0;
	(void)snprintf(run->suite, sizeof(run->suite), "%s",
	               SSL_CIPHER_standard_name(SSL_get_current_cipher(p->ssl)));
}

static void close_pair(struct run *run, struct pair *p)
{
	double start = cpu_s();

	run->server->session_free(p->server);
	run->spent_s += cpu_s() - start;
	(void)SSL_shutdown(p->ssl); /* so that its session counts as resumable */
	SSL_free(p->ssl);
}

static double handshakes(struct run *run)
{
	struct pair p;

	for (unsigned i = 0; i < run->o.count + 1; i++) {
		if (i == 1) /* the first warms up, and brings the ticket */
			run->spent_s = run->resumed = 0;
		open_pair(run, &p);
		close_pair(run, &p);
	}
	if (run->o.resume && run->resumed != run->o.count)
		limit_die("not resumed");
	return run->spent_s / run->o.count;
}

/* ---- records ---- */

static double decrypt(struct run *run)
{
	unsigned blocks = run->o.mb * (unsigned)((1 << 20) / CHUNK);
	struct pair p;

	open_pair(run, &p);
	run->spent_s = 0;
	for (unsigned i = 0; i < blocks; i++) {
		double start;

		if (SSL_write(p.ssl, run->chunk, (int)CHUNK) <= 0)
			limit_die("cannot write");
		to_server(run, &p);
		start = cpu_s();
		while (run->server->read(p.server, run->chunk, CHUNK))
			;
		run->spent_s += cpu_s() - start;
	}
	close_pair(run, &p);
	return run->spent_s / (run->o.mb * 1.048576e-3);
}

static void client_reads(struct run *run, struct pair *p)
{
	to_client(run, p);
	while (SSL_read(p->ssl, run->chunk, (int)CHUNK) > 0)
		;
}

static double encrypt(struct run *run)
{
	unsigned blocks = run->o.mb * (unsigned)((1 << 20) / CHUNK);
	struct pair p;

	open_pair(run, &p);
	run->spent_s = 0;
	for (unsigned i = 0; i < blocks; i++) {
		double start = cpu_s();

		run->server->write(p.server, run->chunk, CHUNK);
		run->spent_s += cpu_s() - start;
		client_reads(run, &p);
	}
	close_pair(run, &p);
	return run->spent_s / (run->o.mb * 1.048576e-3);
}

/* One message in and one out, each in one record. */
static double messages(struct run *run)
{
	struct pair p;

	open_pair(run, &p);
	run->spent_s = 0;
	for (unsigned i = 0; i < run->o.count; i++) {
		double start;

		if (SSL_write(p.ssl, run->chunk, (int)run->o.size) <= 0)
			limit_die("cannot write");
		to_server(run, &p);
		start = cpu_s();
		if (!run->server->read(p.server, run->chunk, CHUNK))
			limit_die("nothing read");
		run->server->write(p.server, run->chunk, run->o.size);
		run->spent_s += cpu_s() - start;
		client_reads(run, &p);
	}
	close_pair(run, &p);
	return run->spent_s / run->o.count;
}

int main(int argc, char **argv)
{
	static struct run run;
	const char *unit = "us_per_op";
	double value, scale = 1e6;

	parse(&run, argc, argv);
	run.server = strcmp(run.o.lib, "gnutls") ? &limit_openssl : &limit_gnutls;
	run.context = run.server->context_new(&run.o, run.o.psk ? &run.psk : NULL);
	make_client(&run);
	if (!strcmp(run.o.mode, "decrypt") || !strcmp(run.o.mode, "encrypt")) {
		value = run.o.mode[0] == 'd' ? decrypt(&run) : encrypt(&run);
		unit = "s_per_gb";
		scale = 1;
	} else if (!strcmp(run.o.mode, "message")) {
		value = messages(&run);
	} else {
		value = handshakes(&run);
	}
	printf("{\"lib\":\"%s\",\"mode\":\"%s\",\"suite\":\"%s\",\"%s\":%.3f}\n", run.o.lib,
	       run.o.mode, run.suite, unit, value * scale);
	run.server->context_free(run.context);
	SSL_SESSION_free(run.ticket);
	SSL_CTX_free(run.ctx);
	free(run.up.data);
	free(run.down.data);
	return 0;
}
