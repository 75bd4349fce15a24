/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay library as a plain TLS-terminating proxy, to be held against haproxy, nginx, stunnel
 * and hitch: listens with TLS, connects to a TCP backend. Not installed.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/relay.h"

struct options {
	const char *listen, *backend, *cert, *key, *psk_file, *profile;
	enum tls_engine engine;
	unsigned workers;
	int cpu; /* -1 = any */
	bool verbose;
};

struct daemon {
	struct loop *loop;
	struct profile_store *profiles;
	struct x509_identity *identity;
	struct tls_psk psk;
	char identity_text[512];
	struct tls_domain *domain;
	struct relay_pool *pool;
};

static void die(const char *what, const struct base_error *err)
{
	char text[1024] = "";

	if (err && err->rc)
		base_error_format(err, text, sizeof(text));
	(void)fprintf(stderr, "relayd: %s %s\n", what, text);
	exit(1);
}

static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *colon = strrchr(text, ':');
	char host[64] = "127.0.0.1";

	if (colon)
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	in.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : text));
	if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
		die("an IPv4 address and port are needed, not", NULL);
	memcpy(&ss, &in, sizeof(in));
	return ss;
}

static struct options parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "backend", required_argument, NULL, 'b' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "psk-file", required_argument, NULL, 's' },
		{ "engine", required_argument, NULL, 'e' },
		{ "workers", required_argument, NULL, 'w' },
		{ "profile", required_argument, NULL, 'p' },
		{ "cpu", required_argument, NULL, 'u' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct options o = {
		.listen = "127.0.0.1:0", .profile = "ts33210-rel17", .workers = 1, .cpu = -1
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'l':
			o.listen = optarg;
			break;
		case 'b':
			o.backend = optarg;
			break;
		case 'c':
			o.cert = optarg;
			break;
		case 'k':
			o.key = optarg;
			break;
		case 's':
			o.psk_file = optarg;
			break;
		case 'e':
			o.engine = !strcmp(optarg, "openssl")  ? TLS_ENGINE_OPENSSL
			           : !strcmp(optarg, "gnutls") ? TLS_ENGINE_GNUTLS
			                                       : TLS_ENGINE_AUTO;
			break;
		case 'w':
			o.workers = (unsigned)atoi(optarg);
			break;
		case 'p':
			o.profile = optarg;
			break;
		case 'u':
			o.cpu = atoi(optarg);
			break;
		case 'v':
			o.verbose = true;
			break;
		default:
			die("usage: --listen A:P --backend A:P [--cert F --key F] [--psk-file F] "
			    "[--engine auto|openssl|gnutls] [--workers N] [--profile NAME|FILE] "
			    "[--cpu N] [--verbose]",
			    NULL);
		}
	}
	if (!o.backend)
		die("--backend is needed", NULL);
	return o;
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("no such CPU", NULL);
}

/* A name to look up, or a file to take. */
static const struct profile *find_profile(struct daemon *d, const char *name)
{
	const struct profile *profile;
	struct base_error err = { 0 };
	const char *slash = strrchr(name, '/');
	char dir[512], stem[128];

	if (profile_store_new(&d->profiles))
		die("out of memory", NULL);
	if (slash) {
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - name), name);
		if (profile_store_dir(d->profiles, dir))
			die("out of memory", NULL);
		name = slash + 1;
	}
	(void)snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(name, "."), name);
	if (profile_store_find(d->profiles, slash ? stem : name, &profile, &err))
		die("profile:", &err);
	return profile;
}

/* One line, IDENTITY:HEX. */
static void read_psk(struct daemon *d, const char *file)
{
	uint8_t key[64];
	char line[512];
	struct base_str hex;
	size_t len;
	FILE *f = fopen(file, "r");
	char *colon;

	if (!f || !fgets(line, sizeof(line), f) || !(colon = strchr(line, ':')))
		die("a PSK file has a line IDENTITY:HEX:", NULL);
	(void)fclose(f);
	*colon = '\0';
	(void)snprintf(d->identity_text, sizeof(d->identity_text), "%s", line);
	hex = base_str_trim(base_str_of(colon + 1));
	if (base_hex_decode(hex, key, sizeof(key), &len) || base_secret_set(&d->psk.key, key, len))
		die("a PSK has 1 to 64 octets, in hex", NULL);
	d->psk.identity = base_str_of(d->identity_text);
	base_wipe(key, sizeof(key));
	base_wipe(line, sizeof(line));
}

static void make_domain(struct daemon *d, const struct options *o)
{
	struct base_error err = { 0 };
	struct tls_domain_spec spec = { .name = "relayd", .engine = o->engine };

	spec.profile = find_profile(d, o->profile);
	if (o->cert && x509_identity_load(&d->identity, o->cert, o->key ? o->key : o->cert, &err))
		die("certificate:", &err);
	spec.identity = d->identity;
	if (o->psk_file) {
		read_psk(d, o->psk_file);
		spec.psks = &d->psk;
		spec.psk_count = 1;
	}
	if (tls_domain_new(&d->domain, &spec, &err))
		die("domain:", &err);
}

static void on_signal(void *arg, int signum)
{
	(void)signum;
	loop_stop(arg);
}

static void serve(struct daemon *d, const struct options *o)
{
	struct base_error err = { 0 };
	struct relay_pool_spec pool = { .workers = o->workers };
	struct relay_tls_spec tls = { .domain = d->domain, .session = { .role = TLS_ROLE_SERVER } };
	struct relay_listener_spec spec = { .tls = &tls };
	struct relay_listener *listener;
	struct sockaddr_storage local;
	struct sockaddr_in in;

	spec.local = address_of(o->listen);
	spec.backend = address_of(o->backend);
	if (relay_pool_new(&d->pool, d->loop, &pool, &err) ||
	    relay_listener_new(&listener, d->pool, &spec, &err))
		die("start:", &err);
	relay_listener_local(listener, &local);
	memcpy(&in, &local, sizeof(in));
	printf("listening port=%u engine=%s\n", ntohs(in.sin_port),
	       tls_engine_name(tls_domain_engine(d->domain)));
	(void)fflush(stdout);
	if (loop_run(d->loop))
		die("the event loop failed", NULL);
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct daemon d = { 0 };

	base_log_level_set(o.verbose ? BASE_LOG_INFO : BASE_LOG_ERROR);
	pin(o.cpu);
	if (loop_new(&d.loop) || loop_signal_start(d.loop, SIGTERM, on_signal, d.loop) ||
	    loop_signal_start(d.loop, SIGINT, on_signal, d.loop))
		die("no event loop", NULL);
	make_domain(&d, &o);
	serve(&d, &o);
	relay_pool_free(d.pool);
	tls_domain_unref(d.domain);
	x509_identity_unref(d.identity);
	base_secret_done(&d.psk.key);
	profile_store_free(d.profiles);
	loop_free(d.loop);
	return 0;
}
