/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

static bool once(struct text_parser *p, bool there, const char *at)
{
	return !there || text_fail(p, H248_E_PROPERTY_TWICE, at, "each parameter once");
}

static bool signal_type(struct text_parser *p, uint8_t *ret)
{
	struct base_str word;

	if (!text_equal(p))
		return false;
	switch (text_keyword(p, &word)) {
	case TOK_BRIEF:
		*ret = H248_BRIEF;
		return true;
	case TOK_ON_OFF:
		*ret = H248_ON_OFF;
		return true;
	case TOK_TIME_OUT:
		*ret = H248_TIME_OUT;
		return true;
	default:
		return text_fail(p, p->syntax_code, word.ptr, "OnOff, TimeOut or Brief");
	}
}

static bool signal_direction(struct text_parser *p, uint8_t *ret)
{
	struct base_str word;

	if (!text_equal(p))
		return false;
	switch (text_keyword(p, &word)) {
	case TOK_INTERNAL:
		*ret = H248_INTERNAL;
		return true;
	case TOK_EXTERNAL:
		*ret = H248_EXTERNAL;
		return true;
	case TOK_BOTH:
		*ret = H248_BOTH;
		return true;
	default:
		return text_fail(p, p->syntax_code, word.ptr, "External, Internal or Both");
	}
}

/* = { reason, .. } */
static bool completion(struct text_parser *p, uint8_t *ret)
{
	if (!text_equal(p) || !text_open(p))
		return false;
	do {
		struct base_str word;

		switch (text_keyword(p, &word)) {
		case TOK_TIME_OUT:
			*ret |= H248_ON_TIME_OUT;
			break;
		case TOK_INT_BY_EVENT:
			*ret |= H248_ON_EVENT;
			break;
		case TOK_INT_BY_SIG_DESCR:
			*ret |= H248_ON_SIGNALS;
			break;
		case TOK_OTHER_REASON:
			*ret |= H248_ON_OTHER;
			break;
		case TOK_ITERATION:
			*ret |= H248_ON_ITERATION;
			break;
		default:
			return text_fail(p, p->syntax_code, word.ptr, "a notification reason");
		}
	} while (text_more(p));
	return text_close(p);
}

struct signal_lists {
	struct h248_parm **tail;
	unsigned count;
};

static bool other(struct text_parser *p, struct base_str name, struct h248_signal *s,
                  struct signal_lists *lists)
{
	struct h248_parm *parm = TEXT_NEW(p, struct h248_parm);

	if (!parm || !text_name_check(p, name))
		return false;
	parm->name.item = name;
	return text_parm_value(p, parm) &&
	       text_parm_append(p, &s->parms, &lists->tail, &lists->count, parm);
}

/* `Keyword = number` once, noting that it is there. */
static bool number(struct text_parser *p, bool *has, const char *at, uint16_t *ret)
{
	if (!once(p, *has, at))
		return false;
	*has = true;
	return text_equal(p) && text_u16(p, ret);
}

static bool signal_parameter(struct text_parser *p, struct h248_signal *s,
                             struct signal_lists *lists)
{
	const char *at = p->at;
	struct base_str word;

	switch (text_keyword(p, &word)) {
	case TOK_STREAM:
		return number(p, &s->has_stream, at, &s->stream);
	case TOK_DURATION:
		return number(p, &s->has_duration, at, &s->duration);
	case TOK_INTERSIGNAL:
		return number(p, &s->has_intersignal, at, &s->intersignal);
	case TOK_SIGNAL_TYPE:
		return once(p, s->type, at) && signal_type(p, &s->type);
	case TOK_SPADIRECTION:
		return once(p, s->direction, at) && signal_direction(p, &s->direction);
	case TOK_NOTIFY_COMPLETION:
		if (!once(p, s->has_completion, at))
			return false;
		s->has_completion = true;
		return completion(p, &s->completion);
	case TOK_KEEP_ACTIVE:
		if (!once(p, s->keep_active, at))
			return false;
		s->keep_active = true;
		return true;
	case TOK_SPAREQUEST_ID:
		if (!once(p, s->has_request_id, at))
			return false;
		s->has_request_id = true;
		return text_equal(p) && text_request_id(p, &s->request_id);
	default:
		return other(p, word, s, lists);
	}
}

static bool signal_request(struct text_parser *p, struct base_str head, struct h248_signal *s)
{
	struct signal_lists lists = { .tail = &s->parms };

	if (!text_pkgd_after(p, head, &s->name))
		return false;
	if (!text_try(p, '{'))
		return !p->code;
	do {
		if (!signal_parameter(p, s, &lists))
			return false;
	} while (text_more(p));
	return text_close(p);
}

static bool signal_list(struct text_parser *p, struct h248_signal *list)
{
	struct h248_signal **tail = &list->list;

	list->is_list = true;
	if (!text_equal(p) || !text_u16(p, &list->list_id) || !text_open(p))
		return false;
	do {
		struct h248_signal *s = TEXT_NEW(p, struct h248_signal);

		if (!s || !signal_request(p, text_run(p, CH_NAME), s))
			return false;
		TEXT_APPEND(tail, s);
	} while (text_more(p));
	return text_close(p);
}

/* `Signals{}` and bare `Signals` are both the empty descriptor, in all versions (trap 7.13). */
bool text_signals(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_signals *signals = TEXT_NEW(p, struct h248_signals);
	struct h248_signal **tail;

	if (!signals)
		return false;
	signals->d.kind = H248_SIGNALS;
	*ret = &signals->d;
	if (!text_try(p, '{') || text_try(p, '}'))
		return !p->code;
	tail = &signals->signals;
	do {
		struct h248_signal *s = TEXT_NEW(p, struct h248_signal);
		struct base_str word;
		enum h248_token token;

		if (!s)
			return false;
		token = text_keyword(p, &word);
		if (token == TOK_SIGNAL_LIST && text_peek(p) != '/' ? !signal_list(p, s)
		                                                    : !signal_request(p, word, s))
			return false;
		TEXT_APPEND(tail, s);
	} while (text_more(p));
	return text_close(p);
}

/* pkgdName [ { Stream | SPARequestID } ] (the braces from v3 on) */
static bool signal_individual(struct text_parser *p, struct base_str head, struct h248_signal *s)
{
	if (!text_pkgd_after(p, head, &s->name))
		return false;
	if (p->version < 3 || !text_try(p, '{'))
		return !p->code;
	do {
		const char *at = p->at;
		struct base_str word;
		enum h248_token token = text_keyword(p, &word);

		if (token == TOK_STREAM) {
			if (!number(p, &s->has_stream, at, &s->stream))
				return false;
		} else if (word.len && text_is(word.ptr[0], CH_DIGIT)) {
			p->at = at; /* a StreamID without its keyword: Erlang/OTP writes that */
			if (!once(p, s->has_stream, at) || !text_u16(p, &s->stream))
				return false;
			s->has_stream = true;
		} else if (token == TOK_SPAREQUEST_ID) {
			if (!once(p, s->has_request_id, at) || !text_equal(p) ||
			    !text_request_id(p, &s->request_id))
				return false;
			s->has_request_id = true;
		} else {
			return text_fail(p, p->syntax_code, at, "Stream or SPARequestID");
		}
	} while (text_more(p));
	return text_close(p);
}

/* In an individual audit: empty braces are legal, a list may come without content (v3). */
bool text_signals_individual(struct text_parser *p, struct h248_descriptor **ret)
{
	struct h248_signals *signals = TEXT_NEW(p, struct h248_signals);
	struct h248_signal *s;
	struct base_str word;

	if (!signals || !text_open(p))
		return false;
	signals->d.kind = H248_SIGNALS;
	*ret = &signals->d;
	if (text_try(p, '}'))
		return true;
	s = signals->signals = p->code ? NULL : TEXT_NEW(p, struct h248_signal);
	if (!s)
		return false;
	if (text_keyword(p, &word) != TOK_SIGNAL_LIST || text_peek(p) == '/')
		return signal_individual(p, word, s) && text_close(p);
	s->is_list = true;
	if (!text_equal(p) || !text_u16(p, &s->list_id))
		return false;
	if (text_try(p, '{')) {
		s->list = TEXT_NEW(p, struct h248_signal);
		if (!s->list || !signal_individual(p, text_run(p, CH_NAME), s->list) ||
		    !text_close(p))
			return false;
	} else if (p->code || p->version < 3) {
		return text_expected(p, "'{'");
	}
	return text_close(p);
}
