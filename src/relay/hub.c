/* SPDX-License-Identifier: Apache-2.0 */
/* Hubs: made and ordered by control, alive on their worker. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "relay/seat.h"

/* What has happened may be due to be looked at so late: all times in there are seconds. */
#define STEP_MS 100

/* ---- the worker's ---- */

static void on_room_wake(void *arg, struct msrp_member *member, void *member_arg)
{
	(void)arg;
	(void)member;
	relay_seat_wake(member_arg);
}

static void on_server_wake(void *arg, struct bfcp_peer *peer, void *peer_arg)
{
	(void)arg;
	(void)peer;
	relay_seat_wake(peer_arg);
}

static void on_b2b_wake(void *arg, unsigned side)
{
	struct relay_hub *hub = arg;

	if (hub->side[side])
		relay_seat_wake(hub->side[side]);
}

const struct msrp_room_ops relay_room_ops = { .wake = on_room_wake };
const struct bfcp_server_ops relay_server_ops = { .wake = on_server_wake };

static uint64_t tick(struct relay_hub *hub, uint64_t now_ms)
{
	switch (hub->kind) {
	case RELAY_HUB_ROOM:
		msrp_room_tick(hub->room, now_ms);
		return msrp_room_due(hub->room);
	case RELAY_HUB_FLOOR:
		bfcp_server_tick(hub->server, now_ms);
		return bfcp_server_due(hub->server);
	case RELAY_HUB_RELAY:
		break;
	}
	if (!hub->b2b)
		return UINT64_MAX;
	msrp_b2b_tick(hub->b2b, now_ms);
	return msrp_b2b_due(hub->b2b);
}

static void arm(struct relay_hub *hub, uint64_t delay_ms);

static void on_timer(void *arg)
{
	struct relay_hub *hub = arg;
	uint64_t now = loop_now_ms(hub->worker->loop), due = tick(hub, now);

	hub->wakes_ms = UINT64_MAX;
	if (due != UINT64_MAX)
		arm(hub, due > now ? due - now : 1);
}

static void arm(struct relay_hub *hub, uint64_t delay_ms)
{
	hub->wakes_ms = loop_now_ms(hub->worker->loop) + delay_ms;
	loop_timer_start(hub->worker->loop, &hub->timer, delay_ms, on_timer, hub);
}

void relay_hub_touch(struct relay_hub *hub)
{
	if (hub->wakes_ms > loop_now_ms(hub->worker->loop) + STEP_MS)
		arm(hub, STEP_MS);
}

/* ---- two sessions of MSRP ---- */

static void pair_up(struct relay_hub *hub)
{
	struct msrp_b2b_spec spec = { .wake = on_b2b_wake, .arg = hub };
	struct base_error err = { 0 };
	int rc;

	for (unsigned i = 0; i < 2; i++) {
		spec.side[i].own = hub->side[i]->spec.own;
		spec.side[i].peer = hub->side[i]->spec.peer;
	}
	/* What waits at the end of one is given to the other's socket at once. */
	spec.window = hub->pool->buffer_limit / 4;
	rc = msrp_b2b_new(&hub->b2b, &spec, &err);
	for (unsigned i = 0; i < 2; i++) {
		if (rc)
			hub->side[i]->fault = RELAY_CAUSE_RESOURCES;
		relay_seat_wake(hub->side[i]);
	}
	if (rc)
		base_log(BASE_LOG_WARN, "relay", "two streams of MSRP cannot meet: %s", err.text);
}

void relay_hub_pair(struct relay_seat *seat)
{
	struct relay_hub *hub = seat->hub;

	seat->side = hub->side[0] != NULL;
	if (hub->side[seat->side]) { /* two are there: it is one too many */
		seat->up = false;
		seat->fault = RELAY_CAUSE_RESOURCES;
		relay_seat_wake(seat);
		return;
	}
	hub->side[seat->side] = seat;
	if (hub->side[0] && hub->side[1])
		pair_up(hub);
}

/* What one has said in full goes to the other before it ends. */
void relay_hub_part(struct relay_seat *seat, enum relay_input how)
{
	struct relay_hub *hub = seat->hub;
	struct relay_seat *other = hub->side[1 - seat->side];
	struct msrp_b2b *b2b = hub->b2b;

	hub->side[seat->side] = NULL;
	if (!b2b)
		return;
	if (other && how == RELAY_ON_PARTNER_RELEASED)
		relay_seat_flush(other);
	other = hub->side[1 - seat->side]; /* its socket may have failed */
	if (hub->b2b == b2b) {
		hub->b2b = NULL;
		msrp_b2b_free(b2b);
	}
	if (other)
		relay_leg_input(relay_seat_leg(other), how, RELAY_CAUSE_PARTNER, 0);
}

/* ---- its life ---- */

static int make_room(struct relay_hub *hub, const struct relay_hub_spec *spec,
                     struct base_error *err)
{
	struct msrp_room_spec room = { .uri = spec->uri,
		                       .nicknames = spec->nicknames,
		                       .private_messages = spec->private_messages,
		                       .octets = spec->octets,
		                       .members = spec->members,
		                       .pool_octets = spec->wait_size,
		                       .ops = &relay_room_ops,
		                       .arg = hub };

	return msrp_room_new(&hub->room, &room, err);
}

int relay_hub_new(struct relay_hub **ret, struct relay_context *context,
                  const struct relay_hub_spec *spec, struct base_error *err)
{
	struct bfcp_server_spec server = { .conference = spec->conference,
		                           .ops = &relay_server_ops };
	struct relay_hub *hub = calloc(1, sizeof(*hub));
	int rc = 0;

	if (!hub)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	hub->pool = context->pool;
	hub->worker = context->worker;
	hub->kind = spec->kind;
	hub->wakes_ms = UINT64_MAX;
	base_list_init(&hub->seats);
	if (spec->kind == RELAY_HUB_ROOM)
		rc = make_room(hub, spec, err);
	else if (spec->kind == RELAY_HUB_FLOOR)
		rc = bfcp_server_new(&hub->server, &server);
	if (rc) {
		free(hub);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	}
	base_list_append(&hub->pool->hubs, &hub->node);
	*ret = hub;
	return 0;
}

static void discard(struct relay_hub *hub)
{
	base_list_remove(&hub->node);
	if (hub->kind == RELAY_HUB_ROOM)
		msrp_room_free(hub->room);
	else if (hub->kind == RELAY_HUB_FLOOR)
		bfcp_server_free(hub->server);
	else
		msrp_b2b_free(hub->b2b);
	free(hub->floor);
	free(hub->user);
	free(hub);
}

void relay_hubs_discard(struct base_node *hubs)
{
	BASE_LIST_EACH(hubs, node, after)
	{
		discard(BASE_CONTAINER_OF(node, struct relay_hub, node));
	}
}

static void open_last(struct relay_letter *letter, bool pool_ends)
{
	if (!pool_ends) /* which discards all that are left */
		discard(BASE_CONTAINER_OF(letter, struct relay_hub, last));
}

/* Two of a relay do not take each other along: their endpoints go on, without a hub. */
static void on_end(void *arg)
{
	struct relay_hub *hub = arg;

	if (hub->kind == RELAY_HUB_RELAY) {
		hub->side[0] = hub->side[1] = NULL;
		msrp_b2b_free(hub->b2b);
		hub->b2b = NULL;
	}
	BASE_LIST_EACH(&hub->seats, node, after)
	{
		relay_seat_leave(relay_seat_leg(BASE_CONTAINER_OF(node, struct relay_seat, node)),
		                 RELAY_ON_PARTNER_RELEASED);
	}
	loop_timer_stop(hub->worker->loop, &hub->timer);
	hub->last.open = open_last;
	relay_mailbox_post(&hub->pool->mailbox, &hub->last);
}

void relay_hub_free(struct relay_hub *hub)
{
	if (hub)
		relay_worker_order(hub->worker, &hub->end, on_end, hub);
}

/* ---- floors and users ---- */

struct conference {
	struct loop_msg msg;
	struct relay_hub *hub;
	struct base_arena arena;
	struct relay_floor *floor;
	struct relay_user *user;
	size_t floors, users;
};

static void conference_free(struct conference *c)
{
	base_arena_done(&c->arena);
	free(c);
}

static bool has_user(const struct conference *c, uint16_t id)
{
	for (size_t i = 0; i < c->users; i++)
		if (c->user[i].id == id)
			return true;
	return false;
}

static bool has_floor(const struct conference *c, uint16_t id)
{
	for (size_t i = 0; i < c->floors; i++)
		if (c->floor[i].id == id)
			return true;
	return false;
}

static void remove_old(struct relay_hub *hub, const struct conference *c, uint64_t now_ms)
{
	for (size_t i = 0; i < hub->users; i++)
		if (!has_user(c, hub->user[i]))
			bfcp_server_user_remove(hub->server, hub->user[i], now_ms);
	for (size_t i = 0; i < hub->floors; i++)
		if (!has_floor(c, hub->floor[i]))
			bfcp_server_floor_remove(hub->server, hub->floor[i], now_ms);
}

static int put_new(struct relay_hub *hub, const struct conference *c, uint64_t now_ms)
{
	int rc = 0;

	for (size_t i = 0; i < c->users && !rc; i++) {
		const struct relay_user *u = &c->user[i];
		struct bfcp_user_spec spec = { .name = u->name,
			                       .uri = u->uri,
			                       .third_party = u->third_party,
			                       .limited = u->limited,
			                       .priority = u->priority };

		rc = bfcp_server_user(hub->server, u->id, &spec);
	}
	for (size_t i = 0; i < c->floors && !rc; i++) {
		struct bfcp_floor_spec spec = { .chair = c->floor[i].chair,
			                        .holders = c->floor[i].holders };

		rc = bfcp_server_floor(hub->server, c->floor[i].id, &spec, now_ms);
	}
	return rc;
}

static bool remember(uint16_t **list, size_t *count, size_t want)
{
	uint16_t *more = realloc(*list, (want ? want : 1) * sizeof(*more));

	if (!more)
		return false;
	*list = more;
	*count = want;
	return true;
}

static void on_conference(void *arg)
{
	struct conference *c = arg;
	struct relay_hub *hub = c->hub;
	uint64_t now = loop_now_ms(hub->worker->loop);

	remove_old(hub, c, now);
	if (put_new(hub, c, now) || !remember(&hub->floor, &hub->floors, c->floors) ||
	    !remember(&hub->user, &hub->users, c->users)) {
		base_log(BASE_LOG_ERROR, "relay", "out of memory: floors or users are not known");
		conference_free(c);
		return;
	}
	for (size_t i = 0; i < c->floors; i++)
		hub->floor[i] = c->floor[i].id;
	for (size_t i = 0; i < c->users; i++)
		hub->user[i] = c->user[i].id;
	relay_hub_touch(hub);
	conference_free(c);
}

/* false: memory is short */
static bool copy_str(struct base_arena *arena, struct base_str *s)
{
	*s = base_str_of(base_arena_dup(arena, *s));
	return s->ptr != NULL;
}

int relay_hub_conference(struct relay_hub *hub, const struct relay_floor *floor, size_t floors,
                         const struct relay_user *user, size_t users)
{
	struct conference *c = calloc(1, sizeof(*c));
	bool fine;

	assert(hub->kind == RELAY_HUB_FLOOR);
	if (!c)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	c->hub = hub;
	c->floors = floors;
	c->users = users;
	c->floor = base_arena_array(&c->arena, floors ? floors : 1, sizeof(*floor));
	c->user = base_arena_array(&c->arena, users ? users : 1, sizeof(*user));
	fine = c->floor && c->user;
	for (size_t i = 0; i < floors && fine; i++)
		c->floor[i] = floor[i];
	for (size_t i = 0; i < users && fine; i++) {
		c->user[i] = user[i];
		fine = copy_str(&c->arena, &c->user[i].name) &&
		       copy_str(&c->arena, &c->user[i].uri);
	}
	if (!fine) {
		conference_free(c);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	relay_worker_order(hub->worker, &c->msg, on_conference, c);
	return 0;
}

/* ---- seats ---- */

static bool copy_spec(struct relay_seat *seat, const struct relay_seat_spec *spec)
{
	struct base_str *uri =
	        base_arena_array(&seat->arena, spec->uris ? spec->uris : 1, sizeof(*uri));
	bool fine = uri != NULL;

	seat->spec = *spec;
	for (size_t i = 0; i < spec->uris && fine; i++) {
		uri[i] = spec->uri[i];
		fine = copy_str(&seat->arena, &uri[i]);
	}
	seat->spec.uri = uri;
	return fine && copy_str(&seat->arena, &seat->spec.own) &&
	       copy_str(&seat->arena, &seat->spec.peer) &&
	       copy_str(&seat->arena, &seat->spec.wrapped_types);
}

int relay_endpoint_seat(struct relay_endpoint *endpoint, struct relay_hub *hub,
                        const struct relay_seat_spec *spec, struct base_error *err)
{
	struct relay_seat *seat;
	struct msrp_uri uri;

	if (hub->kind != RELAY_HUB_FLOOR && msrp_uri_parse(spec->own, &uri))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "our path is no MSRP URI (RFC 4975, 9)");
	if (hub->kind != RELAY_HUB_FLOOR && !msrp_path_count(spec->peer))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "the peer's path is none (RFC 4975, 8.2)");
	if (endpoint->moving || endpoint->held || endpoint->home != hub->worker)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, EAGAIN), "it is on another worker");
	seat = calloc(1, sizeof(*seat));
	if (!seat || !copy_spec(seat, spec)) {
		if (seat)
			relay_seat_free(seat);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	}
	seat->endpoint = endpoint;
	seat->hub = hub;
	base_list_init(&seat->node);
	relay_order_post(endpoint, &seat->order, relay_seat_take, seat);
	return 0;
}
