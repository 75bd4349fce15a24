/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Datagrams with OpenSSL. Its timer reads the wall clock, and has no switch; but it shows each time
 * it sets to the BIO, as BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT, by the address where it keeps it. So here
 * that time is far away always, and in the past when a flight is to be repeated. From OpenSSL 3.2
 * on the address is a copy's: there its own clock counts, with our times (on_timer).
 */
#include <openssl/err.h>
#include <sys/time.h>

#include "tls/dtls_session.h"
#include "tls/openssl_engine.h"

#define BUFFER_MTU  4000 /**< OpenSSL gathers a flight's datagrams in a buffer of 4096 octets */
#define RECORD_HEAD 13   /**< RFC 6347, 4.1 */
#define HELLO_HEAD  12   /**< RFC 6347, 4.2.2 */
#define HELLO_MAX   8192 /**< a longer ClientHello is nobody's */

/* -- the BIO's side -------------------------------------------------------------------------- */

static bool timer_ours(void)
{
	return OpenSSL_version_num() < 0x30200000UL;
}

static void timer_hold(struct tls_dtls *dtls, struct timeval *timer)
{
	dtls->timer = timer_ours() ? timer : NULL;
	if (dtls->timer && (timer->tv_sec || timer->tv_usec))
		timer->tv_sec = INT32_MAX;
}

long openssl_dtls_ctrl(struct openssl_context *oc, int cmd, long number, void *arg)
{
	switch (cmd) {
	case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
		timer_hold(oc->session->dtls, arg);
		return 1;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return 256 - TLS_MTU_MIN; /* OpenSSL wants a path of 256 octets */
	case BIO_CTRL_DGRAM_SET_PEEK_MODE:
		oc->peek = number != 0;
		return 1;
	default:
		return 0;
	}
}

/** A datagram at a time; what has no room is lost, as it is with a socket. */
size_t openssl_dtls_take(struct openssl_context *oc, char *data, size_t len)
{
	struct base_reader *in = &oc->session->io->in;

	len = BASE_MIN(len, base_reader_left(in));
	memcpy(data, in->at, len);
	if (!oc->peek)
		in->at = in->end;
	return len;
}

/** Where the clock is OpenSSL's. */
static unsigned on_timer(SSL *ssl, unsigned before_us)
{
	(void)before_us;
	return openssl_context_of(ssl)->session->dtls->rto_ms * 1000;
}

/* -- life ------------------------------------------------------------------------------------ */

/** OpenSSL's names of what the session offers. @return false when OpenSSL has not all of them */
static bool srtp_offer(const struct tls_session *session, SSL *ssl)
{
	static const struct {
		uint16_t code;
		const char *name;
	} row[] = {
		{ TLS_SRTP_AES128_CM_SHA1_80, "SRTP_AES128_CM_SHA1_80" },
		{ TLS_SRTP_AES128_CM_SHA1_32, "SRTP_AES128_CM_SHA1_32" },
		{ TLS_SRTP_AEAD_AES_128_GCM, "SRTP_AEAD_AES_128_GCM" },
		{ TLS_SRTP_AEAD_AES_256_GCM, "SRTP_AEAD_AES_256_GCM" },
	};
	char text[256] = "";
	struct base_writer w = base_writer_over(text, sizeof(text) - 1);

	for (const uint16_t *code = session->dtls->srtp; *code; code++)
		for (size_t i = 0; i < BASE_COUNT(row); i++)
			if (row[i].code == *code)
				base_writer_printf(&w, "%s%s", w.len ? ":" : "", row[i].name);
	text[w.len] = '\0';
	return w.len == 0 || SSL_set_tlsext_use_srtp(ssl, text) == 0; /* 0 is its success */
}

bool openssl_dtls_new(struct tls_session *session, SSL *ssl)
{
	(void)SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_msg_callback(ssl, openssl_on_message);
	if (!timer_ours())
		DTLS_set_timer_cb(ssl, on_timer);
	openssl_set_mtu(session, session->dtls->mtu);
	return srtp_offer(session, ssl);
}

void openssl_set_mtu(struct tls_session *session, uint16_t mtu)
{
	(void)SSL_set_mtu(session->engine, BASE_MIN(mtu, BUFFER_MTU));
}

size_t openssl_room(const struct tls_session *session)
{
	SSL *ssl = session->engine;

	if (session->dtls->mtu > BUFFER_MTU)
		return session->dtls->mtu - RECORD_HEAD - 128U;
	return DTLS_get_data_mtu(ssl);
}

uint16_t openssl_srtp(const struct tls_session *session)
{
	const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(session->engine);

	return chosen ? (uint16_t)chosen->id : TLS_SRTP_NONE;
}

int openssl_extract(struct tls_session *session, const char *label, const struct base_str *context,
                    uint8_t *out, size_t len)
{
	ERR_clear_error();
	return SSL_export_keying_material(session->engine, out, len, label, strlen(label),
	                                  context ? (const unsigned char *)context->ptr : NULL,
	                                  context ? context->len : 0, context != NULL) == 1
	               ? 0
	               : BASE_ERR(BASE_LOCAL, 0);
}

/* -- a verified ClientHello ------------------------------------------------------------------ */

/**
 * The next piece of it, into one record of its own with the numbers of the last piece's: OpenSSL
 * begins with a whole one only. What does not follow is left out; the client will repeat all.
 */
static void hello_add(struct base_writer *hello, const uint8_t *record, size_t len)
{
	struct base_reader r = base_reader_of(record, len);
	uint32_t length, at, here;

	(void)base_reader_take(&r, RECORD_HEAD);
	if (base_reader_u8(&r) != SSL3_MT_CLIENT_HELLO)
		return;
	length = base_reader_u24(&r);
	(void)base_reader_u16(&r);
	at = base_reader_u24(&r);
	here = base_reader_u24(&r);
	if (r.failed || length > HELLO_MAX || here > base_reader_left(&r))
		return;
	if (at == 0) {
		base_writer_reset(hello);
		base_writer_put(hello, record, RECORD_HEAD + HELLO_HEAD);
	}
	if (hello->len < RECORD_HEAD + HELLO_HEAD || hello->len - RECORD_HEAD - HELLO_HEAD != at ||
	    at + here > length)
		return;
	base_writer_put(hello, r.at, here);
	if (hello->failed)
		return;
	memcpy(hello->data + 3, record + 3, 8);
	hello->data[11] = (uint8_t)((HELLO_HEAD + at + here) >> 8);
	hello->data[12] = (uint8_t)(HELLO_HEAD + at + here);
	hello->data[22] = (uint8_t)((at + here) >> 16);
	hello->data[23] = (uint8_t)((at + here) >> 8);
	hello->data[24] = (uint8_t)(at + here);
}

/** All records of the datagram at hand. @return whether the ClientHello is whole */
static bool hello_gather(struct tls_session *session)
{
	struct base_writer *hello = &session->dtls->hello;
	struct base_reader *in = &session->io->in;

	while (base_reader_left(in)) {
		const uint8_t *record = in->at;
		uint8_t type = base_reader_u8(in);
		uint64_t sequence;

		(void)base_reader_take(in, 2);
		sequence = base_reader_u64(in);
		(void)base_reader_take(in, base_reader_u16(in));
		if (in->failed || type != SSL3_RT_HANDSHAKE || sequence >> 48)
			break;
		hello_add(hello, record, (size_t)(in->at - record));
	}
	*in = base_reader_of(NULL, 0);
	return hello->len > RECORD_HEAD + HELLO_HEAD && !hello->failed &&
	       memcmp(hello->data + 14, hello->data + 22, 3) == 0;
}

/** The cookie was found good before there was a session (tls_hello_check). */
int openssl_cookie_good(SSL *ssl, const unsigned char *cookie, unsigned len)
{
	(void)ssl;
	(void)cookie;
	(void)len;
	return 1;
}

int openssl_listen(struct tls_session *session)
{
	struct tls_dtls *dtls = session->dtls;
	BIO_ADDR *nobody;
	int n;

	if (!hello_gather(session))
		return BASE_ERR(BASE_AGAIN, 0);
	nobody = BIO_ADDR_new();
	if (!nobody)
		return BASE_ERR(BASE_LOCAL, 0);
	session->io->in = base_reader_of(dtls->hello.data, dtls->hello.len);
	n = DTLSv1_listen(session->engine, nobody);
	BIO_ADDR_free(nobody);
	openssl_set_mtu(session, dtls->mtu);
	dtls->verified = n != 1;
	return n == 1 ? 0 : BASE_ERR(BASE_AGAIN, 0); /* what it does not like is not answered */
}

/* -- steps ----------------------------------------------------------------------------------- */

int openssl_repeat(struct tls_session *session)
{
	struct openssl_context *oc = openssl_step(session);
	struct timeval *timer = session->dtls->timer;

	if (timer && (timer->tv_sec || timer->tv_usec))
		timer->tv_sec = 1;
	if (DTLSv1_handle_timeout(session->engine) >= 0)
		return BASE_ERR(BASE_AGAIN, 0);
	return openssl_failed(session, oc);
}

int openssl_dtls_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len)
{
	struct openssl_context *oc = openssl_step(session);
	SSL *ssl = session->engine;
	bool got;
	int error, rc;

	rc = session->later ? openssl_again_later(session, oc) : 0;
	do {
		openssl_renegotiation_let(session, oc);
		got = SSL_read_ex(ssl, clear, cap, ret_len) == 1;
		/* A message may stand behind the end of a renegotiation in its datagram. */
		if (rc == 0 && oc->done)
			rc = openssl_renegotiated(session, oc);
		else if (rc == 0 && !got && oc->refused)
			rc = openssl_renegotiation_refused(session, oc);
		else
			break;
	} while (!got && (rc == 0 || base_err_class(rc) == BASE_AGAIN));
	if (rc && base_err_class(rc) != BASE_AGAIN)
		return rc;
	if (got) {
		session->records_in++;
		return 0;
	}
	*ret_len = 0;
	error = SSL_get_error(ssl, 0);
	if (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN && oc->alert < 0) {
		session->closed_in = true;
		return 0;
	}
	return error == SSL_ERROR_WANT_READ ? BASE_ERR(BASE_AGAIN, 0) : openssl_failed(session, oc);
}

int openssl_dtls_version(const SSL *ssl)
{
	switch (SSL_get_state(ssl)) {
	case TLS_ST_BEFORE:
	case TLS_ST_CW_CLNT_HELLO:
	case DTLS_ST_CR_HELLO_VERIFY_REQUEST:
		return 0;
	default:
		return SSL_version(ssl);
	}
}

/** OpenSSL sends no alert of our choice; where all was in the clear we do, later it is its
 * close_notify. */
int openssl_dtls_abort(struct tls_session *session, uint8_t alert)
{
	SSL *ssl = session->engine;
	int sent = tls_dtls_plain_alert(session, openssl_dtls_version(ssl), alert);

	if (sent >= 0)
		return sent;
	return SSL_is_init_finished(ssl) && SSL_shutdown(ssl) >= 0 ? TLS_ALERT_CLOSE_NOTIFY : -1;
}
