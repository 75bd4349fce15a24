/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A BFCP client: floor participant and floor chair (RFC 8855, 10 to 12). One thread.
 */
#ifndef GH_BFCP_CLIENT_H
#define GH_BFCP_CLIENT_H

#include "bfcp/link.h"

#define BFCP_ASKED_MAX 64 /**< floors in one message of ours */

struct bfcp_client;

/** What the server says; everything is borrowed for the call. Any may be NULL but `wake`. */
struct bfcp_client_ops {
	void (*wake)(void *arg);
	/** HelloAck. */
	void (*hello)(void *arg, struct base_str primitives, struct base_str attributes);
	/** A request of ours, or that we asked about: as an answer (then `asked` is the primitive),
	 * or told (0). */
	void (*request)(void *arg, unsigned asked, const struct bfcp_request_info *info);
	/** A floor that we asked about, and those who want or have it. */
	void (*floor)(void *arg, uint16_t floor, const struct bfcp_request_info *info,
	              size_t infos);
	void (*user)(void *arg, const struct bfcp_user_info *about,
	             const struct bfcp_request_info *info, size_t infos);
	/** ChairActionAck. */
	void (*done)(void *arg);
	/** Our request `asked` was answered with an Error. */
	void (*error)(void *arg, unsigned asked, unsigned code, struct base_str words);
	/** The server says Goodbye, or has answered ours. */
	void (*bye)(void *arg);
};

struct bfcp_client_spec {
	uint32_t conference;
	uint16_t user;
	bool reliable;
	uint64_t alive_ms; /**< a Hello after so long without anything from the server; 0 = none */
	const struct bfcp_client_ops *ops;
	void *arg;
};

int bfcp_client_new(struct bfcp_client **ret, const struct bfcp_client_spec *spec);
void bfcp_client_free(struct bfcp_client *c);

/* All of these: 0; BASE_BUG when a text or list is too long; BASE_LOCAL. */

int bfcp_client_hello(struct bfcp_client *c, uint64_t now_ms);

struct bfcp_wish {
	const uint16_t *floor;
	size_t floors;
	uint16_t beneficiary; /**< 0: ourselves */
	bool has_priority;
	uint8_t priority;
	struct base_str reason;
};
int bfcp_client_request(struct bfcp_client *c, const struct bfcp_wish *wish, uint64_t now_ms);
/** Give back, or take back, a request. */
int bfcp_client_release(struct bfcp_client *c, uint16_t request, uint64_t now_ms);
int bfcp_client_ask_request(struct bfcp_client *c, uint16_t request, uint64_t now_ms);
/** `user` 0: about ourselves. */
int bfcp_client_ask_user(struct bfcp_client *c, uint16_t user, uint64_t now_ms);
/** To be told of these floors from now on, and of no others (12.1.1). */
int bfcp_client_ask_floors(struct bfcp_client *c, const uint16_t *floor, size_t floors,
                           uint64_t now_ms);
/** As chair of one floor of a request. */
int bfcp_client_decide(struct bfcp_client *c, uint16_t request, uint16_t floor,
                       const struct bfcp_state *state, uint64_t now_ms);
int bfcp_client_goodbye(struct bfcp_client *c, uint64_t now_ms);

/** @return 0, or an error: the connection has to end */
int bfcp_client_input(struct bfcp_client *c, struct base_str octets, uint64_t now_ms);
size_t bfcp_client_take(struct bfcp_client *c, void *buf, size_t cap);
/** The server does not answer (8.3.1), or a stream was broken. */
bool bfcp_client_over(const struct bfcp_client *c);
void bfcp_client_tick(struct bfcp_client *c, uint64_t now_ms);
uint64_t bfcp_client_due(const struct bfcp_client *c);

#endif
