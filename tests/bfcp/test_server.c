/* SPDX-License-Identifier: Apache-2.0 */
/* Floors asked for, granted and given back, over TCP and over UDP that loses: RFC 8855, 10 to 13.
 */
#include "server_stories.h"

static void two_may_have_it(void **state)
{
	struct world *t = *state;
	unsigned a = stage_want(t, ALICE, 3, -1);

	stage_want(t, BOB, 3, -1);
	stage_want(t, CAROL, 3, -1);
	assert_int_equal(t->p[ALICE].status, BFCP_GRANTED);
	assert_int_equal(t->p[BOB].status, BFCP_GRANTED);
	assert_int_equal(t->p[CAROL].status, BFCP_ACCEPTED);
	stage_give_back(t, ALICE, a);
	assert_int_equal(t->p[CAROL].status, BFCP_GRANTED);
}

/** 12.1, 13.5: who asked about floors is told of them, until he asks no more. */
static void floors_are_told(void **state)
{
	struct world *t = *state;
	const uint16_t floors[] = { 1, 2 }, wrong = 9;
	struct party *chair = &t->p[CHAIR];
	unsigned told;

	assert_int_equal(bfcp_client_ask_floors(chair->client, &wrong, 1, t->now), 0);
	stage_settle(t);
	assert_int_equal(chair->error, BFCP_INVALID_FLOOR);
	assert_int_equal(bfcp_client_ask_floors(chair->client, floors, 2, t->now), 0);
	stage_settle(t);
	assert_int_equal(chair->floor_told, 2);
	assert_int_equal(chair->floor_requests, 0);
	stage_want(t, ALICE, 2, -1);
	assert_int_equal(chair->floor, 2);
	assert_int_equal(chair->floor_status, BFCP_PENDING);
	assert_int_equal(chair->floor_user, ALICE);
	stage_want(t, BOB, 1, -1);
	assert_int_equal(chair->floor, 1);
	assert_int_equal(chair->floor_status, BFCP_GRANTED);
	stage_want(t, CAROL, 1, -1);
	assert_int_equal(chair->floor_requests, 2);
	told = chair->floor_told;
	assert_int_equal(bfcp_client_ask_floors(chair->client, NULL, 0, t->now), 0);
	stage_settle(t);
	stage_give_back(t, BOB, t->p[BOB].request);
	assert_int_equal(chair->floor_told, told);
}

static void changes_by_the_owner(void **state)
{
	struct world *t = *state;
	const struct bfcp_floor_spec two = { .holders = 2 };

	stage_want(t, ALICE, 1, -1);
	stage_want(t, BOB, 1, -1);
	assert_int_equal(bfcp_server_floor(t->server, 1, &two, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[BOB].status, BFCP_GRANTED);
	stage_want(t, CAROL, 1, -1);
	bfcp_server_floor_remove(t->server, 1, t->now);
	stage_settle(t);
	assert_int_equal(t->p[ALICE].status, BFCP_REVOKED);
	assert_int_equal(t->p[CAROL].status, BFCP_DENIED);
	assert_int_equal(t->holder[1], 0);
	stage_want(t, ALICE, 3, -1);
	bfcp_server_user_remove(t->server, ALICE, t->now);
	stage_settle(t);
	assert_int_equal(t->p[ALICE].bye, t->reliable ? 0 : 1);
	assert_true(bfcp_peer_over(t->p[ALICE].peer) || !t->reliable);
	assert_int_equal(t->holder[3], 0);
}

/** A connection that is gone takes no requests with it (6.1). */
static void come_back(void **state)
{
	struct world *t = *state;
	unsigned r = stage_want(t, ALICE, 1, -1);

	bfcp_peer_free(t->p[ALICE].peer);
	bfcp_client_free(t->p[ALICE].client);
	stage_connect_party(t, ALICE);
	stage_give_back(t, ALICE, r);
	assert_int_equal(t->p[ALICE].status, BFCP_RELEASED);
}

/** The table: every event ends somewhere, every ongoing status can be left, none of the others can.
 */
static void table(void **state)
{
	(void)state;
	for (int s = 0; s < BFCP_STATUSES; s++) {
		int ways = 0;

		for (int e = 0; e < BFCP_EVENTS; e++) {
			enum bfcp_status next =
			        bfcp_next_status((enum bfcp_status)s, (enum bfcp_event)e);

			ways += next && (int)next != s;
		}
		assert_int_equal(ways > 0, bfcp_is_ongoing((enum bfcp_status)s));
		assert_string_not_equal(bfcp_status_name((unsigned)s), "unknown");
	}
	assert_int_equal(bfcp_next_status(BFCP_GRANTED, BFCP_RELEASE), BFCP_RELEASED);
	assert_int_equal(bfcp_next_status(BFCP_PENDING, BFCP_RELEASE), BFCP_CANCELLED);
	assert_int_equal(bfcp_next_status(BFCP_GRANTED, BFCP_EVENTS), BFCP_NO_STATUS);
}

int main(void)
{
#define BOTH(f)                                                                                    \
	cmocka_unit_test_setup_teardown(f, set_up_tcp, tear_down),                                 \
	        cmocka_unit_test_setup_teardown(f, set_up_udp, tear_down)
	const struct CMUnitTest tests[] = {
		BOTH(hello),
		BOTH(in_turn),
		BOTH(two_may_have_it),
		BOTH(a_package),
		BOTH(chair),
		BOTH(floors_are_told),
		BOTH(queries),
		BOTH(changes_by_the_owner),
		BOTH(goodbye),
		BOTH(come_back),
		cmocka_unit_test(table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
