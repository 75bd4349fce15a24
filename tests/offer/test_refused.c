/* SPDX-License-Identifier: Apache-2.0 */
/** @file What is not taken: keys of others, descriptions that lie or err, a KMS that says no. */
#include "stage.h"

static void begin(struct stage *s, unsigned mode)
{
	stage_open(s, mode);
	stage_sessions(s, stage_user, stage_room, 2);
}

/* The session ends, with that status and Error no, and has no key. */
static void fails(struct stage *s, struct offer_session *session, int rc, unsigned status,
                  unsigned error_no, const char *words)
{
	struct offer_failure f;

	assert_true(rc < 0);
	assert_int_equal(offer_state(session), OFFER_FAILED);
	offer_failure(session, &f);
	if (f.status != status || f.error_no != error_no || !strstr(f.text, words))
		fail_msg("%u, error %u: %s", f.status, f.error_no, f.text);
	assert_string_equal(f.text, s->err.text);
	for (size_t i = 0; i < offer_count(session); i++)
		assert_null(stage_stream(session, i).psk);
}

static void no_ticket(void **state)
{
	struct stage s;

	(void)state;
	stage_open(&s, 1);
	s.room.id = stage_uri("sip:enemy@example.com");
	stage_sessions(&s, stage_user, stage_room, 2);
	fails(&s, s.caller, stage_offer(&s), 403, 255, "told:");
	stage_close(&s);
}

static void no_kms(void **state)
{
	struct offer_question q;
	struct stage s;

	(void)state;
	begin(&s, 1);
	assert_int_equal(offer_begin(s.caller, s.now, &s.err), 0);
	assert_true(offer_question(s.caller, &q));
	(void)base_error_set(&s.err, BASE_ERR(BASE_LOCAL, 0), "connection refused");
	fails(&s, s.caller, offer_told(s.caller, s.now, q.stream, mikey_octets_of(NULL, 0), &s.err),
	      503, 255, "connection refused");
	assert_int_equal(offer_told(s.caller, s.now, 1, mikey_octets_of("x", 1), &s.err),
	                 BASE_ERR(BASE_BUG, 0));
	stage_close(&s);
}

/* A KMS whose words are not proved is not believed. */
static void a_kms_that_lies(void **state)
{
	struct offer_question q;
	struct stage s;

	(void)state;
	begin(&s, 1);
	assert_int_equal(offer_begin(s.caller, s.now, &s.err), 0);
	assert_true(offer_question(s.caller, &q));
	fails(&s, s.caller, offer_told(s.caller, s.now, q.stream, q.octets, &s.err), 488, 11, "");
	stage_close(&s);
}

/* Who resolves has to be who the ticket is for. */
static void a_ticket_for_another(void **state)
{
	struct stage s;

	(void)state;
	begin(&s, 1);
	assert_int_equal(stage_offer(&s), 0);
	s.room.id = stage_uri("sip:other@example.com");
	fails(&s, s.called, stage_answer(&s), 488, 7, "somebody else");
	assert_int_equal(s.asked, 2); /* before the KMS is asked */
	stage_close(&s);
}

/* TRANSFER_INIT for the room with a ticket of mode 4 for `listed` and some crypto sessions, as its
 * key-mgmt line. */
static void init_of(struct stage *s, const char *listed, uint8_t sessions, struct base_writer *line)
{
	const struct mikey_env env = { .now = s->now };
	const struct mikey_suite suite = { MIKEY_PRF_HMAC_SHA_256, MIKEY_AES_CM_128,
		                           MIKEY_HMAC_SHA_256_256 };
	struct mikey_grant grant = { .policy = { .type = MIKEY_TICKET_BASE,
		                                 .subtype = 1,
		                                 .version = 1,
		                                 .prf = 1,
		                                 .flags = MIKEY_FLAG_F | MIKEY_FLAG_G |
		                                          MIKEY_FLAG_H | MIKEY_FLAG_L |
		                                          MIKEY_FLAG_N | MIKEY_FLAG_O,
		                                 .kms = s->alice.kms,
		                                 .initiator = s->alice.id,
		                                 .responder = { stage_uri(listed) },
		                                 .responders = 1 } };
	struct mikey_payload list = { .type = MIKEY_GENERAL_EXT,
		                      .ext = { MIKEY_EXT_SDP_IDS, mikey_octets_text("mikey") } };
	struct mikey_payload sp = { .next = &list, .type = MIKEY_SP, .sp.prot = MIKEY_PROT_TLS };
	const struct mikey_octets policy = mikey_octets_of("", 1);
	const struct mikey_cs cs[] = { { .id = 1, .prot = MIKEY_PROT_TLS, .policies = policy },
		                       { .id = 2, .prot = MIKEY_PROT_TLS, .policies = policy } };
	const struct mikey_offer offer = { .suite = suite,
		                           .initiator = s->alice.id,
		                           .responder = s->room.id,
		                           .cs = cs,
		                           .cs_count = sessions,
		                           .sp = &sp };
	const struct mikey_octets mpk = mikey_octets_text("thirty-two octets of master key.");
	struct mikey_transfer transfer = { .prf = 0 };
	struct mikey_keys keys = { .count = 0 };
	struct base_arena arena = { 0 };

	assert_int_equal(mikey_keys_add(&keys, MIKEY_MPK, mpk, mikey_octets_of(NULL, 0),
	                                mikey_octets_text("m")),
	                 0);
	assert_int_equal(mikey_keys_add(&keys, MIKEY_TGK, mpk, mikey_octets_of(NULL, 0),
	                                mikey_octets_text("t")),
	                 0);
	assert_int_equal(mikey_ticket_make(&arena, &env, &grant.policy, &s->alice.tpk, suite,
	                                   mikey_octets_of(NULL, 0), &keys, &grant.ticket,
	                                   &grant.keys, &s->err),
	                 0);
	assert_int_equal(mikey_transfer_init(&env, &offer, &grant, &transfer, &s->err), 0);
	mikey_sdp_write(line, transfer.sent.data, transfer.sent.len);
	base_writer_text(line, "\r\na=was:");
	mikey_transfer_done(&transfer);
	mikey_grant_done(&grant);
	mikey_keys_done(&keys);
	base_arena_done(&arena);
}

/* The message says the room, its ticket does not: a thief could open it, and so could we. */
static void a_ticket_that_lists_another(void **state)
{
	static const char *const listed[] = { "sip:room@example.com", "sip:other@example.com" };
	struct stage s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(listed); i++) {
		struct base_writer line = { 0 };

		stage_open(&s, 4);
		stage_sessions(&s, stage_user, stage_room, 1);
		assert_int_equal(stage_offer(&s), 0);
		init_of(&s, listed[i], 1, &line);
		stage_edit(&s.offer, "a=key-mgmt:", base_writer_cstr(&line));
		if (!i)
			assert_int_equal(stage_answer(&s), 0);
		else
			fails(&s, s.called, stage_answer(&s), 488, 7, "the ticket is for");
		base_writer_done(&line);
		stage_close(&s);
	}
}

static void two_crypto_sessions(void **state)
{
	struct base_writer line = { 0 };
	struct stage s;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 1);
	assert_int_equal(stage_offer(&s), 0);
	init_of(&s, "sip:room@example.com", 2, &line);
	stage_edit(&s.offer, "a=key-mgmt:", base_writer_cstr(&line));
	fails(&s, s.called, stage_answer(&s), 488, MIKEY_BAD_SP, "exactly one crypto session (");
	base_writer_done(&line);
	stage_close(&s);
}

static void not_a_member(void **state)
{
	struct stage s;

	(void)state;
	begin(&s, 3);
	s.room.user = stage_uri("sip:mallory@example.com");
	s.room.cred.psk = mikey_octets_text("sip:mallory@example.com");
	s.room.cred.psk_id.data = s.room.cred.psk;
	assert_int_equal(stage_offer(&s), 0);
	fails(&s, s.called, stage_answer(&s), 403, 255, "told:");
	stage_close(&s);
}

/* The called is not who answers: the set-up is aborted (TS 23.333, 5.20.2). */
static void another_answers(void **state)
{
	struct stage s;

	(void)state;
	begin(&s, 3);
	s.alice.alias_count = 0;
	assert_int_equal(stage_offer(&s), 0);
	assert_int_equal(stage_answer(&s), 0);
	fails(&s, s.caller, stage_taken(&s), 488, 7, "sip:mrfc@example.com is there instead of");
	stage_close(&s);
}

/* From says another than MIKEY proves. */
static void another_calls(void **state)
{
	const struct mikey_id bob = stage_uri("sip:bob@example.com");
	struct stage s;

	(void)state;
	begin(&s, 3);
	assert_int_equal(stage_offer(&s), 0);
	offer_free(s.called);
	assert_int_equal(offer_new(&s.called, &s.room, &bob, stage_room, 2, &s.err), 0);
	fails(&s, s.called, stage_answer(&s), 488, 7, "sip:alice@example.com is there instead of");
	stage_close(&s);
}

static void replayed(void **state)
{
	struct stage s;

	(void)state;
	begin(&s, 4);
	assert_int_equal(stage_play(&s), 0);
	offer_free(s.called);
	assert_int_equal(offer_new(&s.called, &s.room, &s.alice.id, stage_room, 2, &s.err), 0);
	fails(&s, s.called, stage_answer(&s), 488, 1, "");
	stage_close(&s);
}

static void too_late(void **state)
{
	struct stage s;

	(void)state;
	begin(&s, 4);
	assert_int_equal(stage_offer(&s), 0);
	s.now = mikey_ntp(STAGE_S + 301, 0);
	fails(&s, s.called, stage_answer(&s), 488, 1, "");
	stage_close(&s);
}

static char *end_of_line(char *at)
{
	return strstr(at, "\r\n");
}

/* Any character of the key management data changed: no key, at either end. */
static void bent(void **state)
{
	struct stage s;

	(void)state;
	for (size_t n = 0; n < 1480; n += 37) {
		struct base_writer *w = n % 2 ? &s.offer : &s.answer;
		char *at, *end;

		begin(&s, 4);
		assert_int_equal(stage_offer(&s), 0);
		if (w == &s.answer)
			assert_int_equal(stage_answer(&s), 0);
		at = strstr((char *)(uintptr_t)base_writer_cstr(w), "a=key-mgmt:mikey ") + 17;
		end = end_of_line(at);
		at += n % (size_t)(end - 3 - at); /* the last may hold bits that nobody reads */
		*at = *at == 'A' ? 'B' : 'A';
		assert_true((w == &s.answer ? stage_taken(&s) : stage_answer(&s)) < 0);
		assert_null(stage_stream(w == &s.answer ? s.caller : s.called, 0).psk);
		stage_close(&s);
	}
}

struct edit {
	const char *from, *to; /**< in the offer */
	const char *why;       /**< of the stream that it costs */
};

/* What is wrong with one stream costs that stream. */
static void a_stream_that_errs(void **state)
{
	static const struct edit edits[] = {
		{ "a=setup:actpass", "a=setup:actively", "4145, 4" },
		{ "a=connection:new", "a=connection:old", "4145, 5" },
		{ "TCP/TLS/MSRP", "TCP/MSRP", "no such stream" },
		{ "a=path:msrps:", "a=path:msrp:", "14.2" },
		{ "a=path:", "a=path:xmpp:", "8.2" },
		{ "a=path:", "a=no-path:", "8.2" },
		{ "a=accept-types:message/cpim text/plain", "a=accept-types:image/png", "8.6" },
		{ "a=accept-types:", "a=accept:", "8.6" },
		{ "a=max-size:", "a=max-size:x", "8.6" },
		{ "a=key-mgmt:mikey", "a=key-mgmt:other", "no key-mgmt protocol but MIKEY" },
		{ "a=key-mgmt:", "a=key:", "no a=key-mgmt" },
		{ "a=key-mgmt:mikey ", "a=key-mgmt:mikey\r\na=x:", "no protocol or no data" },
		{ "a=key-mgmt:mikey ", "a=key-mgmt:mikey AAAA\r\na=key-mgmt:mikey ",
		  "two offers of one" },
		{ "m=message 4000", "m=message 4001", "" }, /* CEMA stands between: fine */
		{ "IP4 192.0.2.1\r\na=setup", "IP4 (192)\"<\r\na=setup", "8866, 5.7" },
	};
	struct stage s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(edits); i++) {
		struct offer_stream st;

		begin(&s, 4);
		assert_int_equal(stage_offer(&s), 0);
		stage_edit(&s.offer, edits[i].from, edits[i].to);
		if (stage_answer(&s))
			fail_msg("%s: %s", edits[i].to, s.err.text);
		st = stage_stream(s.called, 0);
		if (!edits[i].why[0])
			assert_int_equal(st.verdict, OFFER_AGREED);
		else if (st.verdict != OFFER_REFUSED || !st.why || !strstr(st.why, edits[i].why))
			fail_msg("%s: %s", edits[i].to, st.why);
		assert_int_equal(stage_stream(s.called, 1).verdict, OFFER_AGREED);
		stage_close(&s);
	}
}

static void bfcp_that_errs(void **state)
{
	static const struct edit edits[] = {
		{ "a=floorctrl:c-only", "a=floorctrl:s-only", "8856, 5.1" },
		{ "a=floorctrl:c-only", "a=floorctrl:sometimes", "8856, 5.1" },
		{ "a=floorctrl:c-only", "a=floorctrl:c-s", "" },
		{ "a=floorctrl:c-only", "a=floorctrl:c-only s-only", "" },
		{ "a=floorctrl:c-only\r\n", "", "" }, /* the offerer is client then */
		{ "a=bfcpver:1 2", "a=bfcpver:2", "10.2" },
		{ "a=bfcpver:1 2", "a=bfcpver:9", "5.5" },
		{ "a=bfcpver:1 2\r\n", "", "" }, /* version 1 then */
		{ "a=bfcpver", "a=confid:4294967296\r\na=bfcpver", "5.2" },
		{ "a=bfcpver", "a=floorid:65536 mstrm:10\r\na=bfcpver", "5.4" },
		{ "a=bfcpver", "a=floorid:1 label:10\r\na=bfcpver", "5.4" },
		{ "a=bfcpver", "a=floorid:1 m-stream:10\r\na=bfcpver", "" },
	};
	struct stage s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(edits); i++) {
		struct offer_stream st;

		begin(&s, 4);
		assert_int_equal(stage_offer(&s), 0);
		stage_edit(&s.offer, edits[i].from, edits[i].to);
		assert_int_equal(stage_answer(&s), 0);
		st = stage_stream(s.called, 1);
		if (!edits[i].why[0])
			assert_int_equal(st.verdict, OFFER_AGREED);
		else if (st.verdict != OFFER_REFUSED || !st.why || !strstr(st.why, edits[i].why))
			fail_msg("%s: %s", edits[i].to, st.why);
		stage_close(&s);
	}
}

/* RFC 4567, 4.1.4: what was offered beside MIKEY is in the message, and must have arrived. */
static void bidding_down(void **state)
{
	struct stage s;

	(void)state;
	begin(&s, 4);
	assert_int_equal(stage_offer(&s), 0);
	stage_edit(&s.offer, "a=key-mgmt:mikey", "a=key-mgmt:strong AAAA\r\na=key-mgmt:mikey");
	fails(&s, s.called, stage_answer(&s), 488, 12, "bidding down");
	stage_close(&s);
}

/* One message at session level is one stream's; for two it would have one crypto session. */
static void at_session_level(void **state)
{
	struct base_writer line = { 0 };
	struct stage s;
	const char *at;

	(void)state;
	stage_open(&s, 4);
	stage_sessions(&s, stage_user, stage_room, 1);
	assert_int_equal(stage_offer(&s), 0);
	at = strstr(base_writer_cstr(&s.offer), "a=key-mgmt:");
	base_writer_printf(&line, "%.*s\r\nm=message", (int)strcspn(at, "\r"), at);
	stage_edit(&s.offer, "a=key-mgmt:", "a=was:");
	stage_edit(&s.offer, "m=message", base_writer_cstr(&line));
	assert_int_equal(stage_answer(&s), 0);
	assert_int_equal(stage_stream(s.called, 0).verdict, OFFER_AGREED);
	stage_close(&s);
	base_writer_done(&line);

	begin(&s, 4);
	assert_int_equal(stage_offer(&s), 0);
	stage_edit(&s.offer, "a=key-mgmt:", "a=was:");
	stage_edit(&s.offer, "a=key-mgmt:", "a=was:");
	stage_edit(&s.offer, "m=message", "a=key-mgmt:mikey AAAA\r\nm=message");
	fails(&s, s.called, stage_answer(&s), 488, 255, "for several streams");
	stage_close(&s);
}

/* Answers that no offer has. */
static void answers_that_err(void **state)
{
	static const struct edit edits[] = {
		{ "a=setup:passive", "a=setup:actpass", "4145" },
		{ "a=connection:new", "a=connection:existing", "4145" },
		{ "a=key-mgmt:", "a=key:", "no a=key-mgmt" },
		{ "m=message", "m=audio", "another media description" },
		{ "a=bfcpver:1", "a=bfcpver:5", "10.2" },
		{ "m=application", "m=audio 5000 RTP/AVP 0\r\nm=application", "3264, 6" },
		{ "v=0", "v=1", "v=0" },
	};
	struct offer_failure f;
	struct stage s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(edits); i++) {
		begin(&s, 4);
		assert_int_equal(stage_offer(&s), 0);
		assert_int_equal(stage_answer(&s), 0);
		stage_edit(&s.answer, edits[i].from, edits[i].to);
		assert_true(stage_taken(&s) < 0);
		offer_failure(s.caller, &f);
		if (!strstr(f.text, edits[i].why))
			fail_msg("%s: %s", edits[i].to, f.text);
		stage_close(&s);
	}
}

/* A middlebox in front of who knows no CEMA (RFC 6714, 4.2 and 4.3). */
static void middleboxes(void **state)
{
	struct offer_media user[2], room[2];
	struct stage s;

	(void)state;
	begin(&s, 4);
	assert_int_equal(stage_offer(&s), 0);
	stage_edit(&s.offer, "a=msrp-cema\r\n", "");
	stage_edit(&s.offer, "m=message 4000", "m=message 5000");
	assert_int_equal(stage_answer(&s), 0);
	assert_non_null(strstr(stage_stream(s.called, 0).why, "6714, 4.3"));
	stage_close(&s);

	memcpy(user, stage_user, sizeof(user));
	memcpy(room, stage_room, sizeof(room));
	room[0].msrp.cema = false;
	room[0].setup = OFFER_ACTIVE;
	stage_open(&s, 4);
	stage_sessions(&s, user, room, 2);
	assert_int_equal(stage_offer(&s), 0);
	assert_int_equal(stage_answer(&s), 0);
	stage_edit(&s.answer, "m=message 4000", "m=message 5000");
	assert_int_equal(stage_taken(&s), 0);
	assert_true(stage_stream(s.caller, 0).cema_failed);
	assert_int_equal(stage_play(&s), 0);
	assert_null(strstr(base_writer_cstr(&s.offer), "msrp-cema"));
	assert_true(stage_stream(s.called, 0).fresh && !stage_stream(s.called, 1).fresh);
	stage_close(&s);
}

/* Our own mistakes are told before anything is sent. */
static void wishes_that_cannot_be_said(void **state)
{
	struct offer_media media = stage_user[0];
	struct offer_session *session = NULL;
	struct stage s;

	(void)state;
	begin(&s, 4);
	media.msrp.accept_types = BASE_STR("text/plain\r\na=x");
	assert_int_equal(offer_new(&session, &s.alice, &s.room.id, &media, 1, &s.err),
	                 BASE_ERR(BASE_CONFIG, 0));
	assert_int_equal(offer_begin(s.caller, s.now, &s.err), 0);
	assert_int_equal(offer_place(s.caller, 0, BASE_STR("host"), 1,
	                             BASE_STR("msrps://h:1/s;tcp"), &s.err),
	                 BASE_ERR(BASE_CONFIG, 0));
	assert_int_equal(
	        offer_place(s.caller, 0, BASE_STR("::1"), 1, BASE_STR("msrp://h:1/s;tcp"), &s.err),
	        BASE_ERR(BASE_CONFIG, 0));
	assert_int_equal(
	        offer_place(s.caller, 0, BASE_STR("::1"), 1, BASE_STR("msrps://h:1/s;tcp"), &s.err),
	        0);
	stage_close(&s);
}

static void identities(void **state)
{
	static const struct {
		const char *uri, *id;
	} rows[] = {
		{ "sip:Alice@Example.COM;transport=tcp", "sip:Alice@example.com" },
		{ "sips:bob@example.com:5061", "sip:bob@example.com:5061" },
		{ "tel:+1-201-555-0123", "tel:+12015550123" },
		{ "mailto:bob@example.com", "" },
		{ "sip:", "" },
	};
	char out[OFFER_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		size_t len = offer_identity(base_str_of(rows[i].uri), out, sizeof(out));

		assert_int_equal(len, strlen(rows[i].id));
		if (len)
			assert_string_equal(out, rows[i].id);
	}
	assert_int_equal(offer_identity(base_str_of(rows[0].uri), out, 21), 0);
}

static void types(void **state)
{
	(void)state;
	assert_true(offer_type_fits(BASE_STR("text/plain message/*"), BASE_STR("message/cpim")));
	assert_true(offer_type_fits(BASE_STR("Text/Plain;charset=utf-8"), BASE_STR("text/plain")));
	assert_true(offer_type_fits(BASE_STR("*"), BASE_STR("image/png")));
	assert_false(offer_type_fits(BASE_STR("text/*"), BASE_STR("textual/plain")));
	assert_false(offer_type_fits(BASE_STR(""), BASE_STR("text/plain")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_ticket),
		cmocka_unit_test(no_kms),
		cmocka_unit_test(a_kms_that_lies),
		cmocka_unit_test(a_ticket_for_another),
		cmocka_unit_test(a_ticket_that_lists_another),
		cmocka_unit_test(two_crypto_sessions),
		cmocka_unit_test(not_a_member),
		cmocka_unit_test(another_answers),
		cmocka_unit_test(another_calls),
		cmocka_unit_test(replayed),
		cmocka_unit_test(too_late),
		cmocka_unit_test(bent),
		cmocka_unit_test(a_stream_that_errs),
		cmocka_unit_test(bfcp_that_errs),
		cmocka_unit_test(bidding_down),
		cmocka_unit_test(at_session_level),
		cmocka_unit_test(answers_that_err),
		cmocka_unit_test(middleboxes),
		cmocka_unit_test(wishes_that_cannot_be_said),
		cmocka_unit_test(identities),
		cmocka_unit_test(types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
