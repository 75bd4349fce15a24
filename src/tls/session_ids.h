/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sessions up to TLS 1.2 that a server remembers, by session id (RFC 5246, 7.3 and F.1.4), for
 * clients that take no tickets. One cache for all workers of a domain, handed on with its ticket
 * keys. Invariants:
 * 1. Bounded: so many sessions and octets; the oldest goes first. What goes is wiped.
 * 2. A session is forgotten a lifetime after its full handshake, however often it is resumed, and
 *    when one that used it ended in a fatal alert (RFC 5246, 7.2.2).
 * 3. A session is resumed under the server_name that it was made under (RFC 6066, 3), or none.
 * 4. The lock is taken in handshakes without a ticket and at fatal ends, never for what a session
 *    sends or receives. Under it a map is looked into and at most 4 KiB are copied: a thousandth of
 *    what even the resumed handshake costs, so workers do not feel each other.
 */
#ifndef GH_TLS_SESSION_IDS_H
#define GH_TLS_SESSION_IDS_H

#include "base/base.h"

#define TLS_ID_MAX     32         /**< octets of an id (RFC 5246, 7.4.1.2) */
#define TLS_CALLED     32         /**< SHA-256 of a server_name */
#define TLS_IDS_MAX    4096       /**< sessions of one domain */
#define TLS_IDS_OCTETS (4U << 20) /**< of them together */
#define TLS_IDS_ONE    4096       /**< octets of one, in the engine's form */

struct tls_ids;

/** @return 0 or BASE_LOCAL */
int tls_ids_new(struct tls_ids **ret, uint32_t lifetime_s);
struct tls_ids *tls_ids_ref(struct tls_ids *ids);
/** NULL is fine. The last one wipes. */
void tls_ids_unref(struct tls_ids *ids);

/** Remember a session; one that is there already keeps its age. Too large, or no memory: it is not
 * remembered. `called`: TLS_CALLED octets, NULL = no server_name. */
void tls_ids_put(struct tls_ids *ids, struct base_str id, const uint8_t *called, const void *data,
                 size_t len, uint64_t now_ms);
/** A copy of it. @return false = unknown under that name, or too old. The caller ends `ret` */
bool tls_ids_get(struct tls_ids *ids, struct base_str id, const uint8_t *called, uint64_t now_ms,
                 struct base_secret *ret);
void tls_ids_remove(struct tls_ids *ids, struct base_str id);
/** Wipe what is too old. */
void tls_ids_age(struct tls_ids *ids, uint64_t now_ms);
/** How many there are, and their octets. */
size_t tls_ids_count(struct tls_ids *ids, size_t *ret_octets);

#endif
