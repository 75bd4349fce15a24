/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Handshake messages of DTLS out of their fragments, in the order of their numbers, however they
 * come: late, twice, overlapping, never (RFC 6347, 4.2.2 and 4.2.3). Pure; any bytes are safe
 * input.
 */
#ifndef GH_CHECK_FRAGMENTS_H
#define GH_CHECK_FRAGMENTS_H

#include "check/answer.h"

/** A message goes into one record of TLS: longer ones, which nobody sends, are not taken. */
enum { CHECK_HEAD_FRAGMENT = 12, CHECK_MESSAGES_AHEAD = 16, CHECK_MESSAGE_MAX = 0xffff - 4 };

/** One message that is on its way. */
struct check_part {
	uint8_t *data; /**< `total` octets, and a bit for each that came; NULL = nothing came */
	uint8_t type;
	uint32_t total, have;
};

struct check_fragments {
	struct check_part part[CHECK_MESSAGES_AHEAD]; /**< by number, modulo */
	uint16_t next;                                /**< number of the message that is due */
};

/**
 * The text of a record: what is of messages that are due, soon or now, is kept; of what comes twice
 * the first counts.
 * @param finished take Finished alone, or all but Finished: they are not under the same keys
 */
void check_fragments_take(struct check_fragments *fragments, struct check_bytes text,
                          bool finished);
/** Append the message that is due with the head that TLS has. @return false: not all of it came */
bool check_fragments_next(struct check_fragments *fragments, struct base_writer *ret);
/** Forget all; number 0 is due. */
void check_fragments_reset(struct check_fragments *fragments);

/** The head of a message in one fragment: how it is sent, and how Finished counts it (4.2.6). */
void check_fragment_head(struct base_writer *w, uint8_t type, uint16_t number, size_t len);

#endif
