/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The limit a relay can come near: the TLS library alone, over memory buffers. The server is
 * OpenSSL or GnuTLS, the client always OpenSSL, and only the server's CPU time counts.
 */
#ifndef GH_BENCH_LIMIT_H
#define GH_BENCH_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limit_options {
	const char *mode, *lib, *version, *suites, *cert, *key, *psk;
	unsigned count, mb, size;
	bool resume;
};

/** Octets on their way; a queue with its beginning at `at`. */
struct limit_pipe {
	uint8_t *data;
	size_t at, len, cap;
};
void limit_pipe_put(struct limit_pipe *pipe, const void *data, size_t len);
/** @return octets taken, 0 when it is empty */
size_t limit_pipe_take(struct limit_pipe *pipe, void *into, size_t cap);

/** A pre-shared key from "IDENTITY:HEX". */
struct limit_psk {
	char identity[129];
	unsigned char key[64];
	size_t len;
};

/** One server library. Everything in it is counted. */
struct limit_server {
	void *(*context_new)(const struct limit_options *o, const struct limit_psk *psk);
	void (*context_free)(void *context);
	void *(*session_new)(void *context, struct limit_pipe *in, struct limit_pipe *out);
	void (*session_free)(void *session);
	bool (*handshake)(void *session); /**< true = complete */
	/** @return octets, 0 when there is nothing left */
	size_t (*read)(void *session, void *into, size_t cap);
	void (*write)(void *session, const void *data, size_t len);
};
extern const struct limit_server limit_openssl, limit_gnutls;

void limit_die(const char *what);

#endif
