/* SPDX-License-Identifier: Apache-2.0 */
#include "server_stories.h"

void hello(void **state)
{
	struct world *t = *state;

	for (t->step = 1; t->step < 100; t->step += 30) {
		assert_int_equal(bfcp_client_hello(t->p[ALICE].client, t->now), 0);
		stage_settle(t);
		assert_int_equal(t->p[ALICE].primitives, t->reliable ? 13 : 17);
		t->p[ALICE].primitives = 0;
	}
}

/** 4.1, 13.1, 13.4: granted, queued with its place, granted in turn. */
void in_turn(void **state)
{
	struct world *t = *state;
	unsigned a = stage_want(t, ALICE, 1, -1), b, c;

	assert_int_equal(t->p[ALICE].status, BFCP_GRANTED);
	assert_int_equal(t->p[ALICE].asked, BFCP_FLOOR_REQUEST);
	assert_int_equal(t->holder[1], ALICE);
	b = stage_want(t, BOB, 1, BFCP_LOW);
	assert_int_equal(t->p[BOB].status, BFCP_ACCEPTED);
	assert_int_equal(t->p[BOB].queue, 1);
	c = stage_want(t, CAROL, 1, BFCP_HIGHEST); /* limited to normal, and that is before low */
	assert_int_equal(t->p[CAROL].queue, 1);
	assert_int_equal(t->p[BOB].queue, 2);
	assert_int_equal(t->p[BOB].asked, 0); /* told */
	assert_true(a != b && b != c);
	stage_give_back(t, ALICE, a);
	assert_int_equal(t->p[ALICE].status, BFCP_RELEASED);
	assert_int_equal(t->p[CAROL].status, BFCP_GRANTED);
	assert_int_equal(t->p[BOB].queue, 1);
	stage_give_back(t, BOB, b);
	assert_int_equal(t->p[BOB].status, BFCP_CANCELLED); /* it had never been granted */
	stage_give_back(t, CAROL, c);
	assert_int_equal(t->holder[1], 0);
	stage_give_back(t, CAROL, c);
	assert_int_equal(t->p[CAROL].error, BFCP_NO_REQUEST);
	assert_int_equal(t->p[CAROL].error_asked, BFCP_FLOOR_RELEASE);
}

/** Several floors are one package (10.1.1), and are not overtaken by those who want less. */
void a_package(void **state)
{
	struct world *t = *state;
	const uint16_t floors[] = { 1, 3 };
	const struct bfcp_wish wish = { .floor = floors, .floors = 2 };
	unsigned a = stage_want(t, ALICE, 1, -1);

	assert_int_equal(bfcp_client_request(t->p[BOB].client, &wish, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[BOB].status, BFCP_ACCEPTED);
	stage_want(t, CAROL, 3, -1);
	assert_int_equal(t->p[CAROL].status, BFCP_ACCEPTED); /* Bob is before her */
	stage_give_back(t, ALICE, a);
	assert_int_equal(t->p[BOB].status, BFCP_GRANTED);
	assert_int_equal(t->p[CAROL].status, BFCP_GRANTED);
	assert_int_equal(t->holder[1], BOB);
}

/** 11: the chair grants, denies, revokes and says who is next. */
void chair(void **state)
{
	struct world *t = *state;
	unsigned a, b, c;

	a = stage_want(t, ALICE, 2, -1);
	assert_int_equal(t->p[ALICE].status, BFCP_PENDING);
	stage_decide(t, BOB, a, 2, BFCP_GRANTED, 0);
	assert_int_equal(t->p[BOB].error, BFCP_UNAUTHORIZED);
	stage_decide(t, CHAIR, a, 1, BFCP_GRANTED, 0);
	assert_int_equal(t->p[CHAIR].error, BFCP_INVALID_FLOOR);
	stage_decide(t, CHAIR, a, 2, BFCP_REVOKED,
	             0); /* what was not granted is denied, not revoked */
	assert_int_equal(t->p[CHAIR].error, BFCP_GENERIC_ERROR);
	stage_decide(t, CHAIR, a + 9, 2, BFCP_GRANTED, 0);
	assert_int_equal(t->p[CHAIR].error, BFCP_NO_REQUEST);
	stage_decide(t, CHAIR, a, 2, BFCP_GRANTED, 0);
	assert_int_equal(t->p[CHAIR].done, 1);
	assert_int_equal(t->p[ALICE].status, BFCP_GRANTED);
	b = stage_want(t, BOB, 2, -1);
	stage_decide(t, CHAIR, b, 2, BFCP_ACCEPTED, 0);
	assert_int_equal(t->p[BOB].queue, 1);
	c = stage_want(t, CAROL, 2, -1);
	stage_decide(t, CHAIR, c, 2, BFCP_ACCEPTED, 1);
	assert_int_equal(t->p[CAROL].queue, 1);
	assert_int_equal(t->p[BOB].queue, 2);
	stage_decide(t, CHAIR, a, 2, BFCP_DENIED, 0); /* granted is revoked, not denied */
	assert_int_equal(t->p[CHAIR].error, BFCP_GENERIC_ERROR);
	stage_decide(t, CHAIR, a, 2, BFCP_REVOKED, 0);
	assert_int_equal(t->p[ALICE].status, BFCP_REVOKED);
	assert_int_equal(t->p[CAROL].status, BFCP_GRANTED);
	stage_decide(t, CHAIR, b, 2, BFCP_DENIED, 0);
	assert_int_equal(t->p[BOB].status, BFCP_DENIED);
	assert_int_equal(t->holder[2], CAROL);
}

void queries(void **state)
{
	struct world *t = *state;
	const uint16_t floor = 1;
	struct bfcp_wish wish = { .floor = &floor, .floors = 1, .beneficiary = ALICE };
	unsigned r = stage_want(t, BOB, 1, -1);

	assert_int_equal(bfcp_client_ask_request(t->p[CHAIR].client, (uint16_t)r, t->now), 0);
	assert_int_equal(bfcp_client_ask_user(t->p[CHAIR].client, BOB, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[CHAIR].status, BFCP_GRANTED);
	assert_int_equal(t->p[CHAIR].user_requests, 1);
	assert_int_equal(bfcp_client_ask_user(t->p[CHAIR].client, 0, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[CHAIR].user_requests, 0);
	assert_int_equal(bfcp_client_ask_user(t->p[CHAIR].client, 99, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[CHAIR].error, BFCP_NO_USER);
	/* for others: who may (9) */
	assert_int_equal(bfcp_client_request(t->p[BOB].client, &wish, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[BOB].error, BFCP_UNAUTHORIZED);
	assert_int_equal(bfcp_client_request(t->p[CAROL].client, &wish, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[CAROL].status, BFCP_ACCEPTED);
	assert_int_equal(bfcp_client_ask_user(t->p[ALICE].client, 0, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[ALICE].user_requests, 1);
	stage_give_back(t, ALICE,
	                t->p[CAROL].request); /* the beneficiary may, and the requester is told */
	assert_int_equal(t->p[CAROL].status, BFCP_CANCELLED);
	stage_want(t, BOB, 1, -1);
	assert_int_equal(t->p[BOB].error, BFCP_TOO_MANY_REQUESTS);
	stage_want(t, BOB, 7, -1);
	assert_int_equal(t->p[BOB].error, BFCP_INVALID_FLOOR);
	stage_give_back(t, ALICE, r);
	assert_int_equal(t->p[ALICE].error, BFCP_UNAUTHORIZED);
}

void goodbye(void **state)
{
	struct world *t = *state;

	stage_want(t, ALICE, 1, -1);
	stage_want(t, BOB, 1, -1);
	assert_int_equal(bfcp_client_goodbye(t->p[ALICE].client, t->now), 0);
	stage_settle(t);
	assert_int_equal(t->p[ALICE].bye, 1);
	assert_int_equal(t->p[BOB].status, BFCP_GRANTED);
	assert_true(bfcp_peer_over(t->p[ALICE].peer));
}
