/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What DTLS has where TLS has a stream: records that name their epoch and number, our flight for
 * repetition, their messages in order (RFC 6347, 4.1 and 4.2). Session reads out of it as out of a
 * stream. Pure: no socket, no clock; any bytes are safe input.
 */
#ifndef GH_CHECK_DATAGRAMS_H
#define GH_CHECK_DATAGRAMS_H

#include "check/fragments.h"
#include "check/keys.h"

struct check_datagrams {
	struct check_fragments in;
	uint16_t sent;  /**< number of our next message */
	uint16_t epoch; /**< theirs, at the beginning of this handshake */

	struct base_writer flight; /**< our records at hand, not protected */
	bool answered;             /**< something came upon it: the next record begins another */
	bool changed;              /**< our ChangeCipherSpec is in it ... */
	struct check_direction before; /**< ... and these keys were ours before */

	struct base_writer held; /**< records of their next epoch, as they came */
	bool change;             /**< their ChangeCipherSpec came, and was not read yet */
	bool alerted;
	uint8_t alert[2];
	size_t taken; /**< octets that came in this handshake */
};

/** A handshake begins: of what was before only keys are left. */
void check_datagrams_begin(struct check_datagrams *d, const struct check_keys *keys);
/** Append a record of ours to `out`, and to the flight at hand. */
bool check_datagrams_put(struct check_datagrams *d, struct check_keys *keys, enum check_record type,
                         const void *data, size_t len, struct base_writer *out);
/** The whole flight once more, each record under its own keys, with a new number. */
bool check_datagrams_repeat(struct check_datagrams *d, struct check_keys *keys,
                            struct base_writer *out);
/** An alert for whoever may be under our earlier keys still. */
bool check_datagrams_abort(struct check_datagrams *d, struct check_keys *keys,
                           const uint8_t alert[2], struct base_writer *out);
/** Our ChangeCipherSpec was put: what follows is under the next keys. */
void check_datagrams_change(struct check_datagrams *d, struct check_keys *keys);

/** A datagram came. What is not genuine is dropped (4.1.2.7), and so is what is of another time. */
void check_datagrams_take(struct check_datagrams *d, struct check_keys *keys, const uint8_t *data,
                          size_t len);
/** Their ChangeCipherSpec was read and their keys have changed: what came too early is read now. */
void check_datagrams_changed(struct check_datagrams *d, struct check_keys *keys);
/**
 * What is next, as a record of TLS: a message, a ChangeCipherSpec, an alert.
 * @param may_change is all there that goes before a ChangeCipherSpec, which has no number?
 * @return false when nothing is to be read yet
 */
bool check_datagrams_next(struct check_datagrams *d, bool may_change, uint8_t *ret_type,
                          struct base_writer *ret);
void check_datagrams_done(struct check_datagrams *d);

#endif
