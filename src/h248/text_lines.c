/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room, lines and blocks of the text encoder. A block is written on its line; when the line gets
 * too wide, the outermost block that is still on it is unfolded: every break of its own becomes a
 * line end. What is moved for that is one line, so the work is linear in what is written.
 *
 * Breaks of the blocks that are open and folded stand in a ring, outermost block first; those of a
 * block that was closed are forgotten. Each takes two columns and each block three, which bounds
 * the rings.
 */
#include "h248/text_out.h"

_Static_assert(TEXT_BREAKS > TEXT_WIDTH / 2 && TEXT_FOLDED > TEXT_WIDTH / 3,
               "one line has no more breaks and blocks");

static bool folded(const struct text_out *o)
{
	return o->depth > o->unfolded;
}

static void set_edge(struct text_out *o)
{
	o->edge = o->end;
	if (folded(o) && (size_t)(o->end - o->data) > o->line + TEXT_WIDTH)
		o->edge = o->data + o->line + TEXT_WIDTH;
	if (o->edge < o->at) /* only when memory failed half way */
		o->edge = o->at;
}

static void look_at(struct text_out *o, size_t len)
{
	o->data = o->w->data ? o->w->data : &o->none;
	o->at = o->data + len;
	o->end = o->w->data ? o->data + o->w->cap : o->data;
	if (o->w->failed) /* from now on nothing has room */
		o->end = o->at;
	set_edge(o);
}

void out_start(struct text_out *o)
{
	if (!o->w->data)
		(void)base_writer_reserve(o->w, 1); /* `failed` tells */
	o->line = o->w->len;
	look_at(o, o->w->len);
}

void out_finish(struct text_out *o)
{
	o->w->len = (size_t)(o->at - o->data);
}

static bool memory(struct text_out *o, size_t len)
{
	size_t used = (size_t)(o->at - o->data);

	if (!o->w->failed && (size_t)(o->end - o->at) >= len)
		return true;
	o->w->len = used;
	(void)base_writer_reserve(o->w, len); /* `failed` tells */
	look_at(o, used);
	return !o->w->failed;
}

/* The outermost folded block: its breaks, last first, become line ends. */
static void unfold(struct text_out *o)
{
	unsigned block = o->unfolded++, first = o->block[block % TEXT_FOLDED];
	unsigned last = folded(o) ? o->block[o->unfolded % TEXT_FOLDED] : o->breaks;
	size_t blanks = (size_t)++o->indent * 4, more = blanks * (last - first);
	uint8_t *from;

	if (!memory(o, more)) {
		set_edge(o);
		return;
	}
	from = o->at;
	o->at += more;
	for (unsigned i = last; i-- > first; more -= blanks) {
		uint8_t *space = o->data + o->break_at[i % TEXT_BREAKS];

		memmove(space + 1 + more, space + 1, (size_t)(from - space - 1));
		memset(space + 1 + more - blanks, ' ', blanks);
		space[more - blanks] = '\n';
		if (i + 1 == last)
			o->line = (size_t)(space + 1 + more - blanks - o->data);
		from = space;
	}
	for (unsigned i = last; i < o->breaks; i++)
		o->break_at[i % TEXT_BREAKS] += blanks * (last - first);
	set_edge(o);
}

bool out_room(struct text_out *o, size_t len)
{
	while (folded(o) && (size_t)(o->at - o->data) + len > o->line + TEXT_WIDTH)
		unfold(o);
	return memory(o, len);
}

void out_unfold(struct text_out *o)
{
	while (folded(o))
		unfold(o);
}

void out_line(struct text_out *o)
{
	size_t blanks = (size_t)o->indent * 4;

	if ((size_t)(o->end - o->at) < blanks + 1 && !memory(o, blanks + 1))
		return;
	*o->at++ = '\n';
	o->line = (size_t)(o->at - o->data);
	memset(o->at, ' ', blanks);
	o->at += blanks;
}

/* A blank that may become a line end; there is room. */
static void put_break(struct text_out *o)
{
	o->break_at[o->breaks++ % TEXT_BREAKS] = (size_t)(o->at - o->data);
	*o->at++ = ' ';
}

void out_separate(struct text_out *o)
{
	if (!o->pretty) {
		out_char(o, ',');
		return;
	}
	if (folded(o) && out_has(o, 2) && folded(o)) { /* room may have unfolded all */
		*o->at++ = ',';
		put_break(o);
		return;
	}
	out_char(o, ',');
	out_line(o);
}

static void open_folded(struct text_out *o)
{
	o->block[o->depth++ % TEXT_FOLDED] = o->breaks;
	*o->at++ = ' ';
	*o->at++ = '{';
	put_break(o);
	set_edge(o);
}

static void open_unfolded(struct text_out *o)
{
	OUT_LITERAL(o, " {");
	o->depth++;
	o->unfolded++;
	o->indent++;
	out_line(o);
}

static void close_block(struct text_out *o)
{
	/* a comma may have to follow on the same line */
	if (folded(o) && out_has(o, 3) && folded(o)) {
		o->breaks = o->block[--o->depth % TEXT_FOLDED];
		OUT_LITERAL(o, " }");
		if (!folded(o))
			o->edge = o->end;
		return;
	}
	if (folded(o)) { /* there was no memory */
		o->breaks = o->block[--o->depth % TEXT_FOLDED];
		return;
	}
	o->depth--;
	o->unfolded--;
	o->indent--;
	out_line(o);
	out_char(o, '}');
}

void out_block(struct text_out *o, bool wide, out_body *body, const void *what)
{
	if (!o->pretty) {
		out_char(o, '{');
		body(o, what);
		out_char(o, '}');
		return;
	}
	if (wide)
		out_unfold(o);
	if (!wide && out_has(o, 3) && (size_t)(o->at - o->data) + 3 <= o->line + TEXT_WIDTH)
		open_folded(o);
	else
		open_unfolded(o);
	body(o, what);
	close_block(o);
}
