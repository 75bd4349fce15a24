/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Extensions and compression as they are on the wire, for every pair of engines: what our hellos
 * say, and what becomes of those that say more.
 */
#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"
#include "tls/hello.h"

/** One step of one side; what it writes goes to its wire. */
static int step(struct lab_pair *pair, enum tls_role role)
{
	struct base_writer *from = &pair->wire[1 - role];
	struct tls_io io = { .in = base_reader_of(from->data, from->len),
		             .out = &pair->wire[role] };
	int rc = tls_session_handshake(pair->session[role], &io);

	base_writer_reset(from);
	return rc;
}

/** The hello that the wire of that side begins with: in the clear, in a record of its own. */
static struct tls_hello_view hello_of(const struct lab_pair *pair, enum tls_role role)
{
	const struct base_writer *wire = &pair->wire[role];
	struct tls_hello_view hello;

	assert_true(wire->len > 9);
	assert_int_equal(wire->data[0], 22);
	assert_int_equal(wire->data[5], role == TLS_ROLE_CLIENT ? 1 : 2);
	assert_true(tls_hello_read(&hello, wire->data + 9,
	                           (size_t)(wire->data[7] << 8 | wire->data[8]),
	                           role == TLS_ROLE_CLIENT));
	return hello;
}

static void open_pair(struct lab_pair *pair, const struct lab_sides *sides, const char *profile,
                      uint16_t fragment)
{
	struct tls_domain_spec server = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec client = lab_spec(sides, TLS_ROLE_CLIENT, profile);

	client.max_fragment = fragment;
	lab_pair_open(pair, &server, &client, NULL, NULL);
}

/** What is on by default in TLS 1.2 with CBC, and what is never. */
static void said_and_not_said(void **state)
{
	const unsigned wanted = TLS_HELLO_ETM | TLS_HELLO_MASTER_SECRET;
	const unsigned never = TLS_HELLO_URL | TLS_HELLO_TRUNCATED | TLS_HELLO_AUTHORITIES;
	struct tls_hello_view client, server;
	struct lab_pair pair;

	open_pair(&pair, *state, "old", 0);
	(void)step(&pair, TLS_ROLE_CLIENT);
	client = hello_of(&pair, TLS_ROLE_CLIENT);
	assert_int_equal(client.present & wanted, wanted);
	assert_int_equal(client.present & never, 0);
	assert_true(client.present & TLS_HELLO_RENEGOTIATION ||
	            tls_numbers_have(client.suites, 0x00ff));
	assert_false(client.compression);
	(void)step(&pair, TLS_ROLE_SERVER);
	server = hello_of(&pair, TLS_ROLE_SERVER);
	assert_int_equal(server.present & (wanted | TLS_HELLO_RENEGOTIATION),
	                 wanted | TLS_HELLO_RENEGOTIATION);
	assert_int_equal(server.present & never, 0);
	assert_false(server.compression);
	lab_pair_close(&pair);
}

/** Put a hello in the place of what is on the client's wire. */
static void client_offers(struct lab_pair *pair, uint16_t suite, struct base_str methods,
                          struct base_str extensions)
{
	struct base_writer *w = &pair->wire[TLS_ROLE_CLIENT];
	size_t len = 2 + 32 + 1 + 2 + 4 + 1 + methods.len + 2 + extensions.len;

	base_writer_reset(w);
	base_writer_put(w, (const uint8_t[]){ 22, 3, 1 }, 3);
	base_writer_u16(w, (uint16_t)(len + 4));
	base_writer_u8(w, 1);
	base_writer_u8(w, 0);
	base_writer_u16(w, (uint16_t)len);
	base_writer_u16(w, 0x0303);
	for (int i = 0; i < 32; i++)
		base_writer_u8(w, (uint8_t)(i + 1));
	base_writer_u8(w, 0);
	base_writer_u16(w, 4);
	base_writer_u16(w, suite);
	base_writer_u16(w, 0x00ff);
	base_writer_u8(w, (uint8_t)methods.len);
	base_writer_str(w, methods);
	base_writer_u16(w, (uint16_t)extensions.len);
	base_writer_str(w, extensions);
}

static void client_says(struct lab_pair *pair, struct base_str methods, struct base_str extensions)
{
	client_offers(pair, 0xc02b, methods, extensions);
}

#define BYTES(text)     ((struct base_str){ text, sizeof(text) - 1 })
#define GROUPS          "\0\x0a\0\4\0\2\0\x17\0\x0d\0\4\0\2\4\3\0\x17\0\0"
#define NULL_METHOD     BYTES("\0")
#define WITH_DEFLATE    BYTES("\1\0")
#define DEFLATE_ALONE   BYTES("\1")
#define TRUNCATED_HMAC  "\0\4\0\0"
#define CERTIFICATE_URL "\0\2\0\0"

/** Compression never (TS 33.203, O5): offered beside null it is passed over, alone it is refused.
 */
static void deflate_is_not_taken(void **state)
{
	struct lab_pair pair;

	open_pair(&pair, *state, "tls12", 0);
	client_says(&pair, WITH_DEFLATE, BYTES(GROUPS));
	assert_true(hello_of(&pair, TLS_ROLE_CLIENT).compression);
	assert_int_equal(base_err_class(step(&pair, TLS_ROLE_SERVER)), BASE_AGAIN);
	assert_false(hello_of(&pair, TLS_ROLE_SERVER).compression);
	lab_pair_again(&pair, NULL, NULL);
	client_says(&pair, DEFLATE_ALONE, BYTES(GROUPS));
	assert_int_equal(base_err_class(step(&pair, TLS_ROLE_SERVER)), BASE_PEER);
	assert_false(lab_info(&pair, TLS_ROLE_SERVER).established);
	lab_pair_close(&pair);
}

/** A server that would have it is left. */
static void deflate_chosen_is_refused(void **state)
{
	struct lab_pair pair;
	uint8_t *hello;
	size_t at;

	open_pair(&pair, *state, "tls12", 0);
	(void)step(&pair, TLS_ROLE_CLIENT);
	(void)step(&pair, TLS_ROLE_SERVER);
	hello = pair.wire[TLS_ROLE_SERVER].data + 9;
	at = 2 + 32 + 1 + hello[2 + 32] + 2;
	assert_int_equal(hello[at], 0);
	hello[at] = 1;
	assert_int_equal(base_err_class(step(&pair, TLS_ROLE_CLIENT)), BASE_PEER);
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert_side, TLS_SIDE_LOCAL);
	lab_pair_close(&pair);
}

/** truncated_hmac and client_certificate_url (RFC 6066, 7 and 5) are not answered. */
static void what_is_not_offered_is_not_taken(void **state)
{
	struct lab_pair pair;

	open_pair(&pair, *state, "tls12", 0);
	client_says(&pair, NULL_METHOD, BYTES(GROUPS TRUNCATED_HMAC CERTIFICATE_URL));
	assert_int_equal(base_err_class(step(&pair, TLS_ROLE_SERVER)), BASE_AGAIN);
	assert_int_equal(hello_of(&pair, TLS_ROLE_SERVER).present &
	                         (TLS_HELLO_TRUNCATED | TLS_HELLO_URL),
	                 0);
	lab_pair_close(&pair);
}

/** RC4 (TS 33.310, E5; RFC 7465), NULL, anonymous and export suites: none of them is ever in our
 * hellos, and a client that offers nothing else is refused. */
static void weak_suites_are_not_taken(void **state)
{
	static const uint16_t weak[] = { 0x0004, 0x0005, 0xc007, 0xc011, 0x008a, 0x0001,
		                         0x0002, 0x002c, 0x0018, 0x0034, 0x0003, 0x0008 };
	static const char *const profiles[] = { "old", "tls12", "modern" };

	for (size_t p = 0; p < BASE_COUNT(profiles); p++) {
		struct tls_hello_view client;
		struct lab_pair pair;

		open_pair(&pair, *state, profiles[p], 0);
		(void)step(&pair, TLS_ROLE_CLIENT);
		client = hello_of(&pair, TLS_ROLE_CLIENT);
		for (size_t i = 0; i < BASE_COUNT(weak); i++)
			assert_false(tls_numbers_have(client.suites, weak[i]));
		for (size_t i = 0; i < BASE_COUNT(weak); i++) {
			lab_pair_again(&pair, NULL, NULL);
			client_offers(&pair, weak[i], NULL_METHOD, BYTES(GROUPS));
			assert_int_equal(base_err_class(step(&pair, TLS_ROLE_SERVER)), BASE_PEER);
			assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert,
			                 TLS_ALERT_HANDSHAKE_FAILURE);
		}
		lab_pair_close(&pair);
	}
}

/** What RFC 8446, 9.2 wants of everybody (TS 33.210, N8): in our ClientHello, and used. */
static void mandatory_for_tls13(void **state)
{
	const unsigned wanted = TLS_HELLO_VERSIONS | TLS_HELLO_SIGNATURES | TLS_HELLO_GROUPS |
	                        TLS_HELLO_KEY_SHARE | TLS_HELLO_NAME;
	const struct tls_session_spec named = { .role = TLS_ROLE_CLIENT,
		                                .server_name = "server.test" };
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "tls13");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "tls13");
	struct tls_hello_view client, server;
	struct lab_pair pair;

	lab_pair_open(&pair, &s, &c, NULL, &named);
	(void)step(&pair, TLS_ROLE_CLIENT);
	client = hello_of(&pair, TLS_ROLE_CLIENT);
	assert_int_equal(client.present & wanted, wanted);
	assert_int_equal(client.name.len, strlen("server.test"));
	assert_memory_equal(client.name.ptr, "server.test", client.name.len);
	assert_true(tls_numbers_have(client.versions, 0x0304));
	assert_true(tls_numbers_have(client.groups, 23));
	(void)step(&pair, TLS_ROLE_SERVER);
	server = hello_of(&pair, TLS_ROLE_SERVER);
	assert_true(tls_numbers_have(server.versions, 0x0304));
	assert_true(server.present & TLS_HELLO_KEY_SHARE);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	lab_pair_close(&pair);
}

/** The longest record of application data on a wire. */
static size_t longest(const struct base_writer *wire)
{
	struct base_reader r = base_reader_of(wire->data, wire->len);
	size_t most = 0;

	while (base_reader_left(&r)) {
		uint8_t type = base_reader_u8(&r);
		size_t len;

		(void)base_reader_u16(&r);
		len = base_reader_u16(&r);
		(void)base_reader_take(&r, len);
		if (type == 23)
			most = BASE_MAX(most, len);
	}
	assert_false(r.failed);
	return most;
}

static void small_from(struct lab_pair *pair, enum tls_role role)
{
	enum tls_role to = role == TLS_ROLE_CLIENT ? TLS_ROLE_SERVER : TLS_ROLE_CLIENT;
	uint8_t text[2000] = { 0 }, clear[20000];
	size_t got = 0, len = 0;
	struct tls_io io = { .out = &pair->wire[role] };
	uint64_t before = lab_info(pair, role).records_out;

	base_writer_reset(&pair->wire[role]);
	assert_int_equal(tls_session_write(pair->session[role], &io, text, sizeof(text)), 0);
	assert_in_range(longest(&pair->wire[role]), 512, 512 + 64);
	assert_int_equal(lab_info(pair, role).records_out - before, 4);
	while (got < sizeof(text) && lab_pair_read(pair, to, clear, sizeof(clear), &len) == 0)
		got += len;
	assert_int_equal(got, sizeof(text));
}

/** RFC 6066, 4, and 8449 with GnuTLS: a client asks for records of 512 octets, and gets them. */
static void small_records(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_hello_view client;
		struct lab_pair pair;

		open_pair(&pair, *state, profiles[i], 512);
		(void)step(&pair, TLS_ROLE_CLIENT);
		client = hello_of(&pair, TLS_ROLE_CLIENT);
		assert_int_equal(client.fragment, 1);
		lab_pair_shake(&pair);
		lab_assert_up(&pair);
		small_from(&pair, TLS_ROLE_SERVER);
		small_from(&pair, TLS_ROLE_CLIENT);
		lab_pair_close(&pair);
	}
}

/** The longest record of any kind. */
static size_t longest_of_all(const struct base_writer *wire)
{
	struct base_reader r = base_reader_of(wire->data, wire->len);
	size_t most = 0;

	while (base_reader_left(&r)) {
		size_t len;

		(void)base_reader_take(&r, 3);
		len = base_reader_u16(&r);
		(void)base_reader_take(&r, len);
		most = BASE_MAX(most, len);
	}
	assert_false(r.failed);
	return most;
}

/** A whole handshake with all that comes after it of itself, record by record. */
static void small_shake(struct lab_pair *pair)
{
	uint8_t clear[64];
	size_t most[2] = { 0, 0 }, len;

	for (int i = 0; i < 8; i++)
		for (enum tls_role role = 0; role < 2; role++) {
			if (lab_info(pair, role).established)
				continue;
			pair->result[role] = step(pair, role);
			most[role] = BASE_MAX(most[role], longest_of_all(&pair->wire[role]));
		}
	lab_assert_up(pair);
	/* The ClientHello comes before anything is agreed on. */
	assert_in_range(most[TLS_ROLE_CLIENT], 1, 512 + 64);
	assert_in_range(most[TLS_ROLE_SERVER], 1, 512 + 64);
	(void)lab_pair_read(pair, TLS_ROLE_CLIENT, clear, sizeof(clear), &len);
}

/** "MUST immediately begin fragmenting messages (including handshake messages)", and "for the
 * duration of the session including session resumptions" (RFC 6066, 4). */
static void small_handshakes(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13", "tls10" };
	const struct lab_sides *sides = *state;
	const struct tls_session_spec known = { .role = TLS_ROLE_CLIENT,
		                                .resume_key = "192.0.2.1:443" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profiles[i]);
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profiles[i]);
		struct lab_pair pair;

		if (i < 2)
			s.identity = sides->lab->server_rsa; /* more than 512 octets */
		c.identity = sides->lab->client;
		s.client_auth = TLS_CLIENT_AUTH_REQUEST;
		s.client_methods = TRUST_CA;
		c.max_fragment = 512;
		lab_pair_open(&pair, &s, &c, NULL, &known);
		small_shake(&pair);
		assert_false(lab_info(&pair, TLS_ROLE_SERVER).resumed);
		small_from(&pair, TLS_ROLE_SERVER);
		small_from(&pair, TLS_ROLE_CLIENT);
		lab_pair_again(&pair, NULL, &known);
		small_shake(&pair);
		assert_true(lab_info(&pair, TLS_ROLE_SERVER).resumed);
		small_from(&pair, TLS_ROLE_SERVER);
		small_from(&pair, TLS_ROLE_CLIENT);
		lab_pair_close(&pair);
	}
}

static void sizes_that_are_none(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_CLIENT, "tls12");
	struct tls_domain *domain = NULL;
	struct base_error err = { 0 };

	spec.max_fragment = 1000;
	assert_int_equal(base_err_class(tls_domain_new(&domain, &spec, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "RFC 6066, 4"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(said_and_not_said),
		cmocka_unit_test(deflate_is_not_taken),
		cmocka_unit_test(deflate_chosen_is_refused),
		cmocka_unit_test(what_is_not_offered_is_not_taken),
		cmocka_unit_test(weak_suites_are_not_taken),
		cmocka_unit_test(mandatory_for_tls13),
		cmocka_unit_test(small_records),
		cmocka_unit_test(small_handshakes),
		cmocka_unit_test(sizes_that_are_none),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
