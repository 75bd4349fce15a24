/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

static bool once(struct text_parser *p, bool there, const char *at)
{
	return !there || text_fail(p, H248_E_PROPERTY_TWICE, at, "each parameter once");
}

static bool mode_value(struct text_parser *p, uint8_t *ret)
{
	struct base_str word;

	switch (text_keyword(p, &word)) {
	case TOK_SEND_ONLY:
		*ret = H248_SEND_ONLY;
		return true;
	case TOK_RECEIVE_ONLY:
		*ret = H248_RECEIVE_ONLY;
		return true;
	case TOK_SEND_RECEIVE:
		*ret = H248_SEND_RECEIVE;
		return true;
	case TOK_INACTIVE:
		*ret = H248_INACTIVE;
		return true;
	case TOK_LOOPBACK:
		*ret = H248_LOOPBACK;
		return true;
	default:
		return text_fail(p, p->syntax_code, word.ptr, "a stream mode");
	}
}

static bool state_value(struct text_parser *p, uint8_t *ret)
{
	struct base_str word;

	switch (text_keyword(p, &word)) {
	case TOK_TEST:
		*ret = H248_STATE_TEST;
		return true;
	case TOK_OUT_OF_SERVICE:
		*ret = H248_STATE_OUT_OF_SERVICE;
		return true;
	case TOK_IN_SERVICE:
		*ret = H248_STATE_IN_SERVICE;
		return true;
	default:
		return text_fail(p, p->syntax_code, word.ptr, "a service state");
	}
}

static bool buffer_value(struct text_parser *p, uint8_t *ret)
{
	struct base_str word;

	if (text_keyword(p, &word) == TOK_LOCK_STEP) {
		*ret = H248_BUFFER_LOCK_STEP;
	} else if (base_str_ieq(word, BASE_STR("OFF"))) {
		*ret = H248_BUFFER_OFF;
	} else {
		return text_fail(p, p->syntax_code, word.ptr, "OFF or LockStep");
	}
	return true;
}

/* `=`, or in a selection (v3) INEQUAL; a keyword of an individual audit may also stand alone. */
static bool relation(struct text_parser *p, bool individual, uint8_t *ret)
{
	struct h248_parm parm = { 0 };
	char c;

	*ret = H248_FORM_NONE;
	if (individual && !text_parm_follows(p))
		return !p->code;
	if (!individual || p->version < 3) {
		*ret = H248_FORM_EQUAL;
		return individual ? text_expected(p, "',' or '}'") : text_equal(p);
	}
	c = text_peek(p);
	parm.form = c == '='   ? H248_FORM_EQUAL
	            : c == '>' ? H248_FORM_GREATER
	            : c == '<' ? H248_FORM_LESS
	                       : H248_FORM_UNEQUAL;
	p->at++;
	*ret = parm.form;
	return text_lwsp(p);
}

/* pkgdName parmValue; in an individual audit without a value, or (v3) with one that selects. */
static bool property(struct text_parser *p, bool individual, struct base_str word,
                     struct h248_parm **list, struct h248_parm ***tail, unsigned *count)
{
	struct h248_parm *parm = TEXT_NEW(p, struct h248_parm);

	if (!parm || !text_pkgd_after(p, word, &parm->name))
		return false;
	if (!individual || (p->version >= 3 && text_parm_follows(p))) {
		if (!text_parm_value(p, parm))
			return false;
	}
	return !p->code && text_parm_append(p, list, tail, count, parm);
}

static bool mode(struct text_parser *p, bool individual, struct h248_local_control *o,
                 const char *at)
{
	uint8_t form;

	if (!once(p, o->mode || o->asked & H248_ASK_MODE, at) || !relation(p, individual, &form))
		return false;
	if (form == H248_FORM_NONE) {
		o->asked |= H248_ASK_MODE;
		return true;
	}
	o->mode_form = form;
	return mode_value(p, &o->mode);
}

static bool reserved(struct text_parser *p, bool individual, uint8_t *value, uint8_t *asked,
                     uint8_t bit, const char *at)
{
	if (!once(p, *value || *asked & bit, at))
		return false;
	if (!individual)
		return text_equal(p) && text_on_off(p, value);
	*asked |= bit;
	return true;
}

static bool local_control(struct text_parser *p, bool individual, struct h248_stream *stream)
{
	struct h248_local_control *o = TEXT_NEW(p, struct h248_local_control);
	struct h248_parm **tail;
	unsigned count = 0;
	bool ok;

	if (!o || !text_open(p))
		return false;
	tail = &o->parms;
	stream->control = o;
	do {
		const char *at = p->at;
		struct base_str word = text_run(p, CH_NAME);
		enum h248_token token = text_peek(p) == '/' ? TOK_NONE : text_token(p, word);

		if (token == TOK_MODE)
			ok = mode(p, individual, o, at);
		else if (token == TOK_RESERVED_VALUE)
			ok = reserved(p, individual, &o->reserved_value, &o->asked,
			              H248_ASK_RESERVED_VALUE, at);
		else if (token == TOK_RESERVED_GROUP)
			ok = reserved(p, individual, &o->reserved_group, &o->asked,
			              H248_ASK_RESERVED_GROUP, at);
		else
			ok = property(p, individual, word, &o->parms, &tail, &count);
	} while (ok && text_more(p));
	return ok && text_close(p);
}

static bool term_state(struct text_parser *p, bool individual, struct h248_media *media)
{
	struct h248_term_state *ts = TEXT_NEW(p, struct h248_term_state);
	struct h248_parm **tail;
	unsigned count = 0;
	uint8_t form;
	bool ok;

	if (!ts || !text_open(p))
		return false;
	tail = &ts->parms;
	media->state = ts;
	do {
		const char *at = p->at;
		struct base_str word = text_run(p, CH_NAME);
		enum h248_token token = text_peek(p) == '/' ? TOK_NONE : text_token(p, word);

		if (token == TOK_SERVICE_STATES) {
			ok = once(p, ts->service_state || ts->asked & H248_ASK_SERVICE_STATES,
			          at) &&
			     relation(p, individual, &form);
			if (ok && form == H248_FORM_NONE) {
				ts->asked |= H248_ASK_SERVICE_STATES;
			} else if (ok) {
				ts->state_form = form;
				ok = state_value(p, &ts->service_state);
			}
		} else if (token == TOK_BUFFER) {
			ok = once(p, ts->buffer || ts->asked & H248_ASK_BUFFER, at);
			if (ok && individual)
				ts->asked |= H248_ASK_BUFFER;
			else if (ok)
				ok = text_equal(p) && buffer_value(p, &ts->buffer);
		} else {
			ok = property(p, individual, word, &ts->parms, &tail, &count);
		}
	} while (ok && text_more(p));
	return ok && text_close(p);
}

static bool octets(struct text_parser *p, struct base_str *text, bool *has)
{
	*has = true;
	return text_octets(p, text);
}

/* One streamParm whose token has been read. Each at most once. */
static bool stream_parm(struct text_parser *p, bool individual, enum h248_token token,
                        const char *at, struct h248_stream *s)
{
	struct h248_descriptor *d = NULL;
	bool legal = !individual || p->version >= 3; /* v2 audits LocalControl only */

	switch (token) {
	case TOK_LOCAL_CONTROL:
		return once(p, s->control, at) && local_control(p, individual, s);
	case TOK_LOCAL:
		if (legal)
			return once(p, s->has_local, at) && octets(p, &s->local, &s->has_local);
		break;
	case TOK_REMOTE:
		if (legal)
			return once(p, s->has_remote, at) && octets(p, &s->remote, &s->has_remote);
		break;
	case TOK_STATISTICS:
		if (p->version < 3)
			break;
		if (!once(p, s->statistics, at) || !text_statistics(p, individual, &d))
			return false;
		s->statistics = (struct h248_statistics *)d;
		return true;
	default:
		break;
	}
	return text_fail(p, H248_E_DESCRIPTOR, at, "a stream parameter");
}

static bool stream_parms(struct text_parser *p, bool individual, struct h248_stream *s)
{
	if (!text_open(p))
		return false;
	do {
		const char *at = p->at;
		struct base_str word;
		enum h248_token token = text_keyword(p, &word);

		if (!stream_parm(p, individual, token, at, s))
			return false;
	} while (text_more(p));
	return text_close(p);
}

/* Every StreamID once; the list is bounded so that checking stays cheap. */
static bool stream_append(struct text_parser *p, struct h248_media *media, struct h248_stream *s,
                          const char *at)
{
	struct h248_stream **tail = &media->streams;
	unsigned count = 0;

	for (; *tail; tail = &(*tail)->next) {
		if (++count == TEXT_LIST_MAX) {
			p->local = true;
			return text_fail(p, H248_E_RESOURCES, at, "at most 256 streams");
		}
		if ((*tail)->id == s->id)
			return text_fail(p, H248_E_DESCRIPTOR_TWICE, at, "each stream once");
	}
	*tail = s;
	return true;
}

static bool stream(struct text_parser *p, bool individual, struct h248_media *media, const char *at)
{
	struct h248_stream *s = TEXT_NEW(p, struct h248_stream);

	if (media->streams && media->streams->implied)
		return s && text_fail(p, p->syntax_code, at,
		                      "stream parameters or Stream descriptors, not both");
	return s && text_equal(p) && text_u16(p, &s->id) && stream_append(p, media, s, at) &&
	       stream_parms(p, individual, s);
}

/* Stream parameters directly in Media belong to stream 1 (RFC 3525, 7.1.4). */
static bool implied(struct text_parser *p, bool individual, enum h248_token token, const char *at,
                    struct h248_media *media)
{
	struct h248_stream *s = media->streams;

	if (s && !s->implied)
		return text_fail(p, p->syntax_code, at,
		                 "stream parameters or Stream descriptors, not both");
	if (!s) {
		s = TEXT_NEW(p, struct h248_stream);
		if (!s)
			return false;
		s->id = 1;
		s->implied = true;
	}
	if (!stream_parm(p, individual, token, at, s))
		return false;
	media->streams = s;
	return true;
}

bool text_media(struct text_parser *p, bool individual, struct h248_descriptor **ret)
{
	struct h248_media *media = TEXT_NEW(p, struct h248_media);
	bool ok;

	if (!media || !text_open(p))
		return false;
	media->d.kind = H248_MEDIA;
	*ret = &media->d;
	do {
		const char *at = p->at;
		struct base_str word;
		enum h248_token token = text_keyword(p, &word);

		if (token == TOK_STREAM)
			ok = stream(p, individual, media, at);
		else if (token == TOK_TERMINATION_STATE)
			ok = once(p, media->state, at) && term_state(p, individual, media);
		else if (word.len == 0)
			ok = text_expected(p, "a stream or termination parameter");
		else
			ok = implied(p, individual, token, at, media);
	} while (ok && text_more(p));
	return ok && text_close(p);
}

/* `=[a,b]` and, as the grammar prints it, `[a,b]` without the `=` (trap 7.11). */
static bool statistic_value(struct text_parser *p, struct h248_parm *parm)
{
	if (text_parm_follows(p)) {
		if (text_peek(p) != '=')
			return text_expected(p, "'='");
		return text_parm_value(p, parm) &&
		       (parm->form == H248_FORM_EQUAL ||
		        (p->version >= 3 && parm->form == H248_FORM_AND) ||
		        text_fail(p, p->syntax_code, parm->name.package.ptr,
		                  "one value of a statistic"));
	}
	if (p->code || p->version < 3 || !text_try(p, '['))
		return !p->code;
	parm->form = H248_FORM_AND;
	if (!text_value(p, &parm->value))
		return false;
	for (struct h248_value *last = &parm->value; text_more(p); last = last->next) {
		last->next = TEXT_NEW(p, struct h248_value);
		if (!last->next || !text_value(p, last->next))
			return false;
	}
	return text_punct(p, ']', "',' or ']'");
}

bool text_statistics(struct text_parser *p, bool individual, struct h248_descriptor **ret)
{
	struct h248_statistics *sa = TEXT_NEW(p, struct h248_statistics);
	struct h248_parm **tail;
	unsigned count = 0;

	if (!sa)
		return false;
	sa->d.kind = H248_STATISTICS;
	*ret = &sa->d;
	tail = &sa->parms;
	/* bare = collect nothing; not in the print, but there is no other spelling (P) */
	if (!individual && p->version >= 3 && text_lwsp(p) && text_peek(p) != '{')
		return true;
	if (!text_open(p))
		return false;
	do {
		struct h248_parm *parm = TEXT_NEW(p, struct h248_parm);

		if (!parm || !text_pkgd(p, &parm->name))
			return false;
		if (!individual && !statistic_value(p, parm))
			return false;
		if (!text_parm_append(p, &sa->parms, &tail, &count, parm))
			return false;
	} while (text_more(p));
	return text_close(p);
}
