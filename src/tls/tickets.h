/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: sessions taken up again, by tickets and by ids. */
#ifndef GH_TLS_TICKETS_H
#define GH_TLS_TICKETS_H

#include "tls/engine.h"

/** A server's ticket, with what that server had proved when it gave its first one. */
struct tls_ticket {
	struct base_node node;           /**< in its context, or alone when offered */
	struct base_map_node by_peer;    /**< likewise */
	uint8_t peer[32];                /**< SHA-256 of all that says who it is */
	uint64_t until_ms;               /**< never offered from then on */
	struct trust_verdict *verdict;   /**< NULL where nobody asked */
	struct trust_standing *standing; /**< what the verdict rests on; NULL = not on a path */
	size_t len;
	uint8_t data[]; /**< the engine's own form; a secret */
};

/** What a client that may resume needs beside its session. */
struct tls_resume {
	uint8_t peer[32];
	uint32_t proof_s;           /**< how long the peer's certificate is good for */
	bool renewed;               /**< the server has given a ticket */
	bool forgotten;             /**< it may give more: nobody wants them */
	struct tls_ticket *offered; /**< taken out of the context; NULL = none */
};

/** Make `session->resume` if this client may resume at all. @return 0 or BASE_LOCAL */
int tls_resume_new(struct tls_session *session, const struct tls_session_spec *spec);
/** Give the engine the peer's ticket to offer, if there is one. Before the first step. */
void tls_resume_offer(struct tls_session *session);
/** The handshake is done: a resumed session has the verdict of the one it resumes. */
void tls_resume_finish(struct tls_session *session);
/** A failed session is not resumed (RFC 5246, 7.2.2). */
void tls_resume_forget(struct tls_session *session);
void tls_resume_free(struct tls_session *session);
/**
 * The server gave a ticket. Copies it, in the place of an older one of that peer; when memory is
 * short it is not kept. `hint_s`: how long it is good for, by the server; 0 = it did not say.
 * `resumed`: this handshake was.
 */
void tls_tickets_keep(struct tls_session *session, const void *data, size_t len, uint32_t hint_s,
                      bool resumed);
/** The peer's chain was found good: no ticket outlives its first certificate. */
void tls_resume_proof(struct tls_session *session, const struct base_str *chain, size_t count);
/**
 * Server: a client wants to resume a session whose peer had shown this chain (none: count 0).
 * Judges it as if it had just been shown, but waits for no CRL; `session->verdict` is the
 * outcome's.
 * @return whether it may be resumed; else a full handshake is due, or the end
 */
bool tls_resume_judge(struct tls_session *session, const struct base_str *chain, size_t count);
/** What was judged is not what goes on: forget the verdict. */
void tls_resume_unjudge(struct tls_session *session);
/**
 * Server: remember this session by its id, in the engine's form; or get one so remembered, which
 * the caller ends. Nothing happens where it may not be. Within a step.
 */
void tls_ids_remember(struct tls_session *session, const void *id, size_t id_len, const void *data,
                      size_t len);
bool tls_ids_recall(struct tls_session *session, const void *id, size_t id_len,
                    struct base_secret *ret);
/**
 * Server, at each ClientHello: the name the client asks for, len 0 = none. What is given to be
 * resumed is resumed under that name alone (RFC 6066, 3).
 */
void tls_session_call(struct tls_session *session, struct base_str name);
/** TLS_CALLED octets that say which; NULL = none. */
const uint8_t *tls_session_called(const struct tls_session *session);
/** What the tickets of this session bear, from now on (OpenSSL). NULL = no randomness */
const uint8_t *tls_session_mark(struct tls_session *session);
/** Server: this mark is on what the client shows. @return false = it is barred */
bool tls_session_marked(struct tls_session *session, const uint8_t mark[TLS_MARK]);
/** What a ticket that bears none (GnuTLS) is known by. @return false = no memory */
bool tls_ticket_hash(struct base_str ticket, uint8_t ret[TLS_MARK]);
/** As tls_session_marked() of such a ticket. `given`: by us, so it is not asked. */
bool tls_session_hashed(struct tls_session *session, struct base_str ticket, bool given);
/** Wipe them all. */
void tls_tickets_drop(struct tls_context *context);

#endif
