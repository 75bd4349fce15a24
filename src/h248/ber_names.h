/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How names and numbers are spelled in the other form (docs/h248-ber.md, mark P). Private to the
 * codec; pure functions. Each way and back is the identity, but for the case of letters.
 */
#ifndef GH_H248_BER_NAMES_H
#define GH_H248_BER_NAMES_H

#include "h248/message.h"

/**
 * Numbers that a message's own list of names gives out, for names that no table knows: Name is
 * BER_LISTED + index, PkgdName is BER_LISTED_PACKAGE and the index.
 */
#define BER_LISTED         0xE000
#define BER_LISTED_MAX     0x1FF0
#define BER_LISTED_PACKAGE 0xFFFE
#define BER_ALL            0xFFFF

/** A name as text spells it (NAME): a letter, then letters, digits, `_`, 64 characters at most. */
bool ber_is_name(struct base_str s);
/** Two of them, or `*`, with a slash between. @return false when it is no such. */
bool ber_split_name(struct base_str s, struct h248_name *ret);

/** The longest TerminationID of the text form, and its octets in the binary form. */
#define BER_TERM_TEXT 64
#define BER_TERM_ID   8

/** `pkg_00a3`, `id_0001`, `dm_0102`: `prefix` and four hexadecimal digits, 8 octets at most. */
size_t ber_numbered(char *out, const char *prefix, uint16_t number);
/** The inverse. @return false when it is not spelled so. */
bool ber_number_of(struct base_str name, const char *prefix, uint16_t *ret);

/**
 * Octets of a TerminationID for a text name (not ROOT, `*`, `$`): its own octets when there are at
 * most eight; else eight octets that hold it packed; else (false) a hash of it.
 */
bool ber_term_pack(struct base_str name, uint8_t out[BER_TERM_ID], size_t *ret_len);
/**
 * The name of octets that were not made by hashing. @return false when they have no text of their
 * own: then they are spelled `bin/` and hexadecimal.
 */
bool ber_term_unpack(const uint8_t *id, size_t len, char out[BER_TERM_TEXT], size_t *ret_len);
/** Octets of a name `bin/[wildcards/]hex`: wildcard fields and id. False when it is not one. */
bool ber_term_binary(struct base_str name, uint8_t *fields, size_t *ret_fields,
                     uint8_t out[BER_TERM_ID], size_t *ret_len);

#endif
