/* SPDX-License-Identifier: Apache-2.0 */
/* Floors, users and connections of a conference. */
#include <stdlib.h>

#include "bfcp/server_private.h"

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)
#define PEER(ptr) BASE_CONTAINER_OF(ptr, struct bfcp_peer, node)

struct fcs_floor *fcs_floor(const struct bfcp_server *s, uint16_t id)
{
	FCS_EACH(&s->floors, struct fcs_floor, floor)
	if (floor->id == id)
		return floor;
	return NULL;
}

struct fcs_user *fcs_user(const struct bfcp_server *s, uint16_t id)
{
	FCS_EACH(&s->users, struct fcs_user, user)
	if (user->id == id)
		return user;
	return NULL;
}

int bfcp_server_new(struct bfcp_server **ret, const struct bfcp_server_spec *spec)
{
	struct bfcp_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NO_MEMORY;
	s->spec = *spec;
	base_list_init(&s->floors);
	base_list_init(&s->users);
	base_list_init(&s->requests);
	base_list_init(&s->peers);
	*ret = s;
	return 0;
}

static void user_free(struct fcs_user *user)
{
	base_list_remove(&user->node);
	base_arena_done(&user->arena);
	free(user);
}

void bfcp_server_free(struct bfcp_server *s)
{
	struct base_node *node;

	if (!s)
		return;
	while ((node = base_list_shift(&s->peers)))
		bfcp_peer_free(PEER(node));
	while ((node = base_list_shift(&s->requests)))
		fcs_request_free(s, BASE_CONTAINER_OF(node, struct fcs_request, node));
	while ((node = base_list_shift(&s->users)))
		user_free(BASE_CONTAINER_OF(node, struct fcs_user, node));
	while ((node = base_list_shift(&s->floors)))
		free(BASE_CONTAINER_OF(node, struct fcs_floor, node));
	base_arena_done(&s->arena);
	free(s);
}

int bfcp_server_floor(struct bfcp_server *s, uint16_t id, const struct bfcp_floor_spec *spec,
                      uint64_t now_ms)
{
	struct fcs_floor *floor = fcs_floor(s, id);

	if (!floor) {
		floor = calloc(1, sizeof(*floor));
		if (!floor)
			return NO_MEMORY;
		floor->id = id;
		base_list_append(&s->floors, &floor->node);
	}
	floor->spec = *spec;
	fcs_settle(s); /* more may hold it now, or nobody decides about it any more */
	fcs_tell_all(s, now_ms);
	return 0;
}

/** A request that cannot stay. */
static void end(struct bfcp_server *s, struct fcs_request *r, enum bfcp_event waiting,
                enum bfcp_event holding)
{
	(void)fcs_happen(s, r, r->status == BFCP_GRANTED ? holding : waiting);
}

void bfcp_server_floor_remove(struct bfcp_server *s, uint16_t id, uint64_t now_ms)
{
	struct fcs_floor *floor = fcs_floor(s, id);

	if (!floor)
		return;
	FCS_EACH(&s->requests, struct fcs_request, r)
	for (size_t i = 0; i < r->parts; i++)
		if (r->part[i].floor == floor && bfcp_is_ongoing(r->status))
			end(s, r, BFCP_DENY, BFCP_REVOKE);
	fcs_settle(s);
	fcs_tell_all(s, now_ms);
	base_list_remove(&floor->node);
	free(floor);
}

int bfcp_server_user(struct bfcp_server *s, uint16_t id, const struct bfcp_user_spec *spec)
{
	struct fcs_user *user = calloc(1, sizeof(*user)), *old = fcs_user(s, id);

	if (!user)
		return NO_MEMORY;
	base_list_init(&user->node);
	user->id = id;
	user->spec = *spec;
	user->spec.name = base_str_of(base_arena_dup(&user->arena, spec->name));
	user->spec.uri = base_str_of(base_arena_dup(&user->arena, spec->uri));
	if (!user->spec.name.ptr || !user->spec.uri.ptr) {
		user_free(user);
		return NO_MEMORY;
	}
	if (old)
		user_free(old);
	base_list_append(&s->users, &user->node);
	return 0;
}

void bfcp_server_user_remove(struct bfcp_server *s, uint16_t id, uint64_t now_ms)
{
	const struct bfcp_message bye = { .primitive = BFCP_GOODBYE, .user = id };
	struct fcs_user *user = fcs_user(s, id);

	if (!user)
		return;
	FCS_EACH(&s->requests, struct fcs_request, r)
	if (r->user == id || r->beneficiary == id)
		end(s, r, BFCP_RELEASE, BFCP_RELEASE);
	fcs_settle(s);
	fcs_tell_all(s, now_ms);
	FCS_EACH(&s->peers, struct bfcp_peer, peer)
	{
		if (peer->user != id || peer->over)
			continue;
		peer->asks = 0;
		if (peer->link.reliable) /* 6.1: its connection is closed */
			peer->over = true;
		else if (fcs_answer(peer, NULL, &bye, now_ms)) /* 6.2 */
			peer->over = true;
		fcs_wake(peer);
	}
	user_free(user);
}

int bfcp_peer_new(struct bfcp_server *s, uint16_t user, bool reliable, void *arg,
                  struct bfcp_peer **ret)
{
	struct bfcp_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NO_MEMORY;
	peer->server = s;
	peer->arg = arg;
	peer->user = user;
	peer->link = (struct bfcp_link){ .reliable = reliable,
		                         .conference = s->spec.conference,
		                         .message = fcs_message,
		                         .fault = fcs_fault,
		                         .arg = peer };
	base_list_append(&s->peers, &peer->node);
	*ret = peer;
	return 0;
}

void bfcp_peer_free(struct bfcp_peer *peer)
{
	if (!peer)
		return;
	base_list_remove(&peer->node);
	bfcp_link_done(&peer->link);
	free(peer->asked);
	free(peer);
}

int bfcp_peer_input(struct bfcp_peer *peer, struct base_str octets, uint64_t now_ms)
{
	int rc = bfcp_link_input(&peer->link, octets, now_ms);

	peer->over = peer->over || rc;
	fcs_wake(peer);
	return rc;
}

size_t bfcp_peer_take(struct bfcp_peer *peer, void *buf, size_t cap)
{
	return bfcp_link_take(&peer->link, buf, cap);
}

bool bfcp_peer_over(const struct bfcp_peer *peer)
{
	return peer->over || peer->link.broken;
}

bool bfcp_peer_left(const struct bfcp_peer *peer)
{
	return peer->left;
}

void bfcp_peer_counts(const struct bfcp_peer *peer, uint64_t *ret_in, uint64_t *ret_out)
{
	*ret_in = peer->link.came;
	*ret_out = peer->link.went;
}

void bfcp_server_tick(struct bfcp_server *s, uint64_t now_ms)
{
	FCS_EACH(&s->peers, struct bfcp_peer, peer)
	{
		bfcp_link_tick(&peer->link, now_ms);
		fcs_wake(peer);
	}
}

uint64_t bfcp_server_due(const struct bfcp_server *s)
{
	uint64_t due = BFCP_NEVER;

	FCS_EACH(&s->peers, struct bfcp_peer, peer)
	due = BASE_MIN(due, bfcp_link_due(&peer->link));
	return due;
}
