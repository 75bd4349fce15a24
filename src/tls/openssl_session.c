/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One SSL: steps of the handshake, records in, records out. OpenSSL's error queue is cleared before
 * each step and read right after it, on the same thread; texts are looked up only on failure.
 */
#include <openssl/err.h>

#include "tls/dtls_session.h"
#include "tls/openssl_engine.h"
#include "tls/psk.h"
#include "tls/renegotiate.h"
#include "tls/wait.h"

/** Room a record needs beside its clear text, generously (RFC 5246, 6.2.3; RFC 8446, 5.2). */
#define RECORD_ROOM 96

struct openssl_context *openssl_step(struct tls_session *session)
{
	struct openssl_context *oc = session->context->engine;

	oc->session = session;
	oc->out_at = session->io->out->len;
	oc->alert = -1;
	oc->side = TLS_SIDE_NONE;
	oc->refused = false;
	oc->bare = false;
	oc->may = oc->done = false;
	oc->wish = -1;
	ERR_clear_error();
	return oc;
}

/**
 * Ask for a certificate. To a client without one OpenSSL says handshake_failure or
 * certificate_required; where a fingerprint was to be matched it is bad_certificate (RFC 8122,
 * 6.2), so there we look for ourselves; but not among datagrams, where what follows is already in.
 */
static void server_asks(struct tls_session *session, SSL *ssl)
{
	const struct tls_domain *domain = session->context->domain;
	int mode = SSL_VERIFY_PEER;

	if (domain->client_methods & TRUST_FINGERPRINT && !session->dtls)
		SSL_set_msg_callback(ssl, openssl_on_message);
	else if (tls_session_requires(session))
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_set_verify(ssl, mode, NULL);
}

/** RFC 6066, 4: 1 is 2^9 octets. */
static uint8_t fragment_code(const struct tls_domain *domain)
{
	uint8_t code = 1;

	while (256U << code < domain->max_fragment)
		code++;
	return code;
}

/** certificate_authorities (RFC 8446, 4.2.4): OpenSSL writes it of names alone. */
static bool names_tell(const struct tls_domain *domain, SSL *ssl)
{
	const STACK_OF(X509) *anchors = trust_store_anchors(domain->trust);

	for (int i = 0; i < sk_X509_num(anchors); i++)
		if (SSL_add1_to_CA_list(ssl, sk_X509_value(anchors, i)) != 1)
			return false;
	return true;
}

int openssl_session_new(struct tls_session *session)
{
	struct openssl_context *oc = session->context->engine;
	const char *name = tls_session_server_name(session);
	const char *hint = tls_session_psk_hint(session);
	enum tls_client_auth auth = session->context->domain->client_auth;
	bool psk = tls_session_has_psk(session);
	bool ok = true;
	SSL *ssl = SSL_new(oc->ctx);

	if (!ssl)
		return BASE_ERR(BASE_LOCAL, 0);
	session->engine = ssl;
	BIO_up_ref(oc->bio);
	SSL_set_bio(ssl, oc->bio, oc->bio);
	if (session->dtls && !openssl_dtls_new(session, ssl))
		return BASE_ERR(BASE_LOCAL, 0);
	if (session->role == TLS_ROLE_CLIENT) {
		SSL_set_connect_state(ssl);
		/* The scope is a server's; a client's external PSK must not be held against it. */
		ok = SSL_set_session_id_context(ssl, NULL, 0) == 1;
		/* openssl_verify() says yes where nobody is to be judged. */
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
		if (psk)
			SSL_set_psk_client_callback(ssl, openssl_psk_client);
		if (name)
			ok = ok && SSL_set_tlsext_host_name(ssl, name) == 1;
		if (trust_store_staples(session->context->domain->trust))
			ok = ok && SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) == 1;
		if (session->context->domain->max_fragment)
			ok = ok && SSL_set_tlsext_max_fragment_length(
			                   ssl, fragment_code(session->context->domain)) == 1;
		if (session->context->domain->told_names.len)
			ok = ok && names_tell(session->context->domain, ssl);
		if (!session->tickets)
			(void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
		return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
	}
	SSL_set_accept_state(ssl);
	if (auth != TLS_CLIENT_AUTH_NONE)
		server_asks(session, ssl);
	if (psk) {
		SSL_set_psk_server_callback(ssl, openssl_psk_server);
		if (hint)
			ok = SSL_use_psk_identity_hint(ssl, hint) == 1;
	}
	if (!session->tickets && session->context->domain->tickets) {
		(void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
		(void)SSL_set_num_tickets(ssl, 0);
	}
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

void openssl_session_free(struct tls_session *session)
{
	struct openssl_context *oc = session->context->engine;

	/* SSL_free asks the BIO a last time, whose session of the last step may be gone by now. */
	if (oc)
		oc->session = NULL;
	SSL_free(session->engine);
	session->engine = NULL;
}

/** Nothing can be encrypted before the first answer came. */
static bool still_plain(SSL *ssl)
{
	switch (SSL_get_state(ssl)) {
	case TLS_ST_BEFORE:
	case TLS_ST_CW_CLNT_HELLO:
	case TLS_ST_CR_SRVR_HELLO:
	case TLS_ST_SR_CLNT_HELLO:
		return true;
	default:
		return false;
	}
}

/** Write a fatal alert ourselves, while records are in the clear. @return it, -1 = no room */
static int plain_alert(struct tls_session *session, int version, uint8_t alert)
{
	const uint8_t record[] = { 21, 3, (uint8_t)version, 0, 2, 2, alert };

	if (session->dtls)
		return tls_dtls_plain_alert(session, openssl_dtls_version(session->engine), alert);
	base_writer_put(session->io->out, record, sizeof(record));
	return session->io->out->failed ? -1 : alert;
}

/** A fatal alert in the clear, once the version is known (RFC 8446, 5.1: that of 1.2). */
static int clear_alert(struct tls_session *session, uint8_t alert)
{
	return plain_alert(session, BASE_MIN(SSL_version(session->engine), TLS1_2_VERSION), alert);
}

/**
 * OpenSSL says bad_record_mac to a wrong key and illegal_parameter to a wrong binder, where RFC
 * 4279, 2 and RFC 8446, 6.2 have decrypt_error; and to an unknown identity in TLS 1.3 that it has
 * no certificate. A server has encrypted nothing yet, so the alert can be another one.
 * @return it, or -1
 */
static int psk_alert(const struct tls_session *session, const struct openssl_context *oc,
                     int reason)
{
	bool tls13 = SSL_version(session->engine) == TLS1_3_VERSION;

	if (session->role != TLS_ROLE_SERVER || session->established || session->dtls ||
	    oc->side != TLS_SIDE_LOCAL)
		return -1;
	if (session->psk_tried && (tls13 ? reason == SSL_R_BINDER_DOES_NOT_VERIFY
	                                 : oc->alert == TLS_ALERT_BAD_RECORD_MAC))
		return TLS_ALERT_DECRYPT_ERROR;
	if (session->psk_unknown && reason == SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM)
		return TLS_ALERT_UNKNOWN_PSK_IDENTITY;
	return -1;
}

/** The alert that OpenSSL has written in this step is replaced. */
static int psk_failed(struct tls_session *session, const struct openssl_context *oc, int alert)
{
	session->io->out->len = oc->out_at;
	return tls_session_fail(session, clear_alert(session, (uint8_t)alert), TLS_SIDE_LOCAL, "%s",
	                        alert == TLS_ALERT_DECRYPT_ERROR ? TLS_PSK_FAILED
	                                                         : TLS_PSK_UNKNOWN);
}

int openssl_failed(struct tls_session *session, struct openssl_context *oc)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);
	const struct trust_verdict *verdict;
	int psk;

	/* OpenSSL did not ask about a certificate that never came; the verdict says it in words. */
	if (ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		(void)tls_session_judge(session, NULL, 0);
	verdict = session->verdict;
	/* What is no TLS at all OpenSSL only drops; a person at the other end deserves an alert. */
	if (oc->side == TLS_SIDE_NONE && !session->established && !session->dtls &&
	    still_plain(session->engine))
		oc->alert = plain_alert(session, TLS1_VERSION, TLS_ALERT_UNEXPECTED_MESSAGE);
	if (session->io->out->failed)
		return tls_session_fail(session, -1, TLS_SIDE_NONE,
		                        "no memory for what is to be sent");
	psk = psk_alert(session, oc, ERR_GET_REASON(error));
	if (psk >= 0)
		return psk_failed(session, oc, psk);
	if (oc->side == TLS_SIDE_REMOTE)
		return tls_session_fail(session, oc->alert, TLS_SIDE_REMOTE,
		                        "the peer sent alert %d (%s)", oc->alert,
		                        tls_alert_name(oc->alert));
	if (verdict && !verdict->authenticated && !verdict->tolerated)
		return tls_session_fail(session, oc->alert, TLS_SIDE_LOCAL, "%s", verdict->text);
	return tls_session_fail(session, oc->alert, TLS_SIDE_LOCAL, "%s",
	                        reason ? reason : "TLS failed");
}

int openssl_step_result(struct tls_session *session, struct openssl_context *oc, int n)
{
	switch (SSL_get_error(session->engine, n)) {
	case SSL_ERROR_WANT_READ:
		return BASE_ERR(BASE_AGAIN, 0);
	case SSL_ERROR_ZERO_RETURN:
		/* Nobody says close_notify in a handshake and means it (RFC 5246, 7.2.1). */
		return tls_session_fail(session, TLS_ALERT_CLOSE_NOTIFY, TLS_SIDE_REMOTE,
		                        "the peer closed during the handshake");
	default:
		return openssl_failed(session, oc);
	}
}

/** Was a PSK that a callback told of really the one used? */
static void handshake_psk(struct tls_session *session, SSL *ssl)
{
	const struct profile_suite *suite = profile_suite_find(session->suite);
	bool reused = SSL_session_reused(ssl) == 1;
	const char *identity;

	if (session->version == TLS1_3_VERSION) {
		/* An external PSK is a session that nobody had before (RFC 8446, 2.2). */
		session->resumed = reused && (!session->psk || session->psk_rests);
		session->psk = session->psk && reused;
	} else {
		session->resumed = reused;
		session->psk = suite && suite->flags & PROFILE_SUITE_PSK;
		identity =
		        session->psk && !session->psk_identity ? SSL_get_psk_identity(ssl) : NULL;
		if (identity)
			tls_session_psk_used(session, identity, strlen(identity));
	}
	if (!session->psk)
		tls_session_psk_unused(session);
}

/** A client of TLS 1.2 has no certificate; nothing is encrypted yet. @return 0 = go on */
static int bare_judge(struct tls_session *session, struct openssl_context *oc)
{
	int rc = tls_session_judge(session, NULL, 0), alert;

	oc->bare = false;
	if (rc == 0)
		return 0;
	if (base_err_class(rc) != BASE_PEER)
		return rc;
	alert = plain_alert(session, SSL_version(session->engine), (uint8_t)base_err_detail(rc));
	return tls_session_fail(session, alert, TLS_SIDE_LOCAL, "%s", session->verdict->text);
}

/** What the judgement was that the handshake had waited for. Up to our first encrypted record it is
 * said in the clear; a server of TLS 1.3 that has sent its Finished says it when the client has. */
static int refused_late(struct tls_session *session)
{
	struct tls_wait *wait = session->wait;
	uint8_t alert = (uint8_t)base_err_detail(wait->refused);
	bool encrypts =
	        session->role == TLS_ROLE_SERVER && SSL_version(session->engine) == TLS1_3_VERSION;
	int sent;

	if (base_err_class(wait->refused) != BASE_PEER)
		return tls_session_fail(session, -1, TLS_SIDE_NONE,
		                        "the peer's certificate could not be judged");
	if (encrypts && !wait->complete)
		return 0;
	wait->hold = false;
	sent = encrypts ? openssl_abort(session, alert) : clear_alert(session, alert);
	return tls_session_fail(session, sent, TLS_SIDE_LOCAL, "%s", session->verdict->text);
}

/** The engine's step while a judgement is open, or after. @return 0 = it is through, and trusted */
static int waited(struct tls_session *session, struct openssl_context *oc, int n)
{
	struct tls_wait *wait = session->wait;
	int rc = 0;

	wait->complete |= n == 1;
	if (n != 1 && SSL_get_error(session->engine, n) != SSL_ERROR_WANT_READ) {
		wait->hold = false;
		return openssl_step_result(session, oc, n);
	}
	if (wait->refused)
		rc = refused_late(session);
	if (rc)
		return rc;
	return wait->complete && !wait->hold ? 0 : BASE_ERR(BASE_AGAIN, 0);
}

/** OpenSSL's own alert, with which it has failed, is replaced by the one that fits. */
static int wished(struct tls_session *session, const struct openssl_context *oc)
{
	session->io->out->len = oc->wish_at;
	return tls_session_fail(session, clear_alert(session, (uint8_t)oc->wish), TLS_SIDE_LOCAL,
	                        "%s", session->verdict->text);
}

static int handshake_step(struct tls_session *session, struct openssl_context *oc)
{
	struct tls_wait *wait = session->wait;
	int n, rc = 0;

	if (wait && wait->chain_count && !wait->deferred)
		rc = openssl_judge_again(session);
	if (!rc && wait && wait->refused)
		rc = refused_late(session);
	if (!rc && session->dtls && session->dtls->verified)
		rc = openssl_listen(session);
	if (rc)
		return rc;
	n = wait && wait->complete ? 1 : SSL_do_handshake(session->engine);
	if (n != 1 && oc->bare) {
		rc = bare_judge(session, oc);
		if (rc)
			return rc;
		n = SSL_do_handshake(session->engine);
	}
	if (n != 1 && oc->wish >= 0)
		return wished(session, oc);
	if (session->wait && (session->wait->hold || session->wait->refused))
		return waited(session, oc, n);
	return n == 1 ? 0 : openssl_step_result(session, oc, n);
}

/** As the client's max_fragment_length has it (RFC 6066, 4). */
static uint16_t record_max(SSL *ssl)
{
	const SSL_SESSION *sess = SSL_get_session(ssl);
	uint8_t code = sess ? SSL_SESSION_get_max_fragment_length(sess) : 0;

	return code >= 1 && code <= 4 ? (uint16_t)(256U << code) : TLS_RECORD_MAX;
}

int openssl_handshake(struct tls_session *session)
{
	struct openssl_context *oc = openssl_step(session);
	SSL *ssl = session->engine;
	int rc = handshake_step(session, oc);

	if (rc)
		return rc;
	session->version = (uint16_t)SSL_version(ssl);
	session->suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
	session->secured = SSL_get_secure_renegotiation_support(ssl) == 1;
	/* What is renegotiated inside an association needs none (RFC 6347, 4.2.1). */
	(void)SSL_clear_options(ssl, SSL_OP_COOKIE_EXCHANGE);
	session->record_max = record_max(ssl);
	handshake_psk(session, ssl);
	return 0;
}

int openssl_renegotiated(struct tls_session *session, struct openssl_context *oc)
{
	SSL *ssl = session->engine;

	oc->done = false;
	session->suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
	handshake_psk(session, ssl);
	return tls_renegotiation_finish(session);
}

/** As bare_judge(), where records are encrypted already. @return 0 = go on */
static int bare_again(struct tls_session *session, struct openssl_context *oc)
{
	int rc = tls_session_judge(session, NULL, 0);

	oc->bare = false;
	if (rc == 0 || base_err_class(rc) != BASE_PEER)
		return rc;
	return tls_session_fail(session, openssl_abort(session, (uint8_t)base_err_detail(rc)),
	                        TLS_SIDE_LOCAL, "%s", session->verdict->text);
}

int openssl_renegotiation_refused(struct tls_session *session, struct openssl_context *oc)
{
	oc->refused = false;
	if (!tls_session_asks(session))
		return BASE_ERR(BASE_AGAIN, 0);
	return tls_session_fail(session, openssl_abort(session, TLS_ALERT_UNEXPECTED_MESSAGE),
	                        TLS_SIDE_LOCAL, "renegotiation was refused already");
}

int openssl_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len)
{
	struct openssl_context *oc = openssl_step(session);
	struct base_reader *in = &session->io->in;
	SSL *ssl = session->engine;
	size_t got = 0, n;
	int rc = BASE_ERR(BASE_AGAIN, 0), late = 0;

	if (session->dtls)
		return openssl_dtls_read(session, clear, cap, ret_len);
	/* Never ask OpenSSL when there is nothing to read: it would only say so, at a price. */
	while (got < cap && !late && (in->at != in->end || SSL_pending(ssl))) {
		if (session->later)
			late = openssl_again_later(session, oc);
		openssl_renegotiation_let(session, oc);
		if (SSL_read_ex(ssl, clear + got, cap - got, &n) == 1) {
			got += n;
			session->records_in += SSL_pending(ssl) == 0;
			continue;
		}
		if (oc->done || (oc->bare && session->renegotiating)) {
			rc = oc->done ? openssl_renegotiated(session, oc) : bare_again(session, oc);
			if (rc)
				break;
			rc = BASE_ERR(BASE_AGAIN, 0);
			continue;
		}
		if (oc->refused) {
			rc = openssl_renegotiation_refused(session, oc);
			if (base_err_class(rc) == BASE_AGAIN)
				continue;
			break;
		}
		if (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN && oc->alert < 0) {
			session->closed_in = true;
			in->at = in->end; /* after close_notify nothing counts (RFC 5246, 7.2.1) */
			rc = 0;
		} else {
			rc = openssl_step_result(session, oc, 0);
		}
		break;
	}
	if (session->later && base_err_class(rc) == BASE_AGAIN)
		late = openssl_again_later(session, oc);
	/* What was read before an end or a failure comes first; the next call tells the rest. */
	*ret_len = got;
	return got ? 0 : late ? late : rc;
}

int openssl_write(struct tls_session *session, const uint8_t *clear, size_t len)
{
	struct openssl_context *oc = openssl_step(session);
	size_t records = (len + session->record_max - 1) / session->record_max;
	size_t n;

	(void)base_writer_reserve(session->io->out, len + (records + 1) * RECORD_ROOM);
	if (tls_session_key_due(session, records) &&
	    SSL_key_update(session->engine, SSL_KEY_UPDATE_NOT_REQUESTED) != 1)
		return openssl_failed(session, oc);
	if (SSL_write_ex(session->engine, clear, len, &n) != 1)
		return openssl_failed(session, oc);
	session->records_out += records;
	return 0;
}

int openssl_close(struct tls_session *session)
{
	struct openssl_context *oc = openssl_step(session);

	return SSL_shutdown(session->engine) < 0 ? openssl_failed(session, oc) : 0;
}

/**
 * OpenSSL has no call that sends an alert of our choice. While records are still in the clear we
 * write it ourselves. A server of TLS 1.3 begins a ticket, whose extension fails with the alert.
 * Else a record nobody could have sent makes OpenSSL send one of its own, encrypted as it must be
 * (unexpected_message, bad_record_mac or the like).
 */
int openssl_abort(struct tls_session *session, uint8_t alert)
{
	struct openssl_context *oc = openssl_step(session);
	uint8_t scrap[256];
	size_t n;

	if (session->dtls)
		return openssl_dtls_abort(session, alert);
	if (!session->established && still_plain(session->engine))
		return plain_alert(session, TLS1_VERSION, alert);
	if (SSL_new_session_ticket(session->engine) == 1) {
		oc->wanted = alert;
		(void)SSL_do_handshake(session->engine); /* it fails, as it should */
		oc->wanted = -1;
		if (oc->side == TLS_SIDE_LOCAL)
			return oc->alert;
	}
	oc->poisoned = true;
	while (SSL_read_ex(session->engine, scrap, sizeof(scrap), &n) == 1)
		base_wipe(scrap, n);
	oc->poisoned = false;
	ERR_clear_error();
	return oc->side == TLS_SIDE_LOCAL ? oc->alert : -1;
}
