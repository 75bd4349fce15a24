/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: fingerprints that come after the session was made. */
#ifndef GH_TLS_PRINTS_H
#define GH_TLS_PRINTS_H

#include "tls/engine.h"

/** Fingerprints that have come after the session was made. */
struct tls_prints {
	size_t count;
	struct x509_fingerprint print[];
};
/** The peer has shown this chain: keep what fingerprints may be compared with later. */
void tls_prints_shown(struct tls_session *session, const struct base_str *chain, size_t count);
/** The verdict refuses: is the last word to be said later? Then it goes on, unproved. */
bool tls_prints_wait(struct tls_session *session);
void tls_prints_free(struct tls_session *session);

#endif
