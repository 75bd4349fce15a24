/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The ticket keys of a domain as a server (RFC 5077, 5.5; RFC 8446, 4.6.1): one ring for all its
 * workers, handed on to the next generation of the domain where nothing that decides about peers
 * has changed. Invariants:
 * 1. A key is current for a quarter of the profile's lifetime and dies a lifetime after it became
 *    so; then it is wiped.
 * 2. A session that came by a ticket gives new ones under the key it came by, so what goes back to
 *    one full handshake dies with the key of that handshake: never later than the profile's
 *    lifetime, however often it is resumed.
 * 3. OpenSSL and GnuTLS use keys derived from one secret and never the same ones: a ticket of the
 *    other engine is merely unknown.
 * 4. Of one secret TLS and DTLS have keys of their own (a pool's is put into both rings): a ticket
 *    of the one is unknown to the other, which may have fewer suites.
 * 5. The lock is taken in handshakes that give or take a ticket, and by the control thread when it
 *    turns the ring; never for what a session sends or receives. Under it 200 octets are copied.
 */
#ifndef GH_TLS_TICKET_KEYS_H
#define GH_TLS_TICKET_KEYS_H

#include "tls/session_ids.h"
#include "tls/ticket_bars.h"
#include "tls/tls.h"

#define TLS_TICKET_NAME 16 /**< octets of a key's name, at the front of a ticket (RFC 5077, 4) */
#define TLS_TICKET_KEYS 12 /**< of a ring: four in use, the next one, and a pool's beside them */

/** One of them, with what is derived from its secret. Wipe copies. */
struct tls_ticket_key {
	uint8_t name[TLS_TICKET_NAME];
	uint8_t cipher[32], mac[32]; /**< OpenSSL: AES-256-CBC, HMAC-SHA-256 (RFC 5077, 4) */
	uint8_t gnutls[64]; /**< GnuTLS's form, from which it makes its own name and keys */
	int64_t from_ms;    /**< current from; before the clock began where negative */
	uint64_t until_ms;  /**< dead from */
	uint32_t serial;    /**< in its ring, from 1 */
	bool pooled;        /**< others have it, too */
};

struct tls_ticket_ring;

/** With a first key, that counts no time until the first turn. `datagram`: of a domain's DTLS.
 * @return 0 or BASE_LOCAL */
int tls_ticket_ring_new(struct tls_ticket_ring **ret, uint32_t lifetime_s, bool datagram);
struct tls_ticket_ring *tls_ticket_ring_ref(struct tls_ticket_ring *ring);
/** NULL is fine. The last one wipes. */
void tls_ticket_ring_unref(struct tls_ticket_ring *ring);

/** Whose tickets are refused; goes with the ring. */
struct tls_bars *tls_ticket_ring_bars(const struct tls_ticket_ring *ring);
/** As tls_domain_tickets_turn(). */
uint64_t tls_ticket_ring_turn(struct tls_ticket_ring *ring, uint64_t now_ms);
/** As tls_domain_tickets_put(). */
int tls_ticket_ring_put(struct tls_ticket_ring *ring, const uint8_t *secret, int64_t from_ms,
                        uint64_t now_ms);

/**
 * The key to give a ticket under: `serial`, by which the session came, or the current one for 0.
 * @return false when it is dead or there is none: then no ticket of any use can be given
 */
bool tls_ticket_key_give(struct tls_ticket_ring *ring, uint32_t serial, uint64_t now_ms,
                         struct tls_ticket_key *ret);
/** The living key of that name. @return false = unknown: a full handshake */
bool tls_ticket_key_named(struct tls_ticket_ring *ring, const uint8_t *name, uint64_t now_ms,
                          struct tls_ticket_key *ret);
/**
 * What it protects is of the session's server_name alone: under another name the ticket is unknown.
 * `called`: TLS_CALLED octets; NULL changes nothing. @return false = no memory
 */
bool tls_ticket_key_bind(struct tls_ticket_key *key, const uint8_t *called);
/** All living keys. @return how many */
unsigned tls_ticket_keys_all(struct tls_ticket_ring *ring, uint64_t now_ms,
                             struct tls_ticket_key ret[TLS_TICKET_KEYS]);

#endif
