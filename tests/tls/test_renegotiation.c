/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Renegotiation that the peer begins (RFC 5246, 7.4.1.1 and 7.4.1.2): taken up where the profile
 * lets it and RFC 5746 secures it. The peer is libssl or GnuTLS itself, in both roles, and our side
 * either engine: "server" names ours, "client" the peer's.
 */
#include "foreign.h"
#include "pairs.h"
#include "tls/engine.h"

static void open_as(struct foreign *far, const struct lab_sides *sides, enum tls_role ours,
                    struct tls_domain_spec *spec, bool knows)
{
	const struct tls_session_spec session = { .role = ours };

	spec->engine = sides->server;
	foreign_open(far, sides->client,
	             ours == TLS_ROLE_SERVER ? sides->lab->client : sides->lab->server_ec, spec,
	             &session, knows);
	foreign_shake(far);
}

static void open_plain(struct foreign *far, const struct lab_sides *sides, enum tls_role ours,
                       const char *profile)
{
	struct tls_domain_spec spec = lab_spec(sides, ours, profile);

	open_as(far, sides, ours, &spec, true);
}

static void taken_up(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;

		open_plain(&far, *state, (enum tls_role)ours, "again");
		foreign_talk(&far);
		for (unsigned count = 1; count <= 2; count++) {
			foreign_ask(&far);
			assert_true(foreign_reshake(&far));
			foreign_assert_up(&far, count);
			assert_false(foreign_info(&far).resumed);
			assert_int_equal(foreign_info(&far).suite, 0xc02b);
			foreign_talk(&far);
		}
		foreign_close(&far);
	}
}

/** The session goes on, if the peer wants it to: libssl does not. */
static void assert_refused(struct foreign *far, unsigned count)
{
	(void)foreign_reshake(far);
	assert_int_equal(foreign_info(far).renegotiations, count);
	assert_int_equal(far->warning, TLS_ALERT_NO_RENEGOTIATION);
	if (far->kind == TLS_ENGINE_OPENSSL) {
		assert_int_equal(foreign_info(far).alert_side, TLS_SIDE_REMOTE);
		return;
	}
	foreign_assert_up(far, count);
	foreign_talk(far);
}

/** A profile without a word about it: refused, and the session goes on (RFC 5246, 7.2.2). */
static void not_by_profile(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;

		open_plain(&far, *state, (enum tls_role)ours, "tls12");
		foreign_ask(&far);
		assert_refused(&far, 0);
		foreign_close(&far);
	}
}

/** What the controller said beforehand comes before the domain's setting (H.248.TLSPROF 7-5). */
static void as_the_stream_says(void **state)
{
	static const struct {
		const char *profile;
		enum tls_renegotiate stream;
		bool accepted, ordered; /**< the peer's; ours */
	} row[] = {
		{ "tls12", TLS_RENEGOTIATE_DOMAIN, false, false },
		{ "tls12", TLS_RENEGOTIATE_ACCEPT, true, false },
		{ "tls12", TLS_RENEGOTIATE_INITIATE, false, true },
		{ "tls12", TLS_RENEGOTIATE_BOTH, true, true },
		{ "again", TLS_RENEGOTIATE_REFUSE, false, false },
		{ "never-again", TLS_RENEGOTIATE_REFUSE, false, false },
	};

	for (size_t i = 0; i < BASE_COUNT(row); i++)
		for (int ours = 0; ours < 2; ours++) {
			const struct lab_sides *sides = *state;
			struct tls_domain_spec spec =
			        lab_spec(sides, (enum tls_role)ours, row[i].profile);
			const struct tls_session_spec session = { .role = (enum tls_role)ours,
				                                  .renegotiate = row[i].stream };
			struct foreign far;

			spec.engine = sides->server;
			foreign_open(&far, sides->client,
			             ours == TLS_ROLE_SERVER ? sides->lab->client
			                                     : sides->lab->server_ec,
			             &spec, &session, true);
			foreign_shake(&far);
			assert_int_equal(foreign_info(&far).peer_may_renegotiate, row[i].accepted);
			assert_int_equal(foreign_info(&far).we_may_renegotiate, row[i].ordered);
			foreign_ask(&far);
			if (row[i].accepted) {
				assert_true(foreign_reshake(&far));
				foreign_assert_up(&far, 1);
				foreign_talk(&far);
			} else {
				assert_refused(&far, 0);
			}
			foreign_close(&far);
		}
}

/** What the profile has a "shall not" against, or a "shall" for, is no stream's to say. */
static void within_what_the_profile_lets(void **state)
{
	static const enum tls_renegotiate all[] = { TLS_RENEGOTIATE_ACCEPT,
		                                    TLS_RENEGOTIATE_INITIATE,
		                                    TLS_RENEGOTIATE_BOTH };
	const struct lab_sides *sides = *state;
	struct tls_domain_spec never = lab_spec(sides, TLS_ROLE_SERVER, "never-again");
	struct tls_domain_spec open = lab_spec(sides, TLS_ROLE_SERVER, "tls12");
	const struct profile_rule *rule;
	struct tls_domain *domain;

	assert_int_equal(tls_domain_new(&domain, &never, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(all); i++) {
		const struct tls_session_spec spec = { .role = TLS_ROLE_SERVER,
			                               .renegotiate = all[i] };
		struct tls_context *context;
		struct tls_session *session;

		rule = tls_domain_renegotiate_rule(domain, TLS_ROLE_SERVER, all[i]);
		assert_non_null(rule);
		assert_int_equal(rule->strength, PROFILE_SHALL_NOT);
		/* And if it were said all the same, it would not count. */
		assert_int_equal(tls_context_new(&context, domain, NULL), 0);
		assert_int_equal(tls_session_new(&session, context, &spec), 0);
		assert_false(session->accepts || session->initiates);
		tls_session_free(session);
		tls_context_free(context);
	}
	assert_null(tls_domain_renegotiate_rule(domain, TLS_ROLE_SERVER, TLS_RENEGOTIATE_REFUSE));
	assert_null(tls_domain_renegotiate_rule(domain, TLS_ROLE_SERVER, TLS_RENEGOTIATE_DOMAIN));
	tls_domain_unref(domain);
	assert_int_equal(tls_domain_new(&domain, &open, NULL), 0);
	for (int role = 0; role < 2; role++)
		for (int what = 0; what <= TLS_RENEGOTIATE_BOTH; what++)
			assert_null(tls_domain_renegotiate_rule(domain, (enum tls_role)role,
			                                        (enum tls_renegotiate)what));
	tls_domain_unref(domain);
}

/** RFC 5746, 4.2 and 4.4: who did not secure the first handshake has no second one. */
static void not_unsecured(void **state)
{
	const struct lab_sides *sides = *state;

	if (sides->client != TLS_ENGINE_GNUTLS)
		return; /* libssl cannot be made to forget the RFC */
	for (int ours = 0; ours < 2; ours++) {
		struct tls_domain_spec spec = lab_spec(sides, (enum tls_role)ours, "again");
		struct foreign far;

		open_as(&far, sides, (enum tls_role)ours, &spec, false);
		foreign_talk(&far);
		foreign_ask(&far);
		assert_refused(&far, 0);
		foreign_close(&far);
	}
}

/** Nothing can be written in its midst, nothing of it is taken, and it goes out afterwards. */
static void writes_wait(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;
		char scrap[16];
		size_t before;
		struct tls_io io = { 0 };

		open_plain(&far, *state, (enum tls_role)ours, "again");
		foreign_ask(&far);
		(void)foreign_ours(&far, scrap, sizeof(scrap));
		assert_true(tls_session_renegotiating(far.session, NULL));
		assert_true(foreign_info(&far).renegotiating);
		before = far.in.len;
		assert_true(before > far.read);
		io.out = &far.in;
		assert_int_equal(tls_session_write(far.session, &io, (const uint8_t *)"x", 1),
		                 BASE_ERR(BASE_AGAIN, 0));
		assert_int_equal(tls_session_close(far.session, &io), BASE_ERR(BASE_AGAIN, 0));
		assert_int_equal(far.in.len, before);
		assert_true(foreign_reshake(&far));
		foreign_assert_up(&far, 1);
		foreign_talk(&far);
		assert_int_equal(tls_session_close(far.session, &io), 0);
		assert_int_equal(foreign_info(&far).alert, TLS_ALERT_CLOSE_NOTIFY);
		foreign_close(&far);
	}
}

/** Three at once, then one a minute of the caller's clock; who asks for more is told no. */
static void limit(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;
		unsigned count = 0;

		open_plain(&far, *state, (enum tls_role)ours, "again");
		for (; count < 3; count++) {
			foreign_ask(&far);
			assert_true(foreign_reshake(&far));
		}
		far.now_ms += 60000;
		foreign_ask(&far);
		assert_true(foreign_reshake(&far));
		foreign_assert_up(&far, ++count);
		far.now_ms += 59999;
		foreign_ask(&far);
		assert_refused(&far, count);
		foreign_close(&far);
	}
}

/** Certificates are judged again, and may not become somebody else's. */
static void judged_again(void **state)
{
	const struct lab_sides *sides = *state;
	const struct {
		const struct x509_identity *then;
		bool good;
	} cases[] = {
		{ sides->lab->client, true },     { sides->lab->expired, false },
		{ sides->lab->stranger, false },  { NULL, false },
		{ sides->lab->server_ec, false }, /* good, and another's */
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, "again");
		struct tls_info info;
		struct foreign far;

		spec.client_auth = TLS_CLIENT_AUTH_REQUIRE;
		spec.client_methods = TRUST_CA;
		open_as(&far, sides, TLS_ROLE_SERVER, &spec, true);
		assert_true(foreign_info(&far).verdict.authenticated);
		foreign_identity(&far, cases[i].then);
		foreign_ask(&far);
		(void)foreign_reshake(&far);
		info = foreign_info(&far);
		assert_int_equal(info.renegotiations, cases[i].good);
		if (cases[i].good) {
			assert_true(info.has_verdict && info.verdict.authenticated);
			foreign_talk(&far);
		} else {
			assert_int_equal(base_err_class(far.result), BASE_PEER);
			assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
			assert_true(info.alert > 0);
			assert_true(info.renegotiating);
			assert_true(info.failure[0]);
		}
		foreign_close(&far);
	}
}

/** The same where we are the client, and by the fingerprint that the stream brought. */
static void server_judged_again(void **state)
{
	const struct lab_sides *sides = *state;
	const struct x509_fingerprint fp = lab_fingerprint(sides->lab->server_ec);
	const struct tls_session_spec session = { .role = TLS_ROLE_CLIENT,
		                                  .fingerprints = &fp,
		                                  .fingerprint_count = 1 };

	for (int other = 0; other < 2; other++) {
		struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_CLIENT, "again");
		struct foreign far;

		spec.server_methods = TRUST_FINGERPRINT;
		spec.engine = sides->server;
		foreign_open(&far, sides->client, sides->lab->server_ec, &spec, &session, true);
		foreign_shake(&far);
		if (other)
			foreign_identity(&far, sides->lab->stranger);
		foreign_ask(&far);
		(void)foreign_reshake(&far);
		assert_int_equal(foreign_info(&far).renegotiations, !other);
		if (other)
			assert_int_equal(foreign_info(&far).alert_side, TLS_SIDE_LOCAL);
		else
			foreign_talk(&far);
		foreign_close(&far);
	}
}

/** Older versions, whose records are made otherwise. */
static void old_versions(void **state)
{
	static const char *const words[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.0",
		                             "NORMAL:-VERS-ALL:+VERS-TLS1.1" };
	const struct lab_sides *sides = *state;

	if (sides->client != TLS_ENGINE_GNUTLS)
		return;
	for (size_t i = 0; i < 2 * BASE_COUNT(words); i++) {
		enum tls_role ours = (enum tls_role)(i / 2);
		struct tls_domain_spec spec = lab_spec(sides, ours, "again-old");
		const struct tls_session_spec session = { .role = ours };
		struct foreign far;

		spec.engine = sides->server;
		foreign_open(&far, sides->client,
		             ours == TLS_ROLE_SERVER ? sides->lab->client : sides->lab->server_ec,
		             &spec, &session, true);
		assert_int_equal(gnutls_priority_set_direct(far.tls, words[i % 2], NULL), 0);
		foreign_shake(&far);
		assert_int_equal(foreign_info(&far).version, 0x0301 + i % 2);
		foreign_talk(&far);
		foreign_ask(&far);
		assert_true(foreign_reshake(&far));
		foreign_assert_up(&far, 1);
		assert_int_equal(foreign_info(&far).version, 0x0301 + i % 2);
		foreign_talk(&far);
		foreign_close(&far);
	}
}

/** A domain that lives with an expired certificate lives with it in a renegotiation, too. */
static void tolerated_again(void **state)
{
	const struct lab_sides *sides = *state;
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, "again");
	const struct tls_session_spec session = { .role = TLS_ROLE_SERVER };
	struct foreign far;

	spec.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	spec.client_methods = TRUST_CA;
	spec.continue_on = 1U << TRUST_EXPIRED;
	spec.engine = sides->server;
	foreign_open(&far, sides->client, sides->lab->expired, &spec, &session, true);
	foreign_shake(&far);
	foreign_ask(&far);
	assert_true(foreign_reshake(&far));
	foreign_assert_up(&far, 1);
	assert_true(foreign_info(&far).verdict.tolerated);
	assert_int_equal(foreign_info(&far).verdict.reason, TRUST_EXPIRED);
	foreign_talk(&far);
	foreign_close(&far);
}

static const char key_text[] = "0123456789abcdef";
static const char *identity_now; /* what libssl's client calls itself */

static unsigned far_client_key(SSL *ssl, const char *hint, char *identity, unsigned identity_cap,
                               unsigned char *psk, unsigned cap)
{
	(void)ssl;
	(void)hint;
	(void)snprintf(identity, identity_cap, "%s", identity_now);
	assert_true(cap >= sizeof(key_text));
	memcpy(psk, key_text, sizeof(key_text) - 1);
	return sizeof(key_text) - 1;
}

static unsigned far_server_key(SSL *ssl, const char *identity, unsigned char *psk, unsigned cap)
{
	return far_client_key(ssl, NULL, (char[8]){ 0 }, 8, psk, cap) * (strlen(identity) > 0);
}

/** The stream's own keys serve again, and whoever has two may not change from one to the other. */
static void by_key(void **state)
{
	const struct lab_sides *sides = *state;
	const struct tls_psk keys[] = { lab_psk("alice", key_text), lab_psk("bob", key_text) };

	if (sides->client != TLS_ENGINE_OPENSSL)
		return;
	for (int turn = 0; turn < 3; turn++) {
		enum tls_role ours = turn == 2 ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
		struct tls_domain_spec spec = lab_spec(sides, ours, "again-psk");
		const struct tls_session_spec session = { .role = ours,
			                                  .psks = keys,
			                                  .psk_count = 2 };
		struct foreign far;

		spec.engine = sides->server;
		spec.identity = NULL;
		identity_now = "alice";
		foreign_open(&far, sides->client, NULL, &spec, &session, true);
		SSL_set_psk_client_callback(far.ssl, far_client_key);
		SSL_set_psk_server_callback(far.ssl, far_server_key);
		assert_int_equal(SSL_set_cipher_list(far.ssl, "PSK-AES128-GCM-SHA256"), 1);
		foreign_shake(&far);
		assert_true(foreign_info(&far).psk);
		identity_now = turn == 1 ? "bob" : "alice";
		foreign_ask(&far);
		(void)foreign_reshake(&far);
		assert_int_equal(foreign_info(&far).renegotiations, turn != 1);
		if (turn == 1) {
			assert_int_equal(foreign_info(&far).alert_side, TLS_SIDE_LOCAL);
		} else {
			assert_string_equal(foreign_info(&far).psk_identity, "alice");
			foreign_talk(&far);
		}
		foreign_close(&far);
	}
}

/** A server may send on until it has read our ClientHello. */
static void data_in_the_midst(void **state)
{
	struct foreign far;
	char clear[64] = { 0 };

	open_plain(&far, *state, TLS_ROLE_CLIENT, "again");
	foreign_ask(&far);
	assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 0);
	assert_true(foreign_info(&far).renegotiating);
	foreign_send(&far, "one");
	foreign_send(&far, "two");
	assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 6);
	assert_string_equal(clear, "onetwo");
	assert_true(foreign_reshake(&far));
	foreign_assert_up(&far, 1);
	foreign_talk(&far);
	foreign_close(&far);
}

/** A client may send on after its ClientHello (NSS and JSSE do); an OpenSSL server ends there. */
static void data_at_the_server(void **state)
{
	const struct lab_sides *sides = *state;
	struct foreign far;
	char clear[64] = { 0 };

	if (sides->client != TLS_ENGINE_GNUTLS)
		return; /* libssl's client waits with its data */
	open_plain(&far, sides, TLS_ROLE_SERVER, "again");
	foreign_ask(&far);
	foreign_send(&far, "meanwhile");
	if (sides->server == TLS_ENGINE_OPENSSL) {
		assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 0);
		assert_int_equal(far.result, BASE_ERR(BASE_PEER, TLS_ALERT_UNEXPECTED_MESSAGE));
		foreign_close(&far);
		return;
	}
	assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 9);
	assert_string_equal(clear, "meanwhile");
	assert_true(foreign_info(&far).renegotiating);
	foreign_send(&far, "and more");
	assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 8);
	assert_true(foreign_reshake(&far));
	foreign_assert_up(&far, 1);
	foreign_talk(&far);
	foreign_close(&far);
}

/** A close_notify in its midst is no orderly end: what we had to say was not said. */
static void closed_in_the_midst(void **state)
{
	struct foreign far;
	char clear[64] = { 0 };
	size_t n;

	open_plain(&far, *state, TLS_ROLE_CLIENT, "again");
	foreign_ask(&far);
	foreign_send(&far, "last");
	foreign_bye(&far);
	n = foreign_ours(&far, clear, sizeof(clear));
	assert_int_equal(n, 4);
	assert_int_equal(far.result, BASE_ERR(BASE_PEER, 0));
	assert_int_equal(foreign_info(&far).alert, TLS_ALERT_CLOSE_NOTIFY);
	assert_int_equal(foreign_info(&far).alert_side, TLS_SIDE_REMOTE);
	foreign_close(&far);
}

/** Who came by a ticket proves everything in the renegotiation. */
static void after_a_ticket(void **state)
{
	const struct lab_sides *sides = *state;
	const struct tls_session_spec session = { .role = TLS_ROLE_CLIENT, .resume_key = "it" };
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_CLIENT, "again");
	const struct x509_identity *then[] = { sides->lab->server_ec, sides->lab->stranger };

	if (sides->client != TLS_ENGINE_OPENSSL)
		return;
	for (size_t i = 0; i < BASE_COUNT(then); i++) {
		struct foreign far;

		spec.engine = sides->server;
		spec.server_methods = TRUST_CA;
		foreign_open(&far, sides->client, sides->lab->server_ec, &spec, &session, true);
		foreign_shake(&far);
		foreign_again(&far, sides->lab->server_ec, &session);
		foreign_shake(&far);
		assert_true(foreign_info(&far).resumed);
		assert_true(foreign_info(&far).verdict.authenticated);
		foreign_identity(&far, then[i]);
		foreign_ask(&far);
		(void)foreign_reshake(&far);
		assert_int_equal(foreign_info(&far).renegotiations, i == 0);
		if (i)
			assert_int_equal(foreign_info(&far).alert_side, TLS_SIDE_LOCAL);
		else
			foreign_talk(&far);
		foreign_close(&far);
	}
}

/** The profile lets both roles. */
static void ours_with_ours(void **state)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, "again");
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, "again");
	struct lab_pair pair;

	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_true(pair.session[TLS_ROLE_SERVER]->renegotiable);
	assert_true(pair.session[TLS_ROLE_CLIENT]->renegotiable);
	lab_pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(taken_up),
	cmocka_unit_test(not_by_profile),
	cmocka_unit_test(as_the_stream_says),
	cmocka_unit_test(within_what_the_profile_lets),
	cmocka_unit_test(not_unsecured),
	cmocka_unit_test(writes_wait),
	cmocka_unit_test(limit),
	cmocka_unit_test(judged_again),
	cmocka_unit_test(server_judged_again),
	cmocka_unit_test(data_in_the_midst),
	cmocka_unit_test(data_at_the_server),
	cmocka_unit_test(closed_in_the_midst),
	cmocka_unit_test(ours_with_ours),
	cmocka_unit_test(old_versions),
	cmocka_unit_test(tolerated_again),
	cmocka_unit_test(by_key),
	cmocka_unit_test(after_a_ticket),
};

int main(void)
{
	return pairs_run(tests, BASE_COUNT(tests));
}
