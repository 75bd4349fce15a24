/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS handshakes and DTLS-SRTP packets against a server that somebody else tells of them.
 *
 *   media --mode handshake|encrypt|decrypt --calls N [--count N] [--burst N] --cert F --key F
 *         --server-pids P
 *
 * It binds two ports for each call, prints "DTLS CLEAR" of each, and then reads the server's two,
 * a line each. One line of JSON at the end.
 *
 *   handshake  a handshake in each call, one after the other, each closed at once
 *   decrypt    SRTP to the server, RTP from it; --burst packets of a call at once
 *   encrypt    RTP to the server, SRTP from it
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <srtp2/srtp.h>

#include "load.h"

#define MOST_CALLS 4096
#define WINDOW     48  /* packets under way */
#define LOST_MS    300 /* after such a silence they are lost */
#define PATIENCE_S 5.0
#define PACKET     172 /* 20 ms of G.711 */
#define SALT       ((size_t)14)
#define KEY        ((size_t)16)

struct call {
	int dtls, clear;
	SSL *ssl;
	srtp_t in, out;
	uint16_t number;
};

struct run {
	const char *mode, *cert, *key, *pids;
	unsigned calls, count, burst;
	unsigned sent, got, bad, lost, failed;
	bool cookie, encrypt;
	SSL_CTX *ctx;
	struct call call[MOST_CALLS];
	struct pollfd poll[MOST_CALLS];
};

void load_die(const char *what)
{
	(void)fprintf(stderr, "media: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static struct sockaddr_in loopback(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return in;
}

static int bound(unsigned *ret_port)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		load_die("no socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)); /* only a wish */
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void connect_to(int fd, unsigned port)
{
	struct sockaddr_in to = loopback(port);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		load_die("cannot connect");
}

/* Our ports out, the server's in. */
static void exchange_ports(struct run *r)
{
	char line[64], *rest;
	unsigned dtls, clear;

	for (unsigned i = 0; i < r->calls; i++) {
		r->call[i].dtls = bound(&dtls);
		r->call[i].clear = bound(&clear);
		printf("%u %u\n", dtls, clear);
	}
	(void)fflush(stdout); /* a closed pipe shows at the next write */
	for (unsigned i = 0; i < r->calls; i++) {
		if (!fgets(line, sizeof(line), stdin))
			load_die("the server's ports did not come");
		dtls = (unsigned)strtoul(line, &rest, 10);
		clear = (unsigned)strtoul(rest, NULL, 10);
		connect_to(r->call[i].dtls, dtls);
		if (clear)
			connect_to(r->call[i].clear, clear);
	}
}

/* ---- DTLS ---- */

static void on_message(int write, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
	const unsigned char *octet = data;
	struct run *r = arg;

	(void)version;
	(void)ssl;
	if (!write && type == SSL3_RT_HANDSHAKE && len && octet[0] == DTLS1_MT_HELLO_VERIFY_REQUEST)
		r->cookie = true;
}

static void make_context(struct run *r)
{
	r->ctx = SSL_CTX_new(DTLS_client_method());
	if (!r->ctx || !SSL_CTX_set_min_proto_version(r->ctx, DTLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(r->ctx, "ECDHE-ECDSA-AES128-GCM-SHA256") ||
	    !SSL_CTX_set1_groups_list(r->ctx, "P-256") ||
	    SSL_CTX_use_certificate_file(r->ctx, r->cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(r->ctx, r->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_set_tlsext_use_srtp(r->ctx, "SRTP_AES128_CM_SHA1_80"))
		load_die("no DTLS context");
	SSL_CTX_set_session_cache_mode(r->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(r->ctx, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_msg_callback(r->ctx, on_message);
	SSL_CTX_set_msg_callback_arg(r->ctx, r);
}

static bool shake(struct run *r, struct call *c)
{
	double end = load_now_s() + PATIENCE_S;
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	BIO *bio = BIO_new_dgram(c->dtls, BIO_NOCLOSE);
	int rc;

	c->ssl = SSL_new(r->ctx);
	if (!bio || !c->ssl || getpeername(c->dtls, (struct sockaddr *)&peer, &len))
		load_die("no DTLS session");
	(void)BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer); /* cannot fail */
	SSL_set_bio(c->ssl, bio, bio);
	SSL_set_mtu(c->ssl, 1400);
	do {
		rc = SSL_connect(c->ssl);
	} while (rc <= 0 && SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_READ && load_now_s() < end);
	return rc == 1;
}

static void shake_all(struct run *r)
{
	for (unsigned i = 0; i < r->calls; i++) {
		bool ok = shake(r, &r->call[i]);

		if (!ok && !r->failed++)
			ERR_print_errors_fp(stderr);
		if (ok && strcmp(r->mode, "handshake") == 0)
			(void)SSL_shutdown(r->call[i].ssl); /* close_notify alone */
	}
}

/* ---- SRTP ---- */

static srtp_t one_way(const unsigned char *key, const unsigned char *salt, srtp_ssrc_type_t type)
{
	unsigned char both[KEY + SALT];
	srtp_policy_t policy = { .ssrc = { .type = type }, .key = both, .window_size = 1024 };
	srtp_t made;

	memcpy(both, key, KEY);
	memcpy(both + KEY, salt, SALT);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	if (srtp_create(&made, &policy))
		load_die("no SRTP session");
	OPENSSL_cleanse(both, sizeof(both));
	return made;
}

/* RFC 5764, 4.2: the client's key, the server's, the client's salt, the server's. */
static void key_call(struct call *c)
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	unsigned char m[2 * (KEY + SALT)];

	if (!SSL_get_selected_srtp_profile(c->ssl) ||
	    SSL_export_keying_material(c->ssl, m, sizeof(m), label, sizeof(label) - 1, NULL, 0,
	                               0) != 1)
		load_die("the server wants no SRTP");
	c->out = one_way(m, m + 2 * KEY, ssrc_any_outbound);
	c->in = one_way(m + KEY, m + 2 * KEY + SALT, ssrc_any_inbound);
	OPENSSL_cleanse(m, sizeof(m));
}

static void send_packet(struct run *r, struct call *c)
{
	unsigned char p[PACKET + SRTP_MAX_TRAILER_LEN] = { 0x80, 0 };
	uint32_t ssrc = (uint32_t)(c - r->call) + 1, at;
	int len = PACKET;

	p[2] = (unsigned char)(c->number >> 8);
	p[3] = (unsigned char)c->number;
	at = htonl(c->number * 160U);
	memcpy(p + 4, &at, 4);
	ssrc = htonl(ssrc);
	memcpy(p + 8, &ssrc, 4);
	c->number++;
	if (!r->encrypt && srtp_protect(c->out, p, &len))
		load_die("cannot protect");
	(void)send(r->encrypt ? c->clear : c->dtls, p, (size_t)len, 0); /* the lost are counted */
	r->sent++;
}

static void receive_packets(struct run *r, struct call *c)
{
	unsigned char p[2048];
	ssize_t n;

	while ((n = recv(r->encrypt ? c->dtls : c->clear, p, sizeof(p), MSG_DONTWAIT)) > 0) {
		int len = (int)n;

		if (p[0] < 128 || p[0] > 191)
			continue;
		if ((r->encrypt && srtp_unprotect(c->in, p, &len)) || len != PACKET)
			r->bad++;
		else
			r->got++;
	}
}

static void media(struct run *r)
{
	unsigned turn = 0;

	while (r->got + r->bad + r->lost < r->count) {
		while (r->sent < r->count &&
		       r->sent - r->got - r->bad - r->lost + r->burst <= WINDOW) {
			for (unsigned i = 0; i < r->burst; i++)
				send_packet(r, &r->call[turn]);
			turn = (turn + 1) % r->calls;
		}
		if (poll(r->poll, r->calls, LOST_MS) == 0)
			r->lost = r->sent - r->got - r->bad;
		for (unsigned i = 0; i < r->calls; i++) {
			if (r->poll[i].revents)
				receive_packets(r, &r->call[i]);
		}
	}
}

static void prepare_media(struct run *r)
{
	shake_all(r);
	if (r->failed)
		load_die("no handshake");
	for (unsigned i = 0; i < r->calls; i++) {
		struct call *c = &r->call[i];

		key_call(c);
		r->poll[i] =
		        (struct pollfd){ .fd = r->encrypt ? c->dtls : c->clear, .events = POLLIN };
	}
}

/* ---- the run ---- */

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void options(struct run *r, int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--mode") == 0)
			r->mode = argv[i + 1];
		else if (strcmp(argv[i], "--calls") == 0)
			r->calls = number(argv[i + 1]);
		else if (strcmp(argv[i], "--count") == 0)
			r->count = number(argv[i + 1]);
		else if (strcmp(argv[i], "--burst") == 0)
			r->burst = number(argv[i + 1]);
		else if (strcmp(argv[i], "--cert") == 0)
			r->cert = argv[i + 1];
		else if (strcmp(argv[i], "--key") == 0)
			r->key = argv[i + 1];
		else if (strcmp(argv[i], "--server-pids") == 0)
			r->pids = argv[i + 1];
		else
			load_die("unknown option");
	}
	if (!r->calls || r->calls > MOST_CALLS || !r->burst || r->burst > WINDOW)
		load_die("--calls and --burst");
	r->encrypt = strcmp(r->mode, "encrypt") == 0;
}

int main(int argc, char **argv)
{
	static struct run r = { .mode = "", .cert = "", .key = "", .pids = "", .burst = 1 };
	bool shakes;
	double cpu, start, ops;

	options(&r, argc, argv);
	shakes = strcmp(r.mode, "handshake") == 0;
	if (srtp_init())
		load_die("no SRTP");
	make_context(&r);
	exchange_ports(&r);
	if (!shakes)
		prepare_media(&r);
	cpu = load_settled_s(r.pids);
	start = load_now_s();
	if (shakes)
		shake_all(&r);
	else
		media(&r);
	start = load_now_s() - start;
	cpu = load_settled_s(r.pids) - cpu;
	ops = shakes ? r.calls - r.failed : r.got;
	printf("{\"ops\": %.0f, \"failed\": %u, \"lost\": %u, \"bad\": %u, \"cookie\": %s, "
	       "\"per_s\": %.0f, \"server_cpu_us\": %.3f}\n",
	       ops, r.failed, r.lost, r.bad, r.cookie ? "true" : "false", ops / start,
	       ops > 0 ? cpu * 1e6 / ops : 0);
	return 0;
}
