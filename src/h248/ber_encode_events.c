/* SPDX-License-Identifier: Apache-2.0 */
/* Events, EventBuffer, ObservedEvents, Signals. */
#include "h248/ber_out.h"

static void put_notify(struct ber_out *o, unsigned tag, const struct h248_event *e)
{
	size_t at = ber_begin(o, tag), regulated;

	if (e->notify == H248_NOTIFY_REGULATED) {
		regulated = ber_begin(o, BOX(1));
		if (e->regulated && e->regulated->events)
			ber_put_events(o, BOX(0), e->regulated->events, true);
		if (e->regulated && e->regulated->signals)
			ber_put_signals(o, BOX(1), e->regulated->signals);
		ber_close(o, regulated);
	} else {
		ber_put_null(o, e->notify == H248_NOTIFY_IMMEDIATE ? TAG(0) : TAG(2));
	}
	ber_close(o, at);
}

static void put_digit_map(struct ber_out *o, const struct h248_digit_map *dm)
{
	size_t at = ber_begin(o, BOX(1));

	if (dm->name.len)
		ber_put_digit_map_name(o, TAG(0), dm->name);
	else
		ber_put_digit_map_value(o, BOX(1), dm);
	ber_close(o, at);
}

/* RequestedActions; SecondRequestedActions has no secondEvent, and all behind it one less. */
static void put_actions(struct ber_out *o, const struct h248_event *e, bool second)
{
	size_t at = ber_begin(o, BOX(2));
	unsigned less = second ? 1 : 0;

	ber_put_bool_if(o, e->keep_active, TAG(0), true);
	if (e->digit_map)
		put_digit_map(o, e->digit_map);
	if (e->embed && e->embed->events) {
		if (second)
			o->bad = true;
		else
			ber_put_events(o, BOX(2), e->embed->events, true);
	}
	if (e->embed && e->embed->signals)
		ber_put_signals(o, BOX(3 - less), e->embed->signals);
	if (e->notify)
		put_notify(o, BOX(4 - less), e);
	ber_put_null_if(o, e->reset_events, TAG(5 - less));
	ber_put_extensions(o, e->extensions);
	ber_close(o, at);
}

static bool has_actions(const struct h248_event *e)
{
	return e->keep_active || e->digit_map || e->embed || e->notify || e->reset_events ||
	       e->extensions;
}

static void put_requested(struct ber_out *o, const struct h248_event *e, bool second)
{
	size_t at = ber_begin(o, TAG_SEQUENCE);
	const struct h248_package_item *item = ber_put_pkgd(o, TAG(0), H248_EVENT, e->name);

	ber_put_uint_if(o, e->has_stream, TAG(1), e->stream);
	if (has_actions(e))
		put_actions(o, e, second);
	ber_put_params(o, BOX(3), item, H248_PARAMS, e->parms);
	ber_close(o, at);
}

void ber_put_events(struct ber_out *o, unsigned tag, const struct h248_events *ev, bool second)
{
	size_t at = ber_begin(o, tag), list;

	ber_put_uint_if(o, ev->has_request_id, TAG(0), ev->request_id);
	list = ber_begin(o, BOX(1));
	for (const struct h248_event *e = ev->events; e; e = e->next)
		put_requested(o, e, second);
	ber_close2(o, list, at);
}

void ber_put_event_buffer(struct ber_out *o, unsigned tag, const struct h248_event_buffer *eb)
{
	size_t at = ber_begin(o, tag);

	for (const struct h248_event *e = eb->events; e; e = e->next) {
		size_t one = ber_begin(o, TAG_SEQUENCE);
		const struct h248_package_item *item = ber_put_pkgd(o, TAG(0), H248_EVENT, e->name);

		ber_put_uint_if(o, e->has_stream, TAG(1), e->stream);
		ber_put_params(o, BOX(2), item, H248_PARAMS, e->parms);
		ber_close(o, one);
	}
	ber_close(o, at);
}

void ber_put_time(struct ber_out *o, unsigned tag, const struct h248_time *time)
{
	size_t at = ber_begin(o, tag);

	ber_put(o, TAG(0), time->digits, 8);
	ber_put(o, TAG(1), time->digits + 8, 8);
	ber_close(o, at);
}

static void put_observed(struct ber_out *o, const struct h248_observed_event *e)
{
	size_t at = ber_begin(o, TAG_SEQUENCE);
	const struct h248_package_item *item = ber_put_pkgd(o, TAG(0), H248_EVENT, e->name);

	ber_put_uint_if(o, e->has_stream, TAG(1), e->stream);
	ber_put_params(o, BOX(2), item, H248_OBSERVED, e->parms);
	if (e->time.digits[0])
		ber_put_time(o, BOX(3), &e->time);
	ber_close(o, at);
}

void ber_put_observed(struct ber_out *o, unsigned tag, const struct h248_observed_events *oe)
{
	size_t at = ber_begin(o, tag), list;

	ber_put_uint(o, TAG(0), oe->request_id);
	list = ber_begin(o, BOX(1));
	for (const struct h248_observed_event *e = oe->events; e; e = e->next)
		put_observed(o, e);
	ber_close2(o, list, at);
}

/* ---- signals ---- */

static void put_signal(struct ber_out *o, unsigned tag, const struct h248_signal *s)
{
	size_t at = ber_begin(o, tag);
	const struct h248_package_item *item = ber_put_pkgd(o, TAG(0), H248_SIGNAL, s->name);

	ber_put_uint_if(o, s->has_stream, TAG(1), s->stream);
	ber_put_uint_if(o, s->type, TAG(2), s->type - 1U);
	ber_put_uint_if(o, s->has_duration, TAG(3), s->duration);
	if (s->has_completion)
		ber_put_bits(o, TAG(4), s->completion);
	ber_put_bool_if(o, s->keep_active, TAG(5), true);
	ber_put_params(o, BOX(6), item, H248_PARAMS, s->parms);
	ber_put_uint_if(o, s->direction, TAG(7), s->direction - 1U);
	ber_put_uint_if(o, s->has_request_id, TAG(8), s->request_id);
	ber_put_uint_if(o, s->has_intersignal, TAG(9), s->intersignal);
	ber_put_extensions(o, s->extensions);
	ber_close(o, at);
}

static void put_list(struct ber_out *o, const struct h248_signal *s)
{
	size_t at = ber_begin(o, BOX(1)), list;

	ber_put_uint(o, TAG(0), s->list_id);
	list = ber_begin(o, BOX(1));
	for (const struct h248_signal *one = s->list; one; one = one->next)
		put_signal(o, TAG_SEQUENCE, one);
	ber_close2(o, list, at);
}

void ber_put_signals(struct ber_out *o, unsigned tag, const struct h248_signals *sg)
{
	size_t at = ber_begin(o, tag);

	for (const struct h248_signal *s = sg->signals; s; s = s->next) {
		if (s->is_list)
			put_list(o, s);
		else
			put_signal(o, BOX(0), s);
	}
	ber_close(o, at);
}
