/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A far end that is libssl or GnuTLS itself, with a session of ours at the near end of its wire: it
 * may do what ours never would.
 */
#ifndef GH_TESTS_TLS_FOREIGN_H
#define GH_TESTS_TLS_FOREIGN_H

#include <gnutls/gnutls.h>
#include <openssl/ssl.h>

#include "lab.h"

struct foreign {
	enum tls_engine kind; /**< whose library it is */
	enum tls_role role;   /**< its own */
	SSL_CTX *ctx;
	SSL *ssl;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	struct base_writer out, in; /**< from it; to it */
	size_t read;                /**< of `in` */
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session; /**< ours */
	uint64_t now_ms;             /**< what ours is told */
	int result;                  /**< of our last step */
	int warning;                 /**< last alert it heard, -1 none */
};

/** Both made, nothing sent. `identity`: its own, NULL = none. `knows` RFC 5746 (GnuTLS alone). */
void foreign_open(struct foreign *far, enum tls_engine kind, const struct x509_identity *identity,
                  const struct tls_domain_spec *ours, const struct tls_session_spec *session,
                  bool knows);
/** Another connection, by the same contexts; libssl alone. */
void foreign_again(struct foreign *far, const struct x509_identity *identity,
                   const struct tls_session_spec *session);
void foreign_close(struct foreign *far);
/** It will show another certificate from now on; NULL = none. */
void foreign_identity(struct foreign *far, const struct x509_identity *identity);
/** Shake hands for the first time. Both are up then. */
void foreign_shake(struct foreign *far);
/** One step of its handshake. @return whether it is complete */
bool foreign_step(struct foreign *far);
/** It begins a renegotiation: a ClientHello, or a HelloRequest. */
void foreign_ask(struct foreign *far);
/** Ours reads all that was written. @return octets of data; see `result` */
size_t foreign_ours(struct foreign *far, char *clear, size_t cap);
/** Carry a renegotiation to its end, or until nothing moves. @return whether it thinks it is done
 */
bool foreign_reshake(struct foreign *far);
/** Answer a wish of ours: read what it wrote, go along, let ours read, until nothing moves.
 * @return whether it thinks a handshake is done */
bool foreign_answer(struct foreign *far);
/** It takes our wish for a bad one (GnuTLS alone): no_renegotiation. */
void foreign_refuse(struct foreign *far);
void foreign_send(struct foreign *far, const char *text);
void foreign_bye(struct foreign *far);
/** It says something and ours something back; ours goes on. */
void foreign_talk(struct foreign *far);
/** Ours is up after so many renegotiations, without an alert. */
void foreign_assert_up(const struct foreign *far, unsigned count);
/** It reads exactly `text`, which ours writes. */
void foreign_expect(struct foreign *far, const char *text);
struct tls_info foreign_info(const struct foreign *far);

#endif
