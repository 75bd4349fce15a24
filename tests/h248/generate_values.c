/* SPDX-License-Identifier: Apache-2.0 */
#include "generate_parts.h"

#include <stdio.h>

static void mark_short(struct generator *g, struct base_str text)
{
	if (gen_like_token(text))
		gen_mark(g, GEN_VALUE_SHORT);
}

struct base_str gen_quoted(struct generator *g)
{
	static const char rest[] = ";[]{}:,#<>=";
	size_t len = gen_pick(g, 24);
	char *text = gen_alloc(g, len + 8);

	gen_mark(g, GEN_VALUE_QUOTED);
	if (!len)
		gen_mark(g, GEN_VALUE_QUOTED_EMPTY);
	for (size_t i = 0; i < len; i++)
		text[i] = gen_chance(g, 15) ? ' ' : (char)('a' + gen_pick(g, 26));
	if (len && gen_maybe(g, 20, GEN_VALUE_QUOTED_REST))
		text[gen_pick(g, (unsigned)len)] = rest[gen_pick(g, sizeof(rest) - 1)];
	if (len && g->version >= 3 && gen_maybe(g, 3, GEN_VALUE_QUOTED_EOL))
		text[gen_pick(g, (unsigned)len)] = '\n';
	if (g->version >= 3 && gen_maybe(g, 3, GEN_VALUE_QUOTED_HIGH)) {
		memcpy(text + len, "\xc3\xa9", 2);
		len += 2;
	}
	mark_short(g, (struct base_str){ text, len });
	return (struct base_str){ text, len };
}

static struct h248_value safe_value(struct generator *g)
{
	static const char odd[] = "+-&!_/'?@^`~*$\\()%|.0123456789";
	size_t len = 1 + gen_pick(g, 12);
	struct base_str text = gen_random_name(g, len, "0123456789");

	gen_mark(g, GEN_VALUE_SAFE);
	if (gen_maybe(g, 20, GEN_VALUE_SAFE_ODD))
		text = gen_random_name(g, len + 1, odd);
	else if (g->version >= 3 && gen_maybe(g, 3, GEN_VALUE_SAFE_HIGH))
		text = BASE_STR("caf\xc3\xa9");
	else if (gen_maybe(g, 3, GEN_NAME_TOKEN))
		text = gen_token(g);
	mark_short(g, text);
	return (struct h248_value){ .text = text };
}

static struct h248_value number_value(struct generator *g, const struct h248_package_values *v)
{
	long long low = v->bounded ? v->min : -2147483647LL,
	          high = v->bounded ? v->max : 2147483647;
	unsigned long long span = (unsigned long long)high - (unsigned long long)low + 1;
	long long n;

	if (gen_chance(g, 20))
		n = gen_chance(g, 50) ? low : high;
	else
		n = low + (long long)(span ? gen_next(g) % span : gen_next(g));
	if (!v->bounded && gen_chance(g, 80))
		n = gen_pick(g, 100000);
	gen_mark(g, n < 0 ? GEN_VALUE_NEGATIVE : GEN_VALUE_NUMBER);
	if (n >= 0 && !g->tables_only && gen_chance(g, 10))
		return (struct h248_value){ .text = gen_printf(g, "0x%llX", n) };
	return (struct h248_value){ .text = gen_printf(g, "%lld", n) };
}

static struct h248_value sized_value(struct generator *g, const struct h248_package_values *v)
{
	struct h248_value value = { .quoted = true };
	int64_t low = v->bounded ? v->min : 0, high = v->bounded ? v->max : 24;
	size_t octets = (size_t)low + gen_pick(g, (unsigned)BASE_MIN(high - low + 1, 24));

	if (v->type == H248_TYPE_OCTETS) {
		char *hex;

		gen_mark(g, GEN_VALUE_OCTETS);
		octets = BASE_MAX(octets, 1);
		hex = gen_alloc(g, octets * 2 + 1);
		for (size_t i = 0; i < octets * 2; i++)
			hex[i] = "0123456789ABCDEF"[gen_pick(g, 16)];
		value.text = (struct base_str){ hex, octets * 2 };
		value.quoted = gen_maybe(g, 30, GEN_VALUE_QUOTED_UPPER);
		mark_short(g, value.text);
		return value;
	}
	value.text = gen_quoted(g);
	if ((int64_t)value.text.len < low || (int64_t)value.text.len > high)
		value.text = gen_random_name(g, BASE_MAX(octets, 1), "0123456789 ");
	mark_short(g, value.text);
	for (size_t i = 0; i < value.text.len; i++) {
		if (value.text.ptr[i] >= 'A' && value.text.ptr[i] <= 'Z')
			gen_mark(g, GEN_VALUE_QUOTED_UPPER);
	}
	return value;
}

struct h248_value gen_value(struct generator *g, const struct h248_package_values *v)
{
	struct h248_value value = { 0 };

	/* in a list of octet strings the binary form has no room for it (a `$` is an octet there)
	 */
	if (!(g->tables_only && v && v->type == H248_TYPE_OCTETS) &&
	    gen_maybe(g, 3, GEN_VALUE_CHOOSE))
		return (struct h248_value){ .text = BASE_STR("$") };
	if (!v && gen_maybe(g, 5, GEN_VALUE_CHARACTER))
		return (struct h248_value){ .text = BASE_STR("k"), .quoted = true };
	if (!v)
		return gen_chance(g, 50)
		               ? safe_value(g)
		               : (struct h248_value){ .text = gen_quoted(g), .quoted = true };
	switch (v->type) {
	case H248_TYPE_BOOLEAN:
		gen_mark(g, GEN_VALUE_BOOLEAN);
		return (struct h248_value){ .text = gen_chance(g, 50) ? BASE_STR("on")
			                                              : BASE_STR("off") };
	case H248_TYPE_INTEGER:
	case H248_TYPE_DOUBLE:
		return number_value(g, v);
	case H248_TYPE_ENUM:
		gen_mark(g, GEN_VALUE_ENUM);
		value.text = base_str_of(v->names[gen_pick(g, (unsigned)v->name_count)].name);
		if (base_str_ieq(value.text, BASE_STR("local")) ||
		    base_str_ieq(value.text, BASE_STR("remote")))
			gen_mark(g, GEN_VALUE_KEYWORD);
		return value;
	default:
		return sized_value(g, v);
	}
}

static bool ordered(const struct h248_package_values *v)
{
	return !v || v->type == H248_TYPE_INTEGER || v->type == H248_TYPE_DOUBLE;
}

/* Further values of a list, in a range two in all. */
static void more_values(struct generator *g, const struct h248_package_values *v,
                        struct h248_parm *parm, unsigned more)
{
	struct h248_value **tail = &parm->value.next;

	while (more--) {
		struct h248_value *value = GEN_NEW(g, struct h248_value);

		*value = gen_value(g, v);
		GEN_APPEND(tail, value);
	}
}

void gen_parm_value(struct generator *g, const struct h248_package_values *v,
                    struct h248_parm *parm)
{
	static const uint8_t forms[] = { H248_FORM_GREATER, H248_FORM_LESS, H248_FORM_UNEQUAL,
		                         H248_FORM_AND,     H248_FORM_OR,   H248_FORM_RANGE };
	static const uint8_t marks[] = { 0,
		                         GEN_FORM_EQUAL,
		                         GEN_FORM_GREATER,
		                         GEN_FORM_LESS,
		                         GEN_FORM_UNEQUAL,
		                         GEN_FORM_AND,
		                         GEN_FORM_OR,
		                         GEN_FORM_RANGE };

	parm->form = H248_FORM_EQUAL;
	if (gen_chance(g, 30))
		parm->form = forms[gen_pick(g, BASE_COUNT(forms))];
	if (!ordered(v) && (parm->form == H248_FORM_RANGE || parm->form == H248_FORM_GREATER ||
	                    parm->form == H248_FORM_LESS))
		parm->form = H248_FORM_OR;
	gen_mark(g, (enum generate_feature)marks[parm->form]);
	parm->value = gen_value(g, v);
	if (parm->form == H248_FORM_AND || parm->form == H248_FORM_OR)
		more_values(g, v, parm, gen_pick(g, 3));
	else if (parm->form == H248_FORM_RANGE)
		more_values(g, v, parm, 1);
}

static bool name_there(const struct h248_parm *list, struct h248_name name)
{
	for (; list; list = list->next) {
		if (h248_name_equal(list->name, name))
			return true;
	}
	return false;
}

struct h248_parm *gen_properties(struct generator *g, unsigned most, unsigned where)
{
	struct h248_parm *list = NULL, **tail = &list;

	for (unsigned n = 1 + gen_pick(g, most), tries = 0; n && tries < 40; tries++) {
		const struct h248_package_item *item;
		struct h248_name name = gen_pkgd(g, H248_PROPERTY, false, &item);
		struct h248_parm *parm;

		if (name_there(list, name) || (where && item && !(item->where & where)))
			continue;
		parm = GEN_NEW(g, struct h248_parm);
		parm->name = name;
		gen_parm_value(g, item ? &item->values : NULL, parm);
		GEN_APPEND(tail, parm);
		n--;
	}
	return list;
}

/* g/sc SigID (RFC 3525, E.1.2): the signal that ended, in the syntax of pkgdName. */
static bool signal_identity(struct generator *g, struct h248_parm *parm)
{
	const struct h248_package_item *item;
	struct h248_name name;

	if (!base_str_ieq(parm->name.item, BASE_STR("SigID")))
		return false;
	name = gen_pkgd(g, H248_SIGNAL, false, &item);
	parm->form = H248_FORM_EQUAL;
	parm->value.quoted = true;
	parm->value.text = gen_printf(g, "%.*s/%.*s", (int)name.package.len, name.package.ptr,
	                              (int)name.item.len, name.item.ptr);
	gen_mark(g, GEN_VALUE_QUOTED_UPPER);
	return true;
}

static void mark_form(struct generator *g, unsigned form)
{
	if (form >= H248_FORM_AND)
		gen_mark(g, GEN_PARAMETER_LIST);
	else if (form != H248_FORM_EQUAL)
		gen_mark(g, GEN_PARAMETER_RELATION);
}

struct h248_parm *gen_parms(struct generator *g, const struct h248_package_item *item,
                            enum h248_package_list which)
{
	const struct h248_package_param *rows = NULL;
	struct h248_parm *list = NULL, **tail = &list;
	size_t count = 0;

	if (item) {
		rows = which == H248_OBSERVED ? item->observed : item->params;
		count = which == H248_OBSERVED ? item->observed_count : item->param_count;
	}
	for (size_t i = 0; i < count; i++) {
		struct h248_parm *parm;

		if (!gen_chance(g, 60))
			continue;
		parm = GEN_NEW(g, struct h248_parm);
		parm->name.item = base_str_of(rows[i].name);
		if (!signal_identity(g, parm))
			gen_parm_value(g, &rows[i].values, parm);
		mark_form(g, parm->form);
		GEN_APPEND(tail, parm);
	}
	if (!g->tables_only && gen_chance(g, 10)) {
		struct h248_parm *parm = GEN_NEW(g, struct h248_parm);

		parm->name.item = gen_random_name(g, 9 + gen_pick(g, 8), "0123456789_");
		gen_parm_value(g, NULL, parm);
		mark_form(g, parm->form);
		GEN_APPEND(tail, parm);
	}
	return list;
}

/* ---- Local, Remote, digit maps ----------------------------------------------------------- */

static const char *attribute(struct generator *g)
{
	static const char *const lines[] = { "a=ptime:20",       "a=sendrecv",
		                             "a=setup:passive",  "a=rtpmap:96 telephone-event/8000",
		                             "a=connection:new", "a=path:msrp://$:$/x;tcp" };

	if (gen_maybe(g, 8, GEN_SDP_BRACE))
		return "a=fmtp:96 {0-15};x";
	if (gen_maybe(g, 5, GEN_SDP_BACKSLASH))
		return "a=note:C:\\dir\\file";
	if (!g->tables_only && gen_maybe(g, 4, GEN_SDP_HIGH))
		return "a=note:caf\xc3\xa9 ; \"quoted\", #1";
	return lines[gen_pick(g, BASE_COUNT(lines))];
}

struct base_str gen_sdp(struct generator *g, bool remote)
{
	const char *eol = gen_maybe(g, 25, GEN_SDP_CRLF) ? "\r\n" : "\n";
	unsigned groups = gen_maybe(g, 15, GEN_SDP_GROUPS) ? 2 : 1;
	char buf[1024];
	size_t at = 0;

	if (gen_maybe(g, 5, GEN_SDP_EMPTY))
		return (struct base_str){ "", 0 };
	while (groups--) {
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "v=0%sc=IN IP%c %s%s", eol,
		                       gen_chance(g, 70) ? '4' : '6', remote ? "192.0.2.7" : "$",
		                       eol);
		if (gen_chance(g, 30))
			at += (size_t)snprintf(buf + at, sizeof(buf) - at, "t=0 0%s", eol);
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "m=%s %s RTP/AVP %u",
		                       gen_chance(g, 50) ? "audio" : "message",
		                       remote ? "49170" : "$", gen_pick(g, 128));
		for (unsigned n = gen_pick(g, 4); n; n--)
			at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%s", eol,
			                       attribute(g));
		if (groups)
			at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s", eol);
	}
	return (struct base_str){ memcpy(gen_alloc(g, at + 1), buf, at), at };
}

static size_t digit_string(struct generator *g, char *out)
{
	const char *letters =
	        g->version >= 2 ? "0123456789ABCDEFGHIJKLSZT" : "0123456789ABCDEFGHIJKLSZ";
	size_t n = 0;

	for (unsigned k = 1 + gen_pick(g, 5); k; k--) {
		switch (gen_pick(g, 5)) {
		case 0:
			out[n++] = 'x';
			break;
		case 1:
			n += (size_t)snprintf(out + n, 16, "[%u-%u%s]", gen_pick(g, 5),
			                      5 + gen_pick(g, 5), gen_chance(g, 30) ? "7AB" : "");
			break;
		default:
			out[n++] = letters[gen_pick(g, (unsigned)strlen(letters))];
		}
		if (gen_chance(g, 15))
			out[n++] = '.';
	}
	return n;
}

struct base_str gen_digits(struct generator *g)
{
	char buf[512];
	size_t n = 0;

	if (!gen_maybe(g, 70, GEN_DIGIT_MAP_LIST)) {
		n = digit_string(g, buf);
	} else {
		buf[n++] = '(';
		for (unsigned k = 1 + gen_pick(g, 4); k; k--) {
			n += digit_string(g, buf + n);
			if (k > 1)
				buf[n++] = '|';
		}
		buf[n++] = ')';
	}
	return (struct base_str){ memcpy(gen_alloc(g, n + 1), buf, n), n };
}
