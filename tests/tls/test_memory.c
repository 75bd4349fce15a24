/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: every allocation of ours, from the domain to the end of a handshake, fails once.
 * What comes of it is success or BASE_LOCAL, no crash and, under ASan, no leak. The linker leads
 * our code's malloc here (--wrap); the engines' own stays as it is.
 */
#include "lab.h"
#include "pairs.h"

/** Allocations that still succeed; < 0 = all. */
static long left = -1;
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool refused(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	left = -1;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return refused() ? NULL : __real_realloc(old, size);
}

/** What is on the wire, all at once or datagram by datagram. */
static int step(struct tls_session *session, struct tls_io *io, bool datagrams)
{
	struct base_reader wire = io->in;
	struct base_str one;
	int rc = BASE_ERR(BASE_AGAIN, 0);

	if (!datagrams || base_reader_left(&wire) == 0)
		return tls_session_handshake(session, io);
	while (base_err_class(rc) == BASE_AGAIN && tls_datagram_next(&wire, &one)) {
		io->in = base_reader_of(one.ptr, one.len);
		rc = tls_session_handshake(session, io);
	}
	return rc;
}

/** One handshake by certificates or PSK, whatever can be made of it. @return the first failure */
static int visit(const struct lab_sides *sides, const char *profile)
{
	const struct tls_psk psk = lab_psk("alice", "0123456789abcdef");
	const struct x509_fingerprint fp = lab_fingerprint(sides->lab->server_ec);
	static const uint16_t srtp[] = { TLS_SRTP_AES128_CM_SHA1_80 };
	const struct tls_datagram_spec path = { .srtp = srtp, .srtp_count = 1 };
	const bool datagrams = strncmp(profile, "dtls", 4) == 0;
	const struct tls_session_spec s[2] = {
		{ .role = TLS_ROLE_CLIENT,
		  .fingerprints = &fp,
		  .fingerprint_count = 1,
		  .datagram = datagrams ? &path : NULL },
		{ .role = TLS_ROLE_SERVER,
		  .psks = &psk,
		  .psk_count = 1,
		  .psk_hint = "alice",
		  .datagram = datagrams ? &path : NULL },
	};
	struct tls_domain_spec spec[2] = { lab_spec(sides, TLS_ROLE_CLIENT, profile),
		                           lab_spec(sides, TLS_ROLE_SERVER, profile) };
	struct lab_pair pair = { 0 };
	int rc = 0;

	spec[TLS_ROLE_CLIENT].server_methods = TRUST_FINGERPRINT;
	spec[TLS_ROLE_CLIENT].psks = &psk;
	spec[TLS_ROLE_CLIENT].psk_count = 1;
	for (int i = 0; i < 2 && !rc; i++) {
		rc = tls_domain_new(&pair.domain[i], &spec[i], NULL);
		if (!rc)
			rc = tls_context_new(&pair.context[i], pair.domain[i], NULL);
		if (!rc)
			rc = tls_session_new(&pair.session[i], pair.context[i], &s[i]);
	}
	for (int turn = 0; turn < 8 && !rc; turn++) {
		int role = turn % 2;
		struct base_writer *from = &pair.wire[1 - role];
		struct tls_io io = { .in = base_reader_of(from->data, from->len),
			             .out = &pair.wire[role] };

		rc = step(pair.session[role], &io, datagrams);
		base_writer_reset(from);
		if (rc && base_err_class(rc) == BASE_AGAIN)
			rc = 0;
	}
	if (!rc && datagrams) {
		struct tls_srtp_keys keys = { 0 };

		rc = tls_session_srtp_keys(pair.session[0], &keys);
		tls_srtp_keys_done(&keys);
	}
	if (!rc && !failed)
		lab_assert_up(&pair);
	lab_pair_close(&pair);
	return rc;
}

static void walk(const struct lab_sides *sides, const char *profile)
{
	long n = 0;

	(void)lab_profile(sides->lab, profile);
	do {
		int rc;

		failed = false;
		left = n;
		rc = visit(sides, profile);
		left = -1;
		if (rc && base_err_class(rc) != BASE_LOCAL)
			fail_msg("allocation %ld of %s: %d", n, profile, rc);
		if (rc && !failed)
			fail_msg("%s: %d without cause", profile, rc);
	} while (failed && ++n < 10000);
	assert_true(n > 20 && n < 10000);
	print_message("%s: %ld allocations of ours\n", profile, n);
}

static void every_allocation(void **state)
{
	walk(*state, "modern");
	walk(*state, "tls12");
	walk(*state, "psk");
	walk(*state, "dtls12");
	walk(*state, "dtls-psk");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation) };

	return pairs_run(tests, BASE_COUNT(tests));
}
