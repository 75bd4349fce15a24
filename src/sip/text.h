/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What SIP's grammar is made of (RFC 3261, 25.1): classes of characters, LWS, quoted strings,
 * parameters. Values are borrowed from a message whose header section has been split already, so
 * that CR and LF occur in them only as folding and count as white space. All pure.
 */
#ifndef GH_SIP_TEXT_H
#define GH_SIP_TEXT_H

#include "base/base.h"

enum sip_char {
	SIP_CH_TOKEN = 1,      /**< of `token` */
	SIP_CH_WORD = 2,       /**< of `word` (Call-ID) */
	SIP_CH_USER = 4,       /**< of `user`, without `%` */
	SIP_CH_PARAM = 8,      /**< of a URI's parameter, without `%` */
	SIP_CH_HEADER = 16,    /**< of a URI's header, without `%` */
	SIP_CH_BLANK = 32,     /**< SP, HTAB; CR and LF of a folded line */
	SIP_CH_URI = 64,       /**< of any URI (RFC 3986, 2), `%` included */
	SIP_CH_PASSWORD = 128, /**< of `password`, without `%` */
};

extern const uint8_t sip_char_class[256];

static inline bool sip_is(char c, unsigned classes)
{
	return (sip_char_class[(uint8_t)c] & classes) != 0;
}
/** Not empty, and every octet of one of these classes. */
bool sip_all(struct base_str s, unsigned classes);

/** The rest of `s` from octet `n` on. */
static inline struct base_str sip_from(struct base_str s, size_t n)
{
	return (struct base_str){ n ? s.ptr + n : s.ptr,
		                  s.len - n }; /* empty ones may have no ptr */
}
/** Octets of `s` at its start that are of these classes. */
size_t sip_span(struct base_str s, unsigned classes);
/** `s` without LWS at its start. */
static inline struct base_str sip_skip(struct base_str s)
{
	return sip_from(s, sip_span(s, SIP_CH_BLANK));
}
/** `s` without LWS at both ends. */
struct base_str sip_trim(struct base_str s);

/**
 * Length of the quoted string at the start of `s`, both quotes counted (`quoted-string`); any octet
 * may be in it but CR and LF that fold nothing. @return 0 when there is none or it has no end
 */
size_t sip_quoted_len(struct base_str s);
/**
 * The text of a quoted string, escapes resolved, or of anything else as it stands.
 * @return false when `cap` is too small
 */
bool sip_unquote(struct base_str s, char *out, size_t cap, size_t *ret_len);

/** A parameter: `;name` or `;name=value`. */
struct sip_param {
	struct base_str name;
	struct base_str value; /**< as it stands, quotes included; ptr NULL = none */
};

/**
 * Take the next parameter off `rest`, which begins at its `;` (LWS before it is fine).
 * @return 1 with a parameter, 0 when `rest` does not begin with `;`, BASE_PEER when it is malformed
 */
int sip_param_next(struct base_str *rest, struct sip_param *ret);
/** Is there a parameter of this name? `ret` (may be NULL) is its value. */
bool sip_param_find(struct base_str params, const char *name, struct base_str *ret);

/**
 * Take the next element off a comma-separated list, quoted strings and `<>` respected, LWS around
 * it removed. Empty elements are given too. @return false at the end
 */
bool sip_list_next(struct base_str *rest, struct base_str *ret);

#endif
