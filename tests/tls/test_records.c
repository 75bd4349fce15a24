/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Records of established sessions: what a rude, a hostile and a merely unusual client may write at
 * our servers. Which alert answers is the engine's choice where the RFCs leave one; that there is
 * an end, that both sides tell the same, and that the harmless goes on is ours to see.
 */
#include "pairs.h"
#include "rude.h"
#include "tls/engine.h"

/** Alerts that the server must send, by engine; -1 = it goes on, ENDS = as after close_notify,
 * WAITS = nothing is said yet. */
#define ENDS  (-2)
#define WAITS (-3)
struct alerts {
	int openssl, gnutls;
};

static int alert_of(void **state, const struct alerts *alerts)
{
	const struct lab_sides *sides = *state;

	return sides->server == TLS_ENGINE_OPENSSL ? alerts->openssl : alerts->gnutls;
}

/** The server has read what was written, and ended with `alert`, or goes on. */
static void expect(struct rude *rude, int alert, size_t which)
{
	size_t n;
	int rc = rude_read(rude, &n);
	struct tls_info info = rude_info(rude);

	assert_int_equal(n, 0);
	if (alert == ENDS) {
		assert_int_equal(rc, 0);
		assert_int_equal(info.alert, TLS_ALERT_CLOSE_NOTIFY);
		assert_int_equal(info.alert_side, TLS_SIDE_REMOTE);
		assert_string_equal(info.failure, "");
		assert_int_equal(rude_bye(rude), 0);
		assert_int_equal(rude_hears(rude), -1);
		return;
	}
	if (alert == WAITS) {
		assert_int_equal(rc, BASE_ERR(BASE_AGAIN, 0));
		return;
	}
	if (alert < 0) {
		if (rc != BASE_ERR(BASE_AGAIN, 0) || info.alert != -1)
			fail_msg("case %zu: alert %d: %s", which, info.alert, info.failure);
		rude_write(rude, RUDE_DATA, "on", 2);
		assert_int_equal(rude_read(rude, &n), BASE_ERR(BASE_AGAIN, 0));
		assert_int_equal(n, 2);
		return;
	}
	if (rc != BASE_ERR(BASE_PEER, alert))
		fail_msg("case %zu: %d, alert %d: %s", which, rc, info.alert, info.failure);
	assert_int_equal(info.alert, alert);
	assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
	if (rude_hears(rude) != alert)
		fail_msg("case %zu: the client heard something else", which);
}

struct raw_case {
	const char *profile;
	enum rude_type type;
	const char *data;
	size_t len;
	struct alerts alerts;
};

static void raw_records(void **state)
{
	static const struct raw_case cases[] = {
		{ "tls12", RUDE_DATA, "", 0, { -1, -1 } },
		{ "tls13", RUDE_DATA, "", 0, { -1, -1 } },
		{ "tls12", RUDE_CCS, "\x01", 1, { 10, 10 } },
		{ "tls13", RUDE_CCS, "\x01", 1, { 10, 10 } },
		{ "tls13", (enum rude_type)0, "", 0, { 10, 20 } }, /* RFC 8446, 5.4: 10 */
		{ "tls12", RUDE_ALERT, "", 0, { 10, -1 } },
		{ "tls12", RUDE_ALERT, "\x02", 1, { 10, 10 } },
		{ "tls12", RUDE_ALERT, "\x03\x28", 2, { 47, -1 } },
		{ "tls12", RUDE_ALERT, "\x01\x5a", 2, { -1, -1 } }, /* a warning */
		/* user_canceled is no error, and a close_notify comes after it (RFC 8446, 6.1) */
		{ "tls13", RUDE_ALERT, "\x01\x5a", 2, { -1, ENDS } },
		{ "tls12", RUDE_HANDSHAKE, "\x00\x00\x00\x00", 4, { 10, 10 } }, /* HelloRequest */
		{ "tls12", RUDE_HANDSHAKE, "\x14\x00\x00\x0c", 4, { 10, 10 } },
		{ "tls13", RUDE_HANDSHAKE, "\x04\x00\x00\x02xx", 6, { 10, 10 } }, /* a ticket */
		{ "tls13", RUDE_HANDSHAKE, "\x01\x00\x00\x02xx", 6, { 10, 10 } },
		{ "tls13", RUDE_HANDSHAKE, "\x18\x00\x00\x01\x02", 5, { 47, 47 } },
		{ "tls13", RUDE_HANDSHAKE, "\x18\x00\x00\x02\x00\x00", 6, { 47, 50 } },
		/* more after a KeyUpdate in its record (RFC 8446, 5.1); GnuTLS waits for the rest
		 */
		{ "tls13", RUDE_HANDSHAKE, "\x18\x00\x00\x01\x00\x18", 6, { 10, WAITS } },
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct rude rude;

		rude_open(&rude, *state, cases[i].profile);
		rude_write(&rude, cases[i].type, cases[i].data, cases[i].len);
		expect(&rude, alert_of(state, &cases[i].alerts), i);
		rude_close(&rude);
	}
}

/** Data may not stand inside a handshake message that is not complete (RFC 8446, 5.1). */
static void interleaved(void **state)
{
	struct rude rude;
	size_t n;

	rude_open(&rude, *state, "tls13");
	rude_write(&rude, RUDE_HANDSHAKE, "\x18\x00", 2);
	rude_write(&rude, RUDE_DATA, "x", 1);
	assert_int_equal(base_err_class(rude_read(&rude, &n)), BASE_PEER);
	assert_int_equal(n, 0);
	rude_close(&rude);
}

/** Records that cost us and bring nothing: there is an end to them. */
static void floods(void **state)
{
	static const struct {
		const char *profile;
		enum rude_type type;
		const char *data;
		size_t len;
	} cases[] = {
		{ "tls12", RUDE_DATA, "", 0 },
		{ "tls13", RUDE_DATA, "", 0 },
		{ "tls12", RUDE_ALERT, "\x01\x5a", 2 },
		{ "tls13", RUDE_ALERT, "\x01\x5a", 2 },
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct rude rude;
		int rc = 0, count = 0;
		bool end;
		size_t n;

		rude_open(&rude, *state, cases[i].profile);
		do {
			rude_write(&rude, cases[i].type, cases[i].data, cases[i].len);
			rc = rude_read(&rude, &n);
		} while (rc == BASE_ERR(BASE_AGAIN, 0) && ++count < 1000);
		if (rc && base_err_class(rc) != BASE_PEER)
			fail_msg("case %zu: %d records and no end", i, count);
		/* a few are nobody's crime, unless taken for an end */
		end = rude_info(&rude).alert_side == TLS_SIDE_REMOTE;
		if (count < 4 && !end)
			fail_msg("case %zu: %d records: %s", i, count, rude_info(&rude).failure);
		rude_close(&rude);
	}
}

/** A handshake message that claims 8 MiB is not collected. */
static void huge(void **state)
{
	static const uint8_t piece[16000] = { 1, 0x7f, 0xff, 0xff };
	struct rude rude;
	int rc, count = 0;
	size_t n;

	rude_open(&rude, *state, "tls12");
	do {
		rude_write(&rude, RUDE_HANDSHAKE, piece, sizeof(piece));
		rc = rude_read(&rude, &n);
	} while (rc == BASE_ERR(BASE_AGAIN, 0) && ++count < 20);
	assert_int_equal(base_err_class(rc), BASE_PEER);
	rude_close(&rude);
}

/** Heads that no record may have, before anything is decrypted. */
static void heads(void **state)
{
	static const struct {
		const char *profile, *head;
		struct alerts alerts;
	} cases[] = {
		{ "tls12", "\x17\x03\x03\x48\x01", { 22, 22 } }, /* 2^14 + 2049 */
		{ "tls13", "\x17\x03\x03\x41\x01", { 22, 22 } }, /* 2^14 + 257 */
		{ "tls12", "\x17\x03\x03\x00\x17", { 20, 20 } }, /* shorter than nonce and tag */
		{ "tls13", "\x17\x03\x03\x00\x10", { 20, 20 } },
		{ "tls12", "\x17\x02\x03\x00\x20", { 70, 70 } },
		{ "tls12", "\x18\x03\x03\x00\x20", { 20, 20 } },
		{ "tls13", "\x15\x03\x03\x00\x20", { 10, 20 } }, /* an alert in the clear */
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct rude rude;

		rude_open(&rude, *state, cases[i].profile);
		base_writer_put(&rude.out, cases[i].head, 5);
		base_writer_put(
		        &rude.out, (const uint8_t[19000]){ 0 },
		        (size_t)((uint8_t)cases[i].head[3] << 8 | (uint8_t)cases[i].head[4]));
		expect(&rude, alert_of(state, &cases[i].alerts), i);
		rude_close(&rude);
	}
}

/** A record replayed or left out fails its tag (the sequence number is in it). */
static void order(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct rude rude;
		struct base_writer copy = { 0 };
		size_t n;

		rude_open(&rude, *state, profiles[i]);
		rude_write(&rude, RUDE_DATA, "once", 4);
		base_writer_put(&copy, rude.out.data, rude.out.len);
		base_writer_put(&rude.out, copy.data, copy.len);
		assert_int_equal(rude_read(&rude, &n), BASE_ERR(BASE_PEER, 20));
		assert_int_equal(n, 4);
		rude_close(&rude);

		rude_open(&rude, *state, profiles[i]);
		rude_write(&rude, RUDE_DATA, "lost", 4);
		base_writer_reset(&rude.out);
		rude_write(&rude, RUDE_DATA, "late", 4);
		assert_int_equal(rude_read(&rude, &n), BASE_ERR(BASE_PEER, 20));
		assert_int_equal(n, 0);
		base_writer_done(&copy);
		rude_close(&rude);
	}
}

/** Padding of TLS 1.3 records is no data (RFC 8446, 5.4). */
static void padding(void **state)
{
	struct rude rude;
	size_t n;

	rude_open(&rude, *state, "tls13");
	/* Sealed as type 0: what precedes it is then data, type 23, three zeros. */
	rude_write(&rude, (enum rude_type)0, "text\x17\0\0", 7);
	assert_int_equal(rude_read(&rude, &n), BASE_ERR(BASE_AGAIN, 0));
	assert_int_equal(n, 4);
	rude_close(&rude);
}

/** A client may ask to renegotiate once, is told no, and may stay; it is not heard twice. */
static void renegotiation(void **state)
{
	struct rude rude;
	size_t n;

	rude_open(&rude, *state, "tls12");
	assert_int_equal(gnutls_handshake(rude.tls), GNUTLS_E_AGAIN);
	assert_int_equal(rude_read(&rude, &n), BASE_ERR(BASE_AGAIN, 0));
	/* no_renegotiation is a warning, and the session lives on (RFC 5246, 7.2.2) */
	assert_int_equal(gnutls_handshake(rude.tls), GNUTLS_E_WARNING_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(rude.tls), GNUTLS_A_NO_RENEGOTIATION);
	assert_int_equal(rude_info(&rude).alert, -1);
	for (int i = 0; i < 3; i++) {
		uint8_t clear[64];
		struct tls_io io = { .out = &rude.in };

		assert_int_equal(gnutls_record_send(rude.tls, "still here", 10), 10);
		assert_int_equal(rude_read(&rude, &n), BASE_ERR(BASE_AGAIN, 0));
		assert_int_equal(n, 10);
		assert_int_equal(tls_session_write(rude.session, &io, (const uint8_t *)"yes", 3),
		                 0);
		assert_int_equal(gnutls_record_recv(rude.tls, clear, sizeof(clear)), 3);
	}
	assert_int_equal(gnutls_handshake(rude.tls), GNUTLS_E_AGAIN);
	assert_int_equal(base_err_class(rude_read(&rude, &n)), BASE_PEER);
	assert_int_equal(rude_info(&rude).alert_side, TLS_SIDE_LOCAL);
	assert_true(rude_info(&rude).alert > 0);
	rude_close(&rude);
}

/**
 * The attack of 2009 (RFC 5746, 1): who stands in the middle has a session with us, and gives us
 * the first ClientHello of somebody else as its own wish to renegotiate, so that what it had said
 * before would count as that other's. OpenSSL's client signals by its suite, GnuTLS's by an empty
 * extension; 3.7 has both aborted.
 */
static void spliced(void **state)
{
	static const enum tls_engine victims[] = { TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };

	for (size_t i = 0; i < BASE_COUNT(victims); i++) {
		struct lab_sides sides = *(const struct lab_sides *)*state;
		struct tls_domain_spec s, c;
		struct lab_pair victim;
		struct tls_io io;
		struct rude rude;
		int rc;
		size_t n;

		sides.client = victims[i];
		s = lab_spec(&sides, TLS_ROLE_SERVER, "again");
		c = lab_spec(&sides, TLS_ROLE_CLIENT, "again");
		lab_pair_open(&victim, &s, &c, NULL, NULL);
		io = (struct tls_io){ .out = &victim.wire[TLS_ROLE_CLIENT] };
		(void)tls_session_handshake(victim.session[TLS_ROLE_CLIENT], &io);
		assert_true(io.out->len > 5 && io.out->data[0] == RUDE_HANDSHAKE);
		rude_open(&rude, &sides, "again");
		rude_write(&rude, RUDE_DATA, "order one pizza", 15);
		rude_write(&rude, RUDE_HANDSHAKE, io.out->data + 5, io.out->len - 5);
		rc = rude_read(&rude, &n);
		assert_int_equal(n, 15);
		assert_int_equal(rc, BASE_ERR(BASE_PEER, TLS_ALERT_HANDSHAKE_FAILURE));
		assert_int_equal(rude_info(&rude).renegotiations, 0);
		assert_int_equal(rude_hears(&rude), TLS_ALERT_HANDSHAKE_FAILURE);
		rude_close(&rude);
		lab_pair_close(&victim);
	}
}

/** RFC 8446, 4.6.3, asked by the peer, with and without a wish that we do the same. */
static void key_update(void **state)
{
	struct rude rude;
	size_t n;

	rude_open(&rude, *state, "tls13");
	for (int round = 0; round < 6; round++) {
		uint8_t clear[64];
		struct tls_io io = { .out = &rude.in };

		assert_int_equal(
		        gnutls_session_key_update(rude.tls, round % 2 ? GNUTLS_KU_PEER : 0), 0);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(gnutls_record_send(rude.tls, "question", 8), 8);
			assert_int_equal(rude_read(&rude, &n), BASE_ERR(BASE_AGAIN, 0));
			assert_int_equal(n, 8);
			assert_int_equal(
			        tls_session_write(rude.session, &io, (const uint8_t *)"answer", 6),
			        0);
			while (gnutls_record_recv(rude.tls, clear, sizeof(clear)) != 6)
				assert_true(rude.read < rude.in.len);
		}
	}
	rude_close(&rude);
}

/** Records on the wire. */
static size_t records_count(const struct base_writer *wire)
{
	struct base_reader r = base_reader_of(wire->data, wire->len);
	size_t count = 0;

	while (base_reader_left(&r)) {
		(void)base_reader_take(&r, 3);
		(void)base_reader_take(&r, base_reader_u16(&r));
		count++;
	}
	assert_false(r.failed);
	return count;
}

/** Before a key has protected too much, we change ours unasked (RFC 8446, 5.5). */
static void key_limit(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profiles[i]);
		struct lab_pair pair;
		struct tls_io io;

		lab_pair_open(&pair, &s, &c, NULL, NULL);
		lab_pair_shake(&pair);
		lab_assert_up(&pair);
		/* As if so many records had gone already. */
		pair.session[TLS_ROLE_SERVER]->records_out = TLS_KEY_RECORDS - 1;
		lab_pair_send(&pair, TLS_ROLE_SERVER, "fresh keys", 10);
		pair.session[TLS_ROLE_SERVER]->records_out = TLS_KEY_RECORDS - 1;
		io = (struct tls_io){ .out = &pair.wire[TLS_ROLE_SERVER] };
		assert_int_equal(tls_session_write(pair.session[TLS_ROLE_SERVER], &io,
		                                   (const uint8_t *)"x", 1),
		                 0);
		assert_int_equal(records_count(io.out), i ? 2 : 1);
		lab_pair_close(&pair);
	}
}

static const struct CMUnitTest servers[] = {
	cmocka_unit_test(raw_records), cmocka_unit_test(interleaved),
	cmocka_unit_test(floods),      cmocka_unit_test(huge),
	cmocka_unit_test(heads),       cmocka_unit_test(order),
	cmocka_unit_test(padding),     cmocka_unit_test(renegotiation),
	cmocka_unit_test(key_update),  cmocka_unit_test(spliced),
};

static const struct CMUnitTest pairs[] = {
	cmocka_unit_test(key_limit),
};

int main(void)
{
	int failed = pairs_run_servers(servers, BASE_COUNT(servers));

	return failed + pairs_run(pairs, BASE_COUNT(pairs));
}
