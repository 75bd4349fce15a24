/* SPDX-License-Identifier: Apache-2.0 */
/** @file A chat room with its members in memory. */
#ifndef GH_TESTS_MSRP_ROOM_STAGE_H
#define GH_TESTS_MSRP_ROOM_STAGE_H

#include "peer.h"

#define ROOM "sip:chatroom22@chat.example.com;transport=tcp"

enum { ALICE, BOB, CAROL, PEERS };

/* Who they are; a test may change it before they join. */
extern const char *room_uri[PEERS];

struct world {
	struct msrp_room *room;
	struct peer peer[PEERS];
	struct msrp_member *member[PEERS];
	struct base_writer late[PEERS]; /* what the room has not read yet */
	bool stuck[PEERS], lagging[PEERS];
	bool woken[PEERS]; /* nothing is read again or taken else */
	char nickname[64];
	uint64_t now;
};

extern const struct msrp_room_ops room_stage_ops;

void room_join(struct world *t, size_t i, bool private_messages, const char *types);

int set_up(void **state);

void room_leave(struct world *t, size_t i);

int tear_down(void **state);

/** Octets into the room, `step` at a time; what it does not read stays for the next time. */
size_t room_feed(struct world *t, size_t i, const char *data, size_t len, size_t step);

size_t room_carry(struct world *t, size_t i, size_t step);

void room_settle(struct world *t, size_t step);

void room_wrap(struct base_writer *w, const char *from, const char *to, const char *type);

void room_say(struct world *t, size_t i, const char *to, const char *text);

bool room_has(const struct peer *p, const char *text);

/** Written by hand, answered as expected. */
void room_answers(struct world *t, size_t i, const char *text, const char *answer);

#define PATHS                                                                                      \
	"To-Path: msrp://chat.example.com:12763/s0;tcp\r\n"                                        \
	"From-Path: msrp://client0.example.com:7654/c;tcp\r\n"
#define CHUNK(tid, range, type, data, flag)                                                        \
	"MSRP " tid " SEND\r\n" PATHS "Message-ID: aft4to\r\nByte-Range: " range "\r\n"            \
	"Content-Type: " type "\r\n\r\n" data "\r\n-------" tid flag "\r\n"
#define FROM "From: <sip:alice@atlanta.example.com>\r\n"

void room_ask_nickname(struct world *t, size_t i, const char *name, unsigned status);

#endif
