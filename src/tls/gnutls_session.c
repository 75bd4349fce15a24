/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One GnuTLS session: steps of the handshake, records in, records out. The library reads and writes
 * the lent bytes through its transport functions.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "tls/gnutls_engine.h"
#include "tls/psk.h"

/** Room a record needs beside its clear text, generously (RFC 5246, 6.2.3; RFC 8446, 5.2). */
#define RECORD_ROOM 96
#define EMPTY_MAX   32 /**< records in a row without data before we call it an attack */

/* -- transport ------------------------------------------------------------------------------- */

static ssize_t on_push(gnutls_transport_ptr_t arg, const giovec_t *iov, int count)
{
	struct tls_session *session = arg;
	struct base_writer *out = session->io->out;
	size_t total = 0;

	for (int i = 0; i < count; i++) {
		base_writer_put(out, iov[i].iov_base, iov[i].iov_len);
		total += iov[i].iov_len;
	}
	if (!out->failed)
		return (ssize_t)total;
	errno = ENOMEM;
	return -1;
}

/**
 * A client of TLS 1.3 that refuses our flight may say so before it has begun to encrypt (OpenSSL
 * does). GnuTLS would call such a record a bad one, and nobody would learn why the client left. An
 * encrypted alert looks different: its outer type is application_data (RFC 8446, 5.2).
 */
static bool watch_needed(const struct tls_session *session)
{
	return !session->established && session->role == TLS_ROLE_SERVER &&
	       profile_suite_tls13(session->suite);
}

/** Take the next octets of a record in the clear that begins like an alert. True = it is whole. */
static bool watch_catch(struct tls_gnutls_watch *watch, struct base_reader *in)
{
	while (watch->got < sizeof(watch->head) && base_reader_left(in))
		watch->head[watch->got++] = base_reader_u8(in);
	watch->caught = watch->got == sizeof(watch->head);
	return watch->caught;
}

/** Follow what GnuTLS takes, so that we know where a record begins. */
static void watch_follow(struct tls_gnutls_watch *watch, const uint8_t *data, size_t len)
{
	while (len) {
		size_t n;

		if (watch->got < 5) {
			watch->head[watch->got++] = *data++;
			len--;
			if (watch->got == 5)
				watch->left = (uint16_t)(watch->head[3] << 8 | watch->head[4]);
		} else {
			n = BASE_MIN(len, watch->left);
			watch->left = (uint16_t)(watch->left - n);
			data += n;
			len -= n;
		}
		if (watch->got == 5 && watch->left == 0)
			watch->got = 0;
	}
}

static ssize_t on_pull(gnutls_transport_ptr_t arg, void *into, size_t len)
{
	struct tls_session *session = arg;
	struct tls_gnutls_session *gs = session->engine;
	struct base_reader *in = &session->io->in;

	if (watch_needed(session) && base_reader_left(in) &&
	    (gs->watch.got ? gs->watch.head[0] == 21 && gs->watch.left == 0 : in->at[0] == 21)) {
		errno = watch_catch(&gs->watch, in) ? ECONNRESET : EAGAIN;
		return -1;
	}
	len = BASE_MIN(len, base_reader_left(in));
	if (len == 0 || (gs->shaking && gs->watch.got == 0 && tls_gnutls_data_next(session, gs))) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(into, base_reader_take(in, len), len);
	if (session->renegotiating || session->orderable ||
	    (!session->established && session->role == TLS_ROLE_SERVER))
		watch_follow(&gs->watch, into, len);
	return (ssize_t)len;
}

static int on_wait(gnutls_transport_ptr_t arg, unsigned ms)
{
	struct tls_session *session = arg;

	(void)ms; /* the loop waits, not we */
	return base_reader_left(&session->io->in) > 0;
}

/* -- life ------------------------------------------------------------------------------------ */

static unsigned session_flags(const struct tls_session *session)
{
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_AUTO_SEND_TICKET;

	if (session->dtls)
		flags |= GNUTLS_DATAGRAM;
	/* Tickets are turned on with their key: tls_gnutls_ticket_key(). Without it GnuTLS would
	 * encrypt them under one of zeros. */
	if (session->role == TLS_ROLE_SERVER)
		return flags | GNUTLS_SERVER | GNUTLS_NO_TICKETS;
	/* One key share, for the group the profile prefers: each more costs its making. */
	return flags | GNUTLS_CLIENT | (session->tickets ? 0 : GNUTLS_NO_TICKETS) |
	       GNUTLS_FORCE_CLIENT_CERT | GNUTLS_KEY_SHARE_TOP;
}

/** A hint of the stream's own needs credentials of its own. */
static int psk_server_set(struct tls_session *session, struct tls_gnutls_session *gs)
{
	struct tls_gnutls_context *gc = tls_gnutls_context_of(session);
	const char *hint = tls_session_psk_hint(session);
	gnutls_psk_server_credentials_t cred = gc->psk_server;
	int rc;

	if (hint && hint != session->context->domain->psk_hint) {
		rc = gnutls_psk_allocate_server_credentials(&gs->hinted);
		if (rc < 0)
			return rc;
		cred = gs->hinted;
		gnutls_psk_set_server_credentials_function2(cred, tls_gnutls_psk_server);
		rc = gnutls_psk_set_server_credentials_hint(cred, hint);
		if (rc < 0)
			return rc;
		gnutls_psk_set_server_dh_params(cred, gc->dh);
	}
	return gnutls_credentials_set(gs->tls, GNUTLS_CRD_PSK, cred);
}

static int server_set(struct tls_session *session, struct tls_gnutls_session *gs)
{
	struct tls_domain *domain = session->context->domain;
	int rc = 0;

	if (tls_session_has_psk(session))
		rc = psk_server_set(session, gs);
	/* Whether a client without one may go on is the common code's to say. */
	if (tls_session_judges(session))
		gnutls_certificate_server_set_request(gs->tls, GNUTLS_CERT_REQUEST);
	if (session->tickets || session->ids)
		gnutls_db_set_cache_expiration(gs->tls, (int)domain->lifetime_s);
	if (session->ids)
		tls_gnutls_ids(session, gs);
	return rc;
}

static int client_set(struct tls_session *session, struct tls_gnutls_session *gs)
{
	const char *name = tls_session_server_name(session);
	uint32_t least = tls_settings(session)->dh_bits_min.value;
	int rc = 0;

	if (tls_session_has_psk(session))
		rc = gnutls_credentials_set(gs->tls, GNUTLS_CRD_PSK,
		                            tls_gnutls_context_of(session)->psk_client);
	if (rc >= 0 && name)
		rc = gnutls_server_name_set(gs->tls, GNUTLS_NAME_DNS, name, strlen(name));
	if (rc >= 0 && trust_store_staples(session->context->domain->trust))
		rc = gnutls_ocsp_status_request_enable_client(gs->tls, NULL, 0, NULL);
	if (rc >= 0 && session->context->domain->max_fragment)
		rc = (int)gnutls_record_set_max_size(gs->tls,
		                                     session->context->domain->max_fragment);
	gnutls_dh_set_prime_bits(gs->tls, least ? least : 1024);
	if (rc >= 0)
		rc = tls_gnutls_authorities_tell(session, gs);
	return rc;
}

/** A secret as a line of the NSS key log, beside the ClientHello's random. */
static int on_key_log(gnutls_session_t tls, const char *label, const gnutls_datum_t *secret)
{
	const struct tls_session *session = gnutls_session_get_ptr(tls);
	const struct tls_domain *domain = session->context->domain;
	struct base_writer w = { .wipe = true };
	gnutls_datum_t client, server;

	gnutls_session_get_random(tls, &client, &server);
	base_writer_printf(&w, "%s ", label);
	for (unsigned i = 0; i < client.size; i++)
		base_writer_printf(&w, "%02x", client.data[i]);
	base_writer_text(&w, " ");
	for (unsigned i = 0; i < secret->size; i++)
		base_writer_printf(&w, "%02x", secret->data[i]);
	if (!w.failed)
		domain->key_log(domain->key_log_arg, base_writer_cstr(&w));
	base_writer_done(&w);
	return 0;
}

static int session_fill(struct tls_session *session, struct tls_gnutls_session *gs)
{
	struct tls_gnutls_context *gc = tls_gnutls_context_of(session);
	int rc = gnutls_init(&gs->tls, session_flags(session));

	if (rc < 0)
		return rc;
	gnutls_session_set_ptr(gs->tls, session);
	gnutls_transport_set_ptr(gs->tls, session);
	gnutls_transport_set_vec_push_function(gs->tls, on_push);
	gnutls_transport_set_pull_function(gs->tls, on_pull);
	gnutls_transport_set_pull_timeout_function(gs->tls, on_wait);
	if (session->context->domain->key_log)
		gnutls_session_set_keylog_function(gs->tls, on_key_log);
	gnutls_handshake_set_timeout(gs->tls, 0); /* the endpoint's timer, not the library's */
	gnutls_handshake_set_hook_function(gs->tls, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
	                                   tls_gnutls_hook);
	rc = gnutls_priority_set(gs->tls, gc->all);
	if (rc >= 0 && session->dtls)
		rc = tls_gnutls_dtls_new(session, gs);
	if (rc >= 0)
		rc = gnutls_credentials_set(gs->tls, GNUTLS_CRD_CERTIFICATE, gc->own.cred);
	if (rc >= 0)
		rc = session->role == TLS_ROLE_SERVER ? server_set(session, gs)
		                                      : client_set(session, gs);
	return rc;
}

int tls_gnutls_session_new(struct tls_session *session)
{
	struct tls_gnutls_session *gs = calloc(1, sizeof(*gs));

	if (!gs)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	gs->alert = -1;
	gs->key = &tls_gnutls_context_of(session)->own;
	session->engine = gs;
	return session_fill(session, gs) < 0 ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

void tls_gnutls_session_free(struct tls_session *session)
{
	struct tls_gnutls_session *gs = session->engine;

	if (!gs)
		return;
	if (gs->tls)
		gnutls_deinit(gs->tls);
	if (gs->hinted)
		gnutls_psk_free_server_credentials(gs->hinted);
	base_writer_done(&gs->first);
	free(gs);
	session->engine = NULL;
}

int tls_gnutls_session_anew(struct tls_session *session, struct tls_gnutls_session *gs)
{
	gnutls_deinit(gs->tls);
	gs->tls = NULL;
	if (gs->hinted)
		gnutls_psk_free_server_credentials(gs->hinted);
	gs->hinted = NULL;
	gs->watch = (struct tls_gnutls_watch){ 0 };
	return session_fill(session, gs);
}

/* -- steps ----------------------------------------------------------------------------------- */

struct tls_gnutls_session *tls_gnutls_step(struct tls_session *session)
{
	struct tls_gnutls_session *gs = session->engine;

	tls_gnutls_context_of(session)->session = session;
	gs->fresh = true;
	gs->mute = gs->repeat = gs->dry = gs->made = gs->given = false;
	return gs;
}

/** GnuTLS says bad_record_mac to a wrong key and illegal_parameter to a wrong binder, where RFC
 * 4279, 2 and RFC 8446, 6.2 have decrypt_error. */
static bool psk_is_wrong(const struct tls_session *session, const struct tls_gnutls_session *gs,
                         int rc)
{
	bool tls13 = gnutls_protocol_get_version(gs->tls) == GNUTLS_TLS1_3;

	return session->role == TLS_ROLE_SERVER && !session->established && !session->dtls &&
	       session->psk_tried &&
	       rc == (tls13 ? GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER : GNUTLS_E_DECRYPTION_FAILED);
}

int tls_gnutls_failed(struct tls_session *session, struct tls_gnutls_session *gs, int rc)
{
	int level = 0, alert = gs->alert;

	if (session->io->out->failed)
		return tls_session_fail(session, -1, TLS_SIDE_NONE,
		                        "no memory for what is to be sent");
	if (gs->watch.caught && (gs->watch.head[3] || gs->watch.head[4] != 2)) {
		gs->watch.caught = false; /* no alert after all (RFC 8446, 6) */
		alert = TLS_ALERT_UNEXPECTED_MESSAGE;
	}
	if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED || gs->watch.caught) {
		alert = gs->watch.caught ? gs->watch.head[6] : (int)gnutls_alert_get(gs->tls);
		return tls_session_fail(session, alert, TLS_SIDE_REMOTE,
		                        "the peer sent alert %d (%s)", alert,
		                        tls_alert_name(alert));
	}
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return tls_session_fail(session, -1, TLS_SIDE_NONE, "no memory");
	if (alert < 0 && psk_is_wrong(session, gs, rc)) {
		alert = TLS_ALERT_DECRYPT_ERROR;
		gs->why = TLS_PSK_FAILED;
	}
	if (alert < 0)
		alert = gnutls_error_to_alert(rc, &level);
	if (alert < 0)
		alert = TLS_ALERT_INTERNAL_ERROR;
	(void)gnutls_alert_send(gs->tls, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
	return tls_session_fail(session, alert, TLS_SIDE_LOCAL, "%s",
	                        gs->why ? gs->why : gnutls_strerror(rc));
}

static uint16_t version_wire(gnutls_protocol_t version)
{
	switch (version) {
	case GNUTLS_TLS1_0:
		return 0x0301;
	case GNUTLS_TLS1_1:
		return 0x0302;
	case GNUTLS_TLS1_2:
		return 0x0303;
	case GNUTLS_TLS1_3:
		return 0x0304;
	case GNUTLS_DTLS1_0:
		return 0xfeff;
	case GNUTLS_DTLS1_2:
		return 0xfefd;
	default:
		return 0;
	}
}

static bool kx_is_psk(gnutls_kx_algorithm_t kx)
{
	return kx == GNUTLS_KX_PSK || kx == GNUTLS_KX_DHE_PSK || kx == GNUTLS_KX_ECDHE_PSK ||
	       kx == GNUTLS_KX_RSA_PSK;
}

/** Was a PSK that a callback told of really the one used? */
static void handshake_psk(struct tls_session *session, gnutls_session_t tls)
{
	bool psk = kx_is_psk(gnutls_kx_get(tls));
	const char *identity;

	session->resumed = gnutls_session_is_resumed(tls) != 0;
	/* In TLS 1.3 a ticket is a PSK too (RFC 8446, 2.2); GnuTLS keeps whose. */
	if (session->version == 0x0304 && session->resumed) {
		identity = session->role == TLS_ROLE_SERVER ? gnutls_psk_server_get_username(tls)
		                                            : NULL;
		psk = identity && tls_psk_find(session, identity, strlen(identity));
	}
	session->psk = psk;
	if (!psk) {
		tls_session_psk_unused(session);
		return;
	}
	identity = session->psk_identity || session->role == TLS_ROLE_CLIENT
	                   ? NULL
	                   : gnutls_psk_server_get_username(tls);
	if (identity)
		tls_session_psk_used(session, identity, strlen(identity));
}

/**
 * GnuTLS takes any number of records that bring nothing (empty ones, warnings), so we count them by
 * the sequence number it tells; a KeyUpdate, of which it takes few, begins a new count there.
 */
static bool empty_flood(struct tls_gnutls_session *gs, size_t got)
{
	uint8_t text[8];
	struct base_reader r = base_reader_of(text, sizeof(text));
	uint64_t seq;

	if (gnutls_record_get_state(gs->tls, 1, NULL, NULL, NULL, text) < 0)
		return false;
	seq = base_reader_u64(&r);
	gs->empty = got ? 0 : gs->empty + (seq >= gs->seq ? seq - gs->seq : 1);
	gs->seq = seq;
	return gs->empty > EMPTY_MAX;
}

void tls_gnutls_shaken(struct tls_session *session, gnutls_session_t tls)
{
	session->version = version_wire(gnutls_protocol_get_version(tls));
	handshake_psk(session, tls);
}

/** One ticket serves one resumption, and each more costs a record and its encryption. */
static int ticket_send(struct tls_session *session, struct tls_gnutls_session *gs)
{
	if (session->role != TLS_ROLE_SERVER || !gs->keyed ||
	    gnutls_protocol_get_version(gs->tls) != GNUTLS_TLS1_3)
		return 0;
	return gnutls_session_ticket_send(gs->tls, 1, 0);
}

/** Of a datagram GnuTLS keeps what it has not looked at. */
static bool more(const struct tls_session *session, const struct tls_gnutls_session *gs)
{
	return session->dtls ? gs->given && !gs->dry : base_reader_left(&session->io->in) > 0;
}

int tls_gnutls_handshake(struct tls_session *session)
{
	struct tls_gnutls_session *gs = tls_gnutls_step(session);
	int rc;

	if (session->dtls)
		tls_gnutls_dtls_begin(session, gs);
	do
		rc = gs->first.len ? tls_gnutls_limit(session, gs) : gnutls_handshake(gs->tls);
	while (rc == GNUTLS_E_WARNING_ALERT_RECEIVED || gs->first.len ||
	       (tls_gnutls_again(rc) && !tls_session_waits(session) && more(session, gs)));
	if (tls_gnutls_again(rc))
		return BASE_ERR(BASE_AGAIN, 0);
	if (rc < 0)
		return tls_gnutls_failed(session, gs, rc);
	tls_gnutls_shaken(session, gs->tls);
	rc = tls_gnutls_resumed(session, gs);
	if (rc < 0)
		return tls_gnutls_failed(session, gs, rc);
	session->secured = gnutls_safe_renegotiation_status(gs->tls) != 0;
	if (gs->fragment && !gs->limited) /* DTLS */
		(void)gnutls_record_set_max_size(gs->tls, (size_t)256 << gs->fragment);
	(void)empty_flood(gs, 1);
	tls_gnutls_ticket_keep(session, gs);
	rc = ticket_send(session, gs);
	return rc < 0 && !tls_gnutls_again(rc) ? tls_gnutls_failed(session, gs, rc) : 0;
}

/**
 * The peer has no more to say: JSSE sends user_canceled before its close_notify in TLS 1.3 (RFC
 * 8446, 6.1). GnuTLS takes it for a fatal alert and reads nothing after it.
 */
static bool canceled(const struct tls_session *session, const struct tls_gnutls_session *gs, int rc)
{
	return rc == GNUTLS_E_FATAL_ALERT_RECEIVED && session->version == 0x0304 &&
	       gnutls_alert_get(gs->tls) == GNUTLS_A_USER_CANCELED;
}

/** What a read that gave no data means; AGAIN also where the caller may simply go on. */
static int read_result(struct tls_session *session, struct tls_gnutls_session *gs, int rc)
{
	if (rc == 0 || canceled(session, gs, rc)) {
		session->closed_in = true;
		/* after close_notify nothing counts (RFC 5246, 7.2.1) */
		session->io->in.at = session->io->in.end;
		return 0;
	}
	if (rc == GNUTLS_E_REHANDSHAKE)
		return tls_gnutls_rehandshake(session, gs);
	if (rc == GNUTLS_E_WARNING_ALERT_RECEIVED)
		tls_gnutls_warned(session, gs);
	if (tls_gnutls_again(rc) || rc == GNUTLS_E_WARNING_ALERT_RECEIVED)
		return BASE_ERR(BASE_AGAIN, 0);
	return tls_gnutls_failed(session, gs, rc);
}

int tls_gnutls_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len)
{
	struct tls_gnutls_session *gs = tls_gnutls_step(session);
	struct base_reader *in = &session->io->in;
	size_t got = 0;
	int rc = BASE_ERR(BASE_AGAIN, 0);

	gs->given = true;
	/* Never ask when there is nothing to read: it would only say so, at a price. */
	while (got < cap &&
	       (session->dtls ? got == 0
	                      : in->at != in->end || gnutls_record_check_pending(gs->tls))) {
		ssize_t n;

		if (session->renegotiating && !tls_gnutls_data_next(session, gs)) {
			rc = tls_gnutls_reshake(session, gs);
			if (rc)
				break;
			rc = BASE_ERR(BASE_AGAIN, 0);
			continue;
		}
		n = gnutls_record_recv(gs->tls, clear + got, cap - got);
		if (n > 0) {
			got += (size_t)n;
			session->records_in += gnutls_record_check_pending(gs->tls) == 0;
			continue;
		}
		rc = read_result(session, gs, (int)n);
		/* Behind a record of an older epoch it leaves the rest of a datagram. */
		if (rc == 0 || base_err_class(rc) != BASE_AGAIN || (session->dtls && gs->dry))
			break;
	}
	if (session->resume && session->version == 0x0304 && !gs->kept)
		tls_gnutls_ticket_keep(session, gs);
	if (!session->dtls && empty_flood(gs, got) && base_err_class(rc) == BASE_AGAIN)
		return tls_gnutls_failed(session, gs,
		                         tls_gnutls_refuse(session, TLS_ALERT_UNEXPECTED_MESSAGE,
		                                           "too many records without data"));
	/* What was read before an end or a failure comes first; the next call tells the rest. */
	*ret_len = got;
	return got ? 0 : rc;
}

int tls_gnutls_write(struct tls_session *session, const uint8_t *clear, size_t len)
{
	struct tls_gnutls_session *gs = tls_gnutls_step(session);
	size_t records = (len + TLS_RECORD_MAX - 1) / TLS_RECORD_MAX;

	(void)base_writer_reserve(session->io->out, len + (records + 1) * RECORD_ROOM);
	if (tls_session_key_due(session, records)) {
		int rc = gnutls_session_key_update(gs->tls, 0);

		if (rc < 0)
			return tls_gnutls_failed(session, gs, rc);
	}
	while (len) {
		ssize_t n = gnutls_record_send(gs->tls, clear, len);

		if (n < 0 && tls_gnutls_again((int)n))
			continue;
		if (n == GNUTLS_E_INVALID_SESSION && session->closed_in) /* see canceled() */
			return tls_session_fail(session, TLS_ALERT_USER_CANCELED, TLS_SIDE_REMOTE,
			                        "the peer has canceled the connection");
		if (n <= 0)
			return tls_gnutls_failed(session, gs, (int)n);
		clear += n;
		len -= (size_t)n;
		session->records_out++;
	}
	return 0;
}

int tls_gnutls_close(struct tls_session *session)
{
	struct tls_gnutls_session *gs = tls_gnutls_step(session);
	int rc = gnutls_bye(gs->tls, GNUTLS_SHUT_WR);

	return rc < 0 ? tls_gnutls_failed(session, gs, rc) : 0;
}

int tls_gnutls_abort(struct tls_session *session, uint8_t alert)
{
	struct tls_gnutls_session *gs = tls_gnutls_step(session);
	int rc = gnutls_alert_send(gs->tls, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);

	return rc < 0 || session->io->out->failed ? -1 : alert;
}
