/* SPDX-License-Identifier: Apache-2.0 */
/** @file Characters and words of RFC 4975, 9. */
#ifndef GH_MSRP_LEX_H
#define GH_MSRP_LEX_H

#include "base/base.h"

static inline bool msrp_is_alphanum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool msrp_is_token(unsigned char c);
/** ident = ALPHANUM 3*31ident-char: transaction and message ids */
bool msrp_is_ident(struct base_str s);
/** utf8text: no control characters but HTAB, and octets over 127 in UTF-8's order */
bool msrp_is_text(struct base_str s);
/** 3DIGIT. @return false when it is none */
bool msrp_code(struct base_str s, unsigned *ret);

#endif
