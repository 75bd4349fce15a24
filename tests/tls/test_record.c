/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The record layer of established sessions: what a rude, a hostile and a merely unusual peer may
 * send. Our own client session is made to write what it never would.
 */
#include <openssl/ssl.h>

#include "lab.h"
#include "pairs.h"
#include "tls/record.h"

static void pair_up(void **state, struct lab_pair *pair, const char *profile)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profile);

	lab_pair_open(pair, &s, &c, NULL, NULL);
	lab_pair_shake(pair);
	lab_assert_up(pair);
}

/** Both sides must be on the record layer, or these tests prove nothing. */
static bool on_records(const struct lab_pair *pair)
{
	if (pair->session[0]->record && pair->session[1]->record)
		return true;
	print_message("left out: an engine keeps its sessions\n");
	return false;
}

/** The client writes a record of any type; in TLS 1.3 `data` ends where the type goes. */
static void write_raw(struct lab_pair *pair, enum tls_role from, enum tls_content type,
                      const void *data, size_t len)
{
	struct tls_io io = { .out = &pair->wire[from] };

	pair->session[from]->io = &io;
	assert_int_equal(tls_record_seal(pair->session[from], type, data, len), 0);
	pair->session[from]->io = NULL;
}

static int server_reads(struct lab_pair *pair, size_t *ret_len)
{
	uint8_t clear[256];

	return lab_pair_read(pair, TLS_ROLE_SERVER, clear, sizeof(clear), ret_len);
}

struct raw_case {
	const char *profile;
	enum tls_content type;
	const char *data;
	size_t len;
	int alert; /**< that the server must send; -1 = it goes on */
};

static void raw_records(void **state)
{
	static const struct raw_case cases[] = {
		{ "tls12", TLS_DATA, "", 0, -1 },
		{ "tls13", TLS_DATA, "", 0, -1 },
		{ "tls12", TLS_CCS, "\x01", 1, 10 },
		{ "tls13", TLS_CCS, "\x01", 1, 10 },
		{ "tls13", (enum tls_content)0, "", 0, 10 },
		{ "tls12", TLS_ALERT, "", 0, 10 },
		{ "tls12", TLS_ALERT, "\x02", 1, 50 },
		{ "tls12", TLS_ALERT, "\x03\x28", 2, 50 },
		{ "tls12", TLS_ALERT, "\x01\x5a", 2, -1 }, /* warning */
		{ "tls13", TLS_ALERT, "\x01\x5a", 2, -1 }, /* user_canceled */
		{ "tls12", TLS_HANDSHAKE, "\x00\x00\x00\x00", 4,
		  10 }, /* HelloRequest to a server */
		{ "tls12", TLS_HANDSHAKE, "\x01\x00\x00\x02xx", 6, -1 }, /* ClientHello: refused */
		{ "tls12", TLS_HANDSHAKE, "\x14\x00\x00\x0c", 4, 10 },
		{ "tls12", TLS_HANDSHAKE, "\x01\x7f\xff\xff", 4, 50 },
		{ "tls13", TLS_HANDSHAKE, "\x04\x00\x00\x02xx", 6, 10 }, /* ticket to a server */
		{ "tls13", TLS_HANDSHAKE, "\x01\x00\x00\x02xx", 6, 10 },
		{ "tls13", TLS_HANDSHAKE, "\x18\x00\x00\x01\x02", 5, 47 },
		{ "tls13", TLS_HANDSHAKE, "\x18\x00\x00\x02\x00\x00", 6, 10 },
		{ "tls13", TLS_HANDSHAKE, "\x18\x00\x00\x01\x00\x18", 6, 10 }, /* more after it */
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		const struct raw_case *t = &cases[i];
		struct tls_info info;
		struct lab_pair pair;
		size_t n;
		int rc;

		pair_up(state, &pair, t->profile);
		if (!on_records(&pair)) {
			lab_pair_close(&pair);
			return;
		}
		write_raw(&pair, TLS_ROLE_CLIENT, t->type, t->data, t->len);
		rc = server_reads(&pair, &n);
		info = lab_info(&pair, TLS_ROLE_SERVER);
		assert_int_equal(n, 0);
		if (t->alert < 0) {
			if (info.alert != -1)
				fail_msg("case %zu: alert %d", i, info.alert);
			assert_int_equal(rc, BASE_ERR(BASE_AGAIN, 0));
			lab_pair_send(&pair, TLS_ROLE_CLIENT, "on", 2);
		} else {
			if (rc != BASE_ERR(BASE_PEER, t->alert))
				fail_msg("case %zu: %d", i, rc);
			assert_int_equal(info.alert, t->alert);
			assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
			rc = lab_pair_read(&pair, TLS_ROLE_CLIENT, (uint8_t[16]){ 0 }, 16, &n);
			assert_int_equal(rc, BASE_ERR(BASE_PEER, t->alert));
		}
		lab_pair_close(&pair);
	}
}

/** Data may not stand inside a handshake message that is not complete (RFC 8446, 5.1). */
static void interleaved(void **state)
{
	struct lab_pair pair;
	size_t n;

	pair_up(state, &pair, "tls13");
	if (on_records(&pair)) {
		write_raw(&pair, TLS_ROLE_CLIENT, TLS_HANDSHAKE, "\x18\x00", 2);
		write_raw(&pair, TLS_ROLE_CLIENT, TLS_DATA, "x", 1);
		assert_int_equal(server_reads(&pair, &n), BASE_ERR(BASE_PEER, 10));
	}
	lab_pair_close(&pair);
}

/** Records without data cost us and bring nothing; there is an end to them. */
static void flood(void **state)
{
	struct lab_pair pair;
	size_t n;

	pair_up(state, &pair, "tls12");
	if (on_records(&pair)) {
		for (int i = 0; i < 32; i++)
			write_raw(&pair, TLS_ROLE_CLIENT, TLS_DATA, "", 0);
		assert_int_equal(server_reads(&pair, &n), BASE_ERR(BASE_AGAIN, 0));
		lab_pair_send(&pair, TLS_ROLE_CLIENT, "fine", 4);
		for (int i = 0; i < 33; i++)
			write_raw(&pair, TLS_ROLE_CLIENT, TLS_DATA, "", 0);
		assert_int_equal(server_reads(&pair, &n), BASE_ERR(BASE_PEER, 10));
	}
	lab_pair_close(&pair);
}

/** Heads that no record may have, before anything is decrypted. */
static void heads(void **state)
{
	static const struct {
		const char *profile, *head;
		int alert;
	} cases[] = {
		{ "tls12", "\x17\x03\x03\x48\x01", 22 }, /* 2^14 + 2049 */
		{ "tls13", "\x17\x03\x03\x41\x01", 22 }, /* 2^14 + 257 */
		{ "tls12", "\x17\x03\x03\x00\x17", 20 }, /* shorter than nonce and tag */
		{ "tls13", "\x17\x03\x03\x00\x10", 20 },
		{ "tls12", "\x17\x02\x03\x00\x20", 70 },
		{ "tls12", "\x18\x03\x03\x00\x20", 10 },
		{ "tls13", "\x15\x03\x03\x00\x20", 10 }, /* an alert in the clear */
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct lab_pair pair;
		size_t n;

		pair_up(state, &pair, cases[i].profile);
		if (on_records(&pair)) {
			base_writer_put(&pair.wire[TLS_ROLE_CLIENT], cases[i].head, 5);
			assert_int_equal(server_reads(&pair, &n),
			                 BASE_ERR(BASE_PEER, cases[i].alert));
		}
		lab_pair_close(&pair);
	}
}

/** A record replayed, left out or moved fails its tag (the sequence number is in it). */
static void order(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		struct base_writer *wire = &pair.wire[TLS_ROLE_CLIENT];
		size_t n, len;

		pair_up(state, &pair, profiles[i]);
		if (on_records(&pair)) {
			write_raw(&pair, TLS_ROLE_CLIENT, TLS_DATA, "once", 4);
			len = wire->len;
			assert_true(base_writer_reserve(wire, len));
			base_writer_put(wire, wire->data, len);
			assert_int_equal(server_reads(&pair, &n), 0);
			assert_int_equal(n, 4);
			assert_int_equal(server_reads(&pair, &n), BASE_ERR(BASE_PEER, 20));
		}
		lab_pair_close(&pair);
	}
}

/** Padding of TLS 1.3 records is no data (RFC 8446, 5.4). */
static void padding(void **state)
{
	struct lab_pair pair;
	uint8_t clear[64];
	size_t n;

	pair_up(state, &pair, "tls13");
	if (on_records(&pair)) {
		/* Sealed as type 0: what precedes it is then data, type 23, three zeros. */
		write_raw(&pair, TLS_ROLE_CLIENT, (enum tls_content)0, "text\x17\0\0", 7);
		assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n),
		                 0);
		assert_int_equal(n, 4);
		assert_memory_equal(clear, "text", 4);
	}
	lab_pair_close(&pair);
}

/* -- with libssl at the other end -------------------------------------------------------------- */

struct visit {
	SSL_CTX *ctx;
	SSL *ssl;
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session;
	struct base_writer out;
	uint8_t clear[4096];
	size_t len;
};

/** Carry all the client has said to us, and our answer back. @return our last result */
static int carry(struct visit *v)
{
	char data[20000];
	int len = BIO_read(SSL_get_wbio(v->ssl), data, sizeof(data));
	struct tls_io io = { .in = base_reader_of(data, len > 0 ? (size_t)len : 0),
		             .out = &v->out };
	int rc;

	v->len = 0;
	rc = v->session->established
	             ? tls_session_read(v->session, &io, v->clear, sizeof(v->clear), &v->len)
	             : tls_session_handshake(v->session, &io);
	if (v->out.len)
		(void)BIO_write(SSL_get_rbio(v->ssl), v->out.data, (int)v->out.len);
	base_writer_reset(&v->out);
	return rc;
}

static void visit_open(void **state, struct visit *v, const char *profile)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profile);
	const struct tls_session_spec plain = { .role = TLS_ROLE_SERVER };
	struct base_error err = { 0 };

	*v = (struct visit){ .ctx = SSL_CTX_new(TLS_client_method()) };
	v->ssl = SSL_new(v->ctx);
	assert_non_null(v->ssl);
	SSL_set_bio(v->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(v->ssl);
	if (tls_domain_new(&v->domain, &spec, &err))
		fail_msg("%s", err.text);
	assert_int_equal(tls_context_new(&v->context, v->domain, &err), 0);
	assert_int_equal(tls_session_new(&v->session, v->context, &plain), 0);
	while (SSL_do_handshake(v->ssl) != 1)
		(void)carry(v);
	(void)carry(v);
	assert_true(v->session->established);
}

static void visit_close(struct visit *v)
{
	tls_session_free(v->session);
	tls_context_free(v->context);
	tls_domain_unref(v->domain);
	base_writer_done(&v->out);
	SSL_free(v->ssl);
	SSL_CTX_free(v->ctx);
}

/** A text from the client to us and one back. */
static void talk(struct visit *v)
{
	struct tls_io io = { .out = &v->out };
	char text[16];

	assert_int_equal(SSL_write(v->ssl, "question", 8), 8);
	assert_int_equal(carry(v), 0);
	assert_int_equal(v->len, 8);
	assert_memory_equal(v->clear, "question", 8);
	assert_int_equal(tls_session_write(v->session, &io, (const uint8_t *)"answer", 6), 0);
	(void)BIO_write(SSL_get_rbio(v->ssl), v->out.data, (int)v->out.len);
	base_writer_reset(&v->out);
	assert_int_equal(SSL_read(v->ssl, text, sizeof(text)), 6);
	assert_memory_equal(text, "answer", 6);
}

/** RFC 8446, 4.6.3, asked by the peer, with and without a wish that we do the same. */
static void key_update(void **state)
{
	static const int kinds[] = { SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED };
	struct visit v;

	visit_open(state, &v, "tls13");
	talk(&v);
	for (int round = 0; round < 6; round++) {
		assert_int_equal(SSL_key_update(v.ssl, kinds[round % 2]), 1);
		talk(&v);
		talk(&v);
	}
	visit_close(&v);
}

/** Before a key has protected too much, we change ours unasked (RFC 8446, 5.5). */
static void key_limit(void **state)
{
	struct lab_pair pair;

	pair_up(state, &pair, "tls13");
	if (on_records(&pair)) {
		struct tls_record *server = pair.session[TLS_ROLE_SERVER]->record;
		struct tls_record *client = pair.session[TLS_ROLE_CLIENT]->record;

		/* As if so many records had gone already. */
		server->out.seq = client->in.seq = (uint64_t)1 << 24;
		lab_pair_send(&pair, TLS_ROLE_SERVER, "fresh keys", 10);
		assert_int_equal(server->out.seq, 1);
		assert_int_equal(client->in.seq, 1);
	}
	lab_pair_close(&pair);
}

/** A client's wish to renegotiate is refused by a warning; the session is not harmed by it. */
static void renegotiation(void **state)
{
	struct visit v;
	struct tls_info info;

	visit_open(state, &v, "tls12");
	talk(&v);
	assert_int_equal(SSL_renegotiate(v.ssl), 1);
	(void)SSL_do_handshake(v.ssl);
	assert_int_equal(base_err_class(carry(&v)), BASE_AGAIN);
	tls_session_info(v.session, &info);
	assert_int_equal(info.alert, -1);
	assert_true(info.established);
	/* libssl takes no for a failure and says so (RFC 5246, 7.2.2 leaves it that). */
	assert_int_equal(SSL_do_handshake(v.ssl), -1);
	visit_close(&v);
}

static const struct CMUnitTest pairs[] = {
	cmocka_unit_test(raw_records), cmocka_unit_test(interleaved), cmocka_unit_test(flood),
	cmocka_unit_test(heads),       cmocka_unit_test(order),       cmocka_unit_test(padding),
	cmocka_unit_test(key_limit),
};

static const struct CMUnitTest servers[] = {
	cmocka_unit_test(key_update),
	cmocka_unit_test(renegotiation),
};

int main(void)
{
	int failed = pairs_run(pairs, BASE_COUNT(pairs));

	return failed + pairs_run_servers(servers, BASE_COUNT(servers));
}
