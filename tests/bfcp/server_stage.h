/* SPDX-License-Identifier: Apache-2.0 */
/** @file A floor control server and three users in memory, over a stream or over datagrams that may
 * be lost. */
#ifndef GH_TESTS_BFCP_SERVER_STAGE_H
#define GH_TESTS_BFCP_SERVER_STAGE_H

#include "bfcp/bfcp.h"
#include "check.h"

enum { ALICE = 1, BOB, CAROL, CHAIR, PEERS };

struct party {
	struct bfcp_client *client;
	struct bfcp_peer *peer;
	unsigned status, queue, request, asked; /* of the last FloorRequestStatus */
	int told;
	unsigned floor, floor_requests, floor_status, floor_user, floor_told;
	unsigned user_requests, error, error_asked;
	size_t primitives;
	int done, bye;
	bool woken, client_woken; /* nothing is taken else */
	bool stuck;               /* it takes nothing */
};

struct world {
	struct bfcp_server *server;
	struct party p[PEERS];
	bool reliable;
	unsigned lose, count; /* every n-th datagram */
	size_t step;
	uint64_t now;
	uint16_t holder[8];
};

extern const struct bfcp_client_ops stage_client_ops;

void stage_connect_party(struct world *t, uint16_t i);

struct world *stage_open_world(bool reliable);

int set_up_tcp(void **state);

int set_up_udp(void **state);

int tear_down(void **state);

/** Until nothing moves and no timer of a transaction runs. */
void stage_settle(struct world *t);

unsigned stage_want(struct world *t, int who, uint16_t floor, int priority);

void stage_give_back(struct world *t, int who, unsigned request);

void stage_decide(struct world *t, int who, unsigned request, uint16_t floor, unsigned status,
                  unsigned queue);

#endif
