/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

static bool plain(struct text_parser *p, struct h248_audit *audit, enum h248_descriptor_kind kind,
                  const char *at)
{
	if (audit->items & H248_AUDIT_BIT(kind)) /* at-most-once (trap 7.18) */
		return text_fail(p, H248_E_DESCRIPTOR_TWICE, at, "each audit item once");
	audit->items |= (uint16_t)H248_AUDIT_BIT(kind);
	return true;
}

/* DigitMap = name: the one individual item without braces. */
static bool digit_map_name(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_digit_map *dm = TEXT_NEW(p, struct h248_digit_map);

	if (!dm)
		return false;
	dm->d.kind = H248_DIGIT_MAP;
	*ret = &dm->d;
	return text_equal(p) && text_name(p, &dm->name);
}

static bool individual(struct text_parser *p, enum h248_token token, const char *at,
                       struct h248_descriptor **ret)
{
	switch (token) {
	case TOK_MEDIA:
		return text_media(p, true, ret);
	case TOK_EVENTS:
		return text_events_individual(p, ret);
	case TOK_SIGNALS:
		return text_signals_individual(p, ret);
	case TOK_DIGIT_MAP:
		return digit_map_name(p, ret);
	case TOK_EVENT_BUFFER:
		return text_event_buffer(p, true, ret);
	case TOK_STATISTICS:
		return text_statistics(p, true, ret);
	case TOK_PACKAGES:
		return text_packages(p, ret);
	default:
		return text_fail(p, p->syntax_code, at, "an item that can be audited in parts");
	}
}

static bool kind_of(enum h248_token token, enum h248_descriptor_kind *ret)
{
	switch (token) {
	case TOK_MEDIA:
		*ret = H248_MEDIA;
		return true;
	case TOK_MODEM:
		*ret = H248_MODEM;
		return true;
	case TOK_MUX:
		*ret = H248_MUX;
		return true;
	case TOK_EVENTS:
		*ret = H248_EVENTS;
		return true;
	case TOK_SIGNALS:
		*ret = H248_SIGNALS;
		return true;
	case TOK_DIGIT_MAP:
		*ret = H248_DIGIT_MAP;
		return true;
	case TOK_STATISTICS:
		*ret = H248_STATISTICS;
		return true;
	case TOK_OBSERVED_EVENTS:
		*ret = H248_OBSERVED_EVENTS;
		return true;
	case TOK_PACKAGES:
		*ret = H248_PACKAGES;
		return true;
	case TOK_EVENT_BUFFER:
		*ret = H248_EVENT_BUFFER;
		return true;
	default:
		return false;
	}
}

bool text_audit_item(struct text_parser *p, enum h248_token token, const char *at,
                     struct h248_audit *audit)
{
	struct h248_descriptor **tail = &audit->individual, *d = NULL;
	enum h248_descriptor_kind kind = H248_ITEM;
	bool ok;

	if (!kind_of(token, &kind))
		return text_fail(p, p->syntax_code, at, "an audit item");
	if (!text_lwsp(p))
		return false;
	if (text_peek(p) != '{' && text_peek(p) != '=')
		return plain(p, audit, kind, at);
	if (p->version < 2)
		return text_expected(p, "',' or '}': version 1 audits whole descriptors");
	ok = individual(p, token, at, &d);
	if (!ok)
		return false;
	if (audit->last)
		tail = &audit->last->next;
	*tail = d;
	audit->last = d;
	return true;
}

bool text_audit(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_audit *audit = TEXT_NEW(p, struct h248_audit);

	if (!audit || !text_open(p))
		return false;
	audit->d.kind = H248_AUDIT;
	*ret = &audit->d;
	if (text_try(p, '}'))
		return true;
	do {
		const char *at = p->at;
		struct base_str word;
		enum h248_token token = text_keyword(p, &word);

		if (!text_audit_item(p, token, at, audit))
			return false;
	} while (text_more(p));
	return text_close(p);
}
