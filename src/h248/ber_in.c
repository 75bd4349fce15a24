/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/ber_in.h"

#include <assert.h>
#include <stdio.h>

/* Of one element; the rest is dropped, so that keeping them stays cheap. */
#define EXTENSIONS_KEPT 64

/* ---- faults ---- */

bool ber_fail(struct ber_parser *p, unsigned code, const uint8_t *at, const char *expected)
{
	if (!p->code) {
		p->code = (uint16_t)code;
		p->fault_at = at;
		p->expected = expected;
		p->frame_count = 0;
	}
	return false;
}

bool ber_expected(struct ber_parser *p, const char *expected)
{
	return ber_fail(p, p->syntax_code, p->h.from, expected);
}

bool ber_fail_memory(struct ber_parser *p)
{
	p->code = 0;
	p->out_of_memory = true;
	return ber_fail(p, H248_E_RESOURCES, p->at, "a smaller message");
}

bool ber_in(struct ber_parser *p, const char *name, int index)
{
	if (p->frame_count < BER_FRAMES)
		p->frames[p->frame_count++] = (struct ber_frame){ name, index };
	return false;
}

struct h248_fault *ber_fault_new(struct ber_parser *p, enum h248_fault_level level)
{
	struct h248_fault *fault = base_arena_alloc(p->arena, sizeof(*fault));
	char path[512] = "";
	size_t len = 0;

	for (unsigned i = p->frame_count; i-- > 0 && len + 64 < sizeof(path);) {
		const struct ber_frame *f = &p->frames[i];

		if (f->index >= 0)
			len += (size_t)snprintf(path + len, sizeof(path) - len, "%s%s[%d]",
			                        len ? "." : "", f->name, f->index);
		else
			len += (size_t)snprintf(path + len, sizeof(path) - len, "%s%s",
			                        len ? "." : "", f->name);
	}
	if (fault) {
		fault->offset = (size_t)(p->fault_at - p->start);
		fault->token = (struct base_str){ (const char *)p->fault_at,
			                          p->fault_at < p->end ? 1 : 0 };
		fault->code = p->code;
		fault->level = (uint8_t)level;
		fault->text = base_arena_printf(p->arena, "%s%soctet %zu: expected %s", path,
		                                len ? ": " : "", fault->offset, p->expected);
	}
	if (!fault || !fault->text) {
		p->out_of_memory = true;
		return NULL;
	}
	p->code = 0;
	p->local = false;
	p->frame_count = 0;
	return fault;
}

/* ---- memory ---- */

void *ber_zero(void *node, size_t size)
{
	return memset(node, 0, size);
}

char *ber_room_slow(struct ber_parser *p, size_t size)
{
	char *room = base_arena_alloc(p->arena, size);

	if (!room)
		(void)ber_fail_memory(p);
	return room;
}

/* ---- headers ---- */

#define BITS8(n)                                                                                   \
	1U << (n), 1U << ((n) + 1), 1U << ((n) + 2), 1U << ((n) + 3), 1U << ((n) + 4),             \
	        1U << ((n) + 5), 1U << ((n) + 6)
#define BITS31 BITS8(0), 1U << 7, BITS8(8), 1U << 15, BITS8(16), 1U << 23, BITS8(24)

const uint32_t ber_field_bits[256] = { [0x80] = BITS31, [0xA0] = BITS31 };

/* The number of a tag of more than one octet: seven bits each, high bit = more to come. */
static bool long_tag(struct ber_parser *p)
{
	uint32_t number = 0;
	uint8_t octet;

	do {
		if (p->at == p->limit || number > UINT32_MAX >> 8)
			return ber_expected(p, "a tag of at most 24 bits");
		octet = *p->at++;
		number = number << 7 | (octet & 0x7F);
	} while (octet & 0x80);
	p->h.long_number = number;
	return true;
}

static bool long_length(struct ber_parser *p, unsigned octets)
{
	size_t len = 0;

	if (octets > 8 || (size_t)(p->limit - p->at) < octets)
		return ber_expected(p, "a length of at most 8 octets");
	for (unsigned i = 0; i < octets; i++) {
		if (len >> 24)
			return ber_expected(p, "a length within its parent");
		len = len << 8 | *p->at++;
	}
	p->h.len = len;
	return true;
}

bool ber_header_slow(struct ber_parser *p)
{
	struct ber_header *h = &p->h;
	uint8_t octet;

	h->from = p->at;
	h->len = 0;
	if (p->limit - p->at < 2)
		return ber_expected(p, "a tag and a length");
	octet = *p->at++;
	h->id = octet;
	if ((octet & 0x1F) == 0x1F && !long_tag(p))
		return false;
	if (p->at == p->limit)
		return ber_expected(p, "a length");
	octet = *p->at++;
	if (octet == 0x80) {
		h->len = BER_INDEFINITE;
		return ber_constructed(p) || ber_expected(p, "a definite length here");
	}
	if (octet < 0x80)
		h->len = octet;
	else if (!long_length(p, octet & 0x7F))
		return false;
	return h->len <= (size_t)(p->limit - p->at) ||
	       ber_expected(p, "a length within its parent");
}

bool ber_more_slow(struct ber_parser *p, const uint8_t *outer)
{
	if (p->limit - p->at < 2)
		return ber_fail(p, p->syntax_code, p->at, "the end of an indefinite length");
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it stands in the input */
	if (p->at[0] || p->at[1])
		return true;
	p->at += 2;
	p->limit = outer;
	return false;
}

int ber_field_number(struct ber_parser *p, uint32_t seen, int last)
{
	uint32_t number = ber_number(p);

	if (ber_class(p) == BER_PRIVATE && number < 0x10000)
		return BER_OURS + (int)number;
	if (ber_class(p) != BER_CONTEXT || number >= BER_OTHER)
		return BER_OTHER;
	if (number < 31 ? seen >> number : seen >> 31 && (int)number <= last) {
		(void)ber_expected(p, "fields in their order, each once");
		return BER_FAIL;
	}
	return (int)number;
}

int ber_field_slow(struct ber_parser *p, const uint8_t *end, const uint8_t *outer, uint32_t seen,
                   int last)
{
	struct ber_box box = { .end = end, .outer = outer };

	if (!ber_more(p, &box))
		return p->code ? BER_FAIL : BER_END;
	return ber_header(p) ? ber_field_number(p, seen, last) : BER_FAIL;
}

bool ber_element_slow(struct ber_parser *p, const uint8_t *end, const uint8_t *outer, unsigned tag)
{
	struct ber_box box = { .end = end, .outer = outer };

	if (!ber_more(p, &box) || !ber_header(p))
		return false;
	return (p->h.id & 0xDF) == tag || ber_expected(p, "an element of the list's type");
}

int ber_choice_slow(struct ber_parser *p, const uint8_t *end, const uint8_t *outer)
{
	struct ber_box box = { .end = end, .outer = outer };

	if (!ber_more(p, &box))
		return p->code ? BER_FAIL : BER_END;
	if (!ber_header(p))
		return BER_FAIL;
	return ber_class(p) == BER_CONTEXT && ber_number(p) < BER_OTHER ? (int)ber_number(p)
	                                                                : BER_OTHER;
}

bool ber_skip(struct ber_parser *p)
{
	unsigned depth;

	if (p->h.len != BER_INDEFINITE) {
		p->at += p->h.len;
		return true;
	}
	for (depth = 1; depth;) {
		if (p->limit - p->at >= 2 && !p->at[0] && !p->at[1]) {
			p->at += 2;
			depth--;
			continue;
		}
		if (!ber_header(p))
			return false;
		if (p->h.len != BER_INDEFINITE)
			p->at += p->h.len;
		else if (++depth > BER_DEPTH)
			return ber_expected(p, "less nesting");
	}
	return true;
}

bool ber_resync(struct ber_parser *p, const uint8_t *from, const uint8_t *limit)
{
	p->at = from;
	p->limit = limit;
	return ber_header(p) && ber_skip(p);
}

bool ber_extension(struct ber_parser *p, struct h248_extension **list)
{
	struct h248_extension *ext;
	const uint8_t *from = p->h.from;
	uint32_t tag = ber_number(p) | (uint32_t)ber_class(p) << 30;
	unsigned count = 0;

	if (ber_class(p) == BER_UNIVERSAL)
		return ber_expected(p, "a context tag");
	if (!ber_skip(p))
		return false;
	for (; list && *list; count++)
		list = &(*list)->next;
	if (!list || count >= EXTENSIONS_KEPT)
		return true;
	ext = BER_NEW(p, struct h248_extension);
	if (!ext)
		return false;
	ext->tag = tag;
	ext->data = (struct base_str){ (const char *)from, (size_t)(p->at - from) };
	*list = ext;
	return true;
}

bool ber_closed(struct ber_parser *p)
{
	return ber_expected(p, "no addition to a type that has none");
}

/* ---- values ---- */

static bool primitive(struct ber_parser *p)
{
	return !ber_constructed(p) || ber_expected(p, "a primitive value");
}

int64_t ber_uint_slow(struct ber_parser *p, uint32_t max)
{
	const uint8_t *at = p->at;
	size_t len = p->h.len;
	uint64_t v = 0;

	if (ber_constructed(p) || len == 0 || len > 8 || at[0] & 0x80) {
		(void)ber_expected(p, "an unsigned INTEGER");
		return -1;
	}
	for (size_t i = 0; i < len; i++)
		v = v << 8 | at[i];
	if (v > max) {
		(void)ber_expected(p, "a number within its range");
		return -1;
	}
	p->at += len;
	return (int64_t)v;
}

bool ber_bool(struct ber_parser *p, bool *ret)
{
	if (!primitive(p) || p->h.len != 1)
		return ber_expected(p, "a BOOLEAN");
	*ret = *p->at++;
	return true;
}

bool ber_tri(struct ber_parser *p, uint8_t *ret)
{
	bool on = false;

	if (!ber_bool(p, &on))
		return false;
	*ret = on ? H248_ON : H248_OFF;
	return true;
}

bool ber_null(struct ber_parser *p)
{
	return (primitive(p) && p->h.len == 0) || ber_expected(p, "NULL");
}

/* The primitive pieces of a constructed string, of which the header is at hand, into `out`. */
static bool pieces(struct ber_parser *p, char *out, size_t *ret_len)
{
	struct ber_box boxes[BER_DEPTH];
	unsigned depth = 1;
	size_t len = 0;

	if (!ber_open(p, &boxes[0]))
		return false;
	while (depth) {
		if (!ber_more(p, &boxes[depth - 1])) {
			if (p->code)
				return false;
			depth--;
			continue;
		}
		if (!ber_header(p))
			return false;
		if (ber_class(p) != BER_UNIVERSAL)
			return ber_expected(p, "a piece of a string");
		if (!ber_constructed(p)) {
			if (p->h.len)
				memcpy(out + len, p->at, p->h.len);
			len += p->h.len;
			p->at += p->h.len;
		} else if (depth == BER_DEPTH) {
			return ber_expected(p, "less nesting");
		} else if (!ber_open(p, &boxes[depth++])) {
			return false;
		}
	}
	*ret_len = len;
	return true;
}

struct base_str ber_string_slow(struct ber_parser *p)
{
	struct base_str none = { NULL, 0 }, s = none;
	struct ber_header h = p->h;
	const uint8_t *at = p->at;
	char *out;

	if (p->items_left == 0) {
		(void)ber_fail_memory(p);
		return none;
	}
	p->items_left--;
	if (!ber_skip(p))
		return none;
	out = ber_room(p, (size_t)(p->at - at));
	if (!out)
		return none;
	assert(at);
	p->h = h;
	p->at = at;
	s.ptr = out;
	return pieces(p, out, &s.len) ? s : none;
}

bool ber_bits(struct ber_parser *p, uint16_t *ret)
{
	const uint8_t *at = p->at;
	size_t len = p->h.len;
	uint32_t known = 0;

	if (!primitive(p) || len == 0 || at[0] > 7 || (len == 1 && at[0]))
		return ber_expected(p, "a BIT STRING");
	if (len > 1)
		known = (uint32_t)at[1] << 8;
	if (len > 2)
		known |= at[2];
	if (len < 4) /* what is behind the last bit counts for nothing */
		known &= ~0U << (at[0] + 8 * (3 - len));
	known = (known >> 8 & 0x00FF) | (known << 8 & 0xFF00); /* the first bit is the lowest */
	known = (known >> 4 & 0x0F0F) | (known << 4 & 0xF0F0);
	known = (known >> 2 & 0x3333) | (known << 2 & 0xCCCC);
	known = (known >> 1 & 0x5555) | (known << 1 & 0xAAAA);
	*ret = (uint16_t)known;
	p->at += len;
	return true;
}
