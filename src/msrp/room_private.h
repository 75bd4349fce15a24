/* SPDX-License-Identifier: Apache-2.0 */
/** @file A room from inside, shared by room*.c. */
#ifndef GH_MSRP_ROOM_PRIVATE_H
#define GH_MSRP_ROOM_PRIVATE_H

#include "msrp/link.h"
#include "msrp/room.h"

struct msrp_room {
	struct msrp_room_spec spec;
	struct base_arena arena;
	struct msrp_pool pool;
	struct msrp_ids ids;
	struct base_node members;
	size_t count;
};

struct msrp_member {
	struct base_node node;
	struct msrp_room *room;
	struct msrp_link link;
	struct base_arena arena;
	struct base_str *uri;
	size_t uris;
	bool private_messages;
	struct base_str wrapped_types;
	void *arg;
	struct base_node incoming; /* messages that it sends */
	size_t messages;
	struct room_message *now; /* the one whose chunk is being read */
	bool woken, waits;        /* told; held because of others */
	bool full;                /* somebody waits for it, since: */
	uint64_t full_ms;
	bool lagging;
	struct base_str nickname; /* in text */
	struct base_writer text;
	uint64_t now_ms;
};

void room_wake(struct msrp_member *m);

/* room_message.c: the link's events, and what is under way */
extern const struct msrp_link_ops room_link_ops;
/** May this member's input be read, or is a receiver of its message full? */
bool room_may_read(const struct msrp_member *m);
void room_drop_messages(struct msrp_member *m);
/** Drop those whose next chunk is overdue. */
void room_expire(struct msrp_member *m, uint64_t now_ms);
uint64_t room_message_due(const struct msrp_member *m);

/* room_who.c */
bool room_is(const struct msrp_member *m, struct base_str uri);
bool room_takes_type(const struct msrp_member *m, struct base_str type);
/** RFC 7701, 7.1. @return 0 or the status to answer with */
unsigned room_nickname(struct msrp_member *m, const struct msrp_head *head);

#endif
