/* SPDX-License-Identifier: Apache-2.0 */
/** @file A client's ClientHello, out of octets (RFC 5246, 7.4.1.2; RFC 8446, 4.1.2). Pure. */
#ifndef GH_CHECK_OFFERED_H
#define GH_CHECK_OFFERED_H

#include "check/answer.h"

/** What a client offers; pointers are into the text it was read from. */
struct check_offered {
	uint16_t legacy_version;
	unsigned versions; /**< profile_version bits: those that are named */
	bool listed;       /**< by supported_versions: there are no others then */
	const uint8_t *random;
	struct check_bytes session_id, suites, compressions, groups, signatures;
	struct check_extension extension[CHECK_EXTENSIONS_MAX];
	size_t extension_count;
};

/** Read the first message of `text` (messages with heads). @return false where it is no whole
 *  ClientHello */
bool check_offered_read(struct check_offered *offered, struct check_bytes text);
const struct check_extension *check_offered_extension(const struct check_offered *offered,
                                                      uint16_t type);
/** Does a list of code points of two octets hold that one? */
bool check_codes_hold(struct check_bytes list, uint16_t code);

#endif
