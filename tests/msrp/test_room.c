/* SPDX-License-Identifier: Apache-2.0 */
/* The chat room: RFC 7701, 6 (messages), 7 (nicknames), with its examples (9). */
#include "room_stage.h"

static void to_all_others(void **state)
{
	struct world *t = *state;

	for (size_t step = 1; step < 3000; step = step * 5 + 3) {
		room_say(t, ALICE, ROOM, "Hello guys, how are you today?");
		room_settle(t, step);
		assert_true(room_has(&t->peer[BOB], "Hello guys, how are you today?"));
		assert_true(room_has(&t->peer[CAROL], "Hello guys, how are you today?"));
		assert_int_equal(t->peer[ALICE].whole, 0);
		assert_string_equal(t->peer[BOB].type, "message/cpim");
		assert_int_equal(t->peer[ALICE].told, 200); /* 6.3: the switch is an end */
		assert_int_equal(t->peer[ALICE].told_count, 1);
		t->peer[ALICE].told_count = 0;
	}
}

static void in_private(void **state)
{
	struct world *t = *state;

	room_say(t, ALICE, room_uri[BOB], "Hello Bob.");
	room_settle(t, 50);
	assert_true(room_has(&t->peer[BOB], "Hello Bob."));
	assert_int_equal(t->peer[CAROL].whole, 0);
	assert_int_equal(t->peer[ALICE].told, 200);
	room_say(t, ALICE, "tel:+12015550123", "Carol?"); /* takes no private messages */
	room_settle(t, 50);
	assert_int_equal(t->peer[ALICE].told, 428);
	room_say(t, ALICE, "sip:nobody@example.com", "x");
	room_settle(t, 50);
	assert_int_equal(t->peer[ALICE].told, 404);
	assert_int_equal(t->peer[CAROL].whole + t->peer[BOB].whole, 1);
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *answer;
	} row[] = {
		{ CHUNK("abcd", "1-*/*", "text/plain", "x", "$"), " 415 " }, /* 6.3 */
		{ CHUNK("abcd", "1-*/*", "message/cpim", "x", "$"), " 415 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim", "x\n\r\n\r\n", "$"), " 400 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim", FROM "\r\n\r\n", "$"), " 400 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        "From: <sip:bob@example.com>\r\nTo: <" ROOM
		        ">\r\n\r\nContent-Type: a/b\r\n\r\nx",
		        "$"),
		  " 403 " }, /* 6.3: not hers */
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        FROM "To: <" ROOM
		             ">\r\nTo: <sip:bob@example.com>\r\nContent-Type: a/b\r\n\r\nx",
		        "$"),
		  " 403 " }, /* 6.1: several To */
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        "To: <" ROOM ">\r\nContent-Type: a/b\r\n\r\nx", "$"),
		  " 403 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        "From: <sip:bob@example.com> <sip:alice@atlanta.example.com>\r\n"
		        "To: <" ROOM ">\r\n\r\nContent-Type: a/b\r\n\r\nx",
		        "$"),
		  " 400 " }, /* two URIs: which of them is shown? */
		{ CHUNK("abcd", "7-*/*", "message/cpim", "x", "$"), " 413 " },
		{ "MSRP abcd FETCH\r\n" PATHS "-------abcd$\r\n", " 501 " },
		{ "MSRP abcd SEND\r\n" PATHS "Message-ID: abcd\r\n-------abcd$\r\n", " 200 " },
	};
	struct world *t = *state;

	for (size_t i = 0; i < BASE_COUNT(row); i++)
		room_answers(t, ALICE, row[i].text, row[i].answer);
	room_settle(t, 100);
	assert_int_equal(t->peer[BOB].whole + t->peer[BOB].broken, 0);
}

/** RFC 7701, 9.5 (whose first flag is to be "+"): the wrapper's headers come in two chunks. */
static void wrapper_in_two_chunks(void **state)
{
	struct world *t = *state;

	room_answers(t, ALICE,
	             CHUNK("7443ruls", "1-*/*", "message/cpim",
	                   "To: <sip:bob@example.com>\r\n" FROM, "+"),
	             " 200 ");
	room_settle(t, 100);
	assert_int_equal(t->peer[BOB].whole + t->peer[BOB].broken, 0);
	room_answers(t, ALICE,
	             CHUNK("7443rulu", "67-*/*", "message/cpim",
	                   "DateTime: 2009-03-02T15:02:31-03:00\r\nContent-Type: text/plain\r\n\r\n"
	                   "Hello Bob",
	                   "$"),
	             " 200 ");
	room_settle(t, 100);
	assert_true(room_has(&t->peer[BOB], "Hello Bob"));
	assert_int_equal(t->peer[CAROL].whole, 0);
}

/** Who has not got a message's beginning does not get its rest (6.1). */
static void latecomers(void **state)
{
	struct world *t = *state;

	room_leave(t, CAROL);
	room_answers(t, ALICE,
	             CHUNK("abcd", "1-*/*", "message/cpim",
	                   FROM "To: <" ROOM ">\r\n\r\nContent-Type: text/plain\r\n\r\n12345", "+"),
	             " 200 ");
	peer_close(&t->peer[CAROL]);
	room_join(t, CAROL, true, "");
	room_settle(t, 100);
	room_answers(t, ALICE, CHUNK("abce", "130-*/*", "message/cpim", "67890", "$"), " 413 ");
	room_answers(t, ALICE,
	             CHUNK("abcd", "1-*/*", "message/cpim",
	                   FROM "To: <" ROOM ">\r\n\r\nContent-Type: text/plain\r\n\r\n12345", "+"),
	             " 200 ");
	room_leave(t, CAROL);
	room_answers(t, ALICE, CHUNK("abce", "128-*/*", "message/cpim", "67890", "$"), " 200 ");
	room_settle(t, 100);
	assert_true(room_has(&t->peer[BOB], "1234567890"));
	assert_int_equal(t->peer[CAROL].whole, 0);
}

static void types(void **state)
{
	struct world *t = *state;

	room_leave(t, BOB);
	peer_close(&t->peer[BOB]);
	room_join(t, BOB, true, "text/html  image/* ");
	room_say(t, ALICE, ROOM, "plain");
	room_settle(t, 100);
	assert_int_equal(t->peer[BOB].whole, 0); /* 6.1: not forwarded, and no failure */
	assert_int_equal(t->peer[CAROL].whole, 1);
	assert_int_equal(t->peer[ALICE].told, 200);
	room_leave(t, BOB);
	peer_close(&t->peer[BOB]);
	room_join(t, BOB, true, "text/*");
	room_say(t, ALICE, ROOM, "plain");
	room_settle(t, 100);
	assert_int_equal(t->peer[BOB].whole, 1);
}

static void nicknames(void **state)
{
	struct world *t = *state;
	struct base_str name;

	room_ask_nickname(t, ALICE, "Alice the great", 200);
	assert_string_equal(t->nickname, "Alice the great");
	room_ask_nickname(t, BOB, " ALICE  the great ", 425); /* in use */
	room_ask_nickname(t, BOB, "moderator", 425);          /* reserved */
	room_ask_nickname(t, BOB, "  ", 424);
	room_ask_nickname(t, BOB, "Bob", 200);
	room_ask_nickname(t, ALICE, "bob", 425);
	name = msrp_member_nickname(t->member[ALICE]);
	assert_true(base_str_eq(name, BASE_STR("Alice the great"))); /* 7.2: the old one stays */
	room_ask_nickname(t, ALICE, "Al", 200);
	room_ask_nickname(t, BOB, "Alice the great", 200); /* 7.2: released */
	room_ask_nickname(t, BOB, "", 200);                /* 7.3 */
	assert_int_equal(msrp_member_nickname(t->member[BOB]).len, 0);
	room_answers(t, ALICE, "MSRP abcd NICKNAME\r\n" PATHS "Use-Nickname: x\r\n-------abcd$\r\n",
	             " 424 ");
	room_answers(t, ALICE, "MSRP abcd NICKNAME\r\n" PATHS "-------abcd$\r\n", " 424 ");
	room_answers(t, ALICE,
	             "MSRP abcd NICKNAME\r\n" PATHS
	             "Use-Nickname: \"x\"\r\nFailure-Report: no\r\n-------abcd$\r\n",
	             " 400 ");
	room_leave(t, ALICE);
	room_ask_nickname(t, CAROL, "AL", 200);
}

/** One user at two devices (7.1), both of whom get what others say (6.1). */
static void two_devices(void **state)
{
	struct world *t = *state;
	const char *carol = room_uri[CAROL];

	room_leave(t, CAROL);
	peer_close(&t->peer[CAROL]);
	room_uri[CAROL] = room_uri[BOB];
	room_join(t, CAROL, true, "");
	room_uri[CAROL] = carol;
	room_ask_nickname(t, BOB, "Bob", 200);
	assert_int_equal(msrp_member_nickname(t->member[CAROL]).len, 0); /* not by itself */
	room_ask_nickname(t, CAROL, "Bob", 200);
	room_ask_nickname(t, ALICE, "Bob", 425);
	room_say(t, ALICE, room_uri[BOB], "both");
	room_settle(t, 100);
	assert_true(room_has(&t->peer[BOB], "both") && room_has(&t->peer[CAROL], "both"));
}

static void policy(void **state)
{
	struct world *t = *state;
	struct msrp_room_spec spec = { .uri = BASE_STR(ROOM), .ops = &room_stage_ops, .arg = t };

	for (size_t i = 0; i < PEERS; i++) {
		room_leave(t, i);
		peer_close(&t->peer[i]);
	}
	msrp_room_free(t->room);
	spec.members = 3;
	assert_int_equal(msrp_room_new(&t->room, &spec, NULL), 0);
	for (size_t i = 0; i < PEERS; i++)
		room_join(t, i, true, "");
	room_ask_nickname(t, ALICE, "x", 403);
	room_say(t, ALICE, room_uri[BOB], "x");
	room_settle(t, 100);
	assert_int_equal(t->peer[ALICE].told, 403);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(to_all_others), T(in_private), T(refusals),  T(wrapper_in_two_chunks),
		T(latecomers),    T(types),      T(nicknames), T(two_devices),
		T(policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
