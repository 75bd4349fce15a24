/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Digit maps at work (RFC 3525, 7.1.14): a map is compiled once and then fed with events; it says
 * when it is complete, how (dd/ce, E.6.2), and which timer to wait with. No clock, no I/O: whoever
 * uses it starts the timers. One thread per match; nothing here allocates but the compiler.
 *
 * The codec checks a map's text (text_decode_digitmap.c) and h248_digit_map carries it; where the
 * digits come from is another's business. gatehouse-mg has no source of tones and refuses the dd
 * package.
 */
#ifndef GH_H248_DIGITMAP_H
#define GH_H248_DIGITMAP_H

#include "base/base.h"
#include "h248/descriptor.h"

/** Longest dial string that a match keeps, with its Z marks; a digit beyond is no match. */
#define H248_DIGITS_MAX 64
/** Positions of all alternatives together. */
#define H248_DIGIT_POSITIONS_MAX 1024

/* Timers where the map gives none: provisioned, by 7.1.14.2 (P). */
#define H248_DIGIT_START_MS 16000U
#define H248_DIGIT_SHORT_MS 4000U
#define H248_DIGIT_LONG_MS  16000U
#define H248_DIGIT_Z_MS     2000U

/** Termination method of a completion event (E.6.2). */
enum h248_digit_method {
	H248_DIGIT_GOING_ON = 0,
	H248_DIGIT_UNAMBIGUOUS = 1, /**< UM */
	H248_DIGIT_PARTIAL = 2,     /**< PM: timer, or an event that fits nothing */
	H248_DIGIT_FULL = 3,        /**< FM: likewise, but an alternative was satisfied */
};
/** "UM", "PM", "FM"; NULL while it goes on. Pure. */
const char *h248_digit_method_name(enum h248_digit_method method);

/** A compiled map: constant, may serve many matches. */
struct h248_digit_program;

/** A match under way, in the caller's storage. */
struct h248_digit_match {
	const struct h248_digit_program *program;
	uint64_t at[H248_DIGIT_POSITIONS_MAX / 64]; /**< where the alternatives stand */
	char digits[H248_DIGITS_MAX + 1];           /**< the current dial string, terminated */
	uint8_t len;
	uint8_t method;    /**< enum h248_digit_method */
	char timer;        /**< to wait with: 'T', 'S' or 'L'; 0 = none */
	uint32_t timer_ms; /**< its length */
	bool returned;     /**< the last event did not fit: it is not in `digits` and is to be
	                        processed anew, as any other event (rule 5 of 7.1.14.5) */
};

/**
 * @param map  its body and timers; nothing of it is kept
 * @return 0; BASE_PEER 449 when the text is no digit map; BASE_LOCAL 510 when it is too large or
 *         memory is short
 */
int h248_digit_compile(struct base_arena *arena, const struct h248_digit_map *map,
                       const struct h248_digit_program **ret, struct base_error *err);

/** How long an event has to last to count as long (Z), in ms. */
uint32_t h248_digit_long_ms(const struct h248_digit_program *program);

/** Activate: empty dial string, all alternatives (7.1.14.6). `timer` says what to start. */
void h248_digit_start(struct h248_digit_match *match, const struct h248_digit_program *program);
/**
 * An event: `symbol` is 0-9 or A-K, in either case. After completion nothing changes any more.
 * @return the method, H248_DIGIT_GOING_ON when more may come (then `timer` is to be restarted)
 */
enum h248_digit_method h248_digit_event(struct h248_digit_match *match, char symbol, bool lasted);
/** The timer has expired. @return H248_DIGIT_PARTIAL or H248_DIGIT_FULL */
enum h248_digit_method h248_digit_expire(struct h248_digit_match *match);

/** Symbol of an event of package dd (E.6: `d0` .. `d9`, `da` .. `dd`, `ds`, `do`); 0 = none. */
char h248_digit_of_dd(struct base_str event);

#endif
