/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Who the peer is: the callbacks by which OpenSSL's handshake asks the common code.
 */
#include <openssl/rand.h>

#include "tls/openssl_engine.h"

/** Certificates of a chain we look at; a longer one is refused. */
#define CHAIN_MAX 16

struct openssl_context *openssl_context_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/** OpenSSL derives the alert from a verification result; these give the one we want. */
static int verify_error(unsigned alert)
{
	static const struct {
		unsigned alert;
		int error;
	} row[] = {
		{ TLS_ALERT_HANDSHAKE_FAILURE, X509_V_ERR_APPLICATION_VERIFICATION },
		{ TLS_ALERT_BAD_CERTIFICATE, X509_V_ERR_CERT_REJECTED },
		{ TLS_ALERT_UNSUPPORTED_CERTIFICATE, X509_V_ERR_INVALID_PURPOSE },
		{ TLS_ALERT_CERTIFICATE_REVOKED, X509_V_ERR_CERT_REVOKED },
		{ TLS_ALERT_CERTIFICATE_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED },
		{ TLS_ALERT_UNKNOWN_CA, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
		{ TLS_ALERT_DECRYPT_ERROR, X509_V_ERR_CERT_SIGNATURE_FAILURE },
		{ TLS_ALERT_INTERNAL_ERROR, X509_V_ERR_UNSPECIFIED },
	};

	for (size_t i = 0; i < BASE_COUNT(row); i++)
		if (row[i].alert == alert)
			return row[i].error;
	return X509_V_ERR_NO_EXPLICIT_POLICY; /* in no row of OpenSSL's: certificate_unknown */
}

/** extended_master_secret, where the profile insists (RFC 7627, 5.3). */
static bool master_secret_ok(const struct tls_session *session, SSL *ssl)
{
	return !tls_settings(session)->extended_master_secret_required.value ||
	       SSL_version(ssl) == TLS1_3_VERSION || session->role == TLS_ROLE_SERVER ||
	       session->extms;
}

/** OpenSSL tells about extended_master_secret only when it is too late to refuse. */
static void on_server_hello(struct tls_session *session, struct base_reader *r)
{
	struct base_reader list;

	(void)base_reader_take(r, 3 + 2 + 32); /* length, version, random (RFC 5246, 7.4.1.3) */
	(void)base_reader_take(r, base_reader_u8(r));
	(void)base_reader_take(r, 2 + 1); /* suite, compression */
	list = base_reader_sub(r, base_reader_u16(r));
	while (!list.failed && base_reader_left(&list)) {
		uint16_t code = base_reader_u16(&list);

		(void)base_reader_take(&list, base_reader_u16(&list));
		session->extms |= code == 23 && !list.failed;
	}
}

void openssl_on_message(int write, int version, int type, const void *data, size_t len, SSL *ssl,
                        void *arg)
{
	struct openssl_context *oc = openssl_context_of(ssl);
	struct tls_session *session = oc->session;
	struct base_reader r = base_reader_of(data, len);
	uint8_t message;

	(void)version;
	(void)arg;
	if (write || type != SSL3_RT_HANDSHAKE)
		return;
	message = base_reader_u8(&r);
	if (session->role == TLS_ROLE_CLIENT && message == SSL3_MT_SERVER_HELLO)
		on_server_hello(session, &r);
	/* In TLS 1.3 we can send any alert afterwards: openssl_abort(). */
	if (session->role == TLS_ROLE_SERVER && message == SSL3_MT_CERTIFICATE &&
	    SSL_version(ssl) != TLS1_3_VERSION && len == 4 + 3)
		oc->bare = true;
}

int openssl_on_ticket(SSL *ssl, unsigned type, unsigned where, const unsigned char **ret,
                      size_t *ret_len, X509 *cert, size_t index, int *ret_alert, void *arg)
{
	const struct openssl_context *oc = arg;

	(void)ssl;
	(void)type;
	(void)where;
	(void)ret;
	(void)ret_len;
	(void)cert;
	(void)index;
	if (oc->wanted < 0)
		return 0;
	*ret_alert = oc->wanted;
	return -1;
}

/** DER of the whole chain into one arena. */
static int chain_der(STACK_OF(X509) * certs, struct base_arena *arena, struct base_str *chain,
                     size_t *ret_count)
{
	int count = sk_X509_num(certs);

	if (count > CHAIN_MAX)
		return BASE_ERR(BASE_PEER, TLS_ALERT_BAD_CERTIFICATE);
	for (int i = 0; i < count; i++) {
		X509 *cert = sk_X509_value(certs, i);
		int len = i2d_X509(cert, NULL);
		unsigned char *at = len > 0 ? base_arena_alloc(arena, (size_t)len) : NULL;

		if (!at)
			return BASE_ERR(BASE_LOCAL, TLS_ALERT_INTERNAL_ERROR);
		chain[i] = (struct base_str){ (const char *)at, (size_t)len };
		(void)i2d_X509(cert, &at);
	}
	*ret_count = (size_t)BASE_MAX(count, 0);
	return 0;
}

/** The staple that has come so far. */
static struct base_str staple_of(SSL *ssl)
{
	const unsigned char *data = NULL;
	long len = SSL_get_tlsext_status_ocsp_resp(ssl, &data);

	return (struct base_str){ (const char *)data, len > 0 && data ? (size_t)len : 0 };
}

/** Judge, and if a CRL is waited for keep what is to be judged then and send nothing meanwhile. */
static int judge(struct tls_session *session, const struct base_str *chain, size_t count,
                 struct base_str staple)
{
	int rc;

	session->staple = staple;
	rc = tls_session_judge(session, chain, count);
	session->staple = (struct base_str){ NULL, 0 };
	if (rc == 0 || base_err_class(rc) != BASE_AGAIN)
		return rc;
	if (chain != session->wait->chain && !tls_wait_keep(session, chain, count, staple))
		return BASE_ERR(BASE_LOCAL, TLS_ALERT_INTERNAL_ERROR);
	session->wait->hold = true;
	return rc;
}

/** As a client up to TLS 1.2 the staple comes after the certificates (RFC 6066, 8). */
static bool staple_comes(const struct tls_session *session, SSL *ssl)
{
	return session->role == TLS_ROLE_CLIENT && SSL_version(ssl) != TLS1_3_VERSION &&
	       trust_store_staples(session->context->domain->trust);
}

static int chain_judge(struct tls_session *session, const struct base_str *chain, size_t count)
{
	SSL *ssl = session->engine;

	if (!staple_comes(session, ssl))
		return judge(session, chain, count, staple_of(ssl));
	if (!tls_wait_keep(session, chain, count, (struct base_str){ NULL, 0 }))
		return BASE_ERR(BASE_LOCAL, TLS_ALERT_INTERNAL_ERROR);
	session->wait->deferred = true;
	return 0;
}

/** OpenSSL has no verification result for this alert; while all is in the clear we send it. */
static void wish(struct tls_session *session, struct openssl_context *oc, unsigned alert)
{
	if (session->role != TLS_ROLE_CLIENT || session->established)
		return;
	oc->wish = (int)alert;
	oc->wish_at = session->io->out->len;
}

int openssl_on_status(SSL *ssl, void *arg)
{
	struct openssl_context *oc = arg;
	struct tls_session *session = oc->session;
	struct tls_wait *wait = session->wait;
	int rc;

	if (session->role == TLS_ROLE_SERVER)
		return SSL_TLSEXT_ERR_NOACK; /* asked for ours: we have none */
	if (!wait || !wait->deferred)
		return 1;
	wait->deferred = false;
	wait->staple = staple_of(ssl);
	rc = judge(session, wait->chain, wait->chain_count, wait->staple);
	if (wait->hold && !tls_wait_keep(session, wait->chain, wait->chain_count, wait->staple))
		return -1;
	if (!wait->hold)
		wait->chain_count = 0;
	if (rc == 0 || base_err_class(rc) == BASE_AGAIN)
		return 1;
	if (base_err_class(rc) != BASE_PEER)
		return -1;
	wish(session, oc, base_err_detail(rc));
	return 0;
}

int openssl_judge_again(struct tls_session *session)
{
	struct tls_wait *wait = session->wait;
	int rc = judge(session, wait->chain, wait->chain_count, wait->staple);

	if (rc && base_err_class(rc) == BASE_AGAIN)
		return rc;
	wait->chain_count = 0;
	wait->hold = rc != 0;
	if (rc == 0)
		base_writer_put(session->io->out, wait->held.data, wait->held.len);
	else
		wait->refused = rc;
	base_writer_reset(&wait->held);
	return 0;
}

int openssl_verify(X509_STORE_CTX *store, void *arg)
{
	struct openssl_context *oc = arg;
	struct tls_session *session = oc->session;
	struct base_arena arena = { .chunk_size = 4096 };
	struct base_str chain[CHAIN_MAX];
	size_t count = 0;
	int rc = 0;

	if (!master_secret_ok(session, session->engine))
		rc = BASE_ERR(BASE_PEER, TLS_ALERT_HANDSHAKE_FAILURE);
	else if (tls_session_judges(session)) {
		rc = chain_der(X509_STORE_CTX_get0_untrusted(store), &arena, chain, &count);
		if (rc == 0)
			rc = chain_judge(session, chain, count);
		base_arena_done(&arena);
	}
	if (rc && base_err_class(rc) == BASE_AGAIN)
		rc = 0; /* for now: openssl_judge_again() */
	if (rc) {
		unsigned alert = base_err_class(rc) == BASE_PEER ? base_err_detail(rc)
		                                                 : TLS_ALERT_INTERNAL_ERROR;

		if (base_err_class(rc) != BASE_PEER)
			(void)tls_session_fail(session, TLS_ALERT_INTERNAL_ERROR, TLS_SIDE_NONE,
			                       "no memory to judge the peer's certificate");
		if (alert == TLS_ALERT_BAD_STATUS)
			wish(session, oc, alert);
		X509_STORE_CTX_set_error(store, verify_error(alert));
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

unsigned openssl_psk_server(SSL *ssl, const char *identity, unsigned char *psk, unsigned cap)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	const struct tls_psk *found = tls_psk_find(session, identity, strlen(identity));

	if (found && found->key.len <= cap) {
		memcpy(psk, found->key.data, found->key.len);
		tls_session_psk_used(session, identity, strlen(identity));
		return (unsigned)found->key.len;
	}
	/* TLS 1.3 asks for tickets too, and goes on without a PSK (RFC 8446, 4.2.11). */
	if (SSL_version(ssl) == TLS1_3_VERSION || tls_settings(session)->psk_unknown_alert.value)
		return 0; /* unknown_psk_identity */
	/*
	 * RFC 4279, 2: "as if the PSK identity existed but the key was incorrect". A key nobody
	 * knows makes the two cases one, whatever alert a wrong key then leads to.
	 */
	return RAND_bytes(psk, 32) == 1 ? 32 : 0;
}

unsigned openssl_psk_client(SSL *ssl, const char *hint, char *identity, unsigned identity_cap,
                            unsigned char *psk, unsigned cap)
{
	struct tls_session *session = openssl_context_of(ssl)->session;
	const struct tls_psk *chosen = tls_psk_choose(session, hint, hint ? strlen(hint) : 0);

	if (!chosen || chosen->identity.len >= identity_cap || chosen->key.len > cap)
		return 0;
	/* Asked for before the ServerHello it serves TLS 1.3, whose key schedule needs no more. */
	if (SSL_get_state(ssl) != TLS_ST_BEFORE && SSL_get_state(ssl) != TLS_ST_CW_CLNT_HELLO &&
	    !master_secret_ok(session, ssl))
		return 0;
	if (chosen->identity.len)
		memcpy(identity, chosen->identity.ptr, chosen->identity.len);
	identity[chosen->identity.len] = '\0';
	memcpy(psk, chosen->key.data, chosen->key.len);
	tls_session_psk_used(session, chosen->identity.ptr, chosen->identity.len);
	return (unsigned)chosen->key.len;
}

/** Does the ClientHello offer this suite? */
static bool hello_offers(SSL *ssl, uint16_t code)
{
	const unsigned char *suites;
	size_t len = SSL_client_hello_get0_ciphers(ssl, &suites);

	for (size_t i = 0; i + 1 < len; i += 2)
		if ((suites[i] << 8 | suites[i + 1]) == code)
			return true;
	return false;
}

int openssl_client_hello(SSL *ssl, int *ret_alert, void *arg)
{
	const struct openssl_context *oc = arg;
	const struct profile_settings *settings = oc->context->domain->settings;
	const unsigned char *ext;
	size_t len;

	/* supported_versions: TLS 1.3, where both are built in (RFC 8446, 4.1.2 and D). */
	if (oc->context->domain->versions & PROFILE_TLS_1_3 &&
	    SSL_client_hello_get0_ext(ssl, 43, &ext, &len))
		return SSL_CLIENT_HELLO_SUCCESS;
	if (settings->extended_master_secret_required.value &&
	    !SSL_client_hello_get0_ext(ssl, 23, &ext, &len))
		goto refuse;
	/* RFC 5746, 3.6 and 4.3: neither the extension nor the signalling suite. */
	if (settings->renegotiation_info_peer.value &&
	    !SSL_client_hello_get0_ext(ssl, 0xff01, &ext, &len) && !hello_offers(ssl, 0x00ff))
		goto refuse;
	return SSL_CLIENT_HELLO_SUCCESS;
refuse:
	*ret_alert = TLS_ALERT_HANDSHAKE_FAILURE;
	return SSL_CLIENT_HELLO_ERROR;
}
