/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One door over the text and the binary encoding. Both share one model (h248/message.h), one set of
 * limits and one way to contain faults. Stateless; any thread.
 */
#ifndef GH_H248_CODEC_H
#define GH_H248_CODEC_H

#include "h248/text.h"

/** The forms a message can have on the wire. */
enum h248_codec {
	H248_CODEC_COMPACT = 0, /**< text, short tokens */
	H248_CODEC_PRETTY,      /**< text, long tokens */
	H248_CODEC_BER,         /**< binary (Annex A) */
};

/**
 * Which form the octets have (fact sheet, 9, P): a first octet 0x30 is binary, anything else text;
 * text whose first word is a long token (`MEGACO`, `Authentication`) is pretty. Looks no further
 * than the first word; says nothing about whether the message is right.
 */
enum h248_codec h248_codec_detect(const void *input, size_t len);

/**
 * Decode one message of either form. `input` must outlive the model.
 *
 * @param options    limits and `contain`; NULL for the defaults (h248_text_decode)
 * @param ret        set on success only (0); with `contain` on faults too
 * @param ret_codec  the form found, so that a reply can have the same; set always; may be NULL
 * @param err        filled on failure; may be NULL
 * @return as h248_text_decode and h248_ber_decode
 */
int h248_codec_decode(struct base_arena *arena, const void *input, size_t len,
                      const struct h248_text_options *options, struct h248_message **ret,
                      enum h248_codec *ret_codec, struct base_error *err);

/** Append a message. @return as h248_text_encode and h248_ber_encode. */
int h248_codec_encode(struct base_writer *w, const struct h248_message *msg, enum h248_codec codec);

/**
 * Append one transaction alone, without the header of a message, for measuring and segmenting.
 * @return as h248_codec_encode
 */
int h248_codec_encode_transaction(struct base_writer *w, const struct h248_transaction *txn,
                                  unsigned version, enum h248_codec codec);

/** "compact", "pretty" or "ber". Static. */
const char *h248_codec_name(enum h248_codec codec);
/** The inverse, without case. @return 0, or BASE_CONFIG for another word. */
int h248_codec_by_name(struct base_str name, enum h248_codec *ret);

#endif
