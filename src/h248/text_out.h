/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the text encoder's parts share. Private to the codec.
 *
 * Pretty style writes each block on its line (folded) and unfolds it when the line gets too wide:
 * see text_lines.c.
 */
#ifndef GH_H248_TEXT_OUT_H
#define GH_H248_TEXT_OUT_H

#include "h248/text.h"
#include "h248/text_parse.h"

/** The widest line that a folded block may make. */
#define TEXT_WIDTH  92
#define TEXT_BREAKS 64
#define TEXT_FOLDED 32

struct text_out {
	struct base_writer *w; /**< its `len` is right only after out_finish */
	uint8_t *at;           /**< where to write */
	uint8_t *edge;         /**< up to here nobody needs to think: memory and line have room */
	uint8_t *data, *end;   /**< the writer's memory; both `none` when it could get none */
	uint8_t none;          /**< never written to */
	size_t line;           /**< where the current line starts in the writer */
	unsigned indent;
	unsigned depth;    /**< blocks open; pretty only */
	unsigned unfolded; /**< the outermost so many of them are over several lines */
	unsigned breaks;   /**< so many are in the ring, or were */
	uint8_t version;
	bool pretty;
	bool reply;                   /**< inside a reply */
	bool bad;                     /**< the model holds what text cannot carry */
	unsigned block[TEXT_FOLDED];  /**< number of the first break of each folded block */
	size_t break_at[TEXT_BREAKS]; /**< where in the writer */
};

/** Before and after all the rest: from the writer's end on, and its length set. */
void out_start(struct text_out *o);
void out_finish(struct text_out *o);
/** Room for `len` octets, also on the line: blocks may be unfolded. False: there is no memory. */
bool out_room(struct text_out *o, size_t len);
static inline bool out_has(struct text_out *o, size_t len)
{
	return (size_t)(o->edge - o->at) >= len || out_room(o, len);
}
/** All open blocks go over several lines. */
void out_unfold(struct text_out *o);

static inline void out_put(struct text_out *o, const void *data, size_t len)
{
	if (len == 0 || !out_has(o, len))
		return;
	memcpy(o->at, data, len);
	o->at += len;
}
static inline void out_str(struct text_out *o, struct base_str s)
{
	out_put(o, s.ptr, s.len);
}
static inline void out_char(struct text_out *o, char c)
{
	if (out_has(o, 1))
		*o->at++ = (uint8_t)c;
}
#define OUT_LITERAL(o, text) out_put((o), (text), sizeof(text) - 1)

/** `len` octets of `room`, all of which may be copied when there is memory. */
static inline void out_padded(struct text_out *o, const char *text, size_t room, size_t len)
{
	if ((size_t)(o->end - o->at) >= room && (size_t)(o->edge - o->at) >= len) {
		memcpy(o->at, text, room);
		o->at += len;
	} else {
		out_put(o, text, len);
	}
}
static inline void out_token(struct text_out *o, enum h248_token token)
{
	const struct h248_token_row *row = &h248_tokens[token];

	if (o->pretty)
		out_padded(o, row->name, sizeof(row->name), row->name_len);
	else
		out_padded(o, row->brief, sizeof(row->brief), row->brief_len);
}
static inline void out_equal(struct text_out *o)
{
	if (o->pretty)
		OUT_LITERAL(o, " = ");
	else
		out_char(o, '=');
}
/** Token and EQUAL. */
static inline void out_key(struct text_out *o, enum h248_token token)
{
	out_token(o, token);
	out_equal(o);
}
void out_number(struct text_out *o, uint32_t v);
/** Line end and indentation; pretty only. */
void out_line(struct text_out *o);
/** COMMA between two items of a block. */
void out_separate(struct text_out *o);
/** COMMA before every item but the first of a block. */
static inline void out_comma(struct text_out *o, bool *first)
{
	if (!*first)
		out_separate(o);
	*first = false;
}

typedef void out_body(struct text_out *o, const void *what);
/** A braced block. `wide`: never on one line. */
void out_block(struct text_out *o, bool wide, out_body *body, const void *what);
void out_block_empty(struct text_out *o);

/** Strings of the model, checked: what a receiver could not read back makes `bad`. */
void out_checked(struct text_out *o, struct base_str s, unsigned classes);
void out_name(struct text_out *o, struct base_str name);
void out_pkgd(struct text_out *o, struct h248_name name);
void out_quoted(struct text_out *o, struct base_str s);
void out_term(struct text_out *o, const struct h248_term *term);
/** Terms with commas between. */
void out_terms(struct text_out *o, const void *first);
void out_value(struct text_out *o, const struct h248_value *value);
/** Name and parmValue. */
void out_parm(struct text_out *o, const struct h248_parm *parm);
void out_parms(struct text_out *o, bool *first, const struct h248_parm *parm);
void out_octets(struct text_out *o, struct base_str s);
void out_on_off(struct text_out *o, uint8_t tri);
void out_request_id(struct text_out *o, uint32_t id);
void out_time(struct text_out *o, const struct h248_time *time);
void out_mid(struct text_out *o, const struct h248_mid *mid);

/** One descriptor; `individual`: as an item of an Audit. */
void out_descriptor(struct text_out *o, const struct h248_descriptor *d, bool individual);
void out_media(struct text_out *o, const struct h248_media *media);
/** It will not fit into one line: no need to try. */
bool out_media_is_wide(const struct h248_media *media);
void out_modem(struct text_out *o, const struct h248_modem *md);
void out_mux(struct text_out *o, const struct h248_mux *mx);
void out_packages(struct text_out *o, const struct h248_packages *pg);
void out_statistics(struct text_out *o, const struct h248_statistics *sa);
void out_events(struct text_out *o, const struct h248_events *events, bool individual);
void out_event_buffer(struct text_out *o, const struct h248_event_buffer *eb);
void out_observed(struct text_out *o, const struct h248_observed_events *oe);
void out_signals(struct text_out *o, const struct h248_signals *signals, bool individual);
void out_digit_map(struct text_out *o, const struct h248_digit_map *dm);
/** The value in braces. */
void out_digit_map_value(struct text_out *o, const struct h248_digit_map *dm);
void out_error(struct text_out *o, const struct h248_error *error);
void out_services(struct text_out *o, const struct h248_services *sv);
void out_audit_items(struct text_out *o, bool *first, const struct h248_audit *audit);
void out_action(struct text_out *o, const struct h248_action *action);

#endif
