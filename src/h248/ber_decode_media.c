/* SPDX-License-Identifier: Apache-2.0 */
/* MediaDescriptor and its individual audit, Statistics (Annex A; sheet 4.1, 4.2). */
#include "h248/ber_in.h"
#include "h248/text_parse.h"

/* ---- statistics ---- */

static bool statistic(struct ber_parser *p, struct h248_parm *parm)
{
	const struct h248_package_item *item = NULL;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = ber_pkgd(p, H248_STATISTIC, &parm->name, &item);
		else if (tag == 1)
			ok = ber_statistic_value(p, item, parm);
		else
			ok = ber_closed(p);
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

bool ber_statistics(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_statistics *sa = BER_NEW(p, struct h248_statistics);
	struct h248_parm **tail;
	struct ber_box box;
	unsigned count = 0;

	if (!sa || !ber_open(p, &box))
		return false;
	sa->d.kind = H248_STATISTICS;
	*ret = &sa->d;
	tail = &sa->parms;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_parm *parm = BER_NEW(p, struct h248_parm);
		const uint8_t *from = p->h.from;

		if (!parm || !statistic(p, parm) ||
		    !ber_parm_append(p, &sa->parms, &tail, &count, parm, from))
			return ber_in(p, "statisticsDescriptor", (int)count);
	}
	return !p->code;
}

bool ber_statistics_audit(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_statistics *sa = BER_NEW(p, struct h248_statistics);
	const struct h248_package_item *item;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!sa || !ber_open(p, &box))
		return false;
	sa->d.kind = H248_STATISTICS;
	*ret = &sa->d;
	sa->parms = BER_NEW(p, struct h248_parm);
	while (sa->parms && (tag = ber_field(p, &box)) >= 0) {
		if (tag ? !ber_closed(p) : !ber_pkgd(p, H248_STATISTIC, &sa->parms->name, &item))
			return false;
	}
	return !p->code && ber_need(p, &box, 1, from);
}

/* ---- LocalControl, TerminationState ---- */

static bool local_control(struct ber_parser *p, struct h248_local_control *o)
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
			ok = BER_AT(p, "streamMode", ber_u8(p, 4, &o->mode));
			o->mode++;
			o->mode_form = H248_FORM_EQUAL;
			break;
		case 1:
			ok = ber_tri(p, &o->reserved_value);
			break;
		case 2:
			ok = ber_tri(p, &o->reserved_group);
			break;
		case 3:
			ok = ber_properties(p, &o->parms);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 8, from);
}

static bool term_state(struct ber_parser *p, struct h248_term_state *ts)
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
			ok = ber_properties(p, &ts->parms);
			break;
		case 1:
			ok = BER_AT(p, "eventBufferControl", ber_u8(p, 1, &ts->buffer));
			ts->buffer++;
			break;
		case 2:
			ok = BER_AT(p, "serviceState", ber_u8(p, 2, &ts->service_state));
			ts->service_state++;
			ts->state_form = H248_FORM_EQUAL;
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* ---- their individual audits ---- */

/* IndAudPropertyParm: a name, and (v3) a condition. */
static bool asked_property(struct ber_parser *p, struct h248_parm *parm)
{
	const struct h248_package_item *item;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = ber_pkgd(p, H248_PROPERTY, &parm->name, &item);
		else if (tag == 1)
			ok = ber_property(p, parm);
		else
			ok = ber_extension(p, NULL);
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

bool ber_asked_properties(struct ber_parser *p, struct h248_parm **list)
{
	struct h248_parm **tail = list;
	struct ber_box box;
	unsigned count = 0;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_parm *parm = BER_NEW(p, struct h248_parm);
		const uint8_t *from = p->h.from;

		if (!parm || !asked_property(p, parm) ||
		    !ber_parm_append(p, list, &tail, &count, parm, from))
			return ber_in(p, "propertyParms", (int)count);
	}
	return !p->code;
}

static bool asked(struct ber_parser *p, uint8_t *set, uint8_t bit)
{
	*set |= bit;
	return ber_null(p);
}

/* A private field: how a selecting mode or state relates to its value (P; `#`, `<`, `>`). */
static bool relation(struct ber_parser *p, uint8_t *form)
{
	uint8_t v = 0;

	if (!ber_u8(p, 2, &v))
		return false;
	*form = v == 0 ? H248_FORM_GREATER : v == 1 ? H248_FORM_LESS : H248_FORM_UNEQUAL;
	return true;
}

static bool local_control_audit(struct ber_parser *p, struct h248_local_control *o)
{
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = asked(p, &o->asked, H248_ASK_MODE);
			break;
		case 1:
			ok = asked(p, &o->asked, H248_ASK_RESERVED_VALUE);
			break;
		case 2:
			ok = asked(p, &o->asked, H248_ASK_RESERVED_GROUP);
			break;
		case 3:
			ok = ber_asked_properties(p, &o->parms);
			break;
		case 4: /* wins over streamMode */
			ok = BER_AT(p, "streamModeSel", ber_u8(p, 4, &o->mode));
			o->mode++;
			o->mode_form = H248_FORM_EQUAL;
			o->asked &= (uint8_t)~H248_ASK_MODE;
			break;
		case BER_OURS:
			ok = relation(p, &o->mode_form);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END;
}

static bool term_state_audit(struct ber_parser *p, struct h248_term_state *ts)
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
			ok = ber_asked_properties(p, &ts->parms);
			break;
		case 1:
			ok = asked(p, &ts->asked, H248_ASK_BUFFER);
			break;
		case 2:
			ok = asked(p, &ts->asked, H248_ASK_SERVICE_STATES);
			break;
		case 3: /* wins over serviceState */
			ok = BER_AT(p, "serviceStateSel", ber_u8(p, 2, &ts->service_state));
			ts->service_state++;
			ts->state_form = H248_FORM_EQUAL;
			ts->asked &= (uint8_t)~H248_ASK_SERVICE_STATES;
			break;
		case BER_OURS:
			ok = relation(p, &ts->state_form);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* ---- streams ---- */

static bool local_or_remote(struct ber_parser *p, bool audit, struct base_str *sdp, bool *has)
{
	*has = true;
	return ber_sdp(p, audit, sdp);
}

static bool control(struct ber_parser *p, bool audit, struct h248_stream *s)
{
	s->control = BER_NEW(p, struct h248_local_control);
	return s->control &&
	       (audit ? local_control_audit(p, s->control) : local_control(p, s->control));
}

static bool stream_statistics(struct ber_parser *p, bool audit, struct h248_stream *s)
{
	struct h248_descriptor *d = NULL;

	if (audit ? !ber_statistics_audit(p, &d) : !ber_statistics(p, &d))
		return false;
	s->statistics = (struct h248_statistics *)d;
	return true;
}

/* StreamParms or IndAudStreamParms: the tags are the same. */
static bool stream_parms(struct ber_parser *p, bool audit, struct h248_stream *s)
{
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = BER_AT(p, "localControlDescriptor", control(p, audit, s));
			break;
		case 1:
			ok = BER_AT(p, "localDescriptor",
			            local_or_remote(p, audit, &s->local, &s->has_local));
			break;
		case 2:
			ok = BER_AT(p, "remoteDescriptor",
			            local_or_remote(p, audit, &s->remote, &s->has_remote));
			break;
		case 3:
			ok = BER_AT(p, "statisticsDescriptor", stream_statistics(p, audit, s));
			break;
		default:
			ok = ber_extension(p, &s->extensions);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END;
}

/* StreamDescriptor: closed. */
static bool stream(struct ber_parser *p, bool audit, struct h248_stream *s)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_u16(p, &s->id)
		    : tag == 1 ? !stream_parms(p, audit, s)
		               : !ber_closed(p))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

/* Every StreamID once; the list is bounded so that checking stays cheap. */
static bool stream_append(struct ber_parser *p, struct h248_media *media, struct h248_stream *s,
                          const uint8_t *from)
{
	struct h248_stream **tail = &media->streams;
	unsigned count = 0;

	for (; *tail; tail = &(*tail)->next) {
		if (++count == TEXT_LIST_MAX) {
			p->local = true;
			return ber_fail(p, H248_E_RESOURCES, from, "at most 256 streams");
		}
		if ((*tail)->id == s->id)
			return ber_fail(p, H248_E_DESCRIPTOR_TWICE, from, "each stream once");
	}
	*tail = s;
	return true;
}

static bool multi_stream(struct ber_parser *p, bool audit, struct h248_media *media)
{
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; ber_element(p, &box, BER_SEQUENCE); index++) {
		struct h248_stream *s = BER_NEW(p, struct h248_stream);
		const uint8_t *from = p->h.from;

		if (!s || !stream(p, audit, s) || !stream_append(p, media, s, from))
			return ber_in(p, "multiStream", index);
	}
	return !p->code;
}

static bool one_stream(struct ber_parser *p, bool audit, struct h248_media *media)
{
	struct h248_stream *s = media->streams = BER_NEW(p, struct h248_stream);

	if (!s)
		return false;
	s->id = 1;
	s->implied = true;
	return stream_parms(p, audit, s) || ber_in(p, "oneStream", -1);
}

static bool streams(struct ber_parser *p, bool audit, struct h248_media *media)
{
	struct ber_box box;
	bool ok;

	switch (ber_explicit(p, &box)) {
	case 0:
		ok = one_stream(p, audit, media);
		break;
	case 1:
		ok = multi_stream(p, audit, media);
		break;
	default:
		ok = ber_expected(p, "oneStream or multiStream");
	}
	return ok && ber_done(p, &box);
}

static bool media(struct ber_parser *p, bool audit, struct h248_descriptor **ret)
{
	struct h248_media *m = BER_NEW(p, struct h248_media);
	struct ber_box box;
	int tag;

	if (!m || !ber_open(p, &box))
		return false;
	m->d.kind = H248_MEDIA;
	*ret = &m->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			m->state = BER_NEW(p, struct h248_term_state);
			ok = m->state && BER_AT(p, "termStateDescr",
			                        audit ? term_state_audit(p, m->state)
			                              : term_state(p, m->state));
		} else if (tag == 1) {
			ok = streams(p, audit, m);
		} else {
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return ber_in(p, "mediaDescriptor", -1);
	}
	return tag == BER_END;
}

bool ber_media(struct ber_parser *p, struct h248_descriptor **ret)
{
	return media(p, false, ret);
}

bool ber_media_audit(struct ber_parser *p, struct h248_descriptor **ret)
{
	return media(p, true, ret);
}
