/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How handshakes fail, as the profiles have it, for every pair of engines: who does not know a PSK
 * identity looks like who does not know the key (RFC 4279, 2), or says so; a client tells a server
 * that it did not take its certificate (TS 33.203, O.2.2).
 */
#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"

/* -- an unknown identity ---------------------------------------------------------------------- */

#define FLIGHTS 8

/** All that a client sees of a server, and whoever counts its calls. */
struct course {
	size_t octets[FLIGHTS]; /**< that each call of the server wrote */
	size_t parts[FLIGHTS];  /**< in so many records */
	unsigned calls;
	int alert;       /**< that it sent */
	char words[256]; /**< that its log has */
};

/** What is in sight of one flight: its records, and its octets but those of ServerKeyExchange. */
static void look(const struct base_writer *wire, size_t *records, size_t *octets)
{
	struct base_reader r = base_reader_of(wire->data, wire->len);

	*records = 0;
	*octets = wire->len;
	for (; base_reader_left(&r); ++*records) {
		uint8_t type = base_reader_u8(&r);
		struct base_reader body;

		(void)base_reader_take(&r, 2);
		body = base_reader_sub(&r, base_reader_u16(&r));
		while (type == 22 && base_reader_left(&body)) {
			uint8_t message = base_reader_u8(&body);
			size_t len = base_reader_u24(&body);

			(void)base_reader_take(&body, len);
			if (message ==
			    12) /* GnuTLS drops leading zeros of dh_Ys: one in 256 is shorter */
				*octets -= len;
		}
		assert_false(body.failed);
	}
	assert_false(r.failed);
}

static int step(struct lab_pair *pair, enum tls_role role)
{
	struct base_writer *from = &pair->wire[1 - role];
	struct tls_io io = { .in = base_reader_of(from->data, from->len),
		             .out = &pair->wire[role] };
	uint8_t scrap[64];
	size_t len;
	int rc;

	if (pair->result[role] == 0) /* it is up, and reads of the other's refusal */
		rc = tls_session_read(pair->session[role], &io, scrap, sizeof(scrap), &len);
	else
		rc = tls_session_handshake(pair->session[role], &io);
	base_writer_reset(from);
	return rc;
}

/** A client with this identity and key at a server that knows "alice"; it fails. */
static void course_of(const struct lab_sides *sides, const char *profile, const char *identity,
                      const char *key, struct course *ret)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	const struct tls_psk known = lab_psk("alice", "0123456789abcdef");
	const struct tls_psk used = lab_psk(identity, key);
	struct lab_pair pair;

	*ret = (struct course){ 0 };
	s.identity = strcmp(profile, "psk-rsa") ? NULL : sides->lab->server_rsa;
	s.psks = &known;
	c.psks = &used;
	s.psk_count = c.psk_count = 1;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	while (ret->calls < FLIGHTS) {
		int rc;

		pair.result[TLS_ROLE_CLIENT] = step(&pair, TLS_ROLE_CLIENT);
		rc = step(&pair, TLS_ROLE_SERVER);
		look(&pair.wire[TLS_ROLE_SERVER], &ret->parts[ret->calls],
		     &ret->octets[ret->calls]);
		ret->calls++;
		if (rc == 0 || base_err_class(rc) != BASE_AGAIN)
			break;
	}
	assert_false(lab_info(&pair, TLS_ROLE_SERVER).established);
	ret->alert = lab_info(&pair, TLS_ROLE_SERVER).alert;
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert_side, TLS_SIDE_LOCAL);
	(void)snprintf(ret->words, sizeof(ret->words), "%s",
	               lab_info(&pair, TLS_ROLE_SERVER).failure);
	assert_null(strstr(ret->words, identity));
	(void)step(&pair, TLS_ROLE_CLIENT);
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert, ret->alert);
	lab_pair_close(&pair);
}

/** No octet, no call, no word tells whether the identity was known. */
static void unknown_looks_like_wrong(void **state)
{
	static const char *const profiles[] = { "psk",       "psk-cbc", "psk-dhe",
		                                "psk-ecdhe", "psk-rsa", "psk13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct course unknown, wrong;

		course_of(*state, profiles[i], "alice", "not the right ke", &wrong);
		course_of(*state, profiles[i], "karla", "0123456789abcdef", &unknown);
		assert_int_equal(unknown.calls, wrong.calls);
		assert_memory_equal(unknown.octets, wrong.octets, sizeof(wrong.octets));
		assert_memory_equal(unknown.parts, wrong.parts, sizeof(wrong.parts));
		assert_int_equal(unknown.alert, wrong.alert);
		assert_string_equal(unknown.words, wrong.words);
		assert_int_equal(unknown.alert, TLS_ALERT_DECRYPT_ERROR);
	}
}

/** Where the profile wants it told: unknown_psk_identity, and only then. */
static void unknown_is_told(void **state)
{
	static const char *const profiles[] = { "psk-told", "psk13-told" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct course course;

		course_of(*state, profiles[i], "karla", "0123456789abcdef", &course);
		assert_int_equal(course.alert, TLS_ALERT_UNKNOWN_PSK_IDENTITY);
		course_of(*state, profiles[i], "alice", "not the right ke", &course);
		assert_int_equal(course.alert, TLS_ALERT_DECRYPT_ERROR);
	}
}

/* -- a server's certificate that is not taken -------------------------------------------------- */

/** Each profile's versions; the server hears the alert that fits, from its peer (O11). */
static void a_client_says_why(void **state)
{
	static const char *const profiles[] = { "old", "tls10", "tls11", "tls12", "tls13" };
	const struct lab_sides *sides = *state;
	struct {
		struct x509_identity *identity;
		const char *name;
		int alert;
	} rows[] = {
		{ sides->lab->stranger, NULL, TLS_ALERT_UNKNOWN_CA },
		{ sides->lab->expired, NULL, TLS_ALERT_CERTIFICATE_EXPIRED },
		{ sides->lab->server_ec, "other.test", TLS_ALERT_CERTIFICATE_UNKNOWN },
	};

	for (size_t p = 0; p < BASE_COUNT(profiles); p++)
		for (size_t i = 0; i < BASE_COUNT(rows); i++) {
			struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profiles[p]);
			struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profiles[p]);
			const struct tls_session_spec cs = { .role = TLS_ROLE_CLIENT,
				                             .peer_name = rows[i].name };
			struct tls_info server, client;
			struct lab_pair pair;

			s.identity = rows[i].identity;
			c.server_methods = TRUST_CA;
			lab_pair_open(&pair, &s, &c, NULL, &cs);
			lab_pair_shake(&pair);
			client = lab_info(&pair, TLS_ROLE_CLIENT);
			server = lab_info(&pair, TLS_ROLE_SERVER);
			assert_false(client.established);
			assert_int_equal(client.alert_side, TLS_SIDE_LOCAL);
			assert_int_equal(client.alert, rows[i].alert);
			/* OpenSSL's client of TLS 1.3 says it in the clear (docs/tls.md), a server
			 * of GnuTLS hears it all the same. */
			assert_int_equal(server.alert_side, TLS_SIDE_REMOTE);
			assert_int_equal(server.alert, rows[i].alert);
			lab_pair_close(&pair);
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_looks_like_wrong),
		cmocka_unit_test(unknown_is_told),
		cmocka_unit_test(a_client_says_why),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
