/* SPDX-License-Identifier: Apache-2.0 */
/** @file GnuTLS as a peer of the interop matrix. */
#include <fcntl.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"

/** A server's cache of sessions: one is enough. */
struct kept {
	unsigned char id[64];
	gnutls_datum_t data;
	size_t id_len;
};

struct shared {
	gnutls_certificate_credentials_t cred;
	gnutls_psk_client_credentials_t client_psk;
	gnutls_psk_server_credentials_t server_psk;
	gnutls_datum_t ticket_key;
	gnutls_datum_t last; /**< client: the last session */
	struct kept kept;
	gnutls_priority_t priority;
	const struct cell *cell;
};

struct far {
	gnutls_session_t tls;
	struct shared *shared;
	const struct cell *cell;
	int fd;
	unsigned again;
	char why[160];
};

/* -- settings ------------------------------------------------------------------------------- */

static void words(const struct cell *cell, char *into, size_t size)
{
	const char *kx = cell->psk ? ":-KX-ALL:+" : "";

	(void)snprintf(into, size,
	               "NORMAL:-VERS-ALL:+VERS-%s:+SIGN-RSA-SHA1:+SHA1:+SHA256:%%COMPAT%s%s%s",
	               cell->version, kx, cell->psk ? cell->way : "",
	               cell->kind == CELL_TICKET ? "" : ":%NO_TICKETS");
}

static int server_psk(gnutls_session_t tls, const char *identity, gnutls_datum_t *key)
{
	const struct far *far = gnutls_session_get_ptr(tls);

	if (strcmp(identity, far->cell->identity) != 0)
		return -1;
	key->data = gnutls_malloc(64);
	key->size = key->data ? (unsigned)cell_octets(far->cell->secret, key->data, 64) : 0;
	return key->size ? 0 : -1;
}

static bool set_psk(struct shared *shared, const struct cell *cell)
{
	gnutls_datum_t key = { (unsigned char *)(uintptr_t)cell->secret,
		               (unsigned)strlen(cell->secret) };

	if (!cell->psk)
		return true;
	if (cell->serve) {
		if (gnutls_psk_allocate_server_credentials(&shared->server_psk))
			return false;
		gnutls_psk_set_server_credentials_function(shared->server_psk, server_psk);
		return gnutls_psk_set_server_known_dh_params(shared->server_psk,
		                                             GNUTLS_SEC_PARAM_MEDIUM) == 0;
	}
	return gnutls_psk_allocate_client_credentials(&shared->client_psk) == 0 &&
	       gnutls_psk_set_client_credentials(shared->client_psk, cell->identity, &key,
	                                         GNUTLS_PSK_KEY_HEX) == 0;
}

static bool set_certificates(struct shared *shared, const struct cell *cell)
{
	if (cell->psk)
		return true;
	if (gnutls_certificate_allocate_credentials(&shared->cred) ||
	    gnutls_certificate_set_x509_trust_file(shared->cred, cell->ca, GNUTLS_X509_FMT_PEM) < 0)
		return false;
	gnutls_certificate_set_known_dh_params(shared->cred, GNUTLS_SEC_PARAM_MEDIUM);
	return !*cell->cert ||
	       gnutls_certificate_set_x509_key_file(shared->cred, cell->cert, cell->key,
	                                            GNUTLS_X509_FMT_PEM) == 0;
}

static void on_end(void *arg)
{
	struct shared *shared = arg;

	if (shared->cred)
		gnutls_certificate_free_credentials(shared->cred);
	if (shared->client_psk)
		gnutls_psk_free_client_credentials(shared->client_psk);
	if (shared->server_psk)
		gnutls_psk_free_server_credentials(shared->server_psk);
	if (shared->priority)
		gnutls_priority_deinit(shared->priority);
	gnutls_free(shared->ticket_key.data);
	gnutls_free(shared->last.data);
	gnutls_free(shared->kept.data.data);
	free(shared);
}

static bool on_begin(const struct cell *cell, void **ret, char *why, size_t size)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	char text[256];

	if (!shared)
		abort();
	shared->cell = cell;
	words(cell, text, sizeof(text));
	if (gnutls_priority_init(&shared->priority, text, NULL) || !set_psk(shared, cell) ||
	    !set_certificates(shared, cell) ||
	    gnutls_session_ticket_key_generate(&shared->ticket_key)) {
		(void)snprintf(why, size, "settings: %s", text);
		on_end(shared);
		return false;
	}
	*ret = shared;
	return true;
}

/* -- resumption ----------------------------------------------------------------------------- */

static int store(void *arg, gnutls_datum_t id, gnutls_datum_t data)
{
	struct kept *kept = arg;

	if (id.size > sizeof(kept->id))
		return -1;
	memcpy(kept->id, id.data, id.size);
	kept->id_len = id.size;
	gnutls_free(kept->data.data);
	kept->data.data = gnutls_malloc(data.size);
	kept->data.size = kept->data.data ? data.size : 0;
	if (kept->data.data)
		memcpy(kept->data.data, data.data, data.size);
	return kept->data.data ? 0 : -1;
}

static gnutls_datum_t retrieve(void *arg, gnutls_datum_t id)
{
	const struct kept *kept = arg;
	gnutls_datum_t data = { NULL, 0 };

	if (id.size != kept->id_len || memcmp(id.data, kept->id, id.size) != 0)
		return data;
	data.data = gnutls_malloc(kept->data.size);
	if (data.data) {
		memcpy(data.data, kept->data.data, kept->data.size);
		data.size = kept->data.size;
	}
	return data;
}

static int drop(void *arg, gnutls_datum_t id)
{
	(void)arg;
	(void)id;
	return 0;
}

static void set_resumption(struct far *far)
{
	struct shared *shared = far->shared;

	if (far->cell->serve && far->cell->kind == CELL_TICKET)
		(void)gnutls_session_ticket_enable_server(far->tls, &shared->ticket_key);
	if (far->cell->serve && far->cell->kind == CELL_ID) {
		gnutls_db_set_store_function(far->tls, store);
		gnutls_db_set_retrieve_function(far->tls, retrieve);
		gnutls_db_set_remove_function(far->tls, drop);
		gnutls_db_set_ptr(far->tls, &shared->kept);
	}
	if (!far->cell->serve && shared->last.data)
		(void)gnutls_session_set_data(far->tls, shared->last.data, shared->last.size);
}

/* -- a session ------------------------------------------------------------------------------ */

static unsigned flags_of(const struct cell *cell)
{
	return (cell->serve ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NO_SIGNAL |
	       (cell->datagrams ? GNUTLS_DATAGRAM | GNUTLS_NONBLOCK : 0);
}

static void set_peer(struct far *far)
{
	const struct cell *cell = far->cell;
	struct shared *shared = far->shared;

	if (shared->cred)
		(void)gnutls_credentials_set(far->tls, GNUTLS_CRD_CERTIFICATE, shared->cred);
	if (shared->client_psk)
		(void)gnutls_credentials_set(far->tls, GNUTLS_CRD_PSK, shared->client_psk);
	if (shared->server_psk)
		(void)gnutls_credentials_set(far->tls, GNUTLS_CRD_PSK, shared->server_psk);
	if (!cell->serve)
		(void)gnutls_server_name_set(far->tls, GNUTLS_NAME_DNS, cell->name,
		                             strlen(cell->name));
	if (!cell->psk && !cell->serve)
		gnutls_session_set_verify_cert(far->tls, cell->name, 0);
	if (!cell->psk && cell->serve && cell->auth) {
		gnutls_certificate_server_set_request(far->tls, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert(far->tls, NULL, 0);
	}
}

static void *on_open(void *arg, const struct cell *cell, int fd)
{
	struct far *far = calloc(1, sizeof(*far));
	struct shared *shared = arg;

	if (!far || gnutls_init(&far->tls, flags_of(cell)))
		abort();
	far->shared = shared;
	far->cell = cell;
	far->fd = fd;
	if (cell->datagrams)
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	gnutls_session_set_ptr(far->tls, far);
	(void)gnutls_priority_set(far->tls, shared->priority);
	gnutls_transport_set_int(far->tls, fd);
	gnutls_handshake_set_timeout(far->tls, 8000);
	gnutls_record_set_timeout(far->tls, 8000);
	set_peer(far);
	set_resumption(far);
	return far;
}

static bool failed(struct far *far, int rc)
{
	(void)snprintf(far->why, sizeof(far->why), "%s%s%s", gnutls_strerror(rc),
	               rc == GNUTLS_E_FATAL_ALERT_RECEIVED ? ": " : "",
	               rc == GNUTLS_E_FATAL_ALERT_RECEIVED
	                       ? gnutls_alert_get_name(gnutls_alert_get(far->tls))
	                       : "");
	return false;
}

/** Until a flight is to be repeated; only datagrams ask. */
static int flight_ms(const struct far *far)
{
	return far->cell->datagrams ? (int)gnutls_dtls_get_timeout(far->tls) : 0;
}

/**
 * Is the call to be made once more? Of datagrams we wait ourselves, `wait_ms` or, where that is
 * negative, as long as a peer has: a GnuTLS that may block sleeps 50 ms at each message of a
 * handshake.
 */
static bool once_more(const struct far *far, int rc, int wait_ms)
{
	struct pollfd one = { .fd = far->fd, .events = POLLIN };

	if (rc != GNUTLS_E_AGAIN || !far->cell->datagrams)
		return !gnutls_error_is_fatal(rc);
	return wait_ms < 0 ? cell_wait(far->fd) : poll(&one, 1, wait_ms) >= 0;
}

/** A warning that a renegotiation has come to nothing. */
static bool refused(const struct far *far, int rc)
{
	return rc == GNUTLS_E_WARNING_ALERT_RECEIVED &&
	       gnutls_alert_get(far->tls) == GNUTLS_A_NO_RENEGOTIATION;
}

static bool on_shake(void *arg)
{
	struct far *far = arg;
	int rc;

	do {
		rc = gnutls_handshake(far->tls);
	} while (rc < 0 && !refused(far, rc) && once_more(far, rc, flight_ms(far)));
	if (rc < 0 && !refused(far, rc))
		(void)gnutls_alert_send_appropriate(far->tls, rc);
	return rc == 0 || failed(far, rc);
}

static int on_read(void *arg, char *into, size_t cap)
{
	struct far *far = arg;
	ssize_t n;

	for (;;) {
		n = gnutls_record_recv(far->tls, into, cap);
		if (n == GNUTLS_E_REHANDSHAKE) {
			if (!on_shake(far))
				return -1;
			far->again++;
		} else if (n >= 0 || !once_more(far, (int)n, -1)) {
			break;
		}
	}
	if (n < 0)
		(void)failed(far, (int)n);
	return n < 0 ? -1 : (int)n;
}

static bool on_write(void *arg, const char *data, size_t len)
{
	struct far *far = arg;
	ssize_t n = gnutls_record_send(far->tls, data, len);

	return n == (ssize_t)len || failed(far, (int)n);
}

static bool on_again(void *arg)
{
	struct far *far = arg;
	int rc = 0;

	if (gnutls_protocol_get_version(far->tls) == GNUTLS_TLS1_3)
		rc = gnutls_session_key_update(far->tls, GNUTLS_KU_PEER);
	else if (far->cell->serve)
		do { /* over datagrams it ends when the answer has begun to come */
			rc = gnutls_rehandshake(far->tls);
		} while (rc < 0 && once_more(far, rc, flight_ms(far)));
	if (rc < 0)
		return failed(far, rc);
	if (gnutls_protocol_get_version(far->tls) != GNUTLS_TLS1_3 && !on_shake(far))
		return false;
	far->again++;
	return true;
}

/** Of a client: with TLS 1.3 the ticket has come by now. */
static void on_close(void *arg)
{
	struct far *far = arg;

	if (!far->cell->serve && far->cell->kind != CELL_FULL) {
		gnutls_free(far->shared->last.data);
		(void)gnutls_session_get_data2(far->tls, &far->shared->last);
	}
	(void)gnutls_bye(far->tls, GNUTLS_SHUT_WR);
}

static void on_tell(void *arg, struct cell_told *ret)
{
	struct far *far = arg;
	const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(far->tls));
	const char *suite = gnutls_ciphersuite_get(far->tls);

	(void)snprintf(ret->version, sizeof(ret->version), "%s", version ? version : "");
	(void)snprintf(ret->suite, sizeof(ret->suite), "%s", suite ? suite : "");
	ret->resumed = gnutls_session_is_resumed(far->tls) ? "1" : "0";
	ret->again = far->again;
	(void)snprintf(ret->why, sizeof(ret->why), "%s", far->why);
}

static void on_free(void *arg)
{
	struct far *far = arg;

	gnutls_deinit(far->tls);
	free(far);
}

const struct stack stack = {
	.begin = on_begin,
	.end = on_end,
	.open = on_open,
	.shake = on_shake,
	.read = on_read,
	.write = on_write,
	.again = on_again,
	.close = on_close,
	.tell = on_tell,
	.free = on_free,
};
