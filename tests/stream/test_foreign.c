/* SPDX-License-Identifier: Apache-2.0 */
/* The clients of OpenSSL and GnuTLS at a stream of ours, with certificates and with keys. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../pki.h"
#include "stage.h"

static struct pki ca, server;
static struct x509_identity *identity;
static char *dir, *anchor;

/* A program with our end of its standard input and output. */
static pid_t start(const char *const *argv, int *ret_fd)
{
	posix_spawn_file_actions_t files;
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, pair[1], 0);
	posix_spawn_file_actions_adddup2(&files, pair[1], 1);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", 1, 0);
	if (posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)argv, environ))
		pid = 0;
	posix_spawn_file_actions_destroy(&files);
	close(pair[1]);
	*ret_fd = pair[0];
	return pid;
}

static void speaks(struct streams *streams, struct place *p, const char *const *argv,
                   const char *auth)
{
	struct end out = { .take = SIZE_MAX };
	struct stream_spec spec = { 0 };
	struct base_error err;
	int fd;
	pid_t pid = start(argv, &fd);

	if (!pid) {
		close(fd);
		print_message("%s is not installed\n", argv[0]);
		skip();
	}
	spec.ops = end_ops(&out);
	log_text[0] = '\0';
	p->end = (struct end){ .take = SIZE_MAX };
	assert_int_equal(stream_adopt(&out.stream, streams, fd, &spec, &err), 0);
	/* what the clients say of the handshake comes by the same way: it is passed over */
	UNTIL(streams, p->end.up || p->end.ended);
	if (!p->end.up)
		fail_msg("%s: %s", argv[0], p->end.text);
	if (!strstr(log_text, auth))
		fail_msg("no %s in %s", auth, log_text);
	assert_int_equal(stream_write(p->end.stream, "from-us\n", 8), 0);
	UNTIL(streams, memmem(out.got, out.got_len, "from-us\n", 8));
	assert_int_equal(stream_write(out.stream, "from-them\n", 10), 0);
	UNTIL(streams, p->end.got_len >= 10);
	assert_memory_equal(p->end.got, "from-them\n", 10);
	stream_end(p->end.stream);
	UNTIL(streams, out.ended && p->end.ended);
	kill(pid, SIGKILL); /* it may be done already */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static struct place *place(struct streams *streams, struct tls_domain *domain)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->spec.domain = domain;
	place_open(p, streams, NULL);
	return p;
}

static const char *const profiles[] = { "tls12", "tls13" };
static const enum tls_engine engines[] = { TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };

static void by_certificate(void **state)
{
	for (size_t i = 0; i < 4; i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i / 2], profiles[i % 2]);
		struct tls_domain *domain;
		struct place *p;
		char at[STREAM_ADDR_TEXT], port[8];

		far.identity = identity;
		far.client_methods = 0;
		far.client_auth = TLS_CLIENT_AUTH_NONE;
		domain = domain_new(&far);
		p = place(*state, domain);
		p->spec.anybody = true;
		stream_addr_format(&p->at, at, sizeof(at));
		snprintf(port, sizeof(port), "%u", stream_addr_port(&p->at));
		speaks(*state, p,
		       (const char *[]){ "openssl", "s_client", "-connect", at, "-quiet", "-CAfile",
		                         anchor, "-verify_return_error", "-verify_hostname",
		                         "far.test", NULL },
		       "auth=not-asked");
		speaks(*state, p,
		       (const char *[]){ "gnutls-cli", "--x509cafile", anchor, "-p", port,
		                         "--sni-hostname=far.test", "--verify-hostname=far.test",
		                         "127.0.0.1", NULL },
		       "auth=not-asked");
		stream_listener_free(p->listener);
		free(p);
		tls_domain_unref(domain);
	}
}

/* As MSRP and BFCP have it: a key of one stream, no certificates. */
static void by_key(void **state)
{
	const struct tls_psk key = lab_psk("mikey-1", "0123456789abcdef");

	for (size_t i = 0; i < 2; i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i], "psk");
		struct tls_domain *domain;
		struct place *p;
		char at[STREAM_ADDR_TEXT], port[8];

		far.identity = NULL;
		far.client_methods = far.server_methods = 0;
		far.client_auth = TLS_CLIENT_AUTH_NONE;
		domain = domain_new(&far);
		p = place(*state, domain);
		p->session.psks = &key;
		p->session.psk_count = 1;
		stream_addr_format(&p->at, at, sizeof(at));
		snprintf(port, sizeof(port), "%u", stream_addr_port(&p->at));
		speaks(*state, p,
		       (const char *[]){ "openssl", "s_client", "-connect", at, "-quiet",
		                         "-psk_identity", "mikey-1", "-psk",
		                         "30313233343536373839616263646566", "-tls1_2", "-cipher",
		                         "PSK-AES128-GCM-SHA256", NULL },
		       "auth=psk");
		speaks(*state, p,
		       (const char *[]){ "gnutls-cli", "--pskusername", "mikey-1", "--pskkey",
		                         "30313233343536373839616263646566", "--priority",
		                         "NORMAL:-KX-ALL:+PSK:-VERS-TLS-ALL:+VERS-TLS1.2", "-p",
		                         port, "127.0.0.1", NULL },
		       "auth=psk");
		stream_listener_free(p->listener);
		free(p);
		tls_domain_unref(domain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(by_certificate), CASE(by_key) };
	int failed;

	signal(SIGPIPE, SIG_IGN);
	ca = pki_ca("CA");
	server = pki_make(&(struct pki_spec){ .cn = "far.test", .issuer = &ca, .dns = "far.test" });
	identity = pki_identity(&server, (const struct pki *const[]){ NULL });
	dir = pki_dir_new();
	anchor = pki_write_certs(dir, "ca.pem", (X509 *[]){ ca.cert, NULL });
	failed = cmocka_run_group_tests(tests, lab_open, lab_close);
	x509_identity_unref(identity);
	pki_free(&server);
	pki_free(&ca);
	free(anchor);
	pki_dir_remove(dir);
	return failed;
}
