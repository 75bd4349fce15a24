/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * DTLS with other people's programs, over real sockets: openssl s_client and s_server, gnutls-cli
 * and gnutls-serv, against sessions of ours on either engine. Time is real here; nothing is
 * asserted about it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"
#include "pairs.h"

#define LIMIT_MS 60000
#define TEXT     "a message\n"

/** Their program, and our end of it. */
struct far {
	struct lab_sides *sides;
	pid_t pid;
	int in, out; /**< its standard input; its standard output */
	int fd;      /**< our socket */
	struct sockaddr_in peer;
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session;
	struct base_writer clear, said; /**< what came through the session; what it printed */
	uint64_t end_ms;
	bool may_end, ended; /**< the session */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int socket_open(uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void start(struct far *far, char *const argv[])
{
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	far->pid = fork();
	assert_true(far->pid >= 0);
	if (far->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
		(void)dup2(in[0], 0);
		(void)dup2(out[1], 1);
		(void)dup2(out[1], 2);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	far->in = in[1];
	far->out = out[0];
	far->end_ms = now_ms() + LIMIT_MS;
}

/** Has their program ended? */
static bool gone(struct far *far)
{
	if (far->pid && waitpid(far->pid, NULL, WNOHANG) == far->pid)
		far->pid = 0;
	return far->pid == 0;
}

static void stop(struct far *far)
{
	if (!gone(far)) {
		(void)kill(far->pid, SIGKILL);
		(void)waitpid(far->pid, NULL, 0);
	}
	(void)close(far->in);
	(void)close(far->out);
	(void)close(far->fd);
	tls_session_free(far->session);
	tls_context_free(far->context);
	tls_domain_unref(far->domain);
	base_writer_done(&far->clear);
	base_writer_done(&far->said);
}

static void ours(struct far *far, enum tls_role role, const char *profile)
{
	struct tls_domain_spec spec = lab_spec(far->sides, role, profile);
	struct base_error err = { 0 };

	spec.engine = far->sides->server;
	if (tls_domain_new(&far->domain, &spec, &err) ||
	    tls_context_new(&far->context, far->domain, &err))
		fail_msg("%s", err.text);
}

static void session_open(struct far *far, enum tls_role role, bool verified)
{
	const struct tls_datagram_spec path = { .rto_ms = 100, .verified = verified };
	const struct tls_session_spec spec = { .role = role, .datagram = &path };

	assert_int_equal(tls_session_new(&far->session, far->context, &spec), 0);
}

static void send_all(struct far *far, struct base_writer *out)
{
	struct base_reader r = base_reader_of(out->data, out->len);
	struct base_str one;

	while (tls_datagram_next(&r, &one))
		(void)sendto(far->fd, one.ptr, one.len, 0, (struct sockaddr *)&far->peer,
		             sizeof(far->peer)); /* nobody may be there yet */
	base_writer_done(out);
}

/** Who comes first has to have a cookie. */
static bool let_in(struct far *far, struct base_str datagram)
{
	struct base_str peer = { (const char *)&far->peer, sizeof(far->peer) };
	struct base_writer out = { 0 };
	enum tls_hello what = tls_hello_check(far->domain, datagram, peer, now_ms(), &out);

	send_all(far, &out);
	if (what == TLS_HELLO_VERIFIED)
		session_open(far, TLS_ROLE_SERVER, true);
	return what == TLS_HELLO_VERIFIED;
}

static void take(struct far *far, struct base_str datagram)
{
	struct base_writer out = { 0 };
	struct tls_io io = { .in = base_reader_of(datagram.ptr, datagram.len),
		             .out = &out,
		             .now_ms = now_ms() };
	uint8_t clear[17000];
	struct tls_info info;
	size_t n;
	int rc = tls_session_handshake(far->session, &io);

	while (rc == 0) {
		rc = tls_session_read(far->session, &io, clear, sizeof(clear), &n);
		if (rc == 0 && n == 0)
			break;
		base_writer_put(&far->clear, clear, rc == 0 ? n : 0);
	}
	tls_session_info(far->session, &info);
	far->ended = rc == 0 || base_err_class(rc) != BASE_AGAIN;
	if (rc && base_err_class(rc) != BASE_AGAIN && !far->may_end)
		fail_msg("%s\n%s", info.failure, base_writer_cstr(&far->said));
	send_all(far, &out);
}

/** A datagram, a line of theirs, or the session's time. */
static void turn(struct far *far)
{
	struct pollfd fds[] = { { .fd = far->fd, .events = POLLIN },
		                { .fd = far->out, .events = POLLIN } };
	uint64_t now = now_ms(), due = far->end_ms;
	char data[17000];
	socklen_t len = sizeof(far->peer);
	ssize_t n;

	if (now >= far->end_ms)
		fail_msg("nothing came of it: %s", base_writer_cstr(&far->said));
	if (far->session)
		due = BASE_MIN(due, tls_session_deadline(far->session));
	(void)poll(fds, 2, due > now ? (int)(due - now) : 0);
	if (fds[1].revents & POLLIN) {
		n = read(far->out, data, sizeof(data));
		base_writer_put(&far->said, data, n > 0 ? (size_t)n : 0);
	}
	n = recvfrom(far->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&far->peer,
	             &len);
	if (n > 0 && (far->session || let_in(far, (struct base_str){ data, (size_t)n })))
		take(far, (struct base_str){ data, (size_t)n });
	else if (far->session)
		take(far, (struct base_str){ data, 0 });
}

static bool up(const struct far *far)
{
	struct tls_info info = { 0 };

	if (far->session)
		tls_session_info(far->session, &info);
	return info.established;
}

/** What we write they print, or send back. */
static void say(struct far *far)
{
	struct base_writer out = { 0 };
	struct tls_io io = { .out = &out, .now_ms = now_ms() };

	assert_int_equal(tls_session_write(far->session, &io, (const uint8_t *)TEXT, strlen(TEXT)),
	                 0);
	send_all(far, &out);
}

static bool has(struct base_writer *w)
{
	return strstr(base_writer_cstr(w), TEXT) != NULL;
}

/* -- their clients --------------------------------------------------------------------------- */

static void client_of(void **state, const char *profile, char **argv, size_t port_at,
                      const char *port_format, uint16_t version)
{
	struct far far = { .sides = *state };
	struct tls_info info;
	char port_text[32];
	uint16_t port;

	ours(&far, TLS_ROLE_SERVER, profile);
	far.fd = socket_open(&port);
	(void)snprintf(port_text, sizeof(port_text), "%s%u", port_format, port);
	argv[port_at] = port_text;
	start(&far, argv);
	while (!up(&far))
		turn(&far);
	assert_int_equal(write(far.in, TEXT, strlen(TEXT)), strlen(TEXT));
	while (!has(&far.clear))
		turn(&far);
	say(&far);
	while (!has(&far.said))
		turn(&far);
	tls_session_info(far.session, &info);
	assert_int_equal(info.version, version);
	stop(&far);
}

static char cipher_all[] = "ALL:@SECLEVEL=0", openssl[] = "openssl", s_client[] = "s_client",
            s_server[] = "s_server", dtls12[] = "-dtls1_2", dtls10[] = "-dtls1", quiet[] = "-quiet",
            cipher[] = "-cipher", connect_to[] = "-connect", accept_at[] = "-accept",
            key[] = "-key", cert[] = "-cert", listen_with_cookies[] = "-listen",
            gnutls_cli[] = "gnutls-cli", gnutls_serv[] = "gnutls-serv", udp[] = "--udp",
            insecure[] = "--insecure", rehandshake[] = "--rehandshake", echo[] = "--echo",
            localhost[] = "127.0.0.1", p[] = "-p", x509keyfile[] = "--x509keyfile",
            x509certfile[] = "--x509certfile", priority[] = "--priority",
            old[] = "NORMAL:-VERS-ALL:+VERS-DTLS1.0";

static void s_client_12(void **state)
{
	char *argv[] = { openssl, s_client, dtls12, quiet, connect_to, NULL, NULL };

	client_of(state, "dtls12", argv, 5, "127.0.0.1:", 0xfefd);
}

static void s_client_10(void **state)
{
	char *argv[] = { openssl,    s_client,   dtls10, quiet, cipher,
		         cipher_all, connect_to, NULL,   NULL };

	client_of(state, "dtls10", argv, 7, "127.0.0.1:", 0xfeff);
}

static void gnutls_cli_12(void **state)
{
	char *argv[] = { gnutls_cli, udp, insecure, p, NULL, localhost, NULL };

	client_of(state, "dtls12", argv, 4, "", 0xfefd);
}

static void gnutls_cli_10(void **state)
{
	char *argv[] = { gnutls_cli, udp, insecure, priority, old, p, NULL, localhost, NULL };

	client_of(state, "dtls10", argv, 6, "", 0xfeff);
}

/** A wish to renegotiate is not taken up; who leaves for it does not take us along. */
static void s_client_renegotiates(void **state)
{
	char *argv[] = { openssl, s_client, dtls12, connect_to, NULL, NULL };
	struct far far = { .sides = *state };
	struct tls_info info;
	char port_text[32];
	uint16_t port;

	ours(&far, TLS_ROLE_SERVER, "dtls12");
	far.fd = socket_open(&port);
	(void)snprintf(port_text, sizeof(port_text), "127.0.0.1:%u", port);
	argv[4] = port_text;
	start(&far, argv);
	while (!up(&far))
		turn(&far);
	assert_int_equal(write(far.in, "R\n", 2), 2);
	far.may_end = true;
	while (!strstr(base_writer_cstr(&far.said), "RENEGOTIATING") || (!far.ended && !gone(&far)))
		turn(&far);
	tls_session_info(far.session, &info);
	assert_int_equal(info.renegotiations, 0);
	stop(&far);
}

/** It begins one, as its user or option asks, and goes on in the new session. */
static void renegotiates(void **state, char **argv, size_t port_at, const char *port_format,
                         const char *wish)
{
	struct far far = { .sides = *state };
	struct tls_info info;
	char port_text[32];
	uint16_t port;

	ours(&far, TLS_ROLE_SERVER, "dtls-both");
	far.fd = socket_open(&port);
	(void)snprintf(port_text, sizeof(port_text), "%s%u", port_format, port);
	argv[port_at] = port_text;
	start(&far, argv);
	while (!up(&far))
		turn(&far);
	if (wish)
		assert_int_equal(write(far.in, wish, strlen(wish)), strlen(wish));
	do {
		turn(&far);
		tls_session_info(far.session, &info);
	} while (!info.renegotiations);
	assert_false(info.renegotiating);
	assert_int_equal(write(far.in, TEXT, strlen(TEXT)), strlen(TEXT));
	while (!has(&far.clear))
		turn(&far);
	say(&far);
	while (!has(&far.said))
		turn(&far);
	stop(&far);
}

static void s_client_is_let(void **state)
{
	char *argv[] = { openssl, s_client, dtls12, connect_to, NULL, NULL };

	renegotiates(state, argv, 4, "127.0.0.1:", "R\n");
}

static void gnutls_cli_is_let(void **state)
{
	char *argv[] = { gnutls_cli, udp, insecure, rehandshake, p, NULL, localhost, NULL };

	renegotiates(state, argv, 5, "", NULL);
}

/* -- their servers --------------------------------------------------------------------------- */

static void write_pem(const struct x509_identity *identity, const char *cert_path,
                      const char *key_path)
{
	FILE *f = fopen(cert_path, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, identity->cert), 1);
	(void)fclose(f);
	f = fopen(key_path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, identity->key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(f);
}

/** `argv[cert_at]` and `argv[cert_at + 2]` are to be the files, `argv[port_at]` the port. */
static void server_of(void **state, const char *profile, char **argv, size_t cert_at,
                      size_t port_at, uint16_t version)
{
	struct far far = { .sides = *state };
	char dir[] = "/tmp/gatehouse-dtls-XXXXXX", cert_path[64], key_path[64], port_text[16];
	struct tls_info info;
	uint16_t port;
	int theirs = socket_open(&port); /* free, and theirs when it is closed */

	assert_non_null(mkdtemp(dir));
	(void)snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", dir);
	(void)snprintf(key_path, sizeof(key_path), "%s/key.pem", dir);
	(void)snprintf(port_text, sizeof(port_text), "%u", port);
	write_pem(far.sides->lab->server_ec, cert_path, key_path);
	argv[cert_at] = cert_path;
	argv[cert_at + 2] = key_path;
	argv[port_at] = port_text;
	ours(&far, TLS_ROLE_CLIENT, profile);
	far.peer = (struct sockaddr_in){ .sin_family = AF_INET,
		                         .sin_port = htons(port),
		                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	far.fd = socket_open(&port);
	(void)close(theirs);
	start(&far, argv);
	session_open(&far, TLS_ROLE_CLIENT, false);
	while (!up(&far))
		turn(&far);
	say(&far);
	while (!has(&far.said) && !has(&far.clear)) /* printed, or sent back */
		turn(&far);
	tls_session_info(far.session, &info);
	assert_int_equal(info.version, version);
	stop(&far);
	(void)remove(cert_path);
	(void)remove(key_path);
	(void)rmdir(dir);
}

static void s_server_12(void **state)
{
	char *argv[] = { openssl, s_server, dtls12,    quiet, cert, NULL,
		         key,     NULL,     accept_at, NULL,  NULL };

	server_of(state, "dtls12", argv, 5, 9, 0xfefd);
}

static void s_server_listens(void **state)
{
	char *argv[] = { openssl, s_server,  dtls12, quiet, listen_with_cookies, cert, NULL, key,
		         NULL,    accept_at, NULL,   NULL };

	server_of(state, "dtls12", argv, 6, 10, 0xfefd);
}

static void s_server_10(void **state)
{
	char *argv[] = { openssl, s_server, dtls10, quiet,     cipher, cipher_all, cert,
		         NULL,    key,      NULL,   accept_at, NULL,   NULL };

	server_of(state, "dtls10", argv, 7, 11, 0xfeff);
}

static void gnutls_serv_12(void **state)
{
	char *argv[] = { gnutls_serv, udp,  echo, x509certfile, NULL,
		         x509keyfile, NULL, p,    NULL,         NULL };

	server_of(state, "dtls12", argv, 4, 8, 0xfefd);
}

static int there(void **state)
{
	(void)state;
	if (system("openssl version >/dev/null 2>&1 && gnutls-cli --version >/dev/null 2>&1 && "
	           "gnutls-serv --version >/dev/null 2>&1") == 0)
		return 0;
	print_message("skipped: openssl, gnutls-cli or gnutls-serv is not there\n");
	exit(77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s_client_12),           cmocka_unit_test(s_client_10),
		cmocka_unit_test(gnutls_cli_12),         cmocka_unit_test(gnutls_cli_10),
		cmocka_unit_test(s_client_renegotiates), cmocka_unit_test(s_server_12),
		cmocka_unit_test(s_client_is_let),       cmocka_unit_test(gnutls_cli_is_let),
		cmocka_unit_test(s_server_10),           cmocka_unit_test(s_server_listens),
		cmocka_unit_test(gnutls_serv_12),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	(void)there(NULL);
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
