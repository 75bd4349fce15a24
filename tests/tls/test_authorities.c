/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A client that tells which authorities it trusts (trusted_ca_keys, RFC 6066, 6; in TLS 1.3
 * certificate_authorities, RFC 8446, 4.2.4), and a server that has certificates by two of them.
 */
#include <openssl/core_names.h>
#include <unistd.h>

#include "lab.h"
#include "pairs.h"
#include "pki.h"
#include "tls/engine.h"

/** Another authority, with an RSA key and a name of its own, and a server's certificate by it. */
static struct {
	struct pki_ca ca;
	struct trust_store *trust;
	struct x509_identity *server;
} other;

static void other_open(void)
{
	char dir[] = "/tmp/gatehouse-authorities-XXXXXX", path[PKI_PATH];
	const char *anchors[] = { path, NULL };
	const struct trust_store_files files = { .anchors = anchors };

	assert_non_null(mkdtemp(dir));
	pki_ca_make_as(&other.ca, dir, "Other CA", true);
	(void)snprintf(path, sizeof(path), "%s/ca.pem", dir);
	assert_int_equal(trust_store_load(&other.trust, &files, NULL), 0);
	other.server = pki_issue(&other.ca, dir, "server.test", false, -60, 3600, false);
	(void)remove(path);
	(void)rmdir(dir);
}

static void other_close(void)
{
	pki_ca_done(&other.ca);
	trust_store_unref(other.trust);
	x509_identity_unref(other.server);
}

/** The server's first certificate is by an authority that the client does not know. */
static void open_pair(struct lab_pair *pair, const struct lab_sides *sides, const char *profile,
                      enum tls_authority_kind how)
{
	struct tls_domain_spec server = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec client = lab_spec(sides, TLS_ROLE_CLIENT, profile);

	server.trust = other.trust; /* what its second certificate rests on */
	server.more = &other.server;
	server.more_count = 1;
	client.trust = other.trust;
	client.server_methods = TRUST_CA;
	client.tell_authorities = how;
	lab_pair_open(pair, &server, &client, NULL, NULL);
}

/** What the client's first flight says. */
static struct tls_hello_view hello_of(struct lab_pair *pair)
{
	const struct base_writer *wire = &pair->wire[TLS_ROLE_CLIENT];
	struct tls_io io = { .out = &pair->wire[TLS_ROLE_CLIENT] };
	struct tls_hello_view hello;

	(void)tls_session_handshake(pair->session[TLS_ROLE_CLIENT], &io);
	assert_true(wire->len > 9);
	assert_true(tls_hello_read(&hello, wire->data + 9,
	                           (size_t)(wire->data[7] << 8 | wire->data[8]), true));
	return hello;
}

static const char *const profiles[] = { "tls12", "tls13", "modern" };
static const enum tls_authority_kind kinds[] = { TLS_AUTHORITY_KEY_HASH, TLS_AUTHORITY_NAME,
	                                         TLS_AUTHORITY_CERT_HASH };

static void told_and_chosen_by(void **state)
{
	for (size_t p = 0; p < BASE_COUNT(profiles); p++)
		for (size_t k = 0; k < BASE_COUNT(kinds); k++) {
			struct tls_hello_view hello;
			struct tls_authority one;
			struct lab_pair pair;

			open_pair(&pair, *state, profiles[p], kinds[k]);
			hello = hello_of(&pair);
			assert_int_equal((hello.present & TLS_HELLO_CA_NAMES) != 0, p > 0);
			if (hello.present & TLS_HELLO_AUTHORITIES) {
				assert_true(tls_authority_next(&hello.authorities, &one));
				assert_int_equal(one.kind, kinds[k]);
				assert_int_equal(base_reader_left(&hello.authorities), 0);
			}
			assert_true(p == 1 || hello.present & TLS_HELLO_AUTHORITIES);
			lab_pair_shake(&pair);
			lab_assert_up(&pair);
			assert_true(lab_info(&pair, TLS_ROLE_CLIENT).verdict.authenticated);
			lab_pair_close(&pair);
		}
}

static void not_told_not_chosen(void **state)
{
	for (size_t p = 0; p < BASE_COUNT(profiles); p++) {
		struct tls_hello_view hello;
		struct lab_pair pair;

		open_pair(&pair, *state, profiles[p], TLS_AUTHORITY_AGREED);
		hello = hello_of(&pair);
		assert_int_equal(hello.present & (TLS_HELLO_CA_NAMES | TLS_HELLO_AUTHORITIES), 0);
		lab_pair_shake(&pair);
		assert_false(lab_info(&pair, TLS_ROLE_CLIENT).established);
		assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert, TLS_ALERT_UNKNOWN_CA);
		lab_pair_close(&pair);
	}
}

/** "The hash is of the big-endian byte string representation of the modulus" for RSA. */
static void hash_of_an_rsa_key(void **state)
{
	const EVP_PKEY *key = X509_get0_pubkey(other.ca.cert);
	unsigned char modulus[256], wanted[20], got[20];
	BIGNUM *n = NULL;
	unsigned len = sizeof(wanted);

	(void)state;
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(BN_bn2binpad(n, modulus, sizeof(modulus)), sizeof(modulus));
	assert_true(modulus[0] & 0x80);
	assert_int_equal(EVP_Digest(modulus, sizeof(modulus), wanted, &len, EVP_sha1(), NULL), 1);
	assert_true(tls_authority_key_hash(other.ca.cert, got));
	assert_memory_equal(got, wanted, sizeof(got));
	BN_free(n);
}

static void nothing_to_tell_of(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_CLIENT, "tls12");
	struct base_error err = { 0 };
	struct tls_domain *domain;

	spec.tell_authorities = TLS_AUTHORITY_NAME;
	spec.trust = NULL;
	assert_int_equal(base_err_class(tls_domain_new(&domain, &spec, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "no trust anchors to tell of (RFC 6066, 6)"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_and_chosen_by),
		cmocka_unit_test(not_told_not_chosen),
		cmocka_unit_test(hash_of_an_rsa_key),
		cmocka_unit_test(nothing_to_tell_of),
	};
	int rc;

	other_open();
	rc = pairs_run(tests, BASE_COUNT(tests));
	other_close();
	return rc;
}
