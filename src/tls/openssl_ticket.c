/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tickets that an OpenSSL server gives and takes: the form is that of RFC 5077, 4, the keys are the
 * domain's ring.
 */
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "tls/openssl_engine.h"

static bool mac_set(EVP_MAC_CTX *mac, const struct tls_ticket_key *key)
{
	char hash[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac,
		                                  sizeof(key->mac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/** OpenSSL asks to have a ticket to write whatever comes: this one nobody will ever read. */
static bool key_of_nobody(struct tls_ticket_key *key)
{
	return RAND_bytes((unsigned char *)key, sizeof(*key)) == 1;
}

static int give(SSL *ssl, struct tls_session *session, struct tls_ticket_key *key,
                unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	uint64_t now_ms = session->io->now_ms;

	if (tls_ticket_key_give(session->context->domain->ring, session->ticket_serial, now_ms,
	                        key)) {
		/* It says so, and is not good for longer. */
		uint64_t left_s = (key->until_ms - now_ms) / 1000;
		long life_s = SSL_CTX_get_timeout(SSL_get_SSL_CTX(ssl));

		(void)SSL_SESSION_set_timeout(SSL_get_session(ssl),
		                              (long)BASE_MIN(left_s, (uint64_t)life_s));
	} else if (!key_of_nobody(key)) {
		return -1;
	}
	memcpy(name, key->name, sizeof(key->name));
	if (RAND_bytes(iv, 16) != 1 ||
	    EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) != 1 ||
	    !mac_set(mac, key))
		return -1;
	return 1;
}

static int take(SSL *ssl, struct tls_session *session, struct tls_ticket_key *key,
                const unsigned char *name, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                EVP_MAC_CTX *mac)
{
	if (!tls_ticket_key_named(session->context->domain->ring, name, session->io->now_ms, key))
		return 0;
	session->ticket_serial = key->serial;
	if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) != 1 ||
	    !mac_set(mac, key))
		return -1;
	return SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1; /* 2: give another (RFC 8446, C.4) */
}

int openssl_on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                          EVP_MAC_CTX *mac, int enc)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	struct tls_ticket_key key;
	int rc = enc ? give(ssl, session, &key, name, iv, cipher, mac)
	             : take(ssl, session, &key, name, iv, cipher, mac);

	base_wipe(&key, sizeof(key));
	return rc;
}
