/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A session description as SIP carries it (RFC 4566; RFC 8866): session lines, then media
 * descriptions, each with its lines in order. Nothing is rewritten: whoever answers takes what it
 * knows and leaves the rest. Views point into the text; both it and the arena must outlive it.
 */
#ifndef GH_SIP_SDP_H
#define GH_SIP_SDP_H

#include "base/base.h"

#define SIP_SDP_OCTETS_MAX 32768
#define SIP_SDP_LINES_MAX  1024
#define SIP_SDP_MEDIA_MAX  64

struct sip_sdp_line {
	char type;
	struct base_str value;
};

/** `m=` with the lines behind it, up to the next. */
struct sip_sdp_media {
	struct base_str type;  /**< "message" */
	struct base_str proto; /**< "TCP/TLS/MSRP" */
	struct base_str formats;
	uint16_t port; /**< 0 = refused or not used (RFC 3264, 5.1 and 6) */
	uint16_t ports;
	const struct sip_sdp_line *lines; /**< without its m= */
	size_t line_count;
};

struct sip_sdp {
	struct base_str origin;           /**< `o=` */
	const struct sip_sdp_line *lines; /**< of the session, without v= and o= */
	size_t line_count;
	struct sip_sdp_media *media;
	size_t media_count;
};

/**
 * Lines may end in CRLF or LF alone. @return 0; BASE_PEER (400) with line and words in `err` (may
 * be NULL); BASE_LOCAL
 */
int sip_sdp_parse(struct sip_sdp *ret, struct base_arena *arena, struct base_str text,
                  struct base_error *err);

/**
 * An attribute of the media description, or where it has none the session's; `media` NULL: the
 * session's. The value is empty for a property (`a=inactive`). @return false when there is none
 */
bool sip_sdp_attribute(const struct sip_sdp *sdp, const struct sip_sdp_media *media,
                       const char *name, struct base_str *ret);
/** The next of several, in one description alone. `index` begins at 0. @return false at the end */
bool sip_sdp_attribute_next(const struct sip_sdp_line *lines, size_t count, size_t *index,
                            const char *name, struct base_str *ret);
/** The address of `c=`, the media description's or the session's. @return its family (AF_INET,
 * AF_INET6), 0 = none */
int sip_sdp_address(const struct sip_sdp *sdp, const struct sip_sdp_media *media,
                    struct base_str *ret);

#endif
