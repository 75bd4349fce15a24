/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Hubs: what endpoints of a context meet in when their stream is understood, in place of a link
 * between two. A chat room or a floor control server is for any number of endpoints, a relay of two
 * MSRP sessions for two. All of it lives on the context's worker. Part of relay.h.
 *
 * An endpoint with a seat in a hub is not linked. What comes from its peer is read as the hub takes
 * it, so a hub holds its peers as a slow partner does. A peer that does not speak the protocol
 * loses its own stream (RELAY_CAUSE_PROTOCOL), no other one.
 */
#ifndef GH_RELAY_HUB_H
#define GH_RELAY_HUB_H

struct relay_hub;

enum relay_hub_kind {
	RELAY_HUB_RELAY, /**< two MSRP sessions; ends of one are carried to the other */
	RELAY_HUB_ROOM,  /**< MSRP chat room */
	RELAY_HUB_FLOOR, /**< BFCP floor control server */
};

struct relay_hub_spec {
	enum relay_hub_kind kind;
	/* A room: */
	struct base_str uri;
	bool nicknames, private_messages;
	uint64_t octets;  /**< longest message; 0 = no limit */
	size_t members;   /**< 0 = 1000 */
	size_t wait_size; /**< octets of messages that may wait for members; 0 = 64 MiB */
	/* A floor control server: */
	uint32_t conference;
};

/**
 * Nobody is in it yet. Control thread, as all here.
 * @return 0; BASE_LOCAL
 */
int relay_hub_new(struct relay_hub **ret, struct relay_context *context,
                  const struct relay_hub_spec *spec, struct base_error *err);
/** Its endpoints are in none then: nothing is read from them. NULL is fine. */
void relay_hub_free(struct relay_hub *hub);

struct relay_floor {
	uint16_t id;
	uint16_t chair;   /**< who decides; 0 = nobody */
	unsigned holders; /**< 0 = 1 */
};
struct relay_user {
	uint16_t id;
	struct base_str name, uri; /**< may be empty */
	bool third_party;          /**< may request for others */
	bool limited;
	uint8_t priority; /**< with `limited`: the highest that counts */
};
/**
 * Floors and users of a floor control server, all of them: who is not in it any more gives back
 * what he holds. Copied. @return 0, or BASE_LOCAL with nothing ordered
 */
int relay_hub_conference(struct relay_hub *hub, const struct relay_floor *floor, size_t floors,
                         const struct relay_user *user, size_t users);

/** An endpoint's place in a hub. */
struct relay_seat_spec {
	/* MSRP: */
	struct base_str own;  /**< our URI in the session */
	struct base_str peer; /**< the peer's path */
	/* in a room: */
	const struct base_str *uri; /**< who the participant is */
	size_t uris;
	bool private_messages;         /**< its endpoint takes them */
	struct base_str wrapped_types; /**< empty = any */
	/* BFCP: */
	uint16_t user; /**< whom its peer speaks for */
};
/**
 * Give it a seat. It joins when its connection (and TLS) is up; until then a later seat takes the
 * place of this one, afterwards none does. Copied.
 * @return 0; BASE_CONFIG: URI or path is none; BASE_LOCAL: memory (ENOMEM), or it is on another
 *         worker, or on its way (EAGAIN)
 */
int relay_endpoint_seat(struct relay_endpoint *endpoint, struct relay_hub *hub,
                        const struct relay_seat_spec *spec, struct base_error *err);

#endif
