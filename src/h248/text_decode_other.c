/* SPDX-License-Identifier: Apache-2.0 */
/* The small descriptors: Modem, Mux, Packages. */
#include "h248/text_parse.h"

static uint16_t modem_type(enum h248_token token)
{
	switch (token) {
	case TOK_V18:
		return H248_MODEM_V18;
	case TOK_V22:
		return H248_MODEM_V22;
	case TOK_V22B:
		return H248_MODEM_V22B;
	case TOK_V32:
		return H248_MODEM_V32;
	case TOK_V32B:
		return H248_MODEM_V32B;
	case TOK_V34:
		return H248_MODEM_V34;
	case TOK_V90:
		return H248_MODEM_V90;
	case TOK_V91:
		return H248_MODEM_V91;
	case TOK_SYNCH_ISDN:
		return H248_MODEM_SYNCH_ISDN;
	default:
		return 0;
	}
}

/* At most once, but for extensions (grammar comment). */
static bool modem_one(struct text_parser *p, struct h248_modem *md, struct h248_value ***tail)
{
	struct h248_value *ext;
	struct base_str word;
	uint16_t bit = modem_type(text_keyword(p, &word));

	if (bit & md->types)
		return text_fail(p, H248_E_PROPERTY_TWICE, word.ptr, "each modem type once");
	md->types |= bit;
	if (bit)
		return true;
	ext = TEXT_NEW(p, struct h248_value);
	if (!ext || !text_extension_after(p, word, &ext->text))
		return false;
	TEXT_APPEND(*tail, ext);
	return true;
}

static bool modem_parms(struct text_parser *p, struct h248_modem *md)
{
	struct h248_parm **tail = &md->parms;
	unsigned count = 0;

	do {
		struct h248_parm *parm = TEXT_NEW(p, struct h248_parm);

		if (!parm || !text_pkgd(p, &parm->name) || !text_parm_value(p, parm) ||
		    !text_parm_append(p, &md->parms, &tail, &count, parm))
			return false;
	} while (text_more(p));
	return text_close(p);
}

bool text_modem(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_modem *md = TEXT_NEW(p, struct h248_modem);
	struct h248_value **tail;

	if (!md)
		return false;
	md->d.kind = H248_MODEM;
	*ret = &md->d;
	tail = &md->extensions;
	if (text_try(p, '[')) {
		md->list = true;
		do {
			if (!modem_one(p, md, &tail))
				return false;
		} while (text_more(p));
		if (!text_punct(p, ']', "',' or ']'"))
			return false;
	} else if (!text_equal(p) || !modem_one(p, md, &tail)) {
		return false;
	}
	if (text_try(p, '{'))
		return modem_parms(p, md);
	return !p->code;
}

bool text_mux(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_mux *mx = TEXT_NEW(p, struct h248_mux);
	struct base_str word;

	if (!mx || !text_equal(p))
		return false;
	mx->d.kind = H248_MUX;
	*ret = &mx->d;
	switch (text_keyword(p, &word)) {
	case TOK_H221:
		mx->type = H248_MUX_H221;
		break;
	case TOK_H223:
		mx->type = H248_MUX_H223;
		break;
	case TOK_H226:
		mx->type = H248_MUX_H226;
		break;
	case TOK_V76:
		mx->type = H248_MUX_V76;
		break;
	case TOK_NX64KSERVICE:
		mx->type = H248_MUX_NX64K;
		break;
	default:
		if (!text_extension_after(p, word, &mx->extension))
			return false;
	}
	return text_term_list(p, &mx->terms);
}

bool text_packages(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_packages *pg = TEXT_NEW(p, struct h248_packages);
	struct h248_packages_item **tail;

	if (!pg || !text_open(p))
		return false;
	pg->d.kind = H248_PACKAGES;
	*ret = &pg->d;
	tail = &pg->items;
	do {
		struct h248_packages_item *item = TEXT_NEW(p, struct h248_packages_item);

		if (!item || !text_name(p, &item->name))
			return false;
		if (text_peek(p) != '-')
			return text_expected(p, "'-' and a package version");
		p->at++;
		if (!text_u16(p, &item->version))
			return false;
		TEXT_APPEND(tail, item);
	} while (text_more(p));
	return text_close(p);
}
