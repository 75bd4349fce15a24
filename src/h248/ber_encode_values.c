/* SPDX-License-Identifier: Apache-2.0 */
/* Values, wrapped twice (A.2, NOTE 4). */
#include "h248/ber_out.h"

#include "h248/ber_names.h"
#include "h248/ber_packages.h"
#include "h248/text_parse.h"

/* ---- one value ---- */

void ber_put_text(struct ber_out *o, struct base_str s)
{
	ber_put_str(o, ber_has_high(s) ? TAG_UTF8 : TAG_IA5, s);
}

void ber_put_wrapped(struct ber_out *o, unsigned tag, struct base_str s)
{
	size_t at = ber_begin(o, tag);

	ber_put_text(o, s);
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
		ber_put_text(o, v->text); /* also without quotes, as Erlang sends it */
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
		ber_put_text(o, s);
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

	return v->text.len == 1 && v->text.ptr[0] == '$' && parm->form == H248_FORM_EQUAL &&
	       !v->quoted && !v->next;
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
