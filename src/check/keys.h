/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keys and protected records of a session that the checker makes itself, TLS 1.0 to 1.2 and
 * DTLS 1.0 and 1.2: AES in CBC and GCM mode (RFC 5246, 6.2.3; RFC 5288; RFC 6347, 4.1). On
 * libcrypto; no I/O. Nothing here guards anybody's data: the session carries none.
 */
#ifndef GH_CHECK_KEYS_H
#define GH_CHECK_KEYS_H

#include "check/answer.h"

/** How the two sides come to a secret. */
enum check_exchange { CHECK_BY_RSA, CHECK_BY_DH, CHECK_BY_ECDH, CHECK_BY_PSK, CHECK_BY_NOTHING };

/** What a suite is made of. */
struct check_shape {
	enum check_exchange exchange;
	bool psk; /**< a pre-shared key goes in, too */
	bool gcm;
	unsigned key_len, mac_len;
	const char *mac;  /**< digest of records in CBC mode */
	const char *hash; /**< of the PRF and the transcript from TLS 1.2 on */
};
/** @return false where this checker has no such cipher or key exchange */
bool check_shape_of(uint16_t suite, struct check_shape *ret);

/** One direction. */
struct check_direction {
	bool on;
	struct check_shape shape; /**< of the suite that it is under */
	uint8_t key[32], mac[48], iv[16];
	uint64_t number; /**< of DTLS with the epoch before it (RFC 6347, 4.1.2.1) */
};

struct check_keys {
	bool dtls;                           /**< records have epoch and number in their head */
	uint16_t version;                    /**< on the wire */
	struct check_shape shape;            /**< of the suite that was chosen last */
	struct check_direction ours, theirs; /**< in use */
	struct check_direction ours_next, theirs_next;
};

/** PRF of the version (RFC 5246, 5; RFC 2246, 5). @return false when libcrypto fails */
bool check_prf(uint16_t version, const char *hash, struct check_bytes secret, const char *label,
               struct check_bytes seed_1, struct check_bytes seed_2, uint8_t *out, size_t len);
/** Hash of handshake messages as Finished and RFC 7627 take it. @return its length, 0 = failed */
size_t check_transcript_hash(uint16_t version, const char *hash, const struct base_writer *messages,
                             uint8_t out[64]);
#define CHECK_VERIFY_DATA 12 /**< octets of Finished up to TLS 1.2 (RFC 5246, 7.4.9) */
/** verify_data over those messages. @param label  "client finished" or "server finished" */
bool check_verify_data(const struct check_keys *keys, const uint8_t master[48],
                       const struct base_writer *messages, const char *label,
                       uint8_t out[CHECK_VERIFY_DATA]);
/** Fill `ours_next` and `theirs_next` (RFC 5246, 6.3). */
bool check_keys_make(struct check_keys *keys, const uint8_t master[48],
                     const uint8_t *client_random, const uint8_t *server_random);
/** What was sealed by `ours` so far is by `ours_next` from now on: the next epoch of DTLS. */
void check_keys_change_ours(struct check_keys *keys);
void check_keys_change_theirs(struct check_keys *keys);
/** Append a record, protected once `ours.on`. */
bool check_keys_seal(struct check_keys *keys, enum check_record type, const void *data, size_t len,
                     struct base_writer *out);
/** Open the text of a record into `out`. Of DTLS `theirs.number` was set. @return false: not
 * genuine */
bool check_keys_open(struct check_keys *keys, uint8_t type, struct check_bytes text,
                     struct base_writer *out);
void check_keys_wipe(struct check_keys *keys);

/** AEAD as both generations of TLS use it; `out` gets `len` octets and the tag. */
bool check_aead_seal(const char *cipher, const uint8_t *key, const uint8_t nonce[12],
                     struct check_bytes aad, struct check_bytes text, uint8_t *out);
bool check_aead_open(const char *cipher, const uint8_t *key, const uint8_t nonce[12],
                     struct check_bytes aad, struct check_bytes sealed, uint8_t *out);

#endif
