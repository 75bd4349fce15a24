/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

static bool once(struct text_parser *p, bool there, const char *at)
{
	return !there || text_fail(p, H248_E_PROPERTY_TWICE, at, "each parameter once");
}

/* eventParameterName parmValue, the name read already. */
static bool other(struct text_parser *p, struct base_str name, struct h248_parm **list,
                  struct h248_parm ***tail, unsigned *count)
{
	struct h248_parm *parm = TEXT_NEW(p, struct h248_parm);

	if (!parm || !text_name_check(p, name))
		return false;
	parm->name.item = name;
	return text_parm_value(p, parm) && text_parm_append(p, list, tail, count, parm);
}

/*
 * Embed { Signals.. [, Events..] } or { Events.. }. In an embedded event only signals may follow
 * (RFC 3525, embedSig), but a regulated one may embed again (v3), so the depth is bounded here.
 */
static bool embed(struct text_parser *p, unsigned depth, bool events_too, struct h248_embed **ret)
{
	struct h248_embed *embed = TEXT_NEW(p, struct h248_embed);
	struct h248_descriptor *d = NULL;

	if (!embed)
		return false;
	if (depth >= p->max_depth) {
		p->local = true;
		return text_fail(p, H248_E_RESOURCES, p->at, "no deeper Embed");
	}
	*ret = embed;
	if (!text_open(p))
		return false;
	do {
		const char *at = p->at;
		struct base_str word;
		enum h248_token token = text_keyword(p, &word);

		d = NULL;
		if (token == TOK_SIGNALS && !embed->signals && !embed->events) {
			if (!text_signals(p, &d))
				return false;
			embed->signals = (struct h248_signals *)d;
		} else if (token == TOK_EVENTS && !embed->events && events_too) {
			if (!text_events(p, depth + 1, &d))
				return false;
			embed->events = (struct h248_events *)d;
		} else {
			return text_fail(p, p->syntax_code, at, "Signals, then Events");
		}
	} while (text_more(p));
	return text_close(p);
}

/* DigitMap = name | = {value}; `DigitMap{value}` is also let pass (trap 7.14). */
static bool event_digit_map(struct text_parser *p, struct h248_event *event)
{
	struct h248_digit_map *dm = TEXT_NEW(p, struct h248_digit_map);

	if (!dm || !text_lwsp(p))
		return false;
	dm->d.kind = H248_DIGIT_MAP;
	event->digit_map = dm;
	if (text_peek(p) != '{' && !text_equal(p))
		return false;
	if (text_peek(p) == '{')
		return text_digit_map_value(p, dm);
	return text_name(p, &dm->name);
}

/* NeverNotify | ImmediateNotify | RegulatedNotify [ { Embed .. } ] (v3) */
static bool notify(struct text_parser *p, enum h248_token token, unsigned depth,
                   struct h248_event *event)
{
	struct base_str word;

	event->notify = token == TOK_IMMEDIATE_NOTIFY ? H248_NOTIFY_IMMEDIATE
	                : token == TOK_NEVER_NOTIFY   ? H248_NOTIFY_NEVER
	                                              : H248_NOTIFY_REGULATED;
	if (token != TOK_REGULATED_NOTIFY || !text_try(p, '{'))
		return !p->code;
	if (text_keyword(p, &word) != TOK_EMBED)
		return text_fail(p, p->syntax_code, word.ptr, "Embed");
	return embed(p, depth, true, &event->regulated) && text_close(p);
}

struct event_lists {
	struct h248_parm **tail;
	unsigned count;
};

static bool event_parameter(struct text_parser *p, unsigned depth, struct h248_event *e,
                            struct event_lists *lists)
{
	const char *at = p->at;
	struct base_str word;
	enum h248_token token = text_keyword(p, &word);

	switch (token) {
	case TOK_EMBED:
		return once(p, e->embed, at) && embed(p, depth, depth == 0, &e->embed);
	case TOK_KEEP_ACTIVE:
		if (!once(p, e->keep_active, at))
			return false;
		e->keep_active = true;
		return true;
	case TOK_DIGIT_MAP:
		return once(p, e->digit_map, at) && event_digit_map(p, e);
	case TOK_STREAM:
		if (!once(p, e->has_stream, at))
			return false;
		e->has_stream = true;
		return text_equal(p) && text_u16(p, &e->stream);
	case TOK_IMMEDIATE_NOTIFY:
	case TOK_REGULATED_NOTIFY:
	case TOK_NEVER_NOTIFY:
		return once(p, e->notify, at) && notify(p, token, depth, e);
	case TOK_RESET_EVENTS_DESCRIPTOR:
		if (!once(p, e->reset_events, at))
			return false;
		e->reset_events = true;
		return true;
	default:
		return other(p, word, &e->parms, &lists->tail, &lists->count);
	}
}

static bool requested_event(struct text_parser *p, unsigned depth, struct h248_event *e)
{
	struct event_lists lists = { .tail = &e->parms };
	const char *at = p->at;

	if (!text_pkgd(p, &e->name))
		return false;
	if (!text_try(p, '{') || text_try(p, '}')) /* empty braces: Erlang/OTP inside Embed */
		return !p->code;
	do {
		if (!event_parameter(p, depth, e, &lists))
			return false;
	} while (text_more(p));
	if (e->keep_active && e->embed && e->embed->signals)
		return text_fail(p, H248_E_CONFLICT, at,
		                 "KeepActive or embedded signals, not both");
	return text_close(p);
}

/* Events [ = RequestID { .. } ]: bare is the empty descriptor (trap 7.13). */
bool text_events(struct text_parser *p, unsigned depth, struct h248_descriptor **ret)
{
	struct h248_events *events = TEXT_NEW(p, struct h248_events);
	struct h248_event **tail;

	if (!events || !text_lwsp(p))
		return false;
	events->d.kind = H248_EVENTS;
	*ret = &events->d;
	if (text_peek(p) == ',' || text_peek(p) == '}')
		return true;
	events->has_request_id = true;
	if (!text_equal(p) || !text_request_id(p, &events->request_id) || !text_open(p))
		return false;
	tail = &events->events;
	do {
		struct h248_event *event = TEXT_NEW(p, struct h248_event);

		if (!event || !requested_event(p, depth, event))
			return false;
		TEXT_APPEND(tail, event);
	} while (text_more(p));
	return text_close(p);
}

/* v2: Events = RequestID { one pkgdName }; v3: the RequestID is optional. */
bool text_events_individual(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_events *events = TEXT_NEW(p, struct h248_events);
	struct h248_event **tail;

	if (!events)
		return false;
	events->d.kind = H248_EVENTS;
	*ret = &events->d;
	if (text_try(p, '=')) {
		events->has_request_id = true;
		if (!text_request_id(p, &events->request_id))
			return false;
	}
	if (p->code || !text_open(p))
		return false;
	tail = &events->events;
	do {
		struct h248_event *event = TEXT_NEW(p, struct h248_event);

		if (!event || !text_pkgd(p, &event->name))
			return false;
		TEXT_APPEND(tail, event);
	} while (text_more(p));
	return text_close(p);
}

/* eventSpecParameter; an individual audit names a parameter without a value. */
static bool spec_parameter(struct text_parser *p, bool individual, struct h248_event *e,
                           struct event_lists *lists)
{
	const char *at = p->at;
	struct h248_parm *parm;
	struct base_str word;

	if (text_keyword(p, &word) == TOK_STREAM && text_parm_follows(p)) {
		if (!once(p, e->has_stream, at))
			return false;
		e->has_stream = true;
		return text_equal(p) && text_u16(p, &e->stream);
	}
	if (p->code)
		return false;
	if (!individual)
		return other(p, word, &e->parms, &lists->tail, &lists->count);
	parm = TEXT_NEW(p, struct h248_parm);
	if (!parm || !text_name_check(p, word))
		return false;
	parm->name.item = word;
	return text_parm_append(p, &e->parms, &lists->tail, &lists->count, parm);
}

static bool event_spec(struct text_parser *p, bool individual, struct h248_event *e)
{
	struct event_lists lists = { .tail = &e->parms };

	if (!text_pkgd(p, &e->name))
		return false;
	if (!text_try(p, '{'))
		return !p->code;
	do {
		if (!spec_parameter(p, individual, e, &lists))
			return false;
	} while (text_more(p));
	return text_close(p);
}

bool text_event_buffer(struct text_parser *p, bool individual, struct h248_descriptor **ret)
{
	struct h248_event_buffer *eb = TEXT_NEW(p, struct h248_event_buffer);
	struct h248_event **tail;

	if (!eb || !text_lwsp(p))
		return false;
	eb->d.kind = H248_EVENT_BUFFER;
	*ret = &eb->d;
	if (text_peek(p) == ',' || text_peek(p) == '}')
		return true;
	if (!text_open(p))
		return false;
	tail = &eb->events;
	do {
		struct h248_event *event = TEXT_NEW(p, struct h248_event);

		if (!event || !event_spec(p, individual, event))
			return false;
		TEXT_APPEND(tail, event);
	} while (text_more(p));
	return text_close(p);
}

/* [ TimeStamp LWSP ":" LWSP ] pkgdName: the one colon with LWSP (trap 7.1). */
static bool observed_time(struct text_parser *p, struct h248_time *ret)
{
	const char *from = p->at;
	struct base_str word;

	if (!text_is(text_peek(p), CH_DIGIT))
		return true;
	word = text_run(p, CH_NAME);
	if (!text_time_check(word, ret))
		return text_fail(p, p->syntax_code, from, "a time stamp yyyymmddThhmmssss");
	return text_punct(p, ':', "':' after the time stamp");
}

static bool observed_event(struct text_parser *p, struct h248_observed_event *e)
{
	struct h248_parm **tail = &e->parms;
	unsigned count = 0;

	if (!observed_time(p, &e->time) || !text_pkgd(p, &e->name))
		return false;
	if (!text_try(p, '{'))
		return !p->code;
	do {
		const char *at = p->at;
		struct base_str word;

		if (text_keyword(p, &word) == TOK_STREAM) {
			if (!once(p, e->has_stream, at) || !text_equal(p) ||
			    !text_u16(p, &e->stream))
				return false;
			e->has_stream = true;
		} else if (!other(p, word, &e->parms, &tail, &count)) {
			return false;
		}
	} while (text_more(p));
	return text_close(p);
}

bool text_observed_events(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_observed_events *oe = TEXT_NEW(p, struct h248_observed_events);
	struct h248_observed_event **tail;

	if (!oe || !text_equal(p) || !text_request_id(p, &oe->request_id) || !text_open(p))
		return false;
	oe->d.kind = H248_OBSERVED_EVENTS;
	*ret = &oe->d;
	tail = &oe->events;
	do {
		struct h248_observed_event *event = TEXT_NEW(p, struct h248_observed_event);

		if (!event || !observed_event(p, event))
			return false;
		TEXT_APPEND(tail, event);
	} while (text_more(p));
	return text_close(p);
}
