/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/error.h"

bool base_str_eq(struct base_str a, struct base_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int base_str_icmp(struct base_str a, struct base_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		int d = base_lower((unsigned char)a.ptr[i]) - base_lower((unsigned char)b.ptr[i]);

		if (d)
			return d;
	}
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

bool base_str_ieq(struct base_str a, struct base_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (a.ptr[i] != b.ptr[i] && base_lower(a.ptr[i]) != base_lower(b.ptr[i]))
			return false;
	}
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct base_str base_str_trim(struct base_str s)
{
	while (s.len && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

int base_str_u64(struct base_str s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0)
		return BASE_ERR(BASE_PEER, 0);
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';

		if (digit > 9 || digit > max || v > (max - digit) / 10)
			return BASE_ERR(BASE_PEER, 0);
		v = v * 10 + digit;
	}
	*ret = v;
	return 0;
}

/* More than 15 for any other character; without branches, since digits come in no order. */
static unsigned hex_value(char c)
{
	unsigned digit = (unsigned char)c - (unsigned)'0';
	unsigned letter = ((unsigned char)c | 0x20U) - (unsigned)'a';

	letter = letter < 6 ? letter + 10 : 0xFF;
	return digit < 10 ? digit : letter;
}

int base_hex_decode(struct base_str s, uint8_t *out, size_t cap, size_t *ret_len)
{
	if (s.len % 2 || s.len / 2 > cap)
		return BASE_ERR(BASE_PEER, 0);
	for (size_t i = 0; i < s.len; i += 2) {
		unsigned hi = hex_value(s.ptr[i]), lo = hex_value(s.ptr[i + 1]);

		if ((hi | lo) > 15)
			return BASE_ERR(BASE_PEER, 0);
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	*ret_len = s.len / 2;
	return 0;
}

void base_hex_encode(const uint8_t *in, size_t len, char sep, bool upper, char *out)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		if (sep && i)
			*out++ = sep;
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
}
