/* SPDX-License-Identifier: Apache-2.0 */
/** @file A floor control server from inside, shared by server*.c. */
#ifndef GH_BFCP_SERVER_PRIVATE_H
#define GH_BFCP_SERVER_PRIVATE_H

#include "bfcp/server.h"
#include "bfcp/state.h"

struct fcs_floor {
	struct base_node node;
	uint16_t id;
	struct bfcp_floor_spec spec;
	unsigned held;
	bool blocked; /* somebody waits for it who is ahead in the queue */
	bool changed; /* those who asked are to be told */
};

struct fcs_user {
	struct base_node node;
	uint16_t id;
	struct bfcp_user_spec spec;
	struct base_arena arena;
};

struct fcs_part {
	struct fcs_floor *floor;
	bool agreed; /* by its chair */
};

struct fcs_request {
	struct base_node node; /* in the order of the queue */
	uint16_t id, user, beneficiary;
	uint8_t priority, asked_priority;
	bool has_priority, third_party;
	enum bfcp_status status;
	struct base_writer info; /* why (PARTICIPANT-PROVIDED-INFO) */
	struct base_writer note; /* what a chair said (STATUS-INFO) */
	struct fcs_part part[BFCP_FLOORS_MAX];
	size_t parts;
	enum bfcp_status told; /* what its user knows */
	uint8_t told_queue;
};

struct bfcp_server {
	struct bfcp_server_spec spec;
	struct base_node floors, users, requests, peers;
	size_t count; /* of requests */
	uint16_t last_id;
	struct base_arena arena; /* of the message being made */
};

struct bfcp_peer {
	struct base_node node;
	struct bfcp_server *server;
	struct bfcp_link link;
	void *arg;
	uint16_t user;
	bool over;
	bool left;       /* it has said Goodbye */
	uint16_t *asked; /* floors of its last FloorQuery */
	size_t asks;
};

#define FCS_EACH(head, type, name)                                                                 \
	for (type *name = BASE_CONTAINER_OF((head)->next, type, node), *name##_next;               \
	     name##_next = BASE_CONTAINER_OF(name->node.next, type, node), &name->node != (head);  \
	     name = name##_next)

struct fcs_floor *fcs_floor(const struct bfcp_server *s, uint16_t id);
struct fcs_user *fcs_user(const struct bfcp_server *s, uint16_t id);
struct fcs_request *fcs_request(const struct bfcp_server *s, uint16_t id);

/* server_queue.c */
struct fcs_request *fcs_request_new(struct bfcp_server *s);
void fcs_request_free(struct bfcp_server *s, struct fcs_request *r);
/** @return false when the event has no place in its status */
bool fcs_happen(struct bfcp_server *s, struct fcs_request *r, enum bfcp_event event);
/** Put it where it belongs: by priority (`position` 0), or at a position of its floors' queue. */
void fcs_place(struct bfcp_server *s, struct fcs_request *r, unsigned position);
uint8_t fcs_position(const struct bfcp_server *s, const struct fcs_request *r);
/** All chairs have agreed, if they have. */
void fcs_consent(struct bfcp_server *s, struct fcs_request *r);
/** Consent and turns: what can go on does. */
void fcs_settle(struct bfcp_server *s);

/* server_tell.c */
void fcs_wake(struct bfcp_peer *peer);
int fcs_answer(struct bfcp_peer *peer, const struct bfcp_message *to,
               const struct bfcp_message *msg, uint64_t now_ms);
/** A FloorRequestStatus as the answer. */
int fcs_answer_status(struct bfcp_peer *peer, const struct bfcp_message *to, struct fcs_request *r,
                      uint64_t now_ms);
int fcs_answer_user(struct bfcp_peer *peer, const struct bfcp_message *to, uint16_t about,
                    uint64_t now_ms);
/** FloorStatus: as the answer, or (`to` is NULL) told. */
int fcs_floor_status(struct bfcp_peer *peer, const struct bfcp_message *to,
                     const struct fcs_floor *floor, uint64_t now_ms);
/** Whoever has to know of what has changed is told; what is over goes. */
void fcs_tell_all(struct bfcp_server *s, uint64_t now_ms);

/* server_handle.c */
void fcs_message(void *arg, const struct bfcp_message *msg, unsigned answers, uint64_t now_ms);
void fcs_fault(void *arg, const struct bfcp_message *msg, unsigned error, uint64_t now_ms);

#endif
