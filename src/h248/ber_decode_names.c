/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of packages and items, and TerminationIDs (A.1), into the names of the model. */
#include "h248/ber_in.h"
#include "h248/ber_names.h"
#include "h248/ber_packages.h"
#include "h248/text_parse.h"

static const struct base_str wildcard = { "*", 1 };

static bool numbered(struct ber_parser *p, const char *prefix, uint16_t number,
                     struct base_str *ret)
{
	char *out = ber_room(p, 8);

	if (!out)
		return false;
	*ret = (struct base_str){ out, ber_numbered(out, prefix, number) };
	return true;
}

/* A name of the message's own list; a text of another shape is none. */
static bool listed(const struct ber_parser *p, uint16_t number, struct base_str *ret)
{
	unsigned index = number - BER_LISTED;

	if (number < BER_LISTED || index >= p->name_count || !ber_is_name(p->names[index]))
		return false;
	*ret = p->names[index];
	return true;
}

/* The same of a package and an item. */
static bool listed_pkgd(const struct ber_parser *p, unsigned index, struct h248_name *ret)
{
	return index < p->name_count && ber_split_name(p->names[index], ret);
}

static uint16_t u16_at(const char *at)
{
	return (uint16_t)((uint8_t)at[0] << 8 | (uint8_t)at[1]);
}

/* What no table has whole: wildcards, names of the message's own list, numbers. */
static bool pkgd_slow(struct ber_parser *p, enum h248_package_kind kind, struct base_str octets,
                      struct h248_name *ret, const struct h248_package_item **ret_item)
{
	const struct h248_package *package;
	const struct h248_package_item *item = NULL;
	uint16_t high, low;

	high = u16_at(octets.ptr);
	low = u16_at(octets.ptr + 2);
	if (high == BER_LISTED_PACKAGE && listed_pkgd(p, low, ret))
		return true;
	package = high == BER_ALL ? NULL : ber_package_by_id(high);
	if (high == BER_ALL)
		ret->package = wildcard;
	else if (package)
		ret->package = base_str_of(package->name);
	else if (!numbered(p, "pkg_", high, &ret->package))
		return false;
	if (low == BER_ALL) {
		ret->item = wildcard;
		return true;
	}
	if (package)
		item = ber_item_by_id(package, kind, low);
	*ret_item = item;
	if (!item)
		return numbered(p, "id_", low, &ret->item);
	ret->item = base_str_of(item->name);
	return true;
}

bool ber_pkgd_of(struct ber_parser *p, enum h248_package_kind kind, struct base_str octets,
                 struct h248_name *ret, const struct h248_package_item **ret_item)
{
	const struct ber_known *known =
	        ber_known_by_id(kind, (uint32_t)u16_at(octets.ptr) << 16 | u16_at(octets.ptr + 2));

	*ret_item = NULL;
	if (!known)
		return pkgd_slow(p, kind, octets, ret, ret_item);
	ret->package = known->package;
	ret->item = known->item;
	*ret_item = known->row;
	return true;
}

bool ber_pkgd(struct ber_parser *p, enum h248_package_kind kind, struct h248_name *ret,
              const struct h248_package_item **ret_item)
{
	struct base_str octets;

	*ret_item = NULL;
	return ber_sized(p, 4, 4, &octets) && ber_pkgd_of(p, kind, octets, ret, ret_item);
}

bool ber_package_name(struct ber_parser *p, struct base_str *ret)
{
	const struct h248_package *package;
	struct base_str octets;
	uint16_t number;

	if (!ber_sized(p, 2, 2, &octets))
		return false;
	number = u16_at(octets.ptr);
	package = ber_package_by_id(number);
	if (package) {
		*ret = base_str_of(package->name);
		return true;
	}
	return listed(p, number, ret) || numbered(p, "pkg_", number, ret);
}

/* Name of an event's or signal's parameter. */
static bool param_name(struct ber_parser *p, const struct h248_package_item *item,
                       enum h248_package_list list, struct base_str *ret,
                       const struct h248_package_param **ret_param)
{
	struct base_str octets;
	uint16_t number;

	if (!ber_sized(p, 2, 2, &octets))
		return false;
	number = u16_at(octets.ptr);
	*ret_param = item ? h248_package_param_by_id(item, list, number) : NULL;
	if (*ret_param) {
		*ret = base_str_of((*ret_param)->name);
		return true;
	}
	return listed(p, number, ret) || numbered(p, "id_", number, ret);
}

/* Two letters are what they say. */
static bool is_short_name(struct base_str s)
{
	return text_is(s.ptr[0], CH_NAME) && !text_is(s.ptr[0], CH_DIGIT) && s.ptr[0] != '_' &&
	       text_is(s.ptr[1], CH_NAME);
}

bool ber_digit_map_name(struct ber_parser *p, struct base_str *ret)
{
	uint16_t number;

	if (!ber_sized(p, 2, 2, ret))
		return false;
	if (is_short_name(*ret))
		return true;
	number = u16_at(ret->ptr);
	return listed(p, number, ret) || numbered(p, "dm_", number, ret);
}

/* ---- TerminationID ---- */

#define FIELDS_MAX 14

struct term_parts {
	struct base_str id, text;
	uint8_t fields[FIELDS_MAX];
	unsigned count;
};

static bool fields(struct ber_parser *p, struct term_parts *parts)
{
	struct ber_box box;
	struct base_str field;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_OCTET_STRING)) {
		if (!ber_sized(p, 1, 1, &field))
			return false;
		if (parts->count == FIELDS_MAX)
			return ber_fail(p, H248_E_IDENTIFIER, p->h.from,
			                "at most 14 wildcard fields");
		parts->fields[parts->count++] = (uint8_t)field.ptr[0];
	}
	return !p->code;
}

static bool term_parts(struct ber_parser *p, struct term_parts *parts)
{
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok = true;

		switch (tag) {
		case 0:
			ok = BER_AT(p, "wildcard", fields(p, parts));
			break;
		case 1:
			ok = BER_AT(p, "id", ber_sized(p, 1, BER_TERM_ID, &parts->id));
			break;
		case BER_OURS:
			ok = ber_sized(p, 1, BER_TERM_TEXT, &parts->text);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END;
}

static bool has_wildcard(struct base_str s)
{
	return s.len && (memchr(s.ptr, '*', s.len) || memchr(s.ptr, '$', s.len));
}

/* `bin/` fields `/` hexadecimal: octets that were made by others. */
static bool binary_name(struct ber_parser *p, const struct term_parts *parts, struct base_str *ret)
{
	static const char digits[] = "0123456789abcdef";
	char *out = ber_room(p, BER_TERM_TEXT);
	size_t len = 4;

	if (!out)
		return false;
	for (size_t i = 0; i < 4; i++)
		out[i] = "bin/"[i];
	for (unsigned i = 0; i < parts->count; i++) {
		out[len++] = parts->fields[i] & 0x80 ? '*' : '$';
		out[len++] = digits[parts->fields[i] >> 4 & 7];
		out[len++] = digits[parts->fields[i] & 15];
	}
	if (parts->count)
		out[len++] = '/';
	for (size_t i = 0; i < parts->id.len; i++) {
		out[len++] = digits[(uint8_t)parts->id.ptr[i] >> 4];
		out[len++] = digits[(uint8_t)parts->id.ptr[i] & 15];
	}
	*ret = (struct base_str){ out, len };
	return true;
}

/* One field from the top bit down: everything. */
static bool is_whole_wildcard(const struct term_parts *parts)
{
	return parts->count == 1 && parts->fields[0] & 0x40 &&
	       (parts->fields[0] & 0x3F) == 8 * parts->id.len - 1;
}

/* A name as it is, without wildcards, and not to be taken for anything else. */
static bool is_plain(struct base_str id)
{
	if (id.len == 4)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];

		if (!text_is(c, CH_PATH) || c == '*' || c == '$')
			return false;
	}
	return id.len < 4 || id.ptr[3] != '/' || (id.ptr[0] | 0x20) != 'b';
}

/* The text of the id, when it has one that says the same as the fields. */
static bool term_text(struct ber_parser *p, const struct term_parts *parts, struct base_str *ret)
{
	char text[BER_TERM_TEXT], *copy;
	size_t len = 0;

	if (!parts->count && is_plain(parts->id)) { /* nearly always */
		*ret = parts->id;
		return true;
	}
	if (!ber_term_unpack((const uint8_t *)parts->id.ptr, parts->id.len, text, &len) ||
	    (parts->count && !has_wildcard((struct base_str){ text, len })))
		return false;
	*ret = parts->id;
	if (len == parts->id.len) /* a packed one is longer */
		return true;
	copy = ber_room(p, len);
	if (!copy)
		return false;
	memcpy(copy, text, len);
	*ret = (struct base_str){ copy, len };
	return true;
}

static bool is_root(struct base_str id)
{
	static const uint8_t root[BER_TERM_ID] = { 255, 255, 255, 255, 255, 255, 255, 255 };

	return id.len == BER_TERM_ID && memcmp(id.ptr, root, BER_TERM_ID) == 0;
}

static bool term_name(struct ber_parser *p, const struct term_parts *parts, struct h248_term *ret)
{
	if (!parts->count && is_root(parts->id)) {
		ret->kind = H248_TERM_ROOT;
		ret->name = BASE_STR("ROOT");
		return true;
	}
	for (size_t i = 0; i < parts->text.len; i++) {
		if (!text_is(parts->text.ptr[i], CH_PATH))
			return ber_fail(p, H248_E_IDENTIFIER, p->h.from, "a TerminationID");
	}
	if (parts->text.len) {
		ret->name = parts->text;
	} else if (is_whole_wildcard(parts)) {
		bool all = parts->fields[0] & 0x80;

		ret->kind = all ? H248_TERM_ALL : H248_TERM_CHOOSE;
		ret->name = all ? wildcard : BASE_STR("$");
		return true;
	} else if (!term_text(p, parts, &ret->name) &&
	           (p->code || !binary_name(p, parts, &ret->name))) {
		return false;
	}
	ret->kind = has_wildcard(ret->name) ? H248_TERM_PARTIAL : H248_TERM_NAME;
	return true;
}

/*
 * Nearly every TerminationID: no wildcards, and an id whose octets are its text, or ROOT.
 *   30 n  A0 00  81 n-4 octets
 * False: nothing was read.
 */
static bool usual_term(struct ber_parser *p, struct h248_term *ret)
{
	const uint8_t *at = p->at;
	size_t len = p->h.len - 4;
	struct base_str id = { (const char *)at + 4, len };

	if (p->h.len < 5 || len > BER_TERM_ID || at[0] != 0xA0 || at[1] || at[2] != 0x81 ||
	    at[3] != len || !ber_constructed(p))
		return false;
	if (is_root(id)) {
		ret->kind = H248_TERM_ROOT;
		ret->name = BASE_STR("ROOT");
	} else if (is_plain(id)) {
		ret->kind = H248_TERM_NAME;
		ret->name = id;
	} else {
		return false;
	}
	p->at = at + 4 + len;
	return true;
}

static __attribute__((noinline)) bool any_term(struct ber_parser *p, struct h248_term *ret)
{
	const uint8_t *from = p->h.from;
	struct term_parts parts = { .count = 0 };

	if (!term_parts(p, &parts))
		return ber_in(p, "terminationID", -1);
	if (!parts.id.len) {
		p->h.from = from;
		return ber_fail(p, p->syntax_code, from, "the id of a TerminationID");
	}
	return term_name(p, &parts, ret);
}

bool ber_term(struct ber_parser *p, struct h248_term *ret)
{
	return usual_term(p, ret) || any_term(p, ret);
}

bool ber_term_list(struct ber_parser *p, struct h248_term **ret)
{
	struct h248_term **tail = ret;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_term *term = BER_NEW(p, struct h248_term);

		if (!term || !ber_term(p, term))
			return false;
		BER_APPEND(tail, term);
	}
	return !p->code;
}

/* TerminationIDList into a command: at least one. */
bool ber_terms(struct ber_parser *p, struct h248_term *first)
{
	struct h248_term *last = first;
	const uint8_t *from = p->h.from;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	if (ber_element(p, &box, BER_SEQUENCE)) {
		if (!ber_term(p, first))
			return false;
	} else {
		return !p->code && ber_fail(p, p->syntax_code, from, "a TerminationID");
	}
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_term *term = BER_NEW(p, struct h248_term);

		if (!term || !ber_term(p, term))
			return false;
		last->next = term;
		last = term;
	}
	return !p->code;
}

/* ---- parameters: their names live here, their values in ber_values.c ---- */

/* EventParameter, SigParameter. */
static bool param(struct ber_parser *p, const struct h248_package_item *item,
                  enum h248_package_list list, struct h248_parm *parm)
{
	const struct h248_package_param *row = NULL;
	uint8_t extra = H248_FORM_NONE;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = param_name(p, item, list, &parm->name.item, &row);
		else if (tag == 1)
			ok = ber_value_list(p, row ? &row->values : NULL, parm);
		else if (tag == 2)
			ok = ber_extra(p, &extra);
		else
			ok = ber_extension(p, NULL);
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from) && ber_form(p, parm, extra);
}

bool ber_params(struct ber_parser *p, const struct h248_package_item *item,
                enum h248_package_list list, struct h248_parm **ret)
{
	struct h248_parm **tail = ret;
	struct ber_box box;
	unsigned count = 0;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_parm *parm = BER_NEW(p, struct h248_parm);
		const uint8_t *from = p->h.from;

		if (!parm || !param(p, item, list, parm) ||
		    !ber_parm_append(p, ret, &tail, &count, parm, from))
			return ber_in(p, "parameter", (int)count);
	}
	return !p->code;
}
