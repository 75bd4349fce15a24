/* SPDX-License-Identifier: Apache-2.0 */
#include "msrp/lex.h"

bool msrp_is_token(unsigned char c)
{
	return c == '!' || (c >= '#' && c <= '\'') || c == '*' || c == '+' || c == '-' ||
	       c == '.' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= '^' && c <= '~');
}

bool msrp_is_ident(struct base_str s)
{
	if (s.len < 4 || s.len > 32 || !msrp_is_alphanum((unsigned char)s.ptr[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!msrp_is_alphanum((unsigned char)s.ptr[i]) &&
		    (!s.ptr[i] || !strchr(".-+%=", s.ptr[i])))
			return false;
	return true;
}

/** How many octets follow this first one (UTF8-NONASCII goes up to five); -1: it is none. */
static int followers(unsigned char c)
{
	if (c < 0x80)
		return c == '\t' || (c >= 0x20 && c != 0x7f) ? 0 : -1;
	if (c < 0xc0)
		return -1;
	if (c < 0xe0)
		return 1;
	if (c < 0xf0)
		return 2;
	if (c < 0xf8)
		return 3;
	if (c < 0xfc)
		return 4;
	return c < 0xfe ? 5 : -1;
}

bool msrp_is_text(struct base_str s)
{
	int more;

	for (size_t i = 0; i < s.len; i++) {
		more = followers((unsigned char)s.ptr[i]);
		if (more < 0 || (size_t)more >= s.len - i)
			return false;
		for (; more > 0; more--)
			if (((unsigned char)s.ptr[++i] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

bool msrp_code(struct base_str s, unsigned *ret)
{
	uint64_t n;

	if (s.len != 3 || base_str_u64(s, 999, &n))
		return false;
	*ret = (unsigned)n;
	return true;
}
