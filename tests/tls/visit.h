/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A client that is libssl itself, over memory, which keeps what the server gives it and shows it
 * again, as often as it likes.
 */
#ifndef GH_TESTS_TLS_VISIT_H
#define GH_TESTS_TLS_VISIT_H

#include <openssl/ssl.h>

#include "lab.h"

/** A client of libssl over memory, and our server session. */
struct visit {
	SSL *ssl;
	struct tls_session *server;
	struct base_writer out;
	bool resumed, up;
	struct tls_info info; /**< the server's; no texts */
	bool stands;          /**< the server knows what the client rests on */
	bool alert;           /**< the server refused */
};

/** What our servers are told of the time. */
extern uint64_t visit_now_ms;

/** Its sessions go to *kept, the newest in the place of the one before. */
SSL_CTX *visit_client_new(SSL_SESSION **kept);
/** One connection, perhaps with a kept session; the client takes whatever certificate. */
struct visit visit(SSL_CTX *ctx, SSL_SESSION *session, struct tls_context *context,
                   const struct tls_session_spec *spec);

/** A domain and two of its workers. */
struct shop {
	struct tls_domain *domain;
	struct tls_context *context[2];
};
void shop_open(struct shop *shop, const struct tls_domain_spec *spec);
void shop_close(struct shop *shop);

#endif
