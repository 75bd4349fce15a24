/* SPDX-License-Identifier: Apache-2.0 */
/* SDP as properties (C.11). */
#include "h248/ber_out.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "h248/ber_sdp.h"

/* ---- lines ---- */

#define MAPPED 1024
#define BLOCK  16
#define WINDOW 56 /* bits of the map that can be looked at from any place on */

/*
 * A text and where its lines end, found in one pass: to cut them then takes no branch on their
 * lengths, which nobody foresees.
 */
struct lines {
	struct base_str text; /* from the next line on */
	size_t at, mapped;    /* its place in the map, and how much is in the map */
	bool high;            /* there may have been an octet above 7F so far */
	uint16_t ends[MAPPED / BLOCK +
	              8]; /* a bit for each CR, LF and the end, the first one lowest */
};

#ifdef __SSE2__
static uint16_t ends_of(const char *at, unsigned *high)
{
	__m128i octets = _mm_loadu_si128((const __m128i *)(const void *)at);

	*high |= (unsigned)_mm_movemask_epi8(octets);
	return (uint16_t)_mm_movemask_epi8(
	        _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('\r')),
	                     _mm_cmpeq_epi8(octets, _mm_set1_epi8('\n'))));
}
#else
static uint16_t ends_of(const char *at, unsigned *high)
{
	unsigned ends = 0;

	for (unsigned i = 0; i < BLOCK; i++) {
		ends |= (unsigned)(at[i] == '\r' || at[i] == '\n') << i;
		*high |= (uint8_t)at[i] & 0x80U;
	}
	return (uint16_t)ends;
}
#endif

static void map(struct lines *l)
{
	size_t len = BASE_MIN(l->text.len, MAPPED), i = 0, blocks = len / BLOCK;
	const char *text = l->text.ptr;
	unsigned high = 0, last = 0;

	for (; i < blocks; i++)
		l->ends[i] = htole16(ends_of(text + i * BLOCK, &high));
	if (len >= BLOCK) /* the 16 octets where it ends, without what came before */
		last = (unsigned)ends_of(text + len - BLOCK, &high) >> (BLOCK - len % BLOCK);
	for (size_t at = 0; at < len && len < BLOCK; at++) {
		last |= (unsigned)(text[at] == '\r' || text[at] == '\n') << at;
		high |= (uint8_t)text[at] & 0x80U;
	}
	if (len == l->text.len)
		last |= 1U << len % BLOCK;
	l->ends[i] = htole16((uint16_t)last);
	memset(&l->ends[i + 1], 0, 2 * sizeof(uint64_t));
	l->at = 0;
	l->mapped = len;
	l->high |= high != 0;
}

/* The next WINDOW bits, or some more. */
static uint64_t window(const struct lines *l, size_t at)
{
	uint64_t bits;

	memcpy(&bits, (const uint8_t *)l->ends + at / 8, sizeof(bits));
	return le64toh(bits) >> at % 8;
}

/* Length of a line that does not end in its window. */
static size_t long_line(struct lines *l)
{
	const char *c = l->text.ptr;
	size_t len = WINDOW;

	for (; l->at + len <= l->mapped; len += WINDOW) {
		uint64_t ends = window(l, l->at + len);

		if (ends)
			return len + (size_t)__builtin_ctzll(ends);
	}
	for (len = 0; len < l->text.len && c[len] != '\r' && c[len] != '\n';)
		len++;
	l->mapped = 0; /* what comes behind it is mapped anew */
	l->high = true;
	return len;
}

static struct base_str line_next(struct lines *l)
{
	uint64_t ends = window(l, l->at);
	struct base_str line = { l->text.ptr, ends ? (size_t)__builtin_ctzll(ends) : long_line(l) };
	const char *end = line.ptr + line.len;
	size_t left = l->text.len - line.len, skip = left > 0;

	if (left > 1 && end[0] == '\r' && end[1] == '\n')
		skip = 2;
	l->text = (struct base_str){ end + skip, left - skip };
	l->at += line.len + skip;
	if (l->at > l->mapped)
		map(l);
	return line;
}

static void lines_start(struct lines *l, struct base_str text)
{
	l->text = text;
	l->high = false;
	map(l);
}

/* ---- properties ---- */

static bool begins(struct base_str line, const char *prefix)
{
	size_t len = strlen(prefix);

	return line.len >= len && memcmp(line.ptr, prefix, len) == 0;
}

/* Tag of a line `x=`, else BER_SDP_OTHER; *ret_text is what the value says. */
static uint32_t line_tag(struct base_str line, struct base_str *ret_text)
{
	/* places in h248_ber_sdp_letters, from 1 on */
	static const uint8_t places[32] = { ['v' - 96] = 1,  ['o' - 96] = 2,  ['s' - 96] = 3,
		                            ['i' - 96] = 4,  ['u' - 96] = 5,  ['e' - 96] = 6,
		                            ['p' - 96] = 7,  ['c' - 96] = 8,  ['b' - 96] = 9,
		                            ['z' - 96] = 10, ['k' - 96] = 11, ['a' - 96] = 12,
		                            ['t' - 96] = 13, ['r' - 96] = 14, ['m' - 96] = 15 };
	unsigned place = 0;

	*ret_text = line;
	if (line.len >= 2 && line.ptr[1] == '=' && (uint8_t)line.ptr[0] >> 5 == 3)
		place = places[line.ptr[0] & 31];
	if (!place)
		return BER_SDP_OTHER;
	*ret_text = (struct base_str){ line.ptr + 2, line.len - 2 };
	return BER_SDP_FIRST - 1 + place;
}

static void put_tag(struct ber_out *o, uint32_t tag)
{
	uint8_t octets[4] = { (uint8_t)(tag >> 24), (uint8_t)(tag >> 16), (uint8_t)(tag >> 8),
		              (uint8_t)tag };

	ber_put(o, TAG(0), octets, 4);
}

/* Behind a name: Value, each OCTET STRING whole, and perhaps extraInfo. Anything could be there. */
static bool kept_shape(const uint8_t *at, size_t len)
{
	const uint8_t *end = at + len, *values;

	if (len < 2 || at[0] != BOX(1) || at[1] >= 0x80 || at[1] > len - 2)
		return false;
	values = at + 2 + at[1];
	for (at += 2; at < values; at += 2 + at[1]) {
		if (values - at < 2 || at[0] != TAG_OCTETS || at[1] >= 0x80 ||
		    at[1] > values - at - 2)
			return false;
	}
	return at == end ||
	       (end - at == 5 && at[0] == BOX(2) && at[1] == 3 && (at[2] & ~3U) == 0x80 &&
	        at[3] == 1 && (at[2] != TAG(0) || at[4] <= 2) && at[2] != TAG(3));
}

/* `a=x-h248-` name `:` the rest of the property, in hexadecimal: back to what it was. */
static bool put_kept(struct ber_out *o, struct base_str line)
{
	struct base_str rest = { line.ptr + sizeof(BER_SDP_PREFIX) - 1,
		                 line.len - (sizeof(BER_SDP_PREFIX) - 1) };
	uint8_t name[4], octets[256];
	size_t name_len = 0, len = 0;

	if (!begins(line, BER_SDP_PREFIX) || rest.len < 9 || rest.ptr[8] != ':' ||
	    base_hex_decode((struct base_str){ rest.ptr, 8 }, name, 4, &name_len) ||
	    base_hex_decode((struct base_str){ rest.ptr + 9, rest.len - 9 }, octets, sizeof(octets),
	                    &len) ||
	    !kept_shape(octets, len))
		return false;
	ber_put(o, TAG(0), name, 4);
	ber_put_raw(o, octets, len);
	return true;
}

/*
 * All lengths have one octet, so it is written in one go: PropertyParm of a name and a string.
 * `room`: so many octets can be read at `text`.
 */
static void put_short_line(struct ber_out *o, uint32_t tag, struct base_str text, bool high,
                           size_t room)
{
	uint8_t len = (uint8_t)text.len;
	const uint8_t head[14] = { TAG_SEQUENCE,
		                   (uint8_t)(len + 12),
		                   TAG(0),
		                   4,
		                   0,
		                   0,
		                   (uint8_t)(tag >> 8),
		                   (uint8_t)tag,
		                   BOX(1),
		                   (uint8_t)(len + 4),
		                   TAG_OCTETS,
		                   (uint8_t)(len + 2),
		                   high ? TAG_UTF8 : TAG_IA5,
		                   len };

	if (!ber_reserve(o, sizeof(head) + text.len))
		return;
	memcpy(o->at, head, sizeof(head));
	if (text.len <= 64 && room >= 64 && (size_t)(o->end - o->at) >= sizeof(head) + 64)
		memcpy(o->at + sizeof(head), text.ptr, 64);
	else
		ber_copy(o->at + sizeof(head), text.ptr, text.len);
	o->at += sizeof(head) + text.len;
}

static void put_long_line(struct ber_out *o, struct base_str line, uint32_t tag,
                          struct base_str text)
{
	size_t at = ber_begin(o, TAG_SEQUENCE), list;

	if (!put_kept(o, line)) {
		put_tag(o, tag);
		list = ber_begin(o, BOX(1));
		if (text.len != 1 || text.ptr[0] != '$')
			ber_put_wrapped(o, TAG_OCTETS, text);
		ber_close(o, list);
	}
	ber_close(o, at);
}

static void put_line(struct ber_out *o, struct base_str line, bool high, const char *end)
{
	struct base_str text;
	uint32_t tag = line_tag(line, &text);

	if (text.len > 1 && text.len < 128 - 12 && !begins(line, BER_SDP_PREFIX))
		put_short_line(o, tag, text, high && ber_has_high(text), (size_t)(end - text.ptr));
	else
		put_long_line(o, line, tag, text);
}

static void put_groups(struct ber_out *o, struct base_str sdp)
{
	size_t group = ber_begin(o, TAG_SEQUENCE);
	bool first = true;
	struct lines l;

	lines_start(&l, sdp);
	while (l.text.len) {
		struct base_str line = line_next(&l);

		if (!first && begins(line, "v=")) { /* the next alternative */
			ber_close(o, group);
			group = ber_begin(o, TAG_SEQUENCE);
		}
		first = false;
		put_line(o, line, l.high, sdp.ptr + sdp.len);
	}
	ber_close(o, group);
}

/* IndAudPropertyParm: a line without a value asks, one with a value selects. */
static void put_asked_line(struct ber_out *o, struct base_str line)
{
	size_t at = ber_begin(o, TAG_SEQUENCE);
	struct base_str text;
	uint32_t tag = line_tag(line, &text);

	put_tag(o, tag);
	if (text.len) {
		size_t list, one = ber_begin(o, BOX(1));

		put_tag(o, tag);
		list = ber_begin(o, BOX(1));
		ber_put_wrapped(o, TAG_OCTETS, text);
		ber_close2(o, list, one);
	}
	ber_close(o, at);
}

/* `a=x-h248-group:` and four digits. */
static bool is_group(struct base_str line, uint8_t id[2])
{
	const size_t prefix = sizeof(BER_SDP_GROUP) - 1;
	size_t len = 0;

	return line.len == prefix + 4 && begins(line, BER_SDP_GROUP) &&
	       !base_hex_decode((struct base_str){ line.ptr + prefix, 4 }, id, 2, &len);
}

static void put_asked(struct ber_out *o, struct base_str sdp)
{
	struct lines l;
	uint8_t id[2];
	size_t at;

	lines_start(&l, sdp);
	if (is_group(line_next(&l), id))
		ber_put_uint(o, TAG(0), (uint32_t)id[0] << 8 | id[1]);
	else
		lines_start(&l, sdp);
	at = ber_begin(o, BOX(1));
	while (l.text.len)
		put_asked_line(o, line_next(&l));
	ber_close(o, at);
}

void ber_put_sdp(struct ber_out *o, unsigned tag, struct base_str sdp, bool audit)
{
	size_t at = ber_begin(o, tag), list;

	if (audit) {
		put_asked(o, sdp);
		ber_close(o, at);
		return;
	}
	list = ber_begin(o, BOX(0));
	if (sdp.len)
		put_groups(o, sdp);
	ber_close2(o, list, at);
}
