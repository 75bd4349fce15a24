/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_out.h"

static void number(struct text_out *o, bool *first, enum h248_token token, bool has, uint16_t v)
{
	if (!has)
		return;
	out_comma(o, first);
	out_key(o, token);
	out_number(o, v);
}

static void choice(struct text_out *o, bool *first, enum h248_token key, enum h248_token value)
{
	out_comma(o, first);
	out_key(o, key);
	out_token(o, value);
}

static const struct {
	uint8_t bit, token;
} reasons[] = {
	{ H248_ON_TIME_OUT, TOK_TIME_OUT },        { H248_ON_EVENT, TOK_INT_BY_EVENT },
	{ H248_ON_SIGNALS, TOK_INT_BY_SIG_DESCR }, { H248_ON_OTHER, TOK_OTHER_REASON },
	{ H248_ON_ITERATION, TOK_ITERATION },
};

/* = { reason, .. }: on one line always. */
static void completion(struct text_out *o, uint8_t bits)
{
	bool first = true;

	out_key(o, TOK_NOTIFY_COMPLETION);
	out_char(o, '{');
	if (o->pretty)
		out_char(o, ' ');
	for (size_t i = 0; i < BASE_COUNT(reasons); i++) {
		if (!(bits & reasons[i].bit))
			continue;
		if (!first)
			out_put(o, ", ", o->pretty ? 2 : 1);
		first = false;
		out_token(o, reasons[i].token);
	}
	if (first)
		o->bad = true;
	if (o->pretty)
		out_char(o, ' ');
	out_char(o, '}');
}

static void parameters(struct text_out *o, const void *what)
{
	static const uint8_t types[] = { TOK_NONE, TOK_BRIEF, TOK_ON_OFF, TOK_TIME_OUT };
	static const uint8_t directions[] = { TOK_NONE, TOK_INTERNAL, TOK_EXTERNAL, TOK_BOTH };
	const struct h248_signal *s = what;
	bool first = true;

	number(o, &first, TOK_STREAM, s->has_stream, s->stream);
	if (s->type)
		choice(o, &first, TOK_SIGNAL_TYPE, types[s->type & 3]);
	number(o, &first, TOK_DURATION, s->has_duration, s->duration);
	if (s->direction)
		choice(o, &first, TOK_SPADIRECTION, directions[s->direction & 3]);
	if (s->has_completion) {
		out_comma(o, &first);
		completion(o, s->completion);
	}
	if (s->keep_active) {
		out_comma(o, &first);
		out_token(o, TOK_KEEP_ACTIVE);
	}
	if (s->has_request_id) {
		out_comma(o, &first);
		out_key(o, TOK_SPAREQUEST_ID);
		out_request_id(o, s->request_id);
	}
	number(o, &first, TOK_INTERSIGNAL, s->has_intersignal, s->intersignal);
	out_parms(o, &first, s->parms);
}

static void signal_list(struct text_out *o, const void *what);

static void signal_one(struct text_out *o, const struct h248_signal *s)
{
	if (s->is_list) {
		out_key(o, TOK_SIGNAL_LIST);
		out_number(o, s->list_id);
		if (s->list) /* without content only in an individual audit (v3) */
			out_block(o, false, signal_list, s->list);
		return;
	}
	out_pkgd(o, s->name);
	if (s->has_stream || s->type || s->has_duration || s->direction || s->has_completion ||
	    s->keep_active || s->has_request_id || s->has_intersignal || s->parms)
		out_block(o, false, parameters, s);
}

/* A list does not hold lists, so the recursion is one deep. */
static void signal_list(struct text_out *o, const void *what)
{
	bool first = true;

	for (const struct h248_signal *s = what; s; s = s->next) {
		out_comma(o, &first);
		signal_one(o, s);
	}
}

/* Empty: `Signals{}` in version 1 and 2 and in an individual audit, bare in v3 (trap 7.13). */
void out_signals(struct text_out *o, const struct h248_signals *signals, bool individual)
{
	out_token(o, TOK_SIGNALS);
	if (signals->signals)
		out_block(o, false, signal_list, signals->signals);
	else if (individual || o->version < 3)
		out_block_empty(o);
}
