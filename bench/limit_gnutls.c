/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "limit.h"

#define RECORD_MAX ((size_t)16384)

struct context {
	gnutls_certificate_credentials_t cred;
	gnutls_psk_server_credentials_t psk_cred;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	const struct limit_psk *psk;
	bool tls13;
};

struct session {
	gnutls_session_t tls;
	struct context *context;
	struct limit_pipe *from, *to;
};

static int on_psk(gnutls_session_t tls, const char *identity, gnutls_datum_t *key)
{
	const struct session *s = gnutls_session_get_ptr(tls);
	const struct limit_psk *psk = s->context->psk;

	if (strcmp(identity, psk->identity) != 0)
		return -1;
	key->data = gnutls_malloc(psk->len);
	if (!key->data)
		return -1;
	memcpy(key->data, psk->key, psk->len);
	key->size = (unsigned)psk->len;
	return 0;
}

/* The same suites and groups as OpenSSL is given, in GnuTLS's words. */
static const char *priority_of(const struct limit_options *o, bool psk)
{
	if (psk)
		return "NONE:+VERS-TLS1.2:+PSK:+AES-128-GCM:+AEAD:+SIGN-ALL:+COMP-NULL:"
		       "+GROUP-SECP256R1";
	if (!strcmp(o->version, "1.3"))
		return "NONE:+VERS-TLS1.3:+ECDHE-ECDSA:+ECDHE-RSA:+AES-128-GCM:+AEAD:+SIGN-ALL:"
		       "+COMP-NULL:+GROUP-SECP256R1";
	return "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-128-GCM:+AEAD:+SIGN-ALL:+COMP-NULL:"
	       "+GROUP-SECP256R1";
}

static void check(int rc, const char *what)
{
	if (rc < 0)
		limit_die(what);
}

static void *context_new(const struct limit_options *o, const struct limit_psk *psk)
{
	struct context *c = calloc(1, sizeof(*c));

	if (!c)
		limit_die("out of memory");
	c->psk = psk;
	c->tls13 = strcmp(o->version, "1.3") == 0;
	check(gnutls_priority_init(&c->priority, priority_of(o, psk), NULL), "priorities");
	check(gnutls_certificate_allocate_credentials(&c->cred), "credentials");
	gnutls_certificate_set_flags(c->cred, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	if (o->cert)
		check(gnutls_certificate_set_x509_key_file(c->cred, o->cert, o->key,
		                                           GNUTLS_X509_FMT_PEM),
		      "no certificate");
	check(gnutls_psk_allocate_server_credentials(&c->psk_cred), "credentials");
	gnutls_psk_set_server_credentials_function(c->psk_cred, on_psk);
	check(gnutls_session_ticket_key_generate(&c->ticket_key), "ticket key");
	return c;
}

static void context_free(void *arg)
{
	struct context *c = arg;

	gnutls_certificate_free_credentials(c->cred);
	gnutls_psk_free_server_credentials(c->psk_cred);
	gnutls_priority_deinit(c->priority);
	gnutls_free(c->ticket_key.data);
	free(c);
}

static ssize_t on_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct session *s = arg;

	limit_pipe_put(s->to, data, len);
	return (ssize_t)len;
}

static ssize_t on_pull(gnutls_transport_ptr_t arg, void *into, size_t cap)
{
	struct session *s = arg;
	size_t n = limit_pipe_take(s->from, into, cap);

	if (n)
		return (ssize_t)n;
	errno = EAGAIN;
	return -1;
}

static int on_wait(gnutls_transport_ptr_t arg, unsigned ms)
{
	const struct session *s = arg;

	(void)ms; /* what is not there now does not come while we wait */
	return s->from->len > s->from->at;
}

static void *session_new(void *arg, struct limit_pipe *in, struct limit_pipe *out)
{
	struct context *c = arg;
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		limit_die("out of memory");
	s->context = c;
	s->from = in;
	s->to = out;
	check(gnutls_init(&s->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
	                                   GNUTLS_NO_AUTO_SEND_TICKET),
	      "session");
	gnutls_session_set_ptr(s->tls, s);
	gnutls_transport_set_ptr(s->tls, s);
	gnutls_transport_set_push_function(s->tls, on_push);
	gnutls_transport_set_pull_function(s->tls, on_pull);
	gnutls_transport_set_pull_timeout_function(s->tls, on_wait);
	gnutls_handshake_set_timeout(s->tls, 0);
	check(gnutls_priority_set(s->tls, c->priority), "priorities");
	check(gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, c->cred), "credentials");
	if (c->psk)
		check(gnutls_credentials_set(s->tls, GNUTLS_CRD_PSK, c->psk_cred), "credentials");
	check(gnutls_session_ticket_enable_server(s->tls, &c->ticket_key), "tickets");
	return s;
}

static void session_free(void *arg)
{
	struct session *s = arg;

	gnutls_deinit(s->tls);
	free(s);
}

static bool handshake(void *arg)
{
	struct session *s = arg;
	int rc;

	do
		rc = gnutls_handshake(s->tls);
	while (rc == GNUTLS_E_INTERRUPTED || (rc == GNUTLS_E_AGAIN && s->from->len > s->from->at));
	if (rc < 0 && rc != GNUTLS_E_AGAIN)
		limit_die(gnutls_strerror(rc));
	if (rc == 0 && s->context->tls13)
		check(gnutls_session_ticket_send(s->tls, 1, 0), "ticket");
	return rc == 0;
}

static size_t read_clear(void *arg, void *into, size_t cap)
{
	struct session *s = arg;
	ssize_t n;

	if (s->from->len == s->from->at && !gnutls_record_check_pending(s->tls))
		return 0;
	n = gnutls_record_recv(s->tls, into, cap);
	return n > 0 ? (size_t)n : 0;
}

static void write_clear(void *arg, const void *data, size_t len)
{
	struct session *s = arg;
	const char *at = data;

	while (len) {
		ssize_t n = gnutls_record_send(s->tls, at, len < RECORD_MAX ? len : RECORD_MAX);

		if (n <= 0)
			limit_die("cannot write");
		at += n;
		len -= (size_t)n;
	}
}

const struct limit_server limit_gnutls = {
	context_new, context_free, session_new, session_free, handshake, read_clear, write_clear,
};
