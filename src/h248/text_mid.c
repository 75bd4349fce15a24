/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/build.h"
#include "h248/text_parse.h"

/* ":" portNumber, without blanks (trap 7.9). */
static bool port(struct text_parser *p, struct h248_mid *mid)
{
	if (text_peek(p) != ':')
		return true;
	p->at++;
	mid->has_port = true;
	return text_u16(p, &mid->port);
}

/* 1*3 DIGIT four times; leading zeros are grammatical. */
static bool ip4(struct base_str s, uint8_t out[4])
{
	size_t at = 0;

	for (unsigned part = 0; part < 4; part++) {
		unsigned v = 0, digits = 0;

		while (at < s.len && text_is(s.ptr[at], CH_DIGIT) && digits < 3) {
			v = v * 10 + (unsigned)(s.ptr[at++] - '0');
			digits++;
		}
		if (!digits || v > 255)
			return false;
		if (part < 3 && (at == s.len || s.ptr[at++] != '.'))
			return false;
		out[part] = (uint8_t)v;
	}
	return at == s.len;
}

/* One hex4 group. */
static bool group(struct base_str s, size_t *at, uint8_t out[2])
{
	unsigned v = 0, digits = 0;

	while (*at < s.len && text_is(s.ptr[*at], CH_HEX) && digits < 4) {
		char c = s.ptr[(*at)++];

		v = v * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		digits++;
	}
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
	return digits > 0;
}

/* RFC 2373 text; `::` at most once, an IPv4 tail allowed (also right after `::`, trap 7.9). */
static bool ip6(struct base_str s, uint8_t out[16])
{
	uint8_t part[16];
	size_t at = 0, len = 0, gap = SIZE_MAX;

	if (s.len >= 2 && s.ptr[0] == ':' && s.ptr[1] == ':') {
		gap = 0;
		at = 2;
	}
	while (at < s.len) {
		struct base_str rest = { s.ptr + at, s.len - at };

		if (len <= 12 && memchr(rest.ptr, '.', rest.len) &&
		    !memchr(rest.ptr, ':', rest.len)) {
			if (!ip4(rest, part + len))
				return false;
			len += 4;
			break;
		}
		if (len > 14 || !group(s, &at, part + len))
			return false;
		len += 2;
		if (at == s.len)
			break;
		if (s.ptr[at++] != ':' || at == s.len)
			return false;
		if (s.ptr[at] == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = len;
			at++;
		}
	}
	if (gap == SIZE_MAX ? len != 16 : len > 14)
		return false;
	memset(out, 0, 16);
	if (gap == SIZE_MAX)
		gap = len;
	memcpy(out, part, gap);
	memcpy(out + 16 - (len - gap), part + gap, len - gap);
	return true;
}

static bool address(struct text_parser *p, struct h248_mid *mid)
{
	struct base_str s;
	const char *to;

	p->at++;
	to = memchr(p->at, ']', BASE_MIN((size_t)(p->end - p->at), (size_t)64));
	if (!to)
		return text_expected(p, "an IP address and ']'");
	s = (struct base_str){ p->at, (size_t)(to - p->at) };
	if (memchr(s.ptr, ':', s.len)) {
		mid->kind = H248_MID_IP6;
		mid->address_len = 16;
		if (!ip6(s, mid->address))
			return text_expected(p, "an IPv6 address");
	} else {
		mid->kind = H248_MID_IP4;
		mid->address_len = 4;
		if (!ip4(s, mid->address))
			return text_expected(p, "an IPv4 address");
	}
	p->at = to + 1;
	return port(p, mid);
}

static bool domain(struct text_parser *p, struct h248_mid *mid)
{
	const char *from = ++p->at;

	while (p->at < p->end &&
	       (*p->at == '-' || *p->at == '.' || (text_is(*p->at, CH_NAME) && *p->at != '_')))
		p->at++;
	mid->kind = H248_MID_DOMAIN;
	mid->name = (struct base_str){ from, (size_t)(p->at - from) };
	if (mid->name.len == 0 || mid->name.len > 64 || !text_is(from[0], CH_NAME))
		return text_fail(p, p->syntax_code, from,
		                 "a domain name of 1 to 64 letters, digits, '-' or '.'");
	if (text_peek(p) != '>')
		return text_expected(p, "'>' after the domain name");
	p->at++;
	return port(p, mid);
}

/* MTP { 4, 6 or 8 hex digits }; the braces bring LWSP. */
static bool mtp(struct text_parser *p, struct h248_mid *mid)
{
	struct base_str hex;
	size_t len = 0;

	hex = text_run(p, CH_HEX);
	if ((hex.len != 4 && hex.len != 6 && hex.len != 8) ||
	    base_hex_decode(hex, mid->address, 4, &len))
		return text_fail(p, p->syntax_code, hex.ptr, "4, 6 or 8 hex digits");
	mid->kind = H248_MID_MTP;
	mid->address_len = (uint8_t)len;
	return text_lwsp(p) && (text_peek(p) == '}' || text_expected(p, "'}'"));
}

static bool device(struct text_parser *p, struct h248_mid *mid)
{
	const char *from = p->at;
	struct base_str name = text_run(p, CH_PATH);
	const char *after = p->at;

	if (name.len == 3 && base_str_ieq(name, BASE_STR("MTP")) && text_try(p, '{')) {
		if (!mtp(p, mid))
			return false;
		p->at++; /* the LWSP behind is left for whoever needs a SEP there */
		return true;
	}
	if (p->code)
		return false;
	p->at = after; /* no brace: what text_try stepped over was not ours */
	mid->kind = H248_MID_DEVICE;
	mid->name = name;
	if (name.len == 0 || name.len > 64 || text_is(from[0], CH_DIGIT) || from[0] == '-' ||
	    from[0] == '.' || from[0] == '/' || from[0] == '@')
		return text_fail(p, p->syntax_code, from, "an mId");
	return true;
}

bool text_mid(struct text_parser *p, bool port_alone, struct h248_mid *mid)
{
	char c = text_peek(p);

	if (c == '[')
		return address(p, mid);
	if (c == '<')
		return domain(p, mid);
	if (port_alone && text_is(c, CH_DIGIT)) {
		mid->kind = H248_MID_PORT;
		mid->has_port = true;
		return text_u16(p, &mid->port);
	}
	return device(p, mid);
}

int h248_mid_parse(struct base_str text, struct h248_mid *ret)
{
	struct text_parser p = { .at = text.ptr,
		                 .start = text.ptr,
		                 .end = text.ptr + text.len,
		                 .syntax_code = H248_E_SYNTAX_MESSAGE };
	struct h248_mid mid = { 0 };

	if (text.len == 0 || !text_mid(&p, false, &mid) || p.at != p.end)
		return BASE_ERR(BASE_PEER, H248_E_SYNTAX_MESSAGE);
	*ret = mid;
	return 0;
}
