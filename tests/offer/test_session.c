/* SPDX-License-Identifier: Apache-2.0 */
/** @file Offer and answer from end to end: keys, roles, later offers. */
#include "stage.h"

static void same_keys(const struct stage *s, size_t i)
{
	struct offer_stream a = stage_stream(s->caller, i), b = stage_stream(s->called, i);

	assert_int_equal(a.verdict, OFFER_AGREED);
	assert_int_equal(b.verdict, OFFER_AGREED);
	assert_non_null(a.psk);
	assert_non_null(b.psk);
	assert_int_equal(a.psk->len, OFFER_PSK);
	assert_true(base_secret_equal(a.psk->data, a.psk->len, b.psk->data, b.psk->len));
	assert_true(strlen(a.psk_identity) >= 4);
	assert_string_equal(a.psk_identity, b.psk_identity);
	assert_true(a.end_s > STAGE_S && a.end_s <= STAGE_S + 3600);
	assert_int_equal(a.end_s, b.end_s);
	assert_true(a.fresh && b.fresh);
	assert_int_equal(a.tcp_client, !b.tcp_client);
	assert_int_equal(a.tls_client, !b.tls_client);
}

/* Modes 1, 3 and 4 of RFC 6043, 4.1.1: who is asked, and who is proved to be there. */
static void every_mode(void **state)
{
	static const struct {
		unsigned mode, asked;
		const char *answers;
	} rows[] = { { 1, 4, "sip:mrfc@example.com" },
		     { 3, 2, "sip:mrfc@example.com" },
		     { 4, 0, "sip:room@example.com" } };
	struct stage s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		stage_open(&s, rows[i].mode);
		stage_sessions(&s, stage_user, stage_room, 2);
		if (stage_play(&s))
			fail_msg("mode %u: %s", rows[i].mode, s.err.text);
		assert_int_equal(s.asked, rows[i].asked);
		for (size_t n = 0; n < 2; n++)
			same_keys(&s, n);
		assert_false(base_secret_equal(stage_stream(s.caller, 0).psk->data, OFFER_PSK,
		                               stage_stream(s.caller, 1).psk->data, OFFER_PSK));
		assert_string_equal(stage_stream(s.caller, 0).peer, rows[i].answers);
		assert_string_equal(stage_stream(s.called, 0).peer, "sip:alice@example.com");
		stage_close(&s);
	}
}

/* What the two agreed upon beside the keys. */
static void what_is_agreed(void **state)
{
	struct offer_stream a, b;
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	a = stage_stream(s.caller, 0);
	b = stage_stream(s.called, 0);
	assert_true(a.tcp_client && a.tls_client);
	assert_true(base_str_eq(a.host, BASE_STR("192.0.2.2")));
	assert_int_equal(a.port, 4000);
	assert_true(base_str_eq(a.msrp.path, BASE_STR("msrps://192.0.2.2:4000/s2;tcp")));
	assert_true(base_str_eq(b.msrp.path, BASE_STR("msrps://192.0.2.1:4000/s1;tcp")));
	assert_true(a.msrp.has_chatroom && !b.msrp.has_chatroom);
	assert_true(base_str_eq(a.msrp.chatroom, BASE_STR("nickname private-messages")));
	assert_int_equal(b.msrp.max_size, 1048576);
	a = stage_stream(s.caller, 1);
	b = stage_stream(s.called, 1);
	assert_true(a.bfcp.server && !b.bfcp.server);
	assert_int_equal(a.bfcp.versions, OFFER_BFCP_1);
	assert_int_equal(a.bfcp.conference, 4000000000);
	assert_int_equal(a.bfcp.user, 7);
	assert_int_equal(a.bfcp.floors, 2);
	assert_int_equal(a.bfcp.floor[1].id, 2);
	assert_true(base_str_eq(a.bfcp.floor[1].streams, BASE_STR("10 11")));
	assert_int_equal(b.bfcp.conference, 4000000000);
	stage_close(&s);
}

/* h248-tls-packages, 5: MSRP by setup, BFCP by who offers. */
static void roles(void **state)
{
	static const struct {
		enum offer_setup offered, preferred;
		bool caller_connects;
	} rows[] = {
		{ OFFER_ACTPASS, OFFER_PASSIVE, true },
		{ OFFER_ACTPASS, OFFER_ACTIVE, false },
		{ OFFER_ACTIVE, OFFER_ACTIVE, true },
		{ OFFER_PASSIVE, OFFER_PASSIVE, false },
	};
	struct offer_media user[2], room[2];
	struct stage s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		memcpy(user, stage_user, sizeof(user));
		memcpy(room, stage_room, sizeof(room));
		user[0].setup = user[1].setup = rows[i].offered;
		room[0].setup = room[1].setup = rows[i].preferred;
		stage_open(&s, 4);
		stage_sessions(&s, user, room, 2);
		assert_int_equal(stage_play(&s), 0);
		for (size_t n = 0; n < 2; n++)
			same_keys(&s, n);
		assert_int_equal(stage_stream(s.caller, 0).tcp_client, rows[i].caller_connects);
		assert_int_equal(stage_stream(s.caller, 0).tls_client, rows[i].caller_connects);
		assert_int_equal(stage_stream(s.caller, 1).tcp_client, rows[i].caller_connects);
		assert_true(stage_stream(s.caller, 1).tls_client);
		stage_close(&s);
	}
}

/* Keys and roles are known before the answer is written, so that an MG can be told them. */
static void keys_come_before_the_answer(void **state)
{
	struct offer_question q;
	struct offer_stream st;
	struct stage s;

	(void)state;
	stage_open(&s, 1);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_offer(&s), 0);
	assert_int_equal(offer_state(s.caller), OFFER_OFFERED);
	assert_int_equal(offer_take(s.called, s.now, stage_text(&s.offer), &s.err), 0);
	assert_int_equal(offer_state(s.called), OFFER_ASKING);
	assert_null(stage_stream(s.called, 0).psk);
	assert_true(offer_question(s.called, &q));
	assert_true(q.resolve);
	assert_int_equal(q.stream, 0);
	assert_true(offer_question(s.called, &q));
	assert_int_equal(q.stream, 1);
	assert_false(offer_question(s.called, &q));
	stage_close(&s);

	stage_open(&s, 1);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_offer(&s), 0);
	assert_int_equal(offer_take(s.called, s.now, stage_text(&s.offer), &s.err), 0);
	assert_int_equal(stage_kms(&s, s.called), 0);
	assert_int_equal(offer_state(s.called), OFFER_TO_ANSWER);
	st = stage_stream(s.called, 0);
	assert_true(st.psk && st.fresh && !st.tcp_client);
	assert_int_equal(offer_write(s.called, &s.answer, &s.err), BASE_ERR(BASE_BUG, 0));
	stage_close(&s);
}

static void a_stream_refused(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	assert_int_equal(offer_new(&s.caller, &s.alice, &s.room.id, stage_user, 2, &s.err), 0);
	assert_int_equal(offer_new(&s.called, &s.room, &s.alice.id, stage_room, 1, &s.err), 0);
	assert_int_equal(stage_play(&s), 0);
	same_keys(&s, 0);
	assert_non_null(strstr(base_writer_cstr(&s.answer), "m=application 0 TCP/TLS/BFCP *\r\n"));
	assert_int_equal(stage_stream(s.caller, 1).verdict, OFFER_REFUSED);
	assert_null(stage_stream(s.caller, 1).psk);
	assert_int_equal(stage_stream(s.called, 1).verdict, OFFER_REFUSED);
	assert_false(stage_stream(s.called, 1).ours);
	stage_close(&s);
}

/* Audio between ours is refused and echoed as it was (RFC 3264, 6). */
static void foreign_streams(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_offer(&s), 0);
	stage_edit(&s.offer, "m=message", "m=audio 5000/2 RTP/SAVPF 0 8\r\nm=message");
	assert_int_equal(stage_answer(&s), 0);
	assert_non_null(strstr(base_writer_cstr(&s.answer), "m=audio 0 RTP/SAVPF 0 8\r\n"));
	assert_int_equal(stage_stream(s.called, 0).verdict, OFFER_REFUSED);
	assert_int_equal(stage_stream(s.called, 1).verdict, OFFER_AGREED);
	stage_close(&s);
}

/* RFC 4145, 5: a session refreshed keeps its connections and keys. */
static void kept(void **state)
{
	uint8_t key[OFFER_PSK];
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	memcpy(key, stage_stream(s.caller, 0).psk->data, sizeof(key));
	assert_int_equal(stage_play(&s), 0);
	assert_null(strstr(base_writer_cstr(&s.offer), "key-mgmt"));
	assert_null(strstr(base_writer_cstr(&s.answer), "key-mgmt"));
	assert_non_null(strstr(base_writer_cstr(&s.offer), "a=connection:existing"));
	assert_non_null(strstr(base_writer_cstr(&s.answer), "a=connection:existing"));
	for (size_t i = 0; i < 2; i++) {
		assert_false(stage_stream(s.caller, i).fresh);
		assert_false(stage_stream(s.called, i).fresh);
	}
	assert_memory_equal(key, stage_stream(s.caller, 0).psk->data, sizeof(key));
	assert_true(stage_stream(s.caller, 1).tls_client);
	stage_close(&s);
}

/* A refresh by the other side does not turn the TLS roles of BFCP (RFC 8856, 8). */
static void refreshed_by_the_called(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	assert_int_equal(offer_begin(s.called, s.now, &s.err), 0);
	base_writer_reset(&s.offer);
	base_writer_reset(&s.answer);
	assert_int_equal(offer_write(s.called, &s.offer, &s.err), 0);
	assert_int_equal(offer_take(s.caller, s.now, stage_text(&s.offer), &s.err), 0);
	assert_int_equal(offer_write(s.caller, &s.answer, &s.err), 0);
	assert_int_equal(offer_take(s.called, s.now, stage_text(&s.answer), &s.err), 0);
	assert_true(stage_stream(s.caller, 1).tls_client);
	assert_false(stage_stream(s.called, 1).tls_client);
	assert_false(stage_stream(s.called, 1).fresh);
	stage_close(&s);
}

/* RFC 3264, 8: the same description again changes nothing, and has the same answer. */
static void repeated(void **state)
{
	struct base_writer first = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	base_writer_str(&first, stage_text(&s.answer));
	if (stage_answer(&s))
		fail_msg("%s", s.err.text);
	assert_true(base_str_eq(stage_text(&s.answer), base_writer_view(&first)));
	assert_false(stage_stream(s.called, 0).fresh);
	base_writer_done(&first);
	stage_close(&s);
}

static void renewed(void **state)
{
	uint8_t key[OFFER_PSK], other[OFFER_PSK];
	struct stage s;

	(void)state;
	stage_open(&s, 1);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	memcpy(key, stage_stream(s.caller, 0).psk->data, sizeof(key));
	memcpy(other, stage_stream(s.caller, 1).psk->data, sizeof(other));
	offer_renew(s.caller, 0);
	assert_int_equal(stage_play(&s), 0);
	same_keys(&s, 0);
	assert_memory_not_equal(key, stage_stream(s.caller, 0).psk->data, sizeof(key));
	assert_memory_equal(other, stage_stream(s.caller, 1).psk->data, sizeof(other));
	assert_false(stage_stream(s.called, 1).fresh);
	stage_close(&s);
}

/* One that came to nothing, and comes again as it was, is no repetition of what stands. */
static void withdrawn_and_again(void **state)
{
	uint8_t key[OFFER_PSK];
	struct stage s;

	(void)state;
	stage_open(&s, 1);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	memcpy(key, stage_stream(s.called, 0).psk->data, sizeof(key));
	offer_renew(s.caller, 0);
	assert_int_equal(stage_offer(&s), 0);
	assert_int_equal(offer_take(s.called, s.now, stage_text(&s.offer), &s.err), 0);
	assert_int_equal(offer_state(s.called), OFFER_ASKING);
	offer_withdraw(s.called);
	if (stage_answer(&s))
		fail_msg("%s", s.err.text);
	if (stage_taken(&s))
		fail_msg("%s", s.err.text);
	same_keys(&s, 0);
	assert_memory_not_equal(key, stage_stream(s.called, 0).psk->data, sizeof(key));
	if (stage_answer(&s)) /* what stands is known again, whatever was offered since */
		fail_msg("%s", s.err.text);
	stage_close(&s);
}

/* A later offer that fails leaves all as it was. */
static void withdrawn(void **state)
{
	uint8_t key[OFFER_PSK];
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	memcpy(key, stage_stream(s.called, 0).psk->data, sizeof(key));
	offer_renew(s.caller, 0);
	assert_int_equal(stage_offer(&s), 0);
	stage_edit(&s.offer, "a=key-mgmt:mikey ", "a=key-mgmt:mikey A");
	assert_true(stage_answer(&s) < 0);
	assert_int_equal(offer_state(s.called), OFFER_FAILED);
	offer_withdraw(s.called);
	offer_withdraw(s.caller);
	assert_int_equal(offer_state(s.called), OFFER_IDLE);
	assert_memory_equal(key, stage_stream(s.called, 0).psk->data, sizeof(key));
	assert_memory_equal(key, stage_stream(s.caller, 0).psk->data, sizeof(key));
	assert_int_equal(stage_play(&s), 0);
	same_keys(&s, 0);
	stage_close(&s);
}

static void closed(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 2);
	assert_int_equal(stage_play(&s), 0);
	offer_close(s.caller, 0);
	assert_null(stage_stream(s.caller, 0).psk);
	assert_int_equal(stage_play(&s), 0);
	assert_non_null(strstr(base_writer_cstr(&s.offer), "m=message 0 TCP/TLS/MSRP *\r\n"));
	assert_non_null(strstr(base_writer_cstr(&s.answer), "m=message 0 TCP/TLS/MSRP *\r\n"));
	assert_int_equal(stage_stream(s.called, 0).verdict, OFFER_REFUSED);
	assert_null(stage_stream(s.called, 0).psk);
	assert_non_null(stage_stream(s.called, 1).psk);
	stage_close(&s);
}

static void held(void **state)
{
	struct offer_media user[2];
	struct stage s;

	(void)state;
	memcpy(user, stage_user, sizeof(user));
	user[0].setup = OFFER_HOLDCONN;
	stage_open(&s, 4);
	stage_sessions(&s, user, stage_room, 1);
	assert_int_equal(stage_play(&s), 0);
	assert_true(stage_stream(s.caller, 0).held && stage_stream(s.called, 0).held);
	assert_false(stage_stream(s.caller, 0).fresh || stage_stream(s.called, 0).fresh);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode),
		cmocka_unit_test(what_is_agreed),
		cmocka_unit_test(roles),
		cmocka_unit_test(keys_come_before_the_answer),
		cmocka_unit_test(a_stream_refused),
		cmocka_unit_test(foreign_streams),
		cmocka_unit_test(kept),
		cmocka_unit_test(refreshed_by_the_called),
		cmocka_unit_test(repeated),
		cmocka_unit_test(renewed),
		cmocka_unit_test(withdrawn),
		cmocka_unit_test(withdrawn_and_again),
		cmocka_unit_test(closed),
		cmocka_unit_test(held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
