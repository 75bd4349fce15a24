/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What TLS 1.3 has beyond the versions before it: PSKs from outside with (EC)DHE only, nothing in
 * the first flight, keying material for others.
 */
#include <errno.h>
#include <gnutls/gnutls.h>

#include "pairs.h"
#include "tls/engine.h"
#include "tls/psk.h"
#include "visit.h"

/* -- external PSKs (RFC 8446, 4.2.9 and 4.2.11) ------------------------------------------------ */

static void psk_open(struct lab_pair *pair, const struct lab_sides *sides,
                     const struct tls_psk *psk)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "psk13");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "psk13");

	s.identity = NULL;
	s.psks = c.psks = psk;
	s.psk_count = c.psk_count = 1;
	lab_pair_open(pair, &s, &c, NULL, NULL);
}

/** The body of an extension of the ClientHello that was just written. */
static struct base_str extension_of(const struct base_writer *wire, uint16_t wanted)
{
	struct base_reader r = base_reader_of(wire->data, wire->len);
	struct base_reader all;

	(void)base_reader_take(&r, 5 + 4 + 2 + 32);
	(void)base_reader_take(&r, base_reader_u8(&r));
	(void)base_reader_take(&r, base_reader_u16(&r));
	(void)base_reader_take(&r, base_reader_u8(&r));
	all = base_reader_sub(&r, base_reader_u16(&r));
	while (base_reader_left(&all) && !all.failed) {
		uint16_t type = base_reader_u16(&all);
		uint16_t len = base_reader_u16(&all);
		const uint8_t *body = base_reader_take(&all, len);

		if (type == wanted && body)
			return (struct base_str){ (const char *)body, len };
	}
	return (struct base_str){ NULL, 0 };
}

static void with_dhe_and_no_other_way(void **state)
{
	const struct tls_psk psk = lab_psk("one", "0123456789abcdef");
	struct base_str modes, early;
	struct base_writer hello = { 0 };
	struct tls_io io = { .out = &hello };
	struct lab_pair pair;

	psk_open(&pair, *state, &psk);
	assert_int_equal(tls_session_handshake(pair.session[TLS_ROLE_CLIENT], &io),
	                 BASE_ERR(BASE_AGAIN, 0));
	modes = extension_of(&hello, 45);
	assert_int_equal(modes.len, 2);
	assert_memory_equal(modes.ptr, "\1\1", 2); /* psk_dhe_ke */
	assert_true(extension_of(&hello, 41).len > 0);
	early = extension_of(&hello, 42);
	assert_null(early.ptr);
	base_writer_done(&hello);
	lab_pair_again(&pair, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	for (int role = 0; role < 2; role++) {
		struct tls_info info = lab_info(&pair, (enum tls_role)role);

		assert_int_equal(info.version, 0x0304);
		assert_true(info.psk && !info.resumed);
		assert_string_equal(info.psk_identity, "one");
	}
	lab_pair_close(&pair);
}

static ssize_t far_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct base_writer *out = arg;

	base_writer_put(out, data, len);
	return (ssize_t)len;
}

static ssize_t far_pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	errno = EAGAIN;
	return -1;
}

static int far_wait(gnutls_transport_ptr_t arg, unsigned ms)
{
	(void)arg;
	(void)ms;
	return 0;
}

/** The ClientHello of a GnuTLS client of one PSK, by these priorities. */
static void far_hello(struct base_writer *out, const char *priorities)
{
	gnutls_psk_client_credentials_t cred;
	const gnutls_datum_t key = { (unsigned char *)"0123456789abcdef", 16 };
	gnutls_session_t tls;

	assert_int_equal(gnutls_init(&tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_psk_allocate_client_credentials(&cred), 0);
	assert_int_equal(gnutls_psk_set_client_credentials(cred, "one", &key, GNUTLS_PSK_KEY_RAW),
	                 0);
	assert_int_equal(gnutls_credentials_set(tls, GNUTLS_CRD_PSK, cred), 0);
	assert_int_equal(gnutls_priority_set_direct(tls, priorities, NULL), 0);
	gnutls_transport_set_ptr(tls, out);
	gnutls_transport_set_push_function(tls, far_push);
	gnutls_transport_set_pull_function(tls, far_pull);
	gnutls_transport_set_pull_timeout_function(tls, far_wait);
	assert_int_equal(gnutls_handshake(tls), GNUTLS_E_AGAIN);
	gnutls_deinit(tls);
	gnutls_psk_free_client_credentials(cred);
}

static unsigned give_psk(SSL *ssl, const char *hint, char *identity, unsigned identity_cap,
                         unsigned char *psk, unsigned cap)
{
	(void)ssl;
	(void)hint;
	assert_true(identity_cap > 3 && cap >= 16);
	memcpy(identity, "one", 4);
	memcpy(psk, "0123456789abcdef", 16);
	return 16;
}

/** Who proved himself by an external key is known by it when he resumes, as in TLS 1.2. */
static void resumed_by_an_external_key(void **state)
{
	const struct tls_psk psk = lab_psk("one", "0123456789abcdef");
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "psk13-tickets");
	SSL_SESSION *kept = NULL;
	SSL_CTX *ctx = visit_client_new(&kept);
	struct shop shop;
	struct visit v;

	spec.identity = NULL;
	spec.psks = &psk;
	spec.psk_count = 1;
	spec.client_auth = TLS_CLIENT_AUTH_REQUIRE; /* who has a key needs no certificate */
	spec.client_methods = TRUST_CA;
	shop_open(&shop, &spec);
	SSL_CTX_set_psk_client_callback(ctx, give_psk);
	v = visit(ctx, NULL, shop.context[0], NULL);
	assert_true(v.up && v.info.psk && !v.info.resumed);
	SSL_CTX_set_psk_client_callback(ctx, NULL);
	for (int i = 0; i < 3; i++) {
		assert_non_null(kept);
		v = visit(ctx, kept, shop.context[i & 1], NULL);
		assert_true(v.up && v.resumed);
		assert_true(v.info.psk && v.info.resumed);
	}
	SSL_SESSION_free(kept);
	SSL_CTX_free(ctx);
	shop_close(&shop);
}

/** "If no acceptable PSKs are found, the server SHOULD perform a non-PSK handshake if possible"
 * (RFC 8446, 4.2.11); a domain may refuse instead, by the alert that its profile wants. */
static void an_unknown_identity_beside_a_certificate(void **state)
{
	static const struct {
		const char *profile;
		bool refuse;
		int alert;
	} row[] = {
		{ "psk13", false, -1 },
		{ "psk13-told", false, -1 },
		{ "psk13-tickets", false, -1 },
		{ "psk13", true, TLS_ALERT_DECRYPT_ERROR },
		{ "psk13-tickets", true, TLS_ALERT_DECRYPT_ERROR },
		{ "psk13-told", true, TLS_ALERT_UNKNOWN_PSK_IDENTITY },
	};
	const struct lab_sides *sides = *state;
	const struct tls_psk known = lab_psk("alice", "0123456789abcdef");
	const struct tls_psk used = lab_psk("karla", "0123456789abcdef");

	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, row[i].profile);
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, row[i].profile);
		struct lab_pair pair;

		s.identity = sides->lab->server_ec;
		s.refuse_unknown_psk = row[i].refuse;
		c.server_methods = TRUST_CA;
		s.psks = &known;
		c.psks = &used;
		s.psk_count = c.psk_count = 1;
		lab_pair_open(&pair, &s, &c, NULL, NULL);
		lab_pair_shake(&pair);
		if (!row[i].refuse) {
			lab_assert_up(&pair);
			assert_false(lab_info(&pair, TLS_ROLE_SERVER).psk);
			assert_false(lab_info(&pair, TLS_ROLE_CLIENT).psk);
		} else {
			assert_false(lab_info(&pair, TLS_ROLE_SERVER).established);
			assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert, row[i].alert);
			assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert, row[i].alert);
			assert_string_equal(lab_info(&pair, TLS_ROLE_SERVER).failure,
			                    row[i].alert == TLS_ALERT_DECRYPT_ERROR
			                            ? TLS_PSK_FAILED
			                            : TLS_PSK_UNKNOWN);
		}
		/* The right one is still taken. */
		lab_pair_close(&pair);
		c.psks = &known;
		lab_pair_open(&pair, &s, &c, NULL, NULL);
		lab_pair_shake(&pair);
		lab_assert_up(&pair);
		assert_true(lab_info(&pair, TLS_ROLE_SERVER).psk);
		lab_pair_close(&pair);
	}
}

/** A client whose only way is psk_ke is refused; the same client with psk_dhe_ke is answered. */
static void psk_alone_is_refused(void **state)
{
	static const char *const priorities[] = {
		"NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SHA256:+GROUP-SECP256R1:+SIGN-ALL:+COMP-ALL:"
		"+PSK",
		"NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SHA256:+GROUP-SECP256R1:+SIGN-ALL:+COMP-ALL:"
		"+ECDHE-PSK",
	};
	const struct tls_psk psk = lab_psk("one", "0123456789abcdef");

	for (int i = 0; i < 2; i++) {
		struct base_writer hello = { 0 }, answer = { 0 };
		struct tls_io io = { .out = &answer };
		struct base_str modes;
		struct lab_pair pair;
		int rc;

		psk_open(&pair, *state, &psk);
		far_hello(&hello, priorities[i]);
		modes = extension_of(&hello, 45);
		assert_int_equal(modes.len, 2);
		assert_int_equal(modes.ptr[1], i);
		io.in = base_reader_of(hello.data, hello.len);
		rc = tls_session_handshake(pair.session[TLS_ROLE_SERVER], &io);
		assert_int_equal(base_err_class(rc), i ? BASE_AGAIN : BASE_PEER);
		assert_int_equal(answer.data[0], i ? 22 : 21);
		base_writer_done(&hello);
		base_writer_done(&answer);
		lab_pair_close(&pair);
	}
}

/* -- nothing in the first flight (RFC 8446, 4.2.10) -------------------------------------------- */

/** Carry one way, perhaps with the server's step. @return what the server said */
static int carry(SSL *ssl, struct tls_session *server, struct base_writer *out)
{
	char data[20000];
	int len = BIO_read(SSL_get_wbio(ssl), data, sizeof(data)), rc;
	struct tls_io io = { .in = base_reader_of(data, len > 0 ? (size_t)len : 0), .out = out };

	rc = tls_session_handshake(server, &io);
	if (out->len)
		assert_int_equal(BIO_write(SSL_get_rbio(ssl), out->data, (int)out->len),
		                 (int)out->len);
	base_writer_reset(out);
	return rc;
}

static void early_data_is_not_taken(void **state)
{
	const struct tls_session_spec plain = { .role = TLS_ROLE_SERVER };
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "tls13");
	struct base_writer out = { 0 };
	SSL_SESSION *kept = NULL;
	SSL_CTX *ctx = visit_client_new(&kept);
	struct tls_session *server;
	struct tls_info info;
	struct shop shop;
	uint8_t clear[64];
	size_t n = 0;
	int rc = -1;
	SSL *ssl;

	shop_open(&shop, &spec);
	assert_true(visit(ctx, NULL, shop.context[0], NULL).up);
	/* Nothing is promised ... */
	assert_int_equal(SSL_SESSION_get_max_early_data(kept), 0);
	/* ... and who sends it all the same is not heard before it has finished. */
	assert_int_equal(SSL_SESSION_set_max_early_data(kept, 1000), 1);
	ssl = SSL_new(ctx);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	assert_int_equal(SSL_set_session(ssl, kept), 1);
	assert_int_equal(tls_session_new(&server, shop.context[1], &plain), 0);
	SSL_set_connect_state(ssl);
	assert_int_equal(SSL_write_early_data(ssl, "too early", 9, &n), 1);
	for (int i = 0; i < 5 && (rc = carry(ssl, server, &out)); i++)
		(void)SSL_do_handshake(ssl);
	tls_session_info(server, &info);
	assert_int_equal(SSL_get_early_data_status(ssl), SSL_EARLY_DATA_REJECTED);
	assert_int_equal(rc, 0);
	assert_true(info.established);
	/* What it says now is heard, and is all that is. */
	assert_int_equal(SSL_write_ex(ssl, "in time", 7, &n), 1);
	{
		char data[2000];
		int len = BIO_read(SSL_get_wbio(ssl), data, sizeof(data));
		struct tls_io io = { .in = base_reader_of(data, (size_t)len), .out = &out };

		assert_int_equal(tls_session_read(server, &io, clear, sizeof(clear), &n), 0);
		assert_int_equal(n, 7);
		assert_memory_equal(clear, "in time", 7);
	}
	SSL_free(ssl);
	tls_session_free(server);
	base_writer_done(&out);
	SSL_SESSION_free(kept);
	SSL_CTX_free(ctx);
	shop_close(&shop);
}

/* -- keying material for others (RFC 5705; RFC 8446, 7.5) -------------------------------------- */

static void exports(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };
	const struct base_str context = BASE_STR("context"), empty = { "", 0 };
	const struct {
		const char *label;
		const struct base_str *context;
		size_t len;
	} row[] = { { "EXPERIMENTAL one", NULL, 40 },
		    { "EXPERIMENTAL two", NULL, 40 },
		    { "EXPERIMENTAL one", &context, 40 },
		    { "EXPERIMENTAL one", &empty, 40 } };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profiles[i]);
		struct base_secret key[BASE_COUNT(row)][2] = { 0 };
		struct lab_pair pair;

		lab_pair_open(&pair, &s, &c, NULL, NULL);
		assert_int_equal(base_err_class(tls_session_export(pair.session[0], row[0].label,
		                                                   NULL, 40, &key[0][0])),
		                 BASE_BUG);
		lab_pair_shake(&pair);
		lab_assert_up(&pair);
		for (size_t k = 0; k < BASE_COUNT(row); k++) {
			for (int role = 0; role < 2; role++)
				assert_int_equal(tls_session_export(pair.session[role],
				                                    row[k].label, row[k].context,
				                                    row[k].len, &key[k][role]),
				                 0);
			assert_int_equal(key[k][0].len, row[k].len);
			assert_memory_equal(key[k][0].data, key[k][1].data, row[k].len);
			/* None and an empty context are one in TLS 1.3 (RFC 8446, 7.5) only. */
			for (size_t other = 0; other < k; other++)
				if (!(i == 1 && k == 3 && other == 0))
					assert_memory_not_equal(key[k][0].data, key[other][0].data,
					                        row[k].len);
		}
		for (size_t k = 0; k < BASE_COUNT(row); k++)
			for (int role = 0; role < 2; role++)
				base_secret_done(&key[k][role]);
		lab_pair_close(&pair);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(with_dhe_and_no_other_way),
	cmocka_unit_test(psk_alone_is_refused),
	cmocka_unit_test(resumed_by_an_external_key),
	cmocka_unit_test(an_unknown_identity_beside_a_certificate),
	cmocka_unit_test(early_data_is_not_taken),
	cmocka_unit_test(exports),
};

int main(void)
{
	return pairs_run(tests, BASE_COUNT(tests));
}
