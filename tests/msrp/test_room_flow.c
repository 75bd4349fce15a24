/* SPDX-License-Identifier: Apache-2.0 */
/** @file The chat room under load: large messages, slow members, full pools, what is refused. */
#include "room_stage.h"

/** Many small messages for somebody who takes nothing: memory counts, not octets alone. */
static void many_small_ones(void **state)
{
	struct world *t = *state;

	t->stuck[BOB] = true;
	for (int i = 0; i < 700; i++)
		room_say(t, ALICE, ROOM, "x");
	room_settle(t, 16384);
	assert_true(t->late[ALICE].len > 0);
	t->now += 5000;
	msrp_room_tick(t->room, t->now);
	assert_true(t->lagging[BOB]);
	room_settle(t, 16384);
	assert_int_equal(t->late[ALICE].len, 0);
	assert_int_equal(t->peer[CAROL].whole, 700);
}

/** The rest never comes: by its timer (6.1), or since the sender has gone. */
static void unfinished(void **state)
{
	static const char begun[] =
	        CHUNK("abcd", "1-*/*", "message/cpim",
	              FROM "To: <" ROOM ">\r\n\r\nContent-Type: a/b\r\n\r\n12345", "+");
	struct world *t = *state;

	room_answers(t, ALICE, begun, " 200 ");
	room_settle(t, 100);
	t->now = 539999;
	assert_true(msrp_room_due(t->room) <= 540000);
	msrp_room_tick(t->room, t->now);
	room_settle(t, 100);
	assert_int_equal(t->peer[BOB].broken, 0);
	t->now = 540000;
	msrp_room_tick(t->room, t->now);
	room_settle(t, 100);
	assert_int_equal(t->peer[BOB].broken, 1);
	room_answers(t, ALICE, begun, " 200 ");
	room_settle(t, 100);
	room_leave(t, ALICE);
	room_settle(t, 100);
	assert_int_equal(t->peer[BOB].broken, 2);
	assert_int_equal(t->peer[CAROL].broken, 2);
}

/** Who takes nothing does not keep the room's memory for ever, be it less than a window (6.4). */
static void the_pool_is_used_up(void **state)
{
	struct world *t = *state;
	struct msrp_room_spec spec = {
		.uri = BASE_STR(ROOM), .ops = &room_stage_ops, .arg = t, .pool_octets = 200000
	};

	for (size_t i = 0; i < PEERS; i++) {
		room_leave(t, i);
		peer_close(&t->peer[i]);
	}
	msrp_room_free(t->room);
	assert_int_equal(msrp_room_new(&t->room, &spec, NULL), 0);
	for (size_t i = 0; i < PEERS; i++)
		room_join(t, i, true, "");
	t->stuck[BOB] = true;
	for (int i = 0; i < 100 && t->peer[ALICE].told != 413; i++) {
		room_say(t, ALICE, ROOM, "x");
		room_settle(t, 16384);
	}
	assert_int_equal(t->peer[ALICE].told, 413);
	assert_int_equal(msrp_room_due(t->room), t->now + 5000);
	t->now += 5000;
	msrp_room_tick(t->room, t->now);
	assert_true(t->lagging[BOB] && !t->lagging[CAROL]);
	room_say(t, ALICE, ROOM, "again");
	room_settle(t, 16384);
	assert_true(room_has(&t->peer[CAROL], "again"));
}

static struct base_writer big(const char *from, size_t len)
{
	struct base_writer w = { 0 };

	room_wrap(&w, from, ROOM, "application/octet-stream");
	while (w.len < len)
		base_writer_u32(&w, (uint32_t)w.len * 2654435761U);
	return w;
}

static bool same(const struct peer *p, const struct base_writer *w)
{
	return p->got.len == w->len && !memcmp(p->got.data, w->data, w->len);
}

/** A file to all while others talk. Nothing is held for longer than it takes. */
static void a_file_and_talk(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(room_uri[ALICE], 2000000);

	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	for (int i = 0; i < 20; i++)
		for (size_t j = 0; j < PEERS; j++)
			room_carry(t, j, 4000);
	room_say(t, BOB, ROOM, "meanwhile");
	for (int i = 0; i < 20 && !t->peer[ALICE].whole; i++)
		for (size_t j = 0; j < PEERS; j++)
			room_carry(t, j, 4000);
	assert_true(room_has(&t->peer[ALICE], "meanwhile"));
	assert_int_equal(t->peer[BOB].whole, 0);
	room_settle(t, 16384);
	assert_true(same(&t->peer[BOB], &w));
	assert_int_equal(t->peer[CAROL].broken, 0);
	assert_int_equal(t->peer[ALICE].told, 200);
	base_writer_done(&w);
}

/** Who takes nothing holds the sender for a while, and is then left behind (6.4). */
static void one_does_not_take(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(room_uri[ALICE], 2000000);

	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	for (int i = 0; i < 4; i++)
		(void)(room_carry(t, ALICE, 4000) + room_carry(t, CAROL, 100));
	t->stuck[CAROL] = true;
	room_settle(t, 16384);
	assert_int_equal(t->peer[BOB].whole, 0);
	room_say(t, BOB, room_uri[ALICE], "still talking"); /* what is not for Carol is not held */
	room_settle(t, 16384);
	assert_true(room_has(&t->peer[ALICE], "still talking"));
	assert_int_equal(msrp_room_due(t->room), 5000);
	t->now = 5000;
	msrp_room_tick(t->room, t->now);
	assert_true(t->lagging[CAROL]);
	room_settle(t, 16384);
	assert_true(same(&t->peer[BOB], &w));
	assert_int_equal(t->peer[ALICE].told, 200);
	room_say(t, ALICE, ROOM, "not for Carol");
	room_settle(t, 16384);
	t->stuck[CAROL] = false;
	room_settle(t, 16384);
	assert_int_equal(t->peer[CAROL].broken, 1); /* '#' */
	assert_int_equal(t->peer[CAROL].whole, 0);
	assert_false(t->lagging[CAROL]);
	room_say(t, ALICE, ROOM, "for Carol");
	room_settle(t, 16384);
	assert_true(room_has(&t->peer[CAROL], "for Carol"));
	base_writer_done(&w);
}

/** Slow is not stuck: it gets all, and sets the pace. */
static void one_is_slow(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(room_uri[ALICE], 1000000);

	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	for (int i = 0; i < 5000 && !t->peer[CAROL].whole; i++) {
		t->stuck[CAROL] = i % 10;
		t->now += 100;
		msrp_room_tick(t->room, t->now);
		for (size_t j = 0; j < PEERS; j++)
			room_carry(t, j, 8000);
	}
	assert_true(same(&t->peer[CAROL], &w));
	assert_true(same(&t->peer[BOB], &w));
	base_writer_done(&w);
}

/** A receiver who refuses a message gets no more of it; its sender hears nothing of that (6.3). */
static void a_receiver_refuses(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(room_uri[ALICE], 500000);

	t->peer[CAROL].refuse = 413;
	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	room_settle(t, 4096);
	assert_true(same(&t->peer[BOB], &w));
	assert_int_equal(t->peer[ALICE].told, 200);
	assert_int_equal(t->peer[ALICE].told_count, 1);
	assert_int_equal(t->peer[CAROL].whole, 0);
	base_writer_done(&w);
}

static void too_much(void **state)
{
	struct world *t = *state;
	char text[1024];

	for (int i = 0; i < 5; i++) { /* four at a time */
		snprintf(text, sizeof(text),
		         "MSRP abcd SEND\r\n" PATHS "Message-ID: id0%d\r\nByte-Range: 1-*/*\r\n"
		         "Content-Type: message/cpim\r\n\r\nx\r\n-------abcd+\r\n",
		         i);
		room_answers(t, ALICE, text, i < 4 ? " 200 " : " 413 ");
	}
	room_answers(t, BOB,
	             "MSRP abcd SEND\r\nTo-Path: msrp://chat.example.com:12763/s1;tcp\r\n"
	             "From-Path: msrp://x:1/c;tcp\r\nMessage-ID: id01\r\n"
	             "Content-Type: message/cpim\r\n\r\nFrom: ",
	             NULL);
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 4; i++)
		room_feed(t, BOB, text, sizeof(text), 100);
	room_answers(t, BOB, "\r\n-------abcd$\r\n", " 413 ");
}

static void cpim(void **state)
{
	struct msrp_cpim c;
	struct base_str text = BASE_STR("From: \"<x>\" <sip:a@b>\r\nTo: <im:c@d>\r\ncc: <x:y>\r\n"
	                                "NS: <a>\r\nDateTime: now\r\n\r\nContent-ID: <1>\r\n"
	                                "content-type: text/plain; charset=utf-8\r\n\r\nbody");

	(void)state;
	assert_int_equal(msrp_cpim_parse(text, &c), 0);
	assert_true(base_str_eq(c.from, BASE_STR("sip:a@b")));
	assert_true(base_str_eq(c.to, BASE_STR("im:c@d")));
	assert_true(base_str_eq(c.content_type, BASE_STR("text/plain; charset=utf-8")));
	assert_int_equal(c.len, text.len - 4);
	for (size_t i = 0; i < c.len; i++)
		assert_int_equal(msrp_cpim_parse((struct base_str){ text.ptr, i }, &c),
		                 BASE_ERR(BASE_AGAIN, 0));
	assert_int_not_equal(msrp_cpim_parse(BASE_STR("From: sip:a@b\r\n"), &c),
	                     BASE_ERR(BASE_AGAIN, 0));
	assert_int_not_equal(msrp_cpim_parse(BASE_STR("From: <>\r\n"), &c),
	                     BASE_ERR(BASE_AGAIN, 0));
	assert_int_equal(msrp_cpim_parse(BASE_STR("from: x\r\n"), &c), BASE_ERR(BASE_AGAIN, 0));
	assert_true(
	        msrp_same_participant(BASE_STR("SIP:a@B.example"), BASE_STR("sip:a@b.EXAMPLE")));
	assert_false(msrp_same_participant(BASE_STR("sip:A@b"), BASE_STR("sip:a@b")));
	assert_false(msrp_same_participant(BASE_STR("sip:a@b"), BASE_STR("sips:a@b")));
	assert_true(msrp_same_participant(BASE_STR("tel:+1-(2)3."), BASE_STR("TEL:+123")));
	assert_false(msrp_same_participant(BASE_STR("tel:+12"), BASE_STR("tel:+123")));
	assert_false(msrp_same_participant(BASE_STR(""), BASE_STR("")));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_file_and_talk),     T(one_does_not_take), T(one_is_slow),
		T(a_receiver_refuses),  T(too_much),          T(many_small_ones),
		T(the_pool_is_used_up), T(unfinished),        cmocka_unit_test(cpim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
