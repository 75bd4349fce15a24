/* SPDX-License-Identifier: Apache-2.0 */
/* Digit maps (RFC 3525, 7.1.14 and A.3; trap 7.14): checked, then kept as text without blanks. */
#include "h248/text_parse.h"

/* [ "T:" n "," ] and so on; the letter alone may also begin the map. */
static bool timer(struct text_parser *p, char letter, bool *has, uint8_t *ret)
{
	uint32_t v = 0;

	if (p->end - p->at < 2 || (p->at[0] | 0x20) != letter || p->at[1] != ':')
		return true;
	p->at += 2;
	if (!text_number(p, 2, 99, &v))
		return false;
	*has = true;
	*ret = (uint8_t)v;
	return text_punct(p, ',', "',' and the digit map");
}

static bool is_letter(const struct text_parser *p, char c)
{
	int low = base_lower(c);

	return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'k') || low == 'l' || low == 's' ||
	       low == 'z' || (low == 't' && p->version >= 2);
}

/* The state of checking one digit map. */
struct map {
	const char *from;
	bool blanks;  /* LWSP was met: the text has to be copied */
	bool parens;  /* inside ( ) */
	bool bracket; /* inside [ ] */
	bool empty;   /* no position of this alternative yet */
	bool dot;     /* a dot may follow */
};

/* Inside [ ]: letters, and ranges of two digits. */
static bool range_letter(struct text_parser *p, char c)
{
	if (!is_letter(p, c))
		return text_expected(p, "a digit, a letter A-K, L, S, T, Z, or ']'");
	p->at++;
	if (text_peek(p) != '-')
		return true;
	p->at++;
	if (!text_is(c, CH_DIGIT) || !text_is(text_peek(p), CH_DIGIT))
		return text_expected(p, "a range from digit to digit");
	p->at++;
	return true;
}

/* One character of structure or one position. */
static bool step(struct text_parser *p, struct map *m, char c)
{
	switch (c) {
	case '[':
		m->bracket = true;
		break;
	case '|':
		if (!m->parens || m->empty)
			return text_expected(p, "a digit");
		m->empty = true;
		m->dot = false;
		break;
	case '.':
		if (!m->dot)
			return text_expected(p, "a digit before the '.'");
		m->dot = false;
		break;
	default:
		if (!is_letter(p, c) && (c | 0x20) != 'x')
			return text_expected(p, "a digit map");
		m->empty = false;
		m->dot = true;
	}
	p->at++;
	return true;
}

/* LWSP may stand beside ( ) [ ] | only, not inside an element. */
static bool blanks(struct text_parser *p, struct map *m)
{
	const char *from = p->at;
	char before = from > m->from ? from[-1] : '(', after;

	if (!text_lwsp(p))
		return false;
	after = text_peek(p);
	if (p->at == from || after == '}')
		return true;
	m->blanks = true;
	if (strchr("()[]|", before) || (after && strchr("()[]|", after)))
		return true;
	return text_fail(p, p->syntax_code, from, "no blank inside a digit string");
}

static bool check(struct text_parser *p, struct map *m)
{
	for (;;) {
		char c;

		if (!blanks(p, m))
			return false;
		c = text_peek(p);
		if (m->bracket) {
			if (c != ']') {
				if (!range_letter(p, c))
					return false;
				continue;
			}
			p->at++;
			m->bracket = m->empty = false;
			m->dot = true;
			continue;
		}
		if (m->empty && (c == '}' || c == ')'))
			return text_expected(p, "a digit map");
		if (c == ')' && m->parens) {
			p->at++;
			return true;
		}
		if (c == '}' && !m->parens)
			return true;
		if (!step(p, m, c))
			return false;
	}
}

/* The text without LWSP and comments. */
static bool squeeze(struct text_parser *p, struct base_str *s)
{
	char *copy = base_arena_alloc(p->arena, s->len);
	const char *end = s->ptr + s->len;
	size_t len = 0;

	if (!copy)
		return text_fail_memory(p);
	for (const char *at = s->ptr; at < end; at++) {
		if (*at == ';') {
			while (at < end && *at != '\n' && *at != '\r')
				at++;
		} else if (!text_is(*at, CH_BLANK)) {
			copy[len++] = *at;
		}
	}
	*s = (struct base_str){ copy, len };
	return true;
}

bool text_digit_map_value(struct text_parser *p, struct h248_digit_map *dm)
{
	struct map m = { .empty = true };

	if (!text_open(p) || !timer(p, 't', &dm->has_t, &dm->t) ||
	    !timer(p, 's', &dm->has_s, &dm->s) || !timer(p, 'l', &dm->has_l, &dm->l) ||
	    (p->version >= 2 && !timer(p, 'z', &dm->has_z, &dm->z)))
		return false;
	m.from = p->at;
	if (text_peek(p) == '(') {
		m.parens = true;
		p->at++;
	}
	if (!check(p, &m))
		return false;
	dm->body = (struct base_str){ m.from, (size_t)(p->at - m.from) };
	while (dm->body.len && text_is(dm->body.ptr[dm->body.len - 1], CH_BLANK))
		dm->body.len--;
	if (m.blanks && !squeeze(p, &dm->body))
		return false;
	return text_close(p);
}

bool text_digit_map(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_digit_map *dm = TEXT_NEW(p, struct h248_digit_map);

	if (!dm || !text_equal(p))
		return false;
	dm->d.kind = H248_DIGIT_MAP;
	*ret = &dm->d;
	if (text_peek(p) != '{' && !text_name(p, &dm->name))
		return false;
	if (!text_lwsp(p))
		return false;
	if (text_peek(p) != '{')
		return true; /* a name without a value deletes (trap 7.14) */
	return text_digit_map_value(p, dm);
}
