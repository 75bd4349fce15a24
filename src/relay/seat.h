/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/relay: hubs and the seats in them. A hub is control's, which frees it after its
 * worker has let go; what it holds is the worker's. A seat is control's until its order is carried
 * out, then the worker's.
 */
#ifndef GH_RELAY_SEAT_H
#define GH_RELAY_SEAT_H

#include "bfcp/bfcp.h"
#include "msrp/msrp.h"
#include "relay/private.h"

struct relay_hub {
	struct base_node node; /**< in pool->hubs */
	struct relay_pool *pool;
	struct relay_worker *worker;
	enum relay_hub_kind kind;
	struct loop_msg end;
	struct relay_letter last; /**< the worker is done with it */
	/* The worker's: */
	struct base_node seats;
	struct loop_timer timer;
	uint64_t wakes_ms; /**< when the timer is due */
	union {
		struct msrp_room *room;
		struct bfcp_server *server;
		struct {
			struct msrp_b2b *b2b; /**< NULL unless both are there */
			struct relay_seat *side[2];
		};
	};
	uint16_t *floor, *user; /**< of the server, as ordered last */
	size_t floors, users;
};

struct relay_seat {
	struct relay_held order;
	struct relay_endpoint *endpoint;
	struct relay_hub *hub;
	struct base_node node; /**< in hub->seats */
	struct base_arena arena;
	struct relay_seat_spec spec; /**< in the arena */
	/* The worker's: */
	bool up;       /**< it has joined */
	bool out;      /**< there may be something to take */
	uint8_t fault; /**< enum relay_cause: the stream is to end */
	uint8_t side;  /**< of a relay */
	union {
		struct msrp_member *member;
		struct bfcp_peer *peer;
	};
};

/* ---- hub.c ---- */

extern const struct msrp_room_ops relay_room_ops;
extern const struct bfcp_server_ops relay_server_ops;
/** At the end of the pool, after the workers'. */
void relay_hubs_discard(struct base_node *hubs);
/** Worker: something has happened in it: its timer may have to go earlier. */
void relay_hub_touch(struct relay_hub *hub);
/** Worker: a seat of a relay has come, or goes: `how`, an input, is carried to the other one. */
void relay_hub_pair(struct relay_seat *seat);
void relay_hub_part(struct relay_seat *seat, enum relay_input how);

/* ---- seat.c, on the worker ---- */

static inline struct relay_leg *relay_seat_leg(const struct relay_seat *seat)
{
	return &seat->endpoint->leg;
}
/** The order: the endpoint has it from now on. */
void relay_seat_take(void *arg);
/** The stream is up: it joins. */
void relay_seat_up(struct relay_seat *seat);
/** The leg's seat is given up and freed, if it has one. */
void relay_seat_leave(struct relay_leg *leg, enum relay_input how);
void relay_seat_free(struct relay_seat *seat);
/** Does it take what comes? */
bool relay_seat_takes(const struct relay_seat *seat);
/** Octets from the peer. @return how many were taken; the rest is to come again */
size_t relay_seat_input(struct relay_seat *seat, const uint8_t *data, size_t len);
/** Its peer has ended in order, and all that came from it is taken. */
void relay_seat_ended(struct relay_seat *seat);
/** Send what there is, as far as the socket takes it; end if it has to. */
void relay_seat_run(struct relay_seat *seat);
/** Send what there is room for, whatever waits for the socket. */
void relay_seat_flush(struct relay_seat *seat);
/** There is something to take, or it may be read again. */
void relay_seat_wake(struct relay_seat *seat);

#endif
