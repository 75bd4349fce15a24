/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/ber_out.h"

#include "h248/ber_names.h"
#include "h248/ber_packages.h"
#include "h248/ber_private.h"
#include "h248/text_parse.h"

/* ---- octets ---- */

static size_t length_octets(size_t len)
{
	if (len < 128)
		return 1;
	/* two or three cannot be foreseen */
	return len < 65536 ? 2 + (len > 255) : len < 16777216 ? 4 : 5;
}

static void look_at(struct ber_out *o, size_t len)
{
	o->data = o->w->data ? o->w->data : &o->none;
	o->at = o->data + len;
	/* failed: nothing has room */
	o->end = o->w->failed || !o->w->data ? o->at : o->data + o->w->cap;
}

void ber_start(struct ber_out *o, struct base_writer *w)
{
	o->w = w;
	if (!w->data)
		(void)base_writer_reserve(w, 1); /* `failed` tells */
	look_at(o, w->len);
}

void ber_finish(struct ber_out *o)
{
	o->w->len = (size_t)(o->at - o->data);
}

bool ber_grow(struct ber_out *o, size_t len)
{
	bool grown;

	ber_finish(o);
	grown = base_writer_reserve(o->w, len);
	look_at(o, o->w->len);
	return grown;
}

void ber_copy_long(uint8_t *to, const uint8_t *from, size_t len)
{
	memmove(to, from, len);
}

static void put_length(uint8_t *at, size_t len, size_t octets)
{
	if (octets == 1) {
		*at = (uint8_t)len;
		return;
	}
	if (octets <= 3) { /* 81 and the length; or that is written over: 82 and two octets of it */
		at[octets - 2] = octets > 2 ? (uint8_t)(len >> 8) : 0x81;
		at[octets - 1] = (uint8_t)len;
		at[0] = (uint8_t)(0x80 | (octets - 1));
		return;
	}
	*at++ = (uint8_t)(0x80 | (octets - 1));
	for (size_t shift = 8 * (octets - 1); shift; shift -= 8)
		*at++ = (uint8_t)(len >> (shift - 8));
}

void ber_close_long(struct ber_out *o, size_t from)
{
	size_t len = (size_t)(o->at - o->data) - from, octets = length_octets(len);
	uint8_t *at;

	if (o->w->failed || len > UINT32_MAX || !ber_reserve(o, octets - 1))
		return;
	at = o->data + from;
	memmove(at + octets - 1, at, len);
	put_length(at - 1, len, octets);
	o->at += octets - 1;
}

void ber_close2_long(struct ber_out *o, size_t inner, size_t outer)
{
	size_t len = (size_t)(o->at - o->data) - inner, octets = length_octets(len);
	size_t around = len + (inner - outer) + octets - 1, more = length_octets(around) - 1;
	uint8_t *at;

	if (o->w->failed || around > UINT32_MAX || !ber_reserve(o, octets - 1 + more))
		return;
	at = o->data + inner;
	memmove(at + octets - 1 + more, at, len);
	put_length(at - 1 + more, len, octets);
	at = o->data + outer;
	ber_copy(at + more, at, inner - outer - 1);
	put_length(at - 1, around, more + 1);
	o->at += octets - 1 + more;
}

void ber_put_long(struct ber_out *o, unsigned tag, const void *data, size_t len)
{
	size_t octets = length_octets(len);

	if (len > UINT32_MAX || !ber_reserve(o, len + 1 + octets))
		return;
	o->at[0] = (uint8_t)tag;
	put_length(o->at + 1, len, octets);
	memcpy(o->at + 1 + octets, data, len);
	o->at += len + 1 + octets;
}

void ber_put_word(struct ber_out *o, unsigned tag, uint64_t octets, size_t len)
{
	ber_put(o, tag, &octets, len);
}

void ber_put_int(struct ber_out *o, unsigned tag, int64_t v)
{
	/* as many bits as tell it from its sign, and one of that */
	uint64_t bits = (uint64_t)(v < 0 ? ~v : v);
	unsigned len = (64 - (unsigned)__builtin_clzll(bits | 1)) / 8 + 1;

	ber_put_word(o, tag, htobe64((uint64_t)v << (64 - 8 * len)), len);
}

/* Bit 0 of a BIT STRING is the highest of its octet. */
static uint8_t reversed(unsigned v)
{
	v = (v & 0x55) << 1 | (v >> 1 & 0x55);
	v = (v & 0x33) << 2 | (v >> 2 & 0x33);
	return (uint8_t)((v & 0x0F) << 4 | (v >> 4 & 0x0F));
}

void ber_put_bits(struct ber_out *o, unsigned tag, unsigned bits)
{
	uint8_t octets[3] = { 0, reversed(bits), reversed(bits >> 8) };
	unsigned used, len;

	bits &= 0xFFFF;
	used = bits ? 32 - (unsigned)__builtin_clz(bits) : 0;
	len = (used + 7) / 8;
	octets[0] = (uint8_t)(8 * len - used);
	ber_put(o, tag, octets, 1 + len);
}

void ber_put_extensions(struct ber_out *o, const struct h248_extension *ext)
{
	for (; ext; ext = ext->next)
		ber_put_raw(o, ext->data.ptr, ext->data.len);
}

/* ---- the message's own list of names ---- */

/* The same text earlier in the list? Only looked for while the list is short. */
static bool listed_before(const struct ber_out *o, const char *text, size_t len, unsigned *ret)
{
	const uint8_t *at = o->names.data, *end = at + o->names.len;

	for (unsigned i = 0; i < o->name_count && i < 32; i++) {
		size_t n = at[1] < 0x80 ? at[1] : at[2];

		at += at[1] < 0x80 ? 2 : 3;
		if (n == len && memcmp(at, text, len) == 0) {
			*ret = i;
			return true;
		}
		at += n;
		if (at >= end)
			break;
	}
	return false;
}

/* Out of the first room: from now on the list lives on the heap. */
static void names_grow(struct ber_out *o, size_t more)
{
	struct base_writer heap = { 0 };

	if (!o->names.fixed || o->names.cap - o->names.len >= more)
		return;
	base_writer_put(&heap, o->names.data, o->names.len);
	o->names = heap;
}

/* `name` is one that a decoder takes from the list, at most 129 octets. */
static unsigned listed(struct ber_out *o, struct base_str name)
{
	uint8_t head[3] = { TAG_IA5, (uint8_t)name.len, (uint8_t)name.len };
	unsigned index = 0;

	if (listed_before(o, name.ptr, name.len, &index))
		return index;
	if (o->name_count == BER_LISTED_MAX) {
		o->bad = true;
		return 0;
	}
	names_grow(o, name.len + 4);
	if (name.len >= 128)
		head[1] = 0x81;
	base_writer_put(&o->names, head, name.len < 128 ? 2 : 3);
	base_writer_put(&o->names, name.ptr, name.len);
	if (o->names.failed)
		o->w->failed = true;
	return o->name_count++;
}

/* ---- packages ---- */

static bool is_all(struct base_str s)
{
	return s.len == 1 && s.ptr[0] == '*';
}

/* A number for a name of the form prefix + four digits that stands for itself. */
static bool numbered(struct base_str name, const char *prefix, uint16_t *ret)
{
	return ber_number_of(name, prefix, ret) && *ret < BER_LISTED;
}

static void put_number(struct ber_out *o, unsigned tag, unsigned number)
{
	if (!ber_reserve(o, 4))
		return;
	o->at[0] = (uint8_t)tag;
	o->at[1] = 2;
	o->at[2] = (uint8_t)(number >> 8);
	o->at[3] = (uint8_t)number;
	o->at += 4;
}

static void put_name(struct ber_out *o, unsigned tag, unsigned high, unsigned low)
{
	uint32_t octets = htobe32(high << 16 | low);

	if (!ber_reserve(o, 6))
		return;
	o->at[0] = (uint8_t)tag;
	o->at[1] = 4;
	memcpy(o->at + 2, &octets, 4);
	o->at += 6;
}

static void put_listed_pkgd(struct ber_out *o, unsigned tag, struct h248_name name)
{
	struct base_str whole;
	char text[132];

	if (name.package.len + name.item.len > 128) {
		o->bad = true;
		return;
	}
	whole = (struct base_str){ text, name.package.len + 1 + name.item.len };
	if (name.package.len)
		memcpy(text, name.package.ptr, name.package.len);
	text[name.package.len] = '/';
	if (name.item.len)
		memcpy(text + name.package.len + 1, name.item.ptr, name.item.len);
	if (ber_split_name(whole, &name))
		put_name(o, tag, BER_LISTED_PACKAGE, listed(o, whole));
	else
		o->bad = true;
}

static void put_listed(struct ber_out *o, unsigned tag, struct base_str name)
{
	if (ber_is_name(name))
		put_number(o, tag, BER_LISTED + listed(o, name));
	else
		o->bad = true;
}

/* Wildcards, numbers, names that no table knows whole. */
static __attribute__((noinline)) const struct h248_package_item *
put_pkgd_slow(struct ber_out *o, unsigned tag, enum h248_package_kind kind, struct h248_name name)
{
	const struct h248_package_item *item = NULL;
	const struct h248_package *package;
	uint16_t high = BER_ALL, low = BER_ALL;
	bool known = true;

	package = ber_package_find(name.package);
	if (package)
		high = package->id;
	else if (!is_all(name.package))
		known = numbered(name.package, "pkg_", &high) && !ber_package_by_id(high);
	if (known && !is_all(name.item)) {
		item = package ? ber_item_find(package, kind, name.item) : NULL;
		if (item)
			low = item->id;
		else
			known = high != BER_ALL && numbered(name.item, "id_", &low) &&
			        !(package && ber_item_by_id(package, kind, low));
	}
	if (known)
		put_name(o, tag, high, low);
	else
		put_listed_pkgd(o, tag, name);
	return item;
}

const struct h248_package_item *ber_put_pkgd(struct ber_out *o, unsigned tag,
                                             enum h248_package_kind kind, struct h248_name name)
{
	const struct ber_known *one = ber_known_by_name(kind, name);

	if (!one)
		return put_pkgd_slow(o, tag, kind, name);
	put_name(o, tag, one->number >> 16, one->number & 0xFFFF);
	return one->row;
}

void ber_put_package(struct ber_out *o, unsigned tag, struct base_str name)
{
	const struct h248_package *package = ber_package_find(name);
	uint16_t number = 0;

	if (package)
		put_number(o, tag, package->id);
	else if (numbered(name, "pkg_", &number) && !ber_package_by_id(number))
		put_number(o, tag, number);
	else
		put_listed(o, tag, name);
}

const struct h248_package_param *ber_put_param_name(struct ber_out *o, unsigned tag,
                                                    const struct h248_package_item *item,
                                                    enum h248_package_list list,
                                                    struct base_str name)
{
	const struct h248_package_param *param =
	        item ? h248_package_param_find(item, list, name) : NULL;
	uint16_t number = 0;

	if (param)
		put_number(o, tag, param->id);
	else if (numbered(name, "id_", &number) &&
	         !(item && h248_package_param_by_id(item, list, number)))
		put_number(o, tag, number);
	else
		put_listed(o, tag, name);
	return param;
}

void ber_put_digit_map_name(struct ber_out *o, unsigned tag, struct base_str name)
{
	uint16_t number = 0;

	if (name.len == 2)
		ber_put_str(o, tag, name);
	else if (numbered(name, "dm_", &number) &&
	         !(text_is((char)(number >> 8), CH_NAME) && text_is((char)number, CH_NAME)))
		put_number(o, tag, number);
	else
		put_listed(o, tag, name);
}

/* ---- TerminationIDs (A.1) ---- */

/*
 * Bit 7 ALL, bit 6 this level and below, bits 5..0 where it starts: the octet of the `*` or `$`
 * itself, each octet being a level (P); the last one means all below too. In packed names the
 * position has no meaning and is the first bit of the text.
 */
static void put_wildcards(struct ber_out *o, struct base_str name, size_t id_len)
{
	bool packed = name.len != id_len;

	for (size_t i = 0; i < name.len; i++) {
		unsigned bit;
		uint8_t field;

		if (name.ptr[i] != '*' && name.ptr[i] != '$')
			continue;
		bit = packed ? 59 : 8 * (unsigned)(name.len - 1 - i) + 7;
		field = (uint8_t)((name.ptr[i] == '*' ? 0x80 : 0) |
		                  (packed || i + 1 == name.len ? 0x40 : 0) | bit);
		ber_put(o, TAG_OCTETS, &field, 1);
		if (packed)
			return;
	}
}

static void put_named(struct ber_out *o, struct base_str name)
{
	uint8_t id[BER_TERM_ID], fields[BER_TERM_TEXT];
	size_t len = 0, count = 0, at;
	bool whole = true, binary = ber_term_binary(name, fields, &count, id, &len);

	if (!binary)
		whole = ber_term_pack(name, id, &len);
	at = ber_begin(o, BOX(0));
	if (binary) {
		for (size_t i = 0; i < count; i++)
			ber_put(o, TAG_OCTETS, &fields[i], 1);
	} else {
		put_wildcards(o, name, len);
	}
	ber_close(o, at);
	ber_put(o, TAG(1), id, len);
	if (!whole)
		ber_put_str(o, OUR_TAG(BER_OURS_TEXT), name);
}

/* ROOT, ALL, CHOOSE; a length and so many octets. */
static void put_fixed(struct ber_out *o, unsigned tag, const struct h248_term *term)
{
	static const uint8_t fixed[][13] = {
		[H248_TERM_ROOT] = { 12, 0xA0, 0, 0x81, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		                     0xFF },
		[H248_TERM_ALL] = { 10, 0xA0, 3, 4, 1, 0xD7, 0x81, 3, 0, 0, 0 },
		[H248_TERM_CHOOSE] = { 10, 0xA0, 3, 4, 1, 0x57, 0x81, 3, 0, 0, 0 },
	};
	const uint8_t *octets = fixed[term->kind];

	ber_put(o, tag, octets + 1, octets[0]);
}

/* High bits of the octets of a word that are `c`. */
static uint64_t octets_that_are(uint64_t word, char c)
{
	const uint64_t high = UINT64_MAX / 255 * 0x80;
	uint64_t other = word ^ UINT64_MAX / 255 * (uint8_t)c;

	return ~(((other & ~high) + ~high) | other) & high;
}

/* One to eight octets as a number; what is read twice is the same. */
static uint64_t word_of(struct base_str s)
{
	const uint8_t *c = (const uint8_t *)s.ptr;
	size_t len = s.len;
	uint64_t word;
	uint32_t first, last;

	if (len == sizeof(word)) {
		memcpy(&word, c, sizeof(word));
		return be64toh(word);
	}
	if (len < sizeof(first))
		return (uint64_t)c[0] << 8 * (len - 1) |
		       (uint64_t)c[len / 2] << 8 * (len - 1 - len / 2) | c[len - 1];
	memcpy(&first, c, sizeof(first));
	memcpy(&last, c + len - sizeof(last), sizeof(last));
	return (uint64_t)be32toh(first) << 8 * (len - sizeof(first)) | be32toh(last);
}

/*
 * A name of up to eight octets, which is its own id, where there is room for the longest of them
 * and a field for each octet. The high bit of an octet is where a wildcard field for it points
 * (A.1, P).
 */
static void put_short(struct ber_out *o, unsigned tag, struct base_str name)
{
	uint64_t word = word_of(name), all = octets_that_are(word, '*'), wild;
	uint8_t *at = o->at + 4;

	for (wild = all | octets_that_are(word, '$'); wild;) {
		unsigned bit = 63 - (unsigned)__builtin_clzll(wild);

		wild &= ~(1ULL << bit);
		at[0] = TAG_OCTETS;
		at[1] = 1;
		at[2] = (uint8_t)((all >> bit & 1) << 7 | (bit == 7 ? 0x40 : 0) | bit);
		at += 3;
	}
	o->at[0] = (uint8_t)tag;
	o->at[1] = (uint8_t)(at - o->at + name.len);
	o->at[2] = BOX(0);
	o->at[3] = (uint8_t)(at - o->at - 4);
	at[0] = TAG(1);
	at[1] = (uint8_t)name.len;
	word = htobe64(word << (64 - 8 * name.len));
	memcpy(at + 2, &word, sizeof(word));
	o->at = at + 2 + name.len;
}

static __attribute__((noinline)) void put_long(struct ber_out *o, unsigned tag,
                                               const struct h248_term *term)
{
	size_t at = ber_begin(o, tag);

	if (!term->name.len || term->name.len > BER_TERM_TEXT)
		o->bad = true;
	else
		put_named(o, term->name);
	ber_close(o, at);
}

void ber_put_term(struct ber_out *o, unsigned tag, const struct h248_term *term)
{
	struct base_str name = term->name;

	if (term->kind == H248_TERM_ROOT || term->kind == H248_TERM_ALL ||
	    term->kind == H248_TERM_CHOOSE)
		put_fixed(o, tag, term);
	else if (name.len - 1 >= BER_TERM_ID ||
	         (name.len >= 4 && name.ptr[3] == '/' && (name.ptr[0] | 0x20) == 'b') ||
	         o->end - o->at < 6 + 4 * BER_TERM_ID)
		put_long(o, tag, term);
	else
		put_short(o, tag, name);
}

void ber_put_terms(struct ber_out *o, unsigned tag, const struct h248_term *term)
{
	size_t at = ber_begin(o, tag);

	for (; term; term = term->next)
		ber_put_term(o, TAG_SEQUENCE, term);
	ber_close(o, at);
}
