/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/text.h"

/* By octet: RFC 3261, 25.1. A is `unreserved` but for `(` and `)`, and `+`. */
/* clang-format off */
#define A (SIP_CH_TOKEN | SIP_CH_WORD | SIP_CH_USER | SIP_CH_PARAM | SIP_CH_HEADER | SIP_CH_URI | SIP_CH_PASSWORD)
#define W (SIP_CH_WORD) /* " < > \ { } */
#define B (SIP_CH_BLANK)
#define C (SIP_CH_WORD | SIP_CH_PARAM | SIP_CH_HEADER | SIP_CH_URI) /* : [ ] */
#define I (SIP_CH_URI) /* # @ */
#define D (SIP_CH_USER | SIP_CH_URI | SIP_CH_PASSWORD) /* , = */
#define E (SIP_CH_WORD | SIP_CH_USER | SIP_CH_PARAM | SIP_CH_HEADER | SIP_CH_URI | SIP_CH_PASSWORD) /* ( ) */
#define F (SIP_CH_TOKEN | SIP_CH_WORD | SIP_CH_URI) /* % */
#define G (SIP_CH_USER | SIP_CH_URI) /* ; */
#define J (SIP_CH_TOKEN | SIP_CH_WORD) /* ` */
#define K (SIP_CH_USER | SIP_CH_PARAM | SIP_CH_URI | SIP_CH_PASSWORD) /* & */
#define L (SIP_CH_WORD | SIP_CH_USER | SIP_CH_HEADER | SIP_CH_URI) /* ? */
#define M (SIP_CH_WORD | SIP_CH_USER | SIP_CH_PARAM | SIP_CH_HEADER | SIP_CH_URI) /* / */
#define N (SIP_CH_USER | SIP_CH_PARAM | SIP_CH_HEADER | SIP_CH_URI | SIP_CH_PASSWORD) /* $ */

const uint8_t sip_char_class[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, B, B, 0, 0, B, 0, 0, /* 00 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
	B, A, W, I, N, F, K, A, E, E, A, A, D, A, A, M, /* 20 */
	A, A, A, A, A, A, A, A, A, A, C, G, W, D, W, L, /* 30 */
	I, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* 40 */
	A, A, A, A, A, A, A, A, A, A, A, C, W, C, 0, A, /* 50 */
	J, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* 60 */
	A, A, A, A, A, A, A, A, A, A, A, W, 0, W, A, 0, /* 70 */
	/* 80 to ff: none */
};
#undef A
#undef W
#undef B
#undef C
#undef I
#undef D
#undef E
#undef F
#undef G
#undef J
#undef K
#undef L
#undef M
#undef N
/* clang-format on */

size_t sip_span(struct base_str s, unsigned classes)
{
	size_t n = 0;

	while (n < s.len && sip_is(s.ptr[n], classes))
		n++;
	return n;
}

bool sip_all(struct base_str s, unsigned classes)
{
	return s.len && sip_span(s, classes) == s.len;
}

struct base_str sip_trim(struct base_str s)
{
	s = sip_skip(s);
	while (s.len && sip_is(s.ptr[s.len - 1], SIP_CH_BLANK))
		s.len--;
	return s;
}

size_t sip_quoted_len(struct base_str s)
{
	if (!s.len || s.ptr[0] != '"')
		return 0;
	for (size_t n = 1; n < s.len; n++) {
		if (s.ptr[n] == '"')
			return n + 1;
		if (s.ptr[n] == '\\' && (++n == s.len || s.ptr[n] == '\r' || s.ptr[n] == '\n'))
			return 0;
	}
	return 0;
}

bool sip_unquote(struct base_str s, char *out, size_t cap, size_t *ret_len)
{
	bool quoted = s.len > 1 && s.ptr[0] == '"';
	size_t len = 0;

	for (size_t n = quoted; n < s.len - quoted; n++) {
		if (quoted && s.ptr[n] == '\\')
			n++;
		if (len == cap)
			return false;
		out[len++] = s.ptr[n];
	}
	*ret_len = len;
	return true;
}

static bool value_ends(uint8_t c)
{
	switch (c) {
	case ',':
	case ';':
	case '<':
	case '>':
	case '"':
	case '\\':
	case 0x7f:
		return true;
	default:
		return c <= ' ';
	}
}

/* gen-value = token / host / quoted-string; what else people put there ends at the next separator
 */
static size_t value_len(struct base_str s)
{
	size_t n = 0;

	if (s.len && s.ptr[0] == '"')
		return sip_quoted_len(s);
	while (n < s.len && !value_ends((uint8_t)s.ptr[n]))
		n++;
	return n;
}

int sip_param_next(struct base_str *rest, struct sip_param *ret)
{
	struct base_str s = sip_skip(*rest);
	size_t n;

	if (!s.len || s.ptr[0] != ';')
		return 0;
	s = sip_skip(sip_from(s, 1));
	n = sip_span(s, SIP_CH_TOKEN);
	if (!n)
		return BASE_ERR(BASE_PEER, 400);
	*ret = (struct sip_param){ .name = { s.ptr, n } };
	*rest = sip_from(s, n);
	s = sip_skip(*rest);
	if (!s.len || s.ptr[0] != '=')
		return 1;
	s = sip_skip(sip_from(s, 1));
	n = value_len(s);
	if (!n)
		return BASE_ERR(BASE_PEER, 400);
	ret->value = (struct base_str){ s.ptr, n };
	*rest = sip_from(s, n);
	return 1;
}

bool sip_param_find(struct base_str params, const char *name, struct base_str *ret)
{
	struct sip_param param;

	while (sip_param_next(&params, &param) == 1) {
		if (!base_str_ieq(param.name, base_str_of(name)))
			continue;
		if (ret)
			*ret = param.value;
		return true;
	}
	return false;
}

bool sip_list_next(struct base_str *rest, struct base_str *ret)
{
	struct base_str s = *rest;
	bool angled = false;
	size_t n = 0;

	if (!s.ptr)
		return false;
	if (!s.len || !memchr(s.ptr, ',', s.len))
		n = s.len; /* most have one element */
	for (; n < s.len && (angled || s.ptr[n] != ','); n++) {
		if (s.ptr[n] == '"' && !angled) {
			size_t quoted = sip_quoted_len(sip_from(s, n));

			n = quoted ? n + quoted - 1 : s.len - 1;
		} else if (s.ptr[n] == '<') {
			angled = true;
		} else if (s.ptr[n] == '>') {
			angled = false;
		}
	}
	*ret = sip_trim((struct base_str){ s.ptr, n });
	*rest = n < s.len ? sip_from(s, n + 1) : (struct base_str){ NULL, 0 };
	return true;
}
