/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keys have a type, and the type's `done` wipes. Secrets are never logged or returned by audit.
 */
#ifndef GH_BASE_SECRET_H
#define GH_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** An owned secret. All zero is the empty one. */
struct base_secret {
	uint8_t *data;
	size_t len;
};

/** Overwrite so that the compiler cannot leave it out. NULL with 0 is fine. */
void base_wipe(void *data, size_t len);
/** Copy `len` octets in, wiping what was there. @return 0, or BASE_LOCAL with `s` untouched. */
int base_secret_set(struct base_secret *s, const void *data, size_t len);
/** Wipe and free. The secret is then empty. */
void base_secret_done(struct base_secret *s);
/** Equal, in time that depends on the lengths only. */
bool base_secret_equal(const void *a, size_t a_len, const void *b, size_t b_len);
/** Fill with random octets from the kernel. @return 0, or BASE_LOCAL (never partial). */
int base_random(void *out, size_t len);

#endif
