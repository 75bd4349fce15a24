/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Who the peer is: the callbacks by which GnuTLS's handshake asks the common code.
 */
#include "tls/gnutls_engine.h"
#include "tls/psk.h"

/** Certificates of a chain we look at; a longer one is refused. */
#define CHAIN_MAX 16

int tls_gnutls_refuse(struct tls_session *session, int alert, const char *why)
{
	struct tls_gnutls_session *gs = session->engine;

	gs->alert = (int16_t)alert;
	gs->why = why;
	return GNUTLS_E_CERTIFICATE_ERROR; /* any failure will do: the alert is ours */
}

int tls_gnutls_judge(struct tls_session *session, const struct base_str *chain, size_t count)
{
	struct tls_gnutls_session *gs = session->engine;
	int rc = tls_session_judge(session, chain, count);
	int alert;

	if (rc == 0)
		return 0;
	if (base_err_class(rc) == BASE_AGAIN)
		return GNUTLS_E_AGAIN; /* the handshake comes back here */
	if (base_err_class(rc) != BASE_PEER)
		return tls_gnutls_refuse(session, TLS_ALERT_INTERNAL_ERROR, NULL);
	alert = (int)base_err_detail(rc);
	/* RFC 8446, 4.4.2.4 has an alert of its own for what RFC 5246, 7.4.6 does without */
	if (count == 0 && alert == TLS_ALERT_HANDSHAKE_FAILURE &&
	    gnutls_protocol_get_version(gs->tls) == GNUTLS_TLS1_3)
		alert = TLS_ALERT_CERTIFICATE_REQUIRED;
	return tls_gnutls_refuse(session, alert, session->verdict->text);
}

int tls_gnutls_verify(gnutls_session_t tls)
{
	struct tls_session *session = gnutls_session_get_ptr(tls);
	struct base_str chain[CHAIN_MAX];
	gnutls_datum_t staple = { 0 };
	const gnutls_datum_t *certs;
	unsigned count = 0;
	int rc;

	if (!tls_session_judges(session))
		return 0;
	certs = gnutls_certificate_get_peers(tls, &count);
	if (count > CHAIN_MAX)
		return tls_gnutls_refuse(session, TLS_ALERT_BAD_CERTIFICATE,
		                         "the peer's chain is too long");
	for (unsigned i = 0; i < count; i++)
		chain[i] = (struct base_str){ (const char *)certs[i].data, certs[i].size };
	/* a client's too, in TLS 1.3 (RFC 8446, 4.4.2.1) */
	if (gnutls_ocsp_status_request_get(tls, &staple) >= 0)
		session->staple = (struct base_str){ (const char *)staple.data, staple.size };
	rc = tls_gnutls_judge(session, chain, count);
	session->staple = (struct base_str){ NULL, 0 };
	return rc;
}

static int datum_copy(gnutls_datum_t *ret, const void *data, size_t len)
{
	ret->data = gnutls_malloc(len + 1);
	if (!ret->data)
		return GNUTLS_E_MEMORY_ERROR;
	if (len)
		memcpy(ret->data, data, len);
	ret->data[len] = '\0';
	ret->size = (unsigned)len;
	return 0;
}

int tls_gnutls_psk_server(gnutls_session_t tls, const gnutls_datum_t *identity, gnutls_datum_t *key)
{
	struct tls_session *session = gnutls_session_get_ptr(tls);
	const struct tls_psk *found = tls_psk_find(session, identity->data, identity->size);

	session->psk_tried = true;
	if (found) {
		tls_session_psk_used(session, identity->data, identity->size);
		return datum_copy(key, found->key.data, found->key.len);
	}
	if (tls_settings(session)->psk_unknown_alert.value) {
		(void)tls_gnutls_refuse(session, TLS_ALERT_UNKNOWN_PSK_IDENTITY, TLS_PSK_UNKNOWN);
		return -1;
	}
	/* RFC 4279, 2: "as if the PSK identity existed but the key was incorrect": GnuTLS goes on
	 * with a random one. */
	return 1;
}

int tls_gnutls_psk_client(gnutls_session_t tls, gnutls_datum_t *identity, gnutls_datum_t *key)
{
	struct tls_session *session = gnutls_session_get_ptr(tls);
	const char *hint = gnutls_psk_client_get_hint(tls);
	const struct tls_psk *chosen = tls_psk_choose(session, hint, hint ? strlen(hint) : 0);
	int rc;

	if (!chosen)
		return -1;
	rc = datum_copy(identity, chosen->identity.ptr, chosen->identity.len);
	if (rc)
		return rc;
	rc = datum_copy(key, chosen->key.data, chosen->key.len);
	if (rc) {
		gnutls_free(identity->data);
		identity->data = NULL;
		return rc;
	}
	tls_session_psk_used(session, chosen->identity.ptr, chosen->identity.len);
	return 0;
}
