/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Datagrams of a peer into a session: what is cut off, a verified ClientHello that is put together
 * from its pieces, and the engines behind it.
 *
 * First octet: bit 0 GnuTLS, bit 1 we are the client, bit 2 what comes was found verified. Then
 * datagrams, each behind its length in two octets; an empty one lets time pass.
 */
#include <assert.h>
#include <stdlib.h>

#include "tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct x509_identity *identity;
static struct tls_domain *domain[2];
static struct tls_context *context[2]; /* kept until the program ends */

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

static void open_all(void)
{
	struct profile_store *profiles;
	struct tls_domain_spec spec = { .name = "fuzz" };

	if (profile_store_new(&profiles) ||
	    profile_store_text(profiles, "fuzz", profile_text, sizeof(profile_text) - 1,
	                       &spec.profile, NULL) ||
	    x509_identity_self_signed(&identity, X509_KEY_EC_P256, "fuzz", 86400, NULL))
		abort();
	spec.identity = identity;
	for (int i = 0; i < 2; i++) {
		spec.engine = i ? TLS_ENGINE_GNUTLS : TLS_ENGINE_OPENSSL;
		if (tls_domain_new(&domain[i], &spec, NULL) ||
		    tls_context_new(&context[i], domain[i], NULL))
			abort();
	}
}

/** What we send is datagrams, none too long. */
static void out_check(struct base_writer *out)
{
	struct base_reader r = base_reader_of(out->data, out->len);
	struct base_str one;

	while (tls_datagram_next(&r, &one))
		assert(one.len > 0 && one.len <= TLS_MTU_DEFAULT);
	assert(base_reader_done(&r));
	base_writer_reset(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_reader r = base_reader_of(data, size);
	uint8_t mode = base_reader_u8(&r);
	const struct tls_datagram_spec path = { .verified = mode & 4 };
	const struct tls_session_spec spec = { .role = mode & 2 ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER,
		                               .datagram = &path };
	struct base_writer out = { .limit = 1 << 20 };
	struct tls_io io = { .out = &out, .now_ms = 1000 };
	struct tls_session *session;
	struct base_str one;

	if (!context[0])
		open_all();
	if (size == 0 || tls_session_new(&session, context[mode & 1], &spec))
		return 0;
	if (mode & 2) /* our ClientHello goes first */
		(void)tls_session_handshake(session, &io);
	out_check(&out);
	for (int i = 0; i < 20 && tls_datagram_next(&r, &one); i++) {
		int rc;

		io.in = base_reader_of(one.ptr, one.len);
		io.now_ms += one.len ? 10 : 5000;
		rc = tls_session_handshake(session, &io);
		out_check(&out);
		assert(rc != 0); /* nobody has our peer's key */
		if (base_err_class(rc) != BASE_AGAIN)
			break;
		assert(base_reader_left(&io.in) == 0);
	}
	tls_session_free(session);
	base_writer_done(&out);
	return 0;
}
