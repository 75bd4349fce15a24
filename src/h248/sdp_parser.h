/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder only: the state of h248_sdp_parse, shared by the files that know one kind of
 * line each. Functions return 0 or a negative result that ends the parse.
 */
#ifndef GH_H248_SDP_PARSER_H
#define GH_H248_SDP_PARSER_H

#include "h248/sdp.h"

/** Where an attribute or connection stood: the media description overrules the session. */
enum h248_sdp_level { H248_SDP_LEVEL_NONE = 0, H248_SDP_LEVEL_SESSION, H248_SDP_LEVEL_MEDIA };

/** Things that a level may hold once. */
enum h248_sdp_once {
	H248_SDP_ONCE_CONNECTION,
	H248_SDP_ONCE_SETUP,
	H248_SDP_ONCE_REUSE,
	H248_SDP_ONCE_DIRECTION,
	H248_SDP_ONCE_TLS_ID,
	H248_SDP_ONCE_CEMA,
	H248_SDP_LISTED_FINGERPRINT, /**< these two may come again at the same level */
	H248_SDP_LISTED_PATH,
	H248_SDP_ONCE_COUNT,
};

struct h248_sdp_parser {
	struct base_arena *arena;
	struct base_error *err;
	struct h248_sdp *sdp;
	struct h248_sdp_group *group; /**< the one being filled; NULL before the first line */
	struct h248_sdp_group **group_end;
	struct h248_sdp_line **line_end;
	struct h248_sdp_text **path_end;
	struct h248_sdp_fingerprint **fingerprint_end;
	struct base_str line;     /**< the current one, without blanks before it and its end */
	unsigned indent;          /**< blanks before it */
	unsigned number;          /**< of the current line, from 1 */
	unsigned fingerprints;    /**< in this group, at the level that counts */
	struct base_str unusable; /**< the first line with an unusable fingerprint */
	unsigned unusable_number; /**< its number */
	bool versioned;           /**< the current group has its v= line */
	uint8_t level[H248_SDP_ONCE_COUNT]; /**< enum h248_sdp_level, per enum h248_sdp_once */
};

/** Refuse: `token` is the offending part of the current line. @return BASE_PEER 474. */
int h248_sdp_fail(struct h248_sdp_parser *p, struct base_str token, const char *why);
/** Memory is short. @return BASE_LOCAL 510. */
int h248_sdp_no_memory(struct h248_sdp_parser *p);

/**
 * Take a thing from the current level.
 * @return 0, with *ret_first true when it overrules what a higher level said (or is the first); an
 *         error when a once-only thing comes twice
 */
int h248_sdp_claim(struct h248_sdp_parser *p, enum h248_sdp_once what, bool *ret_first);

/** Next field up to a single blank; `rest` moves past it. Empty when there is none. */
struct base_str h248_sdp_field(struct base_str *rest);
/** Only token-chars, and at least one (RFC 8866, 9). */
bool h248_sdp_is_token(struct base_str s);
static inline bool h248_sdp_is_choose(struct base_str s)
{
	return base_str_eq(s, BASE_STR("$"));
}

int h248_sdp_parse_connection(struct h248_sdp_parser *p, struct base_str value);
int h248_sdp_parse_media(struct h248_sdp_parser *p, struct base_str value);
int h248_sdp_parse_attribute(struct h248_sdp_parser *p, struct base_str value);
int h248_sdp_parse_fingerprint(struct h248_sdp_parser *p, struct base_str value);
/** Keep a line that has no field. */
int h248_sdp_keep_line(struct h248_sdp_parser *p, char type, struct base_str value);

/**
 * Passes over h248_sdp_group.lines in the order in which they are written. Relative order counts
 * within a pass only.
 */
struct h248_sdp_pass {
	const char *types;
	bool media;
};
enum {
	H248_SDP_PASS_ABOUT,   /**< i u e p */
	H248_SDP_PASS_TIME,    /**< b t r z k */
	H248_SDP_PASS_SESSION, /**< a */
	H248_SDP_PASS_MEDIA,   /**< i b k */
	H248_SDP_PASS_ATTR,    /**< a, of the media */
	H248_SDP_PASS_COUNT,
};
extern const struct h248_sdp_pass h248_sdp_passes[H248_SDP_PASS_COUNT];
/** From `line` on, the next that belongs to the pass; NULL when there is none. */
const struct h248_sdp_line *h248_sdp_pass_next(const struct h248_sdp_pass *pass,
                                               const struct h248_sdp_line *line);

#endif
