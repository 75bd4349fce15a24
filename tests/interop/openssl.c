/* SPDX-License-Identifier: Apache-2.0 */
/** @file libssl as a peer of the interop matrix. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "cell.h"

struct shared {
	SSL_CTX *ctx;
	SSL_SESSION *kept; /**< client: what the last connection gave */
};

struct far {
	SSL *ssl;
	struct shared *shared;
	const struct cell *cell;
	unsigned again;
	char why[160];
};

static const struct {
	const char *name;
	int number;
} versions[] = {
	{ "TLS1.0", TLS1_VERSION },   { "TLS1.1", TLS1_1_VERSION }, { "TLS1.2", TLS1_2_VERSION },
	{ "TLS1.3", TLS1_3_VERSION }, { "DTLS1.0", DTLS1_VERSION }, { "DTLS1.2", DTLS1_2_VERSION },
};

static int number_of(const char *version)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (!strcmp(version, versions[i].name))
			return versions[i].number;
	return 0;
}

/* -- pre-shared keys ------------------------------------------------------------------------ */

static unsigned on_client_psk(SSL *ssl, const char *hint, char *identity, unsigned max,
                              unsigned char *psk, unsigned psk_max)
{
	const struct far *far = SSL_get_app_data(ssl);

	(void)hint;
	(void)snprintf(identity, max, "%s", far->cell->identity);
	return (unsigned)cell_octets(far->cell->secret, psk, psk_max);
}

static unsigned on_server_psk(SSL *ssl, const char *identity, unsigned char *psk, unsigned max)
{
	const struct far *far = SSL_get_app_data(ssl);

	if (strcmp(identity, far->cell->identity) != 0)
		return 0;
	return (unsigned)cell_octets(far->cell->secret, psk, max);
}

static const char *ciphers(const struct cell *cell)
{
	if (!cell->psk)
		return "ALL:@SECLEVEL=0";
	if (!strcmp(cell->way, "PSK"))
		return "kPSK:@SECLEVEL=0";
	return strcmp(cell->way, "DHE-PSK") ? "kECDHEPSK:@SECLEVEL=0" : "kDHEPSK:@SECLEVEL=0";
}

static int keep(SSL *ssl, SSL_SESSION *session)
{
	struct far *far = SSL_get_app_data(ssl);

	SSL_SESSION_free(far->shared->kept);
	far->shared->kept = session;
	return 1;
}

/* -- settings ------------------------------------------------------------------------------- */

static const unsigned char cookie_text[] = "interop";

static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *len)
{
	(void)ssl;
	memcpy(cookie, cookie_text, sizeof(cookie_text));
	*len = sizeof(cookie_text);
	return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned len)
{
	(void)ssl;
	return len == sizeof(cookie_text) && !memcmp(cookie, cookie_text, len);
}

static void set_resumption(SSL_CTX *ctx, const struct cell *cell)
{
	static const unsigned char scope[] = "interop";

	if (cell->kind != CELL_TICKET)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (cell->serve)
		SSL_CTX_set_session_id_context(ctx, scope, sizeof(scope));
	SSL_CTX_set_session_cache_mode(ctx, !cell->serve ? SSL_SESS_CACHE_CLIENT |
	                                                           SSL_SESS_CACHE_NO_INTERNAL
	                                    : cell->kind == CELL_FULL ? SSL_SESS_CACHE_OFF
	                                                              : SSL_SESS_CACHE_SERVER);
	if (!cell->serve)
		SSL_CTX_sess_set_new_cb(ctx, keep);
}

static bool set_credentials(SSL_CTX *ctx, const struct cell *cell)
{
	if (cell->psk) {
		if (cell->serve)
			SSL_CTX_set_psk_server_callback(ctx, on_server_psk);
		else
			SSL_CTX_set_psk_client_callback(ctx, on_client_psk);
		return true;
	}
	if (!cell->serve || cell->auth)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (SSL_CTX_load_verify_locations(ctx, cell->ca, NULL) != 1)
		return false;
	return !*cell->cert || (SSL_CTX_use_certificate_chain_file(ctx, cell->cert) == 1 &&
	                        SSL_CTX_use_PrivateKey_file(ctx, cell->key, SSL_FILETYPE_PEM) == 1);
}

static EVP_PKEY *dh_group(void)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	char name[] = "ffdhe2048";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("group", name, 0),
		                      OSSL_PARAM_construct_end() };
	EVP_PKEY *key = NULL;

	if (!maker || EVP_PKEY_keygen_init(maker) != 1 ||
	    EVP_PKEY_CTX_set_params(maker, params) != 1 || EVP_PKEY_generate(maker, &key) != 1)
		abort();
	EVP_PKEY_CTX_free(maker);
	return key;
}

static void on_end(void *arg)
{
	struct shared *shared = arg;

	SSL_SESSION_free(shared->kept);
	SSL_CTX_free(shared->ctx);
	free(shared);
}

static bool on_begin(const struct cell *cell, void **ret, char *why, size_t size)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	int version = number_of(cell->version);
	SSL_CTX *ctx;

	if (!shared)
		abort();
	ctx = SSL_CTX_new(cell->datagrams ? DTLS_method() : TLS_method());
	shared->ctx = ctx;
	if (!ctx || SSL_CTX_set_cipher_list(ctx, ciphers(cell)) != 1 ||
	    SSL_CTX_set_min_proto_version(ctx, version) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, version) != 1 || !set_credentials(ctx, cell)) {
		ERR_error_string_n(ERR_get_error(), why, size);
		on_end(shared);
		return false;
	}
	set_resumption(ctx, cell);
	SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	/* Left to itself (SSL_CTX_set_dh_auto) libssl takes 1024 bits where there is no
	 * certificate. */
	(void)SSL_CTX_set0_tmp_dh_pkey(ctx, dh_group());
	/* The external PSKs of TLS 1.3 that the old call-backs give are of SHA-256. */
	(void)SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
	if (cell->serve && cell->datagrams) {
		SSL_CTX_set_options(ctx, SSL_OP_COOKIE_EXCHANGE);
		SSL_CTX_set_cookie_generate_cb(ctx, make_cookie);
		SSL_CTX_set_cookie_verify_cb(ctx, check_cookie);
	}
	*ret = shared;
	return true;
}

/* -- a session ------------------------------------------------------------------------------ */

static void on_info(const SSL *ssl, int where, int value)
{
	struct far *far = SSL_get_app_data(ssl);

	if ((where & SSL_CB_ALERT) && (value >> 8) == SSL3_AL_FATAL)
		(void)snprintf(far->why, sizeof(far->why), "alert %s %s",
		               SSL_alert_desc_string_long(value),
		               where & SSL_CB_READ ? "received" : "sent");
}

static void *on_open(void *arg, const struct cell *cell, int fd)
{
	const struct timeval patience = { .tv_sec = 8 };
	struct far *far = calloc(1, sizeof(*far));
	struct shared *shared = arg;
	BIO *bio;

	if (!far)
		abort();
	far->shared = shared;
	far->cell = cell;
	far->ssl = SSL_new(shared->ctx);
	bio = cell->datagrams ? BIO_new_dgram(fd, BIO_NOCLOSE) : BIO_new_socket(fd, BIO_NOCLOSE);
	if (!far->ssl || !bio)
		abort();
	if (cell->datagrams) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
			(void)BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	SSL_set_bio(far->ssl, bio, bio);
	SSL_set_app_data(far->ssl, far);
	SSL_set_info_callback(far->ssl, on_info);
	if (cell->serve)
		SSL_set_accept_state(far->ssl);
	else
		SSL_set_connect_state(far->ssl);
	if (!cell->serve)
		(void)SSL_set_tlsext_host_name(far->ssl, cell->name);
	if (!cell->serve && !cell->psk)
		(void)SSL_set1_host(far->ssl, cell->name);
	if (!cell->serve && shared->kept)
		(void)SSL_set_session(far->ssl, shared->kept);
	return far;
}

static bool failed(struct far *far)
{
	unsigned long code = ERR_peek_last_error();
	size_t len = strlen(far->why);

	if (code)
		(void)snprintf(far->why + len, sizeof(far->why) - len, "; %s",
		               ERR_reason_error_string(code));
	return false;
}

static bool on_shake(void *arg)
{
	struct far *far = arg;

	ERR_clear_error();
	return SSL_do_handshake(far->ssl) == 1 || failed(far);
}

static int on_read(void *arg, char *into, size_t cap)
{
	struct far *far = arg;
	int n;

	ERR_clear_error();
	n = SSL_read(far->ssl, into, (int)cap);
	if (n > 0)
		return n;
	if (SSL_get_error(far->ssl, n) == SSL_ERROR_ZERO_RETURN)
		return 0;
	(void)failed(far);
	return -1;
}

static bool on_write(void *arg, const char *data, size_t len)
{
	struct far *far = arg;

	ERR_clear_error();
	return SSL_write(far->ssl, data, (int)len) == (int)len || failed(far);
}

/** Has the peer finished another handshake than that of `before`? */
static bool renewed(const SSL *ssl, const unsigned char *before)
{
	unsigned char now[64] = { 0 };

	(void)SSL_get_peer_finished(ssl, now, sizeof(now));
	return SSL_is_init_finished(ssl) && memcmp(now, before, sizeof(now)) != 0;
}

/** A server has only sent its HelloRequest when the call returns; the client's answer is then read.
 */
static bool on_again(void *arg)
{
	struct far *far = arg;
	unsigned char before[64] = { 0 };
	bool done;
	char byte;
	int n;

	ERR_clear_error();
	if (SSL_version(far->ssl) == TLS1_3_VERSION) {
		far->again++;
		return (SSL_key_update(far->ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
		        SSL_do_handshake(far->ssl) == 1) ||
		       failed(far);
	}
	(void)SSL_get_peer_finished(far->ssl, before, sizeof(before));
	if (SSL_renegotiate(far->ssl) != 1 || SSL_do_handshake(far->ssl) != 1)
		return failed(far);
	SSL_clear_mode(far->ssl, SSL_MODE_AUTO_RETRY);
	while (!(done = renewed(far->ssl, before))) {
		n = SSL_read(far->ssl, &byte, 1);
		if (n > 0 || SSL_get_error(far->ssl, n) != SSL_ERROR_WANT_READ)
			break;
	}
	SSL_set_mode(far->ssl, SSL_MODE_AUTO_RETRY);
	done = done || renewed(far->ssl, before);
	far->again += done;
	return done || failed(far);
}

static void on_close(void *arg)
{
	struct far *far = arg;

	(void)SSL_shutdown(far->ssl);
}

static void on_tell(void *arg, struct cell_told *ret)
{
	struct far *far = arg;
	const SSL_CIPHER *cipher = SSL_get_current_cipher(far->ssl);

	(void)snprintf(ret->version, sizeof(ret->version), "%s", SSL_get_version(far->ssl));
	(void)snprintf(ret->suite, sizeof(ret->suite), "%s",
	               cipher ? SSL_CIPHER_standard_name(cipher) : "");
	/* An external PSK of TLS 1.3 is a session to libssl. */
	ret->resumed = far->cell->psk && SSL_version(far->ssl) == TLS1_3_VERSION ? ""
	               : SSL_session_reused(far->ssl)                            ? "1"
	                                                                         : "0";
	ret->again = far->again;
	(void)snprintf(ret->why, sizeof(ret->why), "%s", far->why);
}

static void on_free(void *arg)
{
	struct far *far = arg;

	SSL_free(far->ssl);
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
