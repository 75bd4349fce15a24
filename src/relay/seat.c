/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint's place in a hub. Nothing of another seat is sent from here: who has something to
 * take is woken, and takes it in its own turn, as much as its socket does (private.h, invariants 4
 * and 5).
 */
#include <errno.h>
#include <stdlib.h>

#include "relay/seat.h"

#define TAKE_SIZE ((size_t)64 * 1024)

void relay_seat_free(struct relay_seat *seat)
{
	base_arena_done(&seat->arena);
	free(seat);
}

void relay_seat_wake(struct relay_seat *seat)
{
	seat->out = true;
	relay_leg_resume(relay_seat_leg(seat));
}

static uint64_t now_of(const struct relay_seat *seat)
{
	return loop_now_ms(seat->hub->worker->loop);
}

/* ---- coming and going ---- */

static int join(struct relay_seat *seat, struct base_error *err)
{
	const struct relay_seat_spec *s = &seat->spec;
	struct msrp_member_spec member = { .uri = s->uri,
		                           .uris = s->uris,
		                           .own = s->own,
		                           .peer = s->peer,
		                           .private_messages = s->private_messages,
		                           .wrapped_types = s->wrapped_types,
		                           .arg = seat };

	switch (seat->hub->kind) {
	case RELAY_HUB_ROOM:
		return msrp_room_join(seat->hub->room, &member, &seat->member, err);
	case RELAY_HUB_FLOOR:
		return bfcp_peer_new(seat->hub->server, s->user, true, seat, &seat->peer);
	case RELAY_HUB_RELAY:
		break;
	}
	return 0;
}

void relay_seat_up(struct relay_seat *seat)
{
	struct base_error err = { 0 };
	int rc = join(seat, &err);

	if (rc) {
		base_log(BASE_LOG_WARN, "relay", "no seat for a stream that is up: %s", err.text);
		relay_leg_input(relay_seat_leg(seat), RELAY_ON_RELEASE, RELAY_CAUSE_RESOURCES,
		                ENOMEM);
		return;
	}
	seat->up = true;
	if (seat->hub->kind == RELAY_HUB_RELAY)
		relay_hub_pair(seat);
	relay_hub_touch(seat->hub);
}

void relay_seat_take(void *arg)
{
	struct relay_seat *seat = arg;
	struct relay_leg *leg = relay_seat_leg(seat);

	if (leg->state >= RELAY_DRAIN || leg->removed || (leg->seat && leg->seat->up)) {
		relay_seat_free(seat);
		return;
	}
	relay_seat_leave(leg, RELAY_ON_PARTNER_RELEASED);
	leg->seat = seat;
	base_list_append(&seat->hub->seats, &seat->node);
	if (leg->state == RELAY_OPEN || leg->state == RELAY_HALF_IN)
		relay_seat_up(seat);
	relay_leg_resume(leg);
}

void relay_seat_leave(struct relay_leg *leg, enum relay_input how)
{
	struct relay_seat *seat = leg->seat;

	if (!seat)
		return;
	leg->seat = NULL;
	base_list_remove(&seat->node);
	if (seat->up && seat->hub->kind == RELAY_HUB_ROOM)
		msrp_room_leave(seat->member);
	if (seat->up && seat->hub->kind == RELAY_HUB_FLOOR)
		bfcp_peer_free(seat->peer);
	if (seat->up && seat->hub->kind == RELAY_HUB_RELAY)
		relay_hub_part(seat, how);
	relay_seat_free(seat);
}

/* ---- from the peer ---- */

bool relay_seat_takes(const struct relay_seat *seat)
{
	return seat->up && (seat->hub->kind != RELAY_HUB_RELAY || seat->hub->b2b);
}

static void count(const struct relay_seat *seat)
{
	struct relay_counters *c = &relay_seat_leg(seat)->counters;
	uint64_t in = 0, out = 0;

	if (seat->hub->kind == RELAY_HUB_ROOM)
		msrp_member_counts(seat->member, &in, &out);
	else if (seat->hub->kind == RELAY_HUB_FLOOR)
		bfcp_peer_counts(seat->peer, &in, &out);
	else if (seat->hub->b2b)
		msrp_b2b_counts(seat->hub->b2b, seat->side, &in, &out);
	relay_count_set(&c->messages_in, in);
	relay_count_set(&c->messages_out, out);
}

static void note_fault(struct relay_seat *seat, int rc, const char *why)
{
	bool ours = base_err_class(rc) != BASE_PEER;

	seat->fault = ours ? RELAY_CAUSE_RESOURCES : RELAY_CAUSE_PROTOCOL;
	base_log(BASE_LOG_INFO, "relay", "a stream of %s ends: %s",
	         seat->hub->kind == RELAY_HUB_FLOOR ? "BFCP" : "MSRP",
	         why[0] ? why
	         : ours ? "memory is short"
	                : "what came cannot be read");
	relay_seat_wake(seat);
}

size_t relay_seat_input(struct relay_seat *seat, const uint8_t *data, size_t len)
{
	struct base_str in = { (const char *)data, len };
	struct base_error err = { 0 };
	uint64_t now = now_of(seat);
	int rc = 0;

	if (seat->fault)
		return len; /* it ends: nobody wants the rest */
	switch (seat->hub->kind) {
	case RELAY_HUB_ROOM:
		rc = msrp_member_input(seat->member, &in, now, &err);
		break;
	case RELAY_HUB_RELAY:
		rc = msrp_b2b_input(seat->hub->b2b, seat->side, &in, now, &err);
		break;
	case RELAY_HUB_FLOOR:
		rc = bfcp_peer_input(seat->peer, in, now);
		in.len = 0;
		break;
	}
	if (rc) {
		note_fault(seat, rc, err.text);
		in.len = 0;
	}
	relay_hub_touch(seat->hub);
	count(seat);
	return len - in.len;
}

/* ---- to the peer ---- */

static size_t take(struct relay_seat *seat, uint8_t *buf, size_t cap)
{
	switch (seat->hub->kind) {
	case RELAY_HUB_ROOM:
		return msrp_member_take(seat->member, buf, cap, now_of(seat));
	case RELAY_HUB_FLOOR:
		return bfcp_peer_take(seat->peer, buf, cap);
	case RELAY_HUB_RELAY:
		break;
	}
	return seat->hub->b2b ? msrp_b2b_take(seat->hub->b2b, seat->side, buf, cap, now_of(seat))
	                      : 0;
}

/* TLS makes more of it, which has to fit as well. */
static size_t take_size(const struct relay_leg *leg)
{
	return BASE_MIN(TAKE_SIZE, leg->worker->pool->buffer_limit / 2);
}

/* `all`: while there is room for it. */
static bool may_give(const struct relay_leg *leg, bool all)
{
	return leg->seat && leg->seat->up && leg->seat->out && leg->may_send && !leg->end_wanted &&
	       !leg->renegotiating && (leg->state == RELAY_OPEN || leg->state == RELAY_HALF_IN) &&
	       (all ? leg->pending.len <= leg->worker->pool->buffer_limit / 4 : !leg->pending.len);
}

/* The seat may be gone afterwards. */
static void give(struct relay_leg *leg, bool all)
{
	size_t n, size = take_size(leg), quota = RELAY_QUOTA;
	bool any = false;

	while (may_give(leg, all) && quota) {
		n = take(leg->seat, leg->worker->clear, size);
		leg->seat->out = n == size;
		if (n)
			relay_flow_give(leg, leg->worker->clear, n);
		quota -= all ? 0 : BASE_MIN(quota, n);
		any |= n > 0;
	}
	if (!quota)
		relay_leg_resume(leg);
	if (any && leg->seat) {
		relay_hub_touch(leg->seat->hub);
		count(leg->seat);
	}
}

void relay_seat_flush(struct relay_seat *seat)
{
	seat->out = true;
	give(relay_seat_leg(seat), true);
}

void relay_seat_run(struct relay_seat *seat)
{
	struct relay_leg *leg = relay_seat_leg(seat);

	give(leg, false);
	if (leg->seat != seat)
		return;
	if (seat->up && seat->hub->kind == RELAY_HUB_FLOOR && bfcp_peer_over(seat->peer) &&
	    !seat->fault)
		seat->fault =
		        bfcp_peer_left(seat->peer) ? RELAY_CAUSE_PEER_CLOSE : RELAY_CAUSE_PROTOCOL;
	if (seat->fault)
		relay_leg_input(leg, RELAY_ON_RELEASE, (enum relay_cause)seat->fault, 0);
}

void relay_seat_ended(struct relay_seat *seat)
{
	struct relay_leg *leg = relay_seat_leg(seat);

	relay_seat_flush(seat);
	if (leg->seat != seat)
		return;
	if (seat->fault) { /* why it ends, whoever was quicker */
		relay_leg_input(leg, RELAY_ON_RELEASE, (enum relay_cause)seat->fault, 0);
		return;
	}
	leg->end_carried = true;
	relay_seat_leave(leg, RELAY_ON_PARTNER_RELEASED);
	relay_leg_input(leg, RELAY_ON_PARTNER_END, RELAY_CAUSE_NONE, 0);
}
