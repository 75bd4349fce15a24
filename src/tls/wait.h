/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: a handshake that waits for a CRL. */
#ifndef GH_TLS_WAIT_H
#define GH_TLS_WAIT_H

#include "tls/engine.h"

/** A handshake that waits for a CRL (wait.c), or has. */
struct tls_wait {
	char *url[4]; /**< asked for so far, the last one now */
	unsigned count;
	bool pending;  /**< the caller is to get it */
	bool over;     /**< the next judgement is final */
	char why[160]; /**< nothing came; "" */
	/* OpenSSL's: */
	bool deferred; /**< `chain` is to be judged with a staple that comes later */
	bool hold;     /**< what is written goes to `held` */
	bool complete; /**< OpenSSL is through */
	int refused;   /**< the judgement that is to be told when it is; 0 = none */
	struct base_writer held;
	struct base_str chain[16], staple; /**< in `arena` */
	size_t chain_count;                /**< 0 = nothing is to be judged again */
	struct base_arena arena;
};

bool tls_wait_may(const struct tls_session *session);
/** Wait for the first of these that has not been asked for. @return false = for none */
bool tls_wait_begin(struct tls_session *session, char *const *urls);
/** Copy what is to be judged later. @return false when memory is short, or it is too much */
bool tls_wait_keep(struct tls_session *session, const struct base_str *chain, size_t count,
                   struct base_str staple);
/** The verdict refuses: add to its text why nothing was fetched. */
void tls_wait_explain(struct tls_session *session);
void tls_wait_free(struct tls_session *session);

/** Where what an engine writes goes: out, or held back (wait.c). */
static inline struct base_writer *tls_session_out(const struct tls_session *session)
{
	return session->wait && session->wait->hold ? &session->wait->held : session->io->out;
}

#endif
