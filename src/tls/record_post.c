/* SPDX-License-Identifier: Apache-2.0 */
/** @file What may still come beside data: alerts, KeyUpdate, tickets, wishes to renegotiate. */
#include "tls/record.h"

/** Handshake message types (RFC 5246, 7.4; RFC 8446, 4). */
enum message { HELLO_REQUEST = 0, CLIENT_HELLO = 1, NEW_SESSION_TICKET = 4, KEY_UPDATE = 24 };

static int on_alert(struct tls_session *session, const uint8_t *data, size_t len)
{
	bool tls13 = session->record->tls13;
	uint8_t alert = data[len - 1];

	if (len != 2 || (!tls13 && data[0] != 1 && data[0] != 2))
		return tls_record_fatal(session, 50, "malformed alert");
	if (alert == TLS_ALERT_CLOSE_NOTIFY) {
		session->closed_in = true;
		return 0;
	}
	/* TLS 1.3: every other one but user_canceled is fatal, whatever its level (RFC 8446, 6). */
	if (tls13 ? alert == TLS_ALERT_USER_CANCELED : data[0] == 1)
		return 0;
	return tls_session_fail(session, alert, TLS_SIDE_REMOTE, "the peer sent alert %d (%s)",
	                        alert, tls_alert_name(alert));
}

/** RFC 8446, 4.6.3: new keys for what the peer writes; if it asks, for what we write too. */
static int on_key_update(struct tls_session *session, uint8_t request, bool last)
{
	struct tls_record *record = session->record;
	const uint8_t answer[] = { KEY_UPDATE, 0, 0, 1, 0 };
	int rc;

	if (!last)
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE,
		                        "KeyUpdate within a record");
	if (request > 1)
		return tls_record_fatal(session, 47, "KeyUpdate");
	rc = tls_record_update(session, &record->in);
	if (rc == 0 && request && !session->closed_out) {
		rc = tls_record_seal(session, TLS_HANDSHAKE, answer, sizeof(answer));
		if (rc == 0)
			rc = tls_record_update(session, &record->out);
	}
	return rc ? tls_session_fail(session, -1, TLS_SIDE_NONE, "no memory for new keys") : 0;
}

/** The head of a message is known: may it come at all? */
static int on_message(struct tls_session *session, const uint8_t *head, uint32_t len)
{
	const uint8_t no[] = { 1, TLS_ALERT_NO_RENEGOTIATION };
	bool server = session->role == TLS_ROLE_SERVER;
	int rc = 0;

	if (session->record->tls13) {
		if (head[0] == KEY_UPDATE && len == 1)
			return 0;
		if (head[0] == NEW_SESSION_TICKET && !server)
			return 0; /* we do not resume as a client */
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE, "handshake message");
	}
	if (head[0] != (server ? CLIENT_HELLO : HELLO_REQUEST) || (!server && len))
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE, "handshake message");
	/*
	 * A wish to renegotiate is refused, and the session goes on (RFC 5246, 7.2.2). A client
	 * that asks once more is shown out; a server may remind us as often as it likes.
	 */
	if (server && session->record->asked)
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE,
		                        "renegotiation was refused already");
	session->record->asked = true;
	if (!session->closed_out)
		rc = tls_record_seal(session, TLS_ALERT, no, sizeof(no));
	return rc ? tls_session_fail(session, -1, TLS_SIDE_NONE, "no memory for an alert") : 0;
}

static int on_handshake(struct tls_session *session, const uint8_t *data, size_t len)
{
	struct tls_record *record = session->record;
	struct base_reader r = base_reader_of(data, len);

	while (base_reader_left(&r)) {
		size_t n;
		int rc = 0;

		if (record->message_len < 4) {
			record->message[record->message_len++] = base_reader_u8(&r);
			if (record->message_len < 4)
				continue;
			record->message_left = (uint32_t)record->message[1] << 16 |
			                       (uint32_t)record->message[2] << 8 |
			                       record->message[3];
			if (record->message_left > 1 << 16)
				return tls_record_fatal(session, 50, "handshake message");
			rc = on_message(session, record->message, record->message_left);
			if (rc)
				return rc;
		}
		n = BASE_MIN((size_t)record->message_left, base_reader_left(&r));
		if (n)
			record->message[4] = *base_reader_take(&r, n);
		record->message_left -= (uint32_t)n;
		if (record->message_left)
			continue;
		record->message_len = 0;
		if (record->tls13 && record->message[0] == KEY_UPDATE)
			rc = on_key_update(session, record->message[4], base_reader_left(&r) == 0);
		if (rc)
			return rc;
	}
	return 0;
}

int tls_record_post(struct tls_session *session, enum tls_content type, const uint8_t *data,
                    size_t len)
{
	if (type == TLS_HANDSHAKE)
		return on_handshake(session, data, len);
	if (session->record->tls13 && session->record->message_len)
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE,
		                        "record inside a handshake message");
	if (type == TLS_ALERT)
		return on_alert(session, data, len);
	return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE, "record type");
}
