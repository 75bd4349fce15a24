/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The binary encoding (RFC 3525, Annex A: ASN.1 with BER; versions 2 and 3). Any octets are safe
 * input. Decoding is linear in the size of the input, takes all memory from the caller's arena, and
 * has no state. What binary and text spell differently, and how the one is kept in the other, is in
 * docs/h248-ber.md.
 */
#ifndef GH_H248_BER_H
#define GH_H248_BER_H

#include "h248/text.h"

/**
 * Decode one message. `input` must outlive the model, which borrows its strings from it where the
 * binary form has them.
 *
 * Strict and containing as h248_text_decode: a broken rule refuses the message, or with
 * `options->contain` the smallest thing that can be answered by itself (command, action,
 * transaction, message). A transaction that cannot be read keeps its TransactionID when that could
 * be read, else 0. Faults have `offset`, but `line` and `column` are 0, and their text starts with
 * the path of the element in words of Annex A: `transactions[2].actions[0].commandRequests[1]...`.
 *
 * Definite and indefinite lengths and constructed strings are accepted, nested at most 32 deep.
 *
 * @param options  the limits of the text decoder; NULL for the defaults
 * @param ret      set on success only (0); with `contain` on faults too
 * @param err      filled on failure
 * @return 0; BASE_PEER with the H.248 error code as detail; BASE_LOCAL with 510 when the arena's or
 *         the options' limits are too small for this message (nothing of it is then usable)
 */
int h248_ber_decode(struct base_arena *arena, const void *input, size_t len,
                    const struct h248_text_options *options, struct h248_message **ret,
                    struct base_error *err);

/**
 * Append a message: definite lengths, each as short as can be. The result depends on the model
 * only. Elements of a later version than `msg->version` that the model holds are written all the
 * same. Faults are not written.
 *
 * @return 0; BASE_LOCAL 510 or 533 when the writer failed or met its limit; BASE_BUG when the model
 *         holds what the binary form cannot carry (a command without TerminationID, a text name of
 *         more than 64 octets). On failure the writer is as it was but for `failed`.
 */
int h248_ber_encode(struct base_writer *w, const struct h248_message *msg);

/**
 * Append one transaction alone (an element of `transactions`), for measuring and segmenting. The
 * message's own list of names, if it needs one (docs/h248-ber.md), is not in it.
 * @return as h248_ber_encode.
 */
int h248_ber_encode_transaction(struct base_writer *w, const struct h248_transaction *txn,
                                unsigned version);

/** A first octet 0x30 tells binary from text (fact sheet, 4.3). */
static inline bool h248_ber_looks_like(const void *input, size_t len)
{
	return len && ((const unsigned char *)input)[0] == 0x30;
}

#endif
