/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Key schedule and protected records of TLS 1.3 (RFC 8446, 5.2, 7.1 to 7.3), AES-GCM; for both
 * sides that the checker plays. No I/O.
 */
#ifndef GH_CHECK_TLS13_H
#define GH_CHECK_TLS13_H

#include "check/keys.h"

#define CHECK_HASH_MAX   48
#define CHECK_TLS13_TEXT 16640 /**< octets of a protected record, at most */

/** One direction under one secret. */
struct check_way13 {
	uint8_t key[32], iv[12];
	uint64_t number;
};

struct check_tls13 {
	uint16_t suite;
	const char *hash, *cipher;
	size_t hash_len, key_len;
	struct base_writer transcript;
	uint8_t secret[CHECK_HASH_MAX]; /**< of the step at hand */
	uint8_t ours_secret[CHECK_HASH_MAX], theirs_secret[CHECK_HASH_MAX];
	struct check_way13 ours, theirs;
};

/** TLS_AES_128_GCM_SHA256 or TLS_AES_256_GCM_SHA384. */
void check_tls13_suite(struct check_tls13 *k, uint16_t suite);
void check_tls13_done(struct check_tls13 *k);

/** HKDF-Expand-Label, of at most one block. */
bool check_expand_label(const char *hash, const uint8_t *secret, const char *label,
                        struct check_bytes context, uint8_t *out, size_t len);
/** Derive-Secret over the messages so far; `messages` NULL = over none. */
bool check_tls13_derive(const struct check_tls13 *k, const uint8_t *secret, const char *label,
                        const struct base_writer *messages, uint8_t *out);
/** The first step, by a pre-shared key; none = zeros. */
bool check_tls13_early(struct check_tls13 *k, struct check_bytes psk);
/** The next step: HKDF-Extract with what was, derived; no input = zeros. */
bool check_tls13_extract(struct check_tls13 *k, struct check_bytes input);
/** Keys and a new count of records. */
bool check_tls13_way(const struct check_tls13 *k, const uint8_t *secret, struct check_way13 *way);
/** verify_data under a secret, over the transcript so far; `out` holds CHECK_HASH_MAX. */
bool check_tls13_finished(const struct check_tls13 *k, const uint8_t *secret, uint8_t *out);
/** The binder of a hello whose binders begin there; its transcript is that alone. */
bool check_tls13_binder(struct check_tls13 *k, struct check_bytes hello, struct check_bytes psk,
                        const char *label, uint8_t *out);

/** Append a protected record. */
bool check_tls13_seal(struct check_tls13 *k, enum check_record type, const void *data, size_t len,
                      struct base_writer *out);
/** Open one record into `out`. @return its inner type; 0 = it is not genuine */
uint8_t check_tls13_open(struct check_tls13 *k, const uint8_t *head, struct check_bytes text,
                         struct base_writer *out);

#endif
