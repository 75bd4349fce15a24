/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a peer, or a room, says to a user agent. First octet: bits 0 to 6 how long the pieces are
 * that it comes in (0: one), bit 7 it is a room. Whatever it is, events can be printed and read
 * again as words, and it all ends.
 */
#include <stdlib.h>

#include "ue/chat.h"
#include "ue/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define A "msrps://a.example:7777/aaaaaaaa;tcp"
#define B "msrps://b.example:8888/bbbbbbbb;tcp"

static void on_wake(void *arg)
{
	(void)arg;
}

static void drain(struct ue_chat *chat)
{
	char buf[4096];

	while (ue_chat_take(chat, buf, sizeof(buf), 0))
		;
}

/** Each line that was printed is one event's words again. */
static void read_again(const char *text, size_t len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		struct base_arena arena = { 0 };
		struct ue_words words;
		size_t n = end ? (size_t)(end - text) : 0;

		if (!end ||
		    ue_words_split(&arena, (struct base_str){ text, n }, NULL, NULL, &words, NULL))
			abort();
		if (!words.count || !ue_events_readable(words.word, words.count))
			abort();
		base_arena_done(&arena);
		text += n + 1;
		len -= n + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ue_inbox inbox = { 0 };
	struct ue_events events = { 0 };
	struct ue_chat_spec spec = { .own = base_str_of(A),
		                     .peer = base_str_of(B),
		                     .self = "sip:a@a.example",
		                     .session = "msrp",
		                     .inbox = &inbox,
		                     .events = &events,
		                     .wake = on_wake };
	size_t step, len = 0;
	struct ue_chat *chat;
	char *text = NULL;

	if (!size)
		return 0;
	step = data[0] & 0x7fU ? data[0] & 0x7fU : size;
	spec.room = data[0] & 0x80U ? "sip:room@conf.example" : NULL;
	ue_events_init(&events);
	events.to = open_memstream(&text, &len);
	if (!events.to || ue_chat_new(&chat, &spec, NULL))
		abort();
	for (size_t at = 1; at < size; at += step) {
		struct base_str in = { (const char *)data + at, BASE_MIN(step, size - at) };

		if (ue_chat_input(chat, &in, 0, NULL))
			break;
		drain(chat);
	}
	ue_chat_tick(chat, 1000000);
	ue_chat_free(chat);
	(void)fclose(events.to);
	read_again(text, len);
	free(text);
	ue_events_done(&events);
	return 0;
}
