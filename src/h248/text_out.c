/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_out.h"

void out_number(struct text_out *o, uint32_t v)
{
	char buf[10];
	size_t at = sizeof(buf);

	do {
		buf[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	out_put(o, buf + at, sizeof(buf) - at);
}

void out_block_empty(struct text_out *o)
{
	if (o->pretty)
		OUT_LITERAL(o, " { }");
	else
		OUT_LITERAL(o, "{}");
}

/* Most strings share a class; only what does not is looked at octet by octet. */
static bool each_in(struct base_str s, unsigned classes)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!text_is(s.ptr[i], classes))
			return false;
	}
	return true;
}

/* Checked in passing. @return the classes that all octets share. */
static unsigned copy(struct text_out *o, struct base_str s)
{
	unsigned shared = 0xFF;
	uint8_t *to = o->at;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.ptr[i];

		shared &= h248_text_class[c];
		to[i] = c;
	}
	o->at = to + s.len;
	return shared;
}

void out_checked(struct text_out *o, struct base_str s, unsigned classes)
{
	if (!out_has(o, s.len))
		return;
	if (!(copy(o, s) & classes) && !each_in(s, classes))
		o->bad = true;
}

void out_name(struct text_out *o, struct base_str name)
{
	if (name.len == 0)
		o->bad = true;
	out_checked(o, name, CH_NAME);
}

static void name_part(struct text_out *o, struct base_str part)
{
	if (part.len == 1 && part.ptr[0] == '*')
		out_char(o, '*');
	else
		out_name(o, part);
}

void out_pkgd(struct text_out *o, struct h248_name name)
{
	if (name.package.len) {
		name_part(o, name.package);
		out_char(o, '/');
		name_part(o, name.item);
	} else { /* parameters of events and signals, extensions X-.. */
		if (name.item.len == 0)
			o->bad = true;
		out_checked(o, name.item, CH_SAFE);
	}
}

void out_quoted(struct text_out *o, struct base_str s)
{
	out_char(o, '"');
	out_checked(o, s, o->version >= 3 ? CH_QUOTED | CH_HIGH : CH_QUOTED);
	out_char(o, '"');
}

void out_term(struct text_out *o, const struct h248_term *term)
{
	if (term->name.len == 0)
		o->bad = true;
	out_checked(o, term->name, CH_PATH);
}

void out_terms(struct text_out *o, const void *what)
{
	bool first = true;

	for (const struct h248_term *term = what; term; term = term->next) {
		out_comma(o, &first);
		out_term(o, term);
	}
}

void out_value(struct text_out *o, const struct h248_value *value)
{
	if (value->quoted) {
		out_quoted(o, value->text);
		return;
	}
	if (value->text.len == 0)
		o->bad = true;
	if (!out_has(o, value->text.len) || copy(o, value->text) & CH_SAFE)
		return;
	for (size_t i = 0; i < value->text.len; i++) {
		char c = value->text.ptr[i];

		if (!text_is(c, o->version >= 3 ? CH_SAFE | CH_HIGH : CH_SAFE) ||
		    text_is(c, CH_BLANK))
			o->bad = true;
	}
}

static void values(struct text_out *o, const struct h248_value *value, char open, char close)
{
	out_char(o, open);
	out_value(o, value);
	for (value = value->next; value; value = value->next) {
		if (o->pretty)
			OUT_LITERAL(o, ", ");
		else
			out_char(o, ',');
		out_value(o, value);
	}
	out_char(o, close);
}

/* The character of INEQUAL. */
static void inequal(struct text_out *o, char c)
{
	if (o->pretty)
		out_char(o, ' ');
	out_char(o, c);
	if (o->pretty)
		out_char(o, ' ');
}

static void parm_value(struct text_out *o, const struct h248_parm *parm)
{
	switch (parm->form) {
	case H248_FORM_NONE:
		break;
	case H248_FORM_GREATER:
		inequal(o, '>');
		out_value(o, &parm->value);
		break;
	case H248_FORM_LESS:
		inequal(o, '<');
		out_value(o, &parm->value);
		break;
	case H248_FORM_UNEQUAL:
		inequal(o, '#');
		out_value(o, &parm->value);
		break;
	case H248_FORM_AND:
		out_equal(o);
		values(o, &parm->value, '[', ']');
		break;
	case H248_FORM_OR:
		out_equal(o);
		values(o, &parm->value, '{', '}');
		break;
	case H248_FORM_RANGE:
		out_equal(o);
		out_char(o, '[');
		out_value(o, &parm->value);
		out_char(o, ':');
		if (parm->value.next)
			out_value(o, parm->value.next);
		else
			o->bad = true;
		out_char(o, ']');
		break;
	default:
		out_equal(o);
		out_value(o, &parm->value);
	}
}

void out_parm(struct text_out *o, const struct h248_parm *parm)
{
	out_pkgd(o, parm->name);
	parm_value(o, parm);
}

void out_parms(struct text_out *o, bool *first, const struct h248_parm *parm)
{
	for (; parm; parm = parm->next) {
		out_comma(o, first);
		out_parm(o, parm);
	}
}

/* The line end that the text uses; our own is LF. */
static struct base_str line_end(struct base_str s)
{
	const char *cr = memchr(s.ptr, '\r', s.len);

	if (!cr)
		return BASE_STR("\n");
	return cr + 1 < s.ptr + s.len && cr[1] == '\n' ? BASE_STR("\r\n") : BASE_STR("\r");
}

/* An EOL after the opening and before the closing brace, and `\}` for `}` (trap 7.4). */
void out_octets(struct text_out *o, struct base_str s)
{
	struct base_str eol;
	const char *at = s.ptr, *end, *brace;

	if (s.len == 0) {
		out_block_empty(o);
		return;
	}
	end = s.ptr + s.len;
	out_unfold(o); /* its line ends break every block that it is in */
	if (memchr(s.ptr, '\0', s.len))
		o->bad = true;
	eol = line_end(s);
	if (o->pretty)
		out_char(o, ' ');
	out_char(o, '{');
	out_str(o, eol);
	while ((brace = memchr(at, '}', (size_t)(end - at)))) {
		out_put(o, at, (size_t)(brace - at));
		OUT_LITERAL(o, "\\}");
		at = brace + 1;
	}
	out_put(o, at, (size_t)(end - at));
	out_str(o, eol);
	o->line = (size_t)(o->at - o->data);
	out_char(o, '}');
}

void out_on_off(struct text_out *o, uint8_t tri)
{
	if (tri == H248_ON)
		OUT_LITERAL(o, "ON");
	else
		OUT_LITERAL(o, "OFF");
}

void out_request_id(struct text_out *o, uint32_t id)
{
	if (id == H248_REQUEST_ALL)
		out_char(o, '*');
	else
		out_number(o, id);
}

void out_time(struct text_out *o, const struct h248_time *time)
{
	out_checked(o, (struct base_str){ time->digits, 8 }, CH_DIGIT);
	out_char(o, 'T');
	out_checked(o, (struct base_str){ time->digits + 8, 8 }, CH_DIGIT);
}

/* RFC 5952 form, but never with an IPv4 tail, which the grammar cannot derive everywhere. */
static void ip6(struct text_out *o, const uint8_t a[16])
{
	char buf[48];
	size_t best = 8, best_len = 1, n = 0;
	bool parted = true; /* nothing or a colon stands before */

	for (size_t i = 0; i < 8; i++) {
		size_t len = 0;

		while (i + len < 8 && !a[2 * (i + len)] && !a[2 * (i + len) + 1])
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
	}
	for (size_t i = 0; i < 8; i++) {
		unsigned v = (unsigned)a[2 * i] << 8 | a[2 * i + 1];

		if (i == best) {
			buf[n++] = ':';
			buf[n++] = ':';
			i += best_len - 1;
			parted = true;
			continue;
		}
		if (!parted)
			buf[n++] = ':';
		parted = false;
		for (int shift = 12; shift >= 0; shift -= 4) {
			if (v >> shift || shift == 0)
				buf[n++] = "0123456789abcdef"[v >> shift & 15];
		}
	}
	out_put(o, buf, n);
}

void out_mid(struct text_out *o, const struct h248_mid *mid)
{
	char hex[16 + 1];

	switch (mid->kind) {
	case H248_MID_DOMAIN:
		out_char(o, '<');
		if (mid->name.len == 0)
			o->bad = true;
		out_checked(o, mid->name, CH_PATH);
		out_char(o, '>');
		break;
	case H248_MID_IP4:
		out_char(o, '[');
		for (unsigned i = 0; i < 4; i++) {
			if (i)
				out_char(o, '.');
			out_number(o, mid->address[i]);
		}
		out_char(o, ']');
		break;
	case H248_MID_IP6:
		out_char(o, '[');
		ip6(o, mid->address);
		out_char(o, ']');
		break;
	case H248_MID_DEVICE:
		if (mid->name.len == 0)
			o->bad = true;
		out_checked(o, mid->name, CH_PATH);
		return;
	case H248_MID_MTP:
		base_hex_encode(mid->address, BASE_MIN(mid->address_len, 4), 0, true, hex);
		OUT_LITERAL(o, "MTP{");
		out_put(o, hex, strlen(hex));
		out_char(o, '}');
		return;
	case H248_MID_PORT:
		out_number(o, mid->port);
		return;
	default:
		o->bad = true;
		return;
	}
	if (mid->has_port) {
		out_char(o, ':');
		out_number(o, mid->port);
	}
}
