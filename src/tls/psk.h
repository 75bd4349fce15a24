/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: pre-shared keys, the stream's and the domain's. */
#ifndef GH_TLS_PSK_H
#define GH_TLS_PSK_H

#include "tls/engine.h"

/** One sentence for a wrong key and for an identity that nobody knows (RFC 4279, 2). */
#define TLS_PSK_FAILED  "the peer's pre-shared key or its identity is not right"
#define TLS_PSK_UNKNOWN "the PSK identity is not known"

/** The name to send as SNI / hint to send, or NULL. */
const char *tls_session_server_name(const struct tls_session *session);
const char *tls_session_psk_hint(const struct tls_session *session);
/** Is there any PSK: the stream's, or else the domain's? */
bool tls_session_has_psk(const struct tls_session *session);

/**
 * Server: the PSK of an identity, the stream's before the domain's; every entry is compared, in
 * time that does not tell which matched.
 * @return NULL when unknown
 */
const struct tls_psk *tls_psk_find(const struct tls_session *session, const void *identity,
                                   size_t len);
/** Client: the PSK whose identity is the hint, or else the first (RFC 4279, 5.2). NULL = none. */
const struct tls_psk *tls_psk_choose(const struct tls_session *session, const char *hint,
                                     size_t len);
/** Server: is one of these PskIdentities (RFC 8446, 4.2.11) a PSK that it knows? */
bool tls_psk_any_known(const struct tls_session *session, struct base_reader identities);
/** Keep the identity that the handshake used, for tls_session_info. */
void tls_session_psk_used(struct tls_session *session, const void *identity, size_t len);
/** It was offered and not used after all: forget it. */
void tls_session_psk_unused(struct tls_session *session);

#endif
