/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask: RFC 8855, 13.1 to 13.8, and 9 (who may). */
#include <stdlib.h>

#include "bfcp/server_private.h"

/* Each returns 0, or the error code to answer with. */
typedef unsigned handler(struct bfcp_peer *peer, const struct bfcp_message *msg, uint64_t now_ms);

static void mark(struct fcs_request *r)
{
	for (size_t i = 0; i < r->parts; i++)
		r->part[i].floor->changed = true;
}

/** A request was answered: its user knows this much. */
static void answered(struct bfcp_server *s, struct fcs_request *r)
{
	mark(r);
	r->told = r->status;
	r->told_queue = fcs_position(s, r);
}

static unsigned ongoing_of(const struct bfcp_server *s, uint16_t user,
                           const struct fcs_floor *floor)
{
	unsigned n = 0;

	FCS_EACH(&s->requests, struct fcs_request, r)
	for (size_t i = 0; i < r->parts && r->beneficiary == user; i++)
		n += r->part[i].floor == floor;
	return n;
}

/** May this user ask for all that (13.1)? */
static unsigned check_request(const struct bfcp_server *s, const struct bfcp_message *msg,
                              uint16_t beneficiary, bool third)
{
	const struct fcs_user *user = fcs_user(s, msg->user);
	const struct fcs_floor *floor;
	bool chair_of_all = true;

	if (!fcs_user(s, beneficiary))
		return BFCP_NO_USER;
	for (size_t i = 0; i < msg->floors; i++) {
		floor = fcs_floor(s, msg->floor[i]);
		if (!floor)
			return BFCP_INVALID_FLOOR;
		chair_of_all = chair_of_all && floor->spec.chair == msg->user;
		for (size_t j = 0; j < i; j++)
			if (msg->floor[j] == msg->floor[i])
				return BFCP_INVALID_FLOOR;
		if (ongoing_of(s, beneficiary, floor) >=
		    (s->spec.per_floor ? s->spec.per_floor : 1))
			return BFCP_TOO_MANY_REQUESTS;
	}
	if (third && !user->spec.third_party && !chair_of_all)
		return BFCP_UNAUTHORIZED;
	if (s->count >= (s->spec.requests ? s->spec.requests : 1000))
		return BFCP_TOO_MANY_REQUESTS;
	return msg->floors > BFCP_FLOORS_MAX ? BFCP_GENERIC_ERROR : 0;
}

static unsigned on_floor_request(struct bfcp_peer *peer, const struct bfcp_message *msg,
                                 uint64_t now_ms)
{
	struct bfcp_server *s = peer->server;
	bool third = msg->has_beneficiary && msg->beneficiary != msg->user;
	uint16_t beneficiary = third ? msg->beneficiary : msg->user;
	unsigned error = check_request(s, msg, beneficiary, third);
	const struct fcs_user *user = fcs_user(s, msg->user);
	struct fcs_request *r = error ? NULL : fcs_request_new(s);

	if (!r)
		return error ? error : BFCP_GENERIC_ERROR;
	r->user = msg->user;
	r->beneficiary = beneficiary;
	r->has_priority = msg->has_priority;
	r->asked_priority = msg->priority;
	r->priority = msg->has_priority ? msg->priority : BFCP_NORMAL;
	if (user->spec.limited)
		r->priority = BASE_MIN(r->priority, user->spec.priority);
	for (size_t i = 0; i < msg->floors; i++)
		r->part[r->parts++].floor = fcs_floor(s, msg->floor[i]);
	base_writer_str(&r->info, msg->info);
	fcs_settle(s);
	(void)fcs_answer_status(peer, msg, r, now_ms); /* the first one (13.1.1) */
	return 0;
}

static unsigned on_floor_release(struct bfcp_peer *peer, const struct bfcp_message *msg,
                                 uint64_t now_ms)
{
	struct bfcp_server *s = peer->server;
	struct fcs_request *r = fcs_request(s, msg->request);

	if (!r)
		return BFCP_NO_REQUEST;
	if (r->user != msg->user && r->beneficiary != msg->user)
		return BFCP_UNAUTHORIZED;
	if (!fcs_happen(s, r, BFCP_RELEASE))
		return BFCP_NO_REQUEST;
	(void)fcs_answer_status(peer, msg, r, now_ms);
	if (r->user == msg->user)
		answered(s, r);
	return 0;
}

static unsigned on_floor_request_query(struct bfcp_peer *peer, const struct bfcp_message *msg,
                                       uint64_t now_ms)
{
	struct fcs_request *r = fcs_request(peer->server, msg->request);

	if (!r)
		return BFCP_NO_REQUEST;
	(void)fcs_answer_status(peer, msg, r, now_ms);
	return 0;
}

static unsigned on_user_query(struct bfcp_peer *peer, const struct bfcp_message *msg,
                              uint64_t now_ms)
{
	uint16_t about = msg->has_beneficiary ? msg->beneficiary : msg->user;

	if (!fcs_user(peer->server, about))
		return BFCP_NO_USER;
	(void)fcs_answer_user(peer, msg, about, now_ms);
	return 0;
}

static bool asks_for(const struct bfcp_peer *peer, uint16_t floor)
{
	for (size_t i = 0; i < peer->asks; i++)
		if (peer->asked[i] == floor)
			return true;
	return false;
}

/** Whoever asks is told of changes, too, until it asks for others (12.1.1, 13.5). */
static unsigned on_floor_query(struct bfcp_peer *peer, const struct bfcp_message *msg,
                               uint64_t now_ms)
{
	struct bfcp_message none = { .primitive = BFCP_FLOOR_STATUS };
	uint16_t *asked;

	for (size_t i = 0; i < msg->floors; i++)
		if (!fcs_floor(peer->server, msg->floor[i]))
			return BFCP_INVALID_FLOOR;
	asked = calloc(msg->floors + 1, sizeof(*asked));
	if (!asked)
		return BFCP_GENERIC_ERROR;
	free(peer->asked);
	peer->asked = asked;
	peer->asks = 0;
	for (size_t i = 0; i < msg->floors; i++)
		if (!asks_for(peer, msg->floor[i])) /* once, however often it is named */
			asked[peer->asks++] = msg->floor[i];
	if (!peer->asks)
		(void)fcs_answer(peer, msg, &none, now_ms);
	for (size_t i = 0; i < peer->asks; i++)
		(void)fcs_floor_status(peer, i ? NULL : msg, fcs_floor(peer->server, asked[i]),
		                       now_ms);
	return 0;
}

static struct fcs_part *part_of(struct fcs_request *r, uint16_t floor)
{
	for (size_t i = 0; i < r->parts; i++)
		if (r->part[i].floor->id == floor)
			return &r->part[i];
	return NULL;
}

static enum bfcp_event event_of(unsigned status)
{
	switch (status) {
	case BFCP_ACCEPTED:
	case BFCP_GRANTED:
		return BFCP_CONSENT;
	case BFCP_DENIED:
		return BFCP_DENY;
	case BFCP_REVOKED:
		return BFCP_REVOKE;
	default:
		return BFCP_EVENTS;
	}
}

/** Everything in it is possible, and his to say (11.1); nothing of it is done else. */
static unsigned check_action(const struct bfcp_request_info *info, struct fcs_request *r,
                             uint16_t chair)
{
	const struct fcs_part *part;
	unsigned status;

	for (size_t i = 0; i < info->floors; i++) {
		part = part_of(r, info->floor[i].floor);
		status = info->floor[i].state.status;
		if (!part)
			return BFCP_INVALID_FLOOR;
		if (part->floor->spec.chair != chair)
			return BFCP_UNAUTHORIZED;
		if (!bfcp_next_status(r->status, event_of(status)))
			return BFCP_GENERIC_ERROR;
	}
	return 0;
}

static void act(struct bfcp_server *s, struct fcs_request *r, const struct bfcp_floor_state *says)
{
	enum bfcp_event event = event_of(says->state.status);

	base_writer_reset(&r->note);
	base_writer_str(&r->note, says->state.info);
	part_of(r, says->floor)->agreed = event == BFCP_CONSENT;
	if (event != BFCP_CONSENT)
		(void)fcs_happen(s, r, event);
}

static unsigned on_chair_action(struct bfcp_peer *peer, const struct bfcp_message *msg,
                                uint64_t now_ms)
{
	const struct bfcp_message ack = { .primitive = BFCP_CHAIR_ACTION_ACK };
	const struct bfcp_request_info *info = &msg->info_of[0];
	struct bfcp_server *s = peer->server;
	struct fcs_request *r = fcs_request(s, info->id);
	unsigned error = r ? check_action(info, r, msg->user) : BFCP_NO_REQUEST, position = 0;

	if (error)
		return error;
	for (size_t i = 0; i < info->floors && bfcp_is_ongoing(r->status); i++) {
		act(s, r, &info->floor[i]);
		position = info->floor[i].state.status == BFCP_GRANTED ? 1
		                                                       : info->floor[i].state.queue;
	}
	/* All have agreed: the chair's place in the queue counts, at once (13.6). */
	fcs_consent(s, r);
	if (r->status == BFCP_ACCEPTED && position)
		fcs_place(s, r, position);
	(void)fcs_answer(peer, msg, &ack, now_ms);
	return 0;
}

static unsigned on_hello(struct bfcp_peer *peer, const struct bfcp_message *msg, uint64_t now_ms)
{
	char primitives[BFCP_PRIMITIVES], attributes[BFCP_ATTRIBUTES];
	/* the Acks and Goodbye belong to UDP (5.1, table 1; RFC 4582 has none of them) */
	size_t last = peer->link.reliable ? BFCP_ERROR : BFCP_GOODBYE_ACK;
	struct bfcp_message ack = { .primitive = BFCP_HELLO_ACK };

	for (size_t i = 0; i < last; i++)
		primitives[i] = (char)(i + 1);
	for (size_t i = 0; i + 1 < BFCP_ATTRIBUTES; i++)
		attributes[i] = (char)((i + 1) << 1);
	ack.primitives = (struct base_str){ primitives, last };
	ack.attributes = (struct base_str){ attributes, BFCP_ATTRIBUTES - 1 };
	(void)fcs_answer(peer, msg, &ack, now_ms);
	return 0;
}

/** It leaves what it had (6.2). */
static unsigned on_goodbye(struct bfcp_peer *peer, const struct bfcp_message *msg, uint64_t now_ms)
{
	const struct bfcp_message ack = { .primitive = BFCP_GOODBYE_ACK };
	struct bfcp_server *s = peer->server;

	FCS_EACH(&s->requests, struct fcs_request, r)
	if (r->user == msg->user)
		(void)fcs_happen(s, r, BFCP_RELEASE);
	(void)fcs_answer(peer, msg, &ack, now_ms);
	peer->over = peer->left = true;
	return 0;
}

static handler *const handlers[BFCP_PRIMITIVES] = {
	[BFCP_FLOOR_REQUEST] = on_floor_request,
	[BFCP_FLOOR_RELEASE] = on_floor_release,
	[BFCP_FLOOR_REQUEST_QUERY] = on_floor_request_query,
	[BFCP_USER_QUERY] = on_user_query,
	[BFCP_FLOOR_QUERY] = on_floor_query,
	[BFCP_CHAIR_ACTION] = on_chair_action,
	[BFCP_HELLO] = on_hello,
	[BFCP_GOODBYE] = on_goodbye,
};

void fcs_fault(void *arg, const struct bfcp_message *msg, unsigned error, uint64_t now_ms)
{
	struct bfcp_peer *peer = arg;
	struct bfcp_message answer = { .primitive = BFCP_ERROR, .error = (uint8_t)error };
	char details[BFCP_UNKNOWN_MAX];

	for (size_t i = 0; i < msg->unknowns; i++)
		details[i] = (char)(msg->unknown[i] << 1);
	if (error == BFCP_UNKNOWN_ATTRIBUTE) /* 5.2.6.1 */
		answer.error_details = (struct base_str){ details, msg->unknowns };
	answer.error_info = base_str_of(bfcp_error_words(error));
	(void)fcs_answer(peer, msg, &answer, now_ms);
}

/** 13: primitive, conference, user, attributes, in that order. */
static unsigned check(struct bfcp_peer *peer, const struct bfcp_message *msg)
{
	if (msg->primitive >= BFCP_PRIMITIVES || !handlers[msg->primitive])
		return BFCP_UNKNOWN_PRIMITIVE;
	if (msg->conference != peer->server->spec.conference)
		return BFCP_NO_CONFERENCE;
	if (!fcs_user(peer->server, msg->user))
		return BFCP_NO_USER;
	if (peer->user && peer->user != msg->user)
		return BFCP_UNAUTHORIZED; /* 9: not whom the connection belongs to */
	return msg->unknowns ? BFCP_UNKNOWN_ATTRIBUTE : 0;
}

void fcs_message(void *arg, const struct bfcp_message *msg, unsigned answers, uint64_t now_ms)
{
	struct bfcp_peer *peer = arg;
	unsigned error;

	if (answers || peer->over || msg->primitive == BFCP_GOODBYE_ACK ||
	    msg->primitive == BFCP_FLOOR_STATUS_ACK ||
	    msg->primitive == BFCP_FLOOR_REQUEST_STATUS_ACK)
		return; /* it has got what we told it */
	error = check(peer, msg);
	if (!error) {
		peer->user = msg->user;
		error = handlers[msg->primitive](peer, msg, now_ms);
	}
	if (error) {
		fcs_fault(peer, msg, error, now_ms);
		return;
	}
	fcs_settle(peer->server);
	fcs_tell_all(peer->server, now_ms);
}
