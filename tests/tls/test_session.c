/* SPDX-License-Identifier: Apache-2.0 */
/** @file The suite that every pair of engines must pass: handshakes, data, ends. */
#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"

/* -- versions and suites --------------------------------------------------------------------- */

static void version_case(const struct lab_sides *sides, const char *server, const char *client,
                         uint16_t version)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, server);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, client);
	struct lab_pair pair;

	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	for (int role = 0; role < 2; role++) {
		struct tls_info info = lab_info(&pair, (enum tls_role)role);

		assert_int_equal(info.version, version);
		assert_int_not_equal(info.suite, 0);
		assert_true(strncmp(info.suite_name, "TLS_", 4) == 0);
		assert_int_equal(info.alert, -1);
		assert_false(info.resumed);
		assert_false(info.psk);
	}
	lab_pair_send(&pair, TLS_ROLE_CLIENT, "hello", 5);
	lab_pair_send(&pair, TLS_ROLE_SERVER, "world", 5);
	lab_pair_close(&pair);
}

static void versions(void **state)
{
	const struct lab_sides *sides = *state;

	version_case(sides, "old", "tls10", 0x0301);
	version_case(sides, "old", "tls11", 0x0302);
	version_case(sides, "modern", "tls12", 0x0303);
	version_case(sides, "modern", "modern", 0x0304);
	version_case(sides, "tls13", "modern", 0x0304);
	version_case(sides, "tls11", "old", 0x0302);
}

/** No version in common: protocol_version, told by both (RFC 5246, E.1; RFC 8446, 4.2.1). */
static void versions_apart(void **state)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "tls13");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "tls12");
	struct lab_pair pair;

	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	assert_int_equal(pair.result[TLS_ROLE_SERVER], BASE_ERR(BASE_PEER, 70));
	assert_int_equal(pair.result[TLS_ROLE_CLIENT], BASE_ERR(BASE_PEER, 70));
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert_side, TLS_SIDE_LOCAL);
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert_side, TLS_SIDE_REMOTE);
	assert_string_not_equal(lab_info(&pair, TLS_ROLE_CLIENT).failure, "");
	lab_pair_close(&pair);
}

static uint16_t suite_of(const struct lab_sides *sides, const char *server, const char *client)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, server);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, client);
	struct lab_pair pair;
	uint16_t suite;

	s.identity = sides->lab->server_rsa;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	suite = lab_info(&pair, TLS_ROLE_SERVER).suite;
	assert_int_equal(suite, lab_info(&pair, TLS_ROLE_CLIENT).suite);
	lab_pair_send(&pair, TLS_ROLE_CLIENT, "hello", 5);
	lab_pair_close(&pair);
	return suite;
}

/** The server's profile has the word, whatever the client prefers. */
static void precedence(void **state)
{
	assert_int_equal(suite_of(*state, "tls12", "tls12-reverse"), 0xc02f);
	assert_int_equal(suite_of(*state, "tls12-reverse", "tls12"), 0x002f);
}

/* -- data and ends --------------------------------------------------------------------------- */

static void pair_up(void **state, struct lab_pair *pair, const char *profile)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profile);

	lab_pair_open(pair, &s, &c, NULL, NULL);
	lab_pair_shake(pair);
	lab_assert_up(pair);
}

/** Octet by octet through handshake and data. */
static void trickle(void **state)
{
	static const char *const profiles[] = { "tls10", "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profiles[i]);
		struct lab_pair pair;

		lab_pair_open(&pair, &s, &c, NULL, NULL);
		pair.chunk = 1;
		lab_pair_shake(&pair);
		lab_assert_up(&pair);
		lab_pair_send(&pair, TLS_ROLE_CLIENT, "one octet at a time", 19);
		lab_pair_send(&pair, TLS_ROLE_SERVER, "and back again", 14);
		lab_pair_close(&pair);
	}
}

/** A record cut at every place: the first part alone is nothing, the rest completes it. */
static void cuts(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		size_t total = 2;

		pair_up(state, &pair, profiles[i]);
		for (size_t cut = 1; cut < total; cut++) {
			struct base_writer *wire = &pair.wire[TLS_ROLE_CLIENT];
			struct tls_io io = { .out = wire };
			struct tls_io part = { .out = &pair.wire[TLS_ROLE_SERVER] };
			uint8_t clear[64];
			size_t n;

			assert_int_equal(tls_session_write(pair.session[TLS_ROLE_CLIENT], &io,
			                                   (const uint8_t *)"in two parts", 12),
			                 0);
			total = wire->len;
			part.in = base_reader_of(wire->data, cut);
			assert_int_equal(tls_session_read(pair.session[TLS_ROLE_SERVER], &part,
			                                  clear, sizeof(clear), &n),
			                 BASE_ERR(BASE_AGAIN, 0));
			assert_int_equal(n, 0);
			assert_int_equal(base_reader_left(&part.in), 0);
			part.in = base_reader_of(wire->data + cut, wire->len - cut);
			assert_int_equal(tls_session_read(pair.session[TLS_ROLE_SERVER], &part,
			                                  clear, sizeof(clear), &n),
			                 0);
			assert_int_equal(n, 12);
			assert_memory_equal(clear, "in two parts", 12);
			base_writer_reset(wire);
		}
		lab_pair_close(&pair);
	}
}

/** A megabyte each way, whole and in odd pieces; records are full ones and are counted. */
static void bulk(void **state)
{
	const size_t len = 1 << 20;
	uint8_t *data = malloc(len);
	struct lab_pair pair;

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 31 + (i >> 8));
	pair_up(state, &pair, "modern");
	lab_pair_send(&pair, TLS_ROLE_CLIENT, data, len);
	pair.chunk = 4097;
	lab_pair_send(&pair, TLS_ROLE_SERVER, data, len);
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).records_out, 64);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).records_in, 64);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).records_out, 64);
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).records_in, 64);
	lab_pair_close(&pair);
	free(data);
}

/** All complete records are read in one call, however many there are. */
static void many_records(void **state)
{
	uint8_t clear[4096];
	struct lab_pair pair;
	struct tls_io io;
	size_t n;

	pair_up(state, &pair, "tls12");
	io = (struct tls_io){ .out = &pair.wire[TLS_ROLE_CLIENT] };
	for (int i = 0; i < 10; i++)
		assert_int_equal(tls_session_write(pair.session[TLS_ROLE_CLIENT], &io,
		                                   (const uint8_t *)"0123456789", 10),
		                 0);
	assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n), 0);
	assert_int_equal(n, 100);
	/* A small buffer takes a part of a record and the rest later. */
	assert_int_equal(tls_session_write(pair.session[TLS_ROLE_CLIENT], &io,
	                                   (const uint8_t *)"0123456789", 10),
	                 0);
	assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, 4, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n), 0);
	assert_int_equal(n, 6);
	assert_memory_equal(clear, "456789", 6);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).records_in, 11);
	lab_pair_close(&pair);
}

/** close_notify ends one direction only; both sides tell who began. */
static void half_close(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		struct tls_io io;
		uint8_t clear[64];
		size_t n = 1;

		pair_up(state, &pair, profiles[i]);
		io = (struct tls_io){ .out = &pair.wire[TLS_ROLE_CLIENT] };
		assert_int_equal(tls_session_write(pair.session[TLS_ROLE_CLIENT], &io,
		                                   (const uint8_t *)"last", 4),
		                 0);
		assert_int_equal(tls_session_close(pair.session[TLS_ROLE_CLIENT], &io), 0);
		assert_int_equal(tls_session_close(pair.session[TLS_ROLE_CLIENT], &io), 0);
		assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n),
		                 0);
		assert_int_equal(n, 4);
		assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n),
		                 0);
		assert_int_equal(n, 0);
		/* The other direction lives on, with any amount of data. */
		lab_pair_send(&pair, TLS_ROLE_SERVER, "still here", 10);
		lab_pair_send(&pair, TLS_ROLE_SERVER, "and here", 8);
		io.out = &pair.wire[TLS_ROLE_SERVER];
		assert_int_equal(tls_session_close(pair.session[TLS_ROLE_SERVER], &io), 0);
		assert_int_equal(lab_pair_read(&pair, TLS_ROLE_CLIENT, clear, sizeof(clear), &n),
		                 0);
		assert_int_equal(n, 0);
		assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert, 0);
		assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert_side, TLS_SIDE_LOCAL);
		assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert, 0);
		assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert_side, TLS_SIDE_REMOTE);
		lab_pair_close(&pair);
	}
}

/** One flipped bit: bad_record_mac from us, heard there (RFC 5246, 7.2.2). */
static void tampered(void **state)
{
	static const char *const profiles[] = { "tls10", "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct lab_pair pair;
		struct base_writer *wire;
		struct tls_io io;
		uint8_t clear[64];
		size_t n;

		pair_up(state, &pair, profiles[i]);
		wire = &pair.wire[TLS_ROLE_CLIENT];
		io = (struct tls_io){ .out = wire };
		assert_int_equal(tls_session_write(pair.session[TLS_ROLE_CLIENT], &io,
		                                   (const uint8_t *)"genuine", 7),
		                 0);
		wire->data[wire->len - 1] ^= 1;
		assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n),
		                 BASE_ERR(BASE_PEER, 20));
		assert_int_equal(n, 0);
		assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert, 20);
		assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert_side, TLS_SIDE_LOCAL);
		assert_int_equal(lab_pair_read(&pair, TLS_ROLE_CLIENT, clear, sizeof(clear), &n),
		                 BASE_ERR(BASE_PEER, 20));
		assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert_side, TLS_SIDE_REMOTE);
		/* It stays ended. */
		assert_int_not_equal(tls_session_write(pair.session[TLS_ROLE_SERVER], &io,
		                                       (const uint8_t *)"x", 1),
		                     0);
		lab_pair_close(&pair);
	}
}

/** Records before the damaged one are delivered, then the failure. */
static void data_before_failure(void **state)
{
	struct lab_pair pair;
	struct base_writer *wire;
	struct tls_io io;
	uint8_t clear[64];
	size_t n;

	pair_up(state, &pair, "tls12");
	wire = &pair.wire[TLS_ROLE_CLIENT];
	io = (struct tls_io){ .out = wire };
	assert_int_equal(
	        tls_session_write(pair.session[TLS_ROLE_CLIENT], &io, (const uint8_t *)"good", 4),
	        0);
	assert_int_equal(
	        tls_session_write(pair.session[TLS_ROLE_CLIENT], &io, (const uint8_t *)"bad", 3),
	        0);
	wire->data[wire->len - 1] ^= 1;
	assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n),
	                 BASE_ERR(BASE_PEER, 20));
	lab_pair_close(&pair);
}

/** What is no TLS at all gets a fatal alert, and the session says so. */
static void garbage(void **state)
{
	static const char *const text[] = {
		"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n",
		"INVITE sip:a@b SIP/2.0\r\n",
		"\x80\x05\x01\x00\x02\x00\x15\x00\x00\x00",
		"\x16\x03\x01\xff\xff\xff\xff\xff\xff\xff",
		"\x17\x03\x03\x7f\x05hello",
	};
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "modern");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "modern");
	struct lab_pair pair;

	lab_pair_open(&pair, &s, &c, NULL, NULL);
	for (size_t i = 0; i < BASE_COUNT(text); i++) {
		struct base_writer *out = &pair.wire[TLS_ROLE_SERVER];
		struct tls_io io = { .in = base_reader_of(text[i], i < 2 ? strlen(text[i]) : 10),
			             .out = out };
		struct tls_info info;
		int rc;

		lab_pair_again(&pair, NULL, NULL);
		rc = tls_session_handshake(pair.session[TLS_ROLE_SERVER], &io);
		assert_int_equal(base_err_class(rc), BASE_PEER);
		info = lab_info(&pair, TLS_ROLE_SERVER);
		assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
		assert_string_not_equal(info.failure, "");
		/* The last record written is the alert that was told. */
		assert_true(out->len >= 7);
		assert_int_equal(out->data[out->len - 7], 21);
		assert_int_equal(out->data[out->len - 2], 2);
		assert_int_equal(out->data[out->len - 1], info.alert);
		assert_int_equal(tls_session_handshake(pair.session[TLS_ROLE_SERVER], &io), rc);
	}
	lab_pair_close(&pair);
}

/** An abort of ours reaches the peer as a fatal alert, before, during and after the handshake. */
static void aborts(void **state)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "modern");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "modern");
	struct lab_pair pair;
	struct tls_io io;
	uint8_t clear[16];
	size_t n;
	int rc;

	lab_pair_open(&pair, &s, &c, NULL, NULL);
	io = (struct tls_io){ .out = &pair.wire[TLS_ROLE_SERVER] };
	tls_session_abort(pair.session[TLS_ROLE_SERVER], &io, 80);
	assert_int_equal(pair.wire[TLS_ROLE_SERVER].len, 7);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert, 80);
	lab_pair_again(&pair, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	tls_session_abort(pair.session[TLS_ROLE_SERVER], &io, 80);
	rc = lab_pair_read(&pair, TLS_ROLE_CLIENT, clear, sizeof(clear), &n);
	assert_int_equal(base_err_class(rc), BASE_PEER);
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert_side, TLS_SIDE_REMOTE);
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert,
	                 lab_info(&pair, TLS_ROLE_SERVER).alert);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert_side, TLS_SIDE_LOCAL);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).version, 0x0304);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert, 80);
	lab_pair_close(&pair);
}

/** RFC 7627, 5.3: whoever insists on extended_master_secret aborts without it. */
static void master_secret(void **state)
{
	static const char *const insists[] = { "ems", "no-ems" };

	for (int i = 0; i < 2; i++) {
		struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, insists[i]);
		struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, insists[1 - i]);
		struct lab_pair pair;

		lab_pair_open(&pair, &s, &c, NULL, NULL);
		lab_pair_shake(&pair);
		assert_int_equal(pair.result[0], BASE_ERR(BASE_PEER, 40));
		assert_int_equal(pair.result[1], BASE_ERR(BASE_PEER, 40));
		lab_pair_close(&pair);
	}
	version_case(*state, "ems", "ems", 0x0303);
}

/** No room for what must be sent is our failure, not the peer's. */
static void no_room(void **state)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "modern");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "modern");
	uint8_t small[16];
	struct base_writer out = base_writer_over(small, sizeof(small));
	struct tls_io io = { .out = &out };
	struct lab_pair pair;
	int rc;

	lab_pair_open(&pair, &s, &c, NULL, NULL);
	rc = tls_session_handshake(pair.session[TLS_ROLE_CLIENT], &io);
	assert_int_equal(base_err_class(rc), BASE_LOCAL);
	lab_pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(versions),      cmocka_unit_test(versions_apart),
	cmocka_unit_test(precedence),    cmocka_unit_test(trickle),
	cmocka_unit_test(cuts),          cmocka_unit_test(bulk),
	cmocka_unit_test(many_records),  cmocka_unit_test(half_close),
	cmocka_unit_test(tampered),      cmocka_unit_test(data_before_failure),
	cmocka_unit_test(garbage),       cmocka_unit_test(aborts),
	cmocka_unit_test(master_secret), cmocka_unit_test(no_room),
};

int main(void)
{
	return pairs_run(tests, BASE_COUNT(tests));
}
