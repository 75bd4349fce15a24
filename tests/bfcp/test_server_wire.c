/* SPDX-License-Identifier: Apache-2.0 */
/** @file The floor control server when the network, or what comes over it, is bad. */
#include "server_stories.h"

/** By hand, to a connection whose user is known by its first message. */
static void wrong(void **state)
{
	static const struct {
		const char *hex;
		unsigned code;
	} row[] = {
		/* version 1; for UDP the first digit is 4 */
		{ "2055000000000064000100010000", 0 },
		{ "205500000000006400010001", BFCP_UNKNOWN_PRIMITIVE },
		{ "200c00000000006400010001", BFCP_CANNOT_PARSE },
		{ "200b00000000006500010001", BFCP_NO_CONFERENCE },
		{ "200b00000000006400010063", BFCP_NO_USER },
		{ "200b00000000006400010001", 0 },
		{ "200b00000000006400020002", BFCP_UNAUTHORIZED },
		{ "200b0001000000640003000129040000", BFCP_UNKNOWN_ATTRIBUTE },
		{ "200b0001000000640004000128040000", 0 }, /* without the M bit */
		{ "600b00000000006400010001", BFCP_UNSUPPORTED_VERSION },
	};
	struct world *t = *state;
	struct bfcp_message msg = { 0 };
	struct base_arena arena = { 0 };
	struct bfcp_peer *peer;
	uint8_t octets[64];
	char buf[512];
	size_t n;

	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		if (i <= 1 || i == 3)
			assert_int_equal(bfcp_peer_new(t->server, 0, t->reliable, NULL, &peer), 0);
		assert_int_equal(
		        base_hex_decode(base_str_of(row[i].hex), octets, sizeof(octets), &n), 0);
		if (!t->reliable && octets[0] >> 5 == 1) {
			octets[0] = 0x40;
			octets[9] = (uint8_t)(i + 1);
		}
		(void)bfcp_peer_input(peer, (struct base_str){ (char *)octets, n }, t->now);
		n = bfcp_peer_take(peer, buf, sizeof(buf));
		if (i == 0) {
			if (t->reliable) /* two octets too many are the next message's beginning */
				assert_true(n > 0);
			continue;
		}
		assert_int_equal(bfcp_decode((struct base_str){ buf, n }, &arena, &msg, NULL), 0);
		if (msg.error != row[i].code)
			fail_msg("%s: %u", row[i].hex, (unsigned)msg.error);
		if (row[i].code == BFCP_UNKNOWN_ATTRIBUTE)
			assert_true(base_str_eq(msg.error_details, BASE_STR("\x28")));
	}
	assert_true(bfcp_peer_over(peer) || !t->reliable);
	base_arena_done(&arena);
}

/** Every other story, with every third and every fourth datagram lost (6.2, 8.3). */
static void with_losses(void **state)
{
	struct world *t;

	(void)state;
	for (unsigned lose = 3; lose < 8; lose++) {
		void (*const story[])(void **) = { hello, in_turn, a_package,
			                           chair, queries, goodbye };

		for (size_t i = 0; i < BASE_COUNT(story); i++) {
			t = stage_open_world(false);
			t->lose = lose;
			story[i]((void **)&t);
			for (int j = ALICE; j < PEERS; j++)
				assert_false(bfcp_client_over(t->p[j].client) && !t->p[j].bye);
			assert_int_equal(tear_down((void **)&t), 0);
		}
	}
}

/** 8.3.1: repeated after 0.5, 1 and 2 s, three times; then the connection is broken. */
static void nobody_answers(void **state)
{
	static const uint64_t at[] = { 500, 1500, 3500 };
	struct world *t = *state;
	struct bfcp_client *c = t->p[ALICE].client;
	char buf[512];

	assert_int_equal(bfcp_client_hello(c, 0), 0);
	assert_int_equal(bfcp_client_take(c, buf, sizeof(buf)), 12);
	for (size_t i = 0; i < BASE_COUNT(at); i++) {
		assert_int_equal(bfcp_client_due(c), at[i]);
		bfcp_client_tick(c, at[i] - 1);
		assert_int_equal(bfcp_client_take(c, buf, sizeof(buf)), 0);
		bfcp_client_tick(c, at[i]);
		assert_int_equal(bfcp_client_take(c, buf, sizeof(buf)), 12);
	}
	assert_false(bfcp_client_over(c));
	bfcp_client_tick(c, bfcp_client_due(c));
	assert_true(bfcp_client_over(c));
}

static void kept_alive(void **state)
{
	struct world *t = *state;
	const struct bfcp_client_spec spec = { .conference = 100,
		                               .user = ALICE,
		                               .reliable = t->reliable,
		                               .alive_ms = 30000,
		                               .ops = &stage_client_ops,
		                               .arg = &t->p[0] };
	char buf[512];

	bfcp_client_free(t->p[ALICE].client);
	assert_int_equal(bfcp_client_new(&t->p[ALICE].client, &spec), 0);
	assert_int_equal(bfcp_client_due(t->p[ALICE].client), 30000);
	bfcp_client_tick(t->p[ALICE].client, 29999);
	assert_int_equal(bfcp_client_take(t->p[ALICE].client, buf, sizeof(buf)), 0);
	bfcp_client_tick(t->p[ALICE].client, 30000);
	assert_int_equal(bfcp_client_take(t->p[ALICE].client, buf, sizeof(buf)), 12);
	assert_int_equal(buf[1], BFCP_HELLO);
}

/** 6.2.3: a FloorStatus of many requests goes in fragments, in any order, some twice, some lost at
 * first. */
static void fragments(void **state)
{
	struct world *t = *state;
	struct bfcp_user_spec user = { .name = BASE_STR(
		                               "a name of some length, so that it takes room"),
		                       .third_party = true };
	const uint16_t floor = 1;
	char buf[64][1500];
	size_t len[64], n = 0;
	struct party *p = &t->p[CHAIR];

	assert_int_equal(bfcp_server_user(t->server, CAROL, &user), 0);
	for (uint16_t i = 0; i < 40; i++) {
		struct bfcp_wish wish = { .floor = &floor,
			                  .floors = 1,
			                  .beneficiary = (uint16_t)(100 + i),
			                  .reason = BASE_STR("for somebody else") };

		assert_int_equal(bfcp_server_user(t->server, wish.beneficiary, &user), 0);
		assert_int_equal(bfcp_client_request(t->p[CAROL].client, &wish, t->now), 0);
		stage_settle(t);
	}
	assert_int_equal(bfcp_client_ask_floors(p->client, &floor, 1, t->now), 0);
	len[0] = bfcp_client_take(p->client, buf[0], sizeof(buf[0]));
	assert_int_equal(bfcp_peer_input(p->peer, (struct base_str){ buf[0], len[0] }, t->now), 0);
	while (n < 64 && (len[n] = bfcp_peer_take(p->peer, buf[n], sizeof(buf[n]))))
		assert_true(len[n++] <= BFCP_MTU);
	assert_true(n > 3);
	for (size_t i = n; i-- > 1;)
		for (int twice = 0; twice < 2; twice++)
			assert_int_equal(bfcp_client_input(p->client,
			                                   (struct base_str){ buf[i], len[i] },
			                                   t->now),
			                 0);
	assert_int_equal(p->floor_told, 0);
	assert_int_equal(bfcp_client_input(p->client, (struct base_str){ buf[0], len[0] }, t->now),
	                 0);
	assert_int_equal(p->floor_told, 1);
	assert_int_equal(p->floor_requests, 40);
	/* beyond its payload: error 13 (5.1) */
	memcpy(buf[1],
	       "\x48\x01\x00\x02\x00\x00\x00\x64\x7f\x00\x00\x04\x00\x02\x00\x01\x00\x00\x00\x00",
	       20);
	assert_int_equal(bfcp_peer_input(p->peer, (struct base_str){ buf[1], 20 }, t->now), 0);
	n = bfcp_peer_take(p->peer, buf[0], sizeof(buf[0]));
	assert_true(n > 17 && buf[0][1] == BFCP_ERROR && buf[0][14] == BFCP_WRONG_LENGTH);
}

/** Names that do not fit are left out, the rest is told (5.2: 255 octets). */
static void long_names(void **state)
{
	struct world *t = *state;
	char name[230];
	struct bfcp_user_spec user = { .name = { name, 200 }, .uri = { name, 200 } };

	memset(name, 'x', sizeof(name));
	assert_int_equal(bfcp_server_user(t->server, ALICE, &user), 0);
	stage_want(t, ALICE, 1, -1);
	assert_int_equal(t->p[ALICE].status, BFCP_GRANTED);
	assert_int_equal(bfcp_client_ask_user(t->p[BOB].client, ALICE, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[BOB].user_requests, 1);
}

/** A floor named often is told about once, now and later (12.1.1). */
static void named_often(void **state)
{
	struct world *t = *state;
	uint16_t floor[30];

	for (size_t i = 0; i < BASE_COUNT(floor); i++)
		floor[i] = 1 + i % 2 * 2;
	assert_int_equal(bfcp_client_ask_floors(t->p[BOB].client, floor, BASE_COUNT(floor), t->now),
	                 0);
	stage_settle(t);
	assert_int_equal(t->p[BOB].floor_told, 2);
	stage_want(t, ALICE, 1, -1);
	assert_int_equal(t->p[BOB].floor_told, 3);
}

/** Who is no user any more is told nothing any more. */
static void removed_and_silent(void **state)
{
	struct world *t = *state;
	const uint16_t floor = 1;
	unsigned told;

	assert_int_equal(bfcp_client_ask_floors(t->p[BOB].client, &floor, 1, t->now), 0);
	stage_settle(t);
	bfcp_server_user_remove(t->server, BOB, t->now);
	stage_settle(t);
	told = t->p[BOB].floor_told;
	stage_want(t, ALICE, 1, -1);
	assert_int_equal(t->p[BOB].floor_told, told);
}

/** A datagram that the network gives twice, the second time late: nothing is done again (8.3.2). */
static void late_again(void **state)
{
	struct world *t = *state;
	struct party *p = &t->p[ALICE];
	const uint16_t floor = 1;
	const struct bfcp_wish wish = { .floor = &floor, .floors = 1 };
	struct base_str one;
	char buf[1500];

	assert_int_equal(bfcp_client_request(p->client, &wish, t->now), 0);
	one = (struct base_str){ buf, bfcp_client_take(p->client, buf, sizeof(buf)) };
	assert_int_equal(bfcp_peer_input(p->peer, one, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->holder[1], ALICE);
	stage_give_back(t, ALICE, p->request);
	assert_int_equal(t->holder[1], 0);
	assert_int_equal(bfcp_peer_input(p->peer, one, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->holder[1], 0);
}

/** More requests for a floor than a message holds: those who watch it are told of the first. */
static void a_long_queue(void **state)
{
	struct world *t = *state;
	const struct bfcp_user_spec user = { .third_party = true };
	const uint16_t floor = 1;

	assert_int_equal(bfcp_server_user(t->server, CAROL, &user), 0);
	assert_int_equal(bfcp_client_ask_floors(t->p[BOB].client, &floor, 1, t->now), 0);
	for (uint16_t i = 0; i < 600; i++) {
		struct bfcp_wish wish = { .floor = &floor,
			                  .floors = 1,
			                  .beneficiary = (uint16_t)(100 + i),
			                  .reason = BASE_STR("for somebody else, at some length") };

		assert_int_equal(bfcp_server_user(t->server, wish.beneficiary, &user), 0);
		assert_int_equal(bfcp_client_request(t->p[CAROL].client, &wish, t->now), 0);
		stage_settle(t);
	}
	assert_false(bfcp_peer_over(t->p[BOB].peer));
	assert_true(t->p[BOB].floor_requests >= 200);
	assert_int_equal(t->p[BOB].floor_user, 100);
}

/** Who never reads is let go, and others go on. */
static void not_taken(void **state)
{
	struct world *t = *state;
	const uint16_t floor = 1;

	assert_int_equal(bfcp_client_ask_floors(t->p[CHAIR].client, &floor, 1, t->now), 0);
	stage_settle(t);
	t->p[CHAIR].stuck = true;
	for (int i = 0; i < 2000 && !bfcp_peer_over(t->p[CHAIR].peer); i++)
		stage_give_back(t, ALICE, stage_want(t, ALICE, 1, -1));
	assert_true(bfcp_peer_over(t->p[CHAIR].peer));
	stage_want(t, ALICE, 1, -1);
	assert_int_equal(t->p[ALICE].status, BFCP_GRANTED);
}

/** Who asks and asks, and never reads the answers, waits for none that was dropped: it is let go.
 */
static void answers_not_taken(void **state)
{
	struct world *t = *state;
	struct bfcp_peer *peer = t->p[ALICE].peer;
	const struct base_str hello = { "\x20\x0b\x00\x00\x00\x00\x00\x64\x00\x01\x00\x01", 12 };

	for (int i = 0; i < 5000 && !bfcp_peer_over(peer); i++)
		assert_int_equal(bfcp_peer_input(peer, hello, t->now), 0);
	assert_true(bfcp_peer_over(peer));
	assert_false(bfcp_peer_over(t->p[BOB].peer));
}

int main(void)
{
#define BOTH(f)                                                                                    \
	cmocka_unit_test_setup_teardown(f, set_up_tcp, tear_down),                                 \
	        cmocka_unit_test_setup_teardown(f, set_up_udp, tear_down)
	const struct CMUnitTest tests[] = {
		BOTH(wrong),
		BOTH(long_names),
		BOTH(kept_alive),
		BOTH(named_often),
		BOTH(removed_and_silent),
		cmocka_unit_test_setup_teardown(late_again, set_up_udp, tear_down),
		cmocka_unit_test_setup_teardown(a_long_queue, set_up_tcp, tear_down),
		cmocka_unit_test(with_losses),
		cmocka_unit_test_setup_teardown(not_taken, set_up_tcp, tear_down),
		cmocka_unit_test_setup_teardown(answers_not_taken, set_up_tcp, tear_down),
		cmocka_unit_test_setup_teardown(nobody_answers, set_up_udp, tear_down),
		cmocka_unit_test_setup_teardown(fragments, set_up_udp, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
