/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_out.h"

static const uint8_t modes[] = {
	[H248_SEND_ONLY] = TOK_SEND_ONLY,       [H248_RECEIVE_ONLY] = TOK_RECEIVE_ONLY,
	[H248_SEND_RECEIVE] = TOK_SEND_RECEIVE, [H248_INACTIVE] = TOK_INACTIVE,
	[H248_LOOPBACK] = TOK_LOOPBACK,
};

static const uint8_t states[] = {
	[H248_STATE_TEST] = TOK_TEST,
	[H248_STATE_OUT_OF_SERVICE] = TOK_OUT_OF_SERVICE,
	[H248_STATE_IN_SERVICE] = TOK_IN_SERVICE,
};

/* A keyword, its relation (`=` unless it selects) and the token of its value. */
static void choice(struct text_out *o, enum h248_token key, uint8_t form, enum h248_token value)
{
	const char *relation = form == H248_FORM_GREATER   ? " > "
	                       : form == H248_FORM_LESS    ? " < "
	                       : form == H248_FORM_UNEQUAL ? " # "
	                                                   : " = ";

	out_token(o, key);
	if (o->pretty)
		out_put(o, relation, 3);
	else
		out_put(o, relation + 1, 1);
	out_token(o, value);
}

static void asked(struct text_out *o, bool *first, unsigned set, unsigned bit, enum h248_token t)
{
	if (set & bit) {
		out_comma(o, first);
		out_token(o, t);
	}
}

static void local_control(struct text_out *o, const void *what)
{
	const struct h248_local_control *lc = what;
	bool first = true;

	if (lc->mode && lc->mode < sizeof(modes)) {
		out_comma(o, &first);
		choice(o, TOK_MODE, lc->mode_form, modes[lc->mode]);
	}
	if (lc->reserved_value) {
		out_comma(o, &first);
		out_key(o, TOK_RESERVED_VALUE);
		out_on_off(o, lc->reserved_value);
	}
	if (lc->reserved_group) {
		out_comma(o, &first);
		out_key(o, TOK_RESERVED_GROUP);
		out_on_off(o, lc->reserved_group);
	}
	asked(o, &first, lc->asked, H248_ASK_MODE, TOK_MODE);
	asked(o, &first, lc->asked, H248_ASK_RESERVED_VALUE, TOK_RESERVED_VALUE);
	asked(o, &first, lc->asked, H248_ASK_RESERVED_GROUP, TOK_RESERVED_GROUP);
	out_parms(o, &first, lc->parms);
	if (first) /* LocalControl{} is not legal (trap 7.4) */
		o->bad = true;
}

static void term_state(struct text_out *o, const void *what)
{
	const struct h248_term_state *ts = what;
	bool first = true;

	if (ts->service_state && ts->service_state < sizeof(states)) {
		out_comma(o, &first);
		choice(o, TOK_SERVICE_STATES, ts->state_form, states[ts->service_state]);
	}
	if (ts->buffer) {
		out_comma(o, &first);
		out_key(o, TOK_BUFFER);
		if (ts->buffer == H248_BUFFER_OFF)
			OUT_LITERAL(o, "OFF");
		else
			out_token(o, TOK_LOCK_STEP);
	}
	asked(o, &first, ts->asked, H248_ASK_SERVICE_STATES, TOK_SERVICE_STATES);
	asked(o, &first, ts->asked, H248_ASK_BUFFER, TOK_BUFFER);
	out_parms(o, &first, ts->parms);
	if (first)
		o->bad = true;
}

static void stream_parms(struct text_out *o, bool *first, const struct h248_stream *s)
{
	bool before = *first;

	if (s->control) {
		out_comma(o, first);
		out_token(o, TOK_LOCAL_CONTROL);
		out_block(o, false, local_control, s->control);
	}
	if (s->has_local) {
		out_comma(o, first);
		out_token(o, TOK_LOCAL);
		out_octets(o, s->local);
	}
	if (s->has_remote) {
		out_comma(o, first);
		out_token(o, TOK_REMOTE);
		out_octets(o, s->remote);
	}
	if (s->statistics) {
		out_comma(o, first);
		out_statistics(o, s->statistics);
	}
	if (before && *first) /* neither Stream=1{} nor Media{} is legal (trap 7.4) */
		o->bad = true;
}

static void stream(struct text_out *o, const void *what)
{
	bool first = true;

	stream_parms(o, &first, what);
}

/* What is between the braces of Local and Remote has line ends, so nothing round it is flat. */
static bool has_octets(const struct h248_stream *s)
{
	return s->local.len || s->remote.len;
}

bool out_media_is_wide(const struct h248_media *m)
{
	for (const struct h248_stream *s = m->streams; s; s = s->next) {
		if (has_octets(s))
			return true;
	}
	return false;
}

static void media(struct text_out *o, const void *what)
{
	const struct h248_media *m = what;
	bool first = true;

	if (m->state) {
		out_comma(o, &first);
		out_token(o, TOK_TERMINATION_STATE);
		out_block(o, false, term_state, m->state);
	}
	for (const struct h248_stream *s = m->streams; s; s = s->next) {
		if (s->implied) {
			stream_parms(o, &first, s);
			continue;
		}
		out_comma(o, &first);
		out_key(o, TOK_STREAM);
		out_number(o, s->id);
		out_block(o, has_octets(s), stream, s);
	}
	if (first)
		o->bad = true;
}

void out_media(struct text_out *o, const struct h248_media *m)
{
	out_token(o, TOK_MEDIA);
	out_block(o, o->pretty && out_media_is_wide(m), media, m);
}

static void parm_list(struct text_out *o, const void *what)
{
	bool first = true;

	out_parms(o, &first, what);
}

/* No statistics at all has no spelling in print; the bare token is ours (P). */
void out_statistics(struct text_out *o, const struct h248_statistics *sa)
{
	out_token(o, TOK_STATISTICS);
	if (sa->parms)
		out_block(o, false, parm_list, sa->parms);
}

static const struct {
	uint16_t bit;
	uint8_t token;
} modem_types[] = {
	{ H248_MODEM_V18, TOK_V18 },
	{ H248_MODEM_V22, TOK_V22 },
	{ H248_MODEM_V22B, TOK_V22B },
	{ H248_MODEM_V32, TOK_V32 },
	{ H248_MODEM_V32B, TOK_V32B },
	{ H248_MODEM_V34, TOK_V34 },
	{ H248_MODEM_V90, TOK_V90 },
	{ H248_MODEM_V91, TOK_V91 },
	{ H248_MODEM_SYNCH_ISDN, TOK_SYNCH_ISDN },
};

void out_modem(struct text_out *o, const struct h248_modem *md)
{
	bool first = true;

	out_token(o, TOK_MODEM);
	if (md->list)
		out_char(o, '[');
	else
		out_equal(o);
	for (size_t i = 0; i < BASE_COUNT(modem_types); i++) {
		if (!(md->types & modem_types[i].bit))
			continue;
		if (!first)
			out_char(o, ',');
		first = false;
		out_token(o, modem_types[i].token);
	}
	for (const struct h248_value *ext = md->extensions; ext; ext = ext->next) {
		if (!first)
			out_char(o, ',');
		first = false;
		out_checked(o, ext->text, CH_SAFE);
	}
	if (first)
		o->bad = true;
	if (md->list)
		out_char(o, ']');
	if (md->parms)
		out_block(o, false, parm_list, md->parms);
}

void out_mux(struct text_out *o, const struct h248_mux *mx)
{
	static const uint8_t types[] = {
		[H248_MUX_H221] = TOK_H221,          [H248_MUX_H223] = TOK_H223,
		[H248_MUX_H226] = TOK_H226,          [H248_MUX_V76] = TOK_V76,
		[H248_MUX_NX64K] = TOK_NX64KSERVICE,
	};

	out_key(o, TOK_MUX);
	if (mx->type && mx->type < sizeof(types))
		out_token(o, types[mx->type]);
	else
		out_checked(o, mx->extension, CH_SAFE);
	if (!mx->terms)
		o->bad = true;
	out_block(o, false, out_terms, mx->terms);
}

static void package_items(struct text_out *o, const void *what)
{
	bool first = true;

	for (const struct h248_packages_item *item = what; item; item = item->next) {
		out_comma(o, &first);
		out_name(o, item->name);
		out_char(o, '-');
		out_number(o, item->version);
	}
}

void out_packages(struct text_out *o, const struct h248_packages *pg)
{
	out_token(o, TOK_PACKAGES);
	if (!pg->items)
		o->bad = true;
	out_block(o, false, package_items, pg->items);
}
