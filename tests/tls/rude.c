/* SPDX-License-Identifier: Apache-2.0 */
#include "rude.h"

#include <errno.h>

#define TAG_LEN 16

static ssize_t on_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct rude *rude = arg;

	base_writer_put(&rude->out, data, len);
	return (ssize_t)len;
}

static ssize_t on_pull(gnutls_transport_ptr_t arg, void *into, size_t len)
{
	struct rude *rude = arg;

	len = BASE_MIN(len, rude->in.len - rude->read);
	if (!len) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(into, rude->in.data + rude->read, len);
	rude->read += len;
	return (ssize_t)len;
}

static void client_open(struct rude *rude)
{
	assert_int_equal(gnutls_init(&rude->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&rude->cred), 0);
	assert_int_equal(gnutls_set_default_priority(rude->tls), 0);
	assert_int_equal(gnutls_credentials_set(rude->tls, GNUTLS_CRD_CERTIFICATE, rude->cred), 0);
	gnutls_transport_set_ptr(rude->tls, rude);
	gnutls_transport_set_push_function(rude->tls, on_push);
	gnutls_transport_set_pull_function(rude->tls, on_pull);
}

static void server_open(struct rude *rude, const struct lab_sides *sides, const char *profile)
{
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, profile);
	const struct tls_session_spec plain = { .role = TLS_ROLE_SERVER };
	struct base_error err = { 0 };

	if (tls_domain_new(&rude->domain, &spec, &err) ||
	    tls_context_new(&rude->context, rude->domain, &err))
		fail_msg("%s", err.text);
	assert_int_equal(tls_session_new(&rude->session, rude->context, &plain), 0);
}

/** Take the client's own keys, to write with them past its library. */
static void keys_take(struct rude *rude)
{
	gnutls_datum_t iv, key;
	uint8_t seq[8];
	struct base_reader r = base_reader_of(seq, sizeof(seq));

	assert_int_equal(gnutls_cipher_get(rude->tls), GNUTLS_CIPHER_AES_128_GCM);
	assert_int_equal(gnutls_record_get_state(rude->tls, 0, NULL, &iv, &key, seq), 0);
	assert_true(iv.size <= sizeof(rude->iv));
	memcpy(rude->iv, iv.data, iv.size);
	rude->seq = base_reader_u64(&r);
	rude->tls13 = gnutls_protocol_get_version(rude->tls) == GNUTLS_TLS1_3;
	assert_int_equal(gnutls_aead_cipher_init(&rude->aead, GNUTLS_CIPHER_AES_128_GCM, &key), 0);
}

void rude_open(struct rude *rude, const struct lab_sides *sides, const char *profile)
{
	size_t n;

	*rude = (struct rude){ 0 };
	client_open(rude);
	server_open(rude, sides, profile);
	for (int i = 0; i < 8 && gnutls_handshake(rude->tls) < 0; i++)
		(void)rude_read(rude, &n);
	(void)rude_read(rude, &n);
	assert_true(rude_info(rude).established);
	keys_take(rude);
}

void rude_close(struct rude *rude)
{
	tls_session_free(rude->session);
	tls_context_free(rude->context);
	tls_domain_unref(rude->domain);
	gnutls_deinit(rude->tls);
	gnutls_certificate_free_credentials(rude->cred);
	gnutls_aead_cipher_deinit(rude->aead);
	base_writer_done(&rude->out);
	base_writer_done(&rude->in);
}

static void put_u64(uint8_t *at, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		at[i] = (uint8_t)v;
}

/** RFC 5288, 3 and RFC 5246, 6.2.3.3; RFC 8446, 5.2 and 5.3. */
void rude_write(struct rude *rude, enum rude_type type, const void *data, size_t len)
{
	size_t extra = rude->tls13 ? 0 : 8, clear_len = len + rude->tls13;
	size_t body = extra + clear_len + TAG_LEN, sealed_len = clear_len + TAG_LEN;
	uint8_t head[5] = { rude->tls13 ? RUDE_DATA : (uint8_t)type, 3, 3, (uint8_t)(body >> 8),
		            (uint8_t)body };
	uint8_t nonce[12], aad[13], seq[8], *clear = malloc(clear_len + 1),
	                                    *sealed = malloc(sealed_len);

	assert_true(clear && sealed);
	memcpy(clear, data, len);
	clear[len] = (uint8_t)type;
	put_u64(seq, rude->seq++);
	memcpy(nonce, rude->iv, sizeof(nonce));
	if (rude->tls13) {
		for (int i = 0; i < 8; i++)
			nonce[4 + i] ^= seq[i];
		memcpy(aad, head, 5);
	} else {
		memcpy(nonce + 4, seq, 8);
		memcpy(aad, seq, 8);
		memcpy(aad + 8, head, 3);
		aad[11] = (uint8_t)(len >> 8);
		aad[12] = (uint8_t)len;
	}
	assert_int_equal(gnutls_aead_cipher_encrypt(rude->aead, nonce, sizeof(nonce), aad,
	                                            rude->tls13 ? 5 : 13, TAG_LEN, clear, clear_len,
	                                            sealed, &sealed_len),
	                 0);
	base_writer_put(&rude->out, head, sizeof(head));
	base_writer_put(&rude->out, seq, extra);
	base_writer_put(&rude->out, sealed, sealed_len);
	free(clear);
	free(sealed);
}

int rude_read(struct rude *rude, size_t *ret_len)
{
	struct tls_io io = { .in = base_reader_of(rude->out.data, rude->out.len),
		             .out = &rude->in };
	uint8_t clear[512];
	size_t n;
	int rc;

	*ret_len = 0;
	if (rude_info(rude).established) {
		do {
			rc = tls_session_read(rude->session, &io, clear, sizeof(clear), &n);
			*ret_len += n;
		} while (rc == 0 && n);
	} else {
		rc = tls_session_handshake(rude->session, &io);
	}
	base_writer_reset(&rude->out);
	return rc;
}

int rude_bye(struct rude *rude)
{
	struct tls_io io = { .out = &rude->in };

	return tls_session_close(rude->session, &io);
}

int rude_hears(struct rude *rude)
{
	uint8_t clear[64];
	ssize_t rc;

	do
		rc = gnutls_record_recv(rude->tls, clear, sizeof(clear));
	while (rc == GNUTLS_E_WARNING_ALERT_RECEIVED || rc == GNUTLS_E_REHANDSHAKE ||
	       (rc == GNUTLS_E_AGAIN && rude->read < rude->in.len));
	if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED)
		print_message("the client hears %s\n", gnutls_strerror((int)rc));
	return rc == GNUTLS_E_FATAL_ALERT_RECEIVED ? (int)gnutls_alert_get(rude->tls) : -1;
}

struct tls_info rude_info(const struct rude *rude)
{
	struct tls_info info;

	tls_session_info(rude->session, &info);
	return info;
}
