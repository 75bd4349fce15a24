/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LocalRemoteDescriptor: groups of properties of Annex C.11 into SDP. What has no line of its own
 * in SDP (other properties, lists, ranges, relations) is kept in a line `a=x-h248-`, the octets of
 * the PkgdName and those behind it in hexadecimal (P, docs/h248-ber.md).
 */
#include "h248/ber_in.h"
#include "h248/ber_sdp.h"

#define WORD sizeof(uint64_t)

/* SDP as it grows. */
struct sdp {
	struct ber_parser *p;
	char *text;
	size_t len, room;
};

/* The letters of C.11, by tag minus B001. */
const char h248_ber_sdp_letters[15] = "vosiuepcbzkatrm";

static bool grow(struct sdp *s, size_t more)
{
	size_t room = 2 * (s->len + more);
	char *text = ber_room(s->p, room);

	if (!text)
		return false;
	if (s->len)
		memcpy(text, s->text, s->len);
	s->text = text;
	s->room = room;
	return true;
}

/* What the text did not need, when nothing else was taken since. */
static void give_back(struct sdp *s)
{
	struct base_arena *a = s->p->arena;
	size_t unused = (s->room - s->len) & ~(size_t)15;

	if (!s->text || a->at != s->text + ((s->room + 15) & ~(size_t)15))
		return;
	a->at -= unused;
	a->used -= unused;
}

static bool put(struct sdp *s, const char *text, size_t len)
{
	if (s->room - s->len < len && !grow(s, len))
		return false;
	if (len)
		memcpy(s->text + s->len, text, len);
	s->len += len;
	return true;
}

static bool put_hex(struct sdp *s, const uint8_t *octets, size_t len)
{
	if (s->room - s->len < 2 * len && !grow(s, 2 * len))
		return false;
	for (size_t i = 0; i < len; i++) {
		s->text[s->len++] = "0123456789abcdef"[octets[i] >> 4];
		s->text[s->len++] = "0123456789abcdef"[octets[i] & 15];
	}
	return true;
}

/* A line that SDP can hold: no line end and no NUL inside. */
static bool one_line(struct base_str s)
{
	return !s.len || (!memchr(s.ptr, '\n', s.len) && !memchr(s.ptr, '\r', s.len) &&
	                  !memchr(s.ptr, '\0', s.len));
}

struct line {
	uint32_t name;
	struct base_str text;
	bool value; /* one value, or none (CHOOSE), and no extraInfo */
};

/* SEQUENCE OF OCTET STRING of at most one; `choose` when there is none. */
static bool line_value(struct ber_parser *p, struct line *line)
{
	unsigned count = 0;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	for (; ber_element(p, &box, BER_OCTET_STRING); count++) {
		if (!ber_wrapped_string(p, &line->text))
			return false;
	}
	if (!count)
		line->text = BASE_STR("$");
	line->value = count <= 1;
	return !p->code;
}

static bool line_name(struct ber_parser *p, struct line *line)
{
	struct base_str s;

	if (!ber_sized(p, 4, 4, &s))
		return false;
	line->name = (uint32_t)(uint8_t)s.ptr[0] << 24 | (uint32_t)(uint8_t)s.ptr[1] << 16 |
	             (uint32_t)(uint8_t)s.ptr[2] << 8 | (uint8_t)s.ptr[3];
	return true;
}

/* `letter` = 0: the text alone. */
static bool put_sdp(struct sdp *s, char letter, struct base_str text)
{
	char *at;

	if (s->room - s->len < text.len + 4 && !grow(s, text.len + 4))
		return false;
	at = s->text + s->len;
	if (s->len) {
		*at++ = '\r';
		*at++ = '\n';
	}
	if (letter) {
		*at++ = letter;
		*at++ = '=';
	}
	if (text.len)
		memcpy(at, text.ptr, text.len);
	s->len = (size_t)(at - s->text) + text.len;
	return true;
}

static bool put_line(struct sdp *s, const struct line *line, const uint8_t *rest, size_t rest_len)
{
	uint8_t name[4] = { (uint8_t)(line->name >> 24), (uint8_t)(line->name >> 16),
		            (uint8_t)(line->name >> 8), (uint8_t)line->name };

	if (line->value && one_line(line->text)) {
		if (line->name >= BER_SDP_FIRST && line->name <= BER_SDP_LAST)
			return put_sdp(s, h248_ber_sdp_letters[line->name - BER_SDP_FIRST],
			               line->text);
		if (line->name == BER_SDP_OTHER)
			return put_sdp(s, 0, line->text);
	}
	return put_sdp(s, 0, BASE_STR(BER_SDP_PREFIX)) && put_hex(s, name, 4) && put(s, ":", 1) &&
	       put_hex(s, rest, rest_len);
}

static bool property(struct sdp *s, bool *first, bool later_group)
{
	struct ber_parser *p = s->p;
	const uint8_t *from = p->h.from, *rest = NULL, *end = NULL;
	struct line line = { .value = false };
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			ok = line_name(p, &line);
			rest = p->at;
		} else if (tag == 1) {
			ok = line_value(p, &line);
			end = p->at;
		} else {
			ok = ber_extension(p, NULL);
			line.value = false;
			end = p->at;
		}
		if (!ok)
			return false;
	}
	if (tag != BER_END || !ber_need(p, &box, 3, from))
		return false;
	/* groups are told apart by v= alone */
	if (*first && later_group && line.name != BER_SDP_FIRST && !put_sdp(s, 'v', BASE_STR("0")))
		return false;
	*first = false;
	return put_line(s, &line, rest, (size_t)(end - rest));
}

/* ---- the usual line ---- */

/* Is an octet of the word below 0x0E, as NUL, CR and LF are? Others may be taken for one. */
static bool suspect(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255;

	return (word - ones * 0x0E) & ~word & ones * 0x80;
}

/* The text in words, the last of them overlapping; false when it may not be in one line. */
static bool copy_line(char *to, const uint8_t *from, size_t len)
{
	uint64_t word, bad = 0;

	if (len < WORD) {
		for (size_t i = 0; i < len; i++) {
			to[i] = (char)from[i];
			bad |= from[i] < 0x0E;
		}
		return !bad;
	}
	for (size_t i = 0; i < len - WORD; i += WORD) {
		memcpy(&word, from + i, WORD);
		memcpy(to + i, &word, WORD);
		bad |= suspect(word);
	}
	memcpy(&word, from + len - WORD, WORD);
	memcpy(to + len - WORD, &word, WORD);
	return !(bad | suspect(word));
}

/*
 * The layout of nearly every property, all lengths in one octet:
 *   30 n  80 04 0000B0xx  A1 n-8  04 n-10  16 n-12 text
 * The octets are checked at once, and the line is written at once. False: nothing was read.
 */
static bool usual_line(struct sdp *s, bool needs_v)
{
	struct ber_parser *p = s->p;
	const uint8_t *at = p->at;
	size_t left = (size_t)(p->limit - at), len;
	char *to;

	if (left < 14 || at[0] != 0x30 || memcmp(at + 2, "\x80\x04\x00\x00\xB0", 5) != 0)
		return false;
	len = at[1];
	if (len < 12 || len > 0x7F || len > left - 2 || at[7] < 1 || (needs_v && at[7] != 1) ||
	    at[7] > sizeof(h248_ber_sdp_letters) || at[8] != 0xA1 || at[9] != len - 8 ||
	    at[10] != 0x04 || at[11] != len - 10 || at[13] != len - 12 ||
	    (at[12] != BER_IA5_STRING && at[12] != BER_UTF8_STRING))
		return false;
	len -= 12;
	if (s->room - s->len < len + 4)
		return false;
	to = s->text + s->len;
	if (s->len) {
		*to++ = '\r';
		*to++ = '\n';
	}
	*to++ = h248_ber_sdp_letters[at[7] - 1];
	*to++ = '=';
	if (!copy_line(to, at + 14, len))
		return false;
	s->len = (size_t)(to - s->text) + len;
	p->at = at + 14 + len;
	return true;
}

static bool group(struct sdp *s, int index)
{
	struct ber_parser *p = s->p;
	bool first = true;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	for (int i = 0;; i++) {
		if (usual_line(s, first && index > 0)) {
			first = false;
			continue;
		}
		if (!ber_element(p, &box, BER_SEQUENCE))
			return !p->code;
		if (!property(s, &first, index > 0))
			return ber_in(p, "PropertyGroup", i);
	}
}

static bool groups(struct sdp *s)
{
	struct ber_parser *p = s->p;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	for (int i = 0; ber_element(p, &box, BER_SEQUENCE); i++) {
		if (!group(s, i))
			return ber_in(p, "propGrps", i);
	}
	return !p->code;
}

/* IndAudPropertyParm: a line without a value asks for it. */
static bool asked(struct sdp *s)
{
	struct ber_parser *p = s->p;
	const uint8_t *from = p->h.from;
	struct line line = { .value = true };
	bool first = true;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok = true;

		if (tag == 0)
			ok = line_name(p, &line);
		else if (tag == 1)
			ok = property(s, &first, false);
		else
			ok = ber_extension(p, NULL);
		if (!ok)
			return false;
	}
	if (tag != BER_END || !ber_need(p, &box, 1, from))
		return false;
	return !first || put_line(s, &line, NULL, 0);
}

static bool asked_list(struct sdp *s)
{
	struct ber_parser *p = s->p;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		if (!asked(s))
			return false;
	}
	return !p->code;
}

static bool group_id(struct sdp *s)
{
	uint32_t id = 0;
	uint8_t octets[2];

	if (!ber_uint(s->p, 65535, &id))
		return false;
	octets[0] = (uint8_t)(id >> 8);
	octets[1] = (uint8_t)id;
	return put(s, BER_SDP_GROUP, sizeof(BER_SDP_GROUP) - 1) && put_hex(s, octets, 2);
}

bool ber_sdp(struct ber_parser *p, bool audit, struct base_str *ret)
{
	struct sdp s = { .p = p };
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (p->h.len != BER_INDEFINITE && p->h.len && !grow(&s, p->h.len / 2))
		return false;
	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = audit ? group_id(&s) : groups(&s);
		else if (tag == 1 && audit)
			ok = asked_list(&s);
		else
			ok = ber_extension(p, NULL);
		if (!ok)
			return false;
	}
	give_back(&s);
	*ret = (struct base_str){ s.text, s.len };
	return tag == BER_END && ber_need(p, &box, audit ? 2 : 1, from);
}
