/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The switch of a chat room (RFC 7701): what one participant sends goes to all others, or to one in
 * private; nicknames are reserved. It is an end of every session (6.3), so reports of receivers go
 * no further. Copies begin as soon as the wrapper's headers are known (6.1). A receiver who does
 * not keep up holds the senders of what he gets for a while, then what he has not got yet is given
 * up (6.4). One thread.
 */
#ifndef GH_MSRP_ROOM_H
#define GH_MSRP_ROOM_H

#include "msrp/message.h"
#include "msrp/out.h"

struct msrp_room;
struct msrp_member;

/** What the owner is told. None of them may call back into the room. */
struct msrp_room_ops {
	/** There is something to take from it, until less comes than was asked for, or it may be
	 * read again: both are to be tried. It is not said again before. */
	void (*wake)(void *arg, struct msrp_member *member, void *member_arg);
	/** A nickname was reserved (empty: removed). May be NULL. */
	void (*nickname)(void *arg, void *member_arg, struct base_str nickname);
	/** A member does not keep up, or does again: until then it gets no messages. May be NULL.
	 */
	void (*lagging)(void *arg, void *member_arg, bool is);
};

/** 0 stands for the default that is told. */
struct msrp_room_spec {
	struct base_str uri;             /**< the room's, of To headers; copied */
	bool nicknames;                  /**< may be reserved (else 403) */
	bool private_messages;           /**< may be sent (else 403) */
	const struct base_str *reserved; /**< nicknames nobody gets; copied */
	size_t reserved_count;
	size_t members;     /**< 1000 */
	size_t messages;    /**< of one member under way: 16 */
	uint64_t octets;    /**< of a message: no limit */
	size_t cpim_octets; /**< of the wrapper's headers: 4096 */
	size_t window;      /**< octets that wait for one member before senders are held: 256 KiB */
	size_t pool_octets; /**< of all that waits: 64 MiB */
	uint64_t patience_ms; /**< how long one member may hold them: 5000 */
	uint64_t chunk_ms;    /**< between two chunks of a message: 540000 (RFC 7701, 6.1) */
	const struct msrp_room_ops *ops;
	void *arg;
};

struct msrp_member_spec {
	const struct base_str *uri; /**< by which the participant is known (5.2); copied */
	size_t uris;
	struct base_str own;           /**< our MSRP URI in this session */
	struct base_str peer;          /**< the participant's path */
	bool private_messages;         /**< its endpoint takes them ("private-messages", 8) */
	struct base_str wrapped_types; /**< accept-wrapped-types; empty: not known; copied */
	void *arg;
};

int msrp_room_new(struct msrp_room **ret, const struct msrp_room_spec *spec,
                  struct base_error *err);
/** With all members. NULL is fine. */
void msrp_room_free(struct msrp_room *room);
/** @return 0, BASE_CONFIG (paths that are none), BASE_LOCAL (full, no memory) */
int msrp_room_join(struct msrp_room *room, const struct msrp_member_spec *spec,
                   struct msrp_member **ret, struct base_error *err);
/** What it was sending is given up at the others; its nickname is free. */
void msrp_room_leave(struct msrp_member *member);

/**
 * Octets of a member's connection; what was read is taken off `in`. What is left is to come again,
 * when wake says so, before anything newer.
 * @return 0, or an error: its connection has to end (then leave)
 */
int msrp_member_input(struct msrp_member *member, struct base_str *in, uint64_t now_ms,
                      struct base_error *err);
/** What goes to a member. @return octets; less than `cap` when that is all for now */
size_t msrp_member_take(struct msrp_member *member, void *buf, size_t cap, uint64_t now_ms);
/** SEND requests (chunks) that came from it, and that went to it. */
void msrp_member_counts(const struct msrp_member *member, uint64_t *ret_in, uint64_t *ret_out);
/** Its nickname; empty when it has none. */
struct base_str msrp_member_nickname(const struct msrp_member *member);

/** Time has passed. */
void msrp_room_tick(struct msrp_room *room, uint64_t now_ms);
/** When msrp_room_tick wants to be called, or MSRP_NEVER. */
uint64_t msrp_room_due(const struct msrp_room *room);

#endif
