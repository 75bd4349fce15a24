/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: every allocation of ours, from the domain to the end of a handshake, fails once.
 * What comes of it is success or BASE_LOCAL, no crash and, under ASan, no leak. The linker leads
 * our code's malloc here (--wrap); the engines' own stays as it is.
 */
#include "lab.h"
#include "pairs.h"
#include "scarce.h"

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
	if (!rc && !scarce_failed())
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

		scarce_after(n, false);
		rc = visit(sides, profile);
		scarce_after(-1, false);
		if (rc && base_err_class(rc) != BASE_LOCAL)
			fail_msg("allocation %ld of %s: %d", n, profile, rc);
		if (rc && !scarce_failed())
			fail_msg("%s: %d without cause", profile, rc);
	} while (scarce_failed() && ++n < 10000);
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
