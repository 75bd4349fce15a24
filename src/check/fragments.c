/* SPDX-License-Identifier: Apache-2.0 */
#include "check/fragments.h"

#include <stdlib.h>

static void u24(struct base_writer *w, size_t v)
{
	base_writer_u8(w, (uint8_t)(v >> 16));
	base_writer_u16(w, (uint16_t)v);
}

void check_fragment_head(struct base_writer *w, uint8_t type, uint16_t number, size_t len)
{
	base_writer_u8(w, type);
	u24(w, len);
	base_writer_u16(w, number);
	u24(w, 0);
	u24(w, len);
}

static void part_drop(struct check_part *part)
{
	free(part->data);
	*part = (struct check_part){ .data = NULL };
}

static bool part_begin(struct check_part *part, uint8_t type, uint32_t total)
{
	if (part->data) /* another message under the same number is none */
		return part->type == type && part->total == total;
	part->data = calloc(1, total + total / 8 + 1);
	part->type = type;
	part->total = total;
	return part->data != NULL;
}

static void part_fill(struct check_part *part, uint32_t from, const uint8_t *data, size_t len)
{
	uint8_t *came = part->data + part->total;

	for (size_t i = 0; i < len; i++) {
		size_t at = from + i;
		uint8_t bit = (uint8_t)(1U << at % 8);

		if (came[at / 8] & bit)
			continue;
		came[at / 8] |= bit;
		part->data[at] = data[i];
		part->have++;
	}
}

void check_fragments_take(struct check_fragments *f, struct check_bytes text, bool finished)
{
	struct base_reader r = base_reader_of(text.data, text.len);

	while (base_reader_left(&r) >= CHECK_HEAD_FRAGMENT) {
		uint8_t type = base_reader_u8(&r);
		uint32_t total = base_reader_u24(&r);
		uint16_t number = base_reader_u16(&r);
		uint32_t from = base_reader_u24(&r), len = base_reader_u24(&r);
		const uint8_t *data = base_reader_take(&r, len);
		struct check_part *part = &f->part[number % CHECK_MESSAGES_AHEAD];

		if (r.failed || total > CHECK_MESSAGE_MAX || from + len > total)
			return;
		if ((type == CHECK_FINISHED) != finished || number < f->next ||
		    number - f->next >= CHECK_MESSAGES_AHEAD || !part_begin(part, type, total))
			continue;
		part_fill(part, from, data, len);
	}
}

bool check_fragments_next(struct check_fragments *f, struct base_writer *ret)
{
	struct check_part *part = &f->part[f->next % CHECK_MESSAGES_AHEAD];

	if (!part->data || part->have < part->total)
		return false;
	base_writer_u32(ret, (uint32_t)part->type << 24 | part->total);
	base_writer_put(ret, part->data, part->total);
	part_drop(part);
	f->next++;
	return true;
}

void check_fragments_reset(struct check_fragments *f)
{
	for (size_t i = 0; i < CHECK_MESSAGES_AHEAD; i++)
		part_drop(&f->part[i]);
	f->next = 0;
}
