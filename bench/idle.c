/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an idle SIP flow inside TLS takes: a server of flows in this process, a client in another
 * that shakes hands, asks OPTIONS, hears 200 and keeps quiet, so many times.
 *
 *   idle --count N [--engine openssl|gnutls] [--tls 1.2|1.3] [--ask N] [--servers K]
 *
 * Prints a line of JSON: octets of the heap of one flow (in use, by malloc's own count) and what
 * the process has resident for it, before and after its message; handshakes a second, both sides'
 * work in them. --ask: in the end each flow is asked so often again, and what that costs the
 * server. Clients come from 127.0.1.0 and on, 20000 each.
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "flow/flow.h"

#define EACH_SOURCE 20000

static const char profile_text[] =
        "name: bench\ntitle: bench\ndocument: bench\nclause: '1'\nrelease: none\nprecedence:\n"
        "  suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n"
        "  groups: [secp256r1]\n  signatures: [ecdsa_secp256r1_sha256]\nrules:\n"
        "  - { id: V, subject: version, items: [TLS1.2, TLS1.3], strength: shall, mark: P, "
        "text: x }\n"
        "  - { id: S, subject: suite, items: [TLS_AES_128_GCM_SHA256, "
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], strength: shall, mark: P, text: x }\n"
        "  - { id: G, subject: group, items: [secp256r1], strength: shall, mark: P, text: x }\n"
        "  - { id: H, subject: signature, items: [ecdsa_secp256r1_sha256], strength: shall, "
        "mark: P, text: x }\n"
        "  - { id: R, subject: resumption, items: [any, tickets], strength: should, mark: P, "
        "text: x }\n"
        "  - { id: N, subject: renegotiation, items: [renegotiation-info, client-initiated, "
        "server-initiated], strength: may, mark: P, text: x }\n";

static const char question[] = "OPTIONS sip:edge.test SIP/2.0\r\n"
                               "Via: SIP/2.0/TLS ue.test;branch=z9hG4bKbench\r\n"
                               "Max-Forwards: 70\r\nFrom: <sip:ue@ue.test>;tag=1\r\n"
                               "To: <sip:edge.test>\r\nCall-ID: bench\r\nCSeq: 1 OPTIONS\r\n"
                               "Content-Length: 0\r\n\r\n";
static const char answer[] = "SIP/2.0 200 OK\r\n"
                             "Via: SIP/2.0/TLS ue.test;branch=z9hG4bKbench\r\n"
                             "From: <sip:ue@ue.test>;tag=1\r\nTo: <sip:edge.test>;tag=2\r\n"
                             "Call-ID: bench\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

static struct flows *flows;
static unsigned long asked;

static void die(const char *what)
{
	(void)fprintf(stderr, "idle: %s\n", what);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* it is there */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* it is there */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the client ---- */

static SSL *shake(SSL_CTX *ctx, const union stream_addr *at, unsigned long i)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		                    .sin_addr = { htonl(0x7f000100U + 1U +
		                                        (uint32_t)(i / EACH_SOURCE)) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	SSL *ssl = SSL_new(ctx);

	(void)setsockopt(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof(one));
	if (fd < 0 || !ssl || bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, &at->sa, stream_addr_len(at)) || SSL_set_fd(ssl, fd) != 1 ||
	    SSL_connect(ssl) != 1)
		die("a handshake failed");
	return ssl;
}

static void say(SSL *ssl)
{
	if (SSL_write(ssl, question, sizeof(question) - 1) <= 0)
		die("nobody takes a request");
}

static void hear(SSL *ssl)
{
	char got[2000];

	if (SSL_read(ssl, got, sizeof(got)) <= 0)
		die("no answer");
}

static void client(const union stream_addr *at, unsigned long count, int version,
                   unsigned long again, int go, int told)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL **ssl = calloc(count, sizeof(SSL *));
	char octet = 0;

	if (!ctx || !ssl || SSL_CTX_set_max_proto_version(ctx, version) != 1)
		die("no memory");
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	for (unsigned long i = 0; i < count; i++) {
		ssl[i] = shake(ctx, at, i);
		say(ssl[i]);
		hear(ssl[i]);
		if (!again) /* its descriptor stays */
			SSL_free(ssl[i]);
	}
	if (write(told, &octet, 1) != 1 || read(go, &octet, 1) != 1)
		die("gone");
	for (unsigned long n = 0; n < again; n++) {
		for (unsigned long i = 0; i < count; i++)
			say(ssl[i]);
		for (unsigned long i = 0; i < count; i++)
			hear(ssl[i]);
	}
	if (write(told, &octet, 1) != 1)
		die("gone");
	while (read(go, &octet, 1) > 0) /* until it is closed */
		continue;
	_exit(0);
}

/* ---- the server ---- */

static void on_message(void *arg, struct sip_flow from, const struct sip_source *source,
                       struct base_str octets)
{
	(void)arg;
	(void)source;
	(void)octets;
	asked++;
	(void)flows_send(flows, from, BASE_STR(answer)); /* a flow that fails tells so */
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	(void)arg;
	(void)flow;
	die(why);
}

static void on_way(void *arg, uint64_t id, struct sip_flow flow, unsigned status)
{
	(void)arg;
	(void)id;
	(void)flow;
	(void)status;
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	char line[200], *at;

	if (!f || !fgets(line, sizeof(line), f))
		die("/proc/self/statm");
	(void)fclose(f);
	(void)strtoul(line, &at, 10); /* all; behind it what is resident */
	return strtoul(at, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static struct tls_domain *domain_of(enum tls_engine engine)
{
	struct tls_domain_spec spec = { .name = "access", .engine = engine };
	struct profile_store *profiles;
	struct tls_domain *domain;
	struct base_error err = { 0 };

	if (profile_store_new(&profiles) ||
	    profile_store_text(profiles, "bench", profile_text, sizeof(profile_text) - 1,
	                       &spec.profile, &err) ||
	    x509_identity_self_signed(&spec.identity, X509_KEY_EC_P256, "edge.test", 86400, NULL) ||
	    tls_domain_new(&domain, &spec, &err))
		die(err.text);
	return domain;
}

struct options {
	unsigned long count;
	enum tls_engine engine;
	int version;
	unsigned long ask;
	unsigned long servers;
};

static struct options options_of(char **argv)
{
	struct options o = { 10000, TLS_ENGINE_OPENSSL, TLS1_3_VERSION, 0, 1 };

	for (char **a = argv + 1; *a; a++) {
		if (a[1] && !strcmp(*a, "--ask"))
			o.ask = strtoul(*++a, NULL, 10);
		else if (a[1] && !strcmp(*a, "--count"))
			o.count = strtoul(*++a, NULL, 10);
		else if (a[1] && !strcmp(*a, "--engine"))
			o.engine = strcmp(*++a, "gnutls") ? TLS_ENGINE_OPENSSL : TLS_ENGINE_GNUTLS;
		else if (a[1] && !strcmp(*a, "--servers"))
			o.servers = strtoul(*++a, NULL, 10);
		else if (a[1] && !strcmp(*a, "--tls"))
			o.version = strcmp(*++a, "1.2") ? TLS1_3_VERSION : TLS1_2_VERSION;
		else
			die("idle --count N [--engine openssl|gnutls] [--tls 1.2|1.3] [--ask] "
			    "[--servers K]");
	}
	return o;
}

static void until_told(struct loop *loop, int told, unsigned long want)
{
	char octet;

	while (asked < want)
		if (loop_run_once(loop, 1000))
			die("the loop failed");
	if (read(told, &octet, 1) != 1)
		die("the client is gone");
}

static _Noreturn void serve(struct options o)
{
	const struct rlimit most = { o.count + 100, o.count + 100 };
	const struct streams_config sc = { .conns_max = o.count + 10 };
	struct flow_config config = { .anybody = true,
		                      .renegotiable = true,
		                      .conns_max = o.count + 10,
		                      .source_max = o.count + 10 };
	const struct flow_ops ops = { .on_message = on_message,
		                      .on_lost = on_lost,
		                      .on_way = on_way };
	struct base_error err = { 0 };
	struct streams *streams;
	union stream_addr at;
	int go[2], told[2];
	struct loop *loop;
	size_t heap, rss;
	double t, cpu;
	pid_t pid;

	(void)setrlimit(RLIMIT_NOFILE, &most); /* else what there is has to do */
	base_log_level_set(BASE_LOG_ERROR);
	config.domain = domain_of(o.engine);
	if (loop_new(&loop) || streams_new(&streams, loop, &sc) ||
	    flows_new(&flows, streams, &config, &ops, &err) || pipe(go) || pipe(told) ||
	    stream_addr_parse(&at, BASE_STR("127.0.0.1:0"), NULL) ||
	    flows_listen(flows, FLOW_TLS, &at, &err))
		die(err.text);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0 && (close(go[1]) || close(told[0]) || true))
		client(&at, o.count, o.version, o.ask, go[0], told[1]);
	close(told[1]);
	close(go[0]);
	heap = mallinfo2().uordblks;
	rss = resident();
	t = now_s();
	until_told(loop, told[0], o.count);
	t = now_s() - t;
	heap = mallinfo2().uordblks - heap;
	rss = resident() - rss;
	if (write(go[1], "", 1) != 1)
		die("the client is gone");
	cpu = cpu_s();
	until_told(loop, told[0], (1 + o.ask) * o.count);
	cpu = cpu_s() - cpu;
	printf("{\"flows\": %lu, \"heap_octets\": %zu, \"resident_octets\": %zu, "
	       "\"handshakes_per_s\": %.0f, \"asked_again\": %lu, \"cpu_us_each\": %.2f}\n",
	       o.count, heap / o.count, rss / o.count, (double)o.count / t, asked - o.count,
	       o.ask ? cpu / (double)(asked - o.count) * 1e6 : 0);
	(void)fflush(stdout);
	close(go[1]);
	(void)waitpid(pid, NULL, 0); /* it ends by itself */
	_exit(0);                    /* thousands of flows need no farewell */
}

int main(int argc, char **argv)
{
	const struct options o = options_of(argv);
	int bad = 0, status;

	(void)argc;
	for (unsigned long i = 1; i < o.servers; i++)
		if (fork() == 0)
			serve(o);
	if (o.servers == 1)
		serve(o);
	if (fork() == 0)
		serve(o);
	while (wait(&status) > 0)
		bad |= status;
	return bad != 0;
}
