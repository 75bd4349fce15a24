/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: what the stream brought for the handshake. */
#ifndef GH_TLS_HAND_H
#define GH_TLS_HAND_H

#include "tls/engine.h"

/** What the stream brought and only the handshake needs; one block, wiped and freed after it. */
struct tls_hand {
	size_t size; /**< of the block */
	struct x509_fingerprint *fingerprints;
	size_t fingerprint_count;
	struct tls_psk *psks;
	size_t psk_count;
	char *psk_hint, *server_name, *peer_name; /**< NULL = none */
};

/** Is what it says within bounds? */
bool tls_spec_valid(const struct tls_session_spec *spec);
/** `*ret` is left alone where it brought nothing. @return 0 or BASE_LOCAL */
int tls_hand_new(struct tls_hand **ret, const struct tls_session_spec *spec);
/** Wipes it. */
void tls_hand_free(struct tls_session *session);

#endif
