/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to change is a list in the order of the message. Slot n is header field n: first the
 * lines put in before it, then what becomes of the field itself; the last slot has lines alone.
 */
#include "sip/edit.h"

#include <stdarg.h>
#include <stdio.h>

enum what { LINE, ELEMENT, VALUE, DROP };

struct sip_edit_op {
	struct sip_edit_op *next;
	size_t slot;
	enum what what;
	enum sip_header_id id;   /* LINE */
	struct base_str name;    /* LINE */
	struct base_str element; /* ELEMENT: as it came */
	struct base_str with;    /* ELEMENT: ptr NULL = dropped */
};

struct kind {
	enum sip_header_id id;
	struct base_str name;
};

static struct kind kind_of(const char *name)
{
	struct base_str s = base_str_of(name);

	return (struct kind){ sip_header_id_of(s), s };
}

static bool of_kind(struct kind kind, enum sip_header_id id, struct base_str name)
{
	return kind.id == id && (id || base_str_ieq(kind.name, name));
}

static bool header_is(const struct sip_header *h, struct kind kind)
{
	return of_kind(kind, h->id, h->name);
}

/* CR and LF only as a CRLF that folds. */
static bool value_ok(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n')
			return false;
		if (s.ptr[i] != '\r')
			continue;
		if (s.len - i < 3 || s.ptr[i + 1] != '\n' ||
		    (s.ptr[i + 2] != ' ' && s.ptr[i + 2] != '\t'))
			return false;
		i += 2;
	}
	return true;
}

void sip_edit_begin(struct sip_edit *edit, const struct sip_message *msg, struct base_arena *arena)
{
	*edit = (struct sip_edit){ .msg = msg, .arena = arena };
	edit->failed = msg->fault || !msg->header_count;
}

void sip_edit_target(struct sip_edit *edit, struct base_str uri)
{
	edit->target = uri;
	if (!edit->msg->request || !sip_all(uri, SIP_CH_URI))
		edit->failed = true;
}

/* -- the list ---------------------------------------------------------------------------------- */

/* Where the ops of this slot begin or, with `behind`, where its lines end. */
static struct sip_edit_op **place(struct sip_edit *edit, size_t slot, bool behind)
{
	struct sip_edit_op **at = &edit->ops;

	while (*at &&
	       ((*at)->slot < slot || (behind && (*at)->slot == slot && (*at)->what == LINE)))
		at = &(*at)->next;
	return at;
}

static struct sip_edit_op *put(struct sip_edit *edit, struct sip_edit_op **at, size_t slot,
                               enum what what, struct base_str with)
{
	struct sip_edit_op *op = BASE_NEW(edit->arena, struct sip_edit_op);

	if (!op || !value_ok(with)) {
		edit->failed = true;
		return NULL;
	}
	op->what = what;
	op->slot = slot;
	op->with = with;
	op->next = *at;
	*at = op;
	return op;
}

/* Nothing becomes of this field but what is put there next. */
static struct sip_edit_op **clear(struct sip_edit *edit, size_t slot)
{
	struct sip_edit_op **at = place(edit, slot, true);

	while (*at && (*at)->slot == slot)
		*at = (*at)->next;
	return at;
}

static size_t slot_of(const struct sip_edit *edit, const struct sip_header *header)
{
	return (size_t)(header - edit->msg->headers);
}

/* -- lines ------------------------------------------------------------------------------------- */

/* Of the first of this kind or, with `behind`, behind the last; none: behind the first Vias. */
static size_t slot_for(const struct sip_edit *edit, struct kind kind, bool behind)
{
	const struct sip_message *msg = edit->msg;
	size_t slot = SIZE_MAX;

	for (size_t i = 0; i < msg->header_count; i++) {
		if (!header_is(&msg->headers[i], kind))
			continue;
		if (!behind)
			return i;
		slot = i + 1;
	}
	if (slot != SIZE_MAX)
		return slot;
	for (slot = 0; slot < msg->header_count && msg->headers[slot].id == SIP_H_VIA;)
		slot++;
	return slot;
}

static void line(struct sip_edit *edit, const char *name, struct base_str value, bool behind)
{
	struct kind kind = kind_of(name);
	size_t slot = slot_for(edit, kind, behind);
	struct sip_edit_op *op = put(edit, place(edit, slot, behind), slot, LINE, value);

	if (!op)
		return;
	op->id = kind.id;
	op->name = kind.name;
	if (!sip_all(kind.name, SIP_CH_TOKEN))
		edit->failed = true;
}

void sip_edit_push(struct sip_edit *edit, const char *name, struct base_str value)
{
	line(edit, name, value, false);
}

void sip_edit_append(struct sip_edit *edit, const char *name, struct base_str value)
{
	line(edit, name, value, true);
}

static struct base_str __attribute__((format(printf, 2, 0)))
printed(struct sip_edit *edit, const char *fmt, va_list args)
{
	va_list again;
	int len;
	char *text;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = len < 0 ? NULL : base_arena_alloc(edit->arena, (size_t)len + 1);
	if (!text) {
		edit->failed = true;
		return (struct base_str){ "", 0 };
	}
	(void)vsnprintf(text, (size_t)len + 1, fmt, args);
	return (struct base_str){ text, (size_t)len };
}

void sip_edit_pushf(struct sip_edit *edit, const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line(edit, name, printed(edit, fmt, args), false);
	va_end(args);
}

void sip_edit_appendf(struct sip_edit *edit, const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line(edit, name, printed(edit, fmt, args), true);
	va_end(args);
}

/* -- fields ------------------------------------------------------------------------------------ */

void sip_edit_drop(struct sip_edit *edit, const struct sip_header *header)
{
	size_t slot = slot_of(edit, header);

	(void)put(edit, clear(edit, slot), slot, DROP, (struct base_str){ NULL, 0 });
}

void sip_edit_value(struct sip_edit *edit, const struct sip_header *header, struct base_str value)
{
	size_t slot = slot_of(edit, header);

	(void)put(edit, clear(edit, slot), slot, VALUE, value);
}

static void lines_drop(struct sip_edit *edit, struct kind kind)
{
	for (struct sip_edit_op **at = &edit->ops; *at;) {
		if ((*at)->what == LINE && of_kind(kind, (*at)->id, (*at)->name))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
}

void sip_edit_drop_all(struct sip_edit *edit, const char *name)
{
	struct kind kind = kind_of(name);

	lines_drop(edit, kind);
	for (size_t i = 0; i < edit->msg->header_count; i++) {
		if (header_is(&edit->msg->headers[i], kind))
			sip_edit_drop(edit, &edit->msg->headers[i]);
	}
}

void sip_edit_set(struct sip_edit *edit, const char *name, struct base_str value)
{
	struct kind kind = kind_of(name);
	bool done = false;

	lines_drop(edit, kind);
	for (size_t i = 0; i < edit->msg->header_count; i++) {
		const struct sip_header *h = &edit->msg->headers[i];

		if (!header_is(h, kind))
			continue;
		if (done)
			sip_edit_drop(edit, h);
		else
			sip_edit_value(edit, h, value);
		done = true;
	}
	if (!done)
		sip_edit_append(edit, name, value);
}

void sip_edit_element(struct sip_edit *edit, const struct sip_header *header,
                      struct base_str element, struct base_str with)
{
	size_t slot = slot_of(edit, header);
	struct sip_edit_op **at = place(edit, slot, true), *op;

	op = *at;
	if (op && op->slot == slot && op->what == DROP)
		return;
	while (*at && (*at)->slot == slot && (*at)->what == ELEMENT &&
	       (*at)->element.ptr < element.ptr)
		at = &(*at)->next;
	op = *at;
	if (!op || op->slot != slot || (op->what == ELEMENT && op->element.ptr != element.ptr)) {
		op = put(edit, at, slot, ELEMENT, with);
		if (op)
			op->element = element;
		return;
	}
	op->with = with;
	if (op->what != ELEMENT || !value_ok(with))
		edit->failed = true; /* no element of the field that was replaced */
}

/* -- as it will stand -------------------------------------------------------------------------- */

static const struct sip_edit_op *behind_slot(const struct sip_edit_op *op, size_t slot)
{
	while (op && op->slot == slot)
		op = op->next;
	return op;
}

/* What becomes of the field of this slot is told by `next`. @return is there a value? */
static bool field_value(struct sip_edit_values *v, const struct sip_header *h)
{
	const struct sip_edit_op *op = v->next && v->next->slot == v->slot ? v->next : NULL;

	v->inside = op && op->what == ELEMENT;
	v->rest = op && op->what == VALUE ? op->with : h->value;
	v->header = h;
	return !op || op->what != DROP;
}

/* The next line or field of this kind. */
static bool value_next(struct sip_edit_values *v, struct kind kind)
{
	const struct sip_message *msg = v->edit->msg;

	if (v->header) {
		v->next = behind_slot(v->next, v->slot++);
		v->header = NULL;
	}
	v->inside = false;
	v->line = NULL;
	for (;;) {
		if (v->next && v->next->slot == v->slot && v->next->what == LINE) {
			v->line = v->next;
			v->next = v->next->next;
			v->rest = v->line->with;
			if (of_kind(kind, v->line->id, v->line->name))
				return true;
			continue;
		}
		v->line = NULL;
		if (v->slot >= msg->header_count)
			return false;
		if (header_is(&msg->headers[v->slot], kind) &&
		    field_value(v, &msg->headers[v->slot]))
			return true;
		v->header = NULL;
		v->inside = false;
		v->next = behind_slot(v->next, v->slot++);
	}
}

static const struct sip_edit_op *element_op(const struct sip_edit_op *op, size_t slot,
                                            struct base_str element)
{
	for (; op && op->slot == slot; op = op->next) {
		if (op->what == ELEMENT && op->element.ptr == element.ptr)
			return op;
	}
	return NULL;
}

bool sip_edit_next(struct sip_edit_values *values, struct base_str *ret)
{
	struct kind kind = kind_of(values->name);
	struct base_str one;

	if (!values->begun) {
		values->begun = true;
		values->next = values->edit->ops;
		if (!value_next(values, kind))
			return false;
	}
	for (;;) {
		const struct sip_edit_op *op;

		if (!sip_list_next(&values->rest, &one)) {
			values->rest = (struct base_str){ NULL, 0 };
			if (!value_next(values, kind))
				return false;
			continue;
		}
		op = values->inside ? element_op(values->next, values->slot, one) : NULL;
		if (op && !op->with.ptr)
			continue;
		*ret = op ? op->with : one;
		return true;
	}
}

bool sip_edit_first(const struct sip_edit *edit, const char *name, struct base_str *ret)
{
	struct sip_edit_values values = { .edit = edit, .name = name };

	return sip_edit_next(&values, ret);
}

bool sip_edit_has(const struct sip_edit *edit, const char *name)
{
	struct sip_edit_values values = { .edit = edit, .name = name };
	struct base_str one;

	return sip_edit_next(&values, &one);
}

/* The element at the start of `value` has gone to somebody. @return what is left of it */
static struct base_str value_rest(struct base_str value, bool *ret_empty)
{
	struct base_str one;

	(void)sip_list_next(&value, &one);
	*ret_empty = !sip_skip(value).len;
	return value;
}

bool sip_edit_shift(struct sip_edit *edit, const char *name, struct base_str *ret)
{
	struct sip_edit_values values = { .edit = edit, .name = name };
	bool empty;

	if (!sip_edit_next(&values, ret))
		return false;
	for (struct sip_edit_op **at = &edit->ops; *at; at = &(*at)->next) {
		struct sip_edit_op *op = *at;

		if (values.line ? op != values.line : op->slot != values.slot || op->what != VALUE)
			continue;
		op->with = value_rest(op->with, &empty);
		if (!empty)
			return true;
		*at = op->next;
		if (op->what == VALUE)
			sip_edit_drop(edit, values.header);
		return true;
	}
	if (values.inside) { /* what came, whatever stands for it */
		const struct sip_edit_op *op = values.next;

		for (; op && op->slot == values.slot; op = op->next) {
			if (op->with.ptr == ret->ptr) {
				sip_edit_element(edit, values.header, op->element,
				                 (struct base_str){ NULL, 0 });
				return true;
			}
		}
	}
	sip_edit_element(edit, values.header, *ret, (struct base_str){ NULL, 0 });
	return true;
}

void sip_edit_drop_token(struct sip_edit *edit, const char *name, const char *token)
{
	struct sip_values values = { .msg = edit->msg, .id = kind_of(name).id };
	struct base_str one;

	if (!values.id)
		edit->failed = true; /* no list that is known here */
	while (values.id && sip_values_next(&values, &one)) {
		if (base_str_ieq(one, base_str_of(token)))
			sip_edit_element(edit, values.header, one, (struct base_str){ NULL, 0 });
	}
}

/* -- written ----------------------------------------------------------------------------------- */

/* A field without some of its elements: what stands between those that stay, stays. */
static void write_elements(struct base_writer *w, const struct sip_header *h,
                           const struct sip_edit_op *op)
{
	struct base_str rest = h->value, one;
	const char *end = h->value.ptr + h->value.len, *before = h->whole.ptr;
	bool any = false;

	while (sip_list_next(&rest, &one)) {
		const struct sip_edit_op *edited = element_op(op, op->slot, one);
		const char *from = any ? before : h->whole.ptr;
		const char *to = any ? one.ptr : h->value.ptr;

		before = one.ptr + one.len;
		if (edited && !edited->with.ptr)
			continue;
		base_writer_put(w, from, (size_t)(to - from));
		base_writer_str(w, edited ? edited->with : one);
		any = true;
	}
	if (any)
		base_writer_put(w, end, (size_t)(h->whole.ptr + h->whole.len - end));
}

static void write_field(struct base_writer *w, const struct sip_header *h,
                        const struct sip_edit_op *op)
{
	switch (op->what) {
	case ELEMENT:
		write_elements(w, h, op);
		break;
	case VALUE:
		base_writer_str(w, h->name);
		base_writer_text(w, ": ");
		base_writer_str(w, op->with);
		base_writer_text(w, "\r\n");
		break;
	default:
		break;
	}
}

static void write_line(struct base_writer *w, const struct sip_edit_op *op)
{
	base_writer_str(w, op->name);
	base_writer_text(w, ": ");
	base_writer_str(w, op->with);
	base_writer_text(w, "\r\n");
}

/* What has not been written yet, up to here. */
static const char *write_up_to(struct base_writer *w, const char *from, const char *to)
{
	base_writer_put(w, from, (size_t)(to - from));
	return to;
}

void sip_edit_write(const struct sip_edit *edit, struct base_writer *w)
{
	const struct sip_message *msg = edit->msg;
	const struct sip_header *last = msg->headers + msg->header_count;
	const char *from = msg->octets.ptr;

	if (edit->failed || !base_writer_reserve(w, msg->octets.len)) {
		w->failed = true;
		return;
	}
	if (edit->target.ptr) {
		(void)write_up_to(w, from, msg->target.ptr);
		base_writer_str(w, edit->target);
		from = msg->target.ptr + msg->target.len;
	}
	for (const struct sip_edit_op *op = edit->ops; op;) {
		const struct sip_header *h = &msg->headers[op->slot];

		from = write_up_to(w, from,
		                   h == last ? last[-1].whole.ptr + last[-1].whole.len
		                             : h->whole.ptr);
		if (op->what == LINE) {
			write_line(w, op);
			op = op->next;
			continue;
		}
		write_field(w, h, op);
		from = h->whole.ptr + h->whole.len;
		op = behind_slot(op, op->slot);
	}
	(void)write_up_to(w, from, msg->octets.ptr + msg->octets.len);
}
