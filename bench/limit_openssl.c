/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "limit.h"

struct context {
	SSL_CTX *ctx;
	const struct limit_psk *psk;
};

struct session {
	SSL *ssl;
	BIO *in, *out;
	struct limit_pipe *from, *to;
};

static unsigned on_psk(SSL *ssl, const char *identity, unsigned char *key, unsigned cap)
{
	const struct context *context = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0);

	if (strcmp(identity, context->psk->identity) != 0 || context->psk->len > cap)
		return 0;
	memcpy(key, context->psk->key, context->psk->len);
	return (unsigned)context->psk->len;
}

static void *context_new(const struct limit_options *o, const struct limit_psk *psk)
{
	bool tls13 = strcmp(o->version, "1.3") == 0;
	struct context *context = calloc(1, sizeof(*context));

	if (!context)
		limit_die("out of memory");
	context->psk = psk;
	context->ctx = SSL_CTX_new(TLS_server_method());
	if (!context->ctx || !SSL_CTX_set_ex_data(context->ctx, 0, context))
		limit_die("no OpenSSL context");
	if (o->cert && (SSL_CTX_use_certificate_chain_file(context->ctx, o->cert) != 1 ||
	                SSL_CTX_use_PrivateKey_file(context->ctx, o->key, SSL_FILETYPE_PEM) != 1))
		limit_die("no certificate");
	if (tls13 ? SSL_CTX_set_ciphersuites(context->ctx, o->suites) != 1
	          : SSL_CTX_set_cipher_list(context->ctx, o->suites) != 1)
		limit_die("unknown suites");
	SSL_CTX_set1_groups_list(context->ctx, "P-256");
	SSL_CTX_set_num_tickets(context->ctx, 1);
	SSL_CTX_set_session_cache_mode(context->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context->ctx, SSL_MODE_RELEASE_BUFFERS);
	if (psk)
		SSL_CTX_set_psk_server_callback(context->ctx, on_psk);
	return context;
}

static void context_free(void *arg)
{
	struct context *context = arg;

	SSL_CTX_free(context->ctx);
	free(context);
}

static void *session_new(void *arg, struct limit_pipe *in, struct limit_pipe *out)
{
	struct context *context = arg;
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		limit_die("out of memory");
	s->from = in;
	s->to = out;
	s->ssl = SSL_new(context->ctx);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	if (!s->ssl || !s->in || !s->out)
		limit_die("out of memory");
	SSL_set_bio(s->ssl, s->in, s->out);
	SSL_set_accept_state(s->ssl);
	return s;
}

static void session_free(void *arg)
{
	struct session *s = arg;

	SSL_free(s->ssl);
	free(s);
}

static void fill(struct session *s)
{
	if (s->from->len == s->from->at)
		return;
	BIO_write(s->in, s->from->data + s->from->at, (int)(s->from->len - s->from->at));
	s->from->at = s->from->len = 0;
}

static void drain(struct session *s)
{
	char *data;
	long len = BIO_get_mem_data(s->out, &data);

	if (len <= 0)
		return;
	limit_pipe_put(s->to, data, (size_t)len);
	(void)BIO_reset(s->out);
}

static bool handshake(void *arg)
{
	struct session *s = arg;
	int rc;

	fill(s);
	rc = SSL_do_handshake(s->ssl);
	if (rc != 1 && SSL_get_error(s->ssl, rc) != SSL_ERROR_WANT_READ)
		limit_die("the handshake failed");
	drain(s);
	return rc == 1;
}

static size_t read_clear(void *arg, void *into, size_t cap)
{
	struct session *s = arg;
	int n;

	fill(s);
	n = SSL_read(s->ssl, into, (int)cap);
	return n > 0 ? (size_t)n : 0;
}

static void write_clear(void *arg, const void *data, size_t len)
{
	struct session *s = arg;

	if (SSL_write(s->ssl, data, (int)len) != (int)len)
		limit_die("cannot write");
	drain(s);
}

const struct limit_server limit_openssl = {
	context_new, context_free, session_new, session_free, handshake, read_clear, write_clear,
};
