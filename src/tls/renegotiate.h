/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: renegotiation, and new keys in TLS 1.3. */
#ifndef GH_TLS_RENEGOTIATE_H
#define GH_TLS_RENEGOTIATE_H

#include "tls/engine.h"

/** A new session: what does its stream say about it, within the profile? Sets `accepts`,
 * `initiates`. */
void tls_renegotiation_say(struct tls_session *session, enum tls_renegotiate what);
/** Up, and allowed to begin one, which its engine cannot. */
bool tls_renegotiation_unable(const struct tls_session *session);
/** A first handshake is done: who may begin another one? Sets `renegotiable`, `orderable`. */
void tls_renegotiation_init(struct tls_session *session);
/** May it begin one now? Always when we have asked for it; else not too often, and never again once
 * it was refused. Within a step. */
bool tls_renegotiation_due(struct tls_session *session);
/** It has begun: puts aside who the peer was. */
void tls_renegotiation_begin(struct tls_session *session);
/**
 * The engine is done; version, suite, resumed and psk are set. Judges a peer that sent nothing to
 * judge, and compares it with who it was. @return 0, or the failure, the alert sent
 */
int tls_renegotiation_finish(struct tls_session *session);
/** TLS 1.3: a KeyUpdate of the peer's has come. */
void tls_renegotiation_keys(struct tls_session *session);
/** The peer said no_renegotiation: if that answers our wish, all is as it was before. */
void tls_renegotiation_denied(struct tls_session *session);
/** The session that was before it is not resumed any more. @return false: some ticket of it is
 * still good, for memory is short */
bool tls_renegotiation_forget(struct tls_session *session, uint64_t now_ms);
/** What a session that ends has put aside. */
void tls_renegotiation_done(struct tls_session *session);

#endif
