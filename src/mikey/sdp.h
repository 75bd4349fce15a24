/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The SDP attribute key-mgmt (RFC 4567, 3.1), which carries MIKEY in base64.
 */
#ifndef GH_MIKEY_SDP_H
#define GH_MIKEY_SDP_H

#include "base/base.h"

/** The identifier of MIKEY (RFC 4567, 7). */
#define MIKEY_SDP_ID "mikey"

/** One key-mgmt attribute; borrowed. */
struct mikey_sdp {
	struct base_str id;   /**< prtcl-id, in small letters where it is MIKEY's */
	struct base_str data; /**< keymgmt-data, in base64 */
};

/**
 * Read `a=key-mgmt:mikey DATA`, with or without `a=` and a line end; one blank may stand after the
 * colon.
 * @return 0, or BASE_PEER when it is no such attribute or not base64
 */
int mikey_sdp_parse(struct base_str line, struct mikey_sdp *ret, struct base_error *err);
/** The message inside, appended to `w`. @return 0, BASE_PEER when it is not base64, BASE_LOCAL. */
int mikey_sdp_message(const struct mikey_sdp *sdp, struct base_writer *w, struct base_error *err);
/** Append `a=key-mgmt:mikey DATA`, without a line end. */
void mikey_sdp_write(struct base_writer *w, const void *message, size_t len);

/** Base64 (RFC 4648, 4), appended. Blanks and line ends do not count; the padding must be right. */
int mikey_base64_decode(struct base_str text, struct base_writer *w, struct base_error *err);
void mikey_base64_encode(struct base_writer *w, const void *data, size_t len);

#endif
