/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Octets to model and back (RFC 3830, section 6; RFC 6043, section 6; RFC 4563). Any octets are
 * safe input; memory and time are linear in their number.
 */
#ifndef GH_MIKEY_CODEC_H
#define GH_MIKEY_CODEC_H

#include "mikey/message.h"

/** The longest message that is read. Each part has lengths of 16 bits. */
#define MIKEY_OCTETS_MAX ((size_t)256 * 1024)
/** The most payloads in one chain. */
#define MIKEY_PAYLOADS_MAX 256

/** Octets of a tag by MAC alg; 0 for NULL, -1 for an algorithm that is not known. Pure. */
int mikey_mac_len(uint8_t mac);
/** Octets of a digest by Hash func; -1 when it is not known. Pure. */
int mikey_hash_len(uint8_t hash);

/**
 * Read a message. Unknown payload types have no length and are therefore refused; payloads that a
 * message does not expect are kept (RFC 6043, 4.2 wants them ignored).
 * @param data  must outlive the model
 * @return 0; BASE_PEER with the Error no to answer with; BASE_LOCAL when memory is short
 */
int mikey_decode(struct base_arena *arena, const void *data, size_t len, struct mikey_message **ret,
                 struct base_error *err);
/** Append a message. @return 0; BASE_BUG when the model cannot be written; BASE_LOCAL. */
int mikey_encode(struct base_writer *w, const struct mikey_message *msg);

/**
 * A chain that is no message of its own: its first payload has type `first`. All of `data` must be
 * used up.
 */
int mikey_chain_decode(struct base_arena *arena, uint8_t first, struct mikey_octets data,
                       struct mikey_payload **ret, struct base_error *err);
int mikey_chain_encode(struct base_writer *w, const struct mikey_payload *chain);

/**
 * Key data as decryption left it. With `padded`, zeroes may follow the last of them: AES key wrap
 * needs multiples of eight octets, and RFC 3830 says nothing of what fills them up (P).
 */
int mikey_keys_decode(struct base_arena *arena, struct mikey_octets data, bool padded,
                      struct mikey_payload **ret, struct base_error *err);

/** Ticket Data of a MIKEY base ticket: THDR, and the chain after it (RFC 6043, A.1 and A.3). */
int mikey_ticket_data_decode(struct base_arena *arena, struct mikey_octets data,
                             struct mikey_octets *ret_thdr, struct mikey_payload **ret,
                             struct base_error *err);
int mikey_ticket_data_encode(struct base_writer *w, struct mikey_octets thdr,
                             const struct mikey_payload *chain);

#endif
