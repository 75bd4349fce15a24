/* SPDX-License-Identifier: Apache-2.0 */
/* Events, EventBuffer, ObservedEvents and the individual audits of the first two. */
#include "h248/ber_in.h"
#include "h248/ber_names.h"

static bool event_digit_map(struct ber_parser *p, struct h248_event *e)
{
	struct h248_digit_map *dm = e->digit_map = BER_NEW(p, struct h248_digit_map);
	struct ber_box box;
	bool ok;

	if (!dm)
		return false;
	dm->d.kind = H248_DIGIT_MAP;
	switch (ber_explicit(p, &box)) {
	case 0:
		ok = ber_digit_map_name(p, &dm->name);
		break;
	case 1:
		ok = ber_digit_map_value(p, dm);
		break;
	default:
		ok = ber_expected(p, "digitMapName or digitMapValue");
	}
	return (ok && ber_done(p, &box)) || ber_in(p, "eventDM", -1);
}

static bool events(struct ber_parser *p, unsigned depth, struct h248_descriptor **ret);

/* Into the Embed of an event, made when the first of its two parts is met. */
static bool embedded(struct ber_parser *p, unsigned depth, bool is_events,
                     struct h248_embed **embed)
{
	struct h248_descriptor *d = NULL;

	if (!*embed)
		*embed = BER_NEW(p, struct h248_embed);
	if (!*embed || (is_events ? !events(p, depth, &d) : !ber_signals(p, &d)))
		return false;
	if (is_events)
		(*embed)->events = (struct h248_events *)d;
	else
		(*embed)->signals = (struct h248_signals *)d;
	return true;
}

/* RegulatedEmbeddedDescriptor; it may embed again, so the depth is bounded. */
static bool regulated(struct ber_parser *p, unsigned depth, struct h248_event *e)
{
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag > 1 ? !ber_extension(p, NULL)
		            : !embedded(p, depth + 1, tag == 0, &e->regulated))
			return false;
	}
	return tag == BER_END;
}

static bool notify(struct ber_parser *p, unsigned depth, struct h248_event *e)
{
	struct ber_box box;
	bool ok;

	switch (ber_explicit(p, &box)) {
	case 0:
		e->notify = H248_NOTIFY_IMMEDIATE;
		ok = ber_null(p);
		break;
	case 1:
		e->notify = H248_NOTIFY_REGULATED;
		ok = regulated(p, depth, e);
		break;
	case 2:
		e->notify = H248_NOTIFY_NEVER;
		ok = ber_null(p);
		break;
	default:
		ok = ber_expected(p, "a notify behaviour");
	}
	return (ok && ber_done(p, &box)) || ber_in(p, "notifyBehaviour", -1);
}

static bool reset_events(struct ber_parser *p, struct h248_event *e)
{
	e->reset_events = true;
	return ber_null(p);
}

/* RequestedActions; SecondRequestedActions has no secondEvent, and all behind it one less. */
static bool actions(struct ber_parser *p, unsigned depth, struct h248_event *e)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag >= 2 && tag < BER_OTHER && depth ? tag + 1 : tag) {
		case 0:
			ok = ber_bool(p, &e->keep_active);
			break;
		case 1:
			ok = event_digit_map(p, e);
			break;
		case 2:
			ok = embedded(p, depth + 1, true, &e->embed);
			break;
		case 3:
			ok = embedded(p, depth, false, &e->embed);
			break;
		case 4:
			ok = notify(p, depth, e);
			break;
		case 5:
			ok = reset_events(p, e);
			break;
		default:
			ok = ber_extension(p, &e->extensions);
		}
		if (!ok)
			return ber_in(p, "eventAction", -1);
	}
	if (e->keep_active && e->embed && e->embed->signals)
		return ber_fail(p, H248_E_CONFLICT, from,
		                "KeepActive or embedded signals, not both");
	return tag == BER_END;
}

/* RequestedEvent and SecondRequestedEvent. */
static bool requested(struct ber_parser *p, unsigned depth, struct h248_event *e)
{
	const struct h248_package_item *item = NULL;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = ber_pkgd(p, H248_EVENT, &e->name, &item);
			break;
		case 1:
			e->has_stream = true;
			ok = ber_u16(p, &e->stream);
			break;
		case 2:
			ok = actions(p, depth, e);
			break;
		case 3:
			ok = ber_params(p, item, H248_PARAMS, &e->parms);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 9, from);
}

static bool event_list(struct ber_parser *p, unsigned depth, struct h248_event **tail)
{
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; ber_element(p, &box, BER_SEQUENCE); index++) {
		struct h248_event *e = BER_NEW(p, struct h248_event);

		if (!e || !requested(p, depth, e))
			return ber_in(p, "eventList", index);
		BER_APPEND(tail, e);
	}
	return !p->code;
}

/* EventsDescriptor, and inside an event (`depth` > 0) SecondEventsDescriptor. */
static bool events(struct ber_parser *p, unsigned depth, struct h248_descriptor **ret)
{
	struct h248_events *ev = BER_NEW(p, struct h248_events);
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (depth > p->max_depth) {
		p->local = true;
		return ber_fail(p, H248_E_RESOURCES, from, "no deeper Embed");
	}
	if (!ev || !ber_open(p, &box))
		return false;
	ev->d.kind = H248_EVENTS;
	*ret = &ev->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			ev->has_request_id = true;
			ok = ber_uint(p, UINT32_MAX, &ev->request_id);
		} else if (tag == 1) {
			ok = event_list(p, depth, &ev->events);
		} else {
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return ber_in(p, depth ? "secondEvent" : "eventsDescriptor", -1);
	}
	if (tag != BER_END || !ber_need(p, &box, 2, from))
		return false;
	return ev->has_request_id || !ev->events ||
	       ber_fail(p, p->syntax_code, from, "a RequestID with events");
}

bool ber_events(struct ber_parser *p, struct h248_descriptor **ret)
{
	return events(p, 0, ret);
}

bool ber_events_audit(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_events *ev = BER_NEW(p, struct h248_events);
	struct h248_event *e = BER_NEW(p, struct h248_event);
	const struct h248_package_item *item;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ev || !e || !ber_open(p, &box))
		return false;
	ev->d.kind = H248_EVENTS;
	ev->events = e;
	*ret = &ev->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ev->has_request_id = true;
			ok = ber_uint(p, UINT32_MAX, &ev->request_id);
			break;
		case 1:
			ok = ber_pkgd(p, H248_EVENT, &e->name, &item);
			break;
		case 2:
			e->has_stream = true;
			ok = ber_u16(p, &e->stream);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return ber_in(p, "events", -1);
	}
	return tag == BER_END && ber_need(p, &box, 2, from);
}

/* ---- EventBuffer ---- */

static bool event_spec(struct ber_parser *p, struct h248_event *e)
{
	const struct h248_package_item *item = NULL;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = ber_pkgd(p, H248_EVENT, &e->name, &item);
			break;
		case 1:
			e->has_stream = true;
			ok = ber_u16(p, &e->stream);
			break;
		case 2:
			ok = ber_params(p, item, H248_PARAMS, &e->parms);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 5, from);
}

bool ber_event_buffer(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_event_buffer *eb = BER_NEW(p, struct h248_event_buffer);
	struct h248_event **tail;
	struct ber_box box;
	int index = 0;

	if (!eb || !ber_open(p, &box))
		return false;
	eb->d.kind = H248_EVENT_BUFFER;
	*ret = &eb->d;
	tail = &eb->events;
	for (; ber_element(p, &box, BER_SEQUENCE); index++) {
		struct h248_event *e = BER_NEW(p, struct h248_event);

		if (!e || !event_spec(p, e))
			return ber_in(p, "eventBufferDescriptor", index);
		BER_APPEND(tail, e);
	}
	return !p->code;
}

/* Names without values, as only text has them: a private field, SEQUENCE OF Name (P). */
static bool asked_params(struct ber_parser *p, struct h248_parm **ret)
{
	struct ber_box box;
	struct h248_parm **tail = ret;
	unsigned count = 0;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_IA5_STRING)) {
		struct h248_parm *parm = BER_NEW(p, struct h248_parm);
		const uint8_t *from = p->h.from;

		if (!parm || !ber_sized(p, 1, 64, &parm->name.item) ||
		    (!ber_is_name(parm->name.item) && !ber_expected(p, "a name")) ||
		    !ber_parm_append(p, ret, &tail, &count, parm, from))
			return false;
	}
	return !p->code;
}

bool ber_event_buffer_audit(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_event_buffer *eb = BER_NEW(p, struct h248_event_buffer);
	struct h248_event *e = BER_NEW(p, struct h248_event);
	const struct h248_package_item *item;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!eb || !e || !ber_open(p, &box))
		return false;
	eb->d.kind = H248_EVENT_BUFFER;
	eb->events = e;
	*ret = &eb->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = ber_pkgd(p, H248_EVENT, &e->name, &item);
			break;
		case 1:
			e->has_stream = true;
			ok = ber_u16(p, &e->stream);
			break;
		case BER_OURS:
			ok = asked_params(p, &e->parms);
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return ber_in(p, "eventBuffer", -1);
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* ---- ObservedEvents ---- */

bool ber_time(struct ber_parser *p, struct h248_time *ret)
{
	const uint8_t *from = p->h.from;
	struct base_str part;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag > 1)
			return ber_closed(p);
		if (!ber_sized(p, 8, 8, &part))
			return false;
		for (int i = 0; i < 8; i++) {
			if (part.ptr[i] < '0' || part.ptr[i] > '9')
				return ber_expected(p, "eight digits of a date or time");
			ret->digits[8 * tag + i] = part.ptr[i];
		}
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

static bool observed(struct ber_parser *p, struct h248_observed_event *e)
{
	const struct h248_package_item *item = NULL;
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		switch (tag) {
		case 0:
			ok = ber_pkgd(p, H248_EVENT, &e->name, &item);
			break;
		case 1:
			e->has_stream = true;
			ok = ber_u16(p, &e->stream);
			break;
		case 2:
			ok = ber_params(p, item, H248_OBSERVED, &e->parms);
			break;
		case 3:
			ok = BER_AT(p, "timeNotation", ber_time(p, &e->time));
			break;
		default:
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 5, from);
}

static bool observed_list(struct ber_parser *p, struct h248_observed_event **tail)
{
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; ber_element(p, &box, BER_SEQUENCE); index++) {
		struct h248_observed_event *e = BER_NEW(p, struct h248_observed_event);

		if (!e || !observed(p, e))
			return ber_in(p, "observedEventLst", index);
		BER_APPEND(tail, e);
	}
	return !p->code;
}

bool ber_observed(struct ber_parser *p, struct h248_descriptor **ret)
{
	struct h248_observed_events *oe = BER_NEW(p, struct h248_observed_events);
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!oe || !ber_open(p, &box))
		return false;
	oe->d.kind = H248_OBSERVED_EVENTS;
	*ret = &oe->d;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_uint(p, UINT32_MAX, &oe->request_id)
		    : tag == 1 ? !observed_list(p, &oe->events)
		               : !ber_closed(p))
			return ber_in(p, "observedEventsDescriptor", -1);
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}
