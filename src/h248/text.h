/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The text encoding (RFC 3525, Annex B; versions 2 and 3). Any octets are safe input. Decoding is
 * linear in the size of the input, takes all memory from the caller's arena, and has no state.
 */
#ifndef GH_H248_TEXT_H
#define GH_H248_TEXT_H

#include "h248/message.h"

/** Limits and modes. All zero (or NULL) is the default. */
struct h248_text_options {
	uint32_t max_transactions; /**< in a message; 0 = 1024. More is a fault 413 */
	uint32_t max_items;        /**< list entries of a message in all; 0 = 65536 */
	uint8_t max_depth;         /**< nested Embed; 0 = 4 */
	bool contain;              /**< see h248_text_decode */
};

/**
 * Decode one message. `input` must outlive the model, which borrows its strings from it.
 *
 * Strict (the default): the first broken rule refuses the message.
 *
 * Containing (`contain`): a broken rule refuses the smallest thing that can be answered by itself:
 * the command, else the action, else the transaction, else the message. That one carries the
 * `fault`, whatever stands before and after it in the message is decoded, and the result is 0. The
 * faults are also listed in `msg->faults`; one of level MESSAGE means that nothing after it was
 * read (with a broken header, version and mId hold what was understood, else 0).
 *
 * @param ret  set on success only (0); with `contain` on faults too
 * @param err  filled on failure with line, column, the offending token and what was expected
 * @return 0; BASE_PEER with the H.248 error code as detail; BASE_LOCAL with 510 when the arena's or
 *         the options' limits are too small for this message (nothing of it is then usable)
 */
int h248_text_decode(struct base_arena *arena, const char *input, size_t len,
                     const struct h248_text_options *options, struct h248_message **ret,
                     struct base_error *err);

enum h248_text_style {
	H248_TEXT_COMPACT = 0, /**< short tokens, no blanks, no final line end */
	H248_TEXT_PRETTY, /**< long tokens, one thing a line, final line end but after Segment */
};

/**
 * Append a message. The result depends on the model and the style only. What differs between the
 * versions follows `msg->version` (spec 7.13); elements of a later version that the model holds
 * are written all the same. Faults are not written.
 *
 * @return 0; BASE_LOCAL 510 or 533 when the writer failed or met its limit; BASE_BUG when the model
 *         holds what text cannot carry (an empty name, a double quote in a quoted string)
 */
int h248_text_encode(struct base_writer *w, const struct h248_message *msg,
                     enum h248_text_style style);

/**
 * Append one transaction alone, in compact style without header, for measuring and segmenting.
 * @return as h248_text_encode.
 */
int h248_text_encode_transaction(struct base_writer *w, const struct h248_transaction *txn,
                                 unsigned version, enum h248_text_style style);

/**
 * Octets of text or binary (section 9 of the fact sheet, P)? @return true when the first octet can
 * begin a text message.
 */
static inline bool h248_text_looks_like(const char *input, size_t len)
{
	return len && (input[0] == 'M' || input[0] == 'm' || input[0] == '!' || input[0] == 'A' ||
	               input[0] == 'a' || input[0] == ';' || input[0] == ' ' || input[0] == '\t' ||
	               input[0] == '\r' || input[0] == '\n');
}

#endif
