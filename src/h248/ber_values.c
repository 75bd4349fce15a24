/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of packages into the text of the model. By the standard a value is wrapped twice: BER of
 * its type inside an OCTET STRING (A.2, NOTE 4). Erlang sends the bare text, which is taken too:
 * what is no complete value of a known type is a text.
 */
#include "h248/ber_in.h"

#include "h248/ber_packages.h"
#include "h248/text_parse.h"

static bool all_of(struct base_str s, unsigned classes)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!text_is(s.ptr[i], classes))
			return false;
	}
	return s.len > 0;
}

/* Hexadecimal in the arena, behind `0x` when the type is not known. */
static bool hex(struct ber_parser *p, struct base_str octets, bool prefixed, struct h248_value *ret)
{
	size_t at = prefixed ? 2 : 0;
	char *out;

	if (octets.len > SIZE_MAX / 8)
		return ber_fail_memory(p);
	out = ber_room(p, 2 * octets.len + at + 1);
	if (!out)
		return false;
	if (prefixed) {
		out[0] = '0';
		out[1] = 'x';
	}
	for (size_t i = 0; i < octets.len; i++) {
		out[at++] = "0123456789abcdef"[(uint8_t)octets.ptr[i] >> 4];
		out[at++] = "0123456789abcdef"[(uint8_t)octets.ptr[i] & 15];
	}
	ret->text = (struct base_str){ out, at };
	return true;
}

static bool decimal(struct ber_parser *p, int64_t number, struct base_str *ret)
{
	static const char small[] = "0123456789";
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
	size_t room = left < 100000000000000 ? 16 : 24, at = room;
	char *out;

	if (left == (uint64_t)number && number <= 9) {
		*ret = (struct base_str){ small + number, 1 };
		return true;
	}
	out = ber_room(p, room);
	if (!out)
		return false;
	do { /* from the end, which so needs no second place */
		out[--at] = (char)('0' + left % 10);
	} while (left /= 10);
	if (number < 0)
		out[--at] = '-';
	*ret = (struct base_str){ out + at, room - at };
	return true;
}

static int64_t integer(struct base_str s)
{
	uint64_t v = s.ptr[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | (uint8_t)s.ptr[i];
	return (int64_t)v;
}

/* ENUMERATED: the word of the table, else the number. */
static bool enumerated(struct ber_parser *p, const struct h248_package_values *values,
                       struct base_str content, struct h248_value *ret)
{
	int64_t number = integer(content);
	const char *name = values && values->type == H248_TYPE_ENUM
	                           ? h248_package_enum_name(values, number)
	                           : NULL;

	if (!name)
		return decimal(p, number, &ret->text);
	ret->text = base_str_of(name);
	return true;
}

/* The content of the second wrapping, if `octets` is exactly one value of a type used here. */
static bool unwrapped(struct base_str octets, unsigned *ret_tag, struct base_str *ret)
{
	const uint8_t *at = (const uint8_t *)octets.ptr;
	size_t head = 2, len;

	if (octets.len < 2)
		return false;
	len = at[1];
	if (len > 0x80 && len <= 0x84 && octets.len >= 2 + (len & 0x7F)) {
		head = 2 + (len & 0x7F);
		len = 0;
		for (size_t i = 2; i < head; i++)
			len = len << 8 | at[i];
	}
	*ret_tag = at[0];
	*ret = (struct base_str){ octets.ptr + head, len };
	if (octets.len - head != len)
		return false;
	switch (at[0]) {
	case BER_BOOLEAN:
		return len == 1;
	case BER_INTEGER:
	case BER_ENUMERATED:
		return len >= 1;
	case BER_OCTET_STRING:
	case BER_UTF8_STRING:
	case BER_IA5_STRING:
		return true;
	default:
		return false;
	}
}

/* A bare text, as Erlang sends it. */
static bool bare(struct ber_parser *p, unsigned type, struct base_str octets,
                 struct h248_value *ret)
{
	bool printable = all_of(octets, CH_QUOTED | CH_HIGH) || !octets.len;

	if (octets.len == 1 && octets.ptr[0] == '$' && type == H248_TYPE_OCTETS) {
		ret->text = octets; /* CHOOSE, in a list: a value alone has none at all */
		return true;
	}
	if (type == H248_TYPE_OCTETS && !(octets.len % 2 == 0 && all_of(octets, CH_HEX)))
		return hex(p, octets, false, ret);
	if (!printable && !h248_package_type_quoted((enum h248_package_type)type))
		return hex(p, octets, true, ret);
	ret->text = octets;
	ret->quoted =
	        h248_package_type_quoted((enum h248_package_type)type) || !all_of(octets, CH_SAFE);
	return true;
}

/* Four octets that name a signal (RFC 3525, E.1.2), as its text. */
static bool signal_name(struct ber_parser *p, struct base_str octets, struct h248_value *ret)
{
	const struct h248_package_item *item;
	struct h248_name name;
	char *out;

	if (!ber_pkgd_of(p, H248_SIGNAL, octets, &name, &item))
		return false;
	out = ber_room(p, name.package.len + 1 + name.item.len);
	if (!out)
		return false;
	memcpy(out, name.package.ptr, name.package.len);
	out[name.package.len] = '/';
	memcpy(out + name.package.len + 1, name.item.ptr, name.item.len);
	ret->text = (struct base_str){ out, name.package.len + 1 + name.item.len };
	ret->quoted = true;
	return true;
}

static bool value(struct ber_parser *p, const struct h248_package_values *values,
                  struct base_str octets, struct h248_value *ret)
{
	unsigned type = values ? values->type : H248_TYPE_NONE, tag = 0;
	struct base_str content;

	if (!unwrapped(octets, &tag, &content)) {
		if (octets.len == 4 && !all_of(octets, CH_QUOTED) && ber_is_signal_name(values))
			return signal_name(p, octets, ret);
		return bare(p, type, octets, ret);
	}
	if (tag == BER_OCTET_STRING && content.len == 4 && ber_is_signal_name(values))
		return signal_name(p, content, ret);
	switch (tag) {
	case BER_BOOLEAN:
		ret->text = content.ptr[0] ? BASE_STR("on") : BASE_STR("off");
		return true;
	case BER_INTEGER:
		return content.len > 8 ? hex(p, content, true, ret)
		                       : decimal(p, integer(content), &ret->text);
	case BER_ENUMERATED:
		return content.len > 8 ? hex(p, content, true, ret)
		                       : enumerated(p, values, content, ret);
	case BER_OCTET_STRING:
		return hex(p, content, type != H248_TYPE_OCTETS, ret);
	default:
		ret->quoted = true;
		ret->text = content;
		return true;
	}
}

/* SEQUENCE OF OCTET STRING; how many there are is in parm->form until ber_form. */
bool ber_value_list(struct ber_parser *p, const struct h248_package_values *values,
                    struct h248_parm *parm)
{
	struct h248_value *last = NULL;
	struct base_str octets;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_OCTET_STRING)) {
		struct h248_value *v = last ? BER_NEW(p, struct h248_value) : &parm->value;

		if (!v || !ber_string(p, &octets) || !value(p, values, octets, v))
			return ber_in(p, "value", -1);
		if (last)
			last->next = v;
		last = v;
		parm->form = H248_FORM_EQUAL;
	}
	return !p->code;
}

/* extraInfo */
bool ber_extra(struct ber_parser *p, uint8_t *form)
{
	static const uint8_t relations[] = { H248_FORM_GREATER, H248_FORM_LESS, H248_FORM_UNEQUAL };
	struct ber_box box;
	uint8_t relation = 0;
	bool flag = false, ok;

	switch (ber_explicit(p, &box)) {
	case 0:
		ok = ber_u8(p, 2, &relation);
		*form = relations[relation];
		break;
	case 1:
		ok = ber_bool(p, &flag);
		*form = flag ? H248_FORM_RANGE : H248_FORM_NONE;
		break;
	case 2:
		ok = ber_bool(p, &flag);
		*form = flag ? H248_FORM_AND : H248_FORM_OR;
		break;
	default:
		ok = ber_expected(p, "relation, range or sublist");
	}
	return (ok && ber_done(p, &box)) || ber_in(p, "extraInfo", -1);
}

/* What the values and extraInfo mean together (comments at PropertyParm). */
bool ber_form(struct ber_parser *p, struct h248_parm *parm, uint8_t extra)
{
	bool none = parm->form == H248_FORM_NONE, several = parm->value.next;

	parm->form = extra;
	if (none) { /* empty: CHOOSE */
		parm->form = H248_FORM_EQUAL;
		parm->value.text = BASE_STR("$");
		return true;
	}
	if (extra == H248_FORM_NONE)
		parm->form = several ? H248_FORM_OR : H248_FORM_EQUAL;
	if (extra == H248_FORM_RANGE && (!several || parm->value.next->next))
		return ber_expected(p, "two values in a range");
	if (extra >= H248_FORM_GREATER && extra <= H248_FORM_UNEQUAL && several)
		return ber_expected(p, "one value in a relation");
	return true;
}

bool ber_property(struct ber_parser *p, struct h248_parm *parm)
{
	const uint8_t *from = p->h.from;
	const struct h248_package_item *item = NULL;
	uint8_t extra = H248_FORM_NONE;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = BER_AT(p, "name", ber_pkgd(p, H248_PROPERTY, &parm->name, &item));
		else if (tag == 1)
			ok = ber_value_list(p, item ? &item->values : NULL, parm);
		else if (tag == 2)
			ok = ber_extra(p, &extra);
		else
			ok = ber_extension(p, NULL);
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from) && ber_form(p, parm, extra);
}

bool ber_parm_append(struct ber_parser *p, struct h248_parm **list, struct h248_parm ***tail,
                     unsigned *count, struct h248_parm *parm, const uint8_t *from)
{
	if (++*count > TEXT_LIST_MAX) {
		p->local = true;
		return ber_fail(p, H248_E_RESOURCES, from, "at most 256 parameters in a list");
	}
	for (const struct h248_parm *other = *list; other; other = other->next) {
		if (other->name.item.len == parm->name.item.len &&
		    h248_name_equal(other->name, parm->name))
			return ber_fail(p, H248_E_PROPERTY_TWICE, from, "each parameter once");
	}
	BER_APPEND(*tail, parm);
	return true;
}

bool ber_properties(struct ber_parser *p, struct h248_parm **list)
{
	struct h248_parm **tail = list;
	struct ber_box box;
	unsigned count = 0;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_parm *parm = BER_NEW(p, struct h248_parm);
		const uint8_t *from = p->h.from;

		if (!parm || !ber_property(p, parm) ||
		    !ber_parm_append(p, list, &tail, &count, parm, from))
			return ber_in(p, "propertyParms", (int)count);
	}
	return !p->code;
}

bool ber_statistic_value(struct ber_parser *p, const struct h248_package_item *item,
                         struct h248_parm *parm)
{
	if (!ber_value_list(p, item ? &item->values : NULL, parm))
		return false;
	if (parm->value.next)
		parm->form = H248_FORM_AND;
	return true;
}

bool ber_wrapped_string(struct ber_parser *p, struct base_str *ret)
{
	struct base_str octets;
	unsigned tag = 0;

	if (!ber_string(p, &octets))
		return false;
	if (!unwrapped(octets, &tag, ret) || (tag != BER_IA5_STRING && tag != BER_UTF8_STRING))
		*ret = octets;
	return true;
}
