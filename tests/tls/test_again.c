/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Renegotiation that we begin (RFC 5246, 7.4.1.1; H.248.TLSPROF 8.4): HelloRequest as server,
 * ClientHello as client, KeyUpdate in TLS 1.3. The peer is libssl or GnuTLS itself, and our side
 * either engine: "server" names ours, "client" the peer's.
 */
#include "foreign.h"
#include "pairs.h"
#include "tls/engine.h"

static void open_spec(struct foreign *far, const struct lab_sides *sides, enum tls_role ours,
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

	open_spec(far, sides, ours, &spec, true);
}

static enum tls_again order(struct foreign *far)
{
	struct tls_io io = { .out = &far->in, .now_ms = far->now_ms };
	enum tls_again what;

	assert_int_equal(tls_session_renegotiate(far->session, &io, &what), 0);
	return what;
}

static void begun(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;

		open_plain(&far, *state, (enum tls_role)ours, "both");
		assert_true(foreign_info(&far).we_may_renegotiate && foreign_info(&far).secured);
		foreign_talk(&far);
		for (unsigned count = 1; count <= 2; count++) {
			assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
			assert_int_equal(tls_session_wish(far.session),
			                 ours == TLS_ROLE_SERVER ? TLS_WISH_OPEN : TLS_WISH_NONE);
			assert_int_equal(foreign_info(&far).renegotiating, ours == TLS_ROLE_CLIENT);
			assert_true(foreign_answer(&far));
			foreign_assert_up(&far, count);
			assert_int_equal(tls_session_wish(far.session), TLS_WISH_NONE);
			/* libssl's client resumes what it renegotiates, where nothing is proved */
			if (ours == TLS_ROLE_CLIENT || far.kind == TLS_ENGINE_GNUTLS)
				assert_false(foreign_info(&far).resumed);
			foreign_talk(&far);
		}
		foreign_close(&far);
	}
}

/** Until the client begins all goes on, both ways; GnuTLS tells of the request, and may go on. */
static void data_before_the_answer(void **state)
{
	const struct lab_sides *sides = *state;
	struct foreign far;
	char clear[64] = { 0 };
	struct tls_io io;

	open_plain(&far, sides, TLS_ROLE_SERVER, "both");
	assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
	io = (struct tls_io){ .out = &far.in };
	assert_int_equal(tls_session_write(far.session, &io, (const uint8_t *)"x", 1), 0);
	foreign_send(&far, "before");
	assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 6);
	assert_int_equal(tls_session_wish(far.session), TLS_WISH_OPEN);
	assert_true(foreign_answer(&far));
	foreign_assert_up(&far, 1);
	foreign_talk(&far);
	foreign_close(&far);
}

/** As client: what the server had under way is delivered. */
static void data_in_the_midst(void **state)
{
	struct foreign far;
	char clear[64] = { 0 };

	open_plain(&far, *state, TLS_ROLE_CLIENT, "both");
	assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
	foreign_send(&far, "one");
	foreign_send(&far, "two");
	assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 6);
	assert_string_equal(clear, "onetwo");
	assert_true(foreign_info(&far).renegotiating);
	assert_true(foreign_answer(&far));
	foreign_assert_up(&far, 1);
	foreign_talk(&far);
	foreign_close(&far);
}

/** A record of which a part has come is finished first. */
static void half_a_record(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		for (size_t part = 1; part < 12; part += 3) {
			struct base_writer rest = { 0 };
			struct foreign far;
			char clear[64] = { 0 };

			open_plain(&far, *state, (enum tls_role)ours, "both");
			foreign_send(&far, "cut");
			base_writer_put(&rest, far.out.data + part, far.out.len - part);
			far.out.len = part;
			assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 0);
			assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
			base_writer_put(&far.out, rest.data, rest.len);
			assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 3);
			assert_string_equal(clear, "cut");
			assert_true(foreign_answer(&far));
			foreign_assert_up(&far, 1);
			foreign_talk(&far);
			base_writer_done(&rest);
			foreign_close(&far);
		}
	}
}

static void assert_not(struct foreign *far, enum tls_again why)
{
	size_t before = far->in.len;

	assert_int_equal(order(far), why);
	assert_int_equal(far->in.len, before);
	assert_true(strlen(tls_again_text(why)) > 10);
	foreign_talk(far);
}

static void not_by_profile(void **state)
{
	static const char *const profiles[] = { "only-ours", "again" }; /* by our role */

	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;

		open_plain(&far, *state, (enum tls_role)ours, profiles[ours]);
		assert_false(foreign_info(&far).we_may_renegotiate);
		assert_not(&far, TLS_AGAIN_FORBIDDEN);
		foreign_close(&far);
	}
}

/** RFC 5746, 4.2 and 4.4. */
static void not_unsecured(void **state)
{
	const struct lab_sides *sides = *state;

	if (sides->client != TLS_ENGINE_GNUTLS)
		return; /* libssl cannot be made to forget the RFC */
	for (int ours = 0; ours < 2; ours++) {
		struct tls_domain_spec spec = lab_spec(sides, (enum tls_role)ours, "both");
		struct foreign far;

		open_spec(&far, sides, (enum tls_role)ours, &spec, false);
		assert_false(foreign_info(&far).secured);
		assert_not(&far, TLS_AGAIN_UNSECURED);
		foreign_close(&far);
	}
}

/** A HelloRequest is not repeated before its answer; and there is no session before, and after. */
static void not_now(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;
		struct tls_io io;

		open_plain(&far, *state, (enum tls_role)ours, "both");
		assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
		assert_int_equal(order(&far), TLS_AGAIN_BUSY);
		assert_true(foreign_answer(&far));
		foreign_assert_up(&far, 1);
		io = (struct tls_io){ .out = &far.in };
		assert_int_equal(tls_session_close(far.session, &io), 0);
		assert_int_equal(order(&far), TLS_AGAIN_CLOSED);
		foreign_close(&far);
	}
}

/** The peer's wishes and ours are counted together. */
static void limit(void **state)
{
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;

		open_plain(&far, *state, (enum tls_role)ours, "both");
		for (unsigned count = 1; count <= 3; count++) {
			if (count == 2) {
				foreign_ask(&far);
				assert_true(foreign_reshake(&far));
			} else {
				assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
				assert_true(foreign_answer(&far));
			}
			foreign_assert_up(&far, count);
		}
		assert_not(&far, TLS_AGAIN_TOO_OFTEN);
		far.now_ms += 60000;
		assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
		assert_true(foreign_answer(&far));
		foreign_assert_up(&far, 4);
		foreign_close(&far);
	}
}

/** no_renegotiation: the session goes on, and it is not asked again; libssl's ends there. */
static void refused_by_the_peer(void **state)
{
	const struct lab_sides *sides = *state;

	if (sides->client != TLS_ENGINE_GNUTLS)
		return; /* libssl's peer goes along */
	for (int ours = 0; ours < 2; ours++) {
		struct foreign far;
		struct tls_info before, after;
		char clear[64];

		open_plain(&far, sides, (enum tls_role)ours, "both");
		before = foreign_info(&far);
		assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
		foreign_refuse(&far);
		after = foreign_info(&far);
		if (sides->server == TLS_ENGINE_OPENSSL) {
			assert_int_equal(far.result,
			                 BASE_ERR(BASE_PEER, TLS_ALERT_HANDSHAKE_FAILURE));
			foreign_close(&far);
			continue;
		}
		foreign_assert_up(&far, 0);
		assert_int_equal(tls_session_wish(far.session), TLS_WISH_REFUSED);
		assert_int_equal(after.suite, before.suite);
		assert_int_equal(after.has_verdict, before.has_verdict);
		assert_int_equal(order(&far), TLS_AGAIN_REFUSED);
		foreign_send(&far, "still here");
		assert_int_equal(foreign_ours(&far, clear, sizeof(clear)), 10);
		if (ours == TLS_ROLE_SERVER) /* its ClientHello stays in the way of their server */
			foreign_expect(&far, "and so am I");
		foreign_close(&far);
	}
}

/** Nobody gains by a refusal that answers nothing. */
static void refused_unasked(void **state)
{
	const struct lab_sides *sides = *state;
	struct foreign far;
	char scrap[16];

	if (sides->client != TLS_ENGINE_GNUTLS || sides->server != TLS_ENGINE_GNUTLS)
		return;
	open_plain(&far, sides, TLS_ROLE_SERVER, "both");
	assert_int_equal(gnutls_alert_send(far.tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION),
	                 0);
	(void)foreign_ours(&far, scrap, sizeof(scrap));
	assert_int_equal(tls_session_wish(far.session), TLS_WISH_NONE);
	assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
	assert_true(foreign_answer(&far));
	foreign_assert_up(&far, 1);
	foreign_close(&far);
}

/** Whom we ask proves who it is, by the policy of the domain (H.248.TLSPROF 8.4). */
static void judged_again(void **state)
{
	const struct lab_sides *sides = *state;
	const struct {
		const struct x509_identity *then;
		bool good;
	} cases[] = {
		{ sides->lab->client, true },
		{ sides->lab->expired, false },
		{ sides->lab->stranger, false },
		{ sides->lab->server_ec, false }, /* good, and another's */
	};

	for (int ours = 0; ours < 2; ours++) {
		for (size_t i = 0; i < BASE_COUNT(cases); i++) {
			struct tls_domain_spec spec = lab_spec(sides, (enum tls_role)ours, "both");
			const struct tls_session_spec session = { .role = (enum tls_role)ours };
			struct foreign far;
			struct tls_info info;

			spec.engine = sides->server;
			spec.client_auth = TLS_CLIENT_AUTH_REQUIRE;
			spec.client_methods = spec.server_methods = TRUST_CA;
			foreign_open(&far, sides->client, sides->lab->client, &spec, &session,
			             true);
			foreign_shake(&far);
			assert_true(foreign_info(&far).verdict.authenticated);
			foreign_identity(&far, cases[i].then);
			assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
			(void)foreign_answer(&far);
			info = foreign_info(&far);
			assert_int_equal(info.renegotiations, cases[i].good);
			if (cases[i].good) {
				assert_true(info.has_verdict && info.verdict.authenticated);
				foreign_talk(&far);
			} else {
				assert_int_equal(base_err_class(far.result), BASE_PEER);
				assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
				assert_true(info.alert > 0 && info.renegotiating);
				assert_true(info.failure[0]);
			}
			foreign_close(&far);
		}
	}
}

/** What we begin is no licence for the client: its own wish stays refused. */
static void not_theirs(void **state)
{
	struct foreign far;

	open_plain(&far, *state, TLS_ROLE_SERVER, "only-ours");
	assert_false(foreign_info(&far).peer_may_renegotiate);
	assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
	assert_true(foreign_answer(&far));
	foreign_assert_up(&far, 1);
	foreign_talk(&far);
	foreign_ask(&far);
	(void)foreign_reshake(&far);
	assert_int_equal(foreign_info(&far).renegotiations, 1);
	assert_int_equal(far.warning, TLS_ALERT_NO_RENEGOTIATION);
	foreign_close(&far);
}

static void old_versions(void **state)
{
	static const char *const words[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.0",
		                             "NORMAL:-VERS-ALL:+VERS-TLS1.1" };
	const struct lab_sides *sides = *state;

	if (sides->client != TLS_ENGINE_GNUTLS)
		return;
	for (size_t i = 0; i < 2 * BASE_COUNT(words); i++) {
		enum tls_role ours = (enum tls_role)(i / 2);
		struct tls_domain_spec spec = lab_spec(sides, ours, "both-old");
		const struct tls_session_spec session = { .role = ours };
		struct foreign far;

		spec.engine = sides->server;
		foreign_open(&far, sides->client,
		             ours == TLS_ROLE_SERVER ? sides->lab->client : sides->lab->server_ec,
		             &spec, &session, true);
		assert_int_equal(gnutls_priority_set_direct(far.tls, words[i % 2], NULL), 0);
		foreign_shake(&far);
		assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
		assert_true(foreign_answer(&far));
		foreign_assert_up(&far, 1);
		assert_int_equal(foreign_info(&far).version, 0x0301 + i % 2);
		foreign_talk(&far);
		foreign_close(&far);
	}
}

/** Who came by a ticket has the server prove everything in the renegotiation that we begin. */
static void after_a_ticket(void **state)
{
	const struct lab_sides *sides = *state;
	const struct tls_session_spec session = { .role = TLS_ROLE_CLIENT, .resume_key = "it" };
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_CLIENT, "both");
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
		foreign_identity(&far, then[i]);
		assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
		(void)foreign_answer(&far);
		assert_int_equal(foreign_info(&far).renegotiations, i == 0);
		if (i) {
			assert_int_equal(foreign_info(&far).alert_side, TLS_SIDE_LOCAL);
		} else {
			assert_false(foreign_info(&far).resumed);
			foreign_talk(&far);
		}
		foreign_close(&far);
	}
}

/** Who may begin is the domain's choice, where the profile leaves it open. */
static void the_domain_chooses(void **state)
{
	static const struct {
		const char *profile;
		enum profile_choice client, server;
		bool may[2]; /* we, by our role */
	} cases[] = {
		{ "tls12", 0, 0, { false, false } },
		{ "tls12", PROFILE_CHOICE_YES, 0, { true, false } },
		{ "tls12", 0, PROFILE_CHOICE_YES, { false, true } },
		{ "both", PROFILE_CHOICE_NO, 0, { false, true } },
		{ "both", PROFILE_CHOICE_NO, PROFILE_CHOICE_NO, { false, false } },
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		for (int ours = 0; ours < 2; ours++) {
			struct tls_domain_spec spec =
			        lab_spec(*state, (enum tls_role)ours, cases[i].profile);
			struct foreign far;

			spec.by_client = cases[i].client;
			spec.by_server = cases[i].server;
			open_spec(&far, *state, (enum tls_role)ours, &spec, true);
			assert_int_equal(tls_domain_renegotiation(far.domain),
			                 cases[i].may[0] | cases[i].may[1] << 1);
			/* a client that may begin one may be asked to */
			assert_int_equal(foreign_info(&far).we_may_renegotiate, cases[i].may[ours]);
			assert_int_equal(foreign_info(&far).peer_may_renegotiate,
			                 cases[i].may[1 - ours] ||
			                         (ours == TLS_ROLE_CLIENT && cases[i].may[ours]));
			assert_int_equal(order(&far), cases[i].may[ours] ? TLS_AGAIN_BEGUN
			                                                 : TLS_AGAIN_FORBIDDEN);
			foreign_close(&far);
		}
	}
}

/* -- ours with ours -------------------------------------------------------------------------- */

static void pair_open(struct lab_pair *pair, void **state, const char *profile)
{
	struct tls_domain_spec s = lab_spec(*state, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(*state, TLS_ROLE_CLIENT, profile);

	lab_pair_open(pair, &s, &c, NULL, NULL);
	lab_pair_shake(pair);
	lab_assert_up(pair);
}

static enum tls_again pair_order(struct lab_pair *pair, enum tls_role role)
{
	struct tls_io io = { .out = &pair->wire[role], .now_ms = pair->now_ms };
	enum tls_again what;

	assert_int_equal(tls_session_renegotiate(pair->session[role], &io, &what), 0);
	return what;
}

static void pair_settle(struct lab_pair *pair)
{
	uint8_t clear[64];
	size_t n;

	for (int turn = 0; turn < 16; turn++) {
		assert_int_equal(
		        lab_pair_read(pair, (enum tls_role)(turn & 1), clear, sizeof(clear), &n),
		        BASE_ERR(BASE_AGAIN, 0));
		assert_int_equal(n, 0);
	}
}

/**
 * Either begins, or both at once: a ClientHello that meets a HelloRequest is its answer, and the
 * client passes over the request (RFC 5246, 7.4.1.1). GnuTLS's does not; that ends the session.
 */
static void ours_with_ours(void **state)
{
	const struct lab_sides *sides = *state;

	for (unsigned who = 1; who <= (sides->client == TLS_ENGINE_GNUTLS ? 2 : 3); who++) {
		struct lab_pair pair;

		pair_open(&pair, state, "both");
		for (int role = 0; role < 2; role++)
			if (who & 1U << role)
				assert_int_equal(pair_order(&pair, (enum tls_role)role),
				                 TLS_AGAIN_BEGUN);
		pair_settle(&pair);
		for (int role = 0; role < 2; role++) {
			struct tls_info info = lab_info(&pair, (enum tls_role)role);

			assert_int_equal(info.renegotiations, 1);
			assert_false(info.renegotiating);
			lab_pair_send(&pair, (enum tls_role)role, "on", 2);
		}
		lab_pair_close(&pair);
	}
}

/** RFC 8446, 4.6.3: new keys both ways, and the same limit. */
static void new_keys(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct lab_pair pair;

		pair_open(&pair, state, "tls13");
		for (unsigned i = 1; i <= 3; i++) {
			assert_int_equal(pair_order(&pair, (enum tls_role)role), TLS_AGAIN_KEYS);
			pair_settle(&pair);
			assert_int_equal(lab_info(&pair, (enum tls_role)role).key_updates, i);
			assert_int_equal(lab_info(&pair, (enum tls_role)role).renegotiations, 0);
			lab_pair_send(&pair, TLS_ROLE_CLIENT, "up", 2);
			lab_pair_send(&pair, TLS_ROLE_SERVER, "down", 4);
		}
		assert_int_equal(pair_order(&pair, (enum tls_role)role), TLS_AGAIN_TOO_OFTEN);
		lab_pair_close(&pair);
	}
}

/** A KeyUpdate that asks for one is answered by one: what comes back is more than the data. */
static void keys_are_asked_for(void **state)
{
	struct lab_pair pair;
	uint8_t clear[64];
	size_t n, plain;
	struct tls_io io;

	pair_open(&pair, state, "tls13");
	io = (struct tls_io){ .out = &pair.wire[TLS_ROLE_CLIENT] };
	assert_int_equal(
	        tls_session_write(pair.session[TLS_ROLE_CLIENT], &io, (const uint8_t *)"x", 1), 0);
	plain = io.out->len;
	(void)lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n);
	assert_int_equal(pair_order(&pair, TLS_ROLE_SERVER), TLS_AGAIN_KEYS);
	(void)lab_pair_read(&pair, TLS_ROLE_CLIENT, clear, sizeof(clear), &n);
	assert_int_equal(
	        tls_session_write(pair.session[TLS_ROLE_CLIENT], &io, (const uint8_t *)"x", 1), 0);
	assert_true(io.out->len > plain);
	assert_int_equal(lab_pair_read(&pair, TLS_ROLE_SERVER, clear, sizeof(clear), &n), 0);
	assert_int_equal(n, 1);
	lab_pair_close(&pair);
}

/** What is remembered by its id is the session as it is now, and nothing once it is deleted. */
static void what_was_is_forgotten(void **state)
{
	struct foreign far;
	uint8_t first[TLS_BINDING_MAX], now[TLS_BINDING_MAX];
	size_t len, octets;
	struct tls_ids *ids;

	open_plain(&far, *state, TLS_ROLE_SERVER, "both-ids");
	ids = far.session->context->domain->ids;
	assert_int_equal(tls_ids_count(ids, &octets), 1);
	assert_int_equal(tls_session_binding(far.session, first, &len), 0);
	assert_memory_equal(first, far.session->id, len);
	assert_int_equal(order(&far), TLS_AGAIN_BEGUN);
	assert_true(foreign_answer(&far));
	foreign_assert_up(&far, 1);
	assert_int_equal(tls_session_binding(far.session, now, &len), 0);
	assert_memory_not_equal(first, now, len);
	assert_int_equal(tls_ids_count(ids, &octets), 1);
	assert_true(tls_session_forget(far.session, far.now_ms));
	assert_int_equal(tls_ids_count(ids, &octets), 0);
	assert_int_equal(tls_session_binding(far.session, first, &len), 0);
	assert_memory_equal(first, now, len);
	foreign_talk(&far);
	foreign_close(&far);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_was_is_forgotten),
	cmocka_unit_test(begun),
	cmocka_unit_test(data_before_the_answer),
	cmocka_unit_test(data_in_the_midst),
	cmocka_unit_test(half_a_record),
	cmocka_unit_test(not_by_profile),
	cmocka_unit_test(not_unsecured),
	cmocka_unit_test(not_now),
	cmocka_unit_test(limit),
	cmocka_unit_test(refused_by_the_peer),
	cmocka_unit_test(refused_unasked),
	cmocka_unit_test(judged_again),
	cmocka_unit_test(not_theirs),
	cmocka_unit_test(after_a_ticket),
	cmocka_unit_test(the_domain_chooses),
	cmocka_unit_test(old_versions),
	cmocka_unit_test(ours_with_ours),
	cmocka_unit_test(new_keys),
	cmocka_unit_test(keys_are_asked_for),
};

int main(void)
{
	return pairs_run(tests, BASE_COUNT(tests));
}
