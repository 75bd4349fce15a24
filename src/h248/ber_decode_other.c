/* SPDX-License-Identifier: Apache-2.0 */
/* The small descriptors: Modem, Mux, DigitMap, Packages, Error, and the audit of some. */
#include "h248/ber_in.h"

#include <stdio.h>

#include "h248/ber_private.h"
#include "h248/text_parse.h"

/* ---- error ---- */

bool ber_error(struct ber_parser *p, struct h248_error **ret)
{
	struct h248_error *error = BER_NEW(p, struct h248_error);
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!error || !ber_open(p, &box))
		return false;
	error->d.kind = H248_ERROR;
	*ret = error;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			ok = ber_u16(p, &error->code);
		} else if (tag == 1) {
			error->has_text = true;
			ok = ber_string(p, &error->text);
		} else {
			ok = ber_closed(p);
		}
		if (!ok)
			return ber_in(p, "errorDescriptor", -1);
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* ---- digit maps ---- */

/* The body is checked by the text's own rules, without blanks (A.3: Annex B takes precedence). */
static bool digit_map_body(struct ber_parser *p, struct h248_digit_map *dm)
{
	const uint8_t *from = p->h.from;
	struct base_str body;
	struct text_parser text = { .arena = p->arena,
		                    .items_left = 1024,
		                    .version = H248_VERSION_MAX };
	struct h248_digit_map parsed = { 0 };
	char *braced;

	if (!ber_string(p, &body))
		return false;
	if (body.len > SIZE_MAX / 2 || !(braced = ber_room(p, body.len + 2)))
		return false;
	braced[0] = '{';
	if (body.len)
		memcpy(braced + 1, body.ptr, body.len);
	braced[body.len + 1] = '}';
	text.at = text.start = braced;
	text.end = braced + body.len + 2;
	if (!text_digit_map_value(&text, &parsed) || text.at != text.end || parsed.has_t ||
	    parsed.has_s || parsed.has_l || parsed.has_z)
		return text.out_of_memory ? ber_fail_memory(p)
		                          : ber_fail(p, p->syntax_code, from, "a digit map");
	dm->body = parsed.body;
	return true;
}

static bool timer(struct ber_parser *p, bool *has, uint8_t *ret)
{
	*has = true;
	return ber_u8(p, 99, ret);
}

bool ber_digit_map_value(struct ber_parser *p, struct h248_digit_map *dm)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = timer(p, &dm->has_t, &dm->t);
			break;
		case 1:
			ok = timer(p, &dm->has_s, &dm->s);
			break;
		case 2:
			ok = timer(p, &dm->has_l, &dm->l);
			break;
		case 3:
			ok = digit_map_body(p, dm);
			break;
		case 4:
			ok = timer(p, &dm->has_z, &dm->z);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return ber_in(p, "digitMapValue", -1);
	}
	return tag == BER_END && ber_need(p, &box, 8, from);
}

bool ber_digit_map(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_digit_map *dm = BER_NEW(p, struct h248_digit_map);
	struct ber_box box;
	int tag;

	if (!dm || !ber_open(p, &box))
		return false;
	dm->d.kind = H248_DIGIT_MAP;
	*ret = &dm->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_digit_map_name(p, &dm->name)
		    : tag == 1 ? !ber_digit_map_value(p, dm)
		               : !ber_closed(p))
			return ber_in(p, "digitMapDescriptor", -1);
	}
	return tag == BER_END;
}

/* ---- packages ---- */

static bool package(struct ber_parser *p, struct h248_packages_item *item)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_package_name(p, &item->name)
		    : tag == 1 ? !ber_u16(p, &item->version)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

static struct h248_packages *packages_new(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_packages *pg = BER_NEW(p, struct h248_packages);

	if (pg) {
		pg->d.kind = H248_PACKAGES;
		*ret = &pg->d;
	}
	return pg;
}

bool ber_packages(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_packages *pg = packages_new(p, ret);
	struct h248_packages_item **tail;
	struct ber_box box;
	int index = 0;

	if (!pg || !ber_open(p, &box))
		return false;
	tail = &pg->items;
	for (; ber_element(p, &box, BER_SEQUENCE); index++) {
		struct h248_packages_item *item = BER_NEW(p, struct h248_packages_item);

		if (!item || !package(p, item))
			return ber_in(p, "packagesDescriptor", index);
		BER_APPEND(tail, item);
	}
	return !p->code;
}

bool ber_packages_audit(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_packages *pg = packages_new(p, ret);

	if (!pg)
		return false;
	pg->items = BER_NEW(p, struct h248_packages_item);
	return pg->items && (package(p, pg->items) || ber_in(p, "packages", -1));
}

/* ---- modem and mux ---- */

bool ber_extension_text(struct ber_parser *p, struct base_str *ret)
{
	const uint8_t *from = p->h.from;
	bool ok;

	if (!ber_sized(p, 3, 8, ret))
		return false;
	ok = (ret->ptr[0] | 0x20) == 'x' && (ret->ptr[1] == '-' || ret->ptr[1] == '+');
	for (size_t i = 2; i < ret->len; i++)
		ok = ok && text_is(ret->ptr[i], CH_NAME) && ret->ptr[i] != '_';
	return ok || ber_fail(p, p->syntax_code, from, "X- and a name");
}

/* `X-5` for a number that is not known, `text` when it came along. */
bool ber_extension_name(struct ber_parser *p, uint32_t number, struct base_str text,
                        struct base_str *ret)
{
	char *out;

	*ret = text;
	if (text.len)
		return true;
	out = ber_room(p, 16);
	if (!out)
		return false;
	*ret = (struct base_str){ out, (size_t)snprintf(out, 16, "X-%u", (unsigned)number) };
	return true;
}

static bool modem_types(struct ber_parser *p, struct h248_modem *md, unsigned *count)
{
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	for (; ber_element(p, &box, BER_ENUMERATED); ++*count) {
		uint32_t type = 0;

		if (!ber_uint(p, 65535, &type))
			return false;
		if (type <= 8)
			md->types |= (uint16_t)(1U << type);
	}
	return !p->code;
}

/* Our own nonStandardData: 1 for the bracket form, then names of types `X-..` by length. */
static bool modem_ours(struct ber_parser *p, struct base_str data, struct h248_modem *md)
{
	struct h248_value **tail = &md->extensions;
	size_t at = 1;

	md->list = data.ptr[0] & 1;
	while (at < data.len) {
		struct h248_value *v = BER_NEW(p, struct h248_value);
		size_t len = (uint8_t)data.ptr[at++];

		if (!v)
			return false;
		if (len == 0 || len > 8 || len > data.len - at)
			return ber_expected(p, "names of modem types");
		v->text = (struct base_str){ data.ptr + at, len };
		at += len;
		for (size_t i = 0; i < len; i++) {
			if (!text_is(v->text.ptr[i], CH_SAFE))
				return ber_expected(p, "names of modem types");
		}
		BER_APPEND(tail, v);
	}
	return true;
}

/* NonStandardData; that of others is dropped with the deprecated Modem it stands in. */
static bool modem_data(struct ber_parser *p, struct h248_modem *md)
{
	const uint8_t *from = p->h.from;
	struct ber_box box, id_box;
	struct base_str id = { 0 }, data = { 0 };
	int tag, kind;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			kind = ber_explicit(p, &id_box);
			ok = kind == 2 ? ber_string(p, &id) : kind >= 0 && ber_extension(p, NULL);
			ok = ok && ber_done(p, &id_box);
		} else {
			ok = tag == 1 ? ber_string(p, &data) : ber_closed(p);
		}
		if (!ok)
			return false;
	}
	if (tag != BER_END || !ber_need(p, &box, 3, from))
		return false;
	return !base_str_eq(id, BASE_STR(BER_EXPERIMENTAL)) || !data.len || modem_ours(p, data, md);
}

bool ber_modem(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_modem *md = BER_NEW(p, struct h248_modem);
	const uint8_t *from = p->h.from;
	unsigned count = 0;
	struct ber_box box;
	int tag;

	if (!md || !ber_open(p, &box))
		return false;
	md->d.kind = H248_MODEM;
	*ret = &md->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			ok = modem_types(p, md, &count);
			md->list = count != 1;
		} else {
			ok = tag == 1   ? ber_properties(p, &md->parms)
			     : tag == 2 ? modem_data(p, md)
			                : ber_closed(p);
		}
		if (!ok)
			return ber_in(p, "modemDescriptor", -1);
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

bool ber_mux(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_mux *mx = BER_NEW(p, struct h248_mux);
	const uint8_t *from = p->h.from;
	struct base_str text = { 0 };
	uint32_t type = 0;
	struct ber_box box;
	int tag;

	if (!mx || !ber_open(p, &box))
		return false;
	mx->d.kind = H248_MUX;
	*ret = &mx->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = ber_uint(p, 65535, &type);
			break;
		case 1:
			ok = ber_term_list(p, &mx->terms);
			break;
		case BER_OURS:
			ok = ber_extension_text(p, &text);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return ber_in(p, "muxDescriptor", -1);
	}
	if (tag != BER_END || !ber_need(p, &box, 3, from))
		return false;
	if (type <= 4) {
		mx->type = (uint8_t)(type + 1);
		return true;
	}
	return ber_extension_name(p, type, text, &mx->extension);
}
