/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/tls: the record layer of established sessions with an AEAD suite.
 *
 * After the handshake an engine's session is 10 to 17 KiB of state that serves the next handshake,
 * which never comes. What is left of TLS then is small: two keys, two counters, alerts, and in TLS
 * 1.3 the KeyUpdate. So the engine hands over its keys (tls_engine_ops.keys) and is freed, and this
 * layer decrypts from the lent bytes straight into the caller's, and back, by libcrypto's AEADs.
 * Sessions with other suites (CBC, NULL, CCM, TLS 1.0, TLS 1.1) stay with their engine.
 *
 * Invariants:
 * 1. A nonce is used once: `seq` only grows, and is part of the nonce (RFC 5288, 3; RFC 7905, 2;
 *    RFC 8446, 5.3). It never wraps: writing stops long before.
 * 2. Nothing of a record is acted on or handed out before its tag was checked.
 * 3. Keys follow KeyUpdate only on a record boundary (RFC 8446, 5.1).
 * 4. An idle session holds no buffer; a part of a record is kept only while the rest is on its way.
 */
#ifndef GH_TLS_RECORD_H
#define GH_TLS_RECORD_H

#include <openssl/evp.h>

#include "tls/engine.h"

#define TLS_SECRET_MAX 48 /**< a traffic or master secret, SHA-384's */
#define TLS_KEY_MAX    32
#define TLS_IV_LEN     12

/** Algorithms fetched once per context: OpenSSL 3.0 pays for each fetch. */
struct tls_record_kit {
	EVP_CIPHER *aes128, *aes256, *chacha;
	EVP_MAC_CTX *hmac256, *hmac384; /**< keyed only while in use */
};

/** @return 0, or BASE_LOCAL; `kit` may be half-filled then, which tls_record_kit_done() copes with
 */
int tls_record_kit_init(struct tls_record_kit *kit);
void tls_record_kit_done(struct tls_record_kit *kit);

/** Keys of one direction, as the handshake left them. */
struct tls_record_key {
	uint8_t key[TLS_KEY_MAX];       /**< TLS 1.2 */
	uint8_t iv[TLS_IV_LEN];         /**< TLS 1.2: 4 octets with GCM, 12 with ChaCha20 */
	uint8_t secret[TLS_SECRET_MAX]; /**< TLS 1.3: application traffic secret */
	uint64_t seq;                   /**< of the next record */
};

/** [TLS_ROLE_CLIENT] is what the client writes with. The holder wipes it. */
struct tls_record_keys {
	struct tls_record_key of[2];
	bool keyed; /**< key and iv are there; else (TLS 1.3) they follow from the secret */
};

/** Can this layer take the session over, going by its version and suite? */
bool tls_record_can(const struct tls_session *session);
/**
 * TLS 1.2: fill keys and IVs from master secret and randoms (RFC 5246, 6.3), and counters that are
 * past the Finished messages.
 * @return 0 or BASE_LOCAL
 */
int tls_record_expand(const struct tls_session *session, const uint8_t master[48],
                      const uint8_t client_random[32], const uint8_t server_random[32],
                      struct tls_record_keys *ret);

/** Wipe and free `session->keys`. */
void tls_record_keys_free(struct tls_session *session);

/** Take over: makes `session->record`. @return 0, or BASE_LOCAL with nothing changed */
int tls_record_new(struct tls_session *session, const struct tls_record_keys *keys);
/** Wipes the keys. NULL is fine. */
void tls_record_free(struct tls_record *record);

/** As the engine's calls of the same names. */
int tls_record_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len);
int tls_record_write(struct tls_session *session, const uint8_t *clear, size_t len);
int tls_record_close(struct tls_session *session);
int tls_record_abort(struct tls_session *session, uint8_t alert);

/* -- between record.c, record_keys.c and record_post.c ---------------------------------------- */

/** Content types (RFC 5246, 6.2.1). */
enum tls_content { TLS_CCS = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_DATA = 23 };

struct tls_record_side {
	EVP_CIPHER_CTX *cipher;
	uint64_t seq;
	uint8_t iv[TLS_IV_LEN];
	uint8_t secret[TLS_SECRET_MAX]; /**< TLS 1.3 */
};

struct tls_record {
	struct tls_record_side in, out;
	uint8_t *part; /**< a record that has begun to arrive */
	uint8_t *rest; /**< clear text that did not fit the caller's buffer */
	uint32_t part_len, rest_at, rest_len;
	uint32_t message_left; /**< octets of a handshake message still to come */
	uint8_t message[5];    /**< its head: type, length, and the one octet of a KeyUpdate */
	uint8_t message_len;   /**< octets of it that are there */
	uint8_t empty;         /**< records in a row that brought no data */
	bool asked;            /**< a client has been told no_renegotiation */
	bool tls13;
	bool salted; /**< GCM in TLS 1.2: 4 octets of IV, 8 explicit */
};

/** Encrypt one record of at most TLS_RECORD_MAX octets into `io->out`. @return 0 or BASE_LOCAL */
int tls_record_seal(struct tls_session *session, enum tls_content type, const uint8_t *clear,
                    size_t len);
/** Fatal alert, and the session fails: `io->out` has it. @return the result */
int tls_record_fatal(struct tls_session *session, uint8_t alert, const char *why);
/** Next generation of one direction (RFC 8446, 7.2). @return 0 or BASE_LOCAL */
int tls_record_update(struct tls_session *session, struct tls_record_side *side);
/** Act on a record that is no application data. @return 0 or a failure */
int tls_record_post(struct tls_session *session, enum tls_content type, const uint8_t *data,
                    size_t len);

#endif
