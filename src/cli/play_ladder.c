/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/play.h"

#include <stdio.h>

#define FIRST_GAP 58 /* between controller and gateway, where the long labels are */
#define NEXT_GAP  26
#define LEFT      9 /* columns of the time */
#define ROW_MAX   288

static size_t column_of(const struct play_ladder *ladder, unsigned party)
{
	size_t at = LEFT + 6 + (party > 0 ? FIRST_GAP : 0) +
	            (party > 1 ? (size_t)(party - 1) * NEXT_GAP : 0);

	(void)ladder;
	return at < ROW_MAX - 32 ? at : ROW_MAX - 32;
}

static unsigned party_of(const struct play_ladder *ladder, const char *name)
{
	for (unsigned i = 0; i < ladder->count; i++) {
		if (base_str_ieq(base_str_of(ladder->parties[i]), base_str_of(name)))
			return i;
	}
	return 0;
}

/* The life lines alone; returns the row's length. */
static size_t draw_lines(const struct play_ladder *ladder, char row[ROW_MAX])
{
	size_t end = column_of(ladder, ladder->count ? ladder->count - 1 : 0) + 1;

	memset(row, ' ', end);
	for (unsigned i = 0; i < ladder->count; i++)
		row[column_of(ladder, i)] = '|';
	row[end] = '\0';
	return end;
}

void play_ladder_title(const struct play_ladder *ladder, const char *text)
{
	char row[ROW_MAX];
	size_t end = draw_lines(ladder, row);

	if (!ladder->on)
		return;
	printf("\n=== %s\n", text);
	memset(row, ' ', end);
	for (unsigned i = 0; i < ladder->count; i++) {
		const char *name = ladder->parties[i];
		size_t len = strlen(name), at = column_of(ladder, i);

		at = at > len / 2 ? at - len / 2 : 0;
		if (at + len >= ROW_MAX)
			len = ROW_MAX - 1 - at;
		memcpy(row + at, name, len);
		if (at + len > end) {
			row[at + len] = '\0';
			end = at + len;
		}
	}
	printf("%s\n", row);
}

static void draw_label(char row[ROW_MAX], size_t from, size_t to, const char *text)
{
	size_t room = to - from - 1, len = strlen(text);

	if (len > room)
		len = room;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the row goes on behind the label */
	memcpy(row + from + 1 + (room - len) / 2, text, len);
}

void play_ladder_row(const struct play_ladder *ladder, uint64_t now_ms, const char *from,
                     const char *to, const char *text)
{
	unsigned a = party_of(ladder, from), b = party_of(ladder, to);
	char row[ROW_MAX], stamp[32];
	size_t left, right;
	int len;

	if (!ladder->on)
		return;
	(void)draw_lines(ladder, row);
	len = snprintf(stamp, sizeof(stamp), "%8.3f", (double)(now_ms - ladder->start_ms) / 1000);
	memcpy(row, stamp, (size_t)(len < LEFT ? len : LEFT));
	if (a == b) {
		printf("%.*s %s\n", (int)column_of(ladder, a) + 1, row, text);
		return;
	}
	left = column_of(ladder, a < b ? a : b) + 1;
	right = column_of(ladder, a < b ? b : a) - 1;
	if (right <= left || right >= ROW_MAX)
		return; /* more parties than fit a line */
	memset(row + left, '-', right - left + 1);
	row[a < b ? right : left] = a < b ? '>' : '<';
	if (strlen(text) > right - left - 5) { /* too long for the arrow: the words go beside it */
		printf("%s  %s\n", row, text);
		return;
	}
	draw_label(row, left + 1, right - 1, text);
	printf("%s\n", row);
}

void play_ladder_note(const struct play_ladder *ladder, uint64_t now_ms, const char *note)
{
	const char *colon = strchr(note, ':'), *arrow = strstr(note, "->");
	struct base_str from, to;
	char a[64], b[64];

	if (!colon) {
		play_ladder_row(ladder, now_ms, "", "", note);
		return;
	}
	if (arrow && arrow < colon) {
		from = (struct base_str){ note, (size_t)(arrow - note) };
		to = (struct base_str){ arrow + 2, (size_t)(colon - arrow - 2) };
	} else {
		from = to = (struct base_str){ note, (size_t)(colon - note) };
	}
	from = base_str_trim(from);
	to = base_str_trim(to);
	(void)snprintf(a, sizeof(a), "%.*s", BASE_FMT(from));
	(void)snprintf(b, sizeof(b), "%.*s", BASE_FMT(to));
	play_ladder_row(ladder, now_ms, a, b, base_str_trim(base_str_of(colon + 1)).ptr);
}

/* ---- H.248 messages in few words ---- */

static const char *const commands[] = { "Add",   "Move",   "Modify",        "Subtract", "AuditCap",
	                                "Audit", "Notify", "ServiceChange", "?" };

static void say_context(struct base_writer *w, uint32_t id)
{
	if (id == H248_CONTEXT_CHOOSE)
		base_writer_text(w, "C=$");
	else if (id == H248_CONTEXT_ALL)
		base_writer_text(w, "C=*");
	else if (id == H248_CONTEXT_NULL)
		base_writer_text(w, "C=-");
	else
		base_writer_printf(w, "C=%u", id);
}

static void say_events(struct base_writer *w, const struct h248_observed_events *observed)
{
	for (const struct h248_observed_event *e = observed ? observed->events : NULL; e;
	     e = e->next) {
		const struct h248_parm *type = h248_parm_find(e->parms, "", "Type");
		struct base_str value;

		base_writer_printf(w, " %.*s/%.*s", BASE_FMT(e->name.package),
		                   BASE_FMT(e->name.item));
		if (type && h248_parm_text(type, &value))
			base_writer_printf(w, "=%.*s", BASE_FMT(value));
	}
}

static void say_command(struct base_writer *w, const struct h248_command *c)
{
	const struct h248_error *error = h248_command_error(c);

	base_writer_printf(w, " %s %.*s", commands[BASE_MIN(c->kind, H248_COMMAND_UNKNOWN)],
	                   BASE_FMT(c->term.name));
	say_events(w, h248_command_observed(c));
	if (error)
		base_writer_printf(w, " Error %u", error->code);
}

static void say_transaction(struct base_writer *w, const struct h248_transaction *t)
{
	static const char *const kinds[] = { "", "Pending", "Reply", "Ack", "Segment", "?" };
	const struct h248_error *error = t->error;

	base_writer_text(w, kinds[BASE_MIN(t->kind, H248_TRANSACTION_UNKNOWN)]);
	for (const struct h248_action *a = t->actions; a; a = a->next) {
		base_writer_text(w, w->len ? " " : "");
		say_context(w, a->context);
		for (const struct h248_command *c = a->commands; c; c = c->next)
			say_command(w, c);
		if (a->error)
			error = a->error;
	}
	if (error)
		base_writer_printf(w, " Error %u", error->code);
}

static void print_message(const char *data, size_t len)
{
	const char *end = data + len;

	for (const char *line = data; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		printf("             . %.*s\n", (int)(stop - line), line);
		line = stop + 1;
	}
}

void play_ladder_message(const struct play_ladder *ladder, uint64_t now_ms, bool out,
                         const void *data, size_t len)
{
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;
	struct base_writer w = { 0 };
	enum h248_codec codec = H248_CODEC_COMPACT;
	const char *us = ladder->count > 0 ? ladder->parties[0] : "";
	const char *them = ladder->count > 1 ? ladder->parties[1] : "";

	if (!ladder->on)
		return;
	if (h248_codec_decode(&arena, data, len, NULL, &msg, &codec, NULL) != 0) {
		play_ladder_row(ladder, now_ms, out ? us : them, out ? them : us,
		                "(not a valid message)");
	} else if (msg->error) {
		base_writer_printf(&w, "Message Error %u", msg->error->code);
		play_ladder_row(ladder, now_ms, out ? us : them, out ? them : us,
		                base_writer_cstr(&w));
	}
	for (const struct h248_transaction *t = msg ? msg->transactions : NULL; t; t = t->next) {
		base_writer_reset(&w);
		say_transaction(&w, t);
		play_ladder_row(ladder, now_ms, out ? us : them, out ? them : us,
		                base_writer_cstr(&w));
	}
	if (ladder->messages && codec == H248_CODEC_BER &&
	    msg) { /* shown as the text it stands for */
		base_writer_reset(&w);
		if (h248_text_encode(&w, msg, H248_TEXT_PRETTY) == 0)
			print_message((const char *)w.data, w.len);
	} else if (ladder->messages) {
		print_message(data, len);
	}
	base_writer_done(&w);
	base_arena_done(&arena);
}
