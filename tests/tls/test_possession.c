/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A peer with a good certificate and somebody else's private key: CertificateVerify (RFC 5246,
 * 7.4.8; RFC 8446, 4.4.3) and ServerKeyExchange (RFC 5246, 7.4.3) are checked with the key of the
 * certificate that was judged (TS 33.310, 5.2.2.2). GnuTLS forges, as its signatures pass through
 * our calls of libcrypto; both engines judge.
 */
#include <openssl/evp.h>

#include "lab.h"
#include "pairs.h"

#define DECRYPT_ERROR 51 /* RFC 8446, 6.2; RFC 5246, 7.2.2 */

static EVP_PKEY *thief;       /* what signs instead */
static unsigned left, forged; /* signatures until then; whether it did */

int __real_EVP_PKEY_sign(EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *len,
                         const unsigned char *tbs, size_t tbs_len);
int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *len,
                         const unsigned char *tbs, size_t tbs_len);

int __wrap_EVP_PKEY_sign(EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *len,
                         const unsigned char *tbs, size_t tbs_len)
{
	EVP_PKEY_CTX *own;
	int rc;

	if (!thief || left-- != 0)
		return __real_EVP_PKEY_sign(ctx, sig, len, tbs, tbs_len);
	own = EVP_PKEY_CTX_new_from_pkey(NULL, thief, NULL);
	assert_non_null(own);
	assert_int_equal(EVP_PKEY_sign_init(own), 1);
	rc = __real_EVP_PKEY_sign(own, sig, len, tbs, tbs_len);
	EVP_PKEY_CTX_free(own);
	forged++;
	return rc;
}

static void one(struct lab_sides *sides, enum tls_role liar, const char *profile, bool lies)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile),
	                       c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	enum tls_role judge = liar == TLS_ROLE_SERVER ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
	struct lab_pair pair;

	s.identity = sides->lab->server_ec;
	s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	s.client_methods = c.server_methods = TRUST_CA;
	s.trust = c.trust = sides->lab->trust;
	c.identity = sides->lab->client;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	forged = 0;
	left = liar == TLS_ROLE_CLIENT && sides->server == TLS_ENGINE_GNUTLS; /* its own is first */
	if (lies)
		thief = EVP_EC_gen("P-256");
	lab_pair_shake(&pair);
	EVP_PKEY_free(thief);
	thief = NULL;
	if (lies) {
		assert_int_equal(forged, 1);
		assert_int_equal(pair.result[judge], BASE_ERR(BASE_PEER, DECRYPT_ERROR));
		assert_int_equal(lab_info(&pair, judge).alert, DECRYPT_ERROR);
		assert_int_equal(lab_info(&pair, judge).alert_side, TLS_SIDE_LOCAL);
		assert_int_equal(lab_info(&pair, liar).alert_side, TLS_SIDE_REMOTE);
	} else {
		lab_assert_up(&pair);
	}
	lab_pair_close(&pair);
}

static void each(struct lab_sides *sides, enum tls_role liar)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	if ((liar == TLS_ROLE_SERVER ? sides->server : sides->client) != TLS_ENGINE_GNUTLS)
		return;
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		one(sides, liar, profiles[i], true);
		one(sides, liar, profiles[i], false);
	}
}

static void servers_with_anothers_key(void **state)
{
	each(*state, TLS_ROLE_SERVER);
}

static void clients_with_anothers_key(void **state)
{
	each(*state, TLS_ROLE_CLIENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(servers_with_anothers_key),
		                            cmocka_unit_test(clients_with_anothers_key) };

	return pairs_run(tests, BASE_COUNT(tests));
}
