/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Datagram sessions without a network: CPU time of a server's share of a full handshake (cookie
 * exchange included), and of one message written and read, for both engines beside TLS 1.2. The
 * far end is the other engine; only the server's steps are timed. The median of rounds counts.
 *
 *     bench_dtls [HANDSHAKES] [ROUNDS]      handshakes of a round (300), rounds (5)
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tls/tls.h"

#define ROUNDS_MAX 99
#define MESSAGES   20000
#define MESSAGE    200

static const char profile_text[] =
        "name: bench\ntitle: bench\ndocument: bench\nclause: '1'\nrelease: none\nrules:\n"
        "  - { id: V, subject: version, items: [TLS1.2, DTLS1.2], strength: shall, mark: P, "
        "text: x }\n"
        "  - { id: S, subject: suite, items: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], "
        "strength: shall, mark: P, text: x }\n"
        "  - { id: G, subject: group, items: [secp256r1], strength: shall, mark: P, text: x }\n"
        "  - { id: H, subject: signature, items: [ecdsa_secp256r1_sha256], strength: shall, "
        "mark: P, text: x }\n";

static struct tls_domain *domain[2]; /* by engine */
static struct tls_context *context[2];
static struct tls_session *session[2]; /* by role */
static struct base_writer wire[2];
static double spent_s;

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "bench_dtls: %s\n", what);
	exit(1);
}

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void domains_open(void)
{
	struct tls_domain_spec spec = { .name = "bench" };
	struct profile_store *profiles;

	if (profile_store_new(&profiles) ||
	    profile_store_text(profiles, "bench", profile_text, sizeof(profile_text) - 1,
	                       &spec.profile, NULL) ||
	    x509_identity_self_signed(&spec.identity, X509_KEY_EC_P256, "bench", 86400, NULL))
		fail("no profile or certificate");
	for (int i = 0; i < 2; i++) {
		spec.engine = i ? TLS_ENGINE_GNUTLS : TLS_ENGINE_OPENSSL;
		if (tls_domain_new(&domain[i], &spec, NULL) ||
		    tls_context_new(&context[i], domain[i], NULL))
			fail("no domain");
	}
}

static void session_open(int engine, enum tls_role role, bool datagrams)
{
	const struct tls_datagram_spec path = { .verified = role == TLS_ROLE_SERVER };
	const struct tls_session_spec spec = { .role = role, .datagram = datagrams ? &path : NULL };

	if (tls_session_new(&session[role], context[engine], &spec))
		fail("no session");
}

/** All that is on the wire to `role`. @return whether its handshake is complete */
static bool step(enum tls_role role, bool datagrams)
{
	struct base_writer *from = &wire[1 - role];
	struct base_reader r = base_reader_of(from->data, from->len);
	struct tls_io io = { .in = r, .out = &wire[role], .now_ms = 1 };
	struct base_str one;
	int rc;

	if (!datagrams || !from->len) {
		rc = tls_session_handshake(session[role], &io);
	} else {
		for (rc = 1; rc && tls_datagram_next(&r, &one);) {
			io.in = base_reader_of(one.ptr, one.len);
			rc = tls_session_handshake(session[role], &io);
			if (rc && base_err_class(rc) != BASE_AGAIN)
				fail("a handshake failed");
		}
	}
	base_writer_reset(from);
	return rc == 0;
}

/** The cookie exchange: a server's share of it, too. */
static void cookies(int engine)
{
	for (;;) {
		struct base_reader r = base_reader_of(wire[0].data, wire[0].len);
		struct base_str one;
		double begun = cpu_s();
		enum tls_hello what;

		if (!tls_datagram_next(&r, &one))
			fail("no hello");
		what = tls_hello_check(domain[engine], one, BASE_STR("192.0.2.1:5000"), 1,
		                       &wire[1]);
		spent_s += cpu_s() - begun;
		if (what == TLS_HELLO_VERIFIED)
			return;
		base_writer_reset(&wire[0]);
		(void)step(TLS_ROLE_CLIENT, true);
	}
}

/** One handshake of that engine's server. The sessions stay. */
static void shake(int engine, bool datagrams)
{
	bool client = false, server = false;
	double begun;

	base_writer_reset(&wire[0]);
	base_writer_reset(&wire[1]);
	session_open(1 - engine, TLS_ROLE_CLIENT, datagrams);
	(void)step(TLS_ROLE_CLIENT, datagrams);
	if (datagrams)
		cookies(engine);
	begun = cpu_s();
	session_open(engine, TLS_ROLE_SERVER, datagrams);
	for (int i = 0; i < 8 && !(client && server); i++) {
		if (!server)
			server = step(TLS_ROLE_SERVER, datagrams);
		spent_s += cpu_s() - begun;
		if (!client)
			client = step(TLS_ROLE_CLIENT, datagrams);
		begun = cpu_s();
	}
	if (!client || !server)
		fail("a handshake came to nothing");
}

static void hang_up(void)
{
	tls_session_free(session[0]);
	tls_session_free(session[1]);
}

/** Microseconds of a message that the server's engine writes, and of one that it reads. */
static double messages(int engine, bool datagrams)
{
	uint8_t text[MESSAGE] = { 0 }, clear[17000];
	double begun;
	size_t n;

	shake(engine, datagrams);
	begun = cpu_s();
	for (int i = 0; i < MESSAGES; i++) {
		struct tls_io io = { .out = &wire[1] };

		base_writer_reset(&wire[1]);
		if (tls_session_write(session[1], &io, text, sizeof(text)))
			fail("nothing written");
		io.in = base_reader_of(wire[1].data + (datagrams ? 2 : 0),
		                       wire[1].len - (datagrams ? 2 : 0));
		io.out = &wire[0];
		if (tls_session_read(session[0], &io, clear, sizeof(clear), &n) || n != MESSAGE)
			fail("nothing read");
	}
	begun = cpu_s() - begun;
	hang_up();
	return begun / MESSAGES * 1e6;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 300, rounds = argc > 2 ? atoi(argv[2]) : 5;
	double us[4][ROUNDS_MAX];

	if (count < 1 || rounds < 1 || rounds > ROUNDS_MAX)
		fail("HANDSHAKES from 1, ROUNDS from 1 to 99");
	domains_open();
	for (int round = 0; round < rounds; round++)
		for (int what = 0; what < 4; what++) {
			spent_s = 0;
			for (int i = 0; i < count; i++) {
				shake(what / 2, what % 2);
				hang_up();
			}
			us[what][round] = spent_s / count * 1e6;
		}
	for (int what = 0; what < 4; what++) {
		qsort(us[what], (size_t)rounds, sizeof(double), ascending);
		(void)printf(
		        "%-8s %-8s %7.1f us of server CPU a handshake, %6.2f us a message of %d "
		        "octets, written by it and read by the other\n",
		        what / 2 ? "gnutls" : "openssl", what % 2 ? "DTLS 1.2" : "TLS 1.2",
		        us[what][rounds / 2], messages(what / 2, what % 2), MESSAGE);
	}
	return 0;
}
