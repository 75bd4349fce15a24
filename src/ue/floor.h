/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A user's side of floor control (RFC 8855): a participant or chair, or, where two user agents
 * speak with each other alone, the floor control server. Octets and milliseconds come in, octets go
 * out; what happens is told as events. Private to this folder.
 */
#ifndef GH_UE_FLOOR_H
#define GH_UE_FLOOR_H

#include "bfcp/bfcp.h"
#include "ue/event.h"

struct ue_floor;

struct ue_floor_spec {
	uint32_t conference;
	uint16_t user; /**< who we are, or as a server: who the peer is; 0: whoever it says */
	bool serve;    /**< be the server: */
	const uint16_t *floor; /**< of these floors, granted in turn; borrowed for the call */
	size_t floors;
	uint16_t chair;           /**< user who decides about them; 0: they are granted in turn */
	const char *session;      /**< "session" of the events; borrowed */
	struct ue_events *events; /**< borrowed */
	void (*wake)(void *arg);  /**< there is something to take; calls nothing of this page */
	void *arg;
};

/** @return 0 or BASE_LOCAL */
int ue_floor_new(struct ue_floor **ret, const struct ue_floor_spec *spec);
/** NULL is fine. */
void ue_floor_free(struct ue_floor *f);

/* What a participant or chair does; a server does none of it: BASE_CONFIG. */

int ue_floor_hello(struct ue_floor *f, uint64_t now_ms);
int ue_floor_request(struct ue_floor *f, const struct bfcp_wish *wish, uint64_t now_ms);
/** @param request  0 = the one that was told last */
int ue_floor_release(struct ue_floor *f, uint16_t request, uint64_t now_ms);
/** To be told about these floors from now on. */
int ue_floor_query(struct ue_floor *f, const uint16_t *floor, size_t floors, uint64_t now_ms);
/** About a user's requests; 0 = ours. */
int ue_floor_user(struct ue_floor *f, uint16_t user, uint64_t now_ms);
int ue_floor_decide(struct ue_floor *f, uint16_t request, uint16_t floor, enum bfcp_status status,
                    uint64_t now_ms);

/** @return 0, or an error: the connection has to end */
int ue_floor_input(struct ue_floor *f, struct base_str octets, uint64_t now_ms);
size_t ue_floor_take(struct ue_floor *f, void *buf, size_t cap);
/** It is over: the peer said Goodbye, or the stream makes no sense. */
bool ue_floor_over(const struct ue_floor *f);
void ue_floor_tick(struct ue_floor *f, uint64_t now_ms);
uint64_t ue_floor_due(const struct ue_floor *f);

#endif
