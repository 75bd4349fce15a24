/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/event.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "ue/words.h"

struct kept {
	struct base_node node;
	struct base_arena arena;
	const char *name;
	struct ue_field *field;
	size_t count, octets;
};

struct value {
	struct base_node node;
	char *name, *text;
};

#define KEPT(ptr)  BASE_CONTAINER_OF(ptr, struct kept, node)
#define VALUE(ptr) BASE_CONTAINER_OF(ptr, struct value, node)

void ue_events_init(struct ue_events *events)
{
	base_list_init(&events->kept);
	base_list_init(&events->values);
}

static void kept_free(struct kept *kept)
{
	base_arena_done(&kept->arena);
	free(kept);
}

void ue_events_done(struct ue_events *events)
{
	struct base_node *node;

	while (events->kept.next && (node = base_list_shift(&events->kept)))
		kept_free(KEPT(node));
	while (events->values.next && (node = base_list_shift(&events->values))) {
		free(VALUE(node)->name);
		free(VALUE(node)->text);
		free(VALUE(node));
	}
}

/* ---- lines ---- */

static bool is_plain(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || strchr("\"'\\=#$\x7f", s.ptr[i]))
			return false;
	return s.len != 0;
}

/** How many octets a character at the beginning of `s` has that a terminal only shows: no control
 * (C0, DEL, C1), and UTF-8 (RFC 3629, 4). 0: none. */
static size_t shown(struct base_str s)
{
	static const struct {
		uint8_t first, last, low, high; /* of its first octet; of its second */
		uint8_t len;
	} rows[] = {
		{ 0x20, 0x7e, 0, 0, 1 },       { 0xc2, 0xc2, 0xa0, 0xbf, 2 },
		{ 0xc3, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const uint8_t *at = (const uint8_t *)s.ptr;
	size_t i = 0, len;

	while (i < BASE_COUNT(rows) && (at[0] < rows[i].first || at[0] > rows[i].last))
		i++;
	len = i < BASE_COUNT(rows) ? rows[i].len : 0;
	if (len > s.len || (len > 1 && (at[1] < rows[i].low || at[1] > rows[i].high)))
		return 0;
	for (size_t n = 2; n < len; n++)
		if ((at[n] & 0xc0) != 0x80)
			return 0;
	return len;
}

/** As a word that ue_words_split reads again. Where an octet is not shown stands `?`. */
static void put_value(struct base_writer *w, struct base_str s)
{
	const char *quote = is_plain(s) ? "" : "\"";

	base_writer_text(w, quote);
	while (s.len) {
		unsigned char c = (unsigned char)s.ptr[0];
		size_t len = shown(s);

		if (c == '\n' || c == '\t')
			base_writer_text(w, c == '\n' ? "\\n" : "\\t");
		else if (c == '"' || c == '\\')
			base_writer_printf(w, "\\%c", c);
		else if (len)
			base_writer_put(w, s.ptr, len);
		else
			base_writer_u8(w, '?');
		len = BASE_MAX(len, 1);
		s = (struct base_str){ s.ptr + len, s.len - len };
	}
	base_writer_text(w, quote);
}

static void print_line(const struct ue_events *events, const struct kept *kept)
{
	struct base_writer w = { 0 };

	base_writer_text(&w, kept->name);
	for (size_t i = 0; i < kept->count; i++) {
		base_writer_printf(&w, " %s=", kept->field[i].key);
		put_value(&w, kept->field[i].value);
	}
	base_writer_u8(&w, '\n');
	(void)fwrite(w.data, 1, w.failed ? 0 : w.len, events->to);
	base_writer_done(&w);
}

/** Octets that are no UTF-8 are told as hexadecimal digits. */
static json_t *json_value(struct base_str s)
{
	json_t *text = json_stringn(s.ptr, s.len);
	char *hex;

	if (text || !s.len)
		return text ? text : json_string("");
	hex = malloc(3 * s.len + 1);
	if (!hex)
		return NULL;
	base_hex_encode((const uint8_t *)s.ptr, s.len, 0, false, hex);
	text = json_string(hex);
	free(hex);
	return text;
}

static void print_json(const struct ue_events *events, const struct kept *kept)
{
	json_t *line = json_object();
	struct timespec now;
	char time[40];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(time, sizeof(time), "%lld.%06ld", (long long)now.tv_sec, now.tv_nsec / 1000);
	(void)json_object_set_new(line, "time", json_string(time));
	if (events->name)
		(void)json_object_set_new(line, "ue", json_string(events->name));
	(void)json_object_set_new(line, "event", json_string(kept->name));
	for (size_t i = 0; i < kept->count; i++)
		(void)json_object_set_new(line, kept->field[i].key,
		                          json_value(kept->field[i].value));
	(void)json_dumpf(line, events->to, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)fputc('\n', events->to);
	json_decref(line);
}

/* ---- events ---- */

static struct kept *kept_new(const char *name, const struct ue_field *field, size_t count)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->name = name;
	kept->field = base_arena_array(&kept->arena, count + 1, sizeof(*field));
	for (size_t i = 0; i < count && kept->field; i++) {
		char *copy =
		        field[i].value.ptr ? base_arena_dup(&kept->arena, field[i].value) : NULL;

		if (!copy)
			continue;
		kept->field[kept->count++] =
		        (struct ue_field){ field[i].key, { copy, field[i].value.len } };
		kept->octets += field[i].value.len;
	}
	return kept;
}

/** It has been taken out of the list. */
static void drop(struct ue_events *events, struct kept *kept)
{
	events->count--;
	events->octets -= kept->octets;
	kept_free(kept);
}

void ue_tell(struct ue_events *events, const char *name, const struct ue_field *field, size_t count)
{
	struct kept *kept = kept_new(name, field, count);
	struct base_node *oldest;

	if (!kept)
		return; /* nothing can be told without memory */
	if (events->to && events->json)
		print_json(events, kept);
	else if (events->to)
		print_line(events, kept);
	if (events->to)
		(void)fflush(events->to);
	base_list_append(&events->kept, &kept->node);
	events->count++;
	events->octets += kept->octets;
	while ((events->count > UE_EVENTS_MAX || events->octets > UE_EVENTS_KEPT) &&
	       (oldest = base_list_shift(&events->kept)))
		drop(events, KEPT(oldest));
	if (events->wake)
		events->wake(events->arg);
}

struct base_str ue_number(struct ue_number *n, uint64_t value)
{
	/* cppcheck-suppress ctuuninitvar ; it is filled here */
	(void)snprintf(n->text, sizeof(n->text), "%llu", (unsigned long long)value);
	return base_str_of(n->text);
}

static bool field_fits(const struct kept *kept, const char *want)
{
	size_t len = strcspn(want, "=");

	for (size_t i = 0; i < kept->count; i++)
		if (strlen(kept->field[i].key) == len &&
		    strncmp(kept->field[i].key, want, len) == 0)
			return ue_glob(want + len + 1, kept->field[i].value);
	return false;
}

static bool fits(const struct kept *kept, const char *const *want, size_t count)
{
	if (!ue_glob(want[0], base_str_of(kept->name)))
		return false;
	for (size_t i = 1; i < count; i++)
		if (!field_fits(kept, want[i]))
			return false;
	return true;
}

bool ue_events_readable(const char *const *want, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (want[i][0] == '=' || !strchr(want[i], '='))
			return false;
	return count != 0;
}

bool ue_events_take(struct ue_events *events, const char *const *want, size_t count)
{
	BASE_LIST_EACH(&events->kept, node, after)
	{
		struct kept *kept = KEPT(node);

		if (!fits(kept, want, count))
			continue;
		for (size_t i = 0; i < kept->count; i++) /* what does not fit memory is unknown */
			(void)ue_events_set(events, kept->field[i].key, kept->field[i].value);
		base_list_remove(node);
		drop(events, kept);
		return true;
	}
	return false;
}

/* ---- values ---- */

static struct value *find(struct ue_events *events, const char *name)
{
	BASE_LIST_EACH(&events->values, node, after)
	if (strcmp(VALUE(node)->name, name) == 0)
		return VALUE(node);
	return NULL;
}

const char *ue_events_value(void *events, const char *name)
{
	const struct value *value = find(events, name);

	return value ? value->text : NULL;
}

int ue_events_set(struct ue_events *events, const char *name, struct base_str text)
{
	struct value *value = find(events, name);
	char *copy = strndup(text.len ? text.ptr : "", text.len);

	if (value && copy) {
		free(value->text);
		value->text = copy;
		return 0;
	}
	value = copy ? calloc(1, sizeof(*value)) : NULL;
	if (value)
		value->name = strdup(name);
	if (!value || !value->name) {
		free(value);
		free(copy);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	value->text = copy;
	base_list_append(&events->values, &value->node);
	return 0;
}
