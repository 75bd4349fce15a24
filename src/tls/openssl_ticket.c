/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tickets that an OpenSSL server gives and takes: the form is that of RFC 5077, 4, the keys are the
 * domain's ring.
 */
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "tls/openssl_engine.h"
#include "tls/psk.h"
#include "tls/tickets.h"

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
	if (!tls_ticket_key_bind(key, tls_session_called(session)) || RAND_bytes(iv, 16) != 1 ||
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
	if (!tls_ticket_key_bind(key, tls_session_called(session)) ||
	    EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) != 1 ||
	    !mac_set(mac, key))
		return -1;
	return SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1; /* 2: give another (RFC 8446, C.4) */
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

bool openssl_ticket_among(const struct tls_session *session, struct base_reader identities)
{
	bool among = false;

	while (session->tickets && base_reader_left(&identities) && !identities.failed && !among) {
		struct base_reader one = base_reader_sub(&identities, base_reader_u16(&identities));
		const uint8_t *name = base_reader_take(&one, TLS_TICKET_NAME);
		struct tls_ticket_key key;

		(void)base_reader_u32(&identities); /* obfuscated_ticket_age */
		among = name && !identities.failed &&
		        tls_ticket_key_named(session->context->domain->ring, name,
		                             session->io->now_ms, &key);
		base_wipe(&key, sizeof(key));
	}
	return among;
}

/* -- what a session rests on ----------------------------------------------------------------- */

#define CHAIN_MAX    16
#define CHAIN_OCTETS 12000 /**< longer ones are not resumed: a ticket has 65,535 at most */

static bool cert_put(struct base_writer *w, X509 *cert)
{
	unsigned char *der = NULL;
	int len = cert ? i2d_X509(cert, &der) : 0;

	if (len > 0 && len <= UINT16_MAX) {
		base_writer_u16(w, (uint16_t)len);
		base_writer_put(w, der, (size_t)len);
	}
	OPENSSL_free(der);
	return len > 0 && len <= UINT16_MAX;
}

/**
 * In TLS 1.3 an external PSK looks like a session that is resumed (RFC 8446, 2.2): where it proved
 * the client, its identity stands behind a length of 0, in the place of a chain.
 */
static int identity_put(const struct tls_session *session, SSL *ssl)
{
	struct base_writer w = { 0 };
	int rc;

	base_writer_put(&w, session->marks.mark[0], TLS_MARK);
	base_writer_u16(&w, 0);
	base_writer_text(&w, session->psk_identity ? session->psk_identity : "");
	rc = !w.failed && SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), w.data, w.len) == 1;
	base_writer_done(&w);
	return rc;
}

/** Only where that PSK is still known. */
static bool identity_rests(struct tls_session *session, struct base_reader r)
{
	if (!tls_psk_find(session, r.at, base_reader_left(&r)))
		return false;
	tls_session_psk_used(session, r.at, base_reader_left(&r));
	session->psk_rests = true;
	return true;
}

/** OpenSSL's own form has the first certificate only. An empty chain is no chain at all. Before all
 * of it stands the session's mark. */
int openssl_chain_put(SSL *ssl, void *arg)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	X509 *peer = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *rest = SSL_get_peer_cert_chain(ssl);
	struct base_writer w = { 0 };
	bool ok;
	int rc;

	(void)arg;
	if (!tls_session_mark(session))
		return 0;
	if (session->psk && !session->psk_rests && SSL_version(ssl) == TLS1_3_VERSION &&
	    SSL_session_reused(ssl) == 1)
		return identity_put(session, ssl);
	/* What was resumed has it, and its copies do. */
	if (SSL_session_reused(ssl) == 1)
		return 1;
	base_writer_put(&w, session->marks.mark[0], TLS_MARK);
	ok = tls_session_judges(session) && peer && cert_put(&w, peer);
	for (int i = 0; ok && i < sk_X509_num(rest); i++)
		ok = cert_put(&w, sk_X509_value(rest, i));
	ok = ok && w.len <= CHAIN_OCTETS;
	rc = !w.failed && SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), w.data,
	                                                  ok ? w.len : TLS_MARK) == 1;
	base_writer_done(&w);
	return rc;
}

bool openssl_chain_judge(SSL *ssl, SSL_SESSION *shown)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	struct base_str chain[CHAIN_MAX];
	struct base_reader r, identity;
	void *data = NULL;
	size_t len = 0, count = 0;

	session->psk_rests = false;
	if (SSL_SESSION_get0_ticket_appdata(shown, &data, &len) != 1 || len < TLS_MARK)
		return false;
	r = base_reader_of(data, len);
	if (!tls_session_marked(session, base_reader_take(&r, TLS_MARK)))
		return false;
	identity = r;
	if (base_reader_left(&r) && base_reader_u16(&identity) == 0)
		return identity_rests(session, identity);
	if (!tls_session_judges(session))
		return true;
	if (session->renegotiating)
		return false;
	while (base_reader_left(&r) && !r.failed && count < CHAIN_MAX) {
		uint16_t one = base_reader_u16(&r);

		chain[count++] = (struct base_str){ (const char *)base_reader_take(&r, one), one };
	}
	if (r.failed || base_reader_left(&r))
		return false;
	/* One that had a certificate, whose chain was too long to keep, is to show it again. */
	if (!count && SSL_SESSION_get0_peer(shown))
		return false;
	return tls_resume_judge(session, chain, count);
}

SSL_TICKET_RETURN openssl_on_ticket_read(SSL *ssl, SSL_SESSION *shown, const unsigned char *name,
                                         size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
	struct tls_session *session = openssl_context_of(ssl)->session;

	(void)name;
	(void)name_len;
	(void)arg;
	switch (status) {
	case SSL_TICKET_EMPTY:
	case SSL_TICKET_NO_DECRYPT: /* or of another server_name */
		session->ticket_serial = 0;
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	case SSL_TICKET_SUCCESS:
	case SSL_TICKET_SUCCESS_RENEW:
		if (!openssl_chain_judge(ssl, shown)) {
			session->ticket_serial = 0;
			return SSL_TICKET_RETURN_IGNORE_RENEW;
		}
		return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
		                                    : SSL_TICKET_RETURN_USE_RENEW;
	default:
		return SSL_TICKET_RETURN_ABORT;
	}
}
