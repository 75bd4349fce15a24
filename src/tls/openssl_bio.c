/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * OpenSSL's view of the lent bytes: reads come straight from `io->in`, writes go straight to
 * `io->out`. No memory BIO, no copy of our own, no allocation per record.
 */
#include <string.h>

#include "tls/dtls_session.h"
#include "tls/openssl_engine.h"
#include "tls/wait.h"

static int bio_read(BIO *bio, char *data, size_t len, size_t *ret_len)
{
	struct openssl_context *oc = BIO_get_data(bio);
	struct base_reader *in = &oc->session->io->in;
	size_t left = base_reader_left(in);

	BIO_clear_retry_flags(bio);
	if (oc->poisoned) {
		memset(data, 0xff, len);
		*ret_len = len;
		return 1;
	}
	if (left == 0 || oc->bare || oc->done) {
		BIO_set_retry_read(bio);
		*ret_len = 0;
		return -1;
	}
	if (oc->session->dtls) {
		*ret_len = openssl_dtls_take(oc, data, len);
		return 1;
	}
	*ret_len = BASE_MIN(len, left);
	memcpy(data, in->at, *ret_len);
	in->at += *ret_len;
	return 1;
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *ret_len)
{
	struct openssl_context *oc = BIO_get_data(bio);
	struct base_writer *out = tls_session_out(oc->session);

	BIO_clear_retry_flags(bio);
	if (oc->session->dtls)
		tls_dtls_put(oc->session, data, len);
	else
		base_writer_put(out, data, len);
	if (out->failed)
		return -1;
	*ret_len = len;
	return 1;
}

static long bio_ctrl(BIO *bio, int cmd, long number, void *arg)
{
	struct openssl_context *oc = BIO_get_data(bio);

	if (oc->session && oc->session->dtls && cmd != BIO_CTRL_FLUSH && cmd != BIO_CTRL_DUP)
		return openssl_dtls_ctrl(oc, cmd, number, arg);
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

int openssl_bio_new(struct openssl_context *oc)
{
	oc->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7f, "gatehouse");
	if (!oc->method || !BIO_meth_set_read_ex(oc->method, bio_read) ||
	    !BIO_meth_set_write_ex(oc->method, bio_write) ||
	    !BIO_meth_set_ctrl(oc->method, bio_ctrl))
		return BASE_ERR(BASE_LOCAL, 0);
	oc->bio = BIO_new(oc->method);
	if (!oc->bio)
		return BASE_ERR(BASE_LOCAL, 0);
	BIO_set_data(oc->bio, oc);
	BIO_set_init(oc->bio, 1);
	return 0;
}
