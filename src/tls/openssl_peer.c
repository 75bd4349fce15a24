/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Who the peer is: the callbacks by which OpenSSL's handshake asks the common code.
 */
#include <openssl/rand.h>

#include "tls/dtls_session.h"
#include "tls/hello.h"
#include "tls/openssl_engine.h"
#include "tls/psk.h"
#include "tls/renegotiate.h"
#include "tls/tickets.h"
#include "tls/wait.h"

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

void openssl_on_message(int write, int version, int type, const void *data, size_t len, SSL *ssl,
                        void *arg)
{
	struct openssl_context *oc = openssl_context_of(ssl);
	struct tls_session *session = oc->session;
	struct base_reader r = base_reader_of(data, len);
	struct tls_hello_view hello;
	uint8_t message;

	(void)version;
	(void)arg;
	if (write || type != SSL3_RT_HANDSHAKE)
		return;
	message = base_reader_u8(&r);
	/* OpenSSL tells about extended_master_secret only when it is too late to refuse. */
	(void)base_reader_u24(&r);
	if (session->dtls) {
		session->dtls->moved = true;
		(void)base_reader_take(&r, 8); /* number, offset, length in it (RFC 6347, 4.2.2) */
	}
	if (session->role == TLS_ROLE_CLIENT && message == SSL3_MT_SERVER_HELLO &&
	    tls_hello_read(&hello, r.at, base_reader_left(&r), false))
		session->extms |= (hello.present & TLS_HELLO_MASTER_SECRET) != 0;
	if (message == SSL3_MT_KEY_UPDATE && session->established) {
		tls_renegotiation_keys(session);
		SSL_set_msg_callback(ssl, NULL);
	}
	/* In TLS 1.3 we can send any alert afterwards: openssl_abort(). */
	if (session->role == TLS_ROLE_SERVER && !session->dtls && message == SSL3_MT_CERTIFICATE &&
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
	/* A ticket would be encrypted, and what is held may have to be dropped. */
	(void)SSL_set_num_tickets(session->engine, 0);
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

/** A client has asked, and OpenSSL has chosen what it shows. */
static int staple_send(const struct tls_domain *domain, SSL *ssl)
{
	struct base_str der =
	        tls_staple_find(domain, SSL_get_certificate(ssl), (int64_t)time(NULL));
	void *copy = der.len ? OPENSSL_memdup(der.ptr, der.len) : NULL;

	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	(void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)der.len); /* owns it; always 1 */
	return SSL_TLSEXT_ERR_OK;
}

int openssl_on_status(SSL *ssl, void *arg)
{
	struct openssl_context *oc = arg;
	struct tls_session *session = oc->session;
	struct tls_wait *wait = session->wait;
	int rc;

	if (session->role == TLS_ROLE_SERVER)
		return staple_send(oc->context->domain, ssl);
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
	if (rc)
		wait->refused = rc;
	else if (session->dtls)
		tls_dtls_sent(session, wait->held.data, wait->held.len);
	else
		base_writer_put(session->io->out, wait->held.data, wait->held.len);
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
	bool tls13 = SSL_version(ssl) == TLS1_3_VERSION;
	bool told = tls_settings(session)->psk_unknown_alert.value;

	session->psk_tried = true;
	if (found && found->key.len <= cap) {
		session->psk_rests = false;
		memcpy(psk, found->key.data, found->key.len);
		tls_session_psk_used(session, identity, strlen(identity));
		return (unsigned)found->key.len;
	}
	/*
	 * RFC 4279, 2: "as if the PSK identity existed but the key was incorrect". A key nobody
	 * knows makes the two cases one. In TLS 1.3 this may be a ticket, and who has a certificate
	 * goes on with that (RFC 8446, 4.2.11).
	 */
	if (!told && (session->psk_refuse ||
	              !(tls13 && (session->tickets || session->context->has_identity))))
		return RAND_bytes(psk, 32) == 1 ? 32 : 0;
	session->psk_tried = false;
	session->psk_unknown = told && tls13;
	return 0; /* unknown_psk_identity; in TLS 1.3 it only goes on without */
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

/* -- a client's wishes ----------------------------------------------------------------------- */

/** The parts that OpenSSL has cut for us. */
static void hello_of(SSL *ssl, struct tls_hello_view *ret)
{
	const unsigned char *at;
	size_t len = SSL_client_hello_get0_ciphers(ssl, &at), count = 0;
	int *types = NULL;

	*ret = (struct tls_hello_view){ .version =
		                                (uint16_t)SSL_client_hello_get0_legacy_version(ssl),
		                        .suites = base_reader_of(at, len) };
	if (SSL_client_hello_get1_extensions_present(ssl, &types, &count) != 1)
		return;
	for (size_t i = 0; i < count; i++)
		if (SSL_client_hello_get0_ext(ssl, (unsigned)types[i], &at, &len) == 1)
			tls_hello_extension(ret, (uint16_t)types[i], base_reader_of(at, len), true);
	OPENSSL_free(types);
}

/** Show what was chosen, one certificate of each kind of key: OpenSSL takes the one that suite and
 * signature algorithms let it. */
static bool certificates_show(struct tls_session *session, SSL *ssl,
                              const struct tls_choice *choice)
{
	const struct tls_domain *domain = session->context->domain;
	unsigned shown = 0;
	bool ok = true;

	SSL_certs_clear(ssl);
	for (unsigned i = 0; i < choice->count && ok; i++) {
		const struct x509_identity *identity =
		        domain->certificates[choice->index[i]].identity;
		unsigned kind = 1U << (EVP_PKEY_get_base_id(identity->key) % 32);

		if (shown & kind)
			continue;
		shown |= kind;
		ok = SSL_use_cert_and_key(ssl, identity->cert, identity->key, identity->chain, 1) ==
		     1;
	}
	return ok;
}

/** @return the alert that refuses, 0 = go on */
static int certificates_choose(struct tls_session *session, SSL *ssl,
                               const struct tls_hello_view *hello)
{
	struct tls_choice choice;

	if (!session->context->domain->certificate_count)
		return 0;
	if (!tls_certificates_choose(session, hello, &choice))
		return TLS_ALERT_UNRECOGNIZED_NAME;
	session->named = choice.by_name;
	session->authorities = choice.by_authority;
	if (!certificates_show(session, ssl, &choice))
		return TLS_ALERT_INTERNAL_ERROR;
	session->ids &= choice.index[0] == 0;
	if (choice.index[0] && session->tickets) {
		session->tickets = false;
		(void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
		(void)SSL_set_num_tickets(ssl, 0);
	}
	return 0;
}

/** What the profile insists on. @return the alert that refuses, 0 = go on */
static int hello_judge(const struct tls_domain *domain, const struct tls_hello_view *hello)
{
	const struct profile_settings *settings = domain->settings;

	/* TLS 1.3 has both built in (RFC 8446, 4.1.2 and D). */
	if (domain->versions & PROFILE_TLS_1_3 && hello->present & TLS_HELLO_VERSIONS)
		return 0;
	if (settings->extended_master_secret_required.value &&
	    !(hello->present & TLS_HELLO_MASTER_SECRET))
		return TLS_ALERT_HANDSHAKE_FAILURE;
	/* RFC 5746, 3.6 and 4.3: neither the extension nor the signalling suite. */
	if (settings->renegotiation_info_peer.value &&
	    !(hello->present & TLS_HELLO_RENEGOTIATION) && !tls_numbers_have(hello->suites, 0x00ff))
		return TLS_ALERT_HANDSHAKE_FAILURE;
	return 0;
}

/** Nothing that a client of TLS 1.3 wants to be known by is known, and no certificate is to be
 * shown instead. @return the alert that refuses, 0 = go on */
static int identities_judge(struct tls_session *session, const struct tls_hello_view *hello)
{
	const struct tls_domain *domain = session->context->domain;

	session->psk_refuse = domain->refuse_unknown_psk && tls_session_has_psk(session) &&
	                      session->context->has_identity &&
	                      domain->versions & PROFILE_TLS_1_3 &&
	                      tls_numbers_have(hello->versions, TLS1_3_VERSION) &&
	                      base_reader_left(&hello->identities) &&
	                      !tls_psk_any_known(session, hello->identities) &&
	                      !openssl_ticket_among(session, hello->identities);
	if (!session->psk_refuse || !domain->settings->psk_unknown_alert.value)
		return 0;
	if (!session->failure)
		session->failure = strdup(TLS_PSK_UNKNOWN);
	return TLS_ALERT_UNKNOWN_PSK_IDENTITY;
}

int openssl_client_hello(SSL *ssl, int *ret_alert, void *arg)
{
	struct openssl_context *oc = arg;
	struct tls_hello_view hello;

	hello_of(ssl, &hello);
	tls_session_call(oc->session, hello.name);
	*ret_alert = hello_judge(oc->context->domain, &hello);
	if (!*ret_alert)
		*ret_alert = certificates_choose(oc->session, ssl, &hello);
	if (!*ret_alert)
		*ret_alert = identities_judge(oc->session, &hello);
	return *ret_alert ? SSL_CLIENT_HELLO_ERROR : SSL_CLIENT_HELLO_SUCCESS;
}

int openssl_on_name(SSL *ssl, int *ret_alert, void *arg)
{
	const struct openssl_context *oc = arg;

	(void)ssl;
	(void)ret_alert;
	return oc->session->named ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int openssl_on_authorities(SSL *ssl, unsigned type, unsigned where, const unsigned char **ret,
                           size_t *ret_len, X509 *cert, size_t index, int *ret_alert, void *arg)
{
	const struct openssl_context *oc = arg;
	const struct base_str *told = &oc->context->domain->told;

	(void)ssl;
	(void)type;
	(void)cert;
	(void)index;
	(void)ret_alert;
	*ret = NULL;
	*ret_len = 0;
	if (where & SSL_EXT_CLIENT_HELLO) {
		*ret = (const unsigned char *)told->ptr;
		*ret_len = told->len;
		return told->len > 0;
	}
	return where & SSL_EXT_TLS1_2_SERVER_HELLO && oc->session->authorities;
}

int openssl_take_authorities(SSL *ssl, unsigned type, unsigned where, const unsigned char *in,
                             size_t len, X509 *cert, size_t index, int *ret_alert, void *arg)
{
	(void)ssl;
	(void)type;
	(void)in;
	(void)cert;
	(void)index;
	(void)arg;
	*ret_alert = SSL_AD_DECODE_ERROR;
	/* A client's openssl_client_hello() has read; a server's "SHALL be empty". */
	return where & SSL_EXT_CLIENT_HELLO || len == 0;
}
