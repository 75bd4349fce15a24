/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What comes to a DTLS port from nobody in particular: the first datagram (tls_hello_check), and
 * how a datagram is cut into records before an engine sees it.
 *
 * First octet: bit 0 the cookie of the answer is put into the datagram, which then has to be let
 * in. Else the datagram is as it is.
 */
#include <assert.h>
#include <stdlib.h>

#include "tls/dtls_session.h"
#include "tls/engine.h"

#define PEER BASE_STR("192.0.2.1:5000")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_domain *domain; /* kept until the program ends */

static const char profile_text[] =
        "name: fuzz\ntitle: fuzz\ndocument: fuzz\nclause: '1'\nrelease: none\nprecedence:\n"
        "  suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n  groups: [secp256r1]\n"
        "  signatures: [ecdsa_secp256r1_sha256]\nrules:\n"
        "  - { id: V, subject: version, items: [TLS1.2, DTLS1.2], strength: shall, mark: P, "
        "text: x }\n"
        "  - { id: S, subject: suite, items: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], "
        "strength: shall, mark: P, text: x }\n"
        "  - { id: G, subject: group, items: [secp256r1], strength: shall, mark: P, text: x }\n"
        "  - { id: H, subject: signature, items: [ecdsa_secp256r1_sha256], strength: shall, "
        "mark: P, text: x }\n";

static void domain_open(void)
{
	struct profile_store *profiles;
	const struct profile *profile;
	struct tls_domain_spec spec = { .name = "fuzz", .engine = TLS_ENGINE_GNUTLS };

	if (profile_store_new(&profiles) ||
	    profile_store_text(profiles, "fuzz", profile_text, sizeof(profile_text) - 1, &profile,
	                       NULL))
		abort();
	spec.profile = profile;
	if (tls_domain_new(&domain, &spec, NULL))
		abort();
}

/** The same hello with the cookie that was asked for, as its client would send it. */
static void come_again(const uint8_t *hello, const struct base_writer *answer)
{
	/* record 13, handshake 12, version and random 34, session id */
	size_t at = 25 + 34 + 1 + hello[25 + 34], old = hello[at], body;
	struct base_writer w = { 0 }, none = { 0 };

	body = (size_t)hello[22] << 16 | (size_t)hello[23] << 8 | hello[24];
	base_writer_put(&w, hello, at);
	base_writer_u8(&w, 32);
	base_writer_put(&w, answer->data + 2 + 25 + 3, 32);
	base_writer_put(&w, hello + at + 1 + old, 25 + body - (at + 1 + old));
	body = body - old + 32;
	w.data[11] = (uint8_t)((body + 12) >> 8);
	w.data[12] = (uint8_t)(body + 12);
	for (int i = 0; i < 3; i++)
		w.data[14 + i] = w.data[22 + i] = (uint8_t)(body >> (16 - 8 * i));
	w.data[17] = 0;
	w.data[18] = 1; /* message_seq */
	if (body + 12 <= UINT16_MAX)
		assert(tls_hello_check(domain, (struct base_str){ (const char *)w.data, w.len },
		                       PEER, 0, &none) == TLS_HELLO_VERIFIED);
	base_writer_done(&w);
	base_writer_done(&none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_str datagram;
	struct base_writer answer = { 0 };
	struct base_reader in;
	enum tls_hello what;

	if (!domain)
		domain_open();
	if (size == 0)
		return 0;
	datagram = (struct base_str){ (const char *)data + 1, size - 1 };
	in = base_reader_of(datagram.ptr, datagram.len);
	tls_dtls_trim(&in);
	assert(base_reader_left(&in) <= datagram.len);
	what = tls_hello_check(domain, datagram, PEER, 0, &answer);
	assert(what != TLS_HELLO_VERIFIED); /* nobody guesses a cookie */
	assert((what == TLS_HELLO_ASK) == (answer.len > 0));
	assert(answer.len <= datagram.len + 2);
	if (what == TLS_HELLO_ASK && data[0] & 1)
		come_again(data + 1, &answer);
	base_writer_done(&answer);
	return 0;
}
