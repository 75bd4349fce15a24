/* SPDX-License-Identifier: Apache-2.0 */
/** @file One key for all connections of the room's load and of the bare fan-out. */
#ifndef GH_BENCH_ROOM_TLS_H
#define GH_BENCH_ROOM_TLS_H

#include <stdbool.h>
#include <string.h>

#include <openssl/ssl.h>

#define ROOM_SUITE "PSK-AES128-GCM-SHA256"
#define ROOM_USER  "bench"

/* Of nobody else: it is in rooms.py, too. */
static const unsigned char room_key[16] = "bench-room-key-1";

static inline unsigned room_psk_client(SSL *ssl, const char *hint, char *identity, unsigned cap,
                                       unsigned char *key, unsigned key_cap)
{
	(void)ssl;
	(void)hint;
	if (cap < sizeof(ROOM_USER) || key_cap < sizeof(room_key))
		return 0;
	memcpy(identity, ROOM_USER, sizeof(ROOM_USER));
	memcpy(key, room_key, sizeof(room_key));
	return sizeof(room_key);
}

static inline unsigned room_psk_server(SSL *ssl, const char *identity, unsigned char *key,
                                       unsigned key_cap)
{
	(void)ssl;
	(void)identity;
	if (key_cap < sizeof(room_key))
		return 0;
	memcpy(key, room_key, sizeof(room_key));
	return sizeof(room_key);
}

static inline SSL_CTX *room_tls(bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx || !SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(ctx, ROOM_SUITE))
		return NULL;
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (server)
		SSL_CTX_set_psk_server_callback(ctx, room_psk_server);
	else
		SSL_CTX_set_psk_client_callback(ctx, room_psk_client);
	return ctx;
}

#endif
