/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Hellos of a peer: what we read of them ourselves (gnutls_hello.c, openssl_peer.c), behind the
 * engine that hands them to us.
 *
 * First octet: bit 0 GnuTLS, bit 1 we are the client, bit 2 raw bytes of the wire follow.
 * Otherwise the body of a ClientHello or ServerHello follows; we put head and record around it.
 */
#include <assert.h>
#include <stdlib.h>

#include "tls/tls.h"

static const char profile_text[] =
        "name: fuzz\ntitle: fuzz\ndocument: fuzz\nclause: '1'\nrelease: none\nprecedence:\n"
        "  suites: [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_PSK_WITH_AES_128_GCM_SHA256]\n"
        "  groups: [secp256r1, ffdhe2048]\n  signatures: [ecdsa_secp256r1_sha256]\nrules:\n"
        "  - { id: V, subject: version, items: [TLS1.2, TLS1.3], strength: shall, mark: P, "
        "text: x }\n"
        "  - { id: S, subject: suite, items: [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_PSK_WITH_AES_128_GCM_SHA256], "
        "strength: shall, mark: P, text: x }\n"
        "  - { id: G, subject: group, items: [secp256r1, ffdhe2048], strength: shall, mark: P, "
        "text: x }\n"
        "  - { id: H, subject: signature, items: [ecdsa_secp256r1_sha256], strength: shall, "
        "mark: P, text: x }\n"
        "  - { id: R, subject: resumption, items: [any, tickets, session-ids], strength: may, "
        "mark: P, "
        "text: x }\n"
        "  - { id: X, subject: authentication, items: [psk, psk-dhe-only], strength: may, mark: "
        "P, text: x }\n"
        "  - { id: E, subject: extension, items: ['require extended_master_secret'], strength: "
        "shall, mark: P, text: x }\n";

static struct profile_store *profiles;
static struct x509_identity *identity, *other;
static struct tls_domain *domain[2];
static struct tls_context *context[2]; /* kept until the program ends */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void domain_open(int i, const struct profile *profile)
{
	uint8_t key[] = "0123456789abcdef";
	const struct tls_psk psk = { base_str_of("alice"), { key, 16 } };
	const struct tls_domain_spec spec = {
		.name = "fuzz",
		.profile = profile,
		.engine = i ? TLS_ENGINE_GNUTLS : TLS_ENGINE_OPENSSL,
		.identity = identity,
		.more = &other, /* so that names and authorities choose */
		.more_count = 1,
		.psks = &psk,
		.psk_count = 1,
	};

	if (tls_domain_new(&domain[i], &spec, NULL) ||
	    tls_context_new(&context[i], domain[i], NULL))
		abort();
}

static void open_all(void)
{
	const struct profile *profile;

	if (profile_store_new(&profiles) ||
	    profile_store_text(profiles, "fuzz", profile_text, sizeof(profile_text) - 1, &profile,
	                       NULL) ||
	    x509_identity_self_signed(&identity, X509_KEY_EC_P256, "fuzz", 86400, NULL) ||
	    x509_identity_self_signed(&other, X509_KEY_EC_P256, "other.test", 86400, NULL))
		abort();
	for (int i = 0; i < 2; i++)
		domain_open(i, profile);
}

/** One record with one message; what does not fit is cut off. */
static void wrap(struct base_writer *w, uint8_t type, const uint8_t *body, size_t len)
{
	len = BASE_MIN(len, (size_t)16000);
	base_writer_put(w, (const uint8_t[]){ 22, 3, 1 }, 3);
	base_writer_u16(w, (uint16_t)(len + 4));
	base_writer_u8(w, type);
	base_writer_u8(w, 0);
	base_writer_u16(w, (uint16_t)len);
	base_writer_put(w, body, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_reader r = base_reader_of(data, size);
	uint8_t mode = base_reader_u8(&r);
	const struct tls_session_spec spec = { .role = mode & 2 ? TLS_ROLE_CLIENT
		                                                : TLS_ROLE_SERVER };
	struct base_writer wire = { 0 }, out = { .limit = 1 << 20 };
	struct tls_io io = { .out = &out };
	struct tls_session *session;

	if (!context[0])
		open_all();
	if (tls_session_new(&session, context[mode & 1], &spec))
		return 0;
	if (mode & 2) /* our ClientHello goes first */
		(void)tls_session_handshake(session, &io);
	if (mode & 4)
		base_writer_put(&wire, r.at, base_reader_left(&r));
	else
		wrap(&wire, mode & 2 ? 2 : 1, r.at, base_reader_left(&r));
	io.in = base_reader_of(wire.data, wire.len);
	/* Nobody gets through a handshake with one flight. */
	assert(tls_session_handshake(session, &io) != 0);
	tls_session_free(session);
	base_writer_done(&wire);
	base_writer_done(&out);
	return 0;
}
