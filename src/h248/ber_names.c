/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/ber_names.h"

#include <stdio.h>

#include "h248/text_parse.h"

static const char hex_digits[] = "0123456789abcdef";

size_t ber_numbered(char *out, const char *prefix, uint16_t number)
{
	size_t len = 0;

	for (; prefix[len]; len++)
		out[len] = prefix[len];
	for (int shift = 12; shift >= 0; shift -= 4)
		out[len++] = hex_digits[number >> shift & 15];
	return len;
}

static bool nibble(char c, unsigned *ret)
{
	if (c >= '0' && c <= '9')
		*ret = (unsigned)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		*ret = (unsigned)((c | 0x20) - 'a' + 10);
	else
		return false;
	return true;
}

bool ber_number_of(struct base_str name, const char *prefix, uint16_t *ret)
{
	size_t len = strlen(prefix);
	unsigned number = 0, digit = 0;

	if (name.len != len + 4 ||
	    !base_str_ieq((struct base_str){ name.ptr, len }, (struct base_str){ prefix, len }))
		return false;
	for (size_t i = len; i < name.len; i++) {
		if (!nibble(name.ptr[i], &digit))
			return false;
		number = number << 4 | digit;
	}
	*ret = (uint16_t)number;
	return true;
}

bool ber_is_name(struct base_str s)
{
	if (!s.len || s.len > 64 || text_is(s.ptr[0], CH_DIGIT) || s.ptr[0] == '_')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!text_is(s.ptr[i], CH_NAME))
			return false;
	}
	return true;
}

static bool is_name_or_all(struct base_str s)
{
	return base_str_eq(s, BASE_STR("*")) || ber_is_name(s);
}

bool ber_split_name(struct base_str s, struct h248_name *ret)
{
	const char *slash = s.len ? memchr(s.ptr, '/', s.len) : NULL;

	struct h248_name name;

	if (!slash)
		return false;
	name.package = (struct base_str){ s.ptr, (size_t)(slash - s.ptr) };
	name.item = (struct base_str){ slash + 1, s.len - name.package.len - 1 };
	if (!is_name_or_all(name.package) || !is_name_or_all(name.item))
		return false;
	*ret = name;
	return true;
}

/* ---- TerminationIDs ---- */

/*
 * Eight octets hold a name of up to eight octets as it is. Longer ones have the high bit set, which
 * no octet of a name has:
 *   8 + 60 bits  up to eleven letters of the alphabet below, base 43
 *   A + 60 bits  up to five of them, then a number of at most 32 bits: ip/1/4294967295
 *   9 + 60 bits  a hash of anything longer; the name itself travels beside it
 */
static const char alphabet[] = "\0abcdefghijklmnopqrstuvwxyz0123456789/_*$-.";
#define BASE       43
#define PACKED_MAX 11
#define PREFIX_MAX 5

/* Place in the alphabet; 0 for what is not in it. */
static const uint8_t place[256] = {
	['/'] = 37, ['_'] = 38, ['*'] = 39, ['$'] = 40, ['-'] = 41, ['.'] = 42, ['0'] = 27, 28,
	29,         30,         31,         32,         33,         34,         35,         36,
	['A'] = 1,  2,          3,          4,          5,          6,          7,          8,
	9,          10,         11,         12,         13,         14,         15,         16,
	17,         18,         19,         20,         21,         22,         23,         24,
	25,         26,         ['a'] = 1,  2,          3,          4,          5,          6,
	7,          8,          9,          10,         11,         12,         13,         14,
	15,         16,         17,         18,         19,         20,         21,         22,
	23,         24,         25,         26,
};

static bool letters(struct base_str s, size_t room, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < room; i++) {
		unsigned letter = i < s.len ? place[(uint8_t)s.ptr[i]] : 0;

		if (!letter && i < s.len)
			return false;
		v = v * BASE + letter;
	}
	*ret = v;
	return true;
}

/* The inverse; letters, then only padding. */
static bool unletters(uint64_t v, size_t room, char *out, size_t *ret_len)
{
	size_t len = 0;

	for (size_t i = room; i-- > 0; v /= BASE) {
		out[i] = alphabet[v % BASE];
		if (out[i] && !len)
			len = i + 1;
		else if (!out[i] && len)
			return false;
	}
	*ret_len = len;
	return v == 0;
}

/* Where the number at the end starts: canonical decimal of at most 32 bits. */
static bool number_at_end(struct base_str s, size_t *ret_prefix, uint64_t *ret)
{
	size_t from = s.len;
	uint64_t v = 0;

	while (from > 0 && s.ptr[from - 1] >= '0' && s.ptr[from - 1] <= '9')
		from--;
	if (from == s.len || s.len - from > 10 || from > PREFIX_MAX || s.ptr[from] == '0')
		return false;
	for (size_t i = from; i < s.len; i++)
		v = v * 10 + (unsigned)(s.ptr[i] - '0');
	*ret_prefix = from;
	*ret = v;
	return v <= UINT32_MAX;
}

static void put64(uint8_t out[BER_TERM_ID], uint64_t v)
{
	for (int i = 0; i < BER_TERM_ID; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* FNV-1a over the name in lower case: stable, so that a peer can be known by it again. */
static uint64_t hash(struct base_str s)
{
	uint64_t v = 0xcbf29ce484222325U;

	for (size_t i = 0; i < s.len; i++)
		v = (v ^ (uint8_t)base_lower(s.ptr[i])) * 0x100000001b3U;
	return v;
}

bool ber_term_pack(struct base_str name, uint8_t out[BER_TERM_ID], size_t *ret_len)
{
	uint64_t v = 0, number = 0;
	size_t prefix = 0;

	*ret_len = BER_TERM_ID;
	if (name.len <= BER_TERM_ID) {
		memcpy(out, name.ptr, name.len);
		*ret_len = name.len;
		return true;
	}
	if (name.len <= PACKED_MAX && letters(name, PACKED_MAX, &v)) {
		put64(out, 8ULL << 60 | v);
		return true;
	}
	if (number_at_end(name, &prefix, &number) &&
	    letters((struct base_str){ name.ptr, prefix }, PREFIX_MAX, &v)) {
		put64(out, 10ULL << 60 | v << 32 | number);
		return true;
	}
	put64(out, 9ULL << 60 | (hash(name) & ~(15ULL << 60)));
	return false;
}

/* A name that ber_term_pack makes these octets of. */
static bool packs_to(const char *name, size_t name_len, const uint8_t *id, size_t len)
{
	uint8_t again[BER_TERM_ID];
	size_t again_len;

	return name_len && ber_term_pack((struct base_str){ name, name_len }, again, &again_len) &&
	       again_len == len && memcmp(again, id, len) == 0;
}

static bool is_binary_name(const char *name, size_t len)
{
	return len >= 4 && name[3] == '/' &&
	       base_str_ieq((struct base_str){ name, 4 }, BASE_STR("bin/"));
}

static bool plain_text(const uint8_t *id, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!text_is((char)id[i], CH_PATH))
			return false;
	}
	return !(len == 1 && (id[0] == '*' || id[0] == '$')) &&
	       !base_str_ieq((struct base_str){ (const char *)id, len }, BASE_STR("ROOT")) &&
	       !is_binary_name((const char *)id, len);
}

bool ber_term_unpack(const uint8_t *id, size_t len, char out[BER_TERM_TEXT], size_t *ret_len)
{
	uint64_t v = 0, number;
	size_t prefix;

	if (len == 0 || len > BER_TERM_ID)
		return false;
	if (plain_text(id, len)) {
		memcpy(out, id, len);
		*ret_len = len;
		return true;
	}
	if (len != BER_TERM_ID)
		return false;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | id[i];
	number = v & UINT32_MAX;
	if (v >> 60 == 8)
		return unletters(v & ~(15ULL << 60), PACKED_MAX, out, ret_len) &&
		       !is_binary_name(out, *ret_len) && packs_to(out, *ret_len, id, len);
	if (v >> 60 != 10 || !unletters(v >> 32 & 0xFFFFFFF, PREFIX_MAX, out, &prefix))
		return false;
	*ret_len = prefix + (size_t)snprintf(out + prefix, BER_TERM_TEXT - prefix, "%lu",
	                                     (unsigned long)number);
	return !is_binary_name(out, *ret_len) && packs_to(out, *ret_len, id, len);
}

bool ber_term_binary(struct base_str name, uint8_t *fields, size_t *ret_fields,
                     uint8_t out[BER_TERM_ID], size_t *ret_len)
{
	size_t at = 4, len = 0, count = 0, prefix = 0;
	unsigned high = 0, low = 0;
	char text[BER_TERM_TEXT];

	if (!is_binary_name(name.ptr, name.len))
		return false;
	/* `*` or `$`, then seven bits in two digits: one wildcard field */
	while (at + 3 <= name.len && (name.ptr[at] == '*' || name.ptr[at] == '$')) {
		if (!nibble(name.ptr[at + 1], &high) || high > 7 || !nibble(name.ptr[at + 2], &low))
			return false;
		fields[count++] = (uint8_t)((name.ptr[at] == '*' ? 0x80 : 0) | (high << 4) | low);
		at += 3;
	}
	if (count && (at >= name.len || name.ptr[at++] != '/'))
		return false;
	for (; at < name.len; at += 2) {
		if (len == BER_TERM_ID || at + 2 > name.len || !nibble(name.ptr[at], &high) ||
		    !nibble(name.ptr[at + 1], &low))
			return false;
		out[len++] = (uint8_t)(high << 4 | low);
	}
	*ret_fields = count;
	*ret_len = len;
	/* octets with a text of their own are not spelled so, but for wildcards of other layouts */
	return len && (count || !ber_term_unpack(out, len, text, &prefix));
}
