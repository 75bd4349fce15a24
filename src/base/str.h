/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A borrowed string: pointer and length in octets, not terminated. Whoever hands one out says how
 * long it lives. All functions are pure unless said otherwise.
 */
#ifndef GH_BASE_STR_H
#define GH_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct base_str {
	const char *ptr;
	size_t len;
};

/** A base_str over a string literal. */
#define BASE_STR(literal) ((struct base_str){ (literal), sizeof(literal) - 1 })
/** For printf: `"%.*s", BASE_FMT(s)`. */
#define BASE_FMT(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/** Borrow a terminated string; NULL gives the empty one. */
static inline struct base_str base_str_of(const char *text)
{
	return (struct base_str){ text, text ? strlen(text) : 0 };
}

bool base_str_eq(struct base_str a, struct base_str b);
/** Equal but for the case of ASCII letters. */
bool base_str_ieq(struct base_str a, struct base_str b);
/** Order as strcasecmp, over ASCII. */
int base_str_icmp(struct base_str a, struct base_str b);
/** Without ASCII white space at both ends. */
struct base_str base_str_trim(struct base_str s);

/**
 * Read all of `s` as an unsigned decimal number of at most `max`.
 * @return 0, or BASE_PEER when it is empty, has another character or exceeds `max`.
 */
int base_str_u64(struct base_str s, uint64_t max, uint64_t *ret);

/**
 * Decode hex digits (either case) into `out`, which must hold `s.len / 2` octets.
 * @return 0, or BASE_PEER on an odd length, another character, or more than `cap` octets.
 */
int base_hex_decode(struct base_str s, uint8_t *out, size_t cap, size_t *ret_len);
/** Write `len` octets as hex, `sep` between them (0 = none), terminated, into 3 * len + 1 octets.
 */
void base_hex_encode(const uint8_t *in, size_t len, char sep, bool upper, char *out);

/** ASCII only, whatever the locale. */
static inline int base_lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

#endif
