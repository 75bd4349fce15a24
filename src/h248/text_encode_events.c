/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_out.h"

static void stream_id(struct text_out *o, bool *first, uint16_t id)
{
	out_comma(o, first);
	out_key(o, TOK_STREAM);
	out_number(o, id);
}

static void embed(struct text_out *o, const void *what)
{
	const struct h248_embed *e = what;
	bool first = true;

	if (e->signals) {
		out_comma(o, &first);
		out_signals(o, e->signals, false);
	}
	if (e->events) {
		out_comma(o, &first);
		out_events(o, e->events, false);
	}
	if (first)
		o->bad = true;
}

static void regulated(struct text_out *o, const void *what)
{
	out_token(o, TOK_EMBED);
	out_block(o, false, embed, what);
}

static void notify(struct text_out *o, bool *first, const struct h248_event *e)
{
	if (!e->notify)
		return;
	out_comma(o, first);
	out_token(o, e->notify == H248_NOTIFY_IMMEDIATE ? TOK_IMMEDIATE_NOTIFY
	             : e->notify == H248_NOTIFY_NEVER   ? TOK_NEVER_NOTIFY
	                                                : TOK_REGULATED_NOTIFY);
	if (e->notify == H248_NOTIFY_REGULATED && e->regulated)
		out_block(o, false, regulated, e->regulated);
}

static void event_parameters(struct text_out *o, const void *what)
{
	const struct h248_event *e = what;
	bool first = true;

	if (e->keep_active) {
		out_comma(o, &first);
		out_token(o, TOK_KEEP_ACTIVE);
	}
	notify(o, &first, e);
	if (e->reset_events) {
		out_comma(o, &first);
		out_token(o, TOK_RESET_EVENTS_DESCRIPTOR);
	}
	if (e->digit_map) {
		out_comma(o, &first);
		out_key(o, TOK_DIGIT_MAP);
		if (e->digit_map->name.len)
			out_name(o, e->digit_map->name);
		else
			out_digit_map_value(o, e->digit_map);
	}
	if (e->has_stream)
		stream_id(o, &first, e->stream);
	out_parms(o, &first, e->parms);
	if (e->embed) {
		out_comma(o, &first);
		out_token(o, TOK_EMBED);
		out_block(o, false, embed, e->embed);
	}
}

static void event(struct text_out *o, const struct h248_event *e)
{
	out_pkgd(o, e->name);
	if (e->keep_active || e->notify || e->reset_events || e->digit_map || e->has_stream ||
	    e->parms || e->embed)
		out_block(o, false, event_parameters, e);
}

static void event_list(struct text_out *o, const void *what)
{
	bool first = true;

	for (const struct h248_event *e = what; e; e = e->next) {
		out_comma(o, &first);
		event(o, e);
	}
}

void out_events(struct text_out *o, const struct h248_events *events, bool individual)
{
	out_token(o, TOK_EVENTS);
	if (!events->events) { /* never Events{} nor Events=5{} (trap 7.13) */
		if (individual)
			o->bad = true;
		return;
	}
	if (events->has_request_id) {
		out_equal(o);
		out_request_id(o, events->request_id);
	} else if (!individual) {
		o->bad = true;
	}
	out_block(o, false, event_list, events->events);
}

void out_event_buffer(struct text_out *o, const struct h248_event_buffer *eb)
{
	out_token(o, TOK_EVENT_BUFFER);
	if (eb->events)
		out_block(o, false, event_list, eb->events);
}

static void observed_parameters(struct text_out *o, const void *what)
{
	const struct h248_observed_event *e = what;
	bool first = true;

	if (e->has_stream)
		stream_id(o, &first, e->stream);
	out_parms(o, &first, e->parms);
}

static void observed_list(struct text_out *o, const void *what)
{
	bool first = true;

	for (const struct h248_observed_event *e = what; e; e = e->next) {
		out_comma(o, &first);
		if (e->time.digits[0]) {
			out_time(o, &e->time);
			if (o->pretty)
				OUT_LITERAL(o, " : ");
			else
				out_char(o, ':');
		}
		out_pkgd(o, e->name);
		if (e->has_stream || e->parms)
			out_block(o, false, observed_parameters, e);
	}
}

void out_observed(struct text_out *o, const struct h248_observed_events *oe)
{
	out_key(o, TOK_OBSERVED_EVENTS);
	out_request_id(o, oe->request_id);
	if (!oe->events)
		o->bad = true;
	out_block(o, true, observed_list, oe->events);
}

static void timer(struct text_out *o, char letter, bool has, uint8_t v)
{
	if (!has)
		return;
	out_char(o, letter);
	out_char(o, ':');
	out_number(o, v);
	out_char(o, ',');
	if (o->pretty)
		out_char(o, ' ');
}

static void digit_map_value(struct text_out *o, const void *what)
{
	const struct h248_digit_map *dm = what;

	timer(o, 'T', dm->has_t, dm->t);
	timer(o, 'S', dm->has_s, dm->s);
	timer(o, 'L', dm->has_l, dm->l);
	timer(o, 'Z', dm->has_z, dm->z);
	if (dm->body.len == 0)
		o->bad = true;
	for (size_t i = 0; i < dm->body.len; i++) {
		if (!text_is(dm->body.ptr[i], CH_NAME) && !strchr("()[]|.-", dm->body.ptr[i]))
			o->bad = true;
	}
	out_str(o, dm->body);
}

void out_digit_map_value(struct text_out *o, const struct h248_digit_map *dm)
{
	if (o->pretty && dm->name.len == 0) { /* behind "= ": no second blank */
		OUT_LITERAL(o, "{ ");
		digit_map_value(o, dm);
		OUT_LITERAL(o, " }");
	} else {
		out_block(o, false, digit_map_value, dm);
	}
}

void out_digit_map(struct text_out *o, const struct h248_digit_map *dm)
{
	out_key(o, TOK_DIGIT_MAP);
	if (dm->name.len)
		out_name(o, dm->name);
	else if (dm->body.len == 0)
		o->bad = true;
	if (dm->body.len)
		out_digit_map_value(o, dm);
}
