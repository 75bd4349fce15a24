/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/relay: who comes to a DTLS server's port before it is known who it is
 * (docs/datagrams.md, "Whose peer is it").
 *
 * A guest is a peer whose handshake goes on, or is done and not proved. Its leg has begun nothing
 * that could not be taken back: when it fails, the leg waits again, and control is told.
 *
 * A room is one port where several endpoints wait for peers that nobody named. All its legs are one
 * worker's. Any of them takes a guest up; when its certificate or key is known, the leg whose
 * controller expects it gets the session.
 */
#ifndef GH_RELAY_ROOM_H
#define GH_RELAY_ROOM_H

#include "relay/private.h"

/* ---- guest.c ---- */

/** Handshakes that one host may fail before it has to wait for longer and longer. */
#define RELAY_GUEST_TRIES 3U
/** Failures of all hosts together: so many at once, and so many in a second. */
#define RELAY_GUEST_BURST 16U
#define RELAY_GUEST_RATE  2U
/** A guest waits so long for its fingerprint: while a call may ring (RFC 3261, 16.6, Timer C). */
#define RELAY_PROVE_MS 180000U

/** Which hosts have failed of late; their number is bounded. All zero is nobody. */
struct relay_guests {
	struct relay_bucket all;
	struct {
		union relay_address host; /**< without a port; family 0 = free */
		uint64_t until_ms;        /**< nothing is begun with it before */
		uint32_t fails;
	} seen[16];
};
/** May a handshake begin with this host now? Pure but for the bucket. */
bool relay_guests_may(struct relay_guests *guests, const union relay_address *host,
                      uint64_t now_ms);
/** One has failed. @return for how many ms none is begun with this host; 0 = none is kept out */
uint64_t relay_guests_failed(struct relay_guests *guests, const union relay_address *host,
                             uint64_t now_ms);

/** Is its peer one that may fail without the leg's end? */
bool relay_guest_is(const struct relay_leg *leg);
/** One with a cookie of ours: is it taken up? Then it is the leg's peer from now on. */
bool relay_guest_come(struct relay_leg *leg, const union relay_address *from);
/** What its session is to be like; where several wait it is begun for all of them. @return keys
 * that `spec` points to, to be freed; NULL = none */
struct tls_psk *relay_guest_spec(const struct relay_leg *leg, struct tls_session_spec *spec);
/** Its session has failed and is gone: the leg is as it was before it came. */
void relay_guest_gone(struct relay_leg *leg);
/**
 * The handshake is done. @return the leg that the session belongs to, in state handshake; NULL: the
 * fingerprint is waited for, or it has failed
 */
struct relay_leg *relay_guest_proved(struct relay_leg *leg);

/* ---- room.c ---- */

struct relay_room;

/**
 * Control, before the leg has begun: the endpoint waits at its port, together with others. Takes
 * the leg, and if nothing hinders the context, to the room's worker.
 * @return 0; BASE_LOCAL ENOMEM; EPROTOTYPE: those there have another domain; EXDEV: others of its
 *         context hold it on another worker
 */
int relay_room_join(struct relay_endpoint *endpoint, struct relay_context *context,
                    struct tls_domain *domain);
/** Control: it is over. Nothing is done to one that is in none. */
void relay_room_part(struct relay_endpoint *endpoint);
/** Worker: the leg has begun, or it ends. */
void relay_room_enter(struct relay_leg *leg);
void relay_room_leave(struct relay_leg *leg);
struct relay_guests *relay_room_guests(struct relay_room *room);
/** Worker: `from` is this leg's peer now. false: memory is short. */
bool relay_room_host(struct relay_leg *leg, const union relay_address *from);
/** It is not any more. */
void relay_room_vacate(struct relay_leg *leg);
/** Whose is a datagram that came to this leg's socket? NULL: nobody's. */
struct relay_leg *relay_room_whose(struct relay_leg *leg, const union relay_address *from);
/** Keys of all that wait in it; to be freed. NULL = none, or memory is short. */
struct tls_psk *relay_room_keys(const struct relay_room *room, size_t *ret_count);
/** The guest of `leg` has shown who it is. As relay_guest_proved. */
struct relay_leg *relay_room_choose(struct relay_leg *leg);

#endif
