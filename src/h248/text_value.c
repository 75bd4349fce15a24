/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

bool text_quoted(struct text_parser *p, struct base_str *ret)
{
	unsigned classes = p->version >= 3 ? CH_QUOTED | CH_HIGH : CH_QUOTED;
	const char *from = p->at;

	if (text_peek(p) != '"')
		return text_expected(p, "a quoted string");
	p->at++;
	*ret = text_run(p, classes);
	if (p->at == p->end)
		return text_fail(p, p->syntax_code, from, "the closing quote of this string");
	if (*p->at != '"')
		return text_expected(p, "a character that a quoted string may hold");
	p->at++;
	return true;
}

/* Version 3 adds octets 80-FF; the class of these also holds line ends, which are blanks. */
static struct base_str run_v3(struct text_parser *p)
{
	const char *from = p->at;

	while (p->at < p->end && text_is(*p->at, CH_SAFE | CH_HIGH) && !text_is(*p->at, CH_BLANK))
		p->at++;
	return (struct base_str){ from, (size_t)(p->at - from) };
}

bool text_value(struct text_parser *p, struct h248_value *ret)
{
	if (text_peek(p) == '"') {
		ret->quoted = true;
		return text_quoted(p, &ret->text);
	}
	ret->text = p->version >= 3 ? run_v3(p) : text_run(p, CH_SAFE);
	if (ret->text.len == 0)
		return text_expected(p, "a value");
	return true;
}

bool text_parm_follows(struct text_parser *p)
{
	char c;

	if (!text_lwsp(p))
		return false;
	c = text_peek(p);
	return c == '=' || c == '<' || c == '>' || c == '#';
}

static bool more_values(struct text_parser *p, struct h248_value *last)
{
	while (text_more(p)) {
		struct h248_value *value = TEXT_NEW(p, struct h248_value);

		if (!value || !text_value(p, value))
			return false;
		last->next = value;
		last = value;
	}
	return !p->code;
}

/* `[a,b]` or `[a:b]`; the bracket is behind us. No LWSP around the colon (trap 7.1). */
static bool bracket(struct text_parser *p, struct h248_parm *parm)
{
	struct h248_value *second;

	if (!text_value(p, &parm->value))
		return false;
	if (text_peek(p) == ':') {
		p->at++;
		parm->form = H248_FORM_RANGE;
		second = TEXT_NEW(p, struct h248_value);
		if (!second || !text_value(p, second))
			return false;
		parm->value.next = second;
	} else {
		parm->form = H248_FORM_AND;
		if (!more_values(p, &parm->value))
			return false;
	}
	return text_punct(p, ']', "',' or ']'");
}

bool text_parm_value(struct text_parser *p, struct h248_parm *parm)
{
	char c;

	if (!text_lwsp(p))
		return false;
	c = text_peek(p);
	if (c != '=' && c != '>' && c != '<' && c != '#')
		return text_expected(p, "'=' and a value");
	p->at++;
	if (!text_lwsp(p))
		return false;
	if (c != '=') {
		parm->form = c == '>'   ? H248_FORM_GREATER
		             : c == '<' ? H248_FORM_LESS
		                        : H248_FORM_UNEQUAL;
		return text_value(p, &parm->value);
	}
	if (text_try(p, '['))
		return bracket(p, parm);
	if (text_try(p, '{')) {
		parm->form = H248_FORM_OR;
		return text_value(p, &parm->value) && more_values(p, &parm->value) &&
		       text_punct(p, '}', "',' or '}'");
	}
	if (p->code)
		return false;
	parm->form = H248_FORM_EQUAL;
	return text_value(p, &parm->value);
}

bool text_extension_after(struct text_parser *p, struct base_str head, struct base_str *ret)
{
	struct base_str tail;

	if (head.len != 1 || (head.ptr[0] | 0x20) != 'x' ||
	    (text_peek(p) != '-' && text_peek(p) != '+'))
		return text_fail(p, p->syntax_code, head.ptr, "a known parameter");
	p->at++;
	tail = text_run(p, CH_NAME);
	if (tail.len == 0 || tail.len > 6 || memchr(tail.ptr, '_', tail.len))
		return text_fail(p, p->syntax_code, tail.ptr,
		                 "1 to 6 letters or digits after X- or X+");
	*ret = (struct base_str){ head.ptr, 2 + tail.len };
	return true;
}

bool text_parm_append(struct text_parser *p, struct h248_parm **list, struct h248_parm ***tail,
                      unsigned *count, struct h248_parm *parm)
{
	if (++*count > TEXT_LIST_MAX) {
		p->local = true;
		return text_fail(p, H248_E_RESOURCES, parm->name.item.ptr,
		                 "at most 256 parameters in a list");
	}
	for (const struct h248_parm *other = *list; other; other = other->next) {
		if (other->name.item.len == parm->name.item.len &&
		    h248_name_equal(other->name, parm->name))
			return text_fail(p, H248_E_PROPERTY_TWICE,
			                 parm->name.package.len ? parm->name.package.ptr
			                                        : parm->name.item.ptr,
			                 "each parameter once");
	}
	TEXT_APPEND(*tail, parm);
	return true;
}

bool text_term(struct text_parser *p, struct h248_term *ret)
{
	ret->name = text_run(p, CH_PATH);
	if (ret->name.len == 0)
		return text_expected(p, "a TerminationID");
	if (ret->name.len > 64 || text_is(text_peek(p), CH_SAFE))
		return text_fail(p, H248_E_IDENTIFIER, ret->name.len > 64 ? ret->name.ptr : p->at,
		                 "a TerminationID of at most 64 letters, digits or / * _ $ @ - .");
	if (ret->name.len == 1) {
		ret->kind = ret->name.ptr[0] == '*'   ? H248_TERM_ALL
		            : ret->name.ptr[0] == '$' ? H248_TERM_CHOOSE
		                                      : H248_TERM_NAME;
		return true;
	}
	if (ret->name.len == 4 && base_str_ieq(ret->name, BASE_STR("ROOT"))) {
		ret->kind = H248_TERM_ROOT;
		return true;
	}
	for (size_t i = 0; i < ret->name.len; i++) {
		if (ret->name.ptr[i] == '*' || ret->name.ptr[i] == '$')
			ret->kind = H248_TERM_PARTIAL;
	}
	return true;
}

bool text_term_list(struct text_parser *p, struct h248_term **ret)
{
	struct h248_term **tail = ret;

	if (!text_open(p))
		return false;
	do {
		struct h248_term *term = TEXT_NEW(p, struct h248_term);

		if (!term || !text_term(p, term))
			return false;
		TEXT_APPEND(tail, term);
	} while (text_more(p));
	return text_close(p);
}

bool text_time_check(struct base_str word, struct h248_time *ret)
{
	if (word.len != 17 || (word.ptr[8] | 0x20) != 't')
		return false;
	for (size_t i = 0; i < 17; i++) {
		if (i != 8 && !text_is(word.ptr[i], CH_DIGIT))
			return false;
	}
	memcpy(ret->digits, word.ptr, 8);
	memcpy(ret->digits + 8, word.ptr + 9, 8);
	return true;
}

bool text_request_id(struct text_parser *p, uint32_t *ret)
{
	if (text_peek(p) == '*') {
		p->at++;
		*ret = H248_REQUEST_ALL;
		return true;
	}
	return text_number(p, 10, UINT32_MAX, ret);
}

/* Copy without the backslashes before closing braces. */
static bool unescape(struct text_parser *p, struct base_str *s)
{
	char *copy = base_arena_alloc(p->arena, s->len);
	size_t len = 0;

	if (!copy)
		return text_fail_memory(p);
	for (size_t i = 0; i < s->len; i++) {
		if (s->ptr[i] == '\\' && i + 1 < s->len && s->ptr[i + 1] == '}')
			continue;
		copy[len++] = s->ptr[i];
	}
	*s = (struct base_str){ copy, len };
	return true;
}

bool text_octets(struct text_parser *p, struct base_str *ret)
{
	const char *from, *at, *to;
	bool escaped = false;

	if (!text_open(p))
		return false;
	from = p->at;
	for (at = from;; at++) {
		at = memchr(at, '}', (size_t)(p->end - at));
		if (!at)
			return text_fail(p, p->syntax_code, from - 1,
			                 "the '}' that ends this octet string");
		if (at == from || at[-1] != '\\')
			break;
		escaped = true;
	}
	/* blanks and line ends before the brace belong to RBRKT (trap 7.4) */
	for (to = at; to > from && text_is(to[-1], CH_BLANK) && to[-1] != ';'; to--)
		;
	p->at = to;
	if (memchr(from, '\0', (size_t)(to - from))) {
		p->at = memchr(from, '\0', (size_t)(to - from));
		return text_expected(p, "an octet other than zero");
	}
	*ret = (struct base_str){ from, (size_t)(to - from) };
	return (!escaped || unescape(p, ret)) && text_close(p);
}
