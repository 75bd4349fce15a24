/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The floor control server of one conference (RFC 8855, 13): floors, users and chairs as its owner
 * sets them, requests in one queue by priority and time, notifications to whoever asked. One
 * thread.
 */
#ifndef GH_BFCP_SERVER_H
#define GH_BFCP_SERVER_H

#include "bfcp/link.h"

#define BFCP_FLOORS_MAX 16 /**< in one request: more would not fit FLOOR-REQUEST-INFORMATION */

struct bfcp_server;
struct bfcp_peer;

/** What the owner is told. None of them may call back into the server. */
struct bfcp_server_ops {
	/** There is something to take for a connection. */
	void (*wake)(void *arg, struct bfcp_peer *peer, void *peer_arg);
	/** A user has got a floor, or has it no more. May be NULL. */
	void (*floor)(void *arg, uint16_t floor, uint16_t user, bool granted);
};

/** 0 stands for the default that is told. */
struct bfcp_server_spec {
	uint32_t conference;
	size_t requests;    /**< ongoing ones in all: 1000 (beyond: error 8) */
	unsigned per_floor; /**< ongoing ones of a user for a floor: 1 (error 8) */
	const struct bfcp_server_ops *ops;
	void *arg;
};

struct bfcp_floor_spec {
	uint16_t chair;   /**< the user who decides about it; 0: nobody, it is granted in turn */
	unsigned holders; /**< how many requests may have it at a time; 0 = 1 */
};

struct bfcp_user_spec {
	struct base_str name, uri; /**< copied; told to others where there is room */
	bool third_party; /**< may request floors for others, as the chair of all of them may */
	bool limited;
	uint8_t priority; /**< with `limited`: the highest that counts */
};

int bfcp_server_new(struct bfcp_server **ret, const struct bfcp_server_spec *spec);
/** With all connections. NULL is fine. */
void bfcp_server_free(struct bfcp_server *s);

/** Add a floor, or change it. @return 0 or BASE_LOCAL */
int bfcp_server_floor(struct bfcp_server *s, uint16_t id, const struct bfcp_floor_spec *spec,
                      uint64_t now_ms);
/** Requests for it are denied or revoked. */
void bfcp_server_floor_remove(struct bfcp_server *s, uint16_t id, uint64_t now_ms);
/** Add a user, or change it. @return 0 or BASE_LOCAL */
int bfcp_server_user(struct bfcp_server *s, uint16_t id, const struct bfcp_user_spec *spec);
/** Its requests are cancelled or released; its connections hear Goodbye where there is one. */
void bfcp_server_user_remove(struct bfcp_server *s, uint16_t id, uint64_t now_ms);

/**
 * A connection.
 * @param user      who it is proved to be; 0: whoever its first message says (9)
 * @param reliable  TCP or TLS; else UDP or DTLS
 */
int bfcp_peer_new(struct bfcp_server *s, uint16_t user, bool reliable, void *arg,
                  struct bfcp_peer **ret);
/** The connection is gone; requests stay, since it may come again (6.1). */
void bfcp_peer_free(struct bfcp_peer *peer);
/** @return 0, or an error: the connection has to end, when what waits has been taken */
int bfcp_peer_input(struct bfcp_peer *peer, struct base_str octets, uint64_t now_ms);
size_t bfcp_peer_take(struct bfcp_peer *peer, void *buf, size_t cap);
/** It has not answered, does not take what it is told, or has said Goodbye: the connection is over.
 */
bool bfcp_peer_over(const struct bfcp_peer *peer);
/** It has said Goodbye. */
bool bfcp_peer_left(const struct bfcp_peer *peer);
/** Messages that came from it, and that went to it. */
void bfcp_peer_counts(const struct bfcp_peer *peer, uint64_t *ret_in, uint64_t *ret_out);

void bfcp_server_tick(struct bfcp_server *s, uint64_t now_ms);
uint64_t bfcp_server_due(const struct bfcp_server *s);

#endif
