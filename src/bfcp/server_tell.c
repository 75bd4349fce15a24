/* SPDX-License-Identifier: Apache-2.0 */
/* What is said: RFC 8855, 13.1.1, 13.1.2 (FloorRequestStatus), 13.3 (UserStatus), 13.5
 * (FloorStatus). */
#include "bfcp/server_private.h"

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)

void fcs_wake(struct bfcp_peer *peer)
{
	const struct bfcp_server_spec *spec = &peer->server->spec;

	spec->ops->wake(spec->arg, peer, peer->arg);
}

static struct bfcp_user_info about(const struct bfcp_server *s, uint16_t id, bool words)
{
	const struct fcs_user *user = fcs_user(s, id);
	struct bfcp_user_info info = { .there = true, .id = id };

	if (user && words) {
		info.name = user->spec.name;
		info.uri = user->spec.uri;
	}
	return info;
}

/** A request in words, or (`words` is false) in numbers alone, which always fit. */
static bool describe(struct bfcp_server *s, const struct fcs_request *r, bool words,
                     struct bfcp_request_info *ret)
{
	struct bfcp_floor_state *floor = base_arena_array(&s->arena, r->parts, sizeof(*floor));

	if (!floor)
		return false;
	for (size_t i = 0; i < r->parts; i++) {
		floor[i].floor = r->part[i].floor->id;
		floor[i].state.status = (uint8_t)r->status;
		if (r->status == BFCP_PENDING && r->part[i].agreed)
			floor[i].state.status = BFCP_ACCEPTED; /* it waits for other chairs */
	}
	*ret = (struct bfcp_request_info){ .id = r->id,
		                           .has_overall = true,
		                           .overall = { .status = (uint8_t)r->status,
		                                        .queue = fcs_position(s, r) },
		                           .floor = floor,
		                           .floors = r->parts,
		                           .beneficiary = about(s, r->beneficiary, words),
		                           .has_priority = r->has_priority,
		                           .priority = r->asked_priority };
	if (r->user != r->beneficiary)
		ret->requested_by = about(s, r->user, words);
	if (words) {
		ret->info = base_writer_view(&r->info);
		ret->overall.info = base_writer_view(&r->note);
	}
	return true;
}

int fcs_answer(struct bfcp_peer *peer, const struct bfcp_message *to,
               const struct bfcp_message *msg, uint64_t now_ms)
{
	int rc = to ? bfcp_link_answer(&peer->link, to, msg, now_ms)
	            : bfcp_link_ask(&peer->link, msg, now_ms);

	/* Over a stream nobody asks again: an answer that has no room ends the connection. */
	if (rc && base_err_class(rc) == BASE_LOCAL)
		peer->over = true;
	fcs_wake(peer);
	return rc;
}

/** Some requests, in a message that is `msg` but for them: with words, or without if these are too
 * many. */
static int say(struct bfcp_peer *peer, const struct bfcp_message *to, struct bfcp_message *msg,
               bool (*which)(const struct fcs_request *, const void *), const void *key,
               uint64_t now_ms)
{
	struct bfcp_server *s = peer->server;
	int rc = NO_MEMORY;

	msg->info_of = base_arena_array(&s->arena, s->count + 1, sizeof(*msg->info_of));
	for (int words = 1; words >= 0 && msg->info_of; words--) {
		msg->infos = 0;
		if (!words)
			msg->about.name = msg->about.uri = (struct base_str){ 0 };
		FCS_EACH(&s->requests, struct fcs_request, r)
		if (which(r, key) && describe(s, r, words, &msg->info_of[msg->infos]))
			msg->infos++;
		rc = fcs_answer(peer, to, msg, now_ms);
		if (!rc || base_err_class(rc) != BASE_BUG)
			break;
	}
	/* Not all are told about where even their numbers are too many: the first of the queue. */
	for (; base_err_class(rc) == BASE_BUG && msg->infos > 1; msg->infos /= 2)
		rc = fcs_answer(peer, to, msg, now_ms);
	base_arena_reset(&s->arena);
	return rc;
}

static bool is_this(const struct fcs_request *r, const void *key)
{
	return r == key;
}

static bool is_of_user(const struct fcs_request *r, const void *key)
{
	uint16_t user = *(const uint16_t *)key;

	return bfcp_is_ongoing(r->status) && (r->user == user || r->beneficiary == user);
}

static bool is_of_floor(const struct fcs_request *r, const void *key)
{
	for (size_t i = 0; i < r->parts; i++)
		if (r->part[i].floor == key && bfcp_is_ongoing(r->status))
			return true;
	return false;
}

int fcs_answer_status(struct bfcp_peer *peer, const struct bfcp_message *to, struct fcs_request *r,
                      uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_FLOOR_REQUEST_STATUS, .user = r->user };

	return say(peer, to, &msg, is_this, r, now_ms);
}

int fcs_answer_user(struct bfcp_peer *peer, const struct bfcp_message *to, uint16_t user,
                    uint64_t now_ms)
{
	struct bfcp_message msg = { .primitive = BFCP_USER_STATUS };

	if (to->has_beneficiary)
		msg.about = about(peer->server, user, true);
	return say(peer, to, &msg, is_of_user, &user, now_ms);
}

int fcs_floor_status(struct bfcp_peer *peer, const struct bfcp_message *to,
                     const struct fcs_floor *floor, uint64_t now_ms)
{
	uint16_t id = floor->id;
	struct bfcp_message msg = {
		.primitive = BFCP_FLOOR_STATUS, .user = peer->user, .floor = &id, .floors = 1
	};

	return say(peer, to, &msg, is_of_floor, floor, now_ms);
}

/** Its user's connections hear of a request. A peer for whom too much waits is let go. */
static void tell_user(struct bfcp_server *s, struct fcs_request *r, uint64_t now_ms)
{
	FCS_EACH(&s->peers, struct bfcp_peer, peer)
	if (peer->user == r->user && !peer->over && fcs_answer_status(peer, NULL, r, now_ms))
		peer->over = true;
}

static void tell_floor(struct bfcp_server *s, struct fcs_floor *floor, uint64_t now_ms)
{
	FCS_EACH(&s->peers, struct bfcp_peer, peer)
	for (size_t i = 0; i < peer->asks; i++)
		if (peer->asked[i] == floor->id && !peer->over &&
		    fcs_floor_status(peer, NULL, floor, now_ms))
			peer->over = true;
}

void fcs_tell_all(struct bfcp_server *s, uint64_t now_ms)
{
	uint8_t queue;

	FCS_EACH(&s->requests, struct fcs_request, r)
	{
		queue = fcs_position(s, r);
		for (size_t i = 0; i < r->parts; i++)
			r->part[i].floor->changed |= r->told != r->status || r->told_queue != queue;
		if (r->told && (r->told != r->status || r->told_queue != queue))
			tell_user(s, r, now_ms);
		r->told = r->status;
		r->told_queue = queue;
	}
	FCS_EACH(&s->floors, struct fcs_floor, floor)
	{
		if (floor->changed)
			tell_floor(s, floor, now_ms);
		floor->changed = false;
	}
	FCS_EACH(&s->requests, struct fcs_request, r)
	if (!bfcp_is_ongoing(r->status))
		fcs_request_free(s, r);
}
