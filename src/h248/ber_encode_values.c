/* SPDX-License-Identifier: Apache-2.0 */
/* Values, wrapped twice (A.2, NOTE 4), and SDP as properties (C.11). */
#include "h248/ber_out.h"

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "h248/ber_names.h"
#include "h248/ber_packages.h"
#include "h248/ber_sdp.h"
#include "h248/text_parse.h"

#define HIGH_BITS (UINT64_MAX / 255 * 0x80)

/* ---- one value ---- */

/* Is there an octet above 7F? */
static bool has_high(struct base_str s)
{
	uint64_t some = 0, word;
	size_t i = 0;

	for (; i + 8 <= s.len; i += 8) {
		memcpy(&word, s.ptr + i, 8);
		some |= word;
	}
	for (; i < s.len; i++)
		some |= (uint8_t)s.ptr[i];
	return (some & HIGH_BITS) != 0;
}

static void put_string(struct ber_out *o, struct base_str s)
{
	ber_put_str(o, has_high(s) ? TAG_UTF8 : TAG_IA5, s);
}

void ber_put_wrapped(struct ber_out *o, unsigned tag, struct base_str s)
{
	size_t at = ber_begin(o, tag);

	put_string(o, s);
	ber_close(o, at);
}

/* Decimal of at most 64 bits; `canonical`: only when it would be written so again. */
static bool number_of(struct base_str s, bool canonical, int64_t *ret)
{
	bool minus = s.len > 1 && s.ptr[0] == '-';
	struct base_str digits = { s.ptr + minus, s.len - minus };
	uint64_t v = 0;

	while (digits.len > 19 && digits.ptr[0] == '0') {
		digits.ptr++;
		digits.len--;
	}
	if (!digits.len || digits.len > 19)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		unsigned digit = (uint8_t)digits.ptr[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	if (v > INT64_MAX)
		return false;
	if (canonical && ((s.len - minus > 1 && s.ptr[minus] == '0') || (minus && !v)))
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool hex_number(struct base_str s, int64_t *ret)
{
	uint64_t v = 0;

	if (s.len < 3 || s.len > 18 || s.ptr[0] != '0' || (s.ptr[1] | 0x20) != 'x')
		return false;
	for (size_t i = 2; i < s.len; i++) {
		char c = (char)(s.ptr[i] | 0x20);

		if (!text_is(s.ptr[i], CH_HEX) || v >> 59)
			return false;
		v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = (int64_t)v;
	return true;
}

/* OCTET STRING of hexadecimal digits. */
static bool put_octets(struct ber_out *o, struct base_str s)
{
	size_t at, len = 0;

	if (s.len % 2)
		return false;
	at = ber_begin(o, TAG_OCTETS);
	if (s.len && ber_reserve(o, s.len / 2)) {
		if (base_hex_decode(s, o->at, s.len / 2, &len)) {
			o->at -= 2; /* as if not begun */
			return false;
		}
		o->at += len;
	}
	ber_close(o, at);
	return true;
}

static bool put_enum(struct ber_out *o, const struct h248_package_values *values, struct base_str s)
{
	int64_t number;

	for (size_t i = 0; i < values->name_count; i++) { /* nearly always, if it was decoded */
		if (values->names[i].name == s.ptr && !s.ptr[s.len]) {
			ber_put_uint(o, TAG_ENUM, values->names[i].number);
			return true;
		}
	}
	for (size_t i = 0; i < values->name_count; i++) {
		const char *name = values->names[i].name;

		if (s.len && base_lower(name[0]) == base_lower(s.ptr[0]) &&
		    base_str_ieq(base_str_of(name), s)) {
			ber_put_uint(o, TAG_ENUM, values->names[i].number);
			return true;
		}
	}
	if (!number_of(s, true, &number))
		return false;
	ber_put_int(o, TAG_ENUM, number);
	return true;
}

static bool put_boolean(struct ber_out *o, struct base_str s)
{
	static const char *const words[] = { "on", "off", "true", "false" };
	size_t word = s.len - 2; /* each length but once */

	if (word >= BASE_COUNT(words) || !base_str_ieq(base_str_of(words[word]), s))
		return false;
	ber_put_bool(o, TAG_BOOLEAN, word % 2 == 0);
	return true;
}

/* A signal as its PkgdName; false when it is not spelled as one. */
static bool put_signal_name(struct ber_out *o, struct base_str s)
{
	struct h248_name name;

	if (!ber_split_name(s, &name))
		return false;
	(void)ber_put_pkgd(o, TAG_OCTETS, H248_SIGNAL, name); /* the row is not needed */
	return true;
}

/* By the type of the table; false when the value is not of that type. */
static bool put_typed(struct ber_out *o, const struct h248_package_values *values,
                      const struct h248_value *v)
{
	int64_t number;

	switch (values->type) {
	case H248_TYPE_STRING:
	case H248_TYPE_CHARACTER:
		if (ber_is_signal_name(values) && put_signal_name(o, v->text))
			return true;
		put_string(o, v->text); /* also without quotes, as Erlang sends it */
		return true;
	case H248_TYPE_OCTETS:
		return put_octets(o, v->text);
	case H248_TYPE_BOOLEAN:
		return !v->quoted && put_boolean(o, v->text);
	case H248_TYPE_ENUM:
		return !v->quoted && put_enum(o, values, v->text);
	case H248_TYPE_INTEGER:
	case H248_TYPE_DOUBLE:
		if (v->quoted ||
		    (!number_of(v->text, false, &number) && !hex_number(v->text, &number)))
			return false;
		ber_put_int(o, TAG_INTEGER, number);
		return true;
	default:
		return false;
	}
}

/*
 * By its spelling, when the type is not known (P): quoted a string, a number an INTEGER, `0x` an
 * OCTET STRING, any other word itself, unwrapped.
 */
static void put_untyped(struct ber_out *o, const struct h248_value *v)
{
	struct base_str s = v->text;
	int64_t number;

	if (v->quoted)
		put_string(o, s);
	else if (number_of(s, true, &number))
		ber_put_int(o, TAG_INTEGER, number);
	else if (s.len < 2 || s.ptr[0] != '0' || s.ptr[1] != 'x' ||
	         !put_octets(o, (struct base_str){ s.ptr + 2, s.len - 2 }))
		ber_put_raw(o, s.ptr, s.len);
}

static void put_value(struct ber_out *o, const struct h248_package_values *values,
                      const struct h248_value *v)
{
	size_t at = ber_begin(o, TAG_OCTETS);

	if (!values || !put_typed(o, values, v))
		put_untyped(o, v);
	ber_close(o, at);
}

/* ---- lists of them ---- */

void ber_put_values(struct ber_out *o, unsigned tag, const struct h248_package_values *values,
                    const struct h248_value *v)
{
	size_t at = ber_begin(o, tag);

	for (; v; v = v->next)
		put_value(o, values, v);
	ber_close(o, at);
}

static bool is_choose(const struct h248_parm *parm)
{
	const struct h248_value *v = &parm->value;

	return parm->form == H248_FORM_EQUAL && !v->quoted && !v->next && v->text.len == 1 &&
	       v->text.ptr[0] == '$';
}

static void put_extra(struct ber_out *o, unsigned tag, uint8_t form)
{
	size_t at = ber_begin(o, tag);

	switch (form) {
	case H248_FORM_AND:
	case H248_FORM_OR:
		ber_put_bool(o, TAG(2), form == H248_FORM_AND);
		break;
	case H248_FORM_RANGE:
		ber_put_bool(o, TAG(1), true);
		break;
	default:
		ber_put_uint(o, TAG(0), (uint32_t)(form - H248_FORM_GREATER));
	}
	ber_close(o, at);
}

void ber_put_parm_value(struct ber_out *o, unsigned tag, const struct h248_package_values *values,
                        const struct h248_parm *parm)
{
	ber_put_values(o, tag, values, is_choose(parm) ? NULL : &parm->value);
	if (parm->form > H248_FORM_EQUAL)
		put_extra(o, tag + 1, parm->form);
}

void ber_put_property(struct ber_out *o, unsigned tag, const struct h248_parm *parm)
{
	size_t at = ber_begin(o, tag);
	const struct h248_package_item *item = ber_put_pkgd(o, TAG(0), H248_PROPERTY, parm->name);

	ber_put_parm_value(o, BOX(1), item ? &item->values : NULL, parm);
	ber_close(o, at);
}

void ber_put_properties(struct ber_out *o, unsigned tag, const struct h248_parm *parm)
{
	size_t at = ber_begin(o, tag);

	for (; parm; parm = parm->next)
		ber_put_property(o, TAG_SEQUENCE, parm);
	ber_close(o, at);
}

/* IndAudPropertyParm: a value is a condition (v3). */
void ber_put_asked(struct ber_out *o, unsigned tag, const struct h248_parm *parm)
{
	size_t at = ber_begin(o, tag);

	for (; parm; parm = parm->next) {
		size_t one = ber_begin(o, TAG_SEQUENCE);

		(void)ber_put_pkgd(o, TAG(0), H248_PROPERTY,
		                   parm->name); /* the row is not needed */
		if (parm->form != H248_FORM_NONE)
			ber_put_property(o, BOX(1), parm);
		ber_close(o, one);
	}
	ber_close(o, at);
}

void ber_put_params(struct ber_out *o, unsigned tag, const struct h248_package_item *item,
                    enum h248_package_list list, const struct h248_parm *parm)
{
	size_t at = ber_begin(o, tag);

	for (; parm; parm = parm->next) {
		size_t one = ber_begin(o, TAG_SEQUENCE);
		const struct h248_package_param *row =
		        ber_put_param_name(o, TAG(0), item, list, parm->name.item);

		ber_put_parm_value(o, BOX(1), row ? &row->values : NULL, parm);
		ber_close(o, one);
	}
	ber_close(o, at);
}

/* ---- SDP ---- */

#ifdef __SSE2__
/* Which of 16 octets end a line: a bit each, the first one lowest. */
static uint32_t ends_of(const char *at)
{
	__m128i octets = _mm_loadu_si128((const __m128i *)at);

	return (uint32_t)_mm_movemask_epi8(
	        _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('\r')),
	                     _mm_cmpeq_epi8(octets, _mm_set1_epi8('\n'))));
}
#else
/*
 * Which of eight octets are `c`, a bit each, the first one lowest. The lowest bit that is set is
 * right; those above it may be wrong.
 */
static uint32_t with(uint64_t word, uint8_t c)
{
	uint64_t zero = word ^ (UINT64_MAX / 255 * c);

	zero = (zero - UINT64_MAX / 255) & ~zero & HIGH_BITS;
	return (uint32_t)((zero >> 7) * 0x0102040810204080U >> 56);
}

static uint32_t ends_of(const char *at)
{
	uint32_t ends = 0;
	uint64_t word;

	for (unsigned i = 0; i < 2; i++) {
		memcpy(&word, at + (size_t)8 * i, 8);
		word = le64toh(word);
		ends |= (with(word, '\r') | with(word, '\n')) << 8 * i;
	}
	return ends;
}
#endif

/* Up to CR or LF; `before` so many octets can be read in front of `s`. */
static size_t line_len(struct base_str s, size_t before)
{
	size_t len = 0;
	uint32_t ends = 0;

	for (; len + 16 <= s.len; len += 16) {
		ends = ends_of(s.ptr + len);
		if (ends)
			return len + (size_t)__builtin_ctz(ends);
	}
	if (s.len + before >= 16) { /* 16 octets that end where the text ends */
		ends = ends_of(s.ptr + s.len - 16) >> (16 - (s.len - len));
		return ends ? len + (size_t)__builtin_ctz(ends) : s.len;
	}
	while (len < s.len && s.ptr[len] != '\r' && s.ptr[len] != '\n')
		len++;
	return len;
}

/* The next line of a text that starts at `start`. */
static struct base_str line_next(struct base_str *rest, const char *start)
{
	struct base_str line = { rest->ptr, line_len(*rest, (size_t)(rest->ptr - start)) };

	rest->ptr += line.len;
	rest->len -= line.len;
	if (rest->len) {
		size_t end = rest->len > 1 && rest->ptr[0] == '\r' && rest->ptr[1] == '\n' ? 2 : 1;

		rest->ptr += end;
		rest->len -= end;
	}
	return line;
}

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
		put_short_line(o, tag, text, high && has_high(text), (size_t)(end - text.ptr));
	else
		put_long_line(o, line, tag, text);
}

static void put_groups(struct ber_out *o, struct base_str sdp)
{
	size_t group = ber_begin(o, TAG_SEQUENCE);
	const char *start = sdp.ptr, *end = sdp.ptr + sdp.len;
	bool first = true, high = has_high(sdp);

	while (sdp.len) {
		struct base_str line = line_next(&sdp, start);

		if (begins(line, "v=") && !first) { /* the next alternative */
			ber_close(o, group);
			group = ber_begin(o, TAG_SEQUENCE);
		}
		first = false;
		put_line(o, line, high, end);
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

static void put_asked(struct ber_out *o, struct base_str sdp)
{
	struct base_str rest = sdp, line = line_next(&rest, sdp.ptr);
	uint8_t id[2];
	size_t at, len;

	if (begins(line, BER_SDP_GROUP) &&
	    !base_hex_decode((struct base_str){ line.ptr + sizeof(BER_SDP_GROUP) - 1,
	                                        line.len - (sizeof(BER_SDP_GROUP) - 1) },
	                     id, 2, &len) &&
	    len == 2) {
		ber_put_uint(o, TAG(0), (uint32_t)id[0] << 8 | id[1]);
		sdp = rest;
	}
	at = ber_begin(o, BOX(1));
	while (sdp.len)
		put_asked_line(o, line_next(&sdp, sdp.ptr));
	ber_close(o, at);
}

void ber_put_sdp(struct ber_out *o, unsigned tag, struct base_str sdp, bool audit)
{
	size_t at = ber_begin(o, tag);

	if (audit) {
		put_asked(o, sdp);
	} else {
		size_t list = ber_begin(o, BOX(0));

		if (sdp.len)
			put_groups(o, sdp);
		ber_close(o, list);
	}
	ber_close(o, at);
}
