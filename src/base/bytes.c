/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"

const uint8_t *base_reader_take(struct base_reader *r, size_t len)
{
	const uint8_t *p = r->at;

	if (r->failed || base_reader_left(r) < len) {
		r->failed = true;
		r->at = r->end;
		return NULL;
	}
	if (len) /* an empty one may stand on NULL */
		r->at += len;
	return p;
}

static uint64_t read_be(struct base_reader *r, size_t len)
{
	const uint8_t *p = base_reader_take(r, len);
	uint64_t v = 0;

	for (size_t i = 0; p && i < len; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t base_reader_u8(struct base_reader *r)
{
	return (uint8_t)read_be(r, 1);
}

uint16_t base_reader_u16(struct base_reader *r)
{
	return (uint16_t)read_be(r, 2);
}

uint32_t base_reader_u24(struct base_reader *r)
{
	return (uint32_t)read_be(r, 3);
}

uint32_t base_reader_u32(struct base_reader *r)
{
	return (uint32_t)read_be(r, 4);
}

uint64_t base_reader_u64(struct base_reader *r)
{
	return read_be(r, 8);
}

struct base_reader base_reader_sub(struct base_reader *r, size_t len)
{
	const uint8_t *p = base_reader_take(r, len);
	struct base_reader sub = { p, p ? p + len : p, p == NULL };

	return sub;
}

void base_writer_done(struct base_writer *w)
{
	if (w->wipe)
		base_wipe(w->data, w->cap);
	if (!w->fixed)
		free(w->data);
	*w = (struct base_writer){ .wipe = w->wipe };
}

/* As realloc, which would leave a copy behind. */
static uint8_t *moved(struct base_writer *w, size_t cap)
{
	uint8_t *data;

	if (!w->wipe)
		return realloc(w->data, cap);
	data = malloc(cap);
	if (!data)
		return NULL;
	if (w->len)
		memcpy(data, w->data, w->len);
	base_wipe(w->data, w->cap);
	free(w->data);
	return data;
}

bool base_writer_reserve(struct base_writer *w, size_t len)
{
	size_t cap = w->cap ? w->cap : 256;
	uint8_t *data;

	if (w->failed)
		return false;
	if (len <= w->cap - w->len)
		return true;
	if (w->fixed || len > SIZE_MAX / 4 || (w->limit && w->len + len > w->limit))
		goto fail;
	while (cap - w->len < len)
		cap *= 2;
	if (w->limit && cap > w->limit)
		cap = w->limit;
	data = moved(w, cap);
	if (!data)
		goto fail;
	w->data = data;
	w->cap = cap;
	return true;
fail:
	w->failed = true;
	return false;
}

/* Mostly there is room. */
static inline bool room(struct base_writer *w, size_t len)
{
	return (!w->failed && len <= w->cap - w->len) || base_writer_reserve(w, len);
}

static inline void put(struct base_writer *w, const void *data, size_t len)
{
	if (len == 0 || !room(w, len))
		return;
	memcpy(w->data + w->len, data, len);
	w->len += len;
}

void base_writer_put(struct base_writer *w, const void *data, size_t len)
{
	put(w, data, len);
}

void base_writer_u8(struct base_writer *w, uint8_t v)
{
	put(w, &v, 1);
}

void base_writer_u16(struct base_writer *w, uint16_t v)
{
	put(w, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

void base_writer_u32(struct base_writer *w, uint32_t v)
{
	put(w, (uint8_t[]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v },
	    4);
}

void base_writer_text(struct base_writer *w, const char *text)
{
	base_writer_put(w, text, strlen(text));
}

void base_writer_printf(struct base_writer *w, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len < 0)
		w->failed = true;
	else if (base_writer_reserve(w, (size_t)len + 1)) {
		(void)vsnprintf((char *)w->data + w->len, (size_t)len + 1, fmt, again);
		w->len += (size_t)len;
	}
	va_end(again);
	va_end(ap);
}

const char *base_writer_cstr(struct base_writer *w)
{
	if (!base_writer_reserve(w, 1))
		return "";
	w->data[w->len] = '\0';
	return (const char *)w->data;
}
