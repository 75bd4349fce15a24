/* SPDX-License-Identifier: Apache-2.0 */
/** @file The cookie exchange without state (RFC 6347, 4.2.1), before and into a session. */
#include "dnet.h"
#include "pairs.h"

#define NOW   ((uint64_t)100 * 60000)
#define ALICE BASE_STR("192.0.2.1:5000")
#define BOB   BASE_STR("192.0.2.2:5000")

/** A client, and a server that has no session yet. */
struct door {
	struct tls_domain *domain[2];
	struct tls_context *context[2];
	struct tls_session *client, *server;
	struct base_writer out, answer;
	uint64_t now_ms;
};

static void door_open(struct door *door, struct lab_sides *sides, const char *profile, uint16_t mtu)
{
	const struct tls_datagram_spec path = { .mtu = mtu };
	const struct tls_session_spec session = { .role = TLS_ROLE_CLIENT, .datagram = &path };
	struct base_error err = { 0 };

	*door = (struct door){ .now_ms = NOW };
	for (int role = 0; role < 2; role++) {
		struct tls_domain_spec spec = lab_spec(sides, (enum tls_role)role, profile);

		if (tls_domain_new(&door->domain[role], &spec, &err) ||
		    tls_context_new(&door->context[role], door->domain[role], &err))
			fail_msg("%s", err.text);
	}
	assert_int_equal(tls_session_new(&door->client, door->context[0], &session), 0);
}

static void door_close(struct door *door)
{
	tls_session_free(door->client);
	tls_session_free(door->server);
	for (int role = 0; role < 2; role++) {
		tls_context_free(door->context[role]);
		tls_domain_unref(door->domain[role]);
	}
	base_writer_done(&door->out);
	base_writer_done(&door->answer);
}

/** The client reads all datagrams of `in` and writes `door->out` anew. */
static int client_step(struct door *door, const struct base_writer *in)
{
	struct base_reader r = base_reader_of(in->data, in->len);
	struct tls_io io = { .out = &door->out, .now_ms = door->now_ms };
	struct base_str one;
	int rc = 0;

	base_writer_reset(&door->out);
	if (!in->len)
		return tls_session_handshake(door->client, &io);
	while (tls_datagram_next(&r, &one)) {
		io.in = base_reader_of(one.ptr, one.len);
		rc = tls_session_handshake(door->client, &io);
	}
	return rc;
}

/** What the door says of the first datagram that the client has written. */
static enum tls_hello knock(struct door *door, struct base_str peer, uint64_t now_ms)
{
	struct base_reader r = base_reader_of(door->out.data, door->out.len);
	struct base_str first;

	base_writer_reset(&door->answer);
	assert_true(tls_datagram_next(&r, &first));
	return tls_hello_check(door->domain[1], first, peer, now_ms, &door->answer);
}

/** The client has asked, and comes again with the cookie. */
static void ask(struct door *door, struct base_str peer)
{
	const struct base_writer none = { 0 };
	size_t question;

	(void)client_step(door, &none);
	question = door->out.len;
	assert_int_equal(knock(door, peer, NOW), TLS_HELLO_ASK);
	assert_in_range(door->answer.len, 1, question); /* nothing is amplified */
	(void)client_step(door, &door->answer);
}

/** Carry the handshake to its end with a session that begins at what is in `door->out`. */
static void enter(struct door *door, uint16_t mtu)
{
	const struct tls_datagram_spec path = { .mtu = mtu, .verified = true };
	const struct tls_session_spec session = { .role = TLS_ROLE_SERVER, .datagram = &path };
	int rc[2] = { BASE_ERR(BASE_AGAIN, 0), BASE_ERR(BASE_AGAIN, 0) };
	struct tls_info info;

	assert_int_equal(tls_session_new(&door->server, door->context[1], &session), 0);
	for (int turn = 0; turn < 6 && (rc[0] || rc[1]); turn++) {
		struct base_reader r = base_reader_of(door->out.data, door->out.len);
		struct tls_io io = { .out = &door->answer, .now_ms = door->now_ms };
		struct base_str one;

		base_writer_reset(&door->answer);
		while (rc[1] && tls_datagram_next(&r, &one)) {
			io.in = base_reader_of(one.ptr, one.len);
			rc[1] = tls_session_handshake(door->server, &io);
		}
		if (rc[0])
			rc[0] = client_step(door, &door->answer);
	}
	tls_session_info(door->server, &info);
	if (rc[0] || rc[1])
		fail_msg("client %d, server %d: %s", rc[0], rc[1], info.failure);
	assert_true(info.established);
	assert_int_equal(info.repeated, 0);
}

static void asked_and_let_in(void **state)
{
	static const char *const profiles[] = { "dtls12", "dtls10", "dtls" };

	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct door door;

		door_open(&door, *state, profiles[i], 0);
		ask(&door, ALICE);
		assert_int_equal(knock(&door, ALICE, NOW), TLS_HELLO_VERIFIED);
		assert_int_equal(door.answer.len, 0);
		enter(&door, 0);
		door_close(&door);
	}
}

/** A ClientHello in pieces: its first piece says enough, and the session takes the rest. */
static void hello_in_pieces(void **state)
{
	struct tls_datagram_spec path = { .mtu = TLS_MTU_MIN };
	char name[200];
	struct tls_session_spec session = { .role = TLS_ROLE_CLIENT,
		                            .datagram = &path,
		                            .server_name = name };
	struct door door;

	for (size_t i = 0; i < sizeof(name); i++) /* labels of 9 octets */
		name[i] = i % 10 == 9 ? '.' : 'x';
	name[sizeof(name) - 2] = 'x';
	name[sizeof(name) - 1] = '\0';
	door_open(&door, *state, "dtls12", 0);
	tls_session_free(door.client);
	assert_int_equal(tls_session_new(&door.client, door.context[0], &session), 0);
	ask(&door, ALICE);
	assert_int_equal(knock(&door, ALICE, NOW), TLS_HELLO_VERIFIED);
	assert_true(door.out.len > TLS_MTU_MIN + 2);
	enter(&door, TLS_MTU_MIN);
	door_close(&door);
}

static void cookie_of_another(void **state)
{
	struct door door;

	door_open(&door, *state, "dtls12", 0);
	ask(&door, ALICE);
	/* Nothing said to one peer serves another; nor when the address changes under it. */
	assert_int_not_equal(knock(&door, BOB, NOW), TLS_HELLO_VERIFIED);
	assert_int_not_equal(knock(&door, BASE_STR("192.0.2.1:5001"), NOW), TLS_HELLO_VERIFIED);
	assert_int_not_equal(knock(&door, BASE_STR(""), NOW), TLS_HELLO_VERIFIED);
	assert_int_equal(knock(&door, ALICE, NOW), TLS_HELLO_VERIFIED);
	door_close(&door);
}

static void cookie_grows_old(void **state)
{
	struct door door;

	door_open(&door, *state, "dtls12", 0);
	ask(&door, ALICE);
	assert_int_equal(knock(&door, ALICE, NOW + 59999), TLS_HELLO_VERIFIED);
	assert_int_equal(knock(&door, ALICE, NOW + 119999), TLS_HELLO_VERIFIED);
	assert_int_not_equal(knock(&door, ALICE, NOW + 120000), TLS_HELLO_VERIFIED);
	assert_int_not_equal(knock(&door, ALICE, NOW - 1), TLS_HELLO_VERIFIED);
	door_close(&door);
}

/** Every octet that the cookie is for, and every octet of the cookie. */
static void cookie_forged(void **state)
{
	struct door door;
	size_t good = 0;

	door_open(&door, *state, "dtls12", 0);
	ask(&door, ALICE);
	for (size_t at = 2 + 25; at < 2 + 25 + 35 + 33; at++) {
		door.out.data[at] ^= 0x10;
		good += knock(&door, ALICE, NOW) == TLS_HELLO_VERIFIED;
		door.out.data[at] ^= 0x10;
	}
	assert_int_equal(good, 0);
	assert_int_equal(knock(&door, ALICE, NOW), TLS_HELLO_VERIFIED);
	door_close(&door);
}

/** Another domain's cookie, though of the same name and the same certificate. */
static void cookie_of_another_domain(void **state)
{
	struct lab_sides *sides = *state;
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
	struct tls_domain *other;
	struct door door;

	door_open(&door, sides, "dtls12", 0);
	ask(&door, ALICE);
	assert_int_equal(tls_domain_new(&other, &spec, NULL), 0);
	tls_domain_unref(door.domain[1]);
	door.domain[1] = other;
	assert_int_not_equal(knock(&door, ALICE, NOW), TLS_HELLO_VERIFIED);
	door_close(&door);
}

static void not_a_hello(void **state)
{
	const struct base_writer none = { 0 };
	struct door door;
	size_t len;

	door_open(&door, *state, "dtls12", 0);
	(void)client_step(&door, &none);
	len = door.out.len - 2;
	for (size_t cut = 0; cut < len; cut++) {
		struct base_str part = { (const char *)door.out.data + 2, cut };

		assert_int_equal(tls_hello_check(door.domain[1], part, ALICE, NOW, &door.answer),
		                 TLS_HELLO_DROP);
	}
	assert_int_equal(door.answer.len, 0);
	/* of another epoch, type, message, place */
	for (size_t i = 0; i < 5; i++) {
		static const size_t at[] = { 0, 1, 4, 13, 21 };

		door.out.data[2 + at[i]] ^= 1;
		assert_int_equal(knock(&door, ALICE, NOW), TLS_HELLO_DROP);
		door.out.data[2 + at[i]] ^= 1;
	}
	assert_int_equal(knock(&door, ALICE, NOW), TLS_HELLO_ASK);
	door_close(&door);
}

/** A domain whose profile has no DTLS answers nobody, and makes no sessions. */
static void no_dtls_here(void **state)
{
	struct lab_sides *sides = *state;
	const struct tls_datagram_spec path = { 0 };
	const struct tls_session_spec session = { .role = TLS_ROLE_SERVER, .datagram = &path };
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, "tls12");
	const struct base_writer none = { 0 };
	struct tls_session *refused = NULL;
	struct tls_context *context;
	struct tls_domain *domain;
	struct door door;

	door_open(&door, sides, "dtls12", 0);
	(void)client_step(&door, &none);
	assert_true(tls_domain_datagrams(door.domain[1]));
	assert_int_equal(tls_domain_new(&domain, &spec, NULL), 0);
	assert_int_equal(tls_context_new(&context, domain, NULL), 0);
	assert_false(tls_domain_datagrams(domain));
	assert_int_equal(base_err_class(tls_session_new(&refused, context, &session)), BASE_CONFIG);
	tls_domain_unref(door.domain[1]);
	door.domain[1] = domain;
	assert_int_equal(knock(&door, ALICE, NOW), TLS_HELLO_DROP);
	tls_context_free(context);
	door_close(&door);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_and_let_in),  cmocka_unit_test(hello_in_pieces),
		cmocka_unit_test(cookie_of_another), cmocka_unit_test(cookie_grows_old),
		cmocka_unit_test(cookie_forged),     cmocka_unit_test(cookie_of_another_domain),
		cmocka_unit_test(not_a_hello),       cmocka_unit_test(no_dtls_here),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
