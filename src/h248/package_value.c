/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values against their rows. Text forms: the comment at parmValue in RFC 3525, Annex B.2; octet
 * strings: B.3.
 */
#include "h248/errors.h"
#include "h248/package.h"
#include "h248/shown.h"

static bool in_bounds(const struct h248_package_values *values, int64_t n)
{
	return !values->bounded || (n >= values->min && n <= values->max);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)base_lower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "0x" and hexadecimal, or decimal, only the latter with a minus. No other form (B.2). */
static bool parse_number(struct base_str s, int64_t *ret)
{
	bool negative = s.len > 0 && s.ptr[0] == '-';
	bool hex = s.len > 2 && s.ptr[0] == '0' && base_lower((unsigned char)s.ptr[1]) == 'x';
	size_t at = negative ? 1 : hex ? 2 : 0;
	unsigned base = hex ? 16 : 10;
	uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	uint64_t n = 0;

	if (at == s.len)
		return false;
	for (; at < s.len; at++) {
		int digit = hex_digit(s.ptr[at]);

		if (digit < 0 || (unsigned)digit >= base || n > (limit - (unsigned)digit) / base)
			return false;
		n = n * base + (unsigned)digit;
	}
	*ret = negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

/* One letter: a lead octet and as many continuations as it announces (RFC 3629, 3). */
static bool is_one_letter(struct base_str s)
{
	unsigned char lead = s.len ? (unsigned char)s.ptr[0] : 0;
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;

	if (s.len != want || lead > 0xf4 || (lead >= 0x80 && lead < 0xc2))
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (((unsigned char)s.ptr[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

static bool is_hex(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (hex_digit(s.ptr[i]) < 0)
			return false;
	}
	return s.len % 2 == 0;
}

static bool parse_enum(const struct h248_package_values *values, struct base_str s, int64_t *ret)
{
	for (size_t i = 0; i < values->name_count; i++) {
		if (base_str_ieq(base_str_of(values->names[i].name), s)) {
			*ret = values->names[i].number;
			return true;
		}
	}
	return false;
}

static bool parse_boolean(struct base_str s, int64_t *ret)
{
	*ret = base_str_ieq(s, BASE_STR("on"));
	return *ret || base_str_ieq(s, BASE_STR("off"));
}

/* Does the text fit the row? Quotes are part of the type, but a string may come without them:
 * known peers drop them when the text is SafeChars (spec sheet, trap 7.5). */
static bool parse_text(const struct h248_package_values *values, const struct h248_value *value,
                       struct h248_package_value *ret)
{
	struct base_str s = value->text;

	switch ((enum h248_package_type)values->type) {
	case H248_TYPE_NONE:
		return false;
	case H248_TYPE_BOOLEAN:
		return !value->quoted && parse_boolean(s, &ret->number);
	case H248_TYPE_STRING:
		return in_bounds(values, (int64_t)s.len);
	case H248_TYPE_OCTETS:
		return is_hex(s) && in_bounds(values, (int64_t)(s.len / 2));
	case H248_TYPE_INTEGER:
		return !value->quoted && parse_number(s, &ret->number) &&
		       ret->number >= INT32_MIN && ret->number <= INT32_MAX &&
		       in_bounds(values, ret->number);
	case H248_TYPE_DOUBLE:
		return !value->quoted && parse_number(s, &ret->number) &&
		       in_bounds(values, ret->number);
	case H248_TYPE_CHARACTER:
		return is_one_letter(s);
	case H248_TYPE_ENUM:
		return !value->quoted && parse_enum(values, s, &ret->number);
	}
	return false;
}

int h248_package_value_parse(const struct h248_package_values *values,
                             const struct h248_value *value, unsigned code,
                             struct h248_package_value *ret, struct base_error *err)
{
	struct h248_package_value out = { .text = value->text };
	char shown[H248_SHOWN_SIZE];

	if (!value->quoted && base_str_eq(value->text, BASE_STR("$")))
		out = (struct h248_package_value){ .choose = true };
	else if (!parse_text(values, value, &out))
		return base_error_set(err, BASE_ERR(BASE_PEER, code), "'%s' is no %s allowed here",
		                      h248_shown(value->text, shown),
		                      h248_package_type_name((enum h248_package_type)values->type));
	*ret = out;
	return 0;
}

static bool is_number(const struct h248_package_values *values)
{
	return values->type == H248_TYPE_INTEGER || values->type == H248_TYPE_DOUBLE;
}

/* Is this form of parmValue possible for the type? (7.1.1, 12.1.2 and B.2.) */
static bool form_fits(const struct h248_package_values *values, enum h248_form form, size_t count)
{
	switch (form) {
	case H248_FORM_NONE:
		return false;
	case H248_FORM_EQUAL:
	case H248_FORM_UNEQUAL:
		return count == 1;
	case H248_FORM_GREATER:
	case H248_FORM_LESS:
		return count == 1 && is_number(values);
	case H248_FORM_AND:
		return count >= 1 && values->sublist;
	case H248_FORM_OR:
		return count >= 1;
	case H248_FORM_RANGE:
		return count == 2 && is_number(values);
	}
	return false;
}

int h248_package_value_check(const struct h248_package_values *values, enum h248_form form,
                             const struct h248_value *first, unsigned code, struct base_error *err)
{
	struct h248_package_value parsed = { 0 };
	int64_t low = 0;
	size_t count = 0;

	for (const struct h248_value *v = form == H248_FORM_NONE ? NULL : first; v; v = v->next) {
		int rc = h248_package_value_parse(values, v, code, &parsed, err);

		if (rc)
			return rc;
		if (!count++)
			low = parsed.number;
	}
	if (!form_fits(values, form, count))
		return base_error_set(err, BASE_ERR(BASE_PEER, code),
		                      "this form of value does not fit the type %s",
		                      h248_package_type_name((enum h248_package_type)values->type));
	if (form == H248_FORM_RANGE && low > parsed.number)
		return base_error_set(err, BASE_ERR(BASE_PEER, code), "the range is empty");
	return 0;
}

int h248_package_property_check(const struct h248_package_item *item, enum h248_package_where where,
                                enum h248_form form, const struct h248_value *first,
                                struct base_error *err)
{
	int rc;

	if (!(item->where & where))
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_PROPERTY_ILLEGAL),
		                      "property %s does not belong in this descriptor", item->name);
	if (!(item->access & H248_WRITE))
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_READ_WRITE),
		                      "property %s is read-only", item->name);
	if (item->access & H248_READ)
		return h248_package_value_check(&item->values, form, first, H248_E_VALUE, err);
	/* A secret: nothing of it may get into a text that is sent or logged. */
	rc = h248_package_value_check(&item->values, form, first, H248_E_VALUE, NULL);
	if (rc)
		return base_error_set(err, rc, "the value of property %s is not allowed",
		                      item->name);
	return 0;
}

/* One parameter: known, not seen before, of a right value. Sets its bit in `seen`. */
static int param_check(const struct h248_package_item *item, const struct h248_parm *parm,
                       uint64_t *seen, struct base_error *err)
{
	const struct h248_package_param *row =
	        h248_package_param_find(item, H248_PARAMS, parm->name.item);
	char shown[H248_SHOWN_SIZE];
	uint64_t bit;

	if (!row)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_PARAMETER),
		                      "%s has no parameter '%s'", item->name,
		                      h248_shown(parm->name.item, shown));
	bit = UINT64_C(1) << (row - item->params);
	if (*seen & bit)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_PROPERTY_TWICE),
		                      "parameter %s of %s is given twice", row->name, item->name);
	*seen |= bit;
	return h248_package_value_check(&row->values, (enum h248_form)parm->form, &parm->value,
	                                H248_E_NO_VALUE, err);
}

int h248_package_params_check(const struct h248_package_item *item, const struct h248_parm *parms,
                              struct base_error *err)
{
	uint64_t seen = 0;

	for (; parms; parms = parms->next) {
		int rc = param_check(item, parms, &seen, err);

		if (rc)
			return rc;
	}
	for (size_t i = 0; i < item->param_count; i++) {
		if (item->params[i].required && !(seen & (UINT64_C(1) << i)))
			return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_PARAMETER_MISSING),
			                      "%s needs its parameter %s", item->name,
			                      item->params[i].name);
	}
	return 0;
}

int h248_package_octets(struct base_str hex, uint8_t *out, size_t cap, size_t *ret_len)
{
	return base_hex_decode(hex, out, cap, ret_len);
}

const char *h248_package_enum_name(const struct h248_package_values *values, int64_t number)
{
	for (size_t i = 0; i < values->name_count; i++) {
		if (values->names[i].number == number)
			return values->names[i].name;
	}
	return NULL;
}

bool h248_package_type_quoted(enum h248_package_type type)
{
	return type == H248_TYPE_STRING || type == H248_TYPE_CHARACTER;
}
