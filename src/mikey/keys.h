/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keys that are owned, as a ticket or a KEMAC carries them: MPKs first, then what sessions use.
 */
#ifndef GH_MIKEY_KEYS_H
#define GH_MIKEY_KEYS_H

#include "mikey/message.h"

#define MIKEY_KEYS_MAX 32

struct mikey_key {
	uint8_t type; /**< enum mikey_key_type */
	struct base_secret key, salt;
	struct base_secret spi; /**< RFC 6043, 6.2.1: each key has one; no secret itself */
};

/** All zero is the empty list. */
struct mikey_keys {
	struct mikey_key key[MIKEY_KEYS_MAX];
	size_t count;
};

static inline struct mikey_octets mikey_secret(const struct base_secret *s)
{
	return mikey_octets_of(s->data, s->len);
}
/** Append copies. @return 0, BASE_PEER when there are too many, BASE_LOCAL */
int mikey_keys_add(struct mikey_keys *keys, uint8_t type, struct mikey_octets key,
                   struct mikey_octets salt, struct mikey_octets spi);
/** Wipe and free all of them; the list is then empty. */
void mikey_keys_done(struct mikey_keys *keys);
/** MPK number `n` (0 = MPKi, 1 = MPKr or MPKr'), or an empty one. */
struct mikey_octets mikey_keys_mpk(const struct mikey_keys *keys, unsigned n);

/** Key data payloads of them, which borrow. `mpks` is how many MPKs go along. */
int mikey_keys_write(struct base_arena *arena, const struct mikey_keys *keys, unsigned mpks,
                     struct mikey_payload **ret);
/** The keys of a chain of key data, appended. */
int mikey_keys_read(const struct mikey_payload *chain, struct mikey_keys *ret);

#endif
