/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/relay: what a datagram leg has besides (docs/datagrams.md).
 *
 * A batch of datagrams lies in the worker's `in`, one in each slot, is worked on in place and sent
 * from there, all within one event. Nothing of it is kept.
 */
#ifndef GH_RELAY_DGRAM_H
#define GH_RELAY_DGRAM_H

#include "relay/private.h"
#include "relay/srtp.h"

#define RELAY_SLOT_SIZE ((size_t)4096)
#define RELAY_SLOTS     32U
/** What may come: the rest of the slot is room for what SRTP appends (libsrtp: 144 octets, RTCP
 * with 4 more). */
#define RELAY_DGRAM_MAX (RELAY_SLOT_SIZE - 160)
/** Batches of one wake-up before the others get their turn. */
#define RELAY_BATCHES 8U

/** Which of a leg's two ways: its socket and its address. */
enum relay_way { RELAY_WAY_MEDIA, RELAY_WAY_RTCP, RELAY_WAYS };

/** Port and address of a peer, to find it by. */
#define RELAY_PEER_KEY 18

struct relay_guests;
struct relay_room;

struct relay_dgram {
	struct relay_leg *leg;                  /**< whose it is */
	union relay_address remote[RELAY_WAYS]; /**< family 0 = not known yet */
	union relay_address wanted[RELAY_WAYS]; /**< as ordered, whoever has come */
	struct relay_guests *guests;            /**< who has failed; NULL = nobody (room.h) */
	struct relay_room *room;        /**< a DTLS server whose peer nobody named; NULL = none */
	struct base_node room_node;     /**< in it */
	struct base_map_node peer_node; /**< likewise, while it is `hosting` */
	uint8_t peer_key[RELAY_PEER_KEY];
	bool hosting;
	struct loop_fd rtcp;     /**< fd -1: none */
	struct loop_timer timer; /**< DTLS repeats its last flight */
	struct relay_srtp *srtp; /**< once it is keyed */
	uint64_t old_until_ms;   /**< its old keys are kept so long; 0 = none */
	uint16_t srtp_profiles[RELAY_SRTP_PROFILES];
	uint8_t srtp_count; /**< 0 = our own choice */
	bool rtp : 1, rtcp_port : 1, rtcp_mux : 1;
	bool shared : 1;          /**< connected to its peer */
	bool secure : 1;          /**< wants SRTP */
	bool rtcp_with_media : 1; /**< goes out by the media's socket */
	bool latch : 1;           /**< waits for the first source */
	bool latched : 1;         /**< it has come */
	bool rtcp_watched : 1;    /**< in the loop */
	bool rtcp_readable : 1;   /**< datagrams may wait in its socket */
};

/* dgram_socket.c */
/** Control: give the leg its part, without sockets. @return 0 or BASE_LOCAL errno */
int relay_dgram_new(struct relay_leg *leg, const struct relay_endpoint_spec *spec);
/** Control: its sockets. */
int relay_dgram_bind(struct relay_endpoint *endpoint, union relay_address *local,
                     struct relay_ports *ports);
/** Is that where it sends? */
bool relay_dgram_is(const struct relay_leg *leg, enum relay_way way,
                    const union relay_address *from);
/**
 * Control: of a shared port this peer is now the endpoint's.
 * @return 0; BASE_LOCAL EADDRINUSE when it is another's, EDESTADDRREQ when there is none, ENOMEM
 */
int relay_claim(struct relay_endpoint *endpoint, const union relay_address *peer);
/** Do something that may pass messages on, outside of a batch. The leg may be gone then. */
void relay_dgram_alone(struct relay_leg *leg, void (*fn)(struct relay_leg *leg));
/** Control: its sockets are closed. */
void relay_claim_drop(struct relay_endpoint *endpoint);
/** Ordered: another remote side; `rtcp` without a family follows from it (struct
 * relay_dgram_spec). A session keeps the peer that it has. */
void relay_dgram_aim(struct relay_leg *leg, const union relay_address *remote,
                     const union relay_address *rtcp, bool latch);
/** From now on it sends there; nothing else follows from that. */
void relay_dgram_point(struct relay_leg *leg, const union relay_address *remote,
                       const union relay_address *rtcp);
/** Of a shared port: the kernel gives it what its peer sends, and nothing else. @return 0 or
 * BASE_LOCAL errno */
int relay_dgram_meet(const struct relay_leg *leg);
/** A DTLS server at a shared port whose peer nobody has named? */
bool relay_dgram_unnamed(const struct relay_leg *leg);
/** The first source has come. */
void relay_dgram_latch(struct relay_leg *leg, const union relay_address *from);
/** The gate is another one: who has latched and may not come any more is forgotten. */
void relay_dgram_regate(struct relay_leg *leg);
/** The RTCP socket, if there is one. @return 0 or BASE_LOCAL errno */
int relay_dgram_watch(struct relay_leg *leg);
void relay_dgram_unwatch(struct relay_leg *leg);
/** Of a leg that ends; the RTCP socket with it. Nothing is done to one of TCP. */
void relay_dgram_free(struct relay_leg *leg);

/* dgram.c */
/** What the loop tells of the media socket. */
void relay_dgram_event(void *arg, unsigned events);
void relay_dgram_rtcp_event(void *arg, unsigned events);
/** Read and pass on while there is something. */
void relay_dgram_run(struct relay_leg *leg);
/** Told to end: nothing waits, so it is over. */
void relay_dgram_end(struct relay_leg *leg);
/** What is in the clear, from our peer to the partner with the rest of the batch. */
void relay_dgram_pass(struct relay_leg *leg, uint8_t *data, size_t len, enum relay_way way);
/** Two legs part: what the batch at hand, if there is one, has come to is sent and counted first.
 */
void relay_dgram_settle(struct relay_worker *worker);
/** What comes next in the batch at hand, if there is one, is this leg's. */
void relay_dgram_for(struct relay_leg *leg);
/** One that came has no way on. */
void relay_dgram_lose(struct relay_leg *leg);
/** Likewise of a stream of RTP: is it, and authentic where it has keys? */
void relay_dgram_rtp(struct relay_leg *leg, uint8_t *data, size_t len, enum relay_way way);
/** Send one to our peer now, outside of the batch. */
void relay_dgram_send(struct relay_leg *leg, const void *data, size_t len,
                      const union relay_address *to);

/* dtls.c: legs with `tls` */
/** May a handshake begin now, by our own will? */
bool relay_dtls_may_begin(const struct relay_leg *leg);
/** What a session of datagrams is to be like; points into `ret`'s own storage or static one. */
void relay_dtls_spec(const struct relay_leg *leg, struct tls_datagram_spec *ret);
/** Who a server is, to be known again when the next session is to resume: its host, for a media
 * port is one call's. Into `buf`, terminated. */
const char *relay_dtls_peer(const struct relay_leg *leg, char *buf, size_t cap);
/** What a step has appended, datagrams behind their lengths. */
void relay_dtls_send(struct relay_leg *leg, const uint8_t *data, size_t len);
/** A renegotiation is complete: SRTP has its keys. @return false = it cannot go on */
bool relay_dtls_rekeyed(struct relay_leg *leg);
/** Start the timer of the session's deadline, or stop it. */
void relay_dtls_time(struct relay_leg *leg);
/** The handshake is complete: have its keys. false: it cannot be used. */
bool relay_dtls_keyed(struct relay_leg *leg);
/** A datagram that the gate let in. `clear` has room for RELAY_SLOT_SIZE octets and is not used
 * again before the batch has gone. */
void relay_dtls_take(struct relay_leg *leg, uint8_t *data, size_t len,
                     const union relay_address *from, uint8_t *clear);
/** What had overtaken the end of the handshake. */
void relay_dtls_late(struct relay_leg *leg);
/** Encrypt and send to our peer; `*len` and `data` change for SRTP, which goes with the batch.
 * @return true when it is to be put there; false: it has gone, or it is lost and `*ret_lost` set */
bool relay_dtls_protect(struct relay_leg *leg, uint8_t *data, size_t *len, bool rtcp,
                        bool *ret_lost);

#endif
